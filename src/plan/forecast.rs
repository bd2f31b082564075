//! What comes by itself after this plan: the transitions of windows, and which of them a guardrail would refuse.
//!
//! A window that ends in March is reviewed today, by the same guardrails, on the organization as it would be in March if
//! nobody else changed anything: better to hear of it in this pull request than on its day.

use jiff::{SignedDuration, Timestamp};

use super::change::Plan;
use super::guardrails::{Figure, Review, ReviewedPlan, Verdict};
use super::roles::NamedRoles;
use crate::desired::agenda::Transition;
use crate::observed::ObservedState;
use crate::roster::{Roster, Stance};

/// Transitions within this time are always told.
pub const AHEAD: SignedDuration = SignedDuration::from_hours(7 * 24);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coming {
    /// When, of whom, and what.
    pub transition: Transition,
    /// What would refuse the apply of its day.
    pub blocked_by: Vec<Figure>,
}

/// The transitions within [`AHEAD`] of `now`, and all, however far, that would be blocked on their day.
pub fn forecast(
    roster: &Roster,
    observed: &ObservedState,
    roles: &NamedRoles,
    plan: &Plan,
    now: Timestamp,
) -> Vec<Coming> {
    let soon = now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX);
    let mut agenda = roster.agenda(now);
    agenda.retain(|transition| roster.policy.fields[transition.field] == Stance::Enforce);
    if agenda.is_empty() {
        return Vec::new(); // most files have no windows, and copying the organization takes its time
    }
    let mut state = after(observed, plan);
    let mut coming = Vec::new();
    for same_instant in agenda.chunk_by(|one, other| one.moment.at == other.moment.at) {
        let at = same_instant[0].moment.at;
        let blocked_by = match on_its_day(roster, &state, roles, at) {
            Some(reviewed) => {
                bring_about(&mut state, &reviewed.plan);
                let blocked =
                    reviewed.findings.into_iter().filter(|finding| finding.verdict == Verdict::Blocks);
                blocked.map(|finding| finding.figure).collect()
            }
            None => Vec::new(),
        };
        if at < soon || !blocked_by.is_empty() {
            let each = same_instant.iter().cloned();
            coming.extend(each.map(|transition| Coming { transition, blocked_by: blocked_by.clone() }));
        }
    }
    coming
}

/// The plan of that instant. Only people with windows can have changes then: everybody else is in sync by now.
fn on_its_day(
    roster: &Roster,
    state: &ObservedState,
    roles: &NamedRoles,
    at: Timestamp,
) -> Option<ReviewedPlan> {
    let desired = roster.resolve_some_at(at, |person| !person.windows.is_empty());
    let mut plan = Plan::draw(&desired, state, roles, roster.policy).ok()?;
    plan.declared = roster.people.len();
    // These two are about the files and not about the day; the present plan tells them.
    plan.absent.clear();
    plan.unmanaged.clear();
    Some(plan.review(Review {
        observed: state,
        desired: &desired,
        rules: &roster.guardrails,
        roles,
        max_changes: None,
    }))
}

/// The organization when the plan has been carried out.
pub fn after(observed: &ObservedState, plan: &Plan) -> ObservedState {
    let mut state = observed.clone();
    bring_about(&mut state, plan);
    state
}

/// Makes `state` what it is when the plan has been carried out.
fn bring_about(state: &mut ObservedState, plan: &Plan) {
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
