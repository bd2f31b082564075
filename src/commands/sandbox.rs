//! The `sandbox` command, and the sandbox behind `--sandbox`.
//!
//! This module decides which state a sandbox starts from, and where it keeps its changes. `state` writes a state to a new file.

use std::io::ErrorKind;
use std::path::Path;

use jiff::Timestamp;

use super::files::read_if_there;
use super::state::{is_new, sandbox_region, write_state};
use super::{CommandCode, CommandError, Done, Session, block_on, folder, signals};
use crate::cli::SandboxArgs;
use crate::exit::Exit;
use crate::invocation::quoted;
use crate::output;
use crate::own_folder::{NAME, OwnFolder};
use crate::printable::Printable;
use crate::problem::Problem;
use crate::pylon::token::VARIABLE;
use crate::regular::{self, Unreadable};
use crate::report::Body;
use crate::roster::Roster;
use crate::sandbox::{Faults, Limits, Running, SandboxState, Setup, StateFile, World, start};

/// The maximum size of a state file. A million people take up about 250 MB.
const MAX_STATE_BYTES: u64 = 1024 * 1024 * 1024;
/// The file in `.rolecall` with the saved state of `--sandbox`.
const STATE_FILE_NAME: &str = "sandbox.json";
/// The number of people to generate if neither the files nor `--people` determine it.
const DEFAULT_PEOPLE: usize = 12;

/// Runs a sandbox in the foreground until it is interrupted.
pub(super) fn run(args: &SandboxArgs, session: Session<'_>) -> Done {
    let SandboxArgs { port, token, state: file, people, write_state, limits, faults } = args;
    if let Some(path) = write_state {
        return write(path, args, session);
    }
    let world = described(file.as_deref(), *people, session.environment.clock.now())?;
    let limits = limits.clone().unwrap_or_default().in_api(world.api());
    let count = world.person_count();
    let setup = Setup {
        world: world.with_token(token).with_limits(limits),
        faults: faults.clone().unwrap_or_else(Faults::none),
        port: *port,
        state_file: file.clone().map(StateFile::Named),
    };
    block_on(async {
        let running = start(setup).await.map_err(|error| not_started(&error, "choose another --port"))?;
        let mut signals = signals::watch().map_err(|error| signals::not_watched(&error))?;
        greet(&running, token, count)?;
        let number = signals.numbers.recv().await.unwrap_or(2);
        drop(signals); // from here on, a second signal terminates the process even if saving hangs
        running.stop().await.map_err(|error| not_kept(&error))?;
        Ok((Body::Nothing, if number == 2 { Exit::Done } else { Exit::Signal(number) }))
    })
}

/// Prints two lines to paste into a shell. Nothing else goes to standard output, so a script can read them while the sandbox is
/// running. The message for humans goes to standard error.
fn greet(running: &Running, token: &str, count: usize) -> Result<(), CommandError> {
    // If `--token` repeats the token in the environment, that token may be a real one and must not be printed.
    let is_set = output::scrub(token.to_owned()) != token;
    let second = if is_set {
        format!("# {VARIABLE} already contains the token of this sandbox\n")
    } else {
        format!("export {VARIABLE}={}\n", quoted(token))
    };
    let written = output::stdout(format!("export PYLON_BASE_URL={}\n{second}", running.base_url()));
    let people = crate::report::words::count(count, "person", "people");
    output::say(&format!("The sandbox with {people} is running at this address. Press Ctrl-C to stop it."));
    written.map_err(|error| {
        Problem::new(CommandCode::SandboxFailed, format!("cannot write to standard output: {error}")).into()
    })
}

/// Starts a sandbox for a single run and saves its state for the next one.
pub(super) async fn embed(roster: &Roster, folder: &Path, now: Timestamp) -> Result<Running, Problem> {
    let world = starting_world(roster, folder, now)?.with_limits(Limits::off());
    let file =
        OwnFolder::open_or_create_in(folder).map_err(|error| not_kept(&error))?.path().join(STATE_FILE_NAME);
    let setup = Setup { state_file: Some(StateFile::Own(file)), ..Setup::new(world) };
    let help = "check whether this machine allows programs to listen on 127.0.0.1";
    start(setup).await.map_err(|error| not_started(&error, help))
}

/// Chooses what `--sandbox` starts from: the last run's saved state, then `pylon.json` next to the config, then a generated
/// organization. However, since `pylon.json` describes a real organization, it takes precedence over a saved state that was
/// generated from the files. The pinned organization and region always apply.
fn starting_world(roster: &Roster, folder: &Path, now: Timestamp) -> Result<World, Problem> {
    let kept = read_kept(folder, now)?;
    let mut world = match kept {
        Some(kept) if !kept.made_up => kept,
        kept => match (read_described(folder, now)?, kept) {
            (Some(described), _) => described,
            (None, Some(kept)) => kept,
            (None, None) => made_up_world(roster, now)?,
        },
    };
    if let Some(pin) = &roster.workspace.organization {
        world.organization.id.clone_from(&pin.value);
    }
    if let Some(pin) = &roster.workspace.region {
        world.settings.region = sandbox_region(pin.value);
    }
    Ok(world)
}

