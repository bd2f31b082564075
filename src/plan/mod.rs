//! The plan: what an apply would change, and whether the guardrails allow it.
//!
//! Everything here is pure.
//!
//! * [`draw`] compares the desired state with the observed state. The result is a plan. [`change`] has its types.
//! * [`roles`] looks up the roles that the files name. [`suggest`] finds the address that a typo may have meant.
//! * [`guardrails`] reviews the plan, with the organization as it would be after the apply.
//! * [`order`] returns the order in which the changes may be sent.
//! * [`forecast`] lists the scheduled changes that the guardrails will block.
//! * [`blame`] finds out who made each change that is out of sync.
//! * [`saved`] writes a reviewed plan to a file, and checks that an apply does nothing else.

pub mod blame;
pub mod cause;
pub mod change;
pub mod draw;
pub mod forecast;
pub mod guardrails;
pub mod order;
pub mod roles;
pub mod saved;
pub mod suggest;

pub use change::{Absence, Absent, Change, Edit, Inverse, Lost, Patch, Plan, Subject};
pub use guardrails::ReviewedPlan;

use crate::problem::codes;

codes! {
    /// The ways in which the files and the organization do not fit together.
    pub enum PlanCode {
        /// The organization has no such role.
        UnknownRole = "plan::unknown_role",
        /// No role has the slug `admin`, and the files do not name their guarded roles.
        NoAdminRole = "plan::no_admin_role",
        /// Several roles have this name, slug or ID.
        AmbiguousRole = "plan::ambiguous_role",
        /// One person is declared under several addresses.
        DeclaredTwice = "plan::declared_twice",
        /// Several people have this address.
        AmbiguousPerson = "plan::ambiguous_person",
        /// `--only` names an address that no file declares.
        OnlyUnknown = "plan::only_unknown",
    }
}
