//! Condenses reports about many people by grouping those with the same change and counting how often each transition occurs.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use indexmap::IndexMap;

use super::facts::plan::{ChangeLine, EditLine, GuardedRoleLine, PlanReport};
use super::words;
use crate::plan::cause::Cause;

/// Reports list up to this many people individually. A larger group of people with the same change becomes one entry.
pub const MOST_LISTED: usize = 20;

/// A person with changes, along with the guarded roles that they gain or lose.
#[derive(Debug, Clone)]
pub struct ChangedPerson<'r> {
    pub change: &'r ChangeLine,
    pub guarded_roles: Vec<&'r GuardedRoleLine>,
}

/// Returns the people with changes, in plan order.
pub fn people(report: &PlanReport) -> Vec<ChangedPerson<'_>> {
    let mut guarded: HashMap<&str, Vec<&GuardedRoleLine>> = HashMap::new();
    for line in &report.guarded_roles {
        guarded.entry(line.email.raw()).or_default().push(line);
    }
    let person = |change| ChangedPerson { change, guarded_roles: Vec::new() };
    let mut people: Vec<ChangedPerson<'_>> = report.changes.iter().map(person).collect();
    for person in &mut people {
        person.guarded_roles = guarded.remove(person.change.email.raw()).unwrap_or_default();
    }
    people
}

/// Groups people with the same outcome and the same edits, including causes. If `has_lines` is set, source lines and audit log
/// entries must also be the same. Groups are ordered by their first member. A person who gains or loses a guarded role always
/// forms a separate group.
pub fn groups<'p, 'r>(
    people: impl IntoIterator<Item = &'p ChangedPerson<'r>>,
    has_lines: bool,
) -> Vec<Vec<&'p ChangedPerson<'r>>> {
    let mut groups: IndexMap<(Option<&str>, String), Vec<&ChangedPerson<'_>>> = IndexMap::new();
    for person in people {
        // The address keeps anyone who gains or loses a guarded role in a separate group.
        let key = if person.guarded_roles.is_empty() {
            (None, person.identity(has_lines))
        } else {
            (Some(person.change.email.raw()), String::new())
        };
        groups.entry(key).or_default().push(person);
    }
    groups.into_values().collect()
}

impl ChangedPerson<'_> {
    /// Returns a key that's equal for people whose changes look the same to the reader. If `has_lines` is set, source lines
    /// and audit log entries must also be the same.
    fn identity(&self, has_lines: bool) -> String {
        let ChangeLine { email: _, person: _, edits, outcome, location: _ } = self.change;
        let mut key = String::new();
        for edit in edits {
            let EditLine { field, from, to, through_scim, location, origin: _, blame, cause: _ } = edit;
            let why = words::why(edit);
            key += &format!("{field} {from:?} {to:?} {through_scim:?} {why:?}\n");
            if has_lines {
                key += &format!("{location} {:?}\n", blame.as_ref().map(words::blame));
            }
        }
        key + &outcome.as_ref().map_or_else(String::new, |outcome| words::kind(&outcome.outcome))
    }
}

/// A field's change from its old values to a new one, with the number of people affected.
#[derive(Debug, Clone)]
pub struct CountedTransition<'r> {
    /// The first of the counted edits, which can differ in their source lines and origins.
    pub edit: &'r EditLine,
    pub people: usize,
    /// The number of edits per cause. Empty if the plan has no valid base version, because the causes are then unknown.
    pub causes: BTreeMap<Cause, usize>,
}

/// Returns the transitions in a plan, most common first.
pub fn transitions(report: &PlanReport) -> Vec<CountedTransition<'_>> {
    let mut counted: BTreeMap<_, CountedTransition<'_>> = BTreeMap::new();
    for edit in report.changes.iter().flat_map(|change| &change.edits) {
        let EditLine { field, from, to, .. } = edit;
        let new = || CountedTransition { edit, people: 0, causes: BTreeMap::new() };
        let transition = counted.entry((field, from, to)).or_insert_with(new);
        transition.people += 1;
        if let Some(cause) = edit.cause {
            *transition.causes.entry(cause).or_default() += 1;
        }
    }
    let mut transitions: Vec<_> = counted.into_values().collect();
    transitions.sort_by_key(|transition| Reverse(transition.people));
    transitions
}
