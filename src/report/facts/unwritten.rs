//! Differences from the base version that the plan doesn't write, with the reason for each.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::comparison::{DifferenceEntry, ItemLine, Unwritten};
use super::plan::{EditLine, PlanReport};
use crate::comparison::{ComparedSubject, Comparison, Kind};
use crate::desired::{Origin, is_active, resolve_person};
use crate::observed::{Found, ObservedState, Person};
use crate::plan::ReviewedPlan;
use crate::plan::cause::Cause;
use crate::printable::Printable;
use crate::roster::{Email, Field, Roster, Stance};

/// The inputs needed to explain why a difference isn't written.
struct UnwrittenContext<'a> {
    /// The planned edits, by address and field.
    planned: HashMap<(&'a Email, Field), &'a EditLine>,
    missing: HashSet<&'a Email>,
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
        let people = UnwrittenContext::new(self, present, reviewed, observed);
        let only = &reviewed.plan.only;
        let mut entries = Vec::new();
        for difference in Comparison::between(base, present).differences {
            let mut entry = DifferenceEntry::new(difference, &base.sources, &present.sources);
            if let ComparedSubject::Person { email } = &entry.subject {
                if !only.is_empty() && !only.contains(email) {
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

impl<'a> UnwrittenContext<'a> {
    fn new(
        report: &'a PlanReport,
        present: &'a Roster,
        reviewed: &'a ReviewedPlan,
        observed: &'a ObservedState,
    ) -> Self {
        let mut planned = HashMap::new();
        // Changes and report lines are both in plan order.
        for (change, line) in reviewed.plan.changes.iter().zip(&report.changes) {
            let email = &change.subject.email.value;
            planned.extend(line.edits.iter().map(|edit| ((email, edit.field), edit)));
        }
        let missing = reviewed.plan.absent.iter().map(|absent| &absent.email.value).collect();
        Self { planned, missing, present, reviewed, observed }
    }

    /// Removes the items that the plan writes, and records why each of the others isn't written.
    fn explain(&self, email: &Email, entry: &mut DifferenceEntry, now: Timestamp) {
        if entry.kind == Kind::Removed {
            self.explain_removed(email, entry);
            return;
        }
        let field_of =
            |item: &ItemLine| Field::ALL.into_iter().find(|field| field.as_str() == item.key.raw());
        let is_written = |field| {
            self.planned.get(&(email, field)).is_some_and(|edit| edit.cause == Some(Cause::ThisChange))
        };
        entry.items.retain(|item| !field_of(item).is_some_and(is_written));
        for item in &mut entry.items {
            let field = field_of(item);
            item.unwritten = Some(self.reason(email, field, item, now));
        }
    }

    /// Returns the reason an item isn't written. `field` is `None` if the item is a window.
    fn reason(&self, email: &Email, field: Option<Field>, item: &ItemLine, now: Timestamp) -> Unwritten {
        let fields = || Field::ALL.into_iter().filter(|other| field.is_none_or(|field| field == *other));
        let is_planned = |other| match self.planned.get(&(email, other)) {
            Some(edit) if field.is_none() => {
                matches!(edit.origin, Origin::Window { .. }) && self.is_active(email, item, now)
            }
            edit => edit.is_some(),
        };
        let is_enforced = |field: Field| self.present.policy.fields[field] == Stance::Enforce;
        if item.new.is_none() {
            Unwritten::NoLongerDeclared
        } else if self.missing.contains(email) {
            Unwritten::NotFound
        } else if fields().any(is_planned) {
            Unwritten::InThisPlan
        } else if !fields().any(is_enforced) {
            Unwritten::NotEnforced
        } else if field.is_none_or(|field| self.is_from_window(email, field, now)) {
            Unwritten::OnADate
        } else {
            Unwritten::AlreadyInPylon
        }
    }

    /// Returns `true` if the item is an active window.
    fn is_active(&self, email: &Email, item: &ItemLine, now: Timestamp) -> bool {
        let location = item.new.as_ref().and_then(|value| value.location.as_ref());
        let windows = self.present.person(email).into_iter().flat_map(|person| &person.windows);
        windows
            .filter(|window| Some(&self.present.sources.locate(window.place)) == location)
            .any(|window| is_active(window, now))
    }

    fn is_from_window(&self, email: &Email, field: Field, now: Timestamp) -> bool {
        let person = self.present.person(email).map(|person| resolve_person(person, now));
        let value = person.and_then(|mut person| person.values[field].take());
        value.is_some_and(|value| matches!(value.origin, Origin::Window { .. }))
    }

    /// Records why the removal of a person isn't written, and the roles that the person keeps.
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
        let mut held = person.values(Field::Role);
        let mut others = person.through_scim(Field::Role);
        others.retain(|role| !held.contains(role));
        held.append(&mut others);
        entry.keeps = held.iter().map(label).collect();
        entry.keeps_guarded = self.reviewed.minimums.iter().any(|minimum| person.holds(&minimum.role));
    }
}
