//! A change and the way back.

use pretty_assertions::assert_eq;
use rolecall::observed::Person;
use rolecall::plan::forecast::after;
use rolecall::plan::{Change, Inverse, Lost, Patch, Plan};

use super::holds;
use super::organisation::cases;

/// What Pylon makes of a write.
fn patched(person: &Person, patch: Patch) -> Person {
    let Patch { role, status } = patch;
    Person {
        assigned: role.map_or_else(|| person.assigned.clone(), |role| vec![role]),
        status: status.map_or_else(|| person.status.clone(), |status| status.as_str().to_owned()),
        ..person.clone()
    }
}

#[test]
fn a_change_and_its_inverse_restore_whatever_is_not_said_to_be_lost() {
    holds(300, &cases(8), |case| {
        let resolved = case.resolve();
        let Ok(plan) = resolved.plan() else { return };
        for change in &plan.changes {
            let before = resolved.observed.person(&change.subject.id).unwrap();
            let Inverse { change: back, lost } = change.inverse();
            let there = patched(before, change.patch());
            let restored = back.as_ref().map_or_else(|| there.clone(), |back| patched(&there, back.patch()));
            let (mut role_is_lost, mut status_is_lost) = (false, false);
            for lost in &lost {
                match lost {
                    Lost::NoRole => {
                        role_is_lost = true;
                        assert_eq!(before.assigned, vec![]);
                    }
                    Lost::SeveralRoles(roles) => {
                        role_is_lost = true;
                        assert!(roles.len() > 1);
                        assert_eq!(&before.assigned, roles);
                    }
                    Lost::Status(status) => {
                        status_is_lost = true;
                        assert_eq!(&before.status, status);
                    }
                }
            }
            assert_eq!(restored.assigned == before.assigned, !role_is_lost, "{lost:?}");
            assert_eq!(restored.status == before.status, !status_is_lost, "{lost:?}");
            if lost.is_empty() {
                let again = back.expect("a way back").inverse();
                assert_eq!(again, Inverse { change: Some(change.clone()), lost: Vec::new() });
            } else if let Some(back) = back {
                assert_eq!(back.role.is_some(), change.role.is_some() && !role_is_lost);
                assert_eq!(back.status.is_some(), change.status.is_some() && !status_is_lost);
            }
        }
    });
}

#[test]
fn a_plan_taken_back_whole_leaves_the_organisation_as_it_was() {
    holds(300, &cases(8), |case| {
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
