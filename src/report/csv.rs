//! Writes a report as one CSV table (RFC 4180), for spreadsheets and programs.
//!
//! The first record names the columns. Lines end with CRLF, and the text is UTF-8 without a byte order mark. Text is never cut. No
//! cell begins like a formula that a spreadsheet would run (OWASP, "CSV Injection").

use csv::{Terminator, WriterBuilder};
use jiff::Timestamp;
use serde::Serialize;

use super::facts::plan::PlanReport;
use super::{Body, Report};
use crate::printable::Printable;

/// A row of a report that has a CSV format. `N` is the number of its columns.
pub trait Record<const N: usize> {
    /// The names of the columns, in the order of the cells: the keys of the JSON report.
    const COLUMNS: [&'static str; N];

    fn cells(&self) -> [Cell; N];
}

impl<R: Record<N>, const N: usize> Record<N> for &R {
    const COLUMNS: [&'static str; N] = R::COLUMNS;

    fn cells(&self) -> [Cell; N] {
        (*self).cells()
    }
}

/// If a row does not have this part, its cells are empty.
impl<R: Record<N>, const N: usize> Record<N> for Option<R> {
    const COLUMNS: [&'static str; N] = R::COLUMNS;

    fn cells(&self) -> [Cell; N] {
        self.as_ref().map_or_else(|| std::array::from_fn(|_| Cell::default()), Record::cells)
    }
}

/// The records of a report, with their columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Records {
    columns: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

/// The text of one cell, as [`Printable`] shows it. A value that does not exist is an empty text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cell(String);

impl Records {
    /// Returns a table with the columns of `R`. It may have no rows.
    pub fn new<R: Record<N>, const N: usize>(rows: impl IntoIterator<Item = R>) -> Self {
        let rows = rows.into_iter().map(|row| row.cells().into()).collect();
        Self { columns: R::COLUMNS.into(), rows }
    }

    /// Adds the columns of `R` at the right. `parts` has one part per row.
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
    /// Returns the word that JSON has for a variant of an enum.
    pub fn word(variant: &impl Serialize) -> Self {
        let word = serde_json::to_value(variant).ok();
        word.as_ref().and_then(serde_json::Value::as_str).into()
    }

    /// Returns several strings, joined by a semicolon and a space.
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

/// Lists are joined by a semicolon and a space.
impl From<&Vec<Printable>> for Cell {
    fn from(texts: &Vec<Printable>) -> Self {
        Self::list(texts.iter().map(Self::from))
    }
}

impl From<&[String]> for Cell {
    fn from(texts: &[String]) -> Self {
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

/// Returns the table of the report. The text is empty if the command failed, so that a file never has half a table.
pub(super) fn write(report: &Report) -> String {
    match &report.body {
        Body::Plan(plan) => table(&plan.records()),
        Body::NoPeople { .. } => table(&PlanReport::no_records()),
        Body::Agenda(agenda) => table(&agenda.records()),
        Body::Roles(roles) => table(&roles.records()),
        Body::Access(access) => table(&access.records()),
        // A command without a table does not accept this format (`crate::manual`), and errors go to standard error.
        Body::Nothing
        | Body::Valid { .. }
        | Body::Comparison(_)
        | Body::Explanation(_)
        | Body::Page(_)
        | Body::Doctor(_)
        | Body::Files(_)
        | Body::Journals(_)
        | Body::Problems(_) => String::new(),
    }
}

fn table(records: &Records) -> String {
    let Records { columns, rows } = records;
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    let written = writer.write_record(columns).and_then(|()| {
        rows.iter().try_for_each(|row| writer.write_record(row.iter().map(|cell| without_formula(&cell.0))))
    });
    written.unwrap_or_else(|error| unreachable!("each row has a cell per column: {error}"));
    let bytes = writer.into_inner().unwrap_or_else(|error| unreachable!("a vector can grow: {error}"));
    String::from_utf8(bytes).unwrap_or_else(|error| unreachable!("every cell is UTF-8: {error}"))
}

/// Puts a single quote before text that a spreadsheet would run as a formula. Where a semicolon separates the cells of a CSV file,
/// as Excel does in many countries, each part between semicolons is a cell.
fn without_formula(text: &str) -> String {
    let parts =
        text.split(';').map(|part| if is_formula(part) { format!("'{part}") } else { part.to_owned() });
    parts.collect::<Vec<_>>().join(";")
}

/// Returns whether a cell begins like a formula. A tab, a line break, or an invisible character before it is already escaped, so the
/// cell then begins with a backslash.
fn is_formula(cell: &str) -> bool {
    // A spreadsheet may remove quotes and spaces at the beginning.
    let start = cell.trim_start_matches(|char: char| char.is_whitespace() || char == '"');
    start.starts_with([
        '=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}', '\u{fe66}', '\u{fe62}',
        '\u{fe63}', '\u{fe6b}', '\u{2212}',
    ])
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    struct Row(&'static str, Option<usize>);

    impl Record<2> for Row {
        const COLUMNS: [&'static str; 2] = ["name", "held"];

        fn cells(&self) -> [Cell; 2] {
            [self.0.into(), self.1.into()]
        }
    }

    #[test]
    fn cells_are_quoted_if_needed_and_lines_end_with_crlf() {
        let text = table(&Records::new([Row("Lead, \"EMEA\"", Some(2)), Row("Ana", None)]));
        assert_eq!(text, "name,held\r\n\"Lead, \"\"EMEA\"\"\",2\r\nAna,\r\n");
        assert_eq!(table(&Records::new::<Row, 2>([])), "name,held\r\n");
    }

    #[test]
    fn no_cell_begins_like_a_formula() {
        for (text, safe) in [
            ("=1+1", "'=1+1"),
            ("+49 30", "'+49 30"),
            ("-2", "'-2"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("  =1", "'  =1"),
            ("\u{a0}\u{3000}=1", "'\u{a0}\u{3000}=1"),
            ("\"=1", "'\"=1"),
            ("\u{ff1d}1", "'\u{ff1d}1"),
            ("\u{ff20}x", "'\u{ff20}x"),
            ("a;=1", "a;'=1"),
            ("a; -1; b", "a;' -1; b"),
            ("\t=1", "\\u{9}=1"),
            ("\r=1", "\\u{d}=1"),
            ("\u{200b}=1", "\\u{200b}=1"),
            ("a=1", "a=1"),
            ("ana@acme.example", "ana@acme.example"),
            ("", ""),
        ] {
            assert_eq!(without_formula(&Cell::from(text).0), safe, "{text:?}");
        }
    }

    #[test]
    fn a_part_of_a_row_may_be_empty() {
        let parts = [Some(Row("Acme", Some(1))), None];
        let text = table(&Records::new([Row("Ana", None), Row("Bo", None)]).beside(parts));
        assert_eq!(text, "name,held,name,held\r\nAna,,Acme,1\r\nBo,,,\r\n");
    }
}
