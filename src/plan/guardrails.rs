//! The limits of an apply, judged on the organization as it would be afterwards.
//!
//! Counted are the people that Pylon has, declared or not; deactivated people and typos are not: a text that names two
//! Admins is no proof of two Admins. A minimum refuses only a plan that lowers the number. Each finding carries its
//! figure and its limit; how that is said is the reports' business, but nothing here is ever left unsaid.

use std::collections::{HashMap, HashSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::change::{Change, Plan, Subject};
use super::roles::NamedRoles;
use crate::desired::DesiredState;
use crate::observed::{Found, ObservedState, Person, RoleId, UserId};
use crate::roster::{
    AcknowledgedRisk, Acknowledgment, DEFAULT_MINIMUM, Email, Field, FieldValue, Guardrail, GuardrailRules,
    MaxChanges, Missing, Status, Unmanaged,
};
use crate::source::Place;

/// So many changes are always allowed where `max_changes` is a share: a small team must be able to work.
pub const ALWAYS_ALLOWED: u64 = 10;

/// A plan with what the guardrails say of it. The only thing that can be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewedPlan {
    pub plan: Plan,
    /// What each guardrail that has something to say says, in the order of [`Guardrail::ALL`].
    pub findings: Vec<Finding>,
    /// The guarded roles, with their holders before and after.
    pub minimums: Vec<RoleMinimum>,
    /// Acknowledgments that have expired: named, so that a refusal does not surprise.
    pub expired: Vec<Acknowledgment>,
}

/// A guarded role: what `keep_at_least` means for this organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleMinimum {
    pub role: RoleId,
    /// How many must hold it.
    pub minimum: u64,
    /// How many active people hold it now.
    pub before: u64,
    /// How many would hold it afterwards.
    pub after: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is about; also tells the guardrail.
    pub figure: Figure,
    /// Whether the plan may be carried out.
    pub verdict: Verdict,
    /// Where to look in the files: the change, or the rule.
    pub place: Option<Place>,
}

/// The figure of a finding, with its limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Figure {
    /// So many people would change.
    Changes {
        changed: u64,
        /// People declared, whether they are in Pylon or not.
        declared: u64,
        limit: u64,
    },
    /// So many people would hold a guarded role.
    Holders(RoleMinimum),
    /// So many people would be active.
    Active {
        before: u64,
        after: u64,
        /// How many there must be.
        minimum: u64,
    },
    /// This protected person would change.
    Protected(Email),
    /// This address is protected, and nobody in Pylon has it.
    ProtectedNobody(Email),
    /// The declared `keep_at_least` does not name this role, which is the administrators'.
    AdminNotGuarded(RoleId),
    /// The token's own user would lose a guarded role.
    TokenOwner {
        /// The address by which they are declared.
        email: Email,
        role: RoleId,
    },
    /// So many people in Pylon are unmanaged.
    Unmanaged(u64),
    /// So many declared people are not in Pylon, or deactivated there.
    Missing(u64),
}

impl Figure {
    pub const fn guardrail(&self) -> Guardrail {
        match self {
            Self::Changes { .. } => Guardrail::MaxChanges,
            Self::Holders(_) | Self::AdminNotGuarded(_) => Guardrail::KeepAtLeast,
            Self::Active { .. } => Guardrail::KeepActive,
            Self::Protected(_) | Self::ProtectedNobody(_) => Guardrail::Protected,
            Self::TokenOwner { .. } => Guardrail::TokenOwner,
            Self::Unmanaged(_) => Guardrail::Unmanaged,
            Self::Missing(_) => Guardrail::Missing,
        }
    }
}

/// Whether a guardrail lets the plan pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    Passes,
    /// Worth knowing, but not through this plan: reported, not refused.
    Warns,
    /// Beyond the limit, and somebody answers for it.
    Acknowledged {
        #[serde(rename = "acknowledged")]
        reason: String,
    },
    Blocks,
}

impl ReviewedPlan {
    /// Whether any guardrail refuses the plan.
    pub fn is_blocked(&self) -> bool {
        self.findings.iter().any(|finding| finding.verdict == Verdict::Blocks)
    }
}

