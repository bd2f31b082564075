//! Uses git to find out when each line of the files was last changed and which commit is checked out.
//!
//! The repository's hooks and textconv filters are never run. A failure of git never fails the command, because the files don't
//! have to be in git.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use jiff::Timestamp;

use super::base::{IncludePatterns, git};
use crate::printable::Printable;
use crate::regular::{STDIN_NAME, folder_of};
use crate::report::SinceLine;
use crate::source::{Location, Sources};

/// The length of an abbreviated commit ID in reports.
const SHORT_COMMIT: usize = 12;

/// The git options that keep git from running the repository's hooks or file system monitor, and from updating the index.
const PLAIN: [&str; 5] =
    ["--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"];
const BLAME: [&str; 3] = ["blame", "--incremental", "--no-textconv"];

/// Maps line numbers to the commits that last changed them. Uncommitted lines are left out.
type Lines = HashMap<usize, SinceLine>;

/// Returns the commit that last changed a line, unless the line is uncommitted or git can't determine the commit.
pub(super) fn since(location: &Location) -> Option<SinceLine> {
    let line = format!("{0},{0}", location.line);
    let is_shallow = is_shallow(folder_of(&real(&location.file))).ok()?;
    blame(&location.file, &["-L", &line], is_shallow).ok()?.remove(&location.line)
}

/// The git history of all files we've read.
#[derive(Debug, Default)]
pub(super) struct FileHistory {
    /// The ID of the checked-out commit, if it could be determined.
    pub(super) commit: Option<String>,
    /// Whether any file differs from the checked-out commit.
    pub(super) is_modified: bool,
    /// The commit of each line, by file name and line number.
    lines: HashMap<String, Lines>,
    /// Descriptions of what we couldn't determine, each with the reason.
    pub(super) unread: Vec<String>,
}

impl FileHistory {
    /// Runs git for every file, collecting errors in `unread` instead of failing.
    pub(super) fn read(sources: &Sources) -> Self {
        let mut history = Self::default();
        let Some((root, root_text)) = sources.iter().next() else { return history };
        if root == STDIN_NAME {
            history.unread.push("the commit of the files: they are read from standard input".into());
            return history;
        }
        match asked_in(folder_of(root), &["rev-parse", "--verify", "HEAD"]) {
            Ok(commit) => history.commit = Some(commit.trim().to_owned()),
            Err(why) => {
                history.unread.push(format!("the commit of the files: {why}"));
                return history;
            }
        }
        match has_changed_paths(sources, folder_of(root), root_text) {
            Ok(has_changed_paths) => history.is_modified |= has_changed_paths,
            Err(why) => history.unread.push(format!("the git status of the files: {why}")),
        }
        let mut shallow: HashMap<PathBuf, Result<bool, Printable>> = HashMap::new();
        for (name, _) in sources.iter() {
            let shown = Printable::cut(name, 200);
            match is_modified(name) {
                Ok(is_modified) => history.is_modified |= is_modified,
                Err(why) => history.unread.push(format!("the git status of {shown}: {why}")),
            }
            // Each folder may be a submodule or another nested repository.
            let folder = folder_of(&real(name)).to_owned();
            let is_shallow = shallow.entry(folder).or_insert_with_key(|folder| is_shallow(folder)).clone();
            match is_shallow.and_then(|is_shallow| blame(name, &[], is_shallow)) {
                Ok(lines) => {
                    history.lines.insert(name.to_owned(), lines);
                }
                Err(why) => {
                    history.unread.push(format!("the commits that last changed the lines of {shown}: {why}"));
                }
            }
        }
        if shallow.get(folder_of(&real(root))) == Some(&Ok(true)) {
            history.unread.push(
                "the commits of older lines: this is a shallow clone; fetch the full history, for example with `fetch-depth: 0`".into(),
            );
        }
        history
    }

    /// Returns the commit that last changed a line, if known.
    pub(super) fn since(&self, location: &Location) -> Option<SinceLine> {
        self.lines.get(&location.file)?.get(&location.line).cloned()
    }
}

