//! The sections of a plan report. Markdown and HTML show all of them. The text format uses only [`guardrails`], [`base()`],
//! [`undeclared`], [`audit_log`], and [`rollback`], and has its own layout for the others.
//!
//! This module decides on the order and wording of the sections, and the formats decide how to present them.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::apply::Outcome;
use crate::clock::minute;
use crate::comparison::{ComparedSubject, DifferenceEntry, Kind, Unwritten};
use crate::plan::cause::Cause;
use crate::plan::guardrails::Verdict;
use crate::printable::Printable;
use crate::report::facts::OrganizationLine;
use crate::report::facts::agenda::ScheduledChange;
use crate::report::facts::files::{FileLine, SkippedLine};
use crate::report::facts::plan::{
    AcknowledgmentLine, ChangeLine, GuardrailLine, OutcomeLine, PlanReport, RollbackNotes,
};
use crate::report::tables::Mark;
use crate::report::words;
use crate::roster::{Field, Guardrail};
use crate::source::Location;

mod base;
mod others;

pub(in crate::report) use base::base;
use others::others;
pub(in crate::report) use others::undeclared;

/// The maximum length, in characters, of a sentence that contains untrusted text.
const LONGEST_SENTENCE: usize = 300;
/// The maximum length of a guardrail's figure (its measured value and limit) in characters. A figure can name a dozen people.
const LONGEST_FIGURE: usize = 1000;
/// The maximum number of people named in a line.
const NAMED: usize = 10;

