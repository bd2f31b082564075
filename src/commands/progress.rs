//! Progress reporting on standard error: a progress line with a countdown on a terminal, and occasional lines elsewhere.
//!
//! On a terminal, the line must never contain untrusted text, because `indicatif` draws it without the scrubbing in `output`.
//! `progress_line` formats the line, and a thread of `indicatif` redraws it, so the countdown advances while the apply is
//! waiting.

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::progress_line::{ProgressLine, State, countdown, estimated_end};
use super::{Session, colors};
use crate::apply::Machine;
use crate::apply::machine::WaitReason;
use crate::clock::Clock;
use crate::output::{self, say};
use crate::pylon::Trace;
use crate::pylon::paced_reader::ShowWait;
use crate::pylon::request::Endpoint;
use crate::report::style::{Style, Styles};
use crate::report::words;

/// The shortest wait that is shown.
const WORTH_SAYING: Duration = Duration::from_secs(3);
/// The estimated end is shown if it's at least this far away or if the apply is waiting.
const WORTH_ESTIMATING: Duration = Duration::from_secs(60);
const REDRAW_EVERY: Duration = Duration::from_millis(200);
/// The minimum interval between two progress lines if standard error isn't a terminal.
const LINE_EVERY: Duration = Duration::from_secs(30);
/// The width in columns that we assume if the terminal doesn't report its width.
const USUAL_WIDTH: usize = 80;

pub(super) struct Progress {
    clock: Clock,
    how: Display,
    has_said_stopping: bool,
}

enum Display {
    Quiet,
    /// The line is shared with the thread that draws the bar.
    Bar(ProgressBar, Arc<Mutex<ProgressLine>>),
    Lines {
        said: Option<Duration>,
    },
    Waits {
        trace: Trace,
        until: Option<Duration>,
    },
}

impl Progress {
    /// Starts the display. Without a terminal, prints the expected duration if it's at least a minute.
    pub(super) fn begin(machine: &Machine, trace: Trace, session: Session<'_>) -> Self {
        let clock = session.environment.clock;
        let how = if session.common.quiet {
            Display::Quiet
        } else if trace.is_on() {
            Display::Waits { trace, until: None }
        } else if session.environment.stderr_is_terminal {
            let bar = Styles::new(colors(session, true)).quiet;
            let line = line(machine, clock, None, WaitReason::Answers);
            let line = Arc::new(Mutex::new(line));
            Display::Bar(progress_bar(Arc::clone(&line), clock, bar), line)
        } else {
            let (total, _) = machine.progress();
            if let Some(expected) = expectation(total, machine.pacing().limit(Endpoint::Patch)) {
                say(&expected);
            }
            Display::Lines { said: None }
        };
        Self { clock, how, has_said_stopping: false }
    }

    /// Updates the display with the current progress and the end of the current wait, if any.
    pub(super) fn tell(&mut self, machine: &Machine, until: Option<Duration>, reason: WaitReason) {
        let now = self.clock.elapsed();
        let line = line(machine, self.clock, until, reason);
        let is_stopping = matches!(line.state, State::Stopping { .. });
        let says_stopping = is_stopping && !self.has_said_stopping;
        match &mut self.how {
            Display::Quiet => {}
            Display::Waits { trace, until: told } => {
                if says_stopping {
                    trace.line(&line.description(now));
                } else if let Some(until) = until.filter(|until| *until > now && *told != Some(*until)) {
                    trace.wait(until.saturating_sub(now), &reason_of(machine, reason).0);
                }
                *told = until;
            }
            Display::Bar(_, shown) => *shown.lock().unwrap_or_else(PoisonError::into_inner) = line,
            Display::Lines { said } => {
                let is_due = said.is_none_or(|said| now >= said + LINE_EVERY);
                let has_news = !matches!(line.state, State::Sending);
                if has_news && is_due || says_stopping {
                    say(&format!(
                        "{} of {} changes finished. {}.",
                        line.settled,
                        line.total,
                        line.description(now)
                    ));
                    *said = Some(now);
                }
            }
        }
        self.has_said_stopping |= is_stopping;
    }

    /// Removes the progress bar from the terminal.
    pub(super) fn end(self) {
        if let Display::Bar(bar, _) = self.how {
            bar.finish_and_clear();
        }
    }
}

/// Shows how long requests that read from Pylon have to wait. Each wait is printed on its own line, with a countdown below it on
/// a terminal.
#[derive(Debug)]
pub(super) struct ReadWaits {
    clock: Clock,
    is_quiet: bool,
    /// The countdowns on the terminal. Several can run at once. `None` if standard error isn't a terminal.
    countdowns: Option<MultiProgress>,
}

