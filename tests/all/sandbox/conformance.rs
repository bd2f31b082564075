//! Validates the responses of every endpoint, in every version of the API, against docs/pylon-users.openapi.yaml. The client's
//! requests are validated against the same description.

use std::collections::BTreeSet;

use pretty_assertions::assert_eq;

use super::*;

const DOCUMENT: &str = include_str!("../../../docs/pylon-users.openapi.yaml");

fn document() -> Value {
    serde_norway::from_str(DOCUMENT).unwrap()
}

/// Returns the JSON schema of an operation's response with the given status, along with all components that the schema can
/// reference.
fn answer_schema(document: &Value, path: &str, method: &str, status: u16) -> Value {
    let operation = &document["paths"][path][method];
    assert!(operation.is_object(), "the document has no {method} {path}");
    let by_status = &operation["responses"][status.to_string()];
    let answer =
        if by_status.is_object() { by_status } else { &document["components"]["responses"]["Error"] };
    let mut schema = answer["content"]["application/json"]["schema"].clone();
    schema["components"] = document["components"].clone();
    schema
}

fn request_schema(document: &Value, path: &str, method: &str) -> Option<Value> {
    let mut schema =
        document["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"].clone();
    schema.is_object().then(|| {
        schema["components"] = document["components"].clone();
        schema
    })
}

fn judge(schema: &Value, text: &[u8], what: &str) {
    let value: Value = serde_json::from_slice(text).unwrap();
    let validator = jsonschema::draft202012::new(schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(errors, Vec::<String>::new(), "{what}: {value:#}");
}

fn world(api: Api) -> World {
    let state = organization([
        WrittenUser::new("ana@acme.example", "admin").id("u_ana").also("ana@old.example"),
        WrittenUser::new("bo@acme.example", "member").id("u_bo").scim("viewer").and_role("viewer"),
        WrittenUser::new("cy@acme.example", "viewer").id("u_cy").deactivated().status(""),
        not_a_person(UserKind::Integration, "Fivetran"),
    ])
    .api(api)
    .settings(ApiSettings { list_page: Some(2), ..ApiSettings::default() });
    world_of(state)
}

/// Returns the requests to send, each as its path template, method, actual path, and body.
fn requests() -> Vec<(&'static str, &'static str, &'static str, Value)> {
    let email = |operator: &str, key: &str, value: Value| json!({ "field": "email", "operator": operator, key: value });
    let all = email("not_in", "values", json!([]));
    let nested = json!({ "operator": "or", "subfilters": [
        email("equals", "value", json!("bo@acme.example")),
        { "operator": "and", "subfilters": [email("in", "values", json!(["cy@acme.example"]))] },
    ] });
    vec![
        ("/me", "get", "/me", Value::Null),
        ("/user-roles", "get", "/user-roles", Value::Null),
        ("/users", "get", "/users", Value::Null),
        ("/users/{id}", "get", "/users/u_bo", Value::Null),
        ("/users/{id}", "patch", "/users/u_ana", json!({ "role_id": "role_viewer", "status": "away" })),
        ("/users/search", "post", "/users/search", json!({ "filter": all, "limit": 2 })),
        ("/users/search", "post", "/users/search", json!({ "filter": nested })),
        ("/audit-logs/search", "post", "/audit-logs/search", json!({ "limit": 1 })),
        (
            "/audit-logs/search",
            "post",
            "/audit-logs/search",
            json!({ "filter":
            { "field": "action", "operator": "equals", "value": "UserRoleChanged" } }),
        ),
        // These requests have an invalid path or body. Together, they cover every kind of error that results.
        ("/users/{id}", "get", "/users/without_results", Value::Null),
        ("/users/{id}", "patch", "/users/without_results", json!({})),
        ("/users/{id}", "patch", "/users/u_bo", json!({ "role_id": "role_unknown" })),
    ]
}

fn send(world: &mut World, method: &str, path: &str, body: &Value) -> Response {
    let text = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    world.handle(Duration::ZERO, &Request::new(&method.to_uppercase(), path).token(DEFAULT_TOKEN).body(text))
}

#[test]
fn every_response_fits_the_api_description_at_every_date() {
    let document = document();
    for api in Api::ALL {
        let mut world = world(api);
        let mut met = BTreeSet::new();
        for (path, method, concrete, body) in requests() {
            let response = send(&mut world, method, concrete, &body);
            met.insert((path.to_owned(), method.to_owned(), response.status == 200));
            let what = format!("{api:?} {method} {concrete} {}", response.status);
            judge(&answer_schema(&document, path, method, response.status), &response.body, &what);
            if let Some(schema) = request_schema(&document, path, method) {
                judge(&schema, body.to_string().as_bytes(), &format!("the body of {what}"));
            }
        }
        let operations = document["paths"].as_object().unwrap().iter().flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys().filter(|key| *key != "parameters");
            methods.map(|method| (path.clone(), method.clone(), true)).collect::<Vec<_>>()
        });
        let missing: Vec<_> = operations.filter(|operation| !met.contains(operation)).collect();
        assert_eq!(missing, Vec::new(), "documented, and never asked with success");
    }
}

#[test]
fn every_form_of_an_empty_list_fits_the_api_description() {
    let document = document();
    for (api, empty_data) in Api::ALL.into_iter().flat_map(|api| EmptyData::ALL.map(|form| (api, form))) {
        let mut world = world(api);
        world.settings.empty_data = empty_data;
        let without_results = json!({ "filter": { "field": "email", "operator": "in", "values": [] } });
        for (path, body) in [("/users/search", without_results), ("/audit-logs/search", json!({}))] {
            let response = send(&mut world, "post", path, &body);
            assert_eq!(response.status, 200);
            let what = format!("{api:?} {path} {empty_data:?}");
            judge(&answer_schema(&document, path, "post", 200), &response.body, &what);
        }
    }
}

#[test]
fn every_error_is_the_documented_envelope_at_every_date() {
    let document = document();
    let schema = answer_schema(&document, "/me", "get", 401);
    for api in Api::ALL {
        let mut world = world(api);
        for request in [
            Request::new("GET", "/me"),
            Request::new("GET", "/nowhere").token(DEFAULT_TOKEN),
            Request::new("DELETE", "/me").token(DEFAULT_TOKEN),
            Request::new("POST", "/users/search").token(DEFAULT_TOKEN).body("{"),
        ] {
            let response = world.handle(Duration::ZERO, &request);
            assert!(response.status >= 400);
            judge(&schema, &response.body, &format!("{api:?} {request:?}"));
        }
    }
}

#[test]
fn the_validator_rejects_wrong_responses() {
    let schema = answer_schema(&document(), "/users/{id}", "get", 200);
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    assert!(!validator.is_valid(&json!({ "data": { "id": "u" }, "request_id": "r" })));
    assert!(!validator.is_valid(&json!({ "data": { "id": "u", "email": "e", "name": "n", "role_id": 7, "status": "" }, "request_id": "r" })));
}
