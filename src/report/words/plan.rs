//! What a plan comes to, and where its values come from.

use std::collections::BTreeSet;

use super::count;
use crate::apply::{Outcome, OutcomeKind, Stop};
use crate::desired::Origin;
use crate::invocation::Invocation;
use crate::plan::guardrails::Verdict;
use crate::printable::Printable;
use crate::pylon::failure::Class;
use crate::report::facts::plan::{EntryKind, PlanReport};
use crate::roster::Field;

/// Says that a sandbox made the organization up. The command that describes the real one follows it.
pub const MADE_UP: &str = "The organization was made up from these files. Describe your own with";

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

/// How many of what, for the one line that sums a plan up.
pub fn summary(report: &PlanReport) -> Vec<String> {
    let mut parts = Vec::new();
    let edits = |field: Field| {
        report.changes().flat_map(|(_, _, edits, _)| edits).filter(|edit| edit.field == field).count()
    };
    let kinds =
        |wanted: fn(&EntryKind) -> bool| report.entries.iter().filter(|entry| wanted(&entry.kind)).count();
    let changes = report.changes().count();
    if report.result.is_some() {
        for kind in OutcomeKind::ALL {
            let number = report.outcomes().filter(|outcome| outcome.kind() == kind).count();
            parts.extend((number > 0).then(|| format!("{number} {}", kind.as_str())));
        }
    } else if changes > 0 {
        let of_field = |field: Field| {
            let number = edits(field);
            (number > 0).then(|| count(number, field.as_str(), field.plural()))
        };
        let fields: Vec<String> = Field::ALL.into_iter().filter_map(of_field).collect();
        parts.push(format!("{changes} to change ({})", fields.join(", ")));
    } else {
        parts.push("nothing to change".into());
    }
    match report.takeback {
        None => parts.push(format!("{} in step", report.in_step)),
        Some(_) if report.in_step == 0 => {}
        Some(_) => parts.push(format!("{} as before already", report.in_step)),
    }
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
    let integrations = report.integrations.len();
    parts.extend((integrations > 0).then(|| count(integrations, "integration user", "integration users")));
    parts
}

/// What the command does that stands before it, which names the saved plan.
pub const SAVED: &str = "applies exactly this, or what is left of it, or nothing";

/// What to do if not everything is in force: each remedy once. An apply would undo a rollback.
pub fn again(report: &PlanReport) -> Option<String> {
    let troubled: Vec<&Outcome> = report.outcomes().filter(|outcome| !outcome.is_in_force()).collect();
    if troubled.is_empty() {
        return None;
    }
    let mut remedies: Vec<String> = Vec::new();
    let mut add = |remedy: String| {
        if !remedies.contains(&remedy) {
            remedies.push(remedy);
        }
    };
    let stop = report.result.as_ref().and_then(|result| result.stopped.as_ref()).and_then(Stop::failure);
    stop.into_iter().chain(troubled.iter().filter_map(|outcome| outcome.failure())).for_each(|failure| {
        if failure.class() == Class::Forbidden || failure.class() == Class::Fatal {
            add(sentence(&failure.advice()));
        }
    });
    let invocation = &report.invocation;
    troubled.iter().filter_map(|outcome| of_an_outcome(outcome, invocation)).for_each(&mut add);
    if troubled.iter().any(|outcome| outcome.kind().may_succeed_if_sent_again()) {
        let (plan, again) = (invocation.command(&["plan"]), invocation.again());
        add(match report.takeback {
            None => {
                format!(
                    "Run `{plan}` to see where things stand; `{again}` again sends only what is not in force."
                )
            }
            Some(_) => format!("`{again}` again, of the same journal, sends only what is not in force."),
        });
    }
    Some(remedies.join(" "))
}

/// What to do about an outcome for which sending the change again is not the remedy.
fn of_an_outcome(outcome: &Outcome, invocation: &Invocation) -> Option<String> {
    match outcome {
        Outcome::NotEffective => Some(
            "Where a change was not effective, something else decides the value: change it there, such as in the SCIM group, or \
             declare the value that Pylon has."
                .into(),
        ),
        Outcome::ChangedAgain => Some(format!(
            "Where a value was changed again, find out by whom before you send it again: run `{}`.",
            invocation.command(&["plan", "--blame"])
        )),
        Outcome::Stale => Some(format!(
            "Where someone else changed the value since the plan, review the difference: run `{}`.",
            invocation.command(&["plan"])
        )),
        Outcome::Applied
        | Outcome::AlreadyInStep
        | Outcome::Rejected(_)
        | Outcome::Unclear(_)
        | Outcome::NotAttempted(_) => None,
    }
}

/// A remedy as a sentence of its own.
fn sentence(remedy: &str) -> String {
    let mut chars = remedy.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

/// Says what a refusal means for Pylon, if the command would have changed it.
pub fn unchanged(command: &str, report: &PlanReport) -> Option<&'static str> {
    (report.is_refused() && command != "plan" && report.result.is_none()).then_some("Nothing was changed.")
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
        Origin::After { window } => format!(", after {window}"),
        Origin::Rollback => ", as before the apply".into(),
    }
}

/// Where a value comes from, told in full.
pub fn whence(origin: &Origin) -> String {
    match origin {
        Origin::Person => "said of the person".into(),
        Origin::Defaults => "from [defaults] of the file".into(),
        Origin::Window { until, reason } => {
            let until = until.as_ref().map_or_else(
                || "from a window without an end".into(),
                |until| format!("from a window until {}", Printable::new(&until.written)),
            );
            let reason = reason
                .as_ref()
                .map_or_else(String::new, |reason| format!(" ({})", Printable::cut(reason, 60)));
            until + &reason
        }
        Origin::Rollback => "as before the apply".into(),
        Origin::After { window } => {
            format!("from `then`, for whoever still shows {window} after the window")
        }
    }
}
