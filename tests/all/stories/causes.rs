//! Tests for `plan --base`, which shows whether this change to the files, a window, or drift is the cause of each change.

use std::process::Command;

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::harness::Scene;

/// The state of Pylon, compared with the base [`BEFORE`]: Bo matches the base, Cy has drifted, and Eve's vacation started this
/// morning.
const PYLON: &str = r#"{ "organization": { "id": "org_1", "name": "Acme" }, "token_user": "u_ana", "users": [
    { "id": "u_ana", "email": "ana@acme.example", "name": "Ana", "role": "admin" },
    { "id": "u_dana", "email": "dana@acme.example", "name": "Dana", "role": "admin" },
    { "id": "u_bo", "email": "bo@acme.example", "name": "Bo", "role": "viewer", "status": "active" },
    { "id": "u_cy", "email": "cy@acme.example", "name": "Cy", "role": "member", "status": "away" },
    { "id": "u_eve", "email": "eve@acme.example", "name": "Eve", "role": "member", "status": "active" } ] }"#;
const BEFORE: &str = r#"
[users]
"ana@acme.example" = { role = "Admin" }
"bo@acme.example" = { role = "Viewer" }
"cy@acme.example" = { role = "Viewer" }
"eve@acme.example" = { role = "Member", windows = [{ from = 2026-11-20T06:00:00Z, until = 2026-11-27, status = "out_of_office", then = "active" }] }
"#;

fn after() -> String {
    BEFORE.replace(r#""bo@acme.example" = { role = "Viewer" }"#, r#""bo@acme.example" = { role = "Member" }"#)
}

fn scene() -> Scene {
    Scene::with_pylon(PYLON).file("users.toml", after()).file("base/users.toml", BEFORE)
}

/// Extracts each edit from the JSON report: address, field, and cause.
fn causes(report: &str) -> Vec<(String, String, Value)> {
    let report: Value = serde_json::from_str(report).unwrap();
    let mut causes = Vec::new();
    for change in report["changes"].as_array().unwrap() {
        for edit in change["edits"].as_array().unwrap() {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            causes.push((text(&change["email"]), text(&edit["field"]), edit["cause"].clone()));
        }
    }
    causes
}

#[test]
fn each_change_has_the_cause_that_a_base_file_shows() {
    let scene = scene();
    let run = scene.run("plan --base base/users.toml");
    let expected = "rolecall plan · Acme (org_1, HOST) · 4 declared

  ~ bo@acme.example   Bo
      role    Viewer → Member          users.toml:4 · this change
  ~ cy@acme.example   Cy
      role    Member → Viewer          users.toml:5 · drift
  ~ eve@acme.example  Eve
      status  active → out_of_office   users.toml:6, until 2026-11-27 · scheduled

3 to change (2 roles, 1 status) · 1 in sync · 1 unmanaged
Unmanaged: dana@acme.example
Guarded roles that the files do not declare (1):
  dana@acme.example holds Admin (unmanaged)
Causes, compared with base/users.toml: 1 this change · 1 scheduled · 1 drift
Guardrails pass: 3 of 4 change (limit 10), 2 Admins remain (minimum 2).
"
    .replace("HOST", &scene.host());
    assert!(run.exits(0).stdout.starts_with(&expected), "{}", run.stdout);
    let expected = [("bo", "role", "this_change"), ("cy", "role", "drift"), ("eve", "status", "scheduled")];
    let expected =
        expected.map(|(who, field, cause)| (format!("{who}@acme.example"), field.into(), json!(cause)));
    assert_eq!(causes(&scene.run("plan --base base/users.toml --format json").stdout), expected);
}

#[test]
fn without_a_base_no_cause_is_shown() {
    let report = scene().run("plan --format json").stdout.clone();
    assert!(causes(&report).iter().all(|(.., cause)| *cause == Value::Null), "{report}");
    assert_eq!(serde_json::from_str::<Value>(&report).unwrap().get("base"), None);
}

#[test]
fn files_that_did_not_change_cause_no_change() {
    let scene = scene();
    let report = scene.run("plan --base users.toml --format json").stdout.clone();
    let found = causes(&report);
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|(.., cause)| *cause != json!("this_change")), "{report}");
}

