//! Users as written in `pylon.json`. A world stores its users in the same form, with every default made explicit.
//!
//! When a world is created, the roles of its users are looked up, defaults are filled in, and all problems are collected.

use std::collections::HashMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::identifiers::uuid_of_email;
use super::organization::{Role, find_role};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UserKind {
    /// A user with an email address, who can log in.
    #[default]
    Person,
    /// The user that represents an integration, such as Slack or Fivetran. Such users have no email address, status, or roles.
    Integration,
    /// The user that represents an API token. Like integrations, such users have no email address, status, or roles.
    Api,
}

/// A user in the state file or in a world. In the file, people need only `email` and `role`, whereas other users don't have an
/// email address and need only `kind`. In a world, `id`, `name`, and `status` are always set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenUser {
    /// The user ID. If omitted, it's derived from the address or, for users who aren't people, from the user's index in the file
    /// and the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "is_person")]
    pub kind: UserKind,
    /// The primary email address. Empty for users who aren't people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// The secondary email addresses. The primary address may be listed as well, but is ignored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<String>,
    /// The display name. If a person's name is omitted, it's derived from the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    /// The status, which can be any string because Pylon may add more statuses. Defaults to `active` for people, and to an empty
    /// string for other users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The assigned roles, each given by slug, ID, or name. In the file, `role` is a string or a list. It's required for people.
    /// Other users have no roles if it's omitted. In a world, the roles are sorted by role ID.
    #[serde(
        rename = "role",
        default = "not_given",
        deserialize_with = "one_or_many",
        serialize_with = "as_one_or_many"
    )]
    pub roles: Vec<String>,
    /// Roles from SCIM groups, which responses list in `roles` and a PATCH can't change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scim_roles: Vec<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deactivated: bool,
    /// If set, a PATCH that contains a role returns 200 but doesn't change the role.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub role_from_scim: bool,
    /// The status to which a support-hours schedule resets the user right after every PATCH, or `None` if there isn't a schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub support_hours: Option<String>,
}

impl WrittenUser {
    /// Creates a person with one assigned role, given by slug, ID, or name.
    pub fn new(email: &str, role: &str) -> Self {
        Self { email: email.to_owned(), roles: vec![role.to_owned()], ..Self::default() }
    }

    pub(super) fn is_person(&self) -> bool {
        self.kind == UserKind::Person
    }
}

