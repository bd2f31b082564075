//! Pages and their cursors: opaque, bound to the question they were given for, and without memory on the server.
//!
//! Guarantees that following cursors visits each item once, and that a made-up or borrowed cursor is recognised.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::message::{Refusal, mix};

/// The page size of a search that names none.
const DEFAULT_LIMIT: i64 = 100;
/// "Greater than 0 and less than 1000"; another page of the reference says 1000, which is refused here.
const MAX_LIMIT: i64 = 999;

/// The page size that a body asks for.
pub(super) fn limit(asked: Option<i64>) -> Result<usize, Refusal> {
    let limit = asked.unwrap_or(DEFAULT_LIMIT);
    usize::try_from(limit).ok().filter(|_| (1..=MAX_LIMIT).contains(&limit)).ok_or_else(|| {
        Refusal::bad_request(format!("limit must be greater than 0 and less than {}", MAX_LIMIT + 1))
    })
}

/// What a cursor is bound to: the question, reduced to a number.
pub(super) fn question(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// Where to go on, as text.
pub(super) fn cursor(question: u64, position: u64) -> String {
    let hidden = position ^ mix(question);
    format!("{hidden:016x}{:016x}", mix(hidden ^ question.rotate_left(17)))
}

/// The position that a cursor stands for; no cursor or an empty one is the beginning.
pub(super) fn position(question: u64, sent: Option<&str>) -> Result<Option<u64>, Refusal> {
    let Some(text) = sent.filter(|text| !text.is_empty()) else { return Ok(None) };
    text.get(..16)
        .and_then(|hidden| u64::from_str_radix(hidden, 16).ok())
        .map(|hidden| hidden ^ mix(question))
        .filter(|position| cursor(question, *position) == text)
        .map(Some)
        .ok_or_else(|| Refusal::bad_request("the cursor is not valid for this request"))
}

/// The first `limit` items, and the position of the one after them.
pub(super) fn take(mut items: impl Iterator<Item = usize>, limit: usize) -> (Vec<usize>, Option<u64>) {
    let page = items.by_ref().take(limit).collect();
    (page, items.next().map(|next| next as u64))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_position_for_the_same_question_only() {
        for at in [0, 1, 999, u64::MAX] {
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
    fn a_limit_lies_between_1_and_999_and_is_100_by_default() {
        assert_eq!(limit(None), Ok(100));
        assert_eq!(limit(Some(1)), Ok(1));
        assert_eq!(limit(Some(999)), Ok(999));
        for wrong in [0, -1, 1000, 1001, i64::MAX, i64::MIN] {
            assert!(limit(Some(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_page_knows_whether_another_follows() {
        assert_eq!(take(0..3, 2), (vec![0, 1], Some(2)));
        assert_eq!(take(0..2, 2), (vec![0, 1], None));
        assert_eq!(take(0..0, 2), (vec![], None));
    }
}
