//! Renders problems for terminals: the code, the message, the marked source lines, and the help text.
//!
//! miette handles the layout, and this module prepares the excerpts. To keep file contents from controlling or flooding the
//! terminal, each excerpt is a single line with control characters escaped, secrets masked, and long text truncated.

use std::collections::BTreeSet;
use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents,
    Severity, SourceCode, SourceSpan, SpanContents, ThemeCharacters, ThemeStyles,
};
use textwrap::WordSplitter;

use super::text::wrap::{SEPARATOR, options, wrapped};
use crate::printable::Printable;
use crate::problem::{Label, Problem, Problems};
use crate::source::{Excerpt, Sources};

/// The maximum width of a rendered problem in columns.
const WIDTH: usize = 110;
/// The number of columns before a source line, which miette uses for the frame and a line number of up to five digits.
const FRAME: usize = 9;
/// The number of columns miette adds before a label.
const BRANCH: usize = 4;
/// The number of bytes between two lines in the source passed to miette. This keeps a mark at the end of one line from touching a
/// mark at the start of the next.
const GAP: usize = 2;
/// The maximum number of characters shown before, inside, and after the marked part (fewer on narrow terminals).
const BEFORE: usize = 60;
const MARKED: usize = 80;
const AFTER: usize = 40;
/// The maximum length of a message or help text, in characters. It's enough to list the roles of most organizations.
const SENTENCE: usize = 4000;
/// The maximum number of problems shown. The total is reported separately.
pub(super) const MOST: usize = 100;

/// Renders up to `MOST` problems, followed by the total number and a pointer to `rolecall explain`. `width` is the terminal
/// width, if known.
pub fn render(problems: &Problems, colors: bool, width: Option<usize>) -> String {
    let letters: String = letters(problems, colors, width).map(|letter| letter + "\n").collect();
    letters + &wrapped(&closing(problems), width)
}

/// Renders up to `MOST` problems, one at a time.
pub fn letters(
    problems: &Problems,
    colors: bool,
    width: Option<usize>,
) -> impl Iterator<Item = String> + use<'_> {
    let styles = if colors { ThemeStyles::ansi() } else { ThemeStyles::none() };
    let theme = GraphicalTheme { characters: ThemeCharacters::unicode(), styles };
    // Don't break paths, flags, dates, or addresses, which are often copied.
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(width.map_or(WIDTH, |width| width.min(WIDTH)))
        .with_context_lines(0)
        .with_links(false)
        .with_word_separator(SEPARATOR)
        .with_word_splitter(WordSplitter::NoHyphenation)
        .with_break_words(false);
    problems.list.iter().take(MOST).map(move |problem| {
        let mut text = String::new();
        // Writing to a string can't fail, but miette's layout can, so fall back to the plain message.
        if handler.render_report(&mut text, &Letter::new(problem, &problems.sources, width)).is_err() {
            text += &format!("{}: {}\n", problem.code, Printable::cut(&problem.message, SENTENCE));
        }
        text
    })
}

/// Returns the last line: the number of problems, if there are several, and the command that explains their codes.
fn closing(problems: &Problems) -> String {
    let names = if problems.list.iter().all(Problem::is_warning) { "warnings" } else { "problems" };
    let count = match problems.list.len() {
        0 | 1 => String::new(),
        many if many > MOST => format!("{many} {names}; the first {MOST} are shown. "),
        many => format!("{many} {names}. "),
    };
    let codes: BTreeSet<&str> = problems.list.iter().map(|problem| problem.code).collect();
    match codes.first() {
        Some(code) if codes.len() == 1 => {
            format!("{count}To read about this code: `rolecall explain {code}`\n")
        }
        Some(_) => format!("{count}To read about a code: `rolecall explain CODE`\n"),
        None => count,
    }
}

/// A problem, adapted to miette. `lines` has one line per label, and the primary label comes first.
#[derive(Debug, thiserror::Error)]
#[error("{}", Printable::cut(.problem.message.as_str(), SENTENCE))]
pub(super) struct Letter<'p> {
    pub(super) problem: &'p Problem,
    pub(super) lines: Vec<SourceLine>,
}

