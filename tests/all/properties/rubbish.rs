//! Invalid input never causes a panic, and error messages about it never contain terminal escapes or GitHub workflow commands.

use std::cell::Cell;

use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::sample::{Index, select};
use rolecall::apply::journal;
use rolecall::exit::Exit;
use rolecall::invocation::Invocation;
use rolecall::observed::{HeldValues, ObservedState, Organization, Person};
use rolecall::plan::Plan;
use rolecall::plan::blame::{AuditEntry, Drift};
use rolecall::plan::forecast::forecast;
use rolecall::plan::guardrails::Review;
use rolecall::plan::roles::NamedRoles;
use rolecall::plan::saved::SavedPlan;
use rolecall::problem::Problems;
use rolecall::pylon::failure::Refusal;
use rolecall::pylon::inquiry::{CutShort, Findings};
use rolecall::pylon::{Failure, FailureCause};
use rolecall::report::facts::agenda::ScheduledChange;
use rolecall::report::words::PlanTimes;
use rolecall::report::{self, Body, Format, PlanReport, Report, Setting, diagnostic};
use rolecall::roster::Roster;

use super::holds;
use super::organization::{Case, cases, catalog, now};
use crate::harmless::is_harmless;
use crate::rosters::read;
use crate::stories::typing::TYPED;

/// Words from `users.toml`, from TOML, and from attacks on terminals and other programs.
const WORDS: &[&str] = &[
    "include",
    "timezone",
    "allow_unicode_emails",
    "workspace",
    "organization",
    "region",
    "policy",
    "role",
    "status",
    "extra_roles",
    "guardrails",
    "max_changes",
    "keep_at_least",
    "keep_at_most",
    "keep_active",
    "protected",
    "unmanaged",
    "missing",
    "rule",
    "emails",
    "except",
    "roles",
    "on_violation",
    "acknowledge",
    "guardrail",
    "up_to",
    "down_to",
    "user",
    "reason",
    "expires",
    "defaults",
    "users",
    "windows",
    "from",
    "until",
    "then",
    "token",
    "api_key",
    "base_url",
    "[users]\n",
    "[defaults]\n",
    "[guardrails]\n",
    "[policy]\n",
    "[workspace]\n",
    "[[rule]]\n",
    "[[acknowledge]]\n",
    "[users.\"ana@acme.example\"]\n",
    "[guardrails.keep_at_least]\n",
    "\"ana@acme.example\"",
    "\"Ana@Acme.example\"",
    "\"bo@acme.example\"",
    "\"zoë@acme.example\"",
    "\"*@acme.example\"",
    "\"Admin\"",
    "\"active\"",
    "\"away\"",
    "\"enforce\"",
    "\"block\"",
    "\"25%\"",
    "\"300%\"",
    "\"teams/*.toml\"",
    "\"Europe/Berlin\"",
    "\"max_changes\"",
    "\"token_owner\"",
    "\"protected\"",
    "true",
    "false",
    "0",
    "40",
    "-1",
    "0x1F",
    "1_000",
    "18446744073709551616",
    "1e400",
    "nan",
    "2026-12-20",
    "2026-12-20T08:00:00",
    "2026-12-20T08:00:00+01:00",
    "9999-12-31T23:59:60Z",
    "0000-00-00",
    "2026-02-30",
    "08:00:00",
    " = ",
    " = ",
    " = ",
    " = ",
    "\n",
    "\n",
    "\n",
    "\n",
    " { ",
    " } ",
    " [ ",
    " ] ",
    ", ",
    ", ",
    ".",
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "#",
    "\\",
    "\\u0000",
    "\\U0001F600",
    "\t",
    "\r",
    "\r\n",
    " ",
    "\u{1b}[2J",
    "\u{9b}1m",
    "\u{0}",
    "\u{202e}",
    "\u{200b}",
    "\u{feff}",
    "\u{2028}",
    "\u{85}",
    "::error::x",
    "\n::set-output name=x::y",
    "\u{2003}::warning::x",
    "##[error]x",
    "\n##[group]x",
    "李雷",
    "é",
    "👩‍🔧",
    "a::b",
    "<script>",
    "@everyone",
];

fn words() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        30 => select(WORDS.to_vec()).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => any::<String>(),
    ];
    vec(word, 0..40).prop_map(|words| words.concat())
}

/// Generates one key per line, usually with a value, so that more of the input gets past the parser.
fn lines() -> impl Strategy<Value = String> {
    let line = (select(WORDS.to_vec()), words_of(4), 0..6_u8).prop_map(|(key, value, kind)| match kind {
        0 => format!("{key} = {value}\n"),
        1 => format!("{key} = {value:?}\n"),
        2 => format!("{key} = [{value:?}, {value:?}]\n"),
        3 => format!("\"{}@acme.example\" = {{ {key} = {value:?} }}\n", key.len()),
        4 => format!("[{key}]\n"),
        _ => format!("{key:?} = {{ {key} = {value} }}\n"),
    });
    vec(line, 0..12).prop_map(|lines| lines.concat())
}

