//! The JSON that goes over the line, and what is made of it (docs/pylon-users.openapi.yaml).
//!
//! Answers are parsed into structs, never into a loose value: a key that stands twice is an error, not a coin toss.
//! Fields of the current API that older organisations lack are optional; unknown fields are left alone.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use jiff::Timestamp;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::request::{Answer, Entries, Identity, Page, ReadRequest};
use crate::observed::{Organization, Person, Role, RoleId, UserId};
use crate::plan::Patch;
use crate::plan::blame::AuditEntry;
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

/// A page: `List` is a list of objects.
#[derive(Deserialize)]
struct Many<List> {
    data: List,
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

/// A user, whose texts stay in the body: of a listing of everybody they would be a million small copies.
#[derive(Deserialize)]
struct WireUser<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(default, borrow)]
    email: Option<Text<'a>>,
    #[serde(default, borrow)]
    emails: Option<Vec<Text<'a>>>,
    #[serde(default, borrow)]
    name: Option<Text<'a>>,
    #[serde(default, borrow)]
    role_id: Option<Text<'a>>,
    #[serde(default, borrow)]
    role_ids: Option<Vec<Text<'a>>>,
    #[serde(default, borrow)]
    roles: Option<Vec<Object<WireRole<'a>>>>,
    #[serde(default)]
    is_deactivated: Option<bool>,
    #[serde(default, borrow)]
    status: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct WireRole<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(default, borrow)]
    name: Text<'a>,
    #[serde(default, borrow)]
    slug: Text<'a>,
}

/// A text of the body, copied only where something in it is escaped. (`Option<Cow<str>>` always copies.)
#[derive(Default)]
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfText;

        impl<'de> Visitor<'de> for OfText {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(OfText)
    }
}

/// The people of a page, each made as soon as they are read; and what is wrong with the first of whom nothing can be made.
#[derive(Default)]
struct People {
    people: Vec<Person>,
    unsaid: Vec<UserId>,
    wrong: Option<String>,
}

impl<'de> Deserialize<'de> for People {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfList;

        impl<'de> Visitor<'de> for OfList {
            type Value = People;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a sequence")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let (mut found, mut names) = (People::default(), Names::default());
                while let Some(Object(user)) = list.next_element::<Object<WireUser<'de>>>()? {
                    let is_unsaid = user.is_deactivated.is_none();
                    match person(user, &mut names) {
                        Ok(person) => {
                            found.unsaid.extend(is_unsaid.then(|| person.id.clone()));
                            found.people.push(person);
                        }
                        Err(why) => found.wrong = found.wrong.or(Some(why)),
                    }
                }
                Ok(found)
            }
        }

        deserializer.deserialize_seq(OfList)
    }
}

/// The roles of one page, each once: everybody holds one of a handful.
#[derive(Default)]
struct Names(BTreeSet<Arc<str>>);

impl Names {
    fn role(&mut self, id: &Text<'_>) -> RoleId {
        if let Some(known) = self.0.get(&*id.0) {
            return RoleId(Arc::clone(known));
        }
        let id: Arc<str> = Arc::from(&*id.0);
        self.0.insert(Arc::clone(&id));
        RoleId(id)
    }
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

#[derive(Deserialize)]
struct WireEntry {
    id: String,
    action: String,
    action_happened_at: Timestamp,
    object_id: String,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    actor_user_id: Option<String>,
    #[serde(default)]
    attributes: Option<Texts>,
}

/// Text to text, each key once: a plain map would let the last one count.
struct Texts(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfMap;

        impl<'de> Visitor<'de> for OfMap {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut texts = BTreeMap::new();
                while let Some((key, text)) = map.next_entry::<String, String>()? {
                    if texts.insert(key, text).is_some() {
                        return Err(A::Error::custom("a key stands twice"));
                    }
                }
                Ok(Texts(texts))
            }
        }

        deserializer.deserialize_map(OfMap)
    }
}

