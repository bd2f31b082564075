//! `fmt`: formats the files, preserving comments.

use std::path::Path;

use super::files::{read, read_each, with_help_for_missing};
use super::write::{Rewritten, rewrite};
use super::{Done, Session};
use crate::cli::FmtArgs;
use crate::exit::Exit;
use crate::layout::canonical;
use crate::problem::Problems;
use crate::regular::STDIN;
use crate::report::facts::files::{FileLine, FileState};
use crate::report::{Body, FilesReport, words};
use crate::roster::Roster;
use crate::source::Sources;

pub(super) fn run(args: &FmtArgs, session: Session<'_>) -> Done {
    let texts = texts(args, session)?;
    let is_dry = args.check || args.diff;
    let (mut files, mut rewritten) = (Vec::new(), Vec::new());
    for (name, before) in texts.iter() {
        // Formatting can't fail, since the text has already been parsed as TOML.
        let after = canonical(before).unwrap_or_else(|_| before.to_owned());
        let state = match (before == after, is_dry) {
            (true, _) => FileState::Unchanged,
            (false, true) => FileState::WouldBeWritten,
            (false, false) => FileState::Written,
        };
        files.push(FileLine::new(name, state, args.diff.then_some((before, &*after))));
        if state == FileState::Written {
            rewritten.push(Rewritten { name, before, after });
        }
    }
    rewrite(rewritten)?;
    let changed = files.iter().filter(|file| file.state != FileState::Unchanged).count();
    let exit = if args.check && changed > 0 { Exit::Pending } else { Exit::Done };
    let verdict = words::formatted(changed, files.len(), is_dry);
    Ok((Body::Files(Box::new(FilesReport { verdict, files, not_written: Vec::new() })), exit))
}

/// Returns the files to format: those passed on the command line, or else the root file and its includes.
fn texts(args: &FmtArgs, session: Session<'_>) -> Result<Sources, Problems> {
    if args.files.is_empty() {
        return Ok(read(&session.common.config, session.environment.clock.now())?.sources);
    }
    let mut texts = Sources::default();
    let help =
        "check the path; without a file, `rolecall fmt` formats the root file and the files that it includes";
    let named = read_each(&args.files, text).map_err(|problems| with_help_for_missing(problems, help));
    for (name, text) in named? {
        // The same file may be listed twice on the command line.
        if texts.iter().all(|(known, _)| known != name) {
            texts.add(name, text);
        }
    }
    Ok(texts)
}

/// Returns a file's name and content. The content must be valid TOML, but it need not be a valid root file, since a team file
/// can't be checked without its root file.
fn text(path: &Path) -> Result<(String, String), Problems> {
    let first =
        |sources: &Sources| sources.iter().next().map(|(name, text)| (name.to_owned(), text.to_owned()));
    match Roster::read(path) {
        Ok(roster) => Ok(first(&roster.sources).unwrap_or_default()),
        Err(problems) => first(&problems.sources).filter(|(_, text)| canonical(text).is_ok()).ok_or(problems),
    }
}

/// Formats standard input.
pub(super) fn filtered() -> Result<String, Problems> {
    let (_, text) = text(STDIN.as_ref())?;
    Ok(canonical(&text).unwrap_or(text))
}
