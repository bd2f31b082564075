//! `rollback`: the way back from an apply, which then goes the way of any other.

use std::fs;
use std::path::Path;

use super::apply::carry_through;
use super::prepare::{Prepared, declared, observe, settle_rollback};
use super::{Done, Environment, block_on};
use crate::apply::rollback::{Applied, Code};
use crate::cli::{Common, RollbackArgs};
use crate::printable::Printable;
use crate::problem::{Problem, Problems};

/// A larger file is no journal: a million changes take some 600 MB.
const LARGEST: u64 = 1024 * 1024 * 1024;

pub(super) fn run(args: &RollbackArgs, common: &Common, environment: &Environment) -> Done {
    let mut files = declared(None, common, environment)?;
    // Its lines are places like any other; the name alone keeps them short.
    let name = args.of.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let file = files.roster.sources.add(name, read(&args.of)?);
    let applied = match Applied::read(&files.roster.sources, file) {
        Ok(applied) => applied,
        Err(problem) => return Err(Problems::new(files.roster.sources, vec![problem]).into()),
    };
    block_on(async {
        let (connection, observation) = observe(&files, &[], &args.connection, common, environment).await?;
        let prepared: Prepared =
            settle_rollback(files, &applied, args.carry.max_changes, connection, observation)?;
        carry_through("rollback", prepared, &args.carry, common, environment).await
    })
}

fn read(path: &Path) -> Result<String, Problem> {
    let name = Printable::cut(&path.to_string_lossy(), 200);
    let unreadable =
        |why: String| Problem::new(Code::Unreadable, format!("the journal {name} cannot be read: {why}"));
    let metadata = fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
    if !metadata.is_file() {
        return Err(unreadable("it is no regular file".into()));
    }
    if metadata.len() > LARGEST {
        return Err(unreadable("it is too large to be a journal".into()));
    }
    let bytes = fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    String::from_utf8(bytes).map_err(|_| unreadable("it is no text".into()))
}
