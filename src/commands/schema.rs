//! `schema`: prints a JSON Schema.

use crate::cli::{SchemaArgs, SchemaOf};
use crate::report::json;
use crate::roster::schema::schema;

/// The schema of saved plans. Unlike the other schemas, which are generated, it's edited by hand.
const SAVED_PLAN: &str = include_str!("../../docs/saved-plan.schema.json");

pub(super) fn text(args: &SchemaArgs) -> String {
    let (file, mut schema) = match args.of {
        SchemaOf::Users => ("users.schema.json", schema()),
        SchemaOf::Report => ("report.schema.json", json::schema()),
        SchemaOf::Plan => return SAVED_PLAN.to_owned(),
    };
    schema.insert("$id".into(), address(file).into());
    let text = serde_json::to_string_pretty(&schema)
        .unwrap_or_else(|error| unreachable!("a schema serializes: {error}"));
    text + "\n"
}

/// Returns the URL of a schema at the tag of this version. A tagged file never changes, so programs can cache it by its `$id`.
fn address(file: &str) -> String {
    let files = env!("CARGO_PKG_REPOSITORY").replace("//github.com/", "//raw.githubusercontent.com/");
    format!("{files}/v{}/docs/{file}", env!("CARGO_PKG_VERSION"))
}
