//! Parses a string as a roster and lists everything it declares.

use std::fs;

use rolecall::observed::HeldValues;
use rolecall::problem::Problems;
use rolecall::roster::{
    AcknowledgedRisk, Acknowledgment, DeclaredPerson, DeclaredValue, Email, EmailPattern, GuardrailRules,
    PerField, RiskLimit, RoleLimit, RoleRule, Roster, Window, Workspace,
};
use rolecall::source::Sourced;
use tempfile::TempDir;

/// Parses the contents of a `users.toml` with the production reader.
pub(crate) fn read(text: impl AsRef<[u8]>) -> Result<Roster, Problems> {
    thread_local! { static FOLDER: TempDir = tempfile::tempdir().unwrap(); }
    FOLDER.with(|folder| {
        let path = folder.path().join("users.toml");
        fs::write(&path, text).unwrap();
        Roster::read(&path)
    })
}

/// Returns the values of a person with this role ID and status in Pylon.
pub(crate) fn held(role: &str, status: &str) -> PerField<HeldValues> {
    PerField { role: HeldValues::one(role.into()), status: HeldValues::one(status.into()) }
}

/// Lists everything a roster declares, without the locations.
pub(crate) fn facts(roster: &Roster) -> Vec<String> {
    let Roster {
        sources: _,
        setting_places: _,
        unused_defaults: _,
        timezone,
        allow_unicode_emails,
        workspace,
        policy,
        guardrails,
        acknowledgments,
        people,
    } = roster;
    let Workspace { organization, region } = workspace;
    let GuardrailRules {
        max_changes,
        keep_at_least,
        keep_at_most,
        keep_active,
        protected,
        unmanaged,
        missing,
        role_rules,
    } = guardrails;
    let limit = |limit: &RoleLimit| {
        let RoleLimit { role, holders } = limit;
        (role.value.clone(), *holders)
    };
    let minimums = keep_at_least.as_ref().map(|minimums| minimums.iter().map(limit).collect::<Vec<_>>());
    let maximums: Vec<_> = keep_at_most.iter().map(limit).collect();
    let protected: Vec<&Email> = protected.iter().map(|email| &email.value).collect();
    let mut facts = vec![
        format!("{:?} {allow_unicode_emails} {policy:?}", timezone.iana_name()),
        format!("{:?} {:?}", organization.as_ref().map(|it| &it.value), region.as_ref().map(|it| it.value)),
        format!(
            "{max_changes:?} {minimums:?} {maximums:?} {keep_active} {protected:?} {unmanaged:?} {missing:?}"
        ),
    ];
    facts.extend(role_rules.iter().map(|rule| {
        let RoleRule { place: _, emails, except, roles, reason, on_violation } = rule;
        let texts = |patterns: &[Sourced<EmailPattern>]| {
            patterns.iter().map(|pattern| pattern.value.as_str().to_owned()).collect::<Vec<_>>()
        };
        let roles: Vec<_> = roles.iter().map(|role| &role.value).collect();
        format!(
            "rule {:?} {:?} {roles:?} {:?} {:?}",
            texts(emails),
            texts(except),
            reason.value,
            on_violation.value
        )
    }));
    facts.extend(acknowledgments.iter().map(|acknowledgment| {
        let Acknowledgment { place: _, risk, reason, expires } = acknowledgment;
        let AcknowledgedRisk { guardrail, role, limit } = risk;
        let role = role.as_ref().map(|role| &role.value);
        let limit = match limit {
            RiskLimit::UpTo(count) => format!("up to {}", count.value),
            RiskLimit::DownTo(count) => format!("down to {}", count.value),
            RiskLimit::User(email) => format!("for {}", email.value),
        };
        format!("{} {role:?} {limit} {:?} {:?}", guardrail.as_str(), reason.value, expires.value)
    }));
    facts.extend(people.iter().map(fact));
    facts
}

/// Describes everything declared for a person.
fn fact(person: &DeclaredPerson) -> String {
    let DeclaredPerson { email, values, windows } = person;
    let values: Vec<_> = values
        .some()
        .map(|(field, DeclaredValue { value, from_defaults })| (field, &value.value, from_defaults))
        .collect();
    let window = |window: &Window| {
        let Window { place: _, from, until, sets, then, reason } = window;
        let moments = [from, until].map(|moment| moment.as_ref().map(|moment| moment.value.clone()));
        let sets: Vec<_> = sets.some().map(|(field, value)| (field, &value.value)).collect();
        let then = then.as_ref().map(|then| &then.value);
        format!("{moments:?} {sets:?} {then:?} {reason:?}")
    };
    let windows: Vec<String> = windows.iter().map(window).collect();
    format!("{} {values:?} {windows:?}", email.value.as_str())
}

pub(crate) fn tree(text: &str) -> toml::Table {
    text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Compares two TOML trees, treating NaN as equal to itself.
pub(crate) fn is_same(one: &toml::Table, other: &toml::Table) -> bool {
    one == other || format!("{one:?}") == format!("{other:?}")
}
