//! Tests for the schema for `users.toml`. The schema accepts every valid file and rejects every mistake visible in a single
//! value.

use std::fs;
use std::path::PathBuf;

use pretty_assertions::assert_eq;
use rolecall::roster::schema::schema;
use serde_json::{Map, Value};

use super::docs::{blocks, pages};
use crate::harness::{Scene, project};

/// Builds a validator that, like taplo, also checks the `format` of a string.
pub(crate) fn validator() -> jsonschema::Validator {
    let options = jsonschema::options().should_validate_formats(true);
    options.build(schema().as_value()).expect("a schema")
}

/// Converts TOML to the JSON that a schema validator sees, with dates and times as strings.
pub(crate) fn as_json(text: &str) -> Value {
    fn convert(value: toml::Value) -> Value {
        match value {
            toml::Value::String(text) => text.into(),
            toml::Value::Integer(number) => number.into(),
            toml::Value::Float(number) => number.into(),
            toml::Value::Boolean(truth) => truth.into(),
            toml::Value::Datetime(moment) => moment.to_string().into(),
            toml::Value::Array(list) => list.into_iter().map(convert).collect(),
            toml::Value::Table(table) => of_table(table),
        }
    }
    fn of_table(table: toml::Table) -> Value {
        Value::Object(table.into_iter().map(|(key, value)| (key, convert(value))).collect::<Map<_, _>>())
    }
    of_table(toml::from_str(text).unwrap_or_else(|error| panic!("TOML: {error}\n{text}")))
}

