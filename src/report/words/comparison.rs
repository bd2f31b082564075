//! Messages about differences between two versions of the files, and about scheduled changes.

use super::count;
use crate::comparison::{ComparedSubject, ComparedValue, ItemLine};
use crate::printable::Printable;
use crate::report::facts::comparison::{ComparisonReport, ComparisonSummary};

/// The kinds of differences that a reviewer must not miss.
pub const SENSITIVE: &str = "guarded roles, guardrails, rules, policy, acknowledgments, pinned organization";
/// A note on a role that might be guarded.
pub const UNRESOLVED: &str = "may be a guarded role: cannot tell without Pylon";

/// Names the subject of a difference: a table header as in the file, an address, or the files as a whole.
pub fn subject(subject: &ComparedSubject) -> Printable {
    let text = match subject {
        ComparedSubject::Workspace => "[workspace]".into(),
        ComparedSubject::Policy => "[policy]".into(),
        ComparedSubject::Guardrails => "[guardrails]".into(),
        ComparedSubject::Rule { emails, number: _ } => format!("[[rule]] {emails}"),
        ComparedSubject::Acknowledgment { guardrail, of, number: _ } if of.is_empty() => {
            format!("[[acknowledge]] {}", guardrail.as_str())
        }
        ComparedSubject::Acknowledgment { guardrail, of, number: _ } => {
            format!("[[acknowledge]] {} of {of}", guardrail.as_str())
        }
        ComparedSubject::Files => "the files".into(),
        ComparedSubject::Person { email } => email.to_string(),
    };
    Printable::new(&text)
}

/// Formats the old and the new value, each followed by its time zone if it has one. The values are truncated to `limit`
/// characters, with [`Printable::cut_change`] if there are two.
pub fn declared_values(item: &ItemLine, limit: usize) -> [Option<String>; 2] {
    let with_zone = |shown: Printable, declared: &ComparedValue| match &declared.zone {
        Some(zone) => format!("{shown} # in {zone}"),
        None => shown.to_string(),
    };
    match (&item.old, &item.new) {
        (Some(old), Some(new)) => {
            let [before, after] = Printable::cut_change(old.value.raw(), new.value.raw(), limit);
            [Some(with_zone(before, old)), Some(with_zone(after, new))]
        }
        (old, new) => [old, new].map(|one| one.as_ref().map(|one| with_zone(one.value.short(limit), one))),
    }
}

/// Sums up a comparison for the title of the report.
pub fn differing(report: &ComparisonReport) -> String {
    let ComparisonSummary { people_added, people_removed, people_changed, settings, sensitive: _ } =
        report.summary;
    let people = people_added + people_removed + people_changed;
    let people = (people > 0).then(|| count(people, "person", "people"));
    let settings = (settings > 0).then(|| count(settings, "setting", "settings"));
    let parts: Vec<String> = people.into_iter().chain(settings).collect();
    if parts.is_empty() {
        "no differences".into()
    } else {
        format!("{} declared differently", parts.join(" and "))
    }
}

/// Lists the counts for the summary line of a comparison.
pub fn comparison(report: &ComparisonReport) -> Vec<String> {
    let ComparisonSummary { people_added, people_removed, people_changed, settings, sensitive: _ } =
        report.summary;
    let of = |number: usize, what: &str| (number > 0).then(|| format!("{number} {what}"));
    let parts = [
        of(people_changed, "declared differently"),
        of(people_added, "newly declared"),
        of(people_removed, "no longer declared"),
        (settings > 0).then(|| count(settings, "setting differs", "settings differ")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { vec!["no differences".into()] } else { parts }
}

/// Formats the number of scheduled changes and of windows.
pub fn agenda(transitions: usize, windows: usize) -> String {
    if transitions == 0 {
        return "no scheduled changes".to_owned();
    }
    let changes = count(transitions, "scheduled change", "scheduled changes");
    format!("{changes} in {}", count(windows, "window", "windows"))
}
