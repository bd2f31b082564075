//! Organisations that no file describes: made of a list of people, or invented, always the same for the same number.

use std::sync::Arc;

use super::{
    draft::{Draft, find_role},
    message::mix,
    person::{Kind, Person, id_of},
    state::{Role, State, StateError},
    user::User,
};

const FIRST_NAMES: [&str; 24] = [
    "Ana", "Bo", "Cy", "Dee", "Emil", "Fatou", "Goran", "Hana", "Ines", "Jun", "Kofi", "Lena", "Mira",
    "Noor", "Olu", "Pia", "Quinn", "Rosa", "Sven", "Tala", "Uma", "Vito", "Wen", "Yara",
];
const LAST_NAMES: [&str; 20] = [
    "Adeyemi",
    "Brandt",
    "Castro",
    "Diallo",
    "Eriksen",
    "Fontaine",
    "Gruber",
    "Haddad",
    "Ito",
    "Jansen",
    "Kowalski",
    "Lindqvist",
    "Moreau",
    "Novak",
    "Ortega",
    "Petrov",
    "Rossi",
    "Silva",
    "Tanaka",
    "Weber",
];

impl State {
    /// An organization of these people, with the built-in roles: an address, and a role's name, slug, or ID. People whose role is
    /// not built in, and people without one, are Members.
    pub fn of_people<E, R>(people: impl IntoIterator<Item = (E, Option<R>)>) -> Result<Self, StateError>
    where
        E: AsRef<str>,
        R: AsRef<str>,
    {
        let roles = Role::built_in();
        let users = people.into_iter().map(|(email, role)| {
            let role = role.as_ref().map(AsRef::as_ref).filter(|word| find_role(&roles, word).is_ok());
            Person::new(email.as_ref(), role.unwrap_or("member"))
        });
        Draft::of(users).check()
    }

    /// An invented organisation of `count` people: some Admins and Viewers, a few deactivated, with a second address, away, or
    /// with a role from SCIM. The first person is an Admin, nobody's address repeats, and the same number gives the same people.
    pub fn generated(count: usize) -> Self {
        let users = (0..count).map(|number| Arc::new(invented(number))).collect();
        Self { users, ..Self::empty() }
    }

    /// An organisation of nobody, with the default roles and settings.
    pub fn empty() -> Self {
        Self {
            organization: super::state::Organization::default(),
            api: super::state::Api::default(),
            settings: super::state::Settings::default(),
            token_user: None,
            roles: Role::built_in(),
            users: Vec::new(),
            audit: Vec::new(),
            made_up: false,
        }
    }
}

/// The `number`th invented person. The indexes are those of the default roles: 0 Admin, 1 Member, 2 Viewer.
fn invented(number: usize) -> User {
    let luck = mix(number as u64);
    let share = |percent: u64, salt: u64| mix(luck ^ salt) % 100 < percent;
    let first = FIRST_NAMES[number % FIRST_NAMES.len()];
    let last = LAST_NAMES[(number / FIRST_NAMES.len()) % LAST_NAMES.len()];
    let round = number / (FIRST_NAMES.len() * LAST_NAMES.len());
    let local = format!("{}.{}", first.to_lowercase(), last.to_lowercase());
    let suffix = if round == 0 { String::new() } else { (round + 1).to_string() };
    let email = format!("{local}{suffix}@acme.example");
    let role = if number < 2 || share(3, 1) {
        0
    } else if share(10, 2) {
        2
    } else {
        1
    };
    let others = if share(5, 3) { vec![format!("{local}{suffix}@old.acme.example")] } else { Vec::new() };
    let status = match mix(luck ^ 4) % 20 {
        0 | 1 => "away",
        2 => "out_of_office",
        _ => "active",
    };
    User {
        id: id_of(&email),
        kind: Kind::Person,
        email,
        others,
        name: format!("{first} {last}"),
        avatar_url: None,
        status: status.to_owned(),
        assigned: vec![role],
        scim: if share(2, 5) { vec![2] } else { Vec::new() },
        deactivated: number > 1 && share(2, 6),
        role_from_scim: false,
        support_hours: None,
    }
}
