//! Decodes users, whose fields differ between the versions of the API.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::json::{BorrowedText, Data, MaybeNull, Object, many, maybe_null, parse, with_data};
use crate::observed::{HeldValues, Integration, Person, Role, RoleId, UserId};
use crate::pylon::failure::{FailureCause, WrongShape};
use crate::pylon::request::{Page, RoleFields, UserList};
use crate::roster::{Email, FieldValue, PerField};

pub(super) fn users(body: &[u8]) -> Result<Page<UserList>, FailureCause> {
    let wrong = |why| WrongShape::cause("a page of users", why);
    let (data, next) = many::<DecodedUsers>(body).map_err(wrong)?;
    let DecodedUsers { users, wrong: first } = data.unwrap_or_default();
    first.map_or(Ok(()), |why| Err(wrong(why)))?;
    with_data(!users.people.is_empty() || !users.integrations.is_empty(), next.as_ref())?;
    Ok(Page { data: users, next })
}

/// Decodes the response to `GET` or `PATCH /users/{id}`. Returns an error if the response is about another user.
pub(super) fn person(id: &UserId, body: &[u8]) -> Result<Person, FailureCause> {
    let wrong = |why| WrongShape::cause("the requested user", why);
    let user = parse::<Data<WireUser<'_>>>(body).map_err(wrong)?.data.0;
    match convert(user, &mut ValuePool::default()).map_err(wrong)? {
        DecodedUser::Person(person, _) if person.id == *id => Ok(person),
        DecodedUser::Person(Person { id, .. }, _) => {
            Err(wrong(format!("it is another user, {}", id.as_str())))
        }
        DecodedUser::Integration(Integration { id, .. }) => {
            Err(wrong(format!("the user {} has no email address", id.as_str())))
        }
    }
}

/// A user in a response. Strings are borrowed from the body because a large listing would otherwise need a million small
/// allocations.
#[derive(Deserialize)]
struct WireUser<'a> {
    #[serde(borrow)]
    id: BorrowedText<'a>,
    #[serde(default, borrow, deserialize_with = "maybe_null")]
    email: MaybeNull<BorrowedText<'a>>,
    #[serde(borrow)]
    emails: Option<Vec<BorrowedText<'a>>>,
    #[serde(borrow)]
    name: Option<BorrowedText<'a>>,
    #[serde(borrow)]
    role_id: Option<BorrowedText<'a>>,
    /// The role as an object, which is present only in the API of July 2026.
    #[serde(borrow)]
    role: Option<Object<WireHeldRole<'a>>>,
    #[serde(default, borrow, deserialize_with = "maybe_null")]
    role_ids: MaybeNull<Vec<BorrowedText<'a>>>,
    #[serde(default, borrow, deserialize_with = "maybe_null")]
    roles: MaybeNull<Vec<Object<WireHeldRole<'a>>>>,
    is_deactivated: Option<bool>,
    #[serde(borrow)]
    status: Option<BorrowedText<'a>>,
}

/// A role held by a user. The name and slug must match the catalog unless they are empty.
#[derive(Deserialize)]
struct WireHeldRole<'a> {
    #[serde(borrow)]
    id: BorrowedText<'a>,
    #[serde(default, borrow)]
    name: BorrowedText<'a>,
    #[serde(default, borrow)]
    slug: BorrowedText<'a>,
}

/// The users on a page, which are converted while the page is parsed, because a list of unconverted users would take a lot of
/// memory. `wrong` is the error of the first failed conversion.
#[derive(Default)]
struct DecodedUsers {
    users: UserList,
    wrong: Option<String>,
}

