//! Reviews a plan against the guardrails, based on the organization as it would look after the apply.
//!
//! Guardrails count everyone in Pylon who isn't deactivated, including unmanaged people. Addresses found only in the files don't
//! count because a typo could otherwise pass for a second Admin. A minimum blocks only plans that reduce the number of holders, and
//! a maximum blocks only plans that increase it. Every report includes all findings, with their counts and limits.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::{Change, Plan, Subject};
use super::order::{self, Ordered};
pub use super::role_count::RoleCount;
use super::roles::NamedRoles;
use crate::observed::{Found, HeldValues, ObservedState, Person, RoleCatalog, RoleId, UserId};
use crate::roster::{
    AcknowledgedRisk, Acknowledgment, DEFAULT_MINIMUM, Email, Field, FieldValue, Guardrail, GuardrailRules,
    MaxChanges, Missing, OnViolation, RiskLimit, RoleLimit, RoleRule, Roster, Status, Unmanaged,
};
use crate::source::Place;

/// The lowest limit that can result from a `max_changes` percentage. Without it, small teams could hardly change anything.
const ALWAYS_ALLOWED: u64 = 10;

/// A plan along with its guardrail findings. Only a reviewed plan can be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewedPlan {
    pub plan: Plan,
    /// Sorted in the order of [`Guardrail::ALL`].
    pub findings: Vec<Finding>,
    /// The roles with a minimum, with their holder counts before and after the apply.
    pub minimums: Vec<RoleCount>,
    /// The roles with a maximum, with their holder counts before and after the apply.
    pub maximums: Vec<RoleCount>,
    /// All acknowledgments in the files. Expired ones no longer have any effect but are listed in reports to explain why a
    /// guardrail blocks.
    pub acknowledgments: Vec<Acknowledgment>,
}

impl ReviewedPlan {
    /// Returns the guarded roles: Admin, and the roles with a minimum. Reports highlight these roles.
    pub fn guarded_roles<'r>(&'r self, roles: &'r RoleCatalog) -> HashSet<&'r RoleId> {
        let admin = roles.admin().map(|admin| &admin.id);
        self.minimums.iter().map(|minimum| &minimum.role).chain(admin).collect()
    }

    /// Returns `true` if anyone gains or loses a guarded role.
    pub fn changes_guarded_role(&self, roles: &RoleCatalog) -> bool {
        let guarded = self.guarded_roles(roles);
        let mut changes = self.plan.changes.iter();
        changes.any(|change| {
            change.role_gained().into_iter().chain(change.roles_lost()).any(|role| guarded.contains(&role))
        })
    }
}

impl AcknowledgedRisk {
    /// Returns `true` if this risk belongs to `guardrail` and `count` is within the acknowledged limit. The caller must also
    /// check the acknowledged role, if any.
    fn accepts_count(&self, guardrail: Guardrail, count: u64) -> bool {
        let is_within = match &self.limit {
            RiskLimit::UpTo(limit) => count <= limit.value,
            RiskLimit::DownTo(limit) => count >= limit.value,
            RiskLimit::User(_) => false,
        };
        is_within && self.guardrail == guardrail
    }

