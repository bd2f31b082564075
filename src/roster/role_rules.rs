//! The `[[rule]]` tables, which restrict the roles of people whose addresses match a pattern.
//!
//! This module checks every declared role offline, including roles in windows and defaults, and compares roles as strings. `plan`
//! repeats the check with role IDs and with all of a person's addresses in Pylon.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::email::{BadEmail, Email};
use super::fields::{Fields, TomlKey, TomlValue, in_backticks};
use super::people::{Context, contained, read_email};
use super::{DeclaredPerson, RoleName, RosterCode, keys};
use crate::every::words;
use crate::printable::Printable;
use crate::problem::Problem;
use crate::source::{Place, Sourced};

/// A rule that restricts the roles of people with matching addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleRule {
    pub place: Place,
    pub emails: Vec<Sourced<EmailPattern>>,
    /// The addresses exempt from the rule, even if they match `emails`.
    pub except: Vec<Sourced<EmailPattern>>,
    /// The allowed roles (at least one).
    pub roles: Vec<Sourced<RoleName>>,
    /// The reason for the rule, included in every message about it.
    pub reason: Sourced<String>,
    /// How to handle people in Pylon who violate the rule. If the key is omitted, the default value has the location of the rule.
    pub on_violation: Sourced<OnViolation>,
}

words! {
    /// How to handle people in Pylon, including unmanaged people, with a role forbidden by a rule.
    #[derive(Default, JsonSchema)]
    #[schemars(rename_all = "snake_case")]
    pub enum OnViolation {
        /// The plan warns and lists the people.
        #[default]
        Report = "report",
        /// The guardrail blocks the apply.
        Block = "block",
    }
}

/// A literal address, or an address with a single `*` in the local part that matches any characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailPattern(Email);

impl EmailPattern {
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns the normalized pattern, which is equal for patterns that match the same addresses.
    pub fn folded(&self) -> &str {
        self.0.folded()
    }

    pub fn matches(&self, email: &Email) -> bool {
        let email = email.folded();
        match self.folded().split_once('*') {
            None => email == self.folded(),
            Some((start, end)) => {
                // The `*` matches only within the local part because the whole domain comes after it.
                email.len() >= start.len() + end.len() && email.starts_with(start) && email.ends_with(end)
            }
        }
    }
}

impl RoleRule {
    /// Returns `true` if the rule applies to a person with these addresses. If any of them matches `except`, the rule doesn't
    /// apply.
    pub fn applies_to<'e>(&self, addresses: impl IntoIterator<Item = &'e Email>) -> bool {
        let mut is_meant = false;
        for email in addresses {
            if self.except.iter().any(|pattern| pattern.value.matches(email)) {
                return false;
            }
            is_meant |= self.names(email);
        }
        is_meant
    }

    /// Returns `true` if any of [`Self::emails`] matches the address, regardless of exceptions.
    fn names(&self, email: &Email) -> bool {
        self.emails.iter().any(|pattern| pattern.value.matches(email))
    }

    fn allows(&self, role: &Sourced<RoleName>, is_same: &impl Fn(&RoleName, &RoleName) -> bool) -> bool {
        self.roles.iter().any(|allowed| is_same(&allowed.value, &role.value))
    }

    /// Returns the patterns without a wildcard, which are literal addresses.
    pub(super) fn addresses(&self) -> impl Iterator<Item = Sourced<Email>> {
        let patterns = self.emails.iter().chain(&self.except);
        let exact = patterns.filter(|pattern| !pattern.value.as_str().contains('*'));
        exact.map(|pattern| Sourced::new(pattern.value.0.clone(), pattern.place))
    }

    /// Formats the allowed roles and the reason: `only Viewer: contractors read only`.
    pub fn text(&self) -> String {
        format!("only {}: {}", self.allowed(), self.reason.value)
    }

    /// Like [`Self::text`], but truncated for use in a sentence.
    pub fn summary(&self) -> String {
        format!("only {}: {}", Printable::cut(&self.allowed(), 120), Printable::cut(&self.reason.value, 120))
    }

    fn allowed(&self) -> String {
        self.roles.iter().map(|role| &*role.value).collect::<Vec<_>>().join(" or ")
    }
}