#[derive(Debug, Clone)]
pub(in crate::report) enum Part {
    /// Text composed by rolecall itself, without any untrusted text.
    Words(String),
    /// Like [`Part::Words`], but emphasized.
    Strong(&'static str),
    /// A name or value from the files or from Pylon.
    Value(Printable),
    /// A sentence that contains untrusted text, already printable and truncated.
    Sentence(String),
    /// A command to copy, or other text that was in backticks.
    Command(String),
    Place(Location),
}

/// A sentence or list item, split into its parts.
pub(in crate::report) type Line = Vec<Part>;

#[derive(Debug, Clone)]
pub(in crate::report) enum Section {
    Paragraph(Mark, Line),
    List {
        title: &'static str,
        /// Whether the lines must be visible to a reviewer. Otherwise, a format can collapse the list to its title and
        /// length.
        is_open: bool,
        lines: Vec<Line>,
    },
    /// A highlighted message and the reasons for it.
    Alert {
        mark: Mark,
        heading: Line,
        reasons: Vec<Line>,
        /// Remedies for the reasons, each made up of sentences and an acknowledgment in TOML to copy.
        remedies: Vec<String>,
    },
    /// The changes. Each format decides whether to show a diff, a table, or both.
    Changes,
    /// The scheduled changes and the windows.
    Scheduled,
    /// The files that a rollback suggests editing, with the suggested edits.
    Files(Vec<FileLine>),
}

/// Builds a [`Line`] from string literals, values, and other parts.
macro_rules! line {
    ($($part:expr),+ $(,)?) => { vec![$(Part::from($part)),+] };
}
use line;

impl From<&str> for Part {
    fn from(words: &str) -> Self {
        Self::Words(words.to_owned())
    }
}

impl From<String> for Part {
    fn from(words: String) -> Self {
        Self::Words(words)
    }
}

impl From<&Printable> for Part {
    fn from(value: &Printable) -> Self {
        Self::Value(value.clone())
    }
}

impl From<&Location> for Part {
    fn from(location: &Location) -> Self {
        Self::Place(location.clone())
    }
}

fn cut(sentence: &str) -> Part {
    Part::Sentence(Printable::cut(sentence, LONGEST_SENTENCE).to_string())
}

fn cut_figure(figure: &Printable) -> Part {
    Part::Sentence(figure.short(LONGEST_FIGURE).to_string())
}

fn in_parentheses(location: &Location) -> Line {
    line![" (", location, ")"]
}

/// Returns a list section, or `None` if it would be empty.
fn list(title: &'static str, is_open: bool, lines: Vec<Line>) -> Option<Section> {
    (!lines.is_empty()).then_some(Section::List { title, is_open, lines })
}

/// Describes the scope of the plan: the organization, the number of declared people, and any limits.
pub(in crate::report) fn about(report: &PlanReport) -> Line {
    let PlanReport { organization, declared, at, only, .. } = report;
    let OrganizationLine { name, id, place } = organization;
    let mut line = line![name, " (", id, ", ", place, format!("), {declared} declared")];
    match only.as_slice() {
        [] => {}
        few if few.len() <= 3 => {
            for (number, email) in few.iter().enumerate() {
                line.extend(line![if number == 0 { ", only " } else { ", " }, email]);
            }
        }
        many => line.push(format!(", only {} people", many.len()).into()),
    }
    line.extend(at.iter().flat_map(|at| line![", as on ", at]));
    if let Some(base) = report.base.as_ref().filter(|base| base.problem.is_none()) {
        line.extend(line![", compared with ", &words::base_name(base)]);
        line.extend((!base.has_files).then_some(Part::from(", which does not have these files")));
    }
    line
}

/// Returns the parts of the title of a plan or an apply, most important first.
pub(in crate::report) fn headline(report: &PlanReport) -> Vec<Line> {
    let mut verdict = words::verdict(report);
    verdict[..1].make_ascii_uppercase();
    let mut parts = vec![line![verdict]];
    let people = report.changes.len();
    if report.result.is_none() && report.blocked {
        parts.push(line![words::people_change(people)]);
    }
    let blocked_later = report.blocked_later().count();
    if blocked_later > 0 {
        let changes = words::count(blocked_later, "scheduled change", "scheduled changes");
        parts.push(line![format!("{changes} will be blocked")]);
    }
    parts.extend(guarded_roles(report));
    let caused = report.changes.iter().filter_map(ChangeLine::cause);
    let others = caused.filter(|cause| *cause != Cause::ThisChange).count();
    if others > 0 {
        parts.push(line![format!("{others} not from this pull request")]);
    }
    parts.extend(scheduled_guarded_roles(report));
    parts.extend(unwritten(report));
    parts
}

/// Counts the people who gain and lose each guarded role. Some changes are counted separately: in a plan, those that the files
/// under review don't cause, and after an apply, those that weren't applied or confirmed.
fn guarded_roles(report: &PlanReport) -> Vec<Line> {
    let notes: HashMap<&Printable, &str> =
        report.changes.iter().map(|change| (&change.email, role_note(change))).collect();
    let mut guarded: BTreeMap<(&str, bool, &Printable), usize> = BTreeMap::new();
    for line in &report.guarded_roles {
        let note = notes.get(&line.email).copied().unwrap_or_default();
        *guarded.entry((note, line.gained, &line.role)).or_default() += 1;
    }
    let mut parts = Vec::new();
    for ((note, gained, role), number) in guarded {
        let verb = match (gained, number) {
            (true, 1) => "gains",
            (true, _) => "gain",
            (false, 1) => "loses",
            (false, _) => "lose",
        };
        parts.push(line![format!("{number} {verb} "), role, note]);
    }
    parts
}

/// Returns the note on a change of a guarded role. After an apply, the note is the outcome, unless the change was applied. In a
/// plan, it's the cause, unless the files under review cause the change.
fn role_note(change: &ChangeLine) -> &'static str {
    match &change.outcome {
        Some(OutcomeLine { applied: true, .. }) => "",
        Some(OutcomeLine { outcome: Outcome::Unknown(..), .. }) => " (not confirmed)",
        Some(_) => " (not applied)",
        None => {
            match change.edits.iter().find(|edit| edit.field == Field::Role).and_then(|edit| edit.cause) {
                Some(Cause::ThisChange) | None => "",
                Some(Cause::Scheduled) => " (scheduled)",
                Some(Cause::Drift) => " (drift)",
            }
        }
    }
}

