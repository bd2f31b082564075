//! Texts of files that somebody else may have made: regular ones, up to a size, as UTF-8.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// Why there is no text.
#[derive(Debug)]
pub enum Unreadable {
    /// The system says so.
    System(io::Error),
    /// It is a folder, a pipe, a device.
    NotRegular,
    /// It has more bytes than this.
    TooLarge(u64),
    /// It is not UTF-8: the first byte that is no text stands in this line.
    NotText(usize),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(error) => write!(f, "{error}"),
            Self::NotRegular => f.write_str("it is no regular file"),
            Self::TooLarge(largest) => write!(f, "it is larger than {} KiB", largest / 1024),
            Self::NotText(line) => write!(f, "it is no text: line {line} is not UTF-8"),
        }
    }
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

/// The text of a file of at most `largest` bytes.
///
/// # Errors
/// There is none.
pub fn read(path: &Path, largest: u64) -> Result<String, Unreadable> {
    let (file, length) = open(path)?;
    text(file, length, largest)
}

/// Returns the text of a file that the user named. It may also be a pipe, as in `compare <(git show HEAD:users.toml) users.toml`, or
/// a device. It can be read only once then.
///
/// # Errors
/// It cannot be read, is too large, or is not UTF-8.
pub fn read_named(path: &Path, largest: u64) -> Result<String, Unreadable> {
    if is_stream(path) { text(File::open(path)?, 0, largest) } else { read(path, largest) }
}

/// Whether the path leads to a pipe or a device, whose text can be read only once.
pub fn is_stream(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir())
}

/// Returns the bytes of a file of at most `largest` bytes, whatever they are.
///
/// # Errors
/// The file cannot be read, is not a regular file, or is larger.
pub fn bytes(path: &Path, largest: u64) -> Result<Vec<u8>, Unreadable> {
    let (file, length) = open(path)?;
    limited(file, length, largest)
}

/// The same of what is open already.
///
/// # Errors
/// There is none.
pub fn read_from(from: impl Read, largest: u64) -> Result<String, Unreadable> {
    text(from, 0, largest)
}

/// Its first line, of at most `longest` bytes; what follows is not read.
///
/// # Errors
/// There is none.
pub fn first_line(path: &Path, longest: u64) -> Result<String, Unreadable> {
    let mut line = Vec::new();
    BufReader::new(open(path)?.0.take(longest)).read_until(b'\n', &mut line)?;
    String::from_utf8(line).map_err(|_| Unreadable::NotText(1))
}

/// The file and its length.
fn open(path: &Path) -> Result<(File, u64), Unreadable> {
    // Asked before opening: opening a pipe that nobody writes to would wait for ever.
    let metadata = fs::metadata(path)?;
    if metadata.is_file() { Ok((File::open(path)?, metadata.len())) } else { Err(Unreadable::NotRegular) }
}

fn limited(from: impl Read, length: u64, largest: u64) -> Result<Vec<u8>, Unreadable> {
    // A byte more than is said, or the vector would grow to find out that nothing follows.
    let expected = length.min(largest) + 1;
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or(0));
    from.take(largest.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest {
        return Err(Unreadable::TooLarge(largest));
    }
    Ok(bytes)
}

fn text(from: impl Read, length: u64, largest: u64) -> Result<String, Unreadable> {
    String::from_utf8(limited(from, length, largest)?).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        Unreadable::NotText(String::from_utf8_lossy(before).matches('\n').count() + 1)
    })
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_text_is_read_whole_or_it_is_said_why_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("text"), "zwölf\nzwei\n").unwrap();
        fs::write(path("bytes"), b"one\ntwo \xff").unwrap();
        let why = |name: &str, largest: u64| read(&path(name), largest).unwrap_err().to_string();
        assert_eq!(read(&path("text"), 12).unwrap(), "zwölf\nzwei\n");
        assert_eq!(first_line(&path("text"), 100).unwrap(), "zwölf\n");
        assert_eq!(first_line(&path("text"), 2).unwrap(), "zw");
        assert_eq!(why("text", 11), "it is larger than 0 KiB");
        assert_eq!(why("bytes", 100), "it is no text: line 2 is not UTF-8");
        assert_eq!(why(".", 100), "it is no regular file");
        assert!(matches!(read(&path("nowhere"), 100), Err(Unreadable::System(_))));
    }
}
