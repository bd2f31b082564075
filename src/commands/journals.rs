//! Creates journals in `.rolecall/journal` next to the config, or at the path passed to `--journal`, and finds the newest ones.
//!
//! This module guarantees that each apply gets its own journal and that the journal's name is on disk before any change is
//! sent. `apply::journal` defines the contents.

use std::cmp::Reverse;
use std::fs::{self, File, TryLockError};
use std::io::{Error, ErrorKind, Read, Result, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::folder;
use super::place::may_select;
use crate::apply::journal::{self, JournalLine};
use crate::cli::ConnectionArgs;
use crate::own_folder::{NAME, OwnFolder, sync_folder};
use crate::private;
use crate::regular::{self, Unreadable};

/// The name of the folder in `.rolecall` that contains the journals.
const JOURNALS: &str = "journal";
/// The maximum length of a journal's first line, in bytes.
const LONGEST_BEGIN: u64 = 64 * 1024;
/// The maximum length of a journal's last line, in bytes.
const LONGEST_END: u64 = 1024;

/// Creates the journal for an apply that begins `now`, and returns it along with its path.
pub(super) fn create(given: Option<&Path>, config: &Path, now: Timestamp) -> Result<(File, PathBuf)> {
    match given {
        Some(path) => Ok((named_by_user(path)?, path.to_owned())),
        None => in_own_folder(folder(config), now),
    }
}

/// Creates a journal in `.rolecall/journal`. The file name includes a random part because processes in two containers can have the
/// same ID and start a journal in the same second. If the name is still taken, another one is tried, so an existing journal is
/// never opened.
fn in_own_folder(folder: &Path, now: Timestamp) -> Result<(File, PathBuf)> {
    let journals = OwnFolder::open_or_create_in(folder)?.folder(JOURNALS)?;
    loop {
        let (time, process) = (now.strftime("%Y%m%dT%H%M%SZ"), std::process::id());
        let name = format!("{time}-{process}-{:08x}.jsonl", fastrand::u32(..));
        match journals.create_new(&name) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(file) => {
                mark_running(&file);
                journals.sync()?;
                return Ok((file, journals.path().join(name)));
            }
        }
    }
}

/// Checks that an apply could create its journal and its lock in `folder`. The check itself leaves no files behind.
pub(super) fn check_writable(folder: &Path) -> Result<()> {
    let deepest = match OwnFolder::open_in(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => folder.to_owned(),
        Err(error) => return Err(error),
        Ok(own) => {
            let journals = own.path().join(JOURNALS);
            if journals.is_dir() { journals } else { own.path().to_owned() }
        }
    };
    tempfile::tempfile_in(deepest)?.write_all(b"\n")
}

/// Locks the journal for as long as the file is open, which lets [`is_running`] detect the run. On a network file system
/// without locks, a running apply looks like a killed one.
#[cfg(unix)]
fn mark_running(file: &File) {
    let _ = file.try_lock();
}

/// Does nothing, because locked files can't be read on this platform.
#[cfg(not(unix))]
fn mark_running(_: &File) {}

/// Returns `true` if the run writing this journal is still alive on this machine. The kernel releases the lock when the process
/// exits, even if it's killed. Call this before reading the journal, or a run that ends in between looks killed.
pub(super) fn is_running(journal: &Path) -> bool {
    // Don't open a pipe here, because closing it again would leave the writer without a reader.
    let is_file = fs::metadata(journal).is_ok_and(|metadata| metadata.is_file());
    is_file
        && File::open(journal)
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Opens the path of `--journal` the way a shell opens the target of `>>`: symbolic links are followed and devices are allowed.
fn named_by_user(path: &Path) -> Result<File> {
    let (file, is_new) = match private::options().append(true).create_new(true).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => (open_there(path)?, false),
        opened => (opened?, true),
    };
    if file.metadata()?.is_file() {
        is_unused(&file)?;
    }
    if is_new {
        sync_folder(folder(path))?;
    }
    Ok(file)
}

/// Opens an existing file or device. If the path is a dangling symbolic link, creates its target.
fn open_there(path: &Path) -> Result<File> {
    #[cfg(unix)]
    if fs::metadata(path).is_ok_and(|there| std::os::unix::fs::FileTypeExt::is_fifo(&there.file_type())) {
        return Err(Error::other("it is a pipe")); // opening it would block until there is a reader
    }
    private::options().append(true).create(true).open(path)
}

/// Checks that no other apply is using the file or has used it, because `rollback` would otherwise undo both applies. Two applies
/// that start at the same time detect each other by the lock, which is held until the file is closed.
fn is_unused(file: &File) -> Result<()> {
    if let Err(TryLockError::WouldBlock) = file.try_lock() {
        return Err(Error::other("another apply is writing it"));
    }
    if file.metadata()?.len() > 0 {
        return Err(Error::other("the file is not empty, and each apply needs a new journal"));
    }
    Ok(())
}

