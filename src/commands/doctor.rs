//! `doctor`: checks everything a run depends on. After a failed check, it continues with any checks that can still run. The first
//! request isn't retried, so an unavailable server is reported right away.

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::connection::{self, Connection};
use super::files::{has_config, read};
use super::locate::check_is_root;
use super::{CommandError, Done, Environment, Session, block_on, folder, journals};
use crate::apply::OutcomeKind;
use crate::apply::journal::{self, Ending, JournalLine};
use crate::cli::ConnectionArgs;
use crate::clock::minute;
use crate::exit::Exit;
use crate::invocation::{path_word, quoted};
use crate::observed::ObservedState;
use crate::own_folder::{self, UntrustedFile};
use crate::printable::Printable;
use crate::problem::Problems;
use crate::pylon::network::{Direct, Route};
use crate::pylon::request::{Attempt, Identity, Me};
use crate::pylon::roots::{Roots, RootsSource};
use crate::report::facts::doctor::{Check, DoctorReport};
use crate::report::tables::Mark;
use crate::report::{Body, words};
use crate::roster::{Field, Roster};
use crate::toml_text;

/// The maximum difference between this machine's clock and Pylon's that passes the check. With a larger difference, windows begin
/// and end noticeably too early or too late.
const CLOCK: SignedDuration = SignedDuration::from_secs(30);
/// If the last apply is older than this, the report warns that a pipeline may have stopped running.
const SILENCE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The maximum length of an error message or a remedy in the report, in characters.
const SENTENCE: usize = 300;

pub(super) fn run(asked: &ConnectionArgs, session: Session<'_>) -> Done {
    let (files, roster) = files(session);
    let mut report = DoctorReport { checks: vec![files] };
    let selects_host = asked.region.is_some() || asked.base_url.as_ref().is_some_and(|url| !url.is_empty());
    if roster.is_none() && !selects_host && !asked.sandbox {
        // The files may pin a region, in which case the token must not be sent to another one.
        let skipped =
            "skipped, because the files are invalid and may pin a region: fix them, or pass --region";
        report.checks.push(Check::unknown("Pylon", skipped));
    } else {
        report.checks.extend(connected(roster.as_ref(), asked, session)?);
    }
    report.checks.push(journal_folder(folder(&session.common.config)));
    report.checks.push(last_apply(folder(&session.common.config), asked, session.environment.clock.now()));
    let exit = if report.has_failed() { Exit::Failed } else { Exit::Done };
    Ok((Body::Doctor(Box::new(report)), exit))
}

/// Checks that the network settings work, that Pylon accepts the token, and that the organization matches the files. `declared`
/// is `None` if the files are invalid.
fn connected(
    declared: Option<&Roster>,
    asked: &ConnectionArgs,
    session: Session<'_>,
) -> Result<Vec<Check>, CommandError> {
    let no_roster = Roster::default();
    let roster = declared.unwrap_or(&no_roster);
    let mut checks = network(roster, asked, session.environment);
    let is_blocked = checks.iter().any(|check| check.mark == Mark::Bad);
    block_on(async {
        match Connection::open(roster, asked, session).await {
            // The network checks have already reported the cause.
            Err(_) if is_blocked => {
                checks.push(Check::unknown("Pylon", "skipped because of the problems above"));
            }
            Err(problems) => checks.push(failed("token and host", &problems)),
            Ok(connection) => {
                checks
                    .push(Check::good("token and host", format!("found a token for {}", connection.host())));
                checks.extend(pylon(&connection, declared, session.environment).await);
                connection.close().await?;
            }
        }
        Ok(checks)
    })
}

/// Returns a failed check that reports the first problem.
fn failed(name: &'static str, Problems { sources, list }: &Problems) -> Check {
    let first = list.first();
    let sentence = |text: Option<&str>| Printable::cut(text.unwrap_or_default(), SENTENCE).to_string();
    let message = sentence(first.map(|problem| problem.message.as_str()));
    let remedy = sentence(first.and_then(|problem| problem.help.as_deref()));
    let label = first.and_then(|problem| problem.labels.first());
    Check { location: label.map(|label| sources.locate(label.place)), ..Check::bad(name, message, remedy) }
}

/// Checks the files and returns the roster. The roster is empty if there are no files, and `None` if the files are invalid.
fn files(session: Session<'_>) -> (Check, Option<Roster>) {
    let name = Printable::path(&session.common.config);
    if !has_config(session.common) {
        let remedy = "run `rolecall import` to create it from your organization";
        return (
            Check::attention("files", format!("{name} does not exist"), remedy),
            Some(Roster::default()),
        );
    }
    if let Err(problem) = check_is_root(&session.common.config) {
        return (failed("files", &problem.into()), None);
    }
    match read(&session.common.config, session.environment.clock.now()) {
        Ok(roster) => {
            (Check::good("files", words::checked(roster.sources.len(), roster.people.len())), Some(roster))
        }
        Err(problems) => {
            let first = failed("files", &problems);
            let count = words::count(problems.list.len(), "problem", "problems");
            let found = format!("{count}, the first: {}", first.found);
            let remedy = "run `rolecall validate` to see all problems and their line numbers";
            (Check { location: first.location, ..Check::bad("files", found, remedy) }, None)
        }
    }
}

