//! Splits a file into tables, keys, and comments, in file order.
//!
//! Every comment ends up in exactly one place: at the top of the file, at its end, or in a [`Placement`]. `people` decides
//! which comments are group headings.

use std::iter;
use std::ops::Range;

use toml_edit::{Document, InlineTable, Item, Key, Table, Value};

use crate::roster::keys;

pub(super) const BOM: &str = "\u{feff}";
/// The white space to trim around a comment. Any other white space is part of the comment.
pub(super) const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

pub(super) struct ParsedText<'t> {
    pub(super) text: &'t str,
    /// The line ending of the first line, which is used for all lines in the output.
    pub(super) eol: &'static str,
    /// Comments at the top of the file, separated from everything else by a blank line.
    pub(super) top: Vec<Block<'t>>,
    /// Keys that come before any header.
    pub(super) root: Vec<KeyValue<'t>>,
    pub(super) sections: Vec<TableSection<'t>>,
    /// The offset of the line after the last statement and the comments directly below it.
    pub(super) statements_end: usize,
    /// Comments at the end of the file, separated from everything else by a blank line.
    pub(super) end: Vec<Block<'t>>,
}

/// A table with a header, and the keys below it.
pub(super) struct TableSection<'t> {
    pub(super) path: Vec<&'t str>,
    /// Whether the header has double brackets, which makes the table an element of an array.
    pub(super) is_array: bool,
    pub(super) head: Placement<'t>,
    pub(super) pairs: Vec<KeyValue<'t>>,
}

#[derive(Clone)]
pub(super) struct KeyValue<'t> {
    /// The path, relative to the enclosing header or inline table.
    pub(super) path: Vec<&'t str>,
    /// The byte offset of the last component of the path.
    pub(super) key_start: usize,
    pub(super) value: &'t Value,
    /// The position of the key and its comments. Empty for pairs of an inline table.
    pub(super) placement: Placement<'t>,
}

/// The position of a header or key, and the comments that belong to it.
#[derive(Clone, Default)]
pub(super) struct Placement<'t> {
    /// Whether there is a blank line between this statement and the previous one.
    pub(super) blank_above: bool,
    /// Comment blocks above the statement, each followed by a blank line. They describe all of the statements below them.
    pub(super) detached: Vec<Block<'t>>,
    /// Comments directly above the statement.
    pub(super) leading: Block<'t>,
    /// The byte range of `key = value` or of the header.
    pub(super) code: Range<usize>,
    pub(super) trailing: Option<TrailingComment<'t>>,
    /// Comments directly below the statement, followed by a blank line. If adjacent keys are sorted, these comments remain below
    /// the last key.
    pub(super) foot: Block<'t>,
}

/// A block of comments on consecutive lines.
pub(super) type Block<'t> = Vec<Comment<'t>>;

#[derive(Clone, Copy)]
pub(super) struct Comment<'t> {
    pub(super) line_start: usize,
    pub(super) text: &'t str,
}

/// A comment after a statement on the same line.
#[derive(Clone, Copy)]
pub(super) struct TrailingComment<'t> {
    text: &'t str,
    /// The number of characters before the comment on its line. `None` if there's at most one space, and possibly a comma,
    /// between the code and the comment.
    column: Option<usize>,
}

impl<'t> ParsedText<'t> {
    pub(super) fn new(document: &'t Document<&'t str>) -> Self {
        let text = document.raw();
        let eol = if line_at(text, 0).ends_with("\r\n") { "\r\n" } else { "\n" };
        let (mut root, mut sections) = (Vec::new(), Vec::new());
        collect(document.as_table(), &mut Vec::new(), 0, &mut root, &mut sections);
        // Restore file order because the parsed tree groups dotted keys by table.
        root.sort_by_key(|pair| pair.key_start);
        sections.sort_by_key(|section| section.head.code.start);
        sections.iter_mut().for_each(|section| section.pairs.sort_by_key(|pair| pair.key_start));
        let mut parsed =
            Self { text, eol, top: Vec::new(), root, sections, statements_end: text.len(), end: Vec::new() };
        parsed.place_statements();
        parsed
    }

    /// Reads the lines between statements and assigns each comment to the statement above or below it.
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
                // A comment between a header and its first key belongs to the keys that follow.
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

/// Returns the pairs of an inline table, with dotted keys converted to paths.
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

    /// Turns the leading comments up to and including the last directive, such as `#:schema`, into detached comments.
    ///
    /// Tools read directives only at the top of the file, where [`Gap::open`] detaches them. Detaching them elsewhere too keeps
    /// formatting idempotent if the statement ends up at the top.
    pub(super) fn detach_directives(&mut self) {
        let last_directive = self.leading.iter().rposition(|comment| comment.text.starts_with("#:"));
        if let Some(last) = last_directive {
            self.detached.push(self.leading.drain(..=last).collect());
        }
    }

    /// Returns `true` if a comment directly above the statement is a group heading.
    pub(super) fn has_leading_heading(&self) -> bool {
        is_heading(&self.leading)
    }

    /// Returns `true` if a comment directly below the statement is a group heading.
    pub(super) fn has_heading_below(&self) -> bool {
        is_heading(&self.foot)
    }