/// Counts the scheduled gains and losses of each guarded role, except in changes that a guardrail would block.
///
/// With a base version, counts them only for people whose files differ from it in a value that takes effect later. That is either
/// on a date, or once the person is active in Pylon.
fn scheduled_guarded_roles(report: &PlanReport) -> Vec<Line> {
    // Index the people by address, since searching all entries for each change would be slow.
    let under_review: Option<HashSet<&str>> =
        report.base.as_ref().filter(|base| base.problem.is_none()).map(|base| {
            let is_scheduled = |entry: &&DifferenceEntry| {
                let later = [Some(Unwritten::OnADate), Some(Unwritten::NotFound)];
                entry.items.iter().any(|item| later.contains(&item.unwritten))
            };
            let scheduled = base.unwritten.iter().filter(is_scheduled);
            let people = scheduled.filter_map(|entry| match &entry.subject {
                ComparedSubject::Person { email } => Some(email.as_str()),
                _ => None,
            });
            people.collect()
        });
    let is_under_review = |change: &&ScheduledChange| {
        under_review.as_ref().is_none_or(|people| people.contains(change.email.raw()))
    };
    let mut guarded: BTreeMap<(&str, &Printable), usize> = BTreeMap::new();
    for change in report.guarded_later().filter(is_under_review) {
        for (verb, role) in change.guarded_roles() {
            *guarded.entry((verb, role)).or_default() += 1;
        }
    }
    let part = |((verb, role), number): ((&str, &Printable), usize)| {
        let verb = verb.trim_end_matches('s');
        line![format!("{number} will {verb} "), role, " on a date"]
    };
    guarded.into_iter().map(part).collect()
}

/// Counts the people who are no longer declared and the settings that differ from the base version.
fn unwritten(report: &PlanReport) -> Vec<Line> {
    let (mut removed, mut guarded, mut settings) = (0, 0, 0);
    for entry in report.base.iter().flat_map(|base| &base.unwritten) {
        match entry.subject {
            ComparedSubject::Person { .. } => {
                removed += usize::from(entry.kind == Kind::Removed);
                guarded += usize::from(entry.kind == Kind::Removed && entry.keeps_guarded);
            }
            ComparedSubject::Rule { .. } | ComparedSubject::Acknowledgment { .. } => settings += 1,
            ComparedSubject::Workspace
            | ComparedSubject::Policy
            | ComparedSubject::Guardrails
            | ComparedSubject::Files => settings += entry.items.len(),
        }
    }
    let mut parts = Vec::new();
    if removed > 0 {
        let mut line = line![words::count(removed, "person", "people"), " no longer declared"];
        if guarded > 0 {
            let verb = if guarded == 1 { "keeps" } else { "keep" };
            line.push(format!(" ({guarded} {verb} a guarded role)").into());
        }
        parts.push(line);
    }
    if settings > 0 {
        parts.push(line![words::count(settings, "setting differs", "settings differ")]);
    }
    parts
}

/// Returns the sections below the summary of a plan, most important first.
pub(in crate::report) fn plan(command: &str, report: &PlanReport) -> Vec<Section> {
    let mut sections = Vec::new();
    if report.made_up {
        let describe = Part::Command(report.invocation.describe());
        sections.push(Section::Paragraph(Mark::Attention, line![words::MADE_UP, " ", describe, "."]));
    }
    sections.extend(blocked(command, report));
    sections.extend(not_applied(report));
    sections.extend(guardrails(report));
    let guarded = report.guarded_later().map(guarded_later).collect();
    sections.extend(list("Scheduled changes to guarded roles", true, guarded));
    let blocked_later = report.blocked_later().map(blocked_later).collect();
    sections.extend(list("Scheduled, but will be blocked", true, blocked_later));
    sections.push(Section::Changes);
    sections.extend(base(report));
    sections.extend(audit_log(report));
    sections.extend(others(report));
    sections.push(Section::Scheduled);
    sections.extend(report.rollback.iter().flat_map(rollback));
    if let Some(unread) = report.result.as_ref().and_then(|result| words::not_read_back(result.not_read_back))
    {
        sections.push(Section::Paragraph(Mark::Attention, line![unread]));
    }
    sections
}

/// Returns a note about what the audit log doesn't show, with the reason if known.
pub(in crate::report) fn audit_log(report: &PlanReport) -> Option<Section> {
    let (what, why) = report.audit_log.as_ref().and_then(words::audit_log)?;
    let mut line = line![what];
    line.extend(why.into_iter().flat_map(|why| line![": ", Part::Sentence(why)]));
    line.push(".".into());
    Some(Section::Paragraph(Mark::Plain, line))
}

