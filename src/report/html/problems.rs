//! Renders the problems of a failed run or the warnings about valid files as HTML.

use maud::{Markup, html};

use super::prose;
use crate::problem::Problems;
use crate::report::diagnostic::{Letter, MOST, SourceLine};

pub(super) fn write(problems: &Problems) -> Markup {
    let Problems { sources, list } = problems;
    html! {
        @for problem in list.iter().take(MOST) { (section(&Letter::new(problem, sources, None))) }
        @if list.len() > MOST { p.quiet { "Only the first " (MOST) " are shown." } }
    }
}

fn section(letter: &Letter<'_>) -> Markup {
    let Letter { problem, lines } = letter;
    html! {
        section.problem {
            h2 { (prose(&letter.to_string())) }
            @for line in lines { (excerpt(line)) }
            @if let Some(advice) = letter.advice() { p { (prose(advice.as_str())) } }
            p.quiet { code { (problem.code) } }
        }
    }
}

/// Renders a source line, with its location above it and the label below it.
fn excerpt(line: &SourceLine) -> Markup {
    let SourceLine { file, text, marked, label, number, column } = line;
    html! {
        p.place { (file) ":" (number) ":" (column) }
        pre { (text[..marked.start]) mark { (text[marked.clone()]) } (text[marked.end..]) }
        @if !label.is_empty() { p.bad { (prose(label)) } }
    }
}
