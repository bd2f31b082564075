//! `fmt`: the canonical layout of every file, comments kept.

use super::files::{read, read_each};
use super::write::{Rewritten, rewrite};
use super::{Done, Environment};
use crate::cli::{Common, FmtArgs, STDIN};
use crate::exit::Exit;
use crate::layout::canonical;
use crate::problem::Problems;
use crate::report::facts::files::{FileLine, FileState};
use crate::report::{Body, FilesReport, words};
use crate::source::Sources;

pub(super) fn run(args: &FmtArgs, common: &Common, environment: &Environment) -> Done {
    let texts = texts(args, common, environment)?;
    let is_dry = args.check || args.diff;
    let (mut files, mut rewritten) = (Vec::new(), Vec::new());
    for (name, before) in texts.iter() {
        // What was read as a roster is TOML, so there is a layout of it.
        let after = canonical(before).unwrap_or_else(|_| before.to_owned());
        let state = match (before == after, is_dry) {
            (true, _) => FileState::Unchanged,
            (false, true) => FileState::WouldBeWritten,
            (false, false) => FileState::Written,
        };
        let line = FileLine::new(name, state, before, &after);
        files.push(if args.diff { line } else { FileLine { hunks: Vec::new(), ..line } });
        if state == FileState::Written {
            rewritten.push(Rewritten { name, before, after });
        }
    }
    rewrite(rewritten)?;
    let changed = files.iter().filter(|file| file.state != FileState::Unchanged).count();
    let exit = if args.check && changed > 0 { Exit::Pending } else { Exit::Done };
    let verdict = words::formatted(changed, files.len(), is_dry);
    Ok((Body::Files(Box::new(FilesReport { verdict, files, left: Vec::new() })), exit))
}

/// The files to format: the root file and what it includes, or those that are named and no others.
fn texts(args: &FmtArgs, common: &Common, environment: &Environment) -> Result<Sources, Problems> {
    let now = environment.clock.now();
    if args.files.is_empty() {
        return Ok(read(&common.config, now)?.sources);
    }
    let mut texts = Sources::default();
    for roster in read_each(&args.files, now)? {
        // Of each, the root file, which is the first.
        let root = roster.sources.iter().next().map(|(name, text)| (name.to_owned(), text.to_owned()));
        if let Some((name, text)) = root.filter(|(name, _)| texts.iter().all(|(known, _)| known != name)) {
            texts.add(name, text);
        }
    }
    Ok(texts)
}

/// Standard input in the canonical layout.
pub(super) fn filtered(environment: &Environment) -> Result<String, Problems> {
    let roster = read(STDIN.as_ref(), environment.clock.now())?;
    let text = roster.sources.iter().next().map_or("", |(_, text)| text);
    Ok(canonical(text).unwrap_or_else(|_| text.to_owned()))
}
