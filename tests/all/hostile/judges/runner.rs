//! Checks logs the way GitHub's runner reads them. Both command parsers are ported from `ActionCommand.cs` in actions/runner.
//!
//! This check is stricter than the runner. It treats any name as a command because `stop-commands` can define arbitrary
//! tokens.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use memchr::{memchr2, memmem, memrchr2};
use rolecall::printable::is_unprintable;

use super::{Seen, holds, terminal};

/// A line that the runner interprets as a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Command {
    name: String,
    properties: BTreeMap<String, String>,
    data: String,
}

/// Rejects any command except for our annotations, which must come last, have a title, and contain no unprintable characters.
pub(in super::super) fn judge(log: &str) -> Result<Seen, String> {
    let (mut text, mut told) = (String::new(), String::new());
    for line in lines(log) {
        match command(line) {
            None if !told.is_empty() => return Err(format!("text among the annotations: {line:?}")),
            None => text += &format!("{line}\n"),
            Some(command) => {
                is_ours(line, &command)?;
                let Command { name: _, properties, data } = command;
                told += &format!("{data}\n");
                properties.values().for_each(|value| told += &format!("{value}\n"));
            }
        }
    }
    // The text is checked like terminal output, except that annotations don't have any styles.
    if let Some(char) =
        told.chars().find(|char| *char != '\n' && is_unprintable(*char) && !is_style_of_emoji(*char))
    {
        return Err(format!("{char:?} in what an annotation says: {told}"));
    }
    Ok(Seen::of(terminal::seen_of(&(text + &told))))
}

/// Returns the lines a runner would interpret as commands.
pub(in super::super) fn commands(log: &str) -> Vec<Command> {
    // Parse only the few lines with a command marker, which is faster in debug builds.
    let signs = ["::", "##["].map(|sign| memmem::find_iter(log.as_bytes(), sign).collect::<Vec<usize>>());
    let lines: HashSet<Range<usize>> = signs.concat().into_iter().map(|at| line_at(log, at)).collect();
    lines.into_iter().filter_map(|line| command(&log[line])).collect()
}

/// Returns the byte range of the line that contains the position `at`.
fn line_at(log: &str, at: usize) -> Range<usize> {
    let start = memrchr2(b'\r', b'\n', &log.as_bytes()[..at]).map_or(0, |end| end + 1);
    let end = memchr2(b'\r', b'\n', &log.as_bytes()[at..]).map_or(log.len(), |length| at + length);
    start..end
}

fn is_style_of_emoji(char: char) -> bool {
    matches!(char, '\u{fe0e}' | '\u{fe0f}')
}

/// Splits a process's output the way the runner does. A line ends with CR, LF, or both.
fn lines(log: &str) -> impl Iterator<Item = &str> {
    log.split(['\r', '\n']).filter(|line| !line.is_empty())
}

fn is_ours(line: &str, command: &Command) -> Result<(), String> {
    let Command { name, properties, data } = command;
    if !line.starts_with("::") || !["error", "warning", "notice"].contains(&name.as_str()) {
        return Err(format!("a command that is not ours: {command:?}"));
    }
    for (key, value) in properties {
        let fits = match key.as_str() {
            "line" | "col" => value.bytes().all(|byte| byte.is_ascii_digit()),
            "file" => !value.starts_with('/') && !value.split('/').any(|part| part == ".."),
            "title" => true,
            _ => false,
        };
        if !fits || value.contains(['\r', '\n']) {
            return Err(format!("{key}={value:?} in {line:?}"));
        }
    }
    if !line.contains("title=") {
        return Err(format!("an annotation without a title: {line:?}"));
    }
    let nested = lines(data).find_map(self::command);
    nested.map_or(Ok(()), |nested| Err(format!("a command within one: {nested:?} in {line:?}")))
}

/// Parses a line as the runner does: as `TryParseV2` would or, if that fails, as `TryParse` would.
fn command(line: &str) -> Option<Command> {
    if !holds(line, "::") && !holds(line, "##[") {
        return None;
    }
    second_version(line).or_else(|| first_version(line))
}

