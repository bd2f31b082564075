//! One exchange without its socket: what a request looks like when it leaves, and what an answer means once it is here.
//!
//! Pure. The client only sends and receives; a simulation puts a world in the place of the socket, and goes through
//! this very code. The JSON is `wire`'s, and what a failure means is [`super::failure`]'s.

use jiff::Timestamp;

use super::failure::{Failure, Intermediary, Refusal, SHOWN_BODY, Trouble, WrongShape};
use super::request::{Answer, Attempt, ReadRequest};
use super::{hint, wire};
use crate::observed::{Person, UserId};
use crate::plan::Patch;

/// A request, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// `GET`, `POST` or `PATCH`.
    pub method: &'static str,
    /// Relative to the base URL, without a slash before it.
    pub path: String,
    /// Names and values, not encoded yet.
    pub query: Vec<(&'static str, String)>,
    /// JSON, where there is a body.
    pub body: Option<Vec<u8>>,
}

/// An answer that has come: its status, the headers that matter, and the body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Incoming {
    /// The HTTP status.
    pub status: u16,
    /// `X-Rate-Limit-Remaining`
    pub remaining: Option<String>,
    /// `X-Retry-After`
    pub x_retry_after: Option<String>,
    /// `Retry-After`
    pub retry_after: Option<String>,
    /// `Date`
    pub date: Option<String>,
    /// `X-Pylon-Request-ID`
    pub request_id: Option<String>,
    /// `Server`
    pub server: Option<String>,
    /// The body, or as much of it as arrived.
    pub body: Vec<u8>,
    /// Why the rest of the body did not arrive; `None` if it is complete.
    pub cut: Option<Trouble>,
}

impl Outgoing {
    /// The request that reads.
    pub fn read(request: &ReadRequest) -> Self {
        let get = |path: String| Self { method: "GET", path, query: Vec::new(), body: None };
        match request {
            ReadRequest::Me => get("me".into()),
            ReadRequest::Roles { cursor } => {
                let cursor = cursor.clone().map(|cursor| ("cursor", cursor));
                Self { query: cursor.into_iter().collect(), ..get("user-roles".into()) }
            }
            ReadRequest::Listing { deactivated, cursor } => {
                let deactivated = deactivated.then(|| ("include_deactivated", "true".to_owned()));
                let cursor = cursor.clone().map(|cursor| ("cursor", cursor));
                Self { query: deactivated.into_iter().chain(cursor).collect(), ..get("users".into()) }
            }
            ReadRequest::Search { emails, limit, cursor } => {
                let body = wire::search_body(emails, *limit, cursor.as_deref());
                Self { method: "POST", body: Some(body), ..get("users/search".into()) }
            }
            ReadRequest::Person(id) => get(format!("users/{}", id.as_str())),
            ReadRequest::AuditLog { people, limit, cursor } => {
                let body = wire::audit_body(people, *limit, cursor.as_deref());
                Self { method: "POST", body: Some(body), ..get("audit-logs/search".into()) }
            }
        }
    }

    /// `PATCH /users/{id}`
    pub fn patch(id: &UserId, patch: &Patch) -> Self {
        Self {
            method: "PATCH",
            path: format!("users/{}", id.as_str()),
            query: Vec::new(),
            body: Some(wire::patch_body(patch)),
        }
    }
}

/// What came of asking `request`. `now` is for servers that give a date to wait for and none of their own.
pub fn read(request: &ReadRequest, came: Result<Incoming, Trouble>, now: Timestamp) -> Attempt<Answer> {
    attempt(request.asked(), came, now, |body| wire::decode(request, body))
}

/// What came of patching `id`: the person as they are afterwards.
pub fn patched(id: &UserId, came: Result<Incoming, Trouble>, now: Timestamp) -> Attempt<Person> {
    let asked = format!("PATCH /users/{}", id.as_str());
    attempt(asked, came, now, |body| wire::decode_person(id, body))
}

fn attempt<T>(
    asked: String,
    came: Result<Incoming, Trouble>,
    now: Timestamp,
    decode: impl FnOnce(&[u8]) -> Result<T, Trouble>,
) -> Attempt<T> {
    let incoming = match came {
        Ok(incoming) => incoming,
        Err(trouble) => {
            let result = Err(Failure { asked, trouble, request_id: None });
            return Attempt { result, remaining: None, date: None };
        }
    };
    let remaining = incoming.remaining.as_ref().and_then(|remaining| remaining.trim().parse().ok());
    let date = incoming.date.as_deref().and_then(hint::http_date);
    let result = match (incoming.status, &incoming.cut) {
        (200, None) => decode(&incoming.body).map_err(|trouble| with_body(trouble, &incoming.body)),
        (200..=299, Some(trouble)) => Err(trouble.clone()),
        // Any other success is not a complete response: 206 is a part of one, 202 says that nothing was done yet.
        (201..=299, None) => {
            let why = format!("the status is {}", incoming.status);
            Err(with_body(WrongShape::trouble("the status 200", why), &incoming.body))
        }
        _ => Err(refusal(&incoming, now).into()),
    };
    let result = result.map_err(|trouble| Failure { asked, trouble, request_id: request_id(&incoming) });
    Attempt { result, remaining, date }
}

