//! Lists people who need attention for another reason than a change in the plan.

use super::{Line, Part, Section, in_parentheses, line, list, separated};
use crate::plan::guardrails::Verdict;
use crate::printable::Printable;
use crate::report::facts::plan::{
    ChangeLine, EditLine, FoundElsewhereLine, MissingLine, PlanReport, UndeclaredLine,
};
use crate::report::words;
use crate::roster::Guardrail;

/// Returns the list of people who hold a guarded role that the files don't declare.
pub(in crate::report) fn undeclared(report: &PlanReport) -> Option<Section> {
    let line = |UndeclaredLine { email, role, declared }: &UndeclaredLine| {
        let how = if *declared { " through SCIM" } else { " (unmanaged)" };
        line![email, " holds ", role, how]
    };
    list("Guarded roles that the files do not declare", true, report.undeclared.iter().map(line).collect())
}

/// Returns the list of guarded roles that the files don't declare, followed by separate lists of people who are not found,
/// deactivated, observed, found under another address, or unmanaged. Lists that a reviewer must not miss are expanded, such as
/// those that explain why the plan is blocked.
pub(super) fn others(report: &PlanReport) -> Vec<Section> {
    let blocks =
        |name| report.guardrails.iter().any(|line| line.name == name && line.verdict == Verdict::Blocks);
    let (deactivated, missing): (Vec<_>, Vec<_>) = report.missing.iter().partition(|line| line.deactivated);
    let has_overdue =
        report.observed.iter().flat_map(|change| &change.edits).any(|edit| edit.origin.is_overdue());
    let lists = [
        list(
            "Not found in Pylon",
            blocks(Guardrail::Missing),
            missing.into_iter().map(missing_line).collect(),
        ),
        list(
            "Deactivated in Pylon",
            blocks(Guardrail::Missing),
            deactivated.into_iter().map(missing_line).collect(),
        ),
        list("Observed, left alone", has_overdue, report.observed.iter().map(observed_line).collect()),
        list(
            "Different primary address in Pylon",
            false,
            report.found_elsewhere.iter().map(found_elsewhere_line).collect(),
        ),
        list(
            "Unmanaged",
            blocks(Guardrail::Unmanaged),
            report.unmanaged.iter().map(|email| line![email]).collect(),
        ),
    ];
    undeclared(report).into_iter().chain(lists.into_iter().flatten()).collect()
}

fn observed_line(change: &ChangeLine) -> Line {
    let ChangeLine { email, edits, location, .. } = change;
    let mut line = line![email, " "];
    line.extend(separated(edits.iter().map(observed)));
    line.extend(in_parentheses(edits.first().map_or(location, |edit| &edit.location)));
    line
}

fn found_elsewhere_line(found: &FoundElsewhereLine) -> Line {
    let FoundElsewhereLine { email, person, location } = found;
    let mut line = line![email];
    line.extend(person.primary_email.iter().flat_map(|primary| line![": ", primary]));
    line.extend(in_parentheses(location));
    line
}

fn missing_line(missing: &MissingLine) -> Line {
    let MissingLine { email, deactivated: _, name, did_you_mean, location } = missing;
    let mut line = line![email];
    line.extend(name.iter().flat_map(|name| line![" (", name, ")"]));
    line.extend(did_you_mean.iter().flat_map(|near| line!["; did you mean ", near, "?"]));
    line.extend(in_parentheses(location));
    line
}

fn observed(edit: &EditLine) -> Line {
    let EditLine { field, from, to, through_scim: _, location: _, origin, blame, cause: _ } = edit;
    let mut line = line![format!("{field} ")];
    line.extend(from.is_empty().then_some(Part::from("(none)")));
    line.extend(separated(from.iter().map(|value| line![value])));
    let before = from.last().map_or("", Printable::raw);
    line.extend(line![format!(" {} ", words::arrow(before)), to]);
    if edit.origin.is_overdue() {
        line.extend(line![", ", Part::Sentence(words::origin(origin))]);
    }
    line.extend(blame.iter().flat_map(|blame| line![" (", Part::Sentence(words::blame(blame)), ")"]));
    line
}
