//! Checks that a command won't overwrite a file it needs, such as the roster, the token, or a saved plan.
//!
//! The checks run before the roster is read and before any file is opened for writing. They're based on the command line, file
//! metadata, and the start of existing output files.

use std::fs;
use std::path::{Path, PathBuf};

use super::base::IncludePatterns;
use super::{CommandCode, CommandError, folder};
use crate::cli::{Command, CommandFacts, Common};
use crate::printable::Printable;
use crate::problem::Problem;
use crate::regular::{self, is_stdin, is_stream};
use crate::roster::read::{declares_people, included_patterns};

/// Checks all files on the command line and, with `--sandbox`, the sandbox's files next to the config.
pub(super) fn check(command: &Command, common: &Common) -> Result<(), CommandError> {
    let CommandFacts { connection, read, written, uses_config, .. } = command.facts();
    let config = uses_config.then_some(common.config.as_path());
    if read.iter().copied().chain(config).filter(|path| is_stdin(path)).count() > 1 {
        return Err(same_file("only one of the files that this run reads can be standard input".into()));
    }
    let mut needed: Vec<FileIdentity> =
        read.into_iter().filter(|path| !is_stdin(path)).map(FileIdentity::new).collect();
    if connection.is_some_and(|asked| asked.sandbox) {
        let folder = folder(&common.config);
        needed.extend(
            [".rolecall/sandbox.json", "pylon.json"].map(|name| FileIdentity::new(&folder.join(name))),
        );
    }
    if let Some((what, path)) = written {
        not_over_files(path, common)?;
        needed.push(not_over(needed.as_slice(), what, path)?);
    }
    let mut reports = Vec::new();
    for (_, path) in &common.report {
        let place = not_over(&needed, "a report", path)?;
        if reports.contains(&place) {
            return Err(same_file(format!("two reports would be written to {}", Printable::path(path))));
        }
        not_over_files(path, common)?;
        reports.push(place);
    }
    Ok(())
}

/// The number of bytes to parse at the start of an existing output file, to find out whether it declares people. The number is
/// small because parsing needs about fifty times as much memory.
const LOOKED_AT: usize = 16 * 1024;

fn not_over(needed: &[FileIdentity], what: &str, path: &Path) -> Result<FileIdentity, CommandError> {
    let place = FileIdentity::new(path);
    if needed.contains(&place) {
        return Err(same_file(format!(
            "{what} would overwrite {}, which this run needs",
            Printable::path(path)
        )));
    }
    Ok(place)
}

/// Fails if the path is the config, an existing TOML file, any other file that declares people, or a file that the config includes.
fn not_over_files(path: &Path, common: &Common) -> Result<(), CommandError> {
    let is_toml = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("toml")) && path.exists();
    let is_config = || FileIdentity::new(path) == FileIdentity::new(&common.config);
    let declares_people =
        || regular::start(path, LOOKED_AT as u64).is_ok_and(|start| declares_people(&start, LOOKED_AT));
    if !is_toml && !is_config() && !declares_people() {
        let Some(pattern) = including(path, &common.config) else { return Ok(()) };
        let message = format!(
            "refusing to write {}, because the root file would include it ({})",
            Printable::path(path),
            Printable::cut(&pattern, 200)
        );
        let problem = Problem::new(CommandCode::OverFiles, message);
        return Err(CommandError::usage(
            problem.help("name a file that `include` does not match; nothing was read or written"),
        ));
    }
    let message = format!("refusing to overwrite {}, which may declare people", Printable::path(path));
    let problem = Problem::new(CommandCode::OverFiles, message);
    Err(CommandError::usage(problem.help("name another file; nothing was read or written")))
}

/// Returns the first `include` pattern of the root file that matches this path, if any.
fn including(path: &Path, config: &Path) -> Option<String> {
    let root = if is_stream(config) { return None } else { regular::start(config, LOOKED_AT as u64).ok()? };
    // If the path is a link, a pattern can match the link or its target.
    let own_place = path.file_name().map(|name| place_of(folder(path)).join(name));
    let places: Vec<PathBuf> = own_place.into_iter().chain([place_of(path)]).collect();
    let home = place_of(folder(config));
    let inside = || places.iter().filter_map(|place| place.strip_prefix(&home).ok());
    included_patterns(&root).into_iter().find(|pattern| {
        let pattern = IncludePatterns::new(std::slice::from_ref(pattern));
        inside().any(|path| pattern.include(path))
    })
}

fn same_file(message: String) -> CommandError {
    let help = "use a different file for each; nothing was read or written";
    CommandError::usage(Problem::new(CommandCode::SameFile, message).help(help))
}

/// The identity of a file, regardless of the path leading to it.
struct FileIdentity {
    path: PathBuf,
    /// Whether the file is a terminal, a pipe, or another device, which several outputs can share without overwriting each other.
    is_device: bool,
    /// The device and inode, which are the same for every hard link to the file and through every bind mount. `None` if the file
    /// doesn't exist or isn't a regular file.
    #[cfg(unix)]
    id: Option<(u64, u64)>,
}

impl FileIdentity {
    fn new(path: &Path) -> Self {
        Self {
            path: place_of(path),
            is_device: fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir()),
            #[cfg(unix)]
            id: fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|there| {
                use std::os::unix::fs::MetadataExt;
                (there.dev(), there.ino())
            }),
        }
    }
}

impl PartialEq for FileIdentity {
    fn eq(&self, other: &Self) -> bool {
        #[cfg(unix)]
        if self.id.is_some() && self.id == other.id {
            return true;
        }
        self.path == other.path && !self.is_device
    }
}

/// The maximum number of symbolic links to follow when resolving a path, the same as on Linux.
const MAX_LINKS: u8 = 40;

/// Canonicalizes a path, even if the file or its folder doesn't exist.
pub(super) fn place_of(path: &Path) -> PathBuf {
    place_through(path, MAX_LINKS)
}

/// Like [`place_of`], but follows at most this number of links to files that don't exist yet.
fn place_through(path: &Path, links: u8) -> PathBuf {
    let target = || Some((folder(path).join(fs::read_link(path).ok()?), links.checked_sub(1)?));
    fs::canonicalize(path).unwrap_or_else(|_| match (target(), path.file_name()) {
        (Some((target, left)), _) => place_through(&target, left),
        (None, Some(name)) => place_through(folder(path), links).join(name),
        (None, None) => path.to_owned(),
    })
}
