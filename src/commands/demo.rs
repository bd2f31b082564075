//! `demo`: writes an example and plans it on the sandbox. It's meant as the first command for new users, since it needs no setup.

use std::fs;
use std::io::Result;
use std::path::Path;

use clap::builder::Resettable;
use clap::{CommandFactory, FromArgMatches};

use super::{CommandCode, Done, Session, plan};
use crate::cli::{Cli, Command, ConfigOrigin, DemoArgs};
use crate::invocation::{path_word, quoted};
use crate::output::say;
use crate::printable::Printable;
use crate::problem::Problem;
use crate::report::text::wrap::{verbatim, whole};

/// The files in examples/acme, with their paths in the new folder.
const FILES: [(&str, &str); 5] = [
    ("users.toml", include_str!("../../examples/acme/users.toml")),
    ("pylon.json", include_str!("../../examples/acme/pylon.json")),
    ("teams/amer.toml", include_str!("../../examples/acme/teams/amer.toml")),
    ("teams/emea.toml", include_str!("../../examples/acme/teams/emea.toml")),
    ("teams/leads.toml", include_str!("../../examples/acme/teams/leads.toml")),
];

pub(super) fn run(args: &DemoArgs, session: Session<'_>) -> Done {
    let Session { common, environment: _ } = session;
    let folder = &args.new_folder;
    let name = Printable::path(folder);
    if folder.try_exists().unwrap_or(true) {
        return Err(Problem::new(CommandCode::DemoExists, format!("{name} already exists"))
            .help("name a folder that does not exist: rolecall demo FOLDER")
            .into());
    }
    write(folder).map_err(|error| {
        Problem::new(CommandCode::NotWritten, format!("cannot write the example to {name}: {error}"))
    })?;
    let config = folder.join("users.toml");
    if !common.quiet {
        say(&format!("Wrote an example to {}. After you edit its files, plan again:", whole(name.as_str())));
        let again = ["plan", "--sandbox", "-c", &path_word(&config)];
        let folder = common.invocation.folder.iter().map(String::as_str);
        let words: Vec<String> = again.into_iter().chain(folder).map(quoted).collect();
        say(&verbatim(&format!("    rolecall {}\n", words.join(" "))));
    }
    // Ignore the variables for a connection: they don't apply to the sandbox, and an invalid one would be an error.
    let without_variables = |plan: clap::Command| plan.mut_args(|arg| arg.env(Resettable::Reset));
    let matches = Cli::command().mut_subcommand("plan", without_variables).try_get_matches_from([
        "rolecall",
        "plan",
        "--sandbox",
    ]);
    let mut cli = matches
        .and_then(|matches| Cli::from_arg_matches(&matches))
        .unwrap_or_else(|error| unreachable!("these arguments are valid: {error}"));
    cli.common.quiet = common.quiet;
    cli.common.verbose = common.verbose;
    cli.common.folder.clone_from(&common.folder); // for suggested commands: this process has already changed to the folder
    cli.common.invocation.takes = common.invocation.takes;
    cli.use_config(config, ConfigOrigin::Named);
    match &cli.command {
        Command::Plan(args) => plan::run(args, Session { common: &cli.common, ..session }),
        other => unreachable!("`plan` is not {}", other.facts().name),
    }
}

fn write(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder.join("teams"))?;
    for (name, text) in FILES {
        fs::write(folder.join(name), text)?;
    }
    Ok(())
}
