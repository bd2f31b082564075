//! Recognizers for mistakes between a key, its value, and the next key in an inline table. Also recognizes keys that must not
//! be in a file.

use std::ops::Range;

use super::super::RosterCode;
use super::super::fields::forbidden;
use super::super::keys::{PERSON, WINDOW};
use super::parser_error::ErrorKind;
use super::spot::{Mistake, Spot, bare_key, without_quotes};
use super::statements::string_len;
use super::values::example;
use crate::toml_text::is_bare;

/// Recognizes a key that names a secret or a host. This runs before almost all other recognizers, so that no message reveals the
/// value.
pub(super) fn secret(spot: &Spot<'_>) -> Option<Mistake> {
    let signs = spot.bare().into_iter().filter(|(_, char)| "=:".contains(*char));
    for key in signs.filter_map(|(at, _)| key_before(spot.line, at)) {
        let name = without_quotes(&spot.line[key.clone()]);
        if let Some((message, label, help)) = forbidden(name)
            && !name.contains('@')
        {
            let mut mistake = spot.mistake(key, message, label, help);
            mistake.problem.code = RosterCode::SecretInFile.as_str();
            return Some(mistake);
        }
    }
    None
}

/// Returns the span of the key before `at`, skipping any white space in between.
fn key_before(line: &str, at: usize) -> Option<Range<usize>> {
    let end = line[..at].trim_end().len();
    let start = match line[..end].chars().next_back()? {
        quote @ ('"' | '\'') => line[..end - 1].rfind(quote)?,
        _ => line[..end].trim_end_matches(is_bare).len(),
    };
    (start < end).then_some(start..end)
}

/// Returns the first word or string of `rest`.
fn first_word(rest: &str) -> &str {
    let quote = rest.bytes().next().filter(|byte| matches!(byte, b'"' | b'\''));
    let length = quote
        .and_then(|quote| string_len(rest, quote))
        .or_else(|| rest.find([' ', '\t', '\n', '\r', ',', '}', ']', '"', '\'']));
    &rest[..length.unwrap_or(rest.len())]
}

/// Returns `true` if `rest` starts with a key followed by an assignment.
fn is_pair(rest: &str) -> bool {
    let key = if rest.starts_with(['"', '\'']) { first_word(rest) } else { bare_key(rest) };
    !key.is_empty() && rest[key.len()..].trim_start().starts_with(['=', ':', '.'])
}

fn is_of_person_or_window(key: &str) -> bool {
    PERSON.contains(&key) || WINDOW.contains(&key)
}

/// Returns the range from the start of this line to the end of the line that contains the first word after `from`.
fn through_next_word(spot: &Spot<'_>, from: usize) -> Range<usize> {
    let rest = &spot.text[spot.start + from..];
    let next = spot.start + from + rest.len() - rest.trim_start().len();
    let end = spot.text[next..].find('\n').map_or(spot.text.len(), |length| next + length);
    spot.start..end + 1
}

/// Recognizes extra text after a key's value in an inline table: `;`, `or`, or a second value.
pub(super) fn after_a_value(spot: &Spot<'_>) -> Option<Mistake> {
    let rest = spot.after();
    let end = spot.at + first_word(rest).len();
    let is_missing_comma = spot.kind == ErrorKind::NoCommaInBraces && !is_pair(rest);
    let ends_in_sign = spot.line[..end].ends_with(';') && end > spot.at + 1;
    if end == spot.at || !(is_missing_comma || ends_in_sign) {
        return None;
    }
    let marked = if ends_in_sign { end - 1..end } else { spot.at..end };
    let found = spot.shown(&spot.line[marked.clone()], "…");
    let before = spot.before().trim_end();
    let pair = before.rsplit(['{', ',']).next().unwrap_or_default();
    let key = pair.split('=').next().unwrap_or_default().trim();
    let next = spot.text[spot.start + end..].trim_start();
    let is_last = next.starts_with('}') && !rest.starts_with(['"', '\'']) && found == ";";
    let help = if is_pair(next) || is_last {
        format!("separate the keys with a comma: write `,` instead of `{found}`")
    } else if key == "role" {
        "a person has one role: role = \"Admin\"".to_owned()
    } else {
        "a key can have only one value; write `,` before the next key, as in { role = \"Admin\", status = \"away\" }"
            .to_owned()
    };
    let message = format!("`{found}` is not allowed after a value");
    let mistake = spot.mistake(marked, message, "expected a comma or the end", help);
    Some(mistake.over(through_next_word(spot, end)))
}

/// Recognizes a missing value before a comma in an inline table.
pub(super) fn no_value(spot: &Spot<'_>) -> Option<Mistake> {
    if spot.kind != ErrorKind::ExtraCommaInBraces {
        return None;
    }
    let before = spot.before().trim_end();
    let unassigned = before.strip_suffix('=');
    let key = key_before(spot.line, unassigned.unwrap_or(before).len())?;
    let written = spot.shown(&spot.line[key.clone()], "role");
    let name = without_quotes(&written);
    let lacks = if unassigned.is_some() { "no value" } else { "no `=` and no value" };
    let help = format!("write a value: {written} = {}, or delete the key", example(name));
    let mistake = spot.mistake(key, format!("`{name}` has {lacks}"), "a key without a value", help);
    // The parser mistakes all remaining keys in the inline table for values.
    let end = spot.statement.map_or(spot.end(), |statement| statement.span.end.max(spot.end()));
    Some(mistake.over(spot.start..end + 1))
}

