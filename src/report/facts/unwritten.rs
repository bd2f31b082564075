//! Differences from the base version for which the plan doesn't need to write anything.

use std::collections::HashSet;

use jiff::Timestamp;

use super::comparison::{DifferenceEntry, ItemLine, Unwritten};
use super::plan::PlanReport;
use crate::comparison::{ComparedSubject, Comparison, Kind};
use crate::desired::{Origin, resolve_person};
use crate::observed::{Found, ObservedState, Person};
use crate::plan::ReviewedPlan;
use crate::plan::cause::Cause;
use crate::printable::Printable;
use crate::roster::{Email, Field, Roster, Stance};

/// The inputs for explaining a difference, including what the plan does with each person.
struct People<'a> {
    /// The address and field of each edit caused by this change to the files.
    written: HashSet<(String, Field)>,
    missing: HashSet<String>,
    present: &'a Roster,
    reviewed: &'a ReviewedPlan,
    observed: &'a ObservedState,
}

impl PlanReport {
    /// Records the differences from the base version that the plan doesn't write. Must be called after
    /// [`PlanReport::add_causes`].
    pub fn add_unwritten(
        &mut self,
        base: &Roster,
        present: &Roster,
        reviewed: &ReviewedPlan,
        observed: &ObservedState,
    ) {
        let people = People::new(self, present, reviewed, observed);
        let only: HashSet<&str> = self.only.iter().map(Printable::raw).collect();
        let mut entries = Vec::new();
        for difference in Comparison::between(base, present).differences {
            let mut entry = DifferenceEntry::new(difference, &base.sources, &present.sources);
            if let ComparedSubject::Person { email } = &entry.subject {
                if !only.is_empty() && !only.contains(email.as_str()) {
                    continue;
                }
                let email = email.clone();
                people.explain(&email, &mut entry, self.now);
            } else {
                entry.items.iter_mut().for_each(|item| item.unwritten = Some(Unwritten::Setting));
            }
            if !entry.items.is_empty() || entry.kind == Kind::Removed {
                entries.push(entry);
            }
        }
        if let Some(base) = &mut self.base {
            base.unwritten = entries;
        }
    }
}

impl<'a> People<'a> {
    fn new(
        report: &PlanReport,
        present: &'a Roster,
        reviewed: &'a ReviewedPlan,
        observed: &'a ObservedState,
    ) -> Self {
        let mut written = HashSet::new();
        for change in &report.changes {
            let caused = change.edits.iter().filter(|edit| edit.cause == Some(Cause::ThisChange));
            written.extend(caused.map(|edit| (change.email.raw().to_owned(), edit.field)));
        }
        let missing = report.missing.iter().map(|line| line.email.raw().to_owned()).collect();
        Self { written, missing, present, reviewed, observed }
    }

    /// Drops the items that the plan writes, and records why the others don't need to be written.
    fn explain(&self, email: &Email, entry: &mut DifferenceEntry, now: Timestamp) {
        if entry.kind == Kind::Removed {
            self.explain_removed(email, entry);
            return;
        }
        let field_of =
            |item: &ItemLine| Field::ALL.into_iter().find(|field| field.as_str() == item.key.raw());
        entry.items.retain(|item| {
            field_of(item).is_none_or(|field| !self.written.contains(&(email.to_string(), field)))
        });
        for item in &mut entry.items {
            let field = field_of(item);
            item.unwritten = Some(self.reason(email, field, item, now));
        }
    }

    fn reason(&self, email: &Email, field: Option<Field>, item: &ItemLine, now: Timestamp) -> Unwritten {
        let Some(field) = field else { return Unwritten::OnADate };
        let is_enforced = self.present.policy.fields[field] == Stance::Enforce;
        if item.new.is_none() {
            Unwritten::NoLongerDeclared
        } else if self.missing.contains(email.as_str()) {
            Unwritten::NotFound
        } else if !is_enforced {
            Unwritten::NotEnforced
        } else if self.is_from_window(email, field, now) {
            Unwritten::OnADate
        } else {
            Unwritten::AlreadyInPylon
        }
    }

    fn is_from_window(&self, email: &Email, field: Field, now: Timestamp) -> bool {
        let person = self.present.person(email).map(|person| resolve_person(person, now));
        let value = person.and_then(|mut person| person.values[field].take());
        value.is_some_and(|value| matches!(value.origin, Origin::Window { .. }))
    }

    /// Records the roles kept by a person who is no longer declared.
    fn explain_removed(&self, email: &Email, entry: &mut DifferenceEntry) {
        let mut reason = Unwritten::NoLongerDeclared;
        if let Found::Primary(person) | Found::Secondary(person) = self.observed.find(email) {
            if self.is_declared(person) {
                reason = Unwritten::OtherAddress;
            } else if !person.deactivated {
                self.add_kept(person, entry);
            }
        }
        entry.items.iter_mut().for_each(|item| item.unwritten = Some(reason));
    }

    fn is_declared(&self, person: &Person) -> bool {
        person.addresses().any(|email| self.present.person(email).is_some())
    }

    fn add_kept(&self, person: &Person, entry: &mut DifferenceEntry) {
        let roles = &self.observed.roles;
        let label = |value: &_| Printable::new(&roles.value_label(Field::Role, value));
        entry.keeps = person.values(Field::Role).iter().map(label).collect();
        let is_guarded = self.reviewed.minimums.iter().any(|minimum| person.holds(&minimum.role));
        entry.items.iter_mut().for_each(|item| item.sensitive |= is_guarded);
    }
}
