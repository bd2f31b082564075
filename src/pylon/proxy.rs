//! Decides whether requests go directly or through the proxy that a variable names.
//!
//! reqwest ignores a proxy address that it cannot parse, and then asks directly. So the variables are parsed here, an
//! unusable address is an error, and reqwest is given the result.

use std::ffi::OsStr;
use std::fmt;

use http::Uri;
use http::uri::Authority;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::ClientBuilder;

use super::Code;
use super::address::BaseUrl;
use super::network::Variables;
use crate::problem::Problem;

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
    /// Host and port.
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
    pub fn of(base: &BaseUrl, variables: &Variables) -> Result<Self, Problem> {
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

    /// A client that goes this way, and looks at no variable.
    pub(super) fn configure(&self, client: ClientBuilder) -> ClientBuilder {
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unusable {
    NotText,
    Blanks,
    Quotes,
    Socks,
    Scheme,
    TooMuch,
    NoHost,
    NoPort,
    Malformed,
}

impl Unusable {
    const fn words(self) -> &'static str {
        match self {
            Self::NotText => "is not valid UTF-8",
            Self::Blanks => "has blanks around the address",
            Self::Quotes => "has quotes around the address",
            Self::Socks => "names a SOCKS proxy, which rolecall does not support",
            Self::Scheme => "has a scheme other than http and https",
            Self::TooMuch => "has more than a host and a port",
            Self::NoHost => "has no host",
            Self::NoPort => "has no valid port",
            Self::Malformed => "is not the address of a proxy",
        }
    }
}

/// The message names the variable and never its value, which can hold a password.
fn unusable(variable: &str, why: Unusable) -> Problem {
    let more = match why {
        Unusable::NoPort => ". The port has no default, because programs disagree about it",
        Unusable::TooMuch | Unusable::Malformed => {
            ". In a user name or password, write @ as %40, : as %3A, / as %2F, ? as %3F, # as %23, and % as %25"
        }
        _ => "",
    };
    Problem::new(Code::BadProxy, format!("{variable} {}", why.words())).help(format!(
        "write scheme, host and port, as in {variable}=http://proxy.example:3128, or unset it to connect directly{more}"
    ))
}

impl Proxy {
    fn parse(variable: &'static str, value: &OsStr) -> Result<Self, Unusable> {
        let text = value.to_str().ok_or(Unusable::NotText)?;
        if text.trim() != text {
            return Err(Unusable::Blanks);
        }
        let is_quote = |character: char| matches!(character, '"' | '\'' | '`' | '“' | '”' | '‘' | '’');
        if text.starts_with(is_quote) || text.ends_with(is_quote) {
            return Err(Unusable::Quotes);
        }
        // curl and reqwest take an address without a scheme for one of an http proxy.
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        if rest.starts_with("http:") || rest.starts_with("https:") {
            return Err(Unusable::Malformed); // without the slashes, this would be a user name
        }
        let scheme = scheme.to_ascii_lowercase();
        if scheme.starts_with("socks") {
            return Err(Unusable::Socks);
        }
        if !matches!(scheme.as_str(), "http" | "https") {
            return Err(Unusable::Scheme);
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#', '\\']) {
            return Err(Unusable::TooMuch);
        }
        Self::of_authority(variable, &scheme, rest)
    }

    /// `text` is `host:port`, or `user:password@host:port`.
    fn of_authority(variable: &'static str, scheme: &str, text: &str) -> Result<Self, Unusable> {
        let host = text.rsplit_once('@').map_or(text, |(_, host)| host);
        if host.is_empty() || host.starts_with(':') {
            return Err(Unusable::NoHost);
        }
        let authority: Authority = text.parse().map_err(|_| Unusable::Malformed)?;
        let port = authority.port_u16().filter(|port| *port != 0).ok_or(Unusable::NoPort)?;
        if text.matches('@').count() > 1 {
            return Err(Unusable::Malformed);
        }
        let inner = reqwest::Proxy::https(format!("{scheme}://{text}")).map_err(|_| Unusable::Malformed)?;
        Ok(Self {
            variable,
            address: format!("{}:{port}", authority.host()),
            has_credentials: text.contains('@'),
            inner,
        })
    }
}
