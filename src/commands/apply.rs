//! `apply`: plans, asks for confirmation, sends the changes, reads them back, and reports the outcome.

use std::fs;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::connection::{Connection, at_present, keep};
use super::files::{Declared, declared, only, without_people};
use super::lock::{self, Lock};
use super::prepare::{Prepared, Scope, prepare};
use super::progress::Progress;
use super::signals::{self, Signals};
use super::{CommandCode, CommandError, Done, Session, block_on, colors, folder, journals};
use crate::apply::journal::{JournalLine, VERSION};
use crate::apply::machine::FRESHNESS_LIMIT;
use crate::apply::{Finished, Journal, Machine, Outcome, Stop, carry_out};
use crate::cli::{ApplyArgs, CarryArgs};
use crate::exit::Exit;
use crate::invocation::{Invocation, quoted};
use crate::output::{self, Background, say};
use crate::own_folder::{OwnFolder, UntrustedFile};
use crate::plan::saved::{self, SavedPlan, digest_of};
use crate::printable::Printable;
use crate::problem::Problem;
use crate::pylon::{PacedReader, Writer};
use crate::regular::{self, Unreadable};
use crate::report::style::Styles;
use crate::report::{Body, PlanReport, text};

pub(super) fn run(args: &ApplyArgs, session: Session<'_>) -> Done {
    let saved = args.plan.as_deref().map(|path| read_saved(path, ADVICE)).transpose()?;
    let declared = declared(None, session)?;
    match &saved {
        Some(saved) => saved.is_of(&digest_of(&declared.roster.sources)).map_err(CommandError::stale)?,
        None => {
            if let Some(report) = without_people(&declared, session.common)
                && args.only.is_empty()
            {
                return Ok((report, Exit::Done));
            }
        }
    }
    at_present(&declared.roster, &args.connection, session.environment)?;
    block_on(async {
        let only = only(saved.as_ref().map_or(args.only.as_slice(), SavedPlan::only), &declared)?;
        let scope = Scope { only: &only, max_changes: args.carry.max_changes, base: None };
        let admitted = |prepared: Prepared| admitted(prepared, saved.as_ref());
        let connection = Connection::open(&declared.roster, &args.connection, session).await?;
        let prepared = admitted(prepare(&declared, scope, &connection).await?)?;
        let replan = async |connection: &Connection| {
            admitted(prepare(&declared.resolved_again(session.environment), scope, connection).await?)
        };
        Box::pin(carry_through(None, connection, prepared, replan, &args.carry, session)).await
    })
}

/// Checks a fresh plan against the saved plan, if there is one. Fails if the fresh plan contains a change that is not in the
/// saved plan, or if the saved plan is for other files, another host, or another organization.
fn admitted(mut prepared: Prepared, saved: Option<&SavedPlan>) -> Result<Prepared, CommandError> {
    if let Some(saved) = saved {
        let files = prepared.files_digest();
        let admitted = saved.admits(
            &prepared.reviewed.plan,
            prepared.binding(&files),
            &prepared.observation.state.roles,
        );
        prepared.report.summary.in_sync_since_saved = admitted.map_err(CommandError::stale)?;
    }
    Ok(prepared)
}

/// The additional inputs of a rollback.
#[derive(Clone, Copy)]
pub(super) struct Undoing<'a> {
    /// The journal that the rollback undoes.
    pub(super) journal: &'a Path,
    pub(super) files: &'a Declared,
}

/// Asks for confirmation, sends the changes, reads them back, and reports the outcome. A blocked or empty plan is only reported.
/// `replan` makes a fresh plan if another apply ran in the meantime, or if the user took too long to confirm. `undoing` is `None`
/// for an apply.
pub(super) async fn carry_through(
    undoing: Option<Undoing<'_>>,
    connection: Connection,
    prepared: Prepared,
    replan: impl AsyncFn(&Connection) -> Result<Prepared, CommandError>,
    args: &CarryArgs,
    session: Session<'_>,
) -> Done {
    let command = if undoing.is_some() { "rollback" } else { "apply" };
    let (mut prepared, lock) = confirmed(command, &connection, prepared, replan, args, session).await?;
    let Some(lock) = lock else { return report_only(connection, prepared).await };
    let signals = signals::watch().map_err(|error| signals::not_watched(&error))?;
    let (mut journal, journal_path) = journal(command, undoing, &prepared, args, session)?;
    let Connection { reader, place: _, sandbox, invocation: _, as_on: _ } = connection;
    let (finished, ended) = carry(&prepared, reader, &mut journal, signals, args, session).await;
    drop(lock);
    prepared.report.add_result(&finished, ended.is_ok());
    if let Some(Undoing { journal: _, files }) = undoing {
        prepared.limit_to_restored(&files.resolved_again(session.environment), &finished);
    }
    let mut report = prepared.report;
    let shown = journal_path.strip_prefix(".").unwrap_or(&journal_path).to_string_lossy();
    ended.unwrap_or_else(|error| incomplete_journal(&shown, error));
    report.journal = Some(Printable::new(&shown));
    // Even if the sandbox can't save its state, report the outcomes of the changes that have been sent.
    if let Err(problems) = keep(sandbox).await {
        problems.list.iter().for_each(|problem| say(&Printable::new(&problem.message).to_string()));
    }
    Ok((Body::Plan(Box::new(report)), exit(&finished)))
}

