//! The values of one person, written as TOML.

use super::value::{braced, dotted};
use crate::roster::{Email, FieldValue, PerField};
use crate::toml_text::quoted;

/// The values that a file should declare for one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonValues {
    pub email: Email,
    /// `None` leaves the field of a declared person as it is, and does not declare that of a new person.
    pub values: PerField<Option<FieldValue>>,
}

impl PersonValues {
    /// Returns the keys with their values as TOML, in the order in which they are written.
    pub(super) fn fields(&self) -> Vec<(&'static str, String)> {
        self.values.some().map(|(field, value)| (field.as_str(), quoted(value))).collect()
    }

    /// Returns the person on one line. `prefix` is `users.` if the line is above all headers.
    pub(super) fn line(&self, prefix: &str) -> String {
        format!("{prefix}{} = {}", dotted(&[self.email.as_str()]), braced(&self.assignments()))
    }

    /// Returns the lines of the person as a table.
    pub(super) fn table(&self) -> Vec<String> {
        let mut lines = vec![format!("[{}]", dotted(&["users", self.email.as_str()]))];
        lines.extend(self.assignments());
        lines
    }

    fn assignments(&self) -> Vec<String> {
        self.fields().into_iter().map(|(key, value)| format!("{key} = {value}")).collect()
    }
}
