//! The JSON that goes over the line, and what is made of it (docs/pylon-users.openapi.yaml).
//!
//! Answers are parsed into structs, never into a loose value: a key that stands twice is an error, not a coin toss.
//! Fields of the current API that older organisations lack are optional; unknown fields are left alone.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::request::{Answer, Identity, Page, ReadRequest};
use crate::observed::{Organization, Person, Role, RoleId, UserId};
use crate::plan::Patch;
use crate::roster::Email;

/// A JSON object, and nothing else: derived structs would take an array for one, by position.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfMap<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for OfMap<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(OfMap(PhantomData))
    }
}

#[derive(Deserialize)]
struct Data<T> {
    data: Object<T>,
}

#[derive(Deserialize)]
struct Many<T> {
    data: Vec<Object<T>>,
    #[serde(default)]
    pagination: Option<Object<Pagination>>,
}

#[derive(Deserialize)]
struct Pagination {
    #[serde(default)]
    cursor: Option<String>,
    #[serde(default)]
    has_next_page: Option<bool>,
}

#[derive(Deserialize)]
struct WireUser {
    id: String,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    emails: Option<Vec<String>>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    role_id: Option<String>,
    #[serde(default)]
    role_ids: Option<Vec<String>>,
    #[serde(default)]
    roles: Option<Vec<Object<WireRole>>>,
    #[serde(default)]
    is_deactivated: Option<bool>,
    #[serde(default)]
    status: Option<String>,
}

#[derive(Deserialize)]
struct WireRole {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    slug: String,
}

#[derive(Deserialize)]
struct WireMe {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    user: Option<Object<WireOwner>>,
}

#[derive(Deserialize)]
struct WireOwner {
    #[serde(default)]
    id: Option<String>,
}

/// The envelope of every error.
#[derive(Deserialize)]
pub(super) struct WireError {
    #[serde(default)]
    pub(super) errors: Vec<String>,
    #[serde(default)]
    pub(super) request_id: Option<String>,
    #[serde(default)]
    pub(super) code: Option<String>,
}

#[derive(Serialize)]
struct Search<'a> {
    filter: Filter<'a>,
    limit: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<&'a str>,
}

#[derive(Serialize)]
struct Filter<'a> {
    field: &'static str,
    operator: &'static str,
    values: Vec<&'a str>,
}

#[derive(Serialize)]
struct Update<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'a str>,
}

/// The body of `POST /users/search`.
pub(super) fn search_body(emails: &[Email], limit: usize, cursor: Option<&str>) -> Vec<u8> {
    let values = emails.iter().map(Email::as_str).collect();
    encode(&Search { filter: Filter { field: "email", operator: "in", values }, limit, cursor })
}

/// The body of `PATCH /users/{id}`: exactly what the patch sets.
pub(super) fn patch_body(patch: &Patch) -> Vec<u8> {
    let Patch { role, status } = patch;
    encode(&Update {
        role_id: role.as_ref().map(|role| &*role.0),
        status: status.map(crate::roster::Status::as_str),
    })
}

fn encode(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).unwrap_or_else(|error| unreachable!("structs of texts serialise: {error}"))
}

/// What a successful answer says, or why it makes no sense.
pub(super) fn decode(request: &ReadRequest, body: &[u8]) -> Result<Answer, String> {
    match request {
        ReadRequest::Me => {
            let WireMe { id, name, user } = parse::<Data<WireMe>>(body)?.data.0;
            let user = user.and_then(|user| user.0.id).and_then(|id| UserId::new(&id));
            Ok(Answer::Me(Identity { organization: Organization { id, name }, user }))
        }
        ReadRequest::Roles => {
            Ok(Answer::Roles(parse::<Many<WireRole>>(body)?.data.into_iter().map(role).collect()))
        }
        ReadRequest::Listing { .. } | ReadRequest::Search { .. } => {
            let Many { data, pagination } = parse::<Many<WireUser>>(body)?;
            let people = data.into_iter().map(|Object(user)| person(user)).collect::<Result<_, _>>()?;
            Ok(Answer::Page(Page { people, next: next_page(pagination.map(|pagination| pagination.0))? }))
        }
        ReadRequest::Person(id) => decode_person(id, body).map(Answer::Person),
    }
}

/// The person of an answer to `GET` or `PATCH /users/{id}`; another person's is no answer.
pub(super) fn decode_person(id: &UserId, body: &[u8]) -> Result<Person, String> {
    let person = person(parse::<Data<WireUser>>(body)?.data.0)?;
    if person.id == *id {
        Ok(person)
    } else {
        Err(format!("it is about another user, {}", person.id.as_str()))
    }
}

fn parse<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, String> {
    serde_json::from_slice::<Object<T>>(body).map(|object| object.0).map_err(|error| error.to_string())
}

/// Where the next page is. Absent or empty is the end in one era or the other; a promise without a cursor is neither.
fn next_page(pagination: Option<Pagination>) -> Result<Option<String>, String> {
    let Some(Pagination { cursor, has_next_page }) = pagination else {
        return Ok(None);
    };
    match (cursor.filter(|cursor| !cursor.is_empty()), has_next_page) {
        (_, Some(false)) | (None, None) => Ok(None),
        (Some(cursor), _) => Ok(Some(cursor)),
        (None, Some(true)) => Err("it says that there are more people and not how to ask for them".into()),
    }
}

