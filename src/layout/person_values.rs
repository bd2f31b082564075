//! A person's values, and how they're written as TOML.

use super::value::{braced, dotted};
use crate::roster::{Email, FieldValue, PerField};
use crate::toml_text::quoted;

/// The values to declare for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonValues {
    pub email: Email,
    /// The value of each field. `None` leaves the field unchanged in an existing entry and omits it from a new entry.
    pub values: PerField<Option<FieldValue>>,
}

impl PersonValues {
    /// Returns the key and TOML value of each field that has a value, in canonical order.
    pub(super) fn fields(&self) -> Vec<(&'static str, String)> {
        self.values.some().map(|(field, value)| (field.as_str(), quoted(value))).collect()
    }

    /// Formats the entry as a line that starts with `prefix`. If the line goes above all headers, `prefix` must end with
    /// `users.`.
    pub(super) fn line(&self, prefix: &str) -> String {
        format!("{prefix}{} = {}", dotted(&[self.email.as_str()]), braced(&self.assignments()))
    }

    /// Formats the entry as the lines of a table.
    pub(super) fn table(&self) -> Vec<String> {
        let mut lines = vec![format!("[{}]", dotted(&["users", self.email.as_str()]))];
        lines.extend(self.assignments());
        lines
    }

    fn assignments(&self) -> Vec<String> {
        self.fields().into_iter().map(|(key, value)| format!("{key} = {value}")).collect()
    }
}
