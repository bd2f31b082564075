//! Tests for locating the root file: `-C`, `--config`, `ROLECALL_CONFIG`, and parent folders.

use crate::harness::Scene;

const FILE: &str = "include = [\"teams/*.toml\"]\n[users]\n\"ana@acme.example\" = { role = \"Admin\" }\n";
const TEAM: &str = "[users]\n\"bo@acme.example\" = { role = \"Member\" }\n";
const STATE: &str = r#"{
    "organization": { "id": "org_4f1c", "name": "Acme Support" },
    "users": [
        { "id": "u_ana", "name": "Ana Beck", "email": "ana@acme.example", "role": "Viewer" },
        { "id": "u_bo", "name": "Bo Lindqvist", "email": "bo@acme.example", "role": "Member" }
    ]
}"#;

fn repository() -> Scene {
    Scene::offline()
        .file("work/.git/HEAD", "")
        .file("work/users.toml", FILE)
        .file("work/teams/emea.toml", TEAM)
}

#[test]
fn the_nearest_file_in_a_parent_folder_of_the_repository_is_used_and_named() {
    let scene = repository();
    let run = scene.run_below("work/teams/deep", "validate");
    run.exits(0).complains("Using ../../users.toml (the nearest users.toml)\n");
    run.says("2 files, 2 people declared: valid\n");
    scene.run_below("work/teams", "validate -q").exits(0).complains("");
    scene.run_below("work", "validate").exits(0).complains("");
}

#[test]
fn the_root_file_is_not_searched_for_above_the_root_of_the_repository() {
    let scene = repository().file("users.toml", "").file("work/vendor/.git", "gitdir: elsewhere");
    let why = "there is no users.toml in this folder or in a parent folder up to .., the root of the git repository";
    scene.run_below("work/vendor/lib", "validate").exits(1).names("roster::file_missing").mentions(why);
    let why = "there is no users.toml in this folder, which is the root of the git repository";
    scene.run_below("work/vendor", "plan --sandbox").exits(1).mentions(why);
}

#[test]
fn outside_a_repository_only_the_current_folder_is_searched() {
    let scene = Scene::offline().file("users.toml", FILE);
    let why =
        "there is no users.toml in this folder; parent folders are searched only inside a git repository";
    scene.run_below("below", "validate").exits(1).names("roster::file_missing").mentions(why);
}

#[test]
fn a_team_file_is_refused_as_the_config_of_a_command_that_plans() {
    let scene = repository().file("work/other.toml", "[users]\n").file("work/teams/users.toml", TEAM);
    let refused = |folder: &str, words: &str, root: &str| {
        let run = scene.run_below(folder, words);
        run.exits(1).names("commands::team_file");
        run.mentions(&format!(
            "is a team file of {root}, whose guardrails and pinned organization would not apply"
        ));
        run.mentions(&format!(
            "help: run the command with -c {root}; `plan` and `apply` can be limited to a person with --only EMAIL"
        ));
    };
    let commands =
        ["plan", "apply --auto-approve", "import --update", "explain bo@acme.example", "access", "roles"];
    for words in commands {
        refused("work", &format!("{words} --sandbox -c teams/emea.toml"), "users.toml");
    }
    let doctor = scene.run_below("work", "doctor --sandbox -c teams/emea.toml");
    assert!(
        doctor.exits(1).stdout.contains("teams/emea.toml is a team file of users.toml"),
        "{}",
        doctor.stdout
    );
    refused("work/teams", "plan --sandbox -c ./emea.toml", "../users.toml");
    let scene_outside = Scene::offline().file("users.toml", FILE).file("teams/emea.toml", TEAM);
    for words in ["apply --sandbox --auto-approve", "agenda"] {
        scene_outside.run(&format!("{words} -c teams/emea.toml")).exits(1).names("commands::team_file");
    }
    // A team file named users.toml isn't a root file either.
    refused("work/teams", "plan --sandbox", "../users.toml");
    // The root file is invalid but still includes the team file.
    let broken = FILE.replace("Admin", "\", status = \"x");
    let scene = repository().file("work/users.toml", broken);
    scene.run_below("work", "plan --sandbox -c teams/emea.toml").exits(1).names("commands::team_file");
    scene.run_below("work", "validate -c teams/emea.toml").exits(0);
    let scene = repository().file("work/other.toml", "[users]\n");
    scene.run_below("work", "plan --sandbox -c other.toml").exits(0);
}

