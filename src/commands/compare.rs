//! `compare`: shows how two versions of the files differ, offline.

use std::path::Path;

use super::base::{self, Base};
use super::files::{read, with_help_for_missing};
use super::{CommandError, Done, Session};
use crate::cli::{Common, CompareArgs};
use crate::exit::Exit;
use crate::printable::Printable;
use crate::problem::Problems;
use crate::report::{Body, ComparisonReport, words};
use crate::roster::Roster;

pub(super) fn run(args: &CompareArgs, session: Session<'_>) -> Done {
    let CompareArgs { old, new, detailed_exitcode } = args;
    let now = session.environment.clock.now();
    let (old_name, before) = version(old, session.common)?;
    let (new_name, after) = match new {
        Some(revision) if !base::is_file(revision, &session.common.config)? => {
            version(revision, session.common)?
        }
        file => {
            let file = file.as_ref().unwrap_or(&session.common.config);
            (Printable::path(file), read(file, now).map_err(which_versions)?)
        }
    };
    let report = ComparisonReport::new((&before, old_name), (&after, new_name), now);
    let exit = if *detailed_exitcode && !report.differences.is_empty() { Exit::Pending } else { Exit::Done };
    Ok((Body::Comparison(Box::new(report)), exit))
}

/// Reads a root file or a git revision. Acknowledgments aren't checked against today's date, since they were valid when they
/// were merged.
fn version(of: &Path, common: &Common) -> Result<(Printable, Roster), CommandError> {
    let is_missing_file = || !of.exists() && of.extension().is_some_and(|extension| extension == "toml");
    if base::is_file(of, &common.config)? || is_missing_file() {
        return Ok((Printable::path(of), Roster::read(of).map_err(which_versions)?));
    }
    let Base { files, line } = base::read(of, &common.config)?;
    Ok((words::base_name(&line), files?))
}

fn which_versions(problems: Problems) -> Problems {
    let help = "name two versions, each a root file or a git revision: rolecall compare main users.toml";
    with_help_for_missing(problems, help)
}
