//! Detects potential secrets in user-written text so that messages don't reveal them.
//!
//! The token in use is removed from all output by [`crate::output`]. This module is for secrets pasted into a file: values whose
//! key has a telltale name, and words that look like tokens. Ordinary sentences about tokens and secrets are left as is.

use std::iter;

mod lines;

use crate::spelling::did_you_mean;
pub use lines::secret_lines;

/// Words in the names of secrets. On a line that contains one of these words, even a short word with a digit counts as a
/// potential secret.
const NAMES: [&str; 14] = [
    "token",
    "secret",
    "password",
    "passwort",
    "passwd",
    "passphrase",
    "pwd",
    "apikey",
    "authorization",
    "bearer",
    "credential",
    "jwt",
    "privatekey",
    "accesskey",
];
/// Token prefixes of well-known services.
const PREFIXES: [&str; 14] = [
    "pylon_",
    "pyl_",
    "tok_",
    "tok-",
    "sk_",
    "sk-",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "eyJ",
];
/// Keys whose values are Pylon IDs, which look like secrets.
const IDS: [&str; 2] = ["role", "organization"];
/// Placeholder shown in place of a secret.
pub const MASK: &str = "(not shown)";

/// Returns `true` for keys named like a secret, such as `token`, `apiToken`, `PYLON_API_TOKEN`, or `client-secret`. Email
/// addresses never match.
pub fn is_secret_name(name: &str) -> bool {
    if name.contains('@') {
        return false;
    }
    let lower = name.to_ascii_lowercase();
    let ends = |part: &str| {
        let part = part.trim_end_matches(|char: char| char.is_ascii_digit());
        let part = part.strip_suffix('s').filter(|part| !part.ends_with('s')).unwrap_or(part);
        NAMES.iter().any(|name| part.ends_with(name))
    };
    let mut words = lower.split(' ').filter(|word| !word.is_empty());
    let last = words.next_back().unwrap_or_default();
    last.split(['_', '-', '.']).any(ends)
        || ends(&last.replace(['_', '-', '.'], ""))
        || camel_parts(name).iter().any(|part| ends(part))
}

/// Returns `true` if a part of `name` is spelled similarly to the name of a secret.
pub fn resembles_secret_name(name: &str) -> bool {
    let parts = name.to_lowercase();
    let mut parts = parts.split([' ', '_', '-', '.']);
    parts.any(|part| {
        let near = NAMES.iter().copied().filter(|name| name.len().abs_diff(part.len()) < 2);
        part.len() > 3 && did_you_mean(part, near).is_some()
    })
}

/// Splits a camel-case name into lowercase parts: `apiTokenFile` yields `api`, `token`, and `file`. A name with spaces yields
/// only an empty part.
fn camel_parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    if name.contains(' ') {
        return parts;
    }
    let mut was_lower = false;
    for char in name.chars() {
        if char.is_ascii_uppercase() && was_lower {
            parts.push(String::new());
        }
        was_lower = char.is_ascii_lowercase();
        parts.last_mut().expect("at least one").push(char.to_ascii_lowercase());
    }
    parts
}

pub fn contains_secret(text: &str) -> bool {
    start_in(text).is_some()
}

/// Replaces the first potential secret on a line, along with everything after it, with [`MASK`].
pub fn mask_secret(line: &str) -> String {
    start_in(line).map_or_else(|| line.to_owned(), |start| format!("{}{MASK}", &line[..start]))
}

/// Returns the offset of the first potential secret on a line.
pub fn start_in(line: &str) -> Option<usize> {
    let word = secret_words(line).next().map(|(at, _)| at);
    let starts = [value_of_secret(line), credentials_in_url(line), word];
    let start = starts.into_iter().flatten().min()?;
    (start < line.len()).then_some(start)
}

/// Returns the words on a line that look like secrets, with their offsets.
pub fn secret_words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let lower = line.to_ascii_lowercase().replace(['_', '-'], "");
    let is_hinted = NAMES.iter().any(|name| lower.contains(name));
    // A word with a known token prefix isn't harmless, even in an address or as an ID.
    let is_harmless =
        move |at, word| !has_secret_prefix(word) && (is_in_address(line, at, word) || is_id(line, at));
    words(line).filter(move |(at, word)| looks_like_secret(word, is_hinted) && !is_harmless(*at, word))
}

/// Returns the offset of the password in the first URL with credentials. If the part before the `@` doesn't contain a `:`, all of
/// it counts as the password (RFC 3986, section 3.2.1).
fn credentials_in_url(line: &str) -> Option<usize> {
    line.match_indices("://").find_map(|(scheme, separator)| {
        let start = scheme + separator.len();
        let end = line[start..].find(|char: char| char.is_whitespace() || "/\"'<>".contains(char));
        let authority = &line[start..end.map_or(line.len(), |length| start + length)];
        let user = &authority[..authority.rfind('@')?];
        Some(start + user.find(':').map_or(0, |colon| colon + 1))
    })
}

