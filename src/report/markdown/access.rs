//! The markdown report of `access`, with one table per group of people.

use super::changes::cell;
use super::tables::{fitted, head};
use super::{Links, code};
use crate::printable::Printable;
use crate::report::tables::{Mark, Row, Table, TableReport};

pub(super) fn write(command: &str, report: &TableReport, links: Links<'_>, limit: usize) -> String {
    let TableReport { about: _, verdict: _, mark: _, tables } = report;
    let heading = |Table { title, columns, rows }: &Table| {
        let heading = title.map_or_else(String::new, |title| format!("**{title} ({})**\n\n", rows.len()));
        heading + &format!("| {} | |\n{}:--|\n", columns.join(" | "), "|:--".repeat(columns.len()) + "|")
    };
    // Rows are omitted from the end, so the people with the most privileges are kept.
    let items =
        |table: &Table| table.rows.iter().map(|row| row_of(table.columns.len(), row, links)).collect();
    fitted(head(command, report), tables, limit, heading, items).trim_end().to_owned() + "\n"
}

/// Formats a row, with the location and the notes in its last cell.
fn row_of(columns: usize, row: &Row, links: Links<'_>) -> String {
    let Row { mark, cells, path: _, notes, location, hunks: _ } = row;
    let mut texts: Vec<String> = cells.iter().map(value).collect();
    texts.resize(columns, String::new());
    if let (Mark::Attention | Mark::Bad, Some(state)) =
        (mark, texts.last_mut().filter(|state| !state.is_empty()))
    {
        *state = format!("**{state}**");
    }
    let mut last: Vec<String> = location.iter().map(|location| links.place(location)).collect();
    last.extend(notes.iter().map(|note| code(note)));
    texts.push(last.join("<br>"));
    format!("| {} |\n", texts.iter().map(|text| cell(text)).collect::<Vec<_>>().join(" | "))
}

fn value(text: &Printable) -> String {
    if text.is_empty() || text.raw() == "-" { String::new() } else { code(text.as_str()) }
}
