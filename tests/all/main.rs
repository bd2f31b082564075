//! The integration tests: one binary, so that the suite links once.
//!
//! A story reads: this world, these files, this command, what the user sees. See [`harness`].

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
