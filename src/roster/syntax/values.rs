//! Mistakes in a value: dates, numbers, words without quotes, and backslashes.

use jiff::civil::Date;

use super::super::hints;
use super::super::{Missing, Region, Stance, Status, Unmanaged};
use super::spot::{Mistake, Spot};
use super::{Code, SYNTAX};

/// What the parser says of a value that it cannot read.
const OF_VALUES: [&str; 14] = [
    "string values must be quoted",
    "invalid boolean",
    "invalid float",
    "invalid integer",
    "invalid date",
    "invalid time",
    "invalid offset",
    "invalid literal string",
    "invalid value",
    "missing value",
    "missing opening quote",
    "unexpected leading zero",
    "`_` may only go",
    "redundant",
];
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// The keys whose values are texts.
const TEXTS: [&str; 12] = [
    "role",
    "status",
    "then",
    "reason",
    "guardrail",
    "user",
    "timezone",
    "organization",
    "region",
    "extra_roles",
    "unmanaged",
    "missing",
];

/// The last part of a key.
fn own_name(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or_default().trim()
}

/// A value by its key, for examples.
pub(super) fn example(key: &str) -> &'static str {
    match key {
        "role" => "\"Admin\"",
        "status" | "then" => "\"away\"",
        "from" | "until" | "expires" => "2026-12-20",
        "timezone" => "\"Europe/Berlin\"",
        "max_changes" => "\"25%\"",
        "include" => "[\"teams/*.toml\"]",
        "windows" => "[ … ]",
        "keep_at_least" => "{ Admin = 2 }",
        "keep_active" | "up_to" | "down_to" => "5",
        "allow_unicode_emails" => "true",
        key if key.contains('@') => "{ role = \"Admin\" }",
        "unmanaged" | "missing" => "\"refuse\"",
        "region" => "\"eu\"",
        _ => "\"…\"",
    }
}

/// A backslash that begins no escape: `"Support\Lead"`.
pub(super) fn backslash(spot: &Spot<'_>) -> Option<Mistake> {
    if !spot.said.starts_with("missing escaped value") && !spot.said.starts_with("too few unicode") {
        return None;
    }
    let at = spot.line[..spot.line.floor_char_boundary(spot.at_end.min(spot.at + 1))]
        .rfind('\\')
        .or_else(|| spot.before().rfind('\\'))?;
    let start = spot.line[..at].rfind('"')? + 1;
    let text = spot.line[start..].split('"').next().unwrap_or_default();
    let doubled = spot.shown(&text.replace('\\', "\\\\"), "a\\\\b");
    let slashed = spot.shown(&text.replace('\\', "/"), "a/b");
    let mistake =
        spot.mistake(at..at + 1, "a backslash in quotes begins an escape, and TOML does not know this one");
    let is_path = spot.key() == "include" || text.contains(".toml");
    let help = if is_path {
        format!("write paths with `/`: \"{slashed}\"")
    } else {
        format!("write it twice: \"{doubled}\"")
    };
    Some(mistake.label("begins an escape").help(help).of_line(spot))
}

/// A value that the parser cannot read.
pub(super) fn value(spot: &Spot<'_>) -> Option<Mistake> {
    let thousands = spot.said.starts_with("unexpected key or value") && spot.after().starts_with(',');
    let is_of_key = spot.said.starts_with("missing value for key");
    if is_of_key || !thousands && !OF_VALUES.iter().any(|said| spot.said.starts_with(said)) {
        return None;
    }
    let range = spot.value();
    let text = &spot.line[range.clone()];
    let key = spot.key();
    let key = key.rsplit('=').next_back().unwrap_or_default().trim();
    let name = spot.shown(key.trim_matches(['"', '\'']), "role");
    if thousands {
        return number(spot, &name).filter(|_| !spot.may_hold_a_secret());
    }
    if text.is_empty() {
        let mistake =
            spot.mistake(spot.at..spot.at, format!("`{name}` has no value")).label("nothing behind the `=`");
        let shown = spot.shown(key, "role");
        return Some(mistake.help(format!("write a value: {shown} = {}, or delete the key", example(&name))));
    }
    let found = Value { spot, key: &name, text };
    let known = || {
        let digits = found.missing_day().or_else(|| found.date()).or_else(|| found.number());
        found.parenthesis().or_else(|| found.word()).or_else(|| found.percent()).or(digits)
    };
    // The digits of a secret are not repeated.
    let known = if spot.may_hold_a_secret() { None } else { known() };
    let (code, message, help) = known.unwrap_or_else(|| found.without_quotes());
    Some(spot.mistake(range, message).label("not a value of TOML").help(help).code(code))
}

