//! Adds people to a file.
//!
//! New entries are lines (`"ana@acme.example" = { … }`), or tables (`[users."ana@acme.example"]`) if the existing entries are all
//! tables. Lines go into the last group of lines, and tables go above the first heading among the tables. Entries are inserted in
//! sorted order, or at the end if the existing entries aren't sorted.
//!
//! If the last group of lines has a heading, the heading might not apply to the new people. The new lines then form a group of
//! their own.

use toml_edit::Value;

use super::inline;
use super::parsed::{BOM, ParsedText, Placement};
use super::person_values::PersonValues;
use super::splices::{Belongs, Splices};
use crate::roster::Email;

/// Adds the given people. Returns `false` if `users` isn't a table.
pub(super) fn add(splices: &mut Splices<'_>, parsed: &ParsedText<'_>, mut new: Vec<&PersonValues>) -> bool {
    if new.is_empty() {
        return true;
    }
    new.sort_by(|a, b| a.email.cmp(&b.email));
    let mut new_lines: Vec<String> = new.iter().map(|person| person.line("")).collect();
    if let Some(pair) = parsed.root.iter().find(|pair| pair.path == ["users"]) {
        let Value::InlineTable(table) = pair.value else { return false };
        inline::append(splices, table, &new_lines);
        return true;
    }
    let header = parsed.sections.iter().find(|section| section.path == ["users"]);
    if header.is_some_and(|header| header.is_array) {
        return false;
    }
    let dotted = parsed.root.iter().filter(|pair| pair.path[0] == "users");
    let mut lines: Vec<PlacedLine<'_, '_>> = dotted.map(|pair| (pair.path[1], &pair.placement)).collect();
    let prefix = if lines.is_empty() { "" } else { "users." };
    let below_header = header.into_iter().flat_map(|header| &header.pairs);
    lines.extend(below_header.map(|pair| (pair.path[0], &pair.placement)));
    let (tables, top_of_tables) = tables_above_heading(parsed);
    if !lines.is_empty() {
        add_lines(splices, &lines, prefix, &new);
    } else if let Some(top) = top_of_tables {
        add_tables(splices, &tables, top, &new);
    } else if let Some(header) = header {
        splices.lines(header.head.next_line(parsed.text), Belongs::Alone, &new_lines);
    } else {
        let at = parsed.statements_end;
        let above = parsed.text[..at].trim_start_matches(BOM);
        new_lines.insert(0, "[users]".to_owned());
        if !above.is_empty() && !above.ends_with(&parsed.eol.repeat(2)) {
            new_lines.insert(0, String::new());
        }
        splices.lines(at, Belongs::Alone, &new_lines);
    }
    true
}

type PlacedLine<'p, 't> = (&'t str, &'p Placement<'t>);

fn add_lines(splices: &mut Splices<'_>, lines: &[PlacedLine<'_, '_>], prefix: &str, new: &[&PersonValues]) {
    let text = splices.text;
    let begins_group =
        |(_, placement): &PlacedLine<'_, '_>| placement.blank_above || placement.has_leading_heading();
    let last_group = &lines[lines.iter().rposition(begins_group).unwrap_or_default()..];
    let [(_, first), ..] = last_group else { return };
    let (_, last) = last_group[last_group.len() - 1];
    let prefix = [last.indent(text), prefix].concat();
    if first.has_heading() {
        let mut new_lines = vec![String::new()];
        new_lines.extend(new.iter().map(|person| person.line(&prefix)));
        splices.lines(last.foot_end(text), Belongs::Alone, &new_lines);
        return;
    }
    let mut neighbors = Vec::new();
    for (address, placement) in last_group {
        let address = Email::observed(address);
        neighbors.push(Neighbor { address, end: placement.next_line(text) });
    }
    for (person, above) in new.iter().zip(neighbors_above(&neighbors, new)) {
        let at = above.map_or_else(|| first.leading_start(text), |above| above.end);
        splices.lines(at, Belongs::Alone, &[person.line(&prefix)]);
    }
}

fn add_tables(splices: &mut Splices<'_>, tables: &[Neighbor], top: usize, new: &[&PersonValues]) {
    for (person, above) in new.iter().zip(neighbors_above(tables, new)) {
        let mut lines = person.table();
        lines.insert(if above.is_some() { 0 } else { lines.len() }, String::new());
        splices.lines(above.map_or(top, |above| above.end), Belongs::Alone, &lines);
    }
}

/// An existing entry below which new entries can be inserted.
struct Neighbor {
    address: Email,
    /// The byte offset at which a new entry can be inserted.
    end: usize,
}

/// Returns the tables of people above the first heading. Also returns the offset at which the first person's table starts,
/// including the comments above it, or `None` if no person is declared in a table.
fn tables_above_heading(parsed: &ParsedText<'_>) -> (Vec<Neighbor>, Option<usize>) {
    let (mut tables, mut top, mut is_below_heading) = (Vec::<Neighbor>::new(), None, false);
    for section in &parsed.sections {
        let ["users", address, ..] = section.path[..] else { continue };
        let address = Email::observed(address);
        let last = section.last_placement();
        let has_heading_below = last.has_heading_below();
        let end = if has_heading_below { last.next_line(parsed.text) } else { last.foot_end(parsed.text) };
        match tables.last_mut() {
            Some(last) if last.address == address => last.end = end,
            _ if is_below_heading => {}
            _ if section.head.has_heading() => {
                is_below_heading = true;
                top.get_or_insert(section.head.detached_start(parsed.text));
            }
            _ => {
                top.get_or_insert(section.head.leading_start(parsed.text));
                tables.push(Neighbor { address, end });
            }
        }
        is_below_heading |= has_heading_below;
    }
    (tables, top)
}

/// For each new person, returns the existing entry that the new entry goes below, or `None` if the new entry goes at the top.
fn neighbors_above<'n>(neighbors: &'n [Neighbor], new: &[&PersonValues]) -> Vec<Option<&'n Neighbor>> {
    let is_sorted = neighbors.is_sorted_by(|one, other| one.address <= other.address);
    let mut above = Vec::new();
    for person in new {
        let count = neighbors.partition_point(|neighbor| !is_sorted || neighbor.address <= person.email);
        above.push(neighbors[..count].last());
    }
    above
}
