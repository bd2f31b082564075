//! One person: what Pylon has, what is declared and why, what comes next, which guardrails look.

use super::OrganizationLine;
use super::plan::{ComingLine, EditLine, EntryKind, GuardrailLine, PlanReport, WindowLine};
use crate::desired::DesiredPerson;
use crate::observed::{Found, ObservedState, Person};
use crate::plan::guardrails::{Figure, Verdict};
use crate::plan::suggest::Addresses;
use crate::printable::Printable;
use crate::report::sheet::{Mark, Row, Section, Sheet, cell};
use crate::report::words;
use crate::roster::{Email, Field, Guardrail, Roster};
use crate::source::{Location, Sources};

/// Everything about one person.
#[derive(Debug, Clone)]
pub struct ExplanationReport {
    /// Where the person is or is not.
    pub organization: OrganizationLine,
    /// The address that was asked about.
    pub asked: Printable,
    /// The address by which the person is declared, and where; nothing for somebody whom no file declares.
    pub declared: Option<(Printable, Location)>,
    /// Who in Pylon has the address.
    pub in_pylon: HeldBy,
    /// Each value that is declared now.
    pub values: Vec<ValueLine>,
    /// The plan of this person alone, with the guardrails over everybody; nothing for somebody whom no file declares.
    pub plan: Option<PlanReport>,
    /// What the guardrails see in this person, whatever changes.
    pub standing: Vec<StandingLine>,
    /// The nearest known address, where nobody has this one.
    pub did_you_mean: Option<Printable>,
    /// The coming transitions.
    pub coming: Vec<ComingLine>,
    /// The windows that hold or will.
    pub windows: Vec<WindowLine>,
}

/// Who in Pylon has an address.
#[derive(Debug, Clone)]
pub enum HeldBy {
    /// Nobody.
    Nobody,
    /// One person.
    One(Box<PylonLine>),
    /// Several, of whom no file can mean one by it.
    Several(Vec<PylonLine>),
}

/// What a guardrail sees in a person.
#[derive(Debug, Clone)]
pub struct StandingLine {
    /// Which.
    pub guardrail: Guardrail,
    /// What it sees, in a few words.
    pub text: String,
    /// The rule.
    pub location: Option<Location>,
}

/// A person as Pylon has them.
#[derive(Debug, Clone)]
pub struct PylonLine {
    /// The id.
    pub id: Printable,
    /// The name.
    pub name: Printable,
    /// The primary address.
    pub email: Printable,
    /// The other addresses.
    pub others: Vec<Printable>,
    /// Whether the address that was asked about is one of the others.
    pub found_by_other: bool,
    /// The assigned roles.
    pub assigned: Vec<Printable>,
    /// Roles from SCIM groups.
    pub through_scim: Vec<Printable>,
    /// The status; may be empty.
    pub status: Printable,
    /// They can no longer sign in.
    pub deactivated: bool,
}

/// One declared value.
#[derive(Debug, Clone)]
pub struct ValueLine {
    /// `role` or `status`.
    pub field: Field,
    /// The value; nothing where it is left alone.
    pub value: Option<Printable>,
    /// Where it comes from, in words: `the person`, `[defaults]`, `a window until …`.
    pub origin: String,
    /// Where it stands.
    pub location: Option<Location>,
}

