//! Defines the base URL: either a region's host or a custom URL. The token is never sent to any other host.

use reqwest::Url;

use super::PylonCode;
use crate::printable::Printable;
use crate::problem::Problem;
use crate::roster::Region;

/// A base URL that is safe to send the token to: either https, or plain http on a loopback address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    url: Url,
    region: Option<Region>,
}

impl BaseUrl {
    pub fn of_region(region: Region) -> Self {
        let url = format!("https://{}", region.host());
        Self::parse(&url).unwrap_or_else(|_| unreachable!("{url} is a URL"))
    }

    /// Parses a base URL.
    ///
    /// # Errors
    /// Returns an error if the string isn't an http or https URL with a valid host, or if it contains credentials, a query, or a
    /// fragment. Plain http to another machine is also an error, because the token would be sent unencrypted.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let bad = |why: &str| {
            Problem::new(PylonCode::BadBaseUrl, format!("the base URL {why}"))
                .help("use a URL with only a scheme and a host: https://api.usepylon.com, or http://127.0.0.1:8080 on this machine")
        };
        let mut url =
            Url::parse(text.trim()).map_err(|error| bad(&format!("is not a valid URL: {error}")))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("contains a user name or a password"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(bad("has a query or a fragment"));
        }
        match url.scheme() {
            "https" if !is_server_name(&url) => {
                return Err(bad("has a host that is not a valid DNS name or IP address"));
            }
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err(bad("would send the token unencrypted: use https")),
            scheme => {
                return Err(bad(&format!("has the unsupported scheme `{}`", Printable::cut(scheme, 20))));
            }
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        let region = Region::ALL.into_iter().find(|region| url.host_str() == Some(region.host()));
        Ok(Self { url, region })
    }

    /// Returns the region served by this host, if any.
    pub fn region(&self) -> Option<Region> {
        self.region
    }

    /// Returns the host as recorded in plans and journals, with the port unless it's the scheme's default.
    pub fn host(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Returns `true` if the host is this machine, in which case requests bypass any proxy.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }

    /// Returns `true` if the scheme is plain http, which is allowed only for this machine.
    pub fn is_plain(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// Appends a path to the base URL. `path` must not start with a slash.
    pub(super) fn join(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}{path}", self.url.path()));
        url
    }
}

/// Returns `true` if the host is a DNS name or an IP address. TLS can't verify anything else.
fn is_server_name(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    rustls::pki_types::ServerName::try_from(host).is_ok()
}

fn is_loopback(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost") => true,
        Some(host) => {
            host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_base_url_is_https_or_plain_http_on_this_machine() {
        for good in [
            "https://api.usepylon.com",
            "https://proxy.example:8443/pylon",
            "https://[2001:db8::1]:8443",
            "https://a_b.example",
            "http://127.0.0.1:80",
            "http://[::1]:9/",
            "http://localhost:1",
        ] {
            assert!(BaseUrl::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "api.usepylon.com",
            "http://api.usepylon.com",
            "ftp://x.example",
            "https://u:p@x.example",
            "https://x.example?a=b",
            "http://127.0.0.1.example",
            "https://a..example",
            &format!("https://{}.example", "a".repeat(64)),
        ] {
            assert_eq!(BaseUrl::parse(bad).unwrap_err().code, "pylon::bad_base_url", "{bad}");
        }
    }

    #[test]
    fn each_region_has_its_host() {
        assert_eq!(BaseUrl::of_region(Region::Us), BaseUrl::parse("https://api.usepylon.com").unwrap());
        assert_eq!(BaseUrl::of_region(Region::Eu), BaseUrl::parse("https://api.eu.usepylon.com/").unwrap());
        assert_eq!(BaseUrl::of_region(Region::Eu).region(), Some(Region::Eu));
        assert_eq!(BaseUrl::parse("http://127.0.0.1:9").unwrap().region(), None);
    }

    #[test]
    fn a_path_below_the_base_is_kept() {
        let base = BaseUrl::parse("https://gateway.example/pylon").unwrap();
        assert_eq!(base.join("users/u_1").as_str(), "https://gateway.example/pylon/users/u_1");
    }
}
