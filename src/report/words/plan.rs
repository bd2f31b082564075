//! Messages about plans and about the origin of their values.

use std::collections::BTreeSet;

use super::{LONGEST_ADDRESS, LONGEST_NAME, count};
use crate::apply::OutcomeKind;
use crate::desired::Origin;
use crate::plan::cause::Cause;
use crate::plan::guardrails::Verdict;
use crate::printable::Printable;
use crate::report::facts::plan::{BaseLine, ChangeLine, EditLine, GuardedRoleLine, PlanReport, PlanSummary};
use crate::roster::Field;

/// The length of an abbreviated commit ID.
const SHORT_COMMIT: usize = 7;
/// The maximum number of people named in a sentence.
const NAMED: usize = 10;

/// Introduces an organization that the sandbox generated. It is followed by the command to describe the real one.
pub const MADE_UP: &str = "This organization was generated from the files. To use your own, run";

/// Formats the number of people that a plan changes.
pub fn people_change(number: usize) -> String {
    if number == 0 { "nothing to change".into() } else { count(number, "person changes", "people change") }
}

/// Heads the differences from the base version that don't require a write, but that a reviewer must not miss.
pub const ALSO_CHANGED: &str = "Also changed in these files";
/// Heads the remaining differences from the base version that don't require a write.
pub const UNWRITTEN: &str = "Other differences in the files, with nothing to apply now";

/// Sums up a plan for the title.
pub fn verdict(report: &PlanReport) -> String {
    let blocking = report.guardrails.iter().filter(|line| line.verdict == Verdict::Blocks);
    let names: BTreeSet<&str> = blocking.map(|line| line.name.as_str()).collect();
    if !names.is_empty() {
        return format!("blocked by {}", Vec::from_iter(names).join(", "));
    }
    let changes = report.changes.len();
    if report.result.is_none() {
        return people_change(changes);
    }
    let applied = report.outcomes().filter(|outcome| outcome.is_in_sync()).count();
    if applied == changes {
        format!("{} applied", count(changes, "change", "changes"))
    } else {
        format!("{applied} of {} applied", count(changes, "change", "changes"))
    }
}

/// Lists the counts for the summary line of a plan.
pub fn summary(report: &PlanReport) -> Vec<String> {
    let mut parts = Vec::new();
    let changes = report.changes.len();
    if report.result.is_some() {
        for kind in OutcomeKind::ALL {
            let number = report.outcomes().filter(|outcome| outcome.kind() == kind).count();
            parts.extend((number > 0).then(|| format!("{number} {}", kind.as_str())));
        }
    } else if changes > 0 {
        let mut fields = Vec::new();
        for field in Field::ALL {
            let edits = report.changes.iter().flat_map(|change| &change.edits);
            let number = edits.filter(|edit| edit.field == field).count();
            fields.extend((number > 0).then(|| count(number, field.as_str(), field.plural())));
        }
        parts.push(format!("{changes} to change ({})", fields.join(", ")));
    } else {
        parts.push("nothing to change".into());
    }
    let PlanSummary { in_sync, in_sync_since_saved, .. } = report.summary;
    match report.rollback {
        None => parts.push(format!("{in_sync} in sync")),
        Some(_) if in_sync == 0 => {}
        Some(_) => parts.push(format!("{in_sync} already restored")),
    }
    let (deactivated, missing): (Vec<_>, Vec<_>) = report.missing.iter().partition(|line| line.deactivated);
    for (number, what) in [
        (in_sync_since_saved, "of them since the plan was saved"),
        (report.observed.len(), "observed"),
        (missing.len(), "not in Pylon"),
        (deactivated.len(), "deactivated in Pylon"),
        (report.unmanaged.len(), "unmanaged"),
    ] {
        parts.extend((number > 0).then(|| format!("{number} {what}")));
    }
    let integrations = report.integration_users.len();
    parts.extend((integrations > 0).then(|| count(integrations, "integration user", "integration users")));
    parts
}

/// Describes what `rolecall apply` does with a saved plan. The command precedes it.
pub const SAVED: &str = "applies these changes and no others";

