//! Warnings about entries that are valid but no longer have any effect or are likely mistakes.
//!
//! Warnings never cause a command to fail, except with `validate --deny warnings`.

use jiff::Timestamp;

use super::THEN_DURATION;
use crate::printable::Printable;
use crate::problem::{Problem, codes};
use crate::roster::role_rules::{is_same_text, unused_patterns};
use crate::roster::{
    DEFAULT_MINIMUM, DeclaredPerson, Email, GuardrailRules, RoleLimit, RoleName, Roster, Window,
};
use crate::source::{Place, Sourced};
use crate::spelling::did_you_mean;

/// The maximum number of unmanaged protected addresses to check for typos. The cost is this number times [`MOST_COMPARED`].
const MOST_TYPOS: usize = 5;
/// The maximum number of declared people that each protected address is compared with.
const MOST_COMPARED: usize = 5_000;

codes! {
    /// The code of a warning about the files.
    pub enum LintCode {
        /// A window has ended, and its `then` no longer applies.
        WindowOver = "lint::window_over",
        /// An acknowledgment has expired.
        AcknowledgmentExpired = "lint::acknowledgment_expired",
        /// The same address is spelled in two ways.
        TwoSpellings = "lint::two_spellings",
        /// No person in the file uses the value in `[defaults]`.
        UnusedDefault = "lint::unused_default",
        /// A pattern in a rule doesn't match any declared person.
        UnusedPattern = "lint::unused_pattern",
        /// A protected address is not declared, but a similar one is.
        ProtectedTypo = "lint::protected_typo",
        /// The minimum number of holders of a role is above its maximum.
        LimitsContradict = "lint::limits_contradict",
    }
}

impl Roster {
    /// Returns all warnings that apply at `now`.
    pub fn warnings(&self, now: Timestamp) -> Vec<Problem> {
        let mut warnings = Vec::new();
        for person in &self.people {
            let over = person.windows.iter().filter(|window| is_over(window, now));
            warnings.extend(over.map(|window| window_over(person, window)));
        }
        for known in self.acknowledgments.iter().filter(|known| known.expires.value.at <= now) {
            warnings.push(
                Problem::new(
                    LintCode::AcknowledgmentExpired,
                    "this acknowledgment has expired, so it is ignored",
                )
                .at(known.expires.place, "expired")
                .help("delete it, or renew it if the risk is still accepted"),
            );
        }
        for (field, place) in &self.unused_defaults {
            let message = format!("no person in this file uses the default {field}");
            warnings.push(
                Problem::new(LintCode::UnusedDefault, message)
                    .at(*place, "not used")
                    .help("delete it; the defaults of a file apply only to the people in the same file"),
            );
        }
        for pattern in unused_patterns(&self.people, &self.guardrails.role_rules) {
            let message = format!("no declared person has an address like {}", pattern.value.as_str());
            warnings.push(
                Problem::new(LintCode::UnusedPattern, message)
                    .at(pattern.place, "matches no declared person")
                    .help(
                        "correct it if it is misspelled; keep it if it is for people who will be added later",
                    ),
            );
        }
        warnings.extend(self.mentioned());
        warnings.extend(self.contradicting_limits());
        warnings
    }

    /// Returns the warnings about roles with a minimum above their maximum. Roles are compared as strings because names, slugs, and
    /// IDs can't be resolved offline.
    fn contradicting_limits(&self) -> Vec<Problem> {
        let GuardrailRules { keep_at_least, keep_at_most, .. } = &self.guardrails;
        let mut problems = Vec::new();
        for RoleLimit { role, holders: most } in keep_at_most {
            let minimum = keep_at_least
                .iter()
                .flatten()
                .find(|minimum| minimum.holders > *most && is_same_text(&minimum.role.value, &role.value));
            let is_above_default = keep_at_least.is_none() && *most < DEFAULT_MINIMUM;
            let (least, note) = match minimum {
                Some(minimum) => (minimum.holders, ""),
                None if is_above_default && is_admin(&role.value) => {
                    (DEFAULT_MINIMUM, "; the minimum is the default")
                }
                None => continue,
            };
            let name = Printable::cut(&role.value, 60);
            let message =
                format!("the minimum of the role {name} ({least}) is above its maximum ({most}){note}");
            let mut problem = Problem::new(LintCode::LimitsContradict, message);
            if let Some(minimum) = minimum {
                problem = problem.at(minimum.role.place, "the minimum");
            }
            let help = "lower the number in keep_at_least, or raise the one in keep_at_most; no number of holders satisfies both";
            problems.push(problem.at(role.place, "the maximum").help(help));
        }
        problems
    }

