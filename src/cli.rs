//! The command line: commands, flags, and their help texts.
//!
//! `-h` must fit on a screen, so it shows only the first paragraph of each help text and omits flags with `hide_short_help`.
//! `--help` shows every paragraph of every flag.
#![allow(clippy::doc_markdown, reason = "the comments are help texts, and backticks do not belong there")]

use std::path::{Path, PathBuf};

use clap::builder::{PathBufValueParser, PossibleValue, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::invocation::{Invocation, path_word};
use crate::new_roster::SplitBy;
use crate::pylon::request::Endpoint;
use crate::regular::{STDIN, is_stream};
use crate::report::{Format, LONGEST_COMMENT};
use crate::roster::{PerField, Region};

/// The maximum width of the help, in columns.
pub const MAX_WIDTH: usize = 80;

/// Keep the roles and statuses of your Pylon users in git
#[derive(Debug, Parser)]
#[command(
    name = "rolecall",
    version,
    max_term_width = MAX_WIDTH,
    disable_help_subcommand = true,
    subcommand_required = true
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what would change, and what the guardrails report
    Plan(PlanArgs),
    /// Change Pylon to match the files, after a confirmation
    Apply(ApplyArgs),
    /// Undo an apply, except what has changed since
    Rollback(RollbackArgs),
    /// Write users.toml from your organization, or update it
    Import(ImportArgs),
    /// Check the files offline and report all problems at once
    Validate(ValidateArgs),
    /// Format the files and preserve their comments
    Fmt(FmtArgs),
    /// Show how two versions of the files differ
    Compare(CompareArgs),
    /// List the scheduled changes
    Agenda(AgendaArgs),
    /// Print a saved plan as it was reviewed
    Show(ShowArgs),
    /// Explain one person's values, or what an error means
    Explain(ExplainArgs),
    /// List the roles and how many people hold each
    Roles(ConnectionArgs),
    /// List who has which role, since when, and why
    Access(AccessArgs),
    /// Check everything a run depends on, and suggest fixes
    Doctor(ConnectionArgs),
    /// Write example files and plan them with a fake Pylon
    Demo(DemoArgs),
    /// Run a built-in fake Pylon on this machine
    Sandbox(SandboxArgs),
    /// Print a JSON Schema for editors and programs
    Schema(SchemaArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print a manual page or write all of them
    Man(ManArgs),
}

/// The facts about a command that the program needs before running it.
#[derive(Debug, Default)]
pub struct CommandFacts<'a> {
    pub name: &'static str,
    /// The connection flags, or `None` if the command doesn't connect to Pylon.
    pub connection: Option<&'a ConnectionArgs>,
    /// The files named on the command line that the command reads, except `--config`.
    pub read: Vec<&'a Path>,
    /// The file that the command writes, not counting reports, preceded by its description for messages.
    pub written: Option<(&'static str, &'a Path)>,
    /// Whether the command uses the root file selected by `--config`, rather than only files named in its arguments.
    pub uses_config: bool,
    /// Whether the command prints a schema, a script, a manual page, or a formatted file instead of a report.
    pub prints_its_own: bool,
}

