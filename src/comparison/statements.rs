//! Converts a version of the files to statements in canonical TOML. Files with the same meaning produce statements with the
//! same [`DeclaredStatement::identity`].
//!
//! Because all declared types are destructured exhaustively, forgetting to compare a new key is a compile error.

use std::collections::BTreeMap;

use super::{ComparedSubject, ComparedValue};
use crate::printable::Printable;
use crate::roster::keys;
use crate::roster::{
    AcknowledgedRisk, Acknowledgment, DEFAULT_MINIMUM, DeclaredPerson, DeclaredValue, EmailPattern, Field,
    GuardrailRules, Moment, Policy, RiskLimit, RoleLimit, RoleRule, Roster, Window, Workspace,
};
use crate::source::{Place, Sourced, Sources};
use crate::toml_text::{self, quoted};

/// All statements about a subject in one version.
pub(super) type Declaration = Vec<DeclaredStatement>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DeclaredStatement {
    /// The position of the key in the canonical order of its subject.
    pub(super) rank: usize,
    pub(super) key: String,
    pub(super) value: String,
    /// The normalized value, which is equal for values with the same meaning.
    meaning: String,
    /// The time zone of local times in the value, as in [`ComparedValue`].
    zone: Option<String>,
    /// The place of the declaration, or `None` for a built-in default.
    place: Option<Place>,
    from_defaults: bool,
    /// Whether a subject can have several statements with this key.
    pub(super) repeats: bool,
    /// The role that a person's entry or window sets. For a window, also the role that it replaces.
    pub(super) roles: Vec<String>,
}

impl DeclaredStatement {
    pub(super) fn identity(&self) -> (String, String) {
        (self.key.clone(), self.meaning.clone())
    }

    /// Returns the value to show in reports. Called only for differing statements because resolving a place takes time.
    pub(super) fn shown(self, sources: &Sources) -> ComparedValue {
        ComparedValue {
            value: Printable::new(&self.value),
            zone: self.zone.as_deref().map(Printable::new),
            location: self.place.map(|place| sources.locate(place)),
            from_defaults: self.from_defaults,
        }
    }
}

/// Collects the statements about a subject.
struct DeclarationBuilder {
    /// All keys that the subject can have, in canonical order. Ranks are indexes into this list. An omitted optional key
    /// therefore doesn't affect the ranks of later keys.
    keys: &'static [&'static str],
    list: Declaration,
}

impl DeclarationBuilder {
    const fn new(keys: &'static [&'static str]) -> Self {
        Self { keys, list: Vec::new() }
    }

    fn add(&mut self, key: &str, value: String, place: Option<Place>) -> &mut DeclaredStatement {
        let first = key.split('.').next();
        let rank = self.keys.iter().position(|known| Some(*known) == first).unwrap_or(self.keys.len());
        self.list.push_mut(DeclaredStatement {
            rank,
            key: key.to_owned(),
            value: value.clone(),
            meaning: value,
            zone: None,
            place,
            from_defaults: false,
            repeats: false,
            roles: Vec::new(),
        })
    }

    /// Adds a statement for a repeatable key.
    fn repeat(&mut self, key: &str, value: String, place: Place) -> &mut DeclaredStatement {
        let statement = self.add(key, value, Some(place));
        statement.repeats = true;
        statement
    }
}

/// All declarations in one version of the files.
pub(super) struct Declarations {
    /// The declarations of subjects that can occur only once, such as people and the policy.
    pub(super) single: BTreeMap<ComparedSubject, Declaration>,
    /// The rules and acknowledgments, by subject and content. The subjects aren't numbered yet.
    repeatable: BTreeMap<(ComparedSubject, Identities), Vec<Declaration>>,
}

/// The sorted identities of a declaration's statements.
type Identities = Vec<(String, String)>;

/// Returns the declarations in `roster`. If `name_zone` is set, local times include the name of their time zone.
pub(super) fn declarations(roster: &Roster, name_zone: bool) -> Declarations {
    let Roster {
        sources: _,
        setting_places: _,
        unused_defaults: _,
        timezone: _,
        allow_unicode_emails: _,
        workspace,
        policy,
        guardrails,
        acknowledgments,
        people,
    } = roster;
    let place = |key: &str| roster.setting_places.get(key).copied();
    let zone = name_zone.then(|| zone_name(roster));
    let mut single = BTreeMap::from([
        (ComparedSubject::Files, files(roster, place)),
        (ComparedSubject::Workspace, pin(workspace)),
        (ComparedSubject::Policy, stances(*policy, place)),
        (ComparedSubject::Guardrails, limits(guardrails, place)),
    ]);
    let rules = guardrails
        .role_rules
        .iter()
        .map(|rule| (ComparedSubject::Rule { emails: patterns(&rule.emails), number: 0 }, role_rule(rule)));
    let risks = acknowledgments.iter().map(|acknowledgment| {
        let (guardrail, of) = (acknowledgment.risk.guardrail, risk_subject(&acknowledgment.risk));
        let subject = ComparedSubject::Acknowledgment { guardrail, of, number: 0 };
        (subject, risk(acknowledgment, zone.as_deref()))
    });
    single.extend(people.iter().map(|person| {
        (ComparedSubject::Person { email: person.email.value.clone() }, declared(person, zone.as_deref()))
    }));
    let mut repeatable: BTreeMap<_, Vec<Declaration>> = BTreeMap::new();
    for (subject, declaration) in rules.chain(risks) {
        let mut identities: Identities = declaration.iter().map(DeclaredStatement::identity).collect();
        identities.sort_unstable();
        repeatable.entry((subject, identities)).or_default().push(declaration);
    }
    Declarations { single, repeatable }
}

