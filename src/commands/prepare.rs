//! The steps shared by `plan` and `apply`, which turn the files and the state of Pylon into a reviewed plan.

use std::collections::HashSet;

use super::base::Base;
use super::connection::Connection;
use super::files::Declared;
use crate::adoption::Adoption;
use crate::apply::rollback::{Applied, Rollback};
use crate::apply::{Finished, Outcome};
use crate::invocation::quoted;
use crate::observed::{ObservedState, UserId};
use crate::plan::blame::Drift;
use crate::plan::cause::{RECENT, Versions};
use crate::plan::forecast::forecast;
use crate::plan::guardrails::Review;
use crate::plan::roles::NamedRoles;
use crate::plan::saved::{Binding, digest_of};
use crate::plan::{Absence, Absent, Change, Plan, PlanCode, ReviewedPlan};
use crate::printable::Printable;
use crate::problem::{Problem, Problems};
use crate::pylon::paced_reader::Observation;
use crate::report::facts::agenda::ScheduledChange;
use crate::report::facts::plan::RollbackNotes;
use crate::report::words::PlanTimes;
use crate::report::{PlanReport, words};
use crate::roster::{Email, Field};
use crate::source::Sources;

/// A reviewed plan with its report and everything needed to apply it.
pub(super) struct Prepared {
    pub(super) reviewed: ReviewedPlan,
    pub(super) observation: Observation,
    pub(super) report: PlanReport,
    /// The organization's place: `us`, `eu`, `sandbox`, or the host name.
    pub(super) host: String,
    sources: Sources,
    /// In a rollback, all old values, including those that Pylon already has (see [`Rollback::old_values`]).
    old_values: Vec<Change>,
}

/// The options that narrow down, limit, or annotate a plan.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scope<'a> {
    /// The people selected with `--only`. Empty if the plan covers everyone.
    pub(super) only: &'a [Email],
    pub(super) max_changes: Option<u64>,
    /// The base version of the files, used to determine the cause of each edit.
    pub(super) base: Option<&'a Base>,
}

pub(super) async fn prepare(
    declared: &Declared,
    scope: Scope<'_>,
    connection: &Connection,
) -> Result<Prepared, Problems> {
    let draw = |observation| settle(declared, scope.only, scope.max_changes, connection, observation);
    let mut prepared = confirmed(connection, declared, Vec::new(), draw).await?;
    if !scope.only.is_empty() && !prepared.reviewed.plan.absent.is_empty() {
        let missing = prepared.reviewed.plan.absent.iter().map(only_missing).collect();
        return Err(Problems::new(declared.roster.sources.clone(), missing));
    }
    prepared.find_causes(declared, scope.base);
    Ok(prepared)
}

/// Reads the organization and makes a plan. If the plan takes a guarded role away from people, holders who appear only in the
/// listing can't count toward the role's minimum. If there are such holders, reads everything again and also searches for them.
pub(super) async fn confirmed(
    connection: &Connection,
    declared: &Declared,
    others: Vec<Email>,
    draw: impl Fn(Observation) -> Result<Prepared, Problems>,
) -> Result<Prepared, Problems> {
    let mut searched = declared.emails();
    searched.extend(others);
    let prepared = draw(connection.observe(&declared.roster, &searched).await?)?;
    let holders = prepared.reviewed.holders_to_confirm(&prepared.observation.state, &searched);
    if holders.is_empty() {
        return Ok(prepared);
    }
    searched.extend(holders);
    draw(connection.observe(&declared.roster, &searched).await?)
}

/// Returns the error for a person who was selected with `--only`, but can't be changed. Without this error, a typo would look as
/// if there were nothing to change.
fn only_missing(absent: &Absent) -> Problem {
    let Absent { email, absence } = absent;
    let name = words::address(&email.value);
    let (what, help) = match absence {
        Absence::Missing { did_you_mean: Some(near) } => {
            let near = words::address(near);
            (
                "was not found in Pylon",
                format!("did you mean {near}? if so, correct the address in the files"),
            )
        }
        Absence::Missing { did_you_mean: None } => (
            "was not found in Pylon",
            "correct the address in the files, or invite the person in Pylon first".to_owned(),
        ),
        Absence::Deactivated { .. } => (
            "is deactivated in Pylon",
            "remove the entry from the files, or have the person reactivated in Pylon first".to_owned(),
        ),
    };
    Problem::new(PlanCode::OnlyMissing, format!("{name} {what}; nothing was changed"))
        .at(email.place, "declared here")
        .help(help)
}

