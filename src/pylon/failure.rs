//! Defines how a request can fail, what each failure implies, and how it is reported.
//!
//! [`Failure::class`] implements the table under "Responses and retries" in docs/reliability.md. For a 5xx, only the HTTP status
//! counts. Otherwise, Pylon's `code` takes precedence over the status. Error messages are displayed but never interpreted,
//! because they can change at any time (Pylon API, "Errors").

use std::time::Duration;

use super::PylonCode;
use crate::printable::Printable;
use crate::problem::Problem;
use crate::roster::Region;

/// A failed attempt at a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The method and path of the request, as in `PATCH /users/u_1`.
    pub asked: String,
    pub cause: FailureCause,
    /// The request ID to give to Pylon's support, or `None` if there was no response or it had no ID.
    pub request_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailureCause {
    /// The request was not sent: the host was not found, refused the connection, closed it during the handshake, or took too long
    /// to accept it.
    NotSent(String),
    /// The request was not carried out, and all other requests will fail the same way until the setup is fixed.
    Blocked(Box<Obstacle>),
    /// The request was sent, but no complete response arrived: it timed out, or the connection was reset or closed early.
    NoAnswer(String),
    /// The response reports success, but its status or body doesn't match the request.
    WrongShape(WrongShape),
    /// The body arrived more slowly than this limit, in bytes per minute, and might never have ended.
    TooSlow(usize),
    /// A page without data claims to be followed by another page. We've seen the live service do this and then return the full page
    /// when the request was repeated.
    PageWithoutData,
    /// The response is an error (boxed to keep `Result`s small).
    Refused(Box<Refusal>),
}

/// A condition that makes every request fail, such as an invalid certificate, a server without TLS, or a proxy that requires a
/// password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    pub code: PylonCode,
    /// The reason as a clause, such as `the certificate of api.usepylon.com expired on 2026-01-01 00:00Z`.
    pub why: String,
    pub help: String,
}

impl From<Refusal> for FailureCause {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

/// A 2xx response that doesn't match the request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WrongShape {
    /// The expected response, such as `a page of users`.
    pub expected: &'static str,
    /// The first mismatch as a clause, such as `the status is 202`.
    pub why: String,
    /// The beginning of the body. [`Failure::line`] shows at most [`SHOWN_BODY`] characters of it.
    pub body: String,
}

impl WrongShape {
    /// Creates a [`FailureCause::WrongShape`] without a body, which [`super::exchange`] fills in later.
    pub fn cause(expected: &'static str, why: impl Into<String>) -> FailureCause {
        FailureCause::WrongShape(Self { expected, why: why.into(), body: String::new() })
    }
}

/// The maximum number of characters of an unexpected body to show in an error.
pub const SHOWN_BODY: usize = 200;

/// The maximum number of characters of [`Obstacle::why`] to show in an error, since a certificate can list many long names.
const LONGEST_WHY: usize = 600;

/// A response with a status other than 2xx.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refusal {
    pub status: u16,
    /// Pylon's stable error code, if the response has one.
    pub code: Option<String>,
    pub errors: Vec<String>,
    /// The delay before the next request, if the server asked for one.
    pub hint: Option<Duration>,
    /// The server that replied in place of Pylon, or `None` if the body is in Pylon's error format.
    pub intermediary: Option<Intermediary>,
}

/// A proxy, firewall, or gateway (RFC 9110, 3.7) that replied in place of Pylon.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Intermediary {
    /// The value of the `Server` header, if present.
    pub server: Option<String>,
    /// The first line of text in the body, with markup removed. Empty if the body has no text.
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The request was not carried out and can safely be resent.
    NotSent,
    /// The request was not carried out because the rate limit was exceeded.
    Throttled,
    /// The request may have been carried out. A read is resent anyway. Before resending a write, the apply reads the user to see
    /// whether the write had an effect.
    Ambiguous,
    /// The same request would be refused again, but other requests might succeed.
    Rejected,
    /// The request was refused for lack of permission. Three such failures in a row stop an apply.
    Forbidden,
    /// The request was too large.
    TooLarge,
    /// Every request would fail, so the run ends.
    Fatal,
}

