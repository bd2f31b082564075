//! The state of each change during an apply, and what a read of the person shows about it.

use std::collections::BTreeSet;
use std::ops::{Index, IndexMut};
use std::time::Duration;

use super::outcome::Outcome;
use super::role_limits::Holders;
use crate::observed::{Person, RoleId};
use crate::plan::order::Ordered;
use crate::plan::{Change, Edit};
use crate::pylon::Failure;

/// Names a task. The order of the IDs is the order in which the changes are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TaskId(usize);

/// The state of a task. It is [`Self::Queued`] first, and [`Self::Ended`] last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Position {
    /// It is sent as soon as the rate limit allows.
    Queued,
    /// It waits until others have ended: a limit on a role depends on them, or it changes the token's own user, who comes last.
    Held,
    /// It is queued again at this time.
    Waiting {
        until: Duration,
    },
    /// The person is searched for, because the last read is too old.
    Refreshing,
    /// A single person is read: after a write that may have been applied, or because the search did not return the person.
    Looking {
        after_write: bool,
    },
    /// Its write was sent, and has no response yet.
    Patching,
    /// No further write is sent. The person is to be read back, and if that fails, the outcome is `so_far`.
    Written {
        so_far: Outcome,
        /// Whether a read was requested to confirm its gains and losses, because the changes of others depend on them.
        is_confirmed: bool,
    },
    Ended(Outcome),
}

impl Position {
    const COUNT: usize = 8;
    /// From this number on, no further write is sent.
    const FIRST_SETTLED: usize = 6;

    pub(super) fn written(so_far: Outcome) -> Self {
        Self::Written { so_far, is_confirmed: false }
    }

    /// Returns its number in the index of [`Tasks`].
    const fn number(&self) -> usize {
        match self {
            Self::Queued => 0,
            Self::Held => 1,
            Self::Waiting { .. } => 2,
            Self::Refreshing => 3,
            Self::Looking { .. } => 4,
            Self::Patching => 5,
            Self::Written { .. } => 6,
            Self::Ended(_) => 7,
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) ordered: Ordered,
    /// Whether it changes the token's own user, who comes last.
    pub(super) is_own: bool,
    /// When the last read of the person was sent. A write may not depend on a read that is too old.
    pub(super) read_at: Duration,
    /// The limited roles that the person certainly holds, of those that the change adds or removes.
    holds: Vec<RoleId>,
    /// The same roles, if the person may hold them.
    may_hold: Vec<RoleId>,
    /// How often its write was sent.
    pub(super) sent: u32,
    /// The number of failed writes. Throttled ones do not count.
    pub(super) failed: u32,
    /// The last failure after which a write may have been applied, or may still arrive: a gateway can time out and still
    /// forward the request. `None` if no write can have had an effect.
    pub(super) in_doubt: Option<Failure>,
    position: Position,
}

impl Task {
    pub(super) fn change(&self) -> &Change {
        &self.ordered.change
    }

    pub(super) fn position(&self) -> &Position {
        &self.position
    }

    /// Returns `outcome`, or [`Outcome::Unknown`] if an earlier write may have been applied.
    pub(super) fn unless_in_doubt(&self, outcome: Outcome) -> Outcome {
        match &self.in_doubt {
            None => outcome,
            Some(failure) => Outcome::Unknown(Some(failure.clone())),
        }
    }

    /// Returns the roles that the person certainly or possibly holds.
    pub(super) fn roles(&mut self, holders: Holders) -> &mut Vec<RoleId> {
        match holders {
            Holders::Confirmed => &mut self.holds,
            Holders::Possible => &mut self.may_hold,
        }
    }

    pub(super) fn limited_roles(&self) -> impl Iterator<Item = &RoleId> {
        self.ordered.gains.iter().chain(&self.ordered.losses)
    }

    /// Returns the limited roles whose gain or loss has not been confirmed.
    pub(super) fn unconfirmed(&self) -> impl Iterator<Item = &RoleId> {
        let gains = self.ordered.gains.iter().filter(|role| !self.holds.contains(role));
        gains.chain(self.ordered.losses.iter().filter(|role| self.may_hold.contains(role)))
    }

