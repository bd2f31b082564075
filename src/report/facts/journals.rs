//! The journals of a config, as listed by `rollback`.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::apply::OutcomeKind;
use crate::apply::journal::{Ending, JournalLine, problem};
use crate::clock::minute;
use crate::printable::Printable;
use crate::regular::Unreadable;
use crate::report::tables::{Mark, Row, Table, TableReport, cell};
use crate::report::words;

/// `rollback` without a journal: the journals that belong to the config.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct JournalsReport {
    /// Sorted by time, newest first.
    pub journals: Vec<JournalEntry>,
    /// The number of older journals not listed.
    pub older: usize,
    /// The command to undo the newest run against the selected Pylon. `null` if there are no journals for this Pylon, or if the
    /// newest run is still active on this machine, or its journal cannot be read.
    pub undo: Option<String>,
    /// The command to continue the newest run against the selected Pylon if it is a rollback that left changes unapplied. `null`
    /// otherwise, or if the journal that it undoes is not found.
    pub resume: Option<String>,
    /// The newest journal for the selected Pylon. `None` if there are no journals for this Pylon. It can be older than all of
    /// `journals`.
    #[serde(skip)]
    pub last: Option<JournalEntry>,
}

#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct JournalEntry {
    /// The path, in the form that `rollback` accepts.
    pub journal: Printable,
    /// When the run started. Like `command`, `user`, `organization`, `host`, and `changes`, this is `null` if the first line of
    /// the journal is missing or invalid.
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
    /// `apply` or `rollback`.
    pub command: Option<Printable>,
    /// The path of the journal that a rollback undoes. `null` for an apply.
    pub undoes: Option<Printable>,
    /// The login name of the user who started the run. `null` if the environment did not provide one.
    pub user: Option<Printable>,
    pub organization: Option<Printable>,
    /// The Pylon that the run connected to: `us`, `eu`, `sandbox`, or the host.
    pub host: Option<Printable>,
    /// The number of people with changes in the plan.
    pub changes: Option<usize>,
    /// The number of people that the run changed. If the run did not finish, these are the changes that Pylon accepted. `null` if
    /// `changes` is.
    pub applied: Option<usize>,
    pub state: JournalState,
    /// The number of changes that a finished run did not apply. 0 if the run did not finish.
    pub not_applied: usize,
    /// Whether some of them might succeed if they are sent again.
    #[serde(skip)]
    pub is_resumable: bool,
    /// Whether a newer journal in the list is a rollback of this run that applied every change and was not rolled back itself.
    pub rolled_back: bool,
    /// The reason the journal cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// How the journaled run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JournalState {
    /// The run ended without being stopped early.
    Finished,
    /// The run ended early, before every change was attempted or read back.
    Stopped,
    /// The journal has no end record, and the run is still active on this machine.
    Running,
    /// The journal has no end record. Usually, the run was killed or is active on another machine.
    Unfinished,
    /// The file cannot be read or is not a journal.
    #[default]
    Unreadable,
}

impl JournalEntry {
    /// Summarizes the journal at `path` given its lines. `is_running` is `true` if the run was still active before the lines were
    /// read.
    pub fn new(path: &Path, lines: Result<&[JournalLine], &Unreadable>, is_running: bool) -> Self {
        let unreadable = Self { journal: Printable::new(&path.to_string_lossy()), ..Self::default() };
        let lines = match lines {
            Ok(lines) => lines,
            Err(why) => return Self { problem: Some(why.to_string()), ..unreadable },
        };
        let problem = problem(lines);
        let (
            Some(JournalLine::Begin { version: _, at, command, organization, host, changes, user, undoes }),
            None,
        ) = (lines.first(), &problem)
        else {
            return Self { problem, ..unreadable };
        };
        let (state, left) = match Ending::from_lines(lines) {
            Ending::Unfinished if is_running => (JournalState::Running, Vec::new()),
            Ending::Unfinished => (JournalState::Unfinished, Vec::new()),
            Ending::Stopped(_) => (JournalState::Stopped, Vec::new()),
            Ending::Finished { at: _, left } => (JournalState::Finished, left),
        };
        Self {
            at: Some(*at),
            command: Some(Printable::new(command)),
            undoes: undoes.as_deref().map(Printable::new),
            user: user.as_deref().map(Printable::new),
            organization: Some(Printable::new(organization)),
            host: Some(Printable::new(host)),
            changes: Some(*changes),
            applied: Some(applied(lines)),
            state,
            not_applied: left.len(),
            is_resumable: left.iter().any(|kind| kind.may_succeed_if_sent_again()),
            ..unreadable
        }
    }

    /// Returns `true` if `self` is a complete rollback of the run recorded in `other`.
    fn undoes_all_of(&self, other: &Self) -> bool {
        let file_name = |path: &Printable| Path::new(path.raw()).file_name().map(ToOwned::to_owned);
        let is_complete = self.state == JournalState::Finished && self.not_applied == 0;
        is_complete
            && self.undoes.as_ref().is_some_and(|undoes| file_name(undoes) == file_name(&other.journal))
    }

