//! The faults that can be injected into requests, and their names.
//!
//! `faults` decides which requests get a fault, and `delivery` turns a fault into what reaches the client.

use std::{fmt, str::FromStr};

use super::unknown_name::unknown_name;
use crate::every::words;

words! {
    /// A way for a request to go wrong, as named in `--faults`. Faults named `…Applied` carry out the request but conceal its
    /// success from the client.
    #[derive(Hash, PartialOrd, Ord)]
    pub enum Fault {
        /// The request is not carried out, and the response is 500 `internal_error`.
        InternalError = "500",
        /// The request is carried out, and the response is 500 `internal_error`.
        InternalErrorApplied = "500-applied",
        /// The request is not carried out, and the response is a gateway's 502 page.
        BadGateway = "502-html",
        /// The request is not carried out, and the response is a gateway's 503 in plain text.
        Unavailable = "503",
        /// The request is carried out, and the response is a gateway's 504 page.
        GatewayTimeoutApplied = "504-applied",
        /// The request is not carried out, and the response is a 408 without a code.
        RequestTimeout = "408",
        /// The request is not carried out, and the response is a 409 without a code.
        Conflict = "409",
        /// The request is not carried out, and the response is 429 `rate_limited` with a retry hint of one second, even though the
        /// limit has not been reached.
        RateLimited = "429",
        /// The request is not carried out, and the connection is closed without a response.
        CutBefore = "cut-before",
        /// The request is carried out, but the connection is closed without a response.
        CutAfter = "cut-after",
        /// The request is carried out, but the connection stalls without a response.
        StallApplied = "stall-applied",
        /// The request is carried out, but the response is a 200 whose body alternates between truncated and not JSON.
        GarbageApplied = "garbage-applied",
        /// A list response contains no data but claims to be followed by another page. Repeating the request or following the
        /// cursor returns the missing data.
        PageWithoutData = "page-without-data",
        /// `GET /user-roles` returns only the first half of the roles, along with a cursor for the rest.
        RolesPaged = "roles-paged",
        /// One field is missing from one user in the response, but never `name` or `avatar_url`. The missing field changes each
        /// time the fault fires.
        FieldMissing = "field-missing",
        /// `GET /users` silently omits one person.
        ListingShort = "listing-short",
        /// `PATCH` returns 200 and echoes the new values, but stores nothing.
        EchoOnly = "echo-only",
    }
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
    fn effect(self) -> Effect {
        match self {
            Self::InternalError => Effect::Fails,
            Self::InternalErrorApplied => Effect::AppliesThenFails,
            Self::BadGateway => Effect::Fails,
            Self::Unavailable => Effect::Fails,
            Self::GatewayTimeoutApplied => Effect::AppliesThenFails,
            Self::RequestTimeout => Effect::Fails,
            Self::Conflict => Effect::Fails,
            Self::RateLimited => Effect::Fails,
            Self::CutBefore => Effect::Fails,
            Self::CutAfter => Effect::AppliesThenFails,
            Self::StallApplied => Effect::AppliesThenFails,
            Self::GarbageApplied => Effect::AppliesThenFails,
            Self::PageWithoutData => Effect::Misleads,
            Self::RolesPaged => Effect::Misleads,
            Self::FieldMissing => Effect::Misleads,
            Self::ListingShort => Effect::Misleads,
            Self::EchoOnly => Effect::Misleads,
        }
    }

    /// Returns `true` if the response is a 200 with misleading content. All other faults leave the client without a valid
    /// response.
    pub fn is_misleading(self) -> bool {
        self.effect() == Effect::Misleads
    }

    /// Returns `true` if the request is carried out despite the fault.
    pub fn is_applied_first(self) -> bool {
        match self.effect() {
            Effect::Fails => false,
            Effect::AppliesThenFails => true,
            Effect::Misleads => self != Self::EchoOnly,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::named(text).ok_or_else(|| unknown_name("fault", text, &Self::WORDS))
    }
}
