//! Sends reads as fast as the rate limits allow, and retries failed ones.
//!
//! This module makes no decisions of its own. [`super::flow`] decides when to send a request and whether to resend it, and
//! [`super::observe`] and [`super::inquiry`] decide what to read.

use std::any::Any;
use std::cell::RefCell;
use std::fmt::Debug;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use super::client::Reader;
use super::failure::Failure;
use super::flow::FlowControl;
use super::inquiry::{Budget, Inquiry};
use super::observe::{Ask, Wanted, observe};
use super::pace::{Feedback, SendTime};
use super::request::{Attempt, Endpoint, Outgoing, ReadRequest};
use super::retry::{ATTEMPTS, ATTEMPTS_AT_OPTIONAL_READ, Failures, Retry};
use super::trace::Trace;
use crate::clock::Clock;
use crate::observed::ObservedState;
use crate::plan::blame::Drift;
use crate::problem::Problem;
use crate::roster::Region;

/// The state of the organization and when it was read.
#[derive(Debug)]
pub struct Observation {
    pub state: ObservedState,
    /// The time from the start of the run until just before the first request was sent. Before a write, an apply uses it to decide
    /// whether a user's data is too old and must be read again.
    pub read_at: Duration,
}

/// Shows the user how long a run is waiting.
pub trait ShowWait: Debug {
    /// Announces a wait with its reason and length. Dropping the result marks the end of the wait.
    fn begin(&self, why: &str, wait: Duration) -> Box<dyn Any>;
}

/// A [`Reader`] that stays within the rate limits of a run and retries failed reads.
#[derive(Debug)]
pub struct PacedReader {
    reader: Reader,
    clock: Clock,
    flow: RefCell<FlowControl>,
    /// Notifies waiting requests when a pending request has been answered or dropped.
    answered: Notify,
    /// Displays waits of at least [`SHORTEST_REPORTED_WAIT`], unless `-v` already logs them.
    waits: Box<dyn ShowWait>,
}

const SHORTEST_REPORTED_WAIT: Duration = Duration::from_secs(3);

impl PacedReader {
    /// Starts a run. If the trace is off, `waits` displays any wait of three seconds or longer.
    pub fn new(reader: Reader, clock: Clock, flow: FlowControl, waits: Box<dyn ShowWait>) -> Self {
        Self { reader, clock, flow: RefCell::new(flow), answered: Notify::new(), waits }
    }

    /// Returns the reader and the flow control (which has counted all requests so far) for use by an apply.
    pub fn into_parts(self) -> (Reader, FlowControl) {
        (self.reader, self.flow.into_inner())
    }

    /// Reads the organization's roles and users, and records when reading began.
    ///
    /// # Errors
    /// Returns an error if anything could not be read completely or if the organization isn't the pinned one.
    pub async fn observe(&self, wanted: &Wanted<'_>) -> Result<Observation, Problem> {
        let read_at = self.clock.elapsed();
        let state = Box::pin(observe(self, wanted)).await.map_err(|error| error.problem(self.region()))?;
        Ok(Observation { state, read_at })
    }

