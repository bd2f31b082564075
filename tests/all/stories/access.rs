//! Tests for `access`, the access review. Each story sets up the files and Pylon, runs the command, and shows the auditor's view.

use std::process::Command;

use pretty_assertions::assert_eq;
use proptest::prelude::{Just, Strategy};
use rolecall::report::Format;
use rolecall::sandbox::{ApiOperation, Fault, Faults};
use serde_json::{Value, json};

use crate::harness::{Scene, formats_of};
use crate::properties::holds;

/// Returns the people in Pylon, deliberately not in the report's order. Dee has a role from a SCIM group, and Eve is deactivated.
fn people() -> Vec<Value> {
    vec![
        json!({ "id": "u_mo", "email": "mo@acme.example", "name": "Mo Haddad", "role": "viewer" }),
        json!({ "id": "u_dee", "email": "dee@acme.example", "name": "Dee Brown", "role": "member", "scim_roles": ["lead"] }),
        json!({ "id": "u_eve", "email": "eve@acme.example", "name": "Eve Rossi", "role": "admin", "deactivated": true }),
        json!({ "id": "u_abe", "email": "abe@acme.example", "name": "Abe Hill", "role": "viewer", "deactivated": true }),
        json!({ "id": "u_bo", "email": "bo@acme.example", "emails": ["bo@acme.example", "bo@old.example"], "name": "Bo Lindqvist", "role": "viewer" }),
        json!({ "id": "u_cy", "email": "cy@acme.example", "name": "Cy Ortega", "role": [] }),
        json!({ "id": "u_ana", "email": "ana@acme.example", "name": "Ana Silva", "role": "admin" }),
        json!({ "id": "u_fin", "email": "fin@acme.example", "name": "Fin Berg", "role": "admin" }),
        json!({ "id": "u_api", "kind": "integration", "name": "Fivetran" }),
    ]
}

fn roles() -> Vec<Value> {
    [("admin", "Admin"), ("lead", "Lead"), ("member", "Member"), ("viewer", "Viewer")]
        .map(|(slug, name)| json!({ "id": format!("role_{slug}"), "name": name, "slug": slug }))
        .to_vec()
}

fn audit() -> Vec<Value> {
    let entry = |id: &str, user: &str, day: &str, new: &str| {
        json!({ "id": id, "action": "UserRoleChanged", "happened_at": format!("2026-{day}T09:00:00Z"), "object_id": user,
            "actor_user_id": "u_fin", "source": "app", "attributes": { "new_role": new } })
    };
    vec![
        entry("a1", "u_ana", "03-01", "Admin"),
        entry("a2", "u_bo", "05-02", "Member"),
        entry("a3", "u_bo", "09-28", "Viewer"),
        entry("a4", "u_mo", "10-10", "Admin"),
    ]
}

fn pylon(users: &[Value], roles: &[Value], audit: &[Value], settings: &Value) -> String {
    json!({ "organization": { "id": "org_1", "name": "Acme" }, "token_user": "u_fin", "roles": roles, "users": users,
        "audit": audit, "settings": settings })
    .to_string()
}

const USERS: &str = r#"
[guardrails]
keep_at_least = { Admin = 1, Lead = 1 }
protected = ["ana@acme.example"]

[defaults]
role = "Member"

[users]
"ana@acme.example" = { role = "Admin" }
"bo@old.example" = {}
"cy@acme.example" = { role = "Viewer" }
"dee@acme.example" = { role = "Member" }
"eve@acme.example" = {}
"fin@acme.example" = { role = "Admin" }
"mi@acme.example" = {}
"#;

fn scene() -> Scene {
    Scene::with_pylon(&pylon(&people(), &roles(), &audit(), &json!({}))).file("users.toml", USERS)
}

fn json_of(scene: &Scene) -> Value {
    serde_json::from_str(&scene.run("access --format json").stdout).unwrap()
}

/// Runs `access` and returns its JSON report as [`json_of`] does, but with git on the `PATH`.
fn json_with_git(scene: &Scene) -> Value {
    let path = std::env::var("PATH").unwrap();
    serde_json::from_str(&scene.run_in("access --format json", &[("PATH", &path)]).stdout).unwrap()
}