    /// Returns `true` if this is a rollback that left changes unapplied, isn't running, and can be continued. Undoing it would
    /// repeat changes that it was meant to undo.
    pub fn is_incomplete_rollback(&self) -> bool {
        let is_incomplete = match self.state {
            JournalState::Stopped | JournalState::Unfinished => true,
            JournalState::Finished => self.is_resumable,
            JournalState::Running | JournalState::Unreadable => false,
        };
        self.is_rollback() && is_incomplete
    }

    fn is_rollback(&self) -> bool {
        self.command.as_ref().is_some_and(|command| command.raw() == "rollback")
    }

    fn row(&self) -> Row {
        let Self {
            journal,
            at,
            command,
            undoes: _,
            user,
            organization: _,
            host,
            changes,
            applied,
            state,
            not_applied,
            is_resumable: _,
            rolled_back,
            problem,
        } = self;
        let (mark, result) = match (state, not_applied) {
            (JournalState::Finished, 0) => (Mark::Good, "finished".to_owned()),
            (JournalState::Finished, left) => (Mark::Attention, format!("{left} not applied")),
            (JournalState::Stopped, _) => (Mark::Attention, "stopped early".into()),
            (JournalState::Running, _) => (Mark::Plain, "still running".into()),
            (JournalState::Unfinished, _) => (Mark::Attention, "did not finish".into()),
            (JournalState::Unreadable, _) => (Mark::Bad, "unreadable".into()),
        };
        let result = if *rolled_back { format!("{result}, rolled back") } else { result };
        let people = match (changes, applied) {
            (Some(changes), Some(applied)) if applied < changes => format!("{applied} of {changes}"),
            (Some(changes), _) => changes.to_string(),
            (None, _) => "-".into(),
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
                Printable::new(&people),
                Printable::new(&result),
            ],
        );
        Row { path: Some(cell(journal)), ..row }.notes(problem.clone())
    }
}

/// Marks the runs that were rolled back. A rollback that was itself rolled back doesn't count, so `journals` must be sorted by
/// time, newest first.
pub fn mark_rolled_back(journals: &mut [JournalEntry]) {
    for at in 0..journals.len() {
        let (newer, older) = journals.split_at_mut(at);
        let Some(entry) = older.first_mut() else { return };
        entry.rolled_back = newer.iter().any(|newer| !newer.rolled_back && newer.undoes_all_of(entry));
    }
}

/// Counts the people whose change was applied. If the journal has no outcome for a change, the change counts if Pylon accepted
/// the request.
fn applied(lines: &[JournalLine]) -> usize {
    let (mut sent, mut applied) = (HashMap::new(), HashSet::new());
    for line in lines {
        match line {
            JournalLine::Intent { at: _, number, operation } => {
                sent.insert(number, operation.user.as_str());
            }
            JournalLine::Answer { number, failure: None, .. } => applied.extend(sent.get(number).copied()),
            JournalLine::Outcome { at: _, operation, outcome }
                if outcome == OutcomeKind::Applied.as_str() =>
            {
                applied.insert(operation.user.as_str());
            }
            JournalLine::Outcome { at: _, operation, outcome: _ } => {
                applied.remove(operation.user.as_str());
            }
            JournalLine::Begin { .. } | JournalLine::Answer { .. } | JournalLine::End { .. } => {}
        }
    }
    applied.len()
}

impl JournalsReport {
    pub fn tables(&self) -> TableReport {
        let Self { journals, older, undo, resume, last } = self;
        let all = words::count(journals.len() + older, "journal", "journals");
        let verdict = match undo {
            None if last.as_ref().is_some_and(|last| last.state == JournalState::Unreadable) => {
                format!("{all} · the newest cannot be read; to undo an older run, name its journal")
            }
            None if last.is_some() => {
                format!("{all} · the newest run is still active; it can be undone once it has ended")
            }
            None if !journals.is_empty() => format!("{all}, none of them for this host"),
            None => "no journals in .rolecall/journal/ next to the config file; pipelines write theirs to the file given with --journal".into(),
            Some(undo) => {
                let older = if *older > 0 { format!(" · {older} older") } else { String::new() };
                let is_first = journals.first().zip(last.as_ref()).is_some_and(|(one, last)| one.journal == last.journal);
                let newest = if is_first { "the newest" } else { "the newest for this host" };
                let advice = match (last, resume) {
                    // `resume` contains the name of the journal, which is untrusted text and must not be in the first line.
                    (Some(entry), Some(resume)) if entry.is_incomplete_rollback() => {
                        format!("{newest} is an incomplete rollback\nto continue it: {resume}")
                    }
                    (Some(entry), None) if entry.is_incomplete_rollback() => {
                        format!("{newest} is an incomplete rollback; to continue it, run it again with the same journal")
                    }
                    (Some(entry), _) if entry.is_rollback() => {
                        format!("{newest} is a rollback; to undo it and make the changes again: `{undo}`")
                    }
                    _ => format!("to undo {newest}: `{undo}`"),
                };
                let count = words::count(journals.len(), "journal", "journals");
                format!("{count}{older} · {advice}")
            }
        };
        TableReport {
            about: Vec::new(),
            verdict,
            mark: Mark::Plain,
            tables: vec![Table::new(
                None,
                &["begun", "command", "by", "host", "people", "result"],
                journals.iter().map(JournalEntry::row),
            )],
        }
    }
}
