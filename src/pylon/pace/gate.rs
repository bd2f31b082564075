//! The pause after a 429.

use std::time::Duration;

use super::nanos;
use super::window::WINDOW_MARGIN;

/// Extra time before the gate reopens after a 429, on top of the delay requested by the server.
const HINT_MARGIN: Duration = Duration::from_secs(1);
/// How long the gate stays closed after a 429 without a hint. Doubles with each further 429, up to 160 seconds.
const UNHINTED_PAUSE: Duration = Duration::from_secs(5);

/// Blocks all requests to the endpoint for a while after a 429.
#[derive(Debug, Clone, Default)]
pub(super) struct Gate {
    /// The time before which no request is sent.
    pub(super) opens: Duration,
    /// The number of consecutive 429s without a hint, not counting those for requests sent before the rate was last cut.
    pub(super) unhinted: u32,
}

impl Gate {
    /// Closes the gate and returns the length of the pause without jitter.
    pub(super) fn close(
        &mut self,
        now: Duration,
        hint: Option<Duration>,
        is_late: bool,
        jitter: u64,
    ) -> Duration {
        let wait = hint.map_or_else(
            || {
                let doublings = self.unhinted.saturating_sub(u32::from(is_late)).min(5);
                UNHINTED_PAUSE * 2_u32.saturating_pow(doublings)
            },
            |hint| hint + HINT_MARGIN,
        );
        self.opens = self.opens.max(now + wait + Duration::from_nanos(nanos(WINDOW_MARGIN) * jitter / 1000));
        self.unhinted += u32::from(hint.is_none() && !is_late);
        wait
    }
}
