//! Everything about one person: their values in Pylon, their declaration, scheduled changes, and guardrails.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::agenda::{ScheduledChange, WindowLine};
use super::compose::Labels;
use super::plan::{BlameLine, EditLine, GuardrailLine, PlanReport};
use super::{Envelope, OrganizationLine};
use crate::desired::DesiredPerson;
use crate::exit::Exit;
use crate::observed::{Found, HeldValues, ObservedState, Person, UserId};
use crate::plan::guardrails::{Figure, Finding, RuleViolation, Verdict};
use crate::plan::suggest::Addresses;
use crate::printable::Printable;
use crate::report::tables::{LONGEST_CELL, Mark, Row, Table, TableReport, cell, joined};
use crate::report::words::{self, PlanTimes, full_address};
use crate::roster::{Email, Field, FieldValue, Guardrail, PerField, Roster};
use crate::source::{Location, Place, Sources};

/// `explain`: everything about one person.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ExplanationReport {
    pub organization: OrganizationLine,
    /// The name or address given on the command line, or the address of the only person who matches it.
    pub asked: Printable,
    /// `null` if the person is not declared in any file.
    pub declared: Option<DeclarationLine>,
    pub in_pylon: Option<PylonLine>,
    /// The people in Pylon who have this address, if there are several. None of them can be declared with an ambiguous
    /// address.
    pub several_in_pylon: Vec<PylonLine>,
    /// The currently declared values.
    pub values: Vec<ValueLine>,
    /// The plan limited to this person, except that its guardrails count the changes of everyone. `null` if the person is not
    /// declared in any file.
    #[serde(serialize_with = "as_plan_report")]
    #[schemars(with = "Option<Envelope<'static, PlanReport>>")]
    pub plan: Option<PlanReport>,
    /// The policies that ignore a difference listed in the plan's `ignored`, in the same order.
    pub ignored_by: Vec<PolicyLine>,
    /// The guardrails that apply to this person, regardless of any changes.
    pub standing: Vec<StandingLine>,
    /// The most similar known address, if the person was not found in Pylon.
    pub did_you_mean: Option<Printable>,
    /// People whose name or address contains the text given on the command line, if there are several.
    pub candidates: Vec<CandidateLine>,
    /// The number of additional matches not listed.
    pub more_candidates: usize,
    /// The newest audit log entry about each field. Empty if the log could not be read or has no such entry.
    pub last_changes: Vec<LastChangeLine>,
    pub scheduled: Vec<ScheduledChange>,
    pub windows: Vec<WindowLine>,
}

/// A place in the files that declares the person.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DeclarationLine {
    pub email: Printable,
    pub location: Location,
    /// The commit that last changed the line at `location`, or `null` if git cannot determine it.
    pub since: Option<SinceLine>,
}

/// The commit that last changed a line of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SinceLine {
    /// The commit ID, abbreviated to 12 digits.
    pub commit: String,
    #[schemars(with = "String")]
    pub at: Timestamp,
    pub author: Printable,
    pub subject: Printable,
}

/// A person the user might have meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct CandidateLine {
    /// The primary address in Pylon, or the declared one if the person was not found in Pylon.
    pub email: Printable,
    /// `null` if the person was not found in Pylon.
    pub name: Option<Printable>,
    pub declared: bool,
}

/// The newest audit log entry about one of the person's fields.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LastChangeLine {
    pub field: Field,
    #[serde(flatten)]
    pub blame: BlameLine,
}

/// A guardrail that applies to a person, regardless of any changes.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StandingLine {
    pub guardrail: Guardrail,
    pub text: String,
    /// Where the guardrail is configured. `null` if it applies by default.
    pub location: Option<Location>,
    /// The forbidden roles that the person would still have after an apply. `null` if there are none, or if the guardrail is not
    /// a rule.
    pub violation: Option<GuardrailLine>,
}

/// A key in `[policy]` that ignores a difference.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PolicyLine {
    /// `role`, `status`, or `extra_roles`.
    pub key: &'static str,
    /// Where the policy is set.
    pub location: Option<Location>,
}

