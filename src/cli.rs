//! What can be typed: verbs, flags and their help texts. No decisions.
#![allow(clippy::doc_markdown, reason = "the comments are help texts, and backticks do not belong there")]

use std::path::{Path, PathBuf};

use clap::builder::PossibleValue;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::invocation::{Invocation, path_word};
use crate::pylon::request::Endpoint;
use crate::regular::STDIN;
use crate::report::{Format, LONGEST_COMMENT};
use crate::roster::Region;

/// Roles and statuses of a Pylon support team, declared in git: plan in the pull request, apply on merge.
#[derive(Debug, Parser)]
#[command(
    name = "rolecall",
    version,
    about,
    max_term_width = 100,
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
    /// Check the files alone, offline; every problem at once
    Validate(ValidateArgs),
    /// Show what would change, and what the guardrails say of it
    Plan(PlanArgs),
    /// Bring Pylon in sync with the files: plan, ask, patch, read back
    Apply(ApplyArgs),
    /// Show what two versions of the files declare differently
    Compare(CompareArgs),
    /// Write users.toml from what is true in Pylon, or update it
    Import(ImportArgs),
    /// Bring every file into the canonical layout; comments stay
    Fmt(FmtArgs),
    /// Show everything about one person: live, declared and why
    Explain(ExplainArgs),
    /// Look at everything that a run needs, each with its remedy
    Doctor(ConnectionArgs),
    /// Show the organization's roles: their names, and who holds them
    Roles(ConnectionArgs),
    /// Show what windows will bring: when, who, what; offline
    Agenda(AgendaArgs),
    /// Take an apply back, as far as nothing has changed since
    Rollback(RollbackArgs),
    /// Run a small Pylon on this machine, to try files against
    Sandbox(SandboxArgs),
    /// Print the JSON Schema of users.toml, with which editors help
    Schema(SchemaArgs),
    /// Print what makes a shell complete verbs and flags
    Completions(CompletionsArgs),
    /// Print a manual page, or write them all
    Man(ManArgs),
}

/// The files that a verb was given by name.
#[derive(Debug)]
pub struct Named<'a> {
    pub read: Vec<&'a Path>,
    /// The one that it writes, and what that is.
    pub written: Option<(&'static str, &'a Path)>,
}

impl Command {
    /// The files that were named beside the config and the reports.
    pub fn files(&self) -> Named<'_> {
        let (mut read, written) = match self {
            Self::Plan(args) => (Vec::new(), args.output.as_ref().map(|path| ("the plan", path))),
            Self::Apply(ApplyArgs { plan, carry, .. }) => {
                (plan.iter().collect(), carry.journal.as_ref().map(|path| ("the journal", path)))
            }
            Self::Rollback(RollbackArgs { of, carry, .. }) => {
                (of.iter().collect(), carry.journal.as_ref().map(|path| ("the journal", path)))
            }
            Self::Compare(CompareArgs { old, new, .. }) => (vec![old, new], None),
            Self::Import(args) => {
                (args.into.iter().collect(), args.state.as_ref().map(|path| ("the state", path)))
            }
            Self::Sandbox(SandboxArgs { state, write_state, .. }) => match write_state {
                Some(path) => (state.iter().collect(), Some(("the state", path))),
                None => (Vec::new(), state.as_ref().map(|path| ("the state", path))),
            },
            Self::Validate(_)
            | Self::Fmt(_)
            | Self::Explain(_)
            | Self::Doctor(_)
            | Self::Roles(_)
            | Self::Agenda(_)
            | Self::Schema(_)
            | Self::Completions(_)
            | Self::Man(_) => (Vec::new(), None),
        };
        let token_file = self.connection().and_then(|asked| asked.token_file.as_ref());
        read.extend(token_file.filter(|path| path.as_os_str() != STDIN));
        let written = written.map(|(what, path)| (what, path.as_path()));
        Named { read: read.into_iter().map(PathBuf::as_path).collect(), written }
    }

    /// Which Pylon is asked, and how, by a verb that asks one.
    pub const fn connection(&self) -> Option<&ConnectionArgs> {
        match self {
            Self::Plan(PlanArgs { connection, .. })
            | Self::Apply(ApplyArgs { connection, .. })
            | Self::Import(ImportArgs { connection, .. })
            | Self::Explain(ExplainArgs { connection, .. })
            | Self::Rollback(RollbackArgs { connection, .. })
            | Self::Doctor(connection)
            | Self::Roles(connection) => Some(connection),
            Self::Validate(_)
            | Self::Compare(_)
            | Self::Fmt(_)
            | Self::Agenda(_)
            | Self::Sandbox(_)
            | Self::Schema(_)
            | Self::Completions(_)
            | Self::Man(_) => None,
        }
    }

    pub const fn name(&self) -> &'static str {
        match self {
            Self::Validate(_) => "validate",
            Self::Plan(_) => "plan",
            Self::Apply(_) => "apply",
            Self::Compare(_) => "compare",
            Self::Import(_) => "import",
            Self::Fmt(_) => "fmt",
            Self::Explain(_) => "explain",
            Self::Doctor(_) => "doctor",
            Self::Roles(_) => "roles",
            Self::Agenda(_) => "agenda",
            Self::Rollback(_) => "rollback",
            Self::Sandbox(_) => "sandbox",
            Self::Schema(_) => "schema",
            Self::Completions(_) => "completions",
            Self::Man(_) => "man",
        }
    }

    /// Whether it prints a text of its own, in no format of a report.
    pub const fn prints_its_own(&self) -> bool {
        matches!(self, Self::Schema(_) | Self::Completions(_) | Self::Man(_))
    }
}