fn words_of(up_to: usize) -> impl Strategy<Value = String> {
    vec(select(WORDS.to_vec()), 0..=up_to).prop_map(|words| words.concat())
}

/// Generates a valid file, then inserts words into it and cuts characters out of it.
fn corrupted() -> impl Strategy<Value = String> {
    let spoil = (any::<Index>(), 0..4_usize, words_of(2));
    (cases(4), vec(spoil, 1..4)).prop_map(|(case, spoils)| {
        let mut text: Vec<char> = case.text.chars().collect();
        for (at, length, words) in spoils {
            let at = at.index(text.len() + 1);
            let end = (at + length).min(text.len());
            text.splice(at..end, words.chars());
        }
        text.into_iter().collect()
    })
}

/// Generates one of the mistakes in [`TYPED`] with further typing errors mixed in.
fn mistyped() -> impl Strategy<Value = String> {
    const MISTAKES: &[&str] = &[
        "", "", " ", " ,", ",000", "\"", "\"\"\"", "'", "\\", "\\\"", "=", ":", "{", "}", "[", "]", "#",
        "\n", "\r", "\t", "é", "–", "“", "\u{feff}", "\u{a0}", "@", "%", "0", "(", "-",
    ];
    let slip = (any::<Index>(), 0..3_usize, select(MISTAKES.to_vec()));
    (select(TYPED.to_vec()), vec(slip, 1..5)).prop_map(|((text, _), slips)| {
        let mut text: Vec<char> = text.chars().collect();
        for (at, length, slip) in slips {
            let at = at.index(text.len() + 1);
            let end = (at + length).min(text.len());
            text.splice(at..end, slip.chars());
        }
        text.into_iter().collect()
    })
}

fn rendered_harmlessly(problems: &Problems) {
    assert!(!problems.list.is_empty(), "what is refused is explained");
    let shown = diagnostic::render(problems, false, None);
    is_harmless(&shown);
    diagnostic::render(problems, true, None); // must not panic; its colors are escape codes, so it isn't checked further
    reported_harmlessly(Body::Problems(Box::new(problems.clone())));
}

/// Makes a plan with the parsed roster, including the review, the forecast, and the blame. Checks that the reports are harmless.
fn used_harmlessly(roster: &Roster, people: &[Person]) {
    let organization = Organization { id: "org_1".into(), name: "::error::Acme\u{202e}".into() };
    let mut observed = ObservedState::new(organization, None, catalog());
    people.iter().for_each(|person| observed.insert(person.clone()));
    let desired = roster.resolve_at(now());
    for problem in roster.overlong_acknowledgments(now()) {
        rendered_harmlessly(&Problems::new(roster.sources.clone(), vec![problem]));
    }
    let roles = match NamedRoles::look_up(roster, &observed.roles) {
        Ok(roles) => roles,
        Err(problems) => return rendered_harmlessly(&Problems::new(roster.sources.clone(), problems)),
    };
    let plan = match Plan::draw(&desired, &observed, &roles, roster.policy) {
        Ok(plan) => plan,
        Err(problems) => return rendered_harmlessly(&Problems::new(roster.sources.clone(), problems)),
    };
    let coming = forecast(roster, &observed, &roles, &plan, now());
    let reviewed =
        plan.review(Review { observed: &observed, roster, at: now(), roles: &roles, max_changes: None });
    let blame = blame(&reviewed.plan, &observed);
    let invocation = Invocation::default();
    let mut report = PlanReport::new(
        &reviewed,
        &observed,
        roster,
        "us",
        &invocation,
        PlanTimes { at: now(), now: now() },
        None,
    );
    let guarded = reviewed.guarded_roles(&observed.roles);
    for coming in &coming {
        report.scheduled.push(ScheduledChange::reviewed(coming, &guarded, &observed.roles, &roster.sources));
    }
    report.add_blame(&blame);
    reported_harmlessly(Body::Plan(Box::new(report)));
}

/// Builds an incomplete audit log with one entry per person. The person's status is the source, and most of the other text is
/// the person's name.
fn blame(plan: &Plan, observed: &ObservedState) -> Findings {
    let mut drift = Drift::new(plan, &observed.roles);
    for person in observed.people() {
        drift.take(&AuditEntry {
            id: person.name.clone(),
            action: format!("UserRoleChanged status {}", person.name),
            happened_at: now(),
            object: person.id.as_str().to_owned(),
            source: person.status().to_owned(),
            actor: Some(person.name.clone()).filter(|name| name.len() % 2 == 0),
            attributes: ["old", "new"].map(|key| (key.to_owned(), person.name.clone())).into(),
        });
    }
    let errors = observed.people().map(|person| person.name.clone()).collect();
    let cause = FailureCause::from(Refusal { status: 403, errors, ..Refusal::default() });
    let unread =
        Some(CutShort::Failed(Failure { asked: "POST /audit-logs/search".into(), cause, request_id: None }));
    Findings { blames: drift.into_blames(observed), unread, is_available: plan.declared > 3 }
}

