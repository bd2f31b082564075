//! Diagnoses TLS failures, whether caused by the server's certificate or by the handshake.
//!
//! An [`Obstacle`] would make every later request fail, so it ends the run. After a problem that might be temporary, such as an
//! interrupted handshake, the request is retried instead.
//!
//! `Explaining` accepts exactly the same certificates as the verifier it wraps. If that verifier rejects a certificate because of
//! an unknown issuer, or because it's a CA certificate, `Explaining` adds two details that rustls omits. They are the issuer and
//! whether the certificate is self-signed.

use std::sync::Arc;

use jiff::Timestamp;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, DigitallySignedStruct, Error, InvalidMessage, OtherError,
    SignatureScheme,
};
use webpki::EndEntityCert;

use super::PylonCode;
use super::failure::Obstacle;
use crate::clock::minute;
use crate::printable::Printable;

/// The error for a server certificate that has an untrusted issuer or that is a CA certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the issuer of the certificate is not trusted")]
struct Untrusted {
    /// The issuer's name, or `None` if the certificate doesn't contain one.
    issuer: Option<String>,
    is_self_signed: bool,
    /// Whether the certificate is marked as a CA certificate, which a server can't use.
    is_authority: bool,
}

#[derive(Debug)]
pub(super) struct Explaining {
    pub(super) inner: Arc<dyn ServerCertVerifier>,
}

impl ServerCertVerifier for Explaining {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.inner
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            .map_err(|error| explained(error, end_entity))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Adds the issuer to an error about an unknown issuer or about a server that uses a CA certificate. Returns all other errors
/// unchanged.
fn explained(error: Error, end_entity: &CertificateDer<'_>) -> Error {
    let is_authority = match &error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => false,
        Error::InvalidCertificate(CertificateError::Other(OtherError(other)))
            if matches!(other.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity)) =>
        {
            true
        }
        _ => return error,
    };
    let Ok(certificate) = EndEntityCert::try_from(end_entity) else { return error };
    let untrusted = Untrusted {
        issuer: name(certificate.issuer()),
        is_self_signed: certificate.issuer() == certificate.subject(),
        is_authority,
    };
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(untrusted))))
}

/// Extracts the common name, or else the organization, from a DER-encoded name. The result is only displayed, so scanning for
/// the attribute is enough. At worst, a malicious certificate hides its issuer's name from an error message.
fn name(der: &[u8]) -> Option<String> {
    const COMMON_NAME: [u8; 5] = [0x06, 0x03, 0x55, 0x04, 0x03];
    const ORGANIZATION: [u8; 5] = [0x06, 0x03, 0x55, 0x04, 0x0a];
    let value = |attribute: [u8; 5]| {
        let at = der.windows(attribute.len()).rposition(|window| window == attribute)?;
        let [_kind, length, rest @ ..] = &der[at + attribute.len()..] else { return None };
        let text = rest.get(..usize::from(*length))?;
        String::from_utf8(text.to_vec()).ok().filter(|text| !text.is_empty())
    };
    value(COMMON_NAME).or_else(|| value(ORGANIZATION))
}

/// The maximum number of certificate names shown in a message.
const NAMES: usize = 5;

/// Explains why a TLS connection to `party` is impossible, or returns `None` if the next attempt might succeed. `trusted` lists
/// the environment variables that override the system's trusted certificates. `in_handshake` is `false` if our side of the
/// handshake was already complete.
pub(super) fn obstacle(error: &Error, party: &str, trusted: &[&str], in_handshake: bool) -> Option<Obstacle> {
    match error {
        Error::InvalidCertificate(error) => Some(invalid(error, party, trusted)),
        Error::NoCertificatesPresented => Some(tls(party, "sent no certificate", OPERATOR)),
        // After the handshake, `CertificateRequired` is the only alert that proves that the server hasn't read the request.
        // When any other alert arrives, a write might already have been applied.
        Error::AlertReceived(alert)
            if *alert == AlertDescription::CertificateRequired
                || in_handshake && wants_client_certificate(*alert) =>
        {
            Some(tls(
                party,
                &format!("refused the connection: it requires a client certificate ({alert:?})"),
                "rolecall does not support client certificates: use a server that does not require one",
            ))
        }
        Error::AlertReceived(alert) if in_handshake => refused(*alert, party),
        Error::PeerIncompatible(why) if in_handshake => {
            Some(tls(party, &format!("has no TLS settings in common with rolecall ({why:?})"), VERSIONS))
        }
        Error::InvalidMessage(
            InvalidMessage::InvalidContentType
            | InvalidMessage::UnknownProtocolVersion
            | InvalidMessage::MessageTooLarge,
        ) if in_handshake => Some(tls(
            party,
            "does not use TLS: it may be a plain HTTP server",
            "check the port in --base-url; use http:// only for a server on this machine",
        )),
        _ => None,
    }
}

const OPERATOR: &str = "ask the administrator of this server, or of the proxy in front of it, to fix this";
const VERSIONS: &str = "rolecall supports TLS 1.2 and 1.3: ask the administrator of this server, or of the proxy in front of it, to correct its TLS settings";

