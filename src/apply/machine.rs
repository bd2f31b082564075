//! The apply protocol as a value: what to send, when, what an answer means, when to stop.
//!
//! Told events and the time, it answers with [`Action`]s; it has no clock, network or randomness of its own, so one
//! seed is one history. The meaning of each failure is [`Failure::class`]'s; what follows from it is in
//! [`Machine::patch_failed`] and [`Machine::read_failed`], a line each.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use super::floors::Floors;
use super::outcome::{Carried, Finished, NotAttempted, Outcome, Stop};
use super::task::{Reading, State, Task, reading};
use crate::observed::{Person, UserId};
use crate::plan::{Patch, ReviewedPlan};
use crate::pylon::client::PAGE;
use crate::pylon::failure::Class;
use crate::pylon::pace::{Allowance, Pacing, Told, Turn};
use crate::pylon::retry::{Again, Retries, backoff};
use crate::pylon::{Answer, Attempt, Failure, ReadRequest};

/// No write rests on a read that is older, from the sending of the one to the sending of the other.
pub const FRESH: Duration = Duration::from_secs(55);
/// Whoever is read anew is expected to be written within this time.
const WITHIN: Duration = Duration::from_secs(50);
/// What was in force and no longer is, is looked at once more after this pause.
const SECOND_LOOK: Duration = Duration::from_secs(2);
/// So many changes forbidden in a row, without a success between them, mean that all will be.
const FORBIDDEN_IN_A_ROW: u32 = 3;

/// Names a request that was given out, until it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

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
    /// Send this read, and tell [`Machine::read`].
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

/// Why somebody is read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Purpose {
    /// They were read too long ago to be written now.
    Freshness(Vec<usize>),
    /// Their write was left in doubt, or the search did not bring them.
    Look(usize),
    /// They were written.
    ReadBack(Vec<usize>),
    /// They were written, and the search says otherwise.
    SecondLook(usize),
}

#[derive(Debug, Clone)]
struct Read {
    purpose: Purpose,
    failed: u32,
    /// People a page; less than [`PAGE`] once the server has refused that.
    limit: usize,
}

impl Read {
    fn of(purpose: Purpose) -> Self {
        Self { purpose, failed: 0, limit: PAGE }
    }

    /// A search that was refused for its size, as two smaller ones of smaller pages; one person is asked for once more.
    fn halves(&self) -> Option<Vec<Self>> {
        let half = |tasks: &[usize], purpose: fn(Vec<usize>) -> Purpose| {
            let of =
                |part: &[usize]| Self { purpose: purpose(part.to_vec()), failed: 0, limit: self.limit / 2 };
            tasks.chunks(tasks.len().div_ceil(2).max(1)).map(of).collect()
        };
        match &self.purpose {
            Purpose::Freshness(tasks) => Some(half(tasks, Purpose::Freshness)),
            Purpose::ReadBack(tasks) => Some(half(tasks, Purpose::ReadBack)),
            Purpose::Look(_) | Purpose::SecondLook(_) => None,
        }
    }
}

impl Purpose {
    fn allowance(&self) -> Allowance {
        match self {
            Self::Freshness(_) | Self::ReadBack(_) => Allowance::Search,
            Self::Look(_) | Self::SecondLook(_) => Allowance::Get,
        }
    }
}

