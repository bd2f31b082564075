//! A plan, or what came of it: only what changes, the rest as counts.

use std::fmt::Write as _;

use super::sheet::hunk_lines;
use super::{LONGEST, WIDEST_EMAIL, coming_lines, listed, padded, place_text};
use crate::apply::Outcome;
use crate::invocation::path_word;
use crate::plan::guardrails::Verdict;
use crate::printable::Printable;
use crate::report::facts::OrganizationLine;
use crate::report::facts::files::{FileLine, LeftLine};
use crate::report::facts::plan::{
    EditLine, Entry, EntryKind, ExpiredLine, GuardrailLine, PersonLine, PlanReport, TakebackLines,
};
use crate::report::style::{Styles, styled};
use crate::report::words::{self, LONGEST_ADDRESS, Shared};

const WIDEST_VALUE: usize = 44;

/// A plan, or what came of it.
pub(super) fn plan(command: &str, report: &PlanReport, styles: &Styles) -> String {
    let PlanReport {
        organization: _, // heads it, with the next four
        made_up: _,
        invocation: _,
        declared: _,
        at: _,
        only: _,
        entries,
        kept_roles: _, // stand among the entries
        in_step: _,    // is counted in the summary, with the next two
        meanwhile: _,
        undeclared: _,
        integrations: _,
        guardrails: _, // have parts of their own, as the next two and the way back
        expired: _,
        coming: _,
        windows: _, // are drawn on a page
        now: _,
        takeback: _,
        audit_log,
        result: _, // closes it, with the next two
        journal: _,
        saved: _,
    } = report;
    let mut text = heading(command, report, styles);
    let columns = Columns::of(report);
    let shared = words::shared(report);
    if !entries.is_empty() {
        text.push('\n');
    }
    for entry in entries {
        text += &entry_lines(entry, &columns, &shared, styles);
    }
    text.push('\n');
    let _ = writeln!(text, "{}", words::summary(report).join(" · "));
    for Shared { kind: _, sentence, people } in &shared {
        let _ = writeln!(text, "{sentence} ({people} people)");
    }
    text += &guardrails(report, styles);
    if let Some(unchanged) = words::unchanged(command, report) {
        let _ = writeln!(text, "{unchanged}");
    }
    if let Some((what, why)) = audit_log.as_ref().and_then(words::audit_log) {
        let why = why.map_or_else(String::new, |why| format!(": {why}"));
        let _ = writeln!(text, "{what}{why}.");
    }
    text += &coming(report, styles);
    text += &takeback(report, styles);
    text += &closing(report, styles);
    text
}

/// The plan as it is shown to whoever is asked whether it shall be carried out.
pub fn question(command: &str, report: &PlanReport, styles: &Styles) -> String {
    let organization = report.organization.name.short(LONGEST);
    format!("{}\nApply this to {organization}? Only `yes` is taken: ", plan(command, report, styles))
}

struct Columns {
    email: usize,
    value: usize,
}

impl Columns {
    fn of(report: &PlanReport) -> Self {
        let emails = report.entries.iter().map(|entry| entry.email.width());
        let values = report.entries.iter().flat_map(|entry| match &entry.kind {
            EntryKind::Change { edits, .. } | EntryKind::Observed { edits, .. } => edits.as_slice(),
            EntryKind::FoundElsewhere { .. } | EntryKind::Missing { .. } | EntryKind::Deactivated { .. } => {
                &[]
            }
        });
        Self {
            email: emails.max().unwrap_or(0).min(WIDEST_EMAIL),
            value: values
                .map(|edit| Printable::new(&value(edit)).width())
                .max()
                .unwrap_or(0)
                .min(WIDEST_VALUE),
        }
    }
}

fn heading(command: &str, report: &PlanReport, styles: &Styles) -> String {
    let PlanReport { organization, made_up, declared, at, only, .. } = report;
    let OrganizationLine { name, id, place } = organization;
    let made_up = if *made_up {
        format!("{} `{}`.\n", words::MADE_UP, report.invocation.describe())
    } else {
        String::new()
    };
    let title = styled(styles.heading, format_args!("rolecall {command}"));
    let at = at.as_ref().map_or_else(String::new, |at| format!(" · as on {at}"));
    let only = if only.is_empty() { String::new() } else { format!(" · only {}", listed(only)) };
    let short = |text: &Printable| text.short(LONGEST);
    let (name, id, place) = (short(name), short(id), short(place));
    format!("{title} · {name} ({id}, {place}) · {declared} declared{only}{at}\n{made_up}")
}

