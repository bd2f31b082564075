//! Writes lines of text, without blank lines at the start or end and without consecutive blank lines.

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

    /// Writes a blank line, unless the previous line is blank or this is the start of the text.
    pub(super) fn blank(&mut self) {
        if !self.ends_with_blank {
            self.written += self.values.eol;
            self.ends_with_blank = true;
        }
    }

    /// Writes each comment on a line of its own.
    pub(super) fn comments(&mut self, block: &Block<'_>) {
        for comment in block {
            self.statement(comment.text, None);
        }
    }

    /// Writes blocks of comments, each followed by a blank line.
    pub(super) fn detached(&mut self, blocks: &[Block<'_>]) {
        for block in blocks {
            self.comments(block);
            self.blank();
        }
    }

    /// Writes a key along with its leading and trailing comments.
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
