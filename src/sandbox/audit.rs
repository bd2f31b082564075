//! Stores and searches the audit log, which records who changed what and when.
//!
//! This module defines the entries, their filters, and their order. `patch` adds entries, and `answers` decides whether the
//! organization has an audit log.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::filter::{Filter, MAX_DEPTH, OneOf, RawFilter, SearchBody};
use super::message::ApiError;
use super::page;

/// The maximum number of entries in the log, beyond which the oldest are dropped. It's roughly a year's worth of entries for a
/// large organization, or 40 MB.
const MAX_ENTRIES: usize = 100_000;

/// A change to a user, as stored in the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggedChange {
    pub id: String,
    /// The kind of change, such as `UserRoleChanged`. Clients must be prepared for new kinds.
    pub action: String,
    pub happened_at: Timestamp,
    /// The ID of the affected user.
    pub object_id: String,
    /// The ID of the user who made the change, or `None` if it wasn't made by a user.
    #[serde(default)]
    pub actor_user_id: Option<String>,
    /// The origin of the change: `api`, `app`, or `schedule`.
    pub source: String,
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
}

/// An audit log entry as it appears in a response.
#[derive(Debug, Serialize)]
pub(super) struct LoggedChangeView<'a> {
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

impl LoggedChange {
    fn view(&self) -> LoggedChangeView<'_> {
        let Self { id, action, happened_at, object_id, actor_user_id, source, attributes } = self;
        LoggedChangeView {
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
    }
}

/// The entries of the audit log, oldest first. Entries are numbered consecutively, and the numbers of dropped entries aren't
/// reused.
#[derive(Debug, Clone)]
pub(super) struct AuditLog {
    entries: VecDeque<LoggedChange>,
    /// The number of the oldest entry still in the log.
    first: usize,
}

/// A page of audit log entries, newest first.
pub(super) struct AuditPage<'a> {
    pub(super) entries: Vec<LoggedChangeView<'a>>,
    /// The cursor that leads to this page.
    pub(super) here: String,
    pub(super) next: Option<String>,
}

impl AuditLog {
    pub(super) fn new(entries: Vec<LoggedChange>) -> Self {
        Self { entries: entries.into(), first: 0 }
    }

    pub(super) fn add(&mut self, entry: LoggedChange) {
        self.entries.push_back(entry);
        if self.entries.len() > MAX_ENTRIES {
            self.entries.pop_front();
            self.first += 1;
        }
    }

    pub(super) fn oldest_first(&self) -> impl Iterator<Item = &LoggedChange> {
        self.entries.iter()
    }

    /// Returns one page of the entries that match the filter. A cursor encodes an entry's number, so new entries don't shift
    /// the pages.
    pub(super) fn search(
        &self,
        body: &SearchBody,
        max_values: Option<usize>,
    ) -> Result<AuditPage<'_>, ApiError> {
        let SearchBody { filter, limit, cursor } = body;
        let question = page::question(&("audit", filter));
        let limit = page::limit(*limit)?;
        let filter = filter
            .as_ref()
            .map(|raw| Filter::read(raw, MAX_DEPTH, max_values, &Condition::read))
            .transpose()?;
        let newest = (self.first + self.entries.len()).checked_sub(1);
        let start = page::position(question, cursor.as_deref())?.or(newest);
        let here = page::cursor(question, start.unwrap_or(0));
        let numbers = start.into_iter().flat_map(|start| (self.first..=start).rev());
        let found = |number: &usize| {
            let Some(entry) = self.at(*number) else { return false };
            filter.as_ref().is_none_or(|filter| filter.holds(&|condition| condition.holds(entry)))
        };
        let (page, next) = page::take(numbers.filter(found), limit);
        let next = next.map(|number| page::cursor(question, number));
        let entries = page.into_iter().filter_map(|number| self.at(number)).map(LoggedChange::view).collect();
        Ok(AuditPage { entries, here, next })
    }

    fn at(&self, number: usize) -> Option<&LoggedChange> {
        self.entries.get(number.checked_sub(self.first)?)
    }
}

/// A condition on an audit log entry, used in search filters.
enum Condition {
    ActionIs(OneOf),
    ActionContains(String),
    ObjectIs(OneOf),
    After(Timestamp),
    Before(Timestamp),
    Between(Timestamp, Timestamp),
}

impl Condition {
    fn read(field: &str, operator: &str, raw: &RawFilter) -> Result<Self, ApiError> {
        let time = |text: &String| -> Result<Timestamp, ApiError> {
            text.parse().map_err(|_| ApiError::bad_request("times are written as in RFC 3339"))
        };
        let condition = match (field, operator) {
            ("action", "string_contains") => Some(Self::ActionContains(raw.value()?.clone())),
            ("action", _) => OneOf::read(operator, raw)?.map(Self::ActionIs),
            ("object_id", _) => OneOf::read(operator, raw)?.map(Self::ObjectIs),
            ("action_happened_at", "time_is_after") => Some(Self::After(time(raw.value()?)?)),
            ("action_happened_at", "time_is_before") => Some(Self::Before(time(raw.value()?)?)),
            ("action_happened_at", "time_range") => match raw.values()? {
                [from, until] => Some(Self::Between(time(from)?, time(until)?)),
                _ => return Err(ApiError::bad_request("time_range needs two values")),
            },
            ("action_happened_at", _) => None,
            _ => return Err(ApiError::bad_request(format!("unknown filter field {field}"))),
        };
        condition.ok_or_else(|| ApiError::bad_request("unknown operator for this field"))
    }

    fn holds(&self, entry: &LoggedChange) -> bool {
        match self {
            Self::ActionIs(values) => values.holds(std::iter::once(entry.action.as_str())),
            Self::ActionContains(part) => entry.action.contains(part.as_str()),
            Self::ObjectIs(values) => values.holds(std::iter::once(entry.object_id.as_str())),
            Self::After(time) => entry.happened_at > *time,
            Self::Before(time) => entry.happened_at < *time,
            Self::Between(from, until) => (*from..=*until).contains(&entry.happened_at),
        }
    }
}
