//! Parses the keys that only the root file can have: includes, the time zone, the pinned organization, the policy, guardrails,
//! and acknowledgments.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use toml::de::DeTable;

use super::field::Field;
use super::fields::{Fields, TomlValue, in_backticks};
use super::keys;
use super::people::{Context, read_email};
use super::role_rules::read_rule;
use super::{
    AcknowledgedRisk, Acknowledgment, Email, Guardrail, GuardrailRules, MaxChanges, Missing, Policy, Region,
    RiskLimit, RoleLimit, RoleName, RosterCode, Stance, Unmanaged, Workspace,
};
use crate::problem::Problem;
use crate::source::{Place, Sourced};
use crate::spelling::did_you_mean;

pub(super) const SHARE_OR_COUNT: &str =
    "write a percentage of the declared people, such as \"25%\", or a count, such as 40; 0 allows no changes";

const TABLES: &[&str] = &["workspace", "policy", "guardrails"];

/// Returns the keys specific to acknowledgments of this guardrail, besides `guardrail`, `reason`, and `expires`.
pub(super) const fn takes(guardrail: Guardrail) -> &'static [&'static str] {
    match guardrail {
        Guardrail::MaxChanges | Guardrail::Missing | Guardrail::Unmanaged => &["up_to"],
        Guardrail::KeepAtLeast => &["role", "down_to"],
        Guardrail::KeepAtMost => &["role", "up_to"],
        Guardrail::KeepActive => &["down_to"],
        Guardrail::Protected | Guardrail::Rule | Guardrail::TokenOwner => &["user"],
    }
}

/// The settings in a root file.
#[derive(Default)]
pub(super) struct Settings {
    pub(super) include: Vec<Sourced<String>>,
    pub(super) places: BTreeMap<String, Place>,
    pub(super) workspace: Workspace,
    pub(super) policy: Policy,
    pub(super) guardrails: GuardrailRules,
    pub(super) acknowledgments: Vec<Acknowledgment>,
}

/// Parses the settings that affect how people are parsed. If `table` is only part of the file, `whole` has the settings of the
/// whole file and is returned instead.
pub(super) fn read_context(fields: &mut Fields, table: &DeTable<'_>, whole: Option<&Context>) -> Context {
    let zone = table.get("timezone").and_then(|value| read_timezone(fields, value));
    let unicode =
        table.get("allow_unicode_emails").and_then(|value| fields.boolean("allow_unicode_emails", value));
    if let Some(whole) = whole {
        return whole.clone();
    }
    Context { zone: zone.unwrap_or(TimeZone::UTC), allow_unicode: unicode.unwrap_or(false) }
}

/// Parses every key of the root file except those handled by [`read_context`] and `read_people`.
pub(super) fn read_settings(fields: &mut Fields, table: &DeTable<'_>, context: &Context) -> Settings {
    let mut settings = Settings { places: places_of(fields, table), ..Settings::default() };
    let mut role_rules = Vec::new();
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "include" => {
                let patterns = fields.array("include", value).into_iter().flatten();
                settings.include.extend(patterns.filter_map(|pattern| fields.text("include", pattern)));
            }
            "workspace" => settings.workspace = read_workspace(fields, value),
            "policy" => settings.policy = read_policy(fields, value),
            "guardrails" => settings.guardrails = read_guardrails(fields, value, context),
            "rule" => {
                let list = fields.array("rule", value).into_iter().flatten();
                role_rules.extend(list.filter_map(|value| read_rule(fields, value, context)));
            }
            "acknowledge" => {
                let list = fields.array("acknowledge", value).into_iter().flatten();
                settings
                    .acknowledgments
                    .extend(list.filter_map(|value| read_acknowledgment(fields, value, context)));
            }
            "timezone" | "allow_unicode_emails" | "defaults" | "users" => {} // handled by `read_context` and `read_people`
            _ => fields.unknown(key, value, keys::ROOT, "the root file"),
        }
    }
    settings.guardrails.role_rules = role_rules;
    settings
}

/// Maps each top-level key of the root file, and each key in one of [`TABLES`], to its location. Rules, acknowledgments, and
/// people store their own locations.
fn places_of(fields: &Fields, table: &DeTable<'_>) -> BTreeMap<String, Place> {
    let mut places = BTreeMap::new();
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        places.insert(name.to_owned(), fields.place(key.span()));
        if let (true, Some(inner)) = (TABLES.contains(&name), value.get_ref().as_table()) {
            let inner =
                inner.keys().map(|key| (format!("{name}.{}", key.get_ref()), fields.place(key.span())));
            places.extend(inner);
        }
    }
    places
}

