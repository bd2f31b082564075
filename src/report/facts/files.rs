//! Files that a verb writes, would write, or says should be written: what differs in each, and what was left out.

use crate::adoption::{Adoption, NotWritten};
use crate::observed::RoleCatalogue;
use crate::printable::Printable;
use crate::report::sheet::{Mark, Row, Section, Sheet, cell};
use crate::report::toml_diff::{self, Hunk};
use crate::report::words;
use crate::source::{Location, Sources};

/// What becomes of files.
#[derive(Debug, Clone)]
pub struct FilesReport {
    /// What it comes to, in a few words.
    pub verdict: String,
    /// The files.
    pub files: Vec<FileLine>,
    /// What is not written into them.
    pub left: Vec<LeftLine>,
}

/// One file.
#[derive(Debug, Clone)]
pub struct FileLine {
    /// As it was named.
    pub name: Printable,
    /// What becomes of it.
    pub state: FileState,
    /// What differs; shown where it was asked for.
    pub hunks: Vec<Hunk>,
}

/// What becomes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// It was written.
    Written,
    /// It would be.
    WouldBeWritten,
    /// It is as it should be.
    Unchanged,
}

impl FileState {
    /// Its name in JSON, and to people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::WouldBeWritten => "would be written",
            Self::Unchanged => "unchanged",
        }
    }
}

/// Something that is not written.
#[derive(Debug, Clone)]
pub struct LeftLine {
    /// Whose.
    pub email: Printable,
    /// Why, in a sentence. Values in it are printable and short already.
    pub why: String,
    /// Where it is declared; nothing for somebody whom no file declares.
    pub location: Option<Location>,
}

impl FileLine {
    /// A file that differs.
    pub fn new(name: &str, state: FileState, before: &str, after: &str) -> Self {
        Self { name: Printable::new(name), state, hunks: toml_diff::texts(before, after) }
    }
}

/// The files of an adoption.
pub fn file_lines(adoption: &Adoption, sources: &Sources, state: FileState) -> Vec<FileLine> {
    let line = |edit: &crate::adoption::FileEdit| {
        FileLine::new(sources.name(edit.file), state, sources.text(edit.file), &edit.text)
    };
    adoption.files.iter().map(line).collect()
}

/// What an adoption leaves out.
pub fn left_lines(adoption: &Adoption, sources: &Sources, roles: &RoleCatalogue) -> Vec<LeftLine> {
    let line = |left: &NotWritten| {
        let NotWritten { email, field, why } = left;
        let is_declared = !email.place.span().is_empty();
        LeftLine {
            email: Printable::new(email.value.as_str()),
            why: words::not_written(*field, why, roles),
            location: is_declared.then(|| sources.locate(email.place)),
        }
    };
    adoption.left.iter().map(line).collect()
}

impl FilesReport {
    /// The rows of it.
    pub fn sheet(&self) -> Sheet {
        let Self { verdict, files, left } = self;
        let would = files.iter().any(|file| file.state == FileState::WouldBeWritten);
        let mark = if would || !left.is_empty() { Mark::Attention } else { Mark::Good };
        let file = |file: &FileLine| {
            let FileLine { name, state, hunks } = file;
            let mark = match state {
                FileState::Written => Mark::Good,
                FileState::WouldBeWritten => Mark::Attention,
                FileState::Unchanged => Mark::Plain,
            };
            let row = Row::new(mark, [cell(name), Printable::new(state.as_str())]);
            Row { hunks: hunks.clone(), ..row }
        };
        let shown = files.iter().filter(|file| file.state != FileState::Unchanged);
        let left = left.iter().map(|LeftLine { email, why, location }| {
            let mut row = Row::new(Mark::Attention, [cell(email), Printable::new(why)]);
            row.location.clone_from(location);
            row
        });
        Sheet {
            about: Vec::new(),
            verdict: verdict.clone(),
            mark,
            sections: vec![
                Section { title: None, columns: Vec::new(), rows: shown.map(file).collect() },
                Section { title: Some("Not written"), columns: Vec::new(), rows: left.collect() },
            ],
        }
    }
}
