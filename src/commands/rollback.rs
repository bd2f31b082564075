//! `rollback`: makes the plan that undoes an apply, and applies it as any other plan.

use std::path::Path;

use super::apply::carry_through;
use super::connection::{Connection, at_present};
use super::files::{Declared, declared};
use super::prepare::{confirmed, settle_rollback};
use super::{Done, Environment, Trouble, block_on, folder, journals};
use crate::apply::journal::{self, JournalLine};
use crate::apply::rollback::{Applied, RollbackCode};
use crate::cli::{Common, RollbackArgs};
use crate::clock::minute;
use crate::printable::Printable;
use crate::problem::{Problem, Problems};
use crate::regular;
use crate::report::words;

/// The maximum length of the first line of a journal, in bytes.
const LONGEST_BEGIN: u64 = 64 * 1024;
/// How many journals are listed.
const NAMED: usize = 5;

pub(super) fn run(args: &RollbackArgs, common: &Common, environment: &Environment) -> Done {
    let Some(of) = &args.of else {
        return Err(Trouble::usage(which(&folder(&common.config))));
    };
    let (files, applied) = declared_and_applied(of, common, environment)?;
    at_present(&files.roster, &args.connection, environment)?;
    let max_changes = args.carry.max_changes;
    block_on(async {
        let connection = Connection::open(&files.roster, &args.connection, common, environment).await?;
        let prepare = async |connection: &Connection, files: &Declared, applied: &Applied| {
            let draw = |observation| settle_rollback(files, applied, max_changes, connection, observation);
            confirmed(connection, files, applied.emails().collect(), draw).await
        };
        let prepared = prepare(&connection, &files, &applied).await?;
        let replan = async |connection: &Connection| {
            let (files, applied) = declared_and_applied(of, common, environment)?;
            Ok(prepare(connection, &files, &applied).await?)
        };
        Box::pin(carry_through("rollback", connection, prepared, replan, &args.carry, common, environment))
            .await
    })
}

/// Reads the files and the journal. The journal is a source too, so that messages can point to its lines.
fn declared_and_applied(
    of: &Path,
    common: &Common,
    environment: &Environment,
) -> Result<(Declared, Applied), Problems> {
    let mut files = declared(None, common, environment)?;
    // Use only the file name, to keep the places short.
    let name = of.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let file = files.roster.sources.add(name, read(of)?);
    match Applied::read(&files.roster.sources, file) {
        Ok(applied) => Ok((files, applied)),
        Err(problem) => Err(Problems::new(files.roster.sources, vec![problem])),
    }
}

/// Returns a usage error that lists the newest journals.
fn which(folder: &Path) -> Problem {
    let newest = journals::newest(folder);
    let told = newest.iter().take(NAMED).map(|path| {
        let name = Printable::cut(&path.strip_prefix(".").unwrap_or(path).to_string_lossy(), 200);
        let begun = regular::first_line(path, LONGEST_BEGIN);
        match begun.map(|line| serde_json::from_str::<JournalLine>(&line)) {
            Ok(Ok(JournalLine::Begin { version: _, at, command, organization: _, host, changes })) => {
                let changes = words::count(changes, "change", "changes");
                let [command, host] = [command, host].map(|text| Printable::cut(&text, 60));
                format!("{name} ({command}, {}, {changes}, {host})", minute(at))
            }
            _ => name.to_string(),
        }
    });
    let told: Vec<String> = told.collect();
    let help = if told.is_empty() {
        "there are no journals in .rolecall/journal/ next to the config; pipelines keep them in the file that --journal names".to_owned()
    } else {
        format!("the newest journals here: {}", told.join("; "))
    };
    Problem::new(RollbackCode::WhichJournal, "name the journal of the apply to undo").help(help)
}

fn read(path: &Path) -> Result<String, Problem> {
    regular::read_named(path, journal::LARGEST).map_err(|why| {
        let name = Printable::cut(&path.to_string_lossy(), 200);
        Problem::new(RollbackCode::Unreadable, format!("the journal {name} cannot be read: {why}"))
    })
}
