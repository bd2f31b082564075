//! Claims about any bytes at all: a function of bytes, which panics where its claim does not hold.
//!
//! The fuzz targets try them on whatever they come up with (`fuzz/` compiles this very folder), and `corpora` on what they
//! have collected. So nothing here takes more time than a million tries leave it.

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

/// What panics where its claim does not hold.
pub(crate) type Claim = fn(&[u8]);

/// Every claim, by the name of its fuzz target, which is that of its corpus.
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

/// What is refused is explained, each place is one in its file, and nothing of it acts.
pub(crate) fn is_explained(problems: &Problems) {
    assert!(!problems.list.is_empty(), "what is refused is explained");
    for label in problems.list.iter().flat_map(|problem| &problem.labels) {
        let (text, span) = (problems.sources.text(label.place.file), label.place.span());
        assert!(text.get(span.clone()).is_some(), "{span:?} is no place in {text:?}: {:?}", problems.list);
    }
    // To lay a letter out takes longer than all the rest.
    diagnostic::letters(problems, false).take(3).for_each(|letter| is_harmless(&letter));
}
