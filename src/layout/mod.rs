//! Formats and edits the text of `users.toml`: the canonical layout, targeted edits, and new files.
//!
//! The input must be valid TOML, and the commands check whether it's also a valid roster. Formatting never drops a comment or
//! changes the meaning of a value, so anything that can't be formatted under these rules is left as is.

mod add;
mod canonical;
mod change;
mod edit;
mod fresh;
mod inline;
mod parsed;
mod people;
mod person;
mod person_values;
mod section;
mod splices;
mod value;
mod writer;

pub use canonical::{NotToml, canonical};
pub use edit::{PersonEdit, Refused, edited};
pub use fresh::{NewFile, TEAMS, fresh, fresh_team};
pub use person_values::PersonValues;

#[cfg(test)]
mod tests;
