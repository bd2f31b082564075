//! Interrupts an apply at every event, by one signal, two signals, or a power failure, and then runs it again.

use std::time::Duration;

use rolecall::apply::Outcome;
use rolecall::sandbox::{Faults, Limits};

use super::check::{all_applied, outcomes, second_run_is_empty};
use super::scene::Scene;
use super::sim::{How, Interrupt, Line, Sim};
use super::{full, histories, tell_figures};
use crate::builders::failures;

const KINDS: [Interrupt; 3] = [Interrupt::Stop, Interrupt::StopTwice, Interrupt::Kill];

/// Interrupts a run that has these faults: at every event, and once for each kind of interruption. `seed / events` selects the
/// kind, and the remainder selects the event.
fn interrupted_at_every_event(changes: usize, faults: &Faults, title: &str) {
    let scene = Scene::of_changes(changes);
    let mut start = Sim::new(scene.world(Limits::off()), Faults::none(), Line::default(), 7);
    let planned = start.plan(&scene, &How::default());
    start.faults = faults.clone();
    let undisturbed = start.clone().carry_out(&planned, &How::default());
    let events = undisturbed.events;
    let (mut unclear, mut not_attempted) = (0, 0);
    histories(0..events * KINDS.len() as u64, |seed| {
        let (at, kind) = (seed % events, KINDS[usize::try_from(seed / events).expect("one of the kinds")]);
        let mut sim = start.clone();
        let how = How { interrupt: Some((at, kind)), ..How::default() };
        let ended = sim.carry_out(&planned, &how);
        assert!(ended.interrupted, "the run was over before event {at}");
        if kind != Interrupt::Kill {
            let finished = if kind == Interrupt::Stop {
                outcomes(&sim, &planned, &ended)
            } else {
                ended.finished.as_ref().expect("it was not killed")
            };
            let count = |wanted: fn(&Outcome) -> bool| {
                finished.outcomes.iter().filter(|outcome| wanted(outcome)).count()
            };
            unclear += count(|outcome| matches!(outcome, Outcome::Unknown(..)));
            not_attempted += count(|outcome| matches!(outcome, Outcome::NotAttempted(_)));
        }
        // The next run starts while some of the previous run's requests might still be in flight.
        sim.faults = Faults::none();
        let planned = sim.plan(&scene, &How::default());
        let ended = sim.carry_out(&planned, &How::default());
        let finished = outcomes(&sim, &planned, &ended);
        assert!(finished.outcomes.iter().all(Outcome::is_in_sync), "it converges");
        let rest = sim.now + Duration::from_secs(60);
        sim.pass_until(rest);
        second_run_is_empty(&mut sim, &scene);
    });
    tell_figures(
        title,
        &[format!(
            "{changes} changes, {events} events, {} histories: every second run converges, every third is empty; {unclear} left unclear, {not_attempted} not attempted",
            events * KINDS.len() as u64
        )],
    );
}

#[test]
fn an_apply_stopped_at_any_event_is_completed_by_the_next_run() {
    let changes = usize::try_from(full(50, 12)).unwrap();
    interrupted_at_every_event(changes, &Faults::none(), "A signal, two signals, a kill at every event");
}

#[test]
fn an_apply_under_faults_stopped_at_any_event_is_completed_later() {
    let changes = usize::try_from(full(50, 10)).unwrap();
    let faults = failures().fold(Faults::none(), |faults, fault| faults.with(fault, 0.03));
    interrupted_at_every_event(
        changes,
        &faults.seeded(11),
        "A signal, two signals, a kill at every event, 36 % of all requests going wrong",
    );
}

#[test]
fn a_first_signal_waits_only_for_requests_in_flight() {
    let scene = Scene::of_changes(40);
    let mut sim = Sim::new(scene.world(Limits::off()), Faults::none(), Line::steady(), 1);
    let planned = sim.plan(&scene, &How::default());
    let ended = sim.carry_out(&planned, &How { interrupt: Some((10, Interrupt::Stop)), ..How::default() });
    all_in_flight_finished(&sim, &planned, &ended);
}

fn all_in_flight_finished(sim: &Sim, planned: &super::sim::Planned, ended: &super::sim::Ended) {
    let finished = outcomes(sim, planned, ended);
    assert!(finished.outcomes.iter().all(|outcome| !matches!(outcome, Outcome::Unknown(..))));
    assert!(ended.took <= Duration::from_millis(150), "{:?}", ended.took);
}

#[test]
fn without_an_interruption_everything_is_applied() {
    let scene = Scene::of_changes(10);
    let mut sim = Sim::new(scene.world(Limits::off()), Faults::none(), Line::default(), 1);
    let planned = sim.plan(&scene, &How::default());
    let ended = sim.carry_out(&planned, &How::default());
    all_applied(&sim, &planned, &ended);
}
