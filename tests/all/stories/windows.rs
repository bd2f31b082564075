//! Tests for windows. The clock is fixed at 2026-11-20, 9:00 in Berlin, unless a test sets `ROLECALL_NOW`.

use std::ffi::OsStr;

use pretty_assertions::assert_eq;
use serde_json::Value;

use crate::builders::ChangeWorld;
use crate::harness::Scene;

const PYLON: &str = r#"{ "organization": { "id": "org_1", "name": "Acme" }, "users": [
    { "id": "u_bo", "email": "bo@acme.example", "name": "Bo", "role": "member", "status": "active" } ] }"#;

fn on(now: &str, person: &str) -> Scene {
    Scene::with_pylon(PYLON).env("ROLECALL_NOW", now).file(
        "users.toml",
        format!("timezone = \"Europe/Berlin\"\n[users]\n\"bo@acme.example\" = {person}\n"),
    )
}

#[test]
fn a_plan_limited_to_one_person_shows_only_the_scheduled_changes_of_that_person() {
    let window =
        "windows = [{ from = 2026-11-22, until = 2026-11-24, status = \"away\", then = \"active\" }]";
    let pylon = r#"{ "users": [ { "id": "u_bo", "email": "bo@acme.example", "role": "member", "status": "active" },
        { "id": "u_cy", "email": "cy@acme.example", "role": "member", "status": "active" } ] }"#;
    let files = format!(
        "[guardrails]\nkeep_at_least = {{ Admin = 0 }}\n[users]\n\"bo@acme.example\" = {{ {window} }}\n\"cy@acme.example\" = {{ {window} }}\n"
    );
    let scene = Scene::with_pylon(pylon).file("users.toml", files);
    assert!(scene.run("plan").stdout.contains("2026-11-22  cy@acme.example"));
    let run = scene.run("plan --only bo@acme.example");
    run.exits(0);
    assert!(run.stdout.contains("2026-11-22  bo@acme.example"), "{}", run.stdout);
    assert!(!run.stdout.contains("cy@acme.example"), "{}", run.stdout);
}

#[test]
fn a_window_that_ends_before_it_starts_because_of_daylight_saving_says_so() {
    let file = |until: &str| {
        format!(
            "timezone = \"Europe/Berlin\"\n[users]\n\"bo@acme.example\" = {{ role = \"Member\", windows = [{{ from = 2027-03-28T02:30:00, until = {until}, role = \"Admin\" }}] }}\n"
        )
    };
    // On this day, clocks go from 2:00 to 3:00.
    let run = Scene::offline().file("users.toml", file("2027-03-28T03:15:00")).run("validate");
    run.exits(1).names("roster::backwards_window").mentions("daylight saving time skips one of these times");
    run.mentions("`from` is 2027-03-28T01:30:00Z and `until` is 2027-03-28T01:15:00Z");
    let run = Scene::offline().file("users.toml", file("2027-03-28T02:15:00")).run("validate");
    run.exits(1).mentions("`until` is the first instant after the window");
}

