//! Encodes requests as JSON and decodes their responses (docs/pylon-users.openapi.yaml).
//!
//! Responses are parsed into structs rather than `serde_json::Value`, which would silently accept a duplicate key and use the
//! last value. Fields missing from earlier API versions are optional, and unknown fields are ignored.
//!
//! `user` decodes users, `error` decodes error responses, and `json` contains the code that they share with this file.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

mod error;
mod json;
mod user;

use super::failure::{FailureCause, WrongShape};
use super::request::{
    AuditSearch, Endpoint, Identity, Listing, Me, Outgoing, Page, PeopleRequest, ReadRequest, Request, Roles,
    Search, Update, UserList,
};
use crate::observed::{Organization, Person, Role, RoleId, UserId};
use crate::plan::blame::AuditEntry;
use crate::roster::Email;
pub(super) use error::{WireError, error};
use json::{Data, Object, Texts, list, parse};
use user::{person, users};

/// A role in the catalog. All fields are required because a role without its slug might be the Admin role.
#[derive(Deserialize)]
struct WireRole {
    id: String,
    name: String,
    slug: String,
}

#[derive(Deserialize)]
struct WireMe {
    id: String,
    #[serde(default)]
    name: String,
    user: Option<Object<WireOwner>>,
}

#[derive(Deserialize)]
struct WireOwner {
    id: Option<String>,
}

#[derive(Deserialize)]
struct WireEntry {
    id: String,
    action: String,
    action_happened_at: Timestamp,
    object_id: String,
    source: Option<String>,
    actor_user_id: Option<String>,
    attributes: Option<Texts>,
}

#[derive(Serialize)]
struct WireSearch<'a> {
    filter: WireFilter<'a>,
    limit: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<&'a str>,
}

#[derive(Serialize)]
struct WireFilter<'a> {
    field: &'static str,
    operator: &'static str,
    values: Vec<&'a str>,
}

impl Request for Me {
    type Response = Identity;

    fn outgoing(&self) -> Outgoing {
        Outgoing::new(Endpoint::Me)
    }

    fn decode(&self, body: &[u8]) -> Result<Identity, FailureCause> {
        let wrong = |why| WrongShape::cause("the organization and the token's user", why);
        let WireMe { id, name, user } = parse::<Data<WireMe>>(body).map_err(wrong)?.data.0;
        let user = user.and_then(|user| user.0.id).and_then(|id| UserId::new(&id));
        Ok(Identity { organization: Organization { id, name }, user })
    }
}

impl Request for Roles {
    type Response = Page<Vec<Role>>;

    fn outgoing(&self) -> Outgoing {
        Outgoing { query: cursor_query(self.cursor.as_ref()), ..Outgoing::new(Endpoint::Roles) }
    }

    fn decode(&self, body: &[u8]) -> Result<Page<Vec<Role>>, FailureCause> {
        let expected = "a page of roles";
        let Page { data, next } = list::<WireRole>(body, expected)?;
        if data.is_empty() && self.cursor.is_none() {
            return Err(WrongShape::cause(expected, "it is empty, although every organization has roles"));
        }
        Ok(Page { data: data.into_iter().map(role).collect(), next })
    }
}

impl Request for Listing {
    type Response = Page<UserList>;

    fn outgoing(&self) -> Outgoing {
        let mut query = cursor_query(self.cursor.as_ref());
        if self.deactivated {
            query.insert(0, ("include_deactivated", "true".to_owned()));
        }
        Outgoing { query, ..Outgoing::new(Endpoint::Users) }
    }

    fn decode(&self, body: &[u8]) -> Result<Page<UserList>, FailureCause> {
        let page = users(body)?;
        let is_empty = page.data.people.is_empty() && page.data.integrations.is_empty();
        if is_empty && self.cursor.is_none() {
            let why = "it is empty, although at least the token's own user exists";
            return Err(WrongShape::cause("a page of users", why));
        }
        Ok(page)
    }
}

impl Request for Search {
    type Response = Page<UserList>;

