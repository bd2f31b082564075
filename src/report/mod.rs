//! What a run has to say: one [`Report`], and one room a format that turns it into bytes.
//!
//! A report holds facts with their places settled; a format decides only how they look. Text from elsewhere passes
//! [`Printable`] on its way. Nothing here asks, decides or prints: [`write()`] is a function of the report, the format and
//! the [`Setting`].

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

use crate::every::words;
use crate::exit::Exit;
use crate::printable::Printable;
use crate::problem::Problems;
use crate::source::Sources;

pub mod diagnostic;
pub mod diff;
pub mod facts;
mod github;
mod html;
pub mod json;
mod markdown;
mod sections;
pub mod style;
pub mod tables;
pub mod text;
pub mod toml_diff;
pub mod words;

pub use facts::{
    AgendaReport, ComparisonReport, DoctorReport, ExplanationReport, FilesReport, PlanReport, RolesReport,
    problems,
};

use style::Styles;

words! {
    /// The format of a report. The word is the name on the command line.
    #[derive(clap::ValueEnum)]
    pub enum Format {
        /// For people at a terminal
        Text = "text",
        /// For programs: JSON with a version (docs/report.schema.json)
        Json = "json",
        /// For a comment on a pull request
        Markdown = "markdown",
        /// For a GitHub Actions job: text, annotations on the lines of the files, and a job summary
        Github = "github",
        /// A web page with a timeline of the windows
        Html = "html",
    }
}

/// What a run reports, and how it ended.
#[derive(Debug, Clone)]
pub struct Report {
    pub command: &'static str,
    pub exit: Exit,
    pub body: Body,
}

/// The facts of a report.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Body {
    /// The command has printed everything already.
    #[serde(skip)]
    Nothing,
    /// The files declare no people, so Pylon was not asked.
    NobodyDeclared {
        /// The root file as the user named it.
        file: Printable,
        /// Always 0. Programs read the same key as in other reports.
        declared: usize,
    },
    /// `validate`: the files are valid.
    Valid {
        /// The files that were read, the root file first.
        #[serde(flatten, serialize_with = "problems::serialize_valid")]
        #[schemars(with = "problems::Valid<'_>")]
        files: Sources,
        /// How many people are declared.
        declared: usize,
    },
    Plan(Box<PlanReport>),
    Comparison(Box<ComparisonReport>),
    Agenda(Box<AgendaReport>),
    Roles(Box<RolesReport>),
    Explanation(Box<ExplanationReport>),
    Doctor(Box<DoctorReport>),
    Files(Box<FilesReport>),
    /// The command failed, or did only a part.
    Problems(
        #[serde(serialize_with = "problems::serialize_problems")]
        #[schemars(with = "problems::Failed<'_>")]
        Box<Problems>,
    ),
}

/// What a format has to know beside the report.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Whether a terminal shows it in colors.
    pub colors: bool,
    /// Whether problems are printed on standard error, and so are left out of the text.
    pub problems_on_stderr: bool,
    /// So many bytes may a markdown report have, which are never fewer than characters.
    pub markdown_limit: usize,
    /// The folders that an annotation's file is named by.
    pub annotations: Annotations,
}

/// From where files are named, and from where GitHub does.
#[derive(Debug, Clone)]
pub struct Annotations {
    /// The working directory, to which the report's file names are relative.
    pub folder: PathBuf,
    /// `GITHUB_WORKSPACE`: the root of the checkout.
    pub workspace: Option<PathBuf>,
    /// Follows the links in a path.
    pub resolve: fn(&Path) -> PathBuf,
}

impl Default for Annotations {
    fn default() -> Self {
        Self { folder: PathBuf::new(), workspace: None, resolve: Path::to_owned }
    }
}

/// GitHub refuses a longer comment, and counts characters.
pub const LONGEST_COMMENT: usize = 65_536;

/// GitHub refuses a longer summary of one step, and counts bytes.
pub const LONGEST_SUMMARY: usize = 1_048_576;

/// The report in one format.
pub fn write(report: &Report, format: Format, setting: &Setting) -> String {
    match format {
        Format::Text => text::write(report, &Styles::new(setting.colors), setting),
        Format::Json => json::write(report),
        Format::Markdown => markdown::write(report, setting.markdown_limit),
        Format::Github => github::write(report, setting),
        Format::Html => html::write(report),
    }
}
