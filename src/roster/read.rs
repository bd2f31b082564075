//! Locates, reads, and merges the files.
//!
//! Only regular files in or below the folder of the root file are opened. Otherwise, a pull request could add a symbolic link to
//! `/proc/self/environ`, whose contents would end up in an error report. The root file itself may also be a pipe or standard input.
//!
//! A single run reports all problems in all files.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::checks::{check_look_alikes, check_windows, sort_without_duplicates};
use super::explain::{ParsedParts, explain};
use super::fields::Fields;
use super::people::{Context, People, read_people};
use super::role_rules::{is_same_text, violations};
use super::settings::{Settings, check_team_keys, read_context, read_settings};
use super::syntax::repair::Repaired;
use super::{DeclaredPerson, Field, Roster, RosterCode};
use crate::printable::Printable;
use crate::problem::{Problem, Problems};
use crate::regular::{self, Unreadable};
use crate::source::{FileId, Place, Sourced, Sources};

/// The maximum size of a file in bytes. A million people take up about 60 MB.
pub const LARGEST_FILE: u64 = 64 * 1024 * 1024;

impl Roster {
    /// Reads the root file and all the files it includes.
    ///
    /// # Errors
    /// Returns all problems in all files, including unreadable ones.
    pub fn read(path: &Path) -> Result<Self, Problems> {
        let mut reader = RosterReader::default();
        match reader.read_root(path) {
            Some(roster) if reader.problems.is_empty() => Ok(Self { sources: reader.sources, ..roster }),
            _ => Err(Problems::new(reader.sources, reader.problems)),
        }
    }
}

#[derive(Default)]
struct RosterReader {
    sources: Sources,
    problems: Vec<Problem>,
    unused_defaults: Vec<(Field, Place)>,
    /// The reliably parsed parts of each file. Valid TOML files have no entry.
    known: BTreeMap<FileId, ParsedParts>,
}

impl RosterReader {
    /// Returns `true` if the value at this place was parsed reliably.
    fn is_sure_of(&self, place: Place) -> bool {
        self.known.get(&place.file).is_none_or(|known| known.is_sure_of(place))
    }

    /// Returns `true` if the section or statement at this place was parsed completely.
    fn is_complete(&self, place: Place) -> bool {
        self.known.get(&place.file).is_none_or(|known| known.is_complete(place))
    }

    fn read_root(&mut self, path: &Path) -> Option<Roster> {
        let folder = regular::folder_of(path);
        let is_stream = regular::is_stream(path);
        let text = if is_stream { text_of_stream(path) } else { text_of(path, folder) };
        let text = text.map_err(|problem| self.problems.push(problem)).ok()?;
        let root = self.sources.add(shown(path), text);
        let (context, settings, people) =
            self.in_file(root, |fields, table, whole: Option<&(Context, _, People)>| {
                let context = read_context(fields, table, whole.map(|(context, ..)| context));
                let settings = read_settings(fields, table, &context);
                let people = people_of(fields, table, &context, whole.map(|(.., people)| people));
                (context, settings, people)
            });
        let mut people = self.people_read_reliably(people);
        let Settings { mut include, places, workspace, policy, guardrails, acknowledgments } = settings;
        include.retain(|pattern| self.is_sure_of(pattern.place));
        if is_stream {
            self.problems.extend(include.drain(..).map(|pattern| included_by_stream(&pattern)));
        }
        for path in self.included(&include, path, folder) {
            people.extend(self.read_team(&path, folder, &context).into_iter().flatten());
        }
        sort_without_duplicates(&mut people, &mut self.problems);
        let mut roster = Roster {
            sources: Sources::default(), // filled in by the caller, since `self` still owns the sources
            setting_places: places,
            timezone: context.zone,
            allow_unicode_emails: context.allow_unicode,
            workspace,
            policy,
            guardrails,
            acknowledgments,
            people,
            unused_defaults: std::mem::take(&mut self.unused_defaults),
        };
        self.check_together(&mut roster);
        Some(roster)
    }

