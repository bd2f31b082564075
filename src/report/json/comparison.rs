//! What two versions of the files declare differently.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Place, VERSION, WindowOf, encode, place, window_line};
use crate::comparison::{Kind, Subject};
use crate::exit::Exit;
use crate::printable::Printable;
use crate::report::facts::comparison::{ComparisonReport, DifferenceEntry, ItemLine, People, SaidLine};

/// `compare`: what two versions of the files declare differently.
#[derive(Serialize, JsonSchema)]
pub(super) struct Comparison<'a> {
    version: u32,
    command: &'a str,
    exit_code: u8,
    old: &'a str,
    new: &'a str,
    declared: usize,
    summary: Summary,
    differences: Vec<Difference<'a>>,
    windows: Vec<WindowOf<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct Summary {
    people_added: usize,
    people_removed: usize,
    people_changed: usize,
    settings: usize,
    weighty: bool,
}

#[derive(Serialize, JsonSchema)]
struct Difference<'a> {
    subject: SubjectOf<'a>,
    kind: &'static str,
    items: Vec<Item<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[serde(tag = "is", rename_all = "snake_case")]
enum SubjectOf<'a> {
    Workspace,
    Policy,
    Guardrails,
    Acknowledgement {
        guardrail: &'a str,
        /// The role or the user, where the guardrail has one.
        of: Option<&'a str>,
    },
    Files,
    Person {
        email: &'a str,
    },
}

#[derive(Serialize, JsonSchema)]
struct Item<'a> {
    key: &'a str,
    old: Option<Said<'a>>,
    new: Option<Said<'a>>,
    /// A kept role, a guardrail, a policy, an accepted risk, the pin.
    weighty: bool,
    /// Whether it names a role that may be a kept one: only Pylon knows which name, slug, and ID mean the same role.
    unresolved: bool,
}

#[derive(Serialize, JsonSchema)]
struct Said<'a> {
    /// As TOML.
    value: &'a str,
    /// In which its times are meant, where the versions differ in that.
    zone: Option<&'a str>,
    /// Nothing where it is rolecall's own default.
    place: Option<Place>,
    from_defaults: bool,
}

pub(super) fn write(command: &str, exit: Exit, report: &ComparisonReport) -> String {
    let ComparisonReport { old, new, declared, differences, now: _, windows } = report;
    let People { added, removed, changed } = report.people();
    encode(&Comparison {
        version: VERSION,
        command,
        exit_code: exit.code(),
        old: old.raw(),
        new: new.raw(),
        declared: *declared,
        summary: Summary {
            people_added: added,
            people_removed: removed,
            people_changed: changed,
            settings: report.settings().count(),
            weighty: report.is_weighty(),
        },
        differences: differences.iter().map(difference).collect(),
        windows: windows.iter().map(window_line).collect(),
    })
}

fn difference(entry: &DifferenceEntry) -> Difference<'_> {
    let DifferenceEntry { subject, kind, items } = entry;
    let subject = match subject {
        Subject::Workspace => SubjectOf::Workspace,
        Subject::Policy => SubjectOf::Policy,
        Subject::Guardrails => SubjectOf::Guardrails,
        Subject::Acknowledgement { guardrail, of, number: _ } => {
            SubjectOf::Acknowledgement { guardrail, of: Some(of.as_str()).filter(|of| !of.is_empty()) }
        }
        Subject::Files => SubjectOf::Files,
        Subject::Person(email) => SubjectOf::Person { email: email.as_str() },
    };
    let kind = match kind {
        Kind::Added => "added",
        Kind::Removed => "removed",
        Kind::Changed => "changed",
    };
    Difference { subject, kind, items: items.iter().map(item).collect() }
}

fn item(item: &ItemLine) -> Item<'_> {
    let ItemLine { key, old, new, weighty, unresolved } = item;
    let [old, new] = [old, new].map(|value| value.as_ref().map(said));
    Item { key: key.raw(), old, new, weighty: *weighty, unresolved: *unresolved }
}

fn said(said: &SaidLine) -> Said<'_> {
    let SaidLine { value, zone, location, from_defaults } = said;
    Said {
        value: value.raw(),
        zone: zone.as_ref().map(Printable::raw),
        place: location.as_ref().map(place),
        from_defaults: *from_defaults,
    }
}
