//! Reads that keep failing or don't return the user. Because the plan is two minutes old, every user is read again before
//! the write.

use std::time::Duration;

use pretty_assertions::assert_eq;
use rolecall::apply::machine::{Action, Machine, WaitReason};
use rolecall::apply::{Finished, Outcome, Stop};
use rolecall::observed::{Person, UserId};
use rolecall::pylon::failure::Refusal;
use rolecall::pylon::request::{PeopleRequest, Request as _};
use rolecall::pylon::{Attempt, Failure, FlowControl};
use rolecall::roster::Email;
use rolecall::sandbox::{Faults, Limits, WrittenUser};

use super::scene::{Scene, Who, email};
use super::sim::{How, Line, Sim};
use crate::builders::BuildUser;
use crate::rosters::held;

/// Carries out a single role change. `answer` responds to the reads. Its second argument is `true` once the write has been
/// sent.
fn carried(answer: impl FnMut(&PeopleRequest, bool) -> Result<Vec<Person>, u16>) -> Finished {
    carried_out(|_| Ok(person("viewer")), answer, Duration::ZERO).0
}

/// Like `carried`, except that `write` responds to each write, given the number of earlier writes. `hint` is the retry hint of a
/// 429. Also returns how long the apply took.
fn carried_out(
    write: impl FnMut(usize) -> Result<Person, u16>,
    answer: impl FnMut(&PeopleRequest, bool) -> Result<Vec<Person>, u16>,
    hint: Duration,
) -> (Finished, Duration) {
    carried_out_slowly(write, answer, hint, Duration::ZERO)
}

/// Like `carried_out`, except that each search takes `search_time`.
fn carried_out_slowly(
    mut write: impl FnMut(usize) -> Result<Person, u16>,
    mut answer: impl FnMut(&PeopleRequest, bool) -> Result<Vec<Person>, u16>,
    hint: Duration,
    search_time: Duration,
) -> (Finished, Duration) {
    let is = WrittenUser::new(&email(0), "member").id("u_bo");
    let scene = Scene::new(vec![Who::with_role(is, "viewer")], None, Some(&[]));
    let mut sim = Sim::new(scene.world(Limits::off()), Faults::none(), Line::default(), 1);
    let planned = sim.plan(&scene, &How::default());
    let began = planned.read_at + Duration::from_secs(120);
    let mut now = began;
    let rng = fastrand::Rng::with_seed(1);
    let flow = FlowControl::new(planned.pacing.clone(), now, rng);
    let mut machine = Machine::new(&planned.reviewed, planned.read_at, now, flow, 8);
    let mut writes = 0;
    let failure = |asked: String, status| Failure {
        asked,
        cause: Refusal { status, hint: Some(hint), ..Refusal::default() }.into(),
        request_id: None,
    };
    for _ in 0..1_000 {
        match machine.poll(now) {
            Action::Read { ticket, request, .. } => {
                if matches!(request, PeopleRequest::Search(_)) {
                    now += search_time;
                }
                let result = answer(&request, writes > 0)
                    .map_err(|status| failure(request.outgoing().asked(), status));
                machine.was_read(now, ticket, Attempt { result, remaining: None, date: None });
            }
            Action::Wait { until, reason } => {
                let until = until.expect("nothing is under way");
                // With just one change, the machine waits only to retry a request or because of a 429.
                assert!(reason == WaitReason::Retry || hint > Duration::ZERO, "at {now:?}, until {until:?}");
                now = until;
            }
            Action::Patch { ticket, .. } => {
                let result = write(writes).map_err(|status| failure("PATCH".into(), status));
                writes += 1;
                machine.patched(now, ticket, Attempt { result, remaining: None, date: None });
            }
            Action::Done => return (machine.finish(), now.saturating_sub(began)),
        }
    }
    panic!("the apply does not end");
}

/// Returns the user to change, who holds `role`.
fn person(role: &str) -> Person {
    Person {
        id: UserId::new("u_bo").expect("a plain id"),
        email: Email::observed(&email(0)),
        secondary: Vec::new(),
        name: "Person".into(),
        held: held(&format!("role_{role}"), "active"),
        deactivated: false,
    }
}

#[test]
fn people_missing_from_a_search_are_read_one_by_one() {
    for (status, looks, outcome, stopped) in
        [(404, 1, "rejected", false), (500, 10, "not attempted", false), (401, 1, "not attempted", true)]
    {
        let mut asked = 0;
        let finished = carried(|request, _| match request {
            PeopleRequest::One(_) => {
                asked += 1;
                Err(status)
            }
            PeopleRequest::Search(_) => Ok(Vec::new()),
        });
        let ended: Vec<&str> = finished.outcomes.iter().map(Outcome::as_str).collect();
        assert_eq!((asked, ended), (looks, vec![outcome]), "{status}");
        assert_eq!(
            matches!(finished.stopped, Some(Stop::Fatal(_))),
            stopped,
            "{status}: {:?}",
            finished.stopped
        );
    }
}

