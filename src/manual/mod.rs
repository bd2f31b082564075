//! What is said of the verbs: groups, examples, exit codes; the help and the manual pages that are made of it.
//!
//! [`crate::cli`] says what can be typed, and this room what is told about it, once: [`command`] puts it below the flags of
//! `--help`, `page` into the sections of a manual page. What has no row in [`VERBS`] fails a test.

mod page;
mod verbs;

use std::ffi::OsString;

use clap::builder::{PossibleValuesParser, StyledStr, Styles};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory, FromArgMatches};

use crate::cli::Cli;
pub use page::{Page, pages};
pub use verbs::{GROUPS, VERBS, Verb};

/// Where to begin, below the list of verbs.
const START: &[(&str, &str)] = &[
    ("rolecall plan --sandbox -c examples/acme/users.toml", "try it: no token, no account"),
    ("rolecall import", "write users.toml from your Pylon"),
    ("rolecall plan", "what would change; changes nothing"),
];

/// What 64 means, whatever the verb.
const WRONG_USAGE: (&str, &str) = ("64", "wrong usage");

/// What every exit code means (docs/exit-codes.md).
pub const EXITS: &[(&str, &str)] = &[
    ("0", "done, or nothing to do"),
    ("1", "could not do it, and nothing was changed"),
    ("2", "changes pending, or a file would change, where a flag asks for that"),
    ("3", "refused by a guardrail, in `plan` too"),
    ("4", "something was or may have been changed, but not all of it is applied"),
    ("5", "the saved plan is stale, damaged or not for this organization; or a `yes` came too late"),
    WRONG_USAGE,
    ("129, 130, 143", "stopped by SIGHUP, SIGINT or SIGTERM"),
];

/// What was typed.
///
/// # Errors
/// Why it makes no sense, or the help that was asked for: clap has one type for both.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let words = as_flag(words.into_iter().collect());
    let mut command = command();
    let matches = command.try_get_matches_from_mut(&words).map_err(|error| advised(error, &words))?;
    let mut cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
    cli.common.invocation = cli.invocation(takes);
    Ok(cli)
}

/// Whether a verb takes a flag and has a use for it.
fn takes(verb: &str, flag: &str) -> bool {
    let mut command = command();
    command.build();
    let is_flag = |arg: &Arg| arg.get_id() == flag && !arg.is_hide_set();
    command.find_subcommand(verb).is_some_and(|verb| verb.get_arguments().any(is_flag))
}

/// `help VERB`, as many a program has it, is `VERB --help`.
fn as_flag(words: Vec<OsString>) -> Vec<OsString> {
    match words.as_slice() {
        [program, help, verb @ ..] if help == "help" && verb.len() < 2 => {
            std::iter::once(program).chain(verb).cloned().chain(["--help".into()]).collect()
        }
        _ => words,
    }
}

/// The whole command line with its help. A common flag that a verb has no use for stays possible, since it may stand before
/// any verb, and is not shown.
pub fn command() -> Command {
    let command = Cli::command();
    let common = common(&command);
    let hidden =
        |verb: &Verb, arg: &Arg| verb.unused.contains(&arg.get_id().as_str()).then(|| arg.clone().hide(true));
    told(command, |verb| common.iter().filter_map(|arg| hidden(verb, arg)).collect())
}

/// The same for shells, whose completions offer what is hidden too: here it is not there.
pub fn completed() -> Command {
    let command = Cli::command();
    let common: Vec<Arg> = common(&command).into_iter().map(|arg| arg.global(false)).collect();
    let shown = |verb: &Verb, arg: &&Arg| !verb.unused.contains(&arg.get_id().as_str());
    told(command.mut_args(|arg| arg.global(false)), |verb| {
        common.iter().filter(|arg| shown(verb, arg)).cloned().collect()
    })
}

fn common(command: &Command) -> Vec<Arg> {
    command.get_arguments().filter(|arg| arg.is_global_set()).cloned().collect()
}

