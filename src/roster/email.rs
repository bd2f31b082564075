//! E-mail addresses: the keys by which people are declared and found.
//!
//! Two spellings are one address if they differ only in case (simple case folding, Unicode 3.13) or in the way in which a letter
//! with an accent is composed (NFC, UAX #15). The spelling is kept: it is shown, and it is what Pylon is asked for.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use icu_casemap::CaseMapper;
use serde::{Serialize, Serializer};
use unicode_normalization::UnicodeNormalization;
use unicode_security::skeleton;

/// An address as it was written. It is compared and hashed in its normalized form. The text is shared, because the same address
/// is in the roster, in the desired state, in the search, and in the plan.
#[derive(Debug, Clone)]
pub struct Email {
    written: Arc<str>,
    /// The normalized form. `None` if the address is ASCII, as nearly all are: then only case has to be ignored.
    normalized: Option<Arc<str>>,
}

/// Why a text is refused as an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadEmail {
    /// Not of the form `someone@somewhere.example`.
    Malformed(&'static str),
    /// Has characters outside ASCII, and the file does not allow them.
    NotAscii,
}

impl Email {
    /// An address as Pylon gives it: taken as it is, since Pylon decides what an address of its own is.
    pub fn observed(text: &str) -> Self {
        Self { written: text.into(), normalized: (!text.is_ascii()).then(|| normalized(text).into()) }
    }

    /// An address as a file declares it. Lengths and characters follow RFC 5321 and the host names of RFC 1123;
    /// quoted local parts and address literals are refused, because Pylon users do not sign in with them.
    pub fn declared(text: &str, allow_unicode: bool) -> Result<Self, BadEmail> {
        let malformed = |why| Err(BadEmail::Malformed(why));
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        let is_invisible = |char: char| char.is_whitespace() || crate::printable::is_unprintable(char);
        if !is_plain && text.chars().any(is_invisible) {
            return malformed("it holds a space or an invisible character");
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
            return malformed("the part before the `@` must have 1 to 64 characters, the whole at most 254");
        }
        if !local
            .chars()
            .all(|char| !char.is_ascii() || char.is_ascii_alphanumeric() || LOCAL_SIGNS.contains(char))
        {
            return malformed("the part before the `@` holds a character that no address has");
        }
        if !domain.contains('.') || !domain.split('.').all(is_host_label) {
            return malformed("the part behind the `@` is no domain");
        }
        Ok(Self::observed(text))
    }

    /// The address as it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// The normalized form: equal for addresses that are equal.
    pub fn folded(&self) -> String {
        self.key().to_ascii_lowercase()
    }

    /// The address, normalized except for ASCII case.
    fn key(&self) -> &str {
        self.normalized.as_ref().unwrap_or(&self.written)
    }

    /// What the address looks like (UTS #39, 4): equal for addresses that people cannot tell apart.
    pub fn skeleton(&self) -> String {
        skeleton(&self.folded()).collect()
    }
}

/// Returns the characters outside ASCII, each with its code point, because many look like a letter of ASCII. At most five.
pub(super) fn foreign_letters(text: &str) -> String {
    let foreign = text.chars().filter(|char| !char.is_ascii()).take(5);
    foreign.map(|char| format!("`{char}` (U+{:04X})", u32::from(char))).collect::<Vec<_>>().join(", ")
}

fn normalized(text: &str) -> String {
    let case = CaseMapper::new();
    text.nfc().map(|char| case.simple_fold(char)).nfc().collect()
}

/// The signs that the part before the `@` may have, besides letters and digits (`atext` of RFC 5322, and the dot).
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
        self.key().eq_ignore_ascii_case(other.key())
    }
}

impl Eq for Email {}

impl Hash for Email {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // In pieces, not byte by byte: a hasher does its work once a call.
        let mut lower = [0; 64];
        for piece in self.key().as_bytes().chunks(lower.len()) {
            let lower = &mut lower[..piece.len()];
            lower.copy_from_slice(piece);
            lower.make_ascii_lowercase();
            state.write(lower);
        }
        state.write_u8(0xff);
    }
}

impl Serialize for Email {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl PartialOrd for Email {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Email {
    fn cmp(&self, other: &Self) -> Ordering {
        let folded = |byte: u8| byte.to_ascii_lowercase();
        self.key().bytes().map(folded).cmp(other.key().bytes().map(folded))
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn ascii_case_makes_no_difference_and_the_spelling_stays() {
        let (one, two) = (Email::observed("Ana@Acme.example"), Email::observed("ana@acme.EXAMPLE"));
        assert_eq!(one, two);
        assert_eq!(one.cmp(&two), Ordering::Equal);
        assert_eq!(one.to_string(), "Ana@Acme.example");
    }

    #[test]
    fn case_and_composition_make_no_difference_outside_ascii_either() {
        let hash = |email: &Email| {
            let mut hasher = std::hash::DefaultHasher::new();
            email.hash(&mut hasher);
            hasher.finish()
        };
        for (one, other) in [
            ("zo\u{eb}@acme.example", "zoe\u{308}@acme.example"),
            ("zo\u{eb}@acme.example", "ZO\u{cb}@ACME.example"),
            ("ΣΊΣΥΦΟΣ@acme.example", "σίσυφος@acme.example"),
            ("\u{212a}im@acme.example", "kim@acme.example"), // the sign for kelvin
        ] {
            let (one, other) = (Email::observed(one), Email::observed(other));
            assert_eq!(one, other);
            assert_eq!((one.cmp(&other), hash(&one)), (Ordering::Equal, hash(&other)), "{one} {other}");
            assert_eq!(one.folded(), other.folded());
        }
        for (one, other) in [
            ("zoe@acme.example", "zo\u{eb}@acme.example"),
            ("stra\u{df}e@acme.example", "strasse@acme.example"), // full case folding would equate them
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
    fn what_is_no_address_is_refused_with_a_reason() {
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
