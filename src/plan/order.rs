//! Sorts the changes of an apply so that each role keeps its minimum and maximum after every change. An apply can then be killed
//! at any point.
//!
//! Usually it is enough to sort by `Turn`. If people exchange roles that are at their limits, a search finds the order. If no order
//! keeps the limits, this module returns one that passes them as little as possible, and a guardrail blocks the plan.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::change::{Change, Plan};
use super::guardrails::{ReviewedPlan, RoleCount};
use crate::observed::{RoleId, UserId};

/// The search gives up after it has met this many dead ends: states from which no order keeps the limits.
const MOST_DEAD_ENDS: usize = 10_000;

/// A change, and its effect on the roles that have a minimum or a maximum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ordered {
    pub change: Change,
    /// The limited roles that the person would gain.
    pub gains: Vec<RoleId>,
    /// The limited roles that the person would lose.
    pub losses: Vec<RoleId>,
}

/// The group in which a change is sent. The order of the variants is the order of the apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    /// The change makes other changes possible: it gains a role with a minimum, or loses one with a maximum.
    MakesRoom,
    Neither,
    Both,
    /// The change may depend on others: it loses a role with a minimum, or gains one with a maximum.
    NeedsRoom,
    TokenOwner,
}

impl ReviewedPlan {
    /// Returns the changes in the order of the apply.
    pub fn in_order(&self) -> Vec<Ordered> {
        let limits = Limits::new(&self.minimums, &self.maximums);
        in_order(self.plan.changes.iter(), self.plan.token_user.as_ref(), &limits)
    }
}

/// Sets [`RoleCount::during`] of the roles whose limits cannot be kept at every point of the apply.
pub(super) fn count_during(plan: &Plan, minimums: &mut [RoleCount], maximums: &mut [RoleCount]) {
    let limits = Limits::new(minimums, maximums);
    let mut counts = limits.before();
    let (mut lowest, mut highest) = (counts.clone(), counts.clone());
    // All others have no effect on the counts, and there can be many.
    let effective = plan.changes.iter().filter(|change| limits.concern(change));
    for ordered in in_order(effective, plan.token_user.as_ref(), &limits) {
        take(&mut counts, &limits.effect(&ordered), 1);
        for (role, count) in counts.iter().enumerate() {
            lowest[role] = lowest[role].min(*count);
            highest[role] = highest[role].max(*count);
        }
    }
    let count =
        |counts: &[i64], role: &RoleId| limits.index(role).and_then(|at| u64::try_from(counts[at]).ok());
    for minimum in minimums {
        minimum.during = count(&lowest, &minimum.role).filter(|lowest| *lowest < minimum.least());
    }
    for maximum in maximums {
        maximum.during = count(&highest, &maximum.role).filter(|highest| *highest > maximum.most());
    }
}

/// Returns the changes in the order of the apply. `own` is the token's own user.
fn in_order<'c>(
    changes: impl Iterator<Item = &'c Change>,
    own: Option<&UserId>,
    limits: &Limits,
) -> Vec<Ordered> {
    let mut ordered: Vec<(Turn, Ordered)> = Vec::new();
    for change in changes {
        let is_limited = |role: &RoleId| limits.index(role).is_some();
        let gains = change.role_gained().into_iter().filter(is_limited).collect();
        let losses = change.roles_lost().filter(is_limited).collect();
        let one = Ordered { change: change.clone(), gains, losses };
        let is_own = Some(&change.subject.id) == own;
        ordered.push((if is_own { Turn::TokenOwner } else { limits.turn(&one) }, one));
    }
    ordered.sort_by_key(|(turn, _)| *turn); // the sort is stable, so each group stays sorted by address
    if limits.allow_all(&ordered) {
        return ordered.into_iter().map(|(_, ordered)| ordered).collect();
    }
    let groups = Groups::new(ordered, limits);
    let strict = groups.search(limits, 0).or_else(|| groups.search(limits, 1));
    let sequence = strict.unwrap_or_else(|| groups.least_bad(limits));
    groups.into_sequence(&sequence)
}