/// A person's user record in Pylon.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PylonLine {
    pub id: Printable,
    pub name: Printable,
    pub email: Printable,
    pub other_emails: Vec<Printable>,
    /// Whether the address used to find the person is one of `other_emails`. That address is the declared one or, for an
    /// unmanaged person, the one given on the command line.
    pub found_by_other_email: bool,
    pub values: PerField<HeldValuesLine>,
    /// Whether the person is deactivated and can no longer sign in.
    pub deactivated: bool,
}

/// A person's values of one field in Pylon. Roles are shown by name.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct HeldValuesLine {
    /// Values assigned to the person directly. Can be empty.
    pub assigned: Vec<Printable>,
    /// Values granted through SCIM groups.
    pub through_scim: Vec<Printable>,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ValueLine {
    pub field: Field,
    /// `null` if the files leave the field alone.
    pub value: Option<Printable>,
    /// A description of the value's origin, such as `set for the person` or `from a window until …`.
    pub origin: String,
    pub location: Option<Location>,
}

/// Serializes the plan like the report of `plan`.
#[expect(clippy::ref_option, reason = "serde passes the field")]
fn as_plan_report<S: Serializer>(plan: &Option<PlanReport>, serializer: S) -> Result<S::Ok, S::Error> {
    let exit = |plan: &PlanReport| if plan.blocked { Exit::Blocked } else { Exit::Done };
    plan.as_ref().map(|plan| Envelope::new("plan", exit(plan), plan)).serialize(serializer)
}

impl ExplanationReport {
    /// Creates the report about the person with the address `asked`. `desired` holds the person's declared values, and `review`
    /// is the plan limited to this person, with the findings about the whole plan. The report omits the plan if the person isn't
    /// declared.
    pub fn new(
        asked: &Email,
        roster: &Roster,
        desired: Option<&DesiredPerson>,
        observed: &ObservedState,
        place: &str,
        review: Option<(PlanReport, &[Finding])>,
        now: jiff::Timestamp,
    ) -> Self {
        let sources = &roster.sources;
        let email = desired.map_or(asked, |desired| &desired.email.value);
        let line = |person: &Person| PylonLine::new(person, email, observed);
        let found = observed.find(email);
        let (person, several) = match &found {
            Found::NotFound => (None, &[][..]),
            Found::Primary(person) | Found::Secondary(person) => (Some(*person), &[][..]),
            Found::Several(people) => (None, people.as_slice()),
        };
        let mut standing = standing(email, person, roster, observed);
        if let (Some((plan, findings)), Some(person)) = (&review, person) {
            let labels = Labels { roles: &observed.roles, sources };
            for finding in findings.iter().filter_map(|finding| violation_of(finding, person)) {
                let violation =
                    labels.guardrail(&finding, None, PlanTimes { at: now, now }, &plan.invocation);
                let rule = standing
                    .iter_mut()
                    .find(|line| line.guardrail == Guardrail::Rule && line.location == violation.location);
                if let Some(rule) = rule {
                    rule.violation.get_or_insert(violation);
                }
            }
        }
        let plan = review.map(|(plan, _)| plan).filter(|_| desired.is_some());
        let mut transitions = roster.agenda(now);
        transitions.retain(|transition| {
            let is_respelling = transition.is_respelling(|one, other| observed.roles.is_same(one, other));
            transition.email == *email && !is_respelling
        });
        let mut windows = roster.current_and_coming_windows(now);
        windows.retain(|(theirs, _)| *theirs == email);
        Self {
            organization: OrganizationLine::new(&observed.organization, place),
            asked: Printable::new(asked.as_str()),
            declared: desired.map(|desired| DeclarationLine {
                email: Printable::new(desired.email.value.as_str()),
                location: sources.locate(desired.email.place),
                since: None,
            }),
            in_pylon: person.map(line),
            several_in_pylon: several.iter().map(|person| line(person)).collect(),
            values: desired.map(|desired| values(desired, sources)).unwrap_or_default(),
            ignored_by: plan.iter().flat_map(ignored).map(|edit| PolicyLine::new(edit, roster)).collect(),
            standing,
            did_you_mean: if found == Found::NotFound { near(asked, roster, observed) } else { None },
            candidates: Vec::new(),
            more_candidates: 0,
            last_changes: Vec::new(),
            plan,
            scheduled: transitions
                .iter()
                .map(|transition| ScheduledChange::new(transition, sources))
                .collect(),
            windows: windows.into_iter().map(|window| WindowLine::new(window, sources)).collect(),
        }
    }

