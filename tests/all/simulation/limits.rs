//! Runs an apply against five kinds of server-side rate limiters, both with the limits that rolecall assumes and with a sixth of
//! them.

use std::time::Duration;

use rolecall::apply::Outcome;
use rolecall::sandbox::{ApiOperation, Faults, LimiterKind, Limits};

use super::check::{all_applied, counted, outcomes};
use super::scene::Scene;
use super::sim::{Ended, How, Line, Sim};
use super::{full, histories, tell_figures};
use crate::harness::soak;

fn run(changes: usize, limits: Limits, line: Line, seed: u64) -> Ended {
    let scene = Scene::of_changes(changes);
    let mut sim = Sim::new(scene.world(limits), Faults::none(), line, seed);
    // Start at a random offset into the limiter's fixed windows.
    let idle = fastrand::Rng::with_seed(seed).u64(0..60_000);
    sim.pass_until(Duration::from_secs(60) + Duration::from_millis(idle));
    let planned = sim.plan(&scene, &How::default());
    let ended = sim.carry_out(&planned, &How::default());
    if limits == (Limits { kind: limits.kind, ..Limits::default() }) {
        all_applied(&sim, &planned, &ended);
    } else {
        let finished = outcomes(&sim, &planned, &ended);
        assert!(
            finished.outcomes.iter().all(|outcome| *outcome == Outcome::Applied),
            "{:?}",
            counted(finished)
        );
    }
    ended
}

/// Returns the minimum time for this many changes at a rate limit of `limit` changes per minute. Changes in the first minute
/// don't take any time.
fn minimum(changes: usize, limit: usize) -> Duration {
    Duration::from_secs(60) * u32::try_from((changes - 1) / limit).expect("a small number")
}

#[test]
fn with_the_assumed_limits_there_is_no_429() {
    let sizes: &[usize] = if soak() { &[1, 50, 120, 121, 300, 1000] } else { &[1, 120, 300] };
    let lines = [
        Line::steady(),
        Line::default(),
        Line { latency: 5..=2000, ..Line::default() },
        Line { arrival: 0..=0, ..Line::default() },
        Line { arrival: 1000..=1000, latency: 1..=900, ..Line::default() },
    ];
    let mut rows = Vec::new();
    let cases = LimiterKind::ALL.len() * sizes.len();
    let seeds = full(40, 1);
    let lines = &lines[..if soak() { lines.len() } else { 2 }];
    histories(0..cases as u64 * seeds * lines.len() as u64, |seed| {
        let case = usize::try_from(seed).unwrap() % cases;
        let line = usize::try_from(seed).unwrap() / cases % lines.len();
        let (kind, changes) = (LimiterKind::ALL[case % 5], sizes[case / 5]);
        let mut line_of = lines[line].clone();
        line_of.shows_remaining = (seed / cases as u64 / lines.len() as u64).is_multiple_of(2);
        let ended = run(changes, Limits { kind, ..Limits::default() }, line_of, seed);
        let counts_plainly =
            matches!(kind, LimiterKind::SlidingLog | LimiterKind::FixedWindow | LimiterKind::FullBucket);
        for (class, limit) in
            [(ApiOperation::UpdateUser, 120), (ApiOperation::SearchUsers, 120), (ApiOperation::GetUser, 300)]
        {
            let busiest = ended.watch.busiest(class);
            assert!(!counts_plainly || busiest <= limit, "I4: {busiest} arrivals of {class:?} in a minute");
        }
        assert!(
            !counts_plainly || ended.watch.throttled == 0,
            "I4: {} 429s by {kind:?}",
            ended.watch.throttled
        );
        if counts_plainly && line == 0 {
            let took = ended.took;
            assert!(changes > 120 || took <= Duration::from_secs(5), "{changes} changes took {took:?}");
            assert!(changes != 1000 || took <= Duration::from_secs(490), "{changes} changes took {took:?}");
        }
        if line == 0 && (changes == 120 || changes == 1000) && (rows.len() < 10) {
            rows.push(format!(
                "{:<16} {changes:>5} changes: {:>6.1} s (minimum {:>3} s), {} 429s, busiest minute {}",
                kind.as_str(),
                ended.took.as_secs_f64(),
                minimum(changes, 120).as_secs(),
                ended.watch.throttled,
                ended.watch.busiest(ApiOperation::UpdateUser),
            ));
        }
    });
    tell_figures(
        "A single client with the assumed limit of 120 writes per minute and a latency of 150 ms",
        &rows,
    );
}

#[test]
fn a_lower_rate_limit_is_found_with_few_429s_and_little_delay() {
    let sizes: &[usize] = if soak() { &[20, 21, 50, 100, 120, 200, 300, 500, 700, 1000] } else { &[50, 300] };
    let mut rows = Vec::new();
    let seeds = full(10, 1);
    let cases = LimiterKind::ALL.len() * sizes.len() * 2;
    histories(0..cases as u64, |case| {
        let at = usize::try_from(case).unwrap();
        let (kind, changes) = (LimiterKind::ALL[at / 2 % 5], sizes[at / 10]);
        let line = Line { shows_remaining: at % 2 == 0, ..Line::steady() };
        let limits = Limits { kind, ..Limits::default() }.with(ApiOperation::UpdateUser, Some(20));
        let minimum = minimum(changes, 20).as_secs_f64();
        let mut worst = (0, 0.0_f64);
        for seed in 0..seeds {
            let ended = run(changes, limits, line.clone(), case * 1000 + seed);
            worst = (worst.0.max(ended.watch.throttled), worst.1.max(ended.took.as_secs_f64()));
        }
        let (most, longest) = worst;
        assert!(most <= 30, "{kind:?}, {changes} changes: {most} 429s");
        // If a large part of the changes goes out in the first burst, the slower pacing afterward becomes noticeable. A
        // small bucket never allows such a burst.
        let counts_plainly =
            matches!(kind, LimiterKind::SlidingLog | LimiterKind::FixedWindow | LimiterKind::FullBucket);
        let times = if changes >= 200 { 1.25 } else { 1.35 };
        assert!(
            !counts_plainly || longest <= minimum * times + 5.0,
            "{kind:?}, {changes} changes: {longest} s"
        );
        rows.push(format!(
            "{:<16} {changes:>5} changes, remaining {}: at most {most:>3} 429s, {longest:>6.0} s = {:.2} × {minimum:>4.0} s",
            kind.as_str(),
            if line.shows_remaining { "shown " } else { "hidden" },
            longest / minimum.max(1.0),
        ));
    });
    tell_figures("A limit of 20 instead of the assumed 120", &rows);
}
