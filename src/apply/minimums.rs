//! Counts the confirmed holders of each guarded role during an apply.
//!
//! A loss is only sent while enough confirmed holders remain without it, so the apply can be killed at every point. A gain
//! counts after Pylon has shown it. A loss counts from the moment at which it may have been sent.

use std::collections::HashMap;

use crate::observed::RoleId;
use crate::plan::guardrails::RoleMinimum;

#[derive(Debug, Clone)]
struct HolderCount {
    /// The number of confirmed holders.
    now: u64,
    /// The number of holders whose loss may take effect at any moment.
    leaving: u64,
    /// The number of holders that must remain: the least of the minimum, the holders before, and the holders after the apply.
    keep: u64,
}

/// The guarded roles of one apply.
#[derive(Debug, Clone, Default)]
pub(super) struct Minimums(HashMap<RoleId, HolderCount>);

impl Minimums {
    pub(super) fn new(minimums: &[RoleMinimum]) -> Self {
        let holders = |minimum: &RoleMinimum| {
            let RoleMinimum { role, minimum, before, after } = minimum;
            let keep = *minimum.min(before).min(after);
            (role.clone(), HolderCount { now: *before, leaving: 0, keep })
        };
        Self(minimums.iter().map(holders).collect())
    }

    /// Returns whether all these losses may be sent. `counted` is whether they are counted as [`Self::leaving`] already.
    pub(super) fn allow(&self, losses: &[RoleId], counted: bool) -> bool {
        let own = u64::from(!counted);
        losses
            .iter()
            .filter_map(|role| self.0.get(role))
            .all(|holders| holders.now >= holders.leaving + own + holders.keep)
    }

    /// Counts losses that may take effect at any moment.
    pub(super) fn leaving(&mut self, losses: &[RoleId]) {
        self.each(losses, |holders| holders.leaving += 1);
    }

    /// Ends [`Self::leaving`]: the losses did not happen, or [`Self::lost`] counts them now.
    pub(super) fn settled(&mut self, losses: &[RoleId]) {
        self.each(losses, |holders| holders.leaving = holders.leaving.saturating_sub(1));
    }

    /// Counts a new holder, after a read has shown the role.
    pub(super) fn gained(&mut self, role: &RoleId) {
        self.each(std::slice::from_ref(role), |holders| holders.now += 1);
    }

    /// Counts a lost holder, as Pylon has shown.
    pub(super) fn lost(&mut self, role: &RoleId) {
        self.each(std::slice::from_ref(role), |holders| holders.now = holders.now.saturating_sub(1));
    }

    fn each(&mut self, roles: &[RoleId], change: impl Fn(&mut HolderCount)) {
        for role in roles {
            if let Some(holders) = self.0.get_mut(role) {
                change(holders);
            }
        }
    }
}
