//! What goes in and comes out of the pure world: a request, a response, and the two envelopes of Pylon's answers.
//!
//! Guarantees that every refusal is one of the documented codes with its status, in the envelope of the chosen era.
//! Leaves to `world` when to refuse, and to `server` how bytes travel.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de::Error};

use super::state::Api;

/// The largest request body that is read; above it the answer is 413 `payload_too_large`.
pub const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;

/// For a key that may be left out and may not be `null`: the description has no type for that.
pub(super) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A whole number, also where it is written as `231.0`: JSON Schema calls that an integer.
pub(super) fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let number = serde_json::Number::deserialize(deserializer)?;
    #[allow(clippy::cast_possible_truncation, reason = "whole and far inside the range")]
    let whole = |float: f64| (float.fract() == 0.0 && float.abs() < 1e15).then_some(float as i64);
    let integer = number.as_i64().or_else(|| number.as_f64().and_then(whole));
    integer.map(Some).ok_or_else(|| D::Error::custom("a whole number is expected"))
}

/// One HTTP request, as far as the world cares.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`, `PATCH`, …, in capitals.
    pub method: String,
    /// The path without the query, such as `/users/search`.
    pub path: String,
    /// What follows the `?`, undecoded; empty when there is none.
    pub query: String,
    /// The value of the `Authorization` header.
    pub authorization: Option<String>,
    /// The raw body.
    pub body: Vec<u8>,
}

impl fmt::Debug for Request {
    /// Without the token, and without a body that may be megabytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, path, query, authorization, body } = self;
        let token = if authorization.is_some() { "with" } else { "without" };
        write!(f, "{method} {path}?{query} {token} Authorization, {} bytes", body.len())
    }
}

impl Request {
    /// A request without query, token or body.
    pub fn new(method: &str, path: &str) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), ..Self::default() }
    }

    /// The same with a query string, without its `?`.
    #[must_use]
    pub fn query(mut self, query: &str) -> Self {
        query.clone_into(&mut self.query);
        self
    }

    /// The same with `Authorization: Bearer <token>`.
    #[must_use]
    pub fn token(mut self, token: &str) -> Self {
        self.authorization = Some(format!("Bearer {token}"));
        self
    }

    /// The same with a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

/// One HTTP response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Header names in the spelling they are sent in, `Content-Type` included.
    pub headers: Vec<(&'static str, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Response {
    /// A response with a body of the given type.
    pub(super) fn new(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        Self { status, headers: vec![("Content-Type", content_type.to_owned())], body }
    }

    /// Adds the header that every response of Pylon itself carries. A gateway in front of it does not know the ID.
    pub(super) fn with_request_id(mut self, request_id: &str) -> Self {
        self.headers.push(("X-Pylon-Request-ID", request_id.to_owned()));
        self
    }

    /// The value of a header, found without regard to case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// The documented error codes that the sandbox can answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    InvalidAuthorizationHeader,
    InvalidApiToken,
    WrongRegionToken,
    OrganizationDeactivated,
    OrganizationSuspended,
    PermissionDenied,
    RateLimited,
    NotFound,
    MethodNotAllowed,
    PayloadTooLarge,
    InvalidRequestBody,
    InternalError,
}

impl Code {
    /// Every one.
    #[cfg(test)]
    pub(super) const ALL: [Self; 12] = crate::every::every!(
        Code: InvalidAuthorizationHeader,
        InvalidApiToken,
        WrongRegionToken,
        OrganizationDeactivated,
        OrganizationSuspended,
        PermissionDenied,
        RateLimited,
        NotFound,
        MethodNotAllowed,
        PayloadTooLarge,
        InvalidRequestBody,
        InternalError
    );

    /// The identifier in the envelope and the HTTP status that goes with it.
    pub(super) fn wire(self) -> (&'static str, u16) {
        match self {
            Self::InvalidAuthorizationHeader => ("invalid_authorization_header", 401),
            Self::InvalidApiToken => ("invalid_api_token", 401),
            Self::WrongRegionToken => ("wrong_region_token", 401),
            Self::OrganizationDeactivated => ("organization_deactivated", 403),
            Self::OrganizationSuspended => ("organization_suspended", 403),
            Self::PermissionDenied => ("permission_denied", 403),
            Self::RateLimited => ("rate_limited", 429),
            Self::NotFound => ("not_found", 404),
            Self::MethodNotAllowed => ("method_not_allowed", 405),
            Self::PayloadTooLarge => ("payload_too_large", 413),
            Self::InvalidRequestBody => ("invalid_request_body", 400),
            Self::InternalError => ("internal_error", 500),
        }
    }
}

