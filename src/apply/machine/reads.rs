//! The machine's reads: which users to read, for what purpose, and how often a read has failed.

use std::time::Duration;

use super::Machine;
use crate::apply::task::TaskId;
use crate::pylon::Failure;
use crate::pylon::request::{Endpoint, PAGE, PeopleRequest, Search, halved};
use crate::pylon::retry::Failures;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The last read is too old for a write to rely on.
    Freshness(Vec<TaskId>),
    /// The user is read individually because a write may have been applied, or because a search did not return the user.
    Look(TaskId),
    /// The write succeeded, but other users' changes can't proceed until the resulting gain or loss of a limited role is
    /// confirmed.
    Confirmation(Vec<TaskId>),
    /// The user is read individually because the confirmation search did not show the whole change.
    SecondConfirmation(TaskId),
    ReadBack(Vec<TaskId>),
    /// The user is read individually because the search for reading back did not return the user or did not show the planned
    /// values.
    SecondLook(TaskId),
}

impl Purpose {
    pub(super) fn endpoint(&self) -> Endpoint {
        match self {
            Self::Freshness(_) | Self::Confirmation(_) | Self::ReadBack(_) => Endpoint::Search,
            Self::Look(_) | Self::SecondConfirmation(_) | Self::SecondLook(_) => Endpoint::User,
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Read {
    pub(super) purpose: Purpose,
    /// Number of times the read was sent.
    pub(super) sent: u32,
    pub(super) failed: Failures,
    /// The number of people per page: [`PAGE`], or fewer once the server has rejected that many.
    limit: usize,
}

impl Read {
    fn new(purpose: Purpose, limit: usize) -> Self {
        Self { purpose, sent: 0, failed: Failures::default(), limit }
    }

    /// Splits a search into smaller ones if Pylon may have rejected it as too large. Returns `None` for other failures, for
    /// individual reads, and for a search that is already as small as possible.
    pub(super) fn halves(&self, failure: &Failure) -> Option<Vec<Self>> {
        let (tasks, purpose): (_, fn(Vec<TaskId>) -> Purpose) = match &self.purpose {
            Purpose::Freshness(tasks) => (tasks, Purpose::Freshness),
            Purpose::Confirmation(tasks) => (tasks, Purpose::Confirmation),
            Purpose::ReadBack(tasks) => (tasks, Purpose::ReadBack),
            Purpose::Look(_) | Purpose::SecondConfirmation(_) | Purpose::SecondLook(_) => return None,
        };
        let (size, limit) = halved(tasks.len(), self.limit, failure)?;
        Some(tasks.chunks(size).map(|part| Self::new(purpose(part.to_vec()), limit)).collect())
    }
}

impl Machine {
    /// Schedules a read for as soon as the rate limit allows.
    pub(super) fn ask(&mut self, purpose: Purpose) {
        self.ask_at(Duration::ZERO, purpose);
    }

    /// Schedules a read to be sent as soon as the rate limit allows, but not before `at`.
    pub(super) fn ask_at(&mut self, at: Duration, purpose: Purpose) {
        self.schedule(at, Read::new(purpose, PAGE));
    }

    /// Schedules a read of several users, one search per batch.
    pub(super) fn ask_in_batches(&mut self, tasks: &[TaskId], purpose: fn(Vec<TaskId>) -> Purpose) {
        for batch in tasks.chunks(PAGE) {
            self.ask(purpose(batch.to_vec()));
        }
    }

    pub(super) fn schedule(&mut self, at: Duration, read: Read) {
        // After a stop, don't schedule the read. `end_the_rest` and `end_reading_back` end the changes that are waiting for a
        // read.
        if self.may_send() {
            self.counter += 1;
            self.reads.insert((read.purpose.endpoint(), at, self.counter), read);
        }
    }

    /// Returns the key of the first scheduled read for `endpoint`, even if the read isn't due yet.
    pub(super) fn first_read(&self, endpoint: Endpoint) -> Option<(Endpoint, Duration, u64)> {
        let mut keys = self.reads.range((endpoint, Duration::ZERO, 0)..=(endpoint, Duration::MAX, u64::MAX));
        keys.next().map(|(key, _)| *key)
    }

    pub(super) fn people_request(&self, read: &Read) -> PeopleRequest {
        let subject = |task: TaskId| &self.tasks[task].change().subject;
        match &read.purpose {
            Purpose::Freshness(tasks) | Purpose::Confirmation(tasks) | Purpose::ReadBack(tasks) => {
                let emails = tasks.iter().map(|task| subject(*task).primary.clone()).collect();
                PeopleRequest::Search(Search { emails, limit: read.limit, cursor: None })
            }
            Purpose::Look(task) | Purpose::SecondConfirmation(task) | Purpose::SecondLook(task) => {
                PeopleRequest::One(subject(*task).id.clone())
            }
        }
    }
}
