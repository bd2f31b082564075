//! A plan, or the result of applying it.

use maud::{Markup, html};

use super::{LONGEST, Tone, diff, diff_lines, page, place, scheduled, short, timeline};
use crate::printable::Printable;
use crate::report::facts::plan::{ChangeLine, EditLine, PersonLine, PlanReport};
use crate::report::sections::{self, Line, Part, Section};
use crate::report::tables::Mark;
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
            section.refusal[*mark == Mark::Bad] {
                p { strong { (line_text(heading)) } }
                ul { @for reason in reasons { li { (line_text(reason)) } } }
                @if !remedies.is_empty() {
                    details { summary { "If this is intended" } @for remedy in remedies { pre { (remedy) } } }
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
                Part::Words(words) => (words),
                Part::Strong(words) => strong { (words) },
                Part::Value(value) => code { (short(value)) },
                Part::Sentence(sentence) => (sentence),
                Part::Command(command) => code { (Printable::new(command).as_str()) },
                Part::Place(location) => (place(location)),
            }
        }
    }
}

/// Formats the people who change, one per row.
fn changes(report: &PlanReport) -> Markup {
    let (is_applied, is_blamed) = (report.result.is_some(), report.audit_log.is_some());
    html! {
        @if !report.changes.is_empty() {
            table.changes {
                thead {
                    tr {
                        th { "Who" } th { "What" } th { "Where" }
                        @if is_blamed { th { "Last change" } }
                        @if is_applied { th { "Outcome" } }
                    }
                }
                tbody { @for change in &report.changes { (row(change, is_blamed)) } }
            }
        }
    }
}

fn row(change: &ChangeLine, is_blamed: bool) -> Markup {
    let ChangeLine { email, person, edits, outcome, location: _ } = change;
    let PersonLine { id: _, name, primary_email } = person;
    html! {
        tr {
            td {
                span.name { (short(name)) } " "
                span.email { (short(email)) }
                @if let Some(primary) = primary_email { " " span.quiet { "in Pylon: " (short(primary)) } }
            }
            td { @for edit in edits { (edit_text(edit)) } }
            td { @for edit in edits { p { (place(&edit.location)) span.quiet { (words::why(edit)) } } } }
            @if is_blamed {
                td { @for edit in edits { p.quiet { @if let Some(blame) = &edit.blame { (words::blame(blame)) } } } }
            }
            @if let Some(outcome) = outcome {
                @let class = if outcome.applied { "good" } else { "bad" };
                td.outcome.(class) { (outcome.detail) }
            }
        }
    }
}

fn edit_text(edit: &EditLine) -> Markup {
    let EditLine { field, from: _, to: _, through_scim, location: _, origin: _, blame: _, cause: _ } = edit;
    let (from, to) = edit.short_values(LONGEST);
    let from: Vec<&str> = from.iter().map(Printable::as_str).collect();
    html! {
        p {
            span.field { (field) } " "
            @if from.is_empty() { span.quiet { "none" } } @else { del { (from.join(", ")) } }
            " → " ins { (to.as_str()) }
            @if !through_scim.is_empty() {
                span.quiet { ", has " (through_scim.iter().map(short).collect::<Vec<_>>().join(", ")) " through SCIM" }
            }
        }
    }
}
