//! Reports: one model, [`Report`], and one module per output format.
//!
//! A report contains facts with resolved file locations, and a format decides only how they look. Text from files or from Pylon is
//! always a [`Printable`]. [`write()`] is a pure function of the report, the format, and the [`Setting`].

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

use crate::every::words;
use crate::exit::Exit;
use crate::printable::Printable;
use crate::problem::Problems;

pub mod csv;
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

use style::Styles;

words! {
    /// The format of a report. The word is the name on the command line.
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

/// The report of a run, and how the run ended.
#[derive(Debug, Clone)]
pub struct Report {
    pub command: &'static str,
    pub exit: Exit,
    pub body: Body,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Body {
    /// The command has already printed everything.
    #[serde(skip)]
    Nothing,
    /// The files declare no people, so Pylon was not asked.
    NoPeople {
        /// The root file as the user named it.
        file: Printable,
        /// Always 0, so that programs can read the same key as in other reports.
        declared: usize,
    },
    /// `validate`: the files are valid.
    Valid {
        /// The files that were read, the root file first, and the warnings about them.
        #[serde(flatten, serialize_with = "problems::serialize_valid")]
        #[schemars(with = "problems::Valid<'_>")]
        files: Box<Problems>,
        /// How many people are declared.
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
    /// The command failed, or completed only in part.
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
    /// The width of the terminal in columns, to which the text is wrapped. `None` if it is unknown or there is no terminal.
    pub width: Option<usize>,
    /// Whether to list every person, even if many have the same change.
    pub is_full: bool,
    /// Whether problems are printed on standard error, and so are omitted from the text.
    pub problems_on_stderr: bool,
    /// The maximum size of a markdown report in bytes. GitHub counts characters, of which there are never more than bytes.
    pub markdown_limit: usize,
    /// The address of the working directory in the web, for links to lines of files. It has no slash at its end.
    pub source_url: Option<String>,
    /// The folders that the file names of annotations are relative to.
    pub annotations: Annotations,
}

/// What is needed to name a file as GitHub does.
#[derive(Debug, Clone)]
pub struct Annotations {
    /// The working directory, to which the report's file names are relative.
    pub folder: PathBuf,
    /// `GITHUB_WORKSPACE`: the root of the checkout.
    pub workspace: Option<PathBuf>,
    /// Resolves the symbolic links in a path.
    pub resolve: fn(&Path) -> PathBuf,
}

impl Default for Annotations {
    fn default() -> Self {
        Self { folder: PathBuf::new(), workspace: None, resolve: Path::to_owned }
    }
}

/// The longest comment that GitHub accepts, in characters.
pub const LONGEST_COMMENT: usize = 65_536;

/// The longest summary of one step that GitHub accepts, in bytes.
pub const LONGEST_SUMMARY: usize = 1_048_576;

/// Writes a report in one format.
pub fn write(report: &Report, format: Format, setting: &Setting) -> String {
    match format {
        Format::Text => text::write(report, &Styles::new(setting.colors), setting),
        Format::Json => json::write(report),
        Format::Csv => csv::write(report),
        Format::Markdown => markdown::write(report, setting),
        Format::Github => github::write(report, setting),
        Format::Html => html::write(report),
    }
}
