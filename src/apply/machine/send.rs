//! Picks the next request. Reads take precedence over writes. Writes follow the order computed by `plan::order`, subject to the
//! rate limits and role limits.

use std::collections::HashSet;
use std::time::Duration;

use super::reads::Purpose;
use super::{Action, FRESHNESS_LIMIT, Machine, Pending, REFRESH_HORIZON, Ticket, WaitReason};
use crate::apply::outcome::{NotAttempted, Outcome};
use crate::apply::task::{Position, Task, TaskId};
use crate::observed::RoleId;
use crate::pylon::pace::SendTime;
use crate::pylon::request::{Endpoint, PAGE, Update};

/// The earliest time at which an exhausted rate limit will allow another request, and the endpoint with that limit. `None` if no
/// rate limit is exhausted.
pub(super) type Limited = Option<(Duration, Endpoint)>;

impl Machine {
    /// Requeues the failed writes that are due for a retry.
    pub(super) fn queue_due(&mut self, now: Duration) {
        let due = self.tasks.waiting().filter(|(until, _)| *until <= now);
        for id in due.map(|(_, id)| id).collect::<Vec<_>>() {
            self.put(id, Position::Queued);
        }
    }

    /// Returns the next read that may be sent. Searches and individual reads have separate rate limits, so they don't block each
    /// other.
    pub(super) fn next_read(&mut self, now: Duration, limited: &mut Limited) -> Option<Action> {
        for endpoint in [Endpoint::User, Endpoint::Search] {
            let Some(key) = self.first_read(endpoint).filter(|(_, at, _)| *at <= now) else { continue };
            if !self.may_send_now(endpoint, now, limited) {
                continue;
            }
            let mut read = self.reads.remove(&key)?;
            read.sent += 1;
            let (request, attempt) = (self.people_request(&read), read.sent);
            self.flow.pacing.pacer(endpoint).sent(now);
            let ticket = self.ticket(Pending::Read { read, sent: now });
            return Some(Action::Read { ticket, request, attempt });
        }
        None
    }

    pub(super) fn next_patch(&mut self, now: Duration, limited: &mut Limited) -> Option<Action> {
        loop {
            let Some(id) = self.tasks.at(&Position::Queued).first().copied() else {
                if !self.is_stuck() {
                    return None;
                }
                if self.confirm_for_held() {
                    return self.next_read(now, limited);
                }
                self.give_up_first_held();
                continue;
            };
            if !self.is_allowed(id) {
                self.put(id, Position::Held);
                continue;
            }
            if !self.may_send_now(Endpoint::Patch, now, limited) {
                return None;
            }
            if self.is_stale(id, now) {
                return self.refresh(now, limited);
            }
            return Some(self.send_patch(now, id));
        }
    }

    /// Returns `true` if it's this change's turn and the role limits permit the change. A change to the token's own user waits
    /// until all other changes are settled.
    fn is_allowed(&self, id: TaskId) -> bool {
        let task = &self.tasks[id];
        let is_last = !task.is_own || self.tasks.unsettled_count() <= 1;
        let mut earlier = self.tasks.not_sent_before(id);
        is_last
            && self.limits.allow(&task.ordered, task.is_under_way())
            && !earlier.any(|earlier| self.limits.compete(&self.tasks[earlier].ordered, &task.ordered))
    }

    fn is_stale(&self, id: TaskId, now: Duration) -> bool {
        now.saturating_sub(self.tasks[id].read_at) > FRESHNESS_LIMIT
    }

    /// Returns `true` in a deadlock, i.e., if all remaining writes are held and no pending request or wait can release them.
    fn is_stuck(&self) -> bool {
        let is_waiting = self.tasks.waiting().next().is_some();
        !self.tasks.at(&Position::Held).is_empty() && !is_waiting && self.is_idle()
    }