impl Declarations {
    /// Returns the rules and acknowledgments that `other` doesn't have, regardless of their order in the files. If several have
    /// the same subject, they're numbered.
    pub(super) fn repeatable_missing_in(&self, other: &Self) -> BTreeMap<ComparedSubject, Declaration> {
        let mut counts: BTreeMap<&ComparedSubject, usize> = BTreeMap::new();
        let mut missing = BTreeMap::new();
        for (content, declarations) in &self.repeatable {
            let common = other.repeatable.get(content).map_or(0, Vec::len);
            for declaration in declarations.iter().skip(common) {
                let (subject, _) = content;
                let count = counts.entry(subject).or_default();
                let mut subject = subject.clone();
                if let ComparedSubject::Rule { number, .. } | ComparedSubject::Acknowledgment { number, .. } =
                    &mut subject
                {
                    *number = *count;
                }
                *count += 1;
                missing.insert(subject, declaration.clone());
            }
        }
        missing
    }
}

fn zone_name(roster: &Roster) -> String {
    roster.timezone.iana_name().unwrap_or("UTC").to_owned()
}

fn files(roster: &Roster, place: impl Fn(&str) -> Option<Place>) -> Declaration {
    let mut of = DeclarationBuilder::new(keys::ROOT);
    of.add("timezone", quoted(&zone_name(roster)), place("timezone"));
    of.add("allow_unicode_emails", roster.allow_unicode_emails.to_string(), place("allow_unicode_emails"));
    of.list
}

fn pin(workspace: &Workspace) -> Declaration {
    let Workspace { organization, region } = workspace;
    let mut of = DeclarationBuilder::new(keys::WORKSPACE);
    if let Some(Sourced { value, place }) = organization {
        of.add("organization", quoted(value), Some(*place));
    }
    if let Some(Sourced { value, place }) = region {
        of.add("region", quoted(value.as_str()), Some(*place));
    }
    of.list
}

fn stances(policy: Policy, place: impl Fn(&str) -> Option<Place>) -> Declaration {
    let Policy { fields, extra_roles } = policy;
    let mut of = DeclarationBuilder::new(keys::POLICY);
    let stances = fields.iter().map(|(field, stance)| (field.as_str(), *stance));
    for (key, stance) in stances.chain([("extra_roles", extra_roles)]) {
        of.add(key, quoted(stance.as_str()), place(&format!("policy.{key}")));
    }
    of.list
}

fn limits(rules: &GuardrailRules, place: impl Fn(&str) -> Option<Place>) -> Declaration {
    let GuardrailRules {
        max_changes,
        keep_at_least,
        keep_at_most,
        keep_active,
        protected,
        unmanaged,
        missing,
        role_rules: _, // each rule is a subject in its own right
    } = rules;
    let mut of = DeclarationBuilder::new(keys::GUARDRAIL);
    let at = |key: &str| place(&format!("guardrails.{key}"));
    of.add("max_changes", max_changes.to_string(), at("max_changes"));
    of.add("keep_active", keep_active.to_string(), at("keep_active"));
    of.add("unmanaged", quoted(unmanaged.as_str()), at("unmanaged"));
    of.add("missing", quoted(missing.as_str()), at("missing"));
    match keep_at_least {
        // If the key is omitted, add the documented default as if it were declared.
        None => {
            of.add("keep_at_least.Admin", DEFAULT_MINIMUM.to_string(), None);
        }
        Some(minimums) => minimums.iter().for_each(|minimum| role_limit(&mut of, "keep_at_least", minimum)),
    }
    keep_at_most.iter().for_each(|maximum| role_limit(&mut of, "keep_at_most", maximum));
    for email in protected {
        let value = quoted(email.value.as_str());
        of.repeat("protected", value, email.place).meaning = String::from(email.value.folded());
    }
    of.list
}

fn role_limit(of: &mut DeclarationBuilder, key: &str, limit: &RoleLimit) {
    let RoleLimit { role, holders } = limit;
    // Use one spelling for Admin. Its name and slug differ only in case, so `admin` would otherwise differ from the default.
    let name = if role.value.eq_ignore_ascii_case("admin") { "Admin" } else { &role.value };
    of.add(&format!("{key}.{}", toml_text::key(name)), holders.to_string(), Some(role.place));
}

