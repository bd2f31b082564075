//! Sentences that several formats share, so that a figure reads the same everywhere.

use std::collections::BTreeSet;

use super::comparison_report::{ComparisonReport, People};
use super::plan_report::{ActorLine, AuditLogLine, BlameLine, EntryKind, PlanReport};
use crate::adoption::Why as NotWritten;
use crate::apply::outcome::NotAttempted;
use crate::apply::rollback::Why;
use crate::apply::{Outcome, Stop};
use crate::comparison::Subject;
use crate::desired::Origin;
use crate::observed::{RoleCatalogue, RoleId};
use crate::plan::Lost;
use crate::plan::guardrails::{Figure, RoleFloor, Verdict};
use crate::printable::Printable;
use crate::pylon::inquiry::Unread;
use crate::pylon::{Class, Failure, Trouble};
use crate::roster::Email;
use crate::toml_text;

/// `1 change`, `2 changes`.
pub fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

/// A change of one value. Between two that run from right to left an arrow runs so too, and they would change places where
/// they are shown (a terminal that reorders, an annotation): a word that runs from left to right holds them apart.
pub fn change(before: &str, after: &str) -> String {
    let arrow = if before.chars().any(runs_leftwards) { "→ to" } else { "→" };
    format!("{before} {arrow} {after}")
}

/// The blocks whose letters run from right to left (UAX #9, the defaults of `R` and `AL`).
fn runs_leftwards(char: char) -> bool {
    matches!(char, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

/// What makes a difference between two versions weighty.
pub const WEIGHTY: &str = "kept roles, guardrails, policy, accepted risks, the pin";

/// How many files are valid, and how many people they declare.
pub fn valid(files: usize, declared: usize) -> String {
    let (files, people) = (count(files, "file", "files"), count(declared, "person", "people"));
    format!("{files}, {people} declared: valid")
}

/// How much comes by itself.
pub fn agenda(transitions: usize, windows: usize) -> String {
    match transitions {
        0 => "nothing comes by itself".to_owned(),
        _ => {
            format!(
                "{} in {}",
                count(transitions, "transition", "transitions"),
                count(windows, "window", "windows")
            )
        }
    }
}

/// What is declared about, as a file would name it.
pub fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Workspace => "[workspace]".into(),
        Subject::Policy => "[policy]".into(),
        Subject::Guardrails => "[guardrails]".into(),
        Subject::Acknowledgement { guardrail, of, number: _ } if of.is_empty() => {
            format!("[[acknowledge]] {guardrail}")
        }
        Subject::Acknowledgement { guardrail, of, number: _ } => {
            format!("[[acknowledge]] {guardrail} of {of}")
        }
        Subject::Files => "the files".into(),
        Subject::Person(email) => email.to_string(),
    }
}

/// What a comparison comes to, in the few words of a title.
pub fn differing(report: &ComparisonReport) -> String {
    let People { added, removed, changed } = report.people();
    let (people, settings) = (added + removed + changed, report.settings().count());
    let people = (people > 0).then(|| count(people, "person", "people"));
    let settings = (settings > 0).then(|| count(settings, "setting", "settings"));
    let parts: Vec<String> = people.into_iter().chain(settings).collect();
    if parts.is_empty() {
        "both declare the same".into()
    } else {
        format!("{} declared differently", parts.join(" and "))
    }
}

