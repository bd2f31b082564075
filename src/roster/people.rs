//! Parses `[defaults]` and `[users]`, the tables that both root files and team files can have.

use jiff::tz::TimeZone;
use toml::de::DeTable;

use super::email::{BadEmail, Email, foreign_letters};
use super::fields::{Fields, TomlKey, TomlValue, in_backticks};
use super::keys;
use super::{DeclaredPerson, DeclaredValue, Field, PerField, RosterCode, Window};
use crate::problem::Problem;
use crate::secret::contains_secret;
use crate::source::{Place, Sourced};

/// Root file settings that affect how every file is parsed.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) zone: TimeZone,
    pub(super) allow_unicode: bool,
}

/// The people declared in one file.
pub(super) struct People {
    /// The people, in file order. Anyone without a role of their own has the file's default role.
    pub(super) list: Vec<DeclaredPerson>,
    defaults: PerField<Option<DeclaredValue>>,
}

impl People {
    /// Returns the keys in `[defaults]` that no person in this file uses.
    pub(super) fn unused_defaults(&self) -> impl Iterator<Item = (Field, Place)> {
        let is_used = |field: Field| {
            self.list
                .iter()
                .any(|person| person.values[field].as_ref().is_some_and(|value| value.from_defaults))
        };
        self.defaults.iter().filter_map(move |(field, default)| {
            let place = default.as_ref()?.value.place;
            (!is_used(field)).then_some((field, place))
        })
    }
}

/// Parses the people in one file, or in one part of it. For a part, `whole` is the result for the whole file.
pub(super) fn read_people(
    fields: &mut Fields,
    table: &DeTable<'_>,
    context: &Context,
    whole: Option<&People>,
) -> People {
    let defaults = match (table.get("defaults"), whole) {
        (Some(defaults), _) => read_defaults(fields, defaults),
        (None, Some(whole)) => whole.defaults.clone(),
        (None, None) => PerField::default(),
    };
    let users = table.get("users").and_then(|users| fields.table("users", users));
    let mut people = Vec::new();
    for (key, value) in users.into_iter().flatten() {
        if !key.get_ref().contains('@') {
            fields.hide_value_of(key, value);
        }
        people.extend(read_person(fields, key, value, &defaults, context));
    }
    People { list: people, defaults }
}

fn read_defaults(fields: &mut Fields, value: &TomlValue<'_>) -> PerField<Option<DeclaredValue>> {
    let mut defaults = PerField::default();
    for (key, value) in fields.table("defaults", value).into_iter().flatten() {
        let key_name = key.get_ref().as_ref();
        match Field::named(key_name).filter(|_| keys::DEFAULTS.contains(&key_name)) {
            Some(field) => {
                let value = fields.value_of(field, field.as_str(), value);
                defaults[field] = value.map(|value| DeclaredValue { value, from_defaults: true });
            }
            None => fields.unknown(key, value, keys::DEFAULTS, "[defaults]"),
        }
    }
    defaults
}

/// Help for a key that contains no address.
const WRITE_ADDRESS: &str =
    "write the address that the person uses in Pylon, in quotes: \"ana@acme.example\"";

/// Parses an address, or reports a problem if it is invalid.
pub(super) fn read_email(
    fields: &mut Fields,
    written: Sourced<&str>,
    allow_unicode: bool,
) -> Option<Sourced<Email>> {
    let shown = || in_backticks(written.value, 80);
    let problem = match Email::declared(written.value, allow_unicode) {
        Ok(email) => return Some(Sourced::new(email, written.place)),
        Err(BadEmail::Malformed(_)) if written.value.is_empty() => {
            Problem::new(RosterCode::BadEmail, "an email address cannot be empty")
                .at(written.place, "no address")
                .help(WRITE_ADDRESS)
        }
        Err(BadEmail::Malformed(why)) => {
            Problem::new(RosterCode::BadEmail, format!("{} is not an email address: {why}", shown()))
                .at(written.place, "not an address")
                .help(match contained(written.value, allow_unicode) {
                    Some(email) => format!("write only the address: \"{email}\""),
                    None => WRITE_ADDRESS.into(),
                })
        }
        Err(BadEmail::NotAscii) => Problem::new(
            RosterCode::UnicodeEmail,
            format!("{} has non-ASCII characters: {}", shown(), foreign_letters(written.value)),
        )
        .at(written.place, "these letters may look like ASCII letters")
        .help("if the address is correct, set `allow_unicode_emails = true` in the root file"),
    };
    fields.report(problem);
    None
}

