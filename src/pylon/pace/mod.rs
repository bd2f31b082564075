//! Schedules requests. The code is pure: its inputs are the requests, the responses, and the current time.
//!
//! Pylon counts a request when it arrives, which is some time after we send it and before we receive the response. Three
//! standard techniques keep rolecall within the rate limit:
//!
//! * `RateWindow` is a sliding window in which a request occupies a slot from when it is sent until one window after its
//!   response. No window on the server's clock can then exceed the limit, no matter what kind of limiter the server uses. (A
//!   client-side token bucket could send nearly twice the limit in the first minute.)
//! * `Gate` blocks all requests to the endpoint after a 429 for as long as the server asks, or with exponential backoff if it gives
//!   no hint.
//! * `AdaptiveRate` implements additive increase and multiplicative decrease (AIMD). A 429 proves that the assumed limit is wrong
//!   or shared with other clients. From then on, the rate follows what the server accepts, but the window still applies.
//!
//! Until the first 429, `AssumedLimit` infers the limit from the `X-Rate-Limit-Remaining` header.

use std::time::Duration;

mod gate;
mod limit;
mod rate;
mod window;

use super::failure::Class;
use super::request::{Attempt, Endpoint};
use gate::Gate;
use limit::AssumedLimit;
use rate::{AdaptiveRate, UNIT};
use window::RateWindow;

/// The period over which Pylon counts requests (Pylon API, "Rate limits": requests per minute).
pub const WINDOW: Duration = Duration::from_secs(60);

/// The pacers of all endpoints. A run has only one `Pacing`, because an apply must also count the requests sent for its plan.
#[derive(Debug, Clone)]
pub struct Pacing([Pacer; Endpoint::ALL.len()]);

impl Pacing {
    /// Creates the pacers with the documented rate limits. Entries in `rates`, in requests per minute, override them. If `rates`
    /// has several entries for an endpoint, the last one wins.
    pub fn new(rates: &[(Endpoint, u64)]) -> Self {
        let pacer = |endpoint: Endpoint| {
            let facts = endpoint.facts();
            let given = rates.iter().rev().find(|(other, _)| *other == endpoint);
            let limit = given.map_or(facts.limit, |(_, limit)| *limit);
            Pacer::new(limit).or_earlier(facts.earlier_limit)
        };
        Self(Endpoint::ALL.map(pacer))
    }

    /// Returns the endpoint's assumed rate limit, in requests per minute.
    pub fn limit(&self, endpoint: Endpoint) -> u64 {
        self.0[endpoint as usize].limit()
    }

    /// Returns `true` if a 429 has disproved the assumed limit.
    pub fn is_throttled(&self, endpoint: Endpoint) -> bool {
        self.0[endpoint as usize].rate.is_some()
    }

    pub fn pacer(&mut self, endpoint: Endpoint) -> &mut Pacer {
        &mut self.0[endpoint as usize] // `Endpoint::ALL` is in declaration order
    }
}

/// The information about the rate limit that a pacer gets from a response, or from the lack of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feedback {
    /// The request was not throttled. `remaining` is the value of `X-Rate-Limit-Remaining`.
    Accepted { remaining: Option<u64> },
    /// The response was a 429. `hint` is the delay requested by the server.
    Throttled { hint: Option<Duration> },
    /// There was no response, but the server may have counted the request.
    Lost,
}

impl Feedback {
    pub fn of_attempt<T>(attempt: &Attempt<T>) -> Self {
        let accepted = Self::Accepted { remaining: attempt.remaining };
        let Err(failure) = &attempt.result else { return accepted };
        if failure.class() == Class::Throttled {
            Self::Throttled { hint: failure.hint() }
        } else if failure.was_answered() {
            accepted
        } else {
            Self::Lost
        }
    }
}

/// The earliest time at which the next request may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendTime {
    Now,
    At(Duration),
    /// The next request must wait until a pending request has been answered.
    AfterAnswer,
}

/// Paces the requests to one endpoint.
#[derive(Debug, Clone)]
pub struct Pacer {
    limit: AssumedLimit,
    window: RateWindow,
    gate: Gate,
    /// The rate since the first 429, or `None` before it.
    rate: Option<AdaptiveRate>,
    /// A random fraction in thousandths (0 to 999), drawn for the last response.
    jitter: u64,
}

