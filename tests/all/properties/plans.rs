//! Properties of a plan: it depends only on the desired and observed state, and once applied, there's nothing left to change.

use std::collections::BTreeSet;

use pretty_assertions::assert_eq;
use proptest::prelude::{Just, Strategy};
use rolecall::observed::{ObservedState, Person};
use rolecall::plan::cause::{Cause, Versions};
use rolecall::plan::forecast::after;
use rolecall::plan::{Change, Edit, Plan};
use rolecall::roster::{Field, Roster};

use super::holds;
use super::organization::{Case, Resolved, cases, now, observed};

/// Generates the people in any order, preceded by outdated versions of some of them.
fn observed_in_any_order() -> impl Strategy<Value = (Case, Vec<Person>)> {
    cases(10).prop_flat_map(|case| {
        let older = case.people.iter().step_by(3).map(|person| Person {
            secondary: vec![rolecall::roster::Email::observed("team@acme.example")],
            assigned: Vec::new(),
            ..person.clone()
        });
        let older: Vec<Person> = older.collect();
        let shuffled = Just(case.people.clone()).prop_shuffle();
        (Just(case), shuffled).prop_map(move |(case, people)| (case, [older.clone(), people].concat()))
    })
}

#[test]
fn a_plan_does_not_depend_on_the_order_of_reading() {
    holds(300, &observed_in_any_order(), |(case, anyhow)| {
        let resolved = case.resolve();
        let again = observed(&anyhow, case.token_user.clone());
        assert_eq!(resolved.observed, again);
        assert_eq!(resolved.plan(), resolved.plan_on(&again));
        assert_eq!(resolved.plan(), case.resolve().plan());
    });
}

#[test]
fn a_plan_is_sorted_has_no_no_ops_and_names_each_person_once() {
    holds(300, &cases(10), |case| {
        let resolved = case.resolve();
        let Ok(plan) = resolved.plan() else { return };
        for changes in [&plan.changes, &plan.observed] {
            let sorted = |pair: &[Change]| pair[0].subject.email.value < pair[1].subject.email.value;
            assert!(changes.windows(2).all(sorted), "sorted by declared address, each once");
            let ids: BTreeSet<_> = changes.iter().map(|change| &change.subject.id).collect();
            assert_eq!(ids.len(), changes.len(), "no person twice");
            changes.iter().for_each(|change| changes_something(change, &resolved.observed));
        }
        for seen in &plan.observed {
            let enforced = plan.changes.iter().find(|change| change.subject.id == seen.subject.id);
            let twice = |change: &Change| {
                Field::ALL.iter().any(|field| change.edit(*field).is_some() && seen.edit(*field).is_some())
            };
            assert!(!enforced.is_some_and(twice), "a difference is enforced or observed");
        }
        everyone_is_accounted_for(&plan);
    });
}

fn changes_something(change: &Change, observed: &ObservedState) {
    let Change { subject, edits } = change;
    let person = observed.person(&subject.id).expect("a person in Pylon");
    assert!(!person.deactivated, "roles of deactivated people mean nothing");
    assert!(!edits.is_empty(), "a change changes something");
    assert!(edits.is_sorted_by(|one, next| one.field < next.field), "each field at most once, in order");
    for Edit { field, from, to, through_scim, place: _, origin: _ } in edits {
        assert_eq!(*from, person.values(*field));
        assert_ne!(from.as_slice(), std::slice::from_ref(to), "an edit changes the value");
        let from_scim: Vec<_> = person.from_scim.iter().map(|role| role.0.clone()).collect();
        assert_eq!(*through_scim, if *field == Field::Role { from_scim } else { Vec::new() });
    }
}

fn everyone_is_accounted_for(plan: &Plan) {
    let differing: BTreeSet<_> =
        plan.changes.iter().chain(&plan.observed).map(|change| &change.subject.id).collect();
    assert_eq!(plan.declared, differing.len() + plan.absent.len() + plan.in_sync);
}

#[test]
fn applying_a_plan_leaves_nothing_to_change() {
    holds(300, &cases(10), |case| {
        let resolved = case.resolve();
        let Ok(plan) = resolved.plan() else { return };
        let state = after(&resolved.observed, &plan);
        let seen = |id| plan.observed.iter().any(|change| change.subject.id == id);
        let now_in_sync = plan.changes.iter().filter(|change| !seen(change.subject.id.clone())).count();
        let expected = Plan { changes: Vec::new(), in_sync: plan.in_sync + now_in_sync, ..plan.clone() };
        assert_eq!(resolved.plan_on(&state), Ok(expected));
    });
}

#[test]
fn unchanged_files_are_the_cause_of_no_change() {
    holds(300, &cases(10), |case| {
        let Resolved { roster, observed, .. } = &case.resolve();
        let Ok(plan) = case.resolve().plan() else { return };
        let versions = Versions { base: roster, present: roster, roles: &observed.roles, now: now() };
        let causes = versions.causes(&plan);
        let edits: Vec<usize> = plan.changes.iter().map(|change| change.edits.len()).collect();
        assert_eq!(causes.iter().map(Vec::len).collect::<Vec<_>>(), edits, "each edit has one cause");
        assert!(!causes.concat().contains(&Cause::ThisChange), "{causes:?}");
        let nothing = Roster::default();
        let all_new = Versions { base: &nothing, ..versions }.causes(&plan).concat();
        assert!(all_new.iter().all(|cause| *cause == Cause::ThisChange), "{all_new:?}");
    });
}
