//! Splits a file into statements, even if it isn't valid TOML.
//!
//! After an unclosed brace or bracket, the parser treats the rest of the file as part of the same value. This scanner instead
//! ends the statement before a line that must start a new one. Such lines are headers, conflict markers, and keys that can't
//! occur in the unclosed value. A single mistake is then reported as one problem, and the rest of the file can still be read.

use std::ops::Range;

use super::super::keys;
use crate::toml_text::is_bare;

/// The maximum number of open brackets to track per statement. There is a limit because finding the match of a closing bracket
/// takes linear time. The parser rejects a nesting depth of 80 anyway.
const MAX_OPEN_BRACKETS: usize = 100;

/// A header, or a key and its value.
#[derive(Debug)]
pub(in crate::roster) struct Statement {
    /// The byte range, up to the end of the last line but excluding its line break.
    pub(in crate::roster) span: Range<usize>,
    /// Whether this is a header, `[section]` or `[[section]]`.
    pub(in crate::roster) is_header: bool,
    /// The first error in the statement's quotes or brackets, if it has any.
    pub(super) flaw: Option<Flaw>,
    /// Whether a bracket is still open at the end, in which case the parser treats the following lines as part of this
    /// statement.
    pub(super) is_open: bool,
}

/// An error in quotes or brackets, with its offset in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// A quote that isn't closed on its line.
    Quote(usize),
    /// An opening bracket that is never closed, or that is closed by a bracket of the wrong kind.
    Unclosed(usize),
    /// A closing bracket without a matching opening one.
    Stray(usize),
}

impl Flaw {
    pub(super) const fn at(self) -> usize {
        match self {
            Self::Quote(at) | Self::Unclosed(at) | Self::Stray(at) => at,
        }
    }
}

/// All statements of a file, in order.
pub(in crate::roster) struct Statements {
    pub(in crate::roster) list: Vec<Statement>,
    /// The spans of all headers, in order.
    headers: Vec<Range<usize>>,
}

impl Statements {
    /// Returns the statement that contains the offset `at`.
    pub(in crate::roster) fn at(&self, at: usize) -> Option<&Statement> {
        let next = self.list.partition_point(|statement| statement.span.start <= at);
        self.list[..next].last().filter(|statement| at <= statement.span.end)
    }

    /// Returns the last header that starts before the offset `at`.
    pub(in crate::roster) fn header_before(&self, at: usize) -> Option<Range<usize>> {
        let next = self.headers.partition_point(|header| header.start < at);
        next.checked_sub(1).map(|last| self.headers[last].clone())
    }

    /// Returns the first header that starts at or after the offset `at`.
    pub(in crate::roster) fn header_from(&self, at: usize) -> Option<Range<usize>> {
        self.headers.get(self.headers.partition_point(|header| header.start < at)).cloned()
    }
}

/// Splits the text into statements, in linear time.
pub(in crate::roster) fn statements(text: &str) -> Statements {
    let mut found: Vec<Statement> = Vec::new();
    let mut at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut strings = Strings::new(text);
    while let Some(start) = start_from(text, at) {
        let scan = Scan {
            text,
            at: start,
            strings: &mut strings,
            open: Vec::new(),
            last: b' ',
            flaw: None,
            is_lost: false,
        };
        let statement = scan.statement();
        at = statement.span.end;
        found.push(statement);
    }
    let headers = found.iter().filter(|it| it.is_header).map(|it| it.span.clone()).collect();
    Statements { list: found, headers }
}

/// Returns the offset of the next statement, skipping white space and comments.
fn start_from(text: &str, mut at: usize) -> Option<usize> {
    loop {
        let rest = text[at..].trim_start_matches([' ', '\t', '\r', '\n']);
        at = text.len() - rest.len();
        if !rest.starts_with('#') {
            return (!rest.is_empty()).then_some(at);
        }
        at += rest.find('\n').unwrap_or(rest.len());
    }
}

struct Scan<'t, 's> {
    text: &'t str,
    at: usize,
    strings: &'s mut Strings<'t>,
    /// The stack of open brackets, as pairs of byte and offset.
    open: Vec<(u8, usize)>,
    /// The last scanned byte that isn't part of white space or a comment.
    last: u8,
    flaw: Option<Flaw>,
    /// Whether brackets were closed in the wrong order, which leaves the parser inside an open bracket.
    is_lost: bool,
}

