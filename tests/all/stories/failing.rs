//! Tests for failures, such as faults in Pylon and an invalid token: the messages, the retries, and the protection of the token.

use std::fs;

use pretty_assertions::assert_eq;
use rolecall::report::Format;
use rolecall::sandbox::{ApiOperation, Fault, Faults};

use crate::builders::failures;
use crate::harness::{Scene, TOKEN, concurrently};

const PYLON: &str = r#"{ "organization": { "id": "org_1", "name": "Acme" }, "users": [
    { "id": "u_ana", "email": "ana@acme.example", "name": "Ana", "role": "member" },
    { "id": "u_bo", "email": "bo@acme.example", "name": "Bo", "role": "member" } ] }"#;
const USERS: &str =
    "[users]\n\"ana@acme.example\" = { role = \"Viewer\" }\n\"bo@acme.example\" = { role = \"Viewer\" }\n";

fn scene() -> Scene {
    Scene::with_pylon(PYLON).file("users.toml", USERS)
}

fn troubled(faults: Faults) -> Scene {
    Scene::with_troubled_pylon(PYLON, faults).file("users.toml", USERS)
}

#[test]
fn after_any_fault_on_a_write_the_value_is_applied_once() {
    concurrently(failures().filter(|fault| *fault != Fault::StallApplied), |fault| {
        let scene = troubled(Faults::none().on(ApiOperation::UpdateUser).at(1, fault));
        let run = scene.run("apply --auto-approve");
        run.exits(0);
        assert!(run.stdout.contains("\n2 applied"), "{}:\n{}", fault.as_str(), run.stdout);
        let applied_first = fault.is_applied_first();
        assert_eq!(
            scene.patches().len(),
            if applied_first { 2 } else { 3 },
            "{}: {:?}",
            fault.as_str(),
            scene.patches()
        );
    });
}

#[test]
fn after_any_fault_on_a_read_it_is_retried() {
    concurrently(failures().filter(|fault| *fault != Fault::StallApplied), |fault| {
        let scene = troubled(Faults::none().on(ApiOperation::SearchUsers).at(1, fault));
        scene.run("plan --detailed-exitcode").exits(2);
        let searches = scene.asked().iter().filter(|asked| *asked == "POST /users/search").count();
        assert_eq!(searches, 2, "{}", fault.as_str());
    });
}

#[test]
fn a_wrong_token_error_shows_status_code_request_and_remedy() {
    let scene = scene().env("PYLON_API_TOKEN", "pylon_not_this_one");
    let run = scene.run("apply --auto-approve");
    run.exits(1).names("pylon::bad_credentials");
    run.mentions("Pylon returned 401 invalid_api_token");
    run.mentions("(request ").mentions("ask an Admin to create a new token");
    assert!(!run.stderr.contains("not_this_one"), "{}", run.stderr);
}

#[test]
fn a_token_of_the_other_region_is_reported_without_trying_that_host() {
    let scene = scene().env("PYLON_API_TOKEN", &format!("{TOKEN}-other-region"));
    let run = scene.run("plan");
    run.exits(1).names("pylon::wrong_region").mentions("use a token for this region.");
}

#[test]
fn a_missing_token_is_reported_before_any_request() {
    let scene = scene().env("PYLON_API_TOKEN", "");
    scene.run("plan").exits(1).names("pylon::no_token");
    assert_eq!(scene.asked(), Vec::<String>::new());
}

#[test]
fn a_token_may_come_from_a_file_or_from_standard_input() {
    let scene = scene().env("PYLON_API_TOKEN", "").file("token", format!("{TOKEN}\n"));
    scene.run("plan --token-file token").exits(0);
    scene.run_with(&["plan", "--token-file", "-"], &format!("{TOKEN}\n")).exits(0);
    scene.run("plan --token-file nowhere").exits(1).names("pylon::no_token");
    scene.run_with(&["plan", "--token-file", "-"], "two words\n").exits(1).names("pylon::bad_token");
}

