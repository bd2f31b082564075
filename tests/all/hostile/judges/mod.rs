//! Each judge parses the reports in one format, and rejects any structure or effect that isn't rolecall's own.
//!
//! A test for each judge gives it a report that it must reject.

use std::collections::BTreeSet;

use memchr::memmem;
use rolecall::report::Format;

pub(super) mod csv;
pub(super) mod json;
pub(super) mod markdown;
pub(super) mod page;
pub(super) mod runner;
pub(super) mod terminal;

/// A report's content as seen by its readers.
#[derive(Debug, Default)]
pub(super) struct Seen {
    text: String,
    /// Complete strings, such as those in JSON. A text that isn't part of `text` must equal one of these strings.
    wholes: BTreeSet<String>,
}

impl Seen {
    fn of(text: String) -> Self {
        Self { text, wholes: BTreeSet::new() }
    }

    /// Returns the same content without whitespace and bars, so that line breaks inserted by the layout don't matter.
    pub(super) fn unwrapped(&self) -> Self {
        Self { text: unwrapped(&self.text), wholes: self.wholes.clone() }
    }

    pub(super) fn has(&self, text: &str) -> bool {
        text.is_empty() || holds(&self.text, text) || self.wholes.contains(text)
    }
}

/// Returns `true` if `text` contains `other`. The search is fast even in debug builds.
pub(super) fn holds(text: &str, other: &str) -> bool {
    memmem::find(text.as_bytes(), other.as_bytes()).is_some()
}

/// Removes all whitespace and every bar (`│`), which precedes the continuation of a sentence.
pub(super) fn unwrapped(text: &str) -> String {
    text.chars().filter(|char| !char.is_whitespace() && *char != '│').collect()
}

/// Checks a report in its own format and as a job's log, where any format can be printed.
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
