//! One person.

use schemars::JsonSchema;
use serde::Serialize;

use super::plan::{Plan, plan};
use super::{
    Coming, OrganizationOf, Place, VERSION, WindowOf, coming_line, encode, organization_of, place,
    window_line,
};
use crate::exit::Exit;
use crate::printable::Printable;
use crate::report::PlanReport;
use crate::report::facts::explanation::{ExplanationReport, HeldBy, PylonLine, StandingLine, ValueLine};

/// `explain`: everything about one person.
#[derive(Serialize, JsonSchema)]
pub(super) struct Explanation<'a> {
    version: u32,
    command: &'a str,
    exit_code: u8,
    organization: OrganizationOf<'a>,
    asked: &'a str,
    declared: Option<Declared<'a>>,
    in_pylon: Option<InPylon<'a>>,
    /// Where several people there have the address, so that no file can mean one of them.
    several_in_pylon: Vec<InPylon<'a>>,
    values: Vec<Value<'a>>,
    /// The plan of this person alone; nothing for somebody whom no file declares.
    plan: Option<Box<Plan<'a>>>,
    /// What the guardrails see in this person, whatever changes.
    standing: Vec<Standing<'a>>,
    did_you_mean: Option<&'a str>,
    coming: Vec<Coming<'a>>,
    windows: Vec<WindowOf<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct Declared<'a> {
    email: &'a str,
    place: Place,
}

#[derive(Serialize, JsonSchema)]
struct InPylon<'a> {
    id: &'a str,
    name: &'a str,
    email: &'a str,
    other_emails: Vec<&'a str>,
    found_by_other_email: bool,
    assigned_roles: Vec<&'a str>,
    through_scim: Vec<&'a str>,
    status: &'a str,
    deactivated: bool,
}

#[derive(Serialize, JsonSchema)]
struct Standing<'a> {
    guardrail: &'a str,
    text: &'a str,
    place: Option<Place>,
}

#[derive(Serialize, JsonSchema)]
struct Value<'a> {
    field: &'a str,
    /// Nothing where it is left alone.
    value: Option<&'a str>,
    origin: &'a str,
    place: Option<Place>,
}

pub(super) fn write(command: &str, exit: Exit, report: &ExplanationReport) -> String {
    let ExplanationReport {
        organization,
        asked,
        declared,
        in_pylon,
        values,
        plan: of_person,
        standing,
        did_you_mean,
        coming,
        windows,
    } = report;
    let (one, several) = match in_pylon {
        HeldBy::Nobody => (None, &[][..]),
        HeldBy::One(person) => (Some(person.as_ref()), &[][..]),
        HeldBy::Several(people) => (None, people.as_slice()),
    };
    encode(&Explanation {
        version: VERSION,
        command,
        exit_code: exit.code(),
        organization: organization_of(organization),
        asked: asked.raw(),
        declared: declared
            .as_ref()
            .map(|(email, location)| Declared { email: email.raw(), place: place(location) }),
        in_pylon: one.map(person),
        several_in_pylon: several.iter().map(person).collect(),
        values: values.iter().map(value).collect(),
        plan: of_person.as_ref().map(of_one),
        standing: standing.iter().map(standing_line).collect(),
        did_you_mean: did_you_mean.as_ref().map(Printable::raw),
        coming: coming.iter().map(coming_line).collect(),
        windows: windows.iter().map(window_line).collect(),
    })
}

/// The plan ends as `plan --only` would, whatever becomes of the explanation.
fn of_one(report: &PlanReport) -> Box<Plan<'_>> {
    let exit = if report.is_refused() { Exit::Refused } else { Exit::Done };
    Box::new(plan("plan", exit, report))
}

fn person(line: &PylonLine) -> InPylon<'_> {
    let PylonLine { id, name, email, others, found_by_other, assigned, through_scim, status, deactivated } =
        line;
    InPylon {
        id: id.raw(),
        name: name.raw(),
        email: email.raw(),
        other_emails: others.iter().map(Printable::raw).collect(),
        found_by_other_email: *found_by_other,
        assigned_roles: assigned.iter().map(Printable::raw).collect(),
        through_scim: through_scim.iter().map(Printable::raw).collect(),
        status: status.raw(),
        deactivated: *deactivated,
    }
}

fn standing_line(line: &StandingLine) -> Standing<'_> {
    let StandingLine { guardrail, text, location } = line;
    Standing { guardrail: guardrail.as_str(), text, place: location.as_ref().map(place) }
}

fn value(line: &ValueLine) -> Value<'_> {
    let ValueLine { field, value, origin, location } = line;
    Value {
        field: field.as_str(),
        value: value.as_ref().map(Printable::raw),
        origin,
        place: location.as_ref().map(place),
    }
}
