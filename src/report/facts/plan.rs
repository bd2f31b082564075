//! What a plan has to say, and an apply: facts with their places settled. Names and values are
//! [`Printable`]; reasons, failures and file names are made so by the sentence they stand in.

use jiff::Timestamp;

use super::OrganizationLine;
use super::files::{FileLine, LeftLine};
use crate::apply::{Outcome, Stop};
use crate::desired::Origin;
use crate::invocation::Invocation;
use crate::plan::guardrails::{Figure, Verdict};
use crate::printable::Printable;
use crate::pylon::inquiry::CutShort;
use crate::roster::{Field, Guardrail};
use crate::source::Location;

/// A reviewed plan, and what came of it if it was carried out.
#[derive(Debug, Clone)]
pub struct PlanReport {
    /// Whose it is.
    pub organization: OrganizationLine,
    /// A sandbox made the organization up from the files.
    pub made_up: bool,
    /// How rolecall was called, for the commands that the report suggests.
    pub invocation: Invocation,
    /// How many people are declared.
    pub declared: usize,
    /// The instant that was asked about, where it is not the present.
    pub at: Option<Printable>,
    /// The people it is limited to; empty where it is about everybody.
    pub only: Vec<Printable>,
    /// Who is not in step, sorted by declared address.
    pub entries: Vec<Entry>,
    /// Who gains or loses a role that `keep_at_least` keeps: what a reviewer looks at first. In the order of `entries`.
    pub kept_roles: Vec<KeptRoleLine>,
    /// Declared people who are as they should be.
    pub in_step: usize,
    /// Operations of a saved plan that somebody else has brought about meanwhile.
    pub meanwhile: usize,
    /// Users without an email address, sorted by ID. They are not people.
    pub integrations: Vec<IntegrationLine>,
    /// Primary addresses of people whom no file declares; empty where the files ignore them.
    pub undeclared: Vec<Printable>,
    /// What the guardrails say.
    pub guardrails: Vec<GuardrailLine>,
    /// Acknowledgements that have expired.
    pub expired: Vec<ExpiredLine>,
    /// What windows will bring by themselves: the next days, and what would be refused.
    pub coming: Vec<ComingLine>,
    /// The windows of these people that hold or will, in order of their beginning.
    pub windows: Vec<WindowLine>,
    /// When the report was made: where the windows' line of time begins.
    pub now: Timestamp,
    /// What a rollback leaves as it is, and what the files say against it.
    pub takeback: Option<TakebackLines>,
    /// How far the audit log was read, where it was asked (`--blame`).
    pub audit_log: Option<AuditLogLine>,
    /// What came of it, if it was carried out.
    pub result: Option<ApplyResult>,
    /// Where its journal is, if it was carried out.
    pub journal: Option<Printable>,
    /// Where the plan was saved.
    pub saved: Option<Printable>,
}

/// A user without an email address.
#[derive(Debug, Clone)]
pub struct IntegrationLine {
    /// Their ID in Pylon.
    pub id: Printable,
    /// Their name in Pylon.
    pub name: Printable,
}

/// What a window will bring by itself.
#[derive(Debug, Clone)]
pub struct ComingLine {
    /// When, as the file wrote it.
    pub when: Printable,
    /// The declared address.
    pub email: Printable,
    /// `role` or `status`.
    pub field: Field,
    /// What is desired before; nothing where the value is left alone.
    pub from: Option<Printable>,
    /// What is desired from then on; nothing where the value is left alone.
    pub to: Option<Printable>,
    /// Where it is declared.
    pub location: Location,
    /// The figures of the guardrails that would refuse it, each with its name.
    pub refused_by: Vec<String>,
}

/// A kept role that somebody gains or loses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRoleLine {
    /// The declared address.
    pub email: Printable,
    /// The role.
    pub role: Printable,
    /// Whether it is gained; otherwise it is lost.
    pub gained: bool,
}

/// What a rollback leaves as it is, and what the files say against it.
#[derive(Debug, Clone)]
pub struct TakebackLines {
    /// Whether the journal comes to its end.
    pub is_whole: bool,
    /// How many of its lines cannot be read: what they say is not taken back.
    pub unreadable: usize,
    /// What is not taken back, and why.
    pub left: Vec<LeftLine>,
    /// How many people are declared otherwise, so that the next apply would undo the rollback.
    pub contradicted: usize,
    /// What the files would have to say instead.
    pub files: Vec<FileLine>,
    /// What cannot be said by an edit: a window holds, for one.
    pub unwritten: Vec<LeftLine>,
}

/// A window that holds or will.
#[derive(Debug, Clone)]
pub struct WindowLine {
    /// The declared address.
    pub email: Printable,
    /// Its first instant; always, if there is none.
    pub from: Option<Instant>,
    /// The first instant after it; for good, if there is none.
    pub until: Option<Instant>,
    /// `role` or `status`, and the value while it holds.
    pub sets: Vec<(Field, Printable)>,
    /// The status afterwards, for whoever still shows the window's.
    pub then: Option<Printable>,
    /// Why.
    pub reason: Option<Printable>,
    /// Where it is declared.
    pub location: Location,
}

/// An instant, and how it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instant {
    /// The instant.
    pub at: Timestamp,
    /// As the file wrote it.
    pub written: Printable,
}

