//! Tests for `explain`, `roles`, `agenda`, and `doctor`, with and without a file.

use pretty_assertions::assert_eq;

use crate::harness::{Scene, TOKEN};

const PYLON: &str = r#"{
  "organization": { "id": "org_1", "name": "Acme" }, "token_user": "u_ana",
  "roles": [ { "id": "r_admin", "name": "Admin", "slug": "admin" }, { "id": "r_member", "name": "Member", "slug": "member" },
             { "id": "r_lead1", "name": "Lead", "slug": "lead-emea" }, { "id": "r_lead2", "name": "Lead", "slug": "lead-amer" } ],
  "users": [
    { "id": "u_ana", "email": "ana@acme.example", "name": "Ana Silva", "role": "admin" },
    { "id": "u_ben", "email": "ben@acme.example", "name": "Ben Okafor", "role": "admin" },
    { "id": "u_bo", "email": "bo@acme.example", "emails": ["bo@acme.example", "b.lindqvist@acme.example"], "name": "Bo Lindqvist", "role": "lead-emea", "status": "away" } ] }"#;

const USERS: &str = r#"timezone = "Europe/Berlin"
[guardrails]
protected = ["ana@acme.example"]
[defaults]
role = "Member"
[users]
"ana@acme.example" = { role = "Admin" }
"ben@acme.example" = { role = "Admin" }
[users."B.Lindqvist@acme.example"]
windows = [{ from = 2026-12-20, until = 2027-01-03, status = "out_of_office", then = "active", reason = "leave" }]
"#;

fn scene() -> Scene {
    Scene::with_pylon(PYLON).file("users.toml", USERS)
}

#[test]
fn a_person_is_explained_from_the_files_pylon_and_the_calendar() {
    let scene = scene();
    scene.run("explain bo@acme.example").exits(0).says(
        &"
rolecall explain · bo@acme.example · Acme (org_1, HOST)

In Pylon
    name     Bo Lindqvist
    id       u_bo
    address  bo@acme.example
    also     b.lindqvist@acme.example
  ! found    by an address other than the primary one
    role     Lead (lead-emea)
    status   away

In the files now
    declared  B.Lindqvist@acme.example  under this address            users.toml:9
    role      Member                    from [defaults] of the file   users.toml:5
    status    (left alone)

What would change
  ! role  Lead (lead-emea) → Member   users.toml:5

Scheduled changes
    2026-12-20  status (left alone) → out_of_office   users.toml:10
    2027-01-03  status out_of_office → active         users.toml:10

Guardrails
  ✓ max_changes    1 of 3 change (limit 10)
  ✓ keep_at_least  2 Admins remain (minimum 2)

not in sync: see what would change
"
        .replace("HOST", &scene.host()),
    );
    assert_eq!(scene.patches(), Vec::<String>::new());
}

#[test]
fn explain_shows_the_guardrails_that_concern_a_person() {
    let run = scene().run("explain ana@acme.example");
    run.exits(0);
    assert!(
        run.stdout
            .contains("    protected      never changed unless acknowledged              users.toml:3\n"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains(
            "    token_owner    owns the token, so a plan that takes away Admin or a role with a minimum is blocked unless acknowledged\n"
        ),
        "{}",
        run.stdout
    );
}

#[test]
fn explain_counts_the_changes_of_everyone_because_an_apply_makes_them_all() {
    let scene = Scene::with_pylon(
        r#"{ "users": [
            { "email": "ana@acme.example", "role": "admin" }, { "email": "ben@acme.example", "role": "admin" },
            { "email": "bo@acme.example", "role": "viewer" } ] }"#,
    )
    .file(
        "users.toml",
        "[guardrails]\nmax_changes = 1\nkeep_at_least = { Admin = 1 }\n[users]\n\"ana@acme.example\" = { role = \"Viewer\" }\n\
         \"ben@acme.example\" = { role = \"Viewer\" }\n\"bo@acme.example\" = { role = \"Member\" }\n",
    );
    let run = scene.run("explain ana@acme.example");
    run.exits(0);
    for line in
        ["  ✗ max_changes    3 of 3 change (limit 1)", "  ✗ keep_at_least  0 of 2 Admins remain (minimum 1)"]
    {
        assert!(run.stdout.contains(line), "{}", run.stdout);
    }
    let json = scene.run("explain ana@acme.example --format json").stdout;
    let plan = &serde_json::from_str::<serde_json::Value>(&json).unwrap()["plan"];
    assert_eq!((&plan["blocked"], &plan["exit_code"]), (&true.into(), &3.into()));
    assert_eq!(plan["changes"].as_array().unwrap().len(), 1, "{plan}");
}

