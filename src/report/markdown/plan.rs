//! A plan, or what came of it.

use super::{LONGEST, code, details, diff, fence, list, place, scheduled, short, title};
use crate::clock::minute;
use crate::invocation::path_word;
use crate::plan::guardrails::Verdict;
use crate::printable::Printable;
use crate::report::diff::Hunk;
use crate::report::facts::OrganizationLine;
use crate::report::facts::files::SkippedLine;
use crate::report::facts::plan::{
    ChangeLine, EditLine, Entry, ExpiredLine, FoundElsewhereLine, GuardrailLine, KeptRoleLine, MissingLine,
    PlanReport, RollbackNotes,
};
use crate::report::{toml_diff, words};

/// What is beside the changes may take so much of the room, each part a share: the changes have what is left.
const SHARE: usize = 12;
/// So many people are named where one line speaks of many.
const NAMED: usize = 10;
/// A path is shown up to so many characters, which only one that nobody types exceeds.
const LONGEST_PATH: usize = 300;

pub(super) fn write(command: &str, report: &PlanReport, limit: usize) -> String {
    let share = limit / SHARE;
    let head = title(command, &words::verdict(report))
        + &summary(report)
        + &refusals(command, report, share)
        + &kept_roles(report, share)
        + &not_in_force(report, share);
    let tail = guardrails(report, share)
        + &audit_log(report)
        + &beside(report, share)
        + &by_itself(report, share)
        + &rollback(report, share)
        + &not_read_back(report)
        + &saved(report);
    let hunks = toml_diff::plan(report);
    let people = words::count(hunks.len(), "person changes", "people change");
    let room = limit.saturating_sub(head.len() + tail.len());
    let changes = diff(&hunks, &people, "change", "changes", room);
    (head + &changes + &tail).trim_end().to_owned() + "\n"
}

fn summary(report: &PlanReport) -> String {
    let PlanReport { organization, made_up, declared, at, only, .. } = report;
    let made_up = if *made_up {
        format!("{} {}.\n\n", words::MADE_UP, command(&report.invocation.describe()))
    } else {
        String::new()
    };
    let OrganizationLine { name, id, place } = organization;
    let parts = words::summary(report);
    let counts = parts
        .iter()
        .enumerate()
        .map(|(number, part)| if number == 0 { format!("**{part}**") } else { part.clone() });
    let counts = counts.collect::<Vec<_>>().join(" · ");
    let at = at.as_ref().map_or_else(String::new, |at| format!(", as on {}", short(at)));
    let only = match only.as_slice() {
        [] => String::new(),
        few if few.len() <= 3 => format!(", only {}", few.iter().map(short).collect::<Vec<_>>().join(", ")),
        many => format!(", only {} people", many.len()),
    };
    let (name, id, place) = (short(name), short(id), short(place));
    format!("{name} ({id}, {place}), {declared} declared{only}{at}: {counts}\n\n{made_up}")
}

/// What refuses it, as an alert that nobody overlooks, and what to do about it.
fn refusals(command: &str, report: &PlanReport, share: usize) -> String {
    let refused = || report.guardrails.iter().filter(|line| line.verdict == Verdict::Refused);
    if refused().next().is_none() {
        return String::new();
    }
    let line = |line: &GuardrailLine| {
        let place =
            line.location.as_ref().map_or_else(String::new, |location| format!(" ({})", place(location)));
        format!("Refused by **{}**: {}{place}", line.name.as_str(), figure(&line.figure))
    };
    let alert =
        list(refused().map(line), share).lines().map(|line| format!("> {line}\n")).collect::<String>();
    let mut remedies: Vec<&str> = refused().filter_map(|line| line.remedy.as_deref()).collect();
    remedies.dedup();
    let remedies: Vec<String> = remedies.into_iter().map(remedy).collect();
    let (remedies, _) = super::fitting(&remedies, share);
    let remedies = if remedies.is_empty() {
        String::new()
    } else {
        details("If it is meant: how to acknowledge it", &remedies)
    };
    let unchanged =
        words::unchanged(command, report).map_or_else(String::new, |unchanged| format!(" {unchanged}"));
    format!("> [!CAUTION]\n> This cannot be applied.{unchanged}\n>\n{alert}\n{remedies}\n")
}

/// A sentence of ours, and TOML to copy.
fn remedy(remedy: &str) -> String {
    let (sentence, toml) = remedy.split_once('\n').unwrap_or((remedy, ""));
    let toml: String =
        toml.lines().map(|line| format!("{}\n", line.strip_prefix("  ").unwrap_or(line))).collect();
    format!("{sentence}\n\n{}\n", fence("toml", &toml))
}

fn figure(figure: &str) -> String {
    code(Printable::cut(figure, 300).as_str())
}

