//! The journal of an apply: a write-ahead log of every change and its outcome.
//!
//! The journal is a JSON Lines file. The intent of each `PATCH` is on disk before the request is sent. Journals are used for
//! audits and by [`super::rollback`]. An apply never resumes from one, because the next run reads Pylon and makes a new plan. A
//! killed apply can leave an incomplete last line, which [`read`] skips.

use std::fs::File;
use std::io::Write;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::outcome::{Finished, OutcomeKind};
use crate::plan::Change;
use crate::plan::saved::Operation;
use crate::pylon::Failure;

/// The maximum size of a journal that rolecall reads, in bytes. A million changes take up about 600 MB.
pub const LARGEST: u64 = 1024 * 1024 * 1024;

/// The format version of journals. A rollback accepts no other version.
pub const VERSION: u32 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub enum JournalLine {
    Begin {
        version: u32,
        at: Timestamp,
        /// The command that ran: `apply` or `rollback`.
        #[serde(default = "apply")]
        command: String,
        organization: String,
        /// The Pylon host: `us`, `eu`, `sandbox`, or the host name of another base URL.
        host: String,
        /// The number of people affected by the plan.
        changes: usize,
        /// The name of the user who triggered the pipeline or, outside of pipelines, the login name. `None` if no environment
        /// variable provides it.
        #[serde(default)]
        user: Option<String>,
        /// The journal that a rollback undoes, as given on the command line. `None` for an apply.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        undoes: Option<String>,
    },
    /// A `PATCH` is about to be sent.
    Intent {
        at: Timestamp,
        /// The request number, repeated in the matching answer. Some numbers are missing from the journal because reads are
        /// numbered too, but not recorded.
        number: u64,
        /// The values to send, along with the old values.
        operation: Operation,
    },
    /// A `PATCH` has been answered or has failed without a response.
    Answer {
        at: Timestamp,
        /// The number of the matching intent.
        number: u64,
        /// The failure, or `None` if the request succeeded.
        failure: Option<String>,
        /// The request ID to give to Pylon's support. Only failures have one.
        request_id: Option<String>,
    },
    Outcome {
        at: Timestamp,
        operation: Operation,
        /// The name of the [`super::OutcomeKind`]. The failure, if any, isn't recorded here.
        outcome: String,
    },
    End {
        at: Timestamp,
        /// Whether the apply ended early, before all changes were attempted or read back.
        stopped: bool,
    },
}

fn apply() -> String {
    "apply".into()
}

/// A journal that is open for writing.
#[derive(Debug)]
pub struct Journal {
    file: File,
    /// Whether the last write failed, and may have left an incomplete line.
    is_torn: bool,
}

impl Journal {
    /// Writes the first line, a [`JournalLine::Begin`], to a file opened for appending.
    ///
    /// # Errors
    /// Returns an error if the file cannot be written, in which case no change has been sent.
    pub fn begin(file: File, begin: JournalLine) -> std::io::Result<Self> {
        let mut journal = Self { file, is_torn: false };
        journal.write(&[begin])?;
        Ok(journal)
    }

    /// Records that `writes` are about to be sent, each with its request number. If this fails, the caller must not send any of
    /// them. A single disk sync covers all intents. At high rates, syncing each intent would take longer than sending the
    /// write.
    ///
    /// # Errors
    /// Returns an error if the lines could not be written to disk.
    pub fn intents<'c>(
        &mut self,
        at: Timestamp,
        writes: impl Iterator<Item = (u64, &'c Change)>,
    ) -> std::io::Result<()> {
        let line = |(number, change)| JournalLine::Intent { at, number, operation: Operation::new(change) };
        self.write(&writes.map(line).collect::<Vec<_>>())
    }

    /// Records the response to a write, or the lack of one.
    ///
    /// # Errors
    /// Returns an error if the line could not be written.
    pub fn answer(&mut self, at: Timestamp, number: u64, failure: Option<&Failure>) -> std::io::Result<()> {
        let request_id = failure.and_then(|failure| failure.request_id.clone());
        // No sync is needed: reading the user back shows whether the write was applied, and `end` syncs the file anyway.
        self.append(&[JournalLine::Answer { at, number, failure: failure.map(Failure::line), request_id }])
    }

