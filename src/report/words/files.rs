//! Messages about written or checked files.

use super::{LONGEST_NAME, count};
use crate::adoption::NotWrittenReason;
use crate::exit::Exit;
use crate::new_roster::NewRoster;
use crate::observed::RoleCatalog;
use crate::printable::Printable;
use crate::problem::Problems;
use crate::roster::Field;

/// Formats the result of `validate`: the number of files, declared people, and warnings.
pub fn valid(files: &Problems, declared: usize, exit: Exit) -> String {
    let warnings = match files.list.len() {
        0 => String::new(),
        some => format!(", {}", count(some, "warning", "warnings")),
    };
    let denied = if exit == Exit::Failed { " (denied)" } else { "" };
    format!("{}{warnings}{denied}", checked(files.sources.len(), declared))
}

pub fn checked(files: usize, declared: usize) -> String {
    let (files, people) = (count(files, "file", "files"), count(declared, "person", "people"));
    format!("{files}, {people} declared: valid")
}

/// Sums up the result of `fmt`.
pub fn formatted(changed: usize, files: usize, is_dry: bool) -> String {
    let all = count(files, "file", "files");
    match (changed, is_dry) {
        (0, _) => format!("{all} already formatted"),
        (_, true) => format!("{changed} of {all} would be formatted"),
        (_, false) => format!("{changed} of {all} formatted"),
    }
}

/// Sums up the result of an `import` that creates new files.
pub fn imported(new: &NewRoster<'_>, is_dry: bool) -> String {
    let NewRoster { root: _, teams, declared, default_role, unicode, not_written } = new;
    let would = if is_dry { " would be" } else { "" };
    let mut text = format!("{}{would} declared", count(*declared, "person", "people"));
    if !teams.is_empty() {
        text += &format!(" in {}", count(teams.len(), "team file", "team files"));
    }
    if !not_written.is_empty() {
        text += &format!(" · {} not written", not_written.len());
    }
    if let Some((role, number)) = default_role {
        let role = Printable::cut(role, LONGEST_NAME);
        let people = count(*number, "person", "people");
        text += &format!(
            "\nThe default role is {role} ({people}), the most common one apart from the administrators' role. People without a role in the file get it."
        );
    }
    if teams.iter().any(|team| team.has_default) {
        text += "\nPeople without a role in a team file get the role in its [defaults]. This is never the administrators' role.";
    }
    let file = if teams.is_empty() { "file" } else { "root file" };
    let addresses = match unicode {
        0 => return text,
        1 => "1 address has".to_owned(),
        _ => format!("{unicode} addresses have"),
    };
    text + &format!(
        "\nThe {file} sets `allow_unicode_emails = true`, because {addresses} non-ASCII characters. Check that they are correct."
    )
}

/// Formats the number of people declared in one of several new files.
pub fn people_of_file(people: usize) -> String {
    if people == 0 { "settings only".into() } else { count(people, "person", "people") }
}

/// Sums up the contents of a newly written sandbox state.
pub fn state_written(people: usize, integrations: usize, roles: usize) -> String {
    let mut parts = vec![count(people, "person", "people"), count(roles, "role", "roles")];
    parts.extend((integrations > 0).then(|| count(integrations, "integration user", "integration users")));
    parts.join(" · ")
}

/// Sums up the result of `import --update`.
pub fn updated(changed: usize, added: usize, not_written: usize, unmanaged: usize, is_dry: bool) -> String {
    let would = if is_dry { "would be " } else { "" };
    let mut parts = Vec::new();
    parts.extend((changed > 0).then(|| format!("{} {would}updated", count(changed, "person", "people"))));
    parts.extend((added > 0).then(|| format!("{added} {would}added")));
    if parts.is_empty() {
        parts.push("nothing to update".into());
    }
    parts.extend((not_written > 0).then(|| format!("{not_written} not written")));
    parts.extend((unmanaged > 0).then(|| format!("{unmanaged} unmanaged (--into FILE adds them)")));
    parts.join(" · ")
}

/// Explains why a value was not written to the files.
pub fn not_written(field: Option<Field>, why: &NotWrittenReason, roles: &RoleCatalog) -> String {
    let name = field.map_or("person", Field::as_str);
    match why {
        NotWrittenReason::Window(Some(until)) => {
            format!(
                "{name}: a window sets it until {}, so the value in Pylon is not written to the files",
                Printable::cut(until, 60)
            )
        }
        NotWrittenReason::EndedWindow(end) => {
            let end = Printable::cut(end, 60);
            format!(
                "{name}: a window that ended on {end} set it; apply the files to change it back, or delete the window and run the import again to keep it"
            )
        }
        NotWrittenReason::Window(None) => {
            format!("{name}: a window sets it, so the value in Pylon is not written to the files")
        }
        NotWrittenReason::AfterWindow => {
            format!(
                "{name}: set by the `then` of a window that has ended; to keep the value in Pylon instead, replace the window with a declared status"
            )
        }
        NotWrittenReason::Undeclarable(values) => {
            let label = |value| roles.value_label(field.unwrap_or(Field::Role), value);
            let shown: Vec<String> =
                values.iter().map(|value| Printable::cut(&label(value), LONGEST_NAME).to_string()).collect();
            let set = if field.is_none_or(|field| field.facts().names_role) { "assigned" } else { "set" };
            match shown.as_slice() {
                [] => format!("{name}: none is {set} in Pylon, and no file can declare that"),
                [one] => format!("{name}: Pylon shows {one}, which no file can declare"),
                several => format!(
                    "{name}: several are {set} in Pylon ({}), and a file can declare only one",
                    several.join(", ")
                ),
            }
        }
        NotWrittenReason::Address => format!(
            "{name}: this address is not allowed in these files (to allow non-ASCII characters, set allow_unicode_emails)"
        ),
        NotWrittenReason::Rule(rule) => {
            format!("{name}: a rule does not allow the one in Pylon ({rule})")
        }
        NotWrittenReason::UndeclarableAddress => format!("{name}: no file can declare this address"),
        NotWrittenReason::SharedAddress => format!("{name}: several people in Pylon have this address"),
        NotWrittenReason::LookAlike(other) => {
            let other = Printable::cut(other.as_str(), LONGEST_NAME);
            format!("{name}: the address looks like {other}, and the files can declare only one of them")
        }
        NotWrittenReason::Refused(refused) => Printable::new(&refused.to_string()).to_string(),
    }
}
