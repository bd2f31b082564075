//! The integration tests: one binary, so that the suite links once.
//!
//! A story reads: this world, these files, this command, what the user sees. See [`harness`].

mod harness;
mod stories;
