//! The report of a plan and, if it was applied, of the result.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::OrganizationLine;
use super::agenda::{ScheduledChange, WindowLine};
use super::files::{FileLine, SkippedLine};
use crate::apply::Outcome;
use crate::comparison::DifferenceEntry;
use crate::desired::Origin;
use crate::invocation::Invocation;
pub use crate::plan::blame::BlameLine;
use crate::plan::cause::Cause;
use crate::plan::guardrails::{Figure, Verdict};
use crate::printable::Printable;
use crate::report::words;
use crate::roster::{Field, Guardrail};
use crate::source::Location;

/// `plan`, `apply`, and `rollback`: the planned changes, or the results of applying them.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PlanReport {
    pub organization: OrganizationLine,
    /// `true` if a sandbox generated the organization. Otherwise, the key is absent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub made_up: bool,
    /// How rolecall was invoked, so that suggested commands use the same options.
    #[serde(skip)]
    pub invocation: Invocation,
    /// The number of declared people.
    pub declared: usize,
    /// The time the plan is for, as set by `--at` or `ROLECALL_NOW`. For a saved plan, the time it was made. `null` for the
    /// present.
    pub at: Option<Printable>,
    /// The people the plan is limited to. Empty if it covers everyone.
    pub only: Vec<Printable>,
    /// Whether a guardrail blocks the plan.
    pub blocked: bool,
    pub summary: PlanSummary,
    /// Gained and lost guarded roles, sorted by address. Reviewers should look at these first.
    pub guarded_roles: Vec<GuardedRoleLine>,
    /// Sorted by declared address, as are `observed`, `ignored`, `missing`, and `found_elsewhere`.
    pub changes: Vec<ChangeLine>,
    /// Differences left alone because the policy only observes them, or because a window ended more than 48 hours ago.
    pub observed: Vec<ChangeLine>,
    /// Differences that the policy ignores. Formats other than JSON only count the people.
    pub ignored: Vec<ChangeLine>,
    /// Declared people who were not found in Pylon or are deactivated there.
    pub missing: Vec<MissingLine>,
    /// People whose primary address in Pylon isn't the declared one, except those in `changes` and `observed`.
    pub found_elsewhere: Vec<FoundElsewhereLine>,
    /// Primary addresses of unmanaged people. Empty in a rollback, or if the files ignore unmanaged people.
    pub unmanaged: Vec<Printable>,
    /// Whether the text format lists all unmanaged people (`plan --list-unmanaged`).
    #[serde(skip)]
    pub lists_unmanaged: bool,
    /// Holders of guarded roles that the files don't declare, sorted by address. Empty in a rollback and in a plan limited to
    /// certain people.
    pub undeclared: Vec<UndeclaredLine>,
    /// Users without an email address, sorted by ID. They do not count as people.
    pub integration_users: Vec<IntegrationLine>,
    pub guardrails: Vec<GuardrailLine>,
    /// The acknowledgments in the files, including expired ones.
    pub acknowledgments: Vec<AcknowledgmentLine>,
    /// Changes of the people in the plan scheduled within the next seven days, plus any later ones that affect a guarded role or
    /// that a guardrail would block. Empty in a rollback.
    pub scheduled: Vec<ScheduledChange>,
    /// The open and upcoming windows of the people in the plan, sorted by start. Empty in a rollback.
    pub windows: Vec<WindowLine>,
    /// The time the plan is for, which the timeline marks as now.
    #[serde(skip)]
    pub now: Timestamp,
    /// Notes specific to a rollback.
    #[serde(rename = "rollback", skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub rollback: Option<RollbackNotes>,
    /// How much of the audit log was read. Only set with `plan --blame`.
    #[serde(rename = "blame", skip_serializing_if = "Option::is_none")]
    pub audit_log: Option<AuditLogLine>,
    /// Only set if the plan was applied.
    #[serde(skip_deserializing)]
    pub result: Option<ApplyResult>,
    /// The base version used to determine causes. Only set with `plan --base`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<BaseLine>,
    /// The path of the journal, if the plan was applied.
    pub journal: Option<Printable>,
    /// The path of the saved plan, if any.
    pub saved: Option<Printable>,
}

/// The number of people in each category.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct PlanSummary {
    pub changes: usize,
    pub in_sync: usize,
    /// Reviewed changes that another user or program has made since the plan was saved.
    pub in_sync_since_saved: usize,
    pub observed: usize,
    /// People with a difference that the policy ignores.
    pub ignored: usize,
    pub missing: usize,
    pub unmanaged: usize,
    pub integration_users: usize,
}

/// A person with changes, or with differences that the policy only observes or ignores.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ChangeLine {
    /// The person's declared address. In a rollback, the primary address in Pylon.
    pub email: Printable,
    #[serde(flatten)]
    pub person: PersonLine,
    pub edits: Vec<EditLine>,
    /// Only set if the change was part of an apply.
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub outcome: Option<OutcomeLine>,
    /// Where the person is declared. In a rollback, the line in the journal.
    pub location: Location,
}

