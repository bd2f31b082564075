//! A successful response is either parsed the way an ordinary JSON parser would parse it or rejected with an explanation.
//!
//! The first byte selects the request, and the rest is the response body.

use std::collections::BTreeSet;

use pretty_assertions::assert_eq;
use rolecall::observed::{HeldValues, Person, Role, UserId};
use rolecall::plan::Patch;
use rolecall::plan::blame::AuditEntry;
use rolecall::pylon::exchange::{self, Incoming};
use rolecall::pylon::request::{
    AuditSearch, Identity, Listing, Me, Page, PeopleRequest, Request, Roles, Search, Update, UserList,
};
use rolecall::pylon::{Class, Failure, FailureCause};
use rolecall::roster::{Email, PerField};
use serde_json::Value;

use super::now;
use crate::harmless::is_harmless;

const CURSOR: Option<String> = None;

pub(super) fn holds(data: &[u8]) {
    let Some((asked, body)) = data.split_first() else { return };
    let came = || Ok(Incoming { status: 200, body: body.to_vec(), ..Incoming::default() });
    let id = || UserId::new("u_1").expect("an id");
    let emails = || vec![Email::observed("a@b.example")];
    // The body as parsed by an ordinary JSON parser, or `None` if that parser rejects it. rolecall might still accept such a body
    // because it ignores some invalid parts, such as huge numbers.
    let value = serde_json::from_slice::<Value>(body).ok();
    match asked % 8 {
        0 => agrees_with_json_parser(&Me, came(), value, is_identity),
        1 => agrees_with_json_parser(&Roles { cursor: CURSOR }, came(), value, are_roles),
        2 => agrees_with_json_parser(&Listing { deactivated: false, cursor: CURSOR }, came(), value, is_page),
        3 => agrees_with_json_parser(
            &Search { emails: emails(), limit: 9, cursor: CURSOR },
            came(),
            value,
            is_page,
        ),
        4 => agrees_with_json_parser(&PeopleRequest::One(id()), came(), value, are_the_person),
        5 => agrees_with_json_parser(
            &AuditSearch { people: vec![id()], limit: 9, cursor: CURSOR },
            came(),
            value,
            are_entries,
        ),
        _ => {
            let patch = Patch { role: None, status: None };
            agrees_with_json_parser(&Update { id: id(), patch }, came(), value, is_the_person);
        }
    }
}

fn agrees_with_json_parser<R: Request>(
    request: &R,
    came: Result<Incoming, FailureCause>,
    value: Option<Value>,
    holds: impl Fn(&R::Response, &Value),
) {
    match (exchange::attempt(request, came, now()).result, value) {
        (Ok(response), Some(value)) => {
            assert!(value.is_object(), "{value}");
            holds(&response, &value);
        }
        (Ok(_), None) => {}
        (Err(failure), _) => is_bad_answer(&failure),
    }
}

fn is_bad_answer(failure: &Failure) {
    assert!(
        matches!(failure.cause, FailureCause::WrongShape(_) | FailureCause::PageWithoutData),
        "{failure:?}"
    );
    assert_eq!(failure.class(), Class::Ambiguous);
    let line = failure.line();
    assert!(!line.contains('\n'), "{line}");
    is_harmless(&line);
    assert!(failure.problem(None).help.is_some());
}

fn list(value: &Value) -> &[Value] {
    value["data"].as_array().map_or(&[][..], Vec::as_slice)
}

fn is_next(next: Option<&str>, value: &Value) {
    let pagination = &value["pagination"];
    let cursor = pagination["cursor"].as_str().filter(|cursor| !cursor.is_empty());
    let expected = cursor.filter(|_| pagination["has_next_page"] != false);
    assert_eq!(next, expected, "{value}");
    assert!(next.is_some() || pagination["has_next_page"] != true, "{value}");
}

fn is_identity(identity: &Identity, value: &Value) {
    let data = &value["data"];
    assert_eq!(data["id"], identity.organization.id.as_str());
    let user = data["user"]["id"].as_str().and_then(UserId::new);
    assert_eq!(identity.user, user);
}

