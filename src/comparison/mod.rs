//! Compares two versions of the files offline.
//!
//! `statements` converts each version to canonical TOML, one subject (such as a person or a rule) at a time. This module pairs up
//! the subjects of both versions, and each subject that differs results in exactly one [`DifferenceEntry`].
//!
//! The comparison is semantic. It ignores a default that is spelled out, the order of entries, the case of an address, and the
//! file in which a person is declared.

mod statements;

use std::collections::{BTreeMap, HashSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::every::words;
use crate::observed::{RoleCatalog, RoleId};
use crate::printable::Printable;
use crate::roster::{Email, Guardrail, Roster};
use crate::source::{Location, Sources};
use statements::{Declaration, DeclaredStatement};

/// The subject of a difference. Reports use the order of the variants, which puts settings that affect everyone first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum ComparedSubject {
    Workspace,
    Policy,
    Guardrails,
    Rule {
        /// The patterns in `emails`, joined by commas.
        emails: String,
        /// Distinguishes rules with the same patterns. Starts at 0.
        #[serde(skip)]
        number: usize,
    },
    Acknowledgment {
        guardrail: Guardrail,
        /// The role or user the risk is about. Empty if the risk isn't about a specific role or user.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        of: String,
        /// Distinguishes acknowledgments with the same guardrail and the same `of`. Starts at 0.
        #[serde(skip)]
        number: usize,
    },
    /// The top-level keys of the root file.
    Files,
    Person {
        /// The person's declared address.
        #[schemars(with = "String")]
        email: Email,
    },
}

/// A person or a setting that differs.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DifferenceEntry {
    pub subject: ComparedSubject,
    pub kind: Kind,
    /// Sorted in the canonical order of the keys.
    pub items: Vec<ItemLine>,
    /// The roles a person keeps in Pylon after being removed from the files. Only set in a plan with a base version.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keeps: Vec<Printable>,
    /// Whether one of the roles in `keeps` is guarded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keeps_guarded: bool,
}

/// Whether a subject was added, removed, or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Added,
    Removed,
    Changed,
}

/// A key that differs between the two versions. At least one of `old` and `new` is set.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ItemLine {
    pub key: Printable,
    pub old: Option<ComparedValue>,
    pub new: Option<ComparedValue>,
    /// Whether the difference is important to review. `true` for settings, and for roles that are or might be guarded.
    pub sensitive: bool,
    /// Whether the value names a role that might be guarded. Without Pylon, names, slugs, and IDs cannot be matched to each
    /// other.
    pub unresolved: bool,
    /// The reason the plan does not write the difference. Only set in a plan with a base version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unwritten: Option<Unwritten>,
}

/// A key's declared value in one of the versions.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ComparedValue {
    /// The value, written in TOML.
    pub value: Printable,
    /// The time zone of local times in the value. `null` if both versions use the same one, or if the value has no local times.
    pub zone: Option<Printable>,
    /// Where the value is declared. `null` if it is a built-in default.
    pub location: Option<Location>,
    /// Whether the value comes from the `[defaults]` of its file.
    pub from_defaults: bool,
}

words! {
    /// The reason a plan does not write a difference between two versions of the files.
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum Unwritten {
        /// Pylon already has the new value.
        AlreadyInPylon = "Pylon has this value",
        /// The plan sets this value, either for another reason or as part of a window.
        InThisPlan = "set by a change above",
        /// A window determines when the value applies.
        OnADate = "takes effect on a date",
        /// A window that never ends sets the field instead.
        BehindWindow = "a window without an end sets another value",
        /// The window has ended.
        WindowEnded = "the window has ended",
        /// The person was not found in Pylon or is deactivated there.
        NotFound = "not found or deactivated in Pylon",
        /// The policy does not enforce the field.
        NotEnforced = "not enforced by the policy",
        /// The person or the value is no longer declared. Pylon keeps the current value.
        NoLongerDeclared = "no longer declared",
        /// The person is now declared under another of their addresses.
        OtherAddress = "declared under another address",
        /// The difference is in a setting, not in a person's values.
        Setting = "setting",
    }
}

