//! The commands, one per module.
//!
//! A command takes its arguments and the [`Environment`] and returns a report, which [`run`] renders into an [`Output`] for
//! `main` to print. `outlets` writes reports to files. While a command is running, it prints only questions, notes, and progress,
//! except that `sandbox` also prints its address.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use crate::cli::{Cli, Color, Command, CommandFacts, Common};
use crate::clock::Clock;
use crate::exit::Exit;
use crate::invocation::Invocation;
use crate::manual;
use crate::output;
use crate::problem::{Problem, Problems, codes};
use crate::pylon::token::{self as tokens, TokenSource};
use crate::pylon::{Token, Variables};
use crate::regular::{folder_of, is_stream};
use crate::report::{self, Annotations, Body, Format, Report, Setting, diagnostic};

mod access;
pub mod agenda;
pub mod apply;
mod base;
pub mod compare;
pub mod completions;
mod connection;
pub mod demo;
pub mod doctor;
pub mod explain;
mod files;
pub mod fmt;
pub mod import;
mod journals;
mod line_history;
mod locate;
pub mod lock;
pub mod man;
mod outlets;
mod overwrites;
mod place;
pub mod plan;
mod prepare;
mod progress;
mod progress_line;
pub mod roles;
pub mod rollback;
pub mod sandbox;
pub mod schema;
pub mod show;
mod signals;
mod state;
pub mod validate;
mod write;

use outlets::Outlets;

codes! {
    /// The errors detected by the commands themselves, rather than by another layer.
    pub enum CommandCode {
        /// The user can't be asked for confirmation without a terminal, and `--auto-approve` is missing.
        NeedsApproval = "apply::needs_approval",
        /// The user did not type `yes` to confirm the changes.
        NotApproved = "apply::not_approved",
        /// After the user confirmed a plan, a fresh plan contained a change that the confirmed plan did not show.
        PlanChanged = "apply::plan_changed",
        /// Another apply for this organization is running.
        Locked = "apply::locked",
        /// The lock cannot be taken: no folder is usable, or the lock's path is not trusted.
        NoLock = "apply::no_lock",
        /// The file passed to `access --since` is not an access review.
        NotAReview = "access::not_a_review",
        /// The file passed to `access --since` is a review of another organization.
        OtherReview = "access::other_organization",
        /// `ROLECALL_NOW` is set, and the changes would go to the real Pylon.
        FixedClock = "apply::fixed_clock",
        /// The base version of the files cannot be read.
        NoBase = "plan::no_base",
        /// The journal cannot be created or written.
        NoJournal = "apply::no_journal",
        /// The value of `--at` or `--until` is not a valid time.
        BadTime = "commands::bad_time",
        /// The error code passed to `explain` does not exist.
        UnknownCode = "explain::unknown_code",
        /// The base URL, `--region`, and the pinned region contradict each other.
        OtherRegion = "commands::other_region",
        /// The sandbox state is invalid or cannot be read.
        BadSandboxState = "sandbox::bad_state",
        /// The sandbox cannot save its state, listen on its port, or print its address.
        SandboxFailed = "sandbox::failed",
        /// A file cannot be written.
        NotWritten = "commands::not_written",
        /// The folder that `demo` would write the example to already exists.
        DemoExists = "demo::folder_exists",
        /// A file that `import` would create, or that the new root file would include, already exists.
        FileExists = "import::file_exists",
        /// The file that the sandbox state would be written to already exists.
        StateExists = "sandbox::file_exists",
        /// `--into` was passed a file that is not part of the roster.
        NotRead = "import::not_read",
        /// The output would overwrite the config, an existing TOML file, or another file that declares people.
        OverFiles = "commands::over_files",
        /// The paths conflict: the output would overwrite a file that the run needs, two reports would go to one file, or standard
        /// input is given twice.
        SameFile = "commands::same_file",
        /// `--report` was passed to a command that prints text instead of a report.
        NoReport = "commands::no_report",
        /// `--format csv` was passed to a command whose report is not a table.
        NoCsv = "commands::no_csv",
        /// The folder passed to `-C` cannot be entered.
        NoFolder = "commands::no_folder",
        /// The config is a team file included by a root file.
        TeamFile = "commands::team_file",
        /// The operating system denied a required resource, such as a file descriptor.
        NoRuntime = "commands::no_runtime",
    }
}

