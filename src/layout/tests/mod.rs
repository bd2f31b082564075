//! Tests that compare entire files before and after formatting or editing.

mod editing;
mod files;
mod headings;
mod nasty;
mod people;
mod values;

use pretty_assertions::assert_eq;

use super::canonical;

/// Asserts that `before` is formatted as `after`, and that formatting is idempotent and preserves the meaning.
#[track_caller]
fn becomes(before: &str, after: &str) {
    let laid_out = canonical(before).expect("TOML");
    assert_eq!(laid_out, after);
    assert_eq!(canonical(after).as_deref(), Ok(after));
    assert_eq!(tree(after), tree(before));
}

#[track_caller]
fn stays(text: &str) {
    becomes(text, text);
}

fn tree(text: &str) -> toml::Table {
    text.trim_start_matches('\u{feff}').parse().expect("TOML")
}