#[test]
fn access_lists_everyone_by_privilege_and_writes_nothing() {
    let scene = scene();
    scene.run("access").exits(0).says(
        &"
rolecall access · Acme (org_1, HOST) · read at 2026-11-20 08:00Z

Admin and other guarded roles
    address           role     held      since       set by
  ✓ ana@acme.example  Admin    assigned  2026-03-01  Fin Berg
  ✓ fin@acme.example  Admin    assigned  -           -
  ! dee@acme.example  Lead +1  several   -           -
      Lead (SCIM group), Member
      a SCIM group grants Lead, which the files do not declare

Other roles
    address          role    held      since       set by
  ! bo@acme.example  Viewer  assigned  2026-09-28  Fin Berg
      role Viewer → Member, users.toml:7
  ! mo@acme.example  Viewer  assigned  2026-10-10  Fin Berg
      unmanaged
      the role has changed since then, but that change is not in the audit log

No role
    address          role  held  since  set by
  ! cy@acme.example  -     -     -      -
      role (none) → Viewer, users.toml:12

Deactivated
    address           role    held      since  set by
    abe@acme.example  Viewer  assigned  -      -
    eve@acme.example  Admin   assigned  -      -

Integration users, which cannot sign in
    name      user ID
    Fivetran  u_api

Declared, but not found in Pylon
    address          declared
  ! mi@acme.example  Member, default   users.toml:16

6 active people · 2 Admins · 1 unmanaged · 2 not in sync · 1 integration user · 2 deactivated · 1 declared, but not found in Pylon
1 file, SHA-256 DIGEST
Not read: the commit of the files: they are not in a git repository
"
        .replace("HOST", &scene.host())
        .replace("DIGEST", json_of(&scene)["files"]["sha256"].as_str().unwrap()),
    );
    let written = scene.asked().into_iter().filter(|asked| asked.starts_with("PATCH"));
    assert_eq!(written.count(), 0);
}

#[test]
fn json_has_all_facts_about_a_person() {
    let report = json_of(&scene());
    let bo = report["people"].as_array().unwrap().iter().find(|line| line["id"] == "u_bo").unwrap();
    assert_eq!(bo["other_emails"], json!(["bo@old.example"]));
    assert_eq!(
        bo["roles"],
        json!([{ "name": "Viewer", "id": "role_viewer", "held": "assigned", "admin": false, "guarded": false, "declared": false }])
    );
    assert_eq!(bo["role_set"]["actor_email"], "fin@acme.example");
    assert_eq!(bo["role_set"]["outdated"], false);
    assert_eq!(bo["declared"]["email"], "bo@old.example");
    assert_eq!(bo["declared"]["location"]["line"], 11);
    assert_eq!(bo["declared_role"]["value"], "Member");
    assert_eq!(bo["declared_role"]["origin"]["kind"], "defaults");
    assert_eq!(bo["declared_role"]["location"]["line"], 7);
    assert_eq!(bo["state"], "not_in_sync");
    assert_eq!((&bo["pending"][0]["field"], &bo["pending"][0]["to"]), (&json!("role"), &json!("Member")));
    let is = |id: &str, key: &str| {
        report["people"].as_array().unwrap().iter().find(|line| line["id"] == id).unwrap()[key].clone()
    };
    assert_eq!((is("u_ana", "protected"), is("u_fin", "protected")), (json!(true), json!(false)));
    assert_eq!((is("u_ana", "owns_token"), is("u_fin", "owns_token")), (json!(false), json!(true)));
    assert_eq!((is("u_mo", "unmanaged"), is("u_mo", "declared")), (json!(true), json!(null)));
    assert_eq!(
        (is("u_mo", "role_set")["outdated"].clone(), is("u_eve", "deactivated")),
        (json!(true), json!(true))
    );
    assert_eq!(is("u_dee", "roles")[0]["held"], "scim");
    assert_eq!(report["read_at"], "2026-11-20T08:00:00Z");
    assert_eq!(report["not_found"][0]["declared"]["email"], "mi@acme.example");
}

