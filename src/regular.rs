//! Reads untrusted files up to a size limit. Unless stated otherwise, only regular files with valid UTF-8 are accepted.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use thiserror::Error;

/// The path that stands for standard input.
pub const STDIN: &str = "-";
/// The name for standard input in reports.
pub const STDIN_NAME: &str = "<stdin>";

/// The reason a file can't be read as text.
#[derive(Debug, Error)]
pub enum Unreadable {
    #[error("{}", without_number(.0))]
    System(#[from] io::Error),
    /// The path is a folder, pipe, or device.
    #[error("it is not a regular file")]
    NotRegular,
    /// The file exceeds this size, in bytes.
    #[error("it is larger than {} KiB", .0 / 1024)]
    TooLarge(u64),
    #[error("it {0}")]
    NotText(NotUtf8),
}

/// Returns the error's message without the error number, which means nothing to users.
fn without_number(error: &io::Error) -> String {
    let text = error.to_string();
    text.split_once(" (os error").map_or(text.as_str(), |(reason, _)| reason).to_owned()
}

/// A guess at the encoding of a file that isn't UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotUtf8 {
    /// The name of the encoding: UTF-16 or UTF-32. ASCII text in these encodings is also valid UTF-8 with NUL bytes, unless it
    /// begins with a byte-order mark.
    #[error("is {0}, not UTF-8")]
    Wide(&'static str),
    /// An encoding with one byte per character. The fields describe the first byte that isn't UTF-8.
    #[error(
        "is not UTF-8: line {line} has the byte 0x{byte:02X}, which is `{char}` in Windows-1252 (Latin-1)"
    )]
    Narrow {
        /// The line number, counting from 1.
        line: usize,
        byte: u8,
        /// The character that the byte represents in Windows-1252, a superset of Latin-1.
        char: char,
    },
    /// The file isn't text. Contains the line number of the first byte that isn't UTF-8, counting from 1.
    #[error("is not text: line {0} has bytes that are not UTF-8")]
    Binary(usize),
}

impl NotUtf8 {
    /// Guesses the encoding of `bytes` when only the first `valid` of them are UTF-8.
    fn after_valid(bytes: &[u8], valid: usize) -> Self {
        let line = bytes[..valid].split(|byte| *byte == b'\n').count();
        let is_text = bytes.iter().take(SAMPLE).all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..));
        let byte = bytes.get(valid).copied().unwrap_or_default();
        match windows_1252(byte) {
            Some(char) if is_text => Self::Narrow { line, byte, char },
            _ => Self::Binary(line),
        }
    }
}

/// The maximum number of bytes to examine when guessing the encoding.
const SAMPLE: usize = 4096;

/// Detects UTF-16 and UTF-32 by either the byte-order mark or the NUL bytes that these encodings add to ASCII characters.
fn wide(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => return Some("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Some("UTF-16"),
        _ => {}
    }
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    let mut nuls = [0; 4];
    sample.iter().enumerate().filter(|(_, byte)| **byte == 0).for_each(|(at, _)| nuls[at % 4] += 1);
    let characters = sample.len() / 4;
    let [first, second, third, fourth] = nuls;
    let is_of_four = characters > 0 && second.min(third) * 4 >= characters * 3;
    if is_of_four
        && (fourth * 4 >= characters * 3 && first == 0 || first * 4 >= characters * 3 && fourth == 0)
    {
        return Some("UTF-32");
    }
    let (even, odd) = (first + third, second + fourth);
    let is_of_two = even.max(odd) >= sample.len() / 8 && even.max(odd) > 1 && even.min(odd) == 0;
    is_of_two.then_some("UTF-16")
}

/// Decodes a byte as Windows-1252. Returns `None` for ASCII and for undefined bytes.
fn windows_1252(byte: u8) -> Option<char> {
    /// The characters for the bytes 0x80 to 0x9F. `\0` marks an undefined byte.
    const FROM_80: [char; 32] = [
        '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0', '‘', '’',
        '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
    ];
    let char = match byte {
        0..0x80 => return None,
        0x80..0xa0 => FROM_80[usize::from(byte - 0x80)],
        _ => char::from(byte),
    };
    (char != '\0').then_some(char)
}

