//! The token: where it comes from, and that it goes nowhere but into the `Authorization` header.
//!
//! It is never taken from a flag's value (process lists show those) and cannot be printed: its `Debug` is a placeholder,
//! and [`Token::scrub`] takes it out of any text in which somebody else repeats it.

use std::io::Read;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use super::{Code, scrub};
use crate::printable::Printable;
use crate::problem::Problem;
use crate::regular::{self, Unreadable};

/// The environment variable that people set.
pub const VARIABLE: &str = "PYLON_API_TOKEN";
/// A token file larger than this is no token file.
const LARGEST: u64 = 64 * 1024;
/// What a token may hold beside letters and digits (`b64token` of RFC 6750).
const SIGNS: &[u8] = b"-._~+/=";

/// An API token.
#[derive(Debug, Clone)]
pub struct Token(SecretString);

impl Token {
    /// A token as it was given; surrounding white space is not part of it.
    ///
    /// # Errors
    /// It is empty or cannot stand in a header.
    pub fn new(text: &str) -> Result<Self, Problem> {
        let text = text.trim();
        if text.is_empty() {
            return Err(missing("the token is empty"));
        }
        if !text.bytes().all(is_part) {
            return Err(Problem::new(Code::BadToken, "the token holds characters that no token has").help(
                "copy it again: it is one word of letters, digits and - . _ ~ + / =, without quotes or line breaks",
            ));
        }
        Ok(Self(SecretString::from(text)))
    }

    /// The value of the `Authorization` header.
    pub(super) fn header(&self) -> String {
        format!("Bearer {}", self.0.expose_secret())
    }

    /// `text` without the token and what a cut has left of it.
    pub fn scrub(&self, text: String) -> String {
        scrub::without(self.0.expose_secret(), text)
    }

    /// A body without the token, however it is spelt there; `None` where it is not in it.
    pub(super) fn scrub_body(&self, body: &[u8]) -> Option<Vec<u8>> {
        scrub::without_spelt(self.0.expose_secret(), body)
    }
}

/// The text that should be the token: from `--token-file` (`-` is `stdin`) or else from [`VARIABLE`], whose value is `variable`.
///
/// # Errors
/// There is none, or the file cannot be read.
pub fn find(file: Option<&Path>, variable: Option<&str>, stdin: &mut dyn Read) -> Result<String, Problem> {
    match (file, variable) {
        (Some(path), _) if path.as_os_str() == "-" => {
            read("standard input", regular::read_from(stdin, LARGEST))
        }
        (Some(path), _) => {
            let name = format!("the token file {}", Printable::cut(&path.to_string_lossy(), 200));
            read(&name, regular::read(path, LARGEST))
        }
        (None, Some(value)) => Ok(value.to_owned()),
        (None, None) => Err(missing("there is no token")),
    }
}

fn read(name: &str, text: Result<String, Unreadable>) -> Result<String, Problem> {
    text.map_err(|why| {
        Problem::new(Code::NoToken, format!("{name} cannot be read: {why}"))
            .help("--token-file names a file that holds the token alone")
    })
}

/// The words of a text that could be tokens or pieces of one.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |char: char| u8::try_from(char).is_ok_and(is_part);
    text.split(move |char| !is_part(char)).filter(|word| !word.is_empty())
}

fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || SIGNS.contains(&byte)
}

fn missing(message: &str) -> Problem {
    Problem::new(Code::NoToken, message).help(format!(
        "set {VARIABLE}, or name a file that holds it with --token-file (`-` reads it from standard input); \
         an Admin creates tokens in Pylon under Settings, API; to try without one, add --sandbox"
    ))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_token_cannot_be_printed_and_is_taken_out_of_what_others_say() {
        let token = Token::new(" pylon_s3cret_value \n").unwrap();
        assert!(!format!("{token:?}").contains("s3cret"));
        assert_eq!(token.header(), "Bearer pylon_s3cret_value");
        assert_eq!(token.scrub("invalid token pylon_s3cret_value!".into()), "invalid token [token]!");
    }

    #[test]
    fn a_file_beats_the_variable_and_standard_input_is_a_file() {
        let mut stdin = "from-stdin\n".as_bytes();
        let text = find(Some(Path::new("-")), Some("from-variable"), &mut stdin).unwrap();
        assert_eq!(Token::new(&text).unwrap().header(), "Bearer from-stdin");
        assert_eq!(find(None, Some("from-variable"), &mut "".as_bytes()).unwrap(), "from-variable");
        let nothing = find(None, None, &mut "".as_bytes()).unwrap_err();
        assert_eq!(nothing.code, "pylon::no_token");
        assert_eq!(Token::new("two words").unwrap_err().code, "pylon::bad_token");
        assert_eq!(words("\"two words\" \u{412d}x").collect::<Vec<_>>(), ["two", "words", "x"]);
    }
}
