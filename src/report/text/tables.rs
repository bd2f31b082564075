//! Text reports made up of tables.

use similar::ChangeTag;

use super::wrap::{self, verbatim, whole};
use super::{padded, place};
use crate::report::diff::Hunk;
use crate::report::style::{Styles, styled};
use crate::report::tables::{Mark, Row, Table, TableReport};

/// The maximum width of a column. Longer cells push the rest of their line to the right.
const WIDEST: usize = 44;
/// The maximum width of notes, even on wider terminals.
const NOTE: usize = 100;
const CELL_INDENT: usize = 4;
const NOTE_INDENT: usize = 6;

pub(super) fn tables(command: &str, report: &TableReport, styles: &Styles, width: Option<usize>) -> String {
    let TableReport { about, verdict, mark: _, tables } = report;
    let about: String = about.iter().map(|about| format!(" · {about}")).collect();
    let mut text = format!("{}{about}\n", styled(styles.heading, format_args!("rolecall {command}")));
    for Table { title, columns, rows } in tables.iter().filter(|table| !table.rows.is_empty()) {
        text.push('\n');
        if let Some(title) = title {
            text += &format!("{title}\n");
        }
        let widths = widths(columns, rows);
        if !columns.is_empty() {
            let heads: String =
                columns.iter().zip(&widths).map(|(head, width)| format!("{head:<width$}  ")).collect();
            text += &format!("    {}\n", styled(styles.quiet, heads.trim_end()));
        }
        rows.iter().for_each(|row| text += &row_lines(row, &widths, width, styles));
    }
    text + &format!("\n{verdict}\n")
}

fn widths(columns: &[&str], rows: &[Row]) -> Vec<usize> {
    let count = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0).max(columns.len());
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| Some(row.cells.get(column)?.width()));
        let head = columns.get(column).map_or(0, |head| head.len());
        cells.max().unwrap_or(0).max(head).min(WIDEST)
    };
    (0..count).map(width).collect()
}

fn row_lines(row: &Row, widths: &[usize], width: Option<usize>, styles: &Styles) -> String {
    let Row { mark, cells, path, notes, location, hunks } = row;
    let sign = match mark {
        Mark::Plain => " ".to_owned(),
        Mark::Good => styled(styles.good, "✓"),
        Mark::Attention => styled(styles.attention, "!"),
        Mark::Bad => styled(styles.bad, "✗"),
    };
    let cells: String = cells.iter().zip(widths).map(|(cell, width)| padded(cell, *width) + "  ").collect();
    let at = location.as_ref().map_or_else(String::new, |at| format!(" {}", styled(styles.quiet, place(at))));
    let line = format!("  {sign} {}{at}\n", if at.is_empty() { cells.trim_end() } else { &cells });
    let mut text = width.map_or_else(|| line.clone(), |width| hanging(&line, widths, width));
    path.iter().for_each(|path| text += &format!("      {}\n", whole(path.as_str())));
    let note_width = width.map_or(NOTE, |width| NOTE.min(width.saturating_sub(NOTE_INDENT)));
    for line in notes.iter().flat_map(|note| note.lines()) {
        // In a remedy, only TOML to copy is indented.
        if line.starts_with("  ") {
            text += &verbatim(&format!("      {line}\n"));
            continue;
        }
        let lines = textwrap::wrap(line, wrap::options(note_width));
        lines.iter().for_each(|line| text += &format!("      {line}\n"));
    }
    hunks.iter().for_each(|hunk| text += &hunk_lines(hunk, styles));
    text
}

/// Wraps a row. Continuation lines start below the last cell if that cell is in the left half of the terminal. Otherwise,
/// they're indented like notes.
fn hanging(line: &str, widths: &[usize], width: usize) -> String {
    let before_last = widths.len().saturating_sub(1);
    let last = CELL_INDENT + widths.iter().take(before_last).map(|width| width + 2).sum::<usize>();
    let indent = if last <= width / 2 { last } else { NOTE_INDENT };
    wrap::wrapped_line(line, width, indent)
}

pub(super) fn hunk_lines(hunk: &Hunk, styles: &Styles) -> String {
    let line = |(tag, line): &(ChangeTag, String)| {
        let style = match tag {
            ChangeTag::Equal => styles.quiet,
            ChangeTag::Delete => styles.bad,
            ChangeTag::Insert => styles.good,
        };
        let line = styled(style, format!("{tag}{line}").trim_end());
        verbatim(&format!("      {line}\n"))
    };
    hunk.lines.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::printable::Printable;
    use crate::report::tables::cell;

    #[test]
    fn places_and_paths_with_spaces_stay_whole() {
        let location = crate::source::Location { file: "our team/users.toml".into(), line: 47, column: 1 };
        let row = Row::new(Mark::Plain, [Printable::new("role"), Printable::new("set for the person")])
            .at(location);
        let row = Row { path: Some(cell(&Printable::new("our team/.rolecall/journal/1.jsonl"))), ..row };
        let lines = row_lines(&row, &[4, 18], Some(36), &Styles::new(false));
        let expected = "    role  set for the person\n          our team/users.toml:47\n      our team/.rolecall/journal/1.jsonl\n";
        assert_eq!(wrap::wrapped(&lines, Some(36)), expected);
    }

    #[test]
    fn wrapping_a_note_does_not_create_a_command_of_a_job() {
        let word = format!("{}::error::x", "n".repeat(NOTE));
        let row = Row::new(Mark::Bad, [Printable::new("a")]).note(format!("mean {word}?"));
        assert_eq!(
            row_lines(&row, &[1], None, &Styles::new(false)),
            format!("  ✗ a\n      mean\n      {word}?\n")
        );
    }
}
