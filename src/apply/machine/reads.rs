//! Reads that the machine asks for: whom, why, and how often it has failed.

use crate::pylon::request::{Allowance, PAGE};

/// Why somebody is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Purpose {
    /// They were read too long ago to be written now.
    Freshness(Vec<usize>),
    /// Their write was left in doubt, or the search did not bring them.
    Look(usize),
    /// They were written.
    ReadBack(Vec<usize>),
    /// They were written, and the search says otherwise.
    SecondLook(usize),
}

#[derive(Debug, Clone)]
pub(super) struct Read {
    pub(super) purpose: Purpose,
    pub(super) failed: u32,
    /// People a page; less than [`PAGE`] once the server has refused that.
    pub(super) limit: usize,
}

impl Read {
    pub(super) fn of(purpose: Purpose) -> Self {
        Self { purpose, failed: 0, limit: PAGE }
    }

    /// A search that was refused for its size, as two smaller ones of smaller pages; one person is asked for once more.
    pub(super) fn halves(&self) -> Option<Vec<Self>> {
        let half = |tasks: &[usize], purpose: fn(Vec<usize>) -> Purpose| {
            let of =
                |part: &[usize]| Self { purpose: purpose(part.to_vec()), failed: 0, limit: self.limit / 2 };
            tasks.chunks(tasks.len().div_ceil(2).max(1)).map(of).collect()
        };
        match &self.purpose {
            Purpose::Freshness(tasks) => Some(half(tasks, Purpose::Freshness)),
            Purpose::ReadBack(tasks) => Some(half(tasks, Purpose::ReadBack)),
            Purpose::Look(_) | Purpose::SecondLook(_) => None,
        }
    }
}

impl Purpose {
    pub(super) fn allowance(&self) -> Allowance {
        match self {
            Self::Freshness(_) | Self::ReadBack(_) => Allowance::Search,
            Self::Look(_) | Self::SecondLook(_) => Allowance::Get,
        }
    }
}
