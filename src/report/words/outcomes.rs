//! Messages about the outcomes of changes, applies, and rollbacks.

use indexmap::IndexMap;

use super::{LONGEST_NAME, count};
use crate::apply::outcome::NotAttempted;
use crate::apply::rollback::NotRolledBackReason;
use crate::apply::{LastRead, Outcome, Stop};
use crate::invocation::Invocation;
use crate::observed::RoleId;
use crate::plan::Lost;
use crate::printable::Printable;
use crate::pylon::Failure;
use crate::pylon::failure::Class;
use crate::report::facts::plan::OutcomeLine;

/// Describes the outcome of a change, with the reason if known.
pub fn outcome(outcome: &Outcome) -> String {
    sentence(outcome, Failure::line)
}

/// Describes an outcome shared by several people, leaving out user and request IDs.
pub fn outcome_of_many(outcome: &Outcome) -> String {
    sentence(outcome, Failure::line_of_many)
}

fn sentence(outcome: &Outcome, line: impl Fn(&Failure) -> String) -> String {
    let name = outcome.as_str();
    match outcome {
        Outcome::Applied => name.into(),
        Outcome::AlreadyInSync => format!("{name}: someone else made this change, so nothing was sent"),
        Outcome::NotEffective => {
            format!(
                "{name}: Pylon accepted the change but still has a different value; a SCIM group may set it"
            )
        }
        Outcome::StillGranted => {
            format!("{name}: the new role is assigned, but a SCIM group still grants the old one")
        }
        Outcome::Reverted => format!(
            "{name}: the change was applied, but support hours, a calendar, or a colleague has since set a different value"
        ),
        Outcome::Conflict => {
            format!("{name}: someone else has set a different value since the plan; left alone")
        }
        Outcome::Rejected(failure) => format!("{name}: {}", line(failure)),
        Outcome::Unknown(failure, read) => {
            let why = failure.as_ref().map_or_else(|| "stopped before Pylon responded".to_owned(), line);
            let read = match read {
                None => "",
                Some(LastRead::OldValue) => "; the last read still showed the old value",
                Some(LastRead::OtherValue) => {
                    "; the last read showed a value that is neither the old nor the new one"
                }
            };
            format!("{name}, may have been applied: {why}{read}")
        }
        Outcome::NotAttempted(NotAttempted::Stopped) => name.into(),
        Outcome::NotAttempted(NotAttempted::Unreachable(failure)) => format!("{name}: {}", line(failure)),
        Outcome::NotAttempted(NotAttempted::RoleLimit) => {
            format!(
                "{name}: a role would have too few or too many holders, because an earlier change is not confirmed"
            )
        }
    }
}

/// An outcome shared by at least this many people is reported only once.
const MANY: usize = 3;

/// An outcome shared by many people.
pub struct Shared {
    /// The result of [`kind`], which is the same for all of these people.
    pub kind: String,
    /// The outcome with its reason and a sample request ID.
    pub sentence: String,
    pub people: usize,
}

/// Collects the outcomes shared by many people, in order of first appearance. Each has only one request ID, but the JSON report
/// and `--verbose` show all of them.
pub fn shared<'o>(outcomes: impl Iterator<Item = &'o Outcome>) -> Vec<Shared> {
    let mut groups: IndexMap<String, Vec<&Outcome>> = IndexMap::new();
    for of_one in outcomes.filter(|of_one| outcome(of_one) != of_one.as_str()) {
        groups.entry(kind(of_one)).or_default().push(of_one);
    }
    groups.retain(|_, group| group.len() >= MANY);
    let shared = |(kind, group): (String, Vec<&Outcome>)| Shared {
        kind,
        sentence: with_example(group[0]),
        people: group.len(),
    };
    groups.into_iter().map(shared).collect()
}

/// Describes the outcome of one person. For a shared outcome, returns only its name because the report has the reason
/// elsewhere.
pub fn outcome_of_one<'r>(line: &'r OutcomeLine, shared: &[Shared]) -> &'r str {
    let kind = kind(&line.outcome);
    if shared.iter().any(|shared| shared.kind == kind) { line.name } else { &line.detail }
}

/// Returns a key for grouping outcomes that look the same to the reader.
pub fn kind(outcome: &Outcome) -> String {
    sentence(outcome, Failure::kind)
}

fn with_example(outcome: &Outcome) -> String {
    let sentence = outcome_of_many(outcome);
    match outcome.failure().and_then(|failure| failure.request_id.as_ref()) {
        Some(id) => format!("{sentence} (for example request {})", Printable::cut(id, 60)),
        None => sentence,
    }
}

/// Returns the label that a report shows before the path of the journal.
pub const fn journal_label(is_whole: bool) -> &'static str {
    if is_whole { "Journal of all requests" } else { "Incomplete journal" }
}

/// Warns about changes that were not read back, or returns `None` if there are none.
pub fn not_read_back(number: usize) -> Option<String> {
    let changes = count(number, "change was", "changes were");
    (number > 0).then(|| format!("{changes} confirmed by Pylon when sent, but not read back."))
}

/// The note that a report shows if the journal has no end record.
pub const KILLED: &str = "The journal is incomplete, because the run was killed. Changes that the run may have sent are also checked.";

/// Warns about damaged lines in a journal.
pub fn unreadable(lines: usize) -> String {
    let lines = count(lines, "line", "lines");
    format!("{lines} of the journal cannot be read; changes recorded only there are not rolled back")
}

