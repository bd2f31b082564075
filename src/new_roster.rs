//! Generates files for an organization that isn't in git yet, as either a single root file or a root file plus team files.
//!
//! This module is pure. The generated files declare each person only once and yield an empty plan.
//!
//! Team files are named after roles or domains. Because these are untrusted input, file names are restricted to lowercase ASCII
//! letters, digits, hyphens, and inner dots. The names are unique even on case-insensitive file systems.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::adoption::{NotWrittenReason, declarable_values};
use crate::layout::{NewFile, PersonValues, fresh, fresh_team};
use crate::observed::{Found, ObservedState, Person, RoleCatalog};
use crate::printable::Printable;
use crate::roster::{Email, Field, PerField, Region, RoleName, Roster};

pub use crate::layout::TEAMS;

/// A domain's team file gets a default role only if at least this many people have that role. With fewer people, a default
/// wouldn't shorten the file.
const WORTH_A_DEFAULT: usize = 3;
/// The maximum length of a team file's name in bytes, without its number and extension. File systems allow 255 bytes in total.
const LONGEST_NAME: usize = 200;

/// How to group people into team files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum SplitBy {
    /// Their role: teams/support-lead.toml
    Role,
    /// The domain of their address: teams/acme.example.toml
    Domain,
}

/// Generated files that declare an organization, before they are written to disk.
#[derive(Debug)]
pub struct NewRoster<'s> {
    /// The content of the root file.
    pub root: String,
    /// The team files, sorted by name. Empty if the root file declares the people.
    pub teams: Vec<TeamFile>,
    /// The number of people declared in all files together.
    pub declared: usize,
    /// The role in the root file's `[defaults]`, and the number of people who have that role.
    pub default_role: Option<(RoleName, usize)>,
    /// The number of people declared with a non-ASCII address.
    pub unicode: usize,
    /// People and individual values left out of the files.
    pub not_written: Vec<LeftOut<'s>>,
}

#[derive(Debug)]
pub struct TeamFile {
    /// The file name, relative to [`TEAMS`].
    pub name: String,
    pub text: String,
    /// The number of people declared in this file.
    pub declared: usize,
    pub has_default: bool,
}

/// A person or value left out of the files, with the reason.
#[derive(Debug)]
pub struct LeftOut<'s> {
    pub person: &'s Person,
    /// The field that can't be declared, or `None` if the person was left out because of their address.
    pub field: Option<Field>,
    pub why: NotWrittenReason,
}

impl<'s> NewRoster<'s> {
    /// Generates files that declare the `wanted` fields of everyone in an organization except deactivated people.
    pub fn from_state(
        state: &'s ObservedState,
        region: Option<Region>,
        wanted: PerField<bool>,
        split: Option<SplitBy>,
    ) -> Self {
        let (mut people, mut not_written) = (Vec::new(), Vec::new());
        let active: Vec<&Person> = state.people().filter(|person| !person.deactivated).collect();
        let addresses: Vec<&Email> = active.iter().map(|person| &person.email).collect();
        let look_alikes = Roster::default().look_alikes(&addresses);
        for person in active {
            let mut omitted = Vec::new();
            match newcomer(person, state, wanted, &look_alikes, &mut omitted) {
                Ok(new) => people.push(new),
                Err((field, why)) => not_written.push(LeftOut { person, field, why }),
            }
            not_written.extend(omitted.into_iter().map(|(field, why)| LeftOut {
                person,
                field: Some(field),
                why,
            }));
        }
        let unicode = people.iter().filter(|person| !person.email.as_str().is_ascii()).count();
        // An `include` that doesn't match any file would be an error.
        let split = split.filter(|_| !people.is_empty());
        let default_role = if split.is_some() { None } else { most_common(&people, &state.roles) };
        let text = fresh(&NewFile {
            include: split.map(about),
            allow_unicode_emails: unicode > 0,
            organization: Some(state.organization.id.as_str()).filter(|id| !id.is_empty()),
            region,
            default_role: default_role.as_ref().map(|(role, _)| role),
            people: if split.is_some() { &[] } else { &people },
        });
        let declared = people.len();
        let teams = split.map(|by| teams(people, by, &state.roles)).unwrap_or_default();
        Self { root: text, teams, declared, default_role, unicode, not_written }
    }
}

/// Returns the comment in the root file about the team files.
const fn about(by: SplitBy) -> &'static str {
    match by {
        SplitBy::Role => "The people are in these files, one per role.",
        SplitBy::Domain => "The people are in these files, one per domain of their addresses.",
    }
}

