//! Properties of formatting and editing: comments and meaning are preserved, and an edit changes only the values it sets.

use std::cell::Cell;

use pretty_assertions::assert_eq;
use proptest::collection::vec;
use proptest::prelude::{Strategy, any};
use proptest::sample::{Index, select};
use rolecall::layout::{NewFile, PersonEdit, PersonValues, Refused, canonical, edited, fresh};
use rolecall::roster::{Email, FieldValue, PerField, Region, Roster, Status};
use similar::{ChangeTag, TextDiff};

use super::holds;
use super::scribbles::{Dice, ROLES, Scribble, address, scribble};
use crate::rosters::{facts, read, tree};

fn rolls() -> impl Strategy<Value = Vec<u16>> {
    vec(any::<u16>(), 0..400)
}

fn roster(text: &str) -> Roster {
    read(text).unwrap_or_else(|problems| panic!("a valid file: {:#?}\n{text}", problems.list))
}

fn laid_out(text: &str) -> String {
    canonical(text).unwrap_or_else(|_| panic!("TOML:\n{text}"))
}

#[test]
fn the_canonical_layout_keeps_the_meaning_and_all_comments() {
    let people = Cell::new(0);
    holds(200, &rolls(), |rolls| {
        let Scribble { text, people: declared, comments } = scribble(&rolls);
        let after = laid_out(&text);
        assert_eq!(facts(&roster(&after)), facts(&roster(&text)), "of:\n{text}\nbecame:\n{after}");
        assert_eq!(tree(&after), tree(&text));
        for number in 0..comments {
            let count = after.matches(&format!("# c{number};")).count();
            assert_eq!(count, 1, "comment {number} of:\n{text}\nbecame:\n{after}");
        }
        people.set(people.get() + declared.len());
    });
    assert!(people.get() > 500, "{people:?}");
}

#[test]
fn formatting_twice_gives_the_same_text() {
    holds(200, &rolls(), |rolls| {
        let text = scribble(&rolls).text;
        let once = laid_out(&text);
        assert_eq!(laid_out(&once), once, "of:\n{text}");
    });
}

#[test]
fn the_canonical_layout_has_regular_white_space() {
    holds(150, &rolls(), |rolls| {
        let text = scribble(&rolls).text;
        let once = laid_out(&text);
        if once.lines().any(|line| line.ends_with('{')) {
            return; // braces with comments inside keep their layout
        }
        let eol = if text.contains("\r\n") { "\r\n" } else { "\n" };
        assert!(once.is_empty() || once.ends_with(eol), "{once:?}");
        assert!(!once.starts_with(eol) && !once.ends_with(&eol.repeat(2)), "{once:?}");
        assert!(!once.contains(&eol.repeat(3)), "two blank lines:\n{once}");
        assert_eq!(once.matches('\n').count(), once.matches(eol).count(), "{once:?}");
    });
}

/// Lines that can be concatenated into TOML. The result isn't necessarily a valid roster.
const LINES: &[&str] = &[
    "",
    "",
    "",
    "# one",
    "# two",
    "  # three",
    "# twelve of c@x.example",
    "[users]",
    "[users.\"a@x.example\"]",
    "[users.\"b@x.example\"]",
    "[users.\"a@x.example\".windows]",
    "[[users.\"a@x.example\".windows]]",
    "[[users.\"b@x.example\".windows]]",
    "[users.\"a@x.example\".deep.er]",
    "[[users]]",
    "[[users.\"a@x.example\"]]",
    "[a]",
    "[a.b]",
    "[a.b.c]",
    "[[a]]",
    "[[a.b]]",
    "[defaults]",
    "[policy]",
    "[policy.deep]",
    "[guardrails.keep_at_least]",
    "[guardrails]",
    "[[acknowledge]]",
    "[acknowledge.deep]",
    "role = 'x'  # four",
    "role.deep = 1",
    "status = \"y\"",
    "windows = []",
    "windows = [{ until = 2026-01-01, from = 2025-01-01 }] # five",
    "\"a@x.example\" = {}",
    "\"a@x.example\" = { role = \"x\", status = 'z' }",
    "\"a@x.example\".role = 1",
    "\"b@x.example\".status = 2 # six",
    "\"b@x.example\".deep.er = 2",
    "\"b@x.example\" = 7",
    "users = {}",
    "users = { \"b@x.example\" = { role = 1 }, \"a@x.example\".role = 3 }",
    "users.\"a@x.example\".role = 4",
    "users.\"b@x.example\" = { status = 1, role = 2 }",
    "policy.role = 5",
    "policy = { status = 1, role = 2 } # seven",
    "policy = 1",
    "acknowledge = []",
    "acknowledge = [{ up_to = 1 }, { guardrail = 2 }]",
    "b = 1",
    "b.c = [ 1, # eight\n\n 2 # nine\n]",
    "c = { x = 1, # ten\n y = [\n# eleven\n] }",
    "d = \"\"\"one\r\ntwo \\\n   three\"\"\"",
    "e = ['''\n#'''' ]",
    "include = [\n\"a\"]",
];

