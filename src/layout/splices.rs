//! Replaces parts of a text. Everything between them stays the same, byte for byte.

use std::ops::Range;

use super::parsed::ParsedText;

/// Collects replacements, in any order.
pub(super) struct Splices<'t> {
    pub(super) text: &'t str,
    eol: &'static str,
    list: Vec<(Range<usize>, Belongs, String)>,
}

/// The statement that a new line belongs to. This decides the order of lines that are inserted at the same place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Belongs {
    Above,
    /// The line is independent of the statements around it.
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

    /// Inserts lines where a line begins or the text ends. An empty one is a blank line.
    pub(super) fn lines(&mut self, at: usize, belongs: Belongs, lines: &[String]) {
        // The last line of a file may have no end.
        let is_open = at == self.text.len() && !self.text.is_empty() && !self.text.ends_with('\n');
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