/// Returns the address within the text, which may be surrounded by spaces or preceded by a name: `Ana Silva <ana@acme.example>`.
pub(super) fn contained(text: &str, allow_unicode: bool) -> Option<Email> {
    let in_brackets = text.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    let candidate = in_brackets.map_or(text, |(inside, _)| inside).trim();
    Email::declared(candidate, allow_unicode).ok().filter(|email| !contains_secret(email.as_str()))
}

/// Returns where the key belongs if it's a known key of the root file or of one of its tables in [`keys::HEADED`].
fn belongs(key: &str) -> Option<String> {
    if keys::ROOT.contains(&key) {
        return Some("above the first [section] header".into());
    }
    let headed = keys::HEADED.iter().find(|(_, keys)| keys.contains(&key));
    headed.map(|(header, _)| format!("below {header}"))
}

fn read_person(
    fields: &mut Fields,
    key: &TomlKey<'_>,
    value: &TomlValue<'_>,
    defaults: &PerField<Option<DeclaredValue>>,
    context: &Context,
) -> Option<DeclaredPerson> {
    let written = Sourced::new(key.get_ref().as_ref(), fields.place(key.span()));
    if let Some(place) = belongs(written.value) {
        let problem = Problem::new(
            RosterCode::MisplacedKey,
            format!("`{}` is below [users], so it is read as a person", written.value),
        );
        fields.report(problem.at(written.place, "not a person").help(format!("move it {place}")));
        return None;
    }
    let email = read_email(fields, written, context.allow_unicode);
    let (mut values, mut windows) = (defaults.clone(), Vec::new());
    for (key, value) in fields.table(written.value, value)? {
        let key_name = key.get_ref().as_ref();
        if let Some(field) = Field::named(key_name) {
            let value = fields.value_of(field, key_name, value);
            values[field] = value.map(|value| DeclaredValue { value, from_defaults: false });
        } else if key_name == "windows" {
            let list = fields.array("windows", value).into_iter().flatten();
            windows.extend(list.filter_map(|window| read_window(fields, window, context)));
        } else {
            fields.unknown(key, value, keys::PERSON, "a person");
        }
    }
    Some(DeclaredPerson { email: email?, values, windows })
}

fn read_window(fields: &mut Fields, value: &TomlValue<'_>, context: &Context) -> Option<Window> {
    let place = fields.place(value.span());
    let (mut from, mut until, mut then, mut reason) = (None, None, None, None);
    let mut sets = PerField::default();
    let before = fields.problems.len();
    for (key, value) in fields.table("a window", value)? {
        match key.get_ref().as_ref() {
            "from" => from = fields.moment("from", value, &context.zone),
            "until" => until = fields.moment("until", value, &context.zone),
            "then" => then = fields.value_of(Field::OF_THEN, "then", value),
            "reason" => reason = fields.text("reason", value).map(|reason| reason.value),
            key_name => match Field::named(key_name) {
                Some(field) => sets[field] = fields.value_of(field, key_name, value),
                None => fields.unknown(key, value, keys::WINDOW, "a window"),
            },
        }
    }
    // Drop invalid windows, since comparing them with other windows would report the same mistake twice.
    (fields.problems.len() == before).then_some(Window { place, from, until, sets, then, reason })
}
