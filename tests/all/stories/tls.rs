//! Tests for connections that are untrusted or can't be established: certificates, the TLS handshake, the proxy, and the
//! environment variables that configure them.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pretty_assertions::assert_eq;
use rcgen::{BasicConstraints, IsCa, date_time_ymd};
use rustls::ServerConfig;

use crate::harness::{Run, Scene};
use crate::tls::{Authority, Identity, Server, settings};

const PYLON: &str = r#"{ "organization": { "id": "org_1", "name": "Acme" }, "users": [
    { "id": "u_ana", "email": "ana@acme.example", "name": "Ana", "role": "member" } ] }"#;
const USERS: &str = "[users]\n\"ana@acme.example\" = { role = \"Viewer\" }\n";
const LOOPBACK: &str = "127.0.0.1";
/// The number of concurrent requests at the start of a plan. More connections mean that a request was retried.
const FIRST_READS: usize = 4;

/// Sets up a sandbox behind a relay that presents the certificates of `server`. rolecall trusts only the certificates in `pem`.
fn behind(
    pem: &str,
    server: impl Fn(usize) -> Arc<ServerConfig> + Clone + Send + 'static,
) -> (Scene, Server) {
    let scene = Scene::with_pylon(PYLON).file("users.toml", USERS).file("roots.pem", pem);
    let relay = Server::relay(&scene.host(), server);
    let scene = scene
        .env("PYLON_BASE_URL", &format!("https://{}", relay.address()))
        .env("SSL_CERT_FILE", "roots.pem");
    (scene, relay)
}

#[track_caller]
fn is_not_retried(server: &Server, run: &Run) {
    let connections = server.connections();
    assert!((1..=FIRST_READS).contains(&connections), "{connections} connections:\n{}", run.stderr);
}

/// Runs a plan over an untrusted connection. Checks that rolecall neither retries the connection nor sends a request.
#[track_caller]
fn is_refused(trusted: &str, presented: &Identity) -> (Run, SocketAddr) {
    let server = presented.server();
    let (scene, relay) = behind(trusted, move |_| Arc::clone(&server));
    let run = scene.run("plan");
    run.exits(1).names("pylon::bad_certificate");
    is_not_retried(&relay, &run);
    assert_eq!(scene.asked(), Vec::<String>::new());
    (run, relay.address())
}

#[test]
fn a_certificate_of_a_trusted_authority_is_accepted() {
    let authority = Authority::new("Story CA");
    let server = authority.issue(&settings(&[LOOPBACK])).server();
    let (scene, _relay) = behind(&authority.pem(), move |_| Arc::clone(&server));
    scene.run("plan --detailed-exitcode").exits(2);
}

#[test]
fn a_trusted_self_signed_certificate_is_accepted() {
    let identity = Identity::self_signed(&settings(&[LOOPBACK]));
    let server = identity.server();
    let (scene, _relay) = behind(identity.pem(), move |_| Arc::clone(&server));
    scene.run("plan --detailed-exitcode").exits(2);
}

#[test]
fn an_unknown_authority_is_named() {
    let trusted = Authority::new("Story CA").pem();
    let (run, address) =
        is_refused(&trusted, &Authority::new("Inspecting Proxy CA").issue(&settings(&[LOOPBACK])));
    run.mentions(&format!(
        "no request was sent to Pylon: the certificate of {address} was issued by Inspecting Proxy CA, which rolecall does not trust"
    ));
    run.mentions("only the certificates in SSL_CERT_FILE are trusted");
}

#[test]
fn a_self_signed_certificate_is_reported_as_self_signed() {
    let trusted = Authority::new("Story CA").pem();
    let (run, address) = is_refused(&trusted, &Identity::self_signed(&settings(&[LOOPBACK])));
    run.mentions(&format!("the certificate of {address} is self-signed and not trusted by rolecall"));
}

