//! Talking to Pylon: the only room that speaks HTTP.
//!
//! * [`request`] is what can be asked; `wire` is the shape of what goes over the line, [`exchange`] a request and its answer without a socket,
//!   [`client`] makes one attempt at one request, [`failure`] says what a failure means; [`pace`] and [`retry`] decide
//!   when, purely; [`asking`] sends reads with them; [`observe`] decides what to read and whether it is complete, and
//!   [`inquiry`] what to ask the audit log.
//! * [`network`] decides how the host is reached: [`proxy`] reads which way, [`roots`] whose certificates are trusted.
//!   `cause` says why no response came, `certificate` what is wrong with a TLS connection.
//! * [`trace`] is what `-v` shows of it.
//! * There are two clients: a [`Reader`], which has no way to write, and a [`Writer`], which only an apply is given.
//! * The token goes to the chosen host alone: no redirects, no plain http but on loopback.

pub mod address;
mod cause;
mod certificate;
pub mod client;
pub mod exchange;
pub mod failure;
pub mod flow;
pub mod hint;
pub mod inquiry;
pub mod network;
pub mod observe;
pub mod pace;
pub mod paced_reader;
pub mod request;
pub mod retry;
pub mod roots;
mod scrub;
pub mod token;
pub mod trace;
mod wire;

pub use address::BaseUrl;
pub use client::{Reader, Writer};
pub use failure::{Class, Failure, FailureCause};
pub use flow::FlowControl;
pub use network::Variables;
pub use paced_reader::PacedReader;
pub use request::Attempt;
pub use token::Token;
pub use trace::Trace;

use crate::problem::codes;

codes! {
    /// What can go wrong between here and Pylon.
    pub enum PylonCode {
        NoToken = "pylon::no_token",
        /// What was given is no token.
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
        /// The organisation is switched off.
        Suspended = "pylon::suspended",
        /// The token's user may not do this.
        Forbidden = "pylon::forbidden",
        /// There is no such thing.
        NotFound = "pylon::not_found",
        /// The request is too large.
        TooLarge = "pylon::too_large",
        /// The allowance is used up for too long.
        RateLimited = "pylon::rate_limited",
        Redirected = "pylon::redirected",
        /// The server returned a 5xx.
        ServerTrouble = "pylon::server_trouble",
        /// A proxy, firewall or gateway answered instead of Pylon.
        Intercepted = "pylon::intercepted",
        Rejected = "pylon::rejected",
        /// A listing or search did not come to a provable end.
        Incomplete = "pylon::incomplete",
        /// The organisation is not the pinned one.
        OtherOrganization = "pylon::other_organization",
    }
}
