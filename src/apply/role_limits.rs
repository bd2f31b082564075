//! Counts the holders of each limited role during an apply, so that no write can pass a minimum or maximum.
//!
//! The exact number is unknown while writes are under way, so there are two counts, one too low and one too high:
//!
//! * **Confirmed** holders decide whether a loss may be sent. A gain counts only when Pylon has shown it, a loss as soon as it is sent.
//! * **Possible** holders decide whether a gain may be sent. A gain counts as soon as it is sent, a loss only when Pylon has shown it.

use std::collections::HashMap;

use crate::observed::RoleId;
use crate::plan::guardrails::RoleCount;
use crate::plan::order::Ordered;

/// One of the two counts of holders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holders {
    Confirmed,
    Possible,
}

#[derive(Debug, Clone)]
struct Count {
    confirmed: u64,
    possible: u64,
    /// The number of holders whose loss may be under way. It can take effect at any moment.
    leaving: u64,
    /// The number of people whose gain may be under way. It can take effect at any moment.
    arriving: u64,
    /// The number of holders that must remain. 0 if the role has no minimum.
    least: u64,
    /// The number of holders that is never exceeded. `u64::MAX` if the role has no maximum.
    most: u64,
    /// Whether the plan has more losses than the minimum allows without gains.
    has_scarce_losses: bool,
    /// Whether the plan has more gains than the maximum allows without losses.
    has_scarce_gains: bool,
}

/// The limited roles of one apply.
#[derive(Debug, Clone, Default)]
pub(super) struct RoleLimits(HashMap<RoleId, Count>);

impl RoleLimits {
    pub(super) fn new(minimums: &[RoleCount], maximums: &[RoleCount], ordered: &[Ordered]) -> Self {
        let mut counts: HashMap<RoleId, Count> = HashMap::new();
        let count = |role: &RoleCount| Count {
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

    /// Returns whether a change may be sent. `counted` is whether it is counted as [`Self::under_way`] already.
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

    /// Returns whether two changes need the same scarce loss or gain. Then they are sent in the order of the plan, because another
    /// order may end where none of the rest is allowed.
    pub(super) fn compete(&self, one: &Ordered, other: &Ordered) -> bool {
        let is = |role: &RoleId, scarce: fn(&Count) -> bool| self.0.get(role).is_some_and(scarce);
        one.losses.iter().any(|role| other.losses.contains(role) && is(role, |count| count.has_scarce_losses))
            || one
                .gains
                .iter()
                .any(|role| other.gains.contains(role) && is(role, |count| count.has_scarce_gains))
    }

    /// Counts a change that may take effect at any moment.
    pub(super) fn under_way(&mut self, ordered: &Ordered) {
        self.each(&ordered.losses, |count| count.leaving += 1);
        self.each(&ordered.gains, |count| count.arriving += 1);
    }

    /// Ends [`Self::under_way`]: the change did not happen, or [`Self::set`] counts it now.
    pub(super) fn settled(&mut self, ordered: &Ordered) {
        self.each(&ordered.losses, |count| count.leaving = count.leaving.saturating_sub(1));
        self.each(&ordered.gains, |count| count.arriving = count.arriving.saturating_sub(1));
    }

    /// Adds or removes one holder.
    pub(super) fn set(&mut self, holders: Holders, role: &RoleId, is_held: bool) {
        self.each(std::slice::from_ref(role), |count| {
            let number = match holders {
                Holders::Confirmed => &mut count.confirmed,
                Holders::Possible => &mut count.possible,
            };
            *number = if is_held { *number + 1 } else { number.saturating_sub(1) };
        });
    }

    fn each(&mut self, roles: &[RoleId], change: impl Fn(&mut Count)) {
        for role in roles {
            if let Some(count) = self.0.get_mut(role) {
                change(count);
            }
        }
    }
}
