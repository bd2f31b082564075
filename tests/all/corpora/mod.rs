//! Collected inputs, including the corpora of the fuzz targets, checked in every run of the test suite.
//!
//! * [`fuzzed`] checks each file in `fuzz/corpus` with its target's claim.
//! * [`toml`] is toml-test, a test suite for TOML parsers. [`json`] is `JSONTestSuite`, its counterpart for JSON.

mod fuzzed;
mod json;
mod toml;
