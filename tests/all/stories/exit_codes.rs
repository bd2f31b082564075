//! Checks that every exit code in docs/exit-codes.md has a story (a run that returns the code), and that every story's exit code
//! is listed there.

use std::collections::BTreeSet;
use std::fs;

use pretty_assertions::assert_eq;

use crate::harness::{Scene, project};

const PYLON: &str = r#"{ "organization": { "id": "org_1", "name": "Acme" }, "users": [
    { "id": "u_ana", "email": "ana@acme.example", "name": "Ana", "role": "admin" },
    { "id": "u_ben", "email": "ben@acme.example", "name": "Ben", "role": "admin" },
    { "id": "u_bo", "email": "bo@acme.example", "name": "Bo", "role": "member" },
    { "id": "u_scim", "email": "scim@acme.example", "name": "Sam", "role": "member", "role_from_scim": true } ] }"#;

fn declaring(people: &str) -> Scene {
    Scene::with_pylon(PYLON).file("users.toml", format!("[users]\n{people}\n"))
}

/// Returns the runs to test: the expected exit code, the scene, and the arguments. The module `applying` tests the exit codes for
/// signals.
fn stories() -> Vec<(i32, Scene, &'static str)> {
    let bo = "\"bo@acme.example\" = { role = \"Viewer\" }";
    let saved = declaring(bo);
    saved.run("plan -o plan.json").exits(0);
    vec![
        (0, declaring(bo), "validate"),
        (0, declaring(bo), "plan"),
        (0, declaring(bo), "apply --auto-approve"),
        (0, declaring(""), "agenda"),
        (1, declaring("bo = {}"), "validate"),
        (1, declaring(bo), "plan --token-file nowhere"),
        (1, declaring(bo), "apply"),
        (2, declaring(bo), "plan --detailed-exitcode"),
        (2, declaring(bo).file("old.toml", ""), "compare old.toml users.toml --detailed-exitcode"),
        (2, declaring("'bo@acme.example'={}"), "fmt --check"),
        (3, declaring("\"ben@acme.example\" = { role = \"Viewer\" }"), "plan"),
        (3, declaring("\"ben@acme.example\" = { role = \"Viewer\" }"), "apply --auto-approve"),
        (4, declaring("\"scim@acme.example\" = { role = \"Viewer\" }"), "apply --auto-approve"),
        (
            5,
            saved.file("users.toml", "[users]\n\"bo@acme.example\" = { role = \"Admin\" }\n"),
            "apply plan.json --auto-approve",
        ),
        (64, declaring(bo), "plan --frob"),
    ]
}

#[test]
fn every_exit_code_in_the_table_has_a_story() {
    let page = fs::read_to_string(project().join("docs/exit-codes.md")).unwrap();
    let first_cells = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    let documented: BTreeSet<i32> =
        first_cells.flat_map(|cell| cell.split(", ")).filter_map(|code| code.parse().ok()).collect();
    let signals = BTreeSet::from([129, 130, 143]);
    let mut told = signals.clone();
    for (code, scene, command) in stories() {
        scene.run(command).exits(code);
        told.insert(code);
    }
    assert_eq!(told, documented);
}
