//! Reads the base version of the files (`--base REV-or-FILE`). Comparing the current files with the base reveals the cause of
//! each edit in the plan.
//!
//! A git revision is read with plumbing commands. The root file, the files it includes, and all symbolic links are copied to a
//! temporary folder, where they are read like any other files.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use glob::{MatchOptions, Pattern};
use tempfile::TempDir;

use super::{CommandCode, folder};
use crate::printable::Printable;
use crate::problem::{Problem, Problems};
use crate::pylon::token;
use crate::regular;
use crate::report::facts::plan::BaseLine;
use crate::roster::Roster;
use crate::roster::read::included_patterns;

/// The base version of the files, along with its name in reports.
#[derive(Debug)]
pub(super) struct Base {
    /// The base roster, or the problems of the base files if they're invalid. In that case, the report shows no causes.
    pub(super) files: Result<Roster, Problems>,
    pub(super) line: BaseLine,
}

/// Reads the base from a file or a git revision, as decided by [`is_file`].
///
/// # Errors
/// Fails if `base` is neither a file nor a revision in the repository of `config`, or if it could be both. Also fails if `config`
/// is a stream and `base` is a revision, or if `git` can't be run. Invalid base files aren't an error, because they've already
/// been merged and the change under review can't fix them.
pub(super) fn read(base: &Path, config: &Path) -> Result<Base, Problem> {
    if is_file(base, config)? {
        // A pipeline may pass an absolute path, which means nothing to the report's readers.
        let name = match base.file_name() {
            Some(last) if base.is_absolute() => Printable::path(last),
            _ => Printable::path(base),
        };
        return Ok(Base::new(name, None, Roster::read(base)));
    }
    let (name, base) = (Printable::path(base), &base.to_string_lossy());
    if regular::is_stream(config) {
        return Err(not_read(
            base,
            "the config is standard input or another stream, so git has no earlier version of it",
        ));
    }
    let folder = folder(config);
    let root = config.file_name().map(PathBuf::from).unwrap_or_default();
    let commit = commit(base, folder)?;
    let copy = copied(&commit, folder, &root).map_err(|error| not_read(base, &error.to_string()))?;
    let root = copy.path().join(root);
    let line_of = Printable::new(&commit);
    // The config doesn't exist in this revision.
    if root.symlink_metadata().is_err() {
        let base = Base::new(name, Some(line_of), Ok(Roster::default()));
        return Ok(Base { line: BaseLine { has_files: false, ..base.line }, ..base });
    }
    let mut files = Roster::read(&root);
    let (from, to) = (format!("{}/", copy.path().display()), format!("{base}:"));
    let sources = match &mut files {
        Ok(roster) => &mut roster.sources,
        Err(Problems { sources, list }) => {
            list.iter_mut().for_each(|problem| problem.message = problem.message.replace(&from, &to));
            sources
        }
    };
    sources.rename(&from, &to);
    Ok(Base::new(name, Some(line_of), files))
}

impl Base {
    fn new(name: Printable, commit: Option<Printable>, files: Result<Roster, Problems>) -> Self {
        let problem = files.as_ref().err().and_then(|problems| problems.list.first());
        let problem = problem.map(|problem| Printable::cut(&problem.message, 200));
        Self { line: BaseLine { name, commit, has_files: true, problem, unwritten: Vec::new() }, files }
    }
}

/// Returns `true` if the argument names a file, and `false` if the argument is treated as a git revision.
///
/// A pull request can add a file with any name, so a file must never take precedence over a revision with the same name. A
/// complete commit ID is always a revision. For any other name that could be both, the user has to decide, as with git's own
/// commands.
///
/// # Errors
/// Fails if the argument names both a file and a revision in the repository of `config`.
pub(super) fn is_file(argument: &Path, config: &Path) -> Result<bool, Problem> {
    let revision = &argument.to_string_lossy();
    let is_commit_id =
        matches!(revision.len(), 40 | 64) && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_commit_id || !argument.exists() || argument.is_dir() {
        return Ok(false);
    }
    let folder = folder(config);
    match git(folder, &resolving(revision), Stdio::null()) {
        Ok(_) => {}
        // Outside a repository, there are no revisions, so the argument must be a file.
        Err(_) if !is_in_repository(folder) => return Ok(true),
        // If git is missing or refuses to run, treat the argument as a file only if a revision is unlikely to have such a name.
        Err(_) if is_named_like_a_file(argument) => return Ok(true),
        Err(error) if error.to_string() == NO_REVISION => return Ok(true),
        Err(error) => return Err(not_read(revision, &error.to_string())),
    }
    let name = Printable::cut(revision, 200);
    let both = Problem::new(CommandCode::NoBase, format!("`{name}` is both a file and a git revision"));
    Err(both.help(format!("write `./{name}` for the file, or the complete commit ID for the revision")))
}

