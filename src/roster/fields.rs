//! Typed accessors for TOML values, which report a problem if the type doesn't match.
//!
//! A single run should report all errors, but serde stops at the first one. That's why this module walks the parsed tree, which has
//! a span for every key and value. [`Fields::unknown`] handles unknown keys.

use std::ops::Range;

use jiff::tz::TimeZone;
use toml::Spanned;
use toml::de::{DeArray, DeString, DeTable, DeValue};

use super::{Field, FieldValue, Moment, RoleName, RosterCode, Status, hints};
use crate::printable::Printable;
use crate::problem::{Label, Problem};
use crate::secret::{contains_secret, is_secret_name, resembles_secret_name};
use crate::source::{FileId, Place, Sourced};
use crate::spelling::did_you_mean;

pub(super) type TomlValue<'v> = Spanned<DeValue<'v>>;
pub(super) type TomlKey<'v> = Spanned<DeString<'v>>;

/// Reads the values of a single file and collects the problems found along the way.
pub(super) struct Fields {
    file: FileId,
    /// Maps offsets in the current part of the file to offsets in the file.
    pub(super) shift: Shift,
    /// The offset in the file at which the table that was last opened begins.
    table_start: usize,
    pub(super) problems: Vec<Problem>,
    /// Ranges whose text must not be displayed because it might be a secret.
    pub(super) masks: Vec<Place>,
}

/// Maps offsets in a part of the text to offsets in the whole text.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shift {
    /// Offsets below this boundary are shifted by `before`, and all others by `after`.
    boundary: usize,
    before: usize,
    after: usize,
}

impl Shift {
    /// Creates the mapping for a part that consists of two ranges of the text, with `gap` bytes between them that aren't in the
    /// text.
    pub(super) fn of_two(first: &Range<usize>, gap: usize, second: &Range<usize>) -> Self {
        let boundary = first.len() + gap;
        Self { boundary, before: first.start, after: second.start.wrapping_sub(boundary) }
    }

    pub(super) fn span(self, span: Range<usize>) -> Range<usize> {
        let shifted = |offset: usize| {
            offset.wrapping_add(if offset >= self.boundary { self.after } else { self.before })
        };
        shifted(span.start)..shifted(span.end)
    }
}

/// Keys that are rejected as secrets, in addition to those recognized by [`is_secret_name`]. Secrets don't belong in the file,
/// because pull requests and CI logs expose its contents.
const SECRETS: &[&str] = &["key", "api_key"];
/// Keys that are rejected because they would let a pull request choose the host that the token is sent to.
const HOSTS: &[&str] = &["base_url", "url", "host", "endpoint", "api_url", "proxy", "token_file"];

impl Fields {
    /// Creates a reader whose current part is the whole file.
    pub(super) fn new(file: FileId) -> Self {
        Self { file, shift: Shift::default(), table_start: 0, problems: Vec::new(), masks: Vec::new() }
    }

    pub(super) fn place(&self, span: Range<usize>) -> Place {
        Place::new(self.file, self.shift.span(span))
    }

    pub(super) fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    pub(super) fn string<'v>(&mut self, key: &str, value: &'v TomlValue<'_>) -> Option<Sourced<&'v str>> {
        let found = value.get_ref().as_str();
        self.typed(key, "a string", value, found)
    }

    /// Reads a non-blank string.
    pub(super) fn text(&mut self, key: &str, value: &TomlValue<'_>) -> Option<Sourced<String>> {
        self.some_text(key, value).map(|text| text.map(str::to_owned))
    }

    /// Reads the name, slug, or ID of a role.
    pub(super) fn role(&mut self, value: &TomlValue<'_>) -> Option<Sourced<RoleName>> {
        self.value_of(Field::Role, "role", value)
    }

    /// Reads a value of the given field. `key` is the key to name in messages. For `then`, it differs from the name of the
    /// field.
    pub(super) fn value_of(
        &mut self,
        field: Field,
        key: &str,
        value: &TomlValue<'_>,
    ) -> Option<Sourced<FieldValue>> {
        let text = match field.facts().closed_list {
            None => self.some_text(key, value)?,
            Some(words) => self.one_of(key, value, words, |word| word)?,
        };
        Some(text.map(FieldValue::from))
    }