/// Each verb with what is told about it, and further flags.
fn told(command: Command, flags: impl Fn(&Verb) -> Vec<Arg>) -> Command {
    let names = PossibleValuesParser::new(VERBS.iter().map(|verb| verb.name));
    let template = template(&command);
    let tell = |command: Command, verb: &Verb| {
        command.mut_subcommand(verb.name, |typed| tell(typed.args(flags(verb)), verb))
    };
    VERBS
        .iter()
        .fold(command, tell)
        .mut_subcommand("man", |man| {
            man.mut_arg("verb", |arg| arg.value_parser(names).hide_possible_values(true))
        })
        .help_template(template)
        .after_help(block("Start here", START) + &list("Exit codes", EXITS))
}

fn tell(command: Command, verb: &Verb) -> Command {
    let Verb { name: _, more, examples, exits, unused: _ } = verb;
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let exits: Vec<(&str, &str)> = exits.iter().copied().chain([WRONG_USAGE]).collect();
    command
        .long_about(format!("{about}\n\n{more}"))
        .after_help(block("Example", &examples[..1]) + &list("Exit codes", &exits))
        .after_long_help(block("Examples", examples) + &list("Exit codes", &exits))
}

/// The verbs under their groups, which clap does not know.
fn template(command: &Command) -> StyledStr {
    let mut groups = String::new();
    for (group, names) in GROUPS {
        groups += &format!("\n{}\n", heading(group));
        for name in *names {
            let about = command.find_subcommand(name).and_then(Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            groups += &format!("  {}{about}\n", literal(&format!("{name:<13}")));
        }
    }
    let options = heading("Options");
    format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n{groups}\n{options}\n{{options}}{{after-help}}"
    )
    .into()
}

fn heading(text: &str) -> String {
    let styles = Styles::styled();
    let style = styles.get_header();
    format!("{style}{text}:{style:#}")
}

fn literal(text: &str) -> String {
    let styles = Styles::styled();
    let style = styles.get_literal();
    format!("{style}{text}{style:#}")
}

/// Commands, and behind each what it does.
fn block(title: &str, rows: &[(&str, &str)]) -> String {
    let width = rows.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    let rows: String = rows.iter().map(|(command, what)| format!("  {command:width$}  {what}\n")).collect();
    format!("{}\n{rows}\n", heading(title))
}

/// Each exit code on a line of its own.
fn list(title: &str, rows: &[(&str, &str)]) -> String {
    let width = rows.iter().map(|(code, _)| code.len()).max().unwrap_or(0);
    let rows: Vec<String> = rows.iter().map(|(code, means)| format!("  {code:width$}  {means}")).collect();
    format!("{}\n{}", heading(title), rows.join("\n"))
}

/// A usage error that says what to type, where clap does not know.
fn advised(mut error: clap::Error, words: &[OsString]) -> clap::Error {
    let tip = match error.kind() {
        ErrorKind::UnknownArgument => match flag_of_elsewhere(&error, words) {
            // A flag of a similar spelling is not what was meant.
            Some(tip) => {
                error.remove(ContextKind::SuggestedArg);
                Some(tip)
            }
            None => flag_of_others(&error),
        },
        ErrorKind::MissingRequiredArgument => example(words),
        ErrorKind::InvalidUtf8 => not_utf8(words),
        ErrorKind::InvalidSubcommand if error.get(ContextKind::SuggestedSubcommand).is_none() => {
            Some(format!("the verbs are: {}", names(|_| true)))
        }
        _ => None,
    };
    if let Some(tip) = tip {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

/// Names the variable or the word that is not UTF-8.
fn not_utf8(words: &[OsString]) -> Option<String> {
    let is_broken = |value: &OsString| value.to_str().is_none();
    let command = command();
    let mut variables = command.get_subcommands().flat_map(Command::get_arguments).filter_map(Arg::get_env);
    let variable = variables.find(|name| std::env::var_os(name).as_ref().is_some_and(is_broken));
    let variable = variable
        .map(|name| format!("the value of {} is not UTF-8: set it again, or unset it", name.display()));
    let word =
        || words.iter().position(is_broken).map(|at| format!("word {at} behind `rolecall` is not UTF-8"));
    variable.or_else(word)
}

/// A flag that people know from other programs.
struct Elsewhere {
    flags: &'static [&'static str],
    /// The verbs that the tip is for. None: it is for the others too.
    verbs: &'static [&'static str],
    tip: &'static str,
}

const fn elsewhere(flags: &'static [&'static str], tip: &'static str) -> Elsewhere {
    Elsewhere { flags, verbs: &[], tip }
}

