//! The rate limits of all operations, and the syntax of `--limits`, such as `patch=20,kind=fixed-window`. `limiter` enforces the
//! limits.

use std::{str::FromStr, time::Duration};

use super::operation::ApiOperation;
use super::organization::Api;
use super::unknown_name::unknown_name;
use crate::every::words;

words! {
    /// The algorithm for enforcing a rate limit of N requests per window, as named in the `kind=` key of `--limits`. Since it's
    /// unknown which algorithm Pylon uses, clients must work with all five.
    #[derive(Hash, Default)]
    pub enum LimiterKind {
        /// Admits at most N requests in any period of the window's length, based on the exact arrival time of each admitted
        /// request.
        #[default]
        SlidingLog = "sliding-log",
        /// Admits at most N requests per window. The windows are consecutive, and the first one starts at the world's epoch.
        FixedWindow = "fixed-window",
        /// Uses a token bucket of N tokens that starts full and refills evenly, so almost 2 N requests are admitted in the first
        /// window.
        FullBucket = "full-bucket",
        /// Adds the count in the current window to the count in the previous window, weighted by the previous window's overlap
        /// with the sliding window. CDNs use this estimate.
        SlidingCounter = "sliding-counter",
        /// Uses a token bucket of N / 10 tokens, so larger bursts are rejected even if they seem to be within the limit.
        SmoothBucket = "smooth-bucket",
    }
}

/// The rate limits of all operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub kind: LimiterKind,
    /// The length of the window to which the limits apply (one minute in Pylon's documentation).
    pub window: Duration,
    /// The maximum number of requests per window, for each operation in the order of [`ApiOperation::ALL`]. `None` means
    /// unlimited.
    pub each: [Option<u32>; ApiOperation::ALL.len()],
}

impl Limits {
    /// Returns the limits documented for this version of the API.
    pub fn documented(api: Api) -> Self {
        let each = match api {
            Api::April2026 | Api::July2026 => [60, 60, 60, 60, 20, 20, 10],
            Api::October2026 => [300, 300, 300, 300, 120, 120, 30],
        };
        Self { kind: LimiterKind::default(), window: Duration::from_mins(1), each: each.map(Some) }
    }

    pub fn off() -> Self {
        Self { each: [None; ApiOperation::ALL.len()], ..Self::default() }
    }

    #[must_use]
    pub fn with(mut self, operation: ApiOperation, limit: Option<u32>) -> Self {
        self.each[operation as usize] = limit;
        self
    }

    pub(super) fn limit(&self, operation: ApiOperation) -> Option<u32> {
        self.each[operation as usize]
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::documented(Api::default())
    }
}

/// The limits given on the command line. A limit that isn't given defaults to the one documented for the organization's API
/// version.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WrittenLimits {
    kind: Option<LimiterKind>,
    window: Option<Duration>,
    each: Vec<(ApiOperation, Option<u32>)>,
}

impl FromStr for WrittenLimits {
    type Err = String;

    /// Parses `off`, `documented`, or a list such as `patch=20,get=300,user=60,window=60,kind=sliding-log`. `get` stands for
    /// every GET operation, `window` is in seconds, and a limit can be `off`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut limits = Self::default();
        match text.trim() {
            "off" => limits.each.extend(ApiOperation::ALL.map(|operation| (operation, None))),
            "documented" => {}
            text => {
                for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
                    let (key, value) = part.split_once('=').ok_or_else(|| match part {
                        "off" | "documented" => format!("`{part}` cannot be combined with other limits"),
                        _ => format!(
                            "`{part}` is not a limit: write `off`, or NAME=NUMBER as in `patch=20,search=120`"
                        ),
                    })?;
                    limits.set(key.trim(), value.trim())?;
                }
            }
        }
        Ok(limits)
    }
}