    fn outgoing(&self) -> Outgoing {
        let values = self.emails.iter().map(Email::as_str).collect();
        let body = search_body("email", values, self.limit, self.cursor.as_deref());
        Outgoing { body: Some(body), ..Outgoing::new(Endpoint::Search) }
    }

    fn decode(&self, body: &[u8]) -> Result<Page<UserList>, FailureCause> {
        users(body)
    }
}

impl Request for PeopleRequest {
    type Response = Vec<Person>;

    fn outgoing(&self) -> Outgoing {
        match self {
            Self::Search(search) => search.outgoing(),
            Self::One(id) => Outgoing { user: Some(id.clone()), ..Outgoing::new(Endpoint::User) },
        }
    }

    fn decode(&self, body: &[u8]) -> Result<Vec<Person>, FailureCause> {
        match self {
            Self::Search(search) => search.decode(body).map(|page| page.data.people),
            Self::One(id) => person(id, body).map(|person| vec![person]),
        }
    }
}

impl Request for AuditSearch {
    type Response = Page<Vec<AuditEntry>>;

    fn outgoing(&self) -> Outgoing {
        let values = self.people.iter().map(UserId::as_str).collect();
        let body = search_body("object_id", values, self.limit, self.cursor.as_deref());
        Outgoing { body: Some(body), ..Outgoing::new(Endpoint::Audit) }
    }

    fn decode(&self, body: &[u8]) -> Result<Page<Vec<AuditEntry>>, FailureCause> {
        let Page { data, next } = list::<WireEntry>(body, "a page of audit log entries")?;
        Ok(Page { data: data.into_iter().map(audit_entry).collect(), next })
    }
}

impl Request for Update {
    type Response = Person;

    fn outgoing(&self) -> Outgoing {
        let fields = self.patch.some().map(|(field, value)| (field.facts().patch_key, &**value));
        let body = encode(&fields.collect::<BTreeMap<&str, &str>>());
        Outgoing { user: Some(self.id.clone()), body: Some(body), ..Outgoing::new(Endpoint::Patch) }
    }

    fn decode(&self, body: &[u8]) -> Result<Person, FailureCause> {
        person(&self.id, body)
    }
}

// `Update` deliberately isn't a `ReadRequest` because it's the only request with side effects.
impl ReadRequest for Me {}
impl ReadRequest for Roles {}
impl ReadRequest for Listing {}
impl ReadRequest for Search {}
impl ReadRequest for PeopleRequest {}
impl ReadRequest for AuditSearch {}

fn cursor_query(cursor: Option<&String>) -> Vec<(&'static str, String)> {
    cursor.map(|cursor| ("cursor", cursor.clone())).into_iter().collect()
}

fn search_body(field: &'static str, values: Vec<&str>, limit: usize, cursor: Option<&str>) -> Vec<u8> {
    encode(&WireSearch { filter: WireFilter { field, operator: "in", values }, limit, cursor })
}

fn encode(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).unwrap_or_else(|error| unreachable!("structs of texts serialize: {error}"))
}

