//! `show`: prints a saved plan as it was reviewed. It needs neither the files nor Pylon.

use jiff::Timestamp;

use super::apply::{NotSavedAdvice, read_saved};
use super::{CommandError, Done};
use crate::cli::ShowArgs;
use crate::clock::minute;
use crate::exit::Exit;
use crate::plan::saved::SavedPlanCode;
use crate::printable::Printable;
use crate::problem::Problem;
use crate::report::{Body, PlanReport};

const ADVICE: NotSavedAdvice = NotSavedAdvice {
    unreadable: "pass a file written by `rolecall plan -o FILE`",
    toml: "a saved plan is a JSON file written by `rolecall plan -o FILE`; to see the plan for a root file, run `rolecall plan`",
};

pub(super) fn run(args: &ShowArgs) -> Done {
    let saved =
        read_saved(&args.plan, ADVICE).map_err(|error| CommandError { exit: Exit::Failed, ..error })?;
    let (created, report) = saved.into_report();
    let damaged = |why: String| {
        Problem::new(
            SavedPlanCode::Damaged,
            format!("this saved plan has no valid report: {}", Printable::cut(&why, 200)),
        )
        .help("make a new one with `rolecall plan -o FILE`")
    };
    let mut report: PlanReport =
        serde_json::from_value(report).map_err(|error| damaged(error.to_string()))?;
    let created: Timestamp = created.parse().map_err(|_| damaged("its time is not valid".into()))?;
    report.now = created;
    report.at = Some(Printable::new(&minute(created)));
    Ok((Body::Plan(Box::new(report)), Exit::Done))
}
