//! Locks: one apply of an organization at a time, per user and machine.
//!
//! The available folders depend on the session: a login has `XDG_RUNTIME_DIR`, and a cron job does not. So the lock is taken in every
//! folder that is available, and two runs share at least one. The kernel releases it when the process ends, even if it is killed.
//! Applies on two machines are not prevented. Absolute values, fresh reads, and reading back keep both reports true.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::{File, TryLockError};
use std::io::{Error, Read, Write};
use std::path::PathBuf;

use jiff::Timestamp;
use ring::digest::{SHA256, digest};

use super::CommandCode;
use crate::own_folder::{OwnFolder, UntrustedFile};
use crate::printable::Printable;
use crate::problem::Problem;

/// The right to apply. Dropping it releases the lock.
#[derive(Debug)]
pub struct Lock {
    _files: Vec<File>,
}

/// A folder for a lock, or the path of one that cannot be used, and the reason.
pub type LockFolder = Result<OwnFolder, (PathBuf, Error)>;

impl Lock {
    /// Takes the lock of an organization at a host, in each folder that can be used.
    ///
    /// # Errors
    /// Another process has the lock, no folder can be used, or something other than a file of the user is in its place.
    pub fn take(
        folders: Vec<LockFolder>,
        host: &str,
        organization: &str,
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let mut refused = no_lock("there is no folder for a lock");
        let mut taken = BTreeMap::new();
        for folder in folders {
            let held = folder.and_then(|folder| {
                let path = folder.path().to_owned();
                let canonical = path.canonicalize().map_err(|error| (path.clone(), error))?;
                // Two variables may name the same folder, and a lock also excludes its own process.
                if let Entry::Vacant(entry) = taken.entry(canonical) {
                    match hold(&folder, &name(host, organization), now) {
                        Ok(file) => drop(entry.insert(file)),
                        Err(Held::By(holder)) => return Ok(Some(holder)),
                        Err(Held::Not(error)) => return Err((path, error)),
                    }
                }
                Ok(None)
            });
            match held {
                Ok(None) => {}
                Ok(Some(holder)) => return Err(locked(&holder)),
                Err((_, error)) if UntrustedFile::is_reason_for(&error) => {
                    return Err(no_lock(&error.to_string()));
                }
                Err((folder, error)) => {
                    let folder = Printable::new(&folder.to_string_lossy());
                    refused = no_lock(&format!("cannot take a lock in {folder}: {error}"));
                }
            }
        }
        if taken.is_empty() { Err(refused) } else { Ok(Self { _files: taken.into_values().collect() }) }
    }
}

/// Why a lock is not held.
enum Held {
    /// Another process has it, which has written this.
    By(String),
    Not(Error),
}

/// Takes the lock in one folder, and writes the process ID to it.
fn hold(folder: &OwnFolder, name: &str, now: Timestamp) -> Result<File, Held> {
    let mut file = folder.open_or_create(name).map_err(Held::Not)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::Error(error)) => return Err(Held::Not(error)),
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = file.take(200).read_to_string(&mut holder);
            return Err(Held::By(holder));
        }
    }
    let holder = format!("process {}, since {now:.0}\n", std::process::id());
    file.set_len(0).and_then(|()| file.write_all(holder.as_bytes())).map_err(Held::Not)?;
    Ok(file)
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
        format!("another apply of this organization is running on this machine ({holder})"),
    )
    .help("nothing was changed; wait until the other apply ends, then run this one again")
}

pub(super) fn no_lock(message: &str) -> Problem {
    Problem::new(CommandCode::NoLock, message).help("make the folder of the config or HOME writable")
}