#[test]
fn a_search_that_is_too_large_is_split_down_to_one_person() {
    let mut limits = Vec::new();
    let finished = carried(|request, _| {
        if let PeopleRequest::Search(search) = request {
            limits.push(search.limit);
        }
        Err(413)
    });
    assert_eq!(limits, [999, 499, 249, 124, 62, 31, 15, 7, 3, 1]);
    assert_eq!(finished.outcomes[0].as_str(), "not attempted");
}

#[test]
fn people_missing_from_the_read_back_are_read_one_by_one() {
    for (shown, outcome) in [(Some("viewer"), "applied"), (Some("member"), "reverted"), (None, "applied")] {
        let finished = carried(|request, is_written| match (request, is_written) {
            (PeopleRequest::Search(_), false) => Ok(vec![person("member")]),
            (PeopleRequest::Search(_), true) => Ok(Vec::new()),
            (_, _) => shown.map(|role| vec![person(role)]).ok_or(404),
        });
        assert_eq!(finished.outcomes[0].as_str(), outcome, "{shown:?}");
    }
}

#[test]
fn a_write_without_an_answer_is_unknown_until_read_back() {
    for (status, looked_at, read_back, outcome) in [
        // A read after the write returns a third value, so the written value might have been in effect in between.
        (504, "admin", "admin", "unknown"),
        (504, "admin", "viewer", "applied"),
        // A gateway might have given up on a request that Pylon is still processing, so a read of the old value isn't conclusive.
        (504, "member", "member", "unknown"),
        (504, "member", "viewer", "applied"),
        // The first write got no response, and a later write was rejected.
        (422, "member", "member", "unknown"),
        (422, "member", "viewer", "applied"),
    ] {
        let mut is_over = false;
        let (finished, _) = carried_out(
            |before| Err(if before == 0 { 504 } else { status }),
            |request, is_written| match request {
                PeopleRequest::Search(_) if is_written => {
                    is_over = true;
                    Ok(vec![person(read_back)])
                }
                PeopleRequest::Search(_) => Ok(vec![person("member")]),
                PeopleRequest::One(_) => Ok(vec![person(if is_over { read_back } else { looked_at })]),
            },
            Duration::ZERO,
        );
        let ended = finished.outcomes[0].as_str();
        assert_eq!(ended, outcome, "{status}, then {looked_at}, then {read_back}");
        assert_eq!(finished.not_read_back, 0);
    }
}

#[test]
fn an_apply_gives_up_if_every_read_before_a_write_takes_too_long() {
    for (seconds, outcome) in [(55, "applied"), (56, "not attempted")] {
        let (finished, took) = carried_out_slowly(
            |_| Ok(person("viewer")),
            |_, is_written| Ok(vec![person(if is_written { "viewer" } else { "member" })]),
            Duration::ZERO,
            Duration::from_secs(seconds),
        );
        assert_eq!(finished.outcomes[0].as_str(), outcome, "{seconds} s");
        assert!(took <= Duration::from_secs(420), "{seconds} s: {took:?}");
    }
}

#[test]
fn a_read_does_not_wait_for_a_retry_after_that_is_too_long() {
    let hour = Duration::from_secs(3600);
    let (finished, took) = carried_out(|_| Ok(person("viewer")), |_, _| Err(429), hour);
    assert!(matches!(finished.stopped, Some(Stop::LongPause(_))), "{:?}", finished.stopped);
    assert_eq!((finished.outcomes[0].as_str(), took), ("not attempted", Duration::ZERO));
    let search = |request: &PeopleRequest, is_written: bool| match request {
        PeopleRequest::Search(_) if !is_written => Ok(vec![person("member")]),
        _ => Err(429),
    };
    let (finished, took) = carried_out(|_| Ok(person("viewer")), search, hour);
    assert!(matches!(finished.stopped, Some(Stop::LongPause(_))), "{:?}", finished.stopped);
    assert_eq!((finished.outcomes[0].as_str(), finished.not_read_back), ("applied", 1));
    assert_eq!(took, Duration::ZERO);
    // The apply waits several times in a row, but no single wait is too long.
    let (finished, took) = carried_out(|_| Ok(person("viewer")), search, Duration::from_secs(290));
    assert_eq!((finished.stopped, finished.not_read_back), (Some(Stop::Silence), 1));
    assert!(took <= Duration::from_secs(600), "{took:?}");
}
