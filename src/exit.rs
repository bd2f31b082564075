//! The documented exit codes (docs/exit-codes.md): a public contract.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Success, or nothing to do.
    Done,
    /// The command failed. Nothing was changed.
    Failed,
    /// There are changes, and a flag requested this exit code.
    Pending,
    Blocked,
    /// Something was or may have been changed, but not every change was applied.
    Partial,
    /// The saved plan is stale, damaged, or for another organization, or the plan has changed since it was confirmed.
    PlanMismatch,
    /// The command line is not valid.
    Usage,
    /// Stopped by the signal with this number.
    Signal(i32),
}

impl Exit {
    /// Returns the exit code of a run whose report could not be written. Such a run must not return success, because the reader does
    /// not know the result.
    #[must_use]
    pub const fn with_lost_report(self, may_have_changed: bool) -> Self {
        match self {
            Self::Done | Self::Pending | Self::Failed if may_have_changed => Self::Partial,
            Self::Done | Self::Pending => Self::Failed,
            exit => exit,
        }
    }

    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Pending => 2,
            Self::Blocked => 3,
            Self::Partial => 4,
            Self::PlanMismatch => 5,
            Self::Usage => 64, // EX_USAGE of sysexits; clap's own 2 would look like pending changes
            Self::Signal(number) => u8::try_from(128 + number).unwrap_or(u8::MAX),
        }
    }
}