/// How many of what differ, for the one line that sums a comparison up.
pub fn comparison(report: &ComparisonReport) -> Vec<String> {
    let People { added, removed, changed } = report.people();
    let settings = report.settings().count();
    let of = |number: usize, what: &str| (number > 0).then(|| format!("{number} {what}"));
    let parts = [
        of(changed, "declared differently"),
        of(added, "newly declared"),
        of(removed, "no longer declared"),
        (settings > 0).then(|| count(settings, "setting for everybody", "settings for everybody")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { vec!["both declare the same".into()] } else { parts }
}

/// What a plan comes to, in the few words of a title.
pub fn verdict(report: &PlanReport) -> String {
    let refused: BTreeSet<&str> = report
        .guardrails
        .iter()
        .filter(|line| line.verdict == Verdict::Refused)
        .map(|line| line.guardrail.as_str())
        .collect();
    if !refused.is_empty() {
        return format!("refused by {}", refused.into_iter().collect::<Vec<_>>().join(", "));
    }
    let changes = report.changes().count();
    if report.result.is_none() {
        return if changes == 0 { "nothing to change".into() } else { format!("{changes} to change") };
    }
    let in_force = report.outcomes().filter(|outcome| outcome.is_in_force()).count();
    if in_force == changes {
        format!("{} in force", count(changes, "change", "changes"))
    } else {
        format!("{in_force} of {} in force", count(changes, "change", "changes"))
    }
}

/// The holders of a role: `Admins`. Only names that take an s in English are given one.
fn holders(role: &str, number: u64) -> String {
    let takes_s = role.ends_with(|last: char| last.is_ascii_lowercase() && !"sxz".contains(last));
    if takes_s && number != 1 { format!("{role}s") } else { role.to_owned() }
}

fn was(before: u64, after: u64) -> String {
    if after < before { format!(" of {before}") } else { String::new() }
}

/// How many of what, for the one line that sums a plan up.
pub fn summary(report: &PlanReport) -> Vec<String> {
    let mut parts = Vec::new();
    let fields = |name: &str| {
        report.changes().flat_map(|(_, _, edits, _)| edits).filter(|edit| edit.field == name).count()
    };
    let kinds =
        |wanted: fn(&EntryKind) -> bool| report.entries.iter().filter(|entry| wanted(&entry.kind)).count();
    let changes = report.changes().count();
    if report.result.is_some() {
        for name in Outcome::NAMES {
            let number = report.outcomes().filter(|outcome| outcome.as_str() == name).count();
            parts.extend((number > 0).then(|| format!("{number} {name}")));
        }
    } else if changes > 0 {
        let (roles, statuses) = (fields("role"), fields("status"));
        let roles = (roles > 0).then(|| count(roles, "role", "roles"));
        let statuses = (statuses > 0).then(|| count(statuses, "status", "statuses"));
        let both: Vec<String> = roles.into_iter().chain(statuses).collect();
        parts.push(format!("{changes} to change ({})", both.join(", ")));
    } else {
        parts.push("nothing to change".into());
    }
    match report.takeback {
        None => parts.push(format!("{} in step", report.in_step)),
        Some(_) if report.in_step == 0 => {}
        Some(_) => parts.push(format!("{} as before already", report.in_step)),
    }
    parts.extend(
        (report.meanwhile > 0).then(|| format!("{} of them since the plan was saved", report.meanwhile)),
    );
    let observed = kinds(|kind| matches!(kind, EntryKind::Observed { .. }));
    parts.extend((observed > 0).then(|| format!("{observed} observed")));
    let missing = kinds(|kind| matches!(kind, EntryKind::Missing { .. }));
    parts.extend((missing > 0).then(|| format!("{missing} not in Pylon")));
    let deactivated = kinds(|kind| matches!(kind, EntryKind::Deactivated { .. }));
    parts.extend((deactivated > 0).then(|| format!("{deactivated} deactivated in Pylon")));
    parts.extend(
        (!report.undeclared.is_empty())
            .then(|| format!("{} in Pylon declared nowhere", report.undeclared.len())),
    );
    parts
}

/// A guardrail's figure and limit in a few words. `label` names a role.
pub fn figure(figure: &Figure, label: &dyn Fn(&RoleId) -> String) -> String {
    match figure {
        Figure::Changes { changed, declared, limit } => {
            format!("{changed} of {declared} change (limit {limit})")
        }
        Figure::Holders(RoleFloor { role, floor, before, after }) => {
            let was = was(*before, *after);
            let verb = if *after == 1 { "remains" } else { "remain" };
            format!("{after}{was} {} {verb} (floor {floor})", holders(&label(role), *before.max(after)))
        }
        Figure::Active { before, after, floor } => {
            let was = was(*before, *after);
            format!("{after}{was} active remain (floor {floor})")
        }
        Figure::Protected(email) => {
            format!("{} is protected and would change", address(email))
        }
        Figure::ProtectedNobody(email) => {
            format!("{} is protected, and nobody in Pylon has this address", address(email))
        }
        Figure::NoKeptRole => {
            "no role has the slug `admin`, so nobody is kept; name the role in keep_at_least".into()
        }
        Figure::TokenOwner { email, role } => {
            format!("{}, whose token this is, would lose the role {}", address(email), label(role))
        }
        Figure::Unmanaged(count) => format!("{count} in Pylon declared nowhere"),
        Figure::Missing(count) => format!("{count} declared and not in Pylon"),
    }
}

/// What to do about a refusal: the narrowest thing that would let exactly this plan pass. Several lines, the last of
/// them TOML to copy.
pub fn remedy(figure: &Figure, written: &dyn Fn(&RoleId) -> String, expires: &str) -> String {
    let (first, keys) = match figure {
        Figure::Changes { changed, .. } => {
            (format!("apply with --max-changes {changed}, or "), vec![format!("up_to = {changed}")])
        }
        Figure::Holders(RoleFloor { role, after, .. }) => (
            String::new(),
            vec![format!("role = {}", toml_string(&written(role))), format!("down_to = {after}")],
        ),
        // Reported, never refused: there is nothing to acknowledge.
        Figure::ProtectedNobody(_) | Figure::NoKeptRole => return String::new(),
        Figure::Active { after, .. } => (String::new(), vec![format!("down_to = {after}")]),
        Figure::Protected(email) | Figure::TokenOwner { email, role: _ } => {
            (String::new(), vec![format!("user = {}", toml_string(email.as_str()))])
        }
        Figure::Unmanaged(count) => ("declare them, or ".into(), vec![format!("up_to = {count}")]),
        Figure::Missing(count) => ("correct or remove them, or ".into(), vec![format!("up_to = {count}")]),
    };
    let guardrail = figure.guardrail().as_str();
    let keys = keys.join("\n  ");
    format!(
        "If it is meant, {first}add this to the root file:\n  [[acknowledge]]\n  guardrail = \"{guardrail}\"\n  {keys}\n  \
         reason = \"\"  # why\n  expires = {expires}  # at most 30 days ahead"
    )
}

/// A text as TOML; one that is too long for any name is cut, so that no sentence is endless.
fn toml_string(text: &str) -> String {
    toml_text::quoted(Printable::cut(text, 300).raw())
}

/// Where a value comes from, where that is worth saying: `, default`, `, until 2027-01-03`.
pub fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Person => String::new(),
        Origin::Defaults => ", default".into(),
        Origin::Window { until, reason } => {
            let until = until.as_ref().map_or_else(
                || ", from a window".into(),
                |until| format!(", until {}", Printable::new(&until.written)),
            );
            let reason = reason
                .as_ref()
                .map_or_else(String::new, |reason| format!(" ({})", Printable::cut(reason, 60)));
            until + &reason
        }
        Origin::After { window } => format!(", after {}", window.as_str()),
        Origin::Rollback => ", as before the apply".into(),
    }
}

