//! Finds out since when a line of a file is as it is, through `git blame`.
//!
//! Runs no hook and no filter of the repository, and reads only the commit of one line. A failure is not an error: the file may not
//! be in git.

use std::path::Path;
use std::process::Stdio;

use jiff::Timestamp;

use super::base::git;
use crate::printable::Printable;
use crate::report::SinceLine;
use crate::source::Location;

/// The maximum length of a commit's author and subject, in characters.
const LONGEST: usize = 60;
/// The number of hexadecimal digits of a commit that reports show.
const SHORT_COMMIT: usize = 12;

/// Returns the commit that last changed a line. `None` if git does not know, or the line is not committed.
pub(super) fn since(location: &Location) -> Option<SinceLine> {
    let path = Path::new(&location.file);
    let name = path.file_name()?.to_str()?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let line = format!("{0},{0}", location.line);
    let plain = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"];
    let blame = ["blame", "--incremental", "--no-textconv", "-L", &line, "--", name];
    let answer = git(folder, &[plain.as_slice(), blame.as_slice()].concat(), Stdio::null()).ok()?;
    commit(&String::from_utf8_lossy(&answer))
}

/// Parses what `git blame --incremental` prints about one line.
fn commit(answer: &str) -> Option<SinceLine> {
    let commit = answer.split(' ').next()?.get(..SHORT_COMMIT)?;
    // A line that is not committed has a commit of zeros.
    if commit.bytes().all(|digit| digit == b'0') || !commit.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let value = |key: &str| answer.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
    Some(SinceLine {
        commit: commit.to_owned(),
        at: Timestamp::from_second(value("author-time")?.parse().ok()?).ok()?,
        author: Printable::cut(value("author")?, LONGEST),
        subject: Printable::cut(value("summary")?, LONGEST),
    })
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn the_commit_of_a_line_is_parsed_and_an_uncommitted_line_has_none() {
        let answer = "d9eba730b454d5d78a51c95db7c432d27a29db0a 8 8 1\nauthor Ana \u{1b}[1m\nauthor-time 1795771492\nsummary first\nfilename a\n";
        let since = commit(answer).unwrap();
        assert_eq!((since.commit.as_str(), since.subject.as_str()), ("d9eba730b454", "first"));
        assert_eq!(since.author.as_str(), "Ana \\u{1b}[1m");
        assert_eq!(since.at.to_string(), "2026-11-27T09:24:52Z");
        assert_eq!(
            commit(&answer.replace("d9eba730b454d5d78a51c95db7c432d27a29db0a", &"0".repeat(40))),
            None
        );
        assert_eq!(commit(""), None);
        assert_eq!(commit("fatal: no such path"), None);
    }
}