/// Returns the values to declare for a person, or the reason the person is left out.
fn newcomer(
    person: &Person,
    state: &ObservedState,
    wanted: PerField<bool>,
    look_alikes: &HashMap<Email, Email>,
    omitted: &mut Vec<(Field, NotWrittenReason)>,
) -> Result<PersonValues, (Option<Field>, NotWrittenReason)> {
    if Email::declared(person.email.as_str(), true).is_err() {
        return Err((None, NotWrittenReason::UndeclarableAddress));
    }
    if matches!(state.find(&person.email), Found::Several(_)) {
        return Err((None, NotWrittenReason::SharedAddress));
    }
    if let Some(other) = look_alikes.get(&person.email) {
        return Err((None, NotWrittenReason::LookAlike(other.clone())));
    }
    let values = declarable_values(person, wanted, &state.roles, omitted)
        .map_err(|(field, why)| (Some(field), why))?;
    Ok(PersonValues { email: person.email.clone(), values })
}

/// Returns the most common role, for use in `[defaults]`, and the number of people who have it.
///
/// The Admin role is never picked because anyone added to the file without a role would otherwise become an Admin. Ties go to
/// the role known to grant the least access and then to the first by name, which keeps the output deterministic.
fn most_common(people: &[PersonValues], roles: &RoleCatalog) -> Option<(RoleName, usize)> {
    let mut counts: BTreeMap<&RoleName, usize> = BTreeMap::new();
    for role in people.iter().filter_map(|person| person.values.role.as_ref()) {
        *counts.entry(role).or_default() += 1;
    }
    let slug = |name: &RoleName| roles.only(name).map_or("", |role| &role.slug);
    let access =
        |name: &RoleName| ["viewer", "member"].iter().position(|known| *known == slug(name)).unwrap_or(2);
    let candidates = counts.into_iter().filter(|(role, _)| slug(role) != "admin");
    candidates
        .min_by_key(|(role, count)| (Reverse(*count), access(role)))
        .map(|(role, count)| (role.clone(), count))
}

/// Groups the people into one team file per role or per domain.
fn teams(people: Vec<PersonValues>, by: SplitBy, roles: &RoleCatalog) -> Vec<TeamFile> {
    let mut groups: BTreeMap<String, Vec<PersonValues>> = BTreeMap::new();
    for person in people {
        let group = match by {
            SplitBy::Role => person.values.role.as_deref().unwrap_or_default().to_owned(),
            SplitBy::Domain => ascii_domain(&person.email),
        };
        groups.entry(group).or_default().push(person);
    }
    let mut names = BTreeSet::new();
    let team = |(group, people): (String, Vec<PersonValues>)| {
        let name = match by {
            SplitBy::Role => role_file(&group, roles),
            SplitBy::Domain => domain_file(&group),
        };
        let name = unused(&name, &mut names);
        let (about, default_role) = match by {
            SplitBy::Role => of_role(&group, roles),
            SplitBy::Domain => of_domain(&people, roles),
        };
        let text = fresh_team(&about, default_role.as_ref(), &people);
        TeamFile { name, text, declared: people.len(), has_default: default_role.is_some() }
    };
    let mut teams: Vec<TeamFile> = groups.into_iter().map(team).collect();
    teams.sort_by(|one, other| one.name.cmp(&other.name));
    teams
}

/// Returns the description and default role for a single role's file. The Admin role's file has no default, since otherwise
/// anyone added to it without a role would become an Admin.
fn of_role(written: &str, roles: &RoleCatalog) -> (String, Option<RoleName>) {
    let role = roles.only(written);
    let label = role.map_or_else(|| written.to_owned(), |role| roles.label(&role.id));
    let label = if label.trim().is_empty() { written } else { &label };
    let about = format!("The people with the role {}.", Printable::cut(label, 80));
    if role.is_some_and(|role| role.slug == "admin") {
        let why =
            "There is no default role, so that a person without a role does not become an administrator.";
        return (format!("{about}\n{why}"), None);
    }
    (about, Some(written.into()))
}

fn of_domain(people: &[PersonValues], roles: &RoleCatalog) -> (String, Option<RoleName>) {
    let domain = people.first().map(|person| domain(&person.email)).unwrap_or_default();
    let about = format!("The people with an address at {}.", Printable::cut(&domain, 255));
    let default = most_common(people, roles).filter(|(_, count)| *count >= WORTH_A_DEFAULT);
    (about, default.map(|(role, _)| role))
}

/// Returns the domain of an address in lowercase.
fn domain(email: &Email) -> String {
    let folded = email.folded();
    folded.rsplit_once('@').map_or_else(String::new, |(_, domain)| domain.to_owned())
}

