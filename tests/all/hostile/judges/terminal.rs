//! Checks reports in a terminal emulator, which must show every report line by line, without any other effect.

use std::fmt::Write as _;
use std::num::NonZeroU16;

use unicode_width::UnicodeWidthChar;
use vt100::{Callbacks, Parser, Screen};

use super::Seen;

/// The styles in `report::style` and miette's theme as SGR parameters: reset, bold, dimmed, and six
/// colors, some of them also in bold.
const STYLES: [&str; 15] =
    ["", "0", "1", "2", "31", "32", "33", "35", "36", "34", "31;1", "36;1", "33;1", "35;1", "36;1;4"];

/// The maximum number of lines per screen. It's low because all rows of a screen are as wide as the widest line.
const HEIGHT: usize = 8;

/// Rejects everything except for lines of text and our own styles.
pub(in super::super) fn judge(report: &str) -> Result<Seen, String> {
    if !report.is_empty() && !report.ends_with('\n') {
        return Err("the last line has no end".into());
    }
    let lines: Vec<&str> = report.split_terminator('\n').collect();
    let mut seen = String::new();
    for lines in lines.chunks(HEIGHT) {
        seen += &screenful(lines)?;
    }
    Ok(Seen::of(seen))
}

/// Shows a few lines on a new screen. The lines must not change any modes.
fn screenful(lines: &[&str]) -> Result<String, String> {
    let plain = lines.iter().map(|line| without_styles(line)).collect::<Result<Vec<String>, String>>()?;
    let columns = plain.iter().map(|line| columns_of(line)).max().unwrap_or(0) + 2;
    let size = |number: usize| {
        let size = u16::try_from(number).ok().and_then(NonZeroU16::new);
        size.ok_or(format!("a line of {number} columns"))
    };
    let (height, width) = (size(lines.len() + 1)?, size(columns)?);
    let mut parser = Parser::new_with_callbacks(height, width, 0, Happened::default());
    lines.iter().for_each(|line| parser.process(format!("{line}\r\n").as_bytes()));
    let happened = &parser.callbacks().0;
    if !happened.is_empty() {
        return Err(format!("the terminal was told: {happened}"));
    }
    shows(parser.screen(), &plain, width.get())?;
    Ok(plain.iter().map(|line| seen_of(line) + "\n").collect())
}

/// Counts columns like an emulator: per character, even if several of them form a single glyph.
pub(in super::super) fn columns_of(line: &str) -> usize {
    line.chars().filter_map(UnicodeWidthChar::width).sum()
}

/// Checks that each line is shown in its own row, with the cursor below the last one and all modes unchanged.
fn shows(screen: &Screen, lines: &[String], width: u16) -> Result<(), String> {
    for (number, (row, line)) in screen.rows(0, width).zip(lines.iter().chain([&String::new()])).enumerate() {
        if seen_of(row.trim_end()) != seen_of(line.trim_end()) {
            return Err(format!("row {number} is {row:?}, and the line is {line:?}"));
        }
    }
    let expected = (u16::try_from(lines.len()).unwrap_or(u16::MAX), 0);
    if screen.cursor_position() != expected {
        return Err(format!("the cursor is at {:?}, not at {expected:?}", screen.cursor_position()));
    }
    let modes = [
        screen.alternate_screen(),
        screen.application_keypad(),
        screen.application_cursor(),
        screen.hide_cursor(),
        screen.bracketed_paste(),
        screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None,
    ];
    let styles = [screen.bold(), screen.dim(), screen.italic(), screen.underline(), screen.inverse()];
    let colored = screen.fgcolor() != vt100::Color::Default || screen.bgcolor() != vt100::Color::Default;
    if modes.contains(&true) || styles.contains(&true) || colored {
        return Err(format!("a mode or a style is left behind: {modes:?} {styles:?} {colored}"));
    }
    Ok(())
}

