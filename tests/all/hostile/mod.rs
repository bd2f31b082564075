//! Hostile text in every carrier of every report, checked in every format by a parser.
//!
//! * [`corpus`] contains the text, and [`carriers`] lists the carriers, which are the positions of untrusted text in reports.
//!   [`bodies`] and [`sheets`] build reports from both.
//! * [`rendering`] writes reports, and [`judges`] check them: a terminal emulator, GitHub's Markdown, GitHub's runner, and
//!   parsers for HTML, JSON, and CSV. [`bulk`] covers every string in every carrier.
//! * [`any`] puts arbitrary strings into any report, for fuzzing.
//! * [`huge`] tests very long text, and [`toml`] tests text shown as TOML. [`stories`] runs the real binary against a Pylon that
//!   contains hostile text.

pub(crate) mod any;
mod bodies;
mod bulk;
mod carriers;
mod corpus;
mod edited;
mod huge;
mod judges;
mod rendering;
mod sheets;
mod stories;
mod toml;
