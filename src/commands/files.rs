//! Reads the files and resolves them at a point in time, as the first step of most commands.

use std::cell::LazyCell;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::locate::check_is_root;
use super::{CommandCode, CommandError, Environment, Session};
use crate::cli::{Common, ConfigOrigin};
use crate::desired::DesiredState;
use crate::plan;
use crate::plan::suggest::Addresses;
use crate::printable::Printable;
use crate::problem::{Problem, Problems};
use crate::report::{Body, words};
use crate::roster::{Email, Moment, Roster, RosterCode, Unmanaged};

/// The files and their values at a point in time.
pub(super) struct Declared {
    pub(super) roster: Roster,
    pub(super) desired: DesiredState,
    /// The time at which the files are resolved.
    pub(super) now: Timestamp,
    /// The current time, even with `--at`.
    pub(super) present: Timestamp,
    /// The value of `--at`, if given.
    pub(super) at: Option<Moment>,
}

impl Declared {
    /// Resolves the same files at the current time, without reading them again, because standard input or another stream can be
    /// read only once.
    pub(super) fn resolved_again(&self, environment: &Environment) -> Self {
        let (roster, now) = (self.roster.clone(), environment.clock.now());
        Self { desired: roster.resolve_at(now), roster, now, present: now, at: None }
    }

    pub(super) fn emails(&self) -> Vec<Email> {
        self.desired.people.iter().map(|person| person.email.value.clone()).collect()
    }
}

/// Reads the files and resolves them at the current time, or at the time given by `--at`.
pub(super) fn declared(at: Option<&str>, session: Session<'_>) -> Result<Declared, CommandError> {
    let present = session.environment.clock.now();
    check_is_root(&session.common.config)?;
    let roster = read(&session.common.config, present)?;
    let at = at.map(|text| moment("--at", text, &roster)).transpose()?;
    let now = at.as_ref().map_or(present, |moment| moment.at);
    Ok(Declared { desired: roster.resolve_at(now), roster, now, present, at })
}

/// Reads the files and checks that no acknowledgment expires more than `LONGEST_ACKNOWLEDGMENT` after `present`.
pub(super) fn read(config: &Path, present: Timestamp) -> Result<Roster, Problems> {
    let roster = Roster::read(config)?;
    let problems = roster.overlong_acknowledgments(present);
    if problems.is_empty() { Ok(roster) } else { Err(Problems::new(roster.sources, problems)) }
}

/// Applies `read` to each path and collects the problems of all files.
pub(super) fn read_each<T>(
    paths: &[PathBuf],
    read: impl Fn(&Path) -> Result<T, Problems>,
) -> Result<Vec<T>, Problems> {
    let mut all = Vec::new();
    let mut problems: Option<Problems> = None;
    for path in paths {
        match (read(path), &mut problems) {
            (Ok(one), _) => all.push(one),
            (Err(found), Some(problems)) => problems.append(found),
            (Err(found), None) => problems = Some(found),
        }
    }
    problems.map_or(Ok(all), Err)
}

/// Replaces the help for a missing file. The usual help suggests `--config`, which is wrong if a command's files are arguments.
pub(super) fn with_help_for_missing(mut problems: Problems, help: &str) -> Problems {
    let missing = problems.list.iter_mut().filter(|problem| problem.code == RosterCode::FileMissing.as_str());
    missing.for_each(|problem| problem.help = Some(help.to_owned()));
    problems
}

/// Reads the files if there is a config, for commands that also work without one.
pub(super) fn read_if_there(session: Session<'_>) -> Result<Option<Roster>, Problems> {
    let Session { common, environment } = session;
    has_config(common).then(|| read(&common.config, environment.clock.now())).transpose()
}

/// Returns `true` if the search found a config, or if the user named one, even if that file doesn't exist.
pub(super) fn has_config(common: &Common) -> bool {
    matches!(common.origin, ConfigOrigin::Named | ConfigOrigin::Variable)
        || common.config.try_exists().unwrap_or(true)
}

/// Parses the value of `flag`. A time without an offset is interpreted in the time zone that the root file sets.
pub(super) fn moment(flag: &str, text: &str, roster: &Roster) -> Result<Moment, CommandError> {
    Moment::parse(text, &roster.timezone).map_err(|why| {
        let problem = Problem::new(CommandCode::BadTime, format!("{flag} {} {why}", Printable::cut(text, 60)));
        CommandError::usage(problem.help("write a date (2026-12-20), a local date-time (2026-12-20T08:00:00), or one with an offset (2026-12-20T08:00:00+01:00)"))
    })
}

/// Resolves the arguments of `--only` to declared addresses.
pub(super) fn only(written: &[String], declared: &Declared) -> Result<Vec<Email>, Problems> {
    let mut problems = Vec::new();
    let mut emails = Vec::new();
    let known =
        LazyCell::new(|| Addresses::new(declared.desired.people.iter().map(|person| &person.email.value)));
    for written in written {
        let email = Email::observed(written.trim());
        if let Ok(at) = declared.desired.people.binary_search_by(|person| person.email.value.cmp(&email)) {
            emails.push(declared.desired.people[at].email.value.clone());
            continue;
        }
        let problem = Problem::new(
            plan::PlanCode::OnlyUnknown,
            format!("no file declares {}", Printable::cut(written, words::LONGEST_ADDRESS)),
        );
        problems.push(match known.near(&email) {
            // The declared address could be the typo.
            Some(near) => problem.help(format!(
                "the files declare {}, which is similar: pass that address to --only, or correct it in the files if it is a typo",
                words::address(&near)
            )),
            None => problem.help("--only takes an address that is declared in the files"),
        });
    }
    if problems.is_empty() {
        Ok(emails)
    } else {
        Err(Problems::new(declared.roster.sources.clone(), problems))
    }
}

/// If the files declare no people and nothing else to check against Pylon, returns a report that says so. The caller can then
/// skip the connection.
pub(super) fn without_people(declared: &Declared, common: &Common) -> Option<Body> {
    let Roster { people, workspace, guardrails, .. } = &declared.roster;
    let asks = !people.is_empty()
        || workspace.organization.is_some()
        || guardrails.unmanaged == Unmanaged::Block
        || !guardrails.role_rules.is_empty();
    let file = Printable::path(&common.config);
    (!asks).then_some(Body::NoPeople { file, declared: 0 })
}
