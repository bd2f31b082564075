//! Carrying a plan out: nothing lost, nothing guessed.
//!
//! [`machine`] is the protocol as a value, without clock, network or randomness of its own: it is told events and the
//! time, and answers what to send and until when to wait. `floors` and `task` are its parts. [`mod@carry_out`] sends and
//! sleeps, and decides nothing. [`outcome`] is what came of each change, and the
//! [`journal`] has it on disk; [`rollback`] is the way back from one.

pub mod carry_out;
mod floors;
pub mod journal;
pub mod machine;
pub mod outcome;
pub mod rollback;
mod task;

pub use carry_out::carry_out;
pub use journal::Journal;
pub use machine::Machine;
pub use outcome::{Finished, Outcome, OutcomeKind, Stop};
