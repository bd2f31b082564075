//! The texts that were read, and places in them.
//!
//! A [`Place`] is twelve bytes, so that every declared value can carry one into the plan; [`Sources`] turns it back
//! into file, line and column. Some values must not be repeated even in an error (a token in the file): their places
//! are masked here, and an excerpt shows the mask.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use schemars::JsonSchema;
use serde::Serialize;

use crate::printable::Printable;
use crate::secret::{self, MASK};

/// The number of a file in [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// A span of bytes in one of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub file: FileId,
    start: u32,
    end: u32,
}

impl Place {
    /// The bytes `span` of `file`. Files are at most [`crate::roster::read::LARGEST_FILE`] bytes, so the span fits.
    pub fn new(file: FileId, span: Range<usize>) -> Self {
        let fit = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { file, start: fit(span.start), end: fit(span.end) }
    }

    /// The same place after its file was appended behind `files` others.
    #[must_use]
    pub fn shifted(self, files: usize) -> Self {
        let file = u32::try_from(files).unwrap_or(u32::MAX).saturating_add(self.file.0);
        Self { file: FileId(file), ..self }
    }

    /// The bytes in their file.
    pub fn span(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A value and where it was declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sourced<T> {
    pub value: T,
    pub place: Place,
}

impl<T> Sourced<T> {
    /// A value with its place.
    pub fn new(value: T, place: Place) -> Self {
        Self { value, place }
    }

    /// The same place with what `change` makes of the value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Sourced<U> {
        Sourced { value: change(self.value), place: self.place }
    }
}

/// A place as people name it. Lines and columns (in characters) start at 1. Shown as `teams/emea.toml:7`, which editors and
/// terminals can open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
pub struct Location {
    /// The file as it was named: the config as given, an included file relative to the working directory.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", Printable::new(&self.file), self.line)
    }
}

/// One line of a file around a place, ready to be underlined; masked values are already hidden in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    pub location: Location,
    /// Text of the line before the place.
    pub before: String,
    /// Text of the place itself, at most up to the end of its first line.
    pub marked: String,
    /// Text of the line behind the place.
    pub after: String,
}

#[derive(Debug, Clone)]
struct SourceFile {
    name: String,
    text: String,
    masked: Vec<Range<usize>>,
    /// Found when the first place is asked for, since most runs ask for few.
    positions: OnceLock<Positions>,
}

/// Where lines and characters are in a text, so that a place is found without going through its line: a line may be long.
#[derive(Debug, Clone)]
struct Positions {
    /// The offset at which each line begins.
    lines: Vec<usize>,
    /// How many characters begin before each multiple of [`STRIDE`] bytes.
    characters: Vec<usize>,
}

/// The distance of two counts of characters, in bytes.
const STRIDE: usize = 1024;

/// All files that were read, in the order of reading.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Shared: a plan keeps the texts for its report, and they may be large.
    files: Vec<Arc<SourceFile>>,
}

impl Sources {
    /// Adds all files of `others` behind its own. A place in `others` is then found by [`Place::shifted`].
    pub fn append(&mut self, others: Self) {
        self.files.extend(others.files);
    }

    /// Takes in a file. `name` is how people know it.
    pub fn add(&mut self, name: String, text: String) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(Arc::new(SourceFile { name, text, masked: Vec::new(), positions: OnceLock::new() }));
        id
    }

    /// The text of a file.
    pub fn text(&self, file: FileId) -> &str {
        &self.files[file.0 as usize].text
    }

    /// How people know the file.
    pub fn name(&self, file: FileId) -> &str {
        &self.files[file.0 as usize].name
    }

    /// Every file, in the order of reading.
    pub fn ids(&self) -> impl Iterator<Item = FileId> + use<> {
        (0..u32::try_from(self.files.len()).unwrap_or(u32::MAX)).map(FileId)
    }

    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }

    /// Every file's name and text, in the order of reading.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|file| (file.name.as_str(), file.text.as_str()))
    }

    /// From now on, excerpts hide the text from `place` to the end of its value and of its line.
    pub fn mask(&mut self, place: Place) {
        let file = Arc::make_mut(&mut self.files[place.file.0 as usize]);
        let start = file.text.floor_char_boundary(place.start as usize);
        let rest = &file.text[start..];
        let skipped = rest.len() - rest.trim_start_matches([' ', '\t', '=', ':', '.']).len();
        let end = file.text.floor_char_boundary(place.end as usize).max(file.line_end(start));
        let masked = (start + skipped).min(end)..end;
        // Of many values on one line, the first hides the rest.
        if file.masked.last().is_none_or(|last| masked.start < last.start || masked.end > last.end) {
            file.masked.push(masked);
        }
    }

    /// File, line and column of a place.
    pub fn locate(&self, place: Place) -> Location {
        let file = &self.files[place.file.0 as usize];
        let start = file.text.floor_char_boundary(place.start as usize);
        let (line, line_start) = file.line_at(start);
        // No editor shows a byte-order mark at the start of a file.
        let mark = usize::from(line == 1 && start > 0 && file.text.starts_with('\u{feff}'));
        let column = file.characters_before(start) - file.characters_before(line_start) + 1 - mark;
        Location { file: file.name.clone(), line, column }
    }

    /// The line around a place.
    pub fn excerpt(&self, place: Place) -> Excerpt {
        let file = &self.files[place.file.0 as usize];
        let text = &file.text;
        let start = text.floor_char_boundary(place.start as usize);
        let (_, line_start) = file.line_at(start);
        let line_end = text[start..].find(['\n', '\r']).map_or(text.len(), |length| start + length);
        let end = text.floor_char_boundary(place.end as usize).clamp(start, line_end);
        let mut masks: Vec<Range<usize>> = file.masked.clone();
        masks.extend(secret::start_in(&text[line_start..line_end]).map(|from| line_start + from..line_end));
        if secret::goes_on_at(text, line_start) {
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

    /// The number of the line that holds the byte `at`, and where it begins.
    fn line_at(&self, at: usize) -> (usize, usize) {
        let lines = &self.positions().lines;
        let number = lines.partition_point(|start| *start <= at);
        (number, lines[number - 1])
    }

    /// Where the line ends that holds the byte `at`.
    fn line_end(&self, at: usize) -> usize {
        let lines = &self.positions().lines;
        lines.get(lines.partition_point(|start| *start <= at)).map_or(self.text.len(), |next| next - 1)
    }

    /// How many characters begin before the byte `at`.
    fn characters_before(&self, at: usize) -> usize {
        let rest = &self.text.as_bytes()[at / STRIDE * STRIDE..at];
        self.positions().characters[at / STRIDE] + rest.iter().filter(|byte| begins_character(**byte)).count()
    }
}

/// Whether a character of UTF-8 begins with this byte (RFC 3629, 3).
fn begins_character(byte: u8) -> bool {
    byte & 0b1100_0000 != 0b1000_0000
}

/// The text of `range`, with what is masked replaced.
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
        // One that began before this piece was shown there.
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
    fn a_place_is_found_again_by_line_and_character() {
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
