//! An answer with success: it makes sense, and is what an ordinary JSON parser finds in it; or it is explained.
//!
//! The first byte says what was asked, the rest is the body.

use std::collections::BTreeSet;

use pretty_assertions::assert_eq;
use rolecall::observed::{Person, Role, UserId};
use rolecall::pylon::exchange::{Incoming, patched, read};
use rolecall::pylon::{Answer, Class, Failure, ReadRequest, Trouble};
use rolecall::roster::Email;
use serde_json::Value;

use super::now;
use crate::harmless::is_harmless;

const CURSOR: Option<String> = None;

pub(super) fn holds(data: &[u8]) {
    let Some((asked, body)) = data.split_first() else { return };
    let came = || Ok(Incoming { status: 200, body: body.to_vec(), ..Incoming::default() });
    let id = || UserId::new("u_1").expect("an id");
    let request = match asked % 8 {
        0 => ReadRequest::Me,
        1 => ReadRequest::Roles { cursor: CURSOR },
        2 => ReadRequest::Listing { deactivated: false, cursor: CURSOR },
        3 => ReadRequest::Search { emails: vec![Email::observed("a@b.example")], limit: 9, cursor: CURSOR },
        4 => ReadRequest::Person(id()),
        5 => ReadRequest::AuditLog { people: vec![id()], limit: 9, cursor: CURSOR },
        _ => {
            return match patched(&id(), came(), now()).result {
                Ok(person) => makes_sense(&Answer::Person(person), body),
                Err(failure) => is_bad_answer(&failure),
            };
        }
    };
    match read(&request, came(), now()).result {
        Ok(answer) => makes_sense(&answer, body),
        Err(failure) => is_bad_answer(&failure),
    }
}

fn is_bad_answer(failure: &Failure) {
    assert!(matches!(failure.trouble, Trouble::WrongShape(_) | Trouble::PageWithoutData), "{failure:?}");
    assert_eq!(failure.class(), Class::Ambiguous);
    let line = failure.line();
    assert!(!line.contains('\n'), "{line}");
    is_harmless(&line);
    assert!(failure.problem(None).help.is_some());
}

fn makes_sense(answer: &Answer, body: &[u8]) {
    // What is passed over need not be text, nor numbers that anything can hold.
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return };
    assert!(value.is_object(), "{value}");
    let data = &value["data"];
    let list = || data.as_array().map_or(&[][..], Vec::as_slice);
    let next = |next: &Option<String>| {
        let pagination = &value["pagination"];
        let cursor = pagination["cursor"].as_str().filter(|cursor| !cursor.is_empty());
        let expected = cursor.filter(|_| pagination["has_next_page"] != false);
        assert_eq!(next.as_deref(), expected, "{value}");
        assert!(next.is_some() || pagination["has_next_page"] != true, "{value}");
    };
    match answer {
        Answer::Me(identity) => {
            assert_eq!(data["id"], identity.organization.id.as_str());
            let user = data["user"]["id"].as_str().and_then(UserId::new);
            assert_eq!(identity.user, user);
        }
        Answer::Roles(page) => {
            assert_eq!(page.roles.len(), list().len());
            for (Role { id, name, slug }, of) in page.roles.iter().zip(list()) {
                assert_eq!(
                    (&*id.0, name.as_str(), slug.as_str()),
                    (text(of, "id"), text(of, "name"), text(of, "slug"))
                );
            }
            next(&page.next);
        }
        Answer::Page(page) => {
            let (people, others): (Vec<&Value>, Vec<&Value>) = list().iter().partition(|of| has_address(of));
            assert_eq!(page.people.len(), people.len(), "{value}");
            page.people.iter().zip(people).for_each(|(person, of)| is_person(person, of));
            let ids: Vec<&str> = page.integrations.iter().map(|user| user.id.as_str()).collect();
            assert_eq!(ids, others.iter().map(|of| text(of, "id")).collect::<Vec<_>>());
            next(&page.next);
        }
        Answer::Person(person) => {
            assert_eq!(person.id.as_str(), "u_1");
            is_person(person, data);
        }
        Answer::Entries(entries) => {
            assert_eq!(entries.entries.len(), list().len());
            for (entry, of) in entries.entries.iter().zip(list()) {
                assert_eq!(
                    (entry.id.as_str(), entry.object.as_str()),
                    (text(of, "id"), text(of, "object_id"))
                );
                assert_eq!(
                    entry.attributes.len(),
                    of["attributes"].as_object().map_or(0, serde_json::Map::len)
                );
            }
            next(&entries.next);
        }
    }
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn has_address(of: &Value) -> bool {
    let others = of["emails"].as_array().into_iter().flatten().filter_map(Value::as_str);
    others.chain([text(of, "email")]).any(|address| !address.is_empty())
}

fn is_person(person: &Person, of: &Value) {
    let Person { id, email, secondary, name, assigned, from_scim, status, deactivated } = person;
    assert_eq!(UserId::new(id.as_str()).as_ref(), Some(id));
    assert_eq!(
        (id.as_str(), name.as_str(), status.as_str()),
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
    // Sorted, and each once.
    assert_eq!(
        assigned.iter().map(|id| &*id.0).collect::<Vec<_>>(),
        expected.iter().copied().collect::<Vec<_>>()
    );
    let held: BTreeSet<&str> =
        of["roles"].as_array().into_iter().flatten().map(|role| text(role, "id")).collect();
    let through_scim: Vec<&str> = held.difference(&expected).copied().collect();
    assert_eq!(from_scim.iter().map(|id| &*id.0).collect::<Vec<_>>(), through_scim);
}
