//! Edits people without changing any other line. The order, comments, layout, and line ends of the rest stay the same.
//!
//! `change` replaces values of a declared person and keeps the form of the entry. It never changes windows. `add` decides where a new
//! person goes.

use std::collections::HashSet;

use thiserror::Error;
use toml_edit::Document;

use super::add::add;
use super::change::{change, declared};
use super::parsed::ParsedText;
use super::person_values::PersonValues;
use super::splices::Splices;
use crate::roster::Email;

/// One change to what a text declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PersonEdit {
    /// Sets values of a declared person. Letter case makes no difference in the address.
    Change(PersonValues),
    /// Declares another person.
    Add(PersonValues),
}

/// The reason why edits were refused. None of them was made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refused {
    /// The text is not TOML.
    #[error("the text is not valid TOML")]
    NotToml,
    /// The text does not declare the person who should change.
    #[error("{0} is not declared here")]
    NotDeclared(Email),
    /// The text already declares the person who should be added.
    #[error("{0} is already declared here")]
    Declared(Email),
    /// Two edits are about the same person.
    #[error("{0} is edited twice")]
    Twice(Email),
    /// An edit of this form would change more than the person. An example is dotted keys in braces.
    #[error("{0} is declared in a form that must be edited by hand")]
    OddForm(Email),
    /// `users` is not a table, so no person can be added to it.
    #[error("`users` is not a table")]
    NoPlace,
}

/// Returns the text with these edits.
///
/// # Errors
/// The first edit that cannot be made.
pub fn edited(text: &str, edits: &[PersonEdit]) -> Result<String, Refused> {
    let document = Document::parse(text).map_err(|_| Refused::NotToml)?;
    let parsed = ParsedText::new(&document);
    let declared = declared(&parsed);
    let mut splices = Splices::new(&parsed);
    let (mut seen, mut new) = (HashSet::new(), Vec::new());
    for edit in edits {
        let (PersonEdit::Change(values) | PersonEdit::Add(values)) = edit;
        let email = &values.email;
        if !seen.insert(email) {
            return Err(Refused::Twice(email.clone()));
        }
        match (edit, declared.get(email)) {
            (PersonEdit::Change(values), Some(person)) => {
                if !change(&mut splices, person, values) {
                    return Err(Refused::OddForm(email.clone()));
                }
            }
            (PersonEdit::Change(_), None) => return Err(Refused::NotDeclared(email.clone())),
            (PersonEdit::Add(values), None) => new.push(values),
            (PersonEdit::Add(_), Some(_)) => return Err(Refused::Declared(email.clone())),
        }
    }
    if !add(&mut splices, &parsed, new) {
        return Err(Refused::NoPlace);
    }
    Ok(splices.apply())
}