#[test]
fn a_root_file_in_a_folder_below_is_suggested() {
    let scene = Scene::offline().file("our team/users.toml", FILE).file(".hidden/users.toml", FILE);
    let run = scene.run("validate");
    run.exits(1)
        .mentions("help: to use 'our team/users.toml', add -c 'our team/users.toml'; otherwise, pass");
    let deeper = Scene::offline().file("ops/pylon/users.toml", FILE).file("a/b/c/d/users.toml", FILE);
    deeper
        .run("validate")
        .exits(1)
        .mentions("help: to use ops/pylon/users.toml, add -c ops/pylon/users.toml;");
    let run = scene.run_below("empty", "validate");
    run.exits(1).mentions("help: pass the correct path with --config, or run `rolecall import` to create it from Pylon; `rolecall demo` writes an example");
}

#[test]
fn a_missing_file_from_the_command_line_is_not_to_be_passed_with_config() {
    let scene = Scene::offline();
    for command in ["validate", "fmt"] {
        let run = scene.run(&format!("{command} nope.toml"));
        run.exits(1).names("roster::file_missing").mentions("the file nope.toml does not exist");
        run.mentions(&format!("help: check the path; without a file, `rolecall {command}`"));
        assert!(!run.stderr.contains("--config"), "{}", run.stderr);
    }
}

#[cfg(unix)]
#[test]
fn a_dangling_link_is_not_reported_as_a_missing_root_file() {
    let scene =
        Scene::offline().file("users.toml", "include = [\"teams/*.toml\"]\n").file("teams/a.toml", FILE);
    std::os::unix::fs::symlink("gone.toml", scene.folder().join("teams/b.toml")).unwrap();
    let run = scene.run("validate");
    run.exits(1).names("roster::file_unreadable");
    run.mentions("cannot read teams/b.toml: it is a link to a file that does not exist");
    run.mentions("help: restore the file that it points to, or delete the link");
}

#[test]
fn option_c_changes_the_folder_and_config_takes_precedence_over_the_variable() {
    let other = "[users]\n\"cy@acme.example\" = { role = \"Admin\" }\n";
    let scene = repository().file("work/other.toml", other).file("work/third.toml", "timezone = \"UTC\"\n");
    let paths = |words: &str, variable: &str| {
        let run = scene.run_in(&format!("{words} --format json"), &[("ROLECALL_CONFIG", variable)]);
        let report: serde_json::Value = serde_json::from_str(&run.exits(0).stdout).unwrap();
        (report["paths"][0].as_str().unwrap().to_owned(), run.stderr)
    };
    let expected = |path: &str, note: &str| (path.to_owned(), note.to_owned());
    assert_eq!(paths("-C work validate", ""), expected("users.toml", ""));
    assert_eq!(
        paths("validate -C work/teams", ""),
        expected("../users.toml", "Using ../users.toml (the nearest users.toml)\n")
    );
    assert_eq!(
        paths("-C work validate", "other.toml"),
        expected("other.toml", "Using other.toml (ROLECALL_CONFIG)\n")
    );
    assert_eq!(paths("-C work validate -c third.toml", "other.toml"), expected("third.toml", ""));
    assert_eq!(paths("-C work validate -c users.toml", "other.toml"), expected("users.toml", ""));
    let run = scene.run_in("validate work/other.toml", &[("ROLECALL_CONFIG", "nowhere.toml")]);
    run.exits(0).complains("");
    scene
        .run("-C nowhere validate")
        .exits(64)
        .names("commands::no_folder")
        .mentions("cannot change to the folder nowhere");
}