/// Reports the plan without sending anything.
pub(super) async fn report_only(connection: Connection, prepared: Prepared) -> Done {
    connection.close().await?;
    let exit = if prepared.reviewed.is_blocked() { Exit::Blocked } else { Exit::Done };
    Ok((Body::Plan(Box::new(prepared.report)), exit))
}

/// Prints a note that the end of the journal couldn't be written. This isn't fatal, since the report has the same outcomes.
fn incomplete_journal(journal: &str, error: std::io::Error) {
    let (name, why) = (Printable::cut(journal, 200), Unreadable::System(error));
    say(&format!("Cannot write the end of the journal {name}, so this run will look unfinished: {why}."));
}

/// Acquires the lock and asks for confirmation. Returns the plan to send and the lock, or no lock if there's nothing to send. The
/// plan is a fresh one if another apply just ran, or if the user took too long to confirm.
async fn confirmed(
    command: &str,
    connection: &Connection,
    mut prepared: Prepared,
    replan: impl AsyncFn(&Connection) -> Result<Prepared, CommandError>,
    args: &CarryArgs,
    session: Session<'_>,
) -> Result<(Prepared, Option<Lock>), CommandError> {
    if is_done(&prepared) {
        return Ok((prepared, None));
    }
    let lock = lock_of(&prepared, connection, session)?;
    // Another apply may have changed the organization since we read it.
    if lock.was_held_within(age(&prepared, session)) {
        prepared = replan(connection).await?;
    }
    if !is_done(&prepared) && !args.auto_approve {
        ask(command, &prepared.report, session)?;
        // The organization may also have changed while the user was deciding.
        if age(&prepared, session) > FRESHNESS_LIMIT {
            prepared = agreed(&prepared, replan(connection).await?, &session.common.invocation)?;
        }
    }
    let lock = if is_done(&prepared) { None } else { Some(lock) };
    Ok((prepared, lock))
}

/// Returns `true` if there's nothing to send because the plan is blocked or empty.
fn is_done(prepared: &Prepared) -> bool {
    prepared.reviewed.is_blocked() || prepared.reviewed.plan.changes.is_empty()
}

/// Returns the time since the organization was read.
fn age(prepared: &Prepared, session: Session<'_>) -> Duration {
    session.environment.clock.elapsed().saturating_sub(prepared.observation.read_at)
}

/// Returns `fresh`, or an error if `fresh` contains a change that isn't in `shown`, the plan that the user confirmed.
fn agreed(shown: &Prepared, fresh: Prepared, invocation: &Invocation) -> Result<Prepared, CommandError> {
    let (before, files) = (shown.files_digest(), fresh.files_digest());
    let shown = SavedPlan::new(&shown.reviewed.plan, shown.binding(&before), String::new(), Value::Null);
    shown
        .admits(&fresh.reviewed.plan, fresh.binding(&files), &fresh.observation.state.roles)
        .map_err(|problem| CommandError::stale(plan_changed(&problem, invocation)))?;
    Ok(fresh)
}

/// Returns the error for a plan that changed while the user was being asked. `problem` lists the changes that weren't shown.
fn plan_changed(problem: &Problem, invocation: &Invocation) -> Problem {
    // The flags that select the files and Pylon are added to every suggested command later.
    let again = invocation.again.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
    Problem::new(CommandCode::PlanChanged, problem.message.clone()).help(format!(
        "nothing was changed; Pylon has changed since the plan above was shown, or a window has started or ended: run \
         `rolecall {again}` again, and review the new plan"
    ))
}