#[test]
fn a_window_is_active_from_its_start_until_just_before_its_end() {
    let lead = r#"{ role = "Member", windows = [{ from = 2026-12-20, until = 2027-01-03, role = "Admin", reason = "incident lead" }] }"#;
    for (now, pending) in [
        ("2026-12-19T22:59:59Z", false),
        ("2026-12-19T23:00:00Z", true),
        ("2027-01-02T22:59:59Z", true),
        ("2027-01-02T23:00:00Z", false),
    ] {
        on(now, lead).run("plan --detailed-exitcode").exits(if pending { 2 } else { 0 });
    }
    let run = on("2026-12-25T00:00:00Z", lead).run("plan");
    assert!(
        run.stdout.contains("role    Member → Admin   users.toml:3, until 2027-01-03 (incident lead)\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn the_status_of_an_ended_window_is_reset_for_two_days() {
    let away = r#"{ windows = [{ from = 2026-12-20, until = 2027-01-03, status = "out_of_office", then = "active" }] }"#;
    let scene = on("2026-12-20T10:00:00Z", away);
    scene.run("apply --auto-approve").exits(0);
    assert_eq!(scene.patches(), [r#"/users/u_bo {"status":"out_of_office"}"#]);

    let scene = scene.env("ROLECALL_NOW", "2027-01-04T22:59:59Z");
    let run = scene.run("plan --detailed-exitcode");
    run.exits(2);
    assert!(
        run.stdout
            .contains("status  out_of_office → active   users.toml:3, after the window with out_of_office\n"),
        "{}",
        run.stdout
    );
    let scene = scene.env("ROLECALL_NOW", "2027-01-04T23:00:00Z");
    scene.run("plan --detailed-exitcode").exits(0);

    // From then on, the status is left alone, but the plan says that it was never reset.
    let run = scene.run("plan");
    for line in [
        "bo@acme.example  Bo  (observed, left alone)\n",
        "status  out_of_office → active   users.toml:3, the window ended more than 48 hours ago\n",
    ] {
        assert!(run.stdout.contains(line), "{}", run.stdout);
    }
    let markdown = scene.run("plan --format markdown").stdout;
    let line =
        "`bo@acme.example` status `out_of_office` → `active`, `the window ended more than 48 hours ago`";
    assert!(markdown.contains(line), "{markdown}");
    let json: Value = serde_json::from_str(&scene.run("plan --format json").stdout).unwrap();
    let origin = &json["observed"][0]["edits"][0]["origin"];
    assert_eq!((&origin["kind"], &origin["overdue"]), (&Value::from("after_window"), &Value::from(true)));
    let explained = scene.run("explain bo@acme.example").stdout;
    assert!(
        explained.contains("\nnot in sync, and left alone because the window ended more than 48 hours ago;"),
        "{explained}"
    );
    let imported = scene.run("import --update --with-status").stdout;
    assert!(imported.contains("status: set by the `then` of a window that has ended;"), "{imported}");
    scene.run("apply --auto-approve").exits(0);
    assert_eq!(scene.patches().len(), 1);

    // A status picked by the user in the meantime is left alone.
    scene.pylon(|world| {
        world.changed_by_someone_else(std::time::Duration::ZERO, "bo@acme.example", None, Some("away"))
    });
    scene.env("ROLECALL_NOW", "2027-01-03T10:00:00Z").run("plan --detailed-exitcode").exits(0);
}

#[test]
fn a_reviewed_reset_that_comes_too_late_does_not_count_as_made_by_someone_else() {
    let away = r#"{ windows = [{ from = 2026-12-20, until = 2027-01-03, status = "out_of_office", then = "active" }] }"#;
    let scene = on("2026-12-20T10:00:00Z", away);
    scene.run("apply --auto-approve").exits(0);
    let scene = scene.env("ROLECALL_NOW", "2027-01-04T10:00:00Z");
    scene.run("plan -o plan.json").exits(0);
    let run = scene.env("ROLECALL_NOW", "2027-01-05T10:00:00Z").run("apply plan.json --auto-approve");
    run.exits(0);
    assert!(run.stdout.contains("nothing to change · 0 in sync · 1 observed\n"), "{}", run.stdout);
}

#[test]
fn a_status_that_was_never_reset_is_ignored_if_the_policy_ignores_statuses() {
    let away = r#"{ windows = [{ from = 2026-12-20, until = 2027-01-03, status = "out_of_office", then = "active" }] }"#;
    let scene = on("2026-12-20T10:00:00Z", away);
    scene.run("apply --auto-approve").exits(0);
    let text = format!("[policy]\nstatus = \"ignore\"\n[users]\n\"bo@acme.example\" = {away}\n");
    let run = scene.file("users.toml", text).env("ROLECALL_NOW", "2027-02-01T00:00:00Z").run("plan");
    assert!(run.stdout.contains("1 ignored by policy") && !run.stdout.contains("observed"), "{}", run.stdout);
}

#[test]
fn every_ended_window_resets_its_status() {
    let windows = r#"{ windows = [
        { from = 2026-12-20, until = 2026-12-22, status = "out_of_office", then = "active" },
        { from = 2026-12-22, until = 2026-12-23, status = "away", then = "active" } ] }"#;
    let scene = on("2026-12-20T10:00:00Z", windows);
    scene.run("apply --auto-approve").exits(0);
    // There was no apply during the second window.
    let scene = scene.env("ROLECALL_NOW", "2026-12-23T10:00:00Z");
    let run = scene.run("plan");
    assert!(
        run.stdout
            .contains("status  out_of_office → active   users.toml:4, after the window with out_of_office\n"),
        "{}",
        run.stdout
    );
    let run = scene.run("explain bo@acme.example");
    for line in [
        "status   active             from `then`, if the status is still away after the window",
        "status   active             from `then`, if the status is still out_of_office after the window",
    ] {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words(&run.stdout).contains(&words(line)), "{}", run.stdout);
    }
    scene.run("apply --auto-approve").exits(0);
    scene.run("plan --detailed-exitcode").exits(0);
    // A window resets its status for at most 48 hours, and the first window ended 48 hours before this plan.
    scene.pylon(|world| {
        world.changed_by_someone_else(
            std::time::Duration::ZERO,
            "bo@acme.example",
            None,
            Some("out_of_office"),
        )
    });
    scene.env("ROLECALL_NOW", "2026-12-24T00:00:00Z").run("plan --detailed-exitcode").exits(0);
}

#[test]
fn a_status_from_then_is_not_undone_by_an_earlier_window() {
    let windows = |second_then: &str| {
        format!(
            r#"{{ windows = [
        {{ from = 2026-12-20, until = 2026-12-22, status = "out_of_office", then = "away" }},
        {{ from = 2026-12-22, until = 2026-12-23, status = "away", then = "{second_then}" }} ] }}"#
        )
    };
    for (second_then, patches) in [
        ("active", vec![r#"/users/u_bo {"status":"active"}"#, r#"/users/u_bo {"status":"out_of_office"}"#]),
        ("out_of_office", vec![r#"/users/u_bo {"status":"out_of_office"}"#]),
    ] {
        let scene = on("2026-12-20T10:00:00Z", &windows(second_then));
        scene.run("apply --auto-approve").exits(0);
        let scene = scene.env("ROLECALL_NOW", "2026-12-23T10:00:00Z");
        scene.run("apply --auto-approve").exits(0);
        assert_eq!(scene.patches(), patches, "{second_then}");
        scene.run("plan --detailed-exitcode").exits(0);
    }
}

#[test]
fn windows_may_omit_their_start_or_end() {
    let until = r#"{ role = "Member", windows = [{ until = 2026-12-01T18:00:00+01:00, role = "Admin" }] }"#;
    on("2026-12-01T16:59:59Z", until).run("plan --detailed-exitcode").exits(2);
    on("2026-12-01T17:00:00Z", until).run("plan --detailed-exitcode").exits(0);
    let from = r#"{ role = "Member", windows = [{ from = 2026-12-01T18:00:00, role = "Admin" }] }"#;
    on("2026-12-01T16:59:59Z", from).run("plan --detailed-exitcode").exits(0);
    on("2026-12-01T17:00:00Z", from).run("plan --detailed-exitcode").exits(2);
}

#[test]
fn a_role_in_a_distant_window_is_looked_up_today() {
    let far = r#"{ role = "Member", windows = [{ from = 2027-06-01, until = 2027-06-02, role = "Amdin" }] }"#;
    on("2026-11-20T08:00:00Z", far).run("plan").exits(1).names("plan::unknown_role");
}

const TWO_ADMINS: &str = r#"{ "organization": { "id": "org_1", "name": "Acme" }, "users": [
    { "id": "u_ana", "email": "ana@acme.example", "name": "Ana", "role": "admin" },
    { "id": "u_bo", "email": "bo@acme.example", "name": "Bo", "role": "member" },
    { "id": "u_cy", "email": "cy@acme.example", "name": "Cy", "role": "member" } ] }"#;

#[test]
fn another_spelling_of_the_same_role_is_not_a_scheduled_change() {
    let member = r#"{ role = "Member", windows = [{ from = 2026-11-22, role = "member" }] }"#;
    let scene = on("2026-11-20T08:00:00Z", member);
    for command in ["plan", "explain bo@acme.example"] {
        let run = scene.run(command);
        assert!(!run.exits(0).stdout.contains("Member → member"), "{}", run.stdout);
    }
}

#[test]
fn a_plan_shows_the_next_week_and_any_later_blocks() {
    let scene = Scene::with_pylon(TWO_ADMINS).file(
        "users.toml",
        "\n[users]\n\"ana@acme.example\" = { role = \"Admin\" }\n\
         \"bo@acme.example\" = { role = \"Member\", windows = [{ until = 2027-03-01, role = \"Admin\" }] }\n\
         \"cy@acme.example\" = { windows = [{ from = 2026-11-24, until = 2026-12-24, status = \"away\", then = \"active\" }] }\n",
    );
    scene.run("plan").exits(0).says(
        &"
rolecall plan · Acme (org_1, HOST) · 3 declared

  ! bo@acme.example  Bo   gains Admin
      role    Member → Admin   users.toml:4, until 2027-03-01

1 to change (1 role) · 2 in sync
Guardrails pass: 1 of 3 change (limit 10), 2 Admins remain (minimum 2).

Scheduled changes:
  2026-11-24  cy@acme.example  status (left alone) → away   users.toml:5
  2027-03-01  bo@acme.example  role Admin → Member   loses Admin   users.toml:4
      will be blocked by keep_at_least: 1 of 2 Admins remains (minimum 2)
"
        .replace("HOST", &scene.host()),
    );
}

#[test]
fn a_plan_shows_that_a_person_will_lose_other_roles_even_if_the_policy_ignores_the_declared_one() {
    let pylon = r#"{ "organization": { "id": "org_1", "name": "Acme" }, "users": [
        { "email": "ana@acme.example", "role": "admin" }, { "email": "bo@acme.example", "role": ["admin", "viewer"] } ] }"#;
    let scene = Scene::with_pylon(pylon).file(
        "users.toml",
        "[policy]\nrole = \"ignore\"\nextra_roles = \"enforce\"\n[guardrails]\nkeep_at_least = { Admin = 2 }\n[users]\n\
         \"ana@acme.example\" = {}\n\
         \"bo@acme.example\" = { role = \"Viewer\", windows = [{ until = 2026-12-20, role = \"Member\" }] }\n",
    );
    scene.run("plan").exits(0).says(
        &"
rolecall plan · Acme (org_1, HOST) · 2 declared

nothing to change · 1 in sync · 1 ignored by policy
Guardrails pass: 0 of 2 change (limit 10), 2 Admins remain (minimum 2).

Scheduled changes:
  2026-12-20  bo@acme.example  role Member → Viewer   users.toml:8
      will be blocked by keep_at_least: 1 of 2 Admins remains (minimum 2)
"
        .replace("HOST", &scene.host()),
    );
}

