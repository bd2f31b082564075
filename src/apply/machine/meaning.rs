//! Decides what a response means for the affected changes and what to do next. See the table in docs/reliability.md.

use std::collections::HashMap;
use std::time::Duration;

use super::reads::{Purpose, Read};
use super::{FORBIDDEN_LIMIT, Machine, SECOND_LOOK_DELAY};
use crate::apply::outcome::{LastRead, NotAttempted, Outcome, Stop};
use crate::apply::task::{Evidence, Position, TaskId, evidence};
use crate::observed::{Person, UserId};
use crate::pylon::Failure;
use crate::pylon::failure::{Class, FailureCause};
use crate::pylon::retry::{GiveUp, LONGEST_SILENCE, Retry};

impl Machine {
    pub(super) fn patch_failed(&mut self, now: Duration, id: TaskId, failure: Failure) {
        if failure.class() != Class::Throttled {
            self.throttled_since = None;
        }
        match failure.class() {
            Class::NotSent => {
                self.tasks[id].failed += 1;
                match self.flow.retries.retry(now, self.tasks[id].failed) {
                    Retry::At(until) => self.put(id, Position::Waiting { until }),
                    Retry::No(_) => self.end(id, not_attempted(failure)),
                }
            }
            Class::Throttled => match self.flow.retries.retry_throttled(now, failure.hint()) {
                Retry::At(until) if !self.is_throttled_for_too_long(now, &failure) => {
                    self.put(id, Position::Waiting { until });
                }
                Retry::At(_) | Retry::No(_) => {
                    self.end(id, Outcome::NotAttempted(NotAttempted::Stopped));
                    self.stop(Stop::LongPause(failure));
                }
            },
            Class::Ambiguous => {
                let task = &mut self.tasks[id];
                task.failed += 1;
                task.in_doubt = Some(failure);
                let pause = self.flow.retries.backoff(task.failed);
                self.put(id, Position::Looking { after_write: true });
                self.ask_at(now + pause, Purpose::Look(id));
            }
            Class::Rejected | Class::TooLarge => self.end(id, Outcome::Rejected(failure)),
            Class::Forbidden => {
                self.forbidden += 1;
                self.end(id, Outcome::Rejected(failure.clone()));
                if self.forbidden >= FORBIDDEN_LIMIT {
                    self.stop(Stop::Forbidden(failure));
                }
            }
            Class::Fatal => {
                let outcome = match failure.cause {
                    FailureCause::Blocked(_) => not_attempted(failure.clone()),
                    _ => Outcome::Rejected(failure.clone()),
                };
                self.end(id, outcome);
                self.stop(Stop::Fatal(failure));
            }
        }
    }

    /// Returns `true` if Pylon has answered every write with a 429 for [`LONGEST_SILENCE`] plus the pause requested in the latest
    /// response.
    fn is_throttled_for_too_long(&mut self, now: Duration, failure: &Failure) -> bool {
        let since = *self.throttled_since.get_or_insert(now);
        now.saturating_sub(since) >= LONGEST_SILENCE + failure.hint().unwrap_or_default()
    }

