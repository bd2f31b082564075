//! A plan, or what came of it.

use maud::{Markup, html};

use super::{Tone, diff, diff_lines, page, place, scheduled, short, timeline};
use crate::clock::minute;
use crate::invocation::path_word;
use crate::plan::guardrails::Verdict;
use crate::printable::Printable;
use crate::report::facts::OrganizationLine;
use crate::report::facts::files::SkippedLine;
use crate::report::facts::plan::{
    ChangeLine, EditLine, Entry, ExpiredLine, FoundElsewhereLine, GuardrailLine, KeptRoleLine, MissingLine,
    OutcomeLine, PersonLine, PlanReport, RollbackNotes,
};
use crate::report::{toml_diff, words};

pub(super) fn write(command: &str, report: &PlanReport) -> String {
    let inside = html! {
        (about(report))
        (ending(report))
        (refusals(command, report))
        (kept_roles(report))
        (changes(report))
        (audit_log(report))
        (beside(report))
        (by_itself(report))
        (rollback(report))
        (guardrails(report))
        (diff(&toml_diff::plan(report)))
    };
    page(command, tone(report), &words::verdict(report), &inside)
}

fn tone(report: &PlanReport) -> Tone {
    let is_troubled = report.outcomes().any(|outcome| !outcome.is_in_force());
    if report.refused || is_troubled {
        Tone::Bad
    } else if report.result.is_none() && !report.changes.is_empty() {
        Tone::Attention
    } else {
        Tone::Good
    }
}

fn about(report: &PlanReport) -> Markup {
    let PlanReport { organization, made_up, declared, at, only, .. } = report;
    let OrganizationLine { name, id, place } = organization;
    html! {
        p.about {
            strong { (short(name)) } " (" (short(id)) ", " (short(place)) "), " (declared) " declared"
            @if !only.is_empty() {
                ", only " (only.iter().map(short).collect::<Vec<_>>().join(", "))
            }
            @if let Some(at) = at { ", as on " (short(at)) }
        }
        @if *made_up { p.attention { (words::MADE_UP) " " code { (report.invocation.describe()) } "." } }
        ul.counts { @for part in words::summary(report) { li { (part) } } }
    }
}

/// How it ended, and where that is written down.
fn ending(report: &PlanReport) -> Markup {
    let result = report.result.as_ref();
    html! {
        @if let Some(stopped) = result.and_then(|result| result.stopped.as_ref()) { p.refused { (stopped) } }
        @if let Some(next_step) = result.and_then(|result| result.next_step.as_ref()) {
            p.attention { (next_step) }
            @if let Some(journal) = &report.journal { p { (words::SENT) ": " code { (journal.as_str()) } } }
        }
        @if let Some(unread) = result.and_then(|result| words::not_read_back(result.not_read_back)) { p.attention { (unread) } }
        @if let Some(saved) = &report.saved {
            p { "Saved as " code { (saved.as_str()) } "; " code { (report.invocation.command(&["apply", &path_word(saved.raw().as_ref())])) } " " (words::SAVED) "." }
        }
    }
}

fn refusals(command: &str, report: &PlanReport) -> Markup {
    let refused = report.guardrails.iter().filter(|line| line.verdict == Verdict::Refused);
    html! {
        @if let Some(unchanged) = words::unchanged(command, report) { p.refused { (unchanged) } }
        @for GuardrailLine { name, about: _, verdict: _, figure, remedy, location } in refused {
            section.refusal {
                h2 { "Refused by " (name.as_str()) }
                p { (Printable::cut(figure, 300).as_str()) " " @if let Some(location) = location { (place(location)) } }
                @if let Some(remedy) = remedy { details { summary { "If it is meant" } pre { (remedy) } } }
            }
        }
    }
}

fn kept_roles(report: &PlanReport) -> Markup {
    html! {
        @if !report.kept_roles.is_empty() {
            section.kept {
                h2 { "Kept roles: look here first" }
                ul {
                    @for KeptRoleLine { email, role, gained } in &report.kept_roles {
                        li { span.email { (short(email)) } @if *gained { " gains " ins { (short(role)) } } @else { " loses " del { (short(role)) } } }
                    }
                }
            }
        }
    }
}

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
                tbody {
                    @for change in &report.changes {
                        tr {
                            td { (who(change)) }
                            td { @for edit in &change.edits { (edit_text(edit)) } }
                            td { @for edit in &change.edits { p { (place(&edit.location)) span.quiet { (words::origin(&edit.origin)) } } } }
                            @if is_blamed { td { @for edit in &change.edits { (blame_text(edit)) } } }
                            @if let Some(outcome) = &change.outcome { (outcome_cell(outcome)) }
                        }
                    }
                }
            }
        }
    }
}

fn who(change: &ChangeLine) -> Markup {
    let PersonLine { id: _, name, primary_email } = &change.person;
    html! {
        span.name { (short(name)) } " "
        span.email { (short(&change.email)) }
        @if let Some(primary) = primary_email { " " span.quiet { "in Pylon: " (short(primary)) } }
    }
}

