//! Manages rolecall's own folders: `.rolecall` next to the root file, and the folders for its locks.
//!
//! Because `.rolecall` can come from a repository, its contents aren't trusted. This module never follows symbolic links inside it
//! and uses only regular files and folders owned by the current user (owners are checked only on Unix). Anything else results in an
//! [`UntrustedFile`] error before anything is written.
//!
//! On Unix, files are opened relative to an open folder (`openat`), so no folder on the path can be replaced with a symbolic link
//! between checking and opening the file.

use std::fs::{self, File};
use std::io::{Error, ErrorKind, Result, Write};
use std::path::{Path, PathBuf};

use crate::printable::Printable;

/// The name of the folder next to the root file.
pub const NAME: &str = ".rolecall";

/// The error for a path in one of rolecall's own folders that isn't a regular file or folder owned by the current user.
#[derive(Debug, thiserror::Error)]
#[error(
    "{} {why}, so rolecall does not use it. Check it, then delete it",
    Printable::path(.path.strip_prefix(".").unwrap_or(.path))
)]
pub struct UntrustedFile {
    path: PathBuf,
    why: String,
}

impl UntrustedFile {
    fn error(path: PathBuf, why: impl Into<String>) -> Error {
        Error::new(ErrorKind::InvalidInput, Self { path, why: why.into() })
    }

    /// Returns `true` if the error was caused by an untrusted file.
    pub fn is_reason_for(error: &Error) -> bool {
        error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Self>)
    }
}

/// One of rolecall's own folders, such as `.rolecall`. On Unix, the folder is kept open.
#[derive(Debug)]
pub struct OwnFolder {
    path: PathBuf,
    #[cfg(unix)]
    folder: std::os::fd::OwnedFd,
}

