//! `rolecall`: parse what was typed, run it, write what it says, exit with its code.

use std::cell::OnceCell;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use rolecall::clock::Clock;
use rolecall::commands::{self, Environment, Output};
use rolecall::exit::Exit;
use rolecall::manual;

fn main() -> ExitCode {
    let clock = match calendar() {
        Ok(calendar) => Clock::start(calendar),
        Err(why) => {
            let _ = writeln!(std::io::stderr(), "{why}");
            return ExitCode::from(Exit::Usage.code());
        }
    };
    let cli = match manual::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => {
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            let _ = error.print(); // a closed pipe is no news here
            return ExitCode::from(exit.code());
        }
    };
    let Output { stdout, stderr, exit, may_have_changed } = commands::run(&cli, &environment(clock));
    let _ = std::io::stderr().write_all(stderr.as_bytes());
    let mut out = std::io::stdout();
    match out.write_all(stdout.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            let _ = writeln!(std::io::stderr(), "The report cannot be written: {error}");
            let lost = if exit == Exit::Done && !may_have_changed { Exit::Failed } else { exit };
            ExitCode::from(lost.code())
        }
        _ => ExitCode::from(exit.code()),
    }
}

/// What decides which way a request takes and whom it trusts.
const NETWORK_VARIABLES: [&str; 8] = [
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

fn environment(clock: Clock) -> Environment {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let path = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    Environment {
        clock,
        token: std::env::var("PYLON_API_TOKEN").ok(),
        token_in_use: OnceCell::new(),
        locks: locks(),
        network_variables: NETWORK_VARIABLES.into_iter().filter(|name| set(name)).collect(),
        folder: std::env::current_dir().unwrap_or_default(),
        github_workspace: path("GITHUB_WORKSPACE"),
        github_summary: path("GITHUB_STEP_SUMMARY"),
        no_colour: set("NO_COLOR") || is_dumb,
        can_ask: std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
        stdout_is_terminal: std::io::stdout().is_terminal(),
        stderr_is_terminal: std::io::stderr().is_terminal(),
    }
}

/// The user's own places for what lives as long as they are logged in, and for what can be made anew. Only the last is known in
/// every session: that of the account, where no variable names it.
fn locks() -> Vec<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let home = std::env::home_dir().map(|home| home.join(".cache"));
    let places = [folder("XDG_RUNTIME_DIR"), folder("XDG_CACHE_HOME"), home];
    places.into_iter().flatten().filter(|path| path.is_absolute()).map(|path| path.join("rolecall")).collect()
}

/// `ROLECALL_NOW` fixes the calendar, for tests and for trying what a window will do (CONTRIBUTING.md).
fn calendar() -> Result<Option<jiff::Timestamp>, &'static str> {
    let Some(value) = std::env::var_os("ROLECALL_NOW").filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let instant = value.to_str().and_then(|text| text.parse().ok());
    instant.map(Some).ok_or("ROLECALL_NOW is no instant: write one as in 2026-11-20T08:00:00Z, or unset it")
}
