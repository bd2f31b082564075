//! Classifies the errors of the TOML parser. Only this module depends on their English messages.

use std::ops::Range;

use toml::de::Error;

pub(in crate::roster) struct ParserError<'e> {
    /// The range is in bytes of the file.
    pub(in crate::roster) span: Range<usize>,
    pub(in crate::roster) kind: ErrorKind,
    /// The message of the parser. It contains no text from the file.
    pub(super) message: &'e str,
}

/// The kinds of parser errors that the recognizers distinguish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::roster) enum ErrorKind {
    /// The key or the section is already declared.
    Repeated,
    /// A key has neither `=` nor a value. The parser stops building values here.
    NoValue,
    /// No `=` follows a key in braces.
    NoAssignment,
    /// A key needs quotes, or is empty.
    InvalidKey,
    /// A key has three quotes on each side.
    LongKey,
    /// A key is expected in braces, but something else is there.
    NoKey,
    /// The items of an array have no comma between them.
    NoCommaInArray,
    /// The keys in braces have no comma between them.
    NoCommaInBraces,
    ExtraCommaInArray,
    ExtraCommaInBraces,
    /// Something follows a complete value on its line.
    AfterValue,
    /// A backslash does not begin a valid escape.
    BadEscape,
    BadDate,
    BadTime,
    /// A string is not closed, or contains a control character.
    BadString,
    /// A value is a text without quotes, or has only one of them.
    NoQuotes,
    BadNumber,
    /// A value is missing, or does not have a type of TOML.
    BadValue,
    /// A carriage return has no line feed after it.
    CarriageReturn,
    Other,
}

/// The messages of each kind begin with these texts. The first match counts.
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
    /// Returns the error at `span` in the file. The span of `error` is in the part that was parsed.
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

    /// Returns whether the parser could not read a key, or did not find its value.
    pub(super) fn is_about_key(self) -> bool {
        matches!(self, Self::NoValue | Self::NoAssignment | Self::InvalidKey)
    }

    /// Returns whether the parser could not read a value.
    pub(super) fn is_about_value(self) -> bool {
        matches!(self, Self::NoQuotes | Self::BadDate | Self::BadTime | Self::BadNumber | Self::BadValue)
    }
}
