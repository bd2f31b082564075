//! Changes that Pylon accepts but that don't last: SCIM decides the role, or support hours reset the status.

use std::collections::BTreeMap;

use rolecall::apply::Outcome;
use rolecall::roster::Status;
use rolecall::sandbox::{ApiOperation, Fault, Faults, Limits, WrittenUser};

use super::check::{counted, holds, outcomes};
use super::scene::{Scene, Who, email};
use super::sim::{How, Interrupt, Line, Sim};
use super::{full, histories, tell_figures};
use crate::builders::{BuildUser, failures};

/// Returns a scene with forty people. Ten have a role that only SCIM can change, and ten have support hours. For ten others, a SCIM
/// group also grants the old role.
fn scene() -> Scene {
    let who = |number| match number % 4 {
        0 => Who::with_role(WrittenUser::new(&email(number), "member").role_from_scim(), "viewer"),
        1 => {
            Who::with_status(WrittenUser::new(&email(number), "member").support_hours("active"), Status::Away)
        }
        2 => Who::with_role(WrittenUser::new(&email(number), "member").scim("member"), "viewer"),
        _ => Who::with_role(WrittenUser::new(&email(number), "member"), "viewer"),
    };
    Scene::new((0..40).map(who).collect(), None, Some(&[]))
}

#[test]
fn accepted_changes_without_effect_are_reported_as_not_effective() {
    let scene = scene();
    let mut sim = Sim::new(scene.world(Limits::default()), Faults::none(), Line::default(), 1);
    let planned = sim.plan(&scene, &How::default());
    let ended = sim.carry_out(&planned, &How::default());
    let expected = BTreeMap::from([("applied", 10), ("not effective", 20), ("reverted", 10)]);
    assert_eq!(counted(outcomes(&sim, &planned, &ended)), expected);
    let finished = ended.finished.as_ref().unwrap();
    let still_granted = finished.outcomes.iter().filter(|outcome| **outcome == Outcome::StillGranted);
    assert_eq!(still_granted.count(), 10);
    // One search, then a second read of each person whose new value was in the response to the write but not in the search.
    assert_eq!((ended.watch.patches, ended.watch.searches, ended.watch.looks), (40, 1, 10));
}

#[test]
fn under_random_faults_every_reported_outcome_is_true() {
    let scene = scene();
    let seeds = full(3000, 40);
    let mut all: BTreeMap<&str, usize> = BTreeMap::new();
    histories(0..seeds, |seed| {
        let mut rng = fastrand::Rng::with_seed(seed);
        let chance = rng.f64() * 0.06;
        let faults = failures().fold(Faults::none(), |faults, fault| faults.with(fault, chance));
        let line = Line { refused: rng.f64() * 0.1, ..Line::default() };
        let mut sim = Sim::new(scene.world(Limits::off()), faults.seeded(seed), line, seed);
        let planned = sim.plan(&scene, &How::default());
        let interrupt = (seed % 3 == 0).then(|| (rng.u64(0..260), Interrupt::Stop));
        let ended = sim.carry_out(&planned, &How { interrupt, ..How::default() });
        for (name, count) in counted(outcomes(&sim, &planned, &ended)) {
            *all.entry(name).or_default() += count;
        }
    });
    tell_figures(
        "SCIM and support hours, under faults and signals",
        &[format!("{seeds} histories: {all:?}")],
    );
}

#[test]
fn with_three_fifths_of_requests_failing_outcomes_are_still_known() {
    let seeds = 10; // people whose search fails ten times in a row (1 of 165) aren't read back
    let mut all: BTreeMap<&str, usize> = BTreeMap::new();
    histories(0..seeds, |seed| {
        let scene = Scene::of_changes(105);
        let faults = Faults::none()
            .with(Fault::InternalErrorApplied, 0.3)
            .with(Fault::InternalError, 0.3)
            .seeded(seed);
        let mut sim = Sim::new(scene.world(Limits::off()), faults, Line::default(), seed);
        let planned = sim.plan(&scene, &How::default());
        let ended = sim.carry_out(&planned, &How::default());
        let finished = outcomes(&sim, &planned, &ended);
        for (name, count) in counted(finished) {
            *all.entry(name).or_default() += count;
        }
        let changes = planned.reviewed.plan.changes.iter().zip(&finished.outcomes);
        let unknown = changes.filter(|(_, outcome)| outcome.as_str() == "unknown");
        let applied = unknown.filter(|(change, _)| holds(&sim.world, change)).count();
        assert_eq!(applied, 0, "applied, and reported as unknown");
    });
    tell_figures(
        "Three fifths of all requests fail",
        &[format!("{seeds} histories of 105 changes: {all:?}")],
    );
}

#[test]
fn a_search_is_not_split_if_its_size_is_not_the_cause() {
    let scene = Scene::of_changes(8);
    let mut sim = Sim::new(scene.world(Limits::off()), Faults::none(), Line::default(), 1);
    let planned = sim.plan(&scene, &How::default());
    sim.faults = Faults::none().with(Fault::CutBefore, 1.0).on(ApiOperation::SearchUsers);
    let ended = sim.carry_out(&planned, &How::default());
    outcomes(&sim, &planned, &ended);
    assert_eq!((ended.watch.patches, ended.watch.searches), (8, 10));
}

#[test]
fn a_search_is_split_if_the_server_accepts_only_small_ones() {
    let scene = Scene::of_changes(300);
    let mut sim = Sim::new(scene.world(Limits::default()), Faults::none(), Line::default(), 1);
    let planned = sim.plan(&scene, &How::default());
    sim.world.settings.max_filter_values = Some(7);
    let ended = sim.carry_out(&planned, &How::default());
    super::check::all_applied(&sim, &planned, &ended);
}
