//! A small, faithful Pylon on 127.0.0.1, for people who test their role files and their CI, and for this crate's own tests.
//!
//! It shares no type with the room that speaks to the real Pylon and uses no other room: one misreading must not pass on both
//! sides. Everything it knows is pure and lives in `world`; the sockets are dull and live in `server`.
//!
//! | file | owns |
//! |---|---|
//! | `state`, `draft`, `person`, `seed` | what a world starts from: checked, as people write it (`pylon.json`), invented |
//! | `world`, `answers`, `patch`, `audit` | what a request does: the checks, the endpoints that read, the only write, the audit log |
//! | `endpoint`, `filter`, `page`, `people`, `user`, `message` | paths, search filters, cursors, look-up, how a user and an error look |
//! | `limits`, `limiter` | rate limits as written, and five ways of counting them |
//! | `fault`, `faults`, `twist`, `delivery` | what goes wrong on purpose, and what then reaches the client |
//! | `server`, `line`, `save` | sockets, connections that can be cut, the state file |
//!
//! A simulation needs no socket: `World::deliver` with its own idea of the time is all there is to it.

mod answers;
mod audit;
mod delivery;
mod draft;
mod endpoint;
mod fault;
mod faults;
mod filter;
mod limiter;
mod limits;
mod line;
mod message;
mod page;
mod patch;
mod people;
mod person;
mod save;
mod seed;
mod server;
mod spelling;
mod state;
mod twist;
mod user;
mod world;

#[cfg(test)]
mod tests;

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use tokio::task::JoinHandle;

pub use audit::Entry as AuditEntry;
pub use delivery::Delivery;
pub use draft::Draft;
pub use fault::{Fault, FaultsError};
pub use faults::Faults;
pub use limits::{Class, LimiterKind, Limits, LimitsError, WrittenLimits};
pub use message::{MAX_BODY_BYTES, Request, Response};
pub use person::{Kind, Person};
pub use server::Arrival;
pub use state::{
    Api, EmptyData, EmptyLists, Organization, Region, Role, Settings, Standing, State, StateError,
};
pub use world::{DEFAULT_TOKEN, World};

/// How long answers under way may take when the sandbox stops.
const STOP_WITHIN: Duration = Duration::from_millis(500);

/// A sandbox to be started. Without `Debug`, so that the token is not printed by accident.
pub struct Setup {
    /// The organisation; its epoch should be the time of the start.
    pub world: World,
    /// The token that is accepted.
    pub token: String,
    /// The allowances.
    pub limits: Limits,
    /// What goes wrong on purpose.
    pub faults: Faults,
    /// The port on 127.0.0.1; 0 takes any that is free.
    pub port: u16,
    /// Where the state is kept after each change and at the end.
    pub state_file: Option<StateFile>,
}

/// The file of a state.
#[derive(Debug, Clone)]
pub enum StateFile {
    /// The user named it. It is written as a shell's `>` would write it.
    Named(PathBuf),
    /// It is in a folder whose links are not followed. It is replaced as a whole.
    Own(PathBuf),
}

impl Setup {
    /// This world on any port, with its own token and limits, no faults and no file.
    pub fn new(world: World) -> Self {
        Self {
            token: world.token().to_owned(),
            limits: world.limits(),
            world,
            faults: Faults::none(),
            port: 0,
            state_file: None,
        }
    }
}

/// A sandbox that answers until it is stopped or dropped.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    shared: Arc<server::Shared>,
    serving: JoinHandle<io::Result<()>>,
    saving: JoinHandle<()>,
}

/// Binds 127.0.0.1 and answers from now on, on the current runtime.
pub async fn start(setup: Setup) -> io::Result<Running> {
    let Setup { mut world, token, limits, faults, port, state_file } = setup;
    world.set_token(&token);
    world.set_limits(limits);
    let door = line::Door::open(port).await?;
    let address = door.address()?;
    let shared = Arc::new(server::Shared::new(world, faults, state_file));
    let serving = tokio::spawn(server::serve(door, Arc::clone(&shared)));
    let saving = tokio::spawn(server::keep_saving(Arc::clone(&shared), shared.changes()));
    Ok(Running { address, shared, serving, saving })
}

impl Running {
    /// `http://127.0.0.1:PORT`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Looks into the world, or changes it as nobody could through the API, while no request is being answered.
    pub fn with_world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        let mut inner = self.shared.lock();
        let seen = look(&mut inner.world);
        let revision = inner.world.revision();
        drop(inner);
        self.shared.announce(revision);
        seen
    }

    /// The same for the faults: to count what fired, or to let other things go wrong from now on.
    pub fn with_faults<T>(&self, look: impl FnOnce(&mut Faults) -> T) -> T {
        look(&mut self.shared.lock().faults)
    }

    /// The requests that arrived, oldest first; of more than 100,000 the last ones.
    pub fn requests(&self) -> Vec<Arrival> {
        self.shared.lock().arrivals.iter().cloned().collect()
    }

    /// The time on the world's clock.
    pub fn now(&self) -> Duration {
        self.shared.now()
    }

    /// Accepts nothing more, lets answers under way finish for half a second, and saves.
    pub async fn stop(mut self) -> io::Result<()> {
        self.shared.close();
        let served = match tokio::time::timeout(STOP_WITHIN, &mut self.serving).await {
            Ok(Ok(served)) => served,
            // It panicked, which the runtime has told already, or is not done in time: the state is what matters now.
            Ok(Err(_)) | Err(_) => Ok(()),
        };
        self.saving.abort();
        let shared = Arc::clone(&self.shared);
        let saved = tokio::task::spawn_blocking(move || shared.save()).await;
        served.and(saved.unwrap_or_else(|error| Err(io::Error::other(error))))
    }
}

impl Drop for Running {
    /// Stops answering, and saves what is unsaved as well as it can: whoever wants to hear of an error calls `stop`.
    fn drop(&mut self) {
        self.shared.close();
        self.serving.abort();
        self.saving.abort();
        let _ = self.shared.save();
    }
}
