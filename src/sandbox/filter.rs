//! Search filters: a tree of `and` and `or` over conditions on fields, to the documented depth, as a body gives it.
//!
//! Owns the tree and the e-mail condition with its unknowns (secondary addresses, case). Leaves the audit log's conditions to
//! `audit` and the cutting into pages to `page`.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    message::{Code, Refusal},
    people::People,
    state::Settings,
    user::User,
};

/// The depth that Pylon documents. A condition alone counts one: the strict reading, so that who keeps to it is safe.
const MAX_DEPTH: usize = 3;

/// A filter as it is sent. `null` counts as absent, for SDKs that send every key; keys nobody knows are ignored.
#[derive(Debug, Clone, Hash, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub(super) struct RawFilter(Keys);

#[derive(Debug, Clone, Hash, Deserialize)]
struct Keys {
    field: Option<String>,
    operator: Option<String>,
    value: Option<String>,
    values: Option<Vec<String>>,
    subfilters: Option<Vec<RawFilter>>,
}

/// By way of a map, because a derived struct would also take a list of its values in order.
impl TryFrom<Map<String, Value>> for RawFilter {
    type Error = serde_json::Error;

    fn try_from(object: Map<String, Value>) -> Result<Self, Self::Error> {
        serde_json::from_value(Value::Object(object)).map(Self)
    }
}

impl RawFilter {
    /// What `equals` and its like compare with.
    pub(super) fn value(&self) -> Result<&str, Refusal> {
        self.0.value.as_deref().ok_or_else(|| self.lacks("value"))
    }

    /// What `in` and its like compare with.
    pub(super) fn values(&self) -> Result<&[String], Refusal> {
        self.0.values.as_deref().ok_or_else(|| self.lacks("values"))
    }

    fn lacks(&self, key: &str) -> Refusal {
        let operator = self.0.operator.as_deref().unwrap_or_default();
        Refusal::bad_request(format!("the operator {operator} needs {key}"))
    }
}

/// A condition of `C`, or several of them joined.
#[derive(Debug, Clone)]
pub(super) enum Tree<C> {
    Condition(C),
    /// All hold; of none, everything holds.
    And(Vec<Self>),
    /// One holds; of none, nothing does.
    Or(Vec<Self>),
}

impl<C> Tree<C> {
    /// Reads a filter; `condition` judges field, operator and values of one condition.
    pub(super) fn read(
        raw: &RawFilter,
        max_values: Option<usize>,
        condition: &impl Fn(&str, &str, &RawFilter) -> Result<C, Refusal>,
    ) -> Result<Self, Refusal> {
        Self::read_at(1, raw, max_values, condition)
    }

    fn read_at(
        depth: usize,
        raw: &RawFilter,
        max_values: Option<usize>,
        condition: &impl Fn(&str, &str, &RawFilter) -> Result<C, Refusal>,
    ) -> Result<Self, Refusal> {
        if depth > MAX_DEPTH {
            return Err(Refusal::bad_request(format!("filters may be nested {MAX_DEPTH} deep at most")));
        }
        let given = raw.0.values.as_ref().map_or(0, Vec::len);
        if let Some(max) = max_values.filter(|max| given > *max) {
            return Err(Refusal::new(
                Code::PayloadTooLarge,
                format!("a filter may hold {max} values at most, not {given}"),
            ));
        }
        let operator =
            raw.0.operator.as_deref().ok_or_else(|| Refusal::bad_request("a filter needs an operator"))?;
        let join = match operator {
            "and" => Self::And,
            "or" => Self::Or,
            _ => {
                let field =
                    raw.0.field.as_deref().ok_or_else(|| Refusal::bad_request("a filter needs a field"))?;
                return condition(field, operator, raw).map(Self::Condition);
            }
        };
        let subfilters = raw.0.subfilters.as_deref().ok_or_else(|| raw.lacks("subfilters"))?;
        let read = |subfilter| Self::read_at(depth + 1, subfilter, max_values, condition);
        subfilters.iter().map(read).collect::<Result<_, _>>().map(join)
    }

    /// Whether the whole holds, given whether a condition does.
    pub(super) fn holds(&self, test: &impl Fn(&C) -> bool) -> bool {
        match self {
            Self::Condition(condition) => test(condition),
            Self::And(all) => all.iter().all(|each| each.holds(test)),
            Self::Or(any) => any.iter().any(|each| each.holds(test)),
        }
    }
}

/// `email` `equals`, `in` or `not_in`.
#[derive(Debug, Clone)]
pub(super) struct EmailIs {
    /// In lower case, unless case matters.
    addresses: HashSet<String>,
    negated: bool,
    ignore_case: bool,
    secondary: bool,
}

impl EmailIs {
    /// The condition, or what is wrong with it.
    pub(super) fn read(
        settings: &Settings,
        field: &str,
        operator: &str,
        raw: &RawFilter,
    ) -> Result<Self, Refusal> {
        if field != "email" {
            return Err(Refusal::bad_request(format!("unknown filter field {field}")));
        }
        let addresses = match operator {
            "equals" => std::slice::from_ref(raw.0.value.as_ref().ok_or_else(|| raw.lacks("value"))?),
            "in" | "not_in" => raw.values()?,
            _ => {
                return Err(Refusal::bad_request(format!("unknown operator {operator} for the field email")));
            }
        };
        let ignore_case = settings.search_ignores_case;
        let fold = |text: &String| if ignore_case { text.to_lowercase() } else { text.clone() };
        Ok(Self {
            addresses: addresses.iter().map(fold).collect(),
            negated: operator == "not_in",
            ignore_case,
            secondary: settings.search_matches_secondary,
        })
    }

    fn holds(&self, user: &User) -> bool {
        let named = |address: &str| {
            if self.ignore_case {
                self.addresses.contains(&address.to_lowercase())
            } else {
                self.addresses.contains(address)
            }
        };
        let found = named(&user.email) || (self.secondary && user.others.iter().any(|other| named(other)));
        found != self.negated
    }
}

/// A filter of users.
pub(super) type UserFilter = Tree<EmailIs>;

impl UserFilter {
    /// Whether this person is found.
    pub(super) fn finds(&self, user: &User) -> bool {
        self.holds(&|condition| condition.holds(user))
    }

    /// A superset of those found, in order and without repetition, when the addresses named narrow it down; `None`: everybody
    /// must be looked at. Makes a search for 999 of a million people cost 999 lookups.
    pub(super) fn candidates(&self, people: &People) -> Option<Vec<usize>> {
        let mut found = self.gather(people)?;
        found.sort_unstable();
        found.dedup();
        Some(found)
    }

    fn gather(&self, people: &People) -> Option<Vec<usize>> {
        match self {
            // The index does not have the users without an address.
            Self::Condition(email) if email.negated || email.addresses.contains("") => None,
            Self::Condition(email) => {
                let each =
                    |address: &String| people.with_address(address, email.secondary).collect::<Vec<_>>();
                Some(email.addresses.iter().flat_map(each).collect())
            }
            Self::And(all) => all.iter().find_map(|each| each.gather(people)),
            Self::Or(any) => any
                .iter()
                .map(|each| each.gather(people))
                .collect::<Option<Vec<_>>>()
                .map(|sets| sets.concat()),
        }
    }
}
