//! Writes a new `users.toml` in the canonical layout.

use super::canonical::canonical;
use super::person_values::PersonValues;
use crate::roster::{Region, RoleName};
use crate::toml_text::quoted;

const GREETING: &str = "\
# The roles and statuses of your Pylon users. Edit a line, read what `rolecall plan` would change, and run
# `rolecall apply`. Name a role by its name, slug, or ID.
";

/// What a new file declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile<'f> {
    pub allow_unicode_emails: bool,
    /// The only organization that the file may be applied to.
    pub organization: Option<&'f str>,
    pub region: Option<Region>,
    /// The role of all people who do not declare one.
    pub default_role: Option<&'f RoleName>,
    /// Each person once, in any order. A role that is the default is not repeated.
    pub people: &'f [PersonValues],
}

/// Returns the text of a new file.
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
        text += &format!(
            "\n# The role of the people below who have no role of their own.\n[defaults]\nrole = {}\n",
            quoted(role)
        );
    }
    text += "\n[users]\n";
    for person in *people {
        let mut person = person.clone();
        person.values.role.take_if(|role| Some(&*role) == *default_role);
        text += &(person.line("") + "\n");
    }
    // The layout sorts the people, and makes a table of a line that is too long. An address that is in the list twice makes
    // the text invalid, and the reader reports it.
    canonical(&text).unwrap_or(text)
}
