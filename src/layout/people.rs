//! Formats `[users]`. Entries are sorted by address within each group, but never moved across a heading. An entry is either a
//! line, as in the example below, or a table with a header.
//!
//! * A blank line ends a group of lines. A comment directly above a line starts a new group and serves as its heading, which
//!   stays at the top of the group.
//! * A comment isn't a heading if it's a commented-out entry, or if every line of the comment begins with an address or
//!   contains an entry. Such a comment stays with the entry below it, or at the end of the group if nothing follows. If the
//!   comment belongs to the first entry of a group with a heading, a blank line keeps the heading and the comment apart.
//! * A comment followed by a blank line is a heading for the lines or tables below. The same applies to a comment directly below
//!   an entry, unless the previous rule excludes it.
//! * A comment directly above a table might be about that table or about every table below. Because we can't tell which, the
//!   table stays in place, in a group of its own.
//! * Lines that have windows or are too long are converted to tables. Tables that fit on a line and have no windows are
//!   converted to lines. Unless they have their own heading, they go into the last group of lines. If that group has a heading,
//!   they form a new group below it.
//! * Not every entry can be converted because TOML requires all lines in `[users]` to come before any tables. In particular,
//!   entries in or above a group of lines with a heading remain lines. Tables below a heading are converted to lines only if all
//!   tables in their group and above it can be converted.
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

use std::collections::HashMap;
use std::mem::take;

use indexmap::IndexMap;

use super::parsed::{Block, KeyValue, Placement, TableSection};
use super::person::{InlinePerson, PersonForms};
use super::section::{runs, write_header, write_section};
use super::value::ValueFormatter;
use super::writer::LayoutWriter;
use crate::roster::Email;

/// A group of entries that are sorted together.
#[derive(Default)]
struct PeopleGroup<'t> {
    blank_above: bool,
    /// Blocks of comments above the group, each followed by a blank line.
    detached: Vec<Block<'t>>,
    /// The comment directly above the first line.
    heading: Block<'t>,
    people: Vec<PersonForms<'t>>,
    /// Comments directly below the last line.
    foot: Block<'t>,
    is_headed: bool,
}

/// Writes the section `[users]` and the tables of all people.
pub(super) fn write_people<'t>(writer: &mut LayoutWriter<'t>, sections: Vec<TableSection<'t>>) {
    let (mut head, mut pairs, mut tables) = (None, Vec::new(), Vec::new());
    for section in sections {
        if section.path.len() == 1 {
            (head, pairs) = (Some(section.head), section.pairs);
        } else {
            tables.push(section);
        }
    }
    let end = detach_headings(&mut pairs, &mut tables);
    let SettledPeople { lines, tables } = SettledPeople::new(writer.values, pairs, tables);
    let is_end_apart = !tables.is_empty() || lines.last().is_some_and(|last| !last.foot.is_empty());
    if head.is_some() || !lines.is_empty() {
        let mut head = head.unwrap_or_default();
        head.detach_directives();
        write_header(writer, &["users"], false, &head);
        for (number, mut group) in lines.into_iter().enumerate() {
            group.sort();
            if number == 0 && !head.foot.is_empty() || number > 0 && group.blank_above {
                writer.blank();
            }
            write_lines(writer, group);
        }
    }
    for mut group in tables {
        group.sort();
        writer.blank();
        writer.detached(&group.detached);
        for person in group.people {
            person.sections.into_iter().for_each(|section| write_section(writer, section));
        }
    }
    if is_end_apart && !end.is_empty() {
        writer.blank();
    }
    writer.comments(&end);
}

