//! The facts of all reports, one module per kind of report.
//!
//! Names and values are [`Printable`], and places are resolved, so that a format looks nothing up. `serde` writes these structs as
//! JSON. A field that `serde` skips is only for people. Sentences are made here, once for all formats.

pub mod access;
pub mod agenda;
pub mod comparison;
mod compose;
pub mod doctor;
mod edits;
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

/// The version of the JSON reports. Keys may be added within a version, but not removed or changed in meaning.
pub const VERSION: u32 = 1;

/// A report in JSON: the keys of all reports, and the facts of this one.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Envelope<'a, B> {
    version: u32,
    command: &'a str,
    exit_code: u8,
    #[serde(flatten)]
    body: &'a B,
}

impl<'a, B> Envelope<'a, B> {
    /// Wraps the facts of a run of `command` that ends with `exit`.
    pub fn new(command: &'a str, exit: Exit, body: &'a B) -> Self {
        Self { version: VERSION, command, exit_code: exit.code(), body }
    }
}

/// The organization that a plan, the roles, or a person belongs to.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OrganizationLine {
    pub id: Printable,
    pub name: Printable,
    /// `us`, `eu`, `sandbox`, or the host.
    pub place: Printable,
}

impl OrganizationLine {
    /// `place` is where the organization was read.
    pub fn new(organization: &Organization, place: &str) -> Self {
        let Organization { id, name } = organization;
        Self { name: Printable::new(name), id: Printable::new(id), place: Printable::new(place) }
    }
}