fn examples() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![project().join("examples")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn every_example_and_all_toml_in_the_docs_fit_the_schema() {
    let validator = validator();
    let mut texts: Vec<(String, String)> = examples()
        .into_iter()
        .map(|path| (path.display().to_string(), fs::read_to_string(path).unwrap()))
        .collect();
    assert!(texts.iter().any(|(name, _)| name.contains("teams")), "team files too");
    for page in pages() {
        texts.extend(blocks(&page, "toml").into_iter().map(|block| (page.display().to_string(), block)));
    }
    assert!(texts.len() >= 16, "only {}", texts.len());
    for (name, text) in texts {
        let complaints: Vec<String> =
            validator.iter_errors(&as_json(&text)).map(|error| error.to_string()).collect();
        assert_eq!(complaints, Vec::<String>::new(), "{name}:\n{text}");
    }
}

/// Files that each contain a mistake visible in a single value. Both the reader and the schema reject these files.
const MISTAKES: &[&str] = &[
    "timezon = \"UTC\"",
    "timezone = 1",
    "timezone = \"\"",
    "allow_unicode_emails = \"yes\"",
    "include = \"teams/*.toml\"",
    "users = 3",
    "token = \"x\"",
    "[workspace]\nregion = \"mars\"",
    "[workspace]\nbase_url = \"https://x.example\"",
    "[workspace]\norganization = 7",
    "[policy]\nrole = \"enforced\"",
    "[policy]\nroles = \"enforce\"",
    "[guardrails]\nmax_changes = \"101%\"",
    "[guardrails]\nmax_changes = \"lots\"",
    "[guardrails]\nmax_changes = \"+25%\"",
    "[guardrails]\nmax_changes = \"025%\"",
    "[guardrails]\nmax_changes = \"05%\"",
    "[guardrails]\nmax_changes = \"00%\"",
    "[guardrails]\nmax_changes = -1",
    "[guardrails]\nmax_changes = 2.5",
    "[guardrails]\nkeep_at_least = 2",
    "[guardrails]\nkeep_at_least = { Admin = \"2\" }",
    "[guardrails]\nkeep_active = -1",
    "[guardrails]\nprotected = [\"ana\"]",
    "[guardrails]\nunmanaged = \"shout\"",
    "[guardrails]\nmissing = \"ignore\"",
    "[[rule]]\nemails = \"*@b.example\"\nroles = [\"Viewer\"]",
    "[[rule]]\nemails = \"*@b.example\"\nroles = \"Viewer\"\nreason = \"r\"",
    "[[rule]]\nemails = \"*@*.example\"\nroles = [\"Viewer\"]\nreason = \"r\"",
    "[[rule]]\nemails = \"*a*@b.example\"\nroles = [\"Viewer\"]\nreason = \"r\"",
    "[[rule]]\nemails = [\"a**@b.example\"]\nroles = [\"Viewer\"]\nreason = \"r\"",
    "[[rule]]\nemails = \"*@b.example\"\nexcept = [\"**@b.example\"]\nroles = [\"Viewer\"]\nreason = \"r\"",
    "[[rule]]\nemails = [\"b.example\"]\nroles = [\"Viewer\"]\nreason = \"r\"",
    "[[rule]]\nemails = 3\nroles = [\"Viewer\"]\nreason = \"r\"",
    "[[rule]]\nemails = \"a@b.example\"\nroles = []\nreason = \"r\"",
    "[[rule]]\nemails = []\nroles = [\"Viewer\"]\nreason = \"r\"",
    "[[rule]]\nemails = \"a@b.example\"\nroles = [\"Viewer\"]\nreason = \"r\"\non_violation = \"shout\"",
    "[rule]\nemails = \"a@b.example\"\nroles = [\"Viewer\"]\nreason = \"r\"",
    "[defaults]\nstatus = \"active\"",
    "[defaults]\nrole = \"\"",
    "[users]\n\"ana\" = {}",
    "[users]\n\"ana@acme\" = {}",
    "[users]\n\"ana smith@acme.example\" = {}",
    "[users]\n\"ana@acme.example\" = \"Admin\"",
    "[users]\n\"ana@acme.example\" = { roel = \"Admin\" }",
    "[users]\n\"ana@acme.example\" = { role = 3 }",
    "[users]\n\"ana@acme.example\" = { status = \"on holiday\" }",
    "[users]\n\"ana@acme.example\" = { status = \"Active\" }",
    "[users]\n\"ana@acme.example\" = { role = \"x\", windows = { until = 2027-01-01, role = \"y\" } }",
    "[users]\n\"ana@acme.example\" = { role = \"x\", windows = [{ until = 08:00:00, role = \"y\" }] }",
    "[users]\n\"ana@acme.example\" = { role = \"x\", windows = [{ until = \"soon\", role = \"y\" }] }",
    "[users]\n\"ana@acme.example\" = { role = \"x\", windows = [{ till = 2027-01-01, role = \"y\" }] }",
    "[[acknowledge]]\nguardrail = \"max_changes\"\nup_to = 4\nreason = \"r\"",
    "[[acknowledge]]\nguardrail = \"max_changes\"\ndown_to = 4\nreason = \"r\"\nexpires = 2026-12-01",
    "[[acknowledge]]\nguardrail = \"max_changes\"\nup_to = 4\nrole = \"Admin\"\nreason = \"r\"\nexpires = 2026-12-01",
    "[[acknowledge]]\nguardrail = \"keep_at_least\"\ndown_to = 1\nreason = \"r\"\nexpires = 2026-12-01",
    "[[acknowledge]]\nguardrail = \"protected\"\nup_to = 4\nreason = \"r\"\nexpires = 2026-12-01",
    "[[acknowledge]]\nguardrail = \"max_change\"\nup_to = 4\nreason = \"r\"\nexpires = 2026-12-01",
    "[[acknowledge]]\nguardrail = \"max_changes\"\nup_to = 4\nreason = \"\"\nexpires = 2026-12-01",
];

#[test]
fn the_reader_refuses_what_the_schema_rejects() {
    let validator = validator();
    for text in MISTAKES {
        assert!(!validator.is_valid(&as_json(text)), "the schema takes:\n{text}");
        Scene::offline().file("users.toml", format!("{text}\n")).run("validate").exits(1);
    }
}

#[test]
fn every_valid_share_fits_the_schema() {
    let validator = validator();
    for percent in [0, 1, 9, 10, 25, 99, 100] {
        let text = format!("[guardrails]\nmax_changes = \"{percent}%\"\n");
        Scene::offline().file("users.toml", &text).run("validate").exits(0);
        assert!(validator.is_valid(&as_json(&text)), "{text}");
    }
}

#[test]
fn every_valid_time_fits_the_schema() {
    let validator = validator();
    for written in [
        "2026-12-20",
        "2026-12-20T08:00:00",
        "2026-12-20 08:00:00",
        "2026-12-20T08:00:00.5",
        "2026-12-20T08:00:00Z",
        "2026-12-20 08:00:00Z",
        "2026-12-20T08:00:00.123456+01:00",
        "2026-12-20T08:00:00-05:00",
    ] {
        let text = format!(
            "[users]\n\"a@b.example\" = {{ role = \"x\", windows = [{{ until = {written}, role = \"y\" }}] }}\n"
        );
        Scene::offline().file("users.toml", &text).run("validate").exits(0);
        assert!(validator.is_valid(&as_json(&text)), "{written}");
        // Also check the text without conversion: not every editor replaces the space with a `T`.
        let mut raw = as_json(&text);
        raw["users"]["a@b.example"]["windows"][0]["until"] = written.into();
        assert!(validator.is_valid(&raw), "{written}");
    }
}

#[test]
fn formatting_keeps_the_schema_comment_for_editors() {
    let text = "#:schema ./users.schema.json\n\n[users]\n\"ana@acme.example\" = { role = \"Admin\" }\n";
    let scene = Scene::offline().file("users.toml", text);
    scene.run("validate").exits(0);
    scene.run("fmt").exits(0);
    assert_eq!(fs::read_to_string(scene.folder().join("users.toml")).unwrap(), text);
}

#[test]
fn the_committed_schema_is_what_the_command_prints() {
    let path = project().join("docs/users.schema.json");
    let printed = Scene::offline().run("schema").stdout;
    if std::env::var_os("ROLECALL_BLESS").is_some_and(|value| value == "1") {
        fs::write(&path, &printed).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), printed, "ROLECALL_BLESS=1 writes it");
}