/// Parses `::name key=value,key=value::data`, allowing leading whitespace. `TrimStart` strips all Unicode whitespace.
fn second_version(line: &str) -> Option<Command> {
    let message = line.trim_start_matches(is_white).strip_prefix("::")?;
    let (info, data) = message.split_once("::")?;
    let (name, properties) = info.split_once(' ').unwrap_or((info, ""));
    let properties = properties_of(properties.trim_matches(is_white), ',', &PROPERTY);
    Some(Command { name: name.to_lowercase(), properties, data: unescaped(data, &DATA) })
}

/// Parses `##[name key=value;key=value]data` anywhere in a line.
fn first_version(line: &str) -> Option<Command> {
    let (info, data) = line.split_once("##[")?.1.split_once(']')?;
    let (name, properties) = info.split_once(' ').unwrap_or((info, ""));
    let properties = properties_of(properties, ';', &FIRST);
    Some(Command { name: name.to_lowercase(), properties, data: unescaped(data, &FIRST) })
}

/// The escapes in a command's data and the characters they stand for, in order of replacement. The percent sign must come last.
const DATA: [(&str, &str); 3] = [("%0D", "\r"), ("%0A", "\n"), ("%25", "%")];
const PROPERTY: [(&str, &str); 5] = [("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")];
const FIRST: [(&str, &str); 5] = [("%3B", ";"), ("%0D", "\r"), ("%0A", "\n"), ("%5D", "]"), ("%25", "%")];

fn unescaped(text: &str, table: &[(&str, &str)]) -> String {
    table.iter().fold(text.to_owned(), |text, (escape, char)| text.replace(escape, char))
}

/// Splits properties like .NET: only at the first `=`, and without empty parts.
fn properties_of(text: &str, between: char, table: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = text.split(between).filter_map(|pair| pair.trim_start_matches('=').split_once('='));
    let pairs = pairs.map(|(key, value)| (key.to_lowercase(), value.trim_start_matches('=')));
    pairs.filter(|(_, value)| !value.is_empty()).map(|(key, value)| (key, unescaped(value, table))).collect()
}

/// Equivalent to .NET's `Char.IsWhiteSpace`.
fn is_white(char: char) -> bool {
    matches!(char,
        '\u{9}'..='\u{d}' | ' ' | '\u{85}' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}'
        | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

#[test]
fn the_judge_reads_commands_as_the_runner_does() {
    let read = |line: &str| {
        command(line)
            .map(|command| (command.name, command.properties.into_iter().collect::<Vec<_>>(), command.data))
    };
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(
        read("\u{2003}::Error file=a%2Cb,line=1::100%25%0Anext"),
        Some(("error".into(), vec![pair("file", "a,b"), pair("line", "1")], "100%\nnext".into()))
    );
    assert_eq!(
        read("x ##[set-env name=A]b;c"),
        Some(("set-env".into(), vec![pair("name", "A")], "b;c".into()))
    );
    for text in ["roster::syntax", "x ::error::y", ":: no end", "## [error]", "##[error"] {
        assert_eq!(read(text), None, "{text}");
    }
}

#[test]
fn the_judge_rejects_bad_reports() {
    assert!(
        judge("fine\n::notice file=users.toml,line=4,col=30,title=bo@acme.example::role Viewer → Admin\n")
            .is_ok()
    );
    for bad in [
        "::set-output name=x::y\n",
        "  ::warning::indented\n",
        "\u{3000}::add-mask::x\n",
        "x ##[error]y\n",
        "::warning file=a,endLine=3::x\n",
        "::warning file=../a::x\n",
        "::warning title=a%0Ab::x\n",
        "::warning::x%0A::error::y\n",
        "::warning::x%0D%1B[2J\n",
        "::warning title=a::\u{202e}x\n",
        "::error::no title\n",
        "::error title=a::b\nc\n",
        "a\r::add-mask::b\n",
    ] {
        assert!(judge(bad).is_err(), "{bad:?}");
    }
}
