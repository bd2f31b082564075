//! Tracks the state of each change during an apply and compares the values read from Pylon with the planned ones.

use std::collections::BTreeSet;
use std::ops::{Index, IndexMut};
use std::time::Duration;

use super::outcome::{LastRead, Outcome};
use super::role_limits::Holders;
use crate::observed::{Person, RoleId};
use crate::plan::order::Ordered;
use crate::plan::{Change, Edit};
use crate::pylon::Failure;

/// A task's ID. IDs follow the order in which changes are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TaskId(usize);

/// The state of a task, which starts as [`Self::Queued`] and finishes as [`Self::Ended`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Position {
    /// Ready to be sent as soon as the rate limit allows.
    Queued,
    /// Blocked by other changes, either because of a role limit or because changes to the token's own user come last.
    Held,
    /// Waiting to be queued again at this time, after a failed write.
    Waiting {
        until: Duration,
    },
    /// A search is rereading the user because the last read is too old.
    Refreshing,
    /// The user is being read individually, either because a write may have been applied or because the search didn't return
    /// the user.
    Looking {
        after_write: bool,
    },
    /// The write has been sent but not answered.
    Patching,
    /// No further writes will be sent, but the user still has to be read back. If that fails, the outcome is `so_far`.
    Written {
        so_far: Outcome,
        /// Whether the read-back has been queued early, because held changes are waiting for a role that this change takes
        /// away or grants.
        is_read_queued: bool,
    },
    Ended(Outcome),
}

impl Position {
    const COUNT: usize = 8;
    /// A task in a position with this number or higher sends no further writes.
    const FIRST_SETTLED: usize = 6;

    pub(super) fn written(so_far: Outcome) -> Self {
        Self::Written { so_far, is_read_queued: false }
    }

    /// Returns the variant's index in [`Tasks::index`].
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
    /// Whether the change is for the token's own user and therefore comes last.
    pub(super) is_own: bool,
    /// When the last read of the user was sent. A write can't rely on a read that's too old.
    pub(super) read_at: Duration,
    /// The limited roles that the change affects and that the user definitely holds.
    holds: Vec<RoleId>,
    /// The limited roles that the change affects and that the user might hold.
    may_hold: Vec<RoleId>,
    /// Number of times the write was sent.
    pub(super) sent: u32,
    /// Number of failed writes, not counting throttled ones.
    pub(super) failed: u32,
    /// The last failure that leaves a write in doubt, if there is one. The write might have been applied or might arrive later,
    /// because a gateway can time out and still forward the request.
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
            Some(failure) => Outcome::Unknown(Some(failure.clone()), None),
        }
    }

    /// Returns the roles the user definitely holds or may hold, depending on `holders`.
    pub(super) fn roles(&mut self, holders: Holders) -> &mut Vec<RoleId> {
        match holders {
            Holders::Confirmed => &mut self.holds,
            Holders::Possible => &mut self.may_hold,
        }
    }

    pub(super) fn limited_roles(&self) -> impl Iterator<Item = &RoleId> {
        self.ordered.gains.iter().chain(&self.ordered.losses)
    }

    /// Returns the limited roles whose gain or loss is still unconfirmed.
    pub(super) fn unconfirmed(&self) -> impl Iterator<Item = &RoleId> {
        let gains = self.ordered.gains.iter().filter(|role| !self.holds.contains(role));
        gains.chain(self.ordered.losses.iter().filter(|role| self.may_hold.contains(role)))
    }

    /// Returns `true` if the change can take effect at any moment, or if it might have taken effect without confirmation.
    pub(super) fn is_under_way(&self) -> bool {
        match &self.position {
            Position::Patching => true,
            Position::Written { so_far: outcome, .. } | Position::Ended(outcome) => {
                matches!(outcome, Outcome::Unknown(..))
            }
            Position::Queued
            | Position::Held
            | Position::Waiting { .. }
            | Position::Refreshing
            | Position::Looking { .. } => self.in_doubt.is_some(),
        }
    }
}

/// All of an apply's tasks, indexed by position. Tasks move only through [`Self::put`], which keeps the index consistent.
#[derive(Debug, Clone)]
pub(super) struct Tasks {
    all: Vec<Task>,
    index: [BTreeSet<TaskId>; Position::COUNT],
}

impl Tasks {
    /// Queues all changes. Their users were read at `read_at`.
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

    /// Returns the IDs of all tasks in a position, in order. Only the variant of `position` matters, not its fields.
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

    /// Returns the tasks that might still require a write.
    pub(super) fn unsettled(&self) -> impl Iterator<Item = TaskId> {
        self.index[..Position::FIRST_SETTLED].iter().flatten().copied()
    }

    pub(super) fn unsettled_count(&self) -> usize {
        self.index[..Position::FIRST_SETTLED].iter().map(BTreeSet::len).sum()
    }

    /// Returns the tasks before `id` that might still require a write and have no write in flight.
    pub(super) fn not_sent_before(&self, id: TaskId) -> impl Iterator<Item = TaskId> {
        let unsent = self.index[..Position::Patching.number()].iter();
        unsent.flat_map(move |ids| ids.range(..id).copied())
    }

    /// Returns the outcomes in plan order (by address).
    pub(super) fn into_outcomes(mut self) -> Vec<Outcome> {
        self.all
            .sort_by(|one, other| one.change().subject.email.value.cmp(&other.change().subject.email.value));
        let outcome = |task: Task| match task.position {
            Position::Ended(outcome) => outcome,
            _ => Outcome::Unknown(None, None),
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

/// How a user's current values compare with a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evidence {
    /// Every field has the planned value.
    Desired,
    /// Every field has the planned value, but the user still holds a role that the change takes away, now through a SCIM group.
    /// Pylon lists a role only once even if it's both assigned and granted by a group, so the plan couldn't foresee this.
    StillHeld,
    /// At least one field doesn't have the planned value.
    Differs(LastRead),
}

pub(super) fn evidence(change: &Change, person: &Person) -> Evidence {
    let is_set = |edit: &Edit| person.has_only(edit.field, &edit.to);
    let is_as_before = |edit: &Edit| person.held[edit.field].assigned == edit.from;
    if change.edits.iter().all(is_set) {
        if change.roles_lost().any(|role| person.holds(&role)) {
            Evidence::StillHeld
        } else {
            Evidence::Desired
        }
    } else if change.edits.iter().all(|edit| is_set(edit) || is_as_before(edit)) {
        Evidence::Differs(LastRead::OldValue)
    } else {
        Evidence::Differs(LastRead::OtherValue)
    }
}
