//! A naive reimplementation of the guardrails from their documentation. It counts people and role holders before and
//! after the plan, and role holders after each change. It shares only data types and the apply order with the code under test.

use std::collections::{BTreeMap, BTreeSet};

use rolecall::observed::Person;
use rolecall::plan::Plan;
use rolecall::roster::{
    AcknowledgedRisk, Email, EmailPattern, Guardrail, MaxChanges, Missing, OnViolation, RiskLimit, Unmanaged,
};
use rolecall::source::Sourced;

use super::organization::{ROLES, Resolved, patched};

/// Resolves a role written in a file to its ID.
fn id_of(written: &str) -> &'static str {
    let meant = ROLES.iter().find(|(id, name, slug)| written == *id || written == *slug || written == *name);
    meant.expect("a known role").0
}

/// Pairs each person before the plan with the same person after it. Deactivated people are left out.
fn before_and_after(resolved: &Resolved, plan: &Plan) -> Vec<(Person, Person)> {
    let there = resolved.observed.people().filter(|person| !person.deactivated);
    there
        .map(|before| {
            let mut after = before.clone();
            for change in plan.changes.iter().filter(|change| change.subject.id == before.id) {
                after = patched(&after, &change.patch());
            }
            (before.clone(), after)
        })
        .collect()
}

pub(super) fn holds_role(person: &Person, role: &str) -> bool {
    person.held.role.all().any(|held| **held == *role)
}

/// Returns the guarded roles and their minimums. If a file has several minimums for a role, the highest wins.
pub(super) fn guarded_roles(resolved: &Resolved) -> BTreeMap<&'static str, u64> {
    let mut kept = BTreeMap::new();
    match &resolved.roster.guardrails.keep_at_least {
        None => drop(kept.insert("role_admin", 2)),
        Some(minimums) => {
            for minimum in minimums {
                let highest = kept.entry(id_of(&minimum.role.value)).or_insert(0);
                *highest = minimum.holders.max(*highest);
            }
        }
    }
    kept
}

/// Matches an address, ignoring case, against a pattern with at most one `*`.
fn matches(pattern: &str, email: &Email) -> bool {
    let (pattern, email) = (pattern.to_lowercase(), email.as_str().to_lowercase());
    let ((local, domain), (name, place)) = (pattern.split_once('@').unwrap(), email.split_once('@').unwrap());
    let is_name = match local.split_once('*') {
        None => name == local,
        Some((start, end)) => name.strip_prefix(start).is_some_and(|rest| rest.ends_with(end)),
    };
    is_name && place == domain
}

/// Returns the maximum of each role that has one. If a file has several for a role, the lowest wins.
pub(super) fn maximums(resolved: &Resolved) -> BTreeMap<&'static str, u64> {
    let mut maximums = BTreeMap::new();
    for maximum in &resolved.roster.guardrails.keep_at_most {
        let lowest = maximums.entry(id_of(&maximum.role.value)).or_insert(u64::MAX);
        *lowest = maximum.holders.min(*lowest);
    }
    maximums
}

fn is_known_by(person: &Person, address: &Email) -> bool {
    person.email == *address || person.secondary.contains(address)
}

/// Recomputes what the guardrails check. `people` pairs each person who isn't deactivated before the plan with the same person
/// after it.
struct Count<'a> {
    resolved: &'a Resolved,
    plan: &'a Plan,
    people: Vec<(Person, Person)>,
}

/// Returns the guardrails broken by the plan without an acknowledgment.
pub(super) fn broken(resolved: &Resolved, plan: &Plan) -> BTreeSet<Guardrail> {
    let count = Count { resolved, plan, people: before_and_after(resolved, plan) };
    let breaks = |guardrail: &Guardrail| match guardrail {
        Guardrail::MaxChanges => count.changes_too_many(),
        Guardrail::KeepAtLeast => count.leaves_too_few_holders(),
        Guardrail::KeepAtMost => count.leaves_too_many_holders(),
        Guardrail::KeepActive => count.leaves_too_few_active(),
        Guardrail::Protected => count.changes_protected_person(),
        Guardrail::TokenOwner => count.takes_from_the_token_owner(),
        Guardrail::Rule => count.breaks_a_rule(),
        Guardrail::Unmanaged => count.has_unmanaged_people(),
        Guardrail::Missing => count.has_missing_people(),
    };
    Guardrail::ALL.into_iter().filter(breaks).collect()
}