/// Where a value comes from, told in full.
pub fn whence(origin: &Origin) -> String {
    match origin {
        Origin::Person => "said of the person".into(),
        Origin::Defaults => "from [defaults] of the file".into(),
        Origin::Window { until, reason } => {
            let until = until.as_ref().map_or_else(
                || "from a window without an end".into(),
                |until| format!("from a window until {}", Printable::new(&until.written)),
            );
            let reason = reason
                .as_ref()
                .map_or_else(String::new, |reason| format!(" ({})", Printable::cut(reason, 60)));
            until + &reason
        }
        Origin::Rollback => "as before the apply".into(),
        Origin::After { window } => {
            format!("from `then`, for whoever still shows {} after the window", window.as_str())
        }
    }
}

/// Who brought a value about: `changed by Dana Reyes (dana@acme.example), 2026-08-20 14:02Z`.
pub fn blame(line: &BlameLine) -> String {
    let BlameLine { actor, source, action: _, at, old: _, new, is_outlived } = line;
    let short = |text: &Printable| text.short(LONGEST_NAME);
    // A token acts in the name of whoever made it: then it is an integration that has to be talked about.
    let through = if source.raw() == "api" { " through the API" } else { "" };
    let by = match actor {
        ActorLine::Person { id: _, name, email } if name.is_empty() => {
            format!("by {}{through}", short(email))
        }
        ActorLine::Person { id: _, name, email } => format!("by {} ({}){through}", short(name), short(email)),
        ActorLine::Id(id) => format!("by {}{through}", short(id)),
        ActorLine::Source(_) if !through.is_empty() => through.trim_start().to_owned(),
        ActorLine::Source(source) => format!("by {}", short(source)),
        ActorLine::Unknown => "by somebody unknown".to_owned(),
    };
    let when = at.strftime("%Y-%m-%d %H:%MZ");
    match new.as_ref().filter(|_| *is_outlived) {
        None => format!("changed {by}, {when}"),
        Some(new) => {
            format!(
                "changed to {} {by}, {when}, and by something that is not in the audit log since",
                short(new)
            )
        }
    }
}

