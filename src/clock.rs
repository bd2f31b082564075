//! Provides the current time and the time since the start of the run.
//!
//! Code that makes decisions takes the time as an argument instead of reading the clock. Windows and expiry dates use a
//! [`Timestamp`], while pacing and freshness checks use the [`Duration`] since the start.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The system clock, or a clock with a fixed date and time for tests. Elapsed time is always real.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Start,
    calendar: Option<Timestamp>,
}

impl Clock {
    /// Starts a clock. If `calendar` is given, [`Clock::now`] always returns it.
    pub fn start(calendar: Option<Timestamp>) -> Self {
        Self { start: Start::now(), calendar }
    }

    pub fn is_fixed(&self) -> bool {
        self.calendar.is_some()
    }

    pub fn now(&self) -> Timestamp {
        self.calendar.unwrap_or_else(Timestamp::now)
    }

    /// Returns the local time of day at the end of `wait`, as in `19:55:41`.
    pub fn time_of_day_after(&self, wait: Duration) -> String {
        let wait = SignedDuration::try_from(wait).unwrap_or_default();
        let then = self.now().saturating_add(wait).unwrap_or_else(|_| self.now());
        then.to_zoned_datetime(TimeZone::system()).strftime("%H:%M:%S").to_string()
    }

    /// Returns the local time of day at the end of `wait`, rounded up to the minute, as in `19:56`.
    pub fn minute_after(&self, wait: Duration) -> String {
        let rounded = self.time_of_day_after(wait.saturating_add(Duration::from_secs(59)));
        rounded.chars().take("19:56".len()).collect()
    }

    /// Returns the current local time of day with milliseconds, as in `19:55:41.204`.
    pub fn time_of_day_in_milliseconds(&self) -> String {
        self.now().to_zoned_datetime(TimeZone::system()).strftime("%H:%M:%S%.3f").to_string()
    }

    /// Returns the time since the clock was started. This includes time during which the system was asleep, because state read
    /// from Pylon before a sleep is stale.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

/// Formats a timestamp to the minute in UTC, as in `2026-08-20 14:02Z`.
pub fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%MZ").to_string()
}

/// An instant on a clock that keeps running during system sleep. The clock behind `Instant` can stop during sleep on Unix.
#[cfg(unix)]
#[derive(Debug, Clone, Copy)]
struct Start(Duration);

#[cfg(unix)]
impl Start {
    fn now() -> Self {
        use rustix::time::{ClockId, clock_gettime};
        #[cfg(any(target_os = "linux", target_os = "android"))]
        const CLOCK_ID: ClockId = ClockId::Boottime;
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        const CLOCK_ID: ClockId = ClockId::Monotonic;
        Self(Duration::try_from(clock_gettime(CLOCK_ID)).unwrap_or_default())
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
