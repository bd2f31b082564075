//! `import`: writes the organization to new files or updates existing ones. `new_roster` decides what goes into new files.

use std::io::{Error, ErrorKind};
use std::path::Path;

use indexmap::IndexMap;

use super::connection::Connection;
use super::files::{declared, read_if_there};
use super::prepare::settle;
use super::state::{is_new, observed_state, write_state};
use super::write::{Created, Rewritten, create, not_written, rewrite, shown};
use super::{CommandCode, CommandError, Done, Session, block_on, folder};
use crate::adoption::Adoption;
use crate::cli::ImportArgs;
use crate::exit::Exit;
use crate::new_roster::{LeftOut, NewRoster, TEAMS, TeamFile};
use crate::observed::{Found, ObservedState, Person, RoleCatalog, UserId};
use crate::plan::Change;
use crate::printable::Printable;
use crate::problem::Problem;
use crate::regular::is_stdin;
use crate::report::facts::files::{FileLine, FileState, FilesReport, SkippedLine, file_lines, skipped_lines};
use crate::report::{Body, words};
use crate::roster::Roster;
use crate::source::{FileId, Sources};
use crate::spelling::did_you_mean;
use crate::target_file::follow_links;

pub(super) fn run(args: &ImportArgs, session: Session<'_>) -> Done {
    if let Some(path) = &args.state {
        return state(path, args, session);
    }
    if args.update { update(args, session) } else { begin(args, session) }
}

/// Writes the organization to a sandbox state file. Uses only the pinned organization and region from the config.
fn state(path: &Path, args: &ImportArgs, session: Session<'_>) -> Done {
    is_new(path)?;
    let roster = read_if_there(session)?.unwrap_or_default();
    block_on(async {
        let connection = Connection::open(&roster, &args.connection, session).await?;
        let observed = connection.observe_everyone(&roster, &[]).await?.state;
        let state = observed_state(&observed, connection.reader.region())?;
        connection.close().await?;
        write_state(path, &state)
    })
}

/// Writes the organization to new files.
fn begin(args: &ImportArgs, session: Session<'_>) -> Done {
    let config = &session.common.config;
    let teams = folder(config).join(TEAMS);
    let teams = teams.strip_prefix(".").unwrap_or(&teams);
    are_new(config, args.split_by.map(|_| teams))?;
    block_on(async {
        let empty = Roster::default();
        let connection = Connection::open(&empty, &args.connection, session).await?;
        let state = connection.observe(&empty, &[]).await?.state;
        let new = NewRoster::from_state(&state, connection.reader.region(), args.fields(), args.split_by);
        connection.close().await?;
        let report = begun(args, &new, &state.roles, config, teams);
        if !args.diff {
            write(new, config, teams)?;
        }
        Ok((Body::Files(Box::new(report)), Exit::Done))
    })
}

/// Checks that the new files wouldn't overwrite any existing files and that the new root file wouldn't include any.
fn are_new(config: &Path, teams: Option<&Path>) -> Result<(), Problem> {
    if is_stdin(config) {
        return Err(not_written(
            &name_of(config),
            &Error::other("it is standard input; name a new file with --config"),
        ));
    }
    let has_root = config.try_exists().unwrap_or(true);
    let mut there: Vec<String> = has_root.then(|| name_of(config)).into_iter().collect();
    there.extend(teams.map(included_in).transpose()?.into_iter().flatten());
    if there.is_empty() { Ok(()) } else { Err(are_there(&there, has_root)) }
}

/// Returns the TOML files in the folder for team files, if it exists. Fails if `teams` exists but isn't a folder. A symbolic
/// link is rejected too, since it might point outside the config's folder, where rolecall doesn't read any files.
fn included_in(teams: &Path) -> Result<Vec<String>, Problem> {
    match std::fs::symlink_metadata(teams) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Ok(there) if !there.is_dir() => {
            let message = format!("{} already exists, and is not a folder", shown(&name_of(teams)));
            let help =
                "nothing was written; move it away, because the team files need a folder with this name";
            return Err(Problem::new(CommandCode::FileExists, message).help(help));
        }
        _ => {}
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(teams).map_err(|error| not_written(&name_of(teams), &error))?.flatten() {
        let path = entry.path();
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !is_hidden && path.extension().is_some_and(|end| end.eq_ignore_ascii_case("toml")) {
            files.push(name_of(&path));
        }
    }
    files.sort();
    Ok(files)
}

