//! The JSON of `validate` for valid files, and of the problems of a failed run.

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
    /// The files that were read, the root file first.
    paths: Vec<&'a str>,
    /// `sha256:…` over the names and the texts of all these files, as in a saved plan. Names count from the folder of the root
    /// file, so a copy of the files elsewhere has the same digest.
    digest: String,
    /// What is valid but has no effect, or is probably a mistake.
    warnings: Vec<ProblemLine<'a>>,
}

/// Writes the facts about valid files. The digest takes time, so it is computed only for JSON.
pub(crate) fn serialize_valid<S: Serializer>(valid: &Problems, serializer: S) -> Result<S::Ok, S::Error> {
    let files = &valid.sources;
    let paths = files.iter().map(|(name, _)| name).collect();
    let warnings = lines(valid);
    Valid { valid: true, files: files.len(), paths, digest: digest_of(files), warnings }.serialize(serializer)
}

/// Every command: it failed. Unless the exit code is 4, nothing was changed.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Failed<'a> {
    problems: Vec<ProblemLine<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct ProblemLine<'a> {
    code: &'a str,
    message: &'a str,
    help: Option<&'a str>,
    /// The first is the main place.
    places: Vec<Labeled<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct Labeled<'a> {
    #[serde(flatten)]
    place: Location,
    label: &'a str,
}

/// Writes the problems with their places located.
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
