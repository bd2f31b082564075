//! The text of `users.toml`: its canonical layout, edits that touch no other line, and a new file.
//!
//! The commands check whether a text is a valid roster. This module only needs valid TOML. It never loses a comment, and
//! it never changes what a value means. Text that cannot be laid out under these rules stays as it was written.

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
pub use fresh::{NewFile, NewInclude, NewTeam, fresh, fresh_team};
pub use person_values::PersonValues;

#[cfg(test)]
mod tests;
