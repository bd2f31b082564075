//! Adds people to a text.
//!
//! A new person becomes a line if the file has lines, and a table if it has only tables. They go to their sorted place in
//! the last group of people, unless a comment heads that group: a heading is a claim about the people below it. Then they
//! become a group of their own. If the people are not sorted, a new person goes to their end.

use toml_edit::Value;

use super::inline;
use super::parsed::{BOM, ParsedText, Placement, TableSection};
use super::person_values::PersonValues;
use super::splices::{Belongs, Splices};
use crate::roster::Email;

/// The people of a text, and where the next one goes.
#[derive(Default)]
struct Places<'p, 't> {
    /// The value of `users = …`.
    users: Option<&'t Value>,
    /// `[users]`.
    header: Option<&'p TableSection<'t>>,
    /// The last group of lines.
    lines: Vec<Neighbor>,
    last_line: Option<&'p Placement<'t>>,
    /// What is in front of the address on those lines: `users.` above all headers.
    prefix: &'static str,
    /// A comment heads the last group of lines.
    is_headed: bool,
    /// The tables above the first heading of tables.
    tables: Vec<Neighbor>,
    /// Where the first heading of tables begins.
    tables_heading: Option<usize>,
}

/// A person next to whom a new one may go.
struct Neighbor {
    address: String,
    /// Where the person begins, in bytes, with the comments directly above.
    start: usize,
    /// Where the next person may begin.
    end: usize,
}

/// Adds people. Returns `false` if `users` is not a table.
pub(super) fn add(splices: &mut Splices<'_>, parsed: &ParsedText<'_>, mut new: Vec<&PersonValues>) -> bool {
    if new.is_empty() {
        return true;
    }
    new.sort_by(|a, b| a.email.cmp(&b.email));
    let places = Places::of(parsed);
    let mut lines: Vec<String> = new.iter().map(|person| person.line(places.prefix)).collect();
    if let Some(users) = places.users {
        let Value::InlineTable(table) = users else { return false };
        inline::append(splices, table, &lines);
    } else if places.header.is_some_and(|header| header.is_array) {
        return false;
    } else if !places.lines.is_empty() {
        add_lines(splices, &places, &new);
    } else if !places.tables.is_empty() || places.tables_heading.is_some() {
        add_tables(splices, &places, &new);
    } else if let Some(header) = places.header {
        splices.lines(header.head.next_line(parsed.text), Belongs::Alone, &lines);
    } else {
        let at = parsed.end_of_statements();
        let above = parsed.text[..at].trim_start_matches(BOM);
        lines.insert(0, "[users]".to_owned());
        if !above.is_empty() && !above.ends_with(&parsed.eol.repeat(2)) {
            lines.insert(0, String::new());
        }
        splices.lines(at, Belongs::Alone, &lines);
    }
    true
}

impl<'p, 't> Places<'p, 't> {
    fn of(parsed: &'p ParsedText<'t>) -> Self {
        let mut places = Self::default();
        for pair in &parsed.root {
            match pair.path[..] {
                ["users"] => places.users = Some(pair.value),
                ["users", address, ..] => {
                    places.prefix = "users.";
                    places.see_line(address, &pair.placement, parsed.text);
                }
                _ => {}
            }
        }
        for section in &parsed.sections {
            match section.path[..] {
                ["users"] => {
                    places.header = Some(section);
                    for pair in &section.pairs {
                        places.see_line(pair.path[0], &pair.placement, parsed.text);
                    }
                }
                ["users", address, ..] => places.see_table(address, section, parsed.text),
                _ => {}
            }
        }
        places
    }

    fn see_line(&mut self, address: &str, placement: &'p Placement<'t>, text: &str) {
        if placement.blank_above || placement.has_leading_heading() || self.lines.is_empty() {
            self.lines.clear();
            self.is_headed = placement.has_heading();
        }
        let address = Email::observed(address).folded();
        let (start, end) = (placement.leading_start(text), placement.next_line(text));
        self.lines.push(Neighbor { address, start, end });
        self.last_line = Some(placement);
    }

    fn see_table(&mut self, address: &str, section: &TableSection<'_>, text: &str) {
        let address = Email::observed(address).folded();
        let end = section.last_placement().foot_end(text);
        match self.tables.last_mut() {
            Some(last) if last.address == address => last.end = end,
            _ if self.tables_heading.is_some() => {}
            _ if section.head.has_heading() => self.tables_heading = Some(section.head.detached_start(text)),
            _ => self.tables.push(Neighbor { address, start: section.head.leading_start(text), end }),
        }
    }
}

fn add_lines(splices: &mut Splices<'_>, places: &Places<'_, '_>, new: &[&PersonValues]) {
    let Some(last) = places.last_line else { return };
    let prefix = [last.indent(splices.text), places.prefix].concat();
    if places.is_headed {
        let mut lines = vec![String::new()];
        lines.extend(new.iter().map(|person| person.line(&prefix)));
        splices.lines(last.foot_end(splices.text), Belongs::Alone, &lines);
        return;
    }
    for (person, above) in new.iter().zip(neighbors_above(&places.lines, new)) {
        let at = above.map_or(places.lines[0].start, |above| above.end);
        splices.lines(at, Belongs::Alone, &[person.line(&prefix)]);
    }
}

fn add_tables(splices: &mut Splices<'_>, places: &Places<'_, '_>, new: &[&PersonValues]) {
    let first = places.tables.first().map(|first| first.start);
    let top = first.or(places.tables_heading).unwrap_or_default();
    for (person, above) in new.iter().zip(neighbors_above(&places.tables, new)) {
        let mut lines = person.table();
        lines.insert(if above.is_some() { 0 } else { lines.len() }, String::new());
        splices.lines(above.map_or(top, |above| above.end), Belongs::Alone, &lines);
    }
}

/// Returns the neighbor below whom each person goes, or `None` if the person goes above all of them.
fn neighbors_above<'n>(neighbors: &'n [Neighbor], new: &[&PersonValues]) -> Vec<Option<&'n Neighbor>> {
    let is_sorted = neighbors.is_sorted_by(|one, other| one.address <= other.address);
    let mut above = Vec::new();
    for person in new {
        let address = person.email.folded();
        let count = neighbors.partition_point(|neighbor| !is_sorted || neighbor.address <= address);
        above.push(neighbors[..count].last());
    }
    above
}