#[test]
fn each_schema_can_be_printed_by_name() {
    let scene = Scene::offline();
    let committed = |name: &str| fs::read_to_string(project().join("docs").join(name)).unwrap();
    assert_eq!(scene.run("schema users").stdout, scene.run("schema").stdout);
    assert_eq!(scene.run("schema plan").stdout, committed("saved-plan.schema.json"));
    assert_eq!(scene.run("schema report").stdout, committed("report.schema.json"));
    for name in ["users", "plan", "report"] {
        let schema: Value = serde_json::from_str(&scene.run(&format!("schema {name}")).stdout).unwrap();
        assert!(jsonschema::meta::is_valid(&schema), "{name}");
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{name}");
    }
}

#[test]
fn the_committed_schema_has_its_address_at_the_tag_of_this_version_as_its_id() {
    let bless = std::env::var_os("ROLECALL_BLESS").is_some_and(|value| value == "1");
    for file in ["users.schema.json", "report.schema.json", "saved-plan.schema.json"] {
        if bless && file != "saved-plan.schema.json" {
            continue; // another test writes this file concurrently
        }
        let path = project().join("docs").join(file);
        let text = fs::read_to_string(&path).unwrap();
        let schema: Value = serde_json::from_str(&text).unwrap();
        let id = schema["$id"].as_str().expect("an $id");
        let address = format!(
            "https://raw.githubusercontent.com/rolecall-dev/rolecall/v{}/docs/{file}",
            env!("CARGO_PKG_VERSION")
        );
        if bless {
            fs::write(&path, text.replace(id, &address)).unwrap();
        } else {
            assert_eq!(id, address, "ROLECALL_BLESS=1 writes it");
        }
    }
}
