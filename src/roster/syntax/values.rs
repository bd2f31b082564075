//! Recognizers for mistakes in values: dates, numbers, unquoted words, and backslashes.

use jiff::civil::Date;

use super::super::field::FieldFacts;
use super::super::hints;
use super::super::{Field, Guardrail, Missing, OnViolation, Region, RosterCode, Stance, Unmanaged};
use super::parser_error::ErrorKind;
use super::spot::{Mistake, Spot, without_quotes};

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Returns the last component of a dotted key.
fn own_name(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or_default().trim()
}

/// The kind of value that a key takes, with an example.
#[derive(Clone, Copy)]
enum Form {
    /// Any string. The example is written without quotes.
    Text(&'static str),
    /// One of the listed words. The example is written without quotes.
    Word(&'static [&'static str], &'static str),
    /// A value that can be a number. The example is written as in TOML.
    Number(&'static str),
    /// A value in any other form, such as a date or a table. The example is written as in TOML.
    Other(&'static str),
}

impl Form {
    /// Returns the form of a key's value. The key can be dotted.
    fn of_key(key: &str) -> Self {
        let name = own_name(key);
        let field = if name == "then" { Some(Field::OF_THEN) } else { Field::named(name) };
        if let Some(field) = field {
            let FieldFacts { example, closed_list, .. } = field.facts();
            return closed_list.map_or(Self::Text(example), |words| Self::Word(words, example));
        }
        match name {
            _ if key.contains('@') => Self::Other("{ role = \"Admin\" }"),
            "include" => Self::Other("[\"teams/*.toml\"]"),
            "timezone" => Self::Text("Europe/Berlin"),
            "allow_unicode_emails" => Self::Other("true"),
            "organization" => Self::Text("org_4f1c"),
            "region" => Self::Word(&Region::WORDS, "eu"),
            "extra_roles" => Self::Word(&Stance::WORDS, "enforce"),
            "max_changes" => Self::Number("\"25%\""),
            "keep_at_least" => Self::Other("{ Admin = 2 }"),
            "keep_at_most" => Self::Other("{ Admin = 5 }"),
            "keep_active" | "up_to" | "down_to" => Self::Number("5"),
            "protected" => Self::Other("[\"ana@acme.example\"]"),
            "unmanaged" => Self::Word(&Unmanaged::WORDS, "block"),
            "missing" => Self::Word(&Missing::WORDS, "block"),
            "emails" => Self::Text("*@contractor.example"),
            "except" => Self::Other("[\"lead@contractor.example\"]"),
            "roles" => Self::Other("[\"Viewer\"]"),
            "on_violation" => Self::Word(&OnViolation::WORDS, "block"),
            "guardrail" => Self::Word(&Guardrail::WORDS, "max_changes"),
            "user" => Self::Text("ana@acme.example"),
            "windows" => Self::Other("[{ until = 2026-12-20, status = \"away\", then = \"active\" }]"),
            "from" | "until" | "expires" => Self::Other("2026-12-20"),
            _ => Self::Text("…"),
        }
    }
}

/// Returns a sample value for the given key, as written in TOML.
pub(super) fn example(key: &str) -> String {
    match Form::of_key(key) {
        Form::Text(text) | Form::Word(_, text) => format!("\"{text}\""),
        Form::Number(example) | Form::Other(example) => example.to_owned(),
    }
}

/// Returns the help text for an entry without values: `{}`, and what to put between the braces.
pub(super) fn empty_entry() -> String {
    format!("{{}}, with {} between the braces", Field::any(" or "))
}

/// Recognizes a backslash that doesn't start a valid escape sequence: `"Support\Lead"`.
pub(super) fn backslash(spot: &Spot<'_>) -> Option<Mistake> {
    if spot.kind != ErrorKind::BadEscape {
        return None;
    }
    let at = spot.line[..spot.line.floor_char_boundary(spot.at_end.min(spot.at + 1))]
        .rfind('\\')
        .or_else(|| spot.before().rfind('\\'))?;
    let start = spot.line[..at].rfind('"')? + 1;
    let text = spot.line[start..].split('"').next().unwrap_or_default();
    let help = if spot.key() == "include" || text.contains(".toml") {
        format!("write paths with `/`: \"{}\"", spot.shown(&text.replace('\\', "/"), "a/b"))
    } else {
        format!("write it twice: \"{}\"", spot.shown(&text.replace('\\', "\\\\"), "a\\\\b"))
    };
    let message = "a backslash begins an escape sequence, and this one is not valid in TOML";
    Some(spot.mistake(at..at + 1, message, "not a valid escape", help))
}

/// Recognizes a value rejected by the parser.
pub(super) fn value(spot: &Spot<'_>) -> Option<Mistake> {
    let key = spot.key().split('=').next().unwrap_or_default().trim();
    let name = spot.shown(without_quotes(key), "role");
    if spot.kind == ErrorKind::AfterValue && spot.after().starts_with(',') {
        return number_with_commas(spot, &name).filter(|_| !spot.may_hold_a_secret());
    }
    if !spot.kind.is_about_value() {
        return None;
    }
    let range = spot.value();
    let text = &spot.line[range.clone()];
    if text.is_empty() {
        let help =
            format!("write a value: {} = {}, or delete the key", spot.shown(key, "role"), example(&name));
        let message = format!("`{name}` has no value");
        let mistake = spot.mistake(spot.at..spot.at, message, "no value after the `=`", help);
        return Some(mistake.within_mark(spot));
    }
    let found = BadValue { spot, key: &name, text };
    // The digits of a secret must not appear in the message.
    let known = if spot.may_hold_a_secret() { None } else { found.known() };
    let (code, message, help) = known.unwrap_or_else(|| found.without_quotes());
    let mut mistake = spot.mistake(range, message, "not a TOML value", help);
    mistake.problem.code = code.as_str();
    Some(mistake.within_mark(spot))
}

/// Recognizes thousands separators, as in `1,000`.
fn number_with_commas(spot: &Spot<'_>, name: &str) -> Option<Mistake> {
    let before = spot.before().trim_end();
    let start = before.trim_end_matches(|char: char| char.is_ascii_digit()).len();
    let rest = spot.after().strip_prefix(',')?;
    let more = rest.find(|char: char| !char.is_ascii_digit() && char != ',').unwrap_or(rest.len());
    if start == before.len() || more == 0 {
        return None;
    }
    let range = start..spot.at + 1 + more;
    let plain: String = spot.line[range.clone()].chars().filter(char::is_ascii_digit).collect();
    let help = format!("write: {name} = {plain}");
    Some(spot.mistake(range, "numbers cannot have commas", "not a TOML number", help))
}

/// A value rejected by the parser, and its key.
struct BadValue<'s> {
    spot: &'s Spot<'s>,
    key: &'s str,
    text: &'s str,
}

/// The code, message, and help text of a problem.
type Explanation = (RosterCode, String, String);

fn explanation(message: impl Into<String>, help: impl Into<String>) -> Explanation {
    (RosterCode::Syntax, message.into(), help.into())
}

impl BadValue<'_> {
    /// Explains values common in other formats but invalid in TOML.
    fn known(&self) -> Option<Explanation> {
        self.parenthesis()
            .or_else(|| self.word())
            .or_else(|| self.percent())
            .or_else(|| self.missing_day())
            .or_else(|| self.date())
            .or_else(|| self.number())
    }

    fn parenthesis(&self) -> Option<Explanation> {
        let help = "write { … } around keys with values, and [ … ] around a list";
        let is_one = self.spot.before().trim_end().ends_with('(') || self.text.starts_with('(');
        is_one.then(|| explanation("TOML has no parentheses", help))
    }

    /// Explains keywords of other languages, such as `null` and `yes`.
    fn word(&self) -> Option<Explanation> {
        let (text, key) = (self.text, self.key);
        let lower = text.to_ascii_lowercase();
        if matches!(lower.as_str(), "null" | "none" | "nil" | "undefined" | "~") {
            let help = if key.contains('@') {
                format!("write: \"{key}\" = {}", empty_entry())
            } else {
                format!("delete `{key}` if it has no value")
            };
            return Some(explanation(format!("TOML has no `{text}`"), help));
        }
        let (meant, wrong) = match lower.as_str() {
            "true" | "false" => (lower.as_str(), "lowercase"),
            "yes" | "on" | "y" => ("true", "a TOML value"),
            "no" | "off" | "n" => ("false", "a TOML value"),
            _ => return None,
        };
        let is_boolean = own_name(key) == "allow_unicode_emails";
        is_boolean.then(|| explanation(format!("`{text}` is not {wrong}"), format!("write: {key} = {meant}")))
    }

    fn percent(&self) -> Option<Explanation> {
        let digits = self.text.strip_suffix('%')?.trim_end();
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let help = format!("write: {} = \"{digits}%\"", self.key);
        is_number.then(|| explanation("a percentage needs quotes", help))
    }

    /// Explains well-formed dates that don't exist in the calendar.
    fn missing_day(&self) -> Option<Explanation> {
        let parts = numbers(self.text.split(['T', 't', ' ']).next()?)?;
        let [(4, year), (2, month), (2, day)] = parts[..] else { return None };
        if self.text.as_bytes().get(4) != Some(&b'-') || self.spot.kind != ErrorKind::BadDate {
            return None;
        }
        let swapped = iso(year, day, month).filter(|_| month > 12);
        let help = match swapped {
            Some(date) => format!("write the month before the day: {date}"),
            None => "write a day that exists, as year-month-day: 2026-12-20".to_owned(),
        };
        Some((RosterCode::BadTime, format!("`{}` is not a real date", self.text), help))
    }

    /// Explains dates and times that aren't in TOML's format.
    fn date(&self) -> Option<Explanation> {
        let is_datetime = matches!(self.spot.kind, ErrorKind::BadDate | ErrorKind::BadTime);
        if let Some(help) = self.time()
            && is_datetime
        {
            return Some(explanation("this is not a valid time", help));
        }
        let dates = dates(self.text);
        if dates.is_empty() && !is_datetime && !names_month(self.text) {
            return None;
        }
        let key = self.key;
        let help = match dates.as_slice() {
            [one] => format!("write year-month-day: {key} = {one}"),
            [one, other] => {
                format!("write year-month-day: {key} = {one} or {other}")
            }
            _ => format!("write year-month-day, as in {key} = 2026-12-20"),
        };
        Some(explanation("this is not a valid date", help))
    }

    /// Returns the help text for a date with an invalid or incomplete time.
    fn time(&self) -> Option<String> {
        let (date, time) = self.text.split_once(['T', 't', ' '])?;
        let date = dates(date).first()?.clone();
        let (time, offset) = split_offset(time);
        let mut parts = time.split(|char: char| !char.is_ascii_digit());
        let mut next = || parts.next().and_then(|part| part.parse::<u8>().ok());
        let (hour, minute, second) = (next()?, next().unwrap_or(0), next().unwrap_or(0));
        let lower = time.to_ascii_lowercase();
        let hour = match (hour, lower.contains("pm"), lower.contains("am")) {
            (1..=11, true, _) => hour + 12,
            (12, _, true) => 0,
            _ => hour,
        };
        if (hour, minute, second) == (24, 0, 0) && offset.is_empty() {
            let next = date.parse::<Date>().and_then(Date::tomorrow).ok()?;
            return Some(format!("write the start of the next day: {} = {next}T00:00:00", self.key));
        }
        let wrong = [("hour", hour, 23), ("minute", minute, 59), ("second", second, 59)];
        if let Some((name, _, most)) = wrong.iter().find(|(_, number, most)| number > most) {
            return Some(format!(
                "write the {name} as a number from 00 to {most}, as in 2026-12-20T08:00:00"
            ));
        }
        let local = format!("{date}T{hour:02}:{minute:02}:{second:02}");
        let key = self.key;
        Some(match offset.as_str() {
            "" => format!("write: {key} = {local}, which is local time, or add an offset: {local}+01:00"),
            offset => format!("write: {key} = {local}{offset}"),
        })
    }

    fn number(&self) -> Option<Explanation> {
        let plain: String = self.text.chars().filter(char::is_ascii_digit).collect();
        let is_number = self.text.chars().all(|char| char.is_ascii_digit() || "_+'.".contains(char));
        // A dot can separate thousands, as in 1.000.
        let has_groups = self.text.split('.').skip(1).all(|group| group.len() == 3);
        let takes_number = matches!(Form::of_key(self.key), Form::Number(_));
        if plain.is_empty() || !is_number || !has_groups || !takes_number {
            return None;
        }
        let plain = plain.trim_start_matches('0');
        let plain = if plain.is_empty() { "0" } else { plain };
        Some(explanation("this is not a valid number", format!("write: {} = {plain}", self.key)))
    }

    fn without_quotes(&self) -> Explanation {
        let (key, text) = (self.key, self.text.trim_matches(['"', '\'']));
        let is_half = text.len() < self.text.len();
        let message =
            if is_half { "a quote is missing around this value" } else { "this text is not in quotes" };
        let text = self.spot.shown(text, "Admin");
        if self.spot.before().trim_end().ends_with(['[', ',']) {
            return explanation(message, format!("write: \"{text}\""));
        }
        if key.contains('@') && !key.contains('"') {
            let field = hints::field_of(&text);
            return explanation(message, format!("write: \"{key}\" = {{ {field} = \"{text}\" }}"));
        }
        let status = matches!(own_name(key), "status" | "then").then(|| hints::of_status(&text)).flatten();
        match status.map(str::to_owned).or_else(|| fitting(key, &text)) {
            Some(text) => explanation(message, format!("write: {key} = \"{text}\"")),
            None => explanation(
                format!("this is not a valid `{key}`"),
                format!("write a value as in {key} = {}", example(key)),
            ),
        }
    }
}

/// Splits a time into the time of day and its offset. The offset is `Z` or has the form `+01:00`, and is empty if there is none.
/// A hyphen starts an offset only after a colon, because in `09-30` it separates hours from minutes.
fn split_offset(time: &str) -> (&str, String) {
    let ends_in_digit = |text: &str| text.trim_end().ends_with(|last: char| last.is_ascii_digit());
    let starts = |(at, char): &(usize, char)| match char {
        'Z' | 'z' => time[at + 1..].trim().is_empty() && ends_in_digit(&time[..*at]),
        '+' => ends_in_digit(&time[..*at]),
        '-' => ends_in_digit(&time[..*at]) && time[..*at].contains(':'),
        _ => false,
    };
    let Some((at, sign)) = time.char_indices().find(starts) else { return (time, String::new()) };
    let (clock, rest) = (&time[..at], time[at + 1..].trim());
    if sign.eq_ignore_ascii_case(&'z') {
        return (clock, "Z".to_owned());
    }
    let (hours, minutes) = match rest.split_once(':') {
        Some(parts) => parts,
        None if rest.len() > 2 && rest.is_ascii() => rest.split_at(rest.len() - 2),
        None => (rest, "0"),
    };
    match (hours.parse(), minutes.parse()) {
        (Ok(hours @ 0..=23_u8), Ok(minutes @ 0..=59_u8)) => (clock, format!("{sign}{hours:02}:{minutes:02}")),
        _ => (clock, String::new()),
    }
}

/// Returns `text` in the spelling that the key accepts, or `None` if the key doesn't accept it.
fn fitting(key: &str, text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    match Form::of_key(key) {
        Form::Text(_) => (!text.contains(['"', '\\', '$', '{'])).then(|| text.to_owned()),
        Form::Word(words, _) => {
            // `role` and `status` are also keys of `[policy]`, where they take a word such as `observe`.
            let is_stance = Field::named(own_name(key)).is_some() && Stance::WORDS.contains(&lower.as_str());
            (is_stance || words.contains(&lower.as_str())).then_some(lower)
        }
        Form::Number(_) | Form::Other(_) => None,
    }
}

/// Parses numbers with separators in between. Returns the digit count and the value of each number, or `None` if the text
/// contains anything else.
fn numbers(text: &str) -> Option<Vec<(usize, u16)>> {
    let parts = text.split(['/', '.', '-', '_', ' ']).filter(|part| !part.is_empty());
    parts.map(|part| Some((part.len(), part.parse().ok()?))).collect()
}

/// Returns all dates that the text could refer to, in ISO 8601 format. For example, `1/2/2026` could refer to two dates.
fn dates(text: &str) -> Vec<String> {
    let Some(parts) = numbers(text) else { return with_month(text).into_iter().collect() };
    let mut dates = match parts[..] {
        [(4.., year), (_, month), (_, day)] => {
            vec![iso(year, month, day), iso(year, day, month).filter(|_| month > 12)]
        }
        [(_, one), (_, two), (4.., year)] if text.contains('.') => vec![iso(year, two, one)],
        [(_, one), (_, two), (4.., year)] => vec![iso(year, one, two), iso(year, two, one)],
        [(2, one), (2, two), (2, three)] if text.contains('-') => vec![iso(2000 + one, two, three)],
        _ => Vec::new(),
    };
    dates.dedup();
    dates.into_iter().flatten().collect()
}

/// Parses a date such as `1 Dec 2026` or `December 1st, 2026`.
fn with_month(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let words: Vec<&str> =
        lower.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let month = |word: &str| MONTHS.iter().position(|month| word.starts_with(month));
    let number = |word: &str| word.trim_end_matches(char::is_alphabetic).parse::<u16>().ok();
    let (day, month, year) = match words[..] {
        [day, name, year] if month(name).is_some() => (number(day)?, month(name)?, number(year)?),
        [name, day, year] => (number(day)?, month(name)?, number(year)?),
        _ => return None,
    };
    if year < 1000 {
        return None;
    }
    iso(year, u16::try_from(month).ok()? + 1, day)
}

fn iso(year: u16, month: u16, day: u16) -> Option<String> {
    let small = |number: u16| i8::try_from(number).ok();
    let date = Date::new(i16::try_from(year).ok()?, small(month)?, small(day)?).ok()?;
    Some(date.to_string())
}

/// Returns `true` if the text contains both the name of a month and a number.
fn names_month(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let mut words = lower.split(|char: char| !char.is_ascii_alphanumeric());
    let has_month = words.any(|word| word.len() < 10 && MONTHS.iter().any(|month| word.starts_with(month)));
    has_month && lower.bytes().any(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use pretty_assertions::assert_eq;

    use super::super::super::{Roster, keys};
    use super::*;

    #[test]
    fn every_key_accepts_the_example_in_its_message() {
        let lines = |keys: &[&str]| -> String {
            let is_section = |key: &&&str| !keys::SECTIONS.contains(*key) && **key != "users";
            keys.iter().filter(is_section).map(|key| format!("{key} = {}\n", example(key))).collect()
        };
        let inline = |keys: &[&str]| lines(keys).trim_end().replace('\n', ", ");
        let window = inline(keys::WINDOW);
        let people = keys::PERSON.iter().enumerate();
        let people: String = people
            .map(|(number, key)| format!("\"p{number}@acme.example\" = {{ {key} = {} }}\n", example(key)))
            .collect();
        let file = [
            lines(keys::ROOT),
            format!("[workspace]\n{}", lines(keys::WORKSPACE)),
            format!(
                "[policy]\n{}",
                Field::ALL.iter().fold(lines(keys::POLICY), |text, field| {
                    text.replace(&format!("\"{}\"", field.facts().example), "\"observe\"")
                })
            ),
            format!("[guardrails]\n{}", lines(keys::GUARDRAIL)),
            format!("[[rule]]\n{}", lines(keys::RULE)),
            format!("[[acknowledge]]\n{}", lines(keys::ACKNOWLEDGE)),
            format!("[users]\n{people}"),
            format!(
                "\"cy@acme.example\" = {{ role = \"Member\", windows = [{{ {window} }}] }}\n\"di@acme.example\" = {}\n",
                example("di@acme.example")
            ),
        ]
        .concat();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        fs::write(&path, &file).unwrap();
        fs::create_dir(folder.path().join("teams")).unwrap();
        fs::write(folder.path().join("teams/a.toml"), "").unwrap();
        let problems = Roster::read(&path).map(|_| ()).unwrap_err().list;
        let codes: Vec<&str> = problems.iter().map(|problem| problem.code).collect();
        // Each of a person's keys is in a separate entry, so its example is valid. The window and the acknowledgment, however,
        // have all of their keys in one table. As a result, the window ends when it starts, and no guardrail takes all keys of
        // the acknowledgment.
        assert_eq!(codes, ["roster::missing_key", "roster::backwards_window"], "{file}\n{problems:#?}");
    }
}
