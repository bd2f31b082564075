//! Formats an apply's progress line with the number of completed changes, the reason for waiting, and the expected end.
//!
//! This module is pure: the current time and the terminal width are arguments, so tests can check the countdown without an apply.

use std::time::Duration;

use textwrap::core::display_width;

use crate::report::style::{Style, styled};
use crate::report::words;

/// The width of the bar in columns.
const BAR: usize = 12;

#[derive(Debug, Clone, Default)]
pub(super) struct ProgressLine {
    pub(super) settled: usize,
    pub(super) total: usize,
    pub(super) state: State,
    /// The local time of day when the apply is expected to end, such as `12:09`.
    pub(super) end: Option<String>,
}

#[derive(Debug, Clone, Default)]
pub(super) enum State {
    #[default]
    Sending,
    /// A wait that is long enough to be shown on the progress line.
    Waiting {
        until: Duration,
        why: String,
        /// A shorter version of `why`, for narrow terminals.
        short_why: String,
        /// What follows the wait: `next` or `retry`.
        then: &'static str,
    },
    /// The apply is stopping, but still waiting for this number of responses.
    Stopping { answers: usize, had_signal: bool },
}

impl ProgressLine {
    /// Formats the line at `now`. To keep the cursor from wrapping, the line is always narrower than the terminal.
    pub(super) fn text(&self, now: Duration, width: usize, bar: Style) -> String {
        let room = width.saturating_sub(1);
        let counts = format!("  {} of {}", self.settled, self.total);
        let done = (BAR * self.settled).checked_div(self.total).unwrap_or(0).min(BAR);
        let drawn = styled(bar, "█".repeat(done) + &"░".repeat(BAR - done));
        let texts = self.texts(now);
        // While stopping, the hint to interrupt again is more important than the bar.
        let has_bar = !matches!(self.state, State::Stopping { .. });
        let with_bar = texts.iter().filter(|_| has_bar).map(|text| format!("{counts} {drawn} {text}"));
        let without_bar = texts.iter().map(|text| format!("{counts} {text}"));
        let mut lines = with_bar.chain(without_bar);
        let fitting = lines.find(|line| display_width(line) <= room);
        fitting.unwrap_or_else(|| counts.chars().take(room).collect())
    }

    /// Returns the longest description of the state, without the counts, for logs.
    pub(super) fn description(&self, now: Duration) -> String {
        self.texts(now).swap_remove(0)
    }

    /// Returns all versions of the state's description, longest first.
    fn texts(&self, now: Duration) -> Vec<String> {
        match &self.state {
            State::Stopping { answers, had_signal } => {
                let stopping =
                    format!("Stopping: waiting for {}", words::count(*answers, "response", "responses"));
                let times = if *had_signal { "again" } else { "twice" };
                vec![
                    format!("{stopping}, for at most 30 s. Interrupt {times} to stop waiting"),
                    format!("{stopping}. Interrupt {times} to stop waiting"),
                    stopping,
                    "Stopping".to_owned(),
                ]
            }
            State::Waiting { until, why, short_why, then } if *until > now => {
                let seconds = until.saturating_sub(now).as_millis().div_ceil(1000);
                let end = |before: &str| {
                    self.end.as_ref().map(|end| format!(", {before} {end}")).unwrap_or_default()
                };
                vec![
                    format!("{why}: {then} in {seconds} s{}", end("done about")),
                    format!("{short_why}: {then} in {seconds} s{}", end("done about")),
                    format!("{short_why}: {then} in {seconds} s{}", end("done")),
                    format!("{then} in {seconds} s{}", end("done")),
                    format!("{then} in {seconds} s"),
                    format!("{seconds} s"),
                ]
            }
            State::Sending | State::Waiting { .. } => {
                let end = self.end.as_ref();
                vec![end.map(|end| format!("done about {end}")).unwrap_or_default(), String::new()]
            }
        }
    }
}

/// Formats the countdown of a wait that ends after `left`, always narrower than the terminal's `width`.
pub(super) fn countdown(left: Duration, width: usize) -> String {
    let seconds = left.as_millis().div_ceil(1000);
    let mut texts = [format!("  continuing in {seconds} s"), format!("{seconds} s")].into_iter();
    texts.find(|text| display_width(text) < width).unwrap_or_default()
}

