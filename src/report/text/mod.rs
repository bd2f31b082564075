//! The text format for terminals. Columns are aligned by display width.

mod agenda;
mod comparison;
mod plan;
mod tables;
pub(crate) mod wrap;

use super::facts::agenda::ScheduledChange;
use super::style::{Styles, styled};
use super::tables::TableReport;
use super::{Body, Report, Setting, diagnostic, words};
use crate::printable::Printable;
use crate::source::Location;

pub use plan::question;

/// The maximum width of the address column. Longer addresses push the rest of their line to the right.
const WIDEST_EMAIL: usize = 40;
/// Names and values longer than this many characters are truncated, except in the JSON report.
const LONGEST: usize = 80;

/// Writes the report for a terminal, wrapped to its width.
pub fn write(report: &Report, setting: &Setting) -> String {
    wrap::wrapped(&unwrapped(report, setting), setting.width)
}

fn unwrapped(report: &Report, setting: &Setting) -> String {
    let styles = &Styles::new(setting.colors);
    let Report { command, exit, body } = report;
    let tables = |report: &TableReport| tables::tables(command, report, styles, setting.width);
    match body {
        Body::Nothing => String::new(),
        Body::NoPeople { file, declared: _ } => format!("{file} declares no people: nothing to do\n"),
        Body::Valid { files, declared } => {
            let warnings = if setting.problems_on_stderr {
                String::new()
            } else {
                diagnostic::render(files, setting.colors, setting.width)
            };
            format!("{}\n{warnings}", words::valid(files, *declared, *exit))
        }
        Body::Plan(report) => plan::plan(command, report, styles, setting.is_full),
        Body::Comparison(report) => comparison::comparison(report, styles),
        Body::Agenda(report) => agenda::agenda(report, styles),
        Body::Roles(report) => tables(&report.tables()),
        Body::Access(report) => tables(&report.tables()),
        Body::Explanation(report) => tables(&report.tables()),
        Body::Page(page) => tables(&page.tables()),
        Body::Doctor(report) => tables(&report.tables()),
        Body::Files(report) => tables(&report.tables()),
        Body::Journals(report) => tables(&report.tables()),
        Body::Problems(_) if setting.problems_on_stderr => String::new(),
        Body::Problems(problems) => diagnostic::render(problems, setting.colors, setting.width),
    }
}

/// Formats the scheduled changes, one per line.
fn scheduled_lines(scheduled: &[ScheduledChange], styles: &Styles) -> String {
    let when = scheduled.iter().map(|line| line.when.width()).max().unwrap_or(0);
    let email = scheduled.iter().map(|line| line.email.width()).max().unwrap_or(0).min(WIDEST_EMAIL);
    let mut text = String::new();
    for line in scheduled {
        let ScheduledChange { when: at, email: who, field, location, blocked_by, .. } = line;
        let place = styled(styles.quiet, place(location));
        let (at, who) = (padded(at, when), padded(who, email));
        let change = line.change(LONGEST);
        let guarded: Vec<String> =
            line.guarded_roles().map(|(verb, role)| format!("   {verb} {}", role.short(LONGEST))).collect();
        let guarded = styled(styles.attention, guarded.concat());
        text += &format!("  {at}  {who}  {field} {change}{guarded}   {place}\n");
        for guardrail in blocked_by {
            text += &format!("      {} {guardrail}\n", styled(styles.bad, "will be blocked by"));
        }
    }
    text
}

/// Formats a location so that it's never wrapped, even if the path contains spaces.
fn place(location: &Location) -> String {
    wrap::whole(&location.to_string())
}

fn listed(texts: &[Printable]) -> String {
    texts.iter().map(|text| text.short(LONGEST).to_string()).collect::<Vec<_>>().join(", ")
}

fn padded(text: &Printable, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}
