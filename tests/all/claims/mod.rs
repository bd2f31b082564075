//! Claims about arbitrary bytes, written as functions that panic if the claim is false.
//!
//! The fuzz targets in `fuzz/` compile this folder and try the claims on generated inputs, while `corpora` tries them on
//! collected inputs. A claim has to be fast because a fuzzer tries it millions of times.

mod answer;
mod journal;
mod printable;
mod refusal;
mod saved_plan;
mod users_toml;

use std::str::FromStr;

use jiff::Timestamp;
use rolecall::problem::Problems;
use rolecall::report::diagnostic;

use crate::harmless::is_harmless;
use crate::harness::NOW;
use crate::hostile::any::{github, markdown};

/// A function that checks a claim on arbitrary bytes and panics if the claim is false.
pub(crate) type Claim = fn(&[u8]);

/// Every claim, keyed by the name of its fuzz target and corpus.
pub(crate) const ALL: [(&str, Claim); 8] = [
    ("users_toml", users_toml::holds),
    ("saved_plan", saved_plan::holds),
    ("journal", journal::holds),
    ("answer", answer::holds),
    ("refusal", refusal::holds),
    ("printable", printable::holds),
    ("markdown", markdown),
    ("github", github),
];

pub(crate) fn now() -> Timestamp {
    Timestamp::from_str(NOW).unwrap()
}

/// Checks that there is at least one problem, that every label points into its file, and that the first three rendered
/// diagnostics contain no terminal or GitHub commands.
pub(crate) fn is_explained(problems: &Problems) {
    assert!(!problems.list.is_empty(), "what is refused is explained");
    for label in problems.list.iter().flat_map(|problem| &problem.labels) {
        let (text, span) = (problems.sources.text(label.place.file), label.place.span());
        assert!(text.get(span.clone()).is_some(), "{span:?} is not a place in {text:?}: {:?}", problems.list);
    }
    // Render only three because rendering a diagnostic takes longer than all other checks combined.
    diagnostic::letters(problems, false, None).take(3).for_each(|letter| is_harmless(&letter));
}
