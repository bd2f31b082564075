//! One change on its way: what is known of the person, and what that means.

use std::time::Duration;

use super::outcome::{NotAttempted, Outcome};
use crate::observed::{Person, RoleId};
use crate::plan::order::Ordered;
use crate::plan::{Change, RoleEdit, StatusEdit};
use crate::pylon::Failure;

/// A change and how far it has come.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) ordered: Ordered,
    /// Whether it is the token's own user, who goes very last.
    pub(super) is_own: bool,
    /// When the read was sent on which a write would rest.
    pub(super) read_at: Duration,
    /// Kept roles that the person is known to hold, among those the change is about.
    pub(super) holds: Vec<RoleId>,
    /// Whether a loss has been sent and not been settled.
    pub(super) leaving: bool,
    /// Failures of the `PATCH` that count as attempts.
    pub(super) failed: u32,
    /// The last failure that left a `PATCH` in doubt: it may have been carried out, or be on its way still.
    pub(super) may_have_come: Option<Failure>,
    /// The failure that left it in doubt, while it is.
    pub(super) doubt: Option<Failure>,
    pub(super) state: State,
}

/// How far a change has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// Waiting for its turn, for its backoff, or for a reading.
    Waiting,
    /// Its `PATCH` is under way.
    Patching,
    /// Its `PATCH` was answered with success; to be read back.
    Written {
        /// What it comes to if nothing more is learnt: as the answer, or what was read since, has it.
        so_far: Outcome,
    },
    /// It has come to its end.
    Ended(Outcome),
}

/// What a reading of the person says about the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// Everything is as planned.
    Desired,
    /// Some of it is still as it was, and nothing is otherwise.
    Before,
    /// Something is neither as it was nor as planned.
    Third,
}

impl Task {
    pub(super) fn new(is_own: bool, ordered: Ordered, read_at: Duration) -> Self {
        let holds = ordered.losses.clone();
        Self {
            ordered,
            is_own,
            read_at,
            holds,
            leaving: false,
            failed: 0,
            may_have_come: None,
            doubt: None,
            state: State::Waiting,
        }
    }

    pub(super) fn change(&self) -> &Change {
        &self.ordered.change
    }

    /// What it comes to when it is not sent (again): not attempted, unless it was and had no effect.
    pub(super) fn not_sent(&self, why: NotAttempted) -> Outcome {
        match &self.may_have_come {
            Some(failure) => Outcome::Rejected(failure.clone()),
            None => Outcome::NotAttempted(why),
        }
    }

    /// Whether nothing more will be sent for it, but for reading back.
    pub(super) fn is_settled(&self) -> bool {
        match self.state {
            State::Waiting | State::Patching => false,
            State::Written { .. } | State::Ended(_) => true,
        }
    }
}

/// What a reading of `person` says about `change`.
pub(super) fn reading(change: &Change, person: &Person) -> Reading {
    let Change { subject: _, role, status } = change;
    let fields = [
        role.as_ref().map(|edit| {
            let RoleEdit { from, to, through_scim: _, place: _, origin: _ } = edit;
            (person.assigned == [to.clone()], person.assigned == *from)
        }),
        status.as_ref().map(|edit| {
            let StatusEdit { from, to, place: _, origin: _ } = edit;
            (person.has_status(*to), person.status == *from)
        }),
    ];
    let fields = || fields.iter().flatten();
    if fields().all(|(desired, _)| *desired) {
        Reading::Desired
    } else if fields().all(|(desired, before)| *desired || *before) {
        Reading::Before
    } else {
        Reading::Third
    }
}
