//! The documented exit codes (docs/exit-codes.md): a public contract.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done,
    /// It could not be done; nothing was changed.
    Failed,
    /// There are changes to make, and the question was whether there are.
    Pending,
    Blocked,
    /// Something was or may have been changed, but not all of it is applied.
    Partial,
    /// The saved plan is stale, damaged or not for this organization; or what was said yes to is another plan by now.
    PlanMismatch,
    /// The command line makes no sense.
    Usage,
    /// Stopped by the signal with this number.
    Signal(i32),
}

impl Exit {
    /// How a run ends if its report could not be written. A run that found nothing wrong must not end as if its reader knew that.
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