/// Reports keys that aren't allowed in a team file.
pub(super) fn check_team_keys(fields: &mut Fields, table: &DeTable<'_>) {
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        if keys::TEAM.contains(&name) {
            continue;
        }
        if keys::ROOT.contains(&name) {
            let problem = Problem::new(RosterCode::RootOnly, format!("`{name}` belongs in the root file"))
                .at(fields.place(key.span()), "this is an included file")
                .help("move it to the root file; an included file can contain only [defaults] and [users]");
            fields.report(problem);
        } else {
            fields.unknown(key, value, keys::TEAM, "an included file");
        }
    }
}

fn read_timezone(fields: &mut Fields, value: &TomlValue<'_>) -> Option<TimeZone> {
    let name = fields.string("timezone", value)?;
    // Use only the bundled database because the system's copy can contain `localtime`, which differs between machines.
    let zones = TimeZoneDatabase::bundled();
    // In the time zone database, these names mean that no time zone is configured.
    let is_zone = |name: &str| !["factory", "etc/unknown"].contains(&name.to_ascii_lowercase().as_str());
    zones.get(name.value).ok().filter(|_| is_zone(name.value)).or_else(|| {
        let available = zones.available().map(|zone| zone.to_string());
        let known: Vec<String> = available.filter(|zone| is_zone(zone)).collect();
        let help = match did_you_mean(name.value, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "use an IANA name such as `Europe/Berlin` or `UTC`".to_owned(),
        };
        let message = format!("{} is not a time zone", in_backticks(name.value, 60));
        fields
            .report(Problem::new(RosterCode::UnknownTimezone, message).at(name.place, "unknown").help(help));
        None
    })
}

fn read_workspace(fields: &mut Fields, value: &TomlValue<'_>) -> Workspace {
    let mut workspace = Workspace::default();
    for (key, value) in fields.table("workspace", value).into_iter().flatten() {
        match key.get_ref().as_ref() {
            "organization" => workspace.organization = fields.text("organization", value),
            "region" => workspace.region = fields.one_of("region", value, &Region::ALL, Region::as_str),
            _ => fields.unknown(key, value, keys::WORKSPACE, "[workspace]"),
        }
    }
    workspace
}

fn read_policy(fields: &mut Fields, value: &TomlValue<'_>) -> Policy {
    let mut policy = Policy::default();
    for (key, value) in fields.table("policy", value).into_iter().flatten() {
        let name = key.get_ref().as_ref();
        let stance = match Field::named(name) {
            Some(field) => &mut policy.fields[field],
            None if name == "extra_roles" => &mut policy.extra_roles,
            None => {
                fields.unknown(key, value, keys::POLICY, "[policy]");
                continue;
            }
        };
        let read = fields.one_of(name, value, &Stance::ALL, Stance::as_str);
        *stance = read.map_or(Stance::default(), |found| found.value);
    }
    policy
}

fn read_guardrails(fields: &mut Fields, value: &TomlValue<'_>, context: &Context) -> GuardrailRules {
    let mut rules = GuardrailRules::default();
    for (key, value) in fields.table("guardrails", value).into_iter().flatten() {
        match key.get_ref().as_ref() {
            "max_changes" => rules.max_changes = read_max_changes(fields, value).unwrap_or(rules.max_changes),
            "keep_at_least" => rules.keep_at_least = Some(read_role_limits(fields, "keep_at_least", value)),
            "keep_at_most" => rules.keep_at_most = read_role_limits(fields, "keep_at_most", value),
            "keep_active" => rules.keep_active = fields.count("keep_active", value).unwrap_or(0),
            "protected" => {
                let list = fields.array("protected", value).into_iter().flatten();
                rules
                    .protected
                    .extend(list.filter_map(|value| read_user(fields, "protected", value, context)));
            }
            "unmanaged" => {
                let read = fields.one_of("unmanaged", value, &Unmanaged::ALL, Unmanaged::as_str);
                rules.unmanaged = read.map_or(rules.unmanaged, |found| found.value);
            }
            "missing" => {
                let read = fields.one_of("missing", value, &Missing::ALL, Missing::as_str);
                rules.missing = read.map_or(rules.missing, |found| found.value);
            }
            _ => fields.unknown(key, value, keys::GUARDRAIL, "[guardrails]"),
        }
    }
    rules
}

fn read_user(
    fields: &mut Fields,
    key: &str,
    value: &TomlValue<'_>,
    context: &Context,
) -> Option<Sourced<Email>> {
    let written = fields.string(key, value)?;
    read_email(fields, written, context.allow_unicode)
}

