//! The guardrails by name: what files limit and acknowledge, and what a plan is reviewed by. What each looks at is
//! [`crate::plan::guardrails`]' business.

use crate::every::every;

/// The guardrails by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Guardrail {
    /// People changed in one apply.
    MaxChanges,
    /// Holders of a role afterwards.
    KeepAtLeast,
    /// People with the status `active` afterwards.
    KeepActive,
    /// People who are never changed.
    Protected,
    /// The token's own user keeps their kept roles.
    TokenOwner,
    /// People in Pylon whom no file declares.
    Unmanaged,
    /// Declared people who are not in Pylon.
    Missing,
}

impl Guardrail {
    /// Every guardrail, in the order in which they speak.
    pub const ALL: [Self; 7] =
        every!(Guardrail: MaxChanges, KeepAtLeast, KeepActive, Protected, TokenOwner, Unmanaged, Missing);

    /// Its name in files, reports and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MaxChanges => "max_changes",
            Self::KeepAtLeast => "keep_at_least",
            Self::KeepActive => "keep_active",
            Self::Protected => "protected",
            Self::TokenOwner => "token_owner",
            Self::Unmanaged => "unmanaged",
            Self::Missing => "missing",
        }
    }
}
