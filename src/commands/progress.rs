//! How far an apply has come, on standard error: a bar that moves on a terminal, few plain lines elsewhere.

use std::io::Write;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::apply::Machine;
use crate::clock::Clock;
use crate::report::words;

/// Shorter waits are not worth a word.
const WORTH_SAYING: Duration = Duration::from_secs(3);
/// Without a terminal, a line at most so often.
const LINE_EVERY: Duration = Duration::from_secs(30);

/// Tells how far an apply has come.
pub(super) struct Progress {
    clock: Clock,
    how: How,
}

enum How {
    Quiet,
    Bar(ProgressBar),
    Lines { said: Option<Duration> },
}

impl Progress {
    /// Begins with what to expect, where it will take its time.
    pub(super) fn begin(machine: &Machine, clock: Clock, is_terminal: bool, is_quiet: bool) -> Self {
        let (total, _) = machine.progress();
        let expected = expectation(total, machine.allowance());
        let how = if is_quiet {
            How::Quiet
        } else if is_terminal {
            let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("  {pos} of {len} {wide_bar:.dim} {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_message(expected.unwrap_or_default());
            How::Bar(bar)
        } else {
            if let Some(expected) = expected {
                say(&expected);
            }
            How::Lines { said: None }
        };
        Self { clock, how }
    }

    /// Tells where it stands, and until when it waits.
    pub(super) fn tell(&mut self, machine: &Machine, until: Option<Duration>) {
        let now = self.clock.elapsed();
        let (total, settled) = machine.progress();
        let wait = until
            .map(|until| until.saturating_sub(now))
            .filter(|wait| *wait >= WORTH_SAYING && settled < total);
        let waiting = wait.map(|wait| {
            format!("Pylon allows {} changes a minute; next in {} s", machine.allowance(), wait.as_secs() + 1)
        });
        match &mut self.how {
            How::Quiet => {}
            How::Bar(bar) => {
                bar.set_position(settled as u64);
                bar.set_message(waiting.unwrap_or_default());
            }
            How::Lines { said } => {
                if let Some(waiting) = waiting
                    && said.is_none_or(|said| now >= said + LINE_EVERY)
                {
                    say(&format!("{settled} of {total} changes sent. {waiting}."));
                    *said = Some(now);
                }
            }
        }
    }

    /// Leaves the terminal as it was.
    pub(super) fn end(self) {
        if let How::Bar(bar) = self.how {
            bar.finish_and_clear();
        }
    }
}

/// How long the documented allowance makes it at the least, where that is more than a moment.
fn expectation(changes: usize, allowance: u64) -> Option<String> {
    let minutes = (changes as u64).saturating_sub(1) / allowance.max(1);
    let minutes_text = words::count(usize::try_from(minutes).unwrap_or(usize::MAX), "minute", "minutes");
    (minutes > 0).then(|| format!("{changes} changes at {allowance} a minute: about {minutes_text}."))
}

/// Somebody who does not listen does not hold up an apply.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
