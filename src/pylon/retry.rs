//! Decides whether to retry a request and how long to wait first. The decision depends only on the failures, the current time,
//! and a random number for the jitter.
//!
//! Pauses follow exponential backoff with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"). A retry budget
//! limits the load on a service that is down.

use std::time::Duration;

use super::failure::{Class, Failure, FailureCause};

/// The maximum number of attempts per request, including the first.
pub const ATTEMPTS: u32 = 10;
/// The maximum number of attempts per request as long as the host has never responded. It's low so that a wrong host is reported
/// within seconds.
const ATTEMPTS_UNANSWERED: u32 = 4;
/// The maximum number of attempts for an optional read. A plan can do without it, so it isn't worth a minute's wait.
pub const ATTEMPTS_AT_OPTIONAL_READ: u32 = 3;
/// The maximum number of attempts for a read that keeps returning 2xx with an unexpected body, since repeating it rarely helps.
const ATTEMPTS_AT_A_WRONG_SHAPE: u32 = 3;
/// The maximum number of attempts for a page without data that claims to be followed by another page. Repeating the request
/// usually helps.
const ATTEMPTS_AT_A_PAGE_WITHOUT_DATA: u32 = 4;
/// The longest pause that the server can request without ending the run.
pub const LONGEST_HINT: Duration = Duration::from_secs(300);
/// The run ends if no request succeeds for this long after a failure.
pub const LONGEST_SILENCE: Duration = Duration::from_secs(300);
const FIRST_BOUND: Duration = Duration::from_millis(500);
const LARGEST_BOUND: Duration = Duration::from_secs(30);
/// The number of retries available at the start of a run. Each success adds half a retry.
const BUDGET: u64 = 100;

/// The retry state of one run: its budget, its failures, and the pauses requested by the server.
#[derive(Debug, Clone)]
pub struct Retries {
    /// The remaining budget, in halves of a retry.
    budget: u64,
    any_answer: bool,
    /// The time of the first failure since the last success. Silence is measured from here so that time without any attempt, such
    /// as at a prompt or while the machine sleeps, doesn't count.
    failing_since: Option<Duration>,
    /// End of the longest pause requested by the server.
    paused_until: Duration,
    rng: fastrand::Rng,
}

/// The number of failures of one request so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Failures {
    /// The number of failures, not counting 429s.
    pub counted: u32,
    /// The number of failures in `counted` for which the response reported success but was unusable.
    pub unusable: u32,
}

impl Failures {
    /// Counts a failure unless it's a 429. A 429 means that the request was not carried out, and the pacing decides when to
    /// resend it.
    pub fn add(&mut self, failure: &Failure) {
        self.counted += u32::from(failure.class() != Class::Throttled);
        let is_unusable = matches!(
            failure.cause,
            FailureCause::WrongShape(_) | FailureCause::TooSlow(_) | FailureCause::PageWithoutData
        );
        self.unusable += u32::from(is_unusable);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    At(Duration),
    No(GiveUp),
}

/// The reason for not retrying a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GiveUp {
    /// The request has used up its attempts.
    Attempts,
    /// The run has used up its retry budget.
    Budget,
    /// No request has succeeded for [`LONGEST_SILENCE`].
    Silence,
    /// The server asked for a pause longer than [`LONGEST_HINT`].
    LongPause,
    Final,
}

impl Retries {
    /// Starts a run at `now`. All of the run's randomness comes from `rng`.
    pub fn new(now: Duration, rng: fastrand::Rng) -> Self {
        Self { budget: BUDGET * 2, any_answer: false, failing_since: None, paused_until: now, rng }
    }

    /// Resets the retries at `now` for another phase of the run, after a phase in which the host has responded.
    pub fn restart_answered(&mut self, now: Duration) {
        *self = Self { any_answer: true, ..Self::new(now, self.rng.clone()) };
    }

    /// Draws the jitter for one response, in thousandths (0 to 999).
    pub fn jitter(&mut self) -> u64 {
        self.rng.u64(0..1000)
    }

    /// Refills the budget for another phase of the run.
    pub fn refill(&mut self) {
        self.budget = self.budget.max(BUDGET * 2);
    }

    /// Records a failed request and whether the host responded to it.
    pub fn failed(&mut self, now: Duration, failure: &Failure) {
        self.failing_since.get_or_insert(now);
        self.any_answer |= failure.was_answered();
    }

    pub fn succeeded(&mut self) {
        self.any_answer = true;
        self.budget += 1;
        self.failing_since = None;
    }

    /// Returns `true` if a request failed at least [`LONGEST_SILENCE`] ago and no request has succeeded since. Pauses requested
    /// by the server extend that limit by up to [`LONGEST_HINT`] in total.
    pub fn is_silent(&self, now: Duration) -> bool {
        now >= self.silent_at()
    }

