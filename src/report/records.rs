//! The records and cells of a CSV report, which the `csv` module writes.

use jiff::Timestamp;
use serde::Serialize;

use crate::printable::Printable;

/// A row of a CSV report, or part of a row. `N` is the number of columns.
pub trait Record<const N: usize> {
    /// The column names in cell order, based on the keys of the JSON report.
    const COLUMNS: [&'static str; N];

    fn cells(&self) -> [Cell; N];
}

impl<R: Record<N>, const N: usize> Record<N> for &R {
    const COLUMNS: [&'static str; N] = R::COLUMNS;

    fn cells(&self) -> [Cell; N] {
        (*self).cells()
    }
}

/// For `None`, all cells are empty.
impl<R: Record<N>, const N: usize> Record<N> for Option<R> {
    const COLUMNS: [&'static str; N] = R::COLUMNS;

    fn cells(&self) -> [Cell; N] {
        self.as_ref().map_or_else(|| std::array::from_fn(|_| Cell::default()), Record::cells)
    }
}

/// The records of a report and their column names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Records {
    pub(super) columns: Vec<&'static str>,
    pub(super) rows: Vec<Vec<Cell>>,
}

/// The contents of a cell, escaped by [`Printable`]. A missing value is an empty string.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cell(pub(super) String);

impl Records {
    /// Creates records with the columns of `R`, even if there are no rows.
    pub fn new<R: Record<N>, const N: usize>(rows: impl IntoIterator<Item = R>) -> Self {
        let rows = rows.into_iter().map(|row| row.cells().into()).collect();
        Self { columns: R::COLUMNS.into(), rows }
    }

    /// Appends the columns of `R` on the right. `parts` yields one part per row.
    #[must_use]
    pub fn beside<R: Record<N>, const N: usize>(mut self, parts: impl IntoIterator<Item = R>) -> Self {
        self.columns.extend(R::COLUMNS);
        for (row, part) in self.rows.iter_mut().zip(parts) {
            row.extend(part.cells());
        }
        self
    }
}

impl Cell {
    /// Creates a cell with the name that an enum variant has in the JSON report.
    pub fn word(variant: &impl Serialize) -> Self {
        let word = serde_json::to_value(variant).ok();
        word.as_ref().and_then(serde_json::Value::as_str).into()
    }

    /// Joins several cells with a semicolon and a space.
    pub fn list(cells: impl IntoIterator<Item = Self>) -> Self {
        Self(cells.into_iter().map(|Self(text)| text).collect::<Vec<_>>().join("; "))
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self(Printable::new(text).to_string())
    }
}

impl From<&String> for Cell {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<&Printable> for Cell {
    fn from(text: &Printable) -> Self {
        Self(text.to_string())
    }
}

impl From<&Vec<Printable>> for Cell {
    fn from(texts: &Vec<Printable>) -> Self {
        Self::list(texts.iter().map(Self::from))
    }
}

impl From<bool> for Cell {
    fn from(value: bool) -> Self {
        Self(value.to_string())
    }
}

impl From<usize> for Cell {
    fn from(number: usize) -> Self {
        Self(number.to_string())
    }
}

impl From<Timestamp> for Cell {
    fn from(at: Timestamp) -> Self {
        Self(at.to_string())
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or_else(Self::default, Into::into)
    }
}
