//! Defines [`Report`], the model for all reports, and one module per output format.
//!
//! A report contains facts, with file locations already resolved, so the formats decide only how to present them. Names and
//! values from the files or from Pylon are wrapped in [`Printable`]. [`write()`] is a pure function of the report, the
//! format, and the [`Setting`].

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

use crate::every::words;
use crate::exit::Exit;
use crate::printable::Printable;
use crate::problem::Problems;

mod csv;
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
pub mod transitions;
pub mod words;

pub use facts::{
    AccessReport, AgendaReport, CandidateLine, ComparisonReport, DiagnosticPage, DoctorReport,
    ExplanationReport, FilesReport, JournalEntry, JournalsReport, PlanReport, RolesReport, SinceLine,
    problems,
};

words! {
    /// The format of a report, named as on the command line.
    #[derive(clap::ValueEnum)]
    pub enum Format {
        /// For people at a terminal
        Text = "text",
        /// For programs: JSON with a version (docs/report.schema.json)
        Json = "json",
        /// For spreadsheets: a table of people, roles, or changes (docs/reports.md)
        Csv = "csv",
        /// For a comment on a pull request
        Markdown = "markdown",
        /// For a GitHub Actions job: text, annotations on the lines of the files, and a job summary
        Github = "github",
        /// A web page with a timeline of the windows
        Html = "html",
    }
}

/// The report of a run, along with its exit status.
#[derive(Debug, Clone)]
pub struct Report {
    pub command: &'static str,
    pub exit: Exit,
    pub body: Body,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Body {
    /// The command has already printed its output.
    #[serde(skip)]
    Nothing,
    /// The files declare no people, so Pylon was not contacted.
    NoPeople {
        /// The root file, as named by the user.
        file: Printable,
        /// The number of declared people, which is always 0. The key is included so that programs can rely on it.
        declared: usize,
    },
    /// `validate`: the files are valid.
    Valid {
        /// The files read, starting with the root file, and any warnings about them.
        #[serde(flatten, serialize_with = "problems::serialize_valid")]
        #[schemars(with = "problems::Valid<'_>")]
        files: Box<Problems>,
        /// The number of declared people.
        declared: usize,
    },
    Plan(Box<PlanReport>),
    Comparison(Box<ComparisonReport>),
    Agenda(Box<AgendaReport>),
    Roles(Box<RolesReport>),
    Access(Box<AccessReport>),
    Explanation(Box<ExplanationReport>),
    Page(Box<DiagnosticPage>),
    Doctor(Box<DoctorReport>),
    Files(Box<FilesReport>),
    Journals(Box<JournalsReport>),
    /// The command failed or only partly succeeded.
    Problems(
        #[serde(serialize_with = "problems::serialize_problems")]
        #[schemars(with = "problems::Failed<'_>")]
        Box<Problems>,
    ),
}

#[derive(Debug, Clone)]
pub struct Setting {
    /// Whether to use terminal colors.
    pub colors: bool,
    /// The terminal width in columns, at which the text format wraps lines. `None` without a terminal, or if the width is
    /// unknown.
    pub width: Option<usize>,
    /// Whether to list every person instead of grouping people with the same change.
    pub is_full: bool,
    /// Whether problems are printed to standard error, in which case the text format omits them.
    pub problems_on_stderr: bool,
    /// The maximum size of a markdown report in bytes. GitHub limits the number of characters in a comment, so a limit in
    /// bytes is stricter.
    pub markdown_limit: usize,
    /// The web URL of the working directory, without a trailing slash. Links to lines in files start with it.
    pub source_url: Option<String>,
    /// The directories needed to resolve the file names in annotations.
    pub annotations: Annotations,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            colors: false,
            width: None,
            is_full: false,
            problems_on_stderr: false,
            markdown_limit: LONGEST_COMMENT,
            source_url: None,
            annotations: Annotations::default(),
        }
    }
}

/// The paths needed to express the file names in annotations relative to the root of the checkout, as GitHub expects.
#[derive(Debug, Clone)]
pub struct Annotations {
    /// The working directory, against which relative file names are resolved.
    pub folder: PathBuf,
    /// The root of the checkout (`GITHUB_WORKSPACE`), or `None` if the variable isn't set.
    pub workspace: Option<PathBuf>,
    /// Resolves symbolic links in a path.
    pub resolve: fn(&Path) -> PathBuf,
}

impl Default for Annotations {
    fn default() -> Self {
        Self { folder: PathBuf::new(), workspace: None, resolve: Path::to_owned }
    }
}

/// The maximum length of a comment on GitHub, in characters.
pub const LONGEST_COMMENT: usize = 65_536;

/// The maximum size of a step's job summary on GitHub, in bytes.
pub const LONGEST_SUMMARY: usize = 1_048_576;

/// Returns the report as a string in the given format.
pub fn write(report: &Report, format: Format, setting: &Setting) -> String {
    match format {
        Format::Text => text::write(report, setting),
        Format::Json => json::write(report),
        Format::Csv => csv::write(report),
        Format::Markdown => markdown::write(report, setting),
        Format::Github => github::write(report, setting),
        Format::Html => html::write(report),
    }
}
