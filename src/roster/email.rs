//! Email addresses, which identify people in the files and in Pylon.
//!
//! Two addresses are equal if they differ only in case (simple case folding, Unicode 3.13) or composition (NFC, UAX #15). The
//! original spelling is preserved for reports and for requests to Pylon.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use icu_casemap::CaseMapper;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_normalization::UnicodeNormalization;
use unicode_security::skeleton;

/// An email address. Comparison and hashing use the normalized form, but the original spelling is preserved. Cloning is cheap
/// because the string is reference-counted.
#[derive(Debug, Clone)]
pub struct Email {
    written: Arc<str>,
    /// The normalized form in lowercase, which is the same for all spellings of an address.
    folded: Arc<str>,
}

/// The reason an address is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadEmail {
    /// The string is not a well-formed address. Contains the reason as a clause, such as "it has no `@`".
    Malformed(&'static str),
    /// The address contains non-ASCII characters, which are allowed only with `allow_unicode_emails = true`.
    NotAscii,
}

impl Email {
    /// Wraps an address from Pylon without validation, since Pylon decides which addresses its users sign in with.
    pub fn observed(text: &str) -> Self {
        let written: Arc<str> = text.into();
        let folded = if !text.is_ascii() {
            normalized(text).into()
        } else if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            text.to_ascii_lowercase().into()
        } else {
            Arc::clone(&written) // almost all addresses are in lowercase
        };
        Self { written, folded }
    }

    /// Validates an address from a file. Lengths and characters follow RFC 5321, and host names follow RFC 1123. Quoted local
    /// parts and address literals are rejected because Pylon users don't sign in with them.
    pub fn declared(text: &str, allow_unicode: bool) -> Result<Self, BadEmail> {
        let malformed = |why| Err(BadEmail::Malformed(why));
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        let is_invisible = |char: char| char.is_whitespace() || crate::printable::is_unprintable(char);
        if !is_plain && text.chars().any(is_invisible) {
            return malformed("it contains a space or an invisible character");
        }
        if !text.is_ascii() && !allow_unicode {
            return Err(BadEmail::NotAscii);
        }
        let Some((local, domain)) = text.split_once('@') else {
            return malformed("it has no `@`");
        };
        if domain.contains('@') {
            return malformed("it has more than one `@`");
        }
        if local.is_empty() || local.len() > 64 || text.len() > 254 {
            return malformed(
                "the part before the `@` must have 1 to 64 characters, and the whole address at most 254",
            );
        }
        if !local
            .chars()
            .all(|char| !char.is_ascii() || char.is_ascii_alphanumeric() || LOCAL_SIGNS.contains(char))
        {
            return malformed(
                "the part before the `@` contains a character that is not allowed in an address",
            );
        }
        if !domain.contains('.') || !domain.split('.').all(is_host_label) {
            return malformed("the part after the `@` is not a valid domain");
        }
        Ok(Self::observed(text))
    }

    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Returns the normalized form in lowercase, which is the same for all spellings of an address.
    pub fn folded(&self) -> &str {
        &self.folded
    }

    /// Returns the UTS #39 skeleton (section 4), which is identical for look-alike addresses.
    pub fn skeleton(&self) -> String {
        skeleton(&self.folded).collect()
    }
}

/// Lists up to five non-ASCII characters with their code points, since many look exactly like an ASCII letter.
pub(super) fn foreign_letters(text: &str) -> String {
    let foreign = text.chars().filter(|char| !char.is_ascii()).take(5);
    foreign.map(|char| format!("`{char}` (U+{:04X})", u32::from(char))).collect::<Vec<_>>().join(", ")
}

fn normalized(text: &str) -> String {
    let case = CaseMapper::new();
    text.nfc().map(|char| case.simple_fold(char)).nfc().collect()
}

/// Punctuation allowed in the local part (`atext` of RFC 5322, plus the dot).
const LOCAL_SIGNS: &str = "!#$%&'*+-/=?^_`{|}~.";

fn is_host_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= 63
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|char| !char.is_ascii() || char.is_ascii_alphanumeric() || char == '-')
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.written)
    }
}

impl PartialEq for Email {
    fn eq(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}

impl Eq for Email {}

impl Hash for Email {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded.hash(state);
    }
}

impl Serialize for Email {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::observed(&String::deserialize(deserializer)?))
    }
}

impl PartialOrd for Email {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Email {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded.cmp(&other.folded)
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn addresses_ignore_ascii_case_and_keep_their_spelling() {
        let (one, two) = (Email::observed("Ana@Acme.example"), Email::observed("ana@acme.EXAMPLE"));
        assert_eq!(one, two);
        assert_eq!(one.cmp(&two), Ordering::Equal);
        assert_eq!(one.to_string(), "Ana@Acme.example");
    }

    #[test]
    fn addresses_outside_ascii_ignore_case_and_composition() {
        let hash = |email: &Email| {
            let mut hasher = std::hash::DefaultHasher::new();
            email.hash(&mut hasher);
            hasher.finish()
        };
        for (one, other) in [
            ("zo\u{eb}@acme.example", "zoe\u{308}@acme.example"),
            ("zo\u{eb}@acme.example", "ZO\u{cb}@ACME.example"),
            ("ΣΊΣΥΦΟΣ@acme.example", "σίσυφος@acme.example"),
            ("\u{212a}im@acme.example", "kim@acme.example"), // the Kelvin sign
        ] {
            let (one, other) = (Email::observed(one), Email::observed(other));
            assert_eq!(one, other);
            assert_eq!((one.cmp(&other), hash(&one)), (Ordering::Equal, hash(&other)), "{one} {other}");
            assert_eq!(one.folded(), other.folded());
        }
        for (one, other) in [
            ("zoe@acme.example", "zo\u{eb}@acme.example"),
            ("stra\u{df}e@acme.example", "strasse@acme.example"), // full case folding would treat these as equal
            ("\u{131}vo@acme.example", "ivo@acme.example"),
        ] {
            assert_ne!(Email::observed(one), Email::observed(other), "{one} {other}");
        }
        assert_eq!(
            Email::observed("\u{430}na@acme.example").skeleton(),
            Email::observed("ana@acme.example").skeleton()
        );
    }

    #[test]
    fn an_invalid_address_is_rejected_with_a_reason() {
        for good in ["a@b.co", "first.last+tag@sub.domain.example", "o'neil@x-y.example"] {
            assert!(Email::declared(good, false).is_ok(), "{good}");
        }
        for bad in [
            "",
            "ana",
            "ana@",
            "@acme.example",
            "a@b@c.example",
            "ana@acme",
            "a b@acme.example",
            "a@-x.example",
        ] {
            assert!(matches!(Email::declared(bad, true), Err(BadEmail::Malformed(_))), "{bad}");
        }
        assert_eq!(Email::declared("zoë@acme.example", false), Err(BadEmail::NotAscii));
        assert!(Email::declared("zoë@acme.example", true).is_ok());
        assert!(Email::declared("zo\u{200b}e@acme.example", true).is_err());
    }
}
