//! The client for Pylon's API. Apart from the sandbox, this is the only module that speaks HTTP.
//!
//! It makes two guarantees:
//!
//! * Only `apply` and `rollback` can write. All other commands get a [`Reader`] instead of a [`Writer`], and a [`Reader`] has
//!   no method for writing.
//! * The token is sent only to the configured host. Redirects aren't followed, and plain HTTP is limited to loopback addresses.
//!
//! The work is divided among these modules:
//!
//! * [`request`] defines the requests and the contents of their responses. `wire` encodes and decodes their JSON. [`exchange`]
//!   turns a raw response into a result without touching a socket. [`failure`] classifies failures.
//! * `client` makes a single attempt at a request. `flow` combines [`pace`], which schedules requests, with [`retry`], which
//!   decides whether to resend them. `paced_reader` sends the reads for a plan.
//! * [`observe`] decides what to read for a plan and checks the result for completeness. [`inquiry`] decides which audit log
//!   entries to request.
//! * [`network`] picks a proxy or a direct connection, and `roots` picks the trusted certificates. `cause` diagnoses missing
//!   responses, and `certificate` diagnoses TLS failures. `trace` writes the output of `-v`.

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
pub use failure::{Class, Failure, FailureCause};
pub use flow::FlowControl;
pub use network::Variables;
pub use paced_reader::PacedReader;
pub use request::Attempt;
pub use token::Token;
pub use trace::Trace;

use crate::problem::codes;

codes! {
    /// Codes for errors in connecting to Pylon or using its API.
    pub enum PylonCode {
        NoToken = "pylon::no_token",
        /// The token is malformed, so no request was sent.
        BadToken = "pylon::bad_token",
        /// The base URL is invalid, or the token would be sent unencrypted.
        BadBaseUrl = "pylon::bad_base_url",
        /// The request could not be sent.
        Unreachable = "pylon::unreachable",
        /// The server's certificate is invalid or untrusted.
        BadCertificate = "pylon::bad_certificate",
        /// A TLS connection is impossible for a reason other than the certificate.
        TlsFailed = "pylon::tls_failed",
        /// A variable such as `SSL_CERT_FILE` does not lead to usable certificates, or the system's certificates cannot be
        /// loaded.
        BadCertificateFile = "pylon::bad_certificate_file",
        /// The proxy variable's value is unusable.
        BadProxy = "pylon::bad_proxy",
        /// The proxy requires a user name and password, or rejected the configured ones.
        ProxyRefused = "pylon::proxy_refused",
        NoAnswer = "pylon::no_answer",
        /// The response reports success but does not match the request.
        BadAnswer = "pylon::bad_answer",
        /// The token belongs to another region.
        WrongRegion = "pylon::wrong_region",
        /// Pylon rejected the token.
        BadCredentials = "pylon::bad_credentials",
        /// The organization has been deactivated or suspended in Pylon.
        Suspended = "pylon::suspended",
        /// The token's user lacks permission.
        Forbidden = "pylon::forbidden",
        /// Pylon does not have the requested user or path.
        NotFound = "pylon::not_found",
        /// The request is too large.
        TooLarge = "pylon::too_large",
        /// The rate limit is exhausted, and waiting for it would take too long.
        RateLimited = "pylon::rate_limited",
        Redirected = "pylon::redirected",
        /// The server returned a 5xx.
        ServerTrouble = "pylon::server_trouble",
        /// A proxy, firewall, or gateway answered instead of Pylon.
        Intercepted = "pylon::intercepted",
        Rejected = "pylon::rejected",
        /// The responses are incomplete or contradictory.
        Incomplete = "pylon::incomplete",
        /// The token belongs to an organization other than the pinned one.
        OtherOrganization = "pylon::other_organization",
    }
}
