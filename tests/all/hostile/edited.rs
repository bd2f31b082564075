//! Edits a saved plan's report. `show` must either reject it or print a harmless report.

use rolecall::exit::Exit;
use rolecall::report::{Body, PlanReport, Report, write};
use serde_json::Value;

use super::bodies::{PlanOf, plan};
use super::carriers::Deal;
use super::corpus;
use super::judges::judge;
use super::rendering::{NO_LIMIT, setting};
use crate::harness::formats_for_people;

/// Returns the path of every string in the report.
fn strings_in(value: &Value, path: &str, paths: &mut Vec<String>) {
    match value {
        Value::String(_) => paths.push(path.to_owned()),
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                strings_in(item, &format!("{path}/{number}"), paths);
            }
        }
        Value::Object(entries) => {
            for (key, item) in entries {
                strings_in(item, &format!("{path}/{key}"), paths);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn read(report: &Value) -> Option<PlanReport> {
    serde_json::from_value(report.clone()).ok()
}

#[test]
fn an_edited_saved_plan_is_rejected_or_shown_without_harm() {
    let strings = corpus::strings();
    let plain = ["x".to_owned()];
    let Body::Plan(report) = plan(&mut Deal::new(&plain), &PlanOf { rounds: 0..2, carried_out: false })
    else {
        unreachable!("a plan")
    };
    let report = serde_json::to_value(&report).unwrap();
    let mut paths = Vec::new();
    strings_in(&report, "", &mut paths);
    // Leave out strings that can't be replaced without making the report invalid, such as a time or the name of a field.
    let mut edited = report.clone();
    paths.retain(|path| {
        let before = edited.clone();
        *edited.pointer_mut(path).unwrap() = "@octocat".into();
        let is_read = read(&edited).is_some();
        if !is_read {
            edited = before;
        }
        is_read
    });
    for field in ["/figure", "/remedy", "/acknowledged", "/reason", "/blocked_by/0"] {
        assert!(paths.iter().any(|path| path.ends_with(field)), "{field} is not replaced");
    }
    assert!(!paths.iter().any(|path| path.ends_with("/note")), "formats don't escape notes");
    for start in (0..strings.len()).step_by(5) {
        for (number, path) in paths.iter().enumerate() {
            let text = &strings[(start + number) % strings.len()];
            // Plain words are harmless in a remedy, but the judges know only our own words.
            let text = if path.ends_with("/remedy") { format!("1 {text}") } else { text.clone() };
            *edited.pointer_mut(path).unwrap() = text.into();
        }
        let body = Body::Plan(Box::new(read(&edited).unwrap()));
        let report = Report { command: "plan", exit: Exit::Done, body };
        for format in formats_for_people() {
            let text = write(&report, format, &setting(NO_LIMIT, false));
            judge(format, &text).unwrap_or_else(|why| panic!("{format:?}: {why}\n{text}"));
        }
    }
}
