//! Sandbox states that people ask for in a file: what the sandbox would start from, or the real organization.
//!
//! Guarantees that no file is overwritten. Leaves to `sandbox` which state the sandbox starts from.

use std::io::ErrorKind;
use std::path::Path;

use super::write::not_written;
use super::{Code, Done};
use crate::exit::Exit;
use crate::observed::{Integration, ObservedState, Person, RoleId};
use crate::printable::Printable;
use crate::private::Staged;
use crate::problem::Problem;
use crate::report::facts::files::{FileLine, FileState, FilesReport};
use crate::report::{Body, words};
use crate::roster::Region;
use crate::sandbox::{
    Draft, Kind, Organization, Person as SandboxPerson, Region as SandboxRegion, Role, Settings, State,
};
use crate::target_file::behind_links;

/// Writes a state to a new file, for its owner only: it says who has which role.
pub(super) fn write_state(path: &Path, state: &State) -> Done {
    let name = path.to_string_lossy();
    is_new(path)?;
    let written =
        Staged::open(&behind_links(path)).and_then(|staged| staged.fill(&state.to_json())?.place_new());
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => exists(path),
        _ => not_written(&name, &error),
    })?;
    let file = FileLine { name: Printable::new(&name), state: FileState::Written, hunks: Vec::new() };
    let verdict = words::state_written(state.people(), state.len() - state.people(), state.roles().len());
    Ok((Body::Files(Box::new(FilesReport { verdict, files: vec![file], left: Vec::new() })), Exit::Done))
}

/// Fails if the file exists.
pub(super) fn is_new(path: &Path) -> Result<(), Problem> {
    if path.try_exists().unwrap_or(true) { Err(exists(path)) } else { Ok(()) }
}

fn exists(path: &Path) -> Problem {
    let name = Printable::cut(&path.to_string_lossy(), 200);
    Problem::new(Code::StateExists, format!("{name} already exists"))
        .help("name another file, or move this one away; nothing was written")
}

/// The organization that was read, as a state of the sandbox. `region` is the one that was asked, if it is known.
pub(super) fn observed_state(observed: &ObservedState, region: Option<Region>) -> Result<State, Problem> {
    let people = observed.people().map(person);
    let integrations = observed
        .integrations
        .iter()
        .map(|Integration { id, name }| SandboxPerson::of_kind(Kind::Integration, name).id(id.as_str()));
    let users: Vec<SandboxPerson> = people.chain(integrations).collect();
    let token_user = observed.token_user.as_ref().map(|id| id.as_str().to_owned());
    let draft = Draft {
        organization: Organization {
            id: observed.organization.id.clone(),
            name: observed.organization.name.clone(),
        },
        // The user of an API token may not be listed.
        token_user: token_user.filter(|id| users.iter().any(|user| user.id.as_ref() == Some(id))),
        roles: Some(
            observed.roles.iter().map(|role| Role::new(&role.id.0, &role.name, &role.slug)).collect(),
        ),
        users,
        settings: Settings { region: region.map(sandbox_region).unwrap_or_default(), ..Settings::default() },
        ..Draft::default()
    };
    draft.check().map_err(|error| {
        let why = error.problems().first().cloned().unwrap_or_default();
        Problem::new(
            Code::BadSandboxState,
            format!("the sandbox cannot have this organization: {}", Printable::cut(&why, 300)),
        )
    })
}

fn person(person: &Person) -> SandboxPerson {
    let Person { id, email, secondary, name, assigned, from_scim, status, deactivated } = person;
    let ids = |roles: &[RoleId]| roles.iter().map(|role| role.0.to_string()).collect();
    SandboxPerson {
        id: Some(id.as_str().to_owned()),
        email: email.as_str().to_owned(),
        emails: secondary.iter().map(|other| other.as_str().to_owned()).collect(),
        name: Some(name.clone()),
        status: Some(status.clone()),
        roles: ids(assigned),
        scim_roles: ids(from_scim),
        deactivated: *deactivated,
        ..SandboxPerson::default()
    }
}

pub(super) fn sandbox_region(region: Region) -> SandboxRegion {
    match region {
        Region::Us => SandboxRegion::Us,
        Region::Eu => SandboxRegion::Eu,
    }
}