#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The root file of the old version, as in base/users.toml
    #[arg(value_name = "OLD")]
    pub old: PathBuf,
    /// The root file of the new version
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
    /// Exit with 2 when they differ
    #[arg(long)]
    pub detailed_exitcode: bool,
}

#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Take live values into the files that are there; comments, order and layout stay
    #[arg(long)]
    pub update: bool,
    /// Add people whom no file declares to this one of the files that are read
    #[arg(long, value_name = "FILE", requires = "update")]
    pub into: Option<PathBuf>,
    /// Declare statuses too, of people who are newly written; Pylon changes statuses by itself
    #[arg(long)]
    pub with_status: bool,
    /// Show what would be written, and write nothing
    #[arg(long)]
    pub diff: bool,
    /// Write the organization to FILE as a state of the sandbox (format: docs/sandbox.md), instead of users.toml
    #[arg(long, value_name = "FILE", conflicts_with_all = ["update", "with_status", "diff"])]
    pub state: Option<PathBuf>,
    /// Which Pylon is asked, and how.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// Root files to check instead of --config; `-` is standard input
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub struct FmtArgs {
    /// Files to format, and no others; `-` formats standard input to standard output
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Write nothing, and exit with 2 when a file would change
    #[arg(long)]
    pub check: bool,
    /// Show what would change, and write nothing
    #[arg(long)]
    pub diff: bool,
}

impl FmtArgs {
    /// Whether standard input is formatted to standard output, so that there is no report.
    pub fn is_filter(&self) -> bool {
        !self.check && !self.diff && matches!(self.files.as_slice(), [file] if file.as_os_str() == STDIN)
    }
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// An address of the person: the declared one, or any that Pylon knows
    #[arg(value_name = "EMAIL")]
    pub email: String,
    /// Which Pylon is asked, and how.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub struct AgendaArgs {
    /// Show what comes before this time: a date, a local date-time in the declared zone, or one with an offset
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
}

#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Exit with 2 when there are changes to make
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Save the plan, for `apply FILE`
    #[arg(short, long, value_name = "FILE", conflicts_with = "at")]
    pub output: Option<PathBuf>,
    /// What would change at this time: a date, a local date-time in the declared zone, or one with an offset
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Look at this person alone, by the declared address; repeatable. Guardrails still see everybody, but `max_changes` and `missing`
    #[arg(long, value_name = "EMAIL")]
    pub only: Vec<String>,
    /// Say who changed what is out of sync, as far as Pylon's audit log tells
    #[arg(long)]
    pub blame: bool,
    /// Which Pylon is asked, and how.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// A plan saved by `plan -o`: exactly this is applied, or what is left of it, or nothing (exit 5)
    #[arg(value_name = "FILE", conflicts_with = "only")]
    pub plan: Option<PathBuf>,
    /// Change this person alone, by the declared address; repeatable. Guardrails still see everybody, but `max_changes` and `missing`
    #[arg(long, value_name = "EMAIL")]
    pub only: Vec<String>,
    /// How it is carried out.
    #[command(flatten)]
    pub carry: CarryArgs,
    /// Which Pylon is asked, and how.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// The journal of the apply that is to be taken back; without one, the newest are listed
    #[arg(value_name = "JOURNAL")]
    pub of: Option<PathBuf>,
    /// How it is carried out.
    #[command(flatten)]
    pub carry: CarryArgs,
    /// Which Pylon is asked, and how.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// How a plan is carried out, by `apply` as by `rollback`.
