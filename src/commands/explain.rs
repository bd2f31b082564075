//! `explain`: everything about one person, declared or not.

use super::files::declared;
use super::prepare::{observe, settle};
use super::{Done, Environment, block_on};
use crate::cli::{Common, ExplainArgs};
use crate::desired::DesiredPerson;
use crate::exit::Exit;
use crate::observed::{Found, ObservedState};
use crate::report::facts::explanation::HeldBy;
use crate::report::{Body, ExplanationReport, PlanReport};
use crate::roster::Email;

pub(super) fn run(args: &ExplainArgs, common: &Common, environment: &Environment) -> Done {
    let asked = Email::observed(args.email.trim());
    let files = declared(None, common, environment)?;
    block_on(async {
        let (connection, observation) =
            observe(&files, std::slice::from_ref(&asked), &args.connection, common, environment).await?;
        let state = observation.state.clone();
        let roster = files.roster.clone();
        let place = connection.place.clone();
        let now = files.now;
        let person = of_the_same(&asked, &files.desired.people, &state).cloned();
        let plan = match &person {
            None => None,
            Some(person) => {
                let only = [person.email.value.clone()];
                let prepared = settle(&files, &only, None, &connection, observation)?;
                Some(PlanReport::new(&prepared.material(None)))
            }
        };
        connection.close().await?;
        let report = ExplanationReport::new(&asked, &roster, person.as_ref(), &state, &place, plan, now);
        let is_explained = match &report.in_pylon {
            HeldBy::Nobody => report.declared.is_some(),
            HeldBy::One(_) => true,
            HeldBy::Several(_) => false,
        };
        Ok((Body::Explanation(Box::new(report)), if is_explained { Exit::Done } else { Exit::Failed }))
    })
}

/// Who is declared by this address, or by another one of the same person.
fn of_the_same<'d>(
    asked: &Email,
    people: &'d [DesiredPerson],
    observed: &ObservedState,
) -> Option<&'d DesiredPerson> {
    let by_address = people.iter().find(|person| person.email.value == *asked);
    by_address.or_else(|| {
        let (Found::Primary(known) | Found::Secondary(known)) = observed.find(asked) else {
            return None;
        };
        people
            .iter()
            .find(|person| person.email.value == known.email || known.secondary.contains(&person.email.value))
    })
}
