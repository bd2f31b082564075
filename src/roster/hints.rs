//! Hints for common mistakes in keys and values. Suggestions for typos are in [`crate::spelling`].

use toml::de::DeValue;

use super::{Field, Status, keys};
use crate::printable::Printable;
use crate::secret::contains_secret;

/// Invalid keys that users often write, each group with its table and a hint. Tables are named as they are in messages.
const KEYS: &[(&str, &[&str], &str)] = &[
    (
        "a window",
        &["start", "starts", "begin", "begins", "since", "after", "start_date"],
        "did you mean `from`?",
    ),
    (
        "a window",
        &["end", "ends", "to", "till", "through", "before", "end_date"],
        "did you mean `until`? It is the first day or instant after the window",
    ),
    (
        "a window",
        &["date", "day", "on", "when"],
        "write `from` and `until`; for one whole day, `until` is the next day",
    ),
    ("a window", &["comment", "note", "why", "description"], "did you mean `reason`?"),
    (
        "a person",
        &["email", "mail", "address", "e_mail", "emails"],
        "the address is the key of the entry: \"ana@acme.example\" = { role = \"Admin\" }",
    ),
    ("a person", &["roles", "group", "groups", "permission"], "a person has one role: role = \"Admin\""),
    ("a person", &["admin", "is_admin", "administrator"], "write the role: role = \"Admin\""),
    ("a person", &["away"], "write the status: status = \"away\""),
    ("a person", &["active", "enabled"], "write the status: status = \"active\""),
    (
        "a person",
        &["ooo", "vacation", "holiday", "out_of_office", "leave"],
        "write the status (status = \"out_of_office\"), or a window for a limited time",
    ),
    (
        "a person",
        &["from", "until", "start", "end", "to", "date", "then"],
        "dates go in a window: windows = [{ from = 2026-12-20, until = 2027-01-03, status = \"away\", then = \"active\" }]",
    ),
    (
        "a person",
        &["name", "note", "comment", "team", "reason", "title"],
        "this cannot be declared for a person; write it as a comment: # …",
    ),
    (
        "the root file",
        &["user", "people", "members", "person", "team"],
        "people go below a [users] header: \"ana@acme.example\" = { role = \"Admin\" }",
    ),
    (
        "the root file",
        &["role", "default", "default_role"],
        "set the default role below [defaults]: role = \"Member\"",
    ),
    ("the root file", &["acknowledgments", "acknowledgment", "ack"], "did you mean [[acknowledge]]?"),
    ("the root file", &["includes", "files", "import", "imports"], "did you mean `include`?"),
    (
        "[defaults]",
        &["status", "windows"],
        "only a role can have a default; write the status in each person's entry",
    ),
    ("[[acknowledge]]", &["until", "expiry", "expire", "date", "end"], "did you mean `expires`?"),
    ("[[acknowledge]]", &["email", "person", "address"], "did you mean `user`?"),
    ("[[acknowledge]]", &["comment", "note", "why"], "did you mean `reason`?"),
];

/// Words that users write instead of `block` in `unmanaged` and `missing`.
const BLOCK: &[&str] = &["refuse", "refused", "deny", "forbid", "error", "fail", "stop", "blocked"];

/// Returns the value most likely meant by a word used for `unmanaged` or `missing`.
pub(super) fn of_consequence(key: &str, word: &str) -> Option<&'static str> {
    let stops = BLOCK.contains(&word.to_ascii_lowercase().as_str());
    (stops && matches!(key, "unmanaged" | "missing")).then_some("block")
}

/// Returns the hint for a key that isn't valid in `table`.
pub(super) fn of_key(table: &str, key: &str) -> Option<&'static str> {
    let key = key.to_ascii_lowercase().replace('-', "_");
    let row = KEYS.iter().find(|(known, keys, _)| *known == table && keys.contains(&key.as_str()));
    row.map(|(.., help)| *help)
}

/// Returns the hint for an address or a key of the root file that ended up below another section's header.
pub(super) fn of_section(table: &str, key: &str) -> Option<String> {
    if !table.starts_with('[') {
        None
    } else if key.contains('@') {
        Some(format!("people belong below [users]: move {table} to the end of the file"))
    } else {
        let belongs_at_top = keys::ROOT.contains(&key) && !keys::SECTIONS.contains(&key) && key != "users";
        belongs_at_top.then(|| "move it to the root file, above its first [section] header".to_owned())
    }
}

/// Returns the status most likely meant by a word.
pub(super) fn of_status(word: &str) -> Option<&'static str> {
    let word: String = word.chars().filter(|char| char.is_alphabetic()).collect();
    let status = match word.to_lowercase().as_str() {
        "ooo" | "oof" | "vacation" | "onvacation" | "holiday" | "onholiday" | "leave" | "onleave" | "pto"
        | "sick" | "off" | "outofoffice" => Status::OutOfOffice,
        "busy" | "brb" | "lunch" | "afk" | "idle" | "offline" | "unavailable" => Status::Away,
        "available" | "online" | "present" | "on" | "in" | "here" | "working" | "enabled" => Status::Active,
        _ => return None,
    };
    Some(status.as_str())
}