impl Command {
    pub fn facts(&self) -> CommandFacts<'_> {
        let offline = |name| CommandFacts { name, ..CommandFacts::default() };
        let online = |name, connection| CommandFacts {
            connection: Some(connection),
            uses_config: true,
            ..offline(name)
        };
        let printer = |name| CommandFacts { prints_its_own: true, ..offline(name) };
        let mut facts = match self {
            Self::Validate(ValidateArgs { files, .. }) => {
                CommandFacts { read: paths(files), uses_config: files.is_empty(), ..offline("validate") }
            }
            Self::Plan(PlanArgs { base, output, connection, .. }) => CommandFacts {
                read: paths(base),
                written: output.as_deref().map(|path| ("the plan", path)),
                ..online("plan", connection)
            },
            Self::Apply(ApplyArgs { plan, carry, connection, .. }) => CommandFacts {
                read: paths(plan),
                written: carry.journal.as_deref().map(|path| ("the journal", path)),
                ..online("apply", connection)
            },
            Self::Compare(CompareArgs { old, new, .. }) => CommandFacts {
                read: paths(std::iter::once(old).chain(new)),
                uses_config: new.is_none(),
                ..offline("compare")
            },
            Self::Import(ImportArgs { into, state, connection, .. }) => CommandFacts {
                read: paths(into),
                written: state.as_deref().map(|path| ("the state", path)),
                ..online("import", connection)
            },
            Self::Fmt(args) => CommandFacts {
                read: paths(&args.files),
                uses_config: args.files.is_empty(),
                prints_its_own: args.is_filter(),
                ..offline("fmt")
            },
            Self::Explain(args) => {
                CommandFacts { uses_config: args.code().is_none(), ..online("explain", &args.connection) }
            }
            Self::Doctor(connection) => online("doctor", connection),
            Self::Roles(connection) => online("roles", connection),
            Self::Access(AccessArgs { since, connection }) => {
                CommandFacts { read: paths(since), ..online("access", connection) }
            }
            Self::Agenda(_) => CommandFacts { uses_config: true, ..offline("agenda") },
            Self::Show(ShowArgs { plan }) => CommandFacts { read: vec![plan], ..offline("show") },
            Self::Rollback(RollbackArgs { of, carry, connection, .. }) => CommandFacts {
                read: paths(of),
                written: carry.journal.as_deref().map(|path| ("the journal", path)),
                ..online("rollback", connection)
            },
            Self::Demo(_) => offline("demo"),
            Self::Sandbox(SandboxArgs { state, people, write_state, .. }) => CommandFacts {
                read: paths(state.iter().filter(|_| write_state.is_some())),
                written: write_state.as_deref().or(state.as_deref()).map(|path| ("the state", path)),
                uses_config: write_state.is_some() && state.is_none() && people.is_none(),
                ..offline("sandbox")
            },
            Self::Schema(_) => printer("schema"),
            Self::Completions(_) => printer("completions"),
            Self::Man(_) => printer("man"),
        };
        facts.read.extend(facts.connection.and_then(|asked| asked.token_file.as_deref()));
        facts
    }
}

fn paths<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Vec<&'a Path> {
    paths.into_iter().map(PathBuf::as_path).collect()
}

#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The old version: a root file, or a git revision such as main
    #[arg(value_name = "OLD")]
    pub old: PathBuf,
    /// The new version: a root file, or a git revision [default: the config]
    #[arg(value_name = "NEW")]
    pub new: Option<PathBuf>,
    /// Exit with code 2 if the versions differ
    #[arg(long)]
    pub detailed_exitcode: bool,
}

#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Update the existing files
    ///
    /// Comments, order, and layout are preserved.
    #[arg(long)]
    pub update: bool,
    /// Add unmanaged people to this file
    ///
    /// The file must be the root file or one of its includes.
    #[arg(long, value_name = "FILE", requires = "update")]
    pub into: Option<PathBuf>,
    /// Split the people into team files
    ///
    /// One new file per role or per domain is created in teams/.
    #[arg(long, value_enum, value_name = "KEY", conflicts_with = "update")]
    pub split_by: Option<SplitBy>,
    /// Also declare statuses for new people
    ///
    /// Note that Pylon also changes statuses on its own.
    #[arg(long, hide_short_help = true)]
    pub with_status: bool,
    /// Show what would be written without writing it
    #[arg(long)]
    pub diff: bool,
    /// Write the organization to a state file for the sandbox, instead of users.toml (format: docs/sandbox.md)
    #[arg(
        long,
        value_name = "FILE",
        value_parser = output_file(),
        hide_short_help = true,
        conflicts_with_all = ["update", "split_by", "with_status", "diff"]
    )]
    pub state: Option<PathBuf>,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

