//! Implements paging with opaque cursors, for which the server doesn't store any state.
//!
//! A client that follows the cursors gets each item exactly once. A cursor that is forged or belongs to another query is
//! rejected.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Serialize;

use super::identifiers::mix;
use super::message::ApiError;
use super::organization::Api;

/// The page size of a search that doesn't specify a `limit`.
const DEFAULT_LIMIT: i64 = 100;
/// The maximum `limit` of a search. Pylon's API reference contradicts itself: it says "Greater than 0 and less than 1000" in
/// one place and allows 1000 in another. The sandbox rejects 1000.
const MAX_LIMIT: i64 = 999;

/// The `pagination` object of a list response.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub(super) struct Pagination {
    cursor: String,
    pub(super) has_next_page: bool,
}

impl Pagination {
    /// Returns the `pagination` of a page. `next_cursor` is `None` on the last page, which has no `pagination` in October 2026
    /// and an empty one in earlier API versions.
    pub(super) fn new(next_cursor: Option<String>, api: Api) -> Option<Self> {
        match (next_cursor, api) {
            (Some(cursor), _) => Some(Self { cursor, has_next_page: true }),
            (None, Api::October2026) => None,
            (None, Api::April2026 | Api::July2026) => {
                Some(Self { cursor: String::new(), has_next_page: false })
            }
        }
    }
}

/// Returns the page size for the `limit` in a request body, or an error if the limit is out of range.
pub(super) fn limit(asked: Option<i64>) -> Result<usize, ApiError> {
    let limit = asked.unwrap_or(DEFAULT_LIMIT);
    usize::try_from(limit).ok().filter(|_| (1..=MAX_LIMIT).contains(&limit)).ok_or_else(|| {
        ApiError::bad_request(format!("limit must be greater than 0 and less than {}", MAX_LIMIT + 1))
    })
}

/// Hashes a query. A cursor is valid only for queries with the same hash.
pub(super) fn question(asked: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    asked.hash(&mut hasher);
    hasher.finish()
}

/// Encodes a position in the results of a query as a cursor.
pub(super) fn cursor(question: u64, position: usize) -> String {
    let hidden = position as u64 ^ mix(question);
    format!("{hidden:016x}{:016x}", mix(hidden ^ question.rotate_left(17)))
}

/// Decodes a cursor into a position in the results. Returns `None` if the cursor is omitted or empty, which means the first page.
pub(super) fn position(question: u64, sent: Option<&str>) -> Result<Option<usize>, ApiError> {
    let Some(text) = sent.filter(|text| !text.is_empty()) else { return Ok(None) };
    text.get(..16)
        .and_then(|hidden| u64::from_str_radix(hidden, 16).ok())
        .and_then(|hidden| usize::try_from(hidden ^ mix(question)).ok())
        .filter(|position| cursor(question, *position) == text)
        .map(Some)
        .ok_or_else(|| ApiError::bad_request("the cursor is not valid for this request"))
}

/// Returns the first `limit` items and, if there are more, the next item, where the next page starts.
pub(super) fn take(mut items: impl Iterator<Item = usize>, limit: usize) -> (Vec<usize>, Option<usize>) {
    let page = items.by_ref().take(limit).collect();
    (page, items.next())
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_cursor_works_only_for_the_query_that_it_was_given_for() {
        for at in [0, 1, 999, usize::MAX] {
            let text = cursor(question(&"a"), at);
            assert_eq!(position(question(&"a"), Some(&text)), Ok(Some(at)));
            assert!(position(question(&"b"), Some(&text)).is_err());
        }
        assert_eq!(position(1, None), Ok(None));
        assert_eq!(position(1, Some("")), Ok(None));
        for made_up in
            ["x", "0123456789abcdef0123456789abcdef", "ééééééééé", "0123456789abcdeé0123456789abcdef"]
        {
            assert!(position(1, Some(made_up)).is_err(), "{made_up}");
        }
    }

    #[test]
    fn a_page_limit_is_between_1_and_999_and_100_by_default() {
        assert_eq!(limit(None), Ok(100));
        assert_eq!(limit(Some(1)), Ok(1));
        assert_eq!(limit(Some(999)), Ok(999));
        for wrong in [0, -1, 1000, 1001, i64::MAX, i64::MIN] {
            assert!(limit(Some(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_page_has_a_next_position_only_if_items_remain() {
        assert_eq!(take(0..3, 2), (vec![0, 1], Some(2)));
        assert_eq!(take(0..2, 2), (vec![0, 1], None));
        assert_eq!(take(0..0, 2), (vec![], None));
    }
}