/// What came of somebody's change stands below it, by its name alone where it is told once of many.
fn entry_lines(entry: &Entry, columns: &Columns, shared: &[Shared], styles: &Styles) -> String {
    let Entry { email, kind, location } = entry;
    let place = styled(styles.quiet, place_text(location));
    let line = |sign: String, rest: String| {
        format!("  {sign} {}  {rest}\n", padded(email, columns.email)).replace(" \n", "\n")
    };
    match kind {
        EntryKind::Change { person, edits, outcome } => {
            let sign =
                outcome.as_ref().map_or(styled(styles.change, "~"), |outcome| outcome_sign(outcome, styles));
            let mut text = line(sign, person_text(person, styles));
            edits.iter().for_each(|edit| text += &edit_line(edit, columns, styles));
            if let Some(outcome) = outcome.as_ref().filter(|outcome| **outcome != Outcome::Applied) {
                let kind = words::kind(outcome);
                let is_shared = shared.iter().any(|shared| shared.kind == kind);
                let sentence = if is_shared { outcome.as_str().to_owned() } else { words::outcome(outcome) };
                let _ = writeln!(text, "      {sentence}");
            }
            text
        }
        EntryKind::Observed { person, edits } => {
            let rest = format!(
                "{}{}",
                person_text(person, styles),
                styled(styles.quiet, "  (observed, left alone)")
            );
            let mut text = line(styled(styles.quiet, "·"), rest);
            edits.iter().for_each(|edit| text += &edit_line(edit, columns, styles));
            text
        }
        EntryKind::FoundElsewhere { person } => {
            line(styled(styles.quiet, "="), format!("{}   {place}", person_text(person, styles)))
        }
        EntryKind::Missing { did_you_mean } => {
            let near = did_you_mean.as_ref().map(|near| near.short(LONGEST_ADDRESS));
            let hint = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
            line(styled(styles.attention, "?"), format!("not in Pylon{hint}   {place}"))
        }
        EntryKind::Deactivated { name } => line(
            styled(styles.attention, "?"),
            format!("{}, deactivated in Pylon   {place}", name.short(LONGEST)),
        ),
    }
}

fn person_text(person: &PersonLine, styles: &Styles) -> String {
    let PersonLine { id: _, name, primary } = person;
    let primary = primary.as_ref().map(|primary| primary.short(LONGEST_ADDRESS));
    let primary = primary
        .map_or_else(String::new, |primary| styled(styles.attention, format_args!(" (in Pylon: {primary})")));
    format!("{}{primary}", name.short(LONGEST))
}

fn edit_line(edit: &EditLine, columns: &Columns, styles: &Styles) -> String {
    let EditLine { field, from: _, to: _, through_scim, location, origin, blame } = edit;
    let value = padded(&Printable::new(&value(edit)), columns.value);
    let mut place = format!("{}{}", place_text(location), words::origin(origin));
    if !through_scim.is_empty() {
        let _ = write!(place, ", holds {} through SCIM", listed(through_scim));
    }
    let blame = blame.as_ref().map_or_else(String::new, |blame| {
        format!("              {}\n", styled(styles.quiet, words::blame(blame)))
    });
    format!("      {field:<6}  {value}   {}\n{blame}", styled(styles.quiet, place))
}

fn value(edit: &EditLine) -> String {
    let from = if edit.from.is_empty() { "(none)".into() } else { listed(&edit.from) };
    words::change(&from, edit.to.short(LONGEST).as_str())
}

fn outcome_sign(outcome: &Outcome, styles: &Styles) -> String {
    match outcome {
        Outcome::Applied | Outcome::AlreadyInStep => styled(styles.good, "✓"),
        Outcome::NotEffective | Outcome::ChangedAgain | Outcome::Unclear(_) => styled(styles.attention, "!"),
        Outcome::Rejected(_) | Outcome::Stale => styled(styles.bad, "✗"),
        Outcome::NotAttempted(_) => styled(styles.quiet, "-"),
    }
}

