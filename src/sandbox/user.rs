//! A user in the sandbox, and its representation in each version of the API.
//!
//! `users` implements lookups, and `written_user` defines the format of a user in `pylon.json`.

use serde::{Deserialize, Serialize};

use super::organization::{Api, EmptyLists, Role};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UserKind {
    /// A user with an email address, who can log in.
    #[default]
    Person,
    /// The user that represents an integration, such as Slack or Fivetran. Such users have no email address, status, or roles.
    Integration,
    /// The user that represents an API token. Such users have no email address, status, or roles.
    Api,
}

/// A user as stored in the world. Roles are stored as indexes into the world's list of roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) kind: UserKind,
    /// The primary address, or an empty string if the user is not a person.
    pub(super) email: String,
    pub(super) secondary: Vec<String>,
    pub(super) name: String,
    pub(super) avatar_url: Option<String>,
    pub(super) status: String,
    /// The assigned roles, sorted by role ID.
    pub(super) assigned: Vec<usize>,
    /// Roles from SCIM groups. Responses list these roles in `roles`, and a PATCH can't change them.
    pub(super) scim: Vec<usize>,
    pub(super) deactivated: bool,
    /// If set, a PATCH that contains a role returns 200 but doesn't change the role.
    pub(super) role_from_scim: bool,
    /// The status to which a support-hours schedule resets the user right after every PATCH, or `None` if there isn't a schedule.
    pub(super) support_hours: Option<String>,
}

impl User {
    pub(super) fn is_person(&self) -> bool {
        self.kind == UserKind::Person
    }

    /// Returns the role for the deprecated field `role_id`, which is the last assigned role. This choice makes tests fail if a
    /// client mistakes `role_id` for the user's primary role.
    pub(super) fn shown_role<'a>(&self, roles: &'a [Role]) -> Option<&'a Role> {
        self.assigned.last().and_then(|index| roles.get(*index))
    }

    pub(super) fn shown_role_id<'a>(&self, roles: &'a [Role]) -> &'a str {
        self.shown_role(roles).map_or("", |role| role.id.as_str())
    }

    /// Returns the user's representation in responses.
    pub(super) fn view<'a>(&'a self, roles: &'a [Role], api: Api, empty_lists: EmptyLists) -> UserView<'a> {
        // Destructured exhaustively: a new field must be either shown or listed here as not shown.
        let Self {
            id,
            kind: _,
            email,
            secondary,
            name,
            avatar_url,
            status,
            assigned,
            scim,
            deactivated,
            role_from_scim: _,
            support_hours: _,
        } = self;
        let addresses = std::iter::once(email).chain(secondary).filter(|address| !address.is_empty());
        let from_scim = scim.iter().filter(|index| !assigned.contains(index));
        let all_roles = assigned.iter().chain(from_scim);
        let role_of = |index: &usize| roles.get(*index);
        UserView {
            id,
            email,
            emails: shown_list(addresses.map(String::as_str), empty_lists),
            name,
            avatar_url: avatar_url.as_deref().unwrap_or_default(),
            status,
            role_id: self.shown_role_id(roles),
            role: if api == Api::July2026 { self.shown_role(roles) } else { None },
            since_october: (api == Api::October2026).then(|| SinceOctober {
                role_ids: shown_list(assigned.iter().filter_map(role_of).map(|role| &*role.id), empty_lists),
                roles: shown_list(all_roles.filter_map(role_of), empty_lists),
                is_deactivated: *deactivated,
            }),
        }
    }
}

/// Collects a list field of a user, such as `emails`, for a response. Returns `None` if the list is empty and has to be
/// represented as `null`.
fn shown_list<T>(items: impl Iterator<Item = T>, empty_lists: EmptyLists) -> Option<Vec<T>> {
    let items: Vec<T> = items.collect();
    (!items.is_empty() || empty_lists == EmptyLists::List).then_some(items)
}

/// A user as it appears in a response.
#[derive(Serialize)]
pub(super) struct UserView<'a> {
    id: &'a str,
    email: &'a str,
    emails: Option<Vec<&'a str>>,
    name: &'a str,
    /// The avatar's URL, or an empty string. Never `null`, because Pylon's SDK accepts only a string.
    avatar_url: &'a str,
    status: &'a str,
    role_id: &'a str,
    /// The role with the ID `role_id`, as an object. Present only in the API version of July 2026.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a Role>,
    #[serde(flatten)]
    since_october: Option<SinceOctober<'a>>,
}

/// The fields of a user that were added in the API version of October 2026.
#[derive(Serialize)]
struct SinceOctober<'a> {
    role_ids: Option<Vec<&'a str>>,
    /// The assigned roles, followed by the roles that come only from SCIM groups.
    roles: Option<Vec<&'a Role>>,
    is_deactivated: bool,
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
            kind: UserKind::Person,
            email: "ana@acme.example".to_owned(),
            secondary: vec!["ana@old.example".to_owned()],
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
        serde_json::to_string(&user.view(&roles(), api, empty_lists)).unwrap()
    }

    #[test]
    fn an_empty_list_is_null_unless_the_setting_says_otherwise() {
        let without_roles = User {
            kind: UserKind::Integration,
            email: String::new(),
            secondary: Vec::new(),
            status: String::new(),
            assigned: Vec::new(),
            scim: Vec::new(),
            ..user()
        };
        let expected = concat!(
            r#"{"id":"u1","email":"","emails":null,"name":"Ana","avatar_url":"","status":"","role_id":"","#,
            r#""role_ids":null,"roles":null,"is_deactivated":false}"#,
        );
        assert_eq!(shown(&without_roles, Api::October2026, EmptyLists::Null), expected);
        assert_eq!(shown(&without_roles, Api::October2026, EmptyLists::List), expected.replace("null", "[]"));
        let april =
            r#"{"id":"u1","email":"","emails":null,"name":"Ana","avatar_url":"","status":"","role_id":""}"#;
        assert_eq!(shown(&without_roles, Api::April2026, EmptyLists::Null), april);
        assert_eq!(shown(&without_roles, Api::July2026, EmptyLists::Null), april);
    }

    #[test]
    fn october_shows_scim_roles_only_in_the_list_of_roles() {
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
    fn april_shows_one_role_id_and_july_also_its_role_object() {
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