impl Pacer {
    /// Creates a pacer for `limit` requests per minute. A limit of 0 counts as 1.
    pub fn new(limit: u64) -> Self {
        Self {
            limit: AssumedLimit::new(limit.max(1)),
            window: RateWindow::default(),
            gate: Gate::default(),
            rate: None,
            jitter: 500,
        }
    }

    /// Sets the rate limit of an earlier API version, in case the responses reveal that it applies.
    #[must_use]
    pub fn or_earlier(mut self, earlier: u64) -> Self {
        self.limit.earlier = Some(earlier);
        self
    }

    pub fn limit(&self) -> u64 {
        self.limit.assumed
    }

    /// Returns the earliest time at which the next request may be sent.
    pub fn send_time(&mut self, now: Duration) -> SendTime {
        self.window.free_slots(now);
        let mut opens = self.gate.opens;
        if let Some(rate) = &mut self.rate {
            rate.raise(now, self.limit.ceiling);
            opens = opens.max(rate.next);
        }
        if now < opens {
            SendTime::At(opens)
        } else if self.window.taken() < self.allowed() {
            SendTime::Now
        } else {
            self.window.next_free().map_or(SendTime::AfterAnswer, SendTime::At)
        }
    }

    /// Records that a request is being sent.
    pub fn sent(&mut self, now: Duration) {
        self.window.in_flight += 1;
        if let Some(rate) = &mut self.rate {
            // Without jitter, two clients that share a rate limit might stay in phase, and the same one would always get throttled.
            rate.next = now + Duration::from_nanos(rate.interval() / 1000 * (950 + self.jitter / 10));
        }
    }

    /// Undoes [`Self::sent`] for a request that was not sent after all.
    pub fn withdrawn(&mut self) {
        self.window.in_flight = self.window.in_flight.saturating_sub(1);
    }

    /// Processes the response to a request sent at `sent`. `jitter` is a random fraction in thousandths (0 to 999).
    pub fn answered(&mut self, now: Duration, sent: Duration, feedback: Feedback, jitter: u64) {
        self.jitter = jitter.min(999);
        self.window.answered(now, matches!(feedback, Feedback::Accepted { .. }));
        match feedback {
            Feedback::Accepted { remaining } => {
                self.gate.unhinted = 0;
                // After a 429, the rate of accepted requests tells us more than the header does.
                if let (Some(remaining), None) = (remaining, self.rate) {
                    self.limit.learn(now, remaining, self.window.own_at(now));
                    let others = self.limit.assumed.saturating_sub(self.window.own());
                    self.window.note_others(now, others.saturating_sub(remaining));
                }
            }
            Feedback::Throttled { hint } => self.throttled(now, sent, hint),
            Feedback::Lost => {}
        }
    }

    /// Returns the number of requests that fit into the next `span` at the current rate, but at least 1.
    pub fn capacity(&self, now: Duration, span: Duration) -> u64 {
        let free = self.allowed() + self.window.free_by(now + span);
        let paced = self.rate.map_or(u64::MAX, |rate| nanos(span) / rate.interval().max(1));
        free.saturating_sub(self.window.taken()).min(paced).max(1)
    }

    /// Returns the number of slots available to us: the assumed limit or, after a 429, the higher of the current and the last
    /// good rate. This limit applies in addition to the even spacing, because requests sent in a burst also expire from the
    /// server's window in a burst.
    fn allowed(&self) -> u64 {
        self.rate.map_or(self.limit.assumed, |AdaptiveRate { rate, good, .. }| {
            (rate.max(good) / UNIT).clamp(1, self.limit.ceiling)
        })
    }

