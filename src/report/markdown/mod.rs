//! For the comment under a pull request: the verdict in the title, what changes as a diff, the rest in lists.
//!
//! Text from elsewhere stands in code spans and fences alone, where nothing is a mention, a link, an image, HTML or
//! emphasis; the words between are ours. The first line is a comment that tells a pipeline which report this is, so that it
//! can find the one that it wrote before. A report is never longer than its limit: what does not fit is left out whole, and
//! counted.

mod agenda;
mod comparison;
mod plan;
mod tables;

use super::diff::Hunk;
use super::facts::agenda::ScheduledChange;
use super::{Body, Report, diagnostic, words};
use crate::exit::Exit;
use crate::printable::Printable;
use crate::problem::Problems;
use crate::source::Location;

/// So many changed people are shown unfolded; more are a click away.
const UNFOLDED: usize = 20;
/// Names and values are shown up to so many characters; JSON has them whole.
const LONGEST: usize = 80;

/// A longer run of backticks is written out: GitHub's parser (cmark) takes none of more than 80 for the fence of a code
/// span, and counts no fence of a block beyond 255, so that what stands behind it would no longer be code.
const LONGEST_RUN: usize = 16;

/// The report as markdown of at most `limit` bytes, which are never fewer than characters.
pub(super) fn write(report: &Report, limit: usize) -> String {
    let Report { command, exit, body } = report;
    let text = match body {
        Body::Nothing => return String::new(),
        Body::NobodyDeclared { file, declared: _ } => {
            let title = title(command, "nothing to do");
            format!("{title}{} declares no people.\n", code(file.as_str()))
        }
        Body::Valid { files, declared } => title(command, &words::valid(files.len(), *declared)),
        Body::Plan(plan) => plan::write(command, plan, limit),
        Body::Comparison(comparison) => comparison::write(command, comparison, limit),
        Body::Agenda(agenda) => agenda::write(command, agenda, limit),
        Body::Roles(roles) => tables::write(command, &roles.tables(), limit),
        Body::Explanation(explanation) => tables::write(command, &explanation.tables(), limit),
        Body::Doctor(doctor) => tables::write(command, &doctor.tables(), limit),
        Body::Files(files) => tables::write(command, &files.tables(), limit),
        Body::Problems(problems) => failed(command, *exit, problems, limit),
    };
    if text.len() <= limit {
        return text;
    }
    // The parts are bounded each by its share, so this is for limits that no report fits in.
    title(command, "too long to be shown here") + "The log of this run has all of it.\n"
}

/// The marker and the title.
fn title(command: &str, verdict: &str) -> String {
    format!("<!-- rolecall:{command} -->\n### rolecall {command}: {verdict}\n\n")
}

fn failed(command: &str, exit: Exit, problems: &Problems, limit: usize) -> String {
    let number = words::count(problems.list.len(), "problem", "problems");
    let head = title(command, &number) + words::not_done(exit) + "\n\n";
    let letters: Vec<String> = diagnostic::letters(problems, false).map(|letter| tamed(&letter)).collect();
    let room = limit.saturating_sub(head.len());
    let (shown, kept) = fitting(&letters, room.saturating_sub(FENCES));
    head + &fence("text", &shown) + &left_out(problems.list.len() - kept, "problem", "problems")
}

/// Room for the two lines of a fence, what folds it, and a line that counts what was left out.
const FENCES: usize = 300;

/// As many of the pieces, joined, as fit into `room`; and how many those are.
fn fitting(pieces: &[String], room: usize) -> (String, usize) {
    let mut text = String::new();
    for (number, piece) in pieces.iter().enumerate() {
        if text.len() + piece.len() > room {
            return (text, number);
        }
        text += piece;
    }
    (text, pieces.len())
}

fn left_out(number: usize, one: &str, many: &str) -> String {
    match number {
        0 => String::new(),
        _ => format!(
            "\n**{} left out here** to stay within the size limit. The log of this run lists all of them.\n",
            words::count(number, &format!("more {one} is"), &format!("more {many} are"))
        ),
    }
}

/// The hunks as one `diff` fence, folded where there are many, cut on the border of a hunk.
fn diff(hunks: &[Hunk], summary: &str, one: &str, many: &str, room: usize) -> String {
    if hunks.is_empty() {
        return String::new();
    }
    let pieces: Vec<String> = hunks
        .iter()
        .enumerate()
        .map(|(number, hunk)| {
            let text = tamed(&hunk.text());
            if number == 0 { text } else { format!("\n{text}") }
        })
        .collect();
    let (shown, kept) = fitting(&pieces, room.saturating_sub(FENCES));
    let fence = fence("diff", &shown);
    let folded = if hunks.len() > UNFOLDED { details(summary, &fence) } else { fence };
    folded + &left_out(hunks.len() - kept, one, many) + "\n"
}

