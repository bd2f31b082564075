//! Edits people's entries without touching any other lines. The other lines keep their order, comments, formatting, and line
//! endings.
//!
//! `change` sets values in an existing entry, keeps the entry's form, and never touches windows. `add` decides where a new entry
//! goes.

use std::collections::HashSet;

use thiserror::Error;
use toml_edit::Document;

use super::add::add;
use super::change::{change, declared};
use super::parsed::ParsedText;
use super::person_values::PersonValues;
use super::splices::Splices;
use crate::roster::Email;

/// An edit to a person's entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PersonEdit {
    /// Sets values in an existing entry. The address is matched case-insensitively.
    Change(PersonValues),
    /// Adds an entry for a new person.
    Add(PersonValues),
}

/// The reason edits were refused. If any edit is refused, no edit is made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refused {
    /// The text isn't valid TOML.
    #[error("the text is not valid TOML")]
    NotToml,
    /// The person to change isn't declared in this text.
    #[error("{0} is not declared here")]
    NotDeclared(Email),
    /// The person to add is already declared in this text.
    #[error("{0} is already declared here")]
    Declared(Email),
    /// Two edits target the same person.
    #[error("{0} is edited twice")]
    Twice(Email),
    /// The entry has a form that can't be edited in isolation, such as dotted keys in an inline table.
    #[error("{0} is declared in a form that must be edited by hand")]
    OddForm(Email),
    /// `users` isn't a table, so it can't hold people.
    #[error("`users` is not a table")]
    NoPlace,
    /// The edited text wouldn't be valid TOML.
    #[error("the edited text would not be valid TOML")]
    Breaking,
}

impl Refused {
    /// Returns the email address of the person whose edit was refused, or `None` if the reason isn't about a single person.
    pub fn email(&self) -> Option<&Email> {
        match self {
            Self::NotDeclared(email) | Self::Declared(email) | Self::Twice(email) | Self::OddForm(email) => {
                Some(email)
            }
            Self::NotToml | Self::NoPlace | Self::Breaking => None,
        }
    }
}

/// Applies the edits and returns the resulting text.
///
/// # Errors
/// Returns all reasons why edits were refused (at least one).
pub fn edited(text: &str, edits: &[PersonEdit]) -> Result<String, Vec<Refused>> {
    let document = Document::parse(text).map_err(|_| vec![Refused::NotToml])?;
    let parsed = ParsedText::new(&document);
    let declared = declared(&parsed);
    let mut splices = Splices::new(&parsed);
    let (mut seen, mut new, mut refused) = (HashSet::new(), Vec::new(), Vec::new());
    for edit in edits {
        let (PersonEdit::Change(values) | PersonEdit::Add(values)) = edit;
        let email = &values.email;
        if !seen.insert(email) {
            refused.push(Refused::Twice(email.clone()));
            continue;
        }
        match (edit, declared.get(email)) {
            (PersonEdit::Change(values), Some(person)) => {
                if !change(&mut splices, person, values) {
                    refused.push(Refused::OddForm(email.clone()));
                }
            }
            (PersonEdit::Change(_), None) => refused.push(Refused::NotDeclared(email.clone())),
            (PersonEdit::Add(values), None) => new.push(values),
            (PersonEdit::Add(_), Some(_)) => refused.push(Refused::Declared(email.clone())),
        }
    }
    if !add(&mut splices, &parsed, new) {
        refused.push(Refused::NoPlace);
    }
    if !refused.is_empty() {
        return Err(refused);
    }
    let written = splices.apply();
    // Parse the result because an entry in a form that we didn't anticipate must not corrupt the file.
    Document::parse(&*written).map_err(|_| vec![Refused::Breaking])?;
    Ok(written)
}
