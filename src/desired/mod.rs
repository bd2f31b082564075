//! Who should be what at one instant.
//!
//! The border between declared and resolved: a [`Roster`] may say a thing in three places (a window, the person, the
//! file's defaults); a [`DesiredState`] says it once, with where it came from. Pure: the instant is an argument.

pub mod agenda;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use crate::problem::Problem;
use crate::roster::{
    Acknowledgment, DeclaredPerson, Email, Field, FieldValue, Moment, PerField, Roster, RosterCode, Window,
};
use crate::source::Sourced;

/// How long after a window whoever still shows its status is given the status of `then`.
pub const THEN_HOLDS: SignedDuration = SignedDuration::from_hours(48);

/// An acknowledgment may hold for at most so long from now, so that none is forgotten.
pub const LONGEST_ACKNOWLEDGMENT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What should hold at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredState {
    /// The declared people, sorted by address.
    pub people: Vec<DesiredPerson>,
    /// Acknowledgments that hold at the instant.
    pub acknowledgments: Vec<Acknowledgment>,
    /// Acknowledgments that have expired: named, never obeyed.
    pub expired: Vec<Acknowledgment>,
}

/// What one person should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredPerson {
    /// The address by which the person is declared.
    pub email: Sourced<Email>,
    /// The values that are declared at this instant.
    pub values: PerField<Option<Desired>>,
    /// What undoes the windows that have ended: at most one for each status that a person may still show, the window that ended
    /// last first. Empty if a status is declared.
    pub ways_back: Vec<Desired>,
}

impl DesiredPerson {
    /// Returns the value that `field` should have, if Pylon has the status `current`.
    pub fn value_for(&self, field: Field, current: &str) -> Option<&Desired> {
        let undoes = |way: &&Desired| matches!(&way.origin, Origin::After { window } if **window == *current);
        let way_back = || match field {
            Field::Status => self.ways_back.iter().find(undoes),
            Field::Role => None,
        };
        self.values[field].as_ref().or_else(way_back)
    }

    /// Returns the value that `field` should have, whatever Pylon has. If windows only have to be undone, this is the way back
    /// of the one that ended last, which most people will see.
    pub fn likely_value(&self, field: Field) -> Option<&Desired> {
        let way_back = || match field {
            Field::Status => self.ways_back.first(),
            Field::Role => None,
        };
        self.values[field].as_ref().or_else(way_back)
    }
}

/// A value that should hold, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    /// The value as the files write it, and where.
    pub value: Sourced<FieldValue>,
    /// Which of the three places it came from.
    pub origin: Origin,
}

/// Where a desired value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Origin {
    Person,
    /// The `[defaults]` of the file.
    Defaults,
    /// A window that holds at the instant, until its end if it has one.
    Window {
        /// The first instant after it.
        until: Option<Moment>,
        /// Why there is a window.
        reason: Option<String>,
    },
    /// What was before an apply that is taken back; no file declares it.
    Rollback,
    /// The `then` of a window that has ended. It is desired only if the person still shows the window's status.
    #[serde(rename = "after_window")]
    After {
        /// The status that the window had set.
        #[serde(rename = "window_status")]
        window: FieldValue,
    },
}

impl Roster {
    /// Acknowledgments that would hold for longer from `now` than [`LONGEST_ACKNOWLEDGMENT`]: each is a mistake.
    pub fn overlong_acknowledgments(&self, now: Timestamp) -> Vec<Problem> {
        let latest = now.saturating_add(LONGEST_ACKNOWLEDGMENT).unwrap_or(Timestamp::MAX);
        let too_late = self.acknowledgments.iter().filter(|known| known.expires.value.at > latest);
        too_late.map(|known| expires_too_late(known, latest, &self.timezone)).collect()
    }

    /// Settles defaults, windows and expiries at `now`.
    pub fn resolve_at(&self, now: Timestamp) -> DesiredState {
        self.resolve_some_at(now, |_| true)
    }