/// Returns the diagnostic codes of all modules, as listed in docs/diagnostics.md.
pub fn diagnostic_codes() -> Vec<&'static str> {
    let roster = crate::roster::RosterCode::ALL.iter().map(|code| code.as_str());
    let lint = crate::desired::lint::LintCode::ALL.iter().map(|code| code.as_str());
    let plan = crate::plan::PlanCode::ALL.iter().map(|code| code.as_str());
    let saved = crate::plan::saved::SavedPlanCode::ALL.iter().map(|code| code.as_str());
    let pylon = crate::pylon::PylonCode::ALL.iter().map(|code| code.as_str());
    let rollback = crate::apply::rollback::RollbackCode::ALL.iter().map(|code| code.as_str());
    let own = CommandCode::ALL.iter().map(|code| code.as_str());
    roster.chain(lint).chain(plan).chain(saved).chain(pylon).chain(rollback).chain(own).collect()
}

/// The parts of the process environment that affect a run, read at startup.
#[derive(Debug)]
pub struct Environment {
    pub clock: Clock,
    /// The possible sources of the token, in order of precedence. Only the first source is used.
    pub token_sources: Vec<TokenSource>,
    /// The token, or the error from reading it. Cached when the token is first needed.
    pub token_in_use: OnceCell<Result<Token, Problem>>,
    /// The candidate folders for this user's locks. Some of the folders may not exist.
    pub locks: Vec<PathBuf>,
    /// The environment variables for proxies and certificates.
    pub network: Variables,
    pub folder: PathBuf,
    /// `ROLECALL_CONFIG`: the root file to use without `--config`.
    pub config: Option<PathBuf>,
    /// The login name of the user who is running the command or triggered the pipeline.
    pub user: Option<String>,
    /// `GITHUB_WORKSPACE`: the root of the checkout in a GitHub Actions job.
    pub github_workspace: Option<PathBuf>,
    /// `GITHUB_STEP_SUMMARY`: the file that GitHub Actions renders as the job summary.
    pub github_summary: Option<PathBuf>,
    /// Whether `NO_COLOR` is set or the terminal does not support colors.
    pub no_color: bool,
    /// Whether we can ask for confirmation, which requires standard input and standard error to be terminals.
    pub can_ask: bool,
    pub stdout_is_terminal: bool,
    pub stderr_is_terminal: bool,
    /// The terminal's width in columns, if standard output is a terminal that reports its width.
    pub stdout_width: Option<usize>,
    /// The terminal's width in columns, if standard error is a terminal that reports its width.
    pub stderr_width: Option<usize>,
}

/// The input of every command in addition to its own arguments: the common flags and the environment.
#[derive(Debug, Clone, Copy)]
struct Session<'a> {
    common: &'a Common,
    environment: &'a Environment,
}

/// The text that `main` prints for a run, and the exit code.
#[derive(Debug)]
pub struct Output {
    pub stdout: String,
    pub stderr: String,
    pub exit: Exit,
    /// Whether anything in Pylon may have changed. If the report can't be written, the exit code depends on this.
    pub may_have_changed: bool,
}

/// Runs the command and returns what to print. If `-C` is given, this changes the working directory of the process.
pub fn run(mut cli: Cli, mut environment: Environment) -> Output {
    signals::outlive_file_size_limit();
    let located = locate::config(&mut cli, &mut environment);
    let (Cli { command, common }, environment) = (&cli, &environment);
    let session = Session { common, environment };
    let CommandFacts { name, connection, .. } = command.facts();
    let checked = located.map_err(CommandError::usage).and_then(|()| check_formats(command, common));
    if let Err(error) = checked {
        return finish(error.into_report(name), Outlets::default(), session);
    }
    // Read the token file before anything else, so that the token can be scrubbed from all output, such as an error that quotes
    // it.
    if connection.is_some_and(|asked| asked.token_file.is_some() && !asked.sandbox) {
        let _ = token(environment);
    }
    // Open the output files before sending any request, because we must not make changes that we can't report.
    let opened = overwrites::check(command, common).and_then(|()| Ok(Outlets::open(session)?));
    let outlets = match opened {
        Ok(outlets) => outlets,
        Err(error) => return finish(error.into_report(name), Outlets::default(), session),
    };
    let report = match dispatch(command, session) {
        Ok(Printed::Text(text)) => return printed(text),
        Ok(Printed::Report(body, exit)) => Report { command: name, exit, body },
        Err(error) => locate::explained(error, command, common).into_report(name),
    };
    finish(report, outlets, session)
}

