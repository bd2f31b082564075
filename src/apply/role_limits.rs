//! Counts each limited role's holders during an apply so that no write can violate a minimum or maximum.
//!
//! While writes are pending, the exact number is unknown, but two counts bound it from below and above:
//!
//! * **Confirmed** holders decide whether a loss may be sent. A gain counts after Pylon has shown it, but a loss counts as soon
//!   as it's sent.
//! * **Possible** holders decide whether a gain may be sent. A gain counts as soon as it's sent, but a loss counts after Pylon
//!   has shown it.

use std::collections::HashMap;

use crate::observed::RoleId;
use crate::plan::guardrails::RoleCount;
use crate::plan::order::Ordered;

/// Selects one of a role's two holder counts, which bound the exact number from below and above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holders {
    Confirmed,
    Possible,
}

#[derive(Debug, Clone)]
struct HolderCount {
    confirmed: u64,
    possible: u64,
    /// The number of holders who may lose the role at any time because a change is pending.
    leaving: u64,
    /// The number of people who may gain the role at any time because a change is pending.
    arriving: u64,
    /// The number of holders that must remain throughout the apply, or 0 if the role has no minimum.
    least: u64,
    /// The holder count that must not be exceeded during the apply, or `u64::MAX` if the role has no maximum.
    most: u64,
    /// Whether the planned losses would violate the minimum unless others gain the role.
    has_scarce_losses: bool,
    /// Whether the planned gains would violate the maximum unless others lose the role.
    has_scarce_gains: bool,
}

/// The roles that have a minimum or maximum, with their holder counts during one apply.
#[derive(Debug, Clone, Default)]
pub(super) struct RoleLimits(HashMap<RoleId, HolderCount>);

impl RoleLimits {
    pub(super) fn new(minimums: &[RoleCount], maximums: &[RoleCount], ordered: &[Ordered]) -> Self {
        let mut counts: HashMap<RoleId, HolderCount> = HashMap::new();
        let count = |role: &RoleCount| HolderCount {
            confirmed: role.before,
            possible: role.before,
            leaving: 0,
            arriving: 0,
            least: 0,
            most: u64::MAX,
            has_scarce_losses: false,
            has_scarce_gains: false,
        };
        for minimum in minimums {
            counts.entry(minimum.role.clone()).or_insert_with(|| count(minimum)).least = minimum.least();
        }
        for maximum in maximums {
            counts.entry(maximum.role.clone()).or_insert_with(|| count(maximum)).most = maximum.most();
        }
        for (role, count) in &mut counts {
            let number = |roles: fn(&Ordered) -> &Vec<RoleId>| {
                ordered.iter().filter(|one| roles(one).contains(role)).count() as u64
            };
            count.has_scarce_losses = count.confirmed < count.least + number(|one| &one.losses);
            count.has_scarce_gains = count.possible.saturating_add(number(|one| &one.gains)) > count.most;
        }
        Self(counts)
    }

    /// Returns `true` if the role limits allow a change to be sent. `counted` is `true` if [`Self::under_way`] has already
    /// counted the change.
    pub(super) fn allow(&self, ordered: &Ordered, counted: bool) -> bool {
        let own = u64::from(!counted);
        let count = |role: &RoleId| self.0.get(role);
        ordered
            .losses
            .iter()
            .filter_map(count)
            .all(|role| role.confirmed >= role.leaving.saturating_add(own).saturating_add(role.least))
            && ordered
                .gains
                .iter()
                .filter_map(count)
                .all(|role| role.possible.saturating_add(role.arriving).saturating_add(own) <= role.most)
    }

    /// Returns `true` if both changes take away the same role and its losses are scarce, or if both grant the same role and its
    /// gains are scarce. Such changes must be sent in the order computed by `plan::order`, or the apply might get stuck before
    /// all changes are sent.
    pub(super) fn compete(&self, one: &Ordered, other: &Ordered) -> bool {
        let is = |role: &RoleId, scarce: fn(&HolderCount) -> bool| self.0.get(role).is_some_and(scarce);
        one.losses.iter().any(|role| other.losses.contains(role) && is(role, |count| count.has_scarce_losses))
            || one
                .gains
                .iter()
                .any(|role| other.gains.contains(role) && is(role, |count| count.has_scarce_gains))
    }

    /// Counts the roles lost and gained through a change that could take effect at any moment.
    pub(super) fn under_way(&mut self, ordered: &Ordered) {
        self.each(&ordered.losses, |count| count.leaving += 1);
        self.each(&ordered.gains, |count| count.arriving += 1);
    }

    /// Reverts [`Self::under_way`], either because the change did not happen or because [`Self::set`] now counts it.
    pub(super) fn settled(&mut self, ordered: &Ordered) {
        self.each(&ordered.losses, |count| count.leaving = count.leaving.saturating_sub(1));
        self.each(&ordered.gains, |count| count.arriving = count.arriving.saturating_sub(1));
    }

    /// Adds a single holder to the selected count or, if `is_held` is `false`, removes one holder.
    pub(super) fn set(&mut self, holders: Holders, role: &RoleId, is_held: bool) {
        self.each(std::slice::from_ref(role), |count| {
            let number = match holders {
                Holders::Confirmed => &mut count.confirmed,
                Holders::Possible => &mut count.possible,
            };
            *number = if is_held { *number + 1 } else { number.saturating_sub(1) };
        });
    }

    fn each(&mut self, roles: &[RoleId], change: impl Fn(&mut HolderCount)) {
        for role in roles {
            if let Some(count) = self.0.get_mut(role) {
                change(count);
            }
        }
    }
}
