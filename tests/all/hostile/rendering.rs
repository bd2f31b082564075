//! Writes a report in several formats and has the judges check each one. The report must contain the strings of its carriers in
//! every format.

use rolecall::exit::Exit;
use rolecall::printable::Printable;
use rolecall::report::{Body, Format, Report, Setting, write};

use super::carriers::{Carrier, Deal};
use super::judges::markdown::SOURCE_URL;
use super::judges::{self, judge, terminal};

/// A size limit for Markdown reports, in bytes, that no report in these tests reaches.
pub(super) const NO_LIMIT: usize = 64 << 20;

pub(super) fn setting(markdown_limit: usize, colors: bool) -> Setting {
    Setting { colors, markdown_limit, source_url: Some(SOURCE_URL.to_owned()), ..Setting::default() }
}

/// Writes the report in these formats. In each format, the report must be harmless and contain the strings of its carriers.
pub(super) fn check_formats(
    formats: &[Format],
    command: &'static str,
    colors: bool,
    body: Body,
    deal: &Deal<'_>,
) {
    let is_wrapped =
        matches!(body, Body::Problems(_) | Body::Explanation(_) | Body::Doctor(_) | Body::Access(_));
    let report = Report { command, exit: Exit::Done, body };
    // A job's log shows the same text as a terminal.
    let mut on_a_terminal: Option<Vec<(Carrier, String)>> = None;
    for format in formats.iter().copied() {
        let text = write(&report, format, &setting(NO_LIMIT, colors && format == Format::Text));
        if format == Format::Text {
            check_width(&report, colors, &text);
        }
        let seen =
            judge(format, &text).unwrap_or_else(|why| panic!("{command} as {format:?}: {why}\n{text}"));
        let is_laid_out = match format {
            Format::Text | Format::Markdown | Format::Github | Format::Html => is_wrapped,
            Format::Json | Format::Csv => false,
        };
        let seen = if is_laid_out { seen.unwrapped() } else { seen };
        let expected = || {
            let shown =
                deal.shown(format, command).map(|(carrier, shown)| (carrier, as_seen(format, &shown)));
            let unwrap = |shown: String| if is_laid_out { judges::unwrapped(&shown) } else { shown };
            shown.map(|(carrier, shown)| (carrier, unwrap(shown))).collect::<Vec<_>>()
        };
        let expected = match format {
            Format::Text | Format::Github => &*on_a_terminal.get_or_insert_with(expected),
            Format::Markdown | Format::Html | Format::Json | Format::Csv => &expected(),
        };
        for (carrier, shown) in expected {
            assert!(
                seen.has(shown),
                "{command} as {format:?}: {carrier:?} does not say {shown:?} in\n{text}"
            );
        }
    }
}

/// Checks the report on a terminal with 80 columns. Only unbreakable lines can be wider, and words must not be lost or
/// split.
fn check_width(report: &Report, colors: bool, unwrapped: &str) {
    const WIDTH: usize = 80;
    let text = write(report, Format::Text, &Setting { width: Some(WIDTH), ..setting(NO_LIMIT, colors) });
    judge(Format::Text, &text).unwrap_or_else(|why| panic!("{}, wrapped: {why}\n{text}", report.command));
    let plain = |text: &str| terminal::without_styles(text).unwrap();
    let (text, unwrapped) = (plain(&text), plain(unwrapped));
    for line in text.lines().filter(|line| terminal::columns_of(line) > WIDTH) {
        let is_whole = cannot_be_broken(line) || is_path(line) || is_journal(line, report);
        assert!(is_whole, "{}: {line:?} is too wide in\n{text}", report.command);
    }
    // Skip reports with excerpts of files, which are shortened on a narrow terminal.
    if !matches!(report.body, Body::Problems(_) | Body::Valid { .. }) {
        assert!(text.split_whitespace().eq(unwrapped.split_whitespace()), "{text}\n\n{unwrapped}");
    }
}

/// Returns `true` if the line is just a path or a location such as `our team/users.toml:7`, perhaps in parentheses or with a
/// final period. Paths and locations are never broken, even if they contain spaces.
fn is_path(line: &str) -> bool {
    let path = line.trim_end().trim_end_matches(')');
    let before_number = path.trim_end_matches(|char: char| char.is_ascii_digit());
    before_number.ends_with([':', '…', '.'])
}

/// Returns `true` if the line is the path of a journal, which can contain spaces.
fn is_journal(line: &str, report: &Report) -> bool {
    let is_line = |path: &Printable| path.as_str().trim() == line.trim();
    match &report.body {
        Body::Plan(plan) => plan.journal.as_ref().is_some_and(is_line),
        Body::Journals(journals) => journals.journals.iter().any(|entry| is_line(&entry.journal)),
        _ => false,
    }
}

/// Returns `true` if the line is a single word, contains a command, or is TOML to copy.
fn cannot_be_broken(line: &str) -> bool {
    const TOML: [&str; 9] = [
        "guardrail = ",
        "role = ",
        "user = ",
        "reason = ",
        "expires = ",
        "      +",
        "      -",
        "       ",
        "      @",
    ];
    let content = line.trim_start_matches([' ', '│', '×', '⚠']);
    !content.contains(' ')
        || line.contains("`rolecall ")
        || TOML.iter().any(|start| line.starts_with(start) || content.starts_with(start))
}

/// Returns a string as seen by a reader. JSON contains it unchanged, a terminal omits some combining marks, and Markdown escapes
/// long runs.
fn as_seen(format: Format, text: &str) -> String {
    match format {
        Format::Json | Format::Csv => text.to_owned(),
        Format::Html => text.to_owned(),
        Format::Text | Format::Github => judges::terminal::seen_of(text).trim().to_owned(),
        Format::Markdown => in_code(text).trim().to_owned(),
    }
}

/// Returns a string as shown in Markdown, with escapes for anything a code span can't contain: long runs of backticks and the
/// report's own marker.
fn in_code(text: &str) -> String {
    let text = text.replace("<!--", "\\u{3c}!--");
    let (mut shown, mut run) = (String::new(), 0);
    for char in text.chars().chain(['\0']) {
        if char == '`' {
            run += 1;
            continue;
        }
        shown += &if run > 16 { "\\u{60}" } else { "`" }.repeat(run);
        run = 0;
        shown.push(char);
    }
    shown.trim_end_matches('\0').to_owned()
}
