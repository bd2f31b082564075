//! Renders the changes as a table or, if there are many, grouped by change.

use std::cmp::Reverse;

use maud::{Markup, html};

use super::{LONGEST, place, prose, short};
use crate::printable::Printable;
use crate::report::facts::plan::{ChangeLine, EditLine, PersonLine, PlanReport};
use crate::report::transitions::{self, ChangedPerson, MOST_LISTED};
use crate::report::words::{self, Shared};

/// A section of the page that lists people.
pub(super) struct PeopleSection<'r> {
    /// The ID that the table of contents links to.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    /// Sorted so that people who gain or lose a guarded role come first.
    pub(super) people: Vec<ChangedPerson<'r>>,
}

/// Returns the nonempty sections of people. Changes to guarded roles come first in a plan, and changes that weren't applied come
/// first in an apply.
pub(super) fn parts(report: &PlanReport) -> Vec<PeopleSection<'_>> {
    let (mut people, others): (Vec<_>, Vec<_>) =
        transitions::people(report).into_iter().partition(|person| !person.guarded_roles.is_empty());
    let parts = if report.result.is_none() {
        let title = if people.is_empty() { "Changes" } else { "Other changes" };
        [("guarded-roles", "Guarded roles to review first", people), ("changes", title, others)]
    } else {
        people.extend(others);
        let is_applied = |person: &ChangedPerson<'_>| {
            person.change.outcome.as_ref().is_some_and(|outcome| outcome.applied)
        };
        let (applied, not_applied) = people.into_iter().partition(is_applied);
        [("not-applied", "Not applied", not_applied), ("applied", "Applied", applied)]
    };
    let part = |(id, title, people)| PeopleSection { id, title, people };
    parts.into_iter().map(part).filter(|part| !part.people.is_empty()).collect()
}

impl PeopleSection<'_> {
    /// Renders the section. If the report covers many people, those with the same change are grouped and collapsed. Changes to
    /// guarded roles are never grouped.
    pub(super) fn write(&self, report: &PlanReport) -> Markup {
        let shared = words::shared(report.outcomes());
        let (listed, groups, folded) = if report.changes.len() > MOST_LISTED {
            split(&self.people)
        } else {
            (self.people.iter().collect(), Vec::new(), Vec::new())
        };
        html! {
            section id=(self.id) {
                h2 { (self.title) }
                @if !listed.is_empty() { (table(&listed, report, &shared)) }
                @for group in &groups { (group_text(group, &shared)) }
                @if !folded.is_empty() {
                    details.group {
                        summary { "other changes " strong { (folded.len()) " people" } }
                        (table(&folded, report, &shared))
                    }
                }
            }
        }
    }
}

type SameChange<'p, 'r> = Vec<&'p ChangedPerson<'r>>;

/// Splits people into those to list individually, groups of more than [`MOST_LISTED`] people, and the remaining people if there
/// are too many to list. The first pass groups people with the same values, source lines, and audit log entries. The second pass
/// groups everyone else by values only.
fn split<'p, 'r>(
    people: &'p [ChangedPerson<'r>],
) -> (SameChange<'p, 'r>, Vec<SameChange<'p, 'r>>, SameChange<'p, 'r>) {
    let is_large = |group: &SameChange<'_, '_>| group.len() > MOST_LISTED;
    let by_lines = transitions::groups(people, true);
    let (mut groups, small): (Vec<_>, Vec<_>) = by_lines.into_iter().partition(is_large);
    let by_values = transitions::groups(small.into_iter().flatten(), false);
    let (large, small): (Vec<_>, Vec<_>) = by_values.into_iter().partition(is_large);
    groups.extend(large);
    groups.sort_by_key(|group| Reverse(group.len()));
    let (guarded, others): (SameChange<'_, '_>, SameChange<'_, '_>) =
        small.into_iter().flatten().partition(|person| !person.guarded_roles.is_empty());
    if others.len() > MOST_LISTED {
        (guarded, groups, others)
    } else {
        (guarded.into_iter().chain(others).collect(), groups, Vec::new())
    }
}

