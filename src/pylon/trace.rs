//! Writes the output of `-v` to standard error, with a line for each request and each wait. The output never contains the token.
//! Response bodies are omitted. Only errors and the beginning of an unexpected body are shown, as the reason for a wait.
//!
//! ```text
//! 12:04:05.123  PATCH /users/5f0c  429 after 41 ms, attempt 1, request 7d2a
//! 12:04:05.124  waiting 8.2 s: PATCH /users/5f0c returned 429 rate_limited (request 7d2a)
//! ```

use std::time::Duration;

use super::exchange::Incoming;
use super::failure::{Failure, FailureCause};
use crate::clock::Clock;
use crate::printable::Printable;

#[derive(Debug, Clone, Copy)]
pub struct Trace {
    clock: Clock,
    /// The function that writes a line, or `None` without `-v`.
    write: Option<fn(&str)>,
}

impl Trace {
    /// Creates a trace that passes each line to `write`, prefixed with the time from `clock`. If `write` is `None`, tracing is
    /// off.
    pub fn new(clock: Clock, write: Option<fn(&str)>) -> Self {
        Self { clock, write }
    }

    pub fn is_on(self) -> bool {
        self.write.is_some()
    }

    /// Logs a pause in sending and the reason for it.
    pub fn wait(self, wait: Duration, why: &str) {
        self.line(&format!("waiting {}.{} s: {why}", wait.as_secs(), wait.subsec_millis() / 100));
    }

    /// Writes a line prefixed with the time of day.
    pub fn line(self, text: &str) {
        if let Some(write) = self.write {
            write(&format!("{}  {text}", self.clock.time_of_day_in_milliseconds()));
        }
    }
}

/// Formats the line about the result of a request. `hide` removes the token from untrusted text.
pub(super) fn request(
    asked: &str,
    came: &Result<Incoming, FailureCause>,
    took: Duration,
    attempt: u32,
    hide: impl Fn(String) -> String,
) -> String {
    let took = took.as_millis();
    match came {
        Ok(Incoming { status, request_id, cut, .. }) => {
            let id = request_id
                .clone()
                .map_or_else(String::new, |id| format!(", request {}", Printable::cut(&hide(id), 60)));
            let cut = if cut.is_some() { ", incomplete body" } else { "" };
            format!("{asked}  {status} after {took} ms, attempt {attempt}{id}{cut}")
        }
        Err(cause) => {
            let failure = Failure { asked: asked.to_owned(), cause: cause.clone(), request_id: None };
            format!("{}, after {took} ms, attempt {attempt}", hide(failure.line()))
        }
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_line_has_the_status_the_milliseconds_the_attempt_and_the_request_id() {
        let line = |came| {
            request("GET /me", &came, Duration::from_millis(41), 2, |text| text.replace("secret", "[token]"))
        };
        let answered =
            Incoming { status: 429, request_id: Some("secret\n7d2a".into()), ..Incoming::default() };
        assert_eq!(line(Ok(answered)), "GET /me  429 after 41 ms, attempt 2, request [token]\\u{a}7d2a");
        assert_eq!(
            line(Ok(Incoming {
                status: 200,
                cut: Some(FailureCause::NoAnswer(String::new())),
                ..Incoming::default()
            })),
            "GET /me  200 after 41 ms, attempt 2, incomplete body"
        );
        assert_eq!(
            line(Err(FailureCause::NoAnswer("secret reset".into()))),
            "GET /me got no response: [token] reset, after 41 ms, attempt 2"
        );
    }
}
