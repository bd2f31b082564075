//! Sorts the changes so that every role stays within its minimum and maximum after each change. This makes it safe to kill an
//! apply at any point.
//!
//! Sorting by `Turn` is usually enough. A backtracking search is needed only when people swap roles that are already at their
//! limits. If no order is valid, the result exceeds maximums rather than violate a minimum, and violates minimums as late as
//! possible. Either way, a guardrail blocks the plan.

use std::collections::{BTreeMap, HashSet};

use indexmap::IndexMap;

use super::change::{Change, Plan};
use super::role_count::RoleCount;
use crate::observed::{RoleId, UserId};

/// The number of dead ends after which the search gives up. A dead end is a state from which the remaining changes can't be sent
/// without violating a limit.
const MOST_DEAD_ENDS: usize = 10_000;

/// A change and its effect on roles with a minimum or maximum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ordered {
    pub change: Change,
    /// The roles with a minimum or maximum that the person would gain.
    pub gains: Vec<RoleId>,
    /// The roles with a minimum or maximum that the person would lose.
    pub losses: Vec<RoleId>,
}

/// A change's place in the apply order. Changes with an earlier variant are sent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    /// Can only make it easier to send other changes: adds a holder to a role that has only a minimum, or removes a holder from
    /// a role with a maximum.
    MakesRoom,
    Neither,
    Both,
    /// Might have to wait for other changes: removes a holder from a role that has only a minimum, or adds a holder to a role
    /// with a maximum.
    NeedsRoom,
    TokenOwner,
}

/// Returns a plan's changes in apply order.
pub(super) fn sorted(plan: &Plan, minimums: &[RoleCount], maximums: &[RoleCount]) -> Vec<Ordered> {
    let limits = LimitedRoles::new(minimums, maximums);
    in_order(plan.changes.iter(), plan.token_user.as_ref(), &limits)
}

/// Sets [`RoleCount::during`] for each role whose holder count is temporarily worse than its limit and also worse than before
/// and after the apply.
pub(super) fn count_during(plan: &Plan, minimums: &mut [RoleCount], maximums: &mut [RoleCount]) {
    let limits = LimitedRoles::new(minimums, maximums);
    let mut counts = limits.before();
    let (mut lowest, mut highest) = (counts.clone(), counts.clone());
    // Skip changes that don't affect the counts, since there can be a lot of them.
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

/// Sorts the changes into apply order. `own` is the token's owner, whose change always comes last.
fn in_order<'c>(
    changes: impl Iterator<Item = &'c Change>,
    own: Option<&UserId>,
    limits: &LimitedRoles,
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
    ordered.sort_by_key(|(turn, _)| *turn); // stable, so that changes with the same turn stay sorted by address
    if limits.allow_all(&ordered) {
        return ordered.into_iter().map(|(_, ordered)| ordered).collect();
    }
    // Search only the changes that affect a limit. If the others were included, the search could reach the same dead end once for
    // each of them.
    let (others, ordered): (Vec<_>, Vec<_>) =
        ordered.into_iter().partition(|(turn, _)| *turn == Turn::Neither);
    let groups = Groups::new(ordered, limits);
    let strict = groups.search(limits, 0).or_else(|| groups.search(limits, 1));
    let sequence = strict.unwrap_or_else(|| groups.least_bad(limits));
    let mut sequence = groups.into_sequence(&sequence);
    let makes_room = |ordered: &&Ordered| limits.turn(ordered) == Turn::MakesRoom;
    let at = sequence.iter().take_while(makes_room).count();
    sequence.splice(at..at, others.into_iter().map(|(_, ordered)| ordered));
    sequence
}

/// A role's holder count before an apply, and the counts allowed during the apply.
#[derive(Debug, Clone)]
struct Limit {
    before: i64,
    /// The lowest holder count allowed, or `None` if the role has no minimum.
    least: Option<i64>,
    /// The highest holder count allowed, or `None` if the role has no maximum.
    most: Option<i64>,
}

/// All roles with a minimum or maximum. Holder counts are stored in the same order.
#[derive(Debug, Clone)]
struct LimitedRoles(IndexMap<RoleId, Limit>);

/// The effect of a change on the holder counts: for each affected role, its index in [`LimitedRoles`] and +1 or -1.
type CountChange = Vec<(usize, i64)>;

impl LimitedRoles {
    fn new(minimums: &[RoleCount], maximums: &[RoleCount]) -> Self {
        let mut all = Self(IndexMap::new());
        for minimum in minimums {
            all.limit(minimum).least = Some(signed(minimum.least()));
        }
        for maximum in maximums {
            all.limit(maximum).most = Some(signed(maximum.most()));
        }
        all
    }

    fn limit(&mut self, count: &RoleCount) -> &mut Limit {
        let unlimited = Limit { before: signed(count.before), least: None, most: None };
        self.0.entry(count.role.clone()).or_insert(unlimited)
    }

    fn index(&self, role: &RoleId) -> Option<usize> {
        self.0.get_index_of(role)
    }

    /// Returns `true` if the change adds a holder to a limited role or removes one.
    fn concern(&self, change: &Change) -> bool {
        change.role_gained().into_iter().chain(change.roles_lost()).any(|role| self.index(&role).is_some())
    }

    fn before(&self) -> Vec<i64> {
        self.0.values().map(|limit| limit.before).collect()
    }