/// A list of at most `room` bytes.
fn list(lines: impl Iterator<Item = String>, room: usize) -> String {
    let lines: Vec<String> = lines.map(|line| format!("- {line}\n")).collect();
    let (shown, kept) = fitting(&lines, room);
    match lines.len() - kept {
        0 => shown,
        more => format!("{shown}- and {more} more\n"),
    }
}

/// Something that is folded away. The summary is ours: HTML is not escaped in it.
fn details(summary: &str, inside: &str) -> String {
    format!("<details><summary>{summary}</summary>\n\n{}\n\n</details>\n", inside.trim_end())
}

/// A fence longer than any run of backticks inside it.
fn fence(language: &str, text: &str) -> String {
    let text = tamed(text);
    let fence = "`".repeat(longest_run(&text).max(2) + 1);
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{fence}{language}\n{text}{end}{fence}\n")
}

/// A code span (`CommonMark` 6.1): its fence is longer than any run inside, and a space is added where one would be taken
/// away or a backtick stands at an end.
fn code(text: &str) -> String {
    if text.trim().is_empty() {
        return "(empty)".into();
    }
    let text = tamed(text);
    let fence = "`".repeat(longest_run(&text) + 1);
    let at_end = |char: char| char == '`' || char == ' ';
    let pad = if text.starts_with(at_end) || text.ends_with(at_end) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Writes out what no fence holds, and what a pipeline that looks for the marker of a comment could find in another.
fn tamed(text: &str) -> String {
    let text = text.replace("<!--", "\\u{3c}!--");
    if longest_run(&text) <= LONGEST_RUN {
        return text;
    }
    let mut tame = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(start) = rest.find('`') {
        let run = rest[start..].len() - rest[start..].trim_start_matches('`').len();
        tame += &rest[..start];
        tame += &if run > LONGEST_RUN { "\\u{60}".repeat(run) } else { "`".repeat(run) };
        rest = &rest[start + run..];
    }
    tame + rest
}

fn short(text: &Printable) -> String {
    code(text.short(LONGEST).as_str())
}

fn place(location: &Location) -> String {
    code(&format!("{}:{}", Printable::cut(&location.file, 200), location.line))
}

fn longest_run(text: &str) -> usize {
    text.split(|char| char != '`').map(str::len).max().unwrap_or(0)
}

/// The scheduled changes, a line each.
fn scheduled(lines: &[ScheduledChange], room: usize) -> String {
    let line = |line: &ScheduledChange| {
        let ScheduledChange { when, email, field, from, to, location, blocked_by } = line;
        let value = |value: &Option<Printable>| value.as_ref().map_or_else(|| "left alone".to_owned(), short);
        let blocked: String = blocked_by
            .iter()
            .map(|figure| format!("; **will be blocked** by {}", code(Printable::cut(figure, 200).as_str())))
            .collect();
        let (when, email, place) = (short(when), short(email), place(location));
        format!("{when} {email} {field}: {} ({place}){blocked}", words::change(&value(from), &value(to)))
    };
    list(lines.iter().map(line), room)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_code_span_is_longer_than_what_it_holds() {
        assert_eq!(code("Bo"), "`Bo`");
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`@all`"), "`` `@all` ``");
        assert_eq!(code(" x "), "`  x  `");
        assert_eq!(code(" "), "(empty)");
        assert_eq!(fence("diff", "+````\n"), "`````diff\n+````\n`````\n");
    }

    #[test]
    fn what_no_fence_holds_is_written_out() {
        let run = |length: usize| "`".repeat(length);
        assert_eq!(code(&format!("a{}b", run(16))), format!("{0}a{1}b{0}", run(17), run(16)));
        assert_eq!(code(&format!("a{}b`c", run(17))), format!("``a{}b`c``", "\\u{60}".repeat(17)));
        assert_eq!(code("<!-- rolecall:plan -->"), "`\\u{3c}!-- rolecall:plan -->`");
        assert_eq!(fence("text", &run(300)), format!("```text\n{}\n```\n", "\\u{60}".repeat(300)));
    }

    #[test]
    fn what_does_not_fit_is_left_out_whole_and_counted() {
        let lines = ["one", "two", "three"].map(str::to_owned);
        assert_eq!(list(lines.clone().into_iter(), 100), "- one\n- two\n- three\n");
        assert_eq!(list(lines.into_iter(), 13), "- one\n- two\n- and 1 more\n");
    }
}