impl Failure {
    /// Returns the failure's class, which is the same for reads and writes and determines what to do next.
    pub fn class(&self) -> Class {
        match &self.cause {
            FailureCause::NotSent(_) => Class::NotSent,
            FailureCause::Blocked(_) => Class::Fatal,
            FailureCause::NoAnswer(_)
            | FailureCause::WrongShape(_)
            | FailureCause::TooSlow(_)
            | FailureCause::PageWithoutData => Class::Ambiguous,
            FailureCause::Refused(refusal) => refusal.class(),
        }
    }

    /// Returns `true` if there was a response, even an unusable one. A successful response that broke off doesn't count.
    pub fn was_answered(&self) -> bool {
        match self.cause {
            FailureCause::Refused(_)
            | FailureCause::WrongShape(_)
            | FailureCause::TooSlow(_)
            | FailureCause::PageWithoutData => true,
            FailureCause::NotSent(_) | FailureCause::Blocked(_) | FailureCause::NoAnswer(_) => false,
        }
    }

    /// Returns the delay requested by the server, if any.
    pub fn hint(&self) -> Option<Duration> {
        match &self.cause {
            FailureCause::Refused(refusal) => refusal.hint,
            _ => None,
        }
    }

    /// Returns `true` if a smaller search might succeed. That's the case after a 413, after the code `payload_too_large`, and
    /// after any 400 in [`Class::Rejected`]. Any such 400 has to count because nothing stable identifies its cause. The maximum
    /// number of values in a filter is undocumented, and error messages can change at any time.
    pub fn may_be_too_large(&self) -> bool {
        match &self.cause {
            FailureCause::Refused(refusal) if refusal.status == 400 => {
                matches!(self.class(), Class::Rejected | Class::TooLarge)
            }
            _ => self.class() == Class::TooLarge,
        }
    }

    /// Applies `words` to each string that can contain external text.
    #[must_use]
    pub fn map(self, words: impl Fn(String) -> String) -> Self {
        let cause = match self.cause {
            FailureCause::NotSent(why) => FailureCause::NotSent(words(why)),
            FailureCause::Blocked(obstacle) => {
                let Obstacle { code, why, help } = *obstacle;
                FailureCause::Blocked(Box::new(Obstacle { code, why: words(why), help: words(help) }))
            }
            FailureCause::NoAnswer(why) => FailureCause::NoAnswer(words(why)),
            FailureCause::WrongShape(WrongShape { expected, why, body }) => {
                FailureCause::WrongShape(WrongShape { expected, why: words(why), body: words(body) })
            }
            FailureCause::TooSlow(limit) => FailureCause::TooSlow(limit),
            FailureCause::PageWithoutData => FailureCause::PageWithoutData,
            FailureCause::Refused(refusal) => {
                let Refusal { status, code, errors, hint, intermediary } = *refusal;
                let errors = errors.into_iter().map(&words).collect();
                let intermediary = intermediary.map(|Intermediary { server, text }| Intermediary {
                    server: server.map(&words),
                    text: words(text),
                });
                Refusal { status, code: code.map(&words), errors, hint, intermediary }.into()
            }
        };
        Self { asked: words(self.asked), cause, request_id: self.request_id.map(words) }
    }

    /// Formats the failure as one line with the request, the status, the code, the messages, and the request ID.
    pub fn line(&self) -> String {
        self.with_request_id(format!("{} {}", self.asked, self.what_happened()))
    }

    /// Like [`Self::line`], but without the user ID and request ID, so that equivalent failures for different users produce the
    /// same line.
    pub fn line_of_many(&self) -> String {
        format!("{} {}", without_ids(&self.asked), self.what_happened())
    }

    /// Returns a key for grouping failures in a report. If the failure has a stable error code, the key contains the code instead
    /// of the message, because messages may contain varying durations and IDs.
    pub fn kind(&self) -> String {
        match &self.cause {
            FailureCause::Refused(refusal) if refusal.code.is_some() => {
                format!("{} {} {:?}", without_ids(&self.asked), refusal.status, refusal.code)
            }
            FailureCause::Refused(refusal) => {
                format!("{} {}", refusal.status, without_numbers(&self.line_of_many()))
            }
            _ => without_numbers(&self.line_of_many()),
        }
    }

