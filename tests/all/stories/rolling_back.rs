//! Tests for `rollback`, which undoes an apply and leaves everything else alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pretty_assertions::assert_eq;
use rolecall::sandbox::{ApiOperation, Fault, Faults};
use serde_json::Value;

use crate::builders::ChangeWorld;
use crate::harness::{NOW, Scene};

const PYLON: &str = r#"{ "organization": { "id": "org_1", "name": "Acme" }, "users": [
    { "id": "u_ana", "email": "ana@acme.example", "name": "Ana", "role": "admin" },
    { "id": "u_ben", "email": "ben@acme.example", "name": "Ben", "role": "admin" },
    { "id": "u_bo", "email": "bo@acme.example", "name": "Bo", "role": "viewer" },
    { "id": "u_cy", "email": "cy@acme.example", "name": "Cy", "role": "member" },
    { "id": "u_dee", "email": "dee@acme.example", "name": "Dee", "role": ["member", "viewer"] } ] }"#;

const USERS: &str = r#"[defaults]
role = "Member" # for most

[users]
"bo@acme.example" = {} # came in May
"cy@acme.example" = { status = "away" }
"dee@acme.example" = {}
"#;

/// Carries out an apply, and returns the scene and the path of the journal.
fn applied(users: &str) -> (Scene, PathBuf) {
    let scene = Scene::with_pylon(PYLON).file("users.toml", users);
    scene.run("apply --auto-approve --journal first.jsonl").exits(0);
    let journal = scene.folder().join("first.jsonl");
    (scene, journal)
}

/// Carries out an apply that writes its journal to the default folder. Returns the scene and the path of the journal.
fn applied_without_a_named_journal() -> (Scene, PathBuf) {
    let scene = Scene::with_pylon(PYLON).file("users.toml", USERS);
    scene.run("apply --auto-approve").exits(0);
    let folder = scene.folder().join(".rolecall/journal");
    let journal = fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    (scene, journal)
}

/// Carries out an apply and rolls it back. Returns the scene and the paths of both journals.
fn applied_and_rolled_back() -> (Scene, PathBuf, PathBuf) {
    let (scene, journal) = applied_without_a_named_journal();
    scene.run("rollback --last --auto-approve").exits(0);
    let rollback = journals_in(&journal).find(|path| *path != journal).unwrap();
    (scene, journal, rollback)
}

/// Returns all journals in the folder with this journal.
fn journals_in(journal: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(journal.parent().unwrap()).unwrap().map(|file| file.unwrap().path())
}

const ROLLBACK: &str = "rollback first.jsonl --auto-approve --journal second.jsonl";

#[test]
fn rollback_restores_what_a_patch_can_and_lists_the_rest() {
    let (scene, _) = applied(USERS);
    let before = scene.patches().len();
    scene.run(ROLLBACK).exits(0).says(
        &r#"
rolecall rollback · Acme (org_1, HOST) · 3 declared

  ✓ bo@acme.example  Bo
      role    Member → Viewer   first.jsonl:2, previous value
  ✓ cy@acme.example  Cy
      status  away → active     first.jsonl:3, previous value

2 applied
Guardrails pass: 2 of 3 change (limit 10), 2 Admins remain (minimum 2).

Not rolled back (1):
  dee@acme.example role: several were assigned before (Member, Viewer), and a PATCH assigns exactly one (first.jsonl:4)

The files contradict this rollback: 2 people have different values in the files, and the next apply would set them again. To keep the rollback, edit the files:

users.toml:
       [users]
      -"bo@acme.example" = {} # came in May
      -"cy@acme.example" = { status = "away" }
      +"bo@acme.example" = { role = "Viewer" } # came in May
      +"cy@acme.example" = { status = "active" }
       "dee@acme.example" = {}
"#
        .replace("HOST", &scene.host()),
    );
    assert_eq!(
        scene.patches().len() - before,
        2,
        "one PATCH a person, and none for whom nothing can be brought back"
    );
    scene.run("rollback second.jsonl --auto-approve").exits(0);
    scene.run("plan --detailed-exitcode").exits(0);
}

