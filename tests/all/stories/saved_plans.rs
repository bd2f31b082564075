//! Tests for saved plans: rolecall applies the plan as reviewed, the part that isn't applied yet, or nothing.

use std::fs;
use std::time::Duration;

use pretty_assertions::assert_eq;
use rolecall::plan::saved::{LARGEST, SavedPlan};
use rolecall::report::style::Styles;
use rolecall::report::text::question;
use rolecall::report::{Format, PlanReport};
use rolecall::roster::Field;
use serde_json::Value;

use crate::builders::ChangeWorld;
use crate::harness::{Scene, TOKEN, formats_of};

const PYLON: &str = r#"{ "organization": { "id": "org_1", "name": "Acme" }, "users": [
    { "id": "u_ana", "email": "ana@acme.example", "name": "Ana", "role": "member" },
    { "id": "u_bo", "email": "bo@acme.example", "name": "Bo", "role": "member" } ] }"#;
const USERS: &str = "[users]\n\"ana@acme.example\" = { role = \"Viewer\" }\n\"bo@acme.example\" = { role = \"Viewer\", status = \"away\" }\n";

/// Sets up a [`Scene`], and saves its plan to `plan.json`.
fn saved() -> Scene {
    let scene = Scene::with_pylon(PYLON).file("users.toml", USERS);
    scene.run("plan -o plan.json").exits(0);
    scene
}

fn text(scene: &Scene) -> String {
    fs::read_to_string(scene.folder().join("plan.json")).unwrap()
}

/// Returns the digest and the paths of the files that belong to `config`, as printed by `validate`.
fn validated(scene: &Scene, config: &str) -> (String, Vec<String>) {
    let run = scene.run(&format!("validate --format json --config {config}"));
    run.exits(0);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let paths = report["paths"].as_array().unwrap().iter().map(|path| path.as_str().unwrap().to_owned());
    (report["digest"].as_str().unwrap().to_owned(), paths.collect())
}

#[test]
fn validate_prints_the_digest_of_saved_plans_for_any_folder() {
    let team = "[users]\n\"bo@acme.example\" = { role = \"Viewer\" }\n";
    let root = "include = [\"teams/*.toml\"]\n";
    let mut scene = Scene::with_pylon(PYLON).file("users.toml", root).file("teams/emea.toml", team);
    scene.run("plan -o plan.json").exits(0);
    let saved: serde_json::Value = serde_json::from_str(&text(&scene)).unwrap();
    let (digest, paths) = validated(&scene, "users.toml");
    assert_eq!(paths, ["users.toml", "teams/emea.toml"]);
    assert_eq!(saved["files"], digest.as_str());

    scene = scene.file("copy/users.toml", root).file("copy/teams/emea.toml", team);
    let absolute = scene.folder().join("copy/users.toml");
    for config in ["./users.toml", "copy/users.toml", "./copy/users.toml", absolute.to_str().unwrap()] {
        assert_eq!(validated(&scene, config).0, digest, "{config}");
    }
    for (name, text) in
        [("copy/teams/emea.toml", format!("{team}#\n")), ("copy/teams/apac.toml", "[users]\n".into())]
    {
        scene = scene.file("copy/teams/emea.toml", team).file(name, text);
        assert_ne!(validated(&scene, "copy/users.toml").0, digest, "{name}");
    }
}

#[track_caller]
fn is_stale(scene: &Scene, code: &str) {
    scene.run("apply plan.json --auto-approve").exits(5).names(code);
    assert_eq!(scene.patches(), Vec::<String>::new());
}

fn other_person(scene: &Scene, who: &str, role: &str) {
    assert!(scene.pylon(|world| world.changed_by_someone_else(Duration::ZERO, who, Some(role), None)));
}

#[test]
fn a_saved_plan_is_applied_as_it_was_reviewed() {
    let scene = saved();
    scene.run("apply plan.json --auto-approve").exits(0);
    assert_eq!(
        scene.patches(),
        [
            r#"/users/u_ana {"role_id":"role_viewer"}"#,
            r#"/users/u_bo {"role_id":"role_viewer","status":"away"}"#
        ]
    );
    let again = scene.run("apply plan.json --auto-approve");
    again.exits(0);
    assert!(
        again.stdout.contains("nothing to change · 2 in sync · 2 of them since the plan was saved"),
        "{}",
        again.stdout
    );
}

#[test]
fn a_saved_plan_fits_its_schema() {
    let schema: Value = serde_json::from_str(include_str!("../../../docs/saved-plan.schema.json")).unwrap();
    let fields = &schema["$defs"]["edit"]["properties"]["field"]["enum"];
    assert_eq!(*fields, Value::from(Field::ALL.map(Field::as_str).to_vec()));
    let plan = serde_json::from_str(&text(&saved())).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let complaints: Vec<String> = validator.iter_errors(&plan).map(|error| error.to_string()).collect();
    assert_eq!(complaints, Vec::<String>::new());
}

