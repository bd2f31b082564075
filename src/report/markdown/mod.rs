//! The markdown format for pull request comments: a title with the verdict, tables and diffs of the changes, and lists for
//! everything else.
//!
//! Untrusted text appears only in code spans and fences, where it cannot form a mention, link, image, HTML tag, or emphasis.
//! The first line is an HTML comment that names the command, which lets a pipeline find its previous comment. Items that
//! don't fit into the size limit are omitted and counted. A report exceeds the limit only if the title doesn't fit.

mod access;
mod agenda;
mod changes;
mod comparison;
mod plan;
mod tables;

use super::diff::Hunk;
use super::facts::agenda::ScheduledChange;
use super::{Body, Report, Setting, diagnostic, words};
use crate::exit::Exit;
use crate::printable::Printable;
use crate::problem::Problems;
use crate::source::Location;

/// Diffs and lists of differences with more than this many entries are collapsed.
const UNFOLDED: usize = 20;
/// The maximum number of characters to show of a name or value. The JSON report never truncates them.
const LONGEST: usize = 80;

/// The longest run of backticks that isn't escaped. A fence must be longer than any run in its text, but GitHub's parser (cmark)
/// supports only up to 80 backticks for code spans and 255 for blocks. If a run in the text exceeded these limits, it could end
/// the code.
const LONGEST_RUN: usize = 16;

/// Formats the report as markdown, usually in at most [`Setting::markdown_limit`] bytes.
pub(super) fn write(report: &Report, setting: &Setting) -> String {
    let Report { command, exit, body } = report;
    let limit = setting.markdown_limit;
    let links = Links { source_url: setting.source_url.as_deref() };
    let text = match body {
        Body::Nothing => return String::new(),
        Body::NoPeople { file, declared: _ } => {
            let title = title(command, "nothing to do");
            format!("{title}{} declares no people.\n", code(file.as_str()))
        }
        Body::Valid { files, declared } => {
            let head = title(command, &words::valid(files, *declared, *exit));
            if files.list.is_empty() {
                head
            } else {
                with_letters(head, files, ["warning", "warnings"], limit)
            }
        }
        Body::Plan(plan) => plan::write(command, plan, links, limit),
        Body::Comparison(comparison) => comparison::write(command, comparison, limit),
        Body::Agenda(agenda) => agenda::write(command, agenda, links, limit),
        Body::Roles(roles) => tables::write(command, &roles.tables(), limit),
        Body::Access(access) => access::write(command, &access.wide_tables(), links, limit),
        Body::Explanation(explanation) => tables::write(command, &explanation.tables(), limit),
        Body::Page(page) => tables::write(command, &page.tables(), limit),
        Body::Doctor(doctor) => tables::write(command, &doctor.tables(), limit),
        Body::Files(files) => tables::write(command, &files.tables(), limit),
        Body::Journals(journals) => tables::write(command, &journals.tables(), limit),
        Body::Problems(problems) => failed(command, *exit, problems, limit),
    };
    if text.len() <= limit {
        return text;
    }
    // Each part stays within its share of the limit, so the text is too long only if the limit is extremely small.
    title(command, "too long to show here") + "The JSON report (`--report json=FILE`) has all of it.\n"
}

/// Formats the title, preceded by the comment that names the command.
fn title(command: &str, verdict: &str) -> String {
    headed(command, &format!("rolecall {command}: {verdict}"))
}

fn headed(command: &str, heading: &str) -> String {
    format!("<!-- rolecall:{command} -->\n### {heading}\n\n")
}

#[derive(Debug, Clone, Copy)]
struct Links<'a> {
    /// See [`Setting::source_url`].
    source_url: Option<&'a str>,
}

