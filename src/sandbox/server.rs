//! The dull part: bytes from a socket become a `Request`, a `Delivery` becomes bytes on the socket. Decides nothing.
//!
//! Owns the one lock around the world, which is held while an answer is computed and never while anything is awaited; and the saving
//! of the state shortly after it changed.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, HttpBody},
    extract::{ConnectInfo, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
};
use tokio::sync::watch;

use super::{
    StateFile,
    delivery::Delivery,
    fault::Fault,
    faults::Faults,
    line::{Door, Switch},
    message::{MAX_BODY_BYTES, Request, Response},
    save,
    world::World,
};

/// How many requests are remembered.
const REMEMBERED: usize = 100_000;
/// How much of a body is remembered: all of a PATCH, and enough of a search to see what it asks.
const REMEMBERED_BODY: usize = 4096;
/// Changes that come in quick succession are saved together; a process killed in between loses these.
const SAVE_AFTER: Duration = Duration::from_millis(100);

/// One request that arrived, as a test sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// When, since the start.
    pub at: Duration,
    /// Its method.
    pub method: String,
    /// Its path, without the query.
    pub path: String,
    /// The status answered; none where the connection was cut or kept silent.
    pub status: Option<u16>,
    /// What went wrong on purpose.
    pub fault: Option<Fault>,
    /// The query, without its `?`.
    pub query: String,
    /// The body, cut after 4 KiB.
    pub body: Vec<u8>,
}

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    inner: Mutex<Inner>,
    started: Instant,
    state_file: Option<StateFile>,
    /// Held while saving: two saves must not share the temporary file, nor overtake each other.
    saving: Mutex<()>,
    /// The world's revision, for the task that saves.
    changed: watch::Sender<u64>,
    /// Turns true once, when the server stops: ends silences.
    closing: watch::Sender<bool>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) world: World,
    pub(super) faults: Faults,
    pub(super) arrivals: VecDeque<Arrival>,
    saved: u64,
}

impl Shared {
    pub(super) fn new(world: World, faults: Faults, state_file: Option<StateFile>) -> Self {
        let revision = world.revision();
        Self {
            inner: Mutex::new(Inner { world, faults, arrivals: VecDeque::new(), saved: revision }),
            started: Instant::now(),
            state_file,
            saving: Mutex::new(()),
            changed: watch::Sender::new(revision),
            closing: watch::Sender::new(false),
        }
    }

    /// A panic while the lock was held is a bug elsewhere; the world itself is changed in single steps and stays sound.
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    pub(super) fn close(&self) {
        self.closing.send_replace(true);
    }

    pub(super) async fn closed(&self) {
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.closing.subscribe().wait_for(|closing| *closing).await;
    }

    /// For the task that saves; taken before the first request, so that no change is missed.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Tells the saving task when there is something new.
    pub(super) fn announce(&self, revision: u64) {
        self.changed.send_if_modified(|known| std::mem::replace(known, revision) != revision);
    }

    fn deliver(&self, request: &Request) -> Delivery {
        let now = self.now();
        let mut guard = self.lock();
        let Inner { world, faults, arrivals, saved: _ } = &mut *guard;
        let (delivery, fault) = world.deliver(faults, now, request);
        let body = &request.body[..request.body.len().min(REMEMBERED_BODY)];
        if arrivals.len() == REMEMBERED {
            arrivals.pop_front();
        }
        arrivals.push_back(Arrival {
            at: now,
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            status: delivery.status(),
            fault,
            body: body.to_vec(),
        });
        let revision = world.revision();
        drop(guard);
        self.announce(revision);
        delivery
    }

    /// Saves what has changed since the last time. Blocks; the lock is held for a snapshot only.
    pub(super) fn save(&self) -> io::Result<()> {
        let Some(file) = &self.state_file else { return Ok(()) };
        let _turn = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        // The file exists after a run in which nothing changed, too.
        let missing = !save::path_of(file).exists();
        let (state, revision) = {
            let guard = self.lock();
            if guard.saved == guard.world.revision() && !missing {
                return Ok(());
            }
            (guard.world.to_state(), guard.world.revision())
        };
        save::save(&state, file)?;
        self.lock().saved = revision;
        Ok(())
    }
}

/// Accepts connections until `close`, then lets answers under way finish.
pub(super) async fn serve(door: Door, shared: Arc<Shared>) -> io::Result<()> {
    let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
    let service = router.into_make_service_with_connect_info::<Switch>();
    axum::serve(door, service).with_graceful_shutdown(async move { shared.closed().await }).await
}

/// Saves shortly after each burst of changes, on a thread of its own. An error is met again, and told, at the end.
pub(super) async fn keep_saving(shared: Arc<Shared>, mut changes: watch::Receiver<u64>) {
    while changes.changed().await.is_ok() {
        tokio::time::sleep(SAVE_AFTER).await;
        changes.mark_unchanged();
        let saving = Arc::clone(&shared);
        let _ = tokio::task::spawn_blocking(move || saving.save()).await;
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(switch): ConnectInfo<Switch>,
    request: axum::extract::Request,
) -> axum::response::Response {
    let (parts, body) = request.into_parts();
    let Some(body) = read(body).await else {
        // The client went away in the middle of its request: nobody to answer, nothing to do.
        switch.cut();
        return axum::response::Response::new(Body::empty());
    };
    match shared.deliver(&translate(&parts, body)) {
        Delivery::Answer(response) | Delivery::Garbage(response) => render(response),
        Delivery::CutBefore | Delivery::CutAfter => {
            switch.cut();
            axum::response::Response::new(Body::empty())
        }
        Delivery::Stall { hold } => {
            tokio::select! {
                () = tokio::time::sleep(hold) => {}
                () = shared.closed() => {}
            }
            switch.cut();
            axum::response::Response::new(Body::empty())
        }
    }
}

/// The whole body, or one byte more than is allowed of a larger one; the rest is read and dropped, so that the client is still there
/// to hear that it was too much. `None`: the client broke off.
async fn read(mut body: Body) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(frame) = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        if let Some(data) = frame.ok()?.data_ref() {
            let room = (MAX_BODY_BYTES + 1).saturating_sub(bytes.len());
            bytes.extend_from_slice(&data[..data.len().min(room)]);
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
    let mut rendered = axum::response::Response::new(Body::from(body));
    *rendered.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        // Both come from the world, which makes no name or value that HTTP forbids.
        if let (Ok(name), Ok(value)) = (header::HeaderName::try_from(name), HeaderValue::try_from(value)) {
            rendered.headers_mut().insert(name, value);
        }
    }
    rendered
}
