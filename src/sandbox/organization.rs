//! An organization's properties apart from its users: the API version, the roles, and the behavior of the API.

use serde::{Deserialize, Serialize};

use super::unknown_name::unknown_name;
use crate::every::{every, words};

/// The version of Pylon's API that the sandbox emulates, identified by its date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Api {
    /// `role_id` is a user's only role field, `GET /me` has no `user`, and errors have no codes. The last page of a list has an
    /// empty `pagination`. The rate limits are lower than in October 2026.
    #[serde(rename = "2026-04")]
    April2026,
    /// Like April 2026, except that users also have a `role` object, and `GET /me` has a `user`.
    #[serde(rename = "2026-07")]
    July2026,
    /// In addition to `role_id`, users have `role_ids`, `roles`, and `is_deactivated`, but no `role` object. Errors have codes,
    /// the last page of a list has no `pagination`, and the rate limits are higher than before.
    #[default]
    #[serde(rename = "2026-10")]
    October2026,
}

impl Api {
    pub const ALL: [Self; 3] = every!(Api: April2026, July2026, October2026);
}

words! {
    /// The Pylon region that the sandbox pretends to be in.
    #[derive(Default, Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    pub enum Region {
        #[default]
        Us = "us",
        Eu = "eu",
    }
}

/// Whether the organization may use the API. Unless the organization is in good standing, every request with a valid token is
/// rejected with a 403.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OrganizationStanding {
    #[default]
    Good,
    Suspended,
    Deactivated,
}

/// The organization that the token belongs to, as returned by `GET /me`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Organization {
    pub id: String,
    pub name: String,
}

impl Default for Organization {
    fn default() -> Self {
        Self { id: "org_sandbox".to_owned(), name: "Sandbox".to_owned() }
    }
}

/// A role in the organization. IDs and slugs are unique, but names don't have to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    pub id: String,
    pub name: String,
    pub slug: String,
}

impl Role {
    pub fn new(id: &str, name: &str, slug: &str) -> Self {
        Self { id: id.to_owned(), name: name.to_owned(), slug: slug.to_owned() }
    }

    /// Returns the string that identifies the role in a user's entry: its slug, or its ID if the slug would be misread. If a
    /// slug equals another role's ID, [`find_role`] would find that other role. An empty slug would count as an omitted `role`
    /// key.
    pub(super) fn word(&self, roles: &[Self]) -> &str {
        let reads_back = !self.slug.is_empty() && find_role(roles, &self.slug) == Ok(self);
        if reads_back { &self.slug } else { &self.id }
    }

    /// Returns the roles Admin, Member, and Viewer. Their IDs are UUIDs, as in Pylon, but the same in every run.
    pub(super) fn built_in() -> Vec<Self> {
        vec![
            Self::new("1f0c9a52-6d1e-4b7a-9c41-0a5e8d2b7f10", "Admin", "admin"),
            Self::new("8b6e1d74-20c3-4f95-a7d8-5b94e3c1602f", "Member", "member"),
            Self::new("d29a47b1-93ef-4c06-8a1d-e7f25063b98c", "Viewer", "viewer"),
        ]
    }
}

/// Looks up a role by ID, then by slug, then by name if the name is unique. Returns an error message for the user if
/// no role or several roles match.
pub(super) fn find_role<'r>(roles: &'r [Role], word: &str) -> Result<&'r Role, String> {
    let by_id = roles.iter().find(|role| role.id == word);
    if let Some(role) = by_id.or_else(|| roles.iter().find(|role| role.slug == word)) {
        return Ok(role);
    }
    let named: Vec<&Role> = roles.iter().filter(|role| role.name == word).collect();
    match named.as_slice() {
        [role] => Ok(role),
        [] => {
            Err(unknown_name("role", word, &roles.iter().map(|role| role.slug.as_str()).collect::<Vec<_>>()))
        }
        several => {
            let ids = several.iter().map(|role| role.id.as_str()).collect::<Vec<_>>().join(", ");
            Err(format!("more than one role is named `{word}`; use one of these IDs instead: {ids}"))
        }
    }
}

/// The representation of a list response without entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmptyData {
    /// The response has no `data` and, on the last page, no `pagination`. The entire body is then `{"request_id": "…"}`, as seen
    /// in the live service.
    #[default]
    Omitted,
    /// The response contains `"data": null`.
    Null,
    /// The response contains `"data": []`.
    List,
}

impl EmptyData {
    pub const ALL: [Self; 3] = every!(EmptyData: Omitted, Null, List);
}

/// The representation of a user's `emails`, `role_ids`, or `roles` if the list is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmptyLists {
    /// The value is `null`, as seen in the live service.
    #[default]
    Null,
    /// The value is `[]`.
    List,
}

/// Settings for API behavior that is unknown or differs between organizations. Clients must work with every combination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent yes-or-no questions about the server, not a state machine"
)]
pub struct ApiSettings {
    /// The organization's region, which is named in the error for a token from another region.
    pub region: Region,
    pub standing: OrganizationStanding,
    /// The maximum number of users per page of `GET /users`. If `None`, all users are on one page.
    pub list_page: Option<usize>,
    /// The maximum number of roles per page of `GET /user-roles`. If `None`, all roles are on one page.
    pub roles_page: Option<usize>,
    pub empty_data: EmptyData,
    pub empty_lists: EmptyLists,
    /// Whether a search for an address also matches secondary addresses.
    pub search_matches_secondary: bool,
    pub search_ignores_case: bool,
    pub search_returns_deactivated: bool,
    /// The maximum number of values in a filter, or `None` for no limit. A filter with more values is rejected with a 413.
    pub max_filter_values: Option<usize>,
    /// Whether the organization's plan includes the audit log. If not, a search of the audit log is rejected with a 403, or with
    /// a 404 if `audit_log_hidden` is set.
    pub audit_log: bool,
    /// Whether a missing audit log is reported as a 404 instead of a 403.
    pub audit_log_hidden: bool,
    /// Whether the token may change users. If not, every PATCH is rejected with a 403.
    pub token_can_write: bool,
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self {
            region: Region::Us,
            standing: OrganizationStanding::Good,
            list_page: None,
            roles_page: None,
            empty_data: EmptyData::Omitted,
            empty_lists: EmptyLists::Null,
            search_matches_secondary: true,
            search_ignores_case: true,
            search_returns_deactivated: true,
            max_filter_values: None,
            audit_log: true,
            audit_log_hidden: false,
            token_can_write: true,
        }
    }
}