/// The advice for an argument that isn't a saved plan.
#[derive(Clone, Copy)]
pub(super) struct NotSavedAdvice {
    /// For a file that cannot be read.
    pub(super) unreadable: &'static str,
    /// For a file that is TOML, such as a root file.
    pub(super) toml: &'static str,
}

const ADVICE: NotSavedAdvice = NotSavedAdvice {
    unreadable: "pass a file written by `rolecall plan -o FILE`; without a file, `rolecall apply` makes a plan and asks for confirmation",
    toml: "a saved plan is JSON; to use another root file, pass it with --config",
};

pub(super) fn read_saved(path: &Path, advice: NotSavedAdvice) -> Result<SavedPlan, CommandError> {
    let name = Printable::path(path);
    let text = regular::read_named(path, saved::LARGEST).map_err(|why| match why {
        Unreadable::System(_) | Unreadable::NotRegular => {
            let message = format!("cannot read the saved plan {name}: {why}");
            CommandError::from(
                Problem::new(saved::SavedPlanCode::Unreadable, message).help(advice.unreadable),
            )
        }
        Unreadable::TooLarge(_) | Unreadable::NotText(_) => CommandError::stale(Problem::new(
            saved::SavedPlanCode::Damaged,
            format!("{name} is not a saved plan: {why}"),
        )),
    })?;
    let is_toml = path.extension().is_some_and(|last| last == "toml");
    SavedPlan::parse(&text)
        .map_err(|problem| CommandError::stale(if is_toml { problem.help(advice.toml) } else { problem }))
}

/// Acquires the lock. Until the lock is dropped, no other process of this user on this machine can apply changes to this
/// organization.
fn lock_of(prepared: &Prepared, connection: &Connection, session: Session<'_>) -> Result<Lock, CommandError> {
    let own = match OwnFolder::open_or_create_in(folder(&session.common.config)) {
        Ok(own) => Some(own),
        // An attacker may have planted the untrusted file to keep two applies from seeing each other's lock.
        Err(error) if UntrustedFile::is_reason_for(&error) => {
            return Err(lock::untrusted(&error).into());
        }
        Err(_) => None,
    };
    // Sandboxes in different folders are independent and don't share a lock.
    let everywhere = session.environment.locks.iter().filter(|_| connection.sandbox.is_none());
    let places =
        everywhere.map(|path| OwnFolder::open_or_create_at(path).map_err(|error| (path.clone(), error)));
    let places = places.chain(own.map(Ok)).collect();
    let organization = &prepared.reviewed.plan.organization.id;
    Ok(Lock::take(places, &prepared.host, organization, session.environment.clock.now())?)
}

/// Creates the journal and writes its first line, which must succeed before any change is sent.
fn journal(
    command: &str,
    undoing: Option<Undoing<'_>>,
    prepared: &Prepared,
    args: &CarryArgs,
    session: Session<'_>,
) -> Result<(Journal, PathBuf), CommandError> {
    let now = session.environment.clock.now();
    let plan = &prepared.reviewed.plan;
    let begin = JournalLine::Begin {
        version: VERSION,
        at: now,
        command: command.to_owned(),
        organization: plan.organization.id.clone(),
        host: prepared.host.clone(),
        changes: plan.changes.len(),
        user: session.environment.user.clone(),
        undoes: undoing.map(|undoing| {
            let path = std::path::absolute(undoing.journal).unwrap_or_else(|_| undoing.journal.to_owned());
            path.to_string_lossy().into_owned()
        }),
    };
    let created = journals::create(args.journal.as_deref(), &session.common.config, now);
    let begun = created.and_then(|(file, path)| match Journal::begin(file, begin) {
        Ok(journal) => Ok((journal, path)),
        Err(error) => {
            // Delete the journal, or `rollback --last` would pick it. A file passed to `--journal` belongs to the user and isn't
            // deleted.
            if args.journal.is_none() {
                let _ = fs::remove_file(&path);
            }
            Err(error)
        }
    });
    begun.map_err(|error| {
        Problem::new(CommandCode::NoJournal, format!("the journal cannot be written: {error}"))
            .help("nothing was changed; choose another file with --journal")
            .into()
    })
}

/// Writes a journal for a rollback that has nothing left to do. Without this journal, the newest run would still be the
/// incomplete rollback that this one continues.
pub(super) fn without_changes(
    undoing: Undoing<'_>,
    prepared: &Prepared,
    args: &CarryArgs,
    session: Session<'_>,
) -> Result<(), CommandError> {
    let (mut journal, path) = journal("rollback", Some(undoing), prepared, args, session)?;
    let finished = Finished { outcomes: Vec::new(), stopped: None, not_read_back: 0 };
    let ended = journal.end(session.environment.clock.now(), &[], &finished);
    ended.unwrap_or_else(|error| incomplete_journal(&path.to_string_lossy(), error));
    Ok(())
}

