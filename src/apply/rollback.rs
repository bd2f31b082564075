//! Plans how to undo an apply, based on its journal and the current values in Pylon.
//!
//! This module does no I/O. The users and their old values come from the journal. The report, however, shows the addresses and
//! names found in Pylon, to reveal a forged journal that pairs a user's ID with someone else's address. A value is restored
//! only if Pylon still has the value set by the apply. If no `PATCH` can restore the old value (several roles, or no role), the
//! report says so. The result is a plan like any other: the guardrails review it, and the same protocol carries it out.

use std::collections::BTreeMap;

use super::journal::{JournalLine, VERSION, other_version};
use super::outcome::OutcomeKind;
use crate::desired::Origin;
use crate::observed::{ObservedState, Person, RoleId, UserId};
use crate::plan::saved::{Operation, Step};
use crate::plan::{Change, Edit, Inverse, Lost, Plan, Subject};
use crate::problem::{Problem, codes};
use crate::roster::{Email, Field, FieldValue};
use crate::source::{FileId, Place, Sourced, Sources};

codes! {
    /// The reasons for refusing to roll back an apply.
    pub enum RollbackCode {
        /// The command line does not name a journal.
        WhichJournal = "rollback::which_journal",
        /// The journal does not exist or cannot be read.
        Unreadable = "rollback::unreadable",
        /// The file is not an apply's journal, or its format version is not supported.
        NoJournal = "rollback::no_journal",
        /// The journal is for another organization or host.
        Foreign = "rollback::foreign",
        /// The run that writes the journal is still active on this machine.
        StillRunning = "rollback::still_running",
        /// `--last` selects a rollback that left changes unapplied.
        Incomplete = "rollback::incomplete",
    }
}

/// The changes that an apply might have made, according to its journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    organization: String,
    host: String,
    /// Whether the journal has an end record. If not, the apply was probably killed.
    pub is_whole: bool,
    /// Number of unreadable lines, not counting the incomplete last line left behind by a killed apply.
    pub unreadable: usize,
    operations: Vec<Sourced<Operation>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollback {
    /// The plan that restores the old values wherever Pylon still has the values set by the apply.
    pub plan: Plan,
    /// The changes in `plan`, plus edits for the old values that Pylon already has again, such as after a killed rollback. If
    /// the files declare other values, the next apply would set those.
    pub old_values: Vec<Change>,
    /// The changes that are not rolled back.
    pub not_rolled_back: Vec<NotRolledBack>,
}

/// A change that is not fully rolled back, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotRolledBack {
    /// The user's address in Pylon, or the one in the journal if the user is not found in Pylon. The location is the line in the
    /// journal.
    pub email: Sourced<Email>,
    pub why: NotRolledBackReason,
}

/// The reason a change is not rolled back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotRolledBackReason {
    /// Another user or program has set a different value since the apply.
    ChangedSince { field: Field },
    /// No `PATCH` can restore the old value.
    Lost(Lost),
    /// The role no longer exists in the organization.
    RoleRemoved(RoleId),
    /// The user has been removed from Pylon or deactivated.
    NotInPylon,
}

impl Applied {
    /// Returns the journal's address for each person the apply might have changed.
    pub fn emails(&self) -> impl Iterator<Item = Email> {
        self.operations.iter().map(|operation| Email::observed(&operation.value.email))
    }

    /// Reads the journal `file`, skipping unreadable lines such as the incomplete last line left behind by a killed apply.
    ///
    /// # Errors
    /// Returns an error if the file isn't a journal that this version can read.
    pub fn read(sources: &Sources, file: FileId) -> Result<Self, Problem> {
        let text = sources.text(file);
        let (mut begun, mut is_whole) = (None, false);
        let mut sent: BTreeMap<String, Sourced<Operation>> = BTreeMap::new();
        let (mut start, mut unreadable) = (0, 0);
        for line in text.split_inclusive('\n') {
            let place = Place::new(file, start..start + line.trim_end().len());
            start += line.len();
            match serde_json::from_str::<JournalLine>(line) {
                Ok(JournalLine::Begin { version: VERSION, organization, host, .. }) => {
                    let begins = (organization, host);
                    if begun.as_ref().is_some_and(|begun| *begun != begins) {
                        return Err(no_journal("it covers several organizations or hosts"));
                    }
                    begun = Some(begins);
                }
                Ok(JournalLine::Begin { version, .. }) => {
                    return Err(no_journal(&other_version(version)));
                }
                Ok(JournalLine::Outcome { operation, outcome, at: _ }) if !may_have_changed(&outcome) => {
                    sent.remove(&operation.user);
                }
                // Each retry adds another intent record, but only the first record has the values from before the apply. If the
                // intent is unreadable, use the operation recorded with the outcome, which is identical.
                Ok(
                    JournalLine::Intent { operation, at: _, number: _ }
                    | JournalLine::Outcome { operation, at: _, outcome: _ },
                ) => {
                    sent.entry(operation.user.clone()).or_insert(Sourced::new(operation, place));
                }
                Ok(JournalLine::Answer { .. }) => {}
                Err(_) => unreadable += usize::from(line.ends_with('\n') && !line.trim().is_empty()),
                Ok(JournalLine::End { .. }) => is_whole = true,
            }
        }
        let (organization, host) = begun.ok_or_else(|| no_journal("it has no `begin` line"))?;
        let mut operations: Vec<Sourced<Operation>> = sent.into_values().collect();
        operations.sort_by(|one, other| one.value.email.cmp(&other.value.email));
        Ok(Self { organization, host, is_whole, unreadable, operations })
    }

