//! Flow control of one run: when a request may be sent, what its response shows, and whether it is sent again.
//!
//! Pure: the time is an input. Two loops use it. [`super::PacedReader`] sends the reads of a plan as futures. The loop of
//! `apply::machine` is a state machine, so that a test can drive it through every event. One loop for both would turn the
//! reads of a plan into a second state machine. So the loops share only these steps:
//!
//! 1. [`FlowControl::pacing`] says when a request may be sent, and counts it.
//! 2. [`FlowControl::answered`] learns from the response.
//! 3. [`FlowControl::retries`] says whether it is sent again, and when.

use std::time::Duration;

use super::pace::{Feedback, Pacing};
use super::request::{Attempt, Endpoint};
use super::retry::Retries;

/// The pacing and the retries of one run.
#[derive(Debug, Clone)]
pub struct FlowControl {
    pub pacing: Pacing,
    pub retries: Retries,
}

impl FlowControl {
    /// Starts a run at `now`. All randomness of the run comes from `rng`.
    pub fn new(pacing: Pacing, now: Duration, rng: fastrand::Rng) -> Self {
        Self { pacing, retries: Retries::new(now, rng) }
    }

    /// Learns from the response to a request that was sent at `sent`, or from the lack of a response.
    pub fn answered<T>(&mut self, endpoint: Endpoint, now: Duration, sent: Duration, attempt: &Attempt<T>) {
        let jitter = self.retries.jitter();
        self.pacing.pacer(endpoint).answered(now, sent, Feedback::of_attempt(attempt), jitter);
        match &attempt.result {
            Ok(_) => self.retries.succeeded(now),
            Err(failure) => self.retries.failed(failure),
        }
    }
}
