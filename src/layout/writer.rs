//! Writes text line by line. The text has no blank line at its start or end, and never two in a row.

use super::parsed::{Block, KeyValue, TrailingComment};
use super::value::ValueFormatter;

pub(super) struct LayoutWriter<'t> {
    pub(super) values: ValueFormatter<'t>,
    written: String,
    ends_with_blank: bool,
}

impl<'t> LayoutWriter<'t> {
    pub(super) fn new(values: ValueFormatter<'t>) -> Self {
        Self { values, written: String::with_capacity(values.text.len()), ends_with_blank: true }
    }

    /// Writes a blank line, unless the last line is blank or nothing is above it.
    pub(super) fn blank(&mut self) {
        if !self.ends_with_blank {
            self.written += self.values.eol;
            self.ends_with_blank = true;
        }
    }

    /// Writes one comment per line.
    pub(super) fn comments(&mut self, block: &Block<'_>) {
        for comment in block {
            self.statement(comment.text, None);
        }
    }

    /// Writes a blank line after each block.
    pub(super) fn detached(&mut self, blocks: &[Block<'_>]) {
        for block in blocks {
            self.comments(block);
            self.blank();
        }
    }

    /// Writes a key with the comments above it and after it.
    pub(super) fn pair(&mut self, pair: &KeyValue<'_>) {
        let KeyValue { path, key_start: _, value, placement } = pair;
        self.comments(&placement.leading);
        self.statement(&self.values.assignment(path, value), placement.trailing);
    }

    pub(super) fn statement(&mut self, code: &str, trailing: Option<TrailingComment<'_>>) {
        self.written += code;
        if let Some(comment) = trailing {
            comment.write(&mut self.written);
        }
        self.written += self.values.eol;
        self.ends_with_blank = false;
    }

    pub(super) fn finish(mut self) -> String {
        if self.ends_with_blank {
            self.written.truncate(self.written.len().saturating_sub(self.values.eol.len()));
        }
        self.written
    }
}
