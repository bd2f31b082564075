//! Tests for edits, which change only the lines of the edited person.

use pretty_assertions::assert_eq;

use super::super::{PersonEdit, PersonValues, Refused, edited};
use crate::roster::{Email, PerField, Status};

fn values(email: &str, role: Option<&str>, status: Option<Status>) -> PersonValues {
    let status = status.map(|status| status.as_str().into());
    PersonValues { email: Email::observed(email), values: PerField { role: role.map(Into::into), status } }
}

fn change(email: &str, role: Option<&str>, status: Option<Status>) -> PersonEdit {
    PersonEdit::Change(values(email, role, status))
}

fn add(email: &str, role: Option<&str>, status: Option<Status>) -> PersonEdit {
    PersonEdit::Add(values(email, role, status))
}

#[track_caller]
fn becomes(before: &str, edits: &[PersonEdit], after: &str) {
    assert_eq!(edited(before, edits).as_deref(), Ok(after), "{edits:?}");
}

#[test]
fn an_edit_keeps_the_form_of_a_person() {
    let cases = [
        ("[users]\n'A@x.co'={} # a\n", "[users]\n'A@x.co'={ role = \"Admin\", status = \"away\" } # a\n"),
        (
            "[users]\n\"a@x.co\" = {role='Member'  }   # a\n",
            "[users]\n\"a@x.co\" = { role='Member', status = \"away\" }   # a\n",
        ),
        (
            "[users]\n\"a@x.co\" = { windows = [\n  # one\n] } # a\n",
            "[users]\n\"a@x.co\" = { role = \"Admin\", status = \"away\", windows = [\n  # one\n] } # a\n",
        ),
        (
            "[users]\n\"a@x.co\" = {\n  status = 'active', # now\n}\n",
            "[users]\n\"a@x.co\" = {\n  role = \"Admin\",\n  status = \"away\", # now\n}\n",
        ),
        (
            "[users.\"a@x.co\"]\n  # why\n  status = \"active\" # now\nwindows = []",
            "[users.\"a@x.co\"]\nrole = \"Admin\"\n  # why\n  status = \"away\" # now\nwindows = []",
        ),
        ("[users.\"a@x.co\"]", "[users.\"a@x.co\"]\nrole = \"Admin\"\nstatus = \"away\""),
        (
            "[users]\n\t\"a@x.co\" . role = 'Member' # r\n",
            "[users]\n\t\"a@x.co\" . role = \"Admin\" # r\n\t\"a@x.co\" . status = \"away\"\n",
        ),
        (
            "users.'a@x.co'.windows = []\r\n[policy]\r\n",
            "users.'a@x.co'.windows = []\r\nusers.'a@x.co'.role = \"Admin\"\r\nusers.'a@x.co'.status = \"away\"\r\n[policy]\r\n",
        ),
        (
            "# one\n[[users.'a@x.co'.windows]]\nfrom = 2026-12-01\n",
            "[users.\"a@x.co\"]\nrole = \"Admin\"\nstatus = \"away\"\n\n# one\n[[users.'a@x.co'.windows]]\nfrom = 2026-12-01\n",
        ),
        ("users = { 'a@x.co' = {} }", "users = { 'a@x.co' = { role = \"Admin\", status = \"away\" } }"),
    ];
    for (before, after) in cases {
        let role = (!before.contains("{role='Member'")).then_some("Admin");
        becomes(before, &[change("a@X.CO", role, Some(Status::Away))], after);
    }
}

#[test]
fn a_value_that_is_already_declared_is_not_written_again() {
    let text = "[users]\n'a@x.co' = {role='''Admin'''} # a\n[users.\"b@x.co\"]\nstatus = 'away'\n";
    let edits = [change("a@x.co", Some("Admin"), None), change("b@x.co", None, Some(Status::Away))];
    becomes(text, &edits, text);
    becomes(text, &[change("a@x.co", None, None)], text);
}

