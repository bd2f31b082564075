//! When may the next request go out? Pure: told what was sent, what was answered and the time.
//!
//! Pylon counts requests at their arrival, somewhere between our sending and its answer. So a slot is taken when a
//! request is sent and given back a window after its answer: whatever kind of limiter counts there, no window of its
//! clock ever sees more than the limit. After a 429 the assumed limit was wrong, or somebody else spends from it: then
//! the pace follows what is accepted (additive increase, multiplicative decrease), and the window still holds on top.

use std::collections::VecDeque;
use std::time::Duration;

use super::failure::{Class, Trouble};
use super::request::{Attempt, Endpoint};

/// The span over which Pylon counts (Pylon API, "Rate limits": requests per minute).
pub const WINDOW: Duration = Duration::from_secs(60);
/// A slot comes back this much after its window: the server's clock need not tick like ours.
const MARGIN: Duration = Duration::from_millis(500);
/// After a 429 the gate stays closed this much longer than the server asked for.
const AFTER_HINT: Duration = Duration::from_secs(1);
/// The gate of a 429 without a hint; doubles with each further one.
const WITHOUT_HINT: Duration = Duration::from_secs(5);
/// The pace is raised so often while no 429 comes.
const RAISE_EVERY: Duration = Duration::from_secs(5);
/// A pace that was once too fast is tried again after twice as long each time, at most after this: a window that is
/// counted exactly answers every trial with one 429.
const LONGEST_HOLD: Duration = Duration::from_secs(240);
/// Rates are counted in thousandths of a request a window, so that all arithmetic is whole.
const UNIT: u64 = 1000;

/// A pacer for each endpoint. One value for a whole run: what a plan has sent counts for the apply.
#[derive(Debug, Clone)]
pub struct Pacing([Pacer; Endpoint::ALL.len()]);

impl Pacing {
    /// The documented rate limits, except those in `rates` (requests per minute). If an endpoint occurs twice, the last one counts.
    pub fn new(rates: &[(Endpoint, u64)]) -> Self {
        let limit = |endpoint: Endpoint| {
            let given = rates.iter().rev().find(|(other, _)| *other == endpoint);
            given.map_or(endpoint.documented_limit(), |(_, limit)| *limit)
        };
        Self(Endpoint::ALL.map(|endpoint| Pacer::new(limit(endpoint)).or_earlier(endpoint.earlier_limit())))
    }

    /// The requests per minute that are assumed to be allowed.
    pub fn limit(&self, endpoint: Endpoint) -> u64 {
        self.0[endpoint as usize].limit()
    }

    /// Whether a 429 has shown the assumption wrong.
    pub fn is_throttled(&self, endpoint: Endpoint) -> bool {
        self.0[endpoint as usize].pace.is_some()
    }

    /// The pacer of an endpoint.
    pub fn pacer(&mut self, endpoint: Endpoint) -> &mut Pacer {
        &mut self.0[endpoint as usize] // `Endpoint::ALL` is in the order of the variants
    }
}

/// Paces the requests to one endpoint.
#[derive(Debug, Clone)]
pub struct Pacer {
    /// Requests per window that are allowed at most: as documented, or as given.
    ceiling: u64,
    /// The rate limit of an earlier date, if there was another one.
    earlier: Option<u64>,
    /// Requests per window that are assumed to be allowed: the ceiling, or the earlier limit if responses have shown it.
    limit: u64,
    shown: Shown,
    /// Sent and not answered yet.
    in_flight: u64,
    /// When the slots of answered requests come back, in order.
    returns: VecDeque<Duration>,
    /// When slots come back that others have taken, as far as the server has told, in order.
    others: VecDeque<Duration>,
    /// When requests were accepted, in order, within the last window.
    accepted: VecDeque<Duration>,
    /// Nothing goes out before.
    gate: Duration,
    /// 429s without a hint in a row, those to requests sent before the last of them not counted.
    unhinted: u32,
    /// Once a 429 has shown the assumption wrong.
    pace: Option<Pace>,
    /// The chance of the last answer, in 1/1000 (0 to 999).
    jitter: u64,
}

