//! Owns the text of every file that was read, and converts places in them to lines and columns.
//!
//! A [`Place`] has only twelve bytes, so that every declared value can have one, up to the plan. [`Sources`] converts it to a file,
//! a line, and a column. Some values must not be shown even in an error, such as a token in a file. Their places are masked here,
//! and excerpts show the mask instead.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::printable::Printable;
use crate::secret::{self, MASK};

/// Identifies a file by its index in [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// Identifies a span of bytes in one of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub file: FileId,
    start: u32,
    end: u32,
}

impl Place {
    /// Returns the place of the bytes `span` of `file`. The span fits, because a file has at most
    /// [`crate::roster::read::LARGEST_FILE`] bytes.
    pub fn new(file: FileId, span: Range<usize>) -> Self {
        let fit = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { file, start: fit(span.start), end: fit(span.end) }
    }

    /// Returns the same place after its file was appended to `files` other files.
    #[must_use]
    pub fn shifted(self, files: usize) -> Self {
        let file = u32::try_from(files).unwrap_or(u32::MAX).saturating_add(self.file.0);
        Self { file: FileId(file), ..self }
    }

    /// Returns the range of bytes in the file.
    pub fn span(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A value and the place that declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sourced<T> {
    pub value: T,
    pub place: Place,
}

impl<T> Sourced<T> {
    pub fn new(value: T, place: Place) -> Self {
        Self { value, place }
    }

    /// Applies `change` to the value and keeps the place.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Sourced<U> {
        Sourced { value: change(self.value), place: self.place }
    }
}

/// A place for people: file, line, and column. It is shown as `teams/emea.toml:7`, which editors and terminals can open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// The path of the file: that of the config as it was given, and that of an included file relative to the working directory.
    pub file: String,
    /// Lines are counted from 1.
    pub line: usize,
    /// Columns are counted in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", Printable::new(&self.file), self.line)
    }
}

/// The line of a file that contains a place, in three parts, so that a report can underline the place. Masked values are hidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    pub location: Location,
    pub before: String,
    /// The text of the place. It ends with the first line.
    pub marked: String,
    pub after: String,
}

#[derive(Debug, Clone)]
struct SourceFile {
    name: String,
    text: String,
    masked: Vec<Range<usize>>,
    /// They are computed on first use, because most runs need few places.
    positions: OnceLock<Positions>,
}

/// An index of the lines and characters of a text. With it, finding a place does not take longer in a very long line.
#[derive(Debug, Clone)]
struct Positions {
    /// The byte offset at which each line begins.
    lines: Vec<usize>,
    /// How many characters begin before each multiple of [`STRIDE`] bytes.
    characters: Vec<usize>,
}

/// The number of bytes between two counts of characters.
const STRIDE: usize = 1024;

/// Contains all files, in the order they were read.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The text is shared, because a plan keeps it for its report and it may be large.
    files: Vec<Arc<SourceFile>>,
}

impl Sources {
    /// Appends all files of `others`. [`Place::shifted`] converts a place in `others` to one in the result.
    pub fn append(&mut self, others: Self) {
        self.files.extend(others.files);
    }

    /// Adds a file. `name` is its path in reports.
    pub fn add(&mut self, name: String, text: String) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(Arc::new(SourceFile { name, text, masked: Vec::new(), positions: OnceLock::new() }));
        id
    }

    pub fn text(&self, file: FileId) -> &str {
        &self.files[file.0 as usize].text
    }

    /// Returns the path of the file for reports.
    pub fn name(&self, file: FileId) -> &str {
        &self.files[file.0 as usize].name
    }

    /// Returns the ID of every file, in the order the files were read.
    pub fn ids(&self) -> impl Iterator<Item = FileId> + use<> {
        (0..u32::try_from(self.files.len()).unwrap_or(u32::MAX)).map(FileId)
    }

    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }

    /// Returns the name and the text of every file, in the order the files were read.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|file| (file.name.as_str(), file.text.as_str()))
    }

    /// Replaces `from` at the start of the names of files. A report must not name a temporary copy.
    pub fn rename(&mut self, from: &str, to: &str) {
        for file in &mut self.files {
            if let Some(rest) = file.name.strip_prefix(from) {
                let name = format!("{to}{rest}");
                Arc::make_mut(file).name = name;
            }
        }
    }

    /// Hides the text from `place` to the end of the value and of the line in all later excerpts.
    pub fn mask(&mut self, place: Place) {
        let file = Arc::make_mut(&mut self.files[place.file.0 as usize]);
        let start = file.text.floor_char_boundary(place.start as usize);
        let rest = &file.text[start..];
        let skipped = rest.len() - rest.trim_start_matches([' ', '\t', '=', ':', '.']).len();
        let end = file.text.floor_char_boundary(place.end as usize).max(file.line_end(start));
        let masked = (start + skipped).min(end)..end;
        // If one line has many masked values, the first mask covers the others.
        if file.masked.last().is_none_or(|last| masked.start < last.start || masked.end > last.end) {
            file.masked.push(masked);
        }
    }

    /// Returns the file, the line, and the column of a place.
    pub fn locate(&self, place: Place) -> Location {
        let file = &self.files[place.file.0 as usize];
        let start = file.text.floor_char_boundary(place.start as usize);
        let (line, line_start) = file.line_at(start);
        // Editors do not count a byte-order mark at the start of a file.
        let mark = usize::from(line == 1 && start > 0 && file.text.starts_with('\u{feff}'));
        let column = file.characters_before(start) - file.characters_before(line_start) + 1 - mark;
        Location { file: file.name.clone(), line, column }
    }

    /// Returns the line that contains a place, with secrets hidden.
    pub fn excerpt(&self, place: Place) -> Excerpt {
        let file = &self.files[place.file.0 as usize];
        let text = &file.text;
        let start = text.floor_char_boundary(place.start as usize);
        let (_, line_start) = file.line_at(start);
        let line_end = text[start..].find(['\n', '\r']).map_or(text.len(), |length| start + length);
        let end = text.floor_char_boundary(place.end as usize).clamp(start, line_end);
        let mut masks: Vec<Range<usize>> = file.masked.clone();
        masks.extend(secret::start_in(&text[line_start..line_end]).map(|from| line_start + from..line_end));
        if secret::secret_continues_at(text, line_start) {
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

    /// Returns the number and the start of the line that contains the byte `at`.
    fn line_at(&self, at: usize) -> (usize, usize) {
        let lines = &self.positions().lines;
        let number = lines.partition_point(|start| *start <= at);
        (number, lines[number - 1])
    }

    /// Returns the end of the line that contains the byte `at`.
    fn line_end(&self, at: usize) -> usize {
        let lines = &self.positions().lines;
        lines.get(lines.partition_point(|start| *start <= at)).map_or(self.text.len(), |next| next - 1)
    }

    /// Returns how many characters begin before the byte `at`.
    fn characters_before(&self, at: usize) -> usize {
        let rest = &self.text.as_bytes()[at / STRIDE * STRIDE..at];
        self.positions().characters[at / STRIDE] + rest.iter().filter(|byte| begins_character(**byte)).count()
    }
}

/// Returns whether a character of UTF-8 begins with this byte (RFC 3629, section 3).
fn begins_character(byte: u8) -> bool {
    byte & 0b1100_0000 != 0b1000_0000
}

/// Returns the text of `range`, with [`MASK`] instead of what is masked.
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
        // A mask that began before this range was shown there.
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
        for above in
            ["pylon_token =", "token: ", "token =\n\n# mine", "password = \"\"\"", "tokens = [\n\"a\","]
        {
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
