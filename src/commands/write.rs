//! Files that hold who is what: for their owner alone, and whole or not at all.

use std::fs::{self, File};
use std::io::{Error, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::private;

/// Writes `text` beside `path` and renames it there. A device or a pipe is never replaced.
pub(super) fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    Staged::open(path)?.finish(text)
}

/// Writes a file anew that was read as `before`, with the rights it has; unless somebody has written it since.
pub(super) fn replace(path: &Path, before: &str, after: &str) -> std::io::Result<()> {
    let path = fs::canonicalize(path)?; // the file behind a link, not the link
    if fs::read(&path)? != before.as_bytes() {
        return Err(Error::other("it was changed while rolecall was at work; run again"));
    }
    let rights = fs::metadata(&path)?.permissions();
    let staged = Staged::open(&path)?;
    staged.file.set_permissions(rights)?;
    staged.finish(after)
}

/// A file that will be there whole or not at all: written beside its place and renamed there.
#[derive(Debug)]
pub(super) struct Staged {
    path: PathBuf,
    temporary: PathBuf,
    file: File,
}

impl Staged {
    /// Makes sure that it can be written, long before it is.
    pub(super) fn open(path: &Path) -> std::io::Result<Self> {
        if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(Error::new(ErrorKind::InvalidInput, "it is no regular file"));
        }
        let name = path.file_name().ok_or_else(|| Error::new(ErrorKind::InvalidInput, "it names no file"))?;
        let folder = super::folder(path);
        let temporary = folder.join(format!(".{}.{}.tmp", name.to_string_lossy(), std::process::id()));
        let file = private::options().write(true).create_new(true).open(&temporary)?;
        Ok(Self { path: path.to_owned(), temporary, file })
    }

    /// The same, for a file that others may read as any file of theirs: it goes into git.
    pub(super) fn readable(path: &Path) -> std::io::Result<Self> {
        let staged = Self::open(path)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            staged.file.set_permissions(fs::Permissions::from_mode(0o644))?;
        }
        Ok(staged)
    }

    /// Puts `text` into its place.
    pub(super) fn finish(mut self, text: &str) -> std::io::Result<()> {
        self.file.write_all(text.as_bytes())?;
        self.file.sync_all()?;
        fs::rename(&self.temporary, &self.path)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.temporary); // gone already where it was renamed
    }
}