    fn with_request_id(&self, line: String) -> String {
        match &self.request_id {
            Some(id) => format!("{line} (request {})", Printable::cut(id, 60)),
            None => line,
        }
    }

    fn what_happened(&self) -> String {
        match &self.cause {
            FailureCause::NotSent(why) => format!("could not be sent: {}", Printable::cut(why, 300)),
            FailureCause::Blocked(obstacle) => {
                format!("was not sent: {}", Printable::cut(&obstacle.why, LONGEST_WHY))
            }
            FailureCause::NoAnswer(why) => format!("got no response: {}", Printable::cut(why, 300)),
            FailureCause::WrongShape(WrongShape { expected, why, body }) => {
                let why = Printable::cut(why, 300);
                let body = match body.as_str() {
                    "" => String::new(),
                    body => format!(". The body begins: {}", Printable::cut(body, SHOWN_BODY)),
                };
                format!("returned an unexpected response: expected {expected}, but {why}{body}")
            }
            FailureCause::TooSlow(limit) => {
                format!("responded too slowly: less than {limit} bytes per minute")
            }
            FailureCause::PageWithoutData => {
                "returned an empty page that says another page follows".to_owned()
            }
            FailureCause::Refused(refusal) => format!("returned {}", refusal.line()),
        }
    }

    /// Formats the failure for users. Omits the request if all other requests would have failed the same way. (A plan sends
    /// several requests at once, and it's arbitrary which one fails first.)
    pub fn message(&self) -> String {
        let message = match &self.cause {
            FailureCause::NotSent(why) => format!("Pylon cannot be reached: {}", Printable::cut(why, 300)),
            FailureCause::Blocked(obstacle) => {
                format!("no request was sent to Pylon: {}", Printable::cut(&obstacle.why, LONGEST_WHY))
            }
            FailureCause::NoAnswer(why) => format!("Pylon did not respond: {}", Printable::cut(why, 300)),
            FailureCause::Refused(refusal)
                if matches!(self.class(), Class::Fatal | Class::Throttled | Class::Ambiguous) =>
            {
                let returned = if refusal.intermediary.is_some() { "received" } else { "Pylon returned" };
                format!("{returned} {}", refusal.line())
            }
            FailureCause::Refused(_)
            | FailureCause::WrongShape(_)
            | FailureCause::TooSlow(_)
            | FailureCause::PageWithoutData => {
                return self.line();
            }
        };
        self.with_request_id(message)
    }
}

/// Replaces the user ID in a request's path with a placeholder: `PATCH /users/{id}`.
fn without_ids(asked: &str) -> String {
    match asked.split_once("/users/") {
        Some((before, id)) if id != "search" => format!("{before}/users/{{id}}"),
        _ => asked.to_owned(),
    }
}