    fn some_text<'v>(&mut self, key: &str, value: &'v TomlValue<'_>) -> Option<Sourced<&'v str>> {
        let text = self.string(key, value)?;
        if text.value.trim().is_empty() {
            self.report(
                Problem::new(RosterCode::BadValue, format!("`{key}` is empty")).at(text.place, "empty"),
            );
            return None;
        }
        Some(text)
    }

    pub(super) fn boolean(&mut self, key: &str, value: &TomlValue<'_>) -> Option<bool> {
        let found = value.get_ref().as_bool();
        self.typed(key, "true or false", value, found).map(|found| found.value)
    }

    /// Reads a non-negative integer. Anything that doesn't fit into a signed 64-bit integer is rejected because TOML doesn't allow
    /// it, even though the parser does.
    pub(super) fn count(&mut self, key: &str, value: &TomlValue<'_>) -> Option<u64> {
        let integer = value.get_ref().as_integer();
        let integer = self.typed(key, "a whole number", value, integer)?;
        let number = u64::from_str_radix(integer.value.as_str(), integer.value.radix());
        let number = number.ok().filter(|number| i64::try_from(*number).is_ok());
        if number.is_none() {
            let is_negative = integer.value.as_str().starts_with('-');
            let label = if is_negative { "not a number, 0 or more" } else { "too large for TOML" };
            self.report(
                Problem::new(RosterCode::BadValue, format!("`{key}` must be a whole number, 0 or more"))
                    .at(integer.place, label)
                    .help("write a number such as 40"),
            );
        }
        number
    }

    pub(super) fn table<'v, 'i>(&mut self, key: &str, value: &'v TomlValue<'i>) -> Option<&'v DeTable<'i>> {
        let found = self.typed(key, "a table", value, value.get_ref().as_table())?;
        self.table_start = found.place.span().start;
        Some(found.value)
    }

    pub(super) fn array<'v, 'i>(&mut self, key: &str, value: &'v TomlValue<'i>) -> Option<&'v DeArray<'i>> {
        let found = value.get_ref().as_array();
        self.typed(key, "an array", value, found).map(|found| found.value)
    }

    /// Reads a string that must be one of `known`.
    pub(super) fn one_of<T: Copy>(
        &mut self,
        key: &str,
        value: &TomlValue<'_>,
        known: &[T],
        word: fn(T) -> &'static str,
    ) -> Option<Sourced<T>> {
        let written = self.string(key, value)?;
        if let Some(meaning) = known.iter().find(|known| word(**known) == written.value) {
            return Some(Sourced::new(*meaning, written.place));
        }
        let words: Vec<&str> = known.iter().map(|known| word(*known)).collect();
        let (code, meant) = if words == Status::WORDS {
            (RosterCode::UnknownStatus, hints::of_status(written.value))
        } else {
            (RosterCode::BadValue, hints::of_consequence(key, written.value))
        };
        let help = match meant.or_else(|| did_you_mean(written.value, words.iter().copied())) {
            Some(near) => format!("did you mean `{near}`? `{key}` must be one of: {}", words.join(", ")),
            None => format!("`{key}` must be one of: {}", words.join(", ")),
        };
        let message = format!("{} is not a valid `{key}`", in_backticks(written.value, 60));
        self.report(Problem::new(code, message).at(written.place, "unknown").help(help));
        None
    }

    /// Reads a date or a date-time as defined by [`Moment::from_datetime`].
    pub(super) fn moment(
        &mut self,
        key: &str,
        value: &TomlValue<'_>,
        zone: &TimeZone,
    ) -> Option<Sourced<Moment>> {
        let datetime = value.get_ref().as_datetime();
        let datetime = self.typed(key, "a date or a date-time, without quotes", value, datetime)?;
        match Moment::from_datetime(datetime.value, zone) {
            Ok(moment) => Some(Sourced::new(moment, datetime.place)),
            Err(why) => {
                self.report(
                    Problem::new(RosterCode::BadTime, format!("`{key}` {why}"))
                        .at(datetime.place, "not a valid date or time")
                        .help("write a date (2026-12-20), a local date-time (2026-12-20T08:00:00), or one with an offset (2026-12-20T08:00:00+01:00)"),
                );
                None
            }
        }
    }

