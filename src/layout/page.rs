//! The text that comes out, line after line: no blank line at its start, at its end, or twice.

use super::pen::write_behind;
use super::scan::Behind;
use super::sheet::Block;

/// What was written so far.
pub(super) struct Page {
    text: String,
    eol: &'static str,
    /// The last line is blank.
    is_blank: bool,
}

impl Page {
    /// An empty one; `size` is a guess of its length in bytes.
    pub(super) fn new(eol: &'static str, size: usize) -> Self {
        Self { text: String::with_capacity(size), eol, is_blank: true }
    }

    /// A blank line, unless there is one already or nothing above it.
    pub(super) fn blank(&mut self) {
        if !self.is_blank {
            self.text += self.eol;
            self.is_blank = true;
        }
    }

    /// Comments, a line each.
    pub(super) fn block(&mut self, block: &[&str]) {
        for comment in block {
            self.code(comment, None);
        }
    }

    /// Comments that stand alone: a blank line behind each block.
    pub(super) fn standing(&mut self, blocks: &[Block<'_>]) {
        for block in blocks {
            self.block(block);
            self.blank();
        }
    }

    /// A statement, and the comment behind it.
    pub(super) fn code(&mut self, code: &str, behind: Option<Behind<'_>>) {
        self.text += code;
        write_behind(&mut self.text, behind);
        self.text += self.eol;
        self.is_blank = false;
    }

    /// The whole text.
    pub(super) fn finish(mut self) -> String {
        if self.is_blank {
            self.text.truncate(self.text.len().saturating_sub(self.eol.len()));
        }
        self.text
    }
}
