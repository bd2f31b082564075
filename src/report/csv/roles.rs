//! The table of an organization's roles, with a row per role and per unknown name in the files.

use super::{Cell, Columns, cell};
use crate::printable::Printable;
use crate::report::facts::roles::{RoleLine, RolesReport};

/// A name and its role, or `None` if the name is in the files but doesn't match exactly one role.
type RoleRow<'r> = (&'r Printable, Option<&'r RoleLine>);

pub(super) const COLUMNS: Columns<'_, fn(RoleRow<'_>) -> Cell> = &[
    ("name", |(name, _)| cell(name)),
    ("slug", |(_, role)| cell(&role?.slug)),
    ("id", |(_, role)| cell(&role?.id)),
    ("held", |(_, role)| cell(role?.held)),
    ("declared", |(_, role)| cell(role?.declared)),
    ("ambiguous", |(_, role)| cell(role?.is_ambiguous)),
    ("unused", |(_, role)| cell(role?.is_unused)),
    ("unknown", |(_, role)| cell(role.is_none())),
];

pub(super) fn rows(report: &RolesReport) -> impl Iterator<Item = RoleRow<'_>> {
    let RolesReport { organization: _, roles, has_files: _, unknown } = report;
    let known = roles.iter().map(|role| (&role.name, Some(role)));
    known.chain(unknown.iter().map(|name| (name, None)))
}
