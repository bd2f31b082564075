//! The exit codes, which are a public contract (docs/exit-codes.md).

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The command succeeded, or there was nothing to do.
    Done,
    /// The command failed without changing anything.
    Failed,
    /// There are changes, and a flag such as `--detailed-exitcode` requests this exit code.
    Pending,
    Blocked,
    /// Something was or might have been changed, but part of the run failed or the report couldn't be written.
    Partial,
    /// The saved plan is stale, damaged, or for another organization, or the plan has changed since it was confirmed.
    PlanMismatch,
    /// The command line is invalid.
    Usage,
    /// The run was terminated by this signal.
    Signal(i32),
}

impl Exit {
    /// Returns the exit code for a run whose report could not be written, so that the run doesn't count as a success.
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
            Self::Usage => 64, // EX_USAGE from sysexits.h; clap's own 2 would look like pending changes
            Self::Signal(number) => u8::try_from(128 + number).unwrap_or(u8::MAX),
        }
    }
}
