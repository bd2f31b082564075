//! Finds out who last set each out-of-sync value, based on the audit log. The result is one [`BlameLine`] for each edit with a
//! matching entry.
//!
//! This module does no I/O. Matching is lenient because Pylon can add action and attribute names at any time. An entry matches
//! an edit if its object is the person and its action mentions the field. Values in the attributes are used only if present.
//! The newest matching entry wins, regardless of the order in which entries arrive.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Plan;
use crate::observed::{ObservedState, Person, RoleCatalog, UserId};
use crate::printable::Printable;
use crate::roster::{Field, FieldValue};

/// An audit log entry (Pylon API, `POST /audit-logs/search`), reduced to the fields we use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    pub id: String,
    /// The action, such as `UserRoleChanged`. Pylon might add more actions.
    pub action: String,
    pub happened_at: Timestamp,
    /// The ID of the user or other object that was modified.
    pub object: String,
    /// The source of the change, such as `api` or `app`. Pylon might add more sources. Empty if the entry has no source.
    pub source: String,
    /// The ID of the user who made the change, if the entry has one.
    pub actor: Option<String>,
    /// Details, keyed by name. The names depend on the action, and Pylon might add more.
    pub attributes: BTreeMap<String, String>,
}

/// The newest audit log entry about one of the person's fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BlameLine {
    /// `null` if the log does not name an actor.
    pub actor_id: Option<Printable>,
    /// `actor_name` and `actor_email` are `null` if the actor is not, or is no longer, a user of the organization.
    pub actor_name: Option<Printable>,
    pub actor_email: Option<Printable>,
    /// The origin of the change, such as `api` or `app`.
    pub source: Option<Printable>,
    /// The action name from the log.
    pub action: Printable,
    /// The instant as an RFC 3339 timestamp in UTC.
    #[schemars(with = "String")]
    pub at: Timestamp,
    pub old: Option<Printable>,
    pub new: Option<Printable>,
    /// Whether Pylon no longer has the logged value, which means the log is missing a later change.
    pub outdated: bool,
}

/// The values to look up in the audit log, such as those that a plan would edit. Each one comes with the newest matching log
/// entry found so far.
#[derive(Debug, Clone)]
pub struct Drift<'a> {
    roles: &'a RoleCatalog,
    edits: BTreeMap<(UserId, Field), PresentValues>,
}

/// A person's current values for a field in Pylon, and the newest matching audit log entry found so far.
#[derive(Debug, Clone)]
struct PresentValues {
    field: Field,
    values: Vec<FieldValue>,
    newest: Option<AuditEntry>,
}

impl Field {
    /// Returns `true` if an action or attribute name mentions this field. For example, `UserRoleChanged` and `user.role.updated`
    /// mention the role, but `AccessControlEnabled` doesn't.
    fn is_mentioned_in(self, name: &str) -> bool {
        let is_it = |word: &String| {
            [self.as_str(), self.facts().plural]
                .iter()
                .any(|field| word.starts_with(field) || word.ends_with(field))
        };
        words(name).iter().any(is_it)
    }
}

impl<'a> Drift<'a> {
    /// Prepares to look up every edit of a plan, including differences that the policy only observes.
    pub fn new(plan: &'a Plan, roles: &'a RoleCatalog) -> Self {
        let edits = plan.changes.iter().chain(&plan.observed).flat_map(|change| {
            change.edits.iter().map(|edit| {
                let present = PresentValues::new(edit.field, [&edit.from[..], &edit.through_scim].concat());
                ((change.subject.id.clone(), edit.field), present)
            })
        });
        Self { roles, edits: edits.collect() }
    }

