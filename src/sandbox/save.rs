//! Writes the state to its file, which only its owner can read if it is new.
//!
//! Leaves to `server` when.

use std::{fs, io, path::Path};

use super::StateFile;
use super::state::State;
use crate::private::Staged;
use crate::target_file::TargetFile;

/// The path of the file.
pub(super) fn path_of(file: &StateFile) -> &Path {
    match file {
        StateFile::Named(path) | StateFile::Own(path) => path,
    }
}

/// Replaces the file with this state, and makes its folder if it does not exist.
pub(super) fn save(state: &State, file: &StateFile) -> io::Result<()> {
    let path = path_of(file);
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent)?;
    }
    match file {
        StateFile::Named(path) => TargetFile::open(path)?.write(state.to_json()),
        StateFile::Own(path) => Staged::open(path)?.fill(&state.to_json())?.place(),
    }
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
            save(&state, &StateFile::Named(path.clone())).unwrap();
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
        save(&State::empty(), &StateFile::Own(path.clone())).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_save_that_fails_keeps_the_old_file_and_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("is-a-directory");
        fs::create_dir_all(path.join("with-content")).unwrap();
        for file in [StateFile::Named(path.clone()), StateFile::Own(path)] {
            assert!(save(&State::empty(), &file).is_err());
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
