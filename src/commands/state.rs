//! Writes a sandbox state to a new file: either a sandbox's initial state or a copy of the real organization.
//!
//! Existing files are never overwritten. `sandbox` decides which state a sandbox starts from.

use std::io::ErrorKind;
use std::path::Path;

use jiff::Timestamp;

use super::write::not_written;
use super::{CommandCode, Done};
use crate::exit::Exit;
use crate::observed::{HeldValues, Integration, ObservedState, Person};
use crate::printable::Printable;
use crate::private::Staged;
use crate::problem::Problem;
use crate::report::facts::files::{FileLine, FileState, FilesReport};
use crate::report::{Body, words};
use crate::roster::{FieldValue, PerField, Region};
use crate::sandbox::{
    ApiSettings, Organization, Region as SandboxRegion, Role, SandboxState, UserKind, World, WrittenUser,
};
use crate::target_file::follow_links;

/// Writes a state to a new file that only its owner can read, because the state reveals who has which role.
pub(super) fn write_state(path: &Path, state: &SandboxState) -> Done {
    let name = path.to_string_lossy();
    is_new(path)?;
    let written =
        Staged::open(&follow_links(path)).and_then(|staged| staged.fill(&state.to_json())?.place_new());
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => exists(path),
        _ => not_written(&name, &error),
    })?;
    let file = FileLine::new(&name, FileState::Written, None);
    let people = state.users.iter().filter(|user| user.kind == UserKind::Person).count();
    let roles = state.roles.as_ref().map_or(0, Vec::len);
    let verdict = words::state_written(people, state.users.len() - people, roles);
    Ok((
        Body::Files(Box::new(FilesReport { verdict, files: vec![file], not_written: Vec::new() })),
        Exit::Done,
    ))
}

/// Fails if the file already exists.
pub(super) fn is_new(path: &Path) -> Result<(), Problem> {
    if path.try_exists().unwrap_or(true) { Err(exists(path)) } else { Ok(()) }
}

fn exists(path: &Path) -> Problem {
    let name = Printable::path(path);
    Problem::new(CommandCode::StateExists, format!("{name} already exists"))
        .help("name another file, or move this one away; nothing was written")
}

/// Converts the observed organization into a sandbox state. `region` is the organization's region, if known.
pub(super) fn observed_state(
    observed: &ObservedState,
    region: Option<Region>,
) -> Result<SandboxState, Problem> {
    let mut users: Vec<WrittenUser> = observed.people().map(written).collect();
    for Integration { id, name } in &observed.integrations {
        users.push(WrittenUser {
            id: Some(id.as_str().to_owned()),
            kind: UserKind::Integration,
            name: Some(name.clone()),
            ..WrittenUser::default()
        });
    }
    let token_user = observed.token_user.as_ref().map(|id| id.as_str().to_owned());
    let state = SandboxState {
        organization: Organization {
            id: observed.organization.id.clone(),
            name: observed.organization.name.clone(),
        },
        // The token owner isn't necessarily in the list of users.
        token_user: token_user.filter(|id| users.iter().any(|user| user.id.as_ref() == Some(id))),
        roles: Some(
            observed.roles.iter().map(|role| Role::new(&role.id.0, &role.name, &role.slug)).collect(),
        ),
        users,
        settings: ApiSettings {
            region: region.map(sandbox_region).unwrap_or_default(),
            ..ApiSettings::default()
        },
        ..SandboxState::default()
    };
    // Building a `World` validates the state and fills in the defaults. The time is a placeholder that isn't written to the file.
    let world = World::new(state, Timestamp::UNIX_EPOCH).map_err(|problems| {
        let why = Printable::cut(problems.first().map_or("", String::as_str), 300);
        Problem::new(CommandCode::BadSandboxState, format!("the sandbox cannot use this organization: {why}"))
    })?;
    Ok(world.to_state())
}

fn written(person: &Person) -> WrittenUser {
    let Person { id, email, secondary, name, held, deactivated } = person;
    let PerField { role: HeldValues { assigned, from_scim }, status: _ } = held;
    let ids = |roles: &[FieldValue]| roles.iter().map(ToString::to_string).collect();
    WrittenUser {
        id: Some(id.as_str().to_owned()),
        email: email.as_str().to_owned(),
        emails: secondary.iter().map(|other| other.as_str().to_owned()).collect(),
        name: Some(name.clone()),
        status: Some(person.status().to_owned()),
        roles: ids(assigned),
        scim_roles: ids(from_scim),
        deactivated: *deactivated,
        ..WrittenUser::default()
    }
}

pub(super) fn sandbox_region(region: Region) -> SandboxRegion {
    match region {
        Region::Us => SandboxRegion::Us,
        Region::Eu => SandboxRegion::Eu,
    }
}
