//! What to send next: reads before writes, writes in their order, each when its allowance and the kept roles let it.

use std::collections::VecDeque;
use std::time::Duration;

use super::reads::{Purpose, Read};
use super::{Action, FRESH, Going, Later, Machine, Pending, Ticket, WITHIN, earliest};
use crate::apply::outcome::{NotAttempted, Outcome};
use crate::apply::task::{State, Task};
use crate::observed::RoleId;
use crate::pylon::ReadRequest;
use crate::pylon::pace::Turn;
use crate::pylon::request::{Endpoint, PAGE};

impl Machine {
    pub(super) fn release_due(&mut self, now: Duration) {
        while let Some(entry) = self.later.first_entry().filter(|entry| entry.key().0 <= now) {
            match entry.remove() {
                Later::Patch(task) => self.queue.push_front(task),
                Later::Read(read) => self.reads.push_back(read),
            }
        }
    }

    /// A search that has to wait holds up no look at one person, and the other way round.
    pub(super) fn next_read(&mut self, now: Duration, wake: &mut Option<Duration>) -> Option<Action> {
        let first_of = |reads: &VecDeque<Read>, endpoint| {
            reads.iter().position(|read| read.purpose.endpoint() == endpoint)
        };
        for endpoint in [Endpoint::User, Endpoint::Search] {
            if let Some(first) = first_of(&self.reads, endpoint)
                && self.has_turn(endpoint, now, wake)
            {
                let mut read = self.reads.remove(first)?;
                read.sent += 1;
                let request = self.request(&read);
                let ticket = self.ticket(Pending::Read { read, endpoint, sent: now });
                self.pacing.of(endpoint).sent(now);
                return Some(Action::Read { ticket, request });
            }
        }
        None
    }

    pub(super) fn next_patch(&mut self, now: Duration, wake: &mut Option<Duration>) -> Option<Action> {
        loop {
            let task = match self.queue.front() {
                Some(task) => *task,
                None if self.is_stuck() => {
                    if self.confirm_gains() {
                        return self.next_read(now, wake);
                    }
                    self.give_up_first_held();
                    continue;
                }
                None => return None,
            };
            if let Going::AfterOthers = self.going(task) {
                self.held.extend(self.queue.pop_front());
                continue;
            }
            if !self.has_turn(Endpoint::Patch, now, wake) {
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
    pub(super) fn going(&self, task: usize) -> Going {
        let Task { ordered, is_own, leaving, .. } = &self.tasks[task];
        if *is_own && self.unsettled > 1 || !self.floors.allow(&ordered.losses, *leaving) {
            Going::AfterOthers
        } else {
            Going::Now
        }
    }

    /// Whether everything that is left waits for something that will not come.
    pub(super) fn is_stuck(&self) -> bool {
        !self.held.is_empty() && self.pending.is_empty() && self.reads.is_empty() && self.later.is_empty()
    }

    /// Reads back each gain that the waiting losses depend on, once. Returns whether there were any to read. The response to a
    /// write does not confirm it: a directory may take a role back at once.
    fn confirm_gains(&mut self) -> bool {
        let needed: Vec<RoleId> =
            self.held.iter().flat_map(|task| self.tasks[*task].ordered.losses.clone()).collect();
        let is_needed = |task: &Task| {
            let Task { ordered, holds, state, was_read_back, .. } = task;
            let is_written = matches!(state, State::Written { .. });
            let mut open = ordered.gains.iter().filter(|role| !holds.contains(role));
            is_written && !was_read_back && open.any(|role| needed.contains(role))
        };
        let gains: Vec<usize> = (0..self.tasks.len()).filter(|task| is_needed(&self.tasks[*task])).collect();
        for task in &gains {
            self.tasks[*task].was_read_back = true;
        }
        for batch in gains.chunks(PAGE) {
            self.ask(Read::of(Purpose::Confirmation(batch.to_vec())));
        }
        !gains.is_empty()
    }

    /// A loss whose role has not enough confirmed holders is not sent; what waited behind it is looked at anew.
    pub(super) fn give_up_first_held(&mut self) {
        let blocked = self.held.iter().position(|task| {
            !self.floors.allow(&self.tasks[*task].ordered.losses, self.tasks[*task].leaving)
        });
        if let Some(task) = self.held.remove(blocked.unwrap_or(0)) {
            self.end(task, Outcome::NotAttempted(NotAttempted::KeptRole));
        }
    }

    pub(super) fn send_patch(&mut self, now: Duration, task: usize) -> Action {
        let Task { ordered, leaving, state, sent, .. } = &mut self.tasks[task];
        *state = State::Patching;
        *sent += 1;
        if !std::mem::replace(leaving, true) {
            self.floors.leaving(&ordered.losses);
        }
        let (id, patch) = (ordered.change.subject.id.clone(), ordered.change.patch());
        self.pacing.of(Endpoint::Patch).sent(now);
        let ticket = self.ticket(Pending::Patch { task, sent: now });
        Action::Patch { ticket, id, patch }
    }

    /// Reads anew those who can be written within a time, first of all the one at the front.
    pub(super) fn refresh(&mut self, now: Duration, wake: &mut Option<Duration>) -> Option<Action> {
        if self.refreshing {
            return None;
        }
        let capacity = self.pacing.of(Endpoint::Patch).capacity(now, WITHIN).min(PAGE as u64);
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

    pub(super) fn has_turn(
        &mut self,
        endpoint: Endpoint,
        now: Duration,
        wake: &mut Option<Duration>,
    ) -> bool {
        match self.pacing.of(endpoint).turn(now) {
            Turn::Now => true,
            Turn::At(at) => {
                if wake.is_none_or(|wake| at < wake) {
                    self.waits_for = endpoint;
                }
                *wake = earliest(*wake, Some(at));
                false
            }
            Turn::AfterAnswer => false,
        }
    }

    pub(super) fn request(&self, read: &Read) -> ReadRequest {
        let subject = |task: usize| &self.tasks[task].change().subject;
        match &read.purpose {
            Purpose::Freshness(tasks) | Purpose::Confirmation(tasks) | Purpose::ReadBack(tasks) => {
                let emails = tasks.iter().map(|task| subject(*task).primary.clone()).collect();
                ReadRequest::Search { emails, limit: read.limit, cursor: None }
            }
            Purpose::Look(task) | Purpose::SecondConfirmation(task) | Purpose::SecondLook(task) => {
                ReadRequest::Person(subject(*task).id.clone())
            }
        }
    }

    pub(super) fn ticket(&mut self, pending: Pending) -> Ticket {
        self.counter += 1;
        let ticket = Ticket(self.counter);
        self.pending.insert(ticket, pending);
        ticket
    }
}
