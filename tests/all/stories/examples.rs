//! Checks that every example is valid, comes with a sandbox state, and is listed in examples/README.md. Examples that aren't
//! meant to be blocked must end up in sync.

use std::fs;

use pretty_assertions::assert_eq;

use crate::harness::{Scene, project};

fn folders() -> Vec<String> {
    let examples = project().join("examples");
    let entries = fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<String> = entries
        .filter(|path| path.join("users.toml").exists())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

fn scene(name: &str) -> Scene {
    let folder = project().join("examples").join(name);
    let mut scene = Scene::offline();
    for part in ["", "teams"] {
        for entry in fs::read_dir(folder.join(part)).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
                scene = scene.file(&name, fs::read(&path).unwrap());
            }
        }
    }
    scene
}

#[test]
fn every_example_is_documented_and_ends_in_sync_unless_meant_to_be_blocked() {
    let folders = folders();
    assert_eq!(folders, ["acme", "careful", "first", "holidays", "limits"]);
    let page = fs::read_to_string(project().join("examples/README.md")).unwrap();
    for name in folders {
        assert!(
            page.contains(&format!("\n## {name}: ")) && page.contains(&format!("examples/{name}/users.toml")),
            "{name}"
        );
        let scene = scene(&name);
        scene.run("validate").exits(0);
        scene.run("fmt --check").exits(0);
        let is_refused = name == "careful";
        scene.run("apply --sandbox --auto-approve").exits(if is_refused { 3 } else { 0 });
        scene.run("plan --sandbox --detailed-exitcode").exits(if is_refused { 3 } else { 0 });
    }
}

#[test]
fn the_demo_writes_an_example_and_shows_its_plan_anywhere() {
    let scene = Scene::offline();
    let run = scene.run("demo");
    assert!(run.exits(0).stdout.contains("! ines@acme.example  Ines Weber   gains Admin"), "{}", run.stdout);
    assert!(run.stdout.contains("rolecall-demo/teams/leads.toml:6"), "{}", run.stdout);
    run.mentions("plan again: rolecall plan --sandbox -c rolecall-demo/users.toml");
    let again = scene.run("plan --sandbox -c rolecall-demo/users.toml");
    assert_eq!(again.exits(0).stdout, run.stdout.replace("rolecall demo", "rolecall plan"));
    scene.run("demo").exits(1).names("demo::folder_exists");
    let below = scene.file("below/notes.md", "");
    let run = below.run("demo -C below");
    run.exits(0).mentions("plan again: rolecall plan --sandbox -c rolecall-demo/users.toml -C below");
    below.run("plan --sandbox -c rolecall-demo/users.toml -C below").exits(0);
    let spaced = below.run_with(&["demo", "my demo"], "");
    spaced.exits(0).mentions("Wrote an example to my demo.").mentions("-c 'my demo/users.toml'");
}