impl ChangeLine {
    /// Returns the overall cause of the change: the first one in [`Cause::ALL`] that applies to any of its edits.
    pub fn cause(&self) -> Option<Cause> {
        self.edits.iter().filter_map(|edit| edit.cause).min()
    }
}

/// A declared person who was not found in Pylon or is deactivated there.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct MissingLine {
    /// The person's declared address.
    pub email: Printable,
    pub deactivated: bool,
    /// The name in Pylon, if the person is deactivated and has a name.
    pub name: Option<Printable>,
    /// The most similar address of an unmanaged person.
    pub did_you_mean: Option<Printable>,
    /// Where the person is declared.
    pub location: Location,
}

/// A person whose primary address in Pylon isn't the declared one.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FoundElsewhereLine {
    /// The person's declared address.
    pub email: Printable,
    #[serde(flatten)]
    pub person: PersonLine,
    /// Where the person is declared.
    pub location: Location,
}

/// The identity of a person in Pylon.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PersonLine {
    pub id: Printable,
    pub name: Printable,
    /// `null` if the declared address is the primary one.
    pub primary_email: Option<Printable>,
}

/// A guarded role held in Pylon that the files don't declare.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct UndeclaredLine {
    /// The person's primary address in Pylon.
    pub email: Printable,
    pub role: Printable,
    /// Whether the person is declared. If so, the person holds the role only through a SCIM group.
    pub declared: bool,
}

/// A user without an email address.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct IntegrationLine {
    pub id: Printable,
    pub name: Printable,
}

/// A guarded role gained or lost by a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GuardedRoleLine {
    /// The person's declared address.
    pub email: Printable,
    pub role: Printable,
    /// Whether the role is gained (`true`) or lost (`false`).
    pub gained: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct EditLine {
    pub field: Field,
    /// The current value. Can be empty or consist of several roles.
    pub from: Vec<Printable>,
    pub to: Printable,
    /// Roles the person retains through SCIM groups.
    pub through_scim: Vec<Printable>,
    /// Where the new value is declared. In a rollback, the line in the journal.
    pub location: Location,
    pub origin: Origin,
    /// Who set `from`. Only set with `plan --blame`, and only if the audit log reveals it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blame: Option<BlameLine>,
    /// The reason the edit is in the plan. Only set with `plan --base` and a valid base. Never set for observed differences.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
}

/// The base version of the files, used to determine the cause of each edit in a plan.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct BaseLine {
    /// The file or revision, as given on the command line. An absolute path is shortened to its file name.
    pub name: Printable,
    /// The commit ID, or `null` if the base is a file.
    pub commit: Option<Printable>,
    /// `false` if the config does not exist in the base revision. Every edit is then attributed to this change.
    pub has_files: bool,
    /// The first problem in the base version, if it is not valid. In that case, edits have no cause.
    pub problem: Option<Printable>,
    /// Differences from the base version that do not lead to a write in this plan, in the same order as in a comparison.
    pub unwritten: Vec<DifferenceEntry>,
}

impl GuardedRoleLine {
    pub const fn verb(&self) -> &'static str {
        if self.gained { "gains" } else { "loses" }
    }
}

impl EditLine {
    /// Returns `from` and `to`, truncated to `limit` characters each. Different values never end up looking the same.
    pub fn short_values(&self, limit: usize) -> (Vec<Printable>, Printable) {
        let from: Vec<&str> = self.from.iter().map(Printable::raw).collect();
        Printable::cut_changes(&from, self.to.raw(), limit)
    }

    /// Formats the old and new values, truncated to `limit` characters each.
    pub fn change(&self, limit: usize) -> String {
        let (from, to) = self.short_values(limit);
        words::change(&words::before(&from), to.as_str())
    }
}

/// How much of the audit log was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditLogLine {
    pub available: bool,
    /// Whether the audit log was read to the end. If so, an edit without `blame` is not in the log, or was not looked up
    /// because the files under review cause it (`plan --base`).
    pub complete: bool,
    /// The reason the audit log was not read to the end.
    pub reason: Option<Printable>,
    /// The number of edits looked up in the audit log.
    pub edits: usize,
    /// The number of edits found in the audit log.
    pub blamed: usize,
}

/// The outcome of a single change.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct OutcomeLine {
    pub name: &'static str,
    /// `true` for `applied` and `already in sync`.
    pub applied: bool,
    /// The name of the outcome, followed by the reason if known.
    pub detail: String,
    pub request_id: Option<String>,
    #[serde(skip)]
    pub outcome: Outcome,
}