#[test]
fn a_table_has_a_row_per_account_and_the_facts_about_the_run_at_its_end() {
    let run = scene().run("access --format csv");
    run.exits(0);
    let mut lines = run.stdout.split("\r\n");
    let header = lines.next().unwrap();
    assert!(
        header.starts_with(
            "kind,email,other_emails,name,id,status,change,roles,role_ids,held,not_declared,admin,guarded,role_set_"
        ),
        "{header}"
    );
    assert!(header.ends_with("organization_id,organization_name,organization_place,commit,modified,files_sha256,audit_log_complete,unread,rolecall_version,since,read_at"), "{header}");
    let rows: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    let kinds: Vec<&str> = rows.iter().map(|row| row.split(',').next().unwrap()).collect();
    let expected = [vec!["person"; 8], vec!["integration_user"], vec!["not_found"]].concat();
    assert_eq!(kinds, expected);
    assert!(rows.iter().all(|row| row.ends_with(",0.1.0,,2026-11-20T08:00:00Z")), "{rows:#?}");
    assert!(
        rows[2].contains(",,Lead; Member,role_lead; role_member,scim; assigned,Lead,false,true,"),
        "{}",
        rows[2]
    );
    assert!(
        rows[9].starts_with("not_found,mi@acme.example,,,,,"),
        "an address without an account has no ID: {}",
        rows[9]
    );
}

#[test]
fn access_works_without_files() {
    let scene = Scene::with_pylon(&pylon(&people(), &roles(), &audit(), &json!({})));
    let run = scene.run("access");
    run.exits(0);
    assert!(
        run.stdout.contains("6 active people · 2 Admins · 6 unmanaged · 0 not in sync · 1 integration user"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("There are no files, so everyone is unmanaged.\n"), "{}", run.stdout);
    let comment = scene.run("access --format markdown").stdout;
    assert!(comment.contains("| `unmanaged` |") && !comment.contains("**`unmanaged`"), "{comment}");
    let report = json_of(&scene);
    assert_eq!((&report["files"], &report["unread"]), (&json!(null), &json!([])));
}

#[test]
fn without_an_audit_log_it_is_unknown_who_set_a_role() {
    let hidden = pylon(&people(), &roles(), &audit(), &json!({ "audit_log": false }));
    let scene = Scene::with_pylon(&hidden).file("users.toml", USERS);
    let run = scene.run("access");
    run.exits(0);
    assert!(
        run.stdout.contains(
            "Not read: each role's history: the organization's Pylon subscription or the token does not allow it"
        ),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains("2026-09-28"), "{}", run.stdout);
    let report = json_of(&scene);
    assert_eq!(report["audit_log"]["complete"], false);
    assert!(report["people"].as_array().unwrap().iter().all(|line| line["role_set"].is_null()));
}

#[test]
fn with_a_partly_read_log_it_is_unknown_who_set_a_role() {
    // The second page of the audit log can't be read, and a person's newest entry could be on that page.
    let many: Vec<Value> = (0..1000)
        .map(|number| json!({ "id": format!("b{number}"), "action": "UserRoleChanged", "happened_at": "2026-10-01T09:00:00Z",
            "object_id": "u_ana", "actor_user_id": "u_fin", "source": "app" }))
        .collect();
    let mut faults = Faults::none().on(ApiOperation::SearchAuditLog);
    for number in 2..=4 {
        faults = faults.at(number, Fault::InternalError);
    }
    let scene = Scene::with_troubled_pylon(&pylon(&people(), &roles(), &many, &json!({})), faults);
    let report = json_of(&scene.file("users.toml", USERS));
    assert_eq!(report["audit_log"]["complete"], false);
    assert!(report["audit_log"]["reason"].as_str().unwrap().contains("500"), "{}", report["audit_log"]);
    assert!(report["people"].as_array().unwrap().iter().all(|line| line["role_set"].is_null()));
}

#[test]
fn a_file_that_is_not_valid_is_an_error_and_prints_no_table() {
    let scene = scene().file("users.toml", "[users]\n\"bo@acme.example\" = { role = \"Wizard\" }\n");
    let run = scene.run("access --format csv");
    run.exits(1).names("plan::unknown_role");
    assert_eq!(run.stdout, "");
}

#[test]
fn the_order_of_the_responses_does_not_matter() {
    let scene = scene();
    let reports = |scene: &Scene| -> Vec<String> {
        let of = |format: Format| scene.run(&format!("access --format {}", format.as_str())).stdout;
        formats_of("access").map(|format| of(format).replace(&scene.host(), "HOST")).collect()
    };
    let expected = reports(&scene);
    assert_eq!(reports(&scene), expected, "two runs");
    let shuffled =
        (Just(people()).prop_shuffle(), Just(roles()).prop_shuffle(), Just(audit()).prop_shuffle());
    holds(6, &shuffled, |(people, roles, audit)| {
        let scene = Scene::with_pylon(&pylon(&people, &roles, &audit, &json!({}))).file("users.toml", USERS);
        assert_eq!(reports(&scene), expected);
    });
}

/// Runs git in the scene's folder, with `day` as the date of any commit.
fn git(scene: &Scene, words: &[&str], day: &str) {
    let mut git = Command::new("git");
    let settings = ["user.name=Ana", "user.email=ana@acme.example", "commit.gpgsign=false"];
    git.current_dir(scene.folder()).args(settings.iter().flat_map(|setting| ["-c", setting]));
    let date = format!("{day}T09:00:00Z");
    git.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date).args(words);
    assert!(git.output().unwrap().status.success(), "{words:?}");
}