    /// Returns the plan that rolls back the apply. `host` is the current run's host, and `declared` is the number of declared
    /// people.
    ///
    /// # Errors
    /// Returns an error if the journal is for a different organization or host.
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
        let plan = Plan::empty(observed, declared);
        let mut rollback = Rollback { plan, old_values: Vec::new(), not_rolled_back: Vec::new() };
        self.operations.iter().for_each(|operation| rollback.take(operation, observed));
        // Sort by the addresses in the report, which can differ from those in the journal.
        rollback.plan.changes.sort_by(|one, other| one.subject.email.value.cmp(&other.subject.email.value));
        rollback.not_rolled_back.sort_by(|one, other| one.email.value.cmp(&other.email.value));
        Ok(rollback)
    }
}

impl Rollback {
    fn take(&mut self, operation: &Sourced<Operation>, observed: &ObservedState) {
        let Operation { user, email, edits: steps } = &operation.value;
        let person = UserId::new(user).and_then(|id| observed.person(&id));
        // The change is applied by ID, so the report must show the address that Pylon has for that ID. A forged journal could pair
        // the ID with someone else's address.
        let shown = person.map_or_else(|| Email::observed(email), |person| person.email.clone());
        let email = Sourced::new(shown, operation.place);
        let (change, left) = match person.filter(|person| !person.deactivated) {
            Some(person) => {
                let subject = Subject::new(email.clone(), person);
                let (change, left) = restoring(steps, subject.clone(), person, observed);
                let mut edits = restored(steps, person, operation.place);
                edits.extend(change.iter().flat_map(|change| change.edits.iter().cloned()));
                self.old_values.push(Change { subject, edits });
                (change, left)
            }
            None => (None, vec![NotRolledBackReason::NotInPylon]),
        };
        // If there's nothing to restore and nothing was left out, the user already has the old values.
        self.plan.in_sync += usize::from(change.is_none() && left.is_empty());
        self.plan.changes.extend(change);
        self.not_rolled_back.extend(left.into_iter().map(|why| NotRolledBack { email: email.clone(), why }));
    }
}

/// Returns the change that restores a person's old values, or `None` if there's nothing to restore. Also returns the reason for
/// each value that can't be restored. Old values that Pylon already has again are omitted from both.
fn restoring(
    steps: &[Step],
    subject: Subject,
    person: &Person,
    observed: &ObservedState,
) -> (Option<Change>, Vec<NotRolledBackReason>) {
    let (mut edits, mut left) = (Vec::new(), Vec::new());
    for step in steps {
        match edit_in_effect(step, person, subject.email.place) {
            Ok(edit) => edits.extend(edit),
            Err(why) => left.push(why),
        }
    }
    let Inverse { change, lost } = Change { subject, edits }.inverse();
    left.extend(lost.into_iter().map(NotRolledBackReason::Lost));
    let Some(Change { subject, edits }) = change else { return (None, left) };
    let is_gone = |edit: &Edit| {
        edit.field.facts().names_role && observed.roles.by_id(&RoleId(edit.to.clone())).is_none()
    };
    let (gone, edits): (Vec<_>, Vec<_>) = edits.into_iter().partition(is_gone);
    left.extend(gone.into_iter().map(|edit| NotRolledBackReason::RoleRemoved(RoleId(edit.to))));
    ((!edits.is_empty()).then_some(Change { subject, edits }), left)
}

/// Returns an edit for each old value that Pylon already has again. An old value that no file can declare, such as several
/// roles, is left out.
fn restored(steps: &[Step], person: &Person, place: Place) -> Vec<Edit> {
    let mut edits = Vec::new();
    for Step { field, from, to } in steps {
        if let ([old], true) = (from.as_slice(), from != std::slice::from_ref(to))
            && person.has_only(*field, old)
        {
            let (from, to) = (vec![to.as_str().into()], old.as_str().into());
            edits.push(Edit {
                field: *field,
                from,
                to,
                through_scim: Vec::new(),
                place,
                origin: Origin::Rollback,
            });
        }
    }
    edits
}

/// Reconstructs the apply's edit, or returns `None` if Pylon has the old value again.
///
/// # Errors
/// Returns the reason for leaving out the step if Pylon has neither the old nor the new value.
fn edit_in_effect(step: &Step, person: &Person, place: Place) -> Result<Option<Edit>, NotRolledBackReason> {
    let Step { field, from, to } = step;
    let from: Vec<FieldValue> = from.iter().map(|value| value.as_str().into()).collect();
    if person.has_only(*field, to) {
        let through_scim = person.held[*field].from_scim.clone();
        let to = to.as_str().into();
        return Ok(Some(Edit { field: *field, from, to, through_scim, place, origin: Origin::Rollback }));
    }
    if person.held[*field].assigned == from {
        return Ok(None);
    }
    Err(NotRolledBackReason::ChangedSince { field: *field })
}

/// Returns `true` if an operation with this outcome may have changed something in Pylon, or if the outcome's name is
/// unrecognized.
fn may_have_changed(outcome: &str) -> bool {
    OutcomeKind::named(outcome).is_none_or(OutcomeKind::may_have_changed)
}

fn no_journal(why: &str) -> Problem {
    Problem::new(RollbackCode::NoJournal, format!("rolecall cannot use this journal: {why}")).help(
        "an apply writes its journal to .rolecall/journal/ next to the root file, or to the file that --journal names",
    )
}

fn foreign(what: &str, of_journal: &str, now: &str) -> Problem {
    let (of_journal, now) =
        (crate::printable::Printable::cut(of_journal, 80), crate::printable::Printable::cut(now, 80));
    Problem::new(RollbackCode::Foreign, format!("this journal is for the {what} {of_journal}, not for {now}"))
        .help("nothing was changed; use the token, region, and files of the apply that wrote it")
}
