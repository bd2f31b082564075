//! Writes a new root file and new team files in the canonical layout.

use super::canonical::canonical;
use super::person_values::PersonValues;
use crate::roster::{Region, RoleName};
use crate::toml_text::quoted;

const GREETING: &str = "\
# The roles and statuses of your Pylon users. Edit a line, read what `rolecall plan` would change, and run
# `rolecall apply`. Name a role by its name, slug, or ID.
";

/// What a new root file declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile<'f> {
    /// `None` if the root file has the people.
    pub include: Option<NewInclude<'f>>,
    pub allow_unicode_emails: bool,
    /// The only organization that the file may be applied to.
    pub organization: Option<&'f str>,
    pub region: Option<Region>,
    /// The role of all people who do not declare one.
    pub default_role: Option<&'f RoleName>,
    /// Each person once, in any order. A role that is the default is not repeated.
    pub people: &'f [PersonValues],
}

/// The `include` of a new root file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewInclude<'f> {
    /// The comment above it, which is one line.
    pub about: &'f str,
    pub pattern: &'f str,
}

/// What a new team file declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTeam<'f> {
    /// A comment at the start, of one or more lines. It must be printable.
    pub about: String,
    /// The role of all people in this file who do not declare one.
    pub default_role: Option<&'f RoleName>,
    /// Each person once, as in [`NewFile`].
    pub people: &'f [PersonValues],
}

/// Returns the text of a new root file.
pub fn fresh(file: &NewFile<'_>) -> String {
    let NewFile { include, allow_unicode_emails, organization, region, default_role, people } = file;
    let mut text = GREETING.to_owned();
    if let Some(NewInclude { about, pattern }) = include {
        text += &format!("\n# {about}\ninclude = [{}]\n", quoted(pattern));
    }
    if *allow_unicode_emails {
        let below = if include.is_some() { "" } else { " below" };
        text +=
            &format!("\n# Some addresses{below} have letters outside ASCII.\nallow_unicode_emails = true\n");
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
    if include.is_none() {
        text += &declarations(*default_role, people);
    }
    laid_out(text)
}

/// Returns the text of a new team file.
pub fn fresh_team(team: &NewTeam<'_>) -> String {
    let NewTeam { about, default_role, people } = team;
    let about: String = about.lines().map(|line| format!("# {line}\n")).collect();
    laid_out(about + &declarations(*default_role, people))
}

fn declarations(default_role: Option<&RoleName>, people: &[PersonValues]) -> String {
    let mut text = String::new();
    if let Some(role) = default_role {
        text += &format!(
            "\n# The role of the people below who have no role of their own.\n[defaults]\nrole = {}\n",
            quoted(role)
        );
    }
    text += "\n[users]\n";
    for person in people {
        let mut person = person.clone();
        person.values.role.take_if(|role| Some(&*role) == default_role);
        text += &(person.line("") + "\n");
    }
    text
}

/// Sorts the people, and makes a table of a line that is too long. An address that is in the list twice makes the text invalid, and the
/// reader reports it.
fn laid_out(text: String) -> String {
    canonical(&text).unwrap_or(text)
}
