//! Resolves declarations into each person's desired values at a given instant.
//!
//! A [`Roster`] can declare a value in a window, in a person's entry, or in the defaults of a file. A [`DesiredState`] has at
//! most one value per field, along with its origin. This module is pure: the current time is passed in as an argument.

pub mod agenda;
pub mod lint;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::problem::Problem;
use crate::roster::{
    Acknowledgment, DeclaredPerson, Email, Field, FieldValue, Moment, PerField, Roster, RosterCode, Window,
};
use crate::source::Sourced;

/// How long a window's `then` applies after the window ends, for people who still have the window's status.
pub const THEN_DURATION: SignedDuration = SignedDuration::from_hours(48);

/// The maximum time from now until an acknowledgment expires. The limit ensures that accepted risks are reviewed regularly.
pub const LONGEST_ACKNOWLEDGMENT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The desired values of all declared people at a given instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredState {
    /// All declared people, sorted by address.
    pub people: Vec<DesiredPerson>,
}

/// A declared person and the values they should have at the given time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredPerson {
    /// The address in the files, which can be one of the person's secondary addresses in Pylon.
    pub email: Sourced<Email>,
    /// The desired values. A field with `None` is left alone unless one of `after_windows` applies to it.
    pub values: PerField<Option<Desired>>,
    /// The statuses to set after windows have ended, at most one for each status that a window has set. The most recently ended
    /// window comes first. Empty if `values` has a status.
    after_windows: Vec<Desired>,
}

impl DesiredPerson {
    /// Returns the desired value of `field`, given the person's `current` status in Pylon.
    pub fn value_for(&self, field: Field, current: &str) -> Option<&Desired> {
        self.values[field].as_ref().or_else(|| self.after_windows(field).find(|way| way.undoes(current)))
    }

    /// Returns the overdue value of `field`: it should have been set after a window ended, but wasn't. `current` is the
    /// person's current status in Pylon. It's too late for rolecall to set the value, since the person might have chosen the
    /// same status again.
    pub fn overdue_value(&self, field: Field, current: &str) -> Option<&Desired> {
        let ways = if field == Field::OF_THEN { &*self.after_windows } else { &[] };
        ways.iter().find(|way| way.undoes(current)).filter(|way| way.origin.is_overdue())
    }

    /// Returns the most likely desired value of `field`, without consulting Pylon. If only windows that have ended apply, this
    /// is the value to set after the most recent one.
    pub fn likely_value(&self, field: Field) -> Option<&Desired> {
        self.values[field].as_ref().or_else(|| self.after_windows(field).next())
    }

    /// Returns the values to set after windows that ended less than [`THEN_DURATION`] ago. Empty for any field that `then` can't
    /// set.
    pub fn after_windows(&self, field: Field) -> impl Iterator<Item = &Desired> {
        self.after_windows.iter().filter(move |way| field == Field::OF_THEN && !way.origin.is_overdue())
    }
}

/// A desired value and its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    /// The value as written in the files.
    pub value: Sourced<FieldValue>,
    pub origin: Origin,
}

impl Desired {
    /// Returns `true` if this is the value to set after a window with the status `current`.
    fn undoes(&self, current: &str) -> bool {
        matches!(&self.origin, Origin::After { window, .. } if **window == *current)
    }
}

/// The declaration behind a desired value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Origin {
    Person,
    /// The `[defaults]` of the person's file.
    Defaults,
    /// A window active at the given instant.
    Window {
        /// The first instant after the window, if it ends.
        until: Option<Moment>,
        /// The reason given in the window.
        reason: Option<String>,
    },
    /// Pylon's value from before the apply being rolled back. It is not declared in any file.
    Rollback,
    /// The `then` of a window that has ended, which applies only if the person still has the status from the window.
    #[serde(rename = "after_window")]
    After {
        /// The status set by the window.
        #[serde(rename = "window_status")]
        window: FieldValue,
        /// Whether the window ended so long ago that rolecall leaves the status alone. Otherwise, the key is absent.
        #[serde(rename = "overdue", default, skip_serializing_if = "std::ops::Not::not")]
        is_overdue: bool,
    },
}

impl Origin {
    /// Returns `true` if the value is the `then` of a window that ended too long ago for rolecall to set it.
    pub const fn is_overdue(&self) -> bool {
        matches!(self, Self::After { is_overdue: true, .. })
    }
}

