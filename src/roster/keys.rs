//! The keys of each table, in canonical order. The parser, the suggestions, the schema, and the canonical layout share these
//! lists.

use super::field::Field;

/// The only keys allowed in an included file.
pub(crate) const TEAM: &[&str] = &["defaults", "users"];

pub(crate) const WORKSPACE: &[&str] = &["organization", "region"];

pub(crate) const POLICY: &[&str] = &with_fields::<{ FIELDS + 1 }>(&[], &["extra_roles"]);

/// All keys of an acknowledgment. Each guardrail takes only some of them.
pub(crate) const ACKNOWLEDGE: &[&str] =
    &["guardrail", "role", "user", "up_to", "down_to", "reason", "expires"];

pub(crate) const DEFAULTS: &[&str] = &["role"];

pub(crate) const PERSON: &[&str] = &with_fields::<{ FIELDS + 1 }>(&[], &["windows"]);

/// Returns a person's keys that precede `key` in canonical order.
pub(crate) fn before(key: &str) -> &'static [&'static str] {
    let place = PERSON.iter().position(|known| *known == key);
    &PERSON[..place.unwrap_or_default()]
}

pub(crate) const WINDOW: &[&str] = &with_fields::<{ FIELDS + 4 }>(&["from", "until"], &["then", "reason"]);

pub(crate) const GUARDRAIL: &[&str] =
    &["max_changes", "keep_at_least", "keep_at_most", "keep_active", "protected", "unmanaged", "missing"];

pub(crate) const RULE: &[&str] = &["emails", "except", "roles", "reason", "on_violation"];

/// Keys that are often misplaced, grouped by the header they belong under.
pub(crate) const HEADED: &[(&str, &[&str])] =
    &[("[guardrails]", GUARDRAIL), ("[workspace]", WORKSPACE), ("[policy]", &["extra_roles"])];

/// The tables of the root file, except `users`.
pub(crate) const SECTIONS: &[&str] =
    &["workspace", "policy", "guardrails", "rule", "acknowledge", "defaults"];

/// The [`SECTIONS`] that are arrays of tables, such as `[[rule]]`.
pub(crate) const ARRAYS: &[&str] = &["rule", "acknowledge"];

pub(crate) const ROOT: &[&str] = &[
    "include",
    "timezone",
    "allow_unicode_emails",
    "workspace",
    "policy",
    "guardrails",
    "rule",
    "acknowledge",
    "defaults",
    "users",
];

const FIELDS: usize = Field::WORDS.len();