#[derive(Debug, Args)]
pub struct CarryArgs {
    /// Do not ask; for pipelines, where the plan was reviewed before
    #[arg(short = 'y', long, visible_alias = "yes")]
    pub auto_approve: bool,
    /// Allow so many people to change in this run, whatever `max_changes` says
    #[arg(long, value_name = "N", value_parser = count)]
    pub max_changes: Option<u64>,
    /// Where the journal is written; `.rolecall/journal/` beside the config unless given
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
    /// How many requests may be under way at once
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=64))]
    pub parallelism: u64,
}

#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// The port on 127.0.0.1; any free one unless given
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    pub port: u16,
    /// The token it accepts
    #[arg(long, value_name = "T", default_value = crate::sandbox::DEFAULT_TOKEN)]
    pub token: String,
    /// Where the organization is read from and kept (format: docs/sandbox.md); made if it is not there
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// How many people to invent, if no state is read [default: 12]
    #[arg(long, value_name = "N")]
    pub people: Option<usize>,
    /// Write the state that the sandbox would start from to FILE, to be edited, and exit. With a config, this is the state that
    /// --sandbox would start from
    #[arg(long, value_name = "FILE", conflicts_with_all = ["port", "token", "limits", "faults"])]
    pub write_state: Option<PathBuf>,
    /// Rate limits: `off`, or as in patch=20,search=120,get=300,user=60,audit=30,window=60,kind=fixed-window
    #[arg(long, value_name = "L")]
    pub limits: Option<crate::sandbox::WrittenLimits>,
    /// What goes wrong on purpose: as in 500=0.1,cut-after=0.05 (names: docs/sandbox.md)
    #[arg(long, value_name = "F")]
    pub faults: Option<crate::sandbox::Faults>,
}

#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// What is described
    #[arg(value_enum, value_name = "OF", default_value_t = SchemaOf::Users)]
    pub of: SchemaOf,
}

/// What has a JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// users.toml, and the team files that it includes
    Users,
    /// What --format json writes
    Report,
    /// A plan saved by `plan -o`
    Plan,
}

#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// For which shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub struct ManArgs {
    /// The page of this verb; without one, that of rolecall itself
    #[arg(value_name = "VERB")]
    pub verb: Option<String>,
    /// Write every page into this folder
    #[arg(long, value_name = "FOLDER", conflicts_with = "verb")]
    pub into: Option<PathBuf>,
}

/// The root file, if none is named.
const CONFIG: &str = "users.toml";

impl Cli {
    /// How a command has to be called to mean the same files and the same Pylon. `takes` says whether a command takes a flag.
    pub fn invocation(&self, takes: fn(&str, &str) -> bool) -> Invocation {
        let config = &self.common.config;
        let is_default = config.as_os_str() == CONFIG;
        let words = |flag: &str, value: String| [flag.to_owned(), value];
        Invocation {
            config: if is_default { Vec::new() } else { words("-c", path_word(config)).into() },
            description: path_word(&config.with_file_name("pylon.json")),
            pylon: self.command.connection().map(ConnectionArgs::words).unwrap_or_default(),
            again: self.command.again(),
            takes,
        }
    }
}

impl ConnectionArgs {
    /// The words that say which Pylon is asked, and with which token. An address from the environment is still there next time.
    fn words(&self) -> Vec<String> {
        let Self { region, base_url, token_file, sandbox, rate: _ } = self;
        let mut words: Vec<String> = Vec::new();
        words.extend(region.iter().flat_map(|region| ["--region".to_owned(), region.as_str().to_owned()]));
        let from_environment = std::env::var(BASE_URL).ok();
        let given = base_url.iter().filter(|url| from_environment.as_ref() != Some(url));
        words.extend(given.flat_map(|url| ["--base-url".to_owned(), url.clone()]));
        words.extend(
            token_file
                .iter()
                .flat_map(|path| ["--token-file".to_owned(), path.to_string_lossy().into_owned()]),
        );
        words.extend(sandbox.then(|| "--sandbox".to_owned()));
        words
    }
}

impl Command {
    /// The command words that run the same operation again: `apply`, if the command changes no one.
    fn again(&self) -> Vec<String> {
        let limit = |carry: &CarryArgs| {
            carry.max_changes.map(|limit| ["--max-changes".to_owned(), limit.to_string()])
        };
        let mut words = vec!["apply".to_owned()];
        match self {
            Self::Apply(ApplyArgs { plan, only, carry, connection: _ }) => {
                words.extend(plan.iter().map(|path| path_word(path)));
                words.extend(only.iter().flat_map(|email| ["--only".to_owned(), email.clone()]));
                words.extend(limit(carry).into_iter().flatten());
            }
            Self::Rollback(RollbackArgs { of, carry, connection: _ }) => {
                words = vec!["rollback".to_owned()];
                words.extend(of.iter().map(|path| path_word(path)));
                words.extend(limit(carry).into_iter().flatten());
            }
            _ => {}
        }
        words
    }
}

