//! What windows will bring.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Coming, VERSION, WindowOf, coming_line, encode, window_line};
use crate::exit::Exit;
use crate::printable::Printable;
use crate::report::facts::agenda::AgendaReport;

/// `agenda`: what windows will bring, as the files declare it.
#[derive(Serialize, JsonSchema)]
pub(super) struct Agenda<'a> {
    version: u32,
    command: &'a str,
    exit_code: u8,
    file: &'a str,
    timezone: &'a str,
    until: Option<&'a str>,
    coming: Vec<Coming<'a>>,
    windows: Vec<WindowOf<'a>>,
}

pub(super) fn write(command: &str, exit: Exit, report: &AgendaReport) -> String {
    let AgendaReport { file, timezone, now: _, until, coming, windows } = report;
    encode(&Agenda {
        version: VERSION,
        command,
        exit_code: exit.code(),
        file: file.raw(),
        timezone: timezone.raw(),
        until: until.as_ref().map(Printable::raw),
        coming: coming.iter().map(coming_line).collect(),
        windows: windows.iter().map(window_line).collect(),
    })
}
