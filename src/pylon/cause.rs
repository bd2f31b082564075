//! Works out why a request got no response. Maps a reqwest error and its sources to a [`FailureCause`].
//!
//! The mapping relies on error types only, never on messages. Each layer wraps the error from the layer below. For example, an
//! untrusted certificate is a `rustls::Error` inside an `io::Error`, inside another `io::Error`, inside a hyper error, inside a
//! reqwest error. We have to walk the chain ourselves because [`Error::source`] skips the error inside an `io::Error`.

use std::error::Error;
use std::io;

use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;

use super::PylonCode;
use super::certificate;
use super::failure::{FailureCause, Obstacle};
use super::network::{CONNECT_TIMEOUT, Proxy, Route};

/// The error for a failed proxy tunnel, spelled this way because hyper-util doesn't export the type's name.
type TunnelError = <Tunnel<HttpConnector> as tower_service::Service<http::Uri>>::Error;
type ErrorRef<'e> = &'e (dyn Error + 'static);

/// Diagnoses a failed request to `host`. `trusted` lists the environment variables that override the system's trusted
/// certificates.
pub(super) fn of_error(error: &reqwest::Error, host: &str, route: &Route, trusted: &[&str]) -> FailureCause {
    let causes = chain(error);
    let in_handshake = error.is_connect();
    let tunnel: Option<&TunnelError> = find(&causes);
    let (proxy, party) = match (route, tunnel) {
        // The proxy is at fault only if opening the tunnel fails. Once the tunnel is open, any failure is the host's fault.
        (Route::Proxy(proxy), Some(_)) => (Some(proxy), format!("the proxy {}", named(proxy))),
        (Route::Proxy(proxy), None) => (Some(proxy), host.to_owned()),
        (Route::Direct(_), _) => (None, host.to_owned()),
    };
    if let Some(tls) = find::<rustls::Error>(&causes)
        && let Some(obstacle) = certificate::obstacle(tls, &party, trusted, in_handshake)
    {
        return FailureCause::Blocked(Box::new(obstacle));
    }
    if let (Some(proxy), Some(TunnelError::ProxyAuthRequired)) = (proxy, tunnel) {
        return FailureCause::Blocked(Box::new(unauthorized(proxy)));
    }
    if !in_handshake {
        let why = innermost(&causes);
        return if error.is_builder() { FailureCause::NotSent(why) } else { FailureCause::NoAnswer(why) };
    }
    FailureCause::NotSent(match (proxy, tunnel) {
        (Some(_), Some(TunnelError::TunnelUnsuccessful)) => {
            format!("{party} refused to connect to {host}")
        }
        (Some(_), Some(TunnelError::TunnelUnexpectedEof)) => {
            format!("{party} closed the connection and did not connect to {host}")
        }
        _ if error.is_timeout() => {
            let through =
                proxy.map(|proxy| format!(" through the proxy {}", named(proxy))).unwrap_or_default();
            format!("could not connect to {host}{through} within {} s", CONNECT_TIMEOUT.as_secs())
        }
        _ => no_connection(error, &causes, &party),
    })
}

fn named(proxy: &Proxy) -> String {
    format!("{} ({})", proxy.address, proxy.variable)
}

fn unauthorized(proxy: &Proxy) -> Obstacle {
    let (what, help) = if proxy.has_credentials {
        ("did not accept the user name and password", "correct them in")
    } else {
        ("asks for a user name and password", "add them to")
    };
    Obstacle {
        code: PylonCode::ProxyRefused,
        why: format!("the proxy {} {what} (407)", named(proxy)),
        help: format!("{help} the variable: {}=http://USER:PASSWORD@{}", proxy.variable, proxy.address),
    }
}

/// Describes a failure to connect that may be temporary.
fn no_connection(error: &reqwest::Error, causes: &[ErrorRef<'_>], party: &str) -> String {
    if error.is_dns() {
        return format!("could not resolve {party}: {}", innermost(causes));
    }
    let kind = causes.iter().rev().find_map(|cause| Some(cause.downcast_ref::<io::Error>()?.kind()));
    match kind {
        Some(io::ErrorKind::ConnectionRefused) => format!("{party} refused the connection"),
        Some(io::ErrorKind::UnexpectedEof) => {
            format!("{party} closed the connection during the TLS handshake")
        }
        _ => format!("could not connect to {party}: {}", innermost(causes)),
    }
}

/// Returns the error followed by all of its wrapped errors.
fn chain<'e>(error: &'e (dyn Error + 'static)) -> Vec<ErrorRef<'e>> {
    std::iter::successors(Some(error), |error| below(*error)).collect()
}

/// Unwraps one layer: the inner error of an `io::Error`, or the source of any other error.
fn below(error: ErrorRef<'_>) -> Option<ErrorRef<'_>> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

fn find<'e, E: Error + 'static>(causes: &[ErrorRef<'e>]) -> Option<&'e E> {
    causes.iter().find_map(|cause| cause.downcast_ref())
}

/// Returns the message of the innermost error. The outer errors are less specific and only repeat the URL.
fn innermost(causes: &[ErrorRef<'_>]) -> String {
    causes.last().map(ToString::to_string).unwrap_or_default()
}

/// Returns the message of the innermost error that `error` wraps.
pub(super) fn last_cause(error: &reqwest::Error) -> String {
    innermost(&chain(error))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use rustls::CertificateError;

    use super::*;

    /// An error that returns the underlying error as its source.
    #[derive(Debug, thiserror::Error)]
    #[error("a layer above")]
    struct Layer(#[source] io::Error);

    #[test]
    fn an_error_is_found_below_any_number_of_io_errors() {
        let refused = rustls::Error::InvalidCertificate(CertificateError::Revoked);
        let mut error = io::Error::other(refused.clone());
        for depth in 1..5 {
            error = io::Error::other(error);
            let layer = Layer(error);
            let causes = chain(&layer);
            assert_eq!(find::<rustls::Error>(&causes), Some(&refused), "{depth}");
            assert_eq!(innermost(&causes), refused.to_string());
            error = layer.0;
        }
    }
}
