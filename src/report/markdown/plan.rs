//! The markdown report of a plan or an apply.

use super::{
    FENCES, Links, address, changes, code, details, diff, escaped, fence, fitting, headed, left_out, list,
    scheduled,
};
use crate::printable::Printable;
use crate::report::diff::Hunk;
use crate::report::facts::plan::PlanReport;
use crate::report::sections::{self, Line, Part, Section};
use crate::report::tables::Mark;
use crate::report::{toml_diff, words};

/// Each list gets at most the size limit divided by this number. If the other sections leave space, lists that must be visible
/// to a reviewer get more.
const SHARE: usize = 12;
/// The maximum length of a command in characters.
const LONGEST_PATH: usize = 300;

pub(super) fn write(command: &str, report: &PlanReport, links: Links<'_>, limit: usize) -> String {
    // In a rollback, the locations are in the journal, which isn't in the repository.
    let links = if report.rollback.is_some() { Links { source_url: None } } else { links };
    let heading: Vec<String> =
        sections::headline(report).iter().map(|part| line_text(part, Links { source_url: None })).collect();
    let head = headed(command, &heading.join(" · ")) + &summary(report);
    let sections = sections::plan(command, report);
    let share = limit / SHARE;
    let mut texts: Vec<String> =
        sections.iter().map(|section| section_text(section, report, links, share)).collect();
    let taken = |texts: &[String]| head.len() + texts.iter().map(String::len).sum::<usize>();
    // The remaining space goes first to the changes, then to the lists that must be visible to a reviewer.
    if let Some(number) = sections.iter().position(|section| matches!(section, Section::Changes)) {
        let room = limit.saturating_sub(taken(&texts) + FENCES);
        texts[number] = changes::tables(report, links, room);
    }
    for (number, section) in sections.iter().enumerate() {
        // Reserve `FENCES` bytes twice: once for the title of the list, and once for the markup around the diff.
        let room = limit.saturating_sub(taken(&texts) - texts[number].len() + 2 * FENCES);
        if matches!(section, Section::List { is_open: true, .. }) && room > share {
            texts[number] = section_text(section, report, links, room);
        }
    }
    // The diff repeats the tables, so it comes last.
    let room = limit.saturating_sub(taken(&texts));
    texts.push(folded_diff(report, room));
    (head + &texts.concat()).trim_end().to_owned() + "\n"
}

fn folded_diff(report: &PlanReport, room: usize) -> String {
    let hunks = toml_diff::plan(report);
    if hunks.is_empty() {
        return String::new();
    }
    let pieces: Vec<String> = hunks.iter().map(|hunk| format!("{}\n", escaped(&hunk.text()))).collect();
    let (shown, kept) = fitting(&pieces, room.saturating_sub(FENCES));
    let people = words::count(hunks.len(), "person", "people");
    let left_out = left_out(hunks.len() - kept, "person", "people");
    details(&format!("Diff as TOML ({people})"), &(fence("diff", shown.trim_end()) + &left_out))
}

fn summary(report: &PlanReport) -> String {
    let mut counts = words::summary(report);
    if let Some(first) = counts.first_mut() {
        *first = format!("**{first}**");
    }
    let about = line_text(&sections::about(report), Links { source_url: None });
    format!("{about}: {}\n\n", counts.join(" · "))
}

/// Formats a section, with at most `share` bytes for each of its lists. Returns an empty string for the changes, because
/// their size depends on the other sections.
fn section_text(section: &Section, report: &PlanReport, links: Links<'_>, share: usize) -> String {
    match section {
        Section::Paragraph(_, line) => {
            let parts: Vec<String> = line.iter().map(|part| part_text(part, links)).collect();
            let (text, kept) = fitting(&parts, share);
            text + if kept < parts.len() { " …\n\n" } else { "\n\n" }
        }
        Section::List { title, is_open, lines } => {
            let number = lines.len();
            let lines = list(lines.iter().map(|line| line_text(line, links)), share);
            if *is_open {
                format!("**{title}**\n\n{lines}\n")
            } else {
                details(&format!("{title} ({number})"), &lines) + "\n"
            }
        }
        Section::Alert { mark, heading, reasons, remedies } => {
            let kind = if *mark == Mark::Bad { "CAUTION" } else { "WARNING" };
            let reasons = list(reasons.iter().map(|line| line_text(line, links)), share);
            let mut text = format!("> [!{kind}]\n> {}\n>\n", line_text(heading, links));
            reasons.lines().for_each(|line| text += &format!("> {line}\n"));
            text.push('\n');
            let remedies: Vec<String> = remedies.iter().map(|remedy| remedy_text(remedy)).collect();
            let (shown, kept) = fitting(&remedies, share);
            if kept > 0 {
                let shown = shown + &left_out(remedies.len() - kept, "acknowledgment", "acknowledgments");
                text += &format!("{}\n", details("How to acknowledge this if it is intended", &shown));
            }
            text
        }
        Section::Changes => String::new(),
        Section::Scheduled if report.scheduled.is_empty() => String::new(),
        Section::Scheduled => {
            let summary = format!("Scheduled ({})", report.scheduled.len());
            details(&summary, &scheduled(&report.scheduled, links, share)) + "\n"
        }
        Section::Files(files) => {
            let hunks: Vec<Hunk> = files.iter().flat_map(|file| file.hunks.clone()).collect();
            diff(&hunks, "Edits that keep the rollback", "change", "changes", share.max(FENCES * 2))
        }
    }
}

fn line_text(line: &Line, links: Links<'_>) -> String {
    line.iter().map(|part| part_text(part, links)).collect()
}

fn part_text(part: &Part, links: Links<'_>) -> String {
    match part {
        Part::Words(words) => words.clone(),
        Part::Strong(words) => format!("**{words}**"),
        Part::Value(value) => address(value),
        Part::Sentence(sentence) => code(sentence),
        Part::Command(command) => code(Printable::cut(command, LONGEST_PATH).as_str()),
        Part::Place(location) => links.place(location),
    }
}

/// Formats a remedy, i.e. a sentence followed by TOML to copy.
fn remedy_text(remedy: &str) -> String {
    let (sentence, toml) = remedy.split_once('\n').unwrap_or((remedy, ""));
    let toml: String =
        toml.lines().map(|line| format!("{}\n", line.strip_prefix("  ").unwrap_or(line))).collect();
    format!("{}\n\n{}\n", sentence_text(sentence), fence("toml", &toml))
}

/// Formats a sentence with commands. If it contains anything except plain words and commands, it comes from an edited saved
/// plan and is shown as code.
fn sentence_text(sentence: &str) -> String {
    let is_plain =
        |word: &str| word.trim_end_matches([',', '.', ':']).bytes().all(|byte| byte.is_ascii_alphabetic());
    let line = sections::with_commands(sentence);
    let is_ours = line.iter().all(|part| match part {
        Part::Words(words) => words.split(' ').all(is_plain),
        _ => true,
    });
    if is_ours { line_text(&line, Links { source_url: None }) } else { code(sentence) }
}
