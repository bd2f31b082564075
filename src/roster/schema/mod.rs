//! The JSON Schema of `users.toml` and its team files. With it, editors complete keys and values, explain them, and mark mistakes.
//!
//! The schema is derived from structs with the shape of the file, and from the enums of the reader. Editors show their doc comments.
//! The schema accepts everything that the reader accepts. Checks that need more than one value are only in the reader: for example,
//! a window without a value after it, or a role that does not exist.
//!
//! One schema serves root files and team files. Only the reader checks that a team file has no keys besides `[defaults]` and
//! `[users]`.

#![expect(dead_code, reason = "the schema is derived from these types, and no value of them is ever made")]

mod editors;

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{GuardrailRules, Missing, OnViolation, Region, Stance, Status, Unmanaged};

/// Returns the JSON Schema (draft 2020-12) of root files and team files.
pub fn schema() -> Schema {
    // Some editors ignore a description next to a `$ref`, so every subschema is inlined.
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let settings = settings.with_transform(RecursiveTransform(editors::adapt));
    settings.into_generator().into_root_schema_for::<File>()
}

/// The roles and statuses of your Pylon users. `rolecall plan` shows what an edit would change, and `rolecall apply` changes it.
///
/// A team file has only `[defaults]` and `[users]`. The other keys belong in the root file.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "users.toml of rolecall")]
struct File {
    /// Team files, as patterns relative to this file: `include = ["teams/*.toml"]`.
    ///
    /// Root file only. Patterns must stay in the folder of this file. A pattern that matches no file is an error.
    include: Option<Vec<Text>>,
    /// The IANA name of the time zone that dates and local times are in: `timezone = "Europe/Berlin"`.
    ///
    /// Root file only.
    #[schemars(extend("default" = "UTC", "examples" = ["UTC", "Europe/Berlin", "America/New_York"]))]
    timezone: Option<Text>,
    /// Whether addresses may have characters outside ASCII. By default they are rejected, because different letters can look the
    /// same.
    ///
    /// Root file only.
    #[schemars(extend("default" = false))]
    allow_unicode_emails: Option<bool>,
    /// The pinned organization. With a token of another organization, rolecall refuses to run.
    ///
    /// Root file only.
    workspace: Option<Workspace>,
    /// What rolecall does about a difference between the files and Pylon, per field: `enforce`, `observe`, or `ignore`.
    ///
    /// Root file only.
    policy: Option<Policy>,
    /// The limits of one apply. They are checked against the organization as it would be afterwards. Keys that you leave out have
    /// their defaults.
    ///
    /// Root file only.
    guardrails: Option<Guardrails>,
    /// Who may have which role: `[[rule]]`, once for each group of people.
    ///
    /// Root file only. `rolecall validate` checks every declared role, also in windows and from defaults. `rolecall plan` also checks
    /// the roles that people have in Pylon.
    rule: Option<Vec<Rule>>,
    /// Risks that were reviewed and accepted, each for at most 30 days.
    ///
    /// Root file only. If a guardrail blocks a plan, `rolecall plan` prints the lines to add here.
    acknowledge: Option<Vec<Acknowledgment>>,
    /// The values of all users in this file who do not declare their own.
    defaults: Option<Defaults>,
    /// The people, by the e-mail address that they use in Pylon: `"ana@acme.example" = { role = "Admin" }`.
    users: Option<BTreeMap<Address, Person>>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Workspace {
    /// The ID of the organization, which is in the first line of every plan: `organization = "org_4f1c"`.
    organization: Option<Text>,
    /// The region where the organization is hosted. It is also the default of `--region`.
    region: Option<Region>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Policy {
    /// What to do if the assigned role is not the declared one.
    #[schemars(extend("default" = Stance::default().as_str()))]
    role: Option<Stance>,
    /// What to do if the current status is not the declared one. If no status is declared, nothing is compared.
    #[schemars(extend("default" = Stance::default().as_str()))]
    status: Option<Stance>,
    /// What to do about roles that are assigned in addition to the declared one.
    #[schemars(extend("default" = Stance::default().as_str()))]
    extra_roles: Option<Stance>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Guardrails {
    /// How many people one apply may change. A share of the declared people, such as `"25%"`, is rounded down, and ten people may
    /// always change. A count, such as `40`, is exact. `0` allows no changes.
    #[schemars(extend("default" = GuardrailRules::default().max_changes.to_string().trim_matches('"')))]
    max_changes: Option<MaxChanges>,
    /// How many people must have a role after an apply, by the name, slug, or ID of the role: `{ Admin = 2 }`.
    ///
    /// By default, two people must have the role with the slug `admin`.
    keep_at_least: Option<BTreeMap<String, u64>>,
    /// How many people may have a role after an apply, by the name, slug, or ID of the role: `{ Admin = 5, Member = 40 }`. Use it for
    /// paid seats, or to keep the number of administrators low.
    ///
    /// It blocks only a plan that raises the number of holders above the maximum.
    keep_at_most: Option<BTreeMap<String, u64>>,
    /// How many people must have the status `active` after an apply.
    #[schemars(extend("default" = GuardrailRules::default().keep_active))]
    keep_active: Option<u64>,
    /// People who are never changed: `["founder@acme.example"]`.
    #[schemars(extend("default" = Vec::<String>::new()))]
    protected: Option<Vec<Address>>,
    /// What to do about people in Pylon who are not in any file.
    #[schemars(extend("default" = Unmanaged::Report.as_str()))]
    unmanaged: Option<Unmanaged>,
    /// What to do about declared people who are not in Pylon, or are deactivated there.
    #[schemars(extend("default" = Missing::Report.as_str()))]
    missing: Option<Missing>,
}

/// The only roles that people with these addresses may have.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Rule {
    /// One pattern or a list: an address, or one with a `*` before the `@`, such as `"*@contractor.example"`.
    #[schemars(extend("minItems" = 1))]
    emails: Patterns,
    /// Addresses or patterns to which the rule does not apply: `["lead@contractor.example"]`.
    #[schemars(extend("default" = Vec::<String>::new()))]
    except: Option<Patterns>,
    /// The only roles that these people may be declared with, by name, slug, or ID: `["Viewer"]`.
    #[schemars(length(min = 1))]
    roles: Vec<Text>,
    /// Why the rule exists. Every message about it shows this: `reason = "contractors read only"`.
    reason: Text,
    /// What to do if such a person has another role in Pylon, declared or not, and the plan does not change that.
    #[schemars(extend("default" = OnViolation::default().as_str()))]
    on_violation: Option<OnViolation>,
}

/// One accepted risk. It overrides only this guardrail, up to a limit and until a day.
#[derive(JsonSchema)]
#[schemars(tag = "guardrail", rename_all = "snake_case", deny_unknown_fields)]
enum Acknowledgment {
    /// More people may change in one apply than `max_changes` allows. Takes `up_to`.
    MaxChanges { up_to: UpTo, reason: Reason, expires: Expires },
    /// Declared people may be missing from Pylon, although `missing` is `"block"`. Takes `up_to`.
    Missing { up_to: UpTo, reason: Reason, expires: Expires },
    /// People in Pylon may be unmanaged, although `unmanaged` is `"block"`. Takes `up_to`.
    Unmanaged { up_to: UpTo, reason: Reason, expires: Expires },
    /// A role may have fewer holders than `keep_at_least` requires. Takes `role` and `down_to`.
    KeepAtLeast { role: LimitedRole, down_to: DownTo, reason: Reason, expires: Expires },
    /// A role may have more holders than `keep_at_most` allows. Takes `role` and `up_to`.
    KeepAtMost { role: LimitedRole, up_to: UpTo, reason: Reason, expires: Expires },
    /// Fewer people may be `active` than `keep_active` requires. Takes `down_to`.
    KeepActive { down_to: DownTo, reason: Reason, expires: Expires },
    /// A `protected` person may change. Takes `user`.
    Protected { user: User, reason: Reason, expires: Expires },
    /// The owner of the token may lose a guarded role. Takes `user`.
    TokenOwner { user: User, reason: Reason, expires: Expires },
    /// A person may have a role in Pylon that a rule with `on_violation = "block"` does not allow. Takes `user`.
    Rule { user: User, reason: Reason, expires: Expires },
}

// Each key has one description for all guardrails. An editor that lists the keys of all guardrails then lists each key once.

/// The highest number of people to accept, for `max_changes`, `keep_at_most`, `missing`, and `unmanaged`: `up_to = 40`.
#[derive(JsonSchema)]
struct UpTo(u64);

/// The lowest number of people to accept, for `keep_at_least` and `keep_active`: `down_to = 1`.
#[derive(JsonSchema)]
struct DownTo(u64);

/// The role that `keep_at_least` or `keep_at_most` names: `role = "Admin"`.
#[derive(JsonSchema)]
struct LimitedRole(Text);

/// The only person that this applies to, for `protected`, `token_owner`, and `rule`: `user = "founder@acme.example"`.
#[derive(JsonSchema)]
struct User(Address);

/// Why the risk is accepted, for later readers: `reason = "support reorganization"`.
#[derive(JsonSchema)]
struct Reason(Text);

/// The day on which it expires, at most 30 days ahead, without quotes: `expires = 2026-12-01`.
#[derive(JsonSchema)]
struct Expires(Moment);

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Defaults {
    /// The role of all users in this file who do not declare one, by name, slug, or ID: `role = "Member"`.
    role: Option<Text>,
}

/// One person. `{}` gives them the role of `[defaults]` and leaves their status alone.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Person {
    /// The role outside all windows, by name, slug, or ID: `role = "Admin"`. If neither the person nor `[defaults]` declares one, the
    /// role is left alone.
    ///
    /// `rolecall roles` lists the roles.
    role: Option<Text>,
    /// The status outside all windows. If you do not declare one, the status is left alone. Pylon changes statuses by itself, so
    /// declare one only if it must stay fixed.
    status: Option<Status>,
    /// Values for a limited time, such as `[{ from = 2026-12-20, until = 2027-01-03, status = "out_of_office", then = "active" }]`.
    windows: Option<Vec<Window>>,
}

/// Values for a limited time: `{ from = 2026-12-20, until = 2027-01-03, status = "out_of_office", then = "active" }`. Windows of one
/// person that set the same field must not overlap.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Window {
    /// The start of the window, without quotes: `from = 2026-12-20`. Without it, the window is active until it ends.
    from: Option<Moment>,
    /// The first day or instant after the window, without quotes: `until = 2027-01-03`. Without it, the window does not end.
    until: Option<Moment>,
    /// The role during the window, by name, slug, or ID. The person or `[defaults]` must declare a role for the time outside it.
    role: Option<Text>,
    /// The status during the window. A window that ends needs `then`, or a declared status outside the window.
    status: Option<Status>,
    /// The status after the window. For 48 hours after `until`, a person who still has the status of the window gets this one.
    then: Option<Status>,
    /// Why the window is needed, for later readers: `reason = "incident lead"`.
    reason: Option<Text>,
}

