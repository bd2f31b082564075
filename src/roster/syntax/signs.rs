//! Recognizers for invisible characters and for characters that resemble TOML punctuation.

use super::parser_error::ErrorKind;
use super::spot::{Mistake, Spot};

/// The ASCII equivalent of a look-alike or an invisible character.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Like {
    Quote,
    Space,
    Nothing,
    Hyphen,
    /// Any ASCII character not listed above.
    Sign(char),
}

/// Characters that editors, word processors, chat apps, and keyboards substitute for ASCII characters, with their names.
const FOREIGN: &[(&str, &str, Like)] = &[
    ("“”„‟‘’‚‛", "a curly quote", Like::Quote),
    ("«»‹›", "an angle quote", Like::Quote),
    ("＂＇", "a full-width quote", Like::Quote),
    ("「」『』", "a corner bracket", Like::Quote),
    ("´′″", "an accent or a prime", Like::Quote),
    ("`", "a backtick", Like::Quote),
    ("\u{a0}\u{202f}", "a non-breaking space", Like::Space),
    ("\u{3000}", "an ideographic space", Like::Space),
    ("\u{1680}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}", "a typographic space", Like::Space),
    ("\u{2006}\u{2007}\u{2008}\u{2009}\u{200a}\u{205f}", "a typographic space", Like::Space),
    ("\u{85}\u{2028}\u{2029}\u{b}\u{c}", "a line or page separator", Like::Space),
    ("\u{200b}", "a zero-width space", Like::Nothing),
    ("\u{200c}\u{200d}\u{2060}", "a zero-width joiner", Like::Nothing),
    ("\u{ad}", "a soft hyphen", Like::Nothing),
    ("\u{feff}", "a byte-order mark", Like::Nothing),
    ("\u{200e}\u{200f}\u{61c}", "a direction mark", Like::Nothing),
    ("\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}", "a direction mark", Like::Nothing),
    ("\u{2066}\u{2067}\u{2068}\u{2069}", "a direction mark", Like::Nothing),
    ("\u{2010}\u{2011}", "a typographic hyphen", Like::Hyphen),
    ("\u{2012}\u{2013}", "an en dash", Like::Hyphen),
    ("\u{2014}\u{2015}", "an em dash", Like::Hyphen),
    ("\u{2212}", "a minus sign", Like::Hyphen),
    ("、", "an ideographic comma", Like::Sign(',')),
];

const COPIED: &str = "copied text often contains such characters";

/// Returns the name and the ASCII equivalent of a character that isn't allowed outside strings and comments.
fn foreign(char: char) -> Option<(&'static str, Like)> {
    if let Some((_, name, like)) = FOREIGN.iter().find(|(chars, ..)| chars.contains(char)) {
        return Some((name, *like));
    }
    // The block of full-width forms is in the same order as ASCII.
    let ascii = u32::from(char).checked_sub(0xfee0).filter(|code| (0x21..0x7f).contains(code));
    if let Some(ascii) = ascii.and_then(char::from_u32) {
        return Some(("a full-width character", Like::Sign(ascii)));
    }
    (char.is_control() && char != '\t').then_some(("a control character", Like::Nothing))
}

/// Recognizes invisible characters and look-alikes of TOML punctuation outside strings and comments, as well as control
/// characters in strings.
pub(super) fn foreign_sign(spot: &Spot<'_>) -> Option<Mistake> {
    let is_in_string = matches!(spot.kind, ErrorKind::BadString | ErrorKind::NoQuotes);
    if let Some(char) = spot.after().chars().next().filter(|char| is_in_string && char.is_control()) {
        let message = format!("this text contains a control character (U+{:04X})", u32::from(char));
        return Some(spot.mistake(spot.at..spot.at + 1, message, "a control character", "delete it"));
    }
    let bare = spot.bare();
    let found = |(at, char): &(usize, char)| Some((*at, *char, foreign(*char)?));
    let (at, char, (name, like)) = bare.iter().find_map(found)?;
    let marked = at..at + char.len_utf8();
    let number = format!("U+{:04X}", u32::from(char));
    let (message, help) = match like {
        Like::Quote => {
            let text = spot.shown(&text_in_quotes(spot.line, at), "Admin");
            (format!("{name} ({char}) is not a quote in TOML"), format!("write straight quotes: \"{text}\""))
        }
        Like::Space => (
            format!("this is {name} ({number}), which TOML does not accept as a space"),
            format!("delete it and type an ordinary space; {COPIED}"),
        ),
        Like::Nothing => (
            format!("this is {name} ({number}), which is invisible and not allowed here"),
            format!("delete it, or type the line again; {COPIED}"),
        ),
        Like::Hyphen => (format!("{name} ({char}) is not an ASCII `-`"), hyphen_help(spot, at)),
        Like::Sign(ascii) => (format!("{name} ({char}) is not a TOML symbol"), format!("write `{ascii}`")),
    };
    let label = if like == Like::Space { format!("{name}, not an ordinary space") } else { name.to_owned() };
    Some(spot.mistake(marked, message, label, help))
}

fn hyphen_help(spot: &Spot<'_>, at: usize) -> String {
    let word = with_hyphens(spot.line, at);
    if word.trim_matches('-').is_empty() {
        return "delete it, or put a `#` before it to make it a comment".to_owned();
    }
    format!("write `-`: {}", spot.shown(&word, "2026-12-20"))
}

/// Returns the text between the quote at `at` and its counterpart.
fn text_in_quotes(line: &str, at: usize) -> String {
    let is_quote = |char: char| matches!(char, '"' | '\'') || matches!(foreign(char), Some((_, Like::Quote)));
    let from = |at: usize| {
        let rest = line[at..].trim_start_matches(is_quote);
        rest[..rest.find(is_quote).unwrap_or(rest.len())].to_owned()
    };
    // For a closing quote, the text comes before it.
    let before = &line[..at];
    match before.rfind(is_quote) {
        Some(open) if before[..open].matches(is_quote).count() % 2 == 0 => from(open),
        _ => from(at),
    }
}

/// Returns the word around `at`, with all hyphens and dashes converted to ASCII.
fn with_hyphens(line: &str, at: usize) -> String {
    let is_end = |char: char| char.is_whitespace() || "=,[]{}\"".contains(char);
    let start = line[..at].trim_end_matches(|char| !is_end(char)).len();
    let word = line[start..].split(is_end).next().unwrap_or_default();
    let hyphen = |char: char| if matches!(foreign(char), Some((_, Like::Hyphen))) { '-' } else { char };
    word.chars().map(hyphen).collect()
}