fn is_named_like_a_file(argument: &Path) -> bool {
    let is_toml = argument.extension().is_some_and(|extension| extension == "toml");
    is_toml || argument.has_root() || argument.starts_with(".") || argument.starts_with("..")
}

/// The error message if git fails without printing one, as `git rev-parse --quiet` does for an unknown revision.
const NO_REVISION: &str = "it is neither a file nor a git revision";

/// Returns the git arguments that resolve a revision to the ID of its commit.
fn resolving(revision: &str) -> [String; 5] {
    let wanted = format!("{revision}^{{commit}}");
    ["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted].map(str::to_owned)
}

/// Resolves a revision to the ID of its commit.
fn commit(revision: &str, folder: &Path) -> Result<String, Problem> {
    let answer = git(folder, &resolving(revision), Stdio::null())
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

/// Copies the root file, the files it includes, and all symbolic links below `folder` from `commit` into a temporary folder.
fn copied(commit: &str, folder: &Path, root: &Path) -> io::Result<TempDir> {
    let copy = TempDir::new()?;
    let tree = git(folder, &["ls-tree", "-r", "-z", commit], Stdio::null())?;
    let tree = String::from_utf8_lossy(&tree);
    let (links, files): (Vec<TreeEntry<'_>>, Vec<TreeEntry<'_>>) =
        tree.split('\0').filter_map(TreeEntry::parse).partition(|entry| entry.is_link);
    let link_texts = contents(folder, &links)?;
    let targets: BTreeMap<&Path, PathBuf> = links
        .iter()
        .zip(&link_texts)
        .filter_map(|(link, text)| {
            Some((link.path, target(link.path, Path::new(str::from_utf8(text).ok()?))?))
        })
        .collect();
    let root = &*resolved(root, &targets);
    let root_file: Vec<TreeEntry<'_>> = files.iter().filter(|file| file.path == root).copied().collect();
    let text = contents(folder, &root_file)?.pop().unwrap_or_default();
    let patterns = IncludePatterns::parse(&String::from_utf8_lossy(&text));
    let targets: HashSet<PathBuf> = targets.keys().map(|link| resolved(link, &targets)).collect();
    let mut needed = files;
    needed.retain(|file| file.path == root || patterns.may_include(file.path, &targets));
    for (file, text) in needed.iter().zip(contents(folder, &needed)?) {
        let path = copy.path().join(file.path);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, text)?;
    }
    // Create the links last, so that no file is written through a link. Errors are ignored, since the link may not be needed.
    // If it is, reading the roster reports the missing file.
    for (link, text) in links.iter().zip(&link_texts) {
        let _ = create_link(&copy.path().join(link.path), text);
    }
    Ok(copy)
}

/// The maximum number of symbolic links to follow when resolving a path, the same as on Linux.
const MAX_LINKS: usize = 40;

/// Follows the symbolic links in a path, including links to folders. `targets` maps each link to its target.
fn resolved(path: &Path, targets: &BTreeMap<&Path, PathBuf>) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let link = path.ancestors().find_map(|link| Some((link, targets.get(link)?)));
        let Some((link, target)) = link else { break };
        let rest = path.strip_prefix(link).unwrap_or(Path::new(""));
        path = if rest.as_os_str().is_empty() { target.clone() } else { target.join(rest) };
    }
    path
}

/// A regular file or a symbolic link in a commit.
#[derive(Clone, Copy)]
struct TreeEntry<'t> {
    object: &'t str,
    path: &'t Path,
    is_link: bool,
}

impl<'t> TreeEntry<'t> {
    /// Parses a file or a symbolic link in the output of `git ls-tree`. Returns `None` for any other entry, such as a submodule,
    /// and for a path that leads out of the folder.
    fn parse(entry: &'t str) -> Option<Self> {
        let (about, path) = entry.split_once('\t')?;
        let mut about = about.split(' ');
        let (mode, object) = (about.next()?, about.nth(1)?);
        let path = Path::new(path);
        let is_inside = path.components().all(|part| matches!(part, Component::Normal(_)));
        let is_link = mode == "120000";
        (is_inside && (is_link || mode.starts_with("100"))).then_some(Self { object, path, is_link })
    }
}

/// Resolves the target of a symbolic link, unless the target is outside the folder of the config.
fn target(link: &Path, text: &Path) -> Option<PathBuf> {
    let mut path = link.parent()?.to_owned();
    for part in text.components() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            Component::ParentDir if path.pop() => {}
            _ => return None,
        }
    }
    Some(path)
}

/// Creates a symbolic link. Any target is safe because the roster reader rejects links that lead out of the folder.
#[cfg(unix)]
fn create_link(path: &Path, target: &[u8]) -> io::Result<()> {
    use std::os::unix::{ffi::OsStrExt, fs::symlink};
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    symlink(std::ffi::OsStr::from_bytes(target), path)
}

