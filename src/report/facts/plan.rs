//! A plan, and the result if it was applied.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::OrganizationLine;
use super::agenda::{ScheduledChange, WindowLine};
use super::comparison::DifferenceEntry;
use super::files::{FileLine, SkippedLine};
use crate::apply::Outcome;
use crate::desired::Origin;
use crate::invocation::Invocation;
use crate::plan::cause::Cause;
use crate::plan::guardrails::{Figure, Verdict};
use crate::printable::Printable;
use crate::report::words;
use crate::roster::{Field, Guardrail};
use crate::source::Location;

/// `plan`, `apply`, and `rollback`: what would change, or the result of changing it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PlanReport {
    pub organization: OrganizationLine,
    /// `true` if a sandbox made the organization up from the files; otherwise absent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub made_up: bool,
    /// How rolecall was called, for the commands that the report suggests.
    #[serde(skip)]
    pub invocation: Invocation,
    /// How many people are declared.
    pub declared: usize,
    /// The time of `--at`. `None` if it is the present.
    pub at: Option<Printable>,
    /// The people that the plan is limited to. Empty if it is about all people.
    pub only: Vec<Printable>,
    /// Whether a guardrail blocks the plan.
    pub blocked: bool,
    pub summary: PlanSummary,
    /// The guarded roles that people gain or lose, sorted by address. A reviewer looks at these first.
    pub guarded_roles: Vec<GuardedRoleLine>,
    /// Sorted by declared address, as are the next three.
    pub changes: Vec<ChangeLine>,
    /// What differs and is left alone, because the policy only observes it.
    pub observed: Vec<ChangeLine>,
    /// Declared people who are not in Pylon, or deactivated there.
    pub missing: Vec<MissingLine>,
    /// People who are in sync, but have another primary address in Pylon.
    pub found_elsewhere: Vec<FoundElsewhereLine>,
    /// Primary addresses of people that no file declares. Empty if the files ignore them.
    pub unmanaged: Vec<Printable>,
    /// Whether the text lists all of them (`plan --list-unmanaged`).
    #[serde(skip)]
    pub lists_unmanaged: bool,
    /// Users without an email address, sorted by ID. They are not people.
    pub integration_users: Vec<IntegrationLine>,
    pub guardrails: Vec<GuardrailLine>,
    #[serde(rename = "expired_acknowledgments")]
    pub expired: Vec<ExpiredLine>,
    /// The changes that windows will make in the next days, and those that would be blocked on their day.
    pub scheduled: Vec<ScheduledChange>,
    /// The windows of these people, sorted by their beginning.
    pub windows: Vec<WindowLine>,
    /// The beginning of the timeline of the windows.
    #[serde(skip)]
    pub now: Timestamp,
    /// `None` unless the plan is a rollback.
    #[serde(rename = "rollback", skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub rollback: Option<RollbackNotes>,
    /// `None` without `plan --blame`.
    #[serde(rename = "blame", skip_serializing_if = "Option::is_none")]
    pub audit_log: Option<AuditLogLine>,
    /// `None` if the plan was not applied.
    #[serde(skip_deserializing)]
    pub result: Option<ApplyResult>,
    /// The version of the files that the causes come from. `None` without `plan --base`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<BaseLine>,
    /// The path of the journal, if the plan was applied.
    pub journal: Option<Printable>,
    /// The path of the saved plan.
    pub saved: Option<Printable>,
}

/// How many people there are of each kind.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct PlanSummary {
    pub changes: usize,
    pub in_sync: usize,
    /// Changes of a saved plan that someone else has made since.
    pub in_sync_since_saved: usize,
    pub observed: usize,
    pub missing: usize,
    pub unmanaged: usize,
    pub integration_users: usize,
}

/// A person who changes, or who would change if the policy did more than observe.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ChangeLine {
    /// The address by which the person is declared.
    pub email: Printable,
    #[serde(flatten)]
    pub person: PersonLine,
    pub edits: Vec<EditLine>,
    /// `None` if the change was not part of an apply.
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub outcome: Option<OutcomeLine>,
    /// Where the person is declared.
    pub location: Location,
}

impl ChangeLine {
    /// The cause of the whole change: the first of [`Cause::ALL`] that one of its edits has.
    pub fn cause(&self) -> Option<Cause> {
        self.edits.iter().filter_map(|edit| edit.cause).min()
    }
}

