//! Where the journals of applies are: in `.rolecall/journal` next to the config, or where `--journal` says.
//!
//! Guarantees that each apply has its own journal, and that its name is on disk before anything is sent. Leaves what is in a
//! journal to `apply::journal`.

use std::fs::{self, File, TryLockError};
use std::io::{Error, ErrorKind, Read, Result, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::folder;
use crate::apply::journal::JournalLine;
use crate::own_folder::{NAME, OwnFolder, sync_folder};
use crate::private;

/// The name of the folder of journals.
const JOURNALS: &str = "journal";
/// The maximum length of the last line of a journal, in bytes.
const LONGEST_END: u64 = 1024;

/// Makes the journal of an apply that begins `now`. Returns it with its path.
pub(super) fn create(given: Option<&Path>, config: &Path, now: Timestamp) -> Result<(File, PathBuf)> {
    match given {
        Some(path) => Ok((named_by_user(path)?, path.to_owned())),
        None => in_own_folder(&folder(config), now),
    }
}

/// Processes in two containers may have the same ID in the same second, so the name also has a random part. If another process has
/// the same name anyway, it has its own file: an existing one is never opened.
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

/// Locks the journal as long as it is open, so that [`is_running`] sees it. Without locks, as on some network file systems, it only seems
/// to be a journal of a killed run.
#[cfg(unix)]
fn mark_running(file: &File) {
    let _ = file.try_lock();
}

/// Does nothing, because a locked file cannot be read on this system.
#[cfg(not(unix))]
fn mark_running(_: &File) {}

/// Returns whether the run that writes this journal is still running on this machine. The kernel releases its lock when the process ends,
/// even if it is killed. Ask this before the journal is read. Otherwise, a run that ends in between seems to be killed.
pub(super) fn is_running(journal: &Path) -> bool {
    File::open(journal).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Opens a path of `--journal` as a shell does for `>>`: links are followed, and devices are allowed.
fn named_by_user(path: &Path) -> Result<File> {
    let (file, is_new) = match private::options().append(true).create_new(true).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => (open_there(path)?, false),
        opened => (opened?, true),
    };
    if file.metadata()?.is_file() {
        is_unused(&file)?;
    }
    if is_new {
        sync_folder(&folder(path))?;
    }
    Ok(file)
}

/// Opens what is there, or what a link that leads nowhere leads to.
fn open_there(path: &Path) -> Result<File> {
    #[cfg(unix)]
    if fs::metadata(path).is_ok_and(|there| std::os::unix::fs::FileTypeExt::is_fifo(&there.file_type())) {
        return Err(Error::other("it is a pipe")); // which would wait for its reader
    }
    private::options().append(true).create(true).open(path)
}

/// Checks that no other apply uses the file, because `rollback` undoes everything in a journal. Two applies that start at the same
/// time detect each other by the lock, which lasts as long as the file is open.
fn is_unused(file: &File) -> Result<()> {
    if let Err(TryLockError::WouldBlock) = file.try_lock() {
        return Err(Error::other("another apply is writing it"));
    }
    if file.metadata()?.len() > 0 {
        return Err(Error::other("the file is not empty, and each apply needs a new journal"));
    }
    Ok(())
}

/// Returns the newest journal of this folder if it has no end. Reads only its last bytes.
pub(super) fn unfinished(folder: &Path) -> Option<PathBuf> {
    let newest = newest(folder).into_iter().next()?;
    let mut file = File::open(&newest).ok()?;
    let start = file.metadata().ok()?.len().saturating_sub(LONGEST_END);
    file.seek(SeekFrom::Start(start)).ok()?;
    let mut tail = Vec::new();
    file.take(LONGEST_END).read_to_end(&mut tail).ok()?;
    let tail = String::from_utf8_lossy(&tail);
    let last = tail.lines().next_back().map(serde_json::from_str);
    let has_end = matches!(last, Some(Ok(JournalLine::End { .. })));
    (!has_end).then_some(newest)
}

/// The journals that applies of this folder have kept, the newest first: their names begin with the time. Links are left out,
/// since they may come with a repository.
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
    journals.sort_unstable_by(|one, other| other.cmp(one));
    journals
}
