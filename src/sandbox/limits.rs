//! How many requests each endpoint accepts per window: the rate limits as people write them, `patch=20,kind=fixed-window`.
//!
//! Pure values. The counting is in `limiter`; which request belongs to which endpoint is in `endpoint`.

use std::{fmt, str::FromStr, time::Duration};

use super::{spelling, state::Api};
use crate::every::every;

/// An endpoint, as a rate limit counts it: each has a limit of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// `GET /me`.
    Me,
    /// `GET /user-roles`.
    Roles,
    /// `GET /users`.
    Users,
    /// `GET /users/{id}`.
    User,
    /// `POST /users/search`.
    Search,
    /// `PATCH /users/{id}`.
    Patch,
    /// `POST /audit-logs/search`.
    Audit,
}

impl Class {
    /// All of them, in the order they are written.
    pub const ALL: [Self; 7] = every!(Class: Me, Roles, Users, User, Search, Patch, Audit);
    /// The endpoints that `get` means.
    pub const GETS: [Self; 4] = [Self::Me, Self::Roles, Self::Users, Self::User];

    /// The word for it in `--limits` and `on=`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Me => "me",
            Self::Roles => "roles",
            Self::Users => "users",
            Self::User => "user",
            Self::Search => "search",
            Self::Patch => "patch",
            Self::Audit => "audit",
        }
    }

    /// The endpoints that a word means: the name of one, or `get` for every GET.
    pub(super) fn named(word: &str) -> Option<Vec<Self>> {
        if word == "get" {
            return Some(Self::GETS.to_vec());
        }
        Self::ALL.into_iter().find(|class| class.name() == word).map(|class| vec![class])
    }
}

/// How the allowance is counted. Nobody outside knows which of these Pylon uses, so a client should live with all five.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum LimiterKind {
    /// At most N in any window, counted exactly from each accepted arrival.
    #[default]
    SlidingLog,
    /// At most N in each window of a fixed raster that begins at the world's start.
    FixedWindow,
    /// A token bucket as large as the whole allowance, full at first, refilled evenly: admits almost twice N in the first window.
    FullBucket,
    /// The current raster window plus the share of the previous one that still overlaps: an estimate, as CDNs do it.
    SlidingCounter,
    /// A token bucket of a tenth of the allowance: refuses bursts that the allowance seems to permit.
    SmoothBucket,
}

impl LimiterKind {
    /// All of them.
    pub const ALL: [Self; 5] =
        every!(LimiterKind: SlidingLog, FixedWindow, FullBucket, SlidingCounter, SmoothBucket);

    /// The word for it in `kind=`.
    pub fn name(self) -> &'static str {
        match self {
            Self::SlidingLog => "sliding-log",
            Self::FixedWindow => "fixed-window",
            Self::FullBucket => "full-bucket",
            Self::SlidingCounter => "sliding-counter",
            Self::SmoothBucket => "smooth-bucket",
        }
    }
}

/// The rate limits: requests per window and endpoint. `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How requests are counted.
    pub kind: LimiterKind,
    /// The length of the window; one minute as documented.
    pub window: Duration,
    /// `GET /me`.
    pub me: Option<u32>,
    /// `GET /user-roles`.
    pub roles: Option<u32>,
    /// `GET /users`.
    pub users: Option<u32>,
    /// `GET /users/{id}`.
    pub user: Option<u32>,
    /// `POST /users/search`.
    pub search: Option<u32>,
    /// `PATCH /users/{id}`.
    pub patch: Option<u32>,
    /// `POST /audit-logs/search`.
    pub audit: Option<u32>,
}

impl Limits {
    /// The limits that the current reference documents.
    pub fn documented() -> Self {
        Self::documented_in(Api::default())
    }

