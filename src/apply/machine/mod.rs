//! The apply protocol as a value: what to send, when, what an answer means, when to stop.
//!
//! Told events and the time, it answers with [`Action`]s; it has no clock, network or randomness of its own, so one
//! seed is one history. The meaning of each failure is [`Failure::class`]'s; what follows from it is in
//! `meaning`, a line each; what to send next is in `send`, how a change ends in `ending`.

mod ending;
mod meaning;
mod reads;
mod send;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use reads::Read;

use super::floors::Floors;
use super::outcome::{Carried, Finished, Outcome, Stop};
use super::task::{Reading, State, Task, reading};
use crate::observed::{Person, UserId};
use crate::plan::{Change, Patch, ReviewedPlan};
use crate::pylon::pace::{Pacing, Told};
use crate::pylon::request::Endpoint;
use crate::pylon::retry::Retries;
use crate::pylon::{Answer, Attempt, Failure, ReadRequest, Trouble};

/// No write rests on a read that is older, from the sending of the one to the sending of the other.
pub const FRESH: Duration = Duration::from_secs(55);
/// Once the intent is on disk, which can take long, no write is sent if its read is older than this. This is a second
/// less than the 60 s of I3 (docs/reliability.md), for the time until the request leaves.
const OLDEST_WHEN_SENT: Duration = Duration::from_secs(59);
/// Whoever is read anew is expected to be written within this time.
const WITHIN: Duration = Duration::from_secs(50);
/// What was in force and no longer is, is looked at once more after this pause.
const SECOND_LOOK: Duration = Duration::from_secs(2);
/// So many changes forbidden in a row, without a success between them, mean that all will be.
const FORBIDDEN_IN_A_ROW: u32 = 3;

/// Names a request that was given out, until it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

impl Ticket {
    /// Its number, from 1; no two requests of an apply have the same.
    pub fn number(self) -> u64 {
        self.0
    }
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Send this write, and tell [`Machine::patched`].
    Patch {
        /// To tell it by.
        ticket: Ticket,
        /// Whom.
        id: UserId,
        /// What it sets.
        patch: Patch,
    },
    /// Send this read, and tell [`Machine::was_read`].
    Read {
        /// To tell it by.
        ticket: Ticket,
        /// What to ask.
        request: ReadRequest,
    },
    /// Nothing, until something is answered, or until this time.
    Wait {
        /// When to ask again even if nothing is answered.
        until: Option<Duration>,
    },
    /// It is over: see [`Machine::finish`].
    Done,
}

#[derive(Debug, Clone)]
enum Pending {
    Patch { task: usize, sent: Duration },
    Read { read: Read, endpoint: Endpoint, sent: Duration },
}

/// Something that waits for its time.
#[derive(Debug, Clone)]
enum Later {
    Patch(usize),
    Read(Read),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Writing,
    ReadingBack,
    Over,
}

/// Whether a change may go out.
enum Going {
    Now,
    /// Not before others have come to their end.
    AfterOthers,
}

/// An apply under way.
#[derive(Debug, Clone)]
pub struct Machine {
    tasks: Vec<Task>,
    floors: Floors,
    pacing: Pacing,
    retries: Retries,
    rng: fastrand::Rng,
    parallelism: usize,
    phase: Phase,
    /// Changes whose turn has come, in order.
    queue: VecDeque<usize>,
    /// Changes that wait for others to come to their end, in order.
    held: VecDeque<usize>,
    /// Reads whose turn has come.
    reads: VecDeque<Read>,
    /// Changes and reads that wait for a time; the number keeps those of one time in order.
    later: BTreeMap<(Duration, u64), Later>,
    pending: HashMap<Ticket, Pending>,
    counter: u64,
    /// Changes that are not settled.
    unsettled: usize,
    /// Whether a search for freshness is under way; one at a time.
    refreshing: bool,
    forbidden: u32,
    /// The endpoint whose rate limit was the reason for the last wait.
    waits_for: Endpoint,
    stopped: Option<Stop>,
    not_read_back: usize,
}

