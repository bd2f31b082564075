//! `cargo bench`: measures each module without I/O, with 10,000 people and a plan that changes 1 % of them. The apply machine is
//! measured with a plan of 1,000 changes.
//!
//! Throughput is in people or, for the machine, in requests and responses. For entire runs, memory, and request counts, see
//! `benches/run`.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use divan::Bencher;
use divan::counter::ItemsCount;
use jiff::Timestamp;
use rolecall::apply::machine::{Action, Machine};
use rolecall::apply::{Finished, Outcome};
use rolecall::desired::DesiredState;
use rolecall::exit::Exit;
use rolecall::invocation::Invocation;
use rolecall::observed::{
    Found, HeldValues, ObservedState, Organization, Person, Role, RoleCatalog, RoleId, UserId,
};
use rolecall::plan::guardrails::Review;
use rolecall::plan::roles::NamedRoles;
use rolecall::plan::{Plan, ReviewedPlan};
use rolecall::pylon::pace::Pacing;
use rolecall::pylon::request::{PeopleRequest, Update};
use rolecall::pylon::{Attempt, Failure, FailureCause, FlowControl};
use rolecall::report::words::PlanTimes;
use rolecall::report::{self, Body, Format, PlanReport, Report, Setting};
use rolecall::roster::{Email, Field, PerField, Roster};

const PEOPLE: usize = 10_000;
/// The number of changes for the apply machine to carry out.
const CHANGES: usize = 1_000;

/// The files for [`PEOPLE`] people, the organization, and the plan, in which 1 % of the people change.
static ACME: LazyLock<Acme> = LazyLock::new(|| Acme::new(100));

fn main() {
    divan::main();
}

fn to_review<'a>(roster: &'a Roster, observed: &'a ObservedState, roles: &'a NamedRoles) -> Review<'a> {
    Review { observed, roster, at: Timestamp::UNIX_EPOCH, roles, max_changes: None }
}

struct Acme {
    files: PathBuf,
    roster: Roster,
    desired: DesiredState,
    observed: ObservedState,
    roles: NamedRoles,
    reviewed: ReviewedPlan,
}

impl Acme {
    /// Builds an organization in which one in `one_in` people is away, although the files declare everyone as active.
    fn new(one_in: usize) -> Self {
        let files = files();
        let roster = Roster::read(&files).expect("the files are valid");
        let desired = roster.resolve_at(Timestamp::UNIX_EPOCH);
        let observed = observed(one_in);
        let roles = NamedRoles::look_up(&roster, &observed.roles).expect("the roles are there");
        let plan = Plan::draw(&desired, &observed, &roles, roster.policy).expect("all people are distinct");
        let reviewed = plan.review(to_review(&roster, &observed, &roles));
        assert_eq!(reviewed.plan.changes.len(), PEOPLE / one_in);
        Self { files, roster, desired, observed, roles, reviewed }
    }

    fn draw(&self) -> Plan {
        Plan::draw(&self.desired, &self.observed, &self.roles, self.roster.policy)
            .expect("all people are distinct")
    }

    fn review(&self) -> Review<'_> {
        to_review(&self.roster, &self.observed, &self.roles)
    }

    fn report(&self) -> PlanReport {
        let (now, invocation) = (Timestamp::UNIX_EPOCH, Invocation::default());
        PlanReport::new(
            &self.reviewed,
            &self.observed,
            &self.roster,
            "us",
            &invocation,
            PlanTimes { at: now, now },
            None,
        )
    }
}

#[divan::bench]
fn read(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(PEOPLE)).bench(|| Roster::read(&ACME.files));
}

#[divan::bench]
fn resolve(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(PEOPLE)).bench(|| ACME.roster.resolve_at(Timestamp::UNIX_EPOCH));
}

#[divan::bench]
fn index(bencher: Bencher<'_, '_>) {
    let inputs = || (ACME.observed.clone(), ACME.observed.people().cloned().collect::<Vec<_>>());
    bencher
        .counter(ItemsCount::new(PEOPLE))
        .with_inputs(inputs)
        .bench_values(|(state, people)| state.with(people));
}

#[divan::bench]
fn draw(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(PEOPLE)).bench(|| ACME.draw());
}

#[divan::bench]
fn review(bencher: Bencher<'_, '_>) {
    let bencher = bencher.counter(ItemsCount::new(PEOPLE)).with_inputs(|| ACME.draw());
    bencher.bench_values(|plan| plan.review(ACME.review()));
}

#[divan::bench]
fn compose(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(PEOPLE)).bench(|| ACME.report());
}

