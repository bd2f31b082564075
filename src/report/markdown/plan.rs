//! A plan, or the result of applying it.

use super::{FENCES, code, details, diff, fence, fitting, list, place, scheduled, short, title};
use crate::printable::Printable;
use crate::report::diff::Hunk;
use crate::report::facts::plan::PlanReport;
use crate::report::sections::{self, Line, Part, Section};
use crate::report::tables::Mark;
use crate::report::{toml_diff, words};

/// Each section except the changes may use one part in this number of the limit. The changes use the rest.
const SHARE: usize = 12;
/// The maximum length of a path or a command in characters.
const LONGEST_PATH: usize = 300;

pub(super) fn write(command: &str, report: &PlanReport, limit: usize) -> String {
    let head = title(command, &words::verdict(report)) + &summary(report);
    let sections = sections::plan(command, report);
    let mut texts: Vec<String> =
        sections.iter().map(|section| section_text(section, report, limit / SHARE)).collect();
    let room = limit.saturating_sub(head.len() + texts.iter().map(String::len).sum::<usize>());
    for (section, text) in sections.iter().zip(&mut texts) {
        if let Section::Changes = section {
            let hunks = toml_diff::plan(report);
            let people = words::count(hunks.len(), "person changes", "people change");
            *text = diff(&hunks, &people, "change", "changes", room);
        }
    }
    (head + &texts.concat()).trim_end().to_owned() + "\n"
}

fn summary(report: &PlanReport) -> String {
    let mut counts = words::summary(report);
    if let Some(first) = counts.first_mut() {
        *first = format!("**{first}**");
    }
    format!("{}: {}\n\n", line_text(&sections::about(report)), counts.join(" · "))
}

/// Formats a section in at most `share` bytes. The changes are empty here, because they use what the other sections leave.
fn section_text(section: &Section, report: &PlanReport, share: usize) -> String {
    match section {
        Section::Paragraph(_, line) => {
            let parts: Vec<String> = line.iter().map(part_text).collect();
            fitting(&parts, share).0 + "\n\n"
        }
        Section::List { title, is_title_needed, lines } => {
            let title = if *is_title_needed { format!("{title}:\n\n") } else { String::new() };
            format!("{title}{}\n", list(lines.iter().map(line_text), share))
        }
        Section::Alert { mark, heading, reasons, remedies, follow_up } => {
            let kind = if *mark == Mark::Bad { "CAUTION" } else { "WARNING" };
            let reasons = list(reasons.iter().map(line_text), share);
            let mut text = format!("> [!{kind}]\n> {}\n>\n", line_text(heading));
            reasons.lines().for_each(|line| text += &format!("> {line}\n"));
            if let Some(follow_up) = follow_up {
                text += &format!(">\n> {}\n", line_text(follow_up));
            }
            text.push('\n');
            let remedies: Vec<String> = remedies.iter().map(|remedy| remedy_text(remedy)).collect();
            let (remedies, kept) = fitting(&remedies, share);
            if kept > 0 {
                text += &format!("{}\n", details("If this is intended: how to acknowledge it", &remedies));
            }
            text
        }
        Section::Changes => String::new(),
        Section::Scheduled if report.scheduled.is_empty() => String::new(),
        Section::Scheduled => format!("Scheduled changes:\n\n{}\n", scheduled(&report.scheduled, share)),
        Section::Files(files) => {
            let hunks: Vec<Hunk> = files.iter().flat_map(|file| file.hunks.clone()).collect();
            diff(&hunks, "Edits that keep the rollback", "change", "changes", share.max(FENCES * 2))
        }
    }
}

fn line_text(line: &Line) -> String {
    line.iter().map(part_text).collect()
}

fn part_text(part: &Part) -> String {
    match part {
        Part::Words(words) => words.clone(),
        Part::Strong(words) => format!("**{words}**"),
        Part::Value(value) => short(value),
        Part::Sentence(sentence) => code(sentence),
        Part::Command(command) => code(Printable::cut(command, LONGEST_PATH).as_str()),
        Part::Place(location) => place(location),
    }
}

/// Formats a sentence and TOML to copy.
fn remedy_text(remedy: &str) -> String {
    let (sentence, toml) = remedy.split_once('\n').unwrap_or((remedy, ""));
    let toml: String =
        toml.lines().map(|line| format!("{}\n", line.strip_prefix("  ").unwrap_or(line))).collect();
    format!("{sentence}\n\n{}\n", fence("toml", &toml))
}
