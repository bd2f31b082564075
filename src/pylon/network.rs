//! Decides between a direct connection and a proxy, based on the network environment variables.
//!
//! The variables are read only once, which guarantees that `doctor` reports what the client uses. This module also parses the
//! proxy address itself and rejects an unusable address. reqwest would ignore such an address and silently connect directly.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::time::Duration;

use http::Uri;
use http::uri::Authority;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::ClientBuilder;

use super::PylonCode;
use super::address::BaseUrl;
use crate::problem::Problem;

/// Timeout for establishing a connection, including the proxy tunnel and the TLS handshake.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The network environment variables that are set, and their values.
#[derive(Clone, Default)]
pub struct Variables(Vec<(&'static str, OsString)>);

impl Variables {
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

    /// Reads the variables in [`Self::NAMES`] by calling `value` with each name.
    pub fn read(value: impl Fn(&str) -> Option<OsString>) -> Self {
        Self(Self::NAMES.into_iter().filter_map(|name| Some((name, value(name)?))).collect())
    }

    /// Returns the first of `names` that is set to a non-empty value, along with that value.
    pub(super) fn first(&self, names: &[&str]) -> Option<(&'static str, &OsStr)> {
        names.iter().find_map(|name| self.set(name).filter(|(_, value)| !value.is_empty()))
    }

    /// Returns the variable `name` and its value, which may be empty. Returns `None` if the variable isn't set.
    pub(super) fn set(&self, name: &str) -> Option<(&'static str, &OsStr)> {
        self.0.iter().find(|(known, _)| *known == name).map(|(known, value)| (*known, value.as_os_str()))
    }
}

/// Prints only the variables' names because a proxy address may contain a password.
impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// Variables that set a proxy for https. The first one with a value wins.
const PROXY: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
/// Variables that set a proxy for plain http only. Such a proxy is never used for Pylon.
const PLAIN_PROXY: [&str; 2] = ["HTTP_PROXY", "http_proxy"];
/// Variables listing hosts to reach without a proxy.
const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// The route of requests to Pylon, either direct or through a proxy.
#[derive(Debug, Clone)]
pub enum Route {
    /// Requests go straight to the host.
    Direct(Direct),
    /// Requests go through a tunnel via this proxy.
    Proxy(Proxy),
}

/// The reason for not using a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direct {
    /// The host is this machine.
    Loopback,
    /// No variable sets a proxy.
    NotSet,
    /// This variable sets a proxy, but only for plain http.
    PlainOnly(&'static str),
    /// A proxy is set, but another variable lets requests to this host bypass it.
    Excluded {
        /// The environment variable that sets the proxy.
        proxy: &'static str,
        /// The environment variable that excludes the host.
        by: &'static str,
    },
}

#[derive(Clone)]
pub struct Proxy {
    /// The environment variable that sets this proxy.
    pub variable: &'static str,
    pub address: String,
    /// Whether the variable's value includes a user name, with or without a password.
    pub has_credentials: bool,
    /// The proxy in reqwest's form, including any user name and password.
    inner: reqwest::Proxy,
}

/// Omits `inner` because its own output would reveal the password.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("variable", &self.variable)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Route {
    /// Decides whether requests to `base` go through a proxy.
    ///
    /// # Errors
    /// Returns an error if the proxy variable's value is unusable.
    pub fn choose(base: &BaseUrl, variables: &Variables) -> Result<Self, Problem> {
        if base.is_loopback() {
            return Ok(Self::Direct(Direct::Loopback));
        }
        let Some((variable, value)) = variables.first(&PROXY) else {
            let plain = variables.first(&PLAIN_PROXY);
            return Ok(Self::Direct(plain.map_or(Direct::NotSet, |(name, _)| Direct::PlainOnly(name))));
        };
        if let Some((by, hosts)) = variables.first(&NO_PROXY)
            && is_excluded(base, &hosts.to_string_lossy())
        {
            return Ok(Self::Direct(Direct::Excluded { proxy: variable, by }));
        }
        Proxy::parse(variable, value).map(Self::Proxy).map_err(|why| unusable(variable, why))
    }

    /// Makes `client` use this route, regardless of the environment, and sets the client's connect timeout.
    pub(super) fn configure(&self, client: ClientBuilder) -> ClientBuilder {
        let client = client.connect_timeout(CONNECT_TIMEOUT);
        match self {
            Self::Direct(_) => client.no_proxy(),
            Self::Proxy(proxy) => client.proxy(proxy.inner.clone()),
        }
    }
}

/// Returns `true` if the `NO_PROXY` list in `hosts` covers the host of `base`, according to the matcher that reqwest uses.
fn is_excluded(base: &BaseUrl, hosts: &str) -> bool {
    let Ok(uri) = base.join("").as_str().parse::<Uri>() else { return false };
    Matcher::builder().all("http://proxy.invalid:1").no(hosts).build().intercept(&uri).is_none()
}

/// The reason a proxy address is unusable, followed by further advice, which may be empty.
type UnusableProxy = (&'static str, &'static str);

const NO_PORT: UnusableProxy =
    ("has no valid port", ". The port is required, because programs use different default ports");
/// The advice for an address in which a character of the user name or password may need escaping.
const ESCAPES: &str =
    ". In a user name or password, write @ as %40, : as %3A, / as %2F, ? as %3F, # as %23, and % as %25";
const MALFORMED: UnusableProxy = ("is not a valid proxy address", ESCAPES);

/// Creates an error that names the variable but not its value, which may contain a password.
fn unusable(variable: &str, (what, advice): UnusableProxy) -> Problem {
    Problem::new(PylonCode::BadProxy, format!("{variable} {what}")).help(format!(
        "set it to a scheme, a host, and a port, as in {variable}=http://proxy.example:3128, or unset it to connect \
         directly{advice}"
    ))
}

impl Proxy {
    fn parse(variable: &'static str, value: &OsStr) -> Result<Self, UnusableProxy> {
        let text = value.to_str().ok_or(("is not valid UTF-8", ""))?;
        if text.trim() != text {
            return Err(("has spaces around the address", ""));
        }
        let is_quote = |character: char| matches!(character, '"' | '\'' | '`' | '“' | '”' | '‘' | '’');
        if text.starts_with(is_quote) || text.ends_with(is_quote) {
            return Err(("has quotes around the address", ""));
        }
        // curl and reqwest treat an address without a scheme as an http proxy.
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        if rest.starts_with("http:") || rest.starts_with("https:") {
            return Err(MALFORMED); // without slashes, `http` would parse as a user name
        }
        let scheme = scheme.to_ascii_lowercase();
        if scheme.starts_with("socks") {
            return Err(("names a SOCKS proxy, which rolecall does not support", ""));
        }
        if !matches!(scheme.as_str(), "http" | "https") {
            return Err(("has a scheme other than http or https", ""));
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#', '\\']) {
            return Err(("has an unexpected /, ?, #, or \\", ESCAPES));
        }
        Self::of_authority(variable, &scheme, rest)
    }

    /// Parses `host:port` or `user:password@host:port`.
    fn of_authority(variable: &'static str, scheme: &str, text: &str) -> Result<Self, UnusableProxy> {
        let host = text.rsplit_once('@').map_or(text, |(_, host)| host);
        if host.is_empty() || host.starts_with(':') {
            return Err(("has no host", ""));
        }
        let authority: Authority = text.parse().map_err(|_| MALFORMED)?;
        let port = authority.port_u16().filter(|port| *port != 0).ok_or(NO_PORT)?;
        if text.matches('@').count() > 1 {
            return Err(MALFORMED);
        }
        let inner = reqwest::Proxy::https(format!("{scheme}://{text}")).map_err(|_| MALFORMED)?;
        Ok(Self {
            variable,
            address: format!("{}:{port}", authority.host()),
            has_credentials: text.contains('@'),
            inner,
        })
    }
}
