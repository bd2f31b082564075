//! At every point in an apply, guarded roles keep their minimum and no role exceeds its maximum, no matter what fails.

use rolecall::apply::Outcome;
use rolecall::sandbox::{ApiOperation, Fault, Faults, Limits, Role, WrittenUser};

use super::check::{all_applied, counted, outcomes, second_run_is_empty};
use super::scene::{Scene, Who, email};
use super::sim::{How, Interrupt, Line, Sim};
use super::{full, histories, tell_figures};
use crate::builders::{BuildUser, CountFaults, failures};

/// Returns a scene in which all `count` administrators are replaced. The token owner is one of the people who lose the role.
fn swap(count: usize, keep: u64) -> Scene {
    let goes = |number| Who::with_role(WrittenUser::new(&email(number), "admin"), "member");
    let comes = |number| Who::with_role(WrittenUser::new(&email(number + count), "viewer"), "admin");
    let people = (0..count).map(goes).chain((0..count).map(comes)).collect();
    Scene::new(people, Some(&email(0)), Some(&[("admin", keep)]))
}

#[test]
fn replacing_every_administrator_always_keeps_the_minimum() {
    let seeds = full(4000, 60);
    let (mut guarded_role, mut unclear) = (0, 0);
    histories(0..seeds, |seed| {
        let mut rng = fastrand::Rng::with_seed(seed);
        let count = rng.usize(1..=12);
        let keep = rng.u64(0..=count as u64 + 1);
        let scene = swap(count, keep);
        let chance = rng.f64() * 0.07; // at most 84 % of all requests fail
        let faults = failures().fold(Faults::none(), |faults, fault| faults.with(fault, chance));
        let line = Line { refused: rng.f64() * 0.1, late: rng.f64() * 0.1, ..Line::default() };
        let mut sim = Sim::new(scene.world(Limits::off()), faults.seeded(seed), line, seed);
        let planned = sim.plan(&scene, &How::default());
        let interrupt = rng.bool().then(|| (rng.u64(0..150), Interrupt::Kill));
        let how = How { parallelism: rng.usize(1..=8), interrupt, ..How::default() };
        let ended = sim.carry_out(&planned, &how); // the minimum is checked at every arrival
        if ended.finished.is_some() {
            let finished = outcomes(&sim, &planned, &ended);
            let count =
                |name: &str| finished.outcomes.iter().filter(|outcome| outcome.as_str() == name).count();
            unclear += count("unknown");
            guarded_role += count("not attempted");
        }
        sim.faults = Faults::none();
        sim.line = Line::default();
        let planned = sim.plan(&scene, &How::default());
        let ended = sim.carry_out(&planned, &How::default());
        let finished = outcomes(&sim, &planned, &ended);
        assert!(finished.outcomes.iter().all(Outcome::is_in_sync), "it converges");
        let rest = sim.now + std::time::Duration::from_secs(60);
        sim.pass_until(rest);
        second_run_is_empty(&mut sim, &scene);
    });
    tell_figures(
        "All administrators are replaced, with faults and kills",
        &[format!(
            "{seeds} histories; {guarded_role} changes not attempted, {unclear} left unclear, and never too few holders"
        )],
    );
}

#[test]
fn failed_gains_reduce_the_number_of_allowed_losses() {
    // Four administrators leave, four others are added, and three must remain. For two of the new ones, writes have no
    // effect because a SCIM group determines their role.
    let goes = |number| Who::with_role(WrittenUser::new(&email(number), "admin"), "member");
    let comes = |number| Who::with_role(WrittenUser::new(&email(number), "viewer"), "admin");
    let fails = |number| Who::with_role(WrittenUser::new(&email(number), "viewer").role_from_scim(), "admin");
    let people = vec![goes(0), goes(1), goes(2), goes(3), comes(4), comes(5), fails(6), fails(7)];
    let scene = Scene::new(people, None, Some(&[("admin", 3)]));
    let mut sim = Sim::new(scene.world(Limits::default()), Faults::none(), Line::default(), 5);
    let planned = sim.plan(&scene, &How::default());
    let ended = sim.carry_out(&planned, &How::default());
    let finished = outcomes(&sim, &planned, &ended);
    let names: Vec<&str> = finished.outcomes.iter().map(Outcome::as_str).collect();
    assert_eq!(
        names,
        [
            "applied",
            "applied",
            "applied",
            "not attempted",
            "applied",
            "applied",
            "not effective",
            "not effective"
        ]
    );
    assert_eq!(sim.world.holders("admin"), 3);
}

