//! Texts of `users.toml` in, texts out: the canonical layout, edits that touch no other line, a new file.
//!
//! Nothing here asks whether a text is a valid roster; the verbs read it first. No comment is ever lost and no value
//! ever changes its meaning: what cannot be laid out without that stays as it was written.

mod add;
mod braces;
mod declared;
mod edit;
mod fresh;
mod outline;
mod page;
mod pen;
mod people;
mod person;
mod scan;
mod section;
mod sheet;
mod splices;

use toml_edit::Document;

pub use edit::{Edit, NewPerson, Refused, To, edited};
pub use fresh::{NewFile, fresh};
use outline::Outline;
use sheet::Sheet;

/// The text is no TOML. `Roster::read` says why, with the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotToml;

/// The canonical layout of a root file or a team file.
///
/// # Errors
/// That the text is no TOML.
pub fn canonical(text: &str) -> Result<String, NotToml> {
    let document = Document::parse(text).map_err(|_| NotToml)?;
    Ok(Outline::of(Sheet::of(&document)).write())
}

#[cfg(test)]
mod tests;