/// What `X-Rate-Limit-Remaining` has shown of the true limit.
#[derive(Debug, Clone, Copy, Default)]
struct Shown {
    /// The largest number of remaining requests plus one: the true limit is not lower.
    most: u64,
    /// When the current window of observation began.
    since: Duration,
    /// The least sum of our own requests and the remaining ones in this window; `None` before its first response.
    least_sum: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Pace {
    /// Thousandths of a request a window.
    rate: u64,
    /// The last rate that went well for a while.
    good: u64,
    /// 429s to requests sent before this say nothing about the present rate.
    cut_at: Duration,
    /// When the rate was last raised or cut.
    raised_at: Duration,
    /// How long it stays at the good rate before it tries a higher one.
    hold: Duration,
    /// The next request goes out no earlier.
    next: Duration,
}

impl Feedback {
    /// What one attempt tells.
    pub fn of_attempt<T>(attempt: &Attempt<T>) -> Self {
        match &attempt.result {
            Ok(_) => Self::Accepted { remaining: attempt.remaining },
            Err(failure) => match failure.class() {
                Class::Throttled => Self::Throttled { hint: failure.hint() },
                Class::NotSent => Self::Lost,
                Class::Ambiguous | Class::Rejected | Class::Forbidden | Class::TooLarge | Class::Fatal => {
                    match failure.trouble {
                        Trouble::NotSent(_) | Trouble::Blocked(_) | Trouble::NoAnswer(_) => Self::Lost,
                        Trouble::WrongShape(_)
                        | Trouble::TooSlow(_)
                        | Trouble::PageWithoutData
                        | Trouble::Refused(_) => Self::Accepted { remaining: attempt.remaining },
                    }
                }
            },
        }
    }
}

/// What an answer tells the pacer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feedback {
    /// Not throttled; perhaps with `X-Rate-Limit-Remaining`.
    Accepted {
        /// How many requests the server would still take in its window.
        remaining: Option<u64>,
    },
    /// A 429, perhaps with a hint how long to wait.
    Throttled {
        /// The largest valid hint.
        hint: Option<Duration>,
    },
    /// The request got no answer; it may have been counted.
    Lost,
}

/// When the next request may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendTime {
    /// Now.
    Now,
    /// Not before this time.
    At(Duration),
    /// As soon as one of those in flight is answered and its slot comes back.
    AfterAnswer,
}

impl Pacer {
    /// A pacer for `limit` requests a minute; at least one.
    pub fn new(limit: u64) -> Self {
        Self {
            ceiling: limit.max(1),
            earlier: None,
            limit: limit.max(1),
            shown: Shown::default(),
            in_flight: 0,
            returns: VecDeque::new(),
            others: VecDeque::new(),
            accepted: VecDeque::new(),
            gate: Duration::ZERO,
            unhinted: 0,
            pace: None,
            jitter: 500,
        }
    }

    /// A pacer that recognizes the rate limit of an earlier date.
    #[must_use]
    pub fn or_earlier(self, earlier: u64) -> Self {
        Self { earlier: Some(earlier), ..self }
    }

    /// Requests a minute that are assumed to be allowed.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// When the next request may go out.
    pub fn send_time(&mut self, now: Duration) -> SendTime {
        for slots in [&mut self.returns, &mut self.others] {
            while slots.front().is_some_and(|back| *back <= now) {
                slots.pop_front();
            }
        }
        self.raise(now);
        let paced = self.pace.map_or(Duration::ZERO, |pace| pace.next);
        let closed_until = self.gate.max(paced);
        if now < closed_until {
            return SendTime::At(closed_until);
        }
        if self.out() < self.allowed() {
            return SendTime::Now;
        }
        let next = [&self.returns, &self.others].into_iter().filter_map(VecDeque::front).min();
        next.map_or(SendTime::AfterAnswer, |back| SendTime::At(*back))
    }

    /// A request goes out.
    pub fn sent(&mut self, now: Duration) {
        self.in_flight += 1;
        if let Some(pace) = &mut self.pace {
            let interval = nanos(WINDOW) * UNIT / pace.rate.max(1);
            // In step with somebody else's clock it would always be the same one of the two who is refused.
            pace.next = now + Duration::from_nanos(interval / 1000 * (950 + self.jitter / 10));
        }
    }

