//! `pylon.json` as people write it: short, with defaults for everything but the people's addresses and roles.
//!
//! Owns the file's schema (unknown keys are errors) and the one conversion into a checked `State`, which reports all problems
//! at once; also the way back. Leaves to `seed` the organisations that no file describes.

use std::{collections::HashMap, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{
    answer::{mix, uuid},
    audit::Entry,
    spelling,
    state::{Api, Organization, Role, Settings, State, StateError},
    user::User,
};

/// A sandbox organisation on its way in: the file's content, or what a test builds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Draft {
    /// Whose users these are; `Sandbox` when not given.
    pub organization: Organization,
    /// Which generation of the API answers.
    pub api: Api,
    /// The id of the user whom the token belongs to; none for an API user.
    pub token_user: Option<String>,
    /// All roles; Admin, Member and Viewer when not given.
    pub roles: Option<Vec<Role>>,
    /// All people.
    pub users: Vec<Person>,
    /// How the API behaves where nobody knows.
    pub settings: Settings,
    /// The audit log, oldest first; written by the sandbox, seldom by people.
    pub audit: Vec<Entry>,
}

/// A person as written: only `email` and `role` are needed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Derived from the address when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The primary address.
    pub email: String,
    /// Other addresses; the primary one may be repeated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<String>,
    /// Derived from the address when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    /// `active` when not given; any text, for Pylon's list is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Assigned roles by slug, id or name: one text, or a list.
    #[serde(rename = "role", deserialize_with = "one_or_many", serialize_with = "as_one_or_many")]
    pub roles: Vec<String>,
    /// Roles from SCIM groups, which PATCH cannot remove.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scim_roles: Vec<String>,
    /// Left the organisation.
    #[serde(default, skip_serializing_if = "is_false")]
    pub deactivated: bool,
    /// A PATCH of the role is answered 200 and changes nothing.
    #[serde(default, skip_serializing_if = "is_false")]
    pub role_from_scim: bool,
    /// A schedule puts this status back as soon as a PATCH has been answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub support_hours: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Person {
    /// A person with one assigned role, by slug, id or name.
    pub fn new(email: &str, role: &str) -> Self {
        Self { email: email.to_owned(), roles: vec![role.to_owned()], ..Self::default() }
    }

    /// The same under a given id.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    /// The same with a name.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// The same with a status.
    #[must_use]
    pub fn status(mut self, status: &str) -> Self {
        self.status = Some(status.to_owned());
        self
    }

    /// The same with one more address.
    #[must_use]
    pub fn also(mut self, email: &str) -> Self {
        self.emails.push(email.to_owned());
        self
    }

    /// The same with one more assigned role.
    #[must_use]
    pub fn and_role(mut self, role: &str) -> Self {
        self.roles.push(role.to_owned());
        self
    }

    /// The same with a role from a SCIM group.
    #[must_use]
    pub fn scim(mut self, role: &str) -> Self {
        self.scim_roles.push(role.to_owned());
        self
    }

    /// The same, deactivated.
    #[must_use]
    pub fn deactivated(mut self) -> Self {
        self.deactivated = true;
        self
    }

    /// The same, but a PATCH of the role has no effect.
    #[must_use]
    pub fn role_from_scim(mut self) -> Self {
        self.role_from_scim = true;
        self
    }

    /// The same, but a schedule puts this status back after every PATCH.
    #[must_use]
    pub fn support_hours(mut self, status: &str) -> Self {
        self.support_hours = Some(status.to_owned());
        self
    }

    /// How a stored user is written: everything spelled out, roles by slug.
    pub(super) fn of(user: &User, roles: &[Role]) -> Self {
        let User {
            id,
            email,
            others,
            name,
            avatar_url,
            status,
            assigned,
            scim,
            deactivated,
            role_from_scim,
            support_hours,
        } = user;
        let slugs = |indexes: &[usize]| {
            indexes.iter().filter_map(|index| roles.get(*index)).map(|role| role.slug.clone()).collect()
        };
        Self {
            id: Some(id.clone()),
            email: email.clone(),
            emails: others.clone(),
            name: Some(name.clone()),
            avatar_url: avatar_url.clone(),
            status: Some(status.clone()),
            roles: slugs(assigned),
            scim_roles: slugs(scim),
            deactivated: *deactivated,
            role_from_scim: *role_from_scim,
            support_hours: support_hours.clone(),
        }
    }
}

