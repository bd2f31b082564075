//! The CSV records of a plan, one per edit.

use std::collections::HashSet;

use super::plan::{BlameLine, ChangeLine, EditLine, PersonLine, PlanReport};
use crate::desired::Origin;
use crate::printable::Printable;
use crate::report::records::{Cell, Record, Records};
use crate::roster::Field;
use crate::source::Location;

/// An edit and the person it applies to.
struct EditRecord<'r> {
    change: &'r ChangeLine,
    edit: &'r EditLine,
    /// Whether the policy only observes the field and leaves the difference alone.
    is_observed: bool,
    /// Whether the edit makes the person gain or lose a guarded role.
    is_guarded: bool,
}

impl PlanReport {
    /// Returns one record per edit, including observed differences.
    pub fn records(&self) -> Records {
        let changes = self.changes.iter().map(|change| (change, false));
        let observed = self.observed.iter().map(|change| (change, true));
        let guarded: HashSet<&Printable> = self.guarded_roles.iter().map(|line| &line.email).collect();
        Records::new(changes.chain(observed).flat_map(|(change, is_observed)| {
            let has_guarded_role = !is_observed && guarded.contains(&change.email);
            change.edits.iter().map(move |edit| EditRecord {
                change,
                edit,
                is_observed,
                is_guarded: has_guarded_role && edit.field == Field::Role,
            })
        }))
    }

    /// Returns the column names without any records, for files that declare no people.
    pub fn no_records() -> Records {
        Records::new::<EditRecord<'_>, _>([])
    }
}

const COLUMNS: usize = 25;

impl Record<COLUMNS> for EditRecord<'_> {
    const COLUMNS: [&'static str; COLUMNS] = [
        "email",
        "name",
        "id",
        "primary_email",
        "field",
        "from",
        "to",
        "through_scim",
        "observed",
        "guarded",
        "cause",
        "origin",
        "origin_until",
        "origin_reason",
        "file",
        "line",
        "blame_actor_id",
        "blame_actor_name",
        "blame_actor_email",
        "blame_source",
        "blame_action",
        "blame_at",
        "blame_old",
        "blame_new",
        "blame_outdated",
    ];

    fn cells(&self) -> [Cell; COLUMNS] {
        let Self { change, edit, is_observed, is_guarded } = self;
        // Omit the outcome, which is never set because `apply` has no CSV report. Instead of the person's location, use the
        // edit's.
        let ChangeLine { email, person, edits: _, outcome: _, location: _ } = change;
        let PersonLine { id, name, primary_email } = person;
        let EditLine { field, from, to, through_scim, location, origin, blame, cause } = edit;
        let Location { file, line, column: _ } = location;
        let [actor_id, actor_name, actor_email, source, action, at, old, new, outdated] =
            blame.as_ref().map(blame_cells).unwrap_or_default();
        let [kind, until, reason] = origin_cells(origin);
        [
            email.into(),
            name.into(),
            id.into(),
            primary_email.as_ref().into(),
            field.as_str().into(),
            from.into(),
            to.into(),
            through_scim.into(),
            (*is_observed).into(),
            (*is_guarded).into(),
            cause.as_ref().map(Cell::word).into(),
            kind,
            until,
            reason,
            file.into(),
            (*line).into(),
            actor_id,
            actor_name,
            actor_email,
            source,
            action,
            at,
            old,
            new,
            outdated,
        ]
    }
}

/// Returns the kind of the origin, named as in JSON, followed by the end and the reason if it is a window.
pub(super) fn origin_cells(origin: &Origin) -> [Cell; 3] {
    let (kind, until, reason) = match origin {
        Origin::Person => ("person", None, None),
        Origin::Defaults => ("defaults", None, None),
        Origin::Window { until, reason } => {
            ("window", until.as_ref().map(|until| &until.written), reason.as_ref())
        }
        Origin::Rollback => ("rollback", None, None),
        Origin::After { window: _ } => ("after_window", None, None),
    };
    [kind.into(), until.into(), reason.into()]
}

pub(super) fn blame_cells(blame: &BlameLine) -> [Cell; 9] {
    let BlameLine { actor_id, actor_name, actor_email, source, action, at, old, new, outdated } = blame;
    [
        actor_id.as_ref().into(),
        actor_name.as_ref().into(),
        actor_email.as_ref().into(),
        source.as_ref().into(),
        action.into(),
        (*at).into(),
        old.as_ref().into(),
        new.as_ref().into(),
        (*outdated).into(),
    ]
}
