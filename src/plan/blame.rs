//! Who changed what is out of sync: from a plan and entries of the audit log to one [`Blame`] an edit.
//!
//! Pure. The names of actions and attributes are an open list, so an entry counts when its object is the person and its action speaks
//! of a role or of a status; the values in its attributes are used where they are there, and never required. The newest
//! entry wins, in whatever order they come.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Edit, Plan};
use crate::observed::{ObservedState, RoleCatalog, UserId};
use crate::roster::{Email, Field};

/// One entry of the audit log (Pylon API, `POST /audit-logs/search`), as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    pub id: String,
    /// What was done: `UserRoleChanged`; an open list.
    pub action: String,
    pub happened_at: Timestamp,
    pub object: String,
    /// From where: `api`, `app`; an open list, empty where it is not said.
    pub source: String,
    /// The id of the user who did it.
    pub actor: Option<String>,
    /// Details, text to text; an open list.
    pub attributes: BTreeMap<String, String>,
}

/// Who brought an edit's present value about, as far as the audit log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blame {
    pub actor: Actor,
    /// From where; empty where the log does not say it.
    pub source: String,
    /// What the log calls it.
    pub action: String,
    pub at: Timestamp,
    /// The value before it, as people call it, where the log has it.
    pub old: Option<String>,
    /// The value that it set, likewise.
    pub new: Option<String>,
    /// It set another value than Pylon has now: something that is not in the log came after it.
    pub is_outlived: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    Person {
        id: UserId,
        name: String,
        email: Email,
    },
    /// Somebody who is not, or not any more.
    Id(String),
    /// Nobody in particular: only from where it came is known.
    Source(String),
    Unknown,
}

/// The edits of a plan, each with the newest entry about it that has come so far.
#[derive(Debug, Clone)]
pub struct Drift<'a> {
    roles: &'a RoleCatalog,
    edits: BTreeMap<(UserId, Field), Inquired<'a>>,
}

#[derive(Debug, Clone)]
struct Inquired<'a> {
    edit: &'a Edit,
    newest: Option<AuditEntry>,
}

impl Field {
    /// Whether a name of the open list is about it: `UserRoleChanged`, `user.role.updated`; but not `AccessControlEnabled`.
    fn is_spoken_of(self, name: &str) -> bool {
        let is_it = |word: &String| {
            [self.as_str(), self.plural()]
                .iter()
                .any(|field| word.starts_with(field) || word.ends_with(field))
        };
        words(name).iter().any(is_it)
    }
}

impl<'a> Drift<'a> {
    /// Nobody is found yet. What the policy only observes is asked about too.
    pub fn new(plan: &'a Plan, roles: &'a RoleCatalog) -> Self {
        let edits = plan.changes.iter().chain(&plan.observed).flat_map(|change| {
            let of_edit =
                |edit: &'a Edit| ((change.subject.id.clone(), edit.field), Inquired { edit, newest: None });
            change.edits.iter().map(of_edit)
        });
        Self { roles, edits: edits.collect() }
    }

    /// Whom to ask about, each once.
    pub fn people(&self) -> Vec<UserId> {
        let people: BTreeSet<&UserId> = self.edits.keys().map(|(id, _)| id).collect();
        people.into_iter().cloned().collect()
    }

    /// Takes note of an entry.
    pub fn take(&mut self, entry: &AuditEntry) {
        let Some(object) = UserId::new(&entry.object) else { return };
        for field in Field::ALL.into_iter().filter(|field| field.is_spoken_of(&entry.action)) {
            let Some(inquired) = self.edits.get_mut(&(object.clone(), field)) else { continue };
            // Of two at the same instant that one which tells of the present value: support hours answer a change at once.
            let rank = |entry: &AuditEntry| {
                let tells_of_now = is_present(self.roles, inquired.edit, entry) == Some(true);
                (entry.happened_at, tells_of_now, entry.id.clone())
            };
            if inquired.newest.as_ref().is_none_or(|newest| rank(newest) < rank(entry)) {
                inquired.newest = Some(entry.clone());
            }
        }
    }

