//! The guardrails that files can configure and acknowledge. The checks themselves are in [`crate::plan::guardrails`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::every::words;

words! {
    /// A guardrail. Reports list the guardrails in this order.
    #[derive(PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum Guardrail {
        /// The maximum number of people a single apply may change.
        MaxChanges = "max_changes",
        /// The minimum number of holders of a role after an apply.
        KeepAtLeast = "keep_at_least",
        /// The maximum number of holders of a role after an apply.
        KeepAtMost = "keep_at_most",
        /// The minimum number of people with the status `active` after an apply.
        KeepActive = "keep_active",
        /// Protects certain people from changes.
        Protected = "protected",
        /// Prevents the token's owner from losing a guarded role.
        TokenOwner = "token_owner",
        /// Restricts the roles of people whose addresses match a pattern.
        Rule = "rule",
        /// How to handle people in Pylon who are not declared.
        Unmanaged = "unmanaged",
        /// How to handle declared people who are either not found in Pylon or deactivated there.
        Missing = "missing",
    }
}
