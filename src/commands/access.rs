//! `access`: lists everyone's role, how long they've had it, and why. Like `roles`, it works without files and can't change
//! Pylon.

use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;

use super::connection::Connection;
use super::files::{Declared, declared, has_config};
use super::line_history::FileHistory;
use super::place::SANDBOX;
use super::prepare::settle;
use super::{CommandCode, Done, Session, block_on};
use crate::cli::AccessArgs;
use crate::exit::Exit;
use crate::plan::blame::Drift;
use crate::plan::saved::{listed_digests, sha256_of};
use crate::printable::Printable;
use crate::problem::{Problem, Problems};
use crate::regular::{self, Unreadable};
use crate::report::facts::access::{AccessSources, DeclaredSources, EarlierReview, FileDigest, FilesLine};
use crate::report::facts::{OrganizationLine, VERSION};
use crate::report::{AccessReport, Body};
use crate::roster::{Field, Roster};
use crate::source::Sources;

pub(super) fn run(args: &AccessArgs, session: Session<'_>) -> Done {
    let now = session.environment.clock.now();
    let earlier = args.since.as_deref().map(earlier_review).transpose()?;
    let files = has_config(session.common).then(|| declared(None, session)).transpose()?;
    block_on(async {
        let roster = files.as_ref().map_or_else(Roster::default, |files| files.roster.clone());
        let connection = Connection::open(&roster, &args.connection, session).await?;
        let mut report = review(files.as_ref(), &roster, &connection, now).await?;
        connection.close().await?;
        if let (Some(earlier), Some(path)) = (earlier, &args.since) {
            check_organization(&earlier, &report, path)?;
            report.add_changes(earlier, Printable::path(path));
        }
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
    let (observed, planned) = match files {
        None => (observation.state, None), // without files, no plan can be made
        Some(files) => {
            let prepared = settle(files, &[], None, connection, observation)?;
            (prepared.observation.state, Some((files, prepared.report, prepared.reviewed)))
        }
    };
    let observed = &observed;
    let drift = Drift::of(observed.people().map(|person| (person, Field::Role)), &observed.roles);
    let findings = connection.reader.inquire_about_all(drift).await.finish(observed);
    let history = FileHistory::read(&roster.sources);
    let mut unread = history.unread.clone();
    unread.extend(connection.as_on.as_ref().map(|moment| {
        format!("the current time: ROLECALL_NOW sets it to {}", Printable::new(&moment.written))
    }));
    let declared = planned.as_ref().map(|(files, report, reviewed)| DeclaredSources {
        roster: &files.roster,
        desired: &files.desired,
        plan: report,
        guarded: reviewed.guarded_roles(&observed.roles),
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

/// The maximum size of an earlier review, in bytes. Reviews stay below it even for an organization far larger than any on Pylon.
const LARGEST_REVIEW: u64 = 256 << 20;

/// Parses the earlier review passed to `--since`.
fn earlier_review(path: &Path) -> Result<EarlierReview, Problem> {
    let text = regular::read_named(path, LARGEST_REVIEW).map_err(|why| match why {
        Unreadable::System(error) => {
            Problem::new(CommandCode::NotAReview, format!("cannot read {}: {error}", Printable::path(path)))
                .help("pass a file written by `rolecall access --format json`")
        }
        other => not_a_review(path, &other.to_string()),
    })?;
    let value: Value = serde_json::from_str(&text).map_err(|error| {
        let is_table = text.starts_with("kind,");
        not_a_review(
            path,
            &if is_table { "it is a CSV file".to_owned() } else { format!("it is not JSON: {error}") },
        )
    })?;
    if let Some(what) = other_kind(&value) {
        return Err(not_a_review(path, &what));
    }
    serde_json::from_value(value).map_err(|error| not_a_review(path, &error.to_string()))
}

/// Describes a JSON file that isn't an access review, or returns `None` if it might be one.
fn other_kind(value: &Value) -> Option<String> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(|text| Printable::cut(text, 60));
    match (text("command"), value.get("version").and_then(Value::as_u64)) {
        _ if text("format").is_some() => Some("it is a saved plan".into()),
        (None, _) => Some("it is JSON, but not a rolecall report".into()),
        (Some(command), _) if command.raw() != "access" => {
            Some(format!("it is a report of `rolecall {command}`"))
        }
        (Some(_), Some(version)) if version != u64::from(VERSION) => Some(format!(
            "it has report version {version}, but this version of rolecall reads version {VERSION}"
        )),
        _ if value.get("problems").is_some() => Some("it is the report of a failed run".into()),
        _ => None,
    }
}

fn not_a_review(path: &Path, why: &str) -> Problem {
    let message = format!("{} is not an access review: {}", Printable::path(path), Printable::cut(why, 200));
    Problem::new(CommandCode::NotAReview, message)
        .help("pass a file written by `rolecall access --format json`")
}

fn check_organization(earlier: &EarlierReview, report: &AccessReport, path: &Path) -> Result<(), Problem> {
    let (then, now) = (&earlier.organization, &report.organization);
    // The place may differ, since an organization can move to another region or host. A sandbox, however, only imitates an
    // organization, even if it has the same ID.
    let is_fake = |place: &Printable| place.raw() == SANDBOX;
    if then.id == now.id && is_fake(&then.place) == is_fake(&now.place) {
        return Ok(());
    }
    let named = |line: &OrganizationLine| {
        let of = if is_fake(&line.place) { " in the sandbox" } else { "" };
        format!("{} ({}){of}", line.name.short(80), line.id.short(80))
    };
    let (path, then, now) = (Printable::path(path), named(then), named(now));
    let message = format!("{path} is a review of {then}, but this run reviews {now}");
    Err(Problem::new(CommandCode::OtherReview, message)
        .help("pass a review of this organization, or use the other organization's token or --sandbox"))
}
