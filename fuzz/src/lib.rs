//! Exposes the claims in `tests/all/claims` as fuzz targets. This crate compiles the source files of the claims, along with the
//! parts of the test suite that the claims depend on.

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

/// Checks the claim for the fuzz target `target` on the input `data`.
///
/// # Panics
/// Panics if the claim does not hold.
pub fn try_on(target: &str, data: &[u8]) {
    let claim = claims::ALL.iter().find(|(name, _)| *name == target);
    claim.expect("a claim of this name").1(data);
}
