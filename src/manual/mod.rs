//! The help texts and manual pages, with descriptions, examples, and exit codes for all commands.
//!
//! [`crate::cli`] defines the commands and flags, and [`VERBS`] contains the rest of their documentation. [`command`] uses
//! both for the output of `-h` and `--help`, and `page` uses them for the manual pages. Tests check that every command is in
//! [`VERBS`] and that the output of `-h` fits on a screen.

mod page;
mod verbs;

use std::ffi::OsString;
use std::path::Path;

use clap::builder::{PossibleValuesParser, Styles};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory, FromArgMatches};

use crate::cli::{Cli, MAX_WIDTH};
use crate::invocation::quoted;
use crate::report::Format;
use crate::report::style::styled;
use crate::report::text::wrap::wrapped_line;
pub use page::{ManualPage, pages};
pub use verbs::{GROUPS, VERBS, Verb};

/// Suggested first commands, shown below the list of commands.
const START: &[(&str, &str)] = &[
    ("rolecall demo", "write an example and plan it, without a token or an account"),
    ("rolecall import", "create users.toml from your organization"),
    ("rolecall plan", "show what would change"),
];

/// The last line of rolecall's own short help, which points to the full help.
const MORE: &str = "Help for one command: rolecall plan -h   All options: rolecall --help";

/// Exit code 64, which means the same for every command.
const WRONG_USAGE: (&str, &str) = ("64", "usage error; nothing was changed");

/// All exit codes. docs/exit-codes.md has the details.
pub const EXITS: &[(&str, &str)] = &[
    ("0", "success, or nothing to do"),
    ("1", "failed; nothing was changed"),
    ("2", "there are changes, and a flag requests this code"),
    ("3", "blocked by a guardrail; `rolecall plan` also returns this code"),
    ("4", "some changes were or may have been applied, but not all of them"),
    ("5", "the saved plan cannot be applied, or the plan has changed since it was shown"),
    WRONG_USAGE,
    ("129, 130, 143", "stopped by SIGHUP, SIGINT, or SIGTERM"),
];

/// Parses a command line.
///
/// # Errors
/// Returns an error for invalid usage. clap also represents the requested help or version text as an error.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let words = as_flag(words.into_iter().collect());
    let mut command = command();
    if words.iter().any(|word| word == "-h") {
        command = without_options(command);
    }
    let matches = command.try_get_matches_from_mut(&words).map_err(|error| advised(error, &words))?;
    let mut cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
    cli.common.invocation.takes = takes;
    Ok(cli)
}

/// Returns `true` if the command accepts the flag and doesn't ignore it.
fn takes(verb: &str, flag: &str) -> bool {
    let mut command = command();
    command.build();
    let is_flag = |arg: &Arg| arg.get_id() == flag && !arg.is_hide_set();
    command.find_subcommand(verb).is_some_and(|verb| verb.get_arguments().any(is_flag))
}

/// Omits the options from rolecall's own `-h` so that the list of commands fits on a screen. [`command`] can't omit them because
/// clap uses the same template for `-h` and `--help`.
fn without_options(command: Command) -> Command {
    let start = start(&command);
    command.help_template(format!("{start}\n{MORE}"))
}

/// Rewrites `help COMMAND` to `COMMAND --help`.
fn as_flag(words: Vec<OsString>) -> Vec<OsString> {
    match words.as_slice() {
        [program, help, verb @ ..] if help == "help" && verb.len() < 2 => {
            std::iter::once(program).chain(verb).cloned().chain(["--help".into()]).collect()
        }
        _ => words,
    }
}

/// Returns the definition of the command line, including the help texts.
pub fn command() -> Command {
    let command = Cli::command();
    let template = format!("{}\n{}\n{{options}}{{after-help}}", start(&command), heading("Options"));
    // Defer the help texts, so that a run creates only those of its own command.
    let command = command.mut_subcommands(|verb| verb.defer(documented));
    with_names(command).help_template(template).after_help(format!(
        "{}\n{}",
        block("Start here", START),
        block("Exit codes", EXITS)
    ))
}

