//! Turns a reviewed plan into a [`PlanReport`]: role IDs become names, and places become file locations. Audit log findings and
//! the outcomes of an apply are added later.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::OrganizationLine;
use super::agenda::{ScheduledChange, WindowLine};
use super::files::{FileState, SkippedLine, file_lines, skipped_lines};
use super::plan::{
    AcknowledgmentLine, ApplyResult, AuditLogLine, ChangeLine, EditLine, FoundElsewhereLine, GuardedRoleLine,
    GuardrailLine, IntegrationLine, MissingLine, OutcomeLine, PersonLine, PlanReport, PlanSummary,
    RollbackNotes, UndeclaredLine,
};
use crate::adoption::Adoption;
use crate::apply::Finished;
use crate::apply::rollback::{Applied, NotRolledBack, NotRolledBackReason};
use crate::desired::agenda::Transition;
use crate::invocation::Invocation;
use crate::observed::{Integration, ObservedState, Role, RoleCatalog, RoleId, UserId};
use crate::plan::cause::Cause;
use crate::plan::forecast::Forecast;
use crate::plan::guardrails::{Finding, ReviewedPlan, RoleCount, Verdict};
use crate::plan::{Absence, Absent, Change, Edit, Plan, Subject};
use crate::printable::Printable;
use crate::pylon::inquiry::Findings;
use crate::report::words::{self, PlanTimes};
use crate::roster::{Acknowledgment, Email, Field, FieldValue, Roster, Stance, Unmanaged};
use crate::source::Sources;

/// The maximum length of a role name or a value within a sentence, in characters.
const LONGEST: usize = 80;

impl PlanReport {
    /// Creates the report of a plan that hasn't been applied. `place` is `us`, `eu`, `sandbox`, or the host that the
    /// organization was read from.
    pub fn new(
        reviewed: &ReviewedPlan,
        observed: &ObservedState,
        roster: &Roster,
        place: &str,
        invocation: &Invocation,
        times: PlanTimes,
        rollback: Option<RollbackNotes>,
    ) -> Self {
        let at = times.at;
        let ReviewedPlan { plan, findings, minimums: _, maximums: _, acknowledgments } = reviewed;
        let names = Labels { roles: &observed.roles, sources: &roster.sources };
        let guardrail = |finding: &Finding| {
            names.guardrail(finding, reviewed.other_limit(&finding.figure), times, invocation)
        };
        let lists_unmanaged = roster.guardrails.unmanaged != Unmanaged::Ignore;
        // A rollback reports only its own changes.
        let (unmanaged, undeclared, windows): (Vec<Printable>, _, _) = match rollback {
            Some(_) => (Vec::new(), Vec::new(), Vec::new()),
            None => (
                plan.unmanaged.iter().filter(|_| lists_unmanaged).map(email_line).collect(),
                names.undeclared(reviewed, observed, roster),
                windows(plan, roster, at),
            ),
        };
        Self {
            organization: OrganizationLine::new(&plan.organization, place),
            made_up: false,
            invocation: invocation.clone(),
            declared: plan.declared,
            at: None, // set by the caller, because it's shown as written
            only: plan.only.iter().map(email_line).collect(),
            blocked: reviewed.is_blocked(),
            summary: PlanSummary {
                changes: plan.changes.len(),
                in_sync: plan.in_sync,
                in_sync_since_saved: 0,
                observed: plan.observed.len(),
                ignored: plan.ignored.len(),
                missing: plan.absent.len(),
                unmanaged: unmanaged.len(),
                integration_users: observed.integrations.len(),
            },
            guarded_roles: names.guarded_roles(reviewed),
            found_elsewhere: names.found_elsewhere(plan),
            changes: plan.changes.iter().map(|change| names.change(change)).collect(),
            observed: plan.observed.iter().map(|change| names.change(change)).collect(),
            ignored: plan.ignored.iter().map(|change| names.change(change)).collect(),
            missing: plan.absent.iter().map(|absent| names.missing(absent)).collect(),
            unmanaged,
            lists_unmanaged: false,
            undeclared,
            integration_users: observed.integrations.iter().map(integration_line).collect(),
            guardrails: findings.iter().map(guardrail).collect(),
            acknowledgments: acknowledgments.iter().map(|known| names.acknowledgment(known, at)).collect(),
            scheduled: Vec::new(),
            windows,
            now: at,
            rollback,
            audit_log: None,
            result: None,
            base: None,
            journal: None,
            saved: None,
        }
    }

