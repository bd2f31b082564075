//! Explains why a text is not TOML: what was typed, where, and what to write instead.
//!
//! The parser reports what it expected, and often several times for one mistake. Each recognizer in [`MISTAKES`] looks at the place
//! of an error and at its line, and names a mistake that people make. The first one that matches wins. What no recognizer knows
//! is reported in the parser's words, with the rules for every line.
//!
//! * `parser_error` is what the parser reports; `statements` splits a text that is not TOML; `repair` lets the parser read on;
//!   `spot` is the place of an error; `documents`, `lines`, `signs`, `values`, and `between` hold the recognizers.
//! * One mistake is one problem: errors in the range that a mistake covers are not reported.
//! * Takes time in proportion to the text: at most [`MOST_PER_LINE`] errors of a line are looked at.

use std::ops::Range;

mod between;
mod documents;
mod lines;
pub(super) mod parser_error;
pub(super) mod repair;
mod signs;
mod spot;
pub(super) mod statements;
mod values;

use crate::problem::Problem;
use crate::source::FileId;
use parser_error::ParserError;
use spot::{Mistake, Spot};
use statements::{Statement, Statements};

/// The errors that follow on the same line are almost always consequences.
const MOST_PER_LINE: usize = 16;

/// Says what people have typed if it is the mistake that this function knows.
type Recognizer = for<'t> fn(&Spot<'t>) -> Option<Mistake>;

/// The mistakes, in the order in which they are looked for: what explains a whole file first, what explains one sign last.
const MISTAKES: &[Recognizer] = &[
    documents::merge_conflict,
    between::secret,
    documents::other_format,
    documents::old_line_ends,
    lines::code_fence,
    lines::other_comment,
    lines::markup,
    signs::foreign_sign,
    lines::diff,
    lines::list_item,
    lines::header,
    lines::doubled_quotes,
    between::keys_without_braces,
    lines::bare_address,
    lines::quote_without_partner,
    lines::bracket_without_partner,
    lines::operator,
    lines::behind_the_end,
    between::array_of_keys,
    between::behind_a_value,
    between::no_value,
    between::key_with_blank,
    between::key_of_lines,
    between::comma,
    between::comma_between_values,
    lines::template,
    values::backslash,
    values::value,
    lines::no_pair,
];

/// The lines below a header that the parser did not understand.
pub(super) struct BrokenSection {
    /// The header that was meant.
    pub(super) header: String,
    /// The offset of the line that has the broken header.
    pub(super) at: usize,
    /// Everything up to the next header.
    pub(super) content: Range<usize>,
}

/// Why a text is not TOML.
#[derive(Default)]
pub(super) struct Explained {
    pub(super) problems: Vec<Problem>,
    /// The parts in which everything else that was found is a guess.
    broken: Vec<Range<usize>>,
    pub(super) sections: Vec<BrokenSection>,
    /// The parser did not see the statements from here on, because a bracket before it is open.
    pub(super) unseen_from: Option<usize>,
}

impl Explained {
    /// The parts of the text in which what was found is a guess.
    pub(super) fn guesses(&self, length: usize) -> Vec<Range<usize>> {
        let unseen = self.unseen_from.map(|from| from..length.max(from) + 1);
        self.broken.iter().cloned().chain(unseen).collect()
    }

    /// Adds a section, in front of which the one before it ends.
    fn add_section(&mut self, section: BrokenSection) {
        if let Some(before) = self.sections.last_mut() {
            before.content.end = before.content.end.min(section.at).max(before.content.start);
        }
        self.sections.push(section);
    }
}

/// Explains the errors that the parser found in `text` from the offset `from` on.
pub(super) fn explain(
    file: FileId,
    text: &str,
    from: usize,
    errors: &mut Vec<ParserError<'_>>,
    statements: &Statements,
) -> Explained {
    errors.sort_by_key(|error| error.span.start);
    let last_error = errors.last().map_or(0, |error| error.span.start);
    let open = statements
        .list
        .iter()
        .find(|it| it.is_open && it.span.end > from && it.span.start <= last_error)
        .filter(|_| !errors.is_empty());
    if let Some(statement) = open {
        blame_the_bracket(statement, errors);
    }
    let mut explained = explain_each(file, text, errors, statements);
    explained.unseen_from = open.map(|statement| statement.span.end).filter(|end| *end < text.len());
    explained
}

/// Drops the errors behind an open statement. If there are none in it, the first of them becomes an error at its bracket.
fn blame_the_bracket(statement: &Statement, errors: &mut Vec<ParserError<'_>>) {
    let Range { start, end } = statement.span;
    let first = errors.partition_point(|error| error.span.start < start);
    let behind = errors.partition_point(|error| error.span.start < end);
    if let (true, Some(flaw)) = (first == behind, statement.flaw) {
        errors[first].span = flaw.at()..flaw.at() + 1;
        errors.truncate(first + 1);
    } else {
        errors.truncate(behind);
    }
}

fn explain_each(file: FileId, text: &str, errors: &[ParserError<'_>], statements: &Statements) -> Explained {
    let mut explained = Explained::default();
    // Up to where errors are consequences, and how many of the line were looked at.
    let (mut covered, mut line_end, mut on_line) = (0, 0, 0);
    for error in errors {
        let at = error.span.start;
        if at < covered || at < line_end && on_line >= MOST_PER_LINE {
            continue;
        }
        let spot = Spot::new(file, text, error, &statements.list, explained.problems.is_empty());
        let is_next_line = spot.end() >= line_end && spot.start >= line_end;
        if is_next_line || on_line == 0 {
            (line_end, on_line) = (spot.end() + 1, 0);
            explained.broken.push(spot.start..spot.end() + 1);
        }
        on_line += 1;
        let mistake = match MISTAKES.iter().find_map(|recognize| recognize(&spot)) {
            Some(mistake) => mistake,
            None if on_line > 1 => continue,
            None => unknown(&spot, error.message),
        };
        let place = mistake.place();
        let Mistake { problem, covers, section } = mistake;
        covered = covered.max(covers.end);
        explained.broken.push(covers);
        if let Some(header) = section {
            let content = section_after(text, place.span().end, statements);
            explained.add_section(BrokenSection { header, at: spot.start, content });
        }
        if explained.problems.last().is_none_or(|last| last.labels[0].place != place) {
            explained.problems.push(problem);
        }
    }
    explained
}

/// From the line after `at` to the next header.
fn section_after(text: &str, at: usize, statements: &Statements) -> Range<usize> {
    let start = text[at..].find('\n').map_or(text.len(), |newline| at + newline + 1);
    start..statements.header_from(start).map_or(text.len(), |header| header.start)
}

/// A mistake that no recognizer knows, in the parser's words.
fn unknown(spot: &Spot<'_>, message: &str) -> Mistake {
    let message = format!("this line is not valid TOML: {}", message.trim_end_matches(", expected nothing"));
    let help = "write one `key = value` per line, with text in quotes, and numbers and dates without quotes";
    spot.mistake(spot.at..spot.at_end, message, "here", help)
}
