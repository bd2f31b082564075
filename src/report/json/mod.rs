//! For programs: one JSON object, frozen by its version. New fields may come within a version; none goes or changes.
//!
//! Structs of their own, so that moving code never moves the contract; docs/report.schema.json is made of them. Text from
//! elsewhere is there without loss; what is unprintable in it stands as `\uXXXX`, and no line can become a command to a CI
//! runner.

mod agenda;
mod comparison;
mod doctor;
mod explanation;
mod files;
mod plan;
mod roles;

use schemars::{JsonSchema, Schema};
use serde::Serialize;

use super::facts::OrganizationLine;
use super::facts::plan::{ComingLine, Instant, WindowLine};
use super::{Body, Report};
use crate::exit::Exit;
use crate::plan::saved::digest_of;
use crate::printable::{Printable, characters, is_unprintable};
use crate::problem::Problems;
use crate::roster::Field;
use crate::source::Location;

/// The version of everything below.
pub const VERSION: u32 = 1;

/// The report as one JSON object; nothing where there is nothing to say.
pub fn write(report: &Report) -> String {
    let Report { command, exit, body } = report;
    match body {
        Body::Nothing => String::new(),
        Body::NobodyDeclared { file } => {
            let (version, exit_code, file) = (VERSION, exit.code(), file.raw());
            encode(&NobodyDeclared { version, command, exit_code, file, declared: 0 })
        }
        Body::Valid { files, declared } => encode(&Valid {
            version: VERSION,
            command,
            exit_code: exit.code(),
            valid: true,
            files: files.len(),
            paths: files.iter().map(|(name, _)| name).collect(),
            declared: *declared,
            digest: &digest_of(files),
        }),
        Body::Plan(plan) => plan::write(command, *exit, plan),
        Body::Comparison(comparison) => comparison::write(command, *exit, comparison),
        Body::Agenda(agenda) => agenda::write(command, *exit, agenda),
        Body::Roles(roles) => roles::write(command, *exit, roles),
        Body::Explanation(explanation) => explanation::write(command, *exit, explanation),
        Body::Doctor(doctor) => doctor::write(command, *exit, doctor),
        Body::Files(files) => files::write(command, *exit, files),
        Body::Problems(problems) => failed(command, *exit, problems),
    }
}