fn guardrails(report: &PlanReport, styles: &Styles) -> String {
    let of =
        |wanted: fn(&Verdict) -> bool| report.guardrails.iter().filter(move |line| wanted(&line.verdict));
    let mut text = String::new();
    let holding: Vec<&str> =
        of(|verdict| *verdict == Verdict::Holds).map(|line| line.figure.as_str()).collect();
    if !report.is_refused() && !holding.is_empty() {
        let _ = writeln!(text, "{}: {}.", styled(styles.good, "Guardrails hold"), holding.join(", "));
    }
    for GuardrailLine { guardrail, of: about, figure, verdict, remedy: _, location: _ } in &report.guardrails
    {
        let note = match verdict {
            Verdict::Acknowledged { reason } => {
                Some(format!("acknowledged: {}", Printable::cut(reason, 120)))
            }
            Verdict::Reported => words::reported(about).map(str::to_owned),
            Verdict::Holds | Verdict::Refused => continue,
        };
        let note = note.map_or_else(String::new, |note| format!("; {note}"));
        let heading = styled(styles.attention, "Guardrail");
        let _ = writeln!(text, "{heading} {}: {figure}{note}", guardrail.as_str());
    }
    for GuardrailLine { guardrail, of: _, figure, verdict: _, remedy, location } in
        of(|verdict| *verdict == Verdict::Refused)
    {
        let place = location.as_ref().map_or_else(String::new, |at| format!("   {}", place_text(at)));
        let _ = writeln!(
            text,
            "{} {}: {figure}{}",
            styled(styles.bad, "Refused by"),
            guardrail.as_str(),
            styled(styles.quiet, place)
        );
        if let Some(remedy) = remedy {
            remedy.lines().for_each(|line| text += &format!("  {line}\n"));
        }
    }
    for line in &report.expired {
        let ExpiredLine { guardrail, expired, at: _, location } = line;
        let ended = line.ended();
        let place = place_text(location);
        let _ = writeln!(
            text,
            "The acknowledgement of {guardrail} at {place} expired {expired} ({ended}) and is not obeyed."
        );
    }
    text
}

fn coming(report: &PlanReport, styles: &Styles) -> String {
    if report.coming.is_empty() {
        return String::new();
    }
    format!("\nComing by itself:\n{}", coming_lines(&report.coming, styles))
}

/// What a rollback leaves, and what the next apply would make of it.
fn takeback(report: &PlanReport, styles: &Styles) -> String {
    let Some(TakebackLines { is_whole, unreadable, left, contradicted, files, unwritten }) = &report.takeback
    else {
        return String::new();
    };
    let mut text = String::new();
    if !is_whole {
        text += &format!("{}\n", words::KILLED);
    }
    if *unreadable > 0 {
        let damaged = styled(styles.bad, "Damaged");
        text += &format!("{damaged}: {}.\n", words::unreadable(*unreadable));
    }
    text += &left_lines("\nNot taken back:\n", left, styles);
    if *contradicted > 0 {
        let people =
            words::count(*contradicted, "person is declared otherwise", "people are declared otherwise");
        text += &format!(
            "\n{}: {people}, and the next apply would undo this.\n",
            styled(styles.attention, "The files contradict it")
        );
        for FileLine { name, state: _, hunks } in files {
            text += &format!("To keep it, {name} has to say:\n");
            hunks.iter().for_each(|hunk| text += &hunk_lines(hunk, styles));
        }
        text += &left_lines("Not to be said by an edit:\n", unwritten, styles);
    }
    text
}

fn left_lines(heading: &str, lines: &[LeftLine], styles: &Styles) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let address = |line: &LeftLine| line.email.short(LONGEST_ADDRESS);
    let width = lines.iter().map(|line| address(line).width()).max().unwrap_or(0).min(WIDEST_EMAIL);
    let row = |line: &LeftLine| {
        let LeftLine { email: _, why, location } = line;
        let place = location.as_ref().map(|at| format!("   {}", styled(styles.quiet, place_text(at))));
        format!("  {}  {why}{}\n", padded(&address(line), width), place.unwrap_or_default())
    };
    heading.to_owned() + &lines.iter().map(row).collect::<String>()
}

fn closing(report: &PlanReport, styles: &Styles) -> String {
    let mut text = String::new();
    if let Some(saved) = &report.saved {
        text += &format!(
            "\nSaved as {saved}; `{}` {}.\n",
            report.invocation.command(&["apply", &path_word(saved.raw().as_ref())]),
            words::SAVED
        );
    }
    let Some(result) = &report.result else {
        return text;
    };
    if let Some(stop) = &result.stopped {
        let _ = writeln!(text, "{}", styled(styles.bad, words::stop(stop)));
    }
    if let Some(unread) = words::not_read_back(result) {
        text += &format!("{unread}\n");
    }
    if let Some(again) = words::again(report) {
        text += &format!("{again}\n");
        if let Some(journal) = &report.journal {
            text += &format!("{}: {journal}\n", words::SENT);
        }
    }
    text
}
