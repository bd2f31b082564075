//! Texts that others have collected, and those that the fuzz targets keep: tried once more in each run of the suite.
//!
//! * [`fuzzed`] is `fuzz/corpus`, each file by the claim of its target;
//! * [`toml`] is toml-test, the suite for parsers of TOML; [`json`] is `JSONTestSuite`, that for parsers of JSON.

mod fuzzed;
mod json;
mod toml;
