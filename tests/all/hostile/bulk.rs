//! Puts every string into every carrier, with a few people per report.

use std::ops::Range;

use rolecall::exit::Exit;
use rolecall::report::{Body, Format, Report, write};

use super::bodies::{PlanOf, agenda, comparison, no_people, plan, problems};
use super::carriers::{Carrier, Deal};
use super::corpus;
use super::rendering::{NO_LIMIT, check_formats, setting};
use super::sheets::{access, candidates, doctor, explanation, files, journals, roles};
use crate::harness::formats_of;

/// The number of rounds per report. A job's log shows at most ten annotations per level.
const ROUNDS: usize = 8;

/// The formats of reports with several rounds. HTML and JSON each get only every other report because they escape everything
/// the same way. Terminal output is colored in every other report.
const ALTERNATING: [&[Format]; 2] = [
    &[Format::Text, Format::Markdown, Format::Github, Format::Html],
    &[Format::Text, Format::Markdown, Format::Github, Format::Json],
];
/// The same as [`ALTERNATING`], for reports that can also be written as CSV.
const ALTERNATING_TABLES: [&[Format]; 2] = [
    &[Format::Text, Format::Markdown, Format::Github, Format::Html, Format::Csv],
    &[Format::Text, Format::Markdown, Format::Github, Format::Json, Format::Csv],
];
/// The formats of reports with a single round. With one round per report, even a carrier that occurs only once per report gets
/// every string.
const FAST: [&[Format]; 2] = [&[Format::Text, Format::Markdown]; 2];

/// The formats of long reports. Each format except text is written only for every other report.
const ALTERNATING_LONG: [&[Format]; 2] =
    [&[Format::Text, Format::Markdown, Format::Html], &[Format::Text, Format::Github, Format::Json]];

/// Writes reports for all rounds. Every carrier gets every string.
fn check_reports(
    formats: [&[Format]; 2],
    command: &'static str,
    rounds: usize,
    body: impl Fn(&mut Deal<'_>, Range<usize>) -> Body,
) {
    let strings = corpus::strings();
    for (number, start) in (0..strings.len()).step_by(rounds).enumerate() {
        let mut deal = Deal::new(&strings);
        let body = body(&mut deal, start..start + rounds);
        check_formats(formats[number % 2], command, number % 2 == 1, body, &deal);
    }
}

#[test]
fn every_format_is_judged() {
    let is_judged = |format: Format, turns: [&[Format]; 2]| turns.iter().any(|turn| turn.contains(&format));
    for format in Format::ALL {
        assert!(is_judged(format, ALTERNATING_TABLES), "{format:?}");
        assert_eq!(is_judged(format, ALTERNATING), format != Format::Csv, "{format:?}");
        assert_eq!(is_judged(format, ALTERNATING_LONG), format != Format::Csv, "{format:?}");
    }
}

#[test]
fn a_plan_is_harmless() {
    check_reports(ALTERNATING_TABLES, "plan", ROUNDS, |deal, rounds| {
        // Two rounds are enough because an apply's report shows the same text about people and gets every string.
        let rounds = rounds.start..rounds.start + 2;
        plan(deal, &PlanOf { rounds, carried_out: false })
    });
}

#[test]
fn the_result_of_an_apply_is_harmless() {
    check_reports(ALTERNATING, "apply", ROUNDS, |deal, rounds| {
        plan(deal, &PlanOf { rounds, carried_out: true })
    });
}

#[test]
fn texts_that_appear_once_in_a_plan_are_harmless() {
    check_reports(FAST, "plan", 1, |deal, rounds| {
        plan(
            deal,
            &PlanOf { rounds: rounds.start..rounds.start, carried_out: rounds.start.is_multiple_of(2) },
        )
    });
}

#[test]
fn every_format_reports_changes_that_were_not_read_back() {
    let strings = ["x".to_owned()];
    let mut deal = Deal::new(&strings);
    let body = plan(&mut deal, &PlanOf { rounds: 0..1, carried_out: true });
    let report = Report { command: "apply", exit: Exit::Partial, body };
    for format in formats_of(report.command) {
        let text = write(&report, format, &setting(NO_LIMIT, false));
        let said = match format {
            Format::Csv => unreachable!("an apply has no table"),
            Format::Json => "\"not_read_back\": 2",
            Format::Text | Format::Markdown | Format::Github | Format::Html => {
                "2 changes were confirmed by Pylon when sent, but not read back."
            }
        };
        assert!(text.contains(said), "{format:?}:\n{text}");
    }
}

#[test]
fn a_comparison_is_harmless() {
    check_reports(ALTERNATING, "compare", ROUNDS, comparison);
}

#[test]
fn an_agenda_is_harmless() {
    check_reports(ALTERNATING_TABLES, "agenda", ROUNDS, agenda);
}

#[test]
fn problems_are_harmless() {
    check_reports(ALTERNATING, "validate", ROUNDS, problems);
}

#[test]
fn empty_files_are_harmless() {
    check_reports(FAST, "plan", 1, |deal, rounds| no_people(deal, rounds.start));
}

#[test]
fn roles_are_harmless() {
    check_reports(ALTERNATING_TABLES, "roles", ROUNDS, roles);
}

#[test]
fn an_access_review_is_harmless() {
    check_reports(ALTERNATING_TABLES, "access", ROUNDS, access);
}

#[test]
fn an_explanation_is_harmless() {
    check_reports(ALTERNATING_LONG, "explain", 1, explanation);
}

#[test]
fn a_list_of_candidates_is_harmless() {
    check_reports(ALTERNATING, "explain", ROUNDS, candidates);
}

#[test]
fn a_list_of_journals_is_harmless() {
    check_reports(ALTERNATING, "rollback", ROUNDS, journals);
}

#[test]
fn file_reports_are_harmless() {
    check_reports(ALTERNATING, "import", ROUNDS, files);
}

#[test]
fn doctor_reports_are_harmless() {
    check_reports(ALTERNATING, "doctor", ROUNDS, doctor);
}

#[test]
fn every_carrier_is_used() {
    let strings = corpus::strings();
    let mut deal = Deal::new(&strings);
    for round in 0..6 {
        for carried_out in [true, false] {
            plan(&mut deal, &PlanOf { rounds: round..round + 1, carried_out });
        }
    }
    comparison(&mut deal, 0..1);
    agenda(&mut deal, 0..1);
    problems(&mut deal, 0..1);
    no_people(&mut deal, 0);
    roles(&mut deal, 0..1);
    access(&mut deal, 0..1);
    for round in 0..2 {
        explanation(&mut deal, round..round + 1);
    }
    candidates(&mut deal, 0..1);
    journals(&mut deal, 0..1);
    files(&mut deal, 0..1);
    doctor(&mut deal, 0..1);
    for carrier in Carrier::ALL {
        assert!(deal.dealt().iter().any(|(used, _)| used == carrier), "{carrier:?}");
    }
}