    /// Returns `true` if this risk belongs to `guardrail` and `is_user` returns `true` for the acknowledged user.
    fn accepts_user(&self, guardrail: Guardrail, is_user: impl Fn(&Email) -> bool) -> bool {
        self.guardrail == guardrail && self.user().is_some_and(|user| is_user(&user.value))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub figure: Figure,
    pub verdict: Verdict,
    /// The declaration in the files that the finding points to, or `None` if it doesn't point to a specific one.
    pub place: Option<Place>,
}

/// What a guardrail counted or found, together with the limit that applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Figure {
    /// The number of people who would change.
    Changes {
        changed: u64,
        /// The number of declared people, including those not found in Pylon.
        declared: u64,
        limit: u64,
    },
    /// The holder counts of a role with a minimum.
    AtLeast(RoleCount),
    /// The holder counts of a role with a maximum.
    AtMost(RoleCount),
    /// The number of people whose status is `active`, before and after the apply.
    Active { before: u64, after: u64, minimum: u64 },
    /// The plan would change a protected person, listed in `protected` with this address.
    Protected(Email),
    /// An address listed in `protected` that isn't found in Pylon.
    ProtectedNotFound(Email),
    /// The Admin role, which has no minimum because `keep_at_least` is declared without it.
    AdminNotGuarded(RoleId),
    /// The token's owner would lose a guarded role: Admin, or a role with a minimum.
    TokenOwner {
        /// The declared address, which can differ from the primary address in Pylon.
        email: Email,
        role: RoleId,
    },
    /// People would hold a role forbidden by a rule.
    Rule(RuleViolation),
    /// The number of unmanaged people in Pylon, not counting deactivated ones.
    Unmanaged(u64),
    /// The number of declared people who are either not found in Pylon or deactivated there.
    Missing(u64),
}

/// The people who'd hold a role forbidden by a particular rule (at least one).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleViolation {
    /// The allowed roles and the reason, formatted by [`RoleRule::summary`].
    pub rule: String,
    /// Pairs of a person and a forbidden role, sorted by address. A person with several forbidden roles appears once per role.
    pub holders: Vec<(Email, RoleId)>,
}

impl Figure {
    pub const fn guardrail(&self) -> Guardrail {
        match self {
            Self::Changes { .. } => Guardrail::MaxChanges,
            Self::AtLeast(_) | Self::AdminNotGuarded(_) => Guardrail::KeepAtLeast,
            Self::AtMost(_) => Guardrail::KeepAtMost,
            Self::Active { .. } => Guardrail::KeepActive,
            Self::Protected(_) | Self::ProtectedNotFound(_) => Guardrail::Protected,
            Self::TokenOwner { .. } => Guardrail::TokenOwner,
            Self::Rule(_) => Guardrail::Rule,
            Self::Unmanaged(_) => Guardrail::Unmanaged,
            Self::Missing(_) => Guardrail::Missing,
        }
    }
}

/// A guardrail's decision about a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    Passes,
    /// The guardrail reports a problem but does not block the plan, for example an already exceeded limit that this plan does not
    /// make worse.
    Warns,
    /// The plan exceeds the limit, and an active acknowledgment allows it.
    Acknowledged {
        #[serde(rename = "acknowledged")]
        reason: String,
    },
    Blocks,
}

impl ReviewedPlan {
    /// Returns the changes in apply order.
    pub fn in_order(&self) -> Vec<Ordered> {
        order::sorted(&self.plan, &self.minimums, &self.maximums)
    }

    /// Returns the role's maximum if `figure` is about its minimum, and vice versa. Returns `None` if the role has no such
    /// limit, if the current holder count hasn't reached it, or if `figure` is about something else.
    pub fn other_limit(&self, figure: &Figure) -> Option<&RoleCount> {
        let (role, others, is_reached): (_, _, fn(&u64, &u64) -> bool) = match figure {
            Figure::AtLeast(minimum) => (&minimum.role, &self.maximums, u64::ge),
            Figure::AtMost(maximum) => (&maximum.role, &self.minimums, u64::le),
            _ => return None,
        };
        others.iter().find(|other| other.role == *role && is_reached(&other.before, &other.limit))
    }

    /// Returns `true` if at least one guardrail blocks the plan.
    pub fn is_blocked(&self) -> bool {
        self.findings.iter().any(|finding| finding.verdict == Verdict::Blocks)
    }
}

