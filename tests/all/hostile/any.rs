//! Puts arbitrary strings into the carriers of any report. The fuzz targets in `claims` use this module.
//!
//! The first byte of the input selects the report. The second byte selects the round and the size limit of a Markdown report. The
//! rest is split into strings at `SEPARATOR`.

use rolecall::exit::Exit;
use rolecall::report::{Body, Format, Report, write};

use super::bodies::{PlanOf, agenda, comparison, no_people, plan, problems};
use super::carriers::Deal;
use super::judges::{judge, runner};
use super::rendering::{check_formats, setting};
use super::sheets::{access, doctor, explanation, files, roles};

/// A byte that never occurs in UTF-8.
const SEPARATOR: u8 = 0xff;
/// The maximum number of strings per input. The rest of the input is ignored.
const MAX_TEXTS: usize = 16;

/// Checks that a report in Markdown contains all strings. If the report has to be shortened to its size limit, it must still be
/// harmless.
pub(crate) fn markdown(data: &[u8]) {
    let Some((room, command, body)) = check_report(data, Format::Markdown) else { return };
    let report = Report { command, exit: Exit::Done, body };
    let limit = 500 + room * 40;
    let text = write(&report, Format::Markdown, &setting(limit, false));
    assert!(text.len() <= limit, "{} of {limit} bytes:\n{text}", text.len());
    judge(Format::Markdown, &text).unwrap_or_else(|why| panic!("{command}: {why}\n{text}"));
}

/// Checks that a GitHub job's log contains all strings, and that only rolecall's own annotations act as commands.
pub(crate) fn github(data: &[u8]) {
    check_report(data, Format::Github);
}

/// Returns `true` if GitHub's runner wouldn't interpret any line of a job's log as a command.
pub(crate) fn is_no_command(shown: &str) -> bool {
    runner::commands(shown).is_empty()
}

fn check_report(data: &[u8], format: Format) -> Option<(usize, &'static str, Body)> {
    let [kind, room, texts @ ..] = data else { return None };
    let texts: Vec<String> = texts
        .split(|byte| *byte == SEPARATOR)
        .take(MAX_TEXTS)
        .map(|text| String::from_utf8_lossy(text).into_owned())
        .collect();
    let mut deal = Deal::new(&texts);
    let rounds = usize::from(*room)..usize::from(*room) + 1;
    let (command, body) = match kind % 11 {
        0 => ("plan", plan(&mut deal, &PlanOf { rounds, carried_out: false })),
        1 => ("apply", plan(&mut deal, &PlanOf { rounds, carried_out: true })),
        2 => ("compare", comparison(&mut deal, rounds)),
        3 => ("agenda", agenda(&mut deal, rounds)),
        4 => ("validate", problems(&mut deal, rounds)),
        5 => ("plan", no_people(&mut deal, rounds.start)),
        6 => ("roles", roles(&mut deal, rounds)),
        7 => ("explain", explanation(&mut deal, rounds)),
        10 => ("access", access(&mut deal, rounds)),
        8 => ("import", files(&mut deal, rounds)),
        _ => ("doctor", doctor(&mut deal, rounds)),
    };
    check_formats(&[format], command, false, body.clone(), &deal);
    Some((usize::from(*room), command, body))
}
