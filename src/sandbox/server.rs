//! The sandbox's HTTP server. It parses each HTTP request into a `Request` and carries out the resulting `Delivery`, but makes no
//! decisions of its own.
//!
//! A single lock guards the world and is held while computing a response, but never across an `.await`. If there's a state file,
//! each change is saved to it after a short delay.

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, HttpBody},
    extract::{ConnectInfo, State},
    http::{StatusCode, header, request::Parts},
    response::{AppendHeaders, IntoResponse},
};
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};

use super::connection::{Acceptor, CutSwitch};
use super::delivery::Delivery;
use super::fault::Fault;
use super::faults::Faults;
use super::message::{MAX_BODY_BYTES, Request, Response};
use super::save::StateFile;
use super::world::World;

/// The maximum time to wait for responses in flight when the sandbox stops.
const STOP_TIMEOUT: Duration = Duration::from_millis(500);
/// The maximum number of requests to keep for [`Running::requests`]. Beyond that limit, the oldest requests are dropped.
const MAX_ARRIVALS: usize = 100_000;
/// The maximum number of bytes to keep from the body of each recorded request. An entire PATCH fits, and so does
/// enough of a search to recognize it.
const MAX_REMEMBERED_BODY: usize = 4096;
/// The delay between a change and saving it, so that changes in quick succession are saved together. If the process is killed
/// before the delay ends, unsaved changes are lost.
const SAVE_DELAY: Duration = Duration::from_millis(100);

/// The configuration of a sandbox, passed to [`start`].
#[derive(Debug)]
pub struct Setup {
    /// The world to serve. Its epoch should be the time at which the sandbox starts.
    pub world: World,
    pub faults: Faults,
    /// The TCP port on 127.0.0.1, or 0 to use any free port.
    pub port: u16,
    /// The file to save the state to after each change and when the sandbox stops. If `None`, the state is kept only in memory.
    pub state_file: Option<StateFile>,
}

impl Setup {
    /// Creates a configuration for this world with any free port, no faults, and no state file.
    pub fn new(world: World) -> Self {
        Self { world, faults: Faults::none(), port: 0, state_file: None }
    }
}

/// A sandbox that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    shared: Arc<ServerState>,
    serving: JoinHandle<io::Result<()>>,
    saving: JoinHandle<()>,
}

/// Binds to 127.0.0.1 and starts serving requests on the current Tokio runtime.
pub async fn start(setup: Setup) -> io::Result<Running> {
    let Setup { world, faults, port, state_file } = setup;
    let acceptor = Acceptor::bind(port).await?;
    let address = acceptor.address()?;
    let saved_revision = world.revision();
    let shared = Arc::new(ServerState {
        inner: Mutex::new(Inner { world, faults, arrivals: VecDeque::new(), saved_revision }),
        started: Instant::now(),
        state_file,
        saving: Mutex::new(()),
        changed: Notify::new(),
        closing: watch::Sender::new(false),
    });
    let serving = tokio::spawn(serve(acceptor, Arc::clone(&shared)));
    let saving = tokio::spawn(keep_saving(Arc::clone(&shared)));
    Ok(Running { address, shared, serving, saving })
}

impl Running {
    /// Returns the base URL, `http://127.0.0.1:PORT`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Calls `look` with exclusive access to the world, so no request is handled in the meantime.
    pub fn with_world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        self.shared.with_inner(|inner| look(&mut inner.world))
    }

    /// Returns up to 100,000 of the most recent requests, oldest first.
    pub fn requests(&self) -> Vec<Arrival> {
        self.shared.lock().arrivals.iter().cloned().collect()
    }

    /// Stops accepting connections, gives responses in flight half a second to finish, and saves the state.
    pub async fn stop(mut self) -> io::Result<()> {
        self.shared.close();
        let served = match tokio::time::timeout(STOP_TIMEOUT, &mut self.serving).await {
            Ok(Ok(served)) => served,
            // Either the server panicked, which the runtime has already reported, or it didn't stop in time. Save the state
            // regardless.
            Ok(Err(_)) | Err(_) => Ok(()),
        };
        self.saving.abort();
        let shared = Arc::clone(&self.shared);
        let saved = tokio::task::spawn_blocking(move || shared.save()).await;
        served.and(saved.unwrap_or_else(|error| Err(io::Error::other(error))))
    }
}

impl Drop for Running {
    /// Stops the server and saves unsaved changes, ignoring any errors. To get them, call [`Running::stop`] instead.
    fn drop(&mut self) {
        self.shared.close();
        self.serving.abort();
        self.saving.abort();
        let _ = self.shared.save();
    }
}

/// A request received by the sandbox, and the result. Tests get these records from [`Running::requests`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The request, without its token and with at most 4 KiB of its body.
    pub request: Request,
    /// The status code of the response, or `None` if the connection was cut or stalled.
    pub status: Option<u16>,
    /// The fault injected into the request, or `None` if no fault had an effect.
    pub fault: Option<Fault>,
}

