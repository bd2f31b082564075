//! The ways in which a request can go wrong on purpose, and their names.
//!
//! Owns what each one means; `faults` decides when it strikes, `delivery` what then reaches the client.

use std::{fmt, str::FromStr};

use super::spelling;
use crate::every::every;

/// One way in which a request can go wrong: it fails ([`Fault::FAILURES`]; `Applied` ones do what was asked first, and then hide it),
/// or it succeeds with a misleading response ([`Fault::MISLEADING`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// `500`: 500 `internal_error`, nothing done.
    InternalError,
    /// `500-applied`: done, then 500 `internal_error`.
    InternalErrorApplied,
    /// `502-html`: a gateway's 502 page, nothing done.
    BadGateway,
    /// `503`: a gateway's 503 in plain text, nothing done.
    Unavailable,
    /// `504-applied`: done, then a gateway's 504 page.
    GatewayTimeoutApplied,
    /// `408`: 408 without a known code, nothing done.
    RequestTimeout,
    /// `409`: 409 without a known code, nothing done.
    Conflict,
    /// `429`: 429 `rate_limited` though there is room, with a hint of one second; nothing done.
    RateLimited,
    /// `cut-before`: the connection ends without a byte of answer, nothing done.
    CutBefore,
    /// `cut-after`: done, then the connection ends without a byte of answer.
    CutAfter,
    /// `stall-applied`: done, then silence.
    StallApplied,
    /// `garbage-applied`: done, then a 200 that is cut short or not JSON, in turn.
    GarbageApplied,
    /// `page-without-data`: a list response says that there is a next page, and has no data. The same request again, or one with
    /// its cursor, returns the page.
    PageWithoutData,
    /// `roles-paged`: `GET /user-roles` returns the first half of the roles and a cursor that leads to the rest.
    RolesPaged,
    /// `field-missing`: one user of the response lacks a field: `role_id`, `role_ids`, `roles`, `status`, `email`, or `id`, in turn.
    FieldMissing,
    /// `listing-short`: `GET /users` leaves out one person, and nothing shows it.
    ListingShort,
    /// `echo-only`: `PATCH` returns 200 and shows the new values, and nothing is stored.
    EchoOnly,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 17] = every!(
        Fault: InternalError, InternalErrorApplied, BadGateway, Unavailable, GatewayTimeoutApplied, RequestTimeout,
        Conflict, RateLimited, CutBefore, CutAfter, StallApplied, GarbageApplied, PageWithoutData, RolesPaged,
        FieldMissing, ListingShort, EchoOnly
    );
    /// The faults after which the client has no valid response. They can strike every request.
    pub const FAILURES: [Self; 12] = [
        Self::InternalError,
        Self::InternalErrorApplied,
        Self::BadGateway,
        Self::Unavailable,
        Self::GatewayTimeoutApplied,
        Self::RequestTimeout,
        Self::Conflict,
        Self::RateLimited,
        Self::CutBefore,
        Self::CutAfter,
        Self::StallApplied,
        Self::GarbageApplied,
    ];
    /// The faults that make a 200 misleading. Each has an effect only on some endpoints, and does not count as fired elsewhere.
    pub const MISLEADING: [Self; 5] =
        [Self::PageWithoutData, Self::RolesPaged, Self::FieldMissing, Self::ListingShort, Self::EchoOnly];

    /// The word for it in `--faults`.
    pub fn name(self) -> &'static str {
        match self {
            Self::InternalError => "500",
            Self::InternalErrorApplied => "500-applied",
            Self::BadGateway => "502-html",
            Self::Unavailable => "503",
            Self::GatewayTimeoutApplied => "504-applied",
            Self::RequestTimeout => "408",
            Self::Conflict => "409",
            Self::RateLimited => "429",
            Self::CutBefore => "cut-before",
            Self::CutAfter => "cut-after",
            Self::StallApplied => "stall-applied",
            Self::GarbageApplied => "garbage-applied",
            Self::PageWithoutData => "page-without-data",
            Self::RolesPaged => "roles-paged",
            Self::FieldMissing => "field-missing",
            Self::ListingShort => "listing-short",
            Self::EchoOnly => "echo-only",
        }
    }

    /// Whether the response is a 200 with misleading content.
    pub fn is_misleading(self) -> bool {
        Self::MISLEADING.contains(&self)
    }

    /// Whether the request is carried out before things go wrong.
    pub fn is_applied_first(self) -> bool {
        match self {
            Self::InternalErrorApplied
            | Self::GatewayTimeoutApplied
            | Self::CutAfter
            | Self::StallApplied
            | Self::GarbageApplied
            | Self::PageWithoutData
            | Self::RolesPaged
            | Self::FieldMissing
            | Self::ListingShort => true,
            Self::EchoOnly
            | Self::InternalError
            | Self::BadGateway
            | Self::Unavailable
            | Self::RequestTimeout
            | Self::Conflict
            | Self::RateLimited
            | Self::CutBefore => false,
        }
    }

    /// Whether the client gets any byte back.
    pub fn is_answered(self) -> bool {
        match self {
            Self::CutBefore | Self::CutAfter | Self::StallApplied => false,
            Self::InternalError
            | Self::InternalErrorApplied
            | Self::BadGateway
            | Self::Unavailable
            | Self::GatewayTimeoutApplied
            | Self::RequestTimeout
            | Self::Conflict
            | Self::RateLimited
            | Self::GarbageApplied
            | Self::PageWithoutData
            | Self::RolesPaged
            | Self::FieldMissing
            | Self::ListingShort
            | Self::EchoOnly => true,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Fault {
    type Err = FaultsError;

    fn from_str(text: &str) -> Result<Self, FaultsError> {
        let names = || Self::ALL.into_iter().map(Self::name);
        Self::ALL.into_iter().find(|fault| fault.name() == text).ok_or_else(|| {
            let known = names().collect::<Vec<_>>().join(", ");
            FaultsError(format!(
                "there is no fault `{text}`{}; there are {known}",
                spelling::hint(text, names())
            ))
        })
    }
}

/// Why a text is no `Faults`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FaultsError(pub(super) String);