#[test]
fn values_changed_since_the_apply_are_left_alone_and_listed() {
    let (scene, _) = applied(USERS);
    scene
        .pylon(|world| world.changed_by_someone_else(Duration::ZERO, "bo@acme.example", Some("Admin"), None));
    let run = scene.run(ROLLBACK);
    run.exits(0);
    assert!(
        run.stdout
            .contains("  bo@acme.example role: someone else has since set a different value; left alone, but the next apply would set Member (users.toml:2) (first.jsonl:2)\n"),
        "{}",
        run.stdout
    );
    let patched: Vec<String> =
        scene.patches().into_iter().filter(|patch| patch.contains("/users/u_bo")).collect();
    assert_eq!(patched, [r#"/users/u_bo {"role_id":"role_member"}"#], "only the apply's own");
    let again = scene.run("rollback first.jsonl --auto-approve");
    again.exits(0);
    assert!(again.stdout.contains("\nnothing to change · 1 already at the old values\n"), "{}", again.stdout);
}

#[test]
fn the_readable_lines_of_a_damaged_journal_are_used_and_the_others_counted() {
    let (scene, journal) = applied(USERS);
    let text = fs::read_to_string(&journal).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    assert!(lines[1].contains("bo@acme.example"), "{text}");
    lines[1] = "{\"line\":\"intent\",\"at\":";
    fs::write(&journal, lines.join("\n") + "\n").unwrap();
    let run = scene.run(ROLLBACK);
    run.exits(0);
    // The intent of Bo's change is damaged, but the outcome line of the same change also records the operation.
    assert!(run.stdout.contains("\n2 applied\n"), "{}", run.stdout);
    assert!(run.stdout.contains("Damaged: 1 line of the journal cannot be read"), "{}", run.stdout);
}

#[test]
fn a_journal_cut_within_a_character_is_read_up_to_there() {
    let (scene, journal) = applied(USERS);
    let mut bytes = fs::read(&journal).unwrap();
    let intents = bytes.split_inclusive(|byte| *byte == b'\n').take(3).map(<[u8]>::len).sum();
    bytes.truncate(intents);
    bytes.extend("{\"line\":\"intent\",\"user\":\"zoë".as_bytes());
    bytes.pop();
    fs::write(&journal, &bytes).unwrap();
    let kept = scene.folder().join(".rolecall/journal/20261120T080000Z-1-00000000.jsonl");
    fs::create_dir_all(kept.parent().unwrap()).unwrap();
    fs::write(&kept, &bytes).unwrap();
    assert!(scene.run("rollback").exits(0).stdout.contains("did not finish\n"));
    assert!(scene.run("doctor").stdout.contains("it did not finish"));
    let run = scene.run(ROLLBACK);
    assert!(run.exits(0).stdout.contains("\n2 applied\n"), "{}", run.stdout);
    assert!(!run.stdout.contains("Damaged"), "{}", run.stdout);
}

#[test]
fn a_journal_of_another_format_version_is_unreadable_everywhere() {
    let (scene, journal) = applied_without_a_named_journal();
    let text = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, text.replacen("\"version\":1", "\"version\":2", 1)).unwrap();
    for words in ["rollback", "doctor"] {
        let run = scene.run(words);
        assert!(run.stdout.contains("it has format version 2"), "{words}: {}", run.stdout);
    }
    scene.run("rollback --last --auto-approve").exits(1).names("rollback::no_journal");
}

#[test]
fn an_apply_never_overwrites_a_journal() {
    let (scene, journal) = applied(USERS);
    let text = fs::read_to_string(&journal).unwrap();
    let changed = scene.file("users.toml", USERS.replace("away", "active"));
    changed.run("apply --auto-approve --journal first.jsonl").exits(1).names("apply::no_journal");
    assert_eq!(fs::read_to_string(&journal).unwrap(), text);
}

#[test]
fn guardrails_apply_to_a_rollback() {
    let users = "[users]\n\"bo@acme.example\" = { role = \"Admin\" }\n";
    let (scene, _) = applied(users);
    scene.pylon(|world| {
        world.changed_by_someone_else(Duration::ZERO, "ana@acme.example", Some("Member"), None)
    });
    scene.run(ROLLBACK).exits(3);
    let acknowledged = "[[acknowledge]]\nguardrail = \"keep_at_least\"\nrole = \"Admin\"\ndown_to = 1\nreason = \"r\"\nexpires = 2026-11-30\n";
    scene.file("users.toml", format!("{acknowledged}{users}")).run(ROLLBACK).exits(0);
}

#[test]
fn an_apply_that_was_killed_can_be_rolled_back() {
    let (scene, journal) = applied(USERS);
    let text = fs::read_to_string(&journal).unwrap();
    let intents: Vec<&str> = text.lines().take(3).collect();
    fs::write(&journal, format!("{}\n{{\"line\":\"int", intents.join("\n"))).unwrap();
    let run = scene.run(ROLLBACK);
    run.exits(0);
    assert!(run.stdout.contains("\n2 applied\n"), "{}", run.stdout);
    assert!(run.stdout.contains("The journal is incomplete, because the run was killed."), "{}", run.stdout);
}

#[test]
fn other_files_and_the_journal_of_another_organization_are_refused() {
    let (scene, journal) = applied(USERS);
    let run = scene.run("rollback nowhere.jsonl --auto-approve");
    run.exits(1).names("rollback::unreadable").mentions("run `rolecall rollback` to list the journals");
    scene.run("rollback users.toml --auto-approve").exits(1).names("rollback::no_journal");
    let text = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, text.replace("\"org_1\"", "\"org_2\"")).unwrap();
    scene.run(ROLLBACK).exits(1).names("rollback::foreign");
    fs::write(&journal, text.replacen("\"version\":1", "\"version\":2", 1)).unwrap();
    scene.run(ROLLBACK).exits(1).names("rollback::no_journal");
    fs::write(&journal, text).unwrap();
    scene.run("rollback first.jsonl").exits(1).names("apply::needs_approval");
    let why = "there are no journals for this host in .rolecall/journal/ next to the config";
    scene
        .run("rollback --last")
        .exits(64)
        .names("rollback::which_journal")
        .mentions(why)
        .mentions("there is nothing to undo");
    scene
        .run("rollback --auto-approve")
        .exits(64)
        .names("rollback::which_journal")
        .mentions("name the journal");
}

