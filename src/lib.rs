//! `rolecall` keeps the roles and statuses of a Pylon organization's users in git.
//!
//! Users are declared in `users.toml`, keyed by email address. `plan` shows what would change, and `apply` sends only the
//! necessary `PATCH` requests. Data flows in one direction, and all decisions are made in pure code:
//!
//! ```text
//! users.toml ── Roster::read ──▶ Roster ── resolve_at(now) ──▶ DesiredState ┐
//!                                                                          ├─ Plan::draw ─▶ Plan ─ review ─▶ ReviewedPlan
//! Pylon ─────── observe ───────▶ ObservedState ─────────────────────────────┘                                │
//!                        ┌───────────────────────────────────────────────────────────────────────────────────┘
//!                        └─ carry_out ─▶ Finished ─▶ Report ─▶ bytes, exit code
//! ```
//!
//! Each layer depends only on the layers before it: [`roster`], [`layout`], [`desired`], [`comparison`], [`observed`],
//! [`plan`], [`adoption`], [`new_roster`], [`pylon`], [`apply`], [`report`], [`output`], [`commands`]. The [`sandbox`] is
//! separate. [`cli`] defines the command line, and [`manual`] documents it. The utilities [`clock`], [`exit`], [`printable`],
//! [`toml_text`], [`source`], [`secret`], [`problem`], [`private`], [`target_file`], [`invocation`], [`own_folder`],
//! [`regular`], `spelling`, and `every` are used throughout. docs/architecture.md describes each module.

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
pub mod new_roster;
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
