//! The JSON Schema of `users.toml` and its team files, for editors: it completes keys and values, explains them, marks mistakes.
//!
//! It is derived from structs that have the shape of the file as people write it, and from the enums of the reader. Their doc
//! comments are what an editor shows. The reader stays the judge: what needs more than one value at a time (a window that leads nowhere, a
//! role that nobody has) only `rolecall validate` and `plan` see. What the reader takes, the schema takes.
//!
//! One schema serves root and team files. That a team file has `[defaults]` and `[users]` alone, the reader says.

#![expect(dead_code, reason = "shapes: the schema is made of them, and nothing is ever put into them")]

mod editors;

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{GuardrailRules, Missing, Region, Stance, Status, Unmanaged};

/// The JSON Schema (draft 2020-12) of the root file and of team files.
pub fn schema() -> Schema {
    // Everything stands where it is used: some editors read no text beside a reference.
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let settings = settings.with_transform(RecursiveTransform(editors::suit));
    settings.into_generator().into_root_schema_for::<File>()
}

/// Who has which role in Pylon, and which status where one is declared. `rolecall plan` shows what an edit would change,
/// `rolecall apply` changes it.
///
/// A team file has `[defaults]` and `[users]` alone; the other keys belong in the root file.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "users.toml of rolecall")]
struct File {
    /// Team files, as patterns relative to this file: `include = ["teams/*.toml"]`.
    ///
    /// Root file only. Patterns stay in the folder of this file, and one that matches no file is an error.
    include: Option<Vec<Text>>,
    /// In which zone dates and local times are meant, by its IANA name: `timezone = "Europe/Berlin"`.
    ///
    /// Root file only.
    #[schemars(extend("default" = "UTC", "examples" = ["UTC", "Europe/Berlin", "America/New_York"]))]
    timezone: Option<Text>,
    /// Whether addresses outside ASCII may be declared. They are refused unless this is `true`, since letters that look alike
    /// are not alike.
    ///
    /// Root file only.
    #[schemars(extend("default" = false))]
    allow_unicode_emails: Option<bool>,
    /// Which organization these files are for. With a token of another one nothing changes.
    ///
    /// Root file only.
    workspace: Option<Workspace>,
    /// What a difference between the files and Pylon means, field by field: `enforce`, `observe` or `ignore`.
    ///
    /// Root file only.
    policy: Option<Policy>,
    /// The limits of one apply, on the organization as it would be afterwards. What is not given has its default.
    ///
    /// Root file only.
    guardrails: Option<Guardrails>,
    /// Risks that were reviewed and accepted, each for at most thirty days.
    ///
    /// Root file only. A refusal of `rolecall plan` prints the lines to put here.
    acknowledge: Option<Vec<Acknowledgment>>,
    /// What holds for the users of this file, unless they say otherwise.
    defaults: Option<Defaults>,
    /// The people, by the e-mail address that they use in Pylon: `"ana@acme.example" = { role = "Admin" }`.
    users: Option<BTreeMap<Address, Person>>,
}

/// `[workspace]`
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Workspace {
    /// The organization's id, which every plan shows in its first line: `organization = "org_4f1c"`.
    organization: Option<Text>,
    /// Where the organization lives; also the default for `--region`.
    region: Option<Region>,
}

/// `[policy]`
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Policy {
    /// The declared role against the assigned one.
    #[schemars(extend("default" = Stance::default().as_str()))]
    role: Option<Stance>,
    /// The declared status against the present one. It is compared only where one is declared.
    #[schemars(extend("default" = Stance::default().as_str()))]
    status: Option<Stance>,
    /// Roles that are assigned in Pylon beyond the declared one.
    #[schemars(extend("default" = Stance::default().as_str()))]
    extra_roles: Option<Stance>,
}