    /// Whether there is an entry about every edit of these people.
    pub fn has_all(&self, people: &[UserId]) -> bool {
        let mut fields = people.iter().flat_map(|id| Field::ALL.map(|field| (id.clone(), field)));
        fields.all(|key| self.edits.get(&key).is_none_or(|inquired| inquired.newest.is_some()))
    }

    /// What has come of it: actors become people of `observed`. An edit that no entry is about is not in it.
    pub fn settle(self, observed: &ObservedState) -> BTreeMap<(UserId, Field), Blame> {
        let Self { roles, edits } = self;
        let blames = edits.into_iter().filter_map(|(key, Inquired { edit, newest })| {
            Some((key, blame(roles, observed, edit, newest?)))
        });
        blames.collect()
    }
}

fn blame(roles: &RoleCatalog, observed: &ObservedState, edit: &Edit, entry: AuditEntry) -> Blame {
    let is_outlived = is_present(roles, edit, &entry) == Some(false);
    let AuditEntry { id: _, action, happened_at, object: _, source, actor, attributes } = entry;
    let value = |which: &str| {
        let written = value(&attributes, edit.field, which)?;
        let known = roles.value_meant(edit.field, written);
        Some(known.map_or_else(|| written.to_owned(), |value| roles.value_label(edit.field, &value)))
    };
    let (old, new) = (value("old"), value("new"));
    let actor = match actor {
        Some(id) => match UserId::new(&id).and_then(|id| observed.person(&id)) {
            Some(person) => {
                let (name, email) = (person.name.clone(), person.email.clone());
                Actor::Person { id: person.id.clone(), name, email }
            }
            None => Actor::Id(id),
        },
        None if source.is_empty() => Actor::Unknown,
        None => Actor::Source(source.clone()),
    };
    Blame { actor, source, action, at: happened_at, old, new, is_outlived }
}

/// Whether the value that the entry set is what Pylon has now; nothing where the entry does not say it, or not in words that are known.
fn is_present(roles: &RoleCatalog, edit: &Edit, entry: &AuditEntry) -> Option<bool> {
    let new = roles.value_meant(edit.field, value(&entry.attributes, edit.field, "new")?)?;
    Some(edit.from.contains(&new) || edit.through_scim.contains(&new))
}

/// The `old` or `new` value among the attributes: that of the field (`new_role_id`) before one of no field (`new_value`).
fn value<'e>(attributes: &'e BTreeMap<String, String>, field: Field, which: &str) -> Option<&'e str> {
    let of_it = || attributes.iter().filter(|(key, _)| words(key).first().is_some_and(|word| word == which));
    let own = of_it().find(|(key, _)| field.is_spoken_of(key));
    let plain = || of_it().find(|(key, _)| !Field::ALL.iter().any(|field| field.is_spoken_of(key)));
    own.or_else(plain).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
}

