//! Property tests: claims about all organizations and all files, checked with many random ones.
//!
//! A claim is a sentence (the name of the test), a strategy that generates inputs, and a closure that panics if the
//! claim is false. The seed is fixed, so every run tries the same inputs. A failing input is shrunk and printed last.
//! With `ROLECALL_SOAK=1` (in release), each claim is tried fifty times as often.
//!
//! | file | owns |
//! |---|---|
//! | `organization` | random people, and random files about them |
//! | `scribbles` | random layouts of files |
//! | `recount` | a naive second implementation of the guardrails, which calls nothing of `plan::guardrails` |
//! | the others | the claims |

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

use std::env;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestRunner};

/// Fixed, so that every run tries the same inputs.
const SEED: u64 = 0x0072_6f6c_6563_616c;
/// The maximum number of shrinking steps. Each step prints its panic.
const SHRINKING: u32 = 1000;

/// Tries `claim` on this many inputs. Panics with the smallest input that makes the claim panic.
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
