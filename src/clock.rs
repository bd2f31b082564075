//! The one place that asks what time it is.
//!
//! Everything that decides is told: calendar time as a [`Timestamp`] for windows and expiries, elapsed time as a
//! [`Duration`] since the start for pacing and freshness.

use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The real clock, or a fixed calendar for tests; elapsed time is always real.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
    calendar: Option<Timestamp>,
}

impl Clock {
    /// A clock that starts now. `calendar` fixes what [`Clock::now`] answers.
    pub fn start(calendar: Option<Timestamp>) -> Self {
        Self { start: Instant::now(), calendar }
    }

    /// Whether the calendar stands still.
    pub fn is_fixed(&self) -> bool {
        self.calendar.is_some()
    }

    /// The calendar time.
    pub fn now(&self) -> Timestamp {
        self.calendar.unwrap_or_else(Timestamp::now)
    }

    /// The time of day, here, after `wait` from now: `19:55:41`.
    pub fn time_of_day_after(&self, wait: Duration) -> String {
        let wait = SignedDuration::try_from(wait).unwrap_or_default();
        let then = self.now().saturating_add(wait).unwrap_or_else(|_| self.now());
        then.to_zoned_datetime(TimeZone::system()).strftime("%H:%M:%S").to_string()
    }

    /// Time since the start, on the monotonic clock.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}
