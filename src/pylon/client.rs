//! Makes a single attempt at a request. [`super::failure`] classifies failures, and [`super::flow`] handles retries.
//!
//! A [`Reader`] can't write. The `Authorization` header is sent only to the base URL because redirects aren't followed and requests
//! to this machine bypass any proxy.

use std::time::Duration;

use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue, RETRY_AFTER, SERVER,
};
use reqwest::{Client, Method, RequestBuilder, Response, redirect, retry};
use tokio::time::{Instant, timeout};

use super::PylonCode;
use super::address::BaseUrl;
use super::cause;
use super::exchange::{self, Incoming};
use super::failure::{FailureCause, WrongShape};
use super::network::Route;
use super::request::{Attempt, Endpoint, Outgoing, ReadRequest, Request, Update};
use super::roots::Roots;
use super::token::Token;
use super::trace::{self, Trace};
use crate::clock::Clock;
use crate::observed::Person;
use crate::problem::Problem;

const FIRST_BYTE: Duration = Duration::from_secs(30);
const MIB: usize = 1024 * 1024;

/// The time limits for one attempt, and the maximum size of the response body in bytes.
struct Bounds {
    total: Option<Duration>,
    idle: Duration,
    largest: usize,
}

impl Bounds {
    const fn of_endpoint(endpoint: Endpoint) -> Self {
        match endpoint {
            // The response can contain every user, so only the pauses between chunks are limited, not the total time.
            Endpoint::Users => Self { total: None, idle: Duration::from_secs(15), largest: 1024 * MIB },
            Endpoint::Search | Endpoint::Audit => Self::within(60, 32 * MIB),
            Endpoint::Me | Endpoint::Roles | Endpoint::User | Endpoint::Patch => Self::within(30, MIB),
        }
    }

    const fn within(seconds: u64, largest: usize) -> Self {
        let total = Duration::from_secs(seconds);
        Self { total: Some(total), idle: total, largest }
    }
}

const LARGEST_ERROR: usize = 64 * 1024;
/// The maximum number of bytes to preallocate for a body based on `Content-Length`.
const LARGEST_RESERVATION: usize = 128 * MIB;

/// A client that can only send reads.
#[derive(Debug, Clone)]
pub struct Reader {
    http: Client,
    base: BaseUrl,
    route: Route,
    /// The environment variables that override the system's trusted certificates, if any.
    trusted: Vec<&'static str>,
    token: Token,
    clock: Clock,
    trace: Trace,
}

/// A client that can send reads and writes. Only `apply` and `rollback` create one.
#[derive(Debug, Clone)]
pub struct Writer(Reader);