#[test]
fn any_toml_keeps_its_meaning_and_its_comments() {
    let texts = vec(select(LINES.to_vec()), 0..12).prop_map(|lines| lines.join("\n"));
    let sound = Cell::new(0);
    holds(1000, &texts, |text| {
        let Ok(once) = canonical(&text) else { return };
        assert_eq!(tree(&once), tree(&text), "of:\n{text}\nbecame:\n{once}");
        assert_eq!(canonical(&once).as_ref(), Ok(&once), "of:\n{text}");
        for word in [
            "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
        ] {
            let count = |text: &str| text.matches(&format!("# {word}")).count();
            assert_eq!(count(&once), count(&text), "# {word} of:\n{text}\nbecame:\n{once}");
        }
        sound.set(sound.get() + 1);
    });
    assert!(sound.get() > 500, "{sound:?} are TOML");
}

/// Characters that can break a file or change its meaning.
const SIGNS: &[&str] = &[
    "", "\n", "\r\n", "\"", "'", "\"\"\"", "'''", "#", "[", "]", "{", "}", ",", ".", "=", "\\", "é",
    "\u{feff}",
];

#[test]
fn a_corrupted_text_causes_no_panic_and_is_formatted_if_valid() {
    let spoils = vec((any::<Index>(), 0..3_usize, select(SIGNS.to_vec())), 1..4);
    let sound = Cell::new(0);
    holds(600, &(rolls(), spoils), |(rolls, spoils)| {
        let Scribble { text, people, comments: _ } = scribble(&rolls);
        let mut text: Vec<char> = text.chars().collect();
        for (at, length, sign) in spoils {
            let at = at.index(text.len() + 1);
            text.splice(at..(at + length).min(text.len()), sign.chars());
        }
        let text: String = text.into_iter().collect();
        let edits = edits(&mut Dice::new(&rolls), &people);
        let Ok(once) = canonical(&text) else {
            assert_eq!(edited(&text, &edits), Err(vec![Refused::NotToml]));
            return;
        };
        assert_eq!(tree(&once), tree(&text), "of:\n{text}\nbecame:\n{once}");
        assert_eq!(canonical(&once).as_ref(), Ok(&once), "of:\n{text}");
        match edited(&text, &edits) {
            Ok(after) => assert_eq!(
                tree(&after),
                expected(&tree(&text), &edits),
                "{edits:#?}\nof:\n{text}\nbecame:\n{after}"
            ),
            Err(refused) => assert_ne!(refused, [Refused::Breaking], "{edits:#?}\nof:\n{text}"),
        }
        sound.set(sound.get() + 1);
    });
    assert!(sound.get() > 100, "{sound:?} are TOML");
}

/// Generates edits for some of the people in a file, plus a few new people.
fn edits(dice: &mut Dice<'_>, people: &[String]) -> Vec<PersonEdit> {
    let mut edits = Vec::new();
    for address in people {
        if dice.once_in(2) {
            continue;
        }
        let email = Email::observed(&if dice.once_in(3) { address.to_uppercase() } else { address.clone() });
        let role = (dice.roll(3) > 0).then(|| dice.pick(&ROLES).into());
        let status = (dice.roll(3) > 0).then(|| word(dice));
        edits.push(PersonEdit::Change(PersonValues { email, values: PerField { role, status } }));
    }
    edits.extend(new_people(dice).into_iter().map(PersonEdit::Add));
    edits
}

/// Picks a random status name.
fn word(dice: &mut Dice<'_>) -> FieldValue {
    dice.pick(&Status::ALL).as_str().into()
}

fn new_people(dice: &mut Dice<'_>) -> Vec<PersonValues> {
    let new = |dice: &mut Dice<'_>, number: usize| PersonValues {
        email: Email::observed(&address(number)),
        values: PerField {
            role: (!dice.once_in(3)).then(|| dice.pick(&ROLES).into()),
            status: dice.once_in(3).then(|| word(dice)),
        },
    };
    (100..100 + dice.roll(4)).map(|number| new(dice, number)).collect()
}

/// Returns the table with the edits applied. The edited file must declare the same values.
fn expected(before: &toml::Table, edits: &[PersonEdit]) -> toml::Table {
    let mut after = before.clone();
    if edits.is_empty() {
        return after;
    }
    let users = after.entry("users").or_insert_with(|| toml::Table::new().into());
    let users = users.as_table_mut().expect("a table");
    for edit in edits {
        let (PersonEdit::Change(PersonValues { email, values })
        | PersonEdit::Add(PersonValues { email, values })) = edit;
        if matches!(edit, PersonEdit::Add(_)) {
            users.insert(email.to_string(), toml::Table::new().into());
        }
        let key = users.keys().find(|key| Email::observed(key) == *email).expect("a person").clone();
        let person = users[&key].as_table_mut().expect("a table");
        for (field, value) in values.some() {
            person.insert(field.to_string(), value.to_string().into());
        }
    }
    after
}

