//! What would change: the plan as a value, and what the guardrails say of it.
//!
//! Everything here is pure. [`draw`] makes the plan of what is desired and what is observed, [`guardrails`] reviews
//! it against the organization as it would be afterwards, [`order`] says in which order it may be carried out,
//! [`forecast`] what windows will bring by themselves, [`blame`] who changed what is out of sync, [`saved`] how a reviewed plan is kept
//! in a file.

pub mod blame;
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
    /// What can be wrong between the files and the organization.
    pub enum PlanCode {
        /// The organization has no such role.
        UnknownRole = "plan::unknown_role",
        /// No role has the slug `admin`, and the files do not name their guarded roles.
        NoAdminRole = "plan::no_admin_role",
        /// Several roles have this name, slug or ID.
        AmbiguousRole = "plan::ambiguous_role",
        /// One person is declared under two of their addresses.
        DeclaredTwice = "plan::declared_twice",
        /// Several people have this address.
        AmbiguousPerson = "plan::ambiguous_person",
        /// `--only` names somebody whom no file declares.
        OnlyUnknown = "plan::only_unknown",
    }
}
