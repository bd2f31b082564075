//! A small fake Pylon on 127.0.0.1, used for trying out files and CI pipelines, and by our own tests.
//!
//! The sandbox deliberately shares no types with the module that talks to the real Pylon. Otherwise, both sides could share a
//! misunderstanding of the API, and it would go unnoticed. All behavior is pure and lives in `world`, while `server` handles the
//! sockets.
//!
//! | modules | purpose |
//! |---|---|
//! | `organization`, `state` | a world's initial state: settings and roles, and the file `pylon.json` |
//! | `written_user`, `invented` | the users in `pylon.json`, and generated organizations |
//! | `world`, `answers`, `patch`, `audit` | request handling: checks, read operations, the write operation, and the audit log |
//! | `operation`, `message`, `filter`, `page` | paths, requests and errors, search filters, and cursors |
//! | `user`, `users` | a user's representation in responses, and user lookups |
//! | `limits`, `limiter` | the syntax of rate limits, and five algorithms to enforce them |
//! | `fault`, `faults`, `context`, `delivery` | fault injection, and what reaches the client as a result |
//! | `server`, `connection`, `save` | sockets, connections that can be cut, and the state file |
//!
//! Simulations don't use a socket but call `World::deliver` with a virtual time.

mod answers;
mod audit;
mod connection;
mod context;
mod delivery;
mod fault;
mod faults;
mod filter;
mod identifiers;
mod invented;
mod limiter;
mod limits;
mod message;
mod operation;
mod organization;
mod page;
mod patch;
mod save;
mod server;
mod state;
mod unknown_name;
mod user;
mod users;
mod world;
mod written_user;

pub use audit::LoggedChange;
pub use delivery::Delivery;
pub use fault::Fault;
pub use faults::Faults;
pub use limits::{LimiterKind, Limits, WrittenLimits};
pub use message::{MAX_BODY_BYTES, Request, Response};
pub use operation::ApiOperation;
pub use organization::{
    Api, ApiSettings, EmptyData, EmptyLists, Organization, OrganizationStanding, Region, Role,
};
pub use save::StateFile;
pub use server::{Arrival, Running, Setup, start};
pub use state::SandboxState;
pub use world::{DEFAULT_TOKEN, World};
pub use written_user::{UserKind, WrittenUser};
