//! `import`: writes the organization to new files, or updates existing files.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::io::ErrorKind;
use std::path::Path;

use super::connection::Connection;
use super::files::{declared, read_if_there};
use super::prepare::{observe, settle};
use super::state::{is_new, observed_state, write_state};
use super::write::{Rewritten, not_written, rewrite};
use super::{CommandCode, Done, Environment, Trouble, block_on};
use crate::adoption::{Adoption, declarable_values};
use crate::cli::{Common, ImportArgs};
use crate::exit::Exit;
use crate::layout::{NewFile, PersonValues, fresh};
use crate::observed::{Found, Meaning, ObservedState, Person, RoleCatalog, UserId};
use crate::plan::Change;
use crate::printable::Printable;
use crate::private::Staged;
use crate::problem::Problem;
use crate::report::facts::files::{FileLine, FileState, FilesReport, SkippedLine, file_lines, skipped_lines};
use crate::report::{Body, words};
use crate::roster::{Email, PerField, RoleName, Roster};
use crate::source::{FileId, Sources};
use crate::spelling::did_you_mean;
use crate::target_file::follow_links;

pub(super) fn run(args: &ImportArgs, common: &Common, environment: &Environment) -> Done {
    if let Some(path) = &args.state {
        return state(path, args, common, environment);
    }
    if args.update { update(args, common, environment) } else { begin(args, common, environment) }
}

/// Writes the organization to a sandbox state. The files are read only for the pinned organization.
fn state(path: &Path, args: &ImportArgs, common: &Common, environment: &Environment) -> Done {
    is_new(path)?;
    let roster = read_if_there(&common.config, environment.clock.now())?.unwrap_or_default();
    block_on(async {
        let connection = Connection::open(&roster, &args.connection, common, environment).await?;
        let observed = connection.observe_with_deactivated(&roster).await?.state;
        let state = observed_state(&observed, connection.region())?;
        connection.close().await?;
        write_state(path, &state)
    })
}

/// Writes a new file.
fn begin(args: &ImportArgs, common: &Common, environment: &Environment) -> Done {
    let path = &common.config;
    let name = path.to_string_lossy().into_owned();
    if path.try_exists().unwrap_or(true) {
        return Err(is_there(&name).into());
    }
    block_on(async {
        let nobody = Roster::default();
        let connection = Connection::open(&nobody, &args.connection, common, environment).await?;
        let state = connection.observe(&nobody, &[]).await?.state;
        let Beginning { text, declared, default_role, unicode, left } =
            beginning(&state, &connection, args.fields());
        connection.close().await?;
        let line = FileLine::new(&name, state_of(args), "", &text);
        if !args.diff {
            write(path, &text).map_err(|error| match error.kind() {
                ErrorKind::AlreadyExists => is_there(&name),
                _ => not_written(&name, &error),
            })?;
        }
        let files = vec![if args.diff { line } else { FileLine { hunks: Vec::new(), ..line } }];
        let default_role = default_role.as_ref().map(|(role, number)| (role, *number));
        let verdict = words::imported(declared, default_role, left.len(), unicode, args.diff);
        Ok((Body::Files(Box::new(FilesReport { verdict, files, left })), Exit::Done))
    })
}

fn is_there(name: &str) -> Problem {
    let name = Printable::cut(name, 200);
    Problem::new(CommandCode::FileExists, format!("{name} already exists"))
        .help("run `rolecall import --update` to update it; to start again, move it away")
}

/// Writes a new file that everyone may read, because it goes into git. Does not overwrite a file that was created in the meantime.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let staged = Staged::open(&follow_links(path))?;
    #[cfg(unix)]
    let staged = {
        use std::os::unix::fs::PermissionsExt;
        staged.allow(std::fs::Permissions::from_mode(0o644))?
    };
    staged.fill(text)?.place_new()
}

fn state_of(args: &ImportArgs) -> FileState {
    if args.diff { FileState::WouldBeWritten } else { FileState::Written }
}

struct Beginning {
    text: String,
    /// The number of people in it.
    declared: usize,
    /// The role in `[defaults]`, and how many of them have it.
    default_role: Option<(RoleName, usize)>,
    /// The number of their addresses that have letters outside ASCII.
    unicode: usize,
    /// The people in Pylon who are not in it.
    left: Vec<SkippedLine>,
}

fn beginning(state: &ObservedState, connection: &Connection, wanted: PerField<bool>) -> Beginning {
    let mut people = Vec::new();
    let mut left = Vec::new();
    for person in state.people().filter(|person| !person.deactivated) {
        match newcomer(person, state, wanted) {
            Ok(new) => people.push(new),
            Err(why) => {
                let address = person.email.as_str();
                let name = if address.is_empty() { person.id.as_str() } else { address };
                left.push(SkippedLine { email: Printable::new(name), why, location: None });
            }
        }
    }
    let unicode = people.iter().filter(|person| !person.email.as_str().is_ascii()).count();
    let default = most_common(&people, &state.roles);
    let file = NewFile {
        allow_unicode_emails: unicode > 0,
        organization: Some(state.organization.id.as_str()).filter(|id| !id.is_empty()),
        region: connection.region(),
        default_role: default.as_ref().map(|(role, _)| role),
        people: &people,
    };
    Beginning { text: fresh(&file), declared: people.len(), default_role: default, unicode, left }
}

