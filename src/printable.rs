//! Makes untrusted text safe to display.
//!
//! Names, addresses, roles, error messages, headers, and file names come from a server or from files that anyone can edit in
//! a pull request. All of them are displayed as [`Printable`], whose constructor escapes every character that could control
//! a terminal, be invisible, or reorder a line.

use std::fmt;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Untrusted text. Unprintable characters are displayed as `\u{…}`. In JSON, the text is unchanged because JSON has its own
/// escapes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Printable {
    raw: String,
    /// The escaped text, or `None` if it's identical to `raw`.
    #[serde(skip)]
    escaped: Option<String>,
}

impl Printable {
    /// Escapes the following characters in `text`:
    ///
    /// * C0 and C1 controls, line breaks, bidirectional controls, zero-width characters, fillers, and tags
    /// * the start of a GitHub runner command
    /// * combining marks that have no base character or that are stacked high enough to cover other lines
    pub fn new(text: &str) -> Self {
        if text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
            && !text.contains("##[")
            && !text.contains("::")
            && !text.ends_with(':')
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

    /// Truncates `text` to `limit` characters, marks any omission with `…`, and escapes the result.
    pub fn cut(text: &str, limit: usize) -> Self {
        match text.char_indices().nth(limit) {
            None => Self::new(text),
            Some((end, _)) => Self::new(&format!("{}…", &text[..end])),
        }
    }

    /// Truncates the name of a file or folder to 200 characters, like [`Printable::cut`].
    pub fn path(path: impl AsRef<Path>) -> Self {
        Self::cut(&path.as_ref().to_string_lossy(), 200)
    }

    /// Truncates the text like [`Printable::cut`], for human-readable formats.
    #[must_use]
    pub fn short(&self, limit: usize) -> Self {
        Self::cut(&self.raw, limit)
    }

    /// Truncates both values of a change to `limit` characters. If the values differ only after that point, the characters around
    /// the first difference are appended, so that a change never looks like `x → x`.
    pub fn cut_change(before: &str, after: &str, limit: usize) -> [Self; 2] {
        const CONTEXT: usize = 12;
        let shared = before.chars().zip(after.chars()).take_while(|(one, other)| one == other).count();
        let is_alike = before != after && shared >= limit;
        [before, after].map(|text| {
            if !is_alike {
                return Self::cut(text, limit);
            }
            let start: String = text.chars().take(limit).collect();
            let around: String = text.chars().skip(limit.max(shared.saturating_sub(CONTEXT))).collect();
            Self::new(&format!("{start}…{}", Self::cut(&around, 2 * CONTEXT).raw()))
        })
    }

    /// Truncates several old values and the new value of a change, like [`Printable::cut_change`].
    pub fn cut_changes(before: &[&str], after: &str, limit: usize) -> (Vec<Self>, Self) {
        let plain = Self::cut(after, limit);
        let (mut shown_before, mut shown_after) = (Vec::new(), plain.clone());
        for before in before {
            let [before, from_difference] = Self::cut_change(before, after, limit);
            // If an old value already differs before the cut, the plain cut shows the difference. Keep the excerpt chosen for
            // another old value.
            if from_difference != plain {
                shown_after = from_difference;
            }
            shown_before.push(before);
        }
        (shown_before, shown_after)
    }

    pub fn as_str(&self) -> &str {
        self.escaped.as_deref().unwrap_or(&self.raw)
    }

    /// Returns the unescaped text, for formats with their own escaping, such as JSON.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// Returns the width of the text in terminal columns.
    pub fn width(&self) -> usize {
        UnicodeWidthStr::width(self.as_str())
    }

    pub fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }
}

impl<'de> Deserialize<'de> for Printable {
    /// Escapes the text again because the file in which it was stored might have been edited.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::new(&String::deserialize(deserializer)?))
    }
}

impl fmt::Display for Printable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The maximum number of unescaped combining marks per character. No script needs more, and taller stacks would cover other
/// lines.
const MAX_MARKS: usize = 8;

