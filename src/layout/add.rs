//! Where somebody new is declared: see `edit`.

use toml_edit::InlineTable;

use super::braces;
use super::edit::{NewPerson, Refused};
use super::pen::{braced, dotted};
use super::scan::BOM;
use super::sheet::{Around, Sheet, Span, Statement, What};
use super::splices::{Belongs, Splices};
use crate::roster::Email;
use crate::toml_text::quoted;

/// Who stands in a text, as far as it says where the next one goes.
#[derive(Default)]
struct Places<'t> {
    /// `users = { … }`
    braces: Option<&'t InlineTable>,
    /// `users` is something else.
    is_odd: bool,
    /// `[users]`
    header: Option<Span>,
    /// The last group of lines: address and place of each statement.
    lines: Vec<(String, Span)>,
    /// What stands before the address on those lines: `users.` above every header.
    prefix: &'static str,
    /// A comment heads the last group of lines.
    is_headed: bool,
    /// The tables above the first heading: address, place of the header, end of all that is below it.
    tables: Vec<(String, Span, usize)>,
    /// Where the first heading of tables begins.
    heading: Option<usize>,
}

/// Adds people.
pub(super) fn add(
    splices: &mut Splices<'_>,
    sheet: &Sheet<'_>,
    mut new: Vec<&NewPerson>,
) -> Result<(), Refused> {
    if new.is_empty() {
        return Ok(());
    }
    new.sort_by(|a, b| a.email.cmp(&b.email));
    let places = Places::of(sheet);
    let line = |person: &NewPerson| line(places.prefix, person);
    if places.is_odd {
        return Err(Refused::NoPlace);
    }
    if let Some(table) = places.braces {
        braces::append(splices, table, &new.into_iter().map(line).collect::<Vec<_>>());
    } else if !places.lines.is_empty() {
        add_lines(splices, &places, &new);
    } else if !places.tables.is_empty() || places.heading.is_some() {
        add_tables(splices, &places, &new);
    } else if let Some(header) = places.header {
        splices.lines(header.next_line, Belongs::Alone, &new.into_iter().map(line).collect::<Vec<_>>());
    } else {
        let at = sheet.statements.last().map_or(sheet.text.len(), |last| last.span.closes);
        let before = &sheet.text[..at];
        let is_apart = before.trim_start_matches(BOM).is_empty() || before.ends_with(&sheet.eol.repeat(2));
        let mut lines = if is_apart { Vec::new() } else { vec![String::new()] };
        lines.push("[users]".to_owned());
        lines.extend(new.into_iter().map(line));
        splices.lines(at, Belongs::Alone, &lines);
    }
    Ok(())
}

impl<'t> Places<'t> {
    fn of(sheet: &Sheet<'t>) -> Self {
        let mut places = Self::default();
        let mut below: &[&str] = &[];
        for Statement { what, around, span } in &sheet.statements {
            match what {
                What::Header { path, array } => {
                    below = path;
                    match path[..] {
                        ["users"] => (places.header, places.is_odd) = (Some(*span), *array),
                        ["users", address, ..] => {
                            places.see_table(address, around.has_heading(), *span);
                        }
                        _ => {}
                    }
                }
                What::Entry { path, value } => match (below, &path[..]) {
                    ([], ["users"]) => {
                        places.braces = value.as_inline_table();
                        places.is_odd = places.braces.is_none();
                    }
                    ([], ["users", address, ..]) => {
                        places.prefix = "users.";
                        places.see_line(address, around, *span);
                    }
                    (["users"], [address, ..]) => places.see_line(address, around, *span),
                    (["users", address, ..], _) => places.see_table(address, false, *span),
                    _ => {}
                },
            }
        }
        places
    }

    fn see_line(&mut self, address: &str, around: &Around<'_>, span: Span) {
        if self.lines.is_empty() || around.after_blank || around.has_heading_above() {
            self.lines.clear();
            self.is_headed = around.has_heading();
        }
        self.lines.push((Email::observed(address).folded(), span));
    }

    fn see_table(&mut self, address: &str, is_heading: bool, span: Span) {
        let address = Email::observed(address).folded();
        match self.tables.last_mut() {
            Some((last, _, end)) if *last == address => *end = span.closes,
            _ if self.heading.is_some() => {}
            _ if is_heading => self.heading = Some(span.opens),
            _ => self.tables.push((address, span, span.closes)),
        }
    }
}

fn add_lines(splices: &mut Splices<'_>, places: &Places<'_>, new: &[&NewPerson]) {
    let Places { braces: _, is_odd: _, header: _, lines, prefix, is_headed, tables: _, heading: _ } = places;
    let (Some((_, first)), Some((_, last))) = (lines.first(), lines.last()) else { return };
    let indent = splices.indent(*last);
    let line = |person: &NewPerson| format!("{indent}{}", line(prefix, person));
    if *is_headed {
        let apart = [String::new()].into_iter().chain(new.iter().map(|person| line(person)));
        splices.lines(last.closes, Belongs::Alone, &apart.collect::<Vec<_>>());
        return;
    }
    let is_sorted = lines.is_sorted_by(|(one, _), (other, _)| one <= other);
    for person in new {
        let address = person.email.folded();
        let before =
            if is_sorted { lines.partition_point(|(line, _)| *line <= address) } else { lines.len() };
        let at = before.checked_sub(1).map_or(first.starts, |before| lines[before].1.next_line);
        splices.lines(at, Belongs::Alone, &[line(person)]);
    }
}

fn add_tables(splices: &mut Splices<'_>, places: &Places<'_>, new: &[&NewPerson]) {
    let Places { braces: _, is_odd: _, header: _, lines: _, prefix: _, is_headed: _, tables, heading } =
        places;
    let is_sorted = tables.is_sorted_by(|(one, ..), (other, ..)| one <= other);
    for person in new {
        let address = person.email.folded();
        let before =
            if is_sorted { tables.partition_point(|(table, ..)| *table <= address) } else { tables.len() };
        let mut lines = table(person);
        if let Some(before) = before.checked_sub(1) {
            lines.insert(0, String::new());
            splices.lines(tables[before].2, Belongs::Alone, &lines);
        } else if let Some(at) = tables.first().map(|(_, first, _)| first.starts).or(*heading) {
            lines.push(String::new());
            splices.lines(at, Belongs::Alone, &lines);
        }
    }
}

/// Somebody on one line.
pub(super) fn line(prefix: &str, person: &NewPerson) -> String {
    let NewPerson { email, role: _, status: _ } = person;
    format!("{prefix}{} = {}", dotted(&[email.as_str()]), braced(&fields(person)))
}

fn table(person: &NewPerson) -> Vec<String> {
    let NewPerson { email, role: _, status: _ } = person;
    let mut lines = vec![format!("[{}]", dotted(&["users", email.as_str()]))];
    lines.extend(fields(person));
    lines
}

fn fields(person: &NewPerson) -> Vec<String> {
    let NewPerson { email: _, role, status } = person;
    let role = role.as_ref().map(|role| format!("role = {}", quoted(role)));
    let status = status.map(|status| format!("status = {}", quoted(status.as_str())));
    role.into_iter().chain(status).collect()
}
