//! Looks ahead to windows that start or end after this plan and checks whether a guardrail will block the resulting changes.
//!
//! For example, a window that ends in March is reviewed today, so a problem shows up in this pull request rather than in an apply
//! in March. The review assumes that the organization doesn't change in any other way in the meantime.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use super::change::{Edit, Plan};
use super::guardrails::{Figure, Review, Verdict};
use super::roles::NamedRoles;
use crate::desired::agenda::Transition;
use crate::desired::{DesiredState, resolve_person};
use crate::observed::{Found, ObservedState};
use crate::roster::{Email, Guardrail, Roster, Stance};

/// Scheduled changes due within this period from now are always listed. Later ones are listed only if they affect a guarded
/// role or a guardrail would block them.
pub const AHEAD: SignedDuration = SignedDuration::from_hours(7 * 24);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    pub transition: Transition,
    /// What would block an apply at the time of the change. Empty if no guardrail would block it.
    pub blocked_by: Vec<Figure>,
}

/// Returns the changes scheduled within [`AHEAD`] of `now`, plus any later ones that affect a guarded role or that a guardrail
/// would block.
pub fn forecast(
    roster: &Roster,
    observed: &ObservedState,
    roles: &NamedRoles,
    plan: &Plan,
    now: Timestamp,
) -> Vec<Forecast> {
    let soon = now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX);
    let mut agenda = roster.agenda(now);
    agenda.retain(|transition| !transition.is_respelling(|one, other| observed.roles.is_same(one, other)));
    let is_enforced = |transition: &Transition| roster.policy.fields[transition.field] == Stance::Enforce;
    let may_remove_roles = roster.policy.extra_roles == Stance::Enforce;
    if !agenda.iter().any(|transition| is_enforced(transition) || may_remove_roles) {
        return Vec::new(); // most files have no windows, and cloning the organization is slow
    }
    let mut state = after(observed, plan);
    // Compute the limit once, because counting the people in Pylon again for every scheduled change would be slow.
    let most_changes = Review { observed, roster, at: now, roles, max_changes: None }.most_changes();
    let mut scheduled = Vec::new();
    for same_instant in agenda.chunk_by(|one, other| one.moment.at == other.moment.at) {
        let at = same_instant[0].moment.at;
        // Even if the policy doesn't enforce roles, a person who holds the declared role can lose other roles.
        let mut losing_roles = HashSet::new();
        let (blocked_by, is_guarded) = match plan_for(same_instant, roster, &state, roles) {
            Some(plan) => {
                let review = Review { observed: &state, roster, at, roles, max_changes: Some(most_changes) };
                let reviewed = plan.review(review);
                let guarded = reviewed.guarded_roles(&observed.roles);
                // The plan leaves out people who aren't in Pylon. If they join, the change happens without another review.
                let is_absent_and_guarded = |transition: &Transition| {
                    let mut named =
                        transition.from.iter().chain(&transition.to).filter_map(|name| roles.id(name));
                    transition.field.facts().names_role
                        && is_enforced(transition)
                        && is_absent(&transition.email, &state)
                        && named.any(|role| guarded.contains(role))
                };
                let is_guarded = reviewed.changes_guarded_role(&observed.roles)
                    || same_instant.iter().any(is_absent_and_guarded);
                carry_out(&mut state, &reviewed.plan);
                let mut changes = reviewed.plan.changes;
                changes.retain(|change| change.edits.iter().any(Edit::only_removes_roles));
                losing_roles.extend(changes.into_iter().map(|change| change.subject.email.value));
                // A window can't violate a role rule because all declared roles have already been checked. Violations by current
                // holders are reported with the current plan.
                let blocked = reviewed.findings.into_iter().filter(|finding| {
                    finding.verdict == Verdict::Blocks && finding.figure.guardrail() != Guardrail::Rule
                });
                (blocked.map(|finding| finding.figure).collect(), is_guarded)
            }
            None => (Vec::new(), false),
        };
        if at < soon || is_guarded || !blocked_by.is_empty() {
            let is_listed = |transition: &&Transition| {
                is_enforced(transition)
                    || transition.field.facts().names_role && losing_roles.contains(&transition.email)
            };
            let each = same_instant.iter().filter(is_listed).cloned();
            scheduled.extend(each.map(|transition| Forecast { transition, blocked_by: blocked_by.clone() }));
        }
    }
    scheduled
}

/// Returns the plan for the people whose values change at the same instant, or `None` if planning fails. `state` includes all
/// earlier changes, so only these people differ from the files. The current plan already reports missing and unmanaged people.
fn plan_for(
    same_instant: &[Transition],
    roster: &Roster,
    state: &ObservedState,
    roles: &NamedRoles,
) -> Option<Plan> {
    let each = same_instant.chunk_by(|one, other| one.email == other.email);
    let people = each.filter_map(|changes| {
        let person = roster.person(&changes[0].email)?;
        Some(resolve_person(person, changes[0].moment.at))
    });
    let desired = DesiredState { people: people.collect() };
    Plan::draw_some(&desired, state, roles, roster.policy, roster.people.len())
}

/// Returns `true` if no active person in Pylon has this address.
fn is_absent(email: &Email, state: &ObservedState) -> bool {
    match state.find(email) {
        Found::NotFound => true,
        Found::Primary(person) | Found::Secondary(person) => person.deactivated,
        Found::Several(people) => people.iter().all(|person| person.deactivated),
    }
}

/// Returns the organization as it will look once the plan is applied.
pub fn after(observed: &ObservedState, plan: &Plan) -> ObservedState {
    let mut state = observed.clone();
    carry_out(&mut state, plan);
    state
}

/// Applies the plan's changes to `state`.
fn carry_out(state: &mut ObservedState, plan: &Plan) {
    for change in &plan.changes {
        let Some(mut person) = state.person(&change.subject.id).cloned() else {
            continue;
        };
        for edit in &change.edits {
            person.set(edit.field, &edit.to);
        }
        state.insert(person);
    }
}
