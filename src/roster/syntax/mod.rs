//! Explains why a text is not TOML: what was typed, where, and what to write instead.
//!
//! The parser reports what it expected, and often several times for one mistake. Each recognizer in [`MISTAKES`] looks at the place
//! of an error and at its line, and names a mistake that people make. The first one that matches wins. What no recognizer knows
//! is reported in the parser's words, with the rules that hold for every line.
//!
//! * `statements` splits a text that is not TOML; `repair` lets the parser read on; `spot` is the place of an error; `documents`, `lines`, `signs`, `values`,
//!   and `between` hold the recognizers.
//! * One mistake is one problem: errors in the range that a mistake covers are not reported.
//! * Takes time in proportion to the text: at most [`MOST_PER_LINE`] errors of a line are looked at.

use std::ops::Range;

mod between;
mod documents;
mod lines;
pub(super) mod repair;
mod signs;
mod spot;
pub(super) mod statements;
mod values;

use super::Code;
use crate::problem::Problem;
use crate::source::{FileId, Place};
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
    lines::keys_without_braces,
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
    lines::comma,
    lines::comma_between_values,
    lines::template,
    values::backslash,
    values::value,
    lines::no_pair,
];

/// An error of the parser.
pub(super) struct Complaint<'e> {
    /// Where, in bytes of the file.
    pub(super) span: Range<usize>,
    /// In the parser's words. They contain nothing from the file.
    pub(super) said: &'e str,
}

/// What stands below a header that the parser did not understand.
pub(super) struct Section {
    /// The header that was meant.
    pub(super) header: String,
    /// The offset of the line that holds the broken header.
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
    pub(super) sections: Vec<Section>,
    /// The parser did not see the statements from here on, because a bracket before it is open.
    pub(super) unseen_from: Option<usize>,
}

impl Explained {
    /// The parts of the text in which what was found is a guess.
    pub(super) fn guesses(&self, length: usize) -> Vec<Range<usize>> {
        let unseen = self.unseen_from.map(|from| from..length.max(from) + 1);
        self.broken.iter().cloned().chain(unseen).collect()
    }
}

/// Explains the errors that the parser found in `text` from the offset `from` on.
pub(super) fn explain(
    file: FileId,
    text: &str,
    from: usize,
    complaints: &mut Vec<Complaint<'_>>,
    statements: &Statements,
) -> Explained {
    complaints.sort_by_key(|complaint| complaint.span.start);
    let open = statements.list.iter().filter(|it| it.is_open && it.span.end > from).find(|statement| {
        complaints.last().is_some_and(|complaint| complaint.span.start >= statement.span.start)
    });
    if let Some(statement) = open {
        blame_the_bracket(statement, complaints);
    }
    let spots = Spots { file, text, is_toml: documents::has_toml(text), statements };
    let mut explained = spots.explain(complaints);
    explained.unseen_from = open.map(|statement| statement.span.end).filter(|end| *end < text.len());
    explained
}

/// Drops the errors behind an open statement. If there are none in it, the first of them becomes an error at its bracket.
fn blame_the_bracket(statement: &Statement, complaints: &mut Vec<Complaint<'_>>) {
    let Range { start, end } = statement.span;
    let first = complaints.partition_point(|complaint| complaint.span.start < start);
    let behind = complaints.partition_point(|complaint| complaint.span.start < end);
    if let (true, Some(flaw)) = (first == behind, statement.flaw) {
        complaints[first].span = flaw.at()..flaw.at() + 1;
        complaints.truncate(first + 1);
    } else {
        complaints.truncate(behind);
    }
}

/// What is the same for all errors of a text.
struct Spots<'t> {
    file: FileId,
    text: &'t str,
    is_toml: bool,
    statements: &'t Statements,
}

impl Spots<'_> {
    fn explain(&self, complaints: &[Complaint<'_>]) -> Explained {
        let mut explained = Explained::default();
        // Up to where errors are consequences, and how many of the line were looked at.
        let (mut covered, mut line_end, mut on_line) = (0, 0, 0);
        let mut marked = None;
        for complaint in complaints {
            let at = complaint.span.start;
            if at < covered || at < line_end && on_line >= MOST_PER_LINE {
                continue;
            }
            let mut spot = Spot::new(self.text, complaint, self.is_toml, &self.statements.list);
            spot.is_first = explained.problems.is_empty();
            let is_next_line = spot.end() >= line_end && spot.start() >= line_end;
            if is_next_line || on_line == 0 {
                (line_end, on_line) = (spot.end() + 1, 0);
                explained.broken.push(spot.start()..spot.end() + 1);
            }
            on_line += 1;
            let known = MISTAKES.iter().find_map(|recognize| recognize(&spot));
            let mistake = match known {
                Some(mistake) => mistake,
                None if on_line > 1 => continue,
                None => unknown(&spot),
            };
            covered = covered.max(mistake.covers.end);
            if let Some(header) = mistake.section.clone() {
                let (at, content) = (spot.start(), self.section_after(mistake.marked.end));
                if let Some(before) = explained.sections.last_mut() {
                    before.content.end = before.content.end.min(at).max(before.content.start);
                }
                explained.sections.push(Section { header, at, content });
            }
            explained.broken.push(mistake.covers.clone());
            if marked.as_ref() != Some(&mistake.marked) {
                marked = Some(mistake.marked.clone());
                explained.problems.push(self.problem(mistake));
            }
        }
        explained
    }

    /// From the line after `at` to the next header.
    fn section_after(&self, at: usize) -> Range<usize> {
        let start = self.text[at..].find('\n').map_or(self.text.len(), |newline| at + newline + 1);
        start..self.statements.header_from(start).map_or(self.text.len(), |header| header.start)
    }

    fn problem(&self, mistake: Mistake) -> Problem {
        let Mistake { code, marked, message, label, help, covers: _, section: _ } = mistake;
        Problem::new(code, message).at(Place::new(self.file, marked), label).help(help)
    }
}

/// A mistake that no recognizer knows.
fn unknown(spot: &Spot<'_>) -> Mistake {
    let said = spot.said.trim_end_matches(", expected nothing");
    spot.mistake(spot.at..spot.at_end, format!("this line is not valid TOML: {said}"))
        .label("here")
        .help("write one `key = value` per line, with text in quotes, and numbers and dates without quotes")
        .of_line(spot)
}

/// The code of a mistake in the syntax.
const SYNTAX: Code = Code::Syntax;
