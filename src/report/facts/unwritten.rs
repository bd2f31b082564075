//! Lists the differences from the base version that the plan doesn't write to Pylon, with the reason for each.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::plan::{EditLine, PlanReport};
use crate::comparison::{self, ComparedSubject, DifferenceEntry, ItemLine, Kind, Unwritten};
use crate::desired::{Origin, is_active, resolve_person};
use crate::observed::{Found, ObservedState, Person};
use crate::plan::ReviewedPlan;
use crate::plan::cause::Cause;
use crate::printable::Printable;
use crate::roster::{Email, Field, FieldValue, Roster, Stance, Window};
use crate::source::Sourced;

/// The inputs needed to explain why the plan doesn't write a difference from the base version.
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
        for mut entry in comparison::differences(base, present, Some(&observed.roles)) {
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
        // Changes and report lines are both in plan order, so they can be paired by position.
        for (change, line) in reviewed.plan.changes.iter().zip(&report.changes) {
            let email = &change.subject.email.value;
            planned.extend(line.edits.iter().map(|edit| ((email, edit.field), edit)));
        }
        let missing = reviewed.plan.absent.iter().map(|absent| &absent.email.value).collect();
        Self { planned, missing, present, reviewed, observed }
    }

    /// Keeps only those items of `entry` that the plan doesn't write, and records the reason for each of them.
    fn explain(&self, email: &Email, entry: &mut DifferenceEntry, now: Timestamp) {
        if entry.kind == Kind::Removed {
            self.explain_removed(email, entry);
            return;
        }
        let field_of = |item: &ItemLine| Field::named(item.key.raw());
        entry.items.retain(|item| !field_of(item).is_some_and(|field| self.writes_own_value(email, field)));
        for item in &mut entry.items {
            item.unwritten = Some(if item.new.is_none() {
                Unwritten::NoLongerDeclared
            } else if self.missing.contains(email) {
                Unwritten::NotFound
            } else if let Some(window) = self.window(email, item) {
                self.reason_for_window(email, window, now)
            } else {
                field_of(item).map_or(Unwritten::Setting, |field| self.reason_for_value(email, field, now))
            });
        }
    }

    /// Returns `true` if the files under review cause the plan to set the field to the person's own value or a default. Returns
    /// `false` if the plan sets the value of a window, because the person's own value applies only after the window.
    fn writes_own_value(&self, email: &Email, field: Field) -> bool {
        self.planned.get(&(email, field)).is_some_and(|edit| {
            edit.cause == Some(Cause::ThisChange) && matches!(edit.origin, Origin::Person | Origin::Defaults)
        })
    }

    fn reason_for_value(&self, email: &Email, field: Field, now: Timestamp) -> Unwritten {
        if !self.is_enforced(field) {
            return Unwritten::NotEnforced;
        }
        let person = self.present.person(email).map(|person| resolve_person(person, now));
        let origin = person.and_then(|mut person| Some(person.values[field].take()?.origin));
        if let Some(Origin::Window { until, reason: _ }) = origin {
            if until.is_some() { Unwritten::OnADate } else { Unwritten::BehindWindow }
        } else if self.planned.contains_key(&(email, field)) {
            Unwritten::InThisPlan
        } else {
            Unwritten::AlreadyInPylon
        }
    }

    fn reason_for_window(&self, email: &Email, window: &Window, now: Timestamp) -> Unwritten {
        let mut enforced = window.sets.some().filter(|(field, _)| self.is_enforced(*field)).peekable();
        if enforced.peek().is_none() {
            return Unwritten::NotEnforced;
        }
        let is_planned = |(field, value): (Field, &Sourced<FieldValue>)| {
            let Some(edit) = self.planned.get(&(email, field)) else { return false };
            let then = window.then.iter().map(|then| then.place);
            let mut places = then.chain([value.place]);
            places.any(|place| self.present.sources.locate(place) == edit.location)
        };
        if enforced.any(is_planned) {
            Unwritten::InThisPlan
        } else if is_active(window, now) {
            Unwritten::AlreadyInPylon
        } else if window.until.as_ref().is_some_and(|until| until.value.at <= now) {
            Unwritten::WindowEnded
        } else {
            Unwritten::OnADate
        }
    }

    fn is_enforced(&self, field: Field) -> bool {
        self.present.policy.fields[field] == Stance::Enforce
    }

    /// Returns the window that an item is about, or `None` if the item is about a value.
    fn window(&self, email: &Email, item: &ItemLine) -> Option<&'a Window> {
        let location = item.new.as_ref()?.location.as_ref()?;
        let windows = &self.present.person(email)?.windows;
        windows.iter().find(|window| self.present.sources.locate(window.place) == *location)
    }

    /// Records why removing a person from the files doesn't change Pylon, and which roles the person keeps there.
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
        entry.keeps = person.held.role.all().map(label).collect();
        entry.keeps_guarded = self.reviewed.guarded_roles(roles).iter().any(|role| person.holds(role));
    }
}
