//! Invariants checked at the end of a run.

use std::collections::BTreeMap;

use rolecall::apply::{Finished, Outcome, Stop};
use rolecall::commands::apply::exit;
use rolecall::exit::Exit;
use rolecall::plan::Change;
use rolecall::roster::Field;
use rolecall::sandbox::World;

use super::scene::Scene;
use super::sim::{Ended, How, Planned, Sim};

/// Returns `true` if the server has the planned value.
pub(super) fn holds(world: &World, change: &Change) -> bool {
    let person = world.user(change.subject.id.as_str()).expect("people do not vanish");
    let roles: Vec<String> = person.roles.iter().map(|slug| format!("role_{slug}")).collect();
    change.edits.iter().all(|edit| match edit.field {
        Field::Role => roles == [edit.to.to_string()],
        Field::Status => person.status.as_deref() == Some(&*edit.to),
    })
}

/// Checks I6 and I7, which always hold. In particular, a change that's reported as not made was not made and never will be.
/// Users who are also changed by other clients are checked by the tests with those clients.
pub(super) fn outcomes<'e>(sim: &Sim, planned: &Planned, ended: &'e Ended) -> &'e Finished {
    let finished = ended.finished.as_ref().expect("it was not killed");
    let changes = &planned.reviewed.plan.changes;
    assert_eq!(finished.outcomes.len(), changes.len(), "I6: one outcome for each change");
    let carried_out = sim.carried_out_in_the_end(&ended.watch);
    for (change, outcome) in changes.iter().zip(&finished.outcomes) {
        let who = &change.subject.email.value;
        let times = carried_out.get(change.subject.id.as_str()).copied().unwrap_or(0);
        if !outcome.may_have_changed() {
            assert_eq!(times, 0, "{who:?} is {outcome:?}, but was written");
        }
        if sim.changed_by_others.contains_key(&change.subject.id) {
            continue;
        }
        let person = sim.world.user(change.subject.id.as_str()).expect("people do not vanish");
        let is_theirs = person.role_from_scim || person.support_hours.is_some();
        // After a signal, users aren't read back, and the report gives only the number of such users. Support-hours schedules
        // might have reset the values in the meantime.
        if outcome.is_in_sync() && !(finished.not_read_back > 0 && is_theirs) {
            assert!(
                holds(&sim.world, change),
                "I6: {who:?} is {outcome:?}, but the server does not have the value"
            );
        }
        if matches!(outcome, Outcome::StillGranted) {
            assert!(holds(&sim.world, change), "{who:?} does not have the new role");
            assert!(!person.scim_roles.is_empty(), "{who:?} has no role from a group");
        }
        if matches!(outcome, Outcome::Applied) {
            assert!(times > 0, "{who:?} is reported as applied, but nothing was written");
        }
    }
    let expected = match &finished.stopped {
        Some(Stop::Signal(number)) => Exit::Signal(*number),
        _ if finished.outcomes.iter().all(Outcome::is_in_sync) => Exit::Done,
        _ if !finished.outcomes.iter().any(Outcome::may_have_changed) => Exit::Failed,
        _ => Exit::Partial,
    };
    assert_eq!(exit(finished), expected, "I7");
    finished
}

/// Checks that every change was applied. If no request reached the server late, each change must have taken exactly one write.
pub(super) fn all_applied(sim: &Sim, planned: &Planned, ended: &Ended) {
    let finished = outcomes(sim, planned, ended);
    for (change, outcome) in planned.reviewed.plan.changes.iter().zip(&finished.outcomes) {
        assert_eq!(*outcome, Outcome::Applied, "{:?}", change.subject.email.value);
    }
    assert_eq!(finished.not_read_back, 0);
    if sim.late == 0 {
        let more: Vec<_> = ended.watch.carried_out.iter().filter(|(_, times)| **times != 1).collect();
        assert!(more.is_empty(), "written more than once: {more:?}");
    }
    assert_eq!(exit(finished), Exit::Done, "I7");
}

/// Checks I9: a second run has nothing left to change.
pub(super) fn second_run_is_empty(sim: &mut Sim, scene: &Scene) {
    let planned = sim.plan(scene, &How::default());
    assert_eq!(planned.reviewed.plan.changes, vec![], "I9: a second run is empty");
    let ended = sim.carry_out(&planned, &How::default());
    assert_eq!(ended.watch.requests(), 0, "I9: a second run sends nothing");
}

pub(super) fn counted(finished: &Finished) -> BTreeMap<&'static str, usize> {
    let mut counted = BTreeMap::new();
    for outcome in &finished.outcomes {
        *counted.entry(outcome.as_str()).or_default() += 1;
    }
    counted
}