fn committed(scene: Scene) -> Scene {
    git(&scene, &["init", "--quiet"], "2026-03-01");
    git(&scene, &["add", "users.toml"], "2026-03-01");
    git(&scene, &["commit", "--quiet", "-m", "Everyone"], "2026-03-01");
    scene
}

#[test]
fn a_page_is_green_only_if_no_person_needs_attention() {
    let header = |scim_role: &str, entry: &str, rule: &str| {
        let bo =
            json!({ "id": "u_bo", "email": "bo@acme.example", "role": "member", "scim_roles": [scim_role] });
        let fin = json!({ "id": "u_fin", "email": "fin@acme.example", "role": "admin" });
        let files = format!(
            "{rule}[users]\n\"fin@acme.example\" = {{ role = \"Admin\" }}\n\"bo@acme.example\" = {{ {entry} }}\n"
        );
        let scene = Scene::with_pylon(&pylon(&[fin, bo], &roles(), &[], &json!({})));
        let scene = committed(scene.file("users.toml", files));
        let path = std::env::var("PATH").unwrap();
        let page = scene.run_in("access --format html", &[("PATH", &path)]).stdout;
        page.split_once("<header class=\"").unwrap().1.split_once('"').unwrap().0.to_owned()
    };
    let (member, active) = ("role = \"Member\"", "status = \"active\"");
    assert_eq!(header("member", member, ""), "good");
    assert_eq!(header("lead", member, ""), "attention", "the files do not declare this role");
    assert_eq!(header("lead", active, ""), "good", "the files leave the role alone");
    let rule = "[[rule]]\nemails = \"bo@acme.example\"\nroles = [\"Member\"]\nreason = \"no Lead\"\n";
    assert_eq!(header("lead", active, rule), "attention", "a rule does not allow this role");
}

#[test]
fn the_review_shows_that_a_role_was_set_through_the_api_and_until_when_it_is_declared() {
    let mut log = audit();
    for entry in &mut log {
        entry["source"] = json!("api");
    }
    log[1]["actor_user_id"] = json!(null);
    log[2]["actor_user_id"] = json!(null);
    let files = USERS.replace(
        "\"ana@acme.example\" = { role = \"Admin\" }",
        "\"ana@acme.example\" = { role = \"Member\", windows = [{ until = 2026-12-01, role = \"Admin\", reason = \"cover\" }] }",
    );
    let scene = Scene::with_pylon(&pylon(&people(), &roles(), &log, &json!({}))).file("users.toml", files);
    let run = scene.run("access");
    run.exits(0);
    for expected in [
        "  ✓ ana@acme.example  Admin    assigned  2026-03-01  Fin Berg (API)\n      declared role: Admin, until 2026-12-01 (cover)\n",
        "  ! bo@acme.example  Viewer  assigned  2026-09-28  unknown (API)\n",
    ] {
        assert!(run.stdout.contains(expected), "{expected}\n{}", run.stdout);
    }
    let comment = scene.run("access --format markdown").stdout;
    assert!(comment.contains("2026-03-01 by Fin Berg through the API"), "{comment}");
}

