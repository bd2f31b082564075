//! Tests for `plan --blame`, which names the user who caused drift if the audit log has that information. The plan is complete
//! even without an audit log.

use std::fs;
use std::time::Duration;

use pretty_assertions::assert_eq;
use rolecall::report::json;
use rolecall::sandbox::{ApiOperation, Fault, Faults};
use serde_json::{Value, json};

use crate::builders::failures;
use crate::harness::{Scene, concurrently};

const PEOPLE: &str = r#"
    { "id": "u_ana", "email": "ana@acme.example", "name": "Ana Silva", "role": "admin" },
    { "id": "u_dana", "email": "dana@acme.example", "name": "Dana Reyes", "role": "admin" },
    { "id": "u_bo", "email": "bo@acme.example", "name": "Bo Lindqvist", "role": "viewer", "status": "away" },
    { "id": "u_cy", "email": "cy@acme.example", "name": "Cy Ortega", "role": "member" },
    { "id": "u_dee", "email": "dee@acme.example", "name": "Dee Brown", "role": "member" }
"#;
const USERS: &str = r#"
[users]
"ana@acme.example" = { role = "Admin" }
"bo@acme.example" = { role = "Member", status = "active" }
"cy@acme.example" = { role = "Viewer" }
"dee@acme.example" = { role = "Member" }
"#;

fn state(settings: &str, audit: &[String]) -> String {
    let audit = audit.join(",");
    format!(
        r#"{{ "organization": {{ "id": "org_1", "name": "Acme" }}, "settings": {{ {settings} }}, "token_user": "u_ana",
        "users": [{PEOPLE}], "audit": [{audit}] }}"#
    )
}

/// Sets up a [`Scene`] whose Pylon has the audit log entries in `audit`, oldest first.
fn scene(audit: &[String]) -> Scene {
    Scene::with_pylon(&state("", audit)).file("users.toml", USERS)
}

fn entry(id: &str, whom: &str, action: &str, at: &str, more: &str) -> String {
    format!(
        r#"{{ "id": "{id}", "action": "{action}", "happened_at": "{at}", "object_id": "{whom}", {more} }}"#
    )
}

const BY_DANA: &str = r#""actor_user_id": "u_dana", "source": "app""#;

/// Returns the audit log searches, in order of arrival.
fn audit_searches(scene: &Scene) -> Vec<Value> {
    let arrivals = scene.arrivals();
    let searches = arrivals.iter().filter(|arrival| arrival.request.path == "/audit-logs/search");
    searches.map(|arrival| serde_json::from_slice(&arrival.request.body).unwrap()).collect()
}

/// Extracts the lines about the audit log from a plan. A leading value, such as `away: ` in `away: set by Dana`, is removed.
fn blamed(stdout: &str) -> Vec<&str> {
    let shown = stdout.lines().map(str::trim).filter_map(|line| match line.split_once(": set ") {
        Some((value, _)) => Some(&line[value.len() + 2..]),
        None => line.contains("changed ").then_some(line),
    });
    shown.collect()
}

#[test]
fn a_colleague_who_caused_drift_is_named_under_the_change() {
    let scene = scene(&[]);
    scene.pylon(|world| {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60 + 59);
        assert!(world.changed_by(minutes(2), "u_dana", "u_bo", Some("admin"), None));
        assert!(world.changed_by(minutes(3), "u_dana", "u_bo", Some("viewer"), Some("out_of_office")));
        assert!(world.changed_by(minutes(61), "u_gone", "u_bo", None, Some("away")));
    });
    let plain = scene.run("plan --detailed-exitcode").exits(2).stdout.clone();
    assert_eq!(audit_searches(&scene), Vec::<Value>::new(), "not one request more");
    let run = scene.run("plan --detailed-exitcode --blame");
    run.exits(2).says(
        &"
rolecall plan · Acme (org_1, HOST) · 4 declared

  ~ bo@acme.example  Bo Lindqvist
      role    Viewer → Member   users.toml:4
              Viewer: set by Dana Reyes (dana@acme.example), 2026-11-20 08:03Z
      status  away → active     users.toml:4
              away: set by u_gone, 2026-11-20 09:01Z
  ~ cy@acme.example  Cy Ortega
      role    Member → Viewer   users.toml:5

2 to change (2 roles, 1 status) · 2 in sync · 1 unmanaged
Unmanaged: dana@acme.example
Guarded roles that the files do not declare (1):
  dana@acme.example holds Admin (unmanaged)
Guardrails pass: 2 of 4 change (limit 10), 2 Admins remain (minimum 2).
The audit log does not show who changed 1 of 3 values.
"
        .replace("HOST", &scene.host()),
    );
    let is_added = |line: &&str| line.trim_start().contains("set by ") || line.starts_with("The audit log ");
    let without: String =
        run.stdout.lines().filter(|line| !is_added(line)).map(|line| format!("{line}\n")).collect();
    assert_eq!(without, plain, "it only adds lines");
}