impl Links<'_> {
    /// Formats a location, as a link if `source_url` is set and the file is in the working directory.
    fn place(self, location: &Location) -> String {
        let text = place(location);
        match self.url(location) {
            Some(url) => format!("[{text}]({url})"),
            None => text,
        }
    }

    fn url(self, location: &Location) -> Option<String> {
        let file = location.file.trim_start_matches("./");
        // A colon marks a file from a git revision, such as `main:users.toml`.
        let is_inside =
            !file.starts_with(['/', '<']) && !file.contains(':') && file.split('/').all(|part| part != "..");
        let path: String = file.bytes().map(encoded).collect();
        let url = self.source_url.filter(|_| is_inside)?;
        Some(format!("{url}/{path}#L{}", location.line))
    }
}

/// Percent-encodes a byte of a path unless it is an unreserved character or a slash (RFC 3986, 2.3 and 3.3).
fn encoded(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

fn failed(command: &str, exit: Exit, problems: &Problems, limit: usize) -> String {
    let number = words::count(problems.list.len(), "problem", "problems");
    let head = title(command, &number) + words::not_done(exit) + "\n\n";
    with_letters(head, problems, ["problem", "problems"], limit)
}

/// Appends to `head` the problems or warnings that fit into `limit` bytes. `names` holds the singular and plural nouns for
/// counting the omitted ones.
fn with_letters(head: String, problems: &Problems, names: [&str; 2], limit: usize) -> String {
    let [one, many] = names;
    let letters: Vec<String> =
        diagnostic::letters(problems, false, None).map(|letter| escaped(&letter)).collect();
    let room = limit.saturating_sub(head.len());
    let (shown, kept) = fitting(&letters, room.saturating_sub(FENCES));
    head + &fence("text", &shown) + &left_out(problems.list.len() - kept, one, many)
}

/// The number of bytes reserved for a fence, `<details>`, and the line that counts omitted items.
const FENCES: usize = 300;

/// Joins as many pieces as fit into `room` bytes. Returns the result and the number of pieces used.
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
            "\n**{} not shown here** to stay within the size limit. The JSON report (`--report json=FILE`) has all of them.\n",
            words::count(number, &format!("more {one} is"), &format!("more {many} are"))
        ),
    }
}

/// Formats the hunks as a `diff` block, which is collapsed if there are many hunks. Truncates the block only between hunks.
fn diff(hunks: &[Hunk], summary: &str, one: &str, many: &str, room: usize) -> String {
    if hunks.is_empty() {
        return String::new();
    }
    let pieces: Vec<String> = hunks
        .iter()
        .enumerate()
        .map(|(number, hunk)| {
            let text = escaped(&hunk.text());
            if number == 0 { text } else { format!("\n{text}") }
        })
        .collect();
    let (shown, kept) = fitting(&pieces, room.saturating_sub(FENCES));
    let fence = fence("diff", &shown);
    let folded = if hunks.len() > UNFOLDED { details(summary, &fence) } else { fence };
    folded + &left_out(hunks.len() - kept, one, many) + "\n"
}

/// Formats a list of the items that fit into `room` bytes. If items are omitted, adds a last item with their number.
fn list(lines: impl Iterator<Item = String>, room: usize) -> String {
    let lines: Vec<String> = lines.map(|line| format!("- {line}\n")).collect();
    let (shown, kept) = fitting(&lines, room);
    match lines.len() - kept {
        0 => shown,
        more => format!("{shown}- and {more} more\n"),
    }
}

/// Returns a collapsed block. `summary` is inserted as HTML and must not contain untrusted text.
fn details(summary: &str, inside: &str) -> String {
    format!("<details><summary>{summary}</summary>\n\n{}\n\n</details>\n", inside.trim_end())
}

/// Returns a fenced block whose fence is longer than any run of backticks inside it.
fn fence(language: &str, text: &str) -> String {
    let text = escaped(text);
    let fence = "`".repeat(longest_run(&text).max(2) + 1);
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{fence}{language}\n{text}{end}{fence}\n")
}

