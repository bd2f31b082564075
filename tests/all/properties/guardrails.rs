//! Properties of the guardrails: a plan that passes stays within every limit, and a blocked plan exceeds exactly the reported
//! limits. An acknowledgment covers exactly the reported figure.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use pretty_assertions::assert_eq;
use rolecall::plan::ReviewedPlan;
use rolecall::plan::guardrails::{Figure, RoleCount, RuleViolation, Verdict};
use rolecall::roster::{Email, Guardrail};

use super::holds;
use super::organization::{Case, cases};
use super::recount::broken;

/// Returns the figures of the findings that block the plan.
fn refusals(reviewed: &ReviewedPlan) -> Vec<&Figure> {
    let refused = reviewed.findings.iter().filter(|finding| finding.verdict == Verdict::Blocks);
    refused.map(|finding| &finding.figure).collect()
}

fn guardrails(figures: &[&Figure]) -> BTreeSet<Guardrail> {
    figures.iter().map(|figure| figure.guardrail()).collect()
}

fn position(guardrail: Guardrail) -> Option<usize> {
    Guardrail::ALL.into_iter().position(|one| one == guardrail)
}

fn all_were(seen: &BTreeSet<Guardrail>, what: &str) {
    for guardrail in Guardrail::ALL {
        assert!(seen.contains(&guardrail), "{guardrail:?} was never {what}");
    }
}

#[test]
fn exactly_the_guardrails_that_a_plan_breaks_block_it() {
    let (refused, accepted) = (RefCell::<BTreeSet<Guardrail>>::default(), Cell::new(0));
    holds(200, &cases(12), |case| {
        let resolved = case.resolve();
        let Ok(plan) = resolved.plan() else { return };
        let expected = broken(&resolved, &plan);
        let reviewed = resolved.review(plan);
        assert_eq!(guardrails(&refusals(&reviewed)), expected);
        assert_eq!(reviewed.is_blocked(), !expected.is_empty());
        assert!(reviewed.findings.is_sorted_by_key(|finding| position(finding.figure.guardrail())));
        let changes_something = !reviewed.plan.changes.is_empty();
        accepted.set(accepted.get() + u32::from(expected.is_empty() && changes_something));
        refused.borrow_mut().extend(expected);
    });
    all_were(&refused.into_inner(), "broken");
    assert!(accepted.get() > 40, "only {accepted:?} plans that change something were accepted");
}

/// Writes the `[[acknowledge]]` table for `figure`. If `short`, the table falls one short of the figure or has a different user.
fn acknowledgment(figure: &Figure, short: bool) -> String {
    let most = |figure: u64| figure - u64::from(short);
    let least = |figure: u64| figure + u64::from(short);
    let user = |email: &dyn std::fmt::Display| {
        if short { "user = \"somebody@else.example\"".to_owned() } else { format!("user = \"{email}\"") }
    };
    let accepted = match figure {
        Figure::Changes { changed, declared: _, limit: _ } => format!("up_to = {}", most(*changed)),
        Figure::Unmanaged(count) | Figure::Missing(count) => format!("up_to = {}", most(*count)),
        Figure::AtLeast(RoleCount { role, limit: _, before: _, after, during }) => {
            format!("role = \"{}\"\ndown_to = {}", role.0, least(during.unwrap_or(*after)))
        }
        Figure::AtMost(RoleCount { role, limit: _, before: _, after, during }) => {
            format!("role = \"{}\"\nup_to = {}", role.0, most(during.unwrap_or(*after)))
        }
        Figure::Rule(RuleViolation { rule: _, holders }) => {
            let holders: BTreeSet<&Email> = holders.iter().map(|(email, _)| email).collect();
            let each = |email: &&Email| {
                format!(
                    "[[acknowledge]]\nguardrail = \"rule\"\n{}\nreason = \"r\"\nexpires = 2026-12-01\n",
                    user(*email)
                )
            };
            return holders.iter().map(each).collect();
        }
        Figure::Active { before: _, after, minimum: _ } => format!("down_to = {}", least(*after)),
        Figure::Protected(email) | Figure::TokenOwner { email, role: _ } => user(email),
        Figure::AdminNotGuarded(_) | Figure::ProtectedNotFound(_) => {
            panic!("nothing that is refused: {figure:?}")
        }
    };
    let guardrail = figure.guardrail().as_str();
    format!(
        "[[acknowledge]]\nguardrail = \"{guardrail}\"\n{accepted}\nreason = \"r\"\nexpires = 2026-12-01\n"
    )
}

#[test]
fn an_acknowledgment_accepts_exactly_the_figure_that_the_block_names() {
    let seen = RefCell::<BTreeSet<Guardrail>>::default();
    holds(120, &cases(12), |case| {
        let resolved = case.resolve();
        let Ok(plan) = resolved.plan() else { return };
        let reviewed = resolved.review(plan.clone());
        let figures = refusals(&reviewed);
        let with = |short: bool| {
            let more: String = figures.iter().map(|figure| acknowledgment(figure, short)).collect();
            let text = format!("{}{more}", case.text);
            let resolved = Case { text, ..case.clone() }.resolve();
            let plan = resolved.plan().expect("as before");
            let broken = broken(&resolved, &plan);
            let reviewed = resolved.review(plan);
            let refused = guardrails(&refusals(&reviewed));
            assert_eq!(refused, broken);
            refused
        };
        assert_eq!(with(false), BTreeSet::new(), "everything was acknowledged: {figures:?}");
        assert_eq!(with(true), guardrails(&figures), "one short of everything: {figures:?}");
        seen.borrow_mut().extend(guardrails(&figures));
    });
    all_were(&seen.into_inner(), "acknowledged");
}
