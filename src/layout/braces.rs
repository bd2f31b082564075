//! Edits of one inline table. Where it stands on one line its pairs are put together anew; where it goes over several,
//! or comments stand in it, only what must change does (TOML 1.1 allows the comma that may be left behind the last pair).

use std::ops::Range;

use toml_edit::{InlineTable, Key, Value};

use super::pen::{braced, dotted};
use super::scan::{SPACE, line};
use super::splices::{Belongs, Splices};
use crate::roster::keys;

/// What becomes of one field: a key, and the value as TOML writes it; `None`: the field goes.
pub(super) type FieldEdit = (&'static str, Option<String>);

/// A pair with its places.
struct Pair<'t> {
    key: &'t str,
    span: Range<usize>,
    value: Range<usize>,
}

/// Changes fields of `table`; `false` where dotted keys in it are in the way.
pub(super) fn change(splices: &mut Splices<'_>, table: &InlineTable, edits: &[FieldEdit]) -> bool {
    let Some(pairs) = pairs_of(table) else { return false };
    let span = table.span().unwrap_or_default();
    let old = |key: &str| pairs.iter().find(|pair| pair.key == key);
    let only_sets = edits.iter().all(|(key, value)| value.is_some() && old(key).is_some());
    if only_sets {
        for (key, value) in edits {
            if let (Some(pair), Some(value)) = (old(key), value) {
                splices.replace(pair.value.clone(), value);
            }
        }
    } else if !splices.text[span.clone()].contains('\n') {
        let pairs = changed(splices.text, &pairs, edits);
        splices.replace(span, braced(&pairs));
    } else {
        change_in_place(splices, &span, &pairs, edits);
    }
    true
}

/// Adds pairs at the end of `table`.
pub(super) fn append(splices: &mut Splices<'_>, table: &InlineTable, new: &[String]) {
    let span = table.span().unwrap_or_default();
    match table.iter().filter_map(|(_, value)| value.span()).map(|span| span.end).max() {
        Some(end) => splices.replace(end..end, format!(", {}", new.join(", "))),
        None if !splices.text[span.clone()].contains('\n') => splices.replace(span, braced(new)),
        None => splices.replace(span.start + 1..span.start + 1, format!(" {}", new.join(", "))),
    }
}

fn pairs_of(table: &InlineTable) -> Option<Vec<Pair<'_>>> {
    table.iter().map(|(key, value)| pair_of(table, key, value)).collect()
}

fn pair_of<'t>(table: &'t InlineTable, key: &'t str, value: &'t Value) -> Option<Pair<'t>> {
    if value.as_inline_table().is_some_and(InlineTable::is_dotted) {
        return None;
    }
    let (start, value) = (table.key(key).and_then(Key::span)?.start, value.span()?);
    Some(Pair { key, span: start..value.end, value })
}

/// The pairs afterwards: what is new stands first, or behind what comes before it in the order of keys.
fn changed(text: &str, pairs: &[Pair<'_>], edits: &[FieldEdit]) -> Vec<String> {
    let mut after: Vec<(&str, String)> = Vec::new();
    for Pair { key, span, value } in pairs {
        match edits.iter().find(|(edited, _)| edited == key) {
            None => after.push((key, text[span.clone()].to_owned())),
            Some((_, Some(new))) => after.push((key, text[span.start..value.start].to_owned() + new)),
            Some((_, None)) => {}
        }
    }
    for (key, new) in edits {
        if let Some(new) = new
            && !pairs.iter().any(|pair| pair.key == *key)
        {
            let before = keys::before(key);
            let last = after.iter().rposition(|(other, _)| before.contains(other));
            after.insert(last.map_or(0, |last| last + 1), (key, format!("{} = {new}", dotted(&[key]))));
        }
    }
    after.into_iter().map(|(_, pair)| pair).collect()
}

fn change_in_place(splices: &mut Splices<'_>, span: &Range<usize>, pairs: &[Pair<'_>], edits: &[FieldEdit]) {
    let is_gone = |pair: &Pair<'_>| edits.iter().any(|(key, new)| *key == pair.key && new.is_none());
    for (key, new) in edits {
        match (pairs.iter().find(|pair| pair.key == *key), new) {
            (Some(pair), Some(new)) => splices.replace(pair.value.clone(), new),
            (Some(pair), None) => remove_in_place(splices, span, pair),
            (None, Some(new)) => insert_in_place(splices, span, pairs.first(), &format!("{key} = {new},")),
            (None, None) => {}
        }
    }
    let last_comma = pairs.last().and_then(|last| comma_behind(splices.text, last.span.end, span.end));
    if let Some(kept) = pairs.iter().rev().find(|pair| !is_gone(pair))
        && pairs.last().is_some_and(is_gone)
        && last_comma.is_none()
        && let Some(comma) = comma_behind(splices.text, kept.span.end, span.end)
    {
        splices.replace(comma, ""); // nothing follows any more
    }
}

/// Takes a pair away with its comma, and with its line if nothing else is on it.
fn remove_in_place(splices: &mut Splices<'_>, span: &Range<usize>, pair: &Pair<'_>) {
    let text = splices.text;
    let start = text[..pair.span.start].trim_end_matches([' ', '\t']).len();
    let mut gone = start..pair.span.end;
    match comma_behind(text, gone.end, span.end) {
        Some(comma) if text[gone.end..comma.start].trim_matches([' ', '\t']).is_empty() => {
            gone.end = comma.end;
        }
        Some(comma) => splices.replace(comma, ""),
        None => {}
    }
    let rest = line(text, gone.end);
    if text[..start].ends_with('\n') && rest.trim_matches(SPACE).is_empty() {
        gone.end += rest.len();
    }
    splices.replace(gone, "");
}

/// Puts a pair with its comma behind the brace, or onto a line of its own where the first one has one.
fn insert_in_place(splices: &mut Splices<'_>, span: &Range<usize>, first: Option<&Pair<'_>>, new: &str) {
    let text = splices.text;
    let behind_brace = span.start + 1;
    if let Some(first) = first
        && let Some(newline) = text[behind_brace..first.span.start].find('\n')
    {
        let line_start = text[..first.span.start].rfind('\n').map_or(0, |newline| newline + 1);
        let indent = &text[line_start..first.span.start];
        splices.lines(behind_brace + newline + 1, Belongs::Above, &[format!("{indent}{new}")]);
    } else {
        splices.replace(behind_brace..behind_brace, format!(" {new}"));
    }
}

/// The comma that follows `at`, comments passed over.
fn comma_behind(text: &str, at: usize, end: usize) -> Option<Range<usize>> {
    let mut is_comment = false;
    for (offset, byte) in text[at..end].bytes().enumerate() {
        match byte {
            b'\n' => is_comment = false,
            b'#' => is_comment = true,
            b',' if !is_comment => return Some(at + offset..at + offset + 1),
            b' ' | b'\t' | b'\r' => {}
            _ if is_comment => {}
            _ => break, // the next pair, or the closing brace
        }
    }
    None
}
