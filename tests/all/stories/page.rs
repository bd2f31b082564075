//! Tests for the page that `--report html=…` writes: its sections and their order.

use std::fs;

use crate::harness::Scene;

/// Runs a command that writes a page, and returns everything after the page's style sheet.
fn page(scene: &Scene, words: &str, exit: i32) -> String {
    scene.run(&format!("{words} --report html=page.html")).exits(exit);
    let page = fs::read_to_string(scene.folder().join("page.html")).unwrap();
    page.split_once("</style>").unwrap().1.to_owned()
}

/// Checks that the page contains these strings in this order.
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
    assert!(
        page.contains(r#"<div class="timeline" tabindex="0" role="region" aria-label="Window timeline">"#)
    );
    let sentence = "bo@acme.example: role Admin from 2020-01-01 until 2099-01-01 (cover), users.toml:4";
    assert!(page.contains(&format!(r#"<g class="lane" role="img"><title>{sentence}</title>"#)), "{page}");
    // If the whole drawing had a `role`, its lanes would be hidden from screen readers.
    assert!(!page.contains(r#"role="img" aria-label"#));
    // The role's label must be to the left of the longest possible bar rather than on top of the bar.
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

/// Sets up an organization in which the files change `people` Members to Viewers and one Member to an Admin. Another Member is
/// unmanaged.
fn team(people: usize) -> Scene {
    let user =
        |name: &str| format!(r#"{{ "email": "{name}@acme.example", "name": "{name}", "role": "member" }}"#);
    let names: Vec<String> = (0..people).map(|number| format!("p{number}")).collect();
    let users: Vec<String> = names.iter().map(String::as_str).chain(["lead", "other"]).map(user).collect();
    let declared: String = names.iter().map(|name| format!("\"{name}@acme.example\" = {{}}\n")).collect();
    Scene::with_pylon(&format!("{{ \"users\": [{}] }}", users.join(","))).file(
        "users.toml",
        format!(
            "[defaults]\nrole = \"Viewer\"\n[guardrails]\nmax_changes = 100\nkeep_at_least = {{ Admin = 0 }}\n[users]\n{declared}\"lead@acme.example\" = {{ role = \"Admin\" }}\n"
        ),
    )
}

#[test]
fn many_people_with_the_same_change_are_a_group_without_guarded_roles() {
    let page = page(&team(21), "plan", 0);
    has_in_order(
        &page,
        &[
            r##"<nav aria-label="Contents"><a href="#guarded-roles">Guarded roles to review first <span class="quiet">1</span></a>"##,
            r##"<a href="#changes">Other changes <span class="quiet">21</span></a>"##,
            r##"<a href="#unmanaged">Unmanaged <span class="quiet">1</span></a>"##,
            r#"<section id="guarded-roles">"#,
            r#"<span class="email">lead@acme.example</span>"#,
            "gains Admin",
            r#"<section id="changes">"#,
            r#"<details class="group"><summary>"#,
            "<del>Member</del> → <ins>Viewer</ins>",
            "users.toml:2",
            "<strong>21 people</strong>",
            r#"<span class="email">p0@acme.example</span>"#,
            r#"<details><summary><h2>Unmanaged (1)</h2></summary><div id="unmanaged">"#,
            "other@acme.example",
        ],
    );
    assert_eq!(page.matches(r#"<table class="changes">"#).count(), 1, "{page}");
}

#[test]
fn a_few_changes_are_one_open_table_without_links() {
    let page = page(&team(18), "plan", 0);
    has_in_order(&page, &[r#"<p class="headline">1 gains <code>Admin</code></p>"#, ", as of <time>20"]);
    assert!(!page.contains("<nav") && !page.contains(r#"<details class="group">"#), "{page}");
    has_in_order(&page, &["lead@acme.example", "p0@acme.example", "p17@acme.example"]);
}

#[test]
fn people_with_the_same_values_from_different_lines_are_a_group_that_names_the_lines() {
    let names: Vec<String> = (0..25).map(|number| format!("p{number}@acme.example")).collect();
    let users: Vec<String> =
        names.iter().map(|name| format!(r#"{{ "email": "{name}", "role": "member" }}"#)).collect();
    let declared: String =
        names.iter().map(|name| format!("\"{name}\" = {{ status = \"away\" }}\n")).collect();
    let scene = Scene::with_pylon(&format!("{{ \"users\": [{}] }}", users.join(",")))
        .file("users.toml", format!("[guardrails]\nmax_changes = 100\n[users]\n{declared}"));
    let page = page(&scene, "plan", 0);
    has_in_order(
        &page,
        &[
            "from several lines",
            "<strong>25 people</strong>",
            "p0@acme.example</span>",
            "users.toml:4",
            "p1@acme.example</span>",
            "users.toml:5",
        ],
    );
}

#[test]
fn each_cell_of_a_table_has_the_name_of_its_column_for_phones() {
    let scene = Scene::with_pylon(r#"{ "users": [{ "email": "bo@acme.example", "role": "viewer" }] }"#)
        .file("users.toml", "[users]\n\"bo@acme.example\" = {}\n");
    let page = page(&scene, "roles", 0);
    has_in_order(&page, &["<strong>Viewer</strong>", r#"<span class="label">slug </span>viewer"#]);
}

#[test]
fn an_outcome_without_a_reason_is_one_line_for_all_people() {
    let scene = team(60);
    scene.pylon(|world| world.settings.token_can_write = false);
    let page = page(&scene, "apply --auto-approve", 1);
    let alert = page.split(r#"<section class="notice">"#).nth(1).unwrap().split("</section>").next().unwrap();
    assert!(alert.matches("<li>").count() <= 4, "{alert}");
    has_in_order(alert, &[" people: not attempted (", " and ", " more)</li>"]);
}
