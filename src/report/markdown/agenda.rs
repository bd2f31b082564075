//! The markdown report of `agenda`.

use super::{Links, scheduled, short, title};
use crate::report::facts::agenda::AgendaReport;
use crate::report::words;

pub(super) fn write(command: &str, report: &AgendaReport, links: Links<'_>, limit: usize) -> String {
    let AgendaReport { file, timezone, now: _, until, scheduled: lines, windows } = report;
    let until = until.as_ref().map_or_else(String::new, |until| format!(", until {}", short(until)));
    let head = title(command, &words::agenda(lines.len(), windows.len()))
        + &format!("{}, times in {}{until}\n\n", short(file), short(timezone));
    let room = limit.saturating_sub(head.len() + super::FENCES);
    (head + &scheduled(lines, links, room)).trim_end().to_owned() + "\n"
}