    /// Records the newest audit log entry about each field of the person.
    pub fn add_last_changes(&mut self, blames: &BTreeMap<(UserId, Field), BlameLine>) {
        let lines =
            blames.iter().map(|((_, field), blame)| LastChangeLine { field: *field, blame: blame.clone() });
        self.last_changes = lines.collect();
    }

    /// Returns `true` if the address belongs to exactly one known person.
    pub fn is_explained(&self) -> bool {
        self.several_in_pylon.is_empty() && (self.in_pylon.is_some() || self.declared.is_some())
    }

    pub fn tables(&self) -> TableReport {
        let changes = self.plan.as_ref().is_some_and(|plan| !plan.changes.is_empty());
        let observed = self.observed().next().is_some();
        let (mark, verdict) = match (&self.declared, &self.in_pylon) {
            _ if !self.candidates.is_empty() => {
                (Mark::Bad, "several people match; enter more of the name or address")
            }
            _ if !self.several_in_pylon.is_empty() => (
                Mark::Bad,
                "several people in Pylon have this address; use another of the person's addresses",
            ),
            (None, None) if !self.asked.raw().contains('@') => (Mark::Bad, "no name or address matches"),
            (None, None) => (Mark::Bad, "neither declared nor in Pylon"),
            (None, Some(_)) => (Mark::Attention, "unmanaged: rolecall never changes this person"),
            (Some(_), None) => (Mark::Attention, "declared, but not found in Pylon"),
            (Some(_), Some(person)) if person.deactivated => {
                (Mark::Attention, "declared, but deactivated in Pylon")
            }
            (Some(_), Some(_)) if changes => (Mark::Attention, "not in sync: see what would change"),
            (Some(_), Some(_)) if self.observed().any(|edit| edit.origin.is_overdue()) => (
                Mark::Attention,
                "not in sync, and left alone because the window ended more than 48 hours ago; to correct this, set the value in Pylon",
            ),
            (Some(_), Some(_)) if observed => {
                (Mark::Attention, "not in sync, and left alone: the policy only observes this field")
            }
            (Some(_), Some(_)) if !self.ignored_by.is_empty() => {
                (Mark::Attention, "not in sync, but the policy ignores the difference")
            }
            (Some(_), Some(_)) => (Mark::Good, "in sync"),
        };
        let tables = if self.candidates.is_empty() {
            vec![self.in_pylon(), self.in_files(), self.would_change(), self.to_come(), self.guardrails()]
        } else {
            vec![self.candidates()]
        };
        TableReport {
            about: vec![full_address(&self.asked), words::organization(&self.organization)],
            verdict: verdict.to_owned(),
            mark,
            tables,
        }
    }

    fn candidates(&self) -> Table {
        let row = |line: &CandidateLine| {
            let CandidateLine { email, name, declared } = line;
            let name = name.as_ref().map_or_else(|| Printable::new("(not found in Pylon)"), cell);
            let declared = Printable::new(if *declared { "declared" } else { "unmanaged" });
            Row::new(Mark::Plain, [full_address(email), name, declared])
        };
        let mut rows: Vec<Row> = self.candidates.iter().map(row).collect();
        if self.more_candidates > 0 {
            rows.push(Row::new(Mark::Plain, [Printable::new(&format!("and {} more", self.more_candidates))]));
        }
        Table::new(Some("Matching people"), &[], rows)
    }