#[derive(Debug)]
struct ServerState {
    inner: Mutex<Inner>,
    started: Instant,
    state_file: Option<StateFile>,
    /// The lock to hold while saving. Without it, concurrent saves could overtake each other, and an older state could replace a
    /// newer one.
    saving: Mutex<()>,
    /// Notifies the task that saves the state ([`keep_saving`]) of unsaved changes.
    changed: Notify,
    /// Becomes `true` when the server has to stop, at which point even stalled connections are closed.
    closing: watch::Sender<bool>,
}

#[derive(Debug)]
struct Inner {
    world: World,
    faults: Faults,
    arrivals: VecDeque<Arrival>,
    /// The [`World::revision`] that was saved last, or the initial revision if none was saved yet.
    saved_revision: u64,
}

impl ServerState {
    /// Acquires the lock, even if a panic has poisoned it. (The panic would be a bug elsewhere.) The world is still valid because
    /// each change to it is a single step.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls `look` while holding the lock. If `look` changes the world, notifies the task that saves the state.
    fn with_inner<T>(&self, look: impl FnOnce(&mut Inner) -> T) -> T {
        let mut inner = self.lock();
        let before = inner.world.revision();
        let seen = look(&mut inner);
        if inner.world.revision() != before {
            self.changed.notify_one();
        }
        seen
    }

    fn close(&self) {
        self.closing.send_replace(true);
    }

    async fn closed(&self) {
        // `wait_for` fails only if the sender is dropped, but `self` owns the sender.
        let _ = self.closing.subscribe().wait_for(|closing| *closing).await;
    }

    fn deliver(&self, mut request: Request) -> Delivery {
        let now = self.started.elapsed();
        self.with_inner(|inner| {
            let (delivery, fault) = inner.world.deliver(&mut inner.faults, now, &request);
            request.authorization = None;
            request.body.truncate(MAX_REMEMBERED_BODY);
            request.body.shrink_to_fit();
            if inner.arrivals.len() == MAX_ARRIVALS {
                inner.arrivals.pop_front();
            }
            inner.arrivals.push_back(Arrival { request, status: delivery.status(), fault });
            delivery
        })
    }

    /// Saves any unsaved changes to the state file. This blocks the thread, but the world is locked only while its state is
    /// copied.
    fn save(&self) -> io::Result<()> {
        let Some(file) = &self.state_file else { return Ok(()) };
        let _turn = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        // If the file doesn't exist, write it even if nothing has changed.
        let missing = !file.path().exists();
        let (state, revision) = {
            let inner = self.lock();
            if inner.saved_revision == inner.world.revision() && !missing {
                return Ok(());
            }
            (inner.world.to_state(), inner.world.revision())
        };
        file.write(&state)?;
        self.lock().saved_revision = revision;
        Ok(())
    }
}

/// Accepts connections until [`ServerState::close`] is called, then lets responses in flight finish.
async fn serve(acceptor: Acceptor, shared: Arc<ServerState>) -> io::Result<()> {
    let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
    let service = router.into_make_service_with_connect_info::<CutSwitch>();
    axum::serve(acceptor, service).with_graceful_shutdown(async move { shared.closed().await }).await
}

/// Saves the state shortly after each burst of changes, on a separate thread. Errors are ignored because the sandbox saves again
/// when it stops, and then reports any error.
async fn keep_saving(shared: Arc<ServerState>) {
    loop {
        shared.changed.notified().await;
        tokio::time::sleep(SAVE_DELAY).await;
        let saving = Arc::clone(&shared);
        let _ = tokio::task::spawn_blocking(move || saving.save()).await;
    }
}

async fn answer(
    State(shared): State<Arc<ServerState>>,
    ConnectInfo(switch): ConnectInfo<CutSwitch>,
    request: axum::extract::Request,
) -> axum::response::Response {
    let (parts, body) = request.into_parts();
    // If the client disconnects before it has sent the entire request, the request isn't handled.
    if let Some(body) = read(body).await {
        match shared.deliver(translate(&parts, body)) {
            Delivery::Answer(response) | Delivery::Garbage(response) => return render(response),
            Delivery::CutBefore | Delivery::CutAfter => {}
            Delivery::Stall { hold } => {
                let _ = tokio::time::timeout(hold, shared.closed()).await;
            }
        }
    }
    switch.cut();
    axum::response::Response::new(Body::empty())
}

/// Reads the entire body but keeps at most `MAX_BODY_BYTES + 1` bytes. The rest is read and discarded so that the client can
/// still receive the error response. Returns `None` if the client disconnects.
async fn read(mut body: Body) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(frame) = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        if let Some(data) = frame.ok()?.data_ref() {
            let space = (MAX_BODY_BYTES + 1).saturating_sub(bytes.len());
            bytes.extend_from_slice(&data[..data.len().min(space)]);
        }
    }
    Some(bytes)
}

fn translate(parts: &Parts, body: Vec<u8>) -> Request {
    let authorization = parts.headers.get(header::AUTHORIZATION);
    Request {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        authorization: authorization.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()),
        body,
    }
}

fn render(response: Response) -> axum::response::Response {
    let Response { status, headers, body } = response;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, AppendHeaders(headers), Body::from(body)).into_response()
}