/// Returns the keys of a table in canonical order: `before`, every field, and `after`.
const fn with_fields<const N: usize>(before: &[&'static str], after: &[&'static str]) -> [&'static str; N] {
    let mut keys = [""; N];
    let mut at = 0;
    while at < N {
        keys[at] = if at < before.len() {
            before[at]
        } else if at < before.len() + FIELDS {
            Field::WORDS[at - before.len()]
        } else {
            after[at - before.len() - FIELDS]
        };
        at += 1;
    }
    keys
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    const PAGE: &str = include_str!("../../docs/users-toml.md");
    /// Files with lists of keys for fuzzing and property tests. A test below checks that each list contains every key.
    const TRIED: [&str; 2] = ["fuzz/dictionaries/toml", "tests/all/properties/rubbish.rs"];
    /// The heading in docs/users-toml.md under which the keys of each table are documented.
    const DOCUMENTED: [(&str, &[&str]); 9] = [
        ("# ", ROOT),
        ("## Organization", WORKSPACE),
        ("## Policy", POLICY),
        ("## Guardrails", GUARDRAIL),
        ("## Acknowledgments", ACKNOWLEDGE),
        ("## Rules", RULE),
        ("## People", DEFAULTS),
        ("## Windows", PERSON),
        ("## Windows", WINDOW),
    ];
    /// The forms a key can take on a docs page: in backticks, before its value, or in a header.
    const IN_PAGES: &[&str] = &["`{}`", "`{} =", "\n{} =", " {} =", "[{}]"];
    /// The forms a key can take in a list of string literals.
    const IN_LISTS: &[&str] = &["\"{}\"", "\"{}.", "\"{} =", "[{}]"];

    /// Returns `true` if the text contains the key in one of `forms`. A plain word in a sentence doesn't count.
    fn is_in(text: &str, key: &str, forms: &[&str]) -> bool {
        forms.iter().any(|form| text.contains(&form.replace("{}", key)))
    }

    /// Returns the section of docs/users-toml.md under a heading, or the whole page for the heading `# `.
    fn section(heading: &str) -> &'static str {
        let (_, section) = PAGE.split_once(heading).unwrap_or_else(|| panic!("no {heading}"));
        if heading == "# " {
            section
        } else {
            section.split_once("\n## ").map_or(section, |(section, _)| section)
        }
    }

    #[test]
    fn the_fields_are_between_the_other_keys() {
        assert_eq!(WINDOW, ["from", "until", "role", "status", "then", "reason"]);
        assert_eq!(POLICY, ["role", "status", "extra_roles"]);
    }

    #[test]
    fn every_key_is_documented_and_in_the_lists_of_the_tests() {
        let compared = include_str!("../../tests/all/stories/comparing.rs");
        let (_, compared) = compared.split_once("const EVERY_KEY").unwrap();
        let (compared, _) = compared.split_once("];").unwrap();
        let root = std::env::var("ROLECALL_PROJECT").unwrap_or(env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&root);
        // The fuzz targets are a separate package, which the published crate doesn't include.
        let is_published = root.join("Cargo.toml.orig").exists();
        let tried = TRIED.into_iter().filter(|list| !is_published || !list.starts_with("fuzz/"));
        let tried: Vec<(&str, String)> =
            tried.map(|list| (list, fs::read_to_string(root.join(list)).unwrap())).collect();
        let mut missing = Vec::new();
        for (heading, keys) in DOCUMENTED {
            for key in keys {
                if !is_in(section(heading), key, IN_PAGES) {
                    missing.push(format!("`{key}` is not under {heading:?} of docs/users-toml.md"));
                }
                let lists = tried.iter().filter(|(_, text)| !is_in(text, key, IN_LISTS));
                missing.extend(lists.map(|(list, _)| format!("`{key}` is not in {list}")));
            }
        }
        for (table, keys) in [
            ("workspace", WORKSPACE),
            ("policy", POLICY),
            ("guardrails", GUARDRAIL),
            ("person", PERSON),
            ("acknowledgment", ACKNOWLEDGE),
            ("rule", RULE),
        ] {
            for key in keys.iter().filter(|key| **key != "guardrail") {
                // `guardrail` can't differ, since an acknowledgment of another guardrail is a different entry.
                if !is_in(compared, &format!("{table}.{key}"), IN_LISTS) {
                    missing.push(format!(
                        "`{table}.{key}` is not in EVERY_KEY of tests/all/stories/comparing.rs"
                    ));
                }
            }
        }
        assert_eq!(missing, Vec::<String>::new());
    }

    /// Shows that the test above can fail. If code blocks and inline code are removed from the page, no key counts as
    /// documented, even though many keys still appear as ordinary words.
    #[test]
    fn a_key_is_documented_only_in_backticks_and_not_in_a_sentence() {
        let prose: String =
            PAGE.split("```").step_by(2).flat_map(|text| text.split('`').step_by(2)).collect();
        let keys = DOCUMENTED.map(|(_, keys)| keys).concat();
        assert_eq!(keys.iter().find(|key| is_in(&prose, key, IN_PAGES)), None);
        let words: Vec<&str> =
            prose.split(|char: char| !char.is_ascii_alphanumeric() && char != '_').collect();
        let are_words = keys.iter().filter(|key| words.contains(key)).count();
        assert!(are_words > 5, "{are_words} keys are words in it");
    }
}