impl ExplanationReport {
    /// Who the person is in the files and in Pylon. The plan comes in by the caller.
    pub fn new(
        asked: &Email,
        roster: &Roster,
        desired: Option<&DesiredPerson>,
        observed: &ObservedState,
        place: &str,
        plan: Option<PlanReport>,
        now: jiff::Timestamp,
    ) -> Self {
        let sources = &roster.sources;
        let email = desired.map_or(asked, |desired| &desired.email.value);
        let line =
            |person: &Person, found_by_other: bool| Box::new(pylon_line(person, found_by_other, observed));
        let (in_pylon, found) = match observed.find(email) {
            Found::Nobody => (HeldBy::Nobody, None),
            Found::Primary(person) => (HeldBy::One(line(person, false)), Some(person)),
            Found::Secondary(person) => (HeldBy::One(line(person, true)), Some(person)),
            Found::Several(people) => {
                let lines = people.iter().map(|person| pylon_line(person, person.email != *email, observed));
                (HeldBy::Several(lines.collect()), None)
            }
        };
        let is_nobodys = matches!(in_pylon, HeldBy::Nobody);
        let is_theirs = |other: &Email| other == email;
        let coming = roster.agenda(now);
        let coming = coming.iter().filter(|transition| is_theirs(&transition.email));
        let windows = roster.windows_ahead(now);
        let windows = windows.iter().filter(|ahead| is_theirs(&ahead.email));
        Self {
            organization: OrganizationLine::new(&observed.organization, place),
            asked: Printable::new(asked.as_str()),
            declared: desired.map(|desired| {
                (Printable::new(desired.email.value.as_str()), sources.locate(desired.email.place))
            }),
            in_pylon,
            values: desired.map(|desired| values(desired, sources)).unwrap_or_default(),
            standing: standing(email, found, roster, observed),
            did_you_mean: near(asked, roster, observed).filter(|_| is_nobodys),
            plan,
            coming: coming.map(|transition| super::compose::coming_line(transition, sources)).collect(),
            windows: windows.map(|ahead| super::compose::window_line(ahead, sources)).collect(),
        }
    }

    /// The rows of it.
    pub fn sheet(&self) -> Sheet {
        let changes = self.plan.as_ref().map_or(0, |plan| plan.changes().count());
        let (mark, verdict) = match (&self.declared, &self.in_pylon) {
            (_, HeldBy::Several(_)) => (
                Mark::Bad,
                "several people in Pylon have this address: ask by one that nobody else has".to_owned(),
            ),
            (None, HeldBy::Nobody) => (Mark::Bad, "neither declared nor in Pylon".to_owned()),
            (None, HeldBy::One(_)) => {
                (Mark::Attention, "declared nowhere: rolecall leaves this person alone".to_owned())
            }
            (Some(_), HeldBy::Nobody) => (Mark::Attention, "declared, and not in Pylon".to_owned()),
            (Some(_), HeldBy::One(person)) if person.deactivated => {
                (Mark::Attention, "declared, and deactivated in Pylon".to_owned())
            }
            (Some(_), HeldBy::One(_)) if changes > 0 => {
                (Mark::Attention, "not in step: see what would change".to_owned())
            }
            (Some(_), HeldBy::One(_)) => (Mark::Good, "in step".to_owned()),
        };
        let sections =
            vec![self.in_pylon(), self.in_files(), self.would_change(), self.to_come(), self.guardrails()];
        Sheet {
            about: vec![self.asked.short(words::LONGEST_ADDRESS), words::organization(&self.organization)],
            verdict,
            mark,
            sections,
        }
    }

    fn in_pylon(&self) -> Section {
        let no_one = |text: &str| Row::new(Mark::Bad, [Printable::new(text)]);
        let rows = match (&self.in_pylon, &self.did_you_mean) {
            (HeldBy::Nobody, None) => vec![no_one("nobody has this address")],
            (HeldBy::Nobody, Some(near)) => {
                let near = format!("did you mean {}?", near.short(words::LONGEST_ADDRESS));
                vec![no_one("nobody has this address").note(near)]
            }
            (HeldBy::One(person), _) => person_rows(person),
            (HeldBy::Several(people), _) => {
                let note = |PylonLine { id, name, email, .. }: &PylonLine| {
                    format!("{} ({}), {}", cell(name), cell(id), cell(email))
                };
                let notes = people.iter().map(note).collect();
                vec![Row { notes, ..no_one("several people have this address") }]
            }
        };
        Section { title: Some("In Pylon"), rows, ..Section::default() }
    }

    fn in_files(&self) -> Section {
        let rows = match &self.declared {
            None => vec![Row::new(Mark::Plain, [Printable::new("no file declares this address")])],
            Some((email, location)) => {
                let person = Row::new(
                    Mark::Plain,
                    [Printable::new("declared"), cell(email), Printable::new("by this address")],
                );
                std::iter::once(person.at(location.clone()))
                    .chain(self.values.iter().map(value_row))
                    .collect()
            }
        };
        Section { title: Some("In the files, now"), rows, ..Section::default() }
    }

