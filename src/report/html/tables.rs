//! HTML reports made up of tables.

use maud::{Markup, html};

use super::{advice, diff_lines, page, place, prose};
use crate::printable::Printable;
use crate::report::tables::{Mark, Row, Table, TableReport};

pub(super) fn write(command: &str, report: &TableReport) -> String {
    let TableReport { about, verdict, mark, tables } = report;
    let inside = html! {
        p.about { (about.iter().map(Printable::as_str).collect::<Vec<_>>().join(" · ")) }
        @for Table { title, columns, rows } in tables.iter().filter(|table| !table.rows.is_empty()) {
            section {
                @if let Some(title) = title { h2 { (title) } }
                table.sheet {
                    @if !columns.is_empty() { thead { tr { @for column in columns { th { (column) } } td {} } } }
                    tbody { @for row in rows { (line(columns, row)) } }
                }
            }
        }
    };
    page(command, *mark, verdict, &inside)
}

fn line(columns: &[&str], row: &Row) -> Markup {
    let Row { mark, cells, path, notes, location, hunks } = row;
    // Add a sign for readers who can't tell the colors apart.
    let (class, sign) = match mark {
        Mark::Plain => ("plain", ""),
        Mark::Good => ("good", "✓ "),
        Mark::Attention => ("attention", "! "),
        Mark::Bad => ("bad", "✗ "),
    };
    html! {
        tr.(class) {
            @for (number, cell) in cells.iter().enumerate() {
                td {
                    @if number == 0 {
                        strong { (sign) (cell.as_str()) }
                    } @else {
                        // On phones, the cells are stacked and the column headings are hidden, so repeat the heading in each
                        // cell.
                        @if let Some(column) = columns.get(number) { span.label { (column) " " } }
                        (prose(cell.as_str()))
                    }
                }
            }
            td {
                @if let Some(location) = location { (place(location)) }
                @if let Some(path) = path { div.note { (path.as_str()) } }
                @for note in notes { div.note { (advice(note)) } }
                @if !hunks.is_empty() { (diff_lines(hunks)) }
            }
        }
    }
}
