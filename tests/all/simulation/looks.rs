//! Reads that fail for good, or bring nobody: a plan has lain for two minutes, so everybody is read before they are written.

use std::time::Duration;

use pretty_assertions::assert_eq;
use rolecall::apply::machine::{Action, Machine};
use rolecall::apply::{Finished, Stop};
use rolecall::observed::{Person, RoleId, UserId};
use rolecall::pylon::failure::Refusal;
use rolecall::pylon::request::Page;
use rolecall::pylon::{Answer, Attempt, Failure, ReadRequest, Trouble};
use rolecall::roster::Email;
use rolecall::sandbox::{self, Faults, Limits};

use super::scene::{Scene, Who, email};
use super::sim::{How, Line, Sim};

/// One change of a role, its reads answered by `answer` as soon as they are asked; it is told whether the write is done.
fn carried(mut answer: impl FnMut(&ReadRequest, bool) -> Result<Answer, u16>) -> Finished {
    let is = sandbox::Person::new(&email(0), "member").id("u_bo");
    let scene = Scene::new(vec![Who::with_role(is, "viewer")], None, Some(&[]));
    let mut sim = Sim::new(scene.world(Limits::off()), Faults::none(), Line::default(), 1);
    let planned = sim.plan(&scene, &How::default());
    let mut now = planned.read_at + Duration::from_secs(120);
    let rng = fastrand::Rng::with_seed(1);
    let pacing = planned.pacing.clone();
    let mut machine = Machine::new(&planned.reviewed, planned.read_at, now, pacing, 8, rng);
    let mut is_written = false;
    for _ in 0..1_000 {
        match machine.poll(now) {
            Action::Read { ticket, request } => {
                let result = answer(&request, is_written).map_err(|status| Failure {
                    asked: request.asked(),
                    trouble: Trouble::Refused(Refusal { status, ..Refusal::default() }),
                });
                machine.was_read(now, ticket, Attempt { result, remaining: None, date: None });
            }
            Action::Wait { until } => now = until.expect("nothing is under way"),
            Action::Patch { ticket, .. } => {
                is_written = true;
                machine.patched(
                    now,
                    ticket,
                    Attempt { result: Ok(person("viewer")), remaining: None, date: None },
                );
            }
            Action::Done => return machine.finish(),
        }
    }
    panic!("it does not come to its end");
}

/// The one who changes, with this role.
fn person(role: &str) -> Person {
    Person {
        id: UserId::new("u_bo").expect("a plain id"),
        email: Email::observed(&email(0)),
        secondary: Vec::new(),
        name: "Person".into(),
        assigned: vec![RoleId(format!("role_{role}").into())],
        from_scim: Vec::new(),
        status: "active".into(),
        deactivated: false,
    }
}

fn page(people: Vec<Person>) -> Answer {
    Answer::Page(Page { people, unsaid: Vec::new(), next: None })
}

#[test]
fn whoever_the_search_does_not_bring_is_looked_at_and_what_that_says_counts() {
    for (status, looks, outcome, stopped) in
        [(404, 1, "rejected", false), (500, 10, "not attempted", false), (401, 1, "not attempted", true)]
    {
        let mut asked = 0;
        let finished = carried(|request, _| match request {
            ReadRequest::Person(_) => {
                asked += 1;
                Err(status)
            }
            _ => Ok(page(Vec::new())),
        });
        let ended: Vec<&str> = finished.carried.iter().map(|carried| carried.outcome.as_str()).collect();
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
fn a_search_that_is_too_large_is_asked_with_smaller_pages_down_to_one_person() {
    let mut limits = Vec::new();
    let finished = carried(|request, _| {
        if let ReadRequest::Search { limit, .. } = request {
            limits.push(*limit);
        }
        Err(413)
    });
    assert_eq!(limits, [999, 499, 249, 124, 62, 31, 15, 7, 3, 1]);
    assert_eq!(finished.carried[0].outcome.as_str(), "not attempted");
}

#[test]
fn whoever_the_reading_back_does_not_bring_is_looked_at_once_more_and_what_that_says_counts() {
    for (shown, outcome) in
        [(Some("viewer"), "applied"), (Some("member"), "changed again"), (None, "applied")]
    {
        let finished = carried(|request, is_written| match (request, is_written) {
            (ReadRequest::Search { .. }, false) => Ok(page(vec![person("member")])),
            (ReadRequest::Search { .. }, true) => Ok(page(Vec::new())),
            (_, _) => shown.map(|role| Answer::Person(person(role))).ok_or(404),
        });
        let carried = &finished.carried[0];
        assert_eq!(carried.outcome.as_str(), outcome, "{shown:?}");
    }
}
