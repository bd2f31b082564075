//! Tests for behavior that shows up only on a real socket, using a minimal client.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
    time::Instant,
};

use pretty_assertions::assert_eq;

use rolecall::sandbox::{Running, Setup, StateFile, start};

use super::*;

fn world() -> World {
    let people = [
        WrittenUser::new("ana@acme.example", "admin").id("u_ana"),
        WrittenUser::new("bo@acme.example", "member").id("u_bo"),
    ];
    world_of(SandboxState::with_users(people))
}

/// Runs the sandbox while `client` talks to it from a separate thread.
fn with_sandbox<T: Send + 'static>(
    setup: Setup,
    client: impl FnOnce(String) -> T + Send + 'static,
) -> (T, Running) {
    runtime().block_on(async {
        let running = start(setup).await.unwrap();
        let address = running.base_url().replace("http://", "");
        let result = tokio::task::spawn_blocking(move || client(address)).await.unwrap();
        (result, running)
    })
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Returns everything the server sends before it closes or resets the connection.
fn talk(address: &str, head: &str, body: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "{head}\r\nHost: sandbox\r\nAuthorization: Bearer sandbox-token\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
    answer
}

fn status(answer: &[u8]) -> String {
    String::from_utf8_lossy(answer).lines().next().unwrap_or_default().to_owned()
}

const AWAY: &[u8] = br#"{"status":"away"}"#;
const PATCH: &str = "PATCH /users/u_bo HTTP/1.1";

fn status_of_bo(running: &Running) -> Option<String> {
    running.with_world(|world| world.user("u_bo").unwrap().status)
}

#[test]
fn every_fault_reaches_the_client_and_applies_the_request_as_documented() {
    for fault in failures() {
        let faults = Faults::none().at(1, fault).stalling_for(Duration::from_millis(20));
        let setup = Setup { faults, ..Setup::new(world()) };
        let (answer, running) = with_sandbox(setup, |address| talk(&address, PATCH, AWAY));
        let expected = match fault {
            Fault::InternalError | Fault::InternalErrorApplied => "HTTP/1.1 500 Internal Server Error",
            Fault::BadGateway => "HTTP/1.1 502 Bad Gateway",
            Fault::Unavailable => "HTTP/1.1 503 Service Unavailable",
            Fault::GatewayTimeoutApplied => "HTTP/1.1 504 Gateway Timeout",
            Fault::RequestTimeout => "HTTP/1.1 408 Request Timeout",
            Fault::Conflict => "HTTP/1.1 409 Conflict",
            Fault::RateLimited => "HTTP/1.1 429 Too Many Requests",
            Fault::CutBefore | Fault::CutAfter | Fault::StallApplied => "",
            Fault::GarbageApplied
            | Fault::PageWithoutData
            | Fault::RolesPaged
            | Fault::FieldMissing
            | Fault::ListingShort
            | Fault::EchoOnly => "HTTP/1.1 200 OK",
        };
        assert_eq!(status(&answer), expected, "{fault}");
        assert_eq!(answer.is_empty(), !is_answered(fault), "{fault}");
        let expected = if fault.is_applied_first() { "away" } else { "active" };
        assert_eq!(status_of_bo(&running).as_deref(), Some(expected), "{fault}");
        let arrivals = running.requests();
        assert_eq!(arrivals.len(), 1);
        assert_eq!((arrivals[0].fault, arrivals[0].request.body.as_slice()), (Some(fault), AWAY));
        assert_eq!(arrivals[0].status.is_some(), is_answered(fault));
    }
}

#[test]
fn garbage_is_first_truncated_json_and_then_not_json() {
    let faults = Faults::none().with(Fault::GarbageApplied, 1.0);
    let setup = Setup { faults, ..Setup::new(world()) };
    let (bodies, _) = with_sandbox(setup, |address| {
        [(); 2].map(|()| {
            let text = String::from_utf8(talk(&address, "GET /me HTTP/1.1", b"")).unwrap();
            text.split_once("\r\n\r\n").unwrap().1.to_owned()
        })
    });
    assert!(bodies[0].starts_with(r#"{"data":{"#), "{}", bodies[0]);
    assert!(bodies[1].starts_with("<!doctype html>"), "{}", bodies[1]);
    for body in bodies {
        assert!(serde_json::from_str::<serde_json::Value>(&body).is_err(), "{body}");
    }
}

#[test]
fn a_cut_ends_a_reused_connection() {
    let setup = Setup { faults: Faults::none().at(2, Fault::CutAfter), ..Setup::new(world()) };
    let (answer, running) = with_sandbox(setup, |address| {
        let mut stream = TcpStream::connect(address).unwrap();
        let get = "GET /me HTTP/1.1\r\nHost: sandbox\r\nAuthorization: Bearer sandbox-token\r\n\r\n";
        stream.write_all(get.as_bytes()).unwrap();
        let mut first = vec![0; 4096];
        let read = stream.read(&mut first).unwrap();
        first.truncate(read);
        stream.write_all(get.as_bytes()).unwrap();
        let mut rest = Vec::new();
        let ended = stream.read_to_end(&mut rest);
        (
            status(&first),
            rest,
            ended.map_or_else(|error| error.kind() == ErrorKind::ConnectionReset, |read| read == 0),
        )
    });
    assert_eq!(answer, ("HTTP/1.1 200 OK".to_owned(), Vec::new(), true));
    assert_eq!(running.requests().len(), 2);
}

#[test]
fn a_body_that_is_too_large_gets_a_response() {
    let (answer, _) = with_sandbox(Setup::new(world()), |address| {
        talk(&address, "POST /users/search HTTP/1.1", &vec![b' '; MAX_BODY_BYTES + 1_000_000])
    });
    let text = String::from_utf8(answer).unwrap();
    assert!(text.starts_with("HTTP/1.1 413 Payload Too Large\r\n"), "{text}");
    assert!(text.contains(r#""code":"payload_too_large""#), "{text}");
}

#[test]
fn an_incomplete_request_body_has_no_effect() {
    let (_, running) = with_sandbox(Setup::new(world()), |address| {
        let mut stream = TcpStream::connect(&address).unwrap();
        let head = format!(
            "{PATCH}\r\nHost: sandbox\r\nAuthorization: Bearer sandbox-token\r\nContent-Length: 17\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&AWAY[..5]).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        // The response to a second request means that the first request has been processed.
        talk(&address, "GET /me HTTP/1.1", b"")
    });
    assert_eq!(status_of_bo(&running).as_deref(), Some("active"));
    assert_eq!(running.requests().len(), 1);
}

#[test]
fn stopping_saves_the_state_and_a_restart_continues_from_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(".rolecall/sandbox.json");
    let runtime = runtime();
    runtime.block_on(async {
        let running =
            start(Setup { state_file: Some(StateFile::Named(file.clone())), ..Setup::new(world()) })
                .await
                .unwrap();
        let address = running.base_url().replace("http://", "");
        let answer = tokio::task::spawn_blocking(move || talk(&address, PATCH, AWAY)).await.unwrap();
        assert_eq!(status(&answer), "HTTP/1.1 200 OK");
        running.stop().await.unwrap();
    });
    let state = SandboxState::parse(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let world = world_of(state);
    assert_eq!(world.user("u_bo").unwrap().status.as_deref(), Some("away"));
    assert_eq!(world.audit_log().count(), 1);
}

#[test]
fn stopping_waits_for_no_idle_connection_and_reports_a_failed_save() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("pylon.json/in-the-way")).unwrap();
    let setup = Setup {
        faults: Faults::none().at(1, Fault::StallApplied),
        state_file: Some(StateFile::Named(dir.path().join("pylon.json"))),
        ..Setup::new(world())
    };
    let begun = Instant::now();
    let saved = runtime().block_on(async {
        let running = start(setup).await.unwrap();
        let address = running.base_url().replace("http://", "");
        let idle = TcpStream::connect(&address).unwrap();
        let stalled = tokio::task::spawn_blocking(move || talk(&address, PATCH, AWAY));
        while running.requests().is_empty() {
            tokio::task::yield_now().await;
        }
        let saved = running.stop().await;
        assert_eq!(stalled.await.unwrap(), b"");
        drop(idle);
        saved
    });
    assert!(saved.is_err());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn a_port_in_use_is_an_error() {
    runtime().block_on(async {
        let first = start(Setup::new(world())).await.unwrap();
        let port = first.base_url().rsplit(':').next().unwrap().parse().unwrap();
        let second = start(Setup { port, ..Setup::new(world()) }).await;
        assert_eq!(second.map(|_| ()).unwrap_err().kind(), ErrorKind::AddrInUse);
    });
}

#[test]
fn starting_takes_well_under_fifty_milliseconds() {
    let fastest = runtime().block_on(async {
        let mut times = Vec::new();
        // Take the fastest of several starts because the machine might be busy.
        for _ in 0..10 {
            let begun = Instant::now();
            start(Setup::new(world())).await.unwrap();
            times.push(begun.elapsed());
        }
        times.into_iter().min().unwrap()
    });
    assert!(fastest < Duration::from_millis(25), "{fastest:?}");
}

#[test]
fn a_change_is_saved_soon_without_stopping() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pylon.json");
    runtime().block_on(async {
        let running =
            start(Setup { state_file: Some(StateFile::Named(file.clone())), ..Setup::new(world()) })
                .await
                .unwrap();
        running
            .with_world(|world| world.changed_by_someone_else(Duration::ZERO, "u_bo", None, Some("lunch")));
        let begun = Instant::now();
        while !std::fs::read_to_string(&file).is_ok_and(|text| text.contains("lunch")) {
            assert!(begun.elapsed() < Duration::from_secs(10), "not saved");
            tokio::task::yield_now().await;
        }
        drop(running);
    });
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn dropping_the_sandbox_saves_the_state() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pylon.json");
    runtime().block_on(async {
        let running =
            start(Setup { state_file: Some(StateFile::Named(file.clone())), ..Setup::new(world()) })
                .await
                .unwrap();
        running
            .with_world(|world| world.changed_by_someone_else(Duration::ZERO, "u_bo", None, Some("lunch")));
    });
    assert!(std::fs::read_to_string(&file).unwrap().contains("lunch"));
}

/// A benchmark rather than a test. Run it with `cargo test --release sandbox -- --ignored --nocapture`.
#[test]
#[ignore = "measures"]
fn measure_requests_per_second() {
    let clock = Instant::now();
    let state = SandboxState::invented(1_000_000);
    println!("a million people invented: {:?}", clock.elapsed());
    let clock = Instant::now();
    let mut large = world_of(state);
    println!("and indexed: {:?}", clock.elapsed());
    let clock = Instant::now();
    let listing = rolecall::sandbox::Request::new("GET", "/users").token("sandbox-token");
    println!(
        "listed: {} MB in {:?}",
        large.handle(Duration::ZERO, &listing).body.len() / 1_000_000,
        clock.elapsed()
    );
    let clock = Instant::now();
    let snapshot = large.to_state();
    println!("snapshot: {:?}", clock.elapsed());
    let clock = Instant::now();
    println!("written: {} MB in {:?}", snapshot.to_json().len() / 1_000_000, clock.elapsed());
    let setup = Setup::new(large.with_limits(Limits::off()));
    let (elapsed, _) = with_sandbox(setup, |address| {
        let mut stream = TcpStream::connect(address).unwrap();
        let get = "GET /me HTTP/1.1\r\nHost: sandbox\r\nAuthorization: Bearer sandbox-token\r\n\r\n";
        let (clock, mut buffer) = (Instant::now(), [0; 4096]);
        for _ in 0..20_000 {
            stream.write_all(get.as_bytes()).unwrap();
            assert!(stream.read(&mut buffer).unwrap() > 0);
        }
        clock.elapsed()
    });
    println!(
        "{:.0} requests a second, one after another on one connection",
        20_000.0 / elapsed.as_secs_f64()
    );
}
