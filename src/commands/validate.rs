//! `validate`: the files alone, offline.

use super::prepare::{Declared, declared};
use super::{Done, Environment};
use crate::cli::Common;
use crate::exit::Exit;
use crate::report::Body;

pub(super) fn run(common: &Common, environment: &Environment) -> Done {
    let Declared { roster, desired, .. } = declared(None, common, environment)?;
    Ok((Body::Valid { files: roster.sources.len(), declared: desired.people.len() }, Exit::Done))
}