    /// Runs the checks that span several values, and drops rules truncated by a syntax error.
    fn check_together(&mut self, roster: &mut Roster) {
        let Roster { guardrails, people, .. } = roster;
        // If a syntax error hides a rule's exceptions or a person's role, any violation found here may not be real.
        guardrails.role_rules.retain(|rule| self.is_complete(rule.place));
        let complete = people.iter().filter(|person| self.is_complete(person.email.place));
        // Roles are compared as strings because names, slugs, and IDs can't be resolved offline.
        let mut against = violations(complete, &guardrails.role_rules, |_| Vec::new(), is_same_text);
        against.retain(|problem| problem.labels.iter().all(|label| self.is_complete(label.place)));
        self.problems.append(&mut against);
        check_look_alikes(roster, &mut self.problems);
        roster.people.iter().for_each(|person| check_windows(person, &mut self.problems));
    }

    fn read_team(
        &mut self,
        path: &Sourced<PathBuf>,
        folder: &Path,
        context: &Context,
    ) -> Option<Vec<DeclaredPerson>> {
        let text = text_of(&path.value, folder).map_err(|problem| problem.at(path.place, "included here"));
        let text = text.map_err(|problem| self.problems.push(problem)).ok()?;
        let file = self.sources.add(shown(&path.value), text);
        let people = self.in_file(file, |fields, table, whole| {
            check_team_keys(fields, table);
            people_of(fields, table, context, whole)
        });
        Some(self.people_read_reliably(people))
    }

    /// Records the file's unused defaults and returns all reliably parsed people.
    fn people_read_reliably(&mut self, mut people: People) -> Vec<DeclaredPerson> {
        self.unused_defaults.extend(people.unused_defaults());
        people.list.retain(|person| self.is_sure_of(person.email.place));
        people.list
    }

