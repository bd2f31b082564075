//! The journals of a config, which `rollback` lists.

use std::path::Path;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::apply::journal::{Ending, JournalLine};
use crate::clock::minute;
use crate::printable::Printable;
use crate::regular::Unreadable;
use crate::report::tables::{Mark, Row, Table, TableReport, cell};
use crate::report::words;

/// `rollback` without a journal: the journals of the config.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct JournalsReport {
    /// The list is sorted by time, newest first.
    pub journals: Vec<JournalEntry>,
    /// How many older journals are not listed.
    pub older: usize,
    /// The command that undoes the newest apply. `None` if there are no journals.
    pub undo: Option<String>,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct JournalEntry {
    /// The path, as `rollback` takes it.
    pub journal: Printable,
    /// When the run began. This and the next five keys are `null` if the journal has no valid first line.
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
    /// `apply` or `rollback`.
    pub command: Option<Printable>,
    /// The login name of the person who ran it. `null` if the environment had no name.
    pub user: Option<Printable>,
    pub organization: Option<Printable>,
    /// `us`, `eu`, `sandbox`, or the host.
    pub host: Option<Printable>,
    /// How many people the plan changed.
    pub changes: Option<usize>,
    pub state: JournalState,
    /// How many changes are not applied. 0 if the journal has no end.
    pub not_applied: usize,
    /// Why the journal cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// How the run of a journal ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JournalState {
    /// Every change was attempted.
    Finished,
    /// The run was stopped before every change was attempted.
    Stopped,
    /// The journal has no end, and its run is still running on this machine.
    Running,
    /// The journal has no end. The run was killed, or it is running on another machine.
    Unfinished,
    /// The file cannot be read, or is not a journal.
    Unreadable,
}

impl JournalEntry {
    /// Describes the journal at `path`, which has these lines. `is_running` says whether its run was still running before they were read.
    pub fn new(path: &Path, lines: Result<&[JournalLine], &Unreadable>, is_running: bool) -> Self {
        let unreadable = Self {
            journal: Printable::new(&path.to_string_lossy()),
            at: None,
            command: None,
            user: None,
            organization: None,
            host: None,
            changes: None,
            state: JournalState::Unreadable,
            not_applied: 0,
            problem: None,
        };
        let lines = match lines {
            Ok(lines) => lines,
            Err(why) => return Self { problem: Some(why.to_string()), ..unreadable },
        };
        let Some(JournalLine::Begin { version: _, at, command, organization, host, changes, user }) =
            lines.first()
        else {
            return Self { problem: Some("it has no valid first line".into()), ..unreadable };
        };
        let (state, not_applied) = match Ending::of(lines) {
            Ending::Unfinished if is_running => (JournalState::Running, 0),
            Ending::Unfinished => (JournalState::Unfinished, 0),
            Ending::Stopped(_) => (JournalState::Stopped, 0),
            Ending::Finished { at: _, left } => (JournalState::Finished, left.len()),
        };
        Self {
            at: Some(*at),
            command: Some(Printable::new(command)),
            user: user.as_deref().map(Printable::new),
            organization: Some(Printable::new(organization)),
            host: Some(Printable::new(host)),
            changes: Some(*changes),
            state,
            not_applied,
            ..unreadable
        }
    }

    fn row(&self) -> Row {
        let Self { journal, at, command, user, organization: _, host, changes, state, not_applied, problem } =
            self;
        let (mark, result) = match (state, not_applied) {
            (JournalState::Finished, 0) => (Mark::Good, "finished".to_owned()),
            (JournalState::Finished, left) => (Mark::Attention, format!("{left} not applied")),
            (JournalState::Stopped, _) => (Mark::Attention, "stopped early".into()),
            (JournalState::Running, _) => (Mark::Plain, "still running".into()),
            (JournalState::Unfinished, _) => (Mark::Attention, "did not finish".into()),
            (JournalState::Unreadable, _) => (Mark::Bad, "unreadable".into()),
        };
        let text = |text: &Option<Printable>| {
            text.as_ref().map_or_else(|| Printable::new("-"), |text| text.short(20))
        };
        let row = Row::new(
            mark,
            [
                Printable::new(&at.map_or_else(|| "-".into(), minute)),
                text(command),
                text(user),
                text(host),
                Printable::new(&changes.map_or_else(|| "-".into(), |changes| changes.to_string())),
                Printable::new(&result),
            ],
        );
        let row = Row { path: Some(cell(journal)), ..row };
        problem.iter().fold(row, |row, problem| row.note(problem.clone()))
    }
}

impl JournalsReport {
    pub fn tables(&self) -> TableReport {
        let Self { journals, older, undo } = self;
        let verdict = match undo {
            None => "no journals in .rolecall/journal/ next to the config; pipelines keep theirs in the file that --journal names".into(),
            Some(undo) => {
                let older = if *older > 0 { format!(" · {older} older") } else { String::new() };
                let is_rollback = |entry: &JournalEntry| entry.command.as_ref().is_some_and(|command| command.raw() == "rollback");
                let newest = if journals.first().is_some_and(is_rollback) {
                    "the newest is a rollback; to undo it, which makes the changes again"
                } else {
                    "to undo the newest"
                };
                let count = words::count(journals.len(), "journal", "journals");
                format!("{count}{older} · {newest}: `{undo}`")
            }
        };
        TableReport {
            about: Vec::new(),
            verdict,
            mark: Mark::Plain,
            tables: vec![Table {
                title: None,
                columns: vec!["begun", "command", "by", "host", "people", "result"],
                rows: journals.iter().map(JournalEntry::row).collect(),
            }],
        }
    }
}
