//! TLS with real certificates on loopback: a certificate authority, a TLS relay in front of the sandbox, and a proxy.
//!
//! The relay serves one request per connection. That way, a test knows which certificate each request gets.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

/// A certificate authority for a single test.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
}

/// A server's certificate and private key.
pub(crate) struct Identity {
    certificate: CertificateDer<'static>,
    pem: String,
    key: KeyPair,
}

/// Returns the settings for a currently valid certificate with these names.
pub(crate) fn settings(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut settings = CertificateParams::new(names).unwrap();
    settings.not_before = date_time_ymd(2020, 1, 1);
    settings.not_after = date_time_ymd(2120, 1, 1);
    settings
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut settings = settings(&[]);
        settings.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        settings.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = settings.self_signed(&key).unwrap();
        Self { issuer: Issuer::new(settings, key), certificate }
    }

    pub(crate) fn pem(&self) -> String {
        self.certificate.pem()
    }

    pub(crate) fn der(&self) -> &[u8] {
        self.certificate.der()
    }

    pub(crate) fn issue(&self, settings: &CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        Identity::of(&settings.signed_by(&key, &self.issuer).unwrap(), key)
    }
}

impl Identity {
    fn of(certificate: &rcgen::Certificate, key: KeyPair) -> Self {
        Self { certificate: certificate.der().clone(), pem: certificate.pem(), key }
    }

    pub(crate) fn self_signed(settings: &CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        Self::of(&settings.self_signed(&key).unwrap(), key)
    }

    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    pub(crate) fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    /// Configures a server with this certificate.
    pub(crate) fn server(&self) -> Arc<ServerConfig> {
        self.configured(None)
    }

    /// Configures a server that also requires a client certificate from this authority.
    pub(crate) fn server_for_clients_of(&self, authority: &Authority) -> Arc<ServerConfig> {
        self.configured(Some(authority))
    }

    fn configured(&self, clients: Option<&Authority>) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.certificate.der().clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).unwrap();
        Arc::new(builder.with_single_cert(vec![self.certificate.clone()], key).unwrap())
    }
}

/// A loopback server, which runs until the tests end.
pub(crate) struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// Serves each connection on its own thread. `serve` receives the connection's number, starting from 1.
    pub(crate) fn start(serve: impl Fn(usize, TcpStream) -> io::Result<()> + Clone + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, connections) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let counter = Arc::clone(&connections);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (number, serve) = (counter.fetch_add(1, Ordering::SeqCst) + 1, serve.clone());
                // Ignore errors because many of these tests end the connection with one.
                thread::spawn(move || serve(number, stream).err());
            }
        });
        Self { address, connections }
    }

    /// Starts a TLS relay to `pylon`. `settings` picks the certificate by connection number.
    pub(crate) fn relay(
        pylon: &str,
        settings: impl Fn(usize) -> Arc<ServerConfig> + Clone + Send + 'static,
    ) -> Self {
        let pylon = pylon.to_owned();
        Self::start(move |number, stream| relay(&pylon, settings(number), stream))
    }

    /// Starts a server that answers every connection with these bytes.
    pub(crate) fn saying(bytes: &'static [u8]) -> Self {
        Self::start(move |_, mut stream| {
            stream.read_exact(&mut [0; 5])?; // the client sends first
            stream.write_all(bytes)?;
            drained(&mut stream)
        })
    }

    /// Starts a proxy that records the head of each request in `heads` and responds with `status`. After a 200, it connects to
    /// `target`, regardless of the requested host.
    pub(crate) fn proxy(status: &'static str, target: SocketAddr, heads: Arc<Mutex<Vec<String>>>) -> Self {
        Self::start(move |_, mut stream| {
            let head = read_head(&mut stream)?;
            heads.lock().unwrap().push(String::from_utf8_lossy(&head).into_owned());
            write!(stream, "HTTP/1.1 {status}\r\n\r\n")?;
            if !status.starts_with("200") {
                return drained(&mut stream);
            }
            let mut out = TcpStream::connect(target)?;
            let (mut from, mut to) = (stream.try_clone()?, out.try_clone()?);
            thread::spawn(move || io::copy(&mut from, &mut to));
            io::copy(&mut out, &mut stream).map(drop)
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Forwards one request to Pylon and sends the response back to the client.
fn relay(pylon: &str, settings: Arc<ServerConfig>, stream: TcpStream) -> io::Result<()> {
    let mut raw = stream.try_clone()?;
    let mut tls = StreamOwned::new(ServerConnection::new(settings).map_err(io::Error::other)?, stream);
    let Ok(request) = read_request(&mut tls) else {
        // Closing a socket with unread data would reset the connection, and the client might miss the alert.
        return drained(&mut raw);
    };
    let mut pylon = TcpStream::connect(pylon)?;
    pylon.write_all(&request)?;
    io::copy(&mut pylon, &mut tls)?;
    tls.conn.send_close_notify();
    tls.flush()?;
    drained(&mut raw)
}

/// Shuts down the sending side, then reads until the peer closes the connection.
fn drained(stream: &mut TcpStream) -> io::Result<()> {
    stream.shutdown(std::net::Shutdown::Write)?;
    io::copy(stream, &mut io::sink()).map(drop)
}

/// Reads a request's head and body and adds a header that closes the connection.
fn read_request(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let head = read_head(stream)?;
    let text = String::from_utf8_lossy(&head).to_lowercase();
    let length =
        text.split_once("content-length:").and_then(|(_, rest)| rest.lines().next()?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body)?;
    let end = head.len() - 2;
    Ok([&head[..end], b"connection: close\r\n\r\n", &body].concat())
}

/// Reads the head up to and including the blank line.
fn read_head(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    Ok(head)
}