/// The JSON Schema of every report.
pub fn schema() -> Schema {
    let mut schema = schemars::schema_for!(AnyReport<'_>);
    schema.insert("title".into(), format!("A report of rolecall, version {VERSION}").into());
    schema
}

/// Whatever `--format json` writes.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "a shape: the schema is made of it, and nothing is ever put into it")]
enum AnyReport<'a> {
    Plan(Box<plan::Plan<'a>>),
    Comparison(comparison::Comparison<'a>),
    Agenda(agenda::Agenda<'a>),
    Roles(roles::Roles<'a>),
    Doctor(doctor::Doctor<'a>),
    Files(files::Files<'a>),
    Explanation(Box<explanation::Explanation<'a>>),
    Valid(Valid<'a>),
    NobodyDeclared(NobodyDeclared<'a>),
    Failed(Failed<'a>),
}

/// `validate`: the files are valid.
#[derive(Serialize, JsonSchema)]
struct Valid<'a> {
    version: u32,
    command: &'a str,
    exit_code: u8,
    valid: bool,
    files: usize,
    /// The files that were read, the root file first.
    paths: Vec<&'a str>,
    declared: usize,
    /// `sha256:…` over the names and the texts of all these files, as in a saved plan. Names count from the folder of the root
    /// file, so a copy of the files elsewhere has the same digest.
    digest: &'a str,
}

/// The files declare nobody, so nobody was asked.
#[derive(Serialize, JsonSchema)]
struct NobodyDeclared<'a> {
    version: u32,
    command: &'a str,
    exit_code: u8,
    file: &'a str,
    declared: usize,
}

/// Every verb: it could not be done; unless the exit code is 4, nothing was changed.
#[derive(Serialize, JsonSchema)]
struct Failed<'a> {
    version: u32,
    command: &'a str,
    exit_code: u8,
    problems: Vec<Problem<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct Problem<'a> {
    code: &'a str,
    message: &'a str,
    help: Option<&'a str>,
    places: Vec<Labelled<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct Labelled<'a> {
    #[serde(flatten)]
    place: Place,
    label: &'a str,
}

#[derive(Serialize, JsonSchema)]
struct Place {
    file: String,
    line: usize,
    column: usize,
}

#[derive(Serialize, JsonSchema)]
struct Coming<'a> {
    when: &'a str,
    email: &'a str,
    field: &'a str,
    from: Option<&'a str>,
    to: Option<&'a str>,
    place: Place,
    refused_by: &'a [String],
}

#[derive(Serialize, JsonSchema)]
struct OrganizationOf<'a> {
    id: &'a str,
    name: &'a str,
    place: &'a str,
}

/// A window that holds or will.
#[derive(Serialize, JsonSchema)]
struct WindowOf<'a> {
    email: &'a str,
    from: Option<InstantOf<'a>>,
    until: Option<InstantOf<'a>>,
    role: Option<&'a str>,
    status: Option<&'a str>,
    then: Option<&'a str>,
    reason: Option<&'a str>,
    place: Place,
}

#[derive(Serialize, JsonSchema)]
struct InstantOf<'a> {
    /// RFC 3339, in UTC.
    at: String,
    /// As the file wrote it.
    written: &'a str,
}

fn failed(command: &str, exit: Exit, problems: &Problems) -> String {
    let list = problems.list.iter().map(|problem| Problem {
        code: problem.code,
        message: &problem.message,
        help: problem.help.as_deref(),
        places: problem
            .labels
            .iter()
            .map(|label| Labelled { place: place(&problems.sources.locate(label.place)), label: &label.text })
            .collect(),
    });
    encode(&Failed { version: VERSION, command, exit_code: exit.code(), problems: list.collect() })
}

fn organization_of(line: &OrganizationLine) -> OrganizationOf<'_> {
    let OrganizationLine { name, id, place } = line;
    OrganizationOf { id: id.raw(), name: name.raw(), place: place.raw() }
}

fn place(location: &Location) -> Place {
    let Location { file, line, column } = location;
    Place { file: file.clone(), line: *line, column: *column }
}

fn coming_line(line: &ComingLine) -> Coming<'_> {
    let ComingLine { when, email, field, from, to, location, refused_by } = line;
    let (from, to) = (from.as_ref().map(Printable::raw), to.as_ref().map(Printable::raw));
    Coming {
        when: when.raw(),
        email: email.raw(),
        field: field.as_str(),
        from,
        to,
        place: place(location),
        refused_by,
    }
}

fn window_line(line: &WindowLine) -> WindowOf<'_> {
    let WindowLine { email, from, until, sets, then, reason, location } = line;
    let set = |wanted: Field| sets.iter().find(|(field, _)| *field == wanted).map(|(_, value)| value.raw());
    WindowOf {
        email: email.raw(),
        from: from.as_ref().map(instant),
        until: until.as_ref().map(instant),
        role: set(Field::Role),
        status: set(Field::Status),
        then: then.as_ref().map(Printable::raw),
        reason: reason.as_ref().map(Printable::raw),
        place: place(location),
    }
}

fn instant(instant: &Instant) -> InstantOf<'_> {
    let Instant { at, written } = instant;
    InstantOf { at: at.to_string(), written: written.raw() }
}

/// Pretty, so that it can be read and diffed, and with a last line end.
fn encode(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value)
        .unwrap_or_else(|error| unreachable!("structs of texts serialise: {error}"));
    escape(&text) + "\n"
}

/// Writes what is unprintable as `\uXXXX`, and marks that tower. Only inside strings can there be any, and there the escape
/// means the same; so too for the `#` of `##[`, which a GitHub runner takes for a command wherever it stands in a line.
fn escape(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for (char, acts) in characters(json) {
        if (acts || is_unprintable(char)) && !char.is_ascii_graphic() && char != '\n' {
            let mut units = [0; 2];
            for unit in char.encode_utf16(&mut units) {
                safe += &format!("\\u{unit:04x}");
            }
        } else {
            safe.push(char);
        }
    }
    safe.replace("##[", "\\u0023#[")
}
