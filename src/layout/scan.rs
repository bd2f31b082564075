//! Lines and comments of a text that is known to be TOML, so that a look at its signs is enough.

use std::ops::Range;

pub(super) const BOM: &str = "\u{feff}";
/// What stands around a comment. Other white space is part of it.
pub(super) const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// A comment behind something on the same line.
#[derive(Clone, Copy)]
pub(super) struct Behind<'t> {
    pub(super) comment: &'t str,
    /// In characters from the start of the line; `None`: one space behind, wherever that is.
    pub(super) column: Option<usize>,
}

/// The line from `at`, with what ends it.
pub(super) fn line(text: &str, at: usize) -> &str {
    let rest = &text[at..];
    rest.find('\n').map_or(rest, |newline| &rest[..=newline])
}

pub(super) fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

/// How many bytes so many lines take.
pub(super) fn block_len(text: &str, at: usize, lines: usize) -> usize {
    text[at..].split_inclusive('\n').take(lines).map(str::len).sum()
}

/// The comment behind `end`, and where the next line begins.
pub(super) fn rest_of_line(text: &str, end: usize) -> (Option<Behind<'_>>, usize) {
    let rest = line(text, end);
    (behind(text, end, rest), end + rest.len())
}

/// The comment in `rest`, which stands in `text` from `end` to the end of a line.
pub(super) fn behind<'t>(text: &'t str, end: usize, rest: &'t str) -> Option<Behind<'t>> {
    let hash = rest.find('#')?;
    let line_start = text[..end].rfind('\n').map_or(0, |newline| newline + 1);
    let is_close = matches!(&rest[..hash], "" | " " | "," | ", ");
    let column = (!is_close).then(|| text[line_start..end + hash].chars().count());
    Some(Behind { comment: rest[hash..].trim_end_matches(SPACE), column })
}

/// The comments in a part of a text that is TOML: their spans within it. What stands in strings is none.
pub(super) fn comments(part: &str) -> Vec<Range<usize>> {
    let mut comments = Vec::new();
    let mut at = if part.contains('#') { 0 } else { part.len() };
    while let Some(found) = part[at..].find(['#', '"', '\'']) {
        at += found;
        let rest = &part[at..];
        if rest.starts_with('#') {
            let length = rest.find('\n').unwrap_or(rest.len());
            comments.push(at..at + length);
            at += length;
        } else {
            at += string_len(rest);
        }
    }
    comments
}

/// How many bytes the string takes with which `rest` begins.
fn string_len(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let quote = bytes[0];
    let is_quote = |at: usize| bytes.get(at) == Some(&quote);
    let is_long = is_quote(1) && is_quote(2);
    let mut at = if is_long { 3 } else { 1 };
    while at < bytes.len() {
        if bytes[at] == b'\\' && quote == b'"' {
            at += 2;
        } else if is_quote(at) && !is_long {
            return at + 1;
        } else if is_quote(at) && is_quote(at + 1) && is_quote(at + 2) {
            // Up to two quotes may stand right before the three that end it.
            return at + (at..at + 5).take_while(|at| is_quote(*at)).count();
        } else {
            at += 1;
        }
    }
    bytes.len()
}