fn tls(party: &str, what: &str, help: &str) -> Obstacle {
    Obstacle { code: PylonCode::TlsFailed, why: format!("{party} {what}"), help: help.into() }
}

fn bad(party: &str, what: &str, help: impl Into<String>) -> Obstacle {
    Obstacle {
        code: PylonCode::BadCertificate,
        why: format!("the certificate of {party} {what}"),
        help: help.into(),
    }
}

/// Returns `true` for alerts that a missing or invalid client certificate can cause. In TLS 1.3, the alert arrives after the
/// handshake but before the server reads the request.
fn wants_client_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::CertificateRequired
            | AlertDescription::NoCertificate
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
    )
}

/// Explains why the server aborted the handshake, or returns `None` if the next attempt might succeed (e.g., after an internal
/// error).
fn refused(alert: AlertDescription, party: &str) -> Option<Obstacle> {
    match alert {
        AlertDescription::ProtocolVersion => Some(tls(party, "does not support TLS 1.2 or 1.3", VERSIONS)),
        AlertDescription::HandshakeFailure
        | AlertDescription::InsufficientSecurity
        | AlertDescription::NoApplicationProtocol
        | AlertDescription::IllegalParameter
        | AlertDescription::MissingExtension => {
            Some(tls(party, &format!("refused the TLS handshake ({alert:?})"), VERSIONS))
        }
        AlertDescription::UnrecognisedName => Some(tls(
            party,
            "has no certificate for this name",
            "check --region and --base-url, or ask the administrator of this server",
        )),
        _ => None,
    }
}

fn invalid(error: &CertificateError, party: &str, trusted: &[&str]) -> Obstacle {
    match error {
        CertificateError::Expired => bad(party, "has expired", OPERATOR_OR_CLOCK),
        CertificateError::ExpiredContext { not_after, .. } => {
            bad(party, &format!("expired on {}", date(*not_after)), OPERATOR_OR_CLOCK)
        }
        CertificateError::NotValidYet => bad(party, "is not valid yet", CLOCK),
        CertificateError::NotValidYetContext { time, not_before } => bad(
            party,
            &format!(
                "is not valid before {}, but this machine's clock says {}",
                date(*not_before),
                date(*time)
            ),
            CLOCK,
        ),
        CertificateError::NotValidForName => bad(party, "is for a different name", OTHER_NAME),
        CertificateError::NotValidForNameContext { expected, presented } => {
            bad(party, &format!("is not for {}, but {}", expected.to_str(), names(presented)), OTHER_NAME)
        }
        CertificateError::Revoked => bad(party, "was revoked", OPERATOR),
        CertificateError::UnknownIssuer => {
            bad(party, "was issued by a certificate authority that rolecall does not trust", trust(trusted))
        }
        CertificateError::Other(OtherError(other)) => match other.downcast_ref() {
            Some(untrusted) => not_trusted(untrusted, party, trusted),
            None => bad(party, &format!("is not valid: {other}"), OPERATOR),
        },
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            bad(party, "is not valid for a server", OPERATOR)
        }
        CertificateError::BadEncoding => bad(party, "cannot be decoded", OPERATOR),
        CertificateError::BadSignature => bad(party, "has an invalid signature", OPERATOR),
        CertificateError::UnhandledCriticalExtension => {
            bad(party, "has a critical extension that is not supported", OPERATOR)
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            bad(party, "is signed with an algorithm that is not supported", OPERATOR)
        }
        other => bad(party, &format!("is not valid: {other}"), OPERATOR),
    }
}

const OPERATOR_OR_CLOCK: &str = "check the clock of this machine; if it is right, ask the administrator of this server, or of the proxy in front of it, to renew the certificate";
const CLOCK: &str = "check the clock of this machine; if it is right, ask the administrator of this server about the certificate";
const OTHER_NAME: &str = "check --region and --base-url; if they are right, a different server is responding: ask the administrator of your network";

fn not_trusted(untrusted: &Untrusted, party: &str, trusted: &[&str]) -> Obstacle {
    let Untrusted { issuer, is_self_signed, is_authority } = untrusted;
    match (is_self_signed, is_authority, issuer) {
        (_, true, _) => bad(
            party,
            if *is_self_signed { "is a self-signed CA certificate" } else { "is a CA certificate" },
            "a server cannot use a CA certificate: issue a separate certificate for this server, with CA:FALSE, and set \
             SSL_CERT_FILE to the CA certificate",
        ),
        (true, false, _) => bad(party, "is self-signed and not trusted by rolecall", trust(trusted)),
        (false, false, None) => {
            bad(party, "was issued by a certificate authority that rolecall does not trust", trust(trusted))
        }
        (false, false, Some(issuer)) => {
            let issuer = Printable::cut(issuer, 80);
            bad(party, &format!("was issued by {issuer}, which rolecall does not trust"), trust(trusted))
        }
    }
}