/// Returns each character of `text` with a flag that is `true` if the character must be escaped at its position.
pub fn characters(text: &str) -> impl Iterator<Item = (char, bool)> {
    let (mut before, mut marks) = (None, 0);
    text.char_indices().map(move |(at, char)| {
        let is_mark = !char.is_ascii() && char.width() == Some(0);
        marks = if is_mark { marks + 1 } else { 0 };
        let acts = is_unprintable(char) && !is_style_of_emoji(before, char)
            || is_mark && (before.is_none() || marks > MAX_MARKS)
            || matches!(char, ':' | '#') && begins_command(before, &text[at..]);
        before = Some(char);
        (char, acts)
    })
}

/// Returns `true` if a GitHub runner could interpret `rest` as a command. A command begins with `##[` anywhere in a line or
/// with `::` at the start of a line. Because of wrapping, any word can end up at the start of a line. A single colon at the end
/// of the text also counts because a report can write another colon after it.
fn begins_command(before: Option<char>, rest: &str) -> bool {
    rest.starts_with("##[")
        || before.is_none_or(char::is_whitespace) && (rest.starts_with("::") || rest == ":")
}

/// Returns `true` if `char` selects emoji or text presentation for the preceding symbol (☎️). After a letter, the selector has
/// no visible effect and has to be escaped.
fn is_style_of_emoji(before: Option<char>, char: char) -> bool {
    let is_sign = |before: char| {
        !before.is_ascii() && !before.is_alphanumeric() && before.width() > Some(0) && !is_unprintable(before)
    };
    matches!(char, '\u{fe0e}' | '\u{fe0f}') && before.is_some_and(is_sign)
}

