//! The format for GitHub Actions jobs: the text report followed by annotations on lines of the files.
//!
//! The runner treats any line as a workflow command if it begins with `::` (after trimming) or contains `##[`. To make sure that
//! only our annotations are commands, every line of the text report is escaped and the annotation data is encoded. GitHub shows
//! at most ten annotations per level in a step. If there are more, the last one reports how many aren't shown.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

use indexmap::IndexMap;

use super::facts::agenda::ScheduledChange;
use super::facts::plan::{
    AcknowledgmentLine, ChangeLine, EditLine, Entry, GuardrailLine, MissingLine, PlanReport,
};
use super::tables::{Mark, Row, TableReport};
use super::{Annotations, Body, Report, Setting, text, words};
use crate::clock::minute;
use crate::comparison::{DifferenceEntry, ItemLine};
use crate::every::every;
use crate::plan::guardrails::Verdict;
use crate::printable::{Printable, is_unprintable};
use crate::problem::Problems;
use crate::roster::Field;
use crate::source::Location;

/// GitHub's limit on annotations per level in a step.
const SHOWN: usize = 10;
/// The maximum number of people named in an annotation.
const NAMED: usize = 5;
/// The maximum length of a title or a line of a message, in characters. The JSON report has the full values.
const LONGEST: usize = 300;
/// The maximum length of each value of a change (old and new) in characters, so that both fit on a line.
const LONGEST_OF_CHANGE: usize = 100;

/// Writes the text report followed by the annotations.
pub(super) fn write(report: &Report, setting: &Setting) -> String {
    let text = text::write(report, setting);
    text.lines().map(harmless).collect::<String>() + &annotations(report, &setting.annotations)
}

/// Escapes a log line so that the runner doesn't parse it as a command.
fn harmless(line: &str) -> String {
    let trimmed = line.trim_start();
    let indent = &line[..line.len() - trimmed.len()];
    let line = match trimmed.strip_prefix("::") {
        Some(rest) => format!("{indent}\\u{{3a}}:{rest}"),
        None => line.to_owned(),
    };
    line.replace("##[", "\\u{23}#[") + "\n"
}

/// A message shown by GitHub on a line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Annotation {
    level: Level,
    location: Option<Location>,
    title: String,
    message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Level {
    Error,
    Warning,
    Notice,
}

impl Level {
    const ALL: [Self; 3] = every!(Level: Error, Warning, Notice);

