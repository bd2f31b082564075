//! Properties of headings above people: neither formatting nor editing moves a person or a heading past another heading.

use std::cell::Cell;
use std::collections::BTreeMap;

use pretty_assertions::assert_eq;
use proptest::collection::vec;
use proptest::prelude::{Strategy, any};
use rolecall::layout::{PersonEdit, PersonValues, canonical, edited};
use rolecall::roster::{Email, PerField};

use super::holds;
use super::scribbles::Dice;
use crate::rosters::{facts, read, tree};

fn rolls() -> impl Strategy<Value = Vec<u16>> {
    vec(any::<u16>(), 0..200)
}

fn laid_out(text: &str) -> String {
    canonical(text).unwrap_or_else(|_| panic!("TOML:\n{text}"))
}

fn facts_of(text: &str) -> Vec<String> {
    facts(&read(text).unwrap_or_else(|problems| panic!("a valid file: {:#?}\n{text}", problems.list)))
}

#[test]
fn formatting_keeps_everyone_below_their_heading() {
    let moved = Cell::new(0);
    holds(400, &rolls(), |rolls| {
        let text = Writer::new(&rolls).file();
        let after = laid_out(&text);
        assert_eq!(Headed::of(&after), Headed::of(&text), "of:\n{text}\nbecame:\n{after}");
        assert_eq!(laid_out(&after), after, "of:\n{text}");
        assert_eq!(facts_of(&after), facts_of(&text), "of:\n{text}\nbecame:\n{after}");
        assert_eq!(tree(&after), tree(&text));
        assert_eq!(after.matches("\r\n").count() > 0, text.matches("\r\n").count() > 0);
        let order = |text: &str| text.lines().filter_map(person).collect::<Vec<_>>();
        moved.set(moved.get() + usize::from(order(&after) != order(&text)));
    });
    assert!(moved.get() > 300, "{moved:?} files were sorted");
}

#[test]
fn adding_people_does_not_change_the_headings_of_others() {
    holds(200, &(rolls(), 1..4_usize), |(rolls, count)| {
        let text = Writer::new(&rolls).file();
        let new = |number: usize| {
            let email = Email::observed(&format!("p{}new@acme.example", 3 * number + 2));
            PersonEdit::Add(PersonValues { email, values: PerField::default() })
        };
        let edits: Vec<PersonEdit> = (0..count).map(new).collect();
        let after = edited(&text, &edits).unwrap_or_else(|refused| panic!("{refused:?}\n{text}"));
        for after in [laid_out(&after), after] {
            let mut headed = Headed::of(&after);
            headed.people.retain(|address, _| text.contains(address));
            assert_eq!(headed, Headed::of(&text), "of:\n{text}\nbecame:\n{after}");
        }
    });
}

/// The heading above each person and comment, and the order of the headings.
#[derive(Debug, Default, PartialEq)]
struct Headed {
    headings: Vec<String>,
    /// Maps each address to the nearest heading above it.
    people: BTreeMap<String, String>,
    /// Maps each non-heading comment to the person directly below, or else to the nearest heading above.
    comments: BTreeMap<String, String>,
}

impl Headed {
    fn of(text: &str) -> Self {
        let mut headed = Self::default();
        let mut lines = text.lines().map(str::trim).peekable();
        while let Some(line) = lines.next() {
            let heading = headed.headings.last().cloned().unwrap_or_default();
            if let Some(address) = person(line) {
                headed.people.entry(address).or_insert(heading);
            } else if line.starts_with('#') {
                let mut block = vec![line];
                while let Some(line) = lines.next_if(|line| line.starts_with('#')) {
                    block.push(line);
                }
                if block.iter().any(|line| line.starts_with("# h")) {
                    headed.headings.push(block.join("\n"));
                } else {
                    let below = lines.peek().and_then(|line| person(line)).unwrap_or(heading);
                    headed.comments.insert(block.join("\n"), below);
                }
            }
        }
        headed
    }
}