/// Returns the newest journal of a run against the Pylon or sandbox that these options select.
pub(super) fn newest_for(folder: &Path, asked: &ConnectionArgs) -> Option<PathBuf> {
    newest(folder).into_iter().find(|journal| is_for(journal, asked))
}

/// Returns `true` if the journal's run was against the Pylon selected by these options, or if the journal's first line can't be
/// read. A run with `--sandbox` must not hide a run against the real Pylon.
pub(super) fn is_for(journal: &Path, asked: &ConnectionArgs) -> bool {
    host(journal).is_none_or(|host| may_select(asked, &host))
}

/// Reads a journal and returns the lines that can be parsed, skipping damaged lines.
pub(super) fn lines(journal: &Path) -> std::result::Result<Vec<JournalLine>, Unreadable> {
    Ok(journal::read(&journal::decode(regular::bytes(journal, journal::LARGEST)?)).0)
}

/// Returns the host in the first line of a journal.
fn host(journal: &Path) -> Option<String> {
    match first_line(journal)? {
        JournalLine::Begin { host, .. } => Some(host),
        _ => None,
    }
}

fn is_rollback(journal: &Path) -> bool {
    matches!(first_line(journal), Some(JournalLine::Begin { command, .. }) if command == "rollback")
}

/// Returns the first line of a journal, or `None` if it can't be read.
pub(super) fn first_line(journal: &Path) -> Option<JournalLine> {
    serde_json::from_str(&regular::first_line(journal, LONGEST_BEGIN).ok()?).ok()
}

/// Returns the path of the journal that a rollback undoes, so that the next `rollback` can use it again. `rollback` is the path
/// of the rollback's own journal, and `undoes` is the path recorded there. Journals may have been moved together, so the folder
/// that contains the rollback's journal is tried first. Returns `None` if neither path is a file.
pub(super) fn undone_by(rollback: &Path, undoes: Option<&str>) -> Option<PathBuf> {
    let undoes = Path::new(undoes?);
    let in_same_folder = rollback.with_file_name(undoes.file_name()?);
    // A relative path could name a different journal in this folder.
    let recorded = undoes.is_absolute().then(|| undoes.to_owned());
    let found = [Some(in_same_folder), recorded].into_iter().flatten().find(|path| path.is_file())?;
    let here = std::env::current_dir().unwrap_or_default();
    Some(found.strip_prefix(here).map(Path::to_owned).unwrap_or(found))
}

/// Returns the newest journal for these options if it has no end record, or if it's for a rollback that was stopped. Only the first
/// line and the end of the file are read.
pub(super) fn unfinished(folder: &Path, asked: &ConnectionArgs) -> Option<PathBuf> {
    let newest = newest_for(folder, asked)?;
    let mut file = File::open(&newest).ok()?;
    let start = file.metadata().ok()?.len().saturating_sub(LONGEST_END);
    file.seek(SeekFrom::Start(start)).ok()?;
    let mut tail = Vec::new();
    file.take(LONGEST_END).read_to_end(&mut tail).ok()?;
    let tail = String::from_utf8_lossy(&tail);
    let last = tail.lines().next_back().map(serde_json::from_str);
    let has_ended = match last {
        Some(Ok(JournalLine::End { stopped, .. })) => !stopped || !is_rollback(&newest),
        _ => false,
    };
    (!has_ended).then_some(newest)
}

/// Returns this folder's journals, newest first. The file names start with the time in seconds, so journals from the same second
/// are sorted by modification time. Symbolic links are skipped because they may come from the repository.
pub(super) fn newest(folder: &Path) -> Vec<PathBuf> {
    let own = folder.join(NAME);
    let journals = own.join(JOURNALS);
    let is_folder = |path: &Path| fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
    if !is_folder(&own) || !is_folder(&journals) {
        return Vec::new();
    }
    let entries = fs::read_dir(journals).into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    let bare = |path: PathBuf| path.strip_prefix(".").map(Path::to_owned).unwrap_or(path);
    let paths = files.map(|entry| bare(entry.path()));
    let mut journals: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).collect();
    let second = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.split('-').next().unwrap_or_default().to_owned()
    };
    let modified = |path: &Path| fs::metadata(path).and_then(|there| there.modified()).ok();
    journals.sort_by_cached_key(|path| Reverse((second(path), path.clone())));
    for same_second in journals.chunk_by_mut(|one, other| second(one) == second(other)) {
        if same_second.len() > 1 {
            same_second.sort_by_cached_key(|path| Reverse((modified(path), path.clone())));
        }
    }
    journals
}
