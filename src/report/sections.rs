//! The sections of a plan report in markdown and HTML: which there are, in which order, and in which words. Each format decides how
//! they look.

use super::facts::OrganizationLine;
use super::facts::files::{FileLine, SkippedLine};
use super::facts::plan::{
    ChangeLine, EditLine, Entry, ExpiredLine, FoundElsewhereLine, GuardedRoleLine, GuardrailLine,
    MissingLine, PlanReport, RollbackNotes,
};
use super::tables::Mark;
use super::words;
use crate::clock::minute;
use crate::invocation::path_word;
use crate::plan::guardrails::Verdict;
use crate::printable::Printable;
use crate::source::Location;

/// The maximum length of a sentence from elsewhere, in characters.
const LONGEST_SENTENCE: usize = 300;
/// How many people a line names at most.
const NAMED: usize = 10;

#[derive(Debug, Clone)]
pub(super) enum Part {
    /// Words that rolecall chooses.
    Words(String),
    /// Emphasized words of rolecall.
    Strong(&'static str),
    /// A name or a value from elsewhere.
    Value(Printable),
    /// A sentence that contains text from elsewhere. It is already printable and short.
    Sentence(String),
    /// A command to paste, or a path to type.
    Command(String),
    Place(Location),
}

/// A sentence, or an item of a list.
pub(super) type Line = Vec<Part>;

#[derive(Debug, Clone)]
pub(super) enum Section {
    Paragraph(Mark, Line),
    List {
        title: &'static str,
        /// Whether the lines need the title to be understood. Markdown omits a title that is not needed.
        is_title_needed: bool,
        lines: Vec<Line>,
    },
    /// A highlighted message with its reasons.
    Alert {
        mark: Mark,
        heading: Line,
        reasons: Vec<Line>,
        /// How to acknowledge the reasons: sentences and TOML to copy.
        remedies: Vec<String>,
        follow_up: Option<Line>,
    },
    /// The people who change. The format chooses a diff, a table, or both.
    Changes,
    /// The scheduled changes and the windows.
    Scheduled,
    /// Suggested edits of these files.
    Files(Vec<FileLine>),
}

/// A line of words (`"…"`), values, and other parts.
macro_rules! line {
    ($($part:expr),+ $(,)?) => { vec![$(Part::from($part)),+] };
}

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

const fn list(title: &'static str, is_title_needed: bool, lines: Vec<Line>) -> Section {
    Section::List { title, is_title_needed, lines }
}

/// Returns the organization, the number of declared people, and what the plan is limited to.
pub(super) fn about(report: &PlanReport) -> Line {
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
    if let Some(at) = at {
        line.extend(line![", as on ", at]);
    }
    line
}

/// Returns the sections below the summary of a plan, the most important ones first.
pub(super) fn plan(command: &str, report: &PlanReport) -> Vec<Section> {
    let mut sections = Vec::new();
    if report.made_up {
        let describe = Part::Command(report.invocation.describe());
        sections.push(Section::Paragraph(Mark::Attention, line![words::MADE_UP, " ", describe, "."]));
    }
    sections.extend(blocked(command, report));
    if !report.guarded_roles.is_empty() {
        let lines = report.guarded_roles.iter().map(guarded_role).collect();
        sections.push(list("Guarded roles to review first", true, lines));
    }
    sections.extend(not_applied(report));
    sections.push(Section::Changes);
    sections.extend(guardrails(report));
    if let Some((what, why)) = report.audit_log.as_ref().and_then(words::audit_log) {
        let mut line = line![what];
        if let Some(why) = why {
            line.extend(line![": ", Part::Sentence(why)]);
        }
        line.push(".".into());
        sections.push(Section::Paragraph(Mark::Plain, line));
    }
    let lines: Vec<Line> = report.entries().into_iter().filter_map(attention).collect();
    if !lines.is_empty() {
        sections.push(list("Other findings", false, lines));
    }
    sections.push(Section::Scheduled);
    sections.extend(report.rollback.iter().flat_map(rollback));
    if let Some(unread) = report.result.as_ref().and_then(|result| words::not_read_back(result.not_read_back))
    {
        sections.push(Section::Paragraph(Mark::Attention, line![unread]));
    }
    if let Some(path) = &report.saved {
        let apply = report.invocation.command(&["apply", &path_word(path.raw().as_ref())]);
        let path = Part::Command(path.raw().to_owned());
        let line = line!["Saved as ", path, ". ", Part::Command(apply), " ", words::SAVED, "."];
        sections.push(Section::Paragraph(Mark::Plain, line));
    }
    sections
}

/// Returns the guardrails that block the plan, and how to acknowledge them.
fn blocked(command: &str, report: &PlanReport) -> Option<Section> {
    let mut reasons = Vec::new();
    let mut remedies: Vec<String> = Vec::new();
    for GuardrailLine { name, about: _, verdict, figure, remedy, location } in &report.guardrails {
        if *verdict != Verdict::Blocks {
            continue;
        }
        let figure = cut(figure);
        let mut line = line!["Blocked by ", Part::Strong(name.as_str()), ": ", figure];
        if let Some(location) = location {
            line.extend(line![" (", location, ")"]);
        }
        reasons.push(line);
        remedies.extend(remedy.clone());
    }
    remedies.dedup();
    let unchanged = words::unchanged(command, report);
    let heading = unchanged.map_or("This cannot be applied.".to_owned(), |unchanged| {
        format!("This cannot be applied. {unchanged}")
    });
    let alert =
        Section::Alert { mark: Mark::Bad, heading: line![heading], reasons, remedies, follow_up: None };
    report.blocked.then_some(alert)
}

fn guarded_role(line: &GuardedRoleLine) -> Line {
    let GuardedRoleLine { email, role, gained } = line;
    line![email, " ", Part::Strong(if *gained { "gains" } else { "loses" }), " ", role]
}

/// Returns the changes that are not applied, and what to do next.
fn not_applied(report: &PlanReport) -> Option<Section> {
    let result = report.result.as_ref()?;
    let heading = match (&result.next_step, &result.stopped) {
        (Some(next_step), _) => with_commands(&format!("Not everything is applied. {next_step}")),
        (None, Some(_)) => line!["The run ended early."],
        (None, None) => return None,
    };
    let shared = words::shared(report.outcomes());
    let mut people: Vec<Vec<&ChangeLine>> = vec![Vec::new(); shared.len()];
    let mut of_one = Vec::new();
    for change in &report.changes {
        let Some(outcome) = change.outcome.as_ref().filter(|outcome| !outcome.applied) else { continue };
        let kind = words::kind(&outcome.outcome);
        match shared.iter().position(|shared| shared.kind == kind) {
            Some(number) => people[number].push(change),
            None => of_one.push(line![&change.email, " ", cut(&outcome.detail)]),
        }
    }
    let mut reasons: Vec<Line> =
        result.stopped.iter().map(|stopped| line![Part::Sentence(stopped.clone())]).collect();
    for (shared, people) in shared.iter().zip(&people).filter(|(_, people)| !people.is_empty()) {
        let mut line = line![cut(&shared.sentence), format!(": {} people", people.len())];
        for change in people.iter().take(NAMED) {
            line.extend(line![", ", &change.email]);
        }
        if people.len() > NAMED {
            line.push(format!(" and {} more", people.len() - NAMED).into());
        }
        reasons.push(line);
    }
    reasons.extend(of_one);
    let journal = report.journal.as_ref().filter(|_| result.next_step.is_some());
    let follow_up = journal.map(|path| line![words::SENT, ": ", Part::Command(path.raw().to_owned())]);
    Some(Section::Alert { mark: Mark::Attention, heading, reasons, remedies: Vec::new(), follow_up })
}

/// Splits a sentence at its backticks, which enclose commands. No command contains a backtick.
fn with_commands(sentence: &str) -> Line {
    let parts = sentence.split('`').enumerate();
    parts
        .map(
            |(number, part)| {
                if number % 2 == 1 { Part::Command(part.to_owned()) } else { Part::Words(part.to_owned()) }
            },
        )
        .collect()
}

/// Returns the guardrails that do not block, and the expired acknowledgments.
fn guardrails(report: &PlanReport) -> Vec<Section> {
    let mut passing = line!["Guardrails pass: "];
    let mut lines = Vec::new();
    for GuardrailLine { name, about, verdict, figure, remedy: _, location: _ } in &report.guardrails {
        let figure = cut(figure);
        let name = Part::Strong(name.as_str());
        match verdict {
            Verdict::Passes if passing.len() == 1 => passing.push(figure),
            Verdict::Passes => passing.extend(line![", ", figure]),
            Verdict::Acknowledged { reason } => {
                lines.push(line![name, " ", figure, ", acknowledged: ", cut(reason)]);
            }
            Verdict::Warns => {
                let note = words::reported(about).map_or_else(String::new, |note| format!("; {note}"));
                lines.push(line![name, " ", figure, note]);
            }
            Verdict::Blocks => {}
        }
    }
    for ExpiredLine { guardrail, expired, at, location } in &report.expired {
        let (name, ended) = (Part::Strong(guardrail.as_str()), Printable::new(&minute(*at)));
        let mut line = line!["The acknowledgment of ", name, " at ", location, " expired ", expired];
        line.extend(line![" (", &ended, ") and is ignored"]);
        lines.push(line);
    }
    let causes =
        words::causes(report).map(|causes| Section::Paragraph(Mark::Plain, line![Part::Sentence(causes)]));
    let mut sections = Vec::from_iter(causes);
    if !report.blocked && passing.len() > 1 {
        passing.push(".".into());
        sections.push(Section::Paragraph(Mark::Plain, passing));
    }
    if !lines.is_empty() {
        sections.push(list("Guardrails", false, lines));
    }
    sections
}

/// Describes a declared person who is not found, deactivated, found by another address, or only observed.
fn attention(entry: Entry<'_>) -> Option<Line> {
    let email = entry.email();
    let (mut line, location) = match entry {
        Entry::Change(_) => return None,
        Entry::Observed(ChangeLine { edits, location, .. }) => {
            let mut line = line![email, " differs in "];
            for (number, edit) in edits.iter().enumerate() {
                if number > 0 {
                    line.push(", ".into());
                }
                line.extend(observed(edit));
            }
            line.push("; observed, left alone".into());
            (line, location)
        }
        Entry::FoundElsewhere(FoundElsewhereLine { person, location, .. }) => {
            let mut line = line![email, " has another primary address in Pylon"];
            if let Some(primary) = &person.primary_email {
                line.extend(line![": ", primary]);
            }
            (line, location)
        }
        Entry::Missing(MissingLine { name: Some(name), location, .. }) => {
            (line![email, " (", name, ") is deactivated in Pylon"], location)
        }
        Entry::Missing(MissingLine { did_you_mean, location, .. }) => {
            let mut line = line![email, " is not in Pylon"];
            if let Some(near) = did_you_mean {
                line.extend(line!["; did you mean ", near, "?"]);
            }
            (line, location)
        }
    };
    line.extend(line![" (", location, ")"]);
    Some(line)
}

fn observed(edit: &EditLine) -> Line {
    let EditLine { field, from, to, through_scim: _, location: _, origin: _, blame, cause: _ } = edit;
    let mut line = line![format!("{field} ")];
    if from.is_empty() {
        line.push("(none)".into());
    }
    for (number, value) in from.iter().enumerate() {
        if number > 0 {
            line.push(", ".into());
        }
        line.push(value.into());
    }
    let before = from.last().map_or("", Printable::raw);
    line.extend(line![format!(" {} ", words::arrow(before)), to]);
    if let Some(blame) = blame {
        line.extend(line![" (", Part::Sentence(words::blame(blame)), ")"]);
    }
    line
}

/// Returns what is not rolled back, and which values the next apply would set again.
fn rollback(notes: &RollbackNotes) -> Vec<Section> {
    let RollbackNotes { journal_is_whole, unreadable_lines, left, contradicted, files, unwritten } = notes;
    let skipped = |lines: &[SkippedLine]| {
        let line = |line: &SkippedLine| line![&line.email, " ", Part::Sentence(line.why.clone())];
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
    if !left.is_empty() {
        sections.push(list("Not rolled back", true, skipped(left)));
    }
    if *contradicted > 0 {
        let people =
            words::count(*contradicted, "person has other values there", "people have other values there");
        let rest = format!(": {people}, and the next apply would set them again. To keep the rollback:");
        let line = line![Part::Strong("The files contradict this rollback"), rest];
        sections.push(Section::Paragraph(Mark::Attention, line));
        sections.push(Section::Files(files.clone()));
        if !unwritten.is_empty() {
            sections.push(list("No edit available", false, skipped(unwritten)));
        }
    }
    sections
}
