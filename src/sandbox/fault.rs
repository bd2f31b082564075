//! The faults that can be injected into requests, and their names.
//!
//! `faults` decides which requests get a fault, and `delivery` turns a fault into what reaches the client.

use std::{fmt, str::FromStr};

use super::unknown_name::unknown_name;
use crate::every::every;

/// A way for a request to go wrong. Faults named `…Applied` carry out the request but conceal its success from the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// The request is not carried out, and the response is 500 `internal_error`.
    InternalError,
    /// The request is carried out, and the response is 500 `internal_error`.
    InternalErrorApplied,
    /// The request is not carried out, and the response is a gateway's 502 page.
    BadGateway,
    /// The request is not carried out, and the response is a gateway's 503 in plain text.
    Unavailable,
    /// The request is carried out, and the response is a gateway's 504 page.
    GatewayTimeoutApplied,
    /// The request is not carried out, and the response is a 408 without a code.
    RequestTimeout,
    /// The request is not carried out, and the response is a 409 without a code.
    Conflict,
    /// The request is not carried out, and the response is 429 `rate_limited` with a retry hint of one second, even though the
    /// limit has not been reached.
    RateLimited,
    /// The request is not carried out, and the connection is closed without a response.
    CutBefore,
    /// The request is carried out, but the connection is closed without a response.
    CutAfter,
    /// The request is carried out, but the connection stalls without a response.
    StallApplied,
    /// The request is carried out, but the response is a 200 with a body that is, alternately, truncated or not JSON.
    GarbageApplied,
    /// A list response contains no data but claims to be followed by another page. The missing data is returned both if the
    /// request is repeated and if the cursor is followed.
    PageWithoutData,
    /// `GET /user-roles` returns only the first half of the roles, along with a cursor for the rest.
    RolesPaged,
    /// One user in the response lacks a field other than `name` and `avatar_url`, a different one each time the fault fires.
    FieldMissing,
    /// `GET /users` silently omits one person.
    ListingShort,
    /// `PATCH` returns 200 and echoes the new values, but stores nothing.
    EchoOnly,
}

/// The effect of a fault on a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// The request is not carried out, and the client gets no valid response.
    Fails,
    /// The request is carried out, but the client gets no valid response.
    AppliesThenFails,
    /// The response is a 200 with misleading content. Each of these faults affects only certain operations.
    Misleads,
}

impl Fault {
    pub const ALL: [Self; 17] = every!(
        Fault: InternalError, InternalErrorApplied, BadGateway, Unavailable, GatewayTimeoutApplied, RequestTimeout,
        Conflict, RateLimited, CutBefore, CutAfter, StallApplied, GarbageApplied, PageWithoutData, RolesPaged,
        FieldMissing, ListingShort, EchoOnly
    );

    fn name_and_effect(self) -> (&'static str, Effect) {
        match self {
            Self::InternalError => ("500", Effect::Fails),
            Self::InternalErrorApplied => ("500-applied", Effect::AppliesThenFails),
            Self::BadGateway => ("502-html", Effect::Fails),
            Self::Unavailable => ("503", Effect::Fails),
            Self::GatewayTimeoutApplied => ("504-applied", Effect::AppliesThenFails),
            Self::RequestTimeout => ("408", Effect::Fails),
            Self::Conflict => ("409", Effect::Fails),
            Self::RateLimited => ("429", Effect::Fails),
            Self::CutBefore => ("cut-before", Effect::Fails),
            Self::CutAfter => ("cut-after", Effect::AppliesThenFails),
            Self::StallApplied => ("stall-applied", Effect::AppliesThenFails),
            Self::GarbageApplied => ("garbage-applied", Effect::AppliesThenFails),
            Self::PageWithoutData => ("page-without-data", Effect::Misleads),
            Self::RolesPaged => ("roles-paged", Effect::Misleads),
            Self::FieldMissing => ("field-missing", Effect::Misleads),
            Self::ListingShort => ("listing-short", Effect::Misleads),
            Self::EchoOnly => ("echo-only", Effect::Misleads),
        }
    }

    /// Returns the name used in `--faults`.
    pub fn name(self) -> &'static str {
        self.name_and_effect().0
    }

    /// Returns `true` if the response is a 200 with misleading content. All other faults leave the client without a valid
    /// response.
    pub fn is_misleading(self) -> bool {
        self.name_and_effect().1 == Effect::Misleads
    }

    /// Returns `true` if the request is carried out despite the fault.
    pub fn is_applied_first(self) -> bool {
        match self.name_and_effect().1 {
            Effect::Fails => false,
            Effect::AppliesThenFails => true,
            Effect::Misleads => self != Self::EchoOnly,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|fault| fault.name() == text);
        found.ok_or_else(|| unknown_name("fault", text, &Self::ALL.map(Self::name)))
    }
}
