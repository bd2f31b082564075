//! Gives recognizers access to the position of an error and the surrounding text.

use std::ops::Range;

use super::parser_error::{ErrorKind, ParserError};
use super::statements::{Statement, Strings};
use crate::printable::Printable;
use crate::problem::Problem;
use crate::roster::RosterCode;
use crate::secret::contains_secret;
use crate::source::{FileId, Place};
use crate::toml_text::is_bare;

/// The position of a parser error, along with its line and kind.
pub(super) struct Spot<'t> {
    file: FileId,
    pub(super) text: &'t str,
    pub(super) line: &'t str,
    /// The offset of the line in the file.
    pub(super) start: usize,
    /// The start of the error, as an offset in the line.
    pub(super) at: usize,
    /// The end of the error, as an offset in the line.
    pub(super) at_end: usize,
    pub(super) kind: ErrorKind,
    /// Whether no mistake has been reported so far.
    pub(super) is_first: bool,
    pub(super) statement: Option<&'t Statement>,
    is_secret_line: bool,
}

/// A mistake found by a recognizer.
pub(super) struct Mistake {
    pub(super) problem: Problem,
    /// The range of the file in which errors are attributed to this mistake.
    pub(super) covers: Range<usize>,
    /// The intended header, if the parser didn't recognize it.
    pub(super) section: Option<String>,
}

impl<'t> Spot<'t> {
    pub(super) fn new(
        file: FileId,
        text: &'t str,
        error: &ParserError<'_>,
        statements: &'t [Statement],
        secret_lines: &[usize],
        is_first: bool,
    ) -> Self {
        let error_start = text.floor_char_boundary(error.span.start);
        let line_start = text[..error_start].rfind('\n').map_or(0, |newline| newline + 1);
        let is_secret_line = secret_lines.binary_search(&line_start).is_ok();
        // A byte-order mark is allowed at the start of the file.
        let has_mark = line_start == 0 && text.starts_with('\u{feff}');
        let start = if has_mark { '\u{feff}'.len_utf8() } else { line_start };
        let error_start = error_start.max(start);
        let line = text[start..].split('\n').next().unwrap_or_default().trim_end_matches('\r');
        let at = (error_start - start).min(line.len());
        let at_end = line.floor_char_boundary(error.span.end.saturating_sub(start).clamp(at, line.len()));
        let next = statements.partition_point(|statement| statement.span.start <= error_start);
        let statement = next.checked_sub(1).map(|last| &statements[last]);
        Self { file, text, line, start, at, at_end, kind: error.kind, is_first, statement, is_secret_line }
    }

    /// Returns the end of the line, as an offset in the file.
    pub(super) fn end(&self) -> usize {
        self.start + self.line.len()
    }

    pub(super) fn before(&self) -> &'t str {
        &self.line[..self.at]
    }

    pub(super) fn after(&self) -> &'t str {
        &self.line[self.at..]
    }

    /// Creates a mistake that marks a range of the line. All other errors on the line are treated as consequences of it.
    pub(super) fn mistake(
        &self,
        marked: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) -> Mistake {
        self.mistake_at(self.start + marked.start..self.start + marked.end, message, label, help)
    }

    /// Creates a mistake that marks a range of the file.
    pub(super) fn mistake_at(
        &self,
        marked: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) -> Mistake {
        let problem =
            Problem::new(RosterCode::Syntax, message).at(Place::new(self.file, marked), label).help(help);
        Mistake { problem, covers: self.start..self.end() + 1, section: None }
    }

    /// Returns the span of the line without leading and trailing white space.
    pub(super) fn whole_line(&self) -> Range<usize> {
        let start = self.line.len() - self.line.trim_start().len();
        start..start + self.line.trim().len()
    }

    /// Prepares part of the line for display in a message, substituting `instead` if the part is empty or the line might contain
    /// a secret.
    pub(super) fn shown(&self, part: &str, instead: &str) -> String {
        let is_plain = !self.may_hold_a_secret() && !part.is_empty();
        Printable::cut(if is_plain { part } else { instead }, 80).raw().to_owned()
    }

    pub(super) fn may_hold_a_secret(&self) -> bool {
        self.is_secret_line || contains_secret(self.line)
    }

    /// Returns the key that the value or operator at `at` belongs to, which is the last key before `at` on the line.
    pub(super) fn key(&self) -> &'t str {
        last_item(self.before().trim_end().trim_end_matches(['=', ':', '>', '-', '[']))
    }

    /// Returns the span of the value at `at`, relative to the line.
    pub(super) fn value(&self) -> Range<usize> {
        let is_of_value = |char: char| !char.is_whitespace() && !"=,[{(".contains(char);
        let start = self.before().trim_end_matches(is_of_value).len();
        let rest = &self.line[start..];
        let end = rest.find([',', '}', ']', '#', ')']).unwrap_or(rest.len());
        start..start + rest[..end].trim_end().len()
    }

    /// Returns the characters of the line that are outside strings and comments, along with their offsets. Text after an unclosed
    /// quote counts as outside.
    pub(super) fn bare(&self) -> Vec<(usize, char)> {
        let mut bare = Vec::new();
        let mut strings = Strings::new(self.line);
        let mut at = 0;
        while let Some(char) = self.line[at..].chars().next() {
            let string = match char {
                '"' | '\'' => strings.length(at),
                '#' => break,
                _ => None,
            };
            if string.is_none() {
                bare.push((at, char));
            }
            at += string.unwrap_or(char.len_utf8());
        }
        bare
    }
}

impl Mistake {
    pub(super) fn place(&self) -> Place {
        self.problem.labels[0].place
    }

    /// Limits the range in which errors are attributed to this mistake. The range then extends from the start of the parser
    /// error to the end of the mark.
    #[must_use]
    pub(super) fn within_mark(self, spot: &Spot<'_>) -> Self {
        let (start, end) = (spot.start + spot.at, self.place().span().end);
        self.over(start..end.max(start + 1))
    }

    /// Sets the range of the file in which errors are attributed to this mistake.
    #[must_use]
    pub(super) fn over(mut self, covers: Range<usize>) -> Self {
        self.covers = covers;
        self
    }
}

/// Returns the text after the last opening bracket or comma.
pub(super) fn last_item(text: &str) -> &str {
    text.rsplit(['{', ',', '[']).next().unwrap_or_default().trim()
}

/// Removes the quotes around a key, even if one of them is missing. A dotted key such as `"ana@acme.example".role` is returned
/// unchanged.
pub(super) fn without_quotes(key: &str) -> &str {
    let ends = [key.chars().next(), key.chars().last()];
    let quote = ends.into_iter().flatten().find(|char| matches!(char, '"' | '\''));
    let Some(quote) = quote else { return key };
    let inner = key.trim_matches(quote);
    if inner.contains(quote) { key } else { inner }
}

/// Returns the unquoted key at the start of the text, or an empty string if there is none.
pub(super) fn bare_key(text: &str) -> &str {
    &text[..text.find(|char| !is_bare(char)).unwrap_or(text.len())]
}

/// Returns the text up to the first character that can end a value.
pub(super) fn before_end_of_value(text: &str) -> &str {
    text.split([',', '}', ']', '#']).next().unwrap_or_default()
}
