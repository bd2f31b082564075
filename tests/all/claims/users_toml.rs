//! A `users.toml` is either read or rejected with an explanation. If it's valid, the canonical layout doesn't change its meaning,
//! and drift can be imported into it.

use std::collections::BTreeSet;

use pretty_assertions::assert_eq;
use rolecall::adoption::Adoption;
use rolecall::comparison;
use rolecall::layout::canonical;
use rolecall::observed::{ObservedState, Organization, Person, Role, RoleCatalog, RoleId, UserId};
use rolecall::plan::Plan;
use rolecall::plan::roles::NamedRoles;
use rolecall::problem::Problems;
use rolecall::roster::{Email, Policy, RoleName, Roster};

use super::{is_explained, now};
use crate::rosters::{facts, held, is_same, read, tree};

pub(super) fn holds(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        let problems = read(data).expect_err("invalid UTF-8");
        return is_explained(&problems);
    };
    // The `toml` crate and the parser behind `canonical` are independent, but must agree on whether the text is valid TOML.
    let is_toml = text.parse::<toml::Table>().is_ok();
    assert_eq!(canonical(text).is_ok(), is_toml, "of:\n{text}");
    match read(text) {
        Ok(roster) => {
            assert!(is_toml, "read, but invalid as TOML:\n{text}");
            keeps_its_meaning(text, &roster);
            imports_drift(&roster);
        }
        Err(problems) => {
            is_explained(&problems);
            for problem in &problems.list {
                let has_place = !problem.labels.is_empty() || problem.code == "roster::not_utf8"; // ASCII in UTF-16 is valid UTF-8 with NUL bytes
                assert!(has_place, "without a place: {problem:?}");
                assert!(!is_toml || problem.code != "roster::syntax", "{problem:?} of:\n{text}");
            }
        }
    }
}

fn keeps_its_meaning(text: &str, roster: &Roster) {
    let after = canonical(text).expect("TOML");
    let again = read(&after).unwrap_or_else(|problems| panic!("{:?} of:\n{after}", problems.list));
    assert_eq!(facts(&again), facts(roster), "of:\n{text}\nbecame:\n{after}");
    assert!(is_same(&tree(&after), &tree(text)), "of:\n{text}\nbecame:\n{after}");
    assert_eq!(canonical(&after).as_ref(), Ok(&after), "of:\n{text}");
    let differences = comparison::differences(roster, &again, None);
    assert!(differences.is_empty(), "{differences:?} of:\n{text}\nbecame:\n{after}");
}

/// Imports an organization in which everyone differs from the files and one person is unmanaged. Afterward, only people
/// reported as not written can still differ.
fn imports_drift(roster: &Roster) {
    let observed = everyone_differs(roster);
    let Some(plan) = plan(roster, &observed) else { return };
    let mut adoption = Adoption::of_changes(plan.changes.iter(), roster, &observed.roles, now());
    let unmanaged: Vec<&Person> = observed.people().filter(|person| person.id.as_str() == "u_new").collect();
    let file = roster.sources.ids().next().expect("the root file");
    adoption.add(&unmanaged, file, roster, &observed.roles, rolecall::roster::PerField::from_fn(|_| true));
    let Some(edited) = adoption.files.values().next() else { return };
    let after = read(edited).unwrap_or_else(|Problems { list, .. }| {
        panic!("{list:?} of:\n{}\nbecame:\n{}", roster.sources.text(file), edited)
    });
    let not_written: BTreeSet<&Email> = adoption.not_written.iter().map(|value| &value.email.value).collect();
    let plan = self::plan(&after, &observed).expect("what could be planned before");
    let differing = plan.changes.iter().map(|change| &change.subject.email.value).chain(&plan.unmanaged);
    for email in differing {
        assert!(not_written.contains(email), "{email} still differs, of:\n{edited}");
    }
}

fn everyone_differs(roster: &Roster) -> ObservedState {
    let names: BTreeSet<&RoleName> = roster.named_roles().into_keys().collect();
    let role = |(number, name): (usize, &str)| Role {
        id: RoleId(format!("role {number}").into()),
        name: name.to_owned(),
        slug: format!("slug {number}"),
    };
    let names = names.into_iter().map(|name| &**name).chain(["another"]);
    let roles: Vec<Role> = names.enumerate().map(role).collect();
    let other = roles.last().expect("another").id.clone();
    let organization = Organization { id: "org_1".into(), name: "Acme".into() };
    let person = |id: String, email: Email| Person {
        id: UserId::new(&id).expect("an id"),
        email,
        secondary: Vec::new(),
        name: String::new(),
        held: held(&other.0, if id.len().is_multiple_of(2) { "active" } else { "away" }),
        deactivated: false,
    };
    let declared = roster.people.iter().enumerate();
    let mut people: Vec<Person> = declared
        .map(|(number, declared)| person(format!("u_{number}"), declared.email.value.clone()))
        .collect();
    people.push(person("u_new".into(), Email::observed("new@fuzz.example")));
    ObservedState::new(organization, None, RoleCatalog::new(roles)).with(people)
}

/// Draws a plan with every policy set to `enforce` because `import --update` also writes drift that a plan would only show.
fn plan(roster: &Roster, observed: &ObservedState) -> Option<Plan> {
    let desired = roster.resolve_at(now());
    roster.current_and_coming_windows(now());
    roster.agenda(now());
    let explain = |problems| {
        is_explained(&Problems::new(roster.sources.clone(), problems));
        None
    };
    let roles = match NamedRoles::look_up(roster, &observed.roles) {
        Ok(roles) => roles,
        Err(problems) => return explain(problems),
    };
    match Plan::draw(&desired, observed, &roles, Policy::default()) {
        Ok(plan) => Some(plan),
        Err(problems) => explain(problems),
    }
}
