//! How one key or value is written: one space around `=` and inside braces, strings in double quotes, an array that is
//! too long (or holds comments) one element a line. Numbers, dates and truth values stay as they were written.
//!
//! An inline table with comments between its pairs has no other layout that keeps them: it is copied as it is.

use std::iter;
use std::ops::Range;

use toml_edit::{Array, InlineTable, Key, Value};

use super::scan::{Behind, SPACE, behind, comments};
use crate::roster::keys;
use crate::toml_text::{self, quoted};

/// Characters that a line may take before what stands on it is broken into several.
pub(super) const WIDTH: usize = 110;
const INDENT: usize = 2;

/// A key from where it stands, and its value.
pub(super) type Pair<'t> = (Vec<&'t str>, &'t Value);

/// Writes values of one text.
#[derive(Clone, Copy)]
pub(super) struct Pen<'t> {
    pub(super) text: &'t str,
    pub(super) eol: &'static str,
}

impl<'t> Pen<'t> {
    /// `path = value`, on as many lines as that takes.
    pub(super) fn entry(self, path: &[&str], value: &Value) -> String {
        let key = dotted(path);
        let used = key.chars().count() + " = ".len();
        format!("{key} = {}", self.value(value, path.last().copied().unwrap_or_default(), 0, used))
    }

    /// A value, with the lines behind its first one indented by `indent` and its first one `used` so far.
    fn value(self, value: &Value, key: &str, indent: usize, used: usize) -> String {
        let line = self.one_line(value, key);
        match (value, line) {
            (Value::Array(array), line) => {
                // Windows come and go one at a time, so each has a line of its own from the first one on.
                let is_tall = key == "windows" && !array.is_empty();
                line.filter(|line| !is_tall && used + line.chars().count() <= WIDTH)
                    .unwrap_or_else(|| self.block(array, key, indent))
            }
            (_, Some(line)) => line,
            (Value::InlineTable(table), None) if !self.has_own_comments(table) => {
                self.pairs_on_lines(pairs(table), order_below(key), indent)
            }
            (value, None) => self.copy(value),
        }
    }

    /// A value on one line; `None` where a comment is in the way.
    pub(super) fn one_line(self, value: &Value, key: &str) -> Option<String> {
        match value {
            Value::String(string) => Some(quoted(string.value())),
            Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {
                Some(self.copy(value))
            }
            value if !comments(self.slice(value)).is_empty() => None,
            Value::Array(array) => {
                let elements: Option<Vec<String>> =
                    array.iter().map(|element| self.one_line(element, key)).collect();
                Some(format!("[{}]", elements?.join(", ")))
            }
            Value::InlineTable(table) => self.pairs_on_one_line(pairs(table), order_below(key)),
        }
    }

    /// `{ key = value, … }` in the order of `order`; `None` where a comment is in the way.
    pub(super) fn pairs_on_one_line(self, mut pairs: Vec<Pair<'_>>, order: &[&str]) -> Option<String> {
        sort(&mut pairs, order);
        let pairs: Option<Vec<String>> = pairs
            .iter()
            .map(|(path, value)| {
                let key = path.last().copied().unwrap_or_default();
                Some(format!("{} = {}", dotted(path), self.one_line(value, key)?))
            })
            .collect();
        Some(braced(&pairs?))
    }