    pub(super) fn read_failed(&mut self, now: Duration, mut read: Read, failure: Failure) {
        read.failed.add(&failure);
        let gave_up = match self.flow.retries.retry_read(now, &failure, read.failed) {
            Retry::At(at) => return self.schedule(at, read),
            Retry::No(gave_up) => gave_up,
        };
        if let Some(halves) = read.halves(&failure) {
            halves.into_iter().for_each(|half| self.schedule(Duration::ZERO, half));
            return;
        }
        match read.purpose {
            Purpose::Freshness(tasks) => {
                for id in tasks {
                    self.end(id, not_attempted(failure.clone()));
                }
            }
            Purpose::Look(id) if failure.class() == Class::Rejected => {
                self.end(id, Outcome::Rejected(failure.clone()));
            }
            Purpose::Look(id) => self.end(id, not_attempted(failure.clone())),
            Purpose::Confirmation(_) | Purpose::SecondConfirmation(_) => {} // the change remains unconfirmed
            Purpose::ReadBack(_) | Purpose::SecondLook(_) => {} // the provisional outcome becomes final, and the report says so
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
        let people: HashMap<UserId, Person> =
            people.into_iter().map(|person| (person.id.clone(), person)).collect();
        let found = |machine: &Self, id: TaskId| people.get(&machine.tasks[id].change().subject.id);
        match purpose {
            Purpose::Freshness(tasks) => {
                for id in tasks {
                    match found(self, id) {
                        Some(person) => self.reread(now, sent, id, person),
                        None => {
                            self.put(id, Position::Looking { after_write: false });
                            self.ask(Purpose::Look(id));
                        }
                    }
                }
            }
            // The response always contains the user, because decoding fails for a response about someone else.
            Purpose::Look(id) => {
                if let Some(person) = found(self, id) {
                    self.reread(now, sent, id, person);
                }
            }
            Purpose::Confirmation(tasks) => {
                for id in tasks {
                    if !found(self, id).is_some_and(|person| self.note_confirmed(id, person)) {
                        self.ask_at(now + SECOND_LOOK_DELAY, Purpose::SecondConfirmation(id));
                    }
                }
                self.release_held();
            }
            Purpose::SecondConfirmation(id) => {
                if let Some(person) = found(self, id) {
                    self.note_confirmed(id, person);
                }
                self.release_held();
            }
            Purpose::ReadBack(tasks) => {
                for id in tasks {
                    self.read_back(now, id, found(self, id));
                }
            }
            Purpose::SecondLook(id) => self.looked_again(id, found(self, id)),
        }
    }

    /// Handles the response to a read before a write, or after a write that may have been applied.
    fn reread(&mut self, now: Duration, sent: Duration, id: TaskId, person: &Person) {
        self.note(id, person);
        let task = &mut self.tasks[id];
        task.read_at = sent;
        match evidence(task.change(), person) {
            Evidence::Desired | Evidence::StillHeld if task.in_doubt.is_none() => {
                self.end(id, Outcome::AlreadyInSync);
            }
            Evidence::Desired => self.put(id, Position::written(Outcome::Applied)),
            Evidence::StillHeld => self.put(id, Position::written(Outcome::StillGranted)),
            Evidence::Differs(LastRead::OtherValue) => self.end(id, Outcome::Conflict),
            Evidence::Differs(LastRead::OldValue) => {
                let is_failed_write = *task.position() == Position::Looking { after_write: true };
                let failed = task.failed;
                // Ignore the time in `Retry::At`, because the pause took place before this read.
                if is_failed_write && matches!(self.flow.retries.retry(now, failed), Retry::No(_)) {
                    self.end(id, Outcome::Unknown(None, None));
                } else {
                    self.put(id, Position::Queued);
                }
            }
        }
    }

    /// Handles the final read after all writes. If the search doesn't return the user or doesn't show the new values, the user
    /// is read again. The second read is skipped if the search confirms that the write was not effective.
    fn read_back(&mut self, now: Duration, id: TaskId, person: Option<&Person>) {
        let Position::Written { so_far, .. } = self.tasks[id].position().clone() else { return };
        match (person.map(|person| evidence(self.tasks[id].change(), person)), so_far) {
            (Some(Evidence::Desired), _) => return self.put(id, Position::Ended(Outcome::Applied)),
            (Some(Evidence::StillHeld), Outcome::NotEffective | Outcome::StillGranted) => {
                return self.put(id, Position::Ended(Outcome::StillGranted));
            }
            (Some(Evidence::Differs(_)), Outcome::NotEffective) => {
                return self.put(id, Position::Ended(Outcome::NotEffective));
            }
            // Fall back to this outcome if the second read fails.
            (Some(Evidence::StillHeld), _) => self.put(id, Position::written(Outcome::StillGranted)),
            (Some(Evidence::Differs(read)), so_far) => {
                self.put(id, Position::written(so_far.if_not_shown(Some(read))));
            }
            (None, _) => {}
        }
        self.ask_at(now + SECOND_LOOK_DELAY, Purpose::SecondLook(id));
    }

    fn looked_again(&mut self, id: TaskId, person: Option<&Person>) {
        let Position::Written { so_far, .. } = self.tasks[id].position().clone() else { return };
        let outcome = match person.map(|person| evidence(self.tasks[id].change(), person)) {
            Some(Evidence::Desired) => Outcome::Applied,
            Some(Evidence::StillHeld) => Outcome::StillGranted,
            Some(Evidence::Differs(read)) => so_far.if_not_shown(Some(read)),
            None => so_far.if_not_shown(None),
        };
        self.put(id, Position::Ended(outcome));
    }
}

fn not_attempted(failure: Failure) -> Outcome {
    Outcome::NotAttempted(NotAttempted::Unreachable(failure))
}
