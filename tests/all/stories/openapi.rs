//! Validates the client's requests against docs/pylon-users.openapi.yaml. For the sandbox's responses, see
//! `sandbox::conformance`.

use std::collections::BTreeSet;

use pretty_assertions::assert_eq;
use rolecall::sandbox::Arrival;
use serde_json::{Value, json};

use crate::harness::Scene;

fn description() -> Value {
    let text = include_str!("../../../docs/pylon-users.openapi.yaml");
    serde_norway::from_str(text).unwrap()
}

/// Finds a request's operation in the API description, and returns it with its method and path template.
fn operation<'d>(description: &'d Value, arrival: &Arrival) -> (String, &'d Value) {
    let segments: Vec<&str> = arrival.request.path.split('/').collect();
    let method = arrival.request.method.to_lowercase();
    let matches = |path: &str| {
        let parts: Vec<&str> = path.split('/').collect();
        parts.len() == segments.len()
            && parts.iter().zip(&segments).all(|(part, segment)| part == segment || part.starts_with('{'))
    };
    let paths = description["paths"].as_object().unwrap();
    // Prefer the exact path `/users/search` over the template `/users/{id}`.
    let path = paths.keys().filter(|path| matches(path)).min_by_key(|path| path.contains('{'));
    let path = path.unwrap_or_else(|| panic!("{} is not in the description", arrival.request.path));
    (format!("{method} {path}"), &paths[path][&method])
}

fn judge(description: &Value, arrival: &Arrival) -> String {
    let (name, operation) = operation(description, arrival);
    assert!(operation.is_object(), "{name} is not in the description");
    let parameters: Vec<&str> = operation["parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|known| known["name"].as_str())
        .collect();
    for (key, _) in arrival.request.query.split('&').filter_map(|pair| pair.split_once('=')) {
        assert!(parameters.contains(&key), "{name} has no parameter {key}");
    }
    let schema = match name.as_str() {
        "patch /users/{id}" => "UpdateUserRequest",
        _ => operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            .as_str()
            .unwrap_or_default()
            .rsplit('/')
            .next()
            .unwrap(),
    };
    if schema.is_empty() {
        assert_eq!(arrival.request.body, b"", "{name} has no body");
        return name;
    }
    let body: Value = serde_json::from_slice(&arrival.request.body).unwrap();
    let whole =
        json!({ "$ref": format!("#/components/schemas/{schema}"), "components": description["components"] });
    let validator = jsonschema::validator_for(&whole).unwrap();
    let complaints: Vec<String> = validator.iter_errors(&body).map(|error| error.to_string()).collect();
    assert_eq!(complaints, Vec::<String>::new(), "{name} was asked with {body}");
    name
}

#[test]
fn every_request_of_the_client_fits_the_api_description() {
    let description = description();
    let scene = Scene::with_pylon(
        r#"{ "settings": { "list_page": 1 }, "users": [
        { "id": "u_bo", "email": "bo@acme.example", "role": "member", "support_hours": "active" },
        { "id": "u_cy", "email": "cy@acme.example", "role": "member" } ] }"#,
    )
    .file(
        "users.toml",
        "[users]\n\"bo@acme.example\" = { status = \"away\" }\n\"cy@acme.example\" = { role = \"Viewer\", status = \"out_of_office\" }\n\"typo@acme.example\" = {}\n",
    );
    scene.run("plan --blame").exits(0);
    scene.run("apply --auto-approve").exits(4);
    let asked: BTreeSet<String> =
        scene.arrivals().iter().map(|arrival| judge(&description, arrival)).collect();
    let expected = [
        "get /me",
        "get /user-roles",
        "get /users",
        "get /users/{id}",
        "patch /users/{id}",
        "post /audit-logs/search",
        "post /users/search",
    ];
    assert_eq!(asked, expected.map(str::to_owned).into());
}