/// A source line, escaped, masked, and truncated for display.
#[derive(Debug)]
pub(super) struct SourceLine {
    pub(super) file: String,
    pub(super) text: String,
    /// The byte range of `text` that the label points at.
    pub(super) marked: std::ops::Range<usize>,
    pub(super) label: String,
    pub(super) number: usize,
    pub(super) column: usize,
}

impl<'p> Letter<'p> {
    /// Prepares the source lines. `width` is the terminal width, if known.
    pub(super) fn new(problem: &'p Problem, sources: &Sources, width: Option<usize>) -> Self {
        let lines = problem.labels.iter().map(|label| SourceLine::new(label, sources, width)).collect();
        Self { problem, lines }
    }

    /// Returns each line with its offset in the source passed to miette. That source contains all lines, with gaps of `GAP`
    /// bytes between them.
    fn lines(&self) -> impl Iterator<Item = (usize, &SourceLine)> {
        self.lines.iter().scan(0, |next, line| {
            let offset = *next;
            *next += line.text.len() + GAP;
            Some((offset, line))
        })
    }

    /// Returns the help text, truncated.
    pub(super) fn advice(&self) -> Option<Printable> {
        Some(Printable::cut(self.problem.help.as_ref()?, SENTENCE))
    }
}

impl SourceLine {
    fn new(label: &Label, sources: &Sources, width: Option<usize>) -> Self {
        let Excerpt { location, before, marked, after } = sources.excerpt(label.place);
        let room = width.map_or(usize::MAX, |width| width.saturating_sub(FRAME));
        let tab = |text: &str| text.replace('\t', " ");
        let label = Printable::cut(&label.text, MARKED);
        let marked = beginning(&tab(&marked), MARKED, room);
        // The branch to the label starts at the middle of the marked part.
        let branch = marked.width() / 2 + BRANCH;
        let left = room.saturating_sub(marked.width().max(branch + label.width()));
        let before = ending(&tab(&before), BEFORE, left);
        let left = room.saturating_sub(before.width() + marked.width());
        let after = if marked.as_str().ends_with('…') {
            Printable::default()
        } else {
            beginning(&tab(&after), AFTER, left)
        };
        let label = textwrap::fill(label.as_str(), options(room.saturating_sub(before.width() + branch)));
        let (marked, after) = (framed(&marked), framed(&after));
        let marked = separated(marked, &after);
        let before = separated(framed(&before), &format!("{marked}{after}"));
        // If an empty range is at the end of the line, add a space that the caret can point at.
        let marked = if marked.is_empty() && after.is_empty() { " ".to_owned() } else { marked };
        Self {
            file: Printable::new(&location.file).to_string(),
            text: format!("{before}{marked}{after}"),
            marked: before.len()..before.len() + marked.len(),
            label,
            number: location.line,
            column: location.column,
        }
    }
}

/// Truncates `text` at the end so that it fits into `limit` characters and `columns` columns.
fn beginning(text: &str, limit: usize, columns: usize) -> Printable {
    let fits = |text: &Printable| text.width() <= columns;
    (0..=limit).rev().map(|limit| Printable::cut(text, limit)).find(fits).unwrap_or_default()
}

/// Truncates `text` at the start so that it fits into `limit` characters and `columns` columns.
fn ending(text: &str, limit: usize, columns: usize) -> Printable {
    let mut tail: Vec<char> = text.chars().rev().take(limit + 1).collect();
    tail.reverse();
    let last = |limit: usize| {
        let skipped = tail.len().saturating_sub(limit);
        let shown: String = tail.iter().skip(skipped).collect();
        Printable::new(&if skipped > 0 { format!("…{shown}") } else { shown })
    };
    (0..=limit).rev().map(last).find(|text| text.width() <= columns).unwrap_or_default()
}