/// Returns a person as a new file declares them, or why it cannot.
fn newcomer(person: &Person, state: &ObservedState, wanted: PerField<bool>) -> Result<PersonValues, String> {
    if Email::declared(person.email.as_str(), true).is_err() {
        return Err("person: no file can declare this address".into());
    }
    if matches!(state.find(&person.email), Found::Several(_)) {
        return Err("person: several people in Pylon have this address".into());
    }
    let values = declarable_values(person, wanted, &state.roles)
        .map_err(|(field, why)| words::not_written(Some(field), &why, &state.roles))?;
    Ok(PersonValues { email: person.email.clone(), values })
}

/// The role of most people, for `[defaults]`, and their number. Never the administrators' role: a person who is added to the file without a role
/// would become an administrator. Of several, the one with the least access that is known, then the first by name, so
/// that the same organization gives the same file.
fn most_common(people: &[PersonValues], roles: &RoleCatalog) -> Option<(RoleName, usize)> {
    let mut counts: BTreeMap<&RoleName, usize> = BTreeMap::new();
    for role in people.iter().filter_map(|person| person.values.role.as_ref()) {
        *counts.entry(role).or_default() += 1;
    }
    let slug = |name: &RoleName| match roles.meaning(name) {
        Meaning::One(role) => role.slug.clone(),
        Meaning::Ambiguous(_) | Meaning::Unknown => String::new(),
    };
    let access =
        |name: &RoleName| ["viewer", "member"].iter().position(|known| *known == slug(name)).unwrap_or(2);
    let candidates = counts.into_iter().filter(|(role, _)| slug(role) != "admin");
    candidates
        .min_by_key(|(role, count)| (Reverse(*count), access(role)))
        .map(|(role, count)| (role.clone(), count))
}

/// Updates the files with the values in Pylon.
fn update(args: &ImportArgs, common: &Common, environment: &Environment) -> Done {
    let files = declared(None, common, environment)?;
    let into = args.into.as_deref().map(|into| file_named(into, &files.roster.sources)).transpose()?;
    block_on(async {
        let roster = files.roster.clone();
        let (connection, observation) = observe(&files, &[], &args.connection, common, environment).await?;
        let prepared = settle(&files, &[], None, &connection, observation)?;
        let plan = &prepared.reviewed.plan;
        let differing = merged(plan.changes.iter().chain(&plan.observed));
        let mut adoption = Adoption::of_changes(differing.iter(), &roster, &prepared.observation.state.roles);
        if let Some(file) = into {
            let unmanaged =
                plan.unmanaged.iter().filter_map(|email| match prepared.observation.state.find(email) {
                    Found::Primary(person) => Some(person),
                    Found::Secondary(_) | Found::Several(_) | Found::NotFound => None,
                });
            let unmanaged: Vec<&Person> = unmanaged.collect();
            adoption.add(&unmanaged, file, &roster, &prepared.observation.state.roles, args.fields());
        }
        if !args.diff {
            let rewritten = adoption.files.iter().map(|edit| Rewritten {
                name: roster.sources.name(edit.file),
                before: roster.sources.text(edit.file),
                after: edit.text.clone(),
            });
            rewrite(rewritten.collect())?;
        }
        let unmanaged = if into.is_some() { 0 } else { plan.unmanaged.len() };
        let report = updated(args, &adoption, &roster, &prepared.observation.state, unmanaged);
        connection.close().await?;
        Ok((Body::Files(Box::new(report)), Exit::Done))
    })
}

fn updated(
    args: &ImportArgs,
    adoption: &Adoption,
    roster: &Roster,
    state: &ObservedState,
    unmanaged: usize,
) -> FilesReport {
    let mut files = file_lines(adoption, &roster.sources, state_of(args));
    if !args.diff {
        files.iter_mut().for_each(|file| file.hunks.clear());
    }
    let left = skipped_lines(adoption, &roster.sources, &state.roles);
    let verdict = words::updated(adoption.people.len(), adoption.added, left.len(), unmanaged, args.diff);
    FilesReport { verdict, files, left }
}

/// Merges the enforced and the observed changes of each person.
fn merged<'c>(changes: impl Iterator<Item = &'c Change>) -> Vec<Change> {
    let mut merged: Vec<Change> = Vec::new();
    let mut known: HashMap<UserId, usize> = HashMap::new();
    for change in changes {
        match known.get(&change.subject.id) {
            None => {
                known.insert(change.subject.id.clone(), merged.len());
                merged.push(change.clone());
            }
            Some(number) => merged[*number].edits.extend(change.edits.iter().cloned()),
        }
    }
    merged
}

/// Returns the file that `--into` names, which must be one of the files that were read.
fn file_named(into: &Path, sources: &Sources) -> Result<FileId, Trouble> {
    let canonical = |name: &Path| std::fs::canonicalize(name).ok();
    let wanted = canonical(into);
    let found =
        sources.ids().find(|file| wanted.is_some() && canonical(sources.name(*file).as_ref()) == wanted);
    found.ok_or_else(|| {
        let name = into.to_string_lossy();
        let names: Vec<&str> = sources.iter().map(|(name, _)| name).collect();
        let problem =
            Problem::new(CommandCode::NotRead, format!("{} is not one of the files that are read", Printable::cut(&name, 200)));
        let near = did_you_mean(&name, names.iter().copied());
        problem
            .help(match near {
                Some(near) => format!("did you mean {}?", Printable::new(near)),
                None => "--into must name the root file or a file that it includes; create an empty file first if needed".into(),
            })
            .into()
    })
}