#[test]
fn a_later_block_is_in_the_title_and_the_expanded_part_of_a_comment_and_a_page() {
    let scene = Scene::with_pylon(TWO_ADMINS).file(
        "users.toml",
        "\n[users]\n\"ana@acme.example\" = { role = \"Admin\" }\n\
         \"bo@acme.example\" = { role = \"Member\", windows = [{ until = 2027-03-01, role = \"Admin\" }] }\n\
         \"cy@acme.example\" = {}\n",
    );
    let comment = scene.run("plan --format markdown").exits(0).stdout.clone();
    let title = "### 1 person changes · 1 scheduled change will be blocked · 1 gains `Admin`\n";
    assert!(comment.contains(title), "{comment}");
    let expanded = comment.split("<details>").next().unwrap_or_default();
    let list = "**Scheduled, but will be blocked**\n\n\
                - `2027-03-01` `bo@acme.example` role (`users.toml:4`): \
                `keep_at_least: 1 of 2 Admins remains (minimum 2)`\n";
    assert!(expanded.contains(list), "{comment}");

    let page = scene.run("plan --format html").exits(0).stdout.clone();
    assert!(page.contains("1 scheduled change will be blocked"), "{page}");
    assert!(page.contains("<h2>Scheduled, but will be blocked</h2>"), "{page}");
}