#[test]
fn a_new_person_is_a_line_at_the_sorted_place() {
    let new = [add("d@x.co", None, None), add("B@x.co", Some("A \"b\""), Some(Status::Away))];
    becomes(
        "[users]\n\"a@x.co\"={} # a\n# c@x.co\n\"C@x.co\" = {}\n# \"e@x.co\" = {}\n\n[users.\"z@x.co\"]\n",
        &new,
        "[users]\n\"a@x.co\"={} # a\n\"B@x.co\" = { role = \"A \\\"b\\\"\", status = \"away\" }\n# c@x.co\n\"C@x.co\" = {}\n\"d@x.co\" = {}\n# \"e@x.co\" = {}\n\n[users.\"z@x.co\"]\n",
    );
}

#[test]
fn a_new_person_does_not_come_below_the_heading_of_a_group() {
    becomes(
        "[users]\n# leads\n\"c@x.co\" = {}\n\n\"z@x.co\" = {}\n",
        &[add("d@x.co", None, None)],
        "[users]\n# leads\n\"c@x.co\" = {}\n\n\"d@x.co\" = {}\n\"z@x.co\" = {}\n",
    );
    becomes(
        "[users]\n# leads\n\"c@x.co\" = {}\n\"z@x.co\" = {}",
        &[add("d@x.co", None, None), add("b@x.co", None, None)],
        "[users]\n# leads\n\"c@x.co\" = {}\n\"z@x.co\" = {}\n\n\"b@x.co\" = {}\n\"d@x.co\" = {}",
    );
}

#[test]
fn a_new_person_does_not_come_below_a_heading_in_the_middle_of_a_group() {
    becomes(
        "[users]\n\"c@x.co\" = {}\n# \"x@x.co\" = {}\n# Leads\n\"a@x.co\" = {}\n\"z@x.co\" = {}\n# end\n\n[users.\"b@x.co\"]\n",
        &[add("d@x.co", None, None)],
        "[users]\n\"c@x.co\" = {}\n# \"x@x.co\" = {}\n# Leads\n\"a@x.co\" = {}\n\"z@x.co\" = {}\n# end\n\n\"d@x.co\" = {}\n\n[users.\"b@x.co\"]\n",
    );
    becomes(
        "[users]\n# Leads\n\"z@x.co\" = {}\n\n# \"old@x.co\" = {}\n\"e@x.co\" = {}\n",
        &[add("d@x.co", None, None)],
        "[users]\n# Leads\n\"z@x.co\" = {}\n\n\"d@x.co\" = {}\n# \"old@x.co\" = {}\n\"e@x.co\" = {}\n",
    );
}

#[test]
fn a_new_table_does_not_come_below_a_heading() {
    becomes(
        "[defaults]\n\n# Leads\n[users.\"a@x.co\"]\n\n[users.\"c@x.co\"]\n",
        &[add("b@x.co", None, None), add("d@x.co", None, None)],
        "[defaults]\n\n[users.\"b@x.co\"]\n\n[users.\"d@x.co\"]\n\n# Leads\n[users.\"a@x.co\"]\n\n[users.\"c@x.co\"]\n",
    );
    becomes(
        "[users.\"a@x.co\"]\n# Leads\n\n[users.\"c@x.co\"]\n",
        &[add("d@x.co", None, None)],
        "[users.\"a@x.co\"]\n\n[users.\"d@x.co\"]\n# Leads\n\n[users.\"c@x.co\"]\n",
    );
}

#[test]
fn a_new_person_goes_to_the_end_of_people_who_are_not_sorted() {
    becomes(
        "[users]\n  \"z@x.co\" = {}\n  \"a@x.co\" = {}\n",
        &[add("b@x.co", None, None)],
        "[users]\n  \"z@x.co\" = {}\n  \"a@x.co\" = {}\n  \"b@x.co\" = {}\n",
    );
}

