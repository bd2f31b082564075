//! The text report of a plan or an apply. It lists everything that changes or needs attention and counts the rest.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::tables::hunk_lines;
use super::wrap::{verbatim, whole, wrapped};
use super::{LONGEST, WIDEST_EMAIL, listed, padded, place, scheduled_lines};
use crate::apply::Outcome;
use crate::invocation::path_word;
use crate::plan::guardrails::{Figure, Verdict};
use crate::printable::Printable;
use crate::report::facts::files::FileLine;
use crate::report::facts::plan::{
    ChangeLine, EditLine, Entry, FoundElsewhereLine, GuardedRoleLine, GuardrailLine, MissingLine, PersonLine,
    PlanReport,
};
use crate::report::sections::{self, Line, Part, Section};
use crate::report::style::{Style, Styles, styled};
use crate::report::transitions::{self, ChangedPerson, MOST_LISTED};
use crate::report::words::{self, Shared, full_address};

const WIDEST_VALUE: usize = 44;
/// The number of people named per group.
const NAMED: usize = 3;
/// The number of unmanaged people named without `--list-unmanaged`.
const NAMED_UNMANAGED: usize = 12;

pub(super) fn plan(command: &str, report: &PlanReport, styles: &Styles, is_full: bool) -> String {
    let mut text = heading(command, report, styles);
    let shared = words::shared(report.outcomes());
    text += &rows(report, &shared, styles, is_full);
    text.push('\n');
    let _ = writeln!(
        text,
        "{}",
        words::summary(report).iter().map(|part| whole(part)).collect::<Vec<_>>().join(" · ")
    );
    text += &unmanaged(command, report);
    let undeclared = sections::undeclared(report).filter(|_| report.result.is_none());
    text.extend(undeclared.map(|section| section_lines(&section, styles, is_full)));
    for Shared { kind: _, sentence, people } in &shared {
        let _ = writeln!(text, "{sentence} ({people} people)");
    }
    if let Some(causes) = words::causes(report) {
        text += &format!("{causes}\n");
    }
    let lines = |section: &Section| section_lines(section, styles, is_full);
    text.extend(sections::guardrails(report).iter().map(lines));
    text.extend(report.guardrails.iter().filter_map(|line| blocked_by(line, styles)));
    text.extend(sections::base(report).iter().map(lines));
    if let Some(unchanged) = words::unchanged(command, report) {
        let _ = writeln!(text, "{unchanged}");
    }
    text.extend(sections::audit_log(report).iter().map(lines));
    text += &scheduled(report, styles);
    let rollback = report.rollback.iter().flat_map(sections::rollback);
    text.extend(rollback.map(|section| format!("\n{}", lines(&section))));
    text += &closing(report, styles);
    text
}

/// Formats a plan followed by the confirmation prompt, which mentions any changes to guarded roles.
pub fn question(
    command: &str,
    report: &PlanReport,
    styles: &Styles,
    is_full: bool,
    width: Option<usize>,
) -> String {
    let plan = plan(command, report, styles, is_full);
    let people = words::count(report.changes.len(), "person changes", "people change");
    let guarded = words::guarded_roles(report);
    let guarded = if guarded.is_empty() { guarded } else { format!("; {guarded}") };
    let organization = report.organization.name.short(LONGEST);
    let action = if command == "rollback" { "restore these values in" } else { "apply to" };
    wrapped(&format!("{plan}\n{people}{guarded}. Type `yes` to {action} {organization}: "), width)
}

/// Formats the changes. If there are many, people with the same change share a row. Changes to guarded roles come last, right
/// above the summary and the prompt.
fn rows(report: &PlanReport, shared: &[Shared], styles: &Styles, is_full: bool) -> String {
    let people = transitions::people(report);
    let (guarded, others): (Vec<_>, Vec<_>) =
        people.iter().partition(|person| !person.guarded_roles.is_empty());
    let mut groups = transitions::groups(others, true);
    groups.retain(|group| !is_full && group.len() > MOST_LISTED);
    let grouped = groups.iter().flatten().map(|person| person.change.email.raw());
    let apart: HashSet<&str> =
        grouped.chain(guarded.iter().map(|person| person.change.email.raw())).collect();
    let mut entries = report.entries();
    let columns = ColumnWidths::new(&entries);
    entries.retain(|entry| !matches!(entry, Entry::Change(change) if apart.contains(change.email.raw())));

    let mut rows = String::new();
    for entry in entries {
        rows += &entry_lines(entry, &[], &columns, shared, styles);
    }
    for group in groups {
        rows += &group_lines(&group, &columns, shared, styles);
    }
    for person in guarded {
        rows += &entry_lines(Entry::Change(person.change), &person.guarded_roles, &columns, shared, styles);
    }
    if rows.is_empty() { rows } else { format!("\n{rows}") }
}

