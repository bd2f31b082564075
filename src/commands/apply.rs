//! `apply`: plan, ask, patch, read back, tell.

use std::fs;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::files::{declared, declares_nobody};
use super::lock::Lock;
use super::prepare::{Prepared, Scope, prepare};
use super::progress::{Progress, say};
use super::{Code, Done, Environment, Trouble, block_on, colours, folder, own_folder, without_token};
use crate::apply::{Finished, Journal, Machine, Outcome, Stop, carry_out};
use crate::cli::{ApplyArgs, CarryArgs, Common};
use crate::exit::Exit;
use crate::plan::saved::{self, SavedPlan};
use crate::printable::Printable;
use crate::problem::Problem;
use crate::pylon::Writer;
use crate::pylon::observe::Asking;
use crate::report::style::Styles;
use crate::report::{Body, PlanReport, text};

pub(super) fn run(args: &ApplyArgs, common: &Common, environment: &Environment) -> Done {
    let saved = args.plan.as_deref().map(read_saved).transpose()?;
    let declared = declared(None, common, environment)?;
    if let Some(report) = declares_nobody(&declared, common) {
        return Ok((report, Exit::Done));
    }
    block_on(async {
        let only = saved.as_ref().map_or(args.only.as_slice(), SavedPlan::only);
        let scope = Scope { only, max_changes: args.carry.max_changes };
        let (mut prepared, asking) = prepare(declared, scope, &args.connection, common, environment).await?;
        if let Some(saved) = &saved {
            let files = prepared.files_digest();
            let admitted = saved.admits(&prepared.reviewed.plan, prepared.binding(&files));
            prepared.meanwhile = admitted.map_err(Trouble::stale)?;
        }
        carry_through("apply", prepared, asking, &args.carry, common, environment).await
    })
}

/// Asks, sends, reads back, tells; unless a guardrail refuses or there is nothing to change.
pub(super) async fn carry_through(
    command: &str,
    prepared: Prepared,
    asking: Asking,
    args: &CarryArgs,
    common: &Common,
    environment: &Environment,
) -> Done {
    let planned = PlanReport::new(&prepared.material(None));
    let is_refused = prepared.reviewed.is_refused();
    if is_refused || prepared.reviewed.plan.changes.is_empty() {
        let exit = if is_refused { Exit::Refused } else { Exit::Done };
        prepared.close().await?;
        return Ok((Body::Plan(Box::new(planned)), exit));
    }
    let _lock = lock(&prepared, common, environment)?;
    if !args.auto_approve {
        ask(command, &planned, common, environment)?;
    }
    let (mut journal, journal_path) = journal(&prepared, args, common, environment)?;
    let finished = carry(&prepared, asking, &mut journal, args, common, environment).await?;
    let mut report = PlanReport::new(&prepared.material(Some(&finished)));
    let shown = journal_path.strip_prefix(".").unwrap_or(&journal_path);
    report.journal = Some(Printable::new(&shown.to_string_lossy()));
    // What was done is told whatever becomes of the embedded Pylon's own state.
    if let Err(problems) = prepared.close().await {
        problems.list.iter().for_each(|problem| say(&Printable::new(&problem.message).to_string()));
    }
    Ok((Body::Plan(Box::new(report)), exit(&finished)))
}

/// The plan that was reviewed.
fn read_saved(path: &Path) -> Result<SavedPlan, Trouble> {
    let name = Printable::cut(&path.to_string_lossy(), 200);
    let unreadable = |why: String| {
        Problem::new(saved::Code::Unreadable, format!("the saved plan {name} cannot be read: {why}"))
    };
    let metadata = fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
    if !metadata.is_file() {
        return Err(unreadable("it is no regular file".into()).into());
    }
    if metadata.len() > saved::LARGEST {
        return Err(Trouble::stale(Problem::new(
            saved::Code::Damaged,
            format!("{name} is too large to be a saved plan"),
        )));
    }
    let bytes = fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Trouble::stale(Problem::new(saved::Code::Damaged, format!("{name} is no text"))))?;
    SavedPlan::parse(&text).map_err(Trouble::stale)
}

/// Nobody else applies to this organisation from here, as long as the lock lives.
fn lock(prepared: &Prepared, common: &Common, environment: &Environment) -> Result<Lock, Trouble> {
    let own = own_folder(&folder(&common.config)).ok();
    let organization = &prepared.reviewed.plan.organization.id;
    // The embedded Pylon of one folder has nothing to do with that of another.
    let everywhere = environment.locks.as_ref().filter(|_| !prepared.is_embedded());
    let places = everywhere.into_iter().chain(own.as_ref());
    let mut refused = Problem::new(Code::NoLock, "there is no folder for a lock")
        .help("the folder of the config must be writable, or HOME");
    for place in places {
        match Lock::take(place, prepared.host(), organization, environment.clock.now()) {
            Err(problem) if problem.code == Code::NoLock.as_str() => refused = problem,
            taken => return Ok(taken?),
        }
    }
    Err(refused.into())
}

