//! `sandbox`, and the embedded Pylon of `--sandbox`.

use std::io::{ErrorKind, Write};
use std::path::Path;

use jiff::Timestamp;

use super::{Code, Done, Environment, Trouble, block_on, own_folder};
use crate::cli::SandboxArgs;
use crate::exit::Exit;
use crate::printable::Printable;
use crate::problem::Problem;
use crate::pylon::token::VARIABLE;
use crate::regular::{self, Unreadable};
use crate::report::Body;
use crate::roster::{Region, Roster};
use crate::sandbox::{Faults, Limits, Region as SandboxRegion, Running, Setup, State, World, start};

/// A larger file is no state, in bytes: a million people take some 250 MB.
const LARGEST: u64 = 1024 * 1024 * 1024;
/// So many people are invented where nobody is declared.
const INVENTED: usize = 12;

/// In the foreground, until it is interrupted.
pub(super) fn run(args: &SandboxArgs, environment: &Environment) -> Done {
    let SandboxArgs { port, token, state: file, people, limits, faults } = args;
    let state = match file {
        Some(path) => read_state(path)?.unwrap_or_else(|| State::generated(*people)),
        None => State::generated(*people),
    };
    let count = state.len();
    let setup = Setup {
        token: token.clone(),
        limits: limits.clone().unwrap_or_default().in_api(state.api),
        faults: faults.clone().unwrap_or_else(Faults::none),
        port: *port,
        state_file: file.clone(),
        ..Setup::new(World::new(state, environment.clock.now()))
    };
    block_on(async {
        let running = start(setup).await.map_err(|error| not_started(&error))?;
        greet(&running, token, count)?;
        let number = until_interrupted().await;
        running.stop().await.map_err(|error| not_kept(&error))?;
        Ok((Body::Nothing, if number == 2 { Exit::Done } else { Exit::Signal(number) }))
    })
}

/// The two lines to paste, alone on standard output, so that a script can read them while it runs; the rest is for people.
fn greet(running: &Running, token: &str, count: usize) -> Result<(), Trouble> {
    let lines =
        format!("export PYLON_BASE_URL={}\nexport {VARIABLE}={}\n", running.base_url(), quoted(token));
    let mut stdout = std::io::stdout();
    let written = stdout.write_all(lines.as_bytes()).and_then(|()| stdout.flush());
    let people = crate::report::words::count(count, "person", "people");
    let note = format!("A small Pylon with {people} answers at this address. Press Ctrl-C to end it.\n");
    let _ = std::io::stderr().write_all(note.as_bytes());
    written.map_err(|error| {
        Problem::new(Code::SandboxFailed, format!("standard output cannot be written: {error}")).into()
    })
}

/// In single quotes, where a shell would read more into it.
fn quoted(word: &str) -> String {
    let is_plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/@".contains(&byte));
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// The embedded Pylon for one run: what the last run left, or else a `pylon.json` beside the config, or else the people
/// that are declared, or else invented ones.
pub(super) async fn embed(roster: &Roster, folder: &Path, now: Timestamp) -> Result<Running, Problem> {
    let file = folder.join(".rolecall").join("sandbox.json");
    let kept = match read_state(&file)? {
        Some(state) => Some(state),
        None => read_state(&folder.join("pylon.json"))?,
    };
    let mut state = match kept {
        Some(state) => state,
        None => declared_state(roster)?,
    };
    if let Some(pin) = &roster.workspace.organization {
        state.organization.id.clone_from(&pin.value);
    }
    if let Some(pin) = &roster.workspace.region {
        state.settings.region = match pin.value {
            Region::Us => SandboxRegion::Us,
            Region::Eu => SandboxRegion::Eu,
        };
    }
    own_folder(folder).map_err(|error| not_kept(&error))?;
    let setup = Setup { limits: Limits::off(), state_file: Some(file), ..Setup::new(World::new(state, now)) };
    start(setup).await.map_err(|error| not_started(&error))
}

/// The declared people, with every role that is named: whatever is valid can be tried.
fn declared_state(roster: &Roster) -> Result<State, Problem> {
    let named = || roster.named_roles().into_keys();
    if roster.people.is_empty() {
        // As `rolecall sandbox` does: there is something to begin with.
        return Ok(State::generated(INVENTED).with_roles(named()));
    }
    let people = roster.people.iter().map(|person| {
        let role = person.role.as_ref().map(|role| role.role.value.clone());
        (person.email.value.as_str(), role)
    });
    State::of_people(people).map(|state| state.with_roles(named())).map_err(|error| {
        let why = error.problems().first().cloned().unwrap_or_default();
        Problem::new(
            Code::BadSandboxState,
            format!("no organisation can be made of the declared people: {}", Printable::cut(&why, 300)),
        )
    })
}

/// The state in a file, if there is one.
fn read_state(path: &Path) -> Result<Option<State>, Problem> {
    let name = Printable::cut(&path.to_string_lossy(), 200);
    let json = match regular::read(path, LARGEST) {
        Ok(json) => json,
        Err(Unreadable::System(error)) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(why) => {
            return Err(Problem::new(Code::BadSandboxState, format!("{name} cannot be read: {why}")));
        }
    };
    State::parse(&json).map(Some).map_err(|error| {
        let why: Vec<String> = error
            .problems()
            .iter()
            .take(10)
            .map(|problem| Printable::cut(problem, 200).to_string())
            .collect();
        Problem::new(Code::BadSandboxState, format!("{name} is no state of the sandbox: {}", why.join("; ")))
            .help(if path.ends_with(".rolecall/sandbox.json") {
                "delete it to start afresh"
            } else {
                "docs/sandbox.md has the format"
            })
    })
}

fn not_started(error: &std::io::Error) -> Problem {
    Problem::new(Code::SandboxFailed, format!("the sandbox cannot listen on 127.0.0.1: {error}"))
        .help("choose another --port")
}

pub(super) fn not_kept(error: &std::io::Error) -> Problem {
    Problem::new(Code::SandboxFailed, format!("the sandbox cannot keep its state: {error}"))
        .help("the folder of the config (.rolecall) or the --state file must be writable")
}

async fn until_interrupted() -> i32 {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let terminate = signal(SignalKind::terminate());
        if let Ok(mut terminate) = terminate {
            return tokio::select! {
                _ = tokio::signal::ctrl_c() => 2,
                _ = terminate.recv() => 15,
            };
        }
    }
    let _ = tokio::signal::ctrl_c().await;
    2
}
