//! Decides which root certificates to trust: either the system's or only those in `SSL_CERT_FILE` and `SSL_CERT_DIR`.
//!
//! The platform verifier honors these variables only on Linux, where it silently skips anything it can't use. This module reads
//! the variables itself so that they work the same on every platform, and so that an unusable file is rejected before the first
//! request.
//!
//! A file may start with a UTF-8 byte-order mark, which Windows editors like to add. DER is not accepted because a DER file may
//! contain something other than a certificate, and other programs that read `SSL_CERT_FILE` don't accept it either.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{PemObject, SectionKind};
use rustls::{ClientConfig, RootCertStore};

use super::PylonCode;
use super::address::BaseUrl;
use super::certificate::Explaining;
use super::network::Variables;

use crate::invocation::{path_word, quoted};
use crate::printable::Printable;
use crate::problem::Problem;
use crate::regular;

const FILE: &str = "SSL_CERT_FILE";
const FOLDER: &str = "SSL_CERT_DIR";
/// Size limit for certificate files, in bytes. The bundles shipped by Linux distributions are below 1 MiB.
const LARGEST: u64 = 16 * 1024 * 1024;

#[derive(Debug, Clone)]
pub enum Roots {
    /// No certificates are needed because the host uses plain http.
    NotNeeded,
    /// The operating system's certificates are trusted.
    System,
    /// Only the certificates in `SSL_CERT_FILE` and `SSL_CERT_DIR` are trusted.
    Given(Given),
}

/// The certificates in `SSL_CERT_FILE` and `SSL_CERT_DIR`.
#[derive(Debug, Clone)]
pub struct Given {
    pub sources: Vec<RootsSource>,
    store: Arc<RootCertStore>,
}

/// A file or folder of certificates, named in `SSL_CERT_FILE` or `SSL_CERT_DIR`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootsSource {
    /// The environment variable that names the file or folder.
    pub variable: &'static str,
    pub path: PathBuf,
    /// The number of usable certificates in the file or folder.
    pub certificates: usize,
}

impl Roots {
    /// Loads the root certificates for connections to `base`.
    ///
    /// # Errors
    /// Returns an error if `SSL_CERT_FILE` is set but unusable, or if only `SSL_CERT_DIR` is set and none of its folders has a
    /// usable certificate.
    pub fn load(base: &BaseUrl, variables: &Variables) -> Result<Self, Problem> {
        if base.is_plain() {
            return Ok(Self::NotNeeded);
        }
        let file = variables.set(FILE).map(|(_, value)| value);
        let folders: Vec<PathBuf> = variables.set(FOLDER).map_or_else(Vec::new, |(_, value)| {
            std::env::split_paths(value).filter(|path| !path.as_os_str().is_empty()).collect()
        });
        if file.is_none() && folders.is_empty() {
            return Ok(Self::System);
        }
        let (mut sources, mut all) = (Vec::new(), HashSet::new());
        if let Some(file) = file {
            let certificates = of_file(file)?;
            sources.push(RootsSource { variable: FILE, path: file.into(), certificates: certificates.len() });
            all.extend(certificates);
        }
        for folder in folders {
            let certificates = of_folder(&folder);
            sources.push(RootsSource { variable: FOLDER, path: folder, certificates: certificates.len() });
            all.extend(certificates);
        }
        if all.is_empty() {
            return Err(no_folder_has_any(&sources));
        }
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(all);
        Ok(Self::Given(Given { sources, store: Arc::new(store) }))
    }

    /// Returns the environment variables that supply the trusted certificates (none for [`Self::System`] and [`Self::NotNeeded`]).
    pub(super) fn variables(&self) -> Vec<&'static str> {
        match self {
            Self::NotNeeded | Self::System => Vec::new(),
            Self::Given(given) => {
                let mut variables: Vec<&str> = given.sources.iter().map(|source| source.variable).collect();
                variables.dedup(); // `SSL_CERT_DIR` can list several folders
                variables
            }
        }
    }

    /// Returns a TLS client configuration that trusts the selected root certificates.
    ///
    /// # Errors
    /// Returns an error if the operating system's certificates cannot be loaded.
    pub(super) fn config(&self) -> Result<ClientConfig, Problem> {
        let provider = Arc::new(ring::default_provider());
        let versions = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| no_roots(&error))?;
        let verifier: Option<Arc<dyn ServerCertVerifier>> = match self {
            Self::NotNeeded => None,
            Self::System => {
                let verifier = rustls_platform_verifier::Verifier::new(provider);
                Some(Arc::new(verifier.map_err(|error| no_roots(&error))?))
            }
            Self::Given(given) => {
                let store = Arc::clone(&given.store);
                let verifier = WebPkiServerVerifier::builder_with_provider(store, provider).build();
                Some(verifier.map_err(|error| no_roots(&error))?)
            }
        };
        let mut config = match verifier {
            None => versions.with_root_certificates(RootCertStore::empty()).with_no_client_auth(),
            Some(inner) => versions
                .dangerous() // required for any custom verifier; `Explaining` defers to the standard verifier
                .with_custom_certificate_verifier(Arc::new(Explaining { inner }))
                .with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

fn no_roots(error: &dyn std::error::Error) -> Problem {
    let why = Printable::cut(&error.to_string(), 300);
    let message = format!("cannot load this machine's trusted certificates: {why}");
    Problem::new(PylonCode::BadCertificateFile, message).help(
        "install the system's root certificates (the package is often called ca-certificates), or set SSL_CERT_FILE to a \
         certificate file",
    )
}

/// Loads the certificates in the file given by `SSL_CERT_FILE`.
fn of_file(value: &OsStr) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let path = Path::new(value);
    let name = Printable::path(path).to_string();
    let problem = |why: &str, help: String| {
        Problem::new(PylonCode::BadCertificateFile, format!("{FILE} is set to `{name}`, {why}")).help(help)
    };
    let another = format!(
        "set it to a certificate file in PEM format, or unset {FILE} to trust the system's certificates"
    );
    if value.is_empty() {
        return Err(
            Problem::new(PylonCode::BadCertificateFile, format!("{FILE} is set, but empty")).help(another)
        );
    }
    if path.is_dir() {
        return Err(problem(
            "which is a folder",
            format!("set it to a file, or set {FOLDER} to the folder instead"),
        ));
    }
    let bytes = regular::bytes(path, LARGEST)
        .map_err(|why| problem(&format!("which cannot be read: {why}"), another.clone()))?;
    certificates(path, &bytes)
        .map_err(|UnusableRoots { what, fix }| problem(&what, fix.unwrap_or_else(|| another.clone())))
}