    /// Records who set the values that differ from the files, according to the audit log.
    pub fn add_blame(&mut self, findings: &Findings) {
        let Findings { blames, unread, is_available } = findings;
        let mut edits = 0;
        for line in self.changes.iter_mut().chain(&mut self.observed) {
            let Some(id) = UserId::new(line.person.id.raw()) else { continue };
            for edit in &mut line.edits {
                if edit.cause == Some(Cause::ThisChange) {
                    continue; // the audit log is not searched for edits caused by the files under review
                }
                edit.blame = blames.get(&(id.clone(), edit.field)).cloned();
                // An edit caused by a window might not have an audit log entry, so count the edit only if it has one.
                edits += usize::from(edit.blame.is_some() || edit.cause != Some(Cause::Scheduled));
            }
        }
        self.audit_log = Some(AuditLogLine {
            available: *is_available,
            complete: unread.is_none(),
            reason: unread.as_ref().map(|unread| Printable::new(&words::why_unread(unread))),
            edits,
            blamed: blames.len(),
        });
    }

    /// Records the cause of each edit in `changes`. `causes` must be in plan order.
    pub fn add_causes(&mut self, causes: &[Vec<Cause>]) {
        for (line, causes) in self.changes.iter_mut().zip(causes) {
            for (edit, cause) in line.edits.iter_mut().zip(causes) {
                edit.cause = Some(*cause);
            }
        }
    }

    /// Records the outcome of each change and how the apply ended. `journal_is_whole` is `false` if the end of the journal could
    /// not be written.
    pub fn add_result(&mut self, finished: &Finished, journal_is_whole: bool) {
        let Finished { outcomes, stopped, not_read_back } = finished;
        // Changes and outcomes are both in plan order, so they can be paired by position.
        for (line, outcome) in self.changes.iter_mut().zip(outcomes) {
            line.outcome = Some(OutcomeLine::new(outcome.clone()));
        }
        let is_rollback = self.rollback.is_some();
        self.result = Some(ApplyResult {
            stopped: stopped.as_ref().map(words::stop),
            not_read_back: *not_read_back,
            journal_is_whole,
            next_step: words::next_step(outcomes, stopped.as_ref(), is_rollback, &self.invocation),
        });
    }
}

impl RollbackNotes {
    /// Creates the notes of a rollback. `files` contains the edits that keep the next apply from undoing the rollback. `next`
    /// contains the changes that an apply of the unedited files would make if it ran before the rollback.
    pub fn new(
        applied: &Applied,
        not_rolled_back: &[NotRolledBack],
        files: &Adoption,
        next: &[Change],
        sources: &Sources,
        roles: &RoleCatalog,
    ) -> Self {
        let names = Labels { roles, sources };
        // Index the changes by address, since searching all of them for each person would be slow.
        let next: HashMap<&Email, &Change> =
            next.iter().map(|change| (&change.subject.primary, change)).collect();
        let not_rolled_back = not_rolled_back.iter().map(|left| SkippedLine {
            email: email_line(&left.email.value),
            why: words::not_rolled_back(&left.why, &|role| roles.label(role)) + &names.set_next(left, &next),
            location: Some(sources.locate(left.email.place)),
        });
        let mut notes = Self {
            journal_is_whole: applied.is_whole,
            unreadable_lines: applied.unreadable,
            not_rolled_back: not_rolled_back.collect(),
            contradicted: 0,
            files: Vec::new(),
            unwritten: Vec::new(),
        };
        notes.set_files(files, sources, roles);
        notes
    }

    /// Sets the file edits that keep the next apply from undoing the rollback.
    pub fn set_files(&mut self, files: &Adoption, sources: &Sources, roles: &RoleCatalog) {
        self.contradicted = files.declared_otherwise();
        self.files = file_lines(files, sources, FileState::WouldBeWritten, true);
        self.unwritten = skipped_lines(files, sources, roles);
    }
}

impl ScheduledChange {
    /// Builds the report entry for a scheduled change, with the guarded roles that the change affects. For each guardrail that
    /// would block the change, the entry has the guardrail's name and the measured value with its limit.
    pub fn reviewed(
        forecast: &Forecast,
        guarded: &HashSet<&RoleId>,
        roles: &RoleCatalog,
        sources: &Sources,
    ) -> Self {
        let Forecast { transition, blocked_by } = forecast;
        let names = Labels { roles, sources };
        let mut figures = Vec::new();
        for figure in blocked_by {
            let text = words::figure(figure, &|role| names.short_label(role));
            figures.push(Printable::new(&format!("{}: {text}", figure.guardrail().as_str())));
        }
        let (gains, loses) = names.guarded_roles_of(transition, guarded);
        Self { gains, loses, blocked_by: figures, ..Self::new(transition, sources) }
    }
}

