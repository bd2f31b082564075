//! Making text printable is idempotent. The result is harmless and preserves all of the text.

use pretty_assertions::assert_eq;
use rolecall::printable::Printable;
use rolecall::secret::mask_secret;
use rolecall::toml_text;
use toml::{Table, Value};

use crate::hostile::any::is_no_command;

pub(super) fn holds(data: &[u8]) {
    let text = &*String::from_utf8_lossy(data);
    let printable = Printable::new(text);
    assert_eq!(printable.raw(), text);
    is_safe(printable.as_str());
    if text.chars().all(|char| char.is_ascii_alphanumeric() || char == ' ') {
        assert_eq!(printable.as_str(), text);
    }
    is_cut(text, data.first().map_or(0, |byte| usize::from(*byte)));
    is_toml(text);
    let line = text.lines().next().unwrap_or_default();
    let shown = mask_secret(line);
    assert!(shown == line || shown.ends_with("(not shown)"), "{line:?} became {shown:?}");
}

/// Checks that the text can't control a terminal or act as a command in a GitHub job's log. The list of characters is independent
/// of the one under test, and shorter.
fn is_safe(shown: &str) {
    let acts = |char: char| {
        char.is_control()
            || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}' | '\u{61c}')
            || matches!(char, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{ad}' | '\u{e0000}'..='\u{e007f}')
    };
    assert!(!shown.contains(acts), "{shown:?}");
    assert!(is_no_command(shown), "{shown:?}");
    // Surround the string with whitespace and other text, as in a report.
    assert!(is_no_command(&format!("  {shown}::x]")), "{shown:?}");
    assert_eq!(Printable::new(shown).as_str(), shown);
}

fn is_cut(text: &str, limit: usize) {
    let cut = Printable::cut(text, limit);
    is_safe(cut.as_str());
    let kept = cut.raw().strip_suffix('…').unwrap_or(cut.raw());
    assert!(text.starts_with(kept) && cut.raw().chars().count() <= limit + 1, "{cut:?}");
    assert!(text.chars().count() > limit || cut.raw() == text, "{cut:?}");
}

/// Checks that the text, written as a TOML key and as a TOML string, is printable and reads back unchanged.
fn is_toml(text: &str) {
    let (key, value) = (toml_text::key(text), toml_text::quoted(text));
    for shown in [&key, &value] {
        assert_eq!(Printable::new(shown).as_str(), shown);
    }
    let table: Table = format!("{key} = {value}\n").parse().expect("TOML");
    assert_eq!(table, Table::from_iter([(text.to_owned(), Value::from(text))]));
}
