//! One user of the sandbox's organization, and how a response shows them at each date of the API.
//!
//! Guarantees that an answer is written straight from the stored value, without building a second one. Leaves to `people`
//! who is found under which address, and to `draft` how a person is written in `pylon.json`.

use serde::{Serialize, Serializer, ser::SerializeSeq};

use super::{
    person::Kind,
    state::{Api, EmptyLists, Role},
};

/// A person as the world holds them. Roles are indexes into the state's roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) kind: Kind,
    /// The primary address. Empty if the user is not a person.
    pub(super) email: String,
    /// The other addresses.
    pub(super) others: Vec<String>,
    pub(super) name: String,
    pub(super) avatar_url: Option<String>,
    pub(super) status: String,
    /// Assigned roles, in the order of their ids.
    pub(super) assigned: Vec<usize>,
    /// Roles that come from SCIM groups: shown in `roles`, out of reach of PATCH.
    pub(super) scim: Vec<usize>,
    pub(super) deactivated: bool,
    /// PATCH `role_id` answers 200 and changes nothing.
    pub(super) role_from_scim: bool,
    /// A support-hours schedule puts this status back as soon as a PATCH has been answered.
    pub(super) support_hours: Option<String>,
}

impl User {
    /// All addresses, the primary one first.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &str> {
        let all = std::iter::once(self.email.as_str()).chain(self.others.iter().map(String::as_str));
        all.filter(|address| !address.is_empty())
    }

    /// The role that the deprecated `role_id` shows: one of those assigned. The last one, so that a client that takes it for
    /// the primary role is found out.
    pub(super) fn shown_role<'a>(&self, roles: &'a [Role]) -> &'a str {
        self.shown(roles).map_or("", |role| role.id.as_str())
    }

    fn shown<'a>(&self, roles: &'a [Role]) -> Option<&'a Role> {
        self.assigned.last().and_then(|index| roles.get(*index))
    }
}

/// A person as an answer shows them.
pub(super) struct UserView<'a> {
    pub(super) user: &'a User,
    pub(super) roles: &'a [Role],
    pub(super) api: Api,
    pub(super) empty_lists: EmptyLists,
}

impl Serialize for UserView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { user, roles, api, empty_lists } = self;
        let shows = |is_empty: bool| !is_empty || *empty_lists == EmptyLists::List;
        let current = || CurrentOnly {
            role_ids: shows(user.assigned.is_empty()).then_some(RoleIds { indexes: &user.assigned, roles }),
            roles: shows(user.assigned.is_empty() && user.scim.is_empty())
                .then_some(AllRoles { user, roles }),
            is_deactivated: user.deactivated,
        };
        let (role, current) = match api {
            Api::April2026 => (None, None),
            Api::July2026 => (user.shown(roles), None),
            Api::October2026 => (None, Some(current())),
        };
        Wire {
            id: &user.id,
            email: &user.email,
            emails: shows(user.addresses().next().is_none()).then_some(Addresses(user)),
            name: &user.name,
            avatar_url: user.avatar_url.as_deref().unwrap_or_default(),
            status: &user.status,
            role_id: user.shown_role(roles),
            role,
            current,
        }
        .serialize(serializer)
    }
}

#[derive(Serialize)]
struct Wire<'a> {
    id: &'a str,
    email: &'a str,
    /// `None` is `null`.
    emails: Option<Addresses<'a>>,
    name: &'a str,
    /// Never null: the vendor's SDK takes a text alone.
    avatar_url: &'a str,
    status: &'a str,
    role_id: &'a str,
    /// The role that `role_id` names. Only in July 2026.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a Role>,
    #[serde(flatten)]
    current: Option<CurrentOnly<'a>>,
}

/// The fields that responses lack before October 2026.
#[derive(Serialize)]
struct CurrentOnly<'a> {
    /// `None` is `null`, here and in `roles`.
    role_ids: Option<RoleIds<'a>>,
    roles: Option<AllRoles<'a>>,
    is_deactivated: bool,
}

struct Addresses<'a>(&'a User);