impl Draft {
    /// An organisation of these people, everything else by default.
    pub fn of(people: impl IntoIterator<Item = Person>) -> Self {
        Self { users: people.into_iter().collect(), ..Self::default() }
    }

    /// The same with other roles.
    #[must_use]
    pub fn roles(mut self, roles: impl IntoIterator<Item = Role>) -> Self {
        self.roles = Some(roles.into_iter().collect());
        self
    }

    /// The same with a token that belongs to this user.
    #[must_use]
    pub fn token_user(mut self, id: &str) -> Self {
        self.token_user = Some(id.to_owned());
        self
    }

    /// The same in another era.
    #[must_use]
    pub fn api(self, api: Api) -> Self {
        Self { api, ..self }
    }

    /// The same with other settings.
    #[must_use]
    pub fn settings(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }

    /// Resolves roles, fills in what was left out, and refuses what is ambiguous or given twice.
    pub fn check(self) -> Result<State, StateError> {
        let Self { organization, api, token_user, roles, users, settings, audit } = self;
        let mut problems = Vec::new();
        let roles = Roles::index(roles.unwrap_or_else(Role::defaults), &mut problems);
        if settings.list_page == Some(0) {
            problems.push("settings: `list_page` must be at least 1".to_owned());
        }
        let mut seen = Seen::default();
        let users: Vec<Arc<User>> = users
            .into_iter()
            .enumerate()
            .map(|(at, person)| Arc::new(person.settle(at, &roles, &mut seen, &mut problems)))
            .collect();
        if let Some(id) = token_user.as_deref().filter(|id| !seen.ids.contains_key(*id)) {
            problems.push(format!("token_user: there is no user with id `{id}`"));
        }
        if problems.is_empty() {
            Ok(State { organization, api, settings, token_user, roles: roles.all, users, audit })
        } else {
            Err(StateError { problems })
        }
    }
}

/// Who was met before, and where in the list.
#[derive(Default)]
struct Seen {
    ids: HashMap<String, usize>,
    primaries: HashMap<String, usize>,
}

impl Person {
    fn settle(self, at: usize, roles: &Roles, seen: &mut Seen, problems: &mut Vec<String>) -> User {
        let Self {
            id,
            email,
            emails,
            name,
            avatar_url,
            status,
            roles: assigned,
            scim_roles,
            deactivated,
            role_from_scim,
            support_hours,
        } = self;
        let place = format!("users[{at}] ({email})");
        if email.is_empty() {
            problems.push(format!("{place}: an empty `email`"));
        }
        let id = id.unwrap_or_else(|| id_of(&email));
        if id.is_empty() {
            problems.push(format!("{place}: an empty `id`"));
        }
        let key = email.to_lowercase();
        if let Some(first) = seen.primaries.insert(key.clone(), at) {
            problems.push(format!("{place}: the same e-mail as users[{first}]"));
        } else if let Some(first) = seen.ids.insert(id.clone(), at) {
            problems.push(format!("{place}: the same id `{id}` as users[{first}]"));
        }
        User {
            others: emails.into_iter().filter(|other| other.to_lowercase() != key).collect(),
            name: name.unwrap_or_else(|| name_of(&email)),
            status: status.unwrap_or_else(|| "active".to_owned()),
            assigned: roles.find_all(&place, &assigned, problems),
            scim: roles.find_all(&place, &scim_roles, problems),
            id,
            email,
            avatar_url,
            deactivated,
            role_from_scim,
            support_hours,
        }
    }
}

/// The roles, findable by id, slug and unambiguous name.
struct Roles {
    all: Vec<Role>,
}

impl Roles {
    fn index(all: Vec<Role>, problems: &mut Vec<String>) -> Self {
        for (at, role) in all.iter().enumerate() {
            for earlier in &all[..at] {
                if earlier.id == role.id {
                    problems.push(format!("roles[{at}]: the id `{}` is given twice", role.id));
                }
                if earlier.slug == role.slug {
                    problems.push(format!("roles[{at}]: the slug `{}` is given twice", role.slug));
                }
            }
        }
        Self { all }
    }

