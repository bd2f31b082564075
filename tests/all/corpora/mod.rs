//! Collected texts, including those of the fuzz targets, checked in every run of the test suite.
//!
//! * [`fuzzed`] is `fuzz/corpus`, each file checked by the claim of its target.
//! * [`toml`] is toml-test, the suite for TOML parsers. [`json`] is `JSONTestSuite`, the suite for JSON parsers.

mod fuzzed;
mod json;
mod toml;