/// Completes the users from the file, one after the other, and collects all problems.
pub(super) struct Resolver<'a> {
    roles: &'a [Role],
    /// Maps the ID of each user seen so far to the user's index in the file.
    ids: HashMap<String, usize>,
    /// Maps the primary address of each user seen so far, in lowercase, to the user's index in the file.
    addresses: HashMap<String, usize>,
    /// The problems found so far, one sentence each, in the order in which they were found.
    pub(super) problems: Vec<String>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(roles: &'a [Role]) -> Self {
        let mut problems = Vec::new();
        for (at, role) in roles.iter().enumerate() {
            let Role { id, name, slug } = role;
            if id.is_empty() {
                problems.push(format!("roles[{at}] ({name}): an empty `id`"));
            }
            for earlier in &roles[..at] {
                if earlier.id == *id {
                    problems.push(format!("roles[{at}]: the id `{id}` is given twice"));
                }
                if earlier.slug == *slug {
                    problems.push(format!("roles[{at}]: the slug `{slug}` is given twice"));
                }
            }
        }
        Self { roles, ids: HashMap::new(), addresses: HashMap::new(), problems }
    }

    /// Fills in the defaults of a user from the file, and replaces each role with its [`Role::word`]. `at` is the user's index
    /// in the file.
    pub(super) fn user(&mut self, at: usize, mut user: WrittenUser) -> WrittenUser {
        let is_person = user.is_person();
        let name = user.name.take().unwrap_or_else(|| match user.kind {
            UserKind::Person => name_from_email(&user.email),
            UserKind::Integration => "Integration".to_owned(),
            UserKind::Api => "API user".to_owned(),
        });
        let place = format!("users[{at}] ({})", if is_person { &user.email } else { &name });
        let is_given = user.roles != not_given();
        self.check_kind(&place, is_person, &user.email, is_given);
        // Users without an address may share a name, so include the index to make the seed unique.
        let seed = if is_person { user.email.clone() } else { format!("{at} {name}") };
        let id = user.id.take().unwrap_or_else(|| uuid_of_email(&seed));
        let address = user.email.to_lowercase();
        self.check_unique(&place, at, &id, &address);
        user.emails.retain(|other| other.to_lowercase() != address);
        WrittenUser {
            id: Some(id),
            name: Some(name),
            status: user.status.or_else(|| Some(if is_person { "active" } else { "" }.to_owned())),
            roles: self.find_roles(&place, if is_given { &user.roles } else { &[] }),
            scim_roles: self.find_roles(&place, &user.scim_roles),
            ..user
        }
    }

    fn check_kind(&mut self, place: &str, is_person: bool, email: &str, has_roles: bool) {
        match (is_person, email.is_empty()) {
            (true, true) => self.problems.push(format!("{place}: an empty `email`")),
            (false, false) => {
                let problem = "only a person has an `email`; remove it, or remove `kind`";
                self.problems.push(format!("{place}: {problem}"));
            }
            (true, false) | (false, true) => {}
        }
        if is_person && !has_roles {
            self.problems.push(format!("{place}: `role` is missing; write [] for no role"));
        }
    }

    fn check_unique(&mut self, place: &str, at: usize, id: &str, address: &str) {
        if id.is_empty() {
            self.problems.push(format!("{place}: an empty `id`"));
        }
        let same_address =
            if address.is_empty() { None } else { self.addresses.insert(address.to_owned(), at) };
        if let Some(first) = same_address {
            self.problems.push(format!("{place}: the same email as users[{first}]"));
        } else if let Some(first) = self.ids.insert(id.to_owned(), at) {
            self.problems.push(format!("{place}: the same id `{id}` as users[{first}]"));
        }
    }

    /// Looks up roles by slug, ID, or name. Returns the roles' [`Role::word`]s without duplicates, sorted by role ID. Each failed
    /// lookup adds a problem.
    fn find_roles(&mut self, place: &str, words: &[String]) -> Vec<String> {
        let mut found = Vec::with_capacity(words.len());
        for word in words {
            match find_role(self.roles, word) {
                Ok(role) if found.contains(&role) => {}
                Ok(role) => found.push(role),
                Err(problem) => self.problems.push(format!("{place}: {problem}")),
            }
        }
        found.sort_by_key(|role| &role.id);
        found.into_iter().map(|role| role.word(self.roles).to_owned()).collect()
    }
}

/// Derives a display name from an address: `ana.silva@acme.example` becomes `Ana Silva`.
fn name_from_email(email: &str) -> String {
    let local = email.split('@').next().unwrap_or_default();
    let mut words = Vec::new();
    for word in local.split(['.', '_', '-', '+']) {
        let mut letters = word.chars();
        if let Some(first) = letters.next() {
            words.push(first.to_uppercase().chain(letters).collect::<String>());
        }
    }
    words.join(" ")
}

/// Returns the placeholder for an omitted `role` key: a list with an empty string. The placeholder differs from `[]`, which means
/// no role, and from every list of role names.
fn not_given() -> Vec<String> {
    vec![String::new()]
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_person(kind: &UserKind) -> bool {
    *kind == UserKind::Person
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
    // An untagged enum would be simpler, but its errors don't say what was expected.
    deserializer.deserialize_any(OneOrMany)
}

fn as_one_or_many<S: Serializer>(roles: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    match roles {
        [one] => serializer.serialize_str(one),
        several => serializer.collect_seq(several),
    }
}