#[test]
fn a_self_signed_certificate_of_an_authority_is_refused_even_if_it_is_trusted() {
    let mut authority = settings(&[LOOPBACK]);
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let identity = Identity::self_signed(&authority);
    let (run, address) = is_refused(identity.pem(), &identity);
    run.mentions(&format!("the certificate of {address} is a self-signed CA certificate"));
    run.mentions("issue a separate certificate for this server, with CA:FALSE");
}

#[test]
fn a_certificate_for_other_names_is_refused_with_both_names() {
    let authority = Authority::new("Story CA");
    let (run, address) =
        is_refused(&authority.pem(), &authority.issue(&settings(&["pylon.example", "192.0.2.1"])));
    run.mentions(&format!(
        "the certificate of {address} is not for 127.0.0.1, but for pylon.example, 192.0.2.1"
    ));
    run.mentions("check --region and --base-url");
}

#[test]
fn an_expired_certificate_is_refused_with_its_date() {
    let authority = Authority::new("Story CA");
    let mut expired = settings(&[LOOPBACK]);
    expired.not_after = date_time_ymd(2021, 2, 3);
    let (run, address) = is_refused(&authority.pem(), &authority.issue(&expired));
    run.mentions(&format!("the certificate of {address} expired on 2021-02-03 00:00Z"));
}

#[test]
fn a_certificate_that_is_not_valid_yet_points_to_the_clock() {
    let authority = Authority::new("Story CA");
    let mut early = settings(&[LOOPBACK]);
    early.not_before = date_time_ymd(2110, 2, 3);
    let (run, address) = is_refused(&authority.pem(), &authority.issue(&early));
    run.mentions(&format!(
        "the certificate of {address} is not valid before 2110-02-03 00:00Z, but this machine's clock says 20"
    ));
    run.mentions("check the clock of this machine");
}

