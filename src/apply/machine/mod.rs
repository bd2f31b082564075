//! The apply protocol as a state machine. It decides what to send and when, how to interpret responses, and when to stop.
//!
//! Its inputs are events and the current time, and its outputs are [`Action`]s. Without a clock, a network, or randomness of its
//! own, it always produces the same actions for the same seed and events, so tests can replay any run.
//!
//! * [`Failure::class`] classifies a failure, and `meaning` decides how to react to it.
//! * `send` picks the next request, and `reads` tracks which users have to be read and why.
//! * `ending` moves each change to its next position or final outcome.

mod ending;
mod meaning;
mod reads;
mod send;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use reads::{Purpose, Read};

use super::outcome::{Finished, Outcome, Stop};
use super::role_limits::RoleLimits;
use super::task::{Evidence, Position, TaskId, Tasks, evidence};
use crate::observed::Person;
use crate::plan::{Change, ReviewedPlan};
use crate::pylon::failure::FailureCause;
use crate::pylon::pace::Pacing;
use crate::pylon::request::{Endpoint, PeopleRequest, Request, Update};
use crate::pylon::{Attempt, Failure, FlowControl};

/// The maximum age of a read that a write relies on, measured from when the read was sent.
pub const FRESHNESS_LIMIT: Duration = Duration::from_secs(55);
/// The maximum age of a read when the write that relies on it is actually sent, once the write's intent is on disk. It's higher
/// than [`FRESHNESS_LIMIT`] to allow for a slow disk. Guarantee I3 (docs/reliability.md) allows 60 s, which leaves 1 s for
/// sending the request.
const FRESHNESS_LIMIT_WHEN_SENT: Duration = Duration::from_secs(59);
/// Users whose last read is too old are reread only if their write is expected to be sent within this time.
const REFRESH_HORIZON: Duration = Duration::from_secs(50);
/// The delay before a user is read individually because a search did not show the written values.
const SECOND_LOOK_DELAY: Duration = Duration::from_secs(2);
/// The apply stops after this many changes are refused for lack of permission without a successful write in between. The
/// remaining changes are most likely forbidden too.
const FORBIDDEN_LIMIT: u32 = 3;

/// Identifies a request until it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

