//! Each change's outcome and the overall result of an apply.

use crate::every::words;
use crate::pylon::Failure;

/// A change's outcome. Only [`Self::Applied`], [`Self::AlreadyInSync`], and [`Self::StillGranted`] mean that Pylon has the
/// planned values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The change was sent, and Pylon has the planned values.
    Applied,
    /// Nothing was sent because another user or program had already set the planned values.
    AlreadyInSync,
    /// Pylon accepted the change, but it had no effect, usually because a SCIM group determines the role.
    NotEffective,
    /// Pylon has the planned values, but a SCIM group still grants a role that the change takes away. The kind is
    /// [`OutcomeKind::NotEffective`], because the user can still use that role.
    StillGranted,
    /// The change was applied, but support hours, a calendar, or another user has since set a different value.
    Reverted,
    /// Pylon refused the change, and the user still has the old values.
    Rejected(Failure),
    /// Since the plan was made, another user or program has set a value that is neither the old nor the planned one. This apply
    /// did not change the user.
    Conflict,
    /// The change was sent and may or may not have been applied. `None` as the last read means that the user was not read back.
    Unknown(Option<Failure>, Option<LastRead>),
    NotAttempted(NotAttempted),
}

/// What the last read showed about a user who doesn't have the planned values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastRead {
    /// At least one field had its old value, and all others had the planned value.
    OldValue,
    /// At least one field had neither its old value nor the planned value.
    OtherValue,
}

/// The reason for not sending a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAttempted {
    /// The apply stopped before this change's turn.
    Stopped,
    /// Pylon could not be reached, or the user could not be read right before the change.
    Unreachable(Failure),
    /// Because an earlier gain or loss was not confirmed, the change might have left a role with too few or too many holders.
    RoleLimit,
}

/// The reason an apply ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// A signal with this number was received.
    Signal(i32),
    /// A request failed for a reason that would make all further requests fail too.
    Fatal(Failure),
    /// Pylon refused three changes for lack of permission, with no successful write in between.
    Forbidden(Failure),
    /// No request succeeded for five minutes after a failure.
    Silence,
    /// Pylon's rate limit would delay the apply by more than five minutes.
    LongPause(Failure),
    /// The journal could not be written, so sending more changes would be unsafe. The string is the reason.
    Journal(String),
}

impl Stop {
    pub const fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Fatal(failure) | Self::Forbidden(failure) | Self::LongPause(failure) => Some(failure),
            Self::Signal(_) | Self::Silence | Self::Journal(_) => None,
        }
    }

    /// Returns `true` if written changes are still read back after this stop.
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
    /// One outcome per change, in plan order.
    pub outcomes: Vec<Outcome>,
    /// The reason the apply ended early, or `None` if it didn't.
    pub stopped: Option<Stop>,
    /// The number of changes that Pylon accepted but that could not be read back.
    pub not_read_back: usize,
}

words! {
    /// The kind of an [`Outcome`], as named in reports and journals. Summaries list the number of changes of each kind in this
    /// order.
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
    /// Returns `true` if Pylon has the planned values.
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

    /// Returns `true` if sending the change again might help. It doesn't help if another client or a directory controls the
    /// value.
    pub const fn may_succeed_if_sent_again(self) -> bool {
        match self {
            Self::Rejected | Self::Unknown | Self::NotAttempted => true,
            Self::Applied | Self::AlreadyInSync | Self::NotEffective | Self::Reverted | Self::Conflict => {
                false
            }
        }
    }

    /// Returns `true` if the apply might have changed something in Pylon.
    pub const fn may_have_changed(self) -> bool {
        match self {
            Self::Applied | Self::NotEffective | Self::Reverted | Self::Unknown => true,
            Self::AlreadyInSync | Self::Rejected | Self::Conflict | Self::NotAttempted => false,
        }
    }
}

impl Outcome {
    pub const fn kind(&self) -> OutcomeKind {
        match self {
            Self::Applied => OutcomeKind::Applied,
            Self::AlreadyInSync => OutcomeKind::AlreadyInSync,
            Self::NotEffective | Self::StillGranted => OutcomeKind::NotEffective,
            Self::Reverted => OutcomeKind::Reverted,
            Self::Rejected(_) => OutcomeKind::Rejected,
            Self::Conflict => OutcomeKind::Conflict,
            Self::Unknown(..) => OutcomeKind::Unknown,
            Self::NotAttempted(_) => OutcomeKind::NotAttempted,
        }
    }

    /// Returns the name used in reports, JSON, and journals.
    pub const fn as_str(&self) -> &'static str {
        self.kind().as_str()
    }

    pub const fn is_in_sync(&self) -> bool {
        self.kind().is_in_sync()
    }

    pub const fn may_have_changed(&self) -> bool {
        self.kind().may_have_changed()
    }

    /// Returns the outcome after a read that doesn't show the written value. If Pylon had already confirmed the value, the outcome
    /// is [`Self::Reverted`]. `read` is `None` if the read didn't return the user.
    pub(super) fn if_not_shown(self, read: Option<LastRead>) -> Self {
        match self {
            Self::Applied | Self::StillGranted => Self::Reverted,
            Self::Unknown(failure, earlier) => Self::Unknown(failure, read.or(earlier)),
            other => other,
        }
    }

    pub const fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Rejected(failure)
            | Self::Unknown(Some(failure), _)
            | Self::NotAttempted(NotAttempted::Unreachable(failure)) => Some(failure),
            Self::Applied
            | Self::AlreadyInSync
            | Self::NotEffective
            | Self::StillGranted
            | Self::Reverted
            | Self::Conflict
            | Self::Unknown(None, _)
            | Self::NotAttempted(NotAttempted::Stopped | NotAttempted::RoleLimit) => None,
        }
    }
}