fn role(WireRole { id, name, slug }: WireRole) -> Role {
    Role { id: RoleId(id.into()), name, slug }
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

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::observed::{HeldValues, Integration};
    use crate::plan::Patch;
    use crate::pylon::request::RoleFields;
    use crate::roster::PerField;

    fn search() -> Search {
        Search { emails: Vec::new(), limit: 9, cursor: None }
    }

    fn audit_log() -> AuditSearch {
        AuditSearch { people: Vec::new(), limit: 9, cursor: None }
    }

    /// Returns the reason a body can't be decoded, if any.
    fn cause(request: &impl Request, body: &str) -> Option<FailureCause> {
        request.decode(body.as_bytes()).err()
    }

    fn page(body: &str) -> Result<Page<UserList>, FailureCause> {
        search().decode(body.as_bytes())
    }

    const ANA: &str = r#"{"id":"u1","email":"a@b.example","name":"A","role_id":"r1","status":"active"}"#;

    #[test]
    fn the_last_page_has_no_pagination_or_an_empty_one() {
        for (pagination, next) in [
            ("", None),
            (r#","pagination":null"#, None),
            (r#","pagination":{}"#, None),
            (r#","pagination":{"cursor":"","has_next_page":false}"#, None),
            (r#","pagination":{"cursor":"c","has_next_page":false}"#, None),
            (r#","pagination":{"cursor":"c","has_next_page":true}"#, Some("c")),
            (r#","pagination":{"cursor":"c"}"#, Some("c")),
        ] {
            let page = page(&format!(r#"{{"data":[{ANA}],"request_id":"r"{pagination}}}"#)).unwrap();
            assert_eq!(page.next.as_deref(), next, "{pagination}");
        }
        assert!(page(&format!(r#"{{"data":[{ANA}],"pagination":{{"has_next_page":true}}}}"#)).is_err());
    }

    #[test]
    fn an_empty_search_omits_data_or_has_null_or_an_empty_list() {
        for data in ["", r#""data":null,"#, r#""data":[],"#] {
            let body = format!(r#"{{{data}"request_id":"r"}}"#);
            assert_eq!(page(&body).unwrap(), Page::<UserList>::default(), "{body}");
            let entries = Page { data: Vec::new(), next: None };
            assert_eq!(audit_log().decode(body.as_bytes()), Ok(entries), "{body}");
            let id = UserId::new("u1").unwrap();
            for cause in [
                cause(&Me, &body),
                cause(&Roles { cursor: None }, &body),
                cause(&Listing { deactivated: false, cursor: None }, &body),
                cause(&PeopleRequest::One(id.clone()), &body),
                cause(&Update { id, patch: Patch { role: None, status: None } }, &body),
            ] {
                assert!(matches!(cause, Some(FailureCause::WrongShape(_))), "{body}: {cause:?}");
            }
        }
    }

    #[test]
    fn an_error_with_the_status_200_is_not_an_empty_result() {
        assert!(page(r#"{"errors":["no"],"code":"internal_error","request_id":"r"}"#).is_err());
    }

    #[test]
    fn a_page_without_data_that_has_a_next_page_is_not_an_empty_list() {
        let next = r#""pagination":{"cursor":"c","has_next_page":true},"request_id":"r""#;
        for data in ["", r#""data":null,"#, r#""data":[],"#] {
            let body = format!("{{{data}{next}}}");
            for cause in [
                cause(&Roles { cursor: None }, &body),
                cause(&Listing { deactivated: false, cursor: None }, &body),
                cause(&search(), &body),
                cause(&audit_log(), &body),
            ] {
                assert_eq!(cause, Some(FailureCause::PageWithoutData), "{data}");
            }
        }
    }

    #[test]
    fn an_empty_page_reached_through_a_cursor_ends_a_list() {
        let cursor = || Some("c".to_owned());
        let body = r#"{"data":[],"request_id":"r"}"#;
        assert_eq!(cause(&Roles { cursor: cursor() }, body), None);
        assert_eq!(cause(&Listing { deactivated: false, cursor: cursor() }, body), None);
    }

    #[test]
    fn every_date_of_the_api_decodes_to_the_same_person() {
        let april = page(&format!(r#"{{"data":[{ANA}]}}"#)).unwrap();
        let july = page(
            r#"{"data":[{"id":"u1","email":"a@b.example","emails":null,"name":"A","role_id":"r1",
               "role":{"id":"r1","name":"Admin","slug":"admin"},"status":"active"}]}"#,
        )
        .unwrap();
        let october = page(
            r#"{"data":[{"id":"u1","email":"a@b.example","emails":["a@b.example"],"name":"A","role_id":"r1","role_ids":["r1"],
               "roles":[{"id":"r1","name":"Admin","slug":"admin"}],"is_deactivated":false,"status":"active","avatar_url":null}]}"#,
        )
        .unwrap();
        for (page, unknown, fields) in
            [(&april, 1, RoleFields::One), (&july, 1, RoleFields::One), (&october, 0, RoleFields::All)]
        {
            assert_eq!(page.data.people, october.data.people);
            assert_eq!((page.data.activity_unknown.len(), page.data.role_fields), (unknown, Some(fields)));
        }
    }

    #[test]
    fn roles_beyond_the_assigned_ones_come_from_scim() {
        for role_ids in ["[]", "null"] {
            let page = page(&format!(
                r#"{{"data":[{{"id":"u1","email":"a@b.example","name":"A","role_id":"","role_ids":{role_ids},"status":"",
                   "roles":[{{"id":"r2","name":"Lead","slug":"lead"}}]}}]}}"#,
            ))
            .unwrap();
            let held = HeldValues { assigned: vec![], from_scim: vec!["r2".into()] };
            assert_eq!(page.data.people[0].held, PerField { role: held, status: HeldValues::default() });
        }
    }

    fn user(fields: &str) -> Result<Page<UserList>, FailureCause> {
        page(&format!(r#"{{"data":[{{"id":"u1","name":"A",{fields}}}]}}"#))
    }

    #[test]
    fn a_user_without_any_address_is_an_integration_and_not_a_person() {
        for fields in [
            r#""email":"","status":"","role_id":"""#,
            r#""email":null,"emails":null"#,
            r#""email":"","emails":[""],"role_ids":null,"roles":null"#,
        ] {
            let page = user(fields).unwrap();
            let fivetran = Integration { id: UserId::new("u1").unwrap(), name: "A".into() };
            assert_eq!((page.data.people, page.data.integrations), (vec![], [fivetran].into()), "{fields}");
        }
        let page = user(r#""email":"","emails":["a@b.example"],"status":"","role_id":"r1""#).unwrap();
        assert_eq!(page.data.people[0].email.as_str(), "a@b.example", "any address makes a person");
    }

    #[test]
    fn an_absent_required_field_is_an_error_but_an_empty_one_is_not() {
        let all = [
            ("email", r#""email":"a@b.example""#),
            ("status", r#""status":"""#),
            ("role_id", r#""role_id":"""#),
        ];
        let without = |name: &str| {
            all.iter()
                .filter(|(other, _)| *other != name)
                .map(|(_, field)| *field)
                .collect::<Vec<_>>()
                .join(",")
        };
        assert!(user(&without("nothing")).is_ok());
        for (name, _) in all {
            let Err(FailureCause::WrongShape(wrong)) = user(&without(name)) else { panic!("{name}") };
            assert!(
                wrong.why.starts_with("the user u1 has no ") && wrong.why.contains(name),
                "{}",
                wrong.why
            );
        }
        let base = r#""email":"a@b.example","status":"","role_id":"r1""#;
        let (ids, roles) = (r#""role_ids":["r1"]"#, r#""roles":[{"id":"r1"}]"#);
        assert!(user(&format!("{base},{ids},{roles}")).is_ok());
        assert!(user(&format!("{base},{ids}")).is_err(), "roles are missing");
        assert!(user(&format!("{base},{roles}")).is_err(), "role_ids are missing");
    }

    #[test]
    fn role_fields_that_contradict_each_other_are_an_error() {
        for fields in [
            r#""role_id":"r2","role_ids":["r1"],"roles":[{"id":"r1"}]"#,
            r#""role_id":"r1","role_ids":["r1"],"roles":[]"#,
            r#""role_id":"r1","role_ids":null,"roles":null"#,
            r#""role_id":"r1","role_ids":["r1","r2"],"roles":[{"id":"r1"}]"#,
            r#""role_id":"r1","role":{"id":"r2"}"#,
            r#""role_id":"","role":{"id":"r2"}"#,
        ] {
            let result = user(&format!(r#""email":"a@b.example","status":"",{fields}"#));
            assert!(matches!(result, Err(FailureCause::WrongShape(_))), "{fields}: {result:?}");
        }
    }

    #[test]
    fn users_of_one_page_have_the_same_role_fields() {
        let bo = r#"{"id":"u2","email":"b@b.example","name":"B","role_id":"r1","role_ids":["r1"],"roles":[{"id":"r1"}],"status":""}"#;
        assert!(page(&format!(r#"{{"data":[{ANA},{bo}]}}"#)).is_err());
    }

    #[test]
    fn a_role_of_the_catalog_without_a_name_or_slug_is_an_error() {
        let roles = |role: &str| Roles { cursor: None }.decode(format!(r#"{{"data":[{role}]}}"#).as_bytes());
        assert!(roles(r#"{"id":"r1","name":"Admin","slug":"admin"}"#).is_ok());
        for role in [
            r#"{"id":"r1","name":"Admin"}"#,
            r#"{"id":"r1","slug":"admin"}"#,
            r#"{"name":"Admin","slug":"admin"}"#,
        ] {
            assert!(roles(role).is_err(), "{role}");
        }
    }

    #[test]
    fn an_unsafe_id_or_a_duplicate_key_is_an_error() {
        for bad in [
            r#"{"data":[{"id":"../me","email":""}]}"#,
            r#"{"data":[{"id":"","email":""}]}"#,
            r#"{"data":[{"email":""}]}"#,
            r#"{"data":[{"id":"a","id":"b"}]}"#,
            "[[]]",
            r#"{"data":[["u1"]]}"#,
            r#"{"data":[],"pagination":[]}"#,
            r#"{"data":[],"pagination":["c",true]}"#,
            "<html>",
        ] {
            assert!(page(bad).is_err(), "{bad}");
        }
        let id = UserId::new("u1").unwrap();
        let other = ANA.replace("u1", "u2");
        assert!(person(&id, format!(r#"{{"data":{ANA}}}"#).as_bytes()).is_ok());
        assert!(person(&id, format!(r#"{{"data":{other}}}"#).as_bytes()).is_err());
    }

    fn entries(entry: &str) -> Result<Page<Vec<AuditEntry>>, FailureCause> {
        audit_log().decode(format!(r#"{{"data":[{entry}],"request_id":"r"}}"#).as_bytes())
    }

    const NEEDED: &str = r#""id":"a1","action":"UserRoleChanged","action_happened_at":"2026-08-20T16:02:31.5+02:00","object_id":"u1""#;

    #[test]
    fn optional_fields_of_an_audit_entry_may_be_absent_or_null() {
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
            assert_eq!((page.data.as_slice(), page.next), (std::slice::from_ref(expected), None), "{more}");
        }
    }

    #[test]
    fn an_audit_entry_with_wrong_types_is_an_error() {
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
    fn an_error_body_must_be_an_object() {
        let said = error(br#"{"errors":["x"],"request_id":"r","code":"rate_limited","more":1}"#).unwrap();
        assert_eq!(
            (said.errors.unwrap(), said.request_id, said.code),
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
            assert_eq!(
                (said.errors.unwrap(), said.request_id, said.code),
                (told, Some("r".into()), Some("c".into()))
            );
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
    fn request_bodies_contain_exactly_the_requested_fields() {
        let body = |outgoing: Outgoing| String::from_utf8(outgoing.body.unwrap()).unwrap();
        let emails = vec![Email::observed("a@b.example")];
        assert_eq!(
            body(Search { emails, limit: super::super::request::PAGE, cursor: None }.outgoing()),
            r#"{"filter":{"field":"email","operator":"in","values":["a@b.example"]},"limit":999}"#
        );
        let people = ["u1", "u2"].map(|id| UserId::new(id).unwrap()).to_vec();
        assert_eq!(
            body(AuditSearch { people, limit: 9, cursor: Some("c".into()) }.outgoing()),
            r#"{"filter":{"field":"object_id","operator":"in","values":["u1","u2"]},"limit":9,"cursor":"c"}"#
        );
        let patch = Patch { role: Some("r1".into()), status: None };
        let update = Update { id: UserId::new("u1").unwrap(), patch };
        assert_eq!(update.outgoing().asked(), "PATCH /users/u1");
        assert_eq!(body(update.outgoing()), r#"{"role_id":"r1"}"#);
        let patch = Patch { role: Some("r1".into()), status: Some("away".into()) };
        let update = Update { patch, ..update };
        assert_eq!(body(update.outgoing()), r#"{"role_id":"r1","status":"away"}"#);
    }
}
