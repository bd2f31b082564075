//! `[users]`: sorts people by address, but only within their group, and never past a heading.
//!
//! * A blank line ends a group of lines. A comment directly above a line begins a group and is its heading: it stays at
//!   the top of the group.
//! * A comment with an address in every line is about people, for example an entry that is commented out. It is not a
//!   heading: it stays directly above the person that it was above, or at the end of its group. If that person is the
//!   first one of a group with a heading, blank lines keep the heading apart from the comment.
//! * A comment that stands alone heads the lines or tables below it.
//! * A comment directly above a table may be about that table or about all that follow. So the table stays where it is,
//!   as a group of its own.
//! * A person with windows moves from the lines to the tables, and moves back to the end of the lines when the windows
//!   are gone. TOML requires that all lines of `[users]` are above all tables. So people in a group of lines with a
//!   heading, or above one, stay lines. Tables under a heading become lines only if all of them can, and all above them.
//!
//! ```toml
//! [users]
//! # Leads
//! "ana@acme.example" = {}
//! # "bo@acme.example" = {}
//! "cy@acme.example" = {}
//! # Support
//! "al@acme.example" = {}
//! ```

use std::collections::{HashMap, HashSet};
use std::mem::take;

use super::page::Page;
use super::pen::Pen;
use super::person::{Form, Person, Unit, line_of_table, lines_or_table};
use super::section::{Entry, Run, Section, runs, write_head};
use super::sheet::{Around, Block};
use crate::roster::Email;

/// People who are sorted together.
#[derive(Default)]
struct Group<'t> {
    /// A blank line divides it from the group above it.
    after_blank: bool,
    /// Comments that head it and stand alone.
    standing: Vec<Block<'t>>,
    /// A comment that heads it, directly above its first line.
    heading: Block<'t>,
    people: Vec<Person<'t>>,
    /// Comments directly below its last line.
    foot: Block<'t>,
    /// A comment heads it.
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
    let Settled { lines, tables } = settle(pen, entries, tables);
    if head.is_some() || !lines.is_empty() {
        let head = head.unwrap_or_default();
        write_head(page, &["users"], false, &head);
        for (number, mut group) in lines.into_iter().enumerate() {
            group.sort();
            let is_first = number == 0;
            if is_first && !head.foot.is_empty() || !is_first && group.after_blank {
                page.blank();
            }
            group.write(page, pen);
        }
    }
    for mut group in tables {
        group.sort();
        page.blank();
        group.write(page, pen);
    }
}

impl<'t> Group<'t> {
    /// Sorts the people. If the first one has a comment, blank lines keep the heading apart from it. Without them, both
    /// would be one block, and the next run would leave the comment in place when that person moves.
    fn sort(&mut self) {
        self.people.sort_by_cached_key(|person| Email::observed(person.address).folded());
        if let Some(Person { address: _, form: Form::Line { above, .. } }) = self.people.first()
            && !above.is_empty()
            && !self.heading.is_empty()
        {
            self.standing.push(take(&mut self.heading));
            self.after_blank = true;
        }
    }

    fn write(self, page: &mut Page, pen: Pen<'t>) {
        let Self { after_blank: _, standing, heading, people, foot, is_headed: _ } = self;
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

/// All people, in their final group and form.
#[derive(Default)]
struct Settled<'t> {
    lines: Vec<Group<'t>>,
    tables: Vec<Group<'t>>,
}

fn settle<'t>(pen: Pen<'t>, entries: Vec<Entry<'t>>, tables: Vec<Section<'t>>) -> Settled<'t> {
    let mut settled = Settled::default();
    for group in groups_of_lines(pen, entries, &tables) {
        settled.take_lines(group);
    }
    for group in groups_of_tables(pen, tables) {
        settled.take_tables(group);
    }
    settled
}

impl<'t> Settled<'t> {
    /// Takes in a group of lines, some of which have become tables.
    fn take_lines(&mut self, mut group: Group<'t>) {
        let is_table = |person: &mut Person<'_>| matches!(person.form, Form::Table(_));
        let mut tables: Vec<Person<'_>> = group.people.extract_if(.., is_table).collect();
        if !group.people.is_empty() {
            self.lines.push(group);
        } else if let Some(Person { address: _, form: Form::Table(sections) }) = tables.last_mut()
            && let Some(section) = sections.last_mut()
        {
            section.add_foot(group.foot);
        }
        self.add_tables(tables);
    }