/// Guesses the key for a word used as a value. Anything that isn't a status is assumed to be a role.
pub(super) fn field_of(word: &str) -> &'static str {
    let is_listed = |field: &Field| field.facts().closed_list.is_some_and(|words| words.contains(&word));
    Field::ALL.into_iter().find(is_listed).unwrap_or(Field::Role).as_str()
}

/// Returns the hint for a value of the wrong type.
pub(super) fn of_type(key: &str, wanted: &str, value: &DeValue<'_>) -> String {
    let text = only_text(value).filter(|text| !contains_secret(text));
    let text = text.map(|text| Printable::cut(text, 60).raw().to_owned());
    let is_list = value.is_array();
    match (wanted, key, text) {
        ("a string", "role", text) if is_list => {
            format!(
                "a person has one role, in quotes and without brackets: role = \"{}\"",
                text.as_deref().unwrap_or("Admin")
            )
        }
        ("a string", key, Some(text)) if is_list => {
            format!("write one string, without brackets: {key} = \"{text}\"")
        }
        ("a string", _, _) => "write it in quotes: \"…\"".to_owned(),
        ("a table", "users", _) if is_list => {
            "write the header [users] once, with one pair of brackets, and then one line per person below it: \
             \"ana@acme.example\" = { role = \"Admin\" }"
                .to_owned()
        }
        ("a table", "keep_at_least" | "keep_at_most", _) => "write it in braces: { Admin = 2 }".to_owned(),
        ("a table", "a window", _) => "write it in braces: { until = 2026-12-20, status = \"away\" }".to_owned(),
        ("a table", key, _) if keys::ARRAYS.contains(&key) => {
            format!("write the header with two pairs of brackets: [[{key}]]")
        }
        ("a table", key, text) if key.contains('@') => {
            format!("write it in braces: {{ role = \"{}\" }}", text.as_deref().unwrap_or("Admin"))
        }
        ("a table", key, _) if is_list && keys::SECTIONS.contains(&key) => {
            format!("write the header with one pair of brackets: [{key}]")
        }
        ("a table", ..) => "write it below a header, such as [guardrails]".to_owned(),
        ("an array", key, _) if keys::ARRAYS.contains(&key) => {
            format!("write the header with two pairs of brackets: [[{key}]]")
        }
        ("an array", "windows", _) => "write it in brackets: windows = [{ … }]".to_owned(),
        ("an array", key, Some(text)) => format!("write it in brackets: {key} = [\"{text}\"]"),
        ("an array", ..) => "write it in brackets: [ … ]".to_owned(),
        ("true or false", ..) => "write true or false, without quotes".to_owned(),
        ("a percentage or a count", ..) => super::settings::SHARE_OR_COUNT.to_owned(),
        ("a whole number", _, text) => match text.and_then(|text| text.parse::<u64>().ok()) {
            Some(number) => format!("write it without quotes: {number}"),
            None => "write a number without quotes, such as 40".to_owned(),
        },
        _ if value.is_integer() => {
            format!("write year-month-day, with hyphens: {key} = 2026-12-20")
        }
        _ => {
            "write it without quotes: 2026-12-20, 2026-12-20T08:00:00, or 2026-12-20T08:00:00+01:00".to_owned()
        }
    }
}

/// Unwraps a string, or an array or table that contains nothing but a single string.
fn only_text<'v>(value: &'v DeValue<'_>) -> Option<&'v str> {
    match value {
        DeValue::String(text) => Some(text),
        DeValue::Array(list) if list.len() == 1 => list.iter().find_map(|item| item.get_ref().as_str()),
        DeValue::Table(table) if table.len() == 1 => table.values().find_map(|item| item.get_ref().as_str()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_hint_calls_a_valid_key_a_mistake() {
        for (table, known) in [
            ("a person", keys::PERSON),
            ("a window", keys::WINDOW),
            ("the root file", keys::ROOT),
            ("[defaults]", keys::DEFAULTS),
            ("[[acknowledge]]", keys::ACKNOWLEDGE),
            ("[[rule]]", keys::RULE),
        ] {
            let mistaken = known.iter().find(|key| of_key(table, key).is_some());
            assert_eq!(mistaken, None, "a key of {table} has a hint in KEYS");
        }
        let tables = ["a person", "a window", "the root file", "[defaults]", "[[acknowledge]]", "[[rule]]"];
        assert!(KEYS.iter().all(|(table, ..)| tables.contains(table)));
    }
}
