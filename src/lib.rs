//! `rolecall` keeps the roles and statuses of a Pylon organization's users in git.
//!
//! People declare them in `users.toml`, keyed by e-mail; `plan` shows what would change, `apply` sends only the `PATCH`
//! calls that are needed. Data flows one way, and everything that decides is pure:
//!
//! ```text
//! users.toml ── Roster::read ──▶ Roster ── resolve_at(now) ──▶ DesiredState ┐
//!                                                                          ├─ Plan::draw ─▶ Plan ─ review ─▶ ReviewedPlan
//! Pylon ─────── observe ───────▶ ObservedState ─────────────────────────────┘                                │
//!                        ┌───────────────────────────────────────────────────────────────────────────────────┘
//!                        └─ carry_out ─▶ Finished ─▶ Report ─▶ bytes, exit code
//! ```
//!
//! The rooms, each of which uses only rooms before it: [`roster`], [`layout`], [`desired`], [`comparison`], [`observed`], [`plan`],
//! [`adoption`], [`pylon`], [`apply`], [`report`], [`output`], [`commands`]; and apart from them the [`sandbox`]. [`cli`] is what can be typed and
//! [`manual`] what is said of it. [`printable`], [`toml_text`], [`source`], [`secret`], [`problem`], [`private`], [`target_file`],
//! [`invocation`], [`own_folder`], [`regular`], `spelling` and `every` are used everywhere. docs/architecture.md walks through them.

pub mod adoption;
pub mod apply;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod comparison;
pub mod desired;
mod every;
pub mod exit;
pub mod invocation;
pub mod layout;
pub mod manual;
pub mod observed;
pub mod output;
pub mod own_folder;
pub mod plan;
pub mod printable;
pub mod private;
pub mod problem;
pub mod pylon;
pub mod regular;
pub mod report;
pub mod roster;
pub mod sandbox;
pub mod secret;
pub mod source;
mod spelling;
pub mod target_file;
pub mod toml_text;
