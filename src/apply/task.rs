//! One change on its way: what is known of the person, and what that means.

use std::time::Duration;

use super::outcome::Outcome;
use crate::observed::{Person, RoleId};
use crate::plan::order::Ordered;
use crate::plan::{Change, Edit};
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
    /// Whether its gain was read back, because losses depend on it, or is being read back.
    pub(super) was_read_back: bool,
    /// How often the `PATCH` was sent.
    pub(super) sent: u32,
    /// Failures of the `PATCH` that count as attempts.
    pub(super) failed: u32,
    pub(super) trace: Trace,
    pub(super) state: State,
}

/// What its writes so far may have left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trace {
    /// Nothing: none has left, or Pylon has certainly not carried it out.
    None,
    /// One may have been carried out, and nobody has looked since.
    InDoubt(Failure),
    /// The same, and the person was still as before when looked at: it may be on its way, behind a gateway that gave it up.
    Unseen(Failure),
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
            was_read_back: false,
            sent: 0,
            failed: 0,
            trace: Trace::None,
            state: State::Waiting,
        }
    }

    pub(super) fn change(&self) -> &Change {
        &self.ordered.change
    }

    /// What it comes to when no more is sent for it: this, unless something that was sent may have come about or still may.
    pub(super) fn unless_traced(&self, outcome: Outcome) -> Outcome {
        match &self.trace {
            Trace::None => outcome,
            Trace::InDoubt(failure) | Trace::Unseen(failure) => Outcome::Unclear(Some(failure.clone())),
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
    let is_set = |edit: &Edit| person.has_only(edit.field, &edit.to);
    let is_as_before = |edit: &Edit| person.values(edit.field) == edit.from;
    if change.edits.iter().all(is_set) {
        Reading::Desired
    } else if change.edits.iter().all(|edit| is_set(edit) || is_as_before(edit)) {
        Reading::Before
    } else {
        Reading::Third
    }
}
