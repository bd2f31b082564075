//! The HTML report of a plan or an apply.

use maud::{Markup, html};

use super::{advice, changes, diff, diff_lines, page, place, prose, scheduled, short, timeline};
use crate::clock::minute;
use crate::printable::Printable;
use crate::report::facts::plan::PlanReport;
use crate::report::sections::{self, Line, Part, Section};
use crate::report::tables::Mark;
use crate::report::transitions::MOST_LISTED;
use crate::report::{toml_diff, words};

pub(super) fn write(command: &str, report: &PlanReport) -> String {
    let sections = sections::plan(command, report);
    let parts = changes::parts(report);
    let hunks = toml_diff::plan(report);
    let inside = html! {
        (about(report))
        ul.counts { @for part in words::summary(report) { li { (part) } } }
        (contents(&sections, &parts, report, hunks.len()))
        @for section in &sections { (section_text(section, &parts, report)) }
        (diff(&hunks))
    };
    page(command, mark(report), &words::verdict(report), &inside)
}

/// Renders the table of contents, with the number of entries in each section. Short pages don't get one.
fn contents(
    sections: &[Section],
    parts: &[changes::PeopleSection<'_>],
    report: &PlanReport,
    hunks: usize,
) -> Markup {
    let PlanReport { windows, scheduled, .. } = report;
    let mut links: Vec<(String, &str, usize)> = Vec::new();
    for section in sections {
        match section {
            Section::Changes => {
                links.extend(parts.iter().map(|part| (part.id.to_owned(), part.title, part.people.len())));
            }
            Section::List { title, lines, .. } => links.push((id(title), title, lines.len())),
            Section::Scheduled => {
                links.push(("windows".into(), "Windows", windows.len().max(scheduled.len())));
            }
            Section::Paragraph(..) | Section::Alert { .. } | Section::Files(_) => {}
        }
    }
    let lines: usize = links.iter().map(|(_, _, number)| number).sum();
    links.push(("diff".into(), "TOML", hunks));
    html! {
        @if lines > MOST_LISTED {
            nav aria-label="Contents" {
                @for (id, title, number) in links.iter().filter(|(_, _, number)| *number > 0) {
                    a href=(format!("#{id}")) { (title) " " span.quiet { (number) } }
                }
            }
        }
    }
}

fn id(title: &str) -> String {
    let words = title.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

/// Renders a section, which is collapsed unless `is_open`. Following a link to `id` expands it.
fn list(title: &str, id: &str, is_open: bool, number: usize, lines: &Markup) -> Markup {
    html! {
        @if is_open {
            section id=(id) { h2 { (title) } (lines) }
        } @else {
            details { summary { h2 { (title) " (" (number) ")" } } div id=(id) { (lines) } }
        }
    }
}

/// Renders the parts of the headline that aren't in the title, followed by the scope of the plan.
fn about(report: &PlanReport) -> Markup {
    let headline = sections::headline(report);
    html! {
        @if headline.len() > 1 {
            p.headline {
                @for (number, part) in headline.iter().skip(1).enumerate() {
                    @if number > 0 { " · " }
                    (line_text(part))
                }
            }
        }
        p.about {
            (line_text(&sections::about(report)))
            @if report.at.is_none() { ", as of " time { (minute(report.now)) } }
        }
    }
}

fn mark(report: &PlanReport) -> Mark {
    let is_troubled = report.outcomes().any(|outcome| !outcome.is_in_sync());
    if report.blocked || is_troubled {
        Mark::Bad
    } else if report.result.is_none() && !report.changes.is_empty() {
        Mark::Attention
    } else {
        Mark::Good
    }
}

fn section_text(section: &Section, parts: &[changes::PeopleSection<'_>], report: &PlanReport) -> Markup {
    match section {
        Section::Paragraph(Mark::Bad, line) => html! { p.blocked { (line_text(line)) } },
        Section::Paragraph(Mark::Attention, line) => html! { p.attention { (line_text(line)) } },
        Section::Paragraph(Mark::Plain | Mark::Good, line) => html! { p.quiet { (line_text(line)) } },
        Section::List { title, is_open, lines } => {
            let items = html! { ul.people[!is_open] { @for line in lines { li { (line_text(line)) } } } };
            list(title, &id(title), *is_open, lines.len(), &items)
        }
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
        Section::Changes => html! { @for part in parts { (part.write(report)) } },
        Section::Scheduled => {
            let number = report.windows.len().max(report.scheduled.len());
            let inside =
                html! { (timeline::draw(&report.windows, report.now)) (scheduled(&report.scheduled)) };
            html! {
                @if number > 0 { (list("Windows", "windows", number <= MOST_LISTED, number, &inside)) }
            }
        }
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
                Part::Value(value) => code { (words::full_address(value)) },
                Part::Sentence(sentence) => (prose(sentence)),
                Part::Command(command) => code { (Printable::new(command).as_str()) },
                Part::Place(location) => (place(location)),
            }
        }
    }
}
