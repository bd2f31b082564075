//! The state of an organization in `pylon.json`. Everything except the addresses and roles of people has a default.
//!
//! Owns the file format. Unknown keys are errors. `resolve` checks the users and fills in defaults.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::audit::AuditEntry;
use super::organization::{Api, ApiSettings, Organization, Role};
use super::user::UserKind;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SandboxState {
    pub organization: Organization,
    pub api: Api,
    /// The ID of the user who owns the token. `None` is an API user.
    pub token_user: Option<String>,
    /// `None` means Admin, Member, and Viewer.
    pub roles: Option<Vec<Role>>,
    pub settings: ApiSettings,
    pub users: Vec<WrittenUser>,
    /// The audit log, oldest first.
    pub audit: Vec<AuditEntry>,
    /// Whether the sandbox made this organization up. The sandbox sets it, not people.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub made_up: bool,
}

impl SandboxState {
    /// Reads `pylon.json`. The error is a sentence.
    pub fn parse(json: &str) -> Result<Self, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// A user as people write it. A person needs only `email` and `role`. Other users have no email address and need only `kind`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenUser {
    /// `None` derives it from the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "is_person")]
    pub kind: UserKind,
    /// The primary address. Only a person has one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// Other addresses. The primary one may be repeated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<String>,
    /// `None` derives it from the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    /// Any text, because Pylon's list of statuses may grow. `None` is `active` for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Assigned roles by slug, ID, or name: one text, or a list. In a file, this key is required for a person. Other
    /// users have no role without it.
    #[serde(
        rename = "role",
        default = "not_given",
        deserialize_with = "one_or_many",
        serialize_with = "as_one_or_many"
    )]
    pub roles: Vec<String>,
    /// Roles from SCIM groups, which a PATCH cannot remove.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scim_roles: Vec<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deactivated: bool,
    /// A PATCH of the role returns 200 and changes nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub role_from_scim: bool,
    /// A schedule sets this status again as soon as a PATCH has been answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub support_hours: Option<String>,
}

impl WrittenUser {
    /// Makes a person with one assigned role, by slug, ID, or name.
    pub fn new(email: &str, role: &str) -> Self {
        Self { email: email.to_owned(), roles: vec![role.to_owned()], ..Self::default() }
    }
}

/// The value of a `role` that a file omits. No role has an empty name, so this differs from `[]`, which means no role.
pub(super) fn not_given() -> Vec<String> {
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
    // Not an untagged enum, because its errors do not say what was expected.
    deserializer.deserialize_any(OneOrMany)
}

fn as_one_or_many<S: Serializer>(roles: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    match roles {
        [one] => serializer.serialize_str(one),
        several => serializer.collect_seq(several),
    }
}
