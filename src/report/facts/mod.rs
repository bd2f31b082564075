//! The facts of every report, a file per kind of report.
//!
//! Names and values are [`Printable`], and places are settled, so that a format looks nothing up. JSON is these structs as serde
//! writes them: a field that is skipped is for people only. Sentences in them are made here, once for all formats.

pub mod agenda;
pub mod comparison;
mod compose;
pub mod doctor;
pub mod explanation;
pub mod files;
pub mod plan;
pub mod problems;
pub mod roles;

pub use agenda::AgendaReport;
pub use comparison::ComparisonReport;
pub use doctor::DoctorReport;
pub use explanation::ExplanationReport;
pub use files::FilesReport;
pub use plan::PlanReport;
pub use roles::RolesReport;

use schemars::JsonSchema;
use serde::Serialize;

use crate::exit::Exit;
use crate::observed::Organization;
use crate::printable::Printable;

/// The version of the JSON reports. Within a version, keys may be added. None is removed or gets another meaning.
pub const VERSION: u32 = 1;

/// A report in JSON: what all reports have, and the facts of this one.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Envelope<'a, B> {
    version: u32,
    command: &'a str,
    exit_code: u8,
    #[serde(flatten)]
    body: &'a B,
}

impl<'a, B> Envelope<'a, B> {
    /// The facts of a run of `command` that ends with `exit`.
    pub fn new(command: &'a str, exit: Exit, body: &'a B) -> Self {
        Self { version: VERSION, command, exit_code: exit.code(), body }
    }
}

/// The organization that a plan, the roles, or a person belongs to.
#[derive(Debug, Clone, Serialize, JsonSchema)]
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
