//! What a run has to say: one [`Report`], and one room a format that turns it into bytes.
//!
//! A report holds facts with their places settled; a format decides only how they look. Text from elsewhere passes
//! [`Printable`] on its way. Nothing here asks, decides or prints: [`write()`] is a function of the report, the format and
//! the [`Setting`].

use std::path::{Path, PathBuf};

use crate::every::every;
use crate::exit::Exit;
use crate::printable::Printable;
use crate::problem::Problems;
use crate::source::Sources;

pub mod diagnostic;
pub mod facts;
pub mod github;
pub mod html;
pub mod json;
pub mod markdown;
pub mod sheet;
pub mod style;
pub mod text;
pub mod toml_diff;
pub mod words;

pub use facts::{
    AgendaReport, ComparisonReport, DoctorReport, ExplanationReport, FilesReport, Material, PlanReport,
    RolesReport,
};

use style::Styles;

/// In which format a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people at a terminal
    Text,
    /// For programs; frozen by its version (docs/report.schema.json)
    Json,
    /// For the comment under a pull request
    Markdown,
    /// For a GitHub job: the text, annotations on the lines of the files, and the markdown as the job's summary
    Github,
    /// One page to look through, with the coming windows as a timeline
    Html,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 5] = every!(Format: Text, Json, Markdown, Github, Html);

    /// As it is typed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Markdown => "markdown",
            Self::Github => "github",
            Self::Html => "html",
        }
    }
}

/// What a run has to say, and how it ended.
#[derive(Debug, Clone)]
pub struct Report {
    /// Which verb.
    pub command: &'static str,
    /// How it ends.
    pub exit: Exit,
    /// What it says.
    pub body: Body,
}

/// What there is to say.
#[derive(Debug, Clone)]
pub enum Body {
    /// There is nothing to say: it was said on the way.
    Nothing,
    /// Nobody is declared, so nobody was asked.
    NobodyDeclared {
        /// The root file.
        file: Printable,
    },
    /// The files are valid.
    Valid {
        /// The files that were read, the root file first. JSON alone shows their digest, which takes its time.
        files: Sources,
        /// How many people are declared.
        declared: usize,
    },
    /// What would change, or what came of changing it.
    Plan(Box<PlanReport>),
    /// What two versions of the files declare differently.
    Comparison(Box<ComparisonReport>),
    /// What windows will bring.
    Agenda(Box<AgendaReport>),
    /// The organisation's roles.
    Roles(Box<RolesReport>),
    /// Everything about one person.
    Explanation(Box<ExplanationReport>),
    /// What a run needs, looked at one by one.
    Doctor(Box<DoctorReport>),
    /// What becomes of files.
    Files(Box<FilesReport>),
    /// It could not be done.
    Problems(Box<Problems>),
}

/// What a format has to know beside the report.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Whether a terminal shows it in colours.
    pub colours: bool,
    /// Why something could not be done is told elsewhere (on standard error), and not in the text.
    pub letters_apart: bool,
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
        Format::Text => text::write(report, &Styles::new(setting.colours), setting),
        Format::Json => json::write(report),
        Format::Markdown => markdown::write(report, setting.markdown_limit),
        Format::Github => github::write(report, setting),
        Format::Html => html::write(report),
    }
}
