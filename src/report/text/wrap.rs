//! Wraps text to the width of the terminal.
//!
//! Lines break only at spaces, which keeps addresses and flags intact. They never break inside a `rolecall` command in
//! backticks, because users copy these commands. Paths can contain spaces, so they must be protected with [`whole`].

use textwrap::core::Word;
use textwrap::{Options, WordSeparator, WordSplitter};

/// The additional indent of continuation lines, in columns.
const HANGING: usize = 4;
/// Marks a line that must not be wrapped, such as TOML meant to be copied. [`wrapped`] removes the mark. Untrusted text can't
/// contain this character because it is made printable first.
const VERBATIM: char = '\0';
/// Replaces a space at which a line must not break, until [`wrapped`] turns it back into a space. This noncharacter is as wide
/// as a space, and [`crate::printable`] escapes it in untrusted text.
const NO_BREAK: char = '\u{fdd0}';
const RESET: &str = "\x1b[0m";

/// Marks a line as exempt from wrapping.
pub(crate) fn verbatim(line: &str) -> String {
    format!("{VERBATIM}{line}")
}

/// Protects text that must not be broken across lines, such as a path.
pub(crate) fn whole(text: &str) -> String {
    text.replace(' ', &NO_BREAK.to_string())
}

/// Returns wrapping options that only allow breaks between words.
pub(in crate::report) fn options(width: usize) -> Options<'static> {
    // Never break words, since the second half would start a line and could be parsed as a workflow command.
    Options::new(width)
        .word_separator(SEPARATOR)
        .word_splitter(WordSplitter::NoHyphenation)
        .break_words(false)
}

/// Splits text into words at spaces, except that a `rolecall` command in backticks counts as a single word.
pub(in crate::report) const SEPARATOR: WordSeparator = WordSeparator::Custom(words);

fn words(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    let mut rest = line;
    Box::new(std::iter::from_fn(move || {
        let end = end_of_word(rest)?;
        let (word, behind) = rest.split_at(end);
        rest = behind;
        Some(Word::from(word))
    }))
}

/// Returns the byte offset of the end of the first word and its trailing spaces, or `None` if the line is empty.
fn end_of_word(line: &str) -> Option<usize> {
    let command = line.find("`rolecall ").and_then(|start| {
        let is_in_first_word = !line[..start].contains(' ');
        Some(start + 1 + line[start + 1..].find('`')?).filter(|_| is_in_first_word)
    });
    let start = command.unwrap_or(0);
    let space = line[start..].find(' ').map_or(line.len(), |space| start + space);
    let spaces = line[space..].len() - line[space..].trim_start_matches(' ').len();
    Some(space + spaces).filter(|end| *end > 0)
}

/// Wraps lines that exceed `width`, with a hanging indent. Without a width, only strips the marks added by [`verbatim`] and
/// [`whole`].
pub(crate) fn wrapped(text: &str, width: Option<usize>) -> String {
    let mut wrapped = String::new();
    for line in text.split_inclusive('\n') {
        match (line.strip_prefix(VERBATIM), width) {
            (Some(line), _) => wrapped += line,
            (None, Some(width)) => {
                let indent = line.len() - line.trim_start_matches(' ').len();
                wrapped += &wrapped_line(line, width, indent + HANGING);
            }
            (None, None) => wrapped += line,
        }
    }
    wrapped.replace(NO_BREAK, " ")
}

/// Wraps a line, indenting continuation lines by `hanging` columns.
pub(crate) fn wrapped_line(line: &str, width: usize, hanging: usize) -> String {
    if textwrap::core::display_width(line.trim_end_matches('\n')) <= width {
        return line.to_owned();
    }
    let content = line.trim_start_matches(' ');
    let indent = &line[..line.len() - content.len()];
    let hanging = " ".repeat(hanging);
    let options = options(width).initial_indent(indent).subsequent_indent(&hanging);
    let words = content.trim_end_matches(['\n', ' ']);
    // Keep trailing spaces, since a prompt ends with one that separates it from the answer.
    let end = if content.ends_with('\n') { "\n" } else { &content[words.len()..] };
    let lines = textwrap::wrap(words, options);
    with_styles_per_line(&lines, &hanging) + end
}