impl Machine {
    /// The machine that carries out `plan`, whose people were read at `read_at`. `pacing` is the run's: what was sent to
    /// make the plan counts.
    pub fn new(
        plan: &ReviewedPlan,
        read_at: Duration,
        now: Duration,
        pacing: Pacing,
        parallelism: usize,
        rng: fastrand::Rng,
    ) -> Self {
        let is_own = |id: &UserId| Some(id) == plan.plan.token_user.as_ref();
        let ordered = plan.in_order().into_iter();
        let tasks: Vec<Task> =
            ordered.map(|ordered| Task::new(is_own(&ordered.change.subject.id), ordered, read_at)).collect();
        Self {
            queue: (0..tasks.len()).collect(),
            unsettled: tasks.len(),
            floors: Floors::new(&plan.floors),
            tasks,
            pacing,
            retries: Retries::of_an_answered_run(now), // the plan was made of answers
            rng,
            parallelism: parallelism.max(1),
            phase: Phase::Writing,
            held: VecDeque::new(),
            reads: VecDeque::new(),
            later: BTreeMap::new(),
            pending: HashMap::new(),
            counter: 0,
            refreshing: false,
            forbidden: 0,
            waits_for: Endpoint::Patch,
            stopped: None,
            not_read_back: 0,
        }
    }

    /// How many changes there are, and for how many of them nothing more will be sent.
    pub fn progress(&self) -> (usize, usize) {
        (self.tasks.len(), self.tasks.len() - self.unsettled)
    }

    /// How many writes per minute are assumed to be allowed.
    pub fn rate_limit(&self) -> u64 {
        self.pacing.limit(Endpoint::Patch)
    }

    /// The endpoint whose rate limit was the reason for the last wait, how many requests per minute are assumed to be allowed,
    /// and whether Pylon has returned a 429 for it.
    pub fn waits_for(&self) -> (Endpoint, u64, bool) {
        let endpoint = self.waits_for;
        (endpoint, self.pacing.limit(endpoint), self.pacing.is_paced(endpoint))
    }

    /// Whether the pause until then is one after a failure, and none for the pace.
    pub fn tries_again_at(&self, until: Duration) -> bool {
        self.later.first_key_value().is_some_and(|((at, _), _)| *at == until)
    }

    /// After a stop: how many answers are still waited for.
    pub fn answers_to_wait_for(&self) -> Option<usize> {
        self.stopped.as_ref().map(|_| self.pending.len()).filter(|pending| *pending > 0)
    }

    /// The change that a given-out write is for.
    pub fn change(&self, ticket: Ticket) -> Option<&Change> {
        match self.pending.get(&ticket)? {
            Pending::Patch { task, .. } => Some(self.tasks[*task].change()),
            Pending::Read { .. } => None,
        }
    }

    /// How often a given-out request has been sent, this time included.
    pub fn attempt(&self, ticket: Ticket) -> u32 {
        match self.pending.get(&ticket) {
            Some(Pending::Patch { task, .. }) => self.tasks[*task].sent,
            Some(Pending::Read { read, .. }) => read.sent,
            None => 0,
        }
    }

    /// A write that was given out did not leave, since the journal could not take it. Nothing more will.
    pub fn unsent(&mut self, now: Duration, ticket: Ticket, why: String) {
        let failure = self
            .change(ticket)
            .map(|change| not_sent(change, format!("the journal cannot be written: {why}")));
        self.stop(Stop::Journal(why));
        if let Some(failure) = failure {
            self.patched(now, ticket, Attempt { result: Err(failure), remaining: None, date: None });
        }
    }

    /// Whether a given-out write may be sent now that its intent is on disk. If the read that it rests on has become too old
    /// meanwhile, it counts as a failed attempt, and the person is read again first.
    pub fn may_leave(&mut self, now: Duration, ticket: Ticket) -> bool {
        let Some(Pending::Patch { task, .. }) = self.pending.get(&ticket) else {
            return false;
        };
        let task = *task;
        let is_fresh = now.saturating_sub(self.tasks[task].read_at) <= OLDEST_WHEN_SENT;
        if !is_fresh {
            let why = "writing its intent to the disk took too long".into();
            let failure = not_sent(self.tasks[task].change(), why);
            self.pending.remove(&ticket);
            self.pacing.of(Endpoint::Patch).withdrawn();
            self.tasks[task].sent -= 1;
            self.patch_failed(now, task, failure);
        }
        is_fresh
    }

