//! The JSON output of `validate` for valid files, and of any command that fails.

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::plan::saved::digest_of;
use crate::problem::Problems;
use crate::source::Location;

/// `validate`: the files are valid.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Valid<'a> {
    valid: bool,
    files: usize,
    /// All files read, starting with the root file.
    paths: Vec<&'a str>,
    /// The SHA-256 digest of the paths and contents of all files read (`sha256:…`), as in a saved plan. Paths are relative to
    /// the root file's folder, so a copy of the files in another folder has the same digest.
    digest: String,
    /// Warnings about entries that have no effect or are probably mistakes.
    warnings: Vec<ProblemLine<'a>>,
}

/// Serializes the facts about valid files. Computes the digest here because only JSON needs it.
pub(crate) fn serialize_valid<S: Serializer>(valid: &Problems, serializer: S) -> Result<S::Ok, S::Error> {
    let files = &valid.sources;
    let paths = files.iter().map(|(name, _)| name).collect();
    let warnings = lines(valid);
    Valid { valid: true, files: files.len(), paths, digest: digest_of(files), warnings }.serialize(serializer)
}

/// Any failed command. If the exit code is 4, some changes were made. Otherwise, nothing was changed.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Failed<'a> {
    problems: Vec<ProblemLine<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct ProblemLine<'a> {
    code: &'a str,
    message: &'a str,
    help: Option<&'a str>,
    /// The locations in the files, starting with the primary one.
    places: Vec<Labeled<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct Labeled<'a> {
    #[serde(flatten)]
    place: Location,
    label: &'a str,
}

/// Serializes the problems, with each place resolved to a file location.
pub(crate) fn serialize_problems<S: Serializer>(
    problems: &Problems,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    Failed { problems: lines(problems) }.serialize(serializer)
}

fn lines(problems: &Problems) -> Vec<ProblemLine<'_>> {
    let mut lines = Vec::new();
    for problem in &problems.list {
        let labels = problem.labels.iter();
        let places =
            labels.map(|label| Labeled { place: problems.sources.locate(label.place), label: &label.text });
        lines.push(ProblemLine {
            code: problem.code,
            message: &problem.message,
            help: problem.help.as_deref(),
            places: places.collect(),
        });
    }
    lines
}