    /// Records the outcome of every change and the end of the apply.
    ///
    /// # Errors
    /// Returns an error if the lines could not be written to disk.
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
            // Pipes and devices don't support syncing.
            Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => Ok(()),
            done => done,
        }
    }

    fn append(&mut self, lines: &[JournalLine]) -> std::io::Result<()> {
        // After an incomplete line, start with a line break. Otherwise, the first new line would continue the incomplete one
        // and be unreadable.
        let mut text = if self.is_torn { "\n".to_owned() } else { String::new() };
        for line in lines {
            text += &serde_json::to_string(line)?;
            text.push('\n');
        }
        let written = self.file.write_all(text.as_bytes()); // a single call, so that concurrent writers' lines never interleave
        self.is_torn = written.is_err();
        written
    }
}

/// How a run ended, according to its journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The journal has no `end` line, usually because the run was killed or is still in progress.
    Unfinished,
    /// The run ended early, before all changes were attempted or read back.
    Stopped(Timestamp),
    /// The run ended without being stopped early. `left` lists all outcomes except `applied` and `already in sync`.
    Finished { at: Timestamp, left: Vec<OutcomeKind> },
}

impl Ending {
    /// Determines the ending from the lines of a journal. Outcomes with an unrecognized name count as `unknown`.
    pub fn from_lines(lines: &[JournalLine]) -> Self {
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

/// Decodes a journal's bytes as UTF-8. Invalid bytes, such as an incomplete character left behind by a killed run, become NUL.
/// Because NUL is invalid in JSON, [`read`] skips the lines that contain it.
pub fn decode(bytes: Vec<u8>) -> String {
    let decoded = |bytes: &[u8]| {
        let chunks = bytes.utf8_chunks();
        chunks.flat_map(|chunk| [chunk.valid(), if chunk.invalid().is_empty() { "" } else { "\0" }]).collect()
    };
    String::from_utf8(bytes).unwrap_or_else(|error| decoded(error.as_bytes()))
}

pub(super) fn other_version(version: u32) -> String {
    format!("it has format version {version}, but this version of rolecall reads {VERSION}")
}

/// Returns the reason this version of rolecall can't read the journal, or `None` if it can.
pub fn problem(lines: &[JournalLine]) -> Option<String> {
    match lines.first() {
        Some(JournalLine::Begin { version: VERSION, .. }) => None,
        Some(JournalLine::Begin { version, .. }) => Some(other_version(*version)),
        _ => Some("it has no valid first line".into()),
    }
}

/// Returns the readable lines of a journal and the number of unreadable lines.
pub fn read(text: &str) -> (Vec<JournalLine>, usize) {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let (readable, damaged): (Vec<_>, Vec<_>) =
        lines.map(serde_json::from_str::<JournalLine>).partition(Result::is_ok);
    (readable.into_iter().flatten().collect(), damaged.len())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek};

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

    #[test]
    fn a_line_after_a_failed_write_is_not_lost_with_the_incomplete_one() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"{\"line\":\"answer\",\"at\":\"2026").unwrap();
        let mut journal = Journal { file: file.try_clone().unwrap(), is_torn: true };
        let at = Timestamp::UNIX_EPOCH;
        for number in [1, 2] {
            journal.answer(at, number, None).unwrap();
        }
        let mut text = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut text).unwrap();
        let (lines, damaged) = read(&text);
        assert_eq!((lines.len(), damaged), (2, 1), "{text}");
    }

    #[test]
    fn a_line_that_is_not_utf_8_does_not_hide_the_others() {
        let begin = r#"{"line":"begin","version":1,"at":"2026-11-20T08:00:00Z","organization":"zoë","host":"us","changes":2}"#;
        assert_eq!(decode(begin.into()), begin);
        let second_byte = begin.find('ë').unwrap() + 1;
        let mut damaged = begin.as_bytes().to_vec();
        damaged.remove(second_byte);
        let torn = &begin.as_bytes()[..second_byte];
        let (lines, unreadable) = read(&decode([begin.as_bytes(), &damaged, torn].join(&b'\n')));
        assert_eq!((lines.len(), unreadable), (1, 2));
    }
}