#[test]
fn a_token_that_is_also_in_a_file_is_not_printed() {
    let lines = [
        format!("\"bo@acme.example\" = {{ role = \"{TOKEN}\" }}"),
        format!("\"bo@acme.example\" = {{ status = \"{TOKEN}\" }}"),
        format!("\"bo@acme.example\" = {{ role = \"{TOKEN}\", staus = \"away\" }}"),
        format!("\"bo@acme.example\" = {{ role = {TOKEN} }}"),
        format!("\"bo@acme.example\" = {{ windows = [ {{ until = \"{TOKEN}\", role = \"Viewer\" }} ] }}"),
        format!("\"{TOKEN}\" = {{}}"),
        format!("\"bo@acme.example\" = {{ \"{TOKEN}\" = 1 }}"),
        format!("\"bo@acme.example\" = {{}}\n[{TOKEN}]"),
        format!("\"bo@acme.example\" = {{}}\n[[acknowledge]]\nguardrail = \"{TOKEN}\""),
        format!(
            "\"bo@acme.example\" = {{ windows = [ {{ from = 2026-11-24, role = \"Viewer\", reason = \"{TOKEN}\" }} ] }}"
        ),
    ];
    for line in lines {
        let scene = scene().file("users.toml", format!("[users]\n{line}\n")).file("of-pylon", TOKEN);
        let told = |scene: &Scene, words: &[&str], stdin: &str| {
            let run = scene.run_with(words, stdin);
            format!("{}{}", run.stdout, run.stderr)
        };
        let formats = Format::ALL.map(|format| ["plan", "--format", format.as_str()]);
        let mut texts: Vec<String> = formats.iter().map(|words| told(&scene, words, "")).collect();
        texts.push(told(&scene, &["plan", "--color", "always", "--report", "text=plan.txt"], ""));
        texts.push(fs::read_to_string(scene.folder().join("plan.txt")).unwrap());
        texts.push(told(&scene, &["doctor"], ""));
        texts.push(told(&scene, &["fmt", "--diff"], ""));
        let scene = scene.env("PYLON_API_TOKEN", "");
        texts.push(told(&scene, &["plan", "--token-file", "of-pylon"], ""));
        texts.push(told(&scene, &["plan", "--token-file", "-"], TOKEN));
        let pieces: Vec<&str> = (8..=TOKEN.len()).map(|end| &TOKEN[end - 8..end]).collect();
        for text in texts {
            let piece = pieces.iter().find(|piece| text.contains(**piece));
            assert_eq!(piece, None, "of {line}:\n{text}");
        }
    }
    let run = scene()
        .file("users.toml", format!("[users]\n\"bo@acme.example\" = {{ role = \"{TOKEN}\" }}\n"))
        .run("plan");
    run.exits(1).mentions("the organization has no role `(not shown)");
}

#[test]
fn a_token_in_quotes_is_rejected() {
    let scene = scene().env("PYLON_API_TOKEN", &format!("\"{TOKEN}\""));
    let run = scene.run("plan");
    run.exits(1).names("pylon::bad_token");
    assert!(!run.stderr.contains(TOKEN), "{}", run.stderr);
}

#[test]
fn no_name_from_pylon_acts_as_a_command_of_a_github_runner() {
    let long = "y".repeat(99);
    let state = format!(
        r###"{{ "organization": {{ "id": "org_1", "name": "##[error]org" }}, "roles": [ {{ "id": "r1", "name": "{long} ::error::role", "slug": "r" }} ],
        "users": [ {{ "email": "bo@acme.example", "name": "::stop-commands::x ##[group]", "role": "r1", "status": "::x" }} ] }}"###
    );
    let is_command = |line: &str| line.trim_start().starts_with("::") || line.contains("##[");
    for users in ["\"bo@acme.example\" = { status = \"away\" }", "\"bo@acme.example\" = { role = \"##[x\" }"]
    {
        let scene = Scene::with_pylon(&state).file("users.toml", format!("[users]\n{users}\n"));
        for words in ["plan", "plan --format json", "apply --auto-approve"] {
            let run = scene.run(words);
            let commands: Vec<&str> =
                run.stdout.lines().chain(run.stderr.lines()).filter(|line| is_command(line)).collect();
            assert_eq!(commands, Vec::<&str>::new(), "`{words}` with {users}");
        }
    }
}

