//! Again, or not? Pure: told what happened and the time; randomness is an argument.
//!
//! Full jitter (uniform between nothing and the bound) after the AWS Architecture Blog's "Exponential Backoff And
//! Jitter"; a budget, so that a service that is down is not asked a thousand times.

use std::time::Duration;

use super::failure::{Class, Failure, Trouble};

/// Attempts at one request, the first included.
pub const ATTEMPTS: u32 = 10;
/// Attempts while nothing at all has answered yet: a wrong host should be said within seconds.
pub const ATTEMPTS_UNANSWERED: u32 = 4;
/// A server that asks for a longer pause than this is not waited for.
pub const LONGEST_HINT: Duration = Duration::from_secs(300);
/// A run in which nothing succeeds for so long is over.
pub const LONGEST_SILENCE: Duration = Duration::from_secs(300);
const FIRST_BOUND: Duration = Duration::from_millis(500);
const LARGEST_BOUND: Duration = Duration::from_secs(30);
/// Retries that a run may spend from the start; each success earns half a one.
const BUDGET: u64 = 100;

/// What one run knows about how it is going.
#[derive(Debug, Clone)]
pub struct Retries {
    /// In halves of a retry.
    budget: u64,
    any_answer: bool,
    last_success: Duration,
    /// Until when the server has asked to wait.
    paused_until: Duration,
}

/// Whether a request is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// Not before this time.
    At(Duration),
    /// No.
    No(GiveUp),
}

/// Why a request is not sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GiveUp {
    /// It was sent often enough.
    Attempts,
    /// The run has spent its retries.
    Budget,
    /// Nothing has succeeded for too long.
    Silence,
    /// The server asks for a pause that is too long to wait for.
    LongPause,
    /// It would fail again.
    Final,
}

impl Retries {
    /// A run that begins at `now`.
    pub fn new(now: Duration) -> Self {
        Self { budget: BUDGET * 2, any_answer: false, last_success: now, paused_until: now }
    }

    /// A run that goes on at `now` where another has had answers: nobody asks any more whether the host is right.
    pub fn of_an_answered_run(now: Duration) -> Self {
        Self { any_answer: true, ..Self::new(now) }
    }

    /// Something failed. Remembers whether anything answered at all.
    pub fn failed(&mut self, failure: &Failure) {
        self.any_answer |= matches!(failure.trouble, Trouble::Refused(_) | Trouble::BadAnswer(_));
    }

    /// Something succeeded.
    pub fn succeeded(&mut self, now: Duration) {
        self.any_answer = true;
        self.budget += 1;
        self.last_success = self.last_success.max(now);
    }

    /// Whether nothing has succeeded for too long. One pause that the server has asked for is no silence; a server that
    /// asks for one after the other is.
    pub fn is_silent(&self, now: Duration) -> bool {
        let pause = self.paused_until.saturating_sub(self.last_success).min(LONGEST_HINT);
        now.saturating_sub(self.last_success) >= LONGEST_SILENCE + pause
    }

    /// Whether to ask again what has failed `failed` times, this time with `failure`. For reads: what makes a write
    /// ambiguous only makes a read worth repeating.
    pub fn read_again(
        &mut self,
        now: Duration,
        failure: &Failure,
        failed: u32,
        rng: &mut fastrand::Rng,
    ) -> Again {
        match failure.class() {
            Class::Throttled => self.after_throttling(now, failure.hint()),
            Class::NotSent | Class::Ambiguous => self.again(now, failed, rng),
            Class::Rejected | Class::Forbidden | Class::TooLarge | Class::Fatal => Again::No(GiveUp::Final),
        }
    }

    /// A 429 spends no attempt: the pacer's gate says when.
    pub fn after_throttling(&mut self, now: Duration, hint: Option<Duration>) -> Again {
        if hint.is_some_and(|hint| hint > LONGEST_HINT) {
            Again::No(GiveUp::LongPause)
        } else if self.is_silent(now) {
            Again::No(GiveUp::Silence)
        } else {
            self.paused_until = self.paused_until.max(now + hint.unwrap_or_default());
            Again::At(now)
        }
    }

    /// Whether to send a request again that has failed `failed` times, and when.
    pub fn again(&mut self, now: Duration, failed: u32, rng: &mut fastrand::Rng) -> Again {
        let attempts = if self.any_answer { ATTEMPTS } else { ATTEMPTS_UNANSWERED };
        if failed >= attempts {
            return Again::No(GiveUp::Attempts);
        }
        if self.is_silent(now) {
            return Again::No(GiveUp::Silence);
        }
        let Some(left) = self.budget.checked_sub(2) else {
            return Again::No(GiveUp::Budget);
        };
        self.budget = left;
        Again::At(now + backoff(failed, rng))
    }
}

/// A pause before the attempt after `failed` failures: uniform in [0, min(30 s, 0.5 s · 2ⁿ)], n counted from 0.
pub fn backoff(failed: u32, rng: &mut fastrand::Rng) -> Duration {
    let doubled = FIRST_BOUND.saturating_mul(2_u32.saturating_pow(failed.saturating_sub(1)));
    let bound = doubled.min(LARGEST_BOUND);
    Duration::from_nanos(rng.u64(0..=u64::try_from(bound.as_nanos()).unwrap_or(u64::MAX)))
}