impl ImportArgs {
    /// Returns the fields to write for each person.
    pub const fn fields(&self) -> PerField<bool> {
        PerField { role: true, status: self.with_status }
    }
}

#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// Root files to check instead of --config; `-` reads standard input
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Exit with code 1 if there are warnings, for pipelines
    #[arg(long, value_enum, value_name = "warnings")]
    pub deny: Option<Denied>,
}

/// The problems that `--deny` treats as errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Denied {
    /// All warnings
    Warnings,
}

#[derive(Debug, Args)]
pub struct FmtArgs {
    /// Files to format; `-` formats standard input to standard output
    ///
    /// Their includes are not formatted.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Write nothing and exit with code 2 if a file would change
    #[arg(long)]
    pub check: bool,
    /// Show what would change without writing it
    #[arg(long)]
    pub diff: bool,
}

impl FmtArgs {
    /// Returns `true` if standard input is formatted to standard output, in which case no report is printed.
    pub fn is_filter(&self) -> bool {
        !self.check && !self.diff && matches!(self.files.as_slice(), [file] if file.as_os_str() == STDIN)
    }
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// An address, part of a name or address, or an error code
    ///
    /// Any address in the files or in Pylon works.
    #[arg(value_name = "WHO")]
    pub who: String,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

impl ExplainArgs {
    /// Returns the error code to explain, or `None` if the argument refers to a person (an address can't contain `::`).
    pub fn code(&self) -> Option<&str> {
        Some(self.who.trim()).filter(|who| who.contains("::"))
    }
}

#[derive(Debug, Args)]
pub struct AccessArgs {
    /// Earlier review in JSON; also show who gained or lost a role since then
    #[arg(long, value_name = "FILE")]
    pub since: Option<PathBuf>,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub struct AgendaArgs {
    /// Show only changes before this time
    ///
    /// TIME is a date, a local date-time in the configured time zone, or a date-time with an offset.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
}

#[derive(Debug, Args)]
pub struct DemoArgs {
    /// New folder for the example
    #[arg(value_name = "DIR", default_value = "rolecall-demo")]
    pub new_folder: PathBuf,
}

#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Plan saved by `rolecall plan -o`
    #[arg(value_name = "FILE")]
    pub plan: PathBuf,
}

#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Exit with code 2 if there are changes to apply
    #[arg(long, hide_short_help = true)]
    pub detailed_exitcode: bool,
    /// Save the plan for `rolecall apply FILE`
    #[arg(short, long, value_name = "FILE", value_parser = output_file(), conflicts_with = "at")]
    pub output: Option<PathBuf>,
    /// Show what would change at this time
    ///
    /// TIME is a date, a local date-time in the configured time zone, or a date-time with an offset.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Plan only the person with this address; repeatable
    ///
    /// The address must be declared. All guardrails except `max_changes` and `missing` still take everyone into account.
    #[arg(long, value_name = "EMAIL")]
    pub only: Vec<String>,
    /// Show who last changed each value that differs
    ///
    /// This information comes from Pylon's audit log.
    #[arg(long)]
    pub blame: bool,
    /// List all unmanaged people in text reports, not just the first twelve
    #[arg(long, hide_short_help = true)]
    pub list_unmanaged: bool,
    /// Show the cause of each change since this version
    ///
    /// The version is a root file or a git revision such as main. A change is caused by the difference between the two versions,
    /// by a window (scheduled), or by drift.
    #[arg(long, value_name = "REV-or-FILE")]
    pub base: Option<PathBuf>,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// Plan saved by `rolecall plan -o`
    ///
    /// Only the changes in this plan are applied. If the plan no longer applies, nothing is changed (exit code 5).
    #[arg(value_name = "FILE", conflicts_with = "only")]
    pub plan: Option<PathBuf>,
    /// Change only the person with this address; repeatable
    ///
    /// The address must be declared. Even so, all guardrails except `max_changes` and `missing` take everyone into account.
    #[arg(long, value_name = "EMAIL")]
    pub only: Vec<String>,
    #[command(flatten)]
    pub carry: CarryArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// Journal of the apply to undo; if omitted, lists the journals
    #[arg(value_name = "JOURNAL")]
    pub of: Option<PathBuf>,
    /// Undo the apply recorded in the newest journal
    #[arg(long, conflicts_with = "of")]
    pub last: bool,
    /// Show what would be restored without restoring it
    #[arg(long, conflicts_with = "auto_approve")]
    pub dry_run: bool,
    #[command(flatten)]
    pub carry: CarryArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

impl RollbackArgs {
    /// Returns `true` if the command only lists the journals. With `--auto-approve` or `--dry-run`, a missing journal is an error,
    /// since the cause is most likely an empty variable in a pipeline.
    pub const fn is_list(&self) -> bool {
        self.of.is_none() && !self.last && !self.dry_run && !self.carry.auto_approve
    }
}

/// The options shared by `apply` and `rollback`.
#[derive(Debug, Args)]
pub struct CarryArgs {
    /// Do not ask for confirmation
    ///
    /// For pipelines whose plan has already been reviewed.
    #[arg(short = 'y', long, visible_alias = "yes")]
    pub auto_approve: bool,
    /// Allow up to N people to change in this run
    ///
    /// Overrides the `max_changes` limit in the files.
    #[arg(long, value_name = "N", value_parser = count)]
    pub max_changes: Option<u64>,
    /// File to write the journal to [default: a new file in .rolecall/journal/ next to the config]
    #[arg(long, value_name = "FILE", value_parser = output_file(), hide_short_help = true)]
    pub journal: Option<PathBuf>,
    /// Maximum number of requests in flight
    #[arg(
        long,
        value_name = "N",
        default_value_t = 8,
        value_parser = clap::value_parser!(u64).range(1..=64),
        hide_short_help = true
    )]
    pub parallelism: u64,
}

