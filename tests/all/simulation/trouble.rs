//! Unreliable networks and servers: lost and late requests, long waits, missing hints, and responses that end the run.

use std::collections::BTreeMap;
use std::time::Duration;

use rolecall::apply::{Outcome, Stop};
use rolecall::exit::Exit;
use rolecall::sandbox::{ApiOperation, Fault, Faults, Limits, OrganizationStanding};

use super::check::{all_applied, counted, outcomes, second_run_is_empty};
use super::scene::Scene;
use super::sim::{How, Line, Sim};
use super::{full, histories, tell_figures};
use crate::builders::failures;

#[test]
fn lost_late_and_failed_requests_still_end_with_everything_applied() {
    let scene = Scene::of_changes(200);
    let seeds = full(100, 3);
    let (mut refused, mut late) = (0, 0);
    histories(0..seeds, |seed| {
        let line = Line { refused: 0.1, late: 0.1, ..Line::default() };
        let faults = failures().fold(Faults::none(), |faults, fault| faults.with(fault, 0.008));
        let mut sim = Sim::new(scene.world(Limits::off()), faults.seeded(seed), line, seed);
        let planned = sim.plan(&scene, &How::default());
        let ended = sim.carry_out(&planned, &How::default());
        all_applied(&sim, &planned, &ended);
        assert!(sim.refused > 0 && sim.late > 0, "both happened");
        (refused, late) = (refused + sim.refused, late + sim.late);
        sim.faults = Faults::none();
        sim.pass_until(sim.now + Duration::from_secs(60));
        second_run_is_empty(&mut sim, &scene);
    });
    tell_figures(
        "An unreliable network",
        &[format!(
            "{seeds} histories of 200 changes: {refused} requests never left, {late} arrived after they were given up; everything applied"
        )],
    );
}

#[test]
fn a_run_ends_by_itself_if_the_server_never_answers() {
    let scene = Scene::of_changes(30);
    let mut sim = Sim::new(scene.world(Limits::off()), Faults::none(), Line::default(), 1);
    let planned = sim.plan(&scene, &How::default());
    sim.faults = Faults::none().with(Fault::CutBefore, 1.0);
    let ended = sim.carry_out(&planned, &How::default());
    let finished = outcomes(&sim, &planned, &ended);
    assert!(finished.outcomes.iter().all(|outcome| !outcome.is_in_sync()));
    assert!(ended.took <= Duration::from_secs(400), "{:?}", ended.took);
}

#[test]
fn a_request_that_always_fails_is_tried_ten_times() {
    let scene = Scene::of_changes(1);
    let mut quiet = Sim::new(scene.world(Limits::off()), Faults::none(), Line::default(), 1);
    let planned = quiet.plan(&scene, &How::default());
    let never_leaves = Line { refused: 1.0, ..Line::default() };
    let refuses_writes = Faults::none().with(Fault::InternalError, 1.0).on(ApiOperation::UpdateUser);
    let never_answers = Faults::none().with(Fault::CutBefore, 1.0);
    for (faults, line, writes, looks, outcome) in [
        (refuses_writes, Line::default(), 10..=10, 11, "unknown"), // read again after each attempt, and once at the end
        (never_answers, Line::default(), 1..=1, 10, "unknown"),
        // After a minute of waiting, the user has to be read again before the write, and that read can't be sent either.
        (Faults::none(), never_leaves, 5..=10, 0, "not attempted"),
    ] {
        let mut sim = quiet.clone();
        (sim.faults, sim.line) = (faults, line);
        let ended = sim.carry_out(&planned, &How::default());
        assert_eq!(counted(outcomes(&sim, &planned, &ended)), BTreeMap::from([(outcome, 1)]));
        assert!(writes.contains(&ended.watch.patches), "{outcome}: {} writes", ended.watch.patches);
        assert_eq!(ended.watch.looks, looks, "{outcome}");
    }
}

