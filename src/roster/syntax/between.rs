//! Mistakes between a key, its value, and the next key in braces, and keys that do not belong into a file.

use std::ops::Range;

use super::super::fields::forbidden;
use super::super::keys;
use super::spot::{Mistake, Spot};
use super::statements::{is_bare, string_len};
use super::values::example;

/// The key of a secret: its value is not shown, whatever is wrong with it.
pub(super) fn secret(spot: &Spot<'_>) -> Option<Mistake> {
    let signs = spot.bare().into_iter().filter(|(_, char)| "=:".contains(*char));
    let (key, problem) = signs.filter_map(|(at, _)| key_before(spot.line, at)).find_map(|key| {
        let name = spot.line[key.clone()].trim_matches(['"', '\'']);
        (!name.contains('@')).then(|| forbidden(name)).flatten().map(|problem| (key, problem))
    })?;
    let mistake = spot.mistake(key, problem.message).label(problem.label).help(problem.help);
    Some(mistake.code(super::Code::SecretInFile).of_line(spot))
}

/// The range of the key that ends before the offset `at` of a line.
fn key_before(line: &str, at: usize) -> Option<Range<usize>> {
    let end = line[..at].trim_end().len();
    let start = match line[..end].chars().next_back()? {
        quote @ ('"' | '\'') => line[..end - 1].rfind(quote)?,
        _ => line[..end].trim_end_matches(is_bare).len(),
    };
    (start < end).then_some(start..end)
}

/// The length of the word or the string that `rest` begins with.
fn word_len(rest: &str) -> usize {
    let string = rest.as_bytes().first().filter(|byte| matches!(byte, b'"' | b'\''));
    let string = string.and_then(|quote| string_len(rest, *quote));
    string
        .unwrap_or_else(|| rest.find([' ', '\t', '\n', '\r', ',', '}', ']', '"', '\'']).unwrap_or(rest.len()))
}

/// Whether a key with its `=` begins here.
fn is_pair(rest: &str) -> bool {
    let key = &rest[..if rest.starts_with(['"', '\'']) {
        word_len(rest)
    } else {
        rest.find(|char| !is_bare(char)).unwrap_or(rest.len())
    }];
    !key.is_empty() && rest[key.len()..].trim_start().starts_with(['=', ':', '.'])
}

/// From the line to the end of the line on which something follows `from`.
fn through_next_word(spot: &Spot<'_>, from: usize) -> Range<usize> {
    let rest = &spot.text[spot.start() + from..];
    let next = spot.start() + from + rest.len() - rest.trim_start().len();
    let end = spot.text[next..].find('\n').map_or(spot.text.len(), |length| next + length);
    spot.start()..end + 1
}

/// `;`, `or`, or a second value behind the value of a key in braces.
pub(super) fn behind_a_value(spot: &Spot<'_>) -> Option<Mistake> {
    let rest = spot.after();
    let length = word_len(rest);
    let is_missing_comma = spot.said.starts_with("missing comma between key-value");
    let ends_in_sign = spot.line[..spot.at + length].ends_with(';') && length > 1;
    if length == 0 || !(is_missing_comma && !is_pair(rest) || ends_in_sign) {
        return None;
    }
    let marked =
        if ends_in_sign { spot.at + length - 1..spot.at + length } else { spot.at..spot.at + length };
    let found = spot.shown(&spot.line[marked.clone()], "…");
    let before = spot.before().trim_end();
    let key =
        before.rsplit(['{', ',']).next().unwrap_or_default().split('=').next().unwrap_or_default().trim();
    let next = spot.text[spot.start() + marked.end..].trim_start();
    let help = match key {
        _ if is_pair(next) || !rest.starts_with(['"', '\'']) && next.starts_with('}') && found == ";" => {
            format!("separate the keys with a comma: write `,` instead of `{found}`")
        }
        "role" => "a person has one role: role = \"Admin\"".to_owned(),
        _ => "a key has one value; write `,` and then the next key, as in { role = \"Admin\", status = \"away\" }"
            .to_owned(),
    };
    let covers = through_next_word(spot, marked.end);
    let mistake = spot.mistake(marked, format!("`{found}` does not belong behind a value"));
    Some(mistake.label("a comma or the end is expected here").help(help).over(covers))
}

