//! The guardrails by name: what files limit and acknowledge, and what a plan is reviewed by. What each looks at is
//! [`crate::plan::guardrails`]' business.

use schemars::JsonSchema;
use serde::Serialize;

use crate::every::words;

words! {
    /// The guardrails by name, in the order in which reports list them.
    #[derive(PartialOrd, Ord, Hash, Serialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum Guardrail {
        /// Limits the people changed in one apply.
        MaxChanges = "max_changes",
        /// Limits the holders of a role afterwards.
        KeepAtLeast = "keep_at_least",
        /// Limits the people with the status `active` afterwards.
        KeepActive = "keep_active",
        /// Lists people who are never changed.
        Protected = "protected",
        /// The user of the token keeps their guarded roles.
        TokenOwner = "token_owner",
        /// Is about people in Pylon who are in no file.
        Unmanaged = "unmanaged",
        /// Is about declared people who are not in Pylon.
        Missing = "missing",
    }
}