    fn would_change(&self) -> Section {
        let edits = self.plan.iter().flat_map(PlanReport::changes).flat_map(|(_, _, edits, _)| edits);
        let observed =
            self.plan.iter().flat_map(|plan| &plan.entries).filter_map(|entry| match &entry.kind {
                EntryKind::Observed { person: _, edits } => Some(edits),
                EntryKind::Change { .. }
                | EntryKind::FoundElsewhere { .. }
                | EntryKind::Missing { .. }
                | EntryKind::Deactivated { .. } => None,
            });
        let row = |edit: &EditLine, note: &str| {
            let from = if edit.from.is_empty() { "(none)".into() } else { joined(&edit.from) };
            let change = Printable::new(&words::change(&from, cell(&edit.to).as_str()));
            let row = Row::new(Mark::Attention, [Printable::new(edit.field.as_str()), change])
                .at(edit.location.clone());
            if note.is_empty() { row } else { row.note(note) }
        };
        let edits = edits.map(|edit| row(edit, ""));
        let observed = observed.flatten().map(|edit| row(edit, "observed, left alone"));
        Section {
            title: Some("What would change"),
            rows: edits.chain(observed).collect(),
            ..Section::default()
        }
    }

    fn to_come(&self) -> Section {
        let row = |line: &ComingLine| {
            let value = |value: &Option<Printable>| {
                value.as_ref().map_or_else(|| "(left alone)".to_owned(), |value| cell(value).to_string())
            };
            let change = format!("{} {}", line.field, words::change(&value(&line.from), &value(&line.to)));
            Row::new(Mark::Plain, [cell(&line.when), Printable::new(&change)]).at(line.location.clone())
        };
        Section {
            title: Some("Coming by itself"),
            rows: self.coming.iter().map(row).collect(),
            ..Section::default()
        }
    }

    /// Whether a guardrail that looks at everybody speaks of this address: `a@acme.example` ends like many another.
    fn is_about_asked(&self, figure: &Figure) -> bool {
        match figure {
            Figure::ProtectedNobody(email)
            | Figure::Protected(email)
            | Figure::TokenOwner { email, role: _ } => *email == Email::observed(self.asked.raw()),
            Figure::Changes { .. }
            | Figure::Holders(_)
            | Figure::Active { .. }
            | Figure::AdminNotKept(_)
            | Figure::Unmanaged(_)
            | Figure::Missing(_) => false,
        }
    }

    fn guardrails(&self) -> Section {
        let concerns = |line: &&GuardrailLine| match line.verdict {
            Verdict::Holds | Verdict::Acknowledged { .. } | Verdict::Refused => true,
            Verdict::Reported => self.is_about_asked(&line.of),
        };
        let row = |line: &GuardrailLine| {
            let GuardrailLine { guardrail, of: _, verdict, figure, remedy, location } = line;
            let mark = match verdict {
                Verdict::Holds => Mark::Good,
                Verdict::Reported | Verdict::Acknowledged { .. } => Mark::Attention,
                Verdict::Refused => Mark::Bad,
            };
            let mut row = Row::new(mark, [Printable::new(guardrail.as_str()), Printable::new(figure)]);
            row.location.clone_from(location);
            row.notes.extend(remedy.clone());
            row
        };
        let lines = self.plan.iter().flat_map(|plan| &plan.guardrails).filter(concerns).map(row);
        let standing = self.standing.iter().map(|line| {
            let StandingLine { guardrail, text, location } = line;
            let mut row = Row::new(Mark::Plain, [Printable::new(guardrail.as_str()), Printable::new(text)]);
            row.location.clone_from(location);
            row
        });
        let rows = standing.chain(lines).collect();
        Section { title: Some("Guardrails, for this person alone"), rows, ..Section::default() }
    }
}

