//! The outcome of each change, and the result of the whole apply.

use crate::every::every;
use crate::pylon::Failure;

/// The outcome of one change. The first two mean that Pylon has the planned values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was sent, and Pylon has the planned values.
    Applied,
    /// Another client had set the planned values already. Nothing was sent.
    AlreadyInSync,
    /// Pylon accepted it without effect, because a SCIM group decides this role.
    NotEffective,
    /// It was applied, and then support hours, a calendar, or a colleague set another value.
    Reverted,
    /// Pylon refused it, or never took it.
    Rejected(Failure),
    /// Another client has set a third value since the plan. The person was left alone.
    Conflict,
    /// It was sent, and may or may not have been applied.
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
    /// Too few holders of a guarded role are confirmed, because a gain before it failed.
    GuardedRole,
}

/// Why an apply ended before everything was attempted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// A signal, by its number.
    Signal(i32),
    /// Every further request would fail.
    Fatal(Failure),
    /// Three changes in a row were forbidden.
    Forbidden(Failure),
    /// Nothing succeeded for five minutes.
    Silence,
    /// The server asks for a longer pause than is waited for.
    LongPause(Failure),
    /// The journal cannot be written, for this reason, so nothing more may be sent.
    Journal(String),
}

impl Stop {
    /// The failure behind it, if there is one.
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
    /// One outcome for each change of the plan, in the order of the plan.
    pub outcomes: Vec<Outcome>,
    /// Why it ended early, if it did.
    pub stopped: Option<Stop>,
    /// How many changes Pylon confirmed when they were sent, but could not be read back.
    pub not_read_back: usize,
}

/// The outcomes by name alone: what summaries count, and what a journal holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutcomeKind {
    Applied,
    AlreadyInSync,
    NotEffective,
    Reverted,
    Rejected,
    Conflict,
    Unknown,
    NotAttempted,
}

impl OutcomeKind {
    /// Every one, in the order of a summary.
    pub const ALL: [Self; 8] = every!(
        OutcomeKind: Applied,
        AlreadyInSync,
        NotEffective,
        Reverted,
        Rejected,
        Conflict,
        Unknown,
        NotAttempted
    );

    /// Its name in reports, JSON and journals.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::AlreadyInSync => "already in sync",
            Self::NotEffective => "not effective",
            Self::Reverted => "reverted",
            Self::Rejected => "rejected",
            Self::Conflict => "conflict",
            Self::Unknown => "unknown",
            Self::NotAttempted => "not attempted",
        }
    }

    /// The one with this name, as a journal has it.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether Pylon holds what was planned.
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

    /// Whether it can help to send the change again. Otherwise something or someone else decides the value.
    pub const fn may_succeed_if_sent_again(self) -> bool {
        match self {
            Self::Rejected | Self::Unknown | Self::NotAttempted => true,
            Self::Applied | Self::AlreadyInSync | Self::NotEffective | Self::Reverted | Self::Conflict => {
                false
            }
        }
    }

    /// Whether the apply may have changed something in Pylon.
    pub const fn may_have_changed(self) -> bool {
        match self {
            Self::Applied | Self::NotEffective | Self::Reverted | Self::Unknown => true,
            Self::AlreadyInSync | Self::Rejected | Self::Conflict | Self::NotAttempted => false,
        }
    }
}

impl Outcome {
    /// Which of them it is.
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

    /// Its name in reports, JSON and journals.
    pub const fn as_str(&self) -> &'static str {
        self.kind().as_str()
    }

    /// Whether Pylon holds what was planned.
    pub const fn is_in_sync(&self) -> bool {
        self.kind().is_in_sync()
    }

    /// Whether this apply may have changed something in Pylon.
    pub const fn may_have_changed(&self) -> bool {
        self.kind().may_have_changed()
    }

    /// Returns the outcome if a read does not show the written value. A value that was shown before has been changed since.
    pub(super) fn if_not_shown(self) -> Self {
        if self == Self::Applied { Self::Reverted } else { self }
    }

    /// The failure behind it, if there is one.
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
            | Self::NotAttempted(NotAttempted::Stopped | NotAttempted::GuardedRole) => None,
        }
    }
}
