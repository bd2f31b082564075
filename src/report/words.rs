//! Sentences that several formats share, so that a figure reads the same everywhere.

use std::collections::BTreeSet;

use super::comparison_report::{ComparisonReport, People};
use super::plan_report::{EntryKind, PlanReport};
use crate::apply::outcome::NotAttempted;
use crate::apply::{Outcome, Stop};
use crate::comparison::Subject;
use crate::desired::Origin;
use crate::observed::RoleId;
use crate::plan::guardrails::{Figure, RoleFloor, Verdict};
use crate::printable::Printable;
use crate::pylon::Class;

/// `1 change`, `2 changes`.
pub fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

/// What makes a difference between two versions weighty.
pub const WEIGHTY: &str = "kept roles, guardrails, policy, accepted risks, the pin";

/// How many files are valid, and how many people they declare.
pub fn valid(files: usize, declared: usize) -> String {
    let (files, people) = (count(files, "file", "files"), count(declared, "person", "people"));
    format!("{files}, {people} declared: valid")
}

/// How much comes by itself.
pub fn agenda(transitions: usize, windows: usize) -> String {
    match transitions {
        0 => "nothing comes by itself".to_owned(),
        _ => {
            format!(
                "{} in {}",
                count(transitions, "transition", "transitions"),
                count(windows, "window", "windows")
            )
        }
    }
}

/// What is declared about, as a file would name it.
pub fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Workspace => "[workspace]".into(),
        Subject::Policy => "[policy]".into(),
        Subject::Guardrails => "[guardrails]".into(),
        Subject::Acknowledgement { guardrail, of, number: _ } if of.is_empty() => {
            format!("[[acknowledge]] {guardrail}")
        }
        Subject::Acknowledgement { guardrail, of, number: _ } => {
            format!("[[acknowledge]] {guardrail} of {of}")
        }
        Subject::Files => "the files".into(),
        Subject::Person(email) => email.to_string(),
    }
}

/// What a comparison comes to, in the few words of a title.
pub fn differing(report: &ComparisonReport) -> String {
    let People { added, removed, changed } = report.people();
    let (people, settings) = (added + removed + changed, report.settings().count());
    let people = (people > 0).then(|| count(people, "person", "people"));
    let settings = (settings > 0).then(|| count(settings, "setting", "settings"));
    let parts: Vec<String> = people.into_iter().chain(settings).collect();
    if parts.is_empty() {
        "both declare the same".into()
    } else {
        format!("{} declared differently", parts.join(" and "))
    }
}

