//! Stories, by what they are about.

mod carrying_out;
mod docs;
mod examples;
mod failing;
mod files;
mod flow;
mod guarding;
mod observing;
mod openapi;
mod saved_plans;
mod windows;
