//! Changes values in a person's entry while preserving the entry's form, such as an inline table.

use std::collections::HashMap;

use toml_edit::{InlineTable, Value};

use super::inline;
use super::parsed::{KeyValue, ParsedText, Placement, TableSection};
use super::person_values::PersonValues;
use super::splices::{Belongs, Splices};
use super::value::dotted;
use crate::roster::{Email, keys};
use crate::toml_text::quoted;

/// The parts of a file that declare a person.
#[derive(Default)]
pub(super) struct PersonParts<'p, 't> {
    /// The `[users."address"]` header, if there is one.
    header: Option<&'p Placement<'t>>,
    /// The keys that declare the person's values, either below the header or as dotted keys.
    fields: Vec<&'p KeyValue<'t>>,
    inline_table: Option<&'t InlineTable>,
    /// The person's first subsection, such as `[[users."address".windows]]`, which declares the person even if there's no header.
    below: Option<&'p TableSection<'t>>,
}

type DeclaredPeople<'p, 't> = HashMap<Email, PersonParts<'p, 't>>;

/// Collects the parts of the file that declare each person.
pub(super) fn declared<'p, 't>(parsed: &'p ParsedText<'t>) -> DeclaredPeople<'p, 't> {
    let mut people = DeclaredPeople::new();
    for pair in &parsed.root {
        declare(&mut people, &pair.path, pair);
    }
    for section in &parsed.sections {
        if let ["users", address, ref below @ ..] = section.path[..] {
            let person = people.entry(Email::observed(address)).or_default();
            if below.is_empty() && !section.is_array {
                person.header = Some(&section.head);
            } else {
                person.below.get_or_insert(section);
            }
        }
        for pair in &section.pairs {
            declare(&mut people, &[&section.path[..], &pair.path].concat(), pair);
        }
    }
    people
}

/// Adds a key to the parts that declare a person, if the key belongs to a person. `path` is relative to the root of the file.
fn declare<'p, 't>(people: &mut DeclaredPeople<'p, 't>, path: &[&str], pair: &'p KeyValue<'t>) {
    if let ["users", address, ref keys @ ..] = *path {
        let person = people.entry(Email::observed(address)).or_default();
        match keys.len() {
            0 => person.inline_table = pair.value.as_inline_table(),
            1 => person.fields.push(pair),
            _ => {}
        }
    } else if let (["users"], Value::InlineTable(users)) = (path, pair.value) {
        for (address, value) in users {
            people.entry(Email::observed(address)).or_default().inline_table = value.as_inline_table();
        }
    }
}

/// Sets a person's values. Returns `false` if that's impossible without affecting other parts of the file.
pub(super) fn change(splices: &mut Splices<'_>, person: &PersonParts<'_, '_>, values: &PersonValues) -> bool {
    let mut fields = values.fields();
    if fields.is_empty() {
        return true;
    }
    fields.retain(|(key, new)| person.value(key).and_then(Value::as_str).map(quoted).as_ref() != Some(new));
    if let Some(table) = person.inline_table {
        return !table.is_dotted() && (fields.is_empty() || inline::set_fields(splices, table, &fields));
    }
    let mut missing = Vec::new();
    for (key, new) in fields {
        match person.value(key).and_then(Value::span) {
            Some(old) => splices.replace(old, new),
            None => missing.push((key, new)),
        }
    }
    missing.is_empty() || insert(splices, person, &missing)
}

impl<'p, 't> PersonParts<'p, 't> {
    fn value(&self, key: &str) -> Option<&'t Value> {
        let inline = self.inline_table.and_then(|table| table.get(key));
        inline.or_else(|| self.field(key).map(|pair| pair.value))
    }

    fn field(&self, key: &str) -> Option<&'p KeyValue<'t>> {
        self.fields.iter().find(|pair| pair.path.last() == Some(&key)).copied()
    }
}

/// Adds keys, each on a line of its own, to an entry that isn't an inline table. Returns `false` if there's no suitable place.
fn insert(splices: &mut Splices<'_>, person: &PersonParts<'_, '_>, new: &[(&str, String)]) -> bool {
    let text = splices.text;
    let PersonParts { header, fields, inline_table: _, below } = person;
    let assignment = |prefix: &str, (key, value): &(&str, String)| format!("{prefix}{key} = {value}");
    if let Some(header) = header {
        let indent = fields.last().map_or(*header, |last| &last.placement).indent(text);
        for field in new {
            let before = keys::before(field.0).iter().rev().find_map(|before| person.field(before));
            let above = before.map_or(*header, |pair| &pair.placement);
            splices.lines(above.next_line(text), Belongs::Above, &[assignment(indent, field)]);
        }
    } else if let Some(KeyValue { path: _, key_start, value: _, placement }) = fields.last() {
        // Match the existing line's indentation and its spelling of the address.
        let prefix = placement.indent(text).to_owned() + &text[placement.code.start..*key_start];
        let lines: Vec<String> = new.iter().map(|field| assignment(&prefix, field)).collect();
        splices.lines(placement.next_line(text), Belongs::Above, &lines);
    } else if let Some(TableSection { path, is_array: _, head, pairs: _ }) = below {
        let mut lines = vec![format!("[{}]", dotted(&path[..2]))];
        lines.extend(new.iter().map(|field| assignment("", field)));
        lines.push(String::new());
        splices.lines(head.leading_start(text), Belongs::Below, &lines);
    } else {
        return false;
    }
    true
}
