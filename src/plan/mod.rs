//! The plan: what an apply would change, and whether the guardrails allow it.
//!
//! This module does no I/O and never reads the clock, since everything it needs is passed in.
//!
//! * [`draw`] compares the desired state with the observed state and produces a plan. [`change`] defines the plan's types.
//! * [`roles`] resolves the role names used in the files. [`suggest`] finds the most likely correction of a misspelled address.
//! * [`guardrails`] reviews the plan against the organization as it would look after the apply.
//! * [`order`] puts the changes into an order that's safe to apply.
//! * [`forecast`] lists scheduled changes, including those that a guardrail will block.
//! * [`cause`] tells why each change is in the plan, and [`blame`] finds out who last set each out-of-sync value.
//! * [`saved`] saves a reviewed plan to a file and refuses any apply that would go beyond it.

pub mod blame;
pub mod cause;
pub mod change;
pub mod draw;
pub mod forecast;
pub mod guardrails;
pub mod order;
mod role_count;
pub mod roles;
pub mod saved;
pub mod suggest;

pub use change::{Absence, Absent, Change, Edit, Inverse, Lost, Patch, Plan, Subject};
pub use guardrails::ReviewedPlan;

use crate::problem::codes;

codes! {
    /// Errors that prevent a plan from being made for the given files and organization.
    pub enum PlanCode {
        /// The files name a role that the organization does not have.
        UnknownRole = "plan::unknown_role",
        /// The organization has no role with the slug `admin`, and the files do not set `keep_at_least`.
        NoAdminRole = "plan::no_admin_role",
        /// A role in the files matches the name, slug, or ID of several roles.
        AmbiguousRole = "plan::ambiguous_role",
        /// One person is declared under several addresses.
        DeclaredTwice = "plan::declared_twice",
        /// Several people in Pylon have the same declared address.
        AmbiguousPerson = "plan::ambiguous_person",
        /// `--only` names an address that isn't declared in any file.
        OnlyUnknown = "plan::only_unknown",
        /// `--only` names a declared person who was not found in Pylon or is deactivated there.
        OnlyMissing = "plan::only_missing",
    }
}