    fn in_pylon(&self) -> Table {
        let rows = if let Some(person) = &self.in_pylon {
            person_rows(person, &self.last_changes)
        } else if self.several_in_pylon.is_empty() {
            let near = self.did_you_mean.as_ref();
            let near = near.map(|near| format!("did you mean {}?", full_address(near)));
            vec![Row::new(Mark::Bad, [Printable::new("no person has this address")]).notes(near)]
        } else {
            let note = |PylonLine { id, name, email, .. }: &PylonLine| {
                format!("{} ({}), {}", cell(name), cell(id), full_address(email))
            };
            let row = Row::new(Mark::Bad, [Printable::new("several people have this address")]);
            vec![row.notes(self.several_in_pylon.iter().map(note))]
        };
        Table::new(Some("In Pylon"), &[], rows)
    }

    fn in_files(&self) -> Table {
        let rows = match &self.declared {
            None => vec![Row::new(Mark::Plain, [Printable::new("no file declares this address")])],
            Some(DeclarationLine { email, location, since }) => {
                let cells =
                    [Printable::new("declared"), full_address(email), Printable::new("under this address")];
                let person = Row::new(Mark::Plain, cells)
                    .notes(since.as_ref().map(SinceLine::sentence))
                    .at(location.clone());
                std::iter::once(person).chain(self.values.iter().map(value_row)).collect()
            }
        };
        Table::new(Some("In the files now"), &[], rows)
    }

    fn observed(&self) -> impl Iterator<Item = &EditLine> {
        self.plan.iter().flat_map(|plan| &plan.observed).flat_map(|line| &line.edits)
    }

    fn would_change(&self) -> Table {
        let changes = self.plan.iter().flat_map(|plan| &plan.changes).flat_map(|line| &line.edits);
        let row = |edit: &EditLine, note: &str| {
            let change = Printable::new(&edit.change(LONGEST_CELL));
            let row = Row::new(Mark::Attention, [Printable::new(edit.field.as_str()), change])
                .at(edit.location.clone());
            if note.is_empty() { row } else { row.note(note) }
        };
        let changes = changes.map(|edit| row(edit, ""));
        let observed = self.observed().map(|edit| row(edit, "observed, left alone"));
        let ignored = self.plan.iter().flat_map(ignored).zip(&self.ignored_by);
        let ignored = ignored.map(|(edit, policy)| row(edit, &policy.sentence()));
        Table::new(Some("What would change"), &[], changes.chain(observed).chain(ignored))
    }

    fn to_come(&self) -> Table {
        let row = |line: &ScheduledChange| {
            let change = format!("{} {}", line.field, line.change(LONGEST_CELL));
            Row::new(Mark::Plain, [cell(&line.when), Printable::new(&change)]).at(line.location.clone())
        };
        Table::new(Some("Scheduled changes"), &[], self.scheduled.iter().map(row))
    }

    /// Returns `true` if the guardrail is about this person, or if it's about the whole organization and its verdict isn't a
    /// warning. Always returns `false` for the number of unmanaged people and for rules, which are shown in `standing`. Compares
    /// addresses, because searching the formatted text could match part of a longer address.
    fn is_about_person(&self, figure: &Figure, verdict: &Verdict) -> bool {
        let declared = self.declared.iter().map(|declared| &declared.email);
        let in_pylon =
            self.in_pylon.iter().flat_map(|person| person.other_emails.iter().chain([&person.email]));
        let addresses: Vec<Email> =
            declared.chain(in_pylon).chain([&self.asked]).map(|email| Email::observed(email.raw())).collect();
        match figure {
            Figure::ProtectedNotFound(email)
            | Figure::Protected(email)
            | Figure::TokenOwner { email, role: _ } => addresses.contains(email),
            Figure::Rule(_) | Figure::Unmanaged(_) => false,
            Figure::Changes { .. }
            | Figure::AtLeast(_)
            | Figure::AtMost(_)
            | Figure::Active { .. }
            | Figure::AdminNotGuarded(_)
            | Figure::Missing(_) => *verdict != Verdict::Warns,
        }
    }

