//! `pylon.json` as people write it: short, with defaults for everything but the people's addresses and roles.
//!
//! Owns the file's schema (unknown keys are errors) and the one conversion into a checked `State`, which reports all problems
//! at once; also the way back. Leaves to `seed` the organisations that no file describes.

use std::{collections::HashMap, sync::Arc};

use serde::{Deserialize, Serialize, Serializer};

use super::{
    audit::Entry,
    person::{Kind, Person, id_of, is_false, name_of, not_given},
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
    /// The date of the API that responds.
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
    /// Whether the sandbox made this organization up. The sandbox sets it, not people.
    pub made_up: bool,
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
        let Self { organization, api, token_user, roles, users, settings, audit, made_up } = self;
        let mut problems = Vec::new();
        let roles = Roles::index(roles.unwrap_or_else(Role::built_in), &mut problems);
        for (name, size) in [("list_page", settings.list_page), ("roles_page", settings.roles_page)] {
            if size == Some(0) {
                problems.push(format!("settings: `{name}` must be at least 1"));
            }
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
            Ok(State { organization, api, settings, token_user, roles: roles.all, users, audit, made_up })
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
            kind,
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
        let name = name.unwrap_or_else(|| match kind {
            Kind::Person => name_of(&email),
            Kind::Integration | Kind::Api => kind.default_name().to_owned(),
        });
        let shown = if kind.is_person() { &email } else { &name };
        let place = format!("users[{at}] ({shown})");
        if kind.is_person() && email.is_empty() {
            problems.push(format!("{place}: an empty `email`"));
        }
        if !kind.is_person() && !email.is_empty() {
            problems.push(format!("{place}: only a person has an `email`; remove it, or remove `kind`"));
        }
        let assigned = match (assigned == not_given(), kind) {
            (false, _) => assigned,
            (true, Kind::Integration | Kind::Api) => Vec::new(),
            (true, Kind::Person) => {
                problems.push(format!("{place}: `role` is missing; write [] for no role"));
                Vec::new()
            }
        };
        // Users without an address differ by their place in the list.
        let id = id
            .unwrap_or_else(|| if kind.is_person() { id_of(&email) } else { id_of(&format!("{at} {name}")) });
        if id.is_empty() {
            problems.push(format!("{place}: an empty `id`"));
        }
        let key = email.to_lowercase();
        let same_email = if key.is_empty() { None } else { seen.primaries.insert(key.clone(), at) };
        if let Some(first) = same_email {
            problems.push(format!("{place}: the same e-mail as users[{first}]"));
        } else if let Some(first) = seen.ids.insert(id.clone(), at) {
            problems.push(format!("{place}: the same id `{id}` as users[{first}]"));
        }
        User {
            others: emails.into_iter().filter(|other| other.to_lowercase() != key).collect(),
            status: status.unwrap_or_else(|| if kind.is_person() { "active" } else { "" }.to_owned()),
            assigned: roles.find_all(&place, &assigned, problems),
            scim: roles.find_all(&place, &scim_roles, problems),
            id,
            kind,
            name,
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
            if role.id.is_empty() {
                problems.push(format!("roles[{at}] ({}): an empty `id`", role.name));
            }
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
        #[serde(skip_serializing_if = "is_false")]
        made_up: bool,
    }
    struct People<'a>(&'a State);
    impl Serialize for People<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq(self.0.users.iter().map(|user| Person::of(user, &self.0.roles)))
        }
    }
    let State { organization, api, settings, token_user, roles, users: _, audit, made_up } = state;
    let file = File {
        organization,
        api: *api,
        token_user: token_user.as_deref(),
        roles,
        settings,
        users: People(state),
        audit,
        made_up: *made_up,
    };
    let mut text = serde_json::to_string_pretty(&file).unwrap_or_default();
    text.push('\n');
    text
}
