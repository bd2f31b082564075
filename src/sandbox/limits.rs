//! How many requests each class of endpoints may get: the allowance as people write it, `patch=20,kind=fixed-window`.
//!
//! Pure values. The counting is in `limiter`; which endpoint belongs to which class is in `endpoint`.

use std::{fmt, str::FromStr, time::Duration};

use super::spelling;
use crate::every::every;

/// Endpoints that share one allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Every GET.
    Get,
    /// `POST /users/search`.
    Search,
    /// `PATCH /users/{id}`.
    Patch,
    /// `POST /audit-logs/search`.
    Audit,
}

impl Class {
    /// All of them, in the order they are written.
    pub const ALL: [Self; 4] = every!(Class: Get, Search, Patch, Audit);

    /// The word for it in `--limits` and `on=`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Search => "search",
            Self::Patch => "patch",
            Self::Audit => "audit",
        }
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

/// The allowance: requests per window and class. `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How they are counted.
    pub kind: LimiterKind,
    /// The length of the window; one minute as documented.
    pub window: Duration,
    /// Every GET together.
    pub get: Option<u32>,
    /// User searches.
    pub search: Option<u32>,
    /// Changes of users.
    pub patch: Option<u32>,
    /// Audit log searches.
    pub audit: Option<u32>,
}

impl Limits {
    /// What Pylon documents: 300 GETs, 120 searches, 120 changes and 30 audit log searches a minute.
    pub fn documented() -> Self {
        Self {
            kind: LimiterKind::default(),
            window: Duration::from_mins(1),
            get: Some(300),
            search: Some(120),
            patch: Some(120),
            audit: Some(30),
        }
    }

    /// No limit at all.
    pub fn off() -> Self {
        Self { get: None, search: None, patch: None, audit: None, ..Self::documented() }
    }

    /// The same with another way of counting.
    #[must_use]
    pub fn counted_by(self, kind: LimiterKind) -> Self {
        Self { kind, ..self }
    }

    /// The allowance of one class.
    pub fn of(&self, class: Class) -> Option<u32> {
        match class {
            Class::Get => self.get,
            Class::Search => self.search,
            Class::Patch => self.patch,
            Class::Audit => self.audit,
        }
    }

    fn slot(&mut self, class: Class) -> &mut Option<u32> {
        match class {
            Class::Get => &mut self.get,
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

/// Why a text is no `Limits`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LimitsError(String);

impl FromStr for Limits {
    type Err = LimitsError;

    /// `off`, `documented`, or `patch=20,search=120,get=300,audit=30,window=60,kind=sliding-log`: what is not named keeps
    /// its documented value, and a class may be `off`.
    fn from_str(text: &str) -> Result<Self, LimitsError> {
        match text.trim() {
            "off" => return Ok(Self::off()),
            "documented" => return Ok(Self::documented()),
            _ => {}
        }
        let mut limits = Self::documented();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let Some((key, value)) = part.split_once('=') else {
                return Err(LimitsError(format!(
                    "`{part}` is no limit: write `off`, or NAME=NUMBER as in `patch=20,search=120`"
                )));
            };
            limits.set(key.trim(), value.trim())?;
        }
        Ok(limits)
    }
}

impl Limits {
    fn set(&mut self, key: &str, value: &str) -> Result<(), LimitsError> {
        if let Some(class) = Class::ALL.into_iter().find(|class| class.name() == key) {
            *self.slot(class) = if value == "off" { None } else { Some(positive(key, value)?) };
        } else if key == "window" {
            self.window = Duration::from_secs(u64::from(positive(key, value)?));
        } else if key == "kind" {
            let names = || LimiterKind::ALL.into_iter().map(LimiterKind::name);
            self.kind = LimiterKind::ALL.into_iter().find(|kind| kind.name() == value).ok_or_else(|| {
                let known = names().collect::<Vec<_>>().join(", ");
                LimitsError(format!(
                    "there is no kind of limiter `{value}`{}; there are {known}",
                    spelling::hint(value, names())
                ))
            })?;
        } else {
            let known = ["get", "search", "patch", "audit", "window", "kind"];
            let hint = spelling::hint(key, known);
            return Err(LimitsError(format!(
                "there is no limit `{key}`{hint}; there are {}",
                known.join(", ")
            )));
        }
        Ok(())
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
            "there is no limit `pach`; did you mean `patch`?; there are get, search, patch, audit, window, kind"
        );
        assert_eq!(
            error("kind=sliding-lot"),
            "there is no kind of limiter `sliding-lot`; did you mean `sliding-log`?; there are sliding-log, \
             fixed-window, full-bucket, sliding-counter, smooth-bucket"
        );
        assert_eq!(error("patch=0"), "`patch=0`: expected a whole number from 1 up");
        assert_eq!(
            error("none"),
            "`none` is no limit: write `off`, or NAME=NUMBER as in `patch=20,search=120`"
        );
    }
}
