//! Pieces of a text that are replaced; all that is between them stays as it is, to the byte.

use std::ops::Range;

use super::scan::BOM;
use super::sheet::{Sheet, Span};

/// What is replaced by what, in any order.
pub(super) struct Splices<'t> {
    pub(super) text: &'t str,
    pub(super) eol: &'static str,
    list: Vec<(Range<usize>, Belongs, String)>,
}

/// To what a new line belongs: of those that are put into one place, which one stands first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Belongs {
    /// To the statement above.
    Above,
    /// To nothing that is there.
    Alone,
    /// To the statement below.
    Below,
}

impl<'t> Splices<'t> {
    pub(super) fn new(sheet: &Sheet<'t>) -> Self {
        Self { text: sheet.text, eol: sheet.eol, list: Vec::new() }
    }

    /// Puts `new` where `span` is.
    pub(super) fn replace(&mut self, span: Range<usize>, new: impl Into<String>) {
        self.list.push((span, Belongs::Above, new.into()));
    }

    /// Puts lines in where a line begins or the text ends. An empty one is a blank line.
    pub(super) fn lines(&mut self, at: usize, belong: Belongs, lines: &[String]) {
        // The last line of a file may have no end.
        let is_open = at == self.text.len() && !self.text.is_empty() && !self.text.ends_with('\n');
        let (before, after) = if is_open { (self.eol, "") } else { ("", self.eol) };
        let lines: String = lines.iter().map(|line| [before, line, after].concat()).collect();
        self.list.push((at..at, belong, lines));
    }

    /// Takes a statement away. A comment behind it stays, on a line of its own.
    pub(super) fn remove(&mut self, span: Span) {
        let rest = &self.text[span.code_end..span.next_line];
        match rest.find('#') {
            Some(hash) => self.replace(span.code..span.code_end + hash, ""),
            None => self.replace(line_start(self.text, span.code)..span.next_line, ""),
        }
    }

    /// What stands on the line before the statement.
    pub(super) fn indent(&self, span: Span) -> &'t str {
        &self.text[line_start(self.text, span.code)..span.code]
    }

    /// The text with everything replaced.
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

fn line_start(text: &str, at: usize) -> usize {
    let bom = if text.starts_with(BOM) { BOM.len() } else { 0 };
    text[..at].rfind('\n').map_or(bom, |newline| newline + 1)
}
