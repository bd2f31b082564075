//! A person as `pylon.json` and tests write them: an address and a role, everything else if it matters.
//!
//! Owns the shape of one entry, its builder, and what is derived from an address. Leaves checking people against roles and each
//! other to `draft`.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{
    draft::find_role,
    message::{mix, uuid},
    state::Role,
    user::User,
};

/// What a user is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A person with an email address, who can log in.
    #[default]
    Person,
    /// A user of an integration, such as Slack or Fivetran: no email address, no status, no roles.
    Integration,
    /// A user of an API token: the same.
    Api,
}

impl Kind {
    pub(super) fn is_person(self) -> bool {
        match self {
            Self::Person => true,
            Self::Integration | Self::Api => false,
        }
    }

    /// The name of a user of this kind who was given none, and who has no email address to derive one from.
    pub(super) fn default_name(self) -> &'static str {
        match self {
            Self::Person => "",
            Self::Integration => "Integration",
            Self::Api => "API user",
        }
    }
}

/// A user as written. A person needs only `email` and `role`. Other users have no email address and need only `kind`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Derived from the address when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// A person, unless it says otherwise.
    #[serde(default, skip_serializing_if = "is_person")]
    pub kind: Kind,
    /// The primary address. Only a person has one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
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
    /// Assigned roles by slug, id or name: one text, or a list. In a file, a person must have this key; a user of another kind
    /// has no role without it.
    #[serde(
        rename = "role",
        default = "not_given",
        deserialize_with = "one_or_many",
        serialize_with = "as_one_or_many"
    )]
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

/// The value of a `role` that a file leaves out: no role has an empty name, so it is distinct from `[]`, which means no role.
pub(super) fn not_given() -> Vec<String> {
    vec![String::new()]
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_person(kind: &Kind) -> bool {
    kind.is_person()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(super) fn is_false(flag: &bool) -> bool {
    !flag
}

impl Person {
    /// A person with one assigned role, by slug, id or name.
    pub fn new(email: &str, role: &str) -> Self {
        Self { email: email.to_owned(), roles: vec![role.to_owned()], ..Self::default() }
    }

    /// A user who is not a person: no email address, no status, no role.
    pub fn of_kind(kind: Kind, name: &str) -> Self {
        Self { kind, name: Some(name.to_owned()), ..Self::default() }
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
            kind,
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
        let words = |indexes: &[usize]| {
            // A slug that is another role's id would read back as that one.
            let unmistakable = |index: usize, role: &Role| find_role(roles, &role.slug) == Ok(index);
            let word = |index: usize, role: &Role| {
                if unmistakable(index, role) { role.slug.clone() } else { role.id.clone() }
            };
            indexes.iter().filter_map(|index| roles.get(*index).map(|role| word(*index, role))).collect()
        };
        Self {
            id: Some(id.clone()),
            kind: *kind,
            email: email.clone(),
            emails: others.clone(),
            name: Some(name.clone()),
            avatar_url: avatar_url.clone(),
            status: Some(status.clone()),
            roles: words(assigned),
            scim_roles: words(scim),
            deactivated: *deactivated,
            role_from_scim: *role_from_scim,
            support_hours: support_hours.clone(),
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