/// An answer that is an error: status, code if one is documented, one sentence, and headers that belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    status: u16,
    code: Option<&'static str>,
    text: String,
    headers: Vec<(&'static str, String)>,
}

impl Refusal {
    pub(super) fn new(code: Code, text: impl Into<String>) -> Self {
        let (identifier, status) = code.wire();
        Self { status, code: Some(identifier), text: text.into(), headers: Vec::new() }
    }

    /// For a status whose code nobody has documented.
    pub(super) fn without_code(status: u16, text: &str) -> Self {
        Self { status, code: None, text: text.to_owned(), headers: Vec::new() }
    }

    pub(super) fn bad_request(text: impl Into<String>) -> Self {
        Self::new(Code::InvalidRequestBody, text)
    }

    pub(super) fn with_header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The envelope. Before October 2026 it has no `code`.
    pub(super) fn into_response(self, api: Api, request_id: &str) -> Response {
        #[derive(Serialize)]
        struct Envelope<'a> {
            errors: [&'a str; 1],
            request_id: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            code: Option<&'static str>,
        }
        let code = match api {
            Api::October2026 => self.code,
            Api::April2026 | Api::July2026 => None,
        };
        let body = json(&Envelope { errors: [&self.text], request_id, code });
        let mut response = Response::new(self.status, "application/json", body).with_request_id(request_id);
        response.headers.extend(self.headers);
        response
    }
}

/// The envelope of every success. `data` and `pagination` are omitted if they are `None`; only list responses omit `data`.
#[derive(Serialize)]
pub(super) struct Success<'a, T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pagination: Option<Pagination>,
    pub(super) request_id: &'a str,
}

/// Where the next page starts.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub(super) struct Pagination {
    cursor: String,
    has_next_page: bool,
}

impl Pagination {
    /// Whether there is a next page.
    pub(super) fn has_next_page(&self) -> bool {
        self.has_next_page
    }

    /// The last page has none in October 2026, and an empty one before.
    pub(super) fn of(next_cursor: Option<String>, api: Api) -> Option<Self> {
        match (next_cursor, api) {
            (Some(cursor), _) => Some(Self { cursor, has_next_page: true }),
            (None, Api::October2026) => None,
            (None, Api::April2026 | Api::July2026) => {
                Some(Self { cursor: String::new(), has_next_page: false })
            }
        }
    }
}

/// Serialises into bytes. The sandbox's own types have string keys and no failing serializer, so the fallback is unreachable.
pub(super) fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// A UUID-shaped identifier made of 128 given bits (version 4's digits, for those who look).
pub(super) fn uuid(bits: u128) -> String {
    let bits = (bits & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// Mixes a number well (splitmix64), so that identifiers made from a counter do not look like one.
pub(super) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The `number`th identifier of a series.
pub(super) fn uuid_in_series(series: u64, number: u64) -> String {
    let high = mix(series.wrapping_add(number));
    uuid((u128::from(high) << 64) | u128::from(mix(high ^ number)))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn an_error_has_a_code_only_since_october() {
        let refusal = Refusal::new(Code::NotFound, "no such user");
        let text = |api| String::from_utf8(refusal.clone().into_response(api, "r1").body).unwrap();
        assert_eq!(
            text(Api::October2026),
            r#"{"errors":["no such user"],"request_id":"r1","code":"not_found"}"#
        );
        assert_eq!(text(Api::July2026), r#"{"errors":["no such user"],"request_id":"r1"}"#);
    }

    #[test]
    fn identifiers_have_the_shape_of_a_uuid_and_differ() {
        let ids: std::collections::HashSet<_> = (0..10_000).map(|n| uuid_in_series(7, n)).collect();
        assert_eq!(ids.len(), 10_000);
        for id in ids {
            assert_eq!(id.len(), 36);
            assert_eq!(id.as_bytes()[14], b'4', "{id}");
            assert!(matches!(id.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{id}");
        }
    }

    #[test]
    fn headers_are_found_in_any_case() {
        let response = Response::new(200, "text/plain", Vec::new());
        assert_eq!(response.header("content-TYPE"), Some("text/plain"));
        assert_eq!(response.header("x-other"), None);
    }
}