/// Who becomes an administrator and who no longer is one, or whatever else is kept.
fn kept_roles(report: &PlanReport, share: usize) -> String {
    let line = |line: &KeptRoleLine| {
        let KeptRoleLine { email, role, gained } = line;
        let verb = if *gained { "gains" } else { "loses" };
        format!("{} **{verb}** {}", short(email), short(role))
    };
    let lines = list(report.kept_roles.iter().map(line), share);
    if lines.is_empty() { String::new() } else { format!("Kept roles, look here first:\n\n{lines}\n") }
}

/// What came of the changes that are not in force.
fn not_in_force(report: &PlanReport, share: usize) -> String {
    let Some(result) = &report.result else {
        return String::new();
    };
    let troubled = report.changes.iter().filter_map(|change| Some((change, change.outcome.as_ref()?)));
    let troubled: Vec<_> = troubled.filter(|(_, outcome)| !outcome.in_force).collect();
    let again = match (&result.next_step, &result.stopped) {
        (Some(next_step), _) => format!("Not everything is in force. {}", with_commands(next_step)),
        (None, Some(_)) => "It ended early.".into(),
        (None, None) => return String::new(),
    };
    let sentence = |text: &str| code(Printable::cut(text, 300).as_str());
    let shared = words::shared(report.outcomes());
    let mut of_many: Vec<Vec<&ChangeLine>> = vec![Vec::new(); shared.len()];
    let mut of_one = Vec::new();
    for (change, outcome) in &troubled {
        let kind = words::kind(&outcome.outcome);
        match shared.iter().position(|shared| shared.kind == kind) {
            Some(number) => of_many[number].push(change),
            None => of_one.push(format!("{} {}", short(&change.email), sentence(&outcome.detail))),
        }
    }
    let of_many = shared.iter().zip(&of_many).filter(|(_, people)| !people.is_empty());
    let of_many =
        of_many.map(|(shared, people)| format!("{}: {}", sentence(&shared.sentence), named(people)));
    let lines = result.stopped.iter().map(|stopped| sentence(stopped)).chain(of_many).chain(of_one);
    let alert: String = list(lines, share).lines().map(|line| format!("> {line}\n")).collect();
    let journal = report.journal.as_ref().filter(|_| !troubled.is_empty());
    let sent = journal.map_or_else(String::new, |path| format!(">\n> {}: {}\n", words::SENT, file(path)));
    format!("> [!WARNING]\n> {again}\n>\n{alert}{sent}\n")
}

/// Some of many people, and how many more; the diff says of each what came of it.
fn named(people: &[&ChangeLine]) -> String {
    let shown = &people[..people.len().min(NAMED)];
    let shown = shown.iter().map(|change| short(&change.email)).collect::<Vec<_>>().join(", ");
    let more = people.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{} people, {shown}{more}", people.len())
}

fn guardrails(report: &PlanReport, share: usize) -> String {
    let holding: Vec<String> = report
        .guardrails
        .iter()
        .filter(|line| line.verdict == Verdict::Holds)
        .map(|line| figure(&line.figure))
        .collect();
    let mut text = String::new();
    if !report.refused && !holding.is_empty() {
        text += &format!("Guardrails hold: {}.\n\n", super::fitting(&comma(holding), share).0);
    }
    let noted = report.guardrails.iter().filter_map(|line| match &line.verdict {
        Verdict::Acknowledged { reason } => Some(format!(
            "**{}** {}, acknowledged: {}",
            line.name.as_str(),
            figure(&line.figure),
            figure(reason)
        )),
        Verdict::Reported => {
            let note = words::reported(&line.about).map_or_else(String::new, |note| format!("; {note}"));
            Some(format!("**{}** {}{note}", line.name.as_str(), figure(&line.figure)))
        }
        Verdict::Holds | Verdict::Refused => None,
    });
    let expired = report.expired.iter().map(|line| {
        let ExpiredLine { guardrail, expired, at, location } = line;
        format!(
            "The acknowledgement of **{}** at {} expired {} (`{}`) and is not obeyed",
            guardrail.as_str(),
            place(location),
            short(expired),
            minute(*at)
        )
    });
    let noted = list(noted.chain(expired), share);
    if noted.is_empty() { text } else { text + &noted + "\n" }
}

/// Of what it is not said who changed it.
fn audit_log(report: &PlanReport) -> String {
    let Some((what, why)) = report.audit_log.as_ref().and_then(words::audit_log) else {
        return String::new();
    };
    let why = why.map_or_else(String::new, |why| format!(": {}", code(&why)));
    format!("{what}{why}.\n\n")
}

fn comma(mut texts: Vec<String>) -> Vec<String> {
    let last = texts.len().saturating_sub(1);
    texts.iter_mut().take(last).for_each(|text| text.push_str(", "));
    texts
}

