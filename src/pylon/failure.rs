//! What can go wrong with one request, what that means, and how it is said.
//!
//! [`Failure::class`] is the outcome table of the protocol, in one place. It branches on Pylon's `code` first and on the
//! HTTP status after that; the texts of errors are reworded at will and are only shown (Pylon API, "Errors").

use std::time::Duration;

use super::Code;
use crate::every::every;
use crate::printable::Printable;
use crate::problem::Problem;
use crate::roster::Region;

/// One attempt at one request, and how it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What was asked: `PATCH /users/u_1`.
    pub asked: String,
    /// How it failed.
    pub trouble: Trouble,
}

/// How a request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// It never left this machine: no such host, refused, a handshake cut short.
    NotSent(String),
    /// The other side could not prove who it is.
    Certificate(String),
    /// It was sent, and no answer came: a timeout, a reset, an early end.
    NoAnswer(String),
    /// It was answered with success, but not with what that should be.
    BadAnswer(String),
    /// It was answered with an error.
    Refused(Refusal),
}

/// An error that was answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// Pylon's stable code, if the answer was Pylon's.
    pub code: Option<String>,
    /// Pylon's texts.
    pub errors: Vec<String>,
    /// What Pylon's support asks for.
    pub request_id: Option<String>,
    /// How long to wait, on a 429.
    pub hint: Option<Duration>,
}

/// What a failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// It was not carried out; sending it again is harmless.
    NotSent,
    /// It was not carried out; the gate closes.
    Throttled,
    /// Nobody knows whether it was carried out. A read is asked again; a write is looked at before it is sent again.
    Ambiguous,
    /// It was refused for good; other requests may well go through.
    Rejected,
    /// It was refused for lack of permission; three in a row end the run.
    Forbidden,
    /// The request was too large.
    TooLarge,
    /// Nothing at all will go through.
    Fatal,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 7] =
        every!(Class: NotSent, Throttled, Ambiguous, Rejected, Forbidden, TooLarge, Fatal);
}

impl Failure {
    /// What it means, for reads and writes alike.
    pub fn class(&self) -> Class {
        match &self.trouble {
            Trouble::NotSent(_) => Class::NotSent,
            Trouble::Certificate(_) => Class::Fatal,
            Trouble::NoAnswer(_) | Trouble::BadAnswer(_) => Class::Ambiguous,
            Trouble::Refused(refusal) => refusal.class(),
        }
    }

    /// The id under which Pylon's support finds the request.
    pub fn request_id(&self) -> Option<&str> {
        match &self.trouble {
            Trouble::Refused(refusal) => refusal.request_id.as_deref(),
            _ => None,
        }
    }

    /// How long the server asks to wait.
    pub fn hint(&self) -> Option<Duration> {
        match &self.trouble {
            Trouble::Refused(refusal) => refusal.hint,
            _ => None,
        }
    }

    /// Whether a search was refused for its size: 413, or a complaint about its `limit`. Smaller ones may go through.
    pub fn is_too_large(&self) -> bool {
        match &self.trouble {
            Trouble::Refused(refusal) if refusal.status == 400 => {
                refusal.errors.iter().any(|text| text.to_lowercase().contains("limit"))
            }
            _ => self.class() == Class::TooLarge,
        }
    }

    /// The same failure in other words.
    #[must_use]
    pub fn map(self, words: impl Fn(String) -> String) -> Self {
        let trouble = match self.trouble {
            Trouble::NotSent(why) => Trouble::NotSent(words(why)),
            Trouble::Certificate(why) => Trouble::Certificate(words(why)),
            Trouble::NoAnswer(why) => Trouble::NoAnswer(words(why)),
            Trouble::BadAnswer(why) => Trouble::BadAnswer(words(why)),
            Trouble::Refused(Refusal { status, code, errors, request_id, hint }) => {
                let errors = errors.into_iter().map(&words).collect();
                let (code, request_id) = (code.map(&words), request_id.map(&words));
                Trouble::Refused(Refusal { status, code, errors, request_id, hint })
            }
        };
        Self { asked: words(self.asked), trouble }
    }

    /// In one line: what was asked, the status, the code, the text, the request id.
    pub fn line(&self) -> String {
        let asked = &self.asked;
        match &self.trouble {
            Trouble::NotSent(why) => format!("{asked} could not be sent: {}", Printable::cut(why, 300)),
            Trouble::Certificate(why) => {
                format!("{asked} was not sent, the certificate is not valid: {}", Printable::cut(why, 300))
            }
            Trouble::NoAnswer(why) => format!("{asked} got no answer: {}", Printable::cut(why, 300)),
            Trouble::BadAnswer(why) => {
                format!("{asked} got an answer that makes no sense: {}", Printable::cut(why, 300))
            }
            Trouble::Refused(refusal) => format!("{asked} was answered with {}", refusal.line()),
        }
    }
}