/// Returns the definition of the command line for shell completions. Flags that a command doesn't use are left out rather than
/// hidden, because completions offer hidden flags too.
pub fn completed() -> Command {
    let command = Cli::command().mut_args(|arg| arg.global(false));
    let common: Vec<Arg> = command.get_arguments().cloned().collect();
    let uses = |command: &Command, arg: &Arg| !find(command).unused.contains(&arg.get_id().as_str());
    with_names(command.mut_subcommands(|verb| {
        let used: Vec<Arg> = common.iter().filter(|arg| uses(&verb, arg)).cloned().collect();
        verb.args(used)
    }))
}

/// Lists the commands as the values that `man` accepts.
fn with_names(command: Command) -> Command {
    let names = PossibleValuesParser::new(VERBS.iter().map(|verb| verb.name));
    command.mut_subcommand("man", |man| {
        man.mut_arg("verb", |arg| arg.value_parser(names).hide_possible_values(true))
    })
}

fn find(command: &Command) -> &'static Verb {
    VERBS.iter().find(|verb| verb.name == command.get_name()).expect("every command is in VERBS")
}

/// Adds the help texts to a command. Common flags that it doesn't use are hidden from its help, but not rejected, because they
/// can also precede the command.
fn documented(command: Command) -> Command {
    let Verb { name, more, examples, exits, unused } = find(&command);
    let about = about(&command);
    let exits: Vec<(&str, &str)> = exits.iter().copied().chain([WRONG_USAGE]).collect();
    let help = format!("rolecall {name} --help");
    let short = [examples[0], (&help, "show all options, examples, and exit codes")];
    command
        .mut_args(|arg| if unused.contains(&arg.get_id().as_str()) { arg.hide(true) } else { arg })
        .long_about(format!("{about}\n\n{more}"))
        .after_help(block("Examples", &short))
        .after_long_help(format!("{}\n{}", block("Examples", examples), block("Exit codes", &exits)))
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

/// Builds the beginning of the help template: the purpose, the usage, and the commands by group. clap can't group commands. A
/// group's name precedes its first command on the same line, since headings would make the help too long for a screen.
fn start(command: &Command) -> String {
    let mut start = "{about-with-newline}\n{usage-heading} {usage}\n\n".to_owned();
    for (group, names) in GROUPS {
        for (number, name) in names.iter().enumerate() {
            let group = if number == 0 { group } else { "" };
            let about = command.find_subcommand(name).map(about).unwrap_or_default();
            start +=
                &format!("{}{}{about}\n", header(&format!("{group:<9}")), literal(&format!("{name:<13}")));
        }
    }
    start
}

fn heading(text: &str) -> String {
    header(&format!("{text}:"))
}

fn header(text: &str) -> String {
    styled(*Styles::styled().get_header(), text)
}

fn literal(text: &str) -> String {
    styled(*Styles::styled().get_literal(), text)
}

/// The maximum width, in columns, of a term whose description is on the same line.
const LONGEST_TERM: usize = 44;

/// Formats terms and descriptions in two columns, with the descriptions wrapped. If a term is too long, its description goes on
/// the next line.
fn block(title: &str, rows: &[(&str, &str)]) -> String {
    let is_long = |term: &str| term.len() > LONGEST_TERM;
    let width = rows.iter().map(|(term, _)| term.len()).filter(|length| *length <= LONGEST_TERM).max();
    let column = width.unwrap_or(2) + 4;
    let mut block = heading(title) + "\n";
    for (term, means) in rows {
        let between =
            if is_long(term) { format!("\n{:column$}", "") } else { " ".repeat(column - 2 - term.len()) };
        let row = format!("  {term}{between}{means}");
        for line in row.trim_end().lines() {
            block += &wrapped_line(&format!("{line}\n"), MAX_WIDTH, column);
        }
    }
    block
}

/// Adds a tip to a usage error unless clap has a better suggestion.
fn advised(mut error: clap::Error, words: &[OsString]) -> clap::Error {
    let tip = match error.kind() {
        ErrorKind::UnknownArgument => match flag_of_elsewhere(&error, words) {
            // Replace clap's tip, which only suggests a flag with a similar spelling.
            Some(tip) => {
                error.remove(ContextKind::SuggestedArg);
                Some(tip)
            }
            None => flag_of_others(&error).or_else(|| root_file(&error, words)),
        },
        ErrorKind::MissingRequiredArgument => example(words),
        ErrorKind::InvalidUtf8 => not_utf8(words),
        ErrorKind::InvalidSubcommand if error.get(ContextKind::SuggestedSubcommand).is_none() => {
            Some(format!("the commands are: {}", names(|_| true)))
        }
        _ => None,
    };
    if let Some(tip) = tip {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

/// Returns a tip that names the environment variable or argument that isn't valid UTF-8.
fn not_utf8(words: &[OsString]) -> Option<String> {
    let is_broken = |value: &OsString| value.to_str().is_none();
    let command = command();
    let mut variables = command.get_subcommands().flat_map(Command::get_arguments).filter_map(Arg::get_env);
    let variable = variables.find(|name| std::env::var_os(name).as_ref().is_some_and(is_broken));
    let variable = variable
        .map(|name| format!("the value of {} is not UTF-8; set it again or unset it", name.display()));
    let word = || words.iter().position(is_broken).map(|at| format!("argument {at} is not UTF-8"));
    variable.or_else(word)
}

const DRY_RUN: &[&str] = &["dry-run", "dryrun", "noop", "preview", "what-if", "check"];
/// Flags that users might know from other programs, the commands that the tip is for (empty if it's for all commands), and what to
/// type instead. The first entry that matches the flag and the command is used.
const ELSEWHERE: &[(&[&str], &[&str], &str)] = &[
    (&["excel", "xlsx", "spreadsheet"], &[], "use '--format csv'"),
    (&["md"], &[], "use '--format markdown'"),
    (&["html"], &[], "use '--report html=FILE'"),
    (
        &["token", "api-token", "api-key", "apikey", "key", "pylon-api-token"],
        &[],
        "set the variable PYLON_API_TOKEN or use '--token-file FILE', because other processes can read the command line. \
         If this was a real token, revoke it in Pylon",
    ),
    (DRY_RUN, &["fmt", "import"], "use '--diff' to show what would be written without writing it"),
    (DRY_RUN, &["rollback"], "use '--dry-run' to show what would be restored without restoring it"),
    (DRY_RUN, &[], "use 'rolecall plan' to show what would change without changing it"),
    (&["url", "host", "endpoint", "api-url"], &[], "use '--base-url URL', '--region us', or '--region eu'"),
    (&["file", "path", "input"], &[], "use '--config FILE' to name the root file"),
    (&["no-color", "no-colour", "nocolor"], &[], "use '--color never'"),
    (&["debug", "trace"], &[], "use '--verbose'"),
    (&["silent"], &[], "use '--quiet'"),
    (
        &["force", "override"],
        &["plan", "apply", "rollback"],
        "use '--max-changes N' with 'apply' or 'rollback' to allow more changes; for any other guardrail, add the acknowledgment \
         that the plan shows",
    ),
    (&["strict", "werror", "deny-warnings"], &["validate"], "use '--deny warnings' to fail on warnings"),
    (&["user", "email", "target"], &[], "use '--only EMAIL' with 'plan' or 'apply'"),
];

/// Returns the argument that clap rejected.
fn rejected(error: &clap::Error) -> Option<&str> {
    match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(written)) => Some(written),
        _ => None,
    }
}

/// Returns the first command among the words of the command line.
fn typed_verb(words: &[OsString]) -> Option<&'static Verb> {
    words.iter().find_map(|word| VERBS.iter().find(|verb| *word == *verb.name))
}

