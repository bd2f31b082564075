//! Text from elsewhere, made safe to show.
//!
//! Names, e-mails, roles, error texts, headers and file names come from files that a pull request edits and from a
//! server. [`Printable`] is the one way they reach a renderer: its only constructor escapes every character that
//! could drive a terminal, hide itself or reorder a line. What it holds is shown as it stands.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Text from elsewhere. Shown, every unprintable character in it is written as `\u{…}`. JSON has it as it came, since JSON
/// escapes in a way of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Printable {
    raw: String,
    /// The safe text, where it differs.
    #[serde(skip)]
    escaped: Option<String>,
}

impl Printable {
    /// Escapes `text`: C0 and C1 controls, line breaks, bidirectional controls, zero-width characters, fillers, tags; what
    /// a GitHub runner would take for a command; and marks that stand on nothing or tower over other lines.
    pub fn new(text: &str) -> Self {
        if text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
            && !text.contains("##[")
            && !text.contains("::")
        {
            return Self { raw: text.to_owned(), escaped: None };
        }
        let mut safe = String::with_capacity(text.len() + 16);
        for (char, acts) in characters(text) {
            if acts {
                safe.extend(char.escape_unicode());
            } else {
                safe.push(char);
            }
        }
        let escaped = (safe != text).then_some(safe);
        Self { raw: text.to_owned(), escaped }
    }

    /// The same, but cut to at most `limit` characters, with `…` for what is left out.
    pub fn cut(text: &str, limit: usize) -> Self {
        match text.char_indices().nth(limit) {
            None => Self::new(text),
            Some((end, _)) => Self::new(&format!("{}…", &text[..end])),
        }
    }

    /// The same text cut like [`Printable::cut`], for formats that people read.
    #[must_use]
    pub fn short(&self, limit: usize) -> Self {
        Self::cut(&self.raw, limit)
    }

    pub fn as_str(&self) -> &str {
        self.escaped.as_deref().unwrap_or(&self.raw)
    }

    /// The text as it came, for formats that escape in a way of their own (JSON, without loss).
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// Columns it takes on a terminal.
    pub fn width(&self) -> usize {
        UnicodeWidthStr::width(self.as_str())
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }
}

impl fmt::Display for Printable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// No script stands more marks upon one letter; a tower of them covers the lines around it.
const MOST_MARKS: usize = 8;

/// The characters of `text`, each with whether it has to be written out where it stands.
pub fn characters(text: &str) -> impl Iterator<Item = (char, bool)> {
    let (mut before, mut marks) = (None, 0);
    text.char_indices().map(move |(at, char)| {
        let is_mark = !char.is_ascii() && char.width() == Some(0);
        marks = if is_mark { marks + 1 } else { 0 };
        let acts = is_unprintable(char) && !is_style_of_emoji(before, char)
            || is_mark && (before.is_none() || marks > MOST_MARKS)
            || matches!(char, ':' | '#') && begins_command(before, &text[at..]);
        before = Some(char);
        (char, acts)
    })
}

/// Whether a GitHub runner would take `rest` for a command: `::` where a line begins (and a word may come to stand there),
/// `##[` anywhere.
fn begins_command(before: Option<char>, rest: &str) -> bool {
    rest.starts_with("##[") || before.is_none_or(char::is_whitespace) && rest.starts_with("::")
}

/// Whether `char` asks for a picture or a letter behind a sign that may be either (☎️): only behind letters, where it
/// changes nothing to be seen, does it hide.
fn is_style_of_emoji(before: Option<char>, char: char) -> bool {
    let is_sign = |before: char| {
        !before.is_ascii() && !before.is_alphanumeric() && before.width() > Some(0) && !is_unprintable(before)
    };
    matches!(char, '\u{fe0e}' | '\u{fe0f}') && before.is_some_and(is_sign)
}