/// Checks that the command supports the requested report formats.
fn check_formats(command: &Command, common: &Common) -> Result<(), CommandError> {
    let CommandFacts { name, prints_its_own, .. } = command.facts();
    let mut formats = common.report.iter().map(|(format, _)| *format).chain([common.format]);
    if formats.any(|format| format == Format::Csv)
        && let Err(others) = manual::check_csv(name)
    {
        let problem =
            Problem::new(CommandCode::NoCsv, format!("the report of `rolecall {name}` is not a table"));
        return Err(CommandError::usage(
            problem.help(format!("these commands support the format csv: {others}")),
        ));
    }
    if prints_its_own && !common.report.is_empty() {
        let problem = Problem::new(
            CommandCode::NoReport,
            format!("`rolecall {name}` does not produce a report, so --report cannot be used with it"),
        );
        let help = format!("redirect its output instead: rolecall {name} … > FILE");
        return Err(CommandError::usage(problem.help(help)));
    }
    Ok(())
}

/// The result of a successful command.
enum Printed {
    Report(Body, Exit),
    /// Plain text instead of a report, regardless of `--format`.
    Text(String),
}

fn dispatch(command: &Command, session: Session<'_>) -> Result<Printed, CommandError> {
    let (body, exit) = match command {
        Command::Validate(args) => validate::run(args, session),
        Command::Plan(args) => plan::run(args, session),
        Command::Apply(args) => apply::run(args, session),
        Command::Compare(args) => compare::run(args, session),
        Command::Agenda(args) => agenda::run(args, session),
        Command::Show(args) => show::run(args),
        Command::Demo(args) => demo::run(args, session),
        Command::Access(args) => access::run(args, session),
        Command::Roles(asked) => roles::run(asked, session),
        Command::Explain(args) => explain::run(args, session),
        Command::Doctor(asked) => doctor::run(asked, session),
        Command::Fmt(args) if args.is_filter() => return Ok(Printed::Text(fmt::filtered()?)),
        Command::Fmt(args) => fmt::run(args, session),
        Command::Import(args) => import::run(args, session),
        Command::Rollback(args) if args.is_list() => Ok(rollback::list(args, session.common)),
        Command::Rollback(args) => rollback::run(args, session),
        Command::Sandbox(args) => sandbox::run(args, session),
        Command::Schema(args) => return Ok(Printed::Text(schema::text(args))),
        Command::Completions(args) => return Ok(Printed::Text(completions::text(args))),
        Command::Man(args) => return Ok(Printed::Text(man::text(args)?)),
    }?;
    Ok(Printed::Report(body, exit))
}

fn printed(text: String) -> Output {
    Output { stdout: text, stderr: String::new(), exit: Exit::Done, may_have_changed: false }
}

/// Writes the report files and returns the text to print.
fn finish(mut report: Report, outlets: Outlets, session: Session<'_>) -> Output {
    complete(&mut report.body, &session.common.invocation);
    let may_have_changed = match &report.body {
        Body::Plan(plan) => plan.outcomes().any(crate::apply::Outcome::may_have_changed),
        _ => false, // only plans can be applied
    };
    let setting = setting(session);
    let mut stderr = String::new();
    if let Body::Problems(problems) | Body::Valid { files: problems, .. } = &report.body {
        let colors = colors(session, session.environment.stderr_is_terminal);
        stderr += &diagnostic::render(problems, colors, session.environment.stderr_width);
    }
    let mut exit = report.exit;
    let for_files = Setting { colors: false, width: None, problems_on_stderr: false, ..setting.clone() };
    let in_file = |format, limit: Option<usize>| {
        let markdown_limit = limit.unwrap_or(for_files.markdown_limit);
        output::scrub(report::write(&report, format, &Setting { markdown_limit, ..for_files.clone() }))
    };
    for problem in outlets.write(in_file) {
        stderr += &diagnostic::render(&problem.into(), false, session.environment.stderr_width);
        exit = exit.with_lost_report(may_have_changed);
    }
    match session.common.format {
        Format::Json => report.exit = exit,
        // These use the code only to describe the result of the command.
        Format::Text | Format::Markdown | Format::Github | Format::Html | Format::Csv => {}
    }
    let stdout = report::write(&report, session.common.format, &setting);
    Output { stdout, stderr, exit, may_have_changed }
}

