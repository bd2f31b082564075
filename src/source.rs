//! Holds the text of all input files and maps source locations to lines and columns.
//!
//! A [`Place`] takes up twelve bytes, which is small enough to keep with every declared value all the way into the plan.
//! [`Sources`] resolves a place to a file, a line, and a column.
//!
//! Text that must not appear even in an error message, such as a token that ended up in a file, is masked. Excerpts show the
//! mask instead.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::printable::Printable;
use crate::secret::{MASK, secret_lines, start_in};

/// A file, identified by its index in [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// A byte range in one of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub file: FileId,
    start: u32,
    end: u32,
}

impl Place {
    /// Creates a place for the byte range `span` of `file`. Offsets always fit into 32 bits because
    /// [`crate::roster::read::LARGEST_FILE`] limits the size of a file.
    pub fn new(file: FileId, span: Range<usize>) -> Self {
        let fit = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { file, start: fit(span.start), end: fit(span.end) }
    }

    /// Adjusts the place after its sources were appended to other sources with [`Sources::append`]. `files` is the number of
    /// files before the appended ones.
    #[must_use]
    pub fn shifted(self, files: usize) -> Self {
        let file = u32::try_from(files).unwrap_or(u32::MAX).saturating_add(self.file.0);
        Self { file: FileId(file), ..self }
    }

    pub fn span(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A value and the location of its declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sourced<T> {
    pub value: T,
    pub place: Place,
}

impl<T> Sourced<T> {
    pub fn new(value: T, place: Place) -> Self {
        Self { value, place }
    }

    /// Converts the value while retaining its location.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Sourced<U> {
        Sourced { value: change(self.value), place: self.place }
    }
}

/// A human-readable source location. It is displayed as `teams/emea.toml:7`, which editors and terminals can open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// The path of the file. The root file's path is shown as it was given, and the paths of included files are relative to
    /// the working directory.
    pub file: String,
    /// The line number, starting at 1.
    pub line: usize,
    /// The column in characters, starting at 1.
    pub column: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", Printable::new(&self.file), self.line)
    }
}

/// The line containing a place, split into three parts so that reports can underline the place. Masked values are hidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    pub location: Location,
    pub before: String,
    /// The text at the place, up to the end of its first line.
    pub marked: String,
    pub after: String,
}

#[derive(Debug, Clone)]
struct SourceFile {
    name: String,
    text: String,
    masked: Vec<Range<usize>>,
    /// The index of line and character offsets. It's computed on first use because most runs resolve only a few places.
    positions: OnceLock<Positions>,
    secret_lines: OnceLock<Vec<usize>>,
}

/// An index of line and character offsets, which makes lookups fast even on very long lines.
#[derive(Debug, Clone)]
struct Positions {
    /// The byte offset of the start of each line.
    lines: Vec<usize>,
    /// The number of characters that start before each multiple of [`STRIDE`] bytes.
    characters: Vec<usize>,
}

/// The maximum number of bytes that messages quote from a value.
const LONGEST_VALUE: usize = 4096;

/// The number of bytes between two entries in [`Positions::characters`].
const STRIDE: usize = 1024;

/// All input files, in the order they were read.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Reference-counted because a plan retains the sources for its report, and the files can be large.
    files: Vec<Arc<SourceFile>>,
}

impl Sources {
    /// Appends all files of `others`, whose places must then be adjusted with [`Place::shifted`].
    pub fn append(&mut self, others: Self) {
        self.files.extend(others.files);
    }

