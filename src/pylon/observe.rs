//! Decides what to read from an organization and verifies that the result is complete.
//!
//! Declared people are looked up by address, and everyone else comes from a single listing. The role catalog is read at the same
//! time. The outcome is either a complete, consistent state or an error. A person or role missing from a response would seem not
//! to exist, and a plan based on such a response could remove the last Admin. To prevent this:
//!
//! * Lists are read to the last page. A cycle of pages is an error, and so is a page that only repeats earlier ones.
//! * A person in the search results exists even if they're missing from the listing. If the search and the listing disagree,
//!   everything is read again. A second disagreement is an error.
//! * If a declared address isn't found, we search for it again, alongside a listing that includes deactivated people.
//! * Every role ID found on an active person must be in the catalog. Otherwise, the catalog is incomplete.
//!
//! The code is generic over [`Ask`] so that tests can use an in-memory server. `paced_reader` sends the real requests.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::future::ready;

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::SetOnce;
use tokio::try_join;

use super::PylonCode;
use super::failure::{Class, Failure, INCOMPLETE};
use super::request::{
    Identity, Listing, Me, PAGE, ReadRequest, RoleFields, RolePage, Roles, Search, UserPage, halved,
};
use crate::observed::{Found, Integration, ObservedState, Organization, Person, Role, RoleCatalog, UserId};
use crate::printable::Printable;
use crate::problem::Problem;
use crate::roster::{Email, Field, FieldValue, Region};
use crate::source::Sourced;

/// The number of searches that run concurrently.
const SEARCHES_AT_ONCE: usize = 8;

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
    /// Whether a guardrail could wrongly pass if people were missing from the listing. If so, a second, independent listing is
    /// read.
    pub confirm_listing: bool,
}

/// The reasons for failing to read the organization.
#[derive(Debug)]
pub enum ObserveError {
    Failed(Failure),
    /// The responses are incomplete or inconsistent. The first time this happens, everything is read again.
    Incomplete {
        why: String,
        differing: ValueDifferences,
    },
    /// The token belongs to an organization other than the pinned one.
    Other(Box<Problem>),
}

impl ObserveError {
    /// Converts the error into a [`Problem`] to show to the user. `region` is the host's region, if known.
    pub fn problem(self, region: Option<Region>) -> Problem {
        match self {
            Self::Failed(failure) => failure.problem(region),
            Self::Incomplete { why, differing: _ } => {
                Problem::new(PylonCode::Incomplete, why).help(INCOMPLETE)
            }
            Self::Other(problem) => *problem,
        }
    }
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
            let known = SetOnce::new();
            let identity = async {
                let identity = identity(pylon).await;
                let _ = known.set(()); // `set` fails only if the value is already set
                identity
            };
            let first = async {
                let first = read(pylon, wanted, None).await;
                if first.as_ref().is_err_and(is_forbidden) {
                    known.wait().await; // if `GET /me` is refused as well, report that failure instead
                }
                Ok(first)
            };
            try_join!(identity, first)?
        }
    };
    let read = match first {
        // Another client may have made a change between two of the responses. If so, reading again resolves the contradiction.
        Err(ObserveError::Incomplete { differing, .. }) => read(pylon, wanted, Some(&differing)).await,
        other => other,
    };
    let mut state = read?;
    (state.organization, state.token_user) = (identity.organization, identity.user);
    Ok(state)
}

/// A field of a person that has different values in two responses. If Pylon can change the field at any time, this is a
/// contradiction only if the second reading shows the same difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ValueDifference {
    id: UserId,
    field: Field,
    values: [FieldValue; 2],
}

pub type ValueDifferences = BTreeSet<ValueDifference>;

fn contradiction<T>(why: impl Into<String>) -> Result<T, ObserveError> {
    Err(ObserveError::Incomplete { why: why.into(), differing: ValueDifferences::new() })
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
    match differing.iter().next().filter(|_| persistent) {
        Some(ValueDifference { id, field, values }) => {
            let [one, other] = values.each_ref().map(|value| Printable::cut(value, 60));
            let (id, fields) = (id.as_str(), field.plural());
            let why = format!("two responses give the user {id} different {fields}: `{one}` and `{other}`");
            Err(ObserveError::Incomplete { why, differing })
        }
        None => Ok(state),
    }
}

/// Holds back a 403 until the preceding requests are done. If several requests are refused, the error then names the first of
/// them rather than the fastest. Other failures aren't held back: their messages don't name the request, or they rarely affect
/// several requests at once.
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

