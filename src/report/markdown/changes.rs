//! Formats the changes as a table with one row per person. A long table is collapsed and preceded by a summary of the
//! transitions, but changes to guarded roles always stay visible.

use super::{Links, address, code, details, fitting, left_out, short};
use crate::plan::cause::Cause;
use crate::printable::Printable;
use crate::report::facts::plan::{ChangeLine, EditLine, GuardedRoleLine, PersonLine, PlanReport};
use crate::report::transitions::{self, ChangedPerson, CountedTransition, MOST_LISTED};
use crate::report::words;

/// The maximum number of characters to show of a name or value.
const LONGEST: usize = 80;
/// The number of people named per group.
const NAMED: usize = 10;

/// Formats the changes in at most `room` bytes. Changes to guarded roles are the last to be omitted.
pub(super) fn tables(report: &PlanReport, links: Links<'_>, room: usize) -> String {
    let mut people = transitions::people(report);
    people.sort_by_key(rank); // stable, so that people with the same rank stay in plan order
    let columns = RowFormat { has_outcome: report.result.is_some(), links };
    if people.len() <= MOST_LISTED {
        let rows = columns.rows(&people);
        if columns.size(&rows) <= room {
            return columns.table(&rows);
        }
    }
    people.sort_by_key(|person| person.guarded_roles.is_empty());
    let guarded = people.iter().take_while(|person| !person.guarded_roles.is_empty()).count();
    let mut text = matrix(report, room / 4);
    text += &columns.guarded(&people[..guarded], room.saturating_sub(text.len()));
    text += &columns.others(&people[guarded..], guarded == 0, room.saturating_sub(text.len()));
    text
}

/// Returns the sort key of a person: unapplied changes come before applied ones. Within both groups, changes to guarded roles
/// come first, and ties are sorted by cause.
fn rank(person: &ChangedPerson<'_>) -> (bool, bool, Option<Cause>) {
    let is_applied = person.change.outcome.as_ref().is_some_and(|outcome| outcome.applied);
    (is_applied, person.guarded_roles.is_empty(), person.change.cause())
}

/// Formats a table that counts the people per transition from one value to another.
fn matrix(report: &PlanReport, room: usize) -> String {
    let transitions = transitions::transitions(report);
    let causes: Vec<Cause> = Cause::ALL
        .into_iter()
        .filter(|cause| transitions.iter().any(|transition| transition.causes.contains_key(cause)))
        .collect();
    let mut head = "| was → will be | people |".to_owned();
    let mut line = "|:--|--:|".to_owned();
    for cause in &causes {
        head += &format!(" {} |", cause.as_str());
        line += "--:|";
    }
    let row = |transition: &CountedTransition<'_>| {
        let CountedTransition { edit, people, causes: counted } = transition;
        let mut row = format!("| {} | {people} |", values(edit));
        for cause in &causes {
            let number = counted.get(cause).map_or_else(String::new, usize::to_string);
            row += &format!(" {number} |");
        }
        row + "\n"
    };
    let rows: Vec<String> = transitions.iter().map(row).collect();
    let (shown, kept) = fitting(&rows, room);
    format!("{head}\n{line}\n{shown}\n") + &left_out(rows.len() - kept, "transition", "transitions")
}

/// How to format a row: whether it has an outcome, and whether locations are links.
#[derive(Clone, Copy)]
struct RowFormat<'a> {
    has_outcome: bool,
    links: Links<'a>,
}

