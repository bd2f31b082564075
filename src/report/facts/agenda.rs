//! Scheduled changes, and the guardrails that would block them. The changes depend only on the files. The guardrails also
//! depend on Pylon.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::desired::agenda::Transition;
use crate::printable::Printable;
use crate::report::words;
use crate::roster::{Email, Field, Moment, PerField, Roster, Window};
use crate::source::{Location, Sourced, Sources};

/// `agenda`: the scheduled changes.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AgendaReport {
    /// The root file, as named by the user.
    pub file: Printable,
    /// The time zone of local dates and times.
    pub timezone: Printable,
    /// The current time, which the timeline marks as now.
    #[serde(skip)]
    pub now: Timestamp,
    /// The value of `--until`, if given.
    pub until: Option<Printable>,
    /// Sorted by time, then by address.
    pub scheduled: Vec<ScheduledChange>,
    /// The windows that cause the scheduled changes, and all windows that are currently open.
    pub windows: Vec<WindowLine>,
}

/// A scheduled change, caused by the start or end of a window.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ScheduledChange {
    /// The time as written in the file.
    pub when: Printable,
    /// The person's declared address.
    pub email: Printable,
    pub field: Field,
    /// The value that the files set until the change. `null` if they leave the field alone.
    pub from: Option<Printable>,
    /// The value that the files set from the change on. `null` if they leave the field alone.
    pub to: Option<Printable>,
    /// The guarded role that the person gains. `null` if there is none or if Pylon was not read.
    pub gains: Option<Printable>,
    /// The guarded role that the person loses. `null` if there is none or if Pylon was not read.
    pub loses: Option<Printable>,
    pub location: Location,
    /// The name and figure of each guardrail that would block an apply at the time of the change. Empty if guardrails were
    /// not checked.
    pub blocked_by: Vec<Printable>,
}

/// A window that has not ended yet.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct WindowLine {
    /// The person's declared address.
    pub email: Printable,
    /// The first instant of the window. `null` if it has no start.
    pub from: Option<Edge>,
    /// The first instant after the window. `null` if it has no end.
    pub until: Option<Edge>,
    /// The values that apply while the window is open.
    #[serde(flatten)]
    pub sets: PerField<Option<Printable>>,
    /// The status to set after the window if the person still has the status from the window.
    pub then: Option<Printable>,
    pub reason: Option<Printable>,
    pub location: Location,
}

/// The start or end of a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Edge {
    /// The instant as an RFC 3339 timestamp in UTC.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// The time as written in the file.
    pub written: Printable,
}

impl AgendaReport {
    /// Collects the changes scheduled in `roster` after `now` and before `until`.
    pub fn new(roster: &Roster, file: Printable, now: Timestamp, until: Option<&Moment>) -> Self {
        let is_asked = |at: Timestamp| until.is_none_or(|until| at < until.at);
        let mut transitions = roster.agenda(now);
        transitions.retain(|transition| is_asked(transition.moment.at));
        let mut windows = roster.current_and_coming_windows(now);
        windows.retain(|(_, window)| window.from.as_ref().is_none_or(|from| is_asked(from.value.at)));
        Self {
            file,
            timezone: Printable::new(roster.timezone.iana_name().unwrap_or("UTC")),
            now,
            until: until.map(|until| Printable::new(&until.written)),
            scheduled: transitions
                .iter()
                .map(|transition| ScheduledChange::new(transition, &roster.sources))
                .collect(),
            windows: windows.into_iter().map(|window| WindowLine::new(window, &roster.sources)).collect(),
        }
    }
}

impl ScheduledChange {
    /// Returns `from` and `to` truncated for display, using [`Printable::cut_change`].
    pub fn short_values(&self, limit: usize) -> [Option<Printable>; 2] {
        match (&self.from, &self.to) {
            (Some(from), Some(to)) => Printable::cut_change(from.raw(), to.raw(), limit).map(Some),
            (from, to) => [from, to].map(|value| value.as_ref().map(|value| value.short(limit))),
        }
    }

    /// Returns each guarded role that the person gains or loses, along with the word `gains` or `loses`.
    pub fn guarded_roles(&self) -> impl Iterator<Item = (&'static str, &Printable)> {
        let gained = self.gains.iter().map(|role| ("gains", role));
        gained.chain(self.loses.iter().map(|role| ("loses", role)))
    }

    /// Formats the values before and after, truncated to `limit` characters each.
    pub fn change(&self, limit: usize) -> String {
        let values = self.short_values(limit);
        let [from, to] =
            values.each_ref().map(|value| value.as_ref().map_or("(left alone)", Printable::as_str));
        words::change(from, to)
    }

    /// Creates a scheduled change without checking whether it affects guarded roles or whether a guardrail would block it.
    pub(super) fn new(transition: &Transition, sources: &Sources) -> Self {
        let Transition { moment, email, field, from, to, place } = transition;
        Self {
            when: Printable::new(&moment.written),
            email: Printable::new(email.as_str()),
            field: *field,
            from: from.as_deref().map(Printable::new),
            to: to.as_deref().map(Printable::new),
            gains: None,
            loses: None,
            location: sources.locate(*place),
            blocked_by: Vec::new(),
        }
    }
}

impl WindowLine {
    pub(super) fn new((email, window): (&Email, &Window), sources: &Sources) -> Self {
        let Window { place, from, until, sets, then, reason } = window;
        let edge = |moment: &Sourced<Moment>| Edge {
            at: moment.value.at,
            written: Printable::new(&moment.value.written),
        };
        Self {
            email: Printable::new(email.as_str()),
            from: from.as_ref().map(edge),
            until: until.as_ref().map(edge),
            sets: PerField::from_fn(|field| sets[field].as_ref().map(|value| Printable::new(&value.value))),
            then: then.as_ref().map(|then| Printable::new(&then.value)),
            reason: reason.as_deref().map(Printable::new),
            location: sources.locate(*place),
        }
    }
}
