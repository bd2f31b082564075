//! The page of `--report html=…`: which parts it has, and in which order.

use std::fs;

use crate::harness::Scene;

/// Runs a command with a page. Returns the part of the page after its style.
fn page(scene: &Scene, words: &str, exit: i32) -> String {
    scene.run(&format!("{words} --report html=page.html")).exits(exit);
    let page = fs::read_to_string(scene.folder().join("page.html")).unwrap();
    page.split_once("</style>").unwrap().1.to_owned()
}

/// Checks that the page contains these texts in this order.
fn has_in_order(page: &str, texts: &[&str]) {
    let mut rest = page;
    for text in texts {
        rest = rest.split_once(text).unwrap_or_else(|| panic!("{text} is missing in {rest}")).1;
    }
}

#[test]
fn changes_that_are_not_applied_come_first() {
    let scene = Scene::with_pylon(
        r#"{ "users": [{ "email": "ana@acme.example", "name": "Ana", "role": "viewer" },
                       { "email": "bo@acme.example", "name": "Bo", "role": "viewer", "role_from_scim": true },
                       { "email": "cy@acme.example", "name": "Cy", "role": "viewer" }] }"#,
    );
    let scene = scene.file(
        "users.toml",
        "[defaults]\nrole = \"Member\"\n[users]\n\"ana@acme.example\" = {}\n\"bo@acme.example\" = {}\n\"cy@acme.example\" = {}\n",
    );
    let page = page(&scene, "apply --auto-approve", 4);
    let name = |name: &str| format!("<span class=\"name\">{name}</span>");
    has_in_order(&page, &[&name("Bo"), "not effective", &name("Ana"), "applied", &name("Cy"), "applied"]);
}

#[test]
fn the_timeline_can_be_reached_with_the_keyboard_and_read_aloud() {
    let scene = Scene::offline().file(
        "users.toml",
        "[defaults]\nrole = \"Member\"\n[users]\n\"bo@acme.example\" = { windows = [{ from = 2020-01-01, until = 2099-01-01, role = \"Admin\", reason = \"cover\" }] }\n",
    );
    let page = page(&scene, "agenda", 0);
    assert!(page.contains(
        r#"<div class="timeline" tabindex="0" role="region" aria-label="Timeline of the windows">"#
    ));
    let sentence = "bo@acme.example: role Admin from 2020-01-01 until 2099-01-01 (cover), users.toml:4";
    assert!(page.contains(&format!(r#"<g class="lane" role="img"><title>{sentence}</title>"#)), "{page}");
    // A role of the drawing as a whole would hide its lanes.
    assert!(!page.contains(r#"role="img" aria-label"#));
    // The label is left of the longest possible bar, not on it.
    has_in_order(&page, &[r#"<text class="what" x="0""#, ">role Admin</text>"]);
}

#[test]
fn commands_and_keys_in_sentences_are_code() {
    let scene = Scene::offline();
    let doctor = page(&scene, "doctor", 1);
    assert!(doctor.contains("run <code>rolecall import</code>"), "{doctor}");
    let scene = Scene::offline().file("users.toml", "[users]\n\"bo@acme.example\" = { statsu = \"away\" }\n");
    let problem = page(&scene, "validate", 1);
    for page in [doctor, problem] {
        assert!(!page.contains('`'), "{page}");
    }
}