#[test]
fn a_role_that_is_not_declared_is_never_shown_as_in_sync_whatever_the_policy() {
    let users = [
        json!({ "id": "u_fin", "email": "fin@acme.example", "role": ["admin", "lead"] }),
        json!({ "id": "u_ana", "email": "ana@acme.example", "role": "admin" }),
        json!({ "id": "u_bo", "email": "bo@acme.example", "role": "lead" }),
    ];
    let files = |policy: &str| {
        format!(
            "[policy]\nrole = \"{policy}\"\nextra_roles = \"{policy}\"\n[users]\n\"fin@acme.example\" = {{ role = \"Admin\" }}\n\"ana@acme.example\" = {{ role = \"Member\" }}\n\"bo@acme.example\" = {{ status = \"active\" }}\n"
        )
    };
    for (policy, state, remark, count) in [
        ("observe", "observed", "observed", "2 observed"),
        ("ignore", "ignored", "ignored by policy", "2 ignored by policy"),
    ] {
        let scene = Scene::with_pylon(&pylon(&users, &roles(), &[], &json!({})));
        let scene = scene.file("users.toml", files(policy));
        let run = scene.run("access");
        run.exits(0);
        for expected in [
            "  ! ana@acme.example  Admin\n",
            &format!("      role Admin → Member ({remark}), users.toml:6\n"),
            "  ! fin@acme.example  Admin +1\n",
            &format!("      role Admin, Lead → Admin ({remark}), users.toml:5\n"),
            "    bo@acme.example  Lead\n      the files do not declare a role\n",
            &format!(" · 0 not in sync · 0 integration users · {count}\n"),
        ] {
            assert!(run.stdout.contains(expected), "{expected}\n{}", run.stdout);
        }
        let report = json_of(&scene);
        let states: Vec<&Value> =
            report["people"].as_array().unwrap().iter().map(|line| &line["state"]).collect();
        assert_eq!(states, [state, state, "in_sync"], "Bo's role is left alone, and the status is in sync");
        assert_eq!(report["people"][0][state][0]["to"], "Member");
    }
}

/// Sets up a [`Scene`] with files in a git repository that has two commits. The second commit changes Cy's role.
fn repository() -> Scene {
    let scene = committed(scene());
    std::fs::write(
        scene.folder().join("users.toml"),
        USERS.replace("cy@acme.example\" = { role = \"Viewer\"", "cy@acme.example\" = { role = \"Lead\""),
    )
    .unwrap();
    git(&scene, &["commit", "--quiet", "-am", "Cy leads"], "2026-06-02");
    scene
}

#[test]
fn the_commit_of_each_line_is_in_the_review() {
    let scene = repository();
    let report = json_with_git(&scene);
    let line =
        |id: &str| report["people"].as_array().unwrap().iter().find(|line| line["id"] == id).unwrap().clone();
    let since = &line("u_cy")["declared_role"]["since"];
    assert_eq!(
        (&since["author"], &since["subject"], &since["at"]),
        (&json!("Ana"), &json!("Cy leads"), &json!("2026-06-02T09:00:00Z"))
    );
    assert_eq!(line("u_bo")["declared"]["since"]["subject"], "Everyone");
    assert_eq!((&report["files"]["modified"], &report["unread"]), (&json!(false), &json!([])));
    assert_eq!(report["files"]["commit"].as_str().unwrap().len(), 40);
    std::fs::write(scene.folder().join("users.toml"), format!("# new\n{USERS}")).unwrap();
    assert_eq!(json_with_git(&scene)["files"]["modified"], true);
}

/// Sets up a [`Scene`] whose root file includes `teams/`. Mo's file is in `shared/`.
fn with_teams() -> Scene {
    let root = format!("include = [\"teams/*.toml\"]\n{}", USERS.replace("\"mi@acme.example\" = {}\n", ""));
    let scene = scene().file("users.toml", root);
    scene.file("shared/mo.toml", "[users]\n\"mo@acme.example\" = { role = \"Viewer\" }\n")
}