/// Returns `true` if `char` is invisible or affects how other text is displayed.
pub fn is_unprintable(char: char) -> bool {
    matches!(char,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}'          // C0, DEL, C1: terminal control
        | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' // soft hyphen, joiners, Arabic and Mongolian marks
        | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}' // fillers, which look blank
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' // zero width, line and paragraph ends, bidi
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffc}' // word joiner, bidi isolates, BOM, specials
        | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}' // variation selectors, tags
        | '\u{13430}'..='\u{1345f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' // hieroglyph, shorthand, musical controls
        | '\u{fdd0}'..='\u{fdef}') // noncharacters, like the last two of every plane
        || u32::from(char) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn plain_text_in_any_script_is_unchanged() {
        for text in
            ["", "Bo Lindqvist", "Zoë Ångström", "李雷", "Ахмед", "👩‍🔧".replace('\u{200d}', "").as_str()]
        {
            assert_eq!(Printable::new(text).as_str(), text);
        }
    }

    #[test]
    fn two_values_that_differ_only_after_the_cut_look_different() {
        let same = "Lead of the team ".repeat(9);
        for (before, after) in [
            (format!("{same}EMEA"), format!("{same}US")),
            (same.clone(), format!("{same}US")),
            (format!("{same}EMEA{same}"), format!("{same}US{same}")),
        ] {
            for limit in [24, 60, 80] {
                let shown = Printable::cut_change(&before, &after, limit);
                assert_ne!(shown[0].as_str(), shown[1].as_str());
                assert!(shown.iter().all(|text| text.raw().chars().count() <= limit + 26), "{shown:?}");
            }
        }
        for (before, after, expected) in [
            ("Member of EMEA", "Member of US", ["Member… of EMEA", "Member… of US"]),
            ("Member", "Member of US", ["Member…", "Member… of US"]),
            ("Member of EMEA", "Admin of EMEA", ["Member…", "Admin …"]),
        ] {
            let shown = Printable::cut_change(before, after, 6);
            assert_eq!(shown.each_ref().map(Printable::as_str), expected);
        }
    }

    #[test]
    fn the_new_value_shows_the_difference_from_any_old_value_that_starts_alike() {
        let [emea, apac] = ["EMEA", "APAC"].map(|zone| format!("{} {zone}", "Regional support".repeat(3)));
        for before in [[emea.as_str(), "Viewer"], ["Viewer", &emea]] {
            let (shown, after) = Printable::cut_changes(&before, &apac, 20);
            assert!(after.raw().ends_with("APAC"), "{after}");
            assert!(shown.iter().any(|before| before.raw().ends_with("EMEA")), "{shown:?}");
        }
    }

    #[test]
    fn control_characters_and_invisible_characters_are_escaped() {
        assert_eq!(Printable::new("a\u{1b}[2Jb").as_str(), "a\\u{1b}[2Jb");
        assert_eq!(Printable::new("x\r\n::error::y").as_str(), "x\\u{d}\\u{a}\\u{3a}:error::y");
        assert_eq!(Printable::new("ad\u{202e}nim").as_str(), "ad\\u{202e}nim");
        assert_eq!(Printable::new("a\u{e0041}").as_str(), "a\\u{e0041}");
        assert_eq!(Printable::new("\u{9b}1m").as_str(), "\\u{9b}1m");
    }

    #[test]
    fn variation_selectors_are_escaped_only_if_they_have_no_visible_effect() {
        assert_eq!(Printable::new("Admin\u{fe00}").as_str(), "Admin\\u{fe00}");
        assert_eq!(Printable::new("Admin\u{fe0f}").as_str(), "Admin\\u{fe0f}");
        assert_eq!(Printable::new("\u{2800}\u{fe0f}").as_str(), "\\u{2800}\\u{fe0f}");
        assert_eq!(Printable::new("e\u{301}\u{fe0f}").as_str(), "e\u{301}\\u{fe0f}");
        assert_eq!(Printable::new("#\u{fe0f}#[error]").as_str(), "#\\u{fe0f}#[error]");
        assert_eq!(Printable::new("\u{2800}\u{ffff}\u{1fffe}").as_str(), "\\u{2800}\\u{ffff}\\u{1fffe}");
        assert_eq!(Printable::new("Bo ☎\u{fe0f} ✔\u{fe0e}").as_str(), "Bo ☎\u{fe0f} ✔\u{fe0e}");
    }

    #[test]
    fn combining_marks_without_a_letter_or_beyond_the_limit_are_escaped() {
        let marked = |marks: usize| format!("Z{}", "\u{301}".repeat(marks));
        assert_eq!(Printable::new(&marked(8)).as_str(), marked(8));
        assert_eq!(Printable::new(&marked(10)).as_str(), marked(8) + "\\u{301}\\u{301}");
        assert_eq!(Printable::new("\u{301}Bo").as_str(), "\\u{301}Bo");
        assert_eq!(Printable::new("Nguyễn Việt བསྐྱོད כֶּ").as_str(), "Nguyễn Việt བསྐྱོད כֶּ");
    }

    #[test]
    fn commands_of_a_github_runner_are_escaped() {
        assert_eq!(Printable::new("##[error]x").as_str(), "\\u{23}#[error]x");
        assert_eq!(Printable::new("a ##[group]").as_str(), "a \\u{23}#[group]");
        assert_eq!(Printable::new("###[x").as_str(), "#\\u{23}#[x");
        assert_eq!(Printable::new("::error::x").as_str(), "\\u{3a}:error::x");
        assert_eq!(Printable::new("y ::stop-commands::t").as_str(), "y \\u{3a}:stop-commands::t");
        assert_eq!(format!("{}: set to", Printable::new(":")), "\\u{3a}: set to");
        assert_eq!(format!("{}: set to", Printable::new("y :")), "y \\u{3a}: set to");
        assert_eq!(
            Printable::new("2001:db8::1 and roster::syntax").as_str(),
            "2001:db8::1 and roster::syntax"
        );
    }

    #[test]
    fn a_cut_text_has_whole_characters_and_an_ellipsis() {
        assert_eq!(Printable::cut("ångström", 3).as_str(), "ång…");
        assert_eq!(Printable::cut("ång", 3).as_str(), "ång");
    }
}
