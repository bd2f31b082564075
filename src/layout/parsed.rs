//! Splits a text into tables, keys, and comments, in the order of the file.
//!
//! Every comment is in exactly one place: at the top of the file, at its end, or in one [`Placement`]. `people` decides
//! which comments are headings of people.

use std::iter;
use std::ops::Range;

use toml_edit::{Document, InlineTable, Item, Key, Table, Value};

pub(super) const BOM: &str = "\u{feff}";
/// The white space around a comment. Any other white space is part of the comment.
pub(super) const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

pub(super) struct ParsedText<'t> {
    pub(super) text: &'t str,
    /// The line end of the first line. All lines are written with it.
    pub(super) eol: &'static str,
    /// Comments above everything, with a blank line below them.
    pub(super) top: Vec<Block<'t>>,
    /// These keys are above all headers.
    pub(super) root: Vec<KeyValue<'t>>,
    pub(super) sections: Vec<TableSection<'t>>,
    /// Where the line below the last statement and its foot begins, in bytes.
    pub(super) statements_end: usize,
    /// Comments below everything, with a blank line above them.
    pub(super) end: Vec<Block<'t>>,
}

/// A table that has a header, with the keys below it.
pub(super) struct TableSection<'t> {
    pub(super) path: Vec<&'t str>,
    /// Whether the header has double brackets, so that the table is an element of an array.
    pub(super) is_array: bool,
    pub(super) head: Placement<'t>,
    pub(super) pairs: Vec<KeyValue<'t>>,
}

#[derive(Clone)]
pub(super) struct KeyValue<'t> {
    /// The path is relative to the header above, or to the inline table.
    pub(super) path: Vec<&'t str>,
    /// Where the last key of the path begins, in bytes.
    pub(super) key_start: usize,
    pub(super) value: &'t Value,
    /// Empty for a pair of an inline table.
    pub(super) placement: Placement<'t>,
}

/// Where a header or a key is, and which comments belong to it.
#[derive(Clone, Default)]
pub(super) struct Placement<'t> {
    /// Whether a blank line separates it from the previous statement.
    pub(super) blank_above: bool,
    /// Comments above it, each with a blank line below. They are about everything that follows.
    pub(super) detached: Vec<Block<'t>>,
    /// Comments directly above it.
    pub(super) leading: Block<'t>,
    /// The range covers `key = value` or the header, in bytes.
    pub(super) code: Range<usize>,
    pub(super) trailing: Option<TrailingComment<'t>>,
    /// Comments directly below it, with a blank line below them. They stay where the run of keys ends.
    pub(super) foot: Block<'t>,
}

/// Comments on consecutive lines.
pub(super) type Block<'t> = Vec<Comment<'t>>;

#[derive(Clone, Copy)]
pub(super) struct Comment<'t> {
    pub(super) line_start: usize,
    pub(super) text: &'t str,
}

/// A comment that follows a statement on the same line.
#[derive(Clone, Copy)]
pub(super) struct TrailingComment<'t> {
    text: &'t str,
    /// Characters between the start of the line and the comment. `None`: one space separates it from the statement.
    column: Option<usize>,
}

impl<'t> ParsedText<'t> {
    pub(super) fn new(document: &'t Document<&'t str>) -> Self {
        let text = document.raw();
        let eol = if line_at(text, 0).ends_with("\r\n") { "\r\n" } else { "\n" };
        let (mut root, mut sections) = (Vec::new(), Vec::new());
        collect(document.as_table(), &mut Vec::new(), 0, &mut root, &mut sections);
        // In the parsed tree, keys that are far apart in the text may be next to each other.
        root.sort_by_key(|pair| pair.key_start);
        sections.sort_by_key(|section| section.head.code.start);
        sections.iter_mut().for_each(|section| section.pairs.sort_by_key(|pair| pair.key_start));
        let mut parsed =
            Self { text, eol, top: Vec::new(), root, sections, statements_end: text.len(), end: Vec::new() };
        parsed.place_statements();
        parsed
    }