    /// Takes in a group of tables. Those that can be lines become lines unless they would move past a heading.
    fn take_tables(&mut self, group: Tables<'t>) {
        let Tables { standing, is_headed, units } = group;
        if !is_headed && self.tables.iter().all(|above| !above.is_headed) {
            let (lines, tables): (Vec<_>, Vec<_>) = units.into_iter().partition(|unit| unit.line.is_some());
            self.add_lines(lines.into_iter().map(Unit::into_person).collect());
            self.add_tables(tables.into_iter().map(Unit::into_table).collect());
            return;
        }
        let are_lines = self.tables.is_empty() && units.iter().all(|unit| unit.line.is_some());
        let people = units.into_iter().map(if are_lines { Unit::into_person } else { Unit::into_table });
        let people = people.collect();
        let group = Group { after_blank: true, standing, people, is_headed, ..Group::default() };
        if are_lines { self.lines.push(group) } else { self.tables.push(group) }
    }

    /// Adds lines to the last group. If a comment heads it, they become a group of their own below it.
    fn add_lines(&mut self, people: Vec<Person<'t>>) {
        match self.lines.last_mut() {
            Some(last) if !last.is_headed => last.people.extend(people),
            _ if people.is_empty() => {}
            _ => self.lines.push(Group { after_blank: true, people, ..Group::default() }),
        }
    }

    /// Adds tables above the first heading of tables.
    fn add_tables(&mut self, people: Vec<Person<'t>>) {
        match self.tables.first_mut() {
            Some(first) => first.people.extend(people),
            None if people.is_empty() => {}
            None => self.tables.push(Group { people, ..Group::default() }),
        }
    }
}

fn groups_of_lines<'t>(pen: Pen<'t>, entries: Vec<Entry<'t>>, tables: &[Section<'t>]) -> Vec<Group<'t>> {
    let runs = runs(entries, Around::has_heading_above);
    // A person who is declared in more than one place keeps their form.
    let mut places: HashMap<&str, usize> = HashMap::new();
    for run in &runs {
        let here: HashSet<&str> = run.entries.iter().map(|entry| entry.path[0]).collect();
        here.into_iter().for_each(|address| *places.entry(address).or_default() += 1);
    }
    tables.iter().for_each(|section| *places.entry(section.path[1]).or_default() += 1);
    let after_headings = runs.iter().rposition(is_headed).map_or(0, |last| last + 1);
    let groups = runs.into_iter().enumerate();
    groups.map(|(number, run)| group_of_lines(pen, run, &places, number >= after_headings)).collect()
}

fn is_headed(run: &Run<'_>) -> bool {
    !run.standing.is_empty() || run.entries[0].around.has_heading_above()
}

fn group_of_lines<'t>(
    pen: Pen<'t>,
    run: Run<'t>,
    places: &HashMap<&str, usize>,
    may_be_tables: bool,
) -> Group<'t> {
    let is_headed = is_headed(&run);
    let Run { after_blank, standing, mut entries, foot } = run;
    let first = &mut entries[0].around;
    let heading = if first.has_heading_above() { take(&mut first.above) } else { Vec::new() };
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
    let people = together.into_iter().flat_map(|(address, entries)| {
        let is_whole = places.get(address) == Some(&1);
        lines_or_table(pen, address, entries, is_whole, may_be_tables)
    });
    Group { after_blank, standing, heading, people: people.collect(), foot, is_headed }
}

/// Tables that are sorted together.
struct Tables<'t> {
    /// Comments that head them and stand alone.
    standing: Vec<Block<'t>>,
    /// A comment heads them.
    is_headed: bool,
    units: Vec<Unit<'t>>,
}

fn groups_of_tables<'t>(pen: Pen<'t>, tables: Vec<Section<'t>>) -> Vec<Tables<'t>> {
    let mut groups: Vec<Tables<'_>> = Vec::new();
    let mut numbers: HashMap<&str, (usize, usize)> = HashMap::new();
    let mut begins_group = true;
    for mut section in tables {
        let address = section.path[1];
        if let Some((group, number)) = numbers.get(address) {
            groups[*group].units[*number].sections.push(section);
            continue;
        }
        let standing = take(&mut section.head.standing);
        let is_alone = section.head.has_heading_above();
        let is_headed = is_alone || !standing.is_empty();
        if begins_group || is_headed {
            groups.push(Tables { standing, is_headed, units: Vec::new() });
        }
        begins_group = is_alone;
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