/// Computes the plan for the files, then reviews it, without sending any further requests.
pub(super) fn settle(
    declared: &Declared,
    only: &[Email],
    max_changes: Option<u64>,
    connection: &Connection,
    observation: Observation,
) -> Result<Prepared, Problems> {
    let Declared { roster, desired, now, present: _, at: _ } = declared;
    let state = &observation.state;
    let roles = named_roles(declared, connection, state)?;
    let whole = Plan::draw(desired, state, &roles, roster.policy)
        .map_err(|problems| Problems::new(roster.sources.clone(), problems))?;
    let mut coming = forecast(roster, state, &roles, &whole, *now);
    coming.retain(|forecast| only.is_empty() || only.contains(&forecast.transition.email));
    let plan = whole.only(only);
    let mut prepared = review(declared, plan, &roles, None, max_changes, connection, observation);
    let roles = &prepared.observation.state.roles;
    let guarded = prepared.reviewed.guarded_roles(roles);
    let line = |coming| ScheduledChange::reviewed(coming, &guarded, roles, &declared.roster.sources);
    prepared.report.scheduled = coming.iter().map(line).collect();
    Ok(prepared)
}

/// Computes the plan that rolls back an apply, then reviews it. The changes come from the journal instead of the files, but the
/// guardrails are those in the files.
pub(super) fn settle_rollback(
    declared: &Declared,
    applied: &Applied,
    max_changes: Option<u64>,
    connection: &Connection,
    observation: Observation,
) -> Result<Prepared, Problems> {
    let Declared { roster, desired, now: _, present: _, at: _ } = declared;
    let state = &observation.state;
    let roles = named_roles(declared, connection, state)?;
    let Rollback { plan, old_values, not_rolled_back } = applied
        .rollback(state, &connection.place, desired.people.len())
        .map_err(|problem| problem.with_sources(&roster.sources))?;
    let files = Adoption::of_rollback(&old_values, desired, roster, state);
    // Ignore errors here. The plan for the files is used only for a note about the next apply, and the rollback works without it.
    let next =
        Plan::draw(desired, state, &roles, roster.policy).map_or_else(|_| Vec::new(), |plan| plan.changes);
    let notes = RollbackNotes::new(applied, &not_rolled_back, &files, &next, &roster.sources, &state.roles);
    let prepared = review(declared, plan, &roles, Some(notes), max_changes, connection, observation);
    Ok(Prepared { old_values, ..prepared })
}

/// Looks up the roles named in the files, then checks the declared roles against the rules, using the role IDs and addresses from
/// Pylon.
fn named_roles(
    declared: &Declared,
    connection: &Connection,
    state: &ObservedState,
) -> Result<NamedRoles, Problems> {
    let roster = &declared.roster;
    let roles = NamedRoles::look_up(roster, &state.roles).map_err(|problems| {
        let problems = problems.into_iter().map(|problem| with_way_to_describe(problem, connection));
        Problems::new(roster.sources.clone(), problems.collect())
    })?;
    let against_rules = roles.against_rules(roster, state);
    if against_rules.is_empty() {
        Ok(roles)
    } else {
        Err(Problems::new(roster.sources.clone(), against_rules))
    }
}

/// Runs the guardrails on a plan and builds the report.
fn review(
    declared: &Declared,
    plan: Plan,
    roles: &NamedRoles,
    rollback: Option<RollbackNotes>,
    max_changes: Option<u64>,
    connection: &Connection,
    observation: Observation,
) -> Prepared {
    let Declared { roster, desired: _, now, present, at } = declared;
    let times = PlanTimes { at: *now, now: *present };
    let observed = &observation.state;
    let reviewed = plan.review(Review { observed, roster, at: *now, roles, max_changes });
    let Connection { place, invocation, as_on, .. } = connection;
    let mut report = PlanReport::new(&reviewed, observed, roster, place, invocation, times, rollback);
    report.made_up = connection.is_made_up();
    report.at = at.as_ref().or(as_on.as_ref()).map(|moment| Printable::new(&moment.written));
    let sources = roster.sources.clone();
    Prepared { reviewed, observation, report, host: place.clone(), sources, old_values: Vec::new() }
}