/// The limits of one role at every point of the apply.
#[derive(Debug, Clone)]
struct Limit {
    before: i64,
    /// `None` if the role has no minimum.
    least: Option<i64>,
    /// `None` if the role has no maximum.
    most: Option<i64>,
}

/// The limited roles. Their index is their number here.
#[derive(Debug, Clone)]
struct Limits {
    roles: HashMap<RoleId, usize>,
    limits: Vec<Limit>,
}

/// How a change moves the number of holders of limited roles, by their index: 1 or -1.
type Effect = Vec<(usize, i64)>;

impl Limits {
    fn new(minimums: &[RoleCount], maximums: &[RoleCount]) -> Self {
        let mut all = Self { roles: HashMap::new(), limits: Vec::new() };
        for minimum in minimums {
            all.limit(minimum).least = Some(signed(minimum.least()));
        }
        for maximum in maximums {
            all.limit(maximum).most = Some(signed(maximum.most()));
        }
        all
    }

    fn limit(&mut self, count: &RoleCount) -> &mut Limit {
        let at = *self.roles.entry(count.role.clone()).or_insert(self.limits.len());
        if at == self.limits.len() {
            self.limits.push(Limit { before: signed(count.before), least: None, most: None });
        }
        &mut self.limits[at]
    }

    fn index(&self, role: &RoleId) -> Option<usize> {
        self.roles.get(role).copied()
    }

    /// Returns whether the change adds or removes a holder of a limited role.
    fn concern(&self, change: &Change) -> bool {
        change.role_gained().into_iter().chain(change.roles_lost()).any(|role| self.index(&role).is_some())
    }

    fn before(&self) -> Vec<i64> {
        self.limits.iter().map(|limit| limit.before).collect()
    }

    /// A role with both limits counts as one with a maximum, so losses come first if the minimum allows it.
    fn turn(&self, ordered: &Ordered) -> Turn {
        let has_maximum =
            |role: &RoleId| self.index(role).is_some_and(|role| self.limits[role].most.is_some());
        let (gains, losses) = (&ordered.gains, &ordered.losses);
        let makes_room = losses.iter().any(has_maximum) || gains.iter().any(|role| !has_maximum(role));
        let needs_room = gains.iter().any(has_maximum) || losses.iter().any(|role| !has_maximum(role));
        match (makes_room, needs_room) {
            (true, false) => Turn::MakesRoom,
            (false, false) => Turn::Neither,
            (true, true) => Turn::Both,
            (false, true) => Turn::NeedsRoom,
        }
    }

    fn effect(&self, ordered: &Ordered) -> Effect {
        let losses = ordered.losses.iter().filter_map(|role| Some((self.index(role)?, -1)));
        losses.chain(ordered.gains.iter().filter_map(|role| Some((self.index(role)?, 1)))).collect()
    }

    /// Returns whether a change keeps all minimums, and exceeds no maximum by more than `extra`.
    fn allow(&self, counts: &[i64], effect: &Effect, extra: i64) -> bool {
        effect.iter().all(|(role, by)| {
            let Limit { before: _, least, most } = &self.limits[*role];
            let after = counts[*role] + by;
            if *by < 0 {
                least.is_none_or(|least| after >= least)
            } else {
                most.is_none_or(|most| after <= most + extra)
            }
        })
    }

    fn allow_all(&self, ordered: &[(Turn, Ordered)]) -> bool {
        let mut counts = self.before();
        ordered.iter().all(|(_, one)| {
            let effect = self.effect(one);
            let is_allowed = self.allow(&counts, &effect, 0);
            take(&mut counts, &effect, 1);
            is_allowed
        })
    }
}

