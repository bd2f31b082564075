//! What changes as a diff of canonical TOML: the language in which reviews are read already.
//!
//! Each person or setting that differs is one [`Hunk`]: what is true before, what is declared after, and a comment that
//! says of whom and where. Without its minus lines the whole is TOML that declares what will be, and without its plus
//! lines what was. A hunk is never cut, but for what stands within a string.

use std::collections::BTreeMap;

use similar::{ChangeTag, TextDiff};

use super::facts::comparison::{ComparisonReport, DifferenceEntry, ItemLine, SaidLine};
use super::facts::plan::{EditLine, Entry, PersonLine, PlanReport};
use super::words;
use crate::apply::Outcome;
use crate::comparison::{Kind, Subject};
use crate::printable::Printable;
use crate::secret::without_secret;
use crate::source::Location;
use crate::toml_text::{self, quoted};

/// Names and values are shown up to so many characters; JSON has them whole.
const LONGEST: usize = 80;
/// Lines around a difference between two texts.
const CONTEXT: usize = 1;

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// Its lines, each with how it differs.
    pub lines: Vec<(Sign, String)>,
}

/// How a line differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// Not at all.
    Same,
    /// It is true before.
    Before,
    /// It is declared after.
    After,
}

impl Sign {
    /// The sign that a diff begins its line with.
    pub const fn as_char(self) -> char {
        match self {
            Self::Same => ' ',
            Self::Before => '-',
            Self::After => '+',
        }
    }
}

impl Hunk {
    fn between(before: &[String], after: &[String]) -> Self {
        let texts = |lines: &[String]| lines.iter().map(|line| line.clone() + "\n").collect::<String>();
        let (before, after) = (texts(before), texts(after));
        let diff = TextDiff::from_lines(before.as_str(), after.as_str());
        let lines = diff
            .iter_all_changes()
            .map(|change| (sign(change.tag()), change.value().trim_end_matches('\n').to_owned()));
        Self { lines: lines.collect() }
    }

    /// The hunk as lines of a diff, with a line end each.
    pub fn text(&self) -> String {
        self.lines
            .iter()
            .map(|(sign, line)| format!("{}{line}", sign.as_char()).trim_end().to_owned() + "\n")
            .collect()
    }
}

/// What differs between two texts of one file, with a few lines around it.
pub fn texts(before: &str, after: &str) -> Vec<Hunk> {
    let diff = TextDiff::from_lines(before, after);
    let groups = diff.grouped_ops(CONTEXT);
    let hunk = |ops: &Vec<similar::DiffOp>| {
        let changes = ops.iter().flat_map(|op| diff.iter_changes(op));
        let lines = changes.map(|change| {
            let line = change.value().trim_end_matches(['\n', '\r']).replace('\t', "    ");
            (sign(change.tag()), toml_text::line(Printable::cut(&without_secret(&line), LONGEST * 4).raw()))
        });
        Hunk { lines: lines.collect() }
    };
    groups.iter().map(hunk).collect()
}

const fn sign(tag: ChangeTag) -> Sign {
    match tag {
        ChangeTag::Equal => Sign::Same,
        ChangeTag::Delete => Sign::Before,
        ChangeTag::Insert => Sign::After,
    }
}

/// The changes of a plan, a hunk a person.
pub fn plan(report: &PlanReport) -> Vec<Hunk> {
    report.changes().map(|(entry, person, edits, outcome)| change(entry, person, edits, outcome)).collect()
}