impl OwnFolder {
    /// Opens `.rolecall` in `folder`, creating it if necessary. A `.gitignore` inside `.rolecall` makes git ignore its contents.
    pub fn open_or_create_in(folder: &Path) -> Result<Self> {
        let own = Self::at(folder)?.folder(NAME)?;
        match own.create_new(".gitignore") {
            Ok(mut file) => {
                if let Err(error) = file.write_all(b"*\n") {
                    let _ = fs::remove_file(own.path.join(".gitignore")); // so that the next run writes it again
                    return Err(error);
                }
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => drop(own.open(".gitignore")?),
            Err(error) => return Err(error),
        }
        Ok(own)
    }

    /// Opens `.rolecall` in `folder`.
    ///
    /// # Errors
    /// Returns `NotFound` if the folder doesn't exist.
    pub fn open_in(folder: &Path) -> Result<Self> {
        fs::symlink_metadata(folder.join(NAME))?;
        Self::at(folder)?.folder(NAME)
    }

    /// Opens a folder chosen by the user or the environment, creating it if necessary. Symbolic links in its path are followed.
    pub fn open_or_create_at(path: &Path) -> Result<Self> {
        fs::create_dir_all(path)?;
        Self::at(path)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a file for reading.
    pub fn open(&self, name: &str) -> Result<File> {
        self.file(name, OpenMode::Read)
    }

    /// Opens a file for reading and writing, creating it if necessary.
    pub fn open_or_create(&self, name: &str) -> Result<File> {
        self.file(name, OpenMode::OpenOrCreate)
    }

    /// Creates a file for appending. Like every file that this module creates, it's readable only by its owner.
    ///
    /// # Errors
    /// Returns `AlreadyExists` if the path exists, even as a dangling symbolic link.
    pub fn create_new(&self, name: &str) -> Result<File> {
        self.file(name, OpenMode::CreateNew)
    }
}

#[derive(Debug, Clone, Copy)]
enum OpenMode {
    Read,
    OpenOrCreate,
    CreateNew,
}

#[cfg(unix)]
mod system {
    use std::os::fd::AsFd;
    use std::os::unix::fs::MetadataExt;

    use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};
    use rustix::io::Errno;
    use rustix::process::geteuid;

    use super::{Error, ErrorKind, File, OpenMode, OwnFolder, Path, Result, UntrustedFile, fs};

    const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
    /// With `NONBLOCK`, opening a pipe returns without waiting for a peer, so that the pipe can be rejected.
    const FILE: OFlags =
        OFlags::NOFOLLOW.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

    impl OwnFolder {
        pub(super) fn at(path: &Path) -> Result<Self> {
            Ok(Self { path: path.to_owned(), folder: openat(CWD, path, FOLDER, Mode::empty())? })
        }

        /// Opens a subfolder, creating it if necessary.
        pub fn folder(&self, name: &str) -> Result<Self> {
            let path = self.path.join(name);
            match mkdirat(&self.folder, name, Mode::from(0o777)) {
                Ok(()) => self.sync()?,
                Err(Errno::EXIST) => {}
                Err(errno) => return Err(errno.into()),
            }
            let folder = openat(&self.folder, name, FOLDER | OFlags::NOFOLLOW, Mode::empty())
                .map_err(|errno| explained(errno, &path))?;
            let folder = File::from(folder);
            is_trusted(&folder, &path)?;
            Ok(Self { path, folder: folder.into() })
        }

        pub(super) fn file(&self, name: &str, how: OpenMode) -> Result<File> {
            let path = self.path.join(name);
            let flags = match how {
                OpenMode::Read => OFlags::RDONLY,
                OpenMode::OpenOrCreate => OFlags::RDWR | OFlags::CREATE,
                OpenMode::CreateNew => OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::EXCL,
            };
            let file = openat(&self.folder, name, flags | FILE, Mode::from(0o600))
                .map_err(|errno| explained(errno, &path))?;
            let file = File::from(file);
            if !file.metadata()?.is_file() {
                return Err(UntrustedFile::error(path, "is not a regular file"));
            }
            is_trusted(&file, &path)?;
            Ok(file)
        }

        /// Syncs the folder so that the names of new files survive a crash.
        pub fn sync(&self) -> Result<()> {
            synced(File::from(self.folder.as_fd().try_clone_to_owned()?).sync_all())
        }
    }

    fn is_trusted(file: &File, path: &Path) -> Result<()> {
        let (owner, user) = (file.metadata()?.uid(), geteuid().as_raw());
        if owner == user {
            return Ok(());
        }
        Err(UntrustedFile::error(
            path.to_owned(),
            format!("belongs to user {owner}, but rolecall runs as user {user}"),
        ))
    }

    /// Converts an error from opening a path to [`UntrustedFile`] if the path is a symbolic link or has the wrong type. Checks
    /// the path itself because the error code for a symbolic link depends on the platform.
    fn explained(errno: Errno, path: &Path) -> Error {
        if errno == Errno::EXIST {
            return errno.into();
        }
        let kind = fs::symlink_metadata(path).map(|metadata| metadata.file_type());
        match kind {
            Ok(kind) if kind.is_symlink() => UntrustedFile::error(path.to_owned(), "is a symbolic link"),
            Ok(kind) if errno == Errno::NOTDIR && !kind.is_dir() => {
                UntrustedFile::error(path.to_owned(), "is not a folder")
            }
            Ok(kind) if matches!(errno, Errno::ISDIR | Errno::NXIO) && !kind.is_file() => {
                UntrustedFile::error(path.to_owned(), "is not a regular file")
            }
            _ => errno.into(),
        }
    }

    /// Ignores the error from a file system that can't sync folders.
    pub(super) fn synced(done: Result<()>) -> Result<()> {
        match done {
            Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
            done => done,
        }
    }

    pub fn sync_folder(path: &Path) -> Result<()> {
        synced(File::open(path)?.sync_all())
    }
}

/// A fallback for platforms without `openat`. It checks each path before opening it.
#[cfg(not(unix))]
mod system {
    use super::{Error, ErrorKind, File, OpenMode, OwnFolder, Path, Result, UntrustedFile, fs};
    use crate::private;

