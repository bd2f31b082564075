//! Roles with a minimum or maximum, and how their holder counts change during an apply.

use crate::observed::RoleId;

/// The minimum or maximum number of holders of a role, and the actual numbers before, during, and after an apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleCount {
    pub role: RoleId,
    pub limit: u64,
    /// The number of current holders, not counting deactivated people.
    pub before: u64,
    /// The number of holders after the apply.
    pub after: u64,
    /// The worst holder count during the apply: the lowest for a minimum, or the highest for a maximum. `None` unless this count
    /// is worse than `limit`, `before`, and `after`.
    pub during: Option<u64>,
}

impl RoleCount {
    /// Returns the holder count to compare with the limit: `during` if it's set, or `after` otherwise.
    pub const fn worst(&self) -> u64 {
        match self.during {
            Some(during) => during,
            None => self.after,
        }
    }

    /// Returns the number of holders that must remain throughout the apply, if `limit` is a minimum.
    pub fn least(&self) -> u64 {
        self.during.unwrap_or(self.limit.min(self.before).min(self.after))
    }

    /// Returns the holder count that must never be exceeded during the apply, if `limit` is a maximum.
    pub fn most(&self) -> u64 {
        self.during.unwrap_or(self.limit.max(self.before).max(self.after))
    }
}
