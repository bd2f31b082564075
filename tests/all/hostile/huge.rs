//! Very long text. Reports for people stay short, comments stay within their limit, and JSON contains the whole text.

use rolecall::exit::Exit;
use rolecall::printable::Printable;
use rolecall::report::facts::plan::ChangeLine;
use rolecall::report::{Body, Format, LONGEST_COMMENT, PlanReport, Report, write};
use rolecall::source::Location;

use super::bodies::{PlanOf, agenda, comparison, plan, problems};
use super::carriers::Deal;
use super::judges::judge;
use super::rendering::setting;
use super::sheets::{access, explanation, roles};
use crate::harness::formats_for_people;

/// The limit for the length of a line in bytes. A line this long must contain text that should have been cut.
const LONGEST_LINE: usize = 40_000;

fn reports(strings: &[String], rounds: usize) -> Vec<(&'static str, Body)> {
    let mut deal = Deal::new(strings);
    vec![
        ("plan", plan(&mut deal, &PlanOf { rounds: 0..rounds, carried_out: false })),
        ("apply", plan(&mut deal, &PlanOf { rounds: 0..rounds, carried_out: true })),
        ("compare", comparison(&mut deal, 0..rounds)),
        ("agenda", agenda(&mut deal, 0..rounds)),
        ("validate", problems(&mut deal, 0..rounds)),
        ("access", access(&mut deal, 0..rounds)),
    ]
}

#[test]
fn a_comment_of_hostile_text_stays_within_its_limit_and_is_complete() {
    let strings = [
        "`".repeat(500),
        "\u{e0041}".repeat(500),
        format!("{}@octocat", "``` ".repeat(100)),
        "<!-- rolecall:plan -->".repeat(20),
        "Z\u{301}".repeat(200),
    ];
    for (command, body) in reports(&strings, 40) {
        let report = Report { command, exit: Exit::Done, body };
        for limit in [LONGEST_COMMENT, 32_000, 8192] {
            let comment = write(&report, Format::Markdown, &setting(limit, false));
            assert!(comment.len() <= limit, "{command}: {} of {limit}", comment.len());
            judge(Format::Markdown, &comment).unwrap_or_else(|why| panic!("{command}: {why}\n{comment}"));
            let is_given_up = comment.contains("too long to show here");
            assert!(!is_given_up || limit < LONGEST_COMMENT, "{command}: nothing is shown within {limit}");
        }
    }
}

#[test]
fn a_long_text_from_a_server_is_cut_in_reports_for_people() {
    let strings = ["n".repeat(100_000)];
    for report in reports_of_server(&strings) {
        for format in formats_for_people() {
            let (command, text) = (report.command, write(&report, format, &setting(LONGEST_COMMENT, false)));
            let longest = text.lines().map(str::len).max().unwrap_or_default();
            assert!(longest < LONGEST_LINE, "{command} as {format:?}: a line of {longest}");
            judge(format, &text).unwrap_or_else(|why| panic!("{command} as {format:?}: {why}"));
        }
    }
}

#[test]
fn json_contains_a_long_text_whole() {
    let strings = [format!("{}\u{1b}\u{10ffff}", "n".repeat(10_000))];
    for report in reports_of_server(&strings) {
        let text = write(&report, Format::Json, &setting(LONGEST_COMMENT, false));
        assert!(judge(Format::Json, &text).unwrap().has(&strings[0]), "{}", report.command);
    }
}

/// Returns reports in which all text from a server consists of these strings. Paths and times are excluded because they come
/// from the user or have a grammar that keeps them short. Declared addresses are excluded because they have at most 254
/// characters.
fn reports_of_server(strings: &[String]) -> Vec<Report> {
    let mut deal = Deal::new(strings);
    let report = |command, body| Report { command, exit: Exit::Done, body };
    let explained = [0, 1].map(|round| {
        let Body::Explanation(mut report) = explanation(&mut deal, round..round + 1) else {
            unreachable!("it is an explanation");
        };
        report.declared = None;
        report.values.clear();
        report.standing.clear();
        report.scheduled.clear();
        report.plan.iter_mut().for_each(shorten);
        Body::Explanation(report)
    });
    let Body::Plan(mut plan) = plan(&mut deal, &PlanOf { rounds: 0..1, carried_out: true }) else {
        unreachable!("it is a plan");
    };
    shorten(&mut plan);
    let mut reports = vec![report("apply", Body::Plan(plan)), report("roles", roles(&mut deal, 0..1))];
    reports.extend(explained.map(|body| report("explain", body)));
    reports
}

/// Shortens or removes the plan's text that doesn't come from a server, such as the names of files.
fn shorten(plan: &mut PlanReport) {
    let short = || Printable::new("short");
    (plan.at, plan.saved, plan.journal) = (Some(short()), Some(short()), Some(short()));
    plan.acknowledgments.clear();
    plan.scheduled.clear();
    plan.windows.clear();
    if let Some(lines) = &mut plan.rollback {
        lines.not_rolled_back.iter_mut().for_each(|line| line.location = None);
        lines.files.iter_mut().for_each(|file| file.name = short());
    }
    let in_short = |email: &mut Printable, location: &mut Location| {
        *email = short();
        location.file = "users.toml".into();
    };
    for ChangeLine { email, edits, location, .. } in
        plan.changes.iter_mut().chain(&mut plan.observed).chain(&mut plan.ignored)
    {
        in_short(email, location);
        edits.iter_mut().for_each(|edit| edit.location.file = "users.toml".into());
    }
    plan.missing.iter_mut().for_each(|line| in_short(&mut line.email, &mut line.location));
    plan.found_elsewhere.iter_mut().for_each(|line| in_short(&mut line.email, &mut line.location));
}
