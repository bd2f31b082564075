//! The table of a plan, with a row per edit.

use std::collections::HashSet;

use super::{Cell, Columns, cell, origin, window};
use crate::printable::Printable;
use crate::report::facts::plan::{ChangeLine, EditLine, PlanReport};
use crate::roster::Field;

/// An edit and the person it applies to.
#[derive(Clone, Copy)]
pub(super) struct EditRow<'r> {
    change: &'r ChangeLine,
    edit: &'r EditLine,
    /// Whether the difference is left alone because the policy only observes the field, or because a window ended too long ago.
    is_observed: bool,
    /// Whether the edit makes the person gain or lose a guarded role.
    is_guarded: bool,
}

// The outcome has no column because `apply` has no CSV report.
pub(super) const COLUMNS: Columns<'_, fn(EditRow<'_>) -> Cell> = &[
    ("email", |row| cell(&row.change.email)),
    ("name", |row| cell(&row.change.person.name)),
    ("id", |row| cell(&row.change.person.id)),
    ("primary_email", |row| cell(&row.change.person.primary_email)),
    ("field", |row| cell(row.edit.field)),
    ("from", |row| cell(&row.edit.from)),
    ("to", |row| cell(&row.edit.to)),
    ("through_scim", |row| cell(&row.edit.through_scim)),
    ("observed", |row| cell(row.is_observed)),
    ("guarded", |row| cell(row.is_guarded)),
    ("cause", |row| cell(row.edit.cause)),
    ("origin", |row| origin(&row.edit.origin)),
    ("origin_until", |row| cell(window(&row.edit.origin).0)),
    ("origin_reason", |row| cell(window(&row.edit.origin).1)),
    ("file", |row| cell(&row.edit.location.file)),
    ("line", |row| cell(row.edit.location.line)),
    ("blame_actor_id", |row| cell(&row.edit.blame.as_ref()?.actor_id)),
    ("blame_actor_name", |row| cell(&row.edit.blame.as_ref()?.actor_name)),
    ("blame_actor_email", |row| cell(&row.edit.blame.as_ref()?.actor_email)),
    ("blame_source", |row| cell(&row.edit.blame.as_ref()?.source)),
    ("blame_action", |row| cell(&row.edit.blame.as_ref()?.action)),
    ("blame_at", |row| cell(row.edit.blame.as_ref()?.at)),
    ("blame_old", |row| cell(&row.edit.blame.as_ref()?.old)),
    ("blame_new", |row| cell(&row.edit.blame.as_ref()?.new)),
    ("blame_outdated", |row| cell(row.edit.blame.as_ref()?.outdated)),
];

/// Returns a row per edit, including observed differences.
pub(super) fn rows(plan: &PlanReport) -> impl Iterator<Item = EditRow<'_>> {
    let changes = plan.changes.iter().map(|change| (change, false));
    let observed = plan.observed.iter().map(|change| (change, true));
    let guarded: HashSet<&Printable> = plan.guarded_roles.iter().map(|line| &line.email).collect();
    changes.chain(observed).flat_map(move |(change, is_observed)| {
        let has_guarded_role = !is_observed && guarded.contains(&change.email);
        change.edits.iter().map(move |edit| EditRow {
            change,
            edit,
            is_observed,
            is_guarded: has_guarded_role && edit.field == Field::Role,
        })
    })
}