/// Returns an alert that lists the guardrails blocking the plan, each with its remedy.
fn blocked(command: &str, report: &PlanReport) -> Option<Section> {
    let mut reasons = Vec::new();
    let mut remedies: Vec<String> = Vec::new();
    for GuardrailLine { name, about: _, note: _, verdict, figure, remedy, location } in &report.guardrails {
        if *verdict != Verdict::Blocks {
            continue;
        }
        let figure = cut_figure(figure);
        let mut line = line!["Blocked by ", Part::Strong(name.as_str()), ": ", figure];
        line.extend(location.iter().flat_map(in_parentheses));
        reasons.push(line);
        remedies.extend(remedy.clone());
    }
    remedies.dedup();
    let unchanged = words::unchanged(command, report);
    let heading = unchanged.map_or("This plan cannot be applied.".to_owned(), |unchanged| {
        format!("This plan cannot be applied. {unchanged}")
    });
    let alert = Section::Alert { mark: Mark::Bad, heading: line![heading], reasons, remedies };
    report.blocked.then_some(alert)
}

fn guarded_later(change: &ScheduledChange) -> Line {
    let ScheduledChange { when, email, location, .. } = change;
    let mut line = line![when, " ", email, " "];
    line.extend(separated(change.guarded_roles().map(|(verb, role)| line![format!("{verb} "), role])));
    line.extend(in_parentheses(location));
    line
}

fn blocked_later(change: &ScheduledChange) -> Line {
    let ScheduledChange { when, email, field, location, blocked_by, .. } = change;
    let mut line = line![when, " ", email, format!(" {field} ("), location, "): "];
    line.extend(separated(blocked_by.iter().map(|figure| line![cut_figure(figure)])));
    line
}

/// Returns an alert with the changes that weren't applied and the next step, or with the reason the run ended early.
fn not_applied(report: &PlanReport) -> Option<Section> {
    let result = report.result.as_ref()?;
    let heading = match (&result.next_step, &result.stopped) {
        (Some(next_step), _) => with_commands(&format!("Not all changes were applied. {next_step}")),
        (None, Some(_)) => line!["The run ended early."],
        (None, None) => return None,
    };
    let shared = words::shared(report.outcomes());
    let mut people: Vec<Vec<&ChangeLine>> = vec![Vec::new(); shared.len()];
    // People whose outcome isn't shared by many, grouped by the description of the outcome.
    let mut others: BTreeMap<&str, Vec<&ChangeLine>> = BTreeMap::new();
    for change in &report.changes {
        let Some(outcome) = change.outcome.as_ref().filter(|outcome| !outcome.applied) else { continue };
        let kind = words::kind(&outcome.outcome);
        match shared.iter().position(|shared| shared.kind == kind) {
            Some(number) => people[number].push(change),
            None => others.entry(&outcome.detail).or_default().push(change),
        }
    }
    let mut reasons: Vec<Line> =
        result.stopped.iter().map(|stopped| line![Part::Sentence(stopped.clone())]).collect();
    for (shared, people) in shared.iter().zip(&people).filter(|(_, people)| !people.is_empty()) {
        reasons.push(people_line(&shared.sentence, people));
    }
    for (detail, people) in others {
        match people.as_slice() {
            [one] => reasons.push(line![&one.email, " ", cut(detail)]),
            several => reasons.push(people_line(detail, several)),
        }
    }
    Some(Section::Alert { mark: Mark::Attention, heading, reasons, remedies: Vec::new() })
}

/// Formats an outcome shared by several people, with their number and the first few addresses.
fn people_line(sentence: &str, people: &[&ChangeLine]) -> Line {
    let mut line = line![format!("{} people: ", people.len()), cut(sentence), " ("];
    line.extend(separated(people.iter().take(NAMED).map(|change| line![&change.email])));
    if people.len() > NAMED {
        line.push(format!(" and {} more", people.len() - NAMED).into());
    }
    line.push(")".into());
    line
}

/// Splits a sentence at its backticks, which mark commands and never occur inside a command.
pub(in crate::report) fn with_commands(sentence: &str) -> Line {
    let part = |(number, text): (usize, &str)| {
        let text = text.to_owned();
        if number % 2 == 1 { Part::Command(text) } else { Part::Words(text) }
    };
    sentence.split('`').enumerate().map(part).collect()
}

