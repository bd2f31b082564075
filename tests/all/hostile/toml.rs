//! When text is shown as TOML, it's valid TOML for the original text.

use pretty_assertions::assert_eq;
use proptest::prelude::*;
use rolecall::comparison;
use rolecall::desired::Origin;
use rolecall::invocation::Invocation;
use rolecall::observed::RoleId;
use rolecall::plan::guardrails::{Figure, RoleCount};
use rolecall::printable::Printable;
use rolecall::report::diff::diff_texts;
use rolecall::report::facts::plan::{ChangeLine, EditLine, PersonLine};
use rolecall::report::toml_diff;
use rolecall::report::{Body, PlanReport, words};
use rolecall::roster::{Field, Roster};
use rolecall::source::Location;
use rolecall::toml_text;
use similar::ChangeTag;
use toml::{Table, Value};

use super::bodies::{PlanOf, plan};
use super::carriers::Deal;
use super::corpus;
use super::stories::users;
use crate::properties::holds;

fn read(toml: &str) -> Table {
    toml.parse().unwrap_or_else(|error| panic!("{error} in\n{toml}"))
}

/// Checks that the text, written as a TOML key and as a TOML string, is printable and reads back unchanged.
fn reads_back_unchanged(text: &str) {
    let (key, value) = (toml_text::key(text), toml_text::quoted(text));
    for shown in [&key, &value] {
        assert_eq!(Printable::new(shown).as_str(), shown);
    }
    let table = read(&format!("{key} = {value}\n"));
    assert_eq!(table, Table::from_iter([(text.to_owned(), Value::from(text))]));
}

#[test]
fn every_hostile_string_reads_back_from_toml() {
    corpus::strings().iter().for_each(|text| reads_back_unchanged(text));
}

#[test]
fn every_string_reads_back_from_toml() {
    let char = prop_oneof![
        any::<char>(),
        proptest::sample::select(vec![
            '"', '\\', ':', '#', '[', '\n', '\u{301}', '\u{fe0f}', '\u{2800}', '☎'
        ]),
        (0..0x20_u8).prop_map(char::from),
    ];
    let text = proptest::collection::vec(char, 0..24).prop_map(String::from_iter);
    holds(2000, &text, |text| reads_back_unchanged(&text));
}

#[test]
fn both_sides_of_a_diff_read_back_as_toml() {
    for text in corpus::strings() {
        let shown = Printable::new(&text);
        let value = Printable::cut(&text, 80).raw().to_owned();
        let location = || Location { file: text.clone(), line: 1, column: 1 };
        let edit = |from: Vec<Printable>, field| EditLine {
            field,
            from,
            to: shown.clone(),
            through_scim: Vec::new(),
            location: location(),
            origin: Origin::Person,
            blame: None,
            cause: None,
        };
        let person =
            PersonLine { id: shown.clone(), name: shown.clone(), primary_email: Some(shown.clone()) };
        let edits = vec![
            edit(vec![shown.clone()], Field::Status),
            edit(vec![shown.clone(), shown.clone()], Field::Role),
        ];
        let change = ChangeLine { email: shown, person, edits, outcome: None, location: location() };
        let report = PlanReport { changes: vec![change], ..nothing() };
        let hunks = toml_diff::plan(&report);
        let side = |left_out: ChangeTag| -> Table {
            let lines = hunks[0].lines.iter().filter(|(tag, _)| *tag != left_out);
            let toml: String = lines.map(|(_, line)| format!("{line}\n")).collect();
            read(&toml)["users"][&text].as_table().unwrap().clone()
        };
        assert_eq!(
            side(ChangeTag::Delete),
            table([("role", value.clone().into()), ("status", value.clone().into())])
        );
        let several = Value::from(vec![value.clone(), value.clone()]);
        assert_eq!(side(ChangeTag::Insert), table([("role", several), ("status", value.into())]));
    }
}

#[test]
fn a_suggested_correction_names_the_exact_role() {
    for text in corpus::strings() {
        let figure = Figure::AtLeast(RoleCount {
            role: RoleId("r".into()),
            limit: 2,
            before: 3,
            after: 1,
            during: None,
        });
        let now = "2026-11-20T08:00:00Z".parse().unwrap();
        let times = words::PlanTimes { at: now, now };
        let remedy = words::remedy(&figure, None, &Invocation::default(), &|_| text.clone(), times);
        let (_, toml) = remedy.split_once('\n').unwrap();
        let role = Printable::cut(&text, 300).raw().to_owned();
        assert_eq!(read(toml)["acknowledge"][0]["role"], Value::from(role));
    }
}

#[test]
fn a_quoted_line_of_a_file_keeps_its_meaning() {
    for text in corpus::strings() {
        // Use a line as a user might write it: without escapes, and without the characters that TOML requires to be escaped.
        let bare = text.replace(|char: char| char.is_control() || "\"\\".contains(char), "");
        let hunks = diff_texts("", &format!("x = \"{bare}\"\n"));
        let [(ChangeTag::Insert, line)] = hunks[0].lines.as_slice() else { panic!("{hunks:?}") };
        assert_eq!(Printable::new(line).as_str(), line);
        if !rolecall::secret::contains_secret(&format!("x = \"{bare}\"")) && line.chars().count() < 320 {
            assert_eq!(read(line), table([("x", bare.into())]));
        }
    }
}

#[test]
fn the_values_that_compare_shows_read_back_as_toml() {
    let mut strings: Vec<String> =
        corpus::strings().into_iter().filter(|text| !text.trim().is_empty()).collect();
    let folder = tempfile::tempdir().unwrap();
    let roster = |name: &str, strings: &[String]| {
        let path = folder.path().join(name);
        std::fs::write(&path, users(strings)).unwrap();
        Roster::read(&path).unwrap_or_else(|problems| panic!("{:?}", problems.list.first()))
    };
    let old = roster("old.toml", &strings);
    strings.rotate_left(1);
    let differences = comparison::differences(&old, &roster("new.toml", &strings), None);
    let mut roles = Vec::new();
    for item in differences.iter().flat_map(|difference| &difference.items) {
        for said in [&item.old, &item.new].into_iter().flatten() {
            assert_eq!(said.value.as_str(), said.value.raw());
            let value = read(&format!("{} = {}\n", item.key.raw(), said.value.raw()));
            roles.extend(value.get("role").and_then(Value::as_str).map(str::to_owned));
        }
    }
    for text in &strings {
        assert!(
            roles.iter().any(|role| role.split_once(' ').is_some_and(|(_, role)| role == text)),
            "{text:?}"
        );
    }
}

fn table<const N: usize>(pairs: [(&str, Value); N]) -> Table {
    pairs.map(|(key, value)| (key.to_owned(), value)).into_iter().collect()
}

fn nothing() -> PlanReport {
    let Body::Plan(plan) =
        plan(&mut Deal::new(&[String::new()]), &PlanOf { rounds: 0..0, carried_out: false })
    else {
        unreachable!("it is a plan")
    };
    *plan
}
