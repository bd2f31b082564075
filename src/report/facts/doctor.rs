//! The checks performed by `doctor`, with a remedy for each failure and warning.

use schemars::JsonSchema;
use serde::Serialize;

use crate::printable::Printable;
use crate::report::tables::{Mark, Row, Table, TableReport};
use crate::report::words;
use crate::source::Location;

/// `doctor`: the checks, in the order performed.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct DoctorReport {
    pub checks: Vec<Check>,
}

/// The result of a single check.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Check {
    pub name: &'static str,
    #[serde(rename = "state")]
    pub mark: Mark,
    /// A brief description of the result. Embedded values are already printable.
    pub found: String,
    /// How to fix the problem, possibly in several lines and with text to copy. Embedded values are already printable.
    pub remedy: Option<String>,
    /// The location of the cause. `null` if it is not in a file.
    pub location: Option<Location>,
}

impl Check {
    pub fn good(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, mark: Mark::Good, found: found.into(), remedy: None, location: None }
    }

    pub fn attention(name: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { mark: Mark::Attention, remedy: Some(remedy.into()), ..Self::good(name, found) }
    }

    pub fn bad(name: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { mark: Mark::Bad, remedy: Some(remedy.into()), ..Self::good(name, found) }
    }

    /// Returns a check that was skipped or whose result is neither good nor bad.
    pub fn unknown(name: &'static str, found: impl Into<String>) -> Self {
        Self { mark: Mark::Plain, ..Self::good(name, found) }
    }
}

impl DoctorReport {
    pub fn has_failed(&self) -> bool {
        self.checks.iter().any(|check| check.mark == Mark::Bad)
    }

    pub fn tables(&self) -> TableReport {
        let of = |mark: Mark| self.checks.iter().filter(|check| check.mark == mark).count();
        let (mark, verdict) = match (of(Mark::Bad), of(Mark::Attention)) {
            (0, 0) => (Mark::Good, "all checks passed".to_owned()),
            (0, some) => {
                (Mark::Attention, format!("no check failed; {}", words::count(some, "warning", "warnings")))
            }
            (some, _) => (Mark::Bad, format!("{} failed", words::count(some, "check", "checks"))),
        };
        let row = |check: &Check| {
            let Check { name, mark, found, remedy, location } = check;
            Row::new(*mark, [Printable::new(name), Printable::new(found)])
                .notes(remedy.clone())
                .at(location.clone())
        };
        let tables = vec![Table::new(None, &[], self.checks.iter().map(row))];
        TableReport { about: Vec::new(), verdict, mark, tables }
    }
}