/// Returns the tip for a flag known from another program.
fn flag_of_elsewhere(error: &clap::Error, words: &[OsString]) -> Option<String> {
    let flag = rejected(error)?.strip_prefix("--")?.split('=').next()?.to_ascii_lowercase().replace('_', "-");
    let verb = typed_verb(words);
    let meant = ELSEWHERE.iter().find(|(flags, verbs, _)| {
        let is_for_verb = verbs.is_empty() || verb.is_some_and(|verb| verbs.contains(&verb.name));
        flags.contains(&flag.as_str()) && is_for_verb
    });
    let tip = meant.map(|(.., tip)| (*tip).to_owned());
    tip.or_else(|| Format::WORDS.contains(&flag.as_str()).then(|| format!("use '--format {flag}'")))
}

/// Returns a tip listing the commands that accept the rejected flag.
fn flag_of_others(error: &clap::Error) -> Option<String> {
    let flag = rejected(error)?.strip_prefix("--")?;
    let command = Cli::command();
    let verbs = names(|verb| {
        let verb = command.find_subcommand(verb.name);
        verb.is_some_and(|verb| verb.get_arguments().any(|arg| arg.get_long() == Some(flag)))
    });
    (!verbs.is_empty()).then(|| format!("'--{flag}' is an option of: {verbs}"))
}