impl ReviewedPlan {
    /// Returns the primary addresses of role holders to confirm with a search. This is needed before the plan takes a role with
    /// a minimum away from other people.
    ///
    /// Without the search, the listing of users would be the only evidence that the role keeps any holders. A single incorrect
    /// listing must never be enough to remove the role's other holders. Each role gets at most as many addresses as its minimum,
    /// and people with an address in `searched` are skipped because they have already been searched for.
    pub fn holders_to_confirm(&self, observed: &ObservedState, searched: &[Email]) -> Vec<Email> {
        let lost: HashSet<RoleId> = self.plan.changes.iter().flat_map(Change::roles_lost).collect();
        let searched: HashSet<&Email> = searched.iter().collect();
        let is_listed = |person: &&Person| {
            !person.deactivated && !person.addresses().any(|email| searched.contains(email))
        };
        let mut holders: Vec<Email> = Vec::new();
        for RoleCount { role, limit, .. } in
            self.minimums.iter().filter(|minimum| lost.contains(&minimum.role))
        {
            let needed = usize::try_from(*limit).unwrap_or(usize::MAX);
            let listed = observed.people().filter(is_listed).filter(|person| person.holds(role));
            holders.extend(listed.take(needed).map(|person| person.email.clone()));
        }
        holders
    }
}

/// The inputs to a review, apart from the plan itself.
#[derive(Debug, Clone, Copy)]
pub struct Review<'a> {
    pub observed: &'a ObservedState,
    pub roster: &'a Roster,
    /// The time of the plan, used to tell whether an acknowledgment has expired.
    pub at: Timestamp,
    pub roles: &'a NamedRoles,
    /// The value of `--max-changes`, if given. It overrides the limit in the files.
    pub max_changes: Option<u64>,
}

impl Plan {
    pub fn review(self, review: Review<'_>) -> ReviewedPlan {
        let after = BeforeAndAfter::new(&self, review.observed);
        let (mut minimums, mut maximums) = (review.minimums(&after), review.maximums(&after));
        order::count_during(&self, &mut minimums, &mut maximums);
        let mut findings = vec![review.changes(&self)];
        findings.extend(minimums.iter().map(|minimum| review.at_least(minimum)));
        findings.extend(review.admin_not_guarded(&minimums));
        findings.extend(maximums.iter().map(|maximum| review.at_most(maximum)));
        findings.extend(review.keep_active(&after));
        findings.extend(self.changes.iter().filter_map(|change| review.protected(&change.subject)));
        findings.extend(review.protected_not_found());
        findings.extend(review.token_owner(&self, &minimums));
        for rule in &review.rules().role_rules {
            findings.extend(review.role_rule(rule, &after));
        }
        findings.extend(review.unmanaged(&self));
        findings.extend(review.missing(&self));
        let acknowledgments = review.roster.acknowledgments.clone();
        ReviewedPlan { plan: self, findings, minimums, maximums, acknowledgments }
    }
}

/// Everyone in Pylon who isn't deactivated, paired with their planned change, if any. Used to count holders before and after the
/// apply.
struct BeforeAndAfter<'a> {
    people: Vec<(&'a Person, Option<&'a Change>)>,
}

impl<'a> BeforeAndAfter<'a> {
    fn new(plan: &'a Plan, observed: &'a ObservedState) -> Self {
        let changes: HashMap<&UserId, _> =
            plan.changes.iter().map(|change| (&change.subject.id, change)).collect();
        let present = observed.people().filter(|person| !person.deactivated);
        Self { people: present.map(|person| (person, changes.get(&person.id).copied())).collect() }
    }

    fn holders(&self, role: &RoleId, limit: u64) -> RoleCount {
        let before = self.people.iter().filter(|(person, _)| person.holds(role)).count() as u64;
        let holds_after = |(person, change): &&(&Person, Option<&Change>)| {
            roles_after(person, *change).any(|held| *held == role.0)
        };
        let after = self.people.iter().filter(holds_after).count() as u64;
        RoleCount { role: role.clone(), limit, before, after, during: None }
    }

    fn status_active(&self) -> (u64, u64) {
        let active = Status::Active.as_str();
        let before = self.people.iter().filter(|(person, _)| person.has_only(Field::Status, active));
        let after = self.people.iter().filter(|(person, change)| match new_value(*change, Field::Status) {
            Some(to) => **to == *active,
            None => person.has_only(Field::Status, active),
        });
        (before.count() as u64, after.count() as u64)
    }
}

