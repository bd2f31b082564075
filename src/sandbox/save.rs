//! Writes the state file when `server` decides to save. New files are readable only by their owner.

use std::{fs, io, path::Path, path::PathBuf};

use super::state::SandboxState;
use crate::private::Staged;
use crate::target_file::TargetFile;

/// The file in which a sandbox saves its state.
#[derive(Debug, Clone)]
pub enum StateFile {
    /// A file chosen by the user. Symbolic links are followed, and an existing file keeps its mode (see [`TargetFile`]).
    Named(PathBuf),
    /// A file in rolecall's own folder. Symbolic links aren't followed, and the file is replaced atomically.
    Own(PathBuf),
}

impl StateFile {
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Named(path) | Self::Own(path) => path,
        }
    }

    /// Writes the state to the file, creating its parent folder if needed.
    pub(super) fn write(&self, state: &SandboxState) -> io::Result<()> {
        if let Some(parent) = self.path().parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::create_dir_all(parent)?;
        }
        match self {
            Self::Named(path) => TargetFile::open(path)?.write(state.to_json()),
            Self::Own(path) => Staged::open(path)?.fill(&state.to_json())?.place(),
        }
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_saved_state_reads_back_and_leaves_no_temporary_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/er/pylon.json");
        for count in [3, 5] {
            let state = SandboxState::invented(count);
            StateFile::Named(path.clone()).write(&state).unwrap();
            assert_eq!(SandboxState::parse(&fs::read_to_string(&path).unwrap()), Ok(state));
        }
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_can_read_a_saved_state() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pylon.json");
        StateFile::Own(path.clone()).write(&SandboxState::default()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_failed_save_keeps_the_old_file_and_leaves_no_temporary_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("is-a-directory");
        fs::create_dir_all(path.join("with-content")).unwrap();
        for file in [StateFile::Named(path.clone()), StateFile::Own(path)] {
            assert!(file.write(&SandboxState::default()).is_err());
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