/// Renders the report in every format and checks that the output is harmless. Annotations in a GitHub job's log are meant to be
/// commands, so they aren't checked.
fn reported_harmlessly(body: Body) {
    let report = Report { command: "plan", exit: Exit::Done, body };
    let setting = Setting::default();
    for format in Format::ALL {
        let shown = report::write(&report, format, &setting);
        // In CSV, each line ends with CRLF (RFC 4180).
        let shown = if format == Format::Csv { shown.replace("\r\n", "\n") } else { shown };
        if format == Format::Github {
            let is_ours = |line: &&str| {
                ["::error ", "::warning ", "::notice "].iter().any(|ours| line.starts_with(ours))
            };
            is_harmless(&shown.lines().filter(|line| !is_ours(line)).collect::<Vec<_>>().join("\n"));
        } else {
            is_harmless(&shown);
        }
    }
}

fn read_harmlessly(bytes: &[u8]) -> bool {
    match read(bytes) {
        Ok(roster) => used_harmlessly(&roster, &[]),
        Err(problems) => {
            rendered_harmlessly(&problems);
            return false;
        }
    }
    true
}

#[test]
fn no_bytes_in_a_users_toml_cause_a_panic() {
    let bytes = prop_oneof![vec(any::<u8>(), 0..200), any::<String>().prop_map(String::into_bytes)];
    holds(200, &bytes, |bytes| {
        read_harmlessly(&bytes);
    });
}

#[test]
fn no_words_in_a_users_toml_cause_a_panic_or_act_as_commands() {
    let sound = Cell::new(0);
    let texts = prop_oneof![words(), lines(), corrupted()];
    holds(300, &texts, |text| {
        sound.set(sound.get() + u32::from(read_harmlessly(text.as_bytes())));
    });
    assert!(sound.get() > 10, "{sound:?} were read");
}

#[test]
fn several_mistakes_in_one_line_do_not_panic() {
    holds(300, &mistyped(), |text| {
        if let Err(problems) = read(&text) {
            diagnostic::render(&problems, false, None);
        }
    });
}

#[test]
fn a_header_with_an_open_quote_above_a_carriage_return_does_not_panic() {
    let text = "[users]\n\"tia@acme.example\" = { role = 3 }\n[users.\"tia@acme.example\r\n role = 4\nwindows = [{ until = 2027-01-01 }]\n";
    assert!(read(text).is_err());
}

/// Generates cases, along with arbitrary text to use as names, statuses, roles, and addresses in Pylon.
fn odd_cases() -> impl Strategy<Value = (Case, Vec<String>)> {
    (cases(6), vec(words_of(3), 6 * 3))
}

#[test]
fn no_text_from_pylon_acts_as_a_command_in_a_report() {
    holds(100, &odd_cases(), |(case, texts)| {
        let mut people = case.people.clone();
        for (person, texts) in people.iter_mut().zip(texts.chunks(3)) {
            person.name.clone_from(&texts[0]);
            person.held.status = HeldValues::one(texts[1].as_str().into());
            person.secondary.push(rolecall::roster::Email::observed(&texts[2]));
            person.held.role.assigned.push(texts[0].as_str().into());
        }
        used_harmlessly(&case.resolve().roster, &people);
    });
}

#[test]
fn no_saved_plan_causes_a_panic_or_acts_as_a_command() {
    const KEYS: &[&str] = &["format", "version", "created", "organization", "operations", "checksum"];
    let value = prop_oneof![words_of(3).prop_map(|words| format!("{words:?}")), words_of(2)];
    let made_up = vec((select(KEYS.to_vec()), value), 0..6).prop_map(|pairs| {
        let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("\"{key}\": {value}")).collect();
        format!("{{ \"format\": \"rolecall plan\", \"version\": 1, {} }}", pairs.join(", "))
    });
    holds(200, &prop_oneof![any::<String>(), words(), made_up], |text| {
        if let Err(problem) = SavedPlan::parse(&text) {
            rendered_harmlessly(&Problems::from(problem));
        }
    });
}

#[test]
fn no_journal_causes_a_panic_and_every_line_is_read_or_counted() {
    const LINE: &str =
        r#"{"line":"answer","at":"2026-11-20T08:00:01Z","number":1,"failure":null,"request_id":null}"#;
    let whole = (0..=LINE.len()).prop_map(|end| LINE[..end].to_owned());
    let text = vec(prop_oneof![any::<String>(), words(), whole], 0..8).prop_map(|parts| parts.join("\n"));
    holds(150, &text, |text| {
        let (whole, damaged) = journal::read(&text);
        let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
        assert_eq!(whole.len() + damaged, lines);
    });
}
