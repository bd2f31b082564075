//! The reasons for failing to read the organization.

use std::collections::BTreeSet;

use crate::observed::UserId;
use crate::problem::Problem;
use crate::pylon::PylonCode;
use crate::pylon::failure::{Failure, INCOMPLETE};
use crate::roster::{Field, FieldValue, Region};

#[derive(Debug)]
pub enum ObserveError {
    Failed(Failure),
    /// The responses are incomplete or inconsistent. The first time this happens, everything is read again.
    Incomplete {
        why: String,
        differing: ValueDifferences,
    },
    /// The token belongs to an organization other than the pinned one.
    Other(Box<Problem>),
}

impl ObserveError {
    /// Converts the error into a [`Problem`] to show to the user. `region` is the host's region, if known.
    pub fn problem(self, region: Option<Region>) -> Problem {
        match self {
            Self::Failed(failure) => failure.problem(region),
            Self::Incomplete { why, differing: _ } => {
                Problem::new(PylonCode::Incomplete, why).help(INCOMPLETE)
            }
            Self::Other(problem) => *problem,
        }
    }
}

/// A person's field with different values in two responses. Pylon can change such a field at any time, so this is a contradiction
/// only if the second reading shows the same difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ValueDifference {
    pub(super) id: UserId,
    pub(super) field: Field,
    pub(super) values: [FieldValue; 2],
}

pub(super) type ValueDifferences = BTreeSet<ValueDifference>;

pub(super) fn contradiction<T>(why: impl Into<String>) -> Result<T, ObserveError> {
    Err(ObserveError::Incomplete { why: why.into(), differing: ValueDifferences::new() })
}
