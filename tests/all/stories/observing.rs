//! Tests for reading Pylon: every version of the API, secondary addresses, missing people, and incomplete responses.

use pretty_assertions::assert_eq;
use rolecall::sandbox::{Fault, Faults, SandboxState};

use crate::harness::Scene;

const PEOPLE: &str = r#"
    { "id": "u_ana", "email": "ana@acme.example", "name": "Ana Silva", "role": "admin" },
    { "id": "u_ben", "email": "ben@acme.example", "name": "Ben Okafor", "role": "admin" },
    { "id": "u_bo", "email": "bo@acme.example", "emails": ["b.lindqvist@acme.example"], "name": "Bo Lindqvist", "role": "viewer" },
    { "id": "u_cy", "email": "cy@acme.example", "name": "Cy Ortega", "role": "member", "deactivated": true },
    { "id": "u_dee", "email": "dee@acme.example", "name": "Dee Brown", "role": "member" }
"#;

fn pylon(more: &str) -> Scene {
    Scene::with_pylon(&format!(
        r#"{{ {more} "organization": {{ "id": "org_1", "name": "Acme" }}, "users": [{PEOPLE}] }}"#
    ))
}

#[test]
fn every_date_of_the_api_gives_the_same_changes() {
    for era in ["2026-10", "2026-07", "2026-04"] {
        let scene = pylon(&format!(r#""api": "{era}","#))
            .file("users.toml", "[users]\n\"bo@acme.example\" = { role = \"Member\" }\n\"dee@acme.example\" = { status = \"away\" }\n");
        scene.run("apply --auto-approve").exits(0);
        assert_eq!(
            scene.patches(),
            [r#"/users/u_bo {"role_id":"role_member"}"#, r#"/users/u_dee {"status":"away"}"#],
            "{era}"
        );
        scene.run("plan --detailed-exitcode").exits(0);
    }
}

#[test]
fn a_person_found_under_another_address_is_shown_as_such() {
    let scene =
        pylon("").file("users.toml", "[users]\n\"b.lindqvist@acme.example\" = { role = \"viewer\" }\n");
    scene.run("plan").exits(0).says(
        &"
rolecall plan · Acme (org_1, HOST) · 1 declared

  = b.lindqvist@acme.example  Bo Lindqvist (in Pylon: bo@acme.example)   users.toml:2

nothing to change · 1 in sync · 3 unmanaged
Unmanaged: ana@acme.example, ben@acme.example, dee@acme.example
Guarded roles that the files do not declare (2):
  ana@acme.example holds Admin (unmanaged)
  ben@acme.example holds Admin (unmanaged)
Guardrails pass: 0 of 1 change (limit 10), 2 Admins remain (minimum 2).
"
        .replace("HOST", &scene.host()),
    );
}

#[test]
fn one_person_under_two_addresses_is_an_error_that_shows_both() {
    let scene = pylon("")
        .file("users.toml", "[users]\n\"bo@acme.example\" = {}\n\"b.lindqvist@acme.example\" = {}\n");
    let run = scene.run("plan");
    run.exits(1).names("plan::declared_twice");
    run.mentions("users.toml:2:1").mentions("users.toml:3:1");
}

/// Extracts the locations of each problem from a JSON report, in the report's order. Each location is a line number and a label.
fn messages_about_places(run: &crate::harness::Run) -> Vec<Vec<(u64, String)>> {
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let problems = report["problems"].as_array().unwrap().iter();
    let places = |problem: &serde_json::Value| {
        let places = problem["places"].as_array().unwrap().iter();
        places
            .map(|place| (place["line"].as_u64().unwrap(), place["label"].as_str().unwrap().to_owned()))
            .collect()
    };
    problems.map(places).collect()
}

#[test]
fn of_two_addresses_of_one_person_the_secondary_one_is_marked() {
    let delete = |line| (line, "delete this one".to_owned());
    let keep = |line| (line, "keep this one, the primary address".to_owned());
    let same = |line| (line, "the same person".to_owned());
    for (addresses, said) in [
        (vec!["bo", "b.lindqvist"], vec![vec![delete(3), keep(2)]]),
        (vec!["b.lindqvist", "bo"], vec![vec![delete(2), keep(3)]]),
        (vec!["b.lindqvist", "bo.l"], vec![vec![delete(3), same(2)]]),
        (vec!["b.lindqvist", "bo", "bo.l"], vec![vec![delete(2), keep(3)], vec![delete(4), keep(3)]]),
    ] {
        let state = r#"{ "users": [ { "email": "bo@acme.example", "emails": ["b.lindqvist@acme.example", "bo.l@acme.example"], "role": "admin" } ] }"#;
        let rows: String = addresses.iter().map(|name| format!("\"{name}@acme.example\" = {{}}\n")).collect();
        let scene = Scene::with_pylon(state).file("users.toml", format!("[users]\n{rows}"));
        let run = scene.run("plan --format json");
        assert_eq!(messages_about_places(run.exits(1)), said, "{addresses:?}");
        assert!(run.stdout.contains("primary address, bo@acme.example"), "{}", run.stdout);
    }
}

#[test]
fn a_deactivated_person_may_have_no_name() {
    let organization = r#"{ "organization": { "id": "org_1", "name": "Acme" }, "users": [
        { "id": "u_ana", "email": "ana@acme.example", "name": "Ana Silva", "role": "admin" },
        { "id": "u_cy", "email": "cy@acme.example", "name": "", "role": "viewer", "deactivated": true } ] }"#;
    let scene = Scene::with_pylon(organization).file("users.toml", "[users]\n\"cy@acme.example\" = {}\n");
    for (format, line) in [
        ("text", "\n  ? cy@acme.example  deactivated in Pylon   users.toml:2\n"),
        ("github", "title=cy@acme.example::deactivated in Pylon\n"),
        ("markdown", "`cy@acme.example` (`users.toml:2`)\n"),
        ("json", "\"deactivated\": true,\n      \"name\": null,\n"),
    ] {
        let run = scene.run(&format!("plan --format {format}"));
        assert!(run.exits(0).stdout.contains(line), "{format}: {}", run.stdout);
    }
}

#[test]
fn people_not_found_are_searched_again_and_classified() {
    let scene = pylon("").file(
        "users.toml",
        "[users]\n\"cy@acme.example\" = {}\n\"dee@acme.exmaple\" = { role = \"Admin\" }\n",
    );
    scene.run("plan").exits(0).says(
        &"
rolecall plan · Acme (org_1, HOST) · 2 declared

  ? cy@acme.example   Cy Ortega, deactivated in Pylon   users.toml:2
  ? dee@acme.exmaple  not found in Pylon; did you mean dee@acme.example?   users.toml:3

nothing to change · 0 in sync · 1 not found · 1 deactivated · 4 unmanaged
Unmanaged: ana@acme.example, ben@acme.example, bo@acme.example, dee@acme.example
Guarded roles that the files do not declare (2):
  ana@acme.example holds Admin (unmanaged)
  ben@acme.example holds Admin (unmanaged)
Guardrails pass: 0 of 2 change (limit 10), 2 Admins remain (minimum 2).
"
        .replace("HOST", &scene.host()),
    );
    let expected = [
        "GET /me",
        "GET /user-roles",
        "GET /users",
        "GET /users",
        "POST /users/search",
        "POST /users/search",
    ];
    assert_eq!(scene.asked(), expected);
}

#[test]
fn reading_1000_people_takes_five_requests_and_each_change_one_patch() {
    let person = |number: usize| format!(r#"{{ "email": "p{number}@acme.example", "role": "member" }}"#);
    let people: Vec<String> = (0..1000).map(person).collect();
    let admins =
        r#"{ "email": "x@acme.example", "role": "admin" }, { "email": "y@acme.example", "role": "admin" }"#;
    let declared: String = (0..1000)
        .map(|number| {
            format!(
                "\"p{number}@acme.example\" = {{ role = \"{}\" }}\n",
                if number % 5 == 0 { "Viewer" } else { "Member" }
            )
        })
        .collect();
    let scene = Scene::with_pylon(&format!(r#"{{ "users": [{admins}, {}] }}"#, people.join(",")))
        .file("users.toml", format!("[users]\n{declared}"));
    scene.run("plan --detailed-exitcode").exits(2);
    assert_eq!(scene.arrivals().len(), 5, "{:?}", scene.asked());
    scene.run("apply --auto-approve --rate patch=1000").exits(0);
    assert_eq!(scene.patches().len(), 200);
    scene.run("apply --auto-approve").exits(0);
    assert_eq!(scene.patches().len(), 200, "the second run sends none");
}

#[test]
fn no_request_is_repeated_and_999_people_take_one_search() {
    for (count, searches) in [(10, 1), (1_000, 2), (10_000, 11)] {
        let scene = Scene::with_pylon(&SandboxState::invented(count).to_json());
        let people: Vec<String> = scene.pylon(|world| world.users().map(|person| person.email).collect());
        let rows: String = people.iter().map(|email| format!("\"{email}\" = {{}}\n")).collect();
        let scene = scene.file("users.toml", format!("[users]\n{rows}"));
        scene.run("plan").exits(0);
        let mut expected = vec!["GET /me", "GET /user-roles", "GET /users"];
        expected.resize(3 + searches, "POST /users/search");
        assert_eq!(scene.asked(), expected, "{count} people");
        let mut bodies: Vec<Vec<u8>> =
            scene.arrivals().into_iter().map(|arrival| arrival.request.body).collect();
        bodies.retain(|body| !body.is_empty());
        bodies.sort();
        bodies.dedup();
        assert_eq!(bodies.len(), searches, "each search asks for others");
    }
}

#[test]
fn a_listing_in_pages_is_read_to_its_end() {
    for era in ["2026-10", "2026-07", "2026-04"] {
        let scene = pylon(&format!(r#""api": "{era}", "settings": {{ "list_page": 2 }},"#))
            .file("users.toml", "[users]\n\"bo@acme.example\" = {}\n");
        let run = scene.run("plan");
        run.exits(0);
        assert!(run.stdout.contains(" unmanaged"), "{}", run.stdout);
        let pages = scene.asked().iter().filter(|asked| *asked == "GET /users").count();
        assert!(pages >= 2, "{pages} pages");
    }
}

#[test]
fn addresses_in_another_case_are_the_same_person() {
    let scene = pylon(r#""settings": { "search_ignores_case": false },"#)
        .file("users.toml", "[users]\n\"Dee@ACME.example\" = { role = \"Viewer\" }\n");
    scene.run("apply --auto-approve").exits(0);
    assert_eq!(scene.patches(), [r#"/users/u_dee {"role_id":"role_viewer"}"#]);
    scene.run("plan --detailed-exitcode").exits(0);
}

#[test]
fn a_search_refused_as_too_large_is_split() {
    let scene = pylon(r#""settings": { "max_filter_values": 1 },"#)
        .file("users.toml", "[users]\n\"bo@acme.example\" = { role = \"Member\" }\n\"dee@acme.example\" = { role = \"Viewer\" }\n\"ana@acme.example\" = {}\n");
    scene.run("apply --auto-approve").exits(0);
    assert_eq!(scene.patches().len(), 2);
}

#[test]
fn an_unknown_role_is_underlined_where_it_is_declared() {
    let scene = pylon("").file(
        "users.toml",
        "[users]\n\"bo@acme.example\" = { role = \"Amdin\" }\n\"dee@acme.example\" = { role = \"Amdin\" }\n",
    );
    scene.run("plan").exits(1).complains(
        "
plan::unknown_role

  × the organization has no role `Amdin` (used in 1 more place)
   ╭─[users.toml:2:30]
 2 │ \"bo@acme.example\" = { role = \"Amdin\" }
   ·                              ───┬───
   ·                                 ╰── no such role
   ╰────
  help: did you mean `Admin`? The roles are: Admin, Member, Viewer

To read about this code: `rolecall explain plan::unknown_role`
",
    );
}

#[test]
fn a_name_that_two_roles_share_is_an_error_that_lists_their_ids() {
    let roles = r#""roles": [ { "id": "r1", "name": "Lead", "slug": "lead-emea" }, { "id": "r2", "name": "Lead", "slug": "lead-amer" },
        { "id": "ra", "name": "Admin", "slug": "admin" } ],"#;
    let state = format!(r#"{{ {roles} "users": [ {{ "email": "bo@acme.example", "role": "r1" }} ] }}"#);
    let scene =
        Scene::with_pylon(&state).file("users.toml", "[users]\n\"bo@acme.example\" = { role = \"Lead\" }\n");
    let run = scene.run("plan");
    run.exits(1).names("plan::ambiguous_role");
    run.mentions("r1 (name Lead, slug lead-emea), r2 (name Lead, slug lead-amer)");
    scene
        .file("users.toml", "[users]\n\"bo@acme.example\" = { role = \"lead-amer\" }\n")
        .run("plan --detailed-exitcode")
        .exits(2);
}

#[test]
fn additional_roles_are_removed_unless_the_policy_says_otherwise() {
    let state = r#"{ "users": [ { "id": "u_bo", "email": "bo@acme.example", "name": "Bo", "role": ["member", "viewer"] } ] }"#;
    let users = "[users]\n\"bo@acme.example\" = { role = \"Member\" }\n";
    let enforced = Scene::with_pylon(state).file("users.toml", users);
    let run = enforced.run("plan --detailed-exitcode");
    run.exits(2);
    assert!(run.stdout.contains("role    Member, Viewer → Member"), "{}", run.stdout);

    let observed =
        Scene::with_pylon(state).file("users.toml", format!("[policy]\nextra_roles = \"observe\"\n{users}"));
    let run = observed.run("plan --detailed-exitcode");
    run.exits(0);
    assert!(
        run.stdout.contains("(observed, left alone)") && run.stdout.contains("1 observed"),
        "{}",
        run.stdout
    );

    let ignored =
        Scene::with_pylon(state).file("users.toml", format!("[policy]\nextra_roles = \"ignore\"\n{users}"));
    let run = ignored.run("plan --detailed-exitcode");
    run.exits(0);
    assert!(!run.stdout.contains("Viewer"), "{}", run.stdout);
    assert!(
        run.stdout.contains("nothing to change · 0 in sync · 1 ignored by policy"),
        "the difference is counted: {}",
        run.stdout
    );
}

#[test]
fn role_drift_and_additional_roles_have_separate_policies() {
    let state = r#"{ "users": [
        { "id": "u_bo", "email": "bo@acme.example", "role": "viewer" },
        { "id": "u_cy", "email": "cy@acme.example", "role": ["member", "viewer"] } ] }"#;
    for (policy, changed) in [("role", "u_cy"), ("extra_roles", "u_bo")] {
        let users = format!(
            "[policy]\n{policy} = \"observe\"\n[users]\n\"bo@acme.example\" = {{ role = \"Member\" }}\n\"cy@acme.example\" = {{ role = \"Member\" }}\n"
        );
        let scene = Scene::with_pylon(state).file("users.toml", users);
        scene.run("apply --auto-approve").exits(0);
        assert_eq!(scene.patches(), [format!("/users/{changed} {{\"role_id\":\"role_member\"}}")]);
    }
}

#[test]
fn a_role_from_scim_is_shown_but_never_changed() {
    let state = r#"{ "users": [ { "id": "u_bo", "email": "bo@acme.example", "name": "Bo", "role": "member", "scim_roles": ["viewer"] } ] }"#;
    let scene =
        Scene::with_pylon(state).file("users.toml", "[users]\n\"bo@acme.example\" = { role = \"Member\" }\n");
    scene.run("plan --detailed-exitcode").exits(0);
    let scene = scene.file("users.toml", "[users]\n\"bo@acme.example\" = { role = \"Admin\" }\n");
    let run = scene.run("plan --detailed-exitcode");
    run.exits(2);
    assert!(
        run.stdout.contains("role    Member → Admin   users.toml:2, has Viewer through SCIM"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_missing_person_is_reported_without_retries_in_every_form_of_an_empty_result() {
    for form in ["omitted", "null", "list"] {
        let scene = pylon(&format!(r#""settings": {{ "empty_data": "{form}" }},"#))
            .file("users.toml", "[users]\n\"typo@acme.example\" = {}\n");
        for command in ["plan --blame", "apply --auto-approve"] {
            let run = scene.run(command);
            run.exits(0);
            assert!(run.stdout.contains("? typo@acme.example  not found in Pylon"), "{form}: {}", run.stdout);
        }
        let searches = scene.asked().iter().filter(|asked| *asked == "POST /users/search").count();
        assert_eq!(searches, 4, "{form}: one search and one confirmation per run");
    }
}

#[test]
fn a_page_without_data_is_requested_again() {
    let every_endpoint = || Faults::none().at(2, Fault::PageWithoutData).at(4, Fault::PageWithoutData);
    let scene = Scene::with_troubled_pylon(
        &format!(r#"{{ "settings": {{ "list_page": 2 }}, "users": [{PEOPLE}] }}"#),
        every_endpoint(),
    )
    .file("users.toml", "[users]\n\"bo@acme.example\" = { role = \"Member\" }\n");
    scene.run("plan --detailed-exitcode").exits(2);
}

#[test]
fn users_without_an_address_are_neither_unmanaged_nor_imported() {
    let integrations: Vec<String> =
        (0..40).map(|number| format!(r#"{{ "kind": "integration", "name": "Sync {number}" }}"#)).collect();
    let state = format!(
        r#"{{ "users": [ {}, {{ "email": "ana@acme.example", "role": "admin" }}, {{ "email": "ben@acme.example", "role": "admin" }} ] }}"#,
        integrations.join(",")
    );
    let users = "[guardrails]\nunmanaged = \"block\"\n[users]\n\"ana@acme.example\" = {}\n\"ben@acme.example\" = {}\n";
    let scene = Scene::with_pylon(&state).file("users.toml", users);
    let run = scene.run("plan");
    run.exits(0);
    assert!(run.stdout.contains("nothing to change · 2 in sync · 40 integration users\n"), "{}", run.stdout);
    let run = scene.run("plan --verbose --format json");
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["integration_users"].as_array().unwrap().len(), 40);
    let named =
        run.stderr.lines().filter(|line| line.contains("integration user, not a person: Sync ")).count();
    assert_eq!(named, 40, "{}", run.stderr);
    let run = scene.run("import --config new.toml");
    run.exits(0);
    let imported = std::fs::read_to_string(scene.folder().join("new.toml")).unwrap();
    assert_eq!(imported.matches('@').count(), 2, "{imported}");
}

#[test]
fn all_pages_of_roles_are_read_so_that_minimums_apply() {
    let scene = pylon(r#""settings": { "roles_page": 1 },"#)
        .file("users.toml", "[users]\n\"ana@acme.example\" = { role = \"Viewer\" }\n");
    let run = scene.run("apply --auto-approve");
    run.exits(3);
    assert!(run.stdout.contains("1 of 2 Admins remains (minimum 2)"), "{}", run.stdout);
    // Reading all roles takes three requests. Because the other Admin isn't declared, rolecall reads everything again and also
    // searches for that Admin, so there are six requests.
    assert_eq!(scene.asked().iter().filter(|asked| *asked == "GET /user-roles").count(), 6);
}

#[test]
fn verbose_prints_one_line_per_request_and_never_the_token_or_a_body() {
    let scene = pylon("").file("users.toml", "[users]\n\"bo@acme.example\" = { role = \"Member\" }\n");
    let run = scene.run("apply --auto-approve -v");
    run.exits(0);
    let requests: Vec<&str> =
        run.stderr.lines().filter(|line| line.contains(", attempt 1, request ")).collect();
    assert_eq!(requests.len(), scene.arrivals().len(), "{}", run.stderr);
    let patch = requests.iter().find(|line| line.contains("  PATCH /users/u_bo  200 after ")).unwrap();
    let (time, _) = patch.split_once("  ").unwrap();
    assert_eq!(time.len(), "12:04:05.123".len(), "{patch}");
    assert!(!run.stderr.contains("role_member") && !run.stderr.contains("pylon_story"), "{}", run.stderr);
}

#[test]
fn a_plan_names_the_first_unmanaged_people_and_lists_all_on_request() {
    let user = |number: usize| {
        format!(r#"{{ "id": "u_{number:02}", "email": "p{number:02}@acme.example", "role": "member" }}"#)
    };
    let users: Vec<String> = (0..15).map(user).collect();
    let roster = |rule: &str| {
        let guardrails = format!("[guardrails]\nunmanaged = \"{rule}\"\nkeep_at_least = {{ Admin = 0 }}\n");
        format!("{guardrails}[users]\n\"p00@acme.example\" = {{}}\n")
    };
    let scene = Scene::with_pylon(&format!(r#"{{ "users": [ {} ] }}"#, users.join(", ")));
    let scene = scene.file("users.toml", roster("report"));
    let prints = |scene: &Scene, command: &str, text: &str| {
        let run = scene.run(command);
        assert!(run.stdout.contains(text), "{command}: {text:?} is missing in\n{}", run.stdout);
    };
    let named: Vec<String> = (1..13).map(|number| format!("p{number:02}@acme.example")).collect();
    let named = format!("14 unmanaged\nUnmanaged: {} and 2 more (", named.join(", "));
    prints(&scene, "plan", &format!("{named}--list-unmanaged lists them)\n"));
    let hint = "`rolecall plan --list-unmanaged` lists them)\n";
    prints(&scene, "apply --auto-approve", &format!("{named}{hint}"));
    let listed: String = (1..15).map(|number| format!("  p{number:02}@acme.example\n")).collect();
    prints(&scene, "plan --list-unmanaged", &format!("14 unmanaged\nUnmanaged (14):\n{listed}"));

    let scene = scene.file("users.toml", roster("ignore"));
    assert!(!scene.run("plan --list-unmanaged").stdout.contains("nmanaged"));
    let scene = scene.file("teams/users.toml", roster("block"));
    let remedy = "Declare them with `rolecall import --update --into FILE -c teams/users.toml`. If this is intended, add this";
    prints(&scene, "plan -c teams/users.toml", remedy);
}

#[test]
fn holders_of_a_guarded_role_that_the_files_do_not_declare_are_listed() {
    let pylon = r#"{ "users": [
        { "id": "u_ana", "email": "ana@acme.example", "name": "Ana", "role": "admin" },
        { "id": "u_ben", "email": "ben@acme.example", "name": "Ben", "role": "admin", "scim_roles": ["admin"] },
        { "id": "u_eve", "email": "eve@acme.example", "name": "Eve", "role": "member", "scim_roles": ["admin"] },
        { "id": "u_mo", "email": "mo@acme.example", "name": "Mo", "role": "admin" },
        { "id": "u_jo", "email": "jo@acme.example", "name": "Jo", "role": "member" } ] }"#;
    let users = "[users]\n\"ana@acme.example\" = { role = \"Admin\" }\n\"ben@acme.example\" = { role = \"Admin\" }\n\
                 \"eve@acme.example\" = { role = \"Member\" }\n";
    let scene = Scene::with_pylon(pylon).file("users.toml", users);
    let plan = scene.run("plan").exits(0).stdout.clone();
    let listed = "Unmanaged: jo@acme.example, mo@acme.example\n\
                  Guarded roles that the files do not declare (2):\n  eve@acme.example holds Admin through SCIM\n  \
                  mo@acme.example holds Admin (unmanaged)\nGuardrails pass";
    assert!(plan.contains(listed), "{plan}");
    let comment = scene.run("plan --format markdown").stdout.clone();
    let expanded = comment.split("<details>").next().unwrap_or_default();
    assert!(expanded.contains("- `mo@acme.example` holds `Admin` (unmanaged)\n"), "{comment}");

    let ignoring = format!("[guardrails]\nunmanaged = \"ignore\"\n{users}");
    let scene = Scene::with_pylon(pylon).file("users.toml", ignoring);
    let plan = scene.run("plan").exits(0).stdout.clone();
    assert!(plan.contains("(1):\n  eve@acme.example holds Admin through SCIM\n"), "{plan}");
    let one = scene.run("plan --only ana@acme.example").exits(0).stdout.clone();
    assert!(!one.contains("do not declare"), "{one}");
}
