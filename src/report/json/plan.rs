//! For programs: one JSON object, frozen by its version. New fields may come within a version; none goes or changes.
//!
//! Structs of its own, so that moving code never moves the contract. Text from elsewhere is there without loss; what is
//! unprintable in it stands as `\uXXXX`, and no line can become a command to a CI runner.

use serde::Serialize;

use super::plan_report::{
    ComingLine, EditLine, Entry, EntryKind, ExpiredLine, GuardrailLine, PersonLine, PlanReport,
};
use super::words;
use crate::apply::Outcome;
use crate::desired::Origin;
use crate::plan::guardrails::Verdict;
use crate::printable::{Printable, is_unprintable};
use crate::problem::Problems;
use crate::source::Location;

/// The version of everything below.
pub const VERSION: u32 = 1;

#[derive(Serialize)]
struct Valid {
    version: u32,
    command: &'static str,
    valid: bool,
    files: usize,
    declared: usize,
}

#[derive(Serialize)]
struct NobodyDeclared<'a> {
    version: u32,
    command: &'a str,
    file: &'a str,
    declared: usize,
}

#[derive(Serialize)]
struct Failed<'a> {
    version: u32,
    command: &'a str,
    problems: Vec<Problem<'a>>,
}

#[derive(Serialize)]
struct Problem<'a> {
    code: &'a str,
    message: &'a str,
    help: Option<&'a str>,
    places: Vec<Labelled<'a>>,
}

#[derive(Serialize)]
struct Labelled<'a> {
    #[serde(flatten)]
    place: Place,
    label: &'a str,
}

#[derive(Serialize)]
struct Place {
    file: String,
    line: usize,
    column: usize,
}

#[derive(Serialize)]
struct Plan<'a> {
    version: u32,
    command: &'a str,
    organization: Organization<'a>,
    declared: usize,
    at: Option<&'a str>,
    only: Vec<&'a str>,
    refused: bool,
    summary: Summary,
    changes: Vec<Change<'a>>,
    observed: Vec<Change<'a>>,
    missing: Vec<Absent<'a>>,
    found_elsewhere: Vec<Elsewhere<'a>>,
    undeclared: Vec<&'a str>,
    guardrails: Vec<Guardrail<'a>>,
    expired_acknowledgements: Vec<Expired<'a>>,
    coming: Vec<Coming<'a>>,
    result: Option<ResultOf>,
    journal: Option<&'a str>,
    saved: Option<&'a str>,
}

#[derive(Serialize)]
struct Organization<'a> {
    id: &'a str,
    name: &'a str,
    place: &'a str,
}

#[derive(Serialize)]
struct Summary {
    changes: usize,
    in_step: usize,
    in_step_since_saved: usize,
    observed: usize,
    missing: usize,
    undeclared: usize,
}

#[derive(Serialize)]
struct Change<'a> {
    email: &'a str,
    #[serde(flatten)]
    person: Person<'a>,
    edits: Vec<Edit<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<OutcomeOf>,
}

#[derive(Serialize)]
struct Person<'a> {
    id: &'a str,
    name: &'a str,
    primary_email: Option<&'a str>,
}

#[derive(Serialize)]
struct Edit<'a> {
    field: &'a str,
    from: Vec<&'a str>,
    to: &'a str,
    through_scim: Vec<&'a str>,
    place: Place,
    origin: OriginOf<'a>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum OriginOf<'a> {
    Person,
    Defaults,
    Window { until: Option<&'a str>, reason: Option<&'a str> },
    AfterWindow { window_status: &'a str },
}

#[derive(Serialize)]
struct OutcomeOf {
    name: &'static str,
    in_force: bool,
    detail: String,
    request_id: Option<String>,
}

#[derive(Serialize)]
struct Absent<'a> {
    email: &'a str,
    deactivated: bool,
    did_you_mean: Option<&'a str>,
    place: Place,
}

#[derive(Serialize)]
struct Elsewhere<'a> {
    email: &'a str,
    #[serde(flatten)]
    person: Person<'a>,
    place: Place,
}

#[derive(Serialize)]
struct Guardrail<'a> {
    name: &'static str,
    verdict: &'static str,
    figure: &'a str,
    acknowledged: Option<&'a str>,
    remedy: Option<&'a str>,
    place: Option<Place>,
}

#[derive(Serialize)]
struct Expired<'a> {
    guardrail: &'a str,
    expired: &'a str,
    place: Place,
}

#[derive(Serialize)]
struct Coming<'a> {
    when: &'a str,
    email: &'a str,
    field: &'a str,
    from: Option<&'a str>,
    to: Option<&'a str>,
    place: Place,
    refused_by: &'a [String],
}

#[derive(Serialize)]
struct ResultOf {
    stopped: Option<String>,
    not_read_back: usize,
}

/// The files are valid.
pub fn valid(files: usize, declared: usize) -> String {
    encode(&Valid { version: VERSION, command: "validate", valid: true, files, declared })
}

/// Nobody is declared.
pub fn nobody_declared(command: &str, file: &Printable) -> String {
    encode(&NobodyDeclared { version: VERSION, command, file: file.raw(), declared: 0 })
}

/// It could not be done.
pub fn problems(command: &str, problems: &Problems) -> String {
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
    encode(&Failed { version: VERSION, command, problems: list.collect() })
}

