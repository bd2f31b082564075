//! Text from elsewhere as TOML that can be shown: what is quoted here reads back as the same text, and nothing in it acts on
//! whoever reads it, since TOML's own escapes stand for what [`crate::printable`] would write out.

use crate::printable::characters;

/// A string in double quotes.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for (number, (char, acts)) in characters(text).enumerate() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            '\n' => quoted += "\\n",
            '\r' => quoted += "\\r",
            '\t' => quoted += "\\t",
            // Behind the quote it begins no line.
            ':' if number == 0 => quoted.push(':'),
            char if acts => quoted += &escaped(char),
            char => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

/// A key, without quotes where it can be.
pub fn key(key: &str) -> String {
    let is_bare =
        |key: &str| key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if !key.is_empty() && is_bare(key) { key.to_owned() } else { quoted(key) }
}

/// A line of a file as it stands there, with what acts written as a string in double quotes would have it: within one, as
/// nearly all text is, the line still says the same.
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
    fn what_acts_is_written_as_toml_does() {
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
        assert_eq!([key("a-B_1"), key(""), key("a.b")], ["a-B_1", "\"\"", "\"a.b\""]);
        assert_eq!(line("a = \"x\u{202e}\" # \\"), "a = \"x\\u202E\" # \\");
    }
}
