//! What a report says, a file for each kind: names and addresses [`Printable`](crate::printable::Printable), places settled, nothing left to look up.

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
