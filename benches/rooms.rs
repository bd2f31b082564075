//! `cargo bench`: the pure rooms by themselves, with 10,000 people of whom 1 % change; microseconds a person, the least of several runs.
//!
//! Whole runs, memory and requests are measured by `benches/run`. No framework: ten lines do what is needed of one here, and
//! `benches/run --check` counts instructions, which no clock disturbs.

use std::hint::black_box;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rolecall::exit::Exit;
use rolecall::observed::{ObservedState, Organization, Person, Role, RoleCatalogue, RoleId, UserId};
use rolecall::plan::Plan;
use rolecall::plan::guardrails::Review;
use rolecall::plan::roles::NamedRoles;
use rolecall::report::{
    self, Annotations, Body, Format, LONGEST_COMMENT, Material, PlanReport, Report, Setting,
};
use rolecall::roster::{Email, Roster};

const PEOPLE: usize = 10_000;
const TIMES: usize = 5;

fn main() {
    let files = files();
    let now = Timestamp::UNIX_EPOCH;
    let roster = Roster::read(&files).expect("the files are valid");
    let desired = roster.resolve_at(now);
    let observed = observed();
    let roles = NamedRoles::look_up(&roster, &observed.roles).expect("the roles are there");
    let draw = || Plan::draw(&desired, &observed, &roles, roster.policy).expect("everybody is told apart");
    let rules = &roster.guardrails;
    let review = Review { observed: &observed, desired: &desired, rules, roles: &roles, max_changes: None };
    let reviewed = draw().review(review);
    assert_eq!(reviewed.plan.changes.len(), PEOPLE / 100);

    measure("read", || Roster::read(&files));
    measure("resolve", || roster.resolve_at(now));
    measure("index", || observed.clone().with(observed.people().cloned()));
    measure("draw", draw);
    measure("review", || reviewed.plan.clone().review(review));
    let material = Material {
        place: "us",
        reviewed: &reviewed,
        sources: &roster.sources,
        roles: &observed.roles,
        mention_undeclared: true,
        at: None,
        now,
        coming: &[],
        windows: &[],
        meanwhile: 0,
        takeback: None,
        blame: None,
        finished: None,
    };
    measure("compose", || PlanReport::new(&material));
    let body = Body::Plan(Box::new(PlanReport::new(&material)));
    let report = Report { command: "plan", exit: Exit::Done, body };
    let setting = Setting {
        colours: false,
        letters_apart: false,
        markdown_limit: LONGEST_COMMENT,
        annotations: Annotations::default(),
    };
    for format in Format::ALL {
        measure(format.as_str(), || report::write(&report, format, &setting));
    }
}

/// The least time of a few runs, for one person.
fn measure<T>(what: &str, work: impl Fn() -> T) {
    let least = (0..TIMES).map(|_| {
        let begin = Instant::now();
        black_box(work());
        begin.elapsed()
    });
    let least = least.min().unwrap_or(Duration::ZERO);
    let each = least.as_secs_f64() * 1e6 / 10_000.0;
    let _ = writeln!(std::io::stdout(), "{what:10} {each:8.3} µs a person");
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

/// Everybody is a Member; one in a hundred is away.
fn observed() -> ObservedState {
    let member = RoleId("role_member".into());
    let role = Role { id: member.clone(), name: "Member".into(), slug: "member".into() };
    let people = (0..PEOPLE).map(|number| Person {
        id: UserId::new(&format!("u_{number}")).expect("a plain id"),
        email: Email::observed(&address(number)),
        secondary: Vec::new(),
        name: format!("Person {number}"),
        assigned: vec![member.clone()],
        from_scim: Vec::new(),
        status: if number % 100 == 0 { "away" } else { "active" }.into(),
        deactivated: false,
    });
    let organization = Organization { id: "org_bench".into(), name: "Bench".into() };
    ObservedState::new(organization, None, RoleCatalogue::new(vec![role])).with(people)
}