/// Names in a sentence are shown up to so many characters; JSON has them whole.
const LONGEST_NAME: usize = 80;
/// No address that works is longer (RFC 5321).
pub const LONGEST_ADDRESS: usize = 254;

fn address(email: &Email) -> Printable {
    Printable::cut(email.as_str(), LONGEST_ADDRESS)
}

/// Whose plan or roles these are, short enough to be shown whole.
pub fn organization(name: &Printable, id: &Printable, place: &Printable) -> Printable {
    let short = |text: &Printable| text.short(LONGEST_NAME);
    Printable::new(&format!("{} ({}, {})", short(name), short(id), short(place)))
}

/// Of what the audit log does not say who changed it, and why, where there is such a thing: a sentence, and perhaps text from
/// elsewhere.
pub fn audit_log(line: &AuditLogLine) -> Option<(String, Option<String>)> {
    let AuditLogLine { is_available, unread, edits, blamed } = line;
    let silent = edits.saturating_sub(*blamed);
    let of = format!("who changed {silent} of {}", count(*edits, "value", "values"));
    Some(match unread {
        None if silent == 0 => return None,
        None => (format!("The audit log does not say {of}"), None),
        Some(unread) if !is_available => ("Who changed it is not available".into(), Some(why_unread(unread))),
        // What has come is not in order, or it would be enough: then the newest may be among the rest.
        Some(unread) if silent == 0 => {
            ("Somebody else may have changed it since".into(), Some(why_unread(unread)))
        }
        Some(unread) => (format!("It is not known {of}"), Some(why_unread(unread))),
    })
}

/// Why the audit log was not read to its end.
pub fn why_unread(unread: &Unread) -> String {
    match unread {
        Unread::Failed(failure) if is_not_allowed(failure) => {
            format!("the organisation's plan or the token does not allow it: {}", failure.line())
        }
        Unread::Failed(failure) => failure.line(),
        Unread::Circle => "the audit log leads from page to page in a circle".into(),
        Unread::Enough(pages) => format!("the audit log is long, and was read for {pages} pages"),
        Unread::TooSlow(longest) => format!("the audit log was not read within {} s", longest.as_secs()),
    }
}

fn is_not_allowed(failure: &Failure) -> bool {
    matches!(&failure.trouble, Trouble::Refused(refusal) if matches!(refusal.status, 403 | 404))
}

/// What came of a change, with why where that is known.
pub fn outcome(outcome: &Outcome) -> String {
    let name = outcome.as_str();
    match outcome {
        Outcome::Applied => name.into(),
        Outcome::AlreadyInStep => format!("{name}: somebody else was faster, nothing was sent"),
        Outcome::NotEffective => {
            format!("{name}: Pylon accepted it and still shows another value; a SCIM group may decide this")
        }
        Outcome::ChangedAgain => format!(
            "{name}: it was in force and then was not; support hours, a calendar or a colleague set another value"
        ),
        Outcome::Stale => format!("{name}: somebody else has set another value since the plan; left alone"),
        // It was in doubt and was looked at: Pylon did not hold it, and it was not sent again.
        Outcome::Rejected(failure) if failure.class() == Class::Ambiguous => {
            format!("{name}: read afterwards and unchanged, not sent again; {}", failure.line())
        }
        Outcome::Rejected(failure) => format!("{name}: {}", failure.line()),
        Outcome::Unclear(Some(failure)) => format!("{name}, it may be in force: {}", failure.line()),
        Outcome::Unclear(None) => format!("{name}, it may be in force: the answer was not waited for"),
        Outcome::NotAttempted(NotAttempted::Stopped) => name.into(),
        Outcome::NotAttempted(NotAttempted::Unreachable(failure)) => format!("{name}: {}", failure.line()),
        Outcome::NotAttempted(NotAttempted::KeptRole) => {
            format!("{name}: a gain before it failed, and too few would have kept the role")
        }
    }
}

