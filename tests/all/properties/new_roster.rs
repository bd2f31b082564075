//! Properties of an import into new files: each person is declared exactly once, and a plan from the files has no changes.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;

use pretty_assertions::assert_eq;
use proptest::collection::vec;
use proptest::prelude::{Strategy, any};
use proptest::sample::select;
use rolecall::layout::canonical;
use rolecall::new_roster::{NewRoster, SplitBy, TEAMS, TeamFile};
use rolecall::observed::{ObservedState, Organization, Person, Role, RoleCatalog, RoleId};
use rolecall::plan::Plan;
use rolecall::plan::roles::NamedRoles;
use rolecall::roster::{Email, Field, PerField, Policy, Region, Roster, Status};

use super::holds;
use super::organization::{ROLES, cases, now};

/// Names and slugs that, without precautions, would escape the folder, collide with others, or make an invalid file name.
const TEXTS: &[&str] = &[
    "lead",
    "Lead",
    "LEAD",
    "lead-2",
    "l\u{e9}ad",
    "support lead",
    "Support_Lead",
    "../lead",
    "..",
    ".",
    "",
    " ",
    "/etc/passwd",
    "c:\\lead",
    "con",
    "COM1.toml",
    "lead\n[users]",
    "\u{202e}lead",
    "lead.toml",
    "\u{65e5}\u{672c}",
    "##[group]",
    "a\tb\"c'#",
    "users",
    "teams/lead",
];
const DOMAINS: &[&str] = &[
    "acme.example",
    "Acme.EXAMPLE",
    "sub.acme.example",
    "m\u{fc}ller.example",
    "M\u{dc}LLER.example",
    "xn--mller-kva.example",
    "con.example",
    "nul.com1",
    "\u{65e5}\u{672c}.example",
    "acme-example.example",
    "1.2.3.4",
    "acme.example.toml",
];

fn organizations() -> impl Strategy<Value = ObservedState> {
    let texts = vec((select(TEXTS), select(TEXTS)), ROLES.len());
    (cases(14), texts, vec(select(DOMAINS), 14)).prop_map(|(case, texts, domains)| {
        let role = |((id, name, slug), (odd_name, odd_slug)): (_, (&str, &str))| {
            let (name, slug) = if slug == "admin" { (name, slug) } else { (odd_name, odd_slug) };
            Role { id: RoleId(id), name: name.into(), slug: slug.into() }
        };
        let roles = ROLES.map(|(id, name, slug)| (id.into(), name, slug)).into_iter().zip(texts);
        let organization = Organization { id: "org_1".into(), name: "Acme".into() };
        let people = case.people.into_iter().zip(domains).map(|(person, domain)| {
            let local = person.email.as_str().split('@').next().unwrap_or_default().to_owned();
            Person { email: Email::observed(&format!("{local}@{domain}")), ..person }
        });
        ObservedState::new(organization, None, RoleCatalog::new(roles.map(role).collect())).with(people)
    })
}

/// Writes the files the way `import` does and reads them back.
fn written(new: &NewRoster<'_>) -> Roster {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(TEAMS)).unwrap();
    for TeamFile { name, text, .. } in &new.teams {
        fs::write(folder.path().join(TEAMS).join(name), text).unwrap();
    }
    let root = folder.path().join("users.toml");
    fs::write(&root, &new.root).unwrap();
    Roster::read(&root).unwrap_or_else(|problems| panic!("{:#?} of:\n{new:#?}", problems.list))
}

#[test]
fn new_files_declare_each_person_once_and_change_nothing() {
    let (split, unknown) = (Cell::new(0), Cell::new(0));
    holds(80, &(organizations(), any::<bool>()), |(state, with_status)| {
        let wanted = PerField { role: true, status: with_status };
        for by in [None, Some(SplitBy::Role), Some(SplitBy::Domain)] {
            let new = NewRoster::from_state(&state, Some(Region::Eu), wanted, by);
            let roster = written(&new);
            let declared: Vec<&Email> = roster.people.iter().map(|person| &person.email.value).collect();
            for person in state.people() {
                let not_written = new.not_written.iter().filter(|value| value.person.id == person.id);
                let (statuses, whole): (Vec<_>, Vec<_>) =
                    not_written.partition(|value| value.field == Some(Field::Status));
                let is_declared = !person.deactivated && whole.is_empty();
                let count = declared.iter().filter(|email| ***email == person.email).count();
                assert_eq!(count, usize::from(is_declared), "{} in:\n{new:#?}", person.email);
                let cannot_be_declared =
                    !person.status().is_empty() && Status::named(person.status()).is_none();
                let is_lost = with_status && is_declared && cannot_be_declared;
                assert_eq!(statuses.len(), usize::from(is_lost), "{} in:\n{new:#?}", person.email);
                unknown.set(unknown.get() + statuses.len());
            }
            assert_eq!(declared.len(), new.declared);
            assert!(roster.unused_defaults.is_empty(), "{new:#?}");
            let desired = roster.resolve_at(now());
            let roles = NamedRoles::look_up(&roster, &state.roles).expect("known roles");
            let plan = Plan::draw(&desired, &state, &roles, Policy::default()).expect("a plan");
            assert!(plan.changes.is_empty(), "{:#?}\nof:\n{new:#?}", plan.changes);
            split.set(split.get() + new.teams.len());
        }
    });
    assert!(split.get() > 300, "only {split:?} team files");
    assert!(unknown.get() > 20, "only {unknown:?} statuses that no file can declare");
}

#[test]
fn team_files_are_canonical_and_their_names_are_safe_and_distinct() {
    holds(80, &organizations(), |state| {
        for by in [SplitBy::Role, SplitBy::Domain] {
            let new = NewRoster::from_state(&state, None, PerField { role: true, status: false }, Some(by));
            let is_safe = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-';
            for TeamFile { name, text, declared, has_default: _ } in &new.teams {
                let stem = name.strip_suffix(".toml").expect("an ending");
                let first = stem.split('.').next().unwrap_or_default();
                assert!(!["con", "nul", "com1"].contains(&first), "{name}");
                assert!(stem.starts_with(is_safe) && stem.len() < 230, "{name}");
                assert!(
                    stem.chars().all(|char| is_safe(char) || by == SplitBy::Domain && char == '.'),
                    "{name}"
                );
                assert_eq!(canonical(text).as_ref(), Ok(text));
                assert!(
                    *declared > 0
                        && text.lines().next().is_some_and(|line| line.starts_with("# The people "))
                );
            }
            let names: BTreeSet<&str> = new.teams.iter().map(|team| team.name.as_str()).collect();
            assert_eq!(names.len(), new.teams.len(), "{names:?}");
            assert_eq!(canonical(&new.root).as_ref(), Ok(&new.root));
        }
    });
}