    /// The limits of this date, per minute. Before October 2026 they were lower.
    pub fn documented_in(api: Api) -> Self {
        let (get, search, patch, audit) = match api {
            Api::April2026 | Api::July2026 => (60, 20, 20, 10),
            Api::October2026 => (300, 120, 120, 30),
        };
        let get = Some(get);
        Self {
            kind: LimiterKind::default(),
            window: Duration::from_mins(1),
            me: get,
            roles: get,
            users: get,
            user: get,
            search: Some(search),
            patch: Some(patch),
            audit: Some(audit),
        }
    }

    /// No limit at all.
    pub fn off() -> Self {
        let mut limits = Self::documented();
        Class::ALL.into_iter().for_each(|class| *limits.slot(class) = None);
        limits
    }

    /// The same with another way of counting.
    #[must_use]
    pub fn counted_by(self, kind: LimiterKind) -> Self {
        Self { kind, ..self }
    }

    /// The limit of one endpoint.
    pub fn of(&self, class: Class) -> Option<u32> {
        match class {
            Class::Me => self.me,
            Class::Roles => self.roles,
            Class::Users => self.users,
            Class::User => self.user,
            Class::Search => self.search,
            Class::Patch => self.patch,
            Class::Audit => self.audit,
        }
    }

    fn slot(&mut self, class: Class) -> &mut Option<u32> {
        match class {
            Class::Me => &mut self.me,
            Class::Roles => &mut self.roles,
            Class::Users => &mut self.users,
            Class::User => &mut self.user,
            Class::Search => &mut self.search,
            Class::Patch => &mut self.patch,
            Class::Audit => &mut self.audit,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::documented()
    }
}

/// Limits as they are written on the command line: what is not named keeps the documented value of the organization's date.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WrittenLimits {
    off: bool,
    kind: Option<LimiterKind>,
    window: Option<Duration>,
    each: Vec<(Class, Option<u32>)>,
}

/// Why a text is not a valid `WrittenLimits`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LimitsError(String);

impl FromStr for WrittenLimits {
    type Err = LimitsError;

    /// `off`, `documented`, or `patch=20,get=300,user=60,window=60,kind=sliding-log`. `get` means every GET endpoint, and a number
    /// may be `off`.
    fn from_str(text: &str) -> Result<Self, LimitsError> {
        match text.trim() {
            "off" => return Ok(Self { off: true, ..Self::default() }),
            "documented" => return Ok(Self::default()),
            _ => {}
        }
        let mut limits = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let Some((key, value)) = part.split_once('=') else {
                return Err(LimitsError(format!(
                    "`{part}` is not a limit: write `off`, or NAME=NUMBER as in `patch=20,search=120`"
                )));
            };
            limits.set(key.trim(), value.trim())?;
        }
        Ok(limits)
    }
}

impl WrittenLimits {
    /// The limits for an organization of this date.
    pub fn in_api(&self, api: Api) -> Limits {
        let Self { off, kind, window, each } = self;
        let mut limits = if *off { Limits::off() } else { Limits::documented_in(api) };
        limits.kind = kind.unwrap_or(limits.kind);
        limits.window = window.unwrap_or(limits.window);
        for (class, limit) in each {
            *limits.slot(*class) = *limit;
        }
        limits
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), LimitsError> {
        if let Some(classes) = Class::named(key) {
            let limit = if value == "off" { None } else { Some(positive(key, value)?) };
            self.each.extend(classes.into_iter().map(|class| (class, limit)));
        } else if key == "window" {
            self.window = Some(Duration::from_secs(u64::from(positive(key, value)?)));
        } else if key == "kind" {
            let names = || LimiterKind::ALL.into_iter().map(LimiterKind::name);
            let kind = LimiterKind::ALL.into_iter().find(|kind| kind.name() == value).ok_or_else(|| {
                let known = names().collect::<Vec<_>>().join(", ");
                LimitsError(format!(
                    "there is no kind of limiter `{value}`{}; there are {known}",
                    spelling::hint(value, names())
                ))
            })?;
            self.kind = Some(kind);
        } else {
            let known: Vec<&str> =
                Class::ALL.map(Class::name).into_iter().chain(["get", "window", "kind"]).collect();
            let hint = spelling::hint(key, known.iter().copied());
            return Err(LimitsError(format!(
                "there is no limit `{key}`{hint}; there are {}",
                known.join(", ")
            )));
        }
        Ok(())
    }
}