/// Replaces each journal name, which differs in every run, with `NAME`, and the host with `HOST`.
fn without_names(scene: &Scene, text: &str) -> String {
    let mut shown = text.replace(&scene.host(), "HOST");
    let folder = scene.folder().join(".rolecall/journal");
    for file in fs::read_dir(folder).into_iter().flatten().flatten() {
        shown = shown.replace(&*file.file_name().to_string_lossy(), "NAME");
    }
    shown
}

#[test]
fn rollback_without_a_journal_lists_the_journals_in_every_format() {
    let scene = Scene::with_pylon(PYLON).file("users.toml", USERS);
    scene.run("rollback").exits(0).says(
        "\nrolecall rollback\n\nno journals in .rolecall/journal/ next to the config file; pipelines write theirs to the \
         file given with --journal\n",
    );
    scene.run_in("apply --auto-approve", &[("USER", "ana"), ("GITHUB_ACTOR", "")]).exits(0);
    let run = scene.run("rollback");
    let host = scene.host();
    let width = host.len();
    pretty_assertions::assert_eq!(
        without_names(&scene, &run.exits(0).stdout),
        format!(
            "rolecall rollback\n\n    {:<17}  command  by   {:<width$}  people  result\n  \
             ✓ 2026-11-20 08:00Z  apply    ana  HOST  3       finished\n      .rolecall/journal/NAME\n\n\
             1 journal · to undo the newest: `rolecall rollback --last`\n",
            "begun", "host"
        )
    );
    let report: Value = serde_json::from_str(&scene.run("rollback --format json").exits(0).stdout).unwrap();
    let journal = &report["journals"][0];
    assert_eq!(
        [&journal["command"], &journal["user"], &journal["changes"], &journal["state"]],
        [&Value::from("apply"), &Value::from("ana"), &Value::from(3), &Value::from("finished")]
    );
    let path = journal["journal"].as_str().unwrap();
    for text in scene.reports_for_people("rollback", 0) {
        assert!(text.contains(path) && text.contains("2026-11-20 08:00Z"), "{text}");
    }
}

