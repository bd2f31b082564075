//! Messages about guardrails: the measured value with its limit, and how to get a blocked plan to pass.

use std::fmt::Display;

use jiff::{SignedDuration, Timestamp};

use super::address;
use crate::desired::LONGEST_ACKNOWLEDGMENT;
use crate::invocation::Invocation;
use crate::observed::RoleId;
use crate::plan::guardrails::{Figure, RoleCount, RuleViolation};
use crate::printable::Printable;
use crate::roster::Email;
use crate::toml_text;

/// Formats the value that a guardrail measured, along with its limit. `label` returns the name of a role.
pub fn figure(figure: &Figure, label: &dyn Fn(&RoleId) -> String) -> String {
    match figure {
        Figure::Changes { changed, declared, limit } => {
            format!("{changed} of {declared} change (limit {limit})")
        }
        Figure::AtLeast(count) => {
            let RoleCount { role, limit, before, after: _, during } = count;
            let worst = count.worst();
            let was = was(*before, worst);
            let of = *before.max(&worst);
            let verb = remain(worst, of);
            let during = if during.is_some() { " during the apply" } else { "" };
            format!("{worst}{was} {} {verb}{during} (minimum {limit})", holders(&label(role), of))
        }
        Figure::AtMost(RoleCount { role, limit, before, after, during }) => {
            let seats = match during {
                Some(during) => format!("up to {during} of {limit} during the apply"),
                None => format!("{after} of {limit}"),
            };
            let now = if before == after { String::new() } else { format!(" (now {before})") };
            format!("{} seats: {seats}{now}", label(role))
        }
        Figure::Active { before, after, minimum } => {
            let was = was(*before, *after);
            format!("{after}{was} active {} (minimum {minimum})", remain(*after, *before.max(after)))
        }
        Figure::Protected(email) => {
            format!("{} is protected and would change", address(email))
        }
        Figure::ProtectedNotFound(email) => {
            format!("{} is protected, but not found in Pylon", address(email))
        }
        Figure::AdminNotGuarded(role) => {
            let role = label(role);
            format!(
                "{role} is not listed, so it has no minimum; add it, or set {role} = 0 if this is intended"
            )
        }
        Figure::TokenOwner { email, role } => {
            format!("{} owns the token and would lose the role {}", address(email), label(role))
        }
        Figure::Rule(violation) => violated(violation, label),
        Figure::Unmanaged(count) => format!("{count} unmanaged"),
        Figure::Missing(count) => format!("{count} declared, but not found in Pylon"),
    }
}

fn violated(violation: &RuleViolation, label: &dyn Fn(&RoleId) -> String) -> String {
    const NAMED: usize = 12;
    let RuleViolation { rule, holders } = violation;
    let has = |(email, role): &(Email, RoleId)| format!("{} has {}", address(email), label(role));
    let mut names: Vec<String> = holders.iter().take(NAMED).map(has).collect();
    if holders.len() > NAMED {
        names.push(format!("and {} more", holders.len() - NAMED));
    }
    format!("{} ({rule})", names.join(", "))
}

const BELOW_MINIMUM: &str = "it was already below the minimum, and this plan does not make it worse";
const ABOVE_MAXIMUM: &str = "it was already above the maximum, and this plan does not make it worse";
/// All notes that [`reported`] can return.
pub const NOTES: [&str; 2] = [BELOW_MINIMUM, ABOVE_MAXIMUM];

/// Explains why a guardrail only warns. Returns `None` if the text from [`figure()`] already explains it.
pub const fn reported(figure: &Figure) -> Option<&'static str> {
    match figure {
        Figure::AtLeast(_) | Figure::Active { .. } => Some(BELOW_MINIMUM),
        Figure::AtMost(_) => Some(ABOVE_MAXIMUM),
        Figure::ProtectedNotFound(_)
        | Figure::AdminNotGuarded(_)
        | Figure::Rule(_)
        // Findings with these figures are never warnings: they pass, block, or are acknowledged.
        | Figure::Changes { .. }
        | Figure::Protected(_)
        | Figure::TokenOwner { .. }
        | Figure::Unmanaged(_)
        | Figure::Missing(_) => None,
    }
}

/// The time that a plan is for, and the current time. They differ if the plan is for another day (`plan --at`).
#[derive(Debug, Clone, Copy)]
pub struct PlanTimes {
    pub at: Timestamp,
    pub now: Timestamp,
}