    /// Adds a file. `name` is the path to show in reports.
    pub fn add(&mut self, name: String, text: String) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(Arc::new(SourceFile {
            name,
            text,
            masked: Vec::new(),
            positions: OnceLock::new(),
            secret_lines: OnceLock::new(),
        }));
        id
    }

    pub fn text(&self, file: FileId) -> &str {
        &self.files[file.0 as usize].text
    }

    /// Returns the path of the file as shown in reports.
    pub fn name(&self, file: FileId) -> &str {
        &self.files[file.0 as usize].name
    }

    /// Iterates over the IDs of all files, in the order they were read.
    pub fn ids(&self) -> impl Iterator<Item = FileId> + use<> {
        (0..u32::try_from(self.files.len()).unwrap_or(u32::MAX)).map(FileId)
    }

    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }

    /// Iterates over the name and text of each file, in the order they were read.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|file| (file.name.as_str(), file.text.as_str()))
    }

    /// Replaces the prefix `from` in file names with `to`, so that reports don't refer to a temporary copy.
    pub fn rename(&mut self, from: &str, to: &str) {
        for file in &mut self.files {
            if let Some(rest) = file.name.strip_prefix(from) {
                let name = format!("{to}{rest}");
                Arc::make_mut(file).name = name;
            }
        }
    }

    /// Hides the text from the start of `place` to the end of the place or of its first line, whichever is later. Affects all
    /// subsequent excerpts.
    pub fn mask(&mut self, place: Place) {
        let file = Arc::make_mut(&mut self.files[place.file.0 as usize]);
        let start = file.text.floor_char_boundary(place.start as usize);
        let rest = &file.text[start..];
        let skipped = rest.len() - rest.trim_start_matches([' ', '\t', '=', ':', '.']).len();
        let end = file.text.floor_char_boundary(place.end as usize).max(file.line_end(start));
        let masked = (start + skipped).min(end)..end;
        // If a line has several masked values, the first mask might already cover this value.
        if file.masked.last().is_none_or(|last| masked.start < last.start || masked.end > last.end) {
            file.masked.push(masked);
        }
    }

    /// Resolves a place to its file, line, and column.
    pub fn locate(&self, place: Place) -> Location {
        let file = &self.files[place.file.0 as usize];
        let start = file.text.floor_char_boundary(place.start as usize);
        let (line, line_start) = file.line_at(start);
        // Editors don't count a leading byte-order mark.
        let mark = usize::from(line == 1 && start > 0 && file.text.starts_with('\u{feff}'));
        let column = file.characters_before(start) - file.characters_before(line_start) + 1 - mark;
        Location { file: file.name.clone(), line, column }
    }

    /// Returns the lines that the place spans, except those that begin more than 4 KiB after its start.
    pub fn lines(&self, place: Place) -> &str {
        let file = &self.files[place.file.0 as usize];
        let start = file.text.floor_char_boundary(place.start as usize);
        let end = (place.end as usize).clamp(start, start + LONGEST_VALUE);
        &file.text[file.line_at(start).1..file.line_end(file.text.floor_char_boundary(end))]
    }

    /// Returns the line that contains a place, with any secrets masked.
    pub fn excerpt(&self, place: Place) -> Excerpt {
        let file = &self.files[place.file.0 as usize];
        let text = &file.text;
        let start = text.floor_char_boundary(place.start as usize);
        let (_, line_start) = file.line_at(start);
        let line_end = text[start..].find(['\n', '\r']).map_or(text.len(), |length| start + length);
        let end = text.floor_char_boundary(place.end as usize).clamp(start, line_end);
        let mut masks: Vec<Range<usize>> = file.masked.clone();
        masks.extend(start_in(&text[line_start..line_end]).map(|from| line_start + from..line_end));
        if file.secret_lines.get_or_init(|| secret_lines(text)).binary_search(&line_start).is_ok() {
            let line = &text[line_start..line_end];
            masks.push(line_start + line.len() - line.trim_start().len()..line_end);
        }
        Excerpt {
            location: self.locate(place),
            before: shown(text, line_start..start, &masks),
            marked: shown(text, start..end, &masks),
            after: shown(text, end..line_end, &masks),
        }
    }
}

impl SourceFile {
    fn positions(&self) -> &Positions {
        self.positions.get_or_init(|| {
            let newlines = self.text.match_indices('\n').map(|(newline, _)| newline + 1);
            let mut characters = vec![0];
            let mut count = 0;
            for chunk in self.text.as_bytes().chunks(STRIDE) {
                count += chunk.iter().filter(|byte| begins_character(**byte)).count();
                characters.push(count);
            }
            Positions { lines: std::iter::once(0).chain(newlines).collect(), characters }
        })
    }

    /// Returns the number and start offset of the line that contains the byte offset `at`.
    fn line_at(&self, at: usize) -> (usize, usize) {
        let lines = &self.positions().lines;
        let number = lines.partition_point(|start| *start <= at);
        (number, lines[number - 1])
    }

    /// Returns the end offset of the line that contains the byte offset `at`.
    fn line_end(&self, at: usize) -> usize {
        let lines = &self.positions().lines;
        lines.get(lines.partition_point(|start| *start <= at)).map_or(self.text.len(), |next| next - 1)
    }

