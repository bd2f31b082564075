//! Compares what two versions of the files declare, without a request to Pylon.
//!
//! `statements` turns each version into canonical TOML, subject by subject. This module pairs the two and keeps what differs.
//! Each subject that differs is in the [`Comparison`] exactly once.
//!
//! The comparison is about meaning. These are not differences: a default that is written out, another order, another letter case
//! in an address, and a person who moved to another file.

mod statements;

use std::collections::{BTreeMap, HashSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::roster::{Email, Guardrail, Roster};
use crate::source::Place;
use statements::{Declaration, Statement};

/// Lists what two versions declare differently, in the order of [`ComparedSubject`]. It is empty if they mean the same.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    pub differences: Vec<Difference>,
}

/// What a difference is about. The order is that of the report: settings that apply to all people come first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum ComparedSubject {
    Workspace,
    Policy,
    Guardrails,
    Rule {
        /// The patterns of `emails`, with commas between them.
        emails: String,
        /// Counts from 0 if several rules have the same patterns.
        #[serde(skip)]
        number: usize,
    },
    Acknowledgment {
        guardrail: Guardrail,
        /// The role or the user that the risk is about. It is empty if the guardrail is about neither.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        of: String,
        /// Counts from 0 if several acknowledgments have the same guardrail and the same `of`.
        #[serde(skip)]
        number: usize,
    },
    /// The keys of the root file that are not in a table.
    Files,
    Person {
        /// The address by which the person is declared.
        #[schemars(with = "String")]
        email: Email,
    },
}

/// A subject that the two versions declare differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub subject: ComparedSubject,
    pub kind: Kind,
    /// The keys that differ, in canonical order.
    pub items: Vec<Item>,
}

/// Whether both versions declare a subject, or only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Added,
    Removed,
    Changed,
}

/// A key that the two versions declare differently. At least one of `old` and `new` is `Some`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// This is the name below its subject, such as `role`, `windows`, or `keep_at_least.Admin`.
    pub key: String,
    /// `None` if the old version does not declare the key.
    pub old: Option<StatedValue>,
    /// `None` if the new version does not declare the key.
    pub new: Option<StatedValue>,
    /// Whether the report marks it for the reviewer. All settings are marked, and all roles that are or may be guarded.
    pub sensitive: bool,
    /// Whether it names a role that may be a guarded one. Only Pylon knows which name, slug, and ID mean the same role.
    pub unresolved: bool,
}

/// What one version declares as the value of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatedValue {
    pub value: String,
    /// The time zone of its local times. `None` if both versions use the same zone, or if every time has an offset.
    pub zone: Option<String>,
    /// `None` if it is a built-in default, which no file declares.
    pub place: Option<Place>,
    /// Whether it comes from the `[defaults]` of its file.
    pub from_defaults: bool,
}

impl Comparison {
    /// Compares two versions.
    pub fn between(old: &Roster, new: &Roster) -> Self {
        let zones_differ = old.timezone != new.timezone;
        let mut olds = statements::declarations(old, zones_differ);
        let guarded = GuardedRoles::new(&[old, new]);
        let mut differences = Vec::new();
        for (subject, new) in statements::declarations(new, zones_differ) {
            let old = olds.remove(&subject);
            differences.extend(difference(subject, old, Some(new), &guarded));
        }
        differences.extend(
            olds.into_iter().filter_map(|(subject, old)| difference(subject, Some(old), None, &guarded)),
        );
        differences.sort_by(|one, other| one.subject.cmp(&other.subject));
        Self { differences }
    }
}

/// The guarded roles of both versions, in lowercase. The report marks each change of such a role.
struct GuardedRoles(HashSet<String>);

/// Whether a role that a file names is a guarded role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Guarded {
    No,
    Unknown,
    Yes,
}

/// The roles that every organization has. Their names and slugs differ only in case.
const BUILT_IN: [&str; 3] = ["admin", "member", "viewer"];

impl GuardedRoles {
    fn new(rosters: &[&Roster]) -> Self {
        let minimums = rosters.iter().flat_map(|roster| roster.guardrails.keep_at_least.iter().flatten());
        Self(minimums.map(|minimum| minimum.role.value.to_lowercase()).chain(["admin".to_owned()]).collect())
    }

    /// Returns whether the files guard this role. A file may name a role by its name, slug, or ID, so the same role may be spelled
    /// differently elsewhere. Then the result is `Unknown`.
    fn has(&self, role: &str) -> Guarded {
        let role = role.to_lowercase();
        if self.0.contains(&role) {
            return Guarded::Yes;
        }
        let is_built_in = BUILT_IN.contains(&role.as_str());
        let may_be_another_spelling = |guarded: &String| {
            let guarded_is_built_in = BUILT_IN.contains(&guarded.as_str());
            if is_built_in {
                !guarded_is_built_in && may_be_id(guarded)
            } else {
                !guarded_is_built_in || may_be_id(&role)
            }
        };
        if self.0.iter().any(may_be_another_spelling) { Guarded::Unknown } else { Guarded::No }
    }
}

