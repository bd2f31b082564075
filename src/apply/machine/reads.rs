//! Reads that the machine asks for: whom, why, and how often it has failed.

use crate::pylon::Failure;
use crate::pylon::request::{Endpoint, PAGE, halved};
use crate::pylon::retry::Failures;

/// Why somebody is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Purpose {
    /// They were read too long ago to be written now.
    Freshness(Vec<usize>),
    /// Their write was left in doubt, or the search did not bring them.
    Look(usize),
    /// They were written and gained a guarded role, and the losses of others depend on it.
    Confirmation(Vec<usize>),
    /// The same, and the search did not show the gain.
    SecondConfirmation(usize),
    /// They were written.
    ReadBack(Vec<usize>),
    /// They were written, and the search says otherwise.
    SecondLook(usize),
}

#[derive(Debug, Clone)]
pub(super) struct Read {
    pub(super) purpose: Purpose,
    /// How often it was sent.
    pub(super) sent: u32,
    pub(super) failed: Failures,
    /// People a page; less than [`PAGE`] once the server has refused that.
    pub(super) limit: usize,
}

impl Read {
    pub(super) fn of(purpose: Purpose) -> Self {
        Self { purpose, sent: 0, failed: Failures::default(), limit: PAGE }
    }

    /// A search that `failure` has refused for its size, as two smaller ones; `None` if it cannot become smaller.
    pub(super) fn halves(&self, failure: &Failure) -> Option<Vec<Self>> {
        let half = |tasks: &[usize], purpose: fn(Vec<usize>) -> Purpose| {
            let (size, limit) = halved(tasks.len(), self.limit, failure)?;
            let of = |part: &[usize]| Self { limit, ..Self::of(purpose(part.to_vec())) };
            Some(tasks.chunks(size).map(of).collect())
        };
        match &self.purpose {
            Purpose::Freshness(tasks) => half(tasks, Purpose::Freshness),
            Purpose::Confirmation(tasks) => half(tasks, Purpose::Confirmation),
            Purpose::ReadBack(tasks) => half(tasks, Purpose::ReadBack),
            Purpose::Look(_) | Purpose::SecondConfirmation(_) | Purpose::SecondLook(_) => None,
        }
    }
}

impl Purpose {
    pub(super) fn endpoint(&self) -> Endpoint {
        match self {
            Self::Freshness(_) | Self::Confirmation(_) | Self::ReadBack(_) => Endpoint::Search,
            Self::Look(_) | Self::SecondConfirmation(_) | Self::SecondLook(_) => Endpoint::User,
        }
    }
}