#[test]
fn a_policy_is_the_cause_only_of_the_edits_that_depend_on_it() {
    let pylon = r#"{ "users": [ { "email": "ana@acme.example", "role": "admin" },
        { "email": "bo@acme.example", "role": ["member", "viewer"] },
        { "email": "cy@acme.example", "role": ["admin", "viewer"] } ] }"#;
    let users =
        "[users]\n\"bo@acme.example\" = { role = \"Member\" }\n\"cy@acme.example\" = { role = \"Member\" }\n";
    let policy =
        |base: &str| format!("[policy]\n{base}\n[guardrails]\nkeep_at_least = {{ Admin = 0 }}\n{users}");
    for (base, bo, cy) in
        [("role = \"observe\"", "drift", "this_change"), ("extra_roles = \"ignore\"", "this_change", "drift")]
    {
        let enforced = policy("role = \"enforce\"\nextra_roles = \"enforce\"");
        let base = policy(base);
        let scene = Scene::with_pylon(pylon).file("users.toml", enforced).file("base/users.toml", &base);
        let report = scene.run("plan --base base/users.toml --format json").stdout.clone();
        let found: Vec<Value> = causes(&report).into_iter().map(|(.., cause)| cause).collect();
        assert_eq!(found, [json!(bo), json!(cy)], "{base}");
    }
}

#[test]
fn a_base_that_is_not_valid_leaves_the_causes_unknown() {
    let scene = scene().file("base/users.toml", "[users]\n\"bo@acme.example\" = { rol = \"Member\" }\n");
    let run = scene.run("plan --base base/users.toml");
    let expected = "Causes are unknown, because base/users.toml is not valid: a person has no key `rol`\n";
    assert_eq!(run.exits(0).stdout.matches(expected).count(), 1, "{}", run.stdout);
}

#[test]
fn a_base_that_is_neither_a_file_nor_a_revision_is_an_error() {
    let run = scene().run("plan --base no-such-branch");
    run.exits(1).names("plan::no_base");
}

/// Sets up a git repository with the base in its only commit and changed files that aren't committed. Returns `None` if git isn't
/// installed.
fn repository() -> Option<Scene> {
    let scene = Scene::with_pylon(PYLON)
        .file("roles/users.toml", BEFORE)
        .file("README.md", "ours")
        .file("people.txt", BEFORE);
    Some(committed(scene)?.file("roles/users.toml", after()))
}

/// Commits all files of the scene to a new git repository. If git isn't installed, returns `None`, or panics in CI.
fn committed(scene: Scene) -> Option<Scene> {
    let git = |words: &[&str]| {
        let identity =
            ["-c", "user.name=a", "-c", "user.email=a@acme.example", "-c", "init.defaultBranch=main"];
        let status = Command::new("git").arg("-C").arg(scene.folder()).args(identity).args(words).output();
        status.is_ok_and(|output| output.status.success())
    };
    let is_there =
        git(&["init", "--quiet"]) && git(&["add", "."]) && git(&["commit", "--quiet", "-m", "base"]);
    assert!(is_there || std::env::var_os("ROLECALL_REQUIRE_CHROMIUM").is_none(), "git is required in CI");
    is_there.then_some(scene)
}

#[test]
fn a_git_revision_is_a_base() {
    let Some(scene) = repository() else { return };
    let report = scene.run("plan -c roles/users.toml --base main --format json").stdout.clone();
    let found: Vec<Value> = causes(&report).into_iter().map(|(.., cause)| cause).collect();
    assert_eq!(found, ["this_change", "drift", "scheduled"].map(|cause| json!(cause)));
    let base = &serde_json::from_str::<Value>(&report).unwrap()["base"];
    assert_eq!((&base["name"], &base["has_files"]), (&json!("main"), &json!(true)));
    assert_eq!(base["commit"].as_str().unwrap().len(), 40);
}

#[test]
fn a_root_file_of_a_revision_may_have_any_name() {
    let Some(scene) = repository() else { return };
    let run = scene.run("plan -c people.txt --base main");
    assert!(run.stdout.contains(": 1 scheduled · 1 drift\n"), "{}", run.stdout);
}

/// A revision's people can be in team files that aren't named `*.toml`, deep in folders, or behind symbolic links.
#[cfg(unix)]
#[test]
fn every_file_that_a_revision_includes_is_compared() {
    use std::os::unix::fs::symlink;

    let person =
        |name: &str, role: &str| format!("[users]\n\"{name}@acme.example\" = {{ role = \"{role}\" }}\n");
    let places = [
        "teams/a.conf",
        "teams/b.TOML",
        "teams/c",
        "shared/d.txt",
        "deep/sub/e.toml",
        "far/f.toml",
        "v2/g.toml",
    ];
    let root = "include = [\"./teams/*\", \"deep/**/*.toml\", \"dir/*.toml\", \"chain/*.toml\"]\n";
    let mut scene = Scene::offline().file("real/root.toml", root).file("far/notes.md", "unrelated");
    for place in places {
        scene = scene.file(place, person(&place.replace('/', "."), "Admin"));
    }
    let link = |to: &str, name: &str| symlink(to, scene.folder().join(name)).unwrap();
    link("actual/root.toml", "users.toml");
    link("real", "actual");
    link("../shared/d.txt", "teams/linked");
    link("far", "dir");
    link("current", "chain");
    link("v2", "current");
    let Some(mut scene) = committed(scene) else { return };
    let run = scene.run("compare HEAD --detailed-exitcode");
    assert!(run.exits(0).stdout.contains("no differences"), "{}{}", run.stdout, run.stderr);
    for place in places {
        scene = scene.file(place, person(&place.replace('/', "."), "Member"));
    }
    let run = scene.run("compare HEAD --detailed-exitcode");
    assert_eq!(
        run.exits(2).stdout.matches("role  \"Admin\" → \"Member\"").count(),
        places.len(),
        "{}",
        run.stdout
    );
}

