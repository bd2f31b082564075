//! Reports all problems in a file that isn't valid TOML: every syntax error, plus the problems in the parts that can still be
//! parsed.

use std::ops::Range;

use toml::de::{DeTable, Error};

use super::RosterCode;
use super::fields::{Fields, Shift};
use super::repeats::{self, Repeats, Unread};
use super::syntax::parser_error::{ErrorKind, ParserError};
use super::syntax::repair::Repaired;
use super::syntax::statements::{Statements, statements};
use super::syntax::{self, BrokenSection};
use crate::problem::Problem;
use crate::source::{FileId, Place};

/// The maximum number of times per file that parsing resumes after an unclosed bracket. Each time, the rest of the file is parsed
/// again.
const MAX_UNCLOSED_BRACKETS: usize = 8;

/// Tracks which parts of an invalid TOML file were parsed reliably.
pub(super) struct ParsedParts {
    /// Byte ranges in which a syntax error makes the parsed values unreliable. Sorted and non-overlapping.
    guesses: Vec<Range<usize>>,
    /// Byte ranges of the statements that contain a syntax error and of the enclosing section headers. Sorted and
    /// non-overlapping.
    incomplete: Vec<Range<usize>>,
}

/// Codes of problems that a syntax error can cause by hiding part of a section or statement. These problems are dropped in
/// sections and statements that weren't parsed completely.
const FOLLOW_INCOMPLETE: [RosterCode; 3] =
    [RosterCode::MissingKey, RosterCode::EmptyWindow, RosterCode::NoWayBack];

impl ParsedParts {
    /// Returns `true` if the value at this place was parsed reliably.
    pub(super) fn is_sure_of(&self, place: Place) -> bool {
        !is_in(&self.guesses, place)
    }

    /// Returns `true` if the section or statement at this place was parsed completely. A section is identified by a place in its
    /// header.
    pub(super) fn is_complete(&self, place: Place) -> bool {
        self.is_sure_of(place) && !is_in(&self.incomplete, place)
    }
}

/// Drops all problems that point into one of the ranges, which must be sorted and non-overlapping.
fn drop_guesses(problems: &mut Vec<Problem>, ranges: &[Range<usize>]) {
    problems.retain(|problem| !problem.labels.iter().any(|label| is_in(ranges, label.place)));
}

/// Returns `true` if `place` starts in one of `ranges`, which must be sorted and non-overlapping.
fn is_in(ranges: &[Range<usize>], place: Place) -> bool {
    let at = place.span().start;
    let next = ranges.partition_point(|range| range.start <= at);
    ranges[..next].last().is_some_and(|range| range.contains(&at))
}

/// Explains the parser's errors and calls `read` on the parts of the text that the parser didn't reach. On entry, `fields`
/// holds the problems found in the part that the parser did reach.
pub(super) fn explain(
    file: FileId,
    text: &str,
    errors: Vec<Error>,
    fields: &mut Fields,
    read: impl Fn(&mut Fields, &DeTable<'_>),
) -> ParsedParts {
    let explainer = Explainer { file, text, statements: statements(text), read };
    let whole = TextPart { text: String::new(), shift: Shift::default(), start: 0 };
    let found = std::mem::take(&mut fields.problems);
    let (mut known, mut rest) = explainer.explain_pass(Pass { part: whole, errors, found }, fields);
    for _ in 0..MAX_UNCLOSED_BRACKETS {
        let Some(start) = rest else { break };
        let pass = explainer.parse_from(start, fields);
        let (parts, next) = explainer.explain_pass(pass, fields);
        // The `guesses` of the first pass already cover everything after the unclosed bracket.
        known.incomplete.extend(parts.incomplete);
        rest = next;
    }
    known.incomplete = merged(known.incomplete);
    fields.problems.retain(|problem| {
        let follows = FOLLOW_INCOMPLETE.iter().any(|code| code.as_str() == problem.code);
        !follows || problem.labels.iter().all(|label| !is_in(&known.incomplete, label.place))
    });
    known
}

/// One pass of the parser, over the whole file or the part after an unclosed bracket.
struct Pass {
    part: TextPart,
    errors: Vec<Error>,
    /// The problems with the values that the parser reached.
    found: Vec<Problem>,
}

/// Explains the syntax errors of one file.
struct Explainer<'t, R> {
    file: FileId,
    text: &'t str,
    statements: Statements,
    /// Reads a table and reports the problems with its values.
    read: R,
}

