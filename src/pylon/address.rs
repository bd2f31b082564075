//! The base URL: the host of a region, or another one. The token is sent to no other place.

use reqwest::Url;

use super::PylonCode;
use crate::printable::Printable;
use crate::problem::Problem;
use crate::roster::Region;

/// A base URL that the token may be sent to: https, or http on loopback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    url: Url,
    region: Option<Region>,
}

impl BaseUrl {
    /// The host of a region.
    pub fn of_region(region: Region) -> Self {
        let url = format!("https://{}", region.host());
        Self::parse(&url).unwrap_or_else(|_| unreachable!("{url} is a URL"))
    }

    /// A base URL as it was given.
    ///
    /// # Errors
    /// It is not a URL, or the token would be sent unencrypted, or it has a password, a query, or a fragment.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let bad = |why: &str| {
            Problem::new(PylonCode::BadBaseUrl, format!("the base URL {why}"))
                .help("give the scheme and the host alone: https://api.usepylon.com, or http://127.0.0.1:8080 on this machine")
        };
        let mut url = Url::parse(text.trim()).map_err(|error| bad(&format!("is no URL: {error}")))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("holds a user name or a password"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(bad("has a query or a fragment"));
        }
        match url.scheme() {
            "https" if !is_server_name(&url) => return Err(bad("has a host that no certificate can name")),
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err(bad("would send the token in the clear: use https")),
            scheme => return Err(bad(&format!("has the scheme `{}`", Printable::cut(scheme, 20)))),
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        let region = Region::ALL.into_iter().find(|region| url.host_str() == Some(region.host()));
        Ok(Self { url, region })
    }

    /// The region whose host this is, if it is one's.
    pub fn region(&self) -> Option<Region> {
        self.region
    }

    /// The host and port, as plans and journals name it.
    pub fn host(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Whether it is on this machine; then no proxy is asked.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }

    /// Whether it speaks plain http; only on this machine.
    pub fn is_plain(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// The URL of a path below the base; `path` has no leading slash.
    pub(super) fn join(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}{path}", self.url.path()));
        url
    }
}

/// Whether TLS can check the name of the host: it is a DNS name or an IP address.
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
    fn the_token_goes_over_https_or_stays_on_this_machine() {
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
    fn the_regions_hosts_are_known_by_name() {
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
