//! A text taken apart: its statements in the order of the file, and to which of them each comment belongs.
//!
//! Nothing is lost: every comment is in exactly one [`Around`], or at the top or the end of the file. A comment behind a
//! statement and one directly above it are its own. One that stands alone between blank lines heads what follows. One
//! directly below a statement and above a blank line (a person commented out, say) stays where that run of lines ends.
//! `people` decides what a heading of people is.

use toml_edit::{Document, Item, Table, Value};

use super::scan::{BOM, Behind, SPACE, block_len, indent, line, rest_of_line};

/// Comments on lines that follow one another.
pub(super) type Block<'t> = Vec<&'t str>;

/// The whole text.
pub(super) struct Sheet<'t> {
    pub(super) text: &'t str,
    /// What ends a line.
    pub(super) eol: &'static str,
    /// Comments above everything, with a blank line below them.
    pub(super) top: Vec<Block<'t>>,
    pub(super) statements: Vec<Statement<'t>>,
    /// Comments below everything, with a blank line above them.
    pub(super) end: Vec<Block<'t>>,
}

/// A header or a key with its value.
pub(super) struct Statement<'t> {
    pub(super) what: What<'t>,
    pub(super) around: Around<'t>,
    pub(super) span: Span,
}

/// What a statement says.
pub(super) enum What<'t> {
    /// `[path]` or `[[path]]`.
    Header { path: Vec<&'t str>, array: bool },
    /// `path = value`; the path is relative to the header above.
    Entry { path: Vec<&'t str>, value: &'t Value },
}

/// The comments of a statement, and the space above it.
#[derive(Default)]
pub(super) struct Around<'t> {
    /// A blank line is somewhere above it, below the statement before.
    pub(super) after_blank: bool,
    /// Comments above it that stand alone between blank lines.
    pub(super) standing: Vec<Block<'t>>,
    /// Comments directly above it.
    pub(super) above: Block<'t>,
    pub(super) behind: Option<Behind<'t>>,
    /// Comments directly below it, with a blank line below them.
    pub(super) foot: Block<'t>,
}

/// Where a statement stands, in bytes of the text.
#[derive(Clone, Copy)]
pub(super) struct Span {
    /// Where the first of the comments above it begins, those that stand alone included.
    pub(super) opens: usize,
    /// Where the first of the comments directly above it begins.
    pub(super) starts: usize,
    /// Where its path or bracket stands.
    pub(super) code: usize,
    /// Where the last key of its path stands.
    pub(super) key: usize,
    /// Behind its value or bracket.
    pub(super) code_end: usize,
    /// Where the line behind it begins.
    pub(super) next_line: usize,
    /// Where the line behind its foot begins.
    pub(super) closes: usize,
}

impl Around<'_> {
    /// Whether a comment is directly above that heads a group of people. A comment with an address in every line does
    /// not: it is about people, such as an entry that is commented out.
    pub(super) fn has_heading_above(&self) -> bool {
        !self.above.iter().all(|comment| has_address(comment))
    }

    /// Whether a comment heads a group that begins here. A comment that stands alone always does.
    pub(super) fn has_heading(&self) -> bool {
        !self.standing.is_empty() || self.has_heading_above()
    }

    /// Whether there is no comment here at all.
    pub(super) fn is_bare(&self) -> bool {
        let Self { after_blank: _, standing, above, behind, foot } = self;
        standing.is_empty() && above.is_empty() && behind.is_none() && foot.is_empty()
    }
}

/// Whether a comment contains an address. The name of a team, such as `@acme/leads`, is not an address.
fn has_address(comment: &str) -> bool {
    let is_inside = |at: usize| {
        let is_name_end = |last: char| last.is_alphanumeric() || "+-_'".contains(last);
        comment[..at].ends_with(is_name_end) && comment[at + 1..].starts_with(char::is_alphanumeric)
    };
    comment.match_indices('@').any(|(at, _)| is_inside(at))
}

impl<'t> Sheet<'t> {
    /// Takes a text apart.
    pub(super) fn of(document: &'t Document<&'t str>) -> Self {
        let text = document.raw();
        let mut found = Vec::new();
        find(document.as_table(), &mut Vec::new(), &mut found);
        found.sort_by_key(|found| found.at);
        let mut at = if text.starts_with(BOM) { BOM.len() } else { 0 };
        let mut sheet = Self {
            text,
            eol: "\n",
            top: Vec::new(),
            statements: Vec::with_capacity(found.len()),
            end: Vec::new(),
        };
        let mut first_line_end = None;
        let mut depth = 0;
        for Found { at: key, end, mut path, value, array } in found {
            let between = Between::read(text, at);
            let code = between.end + indent(&text[between.end..]);
            let (behind, next_line) = rest_of_line(text, end);
            first_line_end.get_or_insert(if between.end > at { at } else { end });
            let span =
                Span { opens: code, starts: code, code, key, code_end: end, next_line, closes: next_line };
            let what = match value {
                Some(value) => What::Entry { path: path.split_off(depth), value },
                None => {
                    depth = path.len();
                    What::Header { path, array }
                }
            };
            sheet.put(between, Statement { what, around: Around { behind, ..Around::default() }, span });
            at = next_line;
        }
        let first_line_end = first_line_end.unwrap_or(at);
        sheet.eol = if line(text, first_line_end).ends_with("\r\n") { "\r\n" } else { "\n" };
        sheet.close(Between::read(text, at));
        sheet
    }

