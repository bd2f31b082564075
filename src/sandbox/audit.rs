//! The audit log: what was changed, by whom and when, and the search in it.
//!
//! Owns entries, their filter and the newest-first order. Leaves writing them to `patch`, and whether the plan has a log at all to
//! `world`.

use std::collections::{BTreeMap, HashSet, VecDeque};

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

use super::{
    filter::{RawFilter, Tree},
    message::{Pagination, Refusal, integer, present},
    page,
    state::Api,
};

/// How many entries are kept; the oldest go first. A year of a large organisation, and some 40 MB.
const KEPT: usize = 100_000;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its identifier.
    pub id: String,
    /// What was done, such as `UserRoleChanged`; an open list.
    pub action: String,
    /// When.
    pub happened_at: Timestamp,
    /// To whom: a user's id.
    pub object_id: String,
    /// By whom, if it was a user.
    #[serde(default)]
    pub actor_user_id: Option<String>,
    /// From where: `api` or `app`.
    pub source: String,
    /// Details, text to text.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
}

/// All entries, oldest first, numbered from the world's first.
#[derive(Debug, Clone, Default)]
pub(super) struct Log {
    entries: VecDeque<Entry>,
    /// The number of the oldest entry kept.
    first: usize,
}

/// The body of a search; every key may be left out.
#[derive(Debug, Deserialize)]
pub(super) struct Search {
    #[serde(default, deserialize_with = "present")]
    filter: Option<RawFilter>,
    #[serde(default, deserialize_with = "integer")]
    limit: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    cursor: Option<String>,
}

/// One page of entries.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub(super) entries: Vec<EntryView<'a>>,
    pub(super) pagination: Option<Pagination>,
    /// The cursor that leads to this page.
    pub(super) cursor: String,
}

/// An entry as an answer shows it.
#[derive(Debug)]
pub(super) struct EntryView<'a>(&'a Entry);

impl Serialize for EntryView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire<'a> {
            id: &'a str,
            action: &'a str,
            action_happened_at: Timestamp,
            created_at: Timestamp,
            object_id: &'a str,
            object_type: &'a str,
            source: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            actor_user_id: Option<&'a str>,
            attributes: &'a BTreeMap<String, String>,
        }
        let Entry { id, action, happened_at, object_id, actor_user_id, source, attributes } = self.0;
        Wire {
            id,
            action,
            action_happened_at: *happened_at,
            created_at: *happened_at,
            object_id,
            object_type: "user",
            source,
            actor_user_id: actor_user_id.as_deref(),
            attributes,
        }
        .serialize(serializer)
    }
}

impl Log {
    pub(super) fn of(entries: Vec<Entry>) -> Self {
        Self { entries: entries.into(), first: 0 }
    }

    pub(super) fn add(&mut self, entry: Entry) {
        self.entries.push_back(entry);
        if self.entries.len() > KEPT {
            self.entries.pop_front();
            self.first += 1;
        }
    }

    /// Oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// One page, newest first. The cursor is an entry's number, so that entries written meanwhile shift nothing.
    pub(super) fn search(
        &self,
        search: &Search,
        max_values: Option<usize>,
        api: Api,
    ) -> Result<Page<'_>, Refusal> {
        let Search { filter, limit, cursor } = search;
        let question = page::question(&("audit", filter));
        let limit = page::limit(*limit)?;
        let filter = filter.as_ref().map(|raw| Tree::read(raw, max_values, &Condition::read)).transpose()?;
        let newest = (self.first + self.entries.len()).checked_sub(1).map(|number| number as u64);
        let start = page::position(question, cursor.as_deref())?.or(newest);
        let here = page::cursor(question, start.unwrap_or(0));
        let start = start.and_then(|number| usize::try_from(number).ok());
        let numbers = start.into_iter().flat_map(|start| (self.first..=start).rev());
        let found = |number: &usize| {
            self.at(*number)
                .is_some_and(|entry| filter.as_ref().is_none_or(|tree| tree.holds(&|test| test.holds(entry))))
        };
        let (page, next) = page::take(numbers.filter(found), limit);
        let next = next.map(|number| page::cursor(question, number));
        let entries = page.into_iter().filter_map(|number| self.at(number)).map(EntryView).collect();
        Ok(Page { entries, pagination: Pagination::of(next, api), cursor: here })
    }

    fn at(&self, number: usize) -> Option<&Entry> {
        self.entries.get(number.checked_sub(self.first)?)
    }
}

/// A condition on an entry.
#[derive(Debug)]
enum Condition {
    Text { field: Field, values: HashSet<String>, negated: bool },
    ActionContains(String),
    After(Timestamp),
    Before(Timestamp),
    Between(Timestamp, Timestamp),
}

#[derive(Debug, Clone, Copy)]
enum Field {
    Action,
    ObjectId,
}

impl Condition {
    fn read(field: &str, operator: &str, raw: &RawFilter) -> Result<Self, Refusal> {
        let text = |field| match operator {
            "equals" => {
                Ok(Self::Text { field, values: HashSet::from([raw.value()?.to_owned()]), negated: false })
            }
            "in" | "not_in" => {
                let values = raw.values()?.iter().cloned().collect();
                Ok(Self::Text { field, values, negated: operator == "not_in" })
            }
            _ => Err(unknown_operator()),
        };
        match (field, operator) {
            ("action", "string_contains") => Ok(Self::ActionContains(raw.value()?.to_owned())),
            ("action", _) => text(Field::Action),
            ("object_id", _) => text(Field::ObjectId),
            ("action_happened_at", "time_is_after") => time(raw.value()?).map(Self::After),
            ("action_happened_at", "time_is_before") => time(raw.value()?).map(Self::Before),
            ("action_happened_at", "time_range") => match raw.values()? {
                [from, until] => Ok(Self::Between(time(from)?, time(until)?)),
                _ => Err(Refusal::bad_request("time_range needs two values")),
            },
            ("action_happened_at", _) => Err(unknown_operator()),
            _ => Err(Refusal::bad_request(format!("unknown filter field {field}"))),
        }
    }

    fn holds(&self, entry: &Entry) -> bool {
        match self {
            Self::Text { field, values, negated } => {
                let text = match field {
                    Field::Action => &entry.action,
                    Field::ObjectId => &entry.object_id,
                };
                values.contains(text) != *negated
            }
            Self::ActionContains(part) => entry.action.contains(part.as_str()),
            Self::After(time) => entry.happened_at > *time,
            Self::Before(time) => entry.happened_at < *time,
            Self::Between(from, until) => (*from..=*until).contains(&entry.happened_at),
        }
    }
}

fn unknown_operator() -> Refusal {
    Refusal::bad_request("unknown operator for this field")
}

fn time(text: &str) -> Result<Timestamp, Refusal> {
    text.parse().map_err(|_| Refusal::bad_request("times are written as in RFC 3339"))
}
