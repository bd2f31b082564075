//! `access`: lists who has which role, since when, and why. It works without files, as `roles` does, and never writes.

use jiff::Timestamp;

use super::connection::Connection;
use super::files::{Declared, declared, read_if_there};
use super::line_history::FileHistory;
use super::prepare::settle;
use super::{Done, Environment, block_on};
use crate::cli::{AccessArgs, Common};
use crate::exit::Exit;
use crate::plan::blame::Drift;
use crate::plan::saved::{listed_digests, sha256_of};
use crate::printable::Printable;
use crate::problem::Problems;
use crate::report::facts::access::{AccessSources, DeclaredSources, FileDigest, FilesLine};
use crate::report::{AccessReport, Body};
use crate::roster::{Field, Roster};
use crate::source::Sources;

pub(super) fn run(args: &AccessArgs, common: &Common, environment: &Environment) -> Done {
    let now = environment.clock.now();
    let files = match read_if_there(&common.config, now)? {
        Some(_) => Some(declared(None, common, environment)?),
        None => None,
    };
    block_on(async {
        let roster = files.as_ref().map_or_else(Roster::default, |files| files.roster.clone());
        let connection = Connection::open(&roster, &args.connection, common, environment).await?;
        let report = review(files.as_ref(), &roster, &connection, now).await?;
        connection.close().await?;
        Ok((Body::Access(Box::new(report)), Exit::Done))
    })
}

async fn review(
    files: Option<&Declared>,
    roster: &Roster,
    connection: &Connection,
    read_at: Timestamp,
) -> Result<AccessReport, Problems> {
    let emails = files.map(Declared::emails).unwrap_or_default();
    let observation = connection.observe_everyone(roster, &emails).await?;
    // Without files there is no plan.
    let prepared = match files {
        Some(files) => Ok(settle(files, &[], None, connection, observation)?),
        None => Err(observation),
    };
    let observed = match &prepared {
        Ok(prepared) => &prepared.observation.state,
        Err(observation) => &observation.state,
    };
    let drift = Drift::of_field(Field::Role, observed.people(), &observed.roles);
    let findings = connection.reader.inquire_about_all(drift).await.finish(observed);
    let history = FileHistory::of(&roster.sources);
    let mut unread = history.unread.clone();
    unread.extend(connection.as_on.as_ref().map(|moment| {
        format!("the present time: ROLECALL_NOW sets it to {}", Printable::new(&moment.written))
    }));
    let declared = files.zip(prepared.as_ref().ok()).map(|(files, prepared)| DeclaredSources {
        roster: &files.roster,
        desired: &files.desired,
        plan: &prepared.report,
        guarded: prepared.reviewed.minimums.iter().map(|minimum| &minimum.role).collect(),
        files: files_line(&files.roster.sources, &history),
    });
    Ok(AccessReport::new(AccessSources {
        observed,
        place: &connection.place,
        read_at,
        declared,
        findings: &findings,
        since: &|location| history.since(location),
        unread,
    }))
}

fn files_line(sources: &Sources, history: &FileHistory) -> FilesLine {
    let digests = listed_digests(sources);
    let listed: String = digests.iter().map(|(name, sha256)| format!("{sha256}  {name}\n")).collect();
    let line = |(name, sha256): (String, String)| FileDigest { sha256, name: Printable::new(&name) };
    FilesLine {
        commit: history.commit.clone(),
        modified: history.commit.as_ref().map(|_| history.is_modified),
        sha256: sha256_of(&listed),
        list: digests.into_iter().map(line).collect(),
    }
}