impl Ticket {
    /// Returns the ticket's number. Numbers start at 1 and are unique within an apply.
    pub fn number(self) -> u64 {
        self.0
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Send this write and pass the response to [`Machine::patched`]. `attempt` counts from 1.
    Patch { ticket: Ticket, update: Update, attempt: u32 },
    /// Send this read and pass the response to [`Machine::was_read`]. `attempt` counts from 1.
    Read { ticket: Ticket, request: PeopleRequest, attempt: u32 },
    /// Wait for a request to be answered, but not past the time `until`, if given.
    Wait { until: Option<Duration>, reason: WaitReason },
    /// The apply is over. Call [`Machine::finish`].
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitReason {
    Answers,
    /// A failed request will be retried later.
    Retry,
    /// The rate limit of this endpoint is exhausted.
    RateLimit(Endpoint),
}

#[derive(Debug, Clone)]
enum Pending {
    Patch { task: TaskId, sent: Duration },
    Read { read: Read, sent: Duration },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Writing,
    ReadingBack,
    Over,
}

#[derive(Debug, Clone)]
pub struct Machine {
    tasks: Tasks,
    limits: RoleLimits,
    flow: FlowControl,
    parallelism: usize,
    phase: Phase,
    /// The scheduled reads by endpoint, earliest send time, and sequence number (which preserves the order of reads with equal
    /// times).
    reads: BTreeMap<(Endpoint, Duration, u64), Read>,
    pending: HashMap<Ticket, Pending>,
    /// The last number assigned to a ticket or a read.
    counter: u64,
    /// The number of changes that Pylon has refused for lack of permission since the last successful write.
    forbidden: u32,
    /// The time of the first 429 in the current series of throttled writes, or `None` if the last write wasn't throttled. A
    /// successful read doesn't end the series, because reads have rate limits of their own.
    throttled_since: Option<Duration>,
    stopped: Option<Stop>,
    not_read_back: usize,
}

impl Machine {
    /// Creates a machine that carries out `plan`. The users in the plan were read at `read_at`. `flow` must be the one that was
    /// used to make the plan, because those requests count against the same rate limits.
    pub fn new(
        plan: &ReviewedPlan,
        read_at: Duration,
        now: Duration,
        mut flow: FlowControl,
        parallelism: usize,
    ) -> Self {
        flow.retries.restart_answered(now); // making the plan has shown that the host responds
        let is_own = |change: &Change| Some(&change.subject.id) == plan.plan.token_user.as_ref();
        let ordered = plan.in_order();
        Self {
            limits: RoleLimits::new(&plan.minimums, &plan.maximums, &ordered),
            tasks: Tasks::new(ordered, is_own, read_at),
            flow,
            parallelism: parallelism.max(1),
            phase: Phase::Writing,
            reads: BTreeMap::new(),
            pending: HashMap::new(),
            counter: 0,
            forbidden: 0,
            throttled_since: None,
            stopped: None,
            not_read_back: 0,
        }
    }

    /// Returns the total number of changes and the number that are settled, meaning no further writes will be sent for them.
    pub fn progress(&self) -> (usize, usize) {
        (self.tasks.len(), self.tasks.len() - self.tasks.unsettled_count())
    }

    pub fn pacing(&self) -> &Pacing {
        &self.flow.pacing
    }

    /// Returns the number of responses that a stopped apply is still waiting for. Returns `None` if there are none, or if the
    /// apply hasn't been stopped.
    pub fn answers_to_wait_for(&self) -> Option<usize> {
        self.stopped.as_ref().map(|_| self.pending.len()).filter(|pending| *pending > 0)
    }

    /// Returns `true` if the apply stopped because of a signal.
    pub fn had_signal(&self) -> bool {
        matches!(self.stopped, Some(Stop::Signal(_)))
    }

    /// Returns the change sent by the write with this ticket, if the write has not been answered yet.
    pub fn change(&self, ticket: Ticket) -> Option<&Change> {
        match self.pending.get(&ticket)? {
            Pending::Patch { task, .. } => Some(self.tasks[*task].change()),
            Pending::Read { .. } => None,
        }
    }

    /// Handles a write that was not sent because the journal could not be written. No further writes are sent after that.
    pub fn unsent(&mut self, now: Duration, ticket: Ticket, why: String) {
        let Some(Pending::Patch { task, .. }) = self.pending.get(&ticket) else { return };
        let failure = self.not_sent(*task, format!("the journal cannot be written: {why}"));
        self.stop(Stop::Journal(why));
        self.patched(now, ticket, Attempt::failed(failure));
    }

    /// Returns `true` if a write may be sent now that its intent is on disk. If the last read of the user has become too old in
    /// the meantime, the attempt counts as failed, and the user is read again.
    pub fn may_leave(&mut self, now: Duration, ticket: Ticket) -> bool {
        let Some(Pending::Patch { task, .. }) = self.pending.get(&ticket) else {
            return false;
        };
        let task = *task;
        if now.saturating_sub(self.tasks[task].read_at) <= FRESHNESS_LIMIT_WHEN_SENT {
            return true;
        }
        let failure = self.not_sent(task, "recording it in the journal took too long".into());
        self.pending.remove(&ticket);
        self.flow.pacing.pacer(Endpoint::Patch).withdrawn();
        self.tasks[task].sent -= 1;
        self.patch_failed(now, task, failure);
        false
    }

    /// Creates the failure for a write that was not sent.
    fn not_sent(&self, task: TaskId, why: String) -> Failure {
        Failure {
            asked: self.update(task).outgoing().asked(),
            cause: FailureCause::NotSent(why),
            request_id: None,
        }
    }

    /// Creates the failure for a read that took so long that no write can rely on it. If such a read counted as a success, the
    /// machine would repeat it forever.
    fn too_slow(&self, read: &Read, took: Duration) -> Failure {
        let limit = FRESHNESS_LIMIT.as_secs();
        let why = format!(
            "none within {limit} s; it came after {} s, too late for a change to rely on it",
            took.as_secs()
        );
        Failure {
            asked: self.people_request(read).outgoing().asked(),
            cause: FailureCause::NoAnswer(why),
            request_id: None,
        }
    }

    /// Returns the next action at time `now`. Call this repeatedly until it returns [`Action::Wait`] or [`Action::Done`].
    pub fn poll(&mut self, now: Duration) -> Action {
        let is_unfinished =
            self.tasks.unsettled_count() > 0 || self.phase == Phase::ReadingBack && !self.is_idle();
        if is_unfinished && self.may_send() && now >= self.flow.retries.silent_at() {
            self.stop(Stop::Silence);
        }
        self.advance();
        if self.phase == Phase::Over {
            return Action::Done;
        }
        if self.pending.len() >= self.parallelism || !self.may_send() {
            return Action::Wait { until: None, reason: WaitReason::Answers };
        }
        self.queue_due(now);
        let mut limited = None;
        if let Some(action) = self.next_read(now, &mut limited).or_else(|| self.next_patch(now, &mut limited))
        {
            return action;
        }
        if self.phase == Phase::Writing && self.tasks.unsettled_count() == 0 && self.pending.is_empty() {
            return self.poll(now); // the last changes just ended without a write, so start reading back
        }
        self.wait(now, limited)
    }

    /// Moves on to the next phase once the current one is done.
    fn advance(&mut self) {
        if self.phase == Phase::Writing && self.pending.is_empty() {
            if self.stopped.is_some() {
                self.end_the_rest();
            }
            if self.tasks.unsettled_count() == 0 {
                self.begin_reading_back();
            }
        }
        if self.phase == Phase::ReadingBack && self.is_idle() {
            self.end_reading_back();
        }
    }

    /// Handles the response to a write.
    pub fn patched(&mut self, now: Duration, ticket: Ticket, attempt: Attempt<Person>) {
        let Some(Pending::Patch { task, sent }) = self.pending.remove(&ticket) else {
            return; // `abandon` gave up on this write
        };
        self.flow.answered(Endpoint::Patch, now, sent, &attempt);
        match attempt.result {
            Ok(person) => {
                self.forbidden = 0;
                self.throttled_since = None;
                self.note_accepted(task);
                let so_far = match evidence(self.tasks[task].change(), &person) {
                    Evidence::Desired => Outcome::Applied,
                    Evidence::StillHeld => Outcome::StillGranted,
                    Evidence::Differs(_) => Outcome::NotEffective,
                };
                self.put(task, Position::written(so_far));
            }
            Err(failure) => self.patch_failed(now, task, failure),
        }
    }

    /// Handles the response to a read.
    pub fn was_read(&mut self, now: Duration, ticket: Ticket, mut attempt: Attempt<Vec<Person>>) {
        let Some(Pending::Read { read, sent }) = self.pending.remove(&ticket) else {
            return;
        };
        let took = now.saturating_sub(sent);
        if took > FRESHNESS_LIMIT && attempt.result.is_ok() && matches!(read.purpose, Purpose::Freshness(_)) {
            attempt.result = Err(self.too_slow(&read, took));
        }
        self.flow.answered(read.purpose.endpoint(), now, sent, &attempt);
        match attempt.result {
            Ok(people) => self.read_people(now, sent, read.purpose, people),
            Err(failure) => self.read_failed(now, read, failure),
        }
    }

    /// Stops sending requests but waits for outstanding responses. The first reason for stopping wins, except that a signal
    /// overrides any other.
    pub fn stop(&mut self, why: Stop) {
        if self.stopped.is_none() || matches!(why, Stop::Signal(_)) && !self.had_signal() {
            self.stopped = Some(why);
        }
        self.reads.clear();
    }

    /// Stops sending requests and abandons outstanding responses.
    pub fn abandon(&mut self, why: Stop) {
        self.stop(why);
        for (_, pending) in std::mem::take(&mut self.pending) {
            if let Pending::Patch { task, .. } = pending {
                self.put(task, Position::Ended(Outcome::Unknown(None, None)));
            }
        }
        self.end_the_rest();
        self.end_reading_back();
    }

    /// Returns the outcomes in plan order.
    pub fn finish(self) -> Finished {
        Finished {
            outcomes: self.tasks.into_outcomes(),
            stopped: self.stopped,
            not_read_back: self.not_read_back,
        }
    }
}