fn role(Object(WireRole { id, name, slug }): Object<WireRole>) -> Role {
    Role { id: RoleId(id.into()), name, slug }
}

fn person(user: WireUser) -> Result<Person, String> {
    let WireUser { id, email, emails, name, role_id, role_ids, roles, is_deactivated, status } = user;
    let Some(id) = UserId::new(&id) else {
        return Err(format!("a user has an id that cannot be asked for: {id:?}"));
    };
    let email = Email::observed(&email.unwrap_or_default());
    let secondary = emails
        .unwrap_or_default()
        .iter()
        .map(|text| Email::observed(text))
        .filter(|other| *other != email)
        .collect();
    // `role_ids` is all of them; where only the older `role_id` is there, it is the one.
    let mut assigned: Vec<RoleId> = match role_ids {
        Some(ids) => ids.into_iter().map(|id| RoleId(id.into())).collect(),
        None => role_id.filter(|id| !id.is_empty()).map(|id| RoleId(id.into())).into_iter().collect(),
    };
    assigned.sort();
    assigned.dedup();
    let mut from_scim: Vec<RoleId> =
        roles.unwrap_or_default().into_iter().map(|Object(role)| RoleId(role.id.into())).collect();
    from_scim.retain(|role| !assigned.contains(role));
    from_scim.sort();
    from_scim.dedup();
    Ok(Person {
        id,
        email,
        secondary,
        name: name.unwrap_or_default(),
        assigned,
        from_scim,
        status: status.unwrap_or_default(),
        deactivated: is_deactivated.unwrap_or(false),
    })
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn page(body: &str) -> Result<Page, String> {
        match decode(&ReadRequest::Listing { deactivated: false, cursor: None }, body.as_bytes())? {
            Answer::Page(page) => Ok(page),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_end_of_a_listing_is_told_in_both_eras() {
        for (pagination, next) in [
            ("", None),
            (r#","pagination":null"#, None),
            (r#","pagination":{}"#, None),
            (r#","pagination":{"cursor":"","has_next_page":false}"#, None),
            (r#","pagination":{"cursor":"c","has_next_page":false}"#, None),
            (r#","pagination":{"cursor":"c","has_next_page":true}"#, Some("c")),
            (r#","pagination":{"cursor":"c"}"#, Some("c")),
        ] {
            let page = page(&format!(r#"{{"data":[],"request_id":"r"{pagination}}}"#)).unwrap();
            assert_eq!(page.next.as_deref(), next, "{pagination}");
        }
        assert!(page(r#"{"data":[],"pagination":{"has_next_page":true}}"#).is_err());
    }

    #[test]
    fn a_user_of_either_era_is_the_same_person() {
        let older = page(
            r#"{"data":[{"id":"u1","email":"a@b.example","name":"A","role_id":"r1","status":"active"}]}"#,
        )
        .unwrap();
        let current = page(
            r#"{"data":[{"id":"u1","email":"a@b.example","emails":["a@b.example"],"name":"A","role_id":"r1","role_ids":["r1"],
               "roles":[{"id":"r1","name":"Admin","slug":"admin"}],"is_deactivated":false,"status":"active","avatar_url":null}]}"#,
        )
        .unwrap();
        assert_eq!(older, current);
    }

    #[test]
    fn roles_beyond_the_assigned_ones_come_from_scim() {
        let page = page(
            r#"{"data":[{"id":"u1","email":"a@b.example","name":"A","role_id":"r1","role_ids":[],"status":"",
               "roles":[{"id":"r2","name":"Lead","slug":"lead"}]}]}"#,
        )
        .unwrap();
        assert_eq!(page.people[0].assigned, vec![]);
        assert_eq!(page.people[0].from_scim, vec![RoleId("r2".into())]);
    }

    #[test]
    fn an_id_that_leads_elsewhere_or_a_key_twice_is_no_answer() {
        for bad in [
            r#"{"data":[{"id":"../me"}]}"#,
            r#"{"data":[{"id":""}]}"#,
            r#"{"data":[{"id":"a","id":"b"}]}"#,
            r#"{"data":null}"#,
            "[[]]",
            r#"{"data":[["u1"]]}"#,
            r#"{"data":[],"pagination":[]}"#,
            r#"{"data":[],"pagination":["c",true]}"#,
            "<html>",
        ] {
            assert!(page(bad).is_err(), "{bad}");
        }
        let id = UserId::new("u1").unwrap();
        assert!(decode_person(&id, br#"{"data":{"id":"u2","email":"a@b.example"}}"#).is_err());
    }

    #[test]
    fn a_body_holds_exactly_what_is_asked() {
        let emails = [Email::observed("a@b.example")];
        let search = String::from_utf8(search_body(&emails, super::super::request::PAGE, None)).unwrap();
        assert_eq!(
            search,
            r#"{"filter":{"field":"email","operator":"in","values":["a@b.example"]},"limit":999}"#
        );
        let patch = Patch { role: Some(RoleId("r1".into())), status: None };
        assert_eq!(String::from_utf8(patch_body(&patch)).unwrap(), r#"{"role_id":"r1"}"#);
    }
}
