//! Runs the real binary against a Pylon with hostile names, roles, statuses, and addresses, and with hostile files.

use std::fs;

use rolecall::report::Format;
use serde_json::{Value, json};

use super::corpus;
use super::judges::{judge, terminal};
use crate::harness::{Scene, formats_of};

/// The number of people, each with a different hostile name.
const PEOPLE: usize = 40;

/// Returns up to `number` strings, evenly spaced in the corpus, so that each family of attacks is represented.
fn sample(number: usize) -> Vec<String> {
    let strings = corpus::strings();
    let step = strings.len() / number;
    strings.into_iter().step_by(step.max(1)).filter(|text| !text.trim().is_empty()).take(number).collect()
}

/// Returns an organization in which the name, roles, people, and statuses are the given strings.
fn pylon(strings: &[String], token_can_write: bool) -> String {
    let roles = strings.iter().enumerate().map(|(number, text)| {
        json!({ "id": format!("role_{number}"), "name": format!("{number} {text}"), "slug": format!("slug-{number}") })
    });
    let admin = json!({ "id": "role_admin", "name": "Admin", "slug": "admin" });
    let people = strings.iter().enumerate().map(|(number, text)| {
        json!({
            "id": format!("u_{number}"),
            "email": format!("p{number}@acme.example"),
            "name": text,
            "status": strings[(number + 7) % strings.len()],
            "role": if number < 3 { "admin".to_owned() } else { format!("slug-{number}") },
        })
    });
    // Add an unmanaged Admin, so that the plan keeps the minimum of one Admin.
    let boss = json!({ "id": "u_boss", "email": "boss@acme.example", "name": strings[0], "role": "admin" });
    let state = json!({
        "organization": { "id": "org_1", "name": strings[strings.len() / 2] },
        "roles": roles.chain([admin]).collect::<Vec<Value>>(),
        "users": people.chain([boss]).collect::<Vec<Value>>(),
        "settings": { "token_can_write": token_can_write },
    });
    state.to_string()
}

/// Returns a file in which each person has the next person's role, with its name escaped for TOML.
pub(super) fn users(strings: &[String]) -> String {
    let mut text =
        "[guardrails]\nmax_changes = 1000\n[guardrails.keep_at_least]\nAdmin = 1\n[users]\n".to_owned();
    for (number, _) in strings.iter().enumerate() {
        let next = (number + 1) % strings.len();
        let role = quoted(&format!("{next} {}", strings[next]));
        let reason = quoted(&strings[(number + 3) % strings.len()]);
        let window =
            format!("{{ until = 2026-12-24, status = \"away\", then = \"active\", reason = {reason} }}");
        text += &format!("\"p{number}@acme.example\" = {{ role = {role}, windows = [{window}] }}\n");
    }
    text + "\"nobody`x`|$@acme.example\" = {}\n"
}

