//! How changes come to their end, and what is counted on the way.

use std::time::Duration;

use super::reads::{Purpose, Read};
use super::{Later, Machine, Phase};
use crate::apply::outcome::{NotAttempted, Outcome};
use crate::apply::task::{State, Task};
use crate::observed::Person;
use crate::pylon::request::PAGE;

impl Machine {
    /// After a stop only those are read back whom the stop does not concern.
    pub(super) fn may_send(&self) -> bool {
        match &self.stopped {
            None => true,
            Some(stop) => self.phase != Phase::Writing && stop.may_read_back(),
        }
    }

    pub(super) fn ask(&mut self, read: Read) {
        if self.may_send() {
            self.reads.push_back(read);
        } // otherwise `end_the_rest` and `end_reading_back` say what becomes of it
    }

    pub(super) fn later(&mut self, at: Duration, what: Later) {
        if !self.may_send() {
            return; // as above
        }
        if let Later::Patch(task) = what {
            self.tasks[task].state = State::Waiting;
        }
        self.counter += 1;
        self.later.insert((at, self.counter), what);
    }

    /// Nothing more will be sent for this change, and so it ends; what may have come about all the same is read back.
    pub(super) fn end(&mut self, task: usize, outcome: Outcome) {
        let state = match self.tasks[task].unless_traced(outcome) {
            so_far @ Outcome::Unclear(_) => State::Written { so_far },
            outcome => State::Ended(outcome),
        };
        self.settle(task, state);
    }

    /// Nothing more will be sent for this change. Whoever waited for others is looked at anew.
    pub(super) fn settle(&mut self, task: usize, state: State) {
        let Task { ordered, leaving, state: current, .. } = &mut self.tasks[task];
        // What is unclear may still be on its way, and counts as gone.
        let is_unclear = matches!(
            state,
            State::Ended(Outcome::Unclear(_)) | State::Written { so_far: Outcome::Unclear(_) }
        );
        if *leaving && !is_unclear {
            *leaving = false;
            self.floors.settled(&ordered.losses);
        }
        *current = state;
        self.unsettled -= 1;
        self.release_held();
    }

    /// Puts the held changes back into the queue, because what they wait for may have happened.
    pub(super) fn release_held(&mut self) {
        while let Some(held) = self.held.pop_back() {
            self.queue.push_front(held);
        }
    }

    /// A write was accepted: its losses count from now on, whatever its response shows.
    pub(super) fn note_losses(&mut self, task: usize) {
        let Task { ordered, holds, .. } = &mut self.tasks[task];
        for role in &ordered.losses {
            if let Some(index) = holds.iter().position(|held| held == role) {
                holds.swap_remove(index);
                self.floors.lost(role);
            }
        }
    }

    /// A person was read after their write: the gains that this shows are confirmed. Returns whether all their gains are. A
    /// loss stays a loss, because a search may lag behind.
    pub(super) fn note_gains(&mut self, task: usize, person: &Person) -> bool {
        let Task { ordered, holds, .. } = &mut self.tasks[task];
        for role in ordered.gains.iter().filter(|role| person.holds(role)) {
            if !holds.contains(role) {
                holds.push(role.clone());
                self.floors.gained(role);
            }
        }
        ordered.gains.iter().all(|role| holds.contains(role))
    }

    /// A person was read before their write, or after one that may have been applied: the count of confirmed holders follows.
    pub(super) fn note(&mut self, task: usize, person: &Person) {
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
    pub(super) fn end_the_rest(&mut self) {
        for task in 0..self.tasks.len() {
            if !self.tasks[task].is_settled() {
                self.end(task, Outcome::NotAttempted(NotAttempted::Stopped));
            }
        }
        self.queue.clear();
        self.reads.clear();
    }

    pub(super) fn begin_reading_back(&mut self) {
        self.phase = Phase::ReadingBack;
        // Its own budget: what the writes have spent must not leave unknown what was applied.
        self.retries.refill();
        let written: Vec<usize> = (0..self.tasks.len())
            .filter(|task| matches!(self.tasks[*task].state, State::Written { .. }))
            .collect();
        for batch in written.chunks(PAGE) {
            self.ask(Read::of(Purpose::ReadBack(batch.to_vec())));
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.pending.is_empty() && self.reads.is_empty() && self.later.is_empty()
    }

    /// What could not be read back stands as it was shown when it was written, or as unclear as it was.
    pub(super) fn end_reading_back(&mut self) {
        self.phase = Phase::Over;
        for task in &mut self.tasks {
            if let State::Written { so_far } = &task.state {
                self.not_read_back += usize::from(!matches!(so_far, Outcome::Unclear(_)));
                task.state = State::Ended(so_far.clone());
            }
        }
    }
}