    /// Adds a statement, and settles to whom the comments between it and the one before belong.
    fn put(&mut self, between: Between<'t>, mut next: Statement<'t>) {
        let Between { mut blocks, touches_before, touches_after, blank, end } = between;
        let line_start = end;
        next.around.after_blank = blank;
        next.span.starts = line_start;
        if touches_after && let Some(Marked { at, block }) = blocks.pop() {
            next.span.starts = at;
            next.around.above = block;
        }
        next.span.opens = next.span.starts;
        let is_header = matches!(next.what, What::Header { .. });
        match self.statements.last_mut() {
            None => {
                next.around.after_blank = false; // that one is below the top
                self.top = blocks.into_iter().map(|marked| marked.block).collect();
                let directives = next.around.above.iter().rposition(|comment| comment.starts_with("#:"));
                if let Some(last) = directives {
                    self.top.push(next.around.above.drain(..=last).collect());
                }
            }
            Some(before) => {
                // Between a header and its first key there is nothing that could end: it heads what follows.
                let heads = matches!(before.what, What::Header { .. }) && !is_header;
                if touches_before && blank && !heads && !blocks.is_empty() {
                    let Marked { at, block } = blocks.remove(0);
                    before.span.closes = at + block_len(self.text, at, block.len());
                    before.around.foot = block;
                }
                next.span.opens = blocks.first().map_or(next.span.starts, |marked| marked.at);
                next.around.standing = blocks.into_iter().map(|marked| marked.block).collect();
            }
        }
        self.statements.push(next);
    }

    /// Settles to whom the comments below the last statement belong.
    fn close(&mut self, between: Between<'t>) {
        let Between { mut blocks, touches_before, touches_after: _, blank: _, end: _ } = between;
        let Some(last) = self.statements.last_mut() else {
            self.top = blocks.into_iter().map(|marked| marked.block).collect();
            return;
        };
        if touches_before && !blocks.is_empty() {
            let Marked { at, block } = blocks.remove(0);
            last.span.closes = at + block_len(self.text, at, block.len());
            last.around.foot = block;
        }
        self.end = blocks.into_iter().map(|marked| marked.block).collect();
    }
}

/// A statement as the tree has it.
struct Found<'t> {
    at: usize,
    end: usize,
    /// From the root.
    path: Vec<&'t str>,
    /// `None`: a header.
    value: Option<&'t Value>,
    array: bool,
}

/// The statements below `table`, in no order: the tree has gathered what dotted keys and headers spread over the file.
fn find<'t>(table: &'t Table, path: &mut Vec<&'t str>, found: &mut Vec<Found<'t>>) {
    for (key, item) in table {
        path.push(key);
        match item {
            Item::None => {}
            Item::Value(value) => {
                let at = table.key(key).and_then(toml_edit::Key::span).unwrap_or_default().start;
                let end = value.span().unwrap_or_default().end;
                found.push(Found { at, end, path: path.clone(), value: Some(value), array: false });
            }
            Item::Table(below) => {
                if !below.is_implicit() {
                    found.push(Found::header(below, path, false));
                }
                find(below, path, found);
            }
            Item::ArrayOfTables(tables) => {
                for below in tables {
                    found.push(Found::header(below, path, true));
                    find(below, path, found);
                }
            }
        }
        path.pop();
    }
}

impl<'t> Found<'t> {
    fn header(table: &'t Table, path: &[&'t str], array: bool) -> Self {
        let span = table.span().unwrap_or_default();
        Self { at: span.start, end: span.end, path: path.to_vec(), value: None, array }
    }
}

/// The lines between two statements.
struct Between<'t> {
    blocks: Vec<Marked<'t>>,
    /// The first block follows the statement before without a blank line.
    touches_before: bool,
    /// The last block precedes the next statement without a blank line.
    touches_after: bool,
    /// There is a blank line.
    blank: bool,
    /// Where the line of the next statement begins.
    end: usize,
}

/// A block and where it begins.
struct Marked<'t> {
    at: usize,
    block: Block<'t>,
}

impl<'t> Between<'t> {
    /// Reads blank lines and comments from `at`, which is the start of a line.
    fn read(text: &'t str, mut at: usize) -> Self {
        let mut between =
            Self { blocks: Vec::new(), touches_before: false, touches_after: false, blank: false, end: at };
        while at < text.len() {
            let line = line(text, at);
            let comment = line.trim_matches(SPACE);
            if comment.is_empty() {
                between.blank = true;
                between.touches_after = false;
            } else if comment.starts_with('#') {
                between.touches_before |= between.blocks.is_empty() && !between.blank;
                match between.blocks.last_mut() {
                    Some(last) if between.touches_after => last.block.push(comment),
                    _ => between.blocks.push(Marked { at, block: vec![comment] }),
                }
                between.touches_after = true;
            } else {
                break;
            }
            at += line.len();
        }
        between.end = at;
        between
    }
}
