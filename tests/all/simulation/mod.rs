//! Simulates the apply protocol against the complete sandbox, with faults and a simulated clock, but without any sockets or
//! sleeping. The apply machine, the encoder, the decoder, and the error classification are the production code.
//!
//! A history is one simulated run, determined by its seed. If a history fails, we print the command to replay it step by step.
//! `cargo test` runs just a sample. With `ROLECALL_SOAK=1` (in release mode, with `-- --nocapture`), all histories run and their
//! figures are printed.
//!
//! | module | purpose |
//! |---|---|
//! | `scene` | the people in the organization, and what the files declare about them |
//! | `sim` | the clock, the network, and the order of events: drives one machine against one world |
//! | `watch` | invariants checked at every step (I1 to I3, I12), and counters |
//! | `check` | invariants checked at the end (I6, I7, I9) |
//! | the rest | the tests |

#![allow(clippy::cast_precision_loss, reason = "figures, for people to read")]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "figures and the steps of a replay are what is asked for"
)]

mod check;
mod everywhere;
mod faults;
mod limits;
mod others;
mod partial;
mod read_back;
mod reading;
mod role_limits;
mod scene;
mod sequences;
mod sim;
mod stops;
mod trouble;
mod watch;

use std::env;
use std::thread;

use crate::harness::soak;

/// Returns `all` with `ROLECALL_SOAK`, and `share` otherwise.
fn full(all: u64, share: u64) -> u64 {
    if soak() { all } else { share }
}

/// Returns the seed in `ROLECALL_SEED`, used to replay a single history.
fn replayed() -> Option<u64> {
    env::var("ROLECALL_SEED").ok().map(|seed| seed.parse().expect("ROLECALL_SEED is a whole number"))
}

/// Runs the histories with these seeds, or just the one to replay.
fn histories(seeds: impl IntoIterator<Item = u64>, mut history: impl FnMut(u64)) {
    let mut run = |seed| {
        let _told = TellHowToReplay(seed);
        history(seed);
    };
    match replayed() {
        Some(seed) => run(seed),
        None => seeds.into_iter().for_each(run),
    }
}

struct TellHowToReplay(u64);

impl Drop for TellHowToReplay {
    fn drop(&mut self) {
        if thread::panicking() {
            let thread = thread::current();
            let test = thread.name().filter(|name| name.contains("::")).unwrap_or("simulation::");
            let soak = if soak() { "ROLECALL_SOAK=1 " } else { "" };
            eprintln!(
                "\nreplay this history with:\n    {soak}ROLECALL_SEED={} cargo test --test all {test} -- --nocapture\n",
                self.0
            );
        }
    }
}

/// Prints the figures if `ROLECALL_SOAK` is set.
fn tell_figures(title: &str, rows: &[String]) {
    if soak() {
        println!("\n{title}\n{}\n", rows.join("\n"));
    }
}
