//! Users as written in `pylon.json`, and their conversion to and from users as stored in the world.
//!
//! When a user is read, its roles are looked up, defaults are filled in, and all problems are collected. When a user is written,
//! every default is made explicit.

use std::collections::HashMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::identifiers::uuid_of_email;
use super::organization::{Role, find_role};
use super::user::{User, UserKind};

/// A user in the state file. People need only `email` and `role`. Other users don't have an email address and need only `kind`.
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
    /// The assigned roles, each given by slug, ID, or name. In the file, `role` is a string or a list, and is required for
    /// people. Users who aren't people have no roles if it's omitted.
    #[serde(
        rename = "role",
        default = "not_given",
        deserialize_with = "one_or_many",
        serialize_with = "as_one_or_many"
    )]
    pub roles: Vec<String>,
    /// Roles from SCIM groups, which a PATCH can't remove.
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
}

/// Converts users from the file to users in the world, one after the other, and collects all problems.
pub(super) struct Resolver<'a> {
    roles: &'a [Role],
    /// The index in the file of each user seen so far, by user ID.
    ids: HashMap<String, usize>,
    /// The index in the file of each user seen so far, by primary address in lowercase.
    addresses: HashMap<String, usize>,
    /// The problems found so far, in the order in which they were found. Each problem is one sentence.
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

    /// Converts a user from the file to a user in the world. `at` is the user's index in the file.
    pub(super) fn user(&mut self, at: usize, written: WrittenUser) -> User {
        let WrittenUser {
            id,
            kind,
            email,
            emails,
            name,
            avatar_url,
            status,
            roles,
            scim_roles,
            deactivated,
            role_from_scim,
            support_hours,
        } = written;
        let is_person = kind == UserKind::Person;
        let name = name.unwrap_or_else(|| match kind {
            UserKind::Person => name_from_email(&email),
            UserKind::Integration => "Integration".to_owned(),
            UserKind::Api => "API user".to_owned(),
        });
        let place = format!("users[{at}] ({})", if is_person { &email } else { &name });
        let is_given = roles != not_given();
        self.check_kind(&place, is_person, &email, is_given);
        // Users without an address may share a name, so include the index to make the seed unique.
        let seed = if is_person { email.clone() } else { format!("{at} {name}") };
        let id = id.unwrap_or_else(|| uuid_of_email(&seed));
        self.check_unique(&place, at, &id, &email.to_lowercase());
        let is_secondary = |other: &String| other.to_lowercase() != email.to_lowercase();
        User {
            secondary: emails.into_iter().filter(is_secondary).collect(),
            status: status.unwrap_or_else(|| if is_person { "active" } else { "" }.to_owned()),
            assigned: self.find_roles(&place, if is_given { &roles } else { &[] }),
            scim: self.find_roles(&place, &scim_roles),
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

    /// Looks up roles by slug, ID, or name. Returns the indexes of the roles without duplicates, sorted by role ID. Each failed
    /// lookup adds a problem.
    fn find_roles(&mut self, place: &str, words: &[String]) -> Vec<usize> {
        let mut found = Vec::with_capacity(words.len());
        for word in words {
            match find_role(self.roles, word) {
                Ok(index) if found.contains(&index) => {}
                Ok(index) => found.push(index),
                Err(problem) => self.problems.push(format!("{place}: {problem}")),
            }
        }
        found.sort_by_key(|index| &self.roles[*index].id);
        found
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

/// Converts a user to its entry in `pylon.json`, with all defaults made explicit. Each role is written as its slug, or as its ID
/// if the slug alone would be read as something else.
pub(super) fn spelled_out(user: &User, roles: &[Role]) -> WrittenUser {
    let User {
        id,
        kind,
        email,
        secondary,
        name,
        avatar_url,
        status,
        assigned,
        scim,
        deactivated,
        role_from_scim,
        support_hours,
    } = user;
    let word = |index: &usize| -> Option<String> {
        let role = roles.get(*index)?;
        // A slug that equals another role's ID would be read as that other role. An empty slug would be read as an omitted `role`
        // key.
        let reads_back = !role.slug.is_empty() && find_role(roles, &role.slug) == Ok(*index);
        Some(if reads_back { role.slug.clone() } else { role.id.clone() })
    };
    WrittenUser {
        id: Some(id.clone()),
        kind: *kind,
        email: email.clone(),
        emails: secondary.clone(),
        name: Some(name.clone()),
        avatar_url: avatar_url.clone(),
        status: Some(status.clone()),
        roles: assigned.iter().filter_map(word).collect(),
        scim_roles: scim.iter().filter_map(word).collect(),
        deactivated: *deactivated,
        role_from_scim: *role_from_scim,
        support_hours: support_hours.clone(),
    }
}

/// Returns the placeholder for an omitted `role` key: a list with an empty string. The placeholder differs from `[]`, which means
/// no role, and from every valid list because no role has an empty name.
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
