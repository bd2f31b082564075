//! Formats a key and its value, with one space around `=` and inside braces, and with strings in double quotes. Arrays that
//! contain comments or would exceed the maximum line length have one element per line. Numbers, dates, and booleans are left as
//! is.
//!
//! Inline tables with comments between their pairs are copied verbatim because any other layout would lose the comments.

use std::ops::Range;

use toml_edit::{Array, Decor, InlineTable, Key, RawString, Value};

use super::parsed::{KeyValue, SPACE, TrailingComment, inline_pairs};
use crate::roster::keys;
use crate::toml_text::{self, quoted};

/// The maximum line length in characters. Longer arrays are split across lines, and entries with longer lines become tables.
pub(super) const MAX_WIDTH: usize = 110;
const INDENT: usize = 2;

/// Formats values that were parsed from `text`, using the line ending `eol`.
#[derive(Clone, Copy)]
pub(super) struct ValueFormatter<'t> {
    pub(super) text: &'t str,
    pub(super) eol: &'static str,
}

/// The space available for formatting a value.
#[derive(Clone, Copy)]
pub(super) enum Space {
    /// A single line, however long. The value must not contain comments.
    OneLine,
    /// Any number of lines. `used` characters of the first line are already taken, and the other lines are indented by `indent`
    /// spaces.
    Lines { indent: usize, used: usize },
}