/// A plan, or what came of it.
pub fn plan(report: &PlanReport) -> String {
    let PlanReport {
        command,
        organization,
        organization_id,
        place,
        declared,
        at,
        only,
        entries,
        in_step,
        meanwhile,
        undeclared,
        guardrails,
        expired,
        coming,
        result,
        journal,
        saved,
    } = report;
    let mut plan = Plan {
        version: VERSION,
        command,
        organization: Organization {
            id: organization_id.raw(),
            name: organization.raw(),
            place: place.raw(),
        },
        declared: *declared,
        at: at.as_ref().map(Printable::raw),
        only: only.iter().map(Printable::raw).collect(),
        refused: report.is_refused(),
        summary: Summary {
            changes: 0,
            in_step: *in_step,
            in_step_since_saved: *meanwhile,
            observed: 0,
            missing: 0,
            undeclared: undeclared.len(),
        },
        changes: Vec::new(),
        observed: Vec::new(),
        missing: Vec::new(),
        found_elsewhere: Vec::new(),
        undeclared: undeclared.iter().map(Printable::raw).collect(),
        guardrails: guardrails.iter().map(guardrail).collect(),
        expired_acknowledgements: expired.iter().map(expired_line).collect(),
        coming: coming.iter().map(coming_line).collect(),
        result: result.as_ref().map(|result| ResultOf {
            stopped: result.stopped.as_ref().map(words::stop),
            not_read_back: result.not_read_back,
        }),
        journal: journal.as_ref().map(Printable::raw),
        saved: saved.as_ref().map(Printable::raw),
    };
    entries.iter().for_each(|entry| plan.take(entry));
    plan.summary.changes = plan.changes.len();
    plan.summary.observed = plan.observed.len();
    plan.summary.missing = plan.missing.len();
    encode(&plan)
}

impl<'a> Plan<'a> {
    fn take(&mut self, entry: &'a Entry) {
        let Entry { email, kind, location } = entry;
        let email = email.raw();
        let mut absent = |deactivated: bool, did_you_mean: Option<&'a Printable>| {
            self.missing.push(Absent {
                email,
                deactivated,
                did_you_mean: did_you_mean.map(Printable::raw),
                place: place(location),
            });
        };
        match kind {
            EntryKind::Change { person, edits, outcome } => self.changes.push(Change {
                email,
                person: person_of(person),
                edits: edits.iter().map(edit).collect(),
                outcome: outcome.as_ref().map(outcome_of),
            }),
            EntryKind::Observed { person, edits } => self.observed.push(Change {
                email,
                person: person_of(person),
                edits: edits.iter().map(edit).collect(),
                outcome: None,
            }),
            EntryKind::FoundElsewhere { person } => {
                self.found_elsewhere.push(Elsewhere {
                    email,
                    person: person_of(person),
                    place: place(location),
                });
            }
            EntryKind::Missing { did_you_mean } => absent(false, did_you_mean.as_ref()),
            EntryKind::Deactivated { name: _ } => absent(true, None),
        }
    }
}

fn place(location: &Location) -> Place {
    let Location { file, line, column } = location;
    Place { file: file.clone(), line: *line, column: *column }
}

fn person_of(person: &PersonLine) -> Person<'_> {
    let PersonLine { id, name, primary } = person;
    Person { id: id.raw(), name: name.raw(), primary_email: primary.as_ref().map(Printable::raw) }
}

fn edit(edit: &EditLine) -> Edit<'_> {
    let EditLine { field, from, to, through_scim, location, origin } = edit;
    Edit {
        field,
        from: from.iter().map(Printable::raw).collect(),
        to: to.raw(),
        through_scim: through_scim.iter().map(Printable::raw).collect(),
        place: place(location),
        origin: match origin {
            Origin::Person => OriginOf::Person,
            Origin::Defaults => OriginOf::Defaults,
            Origin::Window { until, reason } => OriginOf::Window {
                until: until.as_ref().map(|until| until.written.as_str()),
                reason: reason.as_deref(),
            },
            Origin::After { window } => OriginOf::AfterWindow { window_status: window.as_str() },
        },
    }
}

fn outcome_of(outcome: &Outcome) -> OutcomeOf {
    OutcomeOf {
        name: outcome.as_str(),
        in_force: outcome.is_in_force(),
        detail: words::outcome(outcome),
        request_id: outcome.failure().and_then(|failure| failure.request_id()).map(str::to_owned),
    }
}

fn guardrail(line: &GuardrailLine) -> Guardrail<'_> {
    let GuardrailLine { guardrail, verdict, figure, remedy, location } = line;
    let (verdict, acknowledged) = match verdict {
        Verdict::Holds => ("holds", None),
        Verdict::Reported => ("reported", None),
        Verdict::Acknowledged { reason } => ("acknowledged", Some(reason.as_str())),
        Verdict::Refused => ("refused", None),
    };
    Guardrail {
        name: guardrail.as_str(),
        verdict,
        figure,
        acknowledged,
        remedy: remedy.as_deref(),
        place: location.as_ref().map(place),
    }
}

fn expired_line(line: &ExpiredLine) -> Expired<'_> {
    let ExpiredLine { guardrail, expired, location } = line;
    Expired { guardrail, expired: expired.raw(), place: place(location) }
}

fn coming_line(line: &ComingLine) -> Coming<'_> {
    let ComingLine { when, email, field, from, to, location, refused_by } = line;
    let (from, to) = (from.as_ref().map(Printable::raw), to.as_ref().map(Printable::raw));
    Coming { when: when.raw(), email: email.raw(), field, from, to, place: place(location), refused_by }
}

/// Pretty, so that it can be read and diffed, and with a last line end.
fn encode(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value)
        .unwrap_or_else(|error| unreachable!("structs of texts serialise: {error}"));
    escape(&text) + "\n"
}

/// Writes what is unprintable as `\uXXXX`. Only inside strings can there be any, and there the escape means the same;
/// so too for the `#` of `##[`, which a GitHub runner takes for a command wherever it stands in a line.
fn escape(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for char in json.chars() {
        if is_unprintable(char) && char != '\n' {
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
