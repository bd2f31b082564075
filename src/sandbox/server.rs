//! The HTTP server. It turns bytes into a `Request` and a `Delivery` into bytes, and makes no decisions of its own.
//!
//! A single lock guards the world. It's held while computing a response but never across an await. The state is saved shortly
//! after each change.

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

/// How long responses in flight may take once the sandbox is stopping.
const STOP_TIMEOUT: Duration = Duration::from_millis(500);
/// The maximum number of requests to remember.
const MAX_ARRIVALS: usize = 100_000;
/// The number of bytes of a body to remember. That's enough for an entire PATCH and for recognizing a search.
const MAX_REMEMBERED_BODY: usize = 4096;
/// Changes in quick succession are saved together after this delay. If the process is killed before then, they're lost.
const SAVE_DELAY: Duration = Duration::from_millis(100);

/// The configuration that a sandbox starts with.
#[derive(Debug)]
pub struct Setup {
    /// The world to serve, whose epoch should be the start time.
    pub world: World,
    pub faults: Faults,
    /// The port on 127.0.0.1, or 0 for any free one.
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

/// Binds to 127.0.0.1 and starts serving requests on the current runtime.
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

    /// Accesses the world directly while no request is being handled.
    pub fn with_world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        self.shared.with_inner(|inner| look(&mut inner.world))
    }

    /// Returns the most recent requests, oldest first, up to 100,000.
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
    /// Stops the server and saves unsaved changes. Errors are ignored; call `stop` to get them.
    fn drop(&mut self) {
        self.shared.close();
        self.serving.abort();
        self.saving.abort();
        let _ = self.shared.save();
    }
}

/// A recorded request, for tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The request, without its token and with at most 4 KiB of its body.
    pub request: Request,
    /// The status code of the response, or `None` if the connection was cut or stalled.
    pub status: Option<u16>,
    /// The fault injected into the request, if any.
    pub fault: Option<Fault>,
}

#[derive(Debug)]
struct ServerState {
    inner: Mutex<Inner>,
    started: Instant,
    state_file: Option<StateFile>,
    /// Held while saving. Otherwise, concurrent saves would use the same temporary file and could overtake each other.
    saving: Mutex<()>,
    /// Wakes the task that saves the state.
    changed: Notify,
    /// Set to true once the server stops, which also ends stalled connections.
    closing: watch::Sender<bool>,
}

#[derive(Debug)]
struct Inner {
    world: World,
    faults: Faults,
    arrivals: VecDeque<Arrival>,
    /// The revision of the world that was last saved.
    saved_revision: u64,
}

impl ServerState {
    /// Takes the lock even if it's poisoned. A panic while the lock was held is a bug elsewhere, and the world is still valid:
    /// it's changed only in single steps.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls `look` under the lock. If `look` changes the world, wakes the task that saves the state.
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
        // This fails only if the sender is dropped, and `self` owns it.
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

    /// Saves any unsaved changes. This blocks, but holds the lock only while copying the state.
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

/// Accepts connections until `close`, then lets responses in flight finish.
async fn serve(acceptor: Acceptor, shared: Arc<ServerState>) -> io::Result<()> {
    let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
    let service = router.into_make_service_with_connect_info::<CutSwitch>();
    axum::serve(acceptor, service).with_graceful_shutdown(async move { shared.closed().await }).await
}

/// Saves the state shortly after each burst of changes, on a separate thread. Errors are ignored here because they recur when
/// the sandbox stops and are reported then.
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
    // If the client disconnected before its request was complete, do nothing.
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

/// Reads the entire body, but keeps at most one byte more than the maximum. The rest is drained so the client can still receive
/// the error. Returns `None` if the client disconnected.
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