/// Recognizes a key in triple quotes, such as `"""ana@acme.example""" = {}`.
pub(super) fn multiline_key(spot: &Spot<'_>) -> Option<Mistake> {
    if spot.kind != ErrorKind::LongKey {
        return None;
    }
    let word = first_word(spot.after());
    let name = spot.shown(word.trim_matches(['"', '\'']), "ana@acme.example");
    let message = "a key needs one quote on each side, not three";
    let marked = spot.at..spot.at + word.len();
    Some(spot.mistake(marked, message, "three quotes", format!("write: \"{name}\" = …")))
}

/// Recognizes an unquoted key with a space in an inline table, such as `Tier 2 = 3`.
pub(super) fn key_with_space(spot: &Spot<'_>) -> Option<Mistake> {
    if spot.kind != ErrorKind::NoAssignment {
        return None;
    }
    let (words, value) = spot.after().split_once('=')?;
    let first = spot.before().rsplit(['{', ',']).next().unwrap_or_default().trim_start();
    for part in [first, words] {
        let is_of_key = part.chars().all(|char| is_bare(char) || char == ' ');
        if !is_of_key || part.trim().is_empty() || is_of_person_or_window(part.trim()) {
            return None;
        }
    }
    let range = spot.at - first.len()..spot.at + words.trim_end().len();
    let value = value.split([',', '}', '#']).next().unwrap_or_default().trim();
    let fixed = spot.shown(&format!("\"{}\" = {value}", &spot.line[range.clone()]), "\"Tier 2\" = 3");
    let message = "a key with a space needs quotes";
    Some(spot.mistake(range, message, "needs quotes around it", format!("write: {fixed}")))
}

/// Recognizes keys in brackets instead of braces, such as `[ role = "Admin" ]`.
pub(super) fn array_of_keys(spot: &Spot<'_>) -> Option<Mistake> {
    let before = spot.before().trim_end().strip_suffix('[')?.trim_end();
    let owner = before.strip_suffix('=')?;
    let key = bare_key(spot.after());
    if !is_of_person_or_window(key) || !spot.after()[key.len()..].trim_start().starts_with('=') {
        return None;
    }
    let at = before.len() + spot.line[before.len()..].find('[')?;
    let owner = key_before(spot.line, owner.len()).map(|key| &spot.line[key]);
    let help = if owner == Some("windows") {
        "write [{ … }] instead of [ … ]: windows = [{ until = 2026-12-20, status = \"away\" }]"
    } else {
        "write { … } instead of [ … ]: { role = \"Admin\" }"
    };
    let message = "keys with values belong in braces, not in brackets";
    let mistake = spot.mistake(at..at + 1, message, "a list begins here", help);
    let span = spot.statement.map_or(spot.start..spot.end(), |statement| statement.span.clone());
    Some(mistake.over(span.start..span.end.max(spot.end()) + 1))
}

pub(super) fn comma(spot: &Spot<'_>) -> Option<Mistake> {
    let mistake = match spot.kind {
        ErrorKind::ExtraCommaInArray | ErrorKind::ExtraCommaInBraces => {
            let message = "unexpected comma";
            spot.mistake(spot.at..spot.at + 1, message, "extra comma", "delete it")
        }
        ErrorKind::NoCommaInArray | ErrorKind::NoCommaInBraces => {
            let word = spot.after().split([' ', '=', ',', '}', ']']).next().unwrap_or_default();
            let begins_line = spot.before().trim().is_empty();
            let help = if begins_line { "end the line above with `,`" } else { "write `,` before it" };
            let message = "a comma is missing before this";
            spot.mistake(spot.at..spot.at + word.len(), message, "`,` is missing before it", help)
        }
        _ => return None,
    };
    Some(mistake.within_mark(spot))
}

/// Recognizes a missing comma after an unquoted value, as in `{ from = 2026-12-20 until = 2026-12-21 }`. The parser takes the
/// next key to be part of the value.
pub(super) fn comma_between_values(spot: &Spot<'_>) -> Option<Mistake> {
    let range = spot.value();
    let before = spot.line[range.clone()].split_once('=')?.0.trim_end();
    let value = before.trim_end_matches(is_bare);
    let key = &before[value.len()..];
    let is_behind_a_value = value.ends_with([' ', '\t']) && !value.trim().is_empty();
    if !is_of_person_or_window(key) || !is_behind_a_value || !spot.line[..range.start].contains('{') {
        return None;
    }
    let start = range.start + value.len();
    let message = "a comma is missing before this";
    let help = "write `,` before it";
    Some(spot.mistake(start..start + key.len(), message, "`,` is missing before it", help))
}

/// Recognizes a person's key without braces, such as `"ana@acme.example" = role = "Admin"`.
pub(super) fn keys_without_braces(spot: &Spot<'_>) -> Option<Mistake> {
    let person = spot.before().trim_end().strip_suffix('=')?.trim();
    let key = bare_key(spot.after());
    let value = spot.after()[key.len()..].trim_start().strip_prefix('=')?.trim().trim_end_matches(['}', ' ']);
    if !PERSON.contains(&key) {
        return None;
    }
    let example = "\"ana@acme.example\" = { role = \"Admin\" }";
    let fixed = spot.shown(&format!("{person} = {{ {key} = {value} }}"), example);
    let message = "a person's values belong in braces";
    let marked = spot.at..spot.at + key.len();
    Some(spot.mistake(marked, message, "`{` is missing before this", format!("write: {fixed}")))
}
