//! Carries out a plan.
//!
//! [`machine`] is the protocol as a value. It decides what is sent, when, and how each change ends. `task` holds where a
//! change is on its way, and `minimums` counts the holders of guarded roles. `carry_out` sends and sleeps, and decides
//! nothing. [`outcome`] lists the results, [`journal`] writes them to disk, and [`rollback`] makes the plan that restores
//! the values from before.

mod carry_out;
pub mod journal;
pub mod machine;
mod minimums;
pub mod outcome;
pub mod rollback;
mod task;

pub use carry_out::carry_out;
pub use journal::Journal;
pub use machine::Machine;
pub use outcome::{Finished, Outcome, OutcomeKind, Stop};
