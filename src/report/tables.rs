//! A report as tables: roles, explain, doctor, and files. Text, markdown, the page, and the annotations of a GitHub job each show
//! this one shape in their own way. The facts of the report decide what is in it.

use schemars::JsonSchema;
use serde::Serialize;

use super::diff::Hunk;
use crate::printable::Printable;
use crate::source::Location;

/// What a command reports, in tables.
#[derive(Debug, Clone)]
pub struct TableReport {
    /// The organization, the person, or the file that it is about. Short enough to be shown whole.
    pub about: Vec<Printable>,
    /// The result in a few words of rolecall.
    pub verdict: String,
    /// The tone of the whole report.
    pub mark: Mark,
    pub tables: Vec<Table>,
}

#[derive(Debug, Clone, Default)]
pub struct Table {
    /// `None` if it is the only table, or the first.
    pub title: Option<&'static str>,
    /// The heads of the columns. Empty if the rows need none.
    pub columns: Vec<&'static str>,
    pub rows: Vec<Row>,
}

#[derive(Debug, Clone, Default)]
pub struct Row {
    pub mark: Mark,
    /// Short enough to be shown whole. The first names the row.
    pub cells: Vec<Printable>,
    /// What follows, or what to do: sentences of rolecall, one per line. Values in them are printable and short already.
    pub notes: Vec<String>,
    pub location: Option<Location>,
    /// What would change or has changed in a file.
    pub hunks: Vec<Hunk>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// It is neither good nor bad, or it is not known.
    #[default]
    #[serde(rename = "unknown")]
    Plain,
    Good,
    /// It works, but the reader should look at it.
    Attention,
    Bad,
}

/// A name or a value as a cell: cut, with `…` for what is left out. JSON has it whole.
pub fn cell(text: &Printable) -> Printable {
    text.short(80)
}

impl Row {
    /// A row of these cells.
    pub fn new(mark: Mark, cells: impl IntoIterator<Item = Printable>) -> Self {
        Self { mark, cells: cells.into_iter().collect(), ..Self::default() }
    }

    /// With a sentence below it.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// With the place where it is declared.
    #[must_use]
    pub fn at(mut self, location: Location) -> Self {
        self.location = Some(location);
        self
    }
}
