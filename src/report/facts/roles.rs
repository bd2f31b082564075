//! The organisation's roles: how a file may name each, who holds it, who is declared with it.

use std::collections::HashMap;

use super::OrganizationLine;
use crate::observed::{Meaning, ObservedState, RoleId};
use crate::printable::Printable;
use crate::report::sheet::{Mark, Row, Section, Sheet, cell};
use crate::report::words;
use crate::roster::{RoleName, Roster};

/// Every role.
#[derive(Debug, Clone)]
pub struct RolesReport {
    /// Whose they are.
    pub organization: OrganizationLine,
    /// The roles by name.
    pub roles: Vec<RoleLine>,
    /// Whether there are files to count declarations in.
    pub has_files: bool,
    /// Roles that the files name and the organisation does not have.
    pub unknown: Vec<Printable>,
}

/// One role.
#[derive(Debug, Clone)]
pub struct RoleLine {
    /// May repeat.
    pub name: Printable,
    /// Unique.
    pub slug: Printable,
    /// Unique.
    pub id: Printable,
    /// How many active people hold it, from wherever.
    pub held: usize,
    /// How many people are declared with it outside windows.
    pub declared: usize,
    /// The files name it: of a person, in a window or in a guardrail.
    pub is_named: bool,
    /// Several roles have this name, so a file has to name it by slug or id.
    pub is_ambiguous: bool,
}

impl RoleLine {
    /// Nobody holds it and no file names it.
    pub fn is_unused(&self) -> bool {
        self.held == 0 && !self.is_named
    }
}

impl RolesReport {
    /// The roles of `observed`, counted in `roster` where there is one.
    pub fn new(observed: &ObservedState, roster: Option<&Roster>, place: &str) -> Self {
        let mut declared: HashMap<&RoleName, usize> = HashMap::new();
        for person in roster.iter().flat_map(|roster| &roster.people) {
            if let Some(role) = &person.values.role {
                *declared.entry(&role.value.value).or_default() += 1;
            }
        }
        let catalogue = &observed.roles;
        let mut named: HashMap<&RoleId, usize> = HashMap::new();
        let mut unknown = Vec::new();
        for name in roster.iter().flat_map(|roster| roster.named_roles().into_keys()) {
            match catalogue.meaning(name) {
                Meaning::One(role) => {
                    *named.entry(&role.id).or_default() += declared.get(name).copied().unwrap_or(0);
                }
                Meaning::Ambiguous(_) | Meaning::Unknown => unknown.push(Printable::new(name)),
            }
        }
        let held =
            |id: &RoleId| observed.people().filter(|person| !person.deactivated && person.holds(id)).count();
        let roles = catalogue.iter().map(|role| RoleLine {
            name: Printable::new(&role.name),
            slug: Printable::new(&role.slug),
            id: Printable::new(&role.id.0),
            held: held(&role.id),
            declared: named.get(&role.id).copied().unwrap_or(0),
            is_named: named.contains_key(&role.id),
            is_ambiguous: matches!(catalogue.meaning(&role.name), Meaning::Ambiguous(_)),
        });
        Self {
            organization: OrganizationLine::new(&observed.organization, place),
            roles: roles.collect(),
            has_files: roster.is_some(),
            unknown,
        }
    }

    /// The rows of it.
    pub fn sheet(&self) -> Sheet {
        let Self { organization, roles, has_files, unknown } = self;
        let unused = roles.iter().filter(|role| role.is_unused()).count();
        let ambiguous = roles.iter().filter(|role| role.is_ambiguous).count();
        let mut verdict = vec![words::count(roles.len(), "role", "roles")];
        verdict.extend((unused > 0).then(|| format!("{unused} unused")));
        verdict.extend((ambiguous > 0).then(|| format!("{ambiguous} with a name that another has too")));
        verdict.extend(
            (!unknown.is_empty()).then(|| format!("{} named in the files and not there", unknown.len())),
        );
        let rows = roles.iter().map(|role| row(role, *has_files));
        let mark = if unknown.is_empty() { Mark::Good } else { Mark::Bad };
        let unknown = unknown.iter().map(|name| {
            Row::new(Mark::Bad, [cell(name)])
                .note("the files name it; the organisation has no one role of this name")
        });
        let mut columns = vec!["name", "slug", "id", "hold it"];
        columns.extend(has_files.then_some("declared"));
        Sheet {
            about: vec![words::organization(organization)],
            verdict: verdict.join(" · "),
            mark,
            sections: vec![Section { title: None, columns, rows: rows.chain(unknown).collect() }],
        }
    }
}

fn row(role: &RoleLine, has_files: bool) -> Row {
    let RoleLine { name, slug, id, held, declared, is_named: _, is_ambiguous } = role;
    let mut cells = vec![cell(name), cell(slug), cell(id), Printable::new(&held.to_string())];
    cells.extend(has_files.then(|| Printable::new(&declared.to_string())));
    let mark = if *is_ambiguous { Mark::Attention } else { Mark::Plain };
    cells.extend(role.is_unused().then(|| Printable::new("unused")));
    let row = Row::new(mark, cells);
    if *is_ambiguous {
        row.note("another role has this name: write the slug or the id in the files")
    } else {
        row
    }
}