fn change(entry: &Entry, person: &PersonLine, edits: &[EditLine], outcome: Option<&Outcome>) -> Hunk {
    let outcome = outcome.map_or_else(String::new, |outcome| format!(": {}", outcome.as_str()));
    let primary = person.primary.as_ref();
    let primary = primary.map_or_else(String::new, |primary| format!(" ({})", primary.short(LONGEST)));
    let heading = format!("{} # {}{primary}{outcome}", header(entry.email.raw()), person.name.short(LONGEST));
    let (mut before, mut after) = (vec![heading.clone()], vec![heading]);
    for edit in edits {
        let EditLine { field, from, to, through_scim: _, location, origin, blame } = edit;
        // As `git blame` has it: beside the value that is there, since that is what somebody wrote.
        let blame = blame.as_ref().map(words::blame);
        before.extend(match (observed(from), blame) {
            (Some(value), Some(blame)) => Some(format!("{field} = {value} # {blame}")),
            (Some(value), None) => Some(format!("{field} = {value}")),
            (None, Some(blame)) => Some(format!("# {field}: {blame}")),
            (None, None) => None,
        });
        let origin = words::origin(origin);
        after.push(format!("{field} = {} # {}{origin}", quoted(to.short(LONGEST).raw()), place(location)));
    }
    Hunk::between(&before, &after)
}

/// What Pylon has: nothing, one value, or several, which no file could declare.
fn observed(values: &[Printable]) -> Option<String> {
    let values: Vec<String> = values.iter().map(|value| quoted(value.short(LONGEST).raw())).collect();
    match values.as_slice() {
        [] => None,
        [only] => Some(only.clone()),
        several => Some(format!("[{}]", several.join(", "))),
    }
}

/// The differences of two versions of the files, a hunk a subject.
pub fn comparison(report: &ComparisonReport) -> Vec<Hunk> {
    // Keys in no table go before every table: behind one they would be its own.
    let (keys, tables): (Vec<_>, Vec<_>) =
        report.differences.iter().partition(|entry| entry.subject == Subject::Files);
    keys.into_iter().chain(tables).map(difference).collect()
}

fn difference(entry: &DifferenceEntry) -> Hunk {
    let DifferenceEntry { subject, kind, items } = entry;
    let heading = match subject {
        Subject::Person(email) => Some(header(email.as_str())),
        Subject::Files => None,
        Subject::Workspace | Subject::Policy | Subject::Guardrails | Subject::Acknowledgement { .. } => Some(
            Printable::cut(&words::subject(subject), LONGEST * 4).to_string().replacen("]] ", "]] # ", 1),
        ),
    };
    let (mut before, mut after) = (Vec::new(), Vec::new());
    if *kind != Kind::Added {
        before.extend(heading.clone());
    }
    if *kind != Kind::Removed {
        after.extend(heading);
    }
    before.extend(said(items, |item| item.old.as_ref(), false));
    after.extend(said(items, |item| item.new.as_ref(), true));
    Hunk::between(&before, &after)
}

/// What one version says: a line a key, and those that a list holds between brackets.
fn said<'a>(
    items: &'a [ItemLine],
    of: impl Fn(&'a ItemLine) -> Option<&'a SaidLine>,
    with_place: bool,
) -> Vec<String> {
    let mut lines = Vec::new();
    let mut lists: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for item in items {
        let Some(SaidLine { value, zone, location, from_defaults }) = of(item) else {
            continue;
        };
        let short = |toml: &str| Printable::new(&toml_text::short(toml, LONGEST * 4));
        let value = short(value.raw());
        let notes = [
            location.as_ref().filter(|_| with_place).map(place),
            zone.as_ref().map(|zone| format!("in {}", zone.short(LONGEST))),
            from_defaults.then(|| "default".to_owned()),
            location.is_none().then(|| "by default".to_owned()),
        ];
        let notes = notes.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let comment = if notes.is_empty() { notes } else { format!(" # {notes}") };
        match item.key.raw() {
            key @ ("windows" | "protected") => {
                lists.entry(key).or_default().push(format!("  {value},{comment}"));
            }
            key => lines.push(format!("{} = {value}{comment}", short(key))),
        }
    }
    for (key, values) in lists {
        lines.push(format!("{key} = ["));
        lines.extend(values);
        lines.push("]".into());
    }
    lines
}

fn header(email: &str) -> String {
    format!("[users.{}]", quoted(email))
}

fn place(location: &Location) -> String {
    format!("{}:{}", Printable::new(&location.file), location.line)
}