/// Why a value is not written into the files.
pub fn not_written(field: &str, why: &NotWritten, roles: &RoleCatalogue) -> String {
    match why {
        NotWritten::Window(Some(until)) => {
            format!(
                "{field}: a window holds until {}; the live value is not written",
                Printable::cut(until, 60)
            )
        }
        NotWritten::Window(None) => format!("{field}: a window says it; the live value is not written"),
        NotWritten::Undeclarable(held) if held.is_empty() => {
            format!("{field}: none is assigned in Pylon, which no file can declare")
        }
        NotWritten::Undeclarable(held) => {
            let held: Vec<String> = held
                .iter()
                .map(|role| Printable::cut(&roles.label(role), LONGEST_NAME).to_string())
                .collect();
            format!("{field}: several are assigned in Pylon ({}), which no file can declare", held.join(", "))
        }
        NotWritten::UnknownStatus(status) if status.is_empty() => {
            format!("{field}: none is set in Pylon, which no file can declare")
        }
        NotWritten::UnknownStatus(status) => {
            format!("{field}: Pylon shows {}, which no file can declare", Printable::cut(status, 60))
        }
        NotWritten::Address => format!(
            "{field}: these files may not hold this address (allow_unicode_emails lets them hold those outside ASCII)"
        ),
        NotWritten::Refused(refused) => Printable::new(&refused.to_string()).to_string(),
    }
}

/// What `fmt` comes to.
pub fn formatted(changed: usize, files: usize, is_dry: bool) -> String {
    let all = count(files, "file", "files");
    match (changed, is_dry) {
        (0, _) if files == 1 => format!("{all} as it should be"),
        (0, _) => format!("{all} as they should be"),
        (_, true) => format!("{changed} of {all} would be formatted"),
        (_, false) => format!("{changed} of {all} formatted"),
    }
}

/// What a first `import` comes to.
pub fn imported(declared: usize, left: usize, is_dry: bool) -> String {
    let would = if is_dry { " would be" } else { "" };
    let people = count(declared, "person", "people");
    let left = if left == 0 { String::new() } else { format!(" · {left} not written") };
    format!("{people}{would} declared{left}")
}

/// What an `import --update` comes to.
pub fn updated(changed: usize, added: usize, left: usize, undeclared: usize, is_dry: bool) -> String {
    let would = if is_dry { "would be " } else { "" };
    let mut parts = Vec::new();
    parts.extend((changed > 0).then(|| format!("{} {would}taken over", count(changed, "person", "people"))));
    parts.extend((added > 0).then(|| format!("{added} {would}added")));
    if parts.is_empty() {
        parts.push("nothing to take over".into());
    }
    parts.extend((left > 0).then(|| format!("{left} not written")));
    parts.extend(
        (undeclared > 0).then(|| format!("{undeclared} in Pylon declared nowhere (--into FILE adds them)")),
    );
    parts.join(" · ")
}

/// Why something is not taken back. `label` names a role, in whatever characters.
pub fn left(why: &Why, label: &dyn Fn(&RoleId) -> String) -> String {
    let label = |role: &RoleId| Printable::cut(&label(role), LONGEST_NAME).to_string();
    match why {
        Why::ChangedSince { field } => format!("{field}: somebody has set another value since; left alone"),
        Why::Lost(Lost::NoRole) => {
            "role: none was assigned before, and no PATCH takes the last one away".into()
        }
        Why::Lost(Lost::SeveralRoles(roles)) => {
            let roles: Vec<String> = roles.iter().map(&label).collect();
            format!(
                "role: several were assigned before ({}), and a PATCH assigns exactly one",
                roles.join(", ")
            )
        }
        Why::Lost(Lost::Status(status)) if status.is_empty() => {
            "status: there was none before, and no PATCH takes one away".into()
        }
        Why::Lost(Lost::Status(status)) => {
            format!(
                "status: it was {} before, which Pylon shows and does not accept",
                Printable::cut(status, 60)
            )
        }
        Why::RoleGone(role) => format!("role: the organisation no longer has {}", label(role)),
        Why::NotThere => "not in Pylon any more, or deactivated there".into(),
    }
}