impl FromStr for Limits {
    type Err = LimitsError;

    /// As [`WrittenLimits`], for the current date.
    fn from_str(text: &str) -> Result<Self, LimitsError> {
        Ok(text.parse::<WrittenLimits>()?.in_api(Api::default()))
    }
}

fn positive(key: &str, value: &str) -> Result<u32, LimitsError> {
    value
        .parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| LimitsError(format!("`{key}={value}`: expected a whole number from 1 up")))
}

impl fmt::Display for Limits {
    /// The text that reads back as the same value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for class in Class::ALL {
            match self.of(class) {
                Some(number) => write!(f, "{}={number},", class.name())?,
                None => write!(f, "{}=off,", class.name())?,
            }
        }
        write!(f, "window={},kind={}", self.window.as_secs(), self.kind.name())
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn what_is_not_named_keeps_its_documented_value() {
        let limits: Limits = "patch=20, kind=fixed-window,audit=off".parse().unwrap();
        let expected =
            Limits { patch: Some(20), kind: LimiterKind::FixedWindow, audit: None, ..Limits::documented() };
        assert_eq!(limits, expected);
        let april = "patch=off".parse::<WrittenLimits>().unwrap().in_api(Api::April2026);
        assert_eq!(april, Limits { patch: None, ..Limits::documented_in(Api::April2026) });
    }

    #[test]
    fn get_is_short_for_every_get_endpoint_and_each_has_its_own_name() {
        let limits: Limits = "get=7,user=9".parse().unwrap();
        assert_eq!(
            Class::ALL.map(|class| limits.of(class)),
            [Some(7), Some(7), Some(7), Some(9), Some(120), Some(120), Some(30)]
        );
    }

    #[test]
    fn the_documented_limits_depend_on_the_date() {
        let of = |api| {
            let limits = Limits::documented_in(api);
            [limits.me, limits.search, limits.patch, limits.audit].map(Option::unwrap)
        };
        assert_eq!(of(Api::April2026), [60, 20, 20, 10]);
        assert_eq!(of(Api::July2026), [60, 20, 20, 10]);
        assert_eq!(of(Api::October2026), [300, 120, 120, 30]);
    }

    #[test]
    fn every_kind_reads_back_as_it_was_written() {
        for kind in LimiterKind::ALL {
            for limits in [Limits::documented().counted_by(kind), Limits::off().counted_by(kind)] {
                assert_eq!(limits.to_string().parse(), Ok(limits));
            }
        }
        assert_eq!("off".parse(), Ok(Limits::off()));
        assert_eq!("documented".parse(), Ok(Limits::documented()));
    }

    #[test]
    fn a_slip_is_answered_with_what_was_meant() {
        let error = |text: &str| text.parse::<Limits>().unwrap_err().to_string();
        assert_eq!(
            error("pach=20"),
            "there is no limit `pach`; did you mean `patch`?; there are me, roles, users, user, search, \
             patch, audit, get, window, kind"
        );
        assert_eq!(
            error("kind=sliding-lot"),
            "there is no kind of limiter `sliding-lot`; did you mean `sliding-log`?; there are sliding-log, \
             fixed-window, full-bucket, sliding-counter, smooth-bucket"
        );
        assert_eq!(error("patch=0"), "`patch=0`: expected a whole number from 1 up");
        assert_eq!(
            error("none"),
            "`none` is not a limit: write `off`, or NAME=NUMBER as in `patch=20,search=120`"
        );
    }
}