impl Reader {
    /// Creates a client for one host and one token. Every request is logged to `trace`.
    ///
    /// # Errors
    /// Returns an error if the system's trusted certificates cannot be loaded, or if the client cannot be built.
    pub fn new(
        base: BaseUrl,
        token: Token,
        route: Route,
        roots: &Roots,
        clock: Clock,
        trace: Trace,
    ) -> Result<Self, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let mut authorization =
            HeaderValue::from_str(&token.header()).unwrap_or(HeaderValue::from_static("Bearer"));
        authorization.set_sensitive(true);
        headers.insert(AUTHORIZATION, authorization);
        let http = Client::builder()
            .user_agent(concat!("rolecall/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .http1_only()
            .tls_backend_preconfigured(roots.config()?);
        let http = route.configure(http).build().map_err(|error| {
            let why = cause::last_cause(&error);
            Problem::new(PylonCode::TlsFailed, format!("cannot create the HTTP client: {why}"))
                .help("this is a bug in rolecall: please report it")
        })?;
        Ok(Self { http, base, route, trusted: roots.variables(), token, clock, trace })
    }

    pub fn base(&self) -> &BaseUrl {
        &self.base
    }

    pub fn trace(&self) -> Trace {
        self.trace
    }

    /// Makes one attempt at `request`. `attempt` is the attempt's number for the trace, starting at 1.
    pub async fn read<R: ReadRequest>(&self, request: &R, attempt: u32) -> Attempt<R::Response> {
        self.attempt(request, attempt).await
    }

    async fn attempt<R: Request>(&self, request: &R, attempt: u32) -> Attempt<R::Response> {
        let outgoing = request.outgoing();
        let (asked, began) = (outgoing.asked(), Instant::now());
        let bounds = Bounds::of_endpoint(outgoing.endpoint);
        let exchange = self.send(outgoing, &bounds);
        let came = match bounds.total {
            None => exchange.await,
            Some(total) => timeout(total, exchange).await.unwrap_or_else(|_| {
                Err(FailureCause::NoAnswer(format!("timed out after {} s", total.as_secs())))
            }),
        };
        let scrub = |text| self.token.scrub(text);
        self.trace.line(&trace::request(&asked, &came, began.elapsed(), attempt, scrub));
        let attempt = exchange::attempt(request, came, self.clock.now());
        // Scrub the token right away, because failures also end up in journals, which aren't scrubbed later.
        let result = attempt.result.map_err(|failure| failure.map(scrub));
        Attempt { result, ..attempt }
    }

    async fn send(&self, outgoing: Outgoing, bounds: &Bounds) -> Result<Incoming, FailureCause> {
        let request = self.request(outgoing);
        let response = match timeout(FIRST_BYTE, request.send()).await {
            Err(_) => {
                return Err(FailureCause::NoAnswer(format!("timed out after {} s", FIRST_BYTE.as_secs())));
            }
            Ok(Err(error)) => {
                return Err(cause::of_error(&error, &self.base.host(), &self.route, &self.trusted));
            }
            Ok(Ok(response)) => response,
        };
        let header = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let incoming = Incoming {
            status: response.status().as_u16(),
            remaining: header("x-rate-limit-remaining"),
            x_retry_after: header("x-retry-after"),
            retry_after: header(RETRY_AFTER.as_str()),
            date: header(DATE.as_str()),
            request_id: header("x-pylon-request-id"),
            server: header(SERVER.as_str()),
            body: Vec::new(),
            cut: None,
        };
        let largest = if response.status().is_success() { bounds.largest } else { LARGEST_ERROR };
        let mut body = Vec::new();
        let cut = read_body(response, bounds.idle, largest, &mut body).await.err();
        Ok(Incoming { body: self.token.scrub_body(&body).unwrap_or(body), cut, ..incoming })
    }

    fn request(&self, outgoing: Outgoing) -> RequestBuilder {
        let mut url = self.base.join(&outgoing.path());
        let Outgoing { endpoint, user: _, query, body } = outgoing;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let method = Method::from_bytes(endpoint.facts().method.as_bytes()).unwrap_or_default(); // always valid
        let request = self.http.request(method, url);
        match body {
            Some(body) => request.header(CONTENT_TYPE, "application/json").body(body),
            None => request,
        }
    }
}

impl Writer {
    /// Turns a reader into a client that can also write.
    pub fn new(reader: Reader) -> Self {
        Self(reader)
    }

    /// Makes one attempt at a read, like [`Reader::read`].
    pub async fn read<R: ReadRequest>(&self, request: &R, attempt: u32) -> Attempt<R::Response> {
        self.0.attempt(request, attempt).await
    }