/// Extracts the address of the person declared on a line. Returns `None` for a comment.
fn person(line: &str) -> Option<String> {
    let line = line.trim();
    let rest = &line[line.find("\"p")? + 1..];
    (!line.starts_with('#')).then(|| rest[..rest.find('"').expect("a quote")].to_owned())
}

/// Generates a file of people in groups. Some groups have headings, and some entries are commented out.
struct Writer<'d> {
    dice: Dice<'d>,
    comments: usize,
    text: String,
}

impl<'d> Writer<'d> {
    fn new(rolls: &'d [u16]) -> Self {
        Self { dice: Dice::new(rolls), comments: 0, text: String::new() }
    }

    fn file(mut self) -> String {
        self.text += "[defaults]\nrole = \"Member\"\n\n";
        let (lines, tables) = (self.dice.roll(10), self.dice.roll(6));
        if lines > 0 || self.dice.once_in(3) {
            self.text += "[users]\n";
        }
        for number in 0..lines + tables {
            let is_table = number >= lines;
            self.above(is_table);
            let address = format!("\"p{}{number}@acme.example\"", self.dice.roll(9) + 1);
            if is_table {
                self.table(&address);
            } else {
                self.line(&address);
            }
            if self.dice.once_in(10) {
                self.foot();
            }
        }
        if self.dice.once_in(6) { self.text.replace('\n', "\r\n") } else { self.text }
    }

    /// Writes the comments above a person.
    fn above(&mut self, is_table: bool) {
        match self.dice.roll(13) {
            7 => self.text += "\n",
            8 => self.heading(),
            9 => {
                self.text += "\n";
                self.heading();
            }
            10 => {
                self.text += "\n";
                self.heading();
                self.text += "\n";
            }
            11 => {
                self.heading();
                self.text += "\n";
            }
            _ if is_table => self.text += "\n",
            _ => {}
        }
        for _ in 0..self.dice.roll(8).saturating_sub(5) {
            let number = self.number();
            self.text += &format!("  # \"old{number}@acme.example\" = {{}} # until May\n");
        }
    }

    fn heading(&mut self) {
        let number = self.number();
        let people = self.dice.pick(&["in @acme/support", "ask lead@acme.example"]);
        self.text += &format!("# h{number}; {people}\n");
        for _ in 0..self.dice.roll(6).saturating_sub(3) {
            self.text += self.dice.pick(&["# more of it\n", "#: more of it\n", "# [EMEA]\n"]);
        }
    }

    /// Writes a comment at the end of a group.
    fn foot(&mut self) {
        let number = self.number();
        let address = self.dice.pick(&["", " \"old@acme.example\" = {}"]);
        self.text += &format!("# end {number}{address}\n\n");
    }

    fn line(&mut self, address: &str) {
        let behind = self.dice.pick(&["", " # behind", "       # far behind"]);
        self.text += &match self.dice.roll(8) {
            4 => {
                format!("{address}.status = \"away\"\n{address}.role = \"Admin\"{behind}\n")
            }
            5 => format!("{address} = {{ windows = [{WINDOW}], role = \"Admin\" }}{behind}\n"),
            6 => format!("{address}.windows = [{WINDOW}]{behind}\n"),
            7 => format!("{address} = {{ role = \"{}\" }}{behind}\n", "long ".repeat(20)),
            _ => format!("{address} = {{}}{behind}\n"),
        };
    }

    fn table(&mut self, address: &str) {
        self.text += &format!("[users.{address}]\n");
        self.text += &match self.dice.roll(4) {
            0 => String::new(),
            1 => "status = \"away\"\n".to_owned(),
            2 => format!("windows = [{WINDOW}]\n"),
            _ => "role = \"Admin\" # keeps the table\n".to_owned(),
        };
    }

    fn number(&mut self) -> usize {
        self.comments += 1;
        self.comments
    }
}

const WINDOW: &str = "{ until = 2027-01-03, role = \"Lead\" }";
