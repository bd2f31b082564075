//! The JSON Schema of `users.toml` and its team files, which gives editors completion, documentation, and validation.
//!
//! The schema is derived from structs that mirror the structure of the file, and from the parser's own enums. Their doc comments
//! become the descriptions that editors show. The schema accepts everything that the parser accepts. Checks that span several
//! values are left to the parser. For example, the schema can't detect overlapping windows.
//!
//! Since the same schema covers root files and team files, only the parser checks that a team file has no keys except `[defaults]`
//! and `[users]`.

#![expect(dead_code, reason = "the schema is derived from these types, which are never constructed")]

mod editors;

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};

use super::{GuardrailRules, Missing, OnViolation, Region, Stance, Status, Unmanaged};

/// Generates the JSON Schema (draft 2020-12) for root files and team files.
pub fn schema() -> Schema {
    // Some editors ignore descriptions next to a `$ref`, so inline all subschemas.
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let settings = settings.with_transform(RecursiveTransform(editors::adapt));
    settings.into_generator().into_root_schema_for::<FileSchema>()
}

/// The roles and statuses of your Pylon users. Run `rolecall plan` to preview your edits and `rolecall apply` to apply them.
///
/// Team files may contain only `[defaults]` and `[users]`. All other keys belong in the root file.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "users.toml of rolecall")]
struct FileSchema {
    /// Glob patterns for team files, relative to this file: `include = ["teams/*.toml"]`.
    ///
    /// Root file only. Patterns must not leave the folder of this file. It is an error if a pattern matches no file.
    include: Option<Vec<TextSchema>>,
    /// The IANA name of the time zone for dates and local times: `timezone = "Europe/Berlin"`.
    ///
    /// Root file only.
    #[schemars(extend("default" = "UTC", "examples" = ["UTC", "Europe/Berlin", "America/New_York"]))]
    timezone: Option<TextSchema>,
    /// Whether addresses may contain non-ASCII characters. They are rejected by default because different letters can look
    /// identical.
    ///
    /// Root file only.
    #[schemars(extend("default" = false))]
    allow_unicode_emails: Option<bool>,
    /// The pinned organization. rolecall refuses to run with a token for any other organization.
    ///
    /// Root file only.
    workspace: Option<WorkspaceSchema>,
    /// How to handle differences between the files and Pylon, per field: `enforce`, `observe`, or `ignore`.
    ///
    /// Root file only.
    policy: Option<PolicySchema>,
    /// Limits on a single apply, checked against the resulting state of the organization. Omitted keys have their defaults.
    ///
    /// Root file only.
    guardrails: Option<GuardrailsSchema>,
    /// Restricts who may have which role, with one `[[rule]]` per group of people.
    ///
    /// Root file only. `rolecall validate` checks every declared role, including roles in windows and defaults. `rolecall plan`
    /// also checks people's current roles in Pylon.
    rule: Option<Vec<RuleSchema>>,
    /// Risks that were reviewed and accepted, each for at most 30 days.
    ///
    /// Root file only. If a guardrail blocks a plan, `rolecall plan` prints the lines to add here.
    acknowledge: Option<Vec<AcknowledgmentSchema>>,
    /// Default values for everyone in this file.
    defaults: Option<DefaultsSchema>,
    /// The people, identified by their email address in Pylon: `"ana@acme.example" = { role = "Admin" }`.
    users: Option<BTreeMap<AddressSchema, PersonSchema>>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct WorkspaceSchema {
    /// The organization ID, shown on the first line of every plan: `organization = "org_4f1c"`.
    organization: Option<TextSchema>,
    /// The region that hosts the organization. It also serves as the default for `--region`.
    region: Option<Region>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct PolicySchema {
    /// How to handle a person's assigned role if it differs from the declared one.
    #[schemars(extend("default" = Stance::default().as_str()))]
    role: Option<Stance>,
    /// How to handle a person's current status if it differs from the declared one. If no status is declared, nothing is
    /// compared.
    #[schemars(extend("default" = Stance::default().as_str()))]
    status: Option<Stance>,
    /// How to handle roles assigned in addition to the declared one.
    #[schemars(extend("default" = Stance::default().as_str()))]
    extra_roles: Option<Stance>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct GuardrailsSchema {
    /// The maximum number of people a single apply may change. A percentage of the declared people, such as `"25%"`, is rounded
    /// down, but ten people may always change. A count, such as `40`, is exact. `0` allows no changes.
    #[schemars(extend("default" = GuardrailRules::default().max_changes.to_string().trim_matches('"')))]
    max_changes: Option<MaxChangesSchema>,
    /// The minimum number of holders of a role after an apply, by role name, slug, or ID: `{ Admin = 2 }`.
    ///
    /// By default, the role with the slug `admin` must have at least two holders.
    keep_at_least: Option<BTreeMap<String, u64>>,
    /// The maximum number of holders of a role after an apply, by role name, slug, or ID: `{ Admin = 5, Member = 40 }`. Use it
    /// for paid seats or to limit the number of administrators.
    ///
    /// A plan is blocked only if it would raise the number of holders above the maximum.
    keep_at_most: Option<BTreeMap<String, u64>>,
    /// The minimum number of people who must have the status `active` after an apply.
    #[schemars(extend("default" = GuardrailRules::default().keep_active))]
    keep_active: Option<u64>,
    /// People who must never be changed: `["founder@acme.example"]`.
    #[schemars(extend("default" = Vec::<String>::new()))]
    protected: Option<Vec<AddressSchema>>,
    /// How to handle people in Pylon who are not declared.
    #[schemars(extend("default" = Unmanaged::Report.as_str()))]
    unmanaged: Option<Unmanaged>,
    /// How to handle declared people who are either not found in Pylon or deactivated there.
    #[schemars(extend("default" = Missing::Report.as_str()))]
    missing: Option<Missing>,
}

/// Restricts the roles of people with matching addresses.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct RuleSchema {
    /// An address or a list of addresses, each with an optional `*` before the `@`, such as `"*@contractor.example"`.
    #[schemars(extend("minItems" = 1))]
    emails: PatternsSchema,
    /// Addresses or patterns that are exempt from the rule: `["lead@contractor.example"]`.
    #[schemars(extend("default" = Vec::<String>::new()))]
    except: Option<PatternsSchema>,
    /// The only roles that may be declared for these people, by name, slug, or ID: `["Viewer"]`.
    #[schemars(length(min = 1))]
    roles: Vec<TextSchema>,
    /// The reason for the rule, included in every message about it: `reason = "contractors read only"`.
    reason: TextSchema,
    /// How to handle people with a matching address, managed or not, whose role in Pylon would not be in `roles` after an apply.
    #[schemars(extend("default" = OnViolation::default().as_str()))]
    on_violation: Option<OnViolation>,
}

/// An accepted risk. It overrides a single guardrail, up to a limit and until a given day.
#[derive(JsonSchema)]
#[schemars(tag = "guardrail", rename_all = "snake_case", deny_unknown_fields)]
enum AcknowledgmentSchema {
    /// Allows one apply to change more people than `max_changes` permits. Takes `up_to`.
    MaxChanges { up_to: UpTo, reason: Reason, expires: Expires },
    /// Allows declared people to be missing from Pylon even though `missing` is `"block"`. Takes `up_to`.
    Missing { up_to: UpTo, reason: Reason, expires: Expires },
    /// Allows unmanaged people in Pylon even though `unmanaged` is `"block"`. Takes `up_to`.
    Unmanaged { up_to: UpTo, reason: Reason, expires: Expires },
    /// Allows a role to have fewer holders than `keep_at_least` requires. Takes `role` and `down_to`.
    KeepAtLeast { role: LimitedRole, down_to: DownTo, reason: Reason, expires: Expires },
    /// Allows a role to have more holders than `keep_at_most` permits. Takes `role` and `up_to`.
    KeepAtMost { role: LimitedRole, up_to: UpTo, reason: Reason, expires: Expires },
    /// Allows fewer people to be `active` than `keep_active` requires. Takes `down_to`.
    KeepActive { down_to: DownTo, reason: Reason, expires: Expires },
    /// Allows a `protected` person to change. Takes `user`.
    Protected { user: UserSchema, reason: Reason, expires: Expires },
    /// Allows the owner of the token to lose a guarded role. Takes `user`.
    TokenOwner { user: UserSchema, reason: Reason, expires: Expires },
    /// Allows a person to have a role in Pylon that violates a rule with `on_violation = "block"`. Takes `user`.
    Rule { user: UserSchema, reason: Reason, expires: Expires },
}

// Use the same description of a key for all guardrails, or editors that offer every guardrail's keys will list the same key several
// times.

/// The highest number of people to accept. Used with `max_changes`, `keep_at_most`, `missing`, and `unmanaged`: `up_to = 40`.
#[derive(JsonSchema)]
struct UpTo(u64);

/// The lowest number of people to accept. Used with `keep_at_least` and `keep_active`: `down_to = 1`.
#[derive(JsonSchema)]
struct DownTo(u64);

/// A role in `keep_at_least` or `keep_at_most`: `role = "Admin"`.
#[derive(JsonSchema)]
struct LimitedRole(TextSchema);

/// The person covered by the acknowledgment. Used with `protected`, `token_owner`, and `rule`: `user = "founder@acme.example"`.
#[derive(JsonSchema)]
struct UserSchema(AddressSchema);

/// The reason for accepting the risk, for future readers: `reason = "support reorganization"`.
#[derive(JsonSchema)]
struct Reason(TextSchema);

/// The expiration date, at most 30 days from now and without quotes: `expires = 2026-12-01`.
#[derive(JsonSchema)]
struct Expires(MomentSchema);

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct DefaultsSchema {
    /// The role of everyone in this file without a role of their own, by name, slug, or ID: `role = "Member"`.
    role: Option<TextSchema>,
}

/// A person. `{}` assigns the role from `[defaults]` and leaves the status alone.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct PersonSchema {
    /// The role outside all windows, by name, slug, or ID: `role = "Admin"`. If neither the person nor `[defaults]` declares a
    /// role, it is left alone.
    ///
    /// Run `rolecall roles` to list the roles of your organization.
    role: Option<TextSchema>,
    /// The status outside all windows. Without it, the status is left alone. Since Pylon also changes statuses on its own,
    /// declare one only if it must stay fixed.
    status: Option<Status>,
    /// Values that apply for a limited time, such as
    /// `[{ from = 2026-12-20, until = 2027-01-03, status = "out_of_office", then = "active" }]`.
    windows: Option<Vec<WindowSchema>>,
}

/// Values that apply for a limited time: `{ from = 2026-12-20, until = 2027-01-03, status = "out_of_office", then = "active" }`.
/// A person's windows must not overlap if they set the same field.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct WindowSchema {
    /// The start of the window, without quotes: `from = 2026-12-20`. If omitted, the window is active right away.
    from: Option<MomentSchema>,
    /// The first day or instant after the window, without quotes: `until = 2027-01-03`. If omitted, the window never ends.
    until: Option<MomentSchema>,
    /// The role during the window, by name, slug, or ID. The role outside the window must be declared by the person or in
    /// `[defaults]`.
    role: Option<TextSchema>,
    /// The status during the window. If the window ends, either `then` or a status outside the window is required.
    status: Option<Status>,
    /// The status after the window. It applies for 48 hours after `until`, but only if the person still has the status of the
    /// window.
    then: Option<Status>,
    /// The reason for the window, for future readers: `reason = "incident lead"`.
    reason: Option<TextSchema>,
}

