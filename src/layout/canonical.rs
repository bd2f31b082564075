//! The canonical layout of a file: root keys first, followed by `[workspace]`, `[policy]`, `[guardrails]`, `[[rule]]`,
//! `[[acknowledge]]`, `[defaults]`, any unknown sections, and `[users]`.
//!
//! Sections can also be declared at the root, as dotted keys or inline tables. They are converted to sections with a header,
//! except for inline tables with comments between their pairs.

use std::mem::take;

use toml_edit::{Document, Value};

use super::parsed::{KeyValue, ParsedText, TableSection, inline_pairs};
use super::people::write_people;
use super::section::{write_pairs, write_section};
use super::value::{ValueFormatter, rank};
use super::writer::LayoutWriter;
use crate::roster::keys;

/// The error for text that isn't valid TOML. `Roster::read` reports what's wrong and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotToml;

/// Formats a root file or a team file in the canonical layout.
pub fn canonical(text: &str) -> Result<String, NotToml> {
    let document = Document::parse(text).map_err(|_| NotToml)?;
    Ok(write(ParsedText::new(&document)))
}

fn write(parsed: ParsedText<'_>) -> String {
    let ParsedText { text, eol, top, root, sections: headed, statements_end: _, end } = parsed;
    let values = ValueFormatter { text, eol };
    let mut sections = Vec::new();
    let mut unheaded = Vec::new();
    for pair in root {
        unheaded.extend(into_section(values, &mut sections, pair));
    }
    sections.extend(headed);
    // Arrays of tables remain in their original order, and so do the subtables of each element.
    let is_root_array = |section: &&TableSection<'_>| section.is_array && section.path.len() == 1;
    let arrays: Vec<&str> = sections.iter().filter(is_root_array).map(|section| section.path[0]).collect();
    let is_users = |section: &mut TableSection<'_>| section.path[0] == "users" && !arrays.contains(&"users");
    let users = sections.extract_if(.., is_users).collect();
    sections.sort_by_key(|section| {
        let rank = rank(&section.path, keys::SECTIONS);
        let is_known = rank < keys::SECTIONS.len() && !arrays.contains(&section.path[0]);
        (rank, is_known && section.path.len() > 1)
    });
    let mut writer = LayoutWriter::new(values);
    writer.detached(&top);
    write_pairs(&mut writer, unheaded, keys::ROOT);
    for mut section in sections {
        section.head.detach_directives();
        write_section(&mut writer, section);
    }
    write_people(&mut writer, users);
    writer.blank();
    writer.detached(&end);
    writer.finish()
}

/// Moves a root key into the section it belongs to. Returns the key if it has to stay at the root.
fn into_section<'t>(
    values: ValueFormatter<'t>,
    sections: &mut Vec<TableSection<'t>>,
    mut pair: KeyValue<'t>,
) -> Option<KeyValue<'t>> {
    let name = pair.path[0];
    if keys::ARRAYS.contains(&name) || !keys::SECTIONS.contains(&name) && name != "users" {
        return Some(pair);
    }
    let mut new = TableSection::without_comments(vec![name]);
    if pair.path.len() > 1 {
        pair.path.remove(0);
        match sections.iter_mut().find(|section| section.path == [name]) {
            Some(section) => section.pairs.push(pair),
            None => {
                new.pairs.push(pair);
                sections.push(new);
            }
        }
        return None;
    }
    match pair.value {
        Value::InlineTable(table) if !values.has_comments_between_pairs(table) => {
            new.pairs = inline_pairs(table);
            let foot = take(&mut pair.placement.foot);
            new.head = pair.placement;
            new.last_placement_mut().foot.extend(foot);
            sections.push(new);
            None
        }
        _ => Some(pair),
    }
}