fn read_max_changes(fields: &mut Fields, value: &TomlValue<'_>) -> Option<MaxChanges> {
    if value.get_ref().is_integer() {
        return fields.count("max_changes", value).map(MaxChanges::Count);
    }
    let text = fields.typed("max_changes", "a percentage or a count", value, value.get_ref().as_str())?;
    // As in the schema, neither a sign nor a leading zero is allowed.
    let is_plain = |digits: &str, percent: u8| percent <= 100 && percent.to_string() == digits;
    let percent = text
        .value
        .strip_suffix('%')
        .and_then(|digits| digits.parse().ok().filter(|percent| is_plain(digits, *percent)));
    if percent.is_none() {
        let problem = Problem::new(RosterCode::BadValue, "`max_changes` must be a percentage or a count")
            .at(text.place, "neither a percentage nor a count")
            .help(SHARE_OR_COUNT);
        fields.report(problem);
    }
    percent.map(|percent| MaxChanges::Share { percent })
}

/// Parses a table that maps roles to a minimum or maximum number of holders, such as `{ Admin = 2 }`.
fn read_role_limits(fields: &mut Fields, key: &str, value: &TomlValue<'_>) -> Vec<RoleLimit> {
    let mut limits = Vec::new();
    for (role, value) in fields.table(key, value).into_iter().flatten() {
        let name: RoleName = Arc::from(role.get_ref().as_ref());
        if let Some(holders) = fields.count(role.get_ref(), value) {
            limits.push(RoleLimit { role: Sourced::new(name, fields.place(role.span())), holders });
        }
    }
    limits
}

fn read_acknowledgment(
    fields: &mut Fields,
    value: &TomlValue<'_>,
    context: &Context,
) -> Option<Acknowledgment> {
    let place = fields.place(value.span());
    let (mut guardrail, mut role, mut limit) = (None, None, None);
    let (mut reason, mut expires) = (None, None);
    let number = |fields: &mut Fields, key: &str, value: &TomlValue<'_>| {
        fields.count(key, value).map(|number| Sourced::new(number, fields.place(value.span())))
    };
    let before = fields.problems.len();
    let table = fields.table("acknowledge", value)?;
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "guardrail" => guardrail = read_guardrail(fields, value),
            "up_to" => limit = number(fields, "up_to", value).map(RiskLimit::UpTo),
            "down_to" => limit = number(fields, "down_to", value).map(RiskLimit::DownTo),
            "role" => role = fields.role(value),
            "user" => limit = read_user(fields, "user", value, context).map(RiskLimit::User),
            "reason" => reason = fields.text("reason", value),
            "expires" => expires = fields.moment("expires", value, &context.zone),
            _ => fields.unknown(key, value, keys::ACKNOWLEDGE, "[[acknowledge]]"),
        }
    }
    // Don't report missing keys if there's an unknown key, which is probably a misspelling of the missing one.
    if table.keys().all(|key| keys::ACKNOWLEDGE.contains(&key.get_ref().as_ref())) {
        report_missing(fields, place, guardrail, table);
    }
    if fields.problems.len() > before {
        return None;
    }
    // `report_missing` has already checked that the guardrail takes these keys, which include at most one limit.
    let risk = AcknowledgedRisk { guardrail: guardrail?, role, limit: limit? };
    Some(Acknowledgment { place, risk, reason: reason?, expires: expires? })
}

fn read_guardrail(fields: &mut Fields, value: &TomlValue<'_>) -> Option<Guardrail> {
    let written = fields.text("guardrail", value)?;
    let known = Guardrail::named(&written.value);
    if known.is_none() {
        let help = match did_you_mean(&written.value, Guardrail::WORDS) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the guardrails are: {}", Guardrail::WORDS.join(", ")),
        };
        let message = format!("{} is not a guardrail", in_backticks(&written.value, 60));
        fields.report(Problem::new(RosterCode::BadValue, message).at(written.place, "unknown").help(help));
    }
    known
}

/// Reports required keys that are missing, and keys that don't apply to the guardrail.
fn report_missing(fields: &mut Fields, place: Place, guardrail: Option<Guardrail>, table: &DeTable<'_>) {
    let common = ["guardrail", "reason", "expires"];
    for key in common.iter().filter(|key| !table.contains_key(**key)) {
        let problem = Problem::new(RosterCode::MissingKey, format!("this acknowledgment has no `{key}`"))
            .at(place, "an acknowledgment needs `guardrail`, `reason`, and `expires`");
        fields.report(problem);
    }
    let Some(guardrail) = guardrail else { return };
    let takes = takes(guardrail);
    let wanted_missing = takes.iter().any(|key| !table.contains_key(*key));
    let mut given = table.keys().map(|key| key.get_ref().as_ref());
    let too_much = given.any(|key| !takes.contains(&key) && !common.contains(&key));
    if wanted_missing || too_much {
        let keys = takes.join("` and `");
        let name = guardrail.as_str();
        let problem =
            Problem::new(RosterCode::MissingKey, format!("an acknowledgment of `{name}` takes `{keys}`"))
                .at(place, "missing or unexpected keys")
                .help(format!("besides `{keys}`, it takes only `guardrail`, `reason`, and `expires`"));
        fields.report(problem);
    }
}