/// `[guardrails]`
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Guardrails {
    /// How many people one apply may change: a share of those declared, `"25%"`, rounded down, though ten may always change; or
    /// an exact count, `40`. `0` freezes.
    #[schemars(extend("default" = GuardrailRules::default().max_changes.to_string().trim_matches('"')))]
    max_changes: Option<MaxChanges>,
    /// How many people must hold a role after an apply, by the role's name, slug or id: `{ Admin = 2 }`.
    ///
    /// Unless given: 2 of the role with the slug `admin`.
    keep_at_least: Option<BTreeMap<String, u64>>,
    /// How many people must have the status `active` after an apply.
    #[schemars(extend("default" = GuardrailRules::default().keep_active))]
    keep_active: Option<u64>,
    /// People who are never changed: `["founder@acme.example"]`.
    #[schemars(extend("default" = Vec::<String>::new()))]
    protected: Option<Vec<Address>>,
    /// What people in Pylon whom no file declares mean.
    #[schemars(extend("default" = Unmanaged::Report.as_str()))]
    unmanaged: Option<Unmanaged>,
    /// What declared people who are not in Pylon, or deactivated there, mean.
    #[schemars(extend("default" = Missing::Report.as_str()))]
    missing: Option<Missing>,
}

/// `[[acknowledge]]`: one risk, accepted up to a figure and for a time. It overrides this one guardrail, and no other.
#[derive(JsonSchema)]
#[schemars(tag = "guardrail", rename_all = "snake_case", deny_unknown_fields)]
enum Acknowledgment {
    /// More people may change in one apply than `max_changes` allows. Takes `up_to`.
    MaxChanges { up_to: UpTo, reason: Reason, expires: Expires },
    /// Declared people may be missing in Pylon, though `missing` refuses that. Takes `up_to`.
    Missing { up_to: UpTo, reason: Reason, expires: Expires },
    /// People in Pylon may be unmanaged, though `unmanaged` refuses that. Takes `up_to`.
    Unmanaged { up_to: UpTo, reason: Reason, expires: Expires },
    /// A role may have fewer holders than `keep_at_least` says. Takes `role` and `down_to`.
    KeepAtLeast { role: GuardedRole, down_to: DownTo, reason: Reason, expires: Expires },
    /// Fewer people may be `active` than `keep_active` says. Takes `down_to`.
    KeepActive { down_to: DownTo, reason: Reason, expires: Expires },
    /// Somebody who is `protected` may change. Takes `user`.
    Protected { user: User, reason: Reason, expires: Expires },
    /// The token's own user may lose a role that `keep_at_least` names. Takes `user`.
    TokenOwner { user: User, reason: Reason, expires: Expires },
}

// What several of them take says the same everywhere: an editor that lists the keys of all of them then lists each once.

/// For `max_changes`, `missing`, `unmanaged`: so many people, and no more: `up_to = 40`.
#[derive(JsonSchema)]
struct UpTo(u64);

/// For `keep_at_least`, `keep_active`: down to so many people, and no fewer: `down_to = 1`.
#[derive(JsonSchema)]
struct DownTo(u64);

/// For `keep_at_least`: the role, as the guardrail names it: `role = "Admin"`.
#[derive(JsonSchema)]
struct GuardedRole(Text);

/// For `protected`, `token_owner`: this person, and nobody else: `user = "founder@acme.example"`.
#[derive(JsonSchema)]
struct User(Address);

/// Why, for whoever reads this later: `reason = "support reorganization"`.
#[derive(JsonSchema)]
struct Reason(Text);

/// The day on which it no longer holds, at most thirty days ahead, without quotes: `expires = 2026-12-01`.
#[derive(JsonSchema)]
struct Expires(Moment);

/// `[defaults]`
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Defaults {
    /// The role of everybody in this file without one of their own, by name, slug or id: `role = "Member"`.
    role: Option<Text>,
}

/// One person. `{}` stands for somebody with the role of `[defaults]` whose status is left alone.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Person {
    /// The role outside every window, by name, slug or id: `role = "Admin"`. Without one here or in `[defaults]` the role is left
    /// alone.
    ///
    /// `rolecall roles` lists what may stand here.
    role: Option<Text>,
    /// The status outside every window. Without one the status is left alone: Pylon changes it by itself, so declare one only
    /// where you mean it.
    status: Option<Status>,
    /// Values for a time, such as `[{ from = 2026-12-20, until = 2027-01-03, status = "out_of_office", then = "active" }]`.
    windows: Option<Vec<Window>>,
}

