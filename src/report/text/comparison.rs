//! The text report of `compare`, which lists settings before people.

use super::{LONGEST, padded};
use crate::comparison::{ComparedSubject, ComparedValue, DifferenceEntry, ItemLine, Kind};
use crate::printable::Printable;
use crate::report::facts::comparison::ComparisonReport;
use crate::report::style::{Styles, styled};
use crate::report::words;

const WIDEST_KEY: usize = 24;
const WIDEST_VALUE: usize = 56;
/// The maximum length of a subject in characters, enough for any address and for an acknowledgment that names a role.
const LONGEST_SUBJECT: usize = 300;

pub(super) fn comparison(report: &ComparisonReport, styles: &Styles) -> String {
    let ComparisonReport { old, new, declared, summary, differences, now: _, windows: _ } = report;
    let title = styled(styles.heading, "rolecall compare");
    let mut text =
        format!("{title} · {} · {declared} declared\n\n", words::change(old.as_str(), new.as_str()));
    let columns = ComparisonColumns::new(differences);
    for entry in differences {
        text += &entry_lines(entry, &columns, styles);
    }
    if !differences.is_empty() {
        text.push('\n');
    }
    text += &format!("{}\n", words::comparison(report).join(" · "));
    if summary.sensitive {
        let mark = styled(styles.attention, "!");
        text += &format!("Review the lines with {mark} first: {}.\n", words::SENSITIVE);
    }
    text
}

struct ComparisonColumns {
    key: usize,
    value: usize,
}

impl ComparisonColumns {
    fn new(differences: &[DifferenceEntry]) -> Self {
        let items = || differences.iter().flat_map(|entry| &entry.items);
        let key = items().map(|item| item.key.short(LONGEST).width()).max().unwrap_or(0).min(WIDEST_KEY);
        let value =
            items().map(|item| Printable::new(&change(item)).width()).max().unwrap_or(0).min(WIDEST_VALUE);
        Self { key, value }
    }
}

fn entry_lines(entry: &DifferenceEntry, columns: &ComparisonColumns, styles: &Styles) -> String {
    let DifferenceEntry { subject, kind, items, keeps: _, keeps_guarded: _ } = entry;
    let sign = match kind {
        Kind::Added => styled(styles.good, "+"),
        Kind::Removed => styled(styles.bad, "-"),
        Kind::Changed => styled(styles.change, "~"),
    };
    let note = match (subject, kind) {
        (ComparedSubject::Person { .. }, Kind::Added) => "  newly declared",
        (ComparedSubject::Person { .. }, Kind::Removed) => "  no longer declared: not changed in Pylon",
        _ => "",
    };
    let subject = words::subject(subject).short(LONGEST_SUBJECT);
    let mut text = format!("  {sign} {subject}{}\n", styled(styles.quiet, note));
    items.iter().for_each(|item| text += &item_line(item, columns, styles));
    text
}

fn item_line(item: &ItemLine, columns: &ComparisonColumns, styles: &Styles) -> String {
    let ItemLine { key, old, new, sensitive, unresolved, unwritten: _ } = item;
    let mark = if *sensitive { styled(styles.attention, "!") } else { " ".to_owned() };
    let said = new.as_ref().or(old.as_ref());
    let mut place = said.and_then(|said| said.location.as_ref()).map(super::place).unwrap_or_default();
    if said.is_some_and(|said| said.from_defaults) {
        place += ", default";
    }
    if *unresolved {
        place += ", ";
        place += words::UNRESOLVED;
    }
    let line = format!(
        "    {mark} {}  {}   {}",
        padded(&key.short(LONGEST), columns.key),
        padded(&Printable::new(&change(item)), columns.value),
        styled(styles.quiet, place)
    );
    format!("{}\n", line.trim_end())
}

/// Formats a change, e.g. `"Viewer" → "Admin"`, `+ { … }`, or `- "active"`.
fn change(item: &ItemLine) -> String {
    let default = |said: &Option<ComparedValue>| {
        let is_default = said.as_ref().is_some_and(|said| said.location.is_none());
        if is_default { " (the default)" } else { "" }
    };
    let [old, new] = words::declared_values(item, LONGEST * 2);
    match (old.map(|old| old + default(&item.old)), new.map(|new| new + default(&item.new))) {
        (Some(old), Some(new)) => words::change(&old, &new),
        (None, Some(new)) => format!("+ {new}"),
        (Some(old), None) => format!("- {old}"),
        (None, None) => String::new(),
    }
}
