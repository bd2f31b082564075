//! Controls the flow of a run: schedules requests, learns from the responses, and handles retries.
//!
//! This module is pure (the time is an argument) and shared by two loops. [`super::PacedReader`] sends a plan's reads as
//! futures, whereas `apply::machine` is a state machine so that tests can drive it through every event. Merging the loops would
//! turn the plan's reads into a second state machine, so the loops share only these steps:
//!
//! 1. [`FlowControl::pacing`] decides when a request may be sent and counts it.
//! 2. [`FlowControl::answered`] processes the response.
//! 3. [`FlowControl::retries`] decides whether and when to resend the request.

use std::time::Duration;

use super::pace::{Feedback, Pacing};
use super::request::{Attempt, Endpoint};
use super::retry::Retries;

/// The pacing and retries of one run.
#[derive(Debug, Clone)]
pub struct FlowControl {
    pub pacing: Pacing,
    pub retries: Retries,
}

impl FlowControl {
    /// Starts a run at `now`. All of the run's randomness comes from `rng`.
    pub fn new(pacing: Pacing, now: Duration, rng: fastrand::Rng) -> Self {
        Self { pacing, retries: Retries::new(now, rng) }
    }

    /// Processes the response to a request that was sent at `sent`, or the lack of a response.
    pub fn answered<T>(&mut self, endpoint: Endpoint, now: Duration, sent: Duration, attempt: &Attempt<T>) {
        let jitter = self.retries.jitter();
        self.pacing.pacer(endpoint).answered(now, sent, Feedback::of_attempt(attempt), jitter);
        match &attempt.result {
            Ok(_) => self.retries.succeeded(),
            Err(failure) => self.retries.failed(now, failure),
        }
    }
}