/// Checks the proxy and the certificates.
fn network(roster: &Roster, asked: &ConnectionArgs, environment: &Environment) -> Vec<Check> {
    let Some((route, roots)) = connection::network(roster, asked, environment) else {
        return Vec::new(); // opening the connection reports an invalid host
    };
    let route = route.map_or_else(|problem| failed("proxy", &problem.into()), |route| proxy(&route));
    let roots =
        roots.map_or_else(|problem| failed("certificates", &problem.into()), |roots| certificates(&roots));
    vec![route, roots]
}

/// Reports whether requests go through a proxy, and shows the proxy's address without its credentials.
fn proxy(route: &Route) -> Check {
    let found = match route {
        Route::Direct(Direct::Loopback) => "none: Pylon is on this machine".to_owned(),
        Route::Direct(Direct::NotSet) => "none: requests go directly to Pylon".to_owned(),
        Route::Direct(Direct::PlainOnly(variable)) => {
            format!("none: requests go directly to Pylon; {variable} is for plain http only")
        }
        Route::Direct(Direct::Excluded { proxy, by }) => {
            format!("none: requests go directly to Pylon; {by} excludes it from {proxy}")
        }
        Route::Proxy(proxy) => {
            let credentials = if proxy.has_credentials { ", with a user name" } else { "" };
            format!("{} (from {}{credentials})", Printable::cut(&proxy.address, 200), proxy.variable)
        }
    };
    Check::good("proxy", found)
}

fn certificates(roots: &Roots) -> Check {
    let name = "certificates";
    let given = match roots {
        Roots::NotNeeded => return Check::good(name, "not needed: plain http on this machine"),
        Roots::System => return Check::good(name, "this machine's trusted certificates"),
        Roots::Given(given) => given,
    };
    let of = |source: &RootsSource| {
        let path = Printable::path(&source.path);
        format!("{} from {} ({path})", source.certificates, source.variable)
    };
    let found = format!("only {}", given.sources.iter().map(of).collect::<Vec<_>>().join(", "));
    match given.sources.iter().find(|source| source.certificates == 0) {
        None => Check::good(name, found),
        Some(source) => {
            let remedy = format!("fix or unset {}: no certificate was loaded from it", source.variable);
            Check::attention(name, found, remedy)
        }
    }
}

/// Checks the connection, the clock, the rate limit, the organization, the people, and the roles.
async fn pylon(connection: &Connection, declared: Option<&Roster>, environment: &Environment) -> Vec<Check> {
    let before = environment.clock.elapsed();
    let attempt = connection.reader.read_once(&Me, 1).await;
    let took = environment.clock.elapsed().saturating_sub(before);
    let identity = match &attempt.result {
        Ok(identity) => identity,
        Err(failure) => return vec![failed("Pylon", &failure.problem(connection.reader.region()).into())],
    };
    let mut checks = vec![
        Check::good("Pylon", format!("responds in {} ms", took.as_millis())),
        clock(&attempt, took, environment),
        rate_limit(&attempt),
        organization(identity, declared, connection),
    ];
    if checks.iter().any(|check| check.mark == Mark::Bad) {
        checks.push(Check::unknown("people and roles", "skipped: the token is for another organization"));
        return checks;
    }
    match connection.observe(&Roster::default(), &[]).await {
        Ok(observation) => checks.extend(people(&observation.state, declared)),
        Err(problems) => checks.push(failed("people", &problems)),
    }
    checks
}

fn clock(attempt: &Attempt<Identity>, took: Duration, environment: &Environment) -> Check {
    if environment.clock.is_fixed() {
        return Check::unknown("clock", "not checked, because ROLECALL_NOW sets the time");
    }
    let Some(theirs) = attempt.date else {
        return Check::unknown("clock", "not checked, because Pylon did not send its time");
    };
    let off = off_by(environment.clock.now(), theirs, took);
    if off <= CLOCK {
        return Check::good("clock", format!("within {} s of Pylon's", CLOCK.as_secs()));
    }
    let remedy =
        "synchronize this machine's clock (NTP); it decides when windows and acknowledgments begin and end";
    Check::attention("clock", format!("{} s away from Pylon's", off.as_secs()), remedy)
}

