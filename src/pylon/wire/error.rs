//! Decodes the body of an error response.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::json::parse;

/// Parses an error body. Returns `None` if it has a different format, such as a proxy's HTML page.
pub(in crate::pylon) fn error(body: &[u8]) -> Option<WireError> {
    parse(body).ok()
}

/// The body of a Pylon error response. Fields are parsed independently so that an unexpected type in one of them doesn't hide the
/// code or the request ID.
#[derive(Deserialize)]
pub(in crate::pylon) struct WireError {
    /// The error messages, or `None` if the field is missing.
    #[serde(default, deserialize_with = "texts")]
    pub(in crate::pylon) errors: Option<Vec<String>>,
    #[serde(default, deserialize_with = "text")]
    pub(in crate::pylon) request_id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(in crate::pylon) code: Option<String>,
}

impl WireError {
    /// Returns `true` if the error comes from Pylon itself rather than a proxy. Pylon's errors always have both `errors` and a
    /// request ID, and either one is enough to tell.
    pub(in crate::pylon) fn is_pylons(&self) -> bool {
        self.errors.is_some() || self.request_id.is_some()
    }
}

/// Deserializes a string, turning a value of any other type into `None`.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(as_text(Value::deserialize(deserializer)?))
}

/// Deserializes a list of strings or a single string, skipping values of other types.
fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    Ok(Some(match Value::deserialize(deserializer)? {
        Value::Array(values) => values.into_iter().filter_map(as_text).collect(),
        value => as_text(value).into_iter().collect(),
    }))
}

fn as_text(value: Value) -> Option<String> {
    if let Value::String(text) = value { Some(text) } else { None }
}
