//! The one place that asks what time it is.
//!
//! Everything that decides is told: calendar time as a [`Timestamp`] for windows and expiries, elapsed time as a
//! [`Duration`] since the start for pacing and freshness.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The real clock, or a fixed calendar for tests; elapsed time is always real.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Start,
    calendar: Option<Timestamp>,
}

impl Clock {
    /// A clock that starts now. `calendar` fixes what [`Clock::now`] answers.
    pub fn start(calendar: Option<Timestamp>) -> Self {
        Self { start: Start::now(), calendar }
    }

    /// Whether the calendar stands still.
    pub fn is_fixed(&self) -> bool {
        self.calendar.is_some()
    }

    pub fn now(&self) -> Timestamp {
        self.calendar.unwrap_or_else(Timestamp::now)
    }

    /// The time of day, here, after `wait` from now: `19:55:41`.
    pub fn time_of_day_after(&self, wait: Duration) -> String {
        let wait = SignedDuration::try_from(wait).unwrap_or_default();
        let then = self.now().saturating_add(wait).unwrap_or_else(|_| self.now());
        then.to_zoned_datetime(TimeZone::system()).strftime("%H:%M:%S").to_string()
    }

    /// Returns the local time of day to the millisecond: `19:55:41.204`.
    pub fn time_of_day_in_milliseconds(&self) -> String {
        self.now().to_zoned_datetime(TimeZone::system()).strftime("%H:%M:%S%.3f").to_string()
    }

    /// Time since the start, the time included during which the machine slept: what was read before that is old.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

/// An instant to the minute, in UTC: `2026-08-20 14:02Z`.
pub fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%MZ").to_string()
}

/// An instant of the clock that goes on while the machine sleeps; on Unix `Instant`'s may stand still meanwhile.
#[cfg(unix)]
#[derive(Debug, Clone, Copy)]
struct Start(Duration);

#[cfg(unix)]
impl Start {
    fn now() -> Self {
        use rustix::time::{ClockId, clock_gettime};
        #[cfg(any(target_os = "linux", target_os = "android"))]
        const GOES_ON: ClockId = ClockId::Boottime;
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        const GOES_ON: ClockId = ClockId::Monotonic;
        Self(Duration::try_from(clock_gettime(GOES_ON)).unwrap_or_default())
    }

    fn elapsed(self) -> Duration {
        Self::now().0.saturating_sub(self.0)
    }
}

#[cfg(not(unix))]
#[derive(Debug, Clone, Copy)]
struct Start(std::time::Instant);

#[cfg(not(unix))]
impl Start {
    fn now() -> Self {
        Self(std::time::Instant::now())
    }

    fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
