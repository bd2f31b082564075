//! Tries every sequence of up to six faults on a small apply. There are eight kinds of faults with distinct effects.

use rolecall::sandbox::{Fault, Faults, Limits};

use super::check::{all_applied, outcomes};
use super::scene::Scene;
use super::sim::{How, Line, Sim};
use super::{full, histories, tell_figures};
use crate::builders::CountFaults;

const EIGHT: [Fault; 8] = [
    Fault::InternalError,
    Fault::InternalErrorApplied,
    Fault::Conflict,
    Fault::RateLimited,
    Fault::CutBefore,
    Fault::CutAfter,
    Fault::StallApplied,
    Fault::GarbageApplied,
];

/// Decodes a sequence from its number. Each base-9 digit is a fault or, if it's 0, a request without a fault.
fn sequence(mut number: u64) -> Vec<Option<Fault>> {
    let mut sequence = Vec::new();
    while number > 0 {
        sequence.push(
            usize::try_from(number % 9).ok().and_then(|digit| digit.checked_sub(1)).map(|digit| EIGHT[digit]),
        );
        number /= 9;
    }
    sequence
}

#[test]
fn after_every_sequence_of_faults_each_change_is_applied_once() {
    let scene = Scene::of_changes(2);
    let mut start = Sim::new(scene.world(Limits::off()), Faults::none(), Line::default(), 0);
    let planned = start.plan(&scene, &How::default());
    let length = u32::try_from(full(6, 4)).unwrap();
    // Because 0 means no fault, the 9⁶ numbers cover all 8⁶ + … + 8 sequences of faults, as well as sequences with gaps.
    let numbers = 0..9_u64.pow(length);
    // Because 9 and 7 are coprime, the sample includes every fault at every request.
    let step = usize::try_from(full(1, 17)).unwrap();
    let (mut fired, mut most) = (0, 0);
    histories(numbers.clone().step_by(step), |seed| {
        let sequence = sequence(seed);
        let mut sim = start.clone();
        sim.reseed(seed);
        let struck = sequence.iter().enumerate().filter_map(|(at, fault)| Some((at as u64 + 1, (*fault)?)));
        sim.faults = struck.fold(Faults::none(), |faults, (number, fault)| faults.at(number, fault));
        let how = How { parallelism: if seed % 2 == 0 { 8 } else { 1 }, ..How::default() };
        let ended = sim.carry_out(&planned, &how);
        // After three invalid responses, we give up on a read. Some outcomes can then be unknown, and some changes might not
        // be applied.
        let is_given_up = sequence.iter().filter(|fault| **fault == Some(Fault::GarbageApplied)).count() >= 3;
        if is_given_up {
            outcomes(&sim, &planned, &ended);
        } else {
            all_applied(&sim, &planned, &ended);
        }
        let wanted = sequence.iter().flatten().count() as u64;
        let reached =
            sequence.iter().take(usize::try_from(ended.watch.requests()).unwrap()).flatten().count();
        assert_eq!(sim.faults.fired_in_all(), reached as u64, "every fault that was reached struck");
        assert!(reached as u64 == wanted || sequence.contains(&None), "faults alone are always reached");
        fired += reached;
        most = most.max(ended.watch.requests());
    });
    tell_figures(
        "All sequences of up to 6 requests with no fault or one of 8 faults, against 2 changes",
        &[format!("{} histories, {fired} faults fired, at most {most} requests", numbers.end)],
    );
}
