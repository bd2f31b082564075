//! Property tests: claims about every organization and every file, checked on random inputs.
//!
//! A claim consists of a sentence (the test's name), a strategy for generating inputs, and a closure that panics if the
//! claim is false. With a fixed seed, every run tries the same inputs. A failing input is shrunk and printed last. With
//! `ROLECALL_SOAK=1` (best in release mode), we try fifty times as many inputs.
//!
//! | file | contents |
//! |---|---|
//! | `organization` | random people, and random files that declare them |
//! | `scribbles` | randomly laid-out files |
//! | `recount` | a naive reimplementation of the guardrails, independent of `plan::guardrails` except for the apply order |
//! | everything else | the claims |

mod changes;
mod guardrails;
mod headings;
mod layout;
mod limits;
mod new_roster;
mod order;
mod organization;
mod plans;
mod recount;
mod rubbish;
mod saved;
mod schema;
mod scribbles;
mod windows;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestRunner};

use crate::harness::soak;

const SEED: u64 = 0x0072_6f6c_6563_616c;
/// Caps the number of shrinking steps because each one prints its panic.
const SHRINKING: u32 = 1000;

/// Tries `claim` on this many inputs, and panics with the smallest one for which the claim panics.
#[track_caller]
pub(crate) fn holds<S: Strategy>(cases: u32, strategy: &S, claim: impl Fn(S::Value)) {
    let cases = if soak() { cases * 50 } else { cases };
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
