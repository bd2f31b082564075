//! For people at a terminal: only what changes, the rest as counts; aligned by what a terminal shows.

use std::fmt::Write as _;

use super::plan_report::{
    ComingLine, EditLine, Entry, EntryKind, ExpiredLine, GuardrailLine, PersonLine, PlanReport,
};
use super::style::{Styles, styled};
use super::words;
use crate::apply::Outcome;
use crate::plan::guardrails::Verdict;
use crate::printable::Printable;

/// The address column is not wider than this; longer addresses push their line.
const WIDEST_EMAIL: usize = 40;
const WIDEST_VALUE: usize = 44;
/// Names and values are shown up to so many characters; JSON has them whole.
const LONGEST: usize = 80;

/// The files are valid.
pub fn valid(files: usize, declared: usize) -> String {
    let (files, people) = (words::count(files, "file", "files"), words::count(declared, "person", "people"));
    format!("{files}, {people} declared: valid\n")
}

/// Nobody is declared.
pub fn nobody_declared(file: &Printable) -> String {
    format!("{file} declares nobody: nothing to do\n")
}

/// A plan, or what came of it.
pub fn plan(report: &PlanReport, styles: &Styles) -> String {
    let mut text = heading(report, styles);
    let columns = Columns::of(report);
    if !report.entries.is_empty() {
        text.push('\n');
    }
    for entry in &report.entries {
        text += &entry_lines(entry, &columns, styles);
    }
    text.push('\n');
    let _ = writeln!(text, "{}", summary(report));
    text += &guardrails(report, styles);
    text += &coming(report, styles);
    text += &closing(report, styles);
    text
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

fn heading(report: &PlanReport, styles: &Styles) -> String {
    let PlanReport { command, organization, organization_id, place, declared, at, only, .. } = report;
    let title = styled(styles.heading, format_args!("rolecall {command}"));
    let at = at.as_ref().map_or_else(String::new, |at| format!(" · as on {at}"));
    let only = if only.is_empty() { String::new() } else { format!(" · only {}", listed(only)) };
    format!(
        "{title} · {organization} ({organization_id}, {place}) · {declared} declared{only}{at}
"
    )
}

fn entry_lines(entry: &Entry, columns: &Columns, styles: &Styles) -> String {
    let Entry { email, kind, location } = entry;
    let place = styled(styles.quiet, format_args!("{}:{}", Printable::new(&location.file), location.line));
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
                let _ = writeln!(text, "      {}", words::outcome(outcome));
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
            let hint =
                did_you_mean.as_ref().map_or_else(String::new, |near| format!("; did you mean {near}?"));
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
    let primary = primary
        .as_ref()
        .map_or_else(String::new, |primary| styled(styles.attention, format_args!(" (in Pylon: {primary})")));
    format!("{}{primary}", name.short(LONGEST))
}

fn edit_line(edit: &EditLine, columns: &Columns, styles: &Styles) -> String {
    let EditLine { field, from: _, to: _, through_scim, location, origin } = edit;
    let value = padded(&Printable::new(&value(edit)), columns.value);
    let mut place = format!("{}:{}{}", Printable::new(&location.file), location.line, words::origin(origin));
    if !through_scim.is_empty() {
        let _ = write!(place, ", holds {} through SCIM", listed(through_scim));
    }
    format!("      {field:<6}  {value}   {}\n", styled(styles.quiet, place))
}

fn value(edit: &EditLine) -> String {
    let from = if edit.from.is_empty() { "(none)".into() } else { listed(&edit.from) };
    format!("{from} → {}", edit.to.short(LONGEST))
}

fn listed(texts: &[Printable]) -> String {
    texts.iter().map(|text| text.short(LONGEST).to_string()).collect::<Vec<_>>().join(", ")
}

fn padded(text: &Printable, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

fn outcome_sign(outcome: &Outcome, styles: &Styles) -> String {
    match outcome {
        Outcome::Applied | Outcome::AlreadyInStep => styled(styles.good, "✓"),
        Outcome::NotEffective | Outcome::ChangedAgain | Outcome::Unclear(_) => styled(styles.attention, "!"),
        Outcome::Rejected(_) | Outcome::Stale => styled(styles.bad, "✗"),
        Outcome::NotAttempted(_) => styled(styles.quiet, "-"),
    }
}

fn summary(report: &PlanReport) -> String {
    let mut parts = Vec::new();
    let fields = |name: &str| {
        let edits = report.entries.iter().filter_map(|entry| match &entry.kind {
            EntryKind::Change { edits, .. } => Some(edits),
            EntryKind::Observed { .. }
            | EntryKind::FoundElsewhere { .. }
            | EntryKind::Missing { .. }
            | EntryKind::Deactivated { .. } => None,
        });
        edits.flatten().filter(|edit| edit.field == name).count()
    };
    let kinds =
        |wanted: fn(&EntryKind) -> bool| report.entries.iter().filter(|entry| wanted(&entry.kind)).count();
    let changes = kinds(|kind| matches!(kind, EntryKind::Change { .. }));
    if report.result.is_some() {
        for name in Outcome::NAMES {
            let number = report.outcomes().filter(|outcome| outcome.as_str() == name).count();
            parts.extend((number > 0).then(|| format!("{number} {name}")));
        }
    } else if changes > 0 {
        let (roles, statuses) = (fields("role"), fields("status"));
        let roles = (roles > 0).then(|| words::count(roles, "role", "roles"));
        let statuses = (statuses > 0).then(|| words::count(statuses, "status", "statuses"));
        let both: Vec<String> = roles.into_iter().chain(statuses).collect();
        parts.push(format!("{changes} to change ({})", both.join(", ")));
    } else {
        parts.push("nothing to change".into());
    }
    parts.push(format!("{} in step", report.in_step));
    parts.extend(
        (report.meanwhile > 0).then(|| format!("{} of them since the plan was saved", report.meanwhile)),
    );
    let observed = kinds(|kind| matches!(kind, EntryKind::Observed { .. }));
    parts.extend((observed > 0).then(|| format!("{observed} observed")));
    let missing = kinds(|kind| matches!(kind, EntryKind::Missing { .. }));
    parts.extend((missing > 0).then(|| format!("{missing} not in Pylon")));
    let deactivated = kinds(|kind| matches!(kind, EntryKind::Deactivated { .. }));
    parts.extend((deactivated > 0).then(|| format!("{deactivated} deactivated in Pylon")));
    parts.extend(
        (!report.undeclared.is_empty())
            .then(|| format!("{} in Pylon declared nowhere", report.undeclared.len())),
    );
    parts.join(" · ")
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
    for GuardrailLine { guardrail, figure, verdict, .. } in
        of(|verdict| matches!(verdict, Verdict::Reported | Verdict::Acknowledged { .. }))
    {
        let note = match verdict {
            Verdict::Acknowledged { reason } => format!("acknowledged: {}", Printable::cut(reason, 120)),
            _ => "it is so already, and this plan does not make it worse".into(),
        };
        let _ = writeln!(
            text,
            "{} {}: {figure}; {note}",
            styled(styles.attention, "Guardrail"),
            guardrail.as_str()
        );
    }
    for GuardrailLine { guardrail, figure, remedy, location, .. } in
        of(|verdict| *verdict == Verdict::Refused)
    {
        let place = location
            .as_ref()
            .map_or_else(String::new, |at| format!("   {}:{}", Printable::new(&at.file), at.line));
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
    for expired in &report.expired {
        let ExpiredLine { guardrail, expired, location } = expired;
        let place = format!("{}:{}", Printable::new(&location.file), location.line);
        let _ = writeln!(
            text,
            "The acknowledgement of {guardrail} at {place} expired {expired} and is not obeyed."
        );
    }
    text
}

fn coming(report: &PlanReport, styles: &Styles) -> String {
    if report.coming.is_empty() {
        return String::new();
    }
    let when = report.coming.iter().map(|line| line.when.width()).max().unwrap_or(0);
    let email = report.coming.iter().map(|line| line.email.width()).max().unwrap_or(0).min(WIDEST_EMAIL);
    let mut text = "\nComing by itself:\n".to_owned();
    for ComingLine { when: at, email: who, field, from, to, location, refused_by } in &report.coming {
        let value = |value: &Option<Printable>| {
            value.as_ref().map_or_else(|| "(left alone)".to_owned(), |text| text.short(LONGEST).to_string())
        };
        let place =
            styled(styles.quiet, format_args!("{}:{}", Printable::new(&location.file), location.line));
        let (at, who) = (padded(at, when), padded(who, email));
        text += &format!("  {at}  {who}  {field} {} → {}   {place}\n", value(from), value(to));
        for refusal in refused_by {
            text += &format!("      {} {refusal}\n", styled(styles.bad, "will be refused by"));
        }
    }
    text
}

fn closing(report: &PlanReport, styles: &Styles) -> String {
    let mut text = String::new();
    if let Some(saved) = &report.saved {
        text += &format!("\nSaved as {saved}; `rolecall apply {saved}` applies exactly this, or nothing.\n");
    }
    let Some(result) = &report.result else {
        return text;
    };
    if let Some(stop) = &result.stopped {
        let _ = writeln!(text, "{}", styled(styles.bad, words::stop(stop)));
    }
    if result.not_read_back > 0 {
        let _ = writeln!(
            text,
            "{} confirmed by Pylon when sent, but not read back.",
            words::count(result.not_read_back, "change was", "changes were")
        );
    }
    if report.outcomes().any(|outcome| !outcome.is_in_force()) {
        text += "Run `rolecall plan` to see where things stand; `rolecall apply` again sends only what is not in force.\n";
        if let Some(journal) = &report.journal {
            text += &format!("What was sent, and when: {journal}\n");
        }
    }
    text
}
