//! Classifies the TOML parser's errors by their English messages. No other module depends on the wording of these messages.

use std::ops::Range;

use toml::de::Error;

pub(in crate::roster) struct ParserError<'e> {
    /// The byte range in the file.
    pub(in crate::roster) span: Range<usize>,
    pub(in crate::roster) kind: ErrorKind,
    /// The parser's message, which never quotes the file.
    pub(super) message: &'e str,
}

/// The kinds of parser errors that recognizers need to tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::roster) enum ErrorKind {
    /// A key or section that is already defined.
    Repeated,
    /// A key with neither `=` nor a value. The parser stops producing values here.
    NoValue,
    /// A key in an inline table that isn't followed by `=`.
    NoAssignment,
    /// A key that is empty or must be quoted.
    InvalidKey,
    /// A key in triple quotes.
    LongKey,
    /// Anything other than a key where an inline table requires a key.
    NoKey,
    /// Two array items without a comma in between.
    NoCommaInArray,
    /// Two keys in an inline table without a comma in between.
    NoCommaInBraces,
    ExtraCommaInArray,
    ExtraCommaInBraces,
    /// Trailing text after a complete value.
    AfterValue,
    /// A backslash that doesn't start a valid escape sequence.
    BadEscape,
    BadDate,
    BadTime,
    /// A string that isn't closed or that contains a control character.
    BadString,
    /// A string value that lacks one or both of its quotes.
    NoQuotes,
    BadNumber,
    /// A missing value, or a value that isn't of any TOML type.
    BadValue,
    /// A carriage return that isn't followed by a line feed.
    CarriageReturn,
    Other,
}

/// Maps each kind of error to the prefixes of its messages. The first kind with a matching prefix wins.
const BEGINNINGS: &[(ErrorKind, &[&str])] = &[
    (ErrorKind::Repeated, &["duplicate key", "cannot extend value"]),
    (ErrorKind::NoValue, &["key with no value", "missing value for key"]),
    (ErrorKind::NoAssignment, &["missing assignment"]),
    (ErrorKind::InvalidKey, &["invalid unquoted key", "unquoted keys cannot be empty", "invalid key-value"]),
    (ErrorKind::LongKey, &["keys cannot be multi-line"]),
    (ErrorKind::NoKey, &["missing key for inline table"]),
    (ErrorKind::NoCommaInBraces, &["missing comma between key-value"]),
    (ErrorKind::NoCommaInArray, &["missing comma"]),
    (ErrorKind::ExtraCommaInBraces, &["extra comma in inline table"]),
    (ErrorKind::ExtraCommaInArray, &["extra comma"]),
    (ErrorKind::AfterValue, &["unexpected key or value"]),
    (ErrorKind::BadEscape, &["missing escaped value", "too few unicode"]),
    (ErrorKind::BadDate, &["invalid date"]),
    (ErrorKind::BadTime, &["invalid time", "invalid offset"]),
    (ErrorKind::NoQuotes, &["string values must be quoted", "invalid literal string"]),
    (ErrorKind::BadString, &["invalid string", "invalid basic string", "invalid multi-line"]),
    (
        ErrorKind::BadNumber,
        &["invalid integer", "invalid float", "unexpected leading zero", "`_` may only go", "redundant"],
    ),
    (ErrorKind::BadValue, &["invalid boolean", "invalid value", "missing value", "missing opening quote"]),
    (ErrorKind::CarriageReturn, &["carriage return"]),
];

impl<'e> ParserError<'e> {
    /// Creates an error at `span` in the file. We can't use the span in `error` because it's relative to the part being parsed.
    pub(in crate::roster) fn at(span: Range<usize>, error: &'e Error) -> Self {
        let message = error.message();
        Self { span, kind: ErrorKind::from_message(message), message }
    }
}

impl ErrorKind {
    pub(super) fn from_message(message: &str) -> Self {
        let is_of = |beginnings: &[&str]| beginnings.iter().any(|beginning| message.starts_with(beginning));
        BEGINNINGS.iter().find(|(_, beginnings)| is_of(beginnings)).map_or(Self::Other, |(kind, _)| *kind)
    }

    /// Returns `true` if the parser failed to read a key or to find its value.
    pub(super) fn is_about_key(self) -> bool {
        matches!(self, Self::NoValue | Self::NoAssignment | Self::InvalidKey)
    }

    /// Returns `true` if the parser failed to read a value.
    pub(super) fn is_about_value(self) -> bool {
        matches!(self, Self::NoQuotes | Self::BadDate | Self::BadTime | Self::BadNumber | Self::BadValue)
    }
}
