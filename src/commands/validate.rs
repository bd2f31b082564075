//! `validate`: the files alone, offline.

use super::files::read;
use super::{Done, Environment};
use crate::cli::Common;
use crate::exit::Exit;
use crate::plan::saved::digest_of;
use crate::printable::Printable;
use crate::report::Body;

pub(super) fn run(common: &Common, environment: &Environment) -> Done {
    let roster = read(&common.config, environment.clock.now())?;
    let files = roster.sources.iter().map(|(name, _)| Printable::new(name)).collect();
    let digest = digest_of(&roster.sources);
    Ok((Body::Valid { files, declared: roster.people.len(), digest }, Exit::Done))
}