/// Reads a text file of up to `largest` bytes.
///
/// # Errors
/// Returns an error if the file cannot be read, isn't a regular file, is too large, or isn't UTF-8.
pub fn read(path: &Path, largest: u64) -> Result<String, Unreadable> {
    let (file, length) = open(path)?;
    text(file, length, largest)
}

/// Reads a text file chosen by the user. Unlike [`read`], this also accepts standard input (`-`), devices, and pipes, as in
/// `compare <(git show HEAD:users.toml) users.toml`. A pipe can be read only once.
///
/// # Errors
/// Returns an error if the file cannot be read, is too large, or isn't UTF-8.
pub fn read_named(path: &Path, largest: u64) -> Result<String, Unreadable> {
    utf8(bytes_named(path, largest)?)
}

/// Like [`read_named`], but the content doesn't have to be text.
pub fn bytes_named(path: &Path, largest: u64) -> Result<Vec<u8>, Unreadable> {
    match () {
        () if path.as_os_str() == STDIN => limited(std::io::stdin(), 0, largest),
        () if is_stream(path) => limited(File::open(path)?, 0, largest),
        () => bytes(path, largest),
    }
}

/// Returns the folder that contains a file. For a plain file name, that's `.`.
pub fn folder_of<P: AsRef<Path> + ?Sized>(path: &P) -> &Path {
    match path.as_ref().parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Returns `true` if the path is standard input, a pipe, or a device, which can be read only once. Symlinks outside system folders
/// aren't followed because they can come from a repository and make rolecall wait for a terminal or read an endless device.
pub fn is_stream(path: &Path) -> bool {
    let is_other = |there: fs::Metadata| !there.is_file() && !there.is_dir();
    // `/dev/stdin` and `/dev/fd/63` are symlinks too, but the system provides them.
    let is_foreign_link = path.is_symlink() && !is_below(path, &["/dev", "/proc"]);
    path.as_os_str() == STDIN || !is_foreign_link && fs::metadata(path).is_ok_and(is_other)
}

/// Returns `true` if the path is inside any of `folders`, at any depth.
pub(crate) fn is_below(path: &Path, folders: &[&str]) -> bool {
    let folder = path.parent().and_then(|folder| fs::canonicalize(folder).ok());
    folder.is_some_and(|folder| folders.iter().any(|it| folder.starts_with(it)))
}

/// Returns `true` if the path refers to standard input: `-` or a Unix device path such as `/dev/stdin`.
pub fn is_stdin(path: &Path) -> bool {
    [STDIN, "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"].iter().any(|name| path.as_os_str() == *name)
}

/// Reads a file of up to `largest` bytes, which doesn't have to be text.
pub fn bytes(path: &Path, largest: u64) -> Result<Vec<u8>, Unreadable> {
    let (file, length) = open(path)?;
    limited(file, length, largest)
}

/// Reads up to `largest` bytes of text from an open file or stream.
pub fn read_from(from: impl Read, largest: u64) -> Result<String, Unreadable> {
    text(from, 0, largest)
}

/// Reads the start of a file, up to `longest` bytes. Invalid UTF-8 is replaced with U+FFFD.
pub fn start(path: &Path, longest: u64) -> Result<String, Unreadable> {
    let mut bytes = Vec::new();
    open(path)?.0.take(longest).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Reads the first line of a file, up to `longest` bytes, and ignores the rest.
pub fn first_line(path: &Path, longest: u64) -> Result<String, Unreadable> {
    let mut line = Vec::new();
    BufReader::new(open(path)?.0.take(longest)).read_until(b'\n', &mut line)?;
    utf8(line)
}

/// Opens a regular file and returns it with its length.
fn open(path: &Path) -> Result<(File, u64), Unreadable> {
    // Check before opening, since opening a pipe without a writer would block forever.
    let metadata = fs::metadata(path)?;
    if metadata.is_file() { Ok((File::open(path)?, metadata.len())) } else { Err(Unreadable::NotRegular) }
}

fn limited(from: impl Read, length: u64, largest: u64) -> Result<Vec<u8>, Unreadable> {
    // Reserve one extra byte, or the final read, which returns 0, would reallocate.
    let expected = length.min(largest) + 1;
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or(0));
    from.take(largest.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest {
        return Err(Unreadable::TooLarge(largest));
    }
    Ok(bytes)
}

fn text(from: impl Read, length: u64, largest: u64) -> Result<String, Unreadable> {
    utf8(limited(from, length, largest)?)
}

fn utf8(bytes: Vec<u8>) -> Result<String, Unreadable> {
    if let Some(name) = wide(&bytes) {
        return Err(Unreadable::NotText(NotUtf8::Wide(name)));
    }
    String::from_utf8(bytes).map_err(|error| {
        Unreadable::NotText(NotUtf8::after_valid(error.as_bytes(), error.utf8_error().valid_up_to()))
    })
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn reading_returns_the_whole_text_or_the_reason_that_it_fails() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("text"), "zwölf\nzwei\n").unwrap();
        fs::write(path("bytes"), b"one\ntwo \xff\x01").unwrap();
        let why = |name: &str, largest: u64| read(&path(name), largest).unwrap_err().to_string();
        assert_eq!(read(&path("text"), 12).unwrap(), "zwölf\nzwei\n");
        assert_eq!(first_line(&path("text"), 100).unwrap(), "zwölf\n");
        assert_eq!(first_line(&path("text"), 2).unwrap(), "zw");
        assert_eq!(why("text", 11), "it is larger than 0 KiB");
        assert_eq!(why("bytes", 100), "it is not text: line 2 has bytes that are not UTF-8");
        assert_eq!(why(".", 100), "it is not a regular file");
        assert!(matches!(read(&path("nowhere"), 100), Err(Unreadable::System(_))));
    }

    fn of(bytes: &[u8]) -> Option<String> {
        utf8(bytes.to_vec()).err().map(|why| why.to_string())
    }

    #[test]
    fn utf_16_and_utf_32_are_named_with_and_without_a_byte_order_mark() {
        let text = "[users]\r\n\"ana@acme.example\" = {} # zoë 日\n";
        let (mark, is) = ('\u{feff}', |name: &str| Some(format!("it is {name}, not UTF-8")));
        for text in [text.to_owned(), format!("{mark}{text}"), "a1".to_owned(), mark.to_string()] {
            let two = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
            let four =
                |bytes: fn(u32) -> [u8; 4]| text.chars().map(u32::from).flat_map(bytes).collect::<Vec<u8>>();
            assert_eq!(of(&two(u16::to_le_bytes)), is("UTF-16"), "{text}");
            assert_eq!(of(&two(u16::to_be_bytes)), is("UTF-16"), "{text}");
            assert_eq!(of(&four(u32::to_le_bytes)), is("UTF-32"), "{text}");
            assert_eq!(of(&four(u32::to_be_bytes)), is("UTF-32"), "{text}");
        }
    }

    #[test]
    fn a_text_with_one_byte_per_character_is_named_with_its_line() {
        let is = |line: usize, byte: &str, char: char| {
            Some(format!(
                "it is not UTF-8: line {line} has the byte {byte}, which is `{char}` in Windows-1252 (Latin-1)"
            ))
        };
        assert_eq!(of(b"a\nzo\xeb\n"), is(2, "0xEB", 'ë'));
        assert_eq!(of(b"\x93Admin\x94"), is(1, "0x93", '“'));
        assert_eq!(
            of(b"\x7fELF\x01\x90\n"),
            Some("it is not text: line 1 has bytes that are not UTF-8".into())
        );
    }

    #[test]
    fn utf_8_with_a_byte_order_mark_or_nul_bytes_is_text() {
        for text in ["", "a", "\0", "\u{feff}[users]", "zoë 日本", "a\0b", "\0\0\0\0", "日本語だけ"] {
            assert_eq!(of(text.as_bytes()), None, "{text:?}");
        }
    }
}