/// Returns a code span (`CommonMark` 6.1) whose fence is longer than any run of backticks inside it. Text that starts or ends
/// with a space or backtick is padded with spaces, which the parser strips.
fn code(text: &str) -> String {
    if text.trim().is_empty() {
        return "(empty)".into();
    }
    let text = escaped(text);
    let fence = "`".repeat(longest_run(&text) + 1);
    let at_end = |char: char| char == '`' || char == ' ';
    let pad = if text.starts_with(at_end) || text.ends_with(at_end) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Escapes runs of backticks that are too long for a fence. Also escapes HTML comments, because they could pass for the comment
/// that names the command.
fn escaped(text: &str) -> String {
    let text = text.replace("<!--", "\\u{3c}!--");
    if longest_run(&text) <= LONGEST_RUN {
        return text;
    }
    let mut escaped = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(start) = rest.find('`') {
        let run = rest[start..].len() - rest[start..].trim_start_matches('`').len();
        escaped += &rest[..start];
        escaped += &if run > LONGEST_RUN { "\\u{60}".repeat(run) } else { "`".repeat(run) };
        rest = &rest[start + run..];
    }
    escaped + rest
}

fn short(text: &Printable) -> String {
    code(text.short(LONGEST).as_str())
}

fn address(email: &Printable) -> String {
    code(words::full_address(email).as_str())
}

fn place(location: &Location) -> String {
    code(&format!("{}:{}", Printable::cut(&location.file, 200), location.line))
}

fn longest_run(text: &str) -> usize {
    text.split(|char| char != '`').map(str::len).max().unwrap_or(0)
}

/// Formats the scheduled changes, one per line.
fn scheduled(lines: &[ScheduledChange], links: Links<'_>, room: usize) -> String {
    let line = |line: &ScheduledChange| {
        let ScheduledChange { when, email, field, location, blocked_by, .. } = line;
        let values = line.short_values(LONGEST);
        let [from, to] =
            values.map(|value| value.map_or_else(|| "left alone".to_owned(), |value| code(value.as_str())));
        let blocked: String = blocked_by
            .iter()
            .map(|figure| format!("; **will be blocked** by {}", code(figure.short(200).as_str())))
            .collect();
        let guarded: String = line
            .guarded_roles()
            .map(|(verb, role)| format!("; **{verb}** {}", code(role.short(LONGEST).as_str())))
            .collect();
        let (when, email, place) = (short(when), address(email), links.place(location));
        format!("{when} {email} {field}: {} ({place}){guarded}{blocked}", words::change(&from, &to))
    };
    list(lines.iter().map(line), room)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn the_fence_of_code_is_longer_than_the_backticks_in_it() {
        assert_eq!(code("Bo"), "`Bo`");
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`@all`"), "`` `@all` ``");
        assert_eq!(code(" x "), "`  x  `");
        assert_eq!(code(" "), "(empty)");
        assert_eq!(fence("diff", "+````\n"), "`````diff\n+````\n`````\n");
    }

    #[test]
    fn long_runs_of_backticks_and_html_comments_are_escaped() {
        let run = |length: usize| "`".repeat(length);
        assert_eq!(code(&format!("a{}b", run(16))), format!("{0}a{1}b{0}", run(17), run(16)));
        assert_eq!(code(&format!("a{}b`c", run(17))), format!("``a{}b`c``", "\\u{60}".repeat(17)));
        assert_eq!(code("<!-- rolecall:plan -->"), "`\\u{3c}!-- rolecall:plan -->`");
        assert_eq!(fence("text", &run(300)), format!("```text\n{}\n```\n", "\\u{60}".repeat(300)));
    }

    #[test]
    fn lines_that_do_not_fit_are_counted() {
        let lines = ["one", "two", "three"].map(str::to_owned);
        assert_eq!(list(lines.clone().into_iter(), 100), "- one\n- two\n- three\n");
        assert_eq!(list(lines.into_iter(), 13), "- one\n- two\n- and 1 more\n");
    }
}
