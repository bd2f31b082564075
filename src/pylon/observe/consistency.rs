//! Compares the responses with each other. If two responses contradict each other, one of them was incomplete, or something
//! changed in between.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::error::{ObserveError, ValueDifference, ValueDifferences, contradiction};
use crate::observed::{ObservedState, Person, Role, UserId};
use crate::printable::Printable;
use crate::pylon::request::UserList;
use crate::roster::{Email, Field, FieldValue};

/// Compares a search with a listing. Returns the people who are found only by the search and whose entries don't say whether
/// they're deactivated. (Before October 2026, only the listing of active users reveals who is deactivated.)
///
/// It's an error if the search found active people who are missing from the listing, or if the two disagree about a person.
pub(super) fn compare(
    listing: &UserList,
    found: &UserList,
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
            "GET /users returned no address for the user {}, but POST /users/search did",
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

pub(super) fn not_listed<T>(person: &Person) -> Result<T, ObserveError> {
    contradiction(format!(
        "GET /users does not list {}, but another response does",
        Printable::cut(person.email.as_str(), 100)
    ))
}

/// Checks that two responses agree about a person. Names are ignored because no decision depends on them. Differences in fields
/// that Pylon changes on its own are only recorded in `differing`.
pub(super) fn same_person(
    one: &Person,
    other: &Person,
    differing: &mut ValueDifferences,
) -> Result<(), ObserveError> {
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
        .partition(|field| field.facts().changes_in_pylon);
    let contradicted = if has_other_addresses {
        Some("addresses")
    } else if let [field, ..] = fixed[..] {
        Some(field.facts().plural)
    } else {
        (*deactivated != other.deactivated).then_some("values of is_deactivated")
    };
    if let Some(what) = contradicted {
        return contradiction(format!("the user {} has different {what} in two responses", id.as_str()));
    }
    let value = |person: &Person, field| person.held[field].assigned.first().cloned().unwrap_or_default();
    differing.extend(changing.into_iter().map(|field| ValueDifference {
        id: id.clone(),
        field,
        values: [one, other].map(|person| value(person, field)),
    }));
    Ok(())
}

/// Checks that the catalog contains all roles of active people. Names and slugs in the responses about users must match the
/// catalog unless they're empty.
pub(super) fn is_catalog_complete(state: &ObservedState, held: &BTreeSet<Role>) -> Result<(), ObserveError> {
    for role in held {
        let Some(known) = state.roles.by_id(&role.id) else { continue };
        let is_same = |held: &str, known: &str| held.is_empty() || held == known;
        if !is_same(&role.name, &known.name) || !is_same(&role.slug, &known.slug) {
            let [id, known, name] =
                [&*role.id.0, &known.name, &role.name].map(|text| Printable::cut(text, 60));
            return contradiction(format!(
                "the name of role {id} is {known} in GET /user-roles, but {name} in another response"
            ));
        }
    }
    let known: HashSet<&FieldValue> = state.roles.iter().map(|role| &role.id.0).collect();
    for person in state.people().filter(|person| !person.deactivated) {
        if let Some(role) = person.held.role.all().find(|role| !known.contains(role)) {
            return contradiction(format!(
                "GET /user-roles did not return the role {}, which {} has",
                Printable::cut(role, 60),
                Printable::cut(person.email.as_str(), 100)
            ));
        }
    }
    Ok(())
}

/// Checks that active people have distinct primary addresses. Otherwise, one person might count as two holders of a role.
pub(super) fn addresses_are_distinct(state: &ObservedState) -> Result<(), ObserveError> {
    let mut known: HashSet<&Email> = HashSet::new();
    match state.people().find(|person| !person.deactivated && !known.insert(&person.email)) {
        Some(person) => contradiction(format!(
            "two active users have the address {}",
            Printable::cut(person.email.as_str(), 100)
        )),
        None => Ok(()),
    }
}