fn are_roles(page: &Page<Vec<Role>>, value: &Value) {
    assert_eq!(page.data.len(), list(value).len());
    for (Role { id, name, slug }, of) in page.data.iter().zip(list(value)) {
        assert_eq!(
            (&*id.0, name.as_str(), slug.as_str()),
            (text(of, "id"), text(of, "name"), text(of, "slug"))
        );
    }
    is_next(page.next.as_deref(), value);
}

fn is_page(page: &Page<UserList>, value: &Value) {
    let (people, others): (Vec<&Value>, Vec<&Value>) = list(value).iter().partition(|of| has_address(of));
    assert_eq!(page.data.people.len(), people.len(), "{value}");
    page.data.people.iter().zip(people).for_each(|(person, of)| is_person(person, of));
    let ids: BTreeSet<&str> = page.data.integrations.iter().map(|user| user.id.as_str()).collect();
    assert_eq!(ids, others.iter().map(|of| text(of, "id")).collect());
    is_next(page.next.as_deref(), value);
}

fn are_the_person(people: &Vec<Person>, value: &Value) {
    let [person] = people.as_slice() else { panic!("one person was asked for: {people:?}") };
    is_the_person(person, value);
}

fn is_the_person(person: &Person, value: &Value) {
    assert_eq!(person.id.as_str(), "u_1");
    is_person(person, &value["data"]);
}

fn are_entries(entries: &Page<Vec<AuditEntry>>, value: &Value) {
    assert_eq!(entries.data.len(), list(value).len());
    for (entry, of) in entries.data.iter().zip(list(value)) {
        assert_eq!((entry.id.as_str(), entry.object.as_str()), (text(of, "id"), text(of, "object_id")));
        assert_eq!(entry.attributes.len(), of["attributes"].as_object().map_or(0, serde_json::Map::len));
    }
    is_next(entries.next.as_deref(), value);
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn has_address(of: &Value) -> bool {
    let others = of["emails"].as_array().into_iter().flatten().filter_map(Value::as_str);
    others.chain([text(of, "email")]).any(|address| !address.is_empty())
}

fn is_person(person: &Person, of: &Value) {
    let Person { id, email, secondary, name, held, deactivated } = person;
    let PerField { role: HeldValues { assigned, from_scim }, status: _ } = held;
    assert_eq!(UserId::new(id.as_str()).as_ref(), Some(id));
    assert_eq!(
        (id.as_str(), name.as_str(), person.status()),
        (text(of, "id"), text(of, "name"), text(of, "status"))
    );
    let primary = text(of, "email");
    let first =
        of["emails"].as_array().into_iter().flatten().filter_map(Value::as_str).find(|text| !text.is_empty());
    assert_eq!(email.as_str(), if primary.is_empty() { first.unwrap_or_default() } else { primary });
    assert_eq!(*deactivated, of["is_deactivated"] == true);
    assert!(!secondary.contains(email));
    let texts = |key: &str| {
        of[key].as_array().map(|ids| ids.iter().filter_map(Value::as_str).collect::<BTreeSet<_>>())
    };
    let one = of["role"]["id"].as_str().or(of["role_id"].as_str()).filter(|id| !id.is_empty());
    let is_october = of.get("role_ids").is_some();
    let expected = texts("role_ids").unwrap_or_else(|| one.filter(|_| !is_october).into_iter().collect());
    // Both lists are sorted and contain no duplicates.
    assert_eq!(
        assigned.iter().map(|id| &**id).collect::<Vec<_>>(),
        expected.iter().copied().collect::<Vec<_>>()
    );
    let held: BTreeSet<&str> =
        of["roles"].as_array().into_iter().flatten().map(|role| text(role, "id")).collect();
    let through_scim: Vec<&str> = held.difference(&expected).copied().collect();
    assert_eq!(from_scim.iter().map(|id| &**id).collect::<Vec<_>>(), through_scim);
}