/// A key in braces that has a comma in the place of its value.
pub(super) fn no_value(spot: &Spot<'_>) -> Option<Mistake> {
    if !spot.said.starts_with("extra comma in inline table") {
        return None;
    }
    let before = spot.before().trim_end();
    let is_assigned = before.ends_with('=');
    let key = key_before(spot.line, before.strip_suffix('=').unwrap_or(before).len())?;
    let written = spot.shown(&spot.line[key.clone()], "role");
    let name = written.trim_matches(['"', '\'']);
    let message = if is_assigned {
        format!("`{name}` has no value")
    } else {
        format!("`{name}` has no `=` and no value")
    };
    let help = format!("write a value: {written} = {}, or delete the key", example(name));
    // The parser takes the next keys for values, up to the end of the braces.
    let end = spot.statement.map_or(spot.end(), |statement| statement.span.end.max(spot.end()));
    let covers = spot.start()..end + 1;
    Some(spot.mistake(key, message).label("a key without a value").help(help).over(covers))
}

/// `"""ana@acme.example""" = {}`
pub(super) fn key_of_lines(spot: &Spot<'_>) -> Option<Mistake> {
    if !spot.said.starts_with("keys cannot be multi-line") {
        return None;
    }
    let end = spot.at + word_len(spot.after());
    let name = spot.shown(spot.line[spot.at..end].trim_matches(['"', '\'']), "ana@acme.example");
    let mistake = spot.mistake(spot.at..end, "a key has one quote on each side, not three");
    Some(mistake.label("three quotes").help(format!("write: \"{name}\" = …")).of_line(spot))
}

/// `Tier 2 = 3`
pub(super) fn key_with_blank(spot: &Spot<'_>) -> Option<Mistake> {
    if !spot.said.starts_with("missing assignment between") {
        return None;
    }
    let (words, value) = spot.after().split_once('=')?;
    let is_of_key = |char: char| is_bare(char) || char == ' ';
    let before = spot.before();
    let first = before.rsplit(['{', ',']).next().unwrap_or_default().trim_start();
    let is_key = [first, words].iter().all(|part| !part.trim().is_empty() && part.chars().all(is_of_key));
    if !is_key
        || keys::PERSON.iter().chain(keys::WINDOW).any(|key| first.trim() == *key || words.trim() == *key)
    {
        return None;
    }
    let start = spot.at - first.len();
    let range = start..start + first.len() + words.trim_end().len();
    let value = value.split([',', '}', '#']).next().unwrap_or_default().trim();
    let fixed = spot.shown(&format!("\"{}\" = {value}", &spot.line[range.clone()]), "\"Tier 2\" = 3");
    let mistake = spot.mistake(range, "a key with a blank is in quotes").label("needs quotes around it");
    Some(mistake.help(format!("write: {fixed}")).of_line(spot))
}

/// `[ role = "Admin" ]`
pub(super) fn array_of_keys(spot: &Spot<'_>) -> Option<Mistake> {
    let before = spot.before().trim_end();
    let in_array = before.strip_suffix('[').map(str::trim_end).filter(|before| before.ends_with('='))?;
    let rest = spot.after();
    let key = &rest[..rest.find(|char| !is_bare(char))?];
    let is_known = keys::PERSON.contains(&key) || keys::WINDOW.contains(&key);
    if !is_known || !rest[key.len()..].trim_start().starts_with('=') {
        return None;
    }
    let at = in_array.len() + spot.line[in_array.len()..].find('[')?;
    let owner = key_before(spot.line, in_array.len() - 1).map(|key| &spot.line[key]);
    let help = if owner == Some("windows") {
        "write [{ … }] instead of [ … ]: windows = [{ until = 2026-12-20, status = \"away\" }]"
    } else {
        "write { … } instead of [ … ]: { role = \"Admin\" }"
    };
    let mistake = spot.mistake(at..at + 1, "keys with values are in braces, not in brackets");
    let span = spot.statement.map_or(spot.start()..spot.end(), |statement| statement.span.clone());
    Some(mistake.label("a list begins here").help(help).over(span.start..span.end.max(spot.end()) + 1))
}