/// Returns the difference between two clocks, minus what the round-trip time and the rounding to whole seconds can account for.
fn off_by(ours: Timestamp, theirs: Timestamp, took: Duration) -> SignedDuration {
    let slack = SignedDuration::try_from(took).unwrap_or_default() + SignedDuration::from_secs(1);
    (ours.duration_since(theirs).abs() - slack).max(SignedDuration::ZERO)
}

fn rate_limit(attempt: &Attempt<Identity>) -> Check {
    match attempt.remaining {
        None => Check::unknown("rate limit", "not checked, because Pylon does not report it"),
        Some(0) => {
            let remedy = "other integrations share this rate limit; an apply waits if it has to, and --rate slows it down";
            Check::attention("rate limit", "no reads left this minute", remedy)
        }
        Some(left) => Check::good("rate limit", format!("{left} reads left this minute")),
    }
}

/// Checks that the token belongs to the pinned organization.
fn organization(identity: &Identity, declared: Option<&Roster>, connection: &Connection) -> Check {
    let Identity { organization, user } = identity;
    let (name, id) = (Printable::cut(&organization.name, 80), Printable::cut(&organization.id, 80));
    let user = user.as_ref().map_or_else(
        || "the token belongs to no user".to_owned(),
        |user| format!("the token belongs to user {}", Printable::new(user.as_str())),
    );
    let found = format!("{name} ({id}); {user}");
    let Some(roster) = declared else {
        let found = format!("{found}; cannot check what the files pin, because they are invalid");
        return Check::unknown("organization", found);
    };
    match &roster.workspace.organization {
        Some(pin) if pin.value == organization.id => {
            Check::good("organization", format!("{found}; the files are pinned to it"))
        }
        Some(pin) => {
            let check = Check::bad(
                "organization",
                found,
                "the files are pinned to another organization; use a token for that organization, or correct the pinned organization",
            );
            Check { location: Some(roster.sources.locate(pin.place)), ..check }
        }
        None => {
            let region = connection
                .reader
                .region()
                .map_or_else(String::new, |region| format!("\nregion = \"{}\"", region.as_str()));
            let quoted = toml_text::quoted(Printable::cut(&organization.id, SENTENCE).raw());
            let remedy = format!(
                "pin the files to this organization, so that they are never applied to another one:\n[workspace]\norganization = {quoted}{region}"
            );
            Check::attention("organization", found, remedy)
        }
    }
}

fn people(state: &ObservedState, declared: Option<&Roster>) -> Vec<Check> {
    let active = state.people().filter(|person| !person.deactivated).count();
    let mut checks =
        vec![Check::good("people", format!("{} can be read", words::count(active, "person", "people")))];
    checks.push(match state.roles.admin() {
        Some(admin) => {
            let holders =
                state.people().filter(|person| !person.deactivated && person.holds(&admin.id)).count();
            let found = format!(
                "{}; {}",
                words::count(state.roles.iter().count(), "role", "roles"),
                words::count(holders, "administrator", "administrators")
            );
            if holders < 2 {
                Check::attention("roles", found, "make another person an administrator in Pylon, as a backup")
            } else {
                Check::good("roles", found)
            }
        }
        None => Check::attention(
            "roles",
            "no role has the slug `admin`, so no role is guarded by default",
            "name the administrators' role in keep_at_least: [guardrails] keep_at_least = { \"…\" = 2 }",
        ),
    });
    checks.extend(token_owner(state));
    checks.extend(declared.and_then(|roster| declared_roles(state, roster)));
    checks
}

/// Checks that an apply could write its journal and its lock.
fn journal_folder(folder: &Path) -> Check {
    let name = "journal";
    let path = folder.join(own_folder::NAME);
    let path = Printable::path(path.strip_prefix(".").unwrap_or(&path));
    match journals::check_writable(folder) {
        Ok(()) => Check::good(name, format!("{path} can be written")),
        Err(error) if UntrustedFile::is_reason_for(&error) => {
            let remedy = "an apply refuses to run until the file is deleted";
            Check::bad(name, Printable::cut(&error.to_string(), SENTENCE).to_string(), remedy)
        }
        Err(error) => {
            let remedy = "an apply needs this folder for its journal and lock: make it writable, or pass --journal with a file in another folder";
            Check::bad(name, format!("{path} cannot be written: {error}"), remedy)
        }
    }
}

