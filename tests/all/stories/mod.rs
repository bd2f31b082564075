//! Stories: tests that run the `rolecall` program as a whole, with one module per topic.

mod access;
mod applying;
mod asking;
mod blame;
mod browser;
mod causes;
mod comparing;
mod docs;
mod examples;
mod exit_codes;
mod failing;
mod files;
mod flow;
mod guarding;
#[cfg(unix)]
mod links;
mod locating;
mod many;
mod observing;
mod openapi;
mod page;
mod printing;
mod reports;
mod role_rules;
mod rolling_back;
mod sandbox;
mod saved_plans;
pub(crate) mod schema;
mod secrecy;
mod tables;
mod tls;
pub(crate) mod typing;
mod windows;
mod writing_files;
