//! An organization's current state in Pylon, including its roles, as plain data independent of the API version.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::roster::{Email, Field, FieldValue, PerField};

/// An organization's current state. [`crate::pylon::observe`] guarantees that it's complete.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ObservedState {
    pub organization: Organization,
    /// The ID of the token owner, or `None` if Pylon doesn't report one.
    pub token_user: Option<UserId>,
    pub roles: RoleCatalog,
    /// The integration users, sorted by ID. They don't count toward guardrails.
    pub integrations: BTreeSet<Integration>,
    /// All people in the organization. Deactivated people are included only if they were requested. The [`Arc`] lets the address
    /// index and any forecasts derived from this state share the people instead of copying them.
    people: BTreeMap<UserId, Arc<Person>>,
    /// Maps each address, whether primary or secondary, to the people who have it. They are sorted by ID, without duplicates.
    by_address: HashMap<Email, Vec<Arc<Person>>>,
}

/// The organization that the token belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Organization {
    /// The ID that `organization` in `[workspace]` must match.
    pub id: String,
    pub name: String,
}

/// A user ID in Pylon. We only accept IDs that are safe in a URL path: `[A-Za-z0-9_-]{1,128}`. Cloning is cheap because the
/// string is shared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(Arc<str>);

impl UserId {
    /// Validates an ID, or returns `None` if inserting it into `/users/{id}` could yield a different path.
    pub fn new(id: &str) -> Option<Self> {
        let fits = (1..=128).contains(&id.len());
        let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        (fits && plain).then(|| Self(id.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A role ID in Pylon. Cloning is cheap because the string is shared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleId(pub Arc<str>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Role {
    pub id: RoleId,
    /// The name chosen by the organization, which isn't necessarily unique.
    pub name: String,
    pub slug: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub id: UserId,
    pub email: Email,
    pub secondary: Vec<Email>,
    pub name: String,
    pub held: PerField<HeldValues>,
    /// Whether the person can no longer sign in.
    pub deactivated: bool,
}

/// A person's values of one field, as spelled by Pylon. Pylon can introduce values that rolecall doesn't know.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeldValues {
    /// The assigned values, sorted. Only the role field can have several values, and a `PATCH` replaces all of them with a single
    /// one.
    pub assigned: Vec<FieldValue>,
    /// The values that come only from SCIM groups, sorted. A `PATCH` can't remove them.
    pub from_scim: Vec<FieldValue>,
}

impl HeldValues {
    /// Creates the values of a field that has at most one value. Pylon uses an empty string for a field without a value.
    pub fn one(value: FieldValue) -> Self {
        let assigned = if value.is_empty() { Vec::new() } else { vec![value] };
        Self { assigned, from_scim: Vec::new() }
    }

    /// Iterates over the assigned values and those from SCIM groups.
    pub fn all(&self) -> impl Iterator<Item = &FieldValue> {
        self.assigned.iter().chain(&self.from_scim)
    }
}

/// A user without an email address, such as the integration "Fivetran" or an API user. Integration users can't sign in and aren't
/// people, so they don't count toward guardrails, and files can't declare them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Integration {
    pub id: UserId,
    pub name: String,
}

impl Person {
    /// Returns the primary address followed by the secondary ones, which can include the primary address again.
    pub fn addresses(&self) -> impl Iterator<Item = &Email> {
        std::iter::once(&self.email).chain(&self.secondary)
    }

    /// Returns `true` if `email` is one of [`Self::addresses`].
    pub fn is(&self, email: &Email) -> bool {
        self.addresses().any(|address| address == email)
    }

    /// Returns `true` if the person has the role, whether assigned or from a SCIM group.
    pub fn holds(&self, role: &RoleId) -> bool {
        self.held.role.all().any(|held| *held == role.0)
    }

    /// Returns the status, or an empty string if the person has none.
    pub fn status(&self) -> &str {
        self.held.status.assigned.first().map_or("", |status| status)
    }

    /// Returns `true` if `value` is the only assigned value of the field.
    pub fn has_only(&self, field: Field, value: &str) -> bool {
        matches!(self.held[field].assigned.as_slice(), [only] if **only == *value)
    }

    /// Sets a field as a `PATCH` would: a new role replaces all assigned roles.
    pub fn set(&mut self, field: Field, value: &FieldValue) {
        self.held[field].assigned = vec![value.clone()];
    }
}

/// The result of looking up a person by address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<'s> {
    NotFound,
    /// Exactly one person has the address as the primary address.
    Primary(&'s Person),
    /// Exactly one person has the address as a secondary address.
    Secondary(&'s Person),
    /// Several people have the address, so it's ambiguous.
    Several(Vec<&'s Person>),
}

impl ObservedState {
    /// Creates the state of an organization without any people.
    pub fn new(organization: Organization, token_user: Option<UserId>, roles: RoleCatalog) -> Self {
        Self { organization, token_user, roles, ..Self::default() }
    }

    /// Adds people to a state that doesn't contain any people yet. If several entries have the same ID, the last one wins.
    #[must_use]
    pub fn with(self, people: impl IntoIterator<Item = Person>) -> Self {
        // `collect` sorts all people once. Inserting them individually would take twice as long and leave the map's nodes half
        // empty.
        let people: BTreeMap<UserId, Arc<Person>> =
            people.into_iter().map(|person| (person.id.clone(), Arc::new(person))).collect();
        let mut state = Self { by_address: HashMap::with_capacity(people.len()), ..self };
        people.values().for_each(|person| state.index(person));
        Self { people, ..state }
    }

    /// Adds a person or replaces an older version of the same person.
    pub fn insert(&mut self, person: Person) {
        let person = Arc::new(person);
        if let Some(old) = self.people.insert(person.id.clone(), Arc::clone(&person)) {
            self.forget(&old);
        }
        self.index(&person);
    }

    fn index(&mut self, person: &Arc<Person>) {
        for email in person.addresses() {
            // Almost every address belongs to one person. Without a capacity, the vector would reserve memory for four people
            // on the first insertion.
            let people = self.by_address.entry(email.clone()).or_insert_with(|| Vec::with_capacity(1));
            if let Err(at) = people.binary_search_by(|other| other.id.cmp(&person.id)) {
                people.insert(at, Arc::clone(person));
            }
        }
    }

    fn forget(&mut self, person: &Person) {
        for email in person.addresses() {
            if let Entry::Occupied(mut people) = self.by_address.entry(email.clone()) {
                people.get_mut().retain(|known| known.id != person.id);
                if people.get().is_empty() {
                    people.remove();
                }
            }
        }
    }

    pub fn people(&self) -> impl ExactSizeIterator<Item = &Person> {
        self.people.values().map(Arc::as_ref)
    }

    pub fn person(&self, id: &UserId) -> Option<&Person> {
        self.people.get(id).map(Arc::as_ref)
    }

    /// Looks up a person by address. Active people take precedence over deactivated people, and primary addresses over
    /// secondary addresses. For active people, the result doesn't depend on whether deactivated people were read.
    pub fn find(&self, email: &Email) -> Found<'_> {
        let holders = self.by_address.get(email).map_or(&[][..], Vec::as_slice);
        // Fast path: almost every address belongs to one person.
        if let [person] = holders {
            return if person.email == *email { Found::Primary(person) } else { Found::Secondary(person) };
        }
        for deactivated in [false, true] {
            let people = holders.iter().map(Arc::as_ref);
            let (primary, secondary): (Vec<&Person>, Vec<&Person>) = people
                .filter(|person| person.deactivated == deactivated)
                .partition(|person| person.email == *email);
            match (primary.as_slice(), secondary.as_slice()) {
                ([], []) => {}
                ([person], _) => return Found::Primary(person),
                ([], [person]) => return Found::Secondary(person),
                ([], several) | (several, _) => return Found::Several(several.to_vec()),
            }
        }
        Found::NotFound
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoleCatalog {
    roles: Vec<Role>,
}

impl RoleCatalog {
    /// Creates a catalog sorted by name and ID.
    pub fn new(mut roles: Vec<Role>) -> Self {
        roles.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.id.cmp(&b.id)));
        Self { roles }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Role> {
        self.roles.iter()
    }

    pub fn by_id(&self, id: &RoleId) -> Option<&Role> {
        self.roles.iter().find(|role| role.id == *id)
    }

    /// Returns the built-in Admin role, which is identified by its fixed slug.
    pub fn admin(&self) -> Option<&Role> {
        self.roles.iter().find(|role| role.slug == "admin")
    }

    /// Returns all roles with the ID, slug, or name `written`. If there are several, the text is ambiguous.
    pub fn meant(&self, written: &str) -> Vec<&Role> {
        let is_meant = |role: &&Role| [&*role.id.0, &role.slug, &role.name].contains(&written);
        self.roles.iter().filter(is_meant).collect()
    }

    /// Returns the role with the ID, slug, or name `written`, unless several roles match.
    pub fn only(&self, written: &str) -> Option<&Role> {
        match self.meant(written)[..] {
            [role] => Some(role),
            _ => None,
        }
    }

    /// Returns `true` if both texts refer to the same role.
    pub fn is_same(&self, one: &str, other: &str) -> bool {
        self.only(one).zip(self.only(other)).is_some_and(|(one, other)| one.id == other.id)
    }

    /// Returns an unambiguous way to refer to this role in a file: its name if possible, otherwise its slug, otherwise its ID.
    pub fn written(&self, id: &RoleId) -> String {
        let Some(role) = self.by_id(id) else {
            return id.0.to_string();
        };
        // Files can't use a blank name to refer to a role.
        let means_it =
            |text: &&str| !text.trim().is_empty() && self.only(text).is_some_and(|found| found.id == *id);
        [role.name.as_str(), role.slug.as_str()].into_iter().find(means_it).unwrap_or(&id.0).to_owned()
    }

    /// Converts a value from a file or the audit log into the value used by Pylon, which is an ID for roles. Returns `None` for
    /// an unknown or ambiguous role.
    pub fn value_meant(&self, field: Field, written: &str) -> Option<FieldValue> {
        if !field.facts().names_role {
            return Some(written.into());
        }
        self.only(written).map(|role| role.id.0.clone())
    }

    /// Converts a value used by Pylon into its spelling in files. Returns `None` for a status that files can't declare.
    pub fn value_written(&self, field: Field, value: &FieldValue) -> Option<FieldValue> {
        if field.facts().names_role {
            Some(self.written(&RoleId(value.clone())).into())
        } else {
            Some(value.clone()).filter(|value| field.accepts(value))
        }
    }

    /// Returns the label that reports show for a value used by Pylon.
    pub fn value_label(&self, field: Field, value: &FieldValue) -> String {
        if field.facts().names_role { self.label(&RoleId(value.clone())) } else { value.to_string() }
    }

    /// Returns the label for a role in reports: its name. If several roles share the name, the slug follows, or the ID if the slug
    /// isn't unique either. An unknown role is labeled with its ID.
    pub fn label(&self, id: &RoleId) -> String {
        match self.by_id(id) {
            None => id.0.to_string(),
            Some(role) if self.roles.iter().filter(|other| other.name == role.name).count() > 1 => {
                let is_unique = !role.slug.trim().is_empty()
                    && self.only(&role.slug).is_some_and(|found| found.id == *id);
                let distinct = if is_unique { role.slug.as_str() } else { &*role.id.0 };
                format!("{} ({distinct})", role.name)
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
            held: PerField::default(),
            deactivated: false,
        }
    }

    fn state(people: &[Person]) -> ObservedState {
        let mut state = ObservedState::default();
        people.iter().for_each(|person| state.insert(person.clone()));
        state
    }

    #[test]
    fn a_person_with_two_spellings_of_an_address_is_found_once() {
        let ana = person("u_ana", "ana@acme.example", &["a@old.example", "A@old.example"]);
        assert_eq!(
            state(std::slice::from_ref(&ana)).find(&Email::observed("a@old.example")),
            Found::Secondary(&ana)
        );
    }

    #[test]
    fn an_active_person_comes_before_a_deactivated_one_with_the_same_address() {
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
    fn the_state_depends_neither_on_the_order_of_reading_nor_on_older_readings() {
        let (ana, bo) = (
            person("u_ana", "ana@acme.example", &["team@acme.example"]),
            person("u_bo", "bo@acme.example", &["team@acme.example"]),
        );
        let older = person("u_bo", "bo@old.example", &["ana@acme.example"]);
        let once = state(&[ana.clone(), bo.clone()]);
        assert_eq!(once, state(&[older, bo.clone(), ana.clone()]));
        assert_eq!(once.find(&Email::observed("team@acme.example")), Found::Several(vec![&ana, &bo]));
        assert_eq!(once.find(&Email::observed("bo@old.example")), Found::NotFound);
    }
}
