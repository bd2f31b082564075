//! Writes the state to its file: whole or not at all, for the owner's eyes only, and never while an answer waits.
//!
//! The new text goes to a temporary file beside the old one and takes its name when it is complete. Leaves to `server` when.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::state::State;
use crate::private;

/// Replaces the file with this state, making its directory if need be.
pub(super) fn save(state: &State, path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent)?;
    }
    let temporary = beside(path);
    let written = write(&temporary, state.to_json().as_bytes()).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one worth telling; a leftover is only untidy.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// In the same directory, or renaming would not be atomic; with the process's number, so that two do not share it.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().map(std::ffi::OsStr::to_os_string).unwrap_or_default();
    name.push(format!(".{}.tmp", std::process::id()));
    path.with_file_name(name)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A leftover of a crashed process with the same number could carry other permissions.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = private::options().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_saved_state_reads_back_and_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/er/pylon.json");
        for count in [3, 5] {
            let state = State::generated(count);
            save(&state, &path).unwrap();
            assert_eq!(State::parse(&fs::read_to_string(&path).unwrap()), Ok(state));
        }
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_saved_state_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pylon.json");
        save(&State::empty(), &path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_save_that_fails_keeps_the_old_file_and_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("is-a-directory");
        fs::create_dir_all(path.join("with-content")).unwrap();
        assert!(save(&State::empty(), &path).is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
