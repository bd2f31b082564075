//! Generates new root files and team files in the canonical layout.

use super::canonical::canonical;
use super::person_values::PersonValues;
use crate::roster::{Region, RoleName};
use crate::toml_text::quoted;

/// The folder for team files, relative to the folder of the root file.
pub const TEAMS: &str = "teams";
const GREETING: &str = "\
# The roles and statuses of your Pylon users. Edit a line, run `rolecall plan` to see what would change, and then run
# `rolecall apply`. Write a role as its name, slug, or ID.
";

/// The content of a new root file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile<'f> {
    /// A one-line comment about the team files to include, or `None` if the root file itself declares the people.
    pub include: Option<&'f str>,
    pub allow_unicode_emails: bool,
    /// The ID of the pinned organization.
    pub organization: Option<&'f str>,
    pub region: Option<Region>,
    /// The default role, for everyone without a role of their own.
    pub default_role: Option<&'f RoleName>,
    /// The people to declare, in any order but without duplicates. A role that equals the default role is omitted from the file.
    pub people: &'f [PersonValues],
}

/// Generates a new root file.
pub fn fresh(file: &NewFile<'_>) -> String {
    let NewFile { include, allow_unicode_emails, organization, region, default_role, people } = file;
    let mut text = GREETING.to_owned();
    if let Some(about) = include {
        text += &format!("\n# {about}\ninclude = [\"{TEAMS}/*.toml\"]\n");
    }
    if *allow_unicode_emails {
        let below = if include.is_some() { "" } else { " below" };
        text += &format!("\n# Some addresses{below} have non-ASCII letters.\nallow_unicode_emails = true\n");
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

/// Generates a new team file. `about` is a comment of one or more lines for the top of the file. It must be printable.
/// `default_role` and `people` are as in [`NewFile`].
pub fn fresh_team(about: &str, default_role: Option<&RoleName>, people: &[PersonValues]) -> String {
    let about: String = about.lines().map(|line| format!("# {line}\n")).collect();
    laid_out(about + &declarations(default_role, people))
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

/// Sorts the entries and converts overlong lines to tables. If duplicate addresses make the text invalid TOML, returns the text
/// as is, and the parser reports the problem later.
fn laid_out(text: String) -> String {
    canonical(&text).unwrap_or(text)
}
