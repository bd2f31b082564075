//! Removes the API token from untrusted text and JSON bodies. In text, fragments of the token are removed too, and case is
//! ignored. In JSON bodies, only the whole token is removed, even if it's escaped.
//!
//! A fragment is what remains if other code truncates a long value or breaks a line after a `/`. Case is ignored because a
//! token that was passed as a host name is displayed in lowercase.

use std::ops::Range;

/// The replacement for the token or a fragment of it.
const SCRUBBED: &str = "[token]";
/// The minimum length of a removed fragment, in characters. A shorter one reveals too little to matter and might be an ordinary
/// word.
const SHORTEST: usize = 8;
/// Fragments of at least this many characters are always removed. Shorter fragments are removed only next to a truncation or a
/// line break.
const TELLING: usize = 16;

/// Removes `token` and its fragments from `text`.
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

/// Returns the position of each fragment of the token in `text`. Because the token is ASCII, fragments always start and end on
/// character boundaries.
fn pieces(token: &[u8], text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    // A table of the first two bytes of every fragment rules out most positions.
    let mut begins = vec![false; 1 << 16];
    for begin in token.windows(SHORTEST) {
        begins[pair(begin)] = true; // `pair` ignores case
    }
    let bytes = text.as_bytes();
    let mut at = 0;
    while at + SHORTEST <= bytes.len() {
        let rest = &bytes[at..];
        let length = if begins[pair(rest)] { longest(token, rest) } else { 0 };
        let piece = at..at + length;
        let is_one = length >= SHORTEST && (length >= TELLING.min(token.len()) || is_left_over(text, &piece));
        if is_one {
            at = piece.end;
            found.push(piece);
        } else {
            at += 1;
        }
    }
    found
}

fn pair(bytes: &[u8]) -> usize {
    let [one, other] = [bytes[0], bytes[1]].map(|byte| usize::from(byte.to_ascii_lowercase()));
    one << 8 | other
}

/// Returns the length of the longest fragment of the token at the start of `text`.
fn longest(token: &[u8], text: &[u8]) -> usize {
    let common = |from: &[u8]| {
        from.iter().zip(text).take_while(|(one, other)| one.eq_ignore_ascii_case(other)).count()
    };
    token.windows(SHORTEST).enumerate().map(|(from, _)| common(&token[from..])).max().unwrap_or(0)
}

/// Returns `true` if the fragment is next to a truncation or a line break, ignoring the frame that reports draw to the left of a
/// line.
fn is_left_over(text: &str, piece: &Range<usize>) -> bool {
    let (before, behind) = (&text[..piece.start], &text[piece.end..]);
    let begins_line = || before.rsplit('\n').next().is_some_and(|line| !line.contains(char::is_alphanumeric));
    let is_cut = ["…", "..."].iter().any(|mark| before.ends_with(mark) || behind.starts_with(mark));
    is_cut || behind.starts_with('\n') || begins_line()
}

/// Removes the token from `body`, or returns `None` if `body` doesn't contain it. JSON may escape `/` as `\/`, and any ASCII
/// character as `\u` followed by four hex digits, such as `\u002f` for `/`. JSON nested in a JSON string is escaped twice.
pub(super) fn without_spelled(token: &str, body: &[u8]) -> Option<Vec<u8>> {
    // Usually, nothing is escaped, and this check is then ten times faster than the search below.
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

/// Returns the token's length in bytes, including escapes, if `body` starts with the token.
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
            (format!("{}... and ...{}", cut(9), &TOKEN[58..]), "[token]... and ...[token]"),
            (format!("is {}\n  │ {}.", cut(17), &TOKEN[17..]), "is [token]\n  │ [token]."),
            (format!("{}\n  │ {}", cut(9), &TOKEN[9..18]), "[token]\n  │ [token]"),
            (format!("{}…{}", cut(7), &TOKEN[20..36]), "pylon_s…[token]"),
            (format!("host {}", cut(30).to_lowercase()), "host [token]"),
            // A short word that also occurs in the token isn't removed.
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