#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// Port on 127.0.0.1 [default: any free port]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    pub port: u16,
    /// Token to accept
    #[arg(long, value_name = "T", default_value = crate::sandbox::DEFAULT_TOKEN)]
    pub token: String,
    /// File to read the organization from and save it to
    ///
    /// The file is created if it does not exist. Its format is described in docs/sandbox.md.
    #[arg(long, value_name = "FILE", value_parser = output_file())]
    pub state: Option<PathBuf>,
    /// Number of people to generate [default: 12]
    ///
    /// This has no effect if a state is read.
    #[arg(long, value_name = "N")]
    pub people: Option<usize>,
    /// Write the initial state to FILE and exit
    ///
    /// You can then edit the file and pass it to --state. If there is a config and neither --state nor --people is given, the
    /// file contains the state that --sandbox would start from.
    #[arg(long, value_name = "FILE", value_parser = output_file(), conflicts_with_all = ["port", "token", "limits", "faults"])]
    pub write_state: Option<PathBuf>,
    /// Rate limits: `off`, or a list such as patch=20
    ///
    /// The names are me, roles, users, user, search, patch, audit, get (every GET), window (in seconds), and kind, as in
    /// kind=fixed-window.
    #[arg(long, value_name = "L")]
    pub limits: Option<crate::sandbox::WrittenLimits>,
    /// Faults to inject, such as 500=0.1
    ///
    /// A list of names and probabilities, as in 500=0.1,cut-after=0.05. For all names, see docs/sandbox.md.
    #[arg(long, value_name = "F")]
    pub faults: Option<crate::sandbox::Faults>,
}

#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// The format that the schema describes
    #[arg(value_enum, value_name = "OF", default_value_t = SchemaOf::Users)]
    pub of: SchemaOf,
}

/// The formats with a JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// users.toml and its team files
    Users,
    /// The output of `--format json`
    Report,
    /// A plan saved by `rolecall plan -o`
    Plan,
}