/// A countdown that is removed from the terminal when the wait ends.
struct Countdown(ProgressBar);

impl ReadWaits {
    pub(super) fn new(clock: Clock, is_quiet: bool, is_terminal: bool) -> Self {
        let countdowns = is_terminal.then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));
        Self { clock, is_quiet, countdowns }
    }
}

impl ShowWait for ReadWaits {
    fn begin(&self, why: &str, wait: Duration) -> Box<dyn Any> {
        let Self { clock, is_quiet, countdowns } = self;
        if *is_quiet {
            return Box::new(());
        }
        let line = format!("{why}; continuing at {}", clock.time_of_day_after(wait));
        let Some(countdowns) = countdowns else {
            say(&line);
            return Box::new(());
        };
        countdowns.suspend(|| say(&line));
        let (clock, until) = (*clock, clock.elapsed() + wait);
        let text = move |width| countdown(until.saturating_sub(clock.elapsed()), width);
        let shown = countdowns.add(ProgressBar::hidden());
        draw(&shown, text);
        Box::new(Countdown(shown))
    }
}

impl Drop for Countdown {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Creates a progress bar that always shows the latest state of `line`.
fn progress_bar(line: Arc<Mutex<ProgressLine>>, clock: Clock, bar: Style) -> ProgressBar {
    let drawn = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let text =
        move |width| line.lock().unwrap_or_else(PoisonError::into_inner).text(clock.elapsed(), width, bar);
    draw(&drawn, text);
    drawn
}

/// Redraws the text at regular intervals, fitted to the terminal's current width.
fn draw(bar: &ProgressBar, text: impl Fn(usize) -> String + Clone + Send + Sync + 'static) {
    let draw = move |_: &ProgressState, to: &mut dyn std::fmt::Write| {
        let _ = to.write_str(&text(output::stderr_width().unwrap_or(USUAL_WIDTH)));
    };
    let style = ProgressStyle::with_template("{line}").unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style.with_key("line", draw));
    bar.enable_steady_tick(REDRAW_EVERY);
}

/// Builds the progress line from the number of completed changes, the reason for waiting, and the expected end.
fn line(machine: &Machine, clock: Clock, until: Option<Duration>, reason: WaitReason) -> ProgressLine {
    let now = clock.elapsed();
    let (total, settled) = machine.progress();
    let until = until.filter(|until| until.saturating_sub(now) >= WORTH_SAYING && settled < total);
    let end = estimated_end(total - settled, machine.pacing().limit(Endpoint::Patch), until.unwrap_or(now))
        .saturating_sub(now);
    let is_shown = until.is_some() || end >= WORTH_ESTIMATING;
    let state = match (machine.answers_to_wait_for(), until) {
        (Some(answers), _) => State::Stopping { answers, had_signal: machine.had_signal() },
        (None, Some(until)) => {
            let (why, short_why) = reason_of(machine, reason);
            let then = if matches!(reason, WaitReason::RateLimit(_)) { "next" } else { "retry" };
            State::Waiting { until, why, short_why, then }
        }
        (None, None) => State::Sending,
    };
    ProgressLine { settled, total, state, end: is_shown.then(|| clock.minute_after(end)) }
}

/// Returns the reason sending is paused, as a full sentence and as a short label.
fn reason_of(machine: &Machine, reason: WaitReason) -> (String, String) {
    let (sentence, short) = match reason {
        WaitReason::Answers | WaitReason::Retry => {
            ("Pylon returned an error or no response", "error or no response")
        }
        WaitReason::RateLimit(endpoint) if machine.pacing().is_throttled(endpoint) => {
            ("Pylon is rate-limiting requests", "rate limited by Pylon")
        }
        WaitReason::RateLimit(endpoint) => {
            let limit = machine.pacing().limit(endpoint);
            let what = match endpoint {
                Endpoint::Patch => "changes",
                Endpoint::Search => "searches",
                _ => "person lookups",
            };
            let short = format!("{limit} {what} per minute");
            return (format!("Pylon allows {short}"), short);
        }
    };
    (sentence.to_owned(), short.to_owned())
}

/// Describes how long sending this many changes takes at this rate limit, unless it takes less than a minute.
fn expectation(changes: usize, per_minute: u64) -> Option<String> {
    let minutes = (changes as u64).saturating_sub(1) / per_minute.max(1);
    let minutes_text = words::count(usize::try_from(minutes).unwrap_or(usize::MAX), "minute", "minutes");
    (minutes > 0).then(|| format!("{changes} changes at {per_minute} per minute take about {minutes_text}."))
}
