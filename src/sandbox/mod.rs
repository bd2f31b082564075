//! A small fake Pylon on 127.0.0.1, for users who test their role files and their CI, and for this crate's own tests.
//!
//! It shares no type with the module that talks to the real Pylon. Otherwise, a misunderstanding of the API could be on
//! both sides without being noticed. All behavior is pure and in `world`. The sockets are in `server`.
//!
//! | file | owns |
//! |---|---|
//! | `organization`, `state`, `written_user`, `invented` | what a world starts from: its facts, as people write them (`pylon.json`), checked, invented |
//! | `world`, `answers`, `patch`, `audit` | what a request does: the checks, the operations that read, the only write, the audit log |
//! | `operation`, `message`, `filter`, `page` | paths, requests and errors, search filters, cursors |
//! | `user`, `users` | a user and how it is shown, and finding users |
//! | `limits`, `limiter` | rate limits as written, and five ways to count them |
//! | `fault`, `faults`, `context`, `delivery` | what goes wrong on purpose, and what then reaches the client |
//! | `server`, `connection`, `save` | sockets, connections that can be cut, the state file |
//!
//! A simulation needs no socket: it calls `World::deliver` with its own time.

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

pub use audit::AuditEntry;
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
pub use user::UserKind;
pub use world::{DEFAULT_TOKEN, World};
pub use written_user::WrittenUser;