impl Refusal {
    fn class(&self) -> Class {
        // Gateways in front put their own 5xx in place of an answer: no code of theirs says what Pylon did.
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
        if let Some(code) = &self.code {
            line += &format!(" {}", Printable::cut(code, 60));
        }
        if !self.errors.is_empty() {
            line += &format!(": {}", Printable::cut(&self.errors.join("; "), 300));
        }
        if let Some(id) = &self.request_id {
            line += &format!(" (request {})", Printable::cut(id, 60));
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
        "organization_deactivated" | "organization_suspended" => Class::Fatal,
        "permission_denied" | "oauth_not_permitted" => Class::Forbidden,
        "payload_too_large" => Class::TooLarge,
        "not_found" | "method_not_allowed" | "invalid_request_body" => Class::Rejected,
        "internal_error" => Class::Ambiguous,
        _ => return None,
    })
}

impl Failure {
    /// The letter to whoever has to mend it. `region` is the one that was asked, where that is known.
    pub fn problem(&self, region: Option<Region>) -> Problem {
        let (code, help) = self.remedy(region);
        Problem::new(code, self.line()).help(help)
    }

    fn remedy(&self, region: Option<Region>) -> (Code, String) {
        let refusal = match &self.trouble {
            Trouble::NotSent(_) => {
                return (
                    Code::Unreachable,
                    "check the network, the host (--region, --base-url) and HTTPS_PROXY, then run again"
                        .into(),
                );
            }
            Trouble::Certificate(_) => {
                return (
                    Code::BadCertificate,
                    "if a proxy of yours re-signs traffic, name its certificates with SSL_CERT_FILE".into(),
                );
            }
            Trouble::NoAnswer(_) => {
                return (
                    Code::NoAnswer,
                    "run again: what was done stays done, and only the rest is sent".into(),
                );
            }
            Trouble::BadAnswer(_) => {
                return (Code::BadAnswer, "if it comes again, something else answers at this address (a proxy, a login page), or Pylon's API has changed".into());
            }
            Trouble::Refused(refusal) => refusal,
        };
        let code = refusal.code.as_deref().unwrap_or_default();
        let (letter, help): (Code, String) = match (code, refusal.status) {
            ("wrong_region_token", _) => (Code::WrongRegion, wrong_region(region)),
            ("organization_suspended" | "organization_deactivated", _) => {
                (Code::Suspended, "the organisation is switched off in Pylon; only Pylon's support can change that".into())
            }
            (_, 401) => (Code::BadCredentials, "the token is unknown, revoked or mistyped: check PYLON_API_TOKEN, or have an Admin create a new one".into()),
            (_, 403) => (Code::Forbidden, "the token's user may not do this: use a token that an Admin created".into()),
            (_, 404) => (Code::NotFound, "nobody is there under this id any more, or --base-url leads to something else than Pylon".into()),
            (_, 413) => (Code::TooLarge, "the request is too large for the server; please report it".into()),
            (_, 429) => (Code::RateLimited, "other integrations use the same allowance; run again later, or lower --rate".into()),
            (_, 300..=399) => (Code::Redirected, "rolecall follows no redirect, since it would carry the token elsewhere: give the final address with --base-url".into()),
            (_, 500..=599) => (Code::ServerTrouble, "Pylon has trouble; run again later, and give Pylon's support the request id if it stays".into()),
            _ => (Code::Rejected, "Pylon refused what was asked; if the files are right, please report it with the request id".into()),
        };
        (letter, help)
    }
}