/// Returns a problem for each declared role that violates a rule. People who inherit the same default are grouped into a single
/// problem.
///
/// `other_addresses` returns a declared person's other addresses in Pylon, or an empty list if they are unknown. `is_same` returns
/// `true` if two names refer to the same role. Both differ between offline and online checks.
pub fn violations<'p>(
    people: impl IntoIterator<Item = &'p DeclaredPerson>,
    rules: &'p [RoleRule],
    other_addresses: impl Fn(&DeclaredPerson) -> Vec<Email>,
    is_same: impl Fn(&RoleName, &RoleName) -> bool,
) -> Vec<Problem> {
    if rules.is_empty() {
        return Vec::new(); // avoids looking up the other addresses of up to 100,000 people
    }
    let mut found: BTreeMap<(Place, usize), Violators<'_>> = BTreeMap::new();
    for person in people {
        let more = other_addresses(person);
        for (number, rule) in rules.iter().enumerate() {
            let addresses = || std::iter::once(&person.email.value).chain(&more);
            if !rule.applies_to(addresses()) {
                continue;
            }
            for role in person.declared_roles().filter(|role| !rule.allows(role, &is_same)) {
                let found = found.entry((role.place, number)).or_insert_with(|| Violators {
                    first: person,
                    role: &role.value,
                    named: Vec::new(),
                    count: 0,
                    allowed: rule.roles.iter().collect(),
                });
                found.count += 1;
                for other in rules.iter().filter(|other| other.applies_to(addresses())) {
                    found.allowed.retain(|role| other.allows(role, &is_same));
                }
                if found.named.len() < NAMED {
                    found.named.push(name(person, &more, rule));
                }
            }
        }
    }
    found.into_iter().map(|((place, rule), people)| violation(people, place, &rules[rule])).collect()
}

/// The maximum number of people named in a problem.
const NAMED: usize = 5;

/// The people whose role is declared at the same place and violates the same rule.
struct Violators<'p> {
    first: &'p DeclaredPerson,
    role: &'p RoleName,
    /// The names of the first few people, including `first`.
    named: Vec<String>,
    count: usize,
    /// The roles allowed by every rule that applies to any of the people.
    allowed: Vec<&'p Sourced<RoleName>>,
}

/// Returns the person's address for use in a message. If `emails` matches only another of the person's addresses, that address
/// is included too.
fn name(person: &DeclaredPerson, other_addresses: &[Email], rule: &RoleRule) -> String {
    let email = &person.email.value;
    match other_addresses.iter().find(|other| rule.names(other)) {
        Some(also) if !rule.names(email) => format!("{email} (also {also} in Pylon)"),
        _ => email.to_string(),
    }
}

/// Returns `true` if two strings could refer to the same role. Case is ignored, and spaces and underscores are treated as
/// hyphens, as in a role's slug. An ID can't be matched to a name this way.
pub fn is_same_text(one: &RoleName, other: &RoleName) -> bool {
    let plain = |name: &str| name.to_lowercase().replace([' ', '_'], "-");
    one == other || plain(one) == plain(other)
}

fn violation(people: Violators<'_>, place: Place, rule: &RoleRule) -> Problem {
    let Violators { first, role, named: mut names, count, allowed } = people;
    let role = Printable::cut(role, 60);
    if count > names.len() {
        names.push(format!("{} more", count - names.len()));
    }
    let message = format!("a rule does not allow the role {role} for {}", listed(&names));
    let is_default =
        first.values.role.as_ref().is_some_and(|value| value.from_defaults && value.value.place == place);
    let mut problem = Problem::new(RosterCode::AgainstRule, message);
    problem = if is_default {
        problem.at(place, "the default role").at(first.email.place, "uses the default role")
    } else {
        problem.at(place, "not allowed")
    };
    let allowed: Vec<String> =
        allowed.into_iter().map(|role| Printable::cut(&role.value, 60).to_string()).collect();
    let who = if count == 1 { "the person" } else { "the people" };
    let mut help = if allowed.is_empty() {
        format!(
            "the rules for {who} have no allowed role in common: change the `roles` of one of these rules, or add {who} to its `except`"
        )
    } else {
        format!("declare {}, or add {who} to the rule's `except`", allowed.join(" or "))
    };
    if role.raw().contains(|sign: char| !sign.is_alphabetic() && sign != ' ') {
        help +=
            &format!("; if {role} is the ID or the slug of an allowed role, write it the way the rule does");
    }
    problem.at(rule.place, rule.summary()).help(help)
}

/// Joins names into a list: `a`, `a and b`, or `a, b and c`.
fn listed(names: &[String]) -> String {
    match names {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        all => all.concat(),
    }
}