    fn guardrails(&self) -> Table {
        let concerns = |line: &&GuardrailLine| {
            line.about.as_ref().is_none_or(|figure| self.is_about_person(figure, &line.verdict))
        };
        let row = |line: &GuardrailLine| {
            let GuardrailLine { name, about: _, note: _, verdict, figure, remedy, location } = line;
            let mark = match verdict {
                Verdict::Passes => Mark::Good,
                Verdict::Warns | Verdict::Acknowledged { .. } => Mark::Attention,
                Verdict::Blocks => Mark::Bad,
            };
            Row::new(mark, [Printable::new(name.as_str()), figure.clone()])
                .at(location.clone())
                .notes(remedy.clone())
        };
        let lines = self.plan.iter().flat_map(|plan| &plan.guardrails).filter(concerns).map(row);
        let standing = self.standing.iter().map(|line| {
            let StandingLine { guardrail, text, location, violation } = line;
            if let Some(violation) = violation {
                return row(violation);
            }
            Row::new(Mark::Plain, [Printable::new(guardrail.as_str()), Printable::new(text)])
                .at(location.clone())
        });
        Table::new(Some("Guardrails"), &[], standing.chain(lines))
    }
}

/// Returns the differences that the policy ignores.
fn ignored(plan: &PlanReport) -> impl Iterator<Item = &EditLine> {
    plan.ignored.iter().flat_map(|line| &line.edits)
}

impl PolicyLine {
    fn new(edit: &EditLine, roster: &Roster) -> Self {
        let is_extra = edit.from.contains(&edit.to);
        let key = if is_extra { "extra_roles" } else { edit.field.as_str() };
        let place = roster.setting_places.get(&format!("policy.{key}"));
        Self { key, location: place.map(|place| roster.sources.locate(*place)) }
    }

    fn sentence(&self) -> String {
        let Self { key, location } = self;
        let at = location.as_ref().map_or_else(String::new, |location| {
            format!(", {}", Printable::cut(&location.to_string(), LONGEST_CELL))
        });
        format!("ignored by policy: {key} = \"ignore\"{at}")
    }
}

fn person_rows(person: &PylonLine, last_changes: &[LastChangeLine]) -> Vec<Row> {
    let PylonLine { id, name, email, other_emails, found_by_other_email, values, deactivated } = person;
    let listed = |values: &[Printable]| joined(values.iter().map(cell), "(none)");
    let fact = |name: &str, value: Printable| Row::new(Mark::Plain, [Printable::new(name), value]);
    let mut rows = vec![fact("name", cell(name)), fact("id", cell(id)), fact("address", full_address(email))];
    if !other_emails.is_empty() {
        rows.push(fact("also", joined(other_emails.iter().map(full_address), "")));
    }
    if *found_by_other_email {
        let found = fact("found", Printable::new("by an address other than the primary one"));
        rows.push(Row { mark: Mark::Attention, ..found });
    }
    for (field, HeldValuesLine { assigned, through_scim }) in values.iter() {
        let changes = last_changes.iter().filter(|change| change.field == field);
        let notes = changes.map(|change| words::blame(&change.blame));
        rows.push(fact(field.as_str(), listed(assigned)).notes(notes));
        if !through_scim.is_empty() {
            let note = format!("rolecall cannot remove these {}", field.facts().plural);
            rows.push(fact("through SCIM", listed(through_scim)).note(note));
        }
    }
    if *deactivated {
        rows.push(Row {
            mark: Mark::Attention,
            ..fact("deactivated", Printable::new("can no longer sign in"))
        });
    }
    rows
}