fn name_of(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Returns the error for files that already exist.
fn are_there(names: &[String], has_root: bool) -> Problem {
    const LISTED: usize = 8;
    let listed: Vec<String> = names.iter().take(LISTED).map(|name| shown(name)).collect();
    let more = names.len().saturating_sub(LISTED);
    let more = if more == 0 { String::new() } else { format!(", and {more} more") };
    let (message, them) = match names {
        [_] => (format!("{} already exists", listed.concat()), "it"),
        _ => (format!("{} files already exist: {}{more}", names.len(), listed.join(", ")), "them"),
    };
    Problem::new(CommandCode::FileExists, message).help(if has_root {
        format!("run `rolecall import --update` to update {them}; to start over, move {them} away")
    } else {
        format!("nothing was written; move {them} away, because the new root file would include {them}")
    })
}

/// Writes the new files. The root file comes last, so that an import that fails midway doesn't leave a valid root file behind.
fn write(new: NewRoster<'_>, config: &Path, teams: &Path) -> Result<(), CommandError> {
    let is_new_folder = !new.teams.is_empty() && !teams.exists();
    let team = |TeamFile { name: file, text, .. }: TeamFile| {
        let path = teams.join(file);
        Created { name: name_of(&path), path, text }
    };
    let root = Created { name: name_of(config), path: follow_links(config), text: new.root };
    let files: Vec<Created> = new.teams.into_iter().map(team).chain([root]).collect();
    if is_new_folder {
        std::fs::create_dir(teams).map_err(|error| not_written(&name_of(teams), &error))?;
    }
    let written = create(&files, |name| are_there(&[name.to_owned()], name == files[files.len() - 1].name));
    if is_new_folder && written.is_err() {
        let _ = std::fs::remove_dir(teams); // fails if the folder contains a file
    }
    written
}

/// Builds the report on new files, with the root file first.
fn begun(
    args: &ImportArgs,
    new: &NewRoster<'_>,
    roles: &RoleCatalog,
    config: &Path,
    teams: &Path,
) -> FilesReport {
    let line = |path: &Path, text: &str, people: usize| {
        let line = FileLine::new(&name_of(path), state_of(args), args.diff.then_some(("", text)));
        FileLine { people: Some(people), ..line }
    };
    let in_root = if new.teams.is_empty() { new.declared } else { 0 };
    let mut files = vec![line(config, &new.root, in_root)];
    files.extend(new.teams.iter().map(|team| line(&teams.join(&team.name), &team.text, team.declared)));
    let not_written = new.not_written.iter().map(|LeftOut { person, field, why }| {
        let address = person.email.as_str();
        let name = if address.is_empty() { person.id.as_str() } else { address };
        SkippedLine {
            email: Printable::new(name),
            why: words::not_written(*field, why, roles),
            location: None,
        }
    });
    FilesReport { verdict: words::imported(new, args.diff), files, not_written: not_written.collect() }
}

fn state_of(args: &ImportArgs) -> FileState {
    if args.diff { FileState::WouldBeWritten } else { FileState::Written }
}

fn update(args: &ImportArgs, session: Session<'_>) -> Done {
    let files = declared(None, session)?;
    let into = args.into.as_deref().map(|into| file_named(into, &files.roster.sources)).transpose()?;
    block_on(async {
        let roster = files.roster.clone();
        let connection = Connection::open(&roster, &args.connection, session).await?;
        let observation = connection.observe(&roster, &files.emails()).await?;
        let prepared = settle(&files, &[], None, &connection, observation)?;
        let plan = &prepared.reviewed.plan;
        let differing = merged(plan.changes.iter().chain(&plan.observed));
        let mut adoption = Adoption::of_changes(
            differing.iter(),
            &roster,
            &prepared.observation.state.roles,
            session.environment.clock.now(),
        );
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
            let rewritten = adoption.files.iter().map(|(file, text)| Rewritten {
                name: roster.sources.name(*file),
                before: roster.sources.text(*file),
                after: text.clone(),
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
    let files = file_lines(adoption, &roster.sources, state_of(args), args.diff);
    let not_written = skipped_lines(adoption, &roster.sources, &state.roles);
    let verdict =
        words::updated(adoption.people.len(), adoption.added, not_written.len(), unmanaged, args.diff);
    FilesReport { verdict, files, not_written }
}

/// Merges the enforced changes and the changes that the policy only observes, so that each person has a single change.
fn merged<'c>(changes: impl Iterator<Item = &'c Change>) -> Vec<Change> {
    let mut merged: IndexMap<&UserId, Change> = IndexMap::new();
    for change in changes {
        let entry = merged.entry(&change.subject.id);
        entry
            .and_modify(|known| known.edits.extend(change.edits.iter().cloned()))
            .or_insert_with(|| change.clone());
    }
    merged.into_values().collect()
}

/// Finds the file passed to `--into` among the files we've read.
fn file_named(into: &Path, sources: &Sources) -> Result<FileId, CommandError> {
    let canonical = |name: &Path| std::fs::canonicalize(name).ok();
    let wanted = canonical(into);
    let found =
        sources.ids().find(|file| wanted.is_some() && canonical(sources.name(*file).as_ref()) == wanted);
    found.ok_or_else(|| {
        let name = Printable::cut(&into.to_string_lossy(), 200);
        let (message, mut help) = if into.exists() {
            let help = "add the file to `include` in the root file, or pass a file that rolecall reads";
            (format!("rolecall does not read {name}"), help.to_owned())
        } else {
            let help = "--into adds people to an existing file: create an empty file whose name matches `include` in the root file, \
                        then run this command again";
            (format!("{name} does not exist"), help.to_owned())
        };
        // Compare only the names of the files, because the folder and the extension are usually the same.
        let stem = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let stems: Vec<(String, &str)> =
            sources.iter().filter_map(|(name, _)| Some((stem(name.as_ref())?, name))).collect();
        let near = stem(into)
            .and_then(|stem| did_you_mean(&stem, stems.iter().map(|(stem, _)| stem.as_str())).map(str::to_owned));
        let near = near.and_then(|near| stems.iter().find(|(stem, _)| *stem == near));
        if let Some((_, near)) = near {
            help += &format!("; or did you mean {}?", Printable::new(near));
        }
        Problem::new(CommandCode::NotRead, message).help(help).into()
    })
}
