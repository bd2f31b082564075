//! `validate`: checks the files, offline.

use std::collections::HashSet;
use std::path::PathBuf;

use super::files::{read, read_each, with_help_for_missing};
use super::overwrites::place_of;
use super::{Done, Session};
use crate::cli::ValidateArgs;
use crate::exit::Exit;
use crate::problem::Problems;
use crate::report::Body;
use crate::source::Sources;

pub(super) fn run(args: &ValidateArgs, session: Session<'_>) -> Done {
    let named =
        if args.files.is_empty() { std::slice::from_ref(&session.common.config) } else { &args.files };
    let mut seen = HashSet::new();
    let named: Vec<PathBuf> = named.iter().filter(|path| seen.insert(place_of(path))).cloned().collect();
    let now = session.environment.clock.now();
    let (mut files, mut declared) = (Problems::new(Sources::default(), Vec::new()), 0);
    let help = "check the path; without a file, `rolecall validate` checks the root file and the files that it includes";
    let named = read_each(&named, |path| read(path, now)).map_err(|problems| {
        if args.files.is_empty() { problems } else { with_help_for_missing(problems, help) }
    });
    for roster in named? {
        declared += roster.people.len();
        let warnings = roster.warnings(now);
        files.append(Problems::new(roster.sources, warnings));
    }
    let is_denied = args.deny.is_some() && !files.list.is_empty();
    let exit = if is_denied { Exit::Failed } else { Exit::Done };
    Ok((Body::Valid { declared, files: Box::new(files) }, exit))
}
