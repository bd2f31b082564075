//! Finds duplicate keys and sections.
//!
//! When the parser finds a duplicate key, it doesn't report the name or the first occurrence, and it keeps only one of the two
//! values. This module therefore indexes all statements by full key. Keys are compared after decoding, so `"a\u0041"` and
//! `"aA"` are the same key.

use std::collections::HashMap;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::syntax::statements::{Statement, Statements, Strings};
use super::{Email, RosterCode, checks, keys};
use crate::printable::Printable;
use crate::problem::Problem;
use crate::secret::contains_secret;
use crate::source::{FileId, Place, Sourced};

/// The maximum number of duplicate keys to look up per statement. Each lookup parses the statement again.
const MAX_REPEATS_PER_STATEMENT: usize = 16;
/// The maximum length of a header in bytes. Keys below a longer header aren't reread. A person's header always fits because
/// addresses are limited to 254 bytes.
const MAX_HEADER_LENGTH: usize = 512;

/// Problems for duplicate declarations, and the statements that the parser dropped because of them.
#[derive(Default)]
pub(super) struct Repeats {
    pub(super) problems: Vec<Problem>,
    /// Statements dropped by the parser, either entirely or in part.
    pub(super) unread: Vec<Unread>,
}

/// A statement dropped by the parser, to be read separately.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Unread {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The range of the first occurrence of a duplicate key, including its value. It has already been read, so it's blanked out to
    /// make the parser return the second occurrence.
    pub(super) without: Option<(usize, usize)>,
    /// Whether the statement declares a person in full. If not, the keys it lacks might be in another statement.
    pub(super) is_complete: bool,
}

/// Finds the first occurrence of each key that the parser reported as a duplicate. `again` has the spans of the duplicates, in
/// order.
pub(super) fn find(file: FileId, text: &str, statements: &Statements, again: &[Range<usize>]) -> Repeats {
    let index = RepeatIndex::new(text, statements);
    let mut repeats = Repeats::default();
    let statement_of = |again: &Range<usize>| {
        let next = statements.list.partition_point(|statement| statement.span.start <= again.start);
        next.checked_sub(1)
    };
    for in_statement in again.chunk_by(|one, other| statement_of(one) == statement_of(other)) {
        let Some(number) = statement_of(&in_statement[0]) else { continue };
        for again in in_statement.iter().take(MAX_REPEATS_PER_STATEMENT) {
            index.look_up(file, number, again, &mut repeats);
        }
    }
    repeats
}

/// A component of a dotted key and its span in the file.
type KeyPart = (String, Range<usize>);

/// An index of all keys in the file. It's a trie, so a long header is stored only once instead of once for each key below it.
struct RepeatIndex<'t> {
    text: &'t str,
    statements: &'t Statements,
    /// The key of each statement, without the header above it.
    keys: Vec<Key>,
    /// The paths of all headers. The first one is the empty path of the root. For a table in an array, the path ends with the
    /// index of the header's statement, which tells the tables apart.
    headers: Vec<Vec<KeyPart>>,
    trie: Trie,
}

/// The key of a statement. `own` is empty if the key couldn't be parsed.
struct Key {
    /// Index of the enclosing header in `RepeatIndex::headers`.
    header: usize,
    own: Vec<KeyPart>,
    /// One trie node per component of the key.
    nodes: Vec<usize>,
    /// Whether the enclosing header is a duplicate.
    is_below_repeated: bool,
}

/// A trie of all keys. Node 0 is the root.
struct Trie {
    nodes: Vec<Node>,
    children: HashMap<(usize, String), usize>,
}

/// A key, or the beginning of one. Both fields are indices into [`Statements::list`].
#[derive(Default)]
struct Node {
    /// The first statement with exactly this key.
    exact: Option<usize>,
    /// The first statement with a longer key that starts with this one.
    longer: Option<usize>,
}

impl Trie {
    fn new() -> Self {
        Self { nodes: vec![Node::default()], children: HashMap::new() }
    }

    fn child(&mut self, parent: usize, name: &str) -> usize {
        let next = self.nodes.len();
        let child = *self.children.entry((parent, name.to_owned())).or_insert(next);
        if child == next {
            self.nodes.push(Node::default());
        }
        child
    }

    /// Inserts the key of statement `number` below the header nodes `above`. Returns the node for each component of `own`.
    fn enter(&mut self, number: usize, above: &[usize], own: &[KeyPart]) -> Vec<usize> {
        let mut path = Vec::with_capacity(own.len());
        let mut last = above.last().copied().unwrap_or(0);
        for (name, _) in own {
            last = self.child(last, name);
            path.push(last);
        }
        if let [beginning @ .., _] = path.as_slice() {
            for node in above.iter().chain(beginning) {
                self.nodes[*node].longer.get_or_insert(number);
            }
        }
        self.nodes[last].exact.get_or_insert(number);
        path
    }
}