    /// Reads the lines between the statements, and gives each comment to the statement above or below it.
    fn place_statements(&mut self) {
        let Self { text, eol: _, top, root, sections, statements_end, end } = self;
        let mut statements: Vec<(&mut Placement<'t>, bool)> = Vec::new();
        statements.extend(root.iter_mut().map(|pair| (&mut pair.placement, false)));
        for TableSection { path: _, is_array: _, head, pairs } in sections {
            statements.push((head, true));
            statements.extend(pairs.iter_mut().map(|pair| (&mut pair.placement, false)));
        }
        let mut gap = Gap::read(text, if text.starts_with(BOM) { BOM.len() } else { 0 });
        let mut above: Option<(&mut Placement<'t>, bool)> = None;
        for (below, is_header) in statements {
            below.code.start = gap.end + indent(&text[gap.end..]);
            below.trailing = TrailingComment::read(text, below.code.end);
            let next_line = below.next_line(text);
            match above {
                // A comment between a header and its first key is about the keys that follow.
                Some((above, is_below_header)) => gap.distribute(above, below, is_header || !is_below_header),
                None => *top = gap.open(below),
            }
            above = Some((below, is_header));
            gap = Gap::read(text, next_line);
        }
        match above {
            Some((last, _)) => {
                if gap.touches_above && !gap.blocks.is_empty() {
                    last.foot = gap.blocks.remove(0);
                }
                *statements_end = last.foot_end(text);
                *end = gap.blocks;
            }
            None => *top = gap.blocks,
        }
    }
}

impl<'t> TableSection<'t> {
    pub(super) fn without_comments(path: Vec<&'t str>) -> Self {
        Self { path, is_array: false, head: Placement::default(), pairs: Vec::new() }
    }

    pub(super) fn last_placement(&self) -> &Placement<'t> {
        self.pairs.last().map_or(&self.head, |pair| &pair.placement)
    }

    pub(super) fn last_placement_mut(&mut self) -> &mut Placement<'t> {
        self.pairs.last_mut().map_or(&mut self.head, |pair| &mut pair.placement)
    }
}

/// Returns the pairs of an inline table. Dotted keys become paths.
pub(super) fn inline_pairs(table: &InlineTable) -> Vec<KeyValue<'_>> {
    let mut pairs = Vec::new();
    for (path, value) in table.get_values() {
        let key_start = path.last().and_then(|key| key.span()).unwrap_or_default().start;
        let path = path.into_iter().map(Key::get).collect();
        pairs.push(KeyValue { path, key_start, value, placement: Placement::default() });
    }
    pairs
}

impl Placement<'_> {
    pub(super) fn has_comments(&self) -> bool {
        let Self { blank_above: _, detached, leading, code: _, trailing, foot } = self;
        !detached.is_empty() || !leading.is_empty() || trailing.is_some() || !foot.is_empty()
    }

    /// Returns whether a comment directly above it heads a group of people. A comment with an address in every line is not
    /// a heading: it is about people, such as an entry that is commented out.
    pub(super) fn has_leading_heading(&self) -> bool {
        !self.leading.iter().all(|comment| has_address(comment.text))
    }

    /// Returns whether a comment heads a group that begins here. A detached comment always does.
    pub(super) fn has_heading(&self) -> bool {
        !self.detached.is_empty() || self.has_leading_heading()
    }

    /// Returns the start of the detached comments, or what [`Self::leading_start`] returns if there are none.
    pub(super) fn detached_start(&self, text: &str) -> usize {
        let first = self.detached.first().and_then(|block| block.first());
        first.map_or_else(|| self.leading_start(text), |comment| comment.line_start)
    }

    /// Returns the start of the leading comments, or of the statement's line if there are none.
    pub(super) fn leading_start(&self, text: &str) -> usize {
        let first = self.leading.first();
        first.map_or_else(|| line_start(text, self.code.start), |comment| comment.line_start)
    }

    /// Returns the start of the line below the statement.
    pub(super) fn next_line(&self, text: &str) -> usize {
        self.code.end + line_at(text, self.code.end).len()
    }

    /// Returns the start of the line below the foot.
    pub(super) fn foot_end(&self, text: &str) -> usize {
        let last = self.foot.last().map(|comment| comment.line_start);
        last.map_or_else(|| self.next_line(text), |start| start + line_at(text, start).len())
    }

    /// Returns the white space before the statement.
    pub(super) fn indent<'t>(&self, text: &'t str) -> &'t str {
        &text[line_start(text, self.code.start)..self.code.start]
    }
}

/// Returns whether a comment contains an address. The name of a team, such as `@acme/leads`, is not an address.
fn has_address(comment: &str) -> bool {
    let is_inside = |at: usize| {
        let is_name_end = |last: char| last.is_alphanumeric() || "+-_'".contains(last);
        comment[..at].ends_with(is_name_end) && comment[at + 1..].starts_with(char::is_alphanumeric)
    };
    comment.match_indices('@').any(|(at, _)| is_inside(at))
}

impl<'t> TrailingComment<'t> {
    /// Reads the comment between `end` and the end of its line.
    pub(super) fn read(text: &'t str, end: usize) -> Option<Self> {
        let rest = line_at(text, end);
        let hash = rest.find('#')?;
        let is_close = matches!(&rest[..hash], "" | " " | "," | ", ");
        let column = (!is_close).then(|| text[line_start(text, end)..end + hash].chars().count());
        Some(Self { text: rest[hash..].trim_end_matches(SPACE), column })
    }

