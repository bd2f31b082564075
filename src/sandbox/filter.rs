//! Parses the bodies of search requests and evaluates their filters. A filter is a tree of `and` and `or` over conditions on
//! fields, with the maximum depth that Pylon documents.
//!
//! This module implements the tree and the conditions on email addresses. `audit` implements the conditions on audit log entries,
//! and `page` implements paging.

use std::collections::HashSet;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::message::{ApiError, ErrorCode, integer, present};
use super::organization::ApiSettings;
use super::users::Users;
use super::written_user::WrittenUser;

/// The maximum depth of a filter, as documented by Pylon. A single condition counts as one level. This is the strictest
/// interpretation of the documentation, so a client that respects this limit works under any interpretation.
pub(super) const MAX_DEPTH: usize = 3;

/// Parses a request body, which must be a JSON object. The body is parsed into a map first because a struct's derived
/// deserializer would also accept an array of its values. If a key is repeated, the last value wins, as on most servers.
pub(super) fn read_body<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice::<Map<String, Value>>(body)
        .and_then(|object| serde_json::from_value(Value::Object(object)))
        .map_err(|error| ApiError::bad_request(format!("the request body cannot be read: {error}")))
}

/// The body of a search for users or audit log entries.
#[derive(Debug, Deserialize)]
pub(super) struct SearchBody {
    #[serde(default, deserialize_with = "present")]
    pub(super) filter: Option<RawFilter>,
    #[serde(default, deserialize_with = "integer")]
    pub(super) limit: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    pub(super) cursor: Option<String>,
}

/// A filter as sent by the client. A key whose value is `null` counts as omitted because some SDKs send every key. Unknown keys
/// are ignored.
#[derive(Debug, Clone, Hash, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub(super) struct RawFilter(FilterKeys);

#[derive(Debug, Clone, Hash, Deserialize)]
struct FilterKeys {
    field: Option<String>,
    operator: Option<String>,
    value: Option<String>,
    values: Option<Vec<String>>,
    subfilters: Option<Vec<RawFilter>>,
}

/// Converts a map, because parsing the struct directly would also accept an array (see [`read_body`]).
impl TryFrom<Map<String, Value>> for RawFilter {
    type Error = serde_json::Error;

    fn try_from(object: Map<String, Value>) -> Result<Self, Self::Error> {
        serde_json::from_value(Value::Object(object)).map(Self)
    }
}

impl RawFilter {
    /// Returns `value`, the operand of a condition on a single string, such as `equals`.
    pub(super) fn value(&self) -> Result<&String, ApiError> {
        self.0.value.as_ref().ok_or_else(|| self.lacks("value"))
    }

    /// Returns `values`, the operands of a condition on several strings, such as `in`.
    pub(super) fn values(&self) -> Result<&[String], ApiError> {
        self.0.values.as_deref().ok_or_else(|| self.lacks("values"))
    }

    fn lacks(&self, key: &str) -> ApiError {
        let operator = self.0.operator.as_deref().unwrap_or_default();
        ApiError::bad_request(format!("the operator {operator} needs {key}"))
    }
}

/// A parsed filter: either a condition of type `C` or a combination of other filters.
#[derive(Debug, Clone)]
pub(super) enum Filter<C> {
    Condition(C),
    /// All of these filters must match. An empty list always matches.
    And(Vec<Self>),
    /// At least one of these filters must match. An empty list never matches.
    Or(Vec<Self>),
}

impl<C> Filter<C> {
    /// Parses a filter with at most `levels` levels. Calls `condition` with the field, the operator, and the raw filter to parse
    /// each condition.
    pub(super) fn read(
        raw: &RawFilter,
        levels: usize,
        max_values: Option<usize>,
        condition: &impl Fn(&str, &str, &RawFilter) -> Result<C, ApiError>,
    ) -> Result<Self, ApiError> {
        let FilterKeys { field, operator, value: _, values, subfilters } = &raw.0;
        if levels == 0 {
            return Err(ApiError::bad_request(format!("filters may be nested {MAX_DEPTH} deep at most")));
        }
        let given = values.as_ref().map_or(0, Vec::len);
        if let Some(max) = max_values.filter(|max| given > *max) {
            let text = format!("a filter may hold {max} values at most, not {given}");
            return Err(ApiError::new(ErrorCode::PayloadTooLarge, text));
        }
        let Some(operator) = operator else {
            return Err(ApiError::bad_request("a filter needs an operator"));
        };
        let join = match operator.as_str() {
            "and" => Self::And,
            "or" => Self::Or,
            _ => {
                let field = field.as_ref().ok_or_else(|| ApiError::bad_request("a filter needs a field"))?;
                return condition(field, operator, raw).map(Self::Condition);
            }
        };
        let subfilters = subfilters.as_deref().ok_or_else(|| raw.lacks("subfilters"))?;
        let read = |subfilter| Self::read(subfilter, levels - 1, max_values, condition);
        subfilters.iter().map(read).collect::<Result<_, _>>().map(join)
    }