    fn throttled(&mut self, now: Duration, sent: Duration, hint: Option<Duration>) {
        // A request sent before the rate was last cut tells us nothing about the current rate.
        let is_late = self.rate.is_some_and(|rate| sent < rate.cut_at);
        let wait = self.gate.close(now, hint, is_late, self.jitter);
        let (ceiling, opens) = (self.limit.ceiling, self.gate.opens);
        let accepted = self.window.accepted(now) * UNIT;
        let rate = match self.rate {
            Some(rate) if is_late => rate,
            Some(rate) => rate.cut(now, opens, accepted),
            None => {
                self.window.others.clear();
                AdaptiveRate::first(now, opens, accepted, wait, ceiling)
            }
        };
        self.rate = Some(AdaptiveRate { next: rate.next.max(opens), ..rate });
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::window::{Slot, WINDOW_MARGIN};
    use super::*;

    const ACCEPTED: Feedback = Feedback::Accepted { remaining: None };

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn throttled(seconds: u64) -> Feedback {
        Feedback::Throttled { hint: Some(Duration::from_secs(seconds)) }
    }

    /// Sends requests one after another, starting at `from` (in ms). Each response takes 100 ms.
    fn exchange(pacer: &mut Pacer, from: u64, feedback: &[Feedback]) {
        for (number, one) in (0..).zip(feedback) {
            let sent = ms(from + number * 100);
            pacer.sent(sent);
            pacer.answered(sent + ms(100), sent, *one, 0);
        }
    }

    /// Returns a pacer for 120 requests per minute that has received a 429. `rate` and `good` are in thousandths of a request,
    /// `hold` is in seconds, and `raised_at` is in milliseconds.
    fn paced(rate: u64, good: u64, hold: u64, raised_at: u64) -> Pacer {
        let rate = AdaptiveRate {
            rate,
            good,
            cut_at: ms(0),
            raised_at: ms(raised_at),
            hold: Duration::from_secs(hold),
            next: ms(0),
        };
        Pacer { rate: Some(rate), ..Pacer::new(120) }
    }

    #[test]
    fn a_slot_is_freed_a_window_and_a_margin_after_the_response() {
        let mut pacer = Pacer::new(2);
        assert_eq!(pacer.send_time(ms(0)), SendTime::Now);
        pacer.sent(ms(0));
        assert_eq!(pacer.send_time(ms(0)), SendTime::Now);
        pacer.sent(ms(0));
        assert_eq!(pacer.send_time(ms(0)), SendTime::AfterAnswer);
        pacer.answered(ms(300), ms(0), ACCEPTED, 0);
        assert_eq!(pacer.send_time(ms(300)), SendTime::At(ms(60_800)));
        pacer.answered(ms(400), ms(0), Feedback::Lost, 0); // a lost request might have been counted and keeps its slot too
        assert_eq!(pacer.send_time(ms(60_799)), SendTime::At(ms(60_800)));
        assert_eq!(pacer.send_time(ms(60_800)), SendTime::Now);
        pacer.sent(ms(60_800));
        assert_eq!(pacer.send_time(ms(60_800)), SendTime::At(ms(60_900)));
    }

    #[test]
    fn the_gate_closes_for_the_hint_plus_a_second_plus_jitter() {
        for (hint, jitter, expected) in [
            (Some(7), 0, 8_000),
            (Some(7), 500, 8_250),
            (Some(7), 4000, 8_499),
            (Some(0), 0, 1_000),
            (None, 0, 5_000),
        ] {
            let mut pacer = Pacer::new(120);
            pacer.sent(ms(0));
            pacer.answered(ms(0), ms(0), Feedback::Throttled { hint: hint.map(Duration::from_secs) }, jitter);
            let SendTime::At(opens) = pacer.send_time(ms(0)) else { panic!("it is closed") };
            assert_eq!(opens.as_millis(), expected, "{hint:?} {jitter}");
            assert_eq!(pacer.send_time(opens), SendTime::Now);
        }
    }

    #[test]
    fn without_hints_the_pause_doubles_with_each_429_that_is_not_late() {
        let mut pacer = Pacer::new(120);
        let mut now = ms(0);
        for seconds in [5, 10, 20, 40, 80, 160, 160] {
            (0..8).for_each(|_| pacer.sent(now));
            let answered = now + ms(100);
            (0..8).for_each(|_| pacer.answered(answered, now, Feedback::Throttled { hint: None }, 0));
            let opens = answered + Duration::from_secs(seconds);
            assert_eq!(pacer.send_time(answered), SendTime::At(opens), "{seconds} s");
            now = opens;
        }
        pacer.sent(now);
        pacer.answered(now, now, ACCEPTED, 0);
        pacer.sent(now);
        pacer.answered(now, now, Feedback::Throttled { hint: None }, 0);
        assert_eq!(pacer.gate.opens, now + Duration::from_secs(5), "a success resets the pause");
    }

    #[test]
    fn after_a_429_the_rate_is_the_accepted_one_or_the_one_of_the_hint() {
        for (accepted, hint, rate) in
            [(20, 59, 20), (20, 1, 30), (0, 59, 1), (0, 300, 1), (5, 2, 20), (200, 1, 120)]
        {
            let mut pacer = Pacer::new(120);
            exchange(&mut pacer, 0, &vec![ACCEPTED; accepted]);
            exchange(&mut pacer, 30_000, &[throttled(hint)]);
            let now = pacer.rate.expect("a rate");
            assert_eq!(
                (now.rate / UNIT, now.good / UNIT),
                (rate, rate),
                "{accepted} accepted, hint {hint} s"
            );
        }
    }

    #[test]
    fn a_rate_is_raised_after_five_seconds_and_lowered_if_the_trial_fails() {
        let mut pacer = Pacer::new(120);
        exchange(&mut pacer, 0, &[ACCEPTED; 40]);
        exchange(&mut pacer, 4_000, &[throttled(1)]); // the gate opens at 6.1 s
        let rate = |pacer: &mut Pacer, now| {
            pacer.send_time(ms(now));
            let rate = pacer.rate.expect("a rate");
            (rate.rate, rate.good, rate.hold.as_secs())
        };
        assert_eq!(rate(&mut pacer, 11_099), (40_000, 40_000, 5));
        assert_eq!(rate(&mut pacer, 11_100), (42_400, 40_000, 5));
        assert_eq!(rate(&mut pacer, 16_100), (44_800, 42_400, 5));
        exchange(&mut pacer, 17_000, &[throttled(1)]); // a failed trial; the gate opens at 19.1 s
        assert_eq!(rate(&mut pacer, 19_100), (31_360, 40_000, 10));
        assert_eq!(rate(&mut pacer, 24_100), (39_200, 40_000, 10)); // below the good rate: up a quarter every five seconds
        assert_eq!(rate(&mut pacer, 29_100), (40_000, 40_000, 10));
        assert_eq!(rate(&mut pacer, 39_100), (42_400, 40_000, 10)); // the next trial comes after twice the pause
    }

    #[test]
    fn after_a_429_requests_are_evenly_spaced_with_five_percent_jitter() {
        for (a_minute, jitter, expected) in [
            (30, 0, 1_900_000),
            (30, 500, 2_000_000),
            (30, 999, 2_098_000),
            (120, 500, 500_000),
            (7, 500, 8_571_428),
            (1, 500, 60_000_000),
        ] {
            let rate = a_minute * UNIT;
            let mut pacer = Pacer { jitter, ..paced(rate, rate, 5, 600_000) };
            assert_eq!(pacer.send_time(ms(1_000)), SendTime::Now);
            pacer.sent(ms(1_000));
            let SendTime::At(next) = pacer.send_time(ms(1_000)) else { panic!("they go out one by one") };
            assert_eq!(next.as_micros() - 1_000_000, expected, "{a_minute} a minute, {jitter}");
        }
    }

    #[test]
    fn no_more_slots_are_taken_than_the_last_good_rate() {
        let mut pacer = paced(10_000, 20_000, 5, 600_000);
        (0..19).for_each(|_| pacer.sent(ms(0)));
        assert_eq!(pacer.send_time(ms(60_000)), SendTime::Now);
        pacer.sent(ms(60_000));
        assert_eq!(pacer.send_time(ms(120_000)), SendTime::AfterAnswer);
    }

    #[test]
    fn a_later_429_ends_a_trial_or_lowers_the_good_rate_a_little() {
        for ((rate, good, hold, accepted), expected, what) in [
            ((44_000, 40_000, 10, 41), (30_800, 40_000, 20), "a trial"),
            ((44_000, 40_000, 10, 30), (30_000, 30_000, 20), "a trial, and less was accepted"),
            ((44_000, 40_000, 10, 10), (20_000, 20_000, 20), "a trial, and it falls by half at most"),
            ((44_000, 40_000, 200, 41), (30_800, 40_000, 240), "the pause before the next trial is limited"),
            ((40_000, 40_000, 80, 40), (28_000, 38_000, 80), "a good rate"),
            ((40_000, 40_000, 80, 60), (28_000, 40_000, 80), "nothing is raised by a 429"),
            (
                (40_000, 40_000, 80, 29),
                (28_000, 28_000, 5),
                "much less was accepted: the search starts again",
            ),
            ((19_000, 19_000, 80, 14), (13_300, 13_300, 80), "it falls by three tenths at most"),
            ((20_000, 40_000, 80, 30), (14_000, 28_500, 80), "on the way back up"),
            ((1_000, 1_000, 80, 0), (1_000, 1_000, 5), "one per minute is the least"),
        ] {
            let mut pacer = paced(rate, good, hold, 600_000);
            let accepted_at_90_s = Slot { free_at: ms(90_000) + WINDOW + WINDOW_MARGIN, is_accepted: true };
            pacer.window.answered = vec![accepted_at_90_s; accepted].into();
            pacer.sent(ms(100_000));
            pacer.answered(ms(100_100), ms(100_000), throttled(1), 0);
            let rate = pacer.rate.expect("a rate");
            assert_eq!((rate.rate, rate.good, rate.hold.as_secs()), expected, "{what}");
        }
    }

    #[test]
    fn only_requests_accepted_within_the_last_minute_count() {
        let mut pacer = Pacer::new(120);
        exchange(&mut pacer, 0, &[ACCEPTED; 10]); // answered at 0.1 to 1.0 s
        exchange(&mut pacer, 60_400, &[throttled(59)]); // answered at 60.5 s
        assert_eq!(pacer.rate.expect("a rate").rate, 6 * UNIT, "those of 0.5 s and later");
    }

    #[test]
    fn the_pause_before_a_trial_halves_after_two_trials_without_a_429() {
        let mut pacer = paced(20_000, 20_000, 60, 0);
        for (now, hold) in
            [(179_999, 60), (180_000, 30), (209_999, 30), (210_000, 15), (225_000, 7), (900_000, 5)]
        {
            pacer.send_time(ms(now));
            assert_eq!(pacer.rate.expect("a rate").hold.as_secs(), hold, "{now} ms");
        }
    }

    #[test]
    fn a_429_to_a_request_sent_before_the_cut_only_extends_the_gate() {
        let mut pacer = Pacer::new(120);
        (0..3).for_each(|_| pacer.sent(ms(0)));
        pacer.answered(ms(100), ms(0), throttled(9), 0);
        let rate = pacer.rate.map(|rate| (rate.rate, rate.good));
        pacer.answered(ms(200), ms(0), throttled(9), 0);
        pacer.answered(ms(300), ms(0), throttled(1), 0);
        assert_eq!(pacer.rate.map(|rate| (rate.rate, rate.good)), rate);
        assert_eq!(pacer.send_time(ms(300)), SendTime::At(ms(10_200)), "the longest of them counts");
    }

    #[test]
    fn slots_of_other_clients_are_freed_evenly_over_the_window() {
        let mut pacer = Pacer::new(10);
        pacer.sent(ms(0));
        pacer.answered(ms(0), ms(0), Feedback::Accepted { remaining: Some(9) }, 0);
        assert_eq!(pacer.window.taken(), 1, "there are no other clients");
        pacer.sent(ms(0));
        pacer.answered(ms(0), ms(0), Feedback::Accepted { remaining: Some(4) }, 0);
        assert_eq!(pacer.window.taken(), 6, "two of ours, and four of other clients");
        pacer.sent(ms(0));
        pacer.answered(ms(0), ms(0), Feedback::Accepted { remaining: Some(50) }, 0);
        assert_eq!(pacer.window.taken(), 7, "the header can only lower the rate");
        (0..3).for_each(|_| pacer.sent(ms(0)));
        assert_eq!(pacer.send_time(ms(0)), SendTime::At(ms(15_000)));
        assert_eq!(pacer.send_time(ms(15_000)), SendTime::Now);
    }

    #[test]
    fn a_repeated_header_does_not_delay_the_slots_of_other_clients() {
        let mut pacer = Pacer::new(10);
        for (now, remaining) in [(0, 5), (10_000, 4)] {
            pacer.sent(ms(now));
            pacer.answered(ms(now), ms(now), Feedback::Accepted { remaining: Some(remaining) }, 0);
            assert_eq!(
                pacer.window.others,
                [15_000, 30_000, 45_000, 60_000].map(ms),
                "still four of other clients"
            );
        }
    }

    #[test]
    fn a_429_only_affects_its_own_endpoint() {
        let mut pacing = Pacing::new(&[]);
        assert!(!pacing.is_throttled(Endpoint::Patch));
        exchange(pacing.pacer(Endpoint::Patch), 0, &[throttled(1)]);
        for endpoint in Endpoint::ALL {
            assert_eq!(pacing.is_throttled(endpoint), endpoint == Endpoint::Patch, "{endpoint:?}");
        }
    }

    #[test]
    fn the_first_responses_reveal_only_the_limit_of_an_earlier_date() {
        let left = |remaining| Feedback::Accepted { remaining: Some(remaining) };
        for (responses, limit) in [
            (&[left(19)][..], 20),
            (&[left(17), left(19), left(18)], 20), // the responses arrive out of order
            (&[left(119)], 120),
            (&[left(999)], 120),
            (&[left(11)], 120), // a token bucket that holds a tenth of the limit
            (&[left(59)], 120), // other clients use half
            (&[left(0)], 120),
            (&[ACCEPTED], 120),
        ] {
            let mut pacer = Pacer::new(120).or_earlier(20);
            exchange(&mut pacer, 0, responses);
            assert_eq!(pacer.limit(), limit, "{responses:?}");
        }
    }

    #[test]
    fn a_limit_that_looked_lower_because_of_other_clients_is_raised_later() {
        let left = |remaining| Feedback::Accepted { remaining: Some(remaining) };
        let mut pacer = Pacer::new(120).or_earlier(20);
        exchange(&mut pacer, 0, &[left(19)]); // other clients have used 100 requests
        assert_eq!(pacer.limit(), 20);
        exchange(&mut pacer, 1_000, &[left(110)]); // the other clients have stopped
        assert_eq!(pacer.limit(), 120);
        let mut alone = Pacer::new(120).or_earlier(20);
        exchange(&mut alone, 0, &(0..20).rev().map(left).collect::<Vec<_>>());
        exchange(&mut alone, 61_000, &(0..20).rev().map(left).collect::<Vec<_>>());
        exchange(&mut alone, 122_000, &[left(19)]);
        assert_eq!(alone.limit(), 20, "a true limit of 20 stays");
        let mut chance = Pacer::new(120).or_earlier(20);
        exchange(&mut chance, 0, &[left(19)]);
        // We send twenty requests per window, and the remaining number shows that other clients don't send any.
        for minute in 1..4 {
            exchange(&mut chance, minute * 61_000, &[left(19); 20]);
        }
        exchange(&mut chance, 250_000, &[left(100)]);
        assert_eq!(chance.limit(), 120);
    }

    #[test]
    fn capacity_depends_on_the_free_slots_and_the_rate() {
        let mut pacer = Pacer::new(10);
        assert_eq!(pacer.capacity(ms(0), ms(50_000)), 10);
        exchange(&mut pacer, 0, &[ACCEPTED; 10]);
        assert_eq!(pacer.capacity(ms(1_000), ms(50_000)), 1, "at least one");
        assert_eq!(pacer.capacity(ms(20_000), ms(41_000)), 5, "those that are freed");
        exchange(&mut pacer, 50_000, &[throttled(9)]);
        assert_eq!(pacer.capacity(ms(70_000), ms(30_000)), 5, "at ten a minute");
    }

    #[test]
    fn the_last_given_rate_of_an_endpoint_counts() {
        let mut pacing = Pacing::new(&[(Endpoint::Patch, 20), (Endpoint::Patch, 0), (Endpoint::Users, 7)]);
        let limits = Endpoint::ALL.map(|endpoint| pacing.pacer(endpoint).limit());
        assert_eq!(limits, [300, 300, 7, 300, 120, 1, 30]);
        assert_eq!(Endpoint::ALL.map(|endpoint| pacing.limit(endpoint)), limits);
    }
}
