//! What `plan` and `apply` have in common: from the files and Pylon to a reviewed plan.

use std::time::Duration;

use jiff::Timestamp;

use super::Environment;
use super::connection::Connection;
use super::files::{Declared, declared, only};
use crate::adoption::Adoption;
use crate::apply::Finished;
use crate::apply::rollback::{Applied, Rollback, Takeback};
use crate::cli::{Common, ConnectionArgs};
use crate::desired::agenda::Ahead;
use crate::invocation::{Invocation, quoted};
use crate::observed::ObservedState;
use crate::plan::blame::OutOfStep;
use crate::plan::forecast::{Coming, forecast};
use crate::plan::guardrails::Review;
use crate::plan::roles::NamedRoles;
use crate::plan::saved::{Binding, digest_of};
use crate::plan::{Plan, ReviewedPlan};
use crate::problem::{Problem, Problems};
use crate::pylon::inquiry::Findings;
use crate::pylon::paced_reader::Observation;
use crate::report::Material;
use crate::roster::{Email, Moment, Unmanaged};
use crate::source::Sources;

/// A reviewed plan, and what it takes to report it or carry it out.
pub(super) struct Prepared {
    pub(super) reviewed: ReviewedPlan,
    /// When the oldest read was sent that the plan rests on.
    pub(super) read_at: Duration,
    sources: Sources,
    pub(super) state: ObservedState,
    place: String,
    /// A sandbox made the organization up from the files.
    made_up: bool,
    invocation: Invocation,
    now: Timestamp,
    at: Option<Moment>,
    coming: Vec<Coming>,
    windows: Vec<Ahead>,
    /// Operations of a saved plan that are in step meanwhile.
    pub(super) meanwhile: usize,
    /// What a rollback leaves, and what the files say against it.
    takeback: Option<Takeback>,
    /// Where the audit log was asked.
    blame: Option<Findings>,
    mention_undeclared: bool,
}

/// What a plan is limited to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scope<'a> {
    pub(super) only: &'a [String],
    pub(super) max_changes: Option<u64>,
}

pub(super) async fn prepare(
    declared: Declared,
    scope: Scope<'_>,
    asked: &ConnectionArgs,
    common: &Common,
    environment: &Environment,
) -> Result<(Connection, Prepared), Problems> {
    let only = only_of(scope, &declared)?;
    let connection = Connection::open(&declared.roster, asked, common, environment).await?;
    let prepared = prepare_on(&connection, &declared, &only, scope.max_changes).await?;
    Ok((connection, prepared))
}

async fn prepare_on(
    connection: &Connection,
    declared: &Declared,
    only: &[Email],
    max_changes: Option<u64>,
) -> Result<Prepared, Problems> {
    let draw = |observation| settle(declared, only, max_changes, connection, observation);
    confirmed(connection, declared, Vec::new(), draw).await
}

/// Observes and draws. If the minimum of a guarded role depends on people whom only the listing shows as its holders, everything
/// is read again, and these people are searched for too.
pub(super) async fn confirmed(
    connection: &Connection,
    declared: &Declared,
    mut others: Vec<Email>,
    draw: impl Fn(Observation) -> Result<Prepared, Problems>,
) -> Result<Prepared, Problems> {
    let prepared = draw(observe_on(connection, declared, &others).await?)?;
    let mut searched = declared.emails();
    searched.extend(others.iter().cloned());
    let holders = prepared.reviewed.holders_to_confirm(&prepared.state, &searched);
    if holders.is_empty() {
        return Ok(prepared);
    }
    others.extend(holders);
    draw(observe_on(connection, declared, &others).await?)
}

/// The same once more, of the files as they are now, on a connection that is there.
pub(super) async fn prepare_anew(
    scope: Scope<'_>,
    connection: &Connection,
    common: &Common,
    environment: &Environment,
) -> Result<Prepared, Problems> {
    let declared = declared(None, common, environment)?;
    let only = only_of(scope, &declared)?;
    prepare_on(connection, &declared, &only, scope.max_changes).await
}

fn only_of(scope: Scope<'_>, declared: &Declared) -> Result<Vec<Email>, Problems> {
    only(scope.only, declared).map_err(|problems| Problems::new(declared.roster.sources.clone(), problems))
}

/// Reads the organisation, the declared people with more care, and `others` too.
pub(super) async fn observe(
    declared: &Declared,
    others: &[Email],
    asked: &ConnectionArgs,
    common: &Common,
    environment: &Environment,
) -> Result<(Connection, Observation), Problems> {
    let connection = Connection::open(&declared.roster, asked, common, environment).await?;
    let observation = observe_on(&connection, declared, others).await?;
    Ok((connection, observation))
}

pub(super) async fn observe_on(
    connection: &Connection,
    declared: &Declared,
    others: &[Email],
) -> Result<Observation, Problems> {
    let mut emails = declared.emails();
    emails.extend(others.iter().cloned());
    connection.observe(&declared.roster, &emails).await
}

/// Draws and reviews: everything from here on is pure.
pub(super) fn settle(
    declared: &Declared,
    only: &[Email],
    max_changes: Option<u64>,
    connection: &Connection,
    observation: Observation,
) -> Result<Prepared, Problems> {
    let draw = |declared: &Declared, state: &ObservedState, roles: &NamedRoles| {
        let Declared { roster, desired, now, at: _ } = declared;
        let whole = Plan::draw(desired, state, roles, roster.policy)?;
        let coming = forecast(roster, state, roles, &whole, *now);
        Ok(Drawn { plan: whole.only(only), coming, windows: roster.windows_ahead(*now), takeback: None })
    };
    review(declared, max_changes, connection, observation, draw)
}

