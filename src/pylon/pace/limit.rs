//! Infers the rate limit from the `X-Rate-Limit-Remaining` header.

use std::time::Duration;

use super::WINDOW;

/// The assumed rate limit, in requests per window.
#[derive(Debug, Clone)]
pub(super) struct AssumedLimit {
    /// The documented limit or the user's override, which the assumed limit never exceeds.
    pub(super) ceiling: u64,
    /// The rate limit of an earlier API version, if one is known.
    pub(super) earlier: Option<u64>,
    /// The limit in effect: the ceiling, or the limit of the earlier API version once responses show that this limit applies.
    pub(super) assumed: u64,
    /// A lower bound for the true limit: the highest number of remaining requests seen in a response, plus one. If the
    /// `lowest_sum` of a whole observation window is much higher, it replaces this bound.
    at_least: u64,
    /// Start of the current observation window.
    since: Duration,
    /// The lowest sum of our own requests and the remaining requests, over all responses in the current observation window.
    /// `None` before the window's first response.
    lowest_sum: Option<u64>,
}

impl AssumedLimit {
    pub(super) fn new(limit: u64) -> Self {
        Self {
            ceiling: limit,
            earlier: None,
            assumed: limit,
            at_least: 0,
            since: Duration::ZERO,
            lowest_sum: None,
        }
    }

    /// Infers the limit from `remaining`, the value of `X-Rate-Limit-Remaining`. `own` is the number of our answered requests
    /// that the server still counts.
    ///
    /// The limit is at least `remaining` plus one, because the answered request counts too. If the highest such number is exactly
    /// an earlier API version's limit, that limit applies. Any other number only reflects other clients' traffic or the fill level
    /// of a token bucket.
    ///
    /// Other clients' traffic can produce an earlier version's limit by coincidence. In that case, `remaining` plus `own` later
    /// exceeds the limit for a whole window. Only the lowest sum of a window counts, because a lagging counter reports too many
    /// remaining requests for a while.
    pub(super) fn learn(&mut self, now: Duration, remaining: u64, own: u64) {
        self.at_least = self.at_least.max(remaining.saturating_add(1));
        let sum = remaining.saturating_add(own);
        let least = self.lowest_sum.map_or(sum, |least| least.min(sum));
        self.lowest_sum = Some(least);
        if now.saturating_sub(self.since) >= WINDOW {
            (self.since, self.lowest_sum) = (now, None);
            if least > self.at_least.saturating_add(self.at_least / 4) {
                self.at_least = least;
            }
        }
        let earlier = self.earlier.filter(|earlier| *earlier == self.at_least);
        self.assumed = earlier.unwrap_or(self.ceiling).min(self.ceiling);
    }
}