/// Loads the certificates from the files in a folder. Like OpenSSL, it skips files that can't be read or have no certificate.
fn of_folder(folder: &Path) -> HashSet<CertificateDer<'static>> {
    let Ok(entries) = fs::read_dir(folder) else { return HashSet::new() };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let certificates =
        paths.filter_map(|path| certificates(&path, &regular::bytes(&path, LARGEST).ok()?).ok());
    certificates.flatten().collect()
}

/// Returns the error to report if no folder in `SSL_CERT_DIR` contains a certificate and `SSL_CERT_FILE` isn't set.
fn no_folder_has_any(sources: &[RootsSource]) -> Problem {
    let of = |source: &RootsSource| {
        let name = Printable::path(&source.path);
        match fs::read_dir(&source.path) {
            Ok(_) => format!("`{name}` has no certificate in PEM format"),
            Err(error) => format!("`{name}` cannot be read: {error}"),
        }
    };
    let folders: Vec<String> = sources.iter().map(of).collect();
    Problem::new(
        PylonCode::BadCertificateFile,
        format!("{FOLDER} has no folder with a certificate: {}", folders.join("; ")),
    )
    .help(format!(
        "set it to a folder of certificates in PEM format, or unset {FOLDER} to trust the system's certificates"
    ))
}

/// The reason a file has no usable certificate.
struct UnusableRoots {
    what: String,
    /// The help text, or `None` for the default advice to set the variable to another file.
    fix: Option<String>,
}

fn unusable(what: impl Into<String>) -> UnusableRoots {
    UnusableRoots { what: what.into(), fix: None }
}

/// Parses `bytes` as PEM. `path` is the file's path, for use in error messages.
fn certificates(path: &Path, bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, UnusableRoots> {
    let name = path_word(path);
    let (from, to) = (quoted(&name), quoted(&format!("{name}.pem")));
    let convert =
        |command: String| Some(format!("convert it, and set the variable to the new file: {command}"));
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        let fix = convert(format!("iconv -f utf-16 -t utf-8 {from} > {to}"));
        return Err(UnusableRoots { what: "which is UTF-16 text".into(), fix });
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    match text {
        [] => return Err(unusable("which is empty")),
        // A DER certificate starts with an ASN.1 SEQUENCE that has a multi-byte length.
        [0x30, 0x80..=0x84, ..] => {
            let what = "which is in DER format (binary), not in PEM format (text)".into();
            let fix = convert(format!("openssl x509 -inform der -in {from} -out {to}"));
            return Err(UnusableRoots { what, fix });
        }
        _ => {}
    }
    let (mut found, mut undecodable, mut has_key) = (Vec::new(), None, false);
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(text) {
        let damaged = |error| unusable(format!("which is damaged: {}", Printable::cut(&damage(&error), 200)));
        match section.map_err(damaged)? {
            // Large bundles may contain a few certificates that rustls doesn't support.
            (SectionKind::Certificate, der) => match RootCertStore::empty().add(der.clone().into()) {
                Ok(()) => found.push(CertificateDer::from(der)),
                Err(error) => undecodable = Some(error),
            },
            (SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey, _) => {
                has_key = true;
            }
            _ => {}
        }
    }
    if !found.is_empty() {
        return Ok(found);
    }
    if let Some(error) = undecodable {
        let why = Printable::cut(&error.to_string(), 200);
        return Err(unusable(format!("which has no valid certificate: {why}")));
    }
    if has_key {
        let fix = "set it to the certificate file, and make sure that only the owner of the private key file can read it";
        let what = "which has a private key but no certificate".into();
        return Err(UnusableRoots { what, fix: Some(fix.into()) });
    }
    Err(unusable("which has no certificate in PEM format"))
}

/// Describes a PEM parser error. The error's own message would print lines as lists of bytes.
fn damage(error: &rustls::pki_types::pem::Error) -> String {
    use rustls::pki_types::pem::Error;
    match error {
        Error::MissingSectionEnd { .. } => "an -----END line is missing".into(),
        Error::IllegalSectionStart { .. } => "a -----BEGIN line is invalid".into(),
        other => other.to_string(),
    }
}