impl Serialize for Addresses<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.addresses())
    }
}

struct RoleIds<'a> {
    indexes: &'a [usize],
    roles: &'a [Role],
}

impl Serialize for RoleIds<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer
            .collect_seq(self.indexes.iter().filter_map(|index| self.roles.get(*index)).map(|role| &role.id))
    }
}

/// Assigned roles, then those from SCIM that are not assigned as well.
struct AllRoles<'a> {
    user: &'a User,
    roles: &'a [Role],
}

impl Serialize for AllRoles<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let from_scim = self.user.scim.iter().filter(|index| !self.user.assigned.contains(index));
        let mut list = serializer.serialize_seq(None)?;
        for role in self.user.assigned.iter().chain(from_scim).filter_map(|index| self.roles.get(*index)) {
            list.serialize_element(role)?;
        }
        list.end()
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn roles() -> Vec<Role> {
        vec![Role::new("role_a", "A", "a"), Role::new("role_b", "B", "b"), Role::new("role_c", "C", "c")]
    }

    fn user() -> User {
        User {
            id: "u1".to_owned(),
            kind: Kind::Person,
            email: "ana@acme.example".to_owned(),
            others: vec!["ana@old.example".to_owned()],
            name: "Ana".to_owned(),
            avatar_url: None,
            status: "active".to_owned(),
            assigned: vec![0, 1],
            scim: vec![1, 2],
            deactivated: false,
            role_from_scim: false,
            support_hours: None,
        }
    }

    fn shown(user: &User, api: Api, empty_lists: EmptyLists) -> String {
        serde_json::to_string(&UserView { user, roles: &roles(), api, empty_lists }).unwrap()
    }

    #[test]
    fn an_empty_list_is_null_unless_the_setting_says_otherwise() {
        let nobody = User {
            kind: Kind::Integration,
            email: String::new(),
            others: Vec::new(),
            status: String::new(),
            assigned: Vec::new(),
            scim: Vec::new(),
            ..user()
        };
        let expected = concat!(
            r#"{"id":"u1","email":"","emails":null,"name":"Ana","avatar_url":"","status":"","role_id":"","#,
            r#""role_ids":null,"roles":null,"is_deactivated":false}"#,
        );
        assert_eq!(shown(&nobody, Api::October2026, EmptyLists::Null), expected);
        assert_eq!(shown(&nobody, Api::October2026, EmptyLists::List), expected.replace("null", "[]"));
        let april =
            r#"{"id":"u1","email":"","emails":null,"name":"Ana","avatar_url":"","status":"","role_id":""}"#;
        assert_eq!(shown(&nobody, Api::April2026, EmptyLists::Null), april);
        assert_eq!(shown(&nobody, Api::July2026, EmptyLists::Null), april);
    }

    #[test]
    fn october_shows_assigned_and_scim_roles_apart() {
        let text = shown(&user(), Api::October2026, EmptyLists::Null);
        let expected = concat!(
            r#"{"id":"u1","email":"ana@acme.example","emails":["ana@acme.example","ana@old.example"],"name":"Ana","#,
            r#""avatar_url":"","status":"active","role_id":"role_b","role_ids":["role_a","role_b"],"#,
            r#""roles":[{"id":"role_a","name":"A","slug":"a"},{"id":"role_b","name":"B","slug":"b"},"#,
            r#"{"id":"role_c","name":"C","slug":"c"}],"is_deactivated":false}"#,
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn april_shows_one_role_id_and_july_that_role_too() {
        let shown = |api| shown(&user(), api, EmptyLists::Null);
        let expected = concat!(
            r#"{"id":"u1","email":"ana@acme.example","emails":["ana@acme.example","ana@old.example"],"name":"Ana","#,
            r#""avatar_url":"","status":"active","role_id":"role_b"}"#,
        );
        assert_eq!(shown(Api::April2026), expected);
        let role = r#","role":{"id":"role_b","name":"B","slug":"b"}}"#;
        assert_eq!(shown(Api::July2026), expected.replace('}', role));
    }
}
