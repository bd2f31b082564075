//! Files for their owner alone, since plans, journals, locks and the sandbox's state hold who is what; files that are there
//! whole or not at all; and files that the user named, which are written as a shell's `>` writes them.

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
    /// The system refuses; then what was there is there still, unless it is a mount point.
    pub fn place(self) -> Result<()> {
        match fs::rename(&self.temporary, &self.path) {
            // A file that is mounted by itself, as into a container, cannot be replaced.
            Err(error) if error.kind() == ErrorKind::ResourceBusy => {
                let mut target = OpenOptions::new().write(true).truncate(true).open(&self.path)?;
                std::io::copy(&mut File::open(&self.temporary)?, &mut target)?;
                target.sync_all()
            }
            placed => placed,
        }
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

/// A file that the user named, for one text. It is written as a shell's `>` would: through links, into the file that is there,
/// which keeps its rights, owner and other names; and into pipes and devices. A new file is there whole or not at all.
#[derive(Debug)]
pub struct Redirect(Target);

#[derive(Debug)]
enum Target {
    New(Staged),
    Existing(File),
}

impl Redirect {
    /// Makes sure that it can be written, long before it is, and changes nothing.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn open(path: &Path) -> Result<Self> {
        match OpenOptions::new().write(true).open(path) {
            Ok(file) => Ok(Self(Target::Existing(file))),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Ok(Self(Target::New(Staged::open(&behind_links(path))?)))
            }
            Err(error) => Err(error),
        }
    }

    /// Writes the text in place of what is there.
    ///
    /// # Errors
    /// Not all of it could be written.
    pub fn write(self, text: &str) -> Result<()> {
        let mut file = match self.0 {
            Target::New(staged) => return staged.fill(text)?.place(),
            Target::Existing(file) => file,
        };
        let is_regular = file.metadata()?.is_file();
        if is_regular {
            file.set_len(0)?;
        }
        file.write_all(text.as_bytes())?;
        // Some file systems tell only now that there is no room.
        if is_regular { file.sync_all() } else { file.flush() }
    }
}

/// Where a path leads if its last part is a link, be it to nowhere.
pub fn behind_links(path: &Path) -> PathBuf {
    const MOST: usize = 40; // as Linux follows
    let mut path = path.to_owned();
    for _ in 0..MOST {
        let Ok(target) = fs::read_link(&path) else { break };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    path
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
    fn what_the_user_names_is_written_as_a_shell_would() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("there"), "a longer text").unwrap();
        fs::set_permissions(path("there"), fs::Permissions::from_mode(0o640)).unwrap();
        fs::hard_link(path("there"), path("twin")).unwrap();
        symlink("there", path("link")).unwrap();
        symlink("link", path("link2")).unwrap();
        symlink("new", path("dangling")).unwrap();
        symlink("loop", path("loop")).unwrap();
        let before = fs::metadata(path("there")).unwrap();
        for name in ["there", "link", "link2"] {
            let redirect = Redirect::open(&path(name)).unwrap();
            redirect.write(name).unwrap();
            assert_eq!(fs::read_to_string(path("twin")).unwrap(), name);
        }
        let after = fs::metadata(path("there")).unwrap();
        assert_eq!((before.ino(), before.mode()), (after.ino(), after.mode()));
        drop(Redirect::open(&path("there")).unwrap());
        assert_eq!(
            fs::read_to_string(path("there")).unwrap(),
            "link2",
            "nothing is changed before it is written"
        );
        Redirect::open(&path("dangling")).unwrap().write("new").unwrap();
        assert_eq!(fs::read_to_string(path("new")).unwrap(), "new");
        assert!(path("dangling").is_symlink() && path("link2").is_symlink());
        Redirect::open(Path::new("/dev/null")).unwrap().write("gone").unwrap();
        for name in ["loop", "nowhere/new", "."] {
            assert!(Redirect::open(&path(name)).is_err(), "{name}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 7);
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
