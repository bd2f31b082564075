//! The table of an agenda, with a row per scheduled change.

use super::{Cell, Columns, cell};
use crate::report::facts::agenda::{AgendaReport, ScheduledChange};

pub(super) const COLUMNS: Columns<'_, fn(&ScheduledChange) -> Cell> = &[
    ("when", |change| cell(&change.when)),
    ("email", |change| cell(&change.email)),
    ("field", |change| cell(change.field)),
    ("from", |change| cell(&change.from)),
    ("to", |change| cell(&change.to)),
    ("blocked_by", |change| cell(&change.blocked_by)),
    ("file", |change| cell(&change.location.file)),
    ("line", |change| cell(change.location.line)),
];

pub(super) fn rows(report: &AgendaReport) -> &[ScheduledChange] {
    let AgendaReport { file: _, timezone: _, now: _, until: _, scheduled, windows: _ } = report;
    scheduled
}