#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell that will run the script
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub struct ManArgs {
    /// Command to print the page of; if omitted, rolecall itself
    #[arg(value_name = "COMMAND")]
    pub verb: Option<String>,
    /// Write all pages to this folder
    #[arg(long, value_name = "FOLDER", conflicts_with = "verb")]
    pub into: Option<PathBuf>,
}

/// The default name of the root file.
pub const CONFIG: &str = "users.toml";

impl Cli {
    /// Sets the root file, along with the flags that make suggested commands use the same files and the same Pylon.
    pub fn use_config(&mut self, config: PathBuf, origin: ConfigOrigin) {
        let Common { folder, invocation, .. } = &self.common;
        let word = |path: &Path| if path.as_os_str() == STDIN { STDIN.to_owned() } else { path_word(path) };
        let words = |flag: &str, value: &Path| [flag.to_owned(), word(value)];
        let description = Path::new("pylon.json");
        let described =
            if is_stream(&config) { description.to_owned() } else { config.with_file_name(description) };
        // Omit `-c` if the default search finds the file. Add `-c` if `ROLECALL_CONFIG` named the file, because that variable
        // might not be set in another shell.
        let is_found =
            matches!(origin, ConfigOrigin::Folder | ConfigOrigin::Parent | ConfigOrigin::Nowhere(_));
        self.common.invocation = Invocation {
            folder: folder.iter().flat_map(|folder| words("-C", folder)).collect(),
            config: if is_found { Vec::new() } else { words("-c", &config).into() },
            description: path_word(&described),
            pylon: self.command.facts().connection.map(ConnectionArgs::words).unwrap_or_default(),
            again: self.command.again(),
            takes: invocation.takes,
        };
        (self.common.config, self.common.origin) = (config, origin);
    }
}

/// How the root file was chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ConfigOrigin {
    /// Specified by `--config`.
    Named,
    /// Specified by `ROLECALL_CONFIG`.
    Variable,
    /// Found in the current folder.
    #[default]
    Folder,
    /// Found in a parent folder.
    Parent,
    /// Not found. Contains a description of the folders that were searched.
    Nowhere(String),
}

impl ConnectionArgs {
    /// Returns the flags that determine which Pylon and which token to use. A base URL from the environment is omitted
    /// because the next command reads the same environment.
    fn words(&self) -> Vec<String> {
        let Self { region, base_url, token_file, sandbox, rate: _ } = self;
        let from_environment = std::env::var(BASE_URL).ok();
        let options = [
            ("--region", region.map(|region| region.as_str().to_owned())),
            ("--base-url", base_url.clone().filter(|url| from_environment.as_ref() != Some(url))),
            ("--token-file", token_file.as_ref().map(|path| path.to_string_lossy().into_owned())),
        ];
        let given = options.into_iter().filter_map(|(flag, value)| Some([flag.to_owned(), value?]));
        given.flatten().chain(sandbox.then(|| "--sandbox".to_owned())).collect()
    }
}

impl Command {
    /// Returns the arguments that repeat this apply or rollback, or that apply this plan. Returns `apply` for any other
    /// command.
    fn again(&self) -> Vec<String> {
        let (verb, file, only, carry) = match self {
            Self::Plan(PlanArgs { only, .. }) => ("apply", &None, &**only, None),
            Self::Apply(ApplyArgs { plan, only, carry, connection: _ }) => {
                ("apply", plan, &**only, Some(carry))
            }
            Self::Rollback(RollbackArgs { of, last: _, dry_run: _, carry, connection: _ }) => {
                ("rollback", of, &[][..], Some(carry))
            }
            _ => ("apply", &None, &[][..], None),
        };
        let limit = carry.and_then(|carry| carry.max_changes);
        let mut words = vec![verb.to_owned()];
        words.extend(file.iter().map(|path| path_word(path)));
        words.extend(only.iter().flat_map(|email| ["--only".to_owned(), email.clone()]));
        words.extend(limit.iter().flat_map(|limit| ["--max-changes".to_owned(), limit.to_string()]));
        words
    }
}

