//! The representation of a user in each version of the API.
//!
//! `written_user` defines a user's fields, and `users` implements lookups.

use serde::Serialize;

use super::organization::{Api, EmptyLists, Role, find_role};
use super::written_user::WrittenUser;

impl WrittenUser {
    /// Returns the role for the deprecated field `role_id`: the last of the assigned roles. This choice makes tests fail if a
    /// client mistakes `role_id` for the user's primary role.
    pub(super) fn shown_role<'a>(&self, roles: &'a [Role]) -> Option<&'a Role> {
        self.roles.last().and_then(|role| find_role(roles, role).ok())
    }

    pub(super) fn shown_role_id<'a>(&self, roles: &'a [Role]) -> &'a str {
        self.shown_role(roles).map_or("", |role| role.id.as_str())
    }

    /// Returns the user's representation in responses.
    pub(super) fn view<'a>(&'a self, roles: &'a [Role], api: Api, empty_lists: EmptyLists) -> UserView<'a> {
        // The user is destructured exhaustively, so a new field must be either shown or explicitly ignored here.
        let Self {
            id,
            kind: _,
            email,
            emails,
            name,
            avatar_url,
            status,
            roles: assigned,
            scim_roles,
            deactivated,
            role_from_scim: _,
            support_hours: _,
        } = self;
        let addresses = std::iter::once(email).chain(emails).filter(|address| !address.is_empty());
        let from_scim = scim_roles.iter().filter(|role| !assigned.contains(role));
        let all_roles = assigned.iter().chain(from_scim);
        let role_of = |role: &String| find_role(roles, role).ok();
        UserView {
            id: id.as_deref().unwrap_or_default(),
            email,
            emails: shown_list(addresses.map(String::as_str), empty_lists),
            name: name.as_deref().unwrap_or_default(),
            avatar_url: avatar_url.as_deref().unwrap_or_default(),
            status: status.as_deref().unwrap_or_default(),
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
    /// The avatar's URL, or an empty string rather than `null`, because Pylon's SDK accepts only a string.
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
    use crate::sandbox::UserKind;

    fn roles() -> Vec<Role> {
        vec![Role::new("role_a", "A", "a"), Role::new("role_b", "B", "b"), Role::new("role_c", "C", "c")]
    }

    fn user() -> WrittenUser {
        WrittenUser {
            id: Some("u1".to_owned()),
            kind: UserKind::Person,
            email: "ana@acme.example".to_owned(),
            emails: vec!["ana@old.example".to_owned()],
            name: Some("Ana".to_owned()),
            avatar_url: None,
            status: Some("active".to_owned()),
            roles: vec!["a".to_owned(), "b".to_owned()],
            scim_roles: vec!["b".to_owned(), "c".to_owned()],
            deactivated: false,
            role_from_scim: false,
            support_hours: None,
        }
    }

    fn shown(user: &WrittenUser, api: Api, empty_lists: EmptyLists) -> String {
        serde_json::to_string(&user.view(&roles(), api, empty_lists)).unwrap()
    }

    #[test]
    fn an_empty_list_is_null_unless_the_setting_says_otherwise() {
        let without_roles = WrittenUser {
            kind: UserKind::Integration,
            email: String::new(),
            emails: Vec::new(),
            status: Some(String::new()),
            roles: Vec::new(),
            scim_roles: Vec::new(),
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