/// Joins wrapped lines. Closes open styles at each line break and reopens them after the indent, because pagers reset styles at
/// the end of a line.
fn with_styles_per_line(lines: &[impl AsRef<str>], indent: &str) -> String {
    let mut text = String::new();
    let mut open = String::new();
    for (number, line) in lines.iter().map(AsRef::as_ref).enumerate() {
        if number > 0 {
            text += &format!("\n{indent}{open}");
        }
        let line = if number > 0 { line.trim_start_matches(' ') } else { line };
        text += line;
        open = open_styles(&open, line);
        if !open.is_empty() && number + 1 < lines.len() {
            text += RESET;
        }
    }
    text
}

/// Returns the styles still open at the end of `line`, given those open at its start.
fn open_styles(open: &str, line: &str) -> String {
    let mut open = open.to_owned();
    for code in line.split('\x1b').skip(1).filter_map(|rest| Some(&rest[..=rest.find('m')?])) {
        match code {
            "[0m" => open.clear(),
            code => open += &format!("\x1b{code}"),
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn wide_lines_break_at_spaces_and_continue_with_a_hanging_indent() {
        assert_eq!(wrapped("  ~ ana   Viewer to-Admin\n", Some(18)), "  ~ ana   Viewer\n      to-Admin\n");
        assert_eq!(wrapped("  a/long/path.toml:12 b\n", Some(12)), "  a/long/path.toml:12\n      b\n");
        assert_eq!(wrapped("Apply these changes? ", Some(12)), "Apply these\n    changes? ");
        assert_eq!(wrapped("name 日本 日本\n", Some(12)), "name 日本\n    日本\n");
        assert_eq!(wrapped("fits\n\n  fits\n", Some(6)), "fits\n\n  fits\n");
        assert_eq!(wrapped("no spaces at the end  \n", Some(21)), "no spaces at the end\n");
        assert_eq!(wrapped("a wide line\n", None), "a wide line\n");
    }

    #[test]
    fn commands_and_verbatim_lines_stay_whole() {
        let text = format!("run `rolecall plan -c a.toml`.\n{}\n", verbatim("expires = 2026-12-01  # soon"));
        let expected = "run\n    `rolecall plan -c a.toml`.\nexpires = 2026-12-01  # soon\n";
        assert_eq!(wrapped(&text, Some(12)), expected);
        assert_eq!(wrapped(&text, None), text.replace(VERBATIM, ""));
        assert_eq!(
            wrapped("a `rolecall without an end\n", Some(12)),
            "a `rolecall\n    without\n    an end\n"
        );
    }

    #[test]
    fn a_marked_path_stays_whole() {
        let text = format!("Using {} (the nearest users.toml)\n", whole("our team/users.toml"));
        assert_eq!(
            wrapped(&text, Some(22)),
            "Using\n    our team/users.toml\n    (the nearest\n    users.toml)\n"
        );
        assert_eq!(wrapped(&text, Some(25)).lines().next(), Some("Using our team/users.toml"));
        assert_eq!(wrapped(&text, None), "Using our team/users.toml (the nearest users.toml)\n");
        assert_eq!(crate::printable::Printable::new(&whole("a b")).as_str(), "a\\u{fdd0}b");
    }

    #[test]
    fn styles_have_no_width_and_end_with_their_line() {
        const RED: &str = "\x1b[1m\x1b[31m";
        let text = &format!("{RED}one two{RESET} three\n");
        assert_eq!(wrapped(text, Some(13)), *text);
        let expected = format!("{RED}one{RESET}\n    {RED}two{RESET}\n    three\n");
        assert_eq!(wrapped(text, Some(6)), expected);
    }
}
