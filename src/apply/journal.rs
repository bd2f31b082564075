//! The journal of an apply (a write-ahead log): each change, written to disk before it is sent, and its outcome.
//!
//! It has one JSON object per line. The intent of a `PATCH` is on disk before the `PATCH` is sent. The journal is for audits
//! and for [`super::rollback`], but not for resuming an apply: the next run reads Pylon and plans again. A killed apply can
//! leave an incomplete last line. [`read`] skips it and returns the others.

use std::fs::File;
use std::io::Write;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::outcome::{Finished, OutcomeKind};
use crate::plan::Change;
use crate::plan::saved::Operation;
use crate::pylon::Failure;

/// The largest journal that is read, in bytes. A million changes take about 600 MB.
pub const LARGEST: u64 = 1024 * 1024 * 1024;

/// The version of the format. Journals with another version are refused.
pub const VERSION: u32 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub enum JournalLine {
    Begin {
        version: u32,
        at: Timestamp,
        /// Contains `apply` or `rollback`.
        #[serde(default = "apply")]
        command: String,
        organization: String,
        /// `us`, `eu`, `sandbox`, or the host.
        host: String,
        /// How many people the plan changes.
        changes: usize,
        /// The login name of the person who ran it. `None` if the environment has no name.
        #[serde(default)]
        user: Option<String>,
    },
    /// A `PATCH` is about to be sent.
    Intent {
        at: Timestamp,
        /// The number of the request, which its answer repeats. Reads are counted too, but have no lines here.
        number: u64,
        /// The values to send, and the values before.
        operation: Operation,
    },
    /// A `PATCH` was answered, or got no answer.
    Answer {
        at: Timestamp,
        /// The number of the intent that it belongs to.
        number: u64,
        /// How it failed; `None` if it succeeded.
        failure: Option<String>,
        /// The ID under which Pylon's support finds the request.
        request_id: Option<String>,
    },
    Outcome {
        at: Timestamp,
        operation: Operation,
        /// Contains the name of an [`super::OutcomeKind`].
        outcome: String,
    },
    End {
        at: Timestamp,
        /// Whether the apply was stopped before every change was attempted.
        stopped: bool,
    },
}

fn apply() -> String {
    "apply".into()
}

/// A journal that is being written.
#[derive(Debug)]
pub struct Journal {
    file: File,
}

impl Journal {
    /// Writes the first line, a [`JournalLine::Begin`], into a file that is open for appending.
    ///
    /// # Errors
    /// The file cannot be written; then nothing has been sent.
    pub fn begin(file: File, begin: JournalLine) -> std::io::Result<Self> {
        let mut journal = Self { file };
        journal.write(&[begin])?;
        Ok(journal)
    }

    /// Notes that these writes are about to be sent, each with the number of its request. None of them may be sent unless this
    /// succeeds. One sync covers all of them: at high rates, one sync per write would take longer than the writes.
    ///
    /// # Errors
    /// The lines could not be written to disk.
    pub fn intents<'c>(
        &mut self,
        at: Timestamp,
        writes: impl Iterator<Item = (u64, &'c Change)>,
    ) -> std::io::Result<()> {
        let line = |(number, change)| JournalLine::Intent { at, number, operation: Operation::new(change) };
        self.write(&writes.map(line).collect::<Vec<_>>())
    }

    /// Notes that a write was answered, or got no answer.
    ///
    /// # Errors
    /// The line could not be written.
    pub fn answer(&mut self, at: Timestamp, number: u64, failure: Option<&Failure>) -> std::io::Result<()> {
        let request_id = failure.and_then(|failure| failure.request_id.clone());
        // No sync is needed: a read can find out whether the write was applied, and the last line is synced.
        self.append(&[JournalLine::Answer { at, number, failure: failure.map(Failure::line), request_id }])
    }

    /// Notes the outcomes of `changes`, and that the apply has ended.
    ///
    /// # Errors
    /// The lines could not be written to disk.
    pub fn end(&mut self, at: Timestamp, changes: &[Change], finished: &Finished) -> std::io::Result<()> {
        let Finished { outcomes, stopped, not_read_back: _ } = finished;
        let outcomes = changes.iter().zip(outcomes).map(|(change, outcome)| JournalLine::Outcome {
            at,
            operation: Operation::new(change),
            outcome: outcome.as_str().to_owned(),
        });
        let lines: Vec<JournalLine> =
            outcomes.chain([JournalLine::End { at, stopped: stopped.is_some() }]).collect();
        self.write(&lines)
    }

    fn write(&mut self, lines: &[JournalLine]) -> std::io::Result<()> {
        self.append(lines)?;
        match self.file.sync_data() {
            // A pipe or a device cannot be synced.
            Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => Ok(()),
            done => done,
        }
    }

    fn append(&mut self, lines: &[JournalLine]) -> std::io::Result<()> {
        let mut text = String::new();
        for line in lines {
            text += &serde_json::to_string(line)?;
            text.push('\n');
        }
        self.file.write_all(text.as_bytes()) // one call, so that two lines never mix
    }
}

/// How a run ended, according to its journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The journal has no end. The run was killed, or it is still running.
    Unfinished,
    /// The run was stopped before every change was attempted.
    Stopped(Timestamp),
    /// Every change was attempted. `left` has the outcomes that are not applied.
    Finished { at: Timestamp, left: Vec<OutcomeKind> },
}

impl Ending {
    /// Finds the end in the lines of a journal. An outcome with an unknown name counts as `unknown`.
    pub fn of(lines: &[JournalLine]) -> Self {
        let mut left = Vec::new();
        let mut end = None;
        for line in lines {
            match line {
                JournalLine::Outcome { outcome, .. } => {
                    left.push(OutcomeKind::named(outcome).unwrap_or(OutcomeKind::Unknown));
                }
                JournalLine::End { at, stopped } => end = Some((*at, *stopped)),
                JournalLine::Begin { .. } | JournalLine::Intent { .. } | JournalLine::Answer { .. } => {}
            }
        }
        left.retain(|kind| !kind.is_in_sync());
        match end {
            None => Self::Unfinished,
            Some((at, true)) => Self::Stopped(at),
            Some((at, false)) => Self::Finished { at, left },
        }
    }
}

/// Returns the lines that can be read, and how many cannot.
pub fn read(text: &str) -> (Vec<JournalLine>, usize) {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let (readable, damaged): (Vec<_>, Vec<_>) =
        lines.map(serde_json::from_str::<JournalLine>).partition(Result::is_ok);
    (readable.into_iter().flatten().collect(), damaged.len())
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn an_incomplete_line_does_not_hide_the_others() {
        let begin = r#"{"line":"begin","version":1,"at":"2026-11-20T08:00:00Z","organization":"org_1","host":"us","changes":2}"#;
        let answer =
            r#"{"line":"answer","at":"2026-11-20T08:00:01Z","number":1,"failure":null,"request_id":null}"#;
        let (lines, damaged) =
            read(&format!("{begin}\n{{\"line\":\"int\nrubbish\n\n{answer}\n{}", &answer[..20]));
        assert_eq!(damaged, 3);
        assert_eq!(lines.len(), 2);
        assert!(matches!(&lines[0], JournalLine::Begin { changes: 2, .. }));
        assert!(matches!(&lines[1], JournalLine::Answer { number: 1, failure: None, .. }));
    }
}
