//! The report files: those passed to `--report`, and the job summary on GitHub.
//!
//! All files are opened before the first request, because a run must not change Pylon if it can't report the changes. `--report`
//! files are written much like the target of a shell's `>`. A report is appended to the job summary, because earlier commands of
//! the same step may have written to it.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::{CommandCode, Session};
use crate::printable::Printable;
use crate::problem::Problem;
use crate::report::{Format, LONGEST_SUMMARY};
use crate::target_file::TargetFile;

/// The open report files.
#[derive(Debug, Default)]
pub(super) struct Outlets(Vec<Outlet>);

#[derive(Debug)]
struct Outlet {
    path: PathBuf,
    format: Format,
    /// The maximum size of the report in bytes, if the destination has a limit.
    limit: Option<usize>,
    destination: Destination,
}

#[derive(Debug)]
enum Destination {
    Replaced(TargetFile),
    Appended(File),
}

impl Outlets {
    /// Opens the `--report` files and, if the format `github` is requested, the job summary.
    pub(super) fn open(session: Session<'_>) -> Result<Self, Problem> {
        let mut outlets: Vec<Outlet> = Vec::new();
        for (format, path) in &session.common.report {
            let target = TargetFile::open(path).map_err(|error| not_written(path, &error))?;
            let destination = Destination::Replaced(target);
            outlets.push(Outlet { path: path.clone(), format: *format, limit: None, destination });
        }
        let is_github = session.common.format == Format::Github
            || outlets.iter().any(|outlet| outlet.format == Format::Github);
        if let Some(path) = &session.environment.github_summary
            && is_github
        {
            let file = OpenOptions::new().append(true).create(true).open(path);
            let file = file.map_err(|error| not_written(path, &error))?;
            let limit = Some(left_in_summary(&file));
            outlets.push(Outlet {
                path: path.clone(),
                format: Format::Markdown,
                limit,
                destination: Destination::Appended(file),
            });
        }
        Ok(Self(outlets))
    }

    /// Writes all reports and returns a problem for each one that couldn't be written.
    pub(super) fn write(self, report: impl Fn(Format, Option<usize>) -> String) -> Vec<Problem> {
        let written = self.0.into_iter().map(|Outlet { path, format, limit, destination }| {
            let text = report(format, limit);
            let written = match destination {
                Destination::Replaced(target) => target.write(text),
                Destination::Appended(mut file) => {
                    file.write_all(text.as_bytes()).and_then(|()| file.flush())
                }
            };
            written.err().map(|error| not_written(&path, &error))
        });
        written.flatten().collect()
    }
}

/// Returns the number of bytes left in this step's summary. GitHub drops a summary that is too long, and the output of earlier
/// commands in the step counts against the limit. If no bytes are left, a note that the report is too long is still added.
fn left_in_summary(summary: &File) -> usize {
    let written = summary.metadata().map_or(0, |metadata| metadata.len());
    LONGEST_SUMMARY.saturating_sub(usize::try_from(written).unwrap_or(usize::MAX))
}

fn not_written(path: &Path, error: &std::io::Error) -> Problem {
    let name = Printable::path(path);
    Problem::new(CommandCode::NotWritten, format!("cannot write the report to {name}: {error}"))
}
