//! Edits inline tables. If a table is on a single line and lacks one of the keys to set, the whole table is rewritten. Otherwise,
//! only the changed values are replaced, and new pairs are inserted at the front.

use toml_edit::{InlineTable, Value};

use super::parsed::{inline_pairs, line_start};
use super::splices::{Belongs, Splices};
use super::value::braced;
use crate::roster::keys;

/// Sets fields of `table`, or returns `false` if it contains dotted keys, which can't be set individually.
pub(super) fn set_fields(
    splices: &mut Splices<'_>,
    table: &InlineTable,
    fields: &[(&'static str, String)],
) -> bool {
    let text = splices.text;
    let span = table.span().unwrap_or_default();
    let pairs = inline_pairs(table);
    if pairs.iter().any(|pair| pair.path.len() > 1) {
        return false;
    }
    let has_all = fields.iter().all(|(key, _)| table.contains_key(key));
    if has_all || text[span.clone()].contains('\n') {
        for (key, new) in fields {
            match table.get(key).and_then(Value::span) {
                Some(old) => splices.replace(old, new.clone()),
                None => insert_in_front(splices, table, &format!("{key} = {new},")),
            }
        }
        return true;
    }
    let mut written: Vec<(&str, String)> = Vec::new();
    for pair in &pairs {
        let key = pair.path[0];
        let value = pair.value.span().unwrap_or_default();
        let code = match fields.iter().find(|(field, _)| *field == key) {
            Some((_, new)) => text[pair.key_start..value.start].to_owned() + new,
            None => text[pair.key_start..value.end].to_owned(),
        };
        written.push((key, code));
    }
    for (key, new) in fields.iter().filter(|(key, _)| !table.contains_key(key)) {
        let before = keys::before(key);
        let last = written.iter().rposition(|(other, _)| before.contains(other));
        written.insert(last.map_or(0, |last| last + 1), (key, format!("{key} = {new}")));
    }
    let written: Vec<String> = written.into_iter().map(|(_, code)| code).collect();
    splices.replace(span, braced(&written));
    true
}

/// Inserts a pair and its comma after the opening brace, on a line of its own if the first pair also starts a new line.
fn insert_in_front(splices: &mut Splices<'_>, table: &InlineTable, new: &str) {
    let text = splices.text;
    let below_brace = table.span().unwrap_or_default().start + 1;
    let first = inline_pairs(table).first().map_or(below_brace, |pair| pair.key_start);
    if let Some(newline) = text[below_brace..first].find('\n') {
        let indent = &text[line_start(text, first)..first];
        splices.lines(below_brace + newline + 1, Belongs::Above, &[format!("{indent}{new}")]);
    } else {
        splices.replace(below_brace..below_brace, format!(" {new}"));
    }
}

pub(super) fn append(splices: &mut Splices<'_>, table: &InlineTable, new: &[String]) {
    let span = table.span().unwrap_or_default();
    // Look for the end of the last value because the span of a table made of dotted keys covers only the key.
    let ends = inline_pairs(table).into_iter().filter_map(|pair| pair.value.span()).map(|span| span.end);
    match ends.max() {
        Some(end) => splices.replace(end..end, format!(", {}", new.join(", "))),
        None if !splices.text[span.clone()].contains('\n') => splices.replace(span, braced(new)),
        None => splices.replace(span.start + 1..span.start + 1, format!(" {}", new.join(", "))),
    }
}
