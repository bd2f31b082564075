//! The outcome of each change, and the result of the whole apply.

use crate::every::words;
use crate::pylon::Failure;

/// The outcome of one change. The first two mean that Pylon has the planned values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The change was sent, and Pylon has the planned values.
    Applied,
    /// Another client had set the planned values already. Nothing was sent.
    AlreadyInSync,
    /// Pylon accepted the change, but it had no effect. A SCIM group decides this role.
    NotEffective,
    /// The change was applied, but then support hours, a calendar, or another client set another value.
    Reverted,
    /// Pylon refused the change, so the person has the values from before.
    Rejected(Failure),
    /// Another client has set a third value since the plan. The person was not changed.
    Conflict,
    /// The change was sent, and may or may not have been applied.
    Unknown(Option<Failure>),
    NotAttempted(NotAttempted),
}

/// Why a change was not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAttempted {
    /// The apply was stopped before its turn.
    Stopped,
    /// The connection could not be made, or the person could not be read again.
    Unreachable(Failure),
    /// A role would have too few or too many holders, because a gain or a loss before it is not confirmed.
    RoleLimit,
}

/// Why an apply ended before everything was attempted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// Contains the number of the signal.
    Signal(i32),
    /// Every further request would fail.
    Fatal(Failure),
    /// Three changes in a row were forbidden.
    Forbidden(Failure),
    /// Nothing succeeded for five minutes.
    Silence,
    /// The server asks for a longer pause than rolecall waits for.
    LongPause(Failure),
    /// The journal cannot be written, for this reason, so nothing more may be sent.
    Journal(String),
}

impl Stop {
    /// Returns the failure that caused the stop, if there is one.
    pub const fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Fatal(failure) | Self::Forbidden(failure) | Self::LongPause(failure) => Some(failure),
            Self::Signal(_) | Self::Silence | Self::Journal(_) => None,
        }
    }

    /// Returns whether the written changes are still read back.
    pub fn may_read_back(&self) -> bool {
        match self {
            Self::Forbidden(_) | Self::Journal(_) => true,
            Self::Signal(_) | Self::Fatal(_) | Self::Silence | Self::LongPause(_) => false,
        }
    }
}

/// The result of an apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Has one outcome for each change, in the order of the plan.
    pub outcomes: Vec<Outcome>,
    /// Why the apply ended early. `None` if it did not.
    pub stopped: Option<Stop>,
    /// The number of changes that Pylon confirmed when they were sent, but that could not be read back.
    pub not_read_back: usize,
}

words! {
    /// The name of an outcome in reports and journals, without its failure. Summaries count them in this order.
    pub enum OutcomeKind {
        Applied = "applied",
        AlreadyInSync = "already in sync",
        NotEffective = "not effective",
        Reverted = "reverted",
        Rejected = "rejected",
        Conflict = "conflict",
        Unknown = "unknown",
        NotAttempted = "not attempted",
    }
}

impl OutcomeKind {
    /// Returns the kind with this name, as journals contain it.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Returns whether Pylon has the planned values.
    pub const fn is_in_sync(self) -> bool {
        match self {
            Self::Applied | Self::AlreadyInSync => true,
            Self::NotEffective
            | Self::Reverted
            | Self::Rejected
            | Self::Conflict
            | Self::Unknown
            | Self::NotAttempted => false,
        }
    }

    /// Returns whether it can help to send the change again. If not, another client or a directory decides the value.
    pub const fn may_succeed_if_sent_again(self) -> bool {
        match self {
            Self::Rejected | Self::Unknown | Self::NotAttempted => true,
            Self::Applied | Self::AlreadyInSync | Self::NotEffective | Self::Reverted | Self::Conflict => {
                false
            }
        }
    }

    /// Returns whether the apply may have changed something in Pylon.
    pub const fn may_have_changed(self) -> bool {
        match self {
            Self::Applied | Self::NotEffective | Self::Reverted | Self::Unknown => true,
            Self::AlreadyInSync | Self::Rejected | Self::Conflict | Self::NotAttempted => false,
        }
    }
}

impl Outcome {
    /// Returns the kind of this outcome.
    pub const fn kind(&self) -> OutcomeKind {
        match self {
            Self::Applied => OutcomeKind::Applied,
            Self::AlreadyInSync => OutcomeKind::AlreadyInSync,
            Self::NotEffective => OutcomeKind::NotEffective,
            Self::Reverted => OutcomeKind::Reverted,
            Self::Rejected(_) => OutcomeKind::Rejected,
            Self::Conflict => OutcomeKind::Conflict,
            Self::Unknown(_) => OutcomeKind::Unknown,
            Self::NotAttempted(_) => OutcomeKind::NotAttempted,
        }
    }

    /// Returns its name in reports, JSON, and journals.
    pub const fn as_str(&self) -> &'static str {
        self.kind().as_str()
    }

    /// Returns whether Pylon has the planned values.
    pub const fn is_in_sync(&self) -> bool {
        self.kind().is_in_sync()
    }

    /// Returns whether this apply may have changed something in Pylon.
    pub const fn may_have_changed(&self) -> bool {
        self.kind().may_have_changed()
    }

    /// Returns the outcome if a read does not show the written value. A value that was shown before has been changed since.
    pub(super) fn if_not_shown(self) -> Self {
        if self == Self::Applied { Self::Reverted } else { self }
    }

    /// Returns the failure that led to the outcome, if there is one.
    pub const fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Rejected(failure)
            | Self::Unknown(Some(failure))
            | Self::NotAttempted(NotAttempted::Unreachable(failure)) => Some(failure),
            Self::Applied
            | Self::AlreadyInSync
            | Self::NotEffective
            | Self::Reverted
            | Self::Conflict
            | Self::Unknown(None)
            | Self::NotAttempted(NotAttempted::Stopped | NotAttempted::RoleLimit) => None,
        }
    }
}
