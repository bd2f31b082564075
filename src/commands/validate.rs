//! `validate`: the files alone, offline.

use super::files::read;
use super::{Done, Environment};
use crate::cli::Common;
use crate::exit::Exit;
use crate::report::Body;

pub(super) fn run(common: &Common, environment: &Environment) -> Done {
    let roster = read(&common.config, environment.clock.now())?;
    Ok((Body::Valid { files: roster.sources.len(), declared: roster.people.len() }, Exit::Done))
}