/// Makes a change to the counts. `times` is -1 to take it back.
fn take(counts: &mut [i64], effect: &Effect, times: i64) {
    for (role, by) in effect {
        counts[*role] += by * times;
    }
}

/// No sum of two such numbers overflows.
fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX).min(i64::MAX / 4)
}

/// Changes with the same turn and the same effect, which are interchangeable. In the order of their turns.
struct Groups {
    groups: Vec<(Effect, Vec<Ordered>)>,
    /// The last group is the token's own user.
    has_own: bool,
}

impl Groups {
    fn new(ordered: Vec<(Turn, Ordered)>, limits: &Limits) -> Self {
        let has_own = ordered.last().is_some_and(|(turn, _)| *turn == Turn::TokenOwner);
        let mut groups: BTreeMap<(Turn, Effect), Vec<Ordered>> = BTreeMap::new();
        for (turn, one) in ordered {
            groups.entry((turn, limits.effect(&one))).or_default().push(one);
        }
        Self { groups: groups.into_iter().map(|((_, effect), all)| (effect, all)).collect(), has_own }
    }

    /// Returns how many changes of each group there are.
    fn sizes(&self) -> Vec<usize> {
        self.groups.iter().map(|(_, all)| all.len()).collect()
    }

    /// Returns the groups from `first` on that have a change left. The token's own user is last.
    fn left<'s>(&'s self, first: usize, left: &'s [usize]) -> impl Iterator<Item = usize> + 's {
        let is_last = |group: usize| {
            !self.has_own || group + 1 < left.len() || left[..group].iter().all(|count| *count == 0)
        };
        (first..left.len()).filter(move |group| left[*group] > 0 && is_last(*group))
    }

    /// Searches for an order, depth first, and prefers earlier groups. Returns the group of each change in the order. `None` if
    /// there is none, or the search took too long.
    fn search(&self, limits: &Limits, extra: i64) -> Option<Vec<usize>> {
        let (mut left, mut counts) = (self.sizes(), limits.before());
        let total: usize = left.iter().sum();
        let mut taken: Vec<usize> = Vec::with_capacity(total);
        let mut dead_ends: HashSet<Vec<usize>> = HashSet::new();
        let mut first = 0;
        while taken.len() < total {
            let mut fitting =
                self.left(first, &left).filter(|group| limits.allow(&counts, &self.groups[*group].0, extra));
            if let Some(group) = fitting.next() {
                drop(fitting);
                left[group] -= 1;
                if dead_ends.contains(&left) {
                    left[group] += 1;
                    first = group + 1;
                    continue;
                }
                take(&mut counts, &self.groups[group].0, 1);
                taken.push(group);
                first = 0;
            } else {
                drop(fitting);
                dead_ends.insert(left.clone());
                let group = taken.pop().filter(|_| dead_ends.len() < MOST_DEAD_ENDS)?;
                left[group] += 1;
                take(&mut counts, &self.groups[group].0, -1);
                first = group + 1;
            }
        }
        Some(taken)
    }

    /// Returns an order that breaks the minimums as late as possible. It may exceed the maximums.
    fn least_bad(&self, limits: &Limits) -> Vec<usize> {
        let (mut left, mut counts) = (self.sizes(), limits.before());
        let mut taken = Vec::new();
        loop {
            let fits = |extra: i64| {
                self.left(0, &left).find(|group| limits.allow(&counts, &self.groups[*group].0, extra))
            };
            let group = fits(0).or_else(|| fits(signed(u64::MAX)));
            let Some(group) = group.or_else(|| self.left(0, &left).next()) else { return taken };
            left[group] -= 1;
            take(&mut counts, &self.groups[group].0, 1);
            taken.push(group);
        }
    }

    fn into_sequence(self, sequence: &[usize]) -> Vec<Ordered> {
        let mut groups: Vec<_> = self.groups.into_iter().map(|(_, all)| all.into_iter()).collect();
        sequence.iter().filter_map(|group| groups[*group].next()).collect()
    }
}
