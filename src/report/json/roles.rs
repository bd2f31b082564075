//! The organisation's roles.

use schemars::JsonSchema;
use serde::Serialize;

use super::{OrganizationOf, VERSION, encode, organization_of};
use crate::exit::Exit;
use crate::printable::Printable;
use crate::report::facts::roles::{RoleLine, RolesReport};

/// `roles`: the organisation's roles.
#[derive(Serialize, JsonSchema)]
pub(super) struct Roles<'a> {
    version: u32,
    command: &'a str,
    exit_code: u8,
    organization: OrganizationOf<'a>,
    roles: Vec<Role<'a>>,
    /// Named in the files, and no one role of the organisation.
    unknown: Vec<&'a str>,
}

#[derive(Serialize, JsonSchema)]
struct Role<'a> {
    name: &'a str,
    slug: &'a str,
    id: &'a str,
    held: usize,
    /// Nothing where there are no files.
    declared: Option<usize>,
    ambiguous: bool,
    unused: bool,
}

pub(super) fn write(command: &str, exit: Exit, report: &RolesReport) -> String {
    let RolesReport { organization, roles, has_files, unknown } = report;
    let roles = roles.iter().map(|line| {
        let RoleLine { name, slug, id, held, declared, is_named: _, is_ambiguous } = line;
        Role {
            name: name.raw(),
            slug: slug.raw(),
            id: id.raw(),
            held: *held,
            declared: has_files.then_some(*declared),
            ambiguous: *is_ambiguous,
            unused: line.is_unused(),
        }
    });
    encode(&Roles {
        version: VERSION,
        command,
        exit_code: exit.code(),
        organization: organization_of(organization),
        roles: roles.collect(),
        unknown: unknown.iter().map(Printable::raw).collect(),
    })
}
