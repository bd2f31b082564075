//! What Pylon says now, and the role catalog: plain data, whatever era of the API it came from.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::roster::{Email, Field, FieldValue, Status};

/// The present state of an organization, provably complete (see [`crate::pylon::observe`]).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ObservedState {
    pub organization: Organization,
    /// Who the token acts as; `None` for an API user that is nobody in particular.
    pub token_user: Option<UserId>,
    pub roles: RoleCatalog,
    /// Users who are not people, sorted by ID. Nothing counts them.
    pub integrations: BTreeSet<Integration>,
    /// Everybody in the organization, deactivated people included where they were asked for. Shared with the indexes, and
    /// with the states that a forecast makes of this one.
    people: BTreeMap<UserId, Arc<Person>>,
    by_primary: AddressIndex,
    by_secondary: AddressIndex,
}

/// The organization that a token belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Organization {
    /// Its id, which a `[workspace]` pins.
    pub id: String,
    pub name: String,
}

/// A user's id as Pylon gave it, shared by whatever speaks of them. Only ids that can stand in a path are accepted: `[A-Za-z0-9_-]{1,128}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(Arc<str>);

impl UserId {
    /// The id, unless it could mean another path than `/users/{id}`.
    pub fn new(id: &str) -> Option<Self> {
        let fits = (1..=128).contains(&id.len());
        let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        (fits && plain).then(|| Self(id.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A role's id as Pylon gave it, shared by everybody who holds it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleId(pub Arc<str>);

/// One role of the organization.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Role {
    pub id: RoleId,
    /// Chosen by the organization; may repeat.
    pub name: String,
    pub slug: String,
}

/// One person as Pylon has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The id, by which they are patched.
    pub id: UserId,
    pub email: Email,
    pub secondary: Vec<Email>,
    pub name: String,
    /// The assigned roles, sorted; a `PATCH` of the role replaces them by one.
    pub assigned: Vec<RoleId>,
    /// Roles that come from SCIM groups alone, sorted; no `PATCH` takes them away.
    pub from_scim: Vec<RoleId>,
    /// The status as Pylon spells it: an open list, empty where there is none.
    pub status: String,
    /// They can no longer sign in.
    pub deactivated: bool,
}

/// A user without an email address: an integration, such as "Fivetran", or an API user. They cannot sign in and are not
/// people, so nothing counts them and no file can declare them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Integration {
    pub id: UserId,
    pub name: String,
}

impl Person {
    /// Whether they hold the role at present, from wherever.
    pub fn holds(&self, role: &RoleId) -> bool {
        self.assigned.contains(role) || self.from_scim.contains(role)
    }

    /// The values of a field: several for a role, none for an empty status.
    pub fn values(&self, field: Field) -> Vec<FieldValue> {
        match field {
            Field::Role => self.assigned.iter().map(|role| role.0.clone()).collect(),
            Field::Status if self.status.is_empty() => Vec::new(),
            Field::Status => vec![self.status.as_str().into()],
        }
    }

    /// The values of a field that come from SCIM groups, which no `PATCH` takes away.
    pub fn through_scim(&self, field: Field) -> Vec<FieldValue> {
        match field {
            Field::Role => self.from_scim.iter().map(|role| role.0.clone()).collect(),
            Field::Status => Vec::new(),
        }
    }

    /// Whether `value` is the one value of the field. Same as comparing [`Self::values`], but without a copy.
    pub fn has_only(&self, field: Field, value: &str) -> bool {
        match field {
            Field::Role => matches!(self.assigned.as_slice(), [role] if *role.0 == *value),
            Field::Status => self.status == value,
        }
    }

