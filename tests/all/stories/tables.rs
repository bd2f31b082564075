//! Tests for the CSV format, which is meant for spreadsheets. Each story sets up the files and Pylon, runs the command,
//! and shows the table.

use std::fs;

use pretty_assertions::assert_eq;
use rolecall::manual::{VERBS, check_csv};
use serde_json::Value;

use crate::harness::Scene;

/// Bo's name would be evaluated as a formula in a spreadsheet.
const PYLON: &str = r#"{
  "organization": { "id": "org_4f1c", "name": "Acme Support" },
  "users": [
    { "id": "u_ana", "email": "ana@acme.example", "name": "Ana Silva", "role": "admin" },
    { "id": "u_bo", "email": "bo@acme.example", "name": "=HYPERLINK(\"https://evil.example\",\"Bo\")", "role": "viewer" },
    { "id": "u_cy", "email": "cy@acme.example", "name": "Cy Ortega", "role": "admin" },
    { "id": "u_dee", "email": "dee@acme.example", "name": "Dee Brown", "role": "admin" }
  ]
}"#;

const USERS: &str = r#"
[policy]
status = "observe"

[users]
"ana@acme.example" = { role = "Admin" }
"bo@acme.example" = { role = "Member", status = "away" }
"cy@acme.example" = { role = "Admin", windows = [{ until = 2026-12-24, role = "Member", reason = "on leave, \"long\"" }] }
"#;

#[test]
fn the_table_of_a_plan_has_a_row_per_edit() {
    let scene = Scene::with_pylon(PYLON).file("users.toml", USERS);
    let run = scene.run("plan --format csv");
    run.exits(0);
    let lines: Vec<&str> = run.stdout.split("\r\n").collect();
    assert_eq!(
        lines,
        [
            "email,name,id,primary_email,field,from,to,through_scim,observed,guarded,cause,origin,origin_until,origin_reason,file,line,\
             blame_actor_id,blame_actor_name,blame_actor_email,blame_source,blame_action,blame_at,blame_old,blame_new,blame_outdated",
            "bo@acme.example,\"'=HYPERLINK(\"\"https://evil.example\"\",\"\"Bo\"\")\",u_bo,,role,Viewer,Member,,false,false,,person,,,\
             users.toml,7,,,,,,,,,",
            "cy@acme.example,Cy Ortega,u_cy,,role,Admin,Member,,false,true,,window,2026-12-24,\"on leave, \"\"long\"\"\",users.toml,8,\
             ,,,,,,,,",
            "bo@acme.example,\"'=HYPERLINK(\"\"https://evil.example\"\",\"\"Bo\"\")\",u_bo,,status,active,away,,true,false,,person,,,\
             users.toml,7,,,,,,,,,",
            "",
        ]
    );
}

#[test]
fn the_table_of_a_plan_has_causes_and_who_set_a_value() {
    let audit = r#""audit": [{ "id": "a1", "action": "UserRoleChanged", "happened_at": "2026-11-02T09:14:00Z", "object_id": "u_bo",
        "actor_user_id": "u_dee", "source": "app" }], "organization""#;
    let pylon = PYLON.replacen("\"organization\"", audit, 1);
    let scene = Scene::with_pylon(&pylon).file("users.toml", USERS).file("base.toml", USERS);
    let run = scene.run("plan --base base.toml --blame --format csv");
    run.exits(0);
    let bo = run.stdout.lines().find(|line| line.contains("u_bo,,role")).unwrap();
    assert!(bo.contains(",false,false,drift,person,,,users.toml,7,u_dee,Dee Brown,dee@acme.example,app,UserRoleChanged,2026-11-02T09:14:00Z,,,false"), "{bo}");
}

#[test]
fn the_table_of_an_empty_plan_is_its_header() {
    let scene = Scene::with_pylon(PYLON).file("users.toml", "[users]\n\"ana@acme.example\" = {}\n");
    let nobody = Scene::offline().file("users.toml", "");
    for run in [scene.run("plan --format csv"), nobody.run("plan --format csv")] {
        run.exits(0);
        assert_eq!(run.stdout.matches("\r\n").count(), 1, "{}", run.stdout);
        assert!(run.stdout.starts_with("email,name,id,"), "{}", run.stdout);
    }
}

#[test]
fn roles_and_scheduled_changes_are_tables_too() {
    let scene = Scene::with_pylon(PYLON).file("users.toml", USERS);
    scene.run("roles --format csv --report csv=roles.csv").exits(0).says(
        "name,slug,id,held,declared,ambiguous,unused,unknown\r
Admin,admin,role_admin,3,2,false,false,false\r
Member,member,role_member,0,1,false,false,false\r
Viewer,viewer,role_viewer,1,0,false,false,false\r
",
    );
    let written = fs::read_to_string(scene.folder().join("roles.csv")).unwrap();
    assert_eq!(written, scene.run("roles --format csv").stdout);
    scene.run("agenda --format csv").exits(0).says(
        "when,email,field,from,to,blocked_by,file,line\r
2026-12-24,cy@acme.example,role,Member,Admin,,users.toml,8\r
",
    );
}