    /// What to do at `now`. To be asked again until it says to wait.
    pub fn poll(&mut self, now: Duration) -> Action {
        let is_waiting = self.unsettled > 0 || self.phase == Phase::ReadingBack && !self.is_idle();
        if is_waiting && self.may_send() && self.retries.is_silent(now) {
            self.stop(Stop::Silence);
        }
        if self.phase == Phase::Writing {
            if self.stopped.is_some() && self.pending.is_empty() {
                self.end_the_rest();
            }
            if self.unsettled == 0 && self.pending.is_empty() {
                self.begin_reading_back();
            }
        }
        if self.phase == Phase::ReadingBack && self.is_idle() {
            self.end_reading_back();
        }
        if self.phase == Phase::Over {
            return Action::Done;
        }
        if self.pending.len() >= self.parallelism || !self.may_send() {
            return Action::Wait { until: None };
        }
        let mut wake = None;
        self.release_due(now);
        if let Some(action) = self.next_read(now, &mut wake).or_else(|| self.next_patch(now, &mut wake)) {
            return action;
        }
        if self.phase == Phase::Writing && self.unsettled == 0 && self.pending.is_empty() {
            return self.poll(now); // the last that were left have just been given up: what comes next is reading back
        }
        let next_due = self.later.first_key_value().map(|((at, _), _)| *at);
        let until = earliest(wake, next_due);
        // A gate that stays closed for longer is not waited for.
        Action::Wait { until: until.map(|until| until.min(self.retries.silent_at())) }
    }

    /// A write was answered, or failed.
    pub fn patched(&mut self, now: Duration, ticket: Ticket, attempt: Attempt<Person>) {
        let Some(Pending::Patch { task, sent }) = self.pending.remove(&ticket) else {
            return; // given up when the apply was abandoned
        };
        let jitter = self.rng.u64(0..1000);
        self.pacing.of(Endpoint::Patch).answered(now, sent, Told::by(&attempt), jitter);
        match attempt.result {
            Ok(person) => {
                self.retries.succeeded(now);
                self.forbidden = 0;
                self.note_losses(task);
                let shown = reading(self.tasks[task].change(), &person) == Reading::Desired;
                let so_far = if shown { Outcome::Applied } else { Outcome::NotEffective };
                self.settle(task, State::Written { so_far });
            }
            Err(failure) => self.patch_failed(now, task, failure),
        }
    }

    /// A read was answered, or failed.
    pub fn was_read(&mut self, now: Duration, ticket: Ticket, attempt: Attempt<Answer>) {
        let Some(Pending::Read { read, endpoint, sent }) = self.pending.remove(&ticket) else {
            return;
        };
        let jitter = self.rng.u64(0..1000);
        self.pacing.of(endpoint).answered(now, sent, Told::by(&attempt), jitter);
        match attempt.result {
            Ok(answer) => {
                self.retries.succeeded(now);
                let people = match answer {
                    Answer::Person(person) => vec![person],
                    Answer::Page(page) => page.people,
                    Answer::Me(_) | Answer::Roles(_) | Answer::Entries(_) => Vec::new(), // the machine asks for people alone
                };
                self.read_people(now, sent, read.purpose, people);
            }
            Err(failure) => self.read_failed(now, read, failure),
        }
    }

    /// Nothing more is sent; what is under way comes to its end. The first reason stays, but a signal goes before all.
    pub fn stop(&mut self, why: Stop) {
        let had_signal = matches!(self.stopped, Some(Stop::Signal(_)));
        if self.stopped.is_none() || matches!(why, Stop::Signal(_)) && !had_signal {
            self.stopped = Some(why);
        }
        self.queue.clear();
        self.held.clear();
        self.reads.clear();
        self.later.clear();
    }

    /// Nothing is waited for any more, not even answers.
    pub fn abandon(&mut self, why: Stop) {
        self.stop(why);
        let pending = std::mem::take(&mut self.pending);
        for (_, pending) in pending {
            if let Pending::Patch { task, .. } = pending {
                self.settle(task, State::Ended(Outcome::Unclear(None)));
            }
        }
        self.end_the_rest();
        self.end_reading_back();
    }

    /// What came of it, in the order of the plan.
    pub fn finish(self) -> Finished {
        let outcome = |state: State| match state {
            State::Ended(outcome) => outcome,
            State::Written { .. } | State::Waiting | State::Patching => Outcome::Unclear(None),
        };
        let mut carried: Vec<Carried> = self
            .tasks
            .into_iter()
            .map(|task| Carried { change: task.ordered.change, outcome: outcome(task.state) })
            .collect();
        carried.sort_by(|a, b| a.change.subject.email.value.cmp(&b.change.subject.email.value));
        Finished { carried, stopped: self.stopped, not_read_back: self.not_read_back }
    }
}

/// The failure of a write of `change` that never left.
fn not_sent(change: &Change, why: String) -> Failure {
    let asked = format!("PATCH /users/{}", change.subject.id.as_str());
    Failure { asked, trouble: Trouble::NotSent(why), request_id: None }
}

fn earliest(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