impl ReviewedPlan {
    /// Returns the primary addresses of holders to search for, because only the listing shows that they hold a guarded role that
    /// this plan takes from others. One response must not be enough to remove those others. For each role, these are at most as
    /// many as its minimum, because more are not needed. `searched` are the addresses that were searched for already.
    pub fn holders_to_confirm(&self, observed: &ObservedState, searched: &[Email]) -> Vec<Email> {
        let lost: HashSet<RoleId> = self.plan.changes.iter().flat_map(Change::roles_lost).collect();
        let searched: HashSet<&Email> = searched.iter().collect();
        let is_listed = |person: &&Person| {
            let mut addresses = std::iter::once(&person.email).chain(&person.secondary);
            !person.deactivated && !addresses.any(|email| searched.contains(email))
        };
        let mut holders: Vec<Email> = Vec::new();
        for RoleMinimum { role, minimum, .. } in
            self.minimums.iter().filter(|minimum| lost.contains(&minimum.role))
        {
            let needed = usize::try_from(*minimum).unwrap_or(usize::MAX);
            let listed = observed.people().filter(is_listed).filter(|person| person.holds(role));
            holders.extend(listed.take(needed).map(|person| person.email.clone()));
        }
        holders
    }
}

/// What a review looks at beside the plan.
#[derive(Debug, Clone, Copy)]
pub struct Review<'a> {
    /// The organization as it is.
    pub observed: &'a ObservedState,
    pub desired: &'a DesiredState,
    pub rules: &'a GuardrailRules,
    /// The ids of the roles they name.
    pub roles: &'a NamedRoles,
    /// The limit of `--max-changes`, for this run alone.
    pub max_changes: Option<u64>,
}

impl Plan {
    pub fn review(self, review: Review<'_>) -> ReviewedPlan {
        let after = After::new(&self, review.observed);
        let minimums = review.minimums(&after);
        let mut findings = vec![review.changes(&self)];
        findings.extend(minimums.iter().map(|minimum| review.holders(minimum)));
        findings.extend(review.no_minimum(&minimums));
        findings.extend(review.active(&after));
        findings.extend(self.changes.iter().filter_map(|change| review.protected(&change.subject)));
        findings.extend(review.protected_nobody());
        findings.extend(review.token_owner(&self, &minimums));
        findings.extend(review.unmanaged(&self));
        findings.extend(review.missing(&self));
        ReviewedPlan { plan: self, findings, minimums, expired: review.desired.expired.clone() }
    }
}

/// The organization as it would be, counted person by person.
struct After<'a> {
    people: Vec<(&'a Person, Option<&'a Change>)>,
}

impl<'a> After<'a> {
    fn new(plan: &'a Plan, observed: &'a ObservedState) -> Self {
        let changes: HashMap<&UserId, _> =
            plan.changes.iter().map(|change| (&change.subject.id, change)).collect();
        let active = observed.people().filter(|person| !person.deactivated);
        Self { people: active.map(|person| (person, changes.get(&person.id).copied())).collect() }
    }

    fn holders(&self, role: &RoleId, minimum: u64) -> RoleMinimum {
        let before = self.people.iter().filter(|(person, _)| person.holds(role)).count() as u64;
        let holds_after = |(person, change): &&(&Person, Option<&Change>)| match new(*change, Field::Role) {
            Some(to) => *to == role.0 || person.from_scim.contains(role),
            None => person.holds(role),
        };
        let after = self.people.iter().filter(holds_after).count() as u64;
        RoleMinimum { role: role.clone(), minimum, before, after }
    }

    fn active(&self) -> (u64, u64) {
        let active = Status::Active.as_str();
        let before = self.people.iter().filter(|(person, _)| person.has_only(Field::Status, active));
        let after = self.people.iter().filter(|(person, change)| match new(*change, Field::Status) {
            Some(to) => **to == *active,
            None => person.has_only(Field::Status, active),
        });
        (before.count() as u64, after.count() as u64)
    }
}