/// Replaces every word that contains a digit with `#`.
fn without_numbers(text: &str) -> String {
    let words = text
        .split(' ')
        .map(|word| if word.contains(|char: char| char.is_ascii_digit()) { "#" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

impl Refusal {
    fn class(&self) -> Class {
        // Gateways can replace Pylon's response with a 5xx of their own, so the `code` in a 5xx says nothing about what Pylon did.
        if self.status < 500
            && let Some(class) = self.code.as_deref().and_then(class_of_code)
        {
            return class;
        }
        match self.status {
            429 => Class::Throttled,
            401 | 300..=399 => Class::Fatal,
            403 => Class::Forbidden,
            413 => Class::TooLarge,
            408 | 409 | 500 | 502..=599 => Class::Ambiguous,
            501 | 400..=499 => Class::Rejected,
            _ => Class::Ambiguous,
        }
    }

    fn line(&self) -> String {
        let mut line = self.status.to_string();
        if let Some(Intermediary { server, text }) = &self.intermediary {
            line += " from something in front of Pylon, such as a proxy or a firewall";
            if let Some(server) = server {
                line += &format!(" (server: {})", Printable::cut(server, 60));
            }
            if !text.is_empty() {
                line += &format!(": {}", Printable::cut(text, 200));
            }
        }
        if let Some(code) = &self.code {
            line += &format!(" {}", Printable::cut(code, 60));
        }
        if !self.errors.is_empty() {
            line += &format!(": {}", Printable::cut(&self.errors.join("; "), 300));
        }
        line
    }
}

fn class_of_code(code: &str) -> Option<Class> {
    Some(match code {
        "rate_limited" => Class::Throttled,
        "invalid_authorization_header"
        | "invalid_api_token"
        | "invalid_oauth_token"
        | "wrong_region_token" => Class::Fatal,
        "organization_deactivated" | "organization_suspended" | "organization_inactive" => Class::Fatal,
        "permission_denied" | "oauth_not_permitted" => Class::Forbidden,
        "payload_too_large" => Class::TooLarge,
        "not_found" | "method_not_allowed" | "invalid_request_body" => Class::Rejected,
        "internal_error" => Class::Ambiguous,
        _ => return None,
    })
}

impl Failure {
    /// Converts the failure into an error for the user. `region` is the region of the host, if it has one.
    pub fn problem(&self, region: Option<Region>) -> Problem {
        let (code, help) = self.remedy(region);
        Problem::new(code, self.message()).help(help)
    }

    /// Returns the help text, which suggests a fix to the user.
    pub fn advice(&self) -> String {
        self.remedy(None).1
    }

    fn remedy(&self, region: Option<Region>) -> (PylonCode, String) {
        let (code, help) = match &self.cause {
            FailureCause::NotSent(_) => (
                PylonCode::Unreachable,
                "check the network, the host (--region, --base-url), and HTTPS_PROXY, then try again",
            ),
            FailureCause::Blocked(obstacle) => return (obstacle.code, obstacle.help.clone()),
            FailureCause::NoAnswer(_) | FailureCause::TooSlow(_) => {
                (PylonCode::NoAnswer, "run the command again; applied changes are not sent again")
            }
            FailureCause::WrongShape(_) => (
                PylonCode::BadAnswer,
                "run again; if the error persists, a proxy or a login page may be responding, or Pylon's API may have \
                 changed: report this with the request ID",
            ),
            FailureCause::PageWithoutData => (PylonCode::Incomplete, INCOMPLETE),
            FailureCause::Refused(refusal) if refusal.code.as_deref() == Some("wrong_region_token") => {
                return (PylonCode::WrongRegion, wrong_region(region));
            }
            FailureCause::Refused(refusal) => refusal.remedy(),
        };
        (code, help.to_owned())
    }
}

impl Refusal {
    fn remedy(&self) -> (PylonCode, &'static str) {
        let is_pylons =
            self.intermediary.is_none() || matches!(self.status, 300..=399 | 408 | 409 | 413 | 429 | 500..);
        match (self.code.as_deref().unwrap_or_default(), self.class(), self.status) {
            _ if !is_pylons => (
                PylonCode::Intercepted,
                "a proxy or firewall responded instead of Pylon, so the token may be valid: check --base-url and HTTPS_PROXY, \
                 or ask the administrator of your network",
            ),
            ("organization_suspended" | "organization_deactivated" | "organization_inactive", ..) => (
                PylonCode::Suspended,
                "the organization is suspended or deactivated in Pylon: contact Pylon support",
            ),
            (_, Class::Fatal, 300..=399) => (
                PylonCode::Redirected,
                "rolecall does not follow redirects, so that the token is not sent to another server: pass the final address \
                 with --base-url",
            ),
            (_, Class::Fatal, _) => (
                PylonCode::BadCredentials,
                "the token is unknown, revoked, or mistyped: check PYLON_API_TOKEN, or ask an Admin to create a new token",
            ),
            (_, Class::Forbidden, _) => (
                PylonCode::Forbidden,
                "the token's user does not have permission: use a token created by an Admin",
            ),
            (_, Class::TooLarge, _) => {
                (PylonCode::TooLarge, "the request is too large for the server: please report this")
            }
            (_, Class::Throttled, _) => (
                PylonCode::RateLimited,
                "other integrations share this rate limit: try again later, or lower --rate",
            ),
            (_, Class::Ambiguous, _) | (_, _, 501) if self.intermediary.is_some() => (
                PylonCode::ServerTrouble,
                "a server in front of Pylon returned an error: try again later; if the error persists, check --base-url and \
                 HTTPS_PROXY, then contact Pylon support",
            ),
            (_, Class::Ambiguous, _) | (_, _, 501) => (
                PylonCode::ServerTrouble,
                "internal error in Pylon: try again later; if the error persists, send the request ID to Pylon support",
            ),
            (_, Class::Rejected, 404) => (
                PylonCode::NotFound,
                "the user no longer exists in Pylon, or --base-url is not the address of Pylon's API",
            ),
            _ => (
                PylonCode::Rejected,
                "Pylon rejected the request: check the values in the files; if they are correct, report this with the request ID",
            ),
        }
    }
}

/// The help text for an incomplete listing or role catalog.
pub(super) const INCOMPLETE: &str = "nothing was planned, because people or roles may be missing from the response; run again, \
     and report the error with the request ID if it persists";

fn wrong_region(region: Option<Region>) -> String {
    let (this, others) = match region {
        Some(region) => {
            let others = Region::ALL.into_iter().filter(|other| *other != region);
            let others = others.map(|other| format!("--region {}", other.as_str())).collect::<Vec<_>>();
            (format!("the region {}", region.as_str()), others.join(" or "))
        }
        None => ("this region".into(), "another region's --base-url".into()),
    };
    // Always mention [workspace], because this function doesn't know whether the files pin the region.
    format!(
        "the token belongs to another region: use a token for {this}. If the organization is in another region, use {others}, \
         and correct the region in [workspace] if it is set there"
    )
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};

    use pretty_assertions::assert_eq;

    use super::*;
    use crate::every::every;

    fn class(status: u16, code: Option<&str>) -> Class {
        let refusal = Refusal { status, code: code.map(str::to_owned), ..Refusal::default() };
        failure(refusal.into()).class()
    }

    fn failure(cause: FailureCause) -> Failure {
        Failure { asked: "PATCH /users/u".into(), cause, request_id: None }
    }

    fn expired() -> Obstacle {
        Obstacle { code: PylonCode::BadCertificate, why: "it expired".into(), help: "renew it".into() }
    }

    /// Returns the error codes listed in the API description.
    fn documented_codes() -> BTreeSet<String> {
        let text = include_str!("../../docs/pylon-users.openapi.yaml");
        let document: serde_json::Value = serde_norway::from_str(text).unwrap();
        let code = &document["components"]["schemas"]["ErrorResponse"]["properties"]["code"];
        serde_json::from_value(code["examples"].clone()).unwrap()
    }

    #[test]
    fn each_code_and_status_has_its_class() {
        let table = [
            (429, None, Class::Throttled),
            (408, None, Class::Ambiguous),
            (409, None, Class::Ambiguous),
            (500, None, Class::Ambiguous),
            (502, None, Class::Ambiguous),
            (503, None, Class::Ambiguous),
            (504, None, Class::Ambiguous),
            (599, None, Class::Ambiguous),
            (100, None, Class::Ambiguous),
            (600, None, Class::Ambiguous),
            (400, None, Class::Rejected),
            (404, None, Class::Rejected),
            (405, None, Class::Rejected),
            (415, None, Class::Rejected),
            (422, None, Class::Rejected),
            (501, None, Class::Rejected),
            (300, None, Class::Fatal),
            (302, None, Class::Fatal),
            (399, None, Class::Fatal),
            (401, None, Class::Fatal),
            (403, None, Class::Forbidden),
            (413, None, Class::TooLarge),
            // Pylon's code takes precedence over the status.
            (400, Some("rate_limited"), Class::Throttled),
            (403, Some("organization_suspended"), Class::Fatal),
            (403, Some("organization_deactivated"), Class::Fatal),
            (403, Some("organization_inactive"), Class::Fatal),
            (403, Some("wrong_region_token"), Class::Fatal),
            (403, Some("invalid_api_token"), Class::Fatal),
            (403, Some("invalid_oauth_token"), Class::Fatal),
            (403, Some("invalid_authorization_header"), Class::Fatal),
            (401, Some("permission_denied"), Class::Forbidden),
            (401, Some("oauth_not_permitted"), Class::Forbidden),
            (400, Some("payload_too_large"), Class::TooLarge),
            (403, Some("not_found"), Class::Rejected),
            (403, Some("method_not_allowed"), Class::Rejected),
            (409, Some("invalid_request_body"), Class::Rejected),
            (400, Some("internal_error"), Class::Ambiguous),
            (409, Some("duplicate_object"), Class::Ambiguous),
            // The status takes precedence if it is a 5xx, which may come from a gateway, or if the code is unknown.
            (500, Some("not_found"), Class::Ambiguous),
            (503, Some("rate_limited"), Class::Ambiguous),
            (500, Some("internal_error"), Class::Ambiguous),
            (404, Some("brand_new"), Class::Rejected),
            (429, Some("brand_new"), Class::Throttled),
        ];
        for (status, code, expected) in table {
            assert_eq!(class(status, code), expected, "{status} {code:?}");
        }
        let causes = [
            (FailureCause::NotSent(String::new()), Class::NotSent),
            (FailureCause::Blocked(Box::new(expired())), Class::Fatal),
            (FailureCause::NoAnswer(String::new()), Class::Ambiguous),
            (FailureCause::WrongShape(WrongShape::default()), Class::Ambiguous),
            (FailureCause::TooSlow(1024), Class::Ambiguous),
            (FailureCause::PageWithoutData, Class::Ambiguous),
        ];
        let mut met: HashSet<Class> = table.iter().map(|(.., class)| *class).collect();
        for (cause, expected) in causes {
            assert_eq!(failure(cause).class(), expected);
            met.insert(expected);
        }
        let all = every!(Class: NotSent, Throttled, Ambiguous, Rejected, Forbidden, TooLarge, Fatal);
        assert_eq!(met, all.into(), "every class is in the table");
        let codes: BTreeSet<&str> = table.iter().filter_map(|(_, code, _)| *code).collect();
        let mut documented = documented_codes();
        documented.insert("brand_new".into());
        assert_eq!(codes, documented.iter().map(String::as_str).collect(), "every code is in the table");
    }

    #[test]
    fn a_failure_line_has_the_status_code_texts_and_request_id() {
        let refused = |code: Option<&str>, errors: &[&str], id: Option<&str>| {
            let refusal = Refusal {
                status: 422,
                code: code.map(str::to_owned),
                errors: errors.iter().copied().map(str::to_owned).collect(),
                ..Refusal::default()
            };
            Failure { request_id: id.map(str::to_owned), ..failure(refusal.into()) }
        };
        for (failure, expected) in [
            (refused(None, &[], None), "422"),
            (refused(None, &["no", "never"], None), "422: no; never"),
            (refused(Some("not_so"), &[], Some("req_1")), "422 not_so (request req_1)"),
            (refused(Some("not_so"), &["no"], Some("req_1")), "422 not_so: no (request req_1)"),
        ] {
            assert_eq!(failure.line(), format!("PATCH /users/u returned {expected}"));
        }
    }

    #[test]
    fn every_failure_shows_its_request_id() {
        for cause in [
            FailureCause::NoAnswer("it broke off".into()),
            FailureCause::WrongShape(WrongShape::default()),
            FailureCause::TooSlow(1024),
            FailureCause::PageWithoutData,
            Refusal { status: 500, ..Refusal::default() }.into(),
        ] {
            let failure = Failure { request_id: Some("req_1".into()), ..failure(cause) };
            assert!(failure.line().ends_with(" (request req_1)"), "{}", failure.line());
        }
    }

    #[test]
    fn an_unexpected_body_is_shown_up_to_200_printable_characters() {
        let body = format!("<p>\u{1b}[2J{}", "x".repeat(500));
        let line = failure(FailureCause::WrongShape(WrongShape {
            expected: "a page of users",
            why: "a field is missing".into(),
            body,
        }))
        .line();
        assert!(
            line.starts_with("PATCH /users/u returned an unexpected response: expected a page of users, but a field is missing. The body begins: <p>"),
            "{line}"
        );
        assert!(!line.contains('\u{1b}') && line.matches('x').count() <= SHOWN_BODY, "{line}");
    }

    #[test]
    fn an_error_of_a_proxy_names_the_proxy_and_gives_no_advice_about_the_token() {
        let intermediary = Intermediary { server: Some("cloudflare".into()), text: "Access denied".into() };
        for status in [400, 401, 403, 404, 407, 451] {
            let refusal = Refusal { status, intermediary: Some(intermediary.clone()), ..Refusal::default() };
            let failure = failure(refusal.into());
            assert_eq!(
                failure.line(),
                format!(
                    "PATCH /users/u returned {status} from something in front of Pylon, such as a proxy or a firewall \
                     (server: cloudflare): Access denied"
                )
            );
            let problem = failure.problem(None);
            assert_eq!(problem.code, "pylon::intercepted");
            assert!(!problem.help.unwrap().contains("create"), "no advice to create a token");
        }
        for (status, code) in
            [(502, "pylon::server_trouble"), (429, "pylon::rate_limited"), (413, "pylon::too_large")]
        {
            let refusal =
                Refusal { status, intermediary: Some(Intermediary::default()), ..Refusal::default() };
            let problem = failure(refusal.into()).problem(None);
            assert_eq!(problem.code, code);
            let help = problem.help.unwrap_or_default();
            assert!(!help.contains("internal error in Pylon") && !help.contains("request ID"), "{help}");
        }
    }

    #[test]
    fn each_refusal_has_its_diagnostic_code() {
        for (status, code, expected) in [
            (401, Some("wrong_region_token"), PylonCode::WrongRegion),
            (403, Some("organization_suspended"), PylonCode::Suspended),
            (403, Some("organization_deactivated"), PylonCode::Suspended),
            (403, Some("organization_inactive"), PylonCode::Suspended),
            (401, Some("invalid_api_token"), PylonCode::BadCredentials),
            (401, None, PylonCode::BadCredentials),
            (403, Some("permission_denied"), PylonCode::Forbidden),
            (404, None, PylonCode::NotFound),
            (413, None, PylonCode::TooLarge),
            (429, None, PylonCode::RateLimited),
            (300, None, PylonCode::Redirected),
            (399, None, PylonCode::Redirected),
            (500, None, PylonCode::ServerTrouble),
            (599, None, PylonCode::ServerTrouble),
            (400, None, PylonCode::Rejected),
            (422, None, PylonCode::Rejected),
            // After a timeout or a conflict, the request may have been carried out, so both count as server trouble.
            (408, None, PylonCode::ServerTrouble),
            (409, None, PylonCode::ServerTrouble),
            (501, None, PylonCode::ServerTrouble),
            // Pylon's code takes precedence over the status, except in a 5xx.
            (401, Some("permission_denied"), PylonCode::Forbidden),
            (403, Some("invalid_api_token"), PylonCode::BadCredentials),
            (400, Some("payload_too_large"), PylonCode::TooLarge),
            (500, Some("invalid_api_token"), PylonCode::ServerTrouble),
        ] {
            let refusal = Refusal { status, code: code.map(str::to_owned), ..Refusal::default() };
            let failure = failure(refusal.into());
            assert_eq!(failure.problem(None).code, expected.as_str(), "{status} {code:?}");
        }
    }

    #[test]
    fn a_token_of_the_wrong_region_names_the_other_regions() {
        let refusal = Refusal { status: 401, code: Some("wrong_region_token".into()), ..Refusal::default() };
        let failure = failure(refusal.into());
        for (asked, other) in [
            (
                Some(Region::Us),
                "use a token for the region us. If the organization is in another region, use --region eu,",
            ),
            (
                Some(Region::Eu),
                "use a token for the region eu. If the organization is in another region, use --region us,",
            ),
            (
                None,
                "use a token for this region. If the organization is in another region, use another region's --base-url,",
            ),
        ] {
            let help = failure.problem(asked).help.unwrap_or_default();
            assert!(help.contains(other), "{asked:?}: {help}");
        }
    }

    #[test]
    fn a_search_may_be_too_large_after_a_413_and_after_any_400() {
        let refused = |status, text: &str| {
            let refusal = Refusal { status, errors: vec![text.to_owned()], ..Refusal::default() };
            failure(refusal.into()).may_be_too_large()
        };
        assert!(refused(413, ""));
        assert!(refused(400, "Limit must be less than 1000"));
        assert!(refused(400, "too many values"));
        assert!(!refused(422, "limit"));
        assert!(!refused(429, ""));
        let code = Refusal { status: 400, code: Some("payload_too_large".into()), ..Refusal::default() };
        assert!(failure(code.into()).may_be_too_large());
    }
}