/// Whether `char` would act on its reader instead of being seen by them.
pub fn is_unprintable(char: char) -> bool {
    matches!(char,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}'          // C0, DEL, C1: terminal control
        | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' // soft hyphen, joiners, Arabic and Mongolian marks
        | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}' // fillers: nothing to see
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' // zero width, line and paragraph ends, bidi
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffc}' // word joiner, bidi isolates, BOM, specials
        | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}' // variation selectors, tags
        | '\u{13430}'..='\u{1345f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' // hieroglyph, shorthand, musical controls
        | '\u{fdd0}'..='\u{fdef}') // no characters, nor are the last two of every plane
        || u32::from(char) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn plain_text_in_any_script_stays_as_it_is() {
        for text in
            ["", "Bo Lindqvist", "Zoë Ångström", "李雷", "Ахмед", "👩‍🔧".replace('\u{200d}', "").as_str()]
        {
            assert_eq!(Printable::new(text).as_str(), text);
        }
    }

    #[test]
    fn what_drives_a_terminal_or_hides_is_written_out() {
        assert_eq!(Printable::new("a\u{1b}[2Jb").as_str(), "a\\u{1b}[2Jb");
        assert_eq!(Printable::new("x\r\n::error::y").as_str(), "x\\u{d}\\u{a}\\u{3a}:error::y");
        assert_eq!(Printable::new("ad\u{202e}nim").as_str(), "ad\\u{202e}nim");
        assert_eq!(Printable::new("a\u{e0041}").as_str(), "a\\u{e0041}");
        assert_eq!(Printable::new("\u{9b}1m").as_str(), "\\u{9b}1m");
    }

    #[test]
    fn what_cannot_be_seen_is_written_out_and_what_can_be_stays() {
        assert_eq!(Printable::new("Admin\u{fe00}").as_str(), "Admin\\u{fe00}");
        assert_eq!(Printable::new("Admin\u{fe0f}").as_str(), "Admin\\u{fe0f}");
        assert_eq!(Printable::new("\u{2800}\u{fe0f}").as_str(), "\\u{2800}\\u{fe0f}");
        assert_eq!(Printable::new("e\u{301}\u{fe0f}").as_str(), "e\u{301}\\u{fe0f}");
        assert_eq!(Printable::new("#\u{fe0f}#[error]").as_str(), "#\\u{fe0f}#[error]");
        assert_eq!(Printable::new("\u{2800}\u{ffff}\u{1fffe}").as_str(), "\\u{2800}\\u{ffff}\\u{1fffe}");
        assert_eq!(Printable::new("Bo ☎\u{fe0f} ✔\u{fe0e}").as_str(), "Bo ☎\u{fe0f} ✔\u{fe0e}");
    }

    #[test]
    fn marks_stand_on_a_letter_and_do_not_tower() {
        let marked = |marks: usize| format!("Z{}", "\u{301}".repeat(marks));
        assert_eq!(Printable::new(&marked(8)).as_str(), marked(8));
        assert_eq!(Printable::new(&marked(10)).as_str(), marked(8) + "\\u{301}\\u{301}");
        assert_eq!(Printable::new("\u{301}Bo").as_str(), "\\u{301}Bo");
        assert_eq!(Printable::new("Nguyễn Việt བསྐྱོད כֶּ").as_str(), "Nguyễn Việt བསྐྱོད כֶּ");
    }

    #[test]
    fn no_text_is_a_command_to_a_github_runner() {
        assert_eq!(Printable::new("##[error]x").as_str(), "\\u{23}#[error]x");
        assert_eq!(Printable::new("a ##[group]").as_str(), "a \\u{23}#[group]");
        assert_eq!(Printable::new("###[x").as_str(), "#\\u{23}#[x");
        assert_eq!(Printable::new("::error::x").as_str(), "\\u{3a}:error::x");
        assert_eq!(Printable::new("y ::stop-commands::t").as_str(), "y \\u{3a}:stop-commands::t");
        assert_eq!(
            Printable::new("2001:db8::1 and roster::syntax").as_str(),
            "2001:db8::1 and roster::syntax"
        );
    }

    #[test]
    fn a_cut_keeps_whole_characters_and_says_that_it_cut() {
        assert_eq!(Printable::cut("ångström", 3).as_str(), "ång…");
        assert_eq!(Printable::cut("ång", 3).as_str(), "ång");
    }
}
