//! The page about a diagnostic code, as printed by `explain CODE`.
//!
//! The text comes from docs/diagnostics.md, which is compiled into the binary. A test makes sure every code has an entry.

use schemars::JsonSchema;
use serde::Serialize;

use crate::printable::Printable;
use crate::report::tables::{Mark, Row, Table, TableReport};

const DIAGNOSTICS: &str = include_str!("../../../docs/diagnostics.md");

/// `explain CODE`: the meaning of a code and how to resolve the problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DiagnosticPage {
    pub code: String,
    pub what_happened: String,
    pub what_to_do: String,
    /// A section with further details, if there is one.
    pub details: Option<DiagnosticDetails>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DiagnosticDetails {
    pub title: String,
    /// Each line is a paragraph or a list item.
    pub text: String,
}

impl DiagnosticPage {
    /// Returns the page for a code, or `None` if there is no such code.
    pub fn for_code(code: &str) -> Option<Self> {
        let start = format!("| `{code}` | ");
        let row = DIAGNOSTICS.lines().find_map(|line| line.strip_prefix(&start)?.strip_suffix(" |"))?;
        let (what_happened, what_to_do) = row.split_once(" | ")?;
        let anchor = what_to_do.split_once("](#").and_then(|(_, rest)| rest.split_once(')'));
        Some(Self {
            code: code.to_owned(),
            what_happened: without_links(what_happened),
            what_to_do: without_links(what_to_do),
            details: anchor.and_then(|(anchor, _)| DiagnosticDetails::at(anchor)),
        })
    }

    pub fn tables(&self) -> TableReport {
        let Self { code, what_happened, what_to_do, details } = self;
        let row = |title: &str, text: &str| Row::new(Mark::Plain, [Printable::new(title)]).note(text);
        let mut rows = vec![row("What happened", what_happened), row("What to do", what_to_do)];
        rows.extend(details.iter().map(|details| row(&details.title, &details.text)));
        TableReport {
            about: vec![Printable::new(code)],
            verdict: "docs/diagnostics.md lists all codes".into(),
            mark: Mark::Plain,
            tables: vec![Table::new(None, &[], rows)],
        }
    }
}

impl DiagnosticDetails {
    /// Returns the section of docs/diagnostics.md with the given anchor, or `None` if the page has no such section.
    fn at(anchor: &str) -> Option<Self> {
        let sections = DIAGNOSTICS.split("\n### ").skip(1).filter_map(|section| section.split_once('\n'));
        let is_named = |title: &str| title.to_lowercase().replace(' ', "-") == anchor;
        let (title, rest) = sections.into_iter().find(|(title, _)| is_named(title))?;
        let text = rest.split("\n## ").next().unwrap_or(rest);
        let mut lines: Vec<String> = Vec::new();
        let mut continues = false;
        for line in text.lines() {
            match lines.last_mut() {
                _ if line.is_empty() => {}
                Some(last) if continues && !line.starts_with('*') => {
                    *last += &format!(" {}", line.trim_start());
                }
                _ => lines.push(line.to_owned()),
            }
            continues = !line.is_empty();
        }
        Some(Self { title: title.to_owned(), text: without_links(&lines.join("\n")) })
    }
}

/// Replaces each markdown link with its text. If the link leads to another page, adds the path in parentheses.
fn without_links(markdown: &str) -> String {
    let mut text = String::new();
    let mut rest = markdown;
    while let Some((before, after)) = rest.split_once('[') {
        text += before;
        if let Some((name, link)) = after.split_once("](")
            && !name.contains('`')
            && let Some((target, behind)) = link.split_once(')')
        {
            text += name;
            if !target.starts_with('#') {
                text += &format!(" (docs/{target})");
            }
            rest = behind;
        } else {
            text.push('[');
            rest = after;
        }
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::commands::diagnostic_codes;

    #[test]
    fn every_code_has_a_page_in_plain_text() {
        for code in diagnostic_codes() {
            let page = DiagnosticPage::for_code(code).unwrap_or_else(|| panic!("{code} has no page"));
            let details = page.details.as_ref().map(|details| details.text.clone()).unwrap_or_default();
            let text = [page.what_happened, page.what_to_do, details].join(" ");
            assert!(!text.contains("](") && !text.contains(" | "), "{code}: {text}");
        }
        assert_eq!(DiagnosticPage::for_code("roster::nothing"), None);
    }

    #[test]
    fn a_page_has_the_section_that_it_links_to() {
        let page = DiagnosticPage::for_code("roster::syntax").unwrap();
        assert_eq!(page.what_to_do, "Write what the help shows. See Invalid TOML.");
        let details = page.details.unwrap();
        assert_eq!(details.title, "Invalid TOML");
        let lines: Vec<&str> = details.text.lines().collect();
        assert_eq!(lines.len(), 9, "{}", details.text);
        assert!(lines[8].contains("A file in JSON, YAML, or CSV "), "{}", lines[8]);
        let other = DiagnosticPage::for_code("pylon::bad_certificate").unwrap();
        assert!(
            other.what_to_do.ends_with("Proxies and certificates (docs/ci.md#proxies-and-certificates).")
        );
    }
}
