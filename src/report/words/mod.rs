//! Messages shared by several formats, with one module per topic.

mod blame;
mod comparison;
mod files;
mod guardrails;
mod outcomes;
mod plan;

pub use blame::{audit_log, blame, why_unread};
pub use comparison::{SENSITIVE, UNRESOLVED, agenda, comparison, declared_values, differing, subject};
pub use files::{checked, formatted, imported, not_written, people_of_file, state_written, updated, valid};
pub use guardrails::{NOTES, PlanTimes, figure, remedy, reported};
pub use outcomes::{
    KILLED, Shared, journal_label, kind, next_step, not_read_back, not_rolled_back, outcome, outcome_of_many,
    outcome_of_one, shared, stop, unreadable,
};
pub use plan::{
    ALSO_CHANGED, MADE_UP, SAVED, UNWRITTEN, base_name, causes, full_origin, guarded_roles, origin,
    people_change, summary, unchanged, unknown_causes, verdict, why,
};

use crate::exit::Exit;
use crate::printable::Printable;
use crate::report::facts::OrganizationLine;
use crate::roster::Email;

/// Formats a number with its noun, such as `1 change` or `2 changes`.
pub fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

/// Formats a change of one value. Between two values in a right-to-left script, a lone arrow would be reversed as well, and the
/// values would appear swapped. A left-to-right word after the arrow prevents this.
pub fn change(before: &str, after: &str) -> String {
    format!("{before} {} {after}", arrow(before))
}

/// Formats the old values of a change.
pub fn before(values: &[Printable]) -> String {
    let values: Vec<&str> = values.iter().map(Printable::as_str).collect();
    if values.is_empty() { "(none)".to_owned() } else { values.join(", ") }
}

/// Returns the arrow to put after `before` in a change.
pub fn arrow(before: &str) -> &'static str {
    if before.chars().any(runs_leftwards) { "→ to" } else { "→" }
}

/// Returns `true` if the character belongs to a right-to-left script (UAX #9, the default ranges of `R` and `AL`).
fn runs_leftwards(char: char) -> bool {
    matches!(char, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

/// Formats an organization, with long names truncated.
pub fn organization(line: &OrganizationLine) -> Printable {
    let OrganizationLine { name, id, place } = line;
    let short = |text: &Printable| text.short(LONGEST_NAME);
    Printable::new(&format!("{} ({}, {})", short(name), short(id), short(place)))
}

/// Returns the sentence that introduces the problems of a failed run.
pub const fn not_done(exit: Exit) -> &'static str {
    match exit {
        Exit::Partial => "Failed partway: some files were written, but others were not.",
        _ => "Failed. Nothing was changed.",
    }
}

/// The maximum length of a name in a sentence, in characters. The JSON report includes names in full.
const LONGEST_NAME: usize = 80;

/// The maximum length of an email address in characters (RFC 5321).
pub const LONGEST_ADDRESS: usize = 254;

/// Formats an address in a report. Addresses are shown in full because readers need to see the domain.
pub fn full_address(email: &Printable) -> Printable {
    email.short(LONGEST_ADDRESS)
}

/// Formats an address in a message, in full for the same reason as in [`full_address`].
pub fn address(email: &Email) -> Printable {
    Printable::cut(email.as_str(), LONGEST_ADDRESS)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn right_to_left_values_keep_their_order() {
        assert_eq!(change("Viewer", "Admin"), "Viewer → Admin");
        assert_eq!(change("Viewer", "אדמין"), "Viewer → אדמין");
        assert_eq!(change("שלום", "אדמין"), "שלום → to אדמין");
        assert_eq!(change("\"مدير 2\"", "3"), "\"مدير 2\" → to 3");
    }
}
