//! The ways in which a request can go wrong on purpose, and their names.
//!
//! `faults` decides which request a fault strikes, and `delivery` turns it into what reaches the client.

use std::{fmt, str::FromStr};

use super::unknown_name::unknown_name;
use crate::every::every;

/// One way in which a request can go wrong. `Applied` faults carry out the request and then hide the success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// Nothing is done, and the response is 500 `internal_error`.
    InternalError,
    /// The request is carried out, and the response is 500 `internal_error`.
    InternalErrorApplied,
    /// Nothing is done, and the response is a gateway's 502 page.
    BadGateway,
    /// Nothing is done, and the response is a gateway's 503 in plain text.
    Unavailable,
    /// The request is carried out, and the response is a gateway's 504 page.
    GatewayTimeoutApplied,
    /// Nothing is done, and the response is a 408 without a code.
    RequestTimeout,
    /// Nothing is done, and the response is a 409 without a code.
    Conflict,
    /// Nothing is done, and the response is 429 `rate_limited` with a hint of one second, although the limit is not reached.
    RateLimited,
    /// Nothing is done, and the connection ends without a byte of response.
    CutBefore,
    /// The request is carried out, and the connection ends without a byte of response.
    CutAfter,
    /// The request is carried out, and the server sends no response.
    StallApplied,
    /// The request is carried out, and the response is a 200 that is cut short or not JSON, in turn.
    GarbageApplied,
    /// A list response says that there is a next page, and has no data. The same request again, or one with its cursor, returns the
    /// page.
    PageWithoutData,
    /// `GET /user-roles` returns the first half of the roles and a cursor that leads to the rest.
    RolesPaged,
    /// One user of the response lacks a field: `role_id`, `role_ids`, `roles`, `status`, `email`, or `id`, in turn.
    FieldMissing,
    /// `GET /users` omits one person without any sign of it.
    ListingShort,
    /// `PATCH` returns 200 and shows the new values, but stores nothing.
    EchoOnly,
}

/// What a fault does to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// Nothing is done, and the client gets no valid response.
    Fails,
    /// The request is carried out, and the client gets no valid response.
    AppliesThenFails,
    /// The response is a 200 with misleading content. Each such fault has an effect only on some operations.
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

    /// Returns the word for it in `--faults`.
    pub fn name(self) -> &'static str {
        self.name_and_effect().0
    }

    /// Returns whether the response is a 200 with misleading content. After any other fault, the client has no valid
    /// response.
    pub fn is_misleading(self) -> bool {
        self.name_and_effect().1 == Effect::Misleads
    }

    /// Returns whether the request is carried out before the fault.
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