impl RowFormat<'_> {
    fn head(self) -> String {
        let (name, line) = if self.has_outcome { (" outcome |", ":--|") } else { ("", "") };
        format!("| who | was → will be | why |{name}\n|:--|:--|:--|{line}\n")
    }

    fn size(self, rows: &[String]) -> usize {
        self.head().len() + rows.iter().map(String::len).sum::<usize>() + 1
    }

    fn table(self, rows: &[String]) -> String {
        if rows.is_empty() { String::new() } else { self.head() + &rows.concat() + "\n" }
    }

    fn rows(self, people: &[ChangedPerson<'_>]) -> Vec<String> {
        people.iter().map(|person| self.row(person)).collect()
    }

    fn row(self, person: &ChangedPerson<'_>) -> String {
        let ChangeLine { email, person: PersonLine { id: _, name, primary_email }, .. } = person.change;
        let mut who = format!("{}<br>{}", address(email), short(name));
        if let Some(primary) = primary_email {
            who += &format!("<br>in Pylon: {}", address(primary));
        }
        self.cells(&who, person)
    }

    /// Formats people with the same change as a single row.
    fn group(self, group: &[&ChangedPerson<'_>]) -> String {
        let Some(first) = group.first() else { return String::new() };
        let named: Vec<String> =
            group.iter().take(NAMED).map(|person| address(&person.change.email)).collect();
        let more = group.len() - named.len();
        let who = format!("**{} people**: {} and {more} more", group.len(), named.join(", "));
        self.cells(&who, first)
    }

    fn cells(self, who: &str, person: &ChangedPerson<'_>) -> String {
        let ChangeLine { edits, outcome, .. } = person.change;
        let mut changes: Vec<String> = edits.iter().map(values).collect();
        changes.extend(person.guarded_roles.iter().map(|line| cell(&guarded_role(line))));
        let mut why: Vec<String> = edits.iter().map(|edit| self.why(edit)).collect();
        if why.iter().all(|reason| Some(reason) == why.first()) {
            why.truncate(1);
        } else {
            why = edits.iter().zip(why).map(|(edit, why)| format!("{}: {why}", edit.field)).collect();
        }
        let mut row = format!("| {} | {} | {} |", cell(who), changes.join("<br>"), why.join("<br>"));
        if let Some(outcome) = outcome
            && self.has_outcome
        {
            row += &if outcome.applied {
                format!(" {} |", outcome.name)
            } else {
                format!(" **{}** |", outcome.name)
            };
        }
        row + "\n"
    }

    /// Formats the cause and origin of an edit, the line that declares the value, and any notes.
    fn why(self, edit: &EditLine) -> String {
        let EditLine { field: _, from: _, to: _, through_scim, location, origin, blame, cause } = edit;
        let cause = cause.map(|cause| match cause {
            Cause::ThisChange => format!("**{}**", cause.as_str()),
            Cause::Scheduled | Cause::Drift => cause.as_str().to_owned(),
        });
        let origin = Some(words::origin(origin)).filter(|origin| !origin.is_empty());
        let reasons: Vec<String> = cause.into_iter().chain(origin.map(|origin| code(&origin))).collect();
        let mut why = reasons.join(", ");
        if !why.is_empty() {
            why += "<br>";
        }
        why += &self.links.place(location);
        if !through_scim.is_empty() {
            let roles: Vec<String> = through_scim.iter().map(short).collect();
            why += &format!("<br>has {} through SCIM", roles.join(", "));
        }
        if let Some(blame) = blame {
            why += &format!("<br>{}", code(&words::blame(blame)));
        }
        cell(&why)
    }

    /// Formats the changes to guarded roles. If the rows take up too much space, each change is shortened to one line so that
    /// more changes fit.
    fn guarded(self, people: &[ChangedPerson<'_>], room: usize) -> String {
        if people.is_empty() {
            return String::new();
        }
        let verb = words::count(people.len(), "person gains or loses", "people gain or lose");
        let title = format!("**{verb} a guarded role**\n\n");
        let rows = self.rows(people);
        if self.size(&rows) <= room / 2 {
            return title + &self.table(&rows);
        }
        let lines = people.iter().flat_map(|person| &person.guarded_roles);
        let lines: Vec<String> =
            lines.map(|line| format!("- {} {}\n", address(&line.email), guarded_role(line))).collect();
        let (shown, kept) = fitting(&lines, room.saturating_sub(super::FENCES));
        title
            + &shown
            + "\n"
            + &left_out(lines.len() - kept, "change of a guarded role", "changes of guarded roles")
    }

    /// Formats a collapsed table of the people without changes to guarded roles. A large group of people with the same change
    /// shares a row.
    fn others(self, people: &[ChangedPerson<'_>], are_all: bool, room: usize) -> String {
        let mut rows = Vec::new();
        for group in transitions::groups(people, true) {
            if group.len() > MOST_LISTED {
                rows.push((group.len(), self.group(&group)));
            } else {
                rows.extend(group.iter().map(|person| (1, self.row(person))));
            }
        }
        let (counts, texts): (Vec<usize>, Vec<String>) = rows.into_iter().unzip();
        let (_, kept) = fitting(&texts, room.saturating_sub(super::FENCES));
        let shown: usize = counts[..kept].iter().sum();
        let summary = if are_all {
            words::people_change(people.len())
        } else {
            words::count(people.len(), "other person changes", "other people change")
        };
        let table = self.table(&texts[..kept]);
        let table = if table.is_empty() { table } else { details(&summary, &table) + "\n" };
        table + &left_out(people.len() - shown, "person", "people")
    }
}

/// Formats the field of an edit with its old and new values.
fn values(edit: &EditLine) -> String {
    let (from, to) = edit.short_values(LONGEST);
    let from: Vec<String> = from.iter().map(|value| code(value.as_str())).collect();
    let from = if from.is_empty() { "(none)".to_owned() } else { from.join(", ") };
    let arrow = words::arrow(edit.from.last().map_or("", Printable::raw));
    cell(&format!("{} {from} {arrow} {}", edit.field, code(to.as_str())))
}

fn guarded_role(line: &GuardedRoleLine) -> String {
    format!("**{}** {}", line.verb(), short(&line.role))
}

/// Escapes pipes, which would otherwise end the cell (GitHub Flavored Markdown 4.10). A pipe that follows a backslash becomes
/// `\u{7c}`, since a second backslash would only escape the first.
pub(super) fn cell(text: &str) -> String {
    text.replace("\\|", "\\\\u{7c}").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_pipe_does_not_end_a_cell() {
        assert_eq!(cell("`Ana | EMEA`"), "`Ana \\| EMEA`");
        assert_eq!(cell("`a\\|b`"), "`a\\\\u{7c}b`");
    }
}
