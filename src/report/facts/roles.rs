//! The organization's roles, with the actual and the declared number of holders for each.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::OrganizationLine;
use crate::observed::{ObservedState, RoleId};
use crate::printable::Printable;
use crate::report::tables::{Mark, Row, Table, TableReport, cell};
use crate::report::words;
use crate::roster::{RoleName, Roster};

/// `roles`: all roles of the organization.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RolesReport {
    pub organization: OrganizationLine,
    /// Sorted by name.
    pub roles: Vec<RoleLine>,
    #[serde(skip)]
    pub has_files: bool,
    /// Role names in the files that do not match exactly one role of the organization.
    pub unknown: Vec<Printable>,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RoleLine {
    pub name: Printable,
    pub slug: Printable,
    pub id: Printable,
    /// The number of active people who hold the role, including through SCIM groups.
    pub held: usize,
    /// The number of people declared with the role outside of windows. `null` if there are no files.
    pub declared: Option<usize>,
    /// Whether several roles have the same name. If so, files must use the slug or ID.
    #[serde(rename = "ambiguous")]
    pub is_ambiguous: bool,
    /// Whether the role has no active holders and is not mentioned in any file.
    #[serde(rename = "unused")]
    pub is_unused: bool,
}

impl RolesReport {
    /// Creates the report for the roles in `observed`, counting the people declared with each one in `roster`.
    pub fn new(observed: &ObservedState, roster: Option<&Roster>, place: &str) -> Self {
        let mut declared: HashMap<&RoleName, usize> = HashMap::new();
        for person in roster.iter().flat_map(|roster| &roster.people) {
            if let Some(role) = &person.values.role {
                *declared.entry(&role.value.value).or_default() += 1;
            }
        }
        let catalog = &observed.roles;
        let mut named: HashMap<&RoleId, usize> = HashMap::new();
        let mut unknown = Vec::new();
        for name in roster.iter().flat_map(|roster| roster.named_roles().into_keys()) {
            match catalog.only(name) {
                Some(role) => *named.entry(&role.id).or_default() += declared.get(name).copied().unwrap_or(0),
                None => unknown.push(Printable::new(name)),
            }
        }
        let held =
            |id: &RoleId| observed.people().filter(|person| !person.deactivated && person.holds(id)).count();
        let roles = catalog.iter().map(|role| {
            let (held, declared) = (held(&role.id), named.get(&role.id));
            RoleLine {
                name: Printable::new(&role.name),
                slug: Printable::new(&role.slug),
                id: Printable::new(&role.id.0),
                held,
                declared: roster.map(|_| declared.copied().unwrap_or(0)),
                is_ambiguous: catalog.meant(&role.name).len() > 1,
                is_unused: held == 0 && declared.is_none(),
            }
        });
        Self {
            organization: OrganizationLine::new(&observed.organization, place),
            roles: roles.collect(),
            has_files: roster.is_some(),
            unknown,
        }
    }

    pub fn tables(&self) -> TableReport {
        let Self { organization, roles, has_files, unknown } = self;
        let unused = roles.iter().filter(|role| role.is_unused).count();
        let ambiguous = roles.iter().filter(|role| role.is_ambiguous).count();
        let mut verdict = vec![words::count(roles.len(), "role", "roles")];
        verdict.extend((unused > 0).then(|| format!("{unused} unused")));
        verdict.extend((ambiguous > 0).then(|| format!("{ambiguous} with a duplicate name")));
        verdict.extend(
            (!unknown.is_empty()).then(|| format!("{} named in the files, but not found", unknown.len())),
        );
        let ids = || roles.iter().map(|role| role.id.raw());
        let is_plain = |id: &str| id.chars().all(|char| char.is_ascii_alphanumeric() || char == '-');
        let has_long_ids = ids().any(|id| id.len() > LONGEST_ID) && ids().all(is_plain);
        let rows = roles.iter().map(|role| row(role, has_long_ids));
        let mark = if unknown.is_empty() { Mark::Good } else { Mark::Bad };
        let unknown = unknown.iter().map(|name| {
            Row::new(Mark::Bad, [cell(name)]).note("this name in the files matches no role, or more than one")
        });
        let mut columns = vec!["name", "slug"];
        columns.extend((!has_long_ids).then_some("id"));
        columns.push("holders");
        columns.extend(has_files.then_some("declared"));
        TableReport {
            about: vec![words::organization(organization)],
            verdict: verdict.join(" · "),
            mark,
            tables: vec![Table::new(None, &columns, rows.chain(unknown))],
        }
    }
}

/// The maximum length of an ID in a column. If any ID is longer, as UUIDs are, all IDs move to notes, so that rows fit in 80
/// columns. Even then, all IDs stay in the column if any ID has unexpected characters, because notes are wrapped at spaces.
const LONGEST_ID: usize = 20;

fn row(role: &RoleLine, has_long_ids: bool) -> Row {
    let RoleLine { name, slug, id, held, declared, is_ambiguous, is_unused } = role;
    let mut cells = vec![cell(name), cell(slug)];
    cells.extend((!has_long_ids).then(|| cell(id)));
    cells.push(Printable::new(&held.to_string()));
    cells.extend(declared.map(|declared| Printable::new(&declared.to_string())));
    cells.extend(is_unused.then(|| Printable::new("unused")));
    let mut row = Row::new(if *is_ambiguous { Mark::Attention } else { Mark::Plain }, cells);
    row.notes.extend(has_long_ids.then(|| format!("ID {}", cell(id))));
    if *is_ambiguous {
        row = row.note("another role has the same name; use the slug or the ID in the files");
    }
    row
}