fn asked_in(folder: &Path, arguments: &[&str]) -> Result<String, Printable> {
    let answer = git(folder, &[PLAIN.as_slice(), arguments].concat(), Stdio::null());
    answer.map(|answer| String::from_utf8_lossy(&answer).into_owned()).map_err(|error| {
        match error.to_string() {
            // The rest of git's message varies between machines.
            message if message.contains("not a git repository") => {
                Printable::new("they are not in a git repository")
            }
            message if message.contains("Needed a single revision") => {
                Printable::new("the git repository has no commits")
            }
            message => Printable::cut(&message, 200),
        }
    })
}

/// If the file is a symbolic link, returns the path of its target, because git would otherwise report on the link itself.
fn real(file: &str) -> PathBuf {
    let path = Path::new(file);
    if path.is_symlink() { fs::canonicalize(path).unwrap_or_else(|_| path.into()) } else { path.into() }
}

/// Runs git in the file's folder, with the file's name as the last argument.
fn asked_about(file: &str, arguments: &[&str]) -> Result<String, Printable> {
    let file = real(file);
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Printable::new("it is not a file"))?;
    asked_in(folder_of(&file), &[arguments, &["--", name]].concat())
}

/// Returns `true` if the working tree lacks a committed file that an `include` pattern matches, or if a link or a submodule on
/// the path of a file has changed. [`is_modified`] is about the contents of the files that were read.
fn has_changed_paths(sources: &Sources, folder: &Path, root: &str) -> Result<bool, Printable> {
    const CHANGES: [&str; 11] = [
        "diff",
        "--no-ext-diff",
        "--no-textconv",
        "--no-renames",
        "--ignore-submodules=dirty",
        "--name-status",
        "-z",
        "--relative",
        "HEAD",
        "--",
        ".",
    ];
    let patterns = IncludePatterns::parse(root);
    let read = |path: &Path| sources.iter().any(|(name, _)| relative(name, folder).starts_with(path));
    // A folder may be a link to another one, or a submodule or another nested repository, of which the outer one knows nothing.
    let folders: BTreeSet<&Path> = sources.iter().map(|(name, _)| folder_of(name)).collect();
    for inner in folders {
        let answer = asked_in(&fs::canonicalize(inner).unwrap_or_else(|_| inner.into()), &CHANGES)?;
        let mut fields = answer.split('\0');
        while let (Some(status), Some(path)) = (fields.next(), fields.next()) {
            let path = relative(inner, folder).join(path);
            if read(&path) || status == "D" && patterns.include(&path) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Returns the path relative to `folder`, which paths in the current folder already are.
fn relative<'p>(path: &'p (impl AsRef<Path> + ?Sized), folder: &Path) -> &'p Path {
    path.as_ref().strip_prefix(folder).unwrap_or(path.as_ref())
}

fn is_modified(file: &str) -> Result<bool, Printable> {
    Ok(!asked_about(file, &["status", "--porcelain", "--ignored"])?.is_empty())
}

fn blame(file: &str, range: &[&str], is_shallow: bool) -> Result<Lines, Printable> {
    let answer = asked_about(file, &[BLAME.as_slice(), range].concat())?;
    Ok(commits(&answer, is_shallow))
}

/// Returns `true` if this is a shallow clone, which lacks older commits.
fn is_shallow(folder: &Path) -> Result<bool, Printable> {
    Ok(asked_in(folder, &["rev-parse", "--is-shallow-repository"])?.trim() == "true")
}

/// Parses the output of `git blame --incremental`, which consists of one group per range of lines. A commit's author and other
/// details appear only in its first group.
///
/// In a shallow clone, git attributes all older lines to the oldest available commits (`boundary`), so those commits are ignored.
fn commits(answer: &str, is_shallow: bool) -> Lines {
    let mut known: HashMap<String, HashMap<&str, &str>> = HashMap::new();
    let mut ranges = Vec::new();
    let mut current: Option<String> = None; // the commit of the group being parsed
    for line in answer.lines() {
        let Some(commit) = &current else {
            if let Some((commit, first, count)) = head(line) {
                ranges.push((commit.clone(), first, count));
                current = Some(commit);
            }
            continue;
        };
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        known.entry(commit.clone()).or_default().insert(key, value);
        if key == "filename" {
            current = None; // this line ends each group
        }
    }
    let mut lines = Lines::new();
    for (commit, first, count) in ranges {
        let values = known.get(&commit).filter(|values| !is_shallow || !values.contains_key("boundary"));
        if let Some(since) = values.and_then(|values| since_line(&commit, values)) {
            lines.extend((first..first.saturating_add(count)).map(|line| (line, since.clone())));
        }
    }
    lines
}

/// Parses the header of a group: the commit ID, the line number in that commit, the first line in the file, and the line count.
fn head(line: &str) -> Option<(String, usize, usize)> {
    let mut words = line.split(' ');
    let commit = words.next()?;
    let is_commit = commit.len() > SHORT_COMMIT && commit.bytes().all(|digit| digit.is_ascii_hexdigit());
    let (first, count) = (words.nth(1)?.parse().ok()?, words.next()?.parse().ok()?);
    is_commit.then(|| (commit.to_owned(), first, count))
}

/// Describes a commit for a report. Returns `None` for uncommitted lines, whose commit ID is all zeros.
fn since_line(commit: &str, values: &HashMap<&str, &str>) -> Option<SinceLine> {
    let short = commit.get(..SHORT_COMMIT)?;
    let is_committed = commit.bytes().any(|digit| digit != b'0');
    let at = Timestamp::from_second(values.get("author-time")?.parse().ok()?).ok()?;
    is_committed.then(|| SinceLine {
        commit: short.to_owned(),
        at,
        author: Printable::new(values.get("author").unwrap_or(&"")),
        subject: Printable::new(values.get("summary").unwrap_or(&"")),
    })
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    const FIRST: &str = "d9eba730b454d5d78a51c95db7c432d27a29db0a";
    const SECOND: &str = "aaaba730b454d5d78a51c95db7c432d27a29db0a";

    fn group(commit: &str, lines: &str, about: &str) -> String {
        format!("{commit} {lines}\n{about}filename a\n")
    }

    fn about(author: &str) -> String {
        format!("author {author}\nauthor-time 1795771492\nsummary of {author}\n")
    }

    #[test]
    fn the_commit_of_each_line_is_parsed_and_an_uncommitted_line_has_none() {
        let answer = group(FIRST, "8 8 1", &about("Ana \u{1b}[1m"))
            + &group(SECOND, "1 2 2", &about("Bo"))
            + &group(FIRST, "1 10 1", "")
            + &group(&"0".repeat(40), "20 20 1", &about("Not Committed Yet"));
        let lines = commits(&answer, false);
        let mut numbers: Vec<usize> = lines.keys().copied().collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [2, 3, 8, 10]);
        assert_eq!(lines[&10], lines[&8]);
        assert_eq!(lines[&3].author.as_str(), "Bo");
        let since = &lines[&8];
        assert_eq!((since.commit.as_str(), since.subject.raw()), ("d9eba730b454", "of Ana \u{1b}[1m"));
        assert_eq!(since.author.as_str(), "Ana \\u{1b}[1m");
        assert_eq!(since.at.to_string(), "2026-11-27T09:24:52Z");
        assert_eq!(commits("", false), Lines::new());
        assert_eq!(commits("fatal: no such path", false), Lines::new());
    }

    #[test]
    fn the_oldest_commit_of_a_shallow_clone_is_left_out() {
        let answer =
            group(FIRST, "1 1 1", &(about("Ana") + "boundary\n")) + &group(SECOND, "1 2 1", &about("Bo"));
        let numbers = |is_shallow: bool| commits(&answer, is_shallow).len();
        assert_eq!((numbers(false), numbers(true)), (2, 1));
    }
}