    /// Parses a file, calls `read` on it, and reports its syntax errors.
    ///
    /// `read` is called even if there are syntax errors. Otherwise, a missing quote could hide ten unknown keys. `explain` then
    /// calls `read` again for each part that the parser didn't reach, and passes it the result of the first call.
    fn in_file<T>(&mut self, file: FileId, read: impl Fn(&mut Fields, &DeTable<'_>, Option<&T>) -> T) -> T {
        let text = self.sources.text(file);
        // Before parsing the whole file, check that its start isn't full of errors, because the parser needs about fifty times
        // the input size in memory.
        let start = with_bounded_errors(text, START_SIZE);
        let mut repaired = None;
        let (table, errors) = match DeTable::parse(start) {
            Ok(table) if start.len() == text.len() => (table, Vec::new()),
            _ => repaired.insert(Repaired::new(with_bounded_errors(start, start.len()))).parse(),
        };
        let mut fields = Fields::new(file);
        let whole = read(&mut fields, table.get_ref(), None);
        drop(table);
        drop(repaired);
        if !errors.is_empty() {
            let read = |fields: &mut Fields, table: &DeTable<'_>| drop(read(fields, table, Some(&whole)));
            self.known.insert(file, explain(file, start, errors, &mut fields, read));
        }
        let Fields { problems, masks, .. } = fields;
        self.problems.extend(problems);
        masks.into_iter().for_each(|place| self.sources.mask(place));
        whole
    }

    /// Expands the patterns to a sorted list of files without duplicates. Each file carries the location of its pattern.
    fn included(
        &mut self,
        patterns: &[Sourced<String>],
        root: &Path,
        folder: &Path,
    ) -> Vec<Sourced<PathBuf>> {
        let root = fs::canonicalize(root).ok();
        let mut seen = HashSet::new();
        let mut files = Vec::new();
        for pattern in patterns {
            let matched = matches_of(pattern, folder).map_err(|problem| self.problems.push(problem));
            for path in matched.into_iter().flatten() {
                let canonical = fs::canonicalize(&path).ok();
                if canonical.is_some() && canonical == root {
                    self.problems.push(
                        Problem::new(RosterCode::IncludeLoop, "this pattern includes the root file itself")
                            .at(pattern.place, "matches this file")
                            .help("put the team files into a separate folder: include = [\"teams/*.toml\"]"),
                    );
                } else if seen.insert(canonical.unwrap_or_else(|| path.clone())) {
                    files.push(Sourced::new(path, pattern.place));
                }
            }
        }
        files.sort_by(|a, b| a.value.cmp(&b.value));
        files
    }
}

/// Returns the `include` patterns of a root file, without checking them.
pub fn included_patterns(root: &str) -> Vec<String> {
    let repaired = Repaired::new(with_bounded_errors(root, root.len()));
    let (table, _) = repaired.parse();
    let patterns = table.get_ref().get("include").and_then(|value| value.get_ref().as_array());
    let texts = patterns.into_iter().flatten().filter_map(|pattern| pattern.get_ref().as_str());
    texts.map(str::to_owned).collect()
}

/// Returns `true` if a file appears to declare people: it has `users`, `defaults`, or `include`, and at most one syntax error.
/// `start` is the text of the file, cut off after `longest` bytes.
pub fn declares_people(start: &str, longest: usize) -> bool {
    // If the file might be longer than `start`, leave out the last entry, which can be incomplete.
    let last_entry = ["\n\"", "\n["].into_iter().filter_map(|beginning| start.rfind(beginning)).max();
    let end = last_entry.filter(|_| start.len() >= longest).unwrap_or(start.len());
    let (table, errors) = DeTable::parse_recoverable(&start[..end]);
    errors.len() <= 1 && ["users", "defaults", "include"].iter().any(|key| table.get_ref().contains_key(*key))
}

/// The maximum number of syntax errors in one part. With more errors, the file isn't considered TOML, and everything after that
/// part is skipped. The limit exists because each error takes up hundreds of bytes of memory.
const MAX_ERRORS_PER_PART: usize = 500;
/// The size in bytes of the parts in which syntax errors are counted.
const PART_SIZE: usize = 16 * 1024;
/// The number of bytes at the start of a file to check for too many syntax errors before the whole file is parsed.
const START_SIZE: usize = 4 * PART_SIZE;

/// Truncates the text after the first part with too many errors. Only the first `looked_at` bytes are checked.
fn with_bounded_errors(text: &str, looked_at: usize) -> &str {
    let is_full_of_errors = |text: &str| DeTable::parse_recoverable(text).1.len() > MAX_ERRORS_PER_PART;
    let mut start = 0;
    while start < text.len().min(looked_at) {
        let far = text.floor_char_boundary(start + PART_SIZE);
        // Split at the last line boundary, if the part has one.
        let end = text[start..far].rfind('\n').map_or(far, |newline| start + newline + 1);
        if is_full_of_errors(&text[start..end]) {
            // The errors are spurious if this part starts inside a multi-line string. Parse again from the beginning to find out.
            return if is_full_of_errors(&text[..end]) { &text[..end] } else { text };
        }
        start = end;
    }
    text
}

fn shown(path: &Path) -> String {
    if path.as_os_str() == regular::STDIN {
        return regular::STDIN_NAME.to_owned();
    }
    let bare = path.strip_prefix(".").ok().filter(|bare| !bare.as_os_str().is_empty());
    bare.unwrap_or(path).to_string_lossy().into_owned()
}

fn text_of_stream(path: &Path) -> Result<String, Problem> {
    regular::read_named(path, LARGEST_FILE).map_err(|why| unreadable(path, path, why))
}

fn text_of(path: &Path, folder: &Path) -> Result<String, Problem> {
    let canonical = |of: &Path| fs::canonicalize(of).map_err(|error| unreadable(path, path, error.into()));
    let (real, home) = (canonical(path)?, canonical(folder)?);
    if !real.starts_with(&home) {
        return Err(Problem::new(
            RosterCode::OutsideFolder,
            format!("{} is a link to a path outside the config's folder", Printable::cut(&shown(path), 200)),
        )
        .help(
            "rolecall reads only files in or below the config file's folder; pass the real path with --config",
        ));
    }
    regular::read(&real, LARGEST_FILE).map_err(|why| unreadable(path, &real, why))
}

/// Builds the problem for an unreadable file. `real` is the path after resolving symbolic links.
fn unreadable(path: &Path, real: &Path, why: Unreadable) -> Problem {
    let name = Printable::cut(&shown(path), 200);
    match why {
        Unreadable::System(error) if error.kind() == std::io::ErrorKind::NotFound && path.is_symlink() => {
            let message = format!("cannot read {name}: it is a link to a file that does not exist");
            Problem::new(RosterCode::FileUnreadable, message)
                .help("restore the file that it points to, or delete the link")
        }
        Unreadable::System(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Problem::new(RosterCode::FileMissing, format!("the file {name} does not exist"))
                .help("pass the correct path with --config, or run `rolecall import` to create it from Pylon; `rolecall demo` writes an example")
        }
        Unreadable::System(error) => {
            Problem::new(RosterCode::FileUnreadable, format!("cannot read {name}: {error}"))
                .help("check the permissions of the file and its folder; if it is a symbolic link, check where it leads")
        }
        Unreadable::NotRegular => {
            let kind = if real.is_dir() { "a directory" } else { "not a regular file" };
            Problem::new(RosterCode::NotAFile, format!("{name} is {kind}")).help("name a TOML file")
        }
        Unreadable::TooLarge(largest) => {
            let limit = largest / (1024 * 1024);
            Problem::new(RosterCode::FileTooLarge, format!("{name} is larger than {limit} MiB"))
                .help("split it into team files and include them")
        }
        Unreadable::NotText(why) => Problem::new(RosterCode::NotUtf8, format!("{name} {why}"))
            .help("save it as UTF-8: editors have this under \"Save with Encoding\" or \"Save As\""),
    }
}

/// Parses the people of one file, or of one part of it.
fn people_of(fields: &mut Fields, table: &DeTable<'_>, context: &Context, whole: Option<&People>) -> People {
    let people = read_people(fields, table, context, whole);
    if whole.is_some() {
        // The check of the roster doesn't cover these windows because people in a part are never added to the roster.
        people.list.iter().for_each(|person| check_windows(person, &mut fields.problems));
    }
    people
}

fn included_by_stream(pattern: &Sourced<String>) -> Problem {
    Problem::new(RosterCode::BadInclude, "a file that is read from a pipe cannot include other files")
        .at(pattern.place, "relative to an unknown folder")
        .help("copy all files of that version into a folder, and pass the path of the root file there")
}

fn matches_of(pattern: &Sourced<String>, folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let written = Path::new(&pattern.value);
    let bad = |message: &str, help: &str| {
        Problem::new(RosterCode::BadInclude, message).at(pattern.place, "in this pattern").help(help)
    };
    // `"teams\emea.toml"` is valid TOML because `\e` is an escape sequence.
    if pattern.value.contains(|char: char| char.is_control()) {
        return Err(bad(
            "a `\\` in this pattern was read as an escape",
            "write paths with `/`: \"teams/*.toml\"",
        ));
    }
    let leaves = written
        .components()
        .any(|part| !matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir));
    if leaves || pattern.value.contains('\\') {
        return Err(bad(
            "an include must stay within the root file's folder",
            "write a path below it, with `/`: \"teams/*.toml\"",
        ));
    }
    let base = glob::Pattern::escape(&folder.to_string_lossy());
    let paths = glob::glob(&format!("{base}/{}", pattern.value)).map_err(|error| {
        bad(
            &format!("this is not a valid pattern: {}", error.msg),
            "`*` matches part of a name, `**` any number of folders",
        )
    })?;
    let mut matched = Vec::new();
    for path in paths {
        let path = path.map_err(|error| {
            bad(
                &format!("cannot read the folder of this pattern: {}", error.error()),
                "check the permissions of the folder",
            )
        })?;
        // `glob` drops a leading `./` from the paths that it returns.
        let below = path.strip_prefix(folder.strip_prefix(".").unwrap_or(folder)).unwrap_or(&path);
        if !is_hidden(below, &pattern.value) {
            matched.push(path.strip_prefix(".").map(Path::to_owned).unwrap_or(path));
        }
    }
    if matched.is_empty() {
        return Err(Problem::new(RosterCode::IncludeMatchesNothing, "this pattern matches no file")
            .at(pattern.place, "no matching file")
            .help("correct or remove the pattern, which is relative to this file's folder. This is an error because the people in a missing file would become unmanaged"));
    }
    Ok(matched)
}

/// Returns `true` if a path component starts with a dot and isn't matched by a pattern component that also starts with a dot.
/// Shells and git follow the same rule. It skips files such as `.#a.toml` and `._a.toml`, which editors and macOS create next
/// to the real ones.
///
/// We can't use the corresponding option of `glob` because it hides dotfiles from every pattern with a `*` and panics on names that
/// aren't UTF-8.
fn is_hidden(path: &Path, pattern: &str) -> bool {
    let dotted: Vec<glob::Pattern> = pattern
        .split('/')
        .filter(|part| part.starts_with('.'))
        .filter_map(|part| glob::Pattern::new(part).ok())
        .collect();
    path.components().any(|part| {
        let std::path::Component::Normal(name) = part else { return false };
        let name = name.to_string_lossy();
        name.starts_with('.') && !dotted.iter().any(|pattern| pattern.matches(&name))
    })
}