// A string that is not blank. It has no doc comment, because that would replace the description of the key.
#[derive(JsonSchema)]
struct Text(#[schemars(regex(pattern = r"\S"))] String);

/// An address. The pattern is only a rough check. `super::email` does the full one.
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

/// One pattern for addresses, or a list. It uses a list of types, because editors treat `anyOf` as a choice of tables.
struct Patterns;

impl JsonSchema for Patterns {
    fn schema_name() -> Cow<'static, str> {
        "Patterns".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let pattern = r"^([^\s@*]{1,64}|[^\s@*]{0,63}\*[^\s@*]{0,63})@[^\s@.*]+(\.[^\s@.*]+)+$";
        json_schema!({
            "type": ["string", "array"],
            "pattern": pattern,
            "items": { "type": "string", "pattern": pattern },
        })
    }
}

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

/// A date or a date-time of TOML, which a validator sees as a string. JSON Schema has no format for a local date-time, and some
/// validators ignore formats, so the pattern must be sufficient. It uses `if`, because editors treat `anyOf` as a choice of tables.
struct Moment;

impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string"], // a list, because editors complete quotes for a plain "string"
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

    /// Returns the schema at a pointer. `*` is the only pattern of `patternProperties`.
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
            ("rule/items", keys::RULE),
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
            ("rule/items/on_violation", OnViolation::ALL.map(OnViolation::as_str).to_vec()),
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