/// Estimates when the last change will be sent if the next one can be sent at `from`. Assumes that each minute starts with as
/// many changes as the rate limit allows.
pub(super) fn estimated_end(unsettled: usize, per_minute: u64, from: Duration) -> Duration {
    let minutes = (unsettled as u64).saturating_sub(1) / per_minute.max(1);
    from.saturating_add(Duration::from_secs(minutes.saturating_mul(60)))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    const NOW: Duration = Duration::from_secs(100);

    fn waiting() -> ProgressLine {
        ProgressLine {
            settled: 20,
            total: 120,
            state: State::Waiting {
                until: Duration::from_millis(147_200),
                why: "Pylon allows 20 changes per minute".into(),
                short_why: "20 changes per minute".into(),
                then: "next",
            },
            end: Some("12:09".into()),
        }
    }

    #[test]
    fn the_line_says_what_it_waits_for_and_counts_down() {
        let at = |seconds| waiting().text(Duration::from_secs(seconds), 80, Style::new());
        let line = |seconds| {
            format!("  20 of 120 ██░░░░░░░░░░ 20 changes per minute: next in {seconds} s, done about 12:09")
        };
        for (now, left) in [(100, 48), (101, 47), (137, 11), (147, 1)] {
            assert_eq!(at(now), line(left));
        }
        assert_eq!(at(148), "  20 of 120 ██░░░░░░░░░░ done about 12:09");
    }

    #[test]
    fn a_wide_terminal_has_the_full_sentence_and_a_narrow_one_the_seconds() {
        let at = |width| waiting().text(NOW, width, Style::new());
        let full = "Pylon allows 20 changes per minute: next in 48 s, done about 12:09";
        assert_eq!(at(120), format!("  20 of 120 ██░░░░░░░░░░ {full}"));
        assert_eq!(at(60), "  20 of 120 ██░░░░░░░░░░ next in 48 s, done 12:09");
        assert_eq!(at(40), "  20 of 120 ██░░░░░░░░░░ next in 48 s");
        assert_eq!(at(20), "  20 of 120 48 s");
        assert_eq!(waiting().description(NOW), full);
    }

    #[test]
    fn the_line_is_never_wider_than_the_terminal() {
        let sending = ProgressLine { state: State::Sending, ..waiting() };
        let stopping = ProgressLine { state: State::Stopping { answers: 3, had_signal: true }, ..waiting() };
        let dimmed = Style::new().dimmed();
        for width in 0..200 {
            for line in [&waiting(), &sending, &stopping, &ProgressLine::default()] {
                let text = line.text(NOW, width, dimmed);
                assert!(display_width(&text) < width.max(1), "{width}: {text:?}");
            }
        }
    }

    #[test]
    fn a_countdown_fits_the_terminal() {
        let left = Duration::from_millis(37_200);
        assert_eq!(countdown(left, 80), "  continuing in 38 s");
        assert_eq!(countdown(left, 20), "38 s");
        assert_eq!(countdown(left, 4), "");
    }

    #[test]
    fn while_it_stops_the_advice_is_more_important_than_the_bar() {
        let stopping = ProgressLine { state: State::Stopping { answers: 3, had_signal: true }, ..waiting() };
        let expected = "  20 of 120 Stopping: waiting for 3 responses. Interrupt again to stop waiting";
        assert_eq!(stopping.text(NOW, 80, Style::new()), expected);
        let without_signal = State::Stopping { answers: 3, had_signal: false };
        let stopping = ProgressLine { state: without_signal, ..waiting() };
        let expected = "  20 of 120 Stopping: waiting for 3 responses. Interrupt twice to stop waiting";
        assert_eq!(stopping.text(NOW, 80, Style::new()), expected);
    }

    #[test]
    fn the_end_depends_on_the_rate_limit_and_on_the_wait() {
        let seconds = |unsettled| estimated_end(unsettled, 20, NOW).as_secs();
        assert_eq!([seconds(0), seconds(20), seconds(21), seconds(100)], [100, 100, 160, 340]);
    }
}