    /// Returns whether the change may take effect at any moment, or has done so without being confirmed.
    pub(super) fn is_under_way(&self) -> bool {
        match &self.position {
            Position::Patching => true,
            Position::Written { so_far: outcome, .. } | Position::Ended(outcome) => {
                matches!(outcome, Outcome::Unknown(_))
            }
            Position::Queued
            | Position::Held
            | Position::Waiting { .. }
            | Position::Refreshing
            | Position::Looking { .. } => self.in_doubt.is_some(),
        }
    }
}

/// The tasks of an apply, with an index of the IDs by position. Only [`Self::put`] moves a task, so the index is always right.
#[derive(Debug, Clone)]
pub(super) struct Tasks {
    all: Vec<Task>,
    index: [BTreeSet<TaskId>; Position::COUNT],
}

impl Tasks {
    /// Queues all changes. Their people were read at `read_at`.
    pub(super) fn new(ordered: Vec<Ordered>, is_own: impl Fn(&Change) -> bool, read_at: Duration) -> Self {
        let task = |ordered: Ordered| Task {
            is_own: is_own(&ordered.change),
            read_at,
            holds: ordered.losses.clone(),
            may_hold: ordered.losses.clone(),
            ordered,
            sent: 0,
            failed: 0,
            in_doubt: None,
            position: Position::Queued,
        };
        let all: Vec<Task> = ordered.into_iter().map(task).collect();
        let mut index: [BTreeSet<TaskId>; Position::COUNT] = Default::default();
        index[Position::Queued.number()] = (0..all.len()).map(TaskId).collect();
        Self { all, index }
    }

    pub(super) fn put(&mut self, id: TaskId, position: Position) {
        self.index[self[id].position.number()].remove(&id);
        self.index[position.number()].insert(id);
        self[id].position = position;
    }

    /// Returns the IDs of the tasks in a position, in order. The fields of `position` do not matter.
    pub(super) fn at(&self, position: &Position) -> &BTreeSet<TaskId> {
        &self.index[position.number()]
    }

    pub(super) fn written(&self) -> impl Iterator<Item = TaskId> {
        self.index[Position::FIRST_SETTLED].iter().copied()
    }

    pub(super) fn waiting(&self) -> impl Iterator<Item = (Duration, TaskId)> {
        self.at(&Position::Waiting { until: Duration::ZERO }).iter().filter_map(|id| {
            match self[*id].position {
                Position::Waiting { until } => Some((until, *id)),
                _ => None,
            }
        })
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Returns the tasks for which a further write may be sent.
    pub(super) fn unsettled(&self) -> impl Iterator<Item = TaskId> {
        self.index[..Position::FIRST_SETTLED].iter().flatten().copied()
    }

    pub(super) fn unsettled_count(&self) -> usize {
        self.index[..Position::FIRST_SETTLED].iter().map(BTreeSet::len).sum()
    }

    /// Returns the earlier tasks whose write is still to be sent.
    pub(super) fn not_sent_before(&self, id: TaskId) -> impl Iterator<Item = TaskId> {
        let unsent = self.index[..Position::Patching.number()].iter();
        unsent.flat_map(move |ids| ids.range(..id).copied())
    }

    /// Returns the outcomes in the order of the plan, which is sorted by address.
    pub(super) fn into_outcomes(mut self) -> Vec<Outcome> {
        self.all
            .sort_by(|one, other| one.change().subject.email.value.cmp(&other.change().subject.email.value));
        let outcome = |task: Task| match task.position {
            Position::Ended(outcome) => outcome,
            _ => Outcome::Unknown(None),
        };
        self.all.into_iter().map(outcome).collect()
    }
}

impl Index<TaskId> for Tasks {
    type Output = Task;

    fn index(&self, id: TaskId) -> &Task {
        &self.all[id.0]
    }
}

impl IndexMut<TaskId> for Tasks {
    fn index_mut(&mut self, id: TaskId) -> &mut Task {
        &mut self.all[id.0]
    }
}

/// What a read of a person shows about a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evidence {
    /// Every field has the planned value.
    Desired,
    /// At least one field has the value from before, and all others have the planned value.
    Before,
    /// At least one field has neither the value from before nor the planned one.
    Third,
}

pub(super) fn evidence(change: &Change, person: &Person) -> Evidence {
    let is_set = |edit: &Edit| person.has_only(edit.field, &edit.to);
    let is_as_before = |edit: &Edit| person.values(edit.field) == edit.from;
    if change.edits.iter().all(is_set) {
        Evidence::Desired
    } else if change.edits.iter().all(|edit| is_set(edit) || is_as_before(edit)) {
        Evidence::Before
    } else {
        Evidence::Third
    }
}