/// Explains how to get a blocked plan to pass, suggesting the narrowest acknowledgment that suffices. The text spans several
/// lines and ends with TOML to copy. For a role that is at both its minimum and its maximum, `other_limit` is the limit that
/// `figure` isn't about.
pub fn remedy(
    figure: &Figure,
    other_limit: Option<&RoleCount>,
    invocation: &Invocation,
    written: &dyn Fn(&RoleId) -> String,
    times: PlanTimes,
) -> String {
    let PlanTimes { at, now } = times;
    let expires = at.max(now).saturating_add(AFTER_PLAN).unwrap_or(at);
    let earliest = expires.saturating_sub(LONGEST_ACKNOWLEDGMENT).unwrap_or(Timestamp::MIN);
    // The expiration date begins at midnight in the time zone of the files. Adding a day is late enough in every time zone.
    let next_day = earliest.saturating_add(SignedDuration::from_hours(24)).unwrap_or(earliest);
    let when = if earliest > now { format!(" on {} or later", date(next_day)) } else { String::new() };
    let role = |count: &RoleCount| format!("role = {}", toml_string(&written(&count.role)));
    let user = |email: &str| vec![format!("user = {}", toml_string(email))];
    let (mut first, mut each) = (String::new(), "");
    let keys = match figure {
        Figure::Changes { changed, .. } => {
            // An apply can't be for another day.
            if at == now {
                first = format!("run `{}`, or ", invocation.again_with_limit(*changed));
            }
            vec![format!("up_to = {changed}")]
        }
        Figure::AtLeast(count) => vec![role(count), format!("down_to = {}", count.worst())],
        Figure::AtMost(count) => vec![role(count), format!("up_to = {}", count.worst())],
        // Findings with these figures are always warnings, which don't need an acknowledgment.
        Figure::ProtectedNotFound(_) | Figure::AdminNotGuarded(_) => return String::new(),
        Figure::Active { after, .. } => vec![format!("down_to = {after}")],
        Figure::Protected(email) | Figure::TokenOwner { email, role: _ } => user(email.as_str()),
        Figure::Rule(RuleViolation { rule: _, holders }) => {
            each = if holders.len() > 1 { ", once per person" } else { "" };
            user(holders.first().map_or("", |(email, _)| email.as_str()))
        }
        Figure::Unmanaged(count) | Figure::Missing(count) => vec![format!("up_to = {count}")],
    };
    let guardrail = figure.guardrail().as_str();
    let keys = keys.join("\n  ");
    let advice = advice(figure, other_limit, invocation, written);
    format!(
        "{advice}If this is intended, {first}add this at the end of the root file{when}{each}:\n  [[acknowledge]]\n  guardrail = \"{guardrail}\"\n  \
         {keys}\n  reason = \"\"  # why\n  expires = {}  # at most 30 days ahead",
        date(expires)
    )
}

/// How long after the plan a suggested acknowledgment expires.
const AFTER_PLAN: SignedDuration = SignedDuration::from_hours(7 * 24);

fn date(at: Timestamp) -> impl Display {
    at.strftime("%Y-%m-%d")
}

/// The maximum length of a role name in a suggestion, in characters.
const LONGEST_ROLE: usize = 60;

/// Suggests a way to get the plan to pass without an acknowledgment, or returns an empty string if there's no specific advice.
/// If the limit of a role can't be kept during the apply, splitting the plan wouldn't help, because people are changed one at a
/// time anyway. The advice is then to change another person first, or to change a limit.
fn advice(
    figure: &Figure,
    other_limit: Option<&RoleCount>,
    invocation: &Invocation,
    written: &dyn Fn(&RoleId) -> String,
) -> String {
    match figure {
        Figure::AtLeast(RoleCount { role, during: Some(worst), .. }) => {
            let role = Printable::cut(&written(role), LONGEST_ROLE);
            match other_limit {
                None => format!("Give the role {role} to another person first, in a separate pull request. "),
                Some(RoleCount { limit, .. }) => format!(
                    "{role} is also at its maximum of {limit} (keep_at_most), so no order of the changes works. Lower keep_at_least to \
                     {worst}, or raise keep_at_most. "
                ),
            }
        }
        Figure::AtMost(RoleCount { role, during: Some(worst), .. }) => {
            let role = Printable::cut(&written(role), LONGEST_ROLE);
            match other_limit {
                None => {
                    format!("Take the role {role} from another person first, in a separate pull request. ")
                }
                Some(RoleCount { limit, .. }) => format!(
                    "{role} is also at its minimum of {limit} (keep_at_least), so no order of the changes works. Raise keep_at_most to \
                     {worst}, or lower keep_at_least. "
                ),
            }
        }
        Figure::Rule(_) => "Change their role in Pylon, or declare one that the rule allows. ".to_owned(),
        Figure::Unmanaged(_) => {
            let import = invocation.command(&["import", "--update", "--into", "FILE"]);
            format!("Declare them with `{import}`. ")
        }
        Figure::Missing(_) => "Correct or remove them. ".to_owned(),
        Figure::Changes { .. }
        | Figure::AtLeast(_)
        | Figure::AtMost(_)
        | Figure::Active { .. }
        | Figure::Protected(_)
        | Figure::ProtectedNotFound(_)
        | Figure::AdminNotGuarded(_)
        | Figure::TokenOwner { .. } => String::new(),
    }
}

/// Returns the plural of a role name unless `number` is 1. Names that might have an irregular plural are left unchanged.
fn holders(role: &str, number: u64) -> String {
    let takes_s = role.ends_with(|last: char| last.is_ascii_lowercase() && !"sxz".contains(last));
    if takes_s && number != 1 { format!("{role}s") } else { role.to_owned() }
}

/// Returns the verb for `count` of `total`: "1 of 2 Admins remains", but "2 of 3 Admins remain".
const fn remain(count: u64, total: u64) -> &'static str {
    if count == 1 || total == 1 { "remains" } else { "remain" }
}

fn was(before: u64, after: u64) -> String {
    if after < before { format!(" of {before}") } else { String::new() }
}

/// Formats a role name or an address as a TOML string, truncating it after 300 characters.
fn toml_string(text: &str) -> String {
    toml_text::quoted(Printable::cut(text, 300).raw())
}