/// `1,000`
fn number(spot: &Spot<'_>, name: &str) -> Option<Mistake> {
    let before = spot.before().trim_end();
    let start = before.trim_end_matches(|char: char| char.is_ascii_digit()).len();
    let rest = spot.after().strip_prefix(',')?;
    let more = rest.find(|char: char| !char.is_ascii_digit() && char != ',').unwrap_or(rest.len());
    if start == before.len() || more == 0 {
        return None;
    }
    let range = start..spot.at + 1 + more;
    let plain: String = spot.line[range.clone()].chars().filter(char::is_ascii_digit).collect();
    let mistake = spot.mistake(range, "a number has no comma").label("not a number of TOML");
    Some(mistake.help(format!("write: {name} = {plain}")).of_line(spot))
}

/// A value, and the key that it belongs to.
struct Value<'s> {
    spot: &'s Spot<'s>,
    key: &'s str,
    text: &'s str,
}

type Said = (Code, String, String);

fn said(message: impl Into<String>, help: impl Into<String>) -> Said {
    (SYNTAX, message.into(), help.into())
}

impl Value<'_> {
    fn parenthesis(&self) -> Option<Said> {
        let is_one = self.spot.before().trim_end().ends_with('(') || self.text.starts_with('(');
        if !is_one {
            return None;
        }
        Some(said("TOML has no parentheses", "write { … } around keys with values, and [ … ] around a list"))
    }

    /// A word that means something in another language.
    fn word(&self) -> Option<Said> {
        let (text, key) = (self.text, self.key);
        let is_boolean = own_name(key) == "allow_unicode_emails";
        match text.to_ascii_lowercase().as_str() {
            word @ ("true" | "false") if is_boolean => {
                Some(said(format!("`{text}` is not lowercase"), format!("write: {key} = {word}")))
            }
            "yes" | "on" | "y" if is_boolean => {
                Some(said(format!("`{text}` is not a value of TOML"), format!("write: {key} = true")))
            }
            "no" | "off" | "n" if is_boolean => {
                Some(said(format!("`{text}` is not a value of TOML"), format!("write: {key} = false")))
            }
            "null" | "none" | "nil" | "undefined" | "~" if key.contains('@') => Some(said(
                format!("TOML has no `{text}`"),
                format!("write: \"{key}\" = {{}}, with a role or a status between the braces"),
            )),
            "null" | "none" | "nil" | "undefined" | "~" => {
                Some(said(format!("TOML has no `{text}`"), format!("delete `{key}` if it has no value")))
            }
            _ => None,
        }
    }

    fn percent(&self) -> Option<Said> {
        let digits = self.text.strip_suffix('%')?.trim_end();
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let help = || format!("write: {} = \"{digits}%\"", self.key);
        is_number.then(|| said("a percentage needs quotes", help()))
    }

    /// A date in the right form that no calendar has.
    fn missing_day(&self) -> Option<Said> {
        let parts = numbers(self.text.split(['T', 't', ' ']).next()?)?;
        let [(4, year), (2, month), (2, day)] = parts[..] else { return None };
        if self.text.as_bytes().get(4) != Some(&b'-') || !self.spot.said.starts_with("invalid date") {
            return None;
        }
        let swapped = iso(year, day, month).filter(|_| month > 12);
        let help = match swapped {
            Some(date) => format!("write the month before the day: {date}"),
            None => "write a day that exists, as year-month-day: 2026-12-20".to_owned(),
        };
        Some((Code::BadTime, format!("`{}` is not a day of the calendar", self.text), help))
    }

    /// A date or a time in another form than TOML's.
    fn date(&self) -> Option<Said> {
        let said_so = ["invalid date", "invalid time", "invalid offset"]
            .iter()
            .any(|said| self.spot.said.starts_with(said));
        if let Some(time) = self.time().filter(|_| said_so) {
            return Some(said("this is not a valid time", time));
        }
        let dates = dates(self.text);
        let lower = self.text.to_ascii_lowercase();
        let is_date = !dates.is_empty() || said_so || is_dated(&lower);
        if !is_date {
            return None;
        }
        let key = self.key;
        let help = match dates.as_slice() {
            [one] => format!("write year-month-day: {key} = {one}"),
            [one, other] => {
                format!("write year-month-day: {key} = {one}, or {other}, whichever day is meant")
            }
            _ => format!("write year-month-day, as in {key} = 2026-12-20"),
        };
        Some(said("this is not a valid date", help))
    }

    /// Help for a date with a time that is not complete.
    fn time(&self) -> Option<String> {
        let (date, time) = self.text.split_once(['T', 't', ' '])?;
        let date = dates(date).first()?.clone();
        let mut parts = time.split(|char: char| !char.is_ascii_digit());
        let mut next = || parts.next().and_then(|part| part.parse::<u8>().ok());
        let (hour, minute, second) = (next()?, next().unwrap_or(0), next().unwrap_or(0));
        let lower = time.to_ascii_lowercase();
        let hour = match (hour, lower.contains("pm"), lower.contains("am")) {
            (1..=11, true, _) => hour + 12,
            (12, _, true) => 0,
            _ => hour,
        };
        if (hour, minute, second) == (24, 0, 0) && !time.contains(['Z', 'z', '+', '-']) {
            let next = date.parse::<Date>().and_then(Date::tomorrow).ok()?;
            return Some(format!("write the start of the next day: {} = {next}T00:00:00", self.key));
        }
        let wrong = [("hour", hour, 23), ("minute", minute, 59), ("second", second, 59)];
        if let Some((name, _, most)) = wrong.iter().find(|(_, number, most)| number > most) {
            return Some(format!("write the {name} from 00 to {most}, as in 2026-12-20T08:00:00"));
        }
        let key = self.key;
        Some(format!(
            "write: {key} = {date}T{hour:02}:{minute:02}:{second:02}, which is local time, or with an offset: {date}T{hour:02}:{minute:02}:{second:02}+01:00"
        ))
    }

    fn number(&self) -> Option<Said> {
        let plain: String = self.text.chars().filter(char::is_ascii_digit).collect();
        let is_number = self.text.chars().all(|char| char.is_ascii_digit() || "_+'.".contains(char));
        if plain.is_empty() || !is_number || TEXTS.contains(&own_name(self.key)) {
            return None;
        }
        let plain = plain.trim_start_matches('0');
        let plain = if plain.is_empty() { "0" } else { plain };
        Some(said("this is not a valid number", format!("write: {} = {plain}", self.key)))
    }

    fn without_quotes(&self) -> Said {
        let text = self.text.trim_matches(['"', '\'']);
        let is_half = text.len() < self.text.len();
        let message =
            if is_half { "a quote is missing around this value" } else { "this text is not in quotes" };
        let before = self.spot.before().trim_end();
        let is_listed = before.ends_with(['[', ',']);
        let text = self.spot.shown(text, "Admin");
        if is_listed {
            return (SYNTAX, message.to_owned(), format!("write: \"{text}\""));
        }
        let key = self.key;
        if key.contains('@') && !key.contains('"') {
            let help = format!("write: \"{key}\" = {{ {} = \"{text}\" }}", hints::field_of(&text));
            return (SYNTAX, message.to_owned(), help);
        }
        let hinted = matches!(own_name(key), "status" | "then").then(|| hints::of_status(&text)).flatten();
        let Some(text) = hinted.map(str::to_owned).or_else(|| fitting(key, &text)) else {
            let help = format!("write a value as in {key} = {}", example(key));
            return (SYNTAX, format!("this is not a value of `{key}`"), help);
        };
        let help = format!("write: {key} = \"{text}\"");
        (SYNTAX, message.to_owned(), help)
    }
}

