//! What two versions of the files declare differently, without asking anybody.
//!
//! `statements` says of each version what it declares, subject by subject, as canonical TOML; here the two are laid
//! beside each other. Compared is what is meant: a default written out, another order, other letter case in an address or
//! a person moved to another file is no difference. Every subject that differs is in the [`Comparison`], once.

mod statements;

use std::collections::{BTreeMap, HashSet};

use schemars::JsonSchema;
use serde::Serialize;

use crate::roster::{Email, Roster};
use crate::source::Place;
use statements::{Declaration, Statement};

/// Everything that two versions declare differently, in the order of [`ComparedSubject`]. Empty where they mean the same.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    pub differences: Vec<Difference>,
}

/// What is declared about; in the order in which it is told, since what holds for everybody weighs most.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum ComparedSubject {
    Workspace,
    Policy,
    /// The limits of an apply.
    Guardrails,
    /// One risk that is accepted.
    Acknowledgment {
        guardrail: &'static str,
        /// The role or the user; empty where the guardrail has neither.
        #[serde(skip_serializing_if = "String::is_empty")]
        of: String,
        /// Tells several of one kind apart, from 0.
        #[serde(skip)]
        number: usize,
    },
    /// Keys of the root file that stand in no table.
    Files,
    /// A person, by the declared address.
    Person {
        /// The address by which the person is declared.
        #[schemars(with = "String")]
        email: Email,
    },
}

/// A subject of which the versions say different things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub subject: ComparedSubject,
    /// Whether one version says nothing of it.
    pub kind: Kind,
    /// The keys that differ, in canonical order.
    pub items: Vec<Item>,
}

/// Which versions speak of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Added,
    Removed,
    Changed,
}

/// A key of which the versions say different things. At least one of the two is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The key: `role`, `windows`, `max_changes`, `keep_at_least.Admin`.
    pub key: String,
    /// What the old version says.
    pub old: Option<StatedValue>,
    /// What the new version says.
    pub new: Option<StatedValue>,
    /// Whether a reviewer must not miss it: a guarded role, a guardrail, a policy, an accepted risk, the pin.
    pub weighty: bool,
    /// Whether it names a role that may be a kept one. Only Pylon knows which name, slug, and ID mean the same role.
    pub unresolved: bool,
}

/// What a version says of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatedValue {
    pub value: String,
    /// The zone in which its times are meant, where the versions differ in that and it has times without an offset.
    pub zone: Option<String>,
    /// Where it stands; nothing where it is rolecall's own default.
    pub place: Option<Place>,
    /// It comes from the `[defaults]` of its file.
    pub from_defaults: bool,
}

impl Comparison {
    /// Lays two versions beside each other.
    pub fn between(old: &Roster, new: &Roster) -> Self {
        let zones_differ = old.timezone != new.timezone;
        let mut olds = statements::declarations(old, zones_differ);
        let kept = GuardedRoles::new(&[old, new]);
        let mut differences = Vec::new();
        for (subject, new) in statements::declarations(new, zones_differ) {
            let old = olds.remove(&subject);
            differences.extend(difference(subject, old, Some(new), &kept));
        }
        differences.extend(
            olds.into_iter().filter_map(|(subject, old)| difference(subject, Some(old), None, &kept)),
        );
        differences.sort_by(|one, other| one.subject.cmp(&other.subject));
        Self { differences }
    }
}

/// The roles, in lower case, that either version keeps. A change of one is worth a second look.
struct GuardedRoles(HashSet<String>);

/// Whether a role that a file names is one of the guarded roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kept {
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

    /// A file names a role by name, slug, or ID, and a guarded role may be named in another way elsewhere.
    fn has(&self, role: &str) -> Kept {
        let role = role.to_lowercase();
        if self.0.contains(&role) {
            return Kept::Yes;
        }
        let is_built_in = BUILT_IN.contains(&role.as_str());
        let may_be_another_spelling = |kept: &String| {
            let kept_is_built_in = BUILT_IN.contains(&kept.as_str());
            if is_built_in {
                !kept_is_built_in && may_be_id(kept)
            } else {
                !kept_is_built_in || may_be_id(&role)
            }
        };
        if self.0.iter().any(may_be_another_spelling) { Kept::Unknown } else { Kept::No }
    }
}

/// Whether a spelling may be the ID of a role. Pylon's IDs are UUIDs (Pylon API, "Users"), and other systems have `role_1`.
fn may_be_id(role: &str) -> bool {
    !role.contains(char::is_whitespace) && role.contains(|char: char| char.is_ascii_digit() || char == '_')
}

fn difference(
    subject: ComparedSubject,
    old: Option<Declaration>,
    new: Option<Declaration>,
    kept: &GuardedRoles,
) -> Option<Difference> {
    let kind = match (&old, &new) {
        (None, _) => Kind::Added,
        (_, None) => Kind::Removed,
        (Some(_), Some(_)) => Kind::Changed,
    };
    let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
    let items = items(&subject, old, new, kept);
    // Somebody who is declared with nothing said of them is declared all the same.
    (kind != Kind::Changed || !items.is_empty()).then_some(Difference { subject, kind, items })
}

/// The statements that differ. One key may have several (windows): those that both versions make are no difference.
fn items(subject: &ComparedSubject, old: Declaration, new: Declaration, kept: &GuardedRoles) -> Vec<Item> {
    let common: HashSet<(String, String)> = {
        let of_old: HashSet<_> = old.iter().map(Statement::identity).collect();
        new.iter().map(Statement::identity).filter(|identity| of_old.contains(identity)).collect()
    };
    let differs = |statement: &Statement| !common.contains(&statement.identity());
    // Sorted by the rank of the key; what is repeated of one key stays in the order of its file, the old before the new.
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
            let found = roles.map(|role| kept.has(role)).max().unwrap_or(Kept::No);
            let weighty = match subject {
                ComparedSubject::Person { .. } => found != Kept::No,
                ComparedSubject::Acknowledgment { .. }
                | ComparedSubject::Guardrails
                | ComparedSubject::Policy
                | ComparedSubject::Workspace
                | ComparedSubject::Files => true,
            };
            let (old, new) = (old.map(|statement| statement.said), new.map(|statement| statement.said));
            items.push(Item { key: key.clone(), old, new, weighty, unresolved: found == Kept::Unknown });
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
    fn a_role_that_may_be_a_kept_one_in_another_spelling_is_unknown() {
        let kept = |roles: &[&str]| {
            GuardedRoles(roles.iter().chain(&["admin"]).map(|role| (*role).to_owned()).collect())
        };
        let uuid = "0b9e7c52-4c0f-4b5e-9a57-0f3f8f1f2d11";
        for (kept, role, expected) in [
            (kept(&[]), "Admin", Kept::Yes),
            (kept(&[]), "member", Kept::No),
            (kept(&[]), "Support Lead", Kept::No),
            (kept(&[]), uuid, Kept::Unknown),
            (kept(&[]), "role_admin", Kept::Unknown),
            (kept(&["team lead"]), "Team Lead", Kept::Yes),
            (kept(&["team lead"]), "lead-emea", Kept::Unknown),
            (kept(&["team lead"]), "Viewer", Kept::No),
            (kept(&[uuid]), "Viewer", Kept::Unknown),
            (kept(&[uuid]), uuid, Kept::Yes),
        ] {
            assert_eq!(kept.has(role), expected, "{role} of {:?}", kept.0);
        }
    }
}