/// Extends the help for an unknown role in a sandbox. Since the role may well exist in the real organization, the help explains
/// how to describe that organization for the sandbox.
fn with_way_to_describe(mut problem: Problem, connection: &Connection) -> Problem {
    if problem.code == PlanCode::UnknownRole.as_str() && connection.sandbox.is_some() {
        let help = problem.help.take().map_or_else(String::new, |help| help + ". ");
        let description = quoted(&connection.invocation.description);
        problem.help = Some(format!(
            "{help}To use your own roles in the sandbox, describe your organization in {description}. `rolecall sandbox \
             --write-state {description}` writes a description to edit; `rolecall import --state {description}` copies the real \
             organization"
        ));
    }
    problem
}

impl Prepared {
    /// Searches the audit log for the users who set the values that differ from the files. If no values differ, no request is
    /// sent. Failures aren't fatal.
    pub(super) async fn find_blame(&mut self, connection: &Connection) {
        let state = &self.observation.state;
        let mut drift = Drift::new(&self.reviewed.plan, &state.roles);
        // If the files under review cause an edit, it doesn't matter who set the current value. A scheduled edit is still looked
        // up, since another user could have changed the value after the window began or ended.
        let caused: HashSet<(&str, Field)> = self.report.edits_of_this_change().collect();
        drift.retain(|id, field| !caused.contains(&(id.as_str(), field)));
        let findings = connection.reader.inquire(drift).await.finish(state);
        self.report.add_blame(&findings);
    }

    /// After a rollback, limits the suggested edits of the files to the people whose old values were restored, or may have been.
    /// The files still match Pylon for everyone else.
    pub(super) fn limit_to_restored(&mut self, declared: &Declared, finished: &Finished) {
        let Some(notes) = &mut self.report.rollback else { return };
        let is_restored = |outcome: &Outcome| {
            outcome.is_in_sync() || matches!(outcome, Outcome::StillGranted | Outcome::Unknown(..))
        };
        let changes = self.reviewed.plan.changes.iter().zip(&finished.outcomes);
        let mut failed: HashSet<(&UserId, Field)> = HashSet::new();
        for (change, _) in changes.filter(|(_, outcome)| !is_restored(outcome)) {
            failed.extend(change.edits.iter().map(|edit| (&change.subject.id, edit.field)));
        }
        if failed.is_empty() {
            return;
        }
        let mut restored = self.old_values.clone();
        for Change { subject, edits } in &mut restored {
            edits.retain(|edit| !failed.contains(&(&subject.id, edit.field)));
        }
        let Declared { roster, desired, now: _, present: _, at: _ } = declared;
        let state = &self.observation.state;
        let files = Adoption::of_rollback(&restored, desired, roster, state);
        notes.set_files(&files, &roster.sources, &state.roles);
    }

    /// Finds the cause of each edit by comparing the files with their base version, if there is one.
    fn find_causes(&mut self, declared: &Declared, base: Option<&Base>) {
        let Some(Base { files, line }) = base else { return };
        self.report.base = Some(line.clone());
        let Ok(base) = files else { return };
        let (present, state) = (&declared.roster, &self.observation.state);
        let Declared { now, present: present_time, .. } = *declared;
        let recent_since = present_time.saturating_sub(RECENT).unwrap_or(jiff::Timestamp::MIN);
        let versions = Versions { base, present, roles: &state.roles, now, recent_since };
        self.report.add_causes(&versions.causes(&self.reviewed.plan));
        self.report.add_unwritten(base, present, &self.reviewed, state);
    }

    /// Returns the digest of the files, computed on demand because only a saved plan or a late confirmation needs it.
    pub(super) fn files_digest(&self) -> String {
        digest_of(&self.sources)
    }

    /// Returns the values that a saved plan is bound to: the host and the digest of the files.
    pub(super) fn binding<'a>(&'a self, files: &'a str) -> Binding<'a> {
        Binding { host: &self.host, files }
    }
}
