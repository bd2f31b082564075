//! Judges parse the reports of each format. They must find only our own words and structure.
//!
//! Each judge has a test in which it rejects a report.

use std::collections::BTreeSet;

use memchr::memmem;
use rolecall::report::Format;

pub(super) mod csv;
pub(super) mod json;
pub(super) mod markdown;
pub(super) mod page;
pub(super) mod runner;
pub(super) mod terminal;

/// What a reader of the report sees.
#[derive(Debug, Default)]
pub(super) struct Seen {
    text: String,
    /// Texts that must match as a whole.
    wholes: BTreeSet<String>,
}

impl Seen {
    fn of(text: String) -> Self {
        Self { text, wholes: BTreeSet::new() }
    }

    /// Returns the same texts without the white space that a layout inserts between words.
    pub(super) fn unwrapped(&self) -> Self {
        Self { text: unwrapped(&self.text), wholes: self.wholes.clone() }
    }

    pub(super) fn has(&self, text: &str) -> bool {
        text.is_empty() || holds(&self.text, text) || self.wholes.contains(text)
    }
}

/// Returns whether one text contains another. It is fast in debug builds too.
pub(super) fn holds(text: &str, other: &str) -> bool {
    memmem::find(text.as_bytes(), other.as_bytes()).is_some()
}

/// Returns a text without white space, and without the bar before continued sentences.
pub(super) fn unwrapped(text: &str) -> String {
    text.chars().filter(|char| !char.is_whitespace() && *char != '│').collect()
}

/// Checks a report as its format, and as a job's log, because any format may be printed there.
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