/// Returns how a word has to be written as the text of this key, if the key can have it.
fn fitting(key: &str, text: &str) -> Option<String> {
    let is_plain = !text.contains(['"', '\\', '$', '{']);
    let lower = text.to_ascii_lowercase();
    let is_one = |words: &[&str]| words.contains(&lower.as_str()).then(|| lower.clone());
    match key {
        "from" | "until" | "expires" | "windows" | "max_changes" => None,
        "keep_active" | "up_to" | "down_to" | "keep_at_least" | "allow_unicode_emails" => None,
        "then" => is_one(&Status::ALL.map(Status::as_str)),
        "status" => {
            is_one(&Status::ALL.map(Status::as_str)).or_else(|| is_one(&Stance::ALL.map(Stance::as_str)))
        }
        "unmanaged" => is_one(&Unmanaged::ALL.map(Unmanaged::as_str)),
        "missing" => is_one(&Missing::ALL.map(Missing::as_str)),
        "region" => is_one(&Region::ALL.map(Region::as_str)),
        _ => is_plain.then(|| text.to_owned()),
    }
}

/// The numbers in a text that has nothing else but separators: how many digits, and the number.
fn numbers(text: &str) -> Option<Vec<(usize, u16)>> {
    let parts = text.split(['/', '.', '-', '_', ' ']).filter(|part| !part.is_empty());
    parts.map(|part| Some((part.len(), part.parse().ok()?))).collect()
}

/// The days that three numbers can mean, in ISO 8601.
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

/// The day of a text such as `1 Dec 2026` or `December 1st, 2026`.
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

/// Whether a text names a month, next to a number.
fn is_dated(lower: &str) -> bool {
    let mut words = lower.split(|char: char| !char.is_ascii_alphanumeric());
    let has_month = words.any(|word| word.len() < 10 && MONTHS.iter().any(|month| word.starts_with(month)));
    has_month && lower.bytes().any(|byte| byte.is_ascii_digit())
}