fn wrong_region(region: Option<Region>) -> String {
    let others = match region {
        Some(region) => {
            let others = Region::ALL.into_iter().filter(|other| *other != region);
            others.map(|other| format!("--region {}", other.as_str())).collect::<Vec<_>>().join(" or ")
        }
        None => "another region's --base-url".into(),
    };
    format!("the token belongs to another region: use {others}, and pin it in [workspace]")
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};

    use pretty_assertions::assert_eq;

    use super::*;

    fn class(status: u16, code: Option<&str>) -> Class {
        let refusal = Refusal { status, code: code.map(str::to_owned), ..Refusal::default() };
        Failure { asked: "PATCH /users/u".into(), trouble: Trouble::Refused(refusal) }.class()
    }

    /// Those that the API description names.
    fn documented_codes() -> BTreeSet<String> {
        let text = include_str!("../../docs/pylon-users.openapi.yaml");
        let document: serde_json::Value = serde_norway::from_str(text).unwrap();
        let code = &document["components"]["schemas"]["ErrorResponse"]["properties"]["code"];
        serde_json::from_value(code["examples"].clone()).unwrap()
    }

    #[test]
    fn the_outcome_table() {
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
            // Pylon's code goes before the status …
            (400, Some("rate_limited"), Class::Throttled),
            (403, Some("organization_suspended"), Class::Fatal),
            (403, Some("organization_deactivated"), Class::Fatal),
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
            // … but not before a 5xx, which a gateway may have put in its place, and not when it is unknown.
            (500, Some("not_found"), Class::Ambiguous),
            (503, Some("rate_limited"), Class::Ambiguous),
            (500, Some("internal_error"), Class::Ambiguous),
            (404, Some("brand_new"), Class::Rejected),
            (429, Some("brand_new"), Class::Throttled),
        ];
        for (status, code, expected) in table {
            assert_eq!(class(status, code), expected, "{status} {code:?}");
        }
        let troubles = [
            (Trouble::NotSent(String::new()), Class::NotSent),
            (Trouble::Certificate(String::new()), Class::Fatal),
            (Trouble::NoAnswer(String::new()), Class::Ambiguous),
            (Trouble::BadAnswer(String::new()), Class::Ambiguous),
        ];
        let mut met: HashSet<Class> = table.iter().map(|(.., class)| *class).collect();
        for (trouble, expected) in troubles {
            assert_eq!(Failure { asked: String::new(), trouble }.class(), expected);
            met.insert(expected);
        }
        assert_eq!(met, Class::ALL.into_iter().collect(), "every class is in the table");
        let codes: BTreeSet<&str> = table.iter().filter_map(|(_, code, _)| *code).collect();
        let mut documented = documented_codes();
        documented.insert("brand_new".into());
        assert_eq!(codes, documented.iter().map(String::as_str).collect(), "every code is in the table");
    }

    #[test]
    fn a_refusal_is_said_with_all_that_pylon_said_and_with_no_more() {
        let refused = |code: Option<&str>, errors: &[&str], id: Option<&str>| {
            let refusal = Refusal {
                status: 422,
                code: code.map(str::to_owned),
                errors: errors.iter().copied().map(str::to_owned).collect(),
                request_id: id.map(str::to_owned),
                hint: None,
            };
            Failure { asked: "PATCH /users/u".into(), trouble: Trouble::Refused(refusal) }
        };
        for (failure, expected) in [
            (refused(None, &[], None), "422"),
            (refused(None, &["no", "never"], None), "422: no; never"),
            (refused(Some("not_so"), &[], Some("req_1")), "422 not_so (request req_1)"),
            (refused(Some("not_so"), &["no"], Some("req_1")), "422 not_so: no (request req_1)"),
        ] {
            assert_eq!(failure.line(), format!("PATCH /users/u was answered with {expected}"));
            let id = failure.request_id().map_or_else(String::new, |id| format!("(request {id})"));
            assert!(expected.ends_with(&id) && id.is_empty() != expected.contains("request"), "{expected}");
        }
        let unanswered = Failure { asked: String::new(), trouble: Trouble::NoAnswer(String::new()) };
        assert_eq!(unanswered.request_id(), None);
    }

    #[test]
    fn each_refusal_has_its_letter() {
        for (status, code, expected) in [
            (401, Some("wrong_region_token"), Code::WrongRegion),
            (403, Some("organization_suspended"), Code::Suspended),
            (403, Some("organization_deactivated"), Code::Suspended),
            (401, Some("invalid_api_token"), Code::BadCredentials),
            (401, None, Code::BadCredentials),
            (403, Some("permission_denied"), Code::Forbidden),
            (404, None, Code::NotFound),
            (413, None, Code::TooLarge),
            (429, None, Code::RateLimited),
            (300, None, Code::Redirected),
            (399, None, Code::Redirected),
            (500, None, Code::ServerTrouble),
            (599, None, Code::ServerTrouble),
            (400, None, Code::Rejected),
            (422, None, Code::Rejected),
        ] {
            let refusal = Refusal { status, code: code.map(str::to_owned), ..Refusal::default() };
            let failure = Failure { asked: String::new(), trouble: Trouble::Refused(refusal) };
            assert_eq!(failure.problem(None).code, expected.as_str(), "{status} {code:?}");
        }
    }

    #[test]
    fn the_other_regions_are_named() {
        let refusal = Refusal { status: 401, code: Some("wrong_region_token".into()), ..Refusal::default() };
        let failure = Failure { asked: String::new(), trouble: Trouble::Refused(refusal) };
        for (asked, other) in [
            (Some(Region::Us), "use --region eu,"),
            (Some(Region::Eu), "use --region us,"),
            (None, "use another region's --base-url,"),
        ] {
            let help = failure.problem(asked).help.unwrap_or_default();
            assert!(help.contains(other), "{asked:?}: {help}");
        }
    }

    #[test]
    fn a_search_is_too_large_by_its_status_or_by_a_complaint_about_its_limit() {
        let refused = |status, text: &str| {
            let refusal = Refusal { status, errors: vec![text.to_owned()], ..Refusal::default() };
            Failure { asked: String::new(), trouble: Trouble::Refused(refusal) }.is_too_large()
        };
        assert!(refused(413, ""));
        assert!(refused(400, "Limit must be less than 1000"));
        assert!(!refused(400, "unknown operator"));
        assert!(!refused(422, "limit"));
    }
}