/// Returns all differences between two versions, in the order of [`ComparedSubject`]. The list is empty if the versions are
/// equivalent. With the roles in Pylon (`roles`), guarded roles are recognized in any spelling: name, slug, or ID.
pub fn differences(old: &Roster, new: &Roster, roles: Option<&RoleCatalog>) -> Vec<DifferenceEntry> {
    let guarded = GuardedRoles::new(&[old, new], roles);
    let sources = [&old.sources, &new.sources];
    let zones_differ = old.timezone != new.timezone;
    let [old, new] = [old, new].map(|roster| statements::declarations(roster, zones_differ));
    let (mut missing, added) = (old.repeatable_missing_in(&new), new.repeatable_missing_in(&old));
    pair_rules_by_reason(&mut missing, &added);
    let mut olds = old.single;
    olds.extend(missing);
    let mut differences = Vec::new();
    for (subject, new) in new.single.into_iter().chain(added) {
        let old = olds.remove(&subject);
        differences.extend(difference(subject, old, Some(new), &guarded, sources));
    }
    for (subject, old) in olds {
        differences.extend(difference(subject, Some(old), None, &guarded, sources));
    }
    differences.sort_by(|one, other| one.subject.cmp(&other.subject));
    differences
}

/// Pairs an old rule with the new rule that has the same reason, by giving the old rule the new rule's subject. Without this, a
/// rule whose `emails` changed would be reported as one rule removed and one added. Rules that share their reason with others
/// aren't paired.
fn pair_rules_by_reason(
    missing: &mut BTreeMap<ComparedSubject, Declaration>,
    added: &BTreeMap<ComparedSubject, Declaration>,
) {
    let mut by_reason: BTreeMap<&str, [Vec<&ComparedSubject>; 2]> = BTreeMap::new();
    for (version, (rules, others)) in [(&*missing, added), (added, &*missing)].into_iter().enumerate() {
        for (subject, rule) in rules.iter().filter(|(subject, _)| !others.contains_key(subject)) {
            if let ComparedSubject::Rule { .. } = subject
                && let Some(reason) = rule.iter().find(|statement| statement.key == "reason")
            {
                by_reason.entry(&reason.value).or_default()[version].push(subject);
            }
        }
    }
    let pairs = by_reason.into_values().filter_map(|rules| match rules.each_ref().map(Vec::as_slice) {
        [[old], [new]] => Some(((*old).clone(), (*new).clone())),
        _ => None,
    });
    for (old, new) in pairs.collect::<Vec<_>>() {
        if let Some(rule) = missing.remove(&old) {
            missing.insert(new, rule);
        }
    }
}

/// The roles with a minimum in either version, and Admin. The report flags every change to one of these roles.
struct GuardedRoles<'r> {
    /// The roles as spelled in the files, in lowercase.
    written: HashSet<String>,
    /// The roles in Pylon and the IDs of the guarded ones, or `None` if Pylon's roles aren't known.
    known: Option<(&'r RoleCatalog, HashSet<&'r RoleId>)>,
}

/// Whether a role in the files is guarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Guarded {
    No,
    Unknown,
    Yes,
}

/// Roles that every organization has. Their names and slugs are identical except for case.
const BUILT_IN: [&str; 3] = ["admin", "member", "viewer"];

impl<'r> GuardedRoles<'r> {
    fn new(rosters: &[&Roster], catalog: Option<&'r RoleCatalog>) -> Self {
        let minimums = rosters.iter().flat_map(|roster| roster.guardrails.keep_at_least.iter().flatten());
        let roles: Vec<&str> = minimums.map(|minimum| &*minimum.role.value).collect();
        let known = catalog.map(|catalog| {
            let admin = catalog.admin().map(|role| &role.id);
            let guarded = roles.iter().filter_map(|role| catalog.only(role)).map(|role| &role.id);
            (catalog, guarded.chain(admin).collect())
        });
        Self { written: roles.iter().chain(&["admin"]).map(|role| role.to_lowercase()).collect(), known }
    }