/// Explains how to trust the certificate. `trusted` lists the variables currently supplying the trusted certificates.
fn trust(trusted: &[&str]) -> String {
    if trusted.is_empty() {
        return "if your network inspects TLS traffic, set SSL_CERT_FILE to its CA certificate, in PEM format; otherwise, do not trust \
                this connection"
            .into();
    }
    format!(
        "only the certificates in {} are trusted: if this certificate is genuine, add the certificate of its authority there; \
         `rolecall doctor` shows the number of trusted certificates",
        trusted.join(" and ")
    )
}

fn date(time: UnixTime) -> String {
    let at = i64::try_from(time.as_secs()).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    at.map_or_else(|| "an unknown date".into(), minute)
}

/// Formats the names in a certificate, which rustls passes as `DnsName("pylon.example")` and `IpAddress(127.0.0.1)`.
fn names(presented: &[String]) -> String {
    let plain = |name: &String| {
        let inside = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
        Printable::cut(inside.trim_matches('"'), 80).to_string()
    };
    let shown: Vec<String> = presented.iter().take(NAMES).map(plain).collect();
    match (presented.len(), presented.len().saturating_sub(NAMES)) {
        (0, _) => "without any name".into(),
        (_, 0) => format!("for {}", shown.join(", ")),
        (_, more) => format!("for {} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn of(error: &Error, in_handshake: bool) -> Option<(PylonCode, String)> {
        let obstacle = obstacle(error, "pylon.example", &[], in_handshake)?;
        Some((obstacle.code, obstacle.why))
    }

    #[test]
    fn permanent_tls_errors_are_obstacles_and_the_others_are_retried() {
        use AlertDescription as Alert;
        let bad =
            |why: &str| Some((PylonCode::BadCertificate, format!("the certificate of pylon.example {why}")));
        let tls = |why: &str| Some((PylonCode::TlsFailed, format!("pylon.example {why}")));
        let invalid = Error::InvalidCertificate;
        for (error, expected) in [
            (invalid(CertificateError::Revoked), bad("was revoked")),
            (invalid(CertificateError::Expired), bad("has expired")),
            (invalid(CertificateError::NotValidYet), bad("is not valid yet")),
            (invalid(CertificateError::NotValidForName), bad("is for a different name")),
            (invalid(CertificateError::InvalidPurpose), bad("is not valid for a server")),
            (invalid(CertificateError::BadSignature), bad("has an invalid signature")),
            (
                invalid(CertificateError::UnknownIssuer),
                bad("was issued by a certificate authority that rolecall does not trust"),
            ),
            (Error::NoCertificatesPresented, tls("sent no certificate")),
            (Error::AlertReceived(Alert::ProtocolVersion), tls("does not support TLS 1.2 or 1.3")),
            (Error::AlertReceived(Alert::UnrecognisedName), tls("has no certificate for this name")),
            (Error::AlertReceived(Alert::InternalError), None),
            (Error::AlertReceived(Alert::CloseNotify), None),
            (Error::AlertReceived(Alert::BadRecordMac), None),
            (Error::DecryptError, None),
            (Error::HandshakeNotComplete, None),
        ] {
            assert_eq!(of(&error, true), expected, "{error:?}");
        }
    }

    #[test]
    fn after_the_handshake_only_the_lack_of_a_client_certificate_is_an_obstacle() {
        for alert in [AlertDescription::ProtocolVersion, AlertDescription::HandshakeFailure] {
            assert_eq!(of(&Error::AlertReceived(alert), false), None, "a write may have been applied");
        }
        assert_eq!(of(&Error::InvalidMessage(InvalidMessage::InvalidContentType), false), None);
        assert!(of(&Error::AlertReceived(AlertDescription::CertificateRequired), false).is_some());
    }

    #[test]
    fn at_most_five_names_of_a_certificate_are_shown() {
        let presented: Vec<String> = (0..7).map(|number| format!("DnsName(\"p{number}.example\")")).collect();
        assert_eq!(
            names(&presented),
            "for p0.example, p1.example, p2.example, p3.example, p4.example and 2 more"
        );
        assert_eq!(names(&presented[..1]), "for p0.example");
        assert_eq!(names(&["IpAddress(127.0.0.1)".into()]), "for 127.0.0.1");
        assert_eq!(names(&[]), "without any name");
        assert_eq!(names(&["DnsName(\"\u{1b}[2J\")".into()]).find('\u{1b}'), None);
    }

    #[test]
    fn the_name_of_an_issuer_is_the_common_name_or_else_the_organization() {
        let attribute = |kind: u8, text: &str| {
            let length = u8::try_from(text.len()).unwrap();
            [&[0x06, 0x03, 0x55, 0x04, kind, 0x0c, length], text.as_bytes()].concat()
        };
        let (organization, common) = (attribute(0x0a, "Acme"), attribute(0x03, "Acme Root"));
        assert_eq!(name(&[organization.clone(), common.clone()].concat()).as_deref(), Some("Acme Root"));
        assert_eq!(name(&organization).as_deref(), Some("Acme"));
        assert_eq!(name(&attribute(0x06, "DE")), None);
        assert_eq!(name(&common[..common.len() - 1]), None, "cut short");
        for end in 0..common.len() {
            assert_eq!(name(&common[..end]), None);
        }
    }
}
