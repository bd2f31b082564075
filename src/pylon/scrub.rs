//! Removes the token and its pieces from untrusted text, in upper or lower case, and with JSON escapes.
//!
//! Other code may have cut a long value or broken a line after a `/`, so pieces of the token are removed too. Host names are
//! shown in lower case, so the case is ignored.

use std::ops::Range;

/// The text that replaces the token or a piece of it.
const SCRUBBED: &str = "[token]";
/// The shortest piece that is removed, in characters. Shorter ones reveal nothing, and ordinary words look like them.
const SHORTEST: usize = 8;
/// A piece of at least this many characters is always removed. A shorter one is only removed if the text was cut or a line was
/// broken next to the piece.
const TELLING: usize = 16;

/// Returns `text` without `token` and without its pieces.
pub(super) fn without(token: &str, text: String) -> String {
    let mut clean = String::new();
    let mut taken = 0;
    for piece in pieces(token.as_bytes(), &text) {
        clean += &text[taken..piece.start];
        clean += SCRUBBED;
        taken = piece.end;
    }
    if taken == 0 { text } else { clean + &text[taken..] }
}

/// Finds the pieces of the token. It is ASCII, so they begin and end between characters.
fn pieces(token: &[u8], text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    // In a long report, few positions can be the start of a piece. A table of the first two bytes rules out the others.
    let mut begins = vec![false; 1 << 16];
    for begin in token.windows(SHORTEST) {
        begins[pair(begin)] = true; // both are in lower case
    }
    let bytes = text.as_bytes();
    let mut at = 0;
    while at + SHORTEST <= bytes.len() {
        let rest = &bytes[at..];
        let length = if begins[pair(rest)] { longest(token, rest) } else { 0 };
        let piece = at..at + length;
        let is_one = length >= SHORTEST && (length >= TELLING.min(token.len()) || is_left_over(text, &piece));
        at += if is_one { length } else { 1 };
        found.extend(is_one.then_some(piece));
    }
    found
}

fn pair(bytes: &[u8]) -> usize {
    let [one, other] = [bytes[0], bytes[1]].map(|byte| usize::from(byte.to_ascii_lowercase()));
    one << 8 | other
}

/// Returns the length of the longest piece of the token at the start of `text`.
fn longest(token: &[u8], text: &[u8]) -> usize {
    let common = |from: &[u8]| {
        from.iter().zip(text).take_while(|(one, other)| one.eq_ignore_ascii_case(other)).count()
    };
    token.windows(SHORTEST).enumerate().map(|(from, _)| common(&token[from..])).max().unwrap_or(0)
}

/// Returns whether the text was cut or a line was broken at either end of the piece. The frame around lines is ignored.
fn is_left_over(text: &str, piece: &Range<usize>) -> bool {
    let (before, behind) = (&text[..piece.start], &text[piece.end..]);
    let begins_line = || before.rsplit('\n').next().is_some_and(|line| !line.contains(char::is_alphanumeric));
    before.ends_with('…') || behind.starts_with(['…', '\n']) || begins_line()
}

/// Returns `body` without the token, or `None` if it does not contain it. JSON can escape `/` as `\/` and any character as in
/// `\u002f`, and JSON within a JSON text is escaped twice.
pub(super) fn without_spelled(token: &str, body: &[u8]) -> Option<Vec<u8>> {
    // Usually nothing is escaped, and this check is ten times faster than the search.
    if !body.contains(&b'\\') && std::str::from_utf8(body).is_ok_and(|text| !text.contains(token)) {
        return None;
    }
    let mut clean = Vec::new();
    let (mut at, mut taken) = (0, 0);
    while at < body.len() && token.len() >= SHORTEST {
        if let Some(length) = spelled(token.as_bytes(), &body[at..]) {
            clean.extend_from_slice(&body[taken..at]);
            clean.extend_from_slice(SCRUBBED.as_bytes());
            at += length;
            taken = at;
        } else {
            at += backslashes(&body[at..]).max(1);
        }
    }
    (taken > 0).then(|| [&clean, &body[taken..]].concat())
}

/// Returns the length in bytes of the token at the start of `body`.
fn spelled(token: &[u8], body: &[u8]) -> Option<usize> {
    let mut rest = body;
    for char in token {
        let escapes = backslashes(rest);
        rest = match &rest[escapes..] {
            [b'u', b'0', b'0', high, low, rest @ ..] if escapes > 0 && hex(*high, *low) == Some(*char) => {
                rest
            }
            [byte, rest @ ..] if byte == char => rest,
            _ => return None,
        };
    }
    Some(body.len() - rest.len())
}

fn backslashes(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| **byte == b'\\').count()
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    const TOKEN: &str = "pylon_story_4f1c/9Zq+Wc2mRt7uXv0B/kL5nH8jD3sYpGeQfAaTiOo1EwMxUyVb6=";

    #[test]
    fn the_token_and_its_pieces_are_removed() {
        let cut = |length: usize| &TOKEN[..length];
        for (text, expected) in [
            (format!("`{TOKEN}` and {TOKEN}"), "`[token]` and [token]"),
            (format!("`{}…`", cut(60)), "`[token]…`"),
            (format!("`{}…`", cut(8)), "`[token]…`"),
            (format!("…{}\" }}", &TOKEN[58..]), "…[token]\" }"),
            (format!("is {}\n  │ {}.", cut(17), &TOKEN[17..]), "is [token]\n  │ [token]."),
            (format!("{}\n  │ {}", cut(9), &TOKEN[9..18]), "[token]\n  │ [token]"),
            (format!("{}…{}", cut(7), &TOKEN[20..36]), "pylon_s…[token]"),
            (format!("host {}", cut(30).to_lowercase()), "host [token]"),
            // A short word that is also in the token is not removed.
            ("the pylon_story of an Admin".to_owned(), "the pylon_story of an Admin"),
            ("Ωpylon_…".to_owned(), "Ωpylon_…"),
        ] {
            assert_eq!(without(TOKEN, text), expected);
        }
        assert_eq!(without("short", "short".into()), "short");
    }

    #[test]
    fn the_token_is_removed_however_json_escapes_it() {
        let spellings = [
            TOKEN.to_owned(),
            TOKEN.replace('/', "\\/"),
            TOKEN.replace('/', "\\u002F").replace('p', "\\u0070"),
            TOKEN.replace('/', "\\\\\\/"),
            TOKEN.chars().map(|char| format!("\\u{:04x}", u32::from(char))).collect(),
        ];
        for spelling in spellings {
            let body = format!("{{\"errors\":[\"no \\\"{spelling}\\\"\"]}}");
            let clean = without_spelled(TOKEN, body.as_bytes()).expect("it is in there");
            assert_eq!(String::from_utf8(clean).unwrap(), "{\"errors\":[\"no \\\"[token]\\\"\"]}");
        }
        for other in ["{\"name\":\"B\\u00f6\"}", "{}", "\\", "p\\u00", "\\\\\\\\"] {
            assert_eq!(without_spelled(TOKEN, other.as_bytes()), None);
        }
    }
}