/// The same for what takes an apply back: the plan is made of its journal instead of the files, and the guardrails of the
/// files see it.
pub(super) fn settle_rollback(
    declared: &Declared,
    applied: &Applied,
    max_changes: Option<u64>,
    connection: &Connection,
    observation: Observation,
) -> Result<Prepared, Problems> {
    let draw = |declared: &Declared, state: &ObservedState, _: &NamedRoles| {
        let Declared { roster, desired, now: _, at: _ } = declared;
        let rollback = applied.rollback(state, &connection.place, desired.people.len());
        let Rollback { plan, left } = rollback.map_err(|problem| vec![problem])?;
        let files = Adoption::of_rollback(&plan.changes, desired, roster, state);
        let takeback =
            Some(Takeback { is_whole: applied.is_whole, unreadable: applied.unreadable, left, files });
        Ok(Drawn { plan, coming: Vec::new(), windows: Vec::new(), takeback })
    };
    review(declared, max_changes, connection, observation, draw)
}

/// A plan, and what is told beside it.
struct Drawn {
    plan: Plan,
    coming: Vec<Coming>,
    windows: Vec<Ahead>,
    takeback: Option<Takeback>,
}

/// Has a plan drawn, and asks the guardrails.
fn review(
    declared: &Declared,
    max_changes: Option<u64>,
    connection: &Connection,
    observation: Observation,
    draw: impl FnOnce(&Declared, &ObservedState, &NamedRoles) -> Result<Drawn, Vec<Problem>>,
) -> Result<Prepared, Problems> {
    let Observation { state, read_at } = observation;
    let drawn = NamedRoles::look_up(&declared.roster, &state.roles)
        .and_then(|roles| Ok((draw(declared, &state, &roles)?, roles)));
    let Declared { roster, desired, now, at } = declared;
    let (Drawn { plan, coming, windows, takeback }, roles) = match drawn {
        Ok(drawn) => drawn,
        Err(problems) => {
            let problems = problems.into_iter().map(|problem| with_way_to_describe(problem, connection));
            return Err(Problems::new(roster.sources.clone(), problems.collect()));
        }
    };
    let rules = &roster.guardrails;
    let review = Review { observed: &state, desired, rules, roles: &roles, max_changes };
    Ok(Prepared {
        reviewed: plan.review(review),
        read_at,
        mention_undeclared: takeback.is_none() && rules.unmanaged != Unmanaged::Ignore,
        windows,
        sources: roster.sources.clone(),
        state,
        place: connection.place.clone(),
        made_up: connection.is_made_up(),
        invocation: connection.invocation.clone(),
        now: *now,
        at: at.clone().or_else(|| connection.as_on.clone()),
        coming,
        meanwhile: 0,
        takeback,
        blame: None,
    })
}

/// In a sandbox, an unknown role may be one that the real organization has: says how to describe that organization.
fn with_way_to_describe(mut problem: Problem, connection: &Connection) -> Problem {
    if problem.code == crate::plan::Code::UnknownRole.as_str() && connection.sandbox.is_some() {
        let help = problem.help.take().map_or_else(String::new, |help| help + ". ");
        let description = quoted(&connection.invocation.description);
        problem.help = Some(format!(
            "{help}The sandbox can have your roles: describe your organization in {description}, which `rolecall sandbox \
             --write-state {description}` starts for you; or copy the real one with `rolecall import --state {description}`"
        ));
    }
    problem
}

impl Prepared {
    /// What a report is made of.
    pub(super) fn material<'a>(&'a self, finished: Option<&'a Finished>) -> Material<'a> {
        let Self {
            reviewed,
            sources,
            state,
            place,
            made_up,
            invocation,
            mention_undeclared,
            now,
            at,
            coming,
            windows,
            meanwhile,
            takeback,
            blame,
            ..
        } = self;
        let (now, at, mention_undeclared, meanwhile) = (*now, at.as_ref(), *mention_undeclared, *meanwhile);
        let (roles, integrations, blame) = (&state.roles, &state.integrations, blame.as_ref());
        Material {
            place,
            made_up: *made_up,
            invocation,
            reviewed,
            sources,
            roles,
            mention_undeclared,
            integrations,
            at,
            now,
            coming,
            windows,
            meanwhile,
            takeback: takeback.as_ref(),
            blame,
            finished,
        }
    }

    /// Asks the audit log who changed what is out of step. Costs a request where there is such a thing, and never fails.
    pub(super) async fn find_blame(&mut self, connection: &Connection) {
        let out_of_step = OutOfStep::of(&self.reviewed.plan, &self.state.roles);
        self.blame = Some(connection.reader.inquire(out_of_step).await.finish(&self.state));
    }

    /// What `apply` locks: the organisation at its host, or the embedded Pylon of this folder.
    pub(super) fn host(&self) -> &str {
        &self.place
    }

    /// The digest of the files; made only where a plan is saved or was.
    pub(super) fn files_digest(&self) -> String {
        digest_of(&self.sources)
    }

    /// What a saved plan is bound to.
    pub(super) fn binding<'a>(&'a self, files: &'a str) -> Binding<'a> {
        Binding { host: &self.place, files }
    }
}