    /// Sets a field as a `PATCH` does: a role replaces all assigned roles.
    pub fn set(&mut self, field: Field, value: &FieldValue) {
        match field {
            Field::Role => self.assigned = vec![RoleId(value.clone())],
            Field::Status => value.as_ref().clone_into(&mut self.status),
        }
    }
}

/// How an address leads to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<'s> {
    Nobody,
    /// To the one who has it as primary address.
    Primary(&'s Person),
    /// To the one who has it as another address.
    Secondary(&'s Person),
    /// To several, which no plan can be made of.
    Several(Vec<&'s Person>),
}

impl ObservedState {
    /// The state of `organization` with nobody in it yet.
    pub fn new(organization: Organization, token_user: Option<UserId>, roles: RoleCatalog) -> Self {
        Self { organization, token_user, roles, ..Self::default() }
    }

    /// The same with these people in it; of one who is among them several times the last reading counts.
    #[must_use]
    pub fn with(self, people: impl IntoIterator<Item = Person>) -> Self {
        // Sorted once: a map that grows one by one costs twice the time, and nodes that are half empty.
        let people: BTreeMap<UserId, Arc<Person>> =
            people.into_iter().map(|person| (person.id.clone(), Arc::new(person))).collect();
        let mut state = Self { by_primary: HashMap::with_capacity(people.len()), ..self };
        people.values().for_each(|person| state.index(person));
        Self { people, ..state }
    }

    /// Takes a person in; one who is there already is replaced by this newer reading.
    pub fn insert(&mut self, person: Person) {
        let person = Arc::new(person);
        if let Some(old) = self.people.insert(person.id.clone(), Arc::clone(&person)) {
            self.forget(&old);
        }
        self.index(&person);
    }

    fn index(&mut self, person: &Arc<Person>) {
        index(&mut self.by_primary, &person.email, person);
        for email in person.secondary.iter().filter(|email| **email != person.email) {
            index(&mut self.by_secondary, email, person);
        }
    }

    fn forget(&mut self, person: &Person) {
        unindex(&mut self.by_primary, &person.email, &person.id);
        for email in &person.secondary {
            unindex(&mut self.by_secondary, email, &person.id);
        }
    }

    pub fn people(&self) -> impl ExactSizeIterator<Item = &Person> {
        self.people.values().map(Arc::as_ref)
    }

    /// The person with this id.
    pub fn person(&self, id: &UserId) -> Option<&Person> {
        self.people.get(id).map(Arc::as_ref)
    }

    /// Who has this address. Active people beat deactivated ones, and then a primary match beats a secondary one: whether
    /// people who have left are read as well changes nothing for anybody who has not.
    pub fn find<'s>(&'s self, email: &Email) -> Found<'s> {
        // Nearly everybody is found here, without the lists.
        if let Some(AddressHolders::One(person)) = self.by_primary.get(email)
            && !person.deactivated
        {
            return Found::Primary(person);
        }
        let of = |index: &'s AddressIndex, deactivated: bool| -> Vec<&'s Person> {
            let people = index.get(email).map(AddressHolders::as_slice).unwrap_or_default();
            people.iter().filter(|person| person.deactivated == deactivated).map(Arc::as_ref).collect()
        };
        for deactivated in [false, true] {
            match (
                of(&self.by_primary, deactivated).as_slice(),
                of(&self.by_secondary, deactivated).as_slice(),
            ) {
                ([], []) => {}
                ([person], _) => return Found::Primary(person),
                ([], [person]) => return Found::Secondary(person),
                ([], several) | (several, _) => return Found::Several(several.to_vec()),
            }
        }
        Found::Nobody
    }
}

type AddressIndex = HashMap<Email, AddressHolders>;

/// Who has an address: hardly ever more than one, who then needs no list of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
enum AddressHolders {
    One(Arc<Person>),
    /// At least two, sorted by id, each once.
    Several(Vec<Arc<Person>>),
}

impl AddressHolders {
    fn as_slice(&self) -> &[Arc<Person>] {
        match self {
            Self::One(person) => std::slice::from_ref(person),
            Self::Several(people) => people,
        }
    }
}

/// An address that a person has in two spellings leads to one person, and the order of reading leaves no trace.
fn index(index: &mut AddressIndex, email: &Email, person: &Arc<Person>) {
    let holders = match index.entry(email.clone()) {
        Entry::Vacant(vacant) => {
            vacant.insert(AddressHolders::One(Arc::clone(person)));
            return;
        }
        Entry::Occupied(occupied) => occupied.into_mut(),
    };
    if let AddressHolders::One(first) = holders {
        if first.id == person.id {
            return;
        }
        *holders = AddressHolders::Several(vec![Arc::clone(first)]);
    }
    let AddressHolders::Several(people) = holders else { return };
    // People are indexed in the order of their IDs, so this is nearly always the end.
    if people.last().is_some_and(|last| last.id < person.id) {
        people.push(Arc::clone(person));
    } else if let Err(at) = people.binary_search_by(|other| other.id.cmp(&person.id)) {
        people.insert(at, Arc::clone(person));
    }
}

fn unindex(index: &mut AddressIndex, email: &Email, id: &UserId) {
    let Some(people) = index.get_mut(email) else {
        return;
    };
    let rest: Vec<Arc<Person>> = people.as_slice().iter().filter(|known| known.id != *id).cloned().collect();
    match rest.as_slice() {
        [] => {
            index.remove(email);
        }
        [one] => *people = AddressHolders::One(Arc::clone(one)),
        _ => *people = AddressHolders::Several(rest),
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoleCatalog {
    roles: Vec<Role>,
}

/// What a written role means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning<'r> {
    One(&'r Role),
    Ambiguous(Vec<&'r Role>),
    Unknown,
}

impl RoleCatalog {
    /// The roles, sorted by name and id.
    pub fn new(mut roles: Vec<Role>) -> Self {
        roles.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.id.cmp(&b.id)));
        Self { roles }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Role> {
        self.roles.iter()
    }

    /// The role with this id.
    pub fn by_id(&self, id: &RoleId) -> Option<&Role> {
        self.roles.iter().find(|role| role.id == *id)
    }

    /// The built-in administrators' role, by its slug.
    pub fn admin(&self) -> Option<&Role> {
        self.roles.iter().find(|role| role.slug == "admin")
    }

    /// What people mean by `written`: the role that has it as ID, slug or name. If it is the name of one role and the slug or
    /// the ID of another, it is ambiguous.
    pub fn meaning(&self, written: &str) -> Meaning<'_> {
        let is_meant = |role: &&Role| [&*role.id.0, &role.slug, &role.name].contains(&written);
        match self.roles.iter().filter(is_meant).collect::<Vec<_>>().as_slice() {
            [] => Meaning::Unknown,
            [role] => Meaning::One(role),
            several => Meaning::Ambiguous(several.to_vec()),
        }
    }

    /// How a file names this role, and no other: by its name, slug or id, whichever comes first.
    pub fn written(&self, id: &RoleId) -> String {
        let Some(role) = self.by_id(id) else {
            return id.0.to_string();
        };
        // A blank name is none that a file could give.
        let means_it = |text: &&str| {
            !text.trim().is_empty() && matches!(self.meaning(text), Meaning::One(found) if found.id == *id)
        };
        [role.name.as_str(), role.slug.as_str()].into_iter().find(means_it).unwrap_or(&id.0).to_owned()
    }

    /// What Pylon has for a value that is written in a file or in the audit log. `None` if that is not known.
    pub fn value_meant(&self, field: Field, written: &str) -> Option<FieldValue> {
        match field {
            Field::Role => match self.meaning(written) {
                Meaning::One(role) => Some(role.id.0.clone()),
                Meaning::Ambiguous(_) | Meaning::Unknown => None,
            },
            Field::Status => Some(written.into()),
        }
    }

    /// How a file writes a value that Pylon has. `None` if no file can declare it.
    pub fn value_written(&self, field: Field, value: &FieldValue) -> Option<FieldValue> {
        match field {
            Field::Role => Some(self.written(&RoleId(value.clone())).into()),
            Field::Status => Status::named(value).map(|_| value.clone()),
        }
    }

    /// How to name a value of Pylon's to people.
    pub fn value_label(&self, field: Field, value: &FieldValue) -> String {
        match field {
            Field::Role => self.label(&RoleId(value.clone())),
            Field::Status => value.to_string(),
        }
    }

    /// How to name a role id to people: its name, with the id where the name alone could mean two, or the bare id.
    pub fn label(&self, id: &RoleId) -> String {
        match self.by_id(id) {
            None => id.0.to_string(),
            Some(role) if self.roles.iter().filter(|other| other.name == role.name).count() > 1 => {
                format!("{} ({})", role.name, role.id.0)
            }
            Some(role) => role.name.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn person(id: &str, email: &str, secondary: &[&str]) -> Person {
        Person {
            id: UserId::new(id).unwrap(),
            email: Email::observed(email),
            secondary: secondary.iter().copied().map(Email::observed).collect(),
            name: String::new(),
            assigned: Vec::new(),
            from_scim: Vec::new(),
            status: String::new(),
            deactivated: false,
        }
    }

    fn state(people: &[Person]) -> ObservedState {
        let mut state = ObservedState::default();
        people.iter().for_each(|person| state.insert(person.clone()));
        state
    }

    #[test]
    fn an_address_in_two_spellings_leads_to_the_one_who_has_it() {
        let ana = person("u_ana", "ana@acme.example", &["a@old.example", "A@old.example"]);
        assert_eq!(
            state(std::slice::from_ref(&ana)).find(&Email::observed("a@old.example")),
            Found::Secondary(&ana)
        );
    }

    #[test]
    fn who_has_left_takes_an_address_from_nobody_who_has_not() {
        let left = Person { deactivated: true, ..person("u_left", "ana@acme.example", &["a@acme.example"]) };
        let ana = person("u_ana", "ana@new.example", &["ana@acme.example"]);
        let (email, other) = (Email::observed("ana@acme.example"), Email::observed("a@acme.example"));
        assert_eq!(state(std::slice::from_ref(&ana)).find(&email), Found::Secondary(&ana));
        let both = state(&[ana.clone(), left.clone()]);
        assert_eq!(both.find(&email), Found::Secondary(&ana));
        assert_eq!(both.find(&other), Found::Secondary(&left));
        assert_eq!(state(std::slice::from_ref(&left)).find(&email), Found::Primary(&left));
    }

    #[test]
    fn neither_the_order_of_reading_nor_an_older_reading_leaves_a_trace() {
        let (ana, bo) = (
            person("u_ana", "ana@acme.example", &["team@acme.example"]),
            person("u_bo", "bo@acme.example", &["team@acme.example"]),
        );
        let older = person("u_bo", "bo@old.example", &["ana@acme.example"]);
        let once = state(&[ana.clone(), bo.clone()]);
        assert_eq!(once, state(&[older, bo.clone(), ana.clone()]));
        assert_eq!(once.find(&Email::observed("team@acme.example")), Found::Several(vec![&ana, &bo]));
        assert_eq!(once.find(&Email::observed("bo@old.example")), Found::Nobody);
    }
}
