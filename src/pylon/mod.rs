//! Talks to Pylon. This is the only module that speaks HTTP.
//!
//! * [`request`] lists the requests and what their responses hold. `wire` encodes and decodes their JSON. [`exchange`]
//!   turns a response into a result, without a socket. [`failure`] says what a failure means.
//! * `client` makes one attempt at one request. `flow` decides when the next attempt is made: [`pace`] when a request
//!   may be sent, and [`retry`] whether it is sent again. `paced_reader` sends the reads of a plan.
//! * [`observe`] decides what a plan reads and whether it is complete. [`inquiry`] decides what the audit log is asked.
//! * [`network`] decides which way requests go, and `roots` whose certificates are trusted. `cause` says why no response
//!   came, and `certificate` what is wrong with a TLS connection. `trace` is what `-v` shows.
//! * There are two clients: a [`Reader`], which cannot write, and a [`Writer`], which only an apply gets.
//! * The token is sent to the chosen host only: there are no redirects, and plain HTTP is only used for this machine.

mod address;
mod cause;
mod certificate;
mod client;
pub mod exchange;
pub mod failure;
mod flow;
mod hint;
pub mod inquiry;
pub mod network;
pub mod observe;
pub mod pace;
pub(crate) mod paced_reader;
pub mod request;
pub mod retry;
pub(crate) mod roots;
mod scrub;
pub mod token;
mod trace;
mod wire;

pub use address::BaseUrl;
pub use client::{Reader, Writer};
pub use failure::{Cause, Class, Failure};
pub use flow::FlowControl;
pub use network::Variables;
pub use paced_reader::PacedReader;
pub use request::Attempt;
pub use token::Token;
pub use trace::Trace;

use crate::problem::codes;

codes! {
    /// The diagnostic codes of this module.
    pub enum PylonCode {
        NoToken = "pylon::no_token",
        /// The text is not a valid token.
        BadToken = "pylon::bad_token",
        /// The base URL cannot be used.
        BadBaseUrl = "pylon::bad_base_url",
        /// The request could not be sent.
        Unreachable = "pylon::unreachable",
        /// The server could not prove who it is.
        BadCertificate = "pylon::bad_certificate",
        /// No TLS connection can be made, for another reason than the certificate.
        TlsFailed = "pylon::tls_failed",
        /// The variables that name trusted certificates cannot be used.
        BadCertificateFile = "pylon::bad_certificate_file",
        /// The variable that names the proxy cannot be used.
        BadProxy = "pylon::bad_proxy",
        /// The proxy asks for a user name and password, or does not accept them.
        ProxyRefused = "pylon::proxy_refused",
        NoAnswer = "pylon::no_answer",
        /// The answer makes no sense.
        BadAnswer = "pylon::bad_answer",
        /// The token is of the other region.
        WrongRegion = "pylon::wrong_region",
        /// The token is not accepted.
        BadCredentials = "pylon::bad_credentials",
        /// The organization is deactivated in Pylon.
        Suspended = "pylon::suspended",
        /// The token's user may not do this.
        Forbidden = "pylon::forbidden",
        /// Pylon does not have the requested user or path.
        NotFound = "pylon::not_found",
        /// The request is too large.
        TooLarge = "pylon::too_large",
        /// The rate limit is used up, and the server asks for a long pause.
        RateLimited = "pylon::rate_limited",
        Redirected = "pylon::redirected",
        /// The server returned a 5xx.
        ServerTrouble = "pylon::server_trouble",
        /// A proxy, firewall or gateway answered instead of Pylon.
        Intercepted = "pylon::intercepted",
        Rejected = "pylon::rejected",
        /// A listing or search did not come to a provable end.
        Incomplete = "pylon::incomplete",
        /// The token belongs to another organization than the pinned one.
        OtherOrganization = "pylon::other_organization",
    }
}