/// A link that leads out of the config's folder is an error in a revision, as it is in a checkout. The error names the revision's
/// file and not its temporary copy.
#[cfg(unix)]
#[test]
fn a_link_of_a_revision_does_not_lead_out_of_its_folder() {
    let scene = Scene::offline().file("users.toml", "include = [\"teams/*\"]\n").file("teams/a.toml", "");
    std::os::unix::fs::symlink("/etc/passwd", scene.folder().join("teams/b.toml")).unwrap();
    let Some(scene) = committed(scene) else { return };
    let run = scene.run("compare HEAD HEAD");
    run.exits(1)
        .names("roster::outside_folder")
        .mentions("HEAD:teams/b.toml is a link to a path outside the config's folder");
}

#[test]
fn a_config_from_standard_input_has_no_version_in_git() {
    let Some(scene) = repository() else { return };
    for words in ["plan -c - --base main", "compare main -c -"] {
        let arguments: Vec<&str> = words.split(' ').collect();
        let run = scene.run_with(&arguments, &after());
        run.exits(1).names("plan::no_base").mentions("the config is standard input or another stream");
    }
    let run = scene.run_with(&["plan", "-c", "-", "--base", "people.txt"], &after());
    assert!(run.exits(0).stdout.contains(": 1 this change · 1 scheduled · 1 drift\n"), "{}", run.stdout);
}

#[test]
fn with_a_revision_that_has_no_files_this_change_causes_everything() {
    let Some(scene) = repository() else { return };
    let scene = scene.file("new/users.toml", after());
    let run = scene.run("plan -c new/users.toml --base main");
    assert!(run.stdout.contains(", which does not have these files: 3 this change\n"), "{}", run.stdout);
}

/// Compared with [`BASE`], Bo becomes a Member, Cy gets a window for a later vacation, and Eve's status is the one that Pylon
/// already has. Dana is no longer declared but is still an Admin in Pylon.
const CHANGED: &str = r#"
[guardrails]
keep_at_least = { Admin = 1 }
[users]
"ana@acme.example" = { role = "Admin" }
"bo@acme.example" = { role = "Member" }
"cy@acme.example" = { role = "Member", windows = [{ from = 2026-12-20, until = 2027-01-03, status = "away", then = "active" }] }
"eve@acme.example" = { role = "Member", status = "active" }
"jo@acme.example" = { role = "Viewer" }
"#;
const BASE: &str = r#"
[users]
"ana@acme.example" = { role = "Admin" }
"bo@acme.example" = { role = "Viewer" }
"cy@acme.example" = { role = "Member" }
"dana@acme.example" = { role = "Admin" }
"eve@acme.example" = { role = "Member" }
"#;

