//! Tests the full path from the files to the `PATCH` requests. Afterward, a second run finds everything in sync.

use pretty_assertions::assert_eq;
use serde_json::Value;

use crate::harness::Scene;

const PYLON: &str = r#"{
  "organization": { "id": "org_4f1c", "name": "Acme Support" },
  "users": [
    { "id": "u_ana", "email": "ana@acme.example", "name": "Ana Silva", "role": "admin" },
    { "id": "u_bo", "email": "bo@acme.example", "name": "Bo Lindqvist", "role": "viewer" },
    { "id": "u_cy", "email": "cy@acme.example", "name": "Cy Ortega", "role": "member" },
    { "id": "u_dee", "email": "dee@acme.example", "name": "Dee Brown", "role": "admin" },
    { "id": "u_eve", "email": "eve@acme.example", "name": "Eve Rossi", "role": "viewer" }
  ]
}"#;

const USERS: &str = r#"
[defaults]
role = "Member"

[users]
"ana@acme.example" = { role = "Admin" }
"bo@acme.example" = {}
"cy@acme.example" = { status = "out_of_office" }
"dee@acme.example" = { role = "Admin" }
"#;

fn scene() -> Scene {
    Scene::with_pylon(PYLON).file("users.toml", USERS)
}

#[test]
fn a_plan_shows_what_would_change_and_changes_nothing() {
    let scene = scene();
    let run = scene.run("plan");
    run.says(
        "
rolecall plan · Acme Support (org_4f1c, HOST) · 4 declared

  ~ bo@acme.example  Bo Lindqvist
      role    Viewer → Member          users.toml:3, default
  ~ cy@acme.example  Cy Ortega
      status  active → out_of_office   users.toml:8

2 to change (1 role, 1 status) · 2 in sync · 1 unmanaged
Unmanaged: eve@acme.example
Guardrails pass: 2 of 4 change (limit 10), 2 Admins remain (minimum 2).
"
        .replace("HOST", &scene.host())
        .as_str(),
    );
    run.exits(0);
    assert_eq!(scene.asked(), ["GET /me", "GET /user-roles", "GET /users", "POST /users/search"]);
}