#[test]
fn a_suspended_organization_and_a_forbidden_write_say_what_to_do() {
    let suspended = PYLON.replacen('{', r#"{ "settings": { "standing": "suspended" },"#, 1);
    let run = Scene::with_pylon(&suspended).file("users.toml", USERS).run("plan");
    run.exits(1)
        .names("pylon::suspended")
        .mentions("help: the organization is suspended or deactivated in Pylon");

    let forbidden = PYLON.replacen('{', r#"{ "settings": { "token_can_write": false },"#, 1);
    let scene = Scene::with_pylon(&forbidden).file("users.toml", USERS);
    let run = scene.run("apply --auto-approve");
    run.exits(1);
    assert!(
        run.stdout.contains("rejected: PATCH /users/u_ana returned 403 permission_denied"),
        "{}",
        run.stdout
    );
}

#[test]
fn an_unreachable_host_is_reported_within_seconds() {
    // Nothing should be listening on a port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let scene = scene().env("PYLON_BASE_URL", &format!("http://127.0.0.1:{port}"));
    let run = scene.run("plan");
    run.exits(1).names("pylon::unreachable");
    run.mentions(&format!("Pylon cannot be reached: 127.0.0.1:{port} refused the connection"));
}

#[test]
fn the_token_is_not_sent_over_plain_http() {
    for url in ["http://api.usepylon.com", "ftp://x.example", "not a url", "https://user:pass@x.example"] {
        let scene = scene().env("PYLON_BASE_URL", url);
        let run = scene.run("plan");
        run.exits(1).names("pylon::bad_base_url");
        assert!(!run.stderr.contains("pass@"), "{}", run.stderr);
    }
}

#[test]
fn not_effective_and_reverted_changes_are_reported_as_such() {
    let scim = r#"{ "users": [ { "id": "u_bo", "email": "bo@acme.example", "name": "Bo", "role": "member", "scim_roles": ["member"], "role_from_scim": true } ] }"#;
    let scene =
        Scene::with_pylon(scim).file("users.toml", "[users]\n\"bo@acme.example\" = { role = \"Viewer\" }\n");
    let run = scene.run("apply --auto-approve");
    run.exits(4);
    assert!(run.stdout.contains("not effective: Pylon accepted the change"), "{}", run.stdout);
    let next = "If the person's only role comes from SCIM, remove the person from the files.";
    assert!(run.stdout.contains(next), "{}", run.stdout);

    let hours = r#"{ "users": [ { "id": "u_bo", "email": "bo@acme.example", "name": "Bo", "role": "member", "support_hours": "active" } ] }"#;
    let scene =
        Scene::with_pylon(hours).file("users.toml", "[users]\n\"bo@acme.example\" = { status = \"away\" }\n");
    let run = scene.run("apply --auto-approve");
    run.exits(4);
    assert!(run.stdout.contains("reverted: the change was applied"), "{}", run.stdout);
}

#[test]
fn a_role_that_a_scim_group_also_grants_is_not_reported_as_lost() {
    let pylon = r#"{ "users": [
        { "id": "u_ana", "email": "ana@acme.example", "name": "Ana", "role": "admin" },
        { "id": "u_ben", "email": "ben@acme.example", "name": "Ben", "role": "admin" },
        { "id": "u_cy", "email": "cy@acme.example", "name": "Cy", "role": "admin", "scim_roles": ["admin"] } ] }"#;
    let users = "[users]\n\"ana@acme.example\" = { role = \"Admin\" }\n\"ben@acme.example\" = { role = \"Admin\" }\n\
                 \"cy@acme.example\" = { role = \"Member\" }\n";
    let scene = Scene::with_pylon(pylon).file("users.toml", users);
    let run = scene.run("apply --auto-approve");
    run.exits(4);
    assert!(run.stdout.contains("  ! cy@acme.example  Cy   loses Admin\n"), "{}", run.stdout);
    let still = "      not effective: the new role is assigned, but a SCIM group still grants the old one\n";
    assert!(run.stdout.contains(still), "{}", run.stdout);
    assert!(run.stdout.contains("\n1 not effective · 2 in sync\n"), "{}", run.stdout);
    assert!(
        run.stdout.contains(
            "If a SCIM group still grants the old role, take the role away in your identity provider."
        ),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains("declare the value"), "{}", run.stdout);
    scene.run("plan --detailed-exitcode").exits(0);
}

