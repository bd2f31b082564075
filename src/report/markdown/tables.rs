//! The reports that are tables.

use super::{code, fence, fitting, place, title};
use crate::printable::Printable;
use crate::report::tables::{Mark, Row, Table, TableReport};

pub(super) fn write(command: &str, report: &TableReport, limit: usize) -> String {
    let TableReport { about, verdict, mark: _, tables } = report;
    let about: Vec<String> = about.iter().map(|about| code(about.as_str())).collect();
    let head = title(command, verdict) + &format!("{}\n\n", about.join(" · "));
    let mut pieces = Vec::new();
    for Table { title, columns, rows } in tables.iter().filter(|table| !table.rows.is_empty()) {
        pieces.extend(title.map(|title| format!("**{title}**\n\n")));
        pieces.extend(rows.iter().map(|row| item(columns, row)));
        pieces.push("\n".into());
    }
    let (shown, kept) = fitting(&pieces, limit.saturating_sub(head.len() + super::FENCES));
    let text = head + &shown + &super::left_out(pieces.len() - kept, "line", "lines");
    text.trim_end().to_owned() + "\n"
}

fn item(columns: &[&str], row: &Row) -> String {
    let Row { mark, cells, path, notes, location, hunks } = row;
    let mark = match mark {
        Mark::Plain | Mark::Good => "",
        Mark::Attention => "**warning:** ",
        Mark::Bad => "**error:** ",
    };
    let named = |(number, cell): (usize, &Printable)| match columns.get(number) {
        Some(column) if number > 0 => format!("{column} {}", code(cell.as_str())),
        _ => code(cell.as_str()),
    };
    let cells: Vec<String> =
        cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()).map(named).collect();
    let place = location.as_ref().map_or_else(String::new, |location| format!(" ({})", place(location)));
    let mut text = format!("- {mark}{}{place}\n", cells.join(", "));
    path.iter().for_each(|path| text += &format!("  - {}\n", code(path.as_str())));
    for line in notes.iter().flat_map(|note| note.lines()).filter(|line| !line.trim().is_empty()) {
        text += &format!("  - {}\n", code(line.trim_end()));
    }
    if !hunks.is_empty() {
        let lines: Vec<String> = hunks.iter().map(crate::report::diff::Hunk::text).collect();
        text +=
            &fence("diff", &lines.join("\n")).lines().map(|line| format!("  {line}\n")).collect::<String>();
    }
    text
}