    /// The indexes of the roles named, without repetition, in the order of the roles' ids.
    fn find_all(&self, place: &str, wanted: &[String], problems: &mut Vec<String>) -> Vec<usize> {
        let mut found = Vec::with_capacity(wanted.len());
        for word in wanted {
            match find_role(&self.all, word) {
                Ok(index) if found.contains(&index) => {}
                Ok(index) => found.push(index),
                Err(problem) => problems.push(format!("{place}: {problem}")),
            }
        }
        found.sort_by(|left, right| self.all[*left].id.cmp(&self.all[*right].id));
        found
    }
}

/// Finds a role by id, else by slug, else by a name that only one role has.
pub(super) fn find_role(roles: &[Role], word: &str) -> Result<usize, String> {
    let exact = roles
        .iter()
        .position(|role| role.id == word)
        .or_else(|| roles.iter().position(|role| role.slug == word));
    if let Some(index) = exact {
        return Ok(index);
    }
    let named: Vec<usize> = (0..roles.len()).filter(|index| roles[*index].name == word).collect();
    match named.as_slice() {
        [index] => Ok(*index),
        [] => {
            let slugs = || roles.iter().map(|role| role.slug.as_str());
            let known = slugs().collect::<Vec<_>>().join(", ");
            Err(format!("there is no role `{word}`{}; there are {known}", spelling::hint(word, slugs())))
        }
        several => {
            let ids = several.iter().map(|index| roles[*index].id.as_str()).collect::<Vec<_>>().join(", ");
            Err(format!("more than one role is named `{word}`; write one of the ids {ids}"))
        }
    }
}

/// The id of whoever has this address, the same in every run.
pub(super) fn id_of(email: &str) -> String {
    let fnv = |basis: u64| {
        email
            .to_lowercase()
            .bytes()
            .fold(basis, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    };
    let (high, low) = (mix(fnv(0xcbf2_9ce4_8422_2325)), mix(fnv(0x8422_2325_cbf2_9ce4)));
    uuid((u128::from(high) << 64) | u128::from(low))
}

/// `ana.silva@acme.example` → `Ana Silva`.
pub(super) fn name_of(email: &str) -> String {
    let local = email.split('@').next().unwrap_or_default();
    let words = local.split(['.', '_', '-', '+']).filter(|word| !word.is_empty()).map(|word| {
        let mut letters = word.chars();
        letters
            .next()
            .map(|first| first.to_uppercase().chain(letters).collect::<String>())
            .unwrap_or_default()
    });
    words.collect::<Vec<_>>().join(" ")
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct OneOrMany;
    impl<'de> de::Visitor<'de> for OneOrMany {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a role's slug, id or name, or a list of them")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok(vec![text.to_owned()])
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
            Vec::deserialize(de::value::SeqAccessDeserializer::new(list))
        }
    }
    // Not an untagged enum: its errors lose what was expected.
    deserializer.deserialize_any(OneOrMany)
}

fn as_one_or_many<S: Serializer>(roles: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    match roles {
        [one] => serializer.serialize_str(one),
        several => serializer.collect_seq(several),
    }
}

/// The whole state as text, people written one by one.
pub(super) fn write(state: &State) -> String {
    #[derive(Serialize)]
    struct File<'a> {
        organization: &'a Organization,
        api: Api,
        token_user: Option<&'a str>,
        roles: &'a [Role],
        settings: &'a Settings,
        users: People<'a>,
        audit: &'a [Entry],
    }
    struct People<'a>(&'a State);
    impl Serialize for People<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq(self.0.users.iter().map(|user| Person::of(user, &self.0.roles)))
        }
    }
    let State { organization, api, settings, token_user, roles, users: _, audit } = state;
    let file = File {
        organization,
        api: *api,
        token_user: token_user.as_deref(),
        roles,
        settings,
        users: People(state),
        audit,
    };
    let mut text = serde_json::to_string_pretty(&file).unwrap_or_default();
    text.push('\n');
    text
}
