//! Checks the certificate of a server, and says more about one that is not trusted.
//!
//! The decision is that of the wrapped verifier. Only its refusal changes: rustls does not say who issued a certificate,
//! or that it is self-signed, and that is what a person needs to find the cause.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, OtherError, SignatureScheme};
use webpki::EndEntityCert;

/// The certificate was issued by an authority that is not trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Untrusted {
    /// Who issued it, according to the certificate. `None` if it gives no name.
    pub(super) issuer: Option<String>,
    /// Whether it was issued by itself.
    pub(super) is_self_signed: bool,
    /// Whether it is marked as the certificate of an authority (CA), which no server may use.
    pub(super) is_authority: bool,
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the issuer of the certificate is not trusted")
    }
}

impl Error for Untrusted {}

/// Decides as `inner` does.
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
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.inner
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            .map_err(|error| explained(error, end_entity))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// A refusal stays a refusal; the one for an unknown issuer gets the issuer's name.
fn explained(error: rustls::Error, end_entity: &CertificateDer<'_>) -> rustls::Error {
    let is_authority = match &error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => false,
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(other)))
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
    rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(untrusted))))
}

/// The common name in a DER-encoded name, or else the organization. It is only shown, so it is searched for and not
/// parsed: what a hostile certificate hides from this search is missing from a message, and decides nothing.
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

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

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