/// Notes that nothing was changed, if the plan is blocked and the command would otherwise have changed something.
pub fn unchanged(command: &str, report: &PlanReport) -> Option<&'static str> {
    (report.blocked && command != "plan" && report.result.is_none()).then_some("Nothing was changed.")
}

/// Formats the base version, such as `main (4eebca0)`. The abbreviated commit ID is omitted if it is the name.
pub fn base_name(base: &BaseLine) -> Printable {
    let BaseLine { name, commit, .. } = base;
    let short = |commit: &Printable| commit.raw().chars().take(SHORT_COMMIT).collect::<String>();
    match commit {
        Some(commit) if commit == name => Printable::new(&short(commit)),
        Some(commit) => Printable::new(&format!("{} ({})", name.short(LONGEST_NAME), short(commit))),
        None => name.short(LONGEST_NAME),
    }
}

/// Counts the changes by cause in a single line, or returns `None` if there is no base version.
pub fn causes(report: &PlanReport) -> Option<String> {
    let base = report.base.as_ref()?;
    let BaseLine { has_files, problem, .. } = base;
    let name = base_name(base);
    if let Some(problem) = problem {
        return Some(format!("Causes are unknown, because {name} is not valid: {problem}"));
    }
    let mut parts = Vec::new();
    for cause in Cause::ALL {
        let has_cause = |change: &&ChangeLine| change.cause() == Some(cause);
        let number = report.changes.iter().filter(has_cause).count();
        parts.extend((number > 0).then(|| format!("{number} {}", cause.as_str())));
    }
    if parts.is_empty() {
        parts.push("no change".to_owned());
    }
    let note = if *has_files { "" } else { ", which does not have these files" };
    Some(format!("Causes, compared with {name}{note}: {}", parts.join(" · ")))
}

/// Notes the origin of a value and the cause of the edit. May be empty.
pub fn why(edit: &EditLine) -> String {
    let cause = edit.cause.map_or_else(String::new, |cause| format!(" · {}", cause.as_str()));
    let origin = origin(&edit.origin);
    if origin.is_empty() { cause } else { format!(", {origin}{cause}") }
}

/// Notes the origin of a value, such as `default` or `until 2027-01-03`. Empty if the value is set for the person directly.
pub fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Person => String::new(),
        Origin::Defaults => "default".into(),
        Origin::Window { until: Some(until), reason } => {
            format!("until {}{}", Printable::new(&until.written), in_parentheses(reason.as_deref()))
        }
        Origin::Window { until: None, reason } => {
            format!("from a window{}", in_parentheses(reason.as_deref()))
        }
        Origin::After { window } => format!("after {}", Printable::new(window)),
        Origin::Rollback => "previous value".into(),
    }
}

/// Describes the origin of a value in full.
pub fn full_origin(origin: &Origin) -> String {
    match origin {
        Origin::Person => "set for the person".into(),
        Origin::Defaults => "from [defaults] of the file".into(),
        Origin::Window { until: Some(until), reason } => {
            let until = Printable::new(&until.written);
            format!("from a window until {until}{}", in_parentheses(reason.as_deref()))
        }
        Origin::Window { until: None, reason } => {
            format!("from an open-ended window{}", in_parentheses(reason.as_deref()))
        }
        Origin::Rollback => "previous value".into(),
        Origin::After { window } => {
            format!("from `then`, if the status is still {window} after the window")
        }
    }
}

fn in_parentheses(reason: Option<&str>) -> String {
    reason.map_or_else(String::new, |reason| format!(" ({})", Printable::cut(reason, 60)))
}

/// Lists who gains or loses a guarded role: `ines@acme.example gains Admin, gil@acme.example loses Admin`. Empty if there are no
/// such people.
pub fn guarded_roles(report: &PlanReport) -> String {
    let mut parts: Vec<String> = Vec::new();
    for line in report.guarded_roles.iter().take(NAMED) {
        let GuardedRoleLine { email, role, gained: _ } = line;
        let (email, role) = (email.short(LONGEST_ADDRESS), role.short(LONGEST_NAME));
        parts.push(format!("{email} {} {role}", line.verb()));
    }
    let more = report.guarded_roles.len() - parts.len();
    parts.extend((more > 0).then(|| format!("and {more} more changes of guarded roles")));
    parts.join(", ")
}
