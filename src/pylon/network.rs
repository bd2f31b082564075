//! Decides whether requests go to Pylon directly or through a proxy, from the environment variables for the network.
//!
//! The variables are read once, so `doctor` shows the values that the client uses. reqwest ignores a proxy address that it
//! cannot parse, and then connects directly. So this module parses the address, and reports an error if it is unusable.

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

/// The time limit for a connection, including the proxy and the TLS handshake.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The environment variables for the network that are set, with their values.
#[derive(Clone, Default)]
pub struct Variables(Vec<(&'static str, OsString)>);

impl Variables {
    /// The names of all variables that are read.
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

    /// Reads each variable with the function `value`.
    pub fn read(value: impl Fn(&str) -> Option<OsString>) -> Self {
        Self(Self::NAMES.into_iter().filter_map(|name| Some((name, value(name)?))).collect())
    }

    /// Returns the first of `names` that is set and not empty, with its value.
    pub(super) fn first(&self, names: &[&str]) -> Option<(&'static str, &OsStr)> {
        names.iter().find_map(|name| self.set(name).filter(|(_, value)| !value.is_empty()))
    }

    /// Returns the variable `name` with its value, which may be empty. `None` if the variable is not set.
    pub(super) fn set(&self, name: &str) -> Option<(&'static str, &OsStr)> {
        self.0.iter().find(|(known, _)| *known == name).map(|(known, value)| (*known, value.as_os_str()))
    }
}

/// Shows only names, because the address of a proxy can contain a password.
impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// The variables that name a proxy for https. The first one that is set counts, as in reqwest and curl.
const PROXY: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
/// The variables that name a proxy for plain http, which rolecall does not use for Pylon.
const PLAIN_PROXY: [&str; 2] = ["HTTP_PROXY", "http_proxy"];
/// The variables that name the hosts for which no proxy is used.
const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// The way that requests take to Pylon.
#[derive(Debug, Clone)]
pub enum Route {
    /// Requests go directly to the host.
    Direct(Direct),
    /// Requests go through a tunnel that this proxy opens.
    Proxy(Proxy),
}

/// Why no proxy is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direct {
    /// The host is this machine.
    Loopback,
    /// No variable names a proxy.
    NotSet,
    /// Only this variable names a proxy, and it is for plain http.
    PlainOnly(&'static str),
    /// A variable names a proxy, but another one excludes the host.
    Excluded {
        /// The variable that names a proxy.
        proxy: &'static str,
        /// The variable that excludes the host.
        by: &'static str,
    },
}

/// The proxy that is used.
#[derive(Clone)]
pub struct Proxy {
    /// The variable that names it.
    pub variable: &'static str,
    pub address: String,
    /// Whether the variable contains a user name, with or without a password.
    pub has_credentials: bool,
    /// Host, port, user name and password.
    inner: reqwest::Proxy,
}

/// Omits reqwest's part, which would show the password.
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
    /// The variable that names the proxy cannot be used.
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
        Proxy::parse(variable, value).map(Self::Proxy).map_err(|why| unusable(variable, &why))
    }

    /// Configures a client to use this route and to ignore all variables.
    pub(super) fn configure(&self, client: ClientBuilder) -> ClientBuilder {
        let client = client.connect_timeout(CONNECT_TIMEOUT);
        match self {
            Self::Direct(_) => client.no_proxy(),
            Self::Proxy(proxy) => client.proxy(proxy.inner.clone()),
        }
    }
}

/// Returns whether a list as in `NO_PROXY` contains the host. Uses the same matcher as reqwest.
fn is_excluded(base: &BaseUrl, hosts: &str) -> bool {
    let Ok(uri) = base.join("").as_str().parse::<Uri>() else { return false };
    Matcher::builder().all("http://proxy.invalid:1").no(hosts).build().intercept(&uri).is_none()
}

/// Why an address cannot be used.
enum UnusableProxy {
    Other(&'static str),
    NoPort,
    /// A character of the user name or password may have to be escaped.
    Escapes(&'static str),
}

/// Returns the error. It names the variable but never shows the value, which can contain a password.
fn unusable(variable: &str, why: &UnusableProxy) -> Problem {
    let (what, more) = match why {
        UnusableProxy::Other(what) => (*what, ""),
        UnusableProxy::NoPort => {
            ("has no valid port", ". The port is required, because programs disagree about the default")
        }
        UnusableProxy::Escapes(what) => (
            *what,
            ". In a user name or password, write @ as %40, : as %3A, / as %2F, ? as %3F, # as %23, and % as %25",
        ),
    };
    Problem::new(PylonCode::BadProxy, format!("{variable} {what}")).help(format!(
        "set it to a scheme, a host, and a port, as in {variable}=http://proxy.example:3128, or unset it to connect \
         directly{more}"
    ))
}

const MALFORMED: UnusableProxy = UnusableProxy::Escapes("is not the address of a proxy");

impl Proxy {
    fn parse(variable: &'static str, value: &OsStr) -> Result<Self, UnusableProxy> {
        let text = value.to_str().ok_or(UnusableProxy::Other("is not valid UTF-8"))?;
        if text.trim() != text {
            return Err(UnusableProxy::Other("has spaces around the address"));
        }
        let is_quote = |character: char| matches!(character, '"' | '\'' | '`' | '“' | '”' | '‘' | '’');
        if text.starts_with(is_quote) || text.ends_with(is_quote) {
            return Err(UnusableProxy::Other("has quotes around the address"));
        }
        // In curl and reqwest, an address without a scheme is that of an http proxy.
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        if rest.starts_with("http:") || rest.starts_with("https:") {
            return Err(MALFORMED); // without the slashes, `http` would be parsed as a user name
        }
        let scheme = scheme.to_ascii_lowercase();
        if scheme.starts_with("socks") {
            return Err(UnusableProxy::Other("names a SOCKS proxy, which rolecall does not support"));
        }
        if !matches!(scheme.as_str(), "http" | "https") {
            return Err(UnusableProxy::Other("has a scheme other than http or https"));
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#', '\\']) {
            return Err(UnusableProxy::Escapes("has more than a host and a port"));
        }
        Self::of_authority(variable, &scheme, rest)
    }

    /// `text` is `host:port`, or `user:password@host:port`.
    fn of_authority(variable: &'static str, scheme: &str, text: &str) -> Result<Self, UnusableProxy> {
        let host = text.rsplit_once('@').map_or(text, |(_, host)| host);
        if host.is_empty() || host.starts_with(':') {
            return Err(UnusableProxy::Other("has no host"));
        }
        let authority: Authority = text.parse().map_err(|_| MALFORMED)?;
        let port = authority.port_u16().filter(|port| *port != 0).ok_or(UnusableProxy::NoPort)?;
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
