//! Every example is valid, has a state to start from, is shown in examples/README.md, and comes into step.

use std::fs;
use std::path::Path;

use pretty_assertions::assert_eq;

use crate::harness::Scene;

fn folders() -> Vec<String> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let entries = fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<String> = entries
        .filter(|path| path.join("users.toml").exists())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

fn scene(name: &str) -> Scene {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
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
fn every_example_is_shown_and_comes_into_step_unless_it_is_there_to_be_refused() {
    let folders = folders();
    assert_eq!(folders, ["acme", "careful", "first", "holidays"]);
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/README.md")).unwrap();
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