/// The commands whose report is available as CSV (`crate::report::csv`).
const WITH_CSV: [&str; 4] = ["plan", "agenda", "roles", "access"];

/// Checks that a command has a CSV report. If not, the error lists the commands that have one.
pub fn check_csv(command: &str) -> Result<(), String> {
    if WITH_CSV.contains(&command) { Ok(()) } else { Err(WITH_CSV.join(", ")) }
}

/// Suggests `--config` for a root file that was passed as an argument.
fn root_file(error: &clap::Error, words: &[OsString]) -> Option<String> {
    let written = rejected(error)?;
    let verb = typed_verb(words)?;
    let is_meant = Path::new(written).extension().is_some_and(|last| last == "toml")
        && !written.starts_with('-')
        && !verb.unused.contains(&"config");
    is_meant.then(|| format!("to use another root file, write '--config {}'", quoted(written)))
}

fn names(which: impl Fn(&Verb) -> bool) -> String {
    let names: Vec<&str> = VERBS.iter().filter(|verb| which(verb)).map(|verb| verb.name).collect();
    names.join(", ")
}

/// Returns the command's example that shares the most flags with the command line, or its first example if no flags are shared.
fn example(words: &[OsString]) -> Option<String> {
    let verb = typed_verb(words)?;
    let is_typed = |flag: &str| flag.starts_with("--") && words.iter().any(|word| *word == *flag);
    let typed = |command: &str| command.split(' ').filter(|flag| is_typed(flag)).count();
    let commands = verb.examples.iter().map(|(command, _)| *command);
    let (_, best) =
        commands.map(|command| (typed(command), command)).rev().max_by_key(|(typed, _)| *typed)?;
    Some(format!("for example: {best}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use pretty_assertions::assert_eq;

    use super::*;

    fn built() -> Command {
        let mut command = command();
        command.build();
        command
    }

    #[test]
    fn every_command_is_described_once() {
        let typed: BTreeSet<String> =
            Cli::command().get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
        let told: Vec<&str> = VERBS.iter().map(|verb| verb.name).collect();
        let grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        assert_eq!(told, grouped, "the table has the order of the groups");
        assert_eq!(told.len(), typed.len());
        assert_eq!(told.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), typed);
    }

    #[test]
    fn every_help_text_has_an_example_and_the_long_one_has_exit_codes() {
        for mut verb in built().get_subcommands().cloned() {
            let name = verb.get_name().to_owned();
            let (short, long) = (verb.render_help().to_string(), verb.render_long_help().to_string());
            for help in [&short, &long] {
                assert!(help.contains(&format!("\nExamples:\n  rolecall {name}")), "{name}:\n{help}");
            }
            assert!(short.contains(&format!("\n  rolecall {name} --help  ")), "{name}:\n{short}");
            assert!(long.contains("\nExit codes:") && long.contains("64 "), "{name}:\n{long}");
        }
    }

    /// Calls `see` for the command and, recursively, its subcommands.
    fn each(command: &Command, see: &dyn Fn(Command)) {
        see(command.clone().term_width(80));
        command.get_subcommands().for_each(|inner| each(inner, see));
    }

    #[test]
    fn the_short_help_fits_on_a_screen() {
        each(&without_options(built()), &|mut command| {
            let help = command.render_help().to_string();
            assert!(
                help.lines().count() <= 24,
                "{}: {} lines:\n{help}",
                command.get_name(),
                help.lines().count()
            );
            for line in help.lines() {
                assert!(line.chars().count() <= 80, "{}: {line}", command.get_name());
            }
        });
    }

    #[test]
    fn the_short_help_of_rolecall_itself_lists_only_commands() {
        let typed = |words: &str| parse(words.split(' ').map(OsString::from)).unwrap_err().to_string();
        let (short, long) = (typed("rolecall -h"), typed("rolecall --help"));
        assert!(short.lines().count() <= 24 && short.ends_with(&format!("\n{MORE}\n")), "{short}");
        assert!(!short.contains("--config") && long.contains("--config"), "{short}\n{long}");
        assert!(VERBS.iter().all(|verb| short.contains(&format!(" {} ", verb.name))), "{short}");
    }

    #[test]
    fn the_long_help_has_every_flag_with_its_text() {
        let without_layout = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        each(&built(), &|mut command| {
            let name = command.get_name().to_owned();
            let help = without_layout(&command.render_long_help().to_string());
            for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
                let flag = arg.get_long().map(|long| format!("--{long}"));
                assert!(help.contains(&flag.unwrap_or_default()), "{name} {}:\n{help}", arg.get_id());
                let text = arg.get_long_help().or(arg.get_help()).map(ToString::to_string);
                assert!(help.contains(&without_layout(&text.unwrap())), "{name} {}:\n{help}", arg.get_id());
            }
        });
    }

    #[test]
    fn every_example_parses() {
        for (command, _) in VERBS.iter().flat_map(|verb| verb.examples).chain(START) {
            let words = command.split(" | ").next().unwrap().split(" > ").next().unwrap();
            let parsed = parse(words.split(' ').map(OsString::from));
            assert!(parsed.is_ok(), "{command}: {}", parsed.unwrap_err());
        }
    }

    #[test]
    fn help_command_prints_the_help_of_the_command() {
        let typed = |words: &str| parse(words.split(' ').map(OsString::from)).unwrap_err().to_string();
        assert_eq!(typed("rolecall help plan"), typed("rolecall plan --help"));
        assert_eq!(typed("rolecall help"), typed("rolecall --help"));
        assert!(typed("rolecall help plam").contains("'plan'"));
    }

    #[test]
    fn every_flag_has_a_help_text_in_the_same_style() {
        for command in std::iter::once(&built()).chain(built().get_subcommands()) {
            for arg in command.get_arguments() {
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                let place = format!("{} {}", command.get_name(), arg.get_id());
                assert!(help.len() > 8 && !help.ends_with('.'), "{place}: {help:?}");
                assert!(help.starts_with(|first: char| first.is_uppercase()), "{place}: {help:?}");
            }
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(!about.is_empty() && !about.ends_with('.'), "{}: {about:?}", command.get_name());
        }
    }

    #[test]
    fn the_help_of_a_command_hides_unused_flags() {
        let asks = ["plan", "apply", "rollback", "import", "explain", "roles", "access", "doctor"];
        for mut verb in built().get_subcommands().cloned() {
            let name = verb.get_name().to_owned();
            let help = verb.render_long_help().to_string();
            let shows = |flag: &str| {
                help.contains(&format!("      --{flag} ")) || help.contains(&format!("--{flag}\n"))
            };
            for flag in ["region", "base-url", "token-file", "sandbox", "rate"] {
                assert_eq!(shows(flag), asks.contains(&name.as_str()), "{name} --{flag}:\n{help}");
            }
            let prints = ["schema", "completions", "man"].contains(&name.as_str());
            assert_eq!(shows("format"), !prints, "{name}:\n{help}");
        }
    }

    #[test]
    fn completions_do_not_offer_hidden_flags() {
        let mut command = completed();
        command.build();
        for verb in VERBS {
            let flags = command.find_subcommand(verb.name).unwrap().get_arguments();
            let flags: BTreeSet<&str> = flags.map(|arg| arg.get_id().as_str()).collect();
            assert!(flags.contains("color"), "{}", verb.name);
            assert!(verb.unused.iter().all(|unused| !flags.contains(unused)), "{}: {flags:?}", verb.name);
        }
    }

    #[test]
    fn a_common_flag_may_come_before_or_after_the_command() {
        for line in ["rolecall --config a/users.toml plan", "rolecall plan --config a/users.toml"] {
            let cli = parse(line.split(' ').map(OsString::from)).unwrap();
            assert_eq!(
                cli.common.named.as_ref().and_then(|path| path.to_str()),
                Some("a/users.toml"),
                "{line}"
            );
        }
        for line in ["rolecall --format json schema", "rolecall schema --format json"] {
            let cli = parse(line.split(' ').map(OsString::from)).unwrap();
            assert_eq!(cli.common.format, crate::report::Format::Json, "{line}");
        }
    }

    #[test]
    fn a_usage_error_says_what_to_type_instead() {
        let said = |line: &str| parse(line.split(' ').map(OsString::from)).unwrap_err().to_string();
        for (line, tip) in [
            (
                "rolecall validate --region eu",
                "tip: '--region' is an option of: plan, apply, rollback, import",
            ),
            ("rolecall fmt --only a@b.example", "tip: '--only' is an option of: plan, apply"),
            ("rolecall --sandbox plan", "tip: '--sandbox' is an option of: plan, apply, rollback, import"),
            (
                "rolecall apply --force",
                "tip: use '--max-changes N' with 'apply' or 'rollback' to allow more changes;",
            ),
            ("rolecall validate --strict", "tip: use '--deny warnings' to fail on warnings"),
            ("rolecall compare a b --rate patch=1", "tip: '--rate' is an option of: plan"),
            ("rolecall frobnicate", "tip: the commands are: plan, apply, "),
            ("rolecall valdate", "tip: a similar subcommand exists: 'validate'"),
            ("rolecall plan --detaild-exitcode", "tip: a similar argument exists: '--detailed-exitcode'"),
            ("rolecall explain", "tip: for example: rolecall explain bo@acme.example"),
            (
                "rolecall import --into x.toml",
                "tip: for example: rolecall import --update --into teams/emea.toml",
            ),
            ("rolecall man paln", "tip: a similar value exists: 'plan'"),
            (
                "rolecall plan acme/users.toml",
                "tip: to use another root file, write '--config acme/users.toml'",
            ),
            ("rolecall plan --json", "tip: use '--format json'"),
            ("rolecall --json plan", "tip: use '--format json'"),
            (
                "rolecall apply --dry-run",
                "tip: use 'rolecall plan' to show what would change without changing it",
            ),
            ("rolecall fmt --dry-run", "tip: use '--diff' to show what would be written without writing it"),
            ("rolecall doctor --no-color", "tip: use '--color never'"),
        ] {
            let error = said(line);
            assert!(error.contains(tip), "{line}:\n{error}");
        }
    }

    #[test]
    fn a_token_given_as_a_flag_is_not_repeated_in_the_error() {
        for line in [
            "rolecall plan --token tok-S3CRET",
            "rolecall --api-key=tok-S3CRET plan",
            "rolecall doctor --token=tok-S3CRET",
        ] {
            let error = parse(line.split(' ').map(OsString::from)).unwrap_err().to_string();
            assert!(error.contains("PYLON_API_TOKEN or use '--token-file FILE'"), "{error}");
            assert!(!error.contains("S3CRET") && !error.contains("similar"), "{error}");
        }
    }
}
