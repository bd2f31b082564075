//! Tests for the sandbox. Most of these tests send requests directly to a [`World`] at a chosen time.

mod audit_log;
mod changing;
mod conformance;
mod eras;
mod failing;
mod fields;
mod gate;
mod misleading;
mod reading;
mod searching;
mod socket;
mod starting;

use std::time::Duration;

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use rolecall::sandbox::{
    Api, ApiOperation, ApiSettings, DEFAULT_TOKEN, Delivery, EmptyData, Fault, Faults, LimiterKind, Limits,
    MAX_BODY_BYTES, OrganizationStanding, Region, Request, Response, Role, SandboxState, UserKind, World,
    WrittenUser,
};

use crate::builders::{
    BuildRequest, BuildState, BuildUser, ChangeWorld, ReadResponse, failures, limits, read_state,
    readable_roles,
};

/// The time at which the clock of every [`World`] in these tests starts.
const EPOCH: &str = "2026-10-01T12:00:00Z";
/// The user ID returned by `GET /me`, if the token belongs to an API user.
const API_USER_ID: &str = "a91c2e64-7b3f-4d08-8e5a-c60f41d9b273";

/// A user who isn't a person and therefore has no email address, status, or role.
fn not_a_person(kind: UserKind, name: &str) -> WrittenUser {
    WrittenUser { kind, ..WrittenUser::default() }.name(name)
}

fn is_answered(fault: Fault) -> bool {
    !matches!(fault, Fault::CutBefore | Fault::CutAfter | Fault::StallApplied)
}

/// Builds an organization from these people, with readable role IDs such as `role_admin`.
fn organization(people: impl IntoIterator<Item = WrittenUser>) -> SandboxState {
    SandboxState::with_users(people).roles(readable_roles())
}

fn draft() -> SandboxState {
    organization([
        WrittenUser::new("ana@acme.example", "admin").id("u_ana").name("Ana").also("ana@old.example"),
        WrittenUser::new("Bo@acme.example", "member").id("u_bo").name("Bo").scim("viewer"),
        WrittenUser::new("cy@acme.example", "viewer").id("u_cy").name("Cy").deactivated(),
        WrittenUser::new("dee@acme.example", "member").id("u_dee").name("Dee").and_role("viewer"),
    ])
}

fn world_of(state: SandboxState) -> World {
    World::new(state, EPOCH.parse().unwrap()).unwrap()
}

fn world() -> World {
    world_of(draft())
}

fn with(settings: ApiSettings) -> World {
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

/// Sends a request that must succeed with a 200, and returns the body of the response.
fn ok(world: &mut World, request: &Request) -> Value {
    let response = send(world, request);
    assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
    value(&response)
}

/// Sends a request that must fail, and returns its status and error code.
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

/// Returns the entries of a list response. With the sandbox's default settings, an empty list has no `data`.
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
