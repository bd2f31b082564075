//! Properties of a plan: it depends only on the desired and observed state, and a plan made after applying it has no
//! changes.

use std::cell::Cell;
use std::collections::BTreeSet;

use pretty_assertions::assert_eq;
use proptest::prelude::{Just, Strategy};
use rolecall::observed::{ObservedState, Person};
use rolecall::plan::cause::{Cause, RECENT, Versions};
use rolecall::plan::forecast::{after, forecast};
use rolecall::plan::guardrails::{Figure, Review, Verdict};
use rolecall::plan::{Change, Edit, Plan};
use rolecall::roster::{Field, Guardrail, PerField, Roster};

use super::holds;
use super::organization::{Case, Resolved, cases, now, observed};

/// Generates the people in any order, preceded by outdated versions of some of them.
fn observed_in_any_order() -> impl Strategy<Value = (Case, Vec<Person>)> {
    cases(10).prop_flat_map(|case| {
        let older = case.people.iter().step_by(3).map(|person| Person {
            secondary: vec![rolecall::roster::Email::observed("team@acme.example")],
            held: PerField::default(),
            ..person.clone()
        });
        let older: Vec<Person> = older.collect();
        let shuffled = Just(case.people.clone()).prop_shuffle();
        (Just(case), shuffled).prop_map(move |(case, people)| (case, [older.clone(), people].concat()))
    })
}

#[test]
fn a_plan_does_not_depend_on_the_order_of_reading() {
    holds(100, &observed_in_any_order(), |(case, anyhow)| {
        let resolved = case.resolve();
        let again = observed(&anyhow, case.token_user.clone());
        assert_eq!(resolved.observed, again);
        assert_eq!(resolved.plan(), resolved.plan_on(&again));
        assert_eq!(resolved.plan(), case.resolve().plan());
    });
}

/// Replaces the days in the windows' dates, so that the windows start and end at different times.
fn spread_out(text: &str) -> String {
    let spread = |text: &str, what: &str, day: &dyn Fn(usize) -> usize| {
        let mut parts = text.split(what).enumerate();
        let first = parts.next().map_or("", |(_, part)| part).to_owned();
        parts.fold(first, |text, (number, part)| {
            format!("{text}{}{:02}{part}", &what[..what.len() - 2], day(number))
        })
    };
    let text = spread(text, "from = 2026-11-01", &|number| 18 + number % 5);
    spread(&text, "until = 2026-12-01", &|number| 1 + number % 3)
}

#[test]
fn a_forecast_is_what_planning_everyone_again_at_each_instant_would_give() {
    let (instants, blocked) = (Cell::new(0), Cell::new(0));
    holds(400, &cases(10), |Case { people, token_user, text }| {
        let resolved = Case { people, token_user, text: spread_out(&text) }.resolve();
        let Ok(plan) = resolved.plan() else { return };
        let Resolved { roster, observed, roles, .. } = &resolved;
        let coming = forecast(roster, observed, roles, &plan, now());
        let agenda = roster.agenda(now());
        let mut state = after(observed, &plan);
        for at in agenda.iter().map(|transition| transition.moment.at).collect::<BTreeSet<_>>() {
            let mut plan = Plan::draw(&roster.resolve_at(at), &state, roles, roster.policy).expect("a plan");
            (plan.absent, plan.unmanaged) = (Vec::new(), Vec::new());
            let reviewed = plan.review(Review { observed: &state, roster, at, roles, max_changes: None });
            state = after(&state, &reviewed.plan);
            let blocks = reviewed.findings.into_iter().filter(|finding| {
                finding.verdict == Verdict::Blocks && finding.figure.guardrail() != Guardrail::Rule
            });
            let blocks: Vec<Figure> = blocks.map(|finding| finding.figure).collect();
            let mut forecasts = coming.iter().filter(|coming| coming.transition.moment.at == at).peekable();
            assert!(blocks.is_empty() || forecasts.peek().is_some(), "{blocks:?} at {at}");
            forecasts.for_each(|coming| assert_eq!(coming.blocked_by, blocks, "at {at}"));
            instants.set(instants.get() + 1);
            blocked.set(blocked.get() + usize::from(!blocks.is_empty()));
        }
    });
    assert!(instants.get() > 200 && blocked.get() > 10, "{instants:?} {blocked:?}");
}

#[test]
fn a_plan_is_sorted_has_no_no_ops_and_names_each_person_once() {
    holds(100, &cases(10), |case| {
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
        assert_eq!(*from, person.held[*field].assigned);
        assert_ne!(from.as_slice(), std::slice::from_ref(to), "an edit changes the value");
        assert_eq!(*through_scim, person.held[*field].from_scim);
    }
}

fn everyone_is_accounted_for(plan: &Plan) {
    let differing: BTreeSet<_> = plan
        .changes
        .iter()
        .chain(&plan.observed)
        .chain(&plan.ignored)
        .map(|change| &change.subject.id)
        .collect();
    assert_eq!(plan.declared, differing.len() + plan.absent.len() + plan.in_sync);
}

#[test]
fn applying_a_plan_leaves_nothing_to_change() {
    holds(100, &cases(10), |case| {
        let resolved = case.resolve();
        let Ok(plan) = resolved.plan() else { return };
        let state = after(&resolved.observed, &plan);
        let left_alone = || plan.observed.iter().chain(&plan.ignored);
        let seen = |id| left_alone().any(|change| change.subject.id == id);
        let now_in_sync = plan.changes.iter().filter(|change| !seen(change.subject.id.clone())).count();
        let expected = Plan { changes: Vec::new(), in_sync: plan.in_sync + now_in_sync, ..plan.clone() };
        assert_eq!(resolved.plan_on(&state), Ok(expected));
    });
}

#[test]
fn unchanged_files_are_the_cause_of_no_change() {
    holds(100, &cases(10), |case| {
        let Resolved { roster, observed, .. } = &case.resolve();
        let Ok(plan) = case.resolve().plan() else { return };
        let recent_since = now() - RECENT;
        let versions =
            Versions { base: roster, present: roster, roles: &observed.roles, now: now(), recent_since };
        let causes = versions.causes(&plan);
        let edits: Vec<usize> = plan.changes.iter().map(|change| change.edits.len()).collect();
        assert_eq!(causes.iter().map(Vec::len).collect::<Vec<_>>(), edits, "each edit has one cause");
        assert!(!causes.concat().contains(&Cause::ThisChange), "{causes:?}");
        let nothing = Roster::default();
        let all_new = Versions { base: &nothing, ..versions }.causes(&plan).concat();
        assert!(all_new.iter().all(|cause| *cause == Cause::ThisChange), "{all_new:?}");
    });
}