#[divan::bench(args = Format::ALL.map(Format::as_str))]
fn render(bencher: Bencher<'_, '_>, format: &str) {
    let format = Format::ALL.into_iter().find(|known| known.as_str() == format).expect("one of them all");
    let setting = Setting::default();
    let body = Body::Plan(Box::new(ACME.report()));
    let report = Report { command: "plan", exit: Exit::Done, body };
    bencher.counter(ItemsCount::new(PEOPLE)).bench(|| report::write(&report, format, &setting));
}

/// Measures the apply machine. One in `lost` writes takes effect but gets no response, so the machine has to read the user back.
/// If `lost` is 0, every write gets a response.
#[divan::bench(args = [0, 5])]
fn decide(bencher: Bencher<'_, '_>, lost: usize) {
    let acme = Acme::new(PEOPLE / CHANGES);
    let (events, finished) = drive(machine(&acme), &acme, lost);
    assert!(finished.outcomes.len() == CHANGES && finished.outcomes.iter().all(Outcome::is_in_sync));
    let bencher = bencher.counter(ItemsCount::new(events)).with_inputs(|| machine(&acme));
    bencher.bench_values(|machine| drive(machine, &acme, lost));
}

fn machine(acme: &Acme) -> Machine {
    let (start, rng) = (Duration::from_secs(1), fastrand::Rng::with_seed(7));
    let flow = FlowControl::new(Pacing::new(&[]), start, rng);
    Machine::new(&acme.reviewed, start, start, flow, 8)
}

/// Carries out the plan with a clock that advances only while the machine waits. Returns the number of requests and responses
/// along with the result.
fn drive(mut machine: Machine, acme: &Acme, lost: usize) -> (usize, Finished) {
    let (mut now, mut events, mut writes) = (Duration::from_secs(1), 0, 0);
    let mut changed: HashMap<UserId, Person> = HashMap::new();
    loop {
        events += 1;
        match machine.poll(now) {
            Action::Patch { ticket, update: Update { id, patch }, .. } => {
                let status = patch.status.expect("only statuses differ");
                let mut person = acme.observed.person(&id).cloned().expect("everyone in the plan is known");
                person.set(Field::Status, &status);
                changed.insert(id, person.clone());
                writes += 1;
                let is_lost = lost > 0 && writes % lost == 0;
                machine.patched(now, ticket, answered(if is_lost { Err(no_answer()) } else { Ok(person) }));
            }
            Action::Read { ticket, request, .. } => {
                machine.was_read(now, ticket, answered(Ok(answer(&request, acme, &changed))));
            }
            Action::Wait { until, .. } => {
                now = until.expect("nothing is under way");
                continue;
            }
            Action::Done => return (events, machine.finish()),
        }
        events += 1;
    }
}

/// Returns the requested people, with the values written so far.
fn answer(request: &PeopleRequest, acme: &Acme, changed: &HashMap<UserId, Person>) -> Vec<Person> {
    let now = |person: &Person| changed.get(&person.id).unwrap_or(person).clone();
    let at = |email: &Email| match acme.observed.find(email) {
        Found::Primary(person) => now(person),
        other => unreachable!("everybody has one address of their own: {other:?}"),
    };
    match request {
        PeopleRequest::One(id) => vec![now(acme.observed.person(id).expect("they are there"))],
        PeopleRequest::Search(search) => search.emails.iter().map(at).collect(),
    }
}

fn no_answer() -> Failure {
    Failure { asked: "PATCH".into(), cause: FailureCause::NoAnswer("it was cut".into()), request_id: None }
}

fn answered<T>(result: Result<T, Failure>) -> Attempt<T> {
    Attempt { result, remaining: None, date: None }
}

fn address(number: usize) -> String {
    format!("person{number:05}@acme.example")
}

fn files() -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("rooms.toml");
    let rows: String =
        (0..PEOPLE).map(|number| format!("\"{}\" = {{ status = \"active\" }}\n", address(number))).collect();
    std::fs::write(&path, format!("[defaults]\nrole = \"Member\"\n\n[users]\n{rows}"))
        .expect("the target folder can be written");
    path
}

/// Returns an organization in which everyone is a Member and one in `one_in` people is away.
fn observed(one_in: usize) -> ObservedState {
    let member = RoleId("role_member".into());
    let role = Role { id: member.clone(), name: "Member".into(), slug: "member".into() };
    let people = (0..PEOPLE).map(|number| Person {
        id: UserId::new(&format!("u_{number}")).expect("a plain id"),
        email: Email::observed(&address(number)),
        secondary: Vec::new(),
        name: format!("Person {number}"),
        held: PerField {
            role: HeldValues::one(member.0.clone()),
            status: HeldValues::one(if number % one_in == 0 { "away" } else { "active" }.into()),
        },
        deactivated: false,
    });
    let organization = Organization { id: "org_bench".into(), name: "Bench".into() };
    ObservedState::new(organization, None, RoleCatalog::new(vec![role])).with(people)
}