/// Parses a `[[rule]]` table. Returns `None` if it is invalid.
pub(super) fn read_rule(fields: &mut Fields, value: &TomlValue<'_>, context: &Context) -> Option<RoleRule> {
    let place = fields.place(value.span());
    let (mut emails, mut except, mut roles) = (Vec::new(), Vec::new(), Vec::new());
    let (mut reason, mut on_violation) = (None, Sourced::new(OnViolation::default(), place));
    let before = fields.problems.len();
    let table = fields.table("rule", value)?;
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "emails" => emails = read_patterns(fields, "emails", value, context),
            "except" => except = read_patterns(fields, "except", value, context),
            "roles" => {
                let list = fields.array("roles", value).into_iter().flatten();
                roles.extend(list.filter_map(|role| fields.role(role)));
            }
            "reason" => reason = fields.text("reason", value),
            "on_violation" => {
                let read = fields.one_of("on_violation", value, &OnViolation::ALL, OnViolation::as_str);
                on_violation = read.unwrap_or(on_violation);
            }
            _ => fields.unknown(key, value, keys::RULE, "[[rule]]"),
        }
    }
    // A key that seems to be missing might be misspelled.
    let is_known = |key: &TomlKey<'_>| keys::RULE.contains(&key.get_ref().as_ref());
    let has_only_known = table.keys().all(is_known);
    let examples = [
        ("emails", "\"*@contractor.example\""),
        ("roles", "[\"Viewer\"]"),
        ("reason", "\"contractors read only\""),
    ];
    for (key, example) in examples {
        let what = match table.get(key) {
            None if has_only_known => "is missing",
            Some(value) if value.get_ref().as_array().is_some_and(|list| list.is_empty()) => "is empty",
            _ => continue,
        };
        let problem = Problem::new(RosterCode::MissingKey, format!("`{key}` of this rule {what}"))
            .at(place, "a rule needs `emails`, `roles`, and `reason`");
        fields.report(problem.help(format!("for example: {key} = {example}")));
    }
    if fields.problems.len() > before {
        return None;
    }
    Some(RoleRule { place, emails, except, roles, reason: reason?, on_violation })
}

/// Parses a single pattern or a list of patterns.
fn read_patterns(
    fields: &mut Fields,
    key: &str,
    value: &TomlValue<'_>,
    context: &Context,
) -> Vec<Sourced<EmailPattern>> {
    if value.get_ref().is_str() {
        return read_pattern(fields, key, value, context).into_iter().collect();
    }
    let list = fields.array(key, value).into_iter().flatten();
    list.filter_map(|pattern| read_pattern(fields, key, pattern, context)).collect()
}

fn read_pattern(
    fields: &mut Fields,
    key: &str,
    value: &TomlValue<'_>,
    context: &Context,
) -> Option<Sourced<EmailPattern>> {
    let written = fields.string(key, value)?;
    let (local, domain) = written.value.split_once('@').unwrap_or((written.value, ""));
    let why = match (local.matches('*').count(), domain) {
        (_, "") => Some("it has no `@` followed by a domain"),
        (_, domain) if domain.contains('*') => Some("`*` is only allowed before the `@`"),
        // A pattern can be checked like an address because `*` is valid in a local part.
        (0 | 1, _) => match Email::declared(written.value, true) {
            Err(BadEmail::Malformed(why)) => Some(why),
            Ok(_) | Err(BadEmail::NotAscii) => None,
        },
        _ => Some("it has more than one `*`"),
    };
    if let Some(why) = why {
        let message = format!("{} is not an address pattern: {why}", in_backticks(written.value, 80));
        let help = match contained(written.value, context.allow_unicode) {
            Some(email) => format!("write only the address: \"{email}\""),
            None => "write an address, or one with a `*` before the `@`: \"*@contractor.example\"".to_owned(),
        };
        let problem = Problem::new(RosterCode::BadPattern, message).at(written.place, "not a pattern");
        fields.report(problem.help(help));
        return None;
    }
    let email = read_email(fields, written, context.allow_unicode)?;
    Some(email.map(EmailPattern))
}