impl ValueFormatter<'_> {
    /// Formats `path = value`, on as many lines as necessary.
    pub(super) fn assignment(self, path: &[&str], value: &Value) -> String {
        let key = dotted(path);
        let space = Space::Lines { indent: 0, used: key.chars().count() + " = ".len() };
        format!("{key} = {}", self.value(value, last(path), space))
    }

    /// Formats pairs as `{ key = value, … }`, sorted by `order`. Keys that aren't in `order` go last, in their original order.
    pub(super) fn inline_table(self, pairs: &[KeyValue<'_>], order: &[&str], space: Space) -> String {
        let mut pairs: Vec<&KeyValue<'_>> = pairs.iter().collect();
        pairs.sort_by_key(|pair| rank(&pair.path, order));
        let space = match space {
            Space::OneLine => space,
            Space::Lines { indent, used: _ } => Space::Lines { indent, used: indent },
        };
        let mut written = Vec::new();
        for KeyValue { path, key_start: _, value, placement: _ } in pairs {
            written.push(format!("{} = {}", dotted(path), self.value(value, last(path), space)));
        }
        braced(&written)
    }

    /// Formats a value. `key` is the key it's assigned to, which determines the layout of arrays and the order of keys in tables.
    fn value(self, value: &Value, key: &str, space: Space) -> String {
        match value {
            Value::String(string) => quoted(string.value()),
            Value::Array(array) => self.array(array, key, space),
            Value::InlineTable(table) if self.has_comments_between_pairs(table) => self.copy(value),
            Value::InlineTable(table) => {
                let space = if self.has_comments(value) { space } else { Space::OneLine };
                self.inline_table(&inline_pairs(table), order_below(key), space)
            }
            Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => self.copy(value),
        }
    }

    fn array(self, array: &Array, key: &str, space: Space) -> String {
        let one_line = || {
            let elements = array.iter().map(|element| self.value(element, key, Space::OneLine));
            format!("[{}]", elements.collect::<Vec<_>>().join(", "))
        };
        let Space::Lines { indent, used } = space else { return one_line() };
        // Give every window its own line, so that adding a second window doesn't touch the first.
        let has_windows = key == "windows" && !array.is_empty();
        if !has_windows && !self.array_has_comments(array) {
            let line = one_line();
            if used + line.chars().count() <= MAX_WIDTH {
                return line;
            }
        }
        self.array_on_lines(array, key, indent)
    }

    /// Formats an array with one element per line.
    fn array_on_lines(self, array: &Array, key: &str, indent: usize) -> String {
        let indent = indent + INDENT;
        let margin = " ".repeat(indent);
        let span = array.span().unwrap_or_default();
        let mut gap_start = span.start + 1;
        let mut written = "[".to_owned();
        for element in array {
            let element_span = element.span().unwrap_or_default();
            if self.write_gap(&mut written, gap_start..element_span.start, &margin) {
                written += self.eol;
            }
            let element = self.value(element, key, Space::Lines { indent, used: indent });
            written += &[self.eol, &margin, &element, ","].concat();
            gap_start = element_span.end;
        }
        self.write_gap(&mut written, gap_start..span.end - 1, &margin);
        written + self.eol + &margin[INDENT..] + "]"
    }

    /// Writes the comments above an array element or the closing bracket. Returns `true` if the last comment is followed by a
    /// blank line, or if there are blank lines but no comments.
    fn write_gap(self, written: &mut String, span: Range<usize>, margin: &str) -> bool {
        let start = span.start;
        let Some((whole_lines, _)) = self.text[span].rsplit_once('\n') else { return false };
        let mut lines = whole_lines.split('\n');
        if written != "[" {
            lines.next(); // the rest of the previous element's line
            if let Some(comment) = TrailingComment::read(self.text, start) {
                comment.write(written);
            }
        }
        let mut has_blank = false;
        for line in lines {
            if let Some(hash) = line.find('#') {
                let blank = if has_blank { self.eol } else { "" };
                *written += &[blank, self.eol, margin, line[hash..].trim_end_matches(SPACE)].concat();
                has_blank = false;
            } else {
                // Blank lines directly below the bracket are dropped.
                has_blank |= line.trim_matches(SPACE).is_empty() && written != "[";
            }
        }
        has_blank
    }

    pub(super) fn has_comments(self, value: &Value) -> bool {
        match value {
            Value::Array(array) => self.array_has_comments(array),
            Value::InlineTable(table) => {
                self.has_comments_between_pairs(table)
                    || table.get_values().iter().any(|(_, value)| self.has_comments(value))
            }
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_) => false,
        }
    }

    fn array_has_comments(self, array: &Array) -> bool {
        let has_comments =
            |element: &Value| self.has_adjacent_comment(element.decor()) || self.has_comments(element);
        self.is_comment(Some(array.trailing())) || array.iter().any(has_comments)
    }

    /// Returns `true` if there are comments between the pairs of the table. Comments inside its values don't count.
    pub(super) fn has_comments_between_pairs(self, table: &InlineTable) -> bool {
        let has_comments = |(path, value): &(Vec<&Key>, &Value)| {
            let of_keys = path.iter().flat_map(|key| [key.leaf_decor(), key.dotted_decor()]);
            of_keys.chain([value.decor()]).any(|decor| self.has_adjacent_comment(decor))
        };
        self.is_comment(Some(table.trailing())) || table.get_values().iter().any(has_comments)
    }

    fn has_adjacent_comment(self, decor: &Decor) -> bool {
        self.is_comment(decor.prefix()) || self.is_comment(decor.suffix())
    }

    /// Returns `true` if the space between two parts of a value contains a comment.
    fn is_comment(self, space: Option<&RawString>) -> bool {
        space.and_then(RawString::span).is_some_and(|span| self.text[span].contains('#'))
    }

    /// Copies a value and normalizes its line endings. If the value contains a multi-line string, the line endings are kept
    /// because they're part of the value.
    fn copy(self, value: &Value) -> String {
        let copy = &self.text[value.span().unwrap_or_default()];
        if copy.contains("\"\"\"") || copy.contains("'''") {
            return copy.to_owned();
        }
        copy.replace("\r\n", "\n").replace('\n', self.eol)
    }
}

/// Returns the index of the first component of `path` in `order`, or the length of `order` if it isn't listed.
pub(super) fn rank(path: &[&str], order: &[&str]) -> usize {
    order.iter().position(|key| path.first() == Some(key)).unwrap_or(order.len())
}

/// Returns the canonical order of keys for the tables in the array with this name.
pub(super) fn order_below(array: &str) -> &'static [&'static str] {
    match array {
        "windows" => keys::WINDOW,
        "acknowledge" => keys::ACKNOWLEDGE,
        "rule" => keys::RULE,
        _ => &[],
    }
}

pub(super) fn braced(pairs: &[String]) -> String {
    if pairs.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", pairs.join(", ")) }
}

/// Joins keys with dots, quoting only those that need it.
pub(super) fn dotted(path: &[&str]) -> String {
    path.iter().map(|key| toml_text::key(key)).collect::<Vec<_>>().join(".")
}

fn last<'k>(path: &[&'k str]) -> &'k str {
    path.last().copied().unwrap_or_default()
}