#[test]
fn rollback_last_undoes_the_newest_apply_and_names_its_journal_to_continue() {
    let scene = Scene::with_pylon(PYLON).file("users.toml", USERS);
    scene.run("apply --auto-approve").exits(0);
    scene.run("rollback --last first.jsonl").exits(64);
    let blocked = scene.run("rollback --last --auto-approve --max-changes 1");
    let output = without_names(&scene, &blocked.exits(3).stdout);
    let remedy = "run `rolecall rollback .rolecall/journal/NAME --max-changes 2`, or add this";
    assert!(output.contains(remedy), "{output}");
    scene.pylon(|world| world.settings.token_can_write = false);
    let failed = scene.run("rollback --last --auto-approve --max-changes 5");
    let output = without_names(&scene, &failed.exits(1).stdout);
    // `--last` would pick the wrong journal because the failed rollback's journal is now the newest.
    let again = "Run `rolecall rollback .rolecall/journal/NAME --max-changes 5` again with the same journal";
    assert!(output.contains(again), "{output}");
    scene.pylon(|world| world.settings.token_can_write = true);
    let scene = Scene::with_pylon(PYLON).file("users.toml", USERS);
    scene.run("apply --auto-approve").exits(0);
    scene.run("rollback --last --auto-approve").exits(0);
    let undo = "the newest is a rollback; to undo it and make the changes again: `rolecall rollback --last`";
    assert!(scene.run("rollback").exits(0).stdout.ends_with(&format!("\n2 journals · {undo}\n")));
    assert!(
        scene.patches().contains(&r#"/users/u_bo {"role_id":"role_viewer"}"#.to_owned()),
        "{:?}",
        scene.patches()
    );
}

#[test]
fn the_list_of_journals_shows_how_many_people_were_changed_and_what_was_rolled_back() {
    let (scene, journal) = applied_without_a_named_journal();
    let whole = fs::read_to_string(&journal).unwrap();
    // Three changes are sent, and two of them are answered before the run is killed.
    let is_kept = |line: &&str| !line.contains(r#""line":"outcome""#) && !line.contains(r#""line":"end""#);
    let killed: Vec<&str> = whole.lines().filter(is_kept).collect();
    assert_eq!(killed.len(), 7, "{whole}");
    fs::write(&journal, killed[..6].join("\n")).unwrap();
    let list = scene.run("rollback").exits(0).stdout.clone();
    assert!(list.contains("  2 of 3  did not finish\n"), "{list}");
    fs::write(&journal, whole.replacen(r#""outcome":"applied""#, r#""outcome":"rejected""#, 1)).unwrap();
    let list = scene.run("rollback").exits(0).stdout.clone();
    assert!(list.contains("  2 of 3  1 not applied\n"), "{list}");

    fs::write(&journal, &whole).unwrap();
    let entries = || -> Vec<Value> {
        let report: Value = serde_json::from_str(&scene.run("rollback --format json").stdout).unwrap();
        report["journals"].as_array().unwrap().clone()
    };
    assert_eq!(
        (&entries()[0]["applied"], &entries()[0]["rolled_back"]),
        (&Value::from(3), &Value::from(false))
    );
    scene.run("rollback --last --auto-approve").exits(0);
    let list = scene.run("rollback").exits(0).stdout.clone();
    assert!(list.contains("  3       finished, rolled back\n"), "{list}");
    // Rolling back the rollback makes the changes again.
    scene.run("rollback --last --auto-approve").exits(0);
    let rolled_back: Vec<Value> = entries().iter().map(|entry| entry["rolled_back"].clone()).collect();
    assert_eq!(rolled_back, [false, true, false].map(Value::from));
}

#[test]
fn of_two_journals_from_the_same_second_the_one_written_last_is_newer() {
    let (scene, journal) = applied_without_a_named_journal();
    let text = fs::read_to_string(&journal).unwrap();
    fs::remove_file(&journal).unwrap();
    let second = std::time::SystemTime::UNIX_EPOCH;
    // Only the modification times show the order. Sorted by name, the oldest of these journals would be last.
    let names =
        ["99-ffffffff", "100-eeeeeeee", "2000-00000000"].map(|name| format!("20261120T080000Z-{name}.jsonl"));
    for (name, milliseconds) in names.iter().zip([1, 2, 3]) {
        fs::write(journal.with_file_name(name), &text).unwrap();
        let file = fs::File::options().write(true).open(journal.with_file_name(name)).unwrap();
        file.set_modified(second + Duration::from_millis(milliseconds)).unwrap();
    }
    fs::write(journal.with_file_name("20261120T075959Z-9-ffffffff.jsonl"), &text).unwrap();
    let report: Value = serde_json::from_str(&scene.run("rollback --format json").stdout).unwrap();
    let listed =
        report["journals"].as_array().unwrap().iter().map(|entry| entry["journal"].as_str().unwrap());
    let listed: Vec<&str> = listed.map(|path| path.rsplit('/').next().unwrap()).collect();
    assert_eq!(listed, [&names[2], &names[1], &names[0], "20261120T075959Z-9-ffffffff.jsonl"]);
}

#[test]
fn the_command_that_continues_an_apply_repeats_its_limit() {
    let scene = Scene::with_pylon(PYLON).file("users.toml", USERS);
    scene.pylon(|world| world.settings.token_can_write = false);
    let run = scene.run("apply --auto-approve --max-changes 5");
    let again = "Run `rolecall apply --max-changes 5` to send only the changes not yet applied.";
    assert!(run.exits(1).stdout.contains(again), "{}", run.stdout);
}

#[test]
fn plan_says_that_the_last_run_did_not_finish() {
    let scene = Scene::with_pylon(PYLON).file("users.toml", USERS);
    scene.run("apply --auto-approve").exits(0);
    scene.run("plan").exits(0).complains("");
    let folder = scene.folder().join(".rolecall/journal");
    let journal = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(&journal).unwrap();
    let without_end =
        text.lines().filter(|line| !line.contains(r#""line":"end""#)).collect::<Vec<_>>().join("\n");
    for cut in [without_end.as_str(), &text[..text.len() - 10], text.lines().next().unwrap(), ""] {
        fs::write(&journal, cut).unwrap();
        let run = scene.run("plan");
        if cut.is_empty() {
            run.exits(0).mentions(
                "The last run with this config did not finish, and its journal has no valid first line: ",
            );
            run.mentions("It may have been a rollback, so review this plan before you apply it.");
        } else {
            run.exits(0).mentions(
                "The last apply with this config did not finish: .rolecall/journal/20261120T080000Z",
            );
            run.mentions("To undo what it applied, run `rolecall rollback --last`.");
        }
        scene.run("plan --quiet").exits(0).complains("");
    }
    assert!(scene.run("rollback").exits(0).stdout.contains("unreadable"));
}

#[test]
fn after_a_killed_rollback_every_command_says_how_to_continue_it() {
    let (scene, journal, rollback) = applied_and_rolled_back();
    let text = fs::read_to_string(&rollback).unwrap();
    fs::write(&rollback, text.lines().take(2).collect::<Vec<_>>().join("\n")).unwrap();

    let name = journal.file_name().unwrap().to_string_lossy().into_owned();
    let resume = format!("rolecall rollback .rolecall/journal/{name}");
    let plan = scene.run("plan");
    plan.exits(0).mentions("The last rollback with this config did not finish: .rolecall/journal/");
    plan.mentions("This plan may repeat the changes that it was undoing.");
    plan.mentions(&format!("To continue the rollback, run `{resume}`."));
    assert!(!plan.stderr.contains("--last"), "{}", plan.stderr);
    let list = scene.run("rollback").exits(0).stdout.clone();
    assert!(
        list.ends_with(&format!(
            "\n2 journals · the newest is an incomplete rollback\nto continue it: {resume}\n"
        )),
        "{list}"
    );
    let report: Value = serde_json::from_str(&scene.run("rollback --format json").stdout).unwrap();
    assert_eq!(report["resume"], Value::from(resume.as_str()));
    let undone = report["journals"][0]["undoes"].as_str().unwrap();
    assert!(undone.ends_with(&name), "{undone}");
    assert_eq!(report["journals"][1]["undoes"], Value::Null);
    let doctor = scene.run("doctor").stdout;
    assert!(doctor.contains("! last rollback   it did not finish\n"), "{doctor}");
    assert!(doctor.contains(&format!("run `{resume}` to continue the\n      rollback;")), "{doctor}");

    // Without the apply's journal, there's no command to suggest, even if another file has its name.
    fs::write(scene.folder().join(&name), "").unwrap();
    let kept = scene.folder().join("kept.jsonl");
    fs::rename(&journal, &kept).unwrap();
    scene.run("plan").exits(0).mentions("To continue the rollback, run it again with the same journal.");
    let list = scene.run("rollback").exits(0).stdout.clone();
    assert!(list.ends_with("; to continue it, run it again with the same journal\n"), "{list}");
    fs::rename(&kept, &journal).unwrap();
    scene.pylon(|world| {
        world.changed_by_someone_else(Duration::ZERO, "bo@acme.example", Some("Member"), None)
    });
    scene.run(&format!("rollback .rolecall/journal/{name} --auto-approve")).exits(0);
    scene.run("plan").exits(0).complains("");
}

#[test]
fn after_a_stopped_rollback_plan_says_how_to_continue_it_and_last_is_refused() {
    let (scene, journal, rollback) = applied_and_rolled_back();
    let text = fs::read_to_string(&rollback).unwrap();
    fs::write(&rollback, text.replace(r#""stopped":false"#, r#""stopped":true"#)).unwrap();

    let [apply, rollback] = [&journal, &rollback].map(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        format!("rolecall rollback .rolecall/journal/{name}")
    });
    scene.run("plan").exits(0).mentions(&format!("To continue the rollback, run `{apply}`."));
    let patches = scene.patches().len();
    let run = scene.run("rollback --last --auto-approve");
    run.exits(1).names("rollback::incomplete").mentions(&format!("to continue the rollback, run `{apply}`"));
    run.mentions(&format!("to undo what it restored, run `{rollback}`"));
    assert_eq!(scene.patches().len(), patches);
    let report: Value = serde_json::from_str(&scene.run("rollback --format json").stdout).unwrap();
    assert_eq!((&report["resume"], &report["undo"]), (&Value::from(apply), &Value::from(rollback)));
}

#[test]
fn continuing_a_rollback_that_has_nothing_left_to_do_completes_it() {
    let (scene, journal, rollback) = applied_and_rolled_back();
    let text = fs::read_to_string(&rollback).unwrap();
    fs::write(&rollback, text.lines().take(2).collect::<Vec<_>>().join("\n")).unwrap();
    let again = format!("rollback .rolecall/journal/{}", journal.file_name().unwrap().to_string_lossy());
    scene.run("rollback --last").exits(1).names("rollback::incomplete");
    let patches = scene.patches().len();
    scene.run(&again).exits(0);
    assert_eq!(scene.patches().len(), patches);
    assert_eq!(journals_in(&journal).count(), 3);
    scene.run("plan").exits(0).complains("");
    let list = scene.run("rollback").exits(0).stdout.clone();
    assert!(list.contains("3       finished, rolled back\n"), "{list}");
    scene.run(&again).exits(0);
    assert_eq!(journals_in(&journal).count(), 3, "a complete rollback isn't continued");
}

#[test]
fn a_rollback_that_cannot_get_any_further_is_not_incomplete() {
    let (scene, _, rollback) = applied_and_rolled_back();
    let text = fs::read_to_string(&rollback).unwrap();
    let ends = |outcome: &str| {
        let outcome = format!(r#""outcome":"{outcome}""#);
        fs::write(&rollback, text.replacen(r#""outcome":"applied""#, &outcome, 1)).unwrap();
        scene.run("rollback").exits(0).stdout.clone()
    };
    assert!(ends("rejected").contains("the newest is an incomplete rollback"));
    let list = ends("not effective");
    assert!(list.contains("1 not applied\n") && list.contains("`rolecall rollback --last`\n"), "{list}");
    fs::write(&rollback, "").unwrap();
    let list = scene.run("rollback").exits(0).stdout.clone();
    assert!(
        list.ends_with("\n2 journals · the newest cannot be read; to undo an older run, name its journal\n"),
        "{list}"
    );
}

#[test]
fn a_dry_run_shows_what_would_be_restored_and_sends_nothing() {
    let (scene, _) = applied(USERS);
    let patches = scene.patches().len();
    for (format, line) in [
        ("text", "      role    Member → Viewer   first.jsonl:2, previous value\n"),
        ("markdown", "| `bo@acme.example`<br>`Bo` |"),
    ] {
        let run = scene.run(&format!("rollback first.jsonl --dry-run --format {format}"));
        assert!(run.exits(0).stdout.contains(line), "{}", run.stdout);
    }
    scene.run("rollback first.jsonl --dry-run --max-changes 1").exits(3);
    scene.run("rollback --dry-run").exits(64).names("rollback::which_journal");
    scene.run("rollback first.jsonl --dry-run --auto-approve").exits(64);
    assert_eq!(scene.patches().len(), patches);
    assert!(!scene.folder().join(".rolecall/journal").exists());
}

#[test]
fn a_run_on_the_sandbox_does_not_hide_one_on_the_real_pylon() {
    let (scene, journal) = applied_without_a_named_journal();
    let text = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, text.lines().take(3).collect::<Vec<_>>().join("\n")).unwrap();
    fs::rename(&journal, journal.with_file_name("20261120T075959Z-1-00000000.jsonl")).unwrap();
    scene.run("apply --auto-approve --sandbox").exits(0);

    scene
        .run("plan")
        .exits(0)
        .mentions("The last apply with this config did not finish: .rolecall/journal/20261120T075959Z");
    scene.run("plan --sandbox").exits(0).complains("");
    assert!(scene.run("doctor").stdout.contains("it did not finish"));
    assert!(!scene.run("doctor --sandbox").stdout.contains("it did not finish"));
    let list = scene.run("rollback").stdout;
    assert!(
        list.ends_with("\n2 journals · to undo the newest for this host: `rolecall rollback --last`\n"),
        "{list}"
    );
    let list = scene.run("rollback --sandbox").stdout;
    assert!(
        list.ends_with("\n2 journals · to undo the newest: `rolecall rollback --last --sandbox`\n"),
        "{list}"
    );
    let list = scene.run("rollback --base-url http://127.0.0.1:9").stdout;
    assert!(list.ends_with("\n2 journals, none of them for this host\n"), "{list}");
    scene.run("rollback --last --base-url http://127.0.0.1:9").exits(64).names("rollback::which_journal");
    let run = scene.run("rollback --last --auto-approve");
    assert!(run.exits(0).stdout.contains("\n2 applied\n"), "{}", run.stdout);
}

#[cfg(unix)]
#[test]
fn a_run_that_is_still_running_is_not_listed_as_unfinished() {
    let stalled = Faults::none().on(ApiOperation::UpdateUser).at(1, Fault::StallApplied);
    let scene = Scene::with_troubled_pylon(PYLON, stalled).file("users.toml", USERS);
    let mut apply = scene.command(&["apply", "--auto-approve"]).spawn().unwrap();
    while scene.patches().is_empty() {
        assert!(apply.try_wait().unwrap().is_none(), "it waits for the answer");
        std::thread::yield_now();
    }
    let state = || -> Value {
        let run = scene.run("rollback --format json");
        serde_json::from_str::<Value>(&run.exits(0).stdout).unwrap()["journals"][0]["state"].clone()
    };
    assert_eq!(state(), "running");
    let list = scene.run("rollback").exits(0).stdout.clone();
    assert!(list.contains("  still running\n"), "{list}");
    assert!(
        list.contains("1 journal · the newest run is still active; it can be undone once it has ended"),
        "{list}"
    );
    scene.run("rollback --last --auto-approve").exits(1).names("rollback::still_running");
    scene
        .run("plan")
        .exits(0)
        .mentions("An apply or rollback with this config is still running: .rolecall/journal/");
    assert!(scene.run("doctor").stdout.contains("it is still running"));
    apply.kill().unwrap();
    apply.wait().unwrap();
    assert_eq!(state(), "unfinished");
    assert!(scene.run("rollback").exits(0).stdout.contains("  did not finish\n"));
}

#[test]
fn a_person_with_several_contradicted_values_is_counted_once() {
    let window = "[{ until = 2026-12-01, role = 'Member', status = 'away', then = 'active' }]";
    let users = format!(
        "users = {{ 'bo@acme.example' = {{ role = 'Viewer', windows = {window} }}, 'cy@acme.example'.status = 'away' }}\n"
    );
    let (scene, _) = applied(&users);
    let run = scene.run(ROLLBACK);
    run.exits(0);
    assert!(
        run.stdout
            .contains("The files contradict this rollback: 2 people have different values in the files"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_role_whose_name_is_the_slug_of_another_is_proposed_by_its_own_slug() {
    let state = r#"{ "roles": [ { "id": "r_admin", "name": "Admin", "slug": "admin" },
        { "id": "r_old", "name": "lead", "slug": "lead-old" }, { "id": "r_new", "name": "Lead", "slug": "lead" } ],
        "users": [ { "email": "ana@acme.example", "role": "admin" }, { "email": "bo@acme.example", "role": "lead-old" } ] }"#;
    let scene =
        Scene::with_pylon(state).file("users.toml", "[users]\n\"bo@acme.example\" = { role = \"Lead\" }\n");
    scene.run("apply --auto-approve --journal first.jsonl").exits(0);
    let run = scene.run(ROLLBACK);
    run.exits(0);
    let kept = "      +\"bo@acme.example\" = { role = \"lead-old\" }\n";
    assert!(run.stdout.contains(kept), "{}", run.stdout);
}

#[test]
fn for_a_value_from_an_active_window_no_edit_is_suggested() {
    let users = "[users.\"cy@acme.example\"]\nwindows = [{ until = 2026-12-01, status = \"away\", then = \"active\" }]\n";
    let (scene, _) = applied(users);
    let run = scene.run("rollback first.jsonl --auto-approve --report json=rollback.json");
    run.exits(0);
    assert!(run.stdout.contains("cy@acme.example status: a window sets it until 2026-12-01, so the value in Pylon is not written to the files (users.toml:1)"), "{}", run.stdout);
    let report: Value =
        serde_json::from_str(&fs::read_to_string(scene.folder().join("rollback.json")).unwrap()).unwrap();
    assert_eq!(report["rollback"]["contradicted"], 1);
    assert_eq!(report["changes"][0]["edits"][0]["origin"]["kind"], "rollback");
}

#[test]
fn after_a_failed_rollback_no_report_suggests_an_apply_that_would_undo_it() {
    let (scene, journal) = applied(USERS);
    scene.pylon(|world| world.settings.token_can_write = false);
    for text in scene.reports_for_people(ROLLBACK, 1) {
        let plain = text.replace("<code>", "`").replace("</code>", "`");
        assert!(
            plain.contains(
                "Run `rolecall rollback first.jsonl` again with the same journal to send only the changes not yet applied"
            ),
            "{text}"
        );
        assert!(
            !text.contains("rolecall apply") && !text.to_lowercase().contains("applying again"),
            "{text}"
        );
    }
    // `doctor` gives the same advice if the rollback's journal is the newest in the folder.
    let own = scene.folder().join(".rolecall/journal");
    fs::create_dir_all(&own).unwrap();
    fs::copy(scene.folder().join("second.jsonl"), own.join("20261120T080000Z-1.jsonl")).unwrap();
    let run = scene.run("doctor");
    let again = "run `rolecall rollback first.jsonl` to continue the rollback;";
    assert!(run.stdout.contains(again), "{}", run.stdout);
    scene.pylon(|world| world.settings.token_can_write = true);
    scene.run(&ROLLBACK.replace("second", "third")).exits(0);
    assert!(journal.exists());
}

#[test]
fn after_a_partial_rollback_only_restored_people_are_to_be_edited_in_the_files() {
    let reverted = Faults::none().on(ApiOperation::UpdateUser).at(4, Fault::EchoOnly);
    let scene = Scene::with_troubled_pylon(PYLON, reverted).file("users.toml", USERS);
    scene.run("apply --auto-approve --journal first.jsonl").exits(0);
    let run = scene.run(&format!("{ROLLBACK} --parallelism 1"));
    let stdout = &run.exits(4).stdout;
    assert!(stdout.contains("\n1 applied · 1 reverted\n"), "{stdout}");
    let contradiction = "The files contradict this rollback: 1 person has different values in the files";
    assert!(stdout.contains(contradiction), "{stdout}");
    assert!(stdout.contains("find out who changed it before you try again:"), "{stdout}");
    assert!(!stdout.contains("      -\"bo@acme.example\""), "{stdout}");
    assert!(stdout.contains("      +\"cy@acme.example\" = { status = \"active\" }\n"), "{stdout}");
}

#[test]
fn a_continued_rollback_also_shows_the_edits_for_people_restored_earlier() {
    let (scene, _) = applied(USERS);
    scene.pylon(|world| {
        world.changed_by_someone_else(Duration::ZERO, "bo@acme.example", Some("Viewer"), None);
    });
    for (command, counts) in [
        (ROLLBACK, "\n1 applied · 1 already at the old values\n"),
        ("rollback first.jsonl --auto-approve", "\nnothing to change · 2 already at the old values\n"),
    ] {
        let stdout = scene.run(command).exits(0).stdout.clone();
        assert!(stdout.contains(counts), "{stdout}");
        let contradiction = "The files contradict this rollback: 2 people have different values in the files";
        assert!(stdout.contains(contradiction), "{stdout}");
        assert!(
            stdout.contains("      +\"bo@acme.example\" = { role = \"Viewer\" } # came in May\n"),
            "{stdout}"
        );
        assert!(stdout.contains("      +\"cy@acme.example\" = { status = \"active\" }\n"), "{stdout}");
    }
}

#[test]
fn a_rollback_of_a_value_that_the_policy_does_not_enforce_needs_no_edit() {
    let (scene, _) = applied(USERS);
    let scene = scene.file("users.toml", format!("[policy]\nrole = \"observe\"\n{USERS}"));
    let run = scene.run(ROLLBACK);
    let contradiction = "The files contradict this rollback: 1 person has different values in the files";
    assert!(run.exits(0).stdout.contains(contradiction), "{}", run.stdout);
    assert!(!run.stdout.contains("+\"bo@acme.example\""), "{}", run.stdout);
}

#[test]
fn a_journal_without_an_end_is_reported_as_such_in_every_format() {
    let (scene, journal) = applied(USERS);
    let text = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, text.lines().take(3).collect::<Vec<_>>().join("\n") + "\n").unwrap();
    for text in scene.reports_for_people(ROLLBACK, 0) {
        assert!(text.contains("The journal is incomplete, because the run was killed."), "{text}");
    }
}

/// Forges two lines of a journal. The second line claims that the apply changed this user's role.
fn forged(scene: &Scene, user: &str, email: &str, from: &str, to: &str) -> String {
    let host = scene.host();
    let edit = format!(r#"{{"field":"role","from":["{from}"],"to":"{to}"}}"#);
    let operation = format!(r#"{{"user":"{user}","email":"{email}","edits":[{edit}]}}"#);
    format!(
        r#"{{"line":"begin","version":1,"at":"{NOW}","organization":"org_1","host":"{host}","changes":1}}
{{"line":"intent","at":"{NOW}","number":1,"operation":{operation}}}
"#
    )
}

#[test]
fn a_rollback_shows_the_address_in_pylon_and_not_the_one_in_the_journal() {
    let users = "[users]\n\"cy@acme.example\" = { role = \"Member\" }\n";
    let scene = Scene::with_pylon(PYLON).file("users.toml", users);
    let journal = forged(&scene, "u_cy", "bo@acme.example", "role_admin", "role_member");
    let scene = scene.file("forged.jsonl", journal);
    let run = scene.run("rollback forged.jsonl --auto-approve --report markdown=r.md --report html=r.html");
    run.exits(0);
    let report = |name: &str| fs::read_to_string(scene.folder().join(name)).unwrap();
    for text in [run.stdout.clone(), report("r.md"), report("r.html")] {
        assert!(text.contains("cy@acme.example"), "{text}");
        assert!(!text.contains("bo@acme.example"), "{text}");
    }
    let changed = "  ✓ cy@acme.example  Cy   gains Admin\n      role    Member → Admin   forged.jsonl:2, previous value\n";
    assert!(run.stdout.contains(changed), "{}", run.stdout);
    // The check against the files also uses the person's address in Pylon.
    assert!(
        run.stdout.contains("The files contradict this rollback: 1 person has different values in the files"),
        "{}",
        run.stdout
    );
}

#[test]
fn people_left_alone_by_a_rollback_are_shown_by_their_address_in_pylon() {
    let scene = Scene::with_pylon(PYLON).file("users.toml", "[users]\n\"bo@acme.example\" = {}\n");
    let journal = forged(&scene, "u_cy", "bo@acme.example", "role_viewer", "role_admin");
    let run = scene.file("forged.jsonl", journal).run("rollback forged.jsonl --auto-approve");
    run.exits(0);
    let left =
        "  cy@acme.example role: someone else has since set a different value; left alone (forged.jsonl:2)\n";
    assert!(run.stdout.contains(left), "{}", run.stdout);
}

#[test]
fn a_journal_of_two_organizations_is_refused() {
    let (scene, journal) = applied(USERS);
    let text = fs::read_to_string(&journal).unwrap();
    let begin = text.lines().next().unwrap();
    fs::write(&journal, format!("{}\n{text}", begin.replace("org_1", "org_2"))).unwrap();
    scene.run(ROLLBACK).exits(1).names("rollback::no_journal").mentions("several organizations or hosts");
}

#[test]
fn a_rollback_does_not_link_to_its_journal_outside_the_repository() {
    let (scene, _) = applied(USERS);
    let comment = "--report markdown=comment.md --source-url https://git.example/blob/1";
    let run = scene.run(&format!("{ROLLBACK} {comment} --format github"));
    run.exits(0);
    let comment = fs::read_to_string(scene.folder().join("comment.md")).unwrap();
    assert!(comment.contains("`first.jsonl:2`") && !comment.contains("blob/1/first"), "{comment}");
    let linked = run.stdout.lines().find(|line| line.starts_with("::") && line.contains("file=first.jsonl"));
    assert_eq!(linked, None);
}