/// Returns the offset of the first value whose key is named like a secret.
fn value_of_secret(line: &str) -> Option<usize> {
    let value = line[after_secret_key(line)?..].trim_start_matches(['"', '\'', ' ', '\t', '=', ':', '>']);
    Some(line.len() - value.len())
}

/// Finds the first key named like a secret. Returns the offset of the text after the key's separator.
fn after_secret_key(line: &str) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = line[at..].find(['=', ':', '"', '\'']) {
        at += found;
        let sign = line.as_bytes()[at];
        if matches!(sign, b'"' | b'\'') {
            at += line[at + 1..].find(char::from(sign)).map_or(1, |length| length + 2);
            continue;
        }
        if key_parts(&line[..at]).any(is_secret_name) {
            let value = line[at..].trim_start_matches([' ', '\t', '=', ':', '>']);
            return Some(line.len() - value.len());
        }
        at += 1;
    }
    None
}

/// Returns the parts of the dotted key at the end of `text`, last part first.
fn key_parts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    iter::from_fn(move || {
        let before = rest.take()?.trim_end();
        let quote = before.chars().last().filter(|last| matches!(last, '"' | '\''));
        let string = quote.and_then(|quote| {
            let start = before[..before.len() - 1].rfind(quote)?;
            Some((&before[..start], &before[start + 1..before.len() - 1]))
        });
        let (before, part) = string.unwrap_or_else(|| {
            let is_of_key = |char: char| char.is_ascii_alphanumeric() || "_-".contains(char);
            before.split_at(before.trim_end_matches(is_of_key).len())
        });
        let above = before.trim_end();
        // In a sentence, a space follows the dot but doesn't precede it.
        let is_sentence = |key: &&str| above.len() < before.len() && !key.ends_with([' ', '\t', '"', '\'']);
        rest = above.strip_suffix('.').filter(|key| !is_sentence(key));
        Some(part)
    })
}

/// Returns a line's words that consist of token characters, with their offsets.
pub fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_of_token = |char: char| char.is_ascii_alphanumeric() || "_-+/.~".contains(char);
    line.split(move |char: char| !is_of_token(char))
        .filter(|word| !word.is_empty())
        .map(|word| (word.as_ptr() as usize - line.as_ptr() as usize, word))
}

/// Returns `true` if a word looks like a token or, on a line that mentions a secret (`is_hinted`), like a password.
fn looks_like_secret(word: &str, is_hinted: bool) -> bool {
    let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
    let has_letter = word.bytes().any(|byte| byte.is_ascii_alphabetic());
    has_digit
        && has_letter
        && !is_team_file(word)
        && !is_time(word)
        && (has_secret_prefix(word) || is_random(word) || is_hinted && is_cryptic(word))
}

fn is_team_file(word: &str) -> bool {
    word.rsplit_once('.').is_some_and(|(_, extension)| extension.eq_ignore_ascii_case("toml"))
}

/// Returns `true` for a date, with or without a time. A date doesn't contain any letters except `T` and `Z`.
fn is_time(word: &str) -> bool {
    let letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
    letters <= 2 && word.starts_with(|char: char| char.is_ascii_digit()) && word.contains('-')
}

/// Returns `true` if a word is so long and irregular that it must have been generated.
fn is_random(word: &str) -> bool {
    word.len() >= 16 && changes(word) >= 6 && !is_uuid(word)
}

/// Returns `true` if a word could be a password. Ordinary words and short ones with a number at the end, such as `oauth2`, can't.
fn is_cryptic(word: &str) -> bool {
    word.len() >= 6 && (changes(word) >= 2 || word.len() >= 12)
}

/// Returns `true` if a word begins like the tokens of a well-known service.
pub fn has_secret_prefix(word: &str) -> bool {
    let has_prefix = PREFIXES.iter().any(|prefix| word.starts_with(prefix));
    has_prefix && word.len() >= 10 && word.bytes().any(|byte| byte.is_ascii_digit())
}

/// Counts the transitions between lowercase letters, uppercase letters, and digits. Random strings have many, and names have few.
fn changes(word: &str) -> usize {
    let class = |byte: &u8| match byte {
        b'a'..=b'z' => Some(0),
        b'A'..=b'Z' => Some(1),
        b'0'..=b'9' => Some(2),
        _ => None,
    };
    let classes: Vec<u8> = word.as_bytes().iter().filter_map(class).collect();
    classes.windows(2).filter(|pair| pair[0] != pair[1]).count()
}