#[test]
fn differences_in_the_files_that_cause_no_write_are_listed() {
    let scene = Scene::with_pylon(PYLON).file("users.toml", CHANGED).file("base.toml", BASE);
    let run = scene.run("plan --base base.toml --report markdown=plan.md");
    let expected = "Also changed in these files (2):
  [guardrails] keep_at_least.Admin: 2 → 1 (users.toml:3)
  dana@acme.example is no longer declared and keeps Admin in Pylon
Other differences in the files, with nothing to apply now (3):
  cy@acme.example windows: added { from = 2026-12-20, until = 2027-01-03, status = \"away\", then = \"active\" } (users.toml:7); takes effect on a date
  eve@acme.example status: added \"active\" (users.toml:8); Pylon has this value
  jo@acme.example role: added \"Viewer\" (users.toml:9); not found or deactivated in Pylon
";
    assert!(run.exits(0).stdout.contains(expected), "{}", run.stdout);
    let comment = std::fs::read_to_string(scene.folder().join("plan.md")).unwrap();
    let title =
        "### 1 person changes · 1 person no longer declared (1 keeps a guarded role) · 1 setting differs\n";
    assert!(comment.contains(title), "{comment}");
    assert!(
        comment.contains("- `dana@acme.example` is no longer declared and keeps `Admin` in Pylon\n"),
        "{comment}"
    );
    assert!(
        comment.contains(
            "<details><summary>Other differences in the files, with nothing to apply now (3)</summary>"
        ),
        "{comment}"
    );
}

#[test]
fn a_difference_in_a_field_that_the_plan_sets_is_not_reported_as_in_pylon() {
    let scene = Scene::with_pylon(PYLON)
        .file("users.toml", "[users]\n\"bo@acme.example\" = { role = \"member\" }\n")
        .file("base.toml", "[users]\n\"bo@acme.example\" = { role = \"Member\" }\n");
    for only in ["", " --only bo@acme.example", " --only BO@acme.example"] {
        let run = scene.run(&format!("plan --base base.toml{only}"));
        let expected =
            "  bo@acme.example role: \"Member\" → \"member\" (users.toml:2); set by a change above\n";
        assert!(run.exits(0).stdout.contains(expected), "{only}: {}", run.stdout);
    }
}

#[test]
fn a_window_that_is_not_open_is_not_part_of_the_plan() {
    let away = "{ until = 2026-12-04, status = \"away\", then = \"active\" }";
    let later = "{ from = 2027-02-01, role = \"Admin\" }";
    let file = |windows: &str| {
        format!("[users]\n\"bo@acme.example\" = {{ role = \"Viewer\", windows = [{windows}] }}\n")
    };
    let scene = Scene::with_pylon(PYLON)
        .file("base.toml", file(away))
        .file("users.toml", file(&format!("{away}, {later}")));
    let run = scene.run("plan --base base.toml");
    let expected =
        "windows: added { from = 2027-02-01, role = \"Admin\" } (users.toml:2); takes effect on a date\n";
    assert!(run.exits(0).stdout.contains(expected), "{}", run.stdout);
}

/// Runs `plan --base` with two versions of Bo's entry, and returns the text report. In Pylon, Bo is an active Member.
fn difference_of_bo(base: &str, present: &str) -> String {
    let file =
        |bo: &str| format!("[policy]\nstatus = \"enforce\"\n[users]\n\"bo@acme.example\" = {{ {bo} }}\n");
    let pylon = PYLON.replace(r#""name": "Bo", "role": "viewer""#, r#""name": "Bo", "role": "member""#);
    let scene = Scene::with_pylon(&pylon).file("base.toml", file(base)).file("users.toml", file(present));
    scene.run("plan --base base.toml").exits(0).stdout.clone()
}

#[test]
fn a_value_behind_a_window_without_an_end_never_takes_effect() {
    let report = difference_of_bo(
        r#"role = "Member", windows = [{ from = 2026-11-01, role = "Viewer" }]"#,
        r#"role = "Admin", windows = [{ from = 2026-11-01, role = "Viewer" }]"#,
    );
    let expected =
        "role: \"Member\" → \"Admin\" (users.toml:4); a window without an end sets another value\n";
    assert!(report.contains(expected), "{report}");
}

#[test]
fn consecutive_windows_are_the_cause_even_if_no_apply_ran_between_them() {
    let users = |windows: &str| {
        format!(
            "[users]\n\"ana@acme.example\" = {{ role = \"Admin\" }}\n\"ben@acme.example\" = {{ role = \"Admin\" }}\n\"bo@acme.example\" = {{ role = \"Member\", windows = [{windows}] }}\n"
        )
    };
    let pylon = r#"{ "users": [
        { "id": "u_ana", "email": "ana@acme.example", "role": "admin" },
        { "id": "u_ben", "email": "ben@acme.example", "role": "admin" },
        { "id": "u_bo", "email": "bo@acme.example", "role": "member" } ] }"#;
    for (first_day, cause) in [("2026-11-19", "scheduled"), ("2026-11-17", "drift")] {
        let windows = format!(
            "{{ from = {first_day}, until = 2026-11-20, role = \"Viewer\" }}, {{ from = 2026-11-20, until = 2026-11-21, role = \"Admin\" }}"
        );
        let scene = Scene::with_pylon(pylon).file("users.toml", users(&windows));
        let run = scene.run("plan --base ./users.toml");
        let line = format!("role    Member → Admin   users.toml:4, until 2026-11-21 · {cause}\n");
        assert!(run.exits(0).stdout.contains(&line), "{first_day}: {}", run.stdout);
    }
}