fn all_committed(scene: Scene) -> Scene {
    git(&scene, &["init", "--quiet"], "2026-03-01");
    git(&scene, &["add", "--all"], "2026-03-01");
    git(&scene, &["commit", "--quiet", "-m", "Everyone"], "2026-03-01");
    scene
}

#[cfg(unix)]
#[test]
fn the_commits_of_a_linked_file_are_those_of_the_file_and_not_of_the_link() {
    let scene = with_teams();
    std::fs::create_dir(scene.folder().join("teams")).unwrap();
    std::os::unix::fs::symlink("../shared/mo.toml", scene.folder().join("teams/mo.toml")).unwrap();
    let scene = all_committed(scene);
    let since = |report: &Value| {
        let mo = report["people"].as_array().unwrap().iter().find(|line| line["id"] == "u_mo").unwrap();
        mo["declared_role"]["since"]["subject"].clone()
    };
    let file = scene.folder().join("shared/mo.toml");
    std::fs::write(file, "[users]\n\"mo@acme.example\" = { role = \"Admin\" }\n").unwrap();
    let report = json_with_git(&scene);
    assert_eq!((&report["files"]["modified"], &report["unread"]), (&json!(true), &json!([])));
    assert_eq!(since(&report), Value::Null, "the line is not committed");
    git(&scene, &["commit", "--quiet", "-am", "Mo administers"], "2026-06-02");
    let report = json_with_git(&scene);
    assert_eq!((&report["files"]["modified"], since(&report)), (&json!(false), json!("Mo administers")));
}

#[test]
fn a_deleted_file_that_the_commit_includes_is_a_modification() {
    let scene = all_committed(
        with_teams()
            .file("teams/a.toml", "[users]\n")
            .file("teams/b.toml", "[users]\n")
            .file("other/c.toml", "[users]\n"),
    );
    let is_modified_without = |file: &str| {
        std::fs::remove_file(scene.folder().join(file)).unwrap();
        json_with_git(&scene)["files"]["modified"].clone()
    };
    assert_eq!(is_modified_without("other/c.toml"), false, "no pattern includes this file");
    assert_eq!(is_modified_without("teams/b.toml"), true);
}

#[test]
fn a_deleted_file_next_to_an_included_one_is_no_modification_if_no_pattern_names_its_folder() {
    let root = format!("include = [\"teams/a.toml\", \"more/*.toml\"]\n{USERS}");
    let scene = scene().file("users.toml", root);
    let scene = scene.file("teams/a.toml", "[users]\n").file("teams/b.toml", "[users]\n");
    let scene = all_committed(scene.file("more/c.toml", "[users]\n"));
    std::fs::remove_file(scene.folder().join("teams/b.toml")).unwrap();
    assert_eq!(json_with_git(&scene)["files"]["modified"], false);
}

#[test]
fn a_submodule_at_another_commit_than_the_recorded_one_is_a_modification() {
    let scene = with_teams().file("teams/a.toml", "[users]\n");
    let in_teams = |words: &[&str]| git(&scene, &[&["-C", "teams"], words].concat(), "2026-06-01");
    in_teams(&["init", "--quiet"]);
    in_teams(&["add", "--all"]);
    in_teams(&["commit", "--quiet", "-m", "One"]);
    git(&scene, &["init", "--quiet"], "2026-06-01");
    git(&scene, &["add", "--all"], "2026-06-01");
    git(&scene, &["commit", "--quiet", "-m", "With teams"], "2026-06-01");
    assert_eq!(json_with_git(&scene)["files"]["modified"], false);
    std::fs::write(scene.folder().join("teams/a.toml"), "[users]\n# new\n").unwrap();
    in_teams(&["commit", "--quiet", "-am", "Two"]);
    assert_eq!(json_with_git(&scene)["files"]["modified"], true);
}

#[test]
fn the_digest_is_what_sha256sum_prints() {
    let scene =
        scene().file("users.toml", format!("include = [\"teams/*.toml\"]\n{USERS}")).file("teams/a.toml", "");
    let digest = json_of(&scene)["files"]["sha256"].as_str().unwrap().to_owned();
    let script = "sha256sum users.toml teams/*.toml | LC_ALL=C sort -k 2 | sha256sum";
    let output = Command::new("sh").current_dir(scene.folder()).args(["-c", script]).output().unwrap();
    if output.status.success() {
        assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{digest}  -\n"));
    }
}

