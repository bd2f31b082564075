//! `explain`: shows everything about one person, declared or not.

use super::files::declared;
use super::prepare::{observe, settle};
use super::{CommandCode, Done, Environment, block_on, diagnostic_codes};
use crate::cli::{Common, ExplainArgs};
use crate::desired::DesiredPerson;
use crate::exit::Exit;
use crate::observed::{Found, ObservedState};
use crate::printable::Printable;
use crate::problem::Problem;
use crate::report::{Body, DiagnosticPage, ExplanationReport};
use crate::roster::Email;
use crate::spelling::did_you_mean;

pub(super) fn run(args: &ExplainArgs, common: &Common, environment: &Environment) -> Done {
    if let Some(code) = args.code() {
        return page(code);
    }
    let asked = Email::observed(args.who.trim());
    let files = declared(None, common, environment)?;
    block_on(async {
        let (connection, observation) =
            observe(&files, std::slice::from_ref(&asked), &args.connection, common, environment).await?;
        let person = declared_person(&asked, &files.desired.people, &observation.state);
        let (state, plan) = match person {
            None => (observation.state, None),
            Some(person) => {
                let only = std::slice::from_ref(&person.email.value);
                let prepared = settle(&files, only, None, &connection, observation)?;
                (prepared.observation.state, Some(prepared.report))
            }
        };
        let place = connection.place.clone();
        connection.close().await?;
        let report = ExplanationReport::new(&asked, &files.roster, person, &state, &place, plan, files.now);
        let exit = if report.is_explained() { Exit::Done } else { Exit::Failed };
        Ok((Body::Explanation(Box::new(report)), exit))
    })
}

/// Returns the page of an error code. It needs neither files nor Pylon.
fn page(code: &str) -> Done {
    if let Some(page) = DiagnosticPage::of(code) {
        return Ok((Body::Page(Box::new(page)), Exit::Done));
    }
    let known = diagnostic_codes();
    let problem =
        Problem::new(CommandCode::UnknownCode, format!("no error has the code {}", Printable::cut(code, 80)));
    let help = match did_you_mean(code, known) {
        Some(near) => format!("did you mean {near}?"),
        None => "write a code as an error shows it, such as roster::bad_email".to_owned(),
    };
    Err(problem.help(help).into())
}

/// Returns the person who is declared by this address, or by another address of the same person.
fn declared_person<'d>(
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