/// The envelope of every error. Each field is understood for itself: whatever is odd about one, the code still decides what
/// follows, and the request id is told.
#[derive(Deserialize)]
pub(super) struct WireError {
    #[serde(default, deserialize_with = "texts")]
    pub(super) errors: Vec<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) request_id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) code: Option<String>,
}

/// A text; nothing where it is anything else.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(as_text(Value::deserialize(deserializer)?))
}

/// The texts of a list, or the one that stands in its place.
fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Array(values) => values.into_iter().filter_map(as_text).collect(),
        value => as_text(value).into_iter().collect(),
    })
}

fn as_text(value: Value) -> Option<String> {
    if let Value::String(text) = value { Some(text) } else { None }
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

/// The body of `POST /audit-logs/search`.
pub(super) fn audit_body(people: &[UserId], limit: usize, cursor: Option<&str>) -> Vec<u8> {
    let values = people.iter().map(UserId::as_str).collect();
    encode(&Search { filter: Filter { field: "object_id", operator: "in", values }, limit, cursor })
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
            let roles = parse::<Many<Vec<Object<WireRole<'_>>>>>(body)?.data;
            Ok(Answer::Roles(roles.into_iter().map(role).collect()))
        }
        ReadRequest::Listing { .. } | ReadRequest::Search { .. } => {
            let Many { data: People { people, unsaid, wrong }, pagination } = parse::<Many<People>>(body)?;
            wrong.map_or(Ok(()), Err)?;
            let next = next_page(pagination.map(|pagination| pagination.0))?;
            Ok(Answer::Page(Page { people, unsaid, next }))
        }
        ReadRequest::Person(id) => decode_person(id, body).map(Answer::Person),
        ReadRequest::AuditLog { .. } => {
            let Many { data, pagination } = parse::<Many<Vec<Object<WireEntry>>>>(body)?;
            let entries = data.into_iter().map(|Object(entry)| audit_entry(entry)).collect();
            let next = next_page(pagination.map(|pagination| pagination.0))?;
            Ok(Answer::Entries(Entries { entries, next }))
        }
    }
}

