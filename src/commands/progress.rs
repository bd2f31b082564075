//! The progress of an apply on standard error: a progress bar on a terminal, and a few lines elsewhere.
//!
//! The bar is drawn by a library, not by `output`: its messages must not contain text from outside.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::apply::Machine;
use crate::apply::machine::WaitReason;
use crate::clock::Clock;
use crate::output::say;
use crate::pylon::Trace;
use crate::pylon::request::Endpoint;
use crate::report::words;

/// Shorter waits are not shown.
const WORTH_SAYING: Duration = Duration::from_secs(3);
const REDRAW_EVERY: Duration = Duration::from_millis(200);
/// The minimum time between two lines without a terminal.
const LINE_EVERY: Duration = Duration::from_secs(30);

/// Shows the progress of an apply.
pub(super) struct Progress {
    clock: Clock,
    how: Display,
    has_said_stopping: bool,
}

enum Display {
    Quiet,
    Bar(ProgressBar),
    Lines { said: Option<Duration> },
    Waits { trace: Trace, until: Option<Duration> },
}

impl Progress {
    /// Starts the display, with the expected duration if it is more than a minute.
    pub(super) fn begin(
        machine: &Machine,
        clock: Clock,
        trace: Trace,
        is_terminal: bool,
        is_quiet: bool,
    ) -> Self {
        let (total, _) = machine.progress();
        let expected = expectation(total, machine.pacing().limit(Endpoint::Patch));
        let how = if is_quiet {
            Display::Quiet
        } else if trace.is_on() {
            Display::Waits { trace, until: None }
        } else if is_terminal {
            let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("  {pos} of {len} {bar:24.dim} {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_message(expected.unwrap_or_default());
            // Redraw regularly, because indicatif does not draw every change. A change just before a wait would be shown only after the wait.
            bar.enable_steady_tick(REDRAW_EVERY);
            Display::Bar(bar)
        } else {
            if let Some(expected) = expected {
                say(&expected);
            }
            Display::Lines { said: None }
        };
        Self { clock, how, has_said_stopping: false }
    }

    /// Shows the current progress, and until when the apply waits.
    pub(super) fn tell(&mut self, machine: &Machine, until: Option<Duration>, reason: WaitReason) {
        let now = self.clock.elapsed();
        let (total, settled) = machine.progress();
        let stopping = machine.answers_to_wait_for().map(|answers| {
            let answers = words::count(answers, "response", "responses");
            format!("Stopping: waiting for {answers}, for at most 30 s. Interrupt again to stop waiting")
        });
        let worth_saying = until.filter(|until| until.saturating_sub(now) >= WORTH_SAYING && settled < total);
        let waiting = stopping.clone().or_else(|| {
            let until = worth_saying?;
            let then = self.clock.time_of_day_after(until.saturating_sub(now));
            Some(format!("{}; continues at {then}", sentence(machine, reason)))
        });
        match &mut self.how {
            Display::Quiet => {}
            Display::Waits { trace, until: told } => {
                if let Some(stopping) = stopping.as_ref().filter(|_| !self.has_said_stopping) {
                    trace.line(stopping);
                } else if let Some(until) = until.filter(|until| *until > now && *told != Some(*until)) {
                    trace.wait(until.saturating_sub(now), &sentence(machine, reason));
                }
                *told = until;
            }
            Display::Bar(bar) => {
                bar.set_position(settled as u64);
                bar.set_message(waiting.unwrap_or_default());
            }
            Display::Lines { said } => {
                let is_due = said.is_none_or(|said| now >= said + LINE_EVERY);
                if let Some(waiting) = waiting
                    && (is_due || stopping.is_some() && !self.has_said_stopping)
                {
                    say(&format!("{settled} of {total} changes done. {waiting}."));
                    *said = Some(now);
                }
            }
        }
        self.has_said_stopping |= stopping.is_some();
    }

    /// Removes the progress bar.
    pub(super) fn end(self) {
        if let Display::Bar(bar) = self.how {
            bar.finish_and_clear();
        }
    }
}

/// Returns why nothing is sent at the moment.
fn sentence(machine: &Machine, reason: WaitReason) -> String {
    match reason {
        WaitReason::Answers | WaitReason::Retry => {
            "Pylon returned an error or no response, so rolecall tries again".to_owned()
        }
        WaitReason::RateLimit(endpoint) if machine.pacing().is_throttled(endpoint) => {
            "Pylon asked for fewer requests".to_owned()
        }
        WaitReason::RateLimit(endpoint) => {
            let limit = machine.pacing().limit(endpoint);
            match endpoint {
                Endpoint::Patch => format!("Pylon allows {limit} changes per minute"),
                Endpoint::Search => format!("Pylon allows {limit} searches per minute"),
                _ => format!("Pylon allows {limit} reads of a person per minute"),
            }
        }
    }
}

/// Returns the minimum duration at this rate limit. `None` if it is less than a minute.
fn expectation(changes: usize, per_minute: u64) -> Option<String> {
    let minutes = (changes as u64).saturating_sub(1) / per_minute.max(1);
    let minutes_text = words::count(usize::try_from(minutes).unwrap_or(usize::MAX), "minute", "minutes");
    (minutes > 0).then(|| format!("{changes} changes at {per_minute} per minute take about {minutes_text}."))
}