const DRY_RUN: &[&str] = &["dry-run", "dryrun", "noop", "preview", "what-if", "check"];
/// What to type instead. The first row that fits counts.
const ELSEWHERE: &[Elsewhere] = &[
    elsewhere(&["json"], "write '--format json'"),
    elsewhere(&["markdown", "md"], "write '--format markdown'"),
    elsewhere(&["html"], "write '--report html=FILE'"),
    elsewhere(
        &["token", "api-token", "api-key", "apikey", "key", "pylon-api-token"],
        "the token comes from the variable PYLON_API_TOKEN or from '--token-file FILE', because other processes can \
         read a command line. If this was a real token, revoke it in Pylon",
    ),
    Elsewhere {
        flags: DRY_RUN,
        verbs: &["fmt", "import"],
        tip: "'--diff' shows what would be written, and writes nothing",
    },
    Elsewhere {
        flags: DRY_RUN,
        verbs: &["rollback"],
        tip: "without '--auto-approve', rollback shows the changes and asks before it sends them",
    },
    elsewhere(DRY_RUN, "'rolecall plan' shows what would change, and changes nothing"),
    elsewhere(
        &["url", "host", "endpoint", "api-url"],
        "write '--base-url URL', or '--region us' or '--region eu'",
    ),
    elsewhere(&["file", "path", "input"], "name the root file with '--config FILE'"),
    elsewhere(&["no-color", "no-color"], "write '--color never'"),
    elsewhere(&["debug", "trace"], "write '--verbose'"),
    elsewhere(&["silent"], "write '--quiet'"),
    elsewhere(&["user", "email", "target"], "write '--only EMAIL' behind 'plan' or 'apply'"),
];

