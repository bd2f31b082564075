//! Sends reads: each when its rate limit allows, and again if that may help.
//!
//! It only acts. [`super::pace`] decides when a request may be sent, [`super::retry`] whether it is sent again,
//! [`super::observe`] and [`super::inquiry`] what is asked.

use std::cell::RefCell;
use std::time::Duration;

use tokio::time::timeout;

use super::client::Reader;
use super::failure::Failure;
use super::inquiry::{self, Inquiry};
use super::observe::{Ask, Wanted, observe};
use super::pace::{Pacing, Told, Turn};
use super::request::{Answer, Attempt, Endpoint, ReadRequest};
use super::retry::{ATTEMPTS, ATTEMPTS_AT_A_REMARK, Again, Failures, GiveUp, Retries};
use super::trace::Trace;
use crate::clock::Clock;
use crate::observed::ObservedState;
use crate::plan::blame::OutOfStep;
use crate::problem::Problem;
use crate::roster::Region;

/// What was read.
#[derive(Debug)]
pub struct Observation {
    /// The present state.
    pub state: ObservedState,
    /// When the oldest of its reads was sent; no write may rest on it for long.
    pub read_at: Duration,
}

/// A reader with the pacing and the retry budget of one run.
#[derive(Debug)]
pub struct Asking {
    reader: Reader,
    clock: Clock,
    pacing: RefCell<Pacing>,
    retries: RefCell<Retries>,
    rng: RefCell<fastrand::Rng>,
    /// Takes a line for each wait of three seconds or more: its reason and its end.
    tell: fn(&str),
}

/// Shorter waits are not worth a word.
const WORTH_SAYING: Duration = Duration::from_secs(3);

impl Asking {
    /// Begins a run. `tell` takes a line for each wait of three seconds or more.
    pub fn new(reader: Reader, clock: Clock, pacing: Pacing, rng: fastrand::Rng, tell: fn(&str)) -> Self {
        let retries = Retries::new(clock.elapsed());
        Self {
            reader,
            clock,
            pacing: RefCell::new(pacing),
            retries: RefCell::new(retries),
            rng: RefCell::new(rng),
            tell,
        }
    }

    /// Returns the reader, and what the run has spent of its rate limits: an apply continues with both.
    pub fn into_parts(self) -> (Reader, Pacing, fastrand::Rng) {
        (self.reader, self.pacing.into_inner(), self.rng.into_inner())
    }

    /// Reads the organization.
    ///
    /// # Errors
    /// Something could not be read completely, or it is not the pinned organization.
    pub async fn observe(&self, wanted: &Wanted<'_>) -> Result<Observation, Problem> {
        let read_at = self.clock.elapsed();
        let state = Box::pin(observe(self, wanted)).await.map_err(|unread| unread.problem(self.region()))?;
        Ok(Observation { state, read_at })
    }

    /// Asks the audit log who made the differences. It stops after a bounded time, with what it has found until then.
    pub async fn inquire<'a>(&self, out_of_step: OutOfStep<'a>) -> Inquiry<'a> {
        let limit = self.pacing.borrow().limit(Endpoint::Audit);
        let mut inquiry = Inquiry::new(out_of_step, limit);
        let asking = async {
            while let Some(request) = inquiry.next_request() {
                match self.ask_up_to(ATTEMPTS_AT_A_REMARK, &request).await {
                    Ok(Answer::Entries(page)) => inquiry.answered(page),
                    Ok(other) => unreachable!("the audit log is decoded as entries, not as {other:?}"),
                    Err(failure) => inquiry.failed(failure),
                }
            }
        };
        if timeout(inquiry::LONGEST, asking).await.is_err() {
            inquiry.timed_out();
        }
        inquiry
    }

    /// One read, until it is answered or not worth asking again.
    async fn ask_up_to(&self, attempts: u32, request: &ReadRequest) -> Result<Answer, Failure> {
        let mut failed = Failures::default();
        for number in 1.. {
            let attempt = self.once(request, number).await;
            let now = self.clock.elapsed();
            let failure = match attempt.result {
                Ok(answer) => {
                    self.retries.borrow_mut().succeeded(now);
                    return Ok(answer);
                }
                Err(failure) => failure,
            };
            failed.add(&failure);
            let again = self.again(now, &failure, failed);
            match if failed.counted < attempts { again } else { Again::No(GiveUp::Attempts) } {
                Again::At(at) => {
                    self.tell_of_wait(at, &failure.line());
                    self.sleep_until(at).await;
                }
                Again::No(_) => return Err(failure),
            }
        }
        unreachable!("a request is given up long before")
    }

    /// One attempt, in its turn; `number` counts from 1.
    pub async fn once(&self, request: &ReadRequest, number: u32) -> Attempt<Answer> {
        self.wait_for_turn(request).await;
        let sent = self.clock.elapsed();
        let attempt = self.reader.read(request, number).await;
        let now = self.clock.elapsed();
        let jitter = self.rng.borrow_mut().u64(0..1000);
        self.pacing.borrow_mut().of(request.endpoint()).answered(now, sent, Told::by(&attempt), jitter);
        attempt
    }

    /// Where the requests are traced.
    pub fn trace(&self) -> Trace {
        self.reader.trace()
    }

    /// The region whose own host is asked, if it is one.
    pub fn region(&self) -> Option<Region> {
        self.reader.base().region()
    }

    /// The host that is asked.
    pub fn host(&self) -> String {
        self.reader.base().host()
    }

    fn again(&self, now: Duration, failure: &Failure, failed: Failures) -> Again {
        let mut retries = self.retries.borrow_mut();
        retries.failed(failure);
        retries.read_again(now, failure, failed, &mut self.rng.borrow_mut())
    }

    async fn wait_for_turn(&self, request: &ReadRequest) {
        loop {
            let now = self.clock.elapsed();
            let turn = self.pacing.borrow_mut().of(request.endpoint()).turn(now);
            match turn {
                Turn::Now => break self.pacing.borrow_mut().of(request.endpoint()).sent(now),
                Turn::At(at) => {
                    self.tell_of_wait(at, &format!("{} waits for its turn", request.asked()));
                    self.sleep_until(at).await;
                }
                // A slot comes back a window after an answer, so looking again every so often costs nothing.
                Turn::AfterAnswer => self.sleep_until(now + Duration::from_millis(100)).await,
            }
        }
    }

    fn tell_of_wait(&self, until: Duration, why: &str) {
        let wait = until.saturating_sub(self.clock.elapsed());
        if self.reader.trace().is_on() {
            self.reader.trace().wait(wait, why);
        } else if wait >= WORTH_SAYING {
            (self.tell)(&format!("{why}; goes on at {}", self.clock.time_of_day_after(wait)));
        }
    }

    async fn sleep_until(&self, at: Duration) {
        tokio::time::sleep(at.saturating_sub(self.clock.elapsed())).await;
    }
}

impl Ask for Asking {
    async fn ask(&self, request: &ReadRequest) -> Result<Answer, Failure> {
        self.ask_up_to(ATTEMPTS, request).await
    }
}