/// Compares a search with a listing. Returns the people found only by the search whose responses don't say whether they are
/// deactivated. (Before October 2026, only the listing of active users reveals that.) Returns an error if the search found
/// active people who are missing from the listing, or if the two disagree about a person.
fn compare(
    listing: &List,
    found: &List,
    differing: &mut ValueDifferences,
) -> Result<HashSet<UserId>, ObserveError> {
    if let (Some(listed), Some(searched)) = (listing.role_fields, found.role_fields)
        && listed != searched
    {
        return contradiction("GET /users and POST /users/search return users with different role fields");
    }
    let mut rest: HashMap<&UserId, &Person> = HashMap::with_capacity(found.people.len());
    for person in &found.people {
        if let Some(other) = rest.insert(&person.id, person) {
            same_person(other, person, differing)?; // two batches found the same person under different addresses
        }
    }
    for listed in &listing.people {
        if let Some(person) = rest.remove(&listed.id) {
            same_person(listed, person, differing)?;
        }
    }
    if let Some(integration) = listing.integrations.iter().find(|user| rest.contains_key(&user.id)) {
        return contradiction(format!(
            "GET /users shows the user {} without an address, and POST /users/search with one",
            integration.id.as_str()
        ));
    }
    let mut unlisted = HashSet::new();
    for person in rest.into_values().filter(|person| !person.deactivated) {
        if !found.activity_unknown.contains(&person.id) {
            return not_listed(person);
        }
        unlisted.insert(person.id.clone());
    }
    Ok(unlisted)
}

fn not_listed<T>(person: &Person) -> Result<T, ObserveError> {
    contradiction(format!(
        "GET /users does not list {}, but another response does",
        Printable::cut(person.email.as_str(), 100)
    ))
}

/// Checks that two responses agree about a person. Names are ignored: no decision depends on them. Differences in fields that
/// Pylon changes on its own are recorded in `differing`.
fn same_person(one: &Person, other: &Person, differing: &mut ValueDifferences) -> Result<(), ObserveError> {
    let Person { id, email, secondary, name: _, held, deactivated } = one;
    let addresses = |email, secondary: &[Email]| -> BTreeSet<Email> {
        secondary.iter().chain(std::iter::once(email)).cloned().collect()
    };
    let has_other_addresses = *email != other.email
        || *secondary != other.secondary // skip building sets if the lists are equal; otherwise ignore the order
            && addresses(email, secondary) != addresses(&other.email, &other.secondary);
    let (changing, fixed): (Vec<Field>, Vec<Field>) = Field::ALL
        .into_iter()
        .filter(|field| held[*field] != other.held[*field])
        .partition(|field| field.changes_in_pylon());
    let what = if has_other_addresses {
        "addresses"
    } else if let [field, ..] = fixed[..] {
        field.plural()
    } else if *deactivated != other.deactivated {
        "values of is_deactivated"
    } else {
        let value = |person: &Person, field| person.held[field].assigned.first().cloned().unwrap_or_default();
        differing.extend(changing.into_iter().map(|field| ValueDifference {
            id: id.clone(),
            field,
            values: [one, other].map(|person| value(person, field)),
        }));
        return Ok(());
    };
    contradiction(format!("two responses give the user {} different {what}", id.as_str()))
}