    /// The same of those people alone who are `wanted`.
    pub fn resolve_some_at(&self, now: Timestamp, wanted: impl Fn(&DeclaredPerson) -> bool) -> DesiredState {
        let (acknowledgments, expired) =
            self.acknowledgments.iter().cloned().partition(|known| now < known.expires.value.at);
        let wanted = self.people.iter().filter(|person| wanted(person));
        let people = wanted.map(|person| resolve_person(person, now)).collect();
        DesiredState { people, acknowledgments, expired }
    }
}

fn expires_too_late(acknowledgment: &Acknowledgment, latest: Timestamp, zone: &TimeZone) -> Problem {
    let expires = &acknowledgment.expires;
    let name = zone.iana_name().unwrap_or("UTC");
    let end = zone.to_datetime(expires.value.at).strftime("%Y-%m-%d %H:%M").to_string();
    let day = zone.to_datetime(latest).date();
    Problem::new(
        RosterCode::ExpiresTooLate,
        format!("`expires` is more than 30 days ahead: {}", expires.value.written),
    )
    .at(expires.place, format!("would end on {end} ({name})"))
    .help(format!(
        "the latest day that is allowed now is {day}; if the risk is accepted for longer, renew it then"
    ))
}

/// What one person should be at `now`.
pub fn resolve_person(person: &DeclaredPerson, now: Timestamp) -> DesiredPerson {
    let DeclaredPerson { email, values, windows } = person;
    let values = PerField::from_fn(|field| {
        let declared = values[field].as_ref().map(|declared| Desired {
            value: declared.value.clone(),
            origin: if declared.from_defaults { Origin::Defaults } else { Origin::Person },
        });
        in_window(windows, now, field).or(declared)
    });
    let ways_back = if values.status.is_none() { ways_back(windows, now) } else { Vec::new() };
    DesiredPerson { email: email.clone(), values, ways_back }
}

/// What the window that holds at `now` sets. No two set the same field at once: the roster is checked for that.
fn in_window(windows: &[Window], now: Timestamp, field: Field) -> Option<Desired> {
    windows.iter().filter(|window| holds(window, now)).find_map(|window| {
        let value = window.sets[field].clone()?;
        let until = window.until.as_ref().map(|until| until.value.clone());
        Some(Desired { value, origin: Origin::Window { until, reason: window.reason.clone() } })
    })
}

/// Whether `now` lies in the window: `from` belongs to it, `until` does not.
pub fn holds(window: &Window, now: Timestamp) -> bool {
    window.from.as_ref().is_none_or(|from| from.value.at <= now)
        && window.until.as_ref().is_none_or(|until| now < until.value.at)
}

/// A window that has ended less than [`THEN_HOLDS`] ago, and that said what to do then.
struct Ended {
    until: Timestamp,
    status: FieldValue,
    then: Sourced<FieldValue>,
}

/// What undoes each status that one of the ended windows has set. A window stays in the list if a later one has ended too: if no
/// apply ran in between, people still show its status.
fn ways_back(windows: &[Window], now: Timestamp) -> Vec<Desired> {
    let mut ended: Vec<Ended> = windows.iter().filter_map(|window| ended(window, now)).collect();
    ended.sort_by_key(|window| window.until);
    let mut ways = Vec::new();
    for (number, Ended { until: _, status, then }) in ended.iter().enumerate().rev() {
        let later = &ended[number + 1..];
        let is_set_or_undone_later =
            later.iter().any(|later| later.then.value == *status || later.status == *status);
        if !is_set_or_undone_later {
            // A later window may undo the result, too. Then one apply takes both steps.
            let mut value = then;
            for step in later {
                if value.value == step.status {
                    value = &step.then;
                }
            }
            ways.push(Desired { value: value.clone(), origin: Origin::After { window: status.clone() } });
        }
    }
    ways
}

fn ended(window: &Window, now: Timestamp) -> Option<Ended> {
    let until = window.until.as_ref()?.value.at;
    let (status, then) = (window.sets.status.as_ref()?.value.clone(), window.then.clone()?);
    (until <= now && now.duration_since(until) < THEN_HOLDS).then_some(Ended { until, status, then })
}