#[test]
fn changes_already_made_are_left_out_of_a_saved_plan() {
    let scene = saved();
    other_person(&scene, "ana@acme.example", "viewer");
    scene.run("apply plan.json --auto-approve").exits(0);
    assert_eq!(scene.patches(), [r#"/users/u_bo {"role_id":"role_viewer","status":"away"}"#]);
}

#[test]
fn a_saved_plan_is_refused_if_any_change_is_new_or_altered() {
    let scene = saved();
    other_person(&scene, "bo@acme.example", "admin");
    is_stale(&scene, "saved_plan::stale");
    let run = scene.run("apply plan.json --auto-approve");
    run.mentions("bo@acme.example (reviewed role Member → Viewer and status active → away, now role Admin → Viewer and status active → away)");

    let scene = saved();
    let scene = scene.file("users.toml", format!("{USERS}# a remark\n"));
    is_stale(&scene, "saved_plan::files_changed");

    let scene = Scene::with_pylon(PYLON).file("users.toml", USERS);
    scene.run("plan -o plan.json --only bo@acme.example").exits(0);
    scene.run("apply plan.json --auto-approve").exits(0);
    assert_eq!(
        scene.patches(),
        [r#"/users/u_bo {"role_id":"role_viewer","status":"away"}"#],
        "its scope is that of the plan"
    );
}

#[test]
fn a_saved_plan_for_another_host_or_organization_is_refused() {
    let other = saved();
    let elsewhere = Scene::with_pylon(&PYLON.replace("org_1", "org_2"))
        .file("users.toml", USERS)
        .file("plan.json", text(&other));
    is_stale(&elsewhere, "saved_plan::foreign");
    let same_name_other_host =
        Scene::with_pylon(PYLON).file("users.toml", USERS).file("plan.json", text(&other));
    is_stale(&same_name_other_host, "saved_plan::foreign");
}

#[test]
fn an_invalid_or_altered_plan_file_is_refused() {
    let scene = saved();
    let plan = text(&scene);
    let meddled = [
        plan.replace("role_viewer", "role_admin"),
        plan.replace("u_ana", "u_bo"),
        plan.replace("org_1", "org_3"),
        plan[..plan.len() / 2].to_owned(),
        String::new(),
        "{}".into(),
        "null".into(),
        plan.replace("\"rolecall plan\"", "\"terraform plan\""),
        plan.replacen('{', "{ \"extra\": 1,", 1),
    ];
    for (index, text) in meddled.iter().enumerate() {
        let scene = saved().file("plan.json", text);
        scene.run("apply plan.json --auto-approve").exits(5).names("saved_plan::damaged");
        assert_eq!(scene.patches(), Vec::<String>::new(), "meddled {index}");
    }
    is_stale(
        &saved().file("plan.json", plan.replace("\"version\": 1", "\"version\": 2")),
        "saved_plan::other_version",
    );
    is_stale(&saved().file("plan.json", b"\xff\xfe"), "saved_plan::damaged");

    let scene = saved();
    fs::File::create(scene.folder().join("plan.json")).unwrap().set_len(LARGEST + 1).unwrap();
    is_stale(&scene, "saved_plan::damaged");

    let run = scene.run("apply nowhere.json --auto-approve");
    run.exits(1).names("saved_plan::unreadable").mentions("pass a file written by `rolecall plan -o FILE`");
    #[cfg(unix)]
    run.mentions("cannot read the saved plan nowhere.json: No such file or directory help:");
    scene.run("apply . --auto-approve").exits(1).names("saved_plan::unreadable");
    let run = scene.run("apply users.toml --auto-approve");
    run.exits(5).names("saved_plan::damaged").mentions("to use another root file, pass it with --config");
}

#[test]
fn a_plan_with_a_flipped_byte_is_refused_or_unchanged() {
    let scene = saved();
    let original = text(&scene);
    let plan = SavedPlan::parse(&original).unwrap();
    for index in 0..original.len() {
        for bit in [0x01, 0x04, 0x20] {
            let mut bytes = original.clone().into_bytes();
            bytes[index] ^= bit;
            let Ok(flipped) = String::from_utf8(bytes) else {
                continue;
            };
            if let Ok(read) = SavedPlan::parse(&flipped) {
                assert_eq!(read, plan, "byte {index}");
            }
        }
    }
}

#[test]
fn a_saved_plan_is_readable_only_by_its_owner_and_contains_no_secret() {
    let scene = saved();
    assert!(!text(&scene).contains(TOKEN));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(scene.folder().join("plan.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    scene.run("plan -o nowhere/plan.json").exits(1).names("commands::not_written");
    scene.run("plan -o .").exits(1).names("commands::not_written");
    scene.run("plan -o p.json --at 2026-12-01").exits(64);
    scene.run("apply p.json --only ana@acme.example").exits(64);
    let left: Vec<_> =
        fs::read_dir(scene.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "no temporary file stays: {left:?}");
}

#[test]
fn a_saved_plan_with_the_token_in_a_reason_hides_it_and_can_be_applied() {
    let token = "tok_ab_cd.ef-gh~ij+kl/mn=op_qr_st";
    let users = format!(
        "[guardrails]\nmax_changes = 0\n[[acknowledge]]\nguardrail = \"max_changes\"\nup_to = 2\nexpires = 2026-12-18\nreason = \"see {token} in the vault\"\n{USERS}"
    );
    let scene = Scene::with_pylon(PYLON).file("users.toml", users).file("pylon.json", PYLON);
    let scene = scene.env("PYLON_API_TOKEN", token).env("PYLON_BASE_URL", "");
    scene.run("plan --sandbox -o plan.json").exits(0);
    let saved = text(&scene);
    assert!(saved.contains("see [token] in the vault") && !saved.contains("tok_ab"), "{saved}");
    scene.run("apply --sandbox --auto-approve plan.json").exits(0);
}

/// A base for which Bo's change is drift and Ana's change is caused by the files. Cy isn't found in Pylon.
const BASE: &str = "[users]\n\"bo@acme.example\" = { role = \"Viewer\", status = \"away\" }\n";

#[test]
fn show_prints_the_saved_plan_in_every_format_without_files_and_pylon() {
    let users = format!(
        "{USERS}\"cy@acme.example\" = {{ windows = [{{ from = 2026-11-22, until = 2026-12-01, status = \"away\", then = \"active\" }}] }}\n"
    );
    let scene = Scene::with_pylon(PYLON).file("users.toml", users).file("base.toml", BASE);
    for format in formats_of("show").map(Format::as_str) {
        let planned = scene.run(&format!("plan --base base.toml --blame -o plan.json --format {format}"));
        let away = Scene::offline().file("plan.json", text(&scene));
        let shown = away.run(&format!("show plan.json --format {format}"));
        shown.exits(0);
        let mut expected = planned.stdout.replace("\"saved\": \"plan.json\"", "\"saved\": null");
        expected = expected.replace(", as of <time>2026-11-20 08:00Z</time>", "");
        if let Some(at) = expected.find("\nSaved as") {
            let end = at + 1 + expected[at + 1..].find('\n').unwrap();
            expected.replace_range(at..=end, "");
        }
        let mut told =
            shown.stdout.replace("rolecall show", "rolecall plan").replace("rolecall:show", "rolecall:plan");
        for (one, other) in [
            (" · as on 2026-11-20 08:00Z", ""),
            (", as on `2026-11-20 08:00Z`", ""),
            (", as on <code>2026-11-20 08:00Z</code>", ""),
            ("\"at\": \"2026-11-20 08:00Z\"", "\"at\": null"),
            ("\"command\": \"show\"", "\"command\": \"plan\""),
        ] {
            told = told.replace(one, other);
        }
        assert_eq!(told, expected, "{format}");
        assert!(shown.stdout.contains("2026-11-20 08:00Z"), "{format}: {}", shown.stdout);
    }
}

#[test]
fn a_saved_plan_has_the_cause_of_each_change() {
    let scene = Scene::with_pylon(PYLON).file("users.toml", USERS).file("base.toml", BASE);
    scene.run("plan --base base.toml -o plan.json").exits(0);
    let saved: Value = serde_json::from_str(&text(&scene)).unwrap();
    let cause = |number: usize| &saved["report"]["changes"][number]["edits"][0]["cause"];
    assert_eq!((cause(0), cause(1)), (&Value::from("this_change"), &Value::from("drift")));
    scene.run("apply --auto-approve plan.json").exits(0);
}

#[test]
fn show_says_what_is_wrong_with_a_file() {
    let scene = saved();
    let plan = text(&scene);
    let scene = scene.file("other.json", "{}").file("edited.json", plan.replace("Viewer", "Admin"));
    let run = scene.run("show gone.json");
    run.exits(1).names("saved_plan::unreadable").mentions("pass a file written by `rolecall plan -o FILE`");
    assert!(!run.stderr.contains("rolecall apply"), "{}", run.stderr);
    let run = scene.run("show users.toml");
    run.exits(1)
        .names("saved_plan::damaged")
        .mentions("to see the plan for a root file, run `rolecall plan`");
    assert!(!run.stderr.contains("--config"), "{}", run.stderr);
    scene.run("show other.json").exits(1).names("saved_plan::damaged");
    scene
        .run("show edited.json")
        .exits(1)
        .names("saved_plan::damaged")
        .mentions("changed after it was written");
}

#[test]
fn the_question_names_who_gains_and_who_loses_a_guarded_role() {
    let pylon = PYLON.replace(r#""name": "Bo", "role": "member""#, r#""name": "Bo", "role": "admin""#);
    let users = "[guardrails]\nkeep_at_least = { Admin = 1 }\n[users]\n\"ana@acme.example\" = { role = \"Admin\" }\n\"bo@acme.example\" = { role = \"Member\" }\n";
    let scene = Scene::with_pylon(&pylon).file("users.toml", users);
    scene.run("plan -o plan.json").exits(0);
    let saved: Value = serde_json::from_str(&text(&scene)).unwrap();
    let report: PlanReport = serde_json::from_value(saved["report"].clone()).unwrap();
    let asked = question("apply", &report, &Styles::new(false), false, None);
    let end = "2 people change; ana@acme.example gains Admin, bo@acme.example loses Admin. Type `yes` to apply to Acme: ";
    assert!(asked.ends_with(end), "{asked}");
}