#[test]
fn a_scheduled_change_of_a_guarded_role_is_in_the_title_and_never_collapsed() {
    let base = "[users]\n\"ana@acme.example\" = { role = \"Admin\" }\n\"bo@acme.example\" = { role = \"Member\" }\n\
                \"cy@acme.example\" = {}\n";
    let window =
        "\"bo@acme.example\" = { role = \"Member\", windows = [{ from = 2027-01-01, role = \"Admin\" }] }\n";
    let present = base.replace("\"bo@acme.example\" = { role = \"Member\" }\n", window);
    let scene = Scene::with_pylon(TWO_ADMINS).file("base.toml", base).file("users.toml", present);
    for plan in ["plan --format markdown", "plan --base base.toml --format markdown"] {
        let comment = scene.run(plan).exits(0).stdout.clone();
        assert!(comment.contains("### Nothing to change · 1 will gain `Admin` on a date\n"), "{comment}");
        let expanded = comment.split("<details>").next().unwrap_or_default();
        let list = "**Scheduled changes to guarded roles**\n\n- `2027-01-01` `bo@acme.example` gains `Admin` (`users.toml:3`)\n";
        assert!(expanded.contains(list), "{comment}");
    }
    let text = scene.run("plan").exits(0).stdout.clone();
    let line = "  2027-01-01  bo@acme.example  role Member → Admin   gains Admin   users.toml:3\n";
    assert!(text.contains(line), "{text}");
    let log = scene.run("plan --format github").exits(0).stdout.clone();
    assert!(log.contains("2027-01-01: role Member → Admin; gains Admin"), "{log}");

    // If the pull request doesn't cause the scheduled change, the title doesn't mention it.
    let unrelated = scene.run("plan --base users.toml --format markdown").exits(0).stdout.clone();
    assert!(unrelated.contains("### Nothing to change\n"), "{unrelated}");
}

