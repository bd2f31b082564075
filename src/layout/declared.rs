//! Where a text declares each person, piece by piece.

use std::collections::HashMap;

use toml_edit::{InlineTable, Value};

use super::sheet::{Sheet, Span, Statement, What};
use crate::roster::Email;

/// A piece of a text that declares a person.
pub(super) enum Part<'t> {
    /// `[users."address"]`
    Header(Span),
    /// A key with its value below that header, or a dotted key.
    Field { key: &'t str, value: &'t Value, span: Span },
    /// The person in braces.
    Braces(&'t InlineTable),
    /// The header of something below the person. It declares them too.
    Below { address: &'t str, span: Span },
    /// Something else of theirs.
    Other,
}

/// Where each person is declared.
pub(super) fn declared<'t>(sheet: &Sheet<'t>) -> HashMap<Email, Vec<Part<'t>>> {
    let mut declared: HashMap<Email, Vec<Part<'_>>> = HashMap::new();
    let mut put = |address: &'t str, part| declared.entry(Email::observed(address)).or_default().push(part);
    let mut below: &[&str] = &[];
    for Statement { what, around: _, span } in &sheet.statements {
        match what {
            What::Header { path, array } => {
                below = path;
                match path[..] {
                    ["users", address] if !array => put(address, Part::Header(*span)),
                    ["users", address, ..] => put(address, Part::Below { address, span: *span }),
                    _ => {}
                }
            }
            What::Entry { path, value } => match below.iter().chain(path).copied().collect::<Vec<_>>()[..] {
                ["users"] => {
                    for (address, value) in value.as_inline_table().into_iter().flat_map(InlineTable::iter) {
                        put(address, value.as_inline_table().map_or(Part::Other, Part::Braces));
                    }
                }
                ["users", address] => put(address, value.as_inline_table().map_or(Part::Other, Part::Braces)),
                ["users", address, key] => put(address, Part::Field { key, value, span: *span }),
                ["users", address, ..] => put(address, Part::Other),
                _ => {}
            },
        }
    }
    declared
}

/// The line that has this field.
pub(super) fn field<'t>(parts: &[Part<'t>], name: &str) -> Option<(&'t Value, Span)> {
    parts.iter().find_map(|part| match part {
        Part::Field { key, value, span } if *key == name => Some((*value, *span)),
        Part::Field { .. } | Part::Header(_) | Part::Braces(_) | Part::Below { .. } | Part::Other => None,
    })
}