impl Scan<'_, '_> {
    fn statement(mut self) -> Statement {
        let start = self.at;
        let is_header = self.byte() == Some(b'[');
        while let Some(byte) = self.byte() {
            match byte {
                b'\n' if self.open.is_empty() || is_header || self.next_line_begins_a_statement() => break,
                b'#' => self.at += self.rest().find('\n').unwrap_or(self.rest().len()),
                b'"' | b'\'' => self.string(),
                b'{' | b'[' => {
                    if self.open.len() < MAX_OPEN_BRACKETS {
                        self.open.push((byte, self.at));
                    }
                    self.at += 1;
                }
                b'}' | b']' => self.close(byte),
                _ => self.at += 1,
            }
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'#') {
                self.last = byte;
            }
        }
        let unclosed = self.open.last().map(|(_, at)| Flaw::Unclosed(*at));
        let is_open = (unclosed.is_some() || self.is_lost) && !is_header;
        Statement { span: start..self.at, is_header, flaw: self.flaw.or(unclosed), is_open }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// Skips a string. An unclosed string is assumed to end with its line.
    fn string(&mut self) {
        match self.strings.length(self.at) {
            Some(length) => self.at += length,
            None => {
                self.flaw.get_or_insert(Flaw::Quote(self.at));
                self.at += self.rest().find('\n').unwrap_or(self.rest().len());
            }
        }
    }

    fn close(&mut self, byte: u8) {
        let opens = if byte == b'}' { b'{' } else { b'[' };
        match self.open.iter().rposition(|(open, _)| *open == opens) {
            Some(partner) => {
                if let Some((_, inner)) = self.open[partner + 1..].last() {
                    self.flaw.get_or_insert(Flaw::Unclosed(*inner));
                    self.is_lost = true;
                }
                self.open.truncate(partner);
            }
            None => {
                self.flaw.get_or_insert(Flaw::Stray(self.at));
            }
        }
        self.at += 1;
    }

    /// Returns `true` if the next line can't be part of the value in the open brackets.
    fn next_line_begins_a_statement(&self) -> bool {
        let next = &self.rest()[1..];
        let line = next.split('\n').next().unwrap_or_default().trim();
        if is_header(line) || line.starts_with("<<<<<<<") {
            return true;
        }
        let Some(key) = key_of(line) else { return false };
        let is_in_array = self.open.last().is_some_and(|(open, _)| *open == b'[');
        let goes_on = matches!(self.last, b',' | b'{' | b'[');
        let is_of_no_person = keys::ROOT.contains(&key) || keys::GUARDRAIL.contains(&key);
        is_in_array || !goes_on && (key.contains('@') || is_of_no_person)
    }
}

/// Finds the ends of strings, in linear time across all calls.
pub(in crate::roster) struct Strings<'t> {
    text: &'t str,
    /// One offset for each kind of string: single or double quotes, short or triple. A string of that kind that starts before
    /// its offset isn't closed.
    ///
    /// One failed search is enough to know this. If a string isn't closed, any later quote of the same kind must be escaped, or
    /// it would have closed the string. If a search starts at such an escaped quote, it doesn't find a closing quote either.
    unclosed: [[usize; 2]; 2],
}

impl<'t> Strings<'t> {
    pub(in crate::roster) const fn new(text: &'t str) -> Self {
        Self { text, unclosed: [[0; 2]; 2] }
    }

    /// Returns the length of the string whose opening quote is at `at`, or `None` if it isn't closed. Offsets must not decrease
    /// from one call to the next.
    pub(in crate::roster) fn length(&mut self, at: usize) -> Option<usize> {
        let rest = &self.text[at..];
        let quote = *rest.as_bytes().first()?;
        let is_long = rest.starts_with("\"\"\"") || rest.starts_with("'''");
        let unclosed = &mut self.unclosed[usize::from(quote == b'"')][usize::from(is_long)];
        if at < *unclosed {
            return None;
        }
        let length = string_len(rest, quote);
        if length.is_none() {
            // Only triple-quoted strings can span several lines.
            let line = if is_long { None } else { rest.find('\n') };
            *unclosed = at + line.unwrap_or(rest.len());
        }
        length
    }
}

/// Returns the length of the string at the start of `rest`, or `None` if it isn't closed.
pub(in crate::roster) fn string_len(rest: &str, quote: u8) -> Option<usize> {
    let bytes = rest.as_bytes();
    let is_quote = |at: usize| bytes.get(at) == Some(&quote);
    let is_long = is_quote(1) && is_quote(2);
    let mut at = if is_long { 3 } else { 1 };
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if quote == b'"' && bytes.get(at + 1) != Some(&b'\n') => at += 2,
            b'\n' if !is_long => return None,
            byte if byte == quote && !is_long => return Some(at + 1),
            byte if byte == quote && is_quote(at + 1) && is_quote(at + 2) => {
                return Some(at + (at..at + 5).take_while(|at| is_quote(*at)).count());
            }
            _ => at += 1,
        }
    }
    None
}

