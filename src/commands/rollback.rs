//! `rollback`: makes a plan to undo an apply and applies it like any other plan.

use std::path::{Path, PathBuf};

use super::apply::{Undoing, carry_through, report_only, without_changes};
use super::connection::{Connection, at_present};
use super::files::{Declared, declared};
use super::prepare::{confirmed, settle_rollback};
use super::{CommandError, Done, Session, block_on, folder, journals};
use crate::apply::journal;
use crate::apply::rollback::{Applied, RollbackCode};
use crate::cli::{Common, RollbackArgs};
use crate::exit::Exit;
use crate::invocation::{path_word, quoted};
use crate::printable::Printable;
use crate::problem::Problem;
use crate::regular;
use crate::report::facts::journals::{JournalState, mark_rolled_back};
use crate::report::{Body, JournalEntry, JournalsReport};

/// The maximum number of journals to list.
const LISTED: usize = 20;

pub(super) fn run(args: &RollbackArgs, session: Session<'_>) -> Done {
    let Some(of) = &args.of else {
        return Err(CommandError::usage(which(args.last)));
    };
    if args.last
        && let Some(problem) = undoes_incomplete_rollback(of)
    {
        return Err(problem.into());
    }
    let (files, applied) = declared_and_applied(of, session)?;
    at_present(&files.roster, &args.connection, session.environment)?;
    let max_changes = args.carry.max_changes;
    block_on(async {
        let connection = Connection::open(&files.roster, &args.connection, session).await?;
        let prepare = async |connection: &Connection, files: &Declared, applied: &Applied| {
            let draw = |observation| settle_rollback(files, applied, max_changes, connection, observation);
            confirmed(connection, files, applied.emails().collect(), draw).await
        };
        let prepared = prepare(&connection, &files, &applied).await?;
        if args.dry_run {
            return report_only(connection, prepared).await;
        }
        let undoing = Undoing { journal: of, files: &files };
        if prepared.reviewed.plan.changes.is_empty() && continues_newest(of, args, session.common) {
            without_changes(undoing, &prepared, &args.carry, session)?;
        }
        let replan = async |connection: &Connection| {
            Ok(prepare(connection, &files.resolved_again(session.environment), &applied).await?)
        };
        Box::pin(carry_through(Some(undoing), connection, prepared, replan, &args.carry, session)).await
    })
}

/// Reads the files and the journal. Also adds the journal to the sources, so that error messages can point at its lines.
fn declared_and_applied(of: &Path, session: Session<'_>) -> Result<(Declared, Applied), CommandError> {
    if journals::is_running(of) {
        return Err(still_running().into());
    }
    let mut files = declared(None, session)?;
    // Show only the file name to keep locations short.
    let name = of.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let file = files.roster.sources.add(name, read(of)?);
    match Applied::read(&files.roster.sources, file) {
        Ok(applied) => Ok((files, applied)),
        Err(problem) => Err(problem.with_sources(&files.roster.sources).into()),
    }
}

/// Lists the newest journals for this config.
pub(super) fn list(args: &RollbackArgs, common: &Common) -> (Body, Exit) {
    let mut newest = journals::newest(folder(&common.config));
    let last = newest.iter().find(|journal| journals::is_for(journal, &args.connection));
    let last = last.map(|journal| entry(journal));
    let older = newest.len().saturating_sub(LISTED);
    newest.truncate(LISTED);
    let mut journals: Vec<JournalEntry> = newest.iter().map(|path| entry(path)).collect();
    mark_rolled_back(&mut journals);
    let rollback = |word: &str| common.invocation.command(&["rollback", word]);
    let (mut undo, mut resume) = (None, None);
    match &last {
        // For an incomplete rollback, `--last` is refused.
        Some(last) if last.is_incomplete_rollback() => {
            undo = Some(rollback(&path_word(last.journal.raw().as_ref())));
            resume = undone_by(last).map(|undone| rollback(&path_word(&undone)));
        }
        Some(last) if !matches!(last.state, JournalState::Running | JournalState::Unreadable) => {
            undo = Some(rollback("--last"));
        }
        _ => {}
    }
    (Body::Journals(Box::new(JournalsReport { journals, older, undo, resume, last })), Exit::Done)
}

fn entry(journal: &Path) -> JournalEntry {
    let is_running = journals::is_running(journal);
    JournalEntry::new(journal, journals::lines(journal).as_deref(), is_running)
}

/// Returns `true` if the newest run is an incomplete rollback of the run with the journal `of`.
fn continues_newest(of: &Path, args: &RollbackArgs, common: &Common) -> bool {
    let newest = journals::newest_for(folder(&common.config), &args.connection).map(|newest| entry(&newest));
    let incomplete = newest.filter(JournalEntry::is_incomplete_rollback);
    incomplete
        .and_then(|newest| undone_by(&newest))
        .is_some_and(|undone| undone.file_name() == of.file_name())
}

/// Returns the path of the journal that this rollback undoes.
fn undone_by(rollback: &JournalEntry) -> Option<PathBuf> {
    journals::undone_by(Path::new(rollback.journal.raw()), rollback.undoes.as_ref().map(Printable::raw))
}

/// Returns an error if the newest journal is for an incomplete rollback. The user most likely wants to continue that rollback.
/// Undoing it would repeat changes that it was meant to undo.
fn undoes_incomplete_rollback(newest: &Path) -> Option<Problem> {
    let entry = Some(entry(newest)).filter(JournalEntry::is_incomplete_rollback)?;
    let resume = undone_by(&entry).map_or_else(
        || "run it again with the same journal".to_owned(),
        |undone| format!("run `rolecall rollback {}`", quoted(&path_word(&undone))),
    );
    let undo = quoted(&path_word(newest));
    let message = "the newest run is an incomplete rollback; nothing was changed";
    Some(Problem::new(RollbackCode::Incomplete, message).help(format!(
        "to continue the rollback, {resume}; to undo what it restored, run `rolecall rollback {undo}`"
    )))
}

/// Returns the usage error for a missing journal argument or, with `--last`, for a host without journals.
fn which(is_last: bool) -> Problem {
    let (message, help) = if is_last {
        (
            "there are no journals for this host in .rolecall/journal/ next to the config",
            "there is nothing to undo, unless the apply ran elsewhere: for a pipeline, pass the file that --journal named there",
        )
    } else {
        (
            "name the journal of the apply to undo",
            "run `rolecall rollback` to list the journals of this config; for a pipeline, pass the file that --journal named there",
        )
    };
    Problem::new(RollbackCode::WhichJournal, message).help(help)
}

fn still_running() -> Problem {
    Problem::new(
        RollbackCode::StillRunning,
        "the apply or rollback that writes this journal is still running; nothing was changed",
    )
    .help("wait until it ends, or interrupt it with Ctrl-C or `kill`; then run this command again")
}

fn read(path: &Path) -> Result<String, Problem> {
    regular::bytes_named(path, journal::LARGEST).map(journal::decode).map_err(|why| {
        let name = Printable::path(path);
        Problem::new(RollbackCode::Unreadable, format!("cannot read the journal {name}: {why}"))
            .help("run `rolecall rollback` to list the journals of this config")
    })
}