    /// Returns the warnings about the addresses in `protected` and in acknowledgments.
    fn mentioned(&self) -> Vec<Problem> {
        let users = self.acknowledgments.iter().filter_map(|known| known.risk.user());
        let mut problems = Vec::new();
        for mentioned in self.guardrails.protected.iter().chain(users) {
            if let Some(person) = self.person(&mentioned.value)
                && person.email.value.as_str() != mentioned.value.as_str()
            {
                problems.push(two_spellings(mentioned, &person.email));
            }
        }
        let protected = self.guardrails.protected.iter().filter(|email| self.person(&email.value).is_none());
        for email in protected.take(MOST_TYPOS) {
            problems.extend(self.near(&email.value).map(|near| protected_typo(email, near)));
        }
        problems
    }

    /// Returns the most similar declared address in the same domain as `email`, or `None` if no address is similar enough.
    fn near(&self, email: &Email) -> Option<&Email> {
        let (written, domain) = email.as_str().split_once('@')?;
        let emails = self.people.iter().map(|person| &person.email.value);
        let split = emails.filter_map(|email| Some((email.as_str().split_once('@')?, email)));
        let colleagues: Vec<(&str, &Email)> = split
            .filter(|((_, other), _)| other.eq_ignore_ascii_case(domain))
            .map(|((local, _), email)| (local, email))
            .take(MOST_COMPARED)
            .collect();
        let near = did_you_mean(written, colleagues.iter().map(|(local, _)| *local))?;
        colleagues.iter().find(|(local, _)| *local == near).map(|(_, email)| *email)
    }
}

/// Returns `true` if the text could refer to the Admin role.
fn is_admin(role: &RoleName) -> bool {
    role.eq_ignore_ascii_case("admin")
}

/// Returns `true` if the window has ended and no longer affects any plan.
fn is_over(window: &Window, now: Timestamp) -> bool {
    window.until.as_ref().is_some_and(|until| now.duration_since(until.value.at) >= THEN_DURATION)
}

fn window_over(person: &DeclaredPerson, window: &Window) -> Problem {
    let place: Place = window.until.as_ref().map_or(window.place, |until| until.place);
    let help = match window.then {
        Some(_) => "delete the window; if its `then` was not applied in time, set the status in Pylon first",
        None => "delete the window; it no longer has any effect",
    };
    Problem::new(LintCode::WindowOver, format!("a window of {} has ended", person.email.value))
        .at(place, "ended more than two days ago")
        .help(help)
}

fn two_spellings(mentioned: &Sourced<Email>, person: &Sourced<Email>) -> Problem {
    let message = format!("{} is declared as {}", mentioned.value, person.value);
    Problem::new(LintCode::TwoSpellings, message)
        .at(mentioned.place, "spelled differently")
        .at(person.place, "declared here")
        .help(format!("write {} in both places, so that a search finds both", person.value))
}

