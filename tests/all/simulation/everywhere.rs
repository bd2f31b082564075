//! Injects every kind of fault at every request of an apply with fifteen changes, or with fifty if `ROLECALL_SOAK` is set.

use rolecall::sandbox::{Faults, Limits};

use super::check::{all_applied, second_run_is_empty};
use super::scene::Scene;
use super::sim::{How, Line, Sim};
use super::{full, histories, tell_figures};
use crate::builders::failures;

#[test]
fn any_fault_at_any_request_of_an_apply_is_survived() {
    let changes = full(50, 15);
    // Each change takes one write, and a single search reads back all changed users.
    let requests = changes + 1;
    let scene = Scene::of_changes(usize::try_from(changes).unwrap());
    let mut start = Sim::new(scene.world(Limits::default()), Faults::none(), Line::default(), 0);
    let planned = start.plan(&scene, &How::default());
    let mut most = 0;
    histories(0..failures().count() as u64 * requests, |seed| {
        let fault = failures().nth(usize::try_from(seed / requests).unwrap()).unwrap();
        let number = seed % requests + 1;
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
            "{} histories, at most {most} requests for {changes} changes",
            failures().count() as u64 * requests
        )],
    );
}