fn edit_text(edit: &EditLine) -> Markup {
    let EditLine { field, from, to, through_scim, location: _, origin: _, blame: _ } = edit;
    let from: Vec<String> = from.iter().map(short).collect();
    html! {
        p {
            span.field { (field) } " "
            @if from.is_empty() { span.quiet { "none" } } @else { del { (from.join(", ")) } }
            " → " ins { (short(to)) }
            @if !through_scim.is_empty() {
                span.quiet { ", holds " (through_scim.iter().map(short).collect::<Vec<_>>().join(", ")) " through SCIM" }
            }
        }
    }
}

fn blame_text(edit: &EditLine) -> Markup {
    html! { p.quiet { @if let Some(blame) = &edit.blame { (words::blame(blame)) } } }
}

fn outcome_cell(outcome: &OutcomeLine) -> Markup {
    let class = if outcome.in_force { "good" } else { "bad" };
    html! { td.outcome.(class) { (outcome.detail) } }
}

/// Who is not there, who was found elsewhere, what is only observed.
fn beside(report: &PlanReport) -> Markup {
    let lines: Vec<Markup> = report.entries().into_iter().filter_map(beside_line).collect();
    html! {
        @if !lines.is_empty() { section { h2 { "Also noticed" } ul { @for line in &lines { li { (line) } } } } }
    }
}

fn beside_line(entry: Entry<'_>) -> Option<Markup> {
    let email = html! { span.email { (short(entry.email())) } };
    Some(match entry {
        Entry::Change(_) => return None,
        Entry::Observed(ChangeLine { edits, location, .. }) => html! {
            (email) " differs; observed, left alone " (place(location)) @for edit in edits { (edit_text(edit)) (blame_text(edit)) }
        },
        Entry::FoundElsewhere(FoundElsewhereLine { person, location, .. }) => html! {
            (email) " has another primary address in Pylon" @if let Some(primary) = &person.primary_email { ": " (short(primary)) } " " (place(location))
        },
        Entry::Missing(MissingLine { name: Some(name), location, .. }) => {
            html! { (email) " (" (short(name)) ") is deactivated in Pylon " (place(location)) }
        }
        Entry::Missing(MissingLine { did_you_mean, location, .. }) => html! {
            (email) " is not in Pylon" @if let Some(near) = did_you_mean { "; did you mean " (short(near)) "?" } " " (place(location))
        },
    })
}

/// Of what it is not said who changed it.
fn audit_log(report: &PlanReport) -> Markup {
    html! {
        @if let Some((what, why)) = report.audit_log.as_ref().and_then(words::audit_log) {
            p.quiet { (what) @if let Some(why) = why { ": " (why) } "." }
        }
    }
}

fn by_itself(report: &PlanReport) -> Markup {
    html! {
        @if !report.windows.is_empty() || !report.scheduled.is_empty() {
            section {
                h2 { "Windows" }
                (timeline::draw(&report.windows, report.now))
                (scheduled(&report.scheduled))
            }
        }
    }
}

/// What a rollback leaves, and what the next apply would make of it.
fn rollback(report: &PlanReport) -> Markup {
    let Some(notes) = &report.rollback else {
        return html! {};
    };
    let RollbackNotes { journal_is_whole, unreadable_lines, left, contradicted, files, unwritten } = notes;
    let line = |line: &SkippedLine| html! { li { span.email { (short(&line.email)) } " " (line.why) } };
    html! {
        @if !journal_is_whole { p.attention { (words::KILLED) } }
        @if *unreadable_lines > 0 { p.refused { (words::unreadable(*unreadable_lines)) } }
        @if !left.is_empty() { section { h2 { "Not taken back" } ul { @for left in left { (line(left)) } } } }
        @if *contradicted > 0 {
            section {
                h2 { "The files contradict it" }
                p { (words::count(*contradicted, "person is", "people are")) " declared otherwise, and the next apply would undo this. To keep it:" }
                @for file in files { p { (short(&file.name)) } (diff_lines(&file.hunks)) }
                ul { @for unwritten in unwritten { (line(unwritten)) } }
            }
        }
    }
}

fn guardrails(report: &PlanReport) -> Markup {
    let said = report.guardrails.iter().filter(|line| line.verdict != Verdict::Refused);
    html! {
        section {
            h2 { "Guardrails" }
            ul {
                @for GuardrailLine { name, about, verdict, figure, remedy: _, location: _ } in said {
                    li {
                        span.field { (name.as_str()) } " " (Printable::cut(figure, 300).as_str())
                        @match verdict {
                            Verdict::Holds | Verdict::Refused => {}
                            Verdict::Reported => @if let Some(note) = words::reported(about) { span.attention { "; " (note) } },
                            Verdict::Acknowledged { reason } => span.attention { ", acknowledged: " (Printable::cut(reason, 300).as_str()) },
                        }
                    }
                }
                @for ExpiredLine { guardrail, expired, at, location } in &report.expired {
                    li { "The acknowledgement of " (guardrail.as_str()) " expired " (short(expired)) " (" (minute(*at)) ") and is not obeyed " (place(location)) }
                }
            }
        }
    }
}