    /// Returns a change's turn. A role with both a minimum and a maximum is treated like one with only a maximum: its losses come
    /// before its gains for as long as the minimum allows.
    fn turn(&self, ordered: &Ordered) -> Turn {
        let has_maximum = |role: &RoleId| self.0.get(role).is_some_and(|limit| limit.most.is_some());
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

    fn effect(&self, ordered: &Ordered) -> CountChange {
        let losses = ordered.losses.iter().filter_map(|role| Some((self.index(role)?, -1)));
        losses.chain(ordered.gains.iter().filter_map(|role| Some((self.index(role)?, 1)))).collect()
    }

    /// Returns `true` if a change with this effect violates no minimum and exceeds no maximum by more than `extra`. `counts` are
    /// the holder counts before the change.
    fn allow(&self, counts: &[i64], effect: &CountChange, extra: i64) -> bool {
        effect.iter().all(|(role, by)| {
            let Limit { before: _, least, most } = &self.0[*role];
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

/// Applies an effect to the holder counts if `times` is 1, or reverts the effect if `times` is -1.
fn take(counts: &mut [i64], effect: &CountChange, times: i64) {
    for (role, by) in effect {
        counts[*role] += by * times;
    }
}

/// Converts a holder count to a signed integer, capped so that adding up a few counts can't overflow.
fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX).min(i64::MAX / 4)
}

/// Changes grouped by turn and effect, in turn order. Changes within a group are interchangeable.
struct Groups {
    groups: Vec<(CountChange, Vec<Ordered>)>,
    /// Whether the last group is the token owner's change.
    has_own: bool,
}

impl Groups {
    fn new(ordered: Vec<(Turn, Ordered)>, limits: &LimitedRoles) -> Self {
        let has_own = ordered.last().is_some_and(|(turn, _)| *turn == Turn::TokenOwner);
        let mut groups: BTreeMap<(Turn, CountChange), Vec<Ordered>> = BTreeMap::new();
        for (turn, one) in ordered {
            groups.entry((turn, limits.effect(&one))).or_default().push(one);
        }
        Self { groups: groups.into_iter().map(|((_, effect), all)| (effect, all)).collect(), has_own }
    }

    /// Returns an order without any changes.
    fn start(&self, limits: &LimitedRoles) -> PartialSequence<'_> {
        let left = self.groups.iter().map(|(_, all)| all.len()).collect();
        PartialSequence { groups: self, left, counts: limits.before(), taken: Vec::new() }
    }

    /// Searches depth-first for an order in which no maximum is exceeded by more than `extra`, preferring earlier groups. The
    /// result lists the group index of each change. Returns `None` if there's no such order or the search hit too many dead
    /// ends.
    fn search(&self, limits: &LimitedRoles, extra: i64) -> Option<Vec<usize>> {
        let mut order = self.start(limits);
        let mut dead_ends: HashSet<Vec<usize>> = HashSet::new();
        let mut first = 0; // the first group to try
        while !order.is_complete() {
            let next = order.candidates(first).find(|group| {
                order.allows(*group, limits, extra)
                    && (dead_ends.is_empty() || !dead_ends.contains(&order.left_without(*group)))
            });
            if let Some(group) = next {
                order.add(group);
                first = 0;
            } else {
                dead_ends.insert(order.left.clone());
                if dead_ends.len() >= MOST_DEAD_ENDS {
                    return None;
                }
                first = order.undo()? + 1; // try the groups after that of the last change
            }
        }
        Some(order.taken)
    }

    /// Returns an order that violates minimums as late as possible, even if maximums are exceeded. The result has the same format
    /// as that of [`Self::search`].
    fn least_bad(&self, limits: &LimitedRoles) -> Vec<usize> {
        let mut order = self.start(limits);
        while !order.is_complete() {
            let fits = |extra: i64| order.candidates(0).find(|group| order.allows(*group, limits, extra));
            let group = fits(0).or_else(|| fits(signed(u64::MAX))).or_else(|| order.candidates(0).next());
            let Some(group) = group else { break };
            order.add(group);
        }
        order.taken
    }

    fn into_sequence(self, sequence: &[usize]) -> Vec<Ordered> {
        let mut groups: Vec<_> = self.groups.into_iter().map(|(_, all)| all.into_iter()).collect();
        sequence.iter().filter_map(|group| groups[*group].next()).collect()
    }
}

/// An order under construction: the changes placed so far, and how many changes remain in each group.
struct PartialSequence<'g> {
    groups: &'g Groups,
    /// The number of remaining changes per group.
    left: Vec<usize>,
    /// The holder counts after the changes so far.
    counts: Vec<i64>,
    /// The group of each change so far.
    taken: Vec<usize>,
}

impl PartialSequence<'_> {
    fn is_complete(&self) -> bool {
        self.left.iter().all(|count| *count == 0)
    }

    /// Returns the groups from `first` onward that still have changes. The token owner's group is held back until all other
    /// groups are done.
    fn candidates(&self, first: usize) -> impl Iterator<Item = usize> {
        let is_held_back = |group: usize| {
            let is_own = self.groups.has_own && group + 1 == self.left.len();
            is_own && self.left[..group].iter().any(|count| *count > 0)
        };
        (first..self.left.len()).filter(move |group| self.left[*group] > 0 && !is_held_back(*group))
    }

    fn allows(&self, group: usize, limits: &LimitedRoles, extra: i64) -> bool {
        limits.allow(&self.counts, &self.groups.groups[group].0, extra)
    }

    /// Returns how many changes would remain in each group if the next one came from `group`.
    fn left_without(&self, group: usize) -> Vec<usize> {
        let mut left = self.left.clone();
        left[group] -= 1;
        left
    }

    fn add(&mut self, group: usize) {
        self.left[group] -= 1;
        take(&mut self.counts, &self.groups.groups[group].0, 1);
        self.taken.push(group);
    }

    /// Removes the last change and returns its group, or `None` if there are no changes.
    fn undo(&mut self) -> Option<usize> {
        let group = self.taken.pop()?;
        self.left[group] += 1;
        take(&mut self.counts, &self.groups.groups[group].0, -1);
        Some(group)
    }
}