    /// Makes one attempt at a write and returns the updated person. See [`Reader::read`] for the meaning of `attempt`.
    pub async fn update(&self, update: &Update, attempt: u32) -> Attempt<Person> {
        self.0.attempt(update, attempt).await
    }
}

/// Reads the response's body into `body`. On error, `body` contains the part that was received.
async fn read_body(
    mut response: Response,
    idle: Duration,
    largest: usize,
    body: &mut Vec<u8>,
) -> Result<(), FailureCause> {
    // Reserve the space up front, because growing the buffer for a large listing would copy it repeatedly and take twice the
    // memory.
    let length = response.content_length().and_then(|length| usize::try_from(length).ok());
    body.reserve(length.unwrap_or(0).min(LARGEST_RESERVATION).min(largest));
    let began = Instant::now();
    let mut speed = Speed::default();
    loop {
        match timeout(idle, response.chunk()).await {
            Err(_) => {
                return Err(FailureCause::NoAnswer(format!("the body stalled for {} s", idle.as_secs())));
            }
            Ok(Err(error)) => {
                return Err(FailureCause::NoAnswer(format!(
                    "the connection closed early: {}",
                    cause::last_cause(&error)
                )));
            }
            Ok(Ok(None)) => return Ok(()),
            Ok(Ok(Some(chunk))) if body.len() + chunk.len() > largest => {
                let why = format!("the body is larger than {largest} bytes");
                return Err(WrongShape::cause("a response of a usual size", why));
            }
            Ok(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
        }
        if speed.is_too_slow(began.elapsed(), body.len()) {
            return Err(FailureCause::TooSlow(SLOWEST));
        }
    }
}

/// The minimum transfer speed of a body, in bytes per minute. Without a minimum, a trickling response could take forever.
const SLOWEST: usize = 1024;

/// Measures a body's transfer speed, one minute at a time.
#[derive(Debug, Default)]
struct Speed {
    /// Start of the current minute, relative to the start of the body.
    since: Duration,
    /// Number of bytes received before the current minute.
    bytes: usize,
}

impl Speed {
    fn is_too_slow(&mut self, now: Duration, bytes: usize) -> bool {
        if now.saturating_sub(self.since) < Duration::from_mins(1) {
            return false;
        }
        let before = std::mem::replace(self, Self { since: now, bytes });
        bytes - before.bytes < SLOWEST
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use pretty_assertions::assert_eq;

    use super::*;
    use crate::pylon::network::Variables;
    use crate::pylon::request::{Identity, Me};

    const TOKEN: &str = "pylon_story_4f1c/9Zq+Wc2mRt7uXv0B/kL5nH8jD3sYpGeQfAaTiOo1EwMxUyVb6=";

    /// Sends `GET /me` with [`TOKEN`] to a server that replies with `answer`, and returns the result.
    fn asked(answer: &str) -> Attempt<Identity> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = BaseUrl::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let answer = answer.to_owned();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                head.extend(byte);
            }
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let reader = {
            let clock = Clock::start(None);
            let route = Route::choose(&base, &Variables::default()).unwrap();
            let trace = Trace::new(clock, None);
            Reader::new(base, Token::new(TOKEN).unwrap(), route, &Roots::NotNeeded, clock, trace).unwrap()
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let attempt = runtime.block_on(reader.read(&Me, 1));
        server.join().unwrap();
        attempt
    }

    #[test]
    fn a_body_with_less_than_1_kib_per_minute_is_too_slow() {
        let seconds = Duration::from_secs;
        let mut trickle = Speed::default();
        let slow =
            (1..=7).map(|number| trickle.is_too_slow(seconds(number * 10), usize::try_from(number).unwrap()));
        assert_eq!(slow.collect::<Vec<_>>(), [false, false, false, false, false, true, false]);
        let mut steady = Speed::default();
        assert!((1..=100).all(|minute| {
            !steady.is_too_slow(seconds(minute * 60), usize::try_from(minute).unwrap() * SLOWEST)
        }));
        let mut stalled = Speed::default();
        assert!(!stalled.is_too_slow(seconds(59), 1_000_000));
        assert!(!stalled.is_too_slow(seconds(61), 1_000_001));
        assert!(stalled.is_too_slow(seconds(122), 1_000_002), "a fast start does not help later");
    }

    #[test]
    fn the_token_is_removed_from_responses_however_it_is_escaped() {
        let spellings = [
            TOKEN.to_owned(),
            TOKEN.replace('/', "\\/"),
            TOKEN.replace('/', "\\u002f"),
            TOKEN[..40].to_owned(),
        ];
        for spelling in spellings {
            let head = |status: &str| format!("HTTP/1.1 {status}\r\nConnection: close\r\n\r\n");
            let refused =
                format!("{}{{\"errors\":[\"no {spelling}\"],\"request_id\":\"{spelling}\"}}", head("422 No"));
            let failure = asked(&refused).result.unwrap_err();
            assert_eq!(failure.line(), "GET /me returned 422: no [token] (request [token])");
            assert_eq!(failure.request_id.as_deref(), Some("[token]"));
            let odd = format!("{}{{\"data\":{{\"id\":1,\"{spelling}\":1}}}}", head("200 OK"));
            assert!(!asked(&odd).result.unwrap_err().line().contains("4f1c"), "{spelling}");
        }
        let body = format!("{{\"data\":{{\"id\":\"org_1\",\"name\":\"{}\"}}}}", TOKEN.replace('/', "\\/"));
        let answer = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{body}");
        let identity = asked(&answer).result.unwrap();
        assert_eq!(identity.organization.name, "[token]");
    }
}
