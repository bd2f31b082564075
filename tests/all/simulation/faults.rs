//! Applies thousands of changes while some of the requests fail. Every change must be applied exactly once.

use rolecall::sandbox::{Fault, Faults, Limits};

use super::check::{all_applied, second_run_is_empty};
use super::scene::Scene;
use super::sim::{How, Line, Sim};
use super::{full, histories, tell_figures};
use crate::builders::{CountFaults, failures};
use crate::harness::soak;

/// Returns the maximum average number of requests per change when some requests fail with `fault`. If `fault` is `None`,
/// requests fail with a mix of all faults.
fn allowed(fault: Option<Fault>) -> f64 {
    match fault {
        None => 1.9,
        Some(fault) if fault.is_applied_first() => 1.3,
        Some(_) => 1.6,
    }
}

#[test]
fn with_a_fifth_of_requests_failing_every_change_is_applied_once() {
    let changes = full(10_000, 250);
    let scene = Scene::of_changes(usize::try_from(changes).unwrap());
    let mut rows = Vec::new();
    let kinds: Vec<Option<Fault>> = failures().map(Some).chain([None]).collect();
    histories(0..kinds.len() as u64, |seed| {
        let kind = kinds[usize::try_from(seed).unwrap()];
        let faults = match kind {
            Some(fault) => Faults::none().with(fault, 0.2),
            None => failures().fold(Faults::none(), |faults, fault| faults.with(fault, 0.025)),
        };
        let mut sim = Sim::new(scene.world(Limits::off()), faults.seeded(seed), Line::default(), seed);
        let planned = sim.plan(&scene, &How::default());
        let ended = sim.carry_out(&planned, &How::default());
        all_applied(&sim, &planned, &ended);
        for fault in kind.map_or(failures().collect(), |kind| vec![kind]) {
            assert!(sim.faults.fired(fault) > 0, "{fault} did not strike");
        }
        let a_change = ended.watch.requests() as f64 / changes as f64;
        rows.push(format!(
            "{:<16} {:>6} fired {:>6}  PATCH {:>6}  GET {:>5}  search {:>4}  requests a change {a_change:.3}  {:>7.0} s",
            kind.map_or("mixed, 30 %", Fault::as_str),
            changes,
            sim.faults.fired_in_all(),
            ended.watch.patches,
            ended.watch.looks,
            ended.watch.searches,
            ended.took.as_secs_f64(),
        ));
        sim.faults = Faults::none();
        second_run_is_empty(&mut sim, &scene);
        // The searches before and after the writes are a fixed cost, which matters more if there are only a few changes.
        let fixed = (ended.watch.searches as f64) / changes as f64;
        let spread = if soak() { 0.0 } else { fixed + 0.08 };
        assert!(a_change <= allowed(kind) + spread, "{a_change} requests a change");
    });
    tell_figures("Faults at 20 % of all requests (mixed: 30 %), no limits on the server's side", &rows);
}
