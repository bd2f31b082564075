//! Writes text to a file chosen by the user, much like `>` in a shell.
//!
//! * Symbolic links are followed, and devices and pipes are written to. A regular file retains its owner, mode, and hard links.
//! * If possible, a regular file is replaced atomically. It's written in place if it's a mount point, if it has several hard
//!   links, if its folder doesn't allow new files, or if its owner can't be preserved. A full disk can then leave the file
//!   corrupted.
//! * Unlike with `>`, new files are readable only by their owner.
//! * [`TargetFile::open`] detects errors as early as possible, before anything is changed.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Result, Write};
use std::path::{Path, PathBuf};

use crate::private::Staged;
use crate::regular::is_below;

/// A file chosen by the user that has been checked to be writable.
#[derive(Debug)]
pub struct TargetFile(WriteMethod);

/// A [`TargetFile`] whose new content is ready but not yet in place.
#[derive(Debug)]
pub struct FilledFile {
    method: WriteMethod,
    text: String,
}

#[derive(Debug)]
enum WriteMethod {
    /// A file that doesn't exist yet.
    New(Staged),
    /// A regular file to replace, or to write in place if replacing it fails.
    Replace(Staged, PathBuf),
    /// A regular file that has several hard links, or for which no temporary file with the same owner and mode can be created.
    InPlace(PathBuf),
    /// A device, a pipe, or this process's own standard output or standard error.
    Stream(File),
}

impl TargetFile {
    /// Checks that the file can be written, without changing it.
    pub fn open(path: &Path) -> Result<Self> {
        let path = follow_links(path);
        let method = match fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => WriteMethod::New(Staged::open(&path)?),
            Err(error) => return Err(error),
            Ok(there) => match own_stream(&there)? {
                Some(stream) => WriteMethod::Stream(stream),
                None => existing(&path, &there)?,
            },
        };
        Ok(Self(method))
    }

    /// Prepares the new content without changing the file.
    pub fn fill(self, text: String) -> Result<FilledFile> {
        let method = match self.0 {
            WriteMethod::New(staged) => WriteMethod::New(staged.fill(&text)?),
            WriteMethod::Replace(staged, there) => WriteMethod::Replace(staged.fill(&text)?, there),
            method @ (WriteMethod::InPlace(_) | WriteMethod::Stream(_)) => method,
        };
        Ok(FilledFile { method, text })
    }

    /// Prepares the text and writes it to the file in one step.
    pub fn write(self, text: String) -> Result<()> {
        self.fill(text)?.place()
    }
}

impl FilledFile {
    /// Writes the prepared text to the file.
    pub fn place(self) -> Result<()> {
        let Self { method, text } = self;
        match method {
            WriteMethod::New(staged) => staged.place(),
            // We can't replace a mount point, as in a container (EBUSY), or another user's file in a folder with the sticky bit
            // (EPERM).
            WriteMethod::Replace(staged, path) => staged.place().or_else(|_| in_place(&path, &text)),
            WriteMethod::InPlace(path) => in_place(&path, &text),
            WriteMethod::Stream(mut stream) => {
                stream.write_all(text.as_bytes()).and_then(|()| stream.flush())
            }
        }
    }
}

/// Determines how to write to an existing path. The file is opened for writing even if it will be replaced, so that a read-only
/// file causes an error.
fn existing(path: &Path, there: &fs::Metadata) -> Result<WriteMethod> {
    let file = OpenOptions::new().write(true).open(path)?;
    if !there.is_file() {
        return Ok(WriteMethod::Stream(file));
    }
    if has_several_names(there) {
        return Ok(WriteMethod::InPlace(path.to_owned()));
    }
    match Staged::open(path) {
        Ok(staged) => Ok(WriteMethod::Replace(staged, path.to_owned())),
        // Running out of file descriptors is temporary and no reason to write in place.
        #[cfg(unix)]
        Err(error) if is_out_of_descriptors(&error) => Err(error),
        Err(_) => Ok(WriteMethod::InPlace(path.to_owned())),
    }
}

#[cfg(unix)]
fn is_out_of_descriptors(error: &std::io::Error) -> bool {
    use rustix::io::Errno;
    Errno::from_io_error(error).is_some_and(|errno| matches!(errno, Errno::MFILE | Errno::NFILE))
}

/// Overwrites the old content and truncates the file last, so that a full disk destroys as little of the old content as possible.
fn in_place(path: &Path, text: &str) -> Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.set_len(text.len() as u64)?;
    file.sync_all() // some file systems report a full disk only at this point
}

#[cfg(unix)]
fn has_several_names(there: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(there) > 1
}

#[cfg(not(unix))]
fn has_several_names(_: &fs::Metadata) -> bool {
    false
}

