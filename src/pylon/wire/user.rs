//! Decodes users, whose fields differ between the versions of the API.

use serde::Deserialize;

use super::json::{Data, MaybeNull, Object, list, maybe_null, parse};
use crate::observed::{HeldValues, Integration, Person, Role, RoleId, UserId};
use crate::pylon::failure::{FailureCause, WrongShape};
use crate::pylon::request::{Page, RoleFields, UserList};
use crate::roster::{Email, FieldValue, PerField};

pub(super) fn users(body: &[u8]) -> Result<Page<UserList>, FailureCause> {
    let expected = "a page of users";
    let Page { data, next } = list::<WireUser>(body, expected)?;
    let mut users = UserList::default();
    for user in data {
        add(&mut users, user).map_err(|why| WrongShape::cause(expected, why))?;
    }
    Ok(Page { data: users, next })
}

/// Decodes the response to `GET` or `PATCH /users/{id}`. Returns an error if the response is about another user.
pub(super) fn person(id: &UserId, body: &[u8]) -> Result<Person, FailureCause> {
    let wrong = |why| WrongShape::cause("the requested user", why);
    let user = parse::<Data<WireUser>>(body).map_err(wrong)?.data.0;
    match convert(user).map_err(wrong)? {
        DecodedUser::Person(person, _) if person.id == *id => Ok(person),
        DecodedUser::Person(Person { id, .. }, _) => {
            Err(wrong(format!("it is another user, {}", id.as_str())))
        }
        DecodedUser::Integration(Integration { id, .. }) => {
            Err(wrong(format!("the user {} has no email address", id.as_str())))
        }
    }
}

#[derive(Deserialize)]
struct WireUser {
    id: String,
    #[serde(default, deserialize_with = "maybe_null")]
    email: MaybeNull<String>,
    emails: Option<Vec<String>>,
    name: Option<String>,
    role_id: Option<String>,
    /// The role as an object, which is present only in the API of July 2026.
    role: Option<Object<WireHeldRole>>,
    #[serde(default, deserialize_with = "maybe_null")]
    role_ids: MaybeNull<Vec<String>>,
    #[serde(default, deserialize_with = "maybe_null")]
    roles: MaybeNull<Vec<Object<WireHeldRole>>>,
    is_deactivated: Option<bool>,
    status: Option<String>,
}

/// A role held by a user. The name and slug must match the catalog unless they are empty.
#[derive(Deserialize)]
struct WireHeldRole {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    slug: String,
}

/// Converts a user and adds it to the list, along with the user's roles.
fn add(users: &mut UserList, user: WireUser) -> Result<(), String> {
    let is_activity_unknown = user.is_deactivated.is_none();
    let roles = user.roles.iter().flatten().flatten().chain(&user.role);
    users.held.extend(roles.map(|Object(WireHeldRole { id, name, slug })| Role {
        id: RoleId(id.as_str().into()),
        name: name.clone(),
        slug: slug.clone(),
    }));
    match convert(user)? {
        DecodedUser::Integration(integration) => {
            users.integrations.insert(integration);
        }
        DecodedUser::Person(person, fields) => {
            if users.role_fields.is_some_and(|others| others != fields) {
                let id = person.id.as_str();
                return Err(format!("the user {id} has different role fields than the users before it"));
            }
            users.role_fields = Some(fields);
            users.activity_unknown.extend(is_activity_unknown.then(|| person.id.clone()));
            users.people.push(person);
        }
    }
    Ok(())
}

enum DecodedUser {
    Person(Person, RoleFields),
    Integration(Integration),
}

/// Converts a user. Returns an error if a field that affects decisions is missing, if fields contradict each other, or if the
/// ID can't be part of a path.
fn convert(user: WireUser) -> Result<DecodedUser, String> {
    let Some(id) = UserId::new(&user.id) else {
        return Err(format!("a user has an ID that cannot be part of a URL path: {:?}", user.id));
    };
    let missing = |field: &str| format!("the user {} has no {field}", id.as_str());
    if user.email.is_none() {
        return Err(missing("email"));
    }
    let texts = user.email.iter().flatten().chain(user.emails.iter().flatten());
    let mut addresses = texts.filter(|text| !text.is_empty()).map(|text| Email::observed(text));
    let Some(email) = addresses.next() else {
        let name = user.name.unwrap_or_default();
        return Ok(DecodedUser::Integration(Integration { id, name }));
    };
    let secondary = addresses.filter(|other| *other != email).collect();
    let (role, fields) = roles_of(&user, missing)?;
    let WireUser { name, is_deactivated, status, .. } = user;
    let name = name.unwrap_or_default();
    let status = HeldValues::one(status.ok_or_else(|| missing("status"))?.into());
    let held = PerField { role, status };
    let person = Person { id, email, secondary, name, held, deactivated: is_deactivated.unwrap_or(false) };
    Ok(DecodedUser::Person(person, fields))
}

/// Returns a user's roles, and which of the response's fields contain them.
fn roles_of(user: &WireUser, missing: impl Fn(&str) -> String) -> Result<(HeldValues, RoleFields), String> {
    let WireUser { id, role_id, role, role_ids, roles, .. } = user;
    let contradiction =
        |role: &FieldValue| Err(format!("the role fields of the user {id} disagree about {role}"));
    let shown = role_id.as_deref().filter(|id| !id.is_empty()).map(FieldValue::from);
    let (role_ids, roles) = match (role_ids, roles) {
        (Some(role_ids), Some(roles)) => (role_ids, roles),
        (Some(_), None) => return Err(missing("roles")),
        (None, Some(_)) => return Err(missing("role_ids")),
        (None, None) => {
            let object = role.as_ref().map(|Object(role)| FieldValue::from(role.id.as_str()));
            let role = match (object, role_id) {
                (None, None) => return Err(missing("role field (role_id, role_ids, or roles)")),
                (Some(role), Some(_)) if shown.as_ref() != Some(&role) => return contradiction(&role),
                (object, _) => object.or(shown),
            };
            let assigned = role.into_iter().collect();
            return Ok((HeldValues { assigned, from_scim: Vec::new() }, RoleFields::One));
        }
    };
    let assigned = sorted(role_ids.iter().flatten().map(|id| id.as_str().into()));
    let held = sorted(roles.iter().flatten().map(|Object(role)| FieldValue::from(role.id.as_str())));
    // Every role ID found in the other fields must appear in `roles`.
    match assigned.iter().chain(&shown).find(|role| !held.contains(role)) {
        Some(role) => contradiction(role),
        None => {
            let from_scim = held.into_iter().filter(|role| !assigned.contains(role)).collect();
            Ok((HeldValues { assigned, from_scim }, RoleFields::All))
        }
    }
}

fn sorted(roles: impl Iterator<Item = FieldValue>) -> Vec<FieldValue> {
    let mut roles: Vec<FieldValue> = roles.collect();
    roles.sort();
    roles.dedup();
    roles
}
