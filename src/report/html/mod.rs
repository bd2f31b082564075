//! The HTML format: one self-contained page without scripts, for light and dark mode and for desktops and phones.
//!
//! Text from elsewhere never becomes markup, a link, or a style. maud escapes everything that is put into the page, and [`Printable`]
//! makes hidden characters visible.

mod comparison;
mod plan;
mod tables;
mod timeline;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::diff::{Hunk, Sign};
use super::facts::agenda::ScheduledChange;
use super::{Body, Report, diagnostic, words};
use crate::printable::Printable;
use crate::source::Location;

const STYLE: &str = include_str!("page.css");
/// The maximum length of names and values in characters. JSON has the full texts.
const LONGEST: usize = 120;

/// The color of the page header.
#[derive(Debug, Clone, Copy)]
enum Tone {
    /// There is nothing to do, or everything was applied.
    Good,
    /// There is something to review.
    Attention,
    /// It was blocked or failed.
    Bad,
}

/// Returns the report as a page, or an empty text if there is nothing to report.
pub(super) fn write(report: &Report) -> String {
    let Report { command, exit, body } = report;
    match body {
        Body::Nothing => String::new(),
        Body::NobodyDeclared { file, declared: _ } => page(
            command,
            Tone::Good,
            "nothing to do",
            &html! { p { (file.as_str()) " declares no people." } },
        ),
        Body::Valid { files, declared } => {
            page(command, Tone::Good, &words::valid(files.len(), *declared), &html! {})
        }
        Body::Plan(plan) => plan::write(command, plan),
        Body::Comparison(comparison) => comparison::write(command, comparison),
        Body::Agenda(agenda) => {
            let verdict = words::agenda(agenda.scheduled.len(), agenda.windows.len());
            let inside = html! {
                p.about { (agenda.file.as_str()) ", times in " (agenda.timezone.as_str()) }
                (timeline::draw(&agenda.windows, agenda.now))
                (scheduled(&agenda.scheduled))
            };
            page(command, Tone::Attention, &verdict, &inside)
        }
        Body::Roles(roles) => tables::write(command, &roles.tables()),
        Body::Explanation(explanation) => tables::write(command, &explanation.tables()),
        Body::Doctor(doctor) => tables::write(command, &doctor.tables()),
        Body::Files(files) => tables::write(command, &files.tables()),
        Body::Problems(problems) => {
            let letters: String = diagnostic::letters(problems, false).collect::<Vec<_>>().join("\n");
            let number = words::count(problems.list.len(), "problem", "problems");
            let inside = html! {
                p { (words::not_done(*exit)) }
                pre.letters { (letters) }
            };
            page(command, Tone::Bad, &number, &inside)
        }
    }
}

fn page(command: &str, tone: Tone, verdict: &str, inside: &Markup) -> String {
    let tone = match tone {
        Tone::Good => "good",
        Tone::Attention => "attention",
        Tone::Bad => "bad",
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                // Defense in depth: even unescaped markup could not load or run anything.
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { "rolecall " (command) ": " (verdict) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header class=(tone) {
                    p.command { "rolecall " (command) }
                    h1 { (verdict) }
                }
                main { (inside) }
                footer { "rolecall " (env!("CARGO_PKG_VERSION")) }
            }
        }
    };
    page.into_string() + "\n"
}

/// Formats the scheduled changes, one per row.
fn scheduled(lines: &[ScheduledChange]) -> Markup {
    let value = |value: &Option<Printable>| match value {
        Some(value) => html! { code { (value.as_str()) } },
        None => html! { span.quiet { "left alone" } },
    };
    html! {
        @if !lines.is_empty() {
            table.coming {
                thead { tr { th { "When" } th { "Who" } th { "What" } th { "Where" } } }
                tbody {
                    @for line in lines {
                        @let ScheduledChange { when, email, field, from: _, to: _, location, blocked_by } = line;
                        @let [from, to] = line.short_values(LONGEST);
                        tr {
                            td { time { (when.as_str()) } }
                            td { (short(email)) }
                            td {
                                span.field { (field) } " " (value(&from)) " → " (value(&to))
                                @for guardrail in blocked_by { p.blocked { "will be blocked by " (guardrail) } }
                            }
                            td { (place(location)) }
                        }
                    }
                }
            }
        }
    }
}

/// Formats the hunks as a collapsed diff.
fn diff(hunks: &[Hunk]) -> Markup {
    html! {
        @if !hunks.is_empty() {
            details.diff {
                summary { "Show as TOML" }
                (diff_lines(hunks))
            }
        }
    }
}

fn diff_lines(hunks: &[Hunk]) -> Markup {
    html! {
        pre {
            @for (number, hunk) in hunks.iter().enumerate() {
                @if number > 0 { "\n" }
                @for (sign, line) in &hunk.lines {
                    @let class = match sign { Sign::Same => "same", Sign::Before => "before", Sign::After => "after" };
                    span class=(class) { (sign.as_char()) (line) } "\n"
                }
            }
        }
    }
}

fn short(text: &Printable) -> String {
    text.short(LONGEST).to_string()
}

fn place(location: &Location) -> Markup {
    html! { span.place { (location) } }
}
