//! Moves changes to their next position or final outcome and updates the holder counts of limited roles.

use super::reads::Purpose;
use super::{Machine, Phase};
use crate::apply::outcome::{NotAttempted, Outcome};
use crate::apply::role_limits::Holders;
use crate::apply::task::{Position, TaskId};
use crate::observed::{Person, RoleId};
use crate::plan::order::Ordered;

impl Machine {
    /// Returns `true` if requests may be sent. After certain stops, we still read back the changes written so far.
    pub(super) fn may_send(&self) -> bool {
        match &self.stopped {
            None => true,
            Some(stop) => self.phase != Phase::Writing && stop.may_read_back(),
        }
    }

    /// Moves a task to a new position and updates the count of changes that can take effect at any moment. Once the task is
    /// settled (no further writes will be sent for it), the held tasks are checked again.
    pub(super) fn put(&mut self, id: TaskId, position: Position) {
        let (was_under_way, unsettled) = (self.tasks[id].is_under_way(), self.tasks.unsettled_count());
        self.tasks.put(id, position);
        let task = &self.tasks[id];
        match (was_under_way, task.is_under_way()) {
            (false, true) => self.limits.under_way(&task.ordered),
            (true, false) => self.limits.settled(&task.ordered),
            (true, true) | (false, false) => {}
        }
        if self.tasks.unsettled_count() < unsettled {
            self.release_held();
        }
    }

    /// Settles a change with the given outcome, so that no further writes are sent for it. If an earlier write may have been
    /// applied, the outcome becomes unknown, and the user will be read back.
    pub(super) fn end(&mut self, id: TaskId, outcome: Outcome) {
        let position = match self.tasks[id].unless_in_doubt(outcome) {
            so_far @ Outcome::Unknown(..) => Position::written(so_far),
            outcome => Position::Ended(outcome),
        };
        self.put(id, position);
    }

    /// Requeues the held changes, which may be allowed by now.
    pub(super) fn release_held(&mut self) {
        for id in self.tasks.at(&Position::Held).clone() {
            self.tasks.put(id, Position::Queued);
        }
    }

    /// Updates the holder counts after Pylon accepts a write. Any of the losses and gains might have taken effect, regardless
    /// of the values in the response.
    pub(super) fn note_accepted(&mut self, id: TaskId) {
        let Ordered { change: _, gains, losses } = self.tasks[id].ordered.clone();
        losses.iter().for_each(|role| self.note_role(id, Holders::Confirmed, role, false));
        gains.iter().for_each(|role| self.note_role(id, Holders::Possible, role, true));
    }

    /// Updates the holder counts for the gains and losses visible in a read after the write. The others remain unconfirmed
    /// because search results can lag behind. Returns `true` if all gains and losses are confirmed.
    pub(super) fn note_confirmed(&mut self, id: TaskId, person: &Person) -> bool {
        let Ordered { change: _, gains, losses } = self.tasks[id].ordered.clone();
        for role in gains.iter().filter(|role| person.holds(role)) {
            self.note_role(id, Holders::Confirmed, role, true);
        }
        for role in losses.iter().filter(|role| !person.holds(role)) {
            self.note_role(id, Holders::Possible, role, false);
        }
        self.tasks[id].unconfirmed().next().is_none()
    }

    /// Updates the holder counts for all gains and losses, based on a read of the user. The read was sent either before a
    /// write, or after a write that may have been applied.
    pub(super) fn note(&mut self, id: TaskId, person: &Person) {
        let Ordered { change: _, gains, losses } = self.tasks[id].ordered.clone();
        for role in gains.iter().chain(&losses) {
            for holders in [Holders::Confirmed, Holders::Possible] {
                self.note_role(id, holders, role, person.holds(role));
            }
        }
    }

    fn note_role(&mut self, id: TaskId, holders: Holders, role: &RoleId, is_held: bool) {
        let held = self.tasks[id].roles(holders);
        match (held.iter().position(|held| held == role), is_held) {
            (None, true) => held.push(role.clone()),
            (Some(index), false) => drop(held.swap_remove(index)),
            (None, false) | (Some(_), true) => return,
        }
        self.limits.set(holders, role, is_held);
    }

    /// Ends all remaining changes after a stop. Their outcome is `NotAttempted`, or `Unknown` if a write may have been applied.
    pub(super) fn end_the_rest(&mut self) {
        for id in self.tasks.unsettled().collect::<Vec<_>>() {
            self.end(id, Outcome::NotAttempted(NotAttempted::Stopped));
        }
        self.reads.clear();
    }

    pub(super) fn begin_reading_back(&mut self) {
        self.phase = Phase::ReadingBack;
        // Refill the retry budget, which the writes might have used up.
        self.flow.retries.refill();
        let written: Vec<TaskId> = self.tasks.written().collect();
        self.ask_in_batches(&written, Purpose::ReadBack);
    }

    /// Returns `true` if no request is pending and no read is scheduled.
    pub(super) fn is_idle(&self) -> bool {
        self.pending.is_empty() && self.reads.is_empty()
    }

    /// Ends the apply. Changes that could not be read back keep their provisional outcome.
    pub(super) fn end_reading_back(&mut self) {
        self.phase = Phase::Over;
        for id in self.tasks.written().collect::<Vec<_>>() {
            if let Position::Written { so_far, .. } = self.tasks[id].position().clone() {
                self.not_read_back += usize::from(so_far == Outcome::Applied);
                self.put(id, Position::Ended(so_far));
            }
        }
    }
}
