//! The HTML report of `compare`.

use maud::{Markup, html};

use super::{diff, page, place, short, timeline};
use crate::comparison::{ComparedSubject, ComparedValue, DifferenceEntry, ItemLine, Kind};
use crate::report::facts::comparison::ComparisonReport;
use crate::report::tables::Mark;
use crate::report::{toml_diff, words};

pub(super) fn write(command: &str, report: &ComparisonReport) -> String {
    let ComparisonReport { old, new, declared, summary, differences, now, windows } = report;
    let mark = if differences.is_empty() { Mark::Good } else { Mark::Attention };
    let inside = html! {
        p.about { (words::change(&short(old), &short(new))) ", " (declared) " declared" }
        @if !differences.is_empty() { ul.counts { @for part in words::comparison(report) { li { (part) } } } }
        @if summary.sensitive { p.attention { "Review the marked rows first: " (words::SENSITIVE) "." } }
        @if !differences.is_empty() {
            table.differences {
                thead { tr { th { "What" } th { "Key" } th { "Before" } th { "After" } th { "Where" } } }
                @for entry in differences { (rows(entry)) }
            }
        }
        @if !windows.is_empty() { section { h2 { "Windows of these people" } (timeline::draw(windows, *now)) } }
        (diff(&toml_diff::comparison(report)))
    };
    page(command, mark, &words::differing(report), &inside)
}

fn rows(entry: &DifferenceEntry) -> Markup {
    let DifferenceEntry { subject, kind, items, keeps: _, keeps_guarded: _ } = entry;
    let note = match (subject, kind) {
        (ComparedSubject::Person { .. }, Kind::Added) => "newly declared",
        (ComparedSubject::Person { .. }, Kind::Removed) => "no longer declared: not changed in Pylon",
        _ => "",
    };
    let name = html! {
        (words::subject(subject).short(super::LONGEST).as_str()) " " span.quiet { (note) }
    };
    html! {
        tbody {
            @if items.is_empty() { tr { td { (name) } td {} td {} td {} td {} } }
            @for (number, item) in items.iter().enumerate() {
                @let ItemLine { key, old, new, sensitive, unresolved, unwritten: _ } = item;
                @let [old_value, new_value] = words::declared_values(item, 400);
                tr.sensitive[*sensitive] {
                    td { @if number == 0 { (name) } }
                    td { span.field { (short(key)) } @if *unresolved { " (" (words::UNRESOLVED) ")" } }
                    td { @if let Some(value) = old_value { del { (value) (origin(old.as_ref())) } } }
                    td { @if let Some(value) = new_value { ins { (value) (origin(new.as_ref())) } } }
                    td { @if let Some(location) = new.as_ref().or(old.as_ref()).and_then(|said| said.location.as_ref()) { (place(location)) } }
                }
            }
        }
    }
}

fn origin(declared: Option<&ComparedValue>) -> &'static str {
    match declared {
        Some(ComparedValue { location: None, .. }) => " (by default)",
        Some(ComparedValue { from_defaults: true, .. }) => " (from [defaults])",
        _ => "",
    }
}