/// Returns the sorted lowercase patterns, joined by commas.
fn patterns(patterns: &[Sourced<EmailPattern>]) -> String {
    let mut folded: Vec<&str> = patterns.iter().map(|pattern| pattern.value.folded()).collect();
    folded.sort_unstable();
    folded.join(", ")
}

fn role_rule(rule: &RoleRule) -> Declaration {
    let RoleRule { place: _, emails, except, roles, reason, on_violation } = rule;
    let mut of = DeclarationBuilder::new(keys::RULE);
    for (key, patterns) in [("emails", emails), ("except", except)] {
        for Sourced { value, place } in patterns {
            of.repeat(key, quoted(value.as_str()), *place).meaning = String::from(value.folded());
        }
    }
    for role in roles {
        of.repeat("roles", quoted(&role.value), role.place);
    }
    of.add("reason", quoted(&reason.value), Some(reason.place));
    of.add("on_violation", quoted(on_violation.value.as_str()), Some(on_violation.place));
    of.list
}

/// Returns the role or user an accepted risk is about, or an empty string if it's about neither.
fn risk_subject(risk: &AcknowledgedRisk) -> String {
    let role = risk.role.as_ref().map(|role| role.value.to_string());
    role.or_else(|| risk.user().map(|user| user.value.folded().to_owned())).unwrap_or_default()
}

fn risk(acknowledgment: &Acknowledgment, zone: Option<&str>) -> Declaration {
    let Acknowledgment { place: _, risk, reason, expires } = acknowledgment;
    let mut of = DeclarationBuilder::new(keys::ACKNOWLEDGE);
    let AcknowledgedRisk { guardrail: _, role, limit } = risk;
    if let Some(role) = role {
        of.add("role", quoted(&role.value), Some(role.place));
    }
    match limit {
        RiskLimit::UpTo(count) => {
            of.add("up_to", count.value.to_string(), Some(count.place));
        }
        RiskLimit::DownTo(count) => {
            of.add("down_to", count.value.to_string(), Some(count.place));
        }
        RiskLimit::User(user) => {
            of.add("user", quoted(user.value.as_str()), Some(user.place)).meaning =
                String::from(user.value.folded());
        }
    }
    of.add("reason", quoted(&reason.value), Some(reason.place));
    let statement = of.add("expires", expires.value.written.clone(), Some(expires.place));
    statement.meaning = expires.value.at.to_string();
    statement.zone = zone.filter(|_| !has_offset(&expires.value)).map(str::to_owned);
    of.list
}

fn declared(person: &DeclaredPerson, zone: Option<&str>) -> Declaration {
    let DeclaredPerson { email: _, values, windows } = person;
    let mut of = DeclarationBuilder::new(keys::PERSON);
    for (field, DeclaredValue { value: Sourced { value, place }, from_defaults }) in values.some() {
        let statement = of.add(field.as_str(), quoted(value), Some(*place));
        statement.from_defaults = *from_defaults;
        statement.roles.extend((field == Field::Role).then(|| value.to_string()));
    }
    for window in windows {
        let value = window_text(window, |moment| moment.written.clone());
        let statement = of.repeat("windows", value, window.place);
        statement.meaning = window_text(window, |moment| moment.at.to_string());
        let is_local = [&window.from, &window.until].into_iter().flatten().any(|at| !has_offset(&at.value));
        statement.zone = zone.filter(|_| is_local).map(str::to_owned);
        if let Some(set) = &window.sets.role {
            statement.roles.push(set.value.to_string());
            statement.roles.extend(values.role.as_ref().map(|replaced| replaced.value.value.to_string()));
        }
    }
    of.list
}

/// Returns a window as canonical TOML, with its times formatted by `show`.
fn window_text(window: &Window, show: impl Fn(&Moment) -> String) -> String {
    let Window { place: _, from, until, sets, then, reason } = window;
    let mut parts = Vec::new();
    for (key, moment) in [("from", from), ("until", until)] {
        parts.extend(moment.iter().map(|moment| format!("{key} = {}", show(&moment.value))));
    }
    let sets = sets.some().map(|(field, value)| (field.as_str(), &*value.value));
    let then = then.iter().map(|then| ("then", &*then.value));
    let reason = reason.iter().map(|reason| ("reason", reason.as_str()));
    parts.extend(sets.chain(then).chain(reason).map(|(key, value)| format!("{key} = {}", quoted(value))));
    format!("{{ {} }}", parts.join(", "))
}

/// Returns `true` if the time has an offset, which makes it independent of the files' time zone.
fn has_offset(moment: &Moment) -> bool {
    let time = moment.written.get(10..).unwrap_or_default();
    time.contains(['Z', 'z', '+', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_rank_whether_or_not_the_keys_before_it_are_declared() {
        let rank = |stated: &[&str]| {
            let mut of = DeclarationBuilder::new(&["first", "optional", "last"]);
            stated.iter().for_each(|key| drop(of.add(key, String::new(), None).key.clone()));
            of.list.last().map(|statement| statement.rank)
        };
        assert_eq!(rank(&["first", "optional", "last.of_many"]), Some(2));
        assert_eq!(rank(&["last"]), Some(2));
    }
}
