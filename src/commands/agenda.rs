//! `agenda`: lists the scheduled changes, offline.

use super::files::{moment, read};
use super::locate::check_is_root;
use super::{Done, Session};
use crate::cli::AgendaArgs;
use crate::exit::Exit;
use crate::printable::Printable;
use crate::report::{AgendaReport, Body};

pub(super) fn run(args: &AgendaArgs, session: Session<'_>) -> Done {
    let now = session.environment.clock.now();
    check_is_root(&session.common.config)?; // a team file has no time zone
    let roster = read(&session.common.config, now)?;
    let until = args.until.as_deref().map(|text| moment("--until", text, &roster)).transpose()?;
    let file = Printable::path(&session.common.config);
    let report = AgendaReport::new(&roster, file, now, until.as_ref());
    Ok((Body::Agenda(Box::new(report)), Exit::Done))
}