    /// Evaluates the filter by calling `test` for its conditions.
    pub(super) fn holds(&self, test: &impl Fn(&C) -> bool) -> bool {
        match self {
            Self::Condition(condition) => test(condition),
            Self::And(all) => all.iter().all(|each| each.holds(test)),
            Self::Or(any) => any.iter().any(|each| each.holds(test)),
        }
    }
}

/// A condition that compares strings: `equals`, `in`, or `not_in`.
#[derive(Debug, Clone)]
pub(super) struct OneOf {
    values: HashSet<String>,
    negated: bool,
}

impl OneOf {
    /// Parses a condition if its operator is `equals`, `in`, or `not_in`.
    pub(super) fn read(operator: &str, raw: &RawFilter) -> Result<Option<Self>, ApiError> {
        let values = match operator {
            "equals" => std::slice::from_ref(raw.value()?),
            "in" | "not_in" => raw.values()?,
            _ => return Ok(None),
        };
        Ok(Some(Self { values: values.iter().cloned().collect(), negated: operator == "not_in" }))
    }

    /// Returns `true` if the condition matches an item with these strings, such as a user with these addresses.
    pub(super) fn holds<'t>(&self, mut texts: impl Iterator<Item = &'t str>) -> bool {
        texts.any(|text| self.values.contains(text)) != self.negated
    }
}

/// A condition on a user's email addresses.
#[derive(Debug, Clone)]
pub(super) struct EmailIs {
    /// The addresses to compare with, in lowercase if `ignore_case` is set.
    addresses: OneOf,
    ignore_case: bool,
    secondary: bool,
}

impl EmailIs {
    pub(super) fn read(
        settings: &ApiSettings,
        field: &str,
        operator: &str,
        raw: &RawFilter,
    ) -> Result<Self, ApiError> {
        if field != "email" {
            return Err(ApiError::bad_request(format!("unknown filter field {field}")));
        }
        let Some(mut addresses) = OneOf::read(operator, raw)? else {
            return Err(ApiError::bad_request(format!("unknown operator {operator} for the field email")));
        };
        if settings.search_ignores_case {
            addresses.values = addresses.values.iter().map(|address| address.to_lowercase()).collect();
        }
        Ok(Self {
            addresses,
            ignore_case: settings.search_ignores_case,
            secondary: settings.search_matches_secondary,
        })
    }

    fn holds(&self, user: &WrittenUser) -> bool {
        let secondary: &[String] = if self.secondary { &user.emails } else { &[] };
        let addresses = std::iter::once(&user.email).chain(secondary);
        if self.ignore_case {
            let lower: Vec<String> = addresses.map(|address| address.to_lowercase()).collect();
            self.addresses.holds(lower.iter().map(String::as_str))
        } else {
            self.addresses.holds(addresses.map(String::as_str))
        }
    }
}

impl Filter<EmailIs> {
    pub(super) fn finds(&self, user: &WrittenUser) -> bool {
        self.holds(&|condition| condition.holds(user))
    }

    /// Returns a sorted superset of the matching users, without duplicates, from the index of addresses. If the filter can't
    /// use the index, returns `None`, and every user must be checked. With the index, a search for 999 out of a million users
    /// takes only 999 lookups.
    pub(super) fn candidates(&self, users: &Users) -> Option<Vec<usize>> {
        let mut found = self.gather(users)?;
        found.sort_unstable();
        found.dedup();
        Some(found)
    }

    fn gather(&self, users: &Users) -> Option<Vec<usize>> {
        match self {
            Self::Condition(EmailIs { addresses: OneOf { values, negated }, ignore_case: _, secondary }) => {
                // A negated condition can't use the index. An empty address can't use it either, because users without an address
                // aren't in it.
                if *negated || values.contains("") {
                    return None;
                }
                Some(values.iter().flat_map(|address| users.with_address(address, *secondary)).collect())
            }
            Self::And(all) => all.iter().find_map(|each| each.gather(users)),
            Self::Or(any) => {
                let sets: Option<Vec<_>> = any.iter().map(|each| each.gather(users)).collect();
                sets.map(|sets| sets.concat())
            }
        }
    }
}
