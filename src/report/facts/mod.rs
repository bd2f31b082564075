//! What a report says, a file for each kind: names and addresses [`Printable`], places settled, nothing left to look up.

pub mod agenda;
pub mod comparison;
pub mod compose;
pub mod doctor;
pub mod explanation;
pub mod files;
pub mod plan;
pub mod roles;

pub use agenda::AgendaReport;
pub use comparison::ComparisonReport;
pub use compose::Material;
pub use doctor::DoctorReport;
pub use explanation::ExplanationReport;
pub use files::FilesReport;
pub use plan::PlanReport;
pub use roles::RolesReport;

use crate::observed::Organization;
use crate::printable::Printable;

/// Whose plan, roles or person it is.
#[derive(Debug, Clone)]
pub struct OrganizationLine {
    /// Its name.
    pub name: Printable,
    /// Its id.
    pub id: Printable,
    /// `us`, `eu`, `sandbox` or the host.
    pub place: Printable,
}

impl OrganizationLine {
    /// The organisation as it was asked at a place.
    pub fn new(organization: &Organization, place: &str) -> Self {
        let Organization { id, name } = organization;
        Self { name: Printable::new(name), id: Printable::new(id), place: Printable::new(place) }
    }
}
