//! `[users]`: who stands where. TOML wants every line above the first table. People are sorted by address, but only
//! among those who stand together:
//!
//! * Lines are divided by blank lines and by comments that stand alone, tables (which have blank lines between them
//!   anyway) by comments that stand alone.
//! * A comment directly above the first line of such a group heads the group and stays at its top; where others of the
//!   group have comments above them too, each is about its person and goes along.
//! * Who gets windows leaves the lines for the tables, and comes back to the end of the lines when they are gone: below
//!   the last group if no comment heads it, or else in a group of their own. Tables under a heading become lines when
//!   all of them can.

use std::collections::{HashMap, HashSet};
use std::mem::take;

use super::page::Page;
use super::pen::Pen;
use super::person::{Form, Person, Unit, line_of_table, lines_or_table};
use super::section::{Entry, Run, Section, runs, write_head};
use super::sheet::Block;

/// People who stand together.
#[derive(Default)]
struct Group<'t> {
    /// Comments that head it and stand alone.
    standing: Vec<Block<'t>>,
    /// A comment that heads it, directly above its first line.
    heading: Block<'t>,
    people: Vec<Person<'t>>,
    /// Comments directly below its last line.
    foot: Block<'t>,
    /// Some comment is above its first line.
    is_headed: bool,
}

/// Writes `[users]` and all that is below it.
pub(super) fn write_people<'t>(page: &mut Page, pen: Pen<'t>, sections: Vec<Section<'t>>) {
    let (mut head, mut entries, mut tables) = (None, Vec::new(), Vec::new());
    for section in sections {
        if section.path.len() == 1 {
            let Section { path: _, array: _, head: around, entries: lines } = section;
            (head, entries) = (Some(around), lines);
        } else {
            tables.push(section);
        }
    }
    let Settled { lines, pool, headed } = settle(pen, entries, tables);
    if head.is_some() || !lines.is_empty() {
        let head = head.unwrap_or_default();
        write_head(page, &["users"], false, &head);
        for (number, group) in lines.into_iter().enumerate() {
            if number > 0 || !head.foot.is_empty() {
                page.blank();
            }
            group.write(page, pen);
        }
    }
    for group in [pool].into_iter().chain(headed) {
        page.blank();
        group.write(page, pen);
    }
}

impl<'t> Group<'t> {
    fn write(self, page: &mut Page, pen: Pen<'t>) {
        let Self { standing, heading, mut people, foot, is_headed: _ } = self;
        people.sort_by_cached_key(|person| person.address.to_ascii_lowercase());
        page.standing(&standing);
        page.block(&heading);
        for Person { address: _, form } in people {
            match form {
                Form::Line { above, code, behind } => {
                    page.block(&above);
                    page.code(&code, behind);
                }
                Form::Table(sections) => sections.into_iter().for_each(|section| section.write(page, pen)),
            }
        }
        page.block(&foot);
    }
}

/// Everybody in their group and form.
struct Settled<'t> {
    lines: Vec<Group<'t>>,
    /// Tables that no comment heads.
    pool: Group<'t>,
    /// Tables under a heading.
    headed: Vec<Group<'t>>,
}

fn settle<'t>(pen: Pen<'t>, entries: Vec<Entry<'t>>, tables: Vec<Section<'t>>) -> Settled<'t> {
    let mut settled = Settled { lines: Vec::new(), pool: Group::default(), headed: Vec::new() };
    for group in groups_of_lines(pen, entries, &tables) {
        settled.take_lines(group);
    }
    let (mut returning, mut late) = (Vec::new(), Vec::new());
    for Tables { standing, units } in groups_of_tables(pen, tables) {
        if standing.is_empty() {
            let (lines, tables): (Vec<_>, Vec<_>) = units.into_iter().partition(|unit| unit.line.is_some());
            returning.extend(lines.into_iter().map(Unit::into_person));
            settled.pool.people.extend(tables.into_iter().map(Unit::into_person));
            continue;
        }
        let are_lines = units.iter().all(|unit| unit.line.is_some());
        let people =
            units.into_iter().map(|unit| if are_lines { unit.into_person() } else { unit.into_table() });
        let group = Group { standing, people: people.collect(), is_headed: true, ..Group::default() };
        if are_lines { late.push(group) } else { settled.headed.push(group) }
    }
    settled.take_returning(returning);
    settled.lines.extend(late);
    settled
}

