//! The markdown report of `compare`.

use super::{code, details, diff, list, place, title};
use crate::comparison::{DifferenceEntry, ItemLine};
use crate::report::facts::comparison::ComparisonReport;
use crate::report::{toml_diff, words};

pub(super) fn write(command: &str, report: &ComparisonReport, limit: usize) -> String {
    let parts = words::comparison(report);
    let counts =
        if report.differences.is_empty() { String::new() } else { format!("{}\n\n", parts.join(" · ")) };
    let head = title(command, &words::differing(report)) + &counts + &first(report, limit / 4);
    let hunks = toml_diff::comparison(report);
    let summary =
        words::count(hunks.len(), "difference in what is declared", "differences in what is declared");
    let room = limit.saturating_sub(head.len());
    let text = head + &diff(&hunks, &summary, "difference", "differences", room);
    text.trim_end().to_owned() + "\n"
}

/// Lists the differences that should be reviewed first.
fn first(report: &ComparisonReport, room: usize) -> String {
    let important = report.differences.iter().flat_map(|entry| {
        entry.items.iter().filter(|item| item.sensitive).map(move |item| line(entry, item))
    });
    let lines = list(important, room);
    if lines.is_empty() {
        return String::new();
    }
    let text = format!("Review these first ({}):\n\n{lines}", words::SENSITIVE);
    if lines.lines().count() > super::UNFOLDED {
        details("Review these first", &text) + "\n"
    } else {
        text + "\n"
    }
}

fn line(entry: &DifferenceEntry, item: &ItemLine) -> String {
    let subject = code(words::subject(&entry.subject).short(120).as_str());
    let ItemLine { key, old: _, new, sensitive: _, unresolved, unwritten: _ } = item;
    let [old, shown] = words::declared_values(item, 160).map(|value| value.map(|value| code(&value)));
    let change = match (old, shown) {
        (Some(old), Some(new)) => words::change(&old, &new),
        (None, Some(new)) => format!("added {new}"),
        (Some(old), None) => format!("removed {old}"),
        (None, None) => String::new(),
    };
    let at = new.as_ref().and_then(|said| said.location.as_ref());
    let at = at.map_or_else(String::new, |location| format!(" ({})", place(location)));
    let note = if *unresolved { format!(", {}", words::UNRESOLVED) } else { String::new() };
    format!("{subject} {}: {change}{at}{note}", code(key.short(80).as_str()))
}