#[test]
fn a_new_person_is_a_table_among_tables() {
    let new = [add("b@x.co", Some("A"), None), add("d@x.co", None, Some(Status::Active))];
    becomes(
        "[defaults]\n\n# c@x.co\n[users.\"c@x.co\"]\nrole = \"B\"\n[users.\"c@x.co\".x]\n",
        &new,
        "[defaults]\n\n[users.\"b@x.co\"]\nrole = \"A\"\n\n# c@x.co\n[users.\"c@x.co\"]\nrole = \"B\"\n[users.\"c@x.co\".x]\n\n[users.\"d@x.co\"]\nstatus = \"active\"\n",
    );
    becomes(
        "[defaults]\n\n# leads\n\n[users.\"c@x.co\"]\nrole = \"B\"\n",
        &new[..1],
        "[defaults]\n\n[users.\"b@x.co\"]\nrole = \"A\"\n\n# leads\n\n[users.\"c@x.co\"]\nrole = \"B\"\n",
    );
}

#[test]
fn a_file_without_people_gets_a_place_for_them() {
    for (before, after) in [
        ("", "[users]\n\"a@x.co\" = {}\n"),
        ("# people", "# people\n\n[users]\n\"a@x.co\" = {}"),
        ("[users] # all\n# none\n", "[users] # all\n\"a@x.co\" = {}\n# none\n"),
        ("[policy]\r\n\r\n# end\r\n", "[policy]\r\n\r\n[users]\r\n\"a@x.co\" = {}\r\n\r\n# end\r\n"),
        ("users = {}\n", "users = { \"a@x.co\" = {} }\n"),
        ("users = { 'b@x.co' = {} }\n", "users = { 'b@x.co' = {}, \"a@x.co\" = {} }\n"),
        (
            "users = { 'c@x.co' = {}, 'b@x.co'.role = 'A' }\n",
            "users = { 'c@x.co' = {}, 'b@x.co'.role = 'A', \"a@x.co\" = {} }\n",
        ),
        ("users.'b@x.co' = {}\n", "users.\"a@x.co\" = {}\nusers.'b@x.co' = {}\n"),
        (
            "#:schema s.json\n# b@x.co is Bo\nusers.'b@x.co' = {}\n",
            "#:schema s.json\nusers.\"a@x.co\" = {}\n# b@x.co is Bo\nusers.'b@x.co' = {}\n",
        ),
    ] {
        becomes(before, &[add("a@x.co", None, None)], after);
    }
}

#[test]
fn if_one_edit_is_impossible_no_edit_is_made() {
    let (ana, bo) = (Email::observed("a@x.co"), Email::observed("b@x.co"));
    let text = "[users]\n\"a@x.co\" = {}\n";
    let change_of = |email: &Email| change(email.as_str(), Some("A"), None);
    let add_of = |email: &Email| add(email.as_str(), None, None);
    for (text, edits, refused) in [
        (text, vec![change_of(&ana), change_of(&bo)], vec![Refused::NotDeclared(bo.clone())]),
        (text, vec![add_of(&bo), add_of(&ana)], vec![Refused::Declared(ana.clone())]),
        (text, vec![add_of(&bo), add_of(&bo)], vec![Refused::Twice(bo.clone())]),
        (
            "users = { 'a@x.co'.status = 'away', 'b@x.co'.status = 'away', 'c@x.co' = {} }",
            vec![change_of(&ana), change_of(&bo), change("c@x.co", Some("A"), None)],
            vec![Refused::OddForm(ana.clone()), Refused::OddForm(bo.clone())],
        ),
        ("[users]\n'a@x.co' = 1", vec![change_of(&ana)], vec![Refused::OddForm(ana.clone())]),
        ("users = 1", vec![add_of(&ana)], vec![Refused::NoPlace]),
        ("users = ", vec![], vec![Refused::NotToml]),
    ] {
        assert_eq!(edited(text, &edits), Err(refused), "{text}");
    }
}
