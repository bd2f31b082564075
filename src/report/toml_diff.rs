//! Formats changes as a diff of TOML in the canonical layout, which reviewers know from the files.
//!
//! Each person or setting that differs becomes one [`Hunk`], with the person's name and the source line in comments. Removing
//! the minus lines leaves TOML that declares the new values, and removing the plus lines leaves the old ones. Long strings
//! are truncated, but no lines are omitted.

use std::collections::BTreeMap;

use super::diff::Hunk;
use super::facts::comparison::ComparisonReport;
use super::facts::plan::{ChangeLine, EditLine, PlanReport};
use super::words;
use crate::comparison::{ComparedSubject, ComparedValue, DifferenceEntry, ItemLine, Kind};
use crate::printable::Printable;
use crate::toml_text::{self, quoted};

/// The maximum number of characters to show of a name or value. The JSON report never truncates them.
const LONGEST: usize = 80;

/// Returns the changes in a plan, one hunk per person.
pub fn plan(report: &PlanReport) -> Vec<Hunk> {
    report.changes.iter().map(change).collect()
}

fn change(line: &ChangeLine) -> Hunk {
    let ChangeLine { email, person, edits, outcome, location: _ } = line;
    let outcome = outcome.as_ref().map_or_else(String::new, |outcome| format!(": {}", outcome.name));
    let primary = person.primary_email.as_ref();
    let primary = primary.map_or_else(String::new, |primary| format!(" ({})", words::full_address(primary)));
    let heading = format!("{} # {}{primary}{outcome}", header(email.raw()), person.name.short(LONGEST));
    let (mut before, mut after) = (vec![heading.clone()], vec![heading]);
    for edit in edits {
        let EditLine { field, from: _, to: _, through_scim: _, location, origin: _, blame, cause: _ } = edit;
        let (from, to) = edit.short_values(LONGEST);
        // Put the audit log entry on the line of the old value, because the entry explains who set it.
        let blame = blame.as_ref().map(words::blame);
        before.extend(match (observed(&from), blame) {
            (Some(value), Some(blame)) => Some(format!("{field} = {value} # {blame}")),
            (Some(value), None) => Some(format!("{field} = {value}")),
            (None, Some(blame)) => Some(format!("# {field}: {blame}")),
            (None, None) => None,
        });
        let why = words::why(edit);
        after.push(format!("{field} = {} # {location}{why}", quoted(to.raw())));
    }
    Hunk::between(&before, &after)
}

/// Formats the current value in Pylon, or an array of all values if the person has several roles. Returns `None` if there is no
/// value.
fn observed(values: &[Printable]) -> Option<String> {
    let values: Vec<String> = values.iter().map(|value| quoted(value.raw())).collect();
    match values.as_slice() {
        [] => None,
        [only] => Some(only.clone()),
        several => Some(format!("[{}]", several.join(", "))),
    }
}

/// Returns the differences between two versions of the files, one hunk per subject.
pub fn comparison(report: &ComparisonReport) -> Vec<Hunk> {
    // Emit top-level keys first. After a table header, they would become part of that table.
    let (keys, tables): (Vec<_>, Vec<_>) =
        report.differences.iter().partition(|entry| entry.subject == ComparedSubject::Files);
    keys.into_iter().chain(tables).map(difference).collect()
}

fn difference(entry: &DifferenceEntry) -> Hunk {
    let DifferenceEntry { subject, kind, items, keeps: _, keeps_guarded: _ } = entry;
    let heading = match subject {
        ComparedSubject::Person { email } => Some(header(email.as_str())),
        ComparedSubject::Files => None,
        ComparedSubject::Workspace
        | ComparedSubject::Policy
        | ComparedSubject::Guardrails
        | ComparedSubject::Rule { .. }
        | ComparedSubject::Acknowledgment { .. } => {
            Some(words::subject(subject).short(LONGEST * 4).to_string().replacen("]] ", "]] # ", 1))
        }
    };
    let (mut before, mut after) = (Vec::new(), Vec::new());
    if *kind != Kind::Added {
        before.extend(heading.clone());
    }
    if *kind != Kind::Removed {
        after.extend(heading);
    }
    before.extend(declared(items, |item| item.old.as_ref(), false));
    after.extend(declared(items, |item| item.new.as_ref(), true));
    Hunk::between(&before, &after)
}

/// Formats the old or the new version of the items as TOML, with one line per key and per list item.
fn declared<'a>(
    items: &'a [ItemLine],
    of: impl Fn(&'a ItemLine) -> Option<&'a ComparedValue>,
    with_place: bool,
) -> Vec<String> {
    let mut lines = Vec::new();
    let mut lists: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for item in items {
        let Some(ComparedValue { value, zone, location, from_defaults }) = of(item) else {
            continue;
        };
        let short = |toml: &str| Printable::new(&toml_text::short(toml, LONGEST * 4));
        let value = short(value.raw());
        let notes = [
            location.as_ref().filter(|_| with_place).map(ToString::to_string),
            zone.as_ref().map(|zone| format!("in {}", zone.short(LONGEST))),
            from_defaults.then(|| "default".to_owned()),
            location.is_none().then(|| "by default".to_owned()),
        ];
        let notes = notes.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let comment = if notes.is_empty() { notes } else { format!(" # {notes}") };
        match item.key.raw() {
            key @ ("windows" | "protected" | "emails" | "except" | "roles") => {
                lists.entry(key).or_default().push(format!("  {value},{comment}"));
            }
            key => lines.push(format!("{} = {value}{comment}", short(key))),
        }
    }
    for (key, values) in lists {
        lines.push(format!("{key} = ["));
        lines.extend(values);
        lines.push("]".into());
    }
    lines
}

fn header(email: &str) -> String {
    format!("[users.{}]", quoted(email))
}
