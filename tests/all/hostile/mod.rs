//! Hostile text in every carrier of every report, checked in every format by a parser.
//!
//! * [`corpus`] contains the text, [`carriers`] the places in reports, and [`bodies`] the reports made of both.
//! * [`rendering`] writes reports. [`judges`] are a terminal emulator, GitHub's markdown, GitHub's runner, an HTML parser,
//!   and a JSON parser.
//! * [`any`] puts any texts into any report, for fuzzing.
//! * [`huge`] tests very long text. [`stories`] run the real binary against a Pylon that contains hostile text.

pub(crate) mod any;
mod bodies;
mod bulk;
mod carriers;
mod corpus;
mod huge;
mod judges;
mod rendering;
mod sheets;
mod stories;
mod toml;