#[test]
fn a_plan_can_be_made_for_another_day() {
    let away = r#"{ windows = [{ from = 2026-12-20, until = 2027-01-03, status = "out_of_office", then = "active" }] }"#;
    let scene = on("2026-11-20T08:00:00Z", away);
    let run = scene.run("plan --at 2026-12-20 --detailed-exitcode");
    run.exits(2);
    assert!(run.stdout.starts_with(&format!(
        "rolecall plan · Acme (org_1, {}) · 1 declared · as on 2026-12-20\n",
        scene.host()
    )));
    scene.run("plan --at 2026-12-19T23:59:59 --detailed-exitcode").exits(0);
    scene.run("plan --at tomorrow").exits(64).names("commands::bad_time");
    let run = scene.run("plan --at 2027-02-30");
    run.exits(64).mentions("--at 2027-02-30 is not a real date");
}

#[test]
fn the_acknowledgment_of_a_later_plan_says_from_when_it_can_be_added() {
    let users = "[guardrails]\nmax_changes = 0\n[users]\n\"ana@acme.example\" = { role = \"Admin\", windows = [{ from = 2027-03-01, role = \"Member\" }] }\n";
    let pylon = r#"{ "users": [
        { "id": "u_ana", "email": "ana@acme.example", "role": "admin" },
        { "id": "u_ben", "email": "ben@acme.example", "role": "admin" } ] }"#;
    let scene = Scene::with_pylon(pylon).file("users.toml", users);
    let soon =
        scene.file("users.toml", users.replace("2027-03-01", "2026-11-25")).run("plan --at 2026-11-25");
    let remedy = "If this is intended, add this at the end of the root file:\n";
    assert!(
        soon.exits(3).stdout.contains(remedy) && !soon.stdout.contains("rolecall apply"),
        "{}",
        soon.stdout
    );
    let scene = Scene::with_pylon(pylon).file("users.toml", users);
    let later = scene.run("plan --at 2027-03-01").exits(3).stdout.clone();
    let remedy = "If this is intended, add this at the end of the root file on 2027-02-07 or later:\n";
    assert!(later.contains(remedy), "{later}");
    assert!(later.contains("expires = 2027-03-08  # at most 30 days ahead\n"), "{later}");
    let acknowledged = format!(
        "{users}[[acknowledge]]\nguardrail = \"max_changes\"\nup_to = 1\nreason = \"planned\"\nexpires = 2027-03-08\n"
    );
    let scene = scene.file("users.toml", acknowledged);
    scene.run("validate").exits(1).names("roster::expires_too_late");
    scene.run_in("validate", &[("ROLECALL_NOW", "2027-02-07T00:00:00Z")]).exits(0);
}

#[test]
fn apply_refuses_to_run_for_another_day() {
    let bo = "{ role = \"Admin\" }";
    let scene = on("2026-11-20T08:00:00Z", bo);
    scene.run("apply --auto-approve --journal first.jsonl").exits(0);
    let scene = scene.env("PYLON_BASE_URL", "https://pylon.invalid");
    for words in ["apply --auto-approve", "rollback first.jsonl --auto-approve"] {
        let run = scene.run(words);
        run.exits(1)
            .names("apply::fixed_clock")
            .mentions("ROLECALL_NOW sets the time to 2026-11-20T08:00:00Z");
    }
    scene.run("apply --auto-approve --sandbox").exits(0);
}

#[test]
fn an_invalid_instant_is_an_error() {
    let scene = Scene::offline().file("users.toml", "");
    let stands_for =
        |value: &OsStr| scene.command(&["validate"]).env("ROLECALL_NOW", value).output().unwrap();
    let mut values = vec![OsStr::new("tomorrow")];
    #[cfg(unix)]
    values.push(std::os::unix::ffi::OsStrExt::from_bytes(b"2026-11-20T08:00:00Z\xff"));
    for value in values {
        let output = stands_for(value);
        assert_eq!(output.status.code(), Some(64), "{value:?}");
        assert!(
            String::from_utf8_lossy(&output.stderr).starts_with("ROLECALL_NOW is not a valid time: "),
            "{value:?}"
        );
    }
    assert_eq!(stands_for(OsStr::new("")).status.code(), Some(0));
}