/// Returns `true` if a word is a UUID, as used for Pylon's IDs: 8-4-4-4-12 hexadecimal digits (RFC 9562, section 4).
fn is_uuid(word: &str) -> bool {
    let lengths: Vec<usize> = word.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

fn is_in_address(line: &str, at: usize, word: &str) -> bool {
    line[..at].ends_with('@') || line[at + word.len()..].starts_with('@')
}

/// Returns `true` if the word at `at` is the value of one of the keys in [`IDS`].
fn is_id(line: &str, at: usize) -> bool {
    let key = line[..at].trim_end_matches(['"', '\'', ' ', '\t']).strip_suffix('=').map(str::trim_end);
    key.is_some_and(|key| {
        IDS.iter().any(|id| {
            key.strip_suffix(id).is_some_and(|before| {
                !before.ends_with(|char: char| char.is_ascii_alphanumeric() || "_-.".contains(char))
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_possible_secret_and_the_text_after_it_are_not_shown() {
        for (line, shown) in [
            ("token = \"tok-S3CRET\"", "token = \"(not shown)"),
            ("token = \"correct horse\"", "token = \"(not shown)"),
            ("https://ci-bot:ghp_Zq9abcdefgh12345678AB@github.com", "https://ci-bot:(not shown)"),
            ("DATABASE=postgres://app:hunter2@db.example/app", "DATABASE=postgres://app:(not shown)"),
            ("https://abcdef@git.example/x", "https://(not shown)"),
            ("ghp_Zq9abcdefgh12345678AB@git.example", "(not shown)"),
            ("role = \"ghp_Zq9abcdefgh12345678AB\"", "role = \"(not shown)"),
            ("pylon.token = \"x\"", "pylon.token = \"(not shown)"),
            ("token.live = \"x\"", "token.live = \"(not shown)"),
            ("a . \"client-secret\" . 'b' = \"x\"", "a . \"client-secret\" . 'b' = \"(not shown)"),
            ("private_key = \"x\"", "private_key = \"(not shown)"),
            ("pylon = { apiToken = 'x', a = 1 }", "pylon = { apiToken = '(not shown)"),
            ("\"client-secret\" = \"x\"", "\"client-secret\" = \"(not shown)"),
            ("api-key = \"x\"", "api-key = \"(not shown)"),
            ("export PYLON_API_TOKEN=abc", "export PYLON_API_TOKEN=(not shown)"),
            ("Authorization: Bearer abc", "Authorization: (not shown)"),
            ("tokens: abc", "tokens: (not shown)"),
            ("x = 1 # the token is tok-S3CRET", "x = 1 # the token is (not shown)"),
            ("workspace = \"tok-S3CRET\" # the token", "workspace = \"(not shown)"),
            ("status = \"token S3CRET\"", "status = \"token (not shown)"),
            ("region = \"bearer_S3CRET\"", "region = \"(not shown)"),
            ("note = \"pylon_3f9a8b7c6d\"", "note = \"(not shown)"),
            ("note = \"ghp_abcdefgh12345678\" # x", "note = \"(not shown)"),
            ("note = \"9Zq+Wc2mRt7uXv0B/kL5nH8j\"", "note = \"(not shown)"),
            ("note = \"3f9a8b7c6d5e4f3a2b1c\"", "note = \"(not shown)"),
        ] {
            assert_eq!(mask_secret(line), shown);
        }
    }

    #[test]
    fn ordinary_lines_are_shown_unchanged() {
        for line in [
            "reason = \"rotates the API token on call\"",
            "\"tokens@acme.example\" = { role = \"Admin\" }",
            "\"secretary@acme.example\" = { windows = [{ from = 2026-12-20T08:00:00Z, role = \"Admin\" }] }",
            "\"ana+token2026@acme.example\" = {}",
            "# bearer of bad news",
            "\"ana@acme.example\" = {} # no token. Note: away",
            "# the secret of a good rota",
            "keep_at_least = { Secretary = 2, \"Token Admin\" = 1 }",
            "guardrail = \"token_owner\" # until 2026-12-24",
            "reason = \"oauth2 tokens\"",
            "include = [\"teams/EMEA-2026-support.toml\"] # credentials team",
            "role = \"role_01HZX3K9M2N4P5Q6R7S8T9V0W1\"",
            "organization = \"3f9a8b7c-6d5e-4f3a-9b8c-7d6e5f4a3b2c\"",
            "\"3f9a8b7c-6d5e-4f3a-9b8c-7d6e5f4a3b2c\" = 2",
            "timezone = \"America/Argentina/Buenos_Aires\"",
            "expires = 2026-12-20T08:00:00.123456+01:00",
        ] {
            assert_eq!(mask_secret(line), line);
        }
    }

    #[test]
    fn a_key_is_named_like_a_secret_only_if_a_whole_part_is() {
        for name in [
            "token",
            "API_TOKEN",
            "apiToken",
            "tokenFile",
            "client-secret",
            "passwords",
            "apitoken",
            "api_key",
            "token2",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in
            ["secretary", "Tokenizer", "tokens@acme.example", "role", "Token Admin", "keep_at_least", ""]
        {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