// Don't turn the comments on the following types into doc comments, or schemars will use them in place of the keys' own
// descriptions.

// A non-blank string.
#[derive(JsonSchema)]
struct TextSchema(#[schemars(regex(pattern = r"\S"))] String);

// An address. The pattern is only a rough check; `super::email` does the full check.
#[derive(JsonSchema)]
struct AddressSchema(#[schemars(regex(pattern = r"^[^\s@]{1,64}@[^\s@.]+(\.[^\s@.]+)+$"))] String);

const EMAIL_PATTERN: &str = r"^([^\s@*]{1,64}|[^\s@*]{0,63}\*[^\s@*]{0,63})@[^\s@.*]+(\.[^\s@.*]+)+$";

// An email pattern or a list of email patterns. `type` is a list because editors treat `anyOf` as a choice between tables.
#[derive(JsonSchema)]
#[schemars(extend(
    "type" = ["string", "array"],
    "pattern" = EMAIL_PATTERN,
    "items" = { "type": "string", "pattern": EMAIL_PATTERN },
))]
struct PatternsSchema(String);

#[derive(JsonSchema)]
#[schemars(extend("type" = ["string", "integer"], "pattern" = "^(100|[1-9]?[0-9])%$", "minimum" = 0))]
struct MaxChangesSchema(String);

// A TOML date or date-time, which validators see as a string. JSON Schema has no format for local date-times, and some validators
// ignore formats. The pattern therefore has to suffice on its own. The schema uses `if` because editors treat `anyOf` as a choice
// between tables.
#[derive(JsonSchema)]
#[schemars(extend(
    "type" = ["string"], // a list, because editors insert quotes for a plain "string"
    "pattern" = r"^\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:\d{2})?)?$",
    "if" = { "pattern": "^.{10}$" },
    "then" = { "format": "date" },
    "else" = {
        "if": { "pattern": r"^.{10}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$" },
        "then": { "format": "date-time" },
    },
))]
struct MomentSchema(String);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use pretty_assertions::assert_eq;
    use serde_json::Value;

    use super::*;
    use crate::roster::keys;
    use crate::roster::settings::takes;
    use crate::roster::{Guardrail, MaxChanges, Region, Status};

    /// Returns the schema of the key at a path such as `rule/items`. The step `*` stands for the only pattern in
    /// `patternProperties`.
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
            let keys = takes(guardrail).iter().map(|key| (*key).to_owned());
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