/// Returns whether a spelling may be the ID of a role. Pylon's IDs are UUIDs (Pylon API, "Users"). Other systems use IDs such as
/// `role_1`.
fn may_be_id(role: &str) -> bool {
    !role.contains(char::is_whitespace) && role.contains(|char: char| char.is_ascii_digit() || char == '_')
}

fn difference(
    subject: ComparedSubject,
    old: Option<Declaration>,
    new: Option<Declaration>,
    guarded: &GuardedRoles,
) -> Option<Difference> {
    let kind = match (&old, &new) {
        (None, _) => Kind::Added,
        (_, None) => Kind::Removed,
        (Some(_), Some(_)) => Kind::Changed,
    };
    let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
    let items = items(&subject, old, new, guarded);
    // A person or a risk that was added or removed is a difference even without any keys, such as `"ana@acme.example" = {}`.
    (kind != Kind::Changed || !items.is_empty()).then_some(Difference { subject, kind, items })
}

/// Returns the statements that differ. A key such as `windows` may have several statements. Those in both versions are left out.
fn items(subject: &ComparedSubject, old: Declaration, new: Declaration, guarded: &GuardedRoles) -> Vec<Item> {
    let common: HashSet<(String, String)> = {
        let of_old: HashSet<_> = old.iter().map(Statement::identity).collect();
        new.iter().map(Statement::identity).filter(|identity| of_old.contains(identity)).collect()
    };
    let differs = |statement: &Statement| !common.contains(&statement.identity());
    // Sorted by the rank of the key. Repeated statements of one key keep the order of their file, the old ones first.
    let mut by_key: BTreeMap<(usize, String), (Vec<Statement>, Vec<Statement>)> = BTreeMap::new();
    for statement in old.into_iter().filter(differs) {
        by_key.entry((statement.rank, statement.key.clone())).or_default().0.push(statement);
    }
    for statement in new.into_iter().filter(differs) {
        by_key.entry((statement.rank, statement.key.clone())).or_default().1.push(statement);
    }
    let mut items = Vec::new();
    for ((_, key), (olds, news)) in by_key {
        let mut item = |old: Option<Statement>, new: Option<Statement>| {
            let roles = [&old, &new].into_iter().flatten().filter_map(Statement::role);
            let found = roles.map(|role| guarded.has(role)).max().unwrap_or(Guarded::No);
            let sensitive = match subject {
                ComparedSubject::Person { .. } => found != Guarded::No,
                ComparedSubject::Acknowledgment { .. }
                | ComparedSubject::Guardrails
                | ComparedSubject::Rule { .. }
                | ComparedSubject::Policy
                | ComparedSubject::Workspace
                | ComparedSubject::Files => true,
            };
            let (old, new) = (old.map(|statement| statement.stated), new.map(|statement| statement.stated));
            items.push(Item { key: key.clone(), old, new, sensitive, unresolved: found == Guarded::Unknown });
        };
        let is_repeated = olds.iter().chain(&news).any(|statement| statement.repeats);
        if is_repeated {
            olds.into_iter().for_each(|old| item(Some(old), None));
            news.into_iter().for_each(|new| item(None, Some(new)));
        } else {
            item(olds.into_iter().next(), news.into_iter().next());
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_role_that_may_be_another_spelling_of_a_guarded_role_is_unknown() {
        let guarded = |roles: &[&str]| {
            GuardedRoles(roles.iter().chain(&["admin"]).map(|role| (*role).to_owned()).collect())
        };
        let uuid = "0b9e7c52-4c0f-4b5e-9a57-0f3f8f1f2d11";
        for (guarded, role, expected) in [
            (guarded(&[]), "Admin", Guarded::Yes),
            (guarded(&[]), "member", Guarded::No),
            (guarded(&[]), "Support Lead", Guarded::No),
            (guarded(&[]), uuid, Guarded::Unknown),
            (guarded(&[]), "role_admin", Guarded::Unknown),
            (guarded(&["team lead"]), "Team Lead", Guarded::Yes),
            (guarded(&["team lead"]), "lead-emea", Guarded::Unknown),
            (guarded(&["team lead"]), "Viewer", Guarded::No),
            (guarded(&[uuid]), "Viewer", Guarded::Unknown),
            (guarded(&[uuid]), uuid, Guarded::Yes),
        ] {
            assert_eq!(guarded.has(role), expected, "{role} of {:?}", guarded.0);
        }
    }
}
