//! The table model of most reports. Each format for people renders this model.

use schemars::JsonSchema;
use serde::Serialize;

use super::diff::Hunk;
use crate::printable::Printable;
use crate::source::Location;

/// A report that consists of tables.
#[derive(Debug, Clone)]
pub struct TableReport {
    /// The organization and the person that it is about. Already short.
    pub about: Vec<Printable>,
    /// The result in a few words.
    pub verdict: String,
    /// The tone of the whole report.
    pub mark: Mark,
    pub tables: Vec<Table>,
}

#[derive(Debug, Clone, Default)]
pub struct Table {
    /// `None` if it is the only table, or the first.
    pub title: Option<&'static str>,
    /// The column headings. Empty if the rows need none.
    pub columns: Vec<&'static str>,
    pub rows: Vec<Row>,
}

#[derive(Debug, Clone, Default)]
pub struct Row {
    pub mark: Mark,
    /// Already short. The first cell names the row.
    pub cells: Vec<Printable>,
    /// A path on its own line, so that it is never broken.
    pub path: Option<Printable>,
    /// Explanations or remedies: sentences of rolecall, one per line. Values in them are already printable and short.
    pub notes: Vec<String>,
    pub location: Option<Location>,
    /// The changes of a file.
    pub hunks: Vec<Hunk>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Neither good nor bad, or unknown.
    #[default]
    #[serde(rename = "unknown")]
    Plain,
    Good,
    /// It works, but it needs a review.
    Attention,
    Bad,
}

/// The maximum length of a cell in characters. Longer cells are truncated.
pub const LONGEST_CELL: usize = 80;

/// Returns a name or a value as a cell. A long text is cut and ends with `…`. JSON has the full text.
pub fn cell(text: &Printable) -> Printable {
    text.short(LONGEST_CELL)
}

impl Row {
    /// Returns a row without notes.
    pub fn new(mark: Mark, cells: impl IntoIterator<Item = Printable>) -> Self {
        Self { mark, cells: cells.into_iter().collect(), ..Self::default() }
    }

    /// Adds a sentence below the row.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Sets the place of the declaration.
    #[must_use]
    pub fn at(mut self, location: Location) -> Self {
        self.location = Some(location);
        self
    }
}