/// Returns the organization three months later: Bo is a Lead and has a new address, Dee is gone, Eve is active again, and Gus and
/// an integration user have joined.
fn later() -> String {
    let mut users = people();
    users.retain(|user| user["id"] != "u_dee" && user["id"] != "u_bo" && user["id"] != "u_eve");
    users.push(json!({ "id": "u_bo", "email": "bo@new.example", "emails": ["bo@new.example", "Bo@Old.example"], "name": "Bo Lindqvist", "role": "lead" }));
    users.push(json!({ "id": "u_eve", "email": "eve@acme.example", "name": "Eve Rossi", "role": "admin" }));
    users.push(json!({ "id": "u_gus", "email": "gus@acme.example", "name": "Gus Lima", "role": "admin" }));
    users.push(json!({ "id": "u_bot", "kind": "integration", "name": "Zapier" }));
    pylon(&users, &roles(), &audit(), &json!({}))
}

/// Sets up a [`Scene`] with the [`later`] organization, files that now declare Mo, and the earlier review in `access.json`.
fn later_scene() -> Scene {
    let earlier = scene().run_in("access --format json", &[("ROLECALL_NOW", "2026-08-20T08:00:00Z")]).stdout;
    let users = USERS.replace("\"mi@acme", "\"mo@acme.example\" = { role = \"Viewer\" }\n\"mi@acme");
    Scene::with_pylon(&later()).file("users.toml", users).file("access.json", earlier)
}

#[test]
fn option_since_shows_who_gained_or_lost_a_role() {
    let scene = later_scene();
    let run = scene.run("access --since access.json");
    run.exits(0);
    let changes = run.stdout.split("Changes since the earlier review\n").nth(1).unwrap();
    let changes = changes.split("\n\n").next().unwrap();
    assert_eq!(
        changes,
        "    account           change
  ! eve@acme.example  reactivated
  ! gus@acme.example  new, gains Admin, unmanaged
  ! bo@new.example    gains Lead, loses Viewer, renamed from bo@acme.example
    mo@acme.example   managed
    Zapier            new
    dee@acme.example  gone, loses Lead, loses Member"
    );
    assert!(
        run.stdout.contains("\nSince 2026-08-20 08:00Z (access.json): 6 accounts changed\n"),
        "{}",
        run.stdout
    );
    let table = scene.run("access --since access.json --format csv").stdout;
    let row = |start: &str| table.lines().find(|line| line.starts_with(start)).unwrap();
    assert!(
        row("person,bo@new.example").contains(",gains Lead; loses Viewer; renamed from bo@acme.example,"),
        "{table}"
    );
    assert!(
        row("gone,dee@acme.example,,Dee Brown,u_dee,,gone; loses Lead; loses Member,")
            .ends_with(",0.1.0,2026-08-20T08:00:00Z,2026-11-20T08:00:00Z"),
        "{table}"
    );
}

#[test]
fn an_integration_user_who_becomes_a_person_is_gone_and_new() {
    let mut users = people();
    users.retain(|user| user["id"] != "u_api");
    users.push(
        json!({ "id": "u_api", "email": "fivetran@acme.example", "name": "Fivetran", "role": "admin" }),
    );
    let earlier = scene().run("access --format json").stdout;
    let scene = Scene::with_pylon(&pylon(&users, &roles(), &audit(), &json!({})))
        .file("users.toml", USERS)
        .file("access.json", earlier);
    let table = scene.run("access --since access.json --format csv").stdout;
    let rows: Vec<&str> = table.lines().filter(|line| line.contains(",u_api,")).collect();
    let [person, gone] = rows.as_slice() else { panic!("{table}") };
    assert!(person.starts_with("person,") && person.contains(",new; gains Admin; unmanaged,"), "{table}");
    assert!(gone.starts_with("gone,") && gone.contains(",gone,"), "{table}");
}