#[test]
fn one_request_asks_only_about_people_who_drifted() {
    let scene = scene(&[]);
    let filter = |people: &[&str]| json!({ "filter": { "field": "object_id", "operator": "in", "values": people }, "limit": 999 });
    scene.run("plan --blame").exits(0);
    assert_eq!(audit_searches(&scene), [filter(&["u_bo", "u_cy"])]);
    scene.run("plan --blame --only cy@acme.example").exits(0);
    assert_eq!(audit_searches(&scene)[1..], [filter(&["u_cy"])]);
    let observing = format!("[policy]\nstatus = \"observe\"\nrole = \"ignore\"\n{USERS}");
    let scene = scene.file("users.toml", observing);
    scene.run("plan --blame").exits(0);
    assert_eq!(audit_searches(&scene)[2..], [filter(&["u_bo"])], "what is only observed is asked about too");
    let scene = scene.file("users.toml", "[users]\n\"dee@acme.example\" = {}\n\"typo@acme.example\" = {}\n");
    scene.run("plan --blame").exits(0);
    assert_eq!(audit_searches(&scene).len(), 3, "where all is in sync there is nothing to ask");
}

#[test]
fn blame_sends_nothing_for_empty_files_and_is_only_for_plan() {
    let scene = scene(&[]).file("users.toml", "");
    scene.run("plan --blame").exits(0).says("users.toml declares no people: nothing to do\n");
    for words in ["apply --blame --auto-approve", "validate --blame", "agenda --blame"] {
        scene.run(words).exits(64);
    }
    assert_eq!(scene.asked(), Vec::<String>::new());
}

