//! The apply protocol as a state machine: what to send, when, what a response means, and when to stop.
//!
//! Its inputs are events and the time, and its outputs are [`Action`]s. It has no clock, network, or source of randomness, so the
//! same seed and events always give the same actions, and a test can replay them.
//!
//! * [`Failure::class`] decides what a failure means, and `meaning` decides what follows from it.
//! * `send` decides what is sent next, and `reads` which people are read and why.
//! * `ending` decides how a change ends.

mod ending;
mod meaning;
mod reads;
mod send;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use reads::Read;

use super::outcome::{Finished, Outcome, Stop};
use super::role_limits::RoleLimits;
use super::task::{Evidence, Position, TaskId, Tasks, evidence};
use crate::observed::Person;
use crate::plan::{Change, ReviewedPlan};
use crate::pylon::failure::Cause;
use crate::pylon::pace::Pacing;
use crate::pylon::request::{Endpoint, PeopleRequest, Request, Update};
use crate::pylon::{Attempt, Failure, FlowControl};

/// The greatest age of the read that a write depends on. The age counts from the time when the read was sent.
pub const FRESHNESS_LIMIT: Duration = Duration::from_secs(55);
/// The greatest age of that read after the intent is on disk, because writing it can take long. It is 1 s less than the 60 s
/// of I3 (docs/reliability.md), for the time until the request is sent.
const FRESHNESS_LIMIT_WHEN_SENT: Duration = Duration::from_secs(59);
/// Stale people are read again only if their write is expected to be sent within this time.
const REFRESH_HORIZON: Duration = Duration::from_secs(50);
/// If a search does not show a value that was applied, the person is read again after this pause.
const SECOND_LOOK_DELAY: Duration = Duration::from_secs(2);
/// After this many forbidden changes in a row, all others are expected to be forbidden too.
const FORBIDDEN_LIMIT: u32 = 3;

/// Names a request until it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

