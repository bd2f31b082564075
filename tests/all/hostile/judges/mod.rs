//! Judges parse the reports in each format. They must find nothing but our own words and structure.
//!
//! Each judge has a test that makes it reject a report.

use std::collections::BTreeSet;

use memchr::memmem;
use rolecall::report::Format;

pub(super) mod csv;
pub(super) mod json;
pub(super) mod markdown;
pub(super) mod page;
pub(super) mod runner;
pub(super) mod terminal;

/// The content of a report as its readers see it.
#[derive(Debug, Default)]
pub(super) struct Seen {
    text: String,
    /// Strings that must match completely.
    wholes: BTreeSet<String>,
}

impl Seen {
    fn of(text: String) -> Self {
        Self { text, wholes: BTreeSet::new() }
    }

    /// Returns the same content without the whitespace that a layout inserts between words.
    pub(super) fn unwrapped(&self) -> Self {
        Self { text: unwrapped(&self.text), wholes: self.wholes.clone() }
    }

    pub(super) fn has(&self, text: &str) -> bool {
        text.is_empty() || holds(&self.text, text) || self.wholes.contains(text)
    }
}

/// Returns `true` if `text` contains `other`. This is fast even in debug builds.
pub(super) fn holds(text: &str, other: &str) -> bool {
    memmem::find(text.as_bytes(), other.as_bytes()).is_some()
}

/// Strips whitespace and the bar before continued sentences.
pub(super) fn unwrapped(text: &str) -> String {
    text.chars().filter(|char| !char.is_whitespace() && *char != '│').collect()
}

/// Checks a report in its format and as a job's log because any format may be printed there.
pub(super) fn judge(format: Format, report: &str) -> Result<Seen, String> {
    let seen = match format {
        Format::Text => terminal::judge(report)?,
        Format::Markdown => markdown::judge(report)?,
        Format::Github => return runner::judge(report),
        Format::Html => page::judge(report)?,
        Format::Json => json::judge(report)?,
        Format::Csv => csv::judge(report)?,
    };
    match runner::commands(report).first() {
        Some(command) => Err(format!("a job's log takes this for a command: {command:?}")),
        None => Ok(seen),
    }
}