/// Returns the IDs of the roles a person would hold after the change. A change never affects roles from SCIM groups.
fn roles_after<'p>(person: &'p Person, change: Option<&'p Change>) -> impl Iterator<Item = &'p FieldValue> {
    let new = new_value(change, Field::Role);
    let HeldValues { assigned, from_scim } = &person.held.role;
    let assigned = if new.is_some() { &[][..] } else { assigned.as_slice() };
    new.into_iter().chain(assigned).chain(from_scim)
}

/// Returns the new value of `field`, or `None` if there's no change to that field.
fn new_value(change: Option<&Change>, field: Field) -> Option<&FieldValue> {
    change?.edit(field).map(|edit| &edit.to)
}

/// Returns the verdict on a count with a minimum (`keeps` is `u64::ge`) or a maximum (`u64::le`). A count that violates the
/// limit gets only a warning if the plan doesn't make it worse.
fn of_count(
    count: u64,
    limit: u64,
    before: u64,
    keeps: fn(&u64, &u64) -> bool,
    blocked: impl FnOnce() -> Verdict,
) -> Verdict {
    if keeps(&count, &limit) {
        Verdict::Passes
    } else if keeps(&count, &before) {
        Verdict::Warns
    } else {
        blocked()
    }
}

impl Review<'_> {
    const fn rules(&self) -> &GuardrailRules {
        &self.roster.guardrails
    }

    /// Returns [`Verdict::Acknowledged`] if `allows` returns `true` for the risk of an active acknowledgment, or `None`
    /// otherwise.
    fn acknowledged(&self, allows: impl Fn(&AcknowledgedRisk) -> bool) -> Option<Verdict> {
        let mut active = self.roster.acknowledgments.iter().filter(|known| known.is_active(self.at));
        let found = active.find(|acknowledgment| allows(&acknowledgment.risk));
        found.map(|acknowledgment| Verdict::Acknowledged { reason: acknowledgment.reason.value.clone() })
    }

    fn blocks_unless_count(&self, guardrail: Guardrail, count: u64) -> Verdict {
        self.acknowledged(|risk| risk.accepts_count(guardrail, count)).unwrap_or(Verdict::Blocks)
    }

    fn blocks_unless_holders(&self, guardrail: Guardrail, count: &RoleCount) -> Verdict {
        let accepts = |risk: &AcknowledgedRisk| {
            let role = risk.role.as_ref().and_then(|name| self.roles.id(&name.value));
            risk.accepts_count(guardrail, count.worst()) && role == Some(&count.role)
        };
        self.acknowledged(accepts).unwrap_or(Verdict::Blocks)
    }

    fn blocks_unless_user(&self, guardrail: Guardrail, subject: &Subject) -> Verdict {
        let accepts = |risk: &AcknowledgedRisk| risk.accepts_user(guardrail, |user| subject.is(user));
        self.acknowledged(accepts).unwrap_or(Verdict::Blocks)
    }

    fn changes(&self, plan: &Plan) -> Finding {
        let (changed, declared) = (plan.changes.len() as u64, plan.declared as u64);
        let limit = self.most_changes();
        let verdict = if changed <= limit {
            Verdict::Passes
        } else {
            self.blocks_unless_count(Guardrail::MaxChanges, changed)
        };
        Finding { figure: Figure::Changes { changed, declared, limit }, verdict, place: None }
    }

    /// Returns the maximum number of changes allowed in a plan. For a percentage, the number depends on who is declared and who
    /// is in Pylon, but not on the plan.
    pub(super) fn most_changes(&self) -> u64 {
        match (self.max_changes, self.rules().max_changes) {
            (Some(limit), _) | (None, MaxChanges::Count(limit)) => limit,
            (None, MaxChanges::Share { percent }) => {
                (self.declared_in_pylon() * u64::from(percent) / 100).max(ALWAYS_ALLOWED)
            }
        }
    }

    /// Counts declared people who exist in Pylon and aren't deactivated. The `max_changes` percentage applies to this number so
    /// that nonexistent people don't raise the limit.
    fn declared_in_pylon(&self) -> u64 {
        let is_present = |email: &Email| match self.observed.find(email) {
            Found::Primary(person) | Found::Secondary(person) => !person.deactivated,
            Found::Several(_) | Found::NotFound => false,
        };
        self.roster.people.iter().filter(|person| is_present(&person.email.value)).count() as u64
    }

    fn minimums(&self, after: &BeforeAndAfter<'_>) -> Vec<RoleCount> {
        match &self.rules().keep_at_least {
            Some(minimums) => self.counts(minimums, after, u64::max),
            // `NamedRoles::look_up` has already verified that the Admin role exists.
            None => {
                let admin = self.observed.roles.admin();
                admin.map(|admin| after.holders(&admin.id, DEFAULT_MINIMUM)).into_iter().collect()
            }
        }
    }

    fn maximums(&self, after: &BeforeAndAfter<'_>) -> Vec<RoleCount> {
        self.counts(&self.rules().keep_at_most, after, u64::min)
    }

    /// Counts the holders of each limited role. If a role has two limits, e.g. one by name and one by slug, the stricter one
    /// wins.
    fn counts(
        &self,
        limits: &[RoleLimit],
        after: &BeforeAndAfter<'_>,
        stricter: fn(u64, u64) -> u64,
    ) -> Vec<RoleCount> {
        let mut strictest: Vec<(&RoleId, u64)> = Vec::new();
        for RoleLimit { role, holders } in limits {
            let Some(role) = self.roles.id(&role.value) else { continue };
            match strictest.iter_mut().find(|(known, _)| *known == role) {
                Some((_, limit)) => *limit = stricter(*holders, *limit),
                None => strictest.push((role, *holders)),
            }
        }
        strictest.into_iter().map(|(role, limit)| after.holders(role, limit)).collect()
    }

    fn at_least(&self, minimum: &RoleCount) -> Finding {
        let RoleCount { limit, before, .. } = minimum;
        let blocked = || self.blocks_unless_holders(Guardrail::KeepAtLeast, minimum);
        let verdict = of_count(minimum.worst(), *limit, *before, u64::ge, blocked);
        Finding { figure: Figure::AtLeast(minimum.clone()), verdict, place: None }
    }

    fn at_most(&self, maximum: &RoleCount) -> Finding {
        let RoleCount { limit, before, .. } = maximum;
        let blocked = || self.blocks_unless_holders(Guardrail::KeepAtMost, maximum);
        let verdict = of_count(maximum.worst(), *limit, *before, u64::le, blocked);
        Finding { figure: Figure::AtMost(maximum.clone()), verdict, place: None }
    }

    fn keep_active(&self, after: &BeforeAndAfter<'_>) -> Option<Finding> {
        let minimum = self.rules().keep_active;
        if minimum == 0 {
            return None;
        }
        let (before, after) = after.status_active();
        let blocked = || self.blocks_unless_count(Guardrail::KeepActive, after);
        let verdict = of_count(after, minimum, before, u64::ge, blocked);
        Some(Finding { figure: Figure::Active { before, after, minimum }, verdict, place: None })
    }

    /// Warns if the Admin role has no minimum. The author of the files might be relying on the default minimum, which doesn't
    /// apply once `keep_at_least` is set.
    fn admin_not_guarded(&self, minimums: &[RoleCount]) -> Option<Finding> {
        let admin = self.observed.roles.admin()?;
        let is_guarded = minimums.iter().any(|minimum| minimum.role == admin.id);
        (!is_guarded).then(|| Finding {
            figure: Figure::AdminNotGuarded(admin.id.clone()),
            verdict: Verdict::Warns,
            place: None,
        })
    }

    /// Warns about addresses listed in `protected` that aren't found in Pylon and therefore don't protect anyone.
    fn protected_not_found(&self) -> impl Iterator<Item = Finding> {
        let not_found =
            self.rules().protected.iter().filter(|email| self.observed.find(&email.value) == Found::NotFound);
        not_found.map(|email| Finding {
            figure: Figure::ProtectedNotFound(email.value.clone()),
            verdict: Verdict::Warns,
            place: Some(email.place),
        })
    }

    /// Blocks changes to a protected person, who can be listed in `protected` under any of their addresses.
    fn protected(&self, subject: &Subject) -> Option<Finding> {
        let person = self.rules().protected.iter().find(|email| subject.is(&email.value))?;
        Some(Finding {
            figure: Figure::Protected(person.value.clone()),
            verdict: self.blocks_unless_user(Guardrail::Protected, subject),
            place: Some(subject.email.place),
        })
    }

    /// Blocks a plan that takes a guarded role away from the token's owner, who might need that role for the next apply. The
    /// Admin role counts even if it has no minimum.
    fn token_owner(&self, plan: &Plan, minimums: &[RoleCount]) -> Vec<Finding> {
        let own = plan.changes.iter().find(|change| Some(&change.subject.id) == plan.token_user.as_ref());
        let Some((own, edit)) = own.and_then(|own| Some((own, own.edit(Field::Role)?))) else {
            return Vec::new();
        };
        let subject = &own.subject;
        let admin = self.observed.roles.admin().map(|admin| &admin.id);
        let is_guarded =
            |role: &RoleId| admin == Some(role) || minimums.iter().any(|minimum| minimum.role == *role);
        let lost = own.roles_lost().filter(is_guarded);
        lost.map(|role| Finding {
            figure: Figure::TokenOwner { email: subject.email.value.clone(), role },
            verdict: self.blocks_unless_user(Guardrail::TokenOwner, subject),
            place: Some(edit.place),
        })
        .collect()
    }

    /// Reports everyone who'd hold a role forbidden by the rule, including unmanaged people. Each acknowledgment covers a
    /// single person.
    fn role_rule(&self, rule: &RoleRule, after: &BeforeAndAfter<'_>) -> Vec<Finding> {
        let allowed: Vec<&FieldValue> =
            rule.roles.iter().filter_map(|role| Some(&self.roles.id(&role.value)?.0)).collect();
        let figure = |holders| Figure::Rule(RuleViolation { rule: rule.summary(), holders });
        let finding = |figure, verdict| Finding { figure, verdict, place: Some(rule.place) };
        let (mut findings, mut others) = (Vec::new(), Vec::new());
        for (person, change) in &after.people {
            let mut roles: Vec<&FieldValue> =
                roles_after(person, *change).filter(|role| !allowed.contains(role)).collect();
            if roles.is_empty() || !rule.applies_to(person.addresses()) {
                continue;
            }
            roles.sort_unstable();
            roles.dedup();
            let holders = roles.into_iter().map(|role| (person.email.clone(), RoleId(role.clone())));
            let allows = |risk: &AcknowledgedRisk| risk.accepts_user(Guardrail::Rule, |user| person.is(user));
            match self.acknowledged(allows) {
                Some(verdict) => findings.push(finding(figure(holders.collect()), verdict)),
                None => others.extend(holders),
            }
        }
        others.sort_by(|(one, _), (other, _)| one.cmp(other));
        if !others.is_empty() {
            let verdict = match rule.on_violation.value {
                OnViolation::Report => Verdict::Warns,
                OnViolation::Block => Verdict::Blocks,
            };
            findings.insert(0, finding(figure(others), verdict));
        }
        findings
    }

    fn unmanaged(&self, plan: &Plan) -> Option<Finding> {
        let count = plan.unmanaged.len() as u64;
        if self.rules().unmanaged != Unmanaged::Block || count == 0 {
            return None;
        }
        let verdict = self.blocks_unless_count(Guardrail::Unmanaged, count);
        Some(Finding { figure: Figure::Unmanaged(count), verdict, place: None })
    }

    fn missing(&self, plan: &Plan) -> Option<Finding> {
        let count = plan.absent.len() as u64;
        if self.rules().missing != Missing::Block || count == 0 {
            return None;
        }
        let verdict = self.blocks_unless_count(Guardrail::Missing, count);
        let place = plan.absent.first().map(|absent| absent.email.place);
        Some(Finding { figure: Figure::Missing(count), verdict, place })
    }
}