/// Returns the guardrails that apply to a person, regardless of any changes.
fn standing(
    email: &Email,
    person: Option<&Person>,
    roster: &Roster,
    observed: &ObservedState,
) -> Vec<StandingLine> {
    let mut standing = Vec::new();
    let mut add = |guardrail, text: &str, place: Option<Place>| {
        let location = place.map(|place| roster.sources.locate(place));
        standing.push(StandingLine { guardrail, text: text.to_owned(), location, violation: None });
    };
    for other in &roster.guardrails.protected {
        if other.value == *email || person.is_some_and(|person| person.is(&other.value)) {
            add(Guardrail::Protected, "never changed unless acknowledged", Some(other.place));
        }
    }
    if person.is_some_and(|person| observed.token_user.as_ref() == Some(&person.id)) {
        let text = "owns the token, so a plan that takes away Admin or a role with a minimum is blocked unless acknowledged";
        add(Guardrail::TokenOwner, text, None);
    }
    for rule in &roster.guardrails.role_rules {
        if rule.applies_to(person.into_iter().flat_map(Person::addresses).chain([email])) {
            add(Guardrail::Rule, &rule.summary(), Some(rule.place));
        }
    }
    standing
}

/// Limits a rule's finding to one person. Returns `None` for other findings, or if the person doesn't violate the rule.
fn violation_of(finding: &Finding, person: &Person) -> Option<Finding> {
    let Figure::Rule(RuleViolation { rule, holders }) = &finding.figure else { return None };
    let holders: Vec<_> = holders.iter().filter(|(email, _)| person.is(email)).cloned().collect();
    if holders.is_empty() {
        return None;
    }
    let figure = Figure::Rule(RuleViolation { rule: rule.clone(), holders });
    Some(Finding { figure, ..finding.clone() })
}

/// Returns the address most similar to `asked` among the declared people and those in Pylon, or `None` if no address is similar
/// enough.
fn near(asked: &Email, roster: &Roster, observed: &ObservedState) -> Option<Printable> {
    let declared = roster.people.iter().map(|person| &person.email.value);
    let known = declared.chain(observed.people().map(|person| &person.email));
    let near = Addresses::new(known.filter(|known| *known != asked)).near(asked)?;
    Some(Printable::new(near.as_str()))
}

fn value_row(line: &ValueLine) -> Row {
    let ValueLine { field, value, origin, location } = line;
    let value = value.as_ref().map_or_else(|| Printable::new("(left alone)"), cell);
    let cells = [Printable::new(field.as_str()), value, Printable::new(origin)];
    Row::new(Mark::Plain, cells).at(location.clone())
}

fn values(desired: &DesiredPerson, sources: &Sources) -> Vec<ValueLine> {
    let mut lines = Vec::new();
    for (field, value) in desired.values.iter() {
        let before = lines.len();
        lines.extend(value.iter().chain(desired.after_windows(field)).map(|desired| ValueLine {
            field,
            value: Some(Printable::new(&desired.value.value)),
            origin: words::full_origin(&desired.origin),
            location: Some(sources.locate(desired.value.place)),
        }));
        if lines.len() == before {
            lines.push(ValueLine { field, value: None, origin: String::new(), location: None });
        }
    }
    lines
}

impl SinceLine {
    pub(super) fn sentence(&self) -> String {
        let Self { commit, at, author, subject } = self;
        let (day, author, subject) = (at.strftime("%Y-%m-%d"), cell(author), cell(subject));
        format!("line last changed on {day}: commit {commit} by {author}, \"{subject}\"")
    }
}

impl PylonLine {
    /// Creates the entry for a user record in Pylon. `asked` is the declared address or, for an unmanaged person, the address
    /// given on the command line.
    fn new(person: &Person, asked: &Email, observed: &ObservedState) -> Self {
        let Person { id, email, secondary, name, held, deactivated } = person;
        let line = |field: Field| {
            let label = |value: &FieldValue| Printable::new(&observed.roles.value_label(field, value));
            let HeldValues { assigned, from_scim } = &held[field];
            let [assigned, through_scim] =
                [assigned, from_scim].map(|values| values.iter().map(label).collect());
            HeldValuesLine { assigned, through_scim }
        };
        let others = secondary.iter().filter(|other| *other != email);
        Self {
            id: Printable::new(id.as_str()),
            name: Printable::new(name),
            email: Printable::new(email.as_str()),
            other_emails: others.map(|other| Printable::new(other.as_str())).collect(),
            found_by_other_email: email != asked,
            values: PerField::from_fn(line),
            deactivated: *deactivated,
        }
    }
}
