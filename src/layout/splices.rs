//! Replaces parts of a text while leaving the rest untouched, byte for byte.

use std::ops::Range;

use super::parsed::{BOM, ParsedText};

/// A set of replacements, which can be added in any order.
pub(super) struct Splices<'t> {
    pub(super) text: &'t str,
    eol: &'static str,
    list: Vec<(Range<usize>, Belongs, String)>,
}

/// The statement that an inserted line belongs to: the one above it, the one below it, or neither. This determines the order of
/// lines inserted at the same offset.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Belongs {
    Above,
    /// The line is independent of the surrounding statements.
    Alone,
    Below,
}

impl<'t> Splices<'t> {
    pub(super) fn new(parsed: &ParsedText<'t>) -> Self {
        Self { text: parsed.text, eol: parsed.eol, list: Vec::new() }
    }

    pub(super) fn replace(&mut self, span: Range<usize>, new: String) {
        self.list.push((span, Belongs::Above, new));
    }

    /// Inserts lines at the start of a line or at the end of the text. Empty strings become blank lines.
    pub(super) fn lines(&mut self, at: usize, belongs: Belongs, lines: &[String]) {
        // The last line of the file might lack a line ending. A byte-order mark isn't a line.
        let last_line = self.text.trim_start_matches(BOM);
        let is_open = at == self.text.len() && !last_line.is_empty() && !last_line.ends_with('\n');
        let (before, after) = if is_open { (self.eol, "") } else { ("", self.eol) };
        let lines: String = lines.iter().map(|line| [before, line, after].concat()).collect();
        self.list.push((at..at, belongs, lines));
    }

    pub(super) fn apply(mut self) -> String {
        self.list.sort_by_key(|(span, belongs, _)| (span.start, span.end, *belongs));
        let mut written = String::with_capacity(self.text.len());
        let mut at = 0;
        for (span, _, new) in self.list {
            written += &self.text[at..span.start];
            written += &new;
            at = span.end;
        }
        written + &self.text[at..]
    }
}
