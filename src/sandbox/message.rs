//! Requests and responses, independent of the HTTP library, and the JSON format of Pylon's errors.
//!
//! Errors have the documented codes and statuses, and their format depends on the emulated API version. `world` decides when to
//! reject a request, and `server` converts requests from HTTP and responses to HTTP.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de::Error};

use super::organization::Api;

/// The maximum size of a request body in bytes, beyond which a request is rejected with 413 `payload_too_large`.
pub const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;

/// Deserializes a key that can be omitted but can't be `null`, as specified in the API description.
pub(super) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Deserializes an integer, even if written as `231.0`, which JSON Schema considers an integer.
pub(super) fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let number = serde_json::Number::deserialize(deserializer)?;
    #[allow(clippy::cast_possible_truncation, reason = "whole and far inside the range")]
    let whole = |float: f64| (float.fract() == 0.0 && float.abs() < 1e15).then_some(float as i64);
    let integer = number.as_i64().or_else(|| number.as_f64().and_then(whole));
    integer.map(Some).ok_or_else(|| D::Error::custom("a whole number is expected"))
}

/// The parts of an HTTP request that the sandbox's response depends on.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The method in uppercase, such as `GET`.
    pub method: String,
    /// The path without the query, such as `/users/search`.
    pub path: String,
    /// The raw query string after the `?`, or an empty string if there is none.
    pub query: String,
    /// The value of the `Authorization` header, or `None` if the request doesn't have that header.
    pub authorization: Option<String>,
    pub body: Vec<u8>,
}

impl fmt::Debug for Request {
    /// Omits the token, which is secret, and the body, which may be several megabytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, path, query, authorization, body } = self;
        let token = if authorization.is_some() { "with" } else { "without" };
        write!(f, "{method} {path}?{query} {token} Authorization, {} bytes", body.len())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// All headers including `Content-Type`, in the order they are sent.
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub(super) fn new(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        Self { status, headers: vec![("Content-Type", content_type.to_owned())], body }
    }

    /// Creates a JSON response with a request ID, as sent by Pylon itself but not by a gateway in front of it.
    pub(super) fn of_pylon(status: u16, body: Vec<u8>, request_id: &str) -> Self {
        let mut response = Self::new(status, "application/json", body);
        response.headers.push(("X-Pylon-Request-ID", request_id.to_owned()));
        response
    }
}

/// The documented error codes that the sandbox can return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ErrorCode {
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

impl ErrorCode {
    fn status(self) -> u16 {
        match self {
            Self::InvalidRequestBody => 400,
            Self::InvalidAuthorizationHeader | Self::InvalidApiToken | Self::WrongRegionToken => 401,
            Self::OrganizationDeactivated | Self::OrganizationSuspended | Self::PermissionDenied => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::PayloadTooLarge => 413,
            Self::RateLimited => 429,
            Self::InternalError => 500,
        }
    }
}

/// An API error, independent of the API version until [`Self::into_response`] converts it to a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiError {
    status: u16,
    /// The error code. `None` if no code is documented for this status.
    code: Option<ErrorCode>,
    text: String,
    header: Option<(&'static str, String)>,
}

impl ApiError {
    pub(super) fn new(code: ErrorCode, text: impl Into<String>) -> Self {
        Self { status: code.status(), code: Some(code), text: text.into(), header: None }
    }

    /// Creates an error with a status for which no code is documented.
    pub(super) fn without_code(status: u16, text: &str) -> Self {
        Self { status, code: None, text: text.to_owned(), header: None }
    }

    pub(super) fn bad_request(text: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidRequestBody, text)
    }

    pub(super) fn no_such_user() -> Self {
        Self::new(ErrorCode::NotFound, "there is no user with this id")
    }

    pub(super) fn method_not_allowed(method: &str, allowed: &str) -> Self {
        let text = format!("{method} is not allowed at this path");
        Self { header: Some(("Allow", allowed.to_owned())), ..Self::new(ErrorCode::MethodNotAllowed, text) }
    }

    pub(super) fn rate_limited(seconds: u128) -> Self {
        Self {
            header: Some(("X-Retry-After", seconds.to_string())),
            ..Self::new(ErrorCode::RateLimited, "too many requests")
        }
    }

    /// Converts the error to a response. Before October 2026, the body has no `code`.
    pub(super) fn into_response(self, api: Api, request_id: &str) -> Response {
        #[derive(Serialize)]
        struct ErrorBody<'a> {
            errors: [&'a str; 1],
            request_id: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            code: Option<ErrorCode>,
        }
        let code = match api {
            Api::October2026 => self.code,
            Api::April2026 | Api::July2026 => None,
        };
        let body = to_bytes(&ErrorBody { errors: [&self.text], request_id, code });
        let mut response = Response::of_pylon(self.status, body, request_id);
        response.headers.extend(self.header);
        response
    }
}

/// Serializes a value to JSON. Serialization can't fail because the sandbox's own types have only string keys and infallible
/// serializers.
pub(super) fn to_bytes<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    const CODES: [ErrorCode; 12] = crate::every::every!(
        ErrorCode: InvalidAuthorizationHeader,
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

    #[test]
    fn an_error_has_a_code_only_since_october() {
        let error = ApiError::new(ErrorCode::NotFound, "no such user");
        let text = |api| String::from_utf8(error.clone().into_response(api, "r1").body).unwrap();
        assert_eq!(
            text(Api::October2026),
            r#"{"errors":["no such user"],"request_id":"r1","code":"not_found"}"#
        );
        assert_eq!(text(Api::July2026), r#"{"errors":["no such user"],"request_id":"r1"}"#);
    }

    #[test]
    fn every_error_code_is_in_the_api_description() {
        let description: serde_json::Value =
            serde_norway::from_str(include_str!("../../docs/pylon-users.openapi.yaml")).unwrap();
        let named = &description["components"]["schemas"]["ErrorResponse"]["properties"]["code"]["examples"];
        for code in CODES {
            let identifier = serde_json::to_value(code).unwrap();
            assert!(named.as_array().unwrap().contains(&identifier), "{identifier}");
        }
    }
}
