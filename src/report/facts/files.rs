//! Files that a command writes, would write, or suggests editing, along with the values that it leaves unchanged.

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::adoption::{Adoption, NotWritten};
use crate::observed::RoleCatalog;
use crate::printable::Printable;
use crate::report::diff::{Hunk, diff_texts};
use crate::report::tables::{Mark, Row, Table, TableReport, cell};
use crate::report::words;
use crate::source::{Location, Sources};

/// `fmt` and `import`: the files that were or would be written.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FilesReport {
    /// A brief summary of the result.
    #[serde(skip)]
    pub verdict: String,
    pub files: Vec<FileLine>,
    /// Values that could not be written to the files.
    pub not_written: Vec<SkippedLine>,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FileLine {
    /// The file, as named by the user or by an `include`.
    #[serde(rename = "file")]
    pub name: Printable,
    pub state: FileState,
    /// The number of people declared in the file. Only set if `import` creates new files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub people: Option<usize>,
    /// The changes as a diff. Empty unless a diff was requested or a rollback suggests the edits.
    #[serde(rename = "diff", serialize_with = "as_diff")]
    #[schemars(with = "String")]
    pub hunks: Vec<Hunk>,
}

crate::every::words! {
    /// The state of a file after the command.
    #[derive(Serialize, JsonSchema)]
    pub enum FileState {
        #[serde(rename = "written")]
        Written = "written",
        /// Nothing was written because a diff or a check was requested, or because a rollback only suggests the edits.
        #[serde(rename = "would be written")]
        WouldBeWritten = "would be written",
        #[serde(rename = "unchanged")]
        Unchanged = "unchanged",
    }
}

/// A person's value that a command leaves unchanged.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SkippedLine {
    pub email: Printable,
    /// The reason as a sentence. Embedded values are already printable and truncated.
    pub why: String,
    /// Where the person is declared, or the line in the journal for a value that is not rolled back. `null` if there is
    /// neither.
    pub location: Option<Location>,
}

impl FileLine {
    /// Creates an entry for a file, with a diff between the texts if they are given.
    pub fn new(name: &str, state: FileState, texts: Option<(&str, &str)>) -> Self {
        let hunks = texts.map(|(before, after)| diff_texts(before, after)).unwrap_or_default();
        Self { name: Printable::new(name), state, people: None, hunks }
    }
}

fn as_diff<S: Serializer>(hunks: &[Hunk], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&hunks.iter().map(Hunk::text).collect::<String>())
}

/// Returns an entry for each file that an [`Adoption`] updates, with a diff if `has_diff` is `true`.
pub fn file_lines(adoption: &Adoption, sources: &Sources, state: FileState, has_diff: bool) -> Vec<FileLine> {
    let files = adoption.files.iter().map(|(file, text)| {
        let texts = (sources.text(*file), text.as_str());
        FileLine::new(sources.name(*file), state, has_diff.then_some(texts))
    });
    files.collect()
}

/// Returns an entry for each value that an [`Adoption`] couldn't write to the files.
pub fn skipped_lines(adoption: &Adoption, sources: &Sources, roles: &RoleCatalog) -> Vec<SkippedLine> {
    let line = |value: &NotWritten| {
        let NotWritten { email, field, why } = value;
        let is_declared = !email.place.span().is_empty();
        SkippedLine {
            email: Printable::new(email.value.as_str()),
            why: words::not_written(*field, why, roles),
            location: is_declared.then(|| sources.locate(email.place)),
        }
    };
    adoption.not_written.iter().map(line).collect()
}

impl FilesReport {
    pub fn tables(&self) -> TableReport {
        let Self { verdict, files, not_written } = self;
        let would = files.iter().any(|file| file.state == FileState::WouldBeWritten);
        let mark = if would || !not_written.is_empty() { Mark::Attention } else { Mark::Good };
        let file = |file: &FileLine| {
            let FileLine { name, state, people, hunks } = file;
            let mark = match state {
                FileState::Written => Mark::Good,
                FileState::WouldBeWritten => Mark::Attention,
                FileState::Unchanged => Mark::Plain,
            };
            let mut row = Row::new(mark, [cell(name), Printable::new(state.as_str())]);
            // With a single file, the number of people is already in the verdict.
            let people = people.filter(|_| files.len() > 1);
            row.cells.extend(people.map(|people| Printable::new(&words::people_of_file(people))));
            Row { hunks: hunks.clone(), ..row }
        };
        let shown = files.iter().filter(|file| file.state != FileState::Unchanged);
        let not_written = not_written.iter().map(|SkippedLine { email, why, location }| {
            Row::new(Mark::Attention, [words::full_address(email), Printable::new(why)]).at(location.clone())
        });
        TableReport {
            about: Vec::new(),
            verdict: verdict.clone(),
            mark,
            tables: vec![
                Table::new(None, &[], shown.map(file)),
                Table::new(Some("Not written"), &[], not_written),
            ],
        }
    }
}
