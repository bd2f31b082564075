//! Carries out a plan.
//!
//! * [`machine`] is the protocol as a state machine. It decides what is sent, when, and how each change ends.
//! * `task` stores the state of each change, and `minimums` counts the holders of guarded roles.
//! * `carry_out` sends the requests and sleeps. It makes no decisions.
//! * [`outcome`] lists the results, [`journal`] writes them to disk, and [`rollback`] makes the plan that restores the values
//!   from before.

mod carry_out;
pub mod journal;
pub mod machine;
pub mod outcome;
mod role_limits;
pub mod rollback;
mod task;

pub use carry_out::carry_out;
pub use journal::Journal;
pub use machine::Machine;
pub use outcome::{Finished, Outcome, OutcomeKind, Stop};