impl WrittenLimits {
    /// Returns all limits. A limit that wasn't given is the one documented for this API version.
    pub fn in_api(&self, api: Api) -> Limits {
        let Self { kind, window, each } = self;
        let mut limits = Limits::documented(api);
        limits.kind = kind.unwrap_or(limits.kind);
        limits.window = window.unwrap_or(limits.window);
        each.iter().fold(limits, |limits, (operation, limit)| limits.with(*operation, *limit))
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let number = || -> Result<u32, String> {
            let number = value.parse().ok().filter(|number| *number > 0);
            number.ok_or_else(|| format!("`{key}={value}`: expected a whole number, 1 or more"))
        };
        match (key, ApiOperation::meant_by(key)) {
            (_, Some(operations)) => {
                let limit = if value == "off" { None } else { Some(number()?) };
                self.each.extend(operations.into_iter().map(|operation| (operation, limit)));
            }
            ("window", None) => self.window = Some(Duration::from_secs(u64::from(number()?))),
            ("kind", None) => {
                let kind = LimiterKind::named(value);
                let unknown = || unknown_name("kind of limiter", value, &LimiterKind::WORDS);
                self.kind = Some(kind.ok_or_else(unknown)?);
            }
            (_, None) => {
                let known = [&ApiOperation::WORDS[..], &["get", "window", "kind"]].concat();
                return Err(unknown_name("limit", key, &known));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn limits(text: &str) -> Limits {
        text.parse::<WrittenLimits>().unwrap().in_api(Api::October2026)
    }

    #[test]
    fn limits_that_are_not_named_keep_their_documented_value() {
        let documented = Limits { kind: LimiterKind::FixedWindow, ..Limits::default() };
        let expected =
            documented.with(ApiOperation::UpdateUser, Some(20)).with(ApiOperation::SearchAuditLog, None);
        assert_eq!(limits("patch=20, kind=fixed-window,audit=off"), expected);
        let april = "patch=off".parse::<WrittenLimits>().unwrap().in_api(Api::April2026);
        assert_eq!(april, Limits::documented(Api::April2026).with(ApiOperation::UpdateUser, None));
        assert_eq!(limits("documented"), Limits::default());
    }

    #[test]
    fn get_means_every_get_endpoint_and_each_endpoint_has_a_name() {
        let limits = limits("get=7,user=9");
        assert_eq!(
            ApiOperation::ALL.map(|operation| limits.limit(operation)),
            [Some(7), Some(7), Some(7), Some(9), Some(120), Some(120), Some(30)]
        );
    }

    #[test]
    fn every_name_sets_its_own_limit() {
        for operation in ApiOperation::ALL {
            let expected = Limits::default().with(operation, Some(5));
            assert_eq!(limits(&format!("{}=5", operation.as_str())), expected);
        }
        for kind in LimiterKind::ALL {
            let expected = Limits { kind, window: Duration::from_secs(9), ..Limits::default() };
            assert_eq!(limits(&format!("window=9,kind={}", kind.as_str())), expected);
        }
        assert_eq!(limits("off"), Limits::off());
        assert!(ApiOperation::ALL.into_iter().all(|operation| Limits::off().limit(operation).is_none()));
    }

    #[test]
    fn the_documented_limits_depend_on_the_date() {
        let of = |api| ApiOperation::ALL.map(|operation| Limits::documented(api).limit(operation).unwrap());
        assert_eq!(of(Api::April2026), [60, 60, 60, 60, 20, 20, 10]);
        assert_eq!(of(Api::July2026), [60, 60, 60, 60, 20, 20, 10]);
        assert_eq!(of(Api::October2026), [300, 300, 300, 300, 120, 120, 30]);
    }

    #[test]
    fn a_misspelled_name_gets_a_suggestion() {
        let error = |text: &str| text.parse::<WrittenLimits>().unwrap_err();
        assert_eq!(
            error("pach=20"),
            "unknown limit `pach`; did you mean `patch`? (known: me, roles, users, user, search, \
             patch, audit, get, window, kind)"
        );
        assert_eq!(
            error("kind=sliding-lot"),
            "unknown kind of limiter `sliding-lot`; did you mean `sliding-log`? (known: sliding-log, \
             fixed-window, full-bucket, sliding-counter, smooth-bucket)"
        );
        assert_eq!(error("patch=0"), "`patch=0`: expected a whole number, 1 or more");
        assert_eq!(
            error("none"),
            "`none` is not a limit: write `off`, or NAME=NUMBER as in `patch=20,search=120`"
        );
        assert_eq!(error("off,patch=20"), "`off` cannot be combined with other limits");
    }
}