    const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

fn annotations(report: &Report, folders: &Annotations) -> String {
    let all = match &report.body {
        Body::Nothing | Body::NoPeople { .. } => Vec::new(),
        Body::Valid { files, declared: _ } => problem_annotations(files),
        Body::Plan(plan) => plan_annotations(plan),
        Body::Comparison(comparison) => {
            let entries = comparison.differences.iter();
            entries
                .flat_map(|entry| entry.items.iter().map(move |item| item_annotation(entry, item)))
                .collect()
        }
        Body::Agenda(agenda) => {
            agenda.scheduled.iter().map(|line| scheduled_annotation(line, Level::Notice)).collect()
        }
        Body::Roles(roles) => table_annotations(&roles.tables()),
        Body::Access(access) => table_annotations(&access.annotated_tables()),
        Body::Explanation(explanation) => table_annotations(&explanation.tables()),
        Body::Page(page) => table_annotations(&page.tables()),
        Body::Doctor(doctor) => table_annotations(&doctor.tables()),
        Body::Files(files) => table_annotations(&files.tables()),
        Body::Journals(journals) => table_annotations(&journals.tables()),
        Body::Problems(problems) => problem_annotations(problems),
    };
    let all = merged(all);
    let mut lines = String::new();
    for level in Level::ALL {
        let of_level: Vec<&Annotation> = all.iter().filter(|annotation| annotation.level == level).collect();
        let shown = if of_level.len() > SHOWN { SHOWN - 1 } else { of_level.len() };
        of_level[..shown].iter().for_each(|annotation| lines += &command(annotation, folders));
        if of_level.len() > shown {
            let message = format!(
                "and {} more. The JSON report (`--report json=FILE`) has all of them.",
                of_level.len() - shown
            );
            let title = format!("rolecall {}", report.command);
            lines += &command(&Annotation { level, location: None, title, message }, folders);
        }
    }
    lines
}

/// Merges annotations that differ only in the title, which is usually an address. Otherwise, the annotations for one changed
/// default could use up the limit of ten.
fn merged(all: Vec<Annotation>) -> Vec<Annotation> {
    let mut groups: IndexMap<(Level, Option<Location>, String), Vec<String>> = IndexMap::new();
    for Annotation { level, location, title, message } in all {
        groups.entry((level, location, message)).or_default().push(title);
    }
    let merge = |((level, location, message), titles): ((Level, Option<Location>, String), Vec<String>)| {
        let [title, others @ ..] = titles.as_slice() else { return None };
        if others.is_empty() {
            return Some(Annotation { level, location, title: title.clone(), message });
        }
        let named = titles[..titles.len().min(NAMED)].join(", ");
        let more = titles.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let title = format!("{title} and {} more", others.len());
        Some(Annotation { level, location, title, message: format!("{message}\n{named}{more}") })
    };
    groups.into_iter().filter_map(merge).collect()
}

/// Formats an annotation as a workflow command.
fn command(annotation: &Annotation, folders: &Annotations) -> String {
    let Annotation { level, location, title, message } = annotation;
    let mut properties = Vec::new();
    if let Some(Location { file, line, column }) = location
        && let Some(file) = in_workspace(file, folders)
    {
        properties.push(format!("file={},line={line},col={column}", property(&file)));
    }
    properties.push(format!("title={}", property(Printable::cut(title, LONGEST).as_str())));
    let message: Vec<String> =
        message.lines().map(|line| Printable::cut(line, LONGEST).to_string()).collect();
    format!("::{} {}::{}\n", level.as_str(), properties.join(","), data(&message.join("\n")))
}

/// Returns the path of a file relative to the root of the checkout, or `None` if the file is outside the checkout or from
/// a git revision. Names with unprintable characters are rejected too, since the escaped name would refer to a different
/// file.
fn in_workspace(file: &str, folders: &Annotations) -> Option<String> {
    let Annotations { folder, workspace, resolve } = folders;
    let path = match workspace {
        None => PathBuf::from(file),
        // Both paths can contain symbolic links, so resolve them before stripping the prefix.
        Some(workspace) => {
            plain(&resolve(&folder.join(file))).strip_prefix(plain(&resolve(workspace))).ok()?.to_owned()
        }
    };
    let mut parts = path.components().filter(|part| *part != Component::CurDir).peekable();
    // A colon marks a file from a git revision, such as `main:users.toml`.
    let is_shown = !file.chars().any(|char| is_unprintable(char) || char == ':');
    let is_below = parts.clone().all(|part| matches!(part, Component::Normal(_)));
    (is_shown && is_below && parts.peek().is_some()).then(|| {
        let name = parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
        // The runner parses `file==a` as `a`, and there's no way to escape `=`.
        if name.starts_with('=') { format!("./{name}") } else { name }
    })
}

/// Normalizes `.` and `..` in a path without accessing the file system.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

/// Encodes the data of a command in the same way as `actions/toolkit` (`command.ts`).
fn data(text: &str) -> String {
    text.replace("##[", "\\u{23}#[").replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Encodes a property of a command, in which colons and commas must be escaped as well.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

fn plan_annotations(report: &PlanReport) -> Vec<Annotation> {
    let guarded: HashSet<&Printable> = report.guarded_roles.iter().map(|line| &line.email).collect();
    let guardrails = report.guardrails.iter().filter_map(guardrail_annotation);
    let mut entries = report.entries();
    // Put people with changes to guarded roles first. Otherwise, many people who weren't found could use up the limit on
    // annotations.
    entries.sort_by_key(|entry| !guarded.contains(entry.email()));
    let entries =
        entries.into_iter().flat_map(|entry| entry_annotations(entry, guarded.contains(entry.email())));
    // In a rollback, the locations are in the journal, which isn't in the repository.
    let is_rollback = report.rollback.is_some();
    let entries = entries
        .map(|entry| Annotation { location: entry.location.clone().filter(|_| !is_rollback), ..entry });
    let expired = report.acknowledgments.iter().filter(|line| line.expired).map(expired_annotation);
    let figures =
        |line: &ScheduledChange| line.blocked_by.iter().map(Printable::as_str).collect::<Vec<_>>().join(", ");
    let scheduled = report.blocked_later().map(|line| Annotation {
        message: format!("{}; will be blocked by {}", scheduled_text(line), figures(line)),
        ..scheduled_annotation(line, Level::Warning)
    });
    let guarded = report.guarded_later().map(|line| scheduled_annotation(line, Level::Warning));
    guardrails.chain(entries).chain(expired).chain(scheduled).chain(guarded).collect()
}

fn guardrail_annotation(line: &GuardrailLine) -> Option<Annotation> {
    let GuardrailLine { name, about: _, note, verdict, figure, remedy, location } = line;
    let name = name.as_str();
    let (level, title, note) = match verdict {
        Verdict::Blocks => (Level::Error, format!("blocked by {name}"), None),
        Verdict::Warns => (Level::Warning, name.to_owned(), note.as_deref()),
        Verdict::Passes | Verdict::Acknowledged { .. } => return None,
    };
    let note = note.map_or_else(String::new, |note| format!("; {note}"));
    let remedy = remedy.as_ref().map_or_else(String::new, |remedy| format!("\n{remedy}"));
    Some(Annotation { level, location: location.clone(), title, message: format!("{figure}{note}{remedy}") })
}

/// Returns the annotations for a person, with a warning if they gain or lose a guarded role.
fn entry_annotations(entry: Entry<'_>, is_guarded: bool) -> Vec<Annotation> {
    let about = |level: Level, location: &Location, message: String| Annotation {
        level,
        location: Some(location.clone()),
        title: entry.email().to_string(),
        message,
    };
    match entry {
        Entry::Change(ChangeLine { edits, outcome, location, .. }) => {
            let mut annotations = Vec::new();
            if let Some(outcome) = outcome.as_ref().filter(|outcome| !outcome.applied) {
                let location = edits.first().map_or(location, |edit| &edit.location);
                let message = words::outcome_of_many(&outcome.outcome);
                annotations.push(about(Level::Error, location, message));
            }
            for edit in edits {
                let is_warning = is_guarded && edit.field == Field::Role;
                let level = if is_warning { Level::Warning } else { Level::Notice };
                annotations.push(about(level, &edit.location, edit_text(edit)));
            }
            annotations
        }
        Entry::Missing(MissingLine { email: _, name, deactivated, did_you_mean, location }) => {
            let message = match (name, did_you_mean) {
                (Some(name), _) => format!("{name} is deactivated in Pylon"),
                (None, _) if *deactivated => "deactivated in Pylon".to_owned(),
                (None, Some(near)) => format!("not found in Pylon; did you mean {near}?"),
                (None, None) => "not found in Pylon".to_owned(),
            };
            vec![about(Level::Warning, location, message)]
        }
        Entry::Observed(_) | Entry::FoundElsewhere(_) => Vec::new(),
    }
}

fn expired_annotation(line: &AcknowledgmentLine) -> Annotation {
    let AcknowledgmentLine { guardrail, expires, expired: _, at, location } = line;
    Annotation {
        level: Level::Warning,
        location: Some(location.clone()),
        title: guardrail.as_str().to_owned(),
        message: format!("this acknowledgment expired on {expires} ({}) and is ignored", minute(*at)),
    }
}

fn edit_text(edit: &EditLine) -> String {
    let EditLine { field, from: _, to: _, through_scim: _, location: _, origin: _, blame, cause: _ } = edit;
    let blame = blame.as_ref().map_or_else(String::new, |blame| format!("\n{}", words::blame(blame)));
    format!("{field} {}{}{blame}", edit.change(LONGEST_OF_CHANGE), words::why(edit))
}

fn scheduled_annotation(line: &ScheduledChange, level: Level) -> Annotation {
    Annotation {
        level,
        location: Some(line.location.clone()),
        title: line.email.to_string(),
        message: scheduled_text(line),
    }
}

fn scheduled_text(line: &ScheduledChange) -> String {
    let guarded: String = line
        .guarded_roles()
        .map(|(verb, role)| format!("; {verb} {}", role.short(LONGEST_OF_CHANGE)))
        .collect();
    format!("{}: {} {}{guarded}", line.when, line.field, line.change(LONGEST_OF_CHANGE))
}

fn item_annotation(entry: &DifferenceEntry, item: &ItemLine) -> Annotation {
    let ItemLine { key, old, new, sensitive, unresolved, unwritten: _ } = item;
    let limit = if old.is_some() && new.is_some() { LONGEST_OF_CHANGE } else { LONGEST };
    let [old, shown] = words::declared_values(item, limit);
    let message = match (old, shown) {
        (Some(old), Some(new)) => format!("{key}: {}", words::change(&old, &new)),
        (None, Some(new)) => format!("{key}: added {new}"),
        (Some(old), None) => format!("{key}: removed {old}"),
        (None, None) => key.to_string(),
    };
    let message = if *unresolved { format!("{message} ({})", words::UNRESOLVED) } else { message };
    Annotation {
        level: if *sensitive { Level::Warning } else { Level::Notice },
        // A removed value exists only in the old files, which aren't under review.
        location: new.as_ref().and_then(|value| value.location.clone()),
        title: words::subject(&entry.subject).to_string(),
        message,
    }
}

/// Returns an annotation for each row marked as a warning or an error.
fn table_annotations(report: &TableReport) -> Vec<Annotation> {
    let rows = report.tables.iter().flat_map(|table| &table.rows);
    let annotations = rows.filter_map(|Row { mark, cells, path, notes, location, hunks: _ }| {
        let level = match mark {
            Mark::Plain | Mark::Good => return None,
            Mark::Attention => Level::Warning,
            Mark::Bad => Level::Error,
        };
        let (title, values) = cells.split_first()?;
        let values: Vec<&str> = values.iter().map(Printable::as_str).collect();
        let message = std::iter::once(values.join(" "))
            .chain(path.iter().map(Printable::to_string))
            .chain(notes.iter().cloned())
            .collect::<Vec<_>>()
            .join("\n");
        Some(Annotation { level, location: location.clone(), title: title.to_string(), message })
    });
    annotations.collect()
}

fn problem_annotations(problems: &Problems) -> Vec<Annotation> {
    let annotation = |problem: &crate::problem::Problem| {
        let mut places =
            problem.labels.iter().map(|label| (problems.sources.locate(label.place), &label.text));
        let first = places.next();
        let mut message = problem.message.clone();
        for (Location { file, line, column }, text) in places {
            message += &format!("\n{}:{line}:{column}: {text}", Printable::new(&file));
        }
        if let Some(help) = &problem.help {
            message += &format!("\nhelp: {help}");
        }
        Annotation {
            level: if problem.is_warning() { Level::Warning } else { Level::Error },
            location: first.map(|(location, _)| location),
            title: problem.code.to_owned(),
            message,
        }
    };
    problems.list.iter().map(annotation).collect()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn at(file: &str, folder: &str, workspace: Option<&str>) -> Option<String> {
        let folders = Annotations {
            folder: folder.into(),
            workspace: workspace.map(PathBuf::from),
            resolve: Path::to_owned,
        };
        in_workspace(file, &folders)
    }

    #[test]
    fn a_file_is_named_from_the_root_of_the_checkout() {
        assert_eq!(at("users.toml", "/w/repo/access", Some("/w/repo")).as_deref(), Some("access/users.toml"));
        assert_eq!(at("../users.toml", "/w/repo/access", Some("/w/repo/")).as_deref(), Some("users.toml"));
        assert_eq!(at("/w/repo/users.toml", "/elsewhere", Some("/w/repo")).as_deref(), Some("users.toml"));
        assert_eq!(at("../../users.toml", "/w/repo/access", Some("/w/repo")), None);
        assert_eq!(at("./teams/emea.toml", "/w/repo", None).as_deref(), Some("teams/emea.toml"));
        assert_eq!(at("=a/users.toml", "/w/repo", None).as_deref(), Some("./=a/users.toml"));
        assert_eq!(at("/etc/users.toml", "/w/repo", None), None);
        assert_eq!(at("teams/\u{1b}[2J.toml", "/w/repo", None), None);
    }

    #[test]
    fn lines_of_the_log_and_data_cannot_become_commands() {
        for (line, shown) in [
            ("  ::error::x", "  \\u{3a}:error::x\n"),
            ("\u{a0}::stop-commands::t", "\u{a0}\\u{3a}:stop-commands::t\n"),
            ("a ##[error]x", "a \\u{23}#[error]x\n"),
            ("pylon::no_token", "pylon::no_token\n"),
        ] {
            assert_eq!(harmless(line), shown);
        }
        let annotation = Annotation {
            level: Level::Notice,
            location: Some(Location { file: "a,b;c%.toml".into(), line: 3, column: 1 }),
            title: "x,y::z".into(),
            message: "100%\n::error::no".into(),
        };
        assert_eq!(
            command(&annotation, &Annotations::default()),
            "::notice file=a%2Cb;c%25.toml,line=3,col=1,title=x%2Cy%3A%3Az::100%25%0A\\u{3a}:error::no\n"
        );
    }
}