impl<R: Fn(&mut Fields, &DeTable<'_>)> Explainer<'_, R> {
    /// Parses the rest of the file, starting at the offset `start`.
    fn parse_from(&self, start: usize, fields: &mut Fields) -> Pass {
        let part = TextPart::new(self.text, start..self.text.len(), &self.statements);
        let repaired = Repaired::new(&part.text);
        let (table, errors) = repaired.parse();
        let found = self.walk(&part, table.get_ref(), fields);
        Pass { part, errors, found }
    }

    /// Explains the errors of a pass. Adds the explanations to `fields`, along with the problems found in values that were
    /// parsed reliably. If the pass ended at an unclosed bracket, also returns the offset at which parsing resumes.
    fn explain_pass(&self, pass: Pass, fields: &mut Fields) -> (ParsedParts, Option<usize>) {
        let Pass { part, errors, mut found } = pass;
        let (again, mut wrong): (Vec<_>, Vec<_>) =
            parser_errors(&errors, &part).partition(|error| error.kind == ErrorKind::Repeated);
        let mut starts: Vec<usize> = again.iter().chain(&wrong).map(|error| error.span.start).collect();
        let explained = syntax::explain(self.file, self.text, part.start, &mut wrong, &self.statements);
        let labels = explained.problems.iter().filter_map(|problem| problem.labels.first());
        starts.extend(labels.map(|label| label.place.span().start));

        let guesses = explained.guesses(self.text.len());
        let sections = explained.sections.iter().map(|section| section.content.clone());
        let parts = ParsedParts {
            guesses: merged(guesses.iter().cloned().chain(sections).collect()),
            incomplete: self.incomplete(&starts, explained.unseen_from),
        };
        drop_guesses(&mut found, &parts.guesses);

        let unseen = explained.unseen_from.unwrap_or(usize::MAX);
        let again = again.into_iter().map(|it| it.span).filter(|span| span.start < unseen).collect();
        let mut reread = self.read_again(again, fields);
        reread.extend(self.read_below(&explained.sections, fields));
        drop_guesses(&mut reread, &merged(guesses));

        fields.problems.extend(explained.problems);
        fields.problems.append(&mut found);
        fields.problems.append(&mut reread);
        (parts, explained.unseen_from)
    }

    /// Returns the spans of all statements that contain an error and of the enclosing section headers. `split` is the offset at
    /// which parsing resumes after an unclosed bracket. The section that contains this offset counts as incomplete too.
    ///
    /// A key that seems to be missing from an incomplete section might be in the part that wasn't parsed.
    fn incomplete(&self, errors: &[usize], split: Option<usize>) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> =
            split.and_then(|at| self.statements.header_before(at)).into_iter().collect();
        for &at in errors {
            found.extend(self.statements.at(at).map(|statement| statement.span.clone()));
            found.extend(self.statements.header_before(at));
        }
        found
    }

    /// Reads the sections whose headers the parser rejected.
    fn read_below(&self, sections: &[BrokenSection], fields: &mut Fields) -> Vec<Problem> {
        let mut found = Vec::new();
        for section in sections {
            let part = TextPart::below(section, self.text);
            let mut problems = self.walk(&part, Repaired::new(&part.text).parse().0.get_ref(), fields);
            // The person's own values are outside of a section that contains a window.
            if section.header.starts_with("[[") {
                problems.retain(|problem| problem.code != RosterCode::NoWayBack.as_str());
            }
            found.append(&mut problems);
        }
        found
    }

    /// Reports duplicate declarations and reads the values that the parser dropped as a result.
    fn read_again(&self, mut again: Vec<Range<usize>>, fields: &mut Fields) -> Vec<Problem> {
        if again.is_empty() {
            return Vec::new();
        }
        again.sort_by_key(|span| span.start);
        let Repeats { problems: mut found, mut unread } =
            repeats::find(self.file, self.text, &self.statements, &again);
        unread.sort();
        unread.dedup();
        for Unread { start, end, without, is_complete } in unread {
            let mut part = TextPart::new(self.text, start..end, &self.statements);
            if let Some((from, to)) = without {
                part.leave_out(&(start..end), &(from..to));
            }
            let mut problems = self.walk(&part, DeTable::parse_recoverable(&part.text).0.get_ref(), fields);
            problems.retain(|problem| {
                let is_inside = problem.labels.iter().all(|label| label.place.span().start >= start);
                is_inside && (is_complete || problem.code != RosterCode::NoWayBack.as_str())
            });
            found.extend(problems);
        }
        found
    }

    /// Reads the table parsed from a part of the file, and returns the problems with its values.
    fn walk(&self, part: &TextPart, table: &DeTable<'_>, fields: &mut Fields) -> Vec<Problem> {
        let before = fields.problems.len();
        fields.shift = part.shift;
        (self.read)(fields, table);
        fields.problems.split_off(before)
    }
}

/// Part of a file, prefixed with the enclosing section header so that it has the same meaning on its own.
struct TextPart {
    text: String,
    shift: Shift,
    /// The offset of this part in the file.
    start: usize,
}

impl TextPart {
    /// Extracts a range of the text, which must start at the beginning of a statement.
    fn new(text: &str, range: Range<usize>, statements: &Statements) -> Self {
        let header = statements.header_before(range.start).unwrap_or(0..0);
        let shift = Shift::of_two(&header, 1, &range);
        Self { text: format!("{}\n{}", &text[header], &text[range.clone()]), shift, start: range.start }
    }

    /// Extracts the lines below a malformed header and prefixes them with the corrected header.
    fn below(section: &BrokenSection, text: &str) -> Self {
        let BrokenSection { header, at, content } = section;
        let shift = Shift::of_two(&(*at..at + header.len()), 1, content);
        Self { text: format!("{header}\n{}", &text[content.clone()]), shift, start: content.start }
    }

    /// Replaces `without` with spaces. `range` is the range of the file that follows the header in this part, and `without` must
    /// lie within it. Both use offsets in the file.
    fn leave_out(&mut self, range: &Range<usize>, without: &Range<usize>) {
        let start = self.text.len() - range.len();
        let at = start + without.start - range.start..start + without.end - range.start;
        self.text.replace_range(at.clone(), &" ".repeat(at.len()));
    }
}

/// Converts the parser's errors, mapping their spans to offsets in the whole file.
fn parser_errors<'e>(errors: &'e [Error], part: &TextPart) -> impl Iterator<Item = ParserError<'e>> {
    let shift = part.shift;
    errors.iter().map(move |error| ParserError::at(shift.span(error.span().unwrap_or(0..0)), error))
}

/// Sorts the ranges, and merges ranges that overlap or touch.
fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| range.start);
    ranges.dedup_by(|next, range| {
        let overlaps = next.start <= range.end;
        if overlaps {
            range.end = range.end.max(next.end);
        }
        overlaps
    });
    ranges
}