/// Who is not there, who was found under another address, what is only observed.
fn beside(report: &PlanReport, share: usize) -> String {
    let lines = report.entries().into_iter().filter_map(beside_line);
    let lines = list(lines, share);
    if lines.is_empty() { String::new() } else { lines + "\n" }
}

fn beside_line(entry: Entry<'_>) -> Option<String> {
    let email = short(entry.email());
    Some(match entry {
        Entry::Change(_) => return None,
        Entry::Observed(ChangeLine { edits, location, .. }) => {
            let edits: Vec<String> = edits.iter().map(observed).collect();
            let edits = edits.join(", ");
            format!("{email} differs in {edits}; observed, left alone ({})", place(location))
        }
        Entry::FoundElsewhere(FoundElsewhereLine { person, location, .. }) => {
            let primary = person.primary_email.as_ref();
            let primary = primary.map_or_else(String::new, |primary| format!(": {} there", short(primary)));
            format!("{email} has another primary address in Pylon{primary} ({})", place(location))
        }
        Entry::Missing(MissingLine { name, did_you_mean, location, .. }) => {
            let at = place(location);
            match (name, did_you_mean) {
                (Some(name), _) => format!("{email} ({}) is deactivated in Pylon ({at})", short(name)),
                (None, Some(near)) => {
                    format!("{email} is not in Pylon; did you mean {}? ({at})", short(near))
                }
                (None, None) => format!("{email} is not in Pylon ({at})"),
            }
        }
    })
}

fn observed(edit: &EditLine) -> String {
    let EditLine { field, from, to, through_scim: _, location: _, origin: _, blame } = edit;
    let from: Vec<String> = from.iter().map(|value| value.short(LONGEST).to_string()).collect();
    let from = if from.is_empty() { "(none)".into() } else { code(&from.join(", ")) };
    let blame = blame.as_ref().map_or_else(String::new, |blame| format!(" ({})", code(&words::blame(blame))));
    format!("{field} {}{blame}", words::change(&from, &short(to)))
}

fn by_itself(report: &PlanReport, share: usize) -> String {
    if report.scheduled.is_empty() {
        return String::new();
    }
    format!("Coming by itself:\n\n{}\n", scheduled(&report.scheduled, share))
}

/// What a rollback leaves, and what the next apply would make of it.
fn rollback(report: &PlanReport, share: usize) -> String {
    let Some(notes) = &report.rollback else {
        return String::new();
    };
    let RollbackNotes { journal_is_whole, unreadable_lines, left, contradicted, files, unwritten } = notes;
    let line = |line: &SkippedLine| format!("{} {}", short(&line.email), code(&line.why));
    let mut text = String::new();
    if !journal_is_whole {
        text += &format!("{}\n\n", words::KILLED);
    }
    if *unreadable_lines > 0 {
        text += &format!("**Damaged**: {}.\n\n", words::unreadable(*unreadable_lines));
    }
    if !left.is_empty() {
        text += &format!("Not taken back:\n\n{}\n", list(left.iter().map(line), share));
    }
    if *contradicted > 0 {
        let people =
            words::count(*contradicted, "person is declared otherwise", "people are declared otherwise");
        text += &format!(
            "**The files contradict it**: {people}, and the next apply would undo this. To keep it:\n\n"
        );
        let hunks: Vec<Hunk> = files.iter().flat_map(|file| file.hunks.clone()).collect();
        text +=
            &diff(&hunks, "What the files have to say", "change", "changes", share.max(super::FENCES * 2));
        text += &list(unwritten.iter().map(line), share / 2);
    }
    text
}

fn not_read_back(report: &PlanReport) -> String {
    let unread = report.result.as_ref().and_then(|result| words::not_read_back(result.not_read_back));
    unread.map_or_else(String::new, |unread| unread + "\n\n")
}

fn saved(report: &PlanReport) -> String {
    let Some(path) = &report.saved else {
        return String::new();
    };
    let apply = command(&report.invocation.command(&["apply", &path_word(path.raw().as_ref())]));
    format!("Saved as {}; {apply} {}.\n", file(path), words::SAVED)
}

/// A command to paste. The path in it may be long, so it is cut like a path.
fn command(command: &str) -> String {
    code(Printable::cut(command, LONGEST_PATH).as_str())
}

/// A sentence in which commands are between backticks. No command contains one.
fn with_commands(sentence: &str) -> String {
    let parts = sentence.split('`').enumerate();
    parts.map(|(number, part)| if number % 2 == 1 { command(part) } else { part.to_owned() }).collect()
}

/// A path that somebody has to type.
fn file(path: &Printable) -> String {
    code(path.short(LONGEST_PATH).as_str())
}
