//! The form of one person: a line if that fits, has no windows and loses no comment, or else a table. A person whom the
//! other form would move away from a heading keeps their form, since all lines are above all tables.

use std::mem::take;

use toml_edit::Value;

use super::pen::{Pair, Pen, WIDTH, dotted, pairs};
use super::scan::Behind;
use super::section::{Entry, Section};
use super::sheet::{Around, Block};
use crate::roster::keys;

pub(super) struct Person<'t> {
    pub(super) address: &'t str,
    pub(super) form: Form<'t>,
}

pub(super) enum Form<'t> {
    Line {
        above: Block<'t>,
        code: String,
        behind: Option<Behind<'t>>,
    },
    /// The person's own section, and those below it.
    Table(Vec<Section<'t>>),
}

/// Returns a person who is declared in lines. `is_whole`: no other part of the file declares them. `may_be_table`: a
/// table would not be away from their heading, or below another one.
pub(super) fn lines_or_table<'t>(
    pen: Pen<'t>,
    address: &'t str,
    mut entries: Vec<Entry<'t>>,
    is_whole: bool,
    may_be_table: bool,
) -> Vec<Person<'t>> {
    let is_inline = entries[0].path.len() == 1;
    let fields: Option<Vec<Pair<'_>>> = match (is_inline, entries[0].value) {
        (true, Value::InlineTable(table)) if !pen.has_own_comments(table) => Some(pairs(table)),
        (true, _) => None,
        (false, _) => {
            is_whole.then(|| entries.iter().map(|entry| (entry.path[1..].to_vec(), entry.value)).collect())
        }
    };
    let Some(fields) = fields else { return entries.into_iter().map(|entry| loose(pen, entry)).collect() };
    let above_others = entries[1..].iter().any(|entry| !entry.around.above.is_empty());
    let mut behinds = entries.iter().filter_map(|entry| entry.around.behind);
    let (behind, behind_others) = (behinds.next(), behinds.next().is_some());
    let behind = if is_inline { behind } else { moved(behind) };
    let form = match line(pen, address, &fields) {
        Some(_) if above_others || behind_others => {
            return entries.into_iter().map(|entry| loose(pen, entry)).collect();
        }
        Some(code) => Form::Line { above: take(&mut entries[0].around.above), code, behind },
        None if may_be_table => Form::Table(vec![table(address, entries, fields, is_inline)]),
        None if is_inline => {
            let pairs = pen.pairs_on_lines(fields, keys::PERSON, 0);
            let code = format!("{} = {pairs}", dotted(&[address]));
            Form::Line { above: take(&mut entries[0].around.above), code, behind: moved(behind) }
        }
        None => return entries.into_iter().map(|entry| loose(pen, entry)).collect(),
    };
    vec![Person { address, form }]
}

/// A key that stays as it is.
fn loose<'t>(pen: Pen<'t>, entry: Entry<'t>) -> Person<'t> {
    let Entry { path, value, around } = entry;
    let Around { after_blank: _, standing: _, above, behind, foot: _ } = around;
    Person { address: path[0], form: Form::Line { above, code: pen.entry(&path, value), behind } }
}

/// A person of one or more lines as a table.
fn table<'t>(
    address: &'t str,
    mut entries: Vec<Entry<'t>>,
    fields: Vec<Pair<'t>>,
    is_inline: bool,
) -> Section<'t> {
    let mut section = Section::bare(vec!["users", address]);
    section.head.above = take(&mut entries[0].around.above);
    if is_inline {
        section.head.behind = moved(entries[0].around.behind);
    }
    let mut arounds = entries.into_iter().map(|entry| entry.around);
    section.entries = fields
        .into_iter()
        .map(|(path, value)| {
            let around = if is_inline { None } else { arounds.next() };
            Entry { path, value, around: around.unwrap_or_default() }
        })
        .collect();
    section
}

/// A comment behind something that has another form now: its old column means nothing there.
fn moved(behind: Option<Behind<'_>>) -> Option<Behind<'_>> {
    behind.map(|behind| Behind { column: None, ..behind })
}

/// A person on one line, where that is possible.
fn line(pen: Pen<'_>, address: &str, fields: &[Pair<'_>]) -> Option<String> {
    let has_windows = fields.iter().any(|(path, value)| {
        path[0] == "windows" && value.as_array().is_none_or(|windows| !windows.is_empty())
    });
    if has_windows {
        return None;
    }
    let code = format!("{} = {}", dotted(&[address]), pen.pairs_on_one_line(fields.to_vec(), keys::PERSON)?);
    (code.chars().count() <= WIDTH).then_some(code)
}

/// A person who stands among the tables.
pub(super) struct Unit<'t> {
    pub(super) address: &'t str,
    pub(super) sections: Vec<Section<'t>>,
    /// The same on one line, where that is possible.
    pub(super) line: Option<String>,
}

/// A table on one line, where that is possible and loses no comment.
pub(super) fn line_of_table(pen: Pen<'_>, address: &str, sections: &[Section<'_>]) -> Option<String> {
    let [Section { path, array: false, head, entries }] = sections else { return None };
    let is_clean = head.foot.is_empty() && entries.iter().all(|entry| entry.around.is_bare());
    if path.len() > 2 || !is_clean {
        return None;
    }
    let fields: Vec<Pair<'_>> = entries.iter().map(|entry| (entry.path.clone(), entry.value)).collect();
    line(pen, address, &fields)
}

impl<'t> Unit<'t> {
    pub(super) fn into_person(self) -> Person<'t> {
        let Self { address, mut sections, line } = self;
        let Some(code) = line else {
            return Self { address, sections, line }.into_table();
        };
        let Around { after_blank: _, standing: _, above, behind, foot: _ } = take(&mut sections[0].head);
        Person { address, form: Form::Line { above, code, behind: moved(behind) } }
    }

    pub(super) fn into_table(self) -> Person<'t> {
        let Self { address, mut sections, line: _ } = self;
        // The person's own header is above what is below it, and the comment above the person stays there. A list keeps
        // its order.
        let is_list = sections.iter().any(|section| section.array && section.path.len() == 2);
        let above = take(&mut sections[0].head.above);
        sections.sort_by_key(|section| !is_list && section.path.len() > 2);
        sections[0].head.above.splice(0..0, above);
        Person { address, form: Form::Table(sections) }
    }
}