/// Sends the changes and reads them back. The second value is an error if the end of the journal couldn't be written.
async fn carry(
    prepared: &Prepared,
    reader: PacedReader,
    journal: &mut Journal,
    mut signals: Signals,
    args: &CarryArgs,
    session: Session<'_>,
) -> (Finished, std::io::Result<()>) {
    let clock = session.environment.clock;
    let (reader, flow) = reader.into_parts();
    let parallelism = usize::try_from(args.parallelism).unwrap_or(usize::MAX);
    let read_at = prepared.observation.read_at;
    let mut machine = Machine::new(&prepared.reviewed, read_at, clock.elapsed(), flow, parallelism);
    // If a signal arrived while we were creating the journal, don't send anything.
    if let Ok(number) = signals.numbers.try_recv() {
        machine.stop(Stop::Signal(number));
    }
    let background = Background::start(); // if the thread can't be started, `say` writes the lines itself
    let mut progress = Progress::begin(&machine, reader.trace(), session);
    let mut report_wait = |machine: &Machine, until, reason| progress.tell(machine, until, reason);
    let finished =
        carry_out(machine, &Writer::new(reader), clock, journal, &mut signals.numbers, &mut report_wait)
            .await;
    let ended = journal.end(clock.now(), &prepared.reviewed.plan.changes, &finished);
    drop(signals); // from here on, a signal terminates the process immediately
    progress.end();
    drop(background);
    (finished, ended)
}

/// Shows the plan and asks for confirmation. Fails without a terminal, or if the user types anything except `yes`.
fn ask(command: &str, planned: &PlanReport, session: Session<'_>) -> Result<(), CommandError> {
    if !session.environment.can_ask {
        return Err(Problem::new(
            CommandCode::NeedsApproval,
            "cannot ask for confirmation without a terminal; nothing was changed",
        )
        .help(match command {
            "rollback" => {
                "review the changes with --dry-run; if they have already been reviewed (for example, in a pipeline), add --auto-approve"
            }
            _ => "run `rolecall plan` first; if the plan has already been reviewed (for example, in a pipeline), add --auto-approve",
        })
        .into());
    }
    let styles = Styles::new(colors(session, session.environment.stderr_is_terminal));
    let mut answer = String::new();
    let question =
        text::question(command, planned, &styles, session.common.full, session.environment.stderr_width);
    let asked = output::stderr(question);
    let answered = asked.and_then(|()| std::io::stdin().lock().read_line(&mut answer));
    if !answer.ends_with('\n') {
        let _ = output::stderr("\n".to_owned()); // the input ended on the line of the prompt
    }
    if answered.is_ok() && answer.trim() == "yes" {
        return Ok(());
    }
    Err(Problem::new(CommandCode::NotApproved, "canceled: the answer was not `yes`; nothing was changed")
        .into())
}

/// Returns an apply's exit code (I7 in docs/reliability.md). A signal takes precedence over any outcome.
pub fn exit(finished: &Finished) -> Exit {
    match finished.stopped {
        Some(Stop::Signal(number)) => Exit::Signal(number),
        _ if finished.outcomes.iter().all(Outcome::is_in_sync) => Exit::Done,
        _ if finished.outcomes.iter().any(Outcome::may_have_changed) => Exit::Partial,
        _ => Exit::Failed,
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_plan_that_changed_during_the_prompt_is_not_called_a_saved_plan() {
        let again = ["apply", "--only", "ana o'neil@acme.example"].map(str::to_owned).to_vec();
        let invocation = Invocation { again, pylon: vec!["--sandbox".into()], ..Invocation::default() };
        let stale = Problem::new(
            saved::SavedPlanCode::Stale,
            "the apply would make changes that were not reviewed: …",
        );
        let problem = plan_changed(&stale, &invocation);
        assert_eq!(problem.code, "apply::plan_changed");
        assert_eq!(problem.message, stale.message);
        let help = invocation.complete(&problem.help.unwrap());
        assert!(!help.contains("saved") && !help.contains("-o FILE"), "{help}");
        let command = r"run `rolecall apply --only 'ana o'\''neil@acme.example' --sandbox` again";
        assert!(help.contains(command), "{help}");
    }
}
