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

/// The keys of a person that stand before this one.
pub(crate) fn before(key: &str) -> &'static [&'static str] {
    let place = PERSON.iter().position(|known| *known == key);
    &PERSON[..place.unwrap_or_default()]
}

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

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the key stands in the text as a word of its own.
    fn names(text: &str, key: &str) -> bool {
        text.split(|char: char| !char.is_ascii_alphanumeric() && char != '_').any(|word| word == key)
    }

    #[test]
    fn every_key_is_told_of_tried_and_compared() {
        let compared = include_str!("../../tests/all/stories/comparing.rs");
        let (_, compared) = compared.split_once("const EVERY_KEY").unwrap();
        let (compared, _) = compared.split_once("];").unwrap();
        for (page, text) in [
            ("docs/users-toml.md", include_str!("../../docs/users-toml.md")),
            ("fuzz/dictionaries/toml", include_str!("../../fuzz/dictionaries/toml")),
            ("tests/all/properties/rubbish.rs", include_str!("../../tests/all/properties/rubbish.rs")),
        ] {
            let tables = [ROOT, WORKSPACE, POLICY, GUARDRAIL, ACKNOWLEDGE, DEFAULTS, PERSON, WINDOW];
            for key in tables.concat() {
                assert!(names(text, key), "`{key}` is not in {page}");
            }
        }
        for key in [WORKSPACE, POLICY, GUARDRAIL, PERSON].concat() {
            assert!(names(compared, key), "`{key}` is not in EVERY_KEY of tests/all/stories/comparing.rs");
        }
    }
}