/// Confirms that the `missing` addresses don't belong to any user and that the `unlisted` people are deactivated. To do so, it
/// reads a listing with deactivated people and searches for the missing addresses again. Returns the deactivated people.
///
/// Before October 2026 (`is_activity_unknown`), only the listing of active users reveals who is deactivated. If a user is deleted
/// between two pages, that listing can skip another user. Users therefore count as deactivated only if two listings lack them.
async fn confirm(
    pylon: &impl Ask,
    state: &ObservedState,
    missing: &[Email],
    unlisted: &HashSet<UserId>,
    is_activity_unknown: bool,
    differing: &mut ValueDifferences,
) -> Result<Vec<Person>, ObserveError> {
    let active_again =
        async { if is_activity_unknown { listing(pylon, false).await } else { Ok(List::default()) } };
    let (everyone, found, active_again) =
        try_join!(listing(pylon, true), search(pylon, missing), active_again)?;
    compare(&everyone, &found, differing)?;
    let all: HashSet<&UserId> = everyone.people.iter().map(|person| &person.id).collect();
    if let Some(person) = state.people().chain(&found.people).find(|person| !all.contains(&person.id)) {
        return not_listed(person);
    }
    if let Some(integration) = state.integrations.difference(&everyone.integrations).next() {
        return contradiction(format!(
            "GET /users lacks the user {} the second time",
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

/// Checks that the catalog contains every active person's roles, with the same names and slugs as in the response about that
/// person.
fn is_catalog_complete(state: &ObservedState, held: &BTreeSet<Role>) -> Result<(), ObserveError> {
    for role in held {
        let Some(known) = state.roles.by_id(&role.id) else { continue };
        let is_same = |held: &str, known: &str| held.is_empty() || held == known;
        if !is_same(&role.name, &known.name) || !is_same(&role.slug, &known.slug) {
            let [id, known, name] =
                [&*role.id.0, &known.name, &role.name].map(|text| Printable::cut(text, 60));
            return contradiction(format!(
                "GET /user-roles names the role {id} {known}, but another response says {name}"
            ));
        }
    }
    let known: HashSet<&FieldValue> = state.roles.iter().map(|role| &role.id.0).collect();
    for person in state.people().filter(|person| !person.deactivated) {
        if let Some(role) = person.held.role.all().find(|role| !known.contains(role)) {
            return contradiction(format!(
                "GET /user-roles lacks the role {}, which {} holds",
                Printable::cut(role, 60),
                Printable::cut(person.email.as_str(), 100)
            ));
        }
    }
    Ok(())
}

/// Checks that active people have distinct primary addresses. Otherwise, one person might count as two holders of a role.
fn addresses_are_distinct(state: &ObservedState) -> Result<(), ObserveError> {
    let mut known: HashSet<&Email> = HashSet::new();
    match state.people().find(|person| !person.deactivated && !known.insert(&person.email)) {
        Some(person) => contradiction(format!(
            "two active users have the address {}",
            Printable::cut(person.email.as_str(), 100)
        )),
        None => Ok(()),
    }
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
        .help("nothing was changed; use a token of the pinned organization"),
    )))
}

/// Reads all pages of the role catalog and removes duplicates.
async fn roles(pylon: &impl Ask) -> Result<Vec<Role>, ObserveError> {
    let mut roles: Vec<Role> = Vec::new();
    let request = |cursor| Roles { cursor };
    read_pages(pylon, request, |RolePage { roles: page, next }| {
        let (before, is_empty) = (roles.len(), page.is_empty());
        for role in page {
            if !roles.contains(&role) {
                is_distinct(&role, &roles)?;
                roles.push(role);
            }
        }
        Ok(ReadStep { has_new: roles.len() > before || is_empty && next.is_none(), next })
    })
    .await?;
    Ok(roles)
}

/// Checks that a role's ID and slug are unique. Otherwise, a reference to the role in a file would be ambiguous.
fn is_distinct(role: &Role, others: &[Role]) -> Result<(), ObserveError> {
    let same = |what: &str, other: &Role, text: &str| {
        let [one, other, text] = [&*other.name, &*role.name, text].map(|text| Printable::cut(text, 60));
        contradiction(format!("GET /user-roles returns two roles with the {what} {text}: {one} and {other}"))
    };
    if let Some(other) = others.iter().find(|other| other.id == role.id) {
        return same("ID", other, &role.id.0);
    }
    match others.iter().find(|other| other.slug == role.slug && !role.slug.is_empty()) {
        Some(other) => same("slug", other, &role.slug),
        None => Ok(()),
    }
}

async fn listing(pylon: &impl Ask, deactivated: bool) -> Result<List, ObserveError> {
    read_users(pylon, |cursor| Listing { deactivated, cursor }).await
}

/// Searches for everyone who has one of the addresses in `emails`.
async fn search(pylon: &impl Ask, emails: &[Email]) -> Result<List, ObserveError> {
    let batches = emails.chunks(PAGE).map(|batch| search_batch(pylon, batch));
    let found = stream::iter(batches).buffer_unordered(SEARCHES_AT_ONCE);
    found.try_fold(List::default(), |all, found| ready(all.and(found))).await
}

/// Runs a single search and splits it if the server rejects it as too large.
async fn search_batch(pylon: &impl Ask, batch: &[Email]) -> Result<List, ObserveError> {
    let mut people = List::default();
    let mut batches = vec![(batch, PAGE)];
    while let Some((emails, limit)) = batches.pop() {
        let search = |cursor| Search { emails: emails.to_vec(), limit, cursor };
        match read_users(pylon, search).await {
            Ok(found) => {
                has_only_those_asked_for(&found, emails)?;
                people = people.and(found)?;
            }
            Err(ObserveError::Failed(failure)) => match halved(emails.len(), limit, &failure) {
                Some((size, limit)) => batches.extend(emails.chunks(size).map(|part| (part, limit))),
                None => return Err(ObserveError::Failed(failure)),
            },
            Err(error) => return Err(error),
        }
    }
    Ok(people)
}

/// Checks that everyone in a search response has one of the requested addresses. A response that includes anyone else can't be
/// trusted.
fn has_only_those_asked_for(found: &List, emails: &[Email]) -> Result<(), ObserveError> {
    let asked: HashSet<&Email> = emails.iter().collect();
    let is_asked = |person: &Person| person.addresses().any(|email| asked.contains(email));
    let people = found.people.iter().filter(|person| !is_asked(person)).map(|person| &person.id);
    match people.chain(found.integrations.iter().map(|user| &user.id)).next() {
        Some(id) => contradiction(format!(
            "POST /users/search returned the user {}, who has none of the requested addresses",
            id.as_str()
        )),
        None => Ok(()),
    }
}

/// Reads all pages of a listing or search.
async fn read_users<R: ReadRequest<Response = UserPage>>(
    pylon: &impl Ask,
    request: impl Fn(Option<String>) -> R,
) -> Result<List, ObserveError> {
    let asked = request(None).outgoing().asked();
    let mut list = List::default();
    let mut positions: HashMap<UserId, usize> = HashMap::new();
    read_pages(pylon, request, |page| {
        let UserPage { people, integrations, activity_unknown, held, role_fields, next } = page;
        let is_empty = people.is_empty() && integrations.is_empty();
        let before = list.people.len() + list.integrations.len();
        list.has_fields(role_fields)?;
        positions.reserve(people.len());
        for person in people {
            match positions.get(&person.id).map(|at| &list.people[*at]) {
                None => {
                    positions.insert(person.id.clone(), list.people.len());
                    list.people.push(person);
                }
                Some(known) if *known == person => {}
                Some(_) => {
                    return contradiction(format!(
                        "{asked} returned the user {} twice, with different data",
                        person.id.as_str()
                    ));
                }
            }
        }
        list.integrations.extend(integrations);
        list.activity_unknown.extend(activity_unknown);
        list.held.extend(held);
        let has_new = list.people.len() + list.integrations.len() > before;
        // A list can end with an empty page. If entries are missing, comparing the listing with the search will reveal that.
        Ok(ReadStep { has_new: has_new || is_empty && next.is_none(), next })
    })
    .await?;
    Ok(list)
}

/// Whether a page added anything new to a list, and the cursor of the next page.
struct ReadStep {
    has_new: bool,
    next: Option<String>,
}

/// Reads a list to the last page. `request` creates the request for a given cursor, and `take` collects a page's contents. A
/// repeated cursor is an error, and so is a later page without anything new.
async fn read_pages<R: ReadRequest>(
    pylon: &impl Ask,
    request: impl Fn(Option<String>) -> R,
    mut take: impl FnMut(R::Response) -> Result<ReadStep, ObserveError>,
) -> Result<(), ObserveError> {
    let mut cursors: HashSet<String> = HashSet::new();
    let mut cursor = None;
    loop {
        let request = request(cursor);
        let ReadStep { has_new, next } = take(pylon.ask(&request).await.map_err(ObserveError::Failed)?)?;
        let asked = || request.outgoing().asked();
        if !has_new && !cursors.is_empty() {
            return contradiction(format!("{} returned a page that only repeats earlier pages", asked()));
        }
        match next {
            None => return Ok(()),
            Some(next) if !cursors.insert(next.clone()) => {
                return contradiction(format!("{} returned pages that form a loop", asked()));
            }
            Some(next) => cursor = Some(next),
        }
    }
}

/// Users collected from one or more responses.
#[derive(Default)]
struct List {
    people: Vec<Person>,
    integrations: BTreeSet<Integration>,
    /// People whose responses don't say if they are deactivated.
    activity_unknown: HashSet<UserId>,
    /// The distinct roles held by the people in this list, as described in the responses.
    held: BTreeSet<Role>,
    role_fields: Option<RoleFields>,
}

impl List {
    fn and(mut self, other: Self) -> Result<Self, ObserveError> {
        self.has_fields(other.role_fields)?;
        self.people.extend(other.people);
        self.integrations.extend(other.integrations);
        self.activity_unknown.extend(other.activity_unknown);
        self.held.extend(other.held);
        Ok(self)
    }

    /// Records the role fields, which depend only on the API version. They must be the same for all users. A difference means
    /// that a user lacks a field.
    fn has_fields(&mut self, fields: Option<RoleFields>) -> Result<(), ObserveError> {
        if let (Some(known), Some(fields)) = (self.role_fields, fields)
            && known != fields
        {
            return contradiction("users of one list have different role fields");
        }
        self.role_fields = self.role_fields.or(fields);
        Ok(())
    }
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