/// What to type instead of a flag that people know from another program.
fn flag_of_elsewhere(error: &clap::Error, words: &[OsString]) -> Option<String> {
    let Some(ContextValue::String(written)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let flag = written.strip_prefix("--")?.split('=').next()?.to_ascii_lowercase().replace('_', "-");
    let verb = words.iter().find_map(|word| VERBS.iter().find(|verb| *word == *verb.name));
    let is_meant = |row: &&Elsewhere| {
        let is_for_verb = row.verbs.is_empty() || verb.is_some_and(|verb| row.verbs.contains(&verb.name));
        row.flags.contains(&flag.as_str()) && is_for_verb
    };
    ELSEWHERE.iter().find(is_meant).map(|row| row.tip.to_owned())
}

/// Which verbs take a flag that this one does not.
fn flag_of_others(error: &clap::Error) -> Option<String> {
    let Some(ContextValue::String(written)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let flag = written.strip_prefix("--")?;
    let command = Cli::command();
    let verbs = names(|verb| {
        let verb = command.find_subcommand(verb.name);
        verb.is_some_and(|verb| verb.get_arguments().any(|arg| arg.get_long() == Some(flag)))
    });
    (!verbs.is_empty()).then(|| format!("'--{flag}' goes behind: {verbs}"))
}

fn names(which: impl Fn(&Verb) -> bool) -> String {
    let names: Vec<&str> = VERBS.iter().filter(|verb| which(verb)).map(|verb| verb.name).collect();
    names.join(", ")
}

/// The example that has the flags which were typed, or the first.
fn example(words: &[OsString]) -> Option<String> {
    let verb = words.iter().find_map(|word| VERBS.iter().find(|verb| *word == *verb.name))?;
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
    fn every_verb_is_told_about_once() {
        let typed: BTreeSet<String> =
            Cli::command().get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
        let told: Vec<&str> = VERBS.iter().map(|verb| verb.name).collect();
        let grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        assert_eq!(told, grouped, "the table is in the order of the groups");
        assert_eq!(told.len(), typed.len());
        assert_eq!(told.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), typed);
    }

    #[test]
    fn every_help_has_an_example_and_its_exit_codes() {
        for mut verb in built().get_subcommands().cloned() {
            let name = verb.get_name().to_owned();
            for help in [verb.render_help().to_string(), verb.render_long_help().to_string()] {
                assert!(help.contains("\nExample") && help.contains("\nExit codes:"), "{name}:\n{help}");
                assert!(help.contains(&format!("  rolecall {name}")), "{name}:\n{help}");
                assert!(help.contains("64 "), "{name}:\n{help}");
            }
        }
    }

    #[test]
    fn every_example_can_be_typed() {
        for (command, _) in VERBS.iter().flat_map(|verb| verb.examples).chain(START) {
            let words = command.split(" | ").next().unwrap().split(" > ").next().unwrap();
            let parsed = parse(words.split(' ').map(OsString::from));
            assert!(parsed.is_ok(), "{command}: {}", parsed.unwrap_err());
        }
    }

    #[test]
    fn help_and_a_verb_is_the_help_of_the_verb() {
        let typed = |words: &str| parse(words.split(' ').map(OsString::from)).unwrap_err().to_string();
        assert_eq!(typed("rolecall help plan"), typed("rolecall plan --help"));
        assert_eq!(typed("rolecall help"), typed("rolecall --help"));
        assert!(typed("rolecall help plam").contains("'plan'"));
    }

    #[test]
    fn every_flag_has_a_help_text_in_one_voice() {
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
    fn the_list_of_verbs_fits_a_terminal_of_80_columns() {
        let help = built().render_help().to_string();
        let verbs = help.split("\nOptions:").next().unwrap();
        for line in verbs.lines().filter(|line| line.starts_with("  ")) {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }

    #[test]
    fn a_verb_shows_no_flag_that_it_has_no_use_for() {
        let asks = ["plan", "apply", "rollback", "import", "explain", "roles", "doctor"];
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
    fn a_shell_is_offered_no_flag_that_is_not_shown() {
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
    fn a_common_flag_stands_before_or_behind_the_verb() {
        for line in ["rolecall --config a/users.toml plan", "rolecall plan --config a/users.toml"] {
            let cli = parse(line.split(' ').map(OsString::from)).unwrap();
            assert_eq!(cli.common.config.to_str(), Some("a/users.toml"), "{line}");
        }
        for line in ["rolecall --format json schema", "rolecall schema --format json"] {
            let cli = parse(line.split(' ').map(OsString::from)).unwrap();
            assert_eq!(cli.common.format, crate::report::Format::Json, "{line}");
        }
    }

    #[test]
    fn a_usage_error_says_what_to_type() {
        let said = |line: &str| parse(line.split(' ').map(OsString::from)).unwrap_err().to_string();
        for (line, tip) in [
            ("rolecall validate --region eu", "tip: '--region' goes behind: plan, apply, rollback, import"),
            ("rolecall fmt --only a@b.example", "tip: '--only' goes behind: plan, apply"),
            ("rolecall --sandbox plan", "tip: '--sandbox' goes behind: plan, apply, rollback, import"),
            ("rolecall compare a b --rate patch=1", "tip: '--rate' goes behind: plan"),
            ("rolecall frobnicate", "tip: the verbs are: plan, apply, "),
            ("rolecall valdate", "tip: a similar subcommand exists: 'validate'"),
            ("rolecall plan --detaild-exitcode", "tip: a similar argument exists: '--detailed-exitcode'"),
            ("rolecall explain", "tip: for example: rolecall explain bo@acme.example"),
            (
                "rolecall import --into x.toml",
                "tip: for example: rolecall import --update --into teams/new.toml",
            ),
            ("rolecall man paln", "tip: a similar value exists: 'plan'"),
            ("rolecall plan --json", "tip: write '--format json'"),
            ("rolecall --json plan", "tip: write '--format json'"),
            ("rolecall apply --dry-run", "tip: 'rolecall plan' shows what would change, and changes nothing"),
            ("rolecall fmt --dry-run", "tip: '--diff' shows what would be written, and writes nothing"),
            ("rolecall doctor --no-color", "tip: write '--color never'"),
        ] {
            let error = said(line);
            assert!(error.contains(tip), "{line}:\n{error}");
        }
    }

    #[test]
    fn a_token_as_a_flag_names_its_two_sources_and_is_not_repeated() {
        for line in [
            "rolecall plan --token tok-S3CRET",
            "rolecall --api-key=tok-S3CRET plan",
            "rolecall doctor --token=tok-S3CRET",
        ] {
            let error = parse(line.split(' ').map(OsString::from)).unwrap_err().to_string();
            assert!(error.contains("PYLON_API_TOKEN or from '--token-file FILE'"), "{error}");
            assert!(!error.contains("S3CRET") && !error.contains("similar"), "{error}");
        }
    }
}
