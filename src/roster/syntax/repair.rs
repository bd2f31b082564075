//! Patches a file so the parser gets past keys without `=`.
//!
//! The parser stops at a key without `=` and neither returns nor checks the rest of the file. The file is therefore parsed
//! again, with `=` in place of an operator or a space, or with the line blanked out. All offsets remain valid because the
//! patch never moves any bytes.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, Error};

use super::lines::{SIGNS, sign_around};
use super::parser_error::ErrorKind;

/// A patched text that parses all the way to the end.
pub(in crate::roster) struct Repaired {
    text: String,
    /// The errors that caused the parser to give up on the original text.
    stops: Vec<Error>,
    /// Ranges in which errors in the patched text are dropped because they stem from the same mistakes as `stops`.
    silent: Vec<Range<usize>>,
}

impl Repaired {
    /// Patches every line at which the parser gives up, without changing any byte offsets.
    pub(in crate::roster) fn new(text: &str) -> Self {
        let mut stops = DeTable::parse_recoverable(text).1;
        stops.retain(|error| ErrorKind::from_message(error.message()) == ErrorKind::NoValue);
        let mut silent = Vec::new();
        let mut bytes = text.as_bytes().to_vec();
        for stop in &stops {
            let at = text.floor_char_boundary(stop.span().unwrap_or_default().start);
            silent.extend(repair(text, at, &mut bytes));
        }
        silent.sort_by_key(|range: &Range<usize>| range.start);
        Self { text: String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned()), stops, silent }
    }

    /// Parses the patched text. Returns the resulting table along with the errors in the original text.
    pub(in crate::roster) fn parse(&self) -> (Spanned<DeTable<'_>>, Vec<Error>) {
        let (table, mut errors) = DeTable::parse_recoverable(&self.text);
        errors.retain(|error| !self.is_silent(error.span().unwrap_or_default().start));
        errors.extend(self.stops.iter().cloned());
        (table, errors)
    }

    fn is_silent(&self, at: usize) -> bool {
        let next = self.silent.partition_point(|range| range.start <= at);
        next.checked_sub(1).is_some_and(|last| self.silent[last].contains(&at))
    }
}

/// Patches the line at offset `at`. Returns the range in which all further errors are caused by the same mistake.
fn repair(text: &str, at: usize, bytes: &mut [u8]) -> Option<Range<usize>> {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[at..].find('\n').map_or(text.len(), |length| at + length);
    let line = text[start..end].trim_end_matches('\r');
    // The parser can stop at the very end of the line, past the carriage return.
    let within = line.floor_char_boundary(at - start);
    let sign = sign_around(line, within);
    let has_key = !line[..sign.start].trim().is_empty();
    if has_key && SIGNS.contains(&&line[sign.clone()]) {
        let value = line[sign.end..].trim_start();
        bytes[start + sign.start..start + sign.end].fill(b' ');
        bytes[start + sign.start] = b'=';
        return (!value.starts_with(['{', '['])).then_some(start + sign.start..end + 1);
    }
    // The line might be a header preceded by an invisible character or a bullet.
    let header = line
        .find('[')
        .filter(|at| !line[..*at].contains(|char: char| char.is_alphanumeric() || "\"'".contains(char)));
    if let Some(header) = header {
        bytes[start..start + header].fill(b' ');
        return None;
    }
    let is_value = line[within..].starts_with(['"', '\'', '{', '[']);
    if is_value && line[..within].ends_with([' ', '\t']) {
        bytes[start + within - 1] = b'=';
    } else {
        bytes[start..start + line.len()].fill(b' ');
    }
    None
}
