//! `schema`: prints a JSON Schema.

use crate::cli::{SchemaArgs, SchemaOf};
use crate::report::json;
use crate::roster::schema::schema;

/// The committed schema of saved plans.
const SAVED_PLAN: &str = include_str!("../../docs/saved-plan.schema.json");

pub(super) fn text(args: &SchemaArgs) -> String {
    let schema = match args.of {
        SchemaOf::Users => schema(),
        SchemaOf::Report => json::schema(),
        SchemaOf::Plan => return SAVED_PLAN.to_owned(),
    };
    format!("{:#}\n", schema.as_value())
}
