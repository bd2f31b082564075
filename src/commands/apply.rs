//! `apply`: plan, ask, patch, read back, tell.

use std::fs;
use std::io::{BufRead, Write};
use std::path::Path;

use tokio::sync::mpsc;

use super::prepare::{Prepared, Scope, declared, declares_nobody, prepare};
use super::{Code, Done, Environment, Trouble, block_on, colours};
use crate::apply::{Finished, Machine, Outcome, Stop, carry_out};
use crate::cli::{ApplyArgs, Common};
use crate::exit::Exit;
use crate::plan::saved::{self, SavedPlan};
use crate::printable::Printable;
use crate::problem::Problem;
use crate::pylon::Writer;
use crate::report::style::Styles;
use crate::report::{PlanReport, Report, text};

pub(super) fn run(args: &ApplyArgs, common: &Common, environment: &Environment) -> Done {
    let saved = args.plan.as_deref().map(read_saved).transpose()?;
    let declared = declared(None, common, environment)?;
    if let Some(report) = declares_nobody(&declared, common) {
        return Ok((report, Exit::Done));
    }
    block_on(async {
        let only = saved.as_ref().map_or(args.only.as_slice(), SavedPlan::only);
        let scope = Scope { only, max_changes: args.max_changes };
        let mut prepared = prepare(declared, scope, common, environment).await?;
        if let Some(saved) = &saved {
            let admitted = saved.admits(&prepared.reviewed.plan, prepared.binding());
            prepared.meanwhile = admitted.map_err(Trouble::stale)?;
        }
        let planned = PlanReport::new(&prepared.material("apply", None));
        if planned.is_refused() || prepared.reviewed.plan.changes.is_empty() {
            let exit = if planned.is_refused() { Exit::Refused } else { Exit::Done };
            prepared.close().await?;
            return Ok((Report::Plan(Box::new(planned)), exit));
        }
        if !args.auto_approve {
            ask(&planned, common, environment)?;
        }
        let finished = carry(&mut prepared, args, environment).await?;
        let report = PlanReport::new(&prepared.material("apply", Some(&finished)));
        prepared.close().await?;
        Ok((Report::Plan(Box::new(report)), exit(&finished)))
    })
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

async fn carry(
    prepared: &mut Prepared,
    args: &ApplyArgs,
    environment: &Environment,
) -> Result<Finished, Trouble> {
    let clock = environment.clock;
    let (reader, pacing, rng) = prepared.take_asking()?;
    let parallelism = usize::try_from(args.parallelism).unwrap_or(usize::MAX);
    let machine =
        Machine::new(&prepared.reviewed, prepared.read_at, clock.elapsed(), pacing, parallelism, rng);
    let mut signals = signals()?;
    Ok(carry_out(machine, &Writer::new(reader), clock, &mut signals).await)
}

/// Shows the plan and waits for a `yes`.
fn ask(planned: &PlanReport, common: &Common, environment: &Environment) -> Result<(), Trouble> {
    if !environment.can_ask {
        return Err(Problem::new(Code::NeedsApproval, "nobody can be asked here, and nothing was changed")
            .help("run `rolecall plan` first; where the plan has been reviewed, as in a pipeline, add --auto-approve")
            .into());
    }
    let styles = Styles::new(colours(common, environment, environment.stderr_is_terminal));
    let mut stderr = std::io::stderr();
    let question = format!(
        "{}\nApply this to {}? Only `yes` is taken: ",
        text::plan(planned, &styles),
        planned.organization
    );
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
