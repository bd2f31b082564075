//! Makes the plan that restores what an apply has changed, from its journal and from what Pylon has now.
//!
//! Pure. The journal is trusted input: it decides who is changed, and to what. The report shows each person as Pylon does.
//! A value is restored only if it is still the one that the apply set. A value that has changed since is left alone. What no
//! `PATCH` can restore (several roles, or none) is reported. The result is a plan like any other: the guardrails review it,
//! and the same protocol carries it out.

use std::collections::BTreeMap;

use super::journal::JournalLine;
use super::outcome::OutcomeKind;
use crate::desired::Origin;
use crate::observed::{ObservedState, Person, RoleId, UserId};
use crate::plan::saved::{Operation, Step};
use crate::plan::{Change, Edit, Lost, Plan, Subject};
use crate::problem::{Problem, codes};
use crate::roster::{Email, Field, FieldValue};
use crate::source::{FileId, Place, Sourced, Sources};

codes! {
    /// What can be wrong with a journal.
    pub enum RollbackCode {
        WhichJournal = "rollback::which_journal",
        /// The file is not there or cannot be read.
        Unreadable = "rollback::unreadable",
        /// The file is no journal of an apply, or of another version.
        NoJournal = "rollback::no_journal",
        /// The journal is of another organization or host.
        Foreign = "rollback::foreign",
    }
}

/// What an apply may have changed, as its journal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    organization: String,
    host: String,
    /// Whether the journal comes to its end; one that does not is of a run that was killed.
    pub is_whole: bool,
    /// How many lines cannot be read, beside a last one that a run which was killed leaves.
    pub unreadable: usize,
    operations: Vec<Sourced<Operation>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollback {
    /// What takes back whatever still is as the apply left it.
    pub plan: Plan,
    /// What is not taken back, and why.
    pub left: Vec<NotRolledBack>,
}

/// Something that is not taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotRolledBack {
    /// The person's address in Pylon, or in the journal if Pylon does not have the person; and the line of the journal.
    pub email: Sourced<Email>,
    pub why: NotRolledBackReason,
}

/// Why something is not taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotRolledBackReason {
    /// Somebody has set another value since.
    ChangedSince { field: Field },
    /// No `PATCH` brings it back.
    Lost(Lost),
    /// The organization no longer has the role.
    RoleGone(RoleId),
    /// The person is not in Pylon any more, or deactivated there.
    NotThere,
}

impl Applied {
    /// The addresses that the journal has for everyone whom the apply may have changed.
    pub fn emails(&self) -> impl Iterator<Item = Email> {
        self.operations.iter().map(|operation| Email::observed(&operation.value.email))
    }

    /// What the journal `file` says. Half lines, as a run that was killed leaves them, hide nothing.
    ///
    /// # Errors
    /// It is no journal.
    pub fn read(sources: &Sources, file: FileId) -> Result<Self, Problem> {
        let text = sources.text(file);
        let mut begun = None;
        let mut is_whole = false;
        let mut sent: BTreeMap<String, Sourced<Operation>> = BTreeMap::new();
        let (mut start, mut unreadable) = (0, 0);
        for line in text.split_inclusive('\n') {
            let place = Place::new(file, start..start + line.trim_end().len());
            start += line.len();
            match serde_json::from_str::<JournalLine>(line) {
                Ok(JournalLine::Begin {
                    version: super::journal::VERSION,
                    at: _,
                    command: _,
                    organization,
                    host,
                    changes: _,
                }) => {
                    let begins = (organization, host);
                    if begun.as_ref().is_some_and(|begun| *begun != begins) {
                        return Err(no_journal("it has lines of two organizations or hosts"));
                    }
                    begun = Some(begins);
                }
                Ok(JournalLine::Begin { version, .. }) => {
                    return Err(no_journal(&format!("it has version {version}")));
                }
                // The first intent has the values from before; a second one of the same person repeats it.
                Ok(JournalLine::Intent { at: _, number: _, operation }) => {
                    sent.entry(operation.user.clone()).or_insert(Sourced::new(operation, place));
                }
                Ok(JournalLine::Outcome { at: _, operation, outcome }) if !may_have_changed(&outcome) => {
                    sent.remove(&operation.user);
                }
                // Where its intent cannot be read, the outcome says the same of it.
                Ok(JournalLine::Outcome { at: _, operation, outcome: _ }) => {
                    sent.entry(operation.user.clone()).or_insert(Sourced::new(operation, place));
                }
                Ok(JournalLine::Answer { .. }) => {}
                Err(_) => unreadable += usize::from(line.ends_with('\n') && !line.trim().is_empty()),
                Ok(JournalLine::End { .. }) => is_whole = true,
            }
        }
        let (organization, host) = begun.ok_or_else(|| no_journal("it does not say that an apply begins"))?;
        let mut operations: Vec<Sourced<Operation>> = sent.into_values().collect();
        operations.sort_by(|one, other| one.value.email.cmp(&other.value.email));
        Ok(Self { organization, host, is_whole, unreadable, operations })
    }

