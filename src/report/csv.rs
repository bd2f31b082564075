//! Writes a report as a single CSV table (RFC 4180) for spreadsheets and programs.
//!
//! The first record contains the column names. Lines end with CRLF, and the output is UTF-8 without a byte order mark. Cells
//! are never truncated. To prevent CSV injection (as described by OWASP), no cell begins with a character that spreadsheets
//! interpret as the start of a formula.

use csv::{Terminator, WriterBuilder};

use super::facts::plan::PlanReport;
use super::records::Records;
use super::{Body, Report};

/// Writes the report as a table. Returns an empty string for a failed command, so that a file never contains a partial table.
pub(super) fn write(report: &Report) -> String {
    match &report.body {
        Body::Plan(plan) => table(&plan.records()),
        Body::NoPeople { .. } => table(&PlanReport::no_records()),
        Body::Agenda(agenda) => table(&agenda.records()),
        Body::Roles(roles) => table(&roles.records()),
        Body::Access(access) => table(&access.records()),
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

/// Adds a single quote before anything that a spreadsheet would treat as a formula. In many locales, Excel splits CSV rows at
/// semicolons, so each part between semicolons is checked separately.
fn without_formula(text: &str) -> String {
    let parts =
        text.split(';').map(|part| if is_formula(part) { format!("'{part}") } else { part.to_owned() });
    parts.collect::<Vec<_>>().join(";")
}

/// Returns `true` if a cell begins like a formula. Leading tabs, line breaks, and invisible characters were already escaped
/// with a backslash when the cell was created.
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
    use crate::report::records::{Cell, Record};

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
    fn a_row_may_lack_one_of_its_parts() {
        let parts = [Some(Row("Acme", Some(1))), None];
        let text = table(&Records::new([Row("Ana", None), Row("Bo", None)]).beside(parts));
        assert_eq!(text, "name,held,name,held\r\nAna,,Acme,1\r\nBo,,,\r\n");
    }
}
