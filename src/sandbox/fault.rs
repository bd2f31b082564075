//! The ways in which a request can go wrong on purpose, and their names.
//!
//! Owns what each one means; `faults` decides when it strikes, `delivery` what then reaches the client.

use std::{fmt, str::FromStr};

use super::spelling;
use crate::every::every;

/// One way in which a request can go wrong. `Applied` ones do what was asked first, and then hide it.
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
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 12] = every!(
        Fault: InternalError, InternalErrorApplied, BadGateway, Unavailable, GatewayTimeoutApplied, RequestTimeout,
        Conflict, RateLimited, CutBefore, CutAfter, StallApplied, GarbageApplied
    );

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
        }
    }

    /// Whether the request is carried out before things go wrong.
    pub fn is_applied_first(self) -> bool {
        match self {
            Self::InternalErrorApplied
            | Self::GatewayTimeoutApplied
            | Self::CutAfter
            | Self::StallApplied
            | Self::GarbageApplied => true,
            Self::InternalError
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
            | Self::GarbageApplied => true,
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
