//! The API token and its possible sources.
//!
//! The token is sent only in the `Authorization` header. There's no flag for passing it directly, because flags show up in
//! process lists. The token is never printed: its `Debug` output is a placeholder, and [`Token::scrub`] removes it from untrusted
//! text.

use std::ffi::OsString;
use std::io::Read;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::{PylonCode, scrub};
use crate::printable::Printable;
use crate::problem::Problem;
use crate::regular::{self, Unreadable};
use crate::secret::contains_secret;

/// The environment variable that contains the token.
pub const VARIABLE: &str = "PYLON_API_TOKEN";
/// Size limit for token files, in bytes.
const LARGEST: u64 = 64 * 1024;
/// The characters allowed in a token besides letters and digits (`b64token` in RFC 6750).
const SIGNS: &[u8] = b"-._~+/=";

#[derive(Debug, Clone)]
pub struct Token(SecretString);

impl Token {
    /// Parses a token, ignoring surrounding whitespace.
    ///
    /// # Errors
    /// Returns an error if the string is empty or contains characters not allowed in tokens.
    pub fn new(text: &str) -> Result<Self, Problem> {
        let text = text.trim();
        if text.is_empty() {
            return Err(missing("the token is empty"));
        }
        if !text.bytes().all(is_part) {
            return Err(Problem::new(PylonCode::BadToken, "the token contains invalid characters").help(
                "copy it again: it can contain only letters, digits, and - . _ ~ + / =, without quotes or line breaks",
            ));
        }
        Ok(Self(SecretString::from(text)))
    }

    /// Returns the value of the `Authorization` header.
    pub(super) fn header(&self) -> String {
        format!("Bearer {}", self.0.expose_secret())
    }

    pub fn is(&self, text: &str) -> bool {
        self.0.expose_secret() == text
    }

    /// Removes the token from `text`, along with any fragments left by truncation or line breaks.
    pub fn scrub(&self, text: String) -> String {
        scrub::without(self.0.expose_secret(), text)
    }

    /// Removes the token from a JSON body, even if it's escaped. Returns `None` if the body doesn't contain the token.
    pub(super) fn scrub_body(&self, body: &[u8]) -> Option<Vec<u8>> {
        scrub::without_spelled(self.0.expose_secret(), body)
    }
}

/// A possible source of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSource {
    /// A file, selected by `--token-file`.
    File(PathBuf),
    /// Standard input, selected by `--token-file -`.
    Stdin,
    Variable(OsString),
}

impl TokenSource {
    /// Lists all sources in the command-line arguments and in the value of [`VARIABLE`], in order of precedence. This runs
    /// before the arguments are parsed because a parser error can quote the token, and only a known token can be removed.
    pub fn all(words: &[OsString], variable: Option<OsString>) -> Vec<Self> {
        let flag = "--token-file";
        let mut sources = Vec::new();
        let mut words = words.iter().take_while(|word| *word != "--");
        while let Some(word) = words.next() {
            let word = word.to_string_lossy();
            let path = match word.strip_prefix(flag) {
                Some("") => words.next().cloned(),
                Some(rest) => rest.strip_prefix('=').map(OsString::from),
                None => None,
            };
            sources.extend(path.map(|path| if path == "-" { Self::Stdin } else { Self::File(path.into()) }));
        }
        sources.extend(variable.map(Self::Variable));
        sources
    }

    /// Returns the token files in `sources`, relative to each folder that a `-C` in `words` might refer to.
    pub fn below_each(sources: &[Self], words: &[OsString]) -> Vec<Self> {
        let mut below = Vec::new();
        for (at, word) in words.iter().enumerate() {
            let Some((_, attached)) = word.to_str().and_then(|word| word.split_once('C')) else { continue };
            let folder = if attached.is_empty() { words.get(at + 1) } else { None };
            let folder =
                folder.map_or_else(|| PathBuf::from(attached.trim_start_matches('=')), PathBuf::from);
            for source in sources {
                if let Self::File(path) = source {
                    below.push(Self::File(folder.join(path)));
                }
            }
        }
        below
    }

    /// Returns `true` if the source can be read more than once.
    pub fn can_be_read_again(&self) -> bool {
        match self {
            Self::File(path) => !regular::is_stream(path),
            Self::Stdin => false,
            Self::Variable(_) => true,
        }
    }