/// A declared person who is not in Pylon, or deactivated there.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct MissingLine {
    /// The address by which the person is declared.
    pub email: Printable,
    pub deactivated: bool,
    /// The name in Pylon of a person who is deactivated.
    pub name: Option<Printable>,
    /// The nearest address of a person that no file declares.
    pub did_you_mean: Option<Printable>,
    /// Where the person is declared.
    pub location: Location,
}

/// A person who is in sync, and was found by another address than the primary one.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FoundElsewhereLine {
    /// The address by which the person is declared.
    pub email: Printable,
    #[serde(flatten)]
    pub person: PersonLine,
    /// Where the person is declared.
    pub location: Location,
}

/// A person as Pylon knows them.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PersonLine {
    pub id: Printable,
    pub name: Printable,
    /// `None` if it is the declared address.
    pub primary_email: Option<Printable>,
}

/// A user without an email address.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct IntegrationLine {
    pub id: Printable,
    pub name: Printable,
}

/// A guarded role that a person gains or loses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GuardedRoleLine {
    /// The address by which the person is declared.
    pub email: Printable,
    pub role: Printable,
    /// `false` if it is lost.
    pub gained: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct EditLine {
    pub field: Field,
    /// No value, one, or several roles.
    pub from: Vec<Printable>,
    pub to: Printable,
    /// Roles that the person keeps through SCIM groups.
    pub through_scim: Vec<Printable>,
    /// Where the new value is declared.
    pub location: Location,
    pub origin: Origin,
    /// Who set `from`. Only with `plan --blame`, and only if the audit log shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blame: Option<BlameLine>,
    /// Why the edit is in the plan. `None` without `plan --base`, or if the base is not valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
}

/// The version of the files that a plan is compared with, to find the cause of each edit.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct BaseLine {
    /// The file or revision, as it was given.
    pub name: Printable,
    /// The ID of the commit. `None` if the base is a file.
    pub commit: Option<Printable>,
    /// `false` if the revision does not have the config. Then this change causes every edit.
    pub has_files: bool,
    /// The first problem of that version. If it is not valid, no edit has a cause.
    pub problem: Option<Printable>,
    /// What the files declare differently from that version, and what the plan does not write now. Sorted as in a comparison.
    pub unwritten: Vec<DifferenceEntry>,
}

impl BaseLine {
    /// A revision that does not have the config.
    pub fn without_files(name: Printable, commit: Printable) -> Self {
        Self { name, commit: Some(commit), has_files: false, problem: None, unwritten: Vec::new() }
    }
}

impl GuardedRoleLine {
    /// Returns the verb between the person and the role.
    pub const fn verb(&self) -> &'static str {
        if self.gained { "gains" } else { "loses" }
    }
}

impl EditLine {
    /// Returns `from` and `to` for people: each cut to at most `limit` characters, and never so that the two look the same.
    pub fn short_values(&self, limit: usize) -> (Vec<Printable>, Printable) {
        let from: Vec<&str> = self.from.iter().map(Printable::raw).collect();
        Printable::cut_changes(&from, self.to.raw(), limit)
    }
}

/// The newest entry of the audit log about a field of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BlameLine {
    /// `None` if the log names only a source, or not even that.
    pub actor_id: Option<Printable>,
    /// The next two are `None` if the actor is not a user of the organization, or not any more.
    pub actor_name: Option<Printable>,
    pub actor_email: Option<Printable>,
    /// Where the change came from, such as `api` or `app`.
    pub source: Option<Printable>,
    /// The name of the action in the log.
    pub action: Printable,
    /// The instant as an RFC 3339 timestamp in UTC.
    #[schemars(with = "String")]
    pub at: Timestamp,
    pub old: Option<Printable>,
    pub new: Option<Printable>,
    /// Whether it set a value other than `from`. A later change is then missing in the log.
    pub outdated: bool,
}

/// How far the audit log was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditLogLine {
    pub available: bool,
    /// If it was read to its end, an edit without `blame` is one that is not in the log.
    pub complete: bool,
    /// Why it was not read to its end.
    pub reason: Option<String>,
    /// How many edits were looked up in it.
    pub edits: usize,
    /// How many of them are in it.
    pub blamed: usize,
}

/// How one change ended.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct OutcomeLine {
    pub name: &'static str,
    pub applied: bool,
    /// The name, and the reason if it is known.
    pub detail: String,
    pub request_id: Option<String>,
    #[serde(skip)]
    pub outcome: Outcome,
}

