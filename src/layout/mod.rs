//! The text of `users.toml`: its canonical layout, edits that touch no other line, and a new file.
//!
//! The commands check whether a text is a valid roster. This module only needs valid TOML. It never loses a comment, and
//! it never changes what a value means. Whatever cannot be laid out under these rules stays as it was written.

mod add;
mod change;
mod edit;
mod fresh;
mod inline;
mod order;
mod parsed;
mod people;
mod person;
mod person_values;
mod section;
mod splices;
mod value;
mod writer;

use toml_edit::Document;

pub use edit::{Edit, Refused, edited};
pub use fresh::{NewFile, fresh};
use parsed::ParsedText;
pub use person_values::PersonValues;

/// The text is not TOML. `Roster::read` reports the reason and the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotToml;

/// Returns the canonical layout of a root file or a team file.
///
/// # Errors
/// The text is not TOML.
pub fn canonical(text: &str) -> Result<String, NotToml> {
    let document = Document::parse(text).map_err(|_| NotToml)?;
    Ok(order::write(ParsedText::of(&document)))
}

#[cfg(test)]
mod tests;