#[test]
fn an_exchange_of_two_guarded_roles_is_blocked_by_the_plan_and_not_stuck_in_the_apply() {
    let people = vec![
        Who::with_role(WrittenUser::new(&email(0), "admin"), "lead"),
        Who::with_role(WrittenUser::new(&email(1), "lead"), "admin"),
    ];
    let roles = ["Admin", "Lead"]
        .map(|name| Role::new(&format!("role_{}", name.to_lowercase()), name, &name.to_lowercase()));
    let scene = Scene::with_roles(people, roles.to_vec(), Some(&[("admin", 1), ("lead", 1)]));
    let mut sim = Sim::new(scene.world(Limits::off()), Faults::none(), Line::default(), 5);
    let planned = sim.plan(&scene, &How::default());
    assert!(planned.reviewed.is_blocked());
    let ended = sim.carry_out(&planned, &How::default()); // as if the blocking guardrail had been acknowledged
    all_applied(&sim, &planned, &ended);
}

#[test]
fn gains_that_are_not_stored_do_not_allow_further_losses() {
    let scene = swap(3, 2);
    let three_gains = (1..=3).fold(Faults::none().on(ApiOperation::UpdateUser), |faults, number| {
        faults.at(number, Fault::EchoOnly)
    });
    let mut sim = Sim::new(scene.world(Limits::default()), three_gains, Line::default(), 5);
    let planned = sim.plan(&scene, &How::default());
    let one_by_one = How { parallelism: 1, ..How::default() };
    let ended = sim.carry_out(&planned, &one_by_one);
    assert_eq!(sim.faults.fired(Fault::EchoOnly), 3);
    let finished = outcomes(&sim, &planned, &ended);
    assert_eq!(
        counted(finished),
        [("applied", 1), ("reverted", 3), ("not attempted", 2)].into(),
        "one of three administrators may go"
    );
    assert_eq!(sim.world.holders("admin"), 2);
}

#[test]
fn one_search_confirms_the_gains_before_the_first_loss_that_depends_on_them() {
    let scene = swap(3, 3);
    let mut sim = Sim::new(scene.world(Limits::default()), Faults::none(), Line::default(), 5);
    let planned = sim.plan(&scene, &How::default());
    let ended = sim.carry_out(&planned, &How::default());
    all_applied(&sim, &planned, &ended);
    assert_eq!((ended.watch.patches, ended.watch.searches, ended.watch.looks), (6, 2, 0));
}

#[test]
fn the_minimum_is_kept_no_matter_which_writes_are_not_stored() {
    let seeds = full(2000, 40);
    let mut echoes = 0;
    histories(0..seeds, |seed| {
        let mut rng = fastrand::Rng::with_seed(seed);
        let count = rng.usize(1..=8);
        let scene = swap(count, rng.u64(0..=count as u64 + 1));
        let faults =
            Faults::none().with(Fault::EchoOnly, rng.f64() * 0.6).on(ApiOperation::UpdateUser).seeded(seed);
        let mut sim = Sim::new(scene.world(Limits::off()), faults, Line::default(), seed);
        let planned = sim.plan(&scene, &How::default());
        let how = How { parallelism: rng.usize(1..=8), ..How::default() };
        let ended = sim.carry_out(&planned, &how); // the minimum is checked at every arrival
        outcomes(&sim, &planned, &ended);
        echoes += sim.faults.fired_in_all();
        sim.faults = Faults::none();
        let planned = sim.plan(&scene, &How::default());
        let ended = sim.carry_out(&planned, &How::default());
        all_applied(&sim, &planned, &ended);
        second_run_is_empty(&mut sim, &scene);
    });
    tell_figures(
        "Writes that are shown but not stored, while administrators are replaced",
        &[format!("{seeds} histories, {echoes} writes that were not stored, and never too few holders")],
    );
}