/// How many of what differ, for the one line that sums a comparison up.
pub fn comparison(report: &ComparisonReport) -> Vec<String> {
    let People { added, removed, changed } = report.people();
    let settings = report.settings().count();
    let of = |number: usize, what: &str| (number > 0).then(|| format!("{number} {what}"));
    let parts = [
        of(changed, "declared differently"),
        of(added, "newly declared"),
        of(removed, "no longer declared"),
        (settings > 0).then(|| count(settings, "setting for everybody", "settings for everybody")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { vec!["both declare the same".into()] } else { parts }
}

/// What a plan comes to, in the few words of a title.
pub fn verdict(report: &PlanReport) -> String {
    let refused: BTreeSet<&str> = report
        .guardrails
        .iter()
        .filter(|line| line.verdict == Verdict::Refused)
        .map(|line| line.guardrail.as_str())
        .collect();
    if !refused.is_empty() {
        return format!("refused by {}", refused.into_iter().collect::<Vec<_>>().join(", "));
    }
    let changes = report.changes().count();
    if report.result.is_none() {
        return if changes == 0 { "nothing to change".into() } else { format!("{changes} to change") };
    }
    let in_force = report.outcomes().filter(|outcome| outcome.is_in_force()).count();
    if in_force == changes {
        format!("{} in force", count(changes, "change", "changes"))
    } else {
        format!("{in_force} of {} in force", count(changes, "change", "changes"))
    }
}

/// The holders of a role: `Admins`. Only names that take an s in English are given one.
fn holders(role: &str, number: u64) -> String {
    let takes_s = role.ends_with(|last: char| last.is_ascii_lowercase() && !"sxz".contains(last));
    if takes_s && number != 1 { format!("{role}s") } else { role.to_owned() }
}

fn was(before: u64, after: u64) -> String {
    if after < before { format!(" of {before}") } else { String::new() }
}

/// How many of what, for the one line that sums a plan up.
pub fn summary(report: &PlanReport) -> Vec<String> {
    let mut parts = Vec::new();
    let fields = |name: &str| {
        report.changes().flat_map(|(_, _, edits, _)| edits).filter(|edit| edit.field == name).count()
    };
    let kinds =
        |wanted: fn(&EntryKind) -> bool| report.entries.iter().filter(|entry| wanted(&entry.kind)).count();
    let changes = report.changes().count();
    if report.result.is_some() {
        for name in Outcome::NAMES {
            let number = report.outcomes().filter(|outcome| outcome.as_str() == name).count();
            parts.extend((number > 0).then(|| format!("{number} {name}")));
        }
    } else if changes > 0 {
        let (roles, statuses) = (fields("role"), fields("status"));
        let roles = (roles > 0).then(|| count(roles, "role", "roles"));
        let statuses = (statuses > 0).then(|| count(statuses, "status", "statuses"));
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
    parts
}

/// A guardrail's figure and limit in a few words. `label` names a role.
pub fn figure(figure: &Figure, label: &dyn Fn(&RoleId) -> String) -> String {
    match figure {
        Figure::Changes { changed, declared, limit } => {
            format!("{changed} of {declared} change (limit {limit})")
        }
        Figure::Holders(RoleFloor { role, floor, before, after }) => {
            let was = was(*before, *after);
            let verb = if *after == 1 { "remains" } else { "remain" };
            format!("{after}{was} {} {verb} (floor {floor})", holders(&label(role), *before.max(after)))
        }
        Figure::Active { before, after, floor } => {
            let was = was(*before, *after);
            format!("{after}{was} active remain (floor {floor})")
        }
        Figure::Protected(email) => {
            format!("{} is protected and would change", Printable::new(email.as_str()))
        }
        Figure::ProtectedNobody(email) => {
            format!("{} is protected, and nobody in Pylon has this address", Printable::new(email.as_str()))
        }
        Figure::NoKeptRole => {
            "no role has the slug `admin`, so nobody is kept; name the role in keep_at_least".into()
        }
        Figure::TokenOwner { email, role } => {
            format!(
                "{}, whose token this is, would lose the role {}",
                Printable::new(email.as_str()),
                label(role)
            )
        }
        Figure::Unmanaged(count) => format!("{count} in Pylon declared nowhere"),
        Figure::Missing(count) => format!("{count} declared and not in Pylon"),
    }
}

/// What to do about a refusal: the narrowest thing that would let exactly this plan pass. Several lines, the last of
/// them TOML to copy.
pub fn remedy(figure: &Figure, written: &dyn Fn(&RoleId) -> String, expires: &str) -> String {
    let (first, keys) = match figure {
        Figure::Changes { changed, .. } => {
            (format!("apply with --max-changes {changed}, or "), vec![format!("up_to = {changed}")])
        }
        Figure::Holders(RoleFloor { role, after, .. }) => (
            String::new(),
            vec![format!("role = {}", toml_string(&written(role))), format!("down_to = {after}")],
        ),
        // Reported, never refused: there is nothing to acknowledge.
        Figure::ProtectedNobody(_) | Figure::NoKeptRole => return String::new(),
        Figure::Active { after, .. } => (String::new(), vec![format!("down_to = {after}")]),
        Figure::Protected(email) | Figure::TokenOwner { email, role: _ } => {
            (String::new(), vec![format!("user = {}", toml_string(email.as_str()))])
        }
        Figure::Unmanaged(count) => ("declare them, or ".into(), vec![format!("up_to = {count}")]),
        Figure::Missing(count) => ("correct or remove them, or ".into(), vec![format!("up_to = {count}")]),
    };
    let guardrail = figure.guardrail().as_str();
    let keys = keys.join("\n  ");
    format!(
        "If it is meant, {first}add this to the root file:\n  [[acknowledge]]\n  guardrail = \"{guardrail}\"\n  {keys}\n  \
         reason = \"\"  # why\n  expires = {expires}  # at most 30 days ahead"
    )
}

/// A text between quotes, as TOML reads it; one that is too long for any name is cut, so that no sentence is endless.
fn toml_string(text: &str) -> String {
    format!("\"{}\"", Printable::cut(text, 300).as_str().replace('\\', "\\\\").replace('"', "\\\""))
}

/// Where a value comes from, where that is worth saying: `, default`, `, until 2027-01-03`.
pub fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Person => String::new(),
        Origin::Defaults => ", default".into(),
        Origin::Window { until, reason } => {
            let until = until.as_ref().map_or_else(
                || ", from a window".into(),
                |until| format!(", until {}", Printable::new(&until.written)),
            );
            let reason = reason
                .as_ref()
                .map_or_else(String::new, |reason| format!(" ({})", Printable::cut(reason, 60)));
            until + &reason
        }
        Origin::After { window } => format!(", after {}", window.as_str()),
    }
}

/// What came of a change, with why where that is known.
pub fn outcome(outcome: &Outcome) -> String {
    let name = outcome.as_str();
    match outcome {
        Outcome::Applied => name.into(),
        Outcome::AlreadyInStep => format!("{name}: somebody else was faster, nothing was sent"),
        Outcome::NotEffective => {
            format!("{name}: Pylon accepted it and still shows another value; a SCIM group may decide this")
        }
        Outcome::ChangedAgain => format!(
            "{name}: it was in force and then was not; support hours, a calendar or a colleague set another value"
        ),
        Outcome::Stale => format!("{name}: somebody else has set another value since the plan; left alone"),
        // It was in doubt and was looked at: Pylon did not hold it, and it was not sent again.
        Outcome::Rejected(failure) if failure.class() == Class::Ambiguous => {
            format!("{name}: read afterwards and unchanged, not sent again; {}", failure.line())
        }
        Outcome::Rejected(failure) => format!("{name}: {}", failure.line()),
        Outcome::Unclear(Some(failure)) => format!("{name}, it may be in force: {}", failure.line()),
        Outcome::Unclear(None) => format!("{name}, it may be in force: the answer was not waited for"),
        Outcome::NotAttempted(NotAttempted::Stopped) => name.into(),
        Outcome::NotAttempted(NotAttempted::Unreachable(failure)) => format!("{name}: {}", failure.line()),
        Outcome::NotAttempted(NotAttempted::KeptRole) => {
            format!("{name}: a gain before it failed, and too few would have kept the role")
        }
    }
}

/// Why an apply ended early.
pub fn stop(stop: &Stop) -> String {
    match stop {
        Stop::Signal(number) => match number {
            1 => "stopped by SIGHUP".into(),
            2 => "stopped by SIGINT".into(),
            15 => "stopped by SIGTERM".into(),
            other => format!("stopped by signal {other}"),
        },
        Stop::Fatal(failure) => format!("stopped, since nothing more would go through: {}", failure.line()),
        Stop::Forbidden(failure) => format!("stopped after three refusals in a row: {}", failure.line()),
        Stop::Journal(why) => {
            format!("stopped, since the journal cannot be written: {}", Printable::cut(why, 200))
        }
        Stop::Silence => "stopped, since nothing has succeeded for five minutes".into(),
        Stop::LongPause(failure) => {
            format!("stopped, since Pylon asks for a pause of more than five minutes: {}", failure.line())
        }
    }
}