    /// The same, with values that take more than a line.
    pub(super) fn pairs_on_lines(self, mut pairs: Vec<Pair<'_>>, order: &[&str], indent: usize) -> String {
        sort(&mut pairs, order);
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(path, value)| {
                let key = path.last().copied().unwrap_or_default();
                format!("{} = {}", dotted(path), self.value(value, key, indent, indent))
            })
            .collect();
        braced(&pairs)
    }

    /// An array, one element a line.
    fn block(self, array: &Array, key: &str, indent: usize) -> String {
        let Self { text, eol } = self;
        let margin = " ".repeat(indent + INDENT);
        let span = array.span().unwrap_or_default();
        let (mut at, mut is_first) = (span.start + 1, true);
        let mut written = "[".to_owned();
        for element in array {
            let inner = element.span().unwrap_or_default();
            self.gap(&mut written, Gap::read(text, at..inner.start, is_first), &margin);
            written =
                written + eol + &margin + &self.value(element, key, indent + INDENT, indent + INDENT) + ",";
            (at, is_first) = (inner.end, false);
        }
        let mut last = Gap::read(text, at..span.end - 1, is_first);
        last.lines.truncate(last.lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1));
        self.gap(&mut written, last, &margin);
        written + eol + &margin[INDENT..] + "]"
    }

    fn gap(self, written: &mut String, gap: Gap<'_>, margin: &str) {
        let Gap { behind, lines } = gap;
        write_behind(written, behind);
        for line in lines {
            let margin = if line.is_empty() { "" } else { margin };
            *written += &[self.eol, margin, line].concat();
        }
    }

    /// Whether comments stand between the pairs of an inline table, not only inside its values.
    pub(super) fn has_own_comments(self, table: &InlineTable) -> bool {
        let Some(span) = table.span() else { return false };
        let mut at = span.start;
        let mut values: Vec<_> = pairs(table).iter().filter_map(|(_, value)| value.span()).collect();
        values.sort_by_key(|span| span.start);
        values.push(span.end..span.end);
        values.into_iter().any(|value| {
            let gap = at..value.start;
            at = value.end;
            !comments(&self.text[gap]).is_empty()
        })
    }

    pub(super) fn slice(self, value: &Value) -> &'t str {
        &self.text[value.span().unwrap_or_default()]
    }

    /// As it stands in the text. Line ends inside a string are part of what it says.
    fn copy(self, value: &Value) -> String {
        let slice = self.slice(value);
        if slice.contains("\"\"\"") || slice.contains("'''") {
            return slice.to_owned();
        }
        slice.split("\r\n").flat_map(|part| part.split('\n')).collect::<Vec<_>>().join(self.eol)
    }
}

/// What stands between two elements of an array.
struct Gap<'t> {
    /// The comment behind the first of them.
    behind: Option<Behind<'t>>,
    /// Comments above the second, and blank lines, which are empty here.
    lines: Vec<&'t str>,
}

impl<'t> Gap<'t> {
    /// In the first gap nothing stands before, so a comment behind the bracket goes to the next line.
    fn read(text: &'t str, span: Range<usize>, is_first: bool) -> Self {
        let mut gap = Self { behind: None, lines: Vec::new() };
        let mut lines = text[span.clone()].split('\n').enumerate().peekable();
        while let Some((number, line)) = lines.next() {
            let is_whole = number > 0 && lines.peek().is_some();
            if let Some(hash) = line.find('#') {
                if number == 0 && !is_first {
                    gap.behind = behind(text, span.start, line);
                } else {
                    gap.lines.push(line[hash..].trim_end_matches(SPACE));
                }
            } else if is_whole
                && line.trim_matches(SPACE).is_empty()
                && gap.lines.last().map_or(!is_first, |last| !last.is_empty())
            {
                gap.lines.push("");
            }
        }
        gap
    }
}

/// Puts a comment behind the last line: into its old column where there is room, or one space away.
pub(super) fn write_behind(written: &mut String, behind: Option<Behind<'_>>) {
    let Some(Behind { comment, column }) = behind else { return };
    let line_start = written.rfind('\n').map_or(0, |newline| newline + 1);
    let used = written[line_start..].chars().count();
    let space = column.map_or(1, |column| column.saturating_sub(used).max(1));
    written.extend(iter::repeat_n(' ', space));
    *written += comment;
}

/// The pairs of an inline table; dotted keys in it are paths.
pub(super) fn pairs(table: &InlineTable) -> Vec<Pair<'_>> {
    let flat = table.get_values().into_iter();
    flat.map(|(path, value)| (path.into_iter().map(Key::get).collect(), value)).collect()
}

/// Sorts by the place of the first key in `order`; what is not there goes to the end, as it came.
fn sort(pairs: &mut [Pair<'_>], order: &[&str]) {
    pairs.sort_by_key(|(path, _)| rank(path, order));
}

/// The place of the first key of `path` in `order`.
pub(super) fn rank(path: &[&str], order: &[&str]) -> usize {
    order.iter().position(|key| path.first() == Some(key)).unwrap_or(order.len())
}

/// In which order the tables that are listed under `key` have their keys.
pub(super) fn order_below(key: &str) -> &'static [&'static str] {
    match key {
        "windows" => keys::WINDOW,
        "acknowledge" => keys::ACKNOWLEDGE,
        _ => &[],
    }
}

pub(super) fn braced(pairs: &[String]) -> String {
    if pairs.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", pairs.join(", ")) }
}

/// A path of keys, each without quotes where it can be.
pub(super) fn dotted(path: &[&str]) -> String {
    path.iter().map(|key| toml_text::key(key)).collect::<Vec<_>>().join(".")
}