/// Returns a scene in which people swap three roles at random. Most roles have a minimum, a maximum, or both, often equal to the
/// current number of holders.
fn exchange(rng: &mut fastrand::Rng) -> Scene {
    const NAMES: [&str; 3] = ["admin", "member", "viewer"];
    let roles = NAMES.map(|name| Role::new(&format!("role_{name}"), name, name));
    let mut holders = [[0_u64; 2]; NAMES.len()];
    let mut people = Vec::new();
    for number in 0..rng.usize(1..=12) {
        let (before, after) = (rng.usize(0..NAMES.len()), rng.usize(0..NAMES.len()));
        holders[before][0] += 1;
        holders[after][1] += 1;
        people.push(Who::with_role(WrittenUser::new(&email(number), NAMES[before]), NAMES[after]));
    }
    let (mut minimums, mut maximums) = (Vec::new(), Vec::new());
    for (name, [before, after]) in NAMES.into_iter().zip(holders) {
        if rng.bool() {
            minimums.push((name, before.min(after).saturating_sub(rng.u64(0..=1))));
        }
        if rng.bool() {
            maximums.push((name, before.max(after) + rng.u64(0..=1)));
        }
    }
    Scene::with_limits(people, roles.to_vec(), &minimums, &maximums)
}

#[test]
fn without_faults_an_exchange_of_roles_with_both_limits_never_gets_stuck() {
    let mut impossible = 0;
    histories(0..full(4000, 120), |seed| {
        let mut rng = fastrand::Rng::with_seed(seed);
        let scene = exchange(&mut rng);
        let mut sim = Sim::new(scene.world(Limits::off()), Faults::none(), Line::default(), seed);
        let planned = sim.plan(&scene, &How::default());
        impossible += u32::from(planned.reviewed.is_blocked());
        let how = How { parallelism: rng.usize(1..=8), ..How::default() };
        let ended = sim.carry_out(&planned, &how); // the limits are checked at every arrival
        all_applied(&sim, &planned, &ended);
    });
    assert!(impossible > 3, "only {impossible} plans could not keep the limits");
}

#[test]
fn an_exchange_of_roles_keeps_both_limits_with_faults_and_kills() {
    let seeds = full(4000, 60);
    let mut applied = 0;
    histories(0..seeds, |seed| {
        let mut rng = fastrand::Rng::with_seed(seed);
        let scene = exchange(&mut rng);
        let chance = rng.f64() * 0.07;
        let faults = failures().fold(Faults::none(), |faults, fault| faults.with(fault, chance));
        let line = Line { refused: rng.f64() * 0.1, late: rng.f64() * 0.1, ..Line::default() };
        let mut sim = Sim::new(scene.world(Limits::off()), faults.seeded(seed), line, seed);
        let planned = sim.plan(&scene, &How::default());
        let interrupt = rng.bool().then(|| (rng.u64(0..150), Interrupt::Kill));
        let how = How { parallelism: rng.usize(1..=8), interrupt, ..How::default() };
        let ended = sim.carry_out(&planned, &how);
        if ended.finished.is_some() {
            let outcomes = &outcomes(&sim, &planned, &ended).outcomes;
            applied += outcomes.iter().filter(|outcome| outcome.as_str() == "applied").count();
        }
        sim.faults = Faults::none();
        sim.line = Line::default();
        let planned = sim.plan(&scene, &How::default());
        let ended = sim.carry_out(&planned, &How::default());
        all_applied(&sim, &planned, &ended);
    });
    tell_figures(
        "People exchange roles with both limits, with faults and kills",
        &[format!("{seeds} histories; {applied} changes applied, and never beyond a limit")],
    );
    assert!(applied > 100, "only {applied} changes were applied");
}