    /// Returns whether the files guard this role. The result can be `Unknown`: files can refer to a role by name, slug, or
    /// ID, and only Pylon knows which of them match.
    fn has(&self, role: &str) -> Guarded {
        let folded = role.to_lowercase();
        if self.written.contains(&folded) {
            return Guarded::Yes;
        }
        if let Some((catalog, guarded)) = &self.known {
            match catalog.meant(role)[..] {
                [role] if guarded.contains(&role.id) => return Guarded::Yes,
                [] | [_] => return Guarded::No,
                _ => {} // ambiguous
            }
        }
        let is_built_in = |role: &str| BUILT_IN.contains(&role);
        let may_be_another_spelling = |guarded: &String| match (is_built_in(&folded), is_built_in(guarded)) {
            (true, true) => false,
            (true, false) => may_be_id(guarded),
            (false, true) => may_be_id(&folded),
            (false, false) => true,
        };
        if self.written.iter().any(may_be_another_spelling) { Guarded::Unknown } else { Guarded::No }
    }
}

/// Returns `true` if the string could be a role ID rather than a name. Pylon uses UUIDs (Pylon API, "Users"), and the sandbox
/// uses IDs such as `role_1`.
fn may_be_id(role: &str) -> bool {
    !role.contains(char::is_whitespace) && role.contains(|char: char| char.is_ascii_digit() || char == '_')
}

fn difference(
    subject: ComparedSubject,
    old: Option<Declaration>,
    new: Option<Declaration>,
    guarded: &GuardedRoles<'_>,
    sources: [&Sources; 2],
) -> Option<DifferenceEntry> {
    let kind = match (&old, &new) {
        (None, _) => Kind::Added,
        (_, None) => Kind::Removed,
        (Some(_), Some(_)) => Kind::Changed,
    };
    let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
    let items = items(&subject, old, new, guarded, sources);
    // An added or removed subject counts as a difference even if it has no keys, as in `"ana@acme.example" = {}`.
    (kind != Kind::Changed || !items.is_empty()).then_some(DifferenceEntry {
        subject,
        kind,
        items,
        keeps: Vec::new(),
        keeps_guarded: false,
    })
}

/// Returns the keys that differ. A key such as `windows` can have several statements. Statements found in both versions are
/// left out.
fn items(
    subject: &ComparedSubject,
    old: Declaration,
    new: Declaration,
    guarded: &GuardedRoles<'_>,
    [old_sources, new_sources]: [&Sources; 2],
) -> Vec<ItemLine> {
    let common: HashSet<(String, String)> = {
        let of_old: HashSet<_> = old.iter().map(DeclaredStatement::identity).collect();
        new.iter().map(DeclaredStatement::identity).filter(|identity| of_old.contains(identity)).collect()
    };
    let differs = |statement: &DeclaredStatement| !common.contains(&statement.identity());
    // Sorted by the rank of the key. Repeated statements for a key remain in file order, with the old ones first.
    let mut by_key: BTreeMap<(usize, String), [Vec<DeclaredStatement>; 2]> = BTreeMap::new();
    for (version, statements) in [old, new].into_iter().enumerate() {
        for statement in statements.into_iter().filter(differs) {
            by_key.entry((statement.rank, statement.key.clone())).or_default()[version].push(statement);
        }
    }
    let mut items = Vec::new();
    for ((_, key), [olds, news]) in by_key {
        let mut item = |old: Option<DeclaredStatement>, new: Option<DeclaredStatement>| {
            let roles = [&old, &new].into_iter().flatten().flat_map(|statement| &statement.roles);
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
            items.push(ItemLine {
                key: Printable::new(&key),
                old: old.map(|statement| statement.shown(old_sources)),
                new: new.map(|statement| statement.shown(new_sources)),
                sensitive,
                unresolved: found == Guarded::Unknown,
                unwritten: None,
            });
        };
        let is_repeated = olds.iter().chain(&news).any(|statement| statement.repeats);
        if is_repeated {
            olds.into_iter().for_each(|old| item(Some(old), None));
            news.into_iter().for_each(|new| item(None, Some(new)));
        } else {
            // A limit of a role can be declared once per spelling of the role, so there may be several pairs.
            let (mut olds, mut news) = (olds.into_iter(), news.into_iter());
            loop {
                match (olds.next(), news.next()) {
                    (None, None) => break,
                    (old, new) => item(old, new),
                }
            }
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
        let guarded = |roles: &[&str]| GuardedRoles {
            written: roles.iter().chain(&["admin"]).map(|role| (*role).to_owned()).collect(),
            known: None,
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
            assert_eq!(guarded.has(role), expected, "{role} of {:?}", guarded.written);
        }
    }
}
