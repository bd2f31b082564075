//! The JSON format: a single versioned object. docs/report.schema.json is generated from the same structs.
//!
//! Values are never truncated. Unprintable characters are escaped as `\uXXXX`, and so is anything that a CI runner could mistake
//! for a command.

use schemars::Schema;
use schemars::generate::SchemaSettings;

use super::facts::{Envelope, VERSION};
use super::{Body, Report};
use crate::printable::{characters, is_unprintable};

/// Writes the report as one JSON object, or nothing if the command has already printed its output.
pub fn write(report: &Report) -> String {
    let Report { command, exit, body } = report;
    if let Body::Nothing = body {
        return String::new();
    }
    // Pretty-print to keep reports readable and diffable.
    let text = serde_json::to_string_pretty(&Envelope::new(command, *exit, body))
        .unwrap_or_else(|error| unreachable!("structs of texts serialize: {error}"));
    escape(&text) + "\n"
}

/// Returns the JSON Schema for all reports.
pub fn schema() -> Schema {
    let generator = SchemaSettings::default().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<Envelope<'_, Body>>();
    schema.insert("title".into(), format!("A rolecall report, version {VERSION}").into());
    schema
}

/// Escapes unprintable characters and stacked combining marks as `\uXXXX`. Also escapes the first `#` of `##[`, because
/// GitHub's runner treats `##[` as a command anywhere in a line. All of these occur only inside strings, where an escape
/// doesn't change the meaning of the JSON.
fn escape(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for (char, acts) in characters(json) {
        if (acts || is_unprintable(char)) && !char.is_ascii_graphic() && char != '\n' {
            let mut units = [0; 2];
            for unit in char.encode_utf16(&mut units) {
                safe += &format!("\\u{unit:04x}");
            }
        } else {
            safe.push(char);
        }
    }
    safe.replace("##[", "\\u0023#[")
}
