//! `validate`: the files alone, offline.

use super::{Done, Environment};
use crate::cli::Common;
use crate::exit::Exit;
use crate::problem::Problems;
use crate::report::Report;
use crate::roster::Roster;

pub(super) fn run(common: &Common, environment: &Environment) -> Done {
    let roster = Roster::read(&common.config)?;
    match roster.resolve_at(environment.clock.now()) {
        Ok(desired) => {
            Ok((Report::Valid { files: roster.sources.len(), declared: desired.people.len() }, Exit::Done))
        }
        Err(problems) => Err(Problems::new(roster.sources, problems)),
    }
}
