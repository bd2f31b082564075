//! Claims about all organizations and all files, tried on many random ones.
//!
//! A claim is a sentence, a strategy that makes inputs, and a body that panics where the claim does not hold. The seed is
//! fixed, so a run is always the same run; a case that fails is made as small as it can be and printed last. With
//! `ROLECALL_SOAK=1` (in release) each claim is tried fifty times as often.
//!
//! | file | owns |
//! |---|---|
//! | `organization` | random people, and random files about them |
//! | `scribbles` | random layouts of files |
//! | `recount` | the guardrails once more, naively: nothing of `plan::guardrails` is called |
//! | the others | the claims |

mod changes;
mod guardrails;
mod headings;
mod layout;
mod limits;
mod order;
mod organization;
mod plans;
mod recount;
mod rubbish;
mod saved;
mod schema;
mod scribbles;
mod windows;

use std::env;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestRunner};

/// Every run is this run.
const SEED: u64 = 0x0072_6f6c_6563_616c;
/// Steps on the way to a small example; each prints what it panics with.
const SHRINKING: u32 = 1000;

/// Tries `claim` on so many cases, and panics with the smallest one on which it panics.
#[track_caller]
pub(crate) fn holds<S: Strategy>(cases: u32, strategy: &S, claim: impl Fn(S::Value)) {
    let cases = if env::var_os("ROLECALL_SOAK").is_some() { cases * 50 } else { cases };
    let config = Config {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(SEED),
        max_shrink_iters: SHRINKING,
        ..Config::default()
    };
    let tried = TestRunner::new(config).run(strategy, |case| {
        claim(case);
        Ok(())
    });
    if let Err(failed) = tried {
        panic!("{failed}");
    }
}