/// Returns an organization of twelve people, and files that change all of them. With twelve changes, some writes have to wait for
/// others to finish.
fn many() -> (String, String) {
    let number = 0..12;
    let users: Vec<String> = number
        .clone()
        .map(|n| {
            format!(r#"{{ "id": "u_{n}", "email": "p{n}@acme.example", "name": "P", "role": "member" }}"#)
        })
        .collect();
    let declared: String =
        number.map(|n| format!("\"p{n}@acme.example\" = {{ role = \"Viewer\" }}\n")).collect();
    let pylon = format!(
        r#"{{ "organization": {{ "id": "org_1", "name": "Acme" }}, "users": [ {} ] }}"#,
        users.join(", ")
    );
    (pylon, format!("[guardrails]\nmax_changes = 12\n[users]\n{declared}"))
}

/// Applies twelve changes. After the reads and `writes` more connections, the server presents an expired certificate.
fn swapped_after(writes: usize) -> (Scene, Run) {
    let (pylon, users) = many();
    let scene = Scene::with_pylon(&pylon).file("users.toml", users);
    scene.run("plan").exits(0);
    let good_ones = scene.asked().len() + writes;
    let authority = Authority::new("Story CA");
    let mut expired = settings(&[LOOPBACK]);
    expired.not_after = date_time_ymd(2021, 2, 3);
    let (good, bad) = (authority.issue(&settings(&[LOOPBACK])).server(), authority.issue(&expired).server());
    let relay = Server::relay(&scene.host(), move |number| {
        Arc::clone(if number <= good_ones { &good } else { &bad })
    });
    let scene = scene
        .file("roots.pem", authority.pem())
        .env("PYLON_BASE_URL", &format!("https://{}", relay.address()))
        .env("SSL_CERT_FILE", "roots.pem");
    let began = Instant::now();
    let run = scene.run("apply --auto-approve");
    assert!(began.elapsed() < Duration::from_secs(5), "it took {:?}", began.elapsed());
    let most = good_ones + 8; // requests already in flight when the first certificate was rejected
    assert!(
        relay.connections() <= most,
        "{} connections, and at most {most} were expected",
        relay.connections()
    );
    (scene, run)
}

#[test]
fn a_certificate_that_becomes_invalid_during_an_apply_stops_it_at_once() {
    let (scene, run) = swapped_after(3);
    run.exits(4);
    assert_eq!(scene.patches().len(), 3);
    assert!(run.stdout.contains("\n3 applied · 9 not attempted"), "{}", run.stdout);
    assert!(run.stdout.contains("expired on 2021-02-03 00:00Z"), "{}", run.stdout);
}

#[test]
fn a_certificate_that_becomes_invalid_before_the_first_write_changes_nothing() {
    let (scene, run) = swapped_after(0);
    run.exits(1);
    assert_eq!(scene.patches(), Vec::<String>::new());
    assert!(run.stdout.contains("\n12 not attempted"), "{}", run.stdout);
}

/// Runs a plan over HTTPS against `server`, and expects `message` and no retry.
#[track_caller]
fn tls_fails(server: &Server, message: &str) -> Run {
    let authority = Authority::new("Story CA");
    let scene = Scene::with_pylon(PYLON)
        .file("users.toml", USERS)
        .file("roots.pem", authority.pem())
        .env("PYLON_BASE_URL", &format!("https://{}", server.address()))
        .env("SSL_CERT_FILE", "roots.pem");
    let run = scene.run("plan");
    run.exits(1).names("pylon::tls_failed").mentions(&format!("{} {message}", server.address()));
    is_not_retried(server, &run);
    run
}

#[test]
fn a_plain_http_server_at_an_https_address_is_reported() {
    let run = tls_fails(
        &Server::saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        "does not use TLS: it may be a plain HTTP server",
    );
    run.mentions("check the port in --base-url");
}

#[test]
fn a_server_without_a_supported_tls_version_is_reported() {
    // These bytes are the TLS alerts `protocol_version` and `handshake_failure`.
    tls_fails(&Server::saying(&[21, 3, 1, 0, 2, 2, 70]), "does not support TLS 1.2 or 1.3");
    tls_fails(&Server::saying(&[21, 3, 1, 0, 2, 2, 40]), "refused the TLS handshake (HandshakeFailure)");
}

#[test]
fn a_server_that_requires_a_client_certificate_is_reported() {
    let authority = Authority::new("Story CA");
    let server = authority.issue(&settings(&[LOOPBACK])).server_for_clients_of(&authority);
    let (scene, relay) = behind(&authority.pem(), move |_| Arc::clone(&server));
    let run = scene.run("plan");
    run.exits(1)
        .names("pylon::tls_failed")
        .mentions("it requires a client certificate (CertificateRequired)");
    is_not_retried(&relay, &run);
}

/// Sets up a scene in which requests to `pylon.example` go through a proxy to a relay that presents the certificate of
/// `presented`. The proxy responds with `status`.
fn proxied(
    status: &'static str,
    presented: &Identity,
    trusted: &str,
) -> (Scene, Server, Arc<Mutex<Vec<String>>>) {
    let scene = Scene::with_pylon(PYLON).file("users.toml", USERS).file("roots.pem", trusted);
    let (server, heads) = (presented.server(), Arc::new(Mutex::new(Vec::new())));
    let relay = Server::relay(&scene.host(), move |_| Arc::clone(&server));
    let proxy = Server::proxy(status, relay.address(), Arc::clone(&heads));
    let scene = scene
        .env("PYLON_BASE_URL", "https://pylon.example")
        .env("SSL_CERT_FILE", "roots.pem")
        .env("HTTPS_PROXY", &format!("http://ana:s3cret@{}", proxy.address()));
    (scene, proxy, heads)
}

#[test]
fn a_proxy_is_used_with_its_user_name_and_password() {
    let authority = Authority::new("Story CA");
    let (scene, proxy, heads) =
        proxied("200 OK", &authority.issue(&settings(&["pylon.example"])), &authority.pem());
    scene.run("plan --detailed-exitcode").exits(2);
    let heads = heads.lock().unwrap();
    assert_eq!(heads.len(), proxy.connections());
    assert!(heads[0].starts_with("CONNECT pylon.example:443 HTTP/1.1\r\n"), "{}", heads[0]);
    assert!(heads[0].contains("Basic YW5hOnMzY3JldA=="), "{}", heads[0]);
}

#[test]
fn a_bad_certificate_behind_a_proxy_is_attributed_to_the_host() {
    let (trusted, other) = (Authority::new("Story CA"), Authority::new("Inspecting Proxy CA"));
    let (scene, proxy, _) = proxied("200 OK", &other.issue(&settings(&["pylon.example"])), &trusted.pem());
    let run = scene.run("plan");
    run.exits(1).names("pylon::bad_certificate");
    run.mentions("the certificate of pylon.example was issued by Inspecting Proxy CA");
    is_not_retried(&proxy, &run);
}

#[test]
fn a_proxy_that_rejects_the_password_is_tried_once() {
    let authority = Authority::new("Story CA");
    let identity = authority.issue(&settings(&["pylon.example"]));
    let (scene, proxy, _) = proxied("407 Proxy Authentication Required", &identity, &authority.pem());
    let run = scene.run("plan");
    run.exits(1).names("pylon::proxy_refused");
    run.mentions(&format!(
        "the proxy {} (HTTPS_PROXY) did not accept the user name and password (407)",
        proxy.address()
    ));
    assert!(!run.stderr.contains("s3cret"), "{}", run.stderr);
    is_not_retried(&proxy, &run);
    let scene = scene.env("HTTPS_PROXY", &format!("http://{}", proxy.address()));
    scene
        .run("plan")
        .exits(1)
        .names("pylon::proxy_refused")
        .mentions("asks for a user name and password (407)");
}

/// Checks that the Pylon line in the output of `doctor` contains `found`. The tests use `doctor` because it sends a single
/// request.
#[track_caller]
fn doctor_finds(scene: &Scene, variables: &[(&str, &str)], found: &str) {
    let doctor = scene.run_in("doctor", variables);
    doctor.exits(1);
    let line = doctor.stdout.lines().find(|line| line.starts_with("  ✗ Pylon ")).unwrap_or_default();
    assert!(line.contains(found), "{found}:\n{}", doctor.stdout);
}

#[test]
fn every_connection_failure_is_named() {
    let authority = Authority::new("Story CA");
    let identity = authority.issue(&settings(&["pylon.example"]));
    for (status, found) in [
        ("403 Forbidden", "refused to connect to pylon.example"),
        ("502 Bad Gateway", "refused to connect to pylon.example"),
        ("", "refused to connect to pylon.example"),
    ] {
        let (scene, proxy, _) = proxied(status, &identity, &authority.pem());
        doctor_finds(&scene, &[], &format!("the proxy {} (HTTPS_PROXY) {found}", proxy.address()));
    }
    let (scene, _, _) = proxied("200 OK", &identity, &authority.pem());
    let silent = Server::saying(b"").address();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nowhere = format!("{}.example:3128", "a".repeat(64)); // too long for a host name, so no resolver is queried
    for (proxy, found) in [
        (
            silent.to_string(),
            format!(
                "the proxy {silent} (HTTPS_PROXY) closed the connection and did not connect to pylon.example"
            ),
        ),
        (closed.to_string(), format!("the proxy {closed} (HTTPS_PROXY) refused the connection")),
        (nowhere.clone(), format!("could not resolve the proxy {nowhere} (HTTPS_PROXY)")),
    ] {
        doctor_finds(&scene, &[("HTTPS_PROXY", &proxy)], &found);
    }
    let server = Identity::self_signed(&settings(&[LOOPBACK])).server();
    let relay = Server::relay(&scene.host(), move |_| Arc::clone(&server)).address();
    let variable = ("HTTPS_PROXY", format!("https://{relay}"));
    let found = format!("the certificate of the proxy {relay} (HTTPS_PROXY) is self-signed");
    doctor_finds(&scene, &[(variable.0, &variable.1)], &found);
    for (address, found) in
        [(closed, "refused the connection"), (silent, "closed the connection during the TLS handshake")]
    {
        let base = format!("https://{address}");
        doctor_finds(&scene, &[("PYLON_BASE_URL", &base)], &format!("{address} {found}"));
    }
}

#[test]
fn a_proxy_address_that_cannot_be_used_is_refused_and_never_printed() {
    let scene =
        Scene::with_pylon(PYLON).file("users.toml", USERS).env("PYLON_BASE_URL", "https://pylon.invalid");
    for (value, why) in [
        ("\"http://ana:s3cret@proxy.example:3128\"", "has quotes around the address"),
        ("'http://ana:s3cret@proxy.example:3128'", "has quotes around the address"),
        (" http://ana:s3cret@proxy.example:3128", "has spaces around the address"),
        ("http://ana:s3cret@proxy.example:3128\r", "has spaces around the address"),
        ("socks5h://ana:s3cret@proxy.example:1080", "names a SOCKS proxy, which rolecall does not support"),
        ("ftp://ana:s3cret@proxy.example:3128", "has a scheme other than http or https"),
        ("http://ana:s3cret@proxy.example", "has no valid port"),
        ("http://ana:s3cret@proxy.example:", "has no valid port"),
        ("http://ana:s3cret@proxy.example:99999", "has no valid port"),
        ("http://ana:s3cret@proxy.example:0", "has no valid port"),
        ("http://ana:s3cret@:3128", "has no host"),
        ("http://", "has no host"),
        ("http://ana:s3cret/2@proxy.example:3128", "has an unexpected /, ?, #, or \\"),
        ("http://ana:s3cret#2@proxy.example:3128", "has an unexpected /, ?, #, or \\"),
        ("http://proxy.example:3128/s3cret.pac", "has an unexpected /, ?, #, or \\"),
        ("http://ana:s3cret@2@proxy.example:3128", "is not a valid proxy address"),
        ("http://ana:s3cret 2@proxy.example:3128", "is not a valid proxy address"),
        ("http:ana:s3cret@proxy.example:3128", "is not a valid proxy address"),
    ] {
        let others =
            ["https_proxy", "ALL_PROXY", "all_proxy"].into_iter().filter(|_| why.starts_with("has no host"));
        for variable in others.chain(["HTTPS_PROXY"]) {
            let run = scene.run_in("plan", &[(variable, value)]);
            run.exits(1).names("pylon::bad_proxy").mentions(&format!("{variable} {why}"));
            run.mentions(&format!("as in {variable}=http://proxy.example:3128"));
            let doctor = scene.run_in("doctor", &[(variable, value)]);
            doctor.exits(1);
            let check = format!("  ✗ proxy         {variable} {why}");
            assert!(doctor.stdout.contains(&check), "{value}:\n{}", doctor.stdout);
            for said in [&run.stdout, &run.stderr, &doctor.stdout, &doctor.stderr] {
                assert!(!said.contains("s3cret"), "{value}: {said}");
            }
        }
    }
}

#[test]
fn an_unused_proxy_may_be_invalid() {
    let scene = Scene::with_pylon(PYLON).file("users.toml", USERS).env("HTTPS_PROXY", "nonsense");
    scene.run("plan").exits(0);
    scene.run("plan --sandbox").exits(0);
    scene.run("validate").exits(0);
}

/// Checks that `doctor` prints `found` on the line that starts with `name`.
#[track_caller]
fn doctor_says(scene: &Scene, variables: &[(&str, &str)], name: &str, found: &str) {
    let doctor = scene.run_in("doctor --token-file nowhere", variables);
    let plain = |line: &'_ str| line.trim_start_matches([' ', '✓', '!', '✗']).to_owned();
    let line = doctor.stdout.lines().map(plain).find(|line| line.starts_with(name)).unwrap_or_default();
    assert_eq!(line[name.len()..].trim_start(), found, "{variables:?}");
}

#[test]
fn doctor_shows_the_proxy_that_requests_use() {
    let scene = Scene::offline().file("users.toml", USERS).env("PYLON_BASE_URL", "https://api.pylon.example");
    let proxy = ("HTTPS_PROXY", "http://ana:s3cret@proxy.example:3128");
    let excluded = "none: requests go directly to Pylon; NO_PROXY excludes it from HTTPS_PROXY";
    let used = "proxy.example:3128 (from HTTPS_PROXY, with a user name)";
    let shown = |variables: &[(&str, &str)], found: &str| doctor_says(&scene, variables, "proxy", found);
    shown(&[], "none: requests go directly to Pylon");
    shown(&[("HTTPS_PROXY", "")], "none: requests go directly to Pylon");
    shown(&[proxy], used);
    shown(&[("all_proxy", "proxy.example:3128")], "proxy.example:3128 (from all_proxy)");
    shown(
        &[("ALL_PROXY", "https://[2001:db8::1]:3128/"), ("https_proxy", "")],
        "[2001:db8::1]:3128 (from ALL_PROXY)",
    );
    shown(&[proxy, ("https_proxy", "http://other.example:1"), ("ALL_PROXY", "http://other.example:1")], used);
    shown(
        &[("HTTP_PROXY", "http://proxy.example:3128")],
        "none: requests go directly to Pylon; HTTP_PROXY is for plain http only",
    );
    for hosts in ["api.pylon.example", ".pylon.example", "a.example, pylon.example", "*"] {
        shown(&[proxy, ("NO_PROXY", hosts)], excluded);
    }
    for hosts in ["", "lon.example", "https://api.pylon.example", "192.0.2.0/24"] {
        shown(&[proxy, ("NO_PROXY", hosts)], used);
    }
    let scene = scene.env("PYLON_BASE_URL", "http://127.0.0.1:1");
    doctor_says(&scene, &[proxy], "proxy", "none: Pylon is on this machine");
}

#[test]
fn doctor_shows_whose_certificates_are_trusted() {
    let (one, two) = (Authority::new("One").pem(), Authority::new("Two").pem());
    let scene = Scene::offline()
        .file("users.toml", USERS)
        .file("both.pem", format!("One:\r\n{one}\n{two}"))
        .file("folder/README", "no certificate")
        .file("folder/one.pem", &one)
        .file("folder/copy.pem", &one)
        .file("empty/README", "no certificate")
        .env("PYLON_BASE_URL", "https://api.pylon.example");
    let shown =
        |variables: &[(&str, &str)], found: &str| doctor_says(&scene, variables, "certificates", found);
    shown(&[], "this machine's trusted certificates");
    shown(&[("SSL_CERT_FILE", "both.pem")], "only 2 from SSL_CERT_FILE (both.pem)");
    shown(&[("SSL_CERT_DIR", "folder")], "only 1 from SSL_CERT_DIR (folder)");
    shown(&[("SSL_CERT_DIR", "")], "this machine's trusted certificates");
    shown(
        &[("SSL_CERT_FILE", "both.pem"), ("SSL_CERT_DIR", "empty")],
        "only 2 from SSL_CERT_FILE (both.pem), 0 from SSL_CERT_DIR (empty)",
    );
    let scene = scene.env("PYLON_BASE_URL", "http://127.0.0.1:1");
    doctor_says(
        &scene,
        &[("SSL_CERT_FILE", "nowhere")],
        "certificates",
        "not needed: plain http on this machine",
    );
}

#[test]
fn a_file_of_certificates_that_cannot_be_used_is_named_with_the_reason() {
    let authority = Authority::new("Story CA");
    let (pem, key) = (authority.pem(), authority.issue(&settings(&[LOOPBACK])).key_pem());
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(pem.bytes().flat_map(|byte| [byte, 0])).collect();
    let scene = Scene::offline()
        .file("users.toml", USERS)
        .env("PYLON_BASE_URL", "https://pylon.invalid")
        .file("empty", "\n")
        .file("text", "certificates, one day")
        .file("key", key)
        .file("der", authority.der())
        .file("utf16", utf16)
        .file("cut", &pem[..pem.len() - 30])
        .file("base64", pem.replace("MII", "M!!"))
        .file("asn1", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        .file("folder/one.pem", &pem)
        .file("bare/README", "no certificate");
    for (variable, value, why, help) in [
        ("SSL_CERT_FILE", "", "SSL_CERT_FILE is set, but empty", "unset SSL_CERT_FILE"),
        (
            "SSL_CERT_FILE",
            "nowhere",
            "SSL_CERT_FILE is set to `nowhere`, which cannot be read: No such file",
            "unset",
        ),
        ("SSL_CERT_FILE", "folder", "`folder`, which is a folder", "set SSL_CERT_DIR to the folder instead"),
        (
            "SSL_CERT_FILE",
            "/dev/null",
            "`/dev/null`, which cannot be read: it is not a regular file",
            "unset",
        ),
        ("SSL_CERT_FILE", "empty", "`empty`, which is empty", "set it to a certificate file in PEM format"),
        ("SSL_CERT_FILE", "text", "`text`, which has no certificate in PEM format", "in PEM format"),
        (
            "SSL_CERT_FILE",
            "key",
            "`key`, which has a private key but no certificate",
            "set it to the certificate file",
        ),
        (
            "SSL_CERT_FILE",
            "der",
            "`der`, which is in DER format (binary), not in PEM format (text)",
            "openssl x509 -inform der -in der -out der.pem",
        ),
        (
            "SSL_CERT_FILE",
            "utf16",
            "`utf16`, which is UTF-16 text",
            "iconv -f utf-16 -t utf-8 utf16 > utf16.pem",
        ),
        ("SSL_CERT_FILE", "cut", "`cut`, which is damaged: an -----END line is missing", "in PEM format"),
        ("SSL_CERT_FILE", "base64", "`base64`, which is damaged: base64 decode error", "in PEM format"),
        ("SSL_CERT_FILE", "asn1", "`asn1`, which has no valid certificate", "in PEM format"),
        (
            "SSL_CERT_DIR",
            "nowhere",
            "SSL_CERT_DIR has no folder with a certificate: `nowhere` cannot be read: No such file",
            "unset",
        ),
        (
            "SSL_CERT_DIR",
            "bare",
            "`bare` has no certificate in PEM format",
            "set it to a folder of certificates in PEM format",
        ),
    ] {
        let run = scene.run_in("plan", &[(variable, value)]);
        run.exits(1).names("pylon::bad_certificate_file").mentions(why).mentions(help);
        let doctor = scene.run_in("doctor", &[(variable, value)]);
        doctor.exits(1);
        assert!(doctor.stdout.contains("  ✗ certificates  SSL_CERT_"), "{value}:\n{}", doctor.stdout);
        assert!(
            doctor.stdout.contains("    Pylon         skipped because of the problems above\n"),
            "{}",
            doctor.stdout
        );
    }
}

#[cfg(unix)]
#[test]
fn an_unreadable_file_of_certificates_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::offline()
        .file("users.toml", USERS)
        .file("roots.pem", Authority::new("Story CA").pem())
        .env("PYLON_BASE_URL", "https://pylon.invalid")
        .env("SSL_CERT_FILE", "roots.pem");
    let path = scene.folder().join("roots.pem");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(&path).is_ok() {
        return; // root can read any file
    }
    scene
        .run("plan")
        .exits(1)
        .names("pylon::bad_certificate_file")
        .mentions("cannot be read: Permission denied");
}

#[test]
fn a_byte_order_mark_does_not_hide_the_first_certificate() {
    let authority = Authority::new("Story CA");
    let server = authority.issue(&settings(&[LOOPBACK])).server();
    let (scene, _relay) = behind(&format!("\u{feff}{}", authority.pem()), move |_| Arc::clone(&server));
    scene.run("plan --detailed-exitcode").exits(2);
}
