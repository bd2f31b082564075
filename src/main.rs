//! The `rolecall` binary: parses the command line, runs the command, prints its output, and exits with its exit code.

use std::cell::OnceCell;
use std::ffi::OsString;
use std::io::{ErrorKind, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use rolecall::clock::Clock;
use rolecall::commands::{self, Environment, Output};
use rolecall::exit::Exit;
use rolecall::pylon::Variables;
use rolecall::pylon::token::{TokenSource, VARIABLE};
use rolecall::{manual, output};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    output::report_panics();
    let token_sources = TokenSource::all(&words, std::env::var_os(VARIABLE));
    commands::hide_tokens(&token_sources);
    ExitCode::from(rolecall(&words, token_sources).code())
}

fn rolecall(words: &[OsString], token_sources: Vec<TokenSource>) -> Exit {
    let clock = match calendar() {
        Ok(calendar) => Clock::start(calendar),
        Err(why) => {
            output::say(why);
            return Exit::Usage;
        }
    };
    let cli = match manual::parse(words.to_owned()) {
        Ok(cli) => cli,
        Err(error) => {
            // Parsing failed, so the value of `-C` is unknown. Any word could be the folder that a token file's path is
            // relative to.
            commands::hide_tokens(&TokenSource::below_each(&token_sources, words));
            return print_clap_message(&error);
        }
    };
    let Output { stdout, stderr, exit, may_have_changed } =
        commands::run(cli, environment(clock, token_sources));
    let _ = output::stderr(stderr);
    written(stdout, exit, exit.with_lost_report(may_have_changed))
}

/// Prints the help or a usage error from clap.
fn print_clap_message(error: &clap::Error) -> Exit {
    let text = error.render();
    let styled =
        |is_terminal| if is_terminal && !no_color() { text.ansi().to_string() } else { text.to_string() };
    if error.use_stderr() {
        output::say(styled(output::stderr_is_terminal()).trim_end_matches('\n'));
        return Exit::Usage;
    }
    written(styled(output::stdout_is_terminal()), Exit::Done, Exit::Failed)
}

/// Writes to standard output, and returns `exit` on success or `lost` on failure.
fn written(text: String, exit: Exit, lost: Exit) -> Exit {
    let Err(error) = output::stdout(text) else { return exit };
    // A reader that closed the pipe doesn't need a message, but the report is still lost.
    if error.kind() != ErrorKind::BrokenPipe {
        output::say(&format!("Cannot write the report: {error}"));
    }
    lost
}

fn environment(clock: Clock, token_sources: Vec<TokenSource>) -> Environment {
    let path = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    Environment {
        clock,
        token_sources,
        token_in_use: OnceCell::new(),
        locks: locks(),
        network: Variables::read(|name| std::env::var_os(name)),
        folder: std::env::current_dir().unwrap_or_default(),
        config: path("ROLECALL_CONFIG"),
        user: user(),
        github_workspace: path("GITHUB_WORKSPACE"),
        github_summary: path("GITHUB_STEP_SUMMARY"),
        no_color: no_color(),
        can_ask: std::io::stdin().is_terminal() && output::stderr_is_terminal(),
        stdout_is_terminal: output::stdout_is_terminal(),
        stderr_is_terminal: output::stderr_is_terminal(),
        stdout_width: output::stdout_width(),
        stderr_width: output::stderr_width(),
    }
}

/// Returns the user name for the journal: the user who triggered the pipeline or, outside of pipelines, the login name.
fn user() -> Option<String> {
    let variables = ["GITHUB_ACTOR", "GITLAB_USER_LOGIN", "USER", "LOGNAME", "USERNAME"];
    variables.into_iter().find_map(|name| std::env::var(name).ok().filter(|name| !name.is_empty()))
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

/// Returns `true` if `NO_COLOR` is set or the terminal doesn't support colors.
fn no_color() -> bool {
    is_set("NO_COLOR") || std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Returns the candidate folders for locks: `rolecall` in the user's runtime folder, in the cache folder, and in `~/.cache`. Only
/// `~/.cache` is known in every session because `home_dir` falls back to the account's home folder if `HOME` isn't set.
fn locks() -> Vec<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let home = std::env::home_dir().map(|home| home.join(".cache"));
    let places = [folder("XDG_RUNTIME_DIR"), folder("XDG_CACHE_HOME"), home];
    places.into_iter().flatten().filter(|path| path.is_absolute()).map(|path| path.join("rolecall")).collect()
}

/// Returns the time in `ROLECALL_NOW`, if set. It overrides the current time in tests and for trying out windows
/// (CONTRIBUTING.md).
fn calendar() -> Result<Option<jiff::Timestamp>, &'static str> {
    let Some(value) = std::env::var_os("ROLECALL_NOW").filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let instant = value.to_str().and_then(|text| text.parse().ok());
    instant
        .map(Some)
        .ok_or("ROLECALL_NOW is not a valid time: write it like 2026-11-20T08:00:00Z, or unset it")
}