#[test]
fn a_new_or_removed_secondary_address_is_a_change() {
    let earlier = scene().run("access --format json").stdout;
    let mut users = people();
    users.iter_mut().find(|user| user["id"] == "u_ana").unwrap()["emails"] =
        json!(["ana@acme.example", "ana@elsewhere.example"]);
    users.iter_mut().find(|user| user["id"] == "u_bo").unwrap()["emails"] = json!(["bo@acme.example"]);
    let scene = Scene::with_pylon(&pylon(&users, &roles(), &audit(), &json!({})))
        .file("users.toml", USERS.replace("bo@old.example", "bo@acme.example"))
        .file("access.json", earlier);
    let run = scene.run("access --since access.json");
    for line in [
        "    ana@acme.example  new address ana@elsewhere.example\n",
        "    bo@acme.example   without address bo@old.example\n",
    ] {
        assert!(run.exits(0).stdout.contains(line), "{}", run.stdout);
    }
    let report: Value =
        serde_json::from_str(&scene.run("access --since access.json --format json").stdout).unwrap();
    assert_eq!(report["since"]["accounts"][0]["emails_gained"], json!(["ana@elsewhere.example"]));
}

#[test]
fn compared_with_itself_a_review_has_no_changes() {
    let scene = scene();
    let earlier = scene.run("access --format json").stdout;
    let scene = scene.file("access.json", earlier);
    let run = scene.run("access --since access.json");
    assert!(run.exits(0).stdout.contains("(access.json): nothing changed\n"), "{}", run.stdout);
    assert!(!run.stdout.contains("Changes since"), "{}", run.stdout);
}

#[test]
fn a_file_that_is_not_an_access_review_is_an_error_that_says_what_it_is() {
    let scene = scene();
    let report = |words: &str| scene.run(words).stdout;
    scene.run("plan -o saved.json").exits(0);
    let saved = std::fs::read_to_string(scene.folder().join("saved.json")).unwrap();
    let review = report("access --format json");
    for (text, what) in [
        (report("plan --format json"), "it is a report of `rolecall plan`"),
        (saved, "it is a saved plan"),
        (report("access --format csv"), "it is a CSV file"),
        (String::new(), "it is not JSON: EOF"),
        ("{}".into(), "it is JSON, but not a rolecall report"),
        ("[1]".into(), "it is JSON, but not a rolecall report"),
        (
            review.replacen("\"version\": 1", "\"version\": 2", 1),
            "it has report version 2, but this version of rolecall reads version 1",
        ),
        (
            r#"{ "version": 1, "command": "access", "exit_code": 1, "problems": [] }"#.into(),
            "it is the report of a failed run",
        ),
        (review.replacen("\"people\"", "\"persons\"", 1), "missing field `people`"),
    ] {
        std::fs::write(scene.folder().join("earlier.json"), text).unwrap();
        let run = scene.run("access --since earlier.json");
        run.exits(1).names("access::not_a_review").mentions(what);
        assert_eq!(run.stdout, "");
    }
    scene
        .run("access --since missing.json")
        .exits(1)
        .names("access::not_a_review")
        .mentions("cannot read missing.json: No such file");
    scene.run("access --since .").exits(1).mentions(". is not an access review: it is not a regular file");
    let other = review.replacen("\"id\": \"org_1\"", "\"id\": \"org_2\"", 1);
    std::fs::write(scene.folder().join("earlier.json"), other).unwrap();
    let run = scene.run("access --since earlier.json");
    run.exits(1).names("access::other_organization").mentions("(org_2), but this run reviews Acme (org_1)");
}

#[test]
fn a_review_of_the_sandbox_is_not_an_earlier_review_of_the_real_organization() {
    let scene = scene().file("pylon.json", pylon(&people(), &roles(), &audit(), &json!({})));
    for (first, second, why) in [
        ("access --sandbox", "access", "(org_1) in the sandbox, but this run reviews Acme (org_1)"),
        ("access", "access --sandbox", "is a review of Acme (org_1), but this run reviews"),
    ] {
        scene.run(&format!("{first} --report json=first.json")).exits(0);
        scene.run(&format!("{first} --since first.json")).exits(0);
        let run = scene.run(&format!("{second} --since first.json"));
        run.exits(1).names("access::other_organization").mentions(why);
    }
}