/// Returns the patterns in `emails` and `except` that don't match any declared address.
pub fn unused_patterns<'r>(
    people: &[DeclaredPerson],
    rules: &'r [RoleRule],
) -> impl Iterator<Item = &'r Sourced<EmailPattern>> {
    let patterns = rules.iter().flat_map(|rule| rule.emails.iter().chain(&rule.except));
    patterns.filter(|pattern| people.iter().all(|person| !pattern.value.matches(&person.email.value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(written: &str) -> EmailPattern {
        EmailPattern(Email::observed(written))
    }

    #[test]
    fn a_star_stands_for_any_characters_before_the_at_sign() {
        for (written, email, matches) in [
            ("ana@acme.example", "ana@acme.example", true),
            ("Ana@Acme.example", "aNA@acme.EXAMPLE", true),
            ("ana@acme.example", "hana@acme.example", false),
            ("*@acme.example", "ana@acme.example", true),
            ("*@acme.example", "ana@sub.acme.example", false),
            ("*@acme.example", "ana@notacme.example", false),
            ("*@acme.example", "ana@acme.example.evil.example", false),
            ("ext-*@acme.example", "ext-ana@acme.example", true),
            ("ext-*@acme.example", "ext-@acme.example", true),
            ("ext-*@acme.example", "next-ana@acme.example", false),
            ("*-ext@acme.example", "ana-ext@acme.example", true),
            ("a*a@acme.example", "ana@acme.example", true),
            ("a*a@acme.example", "a@acme.example", false),
            ("*@ACME.example", "\u{e4}na@acme.example", true),
        ] {
            assert_eq!(pattern(written).matches(&Email::observed(email)), matches, "{written} {email}");
        }
    }

    #[test]
    fn spellings_of_one_name_are_the_same_role() {
        for (one, other, is_same) in [
            ("Support Lead", "support-lead", true),
            ("Support Lead", "support_lead", true),
            ("Viewer", "viewer", true),
            ("Viewer", "Viewers", false),
            ("Viewer", "role_viewer", false),
        ] {
            assert_eq!(is_same_text(&one.into(), &other.into()), is_same, "{one} {other}");
        }
    }

    /// Returns the codes of all problems found when reading `text` as a root file.
    fn codes(text: &str) -> Vec<&'static str> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        std::fs::write(&path, text).unwrap();
        crate::roster::Roster::read(&path)
            .err()
            .map_or_else(Vec::new, |problems| problems.list.iter().map(|problem| problem.code).collect())
    }

    #[test]
    fn guardrails_that_count_unmanaged_people_need_the_whole_list() {
        let rule = "[[rule]]\nemails = \"*@c.example\"\nroles = [\"Viewer\"]\nreason = \"r\"\n";
        for (text, depends) in [
            (format!("{rule}on_violation = \"report\""), false),
            (format!("{rule}on_violation = \"block\""), true),
            ("[guardrails]\nunmanaged = \"report\"".to_owned(), false),
            ("[guardrails]\nunmanaged = \"block\"".to_owned(), true),
            ("[guardrails]\nkeep_at_most = { Admin = 3 }".to_owned(), true),
            ("[guardrails]\nkeep_active = 3\nmissing = \"block\"".to_owned(), false),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("users.toml");
            std::fs::write(&path, &text).unwrap();
            let roster = crate::roster::Roster::read(&path).unwrap();
            assert_eq!(roster.guardrails.needs_whole_list(), depends, "{text}");
        }
    }

    const PEOPLE: &str = "[defaults]\nrole = \"Admin\"\n[users]\n\"lead@c.example\" = {}\n\"cy@c.example\" = { role = \"Viewer\" }\n[users.\"dee@c.example\"]\nstatus = \"away\"\nrole = \"Viewer\"\nwindows = [{ from = 2026-12-01, role = \"Guest\" }]\n";

    #[test]
    fn a_missing_character_does_not_make_a_role_break_a_rule() {
        let keys = [
            "except = [\"x@c.example\", \"lead@c.example\"]",
            "emails = [\"*@c.example\"]",
            "reason = \"r\"",
            "roles = [\"Viewer\", \"Guest\"]",
        ];
        for turn in 0..keys.len() {
            let mut keys = keys;
            keys.rotate_left(turn);
            let rule = format!("[[rule]]\n{}\n", keys.join("\n"));
            let inline = format!("rule = [{{ {} }}]\n", keys.join(", "));
            for text in [format!("{rule}{PEOPLE}"), format!("{PEOPLE}{rule}"), format!("{inline}{PEOPLE}")] {
                assert_eq!(codes(&text), [""; 0], "{text}");
                for (at, _) in text.match_indices(|sign: char| "\"[]{}=,\n".contains(sign)) {
                    let broken = text[..at].to_owned() + &text[at + 1..];
                    let follows =
                        |code: &&&str| ["roster::against_rule", "roster::missing_key"].contains(code);
                    assert_eq!(codes(&broken).iter().find(follows), None, "{broken}");
                }
            }
        }
    }

    #[test]
    fn a_syntax_error_does_not_hide_a_broken_rule_in_another_statement() {
        let rule = "[[rule]]\nemails = \"*@c.example\"\nroles = [\"Viewer\"]\nreason = \"r\"\n";
        for rest in [
            "[users]\n\"cy@c.example\" = { role = \"Admin\" }\n\"dee@c.example = {}\n",
            "[guardrails]\nmax_changes = \"25%\n[users]\n\"cy@c.example\" = { role = \"Admin\" }\n",
            "[users.\"dee@c.example\"]\nrole = \"Viewer\n[users.\"cy@c.example\"]\nrole = \"Admin\"\n",
        ] {
            let codes = codes(&format!("{rule}{rest}"));
            for code in ["roster::syntax", "roster::against_rule"] {
                assert_eq!(codes.iter().filter(|found| **found == code).count(), 1, "{rest} {codes:?}");
            }
        }
        let missing = codes("[[rule]]\nroles = [\"Viewer\"]\nreason = \"r\"\n[policy]\nrole = \"ignore\n");
        assert_eq!(missing, ["roster::missing_key", "roster::syntax"]);
    }
}