/// The value that the change sets.
fn new(change: Option<&Change>, field: Field) -> Option<&FieldValue> {
    change?.edit(field).map(|edit| &edit.to)
}

impl Review<'_> {
    /// The reason of the acknowledgment that allows it, if any does.
    fn acknowledged(&self, allows: impl Fn(&AcknowledgedRisk) -> bool) -> Option<Verdict> {
        let found = self.desired.acknowledgments.iter().find(|acknowledgment| allows(&acknowledgment.risk));
        found.map(|acknowledgment| Verdict::Acknowledged { reason: acknowledgment.reason.clone() })
    }

    fn changes(&self, plan: &Plan) -> Finding {
        let (changed, declared) = (plan.changes.len() as u64, plan.declared as u64);
        let limit = match (self.max_changes, self.rules.max_changes) {
            (Some(limit), _) | (None, MaxChanges::Count(limit)) => limit,
            (None, MaxChanges::Share { percent }) => {
                (self.declared_and_there() * u64::from(percent) / 100).max(ALWAYS_ALLOWED)
            }
        };
        let verdict = if changed <= limit {
            Verdict::Passes
        } else {
            let enough = |risk: &AcknowledgedRisk| matches!(risk, AcknowledgedRisk::MaxChanges(up_to) if changed <= *up_to);
            self.acknowledged(enough).unwrap_or(Verdict::Blocks)
        };
        Finding { figure: Figure::Changes { changed, declared, limit }, verdict, place: None }
    }

    /// Whoever is declared and not in Pylon, or has left, makes no larger team.
    fn declared_and_there(&self) -> u64 {
        let is_there = |email: &Email| match self.observed.find(email) {
            Found::Primary(person) | Found::Secondary(person) => !person.deactivated,
            Found::Several(_) | Found::NotFound => false,
        };
        self.desired.people.iter().filter(|person| is_there(&person.email.value)).count() as u64
    }

    fn minimums(&self, after: &After<'_>) -> Vec<RoleMinimum> {
        match &self.rules.keep_at_least {
            Some(minimums) => {
                let known = minimums
                    .iter()
                    .filter_map(|minimum| Some((self.roles.id(&minimum.role.value)?, minimum.holders)));
                // One role may be kept under its name and its slug; the apply keeps one figure a role, the higher.
                let mut highest: Vec<(&RoleId, u64)> = Vec::new();
                for (role, holders) in known {
                    match highest.iter_mut().find(|(known, _)| *known == role) {
                        Some((_, most)) => *most = holders.max(*most),
                        None => highest.push((role, holders)),
                    }
                }
                highest.into_iter().map(|(role, holders)| after.holders(role, holders)).collect()
            }
            // `NamedRoles` guarantees that there is one.
            None => {
                let admin = self.observed.roles.admin();
                admin.map(|admin| after.holders(&admin.id, DEFAULT_MINIMUM)).into_iter().collect()
            }
        }
    }

    fn holders(&self, minimum: &RoleMinimum) -> Finding {
        let allows = |risk: &AcknowledgedRisk| match risk {
            AcknowledgedRisk::KeepAtLeast(role, down_to) => {
                self.roles.id(&role.value) == Some(&minimum.role) && minimum.after >= *down_to
            }
            _ => false,
        };
        let verdict = self.minimum_verdict(minimum.before, minimum.after, minimum.minimum, allows);
        Finding { figure: Figure::Holders(minimum.clone()), verdict, place: None }
    }

    fn minimum_verdict(
        &self,
        before: u64,
        after: u64,
        minimum: u64,
        allows: impl Fn(&AcknowledgedRisk) -> bool,
    ) -> Verdict {
        if after >= minimum {
            Verdict::Passes
        } else if after >= before {
            Verdict::Warns
        } else {
            self.acknowledged(allows).unwrap_or(Verdict::Blocks)
        }
    }

    fn active(&self, after: &After<'_>) -> Option<Finding> {
        let minimum = self.rules.keep_active;
        if minimum == 0 {
            return None;
        }
        let (before, after) = after.active();
        let allows = |risk: &AcknowledgedRisk| matches!(risk, AcknowledgedRisk::KeepActive(down_to) if after >= *down_to);
        let verdict = self.minimum_verdict(before, after, minimum, allows);
        Some(Finding { figure: Figure::Active { before, after, minimum }, verdict, place: None })
    }

    /// A minimum that holds nobody up is said aloud: whoever wrote the files may count on it.
    fn no_minimum(&self, minimums: &[RoleMinimum]) -> Option<Finding> {
        let admin = self.observed.roles.admin()?;
        let is_guarded = minimums.iter().any(|minimum| minimum.role == admin.id);
        (!is_guarded).then(|| Finding {
            figure: Figure::AdminNotGuarded(admin.id.clone()),
            verdict: Verdict::Warns,
            place: None,
        })
    }

    /// Likewise an address that protects nobody.
    fn protected_nobody(&self) -> impl Iterator<Item = Finding> {
        let nobody =
            self.rules.protected.iter().filter(|email| self.observed.find(&email.value) == Found::NotFound);
        nobody.map(|email| Finding {
            figure: Figure::ProtectedNobody(email.value.clone()),
            verdict: Verdict::Warns,
            place: Some(email.place),
        })
    }

    /// A protected person is protected under any of the addresses by which they are declared or known.
    fn protected(&self, subject: &Subject) -> Option<Finding> {
        let person = self.rules.protected.iter().find(|email| subject.is(&email.value))?;
        let allows = |risk: &AcknowledgedRisk| matches!(risk, AcknowledgedRisk::Protected(user) if subject.is(&user.value));
        let verdict = self.acknowledged(allows).unwrap_or(Verdict::Blocks);
        Some(Finding {
            figure: Figure::Protected(person.value.clone()),
            verdict,
            place: Some(subject.email.place),
        })
    }

    /// Whoever applies must not lose by it what they need to apply again: that of an administrator, whatever the minimums are.
    fn token_owner(&self, plan: &Plan, minimums: &[RoleMinimum]) -> Vec<Finding> {
        let own = plan.changes.iter().find(|change| Some(&change.subject.id) == plan.token_user.as_ref());
        let Some((own, edit)) = own.and_then(|own| Some((own, own.edit(Field::Role)?))) else {
            return Vec::new();
        };
        let subject = &own.subject;
        let admin = self.observed.roles.admin().map(|admin| &admin.id);
        let is_kept =
            |role: &RoleId| admin == Some(role) || minimums.iter().any(|minimum| minimum.role == *role);
        let kept = own.roles_lost().filter(is_kept);
        let allows = |risk: &AcknowledgedRisk| matches!(risk, AcknowledgedRisk::TokenOwner(user) if subject.is(&user.value));
        kept.map(|role| Finding {
            figure: Figure::TokenOwner { email: subject.email.value.clone(), role },
            verdict: self.acknowledged(allows).unwrap_or(Verdict::Blocks),
            place: Some(edit.place),
        })
        .collect()
    }

    fn unmanaged(&self, plan: &Plan) -> Option<Finding> {
        let count = plan.unmanaged.len() as u64;
        if self.rules.unmanaged != Unmanaged::Block || count == 0 {
            return None;
        }
        let enough =
            |risk: &AcknowledgedRisk| matches!(risk, AcknowledgedRisk::Unmanaged(up_to) if count <= *up_to);
        let verdict = self.acknowledged(enough).unwrap_or(Verdict::Blocks);
        Some(Finding { figure: Figure::Unmanaged(count), verdict, place: None })
    }

    fn missing(&self, plan: &Plan) -> Option<Finding> {
        let count = plan.absent.len() as u64;
        if self.rules.missing != Missing::Block || count == 0 {
            return None;
        }
        let enough =
            |risk: &AcknowledgedRisk| matches!(risk, AcknowledgedRisk::Missing(up_to) if count <= *up_to);
        let verdict = self.acknowledged(enough).unwrap_or(Verdict::Blocks);
        let place = plan.absent.first().map(|absent| absent.email.place);
        Some(Finding { figure: Figure::Missing(count), verdict, place })
    }
}
