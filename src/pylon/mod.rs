//! The client of Pylon's API. Except for the sandbox, this is the only module that uses HTTP.
//!
//! It guarantees two things. Only `apply` and `rollback` can write: they have a [`Writer`], and all other commands have a
//! [`Reader`], which cannot write. The token is only sent to the chosen host: redirects are not followed, and plain HTTP is only used
//! for this machine.
//!
//! * [`request`] lists the requests and the data in their responses. `wire` encodes and decodes their JSON. [`exchange`]
//!   converts a response to a result, without a socket. [`failure`] decides what a failure means.
//! * `client` makes one attempt at one request. `flow` combines [`pace`], which decides when a request may be sent, and
//!   [`retry`], which decides whether it is sent again. `paced_reader` sends the reads of a plan.
//! * [`observe`] decides what a plan reads, and whether the result is complete. [`inquiry`] decides what to ask the audit log.
//! * [`network`] decides whether requests go through a proxy, and `roots` which certificates are trusted. `cause` finds out
//!   why no response came, and `certificate` what is wrong with a TLS connection. `trace` writes the output of `-v`.

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
    /// The reasons why Pylon cannot be reached or used.
    pub enum PylonCode {
        NoToken = "pylon::no_token",
        /// The text is not a valid token.
        BadToken = "pylon::bad_token",
        /// The base URL cannot be used.
        BadBaseUrl = "pylon::bad_base_url",
        /// The request could not be sent.
        Unreachable = "pylon::unreachable",
        /// The certificate of the server is not valid or not trusted.
        BadCertificate = "pylon::bad_certificate",
        /// No TLS connection can be made, for a reason other than the certificate.
        TlsFailed = "pylon::tls_failed",
        /// The variables that name trusted certificates cannot be used.
        BadCertificateFile = "pylon::bad_certificate_file",
        /// The variable that names the proxy cannot be used.
        BadProxy = "pylon::bad_proxy",
        /// The proxy asks for a user name and password, or does not accept them.
        ProxyRefused = "pylon::proxy_refused",
        NoAnswer = "pylon::no_answer",
        /// The response is not what the request returns.
        BadAnswer = "pylon::bad_answer",
        /// The token belongs to another region.
        WrongRegion = "pylon::wrong_region",
        /// The token is not accepted.
        BadCredentials = "pylon::bad_credentials",
        /// The organization is deactivated in Pylon.
        Suspended = "pylon::suspended",
        /// The token's user does not have permission.
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
        /// The responses are incomplete or contradict each other.
        Incomplete = "pylon::incomplete",
        /// The token belongs to another organization than the pinned one.
        OtherOrganization = "pylon::other_organization",
    }
}
