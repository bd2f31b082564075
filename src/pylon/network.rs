//! The network settings of one run: which way its requests go, and whose certificates it trusts.
//!
//! The variables are read once. [`Network`] is what the client uses and what `doctor` shows, so the two cannot differ.

use std::ffi::{OsStr, OsString};

use super::address::BaseUrl;
use super::proxy::Route;
use super::roots::Roots;
use crate::problem::Problem;

/// The environment variables that decide about the network, as they are set.
#[derive(Clone, Default)]
pub struct Variables(Vec<(&'static str, OsString)>);

impl Variables {
    /// The name of each variable that is read.
    pub const NAMES: [&'static str; 10] = [
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "NO_PROXY",
        "no_proxy",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    ];

    /// Reads each variable with `value`.
    pub fn read(value: impl Fn(&str) -> Option<OsString>) -> Self {
        Self(Self::NAMES.into_iter().filter_map(|name| Some((name, value(name)?))).collect())
    }

    /// The first of `names` that is set to something, and its value.
    pub(super) fn first(&self, names: &[&str]) -> Option<(&'static str, &OsStr)> {
        names.iter().find_map(|name| self.set(name).filter(|(_, value)| !value.is_empty()))
    }

    /// The variable `name` and its value, which may be empty.
    pub(super) fn set(&self, name: &str) -> Option<(&'static str, &OsStr)> {
        self.0.iter().find(|(known, _)| *known == name).map(|(known, value)| (*known, value.as_os_str()))
    }
}

/// Shows names only: the address of a proxy can hold a password.
impl std::fmt::Debug for Variables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// How one host is reached.
#[derive(Debug, Clone)]
pub struct Network {
    /// Directly or through a proxy.
    pub route: Route,
    /// Whose certificates are trusted.
    pub roots: Roots,
}

impl Network {
    /// Decides how `base` is reached.
    ///
    /// # Errors
    /// A variable that applies to `base` cannot be used.
    pub fn of(base: &BaseUrl, variables: &Variables) -> Result<Self, Problem> {
        Ok(Self { route: Route::of(base, variables)?, roots: Roots::of(base, variables)? })
    }
}