#[derive(Debug, Clone)]
enum Pending {
    Patch { task: usize, sent: Duration },
    Read { read: Read, allowance: Allowance, sent: Duration },
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
            stopped: None,
            not_read_back: 0,
        }
    }

    /// How many changes there are, and for how many of them nothing more will be sent.
    pub fn progress(&self) -> (usize, usize) {
        (self.tasks.len(), self.tasks.len() - self.unsettled)
    }

    /// What to do at `now`. To be asked again until it says to wait.
    pub fn poll(&mut self, now: Duration) -> Action {
        if self.phase == Phase::Writing {
            if self.stopped.is_none() && self.unsettled > 0 && self.retries.is_silent(now) {
                self.stop(Stop::Silence);
            }
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
        Action::Wait { until: earliest(wake, next_due) }
    }

    /// A write was answered, or failed.
    pub fn patched(&mut self, now: Duration, ticket: Ticket, attempt: Attempt<Person>) {
        let Some(Pending::Patch { task, sent }) = self.pending.remove(&ticket) else {
            return; // given up when the apply was abandoned
        };
        let jitter = self.rng.u64(0..1000);
        self.pacing.of(Allowance::Patch).answered(now, sent, Told::by(&attempt), jitter);
        match attempt.result {
            Ok(person) => {
                self.retries.succeeded(now);
                self.forbidden = 0;
                self.note(task, &person);
                let shown = reading(self.tasks[task].change(), &person) == Reading::Desired;
                let so_far = if shown { Outcome::Applied } else { Outcome::NotEffective };
                self.settle(task, State::Written { so_far });
            }
            Err(failure) => self.patch_failed(now, task, failure),
        }
    }

    /// A read was answered, or failed.
    pub fn was_read(&mut self, now: Duration, ticket: Ticket, attempt: Attempt<Answer>) {
        let Some(Pending::Read { read, allowance, sent }) = self.pending.remove(&ticket) else {
            return;
        };
        let jitter = self.rng.u64(0..1000);
        self.pacing.of(allowance).answered(now, sent, Told::by(&attempt), jitter);
        match attempt.result {
            Ok(answer) => {
                self.retries.succeeded(now);
                let people = match answer {
                    Answer::Person(person) => vec![person],
                    Answer::Page(page) => page.people,
                    Answer::Me(_) | Answer::Roles(_) => Vec::new(), // the machine asks for people alone
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

/// What to send.
impl Machine {
    fn release_due(&mut self, now: Duration) {
        while let Some(entry) = self.later.first_entry().filter(|entry| entry.key().0 <= now) {
            match entry.remove() {
                Later::Patch(task) => self.queue.push_front(task),
                Later::Read(read) => self.reads.push_back(read),
            }
        }
    }

    /// A search that has to wait holds up no look at one person, and the other way round.
    fn next_read(&mut self, now: Duration, wake: &mut Option<Duration>) -> Option<Action> {
        let first_of = |reads: &VecDeque<Read>, allowance| {
            reads.iter().position(|read| read.purpose.allowance() == allowance)
        };
        for allowance in [Allowance::Get, Allowance::Search] {
            if let Some(first) = first_of(&self.reads, allowance)
                && self.has_turn(allowance, now, wake)
            {
                let read = self.reads.remove(first)?;
                let request = self.request(&read);
                let ticket = self.ticket(Pending::Read { read, allowance, sent: now });
                self.pacing.of(allowance).sent(now);
                return Some(Action::Read { ticket, request });
            }
        }
        None
    }

    fn next_patch(&mut self, now: Duration, wake: &mut Option<Duration>) -> Option<Action> {
        loop {
            let task = match self.queue.front() {
                Some(task) => *task,
                None if self.is_stuck() => {
                    self.give_up_first_held();
                    continue;
                }
                None => return None,
            };
            if let Going::AfterOthers = self.going(task) {
                self.held.extend(self.queue.pop_front());
                continue;
            }
            if !self.has_turn(Allowance::Patch, now, wake) {
                return None;
            }
            if now.saturating_sub(self.tasks[task].read_at) > FRESH {
                return self.refresh(now, wake);
            }
            self.queue.pop_front();
            return Some(self.send_patch(now, task));
        }
    }

    /// Losses wait until enough holders of the role are confirmed; the token's own user waits for everybody.
    fn going(&self, task: usize) -> Going {
        let Task { ordered, is_own, leaving, .. } = &self.tasks[task];
        if *is_own && self.unsettled > 1 || !self.floors.allow(&ordered.losses, *leaving) {
            Going::AfterOthers
        } else {
            Going::Now
        }
    }

    /// Whether everything that is left waits for something that will not come.
    fn is_stuck(&self) -> bool {
        !self.held.is_empty() && self.pending.is_empty() && self.reads.is_empty() && self.later.is_empty()
    }

    /// A loss whose role has not enough confirmed holders is not sent; what waited behind it is looked at anew.
    fn give_up_first_held(&mut self) {
        let blocked = self.held.iter().position(|task| {
            !self.floors.allow(&self.tasks[*task].ordered.losses, self.tasks[*task].leaving)
        });
        if let Some(task) = self.held.remove(blocked.unwrap_or(0)) {
            self.not_sent(task, NotAttempted::KeptRole);
        }
    }

    fn send_patch(&mut self, now: Duration, task: usize) -> Action {
        let Task { ordered, leaving, state, .. } = &mut self.tasks[task];
        *state = State::Patching;
        if !std::mem::replace(leaving, true) {
            self.floors.leaving(&ordered.losses);
        }
        let (id, patch) = (ordered.change.subject.id.clone(), ordered.change.patch());
        self.pacing.of(Allowance::Patch).sent(now);
        let ticket = self.ticket(Pending::Patch { task, sent: now });
        Action::Patch { ticket, id, patch }
    }

    /// Reads anew those who can be written within a time, first of all the one at the front.
    fn refresh(&mut self, now: Duration, wake: &mut Option<Duration>) -> Option<Action> {
        if self.refreshing {
            return None;
        }
        let capacity = self.pacing.of(Allowance::Patch).capacity(now, WITHIN).min(PAGE as u64);
        let ahead = self.queue.len().min(usize::try_from(capacity).unwrap_or(PAGE));
        let (batch, fresh): (Vec<usize>, Vec<usize>) =
            self.queue.drain(..ahead).partition(|task| now.saturating_sub(self.tasks[*task].read_at) > FRESH);
        for task in fresh.into_iter().rev() {
            self.queue.push_front(task);
        }
        self.refreshing = true;
        self.ask(Read::of(Purpose::Freshness(batch)));
        self.next_read(now, wake)
    }

    fn has_turn(&mut self, allowance: Allowance, now: Duration, wake: &mut Option<Duration>) -> bool {
        match self.pacing.of(allowance).turn(now) {
            Turn::Now => true,
            Turn::At(at) => {
                *wake = earliest(*wake, Some(at));
                false
            }
            Turn::AfterAnswer => false,
        }
    }

    fn request(&self, read: &Read) -> ReadRequest {
        let subject = |task: usize| &self.tasks[task].change().subject;
        match &read.purpose {
            Purpose::Freshness(tasks) | Purpose::ReadBack(tasks) => {
                let emails = tasks.iter().map(|task| subject(*task).primary.clone()).collect();
                ReadRequest::Search { emails, limit: read.limit, cursor: None }
            }
            Purpose::Look(task) | Purpose::SecondLook(task) => ReadRequest::Person(subject(*task).id.clone()),
        }
    }

    fn ticket(&mut self, pending: Pending) -> Ticket {
        self.counter += 1;
        let ticket = Ticket(self.counter);
        self.pending.insert(ticket, pending);
        ticket
    }
}

/// What an answer means.
impl Machine {
    fn patch_failed(&mut self, now: Duration, task: usize, failure: Failure) {
        self.retries.failed(&failure);
        match failure.class() {
            Class::NotSent => match self.count_attempt(now, task) {
                Again::At(at) => self.later(at, Later::Patch(task)),
                Again::No(_) => self.not_sent(task, NotAttempted::Unreachable(failure)),
            },
            Class::Throttled => match self.retries.after_throttling(now, failure.hint()) {
                Again::At(at) => self.later(at, Later::Patch(task)),
                Again::No(_) => {
                    self.not_sent(task, NotAttempted::Stopped);
                    self.stop(Stop::LongPause(failure));
                }
            },
            Class::Ambiguous => {
                self.tasks[task].failed += 1;
                self.tasks[task].may_have_come = Some(failure.clone());
                let pause = backoff(self.tasks[task].failed, &mut self.rng);
                self.tasks[task].doubt = Some(failure);
                self.tasks[task].state = State::Waiting;
                self.later(now + pause, Later::Read(Read::of(Purpose::Look(task))));
            }
            Class::Rejected | Class::TooLarge => self.end(task, Outcome::Rejected(failure)),
            Class::Forbidden => {
                self.forbidden += 1;
                self.end(task, Outcome::Rejected(failure.clone()));
                if self.forbidden >= FORBIDDEN_IN_A_ROW {
                    self.stop(Stop::Forbidden(failure));
                }
            }
            Class::Fatal => {
                self.end(task, Outcome::Rejected(failure.clone()));
                self.stop(Stop::Fatal(failure));
            }
        }
    }

    /// Counts a failed attempt of a write that certainly was not carried out, and says whether it is sent again.
    fn count_attempt(&mut self, now: Duration, task: usize) -> Again {
        self.tasks[task].failed += 1;
        self.retries.again(now, self.tasks[task].failed, &mut self.rng)
    }

    fn read_failed(&mut self, now: Duration, mut read: Read, failure: Failure) {
        self.retries.failed(&failure);
        read.failed += u32::from(failure.class() != Class::Throttled);
        if let Again::At(at) = self.retries.read_again(now, &failure, read.failed, &mut self.rng) {
            self.later(at, Later::Read(read));
            return;
        }
        if failure.is_too_large()
            && read.limit > 1
            && let Some(halves) = read.halves()
        {
            halves.into_iter().for_each(|half| self.ask(half));
            return;
        }
        match read.purpose {
            Purpose::Freshness(tasks) => {
                self.refreshing = false;
                for task in tasks {
                    self.not_sent(task, NotAttempted::Unreachable(failure.clone()));
                }
            }
            Purpose::Look(task) => {
                let outcome = match self.tasks[task].doubt.take() {
                    Some(doubt) => Outcome::Unclear(Some(doubt)),
                    None if failure.class() == Class::Rejected => Outcome::Rejected(failure.clone()),
                    None => self.tasks[task].not_sent(NotAttempted::Unreachable(failure.clone())),
                };
                self.end(task, outcome);
            }
            Purpose::ReadBack(_) | Purpose::SecondLook(_) => {} // what is known so far stands, and the report says so
        }
        if failure.class() == Class::Fatal {
            self.stop(Stop::Fatal(failure));
        }
    }

    fn read_people(&mut self, now: Duration, sent: Duration, purpose: Purpose, people: Vec<Person>) {
        let mut people: HashMap<UserId, Person> =
            people.into_iter().map(|person| (person.id.clone(), person)).collect();
        let mut take = |machine: &Self, task: usize| people.remove(&machine.tasks[task].change().subject.id);
        match purpose {
            Purpose::Freshness(tasks) => {
                self.refreshing = false;
                // From the back, so that the front of the queue is again in order.
                for task in tasks.into_iter().rev() {
                    match take(self, task) {
                        Some(person) => self.reread(now, sent, task, &person),
                        None => self.ask(Read::of(Purpose::Look(task))),
                    }
                }
            }
            Purpose::Look(task) => {
                if let Some(person) = take(self, task) {
                    self.reread(now, sent, task, &person);
                }
            }
            Purpose::ReadBack(tasks) => {
                for task in tasks {
                    let person = take(self, task);
                    self.read_back(now, task, person.as_ref());
                }
            }
            Purpose::SecondLook(task) => {
                let person = take(self, task);
                let State::Written { so_far } = self.tasks[task].state.clone() else { return };
                let outcome = match person.map(|person| reading(self.tasks[task].change(), &person)) {
                    Some(Reading::Desired) => Outcome::Applied,
                    _ => so_far.otherwise(),
                };
                self.tasks[task].state = State::Ended(outcome);
            }
        }
    }

    /// A person was read before being written, or after a write that was left in doubt.
    fn reread(&mut self, now: Duration, sent: Duration, task: usize, person: &Person) {
        self.note(task, person);
        self.tasks[task].read_at = sent;
        let doubt = self.tasks[task].doubt.take();
        let was_sent = self.tasks[task].may_have_come.is_some();
        match (reading(self.tasks[task].change(), person), doubt) {
            (Reading::Desired, _) if was_sent => {
                self.settle(task, State::Written { so_far: Outcome::Applied });
            }
            (Reading::Desired, _) => self.end(task, Outcome::AlreadyInStep),
            (Reading::Third, _) => self.end(task, Outcome::Stale),
            (Reading::Before, None) => self.queue.push_front(task),
            (Reading::Before, Some(failure)) => {
                match self.retries.again(now, self.tasks[task].failed, &mut self.rng) {
                    Again::At(_) => self.queue.push_front(task), // its pause lay before the look
                    Again::No(_) => self.end(task, Outcome::Rejected(failure)),
                }
            }
        }
    }

    /// A person was read after everything was written. Whoever the search does not bring, or brings otherwise than
    /// Pylon had shown them, is looked at once more.
    fn read_back(&mut self, now: Duration, task: usize, person: Option<&Person>) {
        let State::Written { so_far } = self.tasks[task].state.clone() else {
            return;
        };
        let seen = person.map(|person| reading(self.tasks[task].change(), person));
        match (seen, so_far) {
            (Some(Reading::Desired), _) => self.tasks[task].state = State::Ended(Outcome::Applied),
            (Some(_), Outcome::NotEffective) => {
                self.tasks[task].state = State::Ended(Outcome::NotEffective);
            }
            (Some(_), so_far) => {
                // Should the second look not come about, this is what is known.
                self.tasks[task].state = State::Written { so_far: so_far.otherwise() };
                self.second_look(now, task);
            }
            (None, _) => self.second_look(now, task),
        }
    }

    fn second_look(&mut self, now: Duration, task: usize) {
        self.later(now + SECOND_LOOK, Later::Read(Read::of(Purpose::SecondLook(task))));
    }
}

/// How changes come to their end.
impl Machine {
    /// After a stop only those are read back whom the stop does not concern.
    fn may_send(&self) -> bool {
        match &self.stopped {
            None => true,
            Some(stop) => self.phase != Phase::Writing && stop.may_read_back(),
        }
    }

    fn ask(&mut self, read: Read) {
        if self.may_send() {
            self.reads.push_back(read);
        } // otherwise `end_the_rest` and `end_reading_back` say what becomes of it
    }

    fn later(&mut self, at: Duration, what: Later) {
        if !self.may_send() {
            return; // as above
        }
        if let Later::Patch(task) = what {
            self.tasks[task].state = State::Waiting;
        }
        self.counter += 1;
        self.later.insert((at, self.counter), what);
    }

    fn not_sent(&mut self, task: usize, why: NotAttempted) {
        let outcome = self.tasks[task].not_sent(why);
        self.end(task, outcome);
    }

    fn end(&mut self, task: usize, outcome: Outcome) {
        self.settle(task, State::Ended(outcome));
    }

    /// Nothing more will be sent for this change. Whoever waited for others is looked at anew.
    fn settle(&mut self, task: usize, state: State) {
        let Task { ordered, leaving, may_have_come, state: current, .. } = &mut self.tasks[task];
        // What was left in doubt and not confirmed since may still be on its way, and counts as gone.
        let may_come = match &state {
            State::Ended(Outcome::Unclear(_)) => true,
            State::Ended(_) => may_have_come.is_some(),
            State::Written { .. } | State::Waiting | State::Patching => false,
        };
        if *leaving && !may_come {
            *leaving = false;
            self.floors.settled(&ordered.losses);
        }
        *current = state;
        self.unsettled -= 1;
        while let Some(held) = self.held.pop_back() {
            self.queue.push_front(held);
        }
    }

    /// Keeps the count of confirmed holders in step with what Pylon shows of one person.
    fn note(&mut self, task: usize, person: &Person) {
        let Task { ordered, holds, .. } = &mut self.tasks[task];
        for role in ordered.gains.iter().chain(&ordered.losses) {
            match (holds.iter().position(|held| held == role), person.holds(role)) {
                (None, true) => {
                    holds.push(role.clone());
                    self.floors.gained(role);
                }
                (Some(index), false) => {
                    holds.swap_remove(index);
                    self.floors.lost(role);
                }
                (None, false) | (Some(_), true) => {}
            }
        }
    }

    /// After a stop: what was not sent was not attempted, what was left in doubt stays so.
    fn end_the_rest(&mut self) {
        for task in 0..self.tasks.len() {
            if !self.tasks[task].is_settled() {
                let outcome = match self.tasks[task].doubt.take() {
                    Some(doubt) => Outcome::Unclear(Some(doubt)),
                    None => self.tasks[task].not_sent(NotAttempted::Stopped),
                };
                self.end(task, outcome);
            }
        }
        self.queue.clear();
        self.reads.clear();
    }

    fn begin_reading_back(&mut self) {
        self.phase = Phase::ReadingBack;
        let written: Vec<usize> = (0..self.tasks.len())
            .filter(|task| matches!(self.tasks[*task].state, State::Written { .. }))
            .collect();
        for batch in written.chunks(PAGE) {
            self.ask(Read::of(Purpose::ReadBack(batch.to_vec())));
        }
    }

    fn is_idle(&self) -> bool {
        self.pending.is_empty() && self.reads.is_empty() && self.later.is_empty()
    }

    /// What could not be read back stands as it was shown when it was written.
    fn end_reading_back(&mut self) {
        self.phase = Phase::Over;
        for task in &mut self.tasks {
            if let State::Written { so_far } = &task.state {
                self.not_read_back += 1;
                task.state = State::Ended(so_far.clone());
            }
        }
    }
}

fn earliest(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
