//! Converts a response into the result of its request.
//!
//! `client` handles the I/O, so a simulation can run this module against a simulated server.

use jiff::Timestamp;

use super::failure::{Failure, FailureCause, Intermediary, Refusal, SHOWN_BODY, WrongShape};
use super::request::{Attempt, Request};
use super::{hint, wire};

/// A response: the status, the relevant headers, and the body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Incoming {
    pub status: u16,
    /// The unparsed value of the `X-Rate-Limit-Remaining` header, if present.
    pub remaining: Option<String>,
    pub x_retry_after: Option<String>,
    pub retry_after: Option<String>,
    pub date: Option<String>,
    pub request_id: Option<String>,
    pub server: Option<String>,
    /// The body, or the part of it that arrived.
    pub body: Vec<u8>,
    /// The reason the body is incomplete, or `None` if it was received in full.
    pub cut: Option<FailureCause>,
}

/// Converts the response to `request` into a result. `now` is used only if the server asks for a pause until a certain date
/// without sending a `Date` header.
pub fn attempt<R: Request>(
    request: &R,
    came: Result<Incoming, FailureCause>,
    now: Timestamp,
) -> Attempt<R::Response> {
    let asked = request.outgoing().asked();
    let incoming = match came {
        Ok(incoming) => incoming,
        Err(cause) => return Attempt::failed(Failure { asked, cause, request_id: None }),
    };
    let remaining = incoming.remaining.as_ref().and_then(|remaining| remaining.trim().parse().ok());
    let date = incoming.date.as_deref().and_then(hint::http_date);
    let result = match (incoming.status, &incoming.cut) {
        (200, None) => request.decode(&incoming.body).map_err(|cause| with_body(cause, &incoming.body)),
        (200..=299, Some(cause)) => Err(cause.clone()),
        // Only a 200 counts as a complete response. (A 206 is partial content, for example, and a 202 means that the request hasn't
        // been carried out yet.)
        (201..=299, None) => {
            let why = format!("the status is {}", incoming.status);
            Err(with_body(WrongShape::cause("the status 200", why), &incoming.body))
        }
        _ => Err(refusal(&incoming, now).into()),
    };
    let result = result.map_err(|cause| Failure { asked, cause, request_id: request_id(&incoming) });
    Attempt { result, remaining, date }
}

/// Returns the request ID from the body, falling back to the `X-Pylon-Request-Id` header, which every Pylon response has.
fn request_id(incoming: &Incoming) -> Option<String> {
    let of_body = wire::error(&incoming.body).and_then(|envelope| envelope.request_id);
    of_body.or_else(|| incoming.request_id.clone())
}

/// Adds the beginning of the body to a [`FailureCause::WrongShape`].
fn with_body(cause: FailureCause, body: &[u8]) -> FailureCause {
    match cause {
        FailureCause::WrongShape(wrong) => {
            // Keep enough bytes for `SHOWN_BODY` characters of UTF-8, at up to four bytes each.
            let start = &body[..body.len().min(SHOWN_BODY * 4)];
            FailureCause::WrongShape(WrongShape {
                body: String::from_utf8_lossy(start).into_owned(),
                ..wrong
            })
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

/// The HTML tags that don't end a line.
const INLINE: [&str; 9] = ["a", "b", "code", "em", "font", "i", "small", "span", "strong"];

/// Returns the first non-empty line of a page after removing its HTML tags, styles, and scripts. Proxies tend to respond with HTML,
/// and the markup would only clutter the error.
fn first_line(page: &str) -> String {
    let (mut text, mut rest) = (String::new(), page);
    while let Some((before, from_tag)) = rest.split_once('<') {
        let (tag, after) = from_tag.split_once('>').unwrap_or((from_tag, ""));
        let name = tag.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        text += before;
        if !INLINE.contains(&name.trim_start_matches('/')) {
            text.push('\n');
        }
        let has_code = name == "style" || name == "script";
        let end_of_code = || after.to_ascii_lowercase().find(&format!("</{name}"));
        rest = if has_code { end_of_code().map_or("", |end| &after[end..]) } else { after };
    }
    text += rest;
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::pylon::Failure;
    use crate::pylon::request::Me;

    fn failure(incoming: Incoming) -> Failure {
        attempt(&Me, Ok(incoming), Timestamp::UNIX_EPOCH).result.unwrap_err()
    }

    fn intermediary(status: u16, body: &str) -> Option<Intermediary> {
        let failure = failure(Incoming {
            status,
            server: Some("nginx".into()),
            body: body.into(),
            ..Incoming::default()
        });
        match failure.cause {
            FailureCause::Refused(refusal) => refusal.intermediary,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_error_in_another_format_comes_from_an_intermediary() {
        for (body, text) in [
            ("<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>x</body></html>", "403 Forbidden"),
            ("\n  upstream connect error\nmore", "upstream connect error"),
            ("", ""),
            ("<html></html>", ""),
            (
                "<title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1>",
                "502 Bad Gateway",
            ),
            (
                "<head><STYLE type=x>body{margin:0}</STYLE>\n<script>a<b</script><title>Blocked</title>",
                "Blocked",
            ),
            ("<p>Access <B>denied</B> by <a href='x'>policy</a></p>", "Access denied by policy"),
            ("<script>document.write(\"<b>x</b>\");</script><title>Access denied</title>", "Access denied"),
            ("no markup", "no markup"),
            ("<unclosed", ""),
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
            cut: Some(FailureCause::NoAnswer("it broke off".into())),
            ..Incoming::default()
        });
        assert_eq!(cut.line(), "GET /me got no response: it broke off (request r)");
    }

    #[test]
    fn only_the_status_200_is_a_complete_response() {
        let body = br#"{"data":{"id":"org_1"},"request_id":"r"}"#;
        for status in [200, 201, 202, 203, 204, 206, 299] {
            let incoming = Incoming { status, body: body.to_vec(), ..Incoming::default() };
            let result = attempt(&Me, Ok(incoming), Timestamp::UNIX_EPOCH).result;
            assert_eq!(result.is_ok(), status == 200, "{status}: {result:?}");
        }
    }
}
