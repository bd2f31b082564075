//! Creates files readable only by their owner and replaces files atomically. Plans, journals, locks, and sandbox states are
//! private because they reveal who has which role.
//!
//! For files named by the user, see [`crate::target_file`].

use std::fs::{self, File, OpenOptions};
use std::io::{Error, ErrorKind, Result, Write};
use std::path::{Path, PathBuf};

/// Returns options for creating files that only their owner can read and write.
pub fn options() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has a mode to set"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}

/// A temporary file in the same folder as the file that it will replace (the target). Because the rename is atomic, the target
/// always has either all of its old contents or all of its new contents.
///
/// The temporary file inherits the owner and mode of the target. If the target doesn't exist, only the current user can access
/// the temporary file unless [`Staged::allow`] sets another mode.
#[derive(Debug)]
pub struct Staged {
    path: PathBuf,
    temporary: PathBuf,
    /// The open temporary file, or `None` once its contents are written. The file is closed early because many files can be
    /// staged at once, and the number of open files is limited.
    file: Option<File>,
}

impl Staged {
    /// Creates the temporary file. If `path` is a symlink, the symlink itself will be replaced, not its target.
    ///
    /// # Errors
    /// Returns an error if `path` is a folder, a device, or a pipe. Also returns an error if no file can be created next to
    /// `path`, or if the owner can't be preserved.
    pub fn open(path: &Path) -> Result<Self> {
        let there = fs::symlink_metadata(path).ok();
        if there.as_ref().is_some_and(|there| !there.is_file() && !there.is_symlink()) {
            return Err(Error::new(ErrorKind::InvalidInput, "it is not a regular file"));
        }
        let staged = Self::create_next_to(path)?;
        if let Some(there) = there.filter(fs::Metadata::is_file) {
            staged.with_file(|file| like(file, &there))?;
        }
        Ok(staged)
    }

    fn create_next_to(path: &Path) -> Result<Self> {
        if path.file_name().is_none() {
            return Err(Error::new(ErrorKind::InvalidInput, "it does not name a file"));
        }
        // Use a random name. A process ID isn't enough because killed processes leave their files behind, and IDs repeat in
        // containers. The target's name isn't included because the result could be too long for a file name.
        loop {
            let temporary = path.with_file_name(format!(".rolecall-{:08x}.tmp", fastrand::u32(..)));
            match options().write(true).create_new(true).open(&temporary) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                opened => return Ok(Self { path: path.to_owned(), temporary, file: Some(opened?) }),
            }
        }
    }

    /// Sets the mode of the temporary file.
    pub fn allow(self, rights: fs::Permissions) -> Result<Self> {
        self.with_file(|file| file.set_permissions(rights))?;
        Ok(self)
    }

    /// Writes the contents to the temporary file and syncs it.
    pub fn fill(mut self, text: &str) -> Result<Self> {
        self.with_file(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))?;
        self.file = None;
        Ok(self)
    }

    fn with_file(&self, act: impl FnOnce(&File) -> Result<()>) -> Result<()> {
        self.file.as_ref().map_or(Ok(()), act)
    }

    /// Replaces the target with the temporary file.
    ///
    /// # Errors
    /// Returns an error if the rename fails, which leaves the target unchanged.
    pub fn place(self) -> Result<()> {
        fs::rename(&self.temporary, &self.path)
    }

    /// Moves the temporary file to the target, but never replaces a target that was created in the meantime.
    ///
    /// # Errors
    /// Returns an error if the target exists (`AlreadyExists`) or cannot be created.
    pub fn place_new(self) -> Result<()> {
        match fs::hard_link(&self.temporary, &self.path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                // Some file systems don't support hard links. Create the target first, so that the rename can replace only our own
                // file.
                options().write(true).create_new(true).open(&self.path)?;
                self.place()
            }
            placed => placed,
        }
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.temporary); // fails after a successful rename
    }
}

/// Copies the owner, group, and mode of an existing file to `file`. The mode is set last because changing the owner clears some
/// of the mode's bits.
#[cfg(unix)]
fn like(file: &File, there: &fs::Metadata) -> Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};

    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (there.uid(), there.gid()) {
        fchown(file, Some(there.uid()), Some(there.gid()))?;
    }
    file.set_permissions(there.permissions())
}

#[cfg(not(unix))]
fn like(file: &File, there: &fs::Metadata) -> Result<()> {
    file.set_permissions(there.permissions())
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_file_is_replaced_atomically_and_no_temporary_file_remains() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        for text in ["one", "two"] {
            let staged = Staged::open(&path).unwrap().fill(text).unwrap();
            assert_ne!(fs::read_to_string(&path).ok().as_deref(), Some(text));
            staged.place().unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        drop(Staged::open(&path).unwrap().fill("three").unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_temporary_file_of_a_killed_process_does_not_stop_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        let killed = std::mem::ManuallyDrop::new(Staged::open(&path).unwrap()); // as if by SIGKILL
        Staged::open(&path).unwrap().fill("whole").unwrap().place().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
        assert!(killed.temporary.exists(), "it may belong to a process that is still running");
    }

    #[test]
    fn a_new_file_does_not_replace_one_that_was_created_in_the_meantime() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        let [first, second] = ["mine", "yours"].map(|text| Staged::open(&path).unwrap().fill(text).unwrap());
        second.place_new().unwrap();
        assert_eq!(first.place_new().unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "yours");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_name_may_have_as_many_bytes_as_file_systems_allow() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("z".repeat(255));
        for text in ["new", "replaced"] {
            Staged::open(&path).unwrap().fill(text).unwrap().place().unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_a_new_file() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        let staged = Staged::open(&path).unwrap();
        assert_eq!(fs::metadata(&staged.temporary).unwrap().permissions().mode() & 0o777, 0o600);
        staged.allow(fs::Permissions::from_mode(0o644)).unwrap().place().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
    }
}