/// Formats a part of an excerpt. Outside of an excerpt, a final colon is escaped because it could become part of a GitHub
/// runner command. Here, the line number always precedes it.
fn framed(part: &Printable) -> String {
    match part.raw().strip_suffix(':') {
        Some(start) => Printable::new(start).to_string() + ":",
        None => part.to_string(),
    }
}

/// Escapes the end of `text` if appending `next` would form `##[`, which a GitHub runner would parse as a command.
fn separated(mut text: String, next: &str) -> String {
    for (ends, begins) in [("#", "#["), ("##", "[")] {
        if text.ends_with(ends) && next.starts_with(begins) {
            text.truncate(text.len() - ends.len());
            text += &format!("\\u{{23}}{}", &ends[1..]);
        }
    }
    text
}

impl SourceCode for Letter<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        _: usize,
        _: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        // Fail for spans that cover two lines. Otherwise, miette would join the lines, which can come from different files.
        let end = span.offset() + span.len();
        let is_in =
            |(offset, line): &(usize, &SourceLine)| (*offset..offset + line.text.len() + GAP).contains(&end);
        let (offset, line) = self
            .lines()
            .find(is_in)
            .filter(|(offset, _)| span.offset() >= *offset)
            .ok_or(MietteError::OutOfBounds)?;
        // miette's columns are zero-based. Use the column in the file because the excerpt might be truncated on the left.
        let column = if span.offset() == offset + line.marked.start { line.column - 1 } else { 0 };
        Ok(Box::new(MietteSpanContents::new_named(
            line.file.clone(),
            line.text.as_bytes(),
            SourceSpan::from(offset..offset + line.text.len()),
            line.number - 1,
            column,
            1,
        )))
    }
}

impl Diagnostic for Letter<'_> {
    fn severity(&self) -> Option<Severity> {
        Some(if self.problem.is_warning() { Severity::Warning } else { Severity::Error })
    }

    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.problem.code))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.advice()?))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        (!self.lines.is_empty()).then_some(self)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.lines().map(|(offset, line)| {
            let SourceLine { marked, label, .. } = line;
            let span = SourceSpan::from(offset + marked.start..offset + marked.end);
            LabeledSpan::new_primary_with_span(Some(label.clone()).filter(|label| !label.is_empty()), span)
        })))
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::source::Place;

    #[test]
    fn all_places_of_a_problem_are_shown_before_the_help() {
        let mut sources = Sources::default();
        let root = sources.add("users.toml".into(), "[defaults]\nrole = \"Member\"\n".into());
        let team = sources.add("teams/emea.toml".into(), "\"bo@acme.example\" = {}".into());
        let problem = Problem::new("roster::against_rule", "a rule does not allow the role")
            .at(Place::new(root, 18..26), "the default role")
            .at(Place::new(team, 0..17), "uses the default role")
            .at(Place::new(team, 22..22), "")
            .help("declare Viewer");
        let shown = "\
roster::against_rule

  × a rule does not allow the role
   ╭─[users.toml:2:8]
 2 │ role = \"Member\"
   ·        ────┬───
   ·            ╰── the default role
   ╰────
   ╭─[teams/emea.toml:1:1]
 1 │ \"bo@acme.example\" = {}
   · ────────┬────────
   ·         ╰── uses the default role
   ╰────
   ╭─[teams/emea.toml:1:23]
 1 │ \"bo@acme.example\" = {} 
   ·                       ─
   ╰────
  help: declare Viewer
";
        let problems = Problems::new(sources, vec![problem]);
        assert_eq!(letters(&problems, false, Some(80)).collect::<String>(), shown);
    }

    #[test]
    fn the_parts_of_a_line_do_not_form_a_command_together() {
        for (text, next, shown) in [
            ("x #", "#[y", "x \\u{23}"),
            ("x ##", "[y", "x \\u{23}#"),
            ("x #", "[y", "x #"),
            ("x ##", "y", "x ##"),
            ("x", "##[", "x"),
        ] {
            assert_eq!(separated(text.into(), next), shown);
        }
    }
}
