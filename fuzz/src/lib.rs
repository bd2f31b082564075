//! The claims of `tests/all/claims` as fuzz targets. To reuse them, this crate compiles the same files, along with the parts of
//! the test suite that they depend on.

#![allow(dead_code, reason = "what only the suite calls")]

#[path = "../../tests/all/claims/mod.rs"]
mod claims;
#[path = "../../tests/all/harmless.rs"]
mod harmless;
#[path = "../../tests/all/rosters.rs"]
mod rosters;

mod harness {
    /// The current time in all stories.
    pub(crate) const NOW: &str = "2026-11-20T08:00:00Z";
}

#[path = "../../tests/all/hostile"]
mod hostile {
    pub(crate) mod any;
    mod bodies;
    mod carriers;
    mod judges;
    mod rendering;
    mod sheets;
}

/// Checks the claim that belongs to a fuzz target.
///
/// # Panics
/// Panics if the claim does not hold.
pub fn try_on(target: &str, data: &[u8]) {
    let claim = claims::ALL.iter().find(|(name, _)| *name == target);
    claim.expect("a claim of this name").1(data);
}
