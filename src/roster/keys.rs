//! The keys of each table, in the order in which they are written: one list for readers, suggestions, the schema and the
//! canonical layout.

/// The keys of an included file.
pub(crate) const TEAM: &[&str] = &["defaults", "users"];

/// The keys of `[workspace]`.
pub(crate) const WORKSPACE: &[&str] = &["organization", "region"];

/// The keys of `[policy]`.
pub(crate) const POLICY: &[&str] = &["role", "status", "extra_roles"];

/// The keys of one `[[acknowledge]]`, whatever its guardrail.
pub(crate) const ACKNOWLEDGE: &[&str] =
    &["guardrail", "role", "user", "up_to", "down_to", "reason", "expires"];

/// The keys of `[defaults]`.
pub(crate) const DEFAULTS: &[&str] = &["role"];

/// The keys of a person.
pub(crate) const PERSON: &[&str] = &["role", "status", "windows"];

/// The keys of a window.
pub(crate) const WINDOW: &[&str] = &["from", "until", "role", "status", "then", "reason"];

/// The keys of `[guardrails]`.
pub(crate) const GUARDRAIL: &[&str] =
    &["max_changes", "keep_at_least", "keep_active", "protected", "unmanaged", "missing"];

/// Keys that belong below a header of their own, with that header.
pub(crate) const HEADED: &[(&str, &[&str])] =
    &[("[guardrails]", GUARDRAIL), ("[workspace]", WORKSPACE), ("[policy]", &["extra_roles"])];

/// The tables of the root file, but for the people.
pub(crate) const SECTIONS: &[&str] = &["workspace", "policy", "guardrails", "acknowledge", "defaults"];

/// The keys of the root file.
pub(crate) const ROOT: &[&str] = &[
    "include",
    "timezone",
    "allow_unicode_emails",
    "workspace",
    "policy",
    "guardrails",
    "acknowledge",
    "defaults",
    "users",
];
