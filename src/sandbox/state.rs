//! The state of an organization in `pylon.json`. Everything except the addresses and roles of people has a default.
//!
//! Owns the file format. Unknown keys are errors. `written_user` checks the users and fills in defaults.

use serde::{Deserialize, Serialize};

use super::audit::AuditEntry;
use super::organization::{Api, ApiSettings, Organization, Role};
use super::written_user::WrittenUser;

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