    /// Returns `true` if the statement is the first in a group that has a heading. Detached comments always count as headings.
    pub(super) fn has_heading(&self) -> bool {
        !self.detached.is_empty() || self.has_leading_heading()
    }

    /// Returns the offset of the first comment above the statement, or of the statement's own line if there is none.
    pub(super) fn detached_start(&self, text: &str) -> usize {
        let first = self.detached.first().and_then(|block| block.first());
        first.map_or_else(|| self.leading_start(text), |comment| comment.line_start)
    }

    /// Returns the offset of the leading comments, or of the statement's own line if there are none.
    pub(super) fn leading_start(&self, text: &str) -> usize {
        let first = self.leading.first();
        first.map_or_else(|| line_start(text, self.code.start), |comment| comment.line_start)
    }

    /// Returns the offset of the line after the statement.
    pub(super) fn next_line(&self, text: &str) -> usize {
        self.code.end + line_at(text, self.code.end).len()
    }

    /// Returns the offset of the line after the statement and the comments directly below it.
    pub(super) fn foot_end(&self, text: &str) -> usize {
        let last = self.foot.last().map(|comment| comment.line_start);
        last.map_or_else(|| self.next_line(text), |start| start + line_at(text, start).len())
    }

    pub(super) fn indent<'t>(&self, text: &'t str) -> &'t str {
        &text[line_start(text, self.code.start)..self.code.start]
    }
}

/// Returns `true` if the comment may be a heading for everything below it. A comment isn't a heading if every line is about a
/// person, or if it's commented-out TOML about people.
fn is_heading(block: &Block<'_>) -> bool {
    let lines = || block.iter().map(|comment| comment.text.trim_start_matches('#').trim_matches(SPACE));
    let is_entry = |(key, item): (&str, &Item)| match item.as_table_like() {
        Some(people) if key == "users" => {
            !people.is_empty() && people.iter().all(|(key, _)| has_address(key))
        }
        _ => keys::PERSON.contains(&key) || has_address(key),
    };
    let is_toml = || {
        let document = Document::parse(lines().collect::<Vec<_>>().join("\n"));
        document.is_ok_and(|all| !all.is_empty() && all.iter().all(is_entry))
    };
    !lines().all(is_about_person) && !is_toml()
}

/// Returns `true` if a line of a comment begins with an address or contains a commented-out entry. An address elsewhere in the
/// line can be part of a heading.
fn is_about_person(line: &str) -> bool {
    let mut words = line.split(SPACE).filter(|word| !word.is_empty()).peekable();
    let mut is_first = true;
    while let Some(word) = words.next() {
        let is_key = words.peek().is_some_and(|next| next.starts_with('='));
        if (is_first || is_key) && has_address(word) {
            return true;
        }
        is_first = false;
    }
    false
}

/// Returns `true` if a word contains an email address, as opposed to a team name such as `@acme/leads`.
fn has_address(word: &str) -> bool {
    let is_inside = |at: usize| {
        let is_name_end = |last: char| last.is_alphanumeric() || "+-_'".contains(last);
        word[..at].ends_with(is_name_end) && word[at + 1..].starts_with(char::is_alphanumeric)
    };
    word.match_indices('@').any(|(at, _)| is_inside(at))
}

impl<'t> TrailingComment<'t> {
    /// Parses the comment after a statement on the same line. `end` is the offset at which the statement ends.
    pub(super) fn read(text: &'t str, end: usize) -> Option<Self> {
        let rest = line_at(text, end);
        let hash = rest.find('#')?;
        let is_close = matches!(&rest[..hash], "" | " " | "," | ", ");
        let column = (!is_close).then(|| text[line_start(text, end)..end + hash].chars().count());
        Some(Self { text: rest[hash..].trim_end_matches(SPACE), column })
    }

    /// Returns the comment without its column, which is meaningless once the statement has a different form.
    pub(super) fn without_column(self) -> Self {
        Self { column: None, ..self }
    }

    /// Appends the comment to the last line of `written`, in its original column if possible and after a single space otherwise.
    pub(super) fn write(self, written: &mut String) {
        let used = written[line_start(written, written.len())..].chars().count();
        let space = self.column.map_or(1, |column| column.saturating_sub(used).max(1));
        written.extend(iter::repeat_n(' ', space));
        *written += self.text;
    }
}

/// Returns the rest of the line from `at`, including its line ending.
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

/// Collects the keys and sections of the table at `path`. The first `depth` components of `path` come from the enclosing header.
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

/// The blank lines and comments between two statements.
struct Gap<'t> {
    blocks: Vec<Block<'t>>,
    /// Whether the first block is directly below the previous statement.
    touches_above: bool,
    /// Whether the last block is directly above the next statement.
    touches_below: bool,
    has_blank: bool,
    end: usize,
}

impl<'t> Gap<'t> {
    /// Reads blank lines and comments from `start`, which must be the start of a line.
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

    /// Assigns the comments directly above the first statement to that statement, and returns all other comments, which become
    /// `ParsedText::top`.
    fn open(mut self, first: &mut Placement<'t>) -> Vec<Block<'t>> {
        if self.touches_below {
            first.leading = self.blocks.pop().unwrap_or_default();
        }
        first.detach_directives();
        self.blocks.append(&mut first.detached);
        self.blocks
    }

    /// Assigns each comment to the statement above or below the gap.
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