impl<'t> RepeatIndex<'t> {
    fn new(text: &'t str, statements: &'t Statements) -> Self {
        let headers = vec![Vec::new()];
        let mut index = Self { text, statements, keys: Vec::new(), headers, trie: Trie::new() };
        // Nodes of the enclosing header.
        let mut above: Vec<usize> = Vec::new();
        let mut is_repeated = false;
        for (number, statement) in statements.list.iter().enumerate() {
            let own = parts(text, statement);
            if !statement.is_header {
                let nodes = index.trie.enter(number, &above, &own);
                let header = index.headers.len() - 1;
                index.keys.push(Key { header, own, nodes, is_below_repeated: is_repeated });
                continue;
            }
            let is_users = matches!(own.as_slice(), [(name, _)] if name == "users");
            let nodes = index.trie.enter(number, &[], &own);
            let last = nodes.last().copied().unwrap_or(0);
            is_repeated = index.trie.nodes[last].exact != Some(number) && !is_users;
            above = vec![last];
            let mut path = own.clone();
            if text[statement.span.clone()].starts_with("[[") {
                // Each table in an array has its own set of keys.
                let name = format!("[{number}]");
                above.push(index.trie.child(last, &name));
                path.push((name, 0..0));
            }
            index.headers.push(path);
            index.keys.push(Key { header: 0, own, nodes, is_below_repeated: false });
        }
        index
    }

    /// Returns the full key of a statement, including its header.
    fn path(&self, number: usize) -> impl Iterator<Item = &KeyPart> {
        let key = &self.keys[number];
        self.headers[key.header].iter().chain(&key.own)
    }

    fn look_up(&self, file: FileId, number: usize, again: &Range<usize>, repeats: &mut Repeats) {
        let key = &self.keys[number];
        let Some(part) = key.own.iter().position(|(_, span)| span.contains(&again.start)) else {
            return self.look_inside(file, number, again, repeats);
        };
        repeats.unread.extend(self.unread(number, None));
        let node = &self.trie.nodes[key.nodes[part]];
        let length = self.headers[key.header].len() + part;
        let first = node.exact.or(node.longer).filter(|first| *first < number);
        if let Some(first) = first
            && !self.statements.list[first].is_header
        {
            repeats.unread.extend(self.unread(first, None));
        }
        if key.is_below_repeated {
            return; // only the duplicate header itself is reported
        }
        let is_of_list =
            |number: usize| self.text[self.statements.list[number].span.clone()].starts_with("[[");
        if self.statements.list[number].is_header && !is_of_list(number) && first.is_some_and(is_of_list) {
            return; // not a duplicate: the header lacks a second pair of brackets, which is reported as a wrong type
        }
        let first = first.and_then(|first| Some(self.path(first).nth(length)?.1.clone()));
        let is_header = self.statements.list[number].is_header;
        let names: Vec<&str> = self.path(number).take(length + 1).map(|(name, _)| name.as_str()).collect();
        repeats.problems.push(problem(file, &names, is_header, &key.own[part].1, first));
    }

    /// Creates the [`Unread`] for a statement. Returns `None` if the header above the statement is longer than
    /// [`MAX_HEADER_LENGTH`]. Parsing such a header again for each key below it would take too long.
    fn unread(&self, number: usize, without: Option<(usize, usize)>) -> Option<Unread> {
        let Range { start, end } = self.statements.list[number].span.clone();
        let header = self.statements.header_before(start).map_or(0, |header| header.len());
        let is_person = self.path(number).count() == 2 && self.path(number).next()?.0 == "users";
        let unread = Unread { start, end, without, is_complete: is_person && without.is_none() };
        (header <= MAX_HEADER_LENGTH).then_some(unread)
    }

    /// Looks for a duplicate key in an inline table.
    fn look_inside(&self, file: FileId, number: usize, again: &Range<usize>, repeats: &mut Repeats) {
        let Range { start, end } = self.statements.list[number].span.clone();
        let (table, _) = DeTable::parse_recoverable(&self.text[start..end]);
        let name = name_of(&self.text[again.clone()]);
        let first = innermost(table.get_ref(), again.start - start).get_key_value(name.as_str());
        let first = first.map(|(key, value)| (key.span(), value.span()));
        let shifted = |span: Range<usize>| span.start + start..span.end + start;
        if let Some((key, value)) = &first {
            let first = shifted(key.start..value.end.max(key.end));
            repeats.unread.extend(self.unread(number, Some((first.start, first.end))));
        }
        let mut names: Vec<&str> = self.path(number).map(|(name, _)| name.as_str()).collect();
        names.push(&name);
        repeats.problems.push(problem(file, &names, false, again, first.map(|(key, _)| shifted(key))));
    }
}

