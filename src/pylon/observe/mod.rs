//! Decides what to read from an organization and verifies that the result is complete.
//!
//! Declared people are looked up by address, everyone else comes from a single listing, and the role catalog is read at the same
//! time. The outcome is either a complete, consistent state or an error, because a person or role missing from a response would
//! seem not to exist. A plan based on such a response could remove the last Admin. To prevent this:
//!
//! * Lists are read to the last page. A cycle of pages is an error, and so is a page that only repeats earlier ones.
//! * A person in the search results exists even if they're missing from the listing. If the search and the listing disagree,
//!   everything is read again, and a second disagreement is an error.
//! * If a declared address isn't found, we search for it again, alongside a listing that includes deactivated people.
//! * If an active person has a role ID that isn't in the catalog, the catalog counts as incomplete.
//!
//! `lists` reads whole lists, and `consistency` compares them. The code is generic over [`Ask`] so that tests can use an in-memory
//! server, whereas `paced_reader` sends real requests.

use std::collections::{BTreeSet, HashSet};
use std::slice;

use tokio::sync::SetOnce;
use tokio::try_join;

mod consistency;
mod error;
mod lists;

use super::PylonCode;
use super::failure::{Class, Failure};
use super::request::{Identity, Me, ReadRequest, UserList};
use crate::observed::{Found, ObservedState, Organization, Person, Role, RoleCatalog, UserId};
use crate::printable::Printable;
use crate::problem::Problem;
use crate::roster::Email;
use crate::source::Sourced;
use consistency::{addresses_are_distinct, compare, is_catalog_complete, not_listed, same_person};
pub use error::ObserveError;
use error::{ValueDifference, ValueDifferences, contradiction};
use lists::{listing, roles, search};

/// A source of responses to reads: Pylon or an in-memory server.
#[allow(async_fn_in_trait, reason = "one thread: no future needs to be Send")]
pub trait Ask {
    /// Returns the response to `request`, or the last failure if all retries fail.
    async fn ask<R: ReadRequest>(&self, request: &R) -> Result<R::Response, Failure>;
}

#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    pub emails: &'a [Email],
    /// ID of the pinned organization. If given, `GET /me` must confirm the ID before anything else is read.
    pub pin: Option<&'a Sourced<String>>,
    /// Whether to read a second, independent listing. That's necessary if a guardrail could wrongly pass because people are
    /// missing from the first listing.
    pub confirm_listing: bool,
}

/// Reads the organization's roles and users, and verifies that the result is complete.
///
/// # Errors
/// Returns an error if anything could not be read completely or if the organization isn't the pinned one.
pub async fn observe(pylon: &impl Ask, wanted: &Wanted<'_>) -> Result<ObservedState, ObserveError> {
    let (identity, first) = match wanted.pin {
        Some(pin) => {
            let identity = identity(pylon).await?;
            check_pin(&identity.organization, pin)?;
            (identity, read(pylon, wanted, None).await)
        }
        None => {
            let [identified, done] = [SetOnce::new(), SetOnce::new()];
            let identity = in_order(identity(pylon), &[], &identified);
            let first = in_order(read(pylon, wanted, None), slice::from_ref(&identified), &done);
            // A failed reading must not cancel `GET /me`, because the reading may be repeated.
            let first = async { Ok(first.await) };
            try_join!(identity, first)?
        }
    };
    let read = match first {
        // Reading again resolves the contradiction if another client made a change between two of the responses.
        Err(ObserveError::Incomplete { differing, .. }) => read(pylon, wanted, Some(&differing)).await,
        other => other,
    };
    let mut state = read?;
    (state.organization, state.token_user) = (identity.organization, identity.user);
    Ok(state)
}

/// Reads everything once and verifies it. On the second reading, `earlier` contains the differences that the first reading
/// found.
async fn read(
    pylon: &impl Ask,
    wanted: &Wanted<'_>,
    earlier: Option<&ValueDifferences>,
) -> Result<ObservedState, ObserveError> {
    let done = [SetOnce::new(), SetOnce::new(), SetOnce::new()];
    let (catalog, mut active, found) = try_join!(
        in_order(roles(pylon), &[], &done[0]),
        in_order(listing(pylon, false), &done[..1], &done[1]),
        in_order(search(pylon, wanted.emails), &done[..2], &done[2]),
    )?;
    let mut differing = ValueDifferences::new();
    let unlisted = compare(&active, &found, &mut differing)?;
    // For people found by the search, the search result takes precedence over the listing.
    let searched: HashSet<&UserId> = found.people.iter().map(|person| &person.id).collect();
    active.people.retain(|person| !searched.contains(&person.id));
    let is_activity_unknown = !active.activity_unknown.is_empty() || !found.activity_unknown.is_empty();
    let held: BTreeSet<Role> = active.held.into_iter().chain(found.held).collect();
    let mut state = ObservedState::new(Organization::default(), None, RoleCatalog::new(catalog));
    state.integrations = active.integrations;
    let mut state = state.with(active.people.into_iter().chain(found.people));
    let missing: Vec<Email> =
        wanted.emails.iter().filter(|email| state.find(email) == Found::NotFound).cloned().collect();
    if !missing.is_empty() || !unlisted.is_empty() || wanted.confirm_listing {
        let people = confirm(pylon, &state, &missing, &unlisted, is_activity_unknown, &mut differing).await?;
        people.into_iter().for_each(|person| state.insert(person));
    }
    is_catalog_complete(&state, &held)?;
    addresses_are_distinct(&state)?;
    let persistent = earlier.is_none_or(|earlier| !differing.is_disjoint(earlier));
    match differing.first() {
        Some(ValueDifference { id, field, values }) if persistent => {
            let [one, other] = values.each_ref().map(|value| Printable::cut(value, 60));
            let (id, fields) = (id.as_str(), field.facts().plural);
            let why = format!("the user {id} has different {fields} in two responses: `{one}` and `{other}`");
            Err(ObserveError::Incomplete { why, differing })
        }
        _ => Ok(state),
    }
}

