//! The base version of the files, which the plan is compared with: `--base REV-or-FILE`.
//!
//! A git revision is read with plumbing commands and copied to a temporary folder. An `include` pattern may match any TOML file,
//! so all of them are copied. Symbolic links, and paths that lead out of the folder, are skipped.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::{CommandCode, folder};
use crate::printable::Printable;
use crate::problem::{Problem, Problems};
use crate::pylon::token;
use crate::report::facts::plan::BaseLine;
use crate::roster::Roster;

/// The base version of the files, along with its name in reports.
#[derive(Debug)]
pub(super) struct Base {
    /// If the base files are invalid, the report shows no causes.
    pub(super) files: Result<Roster, Problems>,
    pub(super) line: BaseLine,
}

/// Reads the base from a file or, if there's no such file, from a git revision.
///
/// # Errors
/// Fails if `base` is neither a file nor a revision in the repository of `config`, or if `git` can't be run. Invalid base files
/// aren't an error: they've already been merged, and the change under review can't fix them.
pub(super) fn read(base: &Path, config: &Path) -> Result<Base, Problem> {
    let name = |path: &Path| Printable::cut(&path.to_string_lossy(), 200);
    if base.is_file() {
        // A pipeline may pass an absolute path, which means nothing to the report's readers.
        let name = match base.file_name() {
            Some(last) if base.is_absolute() => name(last.as_ref()),
            _ => name(base),
        };
        return Ok(Base::new(name, None, Roster::read(base)));
    }
    let (name, base) = (name(base), &base.to_string_lossy());
    let folder = &folder(config);
    let root = config.file_name().map(PathBuf::from).unwrap_or_default();
    let commit = commit(base, folder)?;
    let copy = copied(&commit, folder, &root).map_err(|error| not_read(base, &error.to_string()))?;
    let root = copy.path().join(root);
    let line_of = Printable::new(&commit);
    if !root.exists() {
        return Ok(Base { files: Ok(Roster::default()), line: BaseLine::without_files(name, line_of) });
    }
    let mut files = Roster::read(&root);
    let sources = match &mut files {
        Ok(roster) => &mut roster.sources,
        Err(problems) => &mut problems.sources,
    };
    sources.rename(&format!("{}/", copy.path().display()), &format!("{base}:"));
    Ok(Base::new(name, Some(line_of), files))
}

impl Base {
    fn new(name: Printable, commit: Option<Printable>, files: Result<Roster, Problems>) -> Self {
        let problem = files.as_ref().err().and_then(|problems| problems.list.first());
        let problem = problem.map(|problem| Printable::cut(&problem.message, 200));
        Self { line: BaseLine { name, commit, has_files: true, problem, unwritten: Vec::new() }, files }
    }
}

/// Resolves a revision to the ID of its commit.
fn commit(revision: &str, folder: &Path) -> Result<String, Problem> {
    let wanted = format!("{revision}^{{commit}}");
    let answer =
        git(folder, &["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted], Stdio::null())
            .map_err(|error| not_read(revision, &error.to_string()))?;
    Ok(String::from_utf8_lossy(&answer).trim().to_owned())
}

fn not_read(base: &str, why: &str) -> Problem {
    let base = Printable::cut(base, 200);
    Problem::new(CommandCode::NoBase, format!("cannot read the base `{base}`: {}", Printable::cut(why, 200))).help(
        "name a file, or a revision of the git repository that contains the config, as in --base main; in a pipeline, fetch \
         that revision first",
    )
}

/// Copies the root file and all TOML files below `folder` from `commit` into a temporary folder.
fn copied(commit: &str, folder: &Path, root: &Path) -> io::Result<TempDir> {
    let copy = TempDir::new()?;
    let tree = git(folder, &["ls-tree", "-r", "-z", commit], Stdio::null())?;
    let mut files = Vec::new();
    let mut wanted = tempfile::tempfile()?;
    for entry in String::from_utf8_lossy(&tree).split('\0') {
        if let Some((object, path)) = config_file(entry, root) {
            writeln!(wanted, "{object}")?;
            files.push(copy.path().join(path));
        }
    }
    io::Seek::rewind(&mut wanted)?;
    let contents = git(folder, &["cat-file", "--batch"], Stdio::from(wanted))?;
    write_each(&files, &contents)?;
    Ok(copy)
}

/// Parses an entry of `git ls-tree` into its object ID and path. Returns `None` unless it's a regular file inside the folder and
/// either the root file or a TOML file.
fn config_file<'e>(entry: &'e str, root: &Path) -> Option<(&'e str, &'e Path)> {
    let (about, path) = entry.split_once('\t')?;
    let mut about = about.split(' ');
    let (mode, object) = (about.next()?, about.nth(1)?);
    let path = Path::new(path);
    let is_inside = path.components().all(|part| matches!(part, Component::Normal(_)));
    let is_toml = path.extension().is_some_and(|extension| extension == "toml");
    (mode.starts_with("100") && is_inside && (is_toml || path == root)).then_some((object, path))
}

/// Splits the output of `git cat-file --batch` into files. Each object consists of a header line that ends with the length, the
/// content, and a line feed.
fn write_each(files: &[PathBuf], mut contents: &[u8]) -> io::Result<()> {
    let cut_short =
        || io::Error::new(io::ErrorKind::UnexpectedEof, "git returned fewer files than requested");
    for path in files {
        let end = contents.iter().position(|byte| *byte == b'\n').ok_or_else(cut_short)?;
        let head = String::from_utf8_lossy(&contents[..end]);
        let length: usize =
            head.rsplit(' ').next().and_then(|length| length.parse().ok()).ok_or_else(cut_short)?;
        let text = contents.get(end + 1..end + 1 + length).ok_or_else(cut_short)?;
        contents = contents.get(end + 2 + length..).unwrap_or_default();
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        File::create(path)?.write_all(text)?;
    }
    Ok(())
}

/// Runs `git` in a folder and returns its standard output. The error contains the first line of its standard error.
pub(super) fn git(folder: &Path, arguments: &[&str], input: Stdio) -> io::Result<Vec<u8>> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .env_remove(token::VARIABLE) // git hooks and filters must not get the token
        .env("LC_ALL", "C") // git's messages end up in our reports
        .stdin(input)
        .output()
        .map_err(|error| io::Error::new(error.kind(), format!("cannot run git: {error}")))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().find(|line| !line.trim().is_empty());
    Err(io::Error::other(line.unwrap_or("it is neither a file nor a git revision").to_owned()))
}