    /// Returns the time at which [`Self::is_silent`] becomes true unless a request succeeds first. If no request has failed since
    /// the last success, that's [`Duration::MAX`].
    pub fn silent_at(&self) -> Duration {
        let Some(since) = self.failing_since else { return Duration::MAX };
        let pause = self.paused_until.saturating_sub(since).min(LONGEST_HINT);
        since + LONGEST_SILENCE + pause
    }

    /// Decides whether to resend a read. `failed` counts the read's failures, including the latest one, `failure`. A read can be
    /// resent even after an ambiguous failure.
    pub fn retry_read(&mut self, now: Duration, failure: &Failure, failed: Failures) -> Retry {
        let unusable = match failure.cause {
            FailureCause::WrongShape(_) => ATTEMPTS_AT_A_WRONG_SHAPE,
            FailureCause::PageWithoutData => ATTEMPTS_AT_A_PAGE_WITHOUT_DATA,
            FailureCause::TooSlow(_) => 1, // the attempt took a minute, and so would the next one
            _ => u32::MAX,
        };
        if failed.unusable >= unusable {
            return Retry::No(GiveUp::Attempts);
        }
        match failure.class() {
            Class::Throttled => self.retry_throttled(now, failure.hint()),
            Class::NotSent | Class::Ambiguous => self.retry(now, failed.counted),
            Class::Rejected | Class::Forbidden | Class::TooLarge | Class::Fatal => Retry::No(GiveUp::Final),
        }
    }

    /// Decides whether to resend a request after a 429, which doesn't count as an attempt. The pacing decides when to resend it.
    pub fn retry_throttled(&mut self, now: Duration, hint: Option<Duration>) -> Retry {
        if hint.is_some_and(|hint| hint > LONGEST_HINT) {
            Retry::No(GiveUp::LongPause)
        } else if self.is_silent(now) {
            Retry::No(GiveUp::Silence)
        } else {
            self.paused_until = self.paused_until.max(now + hint.unwrap_or_default());
            Retry::At(now)
        }
    }

    /// Decides whether to resend a request that has failed `failed` times.
    pub fn retry(&mut self, now: Duration, failed: u32) -> Retry {
        let attempts = if self.any_answer { ATTEMPTS } else { ATTEMPTS_UNANSWERED };
        if failed >= attempts {
            return Retry::No(GiveUp::Attempts);
        }
        if self.is_silent(now) {
            return Retry::No(GiveUp::Silence);
        }
        let Some(left) = self.budget.checked_sub(2) else {
            return Retry::No(GiveUp::Budget);
        };
        self.budget = left;
        Retry::At(now + self.backoff(failed))
    }