fn protected_typo(email: &Sourced<Email>, near: &Email) -> Problem {
    Problem::new(LintCode::ProtectedTypo, format!("no file declares the protected address {}", email.value))
        .at(email.place, "protects no declared person")
        .help(format!("did you mean {near}?"))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    /// Returns the code and line number of each warning.
    fn warnings(text: &str, now: &str) -> Vec<(&'static str, usize)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        std::fs::write(&path, text).unwrap();
        let roster = Roster::read(&path).unwrap();
        let warnings = roster.warnings(now.parse().unwrap());
        warnings
            .iter()
            .map(|warning| (warning.code, roster.sources.locate(warning.labels[0].place).line))
            .collect()
    }

    #[test]
    fn a_window_is_over_when_its_then_has_no_effect_any_more() {
        let text = "[users.\"ana@acme.example\"]\nrole = \"Admin\"\nwindows = [{ until = 2026-11-01, status = \"away\", then = \"active\" }]\n";
        assert_eq!(warnings(text, "2026-11-02T23:59:59Z"), []);
        assert_eq!(warnings(text, "2026-11-03T00:00:00Z"), [("lint::window_over", 3)]);
    }

    #[test]
    fn an_acknowledgment_is_reported_from_the_instant_at_which_it_expires() {
        let text = "[[acknowledge]]\nguardrail = \"max_changes\"\nup_to = 40\nreason = \"x\"\nexpires = 2026-11-01\n[users]\n";
        assert_eq!(warnings(text, "2026-10-31T23:59:59Z"), []);
        assert_eq!(warnings(text, "2026-11-01T00:00:00Z"), [("lint::acknowledgment_expired", 5)]);
    }

    #[test]
    fn a_default_is_unused_if_each_person_of_the_file_has_a_role() {
        let text = "[defaults]\nrole = \"Member\"\n[users]\n\"ana@acme.example\" = { role = \"Admin\" }\n";
        assert_eq!(warnings(text, "2026-11-01T00:00:00Z"), [("lint::unused_default", 2)]);
        assert_eq!(warnings(&format!("{text}\"bo@acme.example\" = {{}}\n"), "2026-11-01T00:00:00Z"), []);
    }

    #[test]
    fn a_pattern_of_a_rule_that_matches_no_declared_person_is_reported() {
        let file = |emails: &str, except: &str| {
            format!(
                "[[rule]]\nemails = [\"{emails}\"]\nexcept = [\"{except}\"]\nroles = [\"Viewer\"]\nreason = \"x\"\n[users]\n\"ana@acme.example\" = {{ role = \"Viewer\" }}\n"
            )
        };
        for (emails, except, lines) in [
            ("*@acme.example", "ANA@acme.example", &[][..]),
            ("*@acme.example", "bo@acme.example", &[3]),
            ("*@contractor.example", "a*@acme.example", &[2]),
        ] {
            let found = warnings(&file(emails, except), "2026-11-01T00:00:00Z");
            let expected: Vec<_> = lines.iter().map(|line| ("lint::unused_pattern", *line)).collect();
            assert_eq!(found, expected, "{emails} {except}");
        }
    }

    #[test]
    fn a_minimum_above_the_maximum_of_the_same_role_is_reported() {
        for (limits, lines) in [
            ("keep_at_least = { Admin = 3 }\nkeep_at_most = { admin = 1 }", &[2][..]),
            (
                "keep_at_least = { Admin = 2, \"Team Lead\" = 2 }\nkeep_at_most = { Admin = 2, team-lead = 1 }",
                &[2],
            ),
            ("keep_at_least = { Admin = 2 }\nkeep_at_most = { Member = 1 }", &[]),
            ("keep_at_most = { Admin = 1 }", &[2]),
            ("keep_at_most = { Admin = 2, Member = 1 }", &[]),
            ("keep_at_least = {}\nkeep_at_most = { Admin = 1 }", &[]),
        ] {
            let found = warnings(&format!("[guardrails]\n{limits}\n[users]\n"), "2026-11-01T00:00:00Z");
            let expected: Vec<_> = lines.iter().map(|line| ("lint::limits_contradict", *line)).collect();
            assert_eq!(found, expected, "{limits}");
        }
    }

    #[test]
    fn a_protected_address_is_compared_with_the_declared_ones() {
        let file = |protected: &str| {
            format!(
                "[guardrails]\nprotected = [\"{protected}\"]\n[users]\n\"founder@acme.example\" = {{ role = \"Admin\" }}\n"
            )
        };
        for (protected, expected) in [
            ("founder@acme.example", None),
            ("Founder@acme.example", Some("lint::two_spellings")),
            ("foundr@acme.example", Some("lint::protected_typo")),
            ("break-glass@acme.example", None),
        ] {
            let found = warnings(&file(protected), "2026-11-01T00:00:00Z");
            assert_eq!(found, expected.map(|code| (code, 2)).into_iter().collect::<Vec<_>>(), "{protected}");
        }
    }
}