/// Moves each heading that is directly below a table or the last line to the statement after it. That is the next table in the
/// file, or the first line if the lines come next. Otherwise, sorting would move the heading along with the entry above it.
/// Returns the heading below the last entry.
fn detach_headings<'t>(lines: &mut [KeyValue<'t>], tables: &mut [TableSection<'t>]) -> Block<'t> {
    let first_line = lines.first().map_or(0, |line| line.placement.code.start);
    let tables_above = tables.partition_point(|table| table.head.code.start < first_line);
    let (above, below) = tables.split_at_mut(tables_above);
    let mut heading = Block::new();
    for table in above {
        hand_on(&mut heading, &mut table.head, table.pairs.last_mut());
    }
    if let [first, others @ ..] = lines {
        hand_on(&mut heading, &mut first.placement, others.last_mut());
    }
    for table in below {
        hand_on(&mut heading, &mut table.head, table.pairs.last_mut());
    }
    heading
}

/// Adds `heading`, if any, to the detached comments above the statement `next`. Then looks for a heading directly below `last`,
/// or below `next` if `last` is `None`, and moves it to `heading`.
fn hand_on<'t>(heading: &mut Block<'t>, next: &mut Placement<'t>, last: Option<&mut KeyValue<'t>>) {
    if !heading.is_empty() {
        next.detached.insert(0, take(heading));
    }
    let last = last.map_or(next, |last| &mut last.placement);
    if last.has_heading_below() {
        *heading = take(&mut last.foot);
    }
}

fn write_lines(writer: &mut LayoutWriter<'_>, group: PeopleGroup<'_>) {
    let PeopleGroup { blank_above: _, detached, heading, people, foot, is_headed: _ } = group;
    writer.detached(&detached);
    writer.comments(&heading);
    for person in people {
        for InlinePerson { leading, code, trailing } in person.lines {
            writer.comments(&leading);
            writer.statement(&code, trailing);
        }
    }
    writer.comments(&foot);
}

impl PeopleGroup<'_> {
    /// Sorts the entries. If the entry that comes first has a comment above it, a blank line separates that comment from the
    /// heading. Otherwise, both would merge into a single block, and the comment would no longer move along with its entry.
    fn sort(&mut self) {
        self.people.sort_by_cached_key(|person| Email::observed(person.address));
        let first = self.people.first().and_then(|person| person.lines.first());
        if first.is_some_and(|line| !line.leading.is_empty()) && !self.heading.is_empty() {
            self.detached.push(take(&mut self.heading));
            self.blank_above = true;
        }
    }
}

/// All entries in their final groups, each of which consists of either lines or tables.
#[derive(Default)]
struct SettledPeople<'t> {
    lines: Vec<PeopleGroup<'t>>,
    tables: Vec<PeopleGroup<'t>>,
}

impl<'t> SettledPeople<'t> {
    fn new(values: ValueFormatter<'t>, pairs: Vec<KeyValue<'t>>, tables: Vec<TableSection<'t>>) -> Self {
        let mut settled = Self::default();
        for group in groups_of_lines(values, pairs, &tables) {
            settled.take_lines(group);
        }
        for group in groups_of_tables(values, tables) {
            settled.take_tables(group);
        }
        settled
    }

    /// Adds a group of lines. Entries that have to be converted to tables are added to the tables instead.
    fn take_lines(&mut self, mut group: PeopleGroup<'t>) {
        let mut tables: Vec<PersonForms<'_>> =
            group.people.extract_if(.., |person| person.lines.is_empty()).collect();
        if !group.people.is_empty() {
            self.lines.push(group);
        } else if let Some(section) = tables.last_mut().and_then(|person| person.sections.last_mut()) {
            section.last_placement_mut().foot.extend(group.foot);
        }
        self.add_tables(tables);
    }

    /// Adds a group of tables. Tables that can be written as lines are converted if that doesn't move them past a heading.
    fn take_tables(&mut self, mut group: PeopleGroup<'t>) {
        if !group.is_headed && self.tables.iter().all(|above| !above.is_headed) {
            let lines = group.people.extract_if(.., |person| !person.lines.is_empty()).collect();
            self.add_lines(lines);
            self.add_tables(group.people);
        } else if self.tables.is_empty() && group.people.iter().all(|person| !person.lines.is_empty()) {
            self.lines.push(group);
        } else {
            self.tables.push(group);
        }
    }

    /// Adds lines to the last group, or to a new group below it if the last group has a heading.
    fn add_lines(&mut self, people: Vec<PersonForms<'t>>) {
        match self.lines.last_mut() {
            Some(last) if !last.is_headed => last.people.extend(people),
            _ if people.is_empty() => {}
            _ => self.lines.push(PeopleGroup { blank_above: true, people, ..PeopleGroup::default() }),
        }
    }

