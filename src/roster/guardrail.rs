//! Lists the names of the guardrails, which files configure and acknowledge. [`crate::plan::guardrails`] implements their checks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::every::words;

words! {
    /// Names a guardrail. Reports list the guardrails in this order.
    #[derive(PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum Guardrail {
        /// Sets the maximum number of people that one apply may change.
        MaxChanges = "max_changes",
        /// Sets the minimum number of holders of a role after an apply.
        KeepAtLeast = "keep_at_least",
        /// Sets the maximum number of holders of a role after an apply.
        KeepAtMost = "keep_at_most",
        /// Sets the minimum number of people with the status `active` after an apply.
        KeepActive = "keep_active",
        /// Lists people who are never changed.
        Protected = "protected",
        /// Keeps the owner of the token from losing a guarded role.
        TokenOwner = "token_owner",
        /// Limits the roles of people with certain addresses.
        Rule = "rule",
        /// Decides what to do about people in Pylon who are not in any file.
        Unmanaged = "unmanaged",
        /// Decides what to do about declared people who are not in Pylon.
        Missing = "missing",
    }
}