    /// Prepares to look up the given fields of the given people.
    pub fn of<'p>(fields: impl IntoIterator<Item = (&'p Person, Field)>, roles: &'a RoleCatalog) -> Self {
        let edits = fields.into_iter().map(|(person, field)| {
            let present = PresentValues::new(field, person.held[field].all().cloned().collect());
            ((person.id.clone(), field), present)
        });
        Self { roles, edits: edits.collect() }
    }

    /// Keeps only the values for which `is_asked` returns `true`.
    pub fn retain(&mut self, is_asked: impl Fn(&UserId, Field) -> bool) {
        self.edits.retain(|(id, field), _| is_asked(id, *field));
    }

    /// Returns the users to look up, without duplicates.
    pub fn people(&self) -> Vec<UserId> {
        let people: BTreeSet<&UserId> = self.edits.keys().map(|(id, _)| id).collect();
        people.into_iter().cloned().collect()
    }

    /// Records `entry` for each matching edit, unless a newer entry is known.
    pub fn take(&mut self, entry: &AuditEntry) {
        let Some(object) = UserId::new(&entry.object) else { return };
        for field in Field::ALL.into_iter().filter(|field| field.is_mentioned_in(&entry.action)) {
            let Some(edit) = self.edits.get_mut(&(object.clone(), field)) else { continue };
            // Pylon's support hours can react to a change immediately, which results in two entries with the same timestamp.
            // Prefer the one that set the current value.
            let rank = |entry: &AuditEntry| {
                let sets_present = is_present(self.roles, edit, entry) == Some(true);
                (entry.happened_at, sets_present, entry.id.clone())
            };
            if edit.newest.as_ref().is_none_or(|newest| rank(newest) < rank(entry)) {
                edit.newest = Some(entry.clone());
            }
        }
    }

    /// Returns `true` if an entry has been found for every edit of these people.
    pub fn has_all(&self, people: &[UserId]) -> bool {
        let mut fields = people.iter().flat_map(|id| Field::ALL.map(|field| (id.clone(), field)));
        fields.all(|key| self.edits.get(&key).is_none_or(|edit| edit.newest.is_some()))
    }

    /// Returns a [`BlameLine`] for each edit that has an entry. Actor names are taken from `observed`.
    pub fn into_blames(self, observed: &ObservedState) -> BTreeMap<(UserId, Field), BlameLine> {
        let Self { roles, edits } = self;
        let blames = edits.into_iter().filter_map(|(key, edit)| {
            let newest = edit.newest.clone()?;
            Some((key, line(roles, observed, &edit, newest)))
        });
        blames.collect()
    }
}

impl PresentValues {
    fn new(field: Field, values: Vec<FieldValue>) -> Self {
        Self { field, values, newest: None }
    }
}

fn line(roles: &RoleCatalog, observed: &ObservedState, edit: &PresentValues, entry: AuditEntry) -> BlameLine {
    let outdated = is_present(roles, edit, &entry) == Some(false);
    let AuditEntry { id: _, action, happened_at: at, object: _, source, actor, attributes } = entry;
    let value = |which: &str| {
        let written = value(&attributes, edit.field, which)?;
        let known = roles.value_meant(edit.field, written).map(|value| roles.value_label(edit.field, &value));
        Some(Printable::new(known.as_deref().unwrap_or(written)))
    };
    let person = actor.as_deref().and_then(UserId::new).and_then(|id| observed.person(&id));
    BlameLine {
        actor_id: actor.as_deref().map(Printable::new),
        actor_name: person.map(|person| Printable::new(&person.name)),
        actor_email: person.map(|person| Printable::new(person.email.as_str())),
        source: (!source.is_empty()).then(|| Printable::new(&source)),
        action: Printable::new(&action),
        at,
        old: value("old"),
        new: value("new"),
        outdated,
    }
}

/// Returns whether Pylon still has the value set by the entry, or `None` if the entry has no new value or an unrecognized one.
fn is_present(roles: &RoleCatalog, edit: &PresentValues, entry: &AuditEntry) -> Option<bool> {
    let new = roles.value_meant(edit.field, value(&entry.attributes, edit.field, "new")?)?;
    Some(edit.values.contains(&new))
}

/// Returns the old or new value from an entry's attributes. `which` is `old` or `new`. A key that names the field (`new_role_id`)
/// takes precedence over a generic one (`new_value`).
fn value<'e>(attributes: &'e BTreeMap<String, String>, field: Field, which: &str) -> Option<&'e str> {
    let of_it = || attributes.iter().filter(|(key, _)| words(key).first().is_some_and(|word| word == which));
    let own = of_it().find(|(key, _)| field.is_mentioned_in(key));
    let plain = || of_it().find(|(key, _)| !Field::ALL.iter().any(|field| field.is_mentioned_in(key)));
    own.or_else(plain).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
}

