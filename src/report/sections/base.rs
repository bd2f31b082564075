//! The section with the differences from the base version that the plan doesn't write.

use super::{LONGEST_SENTENCE, Line, Part, Section, in_parentheses, line, list, separated};
use crate::comparison::{ComparedSubject, DifferenceEntry, ItemLine, Kind, Unwritten};
use crate::report::facts::plan::PlanReport;
use crate::report::tables::Mark;
use crate::report::words;

/// Returns an expanded list of the differences to review and a collapsed list of the others. For an invalid base version,
/// returns the problem instead.
pub(in crate::report) fn base(report: &PlanReport) -> Vec<Section> {
    let Some(base) = &report.base else { return Vec::new() };
    if let Some(unknown) = words::unknown_causes(base) {
        return vec![Section::Paragraph(Mark::Attention, line![Part::Sentence(unknown)])];
    }
    let (mut open, mut folded) = (Vec::new(), Vec::new());
    // Put people and rules last, since they can take up many lines and a format may have to shorten the list.
    let mut entries: Vec<&DifferenceEntry> = base.unwritten.iter().collect();
    entries.sort_by_key(|entry| match entry.subject {
        ComparedSubject::Person { .. } => 1,
        ComparedSubject::Rule { .. } => 2,
        _ => 0,
    });
    for entry in entries {
        if entry.kind == Kind::Removed && (!entry.keeps.is_empty() || entry.items.is_empty()) {
            let is_sensitive = entry.keeps_guarded || entry.items.iter().any(|item| item.sensitive);
            let lines = if is_sensitive { &mut open } else { &mut folded };
            lines.push(no_longer_declared(entry));
            continue;
        }
        for item in &entry.items {
            let lines = if item.sensitive { &mut open } else { &mut folded };
            lines.push(unwritten_line(entry, item));
        }
    }
    let open = list(words::ALSO_CHANGED, true, open);
    open.into_iter().chain(list(words::UNWRITTEN, false, folded)).collect()
}

fn subject(entry: &DifferenceEntry) -> Part {
    Part::Sentence(words::subject(&entry.subject).short(LONGEST_SENTENCE).to_string())
}

fn no_longer_declared(entry: &DifferenceEntry) -> Line {
    let mut line = line![subject(entry), " is no longer declared"];
    if !entry.keeps.is_empty() {
        line.push(" and keeps ".into());
        line.extend(separated(entry.keeps.iter().map(|role| line![role])));
        line.push(" in Pylon".into());
    }
    line
}

fn unwritten_line(entry: &DifferenceEntry, item: &ItemLine) -> Line {
    let ItemLine { key, old: _, new, sensitive: _, unresolved, unwritten } = item;
    let [old, shown] = words::declared_values(item, LONGEST_SENTENCE).map(|value| value.map(Part::Sentence));
    let mut line = line![subject(entry), " ", key, ": "];
    line.extend(match (old, shown) {
        (Some(old), Some(new)) => line![old, " → ", new],
        (None, Some(new)) => line!["added ", new],
        (Some(old), None) if *unwritten == Some(Unwritten::NoLongerDeclared) => {
            line!["no longer declared (was ", old, ")"]
        }
        (Some(old), None) => line!["removed ", old],
        (None, None) => Vec::new(),
    });
    line.extend(new.iter().filter_map(|value| value.location.as_ref()).flat_map(in_parentheses));
    let is_said = |reason: &Unwritten| matches!(reason, Unwritten::Setting | Unwritten::NoLongerDeclared);
    let reason = unwritten.filter(|reason| !is_said(reason)).map(Unwritten::as_str);
    for note in reason.into_iter().chain(unresolved.then_some(words::UNRESOLVED)) {
        line.extend(line!["; ", note]);
    }
    line
}
