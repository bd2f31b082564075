//! Renders problems for people: the code, the message, the marked line, and the help.
//!
//! miette makes the layout, and this module makes the excerpts. Text of a file must neither control nor flood the terminal, so every
//! excerpt is one line that is escaped, masked, and cut.

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
/// How many columns miette adds to a line of a file: its number, and a frame.
const FRAME: usize = 9;
/// How many columns miette adds to a label.
const BRANCH: usize = 4;
/// The distance of two lines in the text that miette sees. Marks at the end of one line and the start of the next stay apart.
const GAP: usize = 2;
/// How many characters of a line are shown before, in, and after the marked part, if the terminal is wide enough.
const BEFORE: usize = 60;
const MARKED: usize = 80;
const AFTER: usize = 40;
/// The maximum length of a message in characters. It is enough to list the roles of most organizations.
const SENTENCE: usize = 4000;
/// How many problems are shown. The others are counted.
pub(super) const MOST: usize = 100;

/// Renders all problems, followed by their number. `width` is the width of the terminal, if there is one.
pub fn render(problems: &Problems, colors: bool, width: Option<usize>) -> String {
    let letters: String = letters(problems, colors, width).map(|letter| letter + "\n").collect();
    letters + &wrapped(&closing(problems), width)
}

/// Renders each of the first hundred problems.
pub fn letters(
    problems: &Problems,
    colors: bool,
    width: Option<usize>,
) -> impl Iterator<Item = String> + use<'_> {
    let styles = if colors { ThemeStyles::ansi() } else { ThemeStyles::none() };
    let theme = GraphicalTheme { characters: ThemeCharacters::unicode(), styles };
    // Do not break paths, flags, dates, or addresses, because people copy them.
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(width.map_or(WIDTH, |width| width.min(WIDTH)))
        .with_context_lines(0)
        .with_links(false)
        .with_word_separator(SEPARATOR)
        .with_word_splitter(WordSplitter::NoHyphenation)
        .with_break_words(false);
    problems.list.iter().take(MOST).map(move |problem| {
        let mut text = String::new();
        // Writing to a string cannot fail. If the layout fails, the message is still shown.
        if handler.render_report(&mut text, &Letter::new(problem, &problems.sources, width)).is_err() {
            text += &format!("{}: {}\n", problem.code, Printable::cut(&problem.message, SENTENCE));
        }
        text
    })
}

/// Returns the last line: how many problems there are, and the command that explains their code.
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

/// Adapts a problem to miette. The first line is that of the main place.
#[derive(Debug)]
pub(super) struct Letter<'p> {
    pub(super) problem: &'p Problem,
    pub(super) lines: Vec<SourceLine>,
}

/// A line of a file that is safe to show.
#[derive(Debug)]
pub(super) struct SourceLine {
    pub(super) file: String,
    pub(super) text: String,
    /// The bytes of `text` that the problem is about.
    pub(super) marked: std::ops::Range<usize>,
    pub(super) label: String,
    pub(super) number: usize,
    pub(super) column: usize,
}

impl<'p> Letter<'p> {
    /// `width` is the width of the terminal, if there is one.
    pub(super) fn new(problem: &'p Problem, sources: &Sources, width: Option<usize>) -> Self {
        let lines = problem.labels.iter().map(|label| SourceLine::new(label, sources, width)).collect();
        Self { problem, lines }
    }

    /// Returns each line with its offset in the text that miette sees: all lines one after the other, with a gap between them.
    fn lines(&self) -> impl Iterator<Item = (usize, &SourceLine)> {
        self.lines.iter().scan(0, |next, line| {
            let offset = *next;
            *next += line.text.len() + GAP;
            Some((offset, line))
        })
    }

    /// Returns what to do next.
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
        let marked = start(&tab(&marked), MARKED, room);
        // The branch to the label begins in the middle of the marked part.
        let branch = marked.width() / 2 + BRANCH;
        let left = room.saturating_sub(marked.width().max(branch + label.width()));
        let before = end(&tab(&before), BEFORE, left);
        let left = room.saturating_sub(before.width() + marked.width());
        let after = if marked.as_str().ends_with('…') {
            Printable::default()
        } else {
            start(&tab(&after), AFTER, left)
        };
        let label = textwrap::fill(label.as_str(), options(room.saturating_sub(before.width() + branch)));
        let marked = separated(marked.to_string(), after.as_str());
        let before = separated(before.to_string(), &format!("{marked}{after}"));
        // A place at the end of a line, where something is missing, needs a space for its caret.
        let is_at_end = marked.is_empty() && after.is_empty();
        let start = before.len();
        let end = start + marked.len() + usize::from(is_at_end);
        let text = format!("{before}{marked}{after}{}", if is_at_end { " " } else { "" });
        Self {
            file: Printable::new(&location.file).to_string(),
            text,
            marked: start..end,
            label,
            number: location.line,
            column: location.column,
        }
    }
}

/// Returns the start of a text, with at most `limit` characters and `columns` columns.
fn start(text: &str, limit: usize, columns: usize) -> Printable {
    let fits = |text: &Printable| text.width() <= columns;
    (0..=limit).rev().map(|limit| Printable::cut(text, limit)).find(fits).unwrap_or_default()
}

/// Returns the end of a text, with at most `limit` characters and `columns` columns.
fn end(text: &str, limit: usize, columns: usize) -> Printable {
    let mut tail: Vec<char> = text.chars().rev().take(limit + 1).collect();
    tail.reverse();
    let last = |limit: usize| {
        let skipped = tail.len().saturating_sub(limit);
        let shown: String = tail.iter().skip(skipped).collect();
        Printable::new(&if skipped > 0 { format!("…{shown}") } else { shown })
    };
    (0..=limit).rev().map(last).find(|text| text.width() <= columns).unwrap_or_default()
}

/// Escapes the end of `text` if it would form `##[` with the beginning of `next`. The log of a job would treat that as a command.
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
        // A span of two lines is an error, so that miette does not join the lines: they may be from different files.
        let end = span.offset() + span.len();
        let is_in =
            |(offset, line): &(usize, &SourceLine)| (*offset..offset + line.text.len() + GAP).contains(&end);
        let (offset, line) = self
            .lines()
            .find(is_in)
            .filter(|(offset, _)| span.offset() >= *offset)
            .ok_or(MietteError::OutOfBounds)?;
        // miette counts from 0. The column is the one in the file, because the shown line may be cut.
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

impl fmt::Display for Letter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Printable::cut(&self.problem.message, SENTENCE))
    }
}

impl std::error::Error for Letter<'_> {}

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
            .at(Place::new(team, 0..17), "has no role of their own")
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
   ·         ╰── has no role of their own
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
