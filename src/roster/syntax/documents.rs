//! Recognizers for mistakes that span several lines, such as merge conflicts and files in another format.

use super::parser_error::ErrorKind;
use super::spot::{Mistake, Spot};
use crate::toml_text::is_bare;

/// Git's conflict markers, in order.
const MARKERS: [&str; 4] = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"];
const EXAMPLE: &str =
    "write a [users] header, then one line per person: \"ana@acme.example\" = { role = \"Admin\" }";

/// Returns `true` if any line looks like a header or like a key followed by `=`.
fn has_toml(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').lines().any(|line| {
        let line = line.trim();
        line.starts_with('[') && line.ends_with(']') && line.len() > 2
            || line.split_once('=').is_some_and(|(key, _)| !key.is_empty() && !key.contains(['{', ':']))
    })
}

pub(super) fn merge_conflict(spot: &Spot<'_>) -> Option<Mistake> {
    let marker = MARKERS.iter().find(|marker| {
        let after = spot.line.strip_prefix(**marker);
        after.is_some_and(|after| after.is_empty() || after.starts_with(' '))
    })?;
    let mut end = spot.end();
    if *marker == MARKERS[0] {
        let rest = &spot.text[end..];
        // Stop at the next conflict, or a file full of conflicts would take quadratic time.
        let rest = &rest[..rest.find("\n<<<<<<<").unwrap_or(rest.len())];
        if let Some(last) = rest.find("\n>>>>>>>") {
            end += last + 1 + rest[last + 1..].find('\n').unwrap_or(rest.len() - last - 1);
        }
    }
    let message = "this is an unresolved merge conflict";
    let help = "keep the entries that are right, and delete the lines that begin with `<<<<<<<`, `|||||||`, `=======`, and \
                `>>>>>>>`";
    Some(spot.mistake(spot.whole_line(), message, "conflict marker from git", help).over(spot.start..end + 1))
}

/// Recognizes files that are JSON, YAML, or CSV rather than TOML.
pub(super) fn other_format(spot: &Spot<'_>) -> Option<Mistake> {
    let format = if is_json(spot.text) {
        "JSON"
    } else if !spot.is_first || has_toml(spot.text) {
        return None;
    } else if is_yaml(spot) {
        "YAML"
    } else if is_csv(spot) {
        "CSV"
    } else {
        return None;
    };
    let message = format!("this file is {format}, not TOML");
    let mistake = spot.mistake(spot.whole_line(), message, format!("{format} begins here"), EXAMPLE);
    Some(mistake.over(0..spot.text.len() + 1))
}

/// Returns `true` if the text looks like JSON. TOML never starts with `[` followed by `{`, and it starts with `{` only if a
/// header was mistyped.
fn is_json(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let inner = text.strip_prefix('[').map(str::trim_start);
    let line = text.lines().next().unwrap_or_default().trim();
    let name = line.strip_prefix('{').and_then(|line| line.strip_suffix('}')).unwrap_or_default();
    // `{users}` is a mistyped header.
    let is_header = !name.is_empty() && name.chars().all(is_bare);
    text.starts_with('{') && !is_header || inner.is_some_and(|inner| inner.starts_with('{'))
}

fn is_yaml(spot: &Spot<'_>) -> bool {
    let line = spot.line.trim();
    let is_pair = line.split_once(':').is_some_and(|(key, value)| {
        !key.is_empty() && !key.contains([' ', ',']) && (value.is_empty() || value.starts_with(' '))
    });
    line == "---" || is_pair
}

/// Returns `true` if the first few lines all have the same number of columns, which must be at least two.
fn is_csv(spot: &Spot<'_>) -> bool {
    let columns = |line: &str| line.matches([',', ';', '\t']).count();
    let mut lines = spot.text.lines().filter(|line| !line.trim().is_empty()).take(3);
    let Some(count) = lines.next().map(columns) else { return false };
    count > 0 && lines.all(|line| columns(line) == count)
}

pub(super) fn old_line_ends(spot: &Spot<'_>) -> Option<Mistake> {
    if spot.kind != ErrorKind::CarriageReturn || spot.text.contains('\n') {
        return None;
    }
    let message = "this file has bare CR line endings";
    let help = "save the file with Unix (LF) or Windows (CRLF) line endings";
    let mistake = spot.mistake(spot.at..spot.at, message, "a line ends here without a line feed", help);
    Some(mistake.over(0..spot.text.len() + 1))
}
