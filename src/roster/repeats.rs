//! Finds what is declared twice in one file: where it stands first, and what it is called.
//!
//! The parser reports a repeated key without a name and without its first place, and keeps only one of the two values. So
//! the statements are indexed by their full keys, in the way in which TOML reads them: `"a\u0041"` and `"aA"` are one key.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::syntax::statements::{Statement, Statements, string_len};
use super::{Code, Email, keys, rules};
use crate::printable::Printable;
use crate::problem::Problem;
use crate::source::{FileId, Place, Sourced};

/// In one statement, at most this many repeated keys are looked up: each takes time in proportion to the statement.
const MOST_IN_STATEMENT: usize = 16;

/// What is declared twice.
#[derive(Default)]
pub(super) struct Repeats {
    pub(super) problems: Vec<Problem>,
    /// The statements that the parser has dropped, or has read only in part.
    pub(super) unread: Vec<Unread>,
}

/// A statement that has to be read by itself.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Unread {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The first of two values, which has been read. It is left out, so that the second one is read.
    pub(super) without: Option<(usize, usize)>,
    /// It declares all of a person. Otherwise what seems to be missing may be in another statement.
    pub(super) is_complete: bool,
}

/// The words of the parser for a key that is there already.
pub(super) fn is_repeat(said: &str) -> bool {
    said.starts_with("duplicate key") || said.starts_with("cannot extend value")
}

/// Finds what the parser's errors at the spans `again` are about.
pub(super) fn find(file: FileId, text: &str, statements: &Statements, again: &[Range<usize>]) -> Repeats {
    let statements = &statements.list;
    let index = Index::new(text, statements);
    let mut repeats = Repeats::default();
    let mut in_statement = (usize::MAX, 0);
    for again in again {
        let number = statements.partition_point(|statement| statement.span.start <= again.start);
        let Some(number) = number.checked_sub(1) else { continue };
        in_statement = if in_statement.0 == number { (number, in_statement.1 + 1) } else { (number, 0) };
        if in_statement.1 < MOST_IN_STATEMENT {
            index.look_up(file, number, again, &mut repeats);
        }
    }
    repeats
}

/// One part of a dotted key: its text, and its place in the file.
type Part = (String, Range<usize>);

struct Index<'t> {
    text: &'t str,
    statements: &'t [Statement],
    /// The full key of each statement. Empty if it is not a key.
    paths: Vec<Vec<Part>>,
    /// Which statement has a full key first, and which has it as its beginning first.
    exact: HashMap<Vec<String>, usize>,
    beginning: HashMap<Vec<String>, usize>,
    /// The statements that are below a header that is there already.
    below_repeated: HashSet<usize>,
}

impl<'t> Index<'t> {
    fn new(text: &'t str, statements: &'t [Statement]) -> Self {
        let mut index = Self {
            text,
            statements,
            paths: Vec::new(),
            exact: HashMap::new(),
            beginning: HashMap::new(),
            below_repeated: HashSet::new(),
        };
        let mut header: Vec<Part> = Vec::new();
        let mut is_repeated = false;
        for (number, statement) in statements.iter().enumerate() {
            let own = parts(text, statement);
            let path = if statement.is_header { own } else { [header.clone(), own].concat() };
            if statement.is_header {
                header.clone_from(&path);
                if text[statement.span.clone()].starts_with("[[") {
                    // Each table of a list has keys of its own.
                    header.push((format!("[{number}]"), 0..0));
                }
                is_repeated = index.exact.contains_key(&names(&path)) && names(&path) != ["users"];
            } else if is_repeated {
                index.below_repeated.insert(number);
            }
            index.enter(number, &path);
            index.paths.push(path);
        }
        index
    }

    fn enter(&mut self, number: usize, path: &[Part]) {
        let names = names(path);
        (1..names.len()).for_each(|length| {
            self.beginning.entry(names[..length].to_vec()).or_insert(number);
        });
        self.exact.entry(names).or_insert(number);
    }