    /// Returns the number of characters that start before the byte offset `at`.
    fn characters_before(&self, at: usize) -> usize {
        let rest = &self.text.as_bytes()[at / STRIDE * STRIDE..at];
        self.positions().characters[at / STRIDE] + rest.iter().filter(|byte| begins_character(**byte)).count()
    }
}

/// Returns `true` if this byte starts a UTF-8 character (RFC 3629, section 3).
fn begins_character(byte: u8) -> bool {
    byte & 0b1100_0000 != 0b1000_0000
}

/// Returns the text in `range`, with masked parts replaced by [`MASK`].
fn shown(text: &str, range: Range<usize>, masks: &[Range<usize>]) -> String {
    let mut shown = String::new();
    let mut at = range.start;
    let mut masks: Vec<_> =
        masks.iter().filter(|mask| mask.start < range.end && mask.end > range.start).collect();
    masks.sort_by_key(|mask| mask.start);
    for mask in masks {
        if mask.start > at {
            shown.push_str(&text[at..mask.start]);
        }
        // A mask that starts before this range has already been shown in an earlier part.
        if mask.end > at {
            shown.push_str(if mask.start >= range.start { MASK } else { "" });
            at = mask.end.min(range.end);
        }
    }
    shown.push_str(&text[at..range.end]);
    shown
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_place_has_a_line_and_a_column_in_characters() {
        let mut sources = Sources::default();
        let file = sources.add("a.toml".into(), "one\nzwö = 3\nthree".into());
        let place = Place::new(file, 11..12);
        assert_eq!(sources.locate(place), Location { file: "a.toml".into(), line: 2, column: 7 });
        let excerpt = sources.excerpt(place);
        assert_eq!(
            (excerpt.before.as_str(), excerpt.marked.as_str(), excerpt.after.as_str()),
            ("zwö = ", "3", "")
        );
    }

    #[test]
    fn a_masked_value_is_in_no_excerpt() {
        let mut sources = Sources::default();
        let file = sources.add("a.toml".into(), "pylon = \"s3cret\" # mine\nnext = 1".into());
        sources.mask(Place::new(file, 5..16));
        for span in [0..5, 8..9, 10..12, 20..22] {
            let excerpt = sources.excerpt(Place::new(file, span.clone()));
            let whole = excerpt.before + &excerpt.marked + &excerpt.after;
            assert!(
                whole.starts_with("pylon = (not shown)") && !whole.contains("s3cret"),
                "{span:?}: {whole}"
            );
        }
    }

    #[test]
    fn a_secret_on_the_line_below_its_key_is_in_no_excerpt() {
        for above in [
            "pylon_token =",
            "token: ",
            "token =\n\n# mine",
            "password = \"\"\"",
            "tokens = [\n\"a\",",
            "tokens = [ \"a\",",
            "[workspace.secrets]",
        ] {
            let mut sources = Sources::default();
            let text = format!("{above}\n  \"correct horse battery\"\n");
            let at = text.find("correct").unwrap();
            let file = sources.add("a.toml".into(), text);
            for span in [at - 1..at + 22, at..at] {
                let excerpt = sources.excerpt(Place::new(file, span));
                let whole = excerpt.before + &excerpt.marked + &excerpt.after;
                assert_eq!(whole, "  (not shown)", "below {above}");
            }
        }
        let mut sources = Sources::default();
        let file = sources.add("a.toml".into(), "token = \"x\"\nrole = 1\n".into());
        assert_eq!(sources.excerpt(Place::new(file, 12..16)).marked, "role");
    }

    #[test]
    fn a_secret_is_in_no_excerpt_of_its_line() {
        for line in [
            "token = \"tok-S3CRET\"",
            "pylon.token = \"tok-S3CRET\"",
            "pylon = { apiToken = \"tok-S3CRET\" }",
            "export PYLON_API_TOKEN=tok-S3CRET",
            "Authorization: Bearer tok-S3CRET",
            "x = 1 # the token is tok-S3CRET",
            "tokens: tok-S3CRET",
        ] {
            let mut sources = Sources::default();
            let file = sources.add("a.toml".into(), line.into());
            let excerpt = sources.excerpt(Place::new(file, 0..1));
            let whole = excerpt.before + &excerpt.marked + &excerpt.after;
            assert!(!whole.contains("S3CRET") && whole.contains("(not shown)"), "{whole}");
        }
    }
}
