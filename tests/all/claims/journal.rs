//! Each line of a journal is either read or counted as damaged. A rollback undoes only changes that were applied and whose values
//! haven't changed since.

use std::collections::{BTreeMap, BTreeSet};

use pretty_assertions::assert_eq;
use rolecall::apply::journal::{JournalLine, decode, read};
use rolecall::apply::rollback::{Applied, NotRolledBack, Rollback};
use rolecall::observed::{ObservedState, Organization, Person, Role, RoleCatalog, RoleId, UserId};
use rolecall::plan::Change;
use rolecall::plan::saved::{Operation, Step};
use rolecall::problem::Problems;
use rolecall::roster::{Email, Field, FieldValue, PerField};
use rolecall::source::Sources;

use super::is_explained;
use crate::rosters::held;

pub(super) fn holds(data: &[u8]) {
    let text = &decode(data.to_vec());
    let (lines, damaged) = read(text);
    assert_eq!(lines.len() + damaged, text.lines().filter(|line| !line.trim().is_empty()).count());
    for line in &lines {
        let written = serde_json::to_string(line).expect("it is written");
        assert!(!written.contains('\n'), "{written}");
        assert_eq!(read(&written), (vec![line.clone()], 0));
    }
    let mut sources = Sources::default();
    let file = sources.add("journal.jsonl".into(), text.to_owned());
    match Applied::read(&sources, file) {
        Err(problem) => {
            assert_eq!(problem.code, "rollback::no_journal");
            is_explained(&Problems::new(sources, vec![problem]));
        }
        Ok(applied) => {
            // The two counts of damaged lines can differ by one because the last line might be incomplete.
            assert!(applied.unreadable <= damaged && damaged <= applied.unreadable + 1);
            assert_eq!(applied.is_whole, lines.iter().any(|line| matches!(line, JournalLine::End { .. })));
            is_rolled_back(&applied, &lines, &sources);
        }
    }
}

fn is_rolled_back(applied: &Applied, lines: &[JournalLine], sources: &Sources) {
    let begun = lines.iter().rev().find_map(|line| match line {
        JournalLine::Begin { organization, host, .. } => Some((organization.clone(), host.clone())),
        _ => None,
    });
    let (organization, host) = begun.expect("it was read");
    let operations: Vec<&Operation> = lines.iter().filter_map(operation).collect();
    let observed = state_after_apply(organization, &operations);
    let Rollback { plan, old_values: _, not_rolled_back } =
        applied.rollback(&observed, &host, 0).expect("it is of this organization");
    let mut known = BTreeSet::new();
    for Change { subject, edits } in &plan.changes {
        assert!(known.insert(&subject.id), "{subject:?} twice");
        assert!(!edits.is_empty(), "{subject:?}");
        let of_them = || operations.iter().filter(|operation| operation.user == subject.id.as_str());
        for edit in edits {
            if edit.field == Field::Role {
                assert!(observed.roles.by_id(&RoleId(edit.to.clone())).is_some(), "{edit:?}");
            }
            let is_way_back = |step: &Step| {
                let texts =
                    |values: &[FieldValue]| values.iter().map(ToString::to_string).collect::<Vec<_>>();
                let (from, to) = (texts(std::slice::from_ref(&edit.to)), texts(&edit.from));
                step.field == edit.field && step.from == from && [step.to.clone()] == *to
            };
            assert!(of_them().any(|operation| operation.edits.iter().any(is_way_back)), "{edit:?}");
        }
    }
    for NotRolledBack { email, .. } in &not_rolled_back {
        assert!(sources.text(email.place.file).get(email.place.span()).is_some());
    }
    let elsewhere =
        applied.rollback(&observed, &format!("not {host}"), 0).expect_err("it is of another host");
    is_explained(&Problems::new(sources.clone(), vec![elsewhere]));
}

fn operation(line: &JournalLine) -> Option<&Operation> {
    match line {
        JournalLine::Intent { operation, .. } | JournalLine::Outcome { operation, .. } => Some(operation),
        JournalLine::Begin { .. } | JournalLine::Answer { .. } | JournalLine::End { .. } => None,
    }
}

/// Returns the state after the apply, except that every third person's status has since changed.
fn state_after_apply(organization: String, operations: &[&Operation]) -> ObservedState {
    let mut people = BTreeMap::new();
    let mut roles = BTreeSet::new();
    for (number, Operation { user, email, edits }) in operations.iter().enumerate() {
        let step = |field: Field| edits.iter().find(|step| step.field == field);
        let PerField { role, status } = PerField::from_fn(step);
        roles.extend(role.iter().flat_map(|step| step.from.iter().filter(|id| id.len() % 5 != 0)));
        let Some(id) = UserId::new(user) else { continue };
        let status = status.map_or("active", |step| step.to.as_str());
        let status = if number % 3 == 2 { "changed" } else { status };
        people.entry(user).or_insert(Person {
            id,
            email: Email::observed(email),
            secondary: Vec::new(),
            name: user.clone(),
            held: held(role.map_or("", |step| step.to.as_str()), status),
            deactivated: number % 7 == 6,
        });
    }
    let role = |id: &String| Role { id: RoleId(id.as_str().into()), name: id.clone(), slug: id.clone() };
    let roles = RoleCatalog::new(roles.into_iter().map(role).collect());
    let organization = Organization { id: organization, name: String::new() };
    ObservedState::new(organization, None, roles).with(people.into_values())
}
