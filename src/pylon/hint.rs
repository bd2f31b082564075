//! Parses the delay requested by a server, from Pylon's `X-Retry-After` or from either form of `Retry-After` (RFC 9110,
//! 10.2.3).

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

/// The maximum delay that a header can give as a number of seconds. Longer delays are shortened so that adding one to a time
/// can't overflow.
const LONGEST_WAIT: u64 = u32::MAX as u64;

/// Returns the longest valid delay in a response's headers. A date is measured against the response's `Date` header, so that this
/// machine's clock doesn't matter. If there's no such header, the date is measured against `now`.
pub(super) fn wait(
    x_retry_after: Option<&str>,
    retry_after: Option<&str>,
    date: Option<&str>,
    now: Timestamp,
) -> Option<Duration> {
    let seconds = |text: &str| {
        let text = text.trim();
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| Duration::from_secs(text.parse().unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT)))
    };
    let until = |text: &str| {
        let from = date.and_then(http_date).unwrap_or(now);
        let span = http_date(text)?.duration_since(from);
        Some(Duration::try_from(span).unwrap_or(Duration::ZERO))
    };
    let hints = [x_retry_after, retry_after].into_iter().flatten();
    hints.filter_map(|hint| seconds(hint).or_else(|| until(hint))).max()
}

/// Parses an HTTP date (RFC 9110, 5.6.7).
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    static PARSER: DateTimeParser = DateTimeParser::new();
    PARSER.parse_timestamp(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn the_longest_valid_hint_counts_and_invalid_ones_are_ignored() {
        let now: Timestamp = "2026-11-01T12:00:00Z".parse().unwrap();
        let date = "Sun, 01 Nov 2026 11:00:00 GMT";
        let later = "Sun, 01 Nov 2026 11:00:30 GMT";
        for (x, plain, date, expected) in [
            (Some("7"), None, None, Some(7)),
            (Some("7"), Some("12"), None, Some(12)),
            (Some("soon"), Some(" 3 "), None, Some(3)),
            (Some("-1"), Some("1.5"), None, None),
            (None, Some(later), Some(date), Some(30)),
            (None, Some(date), Some(later), Some(0)),
            (None, Some("Sun, 01 Nov 2026 12:00:09 GMT"), None, Some(9)),
            (Some("99999999999999999999"), None, None, Some(LONGEST_WAIT)),
            (Some("18446744073709551615"), None, None, Some(LONGEST_WAIT)),
            (None, None, None, None),
        ] {
            assert_eq!(
                wait(x, plain, date, now),
                expected.map(Duration::from_secs),
                "{x:?} {plain:?} {date:?}"
            );
        }
    }
}