/// Does nothing, because only privileged users can create symbolic links on this platform.
#[cfg(not(unix))]
fn create_link(_: &Path, _: &[u8]) -> io::Result<()> {
    Ok(())
}

/// The `include` patterns of a root file, along with the last path component of each pattern.
pub(super) struct IncludePatterns {
    whole: Vec<Pattern>,
    names: Vec<Pattern>,
}

impl IncludePatterns {
    pub(super) fn parse(root: &str) -> Self {
        Self::new(&included_patterns(root))
    }

    pub(super) fn new(written: &[String]) -> Self {
        // Skip invalid patterns here, because reading the roster reports them.
        let pattern = |path: &Path| Pattern::new(&path.to_string_lossy()).ok();
        let without_dots = |pattern: &String| {
            Path::new(pattern).components().filter(|part| *part != Component::CurDir).collect::<PathBuf>()
        };
        let whole = written.iter().filter_map(|text| pattern(&without_dots(text)));
        let names = written.iter().filter_map(|text| pattern(Path::new(text).file_name()?.as_ref()));
        Self { whole: whole.collect(), names: names.collect() }
    }

    /// Returns `true` if a pattern matches the file, whose path is relative to the root file's folder.
    pub(super) fn include(&self, file: &Path) -> bool {
        let options = MatchOptions { require_literal_separator: true, ..MatchOptions::new() };
        self.whole.iter().any(|pattern| pattern.matches_path_with(file, options))
    }

    /// Returns `true` if a pattern matches the file, or could match it through a symbolic link to the file or to one of its
    /// parent folders.
    fn may_include(&self, file: &Path, targets: &HashSet<PathBuf>) -> bool {
        let is_named = || {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            self.names.iter().any(|pattern| pattern.matches(&name))
        };
        self.include(file)
            || targets.contains(file)
            || is_named() && file.ancestors().any(|folder| targets.contains(folder))
    }
}

/// Reads the contents of these entries, in order. For each object, `git cat-file --batch` prints a header line that ends with the
/// length of the content, then the content and a line feed.
fn contents(folder: &Path, entries: &[TreeEntry<'_>]) -> io::Result<Vec<Vec<u8>>> {
    let cut_short =
        || io::Error::new(io::ErrorKind::UnexpectedEof, "git returned fewer files than requested");
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let mut wanted = tempfile::tempfile()?;
    entries.iter().try_for_each(|entry| writeln!(wanted, "{}", entry.object))?;
    io::Seek::rewind(&mut wanted)?;
    let output = git(folder, &["cat-file", "--batch"], Stdio::from(wanted))?;
    let mut rest = output.as_slice();
    let mut contents = Vec::new();
    for _ in entries {
        let end = rest.iter().position(|byte| *byte == b'\n').ok_or_else(cut_short)?;
        let head = String::from_utf8_lossy(&rest[..end]);
        let length: usize =
            head.rsplit(' ').next().and_then(|length| length.parse().ok()).ok_or_else(cut_short)?;
        contents.push(rest.get(end + 1..end + 1 + length).ok_or_else(cut_short)?.to_owned());
        rest = rest.get(end + 2 + length..).unwrap_or_default();
    }
    Ok(contents)
}

/// The environment variables through which git tells hooks and aliases which repository to use. They're removed because the
/// files to read may be in another repository.
const OTHER_REPOSITORY: [&str; 5] =
    ["GIT_COMMON_DIR", "GIT_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_WORK_TREE"];

/// Returns `true` if the folder or one of its parents contains `.git`, so that git finds the repository without environment
/// variables. Otherwise, git may need a variable such as `GIT_DIR`.
fn is_in_repository(folder: &Path) -> bool {
    let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    folder.ancestors().any(|ancestor| ancestor.join(".git").exists())
}

/// Runs `git` in a folder and returns its standard output. The error contains the first nonblank line of git's standard error.
pub(super) fn git(folder: &Path, arguments: &[impl AsRef<OsStr>], input: Stdio) -> io::Result<Vec<u8>> {
    let mut command = Command::new("git");
    if is_in_repository(folder) {
        for variable in OTHER_REPOSITORY {
            command.env_remove(variable);
        }
    }
    let output = command
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .env_remove(token::VARIABLE) // git hooks and filters must not get the token
        .env("LC_ALL", "C") // git's messages end up in our reports, which are in English
        .stdin(input)
        .output()
        .map_err(|error| io::Error::new(error.kind(), format!("cannot run git: {error}")))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().find(|line| !line.trim().is_empty());
    Err(io::Error::other(line.unwrap_or(NO_REVISION).to_owned()))
}
