//! Texts that the fuzz targets keep: tried once more in each run of the suite.
//!
//! [`fuzzed`] is `fuzz/corpus`, each file by the claim of its target.

mod fuzzed;