/// The request ID of the body, or else that of the header, which every response of Pylon's has.
fn request_id(incoming: &Incoming) -> Option<String> {
    let of_body = wire::error(&incoming.body).and_then(|envelope| envelope.request_id);
    of_body.or_else(|| incoming.request_id.clone())
}

/// A failure to read a body shows how the body begins.
fn with_body(trouble: Trouble, body: &[u8]) -> Trouble {
    match trouble {
        Trouble::WrongShape(wrong) => {
            // A character has at most four bytes.
            let start = &body[..body.len().min(SHOWN_BODY * 4)];
            Trouble::WrongShape(WrongShape { body: String::from_utf8_lossy(start).into_owned(), ..wrong })
        }
        other => other,
    }
}

fn refusal(incoming: &Incoming, now: Timestamp) -> Refusal {
    let Incoming { status, x_retry_after, retry_after, date, server, body, .. } = incoming;
    let hint = hint::wait(x_retry_after.as_deref(), retry_after.as_deref(), date.as_deref(), now);
    let refusal = Refusal { status: *status, hint, ..Refusal::default() };
    match wire::error(body).filter(wire::WireError::is_pylons) {
        Some(wire::WireError { errors, code, .. }) => {
            Refusal { code, errors: errors.unwrap_or_default(), ..refusal }
        }
        None => {
            let text = first_line(&String::from_utf8_lossy(body));
            Refusal { intermediary: Some(Intermediary { server: server.clone(), text }), ..refusal }
        }
    }
}

/// The first line of a page that has text: proxies answer in HTML, whose tags say nothing.
fn first_line(page: &str) -> String {
    let mut text = String::new();
    let mut is_tag = false;
    for character in page.chars() {
        match character {
            '<' => is_tag = true,
            '>' => is_tag = false,
            _ if !is_tag => text.push(character),
            _ => {}
        }
    }
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::pylon::Failure;

    fn failure(incoming: Incoming) -> Failure {
        read(&ReadRequest::Me, Ok(incoming), Timestamp::UNIX_EPOCH).result.unwrap_err()
    }

    fn intermediary(status: u16, body: &str) -> Option<Intermediary> {
        let failure = failure(Incoming {
            status,
            server: Some("nginx".into()),
            body: body.into(),
            ..Incoming::default()
        });
        match failure.trouble {
            Trouble::Refused(refusal) => refusal.intermediary,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_error_without_pylons_envelope_comes_from_something_in_front_of_pylon() {
        for (body, text) in [
            ("<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>x</body></html>", "403 Forbidden"),
            ("\n  upstream connect error\nmore", "upstream connect error"),
            ("", ""),
            ("<html></html>", ""),
            (r#"{"message":"Forbidden"}"#, r#"{"message":"Forbidden"}"#),
            (r#"{"code":"AccessDenied"}"#, r#"{"code":"AccessDenied"}"#),
            (r#"["errors"]"#, r#"["errors"]"#),
        ] {
            let expected = Intermediary { server: Some("nginx".into()), text: text.into() };
            assert_eq!(intermediary(403, body), Some(expected), "{body}");
        }
        for body in [r#"{"errors":[]}"#, r#"{"errors":null,"request_id":"r"}"#, r#"{"request_id":"r"}"#] {
            assert_eq!(intermediary(403, body), None, "{body}");
        }
    }

    #[test]
    fn the_request_id_comes_from_the_body_or_else_from_the_header() {
        let with_header = |status, body: &str| {
            let request_id = Some("of the header".to_owned());
            failure(Incoming { status, request_id, body: body.into(), ..Incoming::default() }).request_id
        };
        for status in [200, 403, 500] {
            assert_eq!(
                with_header(status, r#"{"request_id":"of the body"}"#).as_deref(),
                Some("of the body")
            );
            assert_eq!(with_header(status, "<html>").as_deref(), Some("of the header"), "{status}");
        }
        let cut = failure(Incoming {
            status: 200,
            request_id: Some("r".into()),
            cut: Some(Trouble::NoAnswer("it broke off".into())),
            ..Incoming::default()
        });
        assert_eq!(cut.line(), "GET /me got no answer: it broke off (request r)");
    }

    #[test]
    fn only_the_status_200_is_a_complete_response() {
        let body = br#"{"data":{"id":"org_1"},"request_id":"r"}"#;
        for status in [200, 201, 202, 203, 204, 206, 299] {
            let incoming = Incoming { status, body: body.to_vec(), ..Incoming::default() };
            let result = read(&ReadRequest::Me, Ok(incoming), Timestamp::UNIX_EPOCH).result;
            assert_eq!(result.is_ok(), status == 200, "{status}: {result:?}");
        }
    }
}