/// Adds the flags of the current run to the commands suggested in a report.
fn complete(body: &mut Body, invocation: &Invocation) {
    let remedies: Vec<&mut String> = match body {
        Body::Problems(problems) => {
            problems.list.iter_mut().filter_map(|problem| problem.help.as_mut()).collect()
        }
        Body::Doctor(doctor) => doctor.checks.iter_mut().filter_map(|check| check.remedy.as_mut()).collect(),
        _ => Vec::new(), // other reports build their commands from the invocation
    };
    remedies.into_iter().for_each(|remedy| *remedy = invocation.complete(remedy));
}

fn setting(session: Session<'_>) -> Setting {
    Setting {
        colors: colors(session, session.environment.stdout_is_terminal),
        width: session.environment.stdout_width.filter(|_| session.common.format == Format::Text),
        is_full: session.common.full,
        problems_on_stderr: true,
        markdown_limit: session.common.markdown_limit,
        source_url: session.common.source_url.clone(),
        annotations: Annotations {
            folder: session.environment.folder.clone(),
            workspace: session.environment.github_workspace.clone(),
            resolve: overwrites::place_of,
        },
    }
}

/// The result of a command: a report with its exit code, or an error.
type Done = Result<(Body, Exit), CommandError>;

/// An error that ends a command, and the exit code. Unless the error comes from [`CommandError::half`], nothing was changed.
struct CommandError {
    problems: Box<Problems>,
    exit: Exit,
}

impl From<Problems> for CommandError {
    fn from(problems: Problems) -> Self {
        Self { problems: Box::new(problems), exit: Exit::Failed }
    }
}

impl From<Problem> for CommandError {
    fn from(problem: Problem) -> Self {
        Problems::from(problem).into()
    }
}

impl CommandError {
    fn into_report(self, command: &'static str) -> Report {
        Report { command, exit: self.exit, body: Body::Problems(self.problems) }
    }

    fn usage(problem: Problem) -> Self {
        Self { problems: Box::new(problem.into()), exit: Exit::Usage }
    }

    /// Wraps a problem that occurred after part of the work was done.
    fn half(problem: Problem) -> Self {
        Self { problems: Box::new(problem.into()), exit: Exit::Partial }
    }

    /// Wraps a problem that prevents applying a saved plan, or a plan that the user has confirmed.
    fn stale(problem: Problem) -> Self {
        Self { problems: Box::new(problem.into()), exit: Exit::PlanMismatch }
    }
}

fn colors(session: Session<'_>, is_terminal: bool) -> bool {
    match session.common.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => is_terminal && !session.environment.no_color,
    }
}

/// Returns the folder with the config, `.rolecall/`, and `pylon.json`. If the config is standard input, a pipe, or a device,
/// returns the current folder.
fn folder(config: &Path) -> &Path {
    if is_stream(config) { Path::new(".") } else { folder_of(config) }
}

/// Runs `work` to completion on this thread. Offline commands don't call this, which saves them the cost of a runtime.
fn block_on<T>(work: impl Future<Output = Result<T, CommandError>>) -> Result<T, CommandError> {
    match signals::runtime() {
        Ok(runtime) => {
            let done = runtime.block_on(work);
            // Don't wait for DNS lookups that are still in flight.
            runtime.shutdown_background();
            done
        }
        Err(error) => Err(signals::no_runtime(&error).into()),
    }
}

/// Reads every token source that can be read more than once and registers the tokens for scrubbing. Call this before parsing the
/// arguments, since a usage error may echo a token, and a run with `--sandbox` doesn't read the token later. The other sources,
/// such as standard input, are left to `token`.
pub fn hide_tokens(sources: &[TokenSource]) {
    for source in sources.iter().filter(|source| source.can_be_read_again()) {
        let _ = hidden_text(source);
    }
}

/// Reads a token source and registers its content for scrubbing. This is the only function that reads a source.
fn hidden_text(source: &TokenSource) -> Result<String, Problem> {
    if let TokenSource::Variable(value) = source {
        output::hide(&value.to_string_lossy()); // hide the value even if it isn't valid UTF-8
    }
    let text = source.text(&mut std::io::stdin())?;
    output::hide(&text);
    Ok(text)
}

/// Returns the token and caches the result, since standard input can be read only once.
fn token(environment: &Environment) -> Result<Token, Problem> {
    let find = || {
        let source = environment.token_sources.first().ok_or_else(tokens::no_source)?;
        Token::new(&hidden_text(source)?)
    };
    environment.token_in_use.get_or_init(find).clone()
}