#[test]
fn an_apply_sends_exactly_what_changes_and_the_next_run_finds_everything_in_sync() {
    let scene = scene();
    let run = scene.run("apply --auto-approve");
    run.says(
        "
rolecall apply · Acme Support (org_4f1c, HOST) · 4 declared

  ✓ bo@acme.example  Bo Lindqvist
      role    Viewer → Member          users.toml:3, default
  ✓ cy@acme.example  Cy Ortega
      status  active → out_of_office   users.toml:8

2 applied · 2 in sync · 1 unmanaged
Guardrails pass: 2 of 4 change (limit 10), 2 Admins remain (minimum 2).
"
        .replace("HOST", &scene.host())
        .as_str(),
    );
    run.exits(0);
    assert_eq!(
        scene.patches(),
        [r#"/users/u_bo {"role_id":"role_member"}"#, r#"/users/u_cy {"status":"out_of_office"}"#]
    );

    let again = scene.run("apply --auto-approve");
    again.says(
        "
rolecall apply · Acme Support (org_4f1c, HOST) · 4 declared

nothing to change · 4 in sync · 1 unmanaged
Unmanaged: eve@acme.example
Guardrails pass: 0 of 4 change (limit 10), 2 Admins remain (minimum 2).
"
        .replace("HOST", &scene.host())
        .as_str(),
    );
    again.exits(0);
    assert_eq!(scene.patches().len(), 2, "nothing was sent twice");
}

#[test]
fn a_change_of_both_fields_is_one_patch() {
    let scene = Scene::with_pylon(PYLON)
        .file("users.toml", "[users]\n\"bo@acme.example\" = { role = \"member\", status = \"away\" }\n");
    scene.run("apply --auto-approve").exits(0);
    assert_eq!(scene.patches(), [r#"/users/u_bo {"role_id":"role_member","status":"away"}"#]);
}

#[test]
fn a_role_is_named_by_name_slug_or_id() {
    for role in ["Member", "member", "role_member"] {
        let scene = Scene::with_pylon(PYLON)
            .file("users.toml", format!("[users]\n\"bo@acme.example\" = {{ role = \"{role}\" }}\n"));
        scene.run("apply --auto-approve").exits(0);
        assert_eq!(scene.patches(), [r#"/users/u_bo {"role_id":"role_member"}"#], "{role}");
    }
}

#[test]
fn a_detailed_exit_code_distinguishes_pending_changes_from_none() {
    let scene = scene();
    scene.run("plan --detailed-exitcode").exits(2);
    scene.run("apply --auto-approve").exits(0);
    scene.run("plan --detailed-exitcode").exits(0);
}

#[test]
fn apply_changes_nothing_unless_confirmed() {
    let scene = scene();
    let run = scene.run("apply");
    run.exits(1).complains(
        "
apply::needs_approval

  × cannot ask for confirmation without a terminal; nothing was changed
  help: run `rolecall plan` first; if the plan has already been reviewed (for example, in a pipeline), add
        --auto-approve

To read about this code: `rolecall explain apply::needs_approval`
",
    );
    assert_eq!(scene.patches(), Vec::<String>::new());
}

#[test]
fn the_json_report_has_the_same_facts() {
    let scene = scene();
    let run = scene.run("plan --format json");
    run.exits(0);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["version"], 1);
    assert_eq!(
        report["summary"],
        serde_json::json!({ "changes": 2, "in_sync": 2, "in_sync_since_saved": 0, "observed": 0, "ignored": 0, "missing": 0, "unmanaged": 1, "integration_users": 0 })
    );
    assert_eq!(
        report["changes"][0],
        serde_json::json!({
            "email": "bo@acme.example", "id": "u_bo", "name": "Bo Lindqvist", "primary_email": null,
            "edits": [{
                "field": "role", "from": ["Viewer"], "to": "Member", "through_scim": [],
                "location": { "file": "users.toml", "line": 3, "column": 8 }, "origin": { "kind": "defaults" }
            }],
            "location": { "file": "users.toml", "line": 7, "column": 1 }
        })
    );
    assert_eq!(report["guardrails"][0]["figure"], "2 of 4 change (limit 10)");

    let applied = scene.run("apply --auto-approve --format json");
    let report: Value = serde_json::from_str(&applied.stdout).unwrap();
    assert_eq!(report["changes"][1]["outcome"]["name"], "applied");
    let result = serde_json::json!({ "stopped": null, "not_read_back": 0, "journal_is_whole": true });
    assert_eq!(report["result"], result);
}

#[test]
fn an_empty_file_declares_no_people_and_sends_no_request() {
    let scene = Scene::offline().file("users.toml", "");
    scene.run("plan").says("users.toml declares no people: nothing to do\n").exits(0);
    scene.run("apply --auto-approve").says("users.toml declares no people: nothing to do\n").exits(0);
    scene.run("validate").says("1 file, 0 people declared: valid\n").exits(0);
}

#[test]
fn wrong_usage_exits_with_64_and_help_with_0() {
    let scene = Scene::offline();
    for words in [
        "",
        "frobnicate",
        "plan --frob",
        "plan --region mars",
        "apply --parallelism 0",
        "plan --rate patch",
        "plan --rate posts=3",
    ] {
        let run = scene.run(words);
        run.exits(64);
        assert_eq!(run.stdout, "", "{words}");
    }
    for words in ["--help", "-h", "plan --help", "apply -h", "--version"] {
        scene.run(words).exits(0);
    }
}

#[test]
fn the_sandbox_keeps_its_state_next_to_the_config() {
    let scene = Scene::offline().file("team/users.toml", USERS).file("team/pylon.json", PYLON);
    scene.run("apply --sandbox --auto-approve --config team/users.toml").exits(0);
    let run = scene.run("plan --sandbox --config team/users.toml --detailed-exitcode");
    run.exits(0);
    assert!(
        run.stdout.starts_with("rolecall plan · Acme Support (org_4f1c, sandbox) · 4 declared\n"),
        "{}",
        run.stdout
    );
    let ignored = std::fs::read_to_string(scene.folder().join("team/.rolecall/.gitignore")).unwrap();
    assert_eq!(ignored, "*\n");
}

#[test]
fn a_piped_plan_has_colors_only_with_color_always() {
    let scene = scene();
    assert!(!scene.run("plan").stdout.contains('\u{1b}'), "not into a pipe");
    assert!(scene.run("plan --color always").stdout.contains("\u{1b}[33m~"));
    assert!(!scene.run("plan --color never").stdout.contains('\u{1b}'));
}
