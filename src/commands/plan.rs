//! `plan`: shows what an apply would change, using a `Reader`, which can't write to Pylon.

use std::path::Path;

use super::base;
use super::connection::Connection;
use super::files::{declared, only, without_people};
use super::prepare::{Prepared, Scope, prepare};
use super::{CommandCode, CommandError, Done, Environment, Session, block_on, folder, journals};
use crate::apply::journal::JournalLine;
use crate::cli::{Common, PlanArgs};
use crate::exit::Exit;
use crate::invocation::path_word;
use crate::output::{say, scrub};
use crate::plan::saved::SavedPlan;
use crate::printable::Printable;
use crate::problem::Problem;
use crate::report::Body;
use crate::report::text::wrap::whole;
use crate::target_file::TargetFile;

pub(super) fn run(args: &PlanArgs, session: Session<'_>) -> Done {
    let declared = declared(args.at.as_deref(), session)?;
    let is_plain = args.output.is_none() && args.only.is_empty() && args.base.is_none();
    if let Some(report) = without_people(&declared, session.common)
        && is_plain
    {
        return Ok((report, Exit::Done));
    }
    let base = args.base.as_deref().map(|base| base::read(base, &session.common.config)).transpose()?;
    if !session.common.quiet {
        journals::unfinished(folder(&session.common.config), &args.connection)
            .iter()
            .for_each(|journal| say(&unfinished(journal, session.common)));
    }
    block_on(async {
        let only = only(&args.only, &declared)?;
        let scope = Scope { only: &only, max_changes: None, base: base.as_ref() };
        let connection = Connection::open(&declared.roster, &args.connection, session).await?;
        let mut prepared = prepare(&declared, scope, &connection).await?;
        if args.blame {
            prepared.find_blame(&connection).await;
        }
        prepared.report.lists_unmanaged = args.list_unmanaged;
        let exit = exit(&prepared, args);
        if let Some(path) = &args.output {
            save(&prepared, path, session.environment)?;
            // If the plan was written to a pipe, we can't suggest passing it to the next command.
            prepared.report.saved = path.is_file().then(|| Printable::new(&path.to_string_lossy()));
        }
        connection.close().await?;
        Ok((Body::Plan(Box::new(prepared.report)), exit))
    })
}

/// Returns a note about an apply or a rollback that did not finish or is still running.
fn unfinished(journal: &Path, common: &Common) -> String {
    let shown = whole(Printable::path(journal).as_str());
    if journals::is_running(journal) {
        return format!("An apply or rollback with this config is still running: {shown}");
    }
    let Some(JournalLine::Begin { command, undoes, .. }) = journals::first_line(journal) else {
        return format!(
            "The last run with this config did not finish, and its journal has no valid first line: {shown}\n\
             It may have been a rollback, so review this plan before you apply it."
        );
    };
    if command != "rollback" {
        let undo = common.invocation.command(&["rollback", "--last"]);
        return format!(
            "The last apply with this config did not finish: {shown}\n\
             This plan shows what is left to apply. To undo what it applied, run `{undo}`."
        );
    }
    let resume = journals::undone_by(journal, undoes.as_deref()).map_or_else(
        || "run it again with the same journal".to_owned(),
        |undone| format!("run `{}`", common.invocation.command(&["rollback", &path_word(&undone)])),
    );
    format!(
        "The last rollback with this config did not finish: {shown}\n\
         This plan may repeat the changes that it was undoing. To continue the rollback, {resume}."
    )
}

fn save(prepared: &Prepared, path: &Path, environment: &Environment) -> Result<(), CommandError> {
    let created = environment.clock.now().to_string();
    let files = prepared.files_digest();
    let report = serde_json::to_string(&prepared.report)
        .unwrap_or_else(|error| unreachable!("the keys of a report are texts: {error}"));
    // The checksum must match what is written, so we remove the token from the report first.
    let report = serde_json::from_str(&scrub(report)).unwrap_or_default();
    let saved = SavedPlan::new(&prepared.reviewed.plan, prepared.binding(&files), created, report);
    let written = TargetFile::open(path).and_then(|target| target.write(saved.to_json()));
    written.map_err(|error| {
        let name = Printable::path(path);
        Problem::new(CommandCode::NotWritten, format!("cannot save the plan to {name}: {error}")).into()
    })
}

fn exit(prepared: &Prepared, args: &PlanArgs) -> Exit {
    if prepared.reviewed.is_blocked() {
        Exit::Blocked
    } else if args.detailed_exitcode && !prepared.reviewed.plan.changes.is_empty() {
        Exit::Pending
    } else {
        Exit::Done
    }
}
