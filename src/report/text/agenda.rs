//! The text report of `agenda`.

use super::scheduled_lines;
use crate::report::facts::agenda::{AgendaReport, WindowLine};
use crate::report::style::{Styles, styled};
use crate::report::words;

pub(super) fn agenda(report: &AgendaReport, styles: &Styles) -> String {
    let AgendaReport { file, timezone, now: _, until, scheduled, windows } = report;
    let until = until.as_ref().map_or_else(String::new, |until| format!(" · until {until}"));
    let mut text = format!("{} · {file} · {timezone}{until}\n\n", styled(styles.heading, "rolecall agenda"));
    text += &scheduled_lines(scheduled, styles);
    if !scheduled.is_empty() {
        text.push('\n');
    }
    text += &format!("{}\n", words::agenda(scheduled.len(), windows.len()));
    let open_ended = windows.iter().filter(|window| window.until.is_none());
    for WindowLine { email, location, .. } in open_ended {
        let place = styled(styles.quiet, super::place(location));
        text += &format!("{email} has a window with no end   {place}\n");
    }
    text
}