impl<'t> Settled<'t> {
    /// Takes in a group of lines, some of which have become tables.
    fn take_lines(&mut self, group: Group<'t>) {
        let Group { mut standing, heading, people, foot, is_headed } = group;
        let is_line = |person: &Person<'_>| matches!(person.form, Form::Line { .. });
        let (lines, mut tables): (Vec<_>, Vec<_>) = people.into_iter().partition(is_line);
        if !lines.is_empty() {
            self.pool.people.extend(tables);
            self.lines.push(Group { standing, heading, people: lines, foot, is_headed });
            return;
        }
        if let Some(Person { address: _, form: Form::Table(sections) }) = tables.last_mut()
            && let Some(section) = sections.last_mut()
        {
            section.add_foot(foot);
        }
        if !heading.is_empty() {
            standing.push(heading);
        }
        if standing.is_empty() {
            self.pool.people.extend(tables);
        } else {
            self.headed.push(Group { standing, people: tables, is_headed, ..Group::default() });
        }
    }

    /// Takes in people who were tables and can be lines again.
    fn take_returning(&mut self, people: Vec<Person<'t>>) {
        match self.lines.last_mut() {
            Some(last) if !last.is_headed => last.people.extend(people),
            _ if people.is_empty() => {}
            _ => self.lines.push(Group { people, ..Group::default() }),
        }
    }
}

fn groups_of_lines<'t>(pen: Pen<'t>, entries: Vec<Entry<'t>>, tables: &[Section<'t>]) -> Vec<Group<'t>> {
    let runs = runs(entries);
    // Whoever is declared in more than one place stays as they are.
    let mut places: HashMap<&str, usize> = HashMap::new();
    for run in &runs {
        let here: HashSet<&str> = run.entries.iter().map(|entry| entry.path[0]).collect();
        here.into_iter().for_each(|address| *places.entry(address).or_default() += 1);
    }
    tables.iter().for_each(|section| *places.entry(section.path[1]).or_default() += 1);
    runs.into_iter().map(|run| group_of_lines(pen, run, &places)).collect()
}

fn group_of_lines<'t>(pen: Pen<'t>, run: Run<'t>, places: &HashMap<&str, usize>) -> Group<'t> {
    let Run { standing, entries, foot } = run;
    let is_opened = !entries[0].around.above.is_empty();
    let others_have_comments = entries[1..].iter().any(|entry| !entry.around.above.is_empty());
    let mut together: Vec<(&str, Vec<Entry<'_>>)> = Vec::new();
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    for entry in entries {
        let address = entry.path[0];
        let number = *numbers.entry(address).or_insert(together.len());
        match together.get_mut(number) {
            Some((_, entries)) => entries.push(entry),
            None => together.push((address, vec![entry])),
        }
    }
    let is_headed = is_opened || !standing.is_empty();
    let mut heading = Vec::new();
    if is_opened && standing.is_empty() && !others_have_comments && together.len() > 1 {
        heading = take(&mut together[0].1[0].around.above);
    }
    let people = together.into_iter().flat_map(|(address, entries)| {
        let is_whole = places.get(address) == Some(&1);
        lines_or_table(pen, address, entries, is_whole)
    });
    Group { standing, heading, people: people.collect(), foot, is_headed }
}

/// Tables that stand together.
struct Tables<'t> {
    /// The comments that head them.
    standing: Vec<Block<'t>>,
    units: Vec<Unit<'t>>,
}

fn groups_of_tables<'t>(pen: Pen<'t>, tables: Vec<Section<'t>>) -> Vec<Tables<'t>> {
    let mut groups: Vec<Tables<'_>> = Vec::new();
    let mut numbers: HashMap<&str, (usize, usize)> = HashMap::new();
    for mut section in tables {
        let address = section.path[1];
        if let Some((group, number)) = numbers.get(address) {
            groups[*group].units[*number].sections.push(section);
            continue;
        }
        let standing = take(&mut section.head.standing);
        if groups.is_empty() || !standing.is_empty() {
            groups.push(Tables { standing, units: Vec::new() });
        }
        let group = groups.len() - 1;
        let units = &mut groups[group].units;
        numbers.insert(address, (group, units.len()));
        units.push(Unit { address, sections: vec![section], line: None });
    }
    for unit in groups.iter_mut().flat_map(|group| &mut group.units) {
        unit.line = line_of_table(pen, unit.address, &unit.sections);
    }
    groups
}
