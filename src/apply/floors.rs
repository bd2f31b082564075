//! How many people hold each kept role, as far as it is confirmed, while an apply is under way.
//!
//! A loss may go out only while enough confirmed holders remain without it, so that the apply can be killed at every
//! point: a gain counts once Pylon has shown it, a loss counts from the moment it may have been sent.

use std::collections::HashMap;

use crate::observed::RoleId;
use crate::plan::guardrails::RoleFloor;

#[derive(Debug, Clone)]
struct Holders {
    /// Counts the confirmed holders.
    now: u64,
    /// Of those, holders whose loss has been sent and not been settled.
    leaving: u64,
    /// Below this no loss takes it: what the guardrail, the present and the plan allow, whichever is least.
    keep: u64,
}

/// The kept roles of one apply.
#[derive(Debug, Clone, Default)]
pub(super) struct Floors(HashMap<RoleId, Holders>);

impl Floors {
    pub(super) fn new(floors: &[RoleFloor]) -> Self {
        let holders = |floor: &RoleFloor| {
            let RoleFloor { role, floor, before, after } = floor;
            let keep = *floor.min(before).min(after);
            (role.clone(), Holders { now: *before, leaving: 0, keep })
        };
        Self(floors.iter().map(holders).collect())
    }

    /// Whether all these losses could go out now; `counted` tells that they were noted as [`Self::leaving`] before.
    pub(super) fn allow(&self, losses: &[RoleId], counted: bool) -> bool {
        let own = u64::from(!counted);
        losses
            .iter()
            .filter_map(|role| self.0.get(role))
            .all(|holders| holders.now >= holders.leaving + own + holders.keep)
    }

    /// These losses are going out.
    pub(super) fn leaving(&mut self, losses: &[RoleId]) {
        self.each(losses, |holders| holders.leaving += 1);
    }

    /// These losses did not come about, or are shown by [`Self::lost`] now.
    pub(super) fn settled(&mut self, losses: &[RoleId]) {
        self.each(losses, |holders| holders.leaving = holders.leaving.saturating_sub(1));
    }

    /// Pylon has shown that somebody holds this role who did not before.
    pub(super) fn gained(&mut self, role: &RoleId) {
        self.each(std::slice::from_ref(role), |holders| holders.now += 1);
    }

    /// Pylon has shown that somebody no longer holds this role.
    pub(super) fn lost(&mut self, role: &RoleId) {
        self.each(std::slice::from_ref(role), |holders| holders.now = holders.now.saturating_sub(1));
    }

    fn each(&mut self, roles: &[RoleId], change: impl Fn(&mut Holders)) {
        for role in roles {
            if let Some(holders) = self.0.get_mut(role) {
                change(holders);
            }
        }
    }
}
