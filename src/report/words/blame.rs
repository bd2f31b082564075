//! Messages about who changed a value, according to the audit log.

use super::{LONGEST_NAME, count, full_address};
use crate::clock::minute;
use crate::printable::Printable;
use crate::pylon::inquiry::CutShort;
use crate::pylon::{Failure, FailureCause};
use crate::report::facts::plan::{AuditLogLine, BlameLine};

/// Formats who set a value and when: `set by Dana Reyes (dana@acme.example), 2026-08-20 14:02Z`.
pub fn blame(line: &BlameLine) -> String {
    let BlameLine { actor_id, actor_name, actor_email, source, action: _, at, old: _, new, outdated } = line;
    let short = |text: &Printable| text.short(LONGEST_NAME);
    // Mention the API because the log names the token's creator even if an integration made the change.
    let is_api = source.as_ref().is_some_and(|source| source.raw() == "api");
    let through = if is_api { " through the API" } else { "" };
    let by = match (actor_name, actor_email.as_ref().or(actor_id.as_ref()), source) {
        (Some(name), Some(email), _) if !name.is_empty() => {
            format!("by {} ({}){through}", short(name), full_address(email))
        }
        (_, Some(email_or_id), _) => format!("by {}{through}", full_address(email_or_id)),
        (_, None, Some(_)) if is_api => "through the API".to_owned(),
        (_, None, Some(source)) => format!("by {}", short(source)),
        (_, None, None) => "by an unknown user".to_owned(),
    };
    let when = minute(*at);
    match new {
        Some(new) if *outdated => {
            format!("set to {} {by}, {when}; a later change is not in the audit log", short(new))
        }
        _ => format!("set {by}, {when}"),
    }
}

/// Describes what the audit log doesn't reveal, along with the reason, which can contain untrusted text. Returns `None` if
/// the log was read to the end and has an entry for every value.
pub fn audit_log(line: &AuditLogLine) -> Option<(String, Option<String>)> {
    let AuditLogLine { available, complete: _, reason, edits, blamed } = line;
    let silent = edits.saturating_sub(*blamed);
    let of = format!("who changed {silent} of {}", count(*edits, "value", "values"));
    let what = match reason {
        None if silent == 0 => return None,
        None => format!("The audit log does not show {of}"),
        Some(_) if !available => "The audit log is not available".into(),
        // The log isn't always sorted, so the newest entry might be in the unread part.
        Some(_) if silent == 0 => "Someone else may have changed these values since then".into(),
        Some(_) => format!("Cannot tell {of}"),
    };
    Some((what, reason.as_ref().map(Printable::to_string)))
}

/// Explains why the audit log wasn't read to the end.
pub fn why_unread(unread: &CutShort) -> String {
    match unread {
        CutShort::Failed(failure) if is_not_allowed(failure) => {
            format!(
                "the organization's Pylon subscription or the token does not allow it: {}",
                failure.line()
            )
        }
        CutShort::Failed(failure) => failure.line(),
        CutShort::Circle => "the pages of the audit log form a loop".into(),
        CutShort::Enough(pages) => format!("only the first {pages} pages of the audit log were read"),
        CutShort::TooSlow(longest) => {
            format!("the audit log could not be read within {} s", longest.as_secs())
        }
    }
}

fn is_not_allowed(failure: &Failure) -> bool {
    matches!(&failure.cause, FailureCause::Refused(refusal) if matches!(refusal.status, 403 | 404) && refusal.intermediary.is_none())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pretty_assertions::assert_eq;

    use super::*;
    use crate::pylon::failure::Refusal;

    #[test]
    fn blame_names_the_actor_as_far_as_it_is_known() {
        let shown = |text: &str| Printable::new(text);
        let dana = |name: &str| (Some(shown("u_dana")), Some(shown(name)), Some(shown("dana@acme.example")));
        for (actor, source, expected) in [
            (dana("Dana Reyes"), "app", "by Dana Reyes (dana@acme.example)"),
            (dana(""), "", "by dana@acme.example"),
            (dana("Dana Reyes"), "api", "by Dana Reyes (dana@acme.example) through the API"),
            ((Some(shown("u_\u{1b}gone")), None, None), "app", "by u_\\u{1b}gone"),
            ((None, None, None), "schedule", "by schedule"),
            ((None, None, None), "api", "through the API"),
            ((None, None, None), "", "by an unknown user"),
        ] {
            let (actor_id, actor_name, actor_email) = actor;
            let line = BlameLine {
                actor_id,
                actor_name,
                actor_email,
                source: Some(shown(source)).filter(|source| !source.is_empty()),
                action: shown("UserRoleChanged"),
                at: "2026-08-20T16:02:59+02:00".parse().unwrap(),
                old: None,
                new: Some(shown("Admin")),
                outdated: false,
            };
            assert_eq!(blame(&line), format!("set {expected}, 2026-08-20 14:02Z"));
            let outdated = BlameLine { outdated: true, ..line };
            let since = "a later change is not in the audit log";
            assert_eq!(blame(&outdated), format!("set to Admin {expected}, 2026-08-20 14:02Z; {since}"));
        }
    }

    #[test]
    fn gaps_of_the_audit_log_are_reported_in_one_line() {
        let failed = |status: u16| {
            let refusal = Refusal { status, ..Refusal::default() };
            let asked = "POST /audit-logs/search".to_owned();
            Some(CutShort::Failed(Failure { asked, cause: refusal.into(), request_id: None }))
        };
        let slow = Some(CutShort::TooSlow(Duration::from_secs(120)));
        for (available, unread, blamed, expected) in [
            (true, None, 3, None),
            (true, None, 1, Some("The audit log does not show who changed 2 of 3 values")),
            (
                true,
                slow.clone(),
                1,
                Some("Cannot tell who changed 2 of 3 values: the audit log could not be read within 120 s"),
            ),
            (
                true,
                Some(CutShort::Enough(30)),
                3,
                Some(
                    "Someone else may have changed these values since then: only the first 30 pages of the audit log were read",
                ),
            ),
            (
                true,
                Some(CutShort::Circle),
                0,
                Some("Cannot tell who changed 3 of 3 values: the pages of the audit log form a loop"),
            ),
            (
                false,
                failed(404),
                0,
                Some(
                    "The audit log is not available: the organization's Pylon subscription or the token does not allow it: POST /audit-logs/search returned 404",
                ),
            ),
            (
                false,
                failed(500),
                0,
                Some("The audit log is not available: POST /audit-logs/search returned 500"),
            ),
        ] {
            let (complete, reason) =
                (unread.is_none(), unread.as_ref().map(|unread| Printable::new(&why_unread(unread))));
            let line = audit_log(&AuditLogLine { available, complete, reason, edits: 3, blamed });
            let line =
                line.map(|(what, why)| why.map_or_else(|| what.clone(), |why| format!("{what}: {why}")));
            assert_eq!(line.as_deref(), expected);
        }
    }
}
