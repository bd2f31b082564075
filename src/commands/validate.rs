//! `validate`: the files alone, offline.

use super::files::read;
use super::{Done, Environment};
use crate::cli::Common;
use crate::exit::Exit;
use crate::report::Body;

pub(super) fn run(common: &Common, environment: &Environment) -> Done {
    let roster = read(&common.config, environment.clock.now())?;
    Ok((Body::Valid { declared: roster.people.len(), files: roster.sources }, Exit::Done))
}