/// One person who is not in step.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The declared address.
    pub email: Printable,
    /// What it is about.
    pub kind: EntryKind,
    /// Where the person is declared.
    pub location: Location,
}

/// What an entry is about.
#[derive(Debug, Clone)]
pub enum EntryKind {
    /// Something changes.
    Change {
        /// Who, in Pylon.
        person: PersonLine,
        /// What changes.
        edits: Vec<EditLine>,
        /// What came of it.
        outcome: Option<Outcome>,
    },
    /// Something differs that the policy only observes.
    Observed {
        /// Who, in Pylon.
        person: PersonLine,
        /// What differs.
        edits: Vec<EditLine>,
    },
    /// Found under another address, and in step.
    FoundElsewhere {
        /// Who, in Pylon.
        person: PersonLine,
    },
    /// Not in Pylon.
    Missing {
        /// The nearest address.
        did_you_mean: Option<Printable>,
    },
    /// Deactivated in Pylon.
    Deactivated {
        /// The name in Pylon.
        name: Printable,
    },
}

/// A person as Pylon knows them.
#[derive(Debug, Clone)]
pub struct PersonLine {
    /// The id.
    pub id: Printable,
    /// The name.
    pub name: Printable,
    /// The primary address, where it is not the declared one.
    pub primary: Option<Printable>,
}

/// One field that changes.
#[derive(Debug, Clone)]
pub struct EditLine {
    /// `role` or `status`.
    pub field: Field,
    /// The value before.
    pub from: Vec<Printable>,
    /// The value afterwards.
    pub to: Printable,
    /// Roles that stay through SCIM groups.
    pub through_scim: Vec<Printable>,
    /// Where it is declared.
    pub location: Location,
    /// Where it comes from, if not from the person's own declaration.
    pub origin: Origin,
    /// Who brought the value before about; nothing where that was not asked or the audit log does not say it.
    pub blame: Option<BlameLine>,
}

/// Who brought a value about: the newest entry of the audit log about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlameLine {
    /// Who.
    pub actor: ActorLine,
    /// From where: `api`, `app`; may be empty.
    pub source: Printable,
    /// What the log calls it.
    pub action: Printable,
    /// When.
    pub at: Timestamp,
    /// The value before it, where the log has it.
    pub old: Option<Printable>,
    /// The value that it set, where the log has it.
    pub new: Option<Printable>,
    /// It set another value than Pylon has now.
    pub is_outlived: bool,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActorLine {
    /// Somebody in the organisation.
    Person {
        /// The id.
        id: Printable,
        /// The name.
        name: Printable,
        /// The primary address.
        email: Printable,
    },
    /// Somebody who is not, or not any more.
    Id(Printable),
    /// Only from where it came is known.
    Source(Printable),
    /// Not even that.
    Unknown,
}

/// How far the audit log was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLogLine {
    /// Whether it could be read at all.
    pub is_available: bool,
    /// Why it was not read to its end.
    pub unread: Option<CutShort>,
    /// How many edits it was asked about.
    pub edits: usize,
    /// About how many of them it says something.
    pub blamed: usize,
}

/// What one guardrail says.
#[derive(Debug, Clone)]
pub struct GuardrailLine {
    /// Which.
    pub guardrail: Guardrail,
    /// Whether the plan may be carried out.
    pub verdict: Verdict,
    /// What it is about.
    pub of: Figure,
    /// The same with its limit, in a few words: `2 of 12 change (limit 10)`.
    pub figure: String,
    /// How to acknowledge it, where it refuses.
    pub remedy: Option<String>,
    /// Where to look in the files.
    pub location: Option<Location>,
}

/// An acknowledgement that has expired.
#[derive(Debug, Clone)]
pub struct ExpiredLine {
    /// Of which guardrail.
    pub guardrail: &'static str,
    /// Since when, as it was written.
    pub expired: Printable,
    /// The same instant.
    pub at: Timestamp,
    /// Where it stands.
    pub location: Location,
}

impl ExpiredLine {
    /// The instant at which it ended, for people: a date alone does not say that it ends when the day begins.
    pub fn ended(&self) -> String {
        self.at.strftime("%Y-%m-%d %H:%MZ").to_string()
    }
}

/// What came of an apply as a whole.
#[derive(Debug, Clone)]
pub struct ApplyResult {
    /// Why it ended early.
    pub stopped: Option<Stop>,
    /// Changes that could not be read back.
    pub not_read_back: usize,
}

impl PlanReport {
    /// The outcomes, where it was carried out.
    pub fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        self.changes().filter_map(|(_, _, _, outcome)| outcome)
    }

    /// The people who change, with what changes and what came of it.
    pub fn changes(&self) -> impl Iterator<Item = (&Entry, &PersonLine, &[EditLine], Option<&Outcome>)> {
        self.entries.iter().filter_map(|entry| match &entry.kind {
            EntryKind::Change { person, edits, outcome } => {
                Some((entry, person, edits.as_slice(), outcome.as_ref()))
            }
            EntryKind::Observed { .. }
            | EntryKind::FoundElsewhere { .. }
            | EntryKind::Missing { .. }
            | EntryKind::Deactivated { .. } => None,
        })
    }

    /// Whether a guardrail refuses it.
    pub fn is_refused(&self) -> bool {
        self.guardrails.iter().any(|line| line.verdict == Verdict::Refused)
    }
}