fn quoted(text: &str) -> String {
    let escaped = text.chars().map(|char| match char {
        '"' | '\\' => format!("\\{char}"),
        char if char.is_control() => format!("\\u{:04X}", u32::from(char)),
        char => char.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

/// Runs the command with a report in every format, then again with `--format github`. Asserts that the output and the reports are
/// harmless.
fn is_harmless(scene: &Scene, words: &str, exits: &[i32]) {
    let reports: Vec<String> =
        formats_of(words).map(|format| format!("--report {0}=report.{0}", format.as_str())).collect();
    let run = scene.run(&format!("{words} {} --color always", reports.join(" ")));
    assert!(run.exit.is_some_and(|exit| exits.contains(&exit)), "{words}: {:?}\n{}", run.exit, run.stderr);
    for format in formats_of(words) {
        let report = fs::read_to_string(scene.folder().join(format!("report.{}", format.as_str()))).unwrap();
        judge(format, &report).unwrap_or_else(|why| panic!("{words} as {format:?}: {why}\n{report}"));
    }
    for said in [&run.stdout, &run.stderr] {
        terminal::judge(said).unwrap_or_else(|why| panic!("{words}: {why}\n{said}"));
    }
    let in_a_job = scene.run(&format!("{words} --format github"));
    judge(Format::Github, &in_a_job.stdout).unwrap_or_else(|why| panic!("{words} in a job: {why}"));
}

#[test]
fn a_plan_and_an_apply_with_hostile_names_are_harmless() {
    let strings = sample(PEOPLE);
    let scene = Scene::with_pylon(&pylon(&strings, true)).file("users.toml", users(&strings));
    is_harmless(&scene, "plan", &[0]);
    is_harmless(&scene, "plan --at 2026-12-25", &[0]);
    is_harmless(&scene, "agenda", &[0]);
    is_harmless(&scene, "plan --only p4@acme.example", &[0]);
    is_harmless(&scene, "plan --blame", &[0]);
    is_harmless(&scene, "import --update --diff", &[0]);
    is_harmless(&scene, "roles", &[0]);
    is_harmless(&scene, "access", &[0]);
    is_harmless(&scene, "explain p5@acme.example", &[0]);
    is_harmless(&scene, "doctor", &[0]);
    is_harmless(&scene, "apply --auto-approve --journal first.jsonl", &[0]);
    is_harmless(&scene, "rollback first.jsonl --auto-approve --max-changes 100", &[0]);
}

#[test]
fn a_failed_apply_with_hostile_names_is_harmless() {
    let strings = sample(PEOPLE);
    let scene = Scene::with_pylon(&pylon(&strings, false)).file("users.toml", users(&strings));
    is_harmless(&scene, "apply --auto-approve", &[1]);
}

#[test]
fn a_comparison_of_two_hostile_files_is_harmless() {
    let mut strings = sample(PEOPLE);
    let scene = Scene::offline().file("old.toml", users(&strings));
    strings.rotate_left(5);
    let scene = scene.file("new.toml", users(&strings));
    is_harmless(&scene, "compare old.toml new.toml", &[0]);
}

#[test]
fn reports_about_broken_hostile_files_are_harmless() {
    for (number, text) in sample(12).iter().enumerate() {
        let broken = format!(
            "{} = {{ role = 1 }}\n[users]\n{} = {{ role = \"Admin\", status = {} }}\n",
            quoted(text),
            quoted(text),
            quoted(text)
        );
        let raw = format!("[users]\nx = {text}\n");
        let (name, other) = (format!("{number}.toml"), format!("raw{number}.toml"));
        let scene = Scene::offline().file(&name, broken).file(&other, raw);
        is_harmless(&scene, &format!("validate --config {name}"), &[1]);
        is_harmless(&scene, &format!("validate --config {other}"), &[1]);
    }
    let scene = Scene::offline().file("users.toml", "[users]\n\"bo@acme.example\" = {}\n");
    let run = scene.run_with(&["plan", "--only", "\u{1b}]0;x\u{7}::error::x"], "");
    terminal::judge(&run.stderr).unwrap_or_else(|why| panic!("{why}\n{}", run.stderr));
    let run =
        scene.run_with(&["plan", "--only", "\u{1b}]0;x\u{7}::error::x", "--config", "\u{1b}[2J.toml"], "");
    terminal::judge(&run.stderr).unwrap_or_else(|why| panic!("{why}\n{}", run.stderr));
}

#[cfg(unix)]
#[test]
fn reports_about_files_with_hostile_names_are_harmless() {
    let names = ["\u{1b}[2J", "a\n::error::x", "##[error]x", "`<b>`@octocat", "a\u{202e}b", "x,title=y"];
    let mut scene = Scene::offline().file("users.toml", "include = [\"teams/*.toml\"]\n");
    for (number, name) in names.iter().enumerate() {
        let text = format!("[users]\n\"p{number}@acme.example\" = {{ role = 1 }}\n");
        scene = scene.file(&format!("teams/{name}.toml"), text);
    }
    is_harmless(&scene, "validate", &[1]);
    is_harmless(&scene, "agenda", &[1]);
}
