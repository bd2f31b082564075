//! Properties of a change and its inverse.

use pretty_assertions::assert_eq;
use rolecall::plan::forecast::after;
use rolecall::plan::{Change, Inverse, Lost, Plan};
use rolecall::roster::Field;

use super::holds;
use super::organization::{cases, patched};

#[test]
fn a_change_and_its_inverse_restore_everything_not_reported_as_lost() {
    holds(100, &cases(8), |case| {
        let resolved = case.resolve();
        let Ok(plan) = resolved.plan() else { return };
        for change in &plan.changes {
            let before = resolved.observed.person(&change.subject.id).unwrap();
            let Inverse { change: back, lost } = change.inverse();
            let there = patched(before, &change.patch());
            let restored = back.as_ref().map_or_else(|| there.clone(), |back| patched(&there, &back.patch()));
            for Lost { field, from } in &lost {
                assert!(*field != Field::Role || from.len() != 1, "one role can be restored");
                assert_eq!(*from, before.held[*field].assigned);
            }
            for field in Field::ALL {
                let is_lost = lost.iter().any(|lost| lost.field == field);
                assert_eq!(
                    restored.held[field].assigned == before.held[field].assigned,
                    !is_lost,
                    "{lost:?}"
                );
                let is_restored = back.as_ref().is_some_and(|back| back.edit(field).is_some());
                assert_eq!(is_restored, change.edit(field).is_some() && !is_lost, "{lost:?}");
            }
            if lost.is_empty() {
                let again = back.expect("a way back").inverse();
                assert_eq!(again, Inverse { change: Some(change.clone()), lost: Vec::new() });
            }
        }
    });
}

#[test]
fn rolling_back_a_whole_plan_restores_the_organization() {
    holds(100, &cases(8), |case| {
        let resolved = case.resolve();
        let Ok(mut plan) = resolved.plan() else { return };
        plan.changes.retain(|change| change.inverse().lost.is_empty());
        let there = after(&resolved.observed, &plan);
        let way_back: Vec<Change> =
            plan.changes.iter().filter_map(|change| change.inverse().change).collect();
        assert_eq!(way_back.len(), plan.changes.len());
        assert_eq!(after(&there, &Plan { changes: way_back, ..plan }), resolved.observed);
    });
}