#[derive(Debug, Args)]
pub struct Common {
    /// The root file
    #[arg(short, long, value_name = "FILE", default_value = CONFIG, global = true)]
    pub config: PathBuf,
    /// How rolecall was called.
    #[arg(skip)]
    pub invocation: Invocation,
    /// In which format to report on standard output
    #[arg(long, value_enum, default_value_t = Format::Text, global = true, help_heading = "Output")]
    pub format: Format,
    /// A report in another format as well, into a file; repeatable. Written on failure too
    #[arg(long, value_name = "FORMAT=FILE", value_parser = report, global = true, help_heading = "Output")]
    pub report: Vec<(Format, PathBuf)>,
    /// How long a markdown report may be at most, in bytes; what does not fit is counted
    #[arg(
        long,
        value_name = "N",
        default_value_t = LONGEST_COMMENT,
        hide_default_value = true,
        value_parser = markdown_limit,
        global = true,
        help_heading = "Output"
    )]
    pub markdown_limit: usize,
    /// No progress on standard error
    #[arg(short, long, global = true, help_heading = "Output")]
    pub quiet: bool,
    /// Print one line per request on standard error: time, method, path, status, milliseconds, attempt, request ID, waits
    #[arg(short, long, global = true, help_heading = "Output")]
    pub verbose: bool,
    /// Whether to color; `auto` is on a terminal, unless NO_COLOR is set
    #[arg(long, value_enum, default_value_t = Color::Auto, global = true, help_heading = "Output", value_name = "WHEN")]
    pub color: Color,
}

/// The variable that is used instead of `--base-url`.
const BASE_URL: &str = "PYLON_BASE_URL";

/// Which Pylon is asked and how: what every verb takes that asks it, and no other.
#[derive(Debug, Args)]
#[command(next_help_heading = "Pylon")]
pub struct ConnectionArgs {
    /// Where the organization lives; `us` unless given here or pinned in the files
    #[arg(long, value_enum)]
    pub region: Option<Region>,
    /// Another address of Pylon: https, or http on this machine
    #[arg(long, value_name = "URL", env = BASE_URL, hide_env_values = true)]
    pub base_url: Option<String>,
    /// A file that holds the token, `-` for standard input; otherwise it is taken from PYLON_API_TOKEN
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// An embedded Pylon in place of the real one; needs no token and no network
    #[arg(long)]
    pub sandbox: bool,
    /// A rate limit that differs from the documented one, in requests per minute: search, patch, audit, get (or me, roles, users, user)
    #[arg(
        long,
        value_name = "NAME=N",
        env = "ROLECALL_RATE",
        hide_env_values = true,
        value_delimiter = ',',
        value_parser = rate
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
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

fn count(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "N is a whole number, as in 40".into())
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    /// The endpoints that the name means.
    pub endpoints: Vec<Endpoint>,
    /// Requests per minute, for each of them.
    pub limit: u64,
}

impl Rate {
    /// The rate limit of each endpoint.
    pub fn each(&self) -> impl Iterator<Item = (Endpoint, u64)> {
        self.endpoints.iter().map(|endpoint| (*endpoint, self.limit))
    }
}

fn rate(text: &str) -> Result<Rate, String> {
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
    Ok(Rate { endpoints, limit: limit.ok_or("N is a number of requests per minute, at least 1")? })
}

fn report(text: &str) -> Result<(Format, PathBuf), String> {
    let (name, file) = text.split_once('=').ok_or("write FORMAT=FILE, as in markdown=plan.md")?;
    let format = Format::ALL.into_iter().find(|format| format.as_str() == name);
    let format =
        format.ok_or_else(|| format!("the formats are {}", Format::ALL.map(Format::as_str).join(", ")))?;
    match file {
        "" => Err("a file is missing behind the `=`".into()),
        "-" => Err("standard output has the report of --format".into()),
        file => Ok((format, PathBuf::from(file))),
    }
}

fn markdown_limit(text: &str) -> Result<usize, String> {
    let limits = SHORTEST_MARKDOWN..=1_048_576;
    let limit = text.parse().ok().filter(|limit| limits.contains(limit));
    limit.ok_or_else(|| format!("N is a number of bytes from {SHORTEST_MARKDOWN} to 1048576"))
}

/// Below this the verdict and the refusals have no room.
const SHORTEST_MARKDOWN: usize = 8192;
