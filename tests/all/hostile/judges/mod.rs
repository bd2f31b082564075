//! Judges: each format is given to a parser of its kind, which must find our own words and structure and nothing else.
//!
//! A judge that never objects is no judge: each has a test in which it does.

use std::collections::BTreeSet;

use memchr::memmem;
use rolecall::report::Format;

pub(super) mod json;
pub(super) mod markdown;
pub(super) mod page;
pub(super) mod runner;
pub(super) mod terminal;

/// What a reader of the report sees of it.
#[derive(Debug, Default)]
pub(super) struct Seen {
    text: String,
    /// Where only a whole counts.
    wholes: BTreeSet<String>,
}

impl Seen {
    fn of(text: String) -> Self {
        Self { text, wholes: BTreeSet::new() }
    }

    /// The same without what a layout puts between words.
    pub(super) fn unwrapped(&self) -> Self {
        Self { text: unwrapped(&self.text), wholes: self.wholes.clone() }
    }

    pub(super) fn has(&self, text: &str) -> bool {
        text.is_empty() || holds(&self.text, text) || self.wholes.contains(text)
    }
}

/// Whether a text holds another, found fast in a build that is not optimized.
pub(super) fn holds(text: &str, other: &str) -> bool {
    memmem::find(text.as_bytes(), other.as_bytes()).is_some()
}

/// A text without white space, and without the bar that stands before a sentence that goes on.
pub(super) fn unwrapped(text: &str) -> String {
    text.chars().filter(|char| !char.is_whitespace() && *char != '│').collect()
}

/// The format's own judge, and that of a job's log, since any of them may be printed in one.
pub(super) fn judge(format: Format, report: &str) -> Result<Seen, String> {
    let seen = match format {
        Format::Text => terminal::judge(report)?,
        Format::Markdown => markdown::judge(report)?,
        Format::Github => return runner::judge(report),
        Format::Html => page::judge(report)?,
        Format::Json => json::judge(report)?,
    };
    match runner::commands(report).first() {
        Some(command) => Err(format!("a job's log takes this for a command: {command:?}")),
        None => Ok(seen),
    }
}
