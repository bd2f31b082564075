//! One apply of one organisation at a time, on this machine, for this user.
//!
//! The lock is the kernel's and dies with its process: nothing is left over by a run that was killed. On two machines
//! nothing can prevent two applies; absolute values, freshness and reading back keep both reports true.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
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
    _file: File,
}

impl Lock {
    /// Takes the lock of an organisation at a host.
    ///
    /// # Errors
    /// Somebody else has it, or it cannot be had at all.
    pub fn take(folder: &Path, host: &str, organization: &str, now: Timestamp) -> Result<Self, Problem> {
        let failed = |error: &std::io::Error| {
            Problem::new(
                Code::NoLock,
                format!("no lock can be taken in {}: {error}", Printable::new(&folder.to_string_lossy())),
            )
            .help("the folder of the config must be writable, or HOME")
        };
        fs::create_dir_all(folder).map_err(|error| failed(&error))?;
        let mut file = open(&path(folder, host, organization)).map_err(|error| failed(&error))?;
        match file.try_lock() {
            Ok(()) => {
                let holder = format!("process {}, since {now:.0}\n", std::process::id());
                let written = file.set_len(0).and_then(|()| file.write_all(holder.as_bytes()));
                written.map_err(|error| failed(&error))?;
                Ok(Self { _file: file })
            }
            Err(TryLockError::WouldBlock) => Err(taken(&mut file)),
            Err(TryLockError::Error(error)) => Err(failed(&error)),
        }
    }
}

fn path(folder: &Path, host: &str, organization: &str) -> PathBuf {
    let name = digest(&SHA256, format!("{host}\n{organization}").as_bytes());
    let name: String = name.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    folder.join(format!("apply-{name}.lock"))
}

fn open(path: &Path) -> std::io::Result<File> {
    private::options().read(true).write(true).create(true).truncate(false).open(path)
}

fn taken(file: &mut File) -> Problem {
    let mut holder = String::new();
    let _ = file.rewind().and_then(|()| file.take(200).read_to_string(&mut holder));
    let holder = Printable::cut(holder.trim(), 100);
    Problem::new(
        Code::Locked,
        format!("another apply of this organisation is under way on this machine ({holder})"),
    )
    .help("wait until it has ended; nothing was changed by this one")
}