    /// Forgets the column, which means nothing once the statement has another form.
    pub(super) fn without_column(self) -> Self {
        Self { column: None, ..self }
    }

    /// Writes it after the last line of `written`: in its column if that is free, or else after one space.
    pub(super) fn write(self, written: &mut String) {
        let used = written[line_start(written, written.len())..].chars().count();
        let space = self.column.map_or(1, |column| column.saturating_sub(used).max(1));
        written.extend(iter::repeat_n(' ', space));
        *written += self.text;
    }
}

/// Returns the rest of the line from `at`, with its end.
pub(super) fn line_at(text: &str, at: usize) -> &str {
    let rest = &text[at..];
    rest.find('\n').map_or(rest, |newline| &rest[..=newline])
}

pub(super) fn line_start(text: &str, at: usize) -> usize {
    let bom = if text.starts_with(BOM) { BOM.len() } else { 0 };
    text[..at].rfind('\n').map_or(bom, |newline| newline + 1)
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

/// Collects what is below `path`. The first `depth` keys of the path are those of the header.
fn collect<'t>(
    table: &'t Table,
    path: &mut Vec<&'t str>,
    depth: usize,
    pairs: &mut Vec<KeyValue<'t>>,
    sections: &mut Vec<TableSection<'t>>,
) {
    for (key, item) in table {
        path.push(key);
        match item {
            Item::None => {}
            Item::Value(value) => {
                let key_start = table.key(key).and_then(Key::span).unwrap_or_default().start;
                let code = key_start..value.span().unwrap_or_default().end;
                let placement = Placement { code, ..Placement::default() };
                pairs.push(KeyValue { path: path[depth..].to_vec(), key_start, value, placement });
            }
            Item::Table(below) if below.is_implicit() => collect(below, path, depth, pairs, sections),
            Item::Table(below) => collect_section(below, path, false, sections),
            Item::ArrayOfTables(tables) => {
                for below in tables {
                    collect_section(below, path, true, sections);
                }
            }
        }
        path.pop();
    }
}

fn collect_section<'t>(
    table: &'t Table,
    path: &mut Vec<&'t str>,
    is_array: bool,
    sections: &mut Vec<TableSection<'t>>,
) {
    let mut section = TableSection { is_array, ..TableSection::without_comments(path.clone()) };
    section.head.code = table.span().unwrap_or_default();
    collect(table, path, path.len(), &mut section.pairs, sections);
    sections.push(section);
}

/// The blank lines and comments that separate two statements.
struct Gap<'t> {
    blocks: Vec<Block<'t>>,
    /// Whether the first block directly follows the statement above.
    touches_above: bool,
    /// Whether the statement below directly follows the last block.
    touches_below: bool,
    has_blank: bool,
    end: usize,
}

impl<'t> Gap<'t> {
    /// Reads blank lines and comments from `start`, which is the start of a line.
    fn read(text: &'t str, start: usize) -> Self {
        let mut gap = Self {
            blocks: Vec::new(),
            touches_above: false,
            touches_below: false,
            has_blank: false,
            end: start,
        };
        while gap.end < text.len() {
            let line = line_at(text, gap.end);
            let content = line.trim_matches(SPACE);
            if content.is_empty() {
                gap.has_blank = true;
                gap.touches_below = false;
            } else if content.starts_with('#') {
                let comment = Comment { line_start: gap.end, text: content };
                gap.touches_above |= gap.blocks.is_empty() && !gap.has_blank;
                match gap.blocks.last_mut() {
                    Some(block) if gap.touches_below => block.push(comment),
                    _ => gap.blocks.push(vec![comment]),
                }
                gap.touches_below = true;
            } else {
                break;
            }
            gap.end += line.len();
        }
        gap
    }

    /// Returns the comments at the top of the file. The first statement gets those directly above it.
    fn open(mut self, first: &mut Placement<'t>) -> Vec<Block<'t>> {
        if self.touches_below {
            first.leading = self.blocks.pop().unwrap_or_default();
        }
        // Tools read directives such as `#:schema` only at the top of the file.
        let last_directive = first.leading.iter().rposition(|comment| comment.text.starts_with("#:"));
        if let Some(last) = last_directive {
            self.blocks.push(first.leading.drain(..=last).collect());
        }
        self.blocks
    }

    /// Gives each comment to one of the two statements.
    fn distribute(mut self, above: &mut Placement<'t>, below: &mut Placement<'t>, may_be_foot: bool) {
        if self.touches_below {
            below.leading = self.blocks.pop().unwrap_or_default();
        }
        if self.touches_above && self.has_blank && may_be_foot && !self.blocks.is_empty() {
            above.foot = self.blocks.remove(0);
        }
        below.blank_above = self.has_blank;
        below.detached = self.blocks;
    }
}
