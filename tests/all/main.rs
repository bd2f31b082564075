//! The integration tests, in a single binary so the suite has to be linked only once.
//!
//! A story sets up Pylon and the files, runs a command, and compares the output with what a user should see. See [`harness`].

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends here")]

mod builders;
mod claims;
mod corpora;
mod harmless;
mod harness;
mod hostile;
mod memory;
mod properties;
mod rosters;
mod sandbox;
mod simulation;
mod stories;
mod tls;
