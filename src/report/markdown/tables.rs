//! Markdown reports made up of tables.

use super::{FENCES, code, fence, fitting, left_out, place, title};
use crate::printable::Printable;
use crate::report::tables::{Mark, Row, Table, TableReport};

pub(super) fn write(command: &str, report: &TableReport, limit: usize) -> String {
    let TableReport { about: _, verdict: _, mark: _, tables } = report;
    let heading = |table: &Table| table.title.map_or_else(String::new, |title| format!("**{title}**\n\n"));
    let items = |table: &Table| table.rows.iter().map(|row| item(&table.columns, row)).collect();
    fitted(head(command, report), tables, limit, heading, items).trim_end().to_owned() + "\n"
}

/// Formats the title with the first line of the verdict, followed by the scope and the other lines of the verdict. The scope and
/// the other lines are shown as code because they can contain untrusted text.
pub(super) fn head(command: &str, report: &TableReport) -> String {
    let TableReport { about, verdict, mark: _, tables: _ } = report;
    let mut lines = verdict.lines();
    let title = title(command, lines.next().unwrap_or_default());
    let about: Vec<String> = about.iter().map(|about| code(about.as_str())).collect();
    let about = if about.is_empty() { String::new() } else { about.join(" · ") + "\n\n" };
    let lines: String = lines.map(|line| format!("- {}\n", code(line))).collect();
    title + &about + &lines + if lines.is_empty() { "" } else { "\n" }
}

/// Appends to `text` as many rows as fit, followed by the number of omitted rows. No row is shown after the first one that
/// doesn't fit, since later rows are usually less important.
pub(super) fn fitted(
    mut text: String,
    tables: &[Table],
    limit: usize,
    heading: impl Fn(&Table) -> String,
    items: impl Fn(&Table) -> Vec<String>,
) -> String {
    let mut omitted = 0;
    for table in tables.iter().filter(|table| !table.rows.is_empty()) {
        let heading = heading(table);
        let room = limit.saturating_sub(text.len() + heading.len() + FENCES);
        let (shown, kept) = if omitted > 0 { (String::new(), 0) } else { fitting(&items(table), room) };
        omitted += table.rows.len() - kept;
        if kept > 0 {
            text += &(heading + &shown + "\n");
        }
    }
    text + left_out(omitted, "row", "rows").trim_start()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_shown_or_counted_and_no_heading_is_without_a_row() {
        let row = |row: i32| Row::new(Mark::Good, [Printable::new(&format!("row {row}"))]);
        let table = |title, rows| Table::new(Some(title), &[], (0..rows).map(row));
        let report = TableReport {
            about: Vec::new(),
            verdict: "20 rows".into(),
            mark: Mark::Good,
            tables: vec![table("One", 12), table("Two", 8)],
        };
        for limit in (400..900).step_by(7) {
            let text = write("roles", &report, limit);
            assert!(text.len() <= limit, "{limit}:\n{text}");
            let shown = text.matches("- `row ").count();
            match 20 - shown {
                0 => assert!(!text.contains("left out"), "{limit}:\n{text}"),
                1 => assert!(text.contains("**1 more row is not shown here**"), "{limit}:\n{text}"),
                more => assert!(
                    text.contains(&format!("**{more} more rows are not shown here**")),
                    "{limit}:\n{text}"
                ),
            }
            assert_eq!(text.contains("**Two**"), shown > 12, "{limit}:\n{text}");
        }
    }
}
