//! What a run has to say: one [`Report`], and one file a format that turns it into bytes.
//!
//! A report holds facts with their places settled; a format decides only how they look. Text from elsewhere passes
//! [`Printable`] on its way. Nothing here asks, decides or prints.

use crate::printable::Printable;
use crate::problem::Problems;

pub mod compose;
pub mod diagnostic;
pub mod json;
pub mod plan_report;
pub mod style;
pub mod text;
pub mod words;

pub use compose::Material;
pub use plan_report::PlanReport;

/// In which format a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people at a terminal.
    Text,
    /// For programs; frozen by its version.
    Json,
}

/// What a run has to say.
#[derive(Debug, Clone)]
pub enum Report {
    /// There is nothing to say: it was said on the way.
    Nothing,
    /// Nobody is declared, so nobody was asked.
    NobodyDeclared {
        /// Which verb.
        command: &'static str,
        /// The root file.
        file: Printable,
    },
    /// The files are valid.
    Valid {
        /// How many files were read.
        files: usize,
        /// How many people are declared.
        declared: usize,
    },
    /// What would change, or what came of changing it.
    Plan(Box<PlanReport>),
    /// It could not be done.
    Problems {
        /// Which verb.
        command: &'static str,
        /// Why.
        problems: Box<Problems>,
    },
}