/// Splits a name in any case style into lowercase words. Handles `UserRoleChanged`, `SCIMRole`, and `user_role.changed`.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words: Vec<String> = vec![String::new()];
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| letters[before]);
        let ends_capitals = letters.get(at + 1).is_some_and(|next| next.is_lowercase());
        let begins =
            letter.is_uppercase() && before.is_some_and(|before| !before.is_uppercase() || ends_capitals);
        if begins || !letter.is_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut()
            && letter.is_alphanumeric()
        {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::desired::Origin;
    use crate::observed::{Organization, Person, Role, RoleId};
    use crate::plan::{Change, Edit, Subject};
    use crate::roster::{Email, PerField};
    use crate::source::{Place, Sourced, Sources};

    fn roles() -> RoleCatalog {
        let role = |id: &str, name: &str, slug: &str| Role {
            id: RoleId(id.into()),
            name: name.into(),
            slug: slug.into(),
        };
        RoleCatalog::new(vec![role("r1", "Member", "member"), role("r2", "Viewer", "viewer")])
    }

    /// Returns a plan that changes Bo from Viewer to Member and from away to active.
    fn plan() -> Plan {
        let place = Place::new(Sources::default().add("users.toml".into(), String::new()), 0..0);
        let email = Email::observed("bo@acme.example");
        let subject = Subject {
            email: Sourced::new(email.clone(), place),
            id: UserId::new("u_bo").unwrap(),
            primary: email,
            secondary: Vec::new(),
            name: "Bo".into(),
        };
        let edit = |field, from: &str, to: &str| Edit {
            field,
            from: vec![from.into()],
            to: to.into(),
            through_scim: Vec::new(),
            place,
            origin: Origin::Person,
        };
        let change = |edit| Change { subject: subject.clone(), edits: vec![edit] };
        Plan {
            organization: Organization::default(),
            token_user: None,
            declared: 1,
            only: Vec::new(),
            changes: vec![change(edit(Field::Role, "r2", "r1"))],
            observed: vec![change(edit(Field::Status, "away", "active"))],
            ignored: Vec::new(),
            in_sync: 0,
            absent: Vec::new(),
            found_elsewhere: Vec::new(),
            unmanaged: Vec::new(),
        }
    }

    fn entry(id: &str, action: &str, at: &str, attributes: &[(&str, &str)]) -> AuditEntry {
        AuditEntry {
            id: id.into(),
            action: action.into(),
            happened_at: at.parse().unwrap(),
            object: "u_bo".into(),
            source: "app".into(),
            actor: Some(format!("by_{id}")),
            attributes: attributes.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
        }
    }

    /// Checks that the order of the entries makes no difference, and returns the blames for the role and the status.
    fn blamed(entries: &[AuditEntry]) -> [Option<BlameLine>; Field::ALL.len()] {
        let (plan, roles, observed) = (plan(), roles(), ObservedState::default());
        let of = |entries: &mut dyn Iterator<Item = &AuditEntry>| {
            let mut drift = Drift::new(&plan, &roles);
            entries.for_each(|entry| drift.take(entry));
            let blames = drift.into_blames(&observed);
            Field::ALL.map(|field| blames.get(&(UserId::new("u_bo").unwrap(), field)).cloned())
        };
        let forwards = of(&mut entries.iter());
        assert_eq!(forwards, of(&mut entries.iter().rev()), "the order does not matter");
        forwards
    }

    fn names(entries: &[AuditEntry]) -> [Option<String>; Field::ALL.len()] {
        blamed(entries).map(|blame| Some(blame?.actor_id.unwrap().raw().trim_start_matches("by_").to_owned()))
    }

    #[test]
    fn an_entry_counts_if_its_action_mentions_the_field() {
        let (role, status, neither) = ([true, false], [false, true], [false, false]);
        for (action, taken) in [
            ("UserRoleChanged", role),
            ("UserRolesUpdated", role),
            ("user.role.changed", role),
            ("USER_ROLE_CHANGED", role),
            ("SCIMRoleAssigned", role),
            ("userrole", role),
            ("UserStatusChanged", status),
            ("user-statuses-set", status),
            ("UserRoleAndStatusChanged", [true, true]),
            ("UserDeactivated", neither),
            ("AccessControlEnabled", neither),
            ("Enrolled", neither),
            ("", neither),
        ] {
            let found = names(&[entry("x", action, "2026-08-20T14:02:00Z", &[])]);
            assert_eq!(found.map(|found| found.is_some()), taken, "{action}");
        }
    }

    #[test]
    fn the_newest_entry_about_the_person_and_field_wins() {
        let about = |object: &str, entry: AuditEntry| AuditEntry { object: object.into(), ..entry };
        let entries = [
            entry("old", "UserRoleChanged", "2026-08-20T14:02:00Z", &[]),
            entry("new", "UserRoleChanged", "2026-08-20T16:02:01+02:00", &[]),
            entry("older", "UserRoleChanged", "2026-08-19T23:59:59Z", &[]),
            about("u_cy", entry("cy", "UserRoleChanged", "2026-09-01T00:00:00Z", &[])),
            about("../me", entry("odd", "UserRoleChanged", "2026-09-01T00:00:00Z", &[])),
            about("", entry("none", "UserRoleChanged", "2026-09-01T00:00:00Z", &[])),
            entry("login", "UserSignedIn", "2026-09-02T00:00:00Z", &[]),
        ];
        assert_eq!(names(&entries), [Some("new".into()), None]);
        assert_eq!(names(&[]), [None, None]);
    }

    #[test]
    fn if_two_entries_have_the_same_time_the_one_with_the_present_value_wins() {
        let at = "2026-08-20T14:02:00Z";
        let set = |id: &str, value: &str| entry(id, "UserStatusChanged", at, &[("new_status", value)]);
        assert_eq!(names(&[set("a", "away"), set("b", "active")])[1], Some("a".into()));
        assert_eq!(names(&[set("a", "active"), set("b", "away")])[1], Some("b".into()));
        assert_eq!(names(&[set("a", "away"), set("b", "away")])[1], Some("b".into()), "the choice is stable");
    }

    #[test]
    fn old_and_new_values_are_used_if_the_entry_has_them() {
        for (attributes, old, new, is_outdated) in [
            (&[][..], None, None, false),
            (&[("old_role_id", "r1"), ("new_role_id", "r2")], Some("Member"), Some("Viewer"), false),
            (&[("oldRole", "member"), ("newRole", "viewer")], Some("Member"), Some("Viewer"), false),
            (&[("old_value", "Viewer"), ("new_value", "Member")], Some("Viewer"), Some("Member"), true),
            (&[("new_role_id", "r1"), ("new_value", "r2")], None, Some("Member"), true),
            (&[("new_status", "away"), ("new", "viewer")], None, Some("Viewer"), false),
            (&[("new_status", "away")], None, None, false),
            (&[("new_role", "Wizard")], None, Some("Wizard"), false),
            (&[("new_role", "")], None, None, false),
            (&[("renewed_role", "r1"), ("role", "r1")], None, None, false),
        ] {
            let [role, _] = blamed(&[entry("x", "UserRoleChanged", "2026-08-20T14:02:00Z", attributes)]);
            let BlameLine { old: was, new: set, outdated, .. } = role.unwrap();
            let was = was.as_ref().map(Printable::raw);
            let set = set.as_ref().map(Printable::raw);
            assert_eq!((was, set, outdated), (old, new, is_outdated), "{attributes:?}");
        }
    }

    #[test]
    fn an_actor_is_a_person_an_id_a_source_or_unknown() {
        let mut observed = ObservedState::default();
        observed.insert(Person {
            id: UserId::new("u_dana").unwrap(),
            email: Email::observed("dana@acme.example"),
            secondary: Vec::new(),
            name: "Dana Reyes".into(),
            held: PerField::default(),
            deactivated: false,
        });
        let dana = [Some("u_dana"), Some("Dana Reyes"), Some("dana@acme.example"), Some("app")];
        for (actor, source, expected) in [
            (Some("u_dana"), "app", dana),
            (Some("u_gone"), "app", [Some("u_gone"), None, None, Some("app")]),
            (Some("no/id"), "api", [Some("no/id"), None, None, Some("api")]),
            (None, "api", [None, None, None, Some("api")]),
            (None, "", [None; 4]),
        ] {
            let base = entry("x", "UserRoleChanged", "2026-08-20T14:02:00Z", &[]);
            let entry = AuditEntry { actor: actor.map(str::to_owned), source: source.into(), ..base };
            let (plan, roles) = (plan(), roles());
            let mut drift = Drift::new(&plan, &roles);
            drift.take(&entry);
            let blames: Vec<BlameLine> = drift.into_blames(&observed).into_values().collect();
            let BlameLine { actor_id, actor_name, actor_email, source, .. } = &blames[0];
            let found = [actor_id, actor_name, actor_email, source];
            assert_eq!(found.map(|text| text.as_ref().map(Printable::raw)), expected, "{actor:?} {source:?}");
        }
    }

    #[test]
    fn people_are_complete_when_every_edit_has_an_entry() {
        let (plan, roles) = (plan(), roles());
        let mut drift = Drift::new(&plan, &roles);
        let people = drift.people();
        assert_eq!(people, [UserId::new("u_bo").unwrap()]);
        for (action, has_all) in [("UserRoleChanged", false), ("UserStatusChanged", true)] {
            drift.take(&entry("x", action, "2026-08-20T14:02:00Z", &[]));
            assert_eq!(drift.has_all(&people), has_all, "{action}");
        }
        assert!(drift.has_all(&[UserId::new("u_stranger").unwrap()]));
    }
}