/// The journal, opened before anything is sent.
fn journal(
    prepared: &Prepared,
    args: &CarryArgs,
    common: &Common,
    environment: &Environment,
) -> Result<(Journal, PathBuf), Trouble> {
    let now = environment.clock.now();
    let plan = &prepared.reviewed.plan;
    let opened = journal_path(args, common, now).and_then(|path| {
        let journal = Journal::begin(&path, now, &plan.organization.id, prepared.host(), plan.changes.len())?;
        Ok((journal, path))
    });
    opened.map_err(|error| {
        Problem::new(Code::NoJournal, format!("the journal cannot be written: {error}"))
            .help("nothing was changed; name another place with --journal")
            .into()
    })
}

fn journal_path(args: &CarryArgs, common: &Common, now: Timestamp) -> std::io::Result<PathBuf> {
    if let Some(path) = &args.journal {
        // One apply, one journal: `rollback` takes all of one back. A pipe would wait for whoever reads it.
        let there = fs::metadata(path).ok();
        if there.as_ref().is_some_and(|there| there.is_file() && there.len() > 0) {
            return Err(std::io::Error::other(
                "there is a file already, and each apply has a journal of its own",
            ));
        }
        #[cfg(unix)]
        if there.is_some_and(|there| std::os::unix::fs::FileTypeExt::is_fifo(&there.file_type())) {
            return Err(std::io::Error::other("it is a pipe"));
        }
        return Ok(path.clone());
    }
    let journals = own_folder(&folder(&common.config))?.join("journal");
    fs::create_dir_all(&journals)?;
    let name = format!("{}-{}.jsonl", now.strftime("%Y%m%dT%H%M%SZ"), std::process::id());
    Ok(journals.join(name))
}

async fn carry(
    prepared: &Prepared,
    asking: Asking,
    journal: &mut Journal,
    args: &CarryArgs,
    common: &Common,
    environment: &Environment,
) -> Result<Finished, Trouble> {
    let clock = environment.clock;
    let (reader, pacing, rng) = asking.into_parts();
    let parallelism = usize::try_from(args.parallelism).unwrap_or(usize::MAX);
    let machine =
        Machine::new(&prepared.reviewed, prepared.read_at, clock.elapsed(), pacing, parallelism, rng);
    let mut signals = signals()?;
    let mut progress = Progress::begin(&machine, clock, environment.stderr_is_terminal, common.quiet);
    let mut tell = |machine: &Machine, until| progress.tell(machine, until);
    let finished = carry_out(machine, &Writer::new(reader), clock, journal, &mut signals, &mut tell).await;
    progress.end();
    Ok(finished)
}

/// Shows the plan and waits for a `yes`.
fn ask(
    command: &str,
    planned: &PlanReport,
    common: &Common,
    environment: &Environment,
) -> Result<(), Trouble> {
    if !environment.can_ask {
        return Err(Problem::new(Code::NeedsApproval, "nobody can be asked here, and nothing was changed")
            .help(match command {
                "rollback" => "at a terminal it shows first what it would do, and asks; in a pipeline add --auto-approve",
                _ => "run `rolecall plan` first; where the plan has been reviewed, as in a pipeline, add --auto-approve",
            })
            .into());
    }
    let styles = Styles::new(colours(common, environment, environment.stderr_is_terminal));
    let mut stderr = std::io::stderr();
    let question = without_token(text::question(command, planned, &styles), environment);
    let mut answer = String::new();
    let asked = stderr.write_all(question.as_bytes()).and_then(|()| stderr.flush());
    let answered = asked.and_then(|()| std::io::stdin().lock().read_line(&mut answer));
    if answered.is_ok() && answer.trim() == "yes" {
        return Ok(());
    }
    Err(Problem::new(Code::NotApproved, "that was no `yes`: nothing was changed").into())
}

/// I7 of docs/reliability.md: everything in force, or something perhaps changed, or nothing changed; a signal before that.
pub fn exit(finished: &Finished) -> Exit {
    let outcomes = || finished.carried.iter().map(|carried| &carried.outcome);
    match finished.stopped {
        Some(Stop::Signal(number)) => Exit::Signal(number),
        _ if outcomes().all(Outcome::is_in_force) => Exit::Done,
        _ if outcomes().any(Outcome::may_have_changed) => Exit::Partial,
        _ => Exit::Failed,
    }
}

/// The signals that should end an apply, by number, as they come.
fn signals() -> Result<mpsc::UnboundedReceiver<i32>, Trouble> {
    let (tell, told) = mpsc::unbounded_channel();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        for kind in [SignalKind::hangup(), SignalKind::interrupt(), SignalKind::terminate()] {
            let mut stream = signal(kind).map_err(|error| {
                Problem::new(Code::NoRuntime, format!("signals cannot be waited for: {error}"))
            })?;
            let tell = tell.clone();
            tokio::spawn(async move {
                while stream.recv().await.is_some() {
                    let _ = tell.send(kind.as_raw_value());
                }
            });
        }
    }
    #[cfg(not(unix))]
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            let _ = tell.send(2);
        }
    });
    Ok(told)
}