impl OutcomeLine {
    /// Returns the facts of an outcome.
    pub fn new(outcome: Outcome) -> Self {
        Self {
            name: outcome.as_str(),
            applied: outcome.is_in_sync(),
            detail: words::outcome(&outcome),
            request_id: outcome.failure().and_then(|failure| failure.request_id.clone()),
            outcome,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct GuardrailLine {
    pub name: Guardrail,
    #[serde(flatten)]
    pub verdict: Verdict,
    /// `None` if the plan was saved and read again.
    #[serde(skip)]
    pub about: Option<Figure>,
    /// The figure with its limit: `2 of 12 change (limit 10)`.
    pub figure: String,
    /// Why it only warns, if it does.
    pub note: Option<String>,
    /// How to acknowledge it, if it blocks the plan. Several lines, the last of them TOML.
    pub remedy: Option<String>,
    pub location: Option<Location>,
}

/// An acknowledgment that has expired.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ExpiredLine {
    pub guardrail: Guardrail,
    /// The instant as the file wrote it.
    pub expired: Printable,
    /// The same instant as an RFC 3339 timestamp in UTC.
    #[schemars(with = "String")]
    pub at: Timestamp,
    pub location: Location,
}

/// The values that a rollback does not restore, and how the files contradict it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RollbackNotes {
    /// `false` if the run that wrote the journal was killed.
    pub journal_is_whole: bool,
    /// The changes in these lines of the journal are not rolled back.
    pub unreadable_lines: usize,
    pub not_rolled_back: Vec<SkippedLine>,
    /// How many people have other values in the files, so that the next apply would undo the rollback.
    pub contradicted: usize,
    /// The edits of the files that keep the rollback.
    pub files: Vec<FileLine>,
    /// The values for which no edit is suggested, such as a value that a window sets.
    pub unwritten: Vec<SkippedLine>,
}

/// The result of an apply as a whole.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ApplyResult {
    /// Why the apply ended early.
    pub stopped: Option<String>,
    /// Changes that Pylon confirmed when they were sent and that could not be read back.
    pub not_read_back: usize,
    /// What to do if not everything is applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_step: Option<String>,
}

/// A declared person who is not in sync, or was found by another address.
#[derive(Debug, Clone, Copy)]
pub enum Entry<'r> {
    Change(&'r ChangeLine),
    Observed(&'r ChangeLine),
    Missing(&'r MissingLine),
    FoundElsewhere(&'r FoundElsewhereLine),
}

impl Entry<'_> {
    /// The address by which the person is declared.
    pub fn email(&self) -> &Printable {
        match self {
            Self::Change(line) | Self::Observed(line) => &line.email,
            Self::Missing(line) => &line.email,
            Self::FoundElsewhere(line) => &line.email,
        }
    }

    /// The edits of a person who changes or is observed.
    pub fn edits(&self) -> &[EditLine] {
        match self {
            Self::Change(line) | Self::Observed(line) => &line.edits,
            Self::Missing(_) | Self::FoundElsewhere(_) => &[],
        }
    }
}

impl GuardrailLine {
    /// Returns whether it only says how many people hold a role with a maximum.
    pub fn is_seats(&self) -> bool {
        self.name == Guardrail::KeepAtMost && self.verdict == Verdict::Passes
    }
}

impl PlanReport {
    /// Returns all entries about people, sorted by declared address.
    pub fn entries(&self) -> Vec<Entry<'_>> {
        let changes = self.changes.iter().map(Entry::Change);
        let observed = self.observed.iter().map(Entry::Observed);
        let missing = self.missing.iter().map(Entry::Missing);
        let found_elsewhere = self.found_elsewhere.iter().map(Entry::FoundElsewhere);
        let mut entries: Vec<Entry<'_>> =
            changes.chain(observed).chain(missing).chain(found_elsewhere).collect();
        entries.sort_by_cached_key(|entry| entry.email().raw().to_ascii_lowercase());
        entries
    }

    /// Returns the user ID and the field of each edit that is known not to be drift.
    pub fn edits_without_drift(&self) -> impl Iterator<Item = (&str, Field)> {
        self.changes.iter().flat_map(|change| {
            let known =
                change.edits.iter().filter(|edit| edit.cause.is_some_and(|cause| cause != Cause::Drift));
            known.map(|edit| (change.person.id.raw(), edit.field))
        })
    }

    /// Returns the roles with a maximum, and how many people hold them, unless a guardrail warns or blocks because of it.
    pub fn seats(&self) -> impl Iterator<Item = &GuardrailLine> {
        self.guardrails.iter().filter(|line| line.is_seats())
    }

    /// Returns the outcomes of the changes. Empty if the plan was not applied.
    pub fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        self.changes.iter().filter_map(|change| Some(&change.outcome.as_ref()?.outcome))
    }
}