impl Ticket {
    /// Returns its number, from 1. No two requests of an apply have the same one.
    pub fn number(self) -> u64 {
        self.0
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Send this write, and tell [`Machine::patched`]. `attempt` counts from 1.
    Patch { ticket: Ticket, update: Update, attempt: u32 },
    /// Send this read, and tell [`Machine::was_read`]. `attempt` counts from 1.
    Read { ticket: Ticket, request: PeopleRequest, attempt: u32 },
    /// Do nothing until a request is answered, or until this time.
    Wait { until: Option<Duration>, reason: WaitReason },
    /// The apply has ended. See [`Machine::finish`].
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitReason {
    Answers,
    /// A request that failed is sent again later.
    Retry,
    /// The rate limit of this endpoint is used up.
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
    /// The reads to send, with their endpoint and the earliest time. The number keeps those with the same time in order.
    reads: BTreeMap<(Endpoint, Duration, u64), Read>,
    pending: HashMap<Ticket, Pending>,
    /// The last number that was given to a ticket or a read.
    counter: u64,
    /// How many changes in a row were forbidden.
    forbidden: u32,
    stopped: Option<Stop>,
    not_read_back: usize,
}

impl Machine {
    /// Returns the machine that carries out `plan`, whose people were read at `read_at`. `flow` is that of the run: the
    /// requests that made the plan count against the rate limits.
    pub fn new(
        plan: &ReviewedPlan,
        read_at: Duration,
        now: Duration,
        mut flow: FlowControl,
        parallelism: usize,
    ) -> Self {
        flow.retries.restart_answered(now); // the plan was made of responses
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
            stopped: None,
            not_read_back: 0,
        }
    }

    /// Returns how many changes there are, and for how many of them no further write is sent.
    pub fn progress(&self) -> (usize, usize) {
        (self.tasks.len(), self.tasks.len() - self.tasks.unsettled_count())
    }

    /// Returns the pacing, for its rate limits.
    pub fn pacing(&self) -> &Pacing {
        &self.flow.pacing
    }

    /// Returns how many responses are still missing after a stop. `None` if there was no stop, or if none is missing.
    pub fn answers_to_wait_for(&self) -> Option<usize> {
        self.stopped.as_ref().map(|_| self.pending.len()).filter(|pending| *pending > 0)
    }

    /// Returns the change of a write that has no response yet.
    pub fn change(&self, ticket: Ticket) -> Option<&Change> {
        match self.pending.get(&ticket)? {
            Pending::Patch { task, .. } => Some(self.tasks[*task].change()),
            Pending::Read { .. } => None,
        }
    }

    /// Handles a write that was not sent because the journal cannot be written. No further write is sent.
    pub fn unsent(&mut self, now: Duration, ticket: Ticket, why: String) {
        let Some(Pending::Patch { task, .. }) = self.pending.get(&ticket) else { return };
        let failure = self.not_sent(*task, format!("the journal cannot be written: {why}"));
        self.stop(Stop::Journal(why));
        self.patched(now, ticket, Attempt::failed(failure));
    }

    /// Returns whether a write whose intent is on disk may be sent. If its read is now too old, this counts as a failed attempt,
    /// and the person is read again first.
    pub fn may_leave(&mut self, now: Duration, ticket: Ticket) -> bool {
        let Some(Pending::Patch { task, .. }) = self.pending.get(&ticket) else {
            return false;
        };
        let task = *task;
        if now.saturating_sub(self.tasks[task].read_at) <= FRESHNESS_LIMIT_WHEN_SENT {
            return true;
        }
        let failure = self.not_sent(task, "writing its intent to the disk took too long".into());
        self.pending.remove(&ticket);
        self.flow.pacing.pacer(Endpoint::Patch).withdrawn();
        self.tasks[task].sent -= 1;
        self.patch_failed(now, task, failure);
        false
    }

    /// Returns the failure of a write that was not sent.
    fn not_sent(&self, task: TaskId, why: String) -> Failure {
        Failure { asked: self.update(task).outgoing().asked(), cause: Cause::NotSent(why), request_id: None }
    }

    /// Returns what to do at `now`. Must be called again until it says to wait.
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
            return self.poll(now); // the last changes have just ended without a write, so reading back is next
        }
        self.wait(now, limited)
    }

    /// Starts the next phase if the current one has ended.
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
            return; // `abandon` no longer waits for it
        };
        self.flow.answered(Endpoint::Patch, now, sent, &attempt);
        match attempt.result {
            Ok(person) => {
                self.forbidden = 0;
                self.note_accepted(task);
                let is_shown = evidence(self.tasks[task].change(), &person) == Evidence::Desired;
                let so_far = if is_shown { Outcome::Applied } else { Outcome::NotEffective };
                self.put(task, Position::written(so_far));
            }
            Err(failure) => self.patch_failed(now, task, failure),
        }
    }

    /// Handles the response to a read.
    pub fn was_read(&mut self, now: Duration, ticket: Ticket, attempt: Attempt<Vec<Person>>) {
        let Some(Pending::Read { read, sent }) = self.pending.remove(&ticket) else {
            return;
        };
        self.flow.answered(read.purpose.endpoint(), now, sent, &attempt);
        match attempt.result {
            Ok(people) => self.read_people(now, sent, read.purpose, people),
            Err(failure) => self.read_failed(now, read, failure),
        }
    }

    /// Sends no more requests, but waits for the responses to those that were sent. The first reason is kept, but a signal
    /// replaces any other reason.
    pub fn stop(&mut self, why: Stop) {
        let had_signal = matches!(self.stopped, Some(Stop::Signal(_)));
        if self.stopped.is_none() || matches!(why, Stop::Signal(_)) && !had_signal {
            self.stopped = Some(why);
        }
        self.reads.clear();
    }

    /// Sends no more requests, and does not wait for responses either.
    pub fn abandon(&mut self, why: Stop) {
        self.stop(why);
        for (_, pending) in std::mem::take(&mut self.pending) {
            if let Pending::Patch { task, .. } = pending {
                self.put(task, Position::Ended(Outcome::Unknown(None)));
            }
        }
        self.end_the_rest();
        self.end_reading_back();
    }

    /// Returns the outcomes in the order of the plan.
    pub fn finish(self) -> Finished {
        Finished {
            outcomes: self.tasks.into_outcomes(),
            stopped: self.stopped,
            not_read_back: self.not_read_back,
        }
    }
}
