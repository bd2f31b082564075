//! Checks JSON reports as parsed by a program and as shown by a terminal or log.

use std::collections::BTreeSet;

use rolecall::printable::is_unprintable;
use serde_json::Value;

use super::Seen;

/// Rejects invalid JSON and characters with an effect on a terminal.
pub(in super::super) fn judge(report: &str) -> Result<Seen, String> {
    let value: Value = serde_json::from_str(report).map_err(|error| error.to_string())?;
    if !value.is_object() || !report.ends_with("}\n") {
        return Err("not one object".into());
    }
    if let Some(char) = report.chars().find(|char| *char != '\n' && is_unprintable(*char)) {
        return Err(format!("{char:?} as it is"));
    }
    if report.contains("##[") {
        return Err("a command of a job's log".into());
    }
    let mut wholes = BTreeSet::new();
    collect(&value, &mut wholes);
    Ok(Seen { text: String::new(), wholes })
}

fn collect(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            into.insert(text.clone());
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, into)),
        Value::Object(fields) => fields.values().for_each(|value| collect(value, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn the_judge_rejects_bad_reports() {
    assert!(judge("{\n  \"a\": \"\\u001b\"\n}\n").unwrap().has("\u{1b}"));
    assert!(!judge("{ \"a\": \"xyz\" }\n").unwrap().has("y"));
    for bad in [
        "",
        "[]\n",
        "{}",
        "{\"a\":\"\u{202e}\"}\n",
        "{\"a\":\"\u{9b}\"}\n",
        "{\"a\":\"##[error]\"}\n",
        "{\"a\":1}\n{}\n",
    ] {
        assert!(judge(bad).is_err(), "{bad:?}");
    }
}