    /// Schedules a read for each unconfirmed change that a held change is waiting for, at most one per change. Returns `false` if
    /// no read was scheduled. The response to a write isn't enough, because a directory can revert a change immediately.
    fn confirm_for_held(&mut self) -> bool {
        let held = self.tasks.at(&Position::Held).iter();
        let needed: HashSet<RoleId> = held.flat_map(|id| self.tasks[*id].limited_roles().cloned()).collect();
        let is_needed = |task: &Task| {
            let is_unread = matches!(task.position(), Position::Written { is_read_queued: false, .. });
            is_unread && task.unconfirmed().any(|role| needed.contains(role))
        };
        let unread: Vec<TaskId> = self.tasks.written().filter(|id| is_needed(&self.tasks[*id])).collect();
        for id in &unread {
            if let Position::Written { so_far, .. } = self.tasks[*id].position().clone() {
                self.put(*id, Position::Written { so_far, is_read_queued: true });
            }
        }
        self.ask_in_batches(&unread, Purpose::Confirmation);
        !unread.is_empty()
    }

    /// Ends the first held change that would leave a role with too few or too many holders. If there's no such change, ends the
    /// first held change. Requeues the remaining ones.
    fn give_up_first_held(&mut self) {
        let held = self.tasks.at(&Position::Held);
        let is_blocked = |id: &&TaskId| {
            let task = &self.tasks[**id];
            !self.limits.allow(&task.ordered, task.is_under_way())
        };
        if let Some(id) = held.iter().find(is_blocked).or_else(|| held.first()).copied() {
            self.end(id, Outcome::NotAttempted(NotAttempted::RoleLimit));
        }
    }

    fn send_patch(&mut self, now: Duration, id: TaskId) -> Action {
        self.put(id, Position::Patching);
        self.tasks[id].sent += 1;
        self.flow.pacing.pacer(Endpoint::Patch).sent(now);
        let (update, attempt) = (self.update(id), self.tasks[id].sent);
        let ticket = self.ticket(Pending::Patch { task: id, sent: now });
        Action::Patch { ticket, update, attempt }
    }

    pub(super) fn update(&self, id: TaskId) -> Update {
        let change = self.tasks[id].change();
        Update { id: change.subject.id.clone(), patch: change.patch() }
    }

    /// Rereads users whose last read is too old and whose writes are expected soon. Only one of these searches runs at a time.
    fn refresh(&mut self, now: Duration, limited: &mut Limited) -> Option<Action> {
        if !self.tasks.at(&Position::Refreshing).is_empty() {
            return None;
        }
        let capacity = self.flow.pacing.pacer(Endpoint::Patch).capacity(now, REFRESH_HORIZON);
        let ahead = usize::try_from(capacity).unwrap_or(PAGE).min(PAGE);
        let next = self.tasks.at(&Position::Queued).iter().take(ahead);
        let stale: Vec<TaskId> = next.copied().filter(|id| self.is_stale(*id, now)).collect();
        for id in &stale {
            self.put(*id, Position::Refreshing);
        }
        self.ask(Purpose::Freshness(stale));
        self.next_read(now, limited)
    }

    fn may_send_now(&mut self, endpoint: Endpoint, now: Duration, limited: &mut Limited) -> bool {
        match self.flow.pacing.pacer(endpoint).send_time(now) {
            SendTime::Now => true,
            SendTime::At(at) => {
                if limited.is_none_or(|(first, _)| at < first) {
                    *limited = Some((at, endpoint));
                }
                false
            }
            SendTime::AfterAnswer => false,
        }
    }

    /// Determines how long to wait if nothing can be sent at `now`.
    pub(super) fn wait(&self, now: Duration, limited: Limited) -> Action {
        let writes = self.tasks.waiting().map(|(until, _)| until);
        let reads = [Endpoint::User, Endpoint::Search]
            .into_iter()
            .filter_map(|endpoint| self.first_read(endpoint).map(|(_, at, _)| at).filter(|at| *at > now));
        let retry = writes.chain(reads).min().map(|at| (at, WaitReason::Retry));
        let limit = limited.map(|(at, endpoint)| (at, WaitReason::RateLimit(endpoint)));
        // If both end at the same time, `min_by_key` returns the first, which is the retry.
        let Some((until, reason)) = retry.into_iter().chain(limit).min_by_key(|(at, _)| *at) else {
            return Action::Wait { until: None, reason: WaitReason::Answers };
        };
        // Don't wait past the time at which the apply gives up because no request has succeeded for too long.
        Action::Wait { until: Some(until.min(self.flow.retries.silent_at())), reason }
    }

    fn ticket(&mut self, pending: Pending) -> Ticket {
        self.counter += 1;
        let ticket = Ticket(self.counter);
        self.pending.insert(ticket, pending);
        ticket
    }
}
