//! Tests for `rolecall sandbox` with a minimal HTTP client.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use crate::harness::Scene;

#[test]
fn the_sandbox_has_the_rate_limits_of_the_date_in_its_state() {
    let scene = Scene::offline().file("state.json", r#"{ "api": "2026-04" }"#);
    let mut sandbox =
        scene.command(&["sandbox", "--state", "state.json", "--limits", "patch=7"]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(sandbox.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim_end().strip_prefix("export PYLON_BASE_URL=http://").unwrap();
    let response = get(address, "/me");
    sandbox.kill().unwrap();
    sandbox.wait().unwrap();
    assert!(response.contains("\r\nx-rate-limit-remaining: 59\r\n"), "{response}");
    assert!(response.contains("\r\nx-pylon-request-id: "), "{response}");
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: sandbox\r\nAuthorization: Bearer sandbox-token\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}
