//! Formats untrusted text as TOML that's safe to display. Parsing a quoted string yields the original text. Every character
//! that [`crate::printable`] would escape is written as a TOML escape sequence, so it can't affect a terminal.

use crate::printable::characters;

/// Formats the text as a double-quoted string.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for (number, (char, acts)) in characters(text).enumerate() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            '\n' => quoted += "\\n",
            '\r' => quoted += "\\r",
            '\t' => quoted += "\\t",
            // The opening quote keeps the colon from starting a line, where a GitHub runner would read `::` as a command.
            ':' if number == 0 => quoted.push(':'),
            char if acts => quoted += &escaped(char),
            char => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

/// Formats a key, quoting it only if necessary.
pub fn key(key: &str) -> String {
    if !key.is_empty() && key.chars().all(is_bare) { key.to_owned() } else { quoted(key) }
}

/// Returns `true` if the character is allowed in an unquoted key.
pub const fn is_bare(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '_' | '-')
}

/// Truncates each string and each bare key to `limit` characters. The result is still valid TOML because only their content is
/// shortened. A truncated string ends in `…`, but a truncated bare key doesn't because bare keys can't contain `…`. The strings
/// must come from [`quoted`].
pub fn short(toml: &str, limit: usize) -> String {
    let mut short = String::with_capacity(toml.len().min(4 * limit));
    let (mut rest, mut is_inside, mut count) = (toml, false, 0);
    while let Some(next) = rest.chars().next() {
        let (unit, behind) = rest.split_at(if is_inside { unit(rest) } else { next.len_utf8() });
        rest = behind;
        let is_counted = if is_inside { next != '"' } else { is_bare(next) };
        count = if is_counted { count + 1 } else { 0 };
        if count <= limit {
            short += unit;
        } else if is_inside && count == limit + 1 {
            short.push('…');
        }
        is_inside = is_inside != (unit == "\"");
    }
    short
}

/// Returns the length in bytes of the first character in a string's content, counting an escape sequence as one character.
fn unit(text: &str) -> usize {
    let escape = |length: usize| text.char_indices().nth(length).map_or(text.len(), |(end, _)| end);
    match text.as_bytes() {
        [b'\\', b'u', ..] => escape(6),
        [b'\\', b'U', ..] => escape(10),
        [b'\\', ..] => escape(2),
        _ => escape(1),
    }
}

/// Replaces unsafe characters in a line of a file with TOML escape sequences. Unsafe characters are almost always in
/// double-quoted strings, where this doesn't change the meaning of the line.
pub fn line(line: &str) -> String {
    let shown = |(char, acts)| if acts { escaped(char) } else { String::from(char) };
    characters(line).map(shown).collect()
}

fn escaped(char: char) -> String {
    let number = u32::from(char);
    if number <= 0xffff { format!("\\u{number:04X}") } else { format!("\\U{number:08X}") }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn unsafe_characters_are_written_as_escapes_of_toml() {
        for (text, expected) in [
            ("Admin", "\"Admin\""),
            ("say \"hi\" \\ o\n\r\t", "\"say \\\"hi\\\" \\\\ o\\n\\r\\t\""),
            ("ad\u{202e}nim\u{e0041}\u{0}", "\"ad\\u202Enim\\U000E0041\\u0000\""),
            ("::error::x ::y ##[z", "\"::error::x \\u003A:y \\u0023#[z\""),
            ("\u{301}Bo", "\"\\u0301Bo\""),
            ("李 Zoë", "\"李 Zoë\""),
        ] {
            assert_eq!(quoted(text), expected);
        }
        assert_eq!(short("{ a = \"12\\\"45\", b = 6 } # x", 3), "{ a = \"12\\\"…\", b = 6 } # x");
        assert_eq!(short("keep.abcd = 1", 3), "kee.abc = 1");
        assert_eq!(short("\"\\u202Eb\\U000E0041\"", 2), "\"\\u202Eb…\"");
        assert_eq!([key("a-B_1"), key(""), key("a.b")], ["a-B_1", "\"\"", "\"a.b\""]);
        assert_eq!(line("a = \"x\u{202e}\" # \\"), "a = \"x\\u202E\" # \\");
    }
}