#[test]
fn a_later_grant_to_a_person_who_is_not_in_pylon_is_listed_and_counted() {
    let admins = "\"ana@acme.example\" = { role = \"Admin\" }\n\"ben@acme.example\" = { role = \"Admin\" }\n";
    let pylon = r#"{ "users": [
        { "id": "u_ana", "email": "ana@acme.example", "role": "admin" },
        { "id": "u_ben", "email": "ben@acme.example", "role": "admin" },
        { "id": "u_old", "email": "old@acme.example", "role": "member", "deactivated": true } ] }"#;
    let window = "{ role = \"Member\", windows = [{ from = 2026-12-20, role = \"Admin\" }] }";
    let base = format!("[users]\n{admins}");
    let scene = Scene::with_pylon(pylon)
        .file(
            "users.toml",
            format!("{base}\"new@acme.example\" = {window}\n\"old@acme.example\" = {window}\n"),
        )
        .file("base.toml", base);
    let text = scene.run("plan").stdout;
    for email in ["new@acme.example", "old@acme.example"] {
        let line = format!("\n  2026-12-20  {email}  role Member → Admin   gains Admin   users.toml:");
        assert!(text.contains(&line), "{text}");
    }
    let comment = scene.run("plan --base base.toml --format markdown").stdout;
    assert!(comment.contains("### Nothing to change · 2 will gain `Admin` on a date\n"), "{comment}");
    assert!(comment.contains("; not found or deactivated in Pylon\n"), "{comment}");
}

