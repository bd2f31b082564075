//! A new `users.toml`, in the canonical layout from the start.

use super::add::line;
use super::canonical;
use super::edit::NewPerson;
use crate::roster::{Region, RoleName};
use crate::toml_text::quoted;

const GREETING: &str = "\
# Who has which role in Pylon, and which status where one is declared. `rolecall plan` shows what an edit here
# would change, `rolecall apply` changes it. Roles are named by name, slug or id.
";

/// What a new file declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile<'f> {
    /// Whether addresses outside ASCII are allowed.
    pub allow_unicode_emails: bool,
    /// The organisation that the file is for, and no other.
    pub organization: Option<&'f str>,
    /// The region of that organisation.
    pub region: Option<Region>,
    /// The role of everybody without one of their own.
    pub default_role: Option<&'f RoleName>,
    /// Everybody, in any order, each once. A role that is the default is not repeated.
    pub people: &'f [NewPerson],
}

/// The text of a new file.
pub fn fresh(file: &NewFile<'_>) -> String {
    let NewFile { allow_unicode_emails, organization, region, default_role, people } = file;
    let mut text = GREETING.to_owned();
    if *allow_unicode_emails {
        text += "\n# Some addresses below have letters outside ASCII.\nallow_unicode_emails = true\n";
    }
    if organization.is_some() || region.is_some() {
        text += "\n[workspace]\n";
    }
    if let Some(organization) = organization {
        text += &format!("organization = {}\n", quoted(organization));
    }
    if let Some(region) = region {
        text += &format!("region = {}\n", quoted(region.as_str()));
    }
    if let Some(role) = default_role {
        text += &format!("\n[defaults]\nrole = {}\n", quoted(role));
    }
    text += "\n[users]\n";
    let mut people: Vec<&NewPerson> = people.iter().collect();
    people.sort_by(|a, b| a.email.cmp(&b.email));
    for person in people {
        let NewPerson { email, role, status } = person;
        let role = role.as_ref().filter(|role| Some(*role) != *default_role).cloned();
        text += &line("", &NewPerson { email: email.clone(), role, status: *status });
        text.push('\n');
    }
    // A line may be too long for one; what is twice in it is no TOML, and the reader says so.
    canonical(&text).unwrap_or(text)
}