#[test]
fn people_with_the_same_result_are_listed_under_one_message() {
    let people: Vec<String> = (0..12)
        .map(|n| format!(r#"{{ "id": "u_{n}", "email": "p{n:02}@acme.example", "name": "P", "role": "member", "role_from_scim": true }}"#))
        .collect();
    let declared: Vec<String> =
        (0..12).map(|n| format!("\"p{n:02}@acme.example\" = {{ role = \"Viewer\" }}\n")).collect();
    let users = format!("[guardrails]\nmax_changes = 12\n[users]\n{}", declared.concat());
    let scene =
        Scene::with_pylon(&format!("{{ \"users\": [{}] }}", people.join(","))).file("users.toml", users);
    let run = scene.run("apply --auto-approve --report markdown=a.md");
    run.exits(4);
    let sentence =
        "not effective: Pylon accepted the change but still has a different value; a SCIM group may set it";
    let times = |text: &str, part: &str| text.matches(part).count();
    assert_eq!(times(&run.stdout, sentence), 1, "{}", run.stdout);
    assert!(run.stdout.contains(&format!("\n12 not effective · 0 in sync\n{sentence} (12 people)\n")));
    assert_eq!(times(&run.stdout, "\n      not effective\n"), 12, "{}", run.stdout);
    let comment = fs::read_to_string(scene.folder().join("a.md")).unwrap();
    assert_eq!(times(&comment, sentence), 1, "{comment}");
    assert!(
        comment.contains(&format!("> - 12 people: `{sentence}` (`p00@acme.example`, `p01@acme.example`, ")),
        "{comment}"
    );
    assert!(comment.contains("`p09@acme.example` and 2 more)\n"), "{comment}");
    assert_eq!(times(&comment, "] # P: not effective\n"), 12, "{comment}");
}

#[test]
fn after_an_apply_the_comment_begins_with_what_is_not_applied() {
    let pylon = r#"{ "users": [
        { "id": "u_ana", "email": "ana@acme.example", "name": "Ana", "role": "admin" },
        { "id": "u_ben", "email": "ben@acme.example", "name": "Ben", "role": "admin" },
        { "id": "u_cy", "email": "cy@acme.example", "name": "Cy", "role": "member" },
        { "id": "u_dee", "email": "dee@acme.example", "name": "Dee", "role": "member", "role_from_scim": true } ] }"#;
    let users = "[guardrails]\nkeep_at_least = { Admin = 1 }\n[users]\n\"ana@acme.example\" = { role = \"Admin\" }\n\
                 \"ben@acme.example\" = { role = \"Member\" }\n\"cy@acme.example\" = { role = \"Viewer\" }\n\
                 \"dee@acme.example\" = { role = \"Admin\" }\n";
    let scene = Scene::with_pylon(pylon).file("users.toml", users);
    scene.run("apply --auto-approve --report markdown=a.md").exits(4);
    let comment = fs::read_to_string(scene.folder().join("a.md")).unwrap();
    let title = "### 2 of 3 changes applied · 1 loses `Admin` · 1 gains `Admin` (not applied)\n";
    assert!(comment.contains(title), "{comment}");
    let rows: Vec<&str> = comment.lines().filter(|line| line.starts_with("| `")).collect();
    let starts = ["| `dee@acme.example`", "| `ben@acme.example`", "| `cy@acme.example`"];
    let ends = [" **not effective** |", " applied |", " applied |"];
    assert_eq!(rows.len(), 3, "{comment}");
    for ((row, start), end) in rows.iter().zip(starts).zip(ends) {
        assert!(row.starts_with(start) && row.ends_with(end), "{comment}");
    }
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_exits_with_failure_and_no_message() {
    let scene = scene();
    for (words, code) in [("plan", 1), ("--help", 1), ("plan --frob", 64), ("apply --auto-approve", 4)] {
        // Close the reading end first. Otherwise, a fast command could finish before the reading end is closed.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = scene.command(&words.split(' ').collect::<Vec<_>>()).stdout(writer).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{words}");
        assert_eq!(output.stderr.is_empty(), code != 64, "{words}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_report_that_cannot_be_written_is_a_failure() {
    let scene = scene();
    for (words, code) in [("plan", 1), ("man", 1), ("--help", 1), ("apply --auto-approve", 4)] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let words: Vec<&str> = words.split(' ').collect();
        let output = scene.command(&words).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{words:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("Cannot write the report"), "{words:?}");
    }
}

#[test]
fn failures_of_many_people_are_one_message_with_an_example_request() {
    let people: String = (0..5)
        .map(|number| {
            format!(
                ", {{ \"id\": \"u_{number}\", \"email\": \"p{number}@acme.example\", \"role\": \"member\" }}"
            )
        })
        .collect();
    let pylon = format!(
        r#"{{ "users": [ {{ "email": "x@acme.example", "role": "admin" }}, {{ "email": "y@acme.example", "role": "admin" }}{people} ] }}"#
    );
    let users: String =
        (0..5).map(|number| format!("\"p{number}@acme.example\" = {{ role = \"Viewer\" }}\n")).collect();
    let scene = Scene::with_pylon(&pylon).file("users.toml", format!("[users]\n{users}"));
    scene.pylon(|world| world.settings.token_can_write = false);
    let run = scene.run("apply --auto-approve --report json=report.json --report markdown=report.md");
    run.exits(1);
    let shared = "rejected: PATCH /users/{id} returned 403 permission_denied: this token may not change users (for example request ";
    let markdown = fs::read_to_string(scene.folder().join("report.md")).unwrap();
    for text in [&run.stdout, &markdown] {
        assert_eq!(text.matches(shared).count(), 1, "{text}");
        assert!(!text.contains("PATCH /users/u_0 "), "{text}");
    }
    let report: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(scene.folder().join("report.json")).unwrap()).unwrap();
    let ids = report["changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|change| change["outcome"]["request_id"].as_str());
    assert!(ids.collect::<std::collections::BTreeSet<_>>().len() >= 3, "{report}");
}

#[test]
fn the_next_step_fits_the_outcome_and_is_printed_once() {
    let remedy = |scene: &Scene, words: &str, exit: i32| {
        let texts = scene.reports_for_people(words, exit);
        texts.into_iter().map(|text| text.replace('`', "")).collect::<Vec<_>>()
    };
    // Every change fails with a 403, so the report contains only one remedy.
    let forbidden = scene();
    forbidden.pylon(|world| world.settings.token_can_write = false);
    for text in remedy(&forbidden, "apply --auto-approve", 1) {
        assert_eq!(text.matches("se a token created by an Admin").count(), 1, "{text}");
    }
    // The change has no effect, so the report must not suggest another apply.
    let scim = r#"{ "users": [ { "id": "u_bo", "email": "bo@acme.example", "role": "member", "scim_roles": ["member"], "role_from_scim": true } ] }"#;
    let ineffective =
        Scene::with_pylon(scim).file("users.toml", "[users]\n\"bo@acme.example\" = { role = \"Viewer\" }\n");
    for text in remedy(&ineffective, "apply --auto-approve", 4) {
        assert!(text.contains("something else sets the value. Change it there"), "{text}");
        assert!(!text.contains("apply again") && !text.contains("rolecall apply again"), "{text}");
    }
    // A guardrail blocks the plan.
    let refused = scene().file("users.toml", format!("[guardrails]\nmax_changes = 1\n{USERS}"));
    for text in remedy(&refused, "apply --auto-approve", 3) {
        assert_eq!(text.matches("Nothing was changed.").count(), 1, "{text}");
    }
    for text in remedy(&refused, "plan", 3) {
        assert!(!text.contains("Nothing was changed."), "{text}");
    }
}