/// Explains why an apply ended early.
pub fn stop(stop: &Stop) -> String {
    match stop {
        Stop::Signal(1) => "stopped by SIGHUP".into(),
        Stop::Signal(2) => "stopped by SIGINT".into(),
        Stop::Signal(15) => "stopped by SIGTERM".into(),
        Stop::Signal(other) => format!("stopped by signal {other}"),
        Stop::Fatal(failure) => {
            format!("stopped because no further request would succeed: {}", failure.message())
        }
        Stop::Forbidden(_) => "stopped after three rejected requests in a row".into(), // the outcomes include the reasons
        Stop::Journal(why) => {
            format!("stopped because the journal cannot be written: {}", Printable::cut(why, 200))
        }
        Stop::Silence => "stopped because no request has succeeded for five minutes".into(),
        Stop::LongPause(failure) => {
            format!(
                "stopped because Pylon's rate limit would delay the run by more than five minutes: {}",
                failure.message()
            )
        }
    }
}

/// Returns what to do about changes that weren't applied, with each remedy only once. Never suggests `rolecall apply` after a
/// rollback, because it would undo the rollback.
pub fn next_step(
    outcomes: &[Outcome],
    stopped: Option<&Stop>,
    is_rollback: bool,
    invocation: &Invocation,
) -> Option<String> {
    let troubled: Vec<&Outcome> = outcomes.iter().filter(|outcome| !outcome.is_in_sync()).collect();
    if troubled.is_empty() {
        return None;
    }
    let mut remedies: Vec<String> = Vec::new();
    let mut add = |remedy: String| {
        if !remedies.contains(&remedy) {
            remedies.push(remedy);
        }
    };
    if let Some(Stop::Journal(_)) = stopped {
        add("Free some disk space, or pass --journal FILE with a path in another folder.".into());
    }
    let stop = stopped.and_then(Stop::failure);
    for failure in stop.into_iter().chain(troubled.iter().filter_map(|outcome| outcome.failure())) {
        if matches!(failure.class(), Class::Forbidden | Class::Fatal) {
            add(capitalized(&failure.advice()));
        }
    }
    troubled.iter().filter_map(|outcome| remedy(outcome, invocation)).for_each(&mut add);
    if troubled.iter().any(|outcome| outcome.kind().may_succeed_if_sent_again()) {
        let (plan, again) = (invocation.command(&["plan"]), invocation.again());
        add(if is_rollback {
            format!("Run `{again}` again with the same journal to send only the changes not yet applied.")
        } else {
            format!(
                "Run `{plan}` to see the current state. Run `{again}` to send only the changes not yet applied."
            )
        });
    }
    Some(remedies.join(" "))
}

/// Returns the remedy for an outcome that can't be fixed by sending the change again.
fn remedy(outcome: &Outcome, invocation: &Invocation) -> Option<String> {
    match outcome {
        Outcome::NotEffective => Some(
            "If a change was not effective, something else sets the value. Change it there (for example, in the SCIM group), or \
             declare the value that Pylon has. If the person's only role comes from SCIM, remove the person from the files."
                .into(),
        ),
        Outcome::StillGranted => Some(
            "If a SCIM group still grants the old role, take the role away in your identity provider. The new role is already assigned in Pylon."
                .into(),
        ),
        Outcome::Reverted => Some(format!(
            "If a value was reverted, find out who changed it before you try again: run `{}`.",
            invocation.command(&["plan", "--blame"])
        )),
        Outcome::Conflict => Some(format!(
            "If someone else changed a value since the plan, find out who and review the difference: run `{}`.",
            invocation.command(&["plan", "--blame"])
        )),
        Outcome::Applied
        | Outcome::AlreadyInSync
        | Outcome::Rejected(_)
        | Outcome::Unknown(..)
        | Outcome::NotAttempted(_) => None,
    }
}

/// Turns a remedy into a sentence.
fn capitalized(remedy: &str) -> String {
    let mut chars = remedy.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

/// Explains why a value is not rolled back. `label` returns the name of a role, which might not be printable.
pub fn not_rolled_back(why: &NotRolledBackReason, label: &dyn Fn(&RoleId) -> String) -> String {
    let label = |role: &RoleId| Printable::cut(&label(role), LONGEST_NAME).to_string();
    match why {
        NotRolledBackReason::ChangedSince { field } => {
            format!("{field}: someone else has since set a different value; left alone")
        }
        NotRolledBackReason::Lost(Lost { field, from }) if field.facts().names_role && from.is_empty() => {
            format!("{field}: none was assigned before, and a PATCH cannot remove the last one")
        }
        NotRolledBackReason::Lost(Lost { field, from }) if field.facts().names_role => {
            let roles: Vec<String> = from.iter().map(|role| label(&RoleId(role.clone()))).collect();
            format!(
                "{field}: several were assigned before ({}), and a PATCH assigns exactly one",
                roles.join(", ")
            )
        }
        NotRolledBackReason::Lost(Lost { field, from }) => match from.first() {
            None => format!("{field}: none was set before, and a PATCH cannot remove it"),
            Some(value) => {
                format!("{field}: it was {} before, which Pylon does not accept", Printable::cut(value, 60))
            }
        },
        NotRolledBackReason::RoleRemoved(role) => {
            format!("role: the organization no longer has {}", label(role))
        }
        NotRolledBackReason::NotInPylon => "no longer in Pylon, or deactivated there".into(),
    }
}
