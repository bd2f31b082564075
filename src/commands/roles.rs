//! `roles`: lists the organization's roles. It works without files, since users look up the roles before they write the files.

use super::connection::Connection;
use super::files::read_if_there;
use super::locate::check_is_root;
use super::{Done, Session, block_on};
use crate::cli::ConnectionArgs;
use crate::exit::Exit;
use crate::report::{Body, RolesReport};

pub(super) fn run(asked: &ConnectionArgs, session: Session<'_>) -> Done {
    check_is_root(&session.common.config)?; // a team file doesn't declare everyone
    let roster = read_if_there(session)?;
    block_on(async {
        let whose = roster.clone().unwrap_or_default();
        let connection = Connection::open(&whose, asked, session).await?;
        let observation = connection.observe(&whose, &[]).await?;
        let report = RolesReport::new(&observation.state, roster.as_ref(), &connection.place);
        connection.close().await?;
        Ok((Body::Roles(Box::new(report)), Exit::Done))
    })
}