    /// Searches the audit log for the users who set the values in `drift`, such as the values that a plan changes. Returns
    /// partial results after two minutes.
    pub async fn inquire<'a>(&self, drift: Drift<'a>) -> Inquiry<'a> {
        let rate_limit = self.flow.borrow().pacing.limit(Endpoint::Audit);
        self.inquire_within(Budget::of_plan(rate_limit), drift).await
    }

    /// Like [`Self::inquire`], but for the values of everyone in the organization. Returns partial results when the time for an
    /// access review is up ([`Budget::OF_REVIEW`]).
    pub async fn inquire_about_all<'a>(&self, drift: Drift<'a>) -> Inquiry<'a> {
        self.inquire_within(Budget::OF_REVIEW, drift).await
    }

    async fn inquire_within<'a>(&self, budget: Budget, drift: Drift<'a>) -> Inquiry<'a> {
        let mut inquiry = Inquiry::new(drift, budget);
        let asking = async {
            while let Some(request) = inquiry.next_request() {
                match self.read_with_retries(ATTEMPTS_AT_OPTIONAL_READ, &request).await {
                    Ok(page) => inquiry.answered(page),
                    Err(failure) => inquiry.failed(failure),
                }
            }
        };
        if timeout(budget.time, asking).await.is_err() {
            inquiry.timed_out();
        }
        inquiry
    }

    async fn read_with_retries<R: ReadRequest>(
        &self,
        attempts: u32,
        request: &R,
    ) -> Result<R::Response, Failure> {
        let mut failed = Failures::default();
        let mut number = 0;
        loop {
            number += 1;
            let failure = match self.read_once(request, number).await.result {
                Ok(response) => return Ok(response),
                Err(failure) => failure,
            };
            failed.add(&failure);
            let retry = self.flow.borrow_mut().retries.retry_read(self.clock.elapsed(), &failure, failed);
            match retry {
                Retry::At(at) if failed.counted < attempts => {
                    self.wait(at, &failure.line()).await;
                }
                Retry::At(_) | Retry::No(_) => return Err(failure),
            }
        }
    }

    /// Makes one attempt as soon as the rate limit allows. `number` is the attempt's number for the trace, starting at 1.
    pub async fn read_once<R: ReadRequest>(&self, request: &R, number: u32) -> Attempt<R::Response> {
        let outgoing = request.outgoing();
        let endpoint = outgoing.endpoint;
        let sent = self.wait_for_turn(&outgoing).await;
        let mut under_way = ReadUnderWay { reader: self, endpoint, sent, is_answered: false };
        let attempt = self.reader.read(request, number).await;
        self.flow.borrow_mut().answered(endpoint, self.clock.elapsed(), sent, &attempt);
        under_way.is_answered = true;
        attempt
    }

    /// Waits for the rate limit, counts the request as sent, and returns the current time.
    async fn wait_for_turn(&self, outgoing: &Outgoing) -> Duration {
        loop {
            let now = self.clock.elapsed();
            let answered = self.answered.notified();
            let send_time = self.flow.borrow_mut().pacing.pacer(outgoing.endpoint).send_time(now);
            match send_time {
                SendTime::Now => {
                    self.flow.borrow_mut().pacing.pacer(outgoing.endpoint).sent(now);
                    return now;
                }
                SendTime::At(at) => {
                    self.wait(at, &format!("{} waits for the rate limit", outgoing.asked())).await;
                }
                SendTime::AfterAnswer => answered.await,
            }
        }
    }

    async fn wait(&self, until: Duration, why: &str) {
        let wait = until.saturating_sub(self.clock.elapsed());
        let mut shown = None;
        if self.trace().is_on() {
            self.trace().wait(wait, why);
        } else if wait >= SHORTEST_REPORTED_WAIT {
            shown = Some(self.waits.begin(why, wait));
        }
        tokio::time::sleep(wait).await;
        drop(shown);
    }

    pub fn trace(&self) -> Trace {
        self.reader.trace()
    }

    /// Returns the region of the host, or `None` for a custom host.
    pub fn region(&self) -> Option<Region> {
        self.reader.base().region()
    }

    pub fn host(&self) -> String {
        self.reader.base().host()
    }
}

/// A pending request and its slot in the rate limit. If another request fails, this one may be dropped before it's answered. Its
/// slot must then be freed one window later, as after a lost response. Otherwise, a later request might wait for the slot
/// forever.
struct ReadUnderWay<'r> {
    reader: &'r PacedReader,
    endpoint: Endpoint,
    sent: Duration,
    is_answered: bool,
}

impl Drop for ReadUnderWay<'_> {
    fn drop(&mut self) {
        let Self { reader, endpoint, sent, is_answered } = self;
        if !*is_answered {
            let mut flow = reader.flow.borrow_mut();
            let jitter = flow.retries.jitter();
            flow.pacing.pacer(*endpoint).answered(reader.clock.elapsed(), *sent, Feedback::Lost, jitter);
        }
        reader.answered.notify_waiters();
    }
}

impl Ask for PacedReader {
    async fn ask<R: ReadRequest>(&self, request: &R) -> Result<R::Response, Failure> {
        self.read_with_retries(ATTEMPTS, request).await
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::super::address::BaseUrl;
    use super::super::network::{Route, Variables};
    use super::super::pace::Pacing;
    use super::super::request::Me;
    use super::super::roots::Roots;
    use super::super::token::Token;
    use super::*;

    #[derive(Debug)]
    struct Hidden;

    impl ShowWait for Hidden {
        fn begin(&self, _: &str, _: Duration) -> Box<dyn Any> {
            Box::new(())
        }
    }

    #[test]
    fn a_dropped_request_frees_its_slot() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap(); // accepts connections but never responds
        let base = BaseUrl::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let clock = Clock::start(None);
        let route = Route::choose(&base, &Variables::default()).unwrap();
        let (token, trace) = (Token::new("a-token").unwrap(), Trace::new(clock, None));
        let reader = Reader::new(base, token, route, &Roots::NotNeeded, clock, trace).unwrap();
        let pacing = Pacing::new(&[(Endpoint::Me, 1)]);
        let flow = FlowControl::new(pacing, clock.elapsed(), fastrand::Rng::with_seed(0));
        let reader = PacedReader::new(reader, clock, flow, Box::new(Hidden));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let dropped = timeout(Duration::from_millis(20), reader.read_once(&Me, 1)).await;
            assert!(dropped.is_err(), "nothing answers");
        });
        let next = reader.flow.borrow_mut().pacing.pacer(Endpoint::Me).send_time(clock.elapsed());
        assert!(matches!(next, SendTime::At(_)), "{next:?}");
    }
}