#[test]
fn changes_wait_for_losses_and_gains_that_are_not_stored() {
    let mut held_back = 0;
    histories(0..full(2000, 40), |seed| {
        let mut rng = fastrand::Rng::with_seed(seed);
        let scene = exchange(&mut rng);
        let faults = Faults::none().with(Fault::EchoOnly, 0.4).on(ApiOperation::UpdateUser).seeded(seed);
        let mut sim = Sim::new(scene.world(Limits::off()), faults, Line::default(), seed);
        let planned = sim.plan(&scene, &How::default());
        let how = How { parallelism: rng.usize(1..=8), ..How::default() };
        let ended = sim.carry_out(&planned, &how);
        let outcomes = &outcomes(&sim, &planned, &ended).outcomes;
        held_back += outcomes.iter().filter(|outcome| outcome.as_str() == "not attempted").count();
    });
    assert!(held_back > 10, "only {held_back} changes were held back");
}

/// Moves four people between roles, one at a time, and checks that all changes are applied. The first write is often delayed
/// because its connection is refused.
fn none_is_stuck(
    moves: [(&'static str, &'static str); 4],
    minimums: &[(&str, u64)],
    maximums: &[(&str, u64)],
) {
    let people = moves.iter().enumerate();
    let people =
        people.map(|(number, (from, to))| Who::with_role(WrittenUser::new(&email(number), from), to));
    let roles = ["lead", "member", "viewer", "guest", "admin"]
        .map(|name| Role::new(&format!("role_{name}"), name, name));
    let scene = Scene::with_limits(people.collect(), roles.to_vec(), minimums, maximums);
    histories(0..full(1000, 25), |seed| {
        let line = Line { refused: 0.3, ..Line::default() };
        let mut sim = Sim::new(scene.world(Limits::off()), Faults::none(), line, seed);
        let planned = sim.plan(&scene, &How::default());
        assert!(!planned.reviewed.is_blocked());
        let ended = sim.carry_out(&planned, &How { parallelism: 1, ..How::default() });
        all_applied(&sim, &planned, &ended);
    });
}

#[test]
fn a_change_does_not_take_the_seat_that_an_earlier_one_needs() {
    // Lead has one free seat. Three people rotate through three roles, and the first move has to take that seat. If a fourth
    // person takes it first, the others are stuck.
    let moves = [("lead", "member"), ("member", "viewer"), ("viewer", "lead"), ("guest", "lead")];
    none_is_stuck(moves, &[], &[("lead", 2), ("member", 1), ("viewer", 1)]);
}

#[test]
fn a_change_does_not_take_the_holder_that_an_earlier_one_needs() {
    // Lead has one holder more than its minimum. Three people rotate through three roles, and the first move has to be out
    // of Lead. If a fourth person leaves Lead first, the others are stuck.
    let moves = [("lead", "guest"), ("member", "lead"), ("viewer", "member"), ("lead", "viewer")];
    none_is_stuck(moves, &[("lead", 1), ("member", 1), ("viewer", 1)], &[]);
}

#[test]
fn changes_without_an_effect_on_limits_do_not_prevent_a_valid_order() {
    // R and S each need a holder and have two seats. The search for an order therefore has to back out of dead ends.
    let exchange = [("r", "member"), ("r", "s"), ("s", "r")];
    let leavers = std::iter::repeat_n(("x", "member"), 20);
    let others = std::iter::repeat_n(("member", "viewer"), 600);
    let people = exchange.into_iter().chain(leavers).chain(others).enumerate();
    let people = people
        .map(|(number, (from, to))| Who::with_role(WrittenUser::new(&email(number), from), to))
        .collect();
    let roles = ["r", "s", "x", "member", "viewer", "admin"]
        .map(|name| Role::new(&format!("role_{name}"), name, name));
    let minimums = [("r", 1), ("s", 1)];
    let scene = Scene::with_limits(people, roles.to_vec(), &minimums, &[("r", 2), ("s", 2), ("x", 100)]);
    let mut sim = Sim::new(scene.world(Limits::off()), Faults::none(), Line::default(), 0);
    let planned = sim.plan(&scene, &How::default());
    assert!(!planned.reviewed.is_blocked());
    let mut holders = [("role_r", 2, 1..=2), ("role_s", 1, 1..=2)];
    for ordered in planned.reviewed.in_order() {
        for (role, count, limits) in &mut holders {
            *count += ordered.gains.iter().filter(|gained| &*gained.0 == *role).count();
            *count -= ordered.losses.iter().filter(|lost| &*lost.0 == *role).count();
            assert!(limits.contains(count), "{role} has {count} holders");
        }
    }
}
