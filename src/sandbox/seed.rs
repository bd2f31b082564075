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
    /// An organisation of these people: address, and a role's name, slug or id (`Member` where none is given). A role that is
    /// not among Admin, Member and Viewer is added.
    pub fn of_people<E, R>(people: impl IntoIterator<Item = (E, Option<R>)>) -> Result<Self, StateError>
    where
        E: AsRef<str>,
        R: AsRef<str>,
    {
        let mut roles = Role::built_in();
        let mut users = Vec::new();
        for (email, role) in people {
            let word = role.as_ref().map_or("Member", AsRef::as_ref);
            add_role(&mut roles, word);
            users.push(Person::new(email.as_ref(), word));
        }
        Draft::of(users).roles(roles).check()
    }

    /// The same with a role for each of these words that means none yet; nobody holds it.
    #[must_use]
    pub fn with_roles<R: AsRef<str>>(mut self, words: impl IntoIterator<Item = R>) -> Self {
        words.into_iter().for_each(|word| add_role(&mut self.roles, word.as_ref()));
        self
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
        }
    }
}

fn add_role(roles: &mut Vec<Role>, word: &str) {
    if find_role(roles, word).is_err() {
        roles.push(role_named(word, roles));
    }
}

/// A role for a name that nobody has described, with an id and slug that are free.
fn role_named(name: &str, roles: &[Role]) -> Role {
    let word: String = name
        .to_lowercase()
        .chars()
        .map(|letter| if letter.is_alphanumeric() { letter } else { '_' })
        .collect();
    let mut slug = word.clone();
    let mut number = 1;
    while roles.iter().any(|role| role.slug == slug || role.id == format!("role_{slug}")) {
        number += 1;
        slug = format!("{word}_{number}");
    }
    Role::new(&format!("role_{slug}"), name, &slug)
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
