//! `explain`: shows everything about a declared or unmanaged person, or the page for an error code.

use std::collections::BTreeSet;

use super::connection::Connection;
use super::files::declared;
use super::line_history::since;
use super::prepare::settle;
use super::{CommandCode, Done, Session, block_on, diagnostic_codes};
use crate::cli::ExplainArgs;
use crate::desired::DesiredPerson;
use crate::exit::Exit;
use crate::observed::{Found, ObservedState, UserId};
use crate::plan::blame::Drift;
use crate::printable::Printable;
use crate::problem::Problem;
use crate::report::{Body, CandidateLine, DiagnosticPage, ExplanationReport, PlanReport};
use crate::roster::{Email, Field, Roster};
use crate::spelling::did_you_mean;

pub(super) fn run(args: &ExplainArgs, session: Session<'_>) -> Done {
    if let Some(code) = args.code().or_else(|| code_without_prefix(args.who.trim())) {
        return page(code);
    }
    let mut asked = Email::observed(args.who.trim());
    let files = declared(None, session)?;
    block_on(async {
        // Pylon can search for an address, but not for a name or part of an address.
        let mut addresses = files.emails();
        addresses.extend(args.who.contains('@').then(|| asked.clone()));
        let connection = Connection::open(&files.roster, &args.connection, session).await?;
        let observation = connection.observe(&files.roster, &addresses).await?;
        let people = &files.desired.people;
        let mut candidates = candidates(&asked, people, &observation.state);
        if let [only] = candidates.as_slice() {
            asked = Email::observed(only.email.raw());
            candidates.clear();
        }
        let person = declared_person(&asked, people, &observation.state);
        // For an unmanaged person, the plan is needed only to find out whether the person violates a rule.
        let (state, prepared) =
            if person.is_none() && !is_restricted(&asked, &files.roster, &observation.state) {
                (observation.state, None)
            } else {
                let email = person.map_or(&asked, |person| &person.email.value);
                let whole = settle(&files, &[], None, &connection, observation)?;
                let only = settle(&files, std::slice::from_ref(email), None, &connection, whole.observation)?;
                // An apply carries out the changes of everyone, so its guardrails count them all.
                let (guardrails, blocked) = (whole.report.guardrails, whole.report.blocked);
                let plan = PlanReport { blocked, guardrails, ..only.report };
                (only.observation.state, Some((plan, whole.reviewed.findings)))
            };
        let (plan, findings) = prepared.unzip();
        let review = plan.zip(findings.as_deref());
        let place = connection.place.clone();
        let mut report =
            ExplanationReport::new(&asked, &files.roster, person, &state, &place, review, files.now);
        report.more_candidates = candidates.len().saturating_sub(LISTED);
        candidates.truncate(LISTED);
        report.candidates = candidates;
        add_history(&mut report, &connection, &state).await;
        connection.close().await?;
        let exit = if report.is_explained() { Exit::Done } else { Exit::Failed };
        Ok((Body::Explanation(Box::new(report)), exit))
    })
}

/// Returns `true` if a rule applies to the person in Pylon with this address.
fn is_restricted(asked: &Email, roster: &Roster, observed: &ObservedState) -> bool {
    let (Found::Primary(person) | Found::Secondary(person)) = observed.find(asked) else { return false };
    roster.guardrails.role_rules.iter().any(|rule| rule.applies_to(person.addresses()))
}

/// The maximum number of people to list if the argument matches more than one.
const LISTED: usize = 20;

/// Adds the commit that last changed the person's declaration (from git) and the latest changes in Pylon (from the audit log).
/// Failures aren't fatal.
async fn add_history(report: &mut ExplanationReport, connection: &Connection, state: &ObservedState) {
    let id = report.in_pylon.as_ref().and_then(|person| UserId::new(person.id.raw()));
    if let Some(person) = id.and_then(|id| state.person(&id)) {
        let drift = Drift::of(Field::ALL.map(|field| (person, field)), &state.roles);
        report.add_last_changes(&connection.reader.inquire(drift).await.finish(state).blames);
    }
    if let Some(declared) = &mut report.declared {
        declared.since = since(&declared.location);
    }
}

/// Returns the people whose name or address contains `part`, sorted by address. If `part` is the complete address of a person,
/// the list is empty.
fn candidates(part: &Email, people: &[DesiredPerson], observed: &ObservedState) -> Vec<CandidateLine> {
    if declared_person(part, people, observed).is_some() || observed.find(part) != Found::NotFound {
        return Vec::new();
    }
    let part = part.folded();
    if part.is_empty() {
        return Vec::new();
    }
    // Since a domain matches lots of addresses, domains are searched only if the query contains an `@` or nothing else matches.
    let found = matching(part, part.contains('@'), people, observed);
    if found.is_empty() { matching(part, true, people, observed) } else { found }
}

/// Returns the people whose name or address contains `part`, sorted by address. Unless `searches_domains` is `true`, the
/// domains of addresses are ignored.
fn matching(
    part: &str,
    searches_domains: bool,
    people: &[DesiredPerson],
    observed: &ObservedState,
) -> Vec<CandidateLine> {
    let is_in = |email: &Email| {
        let email = email.folded();
        let local = email.split_once('@').map_or(email, |(local, _)| local);
        if searches_domains { email.contains(part) } else { local.contains(part) }
    };
    let part_of_name = part.to_lowercase();
    let declared: BTreeSet<&Email> = people.iter().map(|person| &person.email.value).collect();
    let mut found = BTreeSet::new();
    for person in observed.people() {
        let is_match = person.addresses().any(is_in) || person.name.to_lowercase().contains(&part_of_name);
        if is_match {
            found.insert(CandidateLine {
                email: Printable::new(person.email.as_str()),
                name: Some(Printable::new(&person.name)),
                declared: person.addresses().any(|email| declared.contains(email)),
            });
        }
    }
    let is_missing = |email: &Email| is_in(email) && observed.find(email) == Found::NotFound;
    for email in declared.into_iter().filter(|email| is_missing(email)) {
        found.insert(CandidateLine { email: Printable::new(email.as_str()), name: None, declared: true });
    }
    found.into_iter().collect()
}

/// Returns the complete code if `part` is the text after the `::` of exactly one code. Only parts with an underscore count, since
/// a single word could also be a name.
fn code_without_prefix(part: &str) -> Option<&'static str> {
    if !part.contains('_') {
        return None;
    }
    let mut codes = diagnostic_codes();
    codes.retain(|code| code.split_once("::").is_some_and(|(_, name)| name == part));
    if let [only] = codes.as_slice() { Some(only) } else { None }
}

/// Shows the page for an error code, which requires neither files nor a connection.
fn page(code: &str) -> Done {
    if let Some(page) = DiagnosticPage::for_code(code) {
        return Ok((Body::Page(Box::new(page)), Exit::Done));
    }
    let known = diagnostic_codes();
    let problem =
        Problem::new(CommandCode::UnknownCode, format!("no error has the code {}", Printable::cut(code, 80)));
    let help = match did_you_mean(code, known) {
        Some(near) => format!("did you mean {near}?"),
        None => "use a code that an error message shows, such as roster::bad_email".to_owned(),
    };
    Err(problem.help(help).into())
}

/// Returns the person declared under this address or under another address of the same Pylon user.
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
        people.iter().find(|person| known.is(&person.email.value))
    })
}
