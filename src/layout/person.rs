//! Chooses between the two forms of an entry: a line or a table. An entry becomes a line if it's short enough and has no windows,
//! provided that no comment would be lost.
//!
//! All lines come before all tables, so converting an entry moves it. An entry keeps its form if it would otherwise move away
//! from a heading.

use std::mem::take;

use toml_edit::Value;

use super::parsed::{Block, KeyValue, Placement, TableSection, TrailingComment, inline_pairs};
use super::value::{MAX_WIDTH, Space, ValueFormatter, dotted};
use crate::roster::keys;

/// The forms in which an entry can be written: as lines, as tables, or as either, in which case the caller chooses.
pub(super) struct PersonForms<'t> {
    pub(super) address: &'t str,
    /// The entry as lines, or empty if this form isn't possible. There's more than one line if the person is declared with dotted
    /// keys.
    pub(super) lines: Vec<InlinePerson<'t>>,
    /// The entry as tables, that is, the person's own section and its subsections. Empty if this form isn't possible.
    pub(super) sections: Vec<TableSection<'t>>,
}

pub(super) struct InlinePerson<'t> {
    pub(super) leading: Block<'t>,
    pub(super) code: String,
    pub(super) trailing: Option<TrailingComment<'t>>,
}

impl<'t> PersonForms<'t> {
    /// Determines the forms of an entry declared with lines. `is_whole` means that the lines are the person's entire declaration.
    /// `may_be_table` means that the entry can become a table without moving away from its heading.
    pub(super) fn of_lines(
        values: ValueFormatter<'t>,
        address: &'t str,
        pairs: Vec<KeyValue<'t>>,
        is_whole: bool,
        may_be_table: bool,
    ) -> Self {
        let is_inline = pairs[0].path.len() == 1;
        let Some(mut section) = section_of_lines(values, address, &pairs, is_whole) else {
            return Self::as_written(values, address, pairs);
        };
        let mut trailing: Vec<_> = pairs.iter().filter_map(|pair| pair.placement.trailing).collect();
        let loses_comments =
            trailing.len() > 1 || section.pairs.iter().any(|pair| !pair.placement.leading.is_empty());
        let (code, trailing) = match line(values, address, &section.pairs) {
            Some(code) if !loses_comments && is_inline => (code, trailing.pop()),
            Some(code) if !loses_comments => (code, trailing.pop().map(TrailingComment::without_column)),
            None if may_be_table => return Self { address, lines: Vec::new(), sections: vec![section] },
            None if is_inline => {
                let space = Space::Lines { indent: 0, used: 0 };
                let table = values.inline_table(&section.pairs, keys::PERSON, space);
                (format!("{} = {table}", dotted(&[address])), section.head.trailing)
            }
            Some(_) | None => return Self::as_written(values, address, pairs),
        };
        let leading = take(&mut section.head.leading);
        Self { address, lines: vec![InlinePerson { leading, code, trailing }], sections: Vec::new() }
    }

    fn as_written(values: ValueFormatter<'t>, address: &'t str, pairs: Vec<KeyValue<'t>>) -> Self {
        let mut lines = Vec::new();
        for KeyValue { path, key_start: _, value, placement } in pairs {
            let Placement { blank_above: _, detached: _, leading, code: _, trailing, foot: _ } = placement;
            lines.push(InlinePerson { leading, code: values.assignment(&path, value), trailing });
        }
        Self { address, lines, sections: Vec::new() }
    }

    /// Determines the forms of an entry declared with tables, given all of its sections.
    pub(super) fn of_sections(
        values: ValueFormatter<'t>,
        address: &'t str,
        mut sections: Vec<TableSection<'t>>,
    ) -> Self {
        // Move the person's own header above its subsections, but leave the leading comment at the top. The elements of an array
        // must stay in order.
        let is_array = sections.iter().any(|section| section.is_array && section.path.len() == 2);
        let leading = take(&mut sections[0].head.leading);
        sections.sort_by_key(|section| !is_array && section.path.len() > 2);
        sections[0].head.leading.splice(0..0, leading);
        let mut lines = Vec::new();
        if let [TableSection { path, is_array: false, head, pairs }] = &sections[..]
            && path.len() == 2
            && head.foot.is_empty()
            && !pairs.iter().any(|pair| pair.placement.has_comments())
            && let Some(code) = line(values, address, pairs)
        {
            let trailing = head.trailing.map(TrailingComment::without_column);
            lines.push(InlinePerson { leading: head.leading.clone(), code, trailing });
        }
        Self { address, lines, sections }
    }
}

/// Converts the lines to an equivalent table, or returns `None` if that isn't possible.
fn section_of_lines<'t>(
    values: ValueFormatter<'t>,
    address: &'t str,
    pairs: &[KeyValue<'t>],
    is_whole: bool,
) -> Option<TableSection<'t>> {
    let mut section = TableSection::without_comments(vec!["users", address]);
    let KeyValue { path, key_start: _, value, placement } = &pairs[0];
    match value {
        Value::InlineTable(table) if path.len() == 1 && !values.has_comments_between_pairs(table) => {
            section.pairs = inline_pairs(table);
            section.head.leading.clone_from(&placement.leading);
            section.head.trailing = placement.trailing.map(TrailingComment::without_column);
        }
        _ if path.len() > 1 && is_whole => {
            section.pairs = pairs.to_vec();
            for pair in &mut section.pairs {
                pair.path.remove(0);
            }
            section.head.leading = take(&mut section.pairs[0].placement.leading);
        }
        _ => return None,
    }
    Some(section)
}

/// Formats an entry as a single line. Returns `None` if the line would be too long or if the entry has windows or comments.
fn line(values: ValueFormatter<'_>, address: &str, pairs: &[KeyValue<'_>]) -> Option<String> {
    let is_windows = |pair: &KeyValue<'_>| {
        pair.path[0] == "windows" && pair.value.as_array().is_none_or(|windows| !windows.is_empty())
    };
    if pairs.iter().any(|pair| is_windows(pair) || values.has_comments(pair.value)) {
        return None;
    }
    let code =
        format!("{} = {}", dotted(&[address]), values.inline_table(pairs, keys::PERSON, Space::OneLine));
    (code.chars().count() <= MAX_WIDTH).then_some(code)
}
