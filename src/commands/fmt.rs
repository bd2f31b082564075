//! `fmt`: the canonical layout of every file, comments kept.

use super::files::read;
use super::write::{Rewritten, rewrite};
use super::{Done, Environment};
use crate::cli::{Common, FmtArgs};
use crate::exit::Exit;
use crate::layout::canonical;
use crate::report::facts::files::{FileLine, FileState};
use crate::report::{Body, FilesReport, words};

pub(super) fn run(args: &FmtArgs, common: &Common, environment: &Environment) -> Done {
    let roster = read(&common.config, environment.clock.now())?;
    let is_dry = args.check || args.diff;
    let (mut files, mut rewritten) = (Vec::new(), Vec::new());
    for (name, before) in roster.sources.iter() {
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
