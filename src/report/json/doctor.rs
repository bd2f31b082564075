//! What a run needs, looked at one by one.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Place, VERSION, encode, place};
use crate::exit::Exit;
use crate::report::facts::doctor::{Check, DoctorReport};
use crate::report::sheet::Mark;

/// `doctor`: what a run needs, looked at one by one.
#[derive(Serialize, JsonSchema)]
pub(super) struct Doctor<'a> {
    version: u32,
    command: &'a str,
    exit_code: u8,
    checks: Vec<CheckOf<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct CheckOf<'a> {
    name: &'a str,
    /// `good`, `attention`, `bad` or `unknown`.
    state: &'static str,
    found: &'a str,
    remedy: Option<&'a str>,
    place: Option<Place>,
}

pub(super) fn write(command: &str, exit: Exit, report: &DoctorReport) -> String {
    let DoctorReport { checks } = report;
    let check = |check: &'_ Check| -> &'static str {
        match check.mark {
            Mark::Good => "good",
            Mark::Attention => "attention",
            Mark::Bad => "bad",
            Mark::Plain => "unknown",
        }
    };
    let checks = checks.iter().map(|line| {
        let Check { name, mark: _, found, remedy, location } = line;
        CheckOf {
            name,
            state: check(line),
            found,
            remedy: remedy.as_deref(),
            place: location.as_ref().map(place),
        }
    });
    encode(&Doctor { version: VERSION, command, exit_code: exit.code(), checks: checks.collect() })
}
