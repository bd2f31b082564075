//! Runs the fuzz targets' corpora without a fuzzer.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use pretty_assertions::assert_eq;

use crate::claims;
use crate::harness::project;

fn folder() -> PathBuf {
    project().join("fuzz")
}

/// Returns `true` if the tests run from the published crate, which doesn't include the fuzz package. `Cargo.toml.orig` exists
/// only in that crate because `cargo package` adds the file.
fn is_published_crate() -> bool {
    project().join("Cargo.toml.orig").exists()
}

#[test]
fn every_fuzz_corpus_satisfies_the_claim_of_its_target() {
    if is_published_crate() {
        return;
    }
    for (target, holds) in claims::ALL {
        let corpus = fs::read_dir(folder().join("corpus").join(target)).unwrap();
        let mut files = 0;
        for entry in corpus {
            let path = entry.unwrap().path();
            let data = fs::read(&path).unwrap();
            let tried = std::panic::catch_unwind(|| holds(&data));
            assert!(tried.is_ok(), "{}", path.display());
            files += 1;
        }
        assert!(files >= 5, "{target} has {files} files");
    }
}

/// Checks only the names because this build doesn't compile the fuzz targets.
#[test]
fn every_claim_has_a_fuzz_target() {
    if is_published_crate() {
        return;
    }
    let claims: BTreeSet<String> = claims::ALL.map(|(target, _)| target.to_owned()).into();
    let manifest: ::toml::Table = fs::read_to_string(folder().join("Cargo.toml")).unwrap().parse().unwrap();
    let bins = manifest["bin"].as_array().unwrap();
    let bins: BTreeSet<String> = bins.iter().map(|bin| bin["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(bins, claims);
}
