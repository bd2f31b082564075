//! Turns the parser's syntax errors into explanations of what is wrong and how to fix it.
//!
//! The parser reports only what it expected, often with several errors for a single mistake. Each recognizer in [`MISTAKES`] looks
//! for one common mistake at the position of an error and on the surrounding line. The first recognizer that matches determines the
//! message, and if none does, the parser's own message is used.
//!
//! * `parser_error` classifies the parser's errors, and `spot` describes the position of an error. `statements` splits a file
//!   into statements even if it isn't valid TOML, and `repair` patches the file so that the parser can reach the end.
//! * The recognizers are in `documents`, `lines`, `signs`, `values`, and `between`.
//! * Each mistake is reported once, since any further errors within its range are suppressed.
//! * Running time is linear in the size of the file because at most [`MAX_ERRORS_PER_LINE`] errors per line are examined.

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
use crate::secret::secret_lines;
use crate::source::FileId;
use parser_error::ParserError;
use spot::{Mistake, Spot};
use statements::{Statement, Statements};

/// The maximum number of errors to examine per line. Later errors are almost always consequences of earlier errors.
const MAX_ERRORS_PER_LINE: usize = 16;

/// A function that recognizes one kind of mistake.
type Recognizer = for<'t> fn(&Spot<'t>) -> Option<Mistake>;

/// All recognizers, in the order in which they are tried. Roughly, those for whole files come first and those for values last.
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
    lines::after_the_end,
    between::array_of_keys,
    between::after_a_value,
    between::no_value,
    between::key_with_space,
    between::multiline_key,
    between::comma,
    between::comma_between_values,
    lines::template,
    values::backslash,
    values::value,
    lines::not_a_pair,
];

/// The content of a section whose header the parser rejected.
pub(super) struct BrokenSection {
    /// The corrected header.
    pub(super) header: String,
    /// The offset of the line with the malformed header.
    pub(super) at: usize,
    /// The byte range from the line below the malformed header up to the next header.
    pub(super) content: Range<usize>,
}

/// The explanation of all syntax errors in a text.
#[derive(Default)]
pub(super) struct Explained {
    pub(super) problems: Vec<Problem>,
    /// Byte ranges with syntax errors, in which any other problem might not be real.
    broken: Vec<Range<usize>>,
    pub(super) sections: Vec<BrokenSection>,
    /// The offset from which the parser didn't recognize any statements because of an unclosed bracket. `None` if every bracket
    /// is closed or no text follows.
    pub(super) unseen_from: Option<usize>,
}

impl Explained {
    /// Returns the byte ranges in which any problem other than a syntax error might not be real. `length` is the length of the
    /// text.
    pub(super) fn guesses(&self, length: usize) -> Vec<Range<usize>> {
        let unseen = self.unseen_from.map(|from| from..length.max(from) + 1);
        self.broken.iter().cloned().chain(unseen).collect()
    }

    /// Adds a section and truncates the previous one to end before it.
    fn add_section(&mut self, section: BrokenSection) {
        if let Some(before) = self.sections.last_mut() {
            before.content.end = before.content.end.min(section.at).max(before.content.start);
        }
        self.sections.push(section);
    }
}

/// Explains the errors that the parser reported after parsing `text` from the offset `from` to the end.
pub(super) fn explain(
    file: FileId,
    text: &str,
    from: usize,
    errors: &mut Vec<ParserError<'_>>,
    statements: &Statements,
) -> Explained {
    errors.sort_by_key(|error| error.span.start);
    let open = errors.last().and_then(|last| {
        let is_blamed =
            |it: &&Statement| it.is_open && it.span.end > from && it.span.start <= last.span.start;
        statements.list.iter().find(is_blamed)
    });
    if let Some(statement) = open {
        blame_the_bracket(statement, errors);
    }
    let mut explained = explain_each(file, text, errors, statements);
    explained.unseen_from = open.map(|statement| statement.span.end).filter(|end| *end < text.len());
    explained
}

/// Drops the errors after a statement with an unclosed bracket. If the statement itself has no errors, the first error after it
/// is moved to the bracket instead.
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
    // Errors before `covered` are consequences of an earlier mistake. `on_line` counts the errors examined on the line ending at
    // `line_end`.
    let (mut covered, mut line_end, mut on_line) = (0, 0, 0);
    let secret_lines = if errors.is_empty() { Vec::new() } else { secret_lines(text) };
    for error in errors {
        let at = error.span.start;
        if at < covered || at < line_end && on_line >= MAX_ERRORS_PER_LINE {
            continue;
        }
        let is_first = explained.problems.is_empty();
        let spot = Spot::new(file, text, error, &statements.list, &secret_lines, is_first);
        if spot.start >= line_end {
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

/// Returns the range from the line after `at` up to the next header.
fn section_after(text: &str, at: usize, statements: &Statements) -> Range<usize> {
    let start = text[at..].find('\n').map_or(text.len(), |newline| at + newline + 1);
    start..statements.header_from(start).map_or(text.len(), |header| header.start)
}

/// Falls back to the parser's message for an error that no recognizer matches.
fn unknown(spot: &Spot<'_>, message: &str) -> Mistake {
    let message = format!("this line is not valid TOML: {}", message.trim_end_matches(", expected nothing"));
    let help = "write one `key = value` per line, with text in quotes, and numbers and dates without quotes";
    spot.mistake(spot.at..spot.at_end, message, "here", help)
}