    pub(super) fn typed<T>(
        &mut self,
        key: &str,
        wanted: &str,
        value: &TomlValue<'_>,
        found: Option<T>,
    ) -> Option<Sourced<T>> {
        let place = self.place(value.span());
        // An empty span marks a placeholder for a rejected value, which the parser has already reported.
        if found.is_none() && !value.span().is_empty() {
            let message = format!("{} must be {wanted}", in_backticks(key, 60));
            let label = format!("found {}", value.get_ref().type_str());
            let help = hints::of_type(key, wanted, value.get_ref());
            self.report(Problem::new(RosterCode::WrongType, message).at(place, label).help(help));
        }
        found.map(|found| Sourced::new(found, place))
    }

    /// Reports a key that isn't valid in this table.
    pub(super) fn unknown(&mut self, key: &TomlKey<'_>, value: &TomlValue<'_>, known: &[&str], table: &str) {
        let name = key.get_ref().as_ref();
        let place = self.place(key.span());
        if let Some((message, label, help)) = forbidden(name) {
            self.masks.push(self.place(value.span()));
            self.report(Problem::new(RosterCode::SecretInFile, message).at(place, label).help(help));
            return;
        }
        let hint = hints::of_key(table, name).map(str::to_owned).or_else(|| hints::of_section(table, name));
        let near = || did_you_mean(name, known.iter().copied()).map(|near| format!("did you mean `{near}`?"));
        // A misplaced section header misplaces all people below it. Report only the first of them.
        let is_same = |last: &Problem| {
            let is_below = |label: &Label| label.place.span().start >= self.table_start;
            last.help == hint && last.labels.first().is_some_and(is_below)
        };
        if name.contains('@') && hint.is_some() && self.problems.last().is_some_and(is_same) {
            // Keys are read in alphabetical order, but the first one in the file is reported.
            let is_later = |label: &Label| label.place.span().start > place.span().start;
            if self.problems.pop_if(|last| last.labels.first().is_some_and(is_later)).is_none() {
                return;
            }
        }
        let help = match hint.or_else(near) {
            Some(help) => help,
            None => {
                self.hide_value_of(key, value);
                format!("{table} takes: {}", known.join(", "))
            }
        };
        let message = match name {
            "" => format!("{table} has an empty key"),
            _ if contains_secret(name) => format!("{table} has an unknown key that looks like a secret"),
            _ => format!("{table} has no key `{}`", Printable::cut(name, 60)),
        };
        self.report(Problem::new(RosterCode::UnknownKey, message).at(place, "unknown").help(help));
    }

    /// Hides the value if the key looks like a misspelled name of a secret, such as `toekn`. Other values are hidden only if they
    /// look like a secret.
    pub(super) fn hide_value_of(&mut self, key: &TomlKey<'_>, value: &TomlValue<'_>) {
        if resembles_secret_name(key.get_ref()) {
            self.masks.push(self.place(key.span().end..value.span().end.max(key.span().end)));
        }
    }
}

/// Wraps a value in backticks, truncated to `most` characters. A value that might be a secret is replaced with the word `this`.
pub(super) fn in_backticks(text: &str, most: usize) -> String {
    match text {
        "" => "an empty string".to_owned(),
        _ if contains_secret(text) => "this".to_owned(),
        _ => format!("`{}`", Printable::cut(text, most)),
    }
}

/// Returns the message, label, and help text of the problem for a key that names a secret or a host, or `None` if the key is
/// allowed.
pub(super) fn forbidden(name: &str) -> Option<(String, &'static str, &'static str)> {
    let folded = name.to_ascii_lowercase().replace('-', "_");
    let (label, help) = if HOSTS.contains(&folded.as_str()) {
        (
            "not allowed here",
            "anyone who edits this file could send the token to another host: use --region, --base-url, or PYLON_BASE_URL instead",
        )
    } else if is_secret_name(name) || SECRETS.contains(&folded.as_str()) {
        (
            "the value is not shown here",
            "pull requests and CI logs expose what is in this file: set PYLON_API_TOKEN or use --token-file instead, \
             and if a real token was committed, revoke it in Pylon",
        )
    } else {
        return None;
    };
    Some((format!("`{}` does not belong in a reviewed file", Printable::cut(name, 60)), label, help))
}