/// Returns standard output or standard error if the path, such as `/dev/stdout`, refers to one of them. If the stream is redirected
/// to a file, opening that file again would create a second file offset, and writes through the two would overwrite each other.
#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "the caller removes secrets from the text")]
fn own_stream(there: &fs::Metadata) -> Result<Option<File>> {
    use std::os::fd::AsFd;
    use std::os::unix::fs::MetadataExt;

    let (stdout, stderr) = (std::io::stdout(), std::io::stderr());
    for stream in [stdout.as_fd(), stderr.as_fd()] {
        let Ok(status) = stream.try_clone_to_owned().and_then(|stream| File::from(stream).metadata()) else {
            continue;
        };
        if (status.dev(), status.ino()) == (there.dev(), there.ino()) {
            return Ok(Some(File::from(stream.try_clone_to_owned()?)));
        }
    }
    Ok(None)
}

#[cfg(not(unix))]
fn own_stream(_: &fs::Metadata) -> Result<Option<File>> {
    Ok(None)
}

/// Resolves symbolic links in the last component of a path. The target doesn't have to exist.
pub fn follow_links(path: &Path) -> PathBuf {
    const MAX_LINKS: usize = 40; // same as on Linux
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(target) = fs::read_link(&path) else { break };
        // `/proc/self/fd/1` refers to a file that a process has open. Open the link itself because its target can be a pipe
        // or a deleted file.
        if is_below(&path, &["/proc"]) {
            break;
        }
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    path
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

    use pretty_assertions::assert_eq;

    use super::*;

    fn write(path: &Path, text: &str) {
        TargetFile::open(path).unwrap().write(text.into()).unwrap();
    }

    fn names(folder: &Path) -> Vec<String> {
        let names =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn links_are_followed_and_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("sub")).unwrap();
        fs::write(path("sub/there"), "a longer text").unwrap();
        symlink("sub/there", path("link")).unwrap();
        symlink("link", path("link2")).unwrap();
        symlink("sub/new", path("dangling")).unwrap();
        symlink("loop", path("loop")).unwrap();
        write(&path("link2"), "text");
        write(&path("dangling"), "new");
        assert_eq!(fs::read_to_string(path("sub/there")).unwrap(), "text");
        assert_eq!(fs::read_to_string(path("sub/new")).unwrap(), "new");
        for link in ["link", "link2", "dangling"] {
            assert!(path(link).is_symlink(), "{link}");
        }
        for name in ["loop", "nowhere/new", "."] {
            assert!(TargetFile::open(&path(name)).is_err(), "{name}");
        }
        assert_eq!(names(&path("sub")), ["new", "there"]);
    }

    #[test]
    fn a_regular_file_is_replaced_as_a_whole_and_keeps_its_owner_and_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report");
        fs::write(&path, "a longer text").unwrap();
        let _ = chown(&path, Some(1234), Some(4321)); // succeeds only as root
        fs::set_permissions(&path, fs::Permissions::from_mode(0o664)).unwrap();
        let before = fs::metadata(&path).unwrap();
        let filled = TargetFile::open(&path).unwrap().fill("text".into()).unwrap();
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "a longer text",
            "nothing is changed before it is placed"
        );
        filled.place().unwrap();
        let after = fs::metadata(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "text");
        let rights = |file: &fs::Metadata| (file.uid(), file.gid(), file.mode());
        assert_eq!(rights(&after), rights(&before));
        assert_ne!(after.ino(), before.ino());
        assert_eq!(names(folder.path()), ["report"]);
    }

    #[test]
    fn a_file_that_cannot_be_replaced_is_written_in_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("mounted"), "a longer text").unwrap();
        let filled = TargetFile::open(&path("mounted")).unwrap().fill("text".into()).unwrap();
        // Without its temporary file, the rename fails, as it would for a mount point.
        let temporary = names(folder.path()).into_iter().find(|name| name != "mounted").unwrap();
        fs::remove_file(path(&temporary)).unwrap();
        filled.place().unwrap();
        assert_eq!(fs::read_to_string(path("mounted")).unwrap(), "text");

        fs::write(path("twice"), "a longer text").unwrap();
        fs::hard_link(path("twice"), path("twin")).unwrap();
        write(&path("twice"), "text");
        assert_eq!(fs::read_to_string(path("twin")).unwrap(), "text");
    }

    #[test]
    fn devices_pipes_and_open_files_are_written_into() {
        write(Path::new("/dev/null"), "gone");
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("open");
        fs::write(&path, "a longer text").unwrap();
        let open = File::open(&path).unwrap();
        let descriptor = format!("/dev/fd/{}", open.as_raw_fd());
        if Path::new("/proc/self/fd").exists() {
            let inode = fs::metadata(&path).unwrap().ino();
            write(Path::new(&descriptor), "text");
            assert_eq!(fs::metadata(&path).unwrap().ino(), inode);
            assert_eq!(fs::read_to_string(&path).unwrap(), "text");
        }
    }
}
