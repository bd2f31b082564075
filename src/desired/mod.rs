//! Who should be what at one instant.
//!
//! The border between declared and resolved: a [`Roster`] may say a thing in three places (a window, the person, the
//! file's defaults); a [`DesiredState`] says it once, with where it came from. Pure: the instant is an argument.

pub mod agenda;

use jiff::{SignedDuration, Timestamp};

use crate::problem::Problem;
use crate::roster::{Acknowledgement, Code, DeclaredPerson, Email, Moment, RoleName, Roster, Status, Window};
use crate::source::Sourced;

/// How long after a window whoever still shows its status is given the status of `then`.
pub const THEN_HOLDS: SignedDuration = SignedDuration::from_hours(48);

/// An acknowledgement may hold for at most so long from now, so that none is forgotten.
pub const LONGEST_ACKNOWLEDGEMENT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What should hold at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredState {
    /// The declared people, sorted by address.
    pub people: Vec<DesiredPerson>,
    /// Acknowledgements that hold at the instant.
    pub acknowledgements: Vec<Acknowledgement>,
    /// Acknowledgements that have expired: named, never obeyed.
    pub expired: Vec<Acknowledgement>,
}

/// What one person should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredPerson {
    /// The address by which the person is declared.
    pub email: Sourced<Email>,
    /// The role, if any is declared.
    pub role: Option<Desired<RoleName>>,
    /// The status, if any is declared at this instant.
    pub status: Option<Desired<Status>>,
}

/// A value that should hold, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired<T> {
    /// The value, and where it stands in the files.
    pub value: Sourced<T>,
    /// Which of the three places it came from.
    pub origin: Origin,
}

/// Where a desired value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The person's own declaration.
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
    /// The `then` of a window that has ended. It is wanted only of people who still show the window's status.
    After {
        /// The status that the window had set.
        window: Status,
    },
}

impl Roster {
    /// Acknowledgements that would hold for longer from `now` than [`LONGEST_ACKNOWLEDGEMENT`]: each is a mistake.
    pub fn overlong_acknowledgements(&self, now: Timestamp) -> Vec<Problem> {
        let latest = now.saturating_add(LONGEST_ACKNOWLEDGEMENT).unwrap_or(Timestamp::MAX);
        let too_late = self.acknowledgements.iter().filter(|known| known.expires.value.at > latest);
        too_late.map(expires_too_late).collect()
    }

    /// Settles defaults, windows and expiries at `now`.
    pub fn resolve_at(&self, now: Timestamp) -> DesiredState {
        self.resolve_some_at(now, |_| true)
    }

    /// The same of those people alone who are `wanted`.
    pub fn resolve_some_at(&self, now: Timestamp, wanted: impl Fn(&DeclaredPerson) -> bool) -> DesiredState {
        let (acknowledgements, expired) =
            self.acknowledgements.iter().cloned().partition(|known| now < known.expires.value.at);
        let wanted = self.people.iter().filter(|person| wanted(person));
        let people = wanted.map(|person| resolve_person(person, now)).collect();
        DesiredState { people, acknowledgements, expired }
    }
}

fn expires_too_late(acknowledgement: &Acknowledgement) -> Problem {
    let expires = &acknowledgement.expires;
    Problem::new(Code::ExpiresTooLate, format!("`expires` is more than 30 days ahead: {}", expires.value.written))
        .at(expires.place, "too late")
        .help("an acknowledgement is for one apply or one reorganisation; choose an earlier day, and renew it if need be")
}

/// What one person should be at `now`.
pub fn resolve_person(person: &DeclaredPerson, now: Timestamp) -> DesiredPerson {
    let DeclaredPerson { email, role, status, windows } = person;
    let declared_role = role.as_ref().map(|role| Desired {
        value: role.role.clone(),
        origin: if role.from_defaults { Origin::Defaults } else { Origin::Person },
    });
    let declared_status = status.as_ref().map(|status| Desired { value: *status, origin: Origin::Person });
    DesiredPerson {
        email: email.clone(),
        role: in_window(windows, now, |window| window.role.clone()).or(declared_role),
        status: in_window(windows, now, |window| window.status)
            .or_else(|| after_window(windows, now))
            .or(declared_status),
    }
}

/// What the window that holds at `now` sets. No two set the same field at once: the roster is checked for that.
fn in_window<T>(
    windows: &[Window],
    now: Timestamp,
    set: impl Fn(&Window) -> Option<Sourced<T>>,
) -> Option<Desired<T>> {
    windows.iter().filter(|window| holds(window, now)).find_map(|window| {
        let value = set(window)?;
        let until = window.until.as_ref().map(|until| until.value.clone());
        Some(Desired { value, origin: Origin::Window { until, reason: window.reason.clone() } })
    })
}

/// Whether `now` lies in the window: `from` belongs to it, `until` does not.
pub fn holds(window: &Window, now: Timestamp) -> bool {
    window.from.as_ref().is_none_or(|from| from.value.at <= now)
        && window.until.as_ref().is_none_or(|until| now < until.value.at)
}

/// The `then` of the window that ended last, for [`THEN_HOLDS`] after its end.
fn after_window(windows: &[Window], now: Timestamp) -> Option<Desired<Status>> {
    let ended = windows.iter().filter_map(|window| {
        let (until, status, then) =
            (window.until.as_ref()?.value.at, window.status.as_ref()?.value, window.then.as_ref()?);
        (until <= now && now.duration_since(until) < THEN_HOLDS).then_some((until, status, then))
    });
    let (_, window, then) = ended.max_by_key(|(until, ..)| *until)?;
    Some(Desired { value: *then, origin: Origin::After { window } })
}
