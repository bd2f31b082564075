//! The apply protocol against a whole small Pylon, with things going wrong on purpose and a clock of its own: no
//! socket, no sleep. The machine, the encoder, the decoder and the classifier are the real ones.
//!
//! A seed is a history. A history that fails prints the command that replays it, step by step. `cargo test` runs a
//! share; with `ROLECALL_SOAK=1` (in release, `-- --nocapture`) everything is run and the figures are printed.
//!
//! | file | owns |
//! |---|---|
//! | `scene` | who is in the organization, and who should be what |
//! | `sim` | the clock, the line, what arrives when: drives one machine against one world |
//! | `watch` | what must hold at every step (I1 to I4, I12), and what was counted |
//! | `check` | what must hold at the end (I6, I7, I9) |
//! | the others | what is run |

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
mod looks;
mod minimums;
mod others;
mod partial;
mod read_back;
mod scene;
mod sequences;
mod sim;
mod stops;
mod trouble;
mod watch;

use std::env;
use std::thread;

/// Whether everything is run, rather than a share.
fn soak() -> bool {
    env::var_os("ROLECALL_SOAK").is_some()
}

/// `all` with `ROLECALL_SOAK`, otherwise `share`.
fn full(all: u64, share: u64) -> u64 {
    if soak() { all } else { share }
}

/// The one history that `ROLECALL_SEED` names.
fn replayed() -> Option<u64> {
    env::var("ROLECALL_SEED").ok().map(|seed| seed.parse().expect("ROLECALL_SEED is a whole number"))
}

/// Runs the histories with these seeds, or the one that is replayed.
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
            let release = if cfg!(debug_assertions) { "" } else { " --release" };
            eprintln!(
                "\nreplay this history with:\n    {soak}ROLECALL_SEED={} cargo test{release} --test all {test} -- --nocapture\n",
                self.0
            );
        }
    }
}

/// Prints rows of figures at once, where figures are asked for.
fn tell_figures(title: &str, rows: &[String]) {
    if soak() {
        println!("\n{title}\n{}\n", rows.join("\n"));
    }
}