#[derive(Debug, Args)]
pub struct Common {
    /// Root file [default: the nearest users.toml]
    ///
    /// If this option is omitted, the root file is the one named by ROLECALL_CONFIG. If that is not set either, rolecall uses the
    /// nearest users.toml, searching the current folder and then its parents up to the root of the git repository.
    #[arg(id = "config", short = 'c', long = "config", value_name = "FILE", global = true)]
    pub named: Option<PathBuf>,
    /// Change to this folder first
    ///
    /// All other paths are relative to it.
    #[arg(short = 'C', value_name = "DIR", global = true, hide_short_help = true)]
    pub folder: Option<PathBuf>,
    /// The root file in use.
    #[arg(skip)]
    pub config: PathBuf,
    #[arg(skip)]
    pub origin: ConfigOrigin,
    #[arg(skip)]
    pub invocation: Invocation,
    /// Format of the report
    #[arg(long, value_enum, default_value_t = Format::Text, global = true)]
    pub format: Format,
    /// Also write a report in FORMAT to FILE, even on failure; repeatable
    #[arg(
        long,
        value_name = "FORMAT=FILE",
        value_parser = report,
        global = true,
        help_heading = "Output",
        hide_short_help = true
    )]
    pub report: Vec<(Format, PathBuf)>,
    /// Maximum size of a Markdown report in bytes
    ///
    /// A truncated report says how much was left out.
    #[arg(
        long,
        value_name = "N",
        default_value_t = LONGEST_COMMENT,
        hide_default_value = true,
        value_parser = markdown_limit,
        global = true,
        help_heading = "Output",
        hide_short_help = true
    )]
    pub markdown_limit: usize,
    /// Web URL of the current folder at this commit
    ///
    /// Markdown reports use it to link to lines of the files.
    #[arg(
        long,
        value_name = "URL",
        value_parser = source_url,
        global = true,
        help_heading = "Output",
        hide_short_help = true
    )]
    pub source_url: Option<String>,
    /// List every person in a plan, even if many have the same change
    #[arg(long, global = true, help_heading = "Output", hide_short_help = true)]
    pub full: bool,
    /// Suppress progress output on standard error
    #[arg(short, long, global = true, help_heading = "Output", hide_short_help = true)]
    pub quiet: bool,
    /// Log each request to standard error
    ///
    /// Each line shows the time, method, path, status, milliseconds, attempt, request ID, and waits.
    #[arg(short, long, global = true, help_heading = "Output", hide_short_help = true)]
    pub verbose: bool,
    /// When to use colors
    #[arg(
        long,
        value_enum,
        default_value_t = Color::Auto,
        global = true,
        help_heading = "Output",
        value_name = "WHEN",
        hide_short_help = true
    )]
    pub color: Color,
}

/// The environment variable for `--base-url`.
const BASE_URL: &str = "PYLON_BASE_URL";

/// The options of commands that connect to Pylon.
#[derive(Debug, Args)]
#[command(next_help_heading = "Pylon")]
pub struct ConnectionArgs {
    /// Region of the organization [default: the region pinned in the files, or `us`]
    #[arg(long, value_enum, hide_short_help = true)]
    pub region: Option<Region>,
    /// Base URL to use instead of the region: https, or http on this machine
    #[arg(long, value_name = "URL", env = BASE_URL, hide_env_values = true, hide_short_help = true)]
    pub base_url: Option<String>,
    /// File with the token [default: $PYLON_API_TOKEN]
    ///
    /// `-` reads the token from standard input.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Use a built-in fake Pylon instead of the real one
    ///
    /// This requires neither a token nor network access.
    #[arg(long)]
    pub sandbox: bool,
    /// Rate limit in requests per minute, if it differs from the documented one
    ///
    /// NAME is search, patch, audit, get, me, roles, users, or user.
    #[arg(
        long,
        value_name = "NAME=N",
        env = "ROLECALL_RATE",
        hide_env_values = true,
        value_delimiter = ',',
        value_parser = rate,
        hide_short_help = true
    )]
    pub rate: Vec<Rate>,
}