    fn look_up(&self, file: FileId, number: usize, again: &Range<usize>, repeats: &mut Repeats) {
        let path = &self.paths[number];
        let Some(length) = path.iter().position(|(_, span)| span.contains(&again.start)) else {
            return self.look_inside(file, number, again, repeats);
        };
        repeats.unread.push(self.unread(number, None));
        let path = &path[..=length];
        let names = names(path);
        let first =
            self.exact.get(&names).or_else(|| self.beginning.get(&names)).filter(|first| **first < number);
        if let Some(first) = first
            && !self.statements[*first].is_header
        {
            repeats.unread.push(self.unread(*first, None));
        }
        if self.below_repeated.contains(&number) {
            return; // a consequence of the header
        }
        let first = first.and_then(|first| Some(self.paths[*first].get(length)?.1.clone()));
        let is_header = self.statements[number].is_header;
        repeats.problems.push(problem(file, &names, is_header, &path[length].1, first));
    }

    fn unread(&self, number: usize, without: Option<(usize, usize)>) -> Unread {
        let Range { start, end } = self.statements[number].span.clone();
        let path = &self.paths[number];
        let is_person = path.len() == 2 && path[0].0 == "users";
        Unread { start, end, without, is_complete: is_person && without.is_none() }
    }

    /// Looks for a key that is repeated in braces.
    fn look_inside(&self, file: FileId, number: usize, again: &Range<usize>, repeats: &mut Repeats) {
        let Range { start, end } = self.statements[number].span.clone();
        let (table, _) = DeTable::parse_recoverable(&self.text[start..end]);
        let name = name_of(&self.text[again.clone()]);
        let first = innermost(table.get_ref(), again.start - start).get_key_value(name.as_str());
        let first = first.map(|(key, value)| (key.span(), value.span()));
        let shifted = |span: Range<usize>| span.start + start..span.end + start;
        if let Some((key, value)) = &first {
            let first = shifted(key.start..value.end.max(key.end));
            repeats.unread.push(self.unread(number, Some((first.start, first.end))));
        }
        let mut names = names(&self.paths[number]);
        names.push(name);
        repeats.problems.push(problem(file, &names, false, again, first.map(|(key, _)| shifted(key))));
    }
}

fn names(path: &[Part]) -> Vec<String> {
    path.iter().map(|(name, _)| name.clone()).collect()
}

/// The parts of the key of a statement, as TOML reads them.
fn parts(text: &str, statement: &Statement) -> Vec<Part> {
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

/// The length of what comes before the first `stop` that is not in quotes.
fn length_to(text: &str, stop: u8) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() && bytes[at] != stop && bytes[at] != b'\n' {
        let string = matches!(bytes[at], b'"' | b'\'').then(|| string_len(&text[at..], bytes[at])).flatten();
        at += string.unwrap_or(1);
    }
    at.min(text.len())
}

/// A key as TOML reads it.
fn name_of(written: &str) -> String {
    let parsed = format!("{written}=0");
    let name = DeTable::parse(&parsed)
        .ok()
        .and_then(|table| Some(table.get_ref().keys().next()?.get_ref().to_string()));
    name.unwrap_or_else(|| written.to_owned())
}

/// The table that is written around the offset `at`, and is in no other such table.
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

/// The problem of a key with this full name. A person is the second part below `users`.
fn problem(
    file: FileId,
    names: &[String],
    is_header: bool,
    again: &Range<usize>,
    first: Option<Range<usize>>,
) -> Problem {
    let place = |span: &Range<usize>| Place::new(file, span.clone());
    if let ([users, person], Some(first)) = (names, &first)
        && users == "users"
    {
        return rules::duplicate(&Sourced::new(Email::observed(person), place(again)), place(first));
    }
    let shown = |name: &String| Printable::cut(name, 80).raw().to_owned();
    let last = names.last().map(shown).unwrap_or_default();
    let is_section = is_header || names.len() == 1 && keys::SECTIONS.contains(&last.as_str());
    let (message, help) = if is_section {
        let name = names.iter().map(shown).collect::<Vec<_>>().join(".");
        (format!("the section [{name}] is declared twice"), "put everything below one of the two headers")
    } else {
        let owner = match names {
            [users, person, .., _] if users == "users" => format!(" for {}", rules::named(person)),
            [section, _] => format!(" in [{}]", shown(section)),
            _ => String::new(),
        };
        (format!("`{last}` is set twice{owner}"), "keep the one that is right, and delete the other")
    };
    let problem = Problem::new(Code::DuplicateKey, message).at(place(again), "again here").help(help);
    match first {
        Some(first) => problem.at(place(&first), "first here"),
        None => problem,
    }
}