/// Formats a group of people with the same change, naming only the first few.
fn group_lines(
    group: &[&ChangedPerson<'_>],
    columns: &ColumnWidths,
    shared: &[Shared],
    styles: &Styles,
) -> String {
    let Some(first) = group.first() else { return String::new() };
    let ChangeLine { edits, outcome, .. } = first.change;
    let sign = outcome
        .as_ref()
        .map_or_else(|| styled(styles.change, "~"), |outcome| outcome_sign(&outcome.outcome, styles));
    let mut text =
        format!("  {sign} {} people   {}\n", group.len(), styled(styles.quiet, "(--full lists them)"));
    edits.iter().for_each(|edit| text += &edit_line(edit, columns, styles));
    text += &outcome_line(first.change, shared);
    let named: Vec<String> =
        group.iter().take(NAMED).map(|person| full_address(&person.change.email).to_string()).collect();
    text += &format!("      {} and {} more\n", named.join(", "), group.len() - named.len());
    text
}

/// Formats the list of unmanaged people, if the report has any. Returns an empty string after an apply.
fn unmanaged(command: &str, report: &PlanReport) -> String {
    let people = &report.unmanaged;
    let addresses = people.iter().map(|email| full_address(email).to_string());
    if people.is_empty() || report.result.is_some() {
        return String::new();
    }
    if report.lists_unmanaged {
        let lines: String = addresses.map(|address| format!("  {address}\n")).collect();
        return format!("Unmanaged ({}):\n{lines}", people.len());
    }
    let named = addresses.take(NAMED_UNMANAGED).collect::<Vec<_>>().join(", ");
    let more = people.len().saturating_sub(NAMED_UNMANAGED);
    if more == 0 {
        return format!("Unmanaged: {named}\n");
    }
    let list = match command {
        "plan" => "--list-unmanaged".to_owned(),
        _ => format!("`{}`", report.invocation.command(&["plan", "--list-unmanaged"])),
    };
    format!("Unmanaged: {named} and {more} more ({list} lists them)\n")
}

struct ColumnWidths {
    email: usize,
    value: usize,
}

impl ColumnWidths {
    fn new(entries: &[Entry<'_>]) -> Self {
        let email = entries.iter().map(|entry| entry.email().width()).max();
        let edits = entries.iter().flat_map(Entry::edits);
        let value = edits.map(|edit| Printable::new(&edit.change(LONGEST)).width()).max();
        Self { email: email.unwrap_or(0).min(WIDEST_EMAIL), value: value.unwrap_or(0).min(WIDEST_VALUE) }
    }
}

fn heading(command: &str, report: &PlanReport, styles: &Styles) -> String {
    let PlanReport { organization, made_up, declared, at, only, .. } = report;
    let made_up = if *made_up {
        format!("{} `{}`.\n", words::MADE_UP, report.invocation.describe())
    } else {
        String::new()
    };
    let title = styled(styles.heading, format_args!("rolecall {command}"));
    let at = at.as_ref().map_or_else(String::new, |at| format!(" · as on {at}"));
    let only = if only.is_empty() { String::new() } else { format!(" · only {}", listed(only)) };
    let organization = words::organization(organization);
    format!("{title} · {organization} · {declared} declared{only}{at}\n{made_up}")
}

/// Formats a person's entry, with the edits and the outcome below it. If many people share an outcome, only the outcome's name is
/// shown, because the summary has the details.
fn entry_lines(
    entry: Entry<'_>,
    guarded_roles: &[&GuardedRoleLine],
    columns: &ColumnWidths,
    shared: &[Shared],
    styles: &Styles,
) -> String {
    let line = |sign: String, rest: String| {
        format!("  {sign} {}  {rest}\n", padded(entry.email(), columns.email)).replace(" \n", "\n")
    };
    let place = |location| styled(styles.quiet, place(location));
    let mut text = match entry {
        Entry::Change(ChangeLine { person, outcome, .. }) => {
            let sign = match outcome {
                Some(outcome) => outcome_sign(&outcome.outcome, styles),
                None if guarded_roles.is_empty() => styled(styles.change, "~"),
                None => styled(styles.attention, "!"),
            };
            let roles: Vec<String> = guarded_roles.iter().map(|line| guarded_role(line)).collect();
            let roles = if roles.is_empty() {
                String::new()
            } else {
                format!("   {}", styled(styles.attention, roles.join(", ")))
            };
            line(sign, person_text(person, styles) + &roles)
        }
        Entry::Observed(ChangeLine { person, .. }) => {
            let note = styled(styles.quiet, "  (observed, left alone)");
            line(styled(styles.quiet, "·"), person_text(person, styles) + &note)
        }
        Entry::FoundElsewhere(FoundElsewhereLine { person, location, .. }) => {
            let rest = format!("{}   {}", person_text(person, styles), place(location));
            line(styled(styles.quiet, "="), rest)
        }
        Entry::Missing(MissingLine { email: _, name, deactivated, did_you_mean, location }) => {
            let rest = match (name, did_you_mean) {
                (Some(name), _) => format!("{}, deactivated in Pylon", name.short(LONGEST)),
                (None, _) if *deactivated => "deactivated in Pylon".to_owned(),
                (None, Some(near)) => format!("not found in Pylon; did you mean {}?", full_address(near)),
                (None, None) => "not found in Pylon".to_owned(),
            };
            line(styled(styles.attention, "?"), format!("{rest}   {}", place(location)))
        }
    };
    entry.edits().iter().for_each(|edit| text += &edit_line(edit, columns, styles));
    if let Entry::Change(change) = entry {
        text += &outcome_line(change, shared);
    }
    text
}

fn guarded_role(line: &GuardedRoleLine) -> String {
    format!("{} {}", line.verb(), line.role.short(LONGEST))
}

fn outcome_line(change: &ChangeLine, shared: &[Shared]) -> String {
    let outcome = change.outcome.as_ref().filter(|line| line.outcome != Outcome::Applied);
    outcome.map_or_else(String::new, |line| format!("      {}\n", words::outcome_of_one(line, shared)))
}

fn person_text(person: &PersonLine, styles: &Styles) -> String {
    let PersonLine { id: _, name, primary_email } = person;
    let primary = primary_email.as_ref().map(full_address);
    let primary = primary
        .map_or_else(String::new, |primary| styled(styles.attention, format_args!(" (in Pylon: {primary})")));
    format!("{}{primary}", name.short(LONGEST))
}

fn edit_line(edit: &EditLine, columns: &ColumnWidths, styles: &Styles) -> String {
    let EditLine { field, from: _, to: _, through_scim, location, origin: _, blame, cause: _ } = edit;
    let value = padded(&Printable::new(&edit.change(LONGEST)), columns.value);
    let mut place = place(location) + &words::why(edit);
    if !through_scim.is_empty() {
        let _ = write!(place, ", has {} through SCIM", listed(through_scim));
    }
    let blame = blame.as_ref().map_or_else(String::new, |blame| {
        let (from, _) = edit.short_values(LONGEST);
        let set_by = format!("{}: {}", words::before(&from), words::blame(blame));
        format!("              {}\n", styled(styles.quiet, set_by))
    });
    format!("      {field:<6}  {value}   {}\n{blame}", styled(styles.quiet, place))
}

fn outcome_sign(outcome: &Outcome, styles: &Styles) -> String {
    match outcome {
        Outcome::Applied | Outcome::AlreadyInSync => styled(styles.good, "✓"),
        Outcome::NotEffective | Outcome::StillGranted | Outcome::Reverted | Outcome::Unknown(..) => {
            styled(styles.attention, "!")
        }
        Outcome::Rejected(_) | Outcome::Conflict => styled(styles.bad, "✗"),
        Outcome::NotAttempted(_) => styled(styles.quiet, "-"),
    }
}

/// Formats a guardrail that blocks the plan, followed by its remedy. Returns `None` if the guardrail doesn't block.
fn blocked_by(line: &GuardrailLine, styles: &Styles) -> Option<String> {
    let GuardrailLine { name, about: _, note: _, figure, verdict, remedy, location } = line;
    if *verdict != Verdict::Blocks {
        return None;
    }
    let heading = styled(styles.bad, "Blocked by");
    let place = location.as_ref().map_or_else(String::new, |at| format!("   {}", place(at)));
    let mut text = format!("{heading} {}: {figure}{}\n", name.as_str(), styled(styles.quiet, place));
    for line in remedy.iter().flat_map(|remedy| remedy.lines()).map(|line| format!("  {line}\n")) {
        let is_toml = line.starts_with("    ");
        text += &if is_toml { verbatim(&line) } else { line };
    }
    Some(text)
}

/// Formats a section. Returns an empty string for sections that have a layout of their own in the text format. Long lists that
/// a reviewer doesn't have to see are shortened unless `is_full` is set.
fn section_lines(section: &Section, styles: &Styles, is_full: bool) -> String {
    match section {
        Section::Paragraph(mark, line) => line_text(line, styles.for_mark(*mark)) + "\n",
        Section::List { title, is_open, lines } => {
            let shown = if *is_open || is_full { lines.len() } else { MOST_LISTED };
            let mut text = format!("{title} ({}):\n", lines.len());
            for line in lines.iter().take(shown) {
                text += &format!("  {}\n", line_text(line, styles.attention));
            }
            let more = lines.len().saturating_sub(shown);
            text +=
                &if more > 0 { format!("  and {more} more (--full lists them)\n") } else { String::new() };
            text
        }
        Section::Files(files) => {
            let mut text = String::new();
            for FileLine { name, state: _, people: _, hunks } in files {
                text += &format!("{}:\n", whole(name.as_str()));
                hunks.iter().for_each(|hunk| text += &hunk_lines(hunk, styles));
            }
            text
        }
        Section::Alert { .. } | Section::Changes | Section::Scheduled => String::new(),
    }
}

/// Formats a line. `strong` is the style of its emphasized words.
fn line_text(line: &Line, strong: Style) -> String {
    let part_text = |part: &Part| match part {
        Part::Words(words) => words.clone(),
        Part::Strong(words) => styled(strong, words),
        Part::Value(value) => full_address(value).to_string(),
        Part::Sentence(sentence) => sentence.clone(),
        Part::Command(command) => format!("`{command}`"),
        Part::Place(location) => place(location),
    };
    line.iter().map(part_text).collect()
}

fn scheduled(report: &PlanReport, styles: &Styles) -> String {
    if report.scheduled.is_empty() {
        return String::new();
    }
    format!("\nScheduled changes:\n{}", scheduled_lines(&report.scheduled, styles))
}

/// Returns the number of changes if `max_changes` is the only guardrail that blocks the plan.
fn blocking_changes(report: &PlanReport) -> Option<u64> {
    let mut blocking = report.guardrails.iter().filter(|line| line.verdict == Verdict::Blocks);
    match (blocking.next()?.about.as_ref()?, blocking.next()) {
        (Figure::Changes { changed, .. }, None) => Some(*changed),
        _ => None,
    }
}

fn closing(report: &PlanReport, styles: &Styles) -> String {
    let mut text = String::new();
    if let Some(saved) = &report.saved {
        let file = path_word(saved.raw().as_ref());
        let apply = |options: &[&str]| report.invocation.command(&[&["apply", &*file], options].concat());
        let next = match blocking_changes(report) {
            _ if !report.blocked => format!("`{}` {}", apply(&[]), words::SAVED),
            Some(changed) => {
                format!("It is blocked, but `{}` applies it", apply(&["--max-changes", &changed.to_string()]))
            }
            None => "It is blocked. To apply these changes, acknowledge the risk in the files, and then save a new plan"
                .to_owned(),
        };
        text += &format!("\nSaved as {}. {next}.\n", whole(saved.as_str()));
    }
    let Some(result) = &report.result else {
        return text;
    };
    if let Some(stopped) = &result.stopped {
        let _ = writeln!(text, "{}", styled(styles.bad, stopped));
    }
    if let Some(unread) = words::not_read_back(result.not_read_back) {
        text += &format!("{unread}\n");
    }
    if let Some(next_step) = &result.next_step {
        text += &format!("{next_step}\n");
        if let Some(journal) = &report.journal {
            let label = words::journal_label(result.journal_is_whole);
            text += &format!("{label}: {}\n", whole(journal.as_str()));
        }
    }
    text
}
