//! One apply of one organisation at a time, on this machine, for this user.
//!
//! Which places there are depends on the session: a login has `XDG_RUNTIME_DIR`, a job of cron has none. So the lock is held in
//! every place that can be had, and two runs meet in at least one. It is the kernel's and dies with its process: nothing is left
//! over by a run that was killed. On two machines nothing can prevent two applies; absolute values, freshness and reading back
//! keep both reports true.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use ring::digest::{SHA256, digest};

use super::Code;
use crate::printable::Printable;
use crate::private;
use crate::problem::Problem;

/// The right to apply, for as long as it lives.
#[derive(Debug)]
pub struct Lock {
    _files: Vec<File>,
}

impl Lock {
    /// Takes the lock of an organisation at a host, in each of these folders where one can be made.
    ///
    /// # Errors
    /// Somebody else has it in one of them, or it cannot be had in any.
    pub fn take(
        folders: &[PathBuf],
        host: &str,
        organization: &str,
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let mut refused = no_lock("there is no folder for a lock".into());
        let mut taken = BTreeMap::new();
        for folder in folders {
            let held = place(folder).and_then(|place| {
                // Two variables may name one folder, and a lock keeps out its own process too.
                if let Entry::Vacant(entry) = taken.entry(place) {
                    let file = hold(&path(entry.key(), host, organization), now)?;
                    entry.insert(file);
                }
                Ok(())
            });
            match held {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return Err(locked(&path(folder, host, organization)));
                }
                Err(error) => {
                    let folder = Printable::new(&folder.to_string_lossy());
                    refused = no_lock(format!("no lock can be taken in {folder}: {error}"));
                }
            }
        }
        if taken.is_empty() { Err(refused) } else { Ok(Self { _files: taken.into_values().collect() }) }
    }
}

/// The folder, made if need be, as it is called whichever way it is spelt.
fn place(folder: &Path) -> std::io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    fs::canonicalize(folder)
}

/// Holds the lock of one place, and writes who does.
fn hold(path: &Path, now: Timestamp) -> std::io::Result<File> {
    let mut file = open(path)?;
    file.try_lock()?;
    let holder = format!("process {}, since {now:.0}\n", std::process::id());
    file.set_len(0).and_then(|()| file.write_all(holder.as_bytes()))?;
    Ok(file)
}

fn path(folder: &Path, host: &str, organization: &str) -> PathBuf {
    let name = digest(&SHA256, format!("{host}\n{organization}").as_bytes());
    let name: String = name.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    folder.join(format!("apply-{name}.lock"))
}

fn open(path: &Path) -> std::io::Result<File> {
    private::options().read(true).write(true).create(true).truncate(false).open(path)
}

fn locked(path: &Path) -> Problem {
    let mut holder = String::new();
    let _ = open(path).and_then(|file| file.take(200).read_to_string(&mut holder));
    let holder = Printable::cut(holder.trim(), 100);
    Problem::new(
        Code::Locked,
        format!("another apply of this organisation is under way on this machine ({holder})"),
    )
    .help("wait until it has ended; nothing was changed by this one")
}

fn no_lock(message: String) -> Problem {
    Problem::new(Code::NoLock, message).help("the folder of the config must be writable, or HOME")
}