    /// Adds tables to the first group of tables, above any table with a heading.
    fn add_tables(&mut self, people: Vec<PersonForms<'t>>) {
        match self.tables.first_mut() {
            Some(first) => first.people.extend(people),
            None if people.is_empty() => {}
            None => self.tables.push(PeopleGroup { people, ..PeopleGroup::default() }),
        }
    }
}

fn groups_of_lines<'t>(
    values: ValueFormatter<'t>,
    pairs: Vec<KeyValue<'t>>,
    tables: &[TableSection<'t>],
) -> Vec<PeopleGroup<'t>> {
    let statements = statements_per_person(&pairs, tables);
    let runs = runs(pairs, Placement::has_leading_heading);
    let is_headed = headed(&runs);
    let below_headings = is_headed.iter().rposition(|is_headed| *is_headed).map_or(0, |last| last + 1);
    let mut groups = Vec::new();
    for (number, mut run) in runs.into_iter().enumerate() {
        let mut group = PeopleGroup::below(&mut run[0].placement);
        group.is_headed = is_headed[number];
        if run[0].placement.has_leading_heading() {
            group.heading = take(&mut run[0].placement.leading);
        }
        group.foot = run.last_mut().map(|last| take(&mut last.placement.foot)).unwrap_or_default();
        for (address, pairs) in by_address(run, |pair| pair.path[0]) {
            // Don't convert an entry that's spread over several places in the file.
            let is_whole = statements.get(address) == Some(&pairs.len());
            let may_be_table = number >= below_headings;
            group.people.push(PersonForms::of_lines(values, address, pairs, is_whole, may_be_table));
        }
        groups.push(group);
    }
    groups
}

fn statements_per_person<'t>(pairs: &[KeyValue<'t>], tables: &[TableSection<'t>]) -> HashMap<&'t str, usize> {
    let mut statements = HashMap::new();
    let addresses = pairs.iter().map(|pair| pair.path[0]).chain(tables.iter().map(|table| table.path[1]));
    for address in addresses {
        *statements.entry(address).or_default() += 1;
    }
    statements
}

/// For each group of lines, returns whether it has a heading, either above it or directly below the previous group.
fn headed(runs: &[Vec<KeyValue<'_>>]) -> Vec<bool> {
    let mut is_below_heading = false;
    let mut headed = Vec::with_capacity(runs.len());
    for run in runs {
        headed.push(is_below_heading || run[0].placement.has_heading());
        is_below_heading = run.last().is_some_and(|last| last.placement.has_heading_below());
    }
    headed
}

fn groups_of_tables<'t>(values: ValueFormatter<'t>, tables: Vec<TableSection<'t>>) -> Vec<PeopleGroup<'t>> {
    let mut groups: Vec<PeopleGroup<'_>> = Vec::new();
    let mut begins_group = true;
    for (address, mut sections) in by_address(tables, |section| section.path[1]) {
        let head = &mut sections[0].head;
        // A comment directly above the table might be about this table only, so give the table its own group.
        let is_alone = head.has_leading_heading();
        let group = PeopleGroup { blank_above: true, ..PeopleGroup::below(head) };
        if begins_group || group.is_headed {
            groups.push(group);
        }
        begins_group = is_alone;
        if let Some(group) = groups.last_mut() {
            group.people.push(PersonForms::of_sections(values, address, sections));
        }
    }
    groups
}

impl<'t> PeopleGroup<'t> {
    /// Creates an empty group that starts at this statement.
    fn below(first: &mut Placement<'t>) -> Self {
        let is_headed = first.has_heading();
        let detached = take(&mut first.detached);
        Self { blank_above: first.blank_above, detached, is_headed, ..Self::default() }
    }
}

/// Groups statements by address, in order of first appearance.
fn by_address<'t, T>(statements: Vec<T>, address_of: impl Fn(&T) -> &'t str) -> IndexMap<&'t str, Vec<T>> {
    let mut groups: IndexMap<&str, Vec<T>> = IndexMap::new();
    for statement in statements {
        groups.entry(address_of(&statement)).or_default().push(statement);
    }
    groups
}