/// Generates an organization from the declared people with only the built-in roles. If the files name any other role, planning
/// fails, as with the real Pylon. Generating that role instead would hide a typo. If the files don't declare any people,
/// generates [`DEFAULT_PEOPLE`] people.
fn made_up_world(roster: &Roster, now: Timestamp) -> Result<World, Problem> {
    if roster.people.is_empty() {
        let mut world = invented(DEFAULT_PEOPLE, now)?;
        world.made_up = true;
        return Ok(world);
    }
    let people = roster.people.iter().map(|person| {
        let role = person.values.role.as_ref().map(|role| &*role.value.value);
        (person.email.value.as_str(), role)
    });
    let state = SandboxState { made_up: true, ..SandboxState::of_people(people) };
    World::new(state, now).map_err(|problems| {
        let why = problems.first().map_or("", String::as_str);
        let why = Printable::cut(why, 300);
        Problem::new(
            CommandCode::BadSandboxState,
            format!("cannot build an organization from the declared people: {why}"),
        )
    })
}

/// Writes the sandbox's initial state to a new file, for `sandbox --write-state`.
fn write(path: &Path, args: &SandboxArgs, session: Session<'_>) -> Done {
    is_new(path)?;
    let now = session.environment.clock.now();
    let world = match (&args.state, args.people) {
        (None, None) => match read_if_there(session)? {
            Some(roster) => starting_world(&roster, folder(&session.common.config), now)?,
            None => invented(DEFAULT_PEOPLE, now)?,
        },
        (state, people) => described(state.as_deref(), people, now)?,
    };
    // Since the user is going to edit this description, it must not count as generated.
    write_state(path, &SandboxState { made_up: false, ..world.to_state() })
}

/// Reads the state from `file` if it's given and exists. Otherwise, generates this number of people (12 by default).
fn described(file: Option<&Path>, people: Option<usize>, now: Timestamp) -> Result<World, Problem> {
    let read = match file {
        Some(path) => parse(path, regular::read(path, MAX_STATE_BYTES), now)?,
        None => None,
    };
    read.map_or_else(|| invented(people.unwrap_or(DEFAULT_PEOPLE), now), Ok)
}

fn invented(people: usize, now: Timestamp) -> Result<World, Problem> {
    let world = World::new(SandboxState::invented(people), now);
    world.map_err(|problems| Problem::new(CommandCode::BadSandboxState, problems.join("; ")))
}

/// Reads the state saved by the last `--sandbox` run, if there is one.
fn read_kept(folder: &Path, now: Timestamp) -> Result<Option<World>, Problem> {
    let path = folder.join(NAME).join(STATE_FILE_NAME);
    let text = match OwnFolder::open_in(folder).and_then(|own| own.open(STATE_FILE_NAME)) {
        Ok(file) => regular::read_from(file, MAX_STATE_BYTES),
        Err(error) => Err(error.into()),
    };
    parse(&path, text, now)
}

/// Reads `pylon.json` next to the config, if it exists. The file may come with a repository and is read even if the command
/// line doesn't name it. Symbolic links are therefore rejected, since they could point at any of the user's files.
fn read_described(folder: &Path, now: Timestamp) -> Result<Option<World>, Problem> {
    let path = folder.join("pylon.json");
    let text =
        if path.is_symlink() { Err(Unreadable::NotRegular) } else { regular::read(&path, MAX_STATE_BYTES) };
    parse(&path, text, now)
}

/// Builds a [`World`] from the content of a state file, if the file exists.
fn parse(path: &Path, text: Result<String, Unreadable>, now: Timestamp) -> Result<Option<World>, Problem> {
    let name = Printable::path(path);
    let json = match text {
        Ok(json) => json,
        Err(Unreadable::System(error)) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(why) => {
            return Err(Problem::new(CommandCode::BadSandboxState, format!("cannot read {name}: {why}")));
        }
    };
    let state = SandboxState::parse(&json).map_err(|problem| vec![problem]);
    state.and_then(|state| World::new(state, now)).map(Some).map_err(|problems| {
        let mut why = Vec::new();
        for problem in problems.iter().take(10) {
            why.push(Printable::cut(problem, 200).to_string());
        }
        Problem::new(
            CommandCode::BadSandboxState,
            format!("{name} is not a valid sandbox state: {}", why.join("; ")),
        )
        .help(if path.ends_with(".rolecall/sandbox.json") {
            "delete it to start over"
        } else {
            "docs/sandbox.md describes the format"
        })
    })
}

fn not_started(error: &std::io::Error, help: &str) -> Problem {
    Problem::new(CommandCode::SandboxFailed, format!("the sandbox cannot listen on 127.0.0.1: {error}"))
        .help(help)
}

pub(super) fn not_kept(error: &std::io::Error) -> Problem {
    Problem::new(CommandCode::SandboxFailed, format!("the sandbox cannot save its state: {error}"))
        .help("make the folder that contains the config (and .rolecall), or the --state file, writable")
}
