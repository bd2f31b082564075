//! Resolves what the files declare into the values that each person should have at one instant.
//!
//! A [`Roster`] may declare a value in three places: a window, the person's entry, and the defaults of the file. A
//! [`DesiredState`] has one value per field, with its origin. The code is pure: the instant is an argument.

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

/// For this long after a window, people who still have the status of the window get the status of `then`.
pub const THEN_DURATION: SignedDuration = SignedDuration::from_hours(48);

/// An acknowledgment expires at most this long from now, so that no accepted risk is forgotten.
pub const LONGEST_ACKNOWLEDGMENT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The values that people should have at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredState {
    /// The declared people, sorted by address.
    pub people: Vec<DesiredPerson>,
}

/// The values that one person should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredPerson {
    /// The address by which the person is declared.
    pub email: Sourced<Email>,
    /// `None` leaves the field alone.
    pub values: PerField<Option<Desired>>,
    /// The values that undo windows that have ended, at most one for each status that the person may still have. That of the window
    /// that ended last comes first. The list is empty if a status is declared.
    pub after_windows: Vec<Desired>,
}

impl DesiredPerson {
    /// Returns the value that `field` should have if the person's status in Pylon is `current`.
    pub fn value_for(&self, field: Field, current: &str) -> Option<&Desired> {
        let undoes = |way: &&Desired| matches!(&way.origin, Origin::After { window } if **window == *current);
        self.values[field].as_ref().or_else(|| self.after_windows(field).iter().find(undoes))
    }

    /// Returns the value that `field` should have, without regard to Pylon. If only ended windows decide it, this is the value that
    /// undoes the last of them, because that one applies to most people.
    pub fn likely_value(&self, field: Field) -> Option<&Desired> {
        self.values[field].as_ref().or_else(|| self.after_windows(field).first())
    }

    /// Returns what undoes the windows of this field that have ended.
    pub fn after_windows(&self, field: Field) -> &[Desired] {
        if field == Field::OF_THEN { &self.after_windows } else { &[] }
    }
}

/// A value that a field should have, and its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    /// The value as it is written in the files.
    pub value: Sourced<FieldValue>,
    pub origin: Origin,
}

/// Where a desired value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Origin {
    Person,
    /// The `[defaults]` of the file declare the value.
    Defaults,
    /// The value comes from a window that is active at the instant.
    Window {
        /// The first instant after the window, if it ends.
        until: Option<Moment>,
        /// The reason that the window gives.
        reason: Option<String>,
    },
    /// The value was in Pylon before the apply that a rollback undoes. No file declares it.
    Rollback,
    /// The `then` of a window that has ended. It applies only if the person still has the status of the window.
    #[serde(rename = "after_window")]
    After {
        /// The status that the window had set.
        #[serde(rename = "window_status")]
        window: FieldValue,
    },
}

impl Roster {
    /// Returns a problem for each acknowledgment that expires more than [`LONGEST_ACKNOWLEDGMENT`] after `now`.
    pub fn overlong_acknowledgments(&self, now: Timestamp) -> Vec<Problem> {
        let latest = now.saturating_add(LONGEST_ACKNOWLEDGMENT).unwrap_or(Timestamp::MAX);
        let too_late = self.acknowledgments.iter().filter(|known| known.expires.value.at > latest);
        too_late.map(|known| expires_too_late(known, latest, &self.timezone)).collect()
    }

    /// Resolves defaults and windows at `now`.
    pub fn resolve_at(&self, now: Timestamp) -> DesiredState {
        self.resolve_some_at(now, |_| true)
    }

    /// Does the same as [`Self::resolve_at`], but only for the people who are `wanted`.
    pub fn resolve_some_at(&self, now: Timestamp, wanted: impl Fn(&DeclaredPerson) -> bool) -> DesiredState {
        let wanted = self.people.iter().filter(|person| wanted(person));
        let people = wanted.map(|person| resolve_person(person, now)).collect();
        DesiredState { people }
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

/// Returns the values that one person should have at `now`.
pub fn resolve_person(person: &DeclaredPerson, now: Timestamp) -> DesiredPerson {
    let DeclaredPerson { email, values, windows } = person;
    let values = PerField::from_fn(|field| {
        let declared = values[field].as_ref().map(|declared| Desired {
            value: declared.value.clone(),
            origin: if declared.from_defaults { Origin::Defaults } else { Origin::Person },
        });
        in_window(windows, now, field).or(declared)
    });
    let after_windows =
        if values[Field::OF_THEN].is_none() { after_windows(windows, now) } else { Vec::new() };
    DesiredPerson { email: email.clone(), values, after_windows }
}

/// Returns the value of the window that is active at `now`. A valid roster has at most one such window per field.
fn in_window(windows: &[Window], now: Timestamp, field: Field) -> Option<Desired> {
    windows.iter().filter(|window| is_active(window, now)).find_map(|window| {
        let value = window.sets[field].clone()?;
        let until = window.until.as_ref().map(|until| until.value.clone());
        Some(Desired { value, origin: Origin::Window { until, reason: window.reason.clone() } })
    })
}

/// Returns whether the window is active at `now`. It includes `from` and excludes `until`.
pub fn is_active(window: &Window, now: Timestamp) -> bool {
    window.from.as_ref().is_none_or(|from| from.value.at <= now)
        && window.until.as_ref().is_none_or(|until| now < until.value.at)
}

/// A window that ended less than [`THEN_DURATION`] ago and has a `then`.
struct Ended {
    until: Timestamp,
    status: FieldValue,
    then: Sourced<FieldValue>,
}

/// Returns the values that undo the statuses of ended windows. A window counts even if a later one has ended too, because people
/// still have its status if no apply ran in between.
fn after_windows(windows: &[Window], now: Timestamp) -> Vec<Desired> {
    let mut ended: Vec<Ended> = windows.iter().filter_map(|window| ended(window, now)).collect();
    ended.sort_by_key(|window| window.until);
    let mut ways = Vec::new();
    for (number, Ended { until: _, status, then }) in ended.iter().enumerate().rev() {
        let later = &ended[number + 1..];
        let is_set_or_undone_later =
            later.iter().any(|later| later.then.value == *status || later.status == *status);
        if !is_set_or_undone_later {
            // A later window may replace the result in turn. Then one apply makes both steps.
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
    let (status, then) = (window.sets[Field::OF_THEN].as_ref()?.value.clone(), window.then.clone()?);
    (until <= now && now.duration_since(until) < THEN_DURATION).then_some(Ended { until, status, then })
}
