//! `compare`: shows the differences between two versions of the files, offline.

use std::path::Path;

use super::files::read;
use super::{Done, Environment};
use crate::cli::CompareArgs;
use crate::exit::Exit;
use crate::printable::Printable;
use crate::problem::Problems;
use crate::report::{Body, ComparisonReport};
use crate::roster::{Roster, RosterCode};

pub(super) fn run(args: &CompareArgs, environment: &Environment) -> Done {
    let CompareArgs { old, new, detailed_exitcode } = args;
    let now = environment.clock.now();
    let named = |path: &Path| Printable::cut(&path.to_string_lossy(), 200);
    // The old version was valid when it was merged, so its acknowledgments are not checked again.
    let before = Roster::read(old).map_err(which_files)?;
    let after = read(new, now).map_err(which_files)?;
    let report = ComparisonReport::new((&before, named(old)), (&after, named(new)), now);
    let exit = if *detailed_exitcode && !report.differences.is_empty() { Exit::Pending } else { Exit::Done };
    Ok((Body::Comparison(Box::new(report)), exit))
}

/// Replaces the remedy for a missing file, which names --config. This command does not use that flag.
fn which_files(mut problems: Problems) -> Problems {
    let missing = problems.list.iter_mut().filter(|problem| problem.code == RosterCode::FileMissing.as_str());
    missing.for_each(|problem| {
        problem.help =
            Some("name the root files of two versions: rolecall compare base/users.toml users.toml".into());
    });
    problems
}