/// Values for a time: `{ from = 2026-12-20, until = 2027-01-03, status = "out_of_office", then = "active" }`. Windows of one person
/// that set the same field must not overlap.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Window {
    /// From when it holds: `from = 2026-12-20`, without quotes. Always, if absent.
    from: Option<Moment>,
    /// Until when it holds, exclusive: `until = 2027-01-03`, the first day after, without quotes. For good, if absent.
    until: Option<Moment>,
    /// The role while it holds, by name, slug or id. It needs a role outside the window, of the person or of `[defaults]`.
    role: Option<Text>,
    /// The status while it holds. One that ends needs a declared status outside the window, or `then`.
    status: Option<Status>,
    /// The status afterwards: for 48 hours after `until`, whoever still shows the window's status is given this one.
    then: Option<Status>,
    /// Why, for whoever reads this later: `reason = "incident lead"`.
    reason: Option<Text>,
}

// A text that says something. No doc comment: what is said of the key is said of its text.
#[derive(JsonSchema)]
struct Text(#[schemars(regex(pattern = r"\S"))] String);

/// An address, roughly: the reader is the judge (`super::email`).
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Address;

impl JsonSchema for Address {
    fn schema_name() -> Cow<'static, str> {
        "Address".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": r"^[^\s@]{1,64}@[^\s@.]+(\.[^\s@.]+)+$" })
    }
}

/// A share or a count.
struct MaxChanges;

impl JsonSchema for MaxChanges {
    fn schema_name() -> Cow<'static, str> {
        "MaxChanges".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "integer"],
            "pattern": "^(100|[1-9]?[0-9])%$",
            "minimum": 0,
        })
    }
}

/// A date or a date-time of TOML, which a validator sees as a string. JSON Schema has no format for a local date-time, and not
/// every validator looks at formats, so the pattern stands for itself. Conditions, since editors take alternatives for tables.
struct Moment;

impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string"], // as a list, or an editor completes quotes
            "pattern": r"^\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:\d{2})?)?$",
            "if": { "pattern": "^.{10}$" },
            "then": { "format": "date" },
            "else": {
                "if": { "pattern": r"^.{10}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$" },
                "then": { "format": "date-time" },
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use pretty_assertions::assert_eq;
    use serde_json::Value;

    use super::*;
    use crate::roster::keys;
    use crate::roster::settings::takes;
    use crate::roster::{Guardrail, MaxChanges, Region, Status};

    /// What stands at a pointer, where `*` is the one pattern of the people.
    fn at(schema: &Value, pointer: &str) -> Value {
        let mut value = schema;
        for step in pointer.split('/').filter(|step| !step.is_empty()) {
            value = match step {
                "*" => value["patternProperties"].as_object().unwrap().values().next().unwrap(),
                "items" => &value["items"],
                key => &value["properties"][key],
            };
            assert!(value.is_object(), "{pointer} ends at {step}");
        }
        value.clone()
    }

    fn keys(table: &Value) -> BTreeSet<&str> {
        table["properties"].as_object().unwrap().keys().map(String::as_str).collect()
    }

    #[test]
    fn every_key_that_the_reader_knows_is_in_the_schema_and_no_other() {
        let schema = schema().to_value();
        for (pointer, known) in [
            ("", keys::ROOT),
            ("workspace", keys::WORKSPACE),
            ("policy", keys::POLICY),
            ("guardrails", keys::GUARDRAIL),
            ("defaults", keys::DEFAULTS),
            ("users/*", keys::PERSON),
            ("users/*/windows/items", keys::WINDOW),
        ] {
            let table = at(&schema, pointer);
            assert_eq!(keys(&table), known.iter().copied().collect(), "[{pointer}]");
            assert_eq!(table["additionalProperties"], false, "[{pointer}]");
        }
        assert!(keys::TEAM.iter().all(|key| keys::ROOT.contains(key)), "one schema serves both");
        assert_eq!(at(&schema, "users")["additionalProperties"], false);
    }

    #[test]
    fn every_acknowledgment_takes_what_the_reader_takes() {
        let items = at(&schema().to_value(), "acknowledge/items");
        let mut written = BTreeMap::new();
        for choice in items["oneOf"].as_array().unwrap() {
            let guardrail = choice["properties"]["guardrail"]["const"].as_str().unwrap().to_owned();
            let all: BTreeSet<&str> =
                choice["required"].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
            assert_eq!(keys(choice), all, "{guardrail}: everything is needed");
            assert_eq!(choice["additionalProperties"], false);
            assert!(all.iter().all(|key| keys::ACKNOWLEDGE.contains(key)), "{guardrail}");
            let common = ["guardrail", "reason", "expires"];
            assert!(common.iter().all(|key| all.contains(key)), "{guardrail}");
            let own = all.iter().filter(|key| !common.contains(key)).map(|key| (*key).to_owned());
            written.insert(guardrail, own.collect::<BTreeSet<_>>());
        }
        let known = Guardrail::ALL.map(|guardrail| {
            let keys = takes(guardrail).0.iter().map(|key| (*key).to_owned());
            (guardrail.as_str().to_owned(), keys.collect::<BTreeSet<_>>())
        });
        assert_eq!(written, BTreeMap::from(known));
    }

    #[test]
    fn every_word_that_the_reader_knows_is_in_the_schema_and_no_other() {
        let schema = schema().to_value();
        let status = Status::ALL.map(Status::as_str).to_vec();
        let stances = Stance::ALL.map(Stance::as_str).to_vec();
        for (pointer, known) in [
            ("workspace/region", Region::ALL.map(Region::as_str).to_vec()),
            ("policy/role", stances.clone()),
            ("policy/status", stances.clone()),
            ("policy/extra_roles", stances),
            ("guardrails/unmanaged", Unmanaged::ALL.map(Unmanaged::as_str).to_vec()),
            ("guardrails/missing", Missing::ALL.map(Missing::as_str).to_vec()),
            ("users/*/status", status.clone()),
            ("users/*/windows/items/status", status.clone()),
            ("users/*/windows/items/then", status),
        ] {
            let field = at(&schema, pointer);
            assert_eq!(field["enum"], serde_json::json!(known), "{pointer}");
            let meanings = field["x-taplo"]["docs"]["enumValues"].as_array().unwrap();
            assert_eq!(meanings.len(), known.len(), "{pointer}");
        }
    }

    #[test]
    fn the_defaults_are_those_of_the_reader() {
        let schema = schema().to_value();
        let rules = GuardrailRules::default();
        let percent = match rules.max_changes {
            MaxChanges::Share { percent } => format!("{percent}%"),
            MaxChanges::Count(_) => unreachable!("the default is a share"),
        };
        for (pointer, default) in [
            ("timezone", serde_json::json!("UTC")),
            ("allow_unicode_emails", false.into()),
            ("guardrails/max_changes", percent.into()),
            ("guardrails/keep_active", rules.keep_active.into()),
            ("guardrails/unmanaged", rules.unmanaged.as_str().into()),
            ("guardrails/missing", rules.missing.as_str().into()),
            ("policy/role", Stance::default().as_str().into()),
        ] {
            assert_eq!(at(&schema, pointer)["default"], default, "{pointer}");
        }
    }

    #[test]
    fn every_key_is_explained_on_one_line_or_in_paragraphs() {
        fn walk(value: &Value, path: &str) {
            for part in ["properties", "patternProperties"] {
                for (key, field) in value[part].as_object().into_iter().flatten() {
                    let path = format!("{path}/{key}");
                    let text = field["description"].as_str().unwrap_or_default();
                    assert!(text.len() > 10, "{path} has no text");
                    assert!(!text.replace("\n\n", "").contains('\n'), "{path}: {text:?}");
                    walk(field, &path);
                }
            }
            for choice in value["oneOf"].as_array().into_iter().flatten() {
                walk(choice, path);
            }
            if value["items"].is_object() {
                walk(&value["items"], path);
            }
        }
        walk(&schema().to_value(), "");
    }
}
