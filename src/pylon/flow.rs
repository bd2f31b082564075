//! Flow control of one run: when a request may be sent, what its response teaches, and whether it is sent again.
//!
//! Pure: it is told the time. Two loops use it. [`super::PacedReader`] sends the reads of a plan, which wait for each
//! other as futures. `apply::machine` sends a plan as a value that a test can drive through every event. One loop for
//! both would turn the plan's reads into a second state machine, so the loops share these steps instead:
//!
//! 1. [`FlowControl::send_time`]: may a request be sent? Then [`FlowControl::sent`].
//! 2. [`FlowControl::answered`]: learn from the response.
//! 3. [`FlowControl::retry_read`] and [`FlowControl::retry`]: is it sent again, and when?

use std::time::Duration;

use super::failure::Failure;
use super::pace::{Feedback, Pacing, SendTime};
use super::request::{Attempt, Endpoint};
use super::retry::{Failures, Retries, Retry, backoff};

/// The pacing, the retries, and the randomness of one run.
#[derive(Debug, Clone)]
pub struct FlowControl {
    pacing: Pacing,
    retries: Retries,
    rng: fastrand::Rng,
}

impl FlowControl {
    /// Starts a run at `now`.
    pub fn new(pacing: Pacing, now: Duration, rng: fastrand::Rng) -> Self {
        Self { pacing, retries: Retries::new(now), rng }
    }

    /// Starts the apply of a plan at `now`, with a full budget of retries. The requests that made the plan still count
    /// against the rate limits.
    pub fn begin_apply(&mut self, now: Duration) {
        self.retries = Retries::of_an_answered_run(now); // the plan was made of responses
    }

    /// Fills the budget of retries for another part of the run.
    pub fn refill_retries(&mut self) {
        self.retries.refill();
    }

    /// Returns the requests per minute that are assumed to be allowed.
    pub fn rate_limit(&self, endpoint: Endpoint) -> u64 {
        self.pacing.limit(endpoint)
    }

    /// Returns whether a 429 has shown that the assumed rate limit is wrong.
    pub fn is_throttled(&self, endpoint: Endpoint) -> bool {
        self.pacing.is_throttled(endpoint)
    }

    /// Returns how many requests could be sent within `span` from now, at least one.
    pub fn capacity(&mut self, endpoint: Endpoint, now: Duration, span: Duration) -> u64 {
        self.pacing.pacer(endpoint).capacity(now, span)
    }

    /// Returns when the next request to `endpoint` may be sent.
    pub fn send_time(&mut self, endpoint: Endpoint, now: Duration) -> SendTime {
        self.pacing.pacer(endpoint).send_time(now)
    }

    /// Notes that a request is sent.
    pub fn sent(&mut self, endpoint: Endpoint, now: Duration) {
        self.pacing.pacer(endpoint).sent(now);
    }

    /// Notes that a request was not sent, although [`Self::sent`] has counted it.
    pub fn withdrawn(&mut self, endpoint: Endpoint) {
        self.pacing.pacer(endpoint).withdrawn();
    }

    /// Learns from the response to a request that was sent at `sent`, or from the lack of a response.
    pub fn answered<T>(&mut self, endpoint: Endpoint, now: Duration, sent: Duration, attempt: &Attempt<T>) {
        let jitter = self.rng.u64(0..1000);
        self.pacing.pacer(endpoint).answered(now, sent, Feedback::of_attempt(attempt), jitter);
        match &attempt.result {
            Ok(_) => self.retries.succeeded(now),
            Err(failure) => self.retries.failed(failure),
        }
    }

    /// Decides whether to send a read again. `failed` counts its failures, including the last one, which is `failure`.
    pub fn retry_read(&mut self, now: Duration, failure: &Failure, failed: Failures) -> Retry {
        self.retries.retry_read(now, failure, failed, &mut self.rng)
    }

    /// Decides whether to send a request again that has failed `failed` times and certainly was not carried out.
    pub fn retry(&mut self, now: Duration, failed: u32) -> Retry {
        self.retries.retry(now, failed, &mut self.rng)
    }

    /// Decides whether to send a request again after a 429.
    pub fn retry_throttled(&mut self, now: Duration, failure: &Failure) -> Retry {
        self.retries.retry_throttled(now, failure.hint())
    }

    /// Draws a pause after `failed` failures.
    pub fn backoff(&mut self, failed: u32) -> Duration {
        backoff(failed, &mut self.rng)
    }

    /// Returns when nothing will have succeeded for too long, unless something succeeds before.
    pub fn silent_at(&self) -> Duration {
        self.retries.silent_at()
    }
}
