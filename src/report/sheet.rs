//! A small report as rows under headings, for the formats that people read: one shape that text, markdown, html and the
//! annotations of a GitHub job each show in their own way. What is in it is settled by the verb's own report.

use schemars::JsonSchema;
use serde::Serialize;

use super::diff::Hunk;
use crate::printable::Printable;
use crate::source::Location;

/// What a verb has to say, in rows.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// What it is about: an organisation, a person, a file; short enough to be shown whole.
    pub about: Vec<Printable>,
    /// What it comes to, in a few words of ours.
    pub verdict: String,
    /// How it feels at first sight.
    pub mark: Mark,
    /// The rows.
    pub sections: Vec<Section>,
}

/// Rows that belong together.
#[derive(Debug, Clone, Default)]
pub struct Section {
    /// Its heading; none where the sheet has only one.
    pub title: Option<&'static str>,
    /// What stands in each column; empty where the rows speak for themselves.
    pub columns: Vec<&'static str>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// One row.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// How it is.
    pub mark: Mark,
    /// Its cells, short enough to be shown whole; the first names it.
    pub cells: Vec<Printable>,
    /// What follows, or what to do: sentences of ours, each a line. Values in them are printable and short already.
    pub notes: Vec<String>,
    /// Where it is declared.
    pub location: Option<Location>,
    /// What would change in a file, or did.
    pub hunks: Vec<Hunk>,
}

/// How a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// It is neither good nor bad, or it is not known.
    #[default]
    #[serde(rename = "unknown")]
    Plain,
    /// As it should be.
    Good,
    /// Something to look at.
    Attention,
    /// Something wrong.
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
