//! Any texts in the carriers of any report, for `claims`.
//!
//! The first byte says which report, the second how much room a comment has; the texts stand between bytes that no text has.

use rolecall::exit::Exit;
use rolecall::report::{Body, Format, Report, write};

use super::bodies::{PlanOf, agenda, comparison, nobody, plan, problems};
use super::carriers::Deal;
use super::judges::{judge, runner};
use super::sheets::{doctor, explanation, files, roles};
use super::told::{setting, told_in};

/// No text of UTF-8 has it.
const BETWEEN: u8 = 0xff;
/// More texts than this make no other report.
const MOST: usize = 16;

/// A comment says everything, and in less room still nothing that acts.
pub(crate) fn markdown(data: &[u8]) {
    let Some((room, command, body)) = told(data, Format::Markdown) else { return };
    let report = Report { command, exit: Exit::Done, body };
    let limit = 500 + room * 40;
    let text = write(&report, Format::Markdown, &setting(limit, false));
    assert!(text.len() <= limit, "{} of {limit} bytes:\n{text}", text.len());
    judge(Format::Markdown, &text).unwrap_or_else(|why| panic!("{command}: {why}\n{text}"));
}

/// A job's log says everything, and obeys nothing but our annotations.
pub(crate) fn github(data: &[u8]) {
    told(data, Format::Github);
}

/// Whether a job's log takes no line of it for a command.
pub(crate) fn is_no_command(shown: &str) -> bool {
    runner::commands(shown).is_empty()
}

fn told(data: &[u8], format: Format) -> Option<(usize, &'static str, Body)> {
    let [kind, room, texts @ ..] = data else { return None };
    let texts: Vec<String> = texts
        .split(|byte| *byte == BETWEEN)
        .take(MOST)
        .map(|text| String::from_utf8_lossy(text).into_owned())
        .collect();
    let mut deal = Deal::new(&texts);
    let rounds = usize::from(*room)..usize::from(*room) + 1;
    let (command, body) = match kind % 10 {
        0 => ("plan", plan(&mut deal, &PlanOf { rounds, carried_out: false })),
        1 => ("apply", plan(&mut deal, &PlanOf { rounds, carried_out: true })),
        2 => ("compare", comparison(&mut deal, rounds)),
        3 => ("agenda", agenda(&mut deal, rounds)),
        4 => ("validate", problems(&mut deal, rounds)),
        5 => ("plan", nobody(&mut deal, rounds.start)),
        6 => ("roles", roles(&mut deal, rounds)),
        7 => ("explain", explanation(&mut deal, rounds)),
        8 => ("import", files(&mut deal, rounds)),
        _ => ("doctor", doctor(&mut deal, rounds)),
    };
    told_in(&[format], command, false, body.clone(), &deal);
    Some((usize::from(*room), command, body))
}