impl OutcomeLine {
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
    /// The data that `figure` is formatted from. `None` if the plan was loaded from a file.
    #[serde(skip)]
    pub about: Option<Figure>,
    /// The figure with its limit, such as `2 of 12 change (limit 10)`.
    pub figure: Printable,
    /// The reason the guardrail only warns. `null` if the figure already explains it.
    #[serde(deserialize_with = "note")]
    pub note: Option<Note>,
    /// How to get the guardrail to pass if it blocks the plan. This is several lines of text, and the last ones are an
    /// acknowledgment in TOML.
    #[serde(deserialize_with = "remedy")]
    pub remedy: Option<String>,
    pub location: Option<Location>,
}

/// The reason a guardrail only warns, which is one of [`words::NOTES`].
type Note = &'static str;

/// Deserializes a note. Rejects text that isn't in [`words::NOTES`] because formats don't escape notes.
fn note<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Note>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let known = words::NOTES.into_iter().find(|note| *note == text);
    known.map(Some).ok_or_else(|| D::Error::custom("unknown note about a guardrail"))
}

/// Deserializes a remedy. Each line is escaped because a saved plan could have been edited.
fn remedy<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let printable =
        |text: String| text.split('\n').map(|line| Printable::new(line).to_string()).collect::<Vec<_>>();
    Ok(text.map(|text| printable(text).join("\n")))
}

/// An acknowledgment that the files contain, active or expired.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct AcknowledgmentLine {
    pub guardrail: Guardrail,
    /// The expiry, as written in the file.
    pub expires: Printable,
    /// Whether the acknowledgment has expired and is therefore ignored.
    pub expired: bool,
    /// The expiry as an RFC 3339 timestamp in UTC.
    #[schemars(with = "String")]
    pub at: Timestamp,
    pub location: Location,
}

/// Values that cannot be rolled back, and any contradictions between the files and the rollback.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RollbackNotes {
    /// `false` if the journal has no end record, usually because the run was killed.
    pub journal_is_whole: bool,
    /// The number of damaged journal lines. The changes in them might not be rolled back.
    pub unreadable_lines: usize,
    pub not_rolled_back: Vec<SkippedLine>,
    /// The number of people whose declared values differ from the restored ones. The next apply would undo the rollback for
    /// these people. After a run, people whose values were not restored do not count.
    pub contradicted: usize,
    /// Edits to the files that preserve the rollback.
    pub files: Vec<FileLine>,
    /// Values for which no edit can be suggested, e.g. because a window sets them.
    pub unwritten: Vec<SkippedLine>,
}

/// The overall result of an apply.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ApplyResult {
    /// The reason the apply ended early.
    pub stopped: Option<String>,
    /// The number of changes that Pylon accepted but that could not be read back.
    pub not_read_back: usize,
    /// `false` if the end of the journal could not be written, so that the run looks as if it had been killed.
    pub journal_is_whole: bool,
    /// What to do next if some changes were not applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_step: Option<String>,
}

/// A declared person who isn't in sync or was found under a different address.
#[derive(Debug, Clone, Copy)]
pub enum Entry<'r> {
    Change(&'r ChangeLine),
    Observed(&'r ChangeLine),
    Missing(&'r MissingLine),
    FoundElsewhere(&'r FoundElsewhereLine),
}

impl Entry<'_> {
    pub fn email(&self) -> &Printable {
        match self {
            Self::Change(line) | Self::Observed(line) => &line.email,
            Self::Missing(line) => &line.email,
            Self::FoundElsewhere(line) => &line.email,
        }
    }

    /// Returns the edits of a person with changes or observed differences, or an empty slice for anyone else.
    pub fn edits(&self) -> &[EditLine] {
        match self {
            Self::Change(line) | Self::Observed(line) => &line.edits,
            Self::Missing(_) | Self::FoundElsewhere(_) => &[],
        }
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

    /// Returns the user ID and field of each edit that the files under review cause.
    pub fn edits_of_this_change(&self) -> impl Iterator<Item = (&str, Field)> {
        self.changes.iter().flat_map(|change| {
            let caused = change.edits.iter().filter(|edit| edit.cause == Some(Cause::ThisChange));
            caused.map(|edit| (change.person.id.raw(), edit.field))
        })
    }

    /// Returns the scheduled changes that a guardrail would block.
    pub fn blocked_later(&self) -> impl Iterator<Item = &ScheduledChange> {
        self.scheduled.iter().filter(|change| !change.blocked_by.is_empty())
    }

    /// Returns the scheduled changes that affect a guarded role and that no guardrail would block.
    pub fn guarded_later(&self) -> impl Iterator<Item = &ScheduledChange> {
        let is_guarded = |change: &&ScheduledChange| change.guarded_roles().next().is_some();
        self.scheduled.iter().filter(|change| change.blocked_by.is_empty()).filter(is_guarded)
    }

    /// Returns the outcome of each change if the plan was applied.
    pub fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        self.changes.iter().filter_map(|change| Some(&change.outcome.as_ref()?.outcome))
    }
}