/// Shows the token's owner. Pylon doesn't say what a token may do, so the owner's roles are the only hint that an apply may be
/// rejected.
fn token_owner(state: &ObservedState) -> Option<Check> {
    let owner = state.person(state.token_user.as_ref()?)?;
    let is_admin = state.roles.admin().is_none_or(|admin| owner.holds(&admin.id));
    let roles: Vec<String> =
        owner.held.role.all().map(|role| state.roles.value_label(Field::Role, role)).collect();
    let roles = if roles.is_empty() { "no role".to_owned() } else { roles.join(", ") };
    let found = format!("{} ({})", words::address(&owner.email), Printable::cut(&roles, 200));
    let remedy = "Pylon may reject changes by this user (403): use the token of an Admin for `apply`";
    let name = "token owner";
    Some(if is_admin { Check::good(name, found) } else { Check::attention(name, found, remedy) })
}

/// Checks that each role name in the files refers to exactly one role in Pylon, since planning would fail otherwise.
fn declared_roles(state: &ObservedState, roster: &Roster) -> Option<Check> {
    let mut unknown = roster.named_roles();
    unknown.retain(|name, _| state.roles.only(name).is_none());
    let place = unknown.values().flatten().min()?;
    let names: Vec<String> = unknown.keys().map(|name| Printable::cut(name, 60).to_string()).collect();
    let found = format!("the files name roles that do not exist or are ambiguous: {}", names.join(", "));
    let check = Check::bad("declared roles", found, "run `rolecall roles` to list all roles");
    Some(Check { location: Some(roster.sources.locate(*place)), ..check })
}

/// Checks the newest journal for the selected Pylon: whether the apply finished, whether it applied all changes, and when it ran.
fn last_apply(folder: &Path, asked: &ConnectionArgs, now: Timestamp) -> Check {
    let name = "last apply";
    let Some(newest) = journals::newest_for(folder, asked) else {
        return Check::unknown(name, "none recorded for this config (not counting runs with --journal)");
    };
    let is_running = journals::is_running(&newest);
    let unreadable = |why: &str| {
        let file = Printable::path(&newest);
        let remedy = "run `rolecall plan` to see the current state";
        Check::attention(name, format!("its journal {file} cannot be read: {why}"), remedy)
    };
    let lines = match journals::lines(&newest) {
        Ok(lines) => lines,
        Err(why) => return unreadable(&why.to_string()),
    };
    if let Some(why) = journal::problem(&lines)
        && !is_running
    {
        return unreadable(&why);
    }
    let ending = Ending::from_lines(&lines);
    let rollback = lines.iter().find_map(|line| match line {
        JournalLine::Begin { command, undoes, .. } if command == "rollback" => Some(undoes),
        _ => None,
    });
    let may_succeed = |left: &[OutcomeKind]| left.iter().any(|kind| kind.may_succeed_if_sent_again());
    let is_decided_elsewhere = matches!(&ending, Ending::Finished { left, .. } if !may_succeed(left));
    let again = if is_decided_elsewhere {
        "run `rolecall plan` to see the current state; something else sets these values, so applying again will not help".to_owned()
    } else if let Some(undoes) = rollback {
        // An apply would undo the rollback.
        let undone =
            journals::undone_by(&newest, undoes.as_deref()).map(|undone| quoted(&path_word(&undone)));
        let again = undone.map_or_else(
            || "run the rollback again with the same journal".to_owned(),
            |undone| format!("run `rolecall rollback {undone}` to continue the rollback"),
        );
        format!("{again}; it sends only the changes that are not applied yet")
    } else {
        "run `rolecall plan` to see the current state; `rolecall apply` sends only the changes that are not applied yet".into()
    };
    let name = if rollback.is_some() { "last rollback" } else { name };
    match ending {
        Ending::Unfinished if is_running => Check::unknown(name, "it is still running"),
        Ending::Unfinished => Check::attention(name, "it did not finish", again),
        Ending::Stopped(at) => Check::attention(name, format!("stopped early, {}", minute(at)), again),
        Ending::Finished { at, left } if !left.is_empty() => {
            let left = words::count(left.len(), "change", "changes");
            Check::attention(name, format!("{left} not applied, {}", minute(at)), again)
        }
        Ending::Finished { at, left: _ } if now.duration_since(at) > SILENCE => Check::attention(
            name,
            format!("more than 30 days ago, {}", minute(at)),
            "check that the pipeline still runs",
        ),
        Ending::Finished { at, left: _ } => {
            Check::good(name, format!("{} (not counting runs with --journal)", minute(at)))
        }
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn clock_difference_excludes_round_trip_and_rounding() {
        let noon: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let at = |seconds: i64| noon + SignedDuration::from_secs(seconds);
        for (ours, took, off) in
            [(0, 0, 0), (1, 0, 0), (31, 0, 30), (-31, 0, 30), (40, 30, 9), (86_400, 1, 86_398)]
        {
            assert_eq!(
                off_by(at(ours), noon, Duration::from_secs(took)),
                SignedDuration::from_secs(off),
                "{ours}"
            );
        }
    }
}