/// The words of a name in lower case, however it joins them: `UserRoleChanged`, `SCIMRole`, `user_role.changed`.
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
        if let Some(word) = words.last_mut().filter(|_| letter.is_alphanumeric()) {
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
    use crate::plan::{Change, Subject};
    use crate::source::{Place, Sourced, Sources};

    fn roles() -> RoleCatalog {
        let role = |id: &str, name: &str, slug: &str| Role {
            id: RoleId(id.into()),
            name: name.into(),
            slug: slug.into(),
        };
        RoleCatalog::new(vec![role("r1", "Member", "member"), role("r2", "Viewer", "viewer")])
    }

    /// Bo is a Viewer and away, and should be a Member and active.
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

    /// Who is blamed for the role and for the status, in whatever order the entries come.
    fn blamed(entries: &[AuditEntry]) -> [Option<Blame>; 2] {
        let (plan, roles, observed) = (plan(), roles(), ObservedState::default());
        let of = |entries: &mut dyn Iterator<Item = &AuditEntry>| {
            let mut out_of_step = Drift::new(&plan, &roles);
            entries.for_each(|entry| out_of_step.take(entry));
            let blames = out_of_step.settle(&observed);
            Field::ALL.map(|field| blames.get(&(UserId::new("u_bo").unwrap(), field)).cloned())
        };
        let forwards = of(&mut entries.iter());
        assert_eq!(forwards, of(&mut entries.iter().rev()), "the order leaves no trace");
        forwards
    }

    fn names(entries: &[AuditEntry]) -> [Option<String>; 2] {
        blamed(entries).map(|blame| match blame?.actor {
            Actor::Id(id) => Some(id.trim_start_matches("by_").to_owned()),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn an_action_is_taken_when_it_speaks_of_the_field() {
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
    fn the_newest_wins_and_others_people_and_fields_are_left_alone() {
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
    fn of_two_at_one_instant_that_one_is_blamed_which_tells_of_the_present_value() {
        let at = "2026-08-20T14:02:00Z";
        let set = |id: &str, value: &str| entry(id, "UserStatusChanged", at, &[("new_status", value)]);
        assert_eq!(names(&[set("a", "away"), set("b", "active")])[1], Some("a".into()));
        assert_eq!(names(&[set("a", "active"), set("b", "away")])[1], Some("b".into()));
        assert_eq!(names(&[set("a", "away"), set("b", "away")])[1], Some("b".into()), "always the same one");
    }

    #[test]
    fn values_are_used_where_they_are_there() {
        for (attributes, old, new, is_outlived) in [
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
            let Blame { actor: _, source: _, action: _, at: _, old: was, new: set, is_outlived: outlived } =
                role.unwrap();
            assert_eq!((was.as_deref(), set.as_deref(), outlived), (old, new, is_outlived), "{attributes:?}");
        }
    }

    #[test]
    fn an_actor_is_a_person_an_id_a_source_or_unknown() {
        let dana = Person {
            id: UserId::new("u_dana").unwrap(),
            email: Email::observed("dana@acme.example"),
            secondary: Vec::new(),
            name: "Dana Reyes".into(),
            assigned: Vec::new(),
            from_scim: Vec::new(),
            status: String::new(),
            deactivated: false,
        };
        let mut observed = ObservedState::default();
        observed.insert(dana.clone());
        let known = Actor::Person { id: dana.id, name: dana.name, email: dana.email };
        for (actor, source, expected) in [
            (Some("u_dana"), "app", known),
            (Some("u_gone"), "app", Actor::Id("u_gone".into())),
            (Some("no/id"), "api", Actor::Id("no/id".into())),
            (None, "api", Actor::Source("api".into())),
            (None, "", Actor::Unknown),
        ] {
            let base = entry("x", "UserRoleChanged", "2026-08-20T14:02:00Z", &[]);
            let entry = AuditEntry { actor: actor.map(str::to_owned), source: source.into(), ..base };
            let (plan, roles) = (plan(), roles());
            let mut out_of_step = Drift::new(&plan, &roles);
            out_of_step.take(&entry);
            let blames: Vec<Blame> = out_of_step.settle(&observed).into_values().collect();
            assert_eq!(blames[0].actor, expected, "{actor:?} {source}");
        }
    }

    #[test]
    fn a_person_is_found_when_every_edit_of_theirs_is() {
        let (plan, roles) = (plan(), roles());
        let mut out_of_step = Drift::new(&plan, &roles);
        let people = out_of_step.people();
        assert_eq!(people, [UserId::new("u_bo").unwrap()]);
        for (action, has_all) in [("UserRoleChanged", false), ("UserStatusChanged", true)] {
            out_of_step.take(&entry("x", action, "2026-08-20T14:02:00Z", &[]));
            assert_eq!(out_of_step.has_all(&people), has_all, "{action}");
        }
        assert!(out_of_step.has_all(&[UserId::new("u_stranger").unwrap()]));
    }
}