impl ValueEnum for Region {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()).help(self.host()))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Even if the output is not a terminal
    Always,
    /// No colors at all
    Never,
}

fn count(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "N must be a whole number, such as 40".into())
}

/// The endpoints that a `--rate NAME=N` selects, each with its rate limit in requests per minute.
pub type Rate = Vec<(Endpoint, u64)>;

fn rate(text: &str) -> Result<Rate, String> {
    // A variable without a value counts as unset, because CI systems often define variables that way.
    if text.is_empty() {
        return Ok(Rate::new());
    }
    let (name, number) = text.split_once('=').ok_or("write NAME=N, as in patch=20")?;
    let name = name.trim();
    let is_named = |endpoint: &Endpoint| {
        endpoint.facts().name == name || name == "get" && endpoint.facts().method == "GET"
    };
    let endpoints: Vec<Endpoint> = Endpoint::ALL.into_iter().filter(is_named).collect();
    if endpoints.is_empty() {
        return Err(format!(
            "the names are get, {}",
            Endpoint::ALL.map(|endpoint| endpoint.facts().name).join(", ")
        ));
    }
    let limit = number.trim().parse().ok().filter(|number| (1..=1_000_000).contains(number));
    let limit = limit.ok_or("N must be a number of requests per minute from 1 to 1000000")?;
    Ok(endpoints.into_iter().map(|endpoint| (endpoint, limit)).collect())
}

fn report(text: &str) -> Result<(Format, PathBuf), String> {
    let (name, file) = text.split_once('=').ok_or("write FORMAT=FILE, as in markdown=plan.md")?;
    let format =
        Format::named(name).ok_or_else(|| format!("the formats are {}", Format::WORDS.join(", ")))?;
    match file {
        "" => Err("the file name after `=` is missing".into()),
        STDIN => Err(NOT_STDOUT.into()),
        file => Ok((format, PathBuf::from(file))),
    }
}

/// The message for `-` as an output file.
const NOT_STDOUT: &str = "standard output is used by --format; name a file";

fn output_file() -> impl TypedValueParser<Value = PathBuf> {
    let checked = |path: PathBuf| if path.as_os_str() == STDIN { Err(NOT_STDOUT) } else { Ok(path) };
    PathBufValueParser::new().try_map(checked)
}

/// Parses the URL, which must not contain credentials, a query, or a fragment. Escapes the characters that could end a Markdown
/// link or a table cell.
fn source_url(text: &str) -> Result<String, String> {
    let url = reqwest::Url::parse(text).ok().filter(|url| {
        ["https", "http"].contains(&url.scheme()) && url.username().is_empty() && url.password().is_none()
    });
    let url = url.filter(|url| url.query().is_none() && url.fragment().is_none());
    let url = url.ok_or("URL must look like https://github.com/acme/people/blob/main")?;
    let url = url.as_str().trim_end_matches('/');
    Ok(url.replace('(', "%28").replace(')', "%29").replace('|', "%7C"))
}

fn markdown_limit(text: &str) -> Result<usize, String> {
    let limits = SHORTEST_MARKDOWN..=1_048_576;
    let limit = text.parse().ok().filter(|limit| limits.contains(limit));
    limit.ok_or_else(|| format!("N must be a number of bytes from {SHORTEST_MARKDOWN} to 1048576"))
}

/// The smallest accepted `--markdown-limit` in bytes, which leaves room for the verdict and the blocking guardrails.
const SHORTEST_MARKDOWN: usize = 8192;