    /// Draws the pause after failure number `failed`, with full jitter: uniform in [0, min(30 s, 0.5 s · 2ⁿ)], where n is
    /// `failed` − 1.
    pub fn backoff(&mut self, failed: u32) -> Duration {
        let doubled = FIRST_BOUND.saturating_mul(2_u32.saturating_pow(failed.saturating_sub(1)));
        let bound = doubled.min(LARGEST_BOUND);
        Duration::from_nanos(self.rng.u64(0..=u64::try_from(bound.as_nanos()).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::super::failure::{Obstacle, Refusal, WrongShape};
    use super::*;
    use crate::pylon::PylonCode;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn retries(now: Duration) -> Retries {
        Retries::new(now, fastrand::Rng::with_seed(1))
    }

    fn answered() -> Retries {
        let mut retries = super::tests::retries(seconds(0));
        retries.restart_answered(seconds(0));
        retries
    }

    fn failure(cause: FailureCause) -> Failure {
        Failure { asked: "GET /me".into(), cause, request_id: None }
    }

    fn obstacle() -> Obstacle {
        Obstacle { code: PylonCode::BadCertificate, why: "it expired".into(), help: "renew it".into() }
    }

    fn refused(status: u16) -> Failure {
        failure(Refusal { status, ..Refusal::default() }.into())
    }

    #[test]
    fn the_bound_of_the_pause_doubles_up_to_thirty_seconds() {
        for (failed, bound) in
            [(0, 500), (1, 500), (2, 1_000), (3, 2_000), (6, 16_000), (7, 30_000), (8, 30_000), (900, 30_000)]
        {
            let bound = Duration::from_millis(bound);
            let mut retries = super::tests::retries(seconds(0));
            let pauses: Vec<Duration> = (0..2_000).map(|_| retries.backoff(failed)).collect();
            let (shortest, longest) = (pauses.iter().min().unwrap(), pauses.iter().max().unwrap());
            assert!(*longest <= bound && *longest > bound * 9 / 10, "{failed}: {longest:?} of {bound:?}");
            assert!(*shortest < bound / 10, "{failed}: {shortest:?} of {bound:?}");
        }
    }

    #[test]
    fn a_request_has_four_attempts_until_the_host_answers_and_then_ten() {
        let attempts = |retries: &mut Retries| {
            (1..100).find(|failed| retries.retry(seconds(0), *failed) == Retry::No(GiveUp::Attempts))
        };
        let mut silent = retries(seconds(0));
        silent.failed(seconds(0), &failure(FailureCause::NoAnswer("reset".into())));
        silent.failed(seconds(0), &failure(FailureCause::NotSent("refused".into())));
        assert_eq!(attempts(&mut silent), Some(ATTEMPTS_UNANSWERED));
        silent.failed(seconds(0), &refused(500));
        assert_eq!(attempts(&mut silent), Some(ATTEMPTS), "an error counts as an answer");
        assert_eq!(attempts(&mut answered()), Some(ATTEMPTS));
        let mut succeeded = retries(seconds(0));
        succeeded.succeeded();
        assert_eq!(attempts(&mut succeeded), Some(ATTEMPTS));
    }

    #[test]
    fn a_run_has_a_hundred_retries_and_each_success_adds_half_a_retry() {
        let mut retries = super::tests::retries(seconds(0));
        let left = |retries: &mut Retries| {
            (0..1000).find(|_| retries.retry(seconds(0), 1) == Retry::No(GiveUp::Budget))
        };
        assert_eq!(left(&mut retries), Some(100));
        (0..7).for_each(|_| retries.succeeded());
        assert_eq!(left(&mut retries), Some(3));
    }

    #[test]
    fn five_minutes_without_a_success_end_the_run_except_for_one_requested_pause() {
        let hint = |seconds| Some(Duration::from_secs(seconds));
        let mut retries = super::tests::retries(seconds(0));
        retries.failed(seconds(10), &refused(500));
        retries.failed(seconds(20), &refused(500));
        assert!(!retries.is_silent(seconds(309)));
        assert!(retries.is_silent(seconds(310)));
        assert_eq!(retries.clone().retry_throttled(seconds(10), hint(300)), Retry::At(seconds(10)));
        retries.succeeded();
        assert!(!retries.is_silent(seconds(99_999)), "nothing has failed since the last success");
        retries.failed(seconds(100), &refused(429));
        assert!(!retries.is_silent(seconds(399)));
        assert_eq!(retries.retry_throttled(seconds(100), hint(290)), Retry::At(seconds(100)));
        assert!(!retries.is_silent(seconds(689)));
        assert!(retries.is_silent(seconds(690)));
        assert_eq!(retries.retry_throttled(seconds(391), hint(290)), Retry::At(seconds(391)));
        assert!(retries.is_silent(seconds(700)), "repeated pauses count as silence");
        assert_eq!(retries.retry_throttled(seconds(700), hint(1)), Retry::No(GiveUp::Silence));
        assert_eq!(retries.retry_throttled(seconds(700), hint(301)), Retry::No(GiveUp::LongPause));
        assert_eq!(retries.retry(seconds(700), 1), Retry::No(GiveUp::Silence));
    }

    #[test]
    fn a_read_is_retried_only_if_that_may_help() {
        for (failure, is_again) in [
            (failure(FailureCause::NotSent(String::new())), true),
            (failure(FailureCause::NoAnswer(String::new())), true),
            (failure(FailureCause::WrongShape(WrongShape::default())), true),
            (failure(FailureCause::PageWithoutData), true),
            (failure(FailureCause::TooSlow(1024)), false),
            (failure(FailureCause::Blocked(Box::new(obstacle()))), false),
            (refused(429), true),
            (refused(409), true),
            (refused(500), true),
            (refused(501), false),
            (refused(404), false),
            (refused(403), false),
            (refused(401), false),
            (refused(413), false),
        ] {
            let mut failed = Failures::default();
            failed.add(&failure);
            let again = retries(seconds(0)).retry_read(seconds(0), &failure, failed);
            assert_eq!(matches!(again, Retry::At(_)), is_again, "{failure:?}");
            let gave_up = matches!(again, Retry::No(GiveUp::Final | GiveUp::Attempts));
            assert!(is_again || gave_up, "{failure:?}");
        }
    }

    #[test]
    fn an_unusable_success_is_retried_a_few_times_within_five_seconds() {
        for (cause, attempts) in
            [(FailureCause::WrongShape(WrongShape::default()), 3), (FailureCause::PageWithoutData, 4)]
        {
            let failure = failure(cause);
            let mut retries = answered();
            let (mut failed, mut now) = (Failures::default(), seconds(0));
            // Earlier failures of other kinds don't count.
            (0..4).for_each(|_| failed.add(&refused(500)));
            let mut sent = 0;
            loop {
                sent += 1;
                failed.add(&failure);
                match retries.retry_read(now, &failure, Failures { counted: failed.unusable, ..failed }) {
                    Retry::At(at) => now = at,
                    Retry::No(gave_up) => break assert_eq!(gave_up, GiveUp::Attempts),
                }
            }
            assert_eq!(sent, attempts, "{failure:?}");
            assert!(now <= seconds(5), "{now:?}");
        }
    }
}