/// Parses a statement's key into its decoded components.
fn parts(text: &str, statement: &Statement) -> Vec<KeyPart> {
    let Range { start, end } = statement.span.clone();
    let (skipped, stop) = if statement.is_header {
        (text[start..end].len() - text[start..end].trim_start_matches('[').len(), b']')
    } else {
        (0, b'=')
    };
    let start = start + skipped;
    let key = &text[start..start + length_to(&text[start..end], stop)];
    let parsed = format!("{key}=0");
    let Ok(table) = DeTable::parse(&parsed) else { return Vec::new() };
    let mut parts = Vec::new();
    let mut table = table.get_ref();
    while let Some((key, value)) = table.iter().next() {
        let span = key.span();
        parts.push((key.get_ref().to_string(), start + span.start..start + span.end));
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    parts
}

/// Returns the number of bytes before the first unquoted `stop`, or before the end of the line if the line has none.
fn length_to(text: &str, stop: u8) -> usize {
    let bytes = text.as_bytes();
    let mut strings = Strings::new(text);
    let mut at = 0;
    while at < bytes.len() && bytes[at] != stop && bytes[at] != b'\n' {
        let string = matches!(bytes[at], b'"' | b'\'').then(|| strings.length(at)).flatten();
        at += string.unwrap_or(1);
    }
    at.min(text.len())
}

/// Decodes a key, including quotes and escape sequences.
fn name_of(written: &str) -> String {
    let parsed = format!("{written}=0");
    let name = DeTable::parse(&parsed)
        .ok()
        .and_then(|table| Some(table.get_ref().keys().next()?.get_ref().to_string()));
    name.unwrap_or_else(|| written.to_owned())
}

/// Returns the innermost table that contains the offset `at`.
fn innermost<'v, 'i>(table: &'v DeTable<'i>, at: usize) -> &'v DeTable<'i> {
    table
        .values()
        .filter(|value| value.span().contains(&at))
        .find_map(|value| within(value.get_ref(), at))
        .unwrap_or(table)
}

fn within<'v, 'i>(value: &'v DeValue<'i>, at: usize) -> Option<&'v DeTable<'i>> {
    match value {
        DeValue::Table(table) => Some(innermost(table, at)),
        DeValue::Array(list) => list
            .iter()
            .filter(|value| value.span().contains(&at))
            .find_map(|value| within(value.get_ref(), at)),
        _ => None,
    }
}

/// Builds the problem for a duplicate key or header. `names` has the components of its full key. The component after `users` is
/// a person's address.
fn problem(
    file: FileId,
    names: &[&str],
    is_header: bool,
    again: &Range<usize>,
    first: Option<Range<usize>>,
) -> Problem {
    let place = |span: &Range<usize>| Place::new(file, span.clone());
    if let ([users, person], Some(first)) = (names, &first)
        && *users == "users"
    {
        return checks::duplicate(&Sourced::new(Email::observed(person), place(again)), place(first));
    }
    let shown = |name: &&str| Printable::cut(name, 80).raw().to_owned();
    // Search only the start for secrets because a name can be many kilobytes long.
    let start_of = |name: &&str| name[..name.floor_char_boundary(400)].to_owned();
    let is_hidden = contains_secret(&names.iter().map(start_of).collect::<Vec<_>>().join(" "));
    let last = names.last().map(shown).unwrap_or_default();
    let is_section = is_header || names.len() == 1 && keys::SECTIONS.contains(&last.as_str());
    let (message, help) = if is_section {
        let name = names.iter().map(shown).collect::<Vec<_>>().join(".");
        let section = if is_hidden { "this section".to_owned() } else { format!("the section [{name}]") };
        (format!("{section} is declared twice"), "put everything below one of the two headers")
    } else {
        let owner = match names {
            [users, person, .., _] if *users == "users" => format!(" for {}", checks::named(person)),
            [section, _] if !is_hidden => format!(" in [{}]", shown(section)),
            _ => String::new(),
        };
        let key = if is_hidden { "this key".to_owned() } else { format!("`{last}`") };
        (format!("{key} is set twice{owner}"), "keep the one that is right, and delete the other")
    };
    let problem = Problem::new(RosterCode::DuplicateKey, message).at(place(again), "again here").help(help);
    match first {
        Some(first) => problem.at(place(&first), "first here"),
        None => problem,
    }
}