/// Returns the domain of an address in its ASCII form (Punycode), so that the Unicode and ASCII spellings of a domain share a
/// file.
fn ascii_domain(email: &Email) -> String {
    let domain = domain(email);
    if domain.is_ascii() {
        return domain;
    }
    let url = reqwest::Url::parse(&format!("https://{domain}"));
    url.ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or(domain)
}

/// Derives a file name from the slug of a role, or from its name if the slug has no usable characters.
fn role_file(written: &str, roles: &RoleCatalog) -> String {
    let role = roles.only(written);
    let texts = role.map_or([written, ""], |role| [&role.slug, &role.name]);
    file_name(&texts, "role", |_| false)
}

fn domain_file(ascii: &str) -> String {
    file_name(&[ascii], "domain", |char| char == '.' || char == '-')
}

/// Converts the first string with usable characters to a file name without an extension, or returns `kind` if no string has any.
/// Each run of unusable characters is replaced with a hyphen, and names that Windows reserves are prefixed with `kind`.
fn file_name(texts: &[&str], kind: &str, is_kept: impl Fn(char) -> bool) -> String {
    let usable = |text: &&str| {
        let mut name = String::new();
        for char in text.chars().map(|char| char.to_ascii_lowercase()) {
            if char.is_ascii_alphanumeric() || is_kept(char) {
                name.push(char);
            } else if !name.ends_with('-') {
                name.push('-');
            }
        }
        let is_edge = |char| char == '-' || char == '.';
        let name = name.trim_matches(is_edge);
        let name = name[..name.len().min(LONGEST_NAME)].trim_end_matches(is_edge);
        Some(name.to_owned()).filter(|name| !name.is_empty())
    };
    match texts.iter().find_map(usable) {
        None => kind.to_owned(),
        Some(name) if is_reserved(&name) => format!("{kind}-{name}"),
        Some(name) => name,
    }
}

/// Returns `true` if Windows reserves the file name for a device, such as `con` or `con.toml`.
fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    let port = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    let is_port = port.is_some_and(|port| port.len() == 1 && port.bytes().all(|byte| byte.is_ascii_digit()));
    is_port || ["con", "prn", "aux", "nul"].contains(&stem)
}

/// Appends the extension `.toml` to `name`, and a number if that file name is already in `used`. Adds the result to `used`.
fn unused(name: &str, used: &mut BTreeSet<String>) -> String {
    let numbered = |number: usize| match number {
        1 => format!("{name}.toml"),
        _ => format!("{name}-{number}.toml"),
    };
    let free = (1..=used.len() + 1).map(numbered).find(|name| !used.contains(name)).unwrap_or_default();
    used.insert(free.clone());
    free
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::observed::{Role, RoleId};

    #[test]
    fn a_file_name_of_a_role_stays_in_its_folder_on_every_system() {
        for (slug, name, expected) in [
            ("support-lead", "Support Lead", "support-lead"),
            ("Support_LEAD 2", "x", "support-lead-2"),
            ("../../etc/passwd", "x", "etc-passwd"),
            ("..", "Tier 1 / EMEA", "tier-1-emea"),
            ("日本", "\u{202e}", "role"),
            ("", "", "role"),
            ("con", "x", "role-con"),
            ("LPT1", "x", "role-lpt1"),
            ("c:\\users\\x.toml", "x", "c-users-x-toml"),
        ] {
            let role = Role { id: RoleId("r".into()), name: name.into(), slug: slug.into() };
            assert_eq!(role_file("r", &RoleCatalog::new(vec![role])), expected, "{slug}");
        }
        assert_eq!(file_name(&[&"long ".repeat(100)], "role", |_| false).len(), LONGEST_NAME - 1);
    }

    #[test]
    fn a_domain_is_one_file_in_all_its_spellings() {
        for (email, expected) in [
            ("a@Acme.EXAMPLE", "acme.example"),
            ("a@x-y.acme.example", "x-y.acme.example"),
            ("a@M\u{fc}ller.example", "xn--mller-kva.example"),
            ("a@XN--mller-kva.example", "xn--mller-kva.example"),
            ("a@con.example", "domain-con.example"),
            ("a@\u{ad}.\u{ad}", "domain"),
        ] {
            let name = domain_file(&ascii_domain(&Email::observed(email)));
            assert_eq!(name, expected, "{email}");
        }
    }

    #[test]
    fn equal_names_get_numbers() {
        let mut used = BTreeSet::new();
        let names = ["lead", "lead-2", "lead", "lead"].map(|name| unused(name, &mut used));
        assert_eq!(names, ["lead.toml", "lead-2.toml", "lead-3.toml", "lead-4.toml"]);
    }
}