    /// Reads the source, which should contain a token.
    ///
    /// # Errors
    /// Returns an error if the source cannot be read, isn't UTF-8, or starts with a byte-order mark.
    pub fn text(&self, stdin: &mut dyn Read) -> Result<String, Problem> {
        let name = match self {
            // Don't quote a path that looks like a token, because the user may have passed the token instead of a path.
            Self::File(path) if path.iter().count() == 1 && contains_secret(&path.to_string_lossy()) => {
                "the file given with --token-file (its name looks like a token)".to_owned()
            }
            Self::File(path) => format!("the token file {}", Printable::path(path)),
            Self::Stdin => "standard input".to_owned(),
            Self::Variable(_) => VARIABLE.to_owned(),
        };
        let text = match self {
            Self::File(path) => read(&name, regular::read_named(path, LARGEST))?,
            Self::Stdin => read(&name, regular::read_from(stdin, LARGEST))?,
            Self::Variable(value) => value.to_str().map(str::to_owned).ok_or_else(|| {
                Problem::new(PylonCode::BadToken, format!("the value of {name} is not UTF-8"))
                    .help("copy the token again: it can contain only letters, digits, and - . _ ~ + / =")
            })?,
        };
        if text.starts_with('\u{feff}') {
            return Err(Problem::new(
                PylonCode::BadToken,
                format!("{name} starts with a byte-order mark (BOM)"),
            )
            .help("save the token again as UTF-8 without a byte-order mark"));
        }
        Ok(text)
    }
}

/// Returns the error to report if neither the command line nor the environment contains a token.
pub(crate) fn no_source() -> Problem {
    missing("no token is set")
}

fn read(name: &str, text: Result<String, Unreadable>) -> Result<String, Problem> {
    text.map_err(|why| {
        Problem::new(PylonCode::NoToken, format!("cannot read {name}: {why}"))
            .help("use --token-file with a file that contains only the token")
    })
}

/// Returns the words in `text` that might be tokens or fragments of tokens.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |char: char| u8::try_from(char).is_ok_and(is_part);
    text.split(move |char| !is_part(char)).filter(|word| !word.is_empty())
}

fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || SIGNS.contains(&byte)
}

fn missing(message: &str) -> Problem {
    Problem::new(PylonCode::NoToken, message).help(format!(
        "set {VARIABLE}, or pass a file with --token-file (`-` reads standard input); an Admin can create a token in \
         Pylon's settings, under API; to try rolecall without one, add --sandbox"
    ))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_token_is_never_printed_and_is_removed_from_other_texts() {
        let token = Token::new(" pylon_s3cret_value \n").unwrap();
        assert!(!format!("{token:?}").contains("s3cret"));
        assert_eq!(token.header(), "Bearer pylon_s3cret_value");
        assert_eq!(token.scrub("invalid token pylon_s3cret_value!".into()), "invalid token [token]!");
    }

    #[test]
    fn a_token_file_or_standard_input_takes_precedence_over_the_variable() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        let variable = || TokenSource::Variable("from-variable".into());
        for (line, expected) in [
            ("rolecall plan", vec![]),
            ("rolecall plan --token-file a", vec![TokenSource::File("a".into())]),
            ("rolecall plan --token-file=- --frob", vec![TokenSource::Stdin]),
            (
                "rolecall plan --token-file=a --token-file b",
                vec![TokenSource::File("a".into()), TokenSource::File("b".into())],
            ),
            ("rolecall plan --token-filed a -- --token-file b", vec![]),
        ] {
            assert_eq!(TokenSource::all(&words(line), None), expected, "{line}");
            let both = [expected, vec![variable()]].concat();
            assert_eq!(TokenSource::all(&words(line), Some("from-variable".into())), both, "{line}");
        }
        assert_eq!(TokenSource::Stdin.text(&mut "from-stdin\n".as_bytes()).unwrap(), "from-stdin\n");
        assert_eq!(variable().text(&mut "".as_bytes()).unwrap(), "from-variable");
    }

    #[test]
    fn a_token_file_may_be_below_the_folder_of_any_c_flag() {
        let files = [TokenSource::File("t".into()), TokenSource::Stdin];
        for line in ["rolecall -C d plan", "rolecall plan -Cd", "rolecall -qC d plan", "rolecall -C=d plan"] {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert_eq!(TokenSource::below_each(&files, &words), [TokenSource::File("d/t".into())], "{line}");
        }
    }

    #[test]
    fn an_invalid_token_is_an_error_with_a_reason() {
        let why = |text: &str| {
            TokenSource::Stdin.text(&mut text.as_bytes()).and_then(|text| Token::new(&text)).unwrap_err()
        };
        assert_eq!(why("two words").code, "pylon::bad_token");
        assert_eq!(why("\u{feff}pylon_x").message, "standard input starts with a byte-order mark (BOM)");
        assert_eq!(why("  \n").message, "the token is empty");
        assert_eq!(words("\"two words\" \u{412d}x").collect::<Vec<_>>(), ["two", "words", "x"]);
        let missing = TokenSource::File("nowhere".into()).text(&mut "".as_bytes()).unwrap_err();
        assert_eq!(missing.code, "pylon::no_token");
        #[cfg(unix)]
        {
            let value = std::os::unix::ffi::OsStringExt::from_vec(b"pylon_\xff".to_vec());
            let why = TokenSource::Variable(value).text(&mut "".as_bytes()).unwrap_err();
            assert_eq!(why.message, "the value of PYLON_API_TOKEN is not UTF-8");
        }
    }
}
