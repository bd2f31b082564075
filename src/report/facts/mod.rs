//! The facts behind all reports, with one module per kind of report.
//!
//! Names and values are [`Printable`], and places are resolved to file locations, so formats don't need to look anything up.
//! The structs are also serialized to JSON. Fields that `serde` skips are only for the human-readable formats. Messages used by
//! several formats are composed here with `words`.

pub mod access;
pub mod agenda;
pub mod comparison;
mod compose;
pub mod doctor;
pub mod explanation;
pub mod files;
pub mod journals;
pub mod page;
pub mod plan;
pub mod problems;
pub mod roles;
pub mod unwritten;

pub use access::AccessReport;
pub use agenda::AgendaReport;
pub use comparison::ComparisonReport;
pub use doctor::DoctorReport;
pub use explanation::{CandidateLine, ExplanationReport, SinceLine};
pub use files::FilesReport;
pub use journals::{JournalEntry, JournalsReport};
pub use page::DiagnosticPage;
pub use plan::PlanReport;
pub use roles::RolesReport;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::exit::Exit;
use crate::observed::Organization;
use crate::printable::Printable;

/// The version of the JSON reports. Within a version, keys may be added, but existing ones are never removed or given a new
/// meaning.
pub const VERSION: u32 = 1;

/// A JSON report: the keys common to all reports, and those of the particular kind of report.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Envelope<'a, B> {
    version: u32,
    command: &'a str,
    exit_code: u8,
    #[serde(flatten)]
    body: &'a B,
}

impl<'a, B> Envelope<'a, B> {
    pub fn new(command: &'a str, exit: Exit, body: &'a B) -> Self {
        Self { version: VERSION, command, exit_code: exit.code(), body }
    }
}

/// The organization covered by a report.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OrganizationLine {
    pub id: Printable,
    pub name: Printable,
    /// Where the organization was read from: `us`, `eu`, `sandbox`, or the host.
    pub place: Printable,
}

impl OrganizationLine {
    /// Creates the entry for an organization. `place` is where the organization was read from: `us`, `eu`, `sandbox`, or the
    /// host.
    pub fn new(organization: &Organization, place: &str) -> Self {
        let Organization { id, name } = organization;
        Self { name: Printable::new(name), id: Printable::new(id), place: Printable::new(place) }
    }
}