impl DecodedUsers {
    fn add(&mut self, user: WireUser<'_>, names: &mut ValuePool) -> Result<(), String> {
        let is_activity_unknown = user.is_deactivated.is_none();
        match convert(user, names)? {
            DecodedUser::Integration(integration) => {
                self.users.integrations.insert(integration);
            }
            DecodedUser::Person(person, fields) => {
                if self.users.role_fields.is_some_and(|others| others != fields) {
                    return Err(format!(
                        "the user {} has different role fields than the users before it",
                        person.id.as_str()
                    ));
                }
                self.users.role_fields = Some(fields);
                self.users.activity_unknown.extend(is_activity_unknown.then(|| person.id.clone()));
                self.users.people.push(person);
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for DecodedUsers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfList;

        impl<'de> Visitor<'de> for OfList {
            type Value = DecodedUsers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a sequence")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let (mut found, mut names) = (DecodedUsers::default(), ValuePool::default());
                let mut held: BTreeSet<[Cow<'de, str>; 3]> = BTreeSet::new();
                while let Some(Object(user)) = list.next_element::<Object<WireUser<'de>>>()? {
                    let roles = user.roles.iter().flatten().flatten().chain(&user.role);
                    held.extend(
                        roles.map(|Object(role)| {
                            [&role.id, &role.name, &role.slug].map(|text| text.0.clone())
                        }),
                    );
                    if let Err(why) = found.add(user, &mut names) {
                        found.wrong = found.wrong.or(Some(why));
                    }
                }
                let role = |[id, name, slug]: [Cow<'de, str>; 3]| Role {
                    id: RoleId(id.into()),
                    name: name.into_owned(),
                    slug: slug.into_owned(),
                };
                found.users.held = held.into_iter().map(role).collect();
                Ok(found)
            }
        }

        deserializer.deserialize_seq(OfList)
    }
}

/// Interns the role IDs and statuses on a page, which have few distinct values in practice.
#[derive(Default)]
struct ValuePool(BTreeSet<FieldValue>);

impl ValuePool {
    fn shared(&mut self, value: &BorrowedText<'_>) -> FieldValue {
        if let Some(known) = self.0.get(&*value.0) {
            return Arc::clone(known);
        }
        let value: FieldValue = Arc::from(&*value.0);
        self.0.insert(Arc::clone(&value));
        value
    }
}

enum DecodedUser {
    Person(Person, RoleFields),
    Integration(Integration),
}

/// Converts a user. Returns an error if a field that affects decisions is missing, if fields contradict each other, or if the
/// ID can't be part of a path.
fn convert(user: WireUser<'_>, names: &mut ValuePool) -> Result<DecodedUser, String> {
    let Some(id) = UserId::new(&user.id.0) else {
        return Err(format!("a user has an ID that cannot be part of a URL path: {:?}", user.id.0));
    };
    let missing = |field: &str| format!("the user {} has no {field}", id.as_str());
    if user.email.is_none() {
        return Err(missing("email"));
    }
    let texts = user.email.iter().flatten().chain(user.emails.iter().flatten());
    let mut addresses = texts.filter(|text| !text.0.is_empty()).map(|text| Email::observed(&text.0));
    let Some(email) = addresses.next() else {
        let name = user.name.unwrap_or_default().0.into_owned();
        return Ok(DecodedUser::Integration(Integration { id, name }));
    };
    let secondary = addresses.filter(|other| *other != email).collect();
    let (role, fields) = roles_of(&user, names, missing)?;
    let WireUser { name, is_deactivated, status, .. } = user;
    let name = name.unwrap_or_default().0.into_owned();
    let status = HeldValues::one(names.shared(&status.ok_or_else(|| missing("status"))?));
    let held = PerField { role, status };
    let person = Person { id, email, secondary, name, held, deactivated: is_deactivated.unwrap_or(false) };
    Ok(DecodedUser::Person(person, fields))
}

/// Returns a user's roles, and which of the response's fields contain them.
fn roles_of(
    user: &WireUser<'_>,
    names: &mut ValuePool,
    missing: impl Fn(&str) -> String,
) -> Result<(HeldValues, RoleFields), String> {
    let WireUser { id, role_id, role, role_ids, roles, .. } = user;
    let contradiction =
        |role: &FieldValue| Err(format!("the role fields of the user {} disagree about {role}", id.0));
    let shown = role_id.as_ref().filter(|id| !id.0.is_empty()).map(|id| names.shared(id));
    let (role_ids, roles) = match (role_ids, roles) {
        (Some(role_ids), Some(roles)) => (role_ids, roles),
        (Some(_), None) => return Err(missing("roles")),
        (None, Some(_)) => return Err(missing("role_ids")),
        (None, None) => {
            let object = role.as_ref().map(|Object(role)| names.shared(&role.id));
            let role = match (object, role_id) {
                (None, None) => return Err(missing("role field (role_id, role_ids, or roles)")),
                (Some(role), Some(_)) if shown.as_ref() != Some(&role) => return contradiction(&role),
                (object, _) => object.or(shown),
            };
            let assigned = role.into_iter().collect();
            return Ok((HeldValues { assigned, from_scim: Vec::new() }, RoleFields::One));
        }
    };
    let assigned = sorted(role_ids.iter().flatten().map(|id| names.shared(id)));
    let held = sorted(roles.iter().flatten().map(|Object(role)| names.shared(&role.id)));
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