    impl OwnFolder {
        pub(super) fn at(path: &Path) -> Result<Self> {
            fs::metadata(path)?;
            Ok(Self { path: path.to_owned() })
        }

        /// Opens a subfolder, creating it if necessary.
        pub fn folder(&self, name: &str) -> Result<Self> {
            let path = self.path.join(name);
            match fs::create_dir(&path) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
                _ if !fs::symlink_metadata(&path)?.is_dir() => {
                    return Err(UntrustedFile::error(path, "is a link or not a folder"));
                }
                _ => Ok(Self { path }),
            }
        }

        pub(super) fn file(&self, name: &str, how: OpenMode) -> Result<File> {
            let path = self.path.join(name);
            let is_refused = |metadata: fs::Metadata| !metadata.is_file();
            if !matches!(how, OpenMode::CreateNew) && fs::symlink_metadata(&path).is_ok_and(is_refused) {
                return Err(UntrustedFile::error(path, "is a link or not a regular file"));
            }
            let mut options = private::options();
            match how {
                OpenMode::Read => options.read(true),
                OpenMode::OpenOrCreate => options.read(true).write(true).create(true).truncate(false),
                OpenMode::CreateNew => options.append(true).create_new(true),
            };
            options.open(path)
        }

        /// Does nothing because folders can't be synced on this platform.
        pub fn sync(&self) -> Result<()> {
            Ok::<(), Error>(())
        }
    }

    pub fn sync_folder(_: &Path) -> Result<()> {
        Ok(())
    }
}

/// Syncs any folder, not just one of rolecall's own, so that the names of new files survive a crash.
pub use system::sync_folder;

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn files_are_private_to_their_owner_and_ignored_by_git() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            let own = OwnFolder::open_or_create_in(folder.path()).unwrap();
            own.sync().unwrap();
            own.open_or_create("a.lock").unwrap();
            assert_eq!(fs::read_to_string(own.path().join(".gitignore")).unwrap(), "*\n");
            assert_eq!(fs::metadata(own.path().join("a.lock")).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let own = OwnFolder::open_or_create_in(folder.path()).unwrap();
        assert_eq!(own.create_new("a.lock").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(own.open("nowhere").unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn no_link_is_followed_and_only_files_and_folders_are_used() {
        let folder = tempfile::tempdir().unwrap();
        let own = OwnFolder::open_or_create_in(folder.path()).unwrap();
        let outside = folder.path().join("outside");
        fs::write(&outside, "mine").unwrap();
        for target in [outside.as_path(), Path::new("nowhere"), folder.path(), Path::new("/dev/null")] {
            let _ = fs::remove_file(own.path().join("link"));
            symlink(target, own.path().join("link")).unwrap();
            for refused in [
                own.open("link"),
                own.open_or_create("link"),
                own.folder("link").map(|_| File::open(&outside).unwrap()),
            ] {
                let error = refused.unwrap_err();
                assert!(UntrustedFile::is_reason_for(&error), "{target:?}: {error}");
                assert!(
                    error.to_string().contains(".rolecall/link is a symbolic link"),
                    "{target:?}: {error}"
                );
            }
            assert_eq!(own.create_new("link").unwrap_err().kind(), ErrorKind::AlreadyExists);
        }
        assert!(!own.path().join("nowhere").exists());
        fs::create_dir(own.path().join("folder")).unwrap();
        fs::write(own.path().join("file"), "").unwrap();
        let refused =
            [own.open("folder").err(), own.open_or_create("folder").err(), own.folder("file").err()];
        for error in refused {
            assert!(UntrustedFile::is_reason_for(error.as_ref().unwrap()), "{error:?}");
        }
        assert_eq!(fs::read_to_string(outside).unwrap(), "mine");
    }

    #[test]
    fn a_folder_that_is_a_link_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        symlink(outside.path(), folder.path().join(NAME)).unwrap();
        assert!(UntrustedFile::is_reason_for(&OwnFolder::open_or_create_in(folder.path()).unwrap_err()));
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    }
}
