//! The world from outside: requests at times of our choosing, answers compared whole where that says most.

mod audit_log;
mod changing;
mod conformance;
mod eras;
mod failing;
mod gate;
mod misleading;
mod reading;
mod searching;
mod socket;
mod starting;

use std::time::Duration;

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{
    Api, Class, DEFAULT_TOKEN, Draft, EmptyData, Kind, LimiterKind, Limits, MAX_BODY_BYTES, Person, Region,
    Request, Response, Role, Settings, Standing, State, World, world::API_USER_ID,
};

/// The built-in roles, with IDs that are easy to read in a test.
fn readable_roles() -> Vec<Role> {
    ["Admin", "Member", "Viewer"]
        .map(|name| Role::new(&format!("role_{}", name.to_lowercase()), name, &name.to_lowercase()))
        .to_vec()
}

/// An organization of these people, with readable role IDs.
fn organization(people: impl IntoIterator<Item = Person>) -> Draft {
    Draft::of(people).roles(readable_roles())
}

fn draft() -> Draft {
    organization([
        Person::new("ana@acme.example", "admin").id("u_ana").name("Ana").also("ana@old.example"),
        Person::new("Bo@acme.example", "member").id("u_bo").name("Bo").scim("viewer"),
        Person::new("cy@acme.example", "viewer").id("u_cy").name("Cy").deactivated(),
        Person::new("dee@acme.example", "member").id("u_dee").name("Dee").and_role("viewer"),
    ])
}

fn world_of(draft: Draft) -> World {
    World::new(draft.check().unwrap(), "2026-10-01T12:00:00Z".parse().unwrap())
}

fn world() -> World {
    world_of(draft())
}

fn with(settings: Settings) -> World {
    world_of(draft().settings(settings))
}

fn ask(method: &str, path: &str) -> Request {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    Request::new(method, path).query(query).token(DEFAULT_TOKEN)
}

fn send(world: &mut World, request: &Request) -> Response {
    world.handle(Duration::ZERO, request)
}

fn value(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

/// The answer's JSON after checking its status.
fn ok(world: &mut World, request: &Request) -> Value {
    let response = send(world, request);
    assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
    value(&response)
}

/// Status and code.
fn refused(world: &mut World, request: &Request) -> (u16, String) {
    let response = send(world, request);
    assert!(response.status >= 400, "{}", response.status);
    (response.status, value(&response)["code"].as_str().unwrap_or("none").to_owned())
}

fn search(world: &mut World, body: &Value) -> Value {
    ok(world, &ask("POST", "/users/search").body(body.to_string()))
}

fn found(world: &mut World, filter: &Value) -> Vec<String> {
    ids(&search(world, &json!({ "filter": filter })))
}

fn ids(answer: &Value) -> Vec<String> {
    entries(answer).iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// The entries of a list response. An empty one has no `data`, unless a setting says otherwise.
fn entries(answer: &Value) -> Vec<Value> {
    answer["data"].as_array().cloned().unwrap_or_default()
}

fn patch(id: &str, body: &Value) -> Request {
    ask("PATCH", &format!("/users/{id}")).body(body.to_string())
}

fn email(operator: &str, values: &[&str]) -> Value {
    match operator {
        "equals" => json!({ "field": "email", "operator": operator, "value": values[0] }),
        _ => json!({ "field": "email", "operator": operator, "values": values }),
    }
}