#[test]
fn an_unknown_address_is_an_error_with_a_suggestion() {
    let run = scene().run("explain bo@acme.exmaple");
    run.exits(1);
    assert!(
        run.stdout.contains("no person has this address\n      did you mean bo@acme.example?\n"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.ends_with("neither declared nor in Pylon\n"), "{}", run.stdout);
    let part = scene().run("explain zed");
    part.exits(1);
    assert!(part.stdout.ends_with("no name or address matches\n"), "{}", part.stdout);
    let domain = scene().run("explain acme");
    domain.exits(1);
    assert!(domain.stdout.contains("ana@acme.example"), "{}", domain.stdout);
    assert!(
        domain.stdout.ends_with("several people match; enter more of the name or address\n"),
        "{}",
        domain.stdout
    );
    let unknown = scene().run("explain nobody@acme.example");
    unknown.exits(1);
    assert!(!unknown.stdout.contains("did you mean"), "only the domain is similar: {}", unknown.stdout);
}

#[test]
fn roles_shows_counts_and_marks_unused_and_ambiguous_roles() {
    let scene = scene();
    scene.run("roles").exits(0).says(
        &"
rolecall roles · Acme (org_1, HOST)

    name    slug       id        holders  declared
    Admin   admin      r_admin   2        2
  ! Lead    lead-emea  r_lead1   1        0
      another role has the same name; use the slug or the ID in the files
  ! Lead    lead-amer  r_lead2   0        0         unused
      another role has the same name; use the slug or the ID in the files
    Member  member     r_member  0        1

4 roles · 1 unused · 2 with a duplicate name
"
        .replace("HOST", &scene.host()),
    );
    assert_eq!(scene.asked(), ["GET /me", "GET /user-roles", "GET /users"]);
}

#[test]
fn roles_fits_in_80_columns_even_if_ids_are_uuids() {
    let uuid = |number: u8| format!("{number:08x}-7b3f-4d52-9c61-0f2a4be81d37");
    let role = |number: u8, name: &str, slug: &str| {
        format!(r#"{{ "id": "{}", "name": "{name}", "slug": "{slug}" }}"#, uuid(number))
    };
    let (admin, support) = (role(1, "Admin", "admin"), role(2, "Support Engineer", "support-engineer"));
    let ana = r#"{ "id": "u_ana", "email": "ana@acme.example", "role": "admin" }"#;
    let scene = Scene::with_pylon(&format!(
        r#"{{ "token_user": "u_ana", "roles": [ {admin}, {support} ], "users": [ {ana} ] }}"#
    ));
    let run = scene.file("users.toml", "").run("roles");
    run.exits(0);
    let expected = format!(
        "    name              slug              holders  declared
    Admin             admin             1        0
      ID {}
    Support Engineer  support-engineer  0        0         unused
      ID {}
",
        uuid(1),
        uuid(2)
    );
    assert!(run.stdout.contains(&expected), "{}", run.stdout);
}

#[test]
fn an_error_code_can_be_explained_without_its_prefix() {
    let whole = Scene::offline().run("explain roster::bad_email");
    whole.exits(0);
    Scene::offline().run("explain bad_email").exits(0).says(&whole.stdout);
}

#[test]
fn roles_works_without_a_file() {
    let scene = Scene::with_pylon(PYLON);
    let run = scene.run("roles");
    run.exits(0);
    assert!(run.stdout.contains("    Admin   admin      r_admin   2\n"), "{}", run.stdout);
    scene.file("users.toml", "[users]\n\"ana@acme.example\" = { role = \"Wizard\" }\n").run("roles").exits(0);
}

#[test]
fn the_agenda_lists_scheduled_changes_offline_until_a_day() {
    let scene = Scene::offline().file("users.toml", USERS);
    scene.run("agenda").exits(0).says(
        "
rolecall agenda · users.toml · Europe/Berlin

  2026-12-20  B.Lindqvist@acme.example  status (left alone) → out_of_office   users.toml:10
  2027-01-03  B.Lindqvist@acme.example  status out_of_office → active   users.toml:10

2 scheduled changes in 1 window
",
    );
    let run = scene.run("agenda --until 2026-12-31");
    assert!(run.stdout.contains("1 scheduled change in 1 window\n"), "{}", run.stdout);
    scene
        .run("agenda --until 2026-12-20")
        .exits(0)
        .says("\nrolecall agenda · users.toml · Europe/Berlin · until 2026-12-20\n\nno scheduled changes\n");
    scene.run("agenda --until soon").exits(64).names("commands::bad_time");
}

#[test]
fn the_agenda_lists_only_changes_of_windows_and_each_of_them_once() {
    // The reset of Bo's status expires 48 hours after the first window. The agenda doesn't list that, because nothing changes
    // in Pylon then. Cy's second window starts at the instant when the first one ends, but that time is in another notation.
    let users = r#"[users]
"bo@acme.example" = { role = "Member", windows = [
  { from = 2026-11-29, until = 2026-12-01, status = "away", then = "active" },
  { from = 2026-12-03, role = "Viewer" },
] }
"cy@acme.example" = { role = "Lead", windows = [
  { until = 2026-12-01T00:00:00Z, role = "Viewer" },
  { from = 2026-12-01, role = "Member" },
] }
"#;
    Scene::offline().file("users.toml", users).run("agenda").exits(0).says(
        "
rolecall agenda · users.toml · UTC

  2026-11-29            bo@acme.example  status (left alone) → away   users.toml:3
  2026-12-01            bo@acme.example  status away → active   users.toml:3
  2026-12-01T00:00:00Z  cy@acme.example  role Viewer → Member   users.toml:8
  2026-12-03            bo@acme.example  role Member → Viewer   users.toml:4

4 scheduled changes in 4 windows
cy@acme.example has a window with no end   users.toml:8
bo@acme.example has a window with no end   users.toml:4
",
    );
}

#[test]
fn doctor_checks_everything_and_says_what_to_pin() {
    let scene = scene();
    let run = scene.run("doctor");
    run.exits(0);
    let milliseconds =
        |line: &str| line.starts_with("  ✓ Pylon           responds in ") && line.ends_with(" ms");
    let shown: String = run
        .stdout
        .lines()
        .map(|line| {
            if milliseconds(line) {
                "  ✓ Pylon           responds in N ms\n".to_owned()
            } else {
                format!("{line}\n")
            }
        })
        .collect();
    assert_eq!(
        shown,
        r#"
rolecall doctor

  ✓ files           1 file, 3 people declared: valid
  ✓ proxy           none: Pylon is on this machine
  ✓ certificates    not needed: plain http on this machine
  ✓ token and host  found a token for HOST
  ✓ Pylon           responds in N ms
    clock           not checked, because ROLECALL_NOW sets the time
    rate limit      not checked, because Pylon does not report it
  ! organization    Acme (org_1); the token belongs to user u_ana
      pin the files to this organization, so that they are never applied to another one:
      [workspace]
      organization = "org_1"
  ✓ people          3 people can be read
  ✓ roles           4 roles; 2 administrators
  ✓ token owner     ana@acme.example (Admin)
  ✓ journal         .rolecall can be written
    last apply      none recorded for this config (not counting runs with --journal)

no check failed; 1 warning
"#
        .trim_start()
        .replace("HOST", &scene.host())
    );
    assert_eq!(scene.patches(), Vec::<String>::new());
}

#[test]
fn doctor_warns_if_the_owner_of_the_token_is_not_an_admin() {
    let pylon = PYLON.replace(r#""token_user": "u_ana""#, r#""token_user": "u_bo""#);
    let run = Scene::with_pylon(&pylon).file("users.toml", USERS).run("doctor");
    let check = "  ! token owner     bo@acme.example (Lead (lead-emea))\n      Pylon may reject changes by this user (403)";
    assert!(run.exits(0).stdout.contains(check), "{}", run.stdout);
}

#[test]
fn doctor_checks_that_an_apply_could_write_its_journal() {
    let scene = Scene::with_pylon(PYLON).file("users.toml", USERS);
    scene.run("doctor").exits(0);
    assert!(!scene.folder().join(".rolecall").exists(), "the check leaves no trace");
    scene.run("apply --auto-approve").exits(0);
    assert!(scene.run("doctor").exits(0).stdout.contains("  ✓ journal         .rolecall can be written\n"));
    let scene = Scene::with_pylon(PYLON).file("users.toml", USERS).file(".rolecall", "");
    scene.run("apply --auto-approve").exits(1);
    let run = scene.run("doctor");
    run.exits(1);
    assert!(run.stdout.contains("  ✗ journal         "), "{}", run.stdout);
    assert!(run.stdout.contains("\n1 check failed"), "{}", run.stdout);
}

#[test]
fn doctor_reports_each_problem_with_a_remedy_and_continues() {
    let stray = "[users]\n\"ana@acme.example\" = { role = \"Wizard\" }\n";
    let pinned = format!("[workspace]\norganization = \"org_2\"\n{stray}");
    let ill = |users: &str, said: &[&str]| {
        let run = Scene::with_pylon(PYLON).file("users.toml", users).run("doctor");
        run.exits(1);
        said.iter().for_each(|said| assert!(run.stdout.contains(said), "{said}:\n{}", run.stdout));
    };
    ill(
        stray,
        &[
            "  ✗ declared roles  the files name roles that do not exist or are ambiguous: Wizard   users.toml:2\n      run `rolecall roles` to list",
        ],
    );
    ill(
        &pinned,
        &[
            "  ✗ organization      Acme (org_1); the token belongs to user u_ana   users.toml:2\n      the files are pinned",
            "    people and roles  skipped: the token is for another organization\n",
            "\n1 check failed\n",
        ],
    );
    let run = Scene::with_pylon(PYLON)
        .file("users.toml", "[users]\nbo = {}\n")
        .env("PYLON_API_TOKEN", "another_token")
        .run("doctor");
    run.exits(1);
    assert!(run.stdout.contains("  ✗ files  "), "{}", run.stdout);
    assert!(run.stdout.contains("  ✗ Pylon  "), "{}", run.stdout);
    let run = Scene::offline().run("doctor");
    run.exits(1);
    assert!(
        run.stdout.contains(
            "  ! files           users.toml does not exist\n      run `rolecall import` to create it"
        ),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("  ✗ token and host  no token is set\n"), "{}", run.stdout);
}

#[test]
fn doctor_with_invalid_files_guesses_no_region_and_advises_no_pin() {
    let users = "[workspace]\nregion = \"eu\"\norganization = \"org_2\"\n[user]\n";
    let scene = scene().file("users.toml", users);
    let known = scene.run("doctor");
    let organization = "    organization    Acme (org_1); the token belongs to user u_ana; cannot check what the files pin, because they are invalid\n";
    assert!(known.exits(1).stdout.contains(organization), "{}", known.stdout);
    let unknown = scene.env("PYLON_BASE_URL", "").run("doctor");
    unknown.exits(1).says(
        "
rolecall doctor

  ✗ files       1 problem, the first: the root file has no key `user`   users.toml:4
      run `rolecall validate` to see all problems and their line numbers
    Pylon       skipped, because the files are invalid and may pin a region: fix them, or pass --region
  ✓ journal     .rolecall can be written
    last apply  none recorded for this config (not counting runs with --journal)

1 check failed
",
    );
}

/// Each file in this test names an unknown role in a different place. `validate` works offline, so it accepts the file. `plan`,
/// `doctor`, and `roles` report the role.
#[test]
fn every_command_looks_up_a_role_wherever_it_is_named() {
    let acknowledged = "[[acknowledge]]\nguardrail = \"keep_at_least\"\nrole = \"Wizard\"\ndown_to = 0\nreason = \"r\"\nexpires = 2026-12-01\n";
    let person = |keys: &str| format!("[users]\n\"ana@acme.example\" = {{ {keys} }}\n");
    for (users, line) in [
        (person("role = \"Wizard\""), 2),
        (person("role = \"Admin\", windows = [{ from = 2027-12-01, role = \"Wizard\" }]"), 2),
        (format!("[guardrails]\nkeep_at_least = {{ Wizard = 1 }}\n{}", person("")), 2),
        (format!("{acknowledged}{}", person("")), 3),
        ("[guardrails]\nunmanaged = \"block\"\nkeep_at_least = { Wizard = 1 }\n".to_owned(), 3),
    ] {
        let scene = Scene::with_pylon(PYLON).file("users.toml", &users);
        scene.run("validate").exits(0);
        scene.run("plan").exits(1).names("plan::unknown_role").mentions(&format!("users.toml:{line}:"));
        let doctor = scene.run("doctor");
        doctor.exits(1);
        let said = format!("or are ambiguous: Wizard   users.toml:{line}\n");
        assert!(doctor.stdout.contains(&said), "{users}\n{}", doctor.stdout);
        let roles = scene.run("roles");
        assert!(
            roles.stdout.contains(" · 1 named in the files, but not found\n"),
            "{users}\n{}",
            roles.stdout
        );
        let in_a_sandbox = Scene::offline().file("users.toml", &users);
        in_a_sandbox
            .run("plan --sandbox")
            .exits(1)
            .names("plan::unknown_role")
            .mentions("`rolecall sandbox --write-state pylon.json`")
            .mentions("`rolecall import --state pylon.json`");
        let piped = in_a_sandbox.run_with(&["plan", "--sandbox", "--config", "-"], &users);
        piped.exits(1).mentions("`rolecall sandbox --write-state pylon.json -c -`");
    }
}

#[test]
fn doctor_shows_the_last_apply() {
    let scene = scene();
    scene.run("apply --auto-approve").exits(0);
    let run = scene.run("doctor");
    assert!(
        run.stdout.contains("  ✓ last apply      2026-11-20 08:00Z (not counting runs with --journal)\n"),
        "{}",
        run.stdout
    );
    let later = scene.env("ROLECALL_NOW", "2027-01-20T08:00:00Z");
    let run = later.run("doctor");
    assert!(
        run.stdout.contains(
            "  ! last apply      more than 30 days ago, 2026-11-20 08:00Z\n      check that the pipeline still runs\n"
        ),
        "{}",
        run.stdout
    );
}

#[test]
fn doctor_reports_an_unreadable_journal() {
    let scene = scene().file(".rolecall/journal/20261119T080000Z-1.jsonl", b"\xff\n");
    let run = scene.run("doctor");
    assert!(
        run.stdout.contains(
            "  ! last apply      its journal .rolecall/journal/20261119T080000Z-1.jsonl cannot be read: it has no valid first line\n"
        ),
        "{}",
        run.stdout
    );
    let listed = scene.run("rollback");
    listed.exits(0);
    assert!(
        listed.stdout.contains("unreadable\n      .rolecall/journal/20261119T080000Z-1.jsonl\n"),
        "{}",
        listed.stdout
    );
}

#[cfg(unix)]
#[test]
fn a_pipe_cannot_be_the_sandbox_state() {
    let scene = scene();
    let made = std::process::Command::new("mkfifo").arg(scene.folder().join("pipe")).status().unwrap();
    assert!(made.success());
    let run = scene.run("sandbox --state pipe");
    run.exits(1).names("sandbox::bad_state").mentions("cannot read pipe: it is not a regular file");
}

#[cfg(unix)]
#[test]
fn a_token_may_come_from_a_pipe_and_each_mistake_has_a_message() {
    let scene =
        scene().env("PYLON_API_TOKEN", "").file("token", TOKEN).file("bom", format!("\u{feff}{TOKEN}"));
    let ran = |script: &str| {
        let output = scene.shell(script).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(ran("cat token | \"$0\" plan --token-file /dev/stdin").0, Some(0));
    let (exit, complaint) = ran("\"$0\" plan --token-file bom");
    assert_eq!(exit, Some(1));
    assert!(complaint.contains("the token file bom starts with a byte-order mark (BOM)"), "{complaint}");
    let (exit, complaint) = ran("PYLON_BASE_URL=$(printf '\\377') \"$0\" plan");
    assert_eq!(exit, Some(64));
    assert!(
        complaint.contains("the value of PYLON_BASE_URL is not UTF-8; set it again or unset it"),
        "{complaint}"
    );
    let (exit, complaint) = ran("\"$0\" explain $(printf '\\377')");
    assert_eq!(exit, Some(64));
    assert!(complaint.contains("argument 2 is not UTF-8"), "{complaint}");
    let (exit, complaint) = ran("PYLON_API_TOKEN=$(printf 'pylon_\\377') \"$0\" plan");
    assert_eq!(exit, Some(1));
    assert!(complaint.contains("the value of PYLON_API_TOKEN is not UTF-8"), "{complaint}");
}

#[test]
fn doctor_warns_about_an_incomplete_apply() {
    let scim = r#"{ "users": [ { "id": "u_bo", "email": "bo@acme.example", "role": "member", "scim_roles": ["member"], "role_from_scim": true } ] }"#;
    let scene =
        Scene::with_pylon(scim).file("users.toml", "[users]\n\"bo@acme.example\" = { role = \"Viewer\" }\n");
    scene.run("apply --auto-approve").exits(4);
    let run = scene.run("doctor");
    assert!(
        run.stdout.contains(
            "  ! last apply      1 change not applied, 2026-11-20 08:00Z\n      run `rolecall plan` to see the current state; something else sets these values, so applying again\n      will not help\n"
        ),
        "{}",
        run.stdout
    );
}

/// The state of a sandbox in which two people share a secondary address.
const SHARED: &str = r#"{ "organization": { "id": "org_1", "name": "Acme" }, "users": [
    { "id": "u_ana", "email": "ana@acme.example", "emails": ["team@acme.example"], "name": "Ana", "role": "admin" },
    { "id": "u_ben", "email": "ben@acme.example", "emails": ["team@acme.example"], "name": "Ben", "role": "admin" } ] }"#;

#[test]
fn a_shared_address_is_not_reported_as_unknown() {
    let scene = Scene::with_pylon(SHARED).file("users.toml", "[users]\n\"ana@acme.example\" = {}\n");
    scene.run("explain team@acme.example --report json=e.json").exits(1).says(
        &"
rolecall explain · team@acme.example · Acme (org_1, HOST)

In Pylon
  ✗ several people have this address
      Ana (u_ana), ana@acme.example
      Ben (u_ben), ben@acme.example

In the files now
    no file declares this address

several people in Pylon have this address; use another of the person's addresses
"
        .replace("HOST", &scene.host()),
    );
    let report: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(scene.folder().join("e.json")).unwrap()).unwrap();
    assert_eq!(report["in_pylon"], serde_json::Value::Null);
    let several = report["several_in_pylon"].as_array().unwrap();
    let ids: Vec<&str> = several.iter().map(|person| person["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["u_ana", "u_ben"]);
}

#[test]
fn explain_omits_guardrails_about_a_person_with_a_similar_address() {
    let users = "[guardrails]\nprotected = [\"ana@gone.example\"]\n[users]\n\"a@gone.example\" = {}\n\"ana@acme.example\" = {}\n";
    let scene = Scene::with_pylon(SHARED).file("users.toml", users);
    let run = scene.run("explain a@gone.example");
    run.exits(0);
    assert!(!run.stdout.contains("ana@gone.example is protected"), "{}", run.stdout);
    let own = scene.file("users.toml", users.replace("ana@gone", "A@gone")).run("explain a@gone.example");
    own.exits(0);
    assert!(own.stdout.contains("A@gone.example is protected, but not found in Pylon"), "{}", own.stdout);
}

#[test]
fn explain_prints_the_page_of_an_error_in_every_format_without_files_or_pylon() {
    let scene = Scene::offline();
    scene.run("explain roster::bad_email").exits(0).says(
        "
rolecall explain · roster::bad_email

    What happened
      The text is not an email address.
    What to do
      Write the address that the person uses in Pylon.

docs/diagnostics.md lists all codes
",
    );
    for text in scene.reports_for_people("explain roster::syntax", 0) {
        let plain = text.replace("&quot;", "\"");
        assert!(plain.contains("Invalid TOML") && plain.contains("in JSON, YAML, or CSV"), "{text}");
    }
    let report = scene.run("explain roster::bad_email --format json").exits(0).stdout.clone();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["what_happened"], "The text is not an email address.");
    let unknown = scene.run("explain roster::bad_mail");
    unknown.exits(1).names("explain::unknown_code").mentions("did you mean roster::bad_email?");
}

#[test]
fn every_error_ends_with_the_command_that_explains_it() {
    let scene = Scene::offline();
    for words in ["validate", "plan", "plan --sandbox -c nowhere.toml", "rollback --last", "compare a b"] {
        let run = scene.run(words);
        let code = run.stderr.lines().next().unwrap().to_owned();
        let last = run.stderr.lines().last().unwrap();
        let command = last.split('`').nth(1).unwrap().strip_prefix("rolecall ").unwrap().to_owned();
        assert_eq!(command, format!("explain {code}"), "{}", run.stderr);
        assert!(scene.run(&command).exits(0).stdout.contains(&code));
    }
}

#[test]
fn a_part_of_a_name_or_address_finds_the_person_or_lists_the_candidates() {
    let scene = scene();
    for part in ["lindqvist", "LINDQ", "b.lind", "bo@"] {
        let run = scene.run(&format!("explain {part}"));
        assert!(
            run.exits(0).stdout.starts_with("rolecall explain · bo@acme.example · Acme"),
            "{part}: {}",
            run.stdout
        );
    }
    let scene = scene.file("users.toml", format!("{USERS}\n[users.\"bonnie@acme.example\"]\n"));
    let run = scene.run("explain bo");
    run.exits(1).says(
        &"
rolecall explain · bo · Acme (org_1, HOST)

Matching people
    bo@acme.example      Bo Lindqvist          declared
    bonnie@acme.example  (not found in Pylon)  declared

several people match; enter more of the name or address
"
        .replace("HOST", &scene.host()),
    );
    let report = scene.run("explain bo --format json").exits(1).stdout.clone();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["candidates"][0]["email"], "bo@acme.example");
    assert_eq!(report["candidates"][1]["name"], serde_json::Value::Null);
    assert!(scene.run("explain zebra").exits(1).stdout.contains("no person has this address"));
}

#[test]
fn explain_shows_since_when_a_person_has_been_declared_and_git_runs_nothing_else() {
    let scene = scene();
    let git = |words: &[&str]| {
        let mut git = std::process::Command::new("git");
        git.current_dir(scene.folder()).args([
            "-c",
            "user.name=Ana\u{1b}",
            "-c",
            "user.email=ana@acme.example",
        ]);
        git.env("GIT_AUTHOR_DATE", "2026-03-02T09:00:00Z").args(words);
        assert!(git.output().unwrap().status.success(), "{words:?}");
    };
    let run = || scene.run_in("explain ben@acme.example", &[("PATH", &std::env::var("PATH").unwrap())]);
    git(&["init", "-q"]);
    assert!(!run().exits(0).stdout.contains("line last changed on"), "the file is not committed");
    git(&["add", "users.toml"]);
    git(&["commit", "-q", "-m", "users: begin"]);
    let hook = scene.folder().join("hook");
    std::fs::write(&hook, format!("#!/bin/sh\ntouch {}/ran\n", scene.folder().display())).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    git(&["config", "core.fsmonitor", hook.to_str().unwrap()]);
    let shown = run().exits(0).stdout.clone();
    let line =
        shown.lines().find(|line| line.contains("line last changed on 2026-03-02: commit ")).expect(&shown);
    assert!(line.ends_with(r#" by Ana, "users: begin""#) || line.contains("by Ana\\u{1b}"), "{line}");
    assert!(!scene.folder().join("ran").exists(), "a program of the repository was run");
}

#[test]
fn explain_shows_the_last_change_in_the_audit_log_if_it_can_be_read() {
    let scene = scene();
    scene.run("apply --auto-approve --only b.lindqvist@acme.example").exits(0);
    let run = scene.run("explain bo@acme.example");
    assert!(run.exits(0).stdout.contains("set by "), "{}", run.stdout);
    scene.pylon(|world| world.settings.audit_log = false);
    let run = scene.run("explain bo@acme.example");
    assert!(!run.exits(0).stdout.contains("set by "), "{}", run.stdout);
}

#[test]
fn a_person_is_explained_the_same_way_under_each_address() {
    let rule = "[[rule]]\nemails = \"bo@acme.example\"\nroles = [\"Member\"]\nreason = \"a test\"\n";
    let files = format!("{rule}[users]\n\"bo@acme.example\" = {{}}\n");
    let scene = Scene::with_pylon(PYLON).file("users.toml", files);
    for email in ["bo@acme.example", "b.lindqvist@acme.example"] {
        let run = scene.run(&format!("explain {email}"));
        assert!(run.stdout.contains("bo@acme.example has Lead"), "{email}: {}", run.stdout);
    }
}

#[test]
fn a_difference_that_is_only_observed_is_not_in_sync() {
    let files = "[policy]\nrole = \"observe\"\n[users]\n\"bo@acme.example\" = { role = \"Member\" }\n";
    let run = Scene::with_pylon(PYLON).file("users.toml", files).run("explain bo@acme.example");
    let expected = "\nnot in sync, and left alone: the policy only observes this field\n";
    assert!(run.exits(0).stdout.ends_with(expected), "{}", run.stdout);
}

#[test]
fn a_difference_that_the_policy_ignores_is_not_in_sync() {
    let files = "[policy]\nrole = \"ignore\"\n[users]\n\"bo@acme.example\" = { role = \"Member\" }\n";
    let run = Scene::with_pylon(PYLON).file("users.toml", files).run("explain bo@acme.example");
    run.exits(0);
    let expected = " → Member   users.toml:4\n      ignored by policy: role = \"ignore\", users.toml:2\n";
    assert!(run.stdout.contains(expected), "{}", run.stdout);
    let verdict = "\nnot in sync, but the policy ignores the difference\n";
    assert!(run.stdout.ends_with(verdict), "{}", run.stdout);
}