/// Holds back a 403 until the preceding requests are done. If several requests are refused, the error then names the first of
/// them rather than the fastest. Other failures aren't held back, because their messages don't name the request, or because they
/// rarely affect several requests at once.
async fn in_order<T>(
    request: impl Future<Output = Result<T, ObserveError>>,
    before: &[SetOnce<()>],
    done: &SetOnce<()>,
) -> Result<T, ObserveError> {
    let result = request.await;
    if result.as_ref().is_err_and(is_forbidden) {
        for earlier in before {
            earlier.wait().await;
        }
    }
    let _ = done.set(()); // `set` fails only if the value is already set
    result
}

fn is_forbidden(error: &ObserveError) -> bool {
    matches!(error, ObserveError::Failed(failure) if failure.class() == Class::Forbidden)
}

/// Confirms that the `missing` addresses don't belong to any user and that the `unlisted` people are deactivated. To do so, it
/// reads a listing that includes deactivated people and searches for the missing addresses again. Returns the deactivated
/// people.
///
/// Before October 2026 (`is_activity_unknown`), only the listing of active users reveals who is deactivated. That listing can
/// skip a user if another user is deleted between two pages, so users count as deactivated only if two listings lack them.
async fn confirm(
    pylon: &impl Ask,
    state: &ObservedState,
    missing: &[Email],
    unlisted: &HashSet<UserId>,
    is_activity_unknown: bool,
    differing: &mut ValueDifferences,
) -> Result<Vec<Person>, ObserveError> {
    let active_again =
        async { if is_activity_unknown { listing(pylon, false).await } else { Ok(UserList::default()) } };
    let (everyone, found, active_again) =
        try_join!(listing(pylon, true), search(pylon, missing), active_again)?;
    compare(&everyone, &found, differing)?;
    let all: HashSet<&UserId> = everyone.people.iter().map(|person| &person.id).collect();
    if let Some(person) = state.people().chain(&found.people).find(|person| !all.contains(&person.id)) {
        return not_listed(person);
    }
    if let Some(integration) = state.integrations.difference(&everyone.integrations).next() {
        return contradiction(format!(
            "GET /users did not return the user {} the second time",
            integration.id.as_str()
        ));
    }
    let active: HashSet<&UserId> = active_again.people.iter().map(|person| &person.id).collect();
    let mut deactivated = Vec::new();
    for person in &everyone.people {
        if let Some(known) = state.person(&person.id) {
            same_person(known, person, differing)?;
            if !unlisted.contains(&known.id) {
                continue;
            }
        }
        let is_said_active = !person.deactivated && !everyone.activity_unknown.contains(&person.id);
        if is_said_active || active.contains(&person.id) {
            return not_listed(person);
        }
        deactivated.push(Person { deactivated: true, ..person.clone() });
    }
    Ok(deactivated)
}

async fn identity(pylon: &impl Ask) -> Result<Identity, ObserveError> {
    pylon.ask(&Me).await.map_err(ObserveError::Failed)
}

fn check_pin(organization: &Organization, pin: &Sourced<String>) -> Result<(), ObserveError> {
    if organization.id == pin.value {
        return Ok(());
    }
    let (id, name) = (Printable::cut(&organization.id, 80), Printable::cut(&organization.name, 80));
    Err(ObserveError::Other(Box::new(
        Problem::new(
            PylonCode::OtherOrganization,
            format!("the token belongs to {name} ({id}), but the files belong to another organization"),
        )
        .at(pin.place, "pinned here")
        .help("nothing was changed; use a token for the pinned organization"),
    )))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::super::failure::Refusal;
    use super::*;

    fn refused(asked: &str, status: u16) -> ObserveError {
        let refusal = Refusal { status, ..Refusal::default() };
        ObserveError::Failed(Failure { asked: asked.into(), cause: refusal.into(), request_id: None })
    }

    async fn slow(result: Result<(), ObserveError>) -> Result<(), ObserveError> {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        result
    }

    #[tokio::test]
    async fn if_several_requests_are_forbidden_the_first_one_is_reported() {
        for (first, second, expected) in [
            (Err(refused("first", 403)), 403, "first"),
            (Ok(()), 403, "second"),
            (Err(refused("first", 403)), 404, "second"), // only a 403 is held back
        ] {
            let done = [SetOnce::new(), SetOnce::new()];
            let both = async {
                try_join!(
                    in_order(slow(first), &[], &done[0]),
                    in_order(async { Err::<(), _>(refused("second", second)) }, &done[..1], &done[1])
                )
            };
            let Err(ObserveError::Failed(failure)) = both.await else { panic!("one of them is refused") };
            assert_eq!(failure.asked, expected);
        }
    }
}