    /// The way back, as Pylon is now.
    ///
    /// # Errors
    /// The journal is of another organization or host.
    pub fn rollback(
        &self,
        observed: &ObservedState,
        host: &str,
        declared: usize,
    ) -> Result<Rollback, Problem> {
        for (what, of_journal, now) in [
            ("organization", self.organization.as_str(), observed.organization.id.as_str()),
            ("host", &self.host, host),
        ] {
            if of_journal != now {
                return Err(foreign(what, of_journal, now));
            }
        }
        let mut rollback = Rollback { plan: Plan::empty(observed, declared), left: Vec::new() };
        self.operations.iter().for_each(|operation| rollback.take(operation, observed));
        // By the addresses that are shown, which need not be those of the journal.
        rollback.plan.changes.sort_by(|one, other| one.subject.email.value.cmp(&other.subject.email.value));
        rollback.left.sort_by(|one, other| one.email.value.cmp(&other.email.value));
        Ok(rollback)
    }
}

impl Rollback {
    fn take(&mut self, operation: &Sourced<Operation>, observed: &ObservedState) {
        let Operation { user, email, edits: steps } = &operation.value;
        let place = operation.place;
        let person = UserId::new(user).and_then(|id| observed.person(&id));
        // The ID decides who is changed, so the report must show the address that Pylon has for it. A forged journal could
        // pair the ID with another person's address.
        let shown = person.map_or_else(|| Email::observed(email), |person| person.email.clone());
        let email = Sourced::new(shown, place);
        let left_before = self.left.len();
        let mut leave =
            |why: NotRolledBackReason| self.left.push(NotRolledBack { email: email.clone(), why });
        let Some(person) = person.filter(|person| !person.deactivated) else {
            return leave(NotRolledBackReason::NotThere);
        };
        let edits = steps.iter().filter_map(|step| still_done(step, person, place, &mut leave)).collect();
        let inverse = Change { subject: subject(person, email.clone()), edits }.inverse();
        inverse.lost.into_iter().for_each(|lost| leave(NotRolledBackReason::Lost(lost)));
        let Some(mut change) = inverse.change else {
            // As before the apply already, unless something was left.
            self.plan.in_sync += usize::from(self.left.len() == left_before);
            return;
        };
        change.edits.retain(|edit| {
            let is_gone = match edit.field {
                Field::Role => observed.roles.by_id(&RoleId(edit.to.clone())).is_none(),
                Field::Status => false,
            };
            if is_gone {
                leave(NotRolledBackReason::RoleGone(RoleId(edit.to.clone())));
            }
            !is_gone
        });
        self.plan.changes.extend(Some(change).filter(|change| !change.edits.is_empty()));
    }
}

/// What the apply did to a field, if Pylon still has the value that it set.
fn still_done(
    step: &Step,
    person: &Person,
    place: Place,
    leave: &mut dyn FnMut(NotRolledBackReason),
) -> Option<Edit> {
    let Step { field, from, to } = step;
    let from: Vec<FieldValue> = from.iter().map(|value| value.as_str().into()).collect();
    if !person.has_only(*field, to) {
        if person.values(*field) != from {
            leave(NotRolledBackReason::ChangedSince { field: *field });
        }
        return None;
    }
    let through_scim = person.through_scim(*field);
    Some(Edit { field: *field, from, to: to.as_str().into(), through_scim, place, origin: Origin::Rollback })
}

fn subject(person: &Person, email: Sourced<Email>) -> Subject {
    Subject {
        email,
        id: person.id.clone(),
        primary: person.email.clone(),
        secondary: person.secondary.clone(),
        name: person.name.clone(),
    }
}

/// Of an outcome that is not known, nobody can say that it did not.
fn may_have_changed(outcome: &str) -> bool {
    OutcomeKind::named(outcome).is_none_or(OutcomeKind::may_have_changed)
}

fn no_journal(why: &str) -> Problem {
    Problem::new(RollbackCode::NoJournal, format!("this is no journal of an apply: {why}")).help(
        "an apply writes its journal into .rolecall/journal/ beside the config, or where --journal says",
    )
}

fn foreign(what: &str, of_journal: &str, now: &str) -> Problem {
    let (of_journal, now) =
        (crate::printable::Printable::cut(of_journal, 80), crate::printable::Printable::cut(now, 80));
    Problem::new(RollbackCode::Foreign, format!("this journal is of the {what} {of_journal}, not of {now}"))
        .help("nothing was changed; use the token, the region and the config of that apply")
}
