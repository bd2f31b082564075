//! Reads whole lists: all pages of the users, of the role catalog, or of a search for addresses.

use std::collections::{HashMap, HashSet};
use std::future::ready;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::Ask;
use super::error::{ObserveError, contradiction};
use crate::observed::{Person, Role, UserId};
use crate::printable::Printable;
use crate::pylon::request::{Listing, PAGE, Page, ReadRequest, RoleFields, Roles, Search, UserList, halved};
use crate::roster::Email;

/// The number of searches that run concurrently.
const SEARCHES_AT_ONCE: usize = 8;

/// Reads all pages of the role catalog and removes duplicates.
pub(super) async fn roles(pylon: &impl Ask) -> Result<Vec<Role>, ObserveError> {
    let mut roles: Vec<Role> = Vec::new();
    let request = |cursor| Roles { cursor };
    read_pages(pylon, request, |page: Vec<Role>| {
        let (before, is_empty) = (roles.len(), page.is_empty());
        for role in page {
            if !roles.contains(&role) {
                is_distinct(&role, &roles)?;
                roles.push(role);
            }
        }
        Ok(roles.len() > before || is_empty)
    })
    .await?;
    Ok(roles)
}

/// Checks that a role's ID and slug are unique, so that references to the role in the files are unambiguous.
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

pub(super) async fn listing(pylon: &impl Ask, deactivated: bool) -> Result<UserList, ObserveError> {
    read_users(pylon, |cursor| Listing { deactivated, cursor }).await
}

/// Searches for everyone who has one of the addresses in `emails`.
pub(super) async fn search(pylon: &impl Ask, emails: &[Email]) -> Result<UserList, ObserveError> {
    let batches = emails.chunks(PAGE).map(|batch| search_batch(pylon, batch));
    let found = stream::iter(batches).buffer_unordered(SEARCHES_AT_ONCE);
    found.try_fold(UserList::default(), |all, found| ready(all.and(found))).await
}

/// Runs a single search and splits it if the server rejects it as too large.
async fn search_batch(pylon: &impl Ask, batch: &[Email]) -> Result<UserList, ObserveError> {
    let mut people = UserList::default();
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

/// Checks that everyone in a search response has one of the requested addresses. A response with anyone else can't be trusted.
fn has_only_those_asked_for(found: &UserList, emails: &[Email]) -> Result<(), ObserveError> {
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
async fn read_users<R: ReadRequest<Response = Page<UserList>>>(
    pylon: &impl Ask,
    request: impl Fn(Option<String>) -> R,
) -> Result<UserList, ObserveError> {
    let asked = request(None).outgoing().asked();
    let mut list = UserList::default();
    let mut positions: HashMap<UserId, usize> = HashMap::new();
    read_pages(pylon, request, |page| {
        let UserList { people, integrations, activity_unknown, held, role_fields } = page;
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
        Ok(list.people.len() + list.integrations.len() > before || is_empty)
    })
    .await?;
    Ok(list)
}

/// Reads a list to the last page. `request` creates the request for a given cursor. `take` collects a page's contents and
/// returns `true` if any of them are new. A repeated cursor is an error, and so is a later page without anything new.
///
/// An empty page also counts as new, because a list can end with one. (Decoding rejects an empty page with a cursor.) Comparing
/// the listing with the search reveals any missing entries.
async fn read_pages<T, R: ReadRequest<Response = Page<T>>>(
    pylon: &impl Ask,
    request: impl Fn(Option<String>) -> R,
    mut take: impl FnMut(T) -> Result<bool, ObserveError>,
) -> Result<(), ObserveError> {
    let mut cursors: HashSet<String> = HashSet::new();
    let mut cursor = None;
    loop {
        let request = request(cursor);
        let Page { data, next } = pylon.ask(&request).await.map_err(ObserveError::Failed)?;
        let has_new = take(data)?;
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

impl UserList {
    fn and(mut self, other: Self) -> Result<Self, ObserveError> {
        self.has_fields(other.role_fields)?;
        self.people.extend(other.people);
        self.integrations.extend(other.integrations);
        self.activity_unknown.extend(other.activity_unknown);
        self.held.extend(other.held);
        Ok(self)
    }

    /// Records the role fields, which must be the same for all users because they depend only on the API version. A difference
    /// means that a user lacks a field.
    fn has_fields(&mut self, fields: Option<RoleFields>) -> Result<(), ObserveError> {
        if let (Some(known), Some(fields)) = (self.role_fields, fields)
            && known != fields
        {
            return contradiction("users in the same list have different role fields");
        }
        self.role_fields = self.role_fields.or(fields);
        Ok(())
    }
}