#[test]
fn a_lower_rate_limit_without_hints_still_ends_with_everything_applied() {
    let scene = Scene::of_changes(100);
    let limits = Limits::default().with(ApiOperation::UpdateUser, Some(20));
    let line = Line { shows_hint: false, shows_remaining: false, ..Line::default() };
    let mut sim = Sim::new(scene.world(limits), Faults::none(), line, 1);
    let planned = sim.plan(&scene, &How::default());
    let ended = sim.carry_out(&planned, &How::default());
    let finished = outcomes(&sim, &planned, &ended);
    assert!(finished.outcomes.iter().all(|outcome| *outcome == Outcome::Applied));
    assert!(ended.took <= Duration::from_secs(480), "{:?}", ended.took);
}

#[test]
fn a_retry_after_of_up_to_five_minutes_is_waited_for() {
    for (window, is_waited_for) in [(295, true), (330, false)] {
        let scene = Scene::of_changes(30);
        let limits = Limits { window: Duration::from_secs(window), ..Limits::default() }
            .with(ApiOperation::UpdateUser, Some(20));
        let line = Line { shows_remaining: false, ..Line::default() }; // otherwise, the limit would be known immediately
        let mut sim = Sim::new(scene.world(limits), Faults::none(), line, 1);
        let planned = sim.plan(&scene, &How::default());
        let ended = sim.carry_out(&planned, &How::default());
        let finished = outcomes(&sim, &planned, &ended);
        match &finished.stopped {
            None => {
                assert!(is_waited_for && finished.outcomes.iter().all(Outcome::is_in_sync));
            }
            Some(Stop::LongPause(_)) => assert!(!is_waited_for),
            Some(other) => panic!("{window} s: {other:?}"),
        }
    }
}

#[test]
fn an_apply_whose_writes_are_all_throttled_ends_after_five_minutes() {
    let scene = Scene::of_changes(20);
    let throttled = Faults::none().on(ApiOperation::UpdateUser).with(Fault::RateLimited, 1.0);
    let mut sim = Sim::new(scene.world(Limits::off()), throttled, Line::default(), 1);
    let planned = sim.plan(&scene, &How::default());
    let ended = sim.carry_out(&planned, &How::default());
    let finished = outcomes(&sim, &planned, &ended);
    assert!(matches!(finished.stopped, Some(Stop::LongPause(_))), "{:?}", finished.stopped);
    assert!(ended.watch.patches > 5, "{} writes", ended.watch.patches);
    assert!((300..=420).contains(&ended.took.as_secs()), "{:?}", ended.took);
}

#[test]
fn on_a_slow_disk_no_write_relies_on_an_old_read() {
    for (seconds, outcome) in [(6, "applied"), (20, "applied"), (58, "applied"), (60, "not attempted")] {
        let scene = Scene::of_changes(20);
        let mut sim = Sim::new(scene.world(Limits::off()), Faults::none(), Line::default(), 1);
        let planned = sim.plan(&scene, &How::default());
        let how = How { disk: Duration::from_secs(seconds), ..How::default() };
        let ended = sim.carry_out(&planned, &how); // the age of the reads is checked at every write
        assert_eq!(counted(outcomes(&sim, &planned, &ended)), BTreeMap::from([(outcome, 20)]), "{seconds} s");
    }
}

#[test]
fn an_apply_stops_after_three_forbidden_writes_or_at_once_if_suspended() {
    let scene = Scene::of_changes(30);
    let mut sim = Sim::new(scene.world(Limits::off()), Faults::none(), Line::default(), 1);
    let planned = sim.plan(&scene, &How::default());
    let how = How { parallelism: 1, ..How::default() };
    let mut forbidden = sim.clone();
    forbidden.world.settings.token_can_write = false;
    let ended = forbidden.carry_out(&planned, &how);
    let finished = outcomes(&forbidden, &planned, &ended);
    assert!(matches!(finished.stopped, Some(Stop::Forbidden(_))));
    assert_eq!(ended.watch.patches, 3);
    sim.world.settings.standing = OrganizationStanding::Suspended;
    let ended = sim.carry_out(&planned, &how);
    let finished = outcomes(&sim, &planned, &ended);
    assert!(matches!(finished.stopped, Some(Stop::Fatal(_))));
    assert_eq!(ended.watch.patches, 1);
    assert_eq!(rolecall::commands::apply::exit(finished), Exit::Failed);
}
