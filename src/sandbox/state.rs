//! The checked state of a sandbox organisation: what a world starts from and what it is saved as.
//!
//! A `State` exists only with its references resolved and its ids and addresses unique; `draft` is the file as people write it,
//! and the one way in. Settings for everything nobody knows about the real API live here, with their defaults.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{audit::Entry, draft::Draft, user::User};
use crate::every::every;

/// The date of the API that responds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Api {
    /// Only `role_id` on a user, no `user` in `GET /me`, no error codes, an empty `pagination` on the last page, lower limits.
    #[serde(rename = "2026-04")]
    April2026,
    /// As April, and also a `role` object on a user and a `user` in `GET /me`.
    #[serde(rename = "2026-07")]
    July2026,
    /// `role_ids`, `roles`, and `is_deactivated` on a user, error codes, no `pagination` on the last page.
    #[default]
    #[serde(rename = "2026-10")]
    October2026,
}

impl Api {
    /// All of them, oldest first.
    pub const ALL: [Self; 3] = every!(Api: April2026, July2026, October2026);
}

/// Which of Pylon's two regions the sandbox says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    /// `api.usepylon.com`.
    #[default]
    Us,
    /// `api.eu.usepylon.com`.
    Eu,
}

impl Region {
    /// `us` or `eu`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Eu => "eu",
        }
    }
}

/// Whether the organisation may use the API at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It may.
    #[default]
    Good,
    /// Every request is answered 403 `organization_suspended`.
    Suspended,
    /// Every request is answered 403 `organization_deactivated`.
    Deactivated,
}

/// The organisation that the token belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Organization {
    /// As `GET /me` shows it.
    pub id: String,
    /// As `GET /me` shows it.
    pub name: String,
}

impl Default for Organization {
    fn default() -> Self {
        Self { id: "org_sandbox".to_owned(), name: "Sandbox".to_owned() }
    }
}

/// A role of the organisation. Names may repeat; ids and slugs do not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Its identifier.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Its stable short form.
    pub slug: String,
}

impl Role {
    /// A role from its three parts.
    pub fn new(id: &str, name: &str, slug: &str) -> Self {
        Self { id: id.to_owned(), name: name.to_owned(), slug: slug.to_owned() }
    }

    /// The built-in roles Admin, Member, and Viewer. Their IDs are UUIDs, as on the real service, and the same in every run.
    pub(super) fn built_in() -> Vec<Self> {
        [
            ("1f0c9a52-6d1e-4b7a-9c41-0a5e8d2b7f10", "Admin", "admin"),
            ("8b6e1d74-20c3-4f95-a7d8-5b94e3c1602f", "Member", "member"),
            ("d29a47b1-93ef-4c06-8a1d-e7f25063b98c", "Viewer", "viewer"),
        ]
        .map(|(id, name, slug)| Self::new(id, name, slug))
        .to_vec()
    }
}

/// What a list response without entries looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmptyData {
    /// Neither `data` nor `pagination`: the whole body is `{"request_id": "…"}`, as recorded from the live service.
    #[default]
    Omitted,
    /// `"data": null`.
    Null,
    /// `"data": []`.
    List,
}

impl EmptyData {
    /// All of them.
    pub const ALL: [Self; 3] = every!(EmptyData: Omitted, Null, List);
}

/// What an empty list within a user looks like: `emails`, `role_ids`, `roles`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmptyLists {
    /// `null`, as recorded from the live service.
    #[default]
    Null,
    /// `[]`.
    List,
}

/// What nobody outside knows about the real API, or what differs between organisations: a client should live with all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent yes-or-no questions about the server, not a state machine"
)]
pub struct Settings {
    /// The region it claims to be, named in the answer to the other region's token.
    pub region: Region,
    /// Whether the organisation is in good standing.
    pub standing: Standing,
    /// `GET /users` answers in pages of so many people; `null`: everybody at once.
    pub list_page: Option<usize>,
    /// `GET /user-roles` answers in pages of at most this many roles; `null`: all at once.
    pub roles_page: Option<usize>,
    /// What a search or a listing without entries looks like.
    pub empty_data: EmptyData,
    /// What an empty list within a user looks like.
    pub empty_lists: EmptyLists,
    /// A search for an address also finds people by a secondary one.
    pub search_matches_secondary: bool,
    /// A search ignores the case of addresses.
    pub search_ignores_case: bool,
    /// A search also finds deactivated people.
    pub search_returns_deactivated: bool,
    /// A filter with more values than this is answered 413; `null`: any number.
    pub max_filter_values: Option<usize>,
    /// The organisation's plan has an audit log; else 403.
    pub audit_log: bool,
    /// Where the plan has none, it is 404 in place of 403.
    pub audit_log_hidden: bool,
    /// The token may change users; else 403.
    pub token_can_write: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            region: Region::Us,
            standing: Standing::Good,
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

/// A whole organisation, checked. Made by [`State::parse`], [`Draft::check`], [`State::of_people`] or [`State::generated`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Whose users these are.
    pub organization: Organization,
    /// The date of the API that responds.
    pub api: Api,
    /// How the API behaves where nobody knows.
    pub settings: Settings,
    /// The id of the user whom the token belongs to; none for an API user.
    pub(super) token_user: Option<String>,
    pub(super) roles: Vec<Role>,
    /// Shared, so that a snapshot of a million people is a million counters and not a million copies.
    pub(super) users: Vec<Arc<User>>,
    /// Oldest first.
    pub(super) audit: Vec<Entry>,
    /// Whether the sandbox made this organization up.
    pub made_up: bool,
}

impl State {
    /// Reads `pylon.json`.
    pub fn parse(json: &str) -> Result<Self, StateError> {
        let draft: Draft =
            serde_json::from_str(json).map_err(|error| StateError { problems: vec![error.to_string()] })?;
        draft.check()
    }

    /// Writes `pylon.json`, everything spelled out; [`State::parse`] reads the same state back.
    pub fn to_json(&self) -> String {
        super::draft::write(self)
    }

    /// Lets the token belong to this person, by id or primary address. False, and nothing changed, when there is no such person.
    pub fn set_token_user(&mut self, who: &str) -> bool {
        let has_address = |user: &User| !who.is_empty() && user.email.to_lowercase() == who.to_lowercase();
        let found = self.users.iter().find(|user| user.id == who || has_address(user));
        let Some(id) = found.map(|user| user.id.clone()) else { return false };
        self.token_user = Some(id);
        true
    }

    /// How many users there are, deactivated ones included.
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// How many of the users are people, deactivated ones included.
    pub fn people(&self) -> usize {
        self.users.iter().filter(|user| user.kind.is_person()).count()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// The roles of the organisation.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }
}

/// Why a text or draft is no state: every problem found, one sentence each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateError {
    pub(super) problems: Vec<String>,
}

impl StateError {
    /// One sentence for each problem.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}

impl fmt::Display for StateError {
    /// The first ten, and how many more there are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 10;
        let shown: Vec<&str> = self.problems.iter().take(SHOWN).map(String::as_str).collect();
        write!(f, "{}", shown.join("\n"))?;
        match self.problems.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

impl std::error::Error for StateError {}
