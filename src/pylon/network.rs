//! How requests get to Pylon: the environment variables of the network, and which way they lead.
//!
//! The variables are read once. What the client uses is what `doctor` shows, so the two cannot differ. reqwest ignores a
//! proxy address that it cannot parse, and then connects directly. So the address is parsed here, an unusable one is an
//! error, and reqwest is given the result.

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

/// A connection may take this long, including the proxy and the TLS handshake.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

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
impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// The variables that name a proxy for https, the strongest first. reqwest and curl read them in the same order.
const PROXY: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
/// The variables that name a proxy for plain http, which Pylon is never asked with.
const PLAIN_PROXY: [&str; 2] = ["HTTP_PROXY", "http_proxy"];
/// The variables that name the hosts that are asked directly.
const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// How requests get to Pylon.
#[derive(Debug, Clone)]
pub enum Route {
    /// They go directly to the host.
    Direct(Direct),
    /// They go through a tunnel that this proxy opens.
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
    /// A variable names a proxy, and another one excludes the host from it.
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
    /// Whether the variable holds a user name, and perhaps a password.
    pub has_credentials: bool,
    /// Host, port, user name and password.
    inner: reqwest::Proxy,
}

/// Leaves out reqwest's part, which shows the password.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("variable", &self.variable)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Route {
    /// Decides which way requests to `base` go.
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

    /// Makes a client go this way, and ignore all variables.
    pub(super) fn configure(&self, client: ClientBuilder) -> ClientBuilder {
        let client = client.connect_timeout(CONNECT_TIMEOUT);
        match self {
            Self::Direct(_) => client.no_proxy(),
            Self::Proxy(proxy) => client.proxy(proxy.inner.clone()),
        }
    }
}

/// Whether a list as in `NO_PROXY` has the host. The matcher is the one that reqwest uses.
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

/// The message names the variable and never its value, which can hold a password.
fn unusable(variable: &str, why: &UnusableProxy) -> Problem {
    let (what, more) = match why {
        UnusableProxy::Other(what) => (*what, ""),
        UnusableProxy::NoPort => {
            ("has no valid port", ". The port has no default, because programs disagree about it")
        }
        UnusableProxy::Escapes(what) => (
            *what,
            ". In a user name or password, write @ as %40, : as %3A, / as %2F, ? as %3F, # as %23, and % as %25",
        ),
    };
    Problem::new(PylonCode::BadProxy, format!("{variable} {what}")).help(format!(
        "write scheme, host and port, as in {variable}=http://proxy.example:3128, or unset it to connect directly{more}"
    ))
}

const MALFORMED: UnusableProxy = UnusableProxy::Escapes("is not the address of a proxy");

impl Proxy {
    fn parse(variable: &'static str, value: &OsStr) -> Result<Self, UnusableProxy> {
        let text = value.to_str().ok_or(UnusableProxy::Other("is not valid UTF-8"))?;
        if text.trim() != text {
            return Err(UnusableProxy::Other("has blanks around the address"));
        }
        let is_quote = |character: char| matches!(character, '"' | '\'' | '`' | '“' | '”' | '‘' | '’');
        if text.starts_with(is_quote) || text.ends_with(is_quote) {
            return Err(UnusableProxy::Other("has quotes around the address"));
        }
        // curl and reqwest take an address without a scheme for one of an http proxy.
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        if rest.starts_with("http:") || rest.starts_with("https:") {
            return Err(MALFORMED); // without the slashes, this would be a user name
        }
        let scheme = scheme.to_ascii_lowercase();
        if scheme.starts_with("socks") {
            return Err(UnusableProxy::Other("names a SOCKS proxy, which rolecall does not support"));
        }
        if !matches!(scheme.as_str(), "http" | "https") {
            return Err(UnusableProxy::Other("has a scheme other than http and https"));
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
