//! Roles with a minimum or maximum, and how their holder counts change during an apply.

use crate::observed::RoleId;

/// A role's minimum or maximum, and its holder counts in this organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleCount {
    pub role: RoleId,
    pub limit: u64,
    /// Number of current holders, not counting deactivated people.
    pub before: u64,
    /// Number of holders after the apply.
    pub after: u64,
    /// The worst count during the apply, if it's worse than the limit, `before`, and `after`. Otherwise, `None`.
    pub during: Option<u64>,
}

impl RoleCount {
    /// Returns the holder count to compare with the limit.
    pub const fn worst(&self) -> u64 {
        match self.during {
            Some(during) => during,
            None => self.after,
        }
    }

    /// For a minimum, returns the number of holders that must remain throughout the apply.
    pub fn least(&self) -> u64 {
        self.during.unwrap_or(self.limit.min(self.before).min(self.after))
    }

    /// For a maximum, returns the holder count that must never be exceeded during the apply.
    pub fn most(&self) -> u64 {
        self.during.unwrap_or(self.limit.max(self.before).max(self.after))
    }
}
