//! Hostile text in every carrier of every report, judged in every format by a parser of its kind.
//!
//! * [`corpus`] is the text, [`carriers`] where it stands, [`bodies`] the reports that are made of both;
//! * [`told`] writes them, and [`judges`] are a terminal emulator, GitHub's markdown, GitHub's runner, a browser's parser and a JSON parser;
//! * [`any`] takes any texts for any report, for whoever tries them by the million;
//! * [`huge`] is text without an end, [`stories`] are the real binary against a Pylon that holds such text.

pub(crate) mod any;
mod bodies;
mod bulk;
mod carriers;
mod corpus;
mod huge;
mod judges;
mod sheets;
mod stories;
mod told;
mod toml;