/// Why an apply ended early.
pub fn stop(stop: &Stop) -> String {
    match stop {
        Stop::Signal(number) => match number {
            1 => "stopped by SIGHUP".into(),
            2 => "stopped by SIGINT".into(),
            15 => "stopped by SIGTERM".into(),
            other => format!("stopped by signal {other}"),
        },
        Stop::Fatal(failure) => format!("stopped, since nothing more would go through: {}", failure.line()),
        Stop::Forbidden(failure) => format!("stopped after three refusals in a row: {}", failure.line()),
        Stop::Journal(why) => {
            format!("stopped, since the journal cannot be written: {}", Printable::cut(why, 200))
        }
        Stop::Silence => "stopped, since nothing has succeeded for five minutes".into(),
        Stop::LongPause(failure) => {
            format!("stopped, since Pylon asks for a pause of more than five minutes: {}", failure.line())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pretty_assertions::assert_eq;

    use super::*;
    use crate::pylon::failure::Refusal;

    #[test]
    fn what_runs_from_right_to_left_does_not_change_places() {
        assert_eq!(change("Viewer", "Admin"), "Viewer → Admin");
        assert_eq!(change("Viewer", "אדמין"), "Viewer → אדמין");
        assert_eq!(change("שלום", "אדמין"), "שלום → to אדמין");
        assert_eq!(change("\"مدير 2\"", "3"), "\"مدير 2\" → to 3");
    }

    #[test]
    fn who_changed_it_is_said_as_far_as_it_is_known() {
        let shown = |text: &str| Printable::new(text);
        let dana = |name: &str| ActorLine::Person {
            id: shown("u_dana"),
            name: shown(name),
            email: shown("dana@acme.example"),
        };
        for (actor, source, expected) in [
            (dana("Dana Reyes"), "app", "by Dana Reyes (dana@acme.example)"),
            (dana(""), "", "by dana@acme.example"),
            (dana("Dana Reyes"), "api", "by Dana Reyes (dana@acme.example) through the API"),
            (ActorLine::Id(shown("u_\u{1b}gone")), "app", "by u_\\u{1b}gone"),
            (ActorLine::Source(shown("schedule")), "schedule", "by schedule"),
            (ActorLine::Source(shown("api")), "api", "through the API"),
            (ActorLine::Unknown, "", "by somebody unknown"),
        ] {
            let line = BlameLine {
                actor,
                source: shown(source),
                action: shown("UserRoleChanged"),
                at: "2026-08-20T16:02:59+02:00".parse().unwrap(),
                old: None,
                new: Some(shown("Admin")),
                is_outlived: false,
            };
            assert_eq!(blame(&line), format!("changed {expected}, 2026-08-20 14:02Z"));
            let outlived = BlameLine { is_outlived: true, ..line };
            let since = "and by something that is not in the audit log since";
            assert_eq!(blame(&outlived), format!("changed to Admin {expected}, 2026-08-20 14:02Z, {since}"));
        }
    }

    #[test]
    fn what_the_audit_log_does_not_say_is_one_line() {
        let failed = |status: u16| {
            let refusal = Refusal { status, ..Refusal::default() };
            let asked = "POST /audit-logs/search".to_owned();
            Some(Unread::Failed(Failure { asked, trouble: Trouble::Refused(refusal) }))
        };
        let slow = Some(Unread::TooSlow(Duration::from_secs(120)));
        for (is_available, unread, blamed, expected) in [
            (true, None, 3, None),
            (true, None, 1, Some("The audit log does not say who changed 2 of 3 values")),
            (
                true,
                slow.clone(),
                1,
                Some("It is not known who changed 2 of 3 values: the audit log was not read within 120 s"),
            ),
            (
                true,
                Some(Unread::Enough(30)),
                3,
                Some(
                    "Somebody else may have changed it since: the audit log is long, and was read for 30 pages",
                ),
            ),
            (
                true,
                Some(Unread::Circle),
                0,
                Some(
                    "It is not known who changed 3 of 3 values: the audit log leads from page to page in a circle",
                ),
            ),
            (
                false,
                failed(404),
                0,
                Some(
                    "Who changed it is not available: the organisation's plan or the token does not allow it: POST /audit-logs/search was answered with 404",
                ),
            ),
            (
                false,
                failed(500),
                0,
                Some("Who changed it is not available: POST /audit-logs/search was answered with 500"),
            ),
        ] {
            let line = audit_log(&AuditLogLine { is_available, unread, edits: 3, blamed });
            let line =
                line.map(|(what, why)| why.map_or_else(|| what.clone(), |why| format!("{what}: {why}")));
            assert_eq!(line.as_deref(), expected);
        }
    }
}
