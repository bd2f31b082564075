//! The order of a whole file: the root's own keys, then `[workspace]`, `[policy]`, `[guardrails]`, `[[acknowledge]]`,
//! `[defaults]`, what is not known here, and `[users]`. What the root says of a section in dotted keys or in one inline
//! table becomes that section.

use toml_edit::Value;

use super::page::Page;
use super::pen::{Pen, pairs, rank};
use super::people::write_people;
use super::section::{Entry, Section, write_keys};
use super::sheet::{Around, Block, Sheet, Statement, What};
use crate::roster::keys;

/// A file in its order.
pub(super) struct Outline<'t> {
    pen: Pen<'t>,
    top: Vec<Block<'t>>,
    /// The keys above every header.
    roots: Vec<Entry<'t>>,
    sections: Vec<Section<'t>>,
    /// `[users]` and every person below it.
    users: Vec<Section<'t>>,
    end: Vec<Block<'t>>,
}

impl<'t> Outline<'t> {
    /// Sorts what a text is made of.
    pub(super) fn of(sheet: Sheet<'t>) -> Self {
        let Sheet { text, eol, top, statements, end } = sheet;
        let pen = Pen { text, eol };
        let (mut roots, mut sections) = (Vec::new(), Vec::new());
        let mut is_below_header = false;
        for Statement { what, around, span: _ } in statements {
            match what {
                What::Header { path, array } => {
                    is_below_header = true;
                    sections.push(Section { path, array, head: around, entries: Vec::new() });
                }
                What::Entry { path, value } => {
                    let entry = Entry { path, value, around };
                    match sections.last_mut() {
                        Some(section) if is_below_header => section.entries.push(entry),
                        _ => roots.extend(into_section(pen, &mut sections, entry)),
                    }
                }
            }
        }
        // A list of tables stays in its order, and so does what is below each of them.
        let lists: Vec<&str> =
            sections.iter().filter(|it| it.array && it.path.len() == 1).map(|it| it.path[0]).collect();
        let users = if lists.contains(&"users") {
            Vec::new()
        } else {
            sections.extract_if(.., |section| section.path[0] == "users").collect()
        };
        sections.sort_by_key(|section| {
            let rank = rank(&section.path, keys::SECTIONS);
            let is_known = rank < keys::SECTIONS.len() && !lists.contains(&section.path[0]);
            (rank, is_known && section.path.len() > 1)
        });
        Self { pen, top, roots, sections, users, end }
    }

    /// The text.
    pub(super) fn write(self) -> String {
        let Self { pen, top, roots, sections, users, end } = self;
        let mut page = Page::new(pen.eol, pen.text.len());
        page.standing(&top);
        write_keys(&mut page, pen, roots, keys::ROOT);
        sections.into_iter().for_each(|section| section.write(&mut page, pen));
        write_people(&mut page, pen, users);
        page.blank();
        page.standing(&end);
        page.finish()
    }
}

/// Takes a key of the root that is about a section into that section; gives back one that is not.
fn into_section<'t>(
    pen: Pen<'t>,
    sections: &mut Vec<Section<'t>>,
    mut entry: Entry<'t>,
) -> Option<Entry<'t>> {
    let name = entry.path[0];
    if name == "acknowledge" || !keys::SECTIONS.contains(&name) && name != "users" {
        return Some(entry);
    }
    if entry.path.len() > 1 {
        entry.path.remove(0);
        match sections.iter_mut().find(|section| section.path == [name]) {
            Some(section) => section.entries.push(entry),
            None => sections.push(Section { entries: vec![entry], ..Section::bare(vec![name]) }),
        }
        return None;
    }
    match entry.value {
        Value::InlineTable(table) if !pen.has_own_comments(table) => {
            let foot = std::mem::take(&mut entry.around.foot);
            let entries = pairs(table).into_iter().map(|(path, value)| Entry {
                path,
                value,
                around: Around::default(),
            });
            let mut section = Section { entries: entries.collect(), ..Section::bare(vec![name]) };
            section.head = entry.around;
            section.add_foot(foot);
            sections.push(section);
            None
        }
        _ => Some(entry),
    }
}
