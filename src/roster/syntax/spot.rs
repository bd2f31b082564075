//! The place of an error, and how a recognizer looks at it.

use std::ops::Range;

use super::statements::{Statement, Strings};
use super::{Code, Complaint, SYNTAX};
use crate::printable::Printable;
use crate::secret::{goes_on_at, holds_secret};

/// The place of an error: its line, and the parser's words.
pub(super) struct Spot<'t> {
    pub(super) text: &'t str,
    pub(super) line: &'t str,
    line_start: usize,
    /// Where in the line the error begins and ends.
    pub(super) at: usize,
    pub(super) at_end: usize,
    pub(super) said: &'t str,
    /// Whether any line of the file looks like TOML.
    pub(super) is_toml: bool,
    /// Whether no error comes before it.
    pub(super) is_first: bool,
    pub(super) statement: Option<&'t Statement>,
}

/// What people have typed, and what they should type. Ranges are bytes of the file.
pub(super) struct Mistake {
    pub(super) code: Code,
    pub(super) marked: Range<usize>,
    pub(super) message: String,
    pub(super) label: String,
    pub(super) help: String,
    /// Errors that begin in here are consequences.
    pub(super) covers: Range<usize>,
    /// The header that was meant, if what follows is not below it.
    pub(super) section: Option<String>,
}

impl<'t> Spot<'t> {
    pub(super) fn new(
        text: &'t str,
        complaint: &Complaint<'t>,
        is_toml: bool,
        statements: &'t [Statement],
    ) -> Self {
        let start = text.floor_char_boundary(complaint.span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        // A byte-order mark at the start of the file is allowed.
        let has_mark = line_start == 0 && text.starts_with('\u{feff}');
        let line_start = if has_mark { '\u{feff}'.len_utf8() } else { line_start };
        let start = start.max(line_start);
        let line_end = text[start..].find('\n').map_or(text.len(), |length| start + length);
        let line = text[line_start..line_end].trim_end_matches('\r');
        let at = (start - line_start).min(line.len());
        let at_end =
            line.floor_char_boundary(complaint.span.end.saturating_sub(line_start).clamp(at, line.len()));
        let next = statements.partition_point(|statement| statement.span.start <= start);
        let statement = next.checked_sub(1).map(|last| &statements[last]);
        let said = complaint.said;
        Self { text, line, line_start, at, at_end, said, is_toml, is_first: false, statement }
    }

    /// The offset of the line in the file.
    pub(super) fn start(&self) -> usize {
        self.line_start
    }

    /// The offset of the end of the line in the file.
    pub(super) fn end(&self) -> usize {
        self.line_start + self.line.len()
    }

    pub(super) fn before(&self) -> &'t str {
        &self.line[..self.at]
    }

    pub(super) fn after(&self) -> &'t str {
        &self.line[self.at..]
    }

    /// A mistake at a range of the line. Errors that begin at it are consequences.
    pub(super) fn mistake(&self, marked: Range<usize>, message: impl Into<String>) -> Mistake {
        let marked = self.line_start + marked.start..self.line_start + marked.end;
        let covers = self.line_start + self.at..marked.end.max(self.line_start + self.at + 1);
        let (label, help) = ("here".to_owned(), String::new());
        Mistake { code: SYNTAX, marked, message: message.into(), label, help, covers, section: None }
    }

    /// A mistake at the whole line, without the white space around it, which explains every error of the line.
    pub(super) fn whole_line(&self, message: impl Into<String>) -> Mistake {
        let start = self.line.len() - self.line.trim_start().len();
        self.mistake(start..start + self.line.trim().len(), message).of_line(self)
    }

    /// Returns a part of the line for a message, or `instead` if the line may hold a secret.
    pub(super) fn shown(&self, part: &str, instead: &str) -> String {
        let is_plain = !self.may_hold_a_secret() && !part.is_empty();
        Printable::cut(if is_plain { part } else { instead }, 80).raw().to_owned()
    }

    /// Whether the line has a part that no message repeats.
    pub(super) fn may_hold_a_secret(&self) -> bool {
        holds_secret(self.line) || goes_on_at(self.text, self.line_start)
    }

    /// The key whose value or whose sign is at `at`: the last one before it on the line.
    pub(super) fn key(&self) -> &'t str {
        let before = self.before().trim_end().trim_end_matches(['=', ':', '>', '-', '[']).trim_end();
        let start = before.rfind(['{', ',', '[']).map_or(0, |sign| sign + 1);
        before[start..].trim()
    }

    /// The value that begins at or around `at`: its range in the line.
    pub(super) fn value(&self) -> Range<usize> {
        let is_of_value = |char: char| !char.is_whitespace() && !"=,[{(".contains(char);
        let start = self.before().trim_end_matches(is_of_value).len();
        let rest = &self.line[start..];
        let end = rest.find([',', '}', ']', '#', ')']).unwrap_or(rest.len());
        start..start + rest[..end].trim_end().len()
    }

    /// The characters of the line that are neither in a string nor in a comment, with their offsets. What follows a quote without
    /// a partner is not in a string.
    pub(super) fn bare(&self) -> Vec<(usize, char)> {
        let mut bare = Vec::new();
        let mut strings = Strings::of(self.line);
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
    #[must_use]
    pub(super) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    #[must_use]
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    #[must_use]
    pub(super) fn code(mut self, code: Code) -> Self {
        self.code = code;
        self
    }

    /// Every error on the line is a consequence.
    #[must_use]
    pub(super) fn of_line(self, spot: &Spot<'_>) -> Self {
        self.over(spot.start()..spot.end() + 1)
    }

    /// Every error in this range of the file is a consequence.
    #[must_use]
    pub(super) fn over(mut self, range: Range<usize>) -> Self {
        self.covers = range;
        self
    }
}
