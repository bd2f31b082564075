//! Creates organizations for sandboxes without a state file, either from a given list of people or with generated people, who are
//! the same in every run.

use super::identifiers::mix;
use super::organization::{Role, find_role};
use super::state::SandboxState;
use super::written_user::WrittenUser;

const FIRST_NAMES: &str = "Ana Bo Cy Dee Emil Fatou Goran Hana Ines Jun Kofi Lena Mira Noor Olu Pia Quinn Rosa Sven Tala Uma Vito Wen Yara";
const LAST_NAMES: &str = "Adeyemi Brandt Castro Diallo Eriksen Fontaine Gruber Haddad Ito Jansen Kowalski Lindqvist Moreau \
     Novak Ortega Petrov Rossi Silva Tanaka Weber";

impl SandboxState {
    /// Creates an organization of these people with the built-in roles. Each person is given as an address and, optionally, the
    /// name, slug, or ID of a role. If the role is omitted or isn't built in, the person becomes a Member.
    pub fn of_people<'a>(people: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> Self {
        let built_in = Role::built_in();
        let mut state = Self::default();
        for (email, role) in people {
            let role = role.filter(|role| find_role(&built_in, role).is_ok());
            state.users.push(WrittenUser::new(email, role.unwrap_or("member")));
        }
        state
    }

    /// Generates an organization of `count` people with unique addresses. Most people are active Members, but some have another
    /// role or status, are deactivated, or have a second address or a role from SCIM. The first two people are always Admins and
    /// never deactivated. The result depends only on `count`.
    pub fn invented(count: usize) -> Self {
        let first_names: Vec<&str> = FIRST_NAMES.split(' ').collect();
        let last_names: Vec<&str> = LAST_NAMES.split(' ').collect();
        let mut state = Self::default();
        for number in 0..count {
            let first = first_names[number % first_names.len()];
            let last = last_names[(number / first_names.len()) % last_names.len()];
            let round = number / (first_names.len() * last_names.len());
            state.users.push(invented_person(number, first, last, round));
        }
        state
    }
}

/// Generates the `number`th person, counting from 0. `round` is the number of times that every pair of first and last name has
/// already been used.
fn invented_person(number: usize, first: &str, last: &str, round: usize) -> WrittenUser {
    let luck = mix(number as u64);
    let has_luck = |percent: u64, salt: u64| mix(luck ^ salt) % 100 < percent;
    let suffix = if round == 0 { String::new() } else { (round + 1).to_string() };
    let local = format!("{}.{}{suffix}", first.to_lowercase(), last.to_lowercase());
    let role = if number < 2 || has_luck(3, 1) {
        "admin"
    } else if has_luck(10, 2) {
        "viewer"
    } else {
        "member"
    };
    let status = match mix(luck ^ 4) % 20 {
        0 | 1 => "away",
        2 => "out_of_office",
        _ => "active",
    };
    WrittenUser {
        emails: if has_luck(5, 3) { vec![format!("{local}@old.acme.example")] } else { Vec::new() },
        name: Some(format!("{first} {last}")),
        status: Some(status.to_owned()),
        scim_roles: if has_luck(2, 5) { vec!["viewer".to_owned()] } else { Vec::new() },
        deactivated: number > 1 && has_luck(2, 6),
        ..WrittenUser::new(&format!("{local}@acme.example"), role)
    }
}