#[test]
fn a_role_that_applies_after_a_window_is_listed_for_review() {
    let report = difference_of_bo(
        r#"role = "Member""#,
        r#"role = "Admin", windows = [{ until = 2027-01-15, role = "Viewer" }]"#,
    );
    let expected = "Also changed in these files (2):
  bo@acme.example role: \"Member\" → \"Admin\" (users.toml:4); takes effect on a date
  bo@acme.example windows: added { until = 2027-01-15, role = \"Viewer\" } (users.toml:4); set by a change above
";
    assert!(report.contains("Member → Viewer") && report.contains(expected), "{report}");
}

#[test]
fn the_reason_names_the_value_that_the_plan_sets() {
    let viewer = r#"{ until = 2026-12-04, role = "Viewer" }"#;
    let active = r#"{ until = 2026-12-04, status = "active", then = "away" }"#;
    let over = r#"{ from = 2024-02-01, until = 2024-02-08, role = "Viewer" }"#;
    let just_over = r#"{ until = 2026-11-20, status = "active", then = "away" }"#;
    for (base, present, expected) in [
        (
            format!(r#"role = "Member", windows = [{viewer}]"#),
            format!(r#"role = "Admin", windows = [{viewer}]"#),
            r#"role: "Member" → "Admin" (users.toml:4); takes effect on a date"#.to_owned(),
        ),
        (
            r#"role = "Member""#.into(),
            format!(r#"role = "Member", windows = [{viewer}, {active}]"#),
            format!("windows: added {active} (users.toml:4); Pylon has this value"),
        ),
        (
            r#"role = "Member""#.into(),
            format!(r#"role = "Member", windows = [{over}]"#),
            format!("windows: added {over} (users.toml:4); the window has ended"),
        ),
        (
            r#"role = "Member""#.into(),
            format!(r#"role = "Member", windows = [{just_over}]"#),
            format!("windows: added {just_over} (users.toml:4); set by a change above"),
        ),
    ] {
        let report = difference_of_bo(&base, &present);
        assert!(report.contains(&expected), "{expected}: {report}");
    }
}

#[test]
fn a_window_of_a_field_that_is_only_observed_is_not_reported_as_scheduled() {
    let file =
        |bo: &str| format!("[policy]\nstatus = \"observe\"\n[users]\n\"bo@acme.example\" = {{ {bo} }}\n");
    let window = r#"{ from = 2026-12-20, status = "away" }"#;
    let scene = Scene::with_pylon(PYLON)
        .file("base.toml", file(""))
        .file("users.toml", file(&format!("windows = [{window}]")));
    let run = scene.run("plan --base base.toml");
    let expected = format!("windows: added {window} (users.toml:4); not enforced by the policy\n");
    assert!(run.exits(0).stdout.contains(&expected), "{}", run.stdout);
}

#[test]
fn a_coming_gain_of_the_role_with_the_slug_admin_is_listed_for_review_whatever_its_name() {
    let roles = r#""roles": [ { "id": "r_1", "name": "Administrator", "slug": "admin" }, { "id": "r_2", "name": "Member", "slug": "member" },
        { "id": "r_3", "name": "Viewer", "slug": "viewer" }, { "id": "r_4", "name": "Support Lead", "slug": "lead" } ], "users""#;
    let scene = Scene::with_pylon(&PYLON.replace(r#""users""#, roles));
    let file = |windows: &str| {
        format!("[users]\n\"bo@acme.example\" = {{ role = \"Viewer\", windows = [{windows}] }}\n")
    };
    let scene = scene.file("base.toml", file("")).file(
        "users.toml",
        file(r#"{ from = 2027-02-01, until = 2027-02-08, role = "Administrator" }, { from = 2027-02-08, role = "r_4" }"#),
    );
    let run = scene.run("plan --base base.toml");
    let expected = "Also changed in these files (1):
  bo@acme.example windows: added { from = 2027-02-01, until = 2027-02-08, role = \"Administrator\" } (users.toml:2); takes effect on a date
Other differences in the files, with nothing to apply now (1):
  bo@acme.example windows: added { from = 2027-02-08, role = \"r_4\" } (users.toml:2); takes effect on a date
";
    assert!(run.exits(0).stdout.contains(expected), "{}", run.stdout);
}

#[test]
fn a_comment_uses_its_free_space_for_the_differences_to_review() {
    let except: String =
        (0..100).map(|n| format!("\"person{n}@long-name-of-a-contractor.example\",\n")).collect();
    let people =
        "[users]\n\"ana@acme.example\" = { role = \"Admin\" }\n\"bo@acme.example\" = { role = \"Viewer\"";
    let rule = format!(
        "[[rule]]\nemails = [\"*@long-name-of-a-contractor.example\"]\nexcept = [{except}]\nroles = [\"Viewer\"]\nreason = \"x\"\n"
    );
    let window = ", windows = [{ from = 2027-02-01, role = \"Admin\" }]";
    let scene = Scene::with_pylon(PYLON)
        .file("base.toml", format!("{people} }}\n"))
        .file("users.toml", format!("{rule}{people}{window} }}\n"));
    for (limit, is_cut) in [(60_000, false), (8192, true)] {
        scene
            .run(&format!("plan --base base.toml --markdown-limit {limit} --report markdown=plan.md"))
            .exits(0);
        let comment = std::fs::read_to_string(scene.folder().join("plan.md")).unwrap();
        assert!(comment.len() <= limit, "{}", comment.len());
        assert!(comment.contains("- `bo@acme.example` `windows`: added "), "{comment}");
        assert_eq!(
            comment.contains("`\"person99@long-name-of-a-contractor.example\"`"),
            !is_cut,
            "{comment}"
        );
        assert_eq!(comment.contains(" more\n"), is_cut, "{comment}");
    }
}

#[test]
fn a_person_dropped_without_keys_is_listed_with_the_roles_that_remain() {
    let pylon = PYLON.replace(
        r#""name": "Bo", "role": "viewer""#,
        r#""name": "Bo", "role": "viewer", "scim_roles": ["admin"]"#,
    );
    let scene = Scene::with_pylon(&pylon).file("users.toml", "[users]\n\"ana@acme.example\" = {}\n").file(
        "base.toml",
        "[users]\n\"ana@acme.example\" = {}\n\"bo@acme.example\" = {}\n\"gone@acme.example\" = {}\n",
    );
    let run = scene.run("plan --base base.toml");
    let expected = "Also changed in these files (1):
  bo@acme.example is no longer declared and keeps Viewer, Admin in Pylon
Other differences in the files, with nothing to apply now (1):
  gone@acme.example is no longer declared
";
    assert!(run.exits(0).stdout.contains(expected), "{}", run.stdout);
}

#[test]
fn a_person_who_is_declared_by_another_address_is_not_reported_as_dropped() {
    let pylon = PYLON.replace(
        r#""email": "dana@acme.example""#,
        r#""email": "dana@acme.example", "emails": ["dana@acme.example", "d.reyes@acme.example"]"#,
    );
    let renamed = BASE.replace("dana@acme.example", "d.reyes@acme.example");
    let scene = Scene::with_pylon(&pylon).file("users.toml", renamed).file("base.toml", BASE);
    let run = scene.run("plan --base base.toml --format json");
    assert!(run.stdout.contains(r#""unwritten": "other_address""#), "{}", run.stdout);
    assert!(!run.stdout.contains(r#""keeps""#), "{}", run.stdout);
}

#[test]
fn the_title_counts_changes_that_the_pull_request_does_not_cause() {
    let scene = scene();
    scene.run("plan --base base/users.toml --report markdown=plan.md").exits(0);
    let comment = std::fs::read_to_string(scene.folder().join("plan.md")).unwrap();
    assert!(comment.contains("### 3 people change · 2 not from this pull request\n"), "{comment}");
    let rows: Vec<&str> = comment.lines().filter(|line| line.starts_with("| `")).collect();
    let expected = [
        "| `bo@acme.example`<br>`Bo` | role `Viewer` → `Member` | **this change**<br>`users.toml:4` |",
        "| `eve@acme.example`<br>`Eve` | status `active` → `out_of_office` | scheduled, `until 2026-11-27`<br>`users.toml:6` |",
        "| `cy@acme.example`<br>`Cy` | role `Member` → `Viewer` | drift<br>`users.toml:5` |",
    ];
    assert_eq!(rows, expected, "what this pull request causes comes first");
}

#[test]
fn the_comment_names_the_field_of_each_cause_if_a_person_has_two() {
    let eve = |role: &str| {
        BEFORE.replace(r#"{ role = "Member", windows"#, &format!("{{ role = \"{role}\", windows"))
    };
    let scene = Scene::with_pylon(PYLON).file("users.toml", eve("Viewer")).file("base.toml", BEFORE);
    scene.run("plan --base base.toml --only eve@acme.example --report markdown=plan.md").exits(0);
    let comment = std::fs::read_to_string(scene.folder().join("plan.md")).unwrap();
    let why = "| role: **this change**<br>`users.toml:6`<br>status: scheduled, `until 2026-11-27`<br>`users.toml:6` |\n";
    assert!(comment.contains(why), "{comment}");
}

#[test]
#[cfg(unix)]
fn git_does_not_get_the_token() {
    use std::os::unix::fs::PermissionsExt;

    let Some(scene) = repository() else { return };
    let script = "#!/bin/sh\n[ -z \"${PYLON_API_TOKEN:-}\" ] || exit 1\nPATH=/usr/local/bin:/usr/bin:/bin exec git \"$@\"\n";
    let scene = scene.file("bin/git", script);
    let program = scene.folder().join("bin/git");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let run = scene.run_in(
        "plan -c roles/users.toml --base main",
        &[("PATH", &format!("{}/bin", scene.folder().display()))],
    );
    assert!(run.stdout.contains("1 this change"), "{}{}", run.stdout, run.stderr);
}

#[test]
fn compare_takes_a_git_revision_on_each_side() {
    let Some(scene) = repository() else { return };
    let run = scene.run("compare main -c roles/users.toml");
    let commit = git_commit(&scene);
    let title = format!("rolecall compare · main ({commit}) → roles/users.toml · 4 declared\n");
    assert!(run.exits(0).stdout.starts_with(&title), "{}", run.stdout);
    assert!(run.stdout.contains(r#"role  "Viewer" → "Member"   roles/users.toml:4"#), "{}", run.stdout);
    let run = scene.run("compare roles/users.toml HEAD -c roles/users.toml");
    assert!(
        run.exits(0).stdout.contains(r#"role  "Member" → "Viewer"   HEAD:users.toml:4"#),
        "{}",
        run.stdout
    );
    let run = scene.run("compare main HEAD -c roles/users.toml --detailed-exitcode");
    assert!(run.exits(0).stdout.contains("no differences"), "{}", run.stdout);
    let scene = scene.file("HEAD/notes.md", "");
    let run = scene.run("compare HEAD main -c roles/users.toml --detailed-exitcode");
    assert!(run.exits(0).stdout.contains("no differences"), "{}{}", run.stdout, run.stderr);
    scene.run("compare nope -c roles/users.toml").exits(1).names("plan::no_base");
    scene.run("compare gone.toml -c roles/users.toml").exits(1).names("roster::file_missing");
}

/// Returns the newest commit's abbreviated ID.
fn git_commit(scene: &Scene) -> String {
    git_commit_id(scene)[..7].to_owned()
}

fn git_commit_id(scene: &Scene) -> String {
    let output =
        Command::new("git").arg("-C").arg(scene.folder()).args(["rev-parse", "HEAD"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_file_does_not_replace_the_revision_with_the_same_name() {
    let Some(scene) = repository() else { return };
    let commit = git_commit_id(&scene);
    let scene = scene.file(&commit, after()).file("main", after());
    let run = scene.run(&format!("plan -c roles/users.toml --base {commit}"));
    assert!(run.exits(0).stdout.contains(": 1 this change · 1 scheduled · 1 drift\n"), "{}", run.stdout);
    scene.run(&format!("compare {commit} -c roles/users.toml --detailed-exitcode")).exits(2);
    for words in ["plan --base main", "compare main", "compare roles/users.toml main"] {
        let run = scene.run(&format!("{words} -c roles/users.toml"));
        run.exits(1)
            .names("plan::no_base")
            .mentions("`main` is both a file and a git revision")
            .mentions("`./main`");
    }
    // Without git, an argument is taken for a file only if it's an unlikely name for a revision, such as `roles/users.toml` or
    // `./main`.
    scene.run_in("compare main -c roles/users.toml", &[("PATH", "/nowhere")]).exits(1).names("plan::no_base");
    scene.run_in("compare roles/users.toml ./main -c roles/users.toml", &[("PATH", "/nowhere")]).exits(0);
    let run = scene.run("plan -c roles/users.toml --base ./main");
    assert!(run.exits(0).stdout.contains(": 1 scheduled · 2 drift\n"), "{}", run.stdout);
    scene.run("compare ./main -c roles/users.toml --detailed-exitcode").exits(0);
}

#[test]
fn a_base_comes_from_the_repository_of_the_config_even_in_a_git_hook_of_another_one() {
    let (Some(scene), Some(other)) = (repository(), committed(Scene::offline().file("notes.md", ""))) else {
        return;
    };
    let other = other.folder().join(".git").to_string_lossy().into_owned();
    let variables =
        [("GIT_DIR", &*other), ("GIT_WORK_TREE", "/nowhere"), ("GIT_INDEX_FILE", "/nowhere/index")];
    let run = scene.run_in("plan -c roles/users.toml --base main", &variables);
    assert!(run.exits(0).stdout.contains(": 1 this change · 1 scheduled · 1 drift\n"), "{}", run.stdout);
}

#[test]
fn only_a_window_that_recently_began_or_ended_explains_a_difference() {
    let admin = |range: &str| format!(r#"role = "Member", windows = [{{ {range}, role = "Admin" }}]"#);
    let away = |from: &str| format!(r#"windows = [{{ from = {from}, status = "away" }}]"#);
    let pylon = PYLON.replace(r#""name": "Bo", "role": "viewer""#, r#""name": "Bo", "role": "admin""#);
    for (bo, cause) in [
        (admin("from = 2025-01-01, until = 2025-02-01"), "drift"),
        (admin("from = 2026-11-01, until = 2026-11-18T08:00:00Z"), "drift"),
        (admin("from = 2026-11-01, until = 2026-11-18T08:00:01Z"), "scheduled"),
        (away("2026-11-01"), "drift"),
        (away("2026-11-20"), "scheduled"),
    ] {
        let scene = Scene::with_pylon(&pylon)
            .file("users.toml", format!("[users]\n\"bo@acme.example\" = {{ {bo} }}\n"));
        let found = causes(&scene.run("plan --base users.toml --format json").stdout);
        let found: Vec<Value> = found.into_iter().map(|(.., cause)| cause).collect();
        assert_eq!(found, [json!(cause)], "{bo}");
    }
}

#[test]
fn an_edit_due_to_a_window_is_scheduled_on_a_later_day_and_after_several_windows() {
    let is = r#""role": "viewer", "status": "active""#;
    let out = PYLON.replace(is, r#""role": "viewer", "status": "out_of_office""#);
    let later = r#"role = "Viewer", windows = [{ from = 2026-12-01, role = "Admin" }]"#;
    let two = r#"windows = [
        { from = 2026-11-18, until = 2026-11-19, status = "out_of_office", then = "active" },
        { from = 2026-11-19, until = 2026-11-20, status = "away", then = "active" } ]"#;
    for (pylon, bo, at) in [(PYLON, later, "--at 2026-12-05"), (out.as_str(), two, "")] {
        let scene = Scene::with_pylon(pylon)
            .file("users.toml", format!("[users]\n\"bo@acme.example\" = {{ {bo} }}\n"));
        let found = causes(&scene.run(&format!("plan --base users.toml --format json {at}")).stdout);
        let found: Vec<Value> = found.into_iter().map(|(.., cause)| cause).collect();
        assert_eq!(found, [json!("scheduled")], "{bo}");
    }
}

#[test]
fn the_audit_log_is_not_asked_about_this_change() {
    let scene = scene();
    let run = scene.run("plan --base base/users.toml --blame");
    assert!(run.stdout.contains("The audit log does not show who changed 1 of 1 value.\n"), "{}", run.stdout);
    let searches = |scene: &Scene| scene.asked().iter().filter(|asked| asked.contains("audit-logs")).count();
    assert_eq!(searches(&scene), 1);
    let in_sync = Scene::with_pylon(PYLON)
        .file("users.toml", "[users]\n\"bo@acme.example\" = { role = \"Member\" }\n")
        .file("base.toml", "");
    let run = in_sync.run("plan --base base.toml --blame");
    assert!(run.stdout.contains("1 this change") && !run.stdout.contains("audit log"), "{}", run.stdout);
    assert_eq!(searches(&in_sync), 0);
}