/// Returns the guardrails that don't block, followed by the acknowledgments.
pub(in crate::report) fn guardrails(report: &PlanReport) -> Vec<Section> {
    let (mut seats, mut passing): (Vec<Line>, Vec<Line>) = (Vec::new(), Vec::new());
    let mut lines = Vec::new();
    for guardrail in &report.guardrails {
        let GuardrailLine { name: guardrail, about: _, note, verdict, figure, remedy: _, location: _ } =
            guardrail;
        let figure = cut_figure(figure);
        let name = Part::Strong(guardrail.as_str());
        match verdict {
            // The number of holders of a role with a maximum is always shown.
            Verdict::Passes if *guardrail == Guardrail::KeepAtMost => seats.push(line![figure]),
            Verdict::Passes => passing.push(line![figure]),
            Verdict::Acknowledged { reason } => {
                lines.push(line![name, ": ", figure, "; acknowledged: ", cut(reason)]);
            }
            Verdict::Warns => {
                let note = note.as_ref().map_or_else(String::new, |note| format!("; {note}"));
                lines.push(line![name, " warns: ", figure, note]);
            }
            Verdict::Blocks => {}
        }
    }
    for AcknowledgmentLine { guardrail, expires, expired, at, location } in &report.acknowledgments {
        let (name, end) = (Part::Strong(guardrail.as_str()), Printable::new(&minute(*at)));
        let state = if *expired { " expired " } else { " is active until " };
        let mut line =
            line!["The acknowledgment of ", name, " at ", location, state, expires, " (", &end, ")"];
        line.extend(expired.then_some(Part::from(" and is ignored")));
        lines.push(line);
    }
    let mut sections = Vec::new();
    let mut seats = separated(seats.into_iter());
    if !seats.is_empty() {
        seats.push(".".into());
        sections.push(Section::Paragraph(Mark::Plain, seats));
    }
    if !report.blocked && !passing.is_empty() {
        let is_incomplete = report.outcomes().any(|outcome| !outcome.is_in_sync());
        let title = if is_incomplete { "Guardrails passed for the whole plan" } else { "Guardrails pass" };
        let mut line = line![Part::Strong(title), ": "];
        line.extend(separated(passing.into_iter()));
        line.push(".".into());
        if is_incomplete {
            let roles = Part::Command(report.invocation.command(&["roles"]));
            line.extend(line![" Not all of it is applied: ", roles, " counts the holders now."]);
        }
        sections.push(Section::Paragraph(Mark::Good, line));
    }
    sections.extend(list("Guardrails", true, lines));
    sections
}

/// Joins lines with commas.
fn separated(lines: impl Iterator<Item = Line>) -> Line {
    let mut joined = Line::new();
    for (number, line) in lines.enumerate() {
        if number > 0 {
            joined.push(", ".into());
        }
        joined.extend(line);
    }
    joined
}

/// Returns the notes on a rollback: damage to the journal, values that can't be rolled back, and values that the next apply
/// would set again.
pub(in crate::report) fn rollback(notes: &RollbackNotes) -> Vec<Section> {
    let RollbackNotes { journal_is_whole, unreadable_lines, not_rolled_back, contradicted, files, unwritten } =
        notes;
    let skipped = |lines: &[SkippedLine]| {
        let line = |SkippedLine { email, why, location }: &SkippedLine| {
            let mut line = line![email, " ", Part::Sentence(why.clone())];
            line.extend(location.iter().flat_map(in_parentheses));
            line
        };
        lines.iter().map(line).collect::<Vec<Line>>()
    };
    let mut sections = Vec::new();
    if !journal_is_whole {
        sections.push(Section::Paragraph(Mark::Attention, line![words::KILLED]));
    }
    if *unreadable_lines > 0 {
        let damage = format!(": {}.", words::unreadable(*unreadable_lines));
        sections.push(Section::Paragraph(Mark::Bad, line![Part::Strong("Damaged"), damage]));
    }
    sections.extend(list("Not rolled back", true, skipped(not_rolled_back)));
    if *contradicted > 0 {
        let people = words::count(
            *contradicted,
            "person has different values in the files",
            "people have different values in the files",
        );
        let mut rest = format!(": {people}, and the next apply would set them again.");
        if !files.is_empty() {
            rest += " To keep the rollback, edit the files:";
        }
        let line = line![Part::Strong("The files contradict this rollback"), rest];
        sections.push(Section::Paragraph(Mark::Attention, line));
        sections.extend((!files.is_empty()).then(|| Section::Files(files.clone())));
        sections.extend(list("No edit available", true, skipped(unwritten)));
    }
    sections
}
