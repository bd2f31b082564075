//! Edits of people that touch no line but theirs: order, comments, layout and line ends of everything else stay.
//!
//! A value changes where it stands, in whatever form the person has; windows are never touched. Who is new becomes one
//! more line where there are lines, a table where there are only tables. They stand at their sorted place in the last
//! group of people if no comment heads it (a heading is a claim about those below it), or else in a group of their own.
//! Among people who are not sorted, at their end.

use std::collections::HashSet;

use thiserror::Error;
use toml_edit::Document;

use super::NotToml;
use super::add::add;
use super::braces::{self, FieldEdit};
use super::declared::{Part, declared, field};
use super::pen::dotted;
use super::sheet::Sheet;
use super::splices::{Belongs, Splices};
use crate::roster::{Email, RoleName, Status, keys};
use crate::toml_text::quoted;

/// One change to what a text declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Other values for somebody whom the text declares.
    Change {
        /// By which address; letter case makes no difference.
        email: Email,
        /// The person's own role.
        role: To<RoleName>,
        /// The person's own status.
        status: To<Status>,
    },
    /// Somebody whom the text does not declare yet.
    Add(NewPerson),
}

/// What becomes of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To<T> {
    /// It stays as it is.
    Stay,
    /// It is this from now on.
    Set(T),
    /// It is declared no longer.
    Remove,
}

/// Somebody to declare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPerson {
    /// By which address.
    pub email: Email,
    /// The role; `None`: the one of `[defaults]`.
    pub role: Option<RoleName>,
    /// The status; `None`: it is left alone.
    pub status: Option<Status>,
}

/// Why edits were not made; none of them was.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refused {
    /// See [`NotToml`].
    #[error("the text is no TOML")]
    NotToml,
    /// The text does not declare the person who should change.
    #[error("{0} is not declared here")]
    NotDeclared(Email),
    /// The text declares the person who should be added.
    #[error("{0} is declared here already")]
    Declared(Email),
    /// Two edits are about one person.
    #[error("{0} has two edits")]
    Twice(Email),
    /// The person is declared in a form that cannot be edited without touching more: dotted keys in braces.
    #[error("{0} is declared in a form that only a person can edit")]
    OddForm(Email),
    /// `users` is no table, so nobody can be added to it.
    #[error("`users` is no table")]
    NoPlace,
}

impl From<NotToml> for Refused {
    fn from(NotToml: NotToml) -> Self {
        Self::NotToml
    }
}

/// The text with these edits made, and no other line touched.
///
/// # Errors
/// The first edit that cannot be made.
pub fn edited(text: &str, edits: &[Edit]) -> Result<String, Refused> {
    let document = Document::parse(text).map_err(|_| NotToml)?;
    let sheet = Sheet::of(&document);
    let declared = declared(&sheet);
    let mut splices = Splices::new(&sheet);
    let (mut seen, mut new) = (HashSet::new(), Vec::new());
    for edit in edits {
        let (Edit::Change { email, .. } | Edit::Add(NewPerson { email, .. })) = edit;
        if !seen.insert(email) {
            return Err(Refused::Twice(email.clone()));
        }
        match (edit, declared.get(email)) {
            (Edit::Change { email, role, status }, Some(parts)) => {
                let fields = fields(role, *status);
                if !fields.is_empty() && !change(&mut splices, parts, &fields) {
                    return Err(Refused::OddForm(email.clone()));
                }
            }
            (Edit::Change { email, .. }, None) => return Err(Refused::NotDeclared(email.clone())),
            (Edit::Add(person), None) => new.push(person),
            (Edit::Add(person), Some(_)) => return Err(Refused::Declared(person.email.clone())),
        }
    }
    add(&mut splices, &sheet, new)?;
    Ok(splices.apply())
}

fn fields(role: &To<RoleName>, status: To<Status>) -> Vec<FieldEdit> {
    let role = match role {
        To::Stay => None,
        To::Set(role) => Some(Some(quoted(role))),
        To::Remove => Some(None),
    };
    let status = match status {
        To::Stay => None,
        To::Set(status) => Some(Some(quoted(status.as_str()))),
        To::Remove => Some(None),
    };
    [("role", role), ("status", status)].into_iter().filter_map(|(key, edit)| Some((key, edit?))).collect()
}

