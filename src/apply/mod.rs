//! Applies a plan: sends its changes to Pylon, reads them back, and records the outcomes.
//!
//! * [`machine`] implements the protocol as a state machine that decides what to send, when to send it, and each change's outcome.
//! * `task` tracks the state of each change, and `role_limits` counts the holders of limited roles.
//! * `carry_out` performs the I/O and makes no decisions of its own.
//! * [`outcome`] defines the possible results, [`journal`] records them on disk, and [`rollback`] creates the plan that
//!   restores the old values.

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
pub use outcome::{Finished, LastRead, Outcome, OutcomeKind, Stop};