/// Renders one row per edit, with one `<tbody>` per person.
fn table(people: &[&ChangedPerson<'_>], report: &PlanReport, shared: &[Shared]) -> Markup {
    let has_guarded_roles = people.iter().any(|person| !person.guarded_roles.is_empty());
    html! {
        table.changes {
            thead {
                tr {
                    th { "Who" }
                    @if has_guarded_roles { th { "Guarded role" } }
                    @if report.result.is_some() { th { "Outcome" } }
                    th { "What" } th { "Where" }
                    @if report.audit_log.is_some() { th { "Last change" } }
                }
            }
            @for person in people { (rows(person, shared, has_guarded_roles, report.audit_log.is_some())) }
        }
    }
}

fn rows(person: &ChangedPerson<'_>, shared: &[Shared], has_guarded_roles: bool, is_blamed: bool) -> Markup {
    let ChangedPerson { change, guarded_roles } = person;
    let ChangeLine { email: _, person: _, edits, outcome, location: _ } = change;
    html! {
        tbody {
            @for (number, edit) in edits.iter().enumerate() {
                tr {
                    @if number == 0 {
                        td.who rowspan=(edits.len()) { (who(change)) }
                        @if has_guarded_roles {
                            td.attention rowspan=(edits.len()) {
                                @for line in guarded_roles {
                                    p { (line.verb()) " " (short(&line.role)) }
                                }
                            }
                        }
                        @if let Some(outcome) = outcome {
                            @let class = if outcome.applied { "good" } else { "bad" };
                            td.outcome.(class) rowspan=(edits.len()) { (prose(words::outcome_of_one(outcome, shared))) }
                        }
                    }
                    td.what { (edit_text(edit)) }
                    td.where { (where_text(edit)) }
                    @if is_blamed { td.quiet { @if let Some(blame) = &edit.blame { (words::blame(blame)) } } }
                }
            }
        }
    }
}

/// Renders people with the same values as a single, expandable line. Anything that differs is shown next to each name.
fn group_text(group: &[&ChangedPerson<'_>], shared: &[Shared]) -> Markup {
    let Some(first) = group.first() else { return html! {} };
    let ChangeLine { edits, outcome, .. } = first.change;
    let is_same = |known: fn(&EditLine) -> String| {
        let of = |person: &ChangedPerson<'_>| person.change.edits.iter().map(known).collect::<Vec<_>>();
        group.iter().all(|person| of(person) == of(first))
    };
    let has_one_line = is_same(|edit| edit.location.to_string());
    let has_one_blame = is_same(|edit| edit.blame.as_ref().map(words::blame).unwrap_or_default());
    html! {
        details.group {
            summary {
                @for edit in edits {
                    span.part {
                        (edit_text(edit))
                        @if has_one_line { " " (where_text(edit)) } @else { span.quiet { (words::why(edit)) ", from several lines" } }
                        @if has_one_blame && let Some(blame) = &edit.blame { span.quiet { ", " (words::blame(blame)) } }
                    }
                }
                strong { (group.len()) " people" }
                @if let Some(outcome) = outcome { " " span.quiet { (prose(words::outcome_of_one(outcome, shared))) } }
            }
            ul.people {
                @for person in group {
                    li {
                        (who(person.change))
                        @for edit in &person.change.edits {
                            @if !has_one_line { " " (place(&edit.location)) }
                            @if !has_one_blame && let Some(blame) = &edit.blame { " " span.quiet { (words::blame(blame)) } }
                        }
                    }
                }
            }
        }
    }
}

fn who(change: &ChangeLine) -> Markup {
    let PersonLine { id: _, name, primary_email } = &change.person;
    html! {
        span.name { (short(name)) } " "
        span.email { (words::full_address(&change.email)) }
        @if let Some(primary) = primary_email { " " span.quiet { "in Pylon: " (words::full_address(primary)) } }
    }
}

fn where_text(edit: &EditLine) -> Markup {
    html! { (place(&edit.location)) span.quiet { (words::why(edit)) } }
}

fn edit_text(edit: &EditLine) -> Markup {
    let EditLine { field, from: _, to: _, through_scim, location: _, origin: _, blame: _, cause: _ } = edit;
    let (from, to) = edit.short_values(LONGEST);
    let from: Vec<&str> = from.iter().map(Printable::as_str).collect();
    html! {
        span.field { (field) } " "
        @if from.is_empty() { span.quiet { "none" } } @else { del { (from.join(", ")) } }
        " → " ins { (to.as_str()) }
        @if !through_scim.is_empty() {
            span.quiet { ", has " (through_scim.iter().map(short).collect::<Vec<_>>().join(", ")) " through SCIM" }
        }
    }
}
