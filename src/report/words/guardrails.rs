//! A guardrail's figure, and the narrowest thing that lets a plan pass it.

use super::address;
use crate::observed::RoleId;
use crate::plan::guardrails::{Figure, RoleMinimum};
use crate::printable::Printable;
use crate::toml_text;

/// A guardrail's figure and limit in a few words. `label` names a role.
pub fn figure(figure: &Figure, label: &dyn Fn(&RoleId) -> String) -> String {
    match figure {
        Figure::Changes { changed, declared, limit } => {
            format!("{changed} of {declared} change (limit {limit})")
        }
        Figure::Holders(RoleMinimum { role, minimum, before, after }) => {
            let was = was(*before, *after);
            let of = *before.max(after);
            let verb = if *after == 1 || of == 1 { "remains" } else { "remain" };
            format!("{after}{was} {} {verb} (minimum {minimum})", holders(&label(role), of))
        }
        Figure::Active { before, after, minimum } => {
            let was = was(*before, *after);
            format!("{after}{was} active remain (minimum {minimum})")
        }
        Figure::Protected(email) => {
            format!("{} is protected and would change", address(email))
        }
        Figure::ProtectedNobody(email) => {
            format!("{} is protected, but not in Pylon", address(email))
        }
        Figure::AdminNotGuarded(role) => {
            let role = label(role);
            format!(
                "{role} is not listed and so has no minimum; add it, or set {role} = 0 if this is intended"
            )
        }
        Figure::TokenOwner { email, role } => {
            format!("{} owns the token and would lose the role {}", address(email), label(role))
        }
        Figure::Unmanaged(count) => format!("{count} unmanaged"),
        Figure::Missing(count) => format!("{count} declared, but not in Pylon"),
    }
}

/// What is to be said behind the figure of a guardrail that neither holds nor refuses; nothing where the figure says it all.
pub const fn reported(figure: &Figure) -> Option<&'static str> {
    match figure {
        Figure::Holders(_) | Figure::Active { .. } => {
            Some("it was already below the minimum, and this plan does not make it worse")
        }
        Figure::ProtectedNobody(_)
        | Figure::AdminNotGuarded(_)
        // These hold, refuse or are acknowledged.
        | Figure::Changes { .. }
        | Figure::Protected(_)
        | Figure::TokenOwner { .. }
        | Figure::Unmanaged(_)
        | Figure::Missing(_) => None,
    }
}

/// What to do about a refusal: the narrowest thing that would let exactly this plan pass. Several lines, the last of
/// them TOML to copy.
pub fn remedy(
    figure: &Figure,
    is_rollback: bool,
    written: &dyn Fn(&RoleId) -> String,
    expires: &str,
) -> String {
    let (first, keys) = match figure {
        Figure::Changes { changed, .. } => {
            let command = if is_rollback { "roll back" } else { "apply" };
            (format!("{command} with --max-changes {changed}, or "), vec![format!("up_to = {changed}")])
        }
        Figure::Holders(RoleMinimum { role, after, .. }) => (
            String::new(),
            vec![format!("role = {}", toml_string(&written(role))), format!("down_to = {after}")],
        ),
        // Reported, never refused: there is nothing to acknowledge.
        Figure::ProtectedNobody(_) | Figure::AdminNotGuarded(_) => return String::new(),
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
        "If this is intended, {first}add this to the root file:\n  [[acknowledge]]\n  guardrail = \"{guardrail}\"\n  {keys}\n  \
         reason = \"\"  # why\n  expires = {expires}  # at most 30 days ahead"
    )
}

/// The holders of a role: `Admins`. Only names that take an s in English are given one.
fn holders(role: &str, number: u64) -> String {
    let takes_s = role.ends_with(|last: char| last.is_ascii_lowercase() && !"sxz".contains(last));
    if takes_s && number != 1 { format!("{role}s") } else { role.to_owned() }
}

fn was(before: u64, after: u64) -> String {
    if after < before { format!(" of {before}") } else { String::new() }
}

/// A text as TOML; one that is too long for any name is cut, so that no sentence is endless.
fn toml_string(text: &str) -> String {
    toml_text::quoted(Printable::cut(text, 300).raw())
}
