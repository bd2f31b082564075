//! Files for their owner alone, since plans, journals, locks and the sandbox's state hold who is what; and files that are there
//! whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{Error, ErrorKind, Result, Write};
use std::path::{Path, PathBuf};

/// To open a file with; one that is made so can be read and written by its owner alone, where files have owners.
pub fn options() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "there is no mode to set"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}

/// A file that will be there whole or not at all: written beside its place and renamed there. For its owner alone, unless
/// [`Staged::allow`] says otherwise.
#[derive(Debug)]
pub struct Staged {
    path: PathBuf,
    temporary: PathBuf,
    file: File,
}

impl Staged {
    /// Makes sure that it can be written, long before it is. A device or a pipe is never replaced.
    ///
    /// # Errors
    /// It is no regular file, or its folder takes no other.
    pub fn open(path: &Path) -> Result<Self> {
        if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(Error::new(ErrorKind::InvalidInput, "it is no regular file"));
        }
        let name = path.file_name().ok_or_else(|| Error::new(ErrorKind::InvalidInput, "it names no file"))?;
        // By chance and not by the process: in a container every run has the same number, and one that was killed would leave
        // a file in the way of all others.
        loop {
            let temporary =
                path.with_file_name(format!(".{}.{:08x}.tmp", name.to_string_lossy(), fastrand::u32(..)));
            match options().write(true).create_new(true).open(&temporary) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                opened => return Ok(Self { path: path.to_owned(), temporary, file: opened? }),
            }
        }
    }

    /// Others may do with it what they may do with a file of these rights.
    ///
    /// # Errors
    /// Those of the system.
    pub fn allow(self, rights: fs::Permissions) -> Result<Self> {
        self.file.set_permissions(rights)?;
        Ok(self)
    }

    /// Writes its text, which nobody sees yet.
    ///
    /// # Errors
    /// There is no room for it.
    pub fn fill(mut self, text: &str) -> Result<Self> {
        self.file.write_all(text.as_bytes())?;
        self.file.sync_all()?;
        Ok(self)
    }

    /// Puts it into its place, over whatever is there.
    ///
    /// # Errors
    /// The system refuses; then what was there is there still.
    pub fn place(self) -> Result<()> {
        fs::rename(&self.temporary, &self.path)
    }

    /// Puts it into its place, if nothing is there: not even what came a moment ago.
    ///
    /// # Errors
    /// Something is there (`AlreadyExists`), or the system refuses.
    pub fn place_new(self) -> Result<()> {
        match fs::hard_link(&self.temporary, &self.path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                // Some file systems have no links. There the name is taken first, and only what took it is replaced.
                options().write(true).create_new(true).open(&self.path)?;
                self.place()
            }
            placed => placed,
        }
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.temporary); // gone already where it was renamed
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn what_is_in_its_place_is_whole_and_nothing_lies_beside_it() {
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
    fn what_a_killed_run_of_the_same_number_has_left_is_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        fs::write(folder.path().join(format!(".plan.json.{}.tmp", std::process::id())), "half").unwrap();
        let killed = std::mem::ManuallyDrop::new(Staged::open(&path).unwrap()); // as by SIGKILL
        Staged::open(&path).unwrap().fill("whole").unwrap().place().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
        assert!(killed.temporary.exists(), "it may be somebody's who is still at work");
    }

    #[test]
    fn a_new_file_goes_over_none_that_came_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        let [first, second] = ["mine", "yours"].map(|text| Staged::open(&path).unwrap().fill(text).unwrap());
        second.place_new().unwrap();
        assert_eq!(first.place_new().unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "yours");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        let staged = Staged::open(&path).unwrap();
        assert_eq!(staged.file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        staged.allow(fs::Permissions::from_mode(0o644)).unwrap().place().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
    }
}