    /// A request for which a slot was taken was not sent after all.
    pub fn withdrawn(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// The request that went out at `sent` has come to its end. `jitter` is a fraction in 1/1000 (0 to 999).
    pub fn answered(&mut self, now: Duration, sent: Duration, feedback: Feedback, jitter: u64) {
        self.forget(now);
        self.in_flight = self.in_flight.saturating_sub(1);
        self.jitter = jitter.min(999);
        self.returns.push_back(now + WINDOW + MARGIN);
        match feedback {
            Feedback::Accepted { remaining } => {
                self.unhinted = 0;
                self.accepted.push_back(now);
                if let Some(remaining) = remaining.filter(|_| self.pace.is_none()) {
                    self.learn(now, remaining);
                    self.lower_to(now, remaining);
                } // after a 429, the rate that the server accepts is better evidence than the header
            }
            Feedback::Throttled { hint } => self.throttled(now, sent, hint),
            Feedback::Lost => {}
        }
    }

    /// How many requests could go out within `span` from now, at the present pace; at least one.
    pub fn capacity(&self, now: Duration, span: Duration) -> u64 {
        let slots = self.returns.iter().chain(&self.others);
        let back = slots.filter(|back| **back <= now + span).count() as u64;
        let free = (self.allowed() + back).saturating_sub(self.out());
        let paced =
            self.pace.map_or(u64::MAX, |pace| nanos(span) / (nanos(WINDOW) * UNIT / pace.rate.max(1)).max(1));
        free.min(paced).max(1)
    }

    /// What was accepted before the last window says nothing any more.
    fn forget(&mut self, now: Duration) {
        while self.accepted.front().is_some_and(|at| *at + WINDOW < now) {
            self.accepted.pop_front();
        }
    }

    fn out(&self) -> u64 {
        self.own() + self.others.len() as u64
    }

    /// So many may be out: the assumed limit, or what has been found to go well in its place. An even pace alone would not
    /// do, since what went out in a bunch leaves the server's window in a bunch.
    fn allowed(&self) -> u64 {
        self.pace.map_or(self.limit, |pace| (pace.rate.max(pace.good) / UNIT).clamp(1, self.ceiling))
    }

    fn own(&self) -> u64 {
        self.in_flight + self.returns.len() as u64
    }

    /// `X-Rate-Limit-Remaining` of the first responses reveals the limit of an earlier date: the response itself was counted,
    /// so the limit is at least one more than what remains. Any other number says what other clients use, or how a bucket
    /// is filled. If other clients had left as much by chance, a whole window later our own requests and the remaining ones
    /// add up to more. The least sum of that window counts, because a counter that lags shows too much for a while.
    fn learn(&mut self, now: Duration, remaining: u64) {
        let Shown { most, since, least_sum } = &mut self.shown;
        *most = (*most).max(remaining.saturating_add(1));
        let own = self.returns.len() - self.returns.partition_point(|back| *back <= now);
        let sum = remaining.saturating_add(own as u64);
        let least = least_sum.map_or(sum, |least| least.min(sum));
        *least_sum = Some(least);
        if now.saturating_sub(*since) >= WINDOW {
            (*since, *least_sum) = (now, None);
            if least > most.saturating_add(*most / 4) {
                *most = least;
            }
        }
        let most = *most;
        self.limit =
            self.earlier.filter(|earlier| *earlier == most).unwrap_or(self.ceiling).min(self.ceiling);
    }

    /// Otherwise the header can only lower what we allow ourselves, because others spend from the same rate limit. When their
    /// slots come back is unknown. The guess is evenly over the next window: it starves no client. It also does not block us
    /// for a whole window if the limit is a token bucket, which shows little left although it refills all the time.
    fn lower_to(&mut self, now: Duration, remaining: u64) {
        let others = self.limit.saturating_sub(self.own()).saturating_sub(remaining);
        if others > self.others.len() as u64 {
            let back = |slot| now + Duration::from_nanos(nanos(WINDOW) * slot / others);
            self.others = (1..=others).map(back).collect();
        }
    }

    fn throttled(&mut self, now: Duration, sent: Duration, hint: Option<Duration>) {
        // Sent at the rate before the cut: says nothing of the present one.
        let is_late = self.pace.is_some_and(|pace| sent < pace.cut_at);
        let wait = hint.map_or_else(
            || WITHOUT_HINT * 2_u32.saturating_pow(self.unhinted.saturating_sub(u32::from(is_late)).min(5)),
            |hint| hint + AFTER_HINT,
        );
        let spread = Duration::from_nanos(nanos(MARGIN) * self.jitter / 1000);
        self.gate = self.gate.max(now + wait + spread);
        if !is_late {
            self.unhinted += u32::from(hint.is_none());
            self.cut(now, wait);
        }
        if let Some(pace) = &mut self.pace {
            pace.next = pace.next.max(self.gate);
        }
    }

    /// From window to pace, or from one pace to a slower one. What was accepted during the last window is what is known to
    /// be allowed; a higher rate that went well for a while has only filled the pauses of that window.
    fn cut(&mut self, now: Duration, wait: Duration) {
        let accepted = self.accepted.len() as u64 * UNIT;
        let ceiling = self.ceiling * UNIT;
        self.pace = Some(match self.pace {
            None => {
                self.others.clear();
                let hinted = nanos(WINDOW) * UNIT / nanos(wait).max(1);
                let rate = accepted.max(hinted).clamp(UNIT, ceiling);
                let (raised_at, next) = (self.gate, self.gate);
                Pace { rate, good: rate, cut_at: now, raised_at, hold: RAISE_EVERY, next }
            }
            Some(Pace { rate, good, hold, next, .. }) => {
                let cut = (rate * 7 / 10).max(UNIT);
                let least = |tenths: u64| (good * tenths / 10).max(UNIT);
                let (known, hold) = if rate > good {
                    // A trial, and it failed.
                    (accepted.clamp(least(5), good), (hold * 2).min(LONGEST_HOLD))
                } else {
                    // At a rate that should have gone well: a little less, or each window would end with a 429. Where much less
                    // was accepted, the limit is not where it was, and is looked for anew.
                    let slightly_less = accepted - accepted / 20;
                    let hold = if slightly_less < least(7) { RAISE_EVERY } else { hold };
                    (slightly_less.clamp(least(7), good), hold)
                };
                Pace { rate: cut.min(known), good: known, cut_at: now, raised_at: self.gate, hold, next }
            }
        });
    }

    /// While no 429 comes the pace is raised: quickly below the last rate that went well, carefully above.
    fn raise(&mut self, now: Duration) {
        let ceiling = self.ceiling * UNIT;
        let Some(pace) = &mut self.pace else { return };
        loop {
            let is_below = pace.rate < pace.good;
            let wait = if is_below { RAISE_EVERY } else { pace.hold };
            if pace.raised_at + wait > now {
                return;
            }
            pace.raised_at += wait;
            if is_below {
                pace.rate = (pace.rate * 5 / 4).min(pace.good);
                continue;
            }
            // Two raises and a whole window without a 429: the limit is not where it was.
            if pace.raised_at.saturating_sub(pace.cut_at) >= pace.hold * 2 + WINDOW {
                pace.hold = (pace.hold / 2).max(RAISE_EVERY);
            }
            pace.good = pace.rate;
            pace.rate = (pace.rate + ceiling / 50).min(ceiling);
        }
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    const ACCEPTED: Feedback = Feedback::Accepted { remaining: None };

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn throttled(seconds: u64) -> Feedback {
        Feedback::Throttled { hint: Some(Duration::from_secs(seconds)) }
    }

    /// Sends and answers one after the other, each after 100 ms, from `from` on.
    fn exchange(pacer: &mut Pacer, from: u64, feedback: &[Feedback]) {
        for (number, one) in (0..).zip(feedback) {
            let sent = ms(from + number * 100);
            pacer.sent(sent);
            pacer.answered(sent + ms(100), sent, *one, 0);
        }
    }

    /// A pacer of 120 requests a minute that goes at `rate`, where `good` went well, both in thousandths, and that raises
    /// nothing before `raised_at` and its hold.
    fn paced(rate: u64, good: u64, hold: u64, raised_at: u64) -> Pacer {
        let pace = Pace {
            rate,
            good,
            cut_at: ms(0),
            raised_at: ms(raised_at),
            hold: Duration::from_secs(hold),
            next: ms(0),
        };
        Pacer { pace: Some(pace), ..Pacer::new(120) }
    }

    #[test]
    fn a_slot_comes_back_a_window_and_a_margin_after_the_answer() {
        let mut pacer = Pacer::new(2);
        assert_eq!(pacer.send_time(ms(0)), SendTime::Now);
        pacer.sent(ms(0));
        assert_eq!(pacer.send_time(ms(0)), SendTime::Now);
        pacer.sent(ms(0));
        assert_eq!(pacer.send_time(ms(0)), SendTime::AfterAnswer);
        pacer.answered(ms(300), ms(0), ACCEPTED, 0);
        assert_eq!(pacer.send_time(ms(300)), SendTime::At(ms(60_800)));
        pacer.answered(ms(400), ms(0), Feedback::Lost, 0); // it may have been counted, so it keeps its slot as well
        assert_eq!(pacer.send_time(ms(60_799)), SendTime::At(ms(60_800)));
        assert_eq!(pacer.send_time(ms(60_800)), SendTime::Now);
        pacer.sent(ms(60_800));
        assert_eq!(pacer.send_time(ms(60_800)), SendTime::At(ms(60_900)));
    }

    #[test]
    fn the_gate_stays_closed_for_the_hint_and_a_second_and_for_a_share_of_half_a_second() {
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
    fn a_gate_without_hints_doubles_with_each_429_in_a_row_but_not_for_those_in_flight_together() {
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
        assert_eq!(pacer.gate, now + Duration::from_secs(5), "a success begins anew");
    }

    #[test]
    fn after_a_429_the_pace_is_what_was_accepted_or_what_the_hint_promises() {
        for (accepted, hint, rate) in
            [(20, 59, 20), (20, 1, 30), (0, 59, 1), (0, 300, 1), (5, 2, 20), (200, 1, 120)]
        {
            let mut pacer = Pacer::new(120);
            exchange(&mut pacer, 0, &vec![ACCEPTED; accepted]);
            exchange(&mut pacer, 30_000, &[throttled(hint)]);
            let pace = pacer.pace.expect("a pace");
            assert_eq!(
                (pace.rate / UNIT, pace.good / UNIT),
                (rate, rate),
                "{accepted} accepted, hint {hint} s"
            );
        }
    }

    #[test]
    fn a_pace_is_raised_after_five_seconds_and_falls_back_when_the_trial_fails() {
        let mut pacer = Pacer::new(120);
        exchange(&mut pacer, 0, &[ACCEPTED; 40]);
        exchange(&mut pacer, 4_000, &[throttled(1)]); // the gate opens at 6.1 s
        let rate = |pacer: &mut Pacer, now| {
            pacer.send_time(ms(now));
            let pace = pacer.pace.expect("a pace");
            (pace.rate, pace.good, pace.hold.as_secs())
        };
        assert_eq!(rate(&mut pacer, 11_099), (40_000, 40_000, 5));
        assert_eq!(rate(&mut pacer, 11_100), (42_400, 40_000, 5));
        assert_eq!(rate(&mut pacer, 16_100), (44_800, 42_400, 5));
        exchange(&mut pacer, 17_000, &[throttled(1)]); // a trial that failed; the gate opens at 19.1 s
        assert_eq!(rate(&mut pacer, 19_100), (31_360, 40_000, 10));
        assert_eq!(rate(&mut pacer, 24_100), (39_200, 40_000, 10)); // below the good rate: a quarter in five seconds
        assert_eq!(rate(&mut pacer, 29_100), (40_000, 40_000, 10));
        assert_eq!(rate(&mut pacer, 39_100), (42_400, 40_000, 10)); // and the next trial after twice the pause
    }

    #[test]
    fn at_a_pace_requests_go_out_evenly_but_for_a_twentieth_by_chance() {
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
    fn no_more_are_out_at_once_than_what_went_well() {
        let mut pacer = paced(10_000, 20_000, 5, 600_000);
        (0..19).for_each(|_| pacer.sent(ms(0)));
        assert_eq!(pacer.send_time(ms(60_000)), SendTime::Now);
        pacer.sent(ms(60_000));
        assert_eq!(pacer.send_time(ms(120_000)), SendTime::AfterAnswer);
    }

    #[test]
    fn a_429_at_a_pace_ends_a_trial_or_lowers_a_little_what_went_well() {
        for ((rate, good, hold, accepted), expected, what) in [
            ((44_000, 40_000, 10, 41), (30_800, 40_000, 20), "a trial"),
            ((44_000, 40_000, 10, 30), (30_000, 30_000, 20), "a trial, and less was accepted"),
            ((44_000, 40_000, 10, 10), (20_000, 20_000, 20), "a trial, and it falls by half at most"),
            ((44_000, 40_000, 200, 41), (30_800, 40_000, 240), "the pause before the next has an end"),
            ((40_000, 40_000, 80, 40), (28_000, 38_000, 80), "a rate that went well"),
            ((40_000, 40_000, 80, 60), (28_000, 40_000, 80), "nothing is raised by a 429"),
            ((40_000, 40_000, 80, 29), (28_000, 28_000, 5), "much less was accepted: looked for anew"),
            ((19_000, 19_000, 80, 14), (13_300, 13_300, 80), "no less than by three tenths"),
            ((20_000, 40_000, 80, 30), (14_000, 28_500, 80), "on the way back up"),
            ((1_000, 1_000, 80, 0), (1_000, 1_000, 5), "one a minute is the least"),
        ] {
            let mut pacer = paced(rate, good, hold, 600_000);
            pacer.accepted = vec![ms(90_000); accepted].into();
            pacer.sent(ms(100_000));
            pacer.answered(ms(100_100), ms(100_000), throttled(1), 0);
            let pace = pacer.pace.expect("a pace");
            assert_eq!((pace.rate, pace.good, pace.hold.as_secs()), expected, "{what}");
        }
    }

    #[test]
    fn what_counts_as_accepted_is_what_was_accepted_within_the_last_minute() {
        let mut pacer = Pacer::new(120);
        exchange(&mut pacer, 0, &[ACCEPTED; 10]); // answered at 0.1 to 1.0 s
        exchange(&mut pacer, 60_400, &[throttled(59)]); // and this at 60.5 s
        assert_eq!(pacer.pace.expect("a pace").rate, 6 * UNIT, "those of 0.5 s and later");
    }

    #[test]
    fn the_pause_before_a_trial_is_halved_after_two_of_them_and_a_minute_without_a_429() {
        let mut pacer = paced(20_000, 20_000, 60, 0);
        for (now, hold) in
            [(179_999, 60), (180_000, 30), (209_999, 30), (210_000, 15), (225_000, 7), (900_000, 5)]
        {
            pacer.send_time(ms(now));
            assert_eq!(pacer.pace.expect("a pace").hold.as_secs(), hold, "{now} ms");
        }
    }

    #[test]
    fn a_429_to_a_request_sent_before_the_cut_only_extends_the_gate() {
        let mut pacer = Pacer::new(120);
        (0..3).for_each(|_| pacer.sent(ms(0)));
        pacer.answered(ms(100), ms(0), throttled(9), 0);
        let pace = pacer.pace.map(|pace| (pace.rate, pace.good));
        pacer.answered(ms(200), ms(0), throttled(9), 0);
        pacer.answered(ms(300), ms(0), throttled(1), 0);
        assert_eq!(pacer.pace.map(|pace| (pace.rate, pace.good)), pace);
        assert_eq!(pacer.send_time(ms(300)), SendTime::At(ms(10_200)), "the longest of them counts");
    }

    #[test]
    fn what_others_have_taken_comes_back_evenly_and_is_never_added_to_our_own() {
        let mut pacer = Pacer::new(10);
        pacer.sent(ms(0));
        pacer.answered(ms(0), ms(0), Feedback::Accepted { remaining: Some(9) }, 0);
        assert_eq!(pacer.out(), 1, "nobody else is there");
        pacer.sent(ms(0));
        pacer.answered(ms(0), ms(0), Feedback::Accepted { remaining: Some(4) }, 0);
        assert_eq!(pacer.out(), 6, "two of ours, four of others");
        pacer.sent(ms(0));
        pacer.answered(ms(0), ms(0), Feedback::Accepted { remaining: Some(50) }, 0);
        assert_eq!(pacer.out(), 7, "it may only lower");
        (0..3).for_each(|_| pacer.sent(ms(0)));
        assert_eq!(pacer.send_time(ms(0)), SendTime::At(ms(15_000)));
        assert_eq!(pacer.send_time(ms(15_000)), SendTime::Now);
    }

    #[test]
    fn what_others_have_taken_comes_back_no_later_when_it_is_told_again() {
        let mut pacer = Pacer::new(10);
        for (now, remaining) in [(0, 5), (10_000, 4)] {
            pacer.sent(ms(now));
            pacer.answered(ms(now), ms(now), Feedback::Accepted { remaining: Some(remaining) }, 0);
            assert_eq!(pacer.others, [15_000, 30_000, 45_000, 60_000].map(ms), "four of others, still");
        }
    }

    #[test]
    fn a_429_sets_the_pace_of_its_own_endpoint_only() {
        let mut pacing = Pacing::new(&[]);
        assert!(!pacing.is_throttled(Endpoint::Patch));
        exchange(pacing.pacer(Endpoint::Patch), 0, &[throttled(1)]);
        for endpoint in Endpoint::ALL {
            assert_eq!(pacing.is_throttled(endpoint), endpoint == Endpoint::Patch, "{endpoint:?}");
        }
    }

    #[test]
    fn the_first_responses_reveal_the_limit_of_an_earlier_date_and_no_other() {
        let left = |remaining| Feedback::Accepted { remaining: Some(remaining) };
        for (told, limit) in [
            (&[left(19)][..], 20),
            (&[left(17), left(19), left(18)], 20), // they arrive in another order than they were counted
            (&[left(119)], 120),
            (&[left(999)], 120),
            (&[left(11)], 120), // a bucket of a tenth
            (&[left(59)], 120), // other clients use half
            (&[left(0)], 120),
            (&[ACCEPTED], 120),
        ] {
            let mut pacer = Pacer::new(120).or_earlier(20);
            exchange(&mut pacer, 0, told);
            assert_eq!(pacer.limit(), limit, "{told:?}");
        }
    }

    #[test]
    fn a_limit_that_other_clients_had_left_by_chance_is_raised_when_they_are_gone() {
        let left = |remaining| Feedback::Accepted { remaining: Some(remaining) };
        let mut pacer = Pacer::new(120).or_earlier(20);
        exchange(&mut pacer, 0, &[left(19)]); // others have used 100
        assert_eq!(pacer.limit(), 20);
        exchange(&mut pacer, 1_000, &[left(110)]); // and stop
        assert_eq!(pacer.limit(), 120);
        let mut alone = Pacer::new(120).or_earlier(20);
        exchange(&mut alone, 0, &(0..20).rev().map(left).collect::<Vec<_>>());
        exchange(&mut alone, 61_000, &(0..20).rev().map(left).collect::<Vec<_>>());
        exchange(&mut alone, 122_000, &[left(19)]);
        assert_eq!(alone.limit(), 20, "a true limit of 20 stays");
        let mut chance = Pacer::new(120).or_earlier(20);
        exchange(&mut chance, 0, &[left(19)]);
        // Twenty of our own requests in each window, and what remains shows that others take none.
        for minute in 1..4 {
            exchange(&mut chance, minute * 61_000, &[left(19); 20]);
        }
        exchange(&mut chance, 250_000, &[left(100)]);
        assert_eq!(chance.limit(), 120);
    }

    #[test]
    fn what_can_go_out_within_a_time_is_told_by_window_and_pace() {
        let mut pacer = Pacer::new(10);
        assert_eq!(pacer.capacity(ms(0), ms(50_000)), 10);
        exchange(&mut pacer, 0, &[ACCEPTED; 10]);
        assert_eq!(pacer.capacity(ms(1_000), ms(50_000)), 1, "at least one");
        assert_eq!(pacer.capacity(ms(20_000), ms(41_000)), 5, "those that come back");
        exchange(&mut pacer, 50_000, &[throttled(9)]);
        assert_eq!(pacer.capacity(ms(70_000), ms(30_000)), 5, "at ten a minute");
    }

    #[test]
    fn rates_may_be_given_and_the_last_one_counts() {
        let mut pacing = Pacing::new(&[(Endpoint::Patch, 20), (Endpoint::Patch, 0), (Endpoint::Users, 7)]);
        let limits = Endpoint::ALL.map(|endpoint| pacing.pacer(endpoint).limit());
        assert_eq!(limits, [300, 300, 7, 300, 120, 1, 30]);
        assert_eq!(Endpoint::ALL.map(|endpoint| pacing.limit(endpoint)), limits);
    }
}
