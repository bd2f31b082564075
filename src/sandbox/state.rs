//! An organization's state, as stored in `pylon.json`. Every top-level key is optional, and people need only `email` and `role`.
//!
//! This module defines the file format, in which unknown keys are errors. `written_user` validates users and fills in their
//! defaults.

use serde::{Deserialize, Serialize};

use super::audit::LoggedChange;
use super::organization::{Api, ApiSettings, Organization, Role};
use super::written_user::WrittenUser;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SandboxState {
    pub organization: Organization,
    pub api: Api,
    /// The user ID of the token owner, or `None` if the token belongs to an API user.
    pub token_user: Option<String>,
    /// The organization's roles. If `None`, the organization has the built-in roles: Admin, Member, and Viewer.
    pub roles: Option<Vec<Role>>,
    pub settings: ApiSettings,
    pub users: Vec<WrittenUser>,
    /// The entries of the audit log, oldest first.
    pub audit: Vec<LoggedChange>,
    /// Whether the sandbox generated this organization, using the people declared in the files if there are any. Only the
    /// sandbox sets this key, never a user.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub made_up: bool,
}

impl SandboxState {
    /// Parses `pylon.json`. The error is a message for the user.
    pub fn parse(json: &str) -> Result<Self, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}