/// Makes edits of one person; `false` where their form does not allow it.
fn change(splices: &mut Splices<'_>, parts: &[Part<'_>], edits: &[FieldEdit]) -> bool {
    let mut edits: Vec<FieldEdit> = edits.to_vec();
    edits.retain(|(key, new)| !is_so_already(parts, key, new.as_deref()));
    for part in parts {
        if let Part::Braces(table) = part {
            return !table.is_dotted() && (edits.is_empty() || braces::change(splices, table, &edits));
        }
    }
    let (mut new, mut gone) = (Vec::new(), Vec::new());
    for (key, value) in edits {
        match (field(parts, key), value) {
            (Some((old, _)), Some(value)) => splices.replace(old.span().unwrap_or_default(), value),
            (Some((_, span)), None) => gone.push(span),
            (None, Some(value)) => new.push((key, value)),
            (None, None) => {}
        }
    }
    let stay = parts.len() - gone.len() + new.len();
    for (number, span) in gone.into_iter().enumerate() {
        if stay == 0 && number == 0 {
            // The dotted key was all that declared the person.
            let path = splices.text[span.code..span.key].trim_end_matches([' ', '\t', '.']);
            splices.replace(span.code..span.code_end, format!("{path} = {{}}"));
        } else {
            splices.remove(span);
        }
    }
    new.is_empty() || insert(splices, parts, new)
}

fn is_so_already(parts: &[Part<'_>], key: &str, new: Option<&str>) -> bool {
    let in_braces = parts.iter().find_map(|part| match part {
        Part::Braces(table) => table.get(key),
        Part::Header(_) | Part::Field { .. } | Part::Below { .. } | Part::Other => None,
    });
    let old = in_braces.or(field(parts, key).map(|(value, _)| value));
    match (old, new) {
        (Some(old), Some(new)) => old.as_str().is_some_and(|old| quoted(old) == new),
        (None, None) => true,
        _ => false,
    }
}

/// Adds lines to a person who is no inline table.
fn insert(splices: &mut Splices<'_>, parts: &[Part<'_>], new: Vec<(&str, String)>) -> bool {
    let header = parts.iter().find_map(|part| match part {
        Part::Header(span) => Some(*span),
        Part::Field { .. } | Part::Braces(_) | Part::Below { .. } | Part::Other => None,
    });
    let last_field = parts.iter().rev().find_map(|part| match part {
        Part::Field { span, .. } => Some(*span),
        Part::Header(_) | Part::Braces(_) | Part::Below { .. } | Part::Other => None,
    });
    let below = parts.iter().find_map(|part| match part {
        Part::Below { address, span } => Some((*address, *span)),
        Part::Header(_) | Part::Field { .. } | Part::Braces(_) | Part::Other => None,
    });
    if let Some(header) = header {
        let indent = splices.indent(last_field.unwrap_or(header));
        for (key, value) in new {
            let before = keys::before(key).iter().rev().find_map(|before| field(parts, before));
            let behind = before.map_or(header, |(_, span)| span);
            splices.lines(behind.next_line, Belongs::Above, &[format!("{indent}{key} = {value}")]);
        }
    } else if let Some(span) = last_field {
        let path = &splices.text[span.code..span.key];
        let indent = splices.indent(span);
        let lines: Vec<String> =
            new.iter().map(|(key, value)| format!("{indent}{path}{key} = {value}")).collect();
        splices.lines(span.next_line, Belongs::Above, &lines);
    } else if let Some((address, span)) = below {
        let mut lines = vec![format!("[{}]", dotted(&["users", address]))];
        lines.extend(new.iter().map(|(key, value)| format!("{key} = {value}")));
        lines.push(String::new());
        splices.lines(span.starts, Belongs::Below, &lines);
    } else {
        return false;
    }
    true
}