#[test]
fn an_edit_changes_only_the_requested_values_and_lines() {
    let changed = Cell::new(0);
    holds(200, &(rolls(), vec(any::<u16>(), 0..40)), |(rolls, edit_rolls)| {
        let Scribble { text, people, comments } = scribble(&rolls);
        let edits = edits(&mut Dice::new(&edit_rolls), &people);
        let after = edited(&text, &edits).unwrap_or_else(|refused| panic!("{refused:?} {edits:#?}\n{text}"));
        if edits.is_empty() {
            assert_eq!(after, text);
            return;
        }
        assert_eq!(tree(&after), expected(&tree(&text), &edits), "{edits:#?}\nof:\n{text}\nbecame:\n{after}");
        for number in 0..comments {
            let count = after.matches(&format!("# c{number};")).count();
            assert_eq!(count, 1, "comment {number} of:\n{text}\nbecame:\n{after}");
        }
        let diff = TextDiff::from_lines(&text, &after);
        let count = |tag| diff.iter_all_changes().filter(|change| change.tag() == tag).count();
        // Each edit replaces at most two lines, one per value. One more line can change: the last one, if it has no line
        // break.
        assert!(count(ChangeTag::Delete) <= 2 * edits.len() + 1, "{edits:#?}\nof:\n{text}\nbecame:\n{after}");
        for change in diff.iter_all_changes().filter(|change| change.tag() == ChangeTag::Delete) {
            let line = change.value();
            let is_last = !line.ends_with('\n');
            let is_theirs = ["role", "status", "@acme", "@Acme"].iter().any(|word| line.contains(word));
            assert!(is_theirs || is_last, "{line:?} is gone, of:\n{text}\nbecame:\n{after}");
        }
        changed.set(changed.get() + edits.len());
    });
    assert!(changed.get() > 500, "{changed:?}");
}

#[test]
fn an_edit_to_the_declared_value_changes_nothing() {
    holds(150, &rolls(), |rolls| {
        let Scribble { text, people: _, comments: _ } = scribble(&rolls);
        let edits: Vec<PersonEdit> = roster(&text)
            .people
            .iter()
            .map(|person| {
                let own = |field| person.values[field].as_ref().filter(|value| !value.from_defaults);
                let values = PerField::from_fn(|field| own(field).map(|value| value.value.value.clone()));
                PersonEdit::Change(PersonValues { email: person.email.value.clone(), values })
            })
            .collect();
        assert_eq!(edited(&text, &edits).as_ref(), Ok(&text));
    });
}

#[test]
fn adding_people_to_a_canonical_file_keeps_it_canonical() {
    let tried = Cell::new(0);
    holds(150, &(rolls(), vec(any::<u16>(), 0..40)), |(rolls, edit_rolls)| {
        let before = laid_out(&scribble(&rolls).text);
        if !before.contains("\n\"") && before.contains("[users.") {
            return; // a file with only tables gets a table for each new person
        }
        let edits: Vec<PersonEdit> =
            new_people(&mut Dice::new(&edit_rolls)).into_iter().map(PersonEdit::Add).collect();
        let after = edited(&before, &edits).unwrap_or_else(|refused| panic!("{refused:?}\n{before}"));
        assert_eq!(laid_out(&after), after, "of:\n{before}");
        tried.set(tried.get() + edits.len());
    });
    assert!(tried.get() > 150, "{tried:?}");
}

#[test]
fn a_new_file_is_canonical_and_declares_the_given_people() {
    let people = vec((0..50_usize, any::<String>(), 0..4_usize), 0..12);
    holds(150, &(people, any::<String>(), any::<bool>()), |(people, default, is_pinned)| {
        let default = format!("r{default}");
        let people: Vec<PersonValues> = people
            .into_iter()
            .enumerate()
            .map(|(number, (which, role, status))| PersonValues {
                email: Email::observed(&format!("p{which}.{number}@acme.example")),
                values: PerField {
                    role: Some(if which % 2 == 0 {
                        default.as_str().into()
                    } else {
                        format!("x{role}").into()
                    }),
                    status: Status::ALL.get(status).map(|status| status.as_str().into()),
                },
            })
            .collect();
        let organization = format!("o{default}");
        let text = fresh(&NewFile {
            include: None,
            allow_unicode_emails: false,
            organization: is_pinned.then_some(organization.as_str()),
            region: is_pinned.then_some(Region::Eu),
            default_role: Some(&default.as_str().into()),
            people: &people,
        });
        assert_eq!(laid_out(&text), text);
        let roster = roster(&text);
        assert_eq!(roster.people.len(), people.len());
        for person in &people {
            let PersonValues { email, values } = person;
            let found = roster.people.iter().find(|found| found.email.value == *email).expect("declared");
            let found_role = found.values.role.as_ref().expect("a role");
            let found_status = found.values.status.as_ref().map(|status| &*status.value.value);
            assert_eq!(Some(&found_role.value.value), values.role.as_ref());
            assert_eq!(found_status, values.status.as_deref());
            assert_eq!(found_role.from_defaults, values.role.as_deref() == Some(default.as_str()));
        }
        let declared = roster.workspace.organization.map(|organization| organization.value);
        assert_eq!(declared, is_pinned.then_some(organization));
    });
}