/// Returns `true` if the line is `[name]` or `[[name]]`. An array of quoted strings is not a header.
fn is_header(line: &str) -> bool {
    let inner = line.trim_start_matches('[');
    let Some((name, after)) = inner.split_once(']').filter(|_| inner.len() < line.len()) else {
        return false;
    };
    let is_of_name = |char: char| char.is_ascii_alphanumeric() || "_-.\"'@+ ".contains(char);
    let after = after.trim_start_matches(']').trim_start();
    name.starts_with(|char: char| char.is_ascii_alphabetic())
        && name.chars().all(is_of_name)
        && !["true", "false", "inf", "nan"].contains(&name)
        && (after.is_empty() || after.starts_with('#'))
}

/// Returns the key at the start of a line, without quotes, if it is followed by `=` or `.`.
fn key_of(line: &str) -> Option<&str> {
    let (key, rest) = match line.as_bytes().first()? {
        quote @ (b'"' | b'\'') => {
            let length = string_len(line, *quote)?;
            (line.get(1..length - 1)?, &line[length..])
        }
        _ => line.split_at(line.find(|char: char| !is_bare(char)).unwrap_or(line.len())),
    };
    (!key.is_empty() && rest.trim_start().starts_with(['=', '.'])).then_some(key)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    /// Returns the text of each statement along with its flaw.
    fn split(text: &str) -> Vec<(&str, Option<Flaw>)> {
        statements(text).list.into_iter().map(|it| (&text[it.span], it.flaw)).collect()
    }

    #[test]
    fn a_statement_ends_with_its_line_or_its_brackets() {
        let text = "a = 1 # [\n\n[users]\n\"x@y.z\" = {\n  role = \"{\",\n}\nb = [\n\"c\",\n] # d\n";
        assert_eq!(
            split(text),
            [
                ("a = 1 # [", None),
                ("[users]", None),
                ("\"x@y.z\" = {\n  role = \"{\",\n}", None),
                ("b = [\n\"c\",\n] # d", None),
            ]
        );
    }

    #[test]
    fn an_unclosed_statement_ends_where_a_new_statement_begins() {
        for (text, first, flaw) in [
            ("a = {\n[users]\n", "a = {", Flaw::Unclosed(4)),
            ("a = [\nb = 1\n", "a = [", Flaw::Unclosed(4)),
            ("\"a@b.c\" = { x = 1\n\"c@b.c\" = {}\n", "\"a@b.c\" = { x = 1", Flaw::Unclosed(10)),
            ("a = { b = [1 }\nc = 1\n", "a = { b = [1 }", Flaw::Unclosed(10)),
            ("a = \"b\nc = 1\n", "a = \"b", Flaw::Quote(4)),
            ("a = }\nc = 1\n", "a = }", Flaw::Stray(4)),
            ("[users\nc = 1\n", "[users", Flaw::Unclosed(0)),
            ("a = { x = \"\\\nb = 1 }\n", "a = { x = \"\\\nb = 1 }", Flaw::Quote(10)),
        ] {
            assert_eq!(split(text)[0], (first, Some(flaw)), "{text}");
        }
    }

    /// Compares the single search of [`Strings`] with a separate search for each string.
    #[test]
    fn searching_once_for_unclosed_strings_gives_the_same_result() {
        let mut state = 1_u64;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..24 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                text.push(['"', '"', '"', '\'', '\'', '\\', '\n', 'a'][(state >> 61) as usize]);
            }
            let mut strings = Strings::new(&text);
            let mut at = 0;
            while at < text.len() {
                let quote = text.as_bytes()[at];
                let is_quote = matches!(quote, b'"' | b'\'');
                let length = is_quote.then(|| string_len(&text[at..], quote)).flatten();
                assert_eq!(is_quote.then(|| strings.length(at)).flatten(), length, "{at} of {text:?}");
                at += length.unwrap_or(1);
            }
        }
    }

    #[test]
    fn a_line_that_can_belong_to_an_open_bracket_does_not_end_the_statement() {
        for text in [
            "users = {\n\"a@b.c\" = {},\n\"c@b.c\" = {},\n}",
            "a = {\nrole = 1\nstatus = 2\n}",
            "include = [\n\"a.toml\"\n\"b.toml\"\n]",
            "a = \"\"\"\n[users]\n\"\"\"",
            "a = [\n[\"x\"]\n]",
        ] {
            assert_eq!(split(text), [(text, None)]);
        }
    }
}