impl Roster {
    /// Returns a problem for each acknowledgment that expires more than [`LONGEST_ACKNOWLEDGMENT`] after `now`.
    pub fn overlong_acknowledgments(&self, now: Timestamp) -> Vec<Problem> {
        let latest = now.saturating_add(LONGEST_ACKNOWLEDGMENT).unwrap_or(Timestamp::MAX);
        let too_late = self.acknowledgments.iter().filter(|known| known.expires.value.at > latest);
        too_late.map(|known| expires_too_late(known, latest, &self.timezone)).collect()
    }

    /// Resolves the desired values of all declared people as of `now`.
    pub fn resolve_at(&self, now: Timestamp) -> DesiredState {
        let resolved = self.people.iter().map(|person| resolve(person, now, SignedDuration::MAX));
        DesiredState { people: resolved.collect() }
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
        "use {day} or an earlier day, and renew the acknowledgment then if the risk is still accepted"
    ))
}

/// Resolves a person's desired values at `now`, without the overdue values that only a plan lists.
pub fn resolve_person(person: &DeclaredPerson, now: Timestamp) -> DesiredPerson {
    resolve(person, now, THEN_DURATION)
}

/// Resolves a person's desired values at `now`. Windows that ended at least `within` ago are ignored.
fn resolve(person: &DeclaredPerson, now: Timestamp, within: SignedDuration) -> DesiredPerson {
    let DeclaredPerson { email, values, windows } = person;
    let values = PerField::from_fn(|field| {
        let declared = values[field].as_ref().map(|declared| Desired {
            value: declared.value.clone(),
            origin: if declared.from_defaults { Origin::Defaults } else { Origin::Person },
        });
        in_window(windows, now, field).or(declared)
    });
    let after_windows =
        if values[Field::OF_THEN].is_none() { after_windows(windows, now, within) } else { Vec::new() };
    DesiredPerson { email: email.clone(), values, after_windows }
}

/// Returns the value set by the window active at `now`. A valid roster has at most one active window per field.
fn in_window(windows: &[Window], now: Timestamp, field: Field) -> Option<Desired> {
    windows.iter().filter(|window| is_active(window, now)).find_map(|window| {
        let value = window.sets[field].clone()?;
        let until = window.until.as_ref().map(|until| until.value.clone());
        Some(Desired { value, origin: Origin::Window { until, reason: window.reason.clone() } })
    })
}

/// Returns `true` if the window is active at `now`. The range includes `from` but excludes `until`.
pub fn is_active(window: &Window, now: Timestamp) -> bool {
    window.from.as_ref().is_none_or(|from| from.value.at <= now)
        && window.until.as_ref().is_none_or(|until| now < until.value.at)
}

/// A window with a `then` that has ended.
struct Ended {
    until: Timestamp,
    status: FieldValue,
    then: Sourced<FieldValue>,
}

/// Returns the statuses to set after windows have ended. A window counts even if another window has ended since. If rolecall
/// wasn't run in between, the person still has the status of the earlier window.
fn after_windows(windows: &[Window], now: Timestamp, within: SignedDuration) -> Vec<Desired> {
    let mut ended: Vec<Ended> = windows.iter().filter_map(|window| ended(window, now, within)).collect();
    ended.sort_by_key(|window| window.until);
    let mut ways = Vec::new();
    // The statuses and `then` values of the windows that ended later. A list of distinct statuses stays short even if a person
    // has hundreds of windows.
    let mut set_or_undone_later: Vec<&FieldValue> = Vec::new();
    for (number, Ended { until, status, then }) in ended.iter().enumerate().rev() {
        if !set_or_undone_later.contains(&status) {
            let later = &ended[number + 1..];
            // A later window might in turn replace this value. In that case, a single apply makes both changes.
            let mut value = then;
            for step in later {
                if value.value == step.status {
                    value = &step.then;
                }
            }
            let is_overdue = now.duration_since(*until) >= THEN_DURATION;
            let origin = Origin::After { window: status.clone(), is_overdue };
            ways.push(Desired { value: value.clone(), origin });
        }
        for value in [status, &then.value] {
            if !set_or_undone_later.contains(&value) {
                set_or_undone_later.push(value);
            }
        }
    }
    ways
}

fn ended(window: &Window, now: Timestamp, within: SignedDuration) -> Option<Ended> {
    let until = window.until.as_ref()?.value.at;
    let (status, then) = (window.sets[Field::OF_THEN].as_ref()?.value.clone(), window.then.clone()?);
    (until <= now && now.duration_since(until) < within).then_some(Ended { until, status, then })
}
