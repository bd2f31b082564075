//! An error response is classified by Pylon's code and the HTTP status, and pacing follows all hints in the response headers.
//!
//! The first five lines of the input are the status, `X-Retry-After`, `Retry-After`, `Date`, and `X-Rate-Limit-Remaining`. The
//! rest is the response body.

use std::time::Duration;

use pretty_assertions::assert_eq;
use rolecall::observed::Role;
use rolecall::pylon::exchange::{self, Incoming};
use rolecall::pylon::pace::{Feedback, Pacer, SendTime};
use rolecall::pylon::request::{Page, Roles};
use rolecall::pylon::retry::{Failures, GiveUp, LONGEST_HINT, Retries, Retry};
use rolecall::pylon::{Attempt, Class, Failure, FailureCause};
use serde_json::Value;

use super::now;
use crate::harmless::is_harmless;

pub(super) fn holds(data: &[u8]) {
    let mut lines = data.splitn(6, |byte| *byte == b'\n');
    let mut header = || {
        let line = String::from_utf8_lossy(lines.next()?).into_owned();
        Some(line).filter(|line| !line.is_empty())
    };
    let status = header().and_then(|line| line.parse().ok()).unwrap_or(429);
    let (x_retry_after, retry_after, date, remaining) = (header(), header(), header(), header());
    let body = lines.next().unwrap_or_default().to_vec();
    let incoming =
        Incoming { status, remaining, x_retry_after, retry_after, date, body, ..Incoming::default() };
    let attempt = exchange::attempt(&Roles { cursor: None }, Ok(incoming.clone()), now());
    pacing_follows_hint(&attempt);
    let Err(failure) = attempt.result else {
        assert_eq!(status, 200);
        return;
    };
    message_is_harmless(&failure);
    let FailureCause::Refused(refusal) = &failure.cause else {
        assert!(
            matches!(failure.cause, FailureCause::WrongShape(_) | FailureCause::PageWithoutData)
                && (200..300).contains(&status)
        );
        return;
    };
    assert_eq!(refusal.status, status);
    let value = serde_json::from_slice::<Value>(&incoming.body).ok();
    if value.as_ref().is_some_and(|value| !value.is_object()) {
        assert!(
            refusal.code.is_none() && refusal.errors.is_empty() && failure.request_id.is_none(),
            "{refusal:?}"
        );
    }
    // Pylon's code is read even if other parts of the body are invalid, provided that no key is repeated. Skip bodies with
    // escapes because an escape could hide a repeated key.
    let text = std::str::from_utf8(&incoming.body).unwrap_or_default();
    let is_plain = !text.contains('\\')
        && ["errors", "request_id", "code"].iter().all(|key| text.matches(&format!("\"{key}\"")).count() < 2);
    if let Some(value) = value.filter(|_| is_plain) {
        let is_pylons = value.get("errors").is_some() || value["request_id"].is_string();
        assert_eq!(refusal.intermediary.is_none(), is_pylons, "{refusal:?}");
        assert_eq!(refusal.code.as_deref(), value["code"].as_str().filter(|_| is_pylons), "{refusal:?}");
        assert_eq!(failure.request_id.as_deref(), value["request_id"].as_str(), "{refusal:?}");
    }
    // If there's no code from Pylon, only the status determines the class. The same applies to a 5xx status, which can come from
    // a gateway.
    if refusal.code.is_none() || status >= 500 {
        let bare =
            exchange::attempt(&Roles { cursor: None }, Ok(Incoming { status, ..Incoming::default() }), now());
        assert_eq!(bare.result.expect_err("an error").class(), failure.class());
    }
    let asked_for = [&incoming.x_retry_after, &incoming.retry_after];
    let seconds = |text: &str| text.trim().parse::<u32>().ok().filter(|_| !text.contains('+'));
    let least = asked_for.iter().filter_map(|header| seconds(header.as_deref()?)).max();
    assert!(failure.hint() >= least.map(|seconds| Duration::from_secs(seconds.into())), "{failure:?}");
    assert!(failure.hint().is_none() || asked_for.iter().any(|header| header.is_some()), "{failure:?}");
}

fn message_is_harmless(failure: &Failure) {
    let line = failure.line();
    assert!(!line.contains('\n') && line.chars().count() < 6000, "{line}");
    is_harmless(&line);
    assert!(failure.problem(None).help.is_some());
}

/// Checks that the run continues, waits, or stops after the response, and that any wait is at least as long as the server
/// requested.
fn pacing_follows_hint(attempt: &Attempt<Page<Vec<Role>>>) {
    let second = Duration::from_secs(1);
    let mut pacer = Pacer::new(120);
    let mut retries = Retries::new(Duration::ZERO, fastrand::Rng::with_seed(1));
    for round in 1..3 {
        let now = second * round;
        pacer.sent(now);
        pacer.answered(now, now, Feedback::of_attempt(attempt), 999);
        let send_time = pacer.send_time(now);
        pacer.capacity(now, second);
        let Err(failure) = &attempt.result else { continue };
        let mut failed = Failures::default();
        failed.add(failure);
        let retry = retries.retry_read(now, failure, failed);
        let hint = failure.hint().unwrap_or_default();
        match failure.class() {
            Class::Throttled if hint > LONGEST_HINT => assert_eq!(retry, Retry::No(GiveUp::LongPause)),
            Class::Throttled => {
                assert!(matches!(send_time, SendTime::At(at) if at > now + hint), "{send_time:?} {hint:?}");
            }
            Class::NotSent | Class::Ambiguous => assert!(matches!(retry, Retry::At(at) if at >= now)),
            _ => assert_eq!(retry, Retry::No(GiveUp::Final)),
        }
    }
}
