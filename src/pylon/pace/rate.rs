//! The rate after a 429, controlled by additive increase and multiplicative decrease (AIMD).

use std::time::Duration;

use super::{WINDOW, nanos};

/// How long to wait without a 429 before raising the rate again.
const RAISE_INTERVAL: Duration = Duration::from_secs(5);
/// The maximum pause between trials of a higher rate. If the pause didn't double after each failed trial, a server with a strictly
/// enforced limit would keep returning a 429 every few seconds.
const LONGEST_HOLD: Duration = Duration::from_secs(240);
/// Rates are in thousandths of a request per window, to allow integer arithmetic.
pub(super) const UNIT: u64 = 1000;

/// The AIMD-controlled rate after a 429, in thousandths of a request per window. It stays between one request per window and
/// the ceiling.
#[derive(Debug, Clone, Copy)]
pub(super) struct AdaptiveRate {
    pub(super) rate: u64,
    /// The last rate that was sustained for a while without a 429. Any higher rate is a trial.
    pub(super) good: u64,
    pub(super) cut_at: Duration,
    /// Time of the last raise or cut.
    pub(super) raised_at: Duration,
    /// How long to stay at the good rate before trying a higher one.
    pub(super) hold: Duration,
    /// The earliest time for the next request.
    pub(super) next: Duration,
}

impl AdaptiveRate {
    /// Starts at the number of requests accepted in the last window or at the rate implied by the server's requested delay,
    /// whichever is higher.
    pub(super) fn first(now: Duration, opens: Duration, accepted: u64, wait: Duration, ceiling: u64) -> Self {
        let hinted = nanos(WINDOW) * UNIT / nanos(wait).max(1);
        let rate = accepted.max(hinted).clamp(UNIT, ceiling * UNIT);
        Self { rate, good: rate, cut_at: now, raised_at: opens, hold: RAISE_INTERVAL, next: opens }
    }

    /// Lowers the rate (multiplicative decrease) after a 429. The server allows at least as many requests as it accepted in the
    /// last window. If a higher rate didn't cause a 429, that may be only because it filled gaps in that window.
    pub(super) fn cut(self, now: Duration, opens: Duration, accepted: u64) -> Self {
        let Self { rate, good, hold, next, .. } = self;
        let at_least = |tenths: u64| (good * tenths / 10).max(UNIT);
        let (good, hold) = if rate > good {
            // A trial has failed.
            (accepted.clamp(at_least(5), good), (hold * 2).min(LONGEST_HOLD))
        } else {
            // The rate was fine until now, but unless it's lowered slightly, every window would end with a 429. If far fewer
            // requests were accepted, the limit must have changed, and the search for a good rate starts over.
            let slightly_less = accepted - accepted / 20;
            let hold = if slightly_less < at_least(7) { RAISE_INTERVAL } else { hold };
            (slightly_less.clamp(at_least(7), good), hold)
        };
        let rate = (rate * 7 / 10).max(UNIT).min(good);
        Self { rate, good, cut_at: now, raised_at: opens, hold, next }
    }

    /// Raises the rate as often as is due by `now`: quickly up to the last good rate, then slowly (additive increase).
    pub(super) fn raise(&mut self, now: Duration, ceiling: u64) {
        let ceiling = ceiling * UNIT;
        loop {
            let is_below = self.rate < self.good;
            let wait = if is_below { RAISE_INTERVAL } else { self.hold };
            if self.raised_at + wait > now {
                return;
            }
            self.raised_at += wait;
            if is_below {
                self.rate = (self.rate * 5 / 4).min(self.good);
                continue;
            }
            // Two raises and a full window without a 429 show that the limit has increased.
            if self.raised_at.saturating_sub(self.cut_at) >= self.hold * 2 + WINDOW {
                self.hold = (self.hold / 2).max(RAISE_INTERVAL);
            }
            self.good = self.rate;
            self.rate = (self.rate + ceiling / 50).min(ceiling);
        }
    }

    /// Returns the spacing between requests in nanoseconds.
    pub(super) fn interval(&self) -> u64 {
        nanos(WINDOW) * UNIT / self.rate.max(1)
    }
}