/// Returns the characters that take up columns. Note that an emulator keeps only a limited number of combining marks per cell.
pub(in super::super) fn seen_of(line: &str) -> String {
    line.chars().filter(|char| char.is_ascii() || char.width() > Some(0)).collect()
}

pub(in super::super) fn without_styles(report: &str) -> Result<String, String> {
    let mut pieces = report.split('\u{1b}');
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let style = piece.strip_prefix('[').and_then(|rest| rest.split_once('m'));
        match style {
            Some((style, rest)) if STYLES.contains(&style) => plain += rest,
            _ => {
                return Err(format!(
                    "an escape that is not ours: {:?}",
                    piece.chars().take(20).collect::<String>()
                ));
            }
        }
    }
    Ok(plain)
}

/// Records everything the terminal receives except for text, styles, and line endings.
#[derive(Default)]
struct Happened(String);

impl Happened {
    fn note(&mut self, what: impl std::fmt::Debug) {
        let _ = write!(self.0, "{what:?} ");
    }
}

impl Callbacks for Happened {
    fn audible_bell(&mut self, _: &mut Screen) {
        self.note("a bell");
    }
    fn visual_bell(&mut self, _: &mut Screen) {
        self.note("a flash");
    }
    fn resize(&mut self, _: &mut Screen, request: (u16, u16)) {
        self.note(("a size", request));
    }
    fn set_window_icon_name(&mut self, _: &mut Screen, name: &[u8]) {
        self.note(("an icon", name));
    }
    fn set_window_title(&mut self, _: &mut Screen, title: &[u8]) {
        self.note(("a title", title));
    }
    fn copy_to_clipboard(&mut self, _: &mut Screen, kind: &[u8], data: &[u8]) {
        self.note(("a clipboard", kind, data));
    }
    fn paste_from_clipboard(&mut self, _: &mut Screen, kind: &[u8]) {
        self.note(("a paste", kind));
    }
    fn unhandled_char(&mut self, _: &mut Screen, char: char) {
        self.note(("a character", char));
    }
    fn unhandled_control(&mut self, _: &mut Screen, byte: u8) {
        self.note(("a control", byte));
    }
    fn unhandled_escape(&mut self, _: &mut Screen, first: Option<u8>, second: Option<u8>, byte: u8) {
        self.note(("an escape", first, second, byte));
    }
    fn unhandled_csi(&mut self, _: &mut Screen, _: Option<u8>, _: Option<u8>, params: &[&[u16]], char: char) {
        self.note(("a sequence", params, char));
    }
    fn unhandled_osc(&mut self, _: &mut Screen, params: &[&[u8]]) {
        self.note(("a command", params));
    }
}

#[test]
fn the_judge_rejects_bad_reports() {
    assert!(judge("fine\n\u{1b}[31mred\u{1b}[0m\n").is_ok());
    for bad in [
        "no end",
        "\u{1b}[2J\n",
        "\u{1b}[4munderlined\u{1b}[0m\n",
        "\u{1b}[31mleft red\n",
        "a\rb\n",
        "a\u{8}b\n",
        "a\tb\n",
        "a\u{7}\n",
        "a\u{9b}2Jb\n",
        "\u{1b}]0;title\u{7}\n",
        "\u{1b}]8;;https://evil.example\u{1b}\\x\n",
    ] {
        assert!(judge(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn the_emulator_detects_changes_of_clipboard_title_and_screen() {
    let mut parser = Parser::new_with_callbacks(size_of(3), size_of(9), 0, Happened::default());
    parser.process(b"\x1b]52;c;eA==\x07\x1b]0;t\x07\x1b[?1049h\x1b[2;2Hx");
    assert!(parser.callbacks().0.contains("clipboard") && parser.callbacks().0.contains("title"));
    assert!(shows(parser.screen(), &[String::new(), " x".to_owned()], 9).is_err());
}

#[cfg(test)]
fn size_of(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).unwrap()
}