fn person_rows(person: &PylonLine) -> Vec<Row> {
    let PylonLine { id, name, email, others, found_by_other, assigned, through_scim, status, deactivated } =
        person;
    let listed = |values: &[Printable]| {
        Printable::new(if values.is_empty() { "(none)".to_owned() } else { joined(values) }.as_str())
    };
    let fact = |name: &str, value: Printable| Row::new(Mark::Plain, [Printable::new(name), value]);
    let mut rows = vec![fact("name", cell(name)), fact("id", cell(id)), fact("address", cell(email))];
    if !others.is_empty() {
        rows.push(fact("also", listed(others)));
    }
    if *found_by_other {
        let found = fact("found", Printable::new("by another address than the primary one"));
        rows.push(Row { mark: Mark::Attention, ..found });
    }
    rows.push(fact("role", listed(assigned)));
    if !through_scim.is_empty() {
        rows.push(fact("through SCIM", listed(through_scim)).note("no change of ours takes these away"));
    }
    rows.push(fact("status", if status.is_empty() { Printable::new("(none)") } else { cell(status) }));
    if *deactivated {
        rows.push(Row {
            mark: Mark::Attention,
            ..fact("deactivated", Printable::new("can no longer sign in"))
        });
    }
    rows
}

fn joined(values: &[Printable]) -> String {
    values.iter().map(|value| cell(value).to_string()).collect::<Vec<_>>().join(", ")
}

/// What the guardrails see in a person whether or not anything changes.
fn standing(
    email: &Email,
    person: Option<&Person>,
    roster: &Roster,
    observed: &ObservedState,
) -> Vec<StandingLine> {
    let is_theirs = |other: &Email| {
        other == email
            || person.is_some_and(|person| person.email == *other || person.secondary.contains(other))
    };
    let protected = roster.guardrails.protected.iter().filter(|other| is_theirs(&other.value));
    let protected = protected.map(|other| StandingLine {
        guardrail: Guardrail::Protected,
        text: "never changed, unless that is acknowledged".into(),
        location: Some(roster.sources.locate(other.place)),
    });
    let is_own = person.is_some_and(|person| observed.token_user.as_ref() == Some(&person.id));
    let own = is_own.then(|| StandingLine {
        guardrail: Guardrail::TokenOwner,
        text: "the token is theirs, so they keep their kept roles".into(),
        location: None,
    });
    protected.chain(own).collect()
}

/// The nearest address that a file or Pylon knows.
fn near(asked: &Email, roster: &Roster, observed: &ObservedState) -> Option<Printable> {
    let declared = roster.people.iter().map(|person| &person.email.value);
    let known = declared.chain(observed.people().map(|person| &person.email));
    let near = Addresses::new(known.filter(|known| *known != asked)).near(asked)?;
    Some(Printable::new(near.as_str()))
}

fn value_row(line: &ValueLine) -> Row {
    let ValueLine { field, value, origin, location } = line;
    let value = value.as_ref().map_or_else(|| Printable::new("(left alone)"), cell);
    let mut row = Row::new(Mark::Plain, [Printable::new(field.as_str()), value, Printable::new(origin)]);
    row.location.clone_from(location);
    row
}

fn values(desired: &DesiredPerson, sources: &Sources) -> Vec<ValueLine> {
    let DesiredPerson { email: _, values, ways_back } = desired;
    let mut lines = Vec::new();
    for (field, value) in values.iter() {
        let undone_windows = if field == Field::Status { ways_back.as_slice() } else { &[] };
        let before = lines.len();
        lines.extend(value.iter().chain(undone_windows).map(|desired| ValueLine {
            field,
            value: Some(Printable::new(&desired.value.value)),
            origin: words::whence(&desired.origin),
            location: Some(sources.locate(desired.value.place)),
        }));
        if lines.len() == before {
            lines.push(ValueLine { field, value: None, origin: String::new(), location: None });
        }
    }
    lines
}

fn pylon_line(person: &Person, found_by_other: bool, observed: &ObservedState) -> PylonLine {
    let Person { id, email, secondary, name, assigned, from_scim, status, deactivated } = person;
    let labels = |ids: &[crate::observed::RoleId]| {
        ids.iter().map(|id| Printable::new(&observed.roles.label(id))).collect()
    };
    PylonLine {
        id: Printable::new(id.as_str()),
        name: Printable::new(name),
        email: Printable::new(email.as_str()),
        others: secondary
            .iter()
            .filter(|other| *other != email)
            .map(|other| Printable::new(other.as_str()))
            .collect(),
        found_by_other,
        assigned: labels(assigned),
        through_scim: labels(from_scim),
        status: Printable::new(status),
        deactivated: *deactivated,
    }
}
