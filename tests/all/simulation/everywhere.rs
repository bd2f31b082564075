//! Injects every kind of fault at every request of an apply with fifty changes.

use rolecall::sandbox::{Faults, Limits};

use super::check::{all_applied, second_run_is_empty};
use super::scene::Scene;
use super::sim::{How, Line, Sim};
use super::{histories, tell_figures};
use crate::builders::failures;

const CHANGES: usize = 50;
/// Fifty writes and the search to read them back.
const REQUESTS: u64 = CHANGES as u64 + 1;

#[test]
fn any_fault_at_any_request_of_an_apply_is_survived() {
    let scene = Scene::of_changes(CHANGES);
    let mut start = Sim::new(scene.world(Limits::default()), Faults::none(), Line::default(), 0);
    let planned = start.plan(&scene, &How::default());
    let mut most = 0;
    histories(0..failures().count() as u64 * REQUESTS, |seed| {
        let (fault, number) =
            (failures().nth(usize::try_from(seed / REQUESTS).unwrap()).unwrap(), seed % REQUESTS + 1);
        let mut sim = start.clone();
        sim.reseed(seed);
        sim.faults = Faults::none().at(number, fault);
        let ended = sim.carry_out(&planned, &How::default());
        assert_eq!(sim.faults.fired(fault), 1, "{fault} did not strike request {number}");
        all_applied(&sim, &planned, &ended);
        second_run_is_empty(&mut sim, &scene);
        most = most.max(ended.watch.requests());
    });
    tell_figures(
        "Each of 12 faults at each request of a 50-change apply",
        &[format!(
            "{} histories, at most {most} requests for {CHANGES} changes",
            failures().count() as u64 * REQUESTS
        )],
    );
}
