//! Who changed what is out of step, and how far that is known.

use super::{LONGEST_NAME, count};
use crate::printable::Printable;
use crate::pylon::inquiry::CutShort;
use crate::pylon::{Cause, Failure};
use crate::report::facts::plan::{ActorLine, AuditLogLine, BlameLine};

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
pub fn why_unread(unread: &CutShort) -> String {
    match unread {
        CutShort::Failed(failure) if is_not_allowed(failure) => {
            format!("the organisation's plan or the token does not allow it: {}", failure.line())
        }
        CutShort::Failed(failure) => failure.line(),
        CutShort::Circle => "the audit log leads from page to page in a circle".into(),
        CutShort::Enough(pages) => format!("the audit log is long, and was read for {pages} pages"),
        CutShort::TooSlow(longest) => format!("the audit log was not read within {} s", longest.as_secs()),
    }
}

fn is_not_allowed(failure: &Failure) -> bool {
    matches!(&failure.cause, Cause::Refused(refusal) if matches!(refusal.status, 403 | 404) && refusal.intermediary.is_none())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pretty_assertions::assert_eq;

    use super::*;
    use crate::pylon::failure::Refusal;

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
            Some(CutShort::Failed(Failure { asked, cause: refusal.into(), request_id: None }))
        };
        let slow = Some(CutShort::TooSlow(Duration::from_secs(120)));
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
                Some(CutShort::Enough(30)),
                3,
                Some(
                    "Somebody else may have changed it since: the audit log is long, and was read for 30 pages",
                ),
            ),
            (
                true,
                Some(CutShort::Circle),
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
