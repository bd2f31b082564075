//! Files that were written, or would be.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Place, VERSION, encode, place};
use crate::exit::Exit;
use crate::report::facts::files::{FileLine, FilesReport, LeftLine};
use crate::report::toml_diff::Hunk;

/// `fmt`, `import`: what becomes of files.
#[derive(Serialize, JsonSchema)]
pub(super) struct Files<'a> {
    version: u32,
    command: &'a str,
    exit_code: u8,
    files: Vec<File<'a>>,
    /// What is in Pylon and not written into the files.
    left: Vec<Left<'a>>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct File<'a> {
    file: &'a str,
    /// `written`, `would be written` or `unchanged`.
    state: &'a str,
    /// Lines of a diff, where there is one.
    diff: String,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Left<'a> {
    email: &'a str,
    why: &'a str,
    place: Option<Place>,
}

pub(super) fn write(command: &str, exit: Exit, report: &FilesReport) -> String {
    let FilesReport { verdict: _, files, left } = report;
    encode(&Files {
        version: VERSION,
        command,
        exit_code: exit.code(),
        files: files.iter().map(file).collect(),
        left: left.iter().map(left_line).collect(),
    })
}

pub(super) fn file(line: &FileLine) -> File<'_> {
    let FileLine { name, state, hunks } = line;
    File { file: name.raw(), state: state.as_str(), diff: hunks.iter().map(Hunk::text).collect() }
}

pub(super) fn left_line(line: &LeftLine) -> Left<'_> {
    let LeftLine { email, why, location } = line;
    Left { email: email.raw(), why, place: location.as_ref().map(place) }
}