#[test]
fn a_suggested_command_leads_to_the_same_file() {
    let scene = Scene::with_pylon(STATE).file("work/.git/HEAD", "").file("work/users.toml", FILE);
    let scene = scene.file("work/teams/emea.toml", TEAM);
    scene.run_below("work/teams", "apply").exits(1).mentions("help: run `rolecall plan` first");
    scene.run("apply -C work").exits(1).mentions("help: run `rolecall plan -C work` first");
    let run = scene.run_in("apply", &[("ROLECALL_CONFIG", "work/users.toml")]);
    run.exits(1).mentions("help: run `rolecall plan -c work/users.toml` first");
}

#[test]
fn a_token_file_below_the_folder_of_c_is_hidden_in_a_usage_error() {
    let scene = Scene::offline().file("work/token", "pylon_0f3e9a77c1d2");
    let run = scene.run("-C work plan --token-file token --frobnicate=pylon_0f3e9a77c1d2 pylon_0f3e9a77c1d2");
    run.exits(64);
    assert!(!run.stderr.contains("0f3e9a77"), "{}", run.stderr);
}

#[test]
fn import_updates_the_file_in_a_parent_folder() {
    let scene = Scene::with_pylon(STATE).file("work/.git/HEAD", "").file("work/users.toml", FILE);
    let scene = scene.file("work/teams/emea.toml", TEAM);
    scene.run_below("work/teams", "import --update").exits(0);
    let written = std::fs::read_to_string(scene.folder().join("work/users.toml")).unwrap();
    assert!(written.contains(r#""ana@acme.example" = { role = "Viewer" }"#), "{written}");
    scene.run_below("work/teams", "import").exits(1).names("import::file_exists");
}

/// The commands that also work without files.
const WITHOUT_FILES: [&str; 5] =
    ["roles", "access", "doctor", "import --state new.json", "sandbox --write-state new.json"];

#[test]
fn a_config_that_is_named_must_exist() {
    let scene = Scene::with_pylon(STATE);
    for words in WITHOUT_FILES {
        for (named, variable) in [(" -c typo.toml", ""), (" -c users.toml", ""), ("", "typo.toml")] {
            let run = scene.run_in(&format!("{words}{named}"), &[("ROLECALL_CONFIG", variable)]);
            run.exits(1);
            assert!((run.stdout + &run.stderr).contains(".toml does not exist"), "{words}{named}");
        }
        scene.run(words).exits(0);
        let _ = std::fs::remove_file(scene.folder().join("new.json"));
    }
}

#[test]
fn a_pinned_organization_counts_if_the_config_is_standard_input() {
    let pinned = "[workspace]\norganization = \"org_other\"\n";
    for words in WITHOUT_FILES {
        let scene = Scene::with_pylon(STATE);
        let words = format!("{words} -c -");
        let run = scene.run_with(&words.split(' ').collect::<Vec<_>>(), pinned);
        if words.starts_with("sandbox") {
            let state = std::fs::read_to_string(scene.folder().join("new.json")).unwrap();
            assert!(state.contains("\"org_other\""), "{state}");
        } else {
            run.exits(1);
            assert!((run.stdout + &run.stderr).contains("pinned"), "{words}");
        }
    }
}

#[test]
fn a_review_of_files_from_standard_input_names_no_commit() {
    let scene = Scene::with_pylon(STATE);
    let run = scene.run_with(&["access", "-c", "-", "--format", "json"], TEAM);
    let report: serde_json::Value = serde_json::from_str(&run.exits(0).stdout).unwrap();
    assert_eq!(report["files"]["commit"], serde_json::Value::Null);
    assert_eq!(report["unread"][0], "the commit of the files: they are read from standard input");
    assert_eq!(report["files"]["list"][0]["name"], "<stdin>");
}
