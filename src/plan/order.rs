//! The order in which an apply sends the changes. Gains of a guarded role come first, losses of one come last, and the token's
//! own user comes after all others. So an apply can be killed at any point, and enough holders of each guarded role remain.

use super::change::Change;
use super::guardrails::{ReviewedPlan, RoleMinimum};
use crate::observed::RoleId;

/// A change, and its effect on the guarded roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ordered {
    pub change: Change,
    /// The guarded roles that the person would gain.
    pub gains: Vec<RoleId>,
    /// The guarded roles that the person would lose.
    pub losses: Vec<RoleId>,
}

/// The group in which a change is sent. The order of the variants is the order of the apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Gains,
    Neither,
    GainsAndLoses,
    Loses,
    TokenOwner,
}

impl ReviewedPlan {
    /// Returns the changes in the order of the apply.
    pub fn in_order(&self) -> Vec<Ordered> {
        let mut ordered: Vec<(Turn, Ordered)> = self
            .plan
            .changes
            .iter()
            .map(|change| {
                let ordered = ordered(change, &self.minimums);
                let is_own = Some(&change.subject.id) == self.plan.token_user.as_ref();
                (turn(&ordered, is_own), ordered)
            })
            .collect();
        ordered.sort_by_key(|(turn, _)| *turn); // the sort is stable, so each group stays sorted by address
        ordered.into_iter().map(|(_, ordered)| ordered).collect()
    }
}

fn ordered(change: &Change, minimums: &[RoleMinimum]) -> Ordered {
    let is_guarded = |role: &RoleId| minimums.iter().any(|minimum| minimum.role == *role);
    let gains = change.role_gained().into_iter().filter(is_guarded).collect();
    let losses = change.roles_lost().filter(is_guarded).collect();
    Ordered { change: change.clone(), gains, losses }
}

fn turn(ordered: &Ordered, is_own: bool) -> Turn {
    match (is_own, ordered.gains.is_empty(), ordered.losses.is_empty()) {
        (true, ..) => Turn::TokenOwner,
        (false, false, true) => Turn::Gains,
        (false, true, true) => Turn::Neither,
        (false, false, false) => Turn::GainsAndLoses,
        (false, true, false) => Turn::Loses,
    }
}
