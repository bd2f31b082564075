//! A plan, or the result of applying it.

use maud::{Markup, html};

use super::{LONGEST, Tone, advice, diff, diff_lines, page, place, prose, scheduled, short, timeline};
use crate::printable::Printable;
use crate::report::facts::plan::{ChangeLine, EditLine, OutcomeLine, PersonLine, PlanReport};
use crate::report::sections::{self, Line, Part, Section};
use crate::report::tables::Mark;
use crate::report::words::Shared;
use crate::report::{toml_diff, words};

pub(super) fn write(command: &str, report: &PlanReport) -> String {
    let inside = html! {
        p.about { (line_text(&sections::about(report))) }
        ul.counts { @for part in words::summary(report) { li { (part) } } }
        @for section in sections::plan(command, report) { (section_text(&section, report)) }
        (diff(&toml_diff::plan(report)))
    };
    page(command, tone(report), &words::verdict(report), &inside)
}

fn tone(report: &PlanReport) -> Tone {
    let is_troubled = report.outcomes().any(|outcome| !outcome.is_in_sync());
    if report.blocked || is_troubled {
        Tone::Bad
    } else if report.result.is_none() && !report.changes.is_empty() {
        Tone::Attention
    } else {
        Tone::Good
    }
}

fn section_text(section: &Section, report: &PlanReport) -> Markup {
    match section {
        Section::Paragraph(Mark::Bad, line) => html! { p.blocked { (line_text(line)) } },
        Section::Paragraph(Mark::Attention, line) => html! { p.attention { (line_text(line)) } },
        Section::Paragraph(Mark::Plain | Mark::Good, line) => html! { p.quiet { (line_text(line)) } },
        Section::List { title, is_open: _, lines } => html! {
            section {
                h2 { (title) }
                ul { @for line in lines { li { (line_text(line)) } } }
            }
        },
        Section::Alert { mark, heading, reasons, remedies } => html! {
            @let is_bad = *mark == Mark::Bad;
            section.(if is_bad { "refusal" } else { "notice" }) {
                p { @if is_bad { strong { (line_text(heading)) } } @else { (line_text(heading)) } }
                ul { @for reason in reasons { li { (line_text(reason)) } } }
                @if !remedies.is_empty() {
                    details { summary { "If this is intended" } @for remedy in remedies { (advice(remedy)) } }
                }
            }
        },
        Section::Changes => changes(report),
        Section::Scheduled => html! {
            @if !report.windows.is_empty() || !report.scheduled.is_empty() {
                section {
                    h2 { "Windows" }
                    (timeline::draw(&report.windows, report.now))
                    (scheduled(&report.scheduled))
                }
            }
        },
        Section::Files(files) => html! {
            @for file in files { p { (short(&file.name)) } (diff_lines(&file.hunks)) }
        },
    }
}

fn line_text(line: &Line) -> Markup {
    html! {
        @for part in line {
            @match part {
                Part::Words(words) => (prose(words)),
                Part::Strong(words) => strong { (words) },
                Part::Value(value) => code { (short(value)) },
                Part::Sentence(sentence) => (prose(sentence)),
                Part::Command(command) => code { (Printable::new(command).as_str()) },
                Part::Place(location) => (place(location)),
            }
        }
    }
}

/// Formats the people who change: those whose change is not applied first. A person has one row per edit.
fn changes(report: &PlanReport) -> Markup {
    let shared = words::shared(report.outcomes());
    let is_applied = |change: &&ChangeLine| change.outcome.as_ref().is_none_or(|outcome| outcome.applied);
    let (applied, not_applied): (Vec<_>, Vec<_>) = report.changes.iter().partition(is_applied);
    html! {
        @if !report.changes.is_empty() {
            table.changes {
                thead {
                    tr {
                        th { "Who" }
                        @if report.result.is_some() { th { "Outcome" } }
                        th { "What" } th { "Where" }
                        @if report.audit_log.is_some() { th { "Last change" } }
                    }
                }
                @for change in not_applied.into_iter().chain(applied) {
                    (rows(change, &shared, report.audit_log.is_some()))
                }
            }
        }
    }
}

fn rows(change: &ChangeLine, shared: &[Shared], is_blamed: bool) -> Markup {
    let ChangeLine { email, person, edits, outcome, location: _ } = change;
    let PersonLine { id: _, name, primary_email } = person;
    html! {
        tbody {
            @for (number, edit) in edits.iter().enumerate() {
                tr {
                    @if number == 0 {
                        td.who rowspan=(edits.len()) {
                            span.name { (short(name)) } " "
                            span.email { (short(email)) }
                            @if let Some(primary) = primary_email { " " span.quiet { "in Pylon: " (short(primary)) } }
                        }
                        @if let Some(outcome) = outcome {
                            @let class = if outcome.applied { "good" } else { "bad" };
                            td.outcome.(class) rowspan=(edits.len()) { (prose(outcome_text(outcome, shared))) }
                        }
                    }
                    td.what { (edit_text(edit)) }
                    td.where { (place(&edit.location)) span.quiet { (words::why(edit)) } }
                    @if is_blamed { td.quiet { @if let Some(blame) = &edit.blame { (words::blame(blame)) } } }
                }
            }
        }
    }
}

/// Returns the outcome with its reason. If many people share it, the reason is above the changes.
fn outcome_text<'r>(line: &'r OutcomeLine, shared: &[Shared]) -> &'r str {
    let kind = words::kind(&line.outcome);
    if shared.iter().any(|shared| shared.kind == kind) { line.name } else { &line.detail }
}

fn edit_text(edit: &EditLine) -> Markup {
    let EditLine { field, from: _, to: _, through_scim, location: _, origin: _, blame: _, cause: _ } = edit;
    let (from, to) = edit.short_values(LONGEST);
    let from: Vec<&str> = from.iter().map(Printable::as_str).collect();
    html! {
        span.field { (field) } " "
        @if from.is_empty() { span.quiet { "none" } } @else { del { (from.join(", ")) } }
        " → " ins { (to.as_str()) }
        @if !through_scim.is_empty() {
            span.quiet { ", has " (through_scim.iter().map(short).collect::<Vec<_>>().join(", ")) " through SCIM" }
        }
    }
}
