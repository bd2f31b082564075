//! Messages about plans and about the origin of their values.

use std::collections::BTreeSet;

use super::{LONGEST_NAME, count, full_address};
use crate::apply::OutcomeKind;
use crate::desired::Origin;
use crate::plan::cause::Cause;
use crate::plan::guardrails::Verdict;
use crate::printable::Printable;
use crate::report::facts::plan::{BaseLine, ChangeLine, EditLine, GuardedRoleLine, PlanReport, PlanSummary};
use crate::roster::Field;

/// The number of characters in an abbreviated commit ID.
const SHORT_COMMIT: usize = 7;
/// The maximum number of people named in a sentence.
const NAMED: usize = 10;

/// Introduces an organization that the sandbox generated. The command to describe the real one follows this text. Files aren't
/// mentioned, because `import --sandbox` generates an organization without them.
pub const MADE_UP: &str =
    "The sandbox generated this organization. To use your own, edit the file written by";

/// Formats the number of people changed by a plan.
pub fn people_change(number: usize) -> String {
    if number == 0 { "nothing to change".into() } else { count(number, "person changes", "people change") }
}

/// The heading of the differences from the base version that the plan doesn't write, but that a reviewer must not miss.
pub const ALSO_CHANGED: &str = "Also changed in these files";
/// The heading of the other differences from the base version that the plan doesn't write.
pub const UNWRITTEN: &str = "Other differences in the files, with nothing to apply now";

/// Sums up a plan or an apply for the title of the report.
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
            fields.extend((number > 0).then(|| count(number, field.as_str(), field.facts().plural)));
        }
        parts.push(format!("{changes} to change ({})", fields.join(", ")));
    } else {
        parts.push("nothing to change".into());
    }
    let PlanSummary { in_sync, in_sync_since_saved, .. } = report.summary;
    match report.rollback {
        None => parts.push(format!("{in_sync} in sync")),
        Some(_) if in_sync == 0 => {}
        Some(_) => parts.push(format!("{in_sync} already at the old values")),
    }
    let (deactivated, missing): (Vec<_>, Vec<_>) = report.missing.iter().partition(|line| line.deactivated);
    for (number, what) in [
        (in_sync_since_saved, "of them since the plan was saved"),
        (report.observed.len(), "observed"),
        (report.ignored.len(), "ignored by policy"),
        (missing.len(), "not found"),
        (deactivated.len(), "deactivated"),
        (report.unmanaged.len(), "unmanaged"),
    ] {
        parts.extend((number > 0).then(|| format!("{number} {what}")));
    }
    let integrations = report.integration_users.len();
    parts.extend((integrations > 0).then(|| count(integrations, "integration user", "integration users")));
    parts
}

/// Describes what `rolecall apply` does with a saved plan. In a report, this text follows the command.
pub const SAVED: &str = "applies these changes and no others";

/// Returns the note `Nothing was changed.` if a blocked plan kept the command from making changes.
pub fn unchanged(command: &str, report: &PlanReport) -> Option<&'static str> {
    (report.blocked && !["plan", "show"].contains(&command) && report.result.is_none())
        .then_some("Nothing was changed.")
}

/// Formats the base version, such as `main (4eebca0)`. If the name is the full commit ID, only the abbreviated ID is shown.
pub fn base_name(base: &BaseLine) -> Printable {
    let BaseLine { name, commit, .. } = base;
    let short = |commit: &Printable| commit.raw().chars().take(SHORT_COMMIT).collect::<String>();
    match commit {
        Some(commit) if commit == name => Printable::new(&short(commit)),
        Some(commit) => Printable::new(&format!("{} ({})", name.short(LONGEST_NAME), short(commit))),
        None => name.short(LONGEST_NAME),
    }
}

/// Explains why the causes of the changes are unknown, or returns `None` if the base version is valid.
pub fn unknown_causes(base: &BaseLine) -> Option<String> {
    let problem = base.problem.as_ref()?;
    Some(format!("Causes are unknown, because {} is not valid: {problem}", base_name(base)))
}

/// Formats the number of changes per cause as a single line. Returns `None` if the base version is missing or invalid.
pub fn causes(report: &PlanReport) -> Option<String> {
    let base = report.base.as_ref().filter(|base| base.problem.is_none())?;
    let name = base_name(base);
    let mut parts = Vec::new();
    for cause in Cause::ALL {
        let has_cause = |change: &&ChangeLine| change.cause() == Some(cause);
        let number = report.changes.iter().filter(has_cause).count();
        parts.extend((number > 0).then(|| format!("{number} {}", cause.as_str())));
    }
    let note = if base.has_files { "" } else { ", which does not have these files" };
    if parts.is_empty() {
        return Some(format!("Compared with {name}{note}: no change in Pylon"));
    }
    Some(format!("Causes, compared with {name}{note}: {}", parts.join(" · ")))
}

/// Formats the origin of a value and the cause of the edit, to be appended to the location. Can be empty.
pub fn why(edit: &EditLine) -> String {
    let cause = edit.cause.map_or_else(String::new, |cause| format!(" · {}", cause.as_str()));
    let origin = origin(&edit.origin);
    if origin.is_empty() { cause } else { format!(", {origin}{cause}") }
}

/// Formats the origin of a value, such as `default` or `until 2027-01-03`. Returns an empty string if the value is set in the
/// person's entry.
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
        Origin::After { window, is_overdue: false } => {
            format!("after the window with {}", Printable::new(window))
        }
        Origin::After { window: _, is_overdue: true } => "the window ended more than 48 hours ago".into(),
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
        Origin::After { window, is_overdue: _ } => {
            format!("from `then`, if the status is still {window} after the window")
        }
    }
}

fn in_parentheses(reason: Option<&str>) -> String {
    reason.map_or_else(String::new, |reason| format!(" ({})", Printable::cut(reason, 60)))
}

/// Lists who gains or loses a guarded role: `ines@acme.example gains Admin, gil@acme.example loses Admin`. Returns an empty
/// string if the plan doesn't affect guarded roles.
pub fn guarded_roles(report: &PlanReport) -> String {
    let mut parts: Vec<String> = Vec::new();
    for line in report.guarded_roles.iter().take(NAMED) {
        let GuardedRoleLine { email, role, gained: _ } = line;
        let (email, role) = (full_address(email), role.short(LONGEST_NAME));
        parts.push(format!("{email} {} {role}", line.verb()));
    }
    let more = report.guarded_roles.len() - parts.len();
    parts.extend(
        (more > 0).then(|| format!("and {} of guarded roles", count(more, "more change", "more changes"))),
    );
    parts.join(", ")
}
