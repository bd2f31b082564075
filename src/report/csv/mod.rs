//! Writes a report as a single CSV table (RFC 4180) for spreadsheets and programs. Each kind of table has its own module, which
//! lists the columns and creates the rows.
//!
//! The first record contains the column names. Lines end with CRLF, and the output is UTF-8 without a byte order mark. Cells
//! are never truncated. To prevent CSV injection (as described by OWASP), no cell begins with a character that spreadsheets
//! interpret as the start of a formula.

mod access;
mod agenda;
mod edits;
mod roles;

use csv::{Terminator, WriterBuilder};
use serde::Serialize;
use serde_json::Value;

use super::{Body, Report};
use crate::desired::Origin;
use crate::printable::Printable;
use crate::roster::Moment;

/// The value of a cell, which is the same as in the JSON report. `None` and `null` result in an empty cell.
type Cell = Option<Value>;

/// The columns of a table. Each column consists of a name and a function `F` that returns the value for a row. The names are
/// based on the keys of the JSON report.
type Columns<'c, F> = &'c [(&'static str, F)];

/// Writes the report as a table. Returns an empty string for a failed command, so that a file never contains a partial table.
pub(super) fn write(report: &Report) -> String {
    match &report.body {
        Body::Plan(plan) => table(edits::COLUMNS, edits::rows(plan)),
        Body::NoPeople { .. } => table(edits::COLUMNS, []),
        Body::Agenda(agenda) => table(agenda::COLUMNS, agenda::rows(agenda)),
        Body::Roles(roles) => table(roles::COLUMNS, roles::rows(roles)),
        Body::Access(access) => table(access::COLUMNS, access::rows(access)),
        // Commands without a table reject this format (see `crate::manual`), and errors go to standard error.
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

fn table<R: Copy>(columns: Columns<'_, fn(R) -> Cell>, rows: impl IntoIterator<Item = R>) -> String {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    let cells = |row| columns.iter().map(move |(_, value)| without_formula(&text(&value(row).into())));
    let written = writer
        .write_record(columns.iter().map(|(name, _)| name))
        .and_then(|()| rows.into_iter().try_for_each(|row| writer.write_record(cells(row))));
    written.unwrap_or_else(|error| unreachable!("each row has a cell per column: {error}"));
    let bytes = writer.into_inner().unwrap_or_else(|error| unreachable!("a vector can grow: {error}"));
    String::from_utf8(bytes).unwrap_or_else(|error| unreachable!("every cell is UTF-8: {error}"))
}

#[allow(clippy::unnecessary_wraps, reason = "a column that uses `?` returns an option")]
fn cell(value: impl Serialize) -> Cell {
    let value = serde_json::to_value(value);
    Some(value.unwrap_or_else(|error| unreachable!("the values in a report should be valid JSON: {error}")))
}

/// Returns the kind of an origin, as in the JSON report.
fn origin(origin: &Origin) -> Cell {
    cell(origin)?.get("kind").cloned()
}

/// Returns the `until` and `reason` of the window that sets a value. Both are `None` for any other origin.
fn window(origin: &Origin) -> (Option<&Moment>, Option<&String>) {
    match origin {
        Origin::Window { until, reason } => (until.as_ref(), reason.as_ref()),
        Origin::Person | Origin::Defaults | Origin::Rollback | Origin::After { .. } => (None, None),
    }
}

/// Formats a value. Unprintable characters are escaped, and the elements of a list are separated by a semicolon and a space.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => Printable::new(text).to_string(),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join("; "),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            Printable::new(&value.to_string()).to_string()
        }
    }
}

/// Adds a single quote before anything that a spreadsheet would treat as a formula. In many locales, Excel splits CSV rows at
/// semicolons, so each part between semicolons is checked separately.
fn without_formula(text: &str) -> String {
    let parts =
        text.split(';').map(|part| if is_formula(part) { format!("'{part}") } else { part.to_owned() });
    parts.collect::<Vec<_>>().join(";")
}

/// Returns `true` if a cell begins like a formula. Leading tabs, line breaks, and invisible characters were already escaped
/// with a backslash by [`text`].
fn is_formula(cell: &str) -> bool {
    // Some spreadsheets strip leading quotes and spaces.
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

    type Row = (&'static str, Option<usize>);

    const COLUMNS: Columns<'_, fn(Row) -> Cell> =
        &[("name", |(name, _)| cell(name)), ("held", |(_, held)| cell(held?))];

    #[test]
    fn cells_are_quoted_if_needed_and_lines_end_with_crlf() {
        let text = table(COLUMNS, [("Lead, \"EMEA\"", Some(2)), ("Ana", None)]);
        assert_eq!(text, "name,held\r\n\"Lead, \"\"EMEA\"\"\",2\r\nAna,\r\n");
        assert_eq!(table(COLUMNS, []), "name,held\r\n");
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
            assert_eq!(without_formula(&super::text(&text.into())), safe, "{text:?}");
        }
    }

    #[test]
    fn values_are_those_of_the_json_report() {
        for (value, expected) in [
            (cell("a\u{202e}b"), "a\\u{202e}b"),
            (cell(["Lead", "\r", "Member"]), "Lead; \\u{d}; Member"),
            (cell(Vec::<&str>::new()), ""),
            (cell(None::<&str>), ""),
            (None, ""),
            (cell(12), "12"),
            (cell(true), "true"),
            (cell(jiff::Timestamp::UNIX_EPOCH), "1970-01-01T00:00:00Z"),
            (origin(&Origin::Defaults), "defaults"),
            (cell(window(&Origin::Defaults).0), ""),
            (cell(window(&Origin::Window { until: None, reason: Some("leave".into()) }).1), "leave"),
        ] {
            assert_eq!(text(&value.into()), expected);
        }
    }
}
