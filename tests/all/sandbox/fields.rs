//! Checks that the client, the sandbox, and the API description have the same fields for a `PATCH`.

use std::collections::BTreeSet;

use pretty_assertions::assert_eq;
use rolecall::observed::UserId;
use rolecall::plan::Patch;
use rolecall::pylon::request::{Request as _, Update};
use rolecall::roster::Field;

use super::*;

/// Returns the properties of a schema in the API description.
fn properties(schema: &str) -> Value {
    let text = include_str!("../../../docs/pylon-users.openapi.yaml");
    let description: Value = serde_norway::from_str(text).unwrap();
    description["components"]["schemas"][schema]["properties"].clone()
}

fn keys(object: &Value) -> BTreeSet<String> {
    object.as_object().unwrap().keys().cloned().collect()
}

/// Returns the client's request body for setting this field.
fn body(field: Field, value: &str) -> Value {
    let mut patch = Patch::default();
    patch[field] = Some(value.into());
    let update = Update { id: UserId::new("u_bo").unwrap(), patch };
    serde_json::from_slice(&update.outgoing().body.unwrap()).unwrap()
}

#[test]
fn the_description_lists_exactly_the_fields_that_the_client_sets() {
    let sent: BTreeSet<String> = Field::ALL.iter().flat_map(|field| keys(&body(*field, "x"))).collect();
    assert_eq!(sent.len(), Field::ALL.len(), "two fields have the same key: {sent:?}");
    assert_eq!(keys(&properties("UpdateUserRequest")), sent);
    assert_eq!(sent.difference(&keys(&properties("User"))).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn the_sandbox_stores_every_field_that_a_patch_sets_and_writes_it_to_the_audit_log() {
    let described = properties("UpdateUserRequest");
    for field in Field::ALL {
        let key = keys(&body(field, "x")).into_iter().next().unwrap();
        let value = match &described[&key]["enum"] {
            Value::Array(words) => words.last().unwrap().as_str().unwrap(),
            _ if key == "role_id" => "role_admin",
            _ => "Another value",
        };
        let mut world = world();
        let get = ask("GET", "/users/u_bo");
        let before = ok(&mut world, &get)["data"][&key].clone();
        assert_ne!(before, value, "`{key}` must change");
        let answer = ok(&mut world, &patch("u_bo", &body(field, value)))["data"].clone();
        assert_eq!(answer[&key], value);
        assert_eq!(ok(&mut world, &get)["data"], answer, "`{key}` is stored");
        let logged: Vec<_> = world.audit_log().map(|entry| entry.attributes.clone()).collect();
        let [attributes] = logged.as_slice() else { panic!("`{key}` has {} entries", logged.len()) };
        assert_eq!(attributes[&format!("new_{key}")], value);
        let reloaded = world_of(world.to_state());
        assert_eq!(reloaded.user("u_bo"), world.user("u_bo"), "the state file has `{key}`");
        let mut reloaded = reloaded;
        assert_eq!(ok(&mut reloaded, &get)["data"][&key], value);
    }
}