#[test]
fn the_newest_entry_counts_regardless_of_the_order() {
    let scene = scene(&[
        entry("1", "u_bo", "UserRoleChanged", "2026-08-20T14:02:31Z", BY_DANA),
        entry(
            "2",
            "u_bo",
            "UserRoleChanged",
            "2026-08-20T16:01:59+02:00",
            r#""actor_user_id": "u_cy", "source": "app""#,
        ),
        entry(
            "3",
            "u_bo",
            "UserNameChanged",
            "2026-09-01T00:00:00Z",
            r#""actor_user_id": "u_cy", "source": "app""#,
        ),
        entry(
            "4",
            "u_dee",
            "UserRoleChanged",
            "2026-09-02T00:00:00Z",
            r#""actor_user_id": "u_cy", "source": "app""#,
        ),
        entry("5", "u_bo", "user.status.updated", "2026-08-19T00:00:00Z", r#""source": "schedule""#),
        entry(
            "6",
            "u_cy",
            "UserRoleChanged",
            "2026-08-18T00:00:00Z",
            r#""actor_user_id": "u_ana", "source": "api""#,
        ),
    ]);
    assert_eq!(
        blamed(&scene.run("plan --blame").stdout),
        [
            "set by Dana Reyes (dana@acme.example), 2026-08-20 14:02Z",
            "set by schedule, 2026-08-19 00:00Z",
            "set by Ana Silva (ana@acme.example) through the API, 2026-08-18 00:00Z",
        ]
    );
}

#[test]
fn an_entry_that_set_another_value_is_shown_as_such() {
    let set = |role: &str| {
        format!(r#"{BY_DANA}, "attributes": {{ "old_role_id": "role_viewer", "new_role_id": "{role}" }}"#)
    };
    let scene = scene(&[
        entry("1", "u_bo", "UserRoleChanged", "2026-08-20T14:02:31Z", &set("role_admin")),
        entry("2", "u_cy", "UserRoleChanged", "2026-08-20T14:02:31Z", &set("role_member")),
    ]);
    assert_eq!(
        blamed(&scene.run("plan --blame").stdout),
        [
            "set to Admin by Dana Reyes (dana@acme.example), 2026-08-20 14:02Z; a later change is not in the audit log",
            "set by Dana Reyes (dana@acme.example), 2026-08-20 14:02Z",
            "The audit log does not show who changed 1 of 3 values.",
        ]
    );
}

#[test]
fn without_an_audit_log_the_plan_is_unchanged_and_says_why() {
    let forbidden = r#""audit_log": false"#;
    let hidden = r#""audit_log": false, "audit_log_hidden": true"#;
    for (settings, why) in [
        (forbidden, "403 permission_denied: audit logs are not part of this organization's plan"),
        (hidden, "404 not_found: there is nothing at this path"),
    ] {
        let scene = Scene::with_pylon(&state(settings, &[])).file("users.toml", USERS);
        let plain = scene.run("plan --detailed-exitcode").stdout.clone();
        let run = scene.run("plan --detailed-exitcode --blame");
        run.exits(2).complains("");
        let added: Vec<&str> = run.stdout.lines().filter(|line| !plain.contains(line)).collect();
        let expected = format!(
            "The audit log is not available: the organization's Pylon subscription or the token does not allow it: POST /audit-logs/search returned {why} (request "
        );
        assert_eq!((added.len(), added[0].starts_with(&expected)), (1, true), "{added:?}");
        assert_eq!(audit_searches(&scene).len(), 1, "asked once");
    }
}

#[test]
fn a_failing_audit_log_is_requested_three_times() {
    let faults = Faults::none().on(ApiOperation::SearchAuditLog).with(Fault::InternalError, 1.0);
    let scene = Scene::with_troubled_pylon(&state("", &[]), faults).file("users.toml", USERS);
    let run = scene.run("plan --detailed-exitcode --blame");
    run.exits(2);
    assert!(
        run.stdout.contains(
            "\nThe audit log is not available: POST /audit-logs/search returned 500 internal_error"
        ),
        "{}",
        run.stdout
    );
    assert_eq!(audit_searches(&scene).len(), 3);
}

#[test]
fn every_fault_except_silence_leads_to_a_retry() {
    concurrently(failures().filter(|fault| *fault != Fault::StallApplied), |fault| {
        let faults = Faults::none().on(ApiOperation::SearchAuditLog).at(1, fault);
        let audit = [entry("1", "u_cy", "UserRoleChanged", "2026-08-20T14:02:31Z", BY_DANA)];
        let scene = Scene::with_troubled_pylon(&state("", &audit), faults).file("users.toml", USERS);
        let run = scene.run("plan --blame --only cy@acme.example");
        run.exits(0);
        assert_eq!(
            blamed(&run.stdout),
            ["set by Dana Reyes (dana@acme.example), 2026-08-20 14:02Z"],
            "{}",
            fault.as_str()
        );
        assert_eq!(audit_searches(&scene).len(), 2, "{}", fault.as_str());
    });
}

#[test]
fn a_long_log_is_read_until_everyone_is_found_at_both_dates() {
    let noise = |number: usize| {
        entry(
            &format!("n{number}"),
            "u_cy",
            "UserSignedIn",
            &format!("2026-10-01T{:02}:{:02}:00Z", number / 60, number % 60),
            BY_DANA,
        )
    };
    let change = |whom: &str, at: &str| entry(at, whom, "UserRoleChanged", at, BY_DANA);
    let noises: Vec<String> = (0..1200).map(noise).collect();
    for era in ["2026-10", "2026-07", "2026-04"] {
        let paged = |audit: &[String], searches: usize, blames: usize| {
            let state = state("", audit).replacen('{', &format!(r#"{{ "api": "{era}","#), 1);
            let scene = Scene::with_pylon(&state).file("users.toml", USERS);
            let run = scene.run("plan --blame --only cy@acme.example");
            run.exits(0);
            let named = blamed(&run.stdout).iter().filter(|line| line.contains("Dana Reyes")).count();
            assert_eq!((audit_searches(&scene).len(), named), (searches, blames), "{era}: {}", run.stdout);
        };
        let early = [vec![change("u_cy", "2026-09-01T00:00:00Z")], noises.clone()].concat();
        let late = [noises.clone(), vec![change("u_cy", "2026-11-01T00:00:00Z")]].concat();
        paged(&early, 2, 1);
        paged(&late, 1, 1);
        paged(&noises, 2, 0);
    }
}

#[test]
fn a_log_too_long_for_the_rate_limit_is_reported_as_partial() {
    let sign_in =
        |number: usize| entry(&format!("n{number}"), "u_cy", "UserSignedIn", "2026-10-01T00:00:00Z", BY_DANA);
    let mut audit: Vec<String> = (0..2500).map(sign_in).collect();
    audit.push(entry("x", "u_bo", "UserRoleChanged", "2026-11-01T00:00:00Z", BY_DANA));
    let run = scene(&audit).run("plan --blame --rate audit=2");
    run.exits(0);
    assert_eq!(
        blamed(&run.stdout),
        [
            "set by Dana Reyes (dana@acme.example), 2026-11-01 00:00Z",
            "Cannot tell who changed 2 of 3 values: only the first 2 pages of the audit log were read.",
        ]
    );
}

#[test]
fn a_filter_that_is_too_large_is_split() {
    let audit =
        ["u_bo", "u_cy"].map(|whom| entry(whom, whom, "UserRoleChanged", "2026-08-20T14:02:31Z", BY_DANA));
    let scene = Scene::with_pylon(&state(r#""max_filter_values": 1"#, &audit)).file("users.toml", USERS);
    let run = scene.run("plan --blame");
    assert_eq!(
        blamed(&run.stdout).iter().filter(|line| line.contains("Dana Reyes")).count(),
        2,
        "{}",
        run.stdout
    );
    assert_eq!(audit_searches(&scene).len(), 3);
}

#[test]
fn after_a_429_the_client_waits_as_long_as_requested() {
    let faults = Faults::none().on(ApiOperation::SearchAuditLog).at(1, Fault::RateLimited);
    let scene = Scene::with_troubled_pylon(&state("", &[]), faults).file("users.toml", USERS);
    let began = std::time::Instant::now();
    scene.run("plan --blame").exits(0);
    assert!(began.elapsed() >= Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(audit_searches(&scene).len(), 2);
}

/// In a Markdown report, text from Pylon appears only in fenced blocks and code spans. This includes the author of a change,
/// which is shown next to the changed value.
#[test]
fn a_comment_shows_the_author_next_to_the_current_value() {
    let without_author = r#""source": """#;
    let scene = scene(&[
        entry("1", "u_bo", "UserRoleChanged", "2026-08-20T14:02:31Z", BY_DANA),
        entry("2", "u_bo", "UserStatusChanged", "2026-08-20T14:02:31Z", without_author),
    ]);
    let scene = scene.file("users.toml", format!("[policy]\nstatus = \"observe\"\n{USERS}"));
    scene.run("plan --blame --report markdown=plan.md").exits(0);
    let comment = fs::read_to_string(scene.folder().join("plan.md")).unwrap();
    let expected = r"
**Guardrails pass**: `2 of 4 change (limit 10)`, `2 Admins remain (minimum 2)`.

| who | was → will be | why |
|:--|:--|:--|
| `bo@acme.example`<br>`Bo Lindqvist` | role `Viewer` → `Member` | `users.toml:6`<br>`set by Dana Reyes (dana@acme.example), 2026-08-20 14:02Z` |
| `cy@acme.example`<br>`Cy Ortega` | role `Member` → `Viewer` | `users.toml:7` |

The audit log does not show who changed 1 of 3 values.

**Guarded roles that the files do not declare**

- `dana@acme.example` holds `Admin` (unmanaged)

<details><summary>Observed, left alone (1)</summary>

- `bo@acme.example` status `away` → `active` (`set by an unknown user, 2026-08-20 14:02Z`) (`users.toml:6`)
";
    assert!(comment.contains(expected), "{comment}");
    let diff = "-role = \"Viewer\" # set by Dana Reyes (dana@acme.example), 2026-08-20 14:02Z\n";
    assert!(comment.contains(diff), "{comment}");
    let forbidden = Scene::with_pylon(&state(r#""audit_log": false"#, &[])).file("users.toml", USERS);
    forbidden.run("plan --blame --report markdown=plan.md").exits(0);
    let comment = fs::read_to_string(forbidden.folder().join("plan.md")).unwrap();
    assert!(comment.contains("\n\nThe audit log is not available: `the organization's Pylon subscription or the token does not allow it: POST"), "{comment}");
}

#[test]
fn the_diff_is_valid_toml_for_any_author() {
    let odd = r#"{ "id": "u_odd", "email": "odd@acme.example", "name": "Odd\n[policy] \" # \u0007", "role": "admin" }"#;
    let none = r#"{ "id": "u_none", "email": "none@acme.example", "name": "None", "role": [] }"#;
    let by_odd = r#""actor_user_id": "u_odd", "source": "app""#;
    let audit =
        ["u_bo", "u_none"].map(|whom| entry(whom, whom, "UserRoleChanged", "2026-08-20T14:02:31Z", by_odd));
    let state = state("", &audit).replace(r#""users": ["#, &format!(r#""users": [{odd}, {none}, "#));
    let users = format!("{USERS}\"none@acme.example\" = {{ role = \"Viewer\" }}\n");
    let scene = Scene::with_pylon(&state).file("users.toml", users);
    scene.run("plan --blame --report markdown=plan.md").exits(0);
    let comment = fs::read_to_string(scene.folder().join("plan.md")).unwrap();
    let diff = comment.split("```diff\n").nth(1).and_then(|rest| rest.split("\n```").next()).unwrap();
    let by = r#"set by Odd\u{a}[policy] " # \u{7} (odd@acme.example), 2026-08-20 14:02Z"#;
    assert!(diff.contains(&format!("-role = \"Viewer\" # {by}\n")), "{diff}");
    assert!(diff.contains(&format!(" [users.\"none@acme.example\"] # None\n-# role: {by}\n")), "{diff}");
    let before = diff.lines().filter(|line| line.starts_with([' ', '-']));
    let before: String = before.map(|line| format!("{}\n", &line[1..])).collect();
    scene.file("before.toml", before).run("validate --config before.toml").exits(0);
}

#[test]
fn annotations_and_the_html_page_show_the_author() {
    let scene = scene(&[entry("1", "u_bo", "UserRoleChanged", "2026-08-20T14:02:31Z", BY_DANA)]);
    let run = scene.run("plan --blame --format github --report html=plan.html");
    let annotations: Vec<&str> = run.stdout.lines().filter(|line| line.starts_with("::")).collect();
    assert_eq!(
        annotations,
        [
            "::notice file=users.toml,line=4,col=30,title=bo@acme.example::role Viewer → Member%0Aset by Dana Reyes (dana@acme.example), 2026-08-20 14:02Z",
            "::notice file=users.toml,line=4,col=49,title=bo@acme.example::status away → active",
            "::notice file=users.toml,line=5,col=30,title=cy@acme.example::role Member → Viewer",
        ]
    );
    let page = fs::read_to_string(scene.folder().join("plan.html")).unwrap();
    for part in [
        "<th>Last change</th>",
        "<td class=\"quiet\">set by Dana Reyes (dana@acme.example), 2026-08-20 14:02Z</td>",
        "<p class=\"quiet\">The audit log does not show who changed 2 of 3 values.</p>",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    scene.run("plan --report html=plan.html").exits(0);
    assert!(!fs::read_to_string(scene.folder().join("plan.html")).unwrap().contains("Last change"));
}

#[test]
fn json_contains_the_whole_entry_and_fits_the_schema() {
    let validator = jsonschema::validator_for(&serde_json::to_value(json::schema()).unwrap()).unwrap();
    let report = |scene: &Scene, words: &str| {
        let report: Value =
            serde_json::from_str(&scene.run(&format!("{words} --format json")).stdout).unwrap();
        let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{report:#}");
        report
    };
    let attributes = r#""attributes": { "old_role_id": "role_member", "new_role_id": "role_viewer" }"#;
    let scene = scene(&[
        entry("1", "u_bo", "UserRoleChanged", "2026-08-20T14:02:31.25Z", &format!("{BY_DANA}, {attributes}")),
        entry("2", "u_bo", "UserStatusChanged", "2026-08-20T14:02:31Z", r#""source": "schedule""#),
    ]);
    let plan = report(&scene, "plan --blame");
    assert_eq!(
        plan["blame"],
        json!({ "available": true, "complete": true, "reason": null, "edits": 3, "blamed": 2 })
    );
    let edits = &plan["changes"][0]["edits"];
    assert_eq!(
        edits[0]["blame"],
        json!({
            "actor_id": "u_dana", "actor_name": "Dana Reyes", "actor_email": "dana@acme.example", "source": "app",
            "action": "UserRoleChanged", "at": "2026-08-20T14:02:31.25Z", "old": "Member", "new": "Viewer", "outdated": false,
        })
    );
    assert_eq!(
        edits[1]["blame"],
        json!({
            "actor_id": null, "actor_name": null, "actor_email": null, "source": "schedule",
            "action": "UserStatusChanged", "at": "2026-08-20T14:02:31Z", "old": null, "new": null, "outdated": false,
        })
    );
    assert_eq!(plan["changes"][1]["edits"][0].get("blame"), None);
    let plain = report(&scene, "plan");
    assert_eq!((plain.get("blame"), plain["changes"][0]["edits"][0].get("blame")), (None, None));
    let forbidden = Scene::with_pylon(&state(r#""audit_log": false"#, &[])).file("users.toml", USERS);
    let blame = report(&forbidden, "plan --blame")["blame"].clone();
    assert_eq!((&blame["available"], &blame["complete"]), (&json!(false), &json!(false)));
    assert!(blame["reason"].as_str().unwrap().contains("403 permission_denied"), "{blame}");
}
