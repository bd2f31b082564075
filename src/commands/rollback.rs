//! `rollback`: the way back from an apply, which then goes the way of any other.

use std::fs;
use std::path::Path;

use super::apply::carry_through;
use super::files::declared;
use super::prepare::{observe, settle_rollback};
use super::{Done, Environment, Trouble, block_on, folder, newest_journals};
use crate::apply::journal::Line;
use crate::apply::rollback::{Applied, Code};
use crate::cli::{Common, RollbackArgs};
use crate::printable::Printable;
use crate::problem::{Problem, Problems};
use crate::report::words;

/// A larger file is no journal: a million changes take some 600 MB.
const LARGEST: u64 = 1024 * 1024 * 1024;
/// So many journals are told.
const NAMED: usize = 5;

pub(super) fn run(args: &RollbackArgs, common: &Common, environment: &Environment) -> Done {
    let Some(of) = &args.of else {
        return Err(Trouble::usage(which(&folder(&common.config))));
    };
    let mut files = declared(None, common, environment)?;
    // Its lines are places like any other; the name alone keeps them short.
    let name = of.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let file = files.roster.sources.add(name, read(of)?);
    let applied = match Applied::read(&files.roster.sources, file) {
        Ok(applied) => applied,
        Err(problem) => return Err(Problems::new(files.roster.sources, vec![problem]).into()),
    };
    block_on(async {
        let (connection, observation) = observe(&files, &[], &args.connection, common, environment).await?;
        let (prepared, asking) =
            settle_rollback(files, &applied, args.carry.max_changes, connection, observation)?;
        carry_through("rollback", prepared, asking, &args.carry, common, environment).await
    })
}

/// Which journals there are, the newest first.
fn which(folder: &Path) -> Problem {
    let journals = newest_journals(folder);
    let told = journals.iter().take(NAMED).map(|path| {
        let name = Printable::cut(&path.strip_prefix(".").unwrap_or(path).to_string_lossy(), 200);
        let begun = fs::read_to_string(path).ok().and_then(|text| Some(text.lines().next()?.to_owned()));
        match begun.map(|line| serde_json::from_str::<Line>(&line)) {
            Some(Ok(Line::Begin { version: _, at, organization: _, host, changes })) => {
                let changes = words::count(changes, "change", "changes");
                format!(
                    "{name} ({}, {changes}, {})",
                    at.strftime("%Y-%m-%d %H:%MZ"),
                    Printable::cut(&host, 60)
                )
            }
            _ => name.to_string(),
        }
    });
    let told: Vec<String> = told.collect();
    let help = if told.is_empty() {
        "there is none in .rolecall/journal/ beside the config; a pipeline keeps them elsewhere, where --journal says".to_owned()
    } else {
        format!("the newest here: {}", told.join("; "))
    };
    Problem::new(Code::WhichJournal, "name the journal of the apply that is to be taken back").help(help)
}

fn read(path: &Path) -> Result<String, Problem> {
    let name = Printable::cut(&path.to_string_lossy(), 200);
    let unreadable =
        |why: String| Problem::new(Code::Unreadable, format!("the journal {name} cannot be read: {why}"));
    let metadata = fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
    if !metadata.is_file() {
        return Err(unreadable("it is no regular file".into()));
    }
    if metadata.len() > LARGEST {
        return Err(unreadable("it is too large to be a journal".into()));
    }
    let bytes = fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    String::from_utf8(bytes).map_err(|_| unreadable("it is no text".into()))
}
