//! `agenda`: lists the scheduled changes, offline.

use super::files::{moment, read};
use super::locate::check_is_root;
use super::{Done, Environment};
use crate::cli::{AgendaArgs, Common};
use crate::exit::Exit;
use crate::printable::Printable;
use crate::report::{AgendaReport, Body};

pub(super) fn run(args: &AgendaArgs, common: &Common, environment: &Environment) -> Done {
    let now = environment.clock.now();
    check_is_root(&common.config)?; // a team file has no time zone
    let roster = read(&common.config, now)?;
    let until = args.until.as_deref().map(|text| moment("--until", text, &roster)).transpose()?;
    let file = Printable::cut(&common.config.to_string_lossy(), 200);
    let report = AgendaReport::new(&roster, file, now, until.as_ref());
    Ok((Body::Agenda(Box::new(report)), Exit::Done))
}