/// The person of an answer to `GET` or `PATCH /users/{id}`; another person's is no answer.
pub(super) fn decode_person(id: &UserId, body: &[u8]) -> Result<Person, String> {
    let person = person(parse::<Data<WireUser<'_>>>(body)?.data.0, &mut Names::default())?;
    if person.id == *id {
        Ok(person)
    } else {
        Err(format!("it is about another user, {}", person.id.as_str()))
    }
}

/// What an error says of itself; nothing where the body is no envelope, as a proxy's page is none.
pub(super) fn error(body: &[u8]) -> Option<WireError> {
    parse(body).ok()
}

fn parse<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, String> {
    // Whether all of it is text is told faster at once than string by string; what is none, serde_json knows to name.
    let parsed = match std::str::from_utf8(body) {
        Ok(text) => serde_json::from_str::<Object<T>>(text),
        Err(_) => serde_json::from_slice(body),
    };
    parsed.map(|object| object.0).map_err(|error| error.to_string())
}

/// Where the next page is. Absent or empty is the end in one era or the other; a promise without a cursor is neither.
fn next_page(pagination: Option<Pagination>) -> Result<Option<String>, String> {
    let Some(Pagination { cursor, has_next_page }) = pagination else {
        return Ok(None);
    };
    match (cursor.filter(|cursor| !cursor.is_empty()), has_next_page) {
        (_, Some(false)) | (None, None) => Ok(None),
        (Some(cursor), _) => Ok(Some(cursor)),
        (None, Some(true)) => Err("it says that there is more and not how to ask for it".into()),
    }
}

fn role(Object(WireRole { id, name, slug }): Object<WireRole<'_>>) -> Role {
    Role { id: RoleId(id.0.into()), name: name.0.into_owned(), slug: slug.0.into_owned() }
}

fn audit_entry(entry: WireEntry) -> AuditEntry {
    let WireEntry { id, action, action_happened_at, object_id, source, actor_user_id, attributes } = entry;
    AuditEntry {
        id,
        action,
        happened_at: action_happened_at,
        object: object_id,
        source: source.unwrap_or_default(),
        actor: actor_user_id.filter(|id| !id.is_empty()),
        attributes: attributes.map(|texts| texts.0).unwrap_or_default(),
    }
}

fn person(user: WireUser<'_>, names: &mut Names) -> Result<Person, String> {
    let WireUser { id, email, emails, name, role_id, role_ids, roles, is_deactivated, status } = user;
    let Some(id) = UserId::new(&id.0) else {
        return Err(format!("a user has an id that cannot be asked for: {:?}", id.0));
    };
    let email = Email::observed(&email.unwrap_or_default().0);
    let secondary = emails
        .unwrap_or_default()
        .iter()
        .map(|text| Email::observed(&text.0))
        .filter(|other| *other != email)
        .collect();
    // `role_ids` is all of them; where only the older `role_id` is there, it is the one.
    let mut assigned: Vec<RoleId> = match role_ids {
        Some(ids) => ids.iter().map(|id| names.role(id)).collect(),
        None => role_id.iter().filter(|id| !id.0.is_empty()).map(|id| names.role(id)).collect(),
    };
    assigned.sort();
    assigned.dedup();
    let held = roles.unwrap_or_default();
    let held = held.iter().filter(|Object(role)| !assigned.iter().any(|known| *known.0 == *role.id.0));
    let mut from_scim: Vec<RoleId> = held.map(|Object(role)| names.role(&role.id)).collect();
    from_scim.sort();
    from_scim.dedup();
    Ok(Person {
        id,
        email,
        secondary,
        name: name.unwrap_or_default().0.into_owned(),
        assigned,
        from_scim,
        status: status.unwrap_or_default().0.into_owned(),
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
        assert_eq!(older.people, current.people);
        assert_eq!((older.unsaid.len(), current.unsaid.len()), (1, 0), "whether they are deactivated");
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

    fn entries(entry: &str) -> Result<Entries, String> {
        let request = ReadRequest::AuditLog { people: Vec::new(), limit: 1, cursor: None };
        match decode(&request, format!(r#"{{"data":[{entry}],"request_id":"r"}}"#).as_bytes())? {
            Answer::Entries(entries) => Ok(entries),
            other => panic!("{other:?}"),
        }
    }

    const NEEDED: &str = r#""id":"a1","action":"UserRoleChanged","action_happened_at":"2026-08-20T16:02:31.5+02:00","object_id":"u1""#;

    #[test]
    fn an_entry_has_what_it_has_and_absent_is_as_good_as_null() {
        let bare = AuditEntry {
            id: "a1".into(),
            action: "UserRoleChanged".into(),
            happened_at: "2026-08-20T14:02:31.5Z".parse().unwrap(),
            object: "u1".into(),
            source: String::new(),
            actor: None,
            attributes: BTreeMap::new(),
        };
        let full = AuditEntry {
            source: "app".into(),
            actor: Some("u2".into()),
            attributes: [("old_role_id".to_owned(), "r1".to_owned())].into(),
            ..bare.clone()
        };
        for (more, expected) in [
            ("", &bare),
            (r#","source":null,"actor_user_id":null,"attributes":null"#, &bare),
            (r#","source":"","actor_user_id":"","attributes":{}"#, &bare),
            (r#","source":"app","actor_user_id":"u2","attributes":{"old_role_id":"r1"}"#, &full),
            (
                r#","created_at":7,"object_type":"user","source":"app","actor_user_id":"u2","actor_contact_id":null,
                   "attributes":{"old_role_id":"r1"},"metadata":{"ip":[1]},"link":null"#,
                &full,
            ),
        ] {
            let page = entries(&format!("{{{NEEDED}{more}}}")).unwrap();
            assert_eq!(
                (page.entries.as_slice(), page.next),
                (std::slice::from_ref(expected), None),
                "{more}"
            );
        }
    }

    #[test]
    fn an_entry_of_odd_types_is_no_answer() {
        for bad in [
            "7".to_owned(),
            r#"["a1","UserRoleChanged","2026-08-20T14:02:31Z","u1"]"#.to_owned(),
            "{}".to_owned(),
            format!("{{{}}}", NEEDED.replace("2026-08-20T16:02:31.5+02:00", "yesterday")),
            format!("{{{}}}", NEEDED.replace("\"2026-08-20T16:02:31.5+02:00\"", "1787234551")),
            format!("{{{}}}", NEEDED.replace("\"u1\"", "null")),
            format!("{{{}}}", NEEDED.replace("\"UserRoleChanged\"", "[]")),
            format!(r#"{{{NEEDED},"id":"a2"}}"#),
            format!(r#"{{{NEEDED},"source":7}}"#),
            format!(r#"{{{NEEDED},"actor_user_id":7}}"#),
            format!(r#"{{{NEEDED},"attributes":[]}}"#),
            format!(r#"{{{NEEDED},"attributes":{{"new_role_id":7}}}}"#),
            format!(r#"{{{NEEDED},"attributes":{{"new_role_id":null}}}}"#),
            format!(r#"{{{NEEDED},"attributes":{{"new_role_id":"r1","new_role_id":"r2"}}}}"#),
        ] {
            assert!(entries(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_error_is_an_object_and_nothing_else_says_anything() {
        let said = error(br#"{"errors":["x"],"request_id":"r","code":"rate_limited","more":1}"#).unwrap();
        assert_eq!(
            (said.errors, said.request_id, said.code),
            (vec!["x".into()], Some("r".into()), Some("rate_limited".into()))
        );
        for (errors, told) in [
            ("null", vec![]),
            ("[]", vec![]),
            ("7", vec![]),
            ("{}", vec![]),
            (r#""x""#, vec!["x".to_owned()]),
            (r#"[{"message":"x"}]"#, vec![]),
            (r#"["x",null,["y"],"z"]"#, vec!["x".to_owned(), "z".to_owned()]),
        ] {
            let said =
                error(format!(r#"{{"errors":{errors},"request_id":"r","code":"c"}}"#).as_bytes()).unwrap();
            assert_eq!((said.errors, said.request_id, said.code), (told, Some("r".into()), Some("c".into())));
        }
        for odd in ["null", "7", "[]", r#"["c"]"#, "{}"] {
            let said =
                error(format!(r#"{{"errors":["x"],"request_id":{odd},"code":"c"}}"#).as_bytes()).unwrap();
            assert_eq!((said.request_id, said.code), (None, Some("c".into())), "{odd}");
            let said =
                error(format!(r#"{{"errors":["x"],"request_id":"r","code":{odd}}}"#).as_bytes()).unwrap();
            assert_eq!((said.request_id, said.code), (Some("r".into()), None), "{odd}");
        }
        for no_envelope in [r#"[["x"],"r","rate_limited"]"#, "[]", "<html>", "", r#"{"code":"a","code":"b"}"#]
        {
            assert!(error(no_envelope.as_bytes()).is_none(), "{no_envelope}");
        }
    }

    #[test]
    fn a_body_holds_exactly_what_is_asked() {
        let emails = [Email::observed("a@b.example")];
        let search = String::from_utf8(search_body(&emails, super::super::request::PAGE, None)).unwrap();
        assert_eq!(
            search,
            r#"{"filter":{"field":"email","operator":"in","values":["a@b.example"]},"limit":999}"#
        );
        let people = ["u1", "u2"].map(|id| UserId::new(id).unwrap());
        let audit = String::from_utf8(audit_body(&people, 9, Some("c"))).unwrap();
        assert_eq!(
            audit,
            r#"{"filter":{"field":"object_id","operator":"in","values":["u1","u2"]},"limit":9,"cursor":"c"}"#
        );
        let patch = Patch { role: Some(RoleId("r1".into())), status: None };
        assert_eq!(String::from_utf8(patch_body(&patch)).unwrap(), r#"{"role_id":"r1"}"#);
    }
}
