//! Locks that keep a user from running two applies to the same organization at once on the same machine.
//!
//! Since the available folders depend on the session (e.g., a login shell has `XDG_RUNTIME_DIR`, but a cron job doesn't), the
//! lock is taken in all of them. Any two runs then share at least one lock. The kernel releases the lock when the process exits,
//! even if the process is killed.
//!
//! Applies on different machines can still overlap. Even then, their reports are accurate, because an apply sends absolute
//! values, never relies on an old read, and reads back every change.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io::{Error, Read, Seek, Write};
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use ring::digest::{SHA256, digest};

use super::CommandCode;
use crate::own_folder::{OwnFolder, UntrustedFile};
use crate::printable::Printable;
use crate::problem::Problem;

/// The exclusive right of this process to apply changes to an organization. Dropping the value releases the lock.
#[derive(Debug)]
pub struct Lock {
    files: Vec<File>,
    /// The time since another apply last held the lock. `None` if no other apply has held the lock, and zero if the time is
    /// unknown, such as after an apply that was killed.
    unlocked_for: Option<Duration>,
}

/// A folder for the lock, or the path and the error if the folder can't be used.
pub type LockFolder = Result<OwnFolder, (PathBuf, Error)>;

impl Lock {
    /// Takes the lock for the given organization and host in every usable folder.
    ///
    /// # Errors
    /// Fails if another process holds the lock, if no folder is usable, or if the lock's path exists but isn't a regular file
    /// owned by this user.
    pub fn take(
        folders: Vec<LockFolder>,
        host: &str,
        organization: &str,
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let mut refused = no_lock("no folder is available for the lock");
        let mut lock = Self { files: Vec::new(), unlocked_for: None };
        let mut known = BTreeSet::new();
        let name = name(host, organization);
        for folder in folders {
            match hold_once(folder, &mut known, &name, now) {
                Ok(None) => {}
                Ok(Some((file, last))) => {
                    lock.files.push(file);
                    lock.unlocked_for = lock.unlocked_for.into_iter().chain(last).min();
                }
                Err(NotTaken::HeldBy(holder)) => return Err(locked(&holder)),
                Err(NotTaken::Failed(_, error)) if UntrustedFile::is_reason_for(&error) => {
                    return Err(untrusted(&error));
                }
                Err(NotTaken::Failed(folder, error)) => {
                    let folder = Printable::path(folder);
                    refused = no_lock(&format!("cannot take a lock in {folder}: {error}"));
                }
            }
        }
        if lock.files.is_empty() { Err(refused) } else { Ok(lock) }
    }

    /// Returns `true` if another apply held the lock during the last `span`, in which case anything read in that time may be
    /// outdated.
    pub fn was_held_within(&self, span: Duration) -> bool {
        self.unlocked_for.is_some_and(|unlocked_for| unlocked_for <= span)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        for file in &mut self.files {
            // If this fails at any point, the next apply assumes that this process was killed.
            let _ = file
                .rewind()
                .and_then(|()| file.write_all(RELEASED.as_bytes()))
                .and_then(|()| file.set_len(RELEASED.len() as u64));
        }
    }
}

/// The content of the lock file after the lock has been released.
const RELEASED: &str = "released\n";

/// The reason a lock could not be taken.
enum NotTaken {
    /// Another process holds the lock. Contains the text that the process wrote to the lock file.
    HeldBy(String),
    /// The lock can't be taken in this folder.
    Failed(PathBuf, Error),
}

/// Like [`hold`], but returns `None` for a folder that's already in `known`. Two environment variables can refer to the same
/// folder, where a second lock would conflict with our own.
fn hold_once(
    folder: LockFolder,
    known: &mut BTreeSet<PathBuf>,
    name: &str,
    now: Timestamp,
) -> Result<Option<(File, Option<Duration>)>, NotTaken> {
    let folder = folder.map_err(|(path, error)| NotTaken::Failed(path, error))?;
    let failed = |error| NotTaken::Failed(folder.path().to_owned(), error);
    let canonical = folder.path().canonicalize().map_err(failed)?;
    if known.insert(canonical) { hold(&folder, name, now).map(Some) } else { Ok(None) }
}

/// Takes the lock in one folder and writes our process ID and the time to the lock file. Also returns the time since another
/// apply last held the lock.
fn hold(folder: &OwnFolder, name: &str, now: Timestamp) -> Result<(File, Option<Duration>), NotTaken> {
    let failed = |error| NotTaken::Failed(folder.path().to_owned(), error);
    let mut file = folder.open_or_create(name).map_err(failed)?;
    let lock = file.try_lock();
    let mut content = String::new();
    let _ = (&mut file).take(200).read_to_string(&mut content);
    match lock {
        Ok(()) => {}
        Err(TryLockError::Error(error)) => return Err(failed(error)),
        Err(TryLockError::WouldBlock) => return Err(NotTaken::HeldBy(content)),
    }
    let unlocked_for = match &*content {
        "" => None,
        RELEASED => file
            .metadata()
            .and_then(|file| file.modified())
            .ok()
            .and_then(|at| at.elapsed().ok())
            .or(Some(Duration::ZERO)),
        _ => Some(Duration::ZERO),
    };
    let holder = format!("process {}, since {now:.0}\n", std::process::id());
    file.rewind()
        .and_then(|()| file.set_len(0))
        .and_then(|()| file.write_all(holder.as_bytes()))
        .map_err(failed)?;
    Ok((file, unlocked_for))
}

fn name(host: &str, organization: &str) -> String {
    let name = digest(&SHA256, format!("{host}\n{organization}").as_bytes());
    let name: String = name.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("apply-{name}.lock")
}

fn locked(holder: &str) -> Problem {
    let holder = Printable::cut(holder.trim(), 100);
    Problem::new(
        CommandCode::Locked,
        format!("another apply to this organization is running on this machine, or is waiting for confirmation ({holder})"),
    )
    .help("nothing was changed; wait until the other apply ends, or answer its prompt; then run this one again")
}

/// Returns the problem for an untrusted file or folder on the path of a lock. It has no help text, because `error` already says
/// what to do.
pub(super) fn untrusted(error: &Error) -> Problem {
    Problem::new(CommandCode::NoLock, error.to_string())
}

fn no_lock(message: &str) -> Problem {
    Problem::new(CommandCode::NoLock, message)
        .help("make the folder that contains the config, or your home folder (HOME), writable")
}
