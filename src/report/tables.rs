//! The table model of most reports (e.g., `roles`, `access`, and `doctor`), which every human-readable format renders.

use schemars::JsonSchema;
use serde::Serialize;

use super::diff::Hunk;
use crate::printable::Printable;
use crate::source::Location;

/// A report made up of tables.
#[derive(Debug, Clone)]
pub struct TableReport {
    /// What the report covers, such as the organization and the person. Already truncated.
    pub about: Vec<Printable>,
    /// A brief summary of the result. Only the lines after the first can contain untrusted text.
    pub verdict: String,
    /// The overall result, which determines the color of an HTML report.
    pub mark: Mark,
    pub tables: Vec<Table>,
}

#[derive(Debug, Clone)]
pub struct Table {
    /// The heading above the table, if any.
    pub title: Option<&'static str>,
    /// The column headings. Empty if the rows are self-explanatory.
    pub columns: Vec<&'static str>,
    pub rows: Vec<Row>,
}

#[derive(Debug, Clone, Default)]
pub struct Row {
    pub mark: Mark,
    /// The first cell identifies the row. All cells are already truncated.
    pub cells: Vec<Printable>,
    /// A path, shown on a line of its own so that it's never wrapped.
    pub path: Option<Printable>,
    /// Explanations and remedies, which can have several lines. Embedded values are already printable and truncated.
    pub notes: Vec<String>,
    pub location: Option<Location>,
    /// The diff of the file that the row is about. Empty if there is no diff to show.
    pub hunks: Vec<Hunk>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// The result is neutral or unknown.
    #[default]
    #[serde(rename = "unknown")]
    Plain,
    Good,
    /// The result is not a failure, but should be reviewed.
    Attention,
    Bad,
}

/// The maximum length of a cell in characters.
pub const LONGEST_CELL: usize = 80;

/// Formats a name or value as a cell. Text longer than [`LONGEST_CELL`] is truncated and ends with `…`, but the JSON report has
/// the full text.
pub fn cell(text: &Printable) -> Printable {
    text.short(LONGEST_CELL)
}

/// Joins cells into one. Returns `none` if `cells` is empty.
pub fn joined(cells: impl IntoIterator<Item = Printable>, none: &str) -> Printable {
    let texts: Vec<String> = cells.into_iter().map(|cell| cell.to_string()).collect();
    Printable::new(&if texts.is_empty() { none.to_owned() } else { texts.join(", ") })
}

impl Table {
    pub fn new(
        title: Option<&'static str>,
        columns: &[&'static str],
        rows: impl IntoIterator<Item = Row>,
    ) -> Self {
        Self { title, columns: columns.to_vec(), rows: rows.into_iter().collect() }
    }
}

impl Row {
    pub fn new(mark: Mark, cells: impl IntoIterator<Item = Printable>) -> Self {
        Self { mark, cells: cells.into_iter().collect(), ..Self::default() }
    }

    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    #[must_use]
    pub fn notes(mut self, notes: impl IntoIterator<Item = String>) -> Self {
        self.notes.extend(notes);
        self
    }

    #[must_use]
    pub fn at(self, location: impl Into<Option<Location>>) -> Self {
        Self { location: location.into(), ..self }
    }
}
