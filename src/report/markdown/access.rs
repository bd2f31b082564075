//! The access review as one table per group of people.

use super::changes::cell;
use super::{FENCES, Links, code, fitting, left_out, title};
use crate::printable::Printable;
use crate::report::tables::{Mark, Row, Table, TableReport};

pub(super) fn write(command: &str, report: &TableReport, links: Links<'_>, limit: usize) -> String {
    let TableReport { about, verdict, mark: _, tables } = report;
    let mut lines = verdict.lines();
    let mut text = title(command, lines.next().unwrap_or_default());
    let about: Vec<String> = about.iter().map(|about| code(about.as_str())).collect();
    text += &format!("{}\n\n", about.join(" · "));
    lines.for_each(|line| text += &format!("- {}\n", code(line)));
    let mut left = 0;
    for Table { title, columns, rows } in tables.iter().filter(|table| !table.rows.is_empty()) {
        let heading = title.map_or_else(String::new, |title| format!("\n**{title} ({})**\n\n", rows.len()));
        let head =
            heading + &format!("| {} | |\n{}:--|\n", columns.join(" | "), "|:--".repeat(columns.len()) + "|");
        let rows: Vec<String> = rows.iter().map(|row| self::row(columns.len(), row, links)).collect();
        let room = limit.saturating_sub(text.len() + head.len() + FENCES);
        // People without privileges come last, so they are the first to be left out.
        let (shown, kept) = if left > 0 { (String::new(), 0) } else { fitting(&rows, room) };
        left += rows.len() - kept;
        if kept > 0 {
            text += &(head + &shown);
        }
    }
    text + &left_out(left, "row", "rows")
}

/// Formats a row. The last cell has the place and the notes.
fn row(columns: usize, row: &Row, links: Links<'_>) -> String {
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