#[test]
fn the_table_of_an_access_review_names_the_window_that_sets_a_role() {
    let scene = Scene::with_pylon(PYLON).file("users.toml", USERS);
    let run = scene.run("access --format csv");
    let cy = run.exits(0).stdout.lines().find(|line| line.contains("cy@acme.example")).unwrap();
    let declared = ",Member,window,2026-12-24,\"on leave, \"\"long\"\"\",users.toml,8,";
    assert!(cy.contains(declared), "{cy}");
}

/// The JSON objects that make up a row of a command's table. Each entry consists of the command, the object, the prefix of the
/// object's columns, and the object's keys that have no column of the same name.
const OBJECTS: [(&str, &str, &str, &[&str]); 23] = [
    // Only `apply` sets `outcome`, and `apply` has no table. The columns for the location show the location of the edit.
    ("plan", "ChangeLine", "", &["edits", "location", "outcome"]),
    ("plan", "EditLine", "", &["blame", "location"]),
    ("plan", "BlameLine", "blame_", &[]),
    ("plan", "Location", "", &["column"]),
    // Only `plan` sets `gains` and `loses`, because guarded roles are known only from Pylon.
    ("agenda", "ScheduledChange", "", &["gains", "location", "loses"]),
    ("agenda", "Location", "", &["column"]),
    ("roles", "RoleLine", "", &[]),
    ("access", "AccessLine", "", &["declared", "role_set"]),
    ("access", "HeldRole", "", &["declared"]),
    ("access", "BlameLine", "role_set_", &[]),
    ("access", "DeclarationLine", "declared_", &["location", "since"]),
    ("access", "Location", "", &["column"]),
    ("access", "SinceLine", "since_", &[]),
    ("access", "DeclaredRole", "", &["location", "value"]),
    ("access", "Location", "role_", &["column"]),
    ("access", "SinceLine", "role_since_", &[]),
    // The columns `rules` and `violated_rules` contain the rules with their locations.
    ("access", "AppliedRule", "", &["location", "rule", "violated"]),
    ("access", "NotFoundLine", "", &["declared"]),
    ("access", "IntegrationLine", "", &[]),
    (
        "access",
        "AccessReport",
        "",
        &["audit_log", "files", "integration_users", "not_found", "organization", "people", "summary"],
    ),
    ("access", "OrganizationLine", "organization_", &[]),
    ("access", "FilesLine", "", &["list", "sha256"]),
    // The column `unread` contains the reason.
    ("access", "LogLine", "audit_log_", &["reason"]),
];

#[test]
fn every_key_in_the_json_of_a_row_has_a_column() {
    let scene = Scene::with_pylon(PYLON).file("users.toml", USERS);
    let schema: Value = serde_json::from_str(&scene.run("schema report").stdout).unwrap();
    for (command, object, prefix, without) in OBJECTS {
        let table = scene.run(&format!("{command} --format csv")).stdout;
        let columns: Vec<&str> = table.lines().next().unwrap().split(',').collect();
        let keys = schema["$defs"][object]["properties"].as_object().unwrap().keys();
        let missing: Vec<&str> = keys
            .map(String::as_str)
            .filter(|key| !columns.contains(&format!("{prefix}{key}").as_str()))
            .collect();
        assert_eq!(missing, without, "{command}, {object}");
    }
}

#[test]
fn a_run_that_fails_prints_no_table() {
    let scene =
        Scene::with_pylon(PYLON).file("users.toml", "[users]\n\"bo@acme.example\" = { role = \"Wizard\" }\n");
    let run = scene.run("plan --format csv --report csv=plan.csv");
    run.exits(1).names("plan::unknown_role");
    assert_eq!(run.stdout, "");
    assert_eq!(fs::read_to_string(scene.folder().join("plan.csv")).unwrap(), "");
}

#[test]
fn other_commands_refuse_the_format_and_name_those_that_have_it() {
    let scene = Scene::offline().file("users.toml", USERS);
    for verb in VERBS.iter().filter(|verb| check_csv(verb.name).is_err()) {
        // Some commands require an argument, although its value doesn't matter here.
        let required = match verb.name {
            "compare" | "show" | "explain" => " x.toml",
            "completions" => " bash",
            _ => "",
        };
        for flag in ["--format csv", "--report csv=table.csv"] {
            let run = scene.run(&format!("{}{required} {flag}", verb.name));
            run.exits(64)
                .names("commands::no_csv")
                .mentions("these commands support the format csv: plan, agenda, roles, access");
            assert_eq!(run.stdout, "");
        }
    }
    assert_eq!(fs::read_dir(scene.folder()).unwrap().count(), 1, "nothing was written");
}
