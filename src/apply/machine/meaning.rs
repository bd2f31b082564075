//! What an answer means: the outcome table's right-hand side, for writes and for reads, and what a reading of somebody
//! says about their change.

use std::collections::HashMap;
use std::time::Duration;

use super::reads::{Purpose, Read};
use super::{FORBIDDEN_IN_A_ROW, Later, Machine, SECOND_LOOK};
use crate::apply::outcome::{NotAttempted, Outcome, Stop};
use crate::apply::task::{Reading, State, Trace, reading};
use crate::observed::{Person, UserId};
use crate::pylon::Failure;
use crate::pylon::failure::{Class, Trouble};
use crate::pylon::retry::{Again, GiveUp, backoff};

impl Machine {
    pub(super) fn patch_failed(&mut self, now: Duration, task: usize, failure: Failure) {
        self.retries.failed(&failure);
        match failure.class() {
            Class::NotSent => match self.count_attempt(now, task) {
                Again::At(at) => self.later(at, Later::Patch(task)),
                Again::No(_) => self.end(task, Outcome::NotAttempted(NotAttempted::Unreachable(failure))),
            },
            Class::Throttled => match self.retries.after_throttling(now, failure.hint()) {
                Again::At(at) => self.later(at, Later::Patch(task)),
                Again::No(_) => {
                    self.end(task, Outcome::NotAttempted(NotAttempted::Stopped));
                    self.stop(Stop::LongPause(failure));
                }
            },
            Class::Ambiguous => {
                self.tasks[task].failed += 1;
                let pause = backoff(self.tasks[task].failed, &mut self.rng);
                self.tasks[task].trace = Trace::InDoubt(failure);
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
                let outcome = match failure.trouble {
                    Trouble::Blocked(_) => Outcome::NotAttempted(NotAttempted::Unreachable(failure.clone())),
                    _ => Outcome::Rejected(failure.clone()),
                };
                self.end(task, outcome);
                self.stop(Stop::Fatal(failure));
            }
        }
    }

    /// Counts a failed attempt of a write that certainly was not carried out, and says whether it is sent again.
    pub(super) fn count_attempt(&mut self, now: Duration, task: usize) -> Again {
        self.tasks[task].failed += 1;
        self.retries.again(now, self.tasks[task].failed, &mut self.rng)
    }

    pub(super) fn read_failed(&mut self, now: Duration, mut read: Read, failure: Failure) {
        self.retries.failed(&failure);
        read.failed.add(&failure);
        let gave_up = match self.retries.read_again(now, &failure, read.failed, &mut self.rng) {
            Again::At(at) => return self.later(at, Later::Read(read)),
            Again::No(gave_up) => gave_up,
        };
        if let Some(halves) = read.halves(&failure) {
            halves.into_iter().for_each(|half| self.ask(half));
            return;
        }
        match read.purpose {
            Purpose::Freshness(tasks) => {
                self.refreshing = false;
                for task in tasks {
                    self.end(task, Outcome::NotAttempted(NotAttempted::Unreachable(failure.clone())));
                }
            }
            Purpose::Look(task) => {
                let outcome = match failure.class() {
                    Class::Rejected => Outcome::Rejected(failure.clone()),
                    _ => Outcome::NotAttempted(NotAttempted::Unreachable(failure.clone())),
                };
                self.end(task, outcome);
            }
            Purpose::Confirmation(_) | Purpose::SecondConfirmation(_) => {} // the gain stays unconfirmed
            Purpose::ReadBack(_) | Purpose::SecondLook(_) => {} // what is known so far stands, and the report says so
        }
        if gave_up == GiveUp::LongPause {
            self.stop(Stop::LongPause(failure));
        } else if failure.class() == Class::Fatal {
            self.stop(Stop::Fatal(failure));
        }
    }

    pub(super) fn read_people(
        &mut self,
        now: Duration,
        sent: Duration,
        purpose: Purpose,
        people: Vec<Person>,
    ) {
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
            // An answer about anybody else is no answer: `pylon::wire` sees to that.
            Purpose::Look(task) => {
                if let Some(person) = take(self, task) {
                    self.reread(now, sent, task, &person);
                }
            }
            Purpose::Confirmation(tasks) => {
                for task in tasks {
                    let person = take(self, task);
                    if !person.is_some_and(|person| self.note_gains(task, &person)) {
                        self.later(
                            now + SECOND_LOOK,
                            Later::Read(Read::of(Purpose::SecondConfirmation(task))),
                        );
                    }
                }
                self.release_held();
            }
            Purpose::SecondConfirmation(task) => {
                if let Some(person) = take(self, task) {
                    self.note_gains(task, &person);
                }
                self.release_held();
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
    pub(super) fn reread(&mut self, now: Duration, sent: Duration, task: usize, person: &Person) {
        self.note(task, person);
        self.tasks[task].read_at = sent;
        match (reading(self.tasks[task].change(), person), self.tasks[task].trace.clone()) {
            (Reading::Desired, Trace::None) => self.end(task, Outcome::AlreadyInStep),
            (Reading::Desired, Trace::InDoubt(_) | Trace::Unseen(_)) => {
                self.settle(task, State::Written { so_far: Outcome::Applied });
            }
            (Reading::Third, _) => self.end(task, Outcome::Stale),
            (Reading::Before, Trace::None | Trace::Unseen(_)) => self.queue.push_front(task),
            (Reading::Before, Trace::InDoubt(failure)) => {
                self.tasks[task].trace = Trace::Unseen(failure.clone());
                match self.retries.again(now, self.tasks[task].failed, &mut self.rng) {
                    Again::At(_) => self.queue.push_front(task), // its pause lay before the look
                    Again::No(_) => self.end(task, Outcome::Unclear(Some(failure))),
                }
            }
        }
    }

    /// A person was read after everything was written. Whoever the search does not bring, or brings otherwise than
    /// Pylon had shown them, is looked at once more.
    pub(super) fn read_back(&mut self, now: Duration, task: usize, person: Option<&Person>) {
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

    pub(super) fn second_look(&mut self, now: Duration, task: usize) {
        self.later(now + SECOND_LOOK, Later::Read(Read::of(Purpose::SecondLook(task))));
    }
}