/// Resolves role IDs to names and places to file locations.
pub(super) struct Labels<'a> {
    pub(super) roles: &'a RoleCatalog,
    pub(super) sources: &'a Sources,
}

impl Labels<'_> {
    fn label(&self, role: &RoleId) -> Printable {
        Printable::new(&self.roles.label(role))
    }

    fn short_label(&self, role: &RoleId) -> String {
        self.label(role).short(LONGEST).to_string()
    }

    fn change(&self, change: &Change) -> ChangeLine {
        let Change { subject, edits } = change;
        ChangeLine {
            email: email_line(&subject.email.value),
            person: person_line(subject),
            edits: edits.iter().map(|edit| self.edit(edit)).collect(),
            outcome: None,
            location: self.sources.locate(subject.email.place),
        }
    }

    fn edit(&self, edit: &Edit) -> EditLine {
        let Edit { field, from, to, through_scim, place, origin } = edit;
        let label = |value: &FieldValue| Printable::new(&self.roles.value_label(*field, value));
        EditLine {
            field: *field,
            from: from.iter().map(label).collect(),
            to: label(to),
            through_scim: through_scim.iter().map(label).collect(),
            location: self.sources.locate(*place),
            origin: origin.clone(),
            blame: None,
            cause: None,
        }
    }

    /// Describes the value that the next apply would set in a field that the rollback leaves alone. Returns an empty string if
    /// the next apply wouldn't change the value.
    fn set_next(&self, left: &NotRolledBack, next: &HashMap<&Email, &Change>) -> String {
        let NotRolledBackReason::ChangedSince { field } = &left.why else { return String::new() };
        let change = next.get(&left.email.value);
        change.and_then(|change| change.edit(*field)).map_or_else(String::new, |edit| {
            let value = Printable::new(&self.roles.value_label(*field, &edit.to)).short(LONGEST);
            let place = self.sources.locate(edit.place).to_string();
            format!(", but the next apply would set {value} ({})", Printable::cut(&place, 200))
        })
    }

    fn missing(&self, absent: &Absent) -> MissingLine {
        let Absent { email, absence } = absent;
        let (name, did_you_mean) = match absence {
            Absence::Missing { did_you_mean } => ("", did_you_mean.as_ref().map(email_line)),
            Absence::Deactivated { name } => (name.as_str(), None),
        };
        MissingLine {
            email: email_line(&email.value),
            deactivated: matches!(absence, Absence::Deactivated { .. }),
            name: (!name.is_empty()).then(|| Printable::new(name)),
            did_you_mean,
            location: self.sources.locate(email.place),
        }
    }

    /// Returns the people declared under an address other than their primary one. Skips people with changes or observed
    /// differences, because their entries already show the primary address.
    fn found_elsewhere(&self, plan: &Plan) -> Vec<FoundElsewhereLine> {
        let differing = plan.changes.iter().chain(&plan.observed);
        let differing: HashSet<&UserId> = differing.map(|change| &change.subject.id).collect();
        let others = plan.found_elsewhere.iter().filter(|subject| !differing.contains(&subject.id));
        let line = |subject: &Subject| FoundElsewhereLine {
            email: email_line(&subject.email.value),
            person: person_line(subject),
            location: self.sources.locate(subject.email.place),
        };
        others.map(line).collect()
    }

    fn guarded_roles(&self, reviewed: &ReviewedPlan) -> Vec<GuardedRoleLine> {
        let guarded = reviewed.guarded_roles(self.roles);
        let is_guarded = |role: &RoleId| guarded.contains(role);
        let mut lines = Vec::new();
        for change in &reviewed.plan.changes {
            let gained = change.role_gained().into_iter().map(|role| (role, true));
            let roles = gained.chain(change.roles_lost().map(|role| (role, false)));
            lines.extend(roles.filter(|(role, _)| is_guarded(role)).map(|(role, gained)| GuardedRoleLine {
                email: email_line(&change.subject.email.value),
                role: self.label(&role),
                gained,
            }));
        }
        lines
    }

    /// Returns the guarded roles that people hold but no file declares. These are all guarded roles of unmanaged people, and the
    /// ones that declared people hold only through a SCIM group.
    fn undeclared(
        &self,
        reviewed: &ReviewedPlan,
        observed: &ObservedState,
        roster: &Roster,
    ) -> Vec<UndeclaredLine> {
        let plan = &reviewed.plan;
        if !plan.only.is_empty() {
            return Vec::new();
        }
        let mut guarded: Vec<&RoleId> = reviewed.guarded_roles(self.roles).into_iter().collect();
        guarded.sort();
        let differences = plan.changes.iter().chain(&plan.observed);
        let declared: HashMap<&UserId, &FieldValue> = differences
            .filter_map(|change| Some((&change.subject.id, &change.edit(Field::Role)?.to)))
            .collect();
        let is_compared = roster.policy.fields[Field::Role] != Stance::Ignore;
        let mut lines = Vec::new();
        for person in observed.people().filter(|person| !person.deactivated) {
            for role in guarded.iter().filter(|role| person.holds(role)) {
                let is_declared = plan.unmanaged.binary_search(&person.email).is_err();
                let is_reported = if is_declared {
                    !person.held.role.assigned.contains(&role.0)
                        && is_compared
                        && declared.get(&person.id) != Some(&&role.0)
                } else {
                    roster.guardrails.unmanaged != Unmanaged::Ignore
                };
                if is_reported {
                    let (email, role) = (email_line(&person.email), self.label(role));
                    lines.push(UndeclaredLine { email, role, declared: is_declared });
                }
            }
        }
        lines.sort_by(|one, other| one.email.cmp(&other.email));
        lines
    }

    /// Returns the guarded role that a scheduled change gives to the person, and the one that it takes away.
    fn guarded_roles_of(
        &self,
        transition: &Transition,
        guarded: &HashSet<&RoleId>,
    ) -> (Option<Printable>, Option<Printable>) {
        let named = |value: &Option<FieldValue>| {
            value
                .as_deref()
                .filter(|_| transition.field.facts().names_role)
                .and_then(|name| self.roles.only(name))
        };
        let (Some(to), from) = (named(&transition.to), named(&transition.from)) else { return (None, None) };
        let changed = |role: &Role, other: Option<&Role>| {
            let is_guarded = guarded.contains(&role.id) && other.is_none_or(|other| other.id != role.id);
            is_guarded.then(|| self.label(&role.id))
        };
        (changed(to, from), from.and_then(|from| changed(from, Some(to))))
    }

    pub(super) fn guardrail(
        &self,
        finding: &Finding,
        other_limit: Option<&RoleCount>,
        times: PlanTimes,
        invocation: &Invocation,
    ) -> GuardrailLine {
        let Finding { figure, verdict, place } = finding;
        let written = |role: &RoleId| self.roles.written(role);
        let remedy = || words::remedy(figure, other_limit, invocation, &written, times);
        GuardrailLine {
            name: figure.guardrail(),
            verdict: verdict.clone(),
            note: words::reported(figure).filter(|_| *verdict == Verdict::Warns),
            about: Some(figure.clone()),
            figure: Printable::new(&words::figure(figure, &|role| self.short_label(role))),
            remedy: (*verdict == Verdict::Blocks).then(remedy),
            location: place.map(|place| self.sources.locate(place)),
        }
    }

    fn acknowledgment(&self, acknowledgment: &Acknowledgment, now: Timestamp) -> AcknowledgmentLine {
        let expires = &acknowledgment.expires.value;
        AcknowledgmentLine {
            guardrail: acknowledgment.risk.guardrail,
            expires: Printable::new(&expires.written),
            expired: !acknowledgment.is_active(now),
            at: expires.at,
            location: self.sources.locate(acknowledgment.place),
        }
    }
}

/// Returns the open and upcoming windows of the people in the plan.
fn windows(plan: &Plan, roster: &Roster, now: Timestamp) -> Vec<WindowLine> {
    let mut windows = roster.current_and_coming_windows(now);
    windows.retain(|(email, _)| plan.only.is_empty() || plan.only.contains(email));
    windows.into_iter().map(|window| WindowLine::new(window, &roster.sources)).collect()
}

fn email_line(email: &Email) -> Printable {
    Printable::new(email.as_str())
}

pub(super) fn integration_line(integration: &Integration) -> IntegrationLine {
    let Integration { id, name } = integration;
    IntegrationLine { id: Printable::new(id.as_str()), name: Printable::new(name) }
}

fn person_line(subject: &Subject) -> PersonLine {
    let Subject { email, id, primary, secondary: _, name } = subject;
    PersonLine {
        id: Printable::new(id.as_str()),
        name: Printable::new(name),
        primary_email: (*primary != email.value).then(|| email_line(primary)),
    }
}