impl Count<'_> {
    fn accepts(&self, accepts: impl Fn(&AcknowledgedRisk) -> bool) -> bool {
        let now = super::organization::now();
        let known = &self.resolved.roster.acknowledgments;
        known.iter().any(|known| now < known.expires.value.at && accepts(&known.risk))
    }

    fn changed(&self) -> impl Iterator<Item = &(Person, Person)> {
        self.people.iter().filter(|(before, after)| before != after)
    }

    fn is_there(&self, address: &Email) -> bool {
        self.people.iter().any(|(person, _)| is_known_by(person, address))
    }

    /// Counts the people who match a predicate, before and after the plan.
    fn how_many(&self, is_so: impl Fn(&Person) -> bool) -> (u64, u64) {
        let before = self.people.iter().filter(|(before, _)| is_so(before)).count();
        let after = self.people.iter().filter(|(_, after)| is_so(after)).count();
        (before as u64, after as u64)
    }

    fn changes_too_many(&self) -> bool {
        let changed = self.changed().count() as u64;
        let limit = match self.resolved.roster.guardrails.max_changes {
            MaxChanges::Count(count) => count,
            MaxChanges::Share { percent } => {
                let declared = &self.resolved.roster.people;
                let there = declared.iter().filter(|person| self.is_there(&person.email.value)).count();
                (there as u64 * u64::from(percent) / 100).max(10)
            }
        };
        let accepts = |risk: &AcknowledgedRisk| {
            risk.guardrail == Guardrail::MaxChanges
                && matches!(&risk.limit, RiskLimit::UpTo(up_to) if changed <= up_to.value)
        };
        changed > limit && !self.accepts(accepts)
    }

    fn leaves_too_few_holders(&self) -> bool {
        guarded_roles(self.resolved).into_iter().any(|(role, minimum)| {
            let (before, after) = self.how_many(|person| holds_role(person, role));
            let lowest = self.on_the_way(role).into_iter().min().unwrap_or(before);
            let worst = if lowest < before.min(after).min(minimum) { lowest } else { after };
            let accepts = |risk: &AcknowledgedRisk| {
                risk.guardrail == Guardrail::KeepAtLeast
                    && risk.role.as_ref().is_some_and(|name| id_of(&name.value) == role)
                    && matches!(&risk.limit, RiskLimit::DownTo(down_to) if worst >= down_to.value)
            };
            worst < before.min(minimum) && !self.accepts(accepts)
        })
    }

    fn leaves_too_many_holders(&self) -> bool {
        maximums(self.resolved).into_iter().any(|(role, maximum)| {
            let (before, after) = self.how_many(|person| holds_role(person, role));
            let highest = self.on_the_way(role).into_iter().max().unwrap_or(before);
            let worst = if highest > before.max(after).max(maximum) { highest } else { after };
            let accepts = |risk: &AcknowledgedRisk| {
                risk.guardrail == Guardrail::KeepAtMost
                    && risk.role.as_ref().is_some_and(|name| id_of(&name.value) == role)
                    && matches!(&risk.limit, RiskLimit::UpTo(up_to) if worst <= up_to.value)
            };
            worst > before.max(maximum) && !self.accepts(accepts)
        })
    }

    /// Counts the holders of a role after each change, in apply order.
    fn on_the_way(&self, role: &str) -> Vec<u64> {
        let mut people: Vec<Person> = self.people.iter().map(|(before, _)| before.clone()).collect();
        let ordered = self.resolved.review(self.plan.clone()).in_order();
        let counts = ordered.iter().map(|one| {
            let id = &one.change.subject.id;
            for person in people.iter_mut().filter(|person| person.id == *id) {
                *person = patched(person, &one.change.patch());
            }
            people.iter().filter(|person| holds_role(person, role)).count() as u64
        });
        counts.collect()
    }

    fn leaves_too_few_active(&self) -> bool {
        let (before, after) = self.how_many(|person| person.status() == "active");
        let accepts = |risk: &AcknowledgedRisk| {
            risk.guardrail == Guardrail::KeepActive
                && matches!(&risk.limit, RiskLimit::DownTo(down_to) if after >= down_to.value)
        };
        after < before.min(self.resolved.roster.guardrails.keep_active) && !self.accepts(accepts)
    }

    fn changes_protected_person(&self) -> bool {
        let protected = &self.resolved.roster.guardrails.protected;
        self.changed().any(|(person, _)| {
            let accepts = |risk: &AcknowledgedRisk| {
                risk.guardrail == Guardrail::Protected
                    && matches!(&risk.limit, RiskLimit::User(user) if is_known_by(person, &user.value))
            };
            protected.iter().any(|email| is_known_by(person, &email.value)) && !self.accepts(accepts)
        })
    }

    fn takes_from_the_token_owner(&self) -> bool {
        let own = self.changed().find(|(person, _)| Some(&person.id) == self.plan.token_user.as_ref());
        own.is_some_and(|(person, after)| {
            let mut kept = guarded_roles(self.resolved).into_keys().chain(["role_admin"]);
            let accepts = |risk: &AcknowledgedRisk| {
                risk.guardrail == Guardrail::TokenOwner
                    && matches!(&risk.limit, RiskLimit::User(user) if is_known_by(person, &user.value))
            };
            kept.any(|role| holds_role(person, role) && !holds_role(after, role)) && !self.accepts(accepts)
        })
    }

    fn breaks_a_rule(&self) -> bool {
        let rules = self.resolved.roster.guardrails.role_rules.iter();
        let mut blocking = rules.filter(|rule| rule.on_violation.value == OnViolation::Block);
        blocking.any(|rule| {
            let is_one = |person: &Person, patterns: &[Sourced<EmailPattern>]| {
                let addresses = || std::iter::once(&person.email).chain(&person.secondary);
                patterns.iter().any(|pattern| addresses().any(|email| matches(pattern.value.as_str(), email)))
            };
            let has_other_role = |person: &Person| {
                let mut held = person.held.role.all();
                held.any(|held| rule.roles.iter().all(|allowed| *id_of(&allowed.value) != **held))
            };
            self.people.iter().any(|(_, after)| {
                let accepts = |risk: &AcknowledgedRisk| {
                    risk.guardrail == Guardrail::Rule
                        && matches!(&risk.limit, RiskLimit::User(user) if is_known_by(after, &user.value))
                };
                is_one(after, &rule.emails)
                    && !is_one(after, &rule.except)
                    && has_other_role(after)
                    && !self.accepts(accepts)
            })
        })
    }

    fn has_unmanaged_people(&self) -> bool {
        let Resolved { roster, .. } = self.resolved;
        let is_declared =
            |person: &Person| roster.people.iter().any(|known| is_known_by(person, &known.email.value));
        let unmanaged = self.people.iter().filter(|(person, _)| !is_declared(person)).count() as u64;
        let accepts = |risk: &AcknowledgedRisk| {
            risk.guardrail == Guardrail::Unmanaged
                && matches!(&risk.limit, RiskLimit::UpTo(up_to) if unmanaged <= up_to.value)
        };
        roster.guardrails.unmanaged == Unmanaged::Block && unmanaged > 0 && !self.accepts(accepts)
    }

    fn has_missing_people(&self) -> bool {
        let Resolved { roster, .. } = self.resolved;
        let missing =
            roster.people.iter().filter(|person| !self.is_there(&person.email.value)).count() as u64;
        let accepts = |risk: &AcknowledgedRisk| {
            risk.guardrail == Guardrail::Missing
                && matches!(&risk.limit, RiskLimit::UpTo(up_to) if missing <= up_to.value)
        };
        roster.guardrails.missing == Missing::Block && missing > 0 && !self.accepts(accepts)
    }
}
